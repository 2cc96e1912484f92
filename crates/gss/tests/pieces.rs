//! Messages in place, in pieces and with associated data, in both styles.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::Pair;
use orthros_crypto::Enctype;
use orthros_gss::error::{BadToken, Misuse};
use orthros_gss::{Context, Error, Order, Piece, PieceLengths, Verified};

const BOTH: [bool; 2] = [false, true];

/// Contexts of every enctype, framed and in DCE style.
fn contexts() -> impl Iterator<Item = (String, Context, Context)> {
    Enctype::STRONG.iter().flat_map(|enctype| {
        BOTH.map(|dce| {
            let pair = Pair::with_enctype(*enctype);
            let initiate = pair.initiate_full();
            let initiate = if dce { initiate.dce_style() } else { initiate };
            let (here, there) = pair.establish(initiate, pair.accept());
            (format!("{enctype}, DCE style {dce}"), here, there)
        })
    })
}

/// A token in pieces: header, first data, second data, trailer.
struct Cut {
    header: Vec<u8>,
    data: [Vec<u8>; 2],
    trailer: Option<Vec<u8>>,
}

const SIGNED: [&[u8]; 2] = [b"before", b"between"];

impl Cut {
    fn new(context: &Context, confidential: bool, with_trailer: bool, data: [&[u8]; 2]) -> Self {
        let lengths = context.piece_lengths(confidential, with_trailer);
        assert_eq!(lengths.padding, 0);
        Self {
            header: vec![0; lengths.header],
            data: data.map(<[u8]>::to_vec),
            trailer: with_trailer.then(|| vec![0; lengths.trailer]),
        }
    }

    fn pieces(&mut self) -> Vec<Piece<'_>> {
        let [first, second] = &mut self.data;
        let mut pieces = vec![
            Piece::Header(&mut self.header),
            Piece::SignOnly(SIGNED[0]),
            Piece::Data(first),
            Piece::SignOnly(SIGNED[1]),
            Piece::Data(second),
            Piece::Padding(&mut []),
        ];
        pieces.extend(self.trailer.as_mut().map(|trailer| Piece::Trailer(trailer)));
        pieces
    }
}

#[test]
fn a_sealed_token_in_dce_style_has_a_block_of_filler_and_no_other_has_any() {
    for dce in BOTH {
        let pair = Pair::with_enctype(Enctype::Aes256CtsHmacSha1);
        let initiate = pair.initiate_full();
        let initiate = if dce { initiate.dce_style() } else { initiate };
        let (context, _) = pair.establish(initiate, pair.accept());
        let lengths = |confidential, with_trailer| {
            let PieceLengths { header, padding, trailer } = context.piece_lengths(confidential, with_trailer);
            [header, padding, trailer]
        };
        let filler = if dce { 16 } else { 0 };
        assert_eq!(lengths(true, false), [60 + filler, 0, 0]);
        assert_eq!(lengths(true, true), [32, 0, 28 + filler]);
        assert_eq!(lengths(false, false), [28, 0, 0]);
        assert_eq!(lengths(false, true), [16, 0, 12]);
    }
}

#[test]
fn messages_in_pieces_come_back_where_they_lay() {
    for (name, here, there) in contexts() {
        for confidential in BOTH {
            for with_trailer in BOTH {
                for message in [[&b""[..], b""], [b"one", b""], [&[7; 100], &[9; 33]]] {
                    let mut cut = Cut::new(&here, confidential, with_trailer, message);
                    here.wrap_pieces(confidential, &mut cut.pieces()).unwrap();
                    let clear = cut.data.concat() == message.concat();
                    assert_eq!(clear, !confidential || message.concat().is_empty(), "{name}");
                    let verified = there.unwrap_pieces(&mut cut.pieces()).unwrap();
                    assert_eq!(verified, Verified { confidential, order: Order::InOrder }, "{name}");
                    assert_eq!(cut.data, message, "{name}");
                }
            }
        }
    }
}

#[test]
fn every_changed_octet_of_every_piece_is_refused_and_leaves_no_plain_text() {
    for (name, here, there) in contexts() {
        for (confidential, with_trailer) in [(true, true), (true, false), (false, true), (false, false)] {
            let message = [&b"some plain text"[..], b"and more of it"];
            let mut sent = Cut::new(&here, confidential, with_trailer, message);
            here.wrap_pieces(confidential, &mut sent.pieces()).unwrap();
            let lengths = [&sent.header, &sent.data[0], &sent.data[1]].map(Vec::len);
            let lengths = [&lengths[..], &[sent.trailer.as_ref().map_or(0, Vec::len)]].concat();
            for (piece, length) in lengths.into_iter().enumerate() {
                for at in 0..length {
                    let mut cut = Cut {
                        header: sent.header.clone(),
                        data: sent.data.clone(),
                        trailer: sent.trailer.clone(),
                    };
                    let changed = match piece {
                        0 => &mut cut.header,
                        3 => cut.trailer.as_mut().unwrap(),
                        _ => &mut cut.data[piece - 1],
                    };
                    changed[at] ^= 0x10;
                    let error = there.unwrap_pieces(&mut cut.pieces()).unwrap_err();
                    assert!(matches!(error, Error::Token(_)), "{name}, {piece}, {at}: {error}");
                    if confidential {
                        assert!(!cut.data[1].windows(4).any(|window| window == b"more"), "{name}");
                    }
                }
            }
            let verified = there.unwrap_pieces(&mut sent.pieces()).unwrap();
            assert_eq!(verified.order, Order::InOrder, "{name}: a refused message moved the window");
        }
    }
}

