//! A shared table's file: opened by its path under rules, kept open, and opened anew when it is another one.
//!
//! Locks belong to the open file, so two threads may not use one descriptor at a time. Each user therefore
//! takes a descriptor out of a small pool, or opens one more, and puts it back afterwards. The pool's own lock
//! is held for that moment only, never waited for, and never during input or output: a child of a fork can't
//! find it locked for ever, it opens a descriptor of its own. Descriptors of another process generation
//! ([`crate::sys::fork`]) share their lock with the parent and are closed.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Record, SEED_LEN, insert, seed, seed_so_far};
use crate::sys::file::{Locked, above_standard};
use crate::sys::{fork, process};

/// As many descriptors as this are kept open at most.
const POOLED: usize = 8;
/// How often a full search may meet a file that has just been replaced.
const ATTEMPTS: u32 = 4;

/// What a file must be like before it is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Ours, no link, and nobody else may read or write it.
    Private,
    /// Ours, no link, and nobody else may write it.
    Ours,
    /// Any regular file: whoever configured its path answers for it.
    Any,
}

/// A table in a file at `path`.
#[derive(Debug)]
pub(crate) struct Shared {
    path: PathBuf,
    rules: Rules,
    /// How long an open descriptor is believed to be still the file at `path`.
    recheck: Duration,
    /// The one seed that the file may have; others are not served.
    bound_to: Option<[u8; SEED_LEN]>,
    /// Whether a record is on the disk before it counts.
    durable: bool,
    pool: Mutex<Vec<Opened>>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    device: u64,
    inode: u64,
    generation: u64,
    checked: Instant,
    seed: Option<[u8; SEED_LEN]>,
}

impl Shared {
    pub(crate) fn new(path: PathBuf, rules: Rules, recheck: Duration) -> Self {
        Self { path, rules, recheck, bound_to: None, durable: false, pool: Mutex::new(Vec::new()) }
    }

    /// The same for a file that is known by its seed. Where it lies needs no look then: a descriptor whose file has this
    /// seed is the right one, also after a daemon has closed every descriptor and the number is somebody else's. It is
    /// never made anew.
    pub(crate) fn bound_to(self, seed: [u8; SEED_LEN]) -> Self {
        Self { bound_to: Some(seed), ..self }
    }

