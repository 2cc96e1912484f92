//! A context is handed over at most once, wherever the conversation stops.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::common::Pair;
use orthros_gss::transfer::handover::{COMMIT, FRAME, FrameType, LONGEST_BODY, Taking, frame, refusal};
use orthros_gss::transfer::{Kept, TransferRefusal};
use orthros_gss::{Context, Error, Flags, Major};

fn assert_joined(one: &Context, other: &Context) {
    for (from, to) in [(one, other), (other, one)] {
        assert_eq!(to.unwrap(&from.wrap(b"on").unwrap()).unwrap().message, b"on");
    }
}

#[test]
fn a_context_goes_on_at_its_taker() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.establish(pair.initiate_full().delegate(), pair.accept());
    assert_joined(&initiator, &acceptor);
    let (flags, end) = (acceptor.flags(), acceptor.end());
    let giving = acceptor.hand_over().unwrap();
    let head = *giving.offer().first_chunk().unwrap();
    let length = u32::try_from(giving.body().len()).unwrap();
    assert_eq!(frame(head), Ok((FrameType::Offer, length)));
    let taking = Taking::read(giving.body(), &pair.settings).unwrap();
    let answer = taking.acknowledgement();
    assert_eq!(frame(*answer.first_chunk().unwrap()), Ok((FrameType::Acknowledgement, 16)));
    let given = giving.confirmed(&answer[FRAME..]).unwrap();
    let taken = taking.committed(given.commit()).unwrap();
    assert_eq!((taken.flags(), taken.end()), (flags, end));
    assert!(taken.delegated_credential().is_some());
    assert_joined(&initiator, &taken);
}

#[test]
fn without_the_right_acknowledgement_the_context_stays_and_goes_on() {
    let pair = Pair::new();
    let (initiator, mut acceptor) = pair.established();
    for wrong in [&b""[..], &[0; 16], &[0; 17]] {
        let kept = acceptor.hand_over().unwrap().confirmed(wrong).unwrap_err();
        assert_eq!(kept.error.major(), Major::Failure);
        acceptor = kept.context;
        assert_joined(&initiator, &acceptor);
    }
    // An acknowledgement is of one offer: it does not serve for the next.
    let first = acceptor.hand_over().unwrap();
    let old = Taking::read(first.body(), &pair.settings).unwrap().acknowledgement();
    let stopped = Error::Transfer(TransferRefusal::Peer("stopped".into()));
    let Kept { context, .. } = first.kept(stopped);
    let kept = context.hand_over().unwrap().confirmed(&old[FRAME..]).unwrap_err();
    assert_joined(&initiator, &kept.context);
}

#[test]
fn a_refusal_is_told_without_control_characters_and_the_context_stays() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let said = refusal(&format!("no\n\u{1b}[31m{}", "\u{e4}".repeat(2000)));
    let (kind, length) = frame(*said.first_chunk().unwrap()).unwrap();
    assert_eq!((kind, usize::try_from(length).unwrap()), (FrameType::Refusal, said.len() - FRAME));
    let kept = acceptor.hand_over().unwrap().refused(&said[FRAME..]);
    let text = kept.error.to_string();
    assert!(text.contains("it refuses: no[31m\u{e4}") && !text.contains(char::is_control), "{text}");
    assert_joined(&initiator, &kept.context);
}

#[test]
fn a_long_refusal_is_cut_between_letters() {
    for (before, length) in [("", 1023), ("x", 1024), ("xy", 1022)] {
        let why = format!("{before}{}", "\u{20ac}".repeat(1000));
        assert_eq!(refusal(&why)[FRAME..], why.as_bytes()[..length]);
    }
}

#[test]
fn nothing_is_usable_without_the_commit() {
    let pair = Pair::new();
    for octet in (0..=255).filter(|octet| *octet != COMMIT) {
        let (_, acceptor) = pair.established();
        let giving = acceptor.hand_over().unwrap();
        let taking = Taking::read(giving.body(), &pair.settings).unwrap();
        assert!(matches!(taking.committed(octet), Err(TransferRefusal::Peer(_))), "{octet}");
    }
}

#[test]
fn a_cut_or_prolonged_or_late_offer_is_refused() {
    let pair = Pair::new();
    let (_, acceptor) = pair.established();
    let end = acceptor.end();
    let giving = acceptor.hand_over().unwrap();
    let body = giving.body();
    for length in 0..body.len() {
        let cut = Taking::read(&body[..length], &pair.settings);
        assert!(matches!(cut, Err(TransferRefusal::Damaged)), "{length} octets");
    }
    let longer = Taking::read(&[body, &[0]].concat(), &pair.settings);
    assert!(matches!(longer, Err(TransferRefusal::Damaged)));
    pair.clock.set(end);
    assert!(matches!(Taking::read(body, &pair.settings), Err(TransferRefusal::Expired { .. })));
}

#[test]
fn what_is_no_frame_or_announces_too_much_is_refused_before_it_is_read() {
    let announced = |kind: u8, length: u32| {
        let mut head = *b"OH\x01\x00\x00\x00\x00\x00";
        head[3] = kind;
        head[4..].copy_from_slice(&length.to_be_bytes());
        frame(head)
    };
    assert_eq!(announced(1, LONGEST_BODY), Ok((FrameType::Offer, LONGEST_BODY)));
    for (kind, length) in [(1, LONGEST_BODY + 1), (2, 17), (3, 1025), (0, 0), (4, 0), (1, u32::MAX)] {
        assert!(matches!(announced(kind, length), Err(TransferRefusal::Peer(_))), "{kind} {length}");
    }
    assert!(frame(*b"OH\x02\x01\0\0\0\0").is_err() && frame(*b"HTTP/1.1").is_err());
}

#[test]
fn a_context_that_stays_or_has_ended_is_not_handed_over_and_is_still_there() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.establish(pair.initiate_full(), pair.accept().stays());
    assert!(!acceptor.flags().contains(Flags::TRANSFERABLE));
    let kept = acceptor.hand_over().unwrap_err();
    assert_eq!(kept.error, Error::Transfer(TransferRefusal::Unavailable));
    assert_joined(&initiator, &kept.context);
    let end = initiator.end();
    pair.clock.set(end);
    assert_eq!(initiator.hand_over().unwrap_err().error.major(), Major::ContextExpired);
}
