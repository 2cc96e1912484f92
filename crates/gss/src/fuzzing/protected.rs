//! Wrap and MIC tokens (RFC 4121 §4.2), with and without the context's key.

use std::sync::OnceLock;

use orthros_crypto::{Key, KeyUsage, SessionKey};
use orthros_krb5::vouched::Vouched;
use orthros_krb5::wire::{KerberosTime, TicketFlags};

use super::{NOW, Still, key, principal, settings};
use crate::context::established::Established;
use crate::message::protection::{Protection, Role};
use crate::message::token::{MicHeader, WrapHeader};
use crate::message::window::Window;
use crate::{Context, Flags};

/// An acceptor whose initiator protects with [`key`], on a context with these flags beside the usual.
pub(super) fn acceptor(more: Flags) -> Context {
    acceptor_by(key(), more, Window::new(7))
}

/// As [`acceptor`], with another key and window.
pub(super) fn acceptor_by(key: Key, more: Flags, window: Window) -> Context {
    end(Role::Acceptor, key, more, 0, window)
}

/// One end of a context: its next message has the number `send`, and `window` is what it knows of the peer's.
pub(super) fn end(role: Role, key: Key, more: Flags, send: u64, window: Window) -> Context {
    let flags = Flags::CONFIDENTIALITY | Flags::REPLAY | Flags::SEQUENCE | more;
    Context(Established {
        initiator: principal("alice"),
        acceptor: principal("host/fuzz"),
        end: KerberosTime(NOW + 3_600),
        authtime: KerberosTime(NOW),
        ticket_flags: TicketFlags::default(),
        late_error: OnceLock::new(),
        protection: Protection::new(role, flags, SessionKey::from(key), None, send, window),
        delegated: None,
        authorization_data: None,
        vouched: Vouched::default(),
        env: settings().env,
    })
}

/// Arbitrary octets as a wrap token; then, with the key, as 16 octets of header and a plain text, which is
/// sealed, or signed, by that header. If the first octet is odd, the plain text gets the header's right copy.
///
/// Returns whether one was taken.
pub fn wrap_token(data: &[u8]) -> bool {
    let context = acceptor(Flags::default());
    assert!(context.unwrap(data).is_err(), "a token made without the key");
    let Some((&copied, rest)) = data.split_first() else { return false };
    let Ok((header, plain)) = WrapHeader::parse(rest) else { return false };
    let copy = WrapHeader { right_rotation: 0, ..header }.octets();
    let covered = WrapHeader { extra_count: 0, right_rotation: 0, ..header }.octets();
    let whole = [plain, if copied & 1 == 1 { &copy[..] } else { &[] }].concat();
    let sealed = key().encrypt(KeyUsage::INITIATOR_SEAL, &Still, &whole);
    let checksum = key().checksum(KeyUsage::INITIATOR_SEAL, &[plain, &covered]);
    let bodies = [sealed, [plain, &checksum[..]].concat()];
    bodies.into_iter().any(|mut body| {
        let rotation = usize::from(header.right_rotation).checked_rem(body.len()).unwrap_or(0);
        body.rotate_right(rotation);
        match context.unwrap(&[&header.octets()[..], &body].concat()) {
            Ok(unwrapped) => {
                assert!(plain.starts_with(&unwrapped.message), "another message than was protected");
                true
            }
            Err(_) => false,
        }
    })
}

/// Arbitrary octets as a MIC token; then, with the key, as a MIC token's header and a message.
///
/// Returns whether one was taken.
pub fn mic_token(data: &[u8]) -> bool {
    let context = acceptor(Flags::default());
    assert!(context.verify_mic(b"message", data).is_err(), "a token made without the key");
    let Ok((header, message)) = MicHeader::parse(data) else { return false };
    let octets = header.octets();
    let checksum = key().checksum(KeyUsage::INITIATOR_SIGN, &[message, &octets]);
    let taken = context.verify_mic(message, &[&octets[..], &checksum].concat()).is_ok();
    assert!(!taken || !header.flags.has(0x07), "a flag that this initiator must not set");
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_tokens_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        let header = [5, 4, 2, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
        assert!(wrap_token(&[&[1][..], &header, b"message"].concat()));
        assert!(!wrap_token(&[&[0][..], &header, b"message"].concat()));
        let header = [5, 4, 0, 0xff, 0, 12, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7];
        assert!(wrap_token(&[&[0][..], &header, b"message"].concat()));
        let header = [4, 4, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 7];
        assert!(mic_token(&[&header[..], b"message"].concat()));
    }

    /// RFC 4121 §4.2.2.
    #[test]
    fn unknown_flags_of_a_token_are_ignored() {
        let header = [5, 4, 0xf8, 0xff, 0, 12, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7];
        assert!(wrap_token(&[&[0][..], &header, b"message"].concat()));
        let header = [4, 4, 0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 7];
        assert!(mic_token(&[&header[..], b"message"].concat()));
    }

    /// RFC 2744 §5.15 and §5.31 to §5.33, RFC 4121 §5.2.
    #[test]
    fn messages_of_no_octets_and_of_16_kib_are_protected() {
        for message in [vec![], vec![7; 16_384]] {
            let here = end(Role::Initiator, key(), Flags::default(), 7, Window::new(0));
            let there = acceptor(Flags::default());
            assert_eq!(there.unwrap(&here.wrap(&message).unwrap()).unwrap().message, message);
            assert_eq!(there.unwrap(&here.wrap_integrity(&message).unwrap()).unwrap().message, message);
            let mic = here.mic(&message).unwrap();
            assert!(there.verify_mic(b"another", &mic).is_err());
            assert!(there.verify_mic(&message, &mic).is_ok());
        }
    }
}
