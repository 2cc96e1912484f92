//! What happened in a run: a digest of all octets, and lines for people if they are wanted.

use std::fmt;

/// The log of one run.
#[derive(Debug)]
pub(crate) struct Trace {
    wanted: bool,
    lines: Vec<String>,
    digest: u64,
}

impl Trace {
    pub(crate) fn new(wanted: bool) -> Self {
        // The offset and the prime of FNV-1a with 64 bits: the digest tells runs apart and proves nothing else.
        Self { wanted, lines: Vec::new(), digest: 0xcbf2_9ce4_8422_2325 }
    }

    /// Notes a line. It is made only if somebody wants to read it.
    pub(crate) fn say(&mut self, now: u64, line: impl FnOnce() -> String) {
        self.octets(&now.to_le_bytes());
        if self.wanted {
            let line = line();
            self.lines.push(format!("{:>5}.{:06} {line}", now / 1_000_000, now % 1_000_000));
        }
    }

    /// Takes octets that were sent or stored into the digest.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        for octet in octets {
            self.digest = (self.digest ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}

/// The first octets of a message, for people.
pub(crate) struct Brief<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets ", self.0.len())?;
        self.0.iter().take(6).try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str("..")
    }
}
