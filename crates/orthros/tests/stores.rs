//! Caches and keytabs in files: folders of caches, writers beside each other, files that are none, and keys that
//! change under a running acceptor.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;

use orthros::blocking::EstablishError;
use orthros::random::SystemRandom;
use orthros::stores::StoreFault;
use orthros::{
    AcceptorCredential, CacheName, Config, InitiatorCredential, Keytab, KeytabName, Name, Orthros, Principal,
};
use orthros_crypto::{Enctype, Key};
use orthros_kdc::{Listener, Realm};
use orthros_wire::Timestamp;

const HOST: &str = "host/localhost@TEST";

struct World {
    folder: tempfile::TempDir,
    kdc: Listener,
}

impl World {
    fn new() -> Self {
        let realm = Realm::builder("TEST").principal("alice", "a").principal("bob", "b").service(HOST);
        let kdc = Listener::start(realm.build(&SystemRandom).unwrap()).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), kdc }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// An object of its own, as another process would have, whose default cache is a folder.
    fn orthros(&self) -> Orthros {
        let config = Config::for_realm("TEST", &[&self.kdc.address().to_string()]).unwrap();
        Orthros::builder()
            .config(config)
            .default_cache(CacheName::from(&*format!("DIR:{}", self.path("caches"))))
            .default_keytab(KeytabName::from(&*self.path("keytab")))
            .build()
    }

    /// Logs in as `kinit` does, and returns the cache that was filled.
    fn log_in(&self, name: &str) -> CacheName {
        let orthros = self.orthros();
        let cache = orthros.cache_to_fill(&principal(name)).unwrap();
        orthros.acquire(name).password(&name[..1]).blocking_into(&cache).unwrap();
        orthros.switch_cache(&cache).unwrap();
        cache
    }
}

fn principal(name: &str) -> Principal {
    Principal::parse(name, Some("TEST")).unwrap()
}

fn whose(orthros: &Orthros, cache: &CacheName) -> String {
    orthros.read_cache(cache).unwrap().primary().name_text()
}

#[test]
fn each_client_has_a_cache_of_its_own_and_the_last_login_is_in_use() {
    let world = World::new();
    let orthros = world.orthros();
    assert!(orthros.caches().unwrap().is_empty());
    let alices = world.log_in("alice");
    assert_eq!(alices.to_string(), format!("DIR::{}", world.path("caches/tkt")));
    let bobs = world.log_in("bob");
    assert_eq!(world.log_in("alice"), alices);
    assert_eq!(whose(&orthros, orthros.default_cache()), "alice");
    assert_eq!(orthros.caches().unwrap(), [alices.clone(), bobs.clone()]);
    assert_eq!(orthros.cache_for(&principal("bob")).unwrap(), Some(bobs.clone()));
    assert_eq!(orthros.cache_for(&principal("carol")).unwrap(), None);

    orthros.switch_cache(&bobs).unwrap();
    assert_eq!(whose(&world.orthros(), orthros.default_cache()), "bob");
    assert_eq!(orthros.caches().unwrap(), [bobs.clone(), alices]);
    let primary = std::fs::read_to_string(world.path("caches/primary")).unwrap();
    assert!(bobs.to_string().ends_with(primary.trim_end()) && primary.ends_with('\n'), "{primary:?}");

    assert_eq!(orthros.destroy_caches().unwrap(), 2);
    assert!(orthros.caches().unwrap().is_empty());
    assert!(matches!(orthros.switch_cache(&bobs).unwrap_err().fault, StoreFault::Missing));
}

#[test]
fn a_ticket_goes_to_the_cache_that_its_client_came_from_even_after_a_switch() {
    let world = World::new();
    let alices = world.log_in("alice");
    let orthros = world.orthros();
    let alice = orthros.default_credential().unwrap();
    let bobs = world.log_in("bob");
    orthros.service_ticket(&alice, &principal(HOST)).unwrap();
    let tickets = |cache| orthros.read_cache(cache).unwrap().credentials().count();
    assert_eq!((tickets(&alices), tickets(&bobs)), (2, 1));
    // Whoever is named gets his own, whichever is in use.
    for name in ["alice", "bob"] {
        let credential = orthros.credential_for(&Name::user(name)).unwrap();
        assert_eq!(credential.client(), &principal(name));
    }
    assert!(orthros.credential_for(&Name::user("carol")).is_err());
}

