//! AES with HMAC-SHA1-96: aes128-cts-hmac-sha1-96 and aes256-cts-hmac-sha1-96. RFC 3962.
//!
//! `AES-CBC-CTS(Ke, confounder | plain) | HMAC-SHA1(Ki, confounder | plain)[0..12]`: see [`crate::simplified`].

use std::marker::PhantomData;

use hmac::Hmac;
use orthros_wire::SecretBytes;
use sha1::{Digest, Sha1};
use zeroize::{Zeroize, Zeroizing};

use crate::cbc_cts::{self, BLOCK, Cipher, Pieces};
use crate::profile::{keyed, stretch};
use crate::rfc3961::{derive, derive_label, fold_usage};
use crate::simplified::{KeyRoom, Simplified};
use crate::usage::KeyUsage;

/// The profile, at the key size of the cipher.
pub(crate) struct AesSha1<C>(PhantomData<C>);

impl<C: Cipher> Simplified for AesSha1<C> {
    type Base = C::Encrypting;
    type Encrypting = C::Encrypting;
    type Decrypting = C::Decrypting;
    type Hash = Hmac<Sha1>;
    const KEY_LEN: usize = C::KEY_LEN;
    const TAG_LEN: usize = 12;
    const PRF_LEN: usize = BLOCK;

    fn derive(base: &Self::Base, usage: KeyUsage, purpose: u8, derived: &mut [u8]) {
        derive(base, fold_usage(usage, purpose).into(), derived);
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

    /// RFC 3962 §6: `AES(DK(base, "prf"), SHA1(input)[0..16])`.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes {
        let base: C::Encrypting = keyed(base);
        let mut room = KeyRoom::default();
        let derived = room.get_mut(..C::KEY_LEN).unwrap_or_default();
        derive_label(&base, b"prf", derived);
        let mut digest = Sha1::digest(input);
        let mut output = Zeroizing::new(vec![0; BLOCK]);
        output.iter_mut().zip(&digest).for_each(|(to, from)| *to = *from);
        digest.zeroize();
        cbc_cts::encrypt(&keyed::<C::Encrypting>(derived), &mut output);
        output.into()
    }

    /// RFC 3962 §4: `DK(PBKDF2-HMAC-SHA1(password, salt, count), "kerberos")`.
    fn string_to_key(password: &[u8], salt: &[u8], count: u32) -> SecretBytes {
        let stretched = stretch::<Self::Hash>(password, salt, count, C::KEY_LEN);
        let mut key = Zeroizing::new(vec![0; C::KEY_LEN]);
        derive_label(&keyed::<C::Encrypting>(&stretched), b"kerberos", &mut key);
        key.into()
    }
}
