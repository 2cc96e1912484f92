//! Changed tokens are refused, and a refusal changes nothing. Where an octet is free, a test says which and why.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::common::{Pair, open_plain_state};
use orthros_crypto::Enctype;
use orthros_gss::context::{AwaitToken, Need};
use orthros_gss::error::BadToken;
use orthros_gss::{Context, Error, Order, Piece, Step, Unwrapped, Verified};

/// Each flip of one bit, with a name for it.
fn flips(token: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> + '_ {
    (0..token.len() * 8).map(|bit| {
        let mut changed = token.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        (bit, changed)
    })
}

/// Each beginning of the token, and the token with octets behind it.
fn other_lengths(token: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let longer = [&[0][..], &[0xff], &[0; 16], token].map(|more| [token, more].concat());
    (0..token.len()).map(|length| token[..length].to_vec()).chain(longer)
}

fn refuses_all_but(name: &str, token: &[u8], good: impl Fn(&[u8]) -> bool, free: impl Fn(&[u8]) -> bool) {
    for (bit, changed) in flips(token) {
        assert_eq!(good(&changed), free(&changed), "{name}: bit {} of octet {}", bit % 8, bit / 8);
    }
    for changed in other_lengths(token) {
        assert!(!good(&changed), "{name}: {} octets instead of {}", changed.len(), token.len());
    }
}

/// The rotation is what a token's sender chose, and neither sealed nor signed (RFC 4121 §4.2.4, §4.2.5): octets
/// 6 and 7 are free where the new number turns the tail as far as the old one, by a multiple of its length.
fn same_rotation(token: &[u8]) -> impl Fn(&[u8]) -> bool {
    let length = token.len() - 16;
    let (head, tail) = ([&token[..6]].concat(), token[8..].to_vec());
    move |changed: &[u8]| {
        let rotation = usize::from(u16::from_be_bytes([changed[6], changed[7]]));
        changed[..6] == head && changed[8..] == tail && rotation % length == 0
    }
}

/// Tampers with a token on each way. Where a free octet lets it through, the message is the one that was sent.
fn tamper_with_wrap(enctype: Enctype, message: &[u8], wrap: impl Fn(&Context) -> Vec<u8>) {
    let pair = Pair::with_enctype(enctype);
    for reversed in [false, true] {
        let (initiator, acceptor) = pair.established();
        let (from, to) = if reversed { (acceptor, initiator) } else { (initiator, acceptor) };
        let token = wrap(&from);
        let opened = |changed: &[u8]| match to.unwrap(changed) {
            Ok(unwrapped) => {
                assert_eq!(unwrapped.message, message);
                true
            }
            Err(error) => {
                assert!(matches!(error, Error::Token(_)));
                false
            }
        };
        refuses_all_but(&format!("{enctype}"), &token, opened, same_rotation(&token));
    }
}

#[test]
fn a_changed_sealed_token_is_refused() {
    for enctype in Enctype::STRONG {
        for message in [&b""[..], b"seal"] {
            tamper_with_wrap(*enctype, message, |from| from.wrap(message).unwrap());
        }
    }
}

#[test]
fn a_changed_signed_token_is_refused() {
    for enctype in Enctype::STRONG {
        for message in [&b""[..], b"sign"] {
            tamper_with_wrap(*enctype, message, |from| from.wrap_integrity(message).unwrap());
        }
    }
}

#[test]
fn a_changed_mic_or_message_is_refused() {
    for enctype in Enctype::STRONG {
        let pair = Pair::with_enctype(*enctype);
        let (initiator, acceptor) = pair.established();
        let mic = initiator.mic(b"message").unwrap();
        let good = |mic: &[u8]| acceptor.verify_mic(b"message", mic).is_ok();
        refuses_all_but(&format!("{enctype}"), &mic, good, |_| false);
        let good = |message: &[u8]| acceptor.verify_mic(message, &mic).is_ok();
        refuses_all_but(&format!("message, {enctype}"), b"message", good, |_| false);
        assert_eq!(acceptor.verify_mic(b"message", &mic), Ok(Order::InOrder));
    }
}

