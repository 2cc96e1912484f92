//! Ledgers: which transfer tokens have been spent. Each token's id can be spent once.
//!
//! | type | single use across |
//! |---|---|
//! | [`FamilyLedger`] | a process and what it forks |
//! | [`FileLedger`] | the processes of one user on one machine; of several machines that share a folder |
//! | [`KeyringLedger`] | the processes of one user on one machine, where no folder can hold a file |
//! | [`MemoryLedger`] | the threads of one process; refuses after a fork |

mod family;
mod file;
mod keyring;
mod memory;

use std::fmt;

use orthros_wire::Timestamp;
use orthros_wire::env::Civil;

pub use family::FamilyLedger;
pub use file::FileLedger;
pub use keyring::KeyringLedger;
pub use memory::MemoryLedger;

/// Octets of a token's id.
pub const ID_LEN: usize = 16;

/// Keeps the ids of tokens that have been imported, or of those that have not.
pub trait Ledger: Send + Sync {
    /// Hears of a token that is about to leave, at `now`: whoever keeps what was *not* imported must know it. A ledger of
    /// what was imported has nothing to do.
    ///
    /// # Errors
    /// [`SpendRefusal::Unavailable`] if it can't be kept. The token must not leave then: nobody could import it.
    fn issue(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        let _ = (id, until, now);
        Ok(())
    }

    /// Spends `id` for this process at `now`. It stays spent until `until` at least. Of several callers at one
    /// moment, in whatever threads and processes the ledger covers, exactly one succeeds.
    ///
    /// # Errors
    /// [`SpendRefusal::AlreadySpent`] or [`SpendRefusal::Gone`] if it was spent before; [`SpendRefusal::Unavailable`] if
    /// that can't be found out or recorded. All mean that the token must be refused.
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
    /// It does not wait to be spent: it was spent, and when and by whom is forgotten, or it was never issued here.
    Gone,
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
            Self::Gone => f.write_str(
                "the token does not wait to be imported: it was spent, and when and by whom is not known any more",
            ),
            Self::Unavailable(cause) => write!(f, "the ledger of spent tokens can't be used: {cause}"),
        }
    }
}

impl std::error::Error for SpendRefusal {}
