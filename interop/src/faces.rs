//! The libraries that our C library stands in for, a row each: where the original and its headers are, and what is
//! compared. What is compiled and run here takes either.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::peers::Peer;
use crate::process::{self, Finished, PATIENCE, Running};

/// A library that ours stands in for.
#[derive(Debug)]
pub struct Face {
    /// Its name in `target/faces`, `crates/capi/faces` and `c/faces`.
    pub name: &'static str,
    /// The name that programs are linked with.
    pub soname: &'static str,
    /// The name by which a linker finds it.
    pub link: &'static str,
    /// The files that pkg-config is asked for.
    pub packages: &'static [&'static str],
    /// What `krb5-config --vendor` says, where the original has that script.
    pub vendor: Option<&'static str>,
    /// The original.
    pub original: Peer,
    /// One of the original's headers.
    pub header: Peer,
    /// The folder of that one and of the other headers, below that of all headers.
    pub folder: &'static str,
    /// Other folders there, with what the original's headers include.
    pub beside: &'static [&'static str],
    /// The headers that programs include.
    pub headers: &'static [&'static str],
    /// Functions that the original declares and no library exports.
    pub nowhere: &'static [&'static str],
    /// Constants for objects that the original declares and no library exports.
    pub no_objects: &'static [&'static str],
    /// What a program that is linked may need besides.
    pub linked: &'static [Peer],
    /// What all of it needs.
    pub needs: &'static [Peer],
}

/// MIT krb5's.
pub static MIT: Face = Face {
    name: "mit",
    soname: "libgssapi_krb5.so.2",
    link: "gssapi_krb5",
    packages: &["krb5-gssapi", "mit-krb5-gssapi"],
    vendor: Some("Massachusetts Institute of Technology"),
    original: Peer::MIT_GSS,
    header: Peer::MIT_HEADERS,
    folder: "mit-krb5",
    beside: &["."],
    headers: &[
        "gssapi.h",
        "gssapi/gssapi.h",
        "gssapi/gssapi_ext.h",
        "gssapi/gssapi_krb5.h",
        "gssapi/gssapi_generic.h",
        "gssapi/gssapi_alloc.h",
        "gssapi/mechglue.h",
    ],
    nowhere: &["gss_export_name_object", "gss_import_name_object", "gss_initialize"],
    no_objects: &[],
    linked: &[Peer::MIT_KRB5],
    needs: MIT_NEEDS,
};

/// What MIT's face needs.
pub const MIT_NEEDS: &[Peer] = &[
    Peer::CC,
    Peer::CXX,
    Peer::C_HEADERS,
    Peer::READELF,
    Peer::MIT_GSS,
    Peer::MIT_KRB5,
    Peer::MIT_HEADERS,
    Peer::COM_ERR_HEADER,
];

/// Heimdal's.
pub static HEIMDAL: Face = Face {
    name: "heimdal",
    soname: "libgssapi.so.3",
    link: "gssapi",
    packages: &["heimdal-gssapi", "krb5-gssapi"],
    vendor: Some("Heimdal"),
    original: Peer::HEIMDAL_GSS,
    header: Peer::HEIMDAL_HEADERS,
    folder: "heimdal",
    beside: &[],
    headers: &[
        "gssapi.h",
        "gssapi/gssapi.h",
        "gssapi/gssapi_krb5.h",
        "gssapi/gssapi_ntlm.h",
        "gssapi/gssapi_oid.h",
        "gssapi/gssapi_spnego.h",
    ],
    nowhere: &["gsskrb5_plugin_register"],
    no_objects: &[
        "GSS_C_INQ_SSPI_SESSION_KEY",
        "GSS_C_INQ_WIN2K_PAC_X",
        "GSS_NETLOGON_MECHANISM",
        "GSS_NETLOGON_NT_NETBIOS_DNS_NAME",
        "GSS_NETLOGON_SET_SESSION_KEY_X",
        "GSS_NETLOGON_SET_SIGN_ALGORITHM_X",
    ],
    linked: &[Peer::HEIMDAL_KRB5],
    needs: &[Peer::CC, Peer::CXX, Peer::C_HEADERS, Peer::READELF, Peer::HEIMDAL_GSS, Peer::HEIMDAL_HEADERS],
};

/// GNU GSS's.
pub static GNU: Face = Face {
    name: "gnu",
    soname: "libgss.so.3",
    link: "gss",
    packages: &["gss"],
    vendor: None,
    original: Peer::GNU_GSS,
    header: Peer::GNU_HEADERS,
    folder: "",
    beside: &[],
    headers: &["gss.h", "gss/api.h", "gss/ext.h", "gss/krb5.h", "gss/krb5-ext.h"],
    nowhere: &[],
    no_objects: &[],
    linked: &[],
    needs: &[Peer::CC, Peer::CXX, Peer::C_HEADERS, Peer::READELF, Peer::GNU_GSS, Peer::GNU_HEADERS],
};

