//! Sun RPC: calls with RPCSEC_GSS (RFC 2203) by libtirpc, at each level of protection.

use std::path::PathBuf;

use interop::c_library::{self, Kind, Maker};
use interop::gss::SERVICE;
use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::{Failure, Finished, Running};

use super::{Account, NAME, Row, Stage, must_run_on};

pub(super) const CALLS: Row = (
    "rpc",
    &[
        Peer::TIRPC_HEADERS,
        Peer::C_HEADERS,
        Peer::MIT_GSS,
        Peer::MIT_KRB5,
        Peer::MIT_HEADERS,
        Peer::COM_ERR_HEADER,
    ],
    calls,
    |realm| Ok(realm.service("host/localhost")),
);

fn program(stage: &Stage, library: Maker) -> Result<PathBuf, Failure> {
    let options = ["-I/usr/include/tirpc", "-ltirpc"];
    c_library::compile_with("rpc", library, Kind::Pie, stage.realm.folder(), &options)
}

fn calls(stage: &Stage) -> Result<(), Failure> {
    let account = Account::of("nobody")?;
    account.owns(&stage.realm.keytab)?;
    let folder = stage.folder_of(account, "rpc")?;
    let mut command = stage.daemon(&program(stage, stage.server)?, &folder)?;
    command.args(["server", SERVICE]);
    account.runs(&mut command);
    let mut server = Running::start(command)?;
    let line = server.first_line(PATIENCE)?;
    let port = line.strip_prefix("listening on ").ok_or_else(|| format!("it names no port: {line}"))?;
    must_run_on(stage.server, &server)?;
    let program = program(stage, stage.client)?;
    let call = |service: &str, environment: (&'static str, String)| -> Result<Finished, Failure> {
        let mut command = stage.client(&program)?;
        command.args(["client", service, port]).envs([environment]);
        stage.run(command)
    };
    let finished = call(SERVICE, stage.alice())?
        .success()
        .map_err(|why| why.while_doing(format!("the server: {}", server.stderr())))?;
    // rpcsec_gss_svc_none, _integrity, _privacy.
    let answers: String = (1..=3)
        .flat_map(|level| [0, 1, 4096, 8000].map(|octets| (level, octets)))
        .map(|(level, octets)| format!("alice@{NAME} at level {level}: {octets} octets\n"))
        .collect();
    assert_eq!(finished.stdout, answers, "{}", finished.stderr);
    assert!(call(SERVICE, stage.bob())?.success()?.stdout.starts_with("bob@"));
    call(SERVICE, stage.nobody())?.refusal()?.says("no context")?;
    call("nobody@localhost", stage.alice())?.refusal()?.says("no context")?;
    assert!(server.is_alive(), "{}", server.stderr());
    Ok(())
}
