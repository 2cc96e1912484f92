//! Where this program lies and where it may put things for a while, also on a machine with no `/proc` and no `/tmp`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::failure::{Failure, While};

/// This program's file, to start it once more.
pub(crate) fn this_program() -> Result<PathBuf, Failure> {
    let unknown = match std::env::current_exe() {
        Ok(path) => return Ok(path),
        Err(error) => error,
    };
    // Without /proc: by the name that the kernel was given when it started this process.
    let named = rustix::param::linux_execfn().to_string_lossy().into_owned();
    let named = std::path::absolute(named).ok().filter(|path| path.is_file());
    named.ok_or(unknown).while_doing("cannot find this program")
}

/// A folder that only this user can enter, and that goes when it is dropped: in the usual place, or else, where
/// there is none, in the current folder.
pub(crate) fn temporary_folder() -> Result<TempDir, Failure> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("orthros-").permissions(fs::Permissions::from_mode(0o700));
    let made = builder.tempdir().or_else(|fault| {
        let here = std::env::current_dir().unwrap_or_else(|_| Path::new("/").to_owned());
        builder.tempdir_in(here).map_err(|_| fault)
    });
    made.while_doing("cannot make a temporary folder")
}
