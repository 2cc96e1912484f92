//! Context transfer: a context moves to another process, once (RFC 2743 §2.2.8, §2.2.9).
//!
//! *Export* takes the context by value, writes its state and seals it; *import* opens the token and spends
//! its id in a ledger, so that only one instantiation is ever active. Credentials move under the same seal, but
//! without a ledger, any number of times.
//!
//! | file | what it does |
//! |---|---|
//! | [`seal`] | the token's layout and its sealing |
//! | [`header`] | what a token says in the clear |
//! | [`claims`] | what a token demands of its importer |
//! | `state` | a context's state as octets |
//! | [`export`] | [`Context::export`](crate::Context::export) |
//! | [`mod@import`] | [`import()`] |
//! | [`mod@credential`] | [`export_credential`], [`import_credential`] |
//! | [`suspend`] | acceptors' contexts on their way up, as cookies |
//! | [`handover`] | a context goes to a peer of this machine, without a key and a ledger |
//!
//! Where the sealing key and the ledger live is floor 5's business: here they are values and a
//! [`NeedSpend`](crate::context::NeedSpend).

pub mod claims;
pub mod credential;
pub mod export;
pub mod handover;
pub mod header;
pub mod import;
pub mod seal;
pub(crate) mod state;
pub mod suspend;

pub use claims::{Claim, Claims, Issue, Mismatch, Seal};
pub use credential::{export_credential, import_credential};
pub use export::Kept;
pub use header::Header;
pub use import::import;
pub use seal::{Kind, SealingKey};

use std::fmt;

use orthros_wire::Timestamp;

use crate::status::Major;

/// When and by whom a token was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When.
    pub at: Timestamp,
    /// By which process.
    pub pid: u32,
}

/// Why a transfer is refused. A refused import does not spend the token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferRefusal {
    /// The importer is not whom the token demands.
    Claim(Box<Mismatch>),
    /// The sealed credential's time is over.
    CredentialExpired {
        /// When it ended.
        ended: Timestamp,
    },
    /// The token is changed, truncated, or no such token.
    Damaged,
    /// The token's time is over.
    Expired {
        /// When it ended.
        ended: Timestamp,
    },
    /// The token was sealed with another key: by another user, with another runtime folder, in a chroot.
    ForeignKey,
    /// The token does not wait to be imported: it was imported before, and the ledger can't say when and by whom.
    Gone,
    /// The key or the place for it can't be had; the text names each place tried.
    Key(String),
    /// Of contexts on their way up, only an acceptor's can be suspended.
    Initiator,
    /// The ledger can't be asked or can't record.
    Ledger(String),
    /// The token was sealed on another machine or before the last boot.
    OtherBoot,
    /// The token was sealed where another ledger is asked.
    OtherLedger,
    /// The other end of a handover does not do its part; the text says what it did.
    Peer(String),
    /// The token was imported before.
    SpentBefore(Spent),
    /// The context's state is too large for a token.
    TooLarge,
    /// Transfer is switched off.
    Unavailable,
    /// The token is of a later version or of another type.
    Version,
}

impl TransferRefusal {
    /// The major status (RFC 2744 §5.14, §5.21).
    pub fn major(&self) -> Major {
        match self {
            Self::CredentialExpired { .. } => Major::CredentialsExpired,
            Self::Damaged | Self::Version => Major::DefectiveToken,
            Self::Expired { .. } => Major::ContextExpired,
            Self::Claim(_) | Self::ForeignKey | Self::OtherBoot | Self::OtherLedger => Major::Unauthorized,
            Self::Key(_) | Self::Ledger(_) | Self::Peer(_) | Self::TooLarge => Major::Failure,
            Self::Gone | Self::SpentBefore(_) => Major::NoContext,
            Self::Initiator | Self::Unavailable => Major::Unavailable,
        }
    }
}

impl fmt::Display for TransferRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(mismatch) => mismatch.fmt(f),
            Self::CredentialExpired { ended } => write!(f, "the sealed credential ended at {ended}: run kinit"),
            Self::Damaged => f.write_str("the token is damaged: it was changed or cut"),
            Self::Expired { ended } => write!(f, "the token expired at {ended}"),
            Self::ForeignKey => f.write_str(
                "the token was sealed with another key: by another user, or with another runtime folder (a chroot?); \
                 set transfer_key in section [orthros] of krb5.conf to give both processes one key",
            ),
            Self::Gone => f.write_str(
                "The token does not wait to be imported: it was spent, and when and by whom is not known any more. \
                 A context lives in one process at a time.",
            ),
            Self::Key(report) => write!(f, "no key to seal with: {report}"),
            Self::Initiator => f.write_str("only an acceptor's context can be suspended, not an initiator's"),
            Self::Ledger(report) => write!(f, "the ledger of spent tokens can't be used, so no token is given or taken: {report}"),
            Self::OtherBoot => f.write_str("the token was sealed on another machine or before the last boot"),
            Self::OtherLedger => f.write_str(
                "the token was sealed where another ledger is asked: transfer_ledger in section [orthros] of krb5.conf \
                 must name one folder that all machines share",
            ),
            Self::Peer(report) => write!(f, "the other end of the handover: {report}"),
            Self::SpentBefore(spent) => write!(
                f,
                "The token was spent at {} by pid {}. A context lives in one process at a time.",
                spent.at, spent.pid
            ),
            Self::TooLarge => f.write_str("the context's state is too large for a token"),
            Self::Unavailable => f.write_str("context transfer is switched off (transfer in section [orthros] of krb5.conf)"),
            Self::Version => f.write_str("the token is of another type or a later version"),
        }
    }
}

impl std::error::Error for TransferRefusal {}
