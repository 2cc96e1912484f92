//! Errors, grouped by whose fault they are. What crosses the API as a major status is decided in one match.

use std::fmt;

use orthros_krb5::ap::{ApRefusal, RemoteError};
use orthros_krb5::exchange::KdcFailure;
use orthros_krb5::permitted::NotPermitted;
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::{Oid, Timestamp};

use crate::name::BadName;
use crate::status::Major;
use crate::transfer::TransferRefusal;

/// Why a GSS-API operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No credential fits.
    Credential(NoCredential),
    /// A KDC refused, answered wrongly, or could not be reached.
    Kdc(Box<KdcFailure>),
    /// The caller asked for what can't be; never caused by a peer's octets.
    Misuse(Misuse),
    /// A name can't be used.
    Name(BadName),
    /// Policy or the peer refuses.
    Refused(Refusal),
    /// The peer's token is malformed or its integrity check failed.
    Token(BadToken),
    /// Context transfer refuses.
    Transfer(TransferRefusal),
}

/// Faults of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The context's time is over.
    ContextExpired {
        /// When it ended.
        ended: Timestamp,
    },
    /// The credential has such an element already.
    DuplicateElement,
    /// Sealing was asked for on a context without confidentiality.
    NotConfidential,
    /// A credential is to be stored, and neither a place is named nor the default one meant.
    NowhereToStore,
    /// The pieces of a message are not the ones that a token needs, or have other lengths.
    Pieces,
    /// All 2^64 - 1 sequence numbers have been used.
    SequenceEnd,
    /// The message is too long to protect.
    TooLong,
    /// No question has this object identifier.
    UnknownInquiry,
    /// The context's tokens are of RFC 1964: their messages can't lie in pieces.
    WholeMessagesOnly,
}

/// Faults in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadToken {
    /// The header of RFC 2743 §3.1 is malformed.
    Framing,
    /// The integrity check failed. Nothing more is said, on purpose.
    Integrity,
    /// The inner message is malformed.
    Malformed,
    /// The sequence number is the last of 64 bits, which no sender may use.
    SequenceEnd,
    /// The token ends too early.
    Truncated,
    /// A negotiation ended without the proof of what was offered (RFC 4178 §5).
    Unproved,
    /// It was sent by the other role: a reflected token.
    WrongDirection,
    /// It names another key than the context's.
    WrongKey,
    /// It is no token of the expected kind.
    WrongKind,
}

/// Refusals by policy or by the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The AP exchange refuses.
    Ap(ApRefusal),
    /// The channel bindings of both ends do not agree.
    Bindings {
        /// The initiator gave none, and the acceptor demands them.
        absent: bool,
    },
    /// IAKERB: initiator and acceptor did not see the same messages carried to KDCs.
    Carried,
    /// The authenticator lacks the checksum of RFC 4121 §4.1.1.
    Checksum,
    /// The delegated credential is malformed.
    Delegation,
    /// The token is for a mechanism that is not here.
    Mechanism(Oid),
    /// The peer ended the negotiation of a mechanism and did not say why.
    NegotiationRejected,
    /// None of the mechanisms that the initiator offers is here.
    NoMechanism(Vec<Oid>),
    /// The ticket's session key is of an enctype that is not permitted.
    NotPermitted {
        /// Whom the ticket is for.
        server: Principal,
        /// The enctype.
        refused: NotPermitted,
    },
    /// The peer sent a KRB-ERROR. It is not authentic.
    Remote(RemoteError),
    /// The request was seen before.
    Replay {
        /// Who is said to ask.
        client: Principal,
    },
    /// The replay cache can't be asked, so the request can't be accepted.
    ReplayCache(String),
    /// IAKERB: more messages, or longer ones, than are carried to KDCs for one context.
    TooMuchCarried,
    /// The credential accepts for another principal than the ticket's.
    WrongService {
        /// Whom the ticket is for.
        asked: Principal,
        /// Whom the credential is for.
        offered: String,
    },
}

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoCredential {
    /// The ticket-granting ticket has ended.
    Expired {
        /// Whose it is.
        client: Principal,
        /// When it ended.
        ended: Timestamp,
    },
    /// There is none; the text names each place tried.
    None(String),
    /// There is neither a ticket for the service nor a ticket-granting ticket to get one with.
    NoTicket {
        /// Whose credential it is.
        client: Principal,
        /// Whom a ticket was needed for.
        server: Principal,
    },
}

