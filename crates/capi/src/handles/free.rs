//! The free slots of a table, in a list for each of so many threads: threads that make and end objects do not meet.
//!
//! A list is a word: the number of the first slot and one, with a count in the upper half that every change adds to, so
//! that a list which was changed meanwhile is never taken for what it was. Each slot says which is next.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// So many lists; threads beyond share them.
pub(super) const LISTS: usize = 64;

/// A list in cache lines of its own.
#[repr(align(128))]
struct List(AtomicU64);

pub(super) struct Free([List; LISTS]);

impl Free {
    pub(super) const fn new() -> Self {
        Self([const { List(AtomicU64::new(0)) }; LISTS])
    }

    /// Puts a slot in front.
    pub(super) fn push(&self, list: usize, index: u32, next: &AtomicU32) {
        let Some(List(word)) = self.0.get(list % LISTS) else { return };
        let mut before = word.load(Ordering::Relaxed);
        loop {
            next.store(first(before), Ordering::Relaxed);
            match word.compare_exchange_weak(
                before,
                after(before, index + 1),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => before = now,
            }
        }
    }

    /// Takes the first slot out; `next_of` knows each slot's next one.
    pub(super) fn pop<'a>(&self, list: usize, next_of: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        let List(word) = self.0.get(list % LISTS)?;
        let mut before = word.load(Ordering::Acquire);
        loop {
            let index = first(before).checked_sub(1)?;
            // Who takes the slot out first may change this at once; the count has changed then.
            let next = next_of(index)?.load(Ordering::Relaxed);
            match word.compare_exchange_weak(
                before,
                after(before, next),
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(index),
                Err(now) => before = now,
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half of the word is meant")]
fn first(word: u64) -> u32 {
    word as u32
}

fn after(before: u64, first: u32) -> u64 {
    ((before >> 32).wrapping_add(1) << 32) | u64::from(first)
}
