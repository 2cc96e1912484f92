//! Reads what `cargo test` prints, from Rust's own harness and from `libtest-mimic`, and counts.
//!
//! The numbers come from each binary's `test result:` line, the names and reasons of skipped tests from their own
//! lines; where the two don't agree, or a binary ends without a result (a crash), that counts as a failure.

use std::process::ExitStatus;

/// A test that did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// Test binary, `::`, name of the test.
    pub(crate) name: String,
    /// What the test itself gave as its reason; may be empty.
    pub(crate) reason: String,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: Vec<Skipped>,
    /// What failed, as far as it has a name.
    pub(crate) failures: Vec<String>,
    /// The binary whose results are awaited, and how many skipped tests it has named.
    open: Option<(String, u64)>,
}

impl Tally {
    /// Takes one line of output.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(binary) = heading(line) {
            self.close();
            self.open = Some((binary, 0));
        } else if let Some(result) = line.strip_prefix("test result: ") {
            self.result(result);
        } else if let Some(test) = line.strip_prefix("test ") {
            self.test(test);
        }
    }

    /// Takes the status with which cargo ended.
    pub(crate) fn end(&mut self, status: ExitStatus) {
        let before = self.failed;
        self.close();
        if !status.success() && self.failed == before && self.failures.is_empty() {
            self.fail(format!("cargo ended with {status}, without a failed test: did it build?"));
        }
    }

    /// Counts a failure that no test binary reports.
    pub(crate) fn fail(&mut self, what: String) {
        self.failed += 1;
        self.failures.push(what);
    }

    /// The line that ends every run.
    pub(crate) fn summary(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped.len())
    }

    fn result(&mut self, result: &str) {
        let [passed, failed, ignored] = ["passed", "failed", "ignored"].map(|what| number(result, what));
        self.passed += passed;
        self.failed += failed;
        let (binary, named) = self.open.take().unwrap_or_default();
        if named != ignored {
            self.fail(format!("{binary}: {ignored} tests skipped, but {named} named"));
        }
    }

    fn test(&mut self, test: &str) {
        let Some((name, outcome)) = test.split_once(" ... ") else { return };
        let Some((binary, named)) = &mut self.open else { return };
        let name = format!("{binary}::{}", name.trim());
        if let Some(rest) = outcome.strip_prefix("ignored") {
            *named += 1;
            // Rust's harness: `ignored, REASON`; libtest-mimic: `ignored (REASON)`.
            let reason = rest.strip_prefix(", ").unwrap_or_else(|| {
                rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(rest)
            });
            self.skipped.push(Skipped { name, reason: reason.trim().to_owned() });
        } else if outcome.starts_with("FAILED") {
            self.failures.push(name);
        }
    }

    /// A binary whose heading was seen must have reported before the next one starts.
    fn close(&mut self) {
        if let Some((binary, _)) = self.open.take() {
            self.fail(format!("{binary}: ended without a result"));
        }
    }
}

/// `Running unittests src/lib.rs (target/debug/deps/NAME-0123)` and `Doc-tests NAME`.
fn heading(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{name} examples"));
    }
    let (_, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once('(')?;
    let file = path.rsplit_once('/').map_or(path, |(_, file)| file);
    Some(file.rsplit_once('-').map_or(file, |(name, _)| name).to_owned())
}

/// The number before `what` in `ok. 5 passed; 0 failed; ...`.
fn number(result: &str, what: &str) -> u64 {
    result
        .split(';')
        .filter_map(|part| part.trim().strip_suffix(what))
        .filter_map(|part| part.trim().rsplit(' ').next())
        .find_map(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn count(text: &str, status: i32) -> Tally {
        let mut tally = Tally::default();
        text.lines().for_each(|line| tally.line(line));
        tally.end(ExitStatus::from_raw(status << 8));
        tally
    }

    #[test]
    fn passed_failed_and_skipped_tests_are_counted_with_name_and_reason() {
        let tally = count(
            "     Running unittests src/lib.rs (target/debug/deps/orthros_wire-0123)\n\
             test der::reads ... ok\n\
             test der::writes ... FAILED\n\
             test der::waits ... ignored, too slow\n\
             test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s\n\
             \x20    Running tests/peers/main.rs (target/debug/deps/peers-4567)\n\
             test long::name     ... ignored (missing peers: kinit (Debian package krb5-user))\n\
             test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s\n\
             \x20  Doc-tests orthros_wire\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s\n",
            101,
        );
        assert_eq!(tally.summary(), "3 passed, 1 failed, 2 skipped");
        assert_eq!(tally.failures, ["orthros_wire::der::writes"]);
        let skipped: Vec<_> = tally.skipped.iter().map(|s| (s.name.as_str(), s.reason.as_str())).collect();
        assert_eq!(
            skipped,
            [
                ("orthros_wire::der::waits", "too slow"),
                ("peers::long::name", "missing peers: kinit (Debian package krb5-user)"),
            ]
        );
    }

    #[test]
    fn a_binary_that_crashes_is_a_failure() {
        let tally =
            count("     Running unittests src/lib.rs (target/debug/deps/wire-0123)\ntest a ... ok\n", 101);
        assert_eq!(tally.summary(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn a_build_that_fails_is_a_failure() {
        assert_eq!(count("error: expected item\n", 101).summary(), "0 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn a_skip_that_is_not_named_is_a_failure() {
        let tally = count(
            "     Running unittests src/lib.rs (target/debug/deps/wire-0123)\n\
             test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s\n",
            0,
        );
        assert_eq!(tally.summary(), "0 passed, 1 failed, 0 skipped");
    }
}