#[test]
fn signed_pieces_that_are_missing_changed_or_moved_are_refused() {
    for (name, here, there) in contexts() {
        for confidential in BOTH {
            let mut cut = Cut::new(&here, confidential, true, [b"data", b"more"]);
            here.wrap_pieces(confidential, &mut cut.pieces()).unwrap();
            let wrong: [[&[u8]; 2]; 4] =
                [[b"", b"between"], [b"before", b""], [b"between", b"before"], [b"beforebetween", b""]];
            for [before, between] in wrong {
                let (mut header, mut trailer) = (cut.header.clone(), cut.trailer.clone().unwrap());
                let [mut first, mut second] = cut.data.clone();
                let refused = there.unwrap_pieces(&mut [
                    Piece::Header(&mut header),
                    Piece::SignOnly(before),
                    Piece::Data(&mut first),
                    Piece::SignOnly(between),
                    Piece::Data(&mut second),
                    Piece::Trailer(&mut trailer),
                ]);
                assert_eq!(refused, Err(Error::Token(BadToken::Integrity)), "{name}");
            }
            assert!(there.unwrap_pieces(&mut cut.pieces()).is_ok());
        }
    }
}

#[test]
fn pieces_that_make_no_token_are_the_callers_fault_and_cost_no_number() {
    let pair = Pair::new();
    let (here, there) = pair.established();
    let lengths = here.piece_lengths(true, true);
    let (mut header, mut again) = (vec![0; lengths.header], vec![0; lengths.header]);
    let (mut short, mut trailer) = (vec![0; lengths.header - 1], vec![0; lengths.trailer]);
    let mut data = *b"plain";
    let misuse = Err(Error::Misuse(Misuse::Pieces));
    let wrap = |pieces: &mut [Piece<'_>]| here.wrap_pieces(true, pieces);
    assert_eq!(wrap(&mut [Piece::Data(&mut data)]), misuse);
    assert_eq!(wrap(&mut [Piece::Header(&mut header), Piece::Data(&mut data)]), misuse);
    assert_eq!(wrap(&mut [Piece::Header(&mut short), Piece::Trailer(&mut trailer)]), misuse);
    assert_eq!(wrap(&mut [Piece::Header(&mut header), Piece::Header(&mut again)]), misuse);
    assert_eq!(wrap(&mut [Piece::Header(&mut header), Piece::Padding(&mut [0; 3])]), misuse);
    assert_eq!(here.wrap_in_place(true, &mut [0; 20]), misuse);
    assert_eq!(&data, b"plain");
    assert_eq!(there.unwrap(&here.wrap(b"first").unwrap()).unwrap().order, Order::InOrder);
}

#[test]
fn a_message_wrapped_in_place_is_the_token_that_wrap_makes() {
    for (name, here, there) in contexts() {
        for confidential in BOTH {
            for message in [&b""[..], b"x", &[3; 200]] {
                let (before, behind) = here.wrap_room(confidential);
                let mut token = [&vec![0; before][..], message, &vec![0; behind]].concat();
                here.wrap_in_place(confidential, &mut token).unwrap();
                let unwrapped = there.unwrap(&token).unwrap();
                assert_eq!(
                    (&unwrapped.message[..], unwrapped.confidential),
                    (message, confidential),
                    "{name}"
                );
                assert_eq!(unwrapped.order, Order::InOrder);

                let plain = if confidential { here.wrap(message) } else { here.wrap_integrity(message) };
                let mut token = plain.unwrap();
                let mut changed = token.clone();
                *changed.last_mut().unwrap() ^= 1;
                assert_eq!(there.unwrap_in_place(&mut changed), Err(Error::Token(BadToken::Integrity)));
                let (range, verified) = there.unwrap_in_place(&mut token).unwrap();
                assert_eq!(&token[range], message, "{name}");
                assert_eq!(verified, Verified { confidential, order: Order::InOrder });
            }
        }
    }
}

#[test]
fn associated_data_are_part_of_what_is_verified() {
    for (name, here, there) in contexts() {
        for confidential in BOTH {
            for message in [&b""[..], b"message", &[1; 77]] {
                let token = here.wrap_aead(confidential, b"associated", message).unwrap();
                for wrong in [&b""[..], b"Associated", b"associate"] {
                    let refused = there.unwrap_aead(wrong, &token);
                    assert_eq!(refused, Err(Error::Token(BadToken::Integrity)), "{name}");
                }
                let unwrapped = there.unwrap_aead(b"associated", &token).unwrap();
                assert_eq!((&unwrapped.message[..], unwrapped.order), (message, Order::InOrder), "{name}");
                // Without associated data it is a wrap token like any other.
                let token = here.wrap_aead(confidential, b"", message).unwrap();
                assert_eq!(there.unwrap(&token).unwrap().message, message, "{name}");
            }
        }
    }
}

#[test]
fn a_mic_over_pieces_is_the_mic_of_the_whole() {
    for (name, here, there) in contexts() {
        let mic = here.mic_over(&[b"a mess", b"", b"age"]).unwrap();
        assert!(there.verify_mic_over(&[b"a mess", b"aged"], &mic).is_err());
        assert_eq!(there.verify_mic(b"a message", &mic), Ok(Order::InOrder), "{name}");
        let mic = here.mic(b"a message").unwrap();
        assert_eq!(there.verify_mic_over(&[b"a ", b"message"], &mic), Ok(Order::InOrder), "{name}");
    }
}

#[test]
fn the_size_limit_is_exact_for_every_length() {
    for (name, here, _) in contexts() {
        for confidential in BOTH {
            for message in 0..200 {
                let octets = vec![0; message];
                let token = if confidential { here.wrap(&octets) } else { here.wrap_integrity(&octets) };
                let size = token.unwrap().len();
                assert_eq!(here.wrap_size_limit(confidential, size), message, "{name}");
            }
            assert_eq!(here.wrap_size_limit(confidential, 10), 0);
        }
    }
}
