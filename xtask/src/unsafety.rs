//! Counts `unsafe` blocks against the committed numbers of `xtask/unsafe.txt`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::{Failure, Options, shell};

const TABLE: &str = "xtask/unsafe.txt";

/// Fails where a file has more than its row says, has no row, or a row's file has fewer: the table is what is there.
pub(crate) fn run(_: &Options) -> Result<(), Failure> {
    let root = shell::root();
    let allowed = parse(&fs::read_to_string(root.join(TABLE))?)?;
    let mut there = BTreeMap::new();
    for krate in fs::read_dir(root.join("crates"))? {
        count(&root, &krate?.path().join("src"), &mut there)?;
    }
    println!("{} unsafe blocks in {} files", there.values().sum::<usize>(), there.len());
    let complaints = complaints(&allowed, &there);
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}

/// The path and the number of each row, all of which give a reason.
fn parse(text: &str) -> Result<BTreeMap<String, usize>, Failure> {
    let mut rows = BTreeMap::new();
    for row in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words = row.splitn(3, ' ');
        match (words.next(), words.next().map(str::parse), words.next()) {
            (Some(path), Some(Ok(number)), Some(_)) => rows.insert(path.to_owned(), number),
            _ => return Err(format!("{TABLE}: not `PATH NUMBER REASON`: {row}").into()),
        };
    }
    Ok(rows)
}

fn count(root: &Path, folder: &Path, there: &mut BTreeMap<String, usize>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            count(root, &path, there)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let blocks = blocks(&fs::read_to_string(&path)?);
            if blocks > 0 {
                there.insert(path.strip_prefix(root)?.display().to_string(), blocks);
            }
        }
    }
    Ok(())
}

/// How many `unsafe` blocks and implementations are in a source, comments left out.
fn blocks(source: &str) -> usize {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.map(|line| line.matches("unsafe {").count() + line.matches("unsafe impl").count()).sum()
}

fn complaints(allowed: &BTreeMap<String, usize>, there: &BTreeMap<String, usize>) -> Vec<String> {
    let paths: std::collections::BTreeSet<_> = allowed.keys().chain(there.keys()).collect();
    let differing = paths.into_iter().filter_map(|path| {
        let number = |table: &BTreeMap<String, usize>| table.get(path).copied().unwrap_or(0);
        let (allowed, there) = (number(allowed), number(there));
        (allowed != there).then(|| format!("{path} has {there} unsafe blocks, and {TABLE} says {allowed}"))
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_and_comments_are_not() {
        assert_eq!(
            blocks(
                "// unsafe {\nlet a = unsafe { b() }; unsafe { c() }\nunsafe impl Sync for A {}\nunsafe fn d();"
            ),
            3
        );
    }

    #[test]
    fn growth_and_a_row_without_a_reason_are_noticed() {
        let allowed = parse("# comment\na.rs 2 reading\nb.rs 1 writing\n").unwrap();
        let there = |rows: &[(&str, usize)]| {
            rows.iter().map(|(path, number)| ((*path).to_owned(), *number)).collect()
        };
        assert!(complaints(&allowed, &there(&[("a.rs", 2), ("b.rs", 1)])).is_empty());
        assert_eq!(complaints(&allowed, &there(&[("a.rs", 3), ("c.rs", 1)])).len(), 3);
        assert!(parse("a.rs 2\n").is_err());
    }
}
