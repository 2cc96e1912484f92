//! The Debian package: what is in it, that it displaces nothing, and that a program runs on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use interop::faces::xtask;
use interop::gss::SERVICE;
use interop::peers::{Peer, target};
use interop::process::{self, PATIENCE, Running};
use interop::realm::on_free_port;
use interop::{Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let samples = [Peer::KINIT, Peer::GSS_CLIENT, Peer::GSS_SERVER, Peer::CC, Peer::READELF, Peer::DPKG_DEB];
    let needs = [Peer::MIT_REALM, &samples].concat();
    vec![Scenario::new("package::it_displaces_a_file_or_does_not_run", &needs, package)]
}

fn package() -> Result<(), Failure> {
    xtask(&["deb"])?;
    let folder = target().join("deb");
    let built = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|end| end == "deb"))
        .ok_or("no package was built")?;
    let unpacked = tempfile::tempdir()?;
    let root = unpacked.path();
    let dpkg_deb = |words: &[&str], last: Option<&Path>| -> Result<String, Failure> {
        let mut command = Command::new(Peer::DPKG_DEB.find()?);
        command
            .arg(words.first().copied().unwrap_or_default())
            .arg(&built)
            .args(words.iter().skip(1))
            .args(last);
        Ok(process::run(command, b"")?.success()?.stdout)
    };
    dpkg_deb(&["--extract"], Some(root))?;
    dpkg_deb(&["--control"], Some(&root.join("DEBIAN")))?;
    control(&dpkg_deb(&["--field"], None)?);
    contents(root)?;
    let mut sums = Command::new("md5sum");
    sums.args(["--check", "--quiet", "--strict", "DEBIAN/md5sums"]).current_dir(root);
    process::run(sums, b"")?.success()?;
    conversation(&root.join("usr/bin/orthros"))
}

fn control(fields: &str) {
    let named: BTreeSet<&str> =
        fields.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    for name in [
        "Package",
        "Version",
        "Architecture",
        "Maintainer",
        "Installed-Size",
        "Depends",
        "Section",
        "Priority",
        "Description",
    ] {
        assert!(named.contains(name), "{name}: {fields}");
    }
    for name in ["Conflicts", "Replaces", "Breaks", "Provides", "Multi-Arch"] {
        assert!(!named.contains(name), "{name}: {fields}");
    }
    assert!(fields.contains("Package: orthros-gssapi") && fields.contains("libc6 (>= 2."), "{fields}");
}

/// Files lie where packages put them, and under no name that a package of the system has already.
fn contents(root: &Path) -> Result<(), Failure> {
    let mut files = Vec::new();
    below(&root.join("usr"), &mut files)?;
    let named = |end: &str| files.iter().any(|file| file.ends_with(end));
    for end in [
        "bin/orthros",
        "orthros/mit/lib/libgssapi_krb5.so.2",
        "orthros/mit/include/gssapi/gssapi.h",
        "man1/orthros.1.gz",
        "man3/gss_export_sec_context.3orthros.gz",
        "doc/orthros-gssapi/copyright",
        "doc/orthros-gssapi/changelog.gz",
    ] {
        assert!(named(end), "{end}: {files:#?}");
    }
    // What the system has installed: a list for each package, one path a line.
    let mut taken = BTreeSet::new();
    for entry in fs::read_dir("/var/lib/dpkg/info")? {
        let list = entry?.path();
        let other = !list.file_name().is_some_and(|name| name.to_string_lossy().starts_with("orthros"));
        if other && list.extension().is_some_and(|end| end == "list") {
            taken.extend(fs::read_to_string(list)?.lines().map(str::to_owned));
        }
    }
    assert!(taken.len() > 1_000, "{}", taken.len());
    for file in &files {
        let installed = Path::new("/").join(file.strip_prefix(root).map_err(|_| "a file outside")?);
        assert!(
            !taken.contains(&*installed.to_string_lossy()),
            "{} is of another package",
            installed.display()
        );
    }
    Ok(())
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { below(&entry.path(), files)? } else { files.push(entry.path()) }
    }
    Ok(())
}

/// MIT's samples on the unpacked library, by the unpacked command, which finds it by itself.
fn conversation(orthros: &Path) -> Result<(), Failure> {
    let realm =
        Realm::build("PACKAGE.TEST").principal("alice", "pw").service("host/localhost").start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    let run = |program: Peer, words: &[&str]| -> Result<Command, Failure> {
        let mut command = realm.command(orthros);
        command.args(["run", "--trace", "--"]).arg(program.find()?).args(words);
        Ok(command)
    };
    let (_server, port) = on_free_port(|port| {
        let mut process = Running::start(run(Peer::GSS_SERVER, &["-port", &port.to_string(), SERVICE])?)?;
        process.wait_for_listener(port, PATIENCE)?;
        Ok(process)
    })?;
    let words = ["-port", &port.to_string(), "localhost", SERVICE, "a message"];
    let finished =
        process::run(run(Peer::GSS_CLIENT, &words)?, b"")?.success()?.says("Signature verified.")?;
    assert!(finished.stderr.contains("Presenting the ticket of alice@PACKAGE.TEST"), "{finished:?}");
    Ok(())
}
