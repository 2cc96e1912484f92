//! A context of ours moves between two processes while the other end, which is theirs, goes on talking.

use interop::gss::{SERVICE, Server, ServerOptions};
use interop::peers::Peer;
use interop::process::{PATIENCE, Running};
use interop::realm::orthros;
use interop::{Enctype, Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    // Heimdal has no Camellia.
    for (theirs, needs, enctypes) in [
        (Side::Mit, Peer::MIT.to_vec(), &Enctype::STRONG[..]),
        (Side::Heimdal, [Peer::MIT, Peer::HEIMDAL].concat(), &Enctype::AES),
    ] {
        for &enctype in enctypes {
            list.push(Scenario::new(
                format!("moved::our_initiator_between_two_processes_acceptor_{theirs}_{enctype}"),
                &needs,
                move || initiator(theirs, enctype),
            ));
            list.push(Scenario::new(
                format!("moved::our_acceptor_between_two_processes_initiator_{theirs}_{enctype}"),
                &needs,
                move || acceptor(theirs, enctype),
            ));
        }
    }
    list
}

fn realm(enctype: Enctype) -> Result<Realm, Failure> {
    Realm::build("MOVED.TEST")
        .enctypes(&[enctype])
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)
}

/// Ours, with these words after `gss`, until it ends or is dropped.
fn start(realm: &Realm, words: &[&str]) -> Result<Running, Failure> {
    let mut command = realm.command(orthros()?);
    command.arg("gss").args(words);
    Running::start(command)
}

fn initiator(theirs: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = realm(enctype)?;
    realm.kinit(Side::Own, "alice", &[])?;
    let mut server = Server::start(theirs, &realm, ServerOptions::default())?;
    let door = realm.folder().join("door").display().to_string();
    let port = server.port.to_string();
    let words = ["export", "--door", &door, "--port", &port, "--sequence", "localhost", SERVICE, "the first"];
    let mut holder = start(&realm, &words)?;
    holder.wait_for("Waiting at", PATIENCE)?;
    server.says("Received message: \"the first\"")?;
    let words = ["gss", "import", "--door", &door, "the second", "the third"];
    let said = realm.orthros(&words, "")?.success()?.says("host/localhost@MOVED.TEST")?.stdout;
    assert_eq!(said.matches("Signature verified.").count(), 2, "{said}");
    server.says("Received message: \"the second\"")?;
    server.says("Received message: \"the third\"")?;
    holder.finish(PATIENCE)?.success()?.says("Exported context")?;
    let output = server.output();
    assert_eq!(output.matches("Accepted connection:").count(), 1, "{output}");
    Ok(())
}

fn acceptor(theirs: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = realm(enctype)?;
    realm.kinit(Side::Own, "alice", &[])?;
    let door = realm.folder().join("door").display().to_string();
    let mut server = start(&realm, &["server", "--port", "0", "--once", "--door", &door, SERVICE])?;
    server.wait_for("starting...", PATIENCE)?;
    let port = listening_port(&server.stdout())?;
    let words = ["-port", &port, "-mcount", "2"];
    let (command, program) = match theirs {
        Side::Heimdal => {
            let mut command = interop::sample::command(Peer::HEIMDAL_GSS, &realm)?;
            command.arg("client").args(words).args([SERVICE, "a message"]);
            (command, "the sample on Heimdal's library")
        }
        Side::Mit | Side::Own => {
            let mut command = realm.command(&Peer::GSS_CLIENT.find()?);
            command.args(words).args(["localhost", SERVICE, "a message"]);
            (command, "gss-client")
        }
    };
    let client = Running::start(command)?;
    server.wait_for("Accepted connection: \"alice@MOVED.TEST\"", PATIENCE)?;
    let said = realm.orthros(&["gss", "import", "--door", &door], "")?.success()?.stdout;
    assert_eq!(said.matches("Received message: \"a message\"").count(), 2, "{said}");
    let said = client.finish(PATIENCE).map_err(|why| why.while_doing(program))?.success()?.stdout;
    assert_eq!(said.matches("Signature verified.").count(), 2, "{said}");
    server.finish(PATIENCE)?.success()?.says("Exported context").map(drop)
}

fn listening_port(said: &str) -> Result<String, Failure> {
    said.lines()
        .find_map(|line| line.strip_prefix("listening on "))
        .and_then(|address| address.rsplit(':').next())
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("it names no port: {said}")))
}
