//! `c/inquiry.c`: what a GSS library says about its krb5 mechanism and about names, without a realm or a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::failure::Failure;
use crate::peers::Peer;
use crate::process;
use crate::sample;

/// A library to be asked, and the configuration that it is asked under.
#[derive(Debug)]
pub struct Inquiry {
    library: Peer,
    folder: TempDir,
}

impl Inquiry {
    /// Of `library`, under the `krb5.conf` of this text.
    ///
    /// # Errors
    /// The configuration can't be written.
    pub fn new(library: Peer, configuration: &str) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("krb5.conf"), configuration)?;
        Ok(Self { library, folder })
    }

    /// What the program answers to these words: lines of a key, a colon and a value, in their order.
    ///
    /// # Errors
    /// The library is missing, the C compiler failed, or the program did.
    pub fn ask(&self, words: &[&str]) -> Result<Vec<(String, String)>, Failure> {
        let mut command = Command::new(program()?);
        command.arg(self.library.find()?).args(words).env_clear();
        command.env("KRB5_CONFIG", self.folder.path().join("krb5.conf"));
        command.envs(self.library.libraries().map(|libraries| ("LD_LIBRARY_PATH", libraries)));
        let said = process::run(command, b"")?.success()?.stdout;
        let lines = said.lines().filter_map(|line| line.split_once(": "));
        Ok(lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }
}

/// The program, built once in each run.
fn program() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| sample::build(&["inquiry"]).map_err(|why| why.to_string()))
        .as_deref()
        .map_err(|why| Failure::new(why.clone()))
}
