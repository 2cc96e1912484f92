//! The fork notice: one number that changes whenever this process turns out to be a copy.
//!
//! A page marked `MADV_WIPEONFORK` reads as zero in a child, whatever made the child (`fork`, `clone`, a
//! library). The first reader there counts the generation up. Reading costs one load and no system call.
//! Where the kernel lacks it (before Linux 4.14) the process id is compared at every reading.

use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// Grows in a forked child, never in the process itself; never 0.
///
/// What a process keeps that must not be shared with its children (generator state, locks on open files) is
/// kept together with this number, and made anew when it differs.
pub fn generation() -> u64 {
    match mark() {
        Some(mark) => match mark.load(Ordering::Acquire) {
            0 => next_generation(mark),
            generation => generation,
        },
        None => generation_by_process_id(&BY_PROCESS_ID),
    }
}

/// The highest generation in use anywhere in this process's line of ancestors. It is counted up *before* a
/// generation is published in the mark, so a child of a child can't be given its parent's number.
static HIGHEST: AtomicU64 = AtomicU64::new(0);
static BY_PROCESS_ID: AtomicU64 = AtomicU64::new(0);

fn next_generation(mark: &AtomicU64) -> u64 {
    let next = HIGHEST.fetch_add(1, Ordering::AcqRel) + 1;
    match mark.compare_exchange(0, next, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => next,
        Err(published) => published,
    }
}

/// The fall-back: generation (upper half) and process id (lower half) in one word, so that no thread can see
/// the one without the other.
fn generation_by_process_id(word: &AtomicU64) -> u64 {
    let present = u64::from(super::process::id());
    let mut known = word.load(Ordering::Acquire);
    while known & u64::from(u32::MAX) != present {
        let next = ((known >> 32) + 1) << 32 | present;
        match word.compare_exchange(known, next, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => known = next,
            Err(published) => known = published,
        }
    }
    known >> 32
}

/// The number in the page that a fork wipes; `None` where the kernel has no such pages.
fn mark() -> Option<&'static AtomicU64> {
    static MARK: OnceLock<Option<&'static AtomicU64>> = OnceLock::new();
    *MARK.get_or_init(map_mark)
}

