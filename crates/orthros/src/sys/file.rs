//! Files that appear whole or not at all, and locks on open files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::{draft, process};

/// Makes the file `name` in `folder` with `content`, mode 0600, unless it exists. Nobody ever sees it half
/// written: it is made without a name (`O_TMPFILE`), or as a draft ([`draft`]), and then linked.
///
/// Returns whether this call made it; `false` means that somebody was faster. It is not synchronised to disk.
///
/// # Errors
/// Whatever the file system answers, and `RLIMIT_FSIZE`; nothing is left behind then.
pub fn make_once(folder: BorrowedFd<'_>, name: &OsStr, content: &[u8]) -> io::Result<bool> {
    process::check_file_size_limit(content.len() as u64).map_err(io::Error::other)?;
    match make_nameless(folder, name, content) {
        // Old kernels take O_TMPFILE for O_DIRECTORY; file systems without it say NOTSUP; without /proc the
        // nameless file can't be found for linking.
        Err(Errno::ISDIR | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOENT) => {}
        Ok(made) => return Ok(made),
        Err(error) => return Err(error.into()),
    }
    make_named(folder, name, content)
}

fn make_nameless(folder: BorrowedFd<'_>, name: &OsStr, content: &[u8]) -> rustix::io::Result<bool> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(folder, ".", flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(content).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    // linkat with AT_EMPTY_PATH needs a capability; the way over /proc doesn't (open(2), O_TMPFILE).
    let by_number = format!("/proc/self/fd/{}", file.as_raw_fd());
    linked(rustix::fs::linkat(rustix::fs::CWD, by_number, folder, name, AtFlags::SYMLINK_FOLLOW))
}

fn make_named(folder: BorrowedFd<'_>, name: &OsStr, content: &[u8]) -> io::Result<bool> {
    draft::write(folder, name, content, |written| {
        let made = linked(rustix::fs::linkat(folder, written, folder, name, AtFlags::empty()))?;
        rustix::fs::unlinkat(folder, written, AtFlags::empty())?;
        Ok(made)
    })
}

fn linked(outcome: rustix::io::Result<()>) -> rustix::io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What tells one content of a file from another: device, inode, size, and when it was changed, in seconds and nanoseconds.
pub type Stamp = (u64, u64, i64, i64, i64);

/// The stamp of the file at `path`; `None` if there is none. It is had by a system call that confined processes such as
/// sshd's child are refused by an error: the standard library's would end them.
///
/// # Errors
/// This process may not look.
pub fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match rustix::fs::stat(path) {
        Ok(data) => {
            let nanoseconds = i64::try_from(data.st_mtime_nsec).unwrap_or(0);
            Ok(Some((data.st_dev, data.st_ino, data.st_size, data.st_mtime, nanoseconds)))
        }
        Err(Errno::ACCESS | Errno::PERM) => Err(Errno::ACCESS.into()),
        Err(_) => Ok(None),
    }
}

/// The same open file under a number above those of standard input, output and error. Where a program has closed these,
/// the next file gets their numbers, and a file that is kept open would get what the program prints.
///
/// # Errors
/// There is no descriptor left.
pub fn above_standard(file: File) -> io::Result<File> {
    if file.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(file);
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(&file, libc::STDERR_FILENO + 1)?.into())
}

/// A lock on a whole open file, given up when dropped.
///
/// It is an *open file description* lock (`F_OFD_SETLKW`), the kind that MIT krb5 puts on its replay cache, so
/// each excludes the other. It belongs to the open file: two opens of one path exclude each other even in one
/// process, but a descriptor inherited over a fork does not exclude its parent.
#[derive(Debug)]
#[must_use]
pub struct Locked<'a>(BorrowedFd<'a>);

impl<'a> Locked<'a> {
    /// Waits until `file` is ours alone.
    ///
    /// # Errors
    /// What fcntl(2) answers, for instance where the file system has no locks.
    pub fn exclusive(file: &'a File) -> io::Result<Self> {
        lock_whole(file.as_fd(), libc::F_WRLCK, libc::F_OFD_SETLKW)?;
        Ok(Self(file.as_fd()))
    }

    /// Makes `file` ours alone if nobody else has it now.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if somebody has; else what fcntl(2) answers.
    pub fn exclusive_at_once(file: &'a File) -> io::Result<Self> {
        lock_whole(file.as_fd(), libc::F_WRLCK, libc::F_OFD_SETLK)?;
        Ok(Self(file.as_fd()))
    }

    /// Waits until nobody else has `file` exclusively.
    ///
    /// # Errors
    /// What fcntl(2) answers, for instance where the file system has no locks.
    pub fn shared(file: &'a File) -> io::Result<Self> {
        lock_whole(file.as_fd(), libc::F_RDLCK, libc::F_OFD_SETLKW)?;
        Ok(Self(file.as_fd()))
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Unlocking a whole file can't run out of anything; should it fail, closing the file unlocks it.
        let _ = lock_whole(self.0, libc::F_UNLCK, libc::F_OFD_SETLKW);
    }
}

fn lock_whole(file: BorrowedFd<'_>, kind: libc::c_int, command: libc::c_int) -> io::Result<()> {
    let kind = libc::c_short::try_from(kind).map_err(io::Error::other)?;
    let whence = libc::c_short::try_from(libc::SEEK_SET).map_err(io::Error::other)?;
    // Length 0: to the end of the file, wherever it will be. The pid must be 0 for this kind of lock.
    let wanted = libc::flock { l_type: kind, l_whence: whence, l_start: 0, l_len: 0, l_pid: 0 };
    loop {
        // SAFETY: `file` is open for as long as it is borrowed; F_OFD_SETLKW and F_OFD_SETLK, which `command` is one
        // of, read one `struct flock` through their pointer, and `wanted` is one, alive during the call (fcntl(2)).
        if unsafe { libc::fcntl(file.as_raw_fd(), command, &raw const wanted) } != -1 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn two_opens_of_one_file_exclude_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, b"").unwrap();
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let file = File::options().read(true).write(true).open(&path).unwrap();
                        let _lock = Locked::exclusive(&file).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::sleep(std::time::Duration::from_micros(50));
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    }
                });
            }
        });
    }

    #[test]
    fn of_eight_who_make_a_file_one_wins_and_it_is_whole_at_once() {
        for make in [make_once, make_named] {
            let folder = tempfile::tempdir().unwrap();
            let opened = File::open(folder.path()).unwrap();
            let winners: u32 = std::thread::scope(|scope| {
                let racers: Vec<_> = (0..8u8)
                    .map(|racer| {
                        let opened = &opened;
                        scope.spawn(move || {
                            let won = make(opened.as_fd(), OsStr::new("key"), &[racer; 32]).unwrap();
                            let content = std::fs::read(folder_path(opened).join("key")).unwrap();
                            assert!(content.len() == 32 && content.iter().all(|o| *o == content[0]));
                            u32::from(won)
                        })
                    })
                    .collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).sum()
            });
            assert_eq!(winners, 1);
            let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
            assert_eq!(names.len(), 1, "nothing is left behind");
        }
    }

    fn folder_path(folder: &File) -> std::path::PathBuf {
        std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())).unwrap()
    }
}
