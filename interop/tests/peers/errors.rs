//! When it does not work: each end tells the other why, and tells its user what to do.

use std::fs;
use std::time::Duration;

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::relay::Relay;
use interop::{Failure, Realm, Scenario, Side};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for (initiator, acceptor) in [(Side::Mit, Side::Own), (Side::Own, Side::Mit), (Side::Own, Side::Own)] {
        list.push(Scenario::new(
            format!("errors::a_wrong_key_is_told_initiator_{initiator}_acceptor_{acceptor}"),
            Peer::MIT,
            move || wrong_key(initiator, acceptor),
        ));
    }
    for (initiator, acceptor) in [(Side::Heimdal, Side::Own), (Side::Own, Side::Heimdal)] {
        list.push(Scenario::new(
            format!("errors::a_wrong_key_is_told_initiator_{initiator}_acceptor_{acceptor}"),
            &[Peer::MIT, Peer::HEIMDAL].concat(),
            move || wrong_key(initiator, acceptor),
        ));
    }
    list.push(Scenario::new(
        "errors::a_late_request_is_told_initiator_own_acceptor_heimdal",
        &[Peer::MIT, Peer::HEIMDAL].concat(),
        skew,
    ));
    list.push(Scenario::new("errors::a_dead_kdc_is_passed_over", Peer::MIT, dead_kdc));
    list.push(Scenario::new("errors::no_kdc_answers_and_each_is_named", Peer::MIT, no_kdc));
    list.push(Scenario::new("errors::an_ended_ticket_is_named", Peer::MIT, ended_ticket));
    list
}

fn realm() -> Result<Realm, Failure> {
    Realm::build("ERRORS.TEST").principal("alice", "wonderland").service("host/localhost").start(Side::Mit)
}

/// The acceptor's keytab has another key of the same principal, version and type.
fn wrong_key(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(initiator, "alice", &[])?;
    let keytab = realm.keytab.display().to_string();
    fs::remove_file(&realm.keytab)?;
    for enctype in interop::Enctype::AES {
        let words = [
            "keytab",
            "add",
            &keytab,
            "-p",
            "host/localhost",
            "-k",
            "2",
            "-e",
            enctype.name(),
            "--random-key",
        ];
        realm.orthros(&words, "")?.success()?;
    }
    let mut server = Server::start(acceptor, &realm, ServerOptions::default())?;
    let options = ClientOptions { krb5: true, ..ClientOptions::default() };
    let finished = gss::client(initiator, &realm, server.port, options, "a message")?.refusal()?;
    match acceptor {
        // The acceptor's user learns which key did not fit, and what to do.
        Side::Own => server.says("the keytab's key is not the KDC's")?,
        Side::Mit | Side::Heimdal => server.says("GSS-API error accepting context")?,
    }
    let told = finished.stdout.clone() + &finished.stderr;
    match initiator {
        // The initiator's user learns that the acceptor refused: the KRB-ERROR came across.
        // Heimdal's acceptor sends no KRB-ERROR but for its clock; see `skew`.
        Side::Own if acceptor == Side::Heimdal => assert!(told.contains("closed the connection"), "{told}"),
        Side::Own => assert!(told.contains("the peer says") && told.contains("(31)"), "{told}"),
        Side::Mit | Side::Heimdal => assert!(told.contains("Decrypt integrity check failed"), "{told}"),
    }
    Ok(())
}

/// The request arrives later than the acceptor's clock allows: that much Heimdal tells by a KRB-ERROR.
fn skew() -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &[])?;
    let config = fs::read_to_string(&realm.config)?;
    fs::write(&realm.config, config.replace("[libdefaults]", "[libdefaults]\n\tclockskew = 1"))?;
    let server = Server::start(Side::Heimdal, &realm, ServerOptions::default())?;
    let relay = Relay::start_late(server.port, Duration::from_millis(3200))?;
    let options = ClientOptions { krb5: true, ..ClientOptions::default() };
    let finished = gss::client(Side::Own, &realm, relay.port, options, "a message")?.refusal()?;
    // Its library goes on waiting for a better request, so its user learns nothing; ours does.
    let told = finished.stdout.clone() + &finished.stderr;
    assert!(told.contains("the peer says") && told.contains("(37)"), "{told}");
    Ok(())
}

/// Puts other KDCs before the realm's own.
fn with_kdcs(realm: &Realm, kdcs: &[&str], keep: bool) -> Result<(), Failure> {
    let config = fs::read_to_string(&realm.config)?;
    let own = format!("kdc = 127.0.0.1:{}", realm.port);
    assert!(config.contains(&own), "{config}");
    let mut lines: Vec<String> = kdcs.iter().map(|kdc| format!("kdc = {kdc}")).collect();
    if keep {
        lines.push(own.clone());
    }
    fs::write(&realm.config, config.replace(&own, &lines.join("\n")))?;
    Ok(())
}

fn dead_kdc() -> Result<(), Failure> {
    let realm = realm()?;
    // Port 1 refuses; 127.0.0.2 has no such KDC either.
    with_kdcs(&realm, &["127.0.0.1:1", "127.0.0.2:1"], true)?;
    realm.kinit(Side::Own, "alice", &[])?;
    realm.orthros(&["kvno", "host/localhost"], "")?.success().map(drop)
}

fn no_kdc() -> Result<(), Failure> {
    let realm = realm()?;
    with_kdcs(&realm, &["127.0.0.1:1", "127.0.0.2:1"], false)?;
    let finished = realm.orthros(&["kinit", "alice"], "wonderland\n")?.refusal()?;
    for told in ["ERRORS.TEST", "127.0.0.1:1", "127.0.0.2:1"] {
        assert!(finished.stderr.contains(told), "{}", finished.stderr);
    }
    Ok(())
}

fn ended_ticket() -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Mit, "alice", &["-l", "3s"])?;
    let mut patience = 80;
    while realm.peer(Peer::KLIST, &["-s"], "")?.success().is_ok() && patience > 0 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        patience -= 1;
    }
    let finished = realm.orthros(&["kvno", "host/localhost"], "")?.refusal()?;
    assert!(finished.stderr.contains("alice@ERRORS.TEST ended at"), "{}", finished.stderr);
    Ok(())
}
