//! Wrap, unwrap, MIC and verify of an established context (RFC 4121 §4.2.4).

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use orthros_crypto::{KeyUsage, SessionKey};
use orthros_wire::Random;
use zeroize::Zeroize;

use super::rfc1964::{self, Old};
use super::token::{MicHeader, TokenFlags, WrapHeader};
use super::window::Window;
use crate::Flags;
use crate::error::{BadToken, Error, Misuse};
use crate::mechanism::{KRB5, Mechanism};
use crate::status::Order;

/// A message that came out of [`Context::unwrap`](crate::Context::unwrap), verified.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Unwrapped {
    /// The message.
    pub message: Vec<u8>,
    /// Whether it was sealed.
    pub confidential: bool,
    /// How it stands in the stream. With a duplicate the message is one that was delivered before.
    pub order: Order,
}

/// Which end of the context this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Initiator,
    Acceptor,
}

impl Role {
    pub(super) fn peer(self) -> Self {
        match self {
            Self::Initiator => Self::Acceptor,
            Self::Acceptor => Self::Initiator,
        }
    }

    fn token_flag(self) -> u8 {
        match self {
            Self::Initiator => 0,
            Self::Acceptor => TokenFlags::SENT_BY_ACCEPTOR,
        }
    }

    /// The key usage for wrap tokens that this end sends (RFC 4121 §2).
    pub(super) fn seal_usage(self) -> KeyUsage {
        match self {
            Self::Initiator => KeyUsage::INITIATOR_SEAL,
            Self::Acceptor => KeyUsage::ACCEPTOR_SEAL,
        }
    }

    pub(super) fn sign_usage(self) -> KeyUsage {
        match self {
            Self::Initiator => KeyUsage::INITIATOR_SIGN,
            Self::Acceptor => KeyUsage::ACCEPTOR_SIGN,
        }
    }
}

/// Keys and counters. Shared by threads: sending takes a number atomically, receiving locks the window for
/// a moment after the message has been verified.
pub(crate) struct Protection {
    pub(crate) role: Role,
    /// The context's: also what is told of the order of messages, and whether tokens are as DCE RPC and Windows have
    /// them, with filler, and rotated by it too.
    pub(crate) flags: Flags,
    /// The initiator's subkey, else the ticket's session key.
    pub(crate) base_key: SessionKey,
    /// The acceptor's subkey; all messages use it where there is one.
    pub(crate) acceptor_subkey: Option<SessionKey>,
    /// What the context is of; tokens of the old form bear its identifier.
    pub(crate) mechanism: &'static Mechanism,
    /// The number of the next message sent.
    send: AtomicU64,
    window: Mutex<Window>,
}

impl Protection {
    pub(crate) fn new(
        role: Role,
        flags: Flags,
        base_key: SessionKey,
        acceptor_subkey: Option<SessionKey>,
        send: u64,
        window: Window,
    ) -> Self {
        let (send, window) = (AtomicU64::new(send), Mutex::new(window));
        Self { role, flags, base_key, acceptor_subkey, mechanism: &KRB5, send, window }
    }

    /// The same for a context of this mechanism.
    pub(crate) fn of(self, mechanism: &'static Mechanism) -> Self {
        Self { mechanism, ..self }
    }

    /// The number of the next message sent.
    pub(crate) fn send_sequence(&self) -> u64 {
        self.send.load(Ordering::Relaxed)
    }

    /// What is known of the peer's numbers.
    pub(crate) fn window(&self) -> MutexGuard<'_, Window> {
        // A window is changed by one assignment after the last check: it is whole even after a panic.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the number of a verified message, and says how it stands.
    pub(super) fn take(&self, number: u64) -> Result<Order, BadToken> {
        self.window().take(number, self.flags).ok_or(BadToken::SequenceEnd)
    }

    /// Whether tokens are as DCE RPC and Windows have them.
    pub(super) fn is_dce_style(&self) -> bool {
        self.flags.contains(Flags::DCE_STYLE)
    }

