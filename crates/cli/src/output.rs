//! Standard output: lines and JSON. A closed pipe ends the command quietly.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use orthros_wire::Timestamp;
use orthros_wire::env::Civil;
use serde::Serialize;

use crate::failure::{Ending, Failure};

/// Writes octets as they are.
pub(crate) fn octets(octets: &[u8]) -> Result<Ending, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Ending::Success),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ClosedPipe),
        Err(error) => Err(Failure::new(error).while_doing("cannot write to standard output")),
    }
}

/// Writes a text and a line end, and sends it off at once: others may wait for the line.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<Ending, Failure> {
    octets(format!("{text}\n").as_bytes())
}

/// Writes a value as JSON over several lines.
pub(crate) fn json(value: &impl Serialize) -> Result<Ending, Failure> {
    line(serde_json::to_string_pretty(value)?)
}

/// Writes a value as JSON on one line.
pub(crate) fn json_line(value: &impl Serialize) -> Result<Ending, Failure> {
    line(serde_json::to_string(value)?)
}

/// How listings show moments.
pub(crate) struct Times(Option<TimeZone>);

impl Times {
    /// As clocks here show them: by `TZ`, else the system's zone, else UTC; or in UTC at any rate.
    pub(crate) fn new(utc: bool) -> Self {
        Self(if utc { None } else { TimeZone::try_system().ok() })
    }

    /// `2026-11-21 14:02:11`.
    pub(crate) fn moment(&self, seconds: i64) -> String {
        let zone = self.0.clone().unwrap_or(TimeZone::UTC);
        match jiff::Timestamp::from_second(seconds) {
            Ok(moment) => moment.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            // No format holds such a time.
            Err(_) => seconds.to_string(),
        }
    }

    /// Set after a heading whose times are in UTC.
    pub(crate) fn mark(&self) -> &'static str {
        if self.0.is_none() { "(UTC)" } else { "" }
    }
}

/// A moment in UTC: `2026-11-21 14:02:11`.
pub(crate) fn utc(seconds: i64) -> String {
    Times::new(true).moment(seconds)
}

/// The time of day in UTC, to the millisecond: `14:02:11.482`.
pub(crate) fn time_of_day(moment: Timestamp) -> String {
    let Civil { hour, minute, second, .. } = Civil::from_seconds(moment.seconds);
    format!("{hour:02}:{minute:02}:{second:02}.{:03}", moment.microseconds / 1_000)
}

/// A moment as JSON has it (RFC 3339).
pub(crate) fn rfc3339(seconds: i64) -> String {
    Timestamp::from_seconds(seconds).to_string()
}
