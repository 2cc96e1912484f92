//! Compares the public API of the crates that people add with that of a commit.
//!
//! cargo-semver-checks does it, from what rustdoc knows of both. As nothing is released yet, there is no version to
//! compare with: `xtask/semver-baseline.txt` names a commit in its place. What breaks a caller of that commit is an error,
//! until the baseline is moved on, which a reviewer sees.

use std::fs;
use std::process::{Command, Stdio};

use crate::shell::{self, cargo, root, target};
use crate::{Failure, Options};

const BASELINE: &str = "xtask/semver-baseline.txt";

/// The crates whose API people write against. The command has none, and the C library's is its list of symbols.
const CRATES: [&str; 6] =
    ["orthros", "orthros-crypto", "orthros-gss", "orthros-kdc", "orthros-krb5", "orthros-wire"];

/// `cargo xtask semver`.
pub(crate) fn run(_: &Options) -> Result<(), Failure> {
    let there =
        cargo(&root(), "semver-checks --version").stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if !there.success() {
        return Err("cargo-semver-checks is missing: `cargo install cargo-semver-checks --locked`".into());
    }
    let text = fs::read_to_string(root().join(BASELINE))?;
    let baseline =
        commit(&text).ok_or_else(|| format!("{BASELINE}: its last line is not a commit in full"))?;
    let mut known = Command::new("git");
    known.current_dir(root()).args(["cat-file", "-e", &format!("{baseline}^{{commit}}")]);
    shell::must(&mut known)
        .map_err(|_| format!("{BASELINE}: {baseline} is not in this clone: is it a shallow one?"))?;
    let mut command = cargo(&root(), "semver-checks check-release --color never --baseline-rev");
    command.arg(baseline).env("CARGO_TARGET_DIR", target());
    for name in CRATES {
        command.args(["--package", name]);
    }
    shell::must(&mut command)
        .map_err(|why| format!("{why}; if it is meant, {BASELINE} must name a commit that has it").into())
}

/// The commit: forty hexadecimal digits, after lines of comment.
fn commit(text: &str) -> Option<&str> {
    let mut lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (commit, more) = (lines.next()?, lines.next());
    (more.is_none() && commit.len() == 40 && commit.bytes().all(|octet| octet.is_ascii_hexdigit()))
        .then_some(commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baseline_is_one_commit_in_full() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(commit(&format!("# why\n\n{full}\n")), Some(full));
        for wrong in
            ["", "# none\n", "main\n", "0123456\n", &format!("{full}\n{full}\n"), &full.replace('0', "g")]
        {
            assert_eq!(commit(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_committed_baseline_and_every_crate_are_there() {
        assert!(commit(&fs::read_to_string(root().join(BASELINE)).unwrap()).is_some());
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        for name in CRATES {
            assert!(manifest.contains(&format!("\n{name} = {{ path")), "{name}");
        }
    }
}