#[test]
fn a_folder_that_names_no_cache_is_refused_by_name() {
    let world = World::new();
    let cache = world.log_in("alice");
    let orthros = world.orthros();
    for bad in ["tkt", "../tkt\n", "cc\n", "\n", "\u{ff}"] {
        std::fs::write(world.path("caches/primary"), bad).unwrap();
        let error = orthros.read_cache(orthros.default_cache()).unwrap_err();
        assert!(matches!(error.fault, StoreFault::Primary), "{bad:?}: {error}");
        assert!(error.to_string().contains("caches"), "{error}");
    }
    orthros.switch_cache(&cache).unwrap();
    assert_eq!(whose(&orthros, orthros.default_cache()), "alice");
    let other = CacheName::DirectoryFile(world.path("caches/other").into());
    assert!(matches!(orthros.read_cache(&other).unwrap_err().fault, StoreFault::DirName));
    let file = CacheName::from(&*world.path("caches/tkt"));
    assert!(matches!(orthros.switch_cache(&file).unwrap_err().fault, StoreFault::Alone));
    assert_eq!(orthros.caches_beside(&file).unwrap(), [file]);
}

#[test]
fn what_is_no_file_is_refused_without_waiting_and_left_as_it_is() {
    let world = World::new();
    let orthros = world.orthros();
    let (fifo, folder, empty) = (world.path("fifo"), world.path("folder"), world.path("empty"));
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&empty, "").unwrap();
    let key = keytab("a@TEST", 1);
    for path in [&fifo, &folder] {
        let (cache, table) = (CacheName::from(path.as_str()), KeytabName::from(path.as_str()));
        for error in [
            orthros.read_cache(&cache).unwrap_err(),
            orthros.destroy_cache(&cache).unwrap_err(),
            orthros.read_keytab(&table).unwrap_err(),
            orthros.add_to_keytab(&table, &key).unwrap_err(),
            orthros.remove_from_keytab(&table, |_, _| true).unwrap_err(),
        ] {
            assert!(matches!(error.fault, StoreFault::NotAFile | StoreFault::Io(_)), "{error}");
            assert!(error.to_string().contains(path.as_str()), "{error}");
        }
        assert!(Path::new(path).exists());
    }
    let error = orthros.read_cache(&CacheName::from(&*empty)).unwrap_err();
    assert!(matches!(error.fault, StoreFault::Cache(_)), "{error}");
    // A symlink is followed to read, but what it points to is not wiped by its name.
    let link = world.path("link");
    let CacheName::DirectoryFile(file) = world.log_in("alice") else { panic!("no folder") };
    symlink(&file, &link).unwrap();
    assert_eq!(whose(&orthros, &CacheName::from(&*link)), "alice");
    assert!(orthros.destroy_cache(&CacheName::from(&*link)).is_err());
    assert_eq!(whose(&orthros, orthros.default_cache()), "alice");
}

fn keytab(name: &str, kvno: u32) -> Keytab {
    let key = Key::random(Enctype::Aes128CtsHmacSha256, &SystemRandom);
    let mut keytab = Keytab::default();
    keytab.add(name.parse().unwrap(), kvno, key.into(), Timestamp::default()).unwrap();
    keytab
}

#[test]
fn keys_that_are_added_and_removed_side_by_side_are_none_of_them_lost() {
    let world = World::new();
    let name = world.orthros().default_keytab().clone();
    thread::scope(|scope| {
        for writer in 0..4 {
            let (world, name) = (&world, &name);
            scope.spawn(move || {
                let orthros = world.orthros();
                let client = format!("w{writer}@TEST");
                for kvno in 1..=25 {
                    orthros.add_to_keytab(name, &keytab(&client, kvno)).unwrap();
                    let read = orthros.read_keytab(name).unwrap();
                    assert_eq!(read.highest_kvno(&client.parse().unwrap()), Some(kvno));
                    if kvno % 5 == 0 {
                        let old = |keytab: &Keytab, entry: &orthros_krb5::keytab::KeytabEntry| {
                            entry.principal().to_string() == client && !keytab.is_current(entry)
                        };
                        assert_eq!(
                            orthros.remove_from_keytab(name, old).unwrap(),
                            if kvno == 5 { 4 } else { 5 }
                        );
                    }
                }
            });
        }
    });
    let keytab = world.orthros().read_keytab(&name).unwrap();
    let mut left: Vec<_> =
        keytab.entries().map(|entry| (entry.principal().to_string(), entry.kvno())).collect();
    left.sort();
    let expected: Vec<_> = (0..4).map(|writer| (format!("w{writer}@TEST"), 25)).collect();
    assert_eq!(left, expected);
}

