//! Channel bindings against MIT's library: equal, different, absent.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::process::{PATIENCE, Running};
use interop::realm::on_free_port;
use interop::{Failure, Finished, Realm, Scenario, Side};

const NEEDS: &[Peer] =
    &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::KINIT, Peer::PYTHON, Peer::PYTHON_GSSAPI];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for (initiator, acceptor) in [(Side::Mit, Side::Own), (Side::Own, Side::Mit)] {
        list.push(Scenario::new(
            format!("bindings::initiator_{initiator}_acceptor_{acceptor}_equal_different_absent"),
            NEEDS,
            move || bindings(initiator, acceptor),
        ));
    }
    list
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
        Side::Mit => {
            finished.success()?;
            server.wait_for("Accepted connection", PATIENCE)
        }
    }
}

/// The script that is MIT's end.
fn script() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/peers/sample.py").to_owned()
}

fn serve(side: Side, realm: &Realm, bindings: &str) -> Result<(Running, u16), Failure> {
    match side {
        Side::Mit => on_free_port(|port| {
            let mut command = realm.command(&Peer::PYTHON.find()?);
            command.args([&script(), "server", &port.to_string(), bindings]);
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
        Side::Mit => realm.peer(Peer::PYTHON, &[&script(), "client", &port_text, bindings, "bound"], ""),
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
