//! Our C library is MIT's to the linker and the compiler: symbols, headers, programs that were built for either.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use interop::c_library::{Kind, Maker, NEEDS, compile, constants, face, prototypes};
use interop::peers::Peer;
use interop::{Failure, Finished, Scenario, process};

/// Every header that programs include.
const HEADERS: &[&str] = &[
    "gssapi.h",
    "gssapi/gssapi.h",
    "gssapi/gssapi_ext.h",
    "gssapi/gssapi_krb5.h",
    "gssapi/gssapi_generic.h",
    "gssapi/gssapi_alloc.h",
    "gssapi/mechglue.h",
];

/// Declared in MIT's headers, and exported by no library.
const NOWHERE: &[&str] = &["gss_export_name_object", "gss_import_name_object", "gss_initialize"];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = vec![
        Scenario::new("c_library::a_symbol_has_another_version_or_size", NEEDS, symbols),
        Scenario::new("c_library::it_can_be_unloaded_or_needs_a_library_of_kerberos", NEEDS, dynamic),
        Scenario::new("c_library::a_header_does_not_compile_alone", NEEDS, headers),
        Scenario::new("c_library::a_prototype_differs", NEEDS, declarations),
        Scenario::new("c_library::a_type_or_constant_differs", NEEDS, layouts),
    ];
    for kind in Kind::ALL {
        for headers in Maker::ALL {
            list.push(Scenario::new(
                format!("c_library::{kind:?}_built_for_{headers:?}_says_something_else_on_the_other")
                    .to_lowercase(),
                NEEDS,
                move || program(kind, headers),
            ));
        }
    }
    list.push(Scenario::new("c_library::pkg_config_names_another_folder", NEEDS, pkg_config));
    list
}

/// A library's dynamic symbols: version, kind and, of objects, how many octets.
fn exported(library: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut command = Command::new(Peer::READELF.find()?);
    command.args(["--wide", "--dyn-syms"]).arg(library);
    let listing = process::run(command, b"")?.success()?.stdout;
    let mut symbols = BTreeMap::new();
    for line in listing.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [_, _, size, kind @ ("FUNC" | "OBJECT"), binding, visibility, place, symbol] = fields[..]
            && place != "UND"
            && place != "ABS"
        {
            let (name, version) = symbol.split_once("@@").unwrap_or((symbol, "no version"));
            let size = if kind == "OBJECT" { size } else { "" };
            symbols.insert(name.to_owned(), format!("{version} {kind} {binding} {visibility} {size}"));
        }
    }
    Ok(symbols)
}

fn symbols() -> Result<(), Failure> {
    let (ours, theirs) = (exported(&Maker::Own.library()?)?, exported(&Maker::Mit.library()?)?);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/capi/faces/mit");
    let list = |name: &str| -> Result<BTreeSet<String>, Failure> {
        let text = fs::read_to_string(data.join(name))?;
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        Ok(rows.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    };
    let committed: BTreeSet<String> = list("functions.txt")?.union(&list("objects.txt")?).cloned().collect();
    assert_eq!(
        committed,
        theirs.keys().cloned().collect(),
        "the committed lists, and what MIT's library exports"
    );
    let lacking: BTreeSet<String> = theirs.keys().filter(|name| !ours.contains_key(*name)).cloned().collect();
    assert_eq!(list("missing.txt")?, lacking, "the committed list of what is missing, and what is");
    for (name, what) in &ours {
        assert_eq!(theirs.get(name), Some(what), "{name}");
    }
    Ok(())
}

/// It stays when a program unloads it (httpd loads its modules twice), its tables are read-only, and it needs C alone.
fn dynamic() -> Result<(), Failure> {
    let mut command = Command::new(Peer::READELF.find()?);
    command.args(["--wide", "--dynamic"]).arg(Maker::Own.library()?);
    let said = process::run(command, b"")?
        .success()?
        .says("[libgssapi_krb5.so.2]")?
        .says("NODELETE")?
        .says("BIND_NOW")?;
    let needed = said.stdout.lines().filter(|line| line.contains("(NEEDED)"));
    let foreign: Vec<&str> = needed
        .filter(|line| {
            !["[libc.so.", "[libm.so.", "[libgcc_s.so.", "[ld-linux"].iter().any(|name| line.contains(name))
        })
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    Ok(())
}

/// Each header by itself, in the oldest and newest languages, with every warning an error.
fn headers() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    for header in HEADERS {
        let source = folder.path().join("alone.c");
        fs::write(&source, format!("#include <{header}>\n#include <{header}>\n"))?;
        for (compiler, language, standard) in [
            (Peer::CC, "c", "c99"),
            (Peer::CC, "c", "c17"),
            (Peer::CXX, "c++", "c++98"),
            (Peer::CXX, "c++", "c++20"),
        ] {
            // Once with MIT's `<krb5.h>`, and once where there is none.
            let alone = vec!["-I".into(), face()?.join("include").into_os_string()];
            for includes in [alone, Maker::Own.includes()?] {
                let mut command = Command::new(compiler.find()?);
                command.args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"]);
                command.args(["-Wall", "-Wextra", "-Werror"]);
                if includes.len() == 2 {
                    command.arg("-Wpedantic");
                }
                command.args(&includes).arg(&source);
                process::run(command, b"")?
                    .success()
                    .map_err(|why| why.while_doing(format!("{header}, {standard}")))?;
            }
        }
    }
    Ok(())
}

