//! How messages lie in their tokens: whole, in pieces (`gss_wrap_iov`), with associated data (`gss_wrap_aead`).
//!
//! On the wire the pieces of a token follow each other; what is signed only does not travel. The receiver cuts a
//! token by the lengths that its own context tells.

use orthros::{Context, Error, Order, Piece, PieceLengths, Unwrapped};
use orthros_crypto::SessionKey;
use orthros_gss::context::inquiry::oid;
use orthros_wire::{Oid, hex};

use crate::arguments::{GssLayout, Layout};
use crate::failure::Failure;
use crate::output;

/// The token of a message.
pub(super) fn protect(
    context: &Context,
    wanted: &GssLayout,
    confidential: bool,
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    let associated = wanted.associated.as_bytes();
    Ok(match wanted.layout {
        Layout::Aead => context.wrap_aead(confidential, associated, message)?,
        Layout::Pieces | Layout::Rotated | Layout::Stream => {
            let lengths = lengths(context, wanted, confidential);
            let mut token = [&vec![0; lengths.header], message, &vec![0; lengths.trailer]].concat();
            let mut cut = Cut::new(&mut token, &lengths)?;
            // In two pieces, so that it is seen that the receiver needs no more than one.
            let (first, second) = cut.data.split_at_mut(message.len() / 2);
            let mut pieces = vec![
                Piece::Header(cut.header),
                Piece::SignOnly(associated),
                Piece::Data(first),
                Piece::Data(second),
            ];
            pieces.extend(cut.trailer.take().map(Piece::Trailer));
            context.wrap_pieces(confidential, &mut pieces)?;
            token
        }
        Layout::Whole if confidential => context.wrap(message)?,
        Layout::Whole => context.wrap_integrity(message)?,
    })
}

/// The message of a token, of which its sender says whether it is `confidential`.
pub(super) fn unprotect(
    context: &Context,
    wanted: &GssLayout,
    confidential: bool,
    token: &[u8],
) -> Result<Unwrapped, Failure> {
    let associated = wanted.associated.as_bytes();
    let mut token = token.to_vec();
    Ok(match wanted.layout {
        Layout::Aead => context.unwrap_aead(associated, &token)?,
        Layout::Pieces | Layout::Rotated => {
            let Cut { header, data, trailer } =
                Cut::new(&mut token, &lengths(context, wanted, confidential))?;
            let mut pieces = vec![Piece::Header(header), Piece::SignOnly(associated), Piece::Data(data)];
            pieces.extend(trailer.map(Piece::Trailer));
            let verified = context.unwrap_pieces(&mut pieces)?;
            let message = pieces.iter().find_map(|piece| match piece {
                Piece::Data(data) => Some(data.to_vec()),
                _ => None,
            });
            let message = message.unwrap_or_default();
            Unwrapped { message, confidential: verified.confidential, order: verified.order }
        }
        Layout::Stream => {
            let (range, verified) = context.unwrap_stream(&mut token, &[associated], &[])?;
            token.truncate(range.end);
            let message = token.split_off(range.start);
            Unwrapped { message, confidential: verified.confidential, order: verified.order }
        }
        Layout::Whole => context.unwrap(&token)?,
    })
}

/// The MIC of a message and what is associated with it.
pub(super) fn sign(context: &Context, wanted: &GssLayout, message: &[u8]) -> Result<Vec<u8>, Failure> {
    Ok(context.mic_over(&[wanted.associated.as_bytes(), message])?)
}

pub(super) fn verify(
    context: &Context,
    wanted: &GssLayout,
    message: &[u8],
    mic: &[u8],
) -> Result<Order, Error> {
    context.verify_mic_over(&[wanted.associated.as_bytes(), message], mic)
}

fn lengths(context: &Context, wanted: &GssLayout, confidential: bool) -> PieceLengths {
    context.piece_lengths(confidential, wanted.layout != Layout::Rotated)
}

/// A token, cut where its pieces meet.
struct Cut<'a> {
    header: &'a mut [u8],
    data: &'a mut [u8],
    trailer: Option<&'a mut [u8]>,
}

impl<'a> Cut<'a> {
    fn new(token: &'a mut [u8], lengths: &PieceLengths) -> Result<Self, Failure> {
        let short = || Failure::new("the token is shorter than its pieces");
        let (header, rest) = token.split_at_mut_checked(lengths.header).ok_or_else(short)?;
        let data = rest.len().checked_sub(lengths.trailer).ok_or_else(short)?;
        let (data, trailer) = rest.split_at_mut_checked(data).ok_or_else(short)?;
        Ok(Self { header, data, trailer: (lengths.trailer > 0).then_some(trailer) })
    }
}

/// What a context is asked by object identifier.
const QUESTIONS: [(&str, Oid); 4] = [
    ("flags", oid::TICKET_FLAGS),
    ("key", oid::SESSION_KEY),
    ("authtime", oid::AUTHTIME),
    ("ssf", oid::SASL_SSF),
];

/// Prints what the context answers by object identifier, gives it up and prints what the kernel would get of it: to
/// compare, not to use.
pub(super) fn print_lucid(context: Context) -> Result<(), Failure> {
    let mut told = "Inquiry:".to_owned();
    for (name, question) in QUESTIONS {
        let answers = context.inquire(&question)?;
        let members: Vec<String> = answers.iter().map(|member| hex::encode(member.expose_octets())).collect();
        told.push_str(&format!(" {name}={}", members.join(",")));
    }
    output::line(told)?;
    let lucid = context.into_lucid().map_err(|kept| kept.error)?;
    let key = |name: &str, key: &SessionKey| {
        format!(" {name}={}:{}", key.enctype().number(), hex::encode(key.expose_octets()))
    };
    output::line(format!(
        "Lucid: initiator={} send={} receive={} end={}{}{}",
        u8::from(lucid.is_initiator),
        lucid.send_sequence,
        lucid.receive_sequence,
        lucid.end.seconds,
        key("context", &lucid.key),
        lucid.acceptor_subkey.as_ref().map(|subkey| key("acceptor", subkey)).unwrap_or_default(),
    ))?;
    Ok(())
}
