//! OpenSSH: logins by `gssapi-with-mic` and by key exchange with GSS-API (RFC 4462), with and without delegation.
//!
//! The child of `sshd` that speaks before anybody is authenticated runs as another user, may write to no file, and has
//! few system calls left.

use std::fs;
use std::os::unix::fs::MetadataExt;

use interop::peers::Peer;
use interop::process::{self, PATIENCE};
use interop::realm::on_free_port;
use interop::{Failure, Finished, RealmBuilder, Running};

use super::{NAME, Row, Stage, must_run_on};

pub(super) const LOGINS: Row = ("ssh", &[Peer::SSHD, Peer::SSH, Peer::SSH_KEYGEN], logins, alice_is_us);

/// What the client of this Debian offers, each.
const EXCHANGES: [&str; 6] = [
    "gss-gex-sha1-",
    "gss-group14-sha1-",
    "gss-group14-sha256-",
    "gss-group16-sha512-",
    "gss-nistp256-sha256-",
    "gss-curve25519-sha256-",
];

/// No other way in than by ticket.
const CONFIGURATION: &str = "PidFile none\n\
                             UsePAM no\n\
                             UseDNS no\n\
                             StrictModes no\n\
                             PermitRootLogin yes\n\
                             PasswordAuthentication no\n\
                             KbdInteractiveAuthentication no\n\
                             PubkeyAuthentication no\n\
                             GSSAPIAuthentication yes\n\
                             GSSAPIKeyExchange yes\n\
                             GSSAPICleanupCredentials yes\n\
                             GSSAPIStrictAcceptorCheck no\n\
                             LogLevel DEBUG1\n\
                             PrintMotd no\n\
                             PrintLastLog no\n";

/// The account that runs the tests.
fn us() -> Result<String, Failure> {
    let uid = fs::metadata("/proc/self")?.uid().to_string();
    let list = fs::read_to_string("/etc/passwd")?;
    let line = list.lines().find(|line| line.split(':').nth(2) == Some(&uid));
    let name = line.and_then(|line| line.split(':').next());
    Ok(name.ok_or_else(|| format!("no account has number {uid}"))?.to_owned())
}

/// `alice` may be the account that runs the tests, `bob` may not.
fn alice_is_us(realm: RealmBuilder) -> Result<RealmBuilder, Failure> {
    let us = us()?;
    Ok(realm.service("host/localhost").config(&format!(
        "[realms]\n\t{NAME} = {{\n\t\tauth_to_local_names = {{\n\t\t\talice = {us}\n\t\t}}\n\t}}\n"
    )))
}

/// `sshd`, when it listens, with a key that `known` knows.
fn daemon(stage: &Stage) -> Result<(Running, u16), Failure> {
    let folder = stage.at("ssh");
    fs::create_dir(&folder)?;
    let key = folder.join("key");
    let mut command = stage.realm.command(&Peer::SSH_KEYGEN.find()?);
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key);
    process::run(command, b"")?.success()?;
    if fs::metadata("/proc/self")?.uid() == 0 {
        // The empty root of the child; its place is compiled in.
        fs::create_dir_all("/run/sshd")?;
    }
    let configuration = folder.join("configuration");
    fs::write(
        &configuration,
        format!("{CONFIGURATION}HostKey {}\nListenAddress 127.0.0.1\n", key.display()),
    )?;
    let (server, port) = on_free_port(|port| {
        let mut command = stage.daemon(&Peer::SSHD.find()?, &folder)?;
        command.args(["-D", "-e", "-p", &port.to_string(), "-f"]).arg(&configuration);
        let mut server = Running::start(command)?.ended_by("TERM");
        server.wait_for("Server listening on", PATIENCE)?;
        Ok(server)
    })?;
    let public = fs::read_to_string(folder.join("key.pub"))?;
    fs::write(stage.at("known"), format!("[localhost]:{port} {public}"))?;
    fs::write(stage.at("none-known"), "")?;
    Ok((server, port))
}

/// A login as a person with these options, the host's key known or not; it runs a command there.
fn login(
    stage: &Stage,
    port: u16,
    person: (&'static str, String),
    known: &str,
    options: &[&str],
    remote: &str,
) -> Result<Finished, Failure> {
    let mut command = stage.client(&Peer::SSH.find()?)?;
    command.args(["-F", "/dev/null", "-v", "-p", &port.to_string(), "-l", &us()?]);
    let known = format!("UserKnownHostsFile={}", stage.at(known).display());
    for option in [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "PreferredAuthentications=gssapi-keyex,gssapi-with-mic",
        "GSSAPIAuthentication=yes",
        "IdentitiesOnly=yes",
        "IdentityFile=none",
        &known,
    ]
    .iter()
    .chain(options)
    {
        command.args(["-o", option]);
    }
    command.args(["localhost", remote]).envs([person]);
    stage.run(command)
}

fn logins(stage: &Stage) -> Result<(), Failure> {
    let (mut server, port) = daemon(stage)?;
    must_run_on(stage.server, &server)?;
    let told = |why: Failure, server: &Running| why.while_doing(format!("the server: {}", server.stderr()));
    // What came with the login: the cache in the session, or none.
    let klist = format!("KRB5_CONFIG={} klist", stage.realm.config.display());
    let look = format!("if [ -n \"$KRB5CCNAME\" ]; then {klist}; else echo no cache; fi");
    let alone = |option| ["GSSAPIKeyExchange=no", option];
    let enter = |known, options: &[&str]| login(stage, port, stage.alice(), known, options, &look);
    let delegated = |finished: Finished| {
        finished
            .success()?
            .says(&format!("Default principal: alice@{NAME}"))?
            .says(&format!("krbtgt/{NAME}@{NAME}"))
    };
    enter("known", &alone("GSSAPIDelegateCredentials=no"))
        .and_then(|finished| finished.success()?.says("no cache")?.says("using \"gssapi-with-mic\""))
        .map_err(|why| told(why, &server))?;
    enter("known", &alone("GSSAPIDelegateCredentials=yes"))
        .and_then(delegated)
        .map_err(|why| told(why, &server))?;
    // Where no key of the host is known, the exchange itself has to prove who it is.
    enter("none-known", &alone("GSSAPIDelegateCredentials=no"))?
        .refusal()?
        .says("Host key verification failed")?;
    for exchange in EXCHANGES {
        let named = format!("GSSAPIKexAlgorithms={exchange}");
        enter("none-known", &["GSSAPIKeyExchange=yes", "GSSAPIDelegateCredentials=yes", &named])
            .and_then(delegated)
            .and_then(|finished| {
                finished.says(&format!("kex: algorithm: {exchange}"))?.says("using \"gssapi-keyex\"")
            })
            .map_err(|why| told(why.while_doing(exchange), &server))?;
    }
    let options = ["GSSAPIKeyExchange=yes", "RekeyLimit=1M"];
    let much = login(stage, port, stage.alice(), "none-known", &options, "head -c 3000000 /dev/zero")?;
    let much = much.success()?.says("rekeying in progress")?;
    assert_eq!(much.stdout.len(), 3_000_000);
    refused(stage, port)?;
    assert!(server.is_alive(), "{}", server.stderr());
    Ok(())
}

fn refused(stage: &Stage, port: u16) -> Result<(), Failure> {
    let own = "GSSAPIKeyExchange=no";
    for (person, options) in [
        (stage.bob(), &[own][..]),
        (stage.nobody(), &[own]),
        (stage.alice(), &[own, "GSSAPIServerIdentity=nobody.test"]),
    ] {
        login(stage, port, person, "known", options, "true")?.refusal()?.says("Permission denied")?;
    }
    Ok(())
}
