//! The mechanism is negotiated (RFC 4178): {MIT, Heimdal, ours} initiator x {MIT, Heimdal, ours} acceptor, one of them
//! ours, for every kind of context; with the list of mechanisms proved by both ends where our acceptor demands it.

use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::{Failure, Realm, Scenario, Side, sample};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for initiator in [Side::Mit, Side::Heimdal, Side::Own] {
        for acceptor in [Side::Mit, Side::Heimdal, Side::Own] {
            let theirs: Vec<Peer> = [initiator, acceptor]
                .into_iter()
                .filter(|side| *side != Side::Own)
                .map(sample::library)
                .collect();
            let mut add = |name: &str, run: fn(Side, Side) -> Result<(), Failure>| {
                let name = format!("negotiation::initiator_{initiator}_acceptor_{acceptor}_{name}");
                list.push(Scenario::new(name, &[sample::NEEDS, &theirs].concat(), move || {
                    run(initiator, acceptor)
                }));
            };
            if initiator == Side::Own || acceptor == Side::Own {
                add("agrees_on_kerberos", agree);
                add("tells_a_refusal", refuse);
            }
            if acceptor == Side::Own {
                add("proves_its_offer", prove);
            }
        }
    }
    list
}

fn realm() -> Result<Realm, Failure> {
    Realm::build("NEGOTIATION.TEST")
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)
}

fn talk(
    realm: &Realm,
    initiator: Side,
    acceptor: Side,
    wishes: &[&str],
    demands: &[&str],
) -> Result<(), Failure> {
    let (mut server, port) = sample::serve(acceptor, realm, &[&["-verbose"], demands].concat())?;
    let asked = [&["-spnego"], wishes].concat();
    sample::run(initiator, realm, port, &asked, "a message")?
        .success()
        .and_then(|finished| finished.says("Signature verified."))
        .map_err(|why| {
            why.while_doing(format!("{wishes:?}; the acceptor: {}{}", server.stdout(), server.stderr()))
        })?;
    server.wait_for("Accepted connection: \"alice@NEGOTIATION.TEST\"", PATIENCE)?;
    server.wait_for("Received message: \"a message\"", PATIENCE)
}

fn agree(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &["-f"])?;
    for wishes in [&[][..], &["-sequence"], &["-no-mutual"], &["-dce"], &["-no-encrypt"]] {
        let theirs =
            |word: &&str| if *word == "-no-mutual" { "-nomutual".to_owned() } else { (*word).to_owned() };
        let words: Vec<String> = match initiator {
            Side::Own => wishes.iter().map(|word| (*word).to_owned()).collect(),
            Side::Mit | Side::Heimdal => wishes.iter().map(theirs).collect(),
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        talk(&realm, initiator, acceptor, &words, &[])?;
    }
    Ok(())
}

fn prove(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &[])?;
    talk(&realm, initiator, acceptor, &[], &["-proved-offer"])
}

/// The keytab's key is not the ticket's: the acceptor's reason reaches the initiator through the negotiation.
fn refuse(initiator: Side, acceptor: Side) -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &[])?;
    let keytab = realm.keytab.display().to_string();
    realm.orthros(&["keytab", "remove", &keytab, "-p", "host/localhost"], "")?.success()?;
    let key = [
        "keytab",
        "add",
        &keytab,
        "-p",
        "host/localhost",
        "-k",
        "2",
        "-e",
        "aes256-cts-hmac-sha1-96",
        "--random-key",
    ];
    realm.orthros(&key, "")?.success()?;
    let (_server, port) = sample::serve(acceptor, &realm, &["-verbose"])?;
    let finished = sample::run(initiator, &realm, port, &["-spnego"], "a message")?;
    let said = format!("{}{}", finished.stdout, finished.stderr);
    assert!(finished.success().is_err(), "{said}");
    assert!(!said.contains("Signature verified."), "{said}");
    // Heimdal's acceptor rejects without a reason.
    let reason = if acceptor == Side::Heimdal { "ended the negotiation" } else { "the peer says" };
    assert!(initiator != Side::Own || said.contains(reason), "{said}");
    Ok(())
}
