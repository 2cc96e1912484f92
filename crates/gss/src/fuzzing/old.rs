//! Tokens of the old form (RFC 1964 §1.2, RFC 4757 §7), made by hand: the fuzzer owns the key, of RC4 or triple DES.

use orthros_crypto::{Enctype, Key, KeyUsage};

use super::Still;
use super::protected::acceptor_by;
use crate::framing;
use crate::mechanism::KRB5_OID;
use crate::message::window::Window;
use crate::{Context, Flags};

/// What lies between the frame and the message.
struct Fields<'d> {
    key: Key,
    head: [u8; 8],
    /// Number and direction, before they are sealed.
    field: [u8; 8],
    rest: &'d [u8],
}

impl<'d> Fields<'d> {
    /// `enctype | head(8) | number and direction(8) | rest`.
    fn read(data: &'d [u8]) -> Option<Self> {
        let (&enctype, rest) = data.split_first()?;
        let (head, rest) = rest.split_first_chunk()?;
        let (field, rest) = rest.split_first_chunk()?;
        let enctype = if enctype & 1 == 0 { Enctype::ArcfourHmac } else { Enctype::Des3CbcSha1 };
        Some(Self { key: Key::random(enctype, &Still), head: *head, field: *field, rest })
    }

    fn is_rc4(&self) -> bool {
        self.key.enctype() == Enctype::ArcfourHmac
    }

    fn number(&self) -> u32 {
        let [n0, n1, n2, n3, ..] = self.field;
        let number = [n0, n1, n2, n3];
        if self.is_rc4() { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) }
    }

    fn acceptor(&self) -> Context {
        acceptor_by(self.key.duplicate(), Flags::default(), Window::new(7))
    }

    /// The token whose checksum covers the head and `covered`, and that ends with `body`.
    fn token(&self, usage: KeyUsage, covered: &[u8], body: &[u8]) -> Vec<u8> {
        let mut checksum = self.key.checksum(usage, &[&self.head, covered]).to_vec();
        checksum.truncate(if self.is_rc4() { 8 } else { 20 });
        let mut field = self.field;
        if let (Some(tokens), Some(first)) = (self.key.old_tokens(), checksum.first_chunk()) {
            tokens.seal_sequence(first, &mut field);
        }
        framing::frame(&KRB5_OID, &[&self.head, &field, &checksum, body])
    }
}

/// A wrap token by these fields; what follows them is confounder, message and filler. It is sealed if the head says
/// so.
///
/// Returns whether it was taken.
pub fn old_wrap_token(data: &[u8]) -> bool {
    let Some(fields) = Fields::read(data) else { return false };
    let context = fields.acceptor();
    assert!(context.unwrap(&framing::frame(&KRB5_OID, &[data])).is_err(), "a token made without the key");
    let mut body = fields.rest.to_vec();
    let sealed = !matches!(fields.head, [_, _, _, _, 0xff, 0xff, _, _]);
    if let Some(tokens) = fields.key.old_tokens().filter(|_| sealed && whole_blocks(&fields, &body)) {
        tokens.seal_body(fields.number(), &mut body);
    }
    match context.unwrap(&fields.token(KeyUsage(23), fields.rest, &body)) {
        Ok(unwrapped) => {
            let behind = fields.rest.get(8..).unwrap_or_default();
            assert!(behind.starts_with(&unwrapped.message), "another message than was protected");
            assert!(unwrapped.message.len() < behind.len(), "a message without filler");
            assert_eq!(unwrapped.confidential, sealed);
            let [.., d0, d1, d2, d3] = fields.field;
            assert_eq!([d0, d1, d2, d3], [0; 4], "a token of this end's own");
            true
        }
        Err(_) => false,
    }
}

/// Triple DES seals whole blocks only.
fn whole_blocks(fields: &Fields<'_>, body: &[u8]) -> bool {
    fields.is_rc4() || (!body.is_empty() && body.len().is_multiple_of(8))
}

/// A MIC token by these fields; what follows them is the message.
///
/// Returns whether it was taken.
pub fn old_mic_token(data: &[u8]) -> bool {
    let Some(fields) = Fields::read(data) else { return false };
    let context = fields.acceptor();
    let usage = if fields.is_rc4() { KeyUsage(15) } else { KeyUsage(23) };
    let token = fields.token(usage, fields.rest, &[]);
    let longer = [fields.rest, b"more"].concat();
    assert!(context.verify_mic(&longer, &token).is_err(), "a MIC of another message");
    let taken = context.verify_mic(fields.rest, &token).is_ok();
    assert!(!taken || fields.field.ends_with(&[0; 4]), "a token of this end's own");
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_tokens_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        let wrap = |enctype: u8, algorithms: [u8; 4], field: [u8; 8], body: &[u8]| {
            let [s0, s1, e0, e1] = algorithms;
            old_wrap_token(&[&[enctype, 2, 1, s0, s1, e0, e1, 0xff, 0xff][..], &field, body].concat())
        };
        let (rc4, des) = ([0, 0, 0, 7, 0, 0, 0, 0], [7, 0, 0, 0, 0, 0, 0, 0]);
        assert!(wrap(0, [0x11, 0, 0x10, 0], rc4, b"confoundmessage\x01"));
        assert!(wrap(0, [0x11, 0, 0xff, 0xff], rc4, b"confoundmessage\x01"));
        assert!(wrap(1, [4, 0, 2, 0], des, b"confoundmessage\x01"));
        assert!(!wrap(1, [4, 0, 2, 0], des, b"confoundmessage"), "no whole block");
        assert!(!wrap(0, [0x11, 0, 0x10, 0], [0, 0, 0, 7, 255, 255, 255, 255], b"confoundmessage\x01"));
        let mic = |enctype: u8, sign: u8, field: [u8; 8]| {
            let head = [enctype, 1, 1, sign, 0, 0xff, 0xff, 0xff, 0xff];
            old_mic_token(&[&head[..], &field, b"message"].concat())
        };
        assert!(mic(0, 0x11, rc4) && mic(1, 4, des));
        assert!(!mic(0, 4, rc4));
    }
}
