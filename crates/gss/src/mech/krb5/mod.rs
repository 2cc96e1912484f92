//! The Kerberos V5 mechanism (RFC 4121).
//!
//! | file | what it does |
//! |---|---|
//! | `target` | which principals a name may mean |
//! | `initiator` | ticket, AP-REQ, and the acceptor's answer |
//! | `acceptor` | AP-REQ in, AP-REP or KRB-ERROR out |
//! | `checksum` | the authenticator's checksum: bindings, flags, delegation (§4.1.1) |
//!
//! Inner tokens begin with two octets: 01 00 AP-REQ, 02 00 AP-REP, 03 00 KRB-ERROR (§4.1).

pub(crate) mod acceptor;
pub(crate) mod checksum;
pub(crate) mod initiator;
pub(crate) mod target;

use orthros_wire::{Oid, Random};

use crate::error::{BadToken, Error, Refusal};
use crate::framing;

/// 1.2.840.113554.1.2.2 (RFC 1964 §1).
pub const MECHANISM: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02]);

/// What an inner token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Request,
    Reply,
    Error,
}

impl TokenKind {
    const fn octets(self) -> [u8; 2] {
        match self {
            Self::Request => [1, 0],
            Self::Reply => [2, 0],
            Self::Error => [3, 0],
        }
    }
}

/// Frames a Kerberos message.
pub(crate) fn token(kind: TokenKind, message: &[u8]) -> Vec<u8> {
    framing::frame(&MECHANISM, &[&kind.octets(), message])
}

/// The kind of a token and the Kerberos message in it.
pub(crate) fn open(token: &[u8]) -> Result<(TokenKind, &[u8]), Error> {
    let (mechanism, inner) = framing::unframe(token)?;
    if mechanism != MECHANISM {
        return Err(Refusal::Mechanism(mechanism).into());
    }
    let (kind, message) = inner.split_first_chunk::<2>().ok_or(BadToken::Truncated)?;
    let kinds = [TokenKind::Request, TokenKind::Reply, TokenKind::Error];
    let kind = kinds.into_iter().find(|known| known.octets() == *kind).ok_or(BadToken::WrongKind)?;
    Ok((kind, message))
}

/// A first sequence number. 30 bits, so that peers which take it for a signed or a 32-bit number that must
/// not wrap soon go on well (RFC 4120 §3.2.2 leaves the choice).
pub(crate) fn first_sequence(random: &dyn Random) -> u32 {
    let mut octets = [0; 4];
    random.fill(&mut octets);
    u32::from_be_bytes(octets) & 0x3fff_ffff
}