#[test]
fn a_keytab_that_is_made_is_never_seen_empty() {
    let world = World::new();
    for round in 0..50 {
        let path = world.path(&format!("made-{round}.keytab"));
        let first = thread::scope(|scope| {
            let reader = scope.spawn(|| {
                loop {
                    if let Ok(content) = std::fs::read(&path) {
                        return content;
                    }
                }
            });
            world
                .orthros()
                .add_to_keytab(&KeytabName::File(path.as_str().into()), &keytab("a@TEST", 1))
                .unwrap();
            reader.join().unwrap()
        });
        assert!(first.starts_with(&Keytab::HEADER), "{first:?}");
    }
    let names = std::fs::read_dir(world.folder.path()).unwrap();
    assert_eq!(names.filter(|name| name.as_ref().unwrap().file_name() != "cc").count(), 50);
}

/// A handshake between `alice` and the acceptor; what each end says of it.
fn handshake(
    initiator: &Orthros,
    alice: &Arc<InitiatorCredential>,
    acceptor: &Orthros,
    credential: &AcceptorCredential,
) -> (Result<(), EstablishError>, Result<(), EstablishError>) {
    let (mut near, mut far) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let accepting = scope.spawn(move || {
            let request = acceptor.accept(credential);
            acceptor.establish(request.start(), &mut far).map(drop)
        });
        let request = initiator.initiate_with(alice, Name::hostbased_service("host", "localhost")).mutual();
        let initiated = initiator.establish(request.start(), &mut near).map(drop);
        drop(near);
        (initiated, accepting.join().unwrap())
    })
}

#[test]
fn a_running_acceptor_takes_new_keys_and_old_tickets_while_its_keytab_changes_goes_and_comes_back() {
    let world = World::new();
    let host = principal(HOST);
    let server = world.orthros();
    let name = server.default_keytab().clone();
    server.add_to_keytab(&name, &world.kdc.realm().keytab(HOST).unwrap()).unwrap();
    let credential = server.acceptor().unwrap();

    let client = world.orthros();
    let fresh = || client.acquire("alice").password("a").blocking().unwrap();
    let early = fresh();
    // A thread of its own reads the keytab by itself.
    let (own_server, own_credential) =
        thread::scope(|scope| scope.spawn(|| (server.apart(), credential.apart())).join().unwrap());
    let good = |alice: &Arc<InitiatorCredential>| {
        let (initiated, accepted) = handshake(&client, alice, &own_server, &own_credential);
        let own = accepted.and(initiated);
        let (initiated, accepted) = handshake(&client, alice, &server, &credential);
        let first = accepted.and(initiated);
        assert_eq!(own.is_ok(), first.is_ok(), "{own:?}, {first:?}");
        first
    };
    good(&early).unwrap();
    let writer = world.orthros();
    for kvno in 2..=4 {
        assert_eq!(world.kdc.realm().roll_over(&host, &SystemRandom), Ok(kvno));
        let late = fresh();
        let error = good(&late).unwrap_err().to_string();
        assert!(error.contains("host/localhost"), "{error}");
        writer.add_to_keytab(&name, &world.kdc.realm().keytab(HOST).unwrap()).unwrap();
        good(&late).unwrap();
        good(&early).unwrap();
    }
    // Old keys go, and with them the old tickets.
    assert!(writer.remove_from_keytab(&name, |keytab, entry| !keytab.is_current(entry)).unwrap() > 0);
    assert!(good(&early).is_err());
    let late = fresh();
    good(&late).unwrap();

    let (path, aside) = (world.path("keytab"), world.path("aside"));
    std::fs::rename(&path, &aside).unwrap();
    let (_, accepted) = handshake(&client, &late, &server, &credential);
    assert!(accepted.unwrap_err().to_string().contains(&path));
    std::fs::rename(&aside, &path).unwrap();
    good(&late).unwrap();

    let settle = |rounds| (0..rounds).for_each(|_| good(&late).unwrap());
    settle(3);
    let before = keytab_descriptors(&path);
    settle(20);
    assert_eq!((before, keytab_descriptors(&path)), (0, 0));
}

/// How many descriptors of this process are open on a file.
fn keytab_descriptors(path: &str) -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(path)).count()
}
