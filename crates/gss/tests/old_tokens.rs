//! The tokens of RFC 1964 and RFC 4757, of contexts whose keys policy names: RC4 and triple DES.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use crate::common::{Pair, sealing_key};
use orthros_crypto::{Enctype, KeyUsage, MessageTokens};
use orthros_gss::context::inquiry::oid;
use orthros_gss::error::{BadToken, Misuse};
use orthros_gss::{Context, Error, Flags, Initiate, Major, Order, Piece};

const OLD: [Enctype; 2] = [Enctype::Des3CbcSha1, Enctype::ArcfourHmac];

/// Both ends of a context where nothing but this enctype is permitted.
fn established(pair: &Pair, enctype: Enctype, ask: impl FnOnce(Initiate) -> Initiate) -> (Context, Context) {
    let mut settings = pair.settings.clone();
    Arc::make_mut(&mut settings.config).permitted_enctypes = vec![enctype];
    let initiate = ask(pair.initiate().with_settings(&settings));
    pair.establish(initiate, pair.accept().with_settings(&settings))
}

fn full(initiate: Initiate) -> Initiate {
    initiate.mutual().confidential().replay_detection().sequencing()
}

fn contexts() -> impl Iterator<Item = (Pair, Enctype, Context, Context)> {
    OLD.into_iter().flat_map(|enctype| {
        [false, true].map(|dce| {
            let pair = Pair::with_enctype(enctype);
            let ask = |initiate| if dce { full(initiate).dce_style() } else { full(initiate) };
            let (here, there) = established(&pair, enctype, ask);
            (pair, enctype, here, there)
        })
    })
}

#[test]
fn messages_of_every_length_come_back_sealed_signed_and_apart() {
    for (_, enctype, here, there) in contexts() {
        for length in 0..40 {
            let message = vec![0x5a; length];
            for (from, to) in [(&here, &there), (&there, &here)] {
                let token = from.wrap(&message).unwrap();
                assert_eq!(token[0], 0x60, "old tokens have a frame");
                assert!(length < 8 || !token.windows(8).any(|window| window == &message[..8]), "{enctype}");
                let opened = to.unwrap(&token).unwrap();
                assert_eq!(
                    (&opened.message, opened.confidential, opened.order),
                    (&message, true, Order::InOrder)
                );
                assert_eq!(to.unwrap(&token).unwrap().order, Order::Duplicate);
                let opened = to.unwrap(&from.wrap_integrity(&message).unwrap()).unwrap();
                assert_eq!((&opened.message, opened.confidential), (&message, false), "{enctype}");
                assert_eq!(to.verify_mic(&message, &from.mic(&message).unwrap()), Ok(Order::InOrder));
                let mut token = from.wrap(&message).unwrap();
                let (range, verified) = to.unwrap_in_place(&mut token).unwrap();
                assert_eq!((&token[range], verified.order), (&message[..], Order::InOrder));
            }
        }
    }
}

