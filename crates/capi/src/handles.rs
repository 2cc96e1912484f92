//! Contexts, credentials and names behind handles that can't be forged, used twice or used after their end.
//!
//! A handle is a number of the size of a pointer: two bits for the kind, so that a name is never taken for a context;
//! then the number of a slot; then the slot's generation, which goes up whenever the slot is emptied. With 64 bits a
//! slot has 2^34 generations, with 32 bits 2^14. Whatever is no living handle, any number at all, finds nothing.
//!
//! Slots lie in chunks that never move, each twice as large as the one before, so that looking up takes the slot's own
//! lock and no other. Making and ending take one for the list of free slots.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::abi::Handle;

const KIND_BITS: u32 = 2;
const INDEX_BITS: u32 = if usize::BITS == 64 { 28 } else { 16 };
const GENERATION_SHIFT: u32 = KIND_BITS + INDEX_BITS;
/// The first generation; 0 would make a handle of small bits only.
const FIRST_GENERATION: usize = 1;
/// Slots in the first chunk.
const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = INDEX_BITS as usize - 6;

/// What kind of object a table holds.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub enum Kind {
    /// `gss_ctx_id_t`.
    Context = 1,
    /// `gss_cred_id_t`.
    Credential = 2,
    /// `gss_name_t`.
    Name = 3,
}

struct Slot<T> {
    generation: usize,
    value: Option<Arc<T>>,
}

type Chunk<T> = Box<[Mutex<Slot<T>>]>;

/// The objects of one kind.
pub struct Table<T> {
    kind: Kind,
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    free: Mutex<Free>,
}

struct Free {
    /// Slots that were emptied.
    slots: Vec<usize>,
    /// How many slots have ever been taken.
    used: usize,
}

impl<T> Table<T> {
    /// An empty table.
    pub const fn new(kind: Kind) -> Self {
        let free = Mutex::new(Free { slots: Vec::new(), used: 0 });
        Self { kind, chunks: [const { OnceLock::new() }; CHUNKS], free }
    }

    /// Puts an object in; `None` if there are 2^28 of them (with 32 bits 2^16).
    pub fn insert(&self, value: T) -> Option<Handle> {
        let index = {
            let mut free = lock(&self.free);
            match free.slots.pop() {
                Some(index) => index,
                None => {
                    let index = free.used;
                    if index >= (FIRST_CHUNK << CHUNKS) - FIRST_CHUNK {
                        return None;
                    }
                    free.used += 1;
                    index
                }
            }
        };
        let (chunk, place) = place(index)?;
        let slots = self.chunks.get(chunk)?.get_or_init(|| {
            let slot = |_| Mutex::new(Slot { generation: FIRST_GENERATION, value: None });
            (0..FIRST_CHUNK << chunk).map(slot).collect()
        });
        let mut slot = lock(slots.get(place)?);
        slot.value = Some(Arc::new(value));
        Some(Handle(slot.generation << GENERATION_SHIFT | index << KIND_BITS | self.kind as usize))
    }

    /// The object of a handle, if it lives.
    pub fn find(&self, handle: Handle) -> Option<Arc<T>> {
        self.slot(handle)?.value.clone()
    }

    /// Takes an object out: its handle, and every copy of it, is dead from now on.
    pub fn remove(&self, handle: Handle) -> Option<Arc<T>> {
        let value = {
            let mut slot = self.slot(handle)?;
            let value = slot.value.take()?;
            // A slot whose generations are used up is never used again.
            let generations = usize::MAX >> GENERATION_SHIFT;
            slot.generation += 1;
            if slot.generation > generations {
                return Some(value);
            }
            value
        };
        lock(&self.free).slots.push(index(handle));
        Some(value)
    }

    /// Puts another object in the place of a living one. Whether it lived.
    pub fn replace(&self, handle: Handle, value: T) -> bool {
        match self.slot(handle) {
            Some(mut slot) if slot.value.is_some() => {
                slot.value = Some(Arc::new(value));
                true
            }
            _ => false,
        }
    }

    /// How many objects live.
    pub fn live(&self) -> usize {
        let free = lock(&self.free);
        free.used - free.slots.len()
    }

    fn slot(&self, handle: Handle) -> Option<MutexGuard<'_, Slot<T>>> {
        if handle.0 & ((1 << KIND_BITS) - 1) != self.kind as usize {
            return None;
        }
        let (chunk, place) = place(index(handle))?;
        let slot = lock(self.chunks.get(chunk)?.get()?.get(place)?);
        (slot.generation == handle.0 >> GENERATION_SHIFT).then_some(slot)
    }
}

fn index(handle: Handle) -> usize {
    handle.0 >> KIND_BITS & ((1 << INDEX_BITS) - 1)
}

/// The chunk that a slot lies in, and where in it.
fn place(index: usize) -> Option<(usize, usize)> {
    let shifted = index.checked_add(FIRST_CHUNK)?;
    let chunk = shifted.ilog2() - FIRST_CHUNK.ilog2();
    Some((usize::try_from(chunk).ok()?, shifted - (FIRST_CHUNK << chunk)))
}

/// What a lock holds: each is changed by single assignments, so that it is whole even after a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_dead_copied_foreign_or_wild_handle_finds_nothing() {
        let (names, contexts) = (Table::new(Kind::Name), Table::new(Kind::Context));
        let first = names.insert("first").unwrap();
        assert_eq!(names.find(first).as_deref(), Some(&"first"));
        assert!(contexts.find(first).is_none());
        let context = contexts.insert("context").unwrap();
        assert!(names.find(context).is_none(), "another kind");
        let copy = first;
        assert_eq!(names.remove(first).as_deref(), Some(&"first"));
        for dead in [first, copy] {
            assert!(names.find(dead).is_none() && names.remove(dead).is_none());
        }
        let second = names.insert("second").unwrap();
        assert_ne!(first, second, "the slot is used again, the handle is not");
        assert!(names.find(first).is_none());
        let stack = 0_u8;
        let wild =
            [0, 1, 3, usize::MAX, usize::MAX - 1, (&raw const stack).addr(), first.0 ^ 1 << 40, first.0 + 4];
        for number in wild {
            assert!(
                names.find(Handle(number)).is_none() && names.remove(Handle(number)).is_none(),
                "{number:x}"
            );
        }
        assert_eq!((names.live(), contexts.live()), (1, 1));
    }

    #[test]
    fn many_handles_in_many_threads_are_all_different_and_all_found() {
        let table = Table::new(Kind::Context);
        thread::scope(|scope| {
            for thread in 0..4_u32 {
                let table = &table;
                scope.spawn(move || {
                    for round in 0..50_u32 {
                        let value = |number| (thread, round, number);
                        let made: Vec<_> = (0..200).map(|n| table.insert(value(n)).unwrap()).collect();
                        for (number, handle) in (0..200).zip(&made) {
                            assert_eq!(table.find(*handle).as_deref(), Some(&value(number)));
                        }
                        assert!(made.into_iter().all(|handle| table.remove(handle).is_some()));
                    }
                });
            }
        });
        assert_eq!(table.live(), 0);
    }

    #[test]
    fn every_slot_has_a_place_of_its_own() {
        let mut last = None;
        for index in 0..5_000 {
            let (chunk, place) = place(index).unwrap();
            assert!(place < FIRST_CHUNK << chunk);
            assert!(last < Some((chunk, place)));
            last = Some((chunk, place));
        }
    }
}
