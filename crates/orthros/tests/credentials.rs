//! Credentials with an embedded KDC on loopback: where they come from, where they are put, and how they stay fresh.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use orthros::credential::{Lifetime, Usage};
use orthros::credentials::Storing;
use orthros::credentials::store::BadStore;
use orthros::mechanism::KRB5_OID;
use orthros::replay::MemoryReplay;
use orthros::seal_key::Places;
use orthros::{
    AcceptorCredential, CacheName, Config, CredentialStore, Error, InitiatorCredential, Keytab, KeytabName,
    Major, Name, Need, Orthros, Step,
};
use orthros_gss::transfer::TransferRefusal;
use orthros_kdc::{Listener, Realm};
use orthros_krb5::Principal;
use orthros_wire::testing::ManualClock;
use orthros_wire::{Clock, Timestamp};

/// Seconds that tickets live here: little enough for half of it to lie within the clock skew.
const LIFETIME: i64 = 200;
const SERVICE: &str = "host/localhost@TEST";

struct World {
    folder: tempfile::TempDir,
    kdc: Listener,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let realm = Realm::builder("TEST")
            .principal("alice", "open sesame")
            .service("host/localhost")
            .build(&orthros::random::SystemRandom)
            .unwrap();
        // The KDC goes by the system's clock; only steps of ours are put by hand.
        let clock = Arc::new(ManualClock::new(orthros::clock::SystemClock.now().seconds));
        Self { folder: tempfile::tempdir().unwrap(), kdc: Listener::start(realm).unwrap(), clock }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn keytab(&self) -> Keytab {
        self.kdc.realm().keytab("host/localhost").unwrap()
    }

    fn orthros(&self) -> Orthros {
        self.with_kdc(&self.kdc.address().to_string())
    }

    fn with_kdc(&self, kdc: &str) -> Orthros {
        let text = format!(
            "[libdefaults]\ndefault_realm = TEST\nticket_lifetime = {LIFETIME}s\n[realms]\nTEST = {{\nkdc = {kdc}\n}}\n"
        );
        let orthros = Orthros::builder()
            .config(Config::parse(&text).unwrap())
            .clock(Arc::clone(&self.clock))
            .default_cache(CacheName::File(self.path("cc")))
            .client_keytab(KeytabName::File(self.path("client.keytab")))
            .transfer_places(Places::new().within(self.folder.path()))
            .build();
        orthros.write_keytab(orthros.default_keytab(), self.keytab()).unwrap();
        orthros
    }

    /// The same with a client keytab.
    fn with_client_keytab(&self) -> Orthros {
        let orthros = self.orthros();
        orthros.write_keytab(orthros.client_keytab(), self.keytab()).unwrap();
        orthros
    }

    fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }
}

fn principal(text: &str) -> Principal {
    text.parse().unwrap()
}

fn ticket(credential: &InitiatorCredential) -> Vec<u8> {
    credential.tickets().first().unwrap().ticket.to_vec()
}

fn refresh_time(orthros: &Orthros) -> Option<i64> {
    let cache = orthros.read_cache(orthros.default_cache()).unwrap();
    let note = cache.configuration_value("refresh_time", None)?;
    Some(std::str::from_utf8(note).unwrap().parse().unwrap())
}

#[test]
fn a_client_keytabs_ticket_is_kept_and_replaced_at_half_of_its_life() {
    let world = World::new();
    let orthros = world.with_client_keytab();
    let start = world.clock.now().seconds;
    let first = orthros.default_credential().unwrap();
    assert_eq!(first.client(), &principal(SERVICE));
    let due = refresh_time(&orthros).unwrap();
    assert!((due - start - LIFETIME / 2).abs() <= 2, "{due} after {start}");
    // Another process finds it in the cache, and does not ask the KDC.
    assert_eq!(ticket(&world.orthros().default_credential().unwrap()), ticket(&first));
    world.pass(due - 1 - start);
    assert_eq!(ticket(&orthros.default_credential().unwrap()), ticket(&first));
    world.pass(1);
    let second = orthros.default_credential().unwrap();
    assert_ne!(ticket(&second), ticket(&first));
    assert!(refresh_time(&orthros).unwrap() > due);
    let named = orthros.credential_for(&Name::hostbased_service("host", "localhost")).unwrap();
    assert_eq!(ticket(&named), ticket(&second));
}

#[test]
fn a_kdc_that_is_down_when_it_is_time_to_refresh_disturbs_nobody() {
    let world = World::new();
    let first = world.with_client_keytab().default_credential().unwrap();
    let nowhere = world.with_kdc("127.0.0.1:1");
    let due = refresh_time(&nowhere).unwrap();
    world.pass(due - world.clock.now().seconds);
    assert_eq!(ticket(&nowhere.default_credential().unwrap()), ticket(&first));
    assert_eq!(refresh_time(&nowhere), Some(due + 30), "others wait while one asks");
}

