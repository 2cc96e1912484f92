//! Our C library in the place of MIT's: what programs are compiled with, and how they come to run on it. Of the other
//! faces, and of what all have in common: [`faces`](crate::faces).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use crate::faces::Kind;
use crate::faces::{MIT, MIT_NEEDS, Whose};
use crate::failure::Failure;
use crate::peers::Peer;

/// What the compilation of programs against both libraries needs.
pub const NEEDS: &[Peer] = MIT_NEEDS;

/// Whose library, or whose headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// MIT's, as Debian packages it.
    Mit,
    /// Ours.
    Own,
}

impl Maker {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mit, Self::Own];

    fn whose(self) -> Whose {
        match self {
            Self::Mit => Whose::Original,
            Self::Own => Whose::Own,
        }
    }

    /// The library's file.
    ///
    /// # Errors
    /// MIT's is missing, or ours can't be built.
    pub fn library(self) -> Result<PathBuf, Failure> {
        MIT.library(self.whose())
    }

    /// The environment in which a program runs on this library.
    ///
    /// # Errors
    /// As [`library`](Self::library).
    pub fn environment(self) -> Result<Option<(&'static str, OsString)>, Failure> {
        MIT.environment(self.whose())
    }
}

/// The environment in which a program runs on ours as it is linked for tests: one more symbol tells how many handles live
/// (`c/live.h`).
///
/// # Errors
/// Ours can't be built.
pub fn counting() -> Result<(&'static str, OsString), Failure> {
    let faces = MIT.built()?;
    Ok(("LD_LIBRARY_PATH", faces.with_file_name("counting").join("lib").into_os_string()))
}

/// Compiles `c/NAME.c` with the headers of this maker and links it with its library, into `folder`, where headers may be
/// too.
///
/// # Errors
/// The compiler complains, or warns.
pub fn compile(name: &str, maker: Maker, kind: Kind, folder: &Path) -> Result<PathBuf, Failure> {
    compile_with(name, maker, kind, folder, &[])
}

/// As [`compile`], with more options of the compiler: folders of headers, libraries.
///
/// # Errors
/// As [`compile`].
pub fn compile_with(
    name: &str,
    maker: Maker,
    kind: Kind,
    folder: &Path,
    options: &[&str],
) -> Result<PathBuf, Failure> {
    MIT.compile(name, maker.whose(), kind, folder, options)
}
