//! Why DNS brought nothing, in words.

use std::fmt;

use super::Kind;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DnsError {
    /// No domain can have this name.
    Name(String),
    /// The name, or a record of this kind of it, does not exist: this is certain.
    NotFound {
        /// The name.
        name: String,
        /// What was asked for.
        kind: Kind,
    },
    /// No server gave an answer that can be used.
    Unanswered {
        /// The name.
        name: String,
        /// What was asked for.
        kind: Kind,
        /// Each server that was asked, and what came of it.
        tried: String,
    },
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "{name:?} is no name that DNS could know"),
            Self::NotFound { name, kind } => write!(f, "{name} has no {kind} record"),
            Self::Unanswered { name, kind, tried } => {
                write!(f, "the {kind} records of {name} could not be asked for: {tried}")
            }
        }
    }
}

impl std::error::Error for DnsError {}
