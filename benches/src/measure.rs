//! Times of repeated work, as processor time of this thread: on a machine that others use too it varies least.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Failure;

/// How long one measurement goes on.
const RUN: Duration = Duration::from_millis(60);

/// The least time of each case over all rounds, in nanoseconds.
pub type Times = BTreeMap<String, f64>;

/// Keeps the least time of a case.
pub fn keep(times: &mut Times, case: &str, nanoseconds: f64) {
    let best = times.entry(case.to_owned()).or_insert(nanoseconds);
    *best = best.min(nanoseconds);
}

/// This thread's processor time.
pub fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = Duration::from_secs(time.tv_sec.unsigned_abs());
    seconds + Duration::from_nanos(time.tv_nsec.unsigned_abs())
}

/// Nanoseconds per operation: `work` does `count` of them at each call.
///
/// # Errors
/// Those of `work`.
pub fn per_operation(count: u32, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let prepared = || Ok(());
    per_prepared(count, prepared, |()| work())
}

/// As [`per_operation`], with a preparation before each call that is not counted.
///
/// # Errors
/// Those of `prepare` and `work`.
pub fn per_prepared<T>(
    count: u32,
    mut prepare: impl FnMut() -> Result<T, Failure>,
    mut work: impl FnMut(T) -> Result<(), Failure>,
) -> Result<f64, Failure> {
    let mut spent = Duration::ZERO;
    let mut operations = 0;
    while spent < RUN {
        let input = prepare()?;
        let start = now();
        work(input)?;
        spent += now() - start;
        operations += count;
    }
    Ok(spent.as_secs_f64() * 1e9 / f64::from(operations))
}
