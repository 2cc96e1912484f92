//! Contexts move, once; without processes: the ledger is a table in memory.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use crate::common::{Pair, sealing_key};
use orthros_gss::context::{Need, Settings};
use orthros_gss::transfer::{Claims, Header, SealingKey, TransferRefusal, import};
use orthros_gss::{Error, Flags, Major, Step};
use orthros_wire::SecretBytes;
use orthros_wire::testing::ManualClock;

#[test]
fn a_moved_context_goes_on_where_it_stopped() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.establish(pair.initiate_full().delegate(), pair.accept());
    assert_eq!(acceptor.unwrap(&initiator.wrap(b"before").unwrap()).unwrap().message, b"before");
    let seen = initiator.wrap(b"seen").unwrap();
    let _ = acceptor.unwrap(&seen).unwrap();
    let facts = (
        acceptor.initiator().clone(),
        acceptor.acceptor().clone(),
        acceptor.flags(),
        acceptor.end(),
        acceptor.delegated_credential().unwrap().tickets().len(),
    );
    let key = sealing_key(1);
    let token = acceptor.export(&key).unwrap();
    let moved = pair.import(&token, &key).unwrap();
    assert_eq!(
        (
            moved.initiator().clone(),
            moved.acceptor().clone(),
            moved.flags(),
            moved.end(),
            moved.delegated_credential().unwrap().tickets().len(),
        ),
        facts
    );
    assert_eq!(moved.unwrap(&seen).unwrap().order, orthros_gss::Order::Duplicate);
    assert_eq!(moved.unwrap(&initiator.wrap(b"after").unwrap()).unwrap().order, orthros_gss::Order::InOrder);
    assert_eq!(initiator.unwrap(&moved.wrap(b"back").unwrap()).unwrap().message, b"back");
    let Err(Error::Transfer(TransferRefusal::SpentBefore(spent))) = pair.import(&token, &key) else {
        panic!()
    };
    assert_eq!(spent.pid, 1);
}

#[test]
fn a_token_that_its_ledger_does_not_want_to_know_does_not_leave() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let key = sealing_key(1);
    let refusing = |_: &Header| Err(TransferRefusal::Ledger("full".into()));
    let kept = initiator.export(key.under(&Claims::NONE).issued_by(&refusing)).unwrap_err();
    assert!(matches!(&kept.error, Error::Transfer(TransferRefusal::Ledger(report)) if report == "full"));
    assert_eq!(acceptor.unwrap(&kept.context.wrap(b"still here").unwrap()).unwrap().message, b"still here");

    let told = std::cell::RefCell::new(Vec::new());
    let hearing = |header: &Header| {
        told.borrow_mut().push(*header);
        Ok(())
    };
    let token = kept.context.export(key.under(&Claims::NONE).issued_by(&hearing)).unwrap();
    assert_eq!(*told.borrow(), [Header::parse(&token).unwrap()], "it is told of what it will be asked for");
}

#[test]
fn a_token_of_short_names_has_at_most_300_octets() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let token = initiator.export(&sealing_key(1)).unwrap();
    assert!(token.len() <= 300, "{}", token.len());
}

#[test]
fn no_buffer_grows_once_a_secret_or_a_message_is_in_it() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    for token in [initiator.wrap(b"message").unwrap(), initiator.wrap_integrity(b"message").unwrap()] {
        assert_eq!(token.capacity(), token.len());
    }
    let token = initiator.export(&sealing_key(1)).unwrap();
    assert_eq!(token.capacity(), token.len());
}

