//! Contexts, credentials and names behind handles that can't be forged, used twice or used after their end.
//!
//! A handle is a number of the size of a pointer, never the address of an object: the highest bit; the slot's generation,
//! which goes up whenever the slot is emptied; the number of the slot; two bits for the kind, so that a name is never
//! taken for a context. With 64 bits a slot has 2^33 generations, with 32 bits (and no highest bit to spare) 2^14.
//! Whatever is no living handle, any number at all, finds nothing.
//!
//! With 64 bits the handle of a context is an address that may be read: libtirpc's server copies sixteen octets from
//! there, which MIT krb5's library would have there, and sends them as a name that nobody looks at. Each slot has a piece
//! of zeros that nothing is ever written to, and the place in it is the generation, of which there are 2^16 then. Such
//! zeros cost address space only. Where there is none to be had, the handle is a number as the others.
//!
//! Slots lie in chunks that never move, each twice as large as the one before, so that looking up takes the slot's own
//! lock and no other. Making and ending take one for the list of free slots.

use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::abi::Handle;

const KIND_BITS: u32 = 2;
const INDEX_BITS: u32 = if HAS_ADDRESSES { 28 } else { 16 };
const GENERATION_SHIFT: u32 = KIND_BITS + INDEX_BITS;
/// The first generation; 0 would make a handle of small bits only.
const FIRST_GENERATION: usize = 1;
/// Slots in the first chunk.
const FIRST_CHUNK: usize = 64;
const CHUNKS: usize = INDEX_BITS as usize - 6;
/// Whether there is so much address space that handles may be places in it.
const HAS_ADDRESSES: bool = usize::BITS == 64;
/// What tells numbers from addresses, which programs have none of with this bit.
const NUMBER: usize = if HAS_ADDRESSES { 1 << (usize::BITS - 1) } else { 0 };
/// Generations of a slot whose handles are numbers.
const GENERATIONS: usize = (usize::MAX ^ NUMBER) >> GENERATION_SHIFT;
/// The same where they are addresses.
const ADDRESS_BITS: u32 = 16;
/// Octets that may be read where a handle points to.
const READABLE: usize = 16;

/// What kind of object a table holds.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub enum Kind {
    /// A context or a name of a plug-in's mechanism.
    Plugin = 0,
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

struct Chunk<T> {
    slots: Box<[Mutex<Slot<T>>]>,
    /// Where the zeros of its first slot begin, if handles are addresses.
    zeros: Option<usize>,
}

/// Where a handle leads, if it lives.
struct Way<'a, T> {
    chunk: &'a Chunk<T>,
    /// Of the slot, in the table.
    index: usize,
    /// Of the slot, in the chunk.
    place: usize,
    generation: usize,
}

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
        let (number, place) = place(index)?;
        let chunk = self.chunks.get(number)?.get_or_init(|| Chunk::new(FIRST_CHUNK << number, self.kind));
        let mut slot = lock(chunk.slots.get(place)?);
        slot.value = Some(Arc::new(value));
        Some(Handle(match chunk.zeros {
            Some(zeros) => zeros + (place << ADDRESS_BITS) + slot.generation,
            None => NUMBER | slot.generation << GENERATION_SHIFT | index << KIND_BITS | self.kind as usize,
        }))
    }

    /// The object of a handle, if it lives.
    pub fn find(&self, handle: Handle) -> Option<Arc<T>> {
        self.way(handle)?.slot()?.value.clone()
    }

    /// Takes an object out: its handle, and every copy of it, is dead from now on.
    pub fn remove(&self, handle: Handle) -> Option<Arc<T>> {
        let way = self.way(handle)?;
        let value = {
            let mut slot = way.slot()?;
            let value = slot.value.take()?;
            // A slot whose generations are used up is never used again.
            slot.generation += 1;
            if slot.generation > way.chunk.generations() {
                return Some(value);
            }
            value
        };
        lock(&self.free).slots.push(way.index);
        Some(value)
    }

    /// Puts another object in the place of a living one. Whether it lived.
    pub fn replace(&self, handle: Handle, value: T) -> bool {
        let way = self.way(handle);
        match way.as_ref().and_then(Way::slot) {
            Some(mut slot) if slot.value.is_some() => {
                slot.value = Some(Arc::new(value));
                true
            }
            _ => false,
        }
    }

    /// Whether a handle is one of this kind, living or not. Where handles are addresses, never.
    pub fn is_of(&self, handle: Handle) -> bool {
        handle.0 > NUMBER
            && handle.0 & NUMBER == NUMBER
            && handle.0 & ((1 << KIND_BITS) - 1) == self.kind as usize
    }

    /// How many objects live.
    pub fn live(&self) -> usize {
        let free = lock(&self.free);
        free.used - free.slots.len()
    }

    fn way(&self, handle: Handle) -> Option<Way<'_, T>> {
        if HAS_ADDRESSES && handle.0 & NUMBER == 0 {
            return self.chunks.iter().enumerate().find_map(|(number, chunk)| {
                let chunk = chunk.get()?;
                let offset = handle.0.checked_sub(chunk.zeros?)?;
                let (place, generation) = (offset >> ADDRESS_BITS, offset & ((1 << ADDRESS_BITS) - 1));
                let index = (FIRST_CHUNK << number) - FIRST_CHUNK + place;
                (place < chunk.slots.len()).then_some(Way { chunk, index, place, generation })
            });
        }
        if handle.0 & ((1 << KIND_BITS) - 1) != self.kind as usize {
            return None;
        }
        let index = handle.0 >> KIND_BITS & ((1 << INDEX_BITS) - 1);
        let (number, place) = place(index)?;
        let chunk = self.chunks.get(number)?.get().filter(|chunk| chunk.zeros.is_none())?;
        Some(Way { chunk, index, place, generation: (handle.0 ^ NUMBER) >> GENERATION_SHIFT })
    }
}

