//! Camellia with CMAC: camellia128-cts-cmac and camellia256-cts-cmac. RFC 6803.
//!
//! `Camellia-CBC-CTS(Ke, confounder | plain) | CMAC(Ki, confounder | plain)`: see [`crate::simplified`]. Keys
//! are derived by KDF-FEEDBACK-CMAC (NIST SP 800-108), not by n-fold.

use std::marker::PhantomData;

use camellia::{Camellia128, Camellia256};
use cipher::consts::U16;
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cmac::{Cmac, Mac};
use hmac::Hmac;
use orthros_wire::SecretBytes;
use sha1::Sha1;
use zeroize::{Zeroize, Zeroizing};

use crate::cbc_cts::{self, BLOCK, Pieces};
use crate::profile::{KeyedHash, keyed, stretch};
use crate::simplified::{KeyRoom, Simplified};
use crate::usage::KeyUsage;

/// What the two encryption types of RFC 6803 do not share.
pub(crate) trait Parameters: 'static {
    type Cipher: BlockCipherEncrypt<BlockSize = U16> + BlockCipherDecrypt + KeyInit + Send + Sync;
    type Hash: KeyedHash;
    /// The name that salts the string-to-key function, §6.
    const NAME: &'static [u8];
    const KEY_LEN: usize;
}

/// camellia128-cts-cmac.
pub(crate) enum Short {}

impl Parameters for Short {
    type Cipher = Camellia128;
    type Hash = Cmac<Camellia128>;
    const NAME: &'static [u8] = b"camellia128-cts-cmac";
    const KEY_LEN: usize = 16;
}

/// camellia256-cts-cmac.
pub(crate) enum Long {}

impl Parameters for Long {
    type Cipher = Camellia256;
    type Hash = Cmac<Camellia256>;
    const NAME: &'static [u8] = b"camellia256-cts-cmac";
    const KEY_LEN: usize = 32;
}

/// The profile, at one set of parameters.
pub(crate) struct CamelliaCmac<P>(PhantomData<P>);

/// camellia128-cts-cmac.
pub(crate) type CamelliaCmac128 = CamelliaCmac<Short>;
/// camellia256-cts-cmac.
pub(crate) type CamelliaCmac256 = CamelliaCmac<Long>;

/// KDF-FEEDBACK-CMAC, §3: `K(i) = CMAC(base, K(i-1) | i | constant | 0 | bits)`, K(0) a block of zeros.
fn kdf<H: KeyedHash>(base: &H, constant: &[u8], derived: &mut [u8]) {
    let bits = u32::try_from(derived.len() * 8).unwrap_or(u32::MAX).to_be_bytes();
    let mut block = digest::Output::<H>::default();
    for (counter, piece) in (1_u32..).zip(derived.chunks_mut(BLOCK)) {
        let mut hash = base.clone();
        for part in [block.as_slice(), &counter.to_be_bytes(), constant, &[0], &bits] {
            Mac::update(&mut hash, part);
        }
        block = Mac::finalize(hash).into_bytes();
        piece.iter_mut().zip(&block).for_each(|(to, from)| *to = *from);
    }
    block.as_mut_slice().zeroize();
}

impl<P: Parameters> Simplified for CamelliaCmac<P> {
    type Base = P::Hash;
    type Encrypting = P::Cipher;
    type Decrypting = P::Cipher;
    type Hash = P::Hash;
    const KEY_LEN: usize = P::KEY_LEN;
    const TAG_LEN: usize = BLOCK;
    const PRF_LEN: usize = BLOCK;

    fn derive(base: &Self::Base, usage: KeyUsage, purpose: u8, derived: &mut [u8]) {
        kdf(base, &usage.constant(purpose), derived);
    }

    fn encrypt(cipher: &Self::Encrypting, body: &mut [u8], before: impl FnMut(&[u8])) {
        let pieces = Pieces { first: 64, each: 64 };
        cbc_cts::encrypt_beside(cipher, body, pieces, before, |_| {});
    }

    fn decrypt(cipher: &Self::Decrypting, body: &mut [u8]) {
        cbc_cts::decrypt(cipher, body);
    }

    fn fits(len: usize) -> bool {
        len >= BLOCK
    }

    /// §6: `CMAC(DK(base, "prf"), input)`.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes {
        let mut room = KeyRoom::default();
        let derived = room.get_mut(..P::KEY_LEN).unwrap_or_default();
        kdf(&keyed::<P::Hash>(base), b"prf", derived);
        let mut output = Mac::finalize(Mac::chain_update(keyed::<P::Hash>(derived), input)).into_bytes();
        let given = SecretBytes::copy_of(&output);
        output.as_mut_slice().zeroize();
        given
    }

    /// §4: `DK(PBKDF2-HMAC-SHA1(password, name | 0 | salt, count), "kerberos")`.
    fn string_to_key(password: &[u8], salt: &[u8], count: u32) -> SecretBytes {
        let salt = [P::NAME, &[0], salt].concat();
        let stretched = stretch::<Hmac<Sha1>>(password, &salt, count, P::KEY_LEN);
        let mut key = Zeroizing::new(vec![0; P::KEY_LEN]);
        kdf(&keyed::<P::Hash>(&stretched), b"kerberos", &mut key);
        key.into()
    }
}