    /// The key that protects messages.
    pub(crate) fn key(&self) -> &SessionKey {
        self.acceptor_subkey.as_ref().unwrap_or(&self.base_key)
    }

    pub(crate) fn wrap(&self, sealed: bool, message: &[u8], random: &dyn Random) -> Result<Vec<u8>, Error> {
        if let Some(old) = Old::of(self.key(), self.mechanism) {
            return self.wrap_old(&old, sealed, message, random);
        }
        let (before, behind) = self.room(sealed);
        let mut token = Vec::with_capacity(before + message.len() + behind);
        token.resize(before, 0);
        token.extend_from_slice(message);
        token.resize(before + message.len() + behind, 0);
        self.fill(sealed, &mut token, random)?;
        Ok(token)
    }

    /// Octets before and behind the message in a token of [`Self::wrap`].
    pub(crate) fn room(&self, sealed: bool) -> (usize, usize) {
        let enctype = self.key().enctype();
        if sealed {
            (WrapHeader::LEN + enctype.confounder_len(), WrapHeader::LEN + enctype.tag_len())
        } else {
            (WrapHeader::LEN, enctype.tag_len())
        }
    }

    /// [`Self::wrap`] where the message lies, with [room](Self::room) before and behind it.
    pub(crate) fn wrap_in_place(
        &self,
        sealed: bool,
        buffer: &mut [u8],
        random: &dyn Random,
    ) -> Result<(), Error> {
        self.check_pieces()?;
        self.fill(sealed, buffer, random)
    }

    /// Makes a token of a buffer that has the message between its rooms: `header | E(confounder, message, header)`, or
    /// `header | message | checksum(message, header with EC and RRC zero)`; no filler, no rotation.
    fn fill(&self, sealed: bool, buffer: &mut [u8], random: &dyn Random) -> Result<(), Error> {
        let (before, behind) = self.room(sealed);
        let message = buffer.len().checked_sub(before + behind).ok_or(Misuse::Pieces)?;
        let (head, tail) = buffer.split_first_chunk_mut().ok_or(Misuse::Pieces)?;
        if sealed {
            *head = self.wrap_header(TokenFlags::SEALED)?.octets();
            let copy = tail.get_mut(before - WrapHeader::LEN + message..).ok_or(Misuse::Pieces)?;
            *copy.first_chunk_mut().ok_or(Misuse::Pieces)? = *head;
            self.key().seal_in_place(self.role.seal_usage(), random, tail).map_err(|_| Misuse::TooLong)?;
        } else {
            let bare = self.wrap_header(0)?;
            let (message, room) = tail.split_at_mut_checked(message).ok_or(Misuse::Pieces)?;
            let checksum = self.key().checksum(self.role.seal_usage(), &[message, &bare.octets()]);
            let extra_count = u16::try_from(checksum.len()).map_err(|_| Misuse::TooLong)?;
            room.copy_from_slice(&checksum);
            *head = WrapHeader { extra_count, ..bare }.octets();
        }
        Ok(())
    }

    pub(crate) fn unwrap(&self, token: &[u8]) -> Result<Unwrapped, Error> {
        if let Some(old) = Old::of(self.key(), self.mechanism) {
            return self.unwrap_old(&old, token);
        }
        let mut message = token.to_vec();
        let (range, confidential, order) = self.unwrap_in_place(&mut message)?;
        message.truncate(range.end);
        message.drain(..range.start);
        Ok(Unwrapped { message, confidential, order })
    }

    /// [`Self::unwrap`] where the token lies: where in it the message is.
    pub(crate) fn unwrap_in_place(&self, token: &mut [u8]) -> Result<(Range<usize>, bool, Order), Error> {
        if let Some(old) = Old::of(self.key(), self.mechanism) {
            let mut opened = self.unwrap_old(&old, token)?;
            let length = rfc1964::put(token, &mut opened.message);
            return Ok((0..length, opened.confidential, opened.order));
        }
        let (header, body) = WrapHeader::parse(token)?;
        let rotation = self.rotation(&header, body.len())?;
        let tail = token.get_mut(WrapHeader::LEN..).ok_or(BadToken::Truncated)?;
        tail.rotate_left(rotation);
        let message = self.open_tail(&header, tail)?;
        let order = self.take(header.sequence).inspect_err(|_| tail.zeroize())?;
        let message = WrapHeader::LEN + message.start..WrapHeader::LEN + message.end;
        Ok((message, header.is_sealed(), order))
    }

