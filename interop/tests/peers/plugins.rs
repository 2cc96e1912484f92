//! Mechanisms of others as plug-ins of our C library, and of MIT's for comparison: one that only tests have, and NTLM.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use interop::c_library::NEEDS;
use interop::faces::{Face, GNU, HEIMDAL, Kind, MIT, Whose};
use interop::peers::Peer;
use interop::process::{self, PATIENCE, Running};
use interop::realm::on_free_port;
use interop::sample;
use interop::{Failure, Finished, Realm, Scenario, Side};
use tempfile::TempDir;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let ntlm = [Peer::CC, Peer::C_HEADERS, Peer::MIT_GSS, Peer::NTLMSSP, Peer::WBCLIENT];
    let faces = [NEEDS, HEIMDAL.needs, GNU.needs].concat();
    let mut list = vec![
        Scenario::new("plugins::a_call_is_led_elsewhere_than_by_mits_library", NEEDS, every_call),
        Scenario::new("plugins::a_mechanism_with_few_functions_is_called_by_others", NEEDS, few_functions),
        Scenario::new("plugins::what_is_not_loaded_is_not_told", NEEDS, refused),
        Scenario::new("plugins::the_face_of_heimdal_does_what_ends_its_processes", &faces, other_faces),
        Scenario::new("plugins::a_list_without_a_line_calls_the_dynamic_linker", NEEDS, nothing_listed),
        Scenario::new("plugins::memory_of_a_plug_in_is_lost", &[NEEDS, &[Peer::VALGRIND]].concat(), memory),
        Scenario::new("plugins::ntlm_with_a_wrong_password_comes_up", &ntlm, wrong_password),
    ];
    let both = [&ntlm[..], Peer::MIT_REALM, &[Peer::KINIT]].concat();
    list.push(Scenario::new("plugins::a_credential_is_for_kerberos_or_for_ntlm", &both, both_mechanisms));
    for (initiator, acceptor) in [
        (Whose::Original, Whose::Original),
        (Whose::Own, Whose::Own),
        (Whose::Own, Whose::Original),
        (Whose::Original, Whose::Own),
    ] {
        let name =
            |what: &str| format!("plugins::{what}_of_{initiator:?}_fails_with_{acceptor:?}").to_lowercase();
        list.push(Scenario::new(name("ntlm"), &ntlm, move || ntlm_between(initiator, acceptor, "-ntlm")));
        let negotiated = move || ntlm_between(initiator, acceptor, "-spnego");
        list.push(Scenario::new(name("negotiated_ntlm"), &ntlm, negotiated));
        let second = move || second_choice(initiator, acceptor);
        list.push(Scenario::new(name("ntlm_as_the_second_choice"), &both, second));
    }
    list.push(Scenario::new("plugins::an_acceptor_without_ntlm_does_not_say_so", &both, without_ntlm));
    list
}

/// The identifier of the mechanism in `c/mechanism.c`.
const TEST: &str = "1.2.3.4.5";

/// Compiles the mechanism for tests and lists it; the list.
fn listed(folder: &Path, options: &[&str], kind: &str) -> Result<std::path::PathBuf, Failure> {
    // Its functions call each other, and not those of the same names that the library has.
    let options = [&["-Wl,-Bsymbolic"], options].concat();
    let mechanism = MIT.compile("mechanism", Whose::Original, Kind::Shared, folder, &options)?;
    list(folder, &format!("test {TEST} {} {kind}", mechanism.display()))
}

fn list(folder: &Path, lines: &str) -> Result<std::path::PathBuf, Failure> {
    let list = folder.join("mech");
    fs::write(&list, format!("# Mechanisms\n{lines}\n"))?;
    Ok(list)
}

/// Runs `c/plugins.c` on a library with the plug-ins of a list.
fn run(whose: Whose, folder: &Path, list: &Path, arguments: &[&str]) -> Result<Finished, Failure> {
    let program = MIT.compile("plugins", Whose::Original, Kind::Pie, folder, &[])?;
    let mut command = Command::new(program);
    command.args(arguments).envs(environment(folder, list));
    MIT.run(whose, command)
}

