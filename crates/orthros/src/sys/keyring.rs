//! A user's persistent keyring: keys that the kernel keeps, in no file, until the next boot (persistent-keyring(7)).
//!
//! The kernel lets a thread search, read and change what it *possesses*: what can be reached from its own keyrings. So
//! the persistent keyring is linked into the thread's own for as long as a [`Persistent`] lives, and not longer: a process
//! that gives its privileges up afterwards does not keep the keys that came with them.
//!
//! What must be there whole or not at all is made in the thread's own keyring, which nobody else sees and which dies with
//! the thread, and then moved in one call that fails if something of that name is there (`KEYCTL_MOVE`, Linux 5.3).

use std::ffi::{CStr, CString, c_int, c_long};
use std::io;
use std::marker::PhantomData;

use zeroize::Zeroizing;

/// The number of a key or a keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Serial(c_int);

/// What a description describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Other keys.
    Keyring,
    /// Octets.
    Octets,
}

impl Kind {
    fn name(self) -> &'static CStr {
        match self {
            Self::Keyring => c"keyring",
            Self::Octets => c"user",
        }
    }
}

/// The calls of keyctl(2) whose arguments are all numbers.
#[derive(Clone, Copy)]
enum Operation {
    Clear = 7,
    Unlink = 9,
    SetTimeout = 15,
    Persistent = 22,
    Move = 30,
}

const UPDATE: c_long = 2;
const SEARCH: c_long = 10;
const READ: c_long = 11;
/// `KEY_SPEC_THREAD_KEYRING`.
const THREAD: Serial = Serial(-1);
/// `KEYCTL_MOVE_EXCL`.
const EXCLUSIVE: c_int = 1;
/// No key that is read here has more octets.
const LONGEST: usize = 64;

/// A user's persistent keyring, in this thread's possession.
#[derive(Debug)]
pub struct Persistent {
    serial: Serial,
    /// Another thread possesses nothing by it.
    of_thread: PhantomData<*const ()>,
}

impl Persistent {
    /// That of the user with this id; made if there is none. Each call begins the time anew after which the kernel drops a
    /// keyring that nobody asks for (`/proc/sys/kernel/keys/persistent_keyring_expiry`, three days).
    ///
    /// # Errors
    /// `EPERM`: another user's, or a sandbox that lets nobody have keys; `ENOSYS`, `EOPNOTSUPP`: a kernel without them;
    /// `EDQUOT`: the user has as many keys as allowed.
    pub fn of(user: u32) -> io::Result<Self> {
        let serial = control(Operation::Persistent, [user.cast_signed(), THREAD.0, 0, 0])?;
        Ok(Self { serial: Serial(serial), of_thread: PhantomData })
    }

