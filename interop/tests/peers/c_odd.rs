//! Callers of our C library in odd states: no files, few descriptors, none of the standard ones, unloaded, amid `exit` and
//! `fork`, set-user-id, confined as sshd's child, without `/etc`, in another language, with MIT's library beside.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use interop::c_library::{Kind, Maker, NEEDS, compile, compile_with};
use interop::peers::Peer;
use interop::process::{self, PATIENCE, Running};
use interop::{Failure, Finished, Realm, Scenario, Side};

const REALM: &[Peer] = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::KINIT];

/// An account without rights.
const NOBODY: u32 = 65534;

/// What `c/odd.c` is asked for, and what would go wrong.
const STATES: [(&str, &str); 6] = [
    ("files", "a_caller_that_may_write_no_file_is_ended"),
    ("few", "a_caller_with_few_descriptors_is_ended_or_lamed"),
    ("closed", "a_file_of_the_library_takes_a_standard_descriptor"),
    ("exits", "exit_amid_calls_crashes"),
    ("forks", "a_child_of_a_threaded_parent_hangs_or_has_no_context"),
    ("seccomp", "a_confined_caller_is_ended"),
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let needs = [NEEDS, REALM].concat();
    let mut list = Vec::new();
    for (state, what) in STATES {
        list.push(Scenario::new(format!("c_odd::{what}"), &needs, move || odd(state)));
    }
    list.push(Scenario::new("c_odd::a_library_that_was_unloaded_is_gone", &needs, unloaded));
    list.push(Scenario::new("c_odd::two_libraries_in_one_process_meet", &needs, beside));
    let turkish = [&needs[..], &[Peer::LOCALEDEF, Peer::TURKISH]].concat();
    list.push(Scenario::new("c_odd::letters_follow_the_locale", &turkish, in_turkish));
    list.push(Scenario::new("c_odd::without_etc_a_caller_is_ended", &needs, jailed).as_root());
    list.push(
        Scenario::new("c_odd::a_set_user_id_program_heeds_its_environment", &needs, set_user_id).as_root(),
    );
    list
}

fn realm() -> Result<Realm, Failure> {
    let realm = Realm::build("ODD.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    Ok(realm)
}

/// `odd` with these words, on our library.
fn run(realm: &Realm, program: &Path, words: &[&str]) -> Result<Finished, Failure> {
    let mut command = realm.command(program);
    let [state, more @ ..] = words else { return Err("no state is named".into()) };
    command.arg(state).arg("host@localhost").args(more).envs(Maker::Own.environment()?);
    Running::start(command)?.finish(PATIENCE * 3)
}

fn odd(state: &str) -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("odd", Maker::Own, Kind::Pie, realm.folder())?;
    run(&realm, &program, &[state])?.success()?.says("all held").map(drop)
}

/// A program that opens the library by its path, again and again. It is linked with MIT's, so that ours is not there before.
fn unloaded() -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("odd", Maker::Mit, Kind::Pie, realm.folder())?;
    let library = Maker::Own.library()?.display().to_string();
    let mut command = realm.command(&program);
    command.args(["unload", "host@localhost", &library]).envs(Maker::Mit.environment()?);
    process::run(command, b"")?.success()?.says("all held").map(drop)
}

fn beside() -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("odd", Maker::Own, Kind::Pie, realm.folder())?;
    let library = Maker::Mit.library()?.display().to_string();
    run(&realm, &program, &["both", &library])?.success()?.says("all held").map(drop)
}

fn in_turkish() -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("odd", Maker::Own, Kind::Pie, realm.folder())?;
    let mut command = Command::new(Peer::LOCALEDEF.find()?);
    command.args(["--inputfile=tr_TR", "--charmap=UTF-8"]).arg(realm.folder().join("tr_TR.UTF-8"));
    process::run(command, b"")?.success()?;
    let mut command = realm.command(&program);
    command.args(["turkish", "host@localhost"]).envs(Maker::Own.environment()?);
    command.env("LOCPATH", realm.folder()).env("LC_ALL", "tr_TR.UTF-8");
    process::run(command, b"")?.success()?.says("all held").map(drop)
}

fn jailed() -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("odd", Maker::Own, Kind::Pie, realm.folder())?;
    let empty = tempfile::tempdir()?;
    run(&realm, &program, &["chroots", &empty.path().display().to_string()])?
        .success()?
        .says("all held")
        .map(drop)
}

/// The same program, run as an account and as a program that is set to that account's: what the one heeds, the other must
/// not. All that the environment names can be read by the account.
fn set_user_id() -> Result<(), Failure> {
    let realm = realm()?;
    let public = tempfile::tempdir()?;
    let place = public.path();
    fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    let library = Maker::Own.library()?;
    let name = library.file_name().ok_or("a library without a name")?;
    fs::copy(&library, place.join(name))?;
    let path = format!("-Wl,-rpath,{}", place.display());
    let built = compile_with("odd", Maker::Own, Kind::Pie, realm.folder(), &[&path])?;
    let mut names = Vec::new();
    for (variable, prefix, file) in [
        ("KRB5_CONFIG", "", "krb5.conf"),
        ("KRB5CCNAME", "FILE:", "ccache"),
        ("KRB5_KTNAME", "FILE:", "keytab"),
    ] {
        let copy = place.join(file);
        fs::copy(realm.folder().join(file), &copy)?;
        chown(&copy, Some(NOBODY), None)?;
        names.push((variable, format!("{prefix}{}", copy.display())));
    }
    let folder = place.join("nobodys");
    fs::create_dir(&folder)?;
    chown(&folder, Some(NOBODY), None)?;
    let heeded = |program: &Path, trace: &Path, plain: bool| -> Result<String, Failure> {
        let mut command = realm.command(program);
        command.args(["environment", "host@localhost", "more"]).envs(names.clone());
        command.env("KRB5_TRACE", trace).env("HOME", &folder).env("TMPDIR", &folder).current_dir(place);
        command.env("KRB5RCACHEDIR", &folder).env("XDG_RUNTIME_DIR", &folder);
        if plain {
            command.uid(NOBODY);
        }
        Ok(process::run(command, b"")?.success()?.says("all held")?.stdout)
    };
    let (plain, set) = (place.join("plain"), place.join("set"));
    for (copy, mode) in [(&plain, 0o755), (&set, 0o4755)] {
        fs::copy(&built, copy)?;
        chown(copy, Some(NOBODY), None)?;
        fs::set_permissions(copy, fs::Permissions::from_mode(mode))?;
    }
    for (program, is_plain) in [(&plain, true), (&set, false)] {
        let trace = folder.join(if is_plain { "plain-trace" } else { "set-trace" });
        let told = heeded(program, &trace, is_plain)?;
        assert_eq!(told.contains("secure: 0"), is_plain, "{told}");
        for variable in ["KRB5_CONFIG", "KRB5CCNAME", "KRB5_KTNAME", "ORTHROS_TRANSFER"] {
            let line = format!("{variable}: {}", i32::from(is_plain));
            assert!(told.contains(&line), "{line}: {told}");
        }
        assert_eq!(trace.exists(), is_plain, "KRB5_TRACE");
    }
    Ok(())
}