#[test]
fn an_ended_ticket_of_the_keytabs_client_is_replaced() {
    let world = World::new();
    let orthros = world.with_client_keytab();
    let first = orthros.default_credential().unwrap();
    world.pass(LIFETIME + 1);
    let second = orthros.default_credential().unwrap();
    assert_ne!(ticket(&second), ticket(&first));
    assert_eq!(second.origin(), Some(orthros.default_cache().to_string().as_str()));
}

#[test]
fn a_cache_of_somebody_else_is_never_overwritten_by_the_client_keytab() {
    let world = World::new();
    let orthros = world.with_client_keytab();
    let alice =
        orthros.acquire("alice").password("open sesame").blocking_into(orthros.default_cache()).unwrap();
    let service = Name::Principal(principal(SERVICE));
    let first = orthros.credential_for(&service).unwrap();
    assert_eq!(first.client(), &principal(SERVICE));
    assert_eq!(ticket(&orthros.credential_for(&service).unwrap()), ticket(&first), "kept in memory");
    assert_eq!(orthros.default_credential().unwrap().client(), alice.client());
    // Nor after it has ended.
    world.pass(LIFETIME + 1);
    assert_eq!(orthros.default_credential().unwrap().client(), &principal(SERVICE));
    let cache = orthros.read_cache(orthros.default_cache()).unwrap();
    assert_eq!(cache.primary(), alice.client());
}

#[test]
fn a_damaged_cache_is_left_for_its_owner_to_look_at() {
    let world = World::new();
    let orthros = world.with_client_keytab();
    fs::write(world.path("cc"), b"\x05\x04no cache").unwrap();
    assert_eq!(orthros.default_credential().unwrap().client(), &principal(SERVICE));
    assert_eq!(fs::read(world.path("cc")).unwrap(), b"\x05\x04no cache");
}

#[test]
fn without_any_credential_each_place_is_named() {
    let world = World::new();
    let orthros = world.orthros();
    let error = orthros.default_credential().unwrap_err();
    assert_eq!(error.major(), Major::NoCredential);
    let text = error.to_string();
    for place in ["/cc", "/client.keytab", "run kinit"] {
        assert!(text.contains(place), "{text}");
    }
    let error = world.with_client_keytab().credential_for(&Name::user("alice")).unwrap_err();
    assert!(error.to_string().contains("no key of alice@TEST"), "{error}");
}

#[test]
fn storing_replaces_a_living_credential_only_if_told_to() {
    let world = World::new();
    let orthros = world.orthros();
    let alice = orthros.acquire("alice").password("open sesame").blocking().unwrap();
    let service = orthros.acquire("host/localhost").keytab(&world.keytab()).blocking().unwrap();
    let nowhere = orthros.store_credential(&alice, &Storing::default()).unwrap_err();
    assert!(nowhere.to_string().contains("name a credential cache"), "{nowhere}");
    let default = Storing { as_default: true, ..Storing::default() };
    assert_eq!(&orthros.store_credential(&alice, &default).unwrap(), orthros.default_cache());
    let named = Storing { cache: Some(CacheName::Memory("b".into())), ..Storing::default() };
    assert_eq!(orthros.store_credential(&service, &named).unwrap(), CacheName::Memory("b".into()));
    assert_eq!(orthros.default_credential().unwrap().client(), alice.client());

    let error = orthros.store_credential(&service, &default).unwrap_err();
    assert_eq!(error.major(), Major::DuplicateElement);
    let over = Storing { overwrite: true, ..default.clone() };
    orthros.store_credential(&service, &over).unwrap();
    assert_eq!(orthros.default_credential().unwrap().client(), service.client());
    // An ended one may be replaced, and may not be stored.
    world.pass(LIFETIME + 1);
    let fresh = orthros.acquire("alice").password("open sesame").blocking().unwrap();
    orthros.store_credential(&fresh, &default).unwrap();
    let error = orthros.store_credential(&service, &over).unwrap_err();
    assert_eq!(error.major(), Major::CredentialsExpired);
    assert_eq!(orthros.default_credential().unwrap().client(), fresh.client());
}

