//! `simulation --seeds N [--from S] [--seed S] [--trace] [--real-stores]`: what `cargo xtask simulate` runs.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Instant;

use simulation::{Options, Outcome, run, run_many};

/// How many lines of a failed run are printed.
const LINES: usize = 400;

fn main() -> ExitCode {
    match go(std::env::args().skip(1).collect()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("simulation: {why}");
            ExitCode::FAILURE
        }
    }
}

/// How many seeds failed.
fn go(mut words: VecDeque<String>) -> Result<u64, String> {
    let (mut seeds, mut from, mut only, mut options) = (1_000, 0, None, Options::default());
    while let Some(word) = words.pop_front() {
        let mut number = || {
            let text = words.pop_front().ok_or_else(|| format!("{word} wants a number"))?;
            text.parse::<u64>().map_err(|_| format!("{word} wants a number, not `{text}`"))
        };
        match &*word {
            "--seeds" => seeds = number()?,
            "--from" => from = number()?,
            "--seed" => only = Some(number()?),
            "--trace" => options.trace = true,
            "--real-stores" => options.real_stores = true,
            _ => return Err(format!("no option is called `{word}`")),
        }
    }
    let begun = Instant::now();
    let failed = match only {
        Some(seed) => {
            let outcome = run(seed, options);
            outcome.trace.iter().for_each(|line| println!("{line}"));
            println!("seed {seed}: {} events, digest {:016x}", outcome.events, outcome.digest);
            outcome.violations.iter().for_each(|violation| println!("VIOLATED: {violation}"));
            u64::from(!outcome.violations.is_empty())
        }
        None => many(from, seeds, options, begun),
    };
    Ok(failed)
}

fn many(from: u64, seeds: u64, options: Options, begun: Instant) -> u64 {
    let summary = run_many(from..from.saturating_add(seeds), options);
    for failed in &summary.failed {
        failed
            .violations
            .iter()
            .for_each(|violation| println!("seed {}: VIOLATED: {violation}", failed.seed));
    }
    if let Some(first) = summary.failed.first() {
        print_again(first, options);
    }
    for (what, times) in &summary.counts {
        println!("{times:>9} {what}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    let rate = u32::try_from(summary.seeds).map_or(f64::INFINITY, f64::from) / seconds;
    println!("{} seeds, {} events in {seconds:.1} s: {rate:.0} seeds/s", summary.seeds, summary.events);
    u64::try_from(summary.failed.len()).unwrap_or(u64::MAX)
}

/// The first that failed, once more, with its log.
fn print_again(failed: &Outcome, options: Options) {
    let again = run(failed.seed, Options { trace: true, ..options });
    println!("\nseed {}:", failed.seed);
    let skipped = again.trace.len().saturating_sub(LINES);
    if skipped > 0 {
        println!("  .. {skipped} lines before these: --seed {} --trace shows all", failed.seed);
    }
    again.trace.iter().skip(skipped).for_each(|line| println!("  {line}"));
    println!();
}
