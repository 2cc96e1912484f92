//! The process's variables, all that count looked up in one pass: every call of the library that needs to know how the
//! process is configured comes by here, and the C library's `getenv` would go through the whole list for each name.

use std::ffi::{CStr, OsStr, OsString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::{iter, ptr};

unsafe extern "C" {
    /// The process's list of `NAME=value`, which a null pointer ends (environ(7)).
    static environ: *const *const c_char;
}

/// The values of `names`, where they are set; of a name that is there twice the first, as `getenv` answers.
pub(crate) fn values<const N: usize>(names: &[&str; N]) -> [Option<OsString>; N] {
    let mut found = [const { None }; N];
    for entry in entries() {
        for (name, place) in names.iter().zip(&mut found) {
            if let Some(value) = value_of(entry, name)
                && place.is_none()
            {
                *place = Some(OsStr::from_bytes(value).to_owned());
            }
        }
    }
    found
}

fn value_of<'a>(entry: &'a [u8], name: &str) -> Option<&'a [u8]> {
    // The sign first: most names have another length.
    let (before, value) =
        entry.split_at_checked(name.len()).filter(|(_, rest)| rest.first() == Some(&b'='))?;
    if before == name.as_bytes() { value.get(1..) } else { None }
}

/// Each `NAME=value` whose name begins as ours do.
fn entries() -> impl Iterator<Item = &'static [u8]> {
    // SAFETY: a plain variable of the C library. A program that changes its environment while other threads read it
    // breaks the contract of setenv(3), with any library.
    let mut next = unsafe { environ };
    let pointers = iter::from_fn(move || {
        if next.is_null() {
            return None;
        }
        // SAFETY: the list goes on until its null pointer, past which this never reads: `next` is null from then on.
        let entry = unsafe { *next };
        // SAFETY: as above; the entry that was read was not the last one.
        next = if entry.is_null() { ptr::null() } else { unsafe { next.add(1) } };
        (!entry.is_null()).then_some(entry)
    });
    pointers.filter_map(|entry| {
        // SAFETY: entries are strings that end with a zero, so the first octet is there.
        let first = unsafe { *entry }.cast_unsigned();
        // SAFETY: as above. The strings stay as long as nobody changes the environment, and each is copied at once.
        FIRST_LETTERS.contains(&first).then(|| unsafe { CStr::from_ptr(entry) }.to_bytes())
    })
}

/// What the names of all variables that this library knows begin with.
const FIRST_LETTERS: &[u8] = b"GKORTX";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_what_the_standard_library_says() {
        // Cargo sets variables of the library's letters for its tests, and some are there anyway.
        let names =
            ["TERM", "RUSTUP_HOME", "RUST_BACKTRACE", "TMPDIR", "XDG_RUNTIME_DIR", "ORTHROS", "KRB5CCNAME"];
        assert_eq!(values(&names), names.map(std::env::var_os));
        assert_eq!(values(&["RUST"]), [None], "a name is matched whole");
    }

    #[test]
    fn an_entry_gives_its_value_to_its_own_name_only() {
        assert_eq!(value_of(b"KRB5CCNAME=FILE:a=b", "KRB5CCNAME"), Some(&b"FILE:a=b"[..]));
        assert_eq!(value_of(b"KRB5CCNAME=", "KRB5CCNAME"), Some(&b""[..]));
        for other in [&b"KRB5CCNAME"[..], b"KRB5CCNAMES=x", b"KRB5CCNAM=x", b""] {
            assert_eq!(value_of(other, "KRB5CCNAME"), None);
        }
    }
}
