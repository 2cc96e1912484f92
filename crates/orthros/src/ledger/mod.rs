//! Ledgers: which transfer tokens have been spent. Each token's id can be spent once.
//!
//! | type | single use across |
//! |---|---|
//! | [`FamilyLedger`] | a process and what it forks |
//! | [`FileLedger`] | the processes of one user on one machine; of several machines that share a folder |
//! | [`MemoryLedger`] | the threads of one process; refuses after a fork |

mod family;
mod file;
mod memory;

use std::fmt;

use orthros_wire::Timestamp;
use orthros_wire::env::Civil;

pub use family::FamilyLedger;
pub use file::FileLedger;
pub use memory::MemoryLedger;

/// Octets of a token's id.
pub const ID_LEN: usize = 16;

/// Keeps the ids of tokens that have been imported.
pub trait Ledger: Send + Sync {
    /// Spends `id` for this process at `now`. It stays spent until `until` at least. Of several callers at one
    /// moment, in whatever threads and processes the ledger covers, exactly one succeeds.
    ///
    /// # Errors
    /// [`SpendRefusal::AlreadySpent`] if it was spent before; [`SpendRefusal::Unavailable`] if that can't be
    /// found out or recorded. Both mean that the token must be refused.
    fn spend(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal>;
}

/// Why a token can't be spent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpendRefusal {
    /// It was spent before.
    AlreadySpent {
        /// When, to the millisecond.
        at: Timestamp,
        /// By which process.
        pid: u32,
    },
    /// The ledger can't tell; the text names it and the cause.
    Unavailable(String),
}

impl fmt::Display for SpendRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadySpent { at, pid } => {
                let time = Civil::from_seconds(at.seconds);
                write!(
                    f,
                    "the token was spent at {:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z by pid {pid}. \
                     A context lives in one process at a time",
                    time.year,
                    time.month,
                    time.day,
                    time.hour,
                    time.minute,
                    time.second,
                    at.microseconds / 1_000
                )
            }
            Self::Unavailable(cause) => write!(f, "the ledger of spent tokens can't be used: {cause}"),
        }
    }
}

impl std::error::Error for SpendRefusal {}
