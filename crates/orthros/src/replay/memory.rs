//! A replay cache in this process's memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use orthros_wire::Timestamp;

use super::{ReplayCache, ReplayRefusal, TAG_LEN, tag12};
use crate::sys::fork;

/// Remembers tags in memory, each until no clock within the skew can present it any more.
///
/// A forked child has not seen what its parent accepts from then on, nor the other way, so a cache refuses to
/// serve in a process that did not make it.
pub struct MemoryReplay {
    made_at: Timestamp,
    generation: u64,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Tag, and the second from which it may be forgotten.
    until: HashMap<[u8; TAG_LEN], i64>,
    /// When to look for what may be forgotten.
    sweep_at: i64,
}

impl MemoryReplay {
    /// An empty cache, made now. It knows nothing of what was accepted before, and says so by
    /// [`remembers_since`](ReplayCache::remembers_since).
    pub fn made_at(now: Timestamp) -> Self {
        Self { made_at: now, generation: fork::generation(), seen: Mutex::default() }
    }

    /// How many tags are remembered.
    pub fn len(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).until.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for MemoryReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryReplay(..)")
    }
}

impl ReplayCache for MemoryReplay {
    fn remembers_since(&self) -> Option<Timestamp> {
        Some(self.made_at)
    }

    fn check(&self, tag: &[u8], now: Timestamp, skew_seconds: u32) -> Result<(), ReplayRefusal> {
        if self.generation != fork::generation() {
            return Err(ReplayRefusal::Unavailable(
                "it lives in memory and belongs to the process that this one was forked from; make one after forking".into(),
            ));
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.seconds >= seen.sweep_at {
            seen.until.retain(|_, until| *until > now.seconds);
            seen.sweep_at = now.seconds.saturating_add(i64::from(skew_seconds).max(1));
        }
        // An authenticator dated one skew ahead of us stays fresh for two.
        let until = now.seconds.saturating_add(2 * i64::from(skew_seconds) + 1);
        match seen.until.entry(tag12(tag)) {
            Entry::Occupied(_) => Err(ReplayRefusal::Replayed),
            Entry::Vacant(place) => {
                place.insert(until);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_refused_for_two_skews_and_then_forgotten() {
        let cache = MemoryReplay::made_at(Timestamp::from_seconds(0));
        let at = Timestamp::from_seconds;
        assert_eq!(cache.check(b"one", at(1_000), 300), Ok(()));
        for moment in [1_000, 1_299, 1_600, 400] {
            assert_eq!(cache.check(b"one", at(moment), 300), Err(ReplayRefusal::Replayed), "{moment}");
        }
        assert_eq!(cache.check(b"two", at(2_300), 300), Ok(()));
        assert_eq!(cache.len(), 1, "what is past its time takes no memory");
    }

    #[test]
    fn a_forked_child_does_not_trust_its_parents_memory() {
        let cache = MemoryReplay::made_at(Timestamp::from_seconds(0));
        let said = fork::tests::in_a_child(|| match cache.check(b"one", Timestamp::from_seconds(1), 300) {
            Err(ReplayRefusal::Unavailable(cause)) => cause.into_bytes(),
            other => format!("{other:?}").into_bytes(),
        });
        assert!(String::from_utf8(said).unwrap().contains("forked"));
    }
}
