//! The ledger in a file, shared by the processes of one user.
//!
//! Shape: the engine's ([`crate::table`]): magic number `orthled1`, seed, records of 32 octets: the token's id
//! (16), when and by whom it was spent (8), until when it must be known (8), all big-endian. The second packs
//! milliseconds since 1970 (42 bits, good until the year 2109) and the process id (22 bits, as many as Linux
//! gives); 0 means never used. The third is in seconds since 1970.
//!
//! Nothing is synchronised to disk: a reboot changes the boot id, to which every token of a `UserKey` is bound. A fleet's
//! tokens are not; its ledger is synchronised at every record.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

use orthros_wire::Timestamp;

use super::memory::MARGIN;
use super::{ID_LEN, Ledger, SpendRefusal};
use crate::sys::process;
use crate::table::{Record, Rules, SEED_LEN, Shared, first_table_end};

const PID_BITS: u32 = 22;
const PID_MASK: u64 = (1 << PID_BITS) - 1;
const MILLIS_MASK: u64 = (1 << (64 - PID_BITS)) - 1;

/// Keeps spent ids in a file, mode 0600, which belongs to the effective user and is no link.
///
/// That the file is still the one at its path is looked at before every use. A file that was removed is made
/// anew, unless the ledger came from a [`crate::seal_key::UserKey`]: its keys are bound to the ledger, and a
/// new ledger must not make spent tokens good again. Such a ledger goes by the seed of its file, wherever that is by
/// now: whoever has it open records there, and nobody else can take a token of its key.
#[derive(Debug)]
pub struct FileLedger {
    table: Shared,
}

impl FileLedger {
    /// The ledger at `path`, made at its first use.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { table: Shared::new(path.into(), Rules::Private, Duration::ZERO) }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.table.path()
    }

    /// The 16 random octets that tell this ledger from every other; makes the file if there is none.
    pub(crate) fn identity(&self) -> io::Result<[u8; SEED_LEN]> {
        self.table.seed::<Spent>()
    }

    /// A ledger that serves only as long as the file keeps this identity.
    pub(crate) fn bound(path: PathBuf, identity: [u8; SEED_LEN]) -> Self {
        Self { table: Self::at(path).table.bound_to(identity) }
    }

    /// The same, whose records are on the disk before they count: for tokens that outlive a boot.
    pub(crate) fn durable(path: PathBuf, identity: [u8; SEED_LEN]) -> Self {
        Self { table: Self::bound(path, identity).table.durable() }
    }

    /// How long the file gets at first, in octets.
    pub(crate) const fn usual_len() -> u64 {
        first_table_end::<Spent>()
    }
}

impl Ledger for FileLedger {
    fn spend(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        let inserted = self.table.insert(&Spent::new(id, until, now), Spent::past_use(now));
        Spent::answer(inserted, self.path().display())
    }
}

fn seconds_rounded_up(moment: Timestamp) -> u64 {
    let up = moment.seconds.saturating_add(i64::from(moment.microseconds > 0));
    u64::try_from(up).unwrap_or(0)
}

pub(super) fn pack(moment: Timestamp, pid: u32) -> u64 {
    let seconds = u64::try_from(moment.seconds).unwrap_or(0);
    let millis = seconds.saturating_mul(1_000).saturating_add(u64::from(moment.microseconds / 1_000));
    // Millisecond 0 by process 0 would look like a place never used; no process has the id 0.
    (millis.min(MILLIS_MASK) << PID_BITS) | (u64::from(pid) & PID_MASK).max(1)
}

pub(super) fn unpack(spent: u64) -> (Timestamp, u32) {
    let millis = spent >> PID_BITS;
    let at = Timestamp {
        seconds: i64::try_from(millis / 1_000).unwrap_or(i64::MAX),
        microseconds: u32::try_from(millis % 1_000 * 1_000).unwrap_or(0),
    };
    (at, u32::try_from(spent & PID_MASK).unwrap_or(0))
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    id: [u8; ID_LEN],
    spent: u64,
    until: u64,
}

impl Spent {
    /// By this process, now.
    pub(super) fn new(id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Self {
        Self { id: *id, spent: pack(now, process::id()), until: seconds_rounded_up(until) }
    }

    /// Which records are of no more use.
    pub(super) fn past_use(now: Timestamp) -> impl Fn(&Self) -> bool {
        let present = u64::try_from(now.seconds.saturating_sub(MARGIN)).unwrap_or(0);
        move |old| old.until < present
    }

    /// What an insertion into the ledger of this name means.
    pub(super) fn answer(
        inserted: io::Result<Option<Self>>,
        name: impl fmt::Display,
    ) -> Result<(), SpendRefusal> {
        match inserted {
            Ok(None) => Ok(()),
            Ok(Some(old)) => {
                let (at, pid) = unpack(old.spent);
                Err(SpendRefusal::AlreadySpent { at, pid })
            }
            Err(error) => Err(SpendRefusal::Unavailable(format!("{name}: {error}"))),
        }
    }
}

impl Record for Spent {
    const MAGIC: &'static [u8] = b"orthled1";
    const LEN: usize = ID_LEN + 16;
    const GROWTH: u64 = 8;

    fn key(&self) -> &[u8] {
        &self.id
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        let (id, rest) = octets.split_first_chunk()?;
        let (spent, until) = rest.split_first_chunk()?;
        Some(Self {
            id: *id,
            spent: u64::from_be_bytes(*spent),
            until: u64::from_be_bytes(until.try_into().ok()?),
        })
    }

    fn encode(&self, octets: &mut [u8]) {
        let all = self.id.into_iter().chain(self.spent.to_be_bytes()).chain(self.until.to_be_bytes());
        for (place, octet) in octets.iter_mut().zip(all) {
            *place = octet;
        }
    }

    fn never_used(&self) -> bool {
        self.spent == 0
    }
}
