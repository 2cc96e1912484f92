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
//! Slots lie in chunks that never move, each twice as large as the one before, and no call takes a lock. An object that is
//! held stays until it is let go, also after its handle's end. What threads make at the same time lies in different cache
//! lines: each takes slots by the run, and gets those back that come out of its runs.
//!
//! | file | what it does |
//! |---|---|
//! | here | handles, and the way from a handle to its slot |
//! | `slot` | who is at an object |
//! | `free` | which slots are free |

mod free;
mod slot;

use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use orthros::sys::gate;

use self::free::{Free, LISTS};
use self::slot::{Ended, Slot};
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

/// Slots that one thread takes at once.
const RUN: usize = 4;
/// Slots of all chunks.
const SLOTS: usize = (FIRST_CHUNK << CHUNKS) - FIRST_CHUNK;

/// Slots that share no cache line with others.
#[repr(align(128))]
struct Run<T>([Slot<T>; RUN]);

struct Chunk<T> {
    runs: Box<[Run<T>]>,
    /// Where the zeros of its first slot begin, if handles are addresses.
    zeros: Option<usize>,
}

/// Where a handle leads, if it lives.
struct Way<'a, T> {
    chunk: &'a Chunk<T>,
    slot: &'a Slot<T>,
    /// Of the slot, in the table.
    index: usize,
    generation: usize,
}

/// The objects of one kind.
pub struct Table<T> {
    kind: Kind,
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    /// How many slots have ever been taken.
    used: AtomicUsize,
    free: Free,
}

/// An object that stays until this is dropped.
pub struct Held<'a, T> {
    table: &'a Table<T>,
    way: Way<'a, T>,
    value: NonNull<T>,
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the object is held, so it stays where it is and is only read.
        unsafe { self.value.as_ref() }
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        if self.way.slot.let_go() {
            self.table.empty(&self.way);
        }
    }
}

impl<T> Table<T> {
    /// An empty table.
    pub const fn new(kind: Kind) -> Self {
        let used = AtomicUsize::new(0);
        Self { kind, chunks: [const { OnceLock::new() }; CHUNKS], used, free: Free::new() }
    }

    /// Puts an object in; `None` if there are 2^28 of them (with 32 bits 2^16).
    pub fn insert(&self, value: T) -> Option<Handle> {
        let list = gate::thread_number() % LISTS;
        let any = || (0..LISTS).find_map(|list| self.recycled(list));
        let index = self.recycled(list).or_else(|| self.fresh(list)).or_else(any)?;
        let (chunk, place) = self.chunk(index)?;
        // SAFETY: the slot is new or came out of a list, and nobody else has it.
        let generation = unsafe { chunk.slot(place)?.fill(value) };
        Some(Handle(match chunk.zeros {
            Some(zeros) => zeros + (place << ADDRESS_BITS) + generation,
            None => NUMBER | generation << GENERATION_SHIFT | index << KIND_BITS | self.kind as usize,
        }))
    }