/// Every face.
pub static FACES: [&Face; 3] = [&MIT, &HEIMDAL, &GNU];

/// Whose library, or whose headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The original's, as Debian packages it.
    Original,
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

impl Whose {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Original, Self::Own];
}

impl Face {
    /// Ours, with `lib`, `include` and more: in the folder that `ORTHROS_FACES` names, else built once from this
    /// workspace.
    ///
    /// # Errors
    /// It can't be built.
    pub fn built(&self) -> Result<PathBuf, Failure> {
        static FACES: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let faces = FACES.get_or_init(|| match std::env::var_os("ORTHROS_FACES") {
            Some(named) => Ok(PathBuf::from(named)),
            None => build().map_err(|why| why.to_string()),
        });
        faces.as_deref().map(|faces| faces.join(self.name)).map_err(|why| Failure::new(why.clone()))
    }

    /// The library's file.
    ///
    /// # Errors
    /// The original is missing, or ours can't be built.
    pub fn library(&self, whose: Whose) -> Result<PathBuf, Failure> {
        match whose {
            Whose::Original => Ok(self.original.find()?),
            Whose::Own => Ok(self.built()?.join("lib").join(self.soname)),
        }
    }

    /// Options by which the compiler finds the headers.
    ///
    /// # Errors
    /// As [`library`](Self::library).
    pub fn includes(&self, whose: Whose) -> Result<Vec<OsString>, Failure> {
        let header = self.header.find()?;
        let depth = Path::new(self.header.program).components().count();
        let root = header.ancestors().nth(depth).ok_or("a header without a folder")?;
        let own = root.join(self.folder);
        // Headers of the original's other libraries are the original's in both cases: ours are of the GSS-API only.
        let mut folders = match whose {
            Whose::Original => vec![own],
            Whose::Own => vec![self.built()?.join("include"), own],
        };
        folders.extend(self.beside.iter().map(|folder| root.join(folder)));
        Ok(folders.into_iter().flat_map(|folder| [OsString::from("-I"), folder.into_os_string()]).collect())
    }

    /// The environment in which a program runs on this library.
    ///
    /// # Errors
    /// As [`library`](Self::library).
    pub fn environment(&self, whose: Whose) -> Result<Option<(&'static str, OsString)>, Failure> {
        let mut folders: Vec<PathBuf> = match whose {
            Whose::Original => Vec::new(),
            Whose::Own => vec![self.built()?.join("lib")],
        };
        // The original's, and what the original and programs for it need besides.
        folders.extend(self.original.libraries());
        if folders.is_empty() {
            return Ok(None);
        }
        let path = std::env::join_paths(folders).map_err(|error| Failure::new(error.to_string()))?;
        Ok(Some(("LD_LIBRARY_PATH", path)))
    }

    /// Runs a program on this library; it says on which it ran, if it says anything about that.
    ///
    /// # Errors
    /// It fails.
    pub fn run(&self, whose: Whose, mut command: Command) -> Result<Finished, Failure> {
        command.envs(self.environment(whose)?);
        let said = process::run(command, b"")?.success()?;
        if let Some(path) = said.stderr.lines().find_map(|line| line.strip_prefix("library: ")) {
            let ours = path.starts_with(&*self.built()?.to_string_lossy());
            if ours != (whose == Whose::Own) {
                return Err(Failure::new(format!("it ran on {path}")));
            }
        }
        Ok(said)
    }

    /// Compiles `c/NAME.c` with the headers of one and links it with its library, into `folder`, where headers may be too.
    /// `options` are the compiler's; libraries among them, `-lNAME`, come last.
    ///
    /// # Errors
    /// The compiler complains, or warns.
    pub fn compile(
        &self,
        name: &str,
        whose: Whose,
        kind: Kind,
        folder: &Path,
        options: &[&str],
    ) -> Result<PathBuf, Failure> {
        self.build(Peer::CC, name, whose, kind, folder, &[&["-std=gnu11"], options].concat())
    }

