//! Replay caches: each authenticator is accepted once (RFC 4120 §3.2.3, §10).
//!
//! | type | remembers | shared with |
//! |---|---|---|
//! | [`File2`] | in MIT krb5's `file2` format, at MIT's own path | every acceptor of this user, ours and MIT's |
//! | [`MemoryReplay`] | in this process | nobody, not even a forked child |
//! | [`NoReplay`] | nothing | - |
//!
//! What is remembered is a *tag*: the last octets of the authenticator's cipher text, as many as its enctype's
//! checksum is long (12 for AES-SHA1, 16 or 24 for AES-SHA2), of which [`tag12`] takes twelve. No replay cache
//! here sees other machines.

mod file2;
mod memory;

use std::fmt;

use orthros_wire::Timestamp;

pub use file2::{CacheName, File2, UnknownType};
pub use memory::MemoryReplay;

/// Octets of a tag that are remembered.
pub const TAG_LEN: usize = 12;

/// Says whether an authenticator was seen before, and remembers it.
pub trait ReplayCache: Send + Sync {
    /// Remembers `tag`, seen at `now`, for at least `skew_seconds`.
    ///
    /// # Errors
    /// [`ReplayRefusal::Replayed`] if it was remembered already; [`ReplayRefusal::Unavailable`] if that can't
    /// be found out or recorded. Both mean that the authenticator must be refused.
    fn check(&self, tag: &[u8], now: Timestamp, skew_seconds: u32) -> Result<(), ReplayRefusal>;

    /// Since when everything accepted is remembered, if the cache lost or never had what was before. An
    /// authenticator from before may be a replay that it can't know; [`before_memory`] refuses it. A cache that
    /// forgets names the latest date before which something may be forgotten.
    fn remembers_since(&self) -> Option<Timestamp> {
        None
    }
}

/// Refuses an authenticator that may have been accepted before the cache's memory begins, unless a replay would do no
/// harm: with mutual authentication and a subkey of the acceptor's the replayer learns nothing and can say nothing.
/// Its date is by the client's clock, which may be ahead: one that was accepted before may be dated up to
/// `skew_seconds` after the beginning (RFC 4120 §3.2.3).
///
/// # Errors
/// [`ReplayRefusal::Unavailable`], with both times.
pub fn before_memory(
    cache: &dyn ReplayCache,
    authenticator: Timestamp,
    skew_seconds: u32,
    harmless: bool,
) -> Result<(), ReplayRefusal> {
    let Some(since) = cache.remembers_since() else { return Ok(()) };
    let certain = since.plus_seconds(skew_seconds.into());
    if harmless || authenticator >= certain {
        return Ok(());
    }
    Err(ReplayRefusal::Unavailable(format!(
        "it remembers what was accepted since {since}, and this request is dated {authenticator}: ask again after \
         {certain}, or for mutual authentication"
    )))
}

/// Why an authenticator can't be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayRefusal {
    /// It was used before.
    Replayed,
    /// The cache can't tell; the text names it and the cause.
    Unavailable(String),
}

impl fmt::Display for ReplayRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replayed => {
                f.write_str("this authenticator was used before: a replay, or a client that repeats itself")
            }
            Self::Unavailable(cause) => write!(f, "the replay cache can't be used: {cause}"),
        }
    }
}

impl std::error::Error for ReplayRefusal {}

/// The part of a tag that is recorded: its first twelve octets, filled up with zeros.
///
/// ```
/// use orthros::replay::tag12;
/// assert_eq!(tag12(b"0123456789abcdef"), *b"0123456789ab");
/// assert_eq!(tag12(b"short"), *b"short\0\0\0\0\0\0\0");
/// ```
pub fn tag12(tag: &[u8]) -> [u8; TAG_LEN] {
    let mut twelve = [0; TAG_LEN];
    for (place, octet) in twelve.iter_mut().zip(tag) {
        *place = *octet;
    }
    twelve
}

/// Remembers nothing and refuses nothing (`none:`). Only for acceptors to whom a replay can do no harm.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoReplay;

impl ReplayCache for NoReplay {
    fn check(&self, _tag: &[u8], _now: Timestamp, _skew_seconds: u32) -> Result<(), ReplayRefusal> {
        Ok(())
    }
}
