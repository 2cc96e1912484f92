//! Everything joined: an embedded KDC on loopback, caches and keytabs in files and memory, two ends on a
//! socket, a context that moves.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use orthros::ledger::MemoryLedger;
use orthros::seal_key::Places;
use orthros::{CacheName, Config, Error, Flags, Keytab, KeytabName, Major, Name, Orthros};
use orthros_gss::transfer::{SealingKey, TransferRefusal};
use orthros_kdc::{Listener, Realm};
use orthros_wire::SecretBytes;

struct World {
    folder: tempfile::TempDir,
    kdc: Listener,
}

impl World {
    fn new() -> Self {
        let realm = Realm::builder("TEST")
            .principal("alice", "open sesame")
            .service("host/localhost")
            .build(&orthros::random::SystemRandom)
            .unwrap();
        Self { folder: tempfile::tempdir().unwrap(), kdc: Listener::start(realm).unwrap() }
    }

    /// An object of its own, as another process would have.
    fn orthros(&self) -> Orthros {
        let kdc = self.kdc.address().to_string();
        let mut config = Config::for_realm("TEST", &[&kdc]).unwrap();
        config.forwardable = true;
        let file = |name: &str| self.folder.path().join(name);
        let orthros = Orthros::builder()
            .config(config)
            .default_cache(CacheName::File(file("cc")))
            .default_keytab(KeytabName::File(file("keytab")))
            .transfer_places(Places::new().within(self.folder.path()))
            .build();
        if !file("keytab").exists() {
            orthros.write_keytab(orthros.default_keytab(), self.keytab()).unwrap();
        }
        orthros
    }

    fn keytab(&self) -> Keytab {
        let mut keytab = Keytab::default();
        for key in self.kdc.realm().keytab_for(&"host/localhost@TEST".parse().unwrap()) {
            let now = orthros_wire::Timestamp::from_seconds(0);
            keytab.add(key.principal, key.kvno, key.key.duplicate(), now).unwrap();
        }
        keytab
    }
}

fn contexts(initiator: &Orthros, acceptor: &Orthros) -> (orthros::Context, orthros::Context) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor.clone();
    let accepting = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let credential = acceptor.acceptor().unwrap();
        acceptor.establish(acceptor.accept(&credential).start(), &mut stream).unwrap()
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let request = initiator.initiate(Name::hostbased_service("host", "localhost")).unwrap();
    let request = request.mutual().confidential().replay_detection().sequencing().delegate();
    let context = initiator.establish(request.start(), &mut stream).unwrap();
    (context, accepting.join().unwrap())
}

#[test]
fn a_login_a_context_and_a_move() {
    let world = World::new();
    let alice = world.orthros();
    alice.acquire("alice").password("open sesame").blocking_into(alice.default_cache()).unwrap();
    let (initiator, acceptor) = contexts(&alice, &world.orthros());
    assert!(acceptor.flags().contains(Flags::DELEGATION | Flags::MUTUAL | Flags::TRANSFERABLE));
    // The service ticket was stored beside the ticket-granting one.
    let cache = alice.read_cache(alice.default_cache()).unwrap();
    let servers: Vec<_> = cache.credentials().map(|ticket| ticket.server.to_string()).collect();
    assert_eq!(servers, ["krbtgt/TEST@TEST", "host/localhost@TEST"]);

    let (exporter, importer) = (world.orthros(), world.orthros());
    let token = exporter.export(acceptor).unwrap();
    let moved = importer.import(&token).unwrap();
    assert_eq!(moved.unwrap(&initiator.wrap(b"on and on").unwrap()).unwrap().message, b"on and on");
    let Err(Error::Transfer(TransferRefusal::SpentBefore(spent))) = exporter.import(&token) else { panic!() };
    assert_eq!(spent.pid, std::process::id());
}

