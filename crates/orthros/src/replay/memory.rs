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
    /// When that was done last.
    swept_at: Option<Timestamp>,
    /// By how many seconds clocks may differ, as the last caller said.
    skew_seconds: u32,
}

impl MemoryReplay {
    /// An empty cache, made now. It knows nothing of what was accepted before, and says so by
    /// [`remembers_since`](ReplayCache::remembers_since): for `clockskew` seconds, one-way requests are refused. Where
    /// no acceptor of the same keys ran before, an earlier time says so.
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
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What was forgotten becomes fresh again if the clock is put back: it was kept for two skews, so nothing that
        // was accepted later than that before the sweep is forgotten.
        let forgotten = seen.swept_at.map(|swept| swept.plus_seconds(-2 * i64::from(seen.skew_seconds)));
        forgotten.max(Some(self.made_at))
    }

    fn check(&self, tag: &[u8], now: Timestamp, skew_seconds: u32) -> Result<(), ReplayRefusal> {
        if self.generation != fork::generation() {
            return Err(ReplayRefusal::Unavailable(
                "it lives in memory and belongs to the process that this one was forked from; make one after forking".into(),
            ));
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if now.seconds >= seen.sweep_at {
            let before = seen.until.len();
            seen.until.retain(|_, until| *until > now.seconds);
            if seen.until.len() < before {
                (seen.swept_at, seen.skew_seconds) = (Some(now), skew_seconds);
            }
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
    use super::super::before_memory;
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
    fn a_clock_that_was_ahead_and_is_put_back_makes_nothing_fresh_again() {
        let cache = MemoryReplay::made_at(Timestamp::from_seconds(0));
        let at = Timestamp::from_seconds;
        assert_eq!(cache.check(b"one", at(1_000), 300), Ok(()));
        assert_eq!(cache.remembers_since(), Some(at(0)));
        // An hour ahead it is forgotten, and that is told.
        assert_eq!(cache.check(b"two", at(4_600), 300), Ok(()));
        assert_eq!(cache.remembers_since(), Some(at(4_000)));
        assert!(before_memory(&cache, at(1_000), 300, false).is_err());
        assert!(before_memory(&cache, at(4_300), 300, false).is_ok(), "what is fresh then is taken");
    }

    #[test]
    fn a_request_by_a_clock_that_is_ahead_is_refused_after_a_restart() {
        // Accepted at 990 by the clock here, dated 1,280 by the client's; the cache that knew it is gone.
        let cache = MemoryReplay::made_at(Timestamp::from_seconds(1_000));
        let at = Timestamp::from_seconds;
        for (dated, taken) in [(900, false), (1_280, false), (1_299, false), (1_300, true)] {
            assert_eq!(before_memory(&cache, at(dated), 300, false).is_ok(), taken, "{dated}");
            assert!(
                before_memory(&cache, at(dated), 300, true).is_ok(),
                "with mutual authentication it is harmless"
            );
        }
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