/// Established contexts, framed and in DCE style.
fn in_both_styles(enctype: Enctype) -> [(bool, Context, Context); 2] {
    [false, true].map(|dce| {
        let pair = Pair::with_enctype(enctype);
        let initiate = pair.initiate_full();
        let initiate = if dce { initiate.dce_style() } else { initiate };
        let (initiator, acceptor) = pair.establish(initiate, pair.accept());
        (dce, initiator, acceptor)
    })
}

/// The whole token opens in three ways, which must agree on every change. A sealed one in DCE style has filler, by
/// which it is turned too where it is turned at all.
#[test]
fn a_changed_token_with_associated_data_is_refused_in_place_and_apart() {
    for enctype in Enctype::STRONG {
        for (dce, initiator, acceptor) in in_both_styles(*enctype) {
            for confidential in [true, false] {
                let token = initiator.wrap_aead(confidential, b"beside", b"in it").unwrap();
                let filler = if dce && confidential { 16 } else { 0 };
                let opened = |changed: &[u8]| {
                    let apart = acceptor.unwrap_aead(b"beside", changed).map(|unwrapped| unwrapped.message);
                    let mut octets = changed.to_vec();
                    let stream = acceptor.unwrap_stream(&mut octets, &[b"bes", b"ide"], &[]);
                    assert_eq!(stream.clone().map(|(range, _)| octets[range].to_vec()), apart);
                    assert!(acceptor.unwrap(changed).is_err(), "associated data are missing");
                    assert!(acceptor.unwrap_in_place(&mut changed.to_vec()).is_err());
                    assert!(stream.is_ok() || !confidential || !shows(&octets, b"in it"));
                    apart.is_ok_and(|message| message == b"in it")
                };
                let free = |changed: &[u8]| {
                    let rotation = usize::from(u16::from_be_bytes([changed[6], changed[7]]));
                    let rotation = if rotation == 0 { 0 } else { rotation + filler };
                    changed[..6] == token[..6]
                        && changed[8..] == token[8..]
                        && rotation.is_multiple_of(token.len() - 16)
                };
                refuses_all_but(&format!("{enctype}, DCE {dce}"), &token, opened, free);
                let wrong: [&[u8]; 4] = [b"", b"besid", b"beside ", b"Beside"];
                for wrong in wrong {
                    let error = acceptor.unwrap_aead(wrong, &token).unwrap_err();
                    assert_eq!(error, Error::Token(BadToken::Integrity));
                }
            }
        }
    }
}

fn shows(octets: &[u8], message: &[u8]) -> bool {
    octets.windows(message.len()).any(|window| window == message)
}

/// Pieces have no free octet: where there is a rotation, it is that of a missing trailer.
#[test]
fn a_changed_piece_is_refused_and_the_window_stays() {
    let message = b"a message in a piece";
    for enctype in Enctype::STRONG {
        for (dce, initiator, acceptor) in in_both_styles(*enctype) {
            for (confidential, with_trailer) in [(true, true), (true, false), (false, true), (false, false)] {
                let lengths = initiator.piece_lengths(confidential, with_trailer);
                let (mut header, mut trailer) = (vec![0; lengths.header], vec![0; lengths.trailer]);
                let mut data = message.to_vec();
                let mut pieces = vec![Piece::Header(&mut header), Piece::Data(&mut data)];
                pieces.extend(with_trailer.then_some(Piece::Trailer(&mut trailer)));
                initiator.wrap_pieces(confidential, &mut pieces).unwrap();
                let opened = |header: &[u8], data: &[u8], trailer: Option<&[u8]>| {
                    let (mut header, mut data) = (header.to_vec(), data.to_vec());
                    let mut trailer = trailer.map(<[u8]>::to_vec);
                    let mut pieces = vec![Piece::Header(&mut header), Piece::Data(&mut data)];
                    pieces.extend(trailer.as_mut().map(|trailer| Piece::Trailer(trailer)));
                    let verified = acceptor.unwrap_pieces(&mut pieces);
                    match verified {
                        Ok(_) => assert_eq!(data, message),
                        Err(_) => {
                            assert!(!confidential || !shows(&data, &message[..6]), "plain text is left")
                        }
                    }
                    verified.ok()
                };
                let name = format!("{enctype}, DCE {dce}, sealed {confidential}");
                let behind = with_trailer.then_some(&trailer[..]);
                refuses_all_but(&name, &header, |header| opened(header, &data, behind).is_some(), |_| false);
                refuses_all_but(&name, &data, |data| opened(&header, data, behind).is_some(), |_| false);
                if with_trailer {
                    let good = |trailer: &[u8]| opened(&header, &data, Some(trailer)).is_some();
                    refuses_all_but(&name, &trailer, good, |_| false);
                }
                let verified = opened(&header, &data, behind);
                assert_eq!(verified, Some(Verified { confidential, order: Order::InOrder }), "{name}");
                let again = opened(&header, &data, behind).unwrap();
                assert_eq!(again.order, Order::Duplicate, "{name}");
            }
        }
    }
}

