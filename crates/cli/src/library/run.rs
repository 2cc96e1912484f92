//! `run`: one program on our C library, by `LD_LIBRARY_PATH`.
//!
//! That variable does not reach every program; where it would not, nothing is run, and the reason is told.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orthros::sys::process;

use super::elf::{Machine, Program};
use super::{Face, is_system};
use crate::arguments::Run;
use crate::failure::{Ending, Failure, While};

/// What to do with a program that the variable does not reach.
const SWITCH: &str = "orthros switch on makes the face the system's library, for every program";

pub(crate) fn run(wanted: &Run) -> Result<Ending, Failure> {
    let (program, words) = wanted.command.split_first().ok_or_else(|| Failure::new("no program is named"))?;
    let folder = wanted.face.folder()?;
    let path = find(program)?;
    let search = search_path(&folder)?;
    check(&path, wanted.face, &folder, &search)?;
    let mut command = Command::new(&path);
    command.arg0(program).args(words).env("LD_LIBRARY_PATH", search);
    if wanted.trace {
        command.env("KRB5_TRACE", "/dev/stderr");
    }
    Err(Failure::new(command.exec()).while_doing(format!("cannot run {}", path.display())))
}

/// The face's folder, before whatever the variable names already.
fn search_path(folder: &Path) -> Result<OsString, Failure> {
    let before = std::env::var_os("LD_LIBRARY_PATH").filter(|value| !value.is_empty());
    let others = before.iter().flat_map(std::env::split_paths);
    Ok(std::env::join_paths([folder.to_owned()].into_iter().chain(others))?)
}

/// The file of a program, as a shell finds it.
fn find(program: &OsStr) -> Result<PathBuf, Failure> {
    let executable = |path: &Path| {
        fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    let named = Path::new(program);
    if named.components().count() > 1 || named.is_absolute() {
        return if executable(named) {
            Ok(named.to_owned())
        } else {
            Err(Failure::new(format!("{} is no program", named.display())))
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let found = std::env::split_paths(&path).map(|folder| folder.join(named)).find(|path| executable(path));
    found.ok_or_else(|| Failure::new(format!("no program {} is in PATH", named.display())))
}

/// Whether a program will run on the face.
fn check(path: &Path, face: Face, folder: &Path, search: &OsStr) -> Result<(), Failure> {
    let shown = path.display();
    if let Some(more) = more_rights(path)? {
        let why = format!("{shown} {more}: the dynamic linker does not let its caller choose libraries");
        return Err(Failure::new(why).hint(SWITCH));
    }
    match Program::of(path).while_doing(format!("cannot read {shown}"))? {
        Program::Dynamic { machine, linker } => {
            let library = folder.join(face.soname());
            if Machine::of(&library).while_doing(format!("cannot read {}", library.display()))?
                != Some(machine)
            {
                let why = format!("{shown} is for another kind of processor than {}", library.display());
                return Err(Failure::new(why).hint("build the faces for that one"));
            }
            check_loaded(path, face, folder, &linker, search)
        }
        Program::Script(interpreter) => check_interpreter(&interpreter, face, folder, search),
        Program::Static => {
            let why =
                format!("{shown} is linked statically: it has its libraries inside, and no other comes in");
            Err(Failure::new(why).hint("take a build of it that is linked dynamically"))
        }
        // The kernel will say what it thinks of it.
        Program::Other => Ok(()),
    }
}

/// An interpreter is a program too; one that is itself a script is left to the kernel.
fn check_interpreter(path: &Path, face: Face, folder: &Path, search: &OsStr) -> Result<(), Failure> {
    match Program::of(path) {
        Ok(Program::Script(_)) | Err(_) => Ok(()),
        Ok(_) => check(path, face, folder, search),
    }
}

/// Why the kernel gives a program more rights than its caller has, if it does.
fn more_rights(path: &Path) -> Result<Option<&'static str>, Failure> {
    let data = fs::metadata(path).while_doing(format!("cannot look at {}", path.display()))?;
    let mode = data.permissions().mode();
    let group = rustix::process::getegid().as_raw();
    if mode & 0o4000 != 0 && data.uid() != process::effective_user() {
        return Ok(Some("is set-user-id"));
    }
    if mode & 0o2010 == 0o2010 && data.gid() != group {
        return Ok(Some("is set-group-id"));
    }
    let capable = rustix::fs::getxattr(path, "security.capability", &mut [0_u8; 64][..]).is_ok();
    Ok((capable && process::effective_user() != 0).then_some("has capabilities of its own"))
}

/// Asks the program's dynamic linker which library it would take. It runs nothing of the program.
fn check_loaded(
    path: &Path,
    face: Face,
    folder: &Path,
    linker: &Path,
    search: &OsStr,
) -> Result<(), Failure> {
    let asked = Command::new(linker)
        .arg("--list")
        .arg(path.canonicalize().while_doing(format!("cannot look at {}", path.display()))?)
        .env("LD_LIBRARY_PATH", search)
        .stdin(Stdio::null())
        .output();
    let listing = match asked {
        Ok(listing) => listing.stdout,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Failure::new(error).while_doing(format!("cannot run {}", linker.display()))),
    };
    let taken = loaded(&String::from_utf8_lossy(&listing), face.soname());
    match taken {
        Some(library) if !same(&library, &folder.join(face.soname())) => {
            let whose = if library.parent().is_some_and(is_system) { ", the system's own" } else { "" };
            let why = format!(
                "{} would take {}{whose}: a search path of its own (DT_RPATH) comes before LD_LIBRARY_PATH",
                path.display(),
                library.display(),
            );
            Err(Failure::new(why)
                .hint("chrpath -d or patchelf --remove-rpath takes it out of a copy of the program"))
        }
        // Ours; or none when it starts, and perhaps one later that it opens by name.
        _ => Ok(()),
    }
}

/// What a listing of the dynamic linker says about a library.
fn loaded(listing: &str, soname: &str) -> Option<PathBuf> {
    listing.lines().find_map(|line| {
        let (name, rest) = line.trim().split_once(" => ")?;
        let (path, _address) = rest.rsplit_once(" (")?;
        (name == soname).then(|| path.into())
    })
}

fn same(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_tells_which_library_is_taken() {
        let listing = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibgssapi_krb5.so.2 => /a (b)/libgssapi_krb5.so.2 (0x7f)\n\
                       \tlibc.so.6 => /lib/libc.so.6 (0x7e)\n";
        assert_eq!(loaded(listing, "libgssapi_krb5.so.2"), Some("/a (b)/libgssapi_krb5.so.2".into()));
        assert_eq!(loaded(listing, "libgss.so.3"), None);
    }
}