impl Error {
    /// The major status (RFC 2744 §3.9.1).
    pub fn major(&self) -> Major {
        match self {
            Self::Credential(NoCredential::Expired { .. }) => Major::CredentialsExpired,
            Self::Credential(NoCredential::None(_) | NoCredential::NoTicket { .. }) => Major::NoCredential,
            Self::Kdc(_) => Major::Failure,
            Self::Misuse(Misuse::ContextExpired { .. }) => Major::ContextExpired,
            Self::Misuse(Misuse::DuplicateElement) => Major::DuplicateElement,
            Self::Misuse(Misuse::UnknownInquiry | Misuse::WholeMessagesOnly) => Major::Unavailable,
            Self::Misuse(
                Misuse::NotConfidential
                | Misuse::NowhereToStore
                | Misuse::Pieces
                | Misuse::SequenceEnd
                | Misuse::TooLong,
            ) => Major::Failure,
            Self::Name(BadName::Type(_)) => Major::BadNameType,
            Self::Name(_) => Major::BadName,
            Self::Refused(Refusal::Bindings { .. }) => Major::BadBindings,
            Self::Refused(Refusal::Ap(ApRefusal::Malformed(_))) => Major::DefectiveToken,
            Self::Refused(Refusal::Mechanism(_) | Refusal::NoMechanism(_)) => Major::BadMechanism,
            Self::Refused(Refusal::Replay { .. }) => Major::Failure,
            Self::Refused(Refusal::WrongService { .. }) => Major::Failure,
            Self::Refused(
                Refusal::Ap(_)
                | Refusal::Carried
                | Refusal::Checksum
                | Refusal::Delegation
                | Refusal::NegotiationRejected
                | Refusal::NotPermitted { .. }
                | Refusal::Remote(_)
                | Refusal::ReplayCache(_)
                | Refusal::TooMuchCarried,
            ) => Major::Failure,
            Self::Token(BadToken::Integrity) => Major::BadMic,
            Self::Token(
                BadToken::Framing
                | BadToken::Malformed
                | BadToken::SequenceEnd
                | BadToken::Truncated
                | BadToken::Unproved
                | BadToken::WrongDirection
                | BadToken::WrongKey
                | BadToken::WrongKind,
            ) => Major::DefectiveToken,
            Self::Transfer(refusal) => refusal.major(),
        }
    }

