//! The users of this machine, as its name service knows them.

use std::ffi::{CStr, CString, OsStr};
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
    /// The home directory.
    pub home: PathBuf,
}

/// The user of this name, if there is one.
///
/// # Errors
/// What getpwnam_r(3) answers: the name service can't be asked.
pub fn by_name(name: &str) -> io::Result<Option<User>> {
    let Ok(name) = CString::new(name) else { return Ok(None) };
    let mut room = vec![0_u8; 1_024];
    loop {
        let mut entry = MaybeUninit::<libc::passwd>::uninit();
        let mut found = ptr::null_mut();
        let (place, length) = (room.as_mut_ptr().cast(), room.len());
        // SAFETY: the name ends with its only zero octet; `entry` and `found` are places of the types that
        // getpwnam_r(3) fills, and `place` has `length` octets, all of them ours for the whole call.
        let error =
            unsafe { libc::getpwnam_r(name.as_ptr(), entry.as_mut_ptr(), place, length, &raw mut found) };
        match error {
            0 if found.is_null() => return Ok(None),
            0 => {}
            libc::ERANGE if room.len() < LARGEST_ENTRY => {
                room.resize(room.len() * 2, 0);
                continue;
            }
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        // SAFETY: `found` is not null, so getpwnam_r(3) has filled `entry`.
        let entry = unsafe { entry.assume_init_ref() };
        if entry.pw_dir.is_null() {
            return Ok(None);
        }
        // SAFETY: getpwnam_r(3) lets it point to a string within `room`, which is not touched before the return.
        let home = unsafe { CStr::from_ptr(entry.pw_dir) };
        return Ok(Some(User { id: entry.pw_uid, home: OsStr::from_bytes(home.to_bytes()).into() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_known_by_name_and_others_are_not() {
        let root = by_name("root").unwrap().unwrap();
        assert_eq!((root.id, root.home.is_absolute()), (0, true));
        assert!(!matches!(by_name("no-such-user-here"), Ok(Some(_))));
        assert_eq!(by_name("ro\0ot").unwrap(), None);
    }
}
