//! Channel bindings against MIT's library and Heimdal's: equal, different, empty, absent.

use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::sample;
use interop::{Failure, Realm, Scenario, Side};

const NEEDS: &[Peer] = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::CC, Peer::C_HEADERS];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for (theirs, library) in [(Side::Mit, Peer::MIT_GSS), (Side::Heimdal, Peer::HEIMDAL_GSS)] {
        for (initiator, acceptor) in [(theirs, Side::Own), (Side::Own, theirs)] {
            list.push(Scenario::new(
                format!("bindings::initiator_{initiator}_acceptor_{acceptor}_equal_different_empty_absent"),
                &[NEEDS, &[library]].concat(),
                move || bindings(initiator, acceptor),
            ));
        }
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
        // Empty bindings are bindings: they equal each other, and nothing else.
        ("", "", true),
        ("", "tls-exporter:one", false),
        ("tls-exporter:one", "", false),
        // Bindings that the acceptor does not ask for are no reason to refuse.
        ("tls-exporter:one", "-", true),
    ] {
        let cell = |why: Failure| why.while_doing(format!("{theirs} and {ours}"));
        let (mut server, port) = sample::serve(acceptor, &realm, &options(ours))?;
        let finished = sample::run(initiator, &realm, port, &options(theirs), "bound")?;
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
    let (mut server, port) = sample::serve(acceptor, &realm, &options("tls-exporter:one"))?;
    let finished = sample::run(initiator, &realm, port, &[], "bound")?;
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
