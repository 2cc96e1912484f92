//! A Debian package of the C library and the command: `orthros-gssapi`.
//!
//! It stands beside MIT's and Heimdal's packages and displaces nothing of theirs: each face lies whole in a folder of its
//! own, `/usr/lib/TRIPLET/orthros/NAME`, where the dynamic linker does not look by itself, and the pages of section 3
//! have a suffix of their own. Programs run on it by `orthros run`, or by `orthros switch on`; who removes the package
//! is switched off first.
//!
//! It is not Multi-Arch: the command in `/usr/bin` is of one architecture.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, cargo, root, target};
use crate::{Failure, Options, faces, man};

const PACKAGE: &str = "orthros-gssapi";
/// For whom the package is, until there is an address: Debian's variables name another.
const MAINTAINER: &str = "The Orthros developers <root@localhost>";

const DESCRIPTION: &str = "\
GSS-API library with Kerberos V5, in memory-safe Rust
 Orthros stands in for the GSS-API libraries of MIT krb5, Heimdal and GNU, for
 programs that are there already: they run on it without being compiled anew.
 .
 Nothing of the system's own libraries is displaced. `orthros run -- PROGRAM`
 runs one program on Orthros, `orthros switch on` all of them, and
 `orthros switch off` goes back.
";

/// Before the files go, the system must not look for them any more.
const PRERM: &str = "\
#!/bin/sh
set -e
case \"$1\" in
    remove|deconfigure) orthros switch off >/dev/null ;;
esac
exit 0
";

/// `cargo xtask deb`.
pub(crate) fn run(_options: &Options) -> Result<(), Failure> {
    let built = build()?;
    println!("{}", built.display());
    println!("It is installed by: apt install {}", built.display());
    Ok(())
}

fn build() -> Result<PathBuf, Failure> {
    faces::build_all()?;
    shell::must(&mut cargo(&root(), "build --quiet --release --package orthros-cli"))?;
    let pages = man::build(&target().join("release/orthros"))?;
    let architecture = word("dpkg", &["--print-architecture"])?;
    let triplet = word("cc", &["-print-multiarch"])?;

    let folder = target().join("deb");
    let tree = folder.join("tree");
    shell::remove(&tree)?;
    let ours = tree.join("usr/lib").join(&triplet).join("orthros");
    for name in faces::names() {
        faces::copy(&target().join("faces").join(name), &ours.join(name))?;
    }
    fs::create_dir_all(tree.join("usr/bin"))?;
    fs::copy(target().join("release/orthros"), tree.join("usr/bin/orthros"))?;
    install_pages(&pages, &tree.join("usr/share/man"))?;
    let info = target().join("info/orthros.info");
    if info.is_file() {
        fs::create_dir_all(tree.join("usr/share/info"))?;
        compress(&info, &tree.join("usr/share/info/orthros.info"))?;
    }
    install_documents(&tree.join("usr/share/doc").join(PACKAGE))?;
    strip(&tree)?;
    settle_modes(&tree)?;
    write_control(&tree, &architecture)?;

    let package = folder.join(format!("{PACKAGE}_{}_{architecture}.deb", env!("CARGO_PKG_VERSION")));
    let mut command = Command::new("dpkg-deb");
    command.args(["--root-owner-group", "--build"]).arg(&tree).arg(&package);
    shell::output(&mut command)?;
    Ok(package)
}

/// What a program prints, without the line's end.
fn word(program: &str, words: &[&str]) -> Result<String, Failure> {
    let said = shell::output(Command::new(program).args(words))?.trim().to_owned();
    if said.is_empty() {
        Err(format!("`{program} {}` says nothing", words.join(" ")).into())
    } else {
        Ok(said)
    }
}

/// Pages by section, compressed; those of section 3 under a suffix that no other package has.
fn install_pages(pages: &Path, to: &Path) -> Result<(), Failure> {
    for entry in fs::read_dir(pages)? {
        let page = entry?.path();
        let name = page.file_name().and_then(|name| name.to_str()).ok_or("a page without a name")?;
        let (folder, suffix) = if name.ends_with(".3") { ("man3", "orthros") } else { ("man1", "") };
        fs::create_dir_all(to.join(folder))?;
        compress(&page, &to.join(folder).join(format!("{name}{suffix}")))?;
    }
    Ok(())
}

fn install_documents(to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    compress(&root().join("CHANGELOG.md"), &to.join("changelog"))?;
    let mut copyright = String::from(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\
         Upstream-Name: Orthros\n\n\
         Files: *\n\
         Copyright: the Orthros developers\n\
         License: Expat or Apache-2.0\n\n\
         License: Expat\n",
    );
    copyright.push_str(&indented(&fs::read_to_string(root().join("LICENSE-MIT"))?));
    copyright.push_str(
        "\nLicense: Apache-2.0\n On Debian systems its text is in /usr/share/common-licenses/Apache-2.0.\n",
    );
    fs::write(to.join("copyright"), copyright)?;
    Ok(())
}

