//! Channel bindings against MIT's library and Heimdal's: equal, different, absent.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::process::{self, PATIENCE, Running};
use interop::realm::on_free_port;
use interop::sample;
use interop::{Failure, Finished, Realm, Scenario, Side};

const NEEDS: &[Peer] = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::CC, Peer::C_HEADERS];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for (theirs, library) in [(Side::Mit, Peer::MIT_GSS), (Side::Heimdal, Peer::HEIMDAL_GSS)] {
        for (initiator, acceptor) in [(theirs, Side::Own), (Side::Own, theirs)] {
            list.push(Scenario::new(
                format!("bindings::initiator_{initiator}_acceptor_{acceptor}_equal_different_absent"),
                &[NEEDS, &[library]].concat(),
                move || bindings(initiator, acceptor),
            ));
        }
    }
    list
}

/// The library of a side that is not ours.
fn library(side: Side) -> Peer {
    if side == Side::Heimdal { Peer::HEIMDAL_GSS } else { Peer::MIT_GSS }
}

fn bindings(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = Realm::build("BOUND.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Own, "alice", &[])?;
    for (theirs, ours, accepted) in [
        ("tls-exporter:one", "tls-exporter:one", true),
        ("tls-exporter:one", "tls-exporter:two", false),
        // Bindings that the acceptor does not ask for are no reason to refuse.
        ("tls-exporter:one", "-", true),
    ] {
        let cell = |why: Failure| why.while_doing(format!("{theirs} and {ours}"));
        let (mut server, port) = serve(acceptor, &realm, ours)?;
        let finished = run(initiator, &realm, port, theirs)?;
        if accepted {
            finished.success().and_then(|finished| finished.says("Signature verified.")).map_err(cell)?;
            server.wait_for("Accepted connection: \"alice@BOUND.TEST\"", PATIENCE).map_err(cell)?;
        } else {
            finished.refusal().map_err(cell)?;
            let output = server.stdout() + &server.stderr();
            assert!(!output.contains("Accepted connection"), "{output}");
        }
    }
    // Absent bindings are a third thing: our acceptor can require them (MIT's accepts).
    let (mut server, port) = serve(acceptor, &realm, "tls-exporter:one")?;
    let finished = run(initiator, &realm, port, "-")?;
    match acceptor {
        Side::Own => finished.refusal().map(drop),
        Side::Mit | Side::Heimdal => {
            finished.success()?;
            server.wait_for("Accepted connection", PATIENCE)
        }
    }
}

/// The sample's options for these bindings; none for `-`.
fn options(bindings: &str) -> Vec<&str> {
    if bindings == "-" { Vec::new() } else { vec!["-bindings", bindings] }
}

fn serve(side: Side, realm: &Realm, bindings: &str) -> Result<(Running, u16), Failure> {
    match side {
        Side::Mit | Side::Heimdal => on_free_port(|port| {
            let mut command = sample::command(library(side), realm)?;
            command.args(["server", "-port", &port.to_string()]).args(options(bindings)).arg(gss::SERVICE);
            let mut process = Running::start(command)?;
            process.wait_for("starting...", PATIENCE)?;
            Ok(process)
        }),
        Side::Own if bindings == "-" => {
            let server = Server::start(Side::Own, realm, ServerOptions::default())?;
            Ok((server.process, server.port))
        }
        Side::Own => on_free_port(|port| {
            let mut command = realm.command(interop::realm::orthros()?);
            let port = port.to_string();
            command.args([
                "gss",
                "server",
                "--port",
                &port,
                "--verbose",
                "--bindings",
                bindings,
                gss::SERVICE,
            ]);
            let mut process = Running::start(command)?;
            process.wait_for("starting...", PATIENCE)?;
            Ok(process)
        }),
    }
}

fn run(side: Side, realm: &Realm, port: u16, bindings: &str) -> Result<Finished, Failure> {
    let port_text = port.to_string();
    match side {
        Side::Mit | Side::Heimdal => {
            let mut command = sample::command(library(side), realm)?;
            command.args(["client", "-port", &port_text]).args(options(bindings));
            command.args([gss::SERVICE, "bound"]);
            process::run(command, b"")
        }
        Side::Own if bindings == "-" => {
            let options = ClientOptions { krb5: true, ..ClientOptions::default() };
            gss::client(Side::Own, realm, port, options, "bound")
        }
        Side::Own => realm.orthros(
            &[
                "gss",
                "client",
                "--port",
                &port_text,
                "--bindings",
                bindings,
                "localhost",
                gss::SERVICE,
                "bound",
            ],
            "",
        ),
    }
}
