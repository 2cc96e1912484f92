//! An open-addressed hash table in a file that several processes share: the engine beneath the replay cache
//! and the ledger.
//!
//! Shape: an optional magic number, a random seed of 16 octets, then tables of 1023, 2048, 4096... records of
//! one fixed length (or growing by more than twofold: [`Record::GROWTH`]). A key's place in a table is SipHash-2-4 of the key under the seed, modulo the table's
//! length; there two adjacent records are looked at. From table to table the seed's first octet is counted up,
//! so that what collides in one does not collide in the next. A search ends at the first table whose pair
//! holds a record that was never used: nothing was ever put further on. A new record takes the first place on
//! the way whose record may be overwritten. Places never written read as zero or lie beyond the end.
//!
//! This is the layout of MIT krb5's replay cache of type `file2`; which records it holds is said by
//! [`Record`]. Whoever looks holds an exclusive lock on the whole file ([`crate::sys::file::Locked`]).
//!
//! Nothing is synchronised to disk unless asked for: what these files protect against mostly dies with a reboot
//! (transfer keys are bound to the boot id) or is bounded by the clock skew (replays).

mod open;

use std::fs::File;
use std::hash::Hasher;
use std::io;
use std::os::unix::fs::FileExt;

use orthros_wire::Random;
use siphasher::sip::SipHasher24;

use crate::random::SystemRandom;
use crate::sys::process::check_file_size_limit;

pub(crate) use open::{Rules, Shared};

/// Octets of the hash's seed.
pub(crate) const SEED_LEN: usize = 16;
/// No file grows beyond this many octets; MIT krb5 keeps the same bound.
const MAX_LEN: u64 = i32::MAX as u64;
const FIRST_TABLE: u64 = 1023;
/// No record is longer than this many octets.
const MAX_RECORD_LEN: usize = 32;

/// A record of fixed length in a table.
pub(crate) trait Record: Copy {
    /// What the file begins with, before the seed.
    const MAGIC: &'static [u8];
    /// Octets of one record, at most [`MAX_RECORD_LEN`].
    const LEN: usize;
    /// How many times as many records as the one before a table has. Each table is a place more to look at.
    const GROWTH: u64;

    /// What is hashed and searched for.
    fn key(&self) -> &[u8];
    /// A record from exactly `LEN` octets.
    fn decode(octets: &[u8]) -> Option<Self>;
    /// Writes the record into `LEN` octets.
    fn encode(&self, octets: &mut [u8]);
    /// Whether no record was ever written here.
    fn never_used(&self) -> bool;
}

/// The length of the file once its first table is full, in octets.
pub(crate) const fn first_table_end<R: Record>() -> u64 {
    header_len::<R>() + FIRST_TABLE * R::LEN as u64
}

const fn header_len<R: Record>() -> u64 {
    (R::MAGIC.len() + SEED_LEN) as u64
}

/// The seed of the locked `file`; an empty file (or one whose header was cut short) is given one first.
pub(crate) fn seed<R: Record>(file: &File) -> io::Result<[u8; SEED_LEN]> {
    if let Some(seed) = seed_so_far::<R>(file)? {
        return Ok(seed);
    }
    let mut seed = [0; SEED_LEN];
    SystemRandom.fill(&mut seed);
    write_at(file, &[R::MAGIC, &seed].concat(), 0)?;
    Ok(seed)
}

/// The seed of `file`, if it has one; nothing is written.
pub(crate) fn seed_so_far<R: Record>(file: &File) -> io::Result<Option<[u8; SEED_LEN]>> {
    let mut header = [0; MAX_RECORD_LEN];
    let (header, _) = header.split_at_mut(R::MAGIC.len() + SEED_LEN);
    if read_at_most(file, header, 0)? < header.len() {
        return Ok(None);
    }
    match header.split_last_chunk() {
        Some((magic, seed)) if magic == R::MAGIC => Ok(Some(*seed)),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the file is something else: its beginning is foreign",
        )),
    }
}

