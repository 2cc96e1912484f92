//! Keytabs: the long-term keys of services, in the file format of MIT krb5 (versions 0x0501 and 0x0502 are read, the
//! latter is written).
//!
//! The format is defined by implementations, not by an RFC. After the two octets `05 02` come records, each
//! behind its length in four octets:
//!
//! ```text
//! record  = length(4, signed) ...
//! length > 0:  an entry of so many octets
//! length < 0:  a hole of so many octets, where an entry was removed
//! length = 0:  the end, whatever follows
//! entry   = components(2) realm component*  name-type(4) timestamp(4) kvno(1) enctype(2) key  [kvno(4)]
//! realm, component, key = length(2) octets
//! ```
//!
//! Numbers are big-endian. The second kvno counts if it is there and not 0: the first keeps only 8 bits.
//!
//! An entry that cannot be used here (an enctype that Orthros lacks, a name that is no UTF-8) is kept as
//! [`OpaqueEntry`] and written again octet for octet, so that rewriting a keytab loses no key.
//!
//! Version 0x0501 has the byte order of the machine that wrote it and no name types, and counts the realm among the
//! components.
//!
//! Deliberately not here: files and their locks. [`Patch`] says what changes in a file, not how it is written.

mod acceptor;
mod entry;
mod format;
mod patch;

use std::fmt;

use orthros_crypto::{Enctype, LongTermKey};
use orthros_wire::{SecretBytes, Timestamp};

pub use entry::{KeytabEntry, OpaqueEntry};
pub use patch::Patch;

use crate::Principal;
use crate::record_reader::ByteOrder;

/// Why octets are no keytab, or why an entry cannot be put into one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadKeytab {
    /// There is another key of this principal, version and enctype.
    Conflict(Box<(Principal, u32, Enctype)>),
    /// A record's content does not add up.
    Entry {
        /// Where the record's length stands, in octets from the beginning of the file.
        offset: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A record reaches past the end of the file.
    Length {
        /// Where the record's length stands, in octets from the beginning of the file.
        offset: usize,
        /// The length that stands there, in octets; negative: of a hole.
        length: i64,
    },
    /// The first octet is not 0x05: something else than a keytab, or nothing at all.
    NotAKeytab,
    /// The file has version 0x0501, which is read but not changed.
    OldVersion,
    /// The principal is too long for the format, which allows 65,535 octets per component.
    TooLong(Box<Principal>),
    /// A version of the format that is not read here.
    Version(u8),
}

impl fmt::Display for BadKeytab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(key) => {
                let (principal, kvno, enctype) = &**key;
                write!(f, "there is another key of {principal} already: version {kvno}, {enctype}")
            }
            Self::OldVersion => {
                f.write_str("keytab version 1 is read but not changed: merge it into a new one, and use that")
            }
            Self::Entry { offset, what } => {
                write!(f, "the keytab record at octet {offset} is damaged: {what}")
            }
            Self::Length { offset, length } => write!(
                f,
                "the keytab record at octet {offset} claims {length} octets, more than the file has: \
                 it was cut short or damaged"
            ),
            Self::NotAKeytab => f.write_str("this is no keytab: it does not begin with the octet 05"),
            Self::TooLong(principal) => {
                write!(f, "{:.60}... is too long a name for a keytab", principal.to_string())
            }
            Self::Version(version) => write!(f, "keytab version {version} is not known: 1 and 2 are"),
        }
    }
}

impl std::error::Error for BadKeytab {}

/// The content of a keytab. Reading the same file again only when it changed is the caller's part; keys in
/// one snapshot keep what is derived from them.
///
/// ```
/// use orthros_crypto::{Enctype, Key};
/// use orthros_krb5::{Keytab, Principal};
/// use orthros_wire::Timestamp;
///
/// let host: Principal = "host/www.example.com@EXAMPLE.COM".parse()?;
/// let key = Key::new(Enctype::Aes128CtsHmacSha256, &[7; 16])?;
/// let mut keytab = Keytab::default();
/// keytab.add(host.clone(), 3, key.into(), Timestamp::from_seconds(1_700_000_000))?;
///
/// let again = Keytab::parse(keytab.to_octets().expose_octets())?;
/// let entry = again.find(&host, Enctype::Aes128CtsHmacSha256, None).unwrap();
/// assert_eq!(entry.kvno(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Keytab {
    records: Vec<Record>,
}

