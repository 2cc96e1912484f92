//! `c/profile.c`: what MIT krb5's library makes of configuration files, durations and local names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::Failure;
use crate::peers::Peer;
use crate::process;
use crate::sample;

/// What [`ask`] needs.
pub const NEEDS: &[Peer] = &[Peer::MIT_KRB5, Peer::CC, Peer::C_HEADERS];

/// Puts requests (a word and its fields) to the library, all in one process; each is answered by lines.
///
/// # Errors
/// The library is missing, the C compiler failed, or an answer is.
pub fn ask<F: AsRef<[u8]>>(requests: &[(&str, Vec<F>)]) -> Result<Vec<Vec<String>>, Failure> {
    let mut input = String::new();
    for (what, fields) in requests {
        input.push_str(what);
        for field in fields {
            input.push('\t');
            input.extend(field.as_ref().iter().map(|octet| format!("%{octet:02X}")));
        }
        input.push('\n');
    }
    let mut command = Command::new(program()?);
    command.arg(Peer::MIT_KRB5.find()?).env_clear();
    let said = process::run(command, input.as_bytes())?.success()?.stdout;
    let mut answers = vec![Vec::new()];
    for line in said.lines() {
        match answers.last_mut() {
            Some(answer) if line != "." => answer.push(line.to_owned()),
            _ => answers.push(Vec::new()),
        }
    }
    answers.pop();
    if answers.len() == requests.len() {
        Ok(answers)
    } else {
        Err(Failure::new(format!("{} requests, {} answers", requests.len(), answers.len())))
    }
}

/// The program, built once in each run.
fn program() -> Result<&'static Path, Failure> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| sample::build(&["profile"]).map_err(|why| why.to_string()))
        .as_deref()
        .map_err(|why| Failure::new(why.clone()))
}

/// The text behind an answer's `%XX`; octets that are not UTF-8 are replaced, as we do.
pub fn plain(escaped: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = escaped.as_bytes();
    while let Some((&octet, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| octet == b'%') {
            Some(escaped) => {
                octets.push(escaped);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                octets.push(octet);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