    /// The keyring itself.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// What has this description in `ring`, or in a keyring within it.
    ///
    /// # Errors
    /// Those of keyctl(2); that there is none is no error.
    pub fn find(&self, ring: Serial, kind: Kind, description: &str) -> io::Result<Option<Serial>> {
        let description = CString::new(description)?;
        let (kind, ring) = (kind.name(), c_long::from(ring.0));
        let found = retried(|| {
            // SAFETY: both texts end with a zero octet and are lent for the call, which only reads them (keyctl(2)).
            unsafe {
                libc::syscall(
                    libc::SYS_keyctl,
                    SEARCH,
                    ring,
                    kind.as_ptr(),
                    description.as_ptr(),
                    0 as c_long,
                )
            }
        });
        match found {
            Ok(serial) => Ok(Some(Serial(serial))),
            Err(error) => match error.raw_os_error() {
                // It has expired or was withdrawn, and will soon be gone.
                Some(libc::ENOKEY | libc::EKEYEXPIRED | libc::EKEYREVOKED) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// A new key or keyring, in `ring`, or where nobody sees it yet. One of the same kind and description gives way.
    ///
    /// # Errors
    /// `EDQUOT`: the user has as many keys as allowed (`/proc/sys/kernel/keys/maxkeys`, 200).
    pub fn add(
        &self,
        ring: Option<Serial>,
        kind: Kind,
        description: &str,
        octets: &[u8],
    ) -> io::Result<Serial> {
        let description = CString::new(description)?;
        let (kind, ring) = (kind.name(), c_long::from(ring.unwrap_or(THREAD).0));
        let payload = if octets.is_empty() { std::ptr::null() } else { octets.as_ptr() };
        retried(|| {
            // SAFETY: both texts end with a zero octet, `payload` is null or `octets`, of that length; all are lent for the
            // call, which only reads them (add_key(2)).
            unsafe {
                libc::syscall(
                    libc::SYS_add_key,
                    kind.as_ptr(),
                    description.as_ptr(),
                    payload,
                    octets.len(),
                    ring,
                )
            }
        })
        .map(Serial)
    }

    /// Moves what was [added](Self::add) where nobody sees it into `ring`, in one step. If it fails, it is nowhere.
    ///
    /// # Errors
    /// `EEXIST` if one of its kind and description is there; `EOPNOTSUPP` before Linux 5.3.
    pub fn publish(&self, key: Serial, ring: Serial) -> io::Result<()> {
        self.shift(key, THREAD, ring).inspect_err(|_| self.discard(key))
    }

    /// Moves `key` from one keyring into another, in one step. Of several that do it at once, one succeeds.
    ///
    /// # Errors
    /// `ENOENT` or `ENOKEY` if it is not there (any more); `EEXIST` if one of its kind and description is in the other.
    pub fn shift(&self, key: Serial, from: Serial, to: Serial) -> io::Result<()> {
        control(Operation::Move, [key.0, from.0, to.0, EXCLUSIVE]).map(drop)
    }

    /// Takes away what was [added](Self::add) where nobody sees it.
    pub fn discard(&self, key: Serial) {
        let _ = self.unlink(key, THREAD);
    }

    /// Takes `key` out of `ring`, and so away, if it is nowhere else.
    ///
    /// # Errors
    /// `ENOENT` if it is not there.
    pub fn unlink(&self, key: Serial, ring: Serial) -> io::Result<()> {
        control(Operation::Unlink, [key.0, ring.0, 0, 0]).map(drop)
    }

    /// Takes everything out of `ring`.
    ///
    /// # Errors
    /// Those of keyctl(2).
    pub fn clear(&self, ring: Serial) -> io::Result<()> {
        control(Operation::Clear, [ring.0, 0, 0, 0]).map(drop)
    }

    /// Lets the kernel drop `key` in so many seconds.
    ///
    /// # Errors
    /// Those of keyctl(2).
    pub fn expire(&self, key: Serial, seconds: u32) -> io::Result<()> {
        control(Operation::SetTimeout, [key.0, seconds.cast_signed(), 0, 0]).map(drop)
    }

    /// The octets of a key, 64 at most.
    ///
    /// # Errors
    /// Those of keyctl(2); `InvalidData` if there are more.
    pub fn read(&self, key: Serial) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut octets = Zeroizing::new(vec![0; LONGEST]);
        let length = retried(|| {
            // SAFETY: `octets` is lent for the call, which writes as many octets as fit at most (keyctl(2)).
            unsafe {
                let room = octets.as_mut_ptr();
                libc::syscall(libc::SYS_keyctl, READ, c_long::from(key.0), room, LONGEST, 0 as c_long)
            }
        })?;
        // What does not fit is not cut: the length is the whole's.
        let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST);
        octets.truncate(length.ok_or(io::ErrorKind::InvalidData)?);
        Ok(octets)
    }

    /// Gives a key other octets.
    ///
    /// # Errors
    /// Those of keyctl(2).
    pub fn update(&self, key: Serial, octets: &[u8]) -> io::Result<()> {
        retried(|| {
            // SAFETY: `octets` is lent for the call, which only reads it, in its length (keyctl(2)).
            unsafe {
                let (key, length) = (c_long::from(key.0), octets.len());
                libc::syscall(libc::SYS_keyctl, UPDATE, key, octets.as_ptr(), length, 0 as c_long)
            }
        })
        .map(drop)
    }
}

impl Drop for Persistent {
    fn drop(&mut self) {
        let _ = self.unlink(self.serial, THREAD);
    }
}

fn control(operation: Operation, arguments: [c_int; 4]) -> io::Result<c_int> {
    let [one, two, three, four] = arguments.map(c_long::from);
    retried(|| {
        // SAFETY: no memory is involved: all arguments of these operations are numbers (keyctl(2)).
        unsafe { libc::syscall(libc::SYS_keyctl, operation as c_long, one, two, three, four) }
    })
}

fn retried(mut call: impl FnMut() -> c_long) -> io::Result<c_int> {
    loop {
        let answer = call();
        if answer >= 0 {
            return c_int::try_from(answer).map_err(|_| io::ErrorKind::InvalidData.into());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
