//! Local users: `gss_localname` and `gss_userok`, with the files that they look at.
//!
//! The rules are in [`orthros_krb5::localname`]; here a user's `.k5login` is found and read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use orthros_krb5::config::BadConfig;
use orthros_krb5::localname::{self, LoginFile};
use orthros_krb5::{Config, Principal};

use crate::Orthros;
use crate::sys::users::{self, User};

/// No login file has more octets than this.
const LARGEST_FILE: u64 = 1 << 20;

impl Orthros {
    /// The user that `principal` is on this machine, by `auth_to_local` and its kin; `None` if it is none.
    ///
    /// ```
    /// let orthros = orthros::Orthros::builder()
    ///     .config_text("[libdefaults]\n default_realm = EXAMPLE.COM")?
    ///     .build();
    /// assert_eq!(orthros.local_name(&"alice@EXAMPLE.COM".parse()?)?.as_deref(), Some("alice"));
    /// assert_eq!(orthros.local_name(&"alice@ELSEWHERE.COM".parse()?)?, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BadConfig`] names a malformed rule, and where it stands.
    pub fn local_name(&self, principal: &Principal) -> Result<Option<String>, BadConfig> {
        localname::local_name(self.config(), principal)
    }

    /// Whether `principal` may log in as `user`: as the user's `.k5login` says, if there is one (it must belong to
    /// the user or to root), otherwise if that is the principal's [local name](Self::local_name). Whatever can't be
    /// read, or is malformed, lets nobody in.
    pub fn may_log_in(&self, principal: &Principal, user: &str) -> bool {
        let mut content = Vec::new();
        let file = match users::by_name(user) {
            Ok(Some(entry)) => read(&login_path(self.config(), user, &entry), &entry, &mut content),
            Ok(None) | Err(_) => LoginFile::Refused,
        };
        localname::may_log_in(self.config(), principal, user, file)
    }
}

fn login_path(config: &Config, user: &str, entry: &User) -> PathBuf {
    match &config.k5login_directory {
        Some(directory) => Path::new(directory).join(user),
        None => entry.home.join(".k5login"),
    }
}

fn read<'c>(path: &Path, user: &User, content: &'c mut Vec<u8>) -> LoginFile<'c> {
    // What can't be seen at all counts as absent, as in MIT krb5: a home directory on a server that keeps even root
    // out is common.
    if path.metadata().is_err() {
        return LoginFile::Absent;
    }
    match opened(path, user).and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(content)) {
        Ok(length) if u64::try_from(length).is_ok_and(|length| length <= LARGEST_FILE) => {
            LoginFile::Content(content)
        }
        Ok(_) | Err(_) => LoginFile::Refused,
    }
}

/// The file, if it is one that may be trusted. The checks are made on the open file, so that nobody can put another
/// in its place; a pipe does not keep us waiting.
fn opened(path: &Path, user: &User) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)?;
    let data = file.metadata()?;
    let is_trusted = data.is_file() && (data.uid() == user.id || data.uid() == 0);
    if is_trusted { Ok(file) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_file_counts_if_it_is_one_and_trustworthy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice");
        let mut content = Vec::new();
        let owner = User {
            id: folder.path().metadata().unwrap().uid(),
            group: 0,
            name: String::new(),
            home: "/".into(),
        };
        assert_eq!(read(&path, &owner, &mut content), LoginFile::Absent);
        assert_eq!(read(folder.path(), &owner, &mut content), LoginFile::Refused);
        std::fs::write(&path, "alice@R\n").unwrap();
        assert_eq!(read(&path, &owner, &mut content), LoginFile::Content(b"alice@R\n"));
        let large = vec![b'\n'; 1 + usize::try_from(LARGEST_FILE).unwrap()];
        std::fs::write(&path, large).unwrap();
        assert_eq!(read(&path, &owner, &mut Vec::new()), LoginFile::Refused);
        // A file of root's is trusted for everybody, another's is not.
        let other = User { id: owner.id + 1, group: 0, name: String::new(), home: "/".into() };
        std::fs::write(&path, "").unwrap();
        let expected = if owner.id == 0 { LoginFile::Content(b"") } else { LoginFile::Refused };
        assert_eq!(read(&path, &other, &mut Vec::new()), expected);
    }

    #[test]
    fn a_pipe_in_place_of_the_login_file_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alice");
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let owner = User {
            id: folder.path().metadata().unwrap().uid(),
            group: 0,
            name: String::new(),
            home: "/".into(),
        };
        assert_eq!(read(&path, &owner, &mut Vec::new()), LoginFile::Refused);
    }

    #[test]
    fn who_may_log_in_is_read_from_the_configured_directory() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            format!("[libdefaults]\ndefault_realm = R\nk5login_directory = {}", folder.path().display());
        let orthros = Orthros::builder().config_text(&text).unwrap().build();
        let [alice, root] = ["alice@R", "root@R"].map(|name| name.parse::<Principal>().unwrap());
        assert!(orthros.may_log_in(&root, "root") && !orthros.may_log_in(&alice, "root"));
        assert!(!orthros.may_log_in(&alice, "no-such-user-here"));
        if folder.path().metadata().unwrap().uid() == 0 {
            std::fs::write(folder.path().join("root"), "alice@R\n").unwrap();
            assert!(!orthros.may_log_in(&root, "root") && orthros.may_log_in(&alice, "root"));
        }
    }
}
