//! Instructions and system calls per mutual context, against the committed limits of `benches/limits.toml`.
//!
//! The bench binary `contexts --fixed N` makes N contexts and nothing else that depends on N; the difference of two
//! runs, divided by the difference of their N, is free of whatever starting costs. Instructions come from callgrind,
//! as self cost, split by where a line of source stands: cipher and hash crates (what the cryptography needs) and
//! everything else (what we add). Counts don't depend on the machine's load, only on compiler and processor features.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, cargo, root, target};
use crate::{Failure, Options, peers};

/// The two numbers of contexts whose runs are compared.
const FEW: u64 = 20;
const MANY: u64 = 120;

/// Source folders of crates that compute what the protocol demands (`NAME-VERSION/` in cargo's registry).
const CIPHERS: &[&str] = &[
    "aes",
    "block-buffer",
    "cbc",
    "chacha20",
    "cipher",
    "cpufeatures",
    "crypto-common",
    "ctutils",
    "cts",
    "digest",
    "hmac",
    "hybrid-array",
    "inout",
    "keccak",
    "md-5",
    "pbkdf2",
    "poly1305",
    "polyval",
    "sha1",
    "sha2",
    "universal-hash",
];

/// `cargo xtask figures`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    if !root().join("benches/src/bin/contexts.rs").exists() {
        return Err("benches/src/bin/contexts.rs is not there: nothing to measure".into());
    }
    tools(options.has("--install"))?;
    shell::must(&mut cargo(&root(), "build --release --package benches --bin contexts"))?;
    let binary = target().join("release/contexts");
    let folder = target().join("figures");
    fs::create_dir_all(&folder)?;

    let [few, many] = [FEW, MANY].map(|count| measure(&binary, &folder, count));
    let (few, many) = (few?, many?);
    let per_context = |pick: fn(&Counts) -> u64| pick(&many).saturating_sub(pick(&few)).div_ceil(MANY - FEW);
    let figures = BTreeMap::from([
        ("instructions", per_context(|counts| counts.all)),
        ("instructions_outside_ciphers", per_context(|counts| counts.outside)),
        ("system_calls", per_context(|counts| counts.calls)),
        ("system_calls_replay_file", per_context(|counts| counts.calls_replay_file)),
    ]);
    for (name, figure) in &figures {
        println!("{name:<30} {figure:>10} per mutual context");
    }
    if options.has("--report") {
        return Ok(());
    }
    compare(&figures, &limits(&fs::read_to_string(root().join("benches/limits.toml"))?)?)
}

/// Makes sure of the two programs that count; their packages have the same names.
fn tools(install: bool) -> Result<(), Failure> {
    let missing: Vec<&str> = ["valgrind", "strace"].into_iter().filter(|tool| !shell::has(tool)).collect();
    match missing.as_slice() {
        [] => Ok(()),
        packages if install => peers::install(packages),
        packages => {
            let packages = packages.join(" ");
            Err(format!("missing: {packages} (apt-get install --no-install-recommends {packages})").into())
        }
    }
}

/// What a run cost altogether.
struct Counts {
    all: u64,
    outside: u64,
    calls: u64,
    /// With the replay cache in MIT krb5's file in place of memory.
    calls_replay_file: u64,
}

fn measure(binary: &Path, folder: &Path, count: u64) -> Result<Counts, Failure> {
    let profile = folder.join(format!("callgrind.{count}"));
    shell::output(
        Command::new("valgrind")
            .args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no"])
            .arg(format!("--callgrind-out-file={}", profile.display()))
            .arg(binary)
            .args(["--fixed", &count.to_string()]),
    )?;
    let (all, outside) = self_cost(&fs::read_to_string(&profile)?);
    let calls = system_calls(binary, folder, count, &[])?;
    let calls_replay_file = system_calls(binary, folder, count, &["--replay-file"])?;
    if all == 0 {
        return Err("callgrind counted nothing".into());
    }
    Ok(Counts { all, outside, calls, calls_replay_file })
}

fn system_calls(binary: &Path, folder: &Path, count: u64, more: &[&str]) -> Result<u64, Failure> {
    let table: PathBuf = folder.join(format!("strace.{count}"));
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o"]).arg(&table).arg(binary).args(["--fixed", &count.to_string()]).args(more);
    shell::output(&mut command)?;
    Ok(calls(&fs::read_to_string(&table)?).ok_or("strace printed no total")?)
}

