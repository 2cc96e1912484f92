//! BIND: updates that are signed in contexts (RFC 3645), by `nsupdate` and by a client that keeps its context while
//! `named` stops, exporting it, and starts again, importing it.

use std::fs;
use std::path::Path;

use interop::c_library::Maker;
use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::realm::on_free_port;
use interop::{Failure, Finished, Running};

use super::{Account, Row, Stage, must_run_on};

pub(super) const UPDATES: Row =
    ("bind", &[Peer::NAMED, Peer::NSUPDATE, Peer::DIG], updates, |realm| Ok(realm.service("DNS/localhost")));

pub(super) const RESTARTS: Row = (
    "bind_restarted",
    &[Peer::NAMED, Peer::DIG, Peer::PYTHON, Peer::PYTHON_GSSAPI, Peer::PYTHON_DNS],
    restarts,
    |realm| Ok(realm.service("DNS/localhost")),
);

/// The zone's name server is named as its service is.
const ZONE: &str = "$TTL 60\n@ SOA localhost. admin.zone.test. 1 60 60 60 60\n@ NS localhost.\n";

/// Its folder, made.
fn folder(stage: &Stage) -> Result<std::path::PathBuf, Failure> {
    let account = Account::of("bind")?;
    let folder = stage.folder_of(account, "bind")?;
    account.owns(&stage.realm.keytab)?;
    let zone = folder.join("zone");
    fs::write(&zone, ZONE)?;
    account.owns(&zone)?;
    Ok(folder)
}

/// `named` on this port, when it answers.
fn named(stage: &Stage, folder: &Path, port: u16) -> Result<Running, Failure> {
    let keytab = stage.realm.keytab.display();
    let here = folder.display();
    let configuration = folder.join("named.conf");
    fs::write(
        &configuration,
        format!(
            "options {{\n\
             \tdirectory \"{here}\";\n\
             \tpid-file none;\n\
             \tsession-keyfile none;\n\
             \tlisten-on port {port} {{ 127.0.0.1; }};\n\
             \tlisten-on-v6 {{ none; }};\n\
             \ttkey-gssapi-keytab \"{keytab}\";\n\
             \trecursion no;\n\
             \tnotify no;\n\
             \tdnssec-validation no;\n\
             }};\n\
             controls {{ }};\n\
             zone \"zone.test\" {{\n\
             \ttype primary;\n\
             \tfile \"zone\";\n\
             \tupdate-policy {{ grant \"alice@DAEMONS.TEST\" zonesub ANY; }};\n\
             }};\n"
        ),
    )?;
    let mut command = stage.daemon(&Peer::NAMED.find()?, folder)?;
    command.args(["-4", "-g", "-n", "1", "-c"]).arg(configuration);
    Account::of("bind")?.runs(&mut command);
    let mut server = Running::start(command)?.ended_by("TERM");
    server.wait_for("running\n", PATIENCE)?;
    if server.stderr().contains("address in use") {
        return Err(Failure::new(format!("port {port} is taken: {}", server.stderr())));
    }
    Ok(server)
}

/// What the server says of a name.
fn address(stage: &Stage, port: u16, name: &str) -> Result<String, Failure> {
    let words = ["+short", "@127.0.0.1", "-p", &port.to_string(), name, "A"];
    Ok(stage.realm.peer(Peer::DIG, &words, "")?.success()?.stdout.trim().to_owned())
}

fn updates(stage: &Stage) -> Result<(), Failure> {
    let folder = folder(stage)?;
    let (mut server, port) = on_free_port(|port| named(stage, &folder, port))?;
    must_run_on(stage.server, &server)?;
    let update = |environment: (&'static str, String), name: &str| -> Result<Finished, Failure> {
        let script = stage.at("updates");
        // A new context for each `send`.
        let add = |last: u8| format!("update add {name} 60 A 192.0.2.{last}\nsend\n");
        let text = format!("server 127.0.0.1 {port}\nzone zone.test\n{}{}", add(1), add(2));
        fs::write(&script, text)?;
        let mut command = stage.client(&Peer::NSUPDATE.find()?)?;
        command.arg("-g").arg(&script).envs([environment]);
        stage.run(command)
    };
    update(stage.alice(), "of-alice.zone.test")?
        .success()
        .map_err(|why| why.while_doing(format!("the server: {}", server.stderr())))?;
    let mut found: Vec<String> =
        address(stage, port, "of-alice.zone.test")?.lines().map(str::to_owned).collect();
    found.sort();
    assert_eq!(found, ["192.0.2.1", "192.0.2.2"], "{}", server.stderr());
    update(stage.bob(), "of-bob.zone.test")?.refusal()?.says("REFUSED")?;
    update(stage.nobody(), "of-nobody.zone.test")?.refusal()?;
    for name in ["of-bob.zone.test", "of-nobody.zone.test"] {
        assert_eq!(address(stage, port, name)?, "", "{name}");
    }
    assert!(server.is_alive(), "{}", server.stderr());
    Ok(())
}

fn restarts(stage: &Stage) -> Result<(), Failure> {
    let folder = folder(stage)?;
    let (mut server, port) = on_free_port(|port| named(stage, &folder, port))?;
    must_run_on(stage.server, &server)?;
    let mut command = stage.client(&Peer::PYTHON.find()?)?;
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/python/dns_update.py"));
    command.args([&port.to_string(), "zone.test"]);
    let mut client = Running::start(command)?;
    client
        .wait_for("agreed", PATIENCE)
        .map_err(|why| why.while_doing(format!("the server: {}", server.stderr())))?;
    must_run_on(stage.client, &client)?;
    let mut update = |name: &str, answer: &str, server: &Running| -> Result<(), Failure> {
        client.write(format!("{name} 192.0.2.1\n").as_bytes())?;
        client
            .wait_for(&format!("{name} {answer}"), PATIENCE)
            .map_err(|why| why.while_doing(format!("the server: {}", server.stderr())))
    };
    let again = |server: Running, meanwhile: &dyn Fn() -> Result<(), Failure>| -> Result<Running, Failure> {
        server.signal("TERM")?;
        let ended = server.finish(PATIENCE)?.success()?;
        meanwhile()?;
        named(stage, &folder, port)
            .map_err(|why| why.while_doing(format!("after an end with: {}", ended.stderr)))
    };
    // What it exported, and a copy, as a backup of the folder would hold one.
    let (exported, copy) = (folder.join("_default.tsigkeys"), folder.join("copy"));
    update("first", "NOERROR signed", &server)?;
    server = again(server, &|| Ok(fs::copy(&exported, &copy).map(drop)?))?;
    update("second", "NOERROR signed", &server)?;
    server = again(server, &|| Ok(()))?;
    update("third", "NOERROR signed", &server)?;
    assert_eq!(address(stage, port, "third.zone.test")?, "192.0.2.1");
    // What ours exported is good once. MIT's is taken again, and stands at a message that is long past.
    server = again(server, &|| Ok(fs::write(&exported, fs::read(&copy)?)?))?;
    let answer = if stage.server == Maker::Own { "PeerBadKey" } else { "PeerBadSignature" };
    update("fourth", answer, &server)
}