fn environment(folder: &Path, list: &Path) -> [(&'static str, std::ffi::OsString); 5] {
    [
        ("KRB5_CONFIG", "/dev/null".into()),
        ("KRB5CCNAME", folder.join("no-cache").into()),
        ("KRB5_KTNAME", folder.join("no-keytab").into()),
        ("KRB5_TRACE", folder.join("trace").into()),
        ("GSS_MECH_CONFIG", list.into()),
    ]
}

/// ssh closes the descriptor to which the dynamic linker writes under `LD_DEBUG`, and uses its number again.
fn nothing_listed() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let list = list(folder.path(), "")?;
    let program = MIT.compile("plugins", Whose::Original, Kind::Pie, folder.path(), &[])?;
    let mut command = Command::new(program);
    command.arg("few").envs(environment(folder.path(), &list));
    let told = folder.path().join("linker");
    command.env("LD_DEBUG", "files").env("LD_DEBUG_OUTPUT", &told);
    MIT.run(Whose::Own, command)?.success()?;
    let told = fs::read_dir(folder.path())?
        .flatten()
        .find(|entry| entry.file_name().as_encoded_bytes().starts_with(b"linker."))
        .ok_or("the dynamic linker told nothing")?;
    let told = fs::read_to_string(told.path())?;
    let (before, after) = told.split_once("transferring control").ok_or("the program never began")?;
    assert!(before.contains("generating link map"), "{before}");
    let opened: Vec<&str> = after.lines().filter(|line| line.contains("file=")).collect();
    assert!(opened.is_empty(), "{opened:?}");
    Ok(())
}

fn compared(list: &Path, folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let [theirs, ours] = [Whose::Original, Whose::Own].map(|whose| run(whose, folder, list, arguments));
    let (theirs, ours) = (theirs?.success()?, ours?.success()?);
    assert!(theirs.stdout.contains("  it is among them"), "{theirs:?}");
    assert_eq!(theirs.stdout, ours.stdout);
    Ok(())
}

fn every_call() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let list = listed(folder.path(), &[], "")?;
    compared(&list, folder.path(), &[])?;
    let trace = fs::read_to_string(folder.path().join("trace"))?;
    assert!(trace.contains("Mechanism test: loaded from "), "{trace}");
    Ok(())
}

fn few_functions() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let list = listed(folder.path(), &["-DLACKING"], "")?;
    compared(&list, folder.path(), &["few"])
}

/// An interposer, a file that is not there, one that is no mechanism, a line that says nothing: the trace tells each, the
/// mechanism is not there, and who asks for it is told why.
fn refused() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let interposer = listed(folder.path(), &[], "<interposer>")?;
    let rows = [
        (fs::read_to_string(interposer)?, "interposers are refused"),
        (format!("test {TEST} /nowhere/test.so"), "/nowhere/test.so: cannot open shared object file"),
        (format!("test {TEST} relative.so"), "lib/gss/relative.so: cannot open shared object file"),
        (format!("test {TEST} libm.so.6"), "cannot open shared object file"),
        (format!("test {TEST} {}", machine_library()?), "it has no function of the GSS-API"),
        (format!("test {TEST}"), "line 2: not loaded from"),
        (
            "krb5 1.2.840.113554.1.2.2 /nowhere/krb5.so".to_owned(),
            "there is a mechanism of this identifier already",
        ),
    ];
    for (lines, why) in rows {
        let trace = folder.path().join("trace");
        let _ = fs::remove_file(&trace);
        let list = list(folder.path(), &lines)?;
        let said = run(Whose::Own, folder.path(), &list, &["few"])?.success()?;
        assert!(!said.stdout.contains("it is among them"), "{lines}: {said:?}");
        assert!(said.stdout.contains("gss_init_sec_context: 00010000\n"), "GSS_S_BAD_MECH: {said:?}");
        let trace = fs::read_to_string(trace)?;
        assert!(trace.contains(why), "{lines}: {trace}");
    }
    Ok(())
}

