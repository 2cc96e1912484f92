//! Plants known faults in a copy of the tree and wants to see a test fail.
//!
//! A fault is a patch `xtask/faults/NAME.patch` whose first lines say which tests must notice it, each of them:
//! `# test: -p orthros-gss --test api transfer::second_import_is_refused` (arguments of `cargo test`). Per fault, in this
//! order: the tests pass without the patch, the patch applies, the tree with it still builds, each test fails. A
//! patch that has gone stale is thereby an error, and so is a test that fails for another reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::copy::Copy;
use crate::shell::{self, root};
use crate::tally::Tally;
use crate::{Failure, Options};

/// `cargo xtask faults`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let faults = faults(options.value("--only"))?;
    let copy = Copy::new("faults")?;
    let mut tally = Tally::default();
    let mut sound = BTreeSet::new();
    for (name, fault) in &faults {
        fault.tests.iter().for_each(|test| println!("fault {name}: cargo test {test}"));
        match fault.noticed(&copy, &mut sound) {
            Ok(tests) => {
                println!("    noticed by {tests}");
                tally.passed += 1;
            }
            Err(why) => {
                println!("    NOT NOTICED: {why}");
                tally.fail(format!("fault {name}: {why}"));
            }
        }
    }
    println!("{}", tally.summary());
    if tally.failed == 0 { Ok(()) } else { Err("faults went unnoticed".into()) }
}

/// A patch, and what must notice it: the arguments of `cargo test`, for each test.
struct Fault {
    patch: PathBuf,
    tests: Vec<String>,
}

fn faults(only: Option<&str>) -> Result<BTreeMap<String, Fault>, Failure> {
    let mut faults = BTreeMap::new();
    for entry in fs::read_dir(root().join("xtask/faults"))? {
        let patch = entry?.path();
        let Some(name) = patch.file_name().and_then(|name| name.to_str()?.strip_suffix(".patch")) else {
            continue;
        };
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let text = fs::read_to_string(&patch)?;
        let tests = named_tests(&text).ok_or_else(|| {
            format!("{name}.patch: its first line is not `# test: ARGUMENTS OF CARGO TEST`")
        })?;
        faults.insert(name.to_owned(), Fault { tests, patch });
    }
    match only {
        Some(only) if faults.is_empty() => Err(format!("no patch is called {only}").into()),
        _ => Ok(faults),
    }
}

fn named_tests(patch: &str) -> Option<Vec<String>> {
    let tests: Vec<String> = patch
        .lines()
        .map_while(|line| line.strip_prefix("# test:"))
        .map(|test| test.trim().to_owned())
        .collect();
    (!tests.is_empty() && !tests.contains(&String::new())).then_some(tests)
}

impl Fault {
    /// The tests that failed because of the fault. `sound` holds those that are known to pass without any.
    fn noticed(&self, copy: &Copy, sound: &mut BTreeSet<String>) -> Result<String, Failure> {
        copy.reset()?;
        for test in self.tests.iter().filter(|test| !sound.contains(*test)).collect::<Vec<_>>() {
            build(copy, test).map_err(|why| format!("without the fault: {why}"))?;
            let tally = run_test(copy, test)?;
            if tally.failed > 0 || tally.passed == 0 {
                return Err(format!("without the fault, {test} should pass: {}", tally.summary()).into());
            }
            sound.insert(test.clone());
        }
        shell::must(Command::new("git").current_dir(&copy.tree).arg("apply").arg(&self.patch))
            .map_err(|why| format!("the patch no longer applies: {why}"))?;
        let mut failures = Vec::new();
        for test in &self.tests {
            build(copy, test)?;
            let tally = run_test(copy, test)?;
            if tally.failed == 0 {
                return Err(format!("{test} passes with the fault: {}", tally.summary()).into());
            }
            failures.extend(tally.failures);
        }
        Ok(failures.join(", "))
    }
}

fn build(copy: &Copy, test: &str) -> Result<(), Failure> {
    shell::must(&mut copy.cargo(&format!("test --quiet --no-run {}", before_filter(test))))
}

fn run_test(copy: &Copy, test: &str) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let status = shell::lines(&copy.cargo(&format!("test {test}")), false, |line| tally.line(line))?;
    tally.end(status);
    Ok(tally)
}

/// The arguments up to the name of the test: what building needs.
fn before_filter(test: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut words = test.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "-p" | "--package" | "--test" | "--bin" | "--features" => {
                kept.push(word);
                kept.extend(words.next());
            }
            "--" => break,
            word if word.starts_with('-') => kept.push(word),
            _ => {}
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_without_a_test_is_refused() {
        assert_eq!(named_tests("# test: -p a b\ndiff"), Some(vec!["-p a b".to_owned()]));
        assert_eq!(named_tests("# test: a\n# test: b\ndiff\n# test: c").unwrap_or_default(), ["a", "b"]);
        assert_eq!(named_tests("# test: a\n# test:\ndiff"), None);
        assert_eq!(named_tests("# test:\ndiff"), None);
        assert_eq!(named_tests("diff"), None);
    }

    #[test]
    fn the_filter_is_not_taken_for_an_option() {
        assert_eq!(before_filter("-p a --test t some::name -- --exact"), "-p a --test t");
        assert_eq!(before_filter("--package=a --lib name"), "--package=a --lib");
    }
}
