//! Times of repeated work, as processor time of this thread: on a machine that others use too it varies least.

use std::collections::BTreeMap;
use std::hint::black_box;
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

/// Nanoseconds per call of `call`, the dropping of its result included; the clock is read once in `count` calls.
///
/// # Errors
/// Those of `call`.
pub fn per_call<T>(count: u32, mut call: impl FnMut() -> Result<T, Failure>) -> Result<f64, Failure> {
    let work = |()| {
        for _ in 0..count {
            black_box(call()?);
        }
        Ok(())
    };
    per_prepared(count, || Ok(()), work)
}

/// Nanoseconds per operation where `work` does `count` of them, on what `prepare` made before, uncounted.
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
