//! What a transfer carries, seen under the seal: everything, and nothing that was made up is believed blindly.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

use std::sync::LazyLock;

use crate::common::{Pair, State, open_plain_state};
use orthros_crypto::{Enctype, Key};
use orthros_gss::error::{BadToken, Misuse};
use orthros_gss::{Context, Error, Flags, Order};
use orthros_wire::testing::SeededRandom;
use proptest::prelude::*;

fn key(enctype: usize, seed: u64) -> Key {
    Key::random(Enctype::STRONG[enctype % Enctype::STRONG.len()], &SeededRandom::new(seed))
}

prop_compose! {
    fn keys()(
        base in (0_usize..4, any::<u64>()),
        subkey in proptest::option::of((0_usize..4, any::<u64>())),
    ) -> (Vec<u8>, Vec<u8>) {
        let octets = |(enctype, seed)| {
            let key = key(enctype, seed);
            [&[key.enctype().number() as u8][..], key.expose_octets()].concat()
        };
        (octets(base), subkey.map_or(vec![0], octets))
    }
}

fn counted(octets: &[u8]) -> Vec<u8> {
    [&u16::try_from(octets.len()).unwrap().to_be_bytes()[..], octets].concat()
}

fn counted_long(octets: &[u8]) -> Vec<u8> {
    [&u32::try_from(octets.len()).unwrap().to_be_bytes()[..], octets].concat()
}

/// A principal: its type, its realm, and components with everything that may be in one.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let component = "[a-zA-Z0-9._ é-]{0,20}|a/b|x@y|\\\\|a\0b";
    let components = proptest::collection::vec(component, 1..4);
    (any::<i32>(), components, "[A-Z.]{1,20}").prop_map(|(name_type, components, realm)| {
        let count = u16::try_from(components.len()).unwrap().to_be_bytes();
        let components: Vec<u8> =
            components.iter().flat_map(|component| counted(component.as_bytes())).collect();
        [&name_type.to_be_bytes()[..], &counted(realm.as_bytes()), &count, &components].concat()
    })
}

prop_compose! {
    fn ticket()(
        client in name(),
        server in name(),
        keys in keys(),
        times in any::<[i64; 4]>(),
        flags in any::<u32>(),
        octets in proptest::collection::vec(any::<u8>(), 0..200),
    ) -> Vec<u8> {
        [client, server, keys.0, times.map(i64::to_be_bytes).concat(), flags.to_be_bytes().to_vec(), counted_long(&octets)]
            .concat()
    }
}

fn delegated() -> impl Strategy<Value = Vec<u8>> {
    let some = (any::<i64>(), name(), proptest::collection::vec(ticket(), 0..3)).prop_map(
        |(offset, client, tickets)| {
            let count = u16::try_from(tickets.len()).unwrap().to_be_bytes();
            [vec![1], offset.to_be_bytes().to_vec(), client, count.to_vec(), tickets.concat()].concat()
        },
    );
    prop_oneof![Just(vec![0]), some]
}

fn authorization_data() -> impl Strategy<Value = Vec<u8>> {
    let element = (any::<i32>(), proptest::collection::vec(any::<u8>(), 0..100));
    proptest::collection::vec(element, 0..4).prop_map(|elements| {
        let count = u16::try_from(elements.len()).unwrap().to_be_bytes().to_vec();
        let each = elements
            .iter()
            .map(|(number, octets)| [&number.to_be_bytes()[..], &counted_long(octets)].concat());
        std::iter::once(count).chain(each).collect::<Vec<_>>().concat()
    })
}

/// What of it is vouched for.
fn vouched() -> impl Strategy<Value = Vec<u8>> {
    let indicators = proptest::collection::vec("[a-z é]{0,9}", 0..3);
    (any::<bool>(), indicators).prop_map(|(pac, indicators)| {
        let count = u16::try_from(indicators.len()).unwrap().to_be_bytes();
        let texts: Vec<u8> = indicators.iter().flat_map(|text| counted(text.as_bytes())).collect();
        [&[u8::from(pac)][..], &count, &texts].concat()
    })
}

prop_compose! {
    /// A state of a context that has not ended, with random numbers and windows.
    fn state()(
        role in 0_u8..2,
        flags in any::<u32>(),
        end in crate::common::NOW + 100..i64::MAX,
        ticket in any::<(i64, u32)>(),
        numbers in any::<[u64; 4]>(),
        keys in keys(),
        names in (name(), name()),
        authorization_data in authorization_data(),
        vouched in vouched(),
        delegated in delegated(),
    ) -> Vec<u8> {
        [
            vec![role],
            (flags | Flags::TRANSFERABLE.0).to_be_bytes().to_vec(),
            end.to_be_bytes().to_vec(),
            ticket.0.to_be_bytes().to_vec(),
            ticket.1.to_be_bytes().to_vec(),
            numbers.map(u64::to_be_bytes).concat(),
            keys.0,
            keys.1,
            names.0,
            names.1,
            authorization_data,
            vouched,
            delegated,
        ]
        .concat()
    }
}

