//! Puts a face of the C library into a folder of its own.
//!
//! It displaces nothing: a file that is there already and that an earlier installation did not bring is an error, and
//! so is a folder in which the dynamic linker looks by itself, because programs would then run on ours unasked.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Failure, Options, faces};

/// Under the prefix: the files that were installed, a line for each.
const RECORD: &str = "share/orthros/installed";

/// `cargo xtask install`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let prefix = options.value("--prefix").ok_or("`install` wants --prefix FOLDER")?;
    let prefix = std::path::absolute(prefix)?;
    refuse_searched(&prefix.join("lib"), &searched())?;
    let built = faces::one(options.value("--face").unwrap_or("mit"))?;
    install(&built, &prefix)?;
    println!("Installed in {}", prefix.display());
    println!("A program runs on it: LD_LIBRARY_PATH={} PROGRAM", prefix.join("lib").display());
    println!("It is compiled for it: PKG_CONFIG_PATH={}", prefix.join("lib/pkgconfig").display());
    Ok(())
}

fn install(built: &Path, prefix: &Path) -> Result<(), Failure> {
    let files = files(built, Path::new(""))?;
    let record = prefix.join(RECORD);
    let ours: BTreeSet<PathBuf> = match fs::read_to_string(&record) {
        Ok(text) => text.lines().map(PathBuf::from).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => BTreeSet::new(),
        Err(error) => return Err(format!("{}: {error}", record.display()).into()),
    };
    let foreign =
        files.iter().find(|file| !ours.contains(*file) && prefix.join(file).symlink_metadata().is_ok());
    if let Some(file) = foreign {
        let file = prefix.join(file);
        return Err(format!("{}: is there already, and not ours; take another prefix", file.display()).into());
    }
    for file in &ours {
        match fs::remove_file(prefix.join(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    // First the record: an installation that is broken off can be done again.
    fs::create_dir_all(record.parent().unwrap_or(prefix))?;
    fs::write(&record, files.iter().map(|file| format!("{}\n", file.display())).collect::<String>())?;
    faces::copy(built, prefix)
}

/// The files below a folder, by their way from it.
fn files(root: &Path, below: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            found.extend(files(root, &path)?);
        } else {
            found.insert(path);
        }
    }
    Ok(found)
}

/// Where the dynamic linker looks by itself (ld.so(8)).
fn searched() -> BTreeSet<PathBuf> {
    let mut folders: BTreeSet<PathBuf> =
        ["/lib", "/usr/lib", "/lib64", "/usr/lib64"].iter().map(PathBuf::from).collect();
    let mut configurations = vec![PathBuf::from("/etc/ld.so.conf")];
    configurations
        .extend(fs::read_dir("/etc/ld.so.conf.d").into_iter().flatten().flatten().map(|entry| entry.path()));
    for text in configurations.iter().filter_map(|file| fs::read_to_string(file).ok()) {
        folders.extend(text.lines().map(str::trim).filter(|line| line.starts_with('/')).map(PathBuf::from));
    }
    folders
}

fn refuse_searched(library: &Path, searched: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    // What does not exist yet is looked for under its own name.
    let real = library.canonicalize().unwrap_or_else(|_| library.to_owned());
    let taken =
        searched.iter().any(|folder| *folder == real || folder.canonicalize().is_ok_and(|it| it == real));
    if taken {
        let why = "the dynamic linker looks there by itself; take a prefix of its own, such as /opt/orthros";
        return Err(format!("{}: {why}", library.display()).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("orthros-install-{name}-{}", std::process::id()));
        shell::remove(&folder).unwrap();
        fs::create_dir_all(folder.join("built/lib")).unwrap();
        fs::write(folder.join("built/lib/a"), "ours").unwrap();
        std::os::unix::fs::symlink("a", folder.join("built/lib/b")).unwrap();
        folder
    }

    #[test]
    fn a_file_of_another_is_not_displaced() {
        let folder = scratch("foreign");
        let prefix = folder.join("prefix");
        fs::create_dir_all(prefix.join("lib")).unwrap();
        fs::write(prefix.join("lib/b"), "theirs").unwrap();
        let why = install(&folder.join("built"), &prefix).unwrap_err().to_string();
        assert!(why.contains("lib/b"), "{why}");
        assert_eq!(fs::read_to_string(prefix.join("lib/b")).unwrap(), "theirs");
        assert!(!prefix.join("lib/a").exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_second_installation_replaces_the_first_and_no_more() {
        let folder = scratch("twice");
        let (built, prefix) = (folder.join("built"), folder.join("prefix"));
        install(&built, &prefix).unwrap();
        fs::write(prefix.join("lib/c"), "theirs").unwrap();
        fs::remove_file(built.join("lib/b")).unwrap();
        fs::write(built.join("lib/a"), "newer").unwrap();
        install(&built, &prefix).unwrap();
        assert_eq!(fs::read_to_string(prefix.join("lib/a")).unwrap(), "newer");
        assert!(prefix.join("lib/b").symlink_metadata().is_err());
        assert_eq!(fs::read_to_string(prefix.join("lib/c")).unwrap(), "theirs");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn where_the_dynamic_linker_looks_is_refused() {
        assert!(refuse_searched(Path::new("/usr/lib"), &searched()).is_err());
        assert!(refuse_searched(Path::new("/opt/orthros/lib"), &searched()).is_ok());
    }
}
