//! A copy of the tree, for tasks that change the code.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::shell::{self, cargo, root, target};

/// A copy of the tree, with build products of its own. It stays between runs, so that only what differs is compiled.
pub(crate) struct Copy {
    pub(crate) tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    /// The copy of a task, which may not run twice at once.
    pub(crate) fn new(task: &str) -> Result<Self, Failure> {
        let folder = target().join(task);
        let copy = Self { tree: folder.join("tree"), target: folder.join("target") };
        fs::create_dir_all(&copy.tree)?;
        // A repository of its own: `git apply` would otherwise take paths as relative to the outer one.
        shell::must(Command::new("git").current_dir(&copy.tree).args(["init", "--quiet"]))?;
        Ok(copy)
    }

    pub(crate) fn cargo(&self, words: &str) -> Command {
        let mut command = cargo(&self.tree, words);
        command.env("CARGO_TARGET_DIR", &self.target);
        // The copy's own binary is meant, not that of the tree.
        command.env_remove("ORTHROS_BIN");
        command
    }

    /// Makes the copy equal to the tree; files that are equal keep their times, so cargo builds only what changed.
    pub(crate) fn reset(&self) -> Result<(), Failure> {
        let list = shell::output(Command::new("git").current_dir(root()).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let wanted: BTreeSet<PathBuf> = list
            .split('\0')
            .filter(|path| !path.is_empty() && root().join(path).is_file())
            .map(PathBuf::from)
            .collect();
        for path in &wanted {
            let octets = fs::read(root().join(path))?;
            let place = self.tree.join(path);
            if fs::read(&place).is_ok_and(|there| there == octets) {
                continue;
            }
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&place, octets)?;
            let mode = root().join(path).metadata()?.permissions().mode();
            fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
        }
        remove_all_but(&self.tree, &self.tree, &wanted)
    }
}

fn remove_all_but(folder: &Path, tree: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            remove_all_but(&path, tree, wanted)?;
        } else if !path.strip_prefix(tree).is_ok_and(|path| wanted.contains(path)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}
