//! MIT's `kadmin` and `kadmind`: a credential of a cache that lives in libkrb5's memory, and an acceptor whose keys are
//! those of the database.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::realm::on_free_port;
use interop::{Failure, Finished, Running, Side};

use super::{NAME, Row, Stage, listens, must_run_on};

pub(super) const CHANGES: Row = ("kadmin", &[Peer::KADMIND, Peer::KADMIN], changes, |realm| {
    Ok(realm.principal("admin/admin", "queen").service("host/localhost"))
});

/// `kadmind` of the realm's database, when it listens.
fn daemon(stage: &Stage) -> Result<(Running, u16), Failure> {
    fs::write(stage.at("kadm5.acl"), format!("*/admin@{NAME} *\nhost/localhost@{NAME} i\n"))?;
    let folder = stage.at("kadmind");
    fs::create_dir(&folder)?;
    let realms = fs::read_to_string(stage.at("kdc.conf"))?;
    on_free_port(|port| {
        let passwords = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let (row, profile) = ("\t\tacl_file = ", folder.join("kdc.conf"));
        let listening = format!(
            "\t\tkadmind_listen = 127.0.0.1:{port}\n\t\tkpasswd_listen = 127.0.0.1:{passwords}\n{row}"
        );
        fs::write(&profile, realms.replace(row, &listening))?;
        let mut command = stage.daemon(&Peer::KADMIND.find()?, &folder)?;
        command.args(["-nofork", "-r", NAME]).env("KRB5_KDC_PROFILE", profile);
        let mut server = Running::start(command)?.ended_by("TERM");
        server.wait_for("starting...", PATIENCE)?;
        listens(port)?;
        Ok(server)
    })
}

fn changes(stage: &Stage) -> Result<(), Failure> {
    let (mut server, port) = daemon(stage)?;
    must_run_on(stage.server, &server)?;
    let ask = |who: &[&str], query: &str| -> Result<Finished, Failure> {
        let mut command = stage.client(&Peer::KADMIN.find()?)?;
        command.args(["-r", NAME, "-s", &format!("localhost:{port}")]).args(who).args(["-q", query]);
        stage.run(command)
    };
    let told = |why: Failure| {
        why.while_doing(format!(
            "the server: {}",
            fs::read_to_string(stage.at("admin.log")).unwrap_or_default()
        ))
    };
    let queen = ["-p", "admin/admin", "-w", "queen"];
    let created = "Principal \"carol@DAEMONS.TEST\" created.";
    ask(&queen, "addprinc -pw cave carol")?.says(created).map_err(told)?;
    // RPCSEC_GSS (RFC 2203) is the default; before it there was a flavour of its own.
    ask(&[&queen[..], &["-O"]].concat(), "getprinc carol")?
        .says("Principal: carol@DAEMONS.TEST")
        .map_err(told)?;
    let keytab = stage.realm.keytab.display().to_string();
    let host = ["-k", "-t", &keytab, "-p", "host/localhost"];
    ask(&host, "getprinc carol")?.says("Principal: carol@DAEMONS.TEST").map_err(told)?;
    let cache = format!("FILE:{}", stage.at("admin-cache").display());
    stage.realm.kinit(Side::Mit, "admin/admin", &["-S", "kadmin/admin", "-c", &cache])?;
    let made = stage.at("made").display().to_string();
    let by_cache = ask(&["-p", "admin/admin", "-c", &cache], &format!("ktadd -k {made} carol"))?;
    by_cache.says("added to keytab").map_err(told)?;
    stage.realm.peer(Peer::KINIT, &["-k", "-t", &made, "-c", &cache, "carol"], "")?.success()?;
    ask(&["-p", "admin/admin", "-w", "king"], "getprinc carol")?.refusal()?.says("Incorrect password")?;
    ask(&["-p", "bob", "-w", "builder"], "getprinc carol")?.says("Operation requires ``get'' privilege")?;
    assert!(server.is_alive(), "{}", server.stderr());
    Ok(())
}