#[test]
fn a_wrong_password_and_a_missing_cache_say_what_to_do() {
    let world = World::new();
    let orthros = world.orthros();
    let error = orthros.acquire("alice").password("wrong").blocking().unwrap_err();
    assert!(error.to_string().contains("alice@TEST"), "{error}");
    let error = orthros.initiate(Name::hostbased_service("host", "localhost")).unwrap_err();
    assert_eq!(error.major(), Major::NoCredential);
    assert!(error.to_string().contains("run kinit"), "{error}");
}

#[test]
fn a_key_that_comes_later_is_used_without_a_restart() {
    let world = World::new();
    let orthros = world.orthros();
    let acceptor = orthros.acceptor().unwrap();
    world
        .kdc
        .realm()
        .roll_over(&"host/localhost@TEST".parse().unwrap(), &orthros::random::SystemRandom)
        .unwrap();
    orthros.write_keytab(orthros.default_keytab(), world.keytab()).unwrap();
    orthros.acquire("alice").password("open sesame").blocking_into(orthros.default_cache()).unwrap();
    let mut step = orthros.initiate(Name::hostbased_service("host", "localhost")).unwrap().start();
    let token = loop {
        step = match step {
            orthros::Step::Need(need) => orthros.provide(need),
            orthros::Step::Send(owed) => break owed.token().to_vec(),
            other => panic!("{other:?}"),
        };
    };
    let orthros::Step::Receive(wait) = orthros.accept(&acceptor).start() else { panic!() };
    assert!(matches!(wait.token(&token), orthros::Step::Need(orthros::Need::Replay(_))));
}

#[test]
fn a_client_keytab_stands_in_for_a_missing_cache() {
    let world = World::new();
    let kdc = world.kdc.address().to_string();
    let orthros = Orthros::builder().config(Config::for_realm("TEST", &[&kdc]).unwrap()).build();
    orthros.write_keytab(orthros.client_keytab(), world.keytab()).unwrap();
    let credential = orthros.default_credential().unwrap();
    assert_eq!(credential.client().to_string(), "host/localhost@TEST");
}

#[test]
fn memory_stores_hold_what_contexts_fetch() {
    let world = World::new();
    let kdc = world.kdc.address().to_string();
    let orthros = Orthros::builder().config(Config::for_realm("TEST", &[&kdc]).unwrap()).build();
    let cache = orthros.default_cache().clone();
    let alice = orthros.acquire("alice").password("open sesame").blocking_into(&cache).unwrap();
    let server = "host/localhost@TEST".parse().unwrap();
    orthros.service_ticket(&alice, &server).unwrap();
    assert_eq!(orthros.read_cache(&cache).unwrap().credentials().count(), 2);
    assert!(orthros.destroy_cache(&cache).unwrap());
    assert!(orthros.read_cache(&cache).is_err());
}

#[test]
fn a_given_key_and_ledger_need_no_folder() {
    let world = World::new();
    let alice = world.orthros();
    alice.acquire("alice").password("open sesame").blocking_into(alice.default_cache()).unwrap();
    let (_, acceptor) = contexts(&alice, &world.orthros());
    let key = SealingKey::new(SecretBytes::from(vec![7; 32]), b"");
    let orthros = Orthros::builder().transfer(key, MemoryLedger::new()).build();
    let token = orthros.export(acceptor).unwrap();
    assert!(orthros.import(&token).is_ok());
    assert!(orthros.import(&token).is_err());
}

#[test]
fn files_of_the_wrong_kind_are_named_and_do_not_hang() {
    let world = World::new();
    let orthros = world.orthros();
    let path = world.folder.path().join("odd");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    for path in [&path, world.folder.path()] {
        let error = orthros.read_cache(&CacheName::File(path.to_owned())).unwrap_err();
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
        assert!(orthros.read_keytab(&KeytabName::File(path.to_owned())).is_err());
    }
    let error = orthros.read_cache(&CacheName::from("KCM:")).unwrap_err();
    assert!(error.to_string().contains("not supported"), "{error}");
}

