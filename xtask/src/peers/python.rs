//! python-gssapi with its own suite of tests: taken from the Python package index, each file by its hash, and built
//! against MIT's headers in an environment of its own in `target/peers`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::shell::{self, root};

/// The folder in `target/peers`.
pub(super) const FOLDER: &str = "python-gssapi";

/// The Debian packages that building needs, beside the headers in `target/peers/mit-headers`.
pub(super) const LIBRARIES: [&str; 4] = ["gcc", "libgssapi-krb5-2", "python3-dev", "python3-venv"];

/// What is taken.
fn requirements() -> PathBuf {
    root().join("interop/python-gssapi/requirements.txt")
}

/// What a user is told.
pub(super) fn announce() {
    println!(
        "It builds in target/peers/{FOLDER}, from the Python package index: {}",
        requirements().display()
    );
}

/// Takes it and builds it.
pub(super) fn build() -> Result<(), Failure> {
    let peers = shell::target().join("peers");
    let (folder, fresh) = (peers.join(FOLDER), peers.join(format!("{FOLDER}.new")));
    shell::remove(&fresh)?;
    let venv = fresh.join("usr");
    shell::must(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&venv))?;
    let headers = peers.join("mit-headers/usr");
    // The suite and the build ask this script; programs of the environment come first in their path.
    symlink(headers.join("bin/krb5-config.mit"), venv.join("bin/krb5-config"))?;
    // First what builds, then all of it: the build must see no other compiler than the one that is pinned.
    let plain = requirements_without(&fresh, "gssapi==")?;
    shell::must(&mut pip(&venv, &headers, &plain))?;
    let whole = requirements();
    shell::must(pip(&venv, &headers, &whole).args(["--no-build-isolation", "--no-binary", "gssapi"]))?;
    // Whole or not at all: half of it would look like the peer.
    shell::remove(&folder)?;
    fs::rename(&fresh, &folder)?;
    println!("{}: built", folder.display());
    Ok(())
}

/// The requirements but one.
fn requirements_without(folder: &Path, left_out: &str) -> Result<PathBuf, Failure> {
    let lines = fs::read_to_string(requirements())?;
    let kept: Vec<&str> = lines.lines().filter(|line| !line.starts_with(left_out)).collect();
    let file = folder.join("requirements.txt");
    fs::write(&file, kept.join("\n"))?;
    Ok(file)
}

/// Installs what a file names, by its hashes, and nothing else.
fn pip(venv: &Path, headers: &Path, requirements: &Path) -> Command {
    let mut command = Command::new(venv.join("bin/python"));
    command
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-cache-dir",
            "--no-deps",
        ])
        .args(["--require-hashes", "--requirement"])
        .arg(requirements)
        .env("PATH", format!("{}:/usr/bin:/bin", venv.join("bin").display()))
        .env(
            "GSSAPI_COMPILER_ARGS",
            format!("-DHAS_GSSAPI_EXT_H -I{0}/mit-krb5 -I{0}", headers.join("include").display()),
        )
        // The library that is linked is the machine's own.
        .env("GSSAPI_LINKER_ARGS", "-l:libgssapi_krb5.so.2")
        .env("GSSAPI_MAIN_LIB", "libgssapi_krb5.so.2");
    command
}
