//! Parsed contents of files, kept while the files stay the same.
//!
//! A look costs one `stat`. Contents are kept under (device, inode, size, mtime, ctime); what was read within
//! 20 ms of its last change is used once and not kept, since a later change within the clock's grain would
//! have the same stamp.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use orthros_wire::{Clock, Timestamp};

use super::StoreFault;
use super::file::{self, Stamp};
use crate::clock::SystemClock;

/// How old, in nanoseconds, a change must be for its content to be kept.
const GRAIN: i128 = 20_000_000;
/// How many files are kept at the most; past that, all are forgotten.
const MOST: usize = 1_024;

/// The contents of files of one kind, by path. As text, since hashing a path goes through its components.
pub(crate) struct Snapshots<T>(RwLock<HashMap<OsString, (Stamp, Arc<T>)>>);

impl<T> Default for Snapshots<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Snapshots<T> {
    /// The content of the file that is there now.
    pub(crate) fn read(
        &self,
        path: &Path,
        parse: impl FnOnce(&[u8]) -> Result<T, StoreFault>,
    ) -> Result<Arc<T>, StoreFault> {
        let now = file::stamp(path)?;
        {
            let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((stamp, kept)) = table.get(path.as_os_str())
                && *stamp == now
            {
                return Ok(Arc::clone(kept));
            }
        }
        let (octets, stamp) = file::read(path)?;
        let content = Arc::new(parse(&octets)?);
        let mut table = self.changed();
        if is_settled(&stamp, SystemClock.now()) {
            if table.len() >= MOST {
                table.clear();
            }
            table.insert(path.as_os_str().to_owned(), (stamp, Arc::clone(&content)));
        } else {
            table.remove(path.as_os_str());
        }
        Ok(content)
    }

    pub(crate) fn forget(&self, path: &Path) {
        self.changed().remove(path.as_os_str());
    }

    fn changed(&self) -> RwLockWriteGuard<'_, HashMap<OsString, (Stamp, Arc<T>)>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the last change is old enough that another one could not have the same time.
fn is_settled(stamp: &Stamp, now: Timestamp) -> bool {
    let (seconds, nanoseconds) = stamp.modified();
    let changed = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let now = i128::from(now.seconds) * 1_000_000_000 + i128::from(now.microseconds) * 1_000;
    now - changed > GRAIN
}
