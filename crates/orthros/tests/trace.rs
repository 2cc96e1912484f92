//! What a trace tells of tickets and contexts, and what it never tells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test helpers")]

use std::sync::{Arc, Mutex};

use orthros::trace::{Event, Trace};
use orthros::{Config, Name, Orthros, mechanism};
use orthros_kdc::{Listener, Realm};
use orthros_wire::hex;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Trace for Lines {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(event.to_string());
    }
}

impl Lines {
    /// What was told since the last time.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Whether the lines hold these texts, in this order.
#[track_caller]
fn told(lines: &[String], texts: &[&str]) {
    let mut rest = lines.iter();
    for text in texts {
        assert!(rest.any(|line| line.contains(text)), "{text:?} is not told, or not there: {lines:#?}");
    }
}

struct World {
    kdc: Listener,
    lines: Lines,
    orthros: Orthros,
}

impl World {
    fn new() -> Self {
        let realm = Realm::builder("TEST").principal("alice", "open sesame").service("host/localhost");
        let kdc = Listener::start(realm.build(&orthros::random::SystemRandom).unwrap()).unwrap();
        let config = Config::for_realm("TEST", &[&kdc.address().to_string()]).unwrap();
        let lines = Lines::default();
        let orthros = Orthros::builder().config(config).trace(lines.clone()).build();
        let keytab = kdc.realm().keytab("host/localhost").unwrap();
        orthros.write_keytab(orthros.default_keytab(), keytab).unwrap();
        Self { kdc, lines, orthros }
    }

    fn context(&self) {
        let (mut near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        let server = self.orthros.clone();
        let accepting = std::thread::spawn(move || {
            let request = server.accept(&server.acceptor().unwrap());
            server.establish(request.start(), &mut far).map(drop)
        });
        let request = self.orthros.initiate(Name::hostbased_service("host", "localhost")).unwrap();
        let request = request.mutual().mechanism(&mechanism::SPNEGO);
        self.orthros.establish(request.start(), &mut near).unwrap();
        accepting.join().unwrap().unwrap();
    }
}

#[test]
fn each_place_that_acts_tells_what_it_did() {
    let world = World::new();
    let cache = world.orthros.default_cache();
    let address = world.kdc.address().to_string();
    world.orthros.acquire("alice").password("open sesame").blocking_into(cache).unwrap();
    let lines = world.lines.take();
    told(
        &lines,
        &[
            "initial ticket of alice@TEST for krbtgt/TEST@TEST, enctypes 18, 17, ",
            "KDCs of TEST, by the configuration: ",
            &format!("Sending by udp to {address}"),
            &format!("octets from {address} by udp: error: "),
            "2 elements of pre-authentication",
            "an initial ticket",
        ],
    );

    world.context();
    told(
        &world.lines.take(),
        &[
            "Credential cache MEMORY:default: of alice@TEST",
            "Initiating a context as alice@TEST with host@localhost, by the tickets of MEMORY:default",
            "SPNEGO: offering krb5",
            "No ticket of alice@TEST for host/localhost@",
            "octets to TEST: ticket for host/localhost@TEST",
            "Ticket for host/localhost@TEST stored in MEMORY:default",
            "Presenting the ticket of alice@TEST for host/localhost@TEST, fetched just now",
            "SPNEGO: the acceptor chose krb5, the initiator's first choice",
            "Key of host/localhost@TEST, kvno 1, aes256-cts-hmac-sha384-192: found in keytab MEMORY:default",
            "Opened the request of alice@TEST for host/localhost@TEST",
            "Replay cache: the request is new",
        ],
    );
    world.context();
    let lines = world.lines.take();
    told(&lines, &["for host/localhost@TEST, found in the cache"]);
    assert!(!lines.iter().any(|line| line.contains("Sending")), "{lines:#?}");
}

#[test]
fn a_refusal_and_a_silent_kdc_are_told() {
    let world = World::new();
    world.orthros.acquire("alice").password("wrong").blocking().unwrap_err();
    told(&world.lines.take(), &["error: ", "Failed: "]);
    let config = Config::for_realm("TEST", &["127.0.0.1:1"]).unwrap();
    let lines = Lines::default();
    let orthros = Orthros::builder().config(config).trace(lines.clone()).build();
    orthros.acquire("alice").password("pw").blocking().unwrap_err();
    told(&lines.take(), &["Sending by udp to 127.0.0.1:1", "KDC 127.0.0.1:1 udp: ", "Failed: "]);
}

#[test]
fn no_key_and_no_password_is_told() {
    let world = World::new();
    let cache = world.orthros.default_cache();
    let alice = world.orthros.acquire("alice").password("open sesame").blocking_into(cache).unwrap();
    world.context();
    let text = world.lines.take().join("\n").to_lowercase();
    let keytab = world.orthros.read_keytab(world.orthros.default_keytab()).unwrap();
    let mut keys: Vec<Vec<u8>> = keytab.entries().map(|entry| entry.key().expose_octets().to_vec()).collect();
    keys.extend(alice.tickets().iter().map(|ticket| ticket.key.expose_octets().to_vec()));
    assert!(keys.len() > 2 && !text.is_empty());
    for key in keys {
        assert!(!text.contains(&hex::encode(&key)), "{text}");
        assert!(!text.contains(&format!("{:?}", &key[..4]).replace(['[', ']'], "")), "{text}");
    }
    assert!(!text.contains("open sesame"), "{text}");
}
