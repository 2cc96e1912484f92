//! Randomness: a ChaCha20 generator per thread, seeded by the kernel.
//!
//! Shape: *fast key erasure*. Each refill runs ChaCha20 (RFC 8439) over one block of 512 octets; the first 32
//! replace the key, the other 480 are handed out once and wiped as they go. Whoever reads this memory later
//! learns nothing about octets handed out before.
//!
//! The kernel is asked again after [`RESEED_AFTER`] octets and after a fork (see [`crate::sys::fork`]), so a
//! parent and its child never draw the same octets. Each thread has a generator of its own: no lock, and no
//! system call save those of reseeding. The state is wiped when its thread ends; the main thread's lives until
//! the process does.
//!
//! Not here: protection against a virtual machine that is resumed twice from one snapshot, beyond what the
//! next reseed gives.

use std::cell::RefCell;

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
pub use orthros_wire::Random;
use orthros_wire::secret::wipe;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::{Zeroize, Zeroizing};

use crate::sys::fork;

/// How many octets one seed may yield: 1 MiB.
pub const RESEED_AFTER: usize = 1 << 20;

const KEY_LEN: usize = 32;
const BUFFER_LEN: usize = 480;

/// Draws from this thread's generator.
///
/// If the kernel can give no randomness at all, the process is aborted: keys that others can guess are worse.
///
/// ```
/// use orthros::random::{Random, SystemRandom};
/// let (mut one, mut other) = ([0; 16], [0; 16]);
/// SystemRandom.fill(&mut one);
/// SystemRandom.fill(&mut other);
/// assert_ne!(one, other);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, octets: &mut [u8]) {
        let drawn = GENERATOR.try_with(|generator| match generator.try_borrow_mut() {
            Ok(mut generator) => {
                generator.fill(octets);
                true
            }
            Err(_) => false,
        });
        // While a thread ends its generator is gone already; the kernel serves what is drawn then.
        if drawn != Ok(true) {
            from_kernel(octets);
        }
    }
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::unseeded());
}

struct Generator {
    key: Zeroizing<[u8; KEY_LEN]>,
    /// The last `left` octets have not been handed out; all before them are zero.
    buffer: Zeroizing<[u8; BUFFER_LEN]>,
    left: usize,
    /// Octets that the present seed may still yield. Zero: reseed first.
    credit: usize,
    /// The process generation that the seed belongs to.
    generation: u64,
}

impl Generator {
    fn unseeded() -> Self {
        Self {
            key: Zeroizing::new([0; KEY_LEN]),
            buffer: Zeroizing::new([0; BUFFER_LEN]),
            left: 0,
            credit: 0,
            generation: 0,
        }
    }

    fn fill(&mut self, octets: &mut [u8]) {
        let generation = fork::generation();
        if self.generation != generation {
            self.generation = generation;
            self.credit = 0;
        }
        let mut rest = octets;
        while !rest.is_empty() {
            if self.credit == 0 {
                self.reseed();
            }
            if self.left == 0 {
                self.refill();
            }
            let count = rest.len().min(self.left).min(self.credit);
            let start = BUFFER_LEN - self.left;
            let (now, later) = rest.split_at_mut(count);
            if let Some(fresh) = self.buffer.get_mut(start..start + count) {
                now.copy_from_slice(fresh);
                wipe(fresh);
            }
            self.left -= count;
            self.credit -= count;
            rest = later;
        }
    }

    /// Mixes 32 octets of the kernel into the key and forgets what was prepared.
    fn reseed(&mut self) {
        let mut seed = Zeroizing::new([0; KEY_LEN]);
        from_kernel(seed.as_mut());
        for (octet, fresh) in self.key.iter_mut().zip(seed.iter()) {
            *octet ^= fresh;
        }
        self.buffer.zeroize();
        self.left = 0;
        self.credit = RESEED_AFTER;
    }

    fn refill(&mut self) {
        let mut block = Zeroizing::new([0; KEY_LEN + BUFFER_LEN]);
        // A key serves one block only, so the nonce may stay zero.
        ChaCha20::new(&(*self.key).into(), &[0; 12].into()).apply_keystream(block.as_mut());
        if let Some((key, fresh)) = block.split_first_chunk::<KEY_LEN>() {
            self.key.copy_from_slice(key);
            self.buffer.copy_from_slice(fresh);
            self.left = BUFFER_LEN;
        }
    }
}

/// The system call itself: a static program, whose libc can't be searched for it, needs no `/dev/urandom` so.
fn from_kernel(octets: &mut [u8]) {
    let mut left = octets;
    while !left.is_empty() {
        match getrandom(&mut *left, GetRandomFlags::empty()) {
            Ok(drawn) => left = left.get_mut(drawn..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => {
                eprintln!(
                    "orthros: the operating system gives no randomness ({error}); going on would be unsafe"
                );
                std::process::abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_draws_repeat_and_none_is_left_zero() {
        let mut seen = HashSet::new();
        for length in (16..2_000).step_by(7) {
            let mut octets = vec![0; length];
            SystemRandom.fill(&mut octets);
            assert!(octets.chunks(16).filter(|c| c.len() == 16).all(|chunk| seen.insert(chunk.to_vec())));
        }
        SystemRandom.fill(&mut []);
    }

    #[test]
    fn what_was_handed_out_is_no_longer_in_memory() {
        let mut generator = Generator::unseeded();
        let mut octets = [0; 100];
        generator.fill(&mut octets);
        assert_eq!(generator.left, BUFFER_LEN - 100);
        assert!(generator.buffer[..100].iter().all(|octet| *octet == 0));
        let key = *generator.key;
        generator.fill(&mut [0; BUFFER_LEN]);
        assert_ne!(key, *generator.key, "a refill replaces the key");
    }

    #[test]
    fn a_seed_is_replaced_after_its_credit() {
        let mut generator = Generator::unseeded();
        generator.fill(&mut vec![0; RESEED_AFTER]);
        assert_eq!(generator.credit, 0);
        generator.fill(&mut [0; 1]);
        assert_eq!(generator.credit, RESEED_AFTER - 1);
    }

    #[test]
    fn the_stream_is_the_one_of_rfc_8439() {
        // RFC 8439 A.1 test vector 1: key and nonce zero, counter 0.
        let mut generator = Generator::unseeded();
        generator.refill();
        assert_eq!(
            orthros_wire::hex::encode(&generator.key[..]),
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        );
        assert_eq!(
            orthros_wire::hex::encode(&generator.buffer[..32]),
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        );
    }

    #[test]
    fn a_forked_child_draws_other_octets_than_its_parent() {
        let mut warm = [0; 16];
        SystemRandom.fill(&mut warm);
        let child = fork::tests::in_a_child(|| {
            let mut octets = [0; 16];
            SystemRandom.fill(&mut octets);
            octets.to_vec()
        });
        let mut octets = [0; 16];
        SystemRandom.fill(&mut octets);
        assert_eq!(child.len(), 16);
        assert_ne!(child, octets.to_vec());
    }
}
