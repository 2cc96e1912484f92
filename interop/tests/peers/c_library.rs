//! Our C library is the original to the linker and the compiler, each face its own: symbols, headers, programs that were
//! built for either, what builds ask.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use interop::faces::{FACES, Face, GNU, HEIMDAL, Kind, Whose};
use interop::peers::Peer;
use interop::process::{PATIENCE, Running};
use interop::{Failure, Finished, Realm, Scenario, Side, process};

/// Ours only: what programs for Apple's framework include, and what only we have.
const FRAMEWORK: &[&str] = &["GSS/GSS.h", "GSS/gssapi.h", "gssapi/gssapi_orthros.h"];

/// What a scenario does with a face.
type Body = fn(&Face) -> Result<(), Failure>;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let bodies: [(&str, &[Peer], Body); 8] = [
        ("a_symbol_has_another_version_or_size", &[], symbols),
        ("it_can_be_unloaded_or_needs_a_library_of_kerberos", &[], dynamic),
        ("a_header_does_not_compile_alone", &[], headers),
        ("a_prototype_differs", &[], declarations),
        ("a_type_or_constant_differs", &[], layouts),
        ("a_pointer_may_be_null_or_not_and_nobody_says_which", &[Peer::CLANG], nullability),
        ("a_module_can_not_be_imported", &[Peer::CLANG], modules),
        ("a_build_is_told_another_folder", &[Peer::PKG_CONFIG], answers),
    ];
    let mut list = Vec::new();
    for face in FACES {
        for (what, more, body) in bodies {
            let needs = [face.needs, more].concat();
            list.push(Scenario::new(format!("c_library::{}_{what}", face.name), &needs, move || body(face)));
        }
        for kind in Kind::ALL {
            for headers in Whose::ALL {
                let name = format!("c_library::{}_{kind:?}_built_for_{headers:?}", face.name).to_lowercase();
                let name = format!("{name}_says_something_else_on_the_other");
                list.push(Scenario::new(name, face.needs, move || program(face, kind, headers)));
            }
        }
    }
    let tool = [HEIMDAL.needs, &[Peer::GSSTOOL]].concat();
    list.push(Scenario::new("c_library::heimdal_gsstool_finds_no_mechanism", &tool, gsstool));
    let tool = [GNU.needs, Peer::MIT_REALM, &[Peer::KINIT, Peer::GNU_TOOL, Peer::STDBUF]].concat();
    list.push(Scenario::new("c_library::gnu_gss_brings_no_context_up", &tool, gnu_tool));
    let lending = [HEIMDAL.needs, Peer::MIT_REALM, &[Peer::KINIT, Peer::COM_ERR_HEADER]].concat();
    for whose in Whose::ALL {
        let name = format!("c_library::heimdal_does_not_take_what_libkrb5_lends_on_{whose:?}").to_lowercase();
        list.push(Scenario::new(name, &lending, move || lent(whose)));
    }
    let asking = [HEIMDAL.needs, Peer::MIT_REALM, &[Peer::KINIT]].concat();
    let name = "c_library::heimdal_answers_another_thing_by_an_identifier_of_its_own";
    list.push(Scenario::new(name, &asking, own_identifiers));
    list
}

/// Heimdal's program about mechanisms, on our library.
fn gsstool() -> Result<(), Failure> {
    let ask = |words: &[&str]| {
        let mut command = Command::new(Peer::GSSTOOL.find()?);
        command.args(words).env("KRB5_CONFIG", "/dev/null");
        HEIMDAL.run(Whose::Own, command)
    };
    ask(&["supported-mechanisms"])?.says("1 2 840 113554 1 2 2  krb5")?.says("1 3 6 1 5 5 2")?;
    let told = ask(&["attrs-for-mech", "--mech=Kerberos 5"])?;
    told.says("GSS_C_MA_SASL_MECH_NAME")?.says("GS2-KRB5")?.says("GSS_C_MA_CONF_PROT").map(drop)
}

