//! The committed reasons for tests that may be skipped: `interop/skips.txt`.
//!
//! A line per test, `NAME = REASON`, with the name as `cargo xtask test` prints it; `#` starts a comment. `NAME ? = REASON`
//! is for a test that some kernels allow and some do not: it may run, too.

use crate::Failure;
use crate::tally::Skipped;

/// The tests with their reasons.
#[derive(Debug, Default)]
pub(crate) struct Skips(Vec<Row>);

#[derive(Debug)]
struct Row {
    name: String,
    reason: String,
    /// Whether it may run.
    may_run: bool,
}

impl Skips {
    /// Reads the list; a line without a reason is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, reason) = line.split_once(" =").unwrap_or((line, ""));
            if reason.trim().is_empty() {
                return Err(format!("interop/skips.txt:{number}: `{name}` gives no reason").into());
            }
            let (name, may_run) = name.strip_suffix(" ?").map_or((name, false), |name| (name, true));
            rows.push(Row { name: name.trim().to_owned(), reason: reason.trim().to_owned(), may_run });
        }
        Ok(Self(rows))
    }

    /// The committed reason for skipping the test of this name.
    pub(crate) fn reason(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|row| (row.name == name).then_some(row.reason.as_str()))
    }

    /// What is wrong with the list after a whole run: tests skipped without a reason in it, rows that excuse nothing.
    pub(crate) fn complaints(&self, skipped: &[Skipped]) -> Vec<String> {
        let unexcused = skipped
            .iter()
            .filter(|test| self.reason(&test.name).is_none())
            .map(|test| format!("{}: skipped, and interop/skips.txt gives no reason", test.name));
        let idle = self
            .0
            .iter()
            .filter(|row| !row.may_run && !skipped.iter().any(|test| test.name == row.name))
            .map(|row| format!("{}: in interop/skips.txt, but it ran or is gone", row.name));
        unexcused.chain(idle).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(name: &str) -> Skipped {
        Skipped { name: name.to_owned(), reason: "its own".to_owned() }
    }

    #[test]
    fn an_empty_reason_is_refused() {
        assert!(Skips::parse("a::b =\n").is_err());
        assert!(Skips::parse("a::b\n").is_err());
    }

    #[test]
    fn a_skip_needs_a_row_and_a_row_needs_a_skip() {
        let skips = Skips::parse("# why\n\na::b = the peer has a bug\n").unwrap();
        assert_eq!(skips.reason("a::b"), Some("the peer has a bug"));
        assert!(skips.complaints(&[skipped("a::b")]).is_empty());
        assert_eq!(skips.complaints(&[skipped("a::b"), skipped("a::c")]).len(), 1);
        assert_eq!(skips.complaints(&[]).len(), 1);
    }

    #[test]
    fn a_row_with_a_question_mark_excuses_a_skip_and_demands_none() {
        let skips = Skips::parse("a::b ? = the kernel may lack it\n").unwrap();
        assert_eq!(skips.reason("a::b"), Some("the kernel may lack it"));
        assert!(skips.complaints(&[skipped("a::b")]).is_empty() && skips.complaints(&[]).is_empty());
    }
}
