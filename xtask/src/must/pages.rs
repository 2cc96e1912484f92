//! The sentences of the manual pages: `number | faces | file: words of the line that keeps it | the sentence in short`.
//! The checks in C name the number that they show, and the scenarios of `c_manual` run them.

use std::fs;
use std::path::Path;

use super::table::has_line;
use crate::Failure;

const SENTENCES: &str = "interop/c/manual/sentences.txt";

/// Adds each sentence that no line keeps or no check shows; returns how many there are.
pub(super) fn check(root: &Path, faults: &mut Vec<String>) -> Result<usize, Failure> {
    let text = fs::read_to_string(root.join(SENTENCES)).map_err(|error| format!("{SENTENCES}: {error}"))?;
    let checks = checks(&root.join("interop/c/manual"))?;
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        count += 1;
        let &[number, faces, kept, _] = &row.split(" | ").collect::<Vec<_>>()[..] else {
            faults.push(format!("{SENTENCES}: not four columns: {row}"));
            continue;
        };
        // What binds the program and not the library has nothing to show.
        if faces == "caller" {
            continue;
        }
        if !kept.split_once(": ").is_some_and(|(file, words)| has_line(root, file, words)) {
            faults.push(format!("{SENTENCES} {number}: no line keeps it: {kept}"));
        }
        if !checks.contains(&format!("SHOWN(\"{number}\"")) {
            faults.push(format!("{SENTENCES} {number}: no check shows it"));
        }
    }
    Ok(count)
}

/// The checks, in C.
fn checks(folder: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "h") {
            text.push_str(&fs::read_to_string(path)?);
        }
    }
    Ok(text)
}
