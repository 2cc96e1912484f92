//! One entry of a keytab.

use std::fmt;
use std::sync::Arc;

use orthros_crypto::LongTermKey;
use orthros_wire::{SecretBytes, Timestamp};
use zeroize::Zeroizing;

use super::{BadKeytab, format};
use crate::Principal;
use crate::record_writer::stored_seconds;

/// A key, whose it is, and its version. Cheap to clone: the key is shared, with what was derived from it.
#[derive(Clone, Debug)]
pub struct KeytabEntry {
    pub(super) principal: Principal,
    pub(super) timestamp: u32,
    pub(super) kvno: u32,
    pub(super) key: Arc<LongTermKey>,
}

impl KeytabEntry {
    /// An entry written at `timestamp`, of which the format keeps the seconds from 1970 to 2106.
    ///
    /// # Errors
    /// [`BadKeytab::TooLong`] if the format has no room for the principal.
    pub fn new(
        principal: Principal,
        kvno: u32,
        key: LongTermKey,
        timestamp: Timestamp,
    ) -> Result<Self, BadKeytab> {
        let fits = |length: usize| u16::try_from(length).is_ok();
        let short_enough = fits(principal.components().len())
            && fits(principal.realm().len())
            && principal.components().iter().all(|component| fits(component.len()))
            && principal.components().iter().map(String::len).sum::<usize>() <= format::LONGEST_NAME;
        if !short_enough {
            return Err(BadKeytab::TooLong(Box::new(principal)));
        }
        Ok(Self { principal, timestamp: stored_seconds(timestamp.seconds), kvno, key: Arc::new(key) })
    }

    /// Whose key it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The key's version.
    pub fn kvno(&self) -> u32 {
        self.kvno
    }

    /// When the entry was written; some tools write 1970.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_seconds(self.timestamp.into())
    }

    /// The key.
    pub fn key(&self) -> &Arc<LongTermKey> {
        &self.key
    }

    /// The record for this entry, its length before it: what is appended to a keytab file that ends with a
    /// record.
    pub fn append_record(&self) -> Zeroizing<Vec<u8>> {
        format::record(self)
    }

    /// Whether this key replaced `other`, allowing for versions of which 8 bits were kept.
    pub(super) fn is_more_recent_than(&self, other: &Self) -> bool {
        if self.timestamp >= other.timestamp && self.kvno < 128 && other.kvno > 240 {
            return true;
        }
        if other.timestamp >= self.timestamp && other.kvno < 128 && self.kvno > 240 {
            return false;
        }
        self.kvno > other.kvno
    }
}

/// An entry that cannot be used here, kept as it came.
#[derive(Clone)]
pub struct OpaqueEntry {
    pub(super) principal: Option<Principal>,
    pub(super) enctype: i32,
    pub(super) kvno: u32,
    /// The record without its length.
    pub(super) record: Arc<SecretBytes>,
}

impl OpaqueEntry {
    /// Whose key it is; `None` if the name is no UTF-8 or has no component.
    pub fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The enctype's number.
    pub fn enctype_number(&self) -> i32 {
        self.enctype
    }

    /// The key's version.
    pub fn kvno(&self) -> u32 {
        self.kvno
    }
}

impl fmt::Debug for OpaqueEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpaqueEntry")
            .field("principal", &self.principal)
            .field("enctype", &self.enctype)
            .field("kvno", &self.kvno)
            .finish_non_exhaustive()
    }
}
