//! Running commands: with their output passed on, or caught, or both.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::Failure;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |given| root().join(given))
}

/// A cargo that works in `folder`, with these arguments separated by blanks.
pub(crate) fn cargo(folder: &Path, words: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).args(words.split_whitespace());
    // What `cargo run` set for this program is not meant for others.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs it with its output passed on; any status but 0 is a failure.
pub(crate) fn must(command: &mut Command) -> Result<(), Failure> {
    let what = describe(command);
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("`{what}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{what}`: {status}").into()) }
}

/// Runs it and returns its standard output; any status but 0 is a failure.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let what = describe(command);
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("`{what}`: {error}"))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    } else {
        Err(format!("`{what}`: {}", done.status).into())
    }
}

/// Runs it, passes both its streams on as they come if `echo`, and hands each line to `line`.
///
/// Both streams go through one pipe, because the order of their lines matters: cargo's headings come by the one,
/// the results by the other.
pub(crate) fn lines(
    command: &Command,
    echo: bool,
    mut line: impl FnMut(&str),
) -> Result<ExitStatus, Failure> {
    let what = describe(command);
    let mut both = Command::new("/bin/sh");
    both.args(["-c", "exec \"$@\" 2>&1", "sh"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        both.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => both.env(name, value),
            None => both.env_remove(name),
        };
    }
    let mut child = both
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("`{what}`: {error}"))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut octets = Vec::new();
        while reader.read_until(b'\n', &mut octets)? > 0 {
            if echo {
                let mut out = std::io::stdout().lock();
                out.write_all(&octets)?;
                out.flush()?;
            }
            line(String::from_utf8_lossy(&octets).trim_end());
            octets.clear();
        }
    }
    Ok(child.wait()?)
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()).into())
        }
        _ => Ok(()),
    }
}

/// Whether a program of this name is in `PATH`, `/usr/sbin` or `/sbin`.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .any(|folder| folder.join(program).is_file())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
