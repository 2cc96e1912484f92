//! What the fuzz target runs, so that a plain test can replay its corpus. Not part of the API.

use crate::plugins::config::{Entry, parse};

/// What a list of plug-ins says, written again, says the same; and no line is told of twice.
pub fn plugin_list(data: &[u8]) {
    let (entries, bad) = parse(data);
    let lines = data.split(|octet| *octet == b'\n').count();
    assert!(entries.len() + bad.len() <= lines, "a line says two things");
    let again: Vec<String> = entries.iter().map(line).collect();
    let (reread, worse) = parse(again.concat().as_bytes());
    assert!(worse.is_empty(), "a good line turns bad: {worse:?}");
    assert_eq!(reread, entries, "a line changes");
}

fn line(entry: &Entry) -> String {
    let kind = if entry.interposes { " <interposer>" } else { "" };
    format!("{} {} {}{kind}\n", entry.name, entry.oid, entry.file.display())
}