    /// The same, where a record is on the disk before it counts.
    pub(crate) fn durable(self) -> Self {
        Self { durable: true, ..self }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file (making it) and gives its seed; the descriptor is kept for later.
    pub(crate) fn seed<R: Record>(&self) -> io::Result<[u8; SEED_LEN]> {
        self.with_current::<R, _>(|_, seed| Ok(seed))
    }

    /// Puts `new` into the table, or gives the record with its key. See [`insert`].
    pub(crate) fn insert<R: Record>(
        &self,
        new: &R,
        may_overwrite: impl Fn(&R) -> bool,
    ) -> io::Result<Option<R>> {
        self.with_current::<R, _>(|file, seed| {
            let found = insert(file, seed, new, &may_overwrite)?;
            if self.durable && found.is_none() {
                file.sync_data()?;
            }
            Ok(found)
        })
    }

    /// Runs `work` on the locked file: the one that is at `path` now, or the one of the seed that it is known by.
    fn with_current<R: Record, T>(
        &self,
        work: impl Fn(&File, [u8; SEED_LEN]) -> io::Result<T>,
    ) -> io::Result<T> {
        for _ in 0..ATTEMPTS {
            let mut opened = match self.take::<R>() {
                Some(opened) => opened,
                None => self.open()?,
            };
            let lock = Locked::exclusive(&opened.file)?;
            let believed = self.bound_to.is_some() || opened.checked.elapsed() < self.recheck;
            // Asked under the lock: while we waited for it, the file may have been replaced.
            let seed = match opened.seed {
                Some(seed) if believed => seed,
                _ => {
                    if !self.is_at_path(&opened)? {
                        continue;
                    }
                    opened.checked = Instant::now();
                    *opened.seed.insert(seed::<R>(&opened.file)?)
                }
            };
            if self.bound_to.is_some_and(|expected| expected != seed) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the file was replaced since the key beside it was opened",
                ));
            }
            let outcome = work(&opened.file, seed)?;
            drop(lock);
            self.give_back(opened);
            return Ok(outcome);
        }
        Err(io::Error::other("the file is replaced again and again"))
    }

    fn take<R: Record>(&self) -> Option<Opened> {
        let generation = fork::generation();
        let mut pool = self.pool.try_lock().ok()?;
        while let Some(opened) = pool.pop() {
            let same_process = opened.generation == generation;
            let known = match self.bound_to {
                Some(bound) => seed_so_far::<R>(&opened.file).is_ok_and(|seed| seed == Some(bound)),
                None => opened.checked.elapsed() < self.recheck,
            };
            if same_process && known {
                return Some(opened);
            }
            // Daemons close every descriptor when they start; the number may be somebody else's by now, and
            // then it is neither to be used nor to be closed.
            match opened.is_itself() {
                true if same_process => return Some(opened),
                true => {}
                false => opened.abandon(),
            }
        }
        None
    }

    fn give_back(&self, opened: Opened) {
        if let Ok(mut pool) = self.pool.try_lock()
            && pool.len() < POOLED
        {
            pool.push(opened);
        }
    }

    fn open(&self) -> io::Result<Opened> {
        let no_link = if self.rules == Rules::Any { 0 } else { libc::O_NOFOLLOW };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(self.bound_to.is_none())
            .truncate(false)
            .mode(0o600)
            // Not to hang on a FIFO or to be given a terminal, should one lie there.
            .custom_flags(no_link | libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(&self.path)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ELOOP) if no_link != 0 => {
                    io::Error::other("it is a symbolic link, and links are not followed here")
                }
                _ => error,
            })?;
        let file = above_standard(file)?;
        let metadata = file.metadata()?;
        self.rules.check(&metadata).map_err(io::Error::other)?;
        Ok(Opened {
            device: metadata.dev(),
            inode: metadata.ino(),
            generation: fork::generation(),
            checked: Instant::now(),
            seed: None,
            file,
        })
    }

    fn is_at_path(&self, opened: &Opened) -> io::Result<bool> {
        let found = if self.rules == Rules::Any {
            std::fs::metadata(&self.path)
        } else {
            std::fs::symlink_metadata(&self.path)
        };
        match found {
            Ok(found) => Ok(found.dev() == opened.device && found.ino() == opened.inode),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Opened {
    /// Whether the descriptor still means the file that we opened, and was not closed behind our back.
    fn is_itself(&self) -> bool {
        self.file.metadata().is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode)
    }

    /// Forgets the descriptor without closing it: it is not ours.
    fn abandon(self) {
        let _ = self.file.into_raw_fd();
    }
}

impl Rules {
    fn check(self, metadata: &Metadata) -> Result<(), String> {
        if !metadata.is_file() {
            return Err("it is not a regular file".into());
        }
        if self == Self::Any {
            return Ok(());
        }
        let us = process::file_user();
        if metadata.uid() != us {
            return Err(format!("it belongs to uid {}, not to us (uid {us})", metadata.uid()));
        }
        let (forbidden, what) = if self == Self::Private { (0o077, "used") } else { (0o022, "written") };
        if metadata.mode() & forbidden != 0 {
            return Err(format!("its mode {:04o} lets it be {what} by others", metadata.mode() & 0o7777));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Octet(u8);

    impl Record for Octet {
        const MAGIC: &'static [u8] = b"";
        const LEN: usize = 1;
        const GROWTH: u64 = 2;
        fn key(&self) -> &[u8] {
            std::slice::from_ref(&self.0)
        }
        fn decode(octets: &[u8]) -> Option<Self> {
            octets.first().copied().map(Self)
        }
        fn encode(&self, octets: &mut [u8]) {
            octets[0] = self.0;
        }
        fn never_used(&self) -> bool {
            self.0 == 0
        }
    }

    fn shared(folder: &tempfile::TempDir) -> Shared {
        Shared::new(folder.path().join("table"), Rules::Private, Duration::ZERO)
    }

    fn pooled(shared: &Shared) -> Vec<i32> {
        shared.pool.lock().unwrap().iter().map(|opened| opened.file.as_raw_fd()).collect()
    }

    #[test]
    fn a_descriptor_closed_behind_our_back_is_neither_used_nor_closed() {
        let folder = tempfile::tempdir().unwrap();
        let shared = shared(&folder);
        assert_eq!(shared.insert(&Octet(1), |_| false).unwrap(), None);
        let before = pooled(&shared);
        // As after a daemon's closing of all descriptors: the number means another file now.
        let victim = tempfile::tempfile().unwrap();
        let lent = victim.try_clone().unwrap();
        let lent_number = lent.as_raw_fd();
        let ours = std::mem::replace(&mut shared.pool.lock().unwrap()[0].file, lent);
        assert_eq!(shared.insert(&Octet(1), |_| false).unwrap(), Some(Octet(1)));
        assert_eq!(victim.metadata().unwrap().len(), 0, "not written to");
        assert!(std::fs::read_link(format!("/proc/self/fd/{lent_number}")).is_ok(), "not closed");
        assert_ne!(pooled(&shared), [lent_number]);
        assert_eq!(before, [ours.as_raw_fd()]);
    }

    #[test]
    fn a_child_opens_a_descriptor_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let shared = shared(&folder);
        shared.insert(&Octet(1), |_| false).unwrap();
        let held = shared.take::<Octet>().unwrap();
        let lock = Locked::exclusive(&held.file).unwrap();
        shared.give_back(Opened { file: held.file.try_clone().unwrap(), ..shared.open().unwrap() });
        // The child inherits a descriptor whose lock its parent holds; used by the child, it would not wait.
        let said = fork::tests::in_a_child(|| {
            let taken = shared.take::<Octet>().is_some();
            vec![u8::from(taken), u8::try_from(pooled(&shared).len()).unwrap()]
        });
        assert_eq!(said, [0, 0]);
        drop(lock);
        assert_eq!(pooled(&shared).len(), 1, "the parent's pool is as it was");
    }
}