fn map_mark() -> Option<&'static AtomicU64> {
    // The kernel rounds it up to a page (mmap(2), madvise(2)).
    let length = size_of::<AtomicU64>();
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the address is null and MAP_FIXED is not given, so the kernel picks a range that is mapped by
    // nobody: no existing object is touched (mmap(2)).
    let page =
        unsafe { rustix::mm::mmap_anonymous(ptr::null_mut(), length, access, MapFlags::PRIVATE) }.ok()?;
    // SAFETY: the page of `page` is exactly the mapping made above, which nothing else refers to yet, and
    // this advice changes only what a future child finds in it (madvise(2)).
    if unsafe { rustix::mm::madvise(page, length, Advice::LinuxWipeOnFork) }.is_err() {
        // SAFETY: as above: the mapping is ours, whole, and no reference into it has been made.
        let _ = unsafe { rustix::mm::munmap(page, length) };
        return None;
    }
    let mark = NonNull::new(page.cast::<AtomicU64>())?;
    // SAFETY: the mapping is readable, writable, page-aligned (hence aligned for 8 octets), at least 8 octets
    // long and zero-filled, which is a valid AtomicU64; it is never unmapped, so `'static` holds; all access
    // goes through the atomic. A wipe happens in the child's copy, before any of the child's code runs.
    Some(unsafe { mark.as_ref() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::{Read, Write};

    /// Forks, runs `work` in the child, and gives what it returned.
    pub(crate) fn in_a_child(work: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        let (mut reader, writer) = std::io::pipe().unwrap();
        // SAFETY: the child runs `work`, writes to a pipe and leaves by `_exit`; the tests that use this keep
        // to code that takes no lock which another thread of the test binary may hold (the allocator's is
        // handled by the C library's own fork handlers).
        match unsafe { libc::fork() } {
            -1 => panic!("fork: {}", std::io::Error::last_os_error()),
            0 => {
                drop(reader);
                let answer = work();
                let mut writer = writer;
                let _ = writer.write_all(&answer);
                // SAFETY: _exit runs no handlers of the parent's and doesn't return.
                unsafe { libc::_exit(0) }
            }
            child => {
                drop(writer);
                let mut answer = Vec::new();
                reader.read_to_end(&mut answer).unwrap();
                let mut status = 0;
                // SAFETY: `status` is a place for one int, alive during the call.
                unsafe { libc::waitpid(child, &raw mut status, 0) };
                answer
            }
        }
    }

    /// A child goes on with a context as well as its parent: what they share is the number that both give to their
    /// next message, of which the peer takes one; and they never seal two messages in the same way.
    #[test]
    fn parent_and_child_seal_the_same_message_differently_and_the_peer_takes_one_of_them() {
        use crate::{CacheName, Config, KeytabName, Name, Order, Orthros, Step};
        let realm = orthros_kdc::Realm::builder("TEST").principal("alice", "a").service("host/localhost");
        let kdc = orthros_kdc::Listener::start(realm.build(&crate::random::SystemRandom).unwrap()).unwrap();
        let orthros = Orthros::builder()
            .config(Config::for_realm("TEST", &[&kdc.address().to_string()]).unwrap())
            .default_cache(CacheName::Memory("c".into()))
            .default_keytab(KeytabName::Memory("k".into()))
            .replay_cache(crate::replay::NoReplay)
            .build();
        let keys = kdc.realm().keytab("host/localhost").unwrap();
        orthros.write_keytab(orthros.default_keytab(), keys).unwrap();
        let alice = orthros.acquire("alice").password("a").blocking().unwrap();
        let target = Name::hostbased_service("host", "localhost");
        let mut step = orthros.initiate_with(&alice, target).replay_detection().confidential().start();
        let (request, initiator) = loop {
            step = match step {
                Step::Need(need) => orthros.provide(need),
                Step::Send(owed) => {
                    let token = owed.token().to_vec();
                    let Step::Done(context) = owed.sent() else { panic!("one way") };
                    break (token, context);
                }
                other => panic!("{other:?}"),
            };
        };
        let Step::Receive(wait) = orthros.accept(&orthros.acceptor().unwrap()).start() else {
            panic!("waits")
        };
        let mut step = wait.token(&request);
        let acceptor = loop {
            step = match step {
                Step::Need(need) => orthros.provide(need),
                Step::Done(context) => break context,
                other => panic!("{other:?}"),
            };
        };
        let childs = in_a_child(|| initiator.wrap(b"the same").unwrap());
        let parents = initiator.wrap(b"the same").unwrap();
        assert_eq!(childs[..16], parents[..16], "header and number are the same");
        assert_ne!(childs[16..], parents[16..]);
        assert_eq!(acceptor.unwrap(&parents).unwrap().order, Order::InOrder);
        assert_eq!(acceptor.unwrap(&childs).unwrap().order, Order::Duplicate);
        // The parent goes on.
        let next = initiator.wrap(b"and on").unwrap();
        assert_eq!(acceptor.unwrap(&next).unwrap().order, Order::InOrder);
    }

    #[test]
    fn the_generation_stays_in_a_process_and_differs_in_child_and_grandchild() {
        let ours = generation();
        assert_ne!(ours, 0);
        assert_eq!(ours, generation());
        let theirs = in_a_child(|| {
            let child = generation();
            let mut both = child.to_be_bytes().to_vec();
            both.extend(in_a_child(|| generation().to_be_bytes().to_vec()));
            both
        });
        let child = u64::from_be_bytes(theirs[..8].try_into().unwrap());
        let grandchild = u64::from_be_bytes(theirs[8..].try_into().unwrap());
        assert!(ours < child && child < grandchild, "{ours} {child} {grandchild}");
        assert_eq!(ours, generation());
    }

    #[test]
    fn threads_of_one_process_agree_on_the_generation() {
        let ours = generation();
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(generation)).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == ours));
    }

    #[test]
    fn the_fall_back_notices_a_child_too() {
        let word = AtomicU64::new(0);
        assert_eq!(generation_by_process_id(&word), 1);
        assert_eq!(generation_by_process_id(&word), 1);
        let child = in_a_child(|| generation_by_process_id(&word).to_be_bytes().to_vec());
        assert_eq!(child, 2_u64.to_be_bytes());
        assert_eq!(generation_by_process_id(&word), 1);
    }

    #[test]
    fn this_kernel_wipes_the_mark() {
        assert!(mark().is_some(), "the tests above would only prove the fall-back");
    }
}
