//! Standard output: lines and JSON. A closed pipe ends the command quietly.

use std::io::{self, Write};

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

/// A moment as listings have it, in UTC: `2026-11-21 14:02:11`.
pub(crate) fn moment(seconds: i64) -> String {
    let Civil { year, month, day, hour, minute, second } = Civil::from_seconds(seconds);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
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
