//! The C library: which faces there are, where they lie, and how programs come to run on one.
//!
//! | file | what it does |
//! |---|---|
//! | here | the faces, and where they are looked for |
//! | `elf` | what a program's file says about how it is loaded |
//! | `run` | `run`: one program on a face |
//! | `switch` | `switch`: a face in the place of the system's library |

mod elf;
pub(crate) mod run;
pub(crate) mod switch;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use orthros::settings;

use crate::failure::Failure;
use crate::program::this_program;

/// Whose library ours stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Face {
    /// GNU GSS: libgss.so.3
    Gnu,
    /// Heimdal: libgssapi.so.3
    Heimdal,
    /// MIT krb5: libgssapi_krb5.so.2
    Mit,
}

impl Face {
    const ALL: [Self; 3] = [Self::Mit, Self::Heimdal, Self::Gnu];

    /// Its folder's name.
    const fn name(self) -> &'static str {
        match self {
            Self::Gnu => "gnu",
            Self::Heimdal => "heimdal",
            Self::Mit => "mit",
        }
    }

    /// The name that programs look for.
    const fn soname(self) -> &'static str {
        match self {
            Self::Gnu => "libgss.so.3",
            Self::Heimdal => "libgssapi.so.3",
            Self::Mit => "libgssapi_krb5.so.2",
        }
    }

    /// The folders in which its library may lie: where a package puts it, where `cargo xtask install` does, and where
    /// `cargo xtask faces` builds it.
    fn places(self, program: &Path) -> Vec<PathBuf> {
        let name = self.name();
        let named =
            settings::variable("ORTHROS_FACES").map(|faces| PathBuf::from(faces).join(name).join("lib"));
        let beside = program.parent().and_then(Path::parent);
        let beside = beside.into_iter().flat_map(|prefix| {
            [
                prefix.join("lib").join(triplet()).join("orthros").join(name).join("lib"),
                prefix.join("lib"),
                prefix.join("faces").join(name).join("lib"),
            ]
        });
        named.into_iter().chain(beside).collect()
    }

    /// The folder with its library.
    fn folder(self) -> Result<PathBuf, Failure> {
        let program = this_program()?;
        let program = program.canonicalize().unwrap_or(program);
        let places = self.places(&program);
        // The system's own folders are no place of ours, even where this program lies beside them.
        let ours = |place: &&PathBuf| place.join(self.soname()).is_file() && !is_system(place);
        places.iter().find(ours).cloned().ok_or_else(|| {
            let places: Vec<_> = places.iter().map(|place| place.to_string_lossy()).collect();
            let why = format!(
                "the {} face is not there: looked for {} in {}",
                self.name(),
                self.soname(),
                places.join(", ")
            );
            Failure::new(why).hint("cargo xtask faces builds it; ORTHROS_FACES names the folder of faces")
        })
    }
}

/// Whether the dynamic linker looks in a folder by itself.
fn is_system(folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let known = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    let by_triplet = ["/lib", "/usr/lib", "/usr/local/lib"].map(|base| Path::new(base).join(triplet()));
    known.iter().chain(&by_triplet).any(|place| *place == folder)
}

/// The folder of libraries of this processor, as Debian and its heirs name it.
const fn triplet() -> &'static str {
    if cfg!(target_arch = "x86_64") {
        "x86_64-linux-gnu"
    } else if cfg!(target_arch = "aarch64") {
        "aarch64-linux-gnu"
    } else if cfg!(target_arch = "arm") {
        "arm-linux-gnueabihf"
    } else if cfg!(target_arch = "riscv64") {
        "riscv64-linux-gnu"
    } else if cfg!(target_arch = "powerpc64") {
        "powerpc64le-linux-gnu"
    } else if cfg!(target_arch = "s390x") {
        "s390x-linux-gnu"
    } else {
        "i386-linux-gnu"
    }
}