/// One for all cases: to make a realm costs more than all the rest of a case.
static PAIR: LazyLock<Pair> = LazyLock::new(Pair::new);

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_move_keeps_every_octet_of_the_state(state in state()) {
        let context = PAIR.context_of(&state).unwrap();
        prop_assert_eq!(open_plain_state(context), state);
    }

    #[test]
    fn a_forged_state_under_a_good_seal_is_refused_or_makes_a_context(
        mut state in state(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        length in proptest::option::of(any::<proptest::sample::Index>()),
    ) {
        for (place, octet) in changes {
            let place = place.index(state.len());
            state[place] ^= octet;
        }
        if let Some(length) = length {
            state.truncate(length.index(state.len()));
        }
        use_up(PAIR.context_of(&state));
    }

    #[test]
    fn octets_that_are_no_state_are_refused_or_make_a_context(state in proptest::collection::vec(any::<u8>(), 0..400)) {
        use_up(PAIR.context_of(&state));
    }
}

/// A context must be usable; a refusal must be one of the transfer's.
fn use_up(imported: Result<Context, Error>) {
    match imported {
        Ok(context) => {
            let _ = (context.wrap(b"x"), context.wrap_integrity(b"x"), context.mic(b"x"));
            let _ = (context.unwrap(&[5, 4, 0, 0xff]), context.lifetime_seconds(), format!("{context:?}"));
        }
        Err(error) => assert!(matches!(error, Error::Transfer(_)), "{error}"),
    }
}

#[test]
fn a_lying_count_is_refused_without_a_large_allocation() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let state = open_plain_state(initiator);
    let end = state.len() - 6;
    // Counts of authorization data and of delegated tickets, and the length of one: all as large as they get.
    for tail in [
        &[0xff, 0xff][..],
        &[0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff],
        &[0, 0, 1, 0xff, 0xff],
        &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b'B', 0, 1, 0, 1, b'a', 0xff, 0xff],
        &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b'B', 0xff, 0xff],
    ] {
        assert!(pair.context_of(&[&state[..end], tail].concat()).is_err());
    }
    for length in 0..state.len() {
        assert!(pair.context_of(&state[..length]).is_err(), "{length} octets");
    }
    assert!(pair.context_of(&[&state[..], &[0]].concat()).is_err());
}

/// Both ends, with chosen numbers to send next.
fn ends_at(pair: &Pair, initiator: u64, acceptor: u64) -> (Context, Context) {
    let key = key(3, 1);
    let state = |acceptor_end, send, receive| State {
        acceptor: acceptor_end,
        flags: Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY,
        end: orthros_wire::Timestamp::from_seconds(crate::common::NOW + 3_600),
        send,
        receive,
        base_key: &key,
        acceptor_subkey: None,
    };
    (pair.context(&state(false, initiator, acceptor)), pair.context(&state(true, acceptor, initiator)))
}

#[test]
fn numbers_go_on_past_32_bits() {
    let pair = Pair::new();
    let (initiator, acceptor) = ends_at(&pair, 0xffff_fffe, 0xffff_ffff);
    let tokens: Vec<_> = (0..4).map(|_| initiator.wrap(b"x").unwrap()).collect();
    assert_eq!(tokens[2][8..16], [0, 0, 0, 1, 0, 0, 0, 0]);
    for token in &tokens {
        assert_eq!(acceptor.unwrap(token).unwrap().order, Order::InOrder);
    }
    for token in &tokens {
        assert_eq!(acceptor.unwrap(token).unwrap().order, Order::Duplicate);
    }
    for _ in 0..3 {
        assert_eq!(initiator.verify_mic(b"x", &acceptor.mic(b"x").unwrap()), Ok(Order::InOrder));
    }
}

#[test]
fn a_number_that_lost_its_upper_half_is_old_not_new() {
    let pair = Pair::new();
    let (initiator, acceptor) = ends_at(&pair, 0x1_0000_0005, 0);
    let (low, _) = ends_at(&pair, 5, 0);
    assert_eq!(acceptor.unwrap(&initiator.wrap(b"x").unwrap()).unwrap().order, Order::InOrder);
    assert_eq!(acceptor.unwrap(&low.wrap(b"x").unwrap()).unwrap().order, Order::Old);
}

#[test]
fn the_last_number_is_never_used_and_never_taken() {
    let pair = Pair::new();
    let (initiator, acceptor) = ends_at(&pair, u64::MAX - 1, 0);
    let last = initiator.wrap(b"x").unwrap();
    assert_eq!(acceptor.unwrap(&last).unwrap().order, Order::InOrder);
    for _ in 0..2 {
        assert_eq!(initiator.wrap(b"x"), Err(Error::Misuse(Misuse::SequenceEnd)));
        assert_eq!(initiator.wrap_integrity(b"x"), Err(Error::Misuse(Misuse::SequenceEnd)));
        assert_eq!(initiator.mic(b"x"), Err(Error::Misuse(Misuse::SequenceEnd)));
    }
    // One that a peer used all the same.
    let mut header = last[..16].to_vec();
    header[8..].fill(0xff);
    header[2] = 0;
    let bare = header.clone();
    let key = key(3, 1);
    let checksum = key.checksum(orthros_crypto::KeyUsage::INITIATOR_SEAL, &[b"x", &bare]);
    header[4..6].copy_from_slice(&(checksum.len() as u16).to_be_bytes());
    let token = [&header[..], b"x", &checksum].concat();
    assert_eq!(acceptor.unwrap(&token), Err(Error::Token(BadToken::SequenceEnd)));
    assert_eq!(acceptor.unwrap(&last).unwrap().order, Order::Duplicate);
}
