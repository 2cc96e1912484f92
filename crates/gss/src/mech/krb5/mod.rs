//! The Kerberos V5 mechanism (RFC 4121).
//!
//! | file | what it does |
//! |---|---|
//! | `target` | which principals a name may mean |
//! | `initiator` | ticket, AP-REQ, and the acceptor's answer |
//! | `acceptor` | AP-REQ in, AP-REP or KRB-ERROR out |
//! | `checksum` | the authenticator's checksum: bindings, flags, delegation (§4.1.1) |
//!
//! Inner tokens begin with two octets: 01 00 AP-REQ, 02 00 AP-REP, 03 00 KRB-ERROR (§4.1). In DCE style the Kerberos
//! messages are bare, without those and without the framing of RFC 2743 (MS-KILE §3.4.5.1).

pub(crate) mod acceptor;
pub(crate) mod checksum;
pub(crate) mod initiator;
pub(crate) mod target;

use orthros_crypto::{Enctype, MessageTokens};
use orthros_krb5::ap::RemoteError;
use orthros_wire::Random;

use crate::error::{BadToken, Error, Refusal};
use crate::mechanism::Mechanism;
use crate::{Flags, framing};

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

/// How the tokens that establish a context are wrapped up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dress {
    /// Kerberos messages as they are: DCE style.
    Bare,
    /// As RFC 4121 §4.1 has it, with the identifier of this mechanism.
    Framed(&'static Mechanism),
}

impl Dress {
    /// How a context of these flags does it.
    pub(crate) fn of(flags: Flags, mechanism: &'static Mechanism) -> Self {
        if flags.contains(Flags::DCE_STYLE) { Self::Bare } else { Self::Framed(mechanism) }
    }

    /// A token with a Kerberos message.
    pub(crate) fn token(self, kind: TokenKind, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Bare => message.to_vec(),
            Self::Framed(mechanism) => framing::frame(&mechanism.oid, &[&kind.octets(), message]),
        }
    }
}

/// A token that was opened.
#[derive(Debug)]
pub(crate) struct OpenedToken<'a> {
    pub(crate) kind: TokenKind,
    /// The Kerberos message.
    pub(crate) message: &'a [u8],
    pub(crate) dress: Dress,
}

/// The kind of a token of this mechanism and the Kerberos message in it.
pub(crate) fn open<'a>(token: &'a [u8], expected: &'static Mechanism) -> Result<OpenedToken<'a>, Error> {
    // [APPLICATION 14], [APPLICATION 15], [APPLICATION 30], by the first octet (RFC 4120 §5.10).
    let bare = match token {
        [0x6e, ..] => Some(TokenKind::Request),
        [0x6f, ..] => Some(TokenKind::Reply),
        [0x7e, ..] => Some(TokenKind::Error),
        _ => None,
    };
    if let Some(kind) = bare {
        return Ok(OpenedToken { kind, message: token, dress: Dress::Bare });
    }
    let (mechanism, inner) = framing::unframe(token)?;
    if mechanism != expected.oid {
        return Err(Refusal::Mechanism(mechanism).into());
    }
    let (kind, message) = inner.split_first_chunk::<2>().ok_or(BadToken::Truncated)?;
    let kinds = [TokenKind::Request, TokenKind::Reply, TokenKind::Error];
    let kind = kinds.into_iter().find(|known| known.octets() == *kind).ok_or(BadToken::WrongKind)?;
    Ok(OpenedToken { kind, message, dress: Dress::Framed(expected) })
}

/// A KRB-ERROR of the peer's, as the end of a context on its way up.
pub(crate) fn remote(message: &[u8]) -> Error {
    match RemoteError::from_der(message) {
        Ok(remote) => Refusal::Remote(remote).into(),
        Err(_) => BadToken::Malformed.into(),
    }
}

/// Whether the acceptor chooses a key too: always with the tokens of RFC 4121; with the older ones in DCE style only,
/// for elsewhere peers do not look at it.
pub(crate) fn acceptor_chooses(enctype: Enctype, dress: Dress) -> bool {
    enctype.message_tokens() == MessageTokens::Rfc4121 || dress == Dress::Bare
}

/// A first sequence number. 30 bits, so that peers which take it for a signed or a 32-bit number that must
/// not wrap soon go on well (RFC 4120 §3.2.2 leaves the choice).
pub(crate) fn first_sequence(random: &dyn Random) -> u32 {
    let mut octets = [0; 4];
    random.fill(&mut octets);
    u32::from_be_bytes(octets) & 0x3fff_ffff
}