    /// Verifies what follows the header, rotated back, and opens it where it lies: where in it the message is.
    fn open_tail(&self, header: &WrapHeader, tail: &mut [u8]) -> Result<Range<usize>, Error> {
        let key = self.receiving_key(header.flags)?;
        if header.is_sealed() {
            self.open(key, header, tail)
        } else {
            Ok(0..self.check_signed(key, header, tail)?)
        }
    }

    fn open(&self, key: &SessionKey, header: &WrapHeader, tail: &mut [u8]) -> Result<Range<usize>, Error> {
        let confounder = key.enctype().confounder_len();
        let plain =
            key.open_in_place(self.role.peer().seal_usage(), tail).map_err(|_| BadToken::Integrity)?;
        let length = match plain.split_last_chunk() {
            Some((rest, copy)) if header.agrees_with(copy) => {
                rest.len().checked_sub(usize::from(header.extra_count))
            }
            _ => None,
        };
        match length {
            Some(length) => Ok(confounder..confounder + length),
            None => {
                tail.zeroize();
                Err(BadToken::Integrity.into())
            }
        }
    }

    /// How many octets of `tail` are the message.
    fn check_signed(&self, key: &SessionKey, header: &WrapHeader, tail: &[u8]) -> Result<usize, Error> {
        if usize::from(header.extra_count) != key.enctype().tag_len() {
            return Err(BadToken::Integrity.into());
        }
        let length = tail.len().checked_sub(key.enctype().tag_len()).ok_or(BadToken::Truncated)?;
        let (message, checksum) = tail.split_at(length);
        let covered = WrapHeader { extra_count: 0, right_rotation: 0, ..*header }.octets();
        key.verify(self.role.peer().seal_usage(), &[message, &covered], checksum)
            .map_err(|_| BadToken::Integrity)?;
        Ok(length)
    }

    /// A MIC over parts laid end to end.
    pub(crate) fn mic(&self, parts: &[&[u8]]) -> Result<Vec<u8>, Error> {
        if let Some(old) = Old::of(self.key(), self.mechanism) {
            return self.mic_old(&old, parts);
        }
        let header = MicHeader { flags: self.token_flags(0), sequence: self.next_sequence()? }.octets();
        let checksum = self.key().checksum(self.role.sign_usage(), &covered(parts, &header));
        Ok([&header[..], &checksum].concat())
    }

    /// Verifies a MIC over parts laid end to end.
    pub(crate) fn verify_mic(&self, parts: &[&[u8]], token: &[u8]) -> Result<Order, Error> {
        if let Some(old) = Old::of(self.key(), self.mechanism) {
            return self.verify_mic_old(&old, parts, token);
        }
        let (header, checksum) = MicHeader::parse(token)?;
        let key = self.receiving_key(header.flags)?;
        if header.flags.has(TokenFlags::SEALED) {
            return Err(BadToken::WrongKind.into());
        }
        key.verify(self.role.peer().sign_usage(), &covered(parts, &header.octets()), checksum)
            .map_err(|_| BadToken::Integrity)?;
        Ok(self.take(header.sequence)?)
    }

    /// The header of the next token: no filler, no rotation.
    pub(super) fn wrap_header(&self, more: u8) -> Result<WrapHeader, Misuse> {
        let sequence = self.next_sequence()?;
        Ok(WrapHeader { flags: self.token_flags(more), extra_count: 0, right_rotation: 0, sequence })
    }

