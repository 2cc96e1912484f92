//! Wrong arguments to our C library, from C and from C++, under tools that see what goes wrong in memory; and many
//! contexts, which leave nothing behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use interop::c_library::{Kind, Maker, NEEDS, counting};
use interop::faces::{MIT, Whose};
use interop::peers::Peer;
use interop::process::{PATIENCE, Running};
use interop::{Failure, Finished, Realm, Scenario, Side, process};

/// How a program is compiled and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    C,
    Cpp,
    CppAddressSanitizer,
    AddressSanitizer,
    Valgrind,
}

/// The programs, and what each would find.
const PROGRAMS: [(&str, &str); 3] = [
    ("arguments", "a_wrong_one_is_taken_or_costs_memory"),
    ("rows", "a_call_answers_something_else_than_documented"),
    ("hostile", "changed_or_foreign_octets_are_taken_or_leave_something"),
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let realm = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::KINIT];
    let mut list = Vec::new();
    for (how, more) in
        [(How::C, &[][..]), (How::Cpp, &[]), (How::AddressSanitizer, &[]), (How::Valgrind, &[Peer::VALGRIND])]
    {
        let needs = [NEEDS, realm, more].concat();
        for (program, what) in PROGRAMS {
            let name = format!("c_arguments::{what}_{how:?}").to_lowercase();
            list.push(Scenario::new(name, &needs, move || wrong(program, how)));
        }
    }
    // As C, and without a tool, it runs in `c_programs`.
    for (how, more) in [
        (How::Cpp, &[][..]),
        (How::CppAddressSanitizer, &[]),
        (How::AddressSanitizer, &[]),
        (How::Valgrind, &[Peer::VALGRIND]),
    ] {
        let name = format!("c_arguments::what_only_we_have_costs_memory_{how:?}").to_lowercase();
        list.push(Scenario::new(name, &[NEEDS, realm, more].concat(), move || wrong("extensions", how)));
    }
    let needs = [NEEDS, realm].concat();
    list.push(Scenario::new("c_arguments::memory_or_descriptors_grow_with_contexts", &needs, soak));
    list
}

/// So many contexts as `ORTHROS_SOAK` says, else few enough for every run.
fn soak() -> Result<(), Failure> {
    let realm = realm()?;
    let program = interop::c_library::compile("soak", Maker::Own, Kind::Pie, realm.folder())?;
    let mut command = realm.command(&program);
    let contexts = std::env::var("ORTHROS_SOAK").unwrap_or_else(|_| "4000".to_owned());
    command.args(["host@localhost", &contexts]).envs([counting()?]);
    nothing_lives(Running::start(command)?.finish(PATIENCE * 10)?)
}

fn realm() -> Result<Realm, Failure> {
    let realm = Realm::build("ARGUMENTS.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    Ok(realm)
}

fn compile(name: &str, how: How, folder: &Path) -> Result<PathBuf, Failure> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("c").join(name).with_extension("c");
    let program = folder.join(name);
    let (compiler, language, standard) = match how {
        How::Cpp | How::CppAddressSanitizer => (Peer::CXX, "c++", "-std=gnu++17"),
        _ => (Peer::CC, "c", "-std=gnu11"),
    };
    let mut command = Command::new(compiler.find()?);
    command.args([standard, "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"]);
    if matches!(how, How::AddressSanitizer | How::CppAddressSanitizer) {
        command.arg("-fsanitize=address");
    }
    command.args(["-x", language]).args(MIT.includes(Whose::Own)?).arg(source).args(["-x", "none", "-o"]);
    command.arg(&program).arg(Maker::Own.library()?);
    process::run(command, b"")?.success()?;
    Ok(program)
}

fn wrong(name: &str, how: How) -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile(name, how, realm.folder())?;
    let mut command = if how == How::Valgrind {
        let mut command = realm.command(&Peer::VALGRIND.find()?);
        // What the process keeps until its end (caches, tables) is reachable; only what is lost is a leak.
        command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        command.args(["--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"]);
        command.arg(&program);
        command
    } else {
        realm.command(&program)
    };
    command.arg("host@localhost").envs([counting()?]);
    if name == "extensions" {
        command.arg(realm.port.to_string());
    }
    if name == "hostile" {
        // Under valgrind one change of an octet has to do.
        command.arg(if how == How::Valgrind { "1" } else { "8" });
        let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
        for entry in fs::read_dir(corpora)? {
            command.arg(entry?.path());
        }
    }
    nothing_lives(Running::start(command)?.finish(PATIENCE * 5)?)
}

/// All held, and no context, credential or name is left.
fn nothing_lives(finished: Finished) -> Result<(), Failure> {
    finished.success()?.says("all held")?.says("live handles: 0").map(drop)
}