/// GNU's program at both ends of a context, on our library: each prints its token, and takes the other's.
fn gnu_tool() -> Result<(), Failure> {
    let realm = Realm::build("TOOL.TEST").principal("alice", "wonderland").service("host/localhost");
    let realm = realm.start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    let start = |role: &str| {
        // It writes to a pipe, and would keep what it says in its buffer.
        let mut command = realm.command(&Peer::STDBUF.find()?);
        command.arg("-oL").arg(Peer::GNU_TOOL.find()?).arg(format!("--{role}-sec-context=GS2-KRB5"));
        command.args(["--server-name", "host@localhost"]).envs(GNU.environment(Whose::Own)?);
        Running::start(command)
    };
    // The token is this line of what it says.
    let token = |process: &mut Running, line: usize| -> Result<String, Failure> {
        process.wait_for_times("\n", line, PATIENCE)?;
        Ok(format!("{}\n", process.stdout().lines().nth(line - 1).unwrap_or_default()))
    };
    let (mut initiator, mut acceptor) = (start("init")?, start("accept")?);
    let request = token(&mut initiator, 2)?;
    acceptor.write(request.as_bytes())?;
    let answer = token(&mut acceptor, 6)?;
    initiator.write(answer.as_bytes())?;
    for (mut end, says) in
        [(initiator, "Context has been initialized."), (acceptor, "Context has been accepted.")]
    {
        end.close_stdin();
        end.finish(PATIENCE)?.success()?.says(says)?;
    }
    Ok(())
}

/// Caches, keytabs and keys cross between the library and Heimdal's libkrb5.
fn lent(whose: Whose) -> Result<(), Failure> {
    let realm = Realm::build("LENT.TEST").principal("alice", "wonderland").service("host/localhost");
    let realm = realm.start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    // Heimdal's `<krb5.h>` includes it.
    let header = Peer::COM_ERR_HEADER.find()?;
    let folder = header.ancestors().nth(2).ok_or("a header without a folder")?;
    let options = [format!("-I{}", folder.display())];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let built = HEIMDAL.compile("lent", whose, Kind::Pie, realm.folder(), &options)?;
    let mut command = realm.command(&built);
    command.args(["host@localhost", "host/localhost@LENT.TEST"]);
    HEIMDAL.run(whose, command)?.says("all held").map(drop)
}

/// What our library answers in another way than Heimdal's: the part of the program's output, the line, and why.
const OWN_ANSWERS: [(&str, &str, &str); 10] = [
    ("initiator", "GSS_KRB5_GET_TKT_FLAGS_X", "our initiators know their ticket"),
    ("initiator", "its type without an end", "an identifier that ends in the middle is none"),
    ("initiator", "GSS_KRB5_GET_AUTHTIME_X", "our initiators know their ticket"),
    ("initiator", "GSS_KRB5_EXPORT_LUCID_CONTEXT_V1_X", "a context is not doubled"),
    ("acceptor", "its type without an end", "an identifier that ends in the middle is none"),
    ("acceptor", "GSS_KRB5_GET_SERVICE_KEYBLOCK_X", "contexts keep no key of a keytab"),
    ("acceptor", "GSS_KRB5_EXPORT_LUCID_CONTEXT_V1_X", "a context is not doubled"),
    ("no context", "its type without an end", "an identifier that ends in the middle is none"),
    ("credentials", "it is for 3, some time left", "what initiates and accepts is GSS_C_BOTH, which is 0"),
    ("credentials", "GSS_KRB5_IMPORT_CRED_X of a cache that is not there", "GSS_S_NO_CRED tells more"),
];