    /// The object of a handle, if it lives.
    pub fn hold(&self, handle: Handle) -> Option<Held<'_, T>> {
        let way = self.way(handle)?;
        let value = way.slot.hold(way.generation)?;
        Some(Held { table: self, way, value })
    }

    /// Ends an object: its handle, and every copy of it, is dead from now on. Whether it lived.
    pub fn remove(&self, handle: Handle) -> bool {
        let Some(way) = self.way(handle) else { return false };
        match way.slot.end(way.generation) {
            Some(Ended::Free) => self.empty(&way),
            Some(Ended::Held) => {}
            None => return false,
        }
        true
    }

    /// Empties a slot whose object was ended, and that nobody holds any more.
    fn empty(&self, way: &Way<'_, T>) {
        // SAFETY: who calls was told so by the slot.
        let (_value, generation) = unsafe { way.slot.empty() };
        // A slot whose generations are used up is never used again.
        if generation <= way.chunk.generations()
            && let (Ok(index), Ok(home)) =
                (u32::try_from(way.index), usize::try_from(way.slot.home.load(Ordering::Relaxed)))
        {
            self.free.push(home, index, &way.slot.next);
        }
    }

    /// A slot that was emptied, of this list.
    fn recycled(&self, list: usize) -> Option<usize> {
        let slot = |index: u32| {
            let (chunk, place) = self.chunk(usize::try_from(index).ok()?)?;
            chunk.slot(place).map(|slot| &slot.next)
        };
        self.free.pop(list, slot).and_then(|index| usize::try_from(index).ok())
    }

    /// A slot that was never used, the others of whose run go to this list.
    fn fresh(&self, list: usize) -> Option<usize> {
        let more = |used: usize| (used < SLOTS).then_some(used + RUN);
        let first = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let home = u32::try_from(list).ok()?;
        // The last one first, so that the next one comes out first.
        for index in (first..first + RUN).rev() {
            let (chunk, place) = self.chunk(index)?;
            let slot = chunk.slot(place)?;
            slot.home.store(home, Ordering::Relaxed);
            if index > first {
                self.free.push(list, u32::try_from(index).ok()?, &slot.next);
            }
        }
        Some(first)
    }

    /// The chunk of a slot, which is made if it is not there, and the slot's place in it.
    fn chunk(&self, index: usize) -> Option<(&Chunk<T>, usize)> {
        let (number, place) = place(index)?;
        let chunk = self.chunks.get(number)?.get_or_init(|| Chunk::new(FIRST_CHUNK << number, self.kind));
        Some((chunk, place))
    }

    /// Whether a handle is one of this kind, living or not. Where handles are addresses, never.
    pub fn is_of(&self, handle: Handle) -> bool {
        handle.0 > NUMBER
            && handle.0 & NUMBER == NUMBER
            && handle.0 & ((1 << KIND_BITS) - 1) == self.kind as usize
    }

    /// How many objects live.
    pub fn live(&self) -> usize {
        let chunks = self.chunks.iter().filter_map(OnceLock::get);
        chunks.flat_map(|chunk| &chunk.runs).flat_map(|run| &run.0).filter(|slot| slot.lives()).count()
    }

    fn way(&self, handle: Handle) -> Option<Way<'_, T>> {
        if HAS_ADDRESSES && handle.0 & NUMBER == 0 {
            return self.chunks.iter().enumerate().find_map(|(number, chunk)| {
                let chunk = chunk.get()?;
                let offset = handle.0.checked_sub(chunk.zeros?)?;
                let (place, generation) = (offset >> ADDRESS_BITS, offset & ((1 << ADDRESS_BITS) - 1));
                let index = (FIRST_CHUNK << number) - FIRST_CHUNK + place;
                Some(Way { chunk, slot: chunk.slot(place)?, index, generation })
            });
        }
        if handle.0 & ((1 << KIND_BITS) - 1) != self.kind as usize {
            return None;
        }
        let index = handle.0 >> KIND_BITS & ((1 << INDEX_BITS) - 1);
        let (number, place) = place(index)?;
        let chunk = self.chunks.get(number)?.get().filter(|chunk| chunk.zeros.is_none())?;
        let generation = (handle.0 ^ NUMBER) >> GENERATION_SHIFT;
        Some(Way { chunk, slot: chunk.slot(place)?, index, generation })
    }
}

impl<T> Table<Arc<T>> {
    /// The object of a handle, if it lives.
    pub fn find(&self, handle: Handle) -> Option<Arc<T>> {
        let way = self.way(handle)?;
        way.slot.alone(way.generation, |value| Arc::clone(value))
    }

    /// Puts another object in the place of a living one. Whether it lived.
    pub fn replace(&self, handle: Handle, value: T) -> bool {
        let mut value = Arc::new(value);
        let Some(way) = self.way(handle) else { return false };
        way.slot.alone(way.generation, |place| std::mem::swap(place, &mut value)).is_some()
    }
}

impl<T> Chunk<T> {
    fn new(slots: usize, kind: Kind) -> Self {
        let zeros = match kind {
            Kind::Context if HAS_ADDRESSES => zeros((slots << ADDRESS_BITS) + READABLE),
            _ => None,
        };
        Self { runs: (0..slots / RUN).map(|_| Run([const { Slot::new() }; RUN])).collect(), zeros }
    }

