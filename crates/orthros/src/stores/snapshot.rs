//! Parsed contents of files, kept while the files stay the same.
//!
//! A look costs one `stat`. Contents are kept under (device, inode, size, mtime, ctime); what was read within
//! 20 ms of its last change is used once and not kept, since a later change within the clock's grain would
//! have the same stamp.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex};

use orthros_wire::{Clock, Timestamp};

use super::file::{self, Stamp};
use super::{StoreFault, locked};
use crate::clock::SystemClock;

/// How old, in nanoseconds, a change must be for its content to be kept.
const GRAIN: i128 = 20_000_000;
/// How many files are kept at the most; past that, all are forgotten.
const MOST: usize = 1_024;

/// The contents of files of one kind, by path. As text, since hashing a path goes through its components.
pub(crate) struct Snapshots<T>(Mutex<HashMap<OsString, (Stamp, Arc<T>)>>);

impl<T> Default for Snapshots<T> {
    fn default() -> Self {
        Self(Mutex::default())
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
        if let Some((stamp, kept)) = locked(&self.0).get(path.as_os_str())
            && *stamp == now
        {
            return Ok(Arc::clone(kept));
        }
        let (octets, stamp) = file::read(path)?;
        let content = Arc::new(parse(&octets)?);
        let mut table = locked(&self.0);
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
        locked(&self.0).remove(path.as_os_str());
    }
}

/// Whether the last change is old enough that another one could not have the same time.
fn is_settled(stamp: &Stamp, now: Timestamp) -> bool {
    let (seconds, nanoseconds) = stamp.modified();
    let changed = i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    let now = i128::from(now.seconds) * 1_000_000_000 + i128::from(now.microseconds) * 1_000;
    now - changed > GRAIN
}
