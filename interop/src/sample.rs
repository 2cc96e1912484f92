//! `c/sample.c`, `c/pieces.c`: both ends of the samples' protocol on any GSS library, opened by its path.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::gss::SERVICE;
use crate::peers::{self, Peer};
use crate::process::{self, Finished, PATIENCE, Running};
use crate::realm::{Realm, Side, on_free_port, orthros};

/// What a realm of MIT's KDC needs, and the sample.
pub const NEEDS: &[Peer] = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::CC, Peer::C_HEADERS];

/// A command that runs `c/sample.c` on this library in a realm; what follows is `client` or `server` and so on.
///
/// # Errors
/// The library is missing, or the C compiler failed.
pub fn command(library: Peer, realm: &Realm) -> Result<Command, Failure> {
    let mut command = realm.command(program()?);
    command.arg(library.find()?);
    command.envs(library.libraries().map(|libraries| ("LD_LIBRARY_PATH", libraries)));
    Ok(command)
}

/// Starts an acceptor that knows the sample's options: the sample on MIT's or Heimdal's library, or ours, whose
/// options have two dashes.
///
/// # Errors
/// The program is missing, or did not say that it listens.
pub fn serve(side: Side, realm: &Realm, options: &[&str]) -> Result<(Running, u16), Failure> {
    on_free_port(|port| {
        let mut command = end(side, realm, "server", port, options)?;
        command.arg(SERVICE);
        let mut process = Running::start(command)?;
        process.wait_for("starting...", PATIENCE)?;
        Ok(process)
    })
}

/// Runs an initiator that knows the sample's options until it ends; a bad exit status is not an error here.
///
/// # Errors
/// The program is missing or did not end in time.
pub fn run(
    side: Side,
    realm: &Realm,
    port: u16,
    options: &[&str],
    message: &str,
) -> Result<Finished, Failure> {
    let mut command = end(side, realm, "client", port, options)?;
    if side == Side::Own {
        command.arg("localhost");
    }
    command.args([SERVICE, message]);
    process::run(command, b"")
}

/// The library of a side that is not ours.
pub fn library(side: Side) -> Peer {
    if side == Side::Heimdal { Peer::HEIMDAL_GSS } else { Peer::MIT_GSS }
}

fn end(side: Side, realm: &Realm, role: &str, port: u16, options: &[&str]) -> Result<Command, Failure> {
    let mut command = match side {
        Side::Mit | Side::Heimdal => command(library(side), realm)?,
        Side::Own => {
            let mut command = realm.command(orthros()?);
            command.arg("gss");
            command
        }
    };
    let dash = if side == Side::Own { "-" } else { "" };
    command.args([role, &format!("{dash}-port"), &port.to_string()]);
    command.args(options.iter().map(|option| match option.starts_with('-') {
        true => format!("{dash}{option}"),
        false => (*option).to_owned(),
    }));
    Ok(command)
}

/// The program, built once in each run. Its first argument is a library.
///
/// # Errors
/// The C compiler failed.
pub fn program() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| build(&["sample", "pieces"]).map_err(|why| why.to_string()))
        .as_deref()
        .map_err(|why| Failure::new(why.clone()))
}

/// Compiles `c/NAME.c` of each name into one program, which may open libraries, and which has the first one's name.
pub(crate) fn build(names: &[&str]) -> Result<PathBuf, Failure> {
    let folder = peers::target().join("peers");
    fs::create_dir_all(&folder)?;
    let name = names.first().ok_or("no file to compile")?;
    let program = folder.join(name);
    // Another run may be executing the one that is there: it is replaced, not written to.
    let fresh = folder.join(format!("{name}-{}", std::process::id()));
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("c");
    let mut command = Command::new(Peer::CC.find()?);
    command.args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&fresh);
    command.args(names.iter().map(|name| sources.join(format!("{name}.c")))).arg("-ldl");
    process::run(command, b"")?.success()?;
    fs::rename(&fresh, &program)?;
    Ok(program)
}
