//! Programs of others run on our C library, unchanged, on the one side, on the other, and on both: MIT's samples in all
//! their options, Python's binding, curl.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use interop::c_library::{Kind, Maker, NEEDS, compile, counting};
use interop::gss::SERVICE;
use interop::peers::Peer;
use interop::process::{self, PATIENCE, Running};
use interop::realm::on_free_port;
use interop::{Failure, Finished, Realm, Scenario, Side};

/// Who is on whose library: the initiator, the acceptor. That all of it holds on MIT's shows that it is no demand of ours.
pub(crate) const SIDES: [(Maker, Maker); 4] =
    [(Maker::Mit, Maker::Mit), (Maker::Own, Maker::Mit), (Maker::Mit, Maker::Own), (Maker::Own, Maker::Own)];

/// MIT's realm, samples and the compiler that links the library.
const SAMPLES: &[Peer] = &[
    Peer::KRB5KDC,
    Peer::KDB5_UTIL,
    Peer::KADMIN_LOCAL,
    Peer::KINIT,
    Peer::GSS_CLIENT,
    Peer::GSS_SERVER,
    Peer::STDBUF,
    Peer::CC,
];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    let python = [SAMPLES, &[Peer::PYTHON, Peer::PYTHON_GSSAPI]].concat();
    let curl = [&python[..], &[Peer::CURL]].concat();
    for (initiator, acceptor) in SIDES {
        let mut add = |what: &str, needs: &[Peer], body: fn(Maker, Maker) -> Result<(), Failure>| {
            let name =
                format!("c_programs::{what}_initiator_{initiator:?}_acceptor_{acceptor:?}").to_lowercase();
            list.push(Scenario::new(name, needs, move || body(initiator, acceptor)));
        };
        add("samples", SAMPLES, |initiator, acceptor| samples(initiator, acceptor, &[]));
        add("samples_exporting", SAMPLES, |initiator, acceptor| samples(initiator, acceptor, &["-export"]));
        add("samples_refused", SAMPLES, refusals);
        add("python", &python, conversation);
        add("curl", &curl, web);
    }
    let together = [SAMPLES, NEEDS].concat();
    for library in Maker::ALL {
        let name = format!("c_programs::together_with_libkrb5_on_{library:?}").to_lowercase();
        list.push(Scenario::new(name, &together, move || beside_libkrb5(library)));
    }
    list.push(Scenario::new("c_programs::what_only_orthros_has", &together, what_only_we_have));
    let handed = "c_programs::a_context_is_handed_to_another_account_and_to_no_third";
    list.push(Scenario::new(handed, &together, handed_over).as_root());
    list.push(Scenario::new("c_programs::krb5_trace_tells_what_our_library_does", SAMPLES, trace));
    list
}