/// One program on both, with the same tickets.
fn own_identifiers() -> Result<(), Failure> {
    let realm = Realm::build("OIDS.TEST").principal("alice", "wonderland").service("host/localhost");
    let realm = realm.start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    let built = HEIMDAL.compile("oids", Whose::Original, Kind::Pie, realm.folder(), &[])?;
    let ask = |whose| {
        let mut command = realm.command(&built);
        let file = |name: &str| format!("FILE:{}", realm.folder().join(name).display());
        command.args(["host@localhost", &file("ccache"), &file("keytab")]);
        HEIMDAL.run(whose, command).map(|said| said.stdout)
    };
    // The first one gets the ticket of the service, and leaves it in the cache.
    let (theirs, ours) = (ask(Whose::Original)?, ask(Whose::Own)?);
    let said: Vec<_> = theirs.lines().zip(ours.lines()).collect();
    assert_eq!((said.len(), said.len()), (theirs.lines().count(), ours.lines().count()), "{theirs}{ours}");
    let mut section = "";
    let mut differing = Vec::new();
    for (theirs, ours) in said {
        // What is not there is not available (RFC 2744 4); they say only that it failed.
        let unavailable = theirs.strip_suffix("000d0000").map(|what| format!("{what}00100000"));
        if !theirs.starts_with(' ') {
            section = theirs;
        }
        if theirs != ours && unavailable.as_deref() != Some(ours) {
            differing.push((section, theirs, ours));
        }
    }
    let expected: Vec<_> = OWN_ANSWERS.iter().map(|(section, what, _)| (*section, *what)).collect();
    let what = |line: &'_ str| line.trim_start().split_once(": ").map_or(line, |(what, _)| what).to_owned();
    let found: Vec<_> = differing.iter().map(|(section, theirs, _)| (*section, what(theirs))).collect();
    let found: Vec<_> = found.iter().map(|(section, what)| (*section, what.as_str())).collect();
    assert_eq!(found, expected, "{differing:#?}");
    Ok(())
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

fn symbols(face: &Face) -> Result<(), Failure> {
    let (ours, theirs) = (exported(&face.library(Whose::Own)?)?, exported(&face.library(Whose::Original)?)?);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/capi/faces").join(face.name);
    let list = |name: &str| -> Result<BTreeSet<String>, Failure> {
        // A list that would be empty is not there.
        let file = data.join(name);
        let text = if file.exists() { fs::read_to_string(file)? } else { String::new() };
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        Ok(rows.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    };
    let committed: BTreeSet<String> = list("functions.txt")?.union(&list("objects.txt")?).cloned().collect();
    let exported: BTreeSet<String> = theirs.keys().cloned().collect();
    assert_eq!(committed, exported, "the committed lists, and what the original exports");
    let lacking: BTreeSet<String> =
        exported.iter().filter(|name| !ours.contains_key(*name)).cloned().collect();
    assert_eq!(list("missing.txt")?, lacking, "the committed list of what is missing, and what is");
    let later: BTreeSet<String> = ours.keys().filter(|name| !exported.contains(*name)).cloned().collect();
    assert!(later.is_subset(&list("later.txt")?), "neither the original nor a later one exports {later:?}");
    let version = theirs.values().next().and_then(|what| what.split(' ').next()).unwrap_or_default();
    for (name, what) in &ours {
        match theirs.get(name) {
            Some(theirs) => assert_eq!(theirs, what, "{name}"),
            None => assert!(what.starts_with(version), "{name}: {what}"),
        }
    }
    Ok(())
}

/// It stays when a program unloads it (httpd loads its modules twice), its tables are read-only, and it needs C alone.
fn dynamic(face: &Face) -> Result<(), Failure> {
    let mut command = Command::new(Peer::READELF.find()?);
    command.args(["--wide", "--dynamic"]).arg(face.library(Whose::Own)?);
    let said = process::run(command, b"")?
        .success()?
        .says(&format!("[{}]", face.soname))?
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
fn headers(face: &Face) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    // Once with the headers of the original's other libraries, and once where there are none.
    let alone = vec!["-I".into(), face.built()?.join("include").into_os_string()];
    let with_others = face.includes(Whose::Own)?;
    for header in face.headers.iter().chain(FRAMEWORK) {
        let source = folder.path().join("alone.c");
        fs::write(&source, format!("#include <{header}>\n#include <{header}>\n"))?;
        for (compiler, language, standard) in [
            (Peer::CC, "c", "c99"),
            (Peer::CC, "c", "c17"),
            (Peer::CXX, "c++", "c++98"),
            (Peer::CXX, "c++", "c++20"),
        ] {
            for includes in [&alone, &with_others] {
                let mut command = Command::new(compiler.find()?);
                command.args(["-x", language, &format!("-std={standard}"), "-fsyntax-only"]);
                command.args(["-Wall", "-Wextra", "-Werror"]);
                if *includes == alone {
                    command.arg("-Wpedantic");
                }
                command.args(includes).arg(&source);
                process::run(command, b"")?
                    .success()
                    .map_err(|why| why.while_doing(format!("{header}, {standard}")))?;
            }
        }
    }
    Ok(())
}

fn declarations(face: &Face) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let ours = face.prototypes(Whose::Own, folder.path())?;
    let theirs = face.prototypes(Whose::Original, folder.path())?;
    assert!(ours.len() > 40, "{ours:#?}");
    same(&ours.join("\n"), &theirs.join("\n"))
}

/// One program about layouts and constants, compiled with each one's headers: it prints the same.
fn layouts(face: &Face) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let names = |constants: Vec<(String, String)>| constants.into_iter().map(|(name, _)| name);
    let theirs = face.constants(Whose::Original, folder.path())?;
    let ours = face.constants(Whose::Own, folder.path())?;
    assert!(names(ours).eq(names(theirs.clone())), "the names of constants differ");
    let mut rows = String::new();
    for (name, value) in &theirs {
        let how = match value {
            // Objects have a scenario of their own.
            _ if value.contains("local_login_user") || name == "GSS_C_EMPTY_BUFFER" => continue,
            _ if name.contains("_NT_") || value.contains("_oid_desc") => "_OID",
            _ if value.starts_with('"') => "_TEXT",
            _ => "",
        };
        rows.push_str(&format!("SHOW{how}({name})\n"));
    }
    fs::write(folder.path().join("constants.h"), rows)?;
    let mut said = Vec::new();
    for whose in Whose::ALL {
        let layout = face.compile("layout", whose, Kind::Pie, folder.path(), &[])?;
        said.push(face.run(whose, Command::new(layout))?.stdout);
    }
    let [theirs, ours] = &said[..] else { return Err("two makers were asked".into()) };
    assert!(theirs.contains("GSS_S_NAME_NOT_MN: ") && theirs.contains(", 120000"), "{theirs}");
    same(ours, theirs)
}