#[test]
fn a_store_names_its_places_and_a_misspelt_key_means_no_default() {
    assert_eq!(CredentialStore::from_pairs([("ccahe", "x")]), Err(BadStore::Key("ccahe".into())));
    let twice = CredentialStore::from_pairs([("keytab", "a"), ("keytab", "a")]);
    assert_eq!(twice, Err(BadStore::Twice("keytab".into())));
    let replay = CredentialStore::from_pairs([("rcache", "mysql:x")]);
    assert_eq!(replay, Err(BadStore::ReplayCache("mysql:x".into())));
    let store = CredentialStore::from_pairs([("password", "open sesame"), ("ccache", "MEMORY:a")]).unwrap();
    let shown = format!("{store:?}");
    assert!(shown.contains("MEMORY:a") && !shown.contains("sesame"), "{shown}");
}

#[test]
fn a_password_gets_a_ticket_for_its_user_and_into_the_cache_that_is_named() {
    let world = World::new();
    let orthros = world.orthros();
    let store = CredentialStore::new().password("open sesame");
    let error = orthros.acquire_from(&store, None, Usage::Initiate).unwrap_err();
    assert!(error.to_string().contains("name of its user"), "{error}");
    let alice = Name::user("alice");
    let set = orthros.acquire_from(&store, Some(&alice), Usage::Initiate).unwrap();
    let facts = set.inquire(world.clock.now());
    assert_eq!(facts.name, Some(Name::Principal(principal("alice@TEST"))));
    let Lifetime::Seconds(left) = facts.lifetime() else { panic!() };
    assert!((LIFETIME - 2..=LIFETIME).contains(&left), "{left}");
    assert!(!world.path("cc").exists(), "nothing said where to put it");
    let short =
        orthros.acquire_from(&store.clone().lifetime_seconds(600), Some(&alice), Usage::Initiate).unwrap();
    let Lifetime::Seconds(left) = short.inquire(world.clock.now()).lifetime() else { panic!() };
    assert!((598..=600).contains(&left), "{left}");
    let named = store.cache(CacheName::File(world.path("mine")));
    orthros.acquire_from(&named, Some(&alice), Usage::Initiate).unwrap();
    let there = orthros.credential_from(&CacheName::File(world.path("mine"))).unwrap();
    assert_eq!(there.client(), &principal("alice@TEST"));
    let wrong = CredentialStore::new().password("wrong");
    assert!(matches!(orthros.acquire_from(&wrong, Some(&alice), Usage::Initiate), Err(Error::Kdc(_))));
}

#[test]
fn a_cache_and_a_keytab_as_octets_initiate_and_accept() {
    let world = World::new();
    let orthros = world.orthros();
    orthros.acquire("alice").password("open sesame").blocking_into(orthros.default_cache()).unwrap();
    let cache = fs::read(world.path("cc")).unwrap();
    let store = CredentialStore::new()
        .cache_octets(&cache)
        .unwrap()
        .keytab_octets(world.keytab().to_octets().expose_octets())
        .unwrap();
    let elsewhere = Orthros::builder()
        .config(orthros.config().clone())
        .clock(Arc::clone(&world.clock))
        .replay_cache(MemoryReplay::made_at(Timestamp::from_seconds(0)))
        .build();
    let set = elsewhere.acquire_from(&store, None, Usage::Both).unwrap();
    let facts = set.inquire(world.clock.now());
    assert_eq!(facts.usage, Usage::Both);
    assert!(set.mechanisms().map(|mechanism| &mechanism.oid).eq([&KRB5_OID]));
    let token = first_token(&elsewhere, set.initiator(&KRB5_OID).unwrap());
    assert!(matches!(answer(&elsewhere, set.acceptor(&KRB5_OID).unwrap(), &token), Ok(())));

    let error = elsewhere.acquire_from(&store, Some(&Name::user("bob")), Usage::Initiate).unwrap_err();
    assert!(error.to_string().contains("belongs to alice@TEST"), "{error}");
    let other = Name::hostbased_service("imap", "localhost");
    let error = elsewhere.acquire_from(&store, Some(&other), Usage::Accept).unwrap_err();
    assert!(error.to_string().contains("no key for imap/localhost@TEST"), "{error}");
    assert!(CredentialStore::new().cache_octets(b"\x05\x04").is_err());
    assert!(CredentialStore::new().keytab_octets(b"\x05\x03").is_err());
}

#[test]
fn a_client_keytab_as_octets_logs_in() {
    let world = World::new();
    let octets = world.keytab().to_octets();
    let store = CredentialStore::new().client_keytab_octets(octets.expose_octets()).unwrap();
    let set = world.orthros().acquire_from(&store, None, Usage::Initiate).unwrap();
    assert_eq!(set.initiator(&KRB5_OID).unwrap().client(), &principal(SERVICE));
}