/// Heimdal's library reads `/etc/gss/mech` too. A mechanism for MIT krb5's is not for it: it calls functions of other
/// libraries with the mechanism's objects. Those in its place, and in GNU's, load none and say so.
fn other_faces() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let list = listed(folder.path(), &[], "-")?;
    let config = folder.path().join("krb5.conf");
    fs::write(
        &config,
        "[libdefaults]\n\tdefault_realm = PLUGINS.TEST\n\tdns_canonicalize_hostname = false\n",
    )?;
    let on = |face: &Face, whose: Whose, program: &Path, shim: Option<&Path>| -> Result<Finished, Failure> {
        let mut command = Command::new(program);
        command.envs(environment(folder.path(), &list)).envs(face.environment(whose)?);
        command.env("KRB5_CONFIG", &config).env("SHISHI_CONFIG", folder.path().join("none"));
        command.envs(shim.map(|shim| ("LD_PRELOAD", shim))).env("MECH_LIST", &list);
        process::run(command, b"")
    };
    // Heimdal's has no variable for the list.
    let shim = HEIMDAL.compile("mech_list", Whose::Original, Kind::Shared, folder.path(), &[])?;
    let program = |face: &Face| face.compile("program", Whose::Original, Kind::Pie, folder.path(), &[]);
    let heimdals = program(&HEIMDAL)?;
    on(&HEIMDAL, Whose::Original, &heimdals, None)?.success()?;
    let ended = on(&HEIMDAL, Whose::Original, &heimdals, Some(&shim))?;
    assert_ne!(ended.status.signal(), None, "{ended:?}");
    for (face, program) in [(&HEIMDAL, heimdals), (&GNU, program(&GNU)?)] {
        let trace = folder.path().join("trace");
        let _ = fs::remove_file(&trace);
        on(face, Whose::Own, &program, None)?.success()?;
        let trace = fs::read_to_string(trace)?;
        let why = "only the library that stands in for MIT krb5's loads mechanisms";
        assert!(trace.contains(why), "{}: {trace}", face.name);
    }
    Ok(())
}

/// A library that every machine has.
fn machine_library() -> Result<String, Failure> {
    let beside = Peer::MIT_GSS.find()?;
    let folder = beside.parent().ok_or("a library without a folder")?;
    Ok(folder.join("libresolv.so.2").display().to_string())
}

fn memory() -> Result<(), Failure> {
    let folder = TempDir::new()?;
    let list = listed(folder.path(), &[], "")?;
    let program = MIT.compile("plugins", Whose::Original, Kind::Pie, folder.path(), &[])?;
    let mut command = Command::new(Peer::VALGRIND.find()?);
    command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]).arg(program);
    command.envs(environment(folder.path(), &list)).envs(MIT.environment(Whose::Own)?);
    Running::start(command)?.finish(PATIENCE * 6)?.success()?;
    Ok(())
}

/// A list with NTLM, and whom it knows.
struct Ntlm {
    folder: TempDir,
    list: std::path::PathBuf,
}

impl Ntlm {
    fn new() -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let plugin = Peer::NTLMSSP.find()?;
        let list =
            list(folder.path(), &format!("gssntlmssp_v1\t1.3.6.1.4.1.311.2.2.10\t\t{}", plugin.display()))?;
        Ok(Self { folder, list })
    }

    /// An end of the sample, whose users' file has this password.
    fn end(&self, whose: Whose, password: &str, words: &[&str]) -> Result<Command, Failure> {
        let users = self.folder.path().join(format!("users-{password}"));
        fs::write(&users, format!("TEST:alice:{password}\n"))?;
        let mut command = Command::new(sample::program()?);
        command.arg(MIT.library(whose)?).args(words);
        command.envs(environment(self.folder.path(), &self.list)).env("NTLM_USER_FILE", users);
        Ok(command)
    }

    /// The users' file of those who have no password of their own here.
    fn users(&self) -> std::path::PathBuf {
        self.folder.path().join("users")
    }

    fn serve(&self, whose: Whose) -> Result<(Running, u16), Failure> {
        on_free_port(|port| {
            let words = ["server", "-port", &port.to_string(), "-export", "host@localhost"];
            let mut process = Running::start(self.end(whose, "wonderland", &words)?)?;
            process.wait_for("starting...", PATIENCE)?;
            Ok(process)
        })
    }

    fn initiate(&self, whose: Whose, password: &str, port: u16, more: &[&str]) -> Result<Finished, Failure> {
        let port = port.to_string();
        let mut words = vec!["client", "-nomutual", "-port", &port];
        words.extend(more);
        words.extend(["host@localhost", "a message"]);
        process::run(self.end(whose, password, &words)?, b"")
    }
}

/// One credential of our library accepts both; each initiator gets its own mechanism.
fn both_mechanisms() -> Result<(), Failure> {
    let both = Both::new()?;
    let (mut server, port) = both.serve(Whose::Own, |_| ())?;
    let port = port.to_string();
    for (option, who) in
        [("-krb5", "alice@PLUGINS.TEST"), ("-ntlm", "TEST\\bob"), ("-spnego", "alice@PLUGINS.TEST")]
    {
        let words = ["client", option, "-nomutual", "-port", &port, "host@localhost", "a message"];
        process::run(both.end(Whose::Own, &words)?, b"")?.success()?.says("Signature verified.")?;
        server.wait_for(&format!("Accepted connection: \"{who}"), PATIENCE)?;
    }
    server.wait_for_times("alice@PLUGINS.TEST", 2, PATIENCE)
}

