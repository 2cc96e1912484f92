//! PostgreSQL: `psql` and a cluster of its own, with and without encryption by GSS-API.

use std::fs;

use interop::peers::Peer;
use interop::process::{self, PATIENCE};
use interop::realm::on_free_port;
use interop::{Failure, Finished, Running};

use super::{Account, NAME, Row, Stage, must_run_on};

pub(super) const LOGINS: Row = ("postgres", &[Peer::POSTGRES, Peer::INITDB, Peer::PSQL], logins, |realm| {
    Ok(realm.service("postgres/localhost"))
});

/// Who may come, and how: into `sealed` with encryption only, into `plain` without only, where a map gives the name.
const ADMISSION: &str = "local all owner trust\n\
                         hostgssenc sealed all 127.0.0.1/32 gss include_realm=0 krb_realm=DAEMONS.TEST\n\
                         hostnogssenc plain all 127.0.0.1/32 gss include_realm=1 map=people\n";

/// What the server knows of the connection.
const WHO: &str =
    "select gss_authenticated, encrypted, principal from pg_stat_gssapi where pid = pg_backend_pid()";

/// A cluster that has `alice`, `bob` and two databases, when it listens.
fn cluster(stage: &Stage) -> Result<(Running, u16), Failure> {
    let account = Account::of("postgres")?;
    let folder = stage.folder_of(account, "postgres")?;
    account.owns(&stage.realm.keytab)?;
    let data = folder.join("data");
    let mut command = stage.daemon(&Peer::INITDB.find()?, &folder)?;
    command.args(["-U", "owner", "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale", "-D"]).arg(&data);
    account.runs(&mut command);
    process::run(command, b"")?.success()?;
    for (name, text) in [("pg_hba.conf", ADMISSION), ("pg_ident.conf", "people /^(.*)@DAEMONS.TEST$ \\1\n")] {
        fs::write(data.join(name), text)?;
    }
    let (server, port) = on_free_port(|port| {
        let mut command = stage.daemon(&Peer::POSTGRES.find()?, &folder)?;
        command.arg("-D").arg(&data);
        let sockets = folder.display().to_string();
        let keytab = format!("FILE:{}", stage.realm.keytab.display());
        for (name, value) in [
            ("port", port.to_string().as_str()),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", &sockets),
            ("krb_server_keyfile", &keytab),
            ("fsync", "off"),
            ("max_connections", "10"),
            ("log_connections", "on"),
        ] {
            command.args(["-c", &format!("{name}={value}")]);
        }
        account.runs(&mut command);
        // "Fast": it ends its connections and leaves no shared memory behind.
        let mut server = Running::start(command)?.ended_by("INT");
        server.wait_for("database system is ready", PATIENCE)?;
        Ok(server)
    })?;
    let setup =
        "create role alice login; create role bob login;\ncreate database sealed;\ncreate database plain;\n";
    let mut command = stage.realm.command(&Peer::PSQL.find()?);
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "owner", "-p", &port.to_string(), "-h"]);
    command.arg(&folder).arg("postgres");
    process::run(command, setup.as_bytes())?.success()?;
    Ok((server, port))
}

/// `psql` with these words of a connection, in this environment, until it has run the commands.
fn psql(
    stage: &Stage,
    port: u16,
    words: &str,
    environment: Option<(&'static str, String)>,
    commands: &[&str],
) -> Result<Finished, Failure> {
    let mut command = stage.client(&Peer::PSQL.find()?)?;
    command.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
    command.arg(format!("host=localhost hostaddr=127.0.0.1 port={port} sslmode=disable {words}"));
    command.args(commands.iter().flat_map(|text| ["-c", text])).envs(environment);
    stage.run(command)
}

fn logins(stage: &Stage) -> Result<(), Failure> {
    let (mut server, port) = cluster(stage)?;
    must_run_on(stage.server, &server)?;
    let log = |why: Failure, server: &Running| why.while_doing(format!("the server: {}", server.stderr()));
    let sealed = "dbname=sealed user=alice gssencmode=require";
    for (words, answer) in [
        (sealed, "t|t|alice"),
        ("dbname=sealed user=alice gssencmode=prefer", "t|t|alice"),
        ("dbname=plain user=alice gssencmode=disable", "t|f|alice"),
    ] {
        let finished = psql(stage, port, words, None, &[WHO])?.success().map_err(|why| log(why, &server))?;
        assert_eq!(finished.stdout.trim(), format!("{answer}@{NAME}"), "{words}");
    }
    bulk(stage, port, sealed).map_err(|why| log(why, &server))?;
    for (words, environment) in [
        (sealed, stage.bob()),
        (sealed, stage.nobody()),
        ("dbname=sealed user=alice gssencmode=require krbsrvname=nobody", stage.alice()),
        ("dbname=plain user=alice gssencmode=disable", stage.bob()),
    ] {
        psql(stage, port, words, Some(environment), &[WHO])?.refusal()?.says("GSSAPI")?;
    }
    assert!(server.is_alive(), "{}", server.stderr());
    Ok(())
}

/// More than one packet of 16 KiB each way, sealed, and nothing is lost.
fn bulk(stage: &Stage, port: u16, words: &str) -> Result<(), Failure> {
    let all: String = (1..=100_000).map(|number| format!("{number:08}")).collect();
    let made = "select string_agg(to_char(i, 'FM00000000'), '') from generate_series(1, 100000) i";
    let down = psql(stage, port, words, None, &[made])?.success()?;
    assert!(down.stdout.trim_end() == all, "{} octets came", down.stdout.len());
    let file = stage.at("numbers");
    fs::write(&file, format!("{all}\n"))?;
    let copy = format!("\\copy t from '{}'", file.display());
    let same = format!("select x = ({made}) from t");
    let up = psql(stage, port, words, None, &["create temp table t(x text)", &copy, &same])?.success()?;
    assert_eq!(up.stdout.lines().last(), Some("t"), "{up:?}");
    Ok(())
}
