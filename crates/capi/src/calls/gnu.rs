//! What GNU GSS has and others have not, and what it means otherwise.
//!
//! A function whose name begins with `gnu_` leaves GNU's face by the rest of its name, in place of the one that other
//! faces have by that name.

use std::ffi::c_char;
use std::ptr;

use super::name;
use crate::abi::Handle;
use crate::pointers::Text;

/// The version of GNU GSS whose functions and meanings the face has.
const VERSION: &std::ffi::CStr = c"1.0.4";

/// The version, if it is the asked one or a later one, or if none is asked for; else null.
#[unsafe(no_mangle)]
pub extern "C" fn gss_check_version(req_version: Text) -> *const c_char {
    let enough = match req_version.read_or_none() {
        Ok(asked) => asked.is_none_or(|asked| is_enough(&asked)),
        Err(_) => false,
    };
    if enough { VERSION.as_ptr() } else { ptr::null() }
}

/// Whether [`VERSION`] is this one or a later one; what is no row of numbers is later.
fn is_enough(asked: &str) -> bool {
    let numbers: Result<Vec<u32>, _> = asked.split_terminator('.').map(str::parse).collect();
    numbers.is_ok_and(|numbers| numbers <= vec![1, 0, 4])
}

/// Whether a name, as it is shown, is this text: 1, or 0. It is not asked what the text's user allows.
#[unsafe(no_mangle)]
pub extern "C" fn gnu_gss_userok(name_handle: Handle, username: Text) -> i32 {
    match (name(name_handle), username.read()) {
        (Ok(name), Ok(username)) => i32::from(name.display().text == username),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_not_there_and_an_earlier_one_is() {
        for asked in ["", "1.0", "0.9.9", "1.0.3", "1.0.4"] {
            assert!(is_enough(asked), "{asked}");
        }
        for asked in ["1.0.4a", "1.0.4.1", "1.0.5", "1.1", "2", "x"] {
            assert!(!is_enough(asked), "{asked}");
        }
        assert_eq!(VERSION, c"1.0.4");
    }
}
