//! After a move the exporter's memory holds no key of the context, and ten thousand moves leave nothing
//! behind.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::sync::mpsc;
use std::{fs, thread};

use common::memory::{Found, Wanted, search};
use common::world::{Host, World, answer, assert_joined, done, token_of, unhex};
use common::{Player, heard, play, role, say, told};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use orthros::{Context, Enctype, Name, Orthros};
use orthros_krb5::ap::{self, Opened};
use orthros_wire::{Clock, hex};
use sha2::{Sha256, Sha384};

/// Runs `work` in a thread that stays until the process ends: what it left on its stack is not overwritten by
/// the luck of later calls.
fn on_a_stack_of_its_own<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (give, take) = mpsc::channel();
    let stay = move || {
        give.send(work()).unwrap();
        loop {
            thread::park();
        }
    };
    // A small one, for it is searched whole.
    thread::Builder::new().stack_size(256 * 1024).spawn(stay).unwrap();
    take.recv().unwrap()
}

/// Role: one end of a context that uses all its keys, and exports when it is told to.
fn exporter(orthros: Orthros, context: Context) {
    let context = on_a_stack_of_its_own(move || {
        for _ in 0..2 {
            say(&hex::encode(&context.wrap(b"sealed").unwrap()));
            say(&hex::encode(&context.wrap_integrity(b"signed").unwrap()));
            say(&hex::encode(&context.mic(b"apart").unwrap()));
            let _ = context.unwrap(&unhex(&heard())).unwrap();
            let _ = context.unwrap(&unhex(&heard())).unwrap();
            context.verify_mic(b"apart", &unhex(&heard())).unwrap();
        }
        context
    });
    say("all keys in use");
    assert_eq!(heard(), "export");
    say(&hex::encode(&on_a_stack_of_its_own(move || orthros.export(context).unwrap())));
    assert_eq!(heard(), "end");
}

/// The other end of [`exporter`]'s messages.
fn use_all_keys(player: &mut Player, context: &Context) {
    for _ in 0..2 {
        for message in [b"sealed", b"signed"] {
            assert_eq!(context.unwrap(&unhex(&player.hear())).unwrap().message, message);
        }
        context.verify_mic(b"apart", &unhex(&player.hear())).unwrap();
        player.tell(&hex::encode(&context.wrap(b"sealed").unwrap()));
        player.tell(&hex::encode(&context.wrap_integrity(b"signed").unwrap()));
        player.tell(&hex::encode(&context.mic(b"apart").unwrap()));
    }
    assert_eq!(player.hear(), "all keys in use");
}

/// The Kerberos message in a token of the mechanism: after the object identifier and the two octets of kind.
fn message(token: &[u8]) -> &[u8] {
    let mechanism = hex::decode("06092a864886f712010202").unwrap();
    let at = token.windows(mechanism.len()).position(|window| window == mechanism).unwrap();
    &token[at + mechanism.len() + 2..]
}

/// What an acceptor's keytab tells of the initiator's token.
fn opened(world: &World, request: &[u8]) -> Opened {
    let keytab = world.orthros.read_keytab(world.orthros.default_keytab()).unwrap();
    ap::open_request(message(request), &*keytab, world.host.clock.now(), 300, Enctype::STRONG).unwrap()
}

/// The keys of a context whose tokens were overheard by somebody who has the acceptor's keytab.
fn keys(opened: &Opened, reply: &[u8]) -> Vec<Wanted> {
    let subkey = opened.subkey.as_ref().unwrap();
    let reply = ap::open_reply(message(reply), &opened.session_key, opened.time, Enctype::STRONG).unwrap();
    let acceptor_subkey = reply.subkey.unwrap();
    let mut wanted = Wanted::blocks("the initiator's subkey", subkey.expose_octets());
    wanted.extend(Wanted::blocks("the acceptor's subkey", acceptor_subkey.expose_octets()));
    for usage in [22_u32, 23, 24, 25] {
        for purpose in [0x55_u8, 0x99, 0xaa] {
            let name = format!("the derived key {purpose:02x} for usage {usage}");
            let derived = derived(acceptor_subkey.enctype(), acceptor_subkey.expose_octets(), usage, purpose);
            wanted.extend(Wanted::blocks(&name, &derived));
        }
    }
    wanted
}

