//! `c/k5crypto.c`: MIT's cryptography behind questions and answers of one line each.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::peers::Peer;
use crate::{process, sample};

/// What MIT's library answers to these questions, in their order; the C file tells their form.
///
/// # Errors
/// The library is missing, the C compiler failed, or a question is none.
pub fn answers(questions: &str) -> Result<Vec<String>, Failure> {
    let mut command = Command::new(program()?);
    command.arg(Peer::MIT_CRYPTO.find()?);
    let finished = process::run(command, questions.as_bytes())?.success()?;
    Ok(finished.stdout.lines().map(str::to_owned).collect())
}

/// The program, built once in each run.
fn program() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| sample::build(&["k5crypto"]).map_err(|why| why.to_string()))
        .as_deref()
        .map_err(|why| Failure::new(why.clone()))
}