/// Puts `new` into the locked `file`, or gives the record that has its key already.
///
/// `may_overwrite` says which used records are of no more use. Records with `new`'s key are found even then.
pub(crate) fn insert<R: Record>(
    file: &File,
    mut seed: [u8; SEED_LEN],
    new: &R,
    may_overwrite: impl Fn(&R) -> bool,
) -> io::Result<Option<R>> {
    let record_len = R::LEN as u64;
    let (mut start, mut records) = (header_len::<R>(), FIRST_TABLE);
    let mut place = None;
    loop {
        if start + records * record_len > MAX_LEN {
            return Err(io::Error::other("the table is full: 2 GiB of records that are all still needed"));
        }
        let here = start + place_of(new.key(), &seed) % records * record_len;
        let [first, second] = read_pair::<R>(file, here)?;
        for found in [first, second].into_iter().flatten() {
            if found.key() == new.key() && !found.never_used() {
                return Ok(Some(found));
            }
        }
        let free =
            |record: &Option<R>| record.is_none_or(|record| record.never_used() || may_overwrite(&record));
        if place.is_none() {
            if free(&first) {
                place = Some(here);
            } else if free(&second) {
                place = Some(here + record_len);
            }
        }
        let ends_here = |record: &Option<R>| record.is_none_or(|record| record.never_used());
        if let (Some(place), true) = (place, ends_here(&first) || ends_here(&second)) {
            let mut octets = [0; MAX_RECORD_LEN];
            let (octets, _) = octets.split_at_mut(R::LEN);
            new.encode(octets);
            write_at(file, octets, place)?;
            return Ok(None);
        }
        start += records * record_len;
        records = if records == FIRST_TABLE { (FIRST_TABLE + 1) * R::GROWTH } else { records * R::GROWTH };
        if let Some(octet) = seed.first_mut() {
            *octet = octet.wrapping_add(1);
        }
    }
}

fn place_of(key: &[u8], seed: &[u8; SEED_LEN]) -> u64 {
    let mut hasher = SipHasher24::new_with_key(seed);
    hasher.write(key);
    hasher.finish()
}

/// The two records at `offset`; a record that the file's end cuts off is not there.
fn read_pair<R: Record>(file: &File, offset: u64) -> io::Result<[Option<R>; 2]> {
    let mut octets = [0; 2 * MAX_RECORD_LEN];
    let (pair, _) = octets.split_at_mut(2 * R::LEN);
    let present = read_at_most(file, pair, offset)?;
    let (present, _) = pair.split_at(present);
    let mut whole = present.chunks_exact(R::LEN).map(R::decode);
    Ok([whole.next().flatten(), whole.next().flatten()])
}

/// Fills `octets` from `offset` as far as the file reaches.
fn read_at_most(file: &File, octets: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = octets.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            // What comes up short on a regular file has met its end: no second call to hear that again.
            Ok(count) if count < rest.len() => return Ok(done + count),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes all of `octets` at `offset`, unless `RLIMIT_FSIZE` would answer with a signal.
fn write_at(file: &File, octets: &[u8], offset: u64) -> io::Result<()> {
    check_file_size_limit(offset + octets.len() as u64).map_err(io::Error::other)?;
    file.write_all_at(octets, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of 4 octets, a stamp of 4: small, so that collisions are many.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Small([u8; 4], u32);

    impl Record for Small {
        const MAGIC: &'static [u8] = b"small";
        const LEN: usize = 8;
        const GROWTH: u64 = 2;
        fn key(&self) -> &[u8] {
            &self.0
        }
        fn decode(octets: &[u8]) -> Option<Self> {
            let (key, stamp) = octets.split_first_chunk()?;
            Some(Self(*key, u32::from_be_bytes(stamp.try_into().ok()?)))
        }
        fn encode(&self, octets: &mut [u8]) {
            octets[..4].copy_from_slice(&self.0);
            octets[4..].copy_from_slice(&self.1.to_be_bytes());
        }
        fn never_used(&self) -> bool {
            self.1 == 0
        }
    }

    fn table() -> (File, [u8; SEED_LEN]) {
        let file = tempfile::tempfile().unwrap();
        let seed = seed::<Small>(&file).unwrap();
        assert_eq!(seed, super::seed::<Small>(&file).unwrap(), "a seed is drawn once");
        (file, seed)
    }

    #[test]
    fn twenty_thousand_keys_are_each_new_once_and_found_ever_after() {
        let (file, seed) = table();
        let key = |number: u32| Small(number.to_be_bytes(), number + 1);
        for number in 0..20_000 {
            assert_eq!(insert(&file, seed, &key(number), |_| false).unwrap(), None);
        }
        for number in 0..20_000 {
            let again = Small(u32::to_be_bytes(number), 77);
            assert_eq!(insert(&file, seed, &again, |_| true).unwrap(), Some(key(number)));
        }
        let length = file.metadata().unwrap().len();
        assert!(length < 40_000 * 8 * 4, "{length}");
    }

    #[test]
    fn a_table_of_records_past_use_does_not_grow() {
        let (file, seed) = table();
        for number in 1..30_000_u32 {
            let record = Small(number.to_be_bytes(), number);
            insert(&file, seed, &record, |old| old.1 + 200 < number).unwrap();
        }
        let length = file.metadata().unwrap().len();
        assert!(length <= first_table_end::<Small>() + (2048 + 4096) * 8, "{length}");
    }

    #[test]
    fn a_file_of_another_kind_is_refused_and_left_alone() {
        let file = tempfile::tempfile().unwrap();
        let content = b"root:x:0:0:root:/root:/bin/sh\n and more";
        file.write_all_at(content, 0).unwrap();
        assert_eq!(seed::<Small>(&file).unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert_eq!(file.metadata().unwrap().len(), content.len() as u64);
    }
}