    fn slot(&self, place: usize) -> Option<&Slot<T>> {
        self.runs.get(place / RUN)?.0.get(place % RUN)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_dead_copied_foreign_or_wild_handle_finds_nothing() {
        let (names, contexts) = (Table::new(Kind::Name), Table::new(Kind::Context));
        let first = names.insert("first").unwrap();
        assert_eq!(names.hold(first).as_deref(), Some(&"first"));
        assert!(contexts.hold(first).is_none());
        let context = contexts.insert("context").unwrap();
        assert!(names.hold(context).is_none(), "another kind");
        let copy = first;
        assert!(names.remove(first));
        for dead in [first, copy] {
            assert!(names.hold(dead).is_none() && !names.remove(dead));
        }
        let second = names.insert("second").unwrap();
        assert_ne!(first, second, "the slot is used again, the handle is not");
        assert!(names.hold(first).is_none());
        let stack = 0_u8;
        let places = [context.0 + 1, context.0 + (1 << ADDRESS_BITS), context.0 - 1];
        let wild =
            [0, 1, 3, usize::MAX, usize::MAX - 1, (&raw const stack).addr(), first.0 ^ 1 << 40, first.0 + 4];
        for number in wild {
            assert!(names.hold(Handle(number)).is_none() && !names.remove(Handle(number)), "{number:x}");
        }
        for number in wild.into_iter().chain(places) {
            assert!(contexts.hold(Handle(number)).is_none(), "{number:x}");
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
            assert!(table.remove(last));
            assert!(table.hold(last).is_none());
            last = table.insert(generation).unwrap();
        }
        assert_eq!((read(first), read(last)), ([0; READABLE], [0; READABLE]));
        assert_eq!(last.0 - first.0, 1 << ADDRESS_BITS, "the next slot");
        let many: Vec<Handle> = (0..200).map(|number| table.insert(number).unwrap()).collect();
        assert!(many.iter().all(|handle| read(*handle) == [0; READABLE] && table.hold(*handle).is_some()));
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
                            assert_eq!(table.hold(*handle).as_deref(), Some(&value(number)));
                        }
                        assert!(made.into_iter().all(|handle| table.remove(handle)));
                    }
                });
            }
        });
        assert_eq!(table.live(), 0);
    }

    #[test]
    fn an_object_that_is_held_outlives_its_handle_and_is_dropped_once() {
        let object = Arc::new(());
        let table = Table::new(Kind::Name);
        let handle = table.insert(Arc::clone(&object)).unwrap();
        let (first, second) = (table.hold(handle).unwrap(), table.hold(handle).unwrap());
        assert!(table.remove(handle) && !table.remove(handle));
        assert!(table.hold(handle).is_none() && table.live() == 0);
        let other = table.insert(Arc::clone(&object)).unwrap();
        assert_ne!(
            table.way(handle).unwrap().index,
            table.way(other).unwrap().index,
            "the slot is still in use"
        );
        drop(first);
        assert!(Arc::ptr_eq(&second, &object));
        assert_eq!(Arc::strong_count(&object), 3);
        drop(second);
        assert_eq!(Arc::strong_count(&object), 2);
        let third = table.insert(Arc::clone(&object)).unwrap();
        assert_eq!(table.way(handle).unwrap().index, table.way(third).unwrap().index, "the slot is free");
        drop(table);
        assert_eq!(Arc::strong_count(&object), 1);
    }

    #[test]
    fn objects_that_other_threads_hold_replace_and_end_are_whole_and_all_dropped() {
        let alive = Arc::new(());
        let table: Table<Arc<(Arc<()>, [u32; 2])>> = Table::new(Kind::Credential);
        let handles = [const { AtomicUsize::new(0) }; 4];
        let make = |number: u32| (Arc::clone(&alive), [number, !number]);
        thread::scope(|scope| {
            for thread in 0..4_u32 {
                let (table, handles, make) = (&table, &handles, &make);
                scope.spawn(move || {
                    for round in 0..5_000_u32 {
                        let shared = &handles[round as usize % handles.len()];
                        let handle = Handle(shared.load(Ordering::Relaxed));
                        if let Some(found) = table.find(handle) {
                            assert_eq!(found.1[0], !found.1[1]);
                        }
                        if let Some(held) = table.hold(handle) {
                            assert_eq!(held.1[0], !held.1[1]);
                        }
                        match (round + thread) % 3 {
                            0 => drop(table.replace(handle, make(round))),
                            1 => drop(table.remove(handle)),
                            _ => {
                                let made = table.insert(Arc::new(make(round))).unwrap();
                                table.remove(Handle(shared.swap(made.0, Ordering::Relaxed)));
                            }
                        }
                    }
                });
            }
        });
        for last in handles {
            table.remove(Handle(last.into_inner()));
        }
        assert_eq!((table.live(), Arc::strong_count(&alive)), (0, 1));
        assert!(table.used.load(Ordering::Relaxed) < 100, "slots are used again");
    }

    #[test]
    fn slots_that_another_thread_empties_come_back_to_who_took_them() {
        let table = Table::new(Kind::Name);
        thread::scope(|scope| {
            for _ in 0..50 {
                let made: Vec<_> = (0..10).map(|number| table.insert(number).unwrap()).collect();
                let ender = scope.spawn(|| made.into_iter().all(|handle| table.remove(handle)));
                assert!(ender.join().unwrap());
            }
        });
        assert!(table.used.load(Ordering::Relaxed) <= 12);
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
