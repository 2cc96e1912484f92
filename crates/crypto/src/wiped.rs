//! AES schedules that are wiped when dropped.
//!
//! A schedule of the crate `aes` has room for both of its implementations, 960 octets, of which the processor's AES
//! uses 240. Its own wiping (feature `zeroize`) writes each of them by itself, which takes longer than a short message,
//! and every new context drops four. Here the schedule of the key of zeros is put in the place of the one that was
//! used. Public for modes of the cipher that are not Kerberos' own.

use std::fmt;

use cipher::common::{BlockSizeUser, KeySizeUser};
use cipher::{
    BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncClosure, BlockCipherEncrypt, Key, KeyInit,
};
use zeroize::{ZeroizeOnDrop, optimization_barrier};

/// The schedule of AES with keys of 32 octets that encrypts.
pub type Aes256Encrypting = Wiped<aes::Aes256Enc>;

/// A schedule that leaves nothing of its key behind.
pub struct Wiped<T: KeyInit>(T);

impl<T: KeyInit> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.0 = T::new(&Key::<T>::default());
        // The optimiser must believe that somebody reads it.
        optimization_barrier(&self.0);
    }
}

impl<T: KeyInit> fmt::Debug for Wiped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wiped(..)")
    }
}

impl<T: KeyInit> ZeroizeOnDrop for Wiped<T> {}

impl<T: KeyInit> KeySizeUser for Wiped<T> {
    type KeySize = T::KeySize;
}

impl<T: KeyInit> KeyInit for Wiped<T> {
    fn new(key: &Key<Self>) -> Self {
        Self(T::new(key))
    }
}

impl<T: KeyInit + BlockSizeUser> BlockSizeUser for Wiped<T> {
    type BlockSize = T::BlockSize;
}

impl<T: KeyInit + BlockCipherEncrypt> BlockCipherEncrypt for Wiped<T> {
    fn encrypt_with_backend(&self, work: impl BlockCipherEncClosure<BlockSize = Self::BlockSize>) {
        self.0.encrypt_with_backend(work);
    }
}

impl<T: KeyInit + BlockCipherDecrypt> BlockCipherDecrypt for Wiped<T> {
    fn decrypt_with_backend(&self, work: impl BlockCipherDecClosure<BlockSize = Self::BlockSize>) {
        self.0.decrypt_with_backend(work);
    }
}
