//! The ledger in the kernel, where no folder can hold a file: it lists the tokens that were *not* spent yet.
//!
//! Shape: in the user's persistent keyring a keyring of our name, which appears whole, with three things in it:
//!
//! | description | what it is |
//! |---|---|
//! | `seal` | 32 random octets: the user's key |
//! | `waiting` | a keyring with a key for each token that was sealed and not imported yet; its description is the id |
//! | `spent` | a keyring with those that were imported; they hold when and by whom |
//!
//! A token is spent by moving its key from `waiting` to `spent`, which the kernel lets happen once. A file's ledger knows
//! every spent token until its end; here a user has 200 keys in all (`/proc/sys/kernel/keys/maxkeys`), so only tokens on
//! their way must count. What is in `spent` only tells who was first, and is dropped when room is needed. Whatever else
//! gets lost (the kernel drops a keyring that nobody has asked for in three days), what is not waiting is refused.

use std::time::Duration;
use std::{fmt, io};

use orthros_wire::{Random, Timestamp, hex};
use zeroize::Zeroizing;

use super::file::{pack, unpack};
use super::memory::MARGIN;
use super::{ID_LEN, Ledger, SpendRefusal};
use crate::random::SystemRandom;
use crate::sys::keyring::{Kind, Persistent, Serial};
use crate::sys::process;

/// Octets of the key in it.
const SEAL_LEN: usize = 32;
/// The kernel gives room back a moment after the keys are gone.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);
const SEAL: &str = "seal";
const WAITING: &str = "waiting";
const SPENT: &str = "spent";

/// Keeps the ids of unspent tokens in a user's persistent keyring. It knows only tokens that it was
/// [told of](Ledger::issue).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringLedger {
    user: u32,
    name: String,
}

impl fmt::Display for KeyringLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the keyring {} in the persistent keyring of uid {}", self.name, self.user)
    }
}

/// What is in our keyring.
struct Parts {
    waiting: Serial,
    spent: Serial,
}

impl KeyringLedger {
    /// The ledger in the keyring `name` within the persistent keyring of the user with this id.
    pub(crate) fn within(user: u32, name: impl Into<String>) -> Self {
        Self { user, name: name.into() }
    }

    /// The keyring's number and the octets of the key in it; both are made, if there are none.
    pub(crate) fn open(&self) -> io::Result<(Serial, Zeroizing<[u8; SEAL_LEN]>)> {
        let persistent = Persistent::of(self.user)?;
        let ring = match persistent.find(persistent.serial(), Kind::Keyring, &self.name)? {
            Some(ring) => ring,
            None => self.make(&persistent)?,
        };
        let lacking = || io::Error::other(format!("the keyring {} lacks its key: unlink it", self.name));
        let seal = persistent.find(ring, Kind::Octets, SEAL)?.ok_or_else(lacking)?;
        let octets = persistent.read(seal)?;
        let octets = octets.as_slice().try_into().map(Zeroizing::new).map_err(|_| lacking())?;
        Ok((ring, octets))
    }

    /// The number of the keyring that is there now.
    pub(crate) fn serial(&self) -> Option<Serial> {
        let persistent = Persistent::of(self.user).ok()?;
        persistent.find(persistent.serial(), Kind::Keyring, &self.name).ok()?
    }

    /// Makes the keyring where nobody sees it. If another process was faster, its keyring is the one.
    fn make(&self, persistent: &Persistent) -> io::Result<Serial> {
        let mut seal = Zeroizing::new([0; SEAL_LEN]);
        SystemRandom.fill(seal.as_mut());
        let ring = persistent.add(None, Kind::Keyring, &self.name, &[])?;
        let filled = persistent
            .add(Some(ring), Kind::Octets, SEAL, seal.as_ref())
            .and_then(|_| persistent.add(Some(ring), Kind::Keyring, WAITING, &[]))
            .and_then(|_| persistent.add(Some(ring), Kind::Keyring, SPENT, &[]));
        // Unfilled it would be in nobody's way: it goes with the thread. But it counts for the user's quota.
        if let Err(error) = filled {
            persistent.discard(ring);
            return Err(error);
        }
        match persistent.publish(ring, persistent.serial()) {
            Ok(()) => Ok(ring),
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => persistent
                .find(persistent.serial(), Kind::Keyring, &self.name)?
                .ok_or_else(|| io::Error::other("another's keyring vanished as soon as it was made")),
            Err(error) => Err(error),
        }
    }

