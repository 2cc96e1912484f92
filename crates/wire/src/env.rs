//! The two things that the core needs from outside at any moment: what time it is, and randomness.
//!
//! Both are traits, so that a fixed clock and a seeded generator make a handshake byte-exact under test.

use std::fmt;

/// A moment: seconds and microseconds since 1970-01-01T00:00:00Z, without leap seconds (RFC 4120 §5.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds since 1970; negative before.
    pub seconds: i64,
    /// 0 to 999,999.
    pub microseconds: u32,
}

impl Timestamp {
    /// The moment that lies `seconds` after 1970 began.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, microseconds: 0 }
    }

    /// This moment moved by `seconds` (negative: into the past), saturating.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self { seconds: self.seconds.saturating_add(seconds), microseconds: self.microseconds }
    }
}

impl fmt::Display for Timestamp {
    /// ISO 8601 in UTC to the second: `2026-11-21T14:02:11Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = Civil::from_seconds(self.seconds);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
        )
    }
}

/// Tells the time. Implementations may be called from several threads.
pub trait Clock: Send + Sync {
    /// The present moment, as well as this clock knows it.
    fn now(&self) -> Timestamp;

    /// The present second since 1970, for what is told of how long something lasts: it may be some milliseconds behind
    /// [`now`](Self::now), where the clock is cheaper to ask so.
    fn seconds(&self) -> i64 {
        self.now().seconds
    }
}

/// Gives octets that nobody can predict. Implementations may be called from several threads.
pub trait Random: Send + Sync {
    /// Fills `octets` wholly.
    fn fill(&self, octets: &mut [u8]);
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn seconds(&self) -> i64 {
        (**self).seconds()
    }
}

impl<T: Random + ?Sized> Random for std::sync::Arc<T> {
    fn fill(&self, octets: &mut [u8]) {
        (**self).fill(octets);
    }
}

/// A moment as the proleptic Gregorian calendar writes it, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year; 1 BC is 0.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl Civil {
    /// The calendar's form of the moment `seconds` after 1970 began.
    pub fn from_seconds(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let of_day = seconds.rem_euclid(86_400);
        // Days are counted from 0000-03-01, so that the leap day ends a year; 146,097 days make 400 years.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |number: i64| u8::try_from(number).unwrap_or(0);
        Self {
            year,
            month: small(month),
            day: small(day),
            hour: small(of_day / 3_600),
            minute: small(of_day / 60 % 60),
            second: small(of_day % 60),
        }
    }

    /// Seconds since 1970, or `None` if no such moment exists (a 30th of February, a 61st second).
    pub fn to_seconds(self) -> Option<i64> {
        let (year, month, day) = (self.year, i64::from(self.month), i64::from(self.day));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + i64::from(leap),
            _ => return None,
        };
        if !(1..=length).contains(&day) || self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let from_march = if month > 2 { year } else { year - 1 };
        let era = from_march.div_euclid(400);
        let year_of_era = from_march.rem_euclid(400);
        let month_from_march = (month + 9) % 12;
        let of_year = (153 * month_from_march + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        let days = era * 146_097 + of_era - 719_468;
        let [hour, minute, second] = [self.hour, self.minute, self.second].map(i64::from);
        Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_there_and_back() {
        assert_eq!(Timestamp::from_seconds(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_seconds(951_782_400).to_string(), "2000-02-29T00:00:00Z");
        assert_eq!(Timestamp::from_seconds(4_102_444_799).to_string(), "2099-12-31T23:59:59Z");
        for seconds in (-80_000_000_000..300_000_000_000_i64).step_by(1_234_567_891) {
            assert_eq!(Civil::from_seconds(seconds).to_seconds(), Some(seconds));
        }
        assert_eq!(Civil { year: 2026, month: 2, day: 30, hour: 0, minute: 0, second: 0 }.to_seconds(), None);
        assert_eq!(Civil { year: 2026, month: 2, day: 0, hour: 0, minute: 0, second: 0 }.to_seconds(), None);
    }
}
