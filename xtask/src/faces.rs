//! The faces of the C library: one static library, linked once for each library that it stands in for.
//!
//! rustc can't give symbols a version, the linker can: it is handed a version map with those symbols of the original
//! that the body has. Where a function of the same name means something else in one of the originals, the body has it
//! once more by a name that begins with that of the face, `heimdal_gss_oid_to_str`: before such a face is linked, that
//! one takes the name's place. What the original has is committed in `crates/capi/faces/NAME`; what the body lacks of it is
//! printed. A face is a folder with `lib` and `include`, `target/faces/NAME`; nothing in it names another folder, so
//! that it can be copied anywhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::answers::Answers;
use crate::shell::{self, cargo, root, target};
use crate::{Failure, Options};

/// A library that ours stands in for.
pub(crate) struct Face {
    /// Its folder in `crates/capi/faces`, `crates/capi/include` and `target/faces`.
    pub(crate) name: &'static str,
    /// The file of the library.
    file: &'static str,
    /// The name that programs are linked with, and look for when they start.
    soname: &'static str,
    /// What builds ask for.
    answers: Answers,
    /// The version that all its symbols have.
    version: &'static str,
    /// Other versions that the original defines, and that hold no symbol.
    empty_versions: &'static [&'static str],
}

/// Every face.
pub(crate) const FACES: &[Face] = &[
    Face {
        name: "mit",
        file: "libgssapi_krb5.so.2.2",
        soname: "libgssapi_krb5.so.2",
        answers: Answers {
            library: "gssapi_krb5",
            version: "1.20.1",
            original: "MIT krb5",
            packages: &[("krb5-gssapi", "krb5-gssapi"), ("mit-krb5-gssapi", "mit-krb5-gssapi")],
            krb5_config: Some(("Massachusetts Institute of Technology", "Kerberos 5 release 1.20.1")),
        },
        version: "gssapi_krb5_2_MIT",
        empty_versions: &["HIDDEN"],
    },
    Face {
        name: "heimdal",
        file: "libgssapi.so.3.0.0",
        soname: "libgssapi.so.3",
        answers: Answers {
            library: "gssapi",
            version: "7.8.0",
            original: "Heimdal",
            packages: &[("heimdal-gssapi", "heimdal-gssapi"), ("krb5-gssapi", "krb5-gssapi")],
            krb5_config: Some(("Heimdal", "heimdal 7.8.0")),
        },
        version: "HEIMDAL_GSS_2.0",
        empty_versions: &[],
    },
    Face {
        name: "gnu",
        file: "libgss.so.3.0.3",
        soname: "libgss.so.3",
        answers: Answers {
            library: "gss",
            version: "1.0.4",
            original: "GNU GSS",
            packages: &[("gss", "libgss")],
            krb5_config: None,
        },
        version: "GSS_1.0.0",
        empty_versions: &[],
    },
];

/// The libraries that Rust's own needs; where the C library holds them all, most of these are empty.
const LIBRARIES: &[&str] = &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

/// `cargo xtask faces`.
pub(crate) fn run(_options: &Options) -> Result<(), Failure> {
    build_all()
}

/// Builds every face.
pub(crate) fn build_all() -> Result<(), Failure> {
    let body = body()?;
    let symbols = defined(&body)?;
    FACES.iter().try_for_each(|face| build(face, &body, &symbols))?;
    counting(&body, &symbols)
}

/// The first face once more, for tests: one more symbol leaves it, which tells how many handles live.
fn counting(body: &Path, symbols: &BTreeSet<String>) -> Result<(), Failure> {
    let [face, ..] = FACES else { return Ok(()) };
    let data = root().join("crates/capi/faces").join(face.name);
    let mut wanted = list(&data.join("functions.txt"))?;
    wanted.extend(list(&data.join("objects.txt"))?);
    wanted.push("orthros_live_handles".to_owned());
    let library = target().join("faces/counting/lib");
    fs::create_dir_all(&library)?;
    let map = library.join("versions.map");
    fs::write(&map, version_map(face, wanted.iter().filter(|name| symbols.contains(*name))))?;
    link(face, body, &map, &library.join(face.soname))
}

/// Builds a face and returns its folder.
pub(crate) fn one(name: &str) -> Result<PathBuf, Failure> {
    let face = FACES.iter().find(|face| face.name == name).ok_or_else(|| {
        let known: Vec<&str> = FACES.iter().map(|face| face.name).collect();
        format!("no face is called `{name}`; there is: {}", known.join(", "))
    })?;
    let body = body()?;
    build(face, &body, &defined(&body)?)?;
    Ok(folder(face))
}

/// The name of every face.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FACES.iter().map(|face| face.name)
}

/// Where a face is built.
fn folder(face: &Face) -> PathBuf {
    target().join("faces").join(face.name)
}

/// The body as a static library, with all that is beneath it.
fn body() -> Result<PathBuf, Failure> {
    shell::must(&mut cargo(
        &root(),
        "rustc --quiet --release --package orthros-capi --lib --crate-type staticlib",
    ))?;
    Ok(target().join("release/liborthros_capi.a"))
}

/// The names that a static library defines for others.
fn defined(library: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut command = Command::new("nm");
    command.args(["--defined-only", "--extern-only", "--quiet", "--format=posix"]).arg(library);
    let listing = shell::output(&mut command)?;
    Ok(listing.lines().filter_map(|line| Some(line.split_once(' ')?.0.to_owned())).collect())
}

