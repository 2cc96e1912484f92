//! `switch`: our C library in the place of the system's, by one file for ldconfig(8).
//!
//! `/etc/ld.so.conf.d/00-orthros.conf` names the folders of the faces that are on. The dynamic linker's table takes a
//! library from the first folder that has it, and that file is read before the others. Nothing of the system's
//! packages is moved: their updates change nothing here, and there is no moment without a library. To go back the
//! file is removed and the table made anew, from whatever point the way there was broken off at.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orthros::sys::process;

use super::elf::{Machine, Program};
use super::{Face, triplet};
use crate::arguments::Switch;
use crate::failure::{Ending, Failure, While};
use crate::output;

/// Below the root: what ldconfig reads, before all others of its kind.
const FILE: &str = "etc/ld.so.conf.d/00-orthros.conf";
const FIRST_LINE: &str = "# Made by orthros switch on; orthros switch off takes it back.\n";

/// The system that is switched.
struct System {
    root: PathBuf,
    /// Whether it is another than the one that runs.
    other: bool,
}

pub(crate) fn on(wanted: &Switch) -> Result<Ending, Failure> {
    let system = System::of(wanted)?;
    system.check_rights()?;
    let face = wanted.face.unwrap_or(Face::Mit);
    let folder = system.folder(face)?;
    if !system.other {
        check_loads(&folder.join(face.soname()))?;
    }
    let before = system.folders()?;
    let mut folders = before.clone();
    if !folders.contains(&folder) {
        folders.push(folder.clone());
    }
    system.write(&folders)?;
    let switched = system.make_table().and_then(|()| system.resolved(face));
    match switched {
        Ok(Some(library)) if library.parent() == Some(&folder) => output::line(format!(
            "{} is {} now, for programs that start from now on",
            face.soname(),
            library.display()
        )),
        outcome => {
            // As it was: a table that names another library would only look like ours.
            system.write(&before)?;
            system.make_table()?;
            let instead = match outcome? {
                Some(library) => format!("the dynamic linker still takes {}", library.display()),
                None => "the dynamic linker finds none at all".to_owned(),
            };
            let why = format!("{} can't be switched: {instead}", face.soname());
            Err(Failure::new(why).hint("another file in /etc/ld.so.conf.d or /etc/ld.so.conf may come first"))
        }
    }
}

pub(crate) fn off(wanted: &Switch) -> Result<Ending, Failure> {
    let system = System::of(wanted)?;
    system.check_rights()?;
    let folders = match wanted.face {
        None => Vec::new(),
        Some(face) => {
            let mut folders = system.folders()?;
            // By its name too: the library may be gone already.
            let named = Path::new(face.name()).join("lib");
            folders.retain(|folder| !folder.ends_with(&named) && !system.has(folder, face));
            folders
        }
    };
    system.write(&folders)?;
    system.make_table()?;
    report(&system, wanted.face)
}

pub(crate) fn status(wanted: &Switch) -> Result<Ending, Failure> {
    report(&System::of(wanted)?, wanted.face)
}

fn report(system: &System, face: Option<Face>) -> Result<Ending, Failure> {
    let folders = system.folders()?;
    let mut text = Vec::new();
    for face in Face::ALL.into_iter().filter(|known| face.is_none_or(|wanted| wanted == *known)) {
        let what = match system.resolved(face)? {
            Some(library)
                if library.parent().is_some_and(|parent| folders.iter().any(|ours| ours == parent)) =>
            {
                format!("on: {}", library.display())
            }
            Some(library) => format!("off: {}", library.display()),
            None => "off: the system has none".to_owned(),
        };
        text.push(format!("{:<8} {:<20} {what}", face.name(), face.soname()));
    }
    output::line(text.join("\n"))
}

impl System {
    fn of(wanted: &Switch) -> Result<Self, Failure> {
        match &wanted.root {
            None => Ok(Self { root: "/".into(), other: false }),
            Some(root) => {
                let root = root.canonicalize().while_doing(format!("cannot find {}", root.display()))?;
                Ok(Self { root, other: true })
            }
        }
    }

    fn check_rights(&self) -> Result<(), Failure> {
        if self.other || process::effective_user() == 0 {
            return Ok(());
        }
        let why = "only root may choose the system's library";
        Err(Failure::new(why).hint("sudo orthros switch on, or for one program: orthros run -- PROGRAM"))
    }

    /// A path as the system names it, from outside.
    fn outside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The folder of a face, as the system names it.
    fn folder(&self, face: Face) -> Result<PathBuf, Failure> {
        let folder = if self.other { self.installed(face)? } else { face.folder()?.canonicalize()? };
        self.check_owners(&folder)?;
        Ok(folder)
    }

    /// Where packages and `cargo xtask install` put it in another system.
    fn installed(&self, face: Face) -> Result<PathBuf, Failure> {
        let by_package = Path::new("/usr/lib").join(triplet()).join("orthros").join(face.name()).join("lib");
        let places = [by_package, "/usr/local/lib/orthros".into(), "/opt/orthros/lib".into()];
        places.iter().find(|place| self.has(place, face)).cloned().ok_or_else(|| {
            let places: Vec<_> = places.iter().map(|place| place.to_string_lossy()).collect();
            let root = self.root.display();
            Failure::new(format!(
                "the {} face is not in {root}: looked in {}",
                face.name(),
                places.join(", ")
            ))
        })
    }

    fn has(&self, folder: &Path, face: Face) -> bool {
        self.outside(folder).join(face.soname()).is_file()
    }

