//! Reading and writing the files of caches and keytabs.
//!
//! A file is read under a shared lock and written anew beside the old one, which then takes its name: readers
//! see the old content or the new one, and a full disk loses nothing. Tickets are appended and keytabs are changed
//! in place, under an exclusive lock, as MIT krb5 and Heimdal do it: what they have open must stay the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::thread;
use std::time::Duration;

use orthros_krb5::keytab::Patch;
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::StoreFault;
use crate::sys::draft;
use crate::sys::file::{Locked, make_once};
use crate::sys::process::check_file_size_limit;

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

/// How often a file is looked at again that someone else is just making or replacing.
const ATTEMPTS: u32 = 20;
/// For how long a program that makes a file may need for its first octets.
const PAUSE: Duration = Duration::from_millis(2);

/// Reads a regular file and the stamp that its content had.
///
/// An empty file is looked at again for a moment: other programs make a file first and lock it then.
pub(crate) fn read(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Stamp), StoreFault> {
    let mut attempts = 0;
    loop {
        let (octets, stamp) = read_now(path)?;
        attempts += 1;
        if !octets.is_empty() || attempts == ATTEMPTS {
            return Ok((octets, stamp));
        }
        thread::sleep(PAUSE);
    }
}

fn read_now(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Stamp), StoreFault> {
    let file = open_regular(path, OpenOptions::new().read(true))?;
    let _lock = Locked::shared(&file)?;
    content(&file)
}

/// Opens what must be a regular file: a FIFO in its place must not make us wait for a writer.
fn open_regular(path: &Path, options: &mut OpenOptions) -> Result<File, StoreFault> {
    let file = options.custom_flags(flags(OFlags::NONBLOCK)).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(StoreFault::NotAFile) }
}

fn content(mut file: &File) -> Result<(Zeroizing<Vec<u8>>, Stamp), StoreFault> {
    let stamp = Stamp::of(&file.metadata()?);
    if stamp.size > LARGEST {
        return Err(StoreFault::TooLarge);
    }
    let capacity = usize::try_from(stamp.size).map_err(|_| StoreFault::TooLarge)?;
    let mut octets = Zeroizing::new(Vec::with_capacity(capacity.saturating_add(1)));
    Read::by_ref(&mut file).take(LARGEST).read_to_end(&mut octets)?;
    Ok((octets, stamp))
}

/// Does `work` while the file of this name is ours alone.
fn alone<T>(
    path: &Path,
    options: &mut OpenOptions,
    work: impl FnOnce(&File) -> Result<T, StoreFault>,
) -> Result<T, StoreFault> {
    for _ in 0..ATTEMPTS {
        let file = open_regular(path, options)?;
        let _lock = Locked::exclusive(&file)?;
        // While we waited for the lock, another file may have taken the name.
        let opened = file.metadata()?;
        match fs::metadata(path) {
            Ok(named) if (named.dev(), named.ino()) == (opened.dev(), opened.ino()) => return work(&file),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreFault::Restless)
}

/// Puts a file with this content in the place of whatever has the name, readable by its owner only.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), StoreFault> {
    Ok(draft::replace(path, content)?)
}

/// Appends a record to a file that is there already; `record` is told the file's first two octets. If it can't be
/// written whole, what was there stays.
pub(crate) fn append(
    path: &Path,
    record: impl FnOnce(&[u8]) -> Result<Zeroizing<Vec<u8>>, StoreFault>,
) -> Result<(), StoreFault> {
    alone(path, OpenOptions::new().append(true).read(true), |mut file| {
        let mut beginning = Vec::with_capacity(2);
        Read::by_ref(&mut file).take(2).read_to_end(&mut beginning)?;
        let record = record(&beginning)?;
        let before = file.metadata()?.len();
        fits(before.saturating_add(record.len() as u64))?;
        if let Err(error) = file.write_all(&record) {
            file.set_len(before)?;
            return Err(error.into());
        }
        Ok(())
    })
}

/// Makes a file that is not there, readable by its owner only. It has its first octets from the moment that it has
/// its name: MIT krb5 takes a file that is still empty for a broken one.
pub(crate) fn make(path: &Path, beginning: &[u8]) -> Result<(), StoreFault> {
    if path.exists() {
        return Ok(());
    }
    let (folder, name) = draft::place(path)?;
    make_once(folder.as_fd(), name, beginning)?;
    Ok(())
}

/// Changes a file in place while it is ours alone: `patches` is told its content and says what to write. If one of them
/// can't be written whole, the file ends where those before it left it.
pub(crate) fn patch<T>(
    path: &Path,
    patches: impl FnOnce(&[u8]) -> Result<(T, Vec<Patch>), StoreFault>,
) -> Result<T, StoreFault> {
    alone(path, OpenOptions::new().read(true).write(true), |mut file| {
        let (octets, stamp) = content(file)?;
        let (told, patches) = patches(&octets)?;
        let mut whole = stamp.size;
        for Patch { offset, octets, .. } in &patches {
            let offset = u64::try_from(*offset).map_err(|_| StoreFault::TooLarge)?;
            let end = offset.saturating_add(octets.len() as u64);
            fits(end)?;
            file.seek(SeekFrom::Start(offset))?;
            if let Err(error) = file.write_all(octets) {
                // A disk that is full takes the first octets: half a length at the end is no keytab.
                if file.metadata()?.len() > whole {
                    file.set_len(whole)?;
                }
                return Err(error.into());
            }
            whole = whole.max(end);
        }
        Ok(told)
    })
}

/// Whether a file may become as long as this: beyond `RLIMIT_FSIZE` the answer would be a signal.
fn fits(len: u64) -> Result<(), StoreFault> {
    Ok(check_file_size_limit(len).map_err(io::Error::other)?)
}

/// Overwrites a file's content with zeros and takes away its name, as it does to a draft for it that was left behind.
/// Whether there was one.
pub(crate) fn destroy(path: &Path) -> Result<bool, StoreFault> {
    draft::remove_left(path, |left| drop(wipe(left)));
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