/// RFC 8009 §3 and §5; the older types' derived keys are not looked for.
fn derived(enctype: Enctype, key: &[u8], usage: u32, purpose: u8) -> Vec<u8> {
    let encrypts = purpose == 0xaa;
    let octets = match enctype {
        Enctype::Aes128CtsHmacSha256 => 16,
        Enctype::Aes256CtsHmacSha384 => {
            if encrypts {
                32
            } else {
                24
            }
        }
        _ => return Vec::new(),
    };
    let bits = u32::try_from(octets * 8).unwrap().to_be_bytes();
    let label = [&[0, 0, 0, 1][..], &usage.to_be_bytes(), &[purpose, 0], &bits].concat();
    let mut derived = match enctype {
        Enctype::Aes128CtsHmacSha256 => {
            Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(label).finalize().into_bytes().to_vec()
        }
        _ => {
            Hmac::<Sha384>::new_from_slice(key).unwrap().chain_update(label).finalize().into_bytes().to_vec()
        }
    };
    derived.truncate(octets);
    derived
}

/// Looks for the keys before and after the export, and takes the token.
fn export_and_search(
    world: &World,
    mut player: Player,
    peer: &Context,
    wanted: &[Wanted],
    enctype: &Enctype,
) -> Vec<Found> {
    let before = search(player.pid(), wanted);
    for block in wanted.iter().filter(|one| one.name.contains("subkey")) {
        let is_there = |found: &Found| found.name == block.name;
        assert!(
            before.iter().any(is_there),
            "{enctype}: {} was not found before: the search is blind",
            block.name
        );
    }
    player.tell("export");
    let token = unhex(&player.hear());
    let after = search(player.pid(), wanted);
    player.tell("end");
    player.end();
    assert_joined(&world.orthros.import(&token).unwrap(), peer);
    after
}

#[test]
fn no_key_of_the_context_is_left_in_an_exporting_acceptor() {
    const TEST: &str = "no_key_of_the_context_is_left_in_an_exporting_acceptor";
    if role().is_some() {
        let orthros = Host::new(told("FOLDER")).orthros();
        let here = orthros.clone();
        let context = on_a_stack_of_its_own(move || {
            let accepting = here.accept(&here.acceptor().unwrap()).start();
            let (reply, accepting) = token_of(&here, answer(&here, accepting, &unhex(&heard())));
            say(&hex::encode(&reply.unwrap()));
            done(&here, accepting)
        });
        return exporter(orthros, context);
    }
    let mut left = Vec::new();
    for enctype in Enctype::STRONG {
        let world = World::with_enctype(*enctype);
        let initiate = world.initiate_full().delegate();
        let (request, initiating) = token_of(&world.orthros, initiate.start());
        let request = request.unwrap();
        let mut player = play(TEST, "acceptor", &[("FOLDER", world.path())]);
        player.tell(&hex::encode(&request));
        let reply = unhex(&player.hear());
        let context = done(&world.orthros, answer(&world.orthros, initiating, &reply));
        use_all_keys(&mut player, &context);

        let opened = opened(&world, &request);
        let mut wanted = keys(&opened, &reply);
        // The session key was needed for the handshake only, the delegated one moves with the context.
        wanted.extend(Wanted::blocks("the session key", opened.session_key.expose_octets()));
        let checksum = opened.checksum.as_ref().unwrap();
        let tickets =
            ap::open_credential_message(&checksum.octets[28..], &[&opened.session_key], Enctype::STRONG)
                .unwrap();
        wanted.extend(Wanted::blocks("the delegated key", tickets[0].key.expose_octets()));
        left.extend(export_and_search(&world, player, &context, &wanted, enctype));
    }
    assert!(left.is_empty(), "left in the exporter's memory: {left:?}");
}

