//! The manual pages that the C library answers to, sentence by sentence: `c/manual/sentences.txt` lists the sentences, the
//! line of code that keeps each and where, and `c/manual.c` checks them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use interop::faces::{Face, GNU, HEIMDAL, Kind, MIT, Whose};
use interop::peers::Peer;
use interop::{Failure, Finished, Realm, Scenario, Side, process};

/// The headers that manual pages name, for each face.
static MANUALS: [(&Face, &str); 7] = [
    (&MIT, "gssapi.h"),
    (&MIT, "GSS/GSS.h"),
    (&HEIMDAL, "gssapi.h"),
    (&HEIMDAL, "GSS/GSS.h"),
    (&GNU, "gss.h"),
    (&GNU, "gssapi.h"),
    (&GNU, "GSS/GSS.h"),
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list =
        vec![Scenario::new("c_manual::a_sentence_is_kept_by_no_line", &[], || kept_by(&sentences()?))];
    for (face, header) in MANUALS {
        let needs = [face.needs, Peer::MIT_REALM, &[Peer::KINIT]].concat();
        let plain = header.trim_end_matches(".h").replace('/', "_").to_lowercase();
        let name = format!("c_manual::{}_pages_of_{plain}_say_something_else", face.name);
        list.push(Scenario::new(name, &needs, move || manual(face, header)));
    }
    list
}

/// A sentence of a page that the library keeps.
struct Sentence {
    number: String,
    /// Names of faces, or `all`.
    faces: String,
    /// The file of the code that keeps it, from the workspace's root.
    file: String,
    /// Words of the line there.
    line: String,
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The sentences that bind the library.
fn sentences() -> Result<Vec<Sentence>, Failure> {
    let text = fs::read_to_string(workspace().join("interop/c/manual/sentences.txt"))?;
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut list = Vec::new();
    for row in rows {
        let &[number, faces, keeps, words] = &row.split(" | ").collect::<Vec<_>>()[..] else {
            return Err(format!("not four columns: {row}").into());
        };
        if number.is_empty() || words.is_empty() {
            return Err(format!("a sentence without number or words: {row}").into());
        }
        if faces == "caller" {
            continue;
        }
        let (file, line) = keeps.split_once(": ").ok_or_else(|| format!("no line keeps it: {row}"))?;
        let [number, faces, file, line] = [number, faces, file, line].map(str::to_owned);
        list.push(Sentence { number, faces, file, line });
    }
    Ok(list)
}

/// Each line that is said to keep a sentence is there.
fn kept_by(sentences: &[Sentence]) -> Result<(), Failure> {
    let numbers: BTreeSet<&str> = sentences.iter().map(|sentence| sentence.number.as_str()).collect();
    assert_eq!(numbers.len(), sentences.len(), "a number stands twice");
    for sentence in sentences {
        let code = fs::read_to_string(workspace().join(&sentence.file))
            .map_err(|error| Failure::from(error).while_doing(&sentence.file))?;
        assert!(
            code.lines().any(|line| line.contains(&sentence.line)),
            "{}: {} has no line with {}",
            sentence.number,
            sentence.file,
            sentence.line
        );
    }
    Ok(())
}

/// A program in C and in C++ finds what the pages describe, by the header that they name.
fn manual(face: &Face, header: &str) -> Result<(), Failure> {
    let realm = Realm::build("MANUAL.TEST")
        .principal("alice", "wonderland")
        .principal("bob", "builder")
        .service("host/localhost")
        .service("other/localhost")
        .start(Side::Mit)?;
    let bobs = format!("FILE:{}", realm.folder().join("bobs").display());
    realm.kinit(Side::Mit, "bob", &["-c", &bobs])?;
    let define = format!("-DHEADER=<{header}>");
    for compiler in [Peer::CC, Peer::CXX] {
        // With its ticket-granting ticket alone, so that the first context has to ask the KDC.
        realm.kinit(Side::Mit, "alice", &["-f"])?;
        let language = if compiler == Peer::CC { "c" } else { "c++" };
        let mut options = vec![define.as_str(), "-x", language];
        // The page of Apple's framework names a call that GNU has not.
        if face.name != GNU.name {
            options.push("-DHAS_OPTIONS");
        }
        let built = face.build(compiler, "manual", Whose::Own, Kind::Pie, realm.folder(), &options)?;
        let folder = realm.folder().join(language);
        fs::create_dir(&folder)?;
        let mut command = realm.command(&built);
        command.arg(&folder).arg(&bobs).envs(face.environment(Whose::Own)?);
        shown(face, process::run(command, b"")?)?;
    }
    Ok(())
}

/// Every sentence had a check that ran and held, and every check has a sentence.
fn shown(face: &Face, finished: Finished) -> Result<(), Failure> {
    let failed: Vec<&str> =
        finished.stdout.lines().filter(|line| line.starts_with("does not hold")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let finished = finished.success()?.says("every sentence holds")?;
    let shown: BTreeSet<&str> =
        finished.stdout.lines().filter_map(|line| line.strip_prefix("holds: ")).collect();
    let sentences = sentences()?;
    let told: BTreeSet<&str> = sentences
        .iter()
        .filter(|sentence| sentence.faces == "all" || sentence.faces.split(' ').any(|name| name == face.name))
        .map(|sentence| sentence.number.as_str())
        .collect();
    let unshown: Vec<_> = told.difference(&shown).collect();
    assert!(unshown.is_empty(), "no check ran for {unshown:?}");
    let unknown: Vec<_> = shown.difference(&told).collect();
    assert!(unknown.is_empty(), "sentences.txt has no sentence {unknown:?}");
    Ok(())
}
