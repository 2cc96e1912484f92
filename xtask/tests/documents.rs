//! The documents say only what is there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every path that ARCHITECTURE.md and CONTRIBUTING.md name in backticks exists.
#[test]
fn a_document_names_no_path_that_is_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut gone = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let named = paths(&text);
        assert!(!named.is_empty(), "{document} names no path: has its way of writing them changed?");
        gone.extend(
            named.iter().filter(|path| !root.join(path).exists()).map(|path| format!("{document}: {path}")),
        );
    }
    assert!(gone.is_empty(), "{gone:#?}");
}

/// fuzz/README.md has a row for each fuzz target, and each target has its place in the manifest, seeds, and a plain test
/// that replays them.
#[test]
fn each_fuzz_target_has_a_row_seeds_and_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let files = fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap();
    let name = |file: fs::DirEntry| file.file_name().to_str().unwrap().trim_end_matches(".rs").to_owned();
    let targets: BTreeSet<String> = files.map(|file| name(file.unwrap())).collect();
    let table = fs::read_to_string(root.join("fuzz/README.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split(" | ").collect())
        .collect();
    let named: Vec<String> = rows.iter().map(|row| row[0].replace(['|', '`', ' '], "")).collect();
    assert!(named.is_sorted());
    assert_eq!(named.iter().cloned().collect::<BTreeSet<_>>(), targets);
    let owners = rows.iter().filter(|row| row[2] == "yes |").count();
    assert!(owners >= 24, "{owners} own the key");
    assert_eq!(owners + rows.iter().filter(|row| row[2] == "no |").count(), rows.len());

    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    let tests = replays(&root.join("crates"));
    for target in &targets {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target} is not built");
        assert!(tests.contains(&format!("replay(\"{target}\", ")), "no plain test replays {target}");
        let seeds = fs::read_dir(root.join("fuzz/corpus").join(target)).map(Iterator::count);
        assert!(seeds.is_ok_and(|seeds| seeds > 0), "{target} has no seeds");
    }
}

/// The tests of all crates.
fn replays(crates: &Path) -> String {
    let mut text = String::new();
    for folder in fs::read_dir(crates).unwrap() {
        let Ok(tests) = fs::read_dir(folder.unwrap().path().join("tests")) else { continue };
        let files = tests.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        files.for_each(|path| text.push_str(&fs::read_to_string(path).unwrap()));
    }
    text
}

/// What stands in backticks and looks like a path from the root: a slash or a known suffix, no blanks, no
/// placeholders in capitals, not something built.
fn paths(text: &str) -> Vec<String> {
    let inline = text.split("```").step_by(2).collect::<String>();
    inline
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.contains('/') || [".md", ".toml", ".rs"].iter().any(|end| code.ends_with(end)))
        .filter(|code| !code.contains(|c: char| c.is_whitespace() || "*$<>()=:{}~".contains(c)))
        .filter(|code| !code.starts_with('/') && !code.starts_with("target/"))
        .filter(|code| !code.split(['/', '.']).any(is_placeholder))
        .map(str::to_owned)
        .collect()
}

/// `NAME`, `TARGET`: to be filled in by the reader. Documents in capitals (`README.md`) are not.
fn is_placeholder(part: &str) -> bool {
    ["NAME", "TARGET", "CRATE", "MODULE"].contains(&part)
}

/// Every row of README.md's table of what is supported names tests, which exist (see above).
#[test]
fn what_is_said_to_be_supported_is_shown_by_something() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("README.md")).unwrap();
    let table = text.split("| | here | shown by | not here yet |").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 10);
    for row in rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert!(paths(cells[2]).iter().any(|path| path.contains("tests")), "shown by nothing: {row}");
    }
}

/// Every row of the tables of docs/mistakes.md names a test, and every test named there exists.
#[test]
fn each_mistake_of_others_has_a_test_that_exists() {
    rows_name_tests_that_exist("docs/mistakes.md");
}

/// The same of docs/faults.md.
#[test]
fn each_fault_has_a_test_that_exists() {
    rows_name_tests_that_exist("docs/faults.md");
}

fn rows_name_tests_that_exist(document: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join(document)).unwrap();
    let mut there = BTreeSet::new();
    for folder in ["crates", "interop", "xtask"] {
        tests(&root.join(folder), &mut there);
    }
    // The last cell of each table's first row is its title.
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.ends_with("shown by |"));
    let (mut gone, mut count) = (Vec::new(), 0);
    for row in rows {
        count += 1;
        let shown_by = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
        let mut named = shown_by.split('`').skip(1).step_by(2).peekable();
        assert!(named.peek().is_some(), "no test is named: {row}");
        gone.extend(named.filter(|name| !there.contains(*name)));
    }
    assert!(count > 20, "has the way of writing tables changed?");
    assert!(gone.is_empty(), "{document} names tests that are not there: {gone:#?}");
}

/// The names of the functions that follow `#[test]`, and of the interop scenarios, in all files beneath `folder`. A
/// scenario is known by the text that its name is made from, also where that stands in a table or leaves a place free.
fn tests(folder: &Path, there: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, there);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let after = text.split("#[test]").skip(1).filter_map(|rest| rest.split("fn ").nth(1));
            there.extend(after.filter_map(|rest| rest.split('(').next()).map(str::to_owned));
            if text.contains("Scenario::new(") {
                let words = text.split('"').filter(|text| is_name_of_a_scenario(text));
                there.extend(words.map(str::to_owned));
            }
        }
    }
}

/// Several words joined by underscores, perhaps behind the name of a module, and with places to be filled in.
fn is_name_of_a_scenario(text: &str) -> bool {
    let is_of_a_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:{}?.".contains(c);
    text.matches('_').count() >= 3 && text.chars().all(is_of_a_name)
}

#[test]
fn paths_are_told_from_code() {
    let text = "`crates/wire` and `cargo test`, `Step::Need`, `xtask/faults/NAME.patch`\n```\n`a/b`\n```\n`deny.toml`";
    assert_eq!(paths(text), ["crates/wire", "deny.toml"]);
}
