//! The gate that `fork` waits at.
//!
//! A child of `fork` has only the thread that forked. A lock that another thread held at that moment stays held in the
//! child for ever, and what it guards may be half changed. So every call that C programs make of the library is inside
//! this gate, and `fork` waits until nobody is: then no lock of ours is held. A call that waits for the network is
//! outside meanwhile, with no lock in its hands, so that `fork` never waits long.
//!
//! Each thread has a door of its own, which only it goes through: calls of different threads do not meet, and a call costs
//! one exchange of a word that no other thread writes. Whoever forks says so first and then looks at every door. The
//! handlers of `fork` are installed by the first call; programs in Rust, who do not fork that way, never go through here.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::thread;
use std::time::Duration;

/// Doors in a row.
const DOORS: usize = 64;

/// A door in cache lines of its own, so that threads at theirs do not slow each other.
#[derive(Debug)]
#[repr(align(128))]
struct Door {
    /// How many calls of its thread are inside, one within another. Only that thread changes it.
    depth: AtomicUsize,
    /// Whether a thread has it.
    taken: AtomicBool,
    /// Where it stands.
    number: AtomicUsize,
}

/// Doors, and the next row for programs of many threads. Rows never go: another thread takes a door once its thread has
/// ended.
struct Row {
    doors: [Door; DOORS],
    next: OnceLock<Box<Row>>,
}

impl Row {
    const fn new() -> Self {
        Self { doors: [const { Door::new() }; DOORS], next: OnceLock::new() }
    }
}

static GATE: Row = Row::new();
/// Whether more than one door was ever taken.
static SHARED: AtomicBool = AtomicBool::new(false);
/// Whether a thread forks, or is about to.
static CLOSING: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HERE: Here = const { Here(Cell::new(None)) };
    /// Whether this thread keeps the others out for its fork.
    static CLOSED: Cell<bool> = const { Cell::new(false) };
}

/// The thread's door, once it has come by one. It is left to others when the thread ends.
struct Here(Cell<Option<&'static Door>>);

impl Here {
    fn door(&self) -> &'static Door {
        self.0.get().unwrap_or_else(|| {
            let door = Door::take();
            self.0.set(Some(door));
            door
        })
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        if let Some(door) = self.0.get() {
            door.taken.store(false, Ordering::Release);
        }
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    std::iter::successors(Some(&GATE), |row| row.next.get().map(|next| &**next))
}

/// Waits until it is so. What is waited for is short, and there is nobody to wake who does: in a child the threads that
/// would are not there.
fn until(mut is_so: impl FnMut() -> bool) {
    let mut looks = 0_u32;
    while !is_so() {
        looks = looks.saturating_add(1);
        if looks < 100 { thread::yield_now() } else { thread::sleep(Duration::from_micros(50)) }
    }
}

impl Door {
    const fn new() -> Self {
        let (depth, number) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { depth, taken: AtomicBool::new(false), number }
    }

    /// A door that no other thread has.
    fn take() -> &'static Self {
        let (mut row, mut before) = (&GATE, 0);
        loop {
            let free = |door: &&Self| {
                !door.taken.load(Ordering::Relaxed) && !door.taken.swap(true, Ordering::Acquire)
            };
            if let Some((place, door)) = row.doors.iter().enumerate().find(|(_, door)| free(door)) {
                door.number.store(before + place, Ordering::Relaxed);
                if before + place > 0 {
                    SHARED.store(true, Ordering::Relaxed);
                }
                // A new row, before the look at `CLOSING`: as in `open`.
                fence(Ordering::SeqCst);
                return door;
            }
            row = row.next.get_or_init(|| Box::new(Row::new()));
            before += DOORS;
        }
    }

    fn enter(&self) {
        match self.depth.load(Ordering::Relaxed) {
            0 => self.open(1),
            depth => self.depth.store(depth + 1, Ordering::Relaxed),
        }
    }

    fn leave(&self) {
        let depth = self.depth.load(Ordering::Relaxed);
        self.depth.store(depth.saturating_sub(1), Ordering::Release);
    }

    /// Goes inside, so deep; waits while another thread forks.
    fn open(&self, depth: usize) {
        loop {
            // Then the look at `CLOSING`, while who forks sets that and then looks here: one of both sees the other.
            self.depth.swap(depth, Ordering::SeqCst);
            if !CLOSING.load(Ordering::SeqCst) {
                return;
            }
            self.depth.store(0, Ordering::Release);
            until(|| !CLOSING.load(Ordering::Relaxed));
        }
    }
}

/// A call that is inside the gate, until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Inside(Option<&'static Door>, PhantomData<*const ()>);

/// Goes inside; waits while another thread forks.
pub fn enter() -> Inside {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(install);
    // A thread that is ending has no locals any more, and goes by.
    let door = HERE.try_with(Here::door).ok();
    if let Some(door) = door {
        door.enter();
    }
    Inside(door, PhantomData)
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some(door) = self.0 {
            door.leave();
        }
    }
}

/// The number of this thread among those that live, from 0 on; those that are ending are all 0. Whoever has a table of
/// places for threads chooses by it.
pub fn thread_number() -> usize {
    HERE.try_with(|here| here.door().number.load(Ordering::Relaxed)).unwrap_or(0)
}

/// Whether threads have ever been here side by side.
pub fn is_shared() -> bool {
    SHARED.load(Ordering::Relaxed)
}

