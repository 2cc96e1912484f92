//! The ledger in a file without a name, shared by a process and what it forks.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::Arc;

use orthros_wire::Timestamp;
use rustix::fs::MemfdFlags;

use super::file::Spent;
use super::{ID_LEN, Ledger, SpendRefusal};
use crate::sys::file::Locked;
use crate::table::{self, SEED_LEN};

/// Keeps spent ids in a memfd. Cheap to clone.
///
/// Daemons close all descriptors when they start. If ours is closed, or its number is another file's by now, every token is
/// refused: no ledger, no import.
#[derive(Clone, Debug)]
pub struct FamilyLedger(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    file: File,
    /// Device and inode: what tells the file from others.
    identity: (u64, u64),
    seed: [u8; SEED_LEN],
}

impl FamilyLedger {
    /// An empty ledger, for this process and what it forks from now on.
    ///
    /// # Errors
    /// No descriptors or no memory left.
    pub fn new() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("orthros-ledger", MemfdFlags::CLOEXEC)?);
        let seed = table::seed::<Spent>(&file)?;
        let ledger = Self(Arc::new(Memory { identity: identity(&file)?, file, seed }));
        // Better to hear now than at the first import that it can't be opened again.
        ledger.open()?;
        Ok(ledger)
    }

    /// The memfd, opened anew: a lock on it excludes everybody else.
    fn open(&self) -> io::Result<File> {
        let Memory { file, identity: known, .. } = &*self.0;
        let gone = || io::Error::other("its descriptor was closed by somebody else");
        if identity(file).ok().as_ref() != Some(known) {
            return Err(gone());
        }
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let opened = File::options().read(true).write(true).custom_flags(flags).open(path)?;
        if identity(&opened)? == *known { Ok(opened) } else { Err(gone()) }
    }
}

fn identity(file: &File) -> io::Result<(u64, u64)> {
    file.metadata().map(|data| (data.dev(), data.ino()))
}

impl Ledger for FamilyLedger {
    fn spend(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        let new = Spent::new(id, until, now);
        let inserted = self.open().and_then(|file| {
            let _lock = Locked::exclusive(&file)?;
            table::insert(&file, self.0.seed, &new, Spent::past_use(now))
        });
        Spent::answer(inserted, "the family's, in memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::tests::in_a_child;

    const NOW: Timestamp = Timestamp { seconds: 1_000, microseconds: 0 };
    const UNTIL: Timestamp = Timestamp { seconds: 2_000, microseconds: 0 };

    #[test]
    fn what_a_child_has_spent_is_spent_for_its_parent_and_its_sister() {
        let ledger = FamilyLedger::new().unwrap();
        let spend =
            || ledger.spend(&[7; 16], UNTIL, NOW).map_or_else(|no| no.to_string(), |()| "spent".into());
        let first = in_a_child(|| format!("{} {}", std::process::id(), spend()).into_bytes());
        let first = String::from_utf8(first).unwrap();
        let (pid, word) = first.split_once(' ').unwrap();
        assert_eq!(word, "spent");
        for said in [spend(), String::from_utf8(in_a_child(|| spend().into_bytes())).unwrap()] {
            assert!(said.contains(&format!("by pid {pid}.")), "{said}");
        }
        assert!(ledger.spend(&[8; 16], UNTIL, NOW).is_ok());
    }

    #[test]
    fn of_eight_children_and_eight_threads_one_spends_an_id() {
        let ledger = FamilyLedger::new().unwrap();
        let spent = || u8::from(ledger.spend(&[7; 16], UNTIL, NOW).is_ok());
        let children =
            in_a_child(|| vec![in_a_child(|| vec![spent()])[0] + in_a_child(|| vec![spent()])[0] + spent()]);
        let threads: u8 = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..8).map(|_| scope.spawn(spent)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(children[0] + threads, 1);
    }

    #[test]
    fn a_descriptor_that_is_another_file_by_now_spends_nothing_and_is_not_written_to() {
        let ledger = FamilyLedger::new().unwrap();
        let victim = tempfile::tempfile().unwrap();
        let theirs =
            Memory { file: victim.try_clone().unwrap(), identity: ledger.0.identity, seed: ledger.0.seed };
        let refusal = FamilyLedger(Arc::new(theirs)).spend(&[7; 16], UNTIL, NOW).unwrap_err();
        assert!(refusal.to_string().contains("closed by somebody else"), "{refusal}");
        assert_eq!(victim.metadata().unwrap().len(), 0);
    }
}
