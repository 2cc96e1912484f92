//! How a command ends: well, with a status of its own, or with a story.

use std::fmt;
use std::io;

/// Exit status of a command that failed. 0 is success, and 2 a wrong usage (by the parser).
pub(crate) const FAILED: u8 = 1;

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With status 0.
    Success,
    /// With this status: a command that was run, or a silent answer.
    Status(u8),
}

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The reader of standard output went away.
    ClosedPipe,
    /// What to tell the user.
    Story(Story),
}

/// One paragraph for the user, and what to do about it where that is known.
#[derive(Debug)]
pub(crate) struct Story {
    text: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure in one's own words.
    pub(crate) fn new(text: impl fmt::Display) -> Self {
        Self::Story(Story { text: text.to_string(), hint: None })
    }

    /// The same failure, with what to do about it.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Story(story) => Self::Story(Story { hint: Some(hint.into()), ..story }),
            Self::ClosedPipe => self,
        }
    }

    /// The same failure, after what was being done: `cannot read F: no such file`.
    pub(crate) fn while_doing(self, what: impl fmt::Display) -> Self {
        match self {
            Self::Story(story) => Self::Story(Story { text: format!("{what}: {}", story.text), ..story }),
            Self::ClosedPipe => self,
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// Adds to an error of the system what was being done.
pub(crate) trait While<T> {
    /// `what` in the words of the sentence that the error ends: `cannot read F`.
    fn while_doing(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T> While<T> for io::Result<T> {
    fn while_doing(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(error).while_doing(what))
    }
}