    /// By how many octets a tail of this length was rotated right (RFC 4121 §4.2.5): a rotation by more than the
    /// length is one by the remainder. In DCE style the filler's length comes on top where there is a rotation, as
    /// Windows has it.
    pub(super) fn rotation(&self, header: &WrapHeader, tail: usize) -> Result<usize, BadToken> {
        let by_filler = self.is_dce_style() && header.is_sealed() && header.right_rotation != 0;
        let filler = if by_filler { header.extra_count } else { 0 };
        let rotation = usize::from(header.right_rotation) + usize::from(filler);
        rotation.checked_rem(tail).ok_or(BadToken::Truncated)
    }

    /// How many octets a message may have so that its token has at most `token_octets` (RFC 2743 §2.2.7).
    pub(crate) fn size_limit(&self, sealed: bool, token_octets: usize) -> usize {
        let (before, behind) = self.room(sealed);
        let limit = token_octets.saturating_sub(before + behind);
        match Old::of(self.key(), self.mechanism) {
            None => limit,
            // Filler and the frame's length are steps, so the limit is looked for.
            Some(old) => (limit.saturating_sub(64)..token_octets)
                .rev()
                .find(|message| old.token_len(*message) <= token_octets)
                .unwrap_or(0),
        }
    }

    /// Whether messages may lie in pieces: only in tokens of RFC 4121.
    pub(super) fn check_pieces(&self) -> Result<(), Misuse> {
        match Old::of(self.key(), self.mechanism) {
            None => Ok(()),
            Some(_) => Err(Misuse::WholeMessagesOnly),
        }
    }

    pub(super) fn token_flags(&self, more: u8) -> TokenFlags {
        let subkey = if self.acceptor_subkey.is_some() { TokenFlags::ACCEPTOR_SUBKEY } else { 0 };
        TokenFlags(self.role.token_flag() | subkey | more)
    }

    /// The key for a token of the peer with these flags, if they are what the peer must set.
    pub(super) fn receiving_key(&self, flags: TokenFlags) -> Result<&SessionKey, BadToken> {
        if flags.has(TokenFlags::SENT_BY_ACCEPTOR) != (self.role == Role::Initiator) {
            return Err(BadToken::WrongDirection);
        }
        if flags.has(TokenFlags::ACCEPTOR_SUBKEY) != self.acceptor_subkey.is_some() {
            return Err(BadToken::WrongKey);
        }
        Ok(self.key())
    }

    /// Takes a number for a message. The last one of 64 bits is never used, so that none comes twice.
    pub(super) fn next_sequence(&self) -> Result<u64, Misuse> {
        self.send
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| {
                (number != u64::MAX).then(|| number + 1)
            })
            .map_err(|_| Misuse::SequenceEnd)
    }
}

/// What the checksum of a MIC covers.
fn covered<'a>(parts: &[&'a [u8]], header: &'a [u8]) -> Vec<&'a [u8]> {
    parts.iter().copied().chain([header]).collect()
}

#[cfg(test)]
mod tests {
    use orthros_crypto::{Enctype, Key};

    use super::*;

    #[test]
    fn filler_counts_for_the_rotation_of_sealed_tokens_in_dce_style_only() {
        let protection = |flags| {
            let key = SessionKey::from(Key::new(Enctype::Aes128CtsHmacSha1, &[1; 16]).unwrap());
            Protection::new(Role::Initiator, flags, key, None, 0, Window::new(0))
        };
        let (plain, dce) = (protection(Flags(0)), protection(Flags::DCE_STYLE));
        let header = |flags, right_rotation| WrapHeader {
            flags: TokenFlags(flags),
            extra_count: 3,
            right_rotation,
            sequence: 0,
        };
        for (which, flags, right_rotation, expected) in [
            (&dce, TokenFlags::SEALED, 28, Ok(31)),
            (&dce, TokenFlags::SEALED, 0, Ok(0)),
            (&dce, 0, 28, Ok(28)),
            (&plain, TokenFlags::SEALED, 28, Ok(28)),
            (&plain, 0, 0, Ok(0)),
        ] {
            assert_eq!(which.rotation(&header(flags, right_rotation), 100), expected);
        }
        assert_eq!(dce.rotation(&header(TokenFlags::SEALED, 98), 100), Ok(1), "around");
        assert!(dce.rotation(&header(0, 1), 0).is_err());
    }
}
