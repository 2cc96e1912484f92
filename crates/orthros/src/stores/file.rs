//! Reading and writing the files of caches and keytabs.
//!
//! A file is read under a shared lock and written anew beside the old one, which then takes its name: readers
//! see the old content or the new one, and a full disk loses nothing. Only single records are appended, under
//! an exclusive lock, as MIT krb5 does it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use orthros_wire::Random;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::StoreFault;
use crate::random::SystemRandom;
use crate::sys::file::Locked;

/// The largest file that is read, in octets: 64 MiB.
pub(crate) const LARGEST: u64 = 64 << 20;

/// What tells one content of a file from another, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Seconds and nanoseconds since 1970 of the last change.
    pub(crate) fn modified(&self) -> (i64, i64) {
        self.modified.max(self.changed)
    }
}

/// The stamp of the file that is there now.
pub(crate) fn stamp(path: &Path) -> Result<Stamp, StoreFault> {
    Ok(Stamp::of(&fs::metadata(path)?))
}

/// Reads a regular file and the stamp that its content had.
pub(crate) fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Stamp), StoreFault> {
    // A FIFO in the file's place must not make us wait for a writer.
    let mut file = OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(StoreFault::NotAFile);
    }
    if metadata.size() > LARGEST {
        return Err(StoreFault::TooLarge);
    }
    let lock_of = file.try_clone()?;
    let _lock = Locked::shared(&lock_of)?;
    let stamp = Stamp::of(&file.metadata()?);
    let capacity = usize::try_from(stamp.size).map_err(|_| StoreFault::TooLarge)?;
    let mut octets = Zeroizing::new(Vec::with_capacity(capacity.saturating_add(1)));
    Read::by_ref(&mut file).take(LARGEST).read_to_end(&mut octets)?;
    Ok((octets, stamp))
}

/// Puts a file with this content in the place of whatever has the name, readable by its owner only.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), StoreFault> {
    let fresh = beside(path);
    let written = write_new(&fresh, content).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        // The reason to tell is the first one.
        let _ = fs::remove_file(&fresh);
    }
    Ok(written?)
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}

/// A name in the same folder that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    let mut octets = [0; 8];
    SystemRandom.fill(&mut octets);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}", orthros_wire::hex::encode(&octets)));
    path.with_file_name(name)
}

/// Appends a record to a file that is there already. If it can't be written whole, what was there stays.
pub(crate) fn append(path: &Path, record: &[u8]) -> Result<(), StoreFault> {
    let mut file =
        OpenOptions::new().append(true).read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(StoreFault::NotAFile);
    }
    let lock_of = file.try_clone()?;
    let _lock = Locked::exclusive(&lock_of)?;
    let before = file.metadata()?.len();
    if let Err(error) = file.write_all(record) {
        file.set_len(before)?;
        return Err(error.into());
    }
    Ok(())
}

/// Overwrites a file's content with zeros and takes away its name. Whether there was one.
pub(crate) fn destroy(path: &Path) -> Result<bool, StoreFault> {
    let file =
        OpenOptions::new().write(true).custom_flags(flags(OFlags::NONBLOCK | OFlags::NOFOLLOW)).open(path);
    match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
        Ok(file) => wipe(&file)?,
    }
    fs::remove_file(path)?;
    Ok(true)
}

fn wipe(mut file: &File) -> Result<(), StoreFault> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(StoreFault::NotAFile);
    }
    io::copy(&mut io::repeat(0).take(metadata.len().min(LARGEST)), &mut file)?;
    Ok(())
}

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

impl From<io::Error> for StoreFault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Io(error) }
    }
}