    fn parts(&self, persistent: &Persistent) -> io::Result<Parts> {
        let lost = || {
            io::Error::other(
                "it is gone, and with it what it knew: cleared, or nobody asked for it in three days",
            )
        };
        let ring = persistent.find(persistent.serial(), Kind::Keyring, &self.name)?.ok_or_else(lost)?;
        let part = |name| persistent.find(ring, Kind::Keyring, name)?.ok_or_else(lost);
        Ok(Parts { waiting: part(WAITING)?, spent: part(SPENT)? })
    }

    fn wait(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> io::Result<()> {
        let persistent = Persistent::of(self.user)?;
        let parts = self.parts(&persistent)?;
        let seconds = until.seconds.saturating_sub(now.seconds).saturating_add(MARGIN).max(1);
        with_room(&persistent, &parts, || {
            let key = persistent.add(None, Kind::Octets, &hex::encode(id), &[0])?;
            if let Err(error) = persistent.expire(key, u32::try_from(seconds).unwrap_or(u32::MAX)) {
                persistent.discard(key);
                return Err(error);
            }
            persistent.publish(key, parts.waiting)
        })
    }

    /// Whether it was unspent, and is spent by this process now.
    fn take(&self, id: &[u8; ID_LEN], now: Timestamp) -> io::Result<Result<(), SpendRefusal>> {
        let persistent = Persistent::of(self.user)?;
        let parts = self.parts(&persistent)?;
        let name = hex::encode(id);
        if let Some(key) = persistent.find(parts.waiting, Kind::Octets, &name)? {
            match with_room(&persistent, &parts, || persistent.shift(key, parts.waiting, parts.spent)) {
                Ok(()) => {
                    // Only for whoever comes second, and wants to know.
                    let _ = persistent.update(key, &pack(now, process::id()).to_be_bytes());
                    return Ok(Ok(()));
                }
                Err(error) if !is_gone(&error) => return Err(error),
                Err(_) => {}
            }
        }
        let told = match persistent.find(parts.spent, Kind::Octets, &name)? {
            Some(key) => persistent.read(key).ok(),
            None => None,
        };
        Ok(Err(match told.and_then(|octets| octets.as_slice().try_into().ok()) {
            Some(octets) => {
                let (at, pid) = unpack(u64::from_be_bytes(octets));
                SpendRefusal::AlreadySpent { at, pid }
            }
            None => SpendRefusal::Gone,
        }))
    }
}

/// That somebody else was faster: moved it, or moved it and dropped it.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ENOENT | libc::ENOKEY | libc::EACCES | libc::EEXIST | libc::EKEYEXPIRED | libc::EKEYREVOKED
        )
    )
}

/// Does what needs room for one more key; if there is none, without what is only told of spent tokens.
fn with_room(
    persistent: &Persistent,
    parts: &Parts,
    mut work: impl FnMut() -> io::Result<()>,
) -> io::Result<()> {
    let is_full =
        |done: &io::Result<()>| done.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EDQUOT));
    let mut done = work();
    if is_full(&done) {
        persistent.clear(parts.spent)?;
        for _ in 0..ATTEMPTS {
            done = work();
            if !is_full(&done) {
                break;
            }
            std::thread::sleep(PAUSE);
        }
    }
    done
}

fn unavailable(ledger: &KeyringLedger, error: &io::Error) -> SpendRefusal {
    let hint = match error.raw_os_error() {
        Some(libc::EDQUOT) => {
            "; too many tokens of this user's wait to be imported (/proc/sys/kernel/keys/maxkeys, maxbytes)"
        }
        _ => "",
    };
    SpendRefusal::Unavailable(format!("{ledger}: {error}{hint}"))
}

impl Ledger for KeyringLedger {
    fn issue(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        self.wait(id, until, now).map_err(|error| unavailable(self, &error))
    }

    fn spend(&self, id: &[u8; ID_LEN], _until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        self.take(id, now).map_err(|error| unavailable(self, &error))?
    }
}
