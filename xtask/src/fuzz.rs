//! Builds and runs the fuzz targets of `fuzz/`, on the same compiler as everything else.
//!
//! libFuzzer needs its coverage counters, which rustc's LLVM can insert; no nightly compiler and no further command
//! is involved. The code is safe Rust, so what fuzzing looks for are panics (overflow checks are on), hangs and
//! large allocations, for which libFuzzer has limits. New inputs go to `target/fuzz/corpus/TARGET`; those worth
//! keeping are copied to `fuzz/corpus/TARGET`, which plain tests replay. Findings land in `fuzz/artifacts/TARGET`.

use std::fs;
use std::process::Command;

use crate::shell::{self, cargo, root, target};
use crate::tally::Tally;
use crate::{Failure, Options};

/// What makes LLVM insert libFuzzer's counters; `fuzzing` is the cfg that crates may ask for.
const FLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "-Coverflow-checks",
    "--cfg=fuzzing",
];

/// Limits of one input: seconds, MiB of a single allocation, MiB altogether, octets of input.
const LIMITS: &[&str] = &["-timeout=5", "-malloc_limit_mb=64", "-rss_limit_mb=1024", "-max_len=16384"];

/// `cargo xtask fuzz`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let targets = targets(options.value("--target"))?;
    let seconds = seconds(options, targets.len())?;
    let host = host()?;
    build(&host)?;
    let mut tally = Tally::default();
    for name in &targets {
        println!("fuzz target {name}, {seconds} s");
        match fuzz(name, &host, seconds) {
            Ok(()) => tally.passed += 1,
            Err(why) => tally.fail(format!("fuzz target {name}: {why}")),
        }
    }
    for failure in &tally.failures {
        println!("  {failure}");
    }
    println!("{}", tally.summary());
    if tally.failed == 0 { Ok(()) } else { Err("fuzzing found something".into()) }
}

/// How long each target runs: as told, or its share of all the minutes.
fn seconds(options: &Options, targets: usize) -> Result<usize, Failure> {
    let number = |name: &str| -> Result<Option<usize>, Failure> {
        let read = |text: &str| text.parse().map_err(|_| format!("{name} wants a number, not `{text}`"));
        Ok(options.value(name).map(read).transpose()?)
    };
    match (number("--seconds")?, number("--minutes")?) {
        (Some(_), Some(_)) => Err("either --seconds for each target or --minutes for all".into()),
        (Some(seconds), None) => Ok(seconds),
        (None, Some(minutes)) => Ok((minutes.saturating_mul(60) / targets.max(1)).max(1)),
        (None, None) => Ok(60),
    }
}

/// The targets are the files of `fuzz/fuzz_targets`.
fn targets(only: Option<&str>) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let file = entry?.file_name();
        if let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".rs")) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    names.retain(|name| only.is_none_or(|only| only == name));
    if names.is_empty() { Err("there is no such fuzz target".into()) } else { Ok(names) }
}

fn host() -> Result<String, Failure> {
    let text = shell::output(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc names no host")?;
    Ok(host.to_owned())
}

fn build(host: &str) -> Result<(), Failure> {
    // With `--target`, the flags don't reach build scripts and macros, which run on the host without libFuzzer.
    let mut command = cargo(&root().join("fuzz"), &format!("build --release --bins --target {host}"));
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    command.env("CARGO_TARGET_DIR", target().join("fuzz"));
    shell::must(&mut command)
}

fn fuzz(name: &str, host: &str, seconds: usize) -> Result<(), Failure> {
    let found = root().join("fuzz/artifacts").join(name);
    let new = target().join("fuzz/corpus").join(name);
    let seeds = root().join("fuzz/corpus").join(name);
    for folder in [&found, &new, &seeds] {
        fs::create_dir_all(folder)?;
    }
    let mut command = Command::new(target().join("fuzz").join(host).join("release").join(name));
    command.current_dir(root()).args(LIMITS).arg(format!("-max_total_time={seconds}"));
    command.arg("-print_final_stats=1").arg(format!("-artifact_prefix={}/", found.display()));
    command.arg(&new).arg(&seeds);
    let mut last: Vec<String> = Vec::new();
    let status = shell::lines(&command, false, |line| {
        // What it reports before the end, and the last words of a crash; not its progress.
        if line.starts_with("stat::") || !line.starts_with('#') {
            last.push(line.to_owned());
        }
    })?;
    if status.success() {
        let wanted = ["stat::number_of_executed_units", "stat::new_units_added", "stat::peak_rss_mb"];
        for line in last.iter().filter(|line| wanted.iter().any(|stat| line.starts_with(stat))) {
            println!("    {line}");
        }
        return Ok(());
    }
    for line in last.iter().rev().take(40).rev() {
        println!("    {line}");
    }
    Err(format!("{status}; the input is in fuzz/artifacts/{name}").into())
}
