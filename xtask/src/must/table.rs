//! The rows of one RFC.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::Failure;

/// A sentence that demands something.
pub(super) struct Row {
    pub(super) number: String,
    pub(super) section: String,
    kept: Kept,
    /// The test: a file and a function in it, or a scenario.
    shown: Option<(String, String)>,
    short: String,
}

/// What the code has to do with it.
enum Kept {
    /// A file and words of a line in it.
    Here(String, String),
    /// It binds somebody else, or defines a word.
    Others,
    /// Deliberately or not yet done, with the reason.
    NotHere,
    /// Nobody has traced it.
    Open,
}

pub(super) struct Table {
    name: String,
    pub(super) rows: Vec<Row>,
}

impl Table {
    /// Reads `number | section | kept by | shown by | the sentence in short`.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let rows = lines.map(Row::read).collect::<Result<_, _>>().map_err(|why| format!("{name}: {why}"))?;
        Ok(Self { name, rows })
    }

    /// Adds whatever a row names that is not there.
    pub(super) fn check(&self, root: &Path, faults: &mut Vec<String>) {
        let mut numbers = BTreeSet::new();
        for row in &self.rows {
            let mut fault = |what: String| faults.push(format!("{} {}: {what}", self.name, row.number));
            if !numbers.insert(&row.number) {
                fault("the number stands twice".into());
            }
            if let Kept::Here(file, words) = &row.kept
                && !has_line(root, file, words)
            {
                fault(format!("{file} has no line with `{words}`"));
            }
            if let Some((file, test)) = &row.shown
                && !has_test(root, file, test)
            {
                fault(format!("{file} has no test `{test}`"));
            }
        }
    }

    fn count(&self, like: impl Fn(&Row) -> bool) -> usize {
        self.rows.iter().filter(|row| like(row)).count()
    }

    /// The columns of the report.
    pub(super) fn figures(&self) -> String {
        let here = |row: &Row| matches!(row.kept, Kept::Here(..));
        format!(
            "{:>5} {:>6} {:>9} {:>6} {:>8} {:>5}",
            self.rows.len(),
            self.count(|row| here(row) && row.shown.is_some()),
            self.count(|row| here(row) && row.shown.is_none()),
            self.count(|row| matches!(row.kept, Kept::Others)),
            self.count(|row| matches!(row.kept, Kept::NotHere)),
            self.count(|row| matches!(row.kept, Kept::Open)),
        )
    }

    /// Prints every row.
    pub(super) fn list(&self) {
        for row in &self.rows {
            println!("  {:<8} §{:<9} {:<9} {}", row.number, row.section, row.state(), row.short);
        }
    }
}

impl Row {
    fn read(line: &str) -> Result<Self, String> {
        let &[number, section, kept, shown, short] = &line.split(" | ").collect::<Vec<_>>()[..] else {
            return Err(format!("not five columns: {line}"));
        };
        let kept = match kept.split_once(": ") {
            _ if kept == "open" => Kept::Open,
            Some(("others", who)) if !who.is_empty() => Kept::Others,
            Some(("not here", reason)) if !reason.is_empty() => Kept::NotHere,
            Some((file, words)) if file.contains('/') => Kept::Here(file.into(), words.into()),
            _ => return Err(format!("nothing keeps it, and no reason: {line}")),
        };
        let shown = match (shown, shown.split_once(": ")) {
            ("not shown" | "-", _) => None,
            (_, Some((file, test))) => Some((file.to_owned(), test.to_owned())),
            _ => return Err(format!("neither a test nor `not shown`: {line}")),
        };
        let [number, section, short] = [number, section, short].map(str::to_owned);
        Ok(Self { number, section, kept, shown, short })
    }

    fn state(&self) -> &'static str {
        match (&self.kept, &self.shown) {
            (Kept::Here(..), Some(_)) => "shown",
            (Kept::Here(..), None) => "not shown",
            (Kept::Others, _) => "others",
            (Kept::NotHere, _) => "not here",
            (Kept::Open, _) => "open",
        }
    }
}

/// Whether a file of the project has a line with these words.
pub(super) fn has_line(root: &Path, file: &str, words: &str) -> bool {
    let text = fs::read_to_string(root.join(file)).unwrap_or_default();
    !words.is_empty() && text.lines().any(|line| line.contains(words))
}

/// Whether a file has a test of this name: a function, or a scenario (`module::name`).
fn has_test(root: &Path, file: &str, test: &str) -> bool {
    if test.contains("::") {
        return has_line(root, file, &format!("\"{test}\""));
    }
    has_line(root, file, &format!("fn {test}("))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::root;

    fn faults(rows: &str) -> Vec<String> {
        let rows = rows.lines().map(|line| Row::read(line).unwrap()).collect();
        let mut faults = Vec::new();
        Table { name: "t".into(), rows }.check(&root(), &mut faults);
        faults
    }

    #[test]
    fn a_row_that_names_what_is_gone_is_a_fault() {
        let good = "1 | 3.1 | xtask/src/must/table.rs: fn has_line( | xtask/src/must/table.rs: \
                    a_row_that_names_what_is_gone_is_a_fault | a sentence";
        assert_eq!(faults(good), [""; 0]);
        assert_eq!(faults(&format!("{good}\n{good}")).len(), 1, "a number stands twice");
        assert_eq!(faults("1 | 3 | xtask/src/gone.rs: fn x | not shown | a").len(), 1);
        assert_eq!(
            faults("1 | 3 | xtask/src/main.rs: fn main() | xtask/src/main.rs: gone_test | a").len(),
            1
        );
        assert_eq!(faults("1 | 3 | open | not shown | a\n2 | 3 | others: callers | - | b"), [""; 0]);
    }

    #[test]
    fn a_row_without_code_needs_a_reason() {
        for row in ["1 | 3 | kept | not shown | a", "1 | 3 | others: | - | a", "1 | 3 | open | not shown"] {
            assert!(Row::read(row).is_err(), "{row}");
        }
    }
}
