//! The arrows of ARCHITECTURE.md that the compiler does not keep.
#![allow(clippy::unwrap_used, reason = "a helper of tests may fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

/// What floors 1 to 4 must not touch: whatever lies outside reaches them as a value.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "println!",
];

#[test]
fn floors_one_to_four_touch_nothing_outside() {
    let mut found = Vec::new();
    for floor in ["wire", "crypto", "krb5", "gss"] {
        for file in sources(&root().join("crates").join(floor).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in (1..).zip(text.lines()) {
                let code = line.split("//").next().unwrap_or_default();
                if let Some(word) = OUTSIDE.iter().find(|word| code.contains(**word)) {
                    found.push(format!("{}:{number}: {word}", file.display()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn crates_that_promise_safety_forbid_the_opposite() {
    for (krate, file) in [
        ("wire", "lib.rs"),
        ("crypto", "lib.rs"),
        ("krb5", "lib.rs"),
        ("gss", "lib.rs"),
        ("kdc", "lib.rs"),
        ("cli", "main.rs"),
    ] {
        let path = root().join("crates").join(krate).join("src").join(file);
        let text = fs::read_to_string(&path).unwrap();
        // A crate without a module holds no code yet.
        let empty = !text.lines().any(|line| line.starts_with("mod ") || line.starts_with("pub mod "));
        assert!(
            empty || text.contains("#![forbid(unsafe_code)]"),
            "{} does not forbid unsafe code",
            path.display()
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files
}
