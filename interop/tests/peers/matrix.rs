//! {MIT, embedded} KDC x {MIT, ours} initiator x {MIT, ours} acceptor x six enctypes: every kind of context and
//! message that the samples can make.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::{Enctype, Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for kdc in Side::ALL {
        for initiator in Side::ALL {
            for acceptor in Side::ALL {
                for enctype in Enctype::STRONG {
                    list.push(Scenario::new(
                        format!("matrix::kdc_{kdc}_initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
                        Peer::MIT,
                        move || cell(kdc, initiator, acceptor, enctype),
                    ));
                }
            }
        }
    }
    list
}

/// Every kind of context and message between these two.
pub(crate) fn cell(kdc: Side, initiator: Side, acceptor: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = Realm::build("MATRIX.TEST")
        .enctypes(&[enctype])
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(kdc)?;
    realm.kinit(initiator, "alice", &["-f"])?;
    let plain = ClientOptions { krb5: true, ..ClientOptions::default() };
    // The acceptor names the flags of each context, one that was moved too.
    for (options, said, unsaid) in [
        (plain, "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
        (ClientOptions { delegate: true, ..plain }, "GSS_C_DELEG_FLAG", "GSS_C_SEQUENCE_FLAG"),
        (ClientOptions { sequence: true, ..plain }, "GSS_C_SEQUENCE_FLAG", "GSS_C_DELEG_FLAG"),
        (ClientOptions { no_mutual: true, ..plain }, "GSS_C_REPLAY_FLAG", "GSS_C_MUTUAL_FLAG"),
        (ClientOptions { no_encrypt: true, ..plain }, "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
        (ClientOptions { no_wrap: true, ..plain }, "GSS_C_MUTUAL_FLAG", "GSS_C_DELEG_FLAG"),
    ] {
        for export in [false, true] {
            let cell = |why: Failure| why.while_doing(format!("{options:?}, export: {export}"));
            let mut server =
                Server::start(acceptor, &realm, ServerOptions { export, ..ServerOptions::default() })?;
            gss::client(initiator, &realm, server.port, options, "a message")?
                .success()
                .and_then(|finished| finished.says("Signature verified."))
                .map_err(|why| cell(Failure::new(format!("{why}\n--- the acceptor: {}", server.output()))))?;
            server.says("Accepted connection: \"alice@MATRIX.TEST\"").map_err(cell)?;
            server.says("Received message: \"a message\"").map_err(cell)?;
            let output = server.output();
            assert!(output.contains(said) && !output.contains(unsaid), "{options:?}: {output}");
        }
    }
    let mut server =
        Server::start(acceptor, &realm, ServerOptions { export: true, ..ServerOptions::default() })?;
    let many = ClientOptions { messages: 5, contexts: 2, ..plain };
    gss::client(initiator, &realm, server.port, many, "a message")?.success()?;
    server.process.wait_for_times("Received message", 10, PATIENCE)
}
