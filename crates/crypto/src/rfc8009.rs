//! AES with HMAC-SHA2: aes128-cts-hmac-sha256-128 and aes256-cts-hmac-sha384-192. RFC 8009.
//!
//! `C = AES-CBC-CTS(Ke, confounder | plain)`, followed by `HMAC(Ki, IV | C)` truncated: the tag covers the
//! cipher text, so nothing is decrypted that has not been verified. The IV is a block of zeros.

use std::marker::PhantomData;

use hmac::Hmac;
use orthros_wire::SecretBytes;
use sha2::{Sha256, Sha384};
use zeroize::{Zeroize, Zeroizing};

use crate::cbc_cts::{self, Aes128, Aes256, BLOCK, Cipher, Pieces};
use crate::checksum::Checksum;
use crate::key::Integrity;
use crate::parts::Scattered;
use crate::profile::{KeyedHash, Profile, SealKeys, check, keyed, stretch, tag_of, tag_of_parts};
use crate::usage::{CHECKSUM, ENCRYPT, INTEGRITY, KeyUsage};

/// What the two encryption types of RFC 8009 do not share. §3, §5 and §7.
pub(crate) trait Parameters: 'static {
    type Cipher: Cipher;
    type Hash: KeyedHash;
    /// The name that salts the string-to-key function, §4.
    const NAME: &'static [u8];
    /// Octets of the derived keys Ki and Kc, and of the tag.
    const TAG_LEN: usize;
    /// Octets of the hash, which the PRF gives whole.
    const HASH_LEN: usize;
    /// Octets that the hash takes at a time.
    const HASH_BLOCK: usize;
}

/// aes128-cts-hmac-sha256-128.
pub(crate) enum Aes128Sha256 {}

impl Parameters for Aes128Sha256 {
    type Cipher = Aes128;
    type Hash = Hmac<Sha256>;
    const NAME: &'static [u8] = b"aes128-cts-hmac-sha256-128";
    const TAG_LEN: usize = 16;
    const HASH_LEN: usize = 32;
    const HASH_BLOCK: usize = 64;
}

/// aes256-cts-hmac-sha384-192.
pub(crate) enum Aes256Sha384 {}

impl Parameters for Aes256Sha384 {
    type Cipher = Aes256;
    type Hash = Hmac<Sha384>;
    const NAME: &'static [u8] = b"aes256-cts-hmac-sha384-192";
    const TAG_LEN: usize = 24;
    const HASH_LEN: usize = 48;
    const HASH_BLOCK: usize = 128;
}

/// The profile, at one set of parameters.
pub(crate) struct HmacSha2<P>(PhantomData<P>);

/// Room for the longest hash.
type HashRoom = Zeroizing<[u8; 48]>;

/// The initial vector, which the tag covers although it never travels.
const ZERO_IV: [u8; BLOCK] = [0; BLOCK];

/// KDF-HMAC-SHA2, §3: runs `make` with `HMAC(base, 1 | label | 0 | context | bits)` truncated to `len` octets.
/// No key here is longer than the hash, so one block is all there ever is.
fn kdf<H: KeyedHash, T>(
    base: &H,
    label: &[u8],
    context: &[u8],
    len: usize,
    make: impl FnOnce(&[u8]) -> T,
) -> T {
    let bits = u32::try_from(len * 8).unwrap_or(u32::MAX).to_be_bytes();
    let mut hash = base.clone();
    for part in [&[0, 0, 0, 1], label, &[0], context, &bits] {
        digest::Mac::update(&mut hash, part);
    }
    let mut output = digest::Mac::finalize(hash).into_bytes();
    let mut room = HashRoom::new([0; 48]);
    room.iter_mut().zip(&output).for_each(|(to, from)| *to = *from);
    output.as_mut_slice().zeroize();
    make(room.get(..len).unwrap_or_default())
}

/// The key for `usage` and `purpose`, §5.
fn derived<H: KeyedHash, T: cipher::KeyInit>(base: &H, usage: KeyUsage, purpose: u8, len: usize) -> T {
    kdf(base, &usage.constant(purpose), &[], len, keyed)
}

impl<P: Parameters> Profile for HmacSha2<P> {
    type Sealing = SealKeys<<P::Cipher as Cipher>::Encrypting, P::Hash>;
    type Opening = SealKeys<<P::Cipher as Cipher>::Decrypting, P::Hash>;
    type Checking = P::Hash;
    const PRF_LEN: usize = P::HASH_LEN;

