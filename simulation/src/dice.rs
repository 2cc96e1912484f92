//! Choices that follow from a seed.

use orthros_wire::Random;
use orthros_wire::testing::SeededRandom;

/// Every choice of the simulator is thrown with these, in the order of events.
#[derive(Debug)]
pub(crate) struct Dice(SeededRandom);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    /// Any number.
    pub(crate) fn number(&self) -> u64 {
        let mut octets = [0; 8];
        self.0.fill(&mut octets);
        u64::from_le_bytes(octets)
    }

    /// A number below `limit`; 0 if that is 0.
    pub(crate) fn below(&self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// A place in something of this length.
    pub(crate) fn place(&self, length: usize) -> usize {
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(limit)).unwrap_or(0)
    }

    /// A number from `least` to `most`.
    pub(crate) fn between(&self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// A number of either sign, at most `limit` away from 0.
    pub(crate) fn either_way(&self, limit: i64) -> i64 {
        let far = i64::try_from(self.below(limit.unsigned_abs() + 1)).unwrap_or(0);
        if self.chance(500) { far } else { -far }
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) fn chance(&self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them.
    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> Option<T> {
        of.get(self.place(of.len())).copied()
    }
}
