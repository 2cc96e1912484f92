//! `c/sample.c`: both ends of the samples' protocol on any GSS library, opened by its path.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::peers::{self, Peer};
use crate::process;
use crate::realm::Realm;

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

/// The program, built once in each run.
fn program() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| build().map_err(|why| why.to_string()))
        .as_deref()
        .map_err(|why| Failure::new(why.clone()))
}

fn build() -> Result<PathBuf, Failure> {
    let folder = peers::target().join("peers");
    fs::create_dir_all(&folder)?;
    let program = folder.join("sample");
    // Another run may be executing the one that is there: it is replaced, not written to.
    let fresh = folder.join(format!("sample-{}", std::process::id()));
    let mut command = Command::new(Peer::CC.find()?);
    command.args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&fresh);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("c/sample.c")).arg("-ldl");
    process::run(command, b"")?.success()?;
    fs::rename(&fresh, &program)?;
    Ok(program)
}
