//! Finds out which peers are missing and what that costs, and installs them without letting a daemon start.
//!
//! Debian starts and enables a server when its package is installed. A KDC of the machine's own is the last thing
//! that a test wants, so during the installation `/usr/sbin/policy-rc.d` answers 101 ("forbidden"), and afterwards
//! the units that are new are disabled again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::shell::{self, cargo, root};

/// Packages, each with the programs that are missing and the tests that need them.
type Missing = BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>;

/// Says which peers are missing, and installs them if asked to.
pub(crate) fn prepare(install: bool) -> Result<(), Failure> {
    let missing = missing()?;
    if missing.is_empty() {
        println!("All peers are here.");
        return Ok(());
    }
    let mut cost = BTreeSet::new();
    for (package, (programs, tests)) in &missing {
        let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
        println!("Missing: {} (Debian package {package}), for {} tests", programs.join(", "), tests.len());
        cost.extend(tests);
    }
    println!("Tests that can't run without them:");
    for test in cost {
        println!("    {test}");
    }
    let packages: Vec<&str> = missing.keys().map(String::as_str).collect();
    if install {
        self::install(&packages)
    } else {
        println!("To have them: apt-get install --no-install-recommends {}", packages.join(" "));
        println!("or, as root and without any daemon being started: cargo xtask test --install");
        Ok(())
    }
}

/// Asks the interop tests themselves.
fn missing() -> Result<Missing, Failure> {
    let mut command = cargo(&root(), "test --quiet --package interop --test peers -- --missing");
    let mut missing = Missing::new();
    for line in shell::output(&mut command)?.lines() {
        let mut fields = line.split('\t');
        if let (Some(package), Some(program), Some(test)) = (fields.next(), fields.next(), fields.next()) {
            let row = missing.entry(package.to_owned()).or_default();
            row.0.insert(program.to_owned());
            row.1.insert(test.to_owned());
        }
    }
    Ok(missing)
}

/// Installs Debian packages; nothing they bring is started, now or at the next boot.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let _forbidden = Policy::forbid(Path::new("/usr/sbin/policy-rc.d"))?;
    let before = services();
    shell::must(apt().args(["update", "-qq"]))?;
    shell::must(apt().args(["install", "-qq", "--yes", "--no-install-recommends"]).args(packages))?;
    for service in services().difference(&before) {
        // A service has a unit, a script, or both.
        disable(&format!("{service}.service"))?;
        if Path::new("/etc/init.d").join(service).exists() {
            shell::must(Command::new("update-rc.d").args([service, "disable"]))?;
        }
        println!("{service}: installed, not started, not enabled");
    }
    Ok(())
}

/// Removes the links by which the next boot would start `unit`, as `systemctl disable` does; that program need not
/// be there. An upgrade of the package sees a unit that was disabled by hand, and leaves it so.
fn disable(unit: &str) -> Result<(), Failure> {
    let Ok(entries) = fs::read_dir("/etc/systemd/system") else { return Ok(()) };
    for entry in entries {
        let folder = entry?.path();
        if folder.extension().is_some_and(|end| end == "wants" || end == "requires") {
            match fs::remove_file(folder.join(unit)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The names of all services that this machine could start.
fn services() -> BTreeSet<String> {
    let names = |folder: &str, suffix: &str| -> Vec<String> {
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(suffix)?.to_owned()))
            .collect()
    };
    let mut all = names("/lib/systemd/system", ".service");
    all.extend(names("/etc/init.d", ""));
    all.into_iter().collect()
}

/// Answers "forbidden" to every question (invoke-rc.d's interface for policies).
const POLICY: &str = "#!/bin/sh\n# Put here by `cargo xtask test --install`, for its duration.\nexit 101\n";

/// A policy that forbids starting anything; what was there before is back when this is dropped.
struct Policy {
    file: PathBuf,
    kept: PathBuf,
}

impl Policy {
    fn forbid(file: &Path) -> Result<Self, Failure> {
        let kept = file.with_extension("d.before-orthros");
        let policy = Self { file: file.to_owned(), kept };
        // A run that was killed may have left its own policy; the machine's is still aside then.
        if policy.kept.exists() {
            fs::rename(&policy.kept, file)?;
        } else if fs::read(file).is_ok_and(|text| text == POLICY.as_bytes()) {
            fs::remove_file(file)?;
        }
        match fs::rename(file, &policy.kept) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(format!("{}: {error} (packages are installed as root)", file.display()).into());
            }
            _ => {}
        }
        fs::write(file, POLICY)
            .map_err(|error| format!("{}: {error} (packages are installed as root)", file.display()))?;
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
        Ok(policy)
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        let restored =
            if self.kept.exists() { fs::rename(&self.kept, &self.file) } else { fs::remove_file(&self.file) };
        if let Err(error) = restored {
            eprintln!("xtask: {} still forbids starting services: {error}", self.file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_policy_is_back_afterwards() {
        let folder = std::env::temp_dir().join(format!("orthros-policy-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let file = folder.join("policy-rc.d");
        // As if a run without an earlier policy had been killed, and then one that ends well.
        std::mem::forget(Policy::forbid(&file).unwrap());
        drop(Policy::forbid(&file).unwrap());
        assert!(!file.exists());
        fs::write(&file, "theirs").unwrap();
        let policy = Policy::forbid(&file).unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains("exit 101"));
        // As if that run had been killed: the next one finds ours in place and theirs aside.
        std::mem::forget(policy);
        drop(Policy::forbid(&file).unwrap());
        assert_eq!(fs::read_to_string(&file).unwrap(), "theirs");
        fs::remove_dir_all(&folder).unwrap();
    }
}
