//! A clock that stands where it is put, and randomness that is the same in every run: with both a handshake
//! is byte-exact. For tests only; nothing here is secret.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::{Clock, Random, Timestamp};

/// A clock that moves only when it is told to.
///
/// ```
/// use orthros_wire::{Clock, testing::ManualClock};
/// let clock = ManualClock::new(1_700_000_000);
/// clock.advance(60);
/// assert_eq!(clock.now().seconds, 1_700_000_060);
/// ```
#[derive(Debug)]
pub struct ManualClock {
    seconds: AtomicI64,
    microseconds: AtomicU64,
}

impl ManualClock {
    /// A clock that stands so many seconds after 1970 began.
    pub fn new(seconds: i64) -> Self {
        Self { seconds: AtomicI64::new(seconds), microseconds: AtomicU64::new(0) }
    }

    /// Moves the hands by `seconds`, which may be negative.
    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Puts the hands to a moment.
    pub fn set(&self, moment: Timestamp) {
        self.seconds.store(moment.seconds, Ordering::SeqCst);
        self.microseconds.store(moment.microseconds.into(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp {
            seconds: self.seconds.load(Ordering::SeqCst),
            microseconds: u32::try_from(self.microseconds.load(Ordering::SeqCst)).unwrap_or(0),
        }
    }
}

/// SplitMix64: octets that look random and follow from the seed alone.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// The generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, octets: &mut [u8]) {
        for chunk in octets.chunks_mut(8) {
            let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.iter_mut().zip((mixed ^ (mixed >> 31)).to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }
}