    /// Set-user-id programs will load what lies there: nobody but the administrator may be able to change it.
    fn check_owners(&self, folder: &Path) -> Result<(), Failure> {
        let owner = if self.other { process::effective_user() } else { 0 };
        let folder = self.outside(folder);
        let inside = folder.ancestors().take_while(|place| place.starts_with(&self.root));
        for place in inside {
            let data = fs::metadata(place).while_doing(format!("cannot look at {}", place.display()))?;
            let writable = data.permissions().mode() & 0o022 != 0 && data.permissions().mode() & 0o1000 == 0;
            if data.uid() != owner || writable {
                let why = format!(
                    "{}: others than root could change it, and with it every program",
                    place.display()
                );
                return Err(Failure::new(why)
                    .hint("cargo xtask install --prefix /opt/orthros puts the library into a safe place"));
            }
        }
        Ok(())
    }

    /// The folders that are on.
    fn folders(&self) -> Result<Vec<PathBuf>, Failure> {
        let file = self.root.join(FILE);
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text.lines().filter(|line| line.starts_with('/')).map(PathBuf::from).collect()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(Failure::new(error).while_doing(format!("cannot read {}", file.display()))),
        }
    }

    /// Puts these folders in force, whole or not at all.
    fn write(&self, folders: &[PathBuf]) -> Result<(), Failure> {
        let file = self.root.join(FILE);
        let written = if folders.is_empty() {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        } else {
            replace(&file, folders)
        };
        written.while_doing(format!("cannot write {}", file.display()))
    }

    /// ldconfig(8) for this system.
    fn ldconfig(&self) -> Result<Command, Failure> {
        let places = ["/sbin/ldconfig", "/usr/sbin/ldconfig"];
        let program = places.iter().find(|place| Path::new(place).is_file());
        let program =
            program.ok_or_else(|| Failure::new("this system has no ldconfig, and so no table to change"))?;
        let mut command = Command::new(program);
        if self.other {
            command.arg("-r").arg(&self.root);
        }
        command.stdin(Stdio::null());
        Ok(command)
    }

    fn make_table(&self) -> Result<(), Failure> {
        let made = self.ldconfig()?.output().while_doing("cannot run ldconfig")?;
        if made.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&made.stderr).trim().to_owned();
        Err(Failure::new(format!("ldconfig failed: {said}")).hint("orthros switch off goes back in any case"))
    }

    /// Which library the table gives to programs; `None` also where there is no table yet.
    fn resolved(&self, face: Face) -> Result<Option<PathBuf>, Failure> {
        let listed = self.ldconfig()?.arg("-p").output().while_doing("cannot run ldconfig")?;
        Ok(first_of(&String::from_utf8_lossy(&listed.stdout), face.soname(), |path| {
            let library = Machine::of(&self.outside(path)).ok().flatten();
            library.is_some() && library == Machine::of(Path::new("/proc/self/exe")).ok().flatten()
        }))
    }
}

/// Asks the dynamic linker of this system whether it can load a library: half the system would stand still if not.
fn check_loads(library: &Path) -> Result<(), Failure> {
    let Ok(Program::Dynamic { linker, .. }) = Program::of(Path::new("/bin/sh")) else { return Ok(()) };
    let asked = Command::new(&linker).arg("--list").arg(library).env_clear().stdin(Stdio::null()).output();
    let asked = asked.while_doing(format!("cannot run {}", linker.display()))?;
    let listing = String::from_utf8_lossy(&asked.stdout);
    let lacking = listing.lines().find(|line| line.ends_with("not found"));
    match lacking {
        None if asked.status.success() => Ok(()),
        None => {
            let said = String::from_utf8_lossy(&asked.stderr).trim().to_owned();
            Err(Failure::new(format!("{} can't be loaded: {said}", library.display())))
        }
        Some(line) => Err(Failure::new(format!("{} can't be loaded: {}", library.display(), line.trim()))),
    }
}

/// The first line for a library that is of this processor.
fn first_of(listing: &str, soname: &str, fits: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    listing.lines().find_map(|line| {
        let (name, path) = line.trim().split_once(" => ")?;
        let (name, _kind) = name.split_once(" (")?;
        (name == soname && fits(Path::new(path))).then(|| path.into())
    })
}

fn replace(file: &Path, folders: &[PathBuf]) -> io::Result<()> {
    let parent = file.parent().unwrap_or(file);
    fs::create_dir_all(parent)?;
    let mut fresh = tempfile::Builder::new().prefix(".orthros-").tempfile_in(parent)?;
    fresh.write_all(FIRST_LINE.as_bytes())?;
    for folder in folders {
        writeln!(fresh, "{}", folder.display())?;
    }
    fresh.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    fresh.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_table_that_fits_is_taken() {
        let listing = "3 libs found in cache `/etc/ld.so.cache'\n\
                       \tlibgssapi.so.3 (libc6) => /lib32/libgssapi.so.3\n\
                       \tlibgssapi.so.3 (libc6,x86-64) => /lib/libgssapi.so.3\n\
                       \tlibgssapi.so.30 (libc6,x86-64) => /lib/libgssapi.so.30\n";
        let wide = |path: &Path| !path.starts_with("/lib32");
        assert_eq!(first_of(listing, "libgssapi.so.3", wide), Some("/lib/libgssapi.so.3".into()));
        assert_eq!(first_of(listing, "libgss.so.3", |_| true), None);
    }
}