/// Links a face, and puts its headers and its pkg-config files beside it.
fn build(face: &Face, body: &Path, symbols: &BTreeSet<String>) -> Result<(), Failure> {
    let data = root().join("crates/capi/faces").join(face.name);
    let functions = list(&data.join("functions.txt"))?;
    let objects = list(&data.join("objects.txt"))?;
    let later = if data.join("later.txt").exists() { list(&data.join("later.txt"))? } else { Vec::new() };
    let (folder, fresh) = (folder(face), folder(face).with_extension("new"));
    shell::remove(&fresh)?;
    let library = fresh.join("lib");
    fs::create_dir_all(&library)?;
    let map = fresh.join("versions.map");
    let wanted: Vec<&String> = functions.iter().chain(&objects).chain(&later).collect();
    let has = |name: &str| symbols.contains(name) || symbols.contains(&own_name(face, name));
    fs::write(&map, version_map(face, wanted.iter().copied().filter(|name| has(name))))?;
    let renamed = renamed(face, body, &wanted, symbols, &fresh.join("body.a"))?;
    link(face, renamed.as_deref().unwrap_or(body), &map, &library.join(face.file))?;
    for file in renamed.iter().chain([&map]) {
        fs::remove_file(file)?;
    }
    std::os::unix::fs::symlink(face.file, library.join(face.soname))?;
    std::os::unix::fs::symlink(face.soname, library.join(format!("lib{}.so", face.answers.library)))?;
    for headers in ["shared", face.name] {
        copy(&root().join("crates/capi/include").join(headers), &fresh.join("include"))?;
    }
    face.answers.write(&fresh)?;
    // Whole or not at all: half of it would look like a library.
    shell::remove(&folder)?;
    fs::rename(&fresh, &folder)?;
    println!("{}: {}", face.name, folder.display());
    report("functions", &functions, has);
    report("objects", &objects, has);
    Ok(())
}

/// What the body calls a function that means something else in this face than in others.
fn own_name(face: &Face, name: &str) -> String {
    format!("{}_{name}", face.name)
}

/// The body with this face's own functions in the place of those that others have by their names; `None` if it has none
/// of its own.
fn renamed(
    face: &Face,
    body: &Path,
    wanted: &[&String],
    symbols: &BTreeSet<String>,
    goal: &Path,
) -> Result<Option<PathBuf>, Failure> {
    let mut command = Command::new("objcopy");
    let mut any = false;
    for name in wanted.iter().filter(|name| symbols.contains(&own_name(face, name))) {
        any = true;
        command.arg(format!("--redefine-sym={name}=others_{name}"));
        command.arg(format!("--redefine-sym={}={name}", own_name(face, name)));
    }
    if !any {
        return Ok(None);
    }
    shell::must(command.arg(body).arg(goal))?;
    Ok(Some(goal.to_owned()))
}

fn link(face: &Face, body: &Path, map: &Path, library: &Path) -> Result<(), Failure> {
    let mut command = Command::new("cc");
    command.args(["-shared", "-o"]).arg(library);
    command.arg(format!("-Wl,-soname,{}", face.soname));
    command.arg(format!("-Wl,--version-script={}", map.display()));
    command.arg("-Wl,--whole-archive").arg(body).arg("-Wl,--no-whole-archive");
    // It stays loaded when a program unloads it: threads and `fork` handlers of ours may outlive the call.
    command.args(["-Wl,--gc-sections", "-Wl,-z,relro,-z,now,-z,nodelete", "-Wl,--no-undefined"]);
    shell::must(command.arg("-Wl,--as-needed").args(LIBRARIES))
}

/// Which symbols leave the library, and by which version.
fn version_map<'a>(face: &Face, symbols: impl Iterator<Item = &'a String>) -> String {
    let mut map = format!("{} {{\n  global:\n", face.version);
    symbols.for_each(|name| map.push_str(&format!("    {name};\n")));
    map.push_str("  local: *;\n};\n");
    for version in face.empty_versions {
        // A version without any pattern would be left out by the linker.
        map.push_str(&format!("{version} {{ local: __{version}_*; }};\n"));
    }
    map
}

/// The first word of each line; `#` starts a comment.
fn list(file: &Path) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

fn report(what: &str, wanted: &[String], has: impl Fn(&str) -> bool) {
    let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| !has(name)).collect();
    println!("  {} of {} {what}", wanted.len() - missing.len(), wanted.len());
    for name in missing {
        println!("    missing: {name}");
    }
}

/// Copies a folder with all that is in it; links stay links.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let entry = entry?;
        let (kind, goal) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &goal)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, goal)?;
        } else {
            fs::copy(entry.path(), goal)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_original_has_leaves_the_library() {
        let names = ["gss_wrap".to_owned(), "GSS_C_NT_USER_NAME".to_owned()];
        let map = version_map(&FACES[0], names.iter());
        assert!(map.starts_with("gssapi_krb5_2_MIT {\n  global:\n    gss_wrap;\n    GSS_C_NT_USER_NAME;\n"));
        assert!(map.contains("local: *;"));
        assert!(map.contains("HIDDEN {"));
    }

    #[test]
    fn the_committed_lists_are_the_originals() {
        for (name, functions, objects) in [("mit", 107, 62), ("heimdal", 107, 78), ("gnu", 45, 25)] {
            let data = root().join("crates/capi/faces").join(name);
            assert_eq!(list(&data.join("functions.txt")).unwrap().len(), functions, "{name}");
            assert_eq!(list(&data.join("objects.txt")).unwrap().len(), objects, "{name}");
        }
    }

    #[test]
    fn a_face_takes_its_own_function_where_it_has_one() {
        assert_eq!(own_name(&FACES[1], "gss_oid_to_str"), "heimdal_gss_oid_to_str");
    }
}