#[test]
fn no_key_of_the_context_is_left_in_an_exporting_initiator() {
    const TEST: &str = "no_key_of_the_context_is_left_in_an_exporting_initiator";
    if role().is_some() {
        let mut host = Host::new(told("FOLDER"));
        host.config = orthros::Config::for_realm("TEST", &[&told("KDC")]).unwrap();
        let orthros = host.orthros();
        let here = orthros.clone();
        let context = on_a_stack_of_its_own(move || {
            let alice = here.acquire("alice").password("open sesame").blocking().unwrap();
            let target = Name::hostbased_service("host", "localhost");
            let initiate = here.initiate_with(&alice, target).mutual().confidential();
            let (request, initiating) = token_of(&here, initiate.start());
            say(&hex::encode(&request.unwrap()));
            done(&here, answer(&here, initiating, &unhex(&heard())))
        });
        return exporter(orthros, context);
    }
    let mut left = Vec::new();
    for enctype in Enctype::STRONG {
        let world = World::with_enctype(*enctype);
        let kdc = world.kdc.address().to_string();
        let mut player = play(TEST, "initiator", &[("FOLDER", world.path()), ("KDC", &kdc)]);
        let request = unhex(&player.hear());
        let accepting = answer(&world.orthros, world.accept().start(), &request);
        let (reply, accepting) = token_of(&world.orthros, accepting);
        let reply = reply.unwrap();
        player.tell(&hex::encode(&reply));
        let context = done(&world.orthros, accepting);
        use_all_keys(&mut player, &context);
        // The session key stays: it is the credential's, not the context's.
        let wanted = keys(&opened(&world, &request), &reply);
        left.extend(export_and_search(&world, player, &context, &wanted, enctype));
    }
    assert!(left.is_empty(), "left in the exporter's memory: {left:?}");
}

/// Resident pages that belong to this process alone, in octets, and open descriptors (proc(5)).
fn usage() -> (u64, usize) {
    let smaps = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let anonymous = smaps.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let kibibytes: u64 = anonymous.trim().trim_end_matches(" kB").parse().unwrap();
    (kibibytes * 1024, fs::read_dir("/proc/self/fd").unwrap().count())
}

/// Half of them imports and exports of each process.
const MOVES: usize = 10_000;
/// The import after which all that is kept has been made once.
const WARM: usize = 500;
/// A tenth of what 4,500 forgotten tokens would take.
const GROWTH: u64 = 128 * 1024;

#[test]
fn ten_thousand_moves_leave_heap_and_descriptors_flat() {
    const TEST: &str = "ten_thousand_moves_leave_heap_and_descriptors_flat";
    if role().is_some() {
        let orthros = Host::new(told("FOLDER")).orthros();
        let mut warm = (0, 0);
        for number in 0..MOVES / 2 {
            let context = orthros.import(&unhex(&heard())).unwrap();
            say(&hex::encode(&orthros.export(context).unwrap()));
            if number == WARM {
                warm = usage();
            }
        }
        let (memory, descriptors) = usage();
        assert_eq!(descriptors, warm.1);
        let growth = memory.saturating_sub(warm.0);
        assert!(growth <= GROWTH, "{growth} octets more after {MOVES} moves");
        return say("flat");
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let mut token = hex::encode(&world.orthros.export(acceptor).unwrap());
    let mut player = play(TEST, "the other end", &[("FOLDER", world.path())]);
    for number in 0..MOVES / 2 {
        player.tell(&token);
        let context = world.orthros.import(&unhex(&player.hear())).unwrap();
        if number % 500 == 0 {
            assert_joined(&context, &initiator);
        }
        token = hex::encode(&world.orthros.export(context).unwrap());
    }
    assert_eq!(player.said().0, "flat");
    assert_joined(&world.orthros.import(&unhex(&token)).unwrap(), &initiator);
}
