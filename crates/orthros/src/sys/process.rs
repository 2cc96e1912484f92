//! Who this process is, on which boot of the machine, and what its limits allow.

use std::{fmt, io};

use rustix::process::Resource;

/// This process's id.
pub fn id() -> u32 {
    std::process::id()
}

/// The effective user id, which decides what files may be opened.
pub fn effective_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The user as whom this thread opens files: the effective one, save within [`opening_files_as`].
pub fn file_user() -> u32 {
    // SAFETY: no memory is involved; -1 is nobody's id, so that nothing changes and the present one is told
    // (setfsuid(2)).
    unsafe { libc::setfsuid(u32::MAX) }.cast_unsigned()
}

/// Does some work with the rights of another user at files, of this thread only: what is opened is opened as if that
/// user did it, and what is made is theirs. No link that they have laid leads further than their own rights.
///
/// # Errors
/// `PermissionDenied` if this process may not: only root may.
pub fn opening_files_as<T>(user: u32, group: u32, work: impl FnOnce() -> T) -> io::Result<T> {
    /// The ids before, taken on again also when the work ends by a panic.
    struct Before(u32, u32);

    impl Drop for Before {
        fn drop(&mut self) {
            take_on(self.0, self.1);
        }
    }

    fn take_on(user: u32, group: u32) {
        // SAFETY: no memory is involved; the calls change this thread's ids only (setfsgid(2)).
        unsafe { libc::setfsgid(group) };
        // SAFETY: as above (setfsuid(2)).
        unsafe { libc::setfsuid(user) };
    }

    // SAFETY: as in `file_user`.
    let group_before = unsafe { libc::setfsgid(u32::MAX) }.cast_unsigned();
    let _before = Before(file_user(), group_before);
    take_on(user, group);
    if file_user() != user {
        let refused = format!(
            "only root may open files as another user, and this process is of uid {}",
            effective_user()
        );
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, refused));
    }
    Ok(work())
}

/// Whether this process was given privileges that its caller lacks when its program began (set-user-id, set-group-id,
/// capabilities). Its environment then comes from someone less trusted and must not choose files (secure_getenv(3)).
///
/// What becomes of its user ids later changes nothing: neither may a set-user-id program trust its variables once its
/// ids are equal, nor a server of root's doubt its own while it works as somebody else.
pub fn is_set_user_id() -> bool {
    // SAFETY: getauxval has no precondition; for a value that doesn't exist it returns 0 (getauxval(3)).
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Where the kernel tells the boot id.
pub const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Which boot of this machine we run on: 16 octets that the kernel draws at each boot.
///
/// # Errors
/// Those of reading [`BOOT_ID`]; `InvalidData` if something else is there.
pub fn boot_id() -> io::Result<[u8; 16]> {
    parse_boot_id(&std::fs::read_to_string(BOOT_ID)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn parse_boot_id(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|letter| *letter != '-').collect();
    orthros_wire::hex::decode(&digits)?.try_into().ok()
}

/// Writing would pass `RLIMIT_FSIZE`, and the kernel would answer with the signal SIGXFSZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSizeLimit {
    /// The limit in octets.
    pub limit: u64,
    /// The file length in octets that was wanted.
    pub wanted: u64,
}

impl fmt::Display for FileSizeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the file size limit of this process (RLIMIT_FSIZE, ulimit -f) is {} octets, but {} are needed",
            self.limit, self.wanted
        )
    }
}

impl std::error::Error for FileSizeLimit {}

/// Whether a file may grow to `wanted` octets.
///
/// # Errors
/// [`FileSizeLimit`] if writing so far would raise SIGXFSZ, whose default is to end the process.
pub fn check_file_size_limit(wanted: u64) -> Result<(), FileSizeLimit> {
    match rustix::process::getrlimit(Resource::Fsize).current {
        Some(limit) if limit < wanted => Err(FileSizeLimit { limit, wanted }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_id_is_read_whole_or_not_at_all() {
        assert_eq!(boot_id().unwrap(), boot_id().unwrap());
        let text = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\n";
        assert_eq!(parse_boot_id(text).unwrap()[..3], [0x0f, 0x1e, 0x2d]);
        assert_eq!(parse_boot_id("0f1e2d3c\n"), None);
        assert_eq!(parse_boot_id(""), None);
        assert_eq!(parse_boot_id("not a boot id"), None);
    }

    #[test]
    fn a_test_runner_is_not_set_user_id() {
        assert!(!is_set_user_id());
    }
}