#[test]
fn pieces_and_streams_of_ones_own_and_of_the_other_kind_are_refused() {
    for (_, initiator, acceptor) in in_both_styles(Enctype::Aes256CtsHmacSha384) {
        let wrong_way = Err(Error::Token(BadToken::WrongDirection));
        let mut token = initiator.wrap_aead(true, b"", b"mine").unwrap();
        assert_eq!(initiator.unwrap_stream(&mut token.clone(), &[], &[]).map(|_| ()), wrong_way);
        assert_eq!(initiator.unwrap_in_place(&mut token.clone()).map(|_| ()), wrong_way);
        let mic = initiator.mic_over(&[b"mine"]).unwrap();
        assert_eq!(initiator.verify_mic_over(&[b"mine"], &mic).map(|_| ()), wrong_way);
        let kind = Err(Error::Token(BadToken::WrongKind));
        assert_eq!(acceptor.unwrap_stream(&mut mic.clone(), &[], &[]).map(|_| ()), kind);
        assert_eq!(acceptor.verify_mic_over(&[b"mine"], &token).map(|_| ()), kind);
        // Said to be signed only, it is neither opened nor taken.
        token[2] ^= 2;
        assert!(acceptor.unwrap_stream(&mut token, &[], &[]).is_err());
    }
}

/// In DCE style the acceptor waits for a third leg, which proves that the initiator read the answer.
#[test]
fn a_changed_or_replayed_last_leg_in_dce_style_is_refused() {
    let pair = Pair::new();
    let mut last = Vec::new();
    let mut run = |change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let mut leg = 0;
        let (_, acceptor) = pair.run(pair.initiate_full().dce_style(), pair.accept(), |token| {
            leg += 1;
            if leg < 3 {
                return token;
            }
            last.clone_from(&token);
            change(token)
        });
        (acceptor.unwrap(), last.clone())
    };
    let (accepted, replayed) = run(&|token| token);
    assert!(accepted.is_ok());
    assert!(run(&|_| replayed.clone()).0.is_err(), "of another context");
    for bit in 0..replayed.len() * 8 {
        let (accepted, _) = run(&|mut token| {
            token[bit / 8] ^= 1 << (bit % 8);
            token
        });
        assert!(accepted.is_err(), "bit {} of octet {}", bit % 8, bit / 8);
    }
    for length in 0..replayed.len() {
        assert!(run(&|token| token[..length].to_vec()).0.is_err(), "{length} octets");
    }
    assert!(run(&|token| [token, vec![0]].concat()).0.is_err(), "an octet behind it");
}

