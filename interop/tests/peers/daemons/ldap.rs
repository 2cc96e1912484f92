//! OpenLDAP: SASL's GSSAPI, GSS-SPNEGO and GS2-KRB5 by Cyrus SASL, and how strong each side says the connection is.

use std::fs;

use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::realm::on_free_port;
use interop::{Enctype, Failure, Finished, Running};

use super::{Account, NAME, Row, Stage, listens, must_run_on};

pub(super) const BINDS: Row = (
    "ldap",
    &[Peer::SLAPD, Peer::LDAPWHOAMI, Peer::LDAPSEARCH, Peer::SASL_GSSAPI, Peer::SASL_GS2],
    binds,
    |realm| Ok(realm.service("ldap/localhost").enctypes(&[Enctype::Aes256Sha2])),
);

/// `slapd`, when it listens.
fn directory(stage: &Stage) -> Result<(Running, u16), Failure> {
    let account = Account::of("openldap")?;
    let folder = stage.folder_of(account, "ldap")?;
    stage.folder_of(account, "ldap/data")?;
    account.owns(&stage.realm.keytab)?;
    let here = folder.display();
    let configuration = folder.join("slapd.conf");
    fs::write(
        &configuration,
        format!(
            "include /etc/ldap/schema/core.schema\n\
             modulepath /usr/lib/ldap\n\
             moduleload back_mdb\n\
             pidfile {here}/pid\n\
             sasl-host localhost\n\
             sasl-realm {NAME}\n\
             authz-regexp ^uid=([^,@]*)[^,]*,.*cn=auth$ uid=$1,dc=test\n\
             access to * by dn.exact=\"uid=alice,dc=test\" read by * none\n\
             database mdb\n\
             suffix dc=test\n\
             directory {here}/data\n"
        ),
    )?;
    on_free_port(|port| {
        let mut command = stage.daemon(&Peer::SLAPD.find()?, &folder)?;
        command.args(["-d", "stats", "-h", &format!("ldap://127.0.0.1:{port}/"), "-f"]).arg(&configuration);
        account.runs(&mut command);
        let mut server = Running::start(command)?.ended_by("TERM");
        server.wait_for("slapd starting", PATIENCE)?;
        listens(port)?;
        Ok(server)
    })
}

/// A client's program of OpenLDAP, as a person, with a mechanism of SASL and properties that it asks for.
fn ask(
    stage: &Stage,
    port: u16,
    program: Peer,
    person: (&'static str, String),
    (mechanism, properties): (&str, &str),
    words: &[&str],
) -> Result<Finished, Failure> {
    let mut command = stage.client(&program.find()?)?;
    // Not the name that the address has, which is the machine's; and GS2 asks for a name if it is given none.
    command.args(["-N", "-H", &format!("ldap://localhost:{port}/"), "-Y", mechanism, "-U", "alice"]);
    command.args(["-O", properties]).args(words).envs([person]);
    stage.run(command)
}

fn binds(stage: &Stage) -> Result<(), Failure> {
    let (mut server, port) = directory(stage)?;
    must_run_on(stage.server, &server)?;
    let told = |why: Failure, server: &Running| why.while_doing(format!("the server: {}", server.stderr()));
    // The strength is that of the session key, or 1 for signatures only; GS2 has no layer of protection.
    for (mechanism, properties, strength) in [
        ("GSSAPI", "minssf=128", 256),
        ("GSSAPI", "minssf=1,maxssf=1", 1),
        ("GSSAPI", "maxssf=0", 0),
        ("GSS-SPNEGO", "minssf=128", 256),
        ("GSS-SPNEGO", "maxssf=0", 0),
        ("GS2-KRB5", "maxssf=0", 0),
    ] {
        let finished = ask(stage, port, Peer::LDAPWHOAMI, stage.alice(), (mechanism, properties), &[])?;
        finished
            .success()
            .and_then(|finished| finished.says("dn:uid=alice,dc=test"))
            .and_then(|finished| finished.says(&format!("SASL SSF: {strength}\n")))
            .map_err(|why| told(why.while_doing(format!("{mechanism} {properties}")), &server))?;
        server.wait_for(&format!("mech={mechanism} bind_ssf={strength} ssf={strength}"), PATIENCE)?;
    }
    // Some packets of answer, sealed.
    let schema = ["-b", "cn=Subschema", "-s", "base", "+"];
    let search =
        |person, words: &[&str]| ask(stage, port, Peer::LDAPSEARCH, person, ("GSSAPI", "minssf=128"), words);
    let found = search(stage.alice(), &schema)?.success().map_err(|why| told(why, &server))?;
    assert!(found.stdout.len() > 20_000 && found.stdout.contains("objectClasses:"), "{}", found.stdout.len());
    let unseen = search(stage.bob(), &schema)?;
    assert!(!unseen.stdout.contains("objectClasses:"), "{unseen:?}");
    search(stage.nobody(), &schema)?.refusal()?.says("Local error (-2)")?;
    assert!(server.is_alive(), "{}", server.stderr());
    Ok(())
}
