//! Every scenario against real peers, in one binary: `cargo test -p interop -- PART_OF_A_NAME` runs some of them.
//!
//! A module per pairing; each gives its scenarios as a list, so that tables can make a named test per cell.

use std::process::ExitCode;

mod mit_alone;

fn main() -> ExitCode {
    let mut scenarios = Vec::new();
    scenarios.extend(mit_alone::scenarios());
    interop::scenario::run(scenarios)
}
