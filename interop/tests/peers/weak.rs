//! RC4 and triple DES with real peers: tickets and contexts with the tokens of RFC 1964 where the configuration allows
//! them, refusals where it does not.

use std::fs;

use interop::gss::{self, ClientOptions, Server, ServerOptions};
use interop::peers::Peer;
use interop::{Enctype, Failure, Realm, Scenario, Side};

use crate::matrix;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for enctype in Enctype::WEAK {
        for kdc in Side::ALL {
            list.push(Scenario::new(
                format!("weak::tickets_come_where_allowed_kdc_{kdc}_{enctype}"),
                Peer::MIT,
                move || allowed(kdc, enctype),
            ));
            list.push(Scenario::new(
                format!("weak::nothing_comes_by_default_kdc_{kdc}_{enctype}"),
                Peer::MIT,
                move || by_default(kdc, enctype),
            ));
        }
        for (initiator, acceptor) in [(Side::Mit, Side::Own), (Side::Own, Side::Mit), (Side::Own, Side::Own)]
        {
            list.push(Scenario::new(
                format!("weak::a_weak_ticket_with_a_strong_session_key_initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
                Peer::MIT,
                move || weak_ticket(initiator, acceptor, enctype),
            ));
        }
        for (kdc, initiator, acceptor) in [
            (Side::Mit, Side::Mit, Side::Own),
            (Side::Mit, Side::Own, Side::Mit),
            (Side::Mit, Side::Own, Side::Own),
            (Side::Own, Side::Mit, Side::Own),
            (Side::Own, Side::Own, Side::Mit),
        ] {
            list.push(Scenario::new(
                format!("weak::kdc_{kdc}_initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
                Peer::MIT,
                move || matrix::cell(kdc, initiator, acceptor, enctype),
            ));
        }
    }
    list
}

fn realm(kdc: Side, enctypes: &[Enctype]) -> Result<Realm, Failure> {
    Realm::build("WEAK.TEST")
        .enctypes(enctypes)
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(kdc)
}

/// What stands in the configuration instead of both switches and the lists.
fn configure(realm: &Realm, lines: &str) -> Result<(), Failure> {
    let kept = fs::read_to_string(&realm.config)?;
    let dropped = ["allow_", "permitted_", "default_tkt_", "default_tgs_", "default_etypes"];
    let kept = kept.lines().filter(|line| !dropped.iter().any(|name| line.trim().starts_with(name)));
    let text: String = kept.map(|line| format!("{line}\n")).collect();
    fs::write(&realm.config, text.replacen("[libdefaults]\n", &format!("[libdefaults]\n{lines}\n"), 1))?;
    Ok(())
}

const PLAIN: ClientOptions = ClientOptions {
    krb5: true,
    delegate: false,
    sequence: false,
    no_mutual: false,
    no_replay: false,
    no_encrypt: false,
    no_wrap: false,
    no_mic: false,
    messages: 0,
    contexts: 0,
    service: None,
};

/// AS and TGS exchanges, each side going on with what the other got.
fn allowed(kdc: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = realm(kdc, &[enctype])?;
    realm.kinit(Side::Own, "alice", &["-f"])?;
    realm.orthros(&["kvno", "host/localhost"], "")?.success()?;
    // MIT's tools read what we got, and go on with it.
    let listing = realm.klist(Side::Mit)?;
    assert!(listing.contains(&format!(":{enctype}, DEPRECATED:{enctype}")), "{listing}");
    realm.peer(Peer::KVNO, &["host/localhost"], "")?.success()?;
    // And we with what they got.
    realm.kinit(Side::Mit, "alice", &["-f"])?;
    realm.orthros(&["kvno", "host/localhost"], "")?.success()?;
    Ok(())
}

/// Without a switch nothing weak is asked for, accepted or used, and the user learns why.
fn by_default(kdc: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = realm(kdc, &[enctype])?;
    realm.kinit(Side::Mit, "alice", &[])?;
    configure(&realm, "")?;
    let words = ["kinit", "alice"];
    let refused = realm.orthros(&words, "wonderland\n")?.refusal()?;
    assert!(
        refused.stderr.contains("no common enctype") || refused.stderr.contains("ETYPE_NOSUPP"),
        "{}",
        refused.stderr
    );
    // The cache holds a weak ticket-granting ticket of MIT's.
    let refused = realm.orthros(&["kvno", "host/localhost"], "")?.refusal()?;
    let switch = if enctype == Enctype::Rc4 { "allow_rc4 = true" } else { "allow_des3 = true" };
    assert!(refused.stderr.contains(enctype.name()) && refused.stderr.contains(switch), "{}", refused.stderr);
    Ok(())
}

/// The service has a weak key only, and the KDC knows that it takes better session keys.
fn weak_ticket(initiator: Side, acceptor: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = realm(Side::Mit, &[Enctype::Aes256Sha1, enctype])?;
    let admin = |words: &[&str]| {
        realm.peer(Peer::KADMIN_LOCAL, &[&["-r", "WEAK.TEST"], words].concat(), "")?.success().map(drop)
    };
    let salted = format!("{enctype}:normal");
    let keytab = realm.keytab.display().to_string();
    admin(&["cpw", "-randkey", "-e", &salted, "host/localhost"])?;
    fs::remove_file(&realm.keytab)?;
    admin(&["ktadd", "-norandkey", "-k", &keytab, "host/localhost"])?;
    admin(&["setstr", "host/localhost", "session_enctypes", Enctype::Aes256Sha1.name()])?;
    realm.kinit(initiator, "alice", &[])?;

    let mut server = Server::start(acceptor, &realm, ServerOptions::default())?;
    gss::client(initiator, &realm, server.port, PLAIN, "a message")?
        .success()
        .and_then(|finished| finished.says("Signature verified."))
        .map_err(|why| Failure::new(format!("{why}\n--- the acceptor: {}", server.output())))?;
    server.says("Received message: \"a message\"")?;
    let listing = realm.klist(Side::Mit)?;
    assert!(listing.contains(&format!("{}, DEPRECATED:{enctype}", Enctype::Aes256Sha1)), "{listing}");

    // The same ticket, once the acceptor's configuration no longer allows it.
    configure(&realm, &format!("permitted_enctypes = {}", Enctype::Aes256Sha1))?;
    if acceptor == Side::Own {
        let server = Server::start(acceptor, &realm, ServerOptions::default())?;
        gss::client(initiator, &realm, server.port, PLAIN, "a message")?.refusal()?;
        let output = server.output();
        assert!(output.contains("can't be opened") && output.contains(enctype.name()), "{output}");
    }
    Ok(())
}
