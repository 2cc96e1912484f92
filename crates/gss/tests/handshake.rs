//! Contexts come up, and protect messages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::common::Pair;
use orthros_crypto::Enctype;
use orthros_gss::context::Need;
use orthros_gss::error::{BadToken, Misuse, Refusal};
use orthros_gss::{ChannelBindings, Error, Flags, Major, Order, PrfKey, Step};
use orthros_krb5::ErrorCode;

#[test]
fn every_enctype_carries_messages_both_ways() {
    for enctype in Enctype::STRONG {
        let pair = Pair::with_enctype(*enctype);
        let (initiator, acceptor) = pair.established();
        assert_eq!(initiator.flags(), acceptor.flags());
        assert_eq!(initiator.initiator().to_string(), "alice@TEST");
        assert_eq!(acceptor.initiator().to_string(), "alice@TEST");
        assert_eq!(initiator.acceptor(), acceptor.acceptor());
        for length in [0, 1, 15, 16, 17, 1000] {
            let message = vec![0x5a; length];
            for (from, to) in [(&initiator, &acceptor), (&acceptor, &initiator)] {
                let sealed = to.unwrap(&from.wrap(&message).unwrap()).unwrap();
                assert_eq!(
                    (sealed.message, sealed.confidential, sealed.order),
                    (message.clone(), true, Order::InOrder)
                );
                let signed = to.unwrap(&from.wrap_integrity(&message).unwrap()).unwrap();
                assert_eq!(
                    (signed.message, signed.confidential, signed.order),
                    (message.clone(), false, Order::InOrder)
                );
                let mic = from.mic(&message).unwrap();
                assert_eq!(to.verify_mic(&message, &mic), Ok(Order::InOrder));
            }
        }
    }
}

#[test]
fn one_way_contexts_need_one_token_only() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.establish(pair.initiate().confidential(), pair.accept());
    assert_eq!(pair.sent.lock().unwrap().len(), 1);
    assert!(!acceptor.flags().contains(Flags::MUTUAL));
    for (from, to) in [(&initiator, &acceptor), (&acceptor, &initiator)] {
        assert_eq!(to.unwrap(&from.wrap(b"x").unwrap()).unwrap().message, b"x");
    }
}

#[test]
fn sealing_without_confidentiality_is_an_error_not_a_signature() {
    let pair = Pair::new();
    let (initiator, _) = pair.establish(pair.initiate().mutual(), pair.accept());
    assert_eq!(initiator.wrap(b"x"), Err(Error::Misuse(Misuse::NotConfidential)));
    assert!(initiator.wrap_integrity(b"x").is_ok());
}

#[test]
fn bindings_that_differ_are_refused_and_the_initiator_is_told() {
    let pair = Pair::new();
    let (ours, theirs) =
        (ChannelBindings::from_application_data(b"a"), ChannelBindings::from_application_data(b"b"));
    let (initiator, acceptor) =
        pair.run(pair.initiate_full().bindings(theirs), pair.accept().bindings(ours.clone()), |token| token);
    assert_eq!(acceptor.unwrap().unwrap_err().major(), Major::BadBindings);
    let Error::Refused(Refusal::Remote(remote)) = initiator.unwrap().unwrap_err() else { panic!() };
    assert_eq!(remote.code, ErrorCode::GENERIC);

    let (_, acceptor) =
        pair.establish(pair.initiate_full().bindings(ours.clone()), pair.accept().bindings(ours));
    assert!(acceptor.flags().contains(Flags::CHANNEL_BOUND));
}

#[test]
fn a_request_seen_before_is_refused() {
    let pair = Pair::new();
    pair.established();
    let request = pair.sent.lock().unwrap()[0].clone();
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    let Step::Need(need) = wait.token(&request) else { panic!() };
    let Step::Send(owed) = pair.provide(need) else { panic!() };
    assert!(!owed.token().is_empty());
    let Step::Failed(error) = owed.sent() else { panic!() };
    assert_eq!(error.kerberos_code(), Some(ErrorCode::REPEAT));
}

#[test]
fn a_replay_cache_that_cannot_be_asked_refuses() {
    let pair = Pair::new();
    pair.established();
    let request = pair.sent.lock().unwrap()[0].clone();
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    let Step::Need(Need::Replay(need)) = wait.token(&request) else { panic!() };
    let Step::Send(owed) = need.unavailable("disk full") else { panic!() };
    let Step::Failed(error) = owed.sent() else { panic!() };
    assert!(error.to_string().contains("disk full"));
}

#[test]
fn a_delegated_ticket_can_be_used_by_the_acceptor() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.establish(pair.initiate_full().delegate(), pair.accept());
    assert!(initiator.flags().contains(Flags::DELEGATION));
    let delegated = acceptor.delegated_credential().unwrap();
    let further = orthros_gss::Initiate::new(
        &pair.settings,
        delegated.clone(),
        orthros_gss::Name::hostbased_service("imap", "x.test"),
    );
    let (_, acceptor) = pair.establish(further.mutual(), pair.accept());
    assert_eq!(acceptor.initiator().to_string(), "alice@TEST");
    assert_eq!(acceptor.acceptor().to_string(), "imap/x.test@TEST");
}

#[test]
fn order_is_told_with_the_message() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let tokens: Vec<_> = (0..4_u8).map(|number| initiator.wrap(&[number]).unwrap()).collect();
    let order = |index: usize| acceptor.unwrap(&tokens[index]).unwrap().order;
    assert_eq!(
        [order(0), order(0), order(3), order(1), order(2), order(2)],
        [
            Order::InOrder,
            Order::Duplicate,
            Order::Gap,
            Order::Unsequenced,
            Order::Unsequenced,
            Order::Duplicate
        ]
    );
}

#[test]
fn a_token_of_ones_own_is_refused() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let token = initiator.wrap(b"x").unwrap();
    assert_eq!(initiator.unwrap(&token), Err(Error::Token(BadToken::WrongDirection)));
}

#[test]
fn an_ended_context_protects_nothing_more_and_still_reads() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let token = initiator.wrap(b"late").unwrap();
    pair.clock.advance(40 * 3600);
    assert_eq!(initiator.wrap(b"x").unwrap_err().major(), Major::ContextExpired);
    assert_eq!(initiator.mic(b"x").unwrap_err().major(), Major::ContextExpired);
    assert_eq!(initiator.lifetime_seconds(), 0);
    assert_eq!(acceptor.unwrap(&token).unwrap().message, b"late");
}

#[test]
fn both_ends_draw_the_same_material_also_after_a_move() {
    for enctype in Enctype::STRONG {
        let pair = Pair::with_enctype(*enctype);
        let (initiator, acceptor) = pair.established();
        let draw = |context: &orthros_gss::Context, key, octets| {
            context.pseudo_random(key, b"label", octets).unwrap().expose_octets().to_vec()
        };
        let key = crate::common::sealing_key(1);
        let full = draw(&initiator, PrfKey::Full, 100);
        let partial = draw(&initiator, PrfKey::Partial, 100);
        assert_ne!(full, partial);
        let moved = pair.import(&acceptor.export(&key).unwrap(), &key).unwrap();
        for octets in [0, 1, 16, 47, 48, 49, 100] {
            assert_eq!(draw(&moved, PrfKey::Full, octets), full[..octets]);
            assert_eq!(draw(&moved, PrfKey::Partial, octets), partial[..octets]);
        }
    }
}
