//! Changes the code in small ways and wants to see a test fail.
//!
//! cargo-mutants does it, as `.cargo/mutants.toml` says: the code of context transfer, of messages, of the AP exchange
//! and of the window of sequence numbers, against unit and API tests. A mutant that no test notices is a survivor. Each
//! stands in `xtask/mutants/survivors.txt` with a reason, or the task fails:
//!
//! ```text
//! crates/gss/src/message/window.rs: replace > with >= in Window::take
//!     why no test can tell it from the original, or why none should
//! ```
//!
//! Places within the file are left out, so that rows outlive edits; two such mutants need two rows.

use std::fs;
use std::process::Command;

use crate::copy::Copy;
use crate::shell::{must, root, target};
use crate::{Failure, Options};

const SURVIVORS: &str = "xtask/mutants/survivors.txt";

/// Which package is changed, and whose tests must notice: no package knows those above it.
const PACKAGES: [(&str, &str); 2] =
    [("orthros-gss", "orthros-gss"), ("orthros-krb5", "orthros-krb5,orthros-gss")];

/// Exit statuses of cargo-mutants by which it has done its work: nothing survived; some did; some ran too long.
const DONE: [i32; 3] = [0, 2, 3];

/// `cargo xtask mutants`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let copy = Copy::new("mutants")?;
    copy.reset()?;
    // cargo-mutants would look at the tests of the changed package alone.
    must(&mut undebugged(
        &copy,
        "test --quiet --package orthros-krb5 --package orthros-gss --lib --test api",
    ))
    .map_err(|why| format!("the tests must pass before anything is changed: {why}"))?;
    let mut missed = String::new();
    for (package, testing) in PACKAGES {
        missed += &survivors(&copy, package, testing, options.value("--shard"))?;
    }
    let reasons = fs::read_to_string(root().join(SURVIVORS))?;
    let (unknown, gone) = compare(&missed, &known(&reasons)?);
    for mutant in &unknown {
        println!("  no test notices: {mutant}");
    }
    // A shard sees only some of them.
    if !options.has("--shard") {
        for row in &gone {
            println!("  a test notices it now, its row can go: {row}");
        }
    }
    println!("{} survivors, {} of them without a reason", missed.lines().count(), unknown.len());
    if unknown.is_empty() { Ok(()) } else { Err(format!("{SURVIVORS} lacks their rows").into()) }
}

/// The mutants of a package that no test noticed, a line each.
fn survivors(copy: &Copy, package: &str, testing: &str, shard: Option<&str>) -> Result<String, Failure> {
    copy.reset()?;
    let folder = target().join("mutants").join(package);
    fs::create_dir_all(&folder)?;
    let mut command = undebugged(copy, "mutants --in-place --no-shuffle --baseline skip --timeout 180");
    command.args(["--package", package, "--test-package", testing]).arg("--output").arg(&folder);
    command.args(shard.iter().flat_map(|shard| ["--shard", shard]));
    let status = command.status()?;
    if !status.code().is_some_and(|code| DONE.contains(&code)) {
        return Err(
            format!("cargo mutants: {status}; is it there? `cargo install cargo-mutants --locked`").into()
        );
    }
    Ok(fs::read_to_string(folder.join("mutants.out/missed.txt"))?)
}

/// Cargo in the copy, without what a debugger needs.
fn undebugged(copy: &Copy, words: &str) -> Command {
    let mut command = copy.cargo(words);
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command
}

/// The mutants that have a reason.
fn known(text: &str) -> Result<Vec<String>, Failure> {
    let mut rows: Vec<(String, bool)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        match rows.last_mut() {
            Some((_, reasoned)) if line.starts_with(' ') => *reasoned = true,
            _ => rows.push((line.to_owned(), false)),
        }
    }
    match rows.iter().find(|(_, reasoned)| !reasoned) {
        Some((row, _)) => Err(format!("{SURVIVORS}: no reason: {row}").into()),
        None => Ok(rows.into_iter().map(|(row, _)| row).collect()),
    }
}

/// The survivors without a row, and the rows without a survivor.
fn compare<'t>(missed: &'t str, known: &[String]) -> (Vec<&'t str>, Vec<String>) {
    let mut left = known.to_vec();
    let mut unknown = Vec::new();
    for line in missed.lines() {
        let row = without_place(line);
        match left.iter().position(|known| *known == row) {
            Some(at) => drop(left.swap_remove(at)),
            None => unknown.push(line),
        }
    }
    (unknown, left)
}

/// `path:line:column: what` as `path: what`.
fn without_place(line: &str) -> String {
    let (place, what) = line.split_once(": ").unwrap_or((line, ""));
    let path = place.split(':').next().unwrap_or(place);
    format!("{path}: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_survivor_needs_a_row_of_its_own_wherever_it_stands() {
        let known = known("# why\n\na.rs: replace + with - in f\n    no input reaches it\n").unwrap();
        let missed = "a.rs:1:2: replace + with - in f\na.rs:9:2: replace + with - in f\n";
        let (unknown, gone) = compare(missed, &known);
        assert_eq!(unknown, ["a.rs:9:2: replace + with - in f"]);
        assert_eq!(gone, [""; 0]);
        assert_eq!(compare("", &known).1, known);
    }

    #[test]
    fn a_row_needs_a_reason() {
        assert!(known("a.rs: replace + with - in f\nb.rs: x\n    why\n").is_err());
    }
}
