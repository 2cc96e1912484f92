//! Plants known faults in a copy of the tree and wants to see a test fail.
//!
//! A fault is a patch `xtask/faults/NAME.patch` whose first lines say which tests must notice it, each of them:
//! `# test: -p orthros-gss --test transfer second_import_is_refused` (arguments of `cargo test`). Per fault, in this
//! order: the tests pass without the patch, the patch applies, the tree with it still builds, each test fails. A
//! patch that has gone stale is thereby an error, and so is a test that fails for another reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, cargo, root, target};
use crate::tally::Tally;
use crate::{Failure, Options};

/// `cargo xtask faults`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let faults = faults(options.value("--only"))?;
    let copy = Copy::new()?;
    let mut tally = Tally::default();
    let mut sound = BTreeSet::new();
    for (name, fault) in &faults {
        fault.tests.iter().for_each(|test| println!("fault {name}: cargo test {test}"));
        match copy.notices(fault, &mut sound) {
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

/// A copy of the tree, with build products of its own. It stays between runs, so that only what differs is compiled.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn new() -> Result<Self, Failure> {
        let copy = Self { tree: target().join("faults/tree"), target: target().join("faults/target") };
        fs::create_dir_all(&copy.tree)?;
        // A repository of its own: `git apply` would otherwise take paths as relative to the outer one.
        shell::must(Command::new("git").current_dir(&copy.tree).args(["init", "--quiet"]))?;
        Ok(copy)
    }

    /// The tests that failed because of the fault. `sound` holds those that are known to pass without any.
    fn notices(&self, fault: &Fault, sound: &mut BTreeSet<String>) -> Result<String, Failure> {
        self.reset()?;
        for test in fault.tests.iter().filter(|test| !sound.contains(*test)).collect::<Vec<_>>() {
            self.build(test).map_err(|why| format!("without the fault: {why}"))?;
            let tally = self.test(test)?;
            if tally.failed > 0 || tally.passed == 0 {
                return Err(format!("without the fault, {test} should pass: {}", tally.summary()).into());
            }
            sound.insert(test.clone());
        }
        shell::must(Command::new("git").current_dir(&self.tree).arg("apply").arg(&fault.patch))
            .map_err(|why| format!("the patch no longer applies: {why}"))?;
        let mut failures = Vec::new();
        for test in &fault.tests {
            self.build(test)?;
            let tally = self.test(test)?;
            if tally.failed == 0 {
                return Err(format!("{test} passes with the fault: {}", tally.summary()).into());
            }
            failures.extend(tally.failures);
        }
        Ok(failures.join(", "))
    }

    fn build(&self, test: &str) -> Result<(), Failure> {
        shell::must(&mut self.cargo(&format!("test --quiet --no-run {}", before_filter(test))))
    }

    fn test(&self, test: &str) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        let status = shell::lines(&self.cargo(&format!("test {test}")), false, |line| tally.line(line))?;
        tally.end(status);
        Ok(tally)
    }

    fn cargo(&self, words: &str) -> Command {
        let mut command = cargo(&self.tree, words);
        command.env("CARGO_TARGET_DIR", &self.target);
        // The copy's own binary is meant, not that of the tree.
        command.env_remove("ORTHROS_BIN");
        command
    }

    /// Makes the copy equal to the tree; files that are equal keep their times, so cargo builds only what changed.
    fn reset(&self) -> Result<(), Failure> {
        let list = shell::output(Command::new("git").current_dir(root()).args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))?;
        let wanted: BTreeSet<PathBuf> = list
            .split('\0')
            .filter(|path| !path.is_empty() && root().join(path).is_file())
            .map(PathBuf::from)
            .collect();
        for path in &wanted {
            let octets = fs::read(root().join(path))?;
            let place = self.tree.join(path);
            if fs::read(&place).is_ok_and(|there| there == octets) {
                continue;
            }
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&place, octets)?;
            let mode = root().join(path).metadata()?.permissions().mode();
            fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
        }
        remove_all_but(&self.tree, &self.tree, &wanted)
    }
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

fn remove_all_but(folder: &Path, tree: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            remove_all_but(&path, tree, wanted)?;
        } else if !path.strip_prefix(tree).is_ok_and(|path| wanted.contains(path)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
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
