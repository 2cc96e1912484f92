//! The system's table of users, as its name service switch (nsswitch.conf(5)) has it: files, directories and so on.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::{io, ptr};

/// Octets that an entry may take up at most.
const LARGEST: usize = 1 << 20;

/// The name of the user with this number; `None` if there is none.
///
/// # Errors
/// What getpwuid_r(3) answers; `InvalidData` if the name is no UTF-8.
pub fn name_of(uid: u32) -> io::Result<Option<String>> {
    let mut size: usize = 1024;
    loop {
        let mut entry = MaybeUninit::<libc::passwd>::uninit();
        let mut strings: Vec<c_char> = vec![0; size];
        let mut found = ptr::null_mut();
        // SAFETY: getpwuid_r(3) writes to the three places that are lent to it for the call, to the second no
        // more than the length that is given with it; no other thread knows them.
        let code = unsafe {
            libc::getpwuid_r(uid, entry.as_mut_ptr(), strings.as_mut_ptr(), strings.len(), &raw mut found)
        };
        match code {
            0 if found.is_null() => return Ok(None),
            0 => {
                // SAFETY: `found` is not null and the call succeeded: it points to `entry`, now written.
                let name = unsafe { (*found).pw_name };
                return if name.is_null() { Ok(None) } else { copied(name).map(Some) };
            }
            libc::ERANGE if size < LARGEST => size *= 2,
            libc::EINTR => {}
            // How systems differ in saying that there is no such user (getpwnam(3)).
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
}

fn copied(name: *const c_char) -> io::Result<String> {
    // SAFETY: the only caller gives `pw_name` of a fresh entry, a string that ends in a NUL and lies in a buffer
    // that outlives this call (getpwnam(3)).
    let text = unsafe { CStr::from_ptr(name) };
    let text = text.to_str().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number_and_nobody_else_is() {
        assert_eq!(name_of(0).unwrap().as_deref(), Some("root"));
        assert_eq!(name_of(u32::MAX - 77).unwrap(), None);
    }
}