/// As a field of a control file goes on.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| if line.trim().is_empty() { " .\n".to_owned() } else { format!(" {line}\n") })
        .collect()
}

fn compress(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::copy(from, to)?;
    // Without name and time: the same page is the same file.
    shell::must(Command::new("gzip").args(["-9", "--no-name", "--force"]).arg(to))
}

/// Takes out of libraries and programs what only a debugger reads.
fn strip(tree: &Path) -> Result<(), Failure> {
    for file in files(tree)?.iter().filter(|file| is_binary(file)) {
        shell::must(Command::new("strip").args(["--strip-unneeded", "--remove-section=.comment"]).arg(file))?;
    }
    Ok(())
}

fn is_binary(file: &Path) -> bool {
    fs::read(file).is_ok_and(|octets| octets.starts_with(b"\x7fELF"))
}

/// Modes as packages have them, whatever the umask was.
fn settle_modes(tree: &Path) -> Result<(), Failure> {
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    for file in files(tree)? {
        let mode = if file.parent().is_some_and(|folder| folder.ends_with("bin")) { 0o755 } else { 0o644 };
        set(&file, mode)?;
        for folder in file.ancestors().skip(1).take_while(|folder| folder.starts_with(tree)) {
            set(folder, 0o755)?;
        }
    }
    Ok(())
}

fn write_control(tree: &Path, architecture: &str) -> Result<(), Failure> {
    let control = tree.join("DEBIAN");
    let (mut sums, mut octets) = (String::new(), 0);
    for file in files(tree)? {
        octets += fs::metadata(&file)?.len();
        let name = file.strip_prefix(tree)?;
        let sum = shell::output(Command::new("md5sum").arg(name).current_dir(tree))?;
        sums.push_str(&sum);
    }
    let maintainer = match (std::env::var("DEBFULLNAME"), std::env::var("DEBEMAIL")) {
        (Ok(name), Ok(address)) => format!("{name} <{address}>"),
        _ => MAINTAINER.to_owned(),
    };
    let mut text = String::new();
    writeln!(text, "Package: {PACKAGE}\nVersion: {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(text, "Architecture: {architecture}\nMaintainer: {maintainer}")?;
    writeln!(text, "Installed-Size: {}", octets.div_ceil(1024))?;
    writeln!(text, "Depends: libc6 (>= {}), libgcc-s1", libc_version(tree)?)?;
    writeln!(text, "Section: libs\nPriority: optional")?;
    write!(text, "Description: {DESCRIPTION}")?;
    fs::create_dir_all(&control)?;
    fs::write(control.join("control"), text)?;
    fs::write(control.join("md5sums"), sums)?;
    fs::write(control.join("triggers"), "activate-noawait ldconfig\n")?;
    fs::write(control.join("prerm"), PRERM)?;
    for file in files(&control)? {
        let mode = if file.ends_with("prerm") { 0o755 } else { 0o644 };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))?;
    }
    Ok(fs::set_permissions(&control, fs::Permissions::from_mode(0o755))?)
}

/// The newest version of the C library that anything in the tree asks for.
fn libc_version(tree: &Path) -> Result<String, Failure> {
    let mut versions = BTreeSet::new();
    for file in files(tree)?.iter().filter(|file| is_binary(file)) {
        let mut command = Command::new("readelf");
        command.args(["--wide", "--version-info"]).arg(file);
        versions.extend(glibc_versions(&shell::output(&mut command)?));
    }
    let newest = versions.last().ok_or("nothing in the package asks for a version of the C library")?;
    Ok(newest.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
}

/// Each `GLIBC_2.34` of a listing, as numbers.
fn glibc_versions(listing: &str) -> BTreeSet<Vec<u32>> {
    let versions = listing.split("GLIBC_").skip(1).map(|rest| {
        let end = rest.find(|sign: char| sign != '.' && !sign.is_ascii_digit()).unwrap_or(rest.len());
        rest.split_at(end).0.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u32>>()
    });
    versions.filter(|version| !version.is_empty()).collect()
}

/// Regular files below a folder, in order; links are none.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let (kind, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        match kind? {
            kind if kind.is_dir() => found.extend(files(&path)?),
            kind if kind.is_file() => {
                found.insert(path);
            }
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_told_by_numbers_and_not_by_letters() {
        let listing =
            "Name: GLIBC_2.9  Flags\nName: GLIBC_2.34  Flags\nName: GLIBC_2.2.5\nName: GLIBC_PRIVATE";
        assert_eq!(glibc_versions(listing).last(), Some(&vec![2, 34]));
    }

    #[test]
    fn an_empty_line_of_a_field_is_a_dot() {
        assert_eq!(indented("a\n\nb\n"), " a\n .\n b\n");
    }
}