/// Instructions altogether, and those outside the ciphers, from a profile in callgrind's format.
///
/// `fn=` names a function, `fl=`, `fi=` and `fe=` the file that the following lines stem from (inlined code has its
/// own file), `calls=` announces that the next line is the inclusive cost of a call, which is not self cost.
fn self_cost(profile: &str) -> (u64, u64) {
    let (mut all, mut outside) = (0, 0);
    let (mut in_cipher_function, mut in_cipher_file, mut call) = (false, false, false);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            in_cipher_function = is_cipher_function(name);
        } else if let Some(file) = ["fl=", "fi=", "fe="].iter().find_map(|prefix| line.strip_prefix(prefix)) {
            in_cipher_file = is_cipher_file(file);
        } else if line.starts_with("calls=") {
            call = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            if std::mem::take(&mut call) {
                continue;
            }
            let cost: u64 = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
            all += cost;
            if !in_cipher_function && !in_cipher_file {
                outside += cost;
            }
        }
    }
    (all, outside)
}

fn is_cipher_file(file: &str) -> bool {
    // The processor's AES and SHA instructions stand in the standard library's files.
    file.contains("core_arch/src/x86")
        || file.contains("core_arch/src/aarch64")
        || file.split('/').any(|part| {
            CIPHERS.iter().any(|name| {
                part.strip_prefix(name)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
            })
        })
}

fn is_cipher_function(name: &str) -> bool {
    let path = name.trim_start_matches(['<', '&']);
    let module = path.split("::").next().unwrap_or(path);
    CIPHERS.iter().any(|cipher| cipher.replace('-', "_") == module || (*cipher == "md-5" && module == "md5"))
}

/// The number of calls in the last line of strace's table.
fn calls(table: &str) -> Option<u64> {
    let total = table.lines().rev().find(|line| line.trim_end().ends_with(" total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}

fn limits(text: &str) -> Result<BTreeMap<&str, u64>, Failure> {
    let mut limits = BTreeMap::new();
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if line.is_empty() {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| format!("benches/limits.toml: `{line}`"))?;
        let value =
            value.trim().replace('_', "").parse().map_err(|_| format!("benches/limits.toml: `{line}`"))?;
        limits.insert(name.trim(), value);
    }
    Ok(limits)
}

fn compare(figures: &BTreeMap<&str, u64>, limits: &BTreeMap<&str, u64>) -> Result<(), Failure> {
    let mut above = BTreeSet::new();
    for (name, limit) in limits {
        match figures.get(name) {
            None => return Err(format!("benches/limits.toml limits `{name}`, which is not measured").into()),
            Some(figure) if figure > limit => {
                above.insert(format!("{name}: {figure}, the limit is {limit}"));
            }
            Some(figure) => println!("{name}: {figure} of {limit}"),
        }
    }
    if limits.is_empty() {
        return Err("benches/limits.toml limits nothing".into());
    }
    if above.is_empty() { Ok(()) } else { Err(above.into_iter().collect::<Vec<_>>().join("; ").into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_ciphers_are_not_our_own_cost() {
        let profile = "events: Ir\n\
            fl=/src/crates/gss/src/context.rs\nfn=orthros_gss::wrap\n10 5\n\
            calls=1 20\n11 1000\n\
            fi=/registry/src/index/aes-0.9.1/src/x86.rs\n7 100\n\
            fe=/src/crates/gss/src/context.rs\n12 3\n\
            fl=/rustc/0/library/core/src/slice.rs\nfn=<sha2::Sha256 as digest::Update>::update\n1 40\n\
            fn=orthros_crypto::seal\n2 2\n\
            totals: 150\n";
        assert_eq!(self_cost(profile), (150, 10));
    }

    #[test]
    fn our_own_crates_are_not_taken_for_ciphers() {
        assert!(!is_cipher_file("/src/crates/crypto/src/aes-notes.rs"));
        assert!(is_cipher_file("/registry/src/i/sha2-0.11.0/src/sha256.rs"));
        assert!(!is_cipher_function("orthros_crypto::aes::seal"));
    }

    #[test]
    fn the_total_of_strace_is_its_calls() {
        let table = "% time seconds usecs/call calls errors syscall\n100.00 0.0 1 42 5 total\n";
        assert_eq!(calls(table), Some(42));
        assert_eq!(calls("nothing"), None);
    }

    #[test]
    fn a_figure_above_its_limit_fails() {
        let limits = limits("# per context\nsystem_calls = 4\n").unwrap();
        assert!(compare(&BTreeMap::from([("system_calls", 4)]), &limits).is_ok());
        assert!(compare(&BTreeMap::from([("system_calls", 5)]), &limits).is_err());
        assert!(compare(&BTreeMap::from([("other", 1)]), &limits).is_err());
    }
}
