//! What the demo claims, whether it holds, and how it is printed.

use std::time::Duration;

use orthros::Flags;
use serde::Serialize;

use super::orders::Connection;
use super::steps::STEPS;

/// Everything that happened.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether all steps held.
    pub(crate) held: bool,
    pub(super) seconds: f64,
    pub(super) realm: &'static str,
    pub(super) kdc_address: String,
    pub(super) processes: Vec<Process>,
    pub(super) connections: Connections,
    pub(super) wire: Wire,
    pub(super) token: Token,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Serialize)]
pub(super) struct Process {
    pub(super) role: &'static str,
    pub(super) pid: u32,
}

/// The one connection, as each process that held an end of it saw it.
#[derive(Debug, Serialize)]
pub(super) struct Connections {
    pub(super) initiator: Connection,
    pub(super) acceptor: Connection,
    pub(super) heir: Connection,
}

/// What passed over the connection: as its sender and its receivers recorded it.
#[derive(Debug, Serialize)]
pub(super) struct Wire {
    /// The token of alice's first message, in hexadecimal.
    pub(super) first_message: String,
    pub(super) from_initiator: Direction,
    pub(super) to_initiator: Direction,
}

#[derive(Debug, Serialize)]
pub(super) struct Direction {
    pub(super) octets: usize,
    /// SHA-256 of what was sent.
    pub(super) sent: String,
    /// SHA-256 of what was received.
    pub(super) received: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Token {
    pub(super) octets: usize,
    /// SHA-256.
    pub(super) digest: String,
    /// The user who alone can import it.
    pub(super) user: u32,
}

/// One of the eight steps.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    number: usize,
    name: &'static str,
    pub(super) held: bool,
    claims: Vec<Claim>,
    #[serde(skip)]
    lines: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Claim {
    what: &'static str,
    held: bool,
}

impl Step {
    pub(super) fn new(number: usize, name: &'static str) -> Self {
        Self { number, name, held: true, claims: Vec::new(), lines: Vec::new() }
    }

    /// Something that has to be true.
    pub(super) fn claim(mut self, what: &'static str, held: bool) -> Self {
        self.held &= held;
        self.claims.push(Claim { what, held });
        self
    }

    /// The step's first line: what, some detail, and the process that is new.
    pub(super) fn row(self, what: &str, detail: &str, pid: Option<u32>) -> Self {
        let (number, name) = (self.number.to_string(), self.name);
        let pid = pid.map(|pid| format!("pid {pid}")).unwrap_or_default();
        self.line(&format!("{number:>2}  {name:<10}  {what:<40}  {detail:<30} {pid}"))
    }

    /// A further line.
    pub(super) fn more(self, name: &str, text: &str) -> Self {
        self.line(&format!("    {name:<10}  {text}"))
    }

    fn line(mut self, line: &str) -> Self {
        self.lines.push(line.trim_end().to_owned());
        self
    }

    /// The step as people read it: what happened, or what should have.
    pub(super) fn text(&self) -> String {
        if self.held {
            return self.lines.join("\n");
        }
        let missed: Vec<_> = self.claims.iter().filter(|claim| !claim.held).map(|claim| claim.what).collect();
        format!("{:>2}  {:<10}  DID NOT HOLD: {}", self.number, self.name, missed.join("; "))
    }
}

/// The last lines.
pub(super) fn summary(steps: &[Step], took: Duration) -> String {
    let held = steps.iter().filter(|step| step.held).count();
    let seconds = took.as_secs_f64();
    if held == STEPS {
        format!(
            "All {STEPS} steps held, in {seconds:.2} s.\n\
             Next: orthros kdc -- bash      a shell in a realm of your own"
        )
    } else {
        format!("Only {held} of {STEPS} steps held, in {seconds:.2} s.")
    }
}

/// A context's abilities in a few words.
pub(super) fn abilities(flags: Flags) -> String {
    let words = [
        (Flags::MUTUAL, "mutual"),
        (Flags::CONFIDENTIALITY, "sealed"),
        (Flags::REPLAY, "replay"),
        (Flags::SEQUENCE, "sequence"),
        (Flags::TRANSFERABLE, "transferable"),
    ];
    let words: Vec<_> = words.iter().filter(|row| flags.contains(row.0)).map(|row| row.1).collect();
    words.join(", ")
}

/// A span of time in milliseconds, to the tenth.
pub(super) fn milliseconds(microseconds: u128) -> String {
    format!("{}.{} ms", microseconds / 1_000, microseconds / 100 % 10)
}
