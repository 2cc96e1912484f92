//! MIT krb5's replay cache of type `file2` (krb5 1.18 and later), so that its acceptors and ours refuse each
//! other's replays.
//!
//! Shape: the engine's ([`crate::table`]) without a magic number; records of 16 octets: 12 of the tag, 4 of the
//! second (big-endian, modulo 2^32) at which it was recorded; 0 means never.
//!
//! The file is kept open. A check on a warm file makes five system calls: lock, read, limit, write, unlock.
//! Whether the file at the path is still the one we hold (and its seed the one we know) is asked once a second:
//! where somebody removes the cache, everything accepted in the last minutes may be replayed anyway, so a
//! second in which ours and MIT's acceptors hold two files adds nothing to that.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orthros_wire::Timestamp;

use super::{ReplayCache, ReplayRefusal, TAG_LEN, tag12};
use crate::sys::process;
use crate::table::{Record, Rules, Shared};

/// How long an open file is believed to be the one at its path.
const RECHECK: Duration = Duration::from_secs(1);

/// A replay cache in a file that MIT krb5's acceptors share.
#[derive(Debug)]
pub struct File2 {
    table: Shared,
}

impl File2 {
    /// The cache that MIT krb5 uses where nothing is configured: `FOLDER/krb5_EUID.rcache2`, where the folder
    /// is `KRB5RCACHEDIR`, else `TMPDIR`, else `/var/tmp`. A link there is not followed, and the file must
    /// belong to the effective user and be writable by nobody else.
    ///
    /// `lookup` reads the environment; a set-user-id program gives one that knows nothing.
    pub fn default_cache(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut path =
            lookup("KRB5RCACHEDIR").or_else(|| lookup("TMPDIR")).unwrap_or_else(|| "/var/tmp".into());
        // Put together as text, as MIT krb5 does: an empty folder means the root.
        path.push(format!("/krb5_{}.rcache2", process::effective_user()));
        Self { table: Shared::new(path.into(), Rules::Ours, RECHECK) }
    }

    /// The cache at a configured path (`file2:PATH`), made with mode 0600 if there is none. As in MIT krb5,
    /// whoever configures the path answers for its owner and mode, and links are followed.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { table: Shared::new(path.into(), Rules::Any, RECHECK) }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        self.table.path()
    }
}

impl ReplayCache for File2 {
    fn check(&self, tag: &[u8], now: Timestamp, skew_seconds: u32) -> Result<(), ReplayRefusal> {
        let stamp = stamp(now);
        let new = TagRecord { tag: tag12(tag), stamp };
        // MIT reuses a record one skew after it was made. An authenticator dated one skew ahead of us is fresh
        // for two, so we wait for two; which free place a record takes does not matter to who reads it.
        let kept = skew_seconds.saturating_mul(2);
        match self.table.insert(&new, |old: &TagRecord| stamp > old.stamp.wrapping_add(kept)) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(ReplayRefusal::Replayed),
            Err(error) => Err(ReplayRefusal::Unavailable(format!("{}: {error}", self.path().display()))),
        }
    }
}

/// The moment's second as the file keeps it. 0 marks a place that was never used, so it becomes 1.
fn stamp(moment: Timestamp) -> u32 {
    u32::try_from(moment.seconds.rem_euclid(1 << 32)).unwrap_or(u32::MAX).max(1)
}

#[derive(Clone, Copy, Debug)]
struct TagRecord {
    tag: [u8; TAG_LEN],
    stamp: u32,
}

impl Record for TagRecord {
    const MAGIC: &'static [u8] = b"";
    const LEN: usize = TAG_LEN + 4;
    const GROWTH: u64 = 2;

    fn key(&self) -> &[u8] {
        &self.tag
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        let (tag, stamp) = octets.split_first_chunk()?;
        Some(Self { tag: *tag, stamp: u32::from_be_bytes(stamp.try_into().ok()?) })
    }

    fn encode(&self, octets: &mut [u8]) {
        let all = self.tag.iter().copied().chain(self.stamp.to_be_bytes());
        for (place, octet) in octets.iter_mut().zip(all) {
            *place = octet;
        }
    }

    fn never_used(&self) -> bool {
        self.stamp == 0
    }
}

/// What `KRB5RCACHENAME` or `default_rcache_name` may say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheName {
    /// `dfl:`: the file that MIT krb5 uses by default.
    Default,
    /// `file2:PATH`.
    File2(PathBuf),
    /// `none:`.
    None,
}

impl CacheName {
    /// Reads `text`: `dfl:`, `file2:PATH` or `none:`. A name without a colon is a type, as in MIT krb5's
    /// `KRB5RCACHETYPE`.
    ///
    /// # Errors
    /// [`UnknownType`] for anything else.
    pub fn parse(text: &OsStr) -> Result<Self, UnknownType> {
        let octets = text.as_bytes();
        let (kind, rest) = match octets.iter().position(|octet| *octet == b':') {
            Some(colon) => {
                let (kind, rest) = octets.split_at(colon);
                (kind, rest.strip_prefix(b":").unwrap_or_default())
            }
            None => (octets, [].as_slice()),
        };
        match (kind, rest) {
            (b"dfl", _) => Ok(Self::Default),
            (b"none", _) => Ok(Self::None),
            (b"file2", path) if !path.is_empty() => Ok(Self::File2(OsStr::from_bytes(path).into())),
            _ => Err(UnknownType(text.to_string_lossy().into_owned())),
        }
    }

    /// The cache of that name; `lookup` reads the environment (for `dfl:`).
    pub fn open(&self, lookup: impl Fn(&str) -> Option<OsString>) -> Box<dyn ReplayCache> {
        match self {
            Self::Default => Box::new(File2::default_cache(lookup)),
            Self::File2(path) => Box::new(File2::at(path)),
            Self::None => Box::new(super::NoReplay),
        }
    }
}

/// A replay cache name of no known type; holds the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownType(pub String);

impl fmt::Display for UnknownType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no replay cache is named \"{}\": write dfl:, file2:PATH or none:", self.0)
    }
}

impl std::error::Error for UnknownType {}