#[derive(Clone, Debug)]
enum Record {
    Opaque(OpaqueEntry),
    Usable(KeytabEntry),
}

impl Keytab {
    /// The octets that begin every keytab; a new file consists of these and the records appended to it.
    pub const HEADER: [u8; 2] = [5, 2];

    /// Reads a whole keytab.
    ///
    /// # Errors
    /// [`BadKeytab`] names the octet where a length lies or a record does not add up.
    pub fn parse(octets: &[u8]) -> Result<Self, BadKeytab> {
        format::parse(octets, ByteOrder::NATIVE).map(|records| Self { records })
    }

    /// The keytab as a file has it, without holes.
    pub fn to_octets(&self) -> SecretBytes {
        format::write(&self.records).into()
    }

    /// The entries that can be used here, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &KeytabEntry> {
        self.records.iter().filter_map(|record| match record {
            Record::Usable(entry) => Some(entry),
            Record::Opaque(_) => None,
        })
    }

    /// The entries that are kept but cannot be used here, in the order of the file.
    pub fn opaque_entries(&self) -> impl Iterator<Item = &OpaqueEntry> {
        self.records.iter().filter_map(|record| match record {
            Record::Opaque(entry) => Some(entry),
            Record::Usable(_) => None,
        })
    }

    /// Adds a key at the end.
    ///
    /// # Errors
    /// [`BadKeytab::TooLong`] if the format has no room for the principal.
    pub fn add(
        &mut self,
        principal: Principal,
        kvno: u32,
        key: LongTermKey,
        timestamp: Timestamp,
    ) -> Result<(), BadKeytab> {
        let entry = KeytabEntry::new(principal, kvno, key, timestamp)?;
        self.records.push(Record::Usable(entry));
        Ok(())
    }

    /// Takes out the entries for which `unwanted` says so; how many those were.
    pub fn remove(&mut self, mut unwanted: impl FnMut(&KeytabEntry) -> bool) -> usize {
        let before = self.records.len();
        self.records.retain(|record| !matches!(record, Record::Usable(entry) if unwanted(entry)));
        before - self.records.len()
    }

    /// The key of `principal` for `enctype`: of version `kvno` if one is named, else the most recent.
    ///
    /// A key whose stored version is `kvno` modulo 256 will do where no exact one is found: older writers
    /// kept no more than 8 bits. For the same reason a version below 128 that is not older in time counts as
    /// more recent than one above 240.
    pub fn find(&self, principal: &Principal, enctype: Enctype, kvno: Option<u32>) -> Option<&KeytabEntry> {
        let candidates = self.keys_for(principal).filter(|entry| entry.key().enctype() == enctype);
        let Some(kvno) = kvno.filter(|&kvno| kvno != 0) else {
            return candidates
                .reduce(|best, entry| if entry.is_more_recent_than(best) { entry } else { best });
        };
        let mut by_low_octet = None;
        for entry in candidates {
            if entry.kvno() == kvno {
                return Some(entry);
            }
            if entry.kvno() == kvno & 0xff && by_low_octet.is_none() {
                by_low_octet = Some(entry);
            }
        }
        by_low_octet
    }

    /// All keys of `principal`, of whatever version and enctype, in the order of the file.
    pub fn keys_for<'k, 'p>(
        &'k self,
        principal: &'p Principal,
    ) -> impl Iterator<Item = &'k KeytabEntry> + use<'k, 'p> {
        self.entries().filter(move |entry| entry.principal() == principal)
    }

    /// Whether no more recent version of this entry's principal is in the keytab.
    pub fn is_current(&self, entry: &KeytabEntry) -> bool {
        self.highest_kvno(&entry.principal) == Some(entry.kvno)
    }

    /// The version of the most recent key of `principal`.
    pub fn highest_kvno(&self, principal: &Principal) -> Option<u32> {
        self.keys_for(principal)
            .reduce(|best, entry| if entry.is_more_recent_than(best) { entry } else { best })
            .map(KeytabEntry::kvno)
    }
}

#[cfg(test)]
mod tests;
