//! Every test, counted, with the reason of each that was skipped.

use std::time::{Duration, Instant};

use crate::shell::{self, cargo, root};
use crate::skips::Skips;
use crate::tally::Tally;
use crate::{Failure, Options, faces, peers, simulate};

/// Above this, people stop running the unit and API tests.
const UNIT_LIMIT: Duration = Duration::from_secs(120);

/// `cargo xtask test`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut tally = Tally::default();
    if options.has("--quick") {
        unit(&mut tally, "--lib --bins --tests")?;
        println!(
            "\nLeft out by --quick: the examples of the documentation, the many seeds of the simulation, and all interop tests."
        );
    } else {
        shell::must(&mut cargo(&root(), "build --package orthros-cli --package interop"))?;
        peers::prepare(options.has("--install"))?;
        unit(&mut tally, "")?;
        simulate::in_gate(&mut tally);
        interop(&mut tally, options.has("--require-peers"))?;
    }
    report(&mut tally, options.has("--require-peers"))?;
    println!("{}", tally.summary());
    if tally.failed == 0 { Ok(()) } else { Err("tests failed".into()) }
}

/// The tests of all crates but `interop`.
fn unit(tally: &mut Tally, only: &str) -> Result<(), Failure> {
    let words = format!("test --workspace --exclude interop {only}");
    // Built apart, so that the time below is that of the tests. A failure shows again, and is counted, below.
    let _ = shell::must(&mut cargo(&root(), &format!("{words} --no-run")));
    let begun = Instant::now();
    let status =
        shell::lines(&cargo(&root(), &format!("{words} --no-fail-fast")), true, |line| tally.line(line))?;
    tally.end(status);
    let took = begun.elapsed();
    println!("\nUnit and API tests took {:.1} s (limit: {} s).", took.as_secs_f64(), UNIT_LIMIT.as_secs());
    if took > UNIT_LIMIT {
        println!("warning: that is too slow; which test is it?");
    }
    Ok(())
}

fn interop(tally: &mut Tally, require_peers: bool) -> Result<(), Failure> {
    faces::build_all()?;
    let mut command = cargo(&root(), "test --package interop --no-fail-fast");
    command.env("ORTHROS_BIN", shell::target().join("debug/orthros"));
    command.env("ORTHROS_FACES", shell::target().join("faces"));
    command.env("ORTHROS_REQUIRE_PEERS", if require_peers { "1" } else { "0" });
    let status = shell::lines(&command, true, |line| tally.line(line))?;
    tally.end(status);
    Ok(())
}

/// Names what failed and what was skipped; with `strict`, a skip needs a committed reason.
fn report(tally: &mut Tally, strict: bool) -> Result<(), Failure> {
    let skips = Skips::parse(&std::fs::read_to_string(root().join("interop/skips.txt"))?)?;
    if strict {
        for complaint in skips.complaints(&tally.skipped) {
            tally.fail(complaint);
        }
    }
    if !tally.skipped.is_empty() {
        println!("\nSkipped:");
    }
    for test in &tally.skipped {
        let reason = skips.reason(&test.name).unwrap_or(&test.reason);
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        println!("  {}: {reason}", test.name);
    }
    if !tally.failures.is_empty() {
        println!("\nFailed:");
    }
    for failure in &tally.failures {
        println!("  {failure}");
    }
    println!();
    Ok(())
}
