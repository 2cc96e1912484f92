//! Runs the simulation of a whole realm, on many seeds.
//!
//! It is built as for release: ten thousand seeds take a minute then, and several without optimisation. A seed that
//! fails is printed with its log; `--seed N --trace` shows all of it again.

use crate::shell::{self, cargo, root};
use crate::tally::Tally;
use crate::{Failure, Options};

/// How many seeds the gate runs, and with the real ledger and replay cache.
const SEEDS: &str = "--seeds 10000";
const REAL_SEEDS: &str = "--seeds 500 --real-stores";

/// `cargo xtask simulate`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut words = Vec::new();
    for name in ["--seeds", "--from", "--seed"] {
        if let Some(value) = options.value(name) {
            words.extend([name.to_owned(), value.to_owned()]);
        }
    }
    for name in ["--trace", "--real-stores"] {
        if options.has(name) {
            words.push(name.to_owned());
        }
    }
    shell::must(&mut simulation(&words.join(" ")))
}

/// The runs of the gate, each counted as one test.
pub(crate) fn in_gate(tally: &mut Tally) {
    for words in [SEEDS, REAL_SEEDS] {
        println!("\nsimulation {words}");
        match shell::must(&mut simulation(words)) {
            Ok(()) => tally.passed += 1,
            Err(why) => tally.fail(format!("simulation {words}: {why}")),
        }
    }
}

fn simulation(words: &str) -> std::process::Command {
    cargo(&root(), &format!("run --quiet --release --package simulation -- {words}"))
}
