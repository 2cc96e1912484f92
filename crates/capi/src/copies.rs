//! Copies of what threads share, for those that come again.
//!
//! An object that many threads use at the same time has one count of its users, and the processors hand that from one to
//! the other at each clone, which takes longer than the work between. So a thread that comes a second time to an object gets
//! a copy of its own ([`Orthros::apart`](orthros::Orthros::apart)), which stands on its shelf until the object ends. Where
//! only one thread ever called there are no copies.
//!
//! Who ends an object says so here afterwards ([`Copies::forget`]): no copy stands on a shelf then, and none comes there any
//! more. Copies hold keys, so this matters.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orthros::sys::gate;

/// Threads that have a shelf of their own; more share some.
const SHELVES: usize = 64;

/// A thread's places, in cache lines that other threads do not write.
#[repr(align(128))]
struct Shelf<T, const PLACES: usize>([Place<T>; PLACES]);

enum Place<T> {
    Free,
    /// A thread was here for the object of this key.
    Seen(usize),
    /// A copy of the object of this key.
    Copy(usize, Arc<T>),
}

/// Copies of objects of one type, which have keys that no other object ever has. Each thread keeps at most so many.
pub(crate) struct Copies<T, const PLACES: usize> {
    shelves: [Mutex<Shelf<T, PLACES>>; SHELVES],
    /// On which shelves each place holds a copy, or is about to: a bit for each, which only changes with the shelf locked.
    holders: [AtomicU64; PLACES],
}

impl<T, const PLACES: usize> Copies<T, PLACES> {
    pub(crate) const fn new() -> Self {
        Self {
            shelves: [const { Mutex::new(Shelf([const { Place::Free }; PLACES])) }; SHELVES],
            holders: [const { AtomicU64::new(0) }; PLACES],
        }
    }

    /// This thread's copy of the object of this key, if it has one; it gets one by `copy`, which finds the object if it
    /// lives, where it comes again.
    pub(crate) fn own(&self, key: usize, copy: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
        if !gate::is_shared() {
            return None;
        }
        let (number, place) = (gate::thread_number() % SHELVES, key % PLACES);
        let mut shelf = self.shelf(number)?;
        let there = shelf.0.get_mut(place)?;
        let holders = self.holders.get(place)?;
        let own = match there {
            Place::Copy(kept, copy) if *kept == key => return Some(Arc::clone(copy)),
            Place::Seen(seen) if *seen == key => {
                // Said before the look at the object, while who ends it does so before the look at this: one of both sees
                // the other.
                holders.fetch_or(1 << number, Ordering::SeqCst);
                fence(Ordering::SeqCst);
                copy().map(Arc::new)
            }
            _ => None,
        };
        let next = match &own {
            Some(copy) => Place::Copy(key, Arc::clone(copy)),
            None => Place::Seen(key),
        };
        if own.is_none() && holders.load(Ordering::Relaxed) & 1 << number != 0 {
            holders.fetch_and(!(1 << number), Ordering::Relaxed);
        }
        let before = mem::replace(there, next);
        // Not with the shelf locked: whatever ends with the copy that stood here may come back here.
        drop(shelf);
        drop(before);
        own
    }

    /// Takes the copies of an object away that has ended, or was replaced: by an operation that is in the one order of all
    /// threads (`SeqCst`), or before a fence that is.
    pub(crate) fn forget(&self, key: usize) {
        let place = key % PLACES;
        let Some(holders) = self.holders.get(place) else { return };
        let held = holders.load(Ordering::SeqCst);
        if held == 0 {
            return;
        }
        for number in (0..SHELVES).filter(|number| held & 1 << number != 0) {
            let taken = self.shelf(number).and_then(|mut shelf| {
                let there = shelf.0.get_mut(place)?;
                let is_meant = matches!(there, Place::Copy(kept, _) if *kept == key);
                is_meant.then(|| {
                    holders.fetch_and(!(1 << number), Ordering::Relaxed);
                    mem::replace(there, Place::Free)
                })
            });
            // Not with the shelf locked: whatever ends with it may come back here.
            drop(taken);
        }
    }

    fn shelf(&self, number: usize) -> Option<MutexGuard<'_, Shelf<T, PLACES>>> {
        Some(self.shelves.get(number)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::*;

    /// Runs `work` in a thread, while another one is here too.
    fn beside_another<T: Send>(work: impl FnOnce() -> T + Send) -> T {
        let over = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _ = gate::thread_number();
                over.wait();
            });
            let worked = scope.spawn(|| {
                while !gate::is_shared() {
                    let _ = gate::thread_number();
                    thread::yield_now();
                }
                work()
            });
            let worked = worked.join();
            over.wait();
            worked.unwrap()
        })
    }

    #[test]
    fn who_comes_again_has_a_copy_until_the_object_ends() {
        let copies: Copies<Arc<()>, 2> = Copies::new();
        let object = Arc::new(());
        let own = |key| copies.own(key, || Some(Arc::clone(&object)));
        beside_another(|| {
            assert!(own(4).is_none(), "the first time");
            let first = own(4).unwrap();
            assert!(Arc::ptr_eq(&first, &own(4).unwrap()), "one copy for all times");
            assert!(own(5).is_none() && own(5).is_some(), "another place");
            assert_eq!(Arc::strong_count(&object), 3);
            copies.forget(6);
            assert!(Arc::ptr_eq(&first, &own(4).unwrap()), "another object of the same place has ended");
            copies.forget(4);
            assert_eq!(Arc::strong_count(&object), 3, "it is in use");
            drop(first);
            assert_eq!(Arc::strong_count(&object), 2);
            assert!(own(6).is_none() && own(7).is_none() && own(6).is_some());
            copies.forget(7);
            copies.forget(6);
            copies.forget(5);
            assert_eq!(Arc::strong_count(&object), 1);
            assert!(copies.own(8, || None).is_none() && copies.own(8, || None).is_none(), "it has ended");
        });
    }

    #[test]
    fn nothing_is_left_of_an_object_that_ends_while_threads_come_to_it() {
        const THREADS: usize = 3;
        let copies: Copies<Arc<()>, 2> = Copies::new();
        let (alive, rounds) = (Arc::new(()), 100);
        let object = Mutex::new(None);
        let (begun, ended, left) =
            (Barrier::new(THREADS + 1), AtomicBool::new(false), Barrier::new(THREADS + 1));
        let mut stayed = Vec::new();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for key in 0..rounds {
                        begun.wait();
                        while !ended.load(Ordering::Relaxed) {
                            drop(copies.own(key, || {
                                let found = object.lock().unwrap().clone();
                                thread::yield_now();
                                found
                            }));
                        }
                        left.wait();
                    }
                });
            }
            for key in 0..rounds {
                *object.lock().unwrap() = Some(Arc::clone(&alive));
                ended.store(false, Ordering::Relaxed);
                begun.wait();
                for _ in 0..key % 7 {
                    thread::yield_now();
                }
                *object.lock().unwrap() = None;
                fence(Ordering::SeqCst);
                copies.forget(key);
                ended.store(true, Ordering::Relaxed);
                left.wait();
                if Arc::strong_count(&alive) > 1 {
                    stayed.push(key);
                }
            }
        });
        // Not before: the threads wait for each other.
        assert!(stayed.is_empty(), "copies stayed in the rounds {stayed:?}");
    }
}