/// Sealed and signed messages and MICs between two libraries, over a context that has moved. Where it is negotiated there
/// is no credential for Kerberos, and the list of mechanisms is signed by NTLM, whose streams begin anew then.
fn ntlm_between(initiator: Whose, acceptor: Whose, mechanism: &str) -> Result<(), Failure> {
    let ntlm = Ntlm::new()?;
    let (mut server, port) = ntlm.serve(acceptor)?;
    for more in ["-verbose", "-nw", "-echo"] {
        let said = ntlm.initiate(initiator, "wonderland", port, &[mechanism, more])?.success()?;
        said.says(if more == "-echo" { "Echo received." } else { "Signature verified." })?;
    }
    server.wait_for("Accepted connection: \"TEST\\alice", PATIENCE)?;
    server.wait_for("Received message: \"a message\"", PATIENCE)?;
    Ok(())
}

fn wrong_password() -> Result<(), Failure> {
    let ntlm = Ntlm::new()?;
    let (mut server, port) = ntlm.serve(Whose::Own)?;
    for mechanism in ["-ntlm", "-spnego"] {
        let said = ntlm.initiate(Whose::Own, "redqueen", port, &[mechanism])?;
        assert!(!said.status.success(), "{said:?}");
    }
    server.wait_for_times("GSS-API error accepting context: gssntlmssp_v1: Invalid argument", 2, PATIENCE)
}

/// A realm whose user has a ticket, and NTLM beside it.
struct Both {
    realm: Realm,
    ntlm: Ntlm,
}

impl Both {
    fn new() -> Result<Self, Failure> {
        let realm = Realm::build("PLUGINS.TEST")
            .principal("alice", "pw")
            .service("host/localhost")
            .start(Side::Mit)?;
        realm.kinit(Side::Mit, "alice", &[])?;
        let ntlm = Ntlm::new()?;
        fs::write(ntlm.users(), "TEST:bob:wonderland\n")?;
        Ok(Self { realm, ntlm })
    }

    fn end(&self, whose: Whose, words: &[&str]) -> Result<Command, Failure> {
        let mut command = self.realm.command(sample::program()?);
        command.arg(MIT.library(whose)?).args(words);
        command.env("GSS_MECH_CONFIG", &self.ntlm.list).env("NTLM_USER_FILE", self.ntlm.users());
        Ok(command)
    }

    /// A server whose command was changed so.
    fn serve(&self, whose: Whose, change: impl Fn(&mut Command)) -> Result<(Running, u16), Failure> {
        on_free_port(|port| {
            let mut command = self.end(whose, &["server", "-port", &port.to_string(), "host@localhost"])?;
            change(&mut command);
            let mut process = Running::start(command)?;
            process.wait_for("starting...", PATIENCE)?;
            Ok(process)
        })
    }
}

/// The initiator prefers Kerberos, for which the acceptor has no key: it chooses NTLM, and the list is proved.
fn second_choice(initiator: Whose, acceptor: Whose) -> Result<(), Failure> {
    let both = Both::new()?;
    let (mut server, port) =
        both.serve(acceptor, |command| _ = command.env("KRB5_KTNAME", both.ntlm.folder.path().join("none")))?;
    let words = ["client", "-spnego", "-nomutual", "-port", &port.to_string(), "host@localhost", "a message"];
    process::run(both.end(initiator, &words)?, b"")?.success()?.says("Signature verified.")?;
    server.wait_for("Accepted connection: \"TEST\\bob", PATIENCE)?;
    Ok(())
}

/// The acceptor has Kerberos alone, and the initiator NTLM alone.
fn without_ntlm() -> Result<(), Failure> {
    let both = Both::new()?;
    let (mut server, port) =
        both.serve(Whose::Own, |command| _ = command.env("GSS_MECH_CONFIG", "/dev/null"))?;
    let said = both.ntlm.initiate(Whose::Own, "wonderland", port, &["-spnego"])?;
    assert!(!said.status.success(), "{said:?}");
    said.says("the peer ended the negotiation of a mechanism")?;
    server.wait_for(
        "none of the mechanisms that the initiator offers is supported here: 1.3.6.1.4.1.311.2.2.10",
        PATIENCE,
    )?;
    Ok(())
}
