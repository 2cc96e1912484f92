//! The documents say only what is there.

use std::fs;
use std::path::Path;

/// Every path that ARCHITECTURE.md and CONTRIBUTING.md name in backticks exists.
#[test]
fn a_document_names_no_path_that_is_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut gone = Vec::new();
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let named = paths(&text);
        assert!(!named.is_empty(), "{document} names no path: has its way of writing them changed?");
        gone.extend(
            named.iter().filter(|path| !root.join(path).exists()).map(|path| format!("{document}: {path}")),
        );
    }
    assert!(gone.is_empty(), "{gone:#?}");
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

#[test]
fn paths_are_told_from_code() {
    let text = "`crates/wire` and `cargo test`, `Step::Need`, `xtask/faults/NAME.patch`\n```\n`a/b`\n```\n`deny.toml`";
    assert_eq!(paths(text), ["crates/wire", "deny.toml"]);
}