fn first_token(orthros: &Orthros, credential: &Arc<InitiatorCredential>) -> Vec<u8> {
    let target = Name::hostbased_service("host", "localhost");
    let mut step = orthros.initiate_with(credential, target).start();
    loop {
        step = match step {
            Step::Need(need) => orthros.provide(need),
            Step::Send(owed) => return owed.token().to_vec(),
            other => panic!("{other:?}"),
        };
    }
}

fn answer(orthros: &Orthros, credential: &AcceptorCredential, token: &[u8]) -> Result<(), Error> {
    let Step::Receive(wait) = orthros.accept(credential).start() else { panic!() };
    let mut step = wait.token(token);
    loop {
        step = match step {
            Step::Need(need @ Need::Replay(_)) => orthros.provide(need),
            Step::Done(_) => return Ok(()),
            Step::Send(owed) => owed.sent(),
            Step::Failed(error) => return Err(error),
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn acceptors_that_name_one_replay_cache_refuse_each_others_replays() {
    let world = World::new();
    let (one, other) = (world.orthros(), world.orthros());
    let alice = one.acquire("alice").password("open sesame").blocking().unwrap();
    let shared = format!("file2:{}", world.path("replay").display());
    let store = CredentialStore::new().replay_cache(&shared).unwrap();
    let acceptor = |orthros: &Orthros, store: &CredentialStore| -> AcceptorCredential {
        let set = orthros.acquire_from(store, None, Usage::Accept).unwrap();
        set.acceptor(&KRB5_OID).unwrap().clone()
    };
    let token = first_token(&one, &alice);
    answer(&one, &acceptor(&one, &store), &token).unwrap();
    for orthros in [&one, &other] {
        let error = answer(orthros, &acceptor(orthros, &store), &token).unwrap_err();
        assert!(error.to_string().contains("replay"), "{error}");
    }
    let none = CredentialStore::new().replay_cache("none:").unwrap();
    assert!(answer(&other, &acceptor(&other, &none), &token).is_ok());
}

#[test]
fn a_sealed_credential_is_opened_by_the_same_user_only_and_more_than_once() {
    let world = World::new();
    let orthros = world.orthros();
    let alice = orthros.acquire("alice").password("open sesame").blocking().unwrap();
    let token = orthros.export_credential(&alice).unwrap();
    for _ in 0..2 {
        let other = world.orthros();
        let moved = other.import_credential(&token).unwrap();
        assert_eq!((moved.client(), ticket(&moved)), (alice.client(), ticket(&alice)));
        other.service_ticket(&moved, &principal(SERVICE)).unwrap();
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = Orthros::builder()
        .config(orthros.config().clone())
        .clock(Arc::clone(&world.clock))
        .transfer_places(Places::new().within(elsewhere.path()))
        .build();
    let Err(Error::Transfer(refusal)) = stranger.import_credential(&token) else { panic!() };
    assert_eq!(refusal, TransferRefusal::ForeignKey);
    world.pass(LIFETIME + 1);
    assert_eq!(orthros.import_credential(&token).unwrap_err().major(), Major::CredentialsExpired);
}

#[test]
fn a_users_number_becomes_the_name_that_the_system_knows() {
    let world = World::new();
    let orthros = world.orthros();
    assert_eq!(orthros.resolve_name(&Name::Uid(0)).unwrap(), Name::user("root"));
    let error = orthros.resolve_name(&Name::Uid(u32::MAX - 77)).unwrap_err();
    assert_eq!(error.major(), Major::BadName);
    let error = orthros.credential_for(&Name::Uid(0)).unwrap_err();
    assert!(error.to_string().contains("root@TEST"), "{error}");
    let alice = Name::user("alice");
    assert_eq!(orthros.resolve_name(&alice).unwrap(), alice);
}

#[test]
fn a_ticket_by_password_is_verified_by_the_keytab_that_is_named() {
    let world = World::new();
    let orthros = world.orthros();
    let path = world.path("verify");
    let named = format!("FILE:{}", path.display());
    let pairs = [("password", "open sesame"), ("verify", named.as_str())];
    let store = CredentialStore::from_pairs(pairs).unwrap();
    let alice = Name::user("alice");
    let acquire = || orthros.acquire_from(&store, Some(&alice), Usage::Initiate);
    assert!(acquire().is_err(), "the keytab is not there");

    let keytab = KeytabName::from(named.as_str());
    orthros.write_keytab(&keytab, world.keytab()).unwrap();
    assert!(acquire().is_ok());

    // The keys of another KDC's service: whoever made up that one could make up the password too.
    orthros.write_keytab(&keytab, World::new().keytab()).unwrap();
    assert!(acquire().is_err(), "a ticket that the keytab can't open vouches for nobody");
}
