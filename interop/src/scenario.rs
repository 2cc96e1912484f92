//! A named test that knows which peers it needs.
//!
//! Rust's own harness cannot skip a test at run time: a test that returns early counts as passed. The scenarios
//! therefore run under `libtest-mimic`, which prints the same lines and can answer `ignored, REASON`. With
//! `ORTHROS_REQUIRE_PEERS=1` (set by `cargo xtask test --require-peers`) a missing peer is a failure instead.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::failure::Failure;
use crate::peers::{self, Peer, Place};

/// A test against real peers.
pub struct Scenario {
    name: String,
    needs: Vec<Peer>,
    /// Whether this machine allows what it does, besides having the peers.
    possible: fn() -> Result<(), String>,
    /// Whether its kernel does. What `interop/skips.txt` excuses with `?` is skipped also where peers are required.
    kernel: fn() -> Result<(), String>,
    body: Box<dyn FnOnce() -> Result<(), Failure> + Send>,
}

impl Scenario {
    /// A scenario named after what would go wrong, the peers without which it can't run, and what it does.
    ///
    /// The name is made at run time, so that a table of enctypes and sides yields one named test per cell.
    pub fn new(
        name: impl Into<String>,
        needs: &[Peer],
        body: impl FnOnce() -> Result<(), Failure> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            needs: needs.to_vec(),
            possible: || Ok(()),
            kernel: || Ok(()),
            body: Box::new(body),
        }
    }

    /// The same; it works with several accounts, which only root can.
    #[must_use]
    pub fn as_root(self) -> Self {
        let possible = || {
            let may = rustix::process::geteuid().is_root();
            if may { Ok(()) } else { Err("only root can work with several accounts".to_owned()) }
        };
        Self { possible, ..self }
    }

    /// The same; this says whether the kernel does what it needs, or why not: nothing can be installed for that. Its row
    /// in `interop/skips.txt` has a `?`.
    #[must_use]
    pub fn only_if(self, kernel: fn() -> Result<(), String>) -> Self {
        Self { kernel, ..self }
    }

    fn into_trial(self) -> Trial {
        let Self { name, needs, possible, kernel, body } = self;
        let possible = move || {
            possible()?;
            peers::require(&needs).map_err(|missing| missing.to_string())
        };
        Trial::ignorable_test(name, move || match kernel().map(|()| possible()) {
            Err(lacking) => Ok(Completion::ignored_with(lacking)),
            Ok(Ok(())) => body().map(|()| Completion::Completed).map_err(Failed::from),
            Ok(Err(missing)) if peers::are_required() => Err(Failed::from(missing)),
            Ok(Err(missing)) => Ok(Completion::ignored_with(missing)),
        })
    }
}

/// Runs the scenarios with the arguments of the command line (those of libtest) and says how it went.
///
/// With the single argument `--missing` it runs nothing, and prints a line for each program that is not here and
/// each scenario that it costs: where the package is unpacked in `target/peers` (empty if it is installed), package,
/// program and scenario, separated by tabs. `cargo xtask test` asks for it.
pub fn run(scenarios: Vec<Scenario>) -> ExitCode {
    if std::env::args().skip(1).eq(["--missing"]) {
        for scenario in &scenarios {
            for peer in scenario.needs.iter().filter(|peer| peer.find().is_err()) {
                let unpacked = if let Place::Unpacked(folder) = peer.place { folder } else { "" };
                println!("{unpacked}\t{}\t{}\t{}", peer.package, peer.program, scenario.name);
            }
        }
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let trials = scenarios.into_iter().map(Scenario::into_trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