    /// The Kerberos error that belongs to it: what an acceptor tells its peer, and what C programs see as
    /// the minor status. `None` where Kerberos has no number for it.
    pub fn kerberos_code(&self) -> Option<ErrorCode> {
        match self {
            Self::Credential(NoCredential::Expired { .. }) => Some(ErrorCode::TKT_EXPIRED),
            Self::Credential(_) | Self::Misuse(_) | Self::Name(_) | Self::Transfer(_) => None,
            Self::Kdc(failure) => failure.code(),
            Self::Refused(Refusal::Ap(refusal)) => Some(refusal.code()),
            Self::Refused(Refusal::Bindings { .. }) => Some(ErrorCode::GENERIC),
            Self::Refused(Refusal::Carried) => Some(ErrorCode::BAD_INTEGRITY),
            Self::Refused(Refusal::Checksum) => Some(ErrorCode::INAPP_CKSUM),
            Self::Refused(Refusal::Delegation | Refusal::ReplayCache(_) | Refusal::TooMuchCarried) => {
                Some(ErrorCode::GENERIC)
            }
            Self::Refused(Refusal::Mechanism(_) | Refusal::NegotiationRejected | Refusal::NoMechanism(_)) => {
                None
            }
            Self::Refused(Refusal::NotPermitted { .. }) => Some(ErrorCode::ETYPE_NOSUPP),
            Self::Refused(Refusal::Remote(remote)) => Some(remote.code),
            Self::Refused(Refusal::Replay { .. }) => Some(ErrorCode::REPEAT),
            Self::Refused(Refusal::WrongService { .. }) => Some(ErrorCode::NOT_US),
            Self::Token(BadToken::Integrity) => Some(ErrorCode::MODIFIED),
            Self::Token(_) => Some(ErrorCode::MSG_TYPE),
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContextExpired { ended } => write!(f, "the context ended at {ended}: establish a new one"),
            Self::DuplicateElement => f.write_str("the credential has an element of this mechanism and usage already"),
            Self::NotConfidential => f.write_str(
                "the context was established without confidentiality: ask for it when initiating, or use wrap_integrity",
            ),
            Self::NowhereToStore => f.write_str("name a credential cache to store into, or store as the default"),
            Self::Pieces => f.write_str(
                "the message's pieces do not suit a token: one header, at most one trailer, of the lengths that piece_lengths tells",
            ),
            Self::SequenceEnd => f.write_str("the context's sequence numbers are used up: establish a new one"),
            Self::TooLong => f.write_str("the message is too long to protect"),
            Self::WholeMessagesOnly => f.write_str(
                "the context's keys go with the tokens of RFC 1964, whose messages can't lie in pieces: wrap them whole",
            ),
            Self::UnknownInquiry => f.write_str("contexts answer no question of this object identifier"),
        }
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Framing => "the token has no valid mechanism header",
            Self::Integrity => "the integrity check failed",
            Self::Malformed => "the token is malformed",
            Self::SequenceEnd => "the token bears a sequence number that no sender may use",
            Self::Truncated => "the token ends too early",
            Self::Unproved => {
                "the peer ended the negotiation of a mechanism without proving that it saw what was offered"
            }
            Self::WrongDirection => "the token was sent by this end's own role",
            Self::WrongKey => "the token names another key than the context's",
            Self::WrongKind => "the token is not of the expected kind",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ap(refusal) => refusal.fmt(f),
            Self::Bindings { absent: true } => {
                f.write_str("the initiator gave no channel bindings, and they are required here")
            }
            Self::Bindings { absent: false } => f.write_str(
                "the channel bindings of initiator and acceptor differ: they do not see the same channel (a proxy that ends TLS?)",
            ),
            Self::Carried => f.write_str(
                "initiator and acceptor did not see the same messages to the KDC and back: somebody in between has changed them, or the initiator does not prove what it saw",
            ),
            Self::Checksum => f.write_str("the authenticator lacks the GSS-API's checksum (RFC 4121 4.1.1)"),
            Self::Delegation => f.write_str("the delegated credential is malformed"),
            Self::Mechanism(oid) => write!(f, "the mechanism {oid} is not supported here"),
            Self::NegotiationRejected => {
                f.write_str("the peer ended the negotiation of a mechanism without saying why: look at its log")
            }
            Self::NoMechanism(offered) => {
                let offered: Vec<String> = offered.iter().map(ToString::to_string).collect();
                write!(f, "none of the mechanisms that the initiator offers is supported here: {}", offered.join(", "))
            }
            Self::NotPermitted { server, refused } => {
                write!(f, "the ticket for {server} can't be used: {refused}")
            }
            Self::Remote(remote) => write!(f, "the peer says (unauthenticated): {remote}"),
            Self::Replay { client } => write!(f, "the request of {client} was seen before: a replay"),
            Self::ReplayCache(report) => write!(f, "the replay cache can't be used, so no request is accepted: {report}"),
            Self::TooMuchCarried => f.write_str(
                "the way to a ticket takes more messages, or longer ones, than an acceptor carries to KDCs for one context",
            ),
            Self::WrongService { asked, offered } => {
                write!(f, "the ticket is for {asked}, and the credential accepts for {offered} only")
            }
        }
    }
}

impl fmt::Display for NoCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired { client, ended } => {
                write!(f, "the ticket-granting ticket of {client} ended at {ended}: run kinit")
            }
            Self::None(places) => write!(f, "no credential: {places}"),
            Self::NoTicket { client, server } => write!(
                f,
                "{client} has neither a ticket for {server} nor a ticket-granting ticket to get one with: run kinit"
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(reason) => reason.fmt(f),
            Self::Kdc(failure) => failure.fmt(f),
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Token(token) => token.fmt(f),
            Self::Transfer(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<BadToken> for Error {
    fn from(token: BadToken) -> Self {
        Self::Token(token)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ApRefusal> for Error {
    fn from(refusal: ApRefusal) -> Self {
        Self::Refused(Refusal::Ap(refusal))
    }
}

impl From<NoCredential> for Error {
    fn from(reason: NoCredential) -> Self {
        Self::Credential(reason)
    }
}

impl From<BadName> for Error {
    fn from(name: BadName) -> Self {
        Self::Name(name)
    }
}

impl From<KdcFailure> for Error {
    fn from(failure: KdcFailure) -> Self {
        Self::Kdc(Box::new(failure))
    }
}

impl From<TransferRefusal> for Error {
    fn from(refusal: TransferRefusal) -> Self {
        Self::Transfer(refusal)
    }
}
