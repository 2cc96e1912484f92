//! Finds out which peers are missing and what that costs, and installs them without letting a daemon start.
//!
//! Debian starts and enables a server when its package is installed. A KDC of the machine's own is the last thing
//! that a test wants, so during the installation `/usr/sbin/policy-rc.d` answers 101 ("forbidden"), and afterwards
//! the units that are new are disabled again.
//!
//! What no Debian package brings, the suite of python-gssapi, is built in `target/peers` by `python`.
//!
//! A package that conflicts with another peer's is not installed: it is unpacked in `target/peers`.

mod python;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::shell::{self, cargo, root};

/// Packages, each with what is missing of it.
type Missing = BTreeMap<String, Lack>;

/// What is missing of a package.
#[derive(Default)]
struct Lack {
    /// In which folder of `target/peers` the package is unpacked; empty if it is installed.
    unpacked: String,
    programs: BTreeSet<String>,
    /// The tests that can't run.
    tests: BTreeSet<String>,
}

/// Packages that are unpacked together and run from there.
struct Bundle {
    /// The folder in `target/peers`.
    folder: &'static str,
    /// What is unpacked.
    packages: &'static [&'static str],
    /// The ordinary libraries that these need, and that may be installed.
    libraries: &'static [&'static str],
}

const BUNDLES: &[Bundle] = &[HEIMDAL, MIT_HEADERS, MIT_LDAP, NTLMSSP, GNU];

/// Few want it installed.
const GNU: Bundle = Bundle {
    folder: "gnu",
    packages: &["libgss-dev", "libgss3", "libidn12", "libshishi0"],
    libraries: &["libgcrypt20", "libgnutls30", "libgpg-error0", "libtasn1-6"],
};

/// Its development package would conflict with Heimdal's, and its headers must not be those that a compiler finds
/// by itself.
const MIT_HEADERS: Bundle =
    Bundle { folder: "mit-headers", packages: &["comerr-dev", "krb5-multidev"], libraries: &[] };

/// A plug-in of the KDC: where it is not installed, no KDC takes it.
const MIT_LDAP: Bundle =
    Bundle { folder: "mit-ldap", packages: &["krb5-kdc-ldap"], libraries: &["libldap-2.5-0"] };

/// A plug-in of MIT's GSS library: where it is not installed, no program takes it.
const NTLMSSP: Bundle =
    Bundle { folder: "ntlmssp", packages: &["gss-ntlmssp"], libraries: &["libunistring2", "libwbclient0"] };

const HEIMDAL: Bundle = Bundle {
    folder: "heimdal",
    packages: &[
        "heimdal-clients",
        "heimdal-kdc",
        "heimdal-multidev",
        "libasn1-8-heimdal",
        "libgssapi3-heimdal",
        "libhcrypto5-heimdal",
        "libhdb9-heimdal",
        "libheimbase1-heimdal",
        "libheimntlm0-heimdal",
        "libhx509-5-heimdal",
        "libkadm5clnt7-heimdal",
        "libkadm5srv8-heimdal",
        "libkafs0-heimdal",
        "libkdc2-heimdal",
        "libkrb5-26-heimdal",
        "libroken19-heimdal",
        "libsl0-heimdal",
        "libwind0-heimdal",
    ],
    libraries: &["libcap-ng0", "libcom-err2", "libdb5.3", "libedit2", "libldap-2.5-0", "libsqlite3-0"],
};

/// Says which peers are missing, and installs them if asked to.
pub(crate) fn prepare(install: bool) -> Result<(), Failure> {
    let missing = missing()?;
    if missing.is_empty() {
        println!("All peers are here.");
        return Ok(());
    }
    let mut cost = BTreeSet::new();
    for (package, lack) in &missing {
        let programs: Vec<&str> = lack.programs.iter().map(String::as_str).collect();
        let tests = lack.tests.len();
        let whence = if lack.unpacked == python::FOLDER { "" } else { "Debian package " };
        println!("Missing: {} ({whence}{package}), for {tests} tests", programs.join(", "));
        cost.extend(&lack.tests);
    }
    println!("Tests that can't run without them:");
    for test in cost {
        println!("    {test}");
    }
    let mut packages: Vec<&str> = missing
        .iter()
        .filter(|(_, lack)| lack.unpacked.is_empty())
        .map(|(package, _)| package.as_str())
        .collect();
    let lacks = |folder: &str| missing.values().any(|lack| lack.unpacked == folder);
    let bundles: Vec<&Bundle> = BUNDLES.iter().filter(|bundle| lacks(bundle.folder)).collect();
    let python = lacks(python::FOLDER);
    if python {
        packages.extend(python::LIBRARIES);
    }
    packages.extend(bundles.iter().flat_map(|bundle| bundle.libraries));
    if install {
        self::install(&packages)?;
        bundles.into_iter().try_for_each(unpack)?;
        if python { python::build() } else { Ok(()) }
    } else {
        println!("To have them, as root and without any daemon being started: cargo xtask test --install");
        println!("It installs: {}", packages.join(" "));
        for bundle in bundles {
            println!("It unpacks in target/peers/{}: {}", bundle.folder, bundle.packages.join(" "));
        }
        if python {
            python::announce();
        }
        Ok(())
    }
}

/// Asks the interop tests themselves.
fn missing() -> Result<Missing, Failure> {
    let mut command = cargo(&root(), "test --quiet --package interop --test peers -- --missing");
    let mut missing = Missing::new();
    for line in shell::output(&mut command)?.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        if let [unpacked, package, program, test] = fields[..] {
            let lack = missing.entry(package.to_owned()).or_default();
            unpacked.clone_into(&mut lack.unpacked);
            lack.programs.insert(program.to_owned());
            lack.tests.insert(test.to_owned());
        }
    }
    Ok(missing)
}

/// Downloads the packages of a bundle and unpacks them; nothing is installed, and no script of theirs runs.
fn unpack(bundle: &Bundle) -> Result<(), Failure> {
    let peers = shell::target().join("peers");
    let (folder, fresh) = (peers.join(bundle.folder), peers.join(format!("{}.new", bundle.folder)));
    shell::remove(&fresh)?;
    let downloads = fresh.join("downloads");
    fs::create_dir_all(&downloads)?;
    shell::must(apt().current_dir(&downloads).args(["download", "-qq"]).args(bundle.packages))?;
    for entry in fs::read_dir(&downloads)? {
        shell::must(Command::new("dpkg-deb").arg("--extract").arg(entry?.path()).arg(&fresh))?;
    }
    shell::remove(&downloads)?;
    // Whole or not at all: half of it would look like the peer.
    shell::remove(&folder)?;
    fs::rename(&fresh, &folder)?;
    println!("{}: unpacked {} packages", folder.display(), bundle.packages.len());
    Ok(())
}

/// Installs Debian packages; nothing they bring is started, now or at the next boot.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let _forbidden = Policy::forbid(Path::new("/usr/sbin/policy-rc.d"))?;
    let before = services();
    shell::must(apt().args(["update", "-qq"]))?;
    shell::must(
        apt().args(["install", "-qq", "--yes", "--no-upgrade", "--no-install-recommends"]).args(packages),
    )?;
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