fn realm() -> Result<Realm, Failure> {
    let realm = Realm::build("PROGRAMS.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .service("HTTP/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    Ok(realm)
}

/// `gss-server` on this library, when it listens.
fn server(library: Maker, realm: &Realm, options: &[&str]) -> Result<(Running, u16), Failure> {
    on_free_port(|port| {
        // It writes to a pipe, and would keep what it says in its buffer.
        let mut command = realm.command(&Peer::STDBUF.find()?);
        command.arg("-oL").arg(Peer::GSS_SERVER.find()?).args(["-port", &port.to_string(), "-verbose"]);
        command.args(options).arg(SERVICE).envs(library.environment()?);
        let mut process = Running::start(command)?;
        process.wait_for("starting...", PATIENCE)?;
        Ok(process)
    })
}

/// `gss-client` on this library, until it ends.
fn client(library: Maker, realm: &Realm, port: u16, options: &[&str]) -> Result<Finished, Failure> {
    let mut command = realm.command(&Peer::GSS_CLIENT.find()?);
    command.args(["-port", &port.to_string()]).args(options).args(["localhost", SERVICE, "a message"]);
    command.envs(library.environment()?);
    process::run(command, b"")
}

/// Every option of `gss-client`: what it is given, what the server must say of the context, and what not.
const OPTIONS: &[(&[&str], &str, &str)] = &[
    (&[], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5"], "GSS_C_MUTUAL_FLAG", "GSS_C_SEQUENCE_FLAG"),
    (&["-mech", "{ 1 2 840 113554 1 2 2 }"], "{ 1 2 840 113554 1 2 2 }", "GSS_C_SEQUENCE_FLAG"),
    (&["-spnego"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-d"], "GSS_C_DELEG_FLAG", "GSS_C_SEQUENCE_FLAG"),
    (&["-spnego", "-d"], "GSS_C_DELEG_FLAG", "GSS_C_SEQUENCE_FLAG"),
    (&["-krb5", "-seq"], "GSS_C_SEQUENCE_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-noreplay"], "GSS_C_MUTUAL_FLAG", "GSS_C_REPLAY_FLAG"),
    (&["-krb5", "-nomutual"], "GSS_C_REPLAY_FLAG", "GSS_C_MUTUAL_FLAG"),
    (&["-spnego", "-nomutual"], "GSS_C_REPLAY_FLAG", "GSS_C_MUTUAL_FLAG"),
    (&["-krb5", "-dce"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-spnego", "-dce"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-nx"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-nw"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-nm"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-nw", "-nx", "-nm"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-krb5", "-user", "alice", "-pass", "wonderland"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    (&["-spnego", "-user", "alice", "-pass", "wonderland"], "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
];

fn samples(initiator: Maker, acceptor: Maker, moved: &[&str]) -> Result<(), Failure> {
    let realm = realm()?;
    for (options, said, unsaid) in OPTIONS {
        let (mut server, port) = server(acceptor, &realm, moved)?;
        let told = |why: Failure, server: &Running| {
            why.while_doing(format!("{options:?}; the acceptor: {}{}", server.stdout(), server.stderr()))
        };
        let finished =
            client(initiator, &realm, port, options)?.success().map_err(|why| told(why, &server))?;
        if !options.contains(&"-nm") {
            finished.says("Signature verified.").map_err(|why| told(why, &server))?;
        }
        server.wait_for("Accepted connection: \"alice@PROGRAMS.TEST\"", PATIENCE)?;
        server.wait_for("Received message: \"a message\"", PATIENCE)?;
        let output = server.stdout();
        assert!(output.contains(said) && !output.contains(unsaid), "{options:?}: {output}");
    }
    let (mut server, port) = server(acceptor, &realm, moved)?;
    client(initiator, &realm, port, &["-spnego", "-ccount", "4", "-mcount", "5"])?.success()?;
    server.wait_for_times("Received message: \"a message\"", 20, PATIENCE)
}

/// `KRB5_TRACE` names a file for the one side and the terminal for the other.
fn trace() -> Result<(), Failure> {
    let realm = realm()?;
    let told = realm.folder().join("trace");
    let (server, port) = on_free_port(|port| {
        let mut command = realm.command(&Peer::GSS_SERVER.find()?);
        command.args(["-port", &port.to_string(), SERVICE]).envs(Maker::Own.environment()?);
        command.env("KRB5_TRACE", "/dev/stderr");
        let mut process = Running::start(command)?;
        process.wait_for_listener(port, PATIENCE)?;
        Ok(process)
    })?;
    for times in 1..=2 {
        let mut command = realm.command(&Peer::GSS_CLIENT.find()?);
        command.args(["-port", &port.to_string(), "-spnego", "localhost", SERVICE, "a message"]);
        command.envs(Maker::Own.environment()?).env("KRB5_TRACE", &told);
        let finished = process::run(command, b"")?.success()?;
        assert!(!finished.stdout.contains("Presenting"), "{finished:?}");
        let lines = fs::read_to_string(&told)?;
        assert_eq!(lines.matches("Presenting the ticket of alice@PROGRAMS.TEST").count(), times, "{lines}");
        let stamped = |line: &str| {
            let (pid, rest) = line.strip_prefix('[')?.split_once("] ")?;
            let (moment, _) = rest.split_once(": ")?;
            Some(pid.parse::<u32>().is_ok() && moment.parse::<f64>().is_ok())
        };
        assert!(lines.lines().all(|line| stamped(line) == Some(true)), "{lines}");
        for text in ["SPNEGO: the acceptor chose krb5", "Configuration read from", "Credential cache FILE:"] {
            assert!(lines.contains(text), "{text}: {lines}");
        }
    }
    let told = server.stderr();
    for text in ["found in keytab FILE:", "Replay cache: the request is new"] {
        assert_eq!(told.matches(text).count(), 2, "{text}: {told}");
    }
    Ok(())
}

/// What must not succeed fails with a reason, and the server lives on.
fn refusals(initiator: Maker, acceptor: Maker) -> Result<(), Failure> {
    let realm = realm()?;
    let (mut server, port) = server(acceptor, &realm, &[])?;
    let refused =
        |options: &[&str]| client(initiator, &realm, port, options)?.refusal()?.says("GSS-API error");
    refused(&["-krb5", "-user", "alice", "-pass", "not her password"])?;
    refused(&["-krb5", "-user", "nobody", "-pass", "wonderland"])?;
    // The keytab gets another key of the same name and number.
    fs::remove_file(&realm.keytab)?;
    let keytab = realm.keytab.display().to_string();
    let another = ["addent", "-password", "-p", "host/localhost", "-k", "2", "-e", "aes256-cts-hmac-sha1-96"];
    let script = format!("{}\nanother\nwkt {keytab}\nq\n", another.join(" "));
    realm.peer(Peer::KTUTIL, &[], &script)?.success()?;
    let finished = client(initiator, &realm, port, &["-krb5"])?;
    assert!(!finished.stdout.contains("Signature verified."), "{finished:?}");
    server.wait_for("GSS-API error accepting context", PATIENCE)?;
    fs::remove_file(&realm.ccache)?;
    refused(&["-krb5"])?;
    assert!(server.is_alive(), "{}{}", server.stdout(), server.stderr());
    Ok(())
}

/// `python/peer.py` in a role, on a library.
fn python(library: Maker, realm: &Realm, words: &[&str]) -> Result<std::process::Command, Failure> {
    let mut command = realm.command(&Peer::PYTHON.find()?);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/peer.py"))
        .args(words)
        .envs(library.environment()?);
    Ok(command)
}

/// An acceptor in Python: it says on which port it listens.
fn listen(library: Maker, realm: &Realm, role: &str) -> Result<(Running, String), Failure> {
    let mut process = Running::start(python(library, realm, &[role])?)?;
    let line = process.first_line(PATIENCE)?;
    let port = line.strip_prefix("listening on ").ok_or_else(|| format!("it names no port: {line}"))?;
    Ok((process, port.to_owned()))
}

/// Python's binding: contexts, messages whole and in pieces, moving, credentials and where they are kept.
fn conversation(initiator: Maker, acceptor: Maker) -> Result<(), Failure> {
    let realm = realm()?;
    let (server, port) = listen(acceptor, &realm, "acceptor")?;
    let store = realm.folder().join("stored").display().to_string();
    let finished = process::run(python(initiator, &realm, &["initiator", &port, &store])?, b"")?;
    finished
        .success()
        .and_then(|finished| finished.says("all held"))
        .map_err(|why| why.while_doing(format!("the acceptor: {}{}", server.stdout(), server.stderr())))?;
    // What it stored, MIT's tools take.
    let listed = realm.peer(Peer::KLIST, &["-c", &format!("FILE:{store}")], "")?.success()?;
    listed.says("alice@PROGRAMS.TEST").map(drop)
}

/// A program that has libkrb5 in its process too: caches and keytabs cross over.
fn beside_libkrb5(library: Maker) -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("together", library, Kind::Pie, realm.folder())?;
    let mut command = realm.command(&program);
    command.args(["host@localhost".as_ref(), realm.folder().as_os_str()]);
    if library == Maker::Own {
        command.envs([counting()?]);
    }
    let finished = process::run(command, b"")?.success()?.says("all held")?;
    if library == Maker::Own {
        finished.says("live handles: 0")?;
    }
    // What it copied, MIT's tools take.
    let copied = format!("FILE:{}", realm.folder().join("copied").display());
    realm.peer(Peer::KLIST, &["-c", &copied], "")?.success()?.says("alice@PROGRAMS.TEST").map(drop)
}

/// KDC messages that the program carries itself, contexts that must stay, errors as JSON: all without a new function, so
/// that MIT's library only says that it does not know them.
fn what_only_we_have() -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("extensions", Maker::Own, Kind::Pie, realm.folder())?;
    let mut command = realm.command(&program);
    command.args(["host@localhost", &realm.port.to_string()]).envs([counting()?]);
    let finished = process::run(command, b"")?.success()?.says("all held")?.says("live handles: 0")?;
    let finished = finished.says("could reach none")?;
    // Cookies also where they are configured. A realm of its own, for the tickets must not be there yet.
    let other = self::realm()?;
    let mut command = other.command(&program);
    command.args(["host@localhost", &other.port.to_string()]).envs([counting()?]);
    command.env("ORTHROS_TRANSFER", "suspend");
    process::run(command, b"")?.success()?.says("all held")?.says("live handles: 0")?;
    let json = finished.stdout.lines().find_map(|line| line.strip_prefix("json: ")).unwrap_or_default();
    let told: serde_json::Value = serde_json::from_str(json).map_err(|error| format!("{json}: {error}"))?;
    let text = |member| told.get(member).and_then(serde_json::Value::as_str).unwrap_or_default();
    assert_eq!(text("kerberos_error_name"), "KDC_ERR_S_PRINCIPAL_UNKNOWN", "{told}");
    assert!(text("story").contains("nothing/localhost"), "{told}");
    let mut command = realm.command(&program);
    command.arg("host@localhost").envs(Maker::Mit.environment()?);
    process::run(command, b"")?.success()?.says("all held").map(drop)
}

/// Root accepts a context, and an account that is named to get it goes on with it.
fn handed_over() -> Result<(), Failure> {
    let realm = realm()?;
    let program = compile("handed", Maker::Own, Kind::Pie, realm.folder())?;
    // The two accounts meet in a folder in which each can make one of its own.
    let meeting = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o1777)).tempdir()?;
    let run = |transfer: &str, words: &[&str]| -> Result<Finished, Failure> {
        let mut command = realm.command(&program);
        command.arg("host@localhost").args(words).envs([counting()?]);
        command.env("ORTHROS_TRANSFER", format!("{transfer}{}", meeting.path().display()));
        process::run(command, b"")
    };
    let finished = run("allow=nobody,", &["65533", "65534"])?.success()?;
    finished
        .says("live handles: 0")?
        .says("uid 65533: refused")?
        .says("uid 65534: goes on")?
        .says("uid 65534: refused")?
        .says("all held")?;
    // Without the switch it is root's own.
    run("", &["65534", "0"])?.success()?.says("uid 65534: refused")?.says("uid 0: goes on")?;
    let nobody = run("allow=nobody-of-this-name,", &["65534", "0"])?.refusal()?;
    nobody.says("transfer_allow in [orthros] names nobody-of-this-name").map(drop)
}

/// curl asks a server that answers Negotiate, without and with a ticket.
fn web(initiator: Maker, acceptor: Maker) -> Result<(), Failure> {
    let realm = realm()?;
    let (server, port) = listen(acceptor, &realm, "web")?;
    let ask = || -> Result<Finished, Failure> {
        let mut command = realm.command(&Peer::CURL.find()?);
        command.args(["--silent", "--show-error", "--include", "--negotiate", "-u", ":"]);
        command.arg(format!("http://localhost:{port}/")).envs(initiator.environment()?);
        process::run(command, b"")
    };
    ask()?
        .success()
        .and_then(|finished| finished.says("Hello alice@PROGRAMS.TEST"))
        .map_err(|why| why.while_doing(format!("the acceptor: {}{}", server.stdout(), server.stderr())))?;
    fs::remove_file(&realm.ccache)?;
    let without = ask()?;
    assert!(!without.stdout.contains("Hello"), "{without:?}");
    without.says("401 Unauthorized").map(drop)
}
