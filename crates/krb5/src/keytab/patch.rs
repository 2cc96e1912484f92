//! Changes of a keytab in place: which octets of its file change, and in which order.
//!
//! Other programs append and remove in place, under a lock on the file that they have open. A file that took its
//! name in the meantime they would never see, and their keys would be lost with the old one. Hence the file stays
//! the same, and changes are a few octets each, written in an order in which the file is a keytab after each:
//! a record's content stands behind a length of 0, which ends the file, or in a hole, until its own length is
//! written; a removed record becomes a hole before it is wiped.

use std::fmt;

use zeroize::Zeroizing;

use super::format::{self, Slot};
use super::{BadKeytab, Keytab, KeytabEntry, Record};

/// Octets to be written at a place of a keytab's file.
pub struct Patch {
    /// Where, in octets from the beginning of the file; never behind its end.
    pub offset: usize,
    /// What.
    pub octets: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patch").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl Patch {
    fn new(offset: usize, octets: &[u8]) -> Self {
        Self { offset, octets: Zeroizing::new(octets.to_vec()) }
    }
}

impl Keytab {
    /// What is to be written, in this order, to add the keys of `added` that are not there yet, and how many those
    /// are. `file` is the content of the keytab's file, or nothing if it is to be begun.
    ///
    /// ```
    /// use orthros_krb5::Keytab;
    /// # use orthros_crypto::{Enctype, Key};
    /// # let mut added = Keytab::default();
    /// # let key = Key::new(Enctype::Aes128CtsHmacSha256, &[7; 16])?;
    /// # added.add("host/a@R".parse()?, 3, key.into(), orthros_wire::Timestamp::from_seconds(0))?;
    /// let mut file = Vec::new();
    /// let (count, patches) = Keytab::patches_to_add(&file, &added)?;
    /// for patch in patches {
    ///     file.truncate(file.len().max(patch.offset));
    ///     file.splice(patch.offset..file.len().min(patch.offset + patch.octets.len()), patch.octets.to_vec());
    /// }
    /// assert_eq!((count, Keytab::parse(&file)?.entries().count()), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BadKeytab::Conflict`] if another key has the same principal, version and enctype;
    /// [`BadKeytab::OldVersion`] for a file of version 1, which is not added to; otherwise as
    /// [`parse`](Self::parse).
    pub fn patches_to_add(file: &[u8], added: &Self) -> Result<(usize, Vec<Patch>), BadKeytab> {
        let mut patches = Vec::new();
        let file = if file.is_empty() {
            patches.push(Patch::new(0, &Self::HEADER));
            &Self::HEADER
        } else {
            file
        };
        let (mut slots, mut end) = writable(file)?;
        let present = Self { records: slots.iter().filter_map(|slot| slot.record.clone()).collect() };
        let new = present.new_records(added)?;
        for record in &new {
            let framed = format::framed(record);
            let (length, content) = framed.split_at_checked(4).unwrap_or_default();
            // A record that can't be read to its end is known again by all its octets: nothing may follow it.
            let fits = |slot: &&mut Slot| match record {
                Record::Usable(_) => slot.holds(content.len()),
                Record::Opaque(_) => slot.holds(content.len()) && slot.size() == content.len(),
            };
            match slots.iter_mut().find(fits) {
                Some(hole) => {
                    patches.push(Patch::new(hole.offset + 4, content));
                    // The whole hole becomes the record: what it leaves was wiped when the hole was made, and is
                    // wiped now in case it was not.
                    let left = hole.size().saturating_sub(content.len());
                    patches.push(Patch::new(hole.offset + 4 + content.len(), &vec![0; left]));
                    hole.length = hole.length.saturating_neg();
                    let length = i32::try_from(hole.length).unwrap_or_default();
                    patches.push(Patch::new(hole.offset, &length.to_be_bytes()));
                }
                None => {
                    patches.push(Patch::new(end, &[0; 4]));
                    patches.push(Patch::new(end + 4, content));
                    let next = end + framed.len();
                    // Whatever stood behind a length of 0 must not be taken for records.
                    if file.len() > next {
                        patches.push(Patch::new(next, &[0; 4]));
                    }
                    patches.push(Patch::new(end, length));
                    end = next;
                }
            }
        }
        Ok((new.len(), patches))
    }

    /// What is to be written, in this order, to take out the entries of `file` for which `unwanted` says so; how
    /// many those are. It is given the whole keytab too.
    ///
    /// # Errors
    /// [`BadKeytab::OldVersion`] for a file of version 1; otherwise as [`parse`](Self::parse).
    pub fn patches_to_remove(
        file: &[u8],
        mut unwanted: impl FnMut(&Self, &KeytabEntry) -> bool,
    ) -> Result<(usize, Vec<Patch>), BadKeytab> {
        let (slots, _) = writable(file)?;
        let present = Self { records: slots.iter().filter_map(|slot| slot.record.clone()).collect() };
        let mut patches = Vec::new();
        let mut count = 0;
        for slot in &slots {
            if let Some(Record::Usable(entry)) = &slot.record
                && unwanted(&present, entry)
            {
                let hole = i32::try_from(slot.length.saturating_neg()).unwrap_or_default();
                patches.push(Patch::new(slot.offset, &hole.to_be_bytes()));
                patches.push(Patch::new(slot.offset + 4, &vec![0; slot.size()]));
                count += 1;
            }
        }
        Ok((count, patches))
    }

    /// Adds the keys of `added` that are not there yet; how many those were.
    ///
    /// # Errors
    /// [`BadKeytab::Conflict`] if another key has the same principal, version and enctype; nothing is added then.
    pub fn merge(&mut self, added: &Self) -> Result<usize, BadKeytab> {
        let new = self.new_records(added)?;
        let count = new.len();
        self.records.extend(new);
        Ok(count)
    }

    fn new_records(&self, added: &Self) -> Result<Vec<Record>, BadKeytab> {
        let mut new: Vec<Record> = Vec::new();
        for record in &added.records {
            let mut there = self.records.iter().chain(&new);
            match there.find(|there| there.names_the_same_as(record)) {
                None => new.push(record.clone()),
                Some(there) if there.is_the_same_as(record) => {}
                Some(_) => return Err(record.conflict()),
            }
        }
        Ok(new)
    }
}

impl Record {
    fn names_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Usable(one), Self::Usable(other)) => {
                one.principal == other.principal
                    && one.kvno == other.kvno
                    && one.key.enctype() == other.key.enctype()
            }
            // Of a record that can't be used here, only an equal one is known to be the same.
            (Self::Opaque(one), Self::Opaque(other)) => one.record.ct_eq(&other.record),
            (Self::Usable(_), Self::Opaque(_)) | (Self::Opaque(_), Self::Usable(_)) => false,
        }
    }

    fn is_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Usable(one), Self::Usable(other)) => one.key.ct_eq(&other.key),
            _ => true,
        }
    }

    fn conflict(&self) -> BadKeytab {
        match self {
            Self::Usable(entry) => {
                BadKeytab::Conflict(Box::new((entry.principal.clone(), entry.kvno, entry.key.enctype())))
            }
            Self::Opaque(_) => BadKeytab::NotAKeytab,
        }
    }
}

/// The slots of a file of version 2, and where they end.
fn writable(file: &[u8]) -> Result<(Vec<Slot>, usize), BadKeytab> {
    match file {
        [5, 1, ..] => Err(BadKeytab::OldVersion),
        _ => format::slots(file, crate::record_reader::ByteOrder::NATIVE),
    }
}
