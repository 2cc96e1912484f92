//! `DIR` caches: a folder with a cache file for each of several clients, as MIT krb5 has it.
//!
//! The names of the files begin with `tkt`. The file `primary` holds the name of the one that is used where only
//! the folder is named, and a line end; without it that is `tkt`.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use orthros_wire::Random;

use super::{StoreFault, file};
use crate::random::SystemRandom;

/// What the names of cache files begin with, and the name of the first one.
const PREFIX: &str = "tkt";
/// The file that names the cache in use.
const PRIMARY: &str = "primary";

/// The file in use, which need not be there.
pub(super) fn primary(folder: &Path) -> Result<PathBuf, StoreFault> {
    let octets = match file::read(&folder.join(PRIMARY)) {
        Ok((octets, _)) => octets,
        Err(StoreFault::Missing) => return Ok(folder.join(PREFIX)),
        Err(fault) => return Err(fault),
    };
    let name = std::str::from_utf8(&octets).ok().and_then(|text| text.strip_suffix('\n'));
    name.filter(|name| is_name(name)).map(|name| folder.join(name)).ok_or(StoreFault::Primary)
}

/// Makes a file of the folder the one in use.
pub(super) fn set_primary(path: &Path) -> Result<(), StoreFault> {
    let name = check(path)?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    file::replace(&folder.join(PRIMARY), format!("{name}\n").as_bytes())
}

/// The name of a cache file in its folder, if it can be one.
pub(super) fn check(path: &Path) -> Result<&str, StoreFault> {
    path.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name)).ok_or(StoreFault::DirName)
}

fn is_name(name: &str) -> bool {
    name.starts_with(PREFIX) && !name.contains('/')
}

/// The cache files that are there, the one in use first, the others by name.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreFault> {
    let primary = primary(folder)?;
    let mut list = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(list),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if check(&path).is_ok() {
            list.push(path);
        }
    }
    list.sort_by_key(|path| (*path != primary, path.clone()));
    Ok(list)
}

/// A file for a cache that is not there yet.
pub(super) fn fresh(folder: &Path) -> PathBuf {
    let mut octets = [0; 6];
    SystemRandom.fill(&mut octets);
    folder.join(format!("{PREFIX}{}", orthros_wire::hex::encode(&octets)))
}

/// Makes the folder of a cache file unless it is there. Its parent must be there.
pub(super) fn make_folder_of(path: &Path) -> Result<(), StoreFault> {
    let Some(folder) = path.parent() else { return Ok(()) };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}
