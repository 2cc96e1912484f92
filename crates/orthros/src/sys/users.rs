//! The users of this machine, as its name service switch (nsswitch.conf(5)) has them: files, directories and so on.

use std::ffi::{CStr, CString, OsStr, c_char, c_int};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::{io, ptr};

/// No entry needs more octets than this.
const LARGEST_ENTRY: usize = 1 << 20;

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user id.
    pub id: u32,
    /// The id of the user's own group.
    pub group: u32,
    /// The name.
    pub name: String,
    /// The home directory.
    pub home: PathBuf,
}

/// The user of this name, if there is one.
///
/// # Errors
/// What getpwnam_r(3) answers: the name service can't be asked.
pub fn by_name(name: &str) -> io::Result<Option<User>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    look_up(|entry, room, length, found| {
        // SAFETY: the name ends with its only zero octet; `look_up` lends the other places for the call.
        unsafe { libc::getpwnam_r(name.as_ptr(), entry, room, length, found) }
    })
}

/// The user with this number, if there is one.
///
/// # Errors
/// As [`by_name`].
pub fn by_id(id: u32) -> io::Result<Option<User>> {
    look_up(|entry, room, length, found| {
        // SAFETY: `look_up` lends the places for the call.
        unsafe { libc::getpwuid_r(id, entry, room, length, found) }
    })
}

/// Asks with ever more room. `ask` gets a place for the entry, room of so many octets for its strings, and a place
/// for the answer; all are this function's own, and good for the call.
fn look_up(
    mut ask: impl FnMut(*mut libc::passwd, *mut c_char, usize, *mut *mut libc::passwd) -> c_int,
) -> io::Result<Option<User>> {
    let mut room: Vec<c_char> = vec![0; 1_024];
    loop {
        let mut entry = MaybeUninit::<libc::passwd>::uninit();
        let mut found = ptr::null_mut();
        match ask(entry.as_mut_ptr(), room.as_mut_ptr(), room.len(), &raw mut found) {
            0 if found.is_null() => return Ok(None),
            0 => {}
            libc::ERANGE if room.len() < LARGEST_ENTRY => {
                room.resize(room.len() * 2, 0);
                continue;
            }
            libc::EINTR => continue,
            // How systems differ in saying that there is no such user (getpwnam(3)).
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        // SAFETY: the call succeeded and `found` is not null, so it has filled `entry`.
        let entry = unsafe { entry.assume_init_ref() };
        if entry.pw_dir.is_null() || entry.pw_name.is_null() {
            return Ok(None);
        }
        // SAFETY: the call let it point to a string within `room`, which is not touched before the return.
        let name = unsafe { CStr::from_ptr(entry.pw_name) };
        // SAFETY: as above.
        let home = unsafe { CStr::from_ptr(entry.pw_dir) };
        let name = name.to_str().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?.to_owned();
        let home = OsStr::from_bytes(home.to_bytes()).into();
        return Ok(Some(User { id: entry.pw_uid, group: entry.pw_gid, name, home }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_known_by_name_and_number_and_others_are_not() {
        let root = by_name("root").unwrap().unwrap();
        assert_eq!((root.id, root.home.is_absolute()), (0, true));
        assert_eq!(by_id(0).unwrap().unwrap(), root);
        assert!(!matches!(by_name("no-such-user-here"), Ok(Some(_))));
        assert_eq!(by_name("ro\0ot").unwrap(), None);
        assert_eq!(by_id(u32::MAX - 77).unwrap(), None);
    }
}