#[test]
fn refused_tokens_leave_the_window_where_it_was() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let (sealed, signed) = (initiator.wrap(b"first").unwrap(), initiator.wrap_integrity(b"second").unwrap());
    let mic = initiator.mic(b"third").unwrap();
    for token in [&sealed, &signed] {
        // Every rotation by a multiple of the length is free; those come elsewhere.
        for (_, changed) in flips(token).filter(|(bit, _)| !(48..64).contains(bit)) {
            assert!(acceptor.unwrap(&changed).is_err());
        }
    }
    for (_, changed) in flips(&mic) {
        assert!(acceptor.verify_mic(b"third", &changed).is_err());
    }
    let taken = |message: &[u8], confidential| Unwrapped {
        message: message.to_vec(),
        confidential,
        order: Order::InOrder,
    };
    assert_eq!(acceptor.unwrap(&sealed), Ok(taken(b"first", true)));
    assert_eq!(acceptor.unwrap(&signed), Ok(taken(b"second", false)));
    assert_eq!(acceptor.verify_mic(b"third", &mic), Ok(Order::InOrder));
}

#[test]
fn every_rotation_of_a_tail_opens_and_no_other() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    for token in [initiator.wrap(b"turned").unwrap(), initiator.wrap_integrity(b"turned").unwrap()] {
        let length = token.len() - 16;
        for rotation in (0..=u16::MAX).step_by(97).chain([u16::try_from(length).unwrap(), u16::MAX]) {
            let mut turned = token.clone();
            turned[6..8].copy_from_slice(&rotation.to_be_bytes());
            turned[16..].rotate_right(usize::from(rotation) % length);
            assert_eq!(acceptor.unwrap(&turned).unwrap().message, b"turned", "{rotation}");
            turned[16..].rotate_right(1);
            assert!(acceptor.unwrap(&turned).is_err(), "{rotation} and one more");
        }
    }
}

#[test]
fn a_rotated_header_without_a_tail_is_refused() {
    let pair = Pair::new();
    let (_, acceptor) = pair.established();
    for flags in [4, 6] {
        for rotation in [0, 1, 0xff] {
            let token = [5, 4, flags, 0xff, 0, 0, 0, rotation, 0, 0, 0, 0, 0, 0, 0, 0];
            assert!(acceptor.unwrap(&token).is_err());
        }
    }
}

/// Tokens of a handshake, and an end that waits for the first or for the second.
fn handshake(pair: &Pair) -> (Vec<u8>, Box<dyn Fn() -> AwaitToken + '_>) {
    let mut step = pair.initiate_full().start();
    let request = loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => break owed.token().to_vec(),
            other => panic!("{other:?}"),
        };
    };
    let waiting = || match pair.accept().start() {
        Step::Receive(wait) => wait,
        other => panic!("{other:?}"),
    };
    (request, Box::new(waiting))
}

/// What an acceptor makes of a request: its context, once the replay cache has said that it is new.
fn accepted(pair: &Pair, wait: AwaitToken, request: &[u8]) -> Option<(Context, Option<Vec<u8>>)> {
    let mut answer = None;
    let mut step = wait.token(request);
    loop {
        step = match step {
            Step::Need(need) => {
                pair.replay.lock().unwrap().clear();
                pair.provide(need)
            }
            Step::Send(owed) => {
                answer = Some(owed.token().to_vec());
                owed.sent()
            }
            Step::Done(context) => return Some((context, answer)),
            Step::Failed(_) => return None,
            Step::Receive(_) => panic!("an acceptor needs one token"),
        };
    }
}

/// Everything that a context knows but its own random choices: the acceptor's subkey and first number.
fn facts(context: Context) -> Vec<u8> {
    let mut state = open_plain_state(context);
    let key = 57..57 + 1 + 32;
    state[25..33].fill(0);
    let subkey = key.end + 1..key.end + 1 + 32;
    state[subkey].fill(0);
    state
}

