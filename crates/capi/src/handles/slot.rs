//! One place of a table: an object, and a word that says whether it lives and who is at it.
//!
//! The word is, from its highest bit on: the generation; whether the object lives; how many hold it. All ones in the last
//! part say that one thread has the object for itself, for as long as it takes to copy or exchange a pointer. So a look at
//! an object writes this word twice and nothing else, and there is no lock that somebody could be left with.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, fence};
use std::time::Duration;
use std::{hint, thread};

use super::{FIRST_GENERATION, HAS_ADDRESSES};

const LIVES: usize = 1 << if HAS_ADDRESSES { 30 } else { 17 };
/// How many hold it; also, that one has it alone.
const HOLDERS: usize = LIVES - 1;
const GENERATION: u32 = LIVES.ilog2() + 1;

pub(super) struct Slot<T> {
    state: AtomicUsize,
    /// While it is free: the next one in its list.
    pub(super) next: AtomicU32,
    /// The list that it goes back to.
    pub(super) home: AtomicU32,
    value: UnsafeCell<Option<T>>,
}

// SAFETY: several threads read the object at once, one after another they make and drop it; the word orders them.
unsafe impl<T: Send + Sync> Sync for Slot<T> {}

/// What became of an object that was ended.
pub(super) enum Ended {
    /// Nobody holds it: whoever ended it empties the slot.
    Free,
    /// The last who holds it does.
    Held,
}

impl<T> Slot<T> {
    pub(super) const fn new() -> Self {
        Self {
            state: AtomicUsize::new(FIRST_GENERATION << GENERATION),
            next: AtomicU32::new(0),
            home: AtomicU32::new(0),
            value: UnsafeCell::new(None),
        }
    }

    pub(super) fn lives(&self) -> bool {
        self.state.load(Ordering::Relaxed) & LIVES != 0
    }

    /// Brings an object to life: its generation.
    ///
    /// # Safety
    /// The slot is free, and nobody else's: it was new, or came out of a list.
    pub(super) unsafe fn fill(&self, value: T) -> usize {
        let state = self.state.load(Ordering::Relaxed);
        // SAFETY: nobody looks at a slot that does not live, and nobody else fills it (the contract).
        unsafe { *self.value.get() = Some(value) };
        self.state.store(state | LIVES, Ordering::Release);
        state >> GENERATION
    }

    /// The object of this generation, if it lives, where it stays until [`let_go`](Self::let_go).
    pub(super) fn hold(&self, generation: usize) -> Option<NonNull<T>> {
        self.change(generation, |state| state + 1, |holders| holders < HOLDERS - 1)?;
        // SAFETY: it lives and is held, so nobody has it alone or empties the slot: everybody only reads it.
        unsafe { &*self.value.get() }.as_ref().map(NonNull::from)
    }

    /// Ends a hold. Whether the slot is to be emptied by who did.
    pub(super) fn let_go(&self) -> bool {
        let before = self.state.fetch_sub(1, Ordering::Release);
        before & (LIVES | HOLDERS) == 1
    }

    /// Ends the object of this generation, if it lives.
    pub(super) fn end(&self, generation: usize) -> Option<Ended> {
        let before = self.change(generation, |state| state & !LIVES, |_| true)?;
        Some(if before & HOLDERS == 0 { Ended::Free } else { Ended::Held })
    }

    /// Takes the object out and begins the next generation, whose number it tells too.
    ///
    /// # Safety
    /// Whoever calls was told that the slot is to be emptied, and does so once.
    pub(super) unsafe fn empty(&self) -> (Option<T>, usize) {
        fence(Ordering::Acquire);
        // SAFETY: the object lives no more and nobody holds it; the one who was told so is here (the contract).
        let value = unsafe { &mut *self.value.get() }.take();
        let generation = (self.state.load(Ordering::Relaxed) >> GENERATION) + 1;
        self.state.store(generation << GENERATION, Ordering::Release);
        (value, generation)
    }

    /// Lends the object of this generation, if it lives, to who copies or exchanges it, which must not panic.
    pub(super) fn alone<R>(&self, generation: usize, look: impl FnOnce(&mut T) -> R) -> Option<R> {
        let before = self.change(generation, |state| state | HOLDERS, |holders| holders == 0)?;
        // SAFETY: this thread has it alone until the word is set back.
        let answer = unsafe { &mut *self.value.get() }.as_mut().map(look);
        self.state.store(before, Ordering::Release);
        answer
    }

    /// Changes the word of an object of this generation that lives, once so many hold it as is `fit`: what it was before.
    fn change(
        &self,
        generation: usize,
        change: impl Fn(usize) -> usize,
        fit: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut state = self.state.load(Ordering::Relaxed);
        let mut looks = 0_u32;
        loop {
            if state >> GENERATION != generation || state & LIVES == 0 {
                return None;
            }
            let holders = state & HOLDERS;
            if holders != HOLDERS && fit(holders) {
                // In the one order of all threads, which copies count on (`Copies`).
                match self.state.compare_exchange_weak(
                    state,
                    change(state),
                    Ordering::SeqCst,
                    Ordering::Relaxed,
                ) {
                    Ok(before) => return Some(before),
                    Err(now) => state = now,
                }
                continue;
            }
            looks = looks.saturating_add(1);
            match looks {
                ..100 => hint::spin_loop(),
                100..200 => thread::yield_now(),
                200.. => thread::sleep(Duration::from_micros(50)),
            }
            state = self.state.load(Ordering::Relaxed);
        }
    }
}
