//! The system's clock as a [`Clock`].
//!
//! This is the wall clock (RFC 4120 speaks of Universal Time), so it may step. Deadlines are never measured
//! with it: [`crate::kdc_link`] uses the monotonic clock.

use std::time::{SystemTime, UNIX_EPOCH};

pub use orthros_wire::{Clock, Timestamp};

use crate::sys::clock;

/// Asks the operating system what time it is.
///
/// ```
/// use orthros::clock::{Clock, SystemClock};
/// assert!(SystemClock.now().seconds > 1_700_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        timestamp(SystemTime::now())
    }

    fn seconds(&self) -> i64 {
        clock::seconds()
    }
}

/// The operating system's time and so many seconds more; with a minus: less.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShiftedClock(pub i64);

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let now = SystemClock.now();
        Timestamp { seconds: now.seconds.saturating_add(self.0), ..now }
    }

    fn seconds(&self) -> i64 {
        SystemClock.seconds().saturating_add(self.0)
    }
}

/// `moment` as a [`Timestamp`]; what lies beyond 64-bit seconds is cut off there.
pub fn timestamp(moment: SystemTime) -> Timestamp {
    match moment.duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp {
            seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            microseconds: since.subsec_micros(),
        },
        Err(before) => {
            let until = before.duration();
            let seconds = i64::try_from(until.as_secs()).unwrap_or(i64::MAX).saturating_neg();
            match until.subsec_micros() {
                0 => Timestamp { seconds, microseconds: 0 },
                micros => Timestamp { seconds: seconds.saturating_sub(1), microseconds: 1_000_000 - micros },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_present_second_is_hardly_behind_the_present_moment() {
        let (before, second, after) = (SystemClock.now(), SystemClock.seconds(), SystemClock.now());
        assert!((before.seconds - 1..=after.seconds).contains(&second));
        let shifted = ShiftedClock(1000).seconds();
        assert!((before.seconds + 999..=SystemClock.now().seconds + 1000).contains(&shifted));
    }

    #[test]
    fn a_moment_before_1970_keeps_its_microseconds_positive() {
        let moment = UNIX_EPOCH - Duration::from_micros(1_250_000);
        assert_eq!(timestamp(moment), Timestamp { seconds: -2, microseconds: 750_000 });
        let moment = UNIX_EPOCH - Duration::from_secs(3);
        assert_eq!(timestamp(moment), Timestamp { seconds: -3, microseconds: 0 });
        let moment = UNIX_EPOCH + Duration::from_micros(1_250_000);
        assert_eq!(timestamp(moment), Timestamp { seconds: 1, microseconds: 250_000 });
    }
}