/// Free in an AP-REQ are, in the clear part, what the acceptor does not read: the protocol has no checksum over it.
#[test]
fn a_changed_request_is_refused_or_makes_the_same_context() {
    let pair = Pair::new();
    let (request, waiting) = handshake(&pair);
    let (context, answer) = accepted(&pair, waiting(), &request).unwrap();
    assert!(answer.is_some());
    let expected = facts(context);
    let mut free = std::collections::BTreeMap::<usize, u8>::new();
    for (bit, changed) in flips(&request) {
        if let Some((context, answer)) = accepted(&pair, waiting(), &changed) {
            assert!(answer.is_some(), "octet {}: the mutual answer is gone", bit / 8);
            assert_eq!(facts(context), expected, "octet {}", bit / 8);
            *free.entry(bit / 8).or_default() |= 1 << (bit % 8);
        }
    }
    for changed in other_lengths(&request) {
        assert!(accepted(&pair, waiting(), &changed).is_none(), "{} octets", changed.len());
    }
    let options = position(&request, &[0xa2, 0x07, 0x03, 0x05, 0x00]) + 5;
    let name_type = position(&request, &[0x30, 0x17, 0xa0, 0x03, 0x02, 0x01, 0x03]) + 6;
    let kvno = position(&request, &[0xa1, 0x03, 0x02, 0x01, 0x01, 0xa2]) + 4;
    let reasons = [
        // How many bits of the options' last octet are unused: up to seven, as all of them are zero.
        (options - 1, 0x07),
        // Options: all but use-session-key (bit 1 from the left, 0x40), which asks for another protocol. The
        // answer's flag in it (0x20) is not believed: the sealed flags of the checksum say whether one is due.
        (options, 0xbf),
        (options + 1, 0xff),
        (options + 2, 0xff),
        (options + 3, 0xff),
        // The kind of the server's name, which RFC 4120 §6.2 calls a hint only.
        (name_type, 0xff),
        // Version 0 of the server's key means the newest, and that is the one.
        (kvno, 0x01),
    ];
    assert_eq!(free, reasons.into_iter().collect());
}

fn position(octets: &[u8], wanted: &[u8]) -> usize {
    octets.windows(wanted.len()).position(|window| window == wanted).unwrap()
}

#[test]
fn a_changed_answer_is_refused() {
    let pair = Pair::new();
    // The same randomness gives the same request each time, so one answer suits every initiator.
    let ticket = pair.established();
    drop(ticket);
    let waiting = || {
        pair.reseed(77);
        match pair.initiate_full().start() {
            Step::Send(owed) => match (owed.token().to_vec(), owed.sent()) {
                (request, Step::Receive(wait)) => (request, wait),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let (request, wait) = waiting();
    let Step::Receive(acceptor) = pair.accept().start() else { panic!() };
    let (_, answer) = accepted(&pair, acceptor, &request).unwrap();
    let answer = answer.unwrap();
    assert!(matches!(wait.token(&answer), Step::Done(_)));
    let comes_up = |answer: &[u8]| {
        let mut step = waiting().1.token(answer);
        if let Step::Send(owed) = step {
            step = owed.sent();
        }
        match step {
            Step::Done(_) => true,
            Step::Failed(_) => false,
            other => panic!("{other:?}"),
        }
    };
    assert!(comes_up(&answer));
    refuses_all_but("AP-REP", &answer, comes_up, |_| false);
}

/// A cache that knows nothing of earlier requests takes one whose replay would be harmless, for its answer is due
/// in a key that only its first sender can read. Only the sealed flags may say so.
#[test]
fn a_changed_option_does_not_make_a_replay_look_harmless() {
    let pair = Pair::new();
    pair.establish(pair.initiate().confidential(), pair.accept());
    let mut request = pair.sent.lock().unwrap()[0].clone();
    let options = position(&request, &[0xa2, 0x07, 0x03, 0x05, 0x00]) + 5;
    for flipped in [0, 0x20] {
        request[options] ^= flipped;
        let Step::Receive(wait) = pair.accept().start() else { panic!() };
        let Step::Need(Need::Replay(need)) = wait.token(&request) else { panic!() };
        assert!(!need.is_replay_harmless());
    }
}
