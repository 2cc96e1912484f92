//! Wrap, unwrap, MIC and verify of an established context (RFC 4121 §4.2.4).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use orthros_crypto::{KeyUsage, SessionKey};
use orthros_wire::Random;

use super::token::{MicHeader, TokenFlags, WrapHeader};
use super::window::Window;
use crate::error::{BadToken, Error, Misuse};
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
    fn peer(self) -> Self {
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
    fn seal_usage(self) -> KeyUsage {
        match self {
            Self::Initiator => KeyUsage::INITIATOR_SEAL,
            Self::Acceptor => KeyUsage::ACCEPTOR_SEAL,
        }
    }

    fn sign_usage(self) -> KeyUsage {
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
    /// The initiator's subkey, else the ticket's session key.
    pub(crate) base_key: SessionKey,
    /// The acceptor's subkey; all messages use it where there is one.
    pub(crate) acceptor_subkey: Option<SessionKey>,
    /// The number of the next message sent.
    send: AtomicU64,
    window: Mutex<Window>,
}

impl Protection {
    pub(crate) fn new(
        role: Role,
        base_key: SessionKey,
        acceptor_subkey: Option<SessionKey>,
        send: u64,
        window: Window,
    ) -> Self {
        Self { role, base_key, acceptor_subkey, send: AtomicU64::new(send), window: Mutex::new(window) }
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

    /// The key that protects messages.
    pub(crate) fn key(&self) -> &SessionKey {
        self.acceptor_subkey.as_ref().unwrap_or(&self.base_key)
    }

    pub(crate) fn wrap(&self, sealed: bool, message: &[u8], random: &dyn Random) -> Result<Vec<u8>, Error> {
        if sealed { self.seal(message, random) } else { self.sign(message) }
    }

    /// `header | E(confounder, message, header)`; no filler, no rotation.
    fn seal(&self, message: &[u8], random: &dyn Random) -> Result<Vec<u8>, Error> {
        let key = self.key();
        let header = WrapHeader {
            flags: self.flags(TokenFlags::SEALED),
            extra_count: 0,
            right_rotation: 0,
            sequence: self.next_sequence()?,
        }
        .octets();
        let enctype = key.enctype();
        let sealed_len = key.sealed_len(message.len() + WrapHeader::LEN);
        let mut token = Vec::with_capacity(WrapHeader::LEN + sealed_len);
        token.extend_from_slice(&header);
        token.resize(WrapHeader::LEN + enctype.confounder_len(), 0);
        token.extend_from_slice(message);
        token.extend_from_slice(&header);
        token.resize(WrapHeader::LEN + sealed_len, 0);
        let (_, body) = token.split_at_mut(WrapHeader::LEN);
        key.seal_in_place(self.role.seal_usage(), random, body).map_err(|_| Misuse::TooLong)?;
        Ok(token)
    }

    /// `header | message | checksum(message, header with EC and RRC zero)`.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.key();
        let bare = WrapHeader {
            flags: self.flags(0),
            extra_count: 0,
            right_rotation: 0,
            sequence: self.next_sequence()?,
        };
        let checksum = key.checksum(self.role.seal_usage(), &[message, &bare.octets()]);
        let extra_count = u16::try_from(checksum.len()).map_err(|_| Misuse::TooLong)?;
        let mut token = Vec::with_capacity(WrapHeader::LEN + message.len() + checksum.len());
        token.extend_from_slice(&WrapHeader { extra_count, ..bare }.octets());
        token.extend_from_slice(message);
        token.extend_from_slice(&checksum);
        Ok(token)
    }

    pub(crate) fn unwrap(&self, token: &[u8]) -> Result<Unwrapped, Error> {
        let (header, body) = WrapHeader::parse(token)?;
        let key = self.receiving_key(header.flags)?;
        let confidential = header.flags.has(TokenFlags::SEALED);
        let mut tail = unrotate(body, header.right_rotation)?;
        let message = if confidential {
            self.open(key, &header, tail)?
        } else {
            let length = self.check_signed(key, &header, &tail)?;
            tail.truncate(length);
            tail
        };
        let order = self.window().take(header.sequence).ok_or(BadToken::SequenceEnd)?;
        Ok(Unwrapped { message, confidential, order })
    }

    fn open(&self, key: &SessionKey, header: &WrapHeader, mut tail: Vec<u8>) -> Result<Vec<u8>, Error> {
        let confounder = key.enctype().confounder_len();
        let plain =
            key.open_in_place(self.role.peer().seal_usage(), &mut tail).map_err(|_| BadToken::Integrity)?;
        // The sealed copy of the header is the one to believe; all but the rotation must agree with the
        // one in the clear.
        let (rest, copy) = plain.split_last_chunk::<{ WrapHeader::LEN }>().ok_or(BadToken::Integrity)?;
        let length = rest.len().checked_sub(usize::from(header.extra_count)).ok_or(BadToken::Integrity)?;
        if *copy != (WrapHeader { right_rotation: 0, ..*header }).octets() {
            return Err(BadToken::Integrity.into());
        }
        tail.truncate(confounder + length);
        tail.drain(..confounder);
        Ok(tail)
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

    pub(crate) fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let header = MicHeader { flags: self.flags(0), sequence: self.next_sequence()? }.octets();
        let checksum = self.key().checksum(self.role.sign_usage(), &[message, &header]);
        Ok([&header[..], &checksum].concat())
    }

    pub(crate) fn verify_mic(&self, message: &[u8], token: &[u8]) -> Result<Order, Error> {
        let (header, checksum) = MicHeader::parse(token)?;
        let key = self.receiving_key(header.flags)?;
        if header.flags.has(TokenFlags::SEALED) {
            return Err(BadToken::WrongKind.into());
        }
        key.verify(self.role.peer().sign_usage(), &[message, &header.octets()], checksum)
            .map_err(|_| BadToken::Integrity)?;
        Ok(self.window().take(header.sequence).ok_or(BadToken::SequenceEnd)?)
    }

    /// How many octets of overhead a wrap token has beside its message (RFC 2743 §2.2.7).
    pub(crate) fn wrap_overhead(&self, sealed: bool) -> usize {
        let key = self.key();
        WrapHeader::LEN + if sealed { key.sealed_len(WrapHeader::LEN) } else { key.enctype().tag_len() }
    }

    fn flags(&self, more: u8) -> TokenFlags {
        let subkey = if self.acceptor_subkey.is_some() { TokenFlags::ACCEPTOR_SUBKEY } else { 0 };
        TokenFlags(self.role.token_flag() | subkey | more)
    }

    /// The key for a token of the peer with these flags, if they are what the peer must set.
    fn receiving_key(&self, flags: TokenFlags) -> Result<&SessionKey, BadToken> {
        if flags.has(TokenFlags::SENT_BY_ACCEPTOR) != (self.role == Role::Initiator) {
            return Err(BadToken::WrongDirection);
        }
        if flags.has(TokenFlags::ACCEPTOR_SUBKEY) != self.acceptor_subkey.is_some() {
            return Err(BadToken::WrongKey);
        }
        Ok(self.key())
    }

    /// Takes a number for a message. The last one of 64 bits is never used, so that none comes twice.
    fn next_sequence(&self) -> Result<u64, Misuse> {
        self.send
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |number| {
                (number != u64::MAX).then(|| number + 1)
            })
            .map_err(|_| Misuse::SequenceEnd)
    }
}

/// Undoes the rotation of RFC 4121 §4.2.5. A rotation by more than the length is one by the remainder.
fn unrotate(body: &[u8], right_rotation: u16) -> Result<Vec<u8>, BadToken> {
    let rotation = usize::from(right_rotation).checked_rem(body.len()).ok_or(BadToken::Truncated)?;
    if rotation == 0 {
        return Ok(body.to_vec());
    }
    let (moved, rest) = body.split_at(rotation);
    Ok([rest, moved].concat())
}
