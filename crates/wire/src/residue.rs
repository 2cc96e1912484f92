//! What computing with secrets leaves on the stack, and its removal.
//!
//! Secrets lie in memory that is wiped when they are dropped, but ciphers and hashes copy parts of them into
//! their frames: round keys that did not fit into registers, blocks of plain text, a schedule on its way into
//! a box. Whoever reads the process's memory later would find them there, also after a key was exported and
//! dropped.
//!
//! Safe code can't promise this: an optimiser may keep copies where nobody expects them. What it comes to is
//! measured by a test of floor 5 that searches an exporter's memory.

use std::cell::Cell;
use std::hint::black_box;

/// Octets of stack that are overwritten after keys were derived: more than the deepest chain of cipher and hash calls
/// uses, which holds several schedules (7,448 octets as built for release: AES-256 with SHA-384), and up to 700 more where it
/// lies within a message's.
const OF_KEYS: usize = 9 * 1024;
/// After a message: more than ciphers and hashes use that are ready (2,280 octets at the most, 1,136 with AES and SHA-1).
const OF_MESSAGES: usize = 3 * 1024;
/// Octets that are overwritten at a time.
const FRAME: usize = 1024;

thread_local! {
    /// How much will be overwritten when the outermost of such calls of this thread is over; 0: there is none.
    static OWED: Cell<usize> = const { Cell::new(0) };
}

/// Runs `work`, which derives keys, in frames of its own and overwrites them. Meant for what is done once for a key.
///
/// ```
/// use orthros_wire::residue::leaving_none;
/// assert_eq!(leaving_none(|| 6 * 7), 42);
/// ```
pub fn leaving_none<T>(work: impl FnOnce() -> T) -> T {
    leaving(OF_KEYS, work)
}

/// The same for work with keys that are ready, or are derived [so](leaving_none): what is done once for a handshake, not
/// for each message.
pub fn leaving_no_message<T>(work: impl FnOnce() -> T) -> T {
    leaving(OF_MESSAGES, work)
}

/// One such call within another overwrites nothing: the outer one does, as deep as the inner one would have.
fn leaving<T>(depth: usize, work: impl FnOnce() -> T) -> T {
    // Also where the work ends by a panic. A thread that is ending has no account any more, and owes nothing to it.
    struct Outermost;

    impl Drop for Outermost {
        fn drop(&mut self) {
            overwrite(OWED.try_with(Cell::take).unwrap_or(OF_KEYS));
        }
    }

    let owed = OWED.try_with(|owed| owed.replace(owed.get().max(depth))).unwrap_or(0);
    let _outermost = (owed == 0).then(|| Outermost);
    apart(work)
}

/// Never inlined, so that all that `work` leaves lies beneath the caller's frame.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Puts zeros where the frames of the last call lay, frame by frame: short runs of zeros are written by plain
/// vector stores, which cost (and count, under callgrind) a sixteenth of one string instruction over all.
#[inline(never)]
fn overwrite(depth: usize) {
    let mut frame = [0_u8; FRAME];
    // The optimiser must believe that somebody reads them.
    black_box(&mut frame);
    if let Some(beneath @ 1..) = depth.checked_sub(FRAME) {
        overwrite(beneath);
    }
    // This frame lies above the next one until here, so the call above is no jump that would reuse it.
    black_box(&mut frame);
}

#[cfg(test)]
mod tests {
    use std::panic;

    use super::*;

    #[test]
    fn the_outermost_call_overwrites_as_deep_as_the_deepest_within() {
        leaving_no_message(|| {
            assert_eq!(OWED.get(), OF_MESSAGES);
            leaving_none(|| assert_eq!(OWED.get(), OF_KEYS));
            leaving_no_message(|| {});
            assert_eq!(OWED.get(), OF_KEYS);
        });
        assert_eq!(OWED.get(), 0);
        let panicked = panic::catch_unwind(|| leaving_none(|| leaving_none(|| panic!("as told"))));
        assert!(panicked.is_err());
        assert_eq!(OWED.get(), 0);
    }
}