#[test]
fn a_token_says_which_key_within_which_boundary_has_sealed_it() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let key = sealing_key(1);
    let token = initiator.export(&key).unwrap();
    assert!(key.has_sealed(&token) && !key.has_sealed(&token[..9]));
    let elsewhere = SealingKey::new(SecretBytes::from(vec![1; 32]), b"another boot");
    assert!(![sealing_key(2), elsewhere].iter().any(|other| other.has_sealed(&token)));
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused_and_spends_nothing() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let key = sealing_key(1);
    let token = initiator.export(&key).unwrap();
    for bit in 0..token.len() * 8 {
        let mut changed = token.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(pair.import(&changed, &key), Err(Error::Transfer(_))), "bit {bit}");
    }
    for length in 0..token.len() {
        assert!(matches!(pair.import(&token[..length], &key), Err(Error::Transfer(_))), "{length} octets");
    }
    assert!(matches!(pair.import(&[&token[..], &[0]].concat(), &key), Err(Error::Transfer(_))));
    assert!(pair.ledger.lock().unwrap().is_empty());
    assert!(pair.import(&token, &key).is_ok());
}

#[test]
fn another_key_and_another_boot_are_refused_with_their_reasons() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let token = initiator.export(&sealing_key(1)).unwrap();
    let refusal = |key: &SealingKey| match pair.import(&token, key) {
        Err(Error::Transfer(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&sealing_key(2)), TransferRefusal::ForeignKey);
    let rebooted = SealingKey::new(SecretBytes::from(vec![1; 32]), b"another boot");
    assert_eq!(refusal(&rebooted), TransferRefusal::OtherBoot);
    assert!(pair.import(&token, &sealing_key(1)).is_ok());
}

#[test]
fn a_token_ends_with_its_context() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let end = initiator.end();
    let key = sealing_key(1);
    let token = initiator.export(&key).unwrap();
    pair.clock.set(end);
    let Err(Error::Transfer(refusal)) = pair.import(&token, &key) else { panic!() };
    assert_eq!(refusal, TransferRefusal::Expired { ended: end });
    pair.clock.set(end.plus_seconds(-1));
    assert!(pair.import(&token, &key).is_ok());
}

#[test]
fn the_ledger_learns_the_present_moment_and_until_when_it_must_remember() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    let (key, end) = (sealing_key(1), initiator.end());
    let token = initiator.export(&key).unwrap();
    pair.clock.advance(5);
    let Step::Need(Need::Spend(need)) = import(&token, &key, &pair.settings) else { panic!() };
    assert_eq!((need.now(), need.until()), (pair.settings.env.now(), end));
}

#[test]
fn an_ended_context_is_not_exported_and_is_still_there() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let token = acceptor.wrap(b"x").unwrap();
    pair.clock.set(initiator.end());
    let kept = initiator.export(&sealing_key(1)).unwrap_err();
    assert_eq!(kept.error.major(), Major::ContextExpired);
    assert_eq!(kept.context.unwrap(&token).unwrap().message, b"x");
}

#[test]
fn switched_off_transfer_clears_the_flag_and_keeps_the_context() {
    let mut pair = Pair::new();
    pair.settings.transfer = false;
    let (initiator, acceptor) = pair.established();
    assert!(!initiator.flags().contains(Flags::TRANSFERABLE));
    let kept = initiator.export(&sealing_key(1)).unwrap_err();
    assert_eq!(kept.error.major(), Major::Unavailable);
    assert_eq!(acceptor.unwrap(&kept.context.wrap(b"x").unwrap()).unwrap().message, b"x");
}

#[test]
fn export_leaves_nothing_of_the_source_alive() {
    let pair = Pair::new();
    // A clock that nobody has but the accepting end.
    let clock = Arc::new(ManualClock::new(pair.settings.env.now().seconds));
    let settings =
        Settings { env: pair.settings.env.with_clock(Arc::clone(&clock)), ..pair.settings.clone() };
    let accept = pair.accept().with_settings(&settings);
    drop(settings);
    let (initiator, acceptor) = pair.establish(pair.initiate_full().delegate(), accept);
    drop(initiator);
    assert_eq!(Arc::strong_count(&clock), 2);
    let delegated = Arc::downgrade(acceptor.delegated_credential().unwrap());
    let token = acceptor.export(&sealing_key(1)).unwrap();
    assert!(delegated.upgrade().is_none(), "the delegated credential outlives its context");
    assert_eq!(Arc::strong_count(&clock), 1, "the context outlives its export");
    assert!(pair.import(&token, &sealing_key(1)).is_ok());
}
