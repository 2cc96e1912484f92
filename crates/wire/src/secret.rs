//! Octets that are wiped when dropped, never printed, and compared in constant time.

use std::fmt;
use std::ops::{Deref, DerefMut};

use subtle::ConstantTimeEq;
use zeroize::{ZeroizeOnDrop, Zeroizing, optimization_barrier};

/// Overwrites octets with zeros, and makes the compiler believe that somebody looks at them afterwards. As sure
/// as writing each octet by itself, which is what the crate `zeroize` does to slices, and many times faster.
pub fn wipe(octets: &mut [u8]) {
    // Nothing lies at an address that is none, and glibc writes that there under a mask, which processors with AVX-512 take
    // as long for as for a kilobyte.
    if octets.is_empty() {
        return;
    }
    octets.fill(0);
    optimization_barrier(octets);
}

/// Secret octets of a fixed length.
///
/// There is no `Clone`, no `PartialEq` and no `Debug` of the content. The box never grows, so no stale copy
/// is left behind by a reallocation.
///
/// ```
/// use orthros_wire::SecretBytes;
/// let secret = SecretBytes::from(vec![1, 2, 3]);
/// assert_eq!(format!("{secret:?}"), "SecretBytes(..)");
/// assert!(secret.ct_eq(&SecretBytes::from(vec![1, 2, 3])));
/// ```
pub struct SecretBytes(Box<[u8]>);

impl SecretBytes {
    /// A secret copied from `octets`; wiping the original is the caller's part.
    pub fn copy_of(octets: &[u8]) -> Self {
        Self(octets.into())
    }

    /// The octets themselves. Call sites are few on purpose.
    pub fn expose_octets(&self) -> &[u8] {
        &self.0
    }

    /// How many octets there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both hold the same octets, in a time that depends on the lengths only.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Secret octets on their way, whose end may be cut off: what was decrypted. As [`SecretBytes`] it is wiped when dropped
/// and never printed.
///
/// ```
/// use orthros_wire::secret::SecretBuffer;
/// let mut opened = SecretBuffer::copy_of(b"message, padding");
/// opened.truncate(7);
/// assert_eq!(*opened, *b"message");
/// ```
pub struct SecretBuffer(Vec<u8>);

impl SecretBuffer {
    /// A buffer with a copy of `octets`; wiping the original is the caller's part.
    pub fn copy_of(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// Wipes all but the first `length` octets, and forgets them.
    pub fn truncate(&mut self, length: usize) {
        if let Some(rest) = self.0.get_mut(length..) {
            wipe(rest);
        }
        self.0.truncate(length);
    }
}

impl Deref for SecretBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for SecretBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for SecretBuffer {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl ZeroizeOnDrop for SecretBuffer {}

impl fmt::Debug for SecretBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBuffer(..)")
    }
}

impl From<Vec<u8>> for SecretBytes {
    /// Takes the octets over. If the vector has spare room, the content is moved and the old place wiped.
    fn from(octets: Vec<u8>) -> Self {
        if octets.len() == octets.capacity() {
            return Self(octets.into_boxed_slice());
        }
        let octets = Zeroizing::new(octets);
        Self(octets.as_slice().into())
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(mut octets: Zeroizing<Vec<u8>>) -> Self {
        Self::from(std::mem::take(&mut *octets))
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}
