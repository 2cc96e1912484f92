//! What a context knew before a move it knows after it: each end is exported by one process and taken by
//! another, for each encryption type.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fmt::Write;

use common::world::{Host, World, unhex};
use common::{heard, play, role, say, told};
use orthros::{ChannelBindings, Context, Enctype, Flags, Order};
use orthros_wire::testing::SeededRandom;
use orthros_wire::{Random, hex};

/// All that a context tells of itself.
fn facts(context: &Context) -> String {
    let mut facts = format!(
        "{:?} {:?} {} {} {:#x} {} {} {:?}",
        context.initiator(),
        context.acceptor(),
        context.is_initiator(),
        context.mechanism(),
        context.flags().0,
        context.end(),
        context.lifetime_seconds(),
        [true, false].map(|sealed| context.wrap_size_limit(sealed, 1_000)),
    );
    for element in context.authorization_data() {
        write!(facts, " {}:{}", element.number, hex::encode(&element.octets)).unwrap();
    }
    if let Some(credential) = context.delegated_credential() {
        write!(facts, " {:?} {}", credential.client(), credential.offset_seconds()).unwrap();
        for ticket in credential.tickets() {
            let (key, enctype) = (hex::encode(ticket.key.expose_octets()), ticket.key.enctype());
            write!(facts, " {:?} {:?} {enctype} {key}", ticket.client, ticket.server).unwrap();
            write!(facts, " {:?} {:?} {}", ticket.times, ticket.flags, hex::encode(&ticket.ticket)).unwrap();
        }
    }
    facts
}

/// Randomness of which the 16 octets of a token's id are always the same, so that equal states are sealed
/// into equal tokens.
struct OneId(u8, SeededRandom);

impl Random for OneId {
    fn fill(&self, octets: &mut [u8]) {
        match octets.len() {
            16 => octets.fill(self.0),
            _ => self.1.fill(octets),
        }
    }
}

#[test]
fn all_that_a_context_knew_is_there_after_a_move() {
    const TEST: &str = "all_that_a_context_knew_is_there_after_a_move";
    if role().is_some() {
        let host = Host::new(told("FOLDER"));
        let orthros = host.builder().random(OneId(told("ID").parse().unwrap(), SeededRandom::new(4))).build();
        let moved = orthros.import(&unhex(&heard())).unwrap();
        say(&facts(&moved));
        return say(&hex::encode(&orthros.export(moved).unwrap()));
    }
    let everything = |world: &World| {
        let bindings = ChannelBindings::from_application_data(b"tls-exporter:0123");
        let initiate = world.initiate_full().delegate().bindings(bindings.clone()).lifetime_seconds(3_000);
        world.establish(initiate, world.accept().bindings(bindings))
    };
    let little = |world: &World| world.establish(world.initiate(), world.accept());
    for enctype in Enctype::STRONG {
        let mut world = World::with_enctype(*enctype);
        for id in 0..4_u8 {
            world.orthros = world.host.builder().random(OneId(id, SeededRandom::new(id.into()))).build();
            let (one, other) = if id < 2 { everything(&world) } else { little(&world) };
            let context = if id % 2 == 0 { one } else { other };
            let before = facts(&context);
            let token = world.orthros.export(context).unwrap();
            let told = [("FOLDER", world.path()), ("ID", &id.to_string())];
            let mut player = play(TEST, "importer", &told);
            player.tell(&hex::encode(&token));
            assert_eq!(player.hear(), before, "{enctype}");
            // The state is the same to the octet: sealed under the same id it is the same token.
            assert_eq!(player.hear(), hex::encode(&token), "{enctype}");
            player.end();
        }
    }
}

#[test]
fn the_facts_compared_tell_contexts_apart() {
    // The comparison above is worth something only if what it compares is there to be lost.
    let world = World::new();
    let bindings = ChannelBindings::from_application_data(b"tls-exporter:0123");
    let initiate = world.initiate_full().delegate().bindings(bindings.clone()).lifetime_seconds(3_000);
    let (initiator, acceptor) = world.establish(initiate, world.accept().bindings(bindings));
    let flags = Flags::CHANNEL_BOUND | Flags::DELEGATION | Flags::TRANSFERABLE | Flags::SEQUENCE;
    assert!(acceptor.flags().contains(flags), "{}", acceptor.flags());
    assert_eq!(initiator.lifetime_seconds(), 3_000);
    let delegated = acceptor.delegated_credential().unwrap().tickets();
    assert_eq!(delegated[0].server.to_string(), "krbtgt/TEST@TEST");
    let (plain, _) = world.establish(world.initiate(), world.accept());
    assert_ne!(facts(&plain), facts(&initiator));
    assert_ne!(facts(&acceptor), facts(&initiator));
}

#[test]
fn windows_sequence_numbers_and_subkeys_go_on_where_they_stopped() {
    const TEST: &str = "windows_sequence_numbers_and_subkeys_go_on_where_they_stopped";
    if role().is_some() {
        let orthros = Host::new(told("FOLDER")).orthros();
        let moved = orthros.import(&unhex(&heard())).unwrap();
        for _ in 0..5 {
            say(&format!("{:?}", moved.unwrap(&unhex(&heard())).unwrap().order));
        }
        say(&format!("{:?}", moved.verify_mic(b"m", &unhex(&heard())).unwrap()));
        say(&hex::encode(&moved.wrap(b"one more").unwrap()));
        return say(&hex::encode(&moved.mic(b"and signed").unwrap()));
    }
    for enctype in Enctype::STRONG {
        let world = World::with_enctype(*enctype);
        for swapped in [false, true] {
            let (initiator, acceptor) = world.established();
            let (stays, goes) = if swapped { (acceptor, initiator) } else { (initiator, acceptor) };
            let sent: Vec<_> = (0..5).map(|_| stays.wrap(b"x").unwrap()).collect();
            for (number, order) in [(0, Order::InOrder), (1, Order::InOrder), (3, Order::Gap)] {
                assert_eq!(goes.unwrap(&sent[number]).unwrap().order, order);
            }
            assert_eq!(stays.unwrap(&goes.wrap(b"before").unwrap()).unwrap().order, Order::InOrder);
            let token = world.orthros.export(goes).unwrap();
            let mut player = play(TEST, "importer", &[("FOLDER", world.path())]);
            player.tell(&hex::encode(&token));
            for (number, order) in
                [(0, "Duplicate"), (3, "Duplicate"), (2, "Unsequenced"), (2, "Duplicate"), (4, "InOrder")]
            {
                player.tell(&hex::encode(&sent[number]));
                assert_eq!(player.hear(), order, "{enctype}, message {number}");
            }
            player.tell(&hex::encode(&stays.mic(b"m").unwrap()));
            assert_eq!(player.hear(), "InOrder");
            let unwrapped = stays.unwrap(&unhex(&player.hear())).unwrap();
            assert_eq!((&*unwrapped.message, unwrapped.order), (&b"one more"[..], Order::InOrder));
            assert_eq!(stays.verify_mic(b"and signed", &unhex(&player.hear())).unwrap(), Order::InOrder);
            player.end();
        }
    }
}