fn declarations() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let ours = prototypes(Maker::Own, HEADERS, folder.path())?;
    let mut theirs = prototypes(Maker::Mit, HEADERS, folder.path())?;
    theirs.retain(|text| !NOWHERE.iter().any(|name| text.contains(&format!("{name} ("))));
    assert!(ours.len() > 100, "{ours:#?}");
    same(&ours.join("\n"), &theirs.join("\n"))
}

/// One program about layouts and constants, compiled with each one's headers: it prints the same.
fn layouts() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let ours = constants(Maker::Own, HEADERS, folder.path())?;
    assert_eq!(ours, constants(Maker::Mit, HEADERS, folder.path())?);
    let shown = ours.iter().filter(|name| *name != "GSS_C_EMPTY_BUFFER");
    let rows = shown.map(|name| format!("SHOW{}({name})\n", if name.contains("_NT_") { "_OID" } else { "" }));
    fs::write(folder.path().join("constants.h"), rows.collect::<String>())?;
    let mut said = Vec::new();
    for maker in Maker::ALL {
        let layout = compile("layout", maker, Kind::Pie, folder.path())?;
        said.push(run(Command::new(layout), maker)?.stdout);
    }
    let [theirs, ours] = &said[..] else { return Err("two makers were asked".into()) };
    assert!(theirs.contains("GSS_S_BAD_MECH_ATTR: 4 octets, 0, 130000"), "{theirs}");
    same(ours, theirs)
}

/// A program built with one maker's headers and library prints on both what one of MIT's prints on MIT's.
fn program(kind: Kind, headers: Maker) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("krb5.conf"),
        "[libdefaults]\n\tdefault_realm = PROGRAM.TEST\n\tdns_canonicalize_hostname = false\n\trdns = false\n\
         [domain_realm]\n\tlocalhost = PROGRAM.TEST\n",
    )?;
    let on = |library: Maker, built: &Path| -> Result<Finished, Failure> {
        let mut command = if kind == Kind::Shared {
            let mut command = Command::new(compile("opener", Maker::Mit, Kind::Pie, folder.path())?);
            command.arg(built);
            command
        } else {
            Command::new(built)
        };
        command.env_clear().env("KRB5_CONFIG", folder.path().join("krb5.conf"));
        run(command, library)
    };
    let theirs =
        on(Maker::Mit, &compile("program", Maker::Mit, kind, folder.path())?)?.says("alice@PROGRAM.TEST")?;
    let built = compile("program", headers, kind, folder.path())?;
    for library in Maker::ALL {
        let said = on(library, &built)?;
        same(&said.stdout, &theirs.stdout).map_err(|why| why.while_doing(format!("on {library:?}")))?;
    }
    Ok(())
}

/// Fails with the first line in which two texts differ.
fn same(ours: &str, theirs: &str) -> Result<(), Failure> {
    let mut lines = ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs);
    match lines.next() {
        Some((ours, theirs)) => Err(Failure::new(format!("ours says `{ours}`, MIT's says `{theirs}`"))),
        None if ours.len() != theirs.len() => Err("one of the two says more".into()),
        None => Ok(()),
    }
}

/// Runs a program on a library; it says on which it ran, if it says anything about that.
fn run(mut command: Command, library: Maker) -> Result<Finished, Failure> {
    command.envs(library.environment()?);
    let said = process::run(command, b"")?.success()?;
    if let Some(path) = said.stderr.lines().find_map(|line| line.strip_prefix("library: ")) {
        assert_eq!(path.starts_with(&*face()?.to_string_lossy()), library == Maker::Own, "{path}");
    }
    Ok(said)
}

/// Copied elsewhere, its pkg-config files name that place.
fn pkg_config() -> Result<(), Failure> {
    for name in ["krb5-gssapi.pc", "mit-krb5-gssapi.pc"] {
        let text = fs::read_to_string(face()?.join("lib/pkgconfig").join(name))?;
        assert!(text.starts_with("prefix=${pcfiledir}/../..\n"), "{text}");
        assert!(text.contains("Libs: -L${libdir} -lgssapi_krb5\n"), "{text}");
        assert!(text.contains(&format!("Name: {}\n", name.trim_end_matches(".pc"))), "{text}");
    }
    Ok(())
}