    fn sealing(base: &[u8], usage: KeyUsage) -> Self::Sealing {
        let base: P::Hash = keyed(base);
        SealKeys {
            cipher: derived(&base, usage, ENCRYPT, P::Cipher::KEY_LEN),
            integrity: derived(&base, usage, INTEGRITY, P::TAG_LEN),
        }
    }

    fn opening(base: &[u8], usage: KeyUsage) -> Self::Opening {
        let base: P::Hash = keyed(base);
        SealKeys {
            cipher: derived(&base, usage, ENCRYPT, P::Cipher::KEY_LEN),
            integrity: derived(&base, usage, INTEGRITY, P::TAG_LEN),
        }
    }

    fn checking(base: &[u8], usage: KeyUsage) -> Self::Checking {
        derived(&keyed::<P::Hash>(base), usage, CHECKSUM, P::TAG_LEN)
    }

    fn seal(keys: &Self::Sealing, body: &mut [u8]) -> Checksum {
        let mut hash = keys.integrity.clone();
        digest::Mac::update(&mut hash, &ZERO_IV);
        let pieces = Pieces { first: P::HASH_BLOCK - ZERO_IV.len(), each: P::HASH_BLOCK };
        let update = |cipher_text: &[u8]| digest::Mac::update(&mut hash, cipher_text);
        cbc_cts::encrypt_beside(&keys.cipher, body, pieces, |_| {}, update);
        Checksum::truncated(&digest::Mac::finalize(hash).into_bytes(), P::TAG_LEN)
    }

    fn open(keys: &Self::Opening, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity> {
        check(&tag_of(&keys.integrity, &[&ZERO_IV, body], P::TAG_LEN), tag)?;
        cbc_cts::decrypt(&keys.cipher, body);
        Ok(())
    }

    fn seal_parts(keys: &Self::Sealing, message: &mut Scattered<'_, '_>) -> Checksum {
        message.transform(|stream| cbc_cts::encrypt(&keys.cipher, stream));
        tag_of_parts(&keys.integrity, &ZERO_IV, message, P::TAG_LEN)
    }

    fn open_parts(
        keys: &Self::Opening,
        message: &mut Scattered<'_, '_>,
        tag: &[u8],
    ) -> Result<(), Integrity> {
        check(&tag_of_parts(&keys.integrity, &ZERO_IV, message, P::TAG_LEN), tag)?;
        message.transform(|stream| cbc_cts::decrypt(&keys.cipher, stream));
        Ok(())
    }

    fn checksum(keys: &Self::Checking, parts: &[&[u8]]) -> Checksum {
        tag_of(keys, parts, P::TAG_LEN)
    }

    /// §5: `KDF(base, "prf", input)`, as long as the hash.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes {
        kdf(&keyed::<P::Hash>(base), b"prf", input, P::HASH_LEN, SecretBytes::copy_of)
    }

    /// §4: `KDF(PBKDF2(password, name | 0 | salt, count), "kerberos")`.
    fn string_to_key(password: &[u8], salt: &[u8], count: u32) -> Option<SecretBytes> {
        let salt = [P::NAME, &[0], salt].concat();
        let stretched = stretch::<P::Hash>(password, &salt, count, P::Cipher::KEY_LEN);
        let make = SecretBytes::copy_of;
        Some(kdf(&keyed::<P::Hash>(&stretched), b"kerberos", &[], P::Cipher::KEY_LEN, make))
    }
}

#[cfg(test)]
mod tests {
    use orthros_wire::hex;

    use super::*;

    #[test]
    fn derived_keys_are_the_published_ones() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
        let ours = |row: &&serde_json::Value| row["algorithm"] == "DERIVE_SP800_108_HMAC";
        let rows: Vec<_> = vectors["derive"].as_array().unwrap().iter().filter(ours).collect();
        assert_eq!(rows.len(), 6, "vectors are missing");
        for row in rows {
            let octets = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
            let (base, constant, output) = (octets("key"), octets("constant"), octets("output"));
            let [a, b, c, d, purpose] = *constant else { panic!("{row}") };
            let usage = KeyUsage(u32::from_be_bytes([a, b, c, d]));
            let key = match row["enctype"].as_u64() {
                Some(19) => kdf(
                    &keyed::<Hmac<Sha256>>(&base),
                    &usage.constant(purpose),
                    &[],
                    output.len(),
                    <[u8]>::to_vec,
                ),
                Some(20) => kdf(
                    &keyed::<Hmac<Sha384>>(&base),
                    &usage.constant(purpose),
                    &[],
                    output.len(),
                    <[u8]>::to_vec,
                ),
                _ => panic!("{row}"),
            };
            assert_eq!(key, output, "{row}");
        }
    }
}
