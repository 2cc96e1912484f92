//! One replay-cache file for an MIT acceptor and ours: what one has seen, the other refuses.

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::relay::{Relay, send_again};
use interop::{Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for first in Side::ALL {
        for second in Side::ALL {
            list.push(Scenario::new(
                format!("replay::a_request_seen_by_{first}_is_refused_by_{second}"),
                Peer::MIT,
                move || replayed(first, second),
            ));
        }
    }
    list
}

fn replayed(first: Side, second: Side) -> Result<(), Failure> {
    let realm = Realm::build("REPLAY.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Mit, "alice", &[])?;
    let mut server = Server::start(first, &realm, ServerOptions::default())?;
    let relay = Relay::start(server.port)?;
    let options = ClientOptions { krb5: true, ..ClientOptions::default() };
    gss::client(Side::Mit, &realm, relay.port, options, "once")?.success()?;
    server.says("Received message: \"once\"")?;
    let sent = relay.sent()?;

    let mut other = Server::start(second, &realm, ServerOptions::default())?;
    let answer = send_again(other.port, &sent)?;
    other.says(match second {
        Side::Mit | Side::Heimdal => "Request is a replay",
        Side::Own => "a replay",
    })?;
    // An error token came back: KRB_AP_ERR_REPEAT (34) in a KRB-ERROR.
    assert!(answer.windows(5).any(|octets| octets == [0xa6, 0x03, 0x02, 0x01, 0x22]), "{answer:02x?}");
    let output = other.output();
    assert!(!output.contains("Accepted connection"), "{output}");
    Ok(())
}
