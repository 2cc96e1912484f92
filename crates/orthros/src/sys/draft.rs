//! Files that get their name when they are whole: until then they are drafts under another one.
//!
//! A draft is called `.NAME.new`. The name is always the same, so that programs which are ended while they write leave
//! one file behind at most, and the next writer uses it. Where it is taken, by somebody who writes or by what is not
//! ours, a random name serves: nobody waits here. The dot in front keeps drafts out of folders of caches, where
//! everything that begins with `tkt` counts as one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use orthros_wire::Random;
use rustix::fs::{AtFlags, Mode, OFlags};

use super::file::Locked;
use super::process;
use crate::random::SystemRandom;

/// Writes `content` into a draft for the file `name` in `folder`, mode 0600, and hands the draft's name to `finish`,
/// which gives it the name it is for.
///
/// # Errors
/// Whatever the file system answers, `RLIMIT_FSIZE`, and what `finish` says; nothing is left behind then.
pub(super) fn write<T>(
    folder: BorrowedFd<'_>,
    name: &OsStr,
    content: &[u8],
    finish: impl FnOnce(&OsStr) -> rustix::io::Result<T>,
) -> io::Result<T> {
    process::check_file_size_limit(content.len() as u64).map_err(io::Error::other)?;
    let put = |mut file: &File, draft: &OsStr| {
        let put = file.write_all(content).and_then(|()| Ok(finish(draft)?));
        if put.is_err() {
            // The reason to tell is the first one.
            let _ = rustix::fs::unlinkat(folder, draft, AtFlags::empty());
        }
        put
    };
    let usual = usual_name(name);
    if let Ok(file) = open(folder, &usual, OFlags::CREATE)
        && let Ok(_lock) = Locked::exclusive_at_once(&file)
        && is_ours(folder, &usual, &file)
        && file.set_len(0).is_ok()
    {
        return put(&file, &usual);
    }
    let mut random = [0; 8];
    SystemRandom.fill(&mut random);
    let mut another = OsString::from(".");
    another.push(name);
    another.push(format!(".{}", orthros_wire::hex::encode(&random)));
    put(&open(folder, &another, OFlags::CREATE | OFlags::EXCL)?, &another)
}

/// Puts a file with this content in the place of whatever is at `path`, mode 0600. Readers see the old content or the
/// new one.
///
/// # Errors
/// Whatever the file system answers, and `RLIMIT_FSIZE`; the old content is still there then.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let (folder, name) = place(path)?;
    write(folder.as_fd(), name, content, |draft| rustix::fs::renameat(&folder, draft, &folder, name))
}

/// Takes away a draft for the file at `path` that somebody left behind; `wipe` is given it first.
pub fn remove_left(path: &Path, wipe: impl FnOnce(&File)) {
    let Ok((folder, name)) = place(path) else { return };
    let usual = usual_name(name);
    if let Ok(file) = open(folder.as_fd(), &usual, OFlags::empty())
        && let Ok(_lock) = Locked::exclusive_at_once(&file)
        && is_ours(folder.as_fd(), &usual, &file)
    {
        wipe(&file);
        let _ = rustix::fs::unlinkat(&folder, &usual, AtFlags::empty());
    }
}

/// The folder and the name of the file at `path`.
///
/// # Errors
/// The folder is not there, or the path names no file.
pub fn place(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok((rustix::fs::open(folder.unwrap_or_else(|| Path::new(".")), flags, Mode::empty())?, name))
}

fn usual_name(name: &OsStr) -> OsString {
    let mut usual = OsString::from(".");
    usual.push(name);
    usual.push(".new");
    usual
}

fn open(folder: BorrowedFd<'_>, name: &OsStr, more: OFlags) -> rustix::io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags | more, Mode::RUSR | Mode::WUSR).map(File::from)
}

/// Whether the locked `file` is what has the name now, and ours alone. If it has another name besides, whoever gave it
/// that one was ended before he could take this one away.
fn is_ours(folder: BorrowedFd<'_>, name: &OsStr, file: &File) -> bool {
    let Ok(opened) = file.metadata() else { return false };
    let Ok(named) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { return false };
    let ours = opened.is_file()
        && opened.uid() == process::file_user()
        && opened.mode() & 0o077 == 0
        && (named.st_dev, named.st_ino) == (opened.dev(), opened.ino());
    if ours && opened.nlink() > 1 {
        let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
    }
    ours && opened.nlink() == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn what_an_ended_writer_left_is_used_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (path, left) = (folder.path().join("cache"), folder.path().join(".cache.new"));
        fs::write(&left, b"half of something long").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();
        let inode = fs::metadata(&left).unwrap().ino();
        replace(&path, b"whole").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino()),
            (b"whole".to_vec(), inode)
        );
        assert_eq!(names(folder.path()), ["cache"]);
    }

    #[test]
    fn whatever_else_has_the_name_is_left_alone_and_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let (path, left) = (folder.path().join("cache"), folder.path().join(".cache.new"));
        let replaced = |content: &[u8]| {
            replace(&path, content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
            assert_eq!(names(folder.path()).len(), 2, "{:?}", names(folder.path()));
        };
        let other = tempfile::NamedTempFile::new().unwrap();
        fs::write(other.path(), b"another's").unwrap();
        symlink(other.path(), &left).unwrap();
        replaced(b"beside a link");
        fs::remove_file(&left).unwrap();
        fs::create_dir(&left).unwrap();
        replaced(b"beside a folder");
        fs::remove_dir(&left).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &left, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        replaced(b"beside a FIFO");
        fs::remove_file(&left).unwrap();
        fs::write(&left, b"open to others").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).unwrap();
        replaced(b"beside what others may read");
        assert_eq!(fs::read(&left).unwrap(), b"open to others");
        fs::set_permissions(&left, fs::Permissions::from_mode(0o600)).unwrap();
        let writing = File::options().write(true).open(&left).unwrap();
        let _lock = Locked::exclusive(&writing).unwrap();
        replaced(b"beside one who writes");
        assert_eq!(fs::read(other.path()).unwrap(), b"another's");
    }

    #[test]
    fn a_draft_that_got_its_name_and_kept_the_other_does_not_change_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let (path, left) = (folder.path().join("keytab"), folder.path().join(".keytab.new"));
        fs::write(&path, b"keys").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::hard_link(&path, &left).unwrap();
        let held = File::open(&path).unwrap();
        replace(&path, b"new keys").unwrap();
        assert_eq!(held.metadata().unwrap().len(), 4, "who had it open still has it");
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"new keys".to_vec(), 1));
    }
}
