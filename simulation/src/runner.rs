//! Runs seeds: one, or many in as many threads as there are processors.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::Options;
use crate::world::World;

/// What came of one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What must never happen and did; empty if all is well.
    pub violations: Vec<String>,
    /// How many events there were.
    pub events: u32,
    /// A digest of all octets that were sent or stored, and of the moments of all events: equal for equal runs.
    pub digest: u64,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// The log, if it was asked for.
    pub trace: Vec<String>,
}

/// What came of many.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many seeds were run.
    pub seeds: u64,
    /// Events of all of them.
    pub events: u64,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Those with violations, by seed; a run of many ends soon after the tenth.
    pub failed: Vec<Outcome>,
}

/// After so many failures, no more seeds are begun.
const ENOUGH: usize = 10;

/// Runs one seed.
///
/// ```
/// use simulation::{Options, run};
/// let outcome = run(7, Options::default());
/// assert_eq!(outcome.violations, Vec::<String>::new());
/// assert_eq!(outcome.digest, run(7, Options::default()).digest);
/// ```
pub fn run(seed: u64, options: Options) -> Outcome {
    let mut world = match World::of(seed, options) {
        Ok(world) => world,
        Err(why) => {
            let violations = vec![format!("the realm can't be set up: {why}")];
            let (counts, trace) = (BTreeMap::new(), Vec::new());
            return Outcome { seed, violations, events: 0, digest: 0, counts, trace };
        }
    };
    world.run();
    if world.observer.violations.is_empty() {
        world.check_calm();
    }
    if world.observer.violations.is_empty() {
        world.mend();
    }
    Outcome {
        seed,
        violations: world.observer.violations,
        events: world.events,
        digest: world.trace.digest(),
        counts: world.observer.counts,
        trace: world.trace.into_lines(),
    }
}

/// Runs all seeds of a range, on all processors.
pub fn run_many(seeds: Range<u64>, options: Options) -> Summary {
    let next = AtomicU64::new(seeds.start);
    let summary = Mutex::new(Summary::default());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = run(seed, options);
                    let Ok(mut summary) = summary.lock() else { return };
                    summary.take(outcome);
                    if summary.failed.len() >= ENOUGH {
                        return;
                    }
                }
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_default();
    summary.failed.sort_by_key(|outcome| outcome.seed);
    summary
}

impl Summary {
    fn take(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.events += u64::from(outcome.events);
        for (what, times) in &outcome.counts {
            *self.counts.entry(what).or_default() += times;
        }
        if !outcome.violations.is_empty() {
            self.failed.push(outcome);
        }
    }
}