/// A program built with one's headers and library prints on both what one of the original's prints on the original.
fn program(face: &Face, kind: Kind, headers: Whose) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("krb5.conf"),
        "[libdefaults]\n\tdefault_realm = PROGRAM.TEST\n\tdns_canonicalize_hostname = false\n\trdns = false\n\
         [domain_realm]\n\tlocalhost = PROGRAM.TEST\n",
    )?;
    let opener = face.compile("opener", Whose::Original, Kind::Pie, folder.path(), &[])?;
    let on = |whose: Whose, built: &Path| -> Result<Finished, Failure> {
        let mut command = if kind == Kind::Shared {
            let mut command = Command::new(&opener);
            command.arg(built);
            command
        } else {
            Command::new(built)
        };
        command.env_clear().env("KRB5_CONFIG", folder.path().join("krb5.conf"));
        command.env("SHISHI_CONFIG", folder.path().join("none")).env("HOME", folder.path());
        face.run(whose, command)
    };
    let compile = |headers: Whose| face.compile("program", headers, kind, folder.path(), &[]);
    let theirs = on(Whose::Original, &compile(Whose::Original)?)?.says("alice")?;
    let built = compile(headers)?;
    for whose in Whose::ALL {
        let said = on(whose, &built)?;
        same(&said.stdout, &theirs.stdout).map_err(|why| why.while_doing(format!("on {whose:?}")))?;
    }
    Ok(())
}

/// Fails with the first line in which two texts differ.
fn same(ours: &str, theirs: &str) -> Result<(), Failure> {
    let mut lines = ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs);
    match lines.next() {
        Some((ours, theirs)) => {
            Err(Failure::new(format!("ours says `{ours}`, the original's says `{theirs}`")))
        }
        None if ours.len() != theirs.len() => Err("one of the two says more".into()),
        None => Ok(()),
    }
}

