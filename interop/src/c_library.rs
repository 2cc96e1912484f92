//! Our C library in the place of MIT's: what programs are compiled with, and how they come to run on it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::peers::Peer;
use crate::process::{self, PATIENCE, Running};

/// What the compilation of programs against both libraries needs.
pub const NEEDS: &[Peer] = &[
    Peer::CC,
    Peer::CXX,
    Peer::C_HEADERS,
    Peer::READELF,
    Peer::MIT_GSS,
    Peer::MIT_KRB5,
    Peer::MIT_HEADERS,
    Peer::COM_ERR_HEADER,
];

/// Whose library, or whose headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// MIT's, as Debian packages it.
    Mit,
    /// Ours.
    Own,
}

/// How a program is compiled: each kind binds the library's data in a way of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At a fixed address: data symbols are copied into the program.
    NonPie,
    /// Position-independent, as distributions compile.
    Pie,
    /// A shared object that a program opens.
    Shared,
}

impl Maker {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mit, Self::Own];

    /// The library's file.
    ///
    /// # Errors
    /// MIT's is missing, or ours can't be built.
    pub fn library(self) -> Result<PathBuf, Failure> {
        match self {
            Self::Mit => Ok(Peer::MIT_GSS.find()?),
            Self::Own => Ok(face()?.join("lib/libgssapi_krb5.so.2")),
        }
    }

    /// Options by which the compiler finds the headers.
    ///
    /// # Errors
    /// As [`library`](Self::library).
    pub fn includes(self) -> Result<Vec<OsString>, Failure> {
        // `<krb5.h>` and what it includes are MIT's in both cases: ours are headers of the GSS-API only.
        let theirs = Peer::COM_ERR_HEADER.find()?;
        let base = theirs.parent().and_then(Path::parent).ok_or("a header without a folder")?;
        let mut folders = vec![base.join("mit-krb5"), base.to_owned()];
        if self == Self::Own {
            folders.insert(0, face()?.join("include"));
        }
        Ok(folders.into_iter().flat_map(|folder| [OsString::from("-I"), folder.into_os_string()]).collect())
    }

    /// The environment in which a program runs on this library.
    ///
    /// # Errors
    /// As [`library`](Self::library).
    pub fn environment(self) -> Result<Option<(&'static str, OsString)>, Failure> {
        match self {
            Self::Mit => Ok(None),
            Self::Own => Ok(Some(("LD_LIBRARY_PATH", face()?.join("lib").into_os_string()))),
        }
    }
}

impl Kind {
    /// Each.
    pub const ALL: [Self; 3] = [Self::NonPie, Self::Pie, Self::Shared];

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::NonPie => &["-no-pie", "-fno-pie"],
            Self::Pie => &["-pie", "-fPIE"],
            Self::Shared => &["-shared", "-fPIC", "-DSHARED"],
        }
    }
}

/// The folder of our MIT face with `lib` and `include`: in the folder that `ORTHROS_FACES` names, else built once from
/// this workspace.
///
/// # Errors
/// It can't be built.
pub fn face() -> Result<&'static Path, Failure> {
    static FACE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FACE.get_or_init(|| match std::env::var_os("ORTHROS_FACES") {
        Some(named) => Ok(PathBuf::from(named).join("mit")),
        None => build().map_err(|why| why.to_string()),
    })
    .as_deref()
    .map_err(|why| Failure::new(why.clone()))
}

fn build() -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["run", "--quiet", "--package=xtask", "--", "faces"]);
    Running::start(command)?.finish(PATIENCE * 20)?.success()?;
    Ok(crate::peers::target().join("faces/mit"))
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
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(name).with_extension("c");
    let program = folder.join(format!("{name}-{maker:?}-{kind:?}"));
    let mut command = Command::new(Peer::CC.find()?);
    command.args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror"]).args(kind.options());
    command
        .arg("-I")
        .arg(folder)
        .args(maker.includes()?)
        .arg("-o")
        .arg(&program)
        .arg(source)
        .arg(maker.library()?)
        // For programs that call it.
        .arg("-Wl,--as-needed")
        .arg(Peer::MIT_KRB5.find()?)
        .args(options)
        .arg("-ldl");
    process::run(command, b"")?.success()?;
    Ok(program)
}

/// The functions that a compiler finds declared in these headers and that belong to the GSS-API, each as it prints
/// them.
///
/// # Errors
/// The compiler complains.
pub fn prototypes(maker: Maker, headers: &[&str], folder: &Path) -> Result<Vec<String>, Failure> {
    let listing = folder.join("prototypes");
    let mut command = preprocessor(maker, headers, folder)?;
    command.arg("-fsyntax-only").arg("-aux-info").arg(&listing);
    process::run(command, b"")?.success()?;
    let text = fs::read_to_string(&listing)?;
    let declared = text.lines().filter_map(|line| line.split_once("*/ ").map(|(_, rest)| rest.to_owned()));
    let mut found: Vec<String> =
        declared.filter(|text| text.contains(" gss") || text.contains(" krb5_gss")).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// The names of the macros without arguments that these headers define and that belong to the GSS-API.
///
/// # Errors
/// The compiler complains.
pub fn constants(maker: Maker, headers: &[&str], folder: &Path) -> Result<Vec<String>, Failure> {
    let mut command = preprocessor(maker, headers, folder)?;
    command.args(["-E", "-dM"]);
    let text = process::run(command, b"")?.success()?.stdout;
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
        .filter(|(name, value)| name.starts_with("GSS_") && !name.contains('(') && !value.is_empty())
        .map(|(name, _)| name.to_owned())
        .collect();
    found.sort();
    Ok(found)
}

fn preprocessor(maker: Maker, headers: &[&str], folder: &Path) -> Result<Command, Failure> {
    let source = folder.join("headers.c");
    fs::write(&source, headers.iter().map(|header| format!("#include <{header}>\n")).collect::<String>())?;
    let mut command = Command::new(Peer::CC.find()?);
    command.args(maker.includes()?).arg(source);
    Ok(command)
}