#[test]
fn a_cache_that_cannot_be_written_keeps_its_old_content() {
    let world = World::new();
    let orthros = world.orthros();
    let alice =
        orthros.acquire("alice").password("open sesame").blocking_into(orthros.default_cache()).unwrap();
    let before = orthros.read_cache(orthros.default_cache()).unwrap().to_octets();
    let missing = CacheName::File(world.folder.path().join("no/such/folder/cc"));
    assert!(orthros.write_cache(&missing, orthros.read_cache(orthros.default_cache()).unwrap()).is_err());
    assert!(orthros.read_cache(orthros.default_cache()).unwrap().to_octets().ct_eq(&before));
    drop(Arc::clone(&alice));
}

#[test]
fn a_cache_without_memory_of_the_past_refuses_old_requests_unless_a_replay_is_harmless() {
    let world = World::new();
    let alice = world.orthros();
    alice.acquire("alice").password("open sesame").blocking_into(alice.default_cache()).unwrap();
    let first_token = |mutual: bool| {
        let request = alice.initiate(Name::hostbased_service("host", "localhost")).unwrap();
        let mut step = if mutual { request.mutual().start() } else { request.start() };
        loop {
            step = match step {
                orthros::Step::Need(need) => alice.provide(need),
                orthros::Step::Send(owed) => return owed.token().to_vec(),
                other => panic!("{other:?}"),
            };
        }
    };
    let (one_way, mutual) = (first_token(false), first_token(true));
    // This acceptor was made after both requests.
    let acceptor = world.orthros();
    let accept = |token: &[u8]| {
        let credential = acceptor.acceptor().unwrap();
        let orthros::Step::Receive(wait) = acceptor.accept(&credential).start() else { panic!() };
        let orthros::Step::Need(need) = wait.token(token) else { panic!() };
        let orthros::Step::Send(owed) = acceptor.provide(need) else {
            panic!("an answer is owed either way")
        };
        owed.sent()
    };
    let orthros::Step::Failed(error) = accept(&one_way) else { panic!() };
    assert!(error.to_string().contains("remembers what was accepted since"), "{error}");
    assert!(matches!(accept(&mutual), orthros::Step::Done(_)));
    assert!(matches!(accept(&mutual), orthros::Step::Failed(_)), "and a replay is still a replay");
}

#[test]
fn a_credential_by_name_comes_from_the_cache_or_the_client_keytab() {
    let world = World::new();
    let kdc = world.kdc.address().to_string();
    let orthros = Orthros::builder().config(Config::for_realm("TEST", &[&kdc]).unwrap()).build();
    orthros.acquire("alice").password("open sesame").blocking_into(orthros.default_cache()).unwrap();
    orthros.write_keytab(orthros.client_keytab(), world.keytab()).unwrap();
    for (name, client) in [("alice", "alice@TEST"), ("host/localhost", "host/localhost@TEST")] {
        assert_eq!(orthros.credential_for(&Name::user(name)).unwrap().client().to_string(), client);
    }
    let error = orthros.credential_for(&Name::user("bob")).unwrap_err();
    assert!(error.to_string().contains("bob@TEST") && error.to_string().contains("alice@TEST"), "{error}");
}

#[test]
fn a_thread_has_one_copy_of_its_own_which_shares_what_lies_in_memory() {
    let orthros = Orthros::builder().build();
    let own = orthros.apart();
    assert!(!std::ptr::eq(own.config(), orthros.config()));
    assert!(std::ptr::eq(own.config(), own.apart().config()));
    assert!(std::ptr::eq(own.config(), orthros.apart().config()));
    let name = KeytabName::from("MEMORY:shared");
    own.write_keytab(&name, Keytab::default()).unwrap();
    assert_eq!(orthros.read_keytab(&name).unwrap().entries().count(), 0);
    let config = std::ptr::from_ref(own.config()).addr();
    thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            let own = orthros.apart();
            assert!(own.read_keytab(&name).is_ok());
            std::ptr::from_ref(own.config()).addr()
        });
        assert_ne!(elsewhere.join().unwrap(), config);
    });
}