/// Waits for something outside the gate: `wait` must hold no lock and take none that others hold for long.
pub fn outside<T>(wait: impl FnOnce() -> T) -> T {
    /// As deep inside as before, also when the wait ends by a panic.
    struct Back(&'static Door, usize);

    impl Drop for Back {
        fn drop(&mut self) {
            self.0.open(self.1);
        }
    }

    // What is called meanwhile may call the library again: such a call goes inside by itself.
    let door = HERE.try_with(|here| here.0.get()).ok().flatten();
    let depth = door.map_or(0, |door| door.depth.load(Ordering::Relaxed));
    let _back = door.filter(|_| depth > 0).map(|door| {
        door.depth.store(0, Ordering::Release);
        Back(door, depth)
    });
    wait()
}

fn install() {
    // SAFETY: the handlers are functions that live as long as the process: who registers them sees to it that the code
    // stays mapped (the libraries are linked `-z nodelete`). No precondition otherwise (pthread_atfork(3)).
    let registered = unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(in_child)) };
    if registered != 0 {
        tracing::warn!(errno = registered, "fork is not waited for");
    }
}

/// Waits until nobody is inside, and lets nobody in. A thread that forks amid a call of its own can't wait for itself.
extern "C" fn before_fork() {
    if HERE.try_with(|here| here.0.get().is_some_and(is_open)).unwrap_or(true) {
        return;
    }
    let _ = CLOSED.try_with(|closed| {
        until(|| !CLOSING.swap(true, Ordering::SeqCst));
        closed.set(true);
        fence(Ordering::SeqCst);
        for door in rows().flat_map(|row| &row.doors) {
            until(|| door.depth.load(Ordering::SeqCst) == 0);
        }
    });
}

fn is_open(door: &Door) -> bool {
    door.depth.load(Ordering::Relaxed) > 0
}

/// Lets everybody in again.
extern "C" fn after_fork() {
    let _ = CLOSED.try_with(|closed| {
        if closed.replace(false) {
            CLOSING.store(false, Ordering::SeqCst);
        }
    });
}

/// The same in the child, where this thread is the only one: the doors of the others are nobody's.
extern "C" fn in_child() {
    let own = HERE.try_with(|here| here.0.get()).ok().flatten();
    for door in rows().flat_map(|row| &row.doors) {
        if !own.is_some_and(|own| std::ptr::eq(own, door)) {
            door.depth.store(0, Ordering::Relaxed);
            door.taken.store(false, Ordering::Relaxed);
        }
    }
    let _ = CLOSED.try_with(|closed| closed.set(false));
    CLOSING.store(false, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::tests::in_a_child;
    use std::sync::atomic::AtomicBool;
    use std::sync::{Barrier, Mutex, mpsc};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_call_within_a_wait_is_outside_the_gate() {
        let is_inside = || HERE.with(|here| here.0.get().is_some_and(is_open));
        let inside = enter();
        outside(|| {
            assert!(!is_inside());
            let within = enter();
            assert!(is_inside());
            drop(within);
            assert!(!is_inside());
        });
        assert!(is_inside());
        drop(inside);
        assert!(!is_inside());
    }

    #[test]
    fn a_fork_amid_other_threads_calls_leaves_no_lock_held() {
        static SHARED: Mutex<u64> = Mutex::new(0);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let _inside = enter();
                        *SHARED.lock().unwrap() += 1;
                    }
                });
            }
            let free = |_| {
                in_a_child(|| {
                    let _inside = enter();
                    vec![u8::from(SHARED.try_lock().is_ok())]
                })
            };
            let held = (0..200).map(free).filter(|told| *told != [1]).count();
            // Before anything is asserted: the threads end by it.
            over.store(true, Ordering::Relaxed);
            assert_eq!(held, 0, "held for ever in so many children");
        });
    }

    #[test]
    fn a_call_that_waits_for_the_network_holds_no_fork_up() {
        let both = Barrier::new(2);
        let (done, forked) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let both = &both;
            scope.spawn(move || {
                let _inside = enter();
                let _within = enter();
                outside(|| {
                    both.wait();
                    forked.recv_timeout(Duration::from_secs(20)).expect("the fork waits for who is outside");
                });
                assert!(HERE.with(|here| is_open(here.door())), "inside again");
            });
            both.wait();
            assert_eq!(in_a_child(|| vec![1]), [1]);
            done.send(()).unwrap();
        });
        assert!(!HERE.with(|here| is_open(here.door())));
    }

    #[test]
    fn threads_that_live_have_doors_of_their_own_and_leave_them_when_they_end() {
        let both = Barrier::new(2 * DOORS);
        let number = || {
            let number = thread_number();
            both.wait();
            number
        };
        let round = || {
            let mut numbers: Vec<usize> = thread::scope(|scope| {
                let made: Vec<_> = (0..2 * DOORS).map(|_| scope.spawn(number)).collect();
                made.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!(numbers.len(), 2 * DOORS, "two threads at one door");
            numbers.last().copied()
        };
        // Other tests' threads have some.
        assert!((0..20).filter_map(|_| round()).max() < Some(5 * DOORS), "doors are never used again");
    }

    #[test]
    fn a_child_of_a_fork_amid_calls_of_others_can_fork_itself() {
        let (inside, over) = (Barrier::new(2), Barrier::new(2));
        thread::scope(|scope| {
            scope.spawn(|| {
                let _inside = enter();
                inside.wait();
                over.wait();
            });
            inside.wait();
            // From within a call, for nobody waits for the other thread then.
            let within = enter();
            let told = in_a_child(|| {
                HERE.with(|here| here.door().leave());
                in_a_child(|| vec![1])
            });
            drop(within);
            over.wait();
            assert_eq!(told, [1]);
        });
    }
}