/// What a change leaves as it was is the message: of RC4's tokens the sequence number is free (RFC 4757 §8).
#[test]
fn cve_2025_57736_every_changed_octet_of_an_old_token_is_refused_or_is_the_number_of_rc4() {
    for (_, enctype, here, there) in contexts() {
        let sealed = here.wrap(b"a message").unwrap();
        let signed = here.wrap_integrity(b"a message").unwrap();
        let mic = here.mic(b"a message").unwrap();
        let verify = |token: &[u8]| there.verify_mic(b"a message", token).map(|order| (Vec::new(), order));
        let unwrap = |token: &[u8]| there.unwrap(token).map(|opened| (opened.message, opened.order));
        type Take<'a> = &'a dyn Fn(&[u8]) -> Result<(Vec<u8>, Order), Error>;
        let takes: [(&Vec<u8>, Take<'_>, &[u8]); 3] =
            [(&sealed, &unwrap, b"a message"), (&signed, &unwrap, b"a message"), (&mic, &verify, b"")];
        for (token, take, message) in takes {
            let head = token.windows(2).position(|two| two == [token[13], token[14]]).unwrap();
            assert_eq!(head, 13, "the frame has 13 octets");
            let number = head + 8..head + 12;
            for at in 0..token.len() {
                for bit in 0..8 {
                    let mut changed = token.clone();
                    changed[at] ^= 1 << bit;
                    match take(&changed) {
                        Err(_) => {}
                        // The number of RC4 keys the cipher of sealed messages, so only signed ones pass.
                        Ok((found, _)) => {
                            assert_eq!(enctype, Enctype::ArcfourHmac, "octet {at}");
                            assert!(number.contains(&at), "octet {at}");
                            assert_eq!(found, message);
                        }
                    }
                }
            }
            for length in 0..token.len() {
                assert!(take(&token[..length]).is_err(), "{length} octets");
            }
        }
    }
}

/// A token under a good checksum, with a body of the test's choice: `checksum | body` behind head and number.
fn forged(pair: &Pair, enctype: Enctype, body: &[u8]) -> Vec<u8> {
    let key =
        pair.alice.tickets().into_iter().find(|ticket| ticket.server.components()[0] == "host").unwrap().key;
    assert_eq!(key.enctype(), enctype);
    let sign = if enctype == Enctype::ArcfourHmac { 0x11 } else { 4 };
    let head = [2, 1, sign, 0, 0xff, 0xff, 0xff, 0xff];
    let mut checksum = key.checksum(KeyUsage(23), &[&head, body]).to_vec();
    checksum.truncate(if enctype == Enctype::ArcfourHmac { 8 } else { 20 });
    let mut number = [0; 8];
    key.old_tokens().unwrap().seal_sequence(checksum.first_chunk().unwrap(), &mut number);
    let inner =
        [&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2][..], &head, &number, &checksum, body].concat();
    [&[0x60, u8::try_from(inner.len()).unwrap()][..], &inner].concat()
}

#[test]
fn cve_2014_4341_a_short_body_and_bad_filler_look_like_a_bad_checksum() {
    for enctype in OLD {
        let pair = Pair::with_enctype(enctype);
        let (_, there) = established(&pair, enctype, Initiate::confidential);
        // One-way contexts without a subkey of the acceptor's; the initiator's own is random, so forge with it.
        let key = there.expose_session_key();
        for mut ticket in pair.alice.tickets() {
            if ticket.server.components()[0] == "host" {
                let key = orthros_crypto::Key::new(enctype, key.expose_octets()).unwrap();
                ticket.key = Arc::new(key.into());
                pair.alice.keep(ticket);
            }
        }
        let good = forged(&pair, enctype, &[0, 0, 0, 0, 0, 0, 0, 0, b'h', b'i', 6, 6, 6, 6, 6, 6]);
        assert_eq!(there.unwrap(&good).unwrap().message, b"hi");
        let bodies: [&[u8]; 7] = [
            &[],
            &[1],
            &[8; 8],
            &[0; 16],
            &[9; 16],
            &[0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0xff],
            &[8; 7],
        ];
        for body in bodies {
            let error = there.unwrap(&forged(&pair, enctype, body)).unwrap_err();
            assert_eq!(error, Error::Token(BadToken::Integrity), "{enctype}: {body:?}");
        }
        // Blocks of one octet are always whole.
        let uneven = there.unwrap(&forged(&pair, enctype, &[0, 0, 0, 0, 0, 0, 0, 0, b'h', b'i', b'!', 1]));
        let whole = enctype == Enctype::ArcfourHmac;
        assert_eq!(
            uneven.map(|opened| opened.message),
            if whole { Ok(b"hi!".to_vec()) } else { Err(Error::Token(BadToken::Integrity)) }
        );
    }
}

#[test]
fn tokens_of_either_form_are_refused_by_contexts_of_the_other() {
    let pair = Pair::new();
    let (_, modern) = pair.established();
    for (_, _, here, there) in contexts() {
        let pair = Pair::new();
        let (other, _) = pair.established();
        for token in [here.wrap(b"x").unwrap(), here.mic(b"x").unwrap()] {
            assert_eq!(modern.unwrap(&token).unwrap_err().major(), Major::DefectiveToken);
            assert_eq!(modern.verify_mic(b"x", &token).unwrap_err().major(), Major::DefectiveToken);
        }
        for token in [other.wrap(b"x").unwrap(), other.mic(b"x").unwrap()] {
            assert_eq!(there.unwrap(&token).unwrap_err().major(), Major::DefectiveToken);
            assert_eq!(there.verify_mic(b"x", &token).unwrap_err().major(), Major::DefectiveToken);
        }
        assert_eq!(here.unwrap(&here.wrap(b"own").unwrap()), Err(Error::Token(BadToken::WrongDirection)));
    }
}

#[test]
fn the_size_limit_is_the_greatest_that_fits() {
    for (_, enctype, here, _) in contexts() {
        for limit in 0..300 {
            let message = here.wrap_size_limit(true, limit);
            if message > 0 {
                assert!(here.wrap(&vec![0; message]).unwrap().len() <= limit, "{enctype}, {limit}");
            }
            assert!(here.wrap(&vec![0; message + 1]).unwrap().len() > limit, "{enctype}, {limit}");
        }
    }
}

#[test]
fn an_old_context_moves_and_says_what_it_cannot() {
    for (pair, enctype, here, there) in contexts() {
        let (one, two) = (here.wrap(b"one").unwrap(), here.wrap(b"two").unwrap());
        let _ = there.unwrap(&one).unwrap();
        let token = there.export(&sealing_key(1)).unwrap();
        let there = pair.import(&token, &sealing_key(1)).unwrap();
        assert_eq!(there.unwrap(&two).unwrap().order, Order::InOrder);
        assert_eq!(there.unwrap(&one).unwrap().order, Order::Duplicate);
        assert_eq!(there.enctype(), enctype);
        assert_eq!(here.inquire(&oid::SESSION_KEY).unwrap().len(), 2);
        let (mut header, mut trailer, mut data) = ([0; 32], [0; 40], *b"data");
        let pieces = &mut [Piece::Header(&mut header), Piece::Data(&mut data), Piece::Trailer(&mut trailer)];
        assert_eq!(here.wrap_pieces(true, pieces), Err(Error::Misuse(Misuse::WholeMessagesOnly)));
        assert_eq!(here.wrap_in_place(true, &mut [0; 100]), Err(Error::Misuse(Misuse::WholeMessagesOnly)));
    }
}

#[test]
fn with_better_enctypes_on_both_sides_an_old_ticket_gives_a_modern_context() {
    for enctype in OLD {
        let pair = Pair::with_enctype(enctype);
        let (here, there) = pair.established();
        assert_eq!(here.enctype(), Enctype::STRONG[0]);
        assert_eq!(here.enctype().message_tokens(), MessageTokens::Rfc4121);
        assert!(there.flags().contains(Flags::MUTUAL));
        assert_eq!(there.unwrap(&here.wrap(b"modern").unwrap()).unwrap().message, b"modern");
        assert_eq!(here.unwrap(&there.wrap(b"too").unwrap()).unwrap().message, b"too");
    }
}
