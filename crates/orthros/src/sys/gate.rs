//! The gate that `fork` waits at.
//!
//! A child of `fork` has only the thread that forked. A lock that another thread held at that moment stays held in the
//! child for ever, and what it guards may be half changed. So every call that C programs make of the library is inside
//! this gate, and `fork` waits until nobody is: then no lock of ours is held. A call that waits for the network is
//! outside meanwhile, with no lock in its hands, so that `fork` never waits long.
//!
//! The gate is 64 doors, each thread has one of them: calls of different threads do not meet. The handlers of `fork` are
//! installed by the first call; programs in Rust, who do not fork that way, never go through here.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

const DOORS: usize = 64;

/// A door in cache lines of its own, so that threads at theirs do not slow each other.
#[repr(align(128))]
struct Door(RwLock<()>);

static GATE: [Door; DOORS] = [const { Door(RwLock::new(())) }; DOORS];

thread_local! {
    static HERE: Here = const { Here { depth: Cell::new(0), door: Cell::new(None), open: RefCell::new(None) } };
    /// All doors, closed by this thread for its fork.
    static CLOSED: RefCell<Vec<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(Vec::new()) };
}

/// Where a thread is. One place for all of it, since every call of the library asks, and in a shared library that takes
/// a call of its own.
struct Here {
    /// How many calls of this thread are inside, one within another.
    depth: Cell<usize>,
    /// The thread's door, once it has come by one.
    door: Cell<Option<&'static Door>>,
    /// What holds the door open, while the thread is inside.
    open: RefCell<Option<RwLockReadGuard<'static, ()>>>,
}

impl Here {
    fn enter(&self) {
        self.depth.set(self.depth.get() + 1);
        if self.depth.get() == 1 {
            self.open();
        }
    }

    fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
        if self.depth.get() == 0 {
            self.close();
        }
    }

    fn open(&self) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        if self.door.get().is_none() {
            self.door.set(GATE.get(NEXT.fetch_add(1, Ordering::Relaxed) % DOORS));
        }
        let door = self.door.get().map(|door| door.0.read().unwrap_or_else(PoisonError::into_inner));
        *self.open.borrow_mut() = door;
    }

    fn close(&self) {
        self.open.borrow_mut().take();
    }
}

/// A call that is inside the gate, until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Inside(());

/// Goes inside; waits while another thread forks.
pub fn enter() -> Inside {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(install);
    // A thread that is ending has no locals any more, and goes by.
    let _ = HERE.try_with(Here::enter);
    Inside(())
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = HERE.try_with(Here::leave);
    }
}

/// Waits for something outside the gate: `wait` must hold no lock and take none that others hold for long.
pub fn outside<T>(wait: impl FnOnce() -> T) -> T {
    /// As deep inside as before, also when the wait ends by a panic.
    struct Back(usize);

    impl Drop for Back {
        fn drop(&mut self) {
            let _ = HERE.try_with(|here| {
                here.depth.set(self.0);
                here.open();
            });
        }
    }

    // What is called meanwhile may call the library again: such a call goes inside by itself.
    let depth = HERE.try_with(|here| here.depth.replace(0)).unwrap_or(0);
    let _back = (depth > 0).then(|| {
        let _ = HERE.try_with(Here::close);
        Back(depth)
    });
    wait()
}

fn install() {
    // SAFETY: the handlers are functions that live as long as the process: who registers them sees to it that the code
    // stays mapped (the libraries are linked `-z nodelete`). No precondition otherwise (pthread_atfork(3)).
    let registered = unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork)) };
    if registered != 0 {
        tracing::warn!(errno = registered, "fork is not waited for");
    }
}

/// Closes every door behind those who are inside. A thread that forks amid a call of its own can't wait for itself.
extern "C" fn before_fork() {
    if HERE.try_with(|here| here.depth.get() > 0).unwrap_or(true) {
        return;
    }
    let _ = CLOSED.try_with(|closed| {
        let doors = GATE.iter().map(|door| door.0.write().unwrap_or_else(PoisonError::into_inner));
        closed.borrow_mut().extend(doors);
    });
}

/// Opens them again, in the parent and in the child: this thread is in both.
extern "C" fn after_fork() {
    let _ = CLOSED.try_with(|closed| closed.borrow_mut().clear());
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
        let is_inside = || HERE.with(|here| here.open.borrow().is_some());
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
                assert!(HERE.with(|here| here.open.borrow().is_some()), "inside again");
            });
            both.wait();
            assert_eq!(in_a_child(|| vec![1]), [1]);
            done.send(()).unwrap();
        });
        assert!(HERE.with(|here| here.open.borrow().is_none()));
    }
}