    /// As [`compile`](Self::compile), by this compiler.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn build(
        &self,
        compiler: Peer,
        name: &str,
        whose: Whose,
        kind: Kind,
        folder: &Path,
        options: &[&str],
    ) -> Result<PathBuf, Failure> {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
        let program = folder.join(format!("{name}-{}-{whose:?}-{kind:?}", self.name));
        // A linker takes of a library what it lacks when it meets it.
        let (libraries, options): (Vec<&str>, Vec<&str>) =
            options.iter().partition(|option| option.starts_with("-l"));
        let mut command = Command::new(compiler.find()?);
        command.args(["-O1", "-Wall", "-Wextra", "-Werror"]).args(kind.options()).args(options);
        command.arg("-I").arg(folder).arg("-I").arg(sources.join("faces").join(self.name));
        command.args(self.includes(whose)?);
        command.arg("-o").arg(&program).arg(sources.join(name).with_extension("c"));
        // Whatever language the options name, libraries are none.
        command.args(["-x", "none"]).arg(self.library(whose)?);
        if let Some((_, folders)) = self.environment(whose)? {
            command.arg("-Wl,-rpath-link").arg(folders);
        }
        command.arg("-Wl,--as-needed");
        for library in self.linked {
            command.arg(library.find()?);
        }
        command.args(libraries).arg("-ldl");
        process::run(command, b"")?.success()?;
        Ok(program)
    }

    /// The functions that a compiler finds declared in the headers and that belong to the GSS-API, each as it prints them.
    /// A `const` of an argument itself is left out: it is no part of a function's type.
    ///
    /// # Errors
    /// The compiler complains.
    pub fn prototypes(&self, whose: Whose, folder: &Path) -> Result<Vec<String>, Failure> {
        let listing = folder.join("prototypes");
        let mut command = self.preprocessor(whose, folder)?;
        command.arg("-fsyntax-only").arg("-aux-info").arg(&listing);
        process::run(command, b"")?.success()?;
        let text = fs::read_to_string(&listing)?;
        let declared = text.lines().filter_map(|line| line.split_once("*/ ").map(|(_, rest)| plain(rest)));
        let is_nowhere = |text: &str| self.nowhere.iter().any(|name| text.contains(&format!("{name} (")));
        let mut found: Vec<String> = declared
            .filter(|text| text.starts_with("extern") && text.contains("gss") && !is_nowhere(text))
            .collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// The macros without arguments that the headers define and that belong to the GSS-API: names and meanings.
    ///
    /// # Errors
    /// The compiler complains.
    pub fn constants(&self, whose: Whose, folder: &Path) -> Result<Vec<(String, String)>, Failure> {
        let mut command = self.preprocessor(whose, folder)?;
        command.args(["-E", "-dM"]);
        let text = process::run(command, b"")?.success()?.stdout;
        let mut found: Vec<(String, String)> = text
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
            .filter(|(name, value)| name.starts_with("GSS_") && !name.contains('(') && !value.is_empty())
            .filter(|(name, _)| !self.no_objects.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        found.sort();
        Ok(found)
    }

    fn preprocessor(&self, whose: Whose, folder: &Path) -> Result<Command, Failure> {
        let source = folder.join("headers.c");
        let included = self.headers.iter().map(|header| format!("#include <{header}>\n"));
        fs::write(&source, included.collect::<String>())?;
        let mut command = Command::new(Peer::CC.find()?);
        command.args(self.includes(whose)?).arg(source);
        Ok(command)
    }
}

/// A prototype without the `const` of arguments themselves.
fn plain(prototype: &str) -> String {
    let Some((head, arguments)) = prototype.split_once('(') else { return prototype.to_owned() };
    let plain = |argument: &str| {
        let argument = argument.trim().trim_end_matches([')', ';']).trim_end();
        let own = ["gss_OID", "gss_OID_set"].iter().any(|name| argument == format!("const {name}"))
            || argument.starts_with("const gss_") && argument.ends_with("_t");
        if own { argument.replacen("const ", "", 1) } else { argument.to_owned() }
    };
    format!("{head}({})", arguments.split(',').map(plain).collect::<Vec<_>>().join(", "))
}

fn build() -> Result<PathBuf, Failure> {
    xtask(&["faces"])?;
    Ok(crate::peers::target().join("faces"))
}

/// Runs one of the project's tasks.
///
/// # Errors
/// It fails.
pub fn xtask(words: &[&str]) -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["run", "--quiet", "--package=xtask", "--"]).args(words);
    Running::start(command)?.finish(PATIENCE * 20)?.success().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_const_of_an_argument_itself_is_left_out() {
        let given = "extern int f (const gss_name_t , const gss_OID , const char *, gss_const_OID);";
        assert_eq!(plain(given), "extern int f (gss_name_t, gss_OID, const char *, gss_const_OID)");
        assert_eq!(
            plain("extern int f (const gss_buffer_desc *);"),
            "extern int f (const gss_buffer_desc *)"
        );
    }
}
