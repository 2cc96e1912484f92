//! What happened when no KDC answered, in words.

use std::fmt;
use std::io;
use std::time::Duration;

/// How a request travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// RFC 4120 §7.2.2.
    Tcp,
    /// RFC 4120 §7.2.1.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// Why a try brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer doesn't fit a datagram, and the KDC asked for TCP.
    AnswerTooBig,
    /// It closed the connection after this many octets of the answer and its length.
    Closed(usize),
    /// The system's answer, where it is none of the others.
    Failed(String),
    /// The length that it announced for its answer is zero, above 1 MiB, or has the reserved bit set.
    Length(u32),
    /// The name could not be resolved; the resolver's answer.
    NotFound(String),
    /// Nobody listens there.
    Refused,
    /// It began to answer by TCP and then fell silent; octets that had come.
    Stalled(usize),
    /// No answer came.
    Silent,
    /// The request is too long for this transport; its length in octets.
    TooLong(usize),
}

impl Outcome {
    /// The system's resolver was silent for so long.
    pub(crate) fn no_name_server(limit: Duration) -> Self {
        Self::NotFound(format!("no name server answered in {:.1} s", limit.as_secs_f64()))
    }

    /// What the system's `error` says about the KDC.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silent,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Self::Closed(0)
            }
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Address and port.
    pub kdc: String,
    /// How it was asked.
    pub transport: Transport,
    /// How long it took.
    pub elapsed: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Attempt {
    /// For example `127.0.0.1:88 udp: no answer in 3.0 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.kdc, self.transport)?;
        let seconds = self.elapsed.as_secs_f64();
        match &self.outcome {
            Outcome::AnswerTooBig => f.write_str("its answer is too big for a datagram, it asks for tcp"),
            Outcome::Closed(0) => {
                write!(f, "it closed the connection without an answer after {seconds:.1} s")
            }
            Outcome::Closed(octets) => {
                write!(f, "it closed the connection after {octets} octets, amid its answer")
            }
            Outcome::Failed(error) => f.write_str(error),
            Outcome::Length(length) => write!(f, "it announced an answer of {length} octets, which can't be"),
            Outcome::NotFound(error) => write!(f, "the host was not found ({error})"),
            Outcome::Refused => f.write_str("connection refused: nobody listens there"),
            Outcome::Stalled(octets) => {
                write!(f, "its answer stopped after {octets} octets; gave up after {seconds:.1} s")
            }
            Outcome::Silent => write!(f, "no answer in {seconds:.1} s"),
            Outcome::TooLong(octets) => write!(f, "the request of {octets} octets is too long"),
        }
    }
}

/// No KDC answered. Its text names each that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkReport {
    /// Each try, in order. Empty if there was no KDC to ask.
    pub attempts: Vec<Attempt>,
    /// Whether the exchange ended because `total_limit` was reached, perhaps before all were tried.
    pub out_of_time: bool,
    /// What the exchange might take.
    pub total_limit: Duration,
}

impl fmt::Display for LinkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attempts.is_empty() {
            return f.write_str("there is no KDC to ask: none is configured or found for this realm");
        }
        f.write_str("no KDC answered: ")?;
        for (number, attempt) in self.attempts.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{attempt}")?;
        }
        if self.out_of_time {
            write!(f, "; the limit of {:.1} s in all was reached", self.total_limit.as_secs_f64())?;
        }
        Ok(())
    }
}

impl std::error::Error for LinkReport {}