/// Clang on a file of this language that includes what is named, with our headers alone.
fn clang(face: &Face, source: &Path, options: &[&str]) -> Result<Finished, Failure> {
    let mut command = Command::new(Peer::CLANG.find()?);
    command.args(["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]).args(options);
    command.arg("-I").arg(face.built()?.join("include")).arg(source);
    process::run(command, b"")
}

/// Where one pointer of a header says whether it may be null, all must.
fn nullability(face: &Face) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("null.c");
    let included = face.headers.iter().chain(FRAMEWORK).map(|header| format!("#include <{header}>\n"));
    fs::write(&source, included.collect::<String>())?;
    for language in ["c", "c++", "objective-c"] {
        clang(face, &source, &["-x", language, "-Wnullability-completeness"])?
            .success()
            .map_err(|why| why.while_doing(language))?;
    }
    // As Apple's declaration has it: these must be there, and null is refused where a compiler can see it.
    let refused = "OM_uint32 f(gss_name_t name)\n{\n\
         return gss_init_sec_context(NULL, 0, 0, name, 0, 0, 0, 0, 0, 0, 0, 0, 0);\n}\n";
    fs::write(&source, format!("#include <GSS/GSS.h>\n{refused}"))?;
    let said = clang(face, &source, &[])?;
    assert_eq!(said.stderr.matches("null passed to a callee that requires a non-null argument").count(), 3);
    Ok(())
}

/// `@import GSS`, and the same header by `#include` where modules are on.
fn modules(face: &Face) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let cache = format!("-fmodules-cache-path={}", folder.path().join("modules").display());
    let body = "OM_uint32 f(gss_ctx_id_t *context, gss_buffer_t token)\n{\n\
         OM_uint32 minor;\nreturn gss_delete_sec_context(&minor, context, token);\n}\n";
    for (name, first) in [("import.m", "@import GSS;\n"), ("include.c", "#include <GSS/GSS.h>\n")] {
        let source = folder.path().join(name);
        fs::write(&source, format!("{first}{body}"))?;
        clang(face, &source, &["-fmodules", &cache])?.success().map_err(|why| why.while_doing(name))?;
    }
    Ok(())
}

/// pkg-config and `krb5-config` name the folder that the face lies in, wherever it was copied.
fn answers(face: &Face) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let moved = folder.path().join("moved");
    let mut copy = Command::new("cp");
    copy.arg("-R").arg(face.built()?).arg(&moved);
    process::run(copy, b"")?.success()?;
    let (include, lib) = (format!("-I{}/include", moved.display()), format!("-L{}/lib", moved.display()));
    let library = format!("-l{}", face.link);
    for package in face.packages {
        let mut command = Command::new(Peer::PKG_CONFIG.find()?);
        command.env("PKG_CONFIG_PATH", moved.join("lib/pkgconfig"));
        let said = ask(command, &["--cflags", "--libs", package])?.success()?.stdout;
        assert_eq!(real(&said), real(&format!("{include} {lib} {library}")), "{package}");
    }
    let script = moved.join("bin/krb5-config");
    assert_eq!(script.exists(), face.vendor.is_some());
    let Some(vendor) = face.vendor else { return Ok(()) };
    let config = |words: &[&str]| ask(Command::new(&script), words);
    for (words, answer) in [
        (&["--cflags", "gssapi"][..], include.clone()),
        (&["--libs", "gssapi"], format!("{lib} {library}")),
        (&["--cflags", "--libs", "gssapi"], format!("{include} {lib} {library}")),
        (&["--vendor"], vendor.to_owned()),
        (&["--prefix"], moved.display().to_string()),
    ] {
        assert_eq!(config(words)?.success()?.stdout.trim_end(), answer, "{words:?}");
    }
    let version = config(&["--version"])?.success()?.stdout;
    assert!(["Kerberos 5 release ", "heimdal "].iter().any(|start| version.starts_with(start)), "{version}");
    assert!(config(&["--libs", "kadm-client"])?.success().is_err(), "no library of kadmin is here");
    assert!(config(&[])?.success().is_err());
    Ok(())
}

fn ask(mut command: Command, words: &[&str]) -> Result<Finished, Failure> {
    command.args(words);
    process::run(command, b"")
}

/// The words of an answer, whatever is between them, with `lib/pkgconfig/../..` left out.
fn real(answer: &str) -> Vec<String> {
    answer.split_whitespace().map(|word| word.replace("/lib/pkgconfig/../..", "")).collect()
}
