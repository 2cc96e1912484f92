//! A cache that a client keytab filled: MIT's library and ours go on with each other's, and note the same.

use interop::gss::{SERVICE, Server, ServerOptions};
use interop::peers::Peer;
use interop::process;
use interop::realm::orthros;
use interop::{Failure, Finished, Realm, Scenario, Side};

const NEEDS: &[Peer] = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::KLIST, Peer::GSS_CLIENT];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let scenario = |first: Side| {
        let name = format!("client_keytab::a_cache_filled_by_{first}_is_noted_and_goes_on_with_the_other");
        Scenario::new(name, NEEDS, move || shared(first))
    };
    Side::ALL.map(scenario).into()
}

fn shared(first: Side) -> Result<(), Failure> {
    let realm = Realm::build("KEYTAB.TEST").service("host/localhost").start(Side::Mit)?;
    let server = Server::start(Side::Own, &realm, ServerOptions::default())?;
    assert!(!realm.ccache.exists());
    initiate(first, &realm, server.port, true)?.success()?;
    let listing = realm.peer(Peer::KLIST, &["-C"], "")?.success()?.stdout;
    assert!(listing.contains("Default principal: host/localhost@KEYTAB.TEST"), "{listing}");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.map_err(|error| Failure::new(error.to_string()))?.as_secs();
    let noted = listing.lines().find_map(|line| line.trim().strip_prefix("config: refresh_time = "));
    let due: Option<u64> = noted.and_then(|noted| noted.parse().ok());
    assert!(due.is_some_and(|due| due > now), "{listing}");
    let other = if first == Side::Own { Side::Mit } else { Side::Own };
    initiate(other, &realm, server.port, true)?.success()?;
    initiate(other, &realm, server.port, false)?.success()?;
    let again = realm.peer(Peer::KLIST, &["-C"], "")?.success()?.stdout;
    assert_eq!(
        again.matches("refresh_time").count(),
        1,
        "it was not time to refresh, and nobody did:\n{again}"
    );
    assert!(again.contains(&format!("refresh_time = {}", due.unwrap_or(0))), "{again}");
    Ok(())
}

/// An initiator without a login, with the service's keytab as its own or without any.
fn initiate(side: Side, realm: &Realm, port: u16, keytab: bool) -> Result<Finished, Failure> {
    let port = port.to_string();
    let mut command = match side {
        Side::Own => {
            let mut command = realm.command(orthros()?);
            command.args(["gss", "client", "--port", &port]);
            command
        }
        Side::Mit | Side::Heimdal => {
            let mut command = realm.command(&Peer::GSS_CLIENT.find()?);
            command.args(["-port", &port]);
            command
        }
    };
    command.args(["localhost", SERVICE, "by a keytab"]);
    if keytab {
        command.env("KRB5_CLIENT_KTNAME", format!("FILE:{}", realm.keytab.display()));
    }
    process::run(command, b"")
}