impl<T> Way<'_, T> {
    /// The slot, if it is still of the handle's generation.
    fn slot(&self) -> Option<MutexGuard<'_, Slot<T>>> {
        let slot = lock(self.chunk.slots.get(self.place)?);
        (slot.generation == self.generation).then_some(slot)
    }
}

impl<T> Chunk<T> {
    fn new(slots: usize, kind: Kind) -> Self {
        let slot = |_| Mutex::new(Slot { generation: FIRST_GENERATION, value: None });
        let zeros = match kind {
            Kind::Context if HAS_ADDRESSES => zeros((slots << ADDRESS_BITS) + READABLE),
            _ => None,
        };
        Self { slots: (0..slots).map(slot).collect(), zeros }
    }

    /// The last generation of its slots.
    fn generations(&self) -> usize {
        if self.zeros.is_some() { (1 << ADDRESS_BITS) - 1 } else { GENERATIONS }
    }
}

/// So many octets that may be read, all zero, for as long as the process lives; `None` if there are none to be had.
fn zeros(length: usize) -> Option<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at a place that the system chooses.
    let place = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_READ, flags, -1, 0) };
    (place != libc::MAP_FAILED).then(|| place.expose_provenance())
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
        let places = [context.0 + 1, context.0 + (1 << ADDRESS_BITS), context.0 - 1];
        let wild =
            [0, 1, 3, usize::MAX, usize::MAX - 1, (&raw const stack).addr(), first.0 ^ 1 << 40, first.0 + 4];
        for number in wild {
            assert!(
                names.find(Handle(number)).is_none() && names.remove(Handle(number)).is_none(),
                "{number:x}"
            );
        }
        for number in wild.into_iter().chain(places) {
            assert!(contexts.find(Handle(number)).is_none(), "{number:x}");
        }
        assert_eq!((names.live(), contexts.live()), (1, 1));
    }

    #[test]
    fn a_context_is_readable_where_its_handle_points_to_and_a_slot_ends_with_its_generations() {
        let table = Table::new(Kind::Context);
        let read = |handle: Handle| {
            // SAFETY: what the table promises.
            unsafe { ptr::with_exposed_provenance::<[u8; READABLE]>(handle.0).read_unaligned() }
        };
        let first = table.insert(0).unwrap();
        let mut last = first;
        for generation in 1..1 << ADDRESS_BITS {
            assert!(table.remove(last).is_some());
            assert!(table.find(last).is_none());
            last = table.insert(generation).unwrap();
        }
        assert_eq!((read(first), read(last)), ([0; READABLE], [0; READABLE]));
        assert_eq!(last.0 - first.0, 1 << ADDRESS_BITS, "the next slot");
        let many: Vec<Handle> = (0..200).map(|number| table.insert(number).unwrap()).collect();
        assert!(many.iter().all(|handle| read(*handle) == [0; READABLE] && table.find(*handle).is_some()));
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
