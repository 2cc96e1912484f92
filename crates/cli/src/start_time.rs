//! From when on a ticket shall be valid, as `kinit -s` takes it: in a while, or at a moment, which is the local
//! time's where the text does not say otherwise. The forms are those of MIT's kinit, and RFC 3339.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::arguments::seconds;

/// When a ticket shall begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// At this moment, in seconds since 1970.
    At(i64),
    /// In so many seconds.
    In(i64),
}

/// The forms of a moment, in the order in which they are tried. No text that MIT's kinit reads in one way is read in
/// another one here.
const FORMS: &[&str] = &[
    "%Y%m%d%H%M%S",
    "%y%m%d%H%M%S",
    "%y%m%d%H%M",
    "%d-%b-%Y:%H:%M:%S",
    "%d-%b-%Y:%H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
];

impl Start {
    /// Reads a duration, or else a moment.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_in(text, &TimeZone::system())
    }

    fn parse_in(text: &str, zone: &TimeZone) -> Result<Self, String> {
        if let Ok(duration) = seconds(text) {
            return Ok(Self::In(duration));
        }
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::At(moment.as_second()));
        }
        FORMS
            .iter()
            .find_map(|form| DateTime::strptime(form, text).ok())
            .and_then(|local| zone.to_zoned(local).ok())
            .map(|moment| Self::At(moment.timestamp().as_second()))
            .ok_or_else(|| {
                "write how long from now, such as 8h or 1:30, or a moment such as 20261121140000, \
                 21-Nov-2026:14:00 or 2026-11-21T14:00:00Z"
                    .into()
            })
    }

    /// How many seconds after `now` that is; `None` if it is not after it.
    pub(crate) fn seconds_from(self, now: i64) -> Option<i64> {
        match self {
            Self::In(seconds) => Some(seconds),
            Self::At(moment) => Some(moment.saturating_sub(now)).filter(|seconds| *seconds > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_moments_are_read_in_the_forms_of_mits_kinit() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        // 2026-11-21 14:00:05 in UTC+1.
        let moment = 1_795_266_005;
        for (text, start) in [
            ("1h30m", Start::In(5_400)),
            ("14:00", Start::In(50_400)),
            ("1-02:00:00", Start::In(93_600)),
            ("3600", Start::In(3_600)),
            ("20261121140005", Start::At(moment)),
            ("261121140005", Start::At(moment)),
            ("2611211400", Start::At(moment - 5)),
            ("21-Nov-2026:14:00:05", Start::At(moment)),
            ("21-Nov-2026:14:00", Start::At(moment - 5)),
            ("2026-11-21T14:00:05", Start::At(moment)),
            ("2026-11-21 14:00:05", Start::At(moment)),
            ("2026-11-21T13:00:05Z", Start::At(moment)),
        ] {
            assert_eq!(Start::parse_in(text, &zone), Ok(start), "{text}");
        }
        for text in ["", "0", "-1h", "soon", "20261321140005", "20260230000000", "21-Nov-2026"] {
            assert!(Start::parse_in(text, &zone).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_that_has_gone_is_no_start() {
        assert_eq!(Start::In(5).seconds_from(1_000), Some(5));
        assert_eq!(Start::At(1_060).seconds_from(1_000), Some(60));
        assert_eq!(Start::At(1_000).seconds_from(1_000), None);
        assert_eq!(Start::At(i64::MIN).seconds_from(1_000), None);
    }
}
