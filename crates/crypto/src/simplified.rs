//! The simplified profile: the tag covers the plain text. RFC 3961 §5.3; RFC 6803 §3 differs only in how keys
//! are derived.
//!
//! `E(Ke, confounder | plain) | MAC(Ki, confounder | plain)`: a message must be decrypted before it can be
//! believed, so what does not verify is wiped. RFC 3962, RFC 6803 and triple DES are each an implementation
//! of [`Simplified`].

use std::marker::PhantomData;

use cipher::KeyInit;
use digest::Mac;
use orthros_wire::SecretBytes;
use orthros_wire::secret::wipe;
use zeroize::Zeroizing;

use crate::checksum::Checksum;
use crate::key::Integrity;
use crate::parts::Scattered;
use crate::profile::{KeyedHash, Profile, SealKeys, check, keyed, tag_of, tag_of_parts};
use crate::usage::{CHECKSUM, ENCRYPT, INTEGRITY, KeyUsage};

/// What the encryption types of the simplified profile do not share.
pub(crate) trait Simplified: 'static {
    /// The protocol key, prepared for deriving from it.
    type Base: KeyInit;
    /// The cipher's schedule that encrypts.
    type Encrypting: KeyInit + Send + Sync + 'static;
    /// The cipher's schedule that decrypts.
    type Decrypting: KeyInit + Send + Sync + 'static;
    /// The keyed hash.
    type Hash: KeyedHash;
    /// Octets of a derived key, at most 32.
    const KEY_LEN: usize;
    /// Octets of hash that travel.
    const TAG_LEN: usize;
    /// Octets that [`Simplified::prf`] gives.
    const PRF_LEN: usize;

    /// DK: fills `derived`, which has [`Simplified::KEY_LEN`] octets.
    fn derive(base: &Self::Base, usage: KeyUsage, purpose: u8, derived: &mut [u8]);
    /// Encrypts, and shows each piece just before to `before`.
    fn encrypt(cipher: &Self::Encrypting, body: &mut [u8], before: impl FnMut(&[u8]));
    /// Decrypts a body of which [`Simplified::fits`] holds.
    fn decrypt(cipher: &Self::Decrypting, body: &mut [u8]);
    /// Whether the cipher can work on `len` octets.
    fn fits(len: usize) -> bool;
    /// The pseudo-random function, RFC 3961 §3.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes;
    /// String-to-key, RFC 3961 §3.
    fn string_to_key(password: &[u8], salt: &[u8], count: u32) -> SecretBytes;
}

/// Room for a derived key of any size.
pub(crate) type KeyRoom = Zeroizing<[u8; 32]>;

/// The key for `usage` and `purpose`.
fn derived<S: Simplified, T: KeyInit>(base: &S::Base, usage: KeyUsage, purpose: u8) -> T {
    let mut room = KeyRoom::default();
    let derived = room.get_mut(..S::KEY_LEN).unwrap_or_default();
    S::derive(base, usage, purpose, derived);
    keyed(derived)
}

/// The simplified profile of one encryption type.
pub(crate) struct OverPlain<S>(PhantomData<S>);

impl<S: Simplified> Profile for OverPlain<S> {
    type Sealing = SealKeys<S::Encrypting, S::Hash>;
    type Opening = SealKeys<S::Decrypting, S::Hash>;
    type Checking = S::Hash;
    const PRF_LEN: usize = S::PRF_LEN;

    fn sealing(base: &[u8], usage: KeyUsage) -> Self::Sealing {
        let base = keyed(base);
        SealKeys {
            cipher: derived::<S, _>(&base, usage, ENCRYPT),
            integrity: derived::<S, _>(&base, usage, INTEGRITY),
        }
    }

    fn opening(base: &[u8], usage: KeyUsage) -> Self::Opening {
        let base = keyed(base);
        SealKeys {
            cipher: derived::<S, _>(&base, usage, ENCRYPT),
            integrity: derived::<S, _>(&base, usage, INTEGRITY),
        }
    }

    fn checking(base: &[u8], usage: KeyUsage) -> Self::Checking {
        derived::<S, _>(&keyed(base), usage, CHECKSUM)
    }

    fn seal(keys: &Self::Sealing, body: &mut [u8]) -> Checksum {
        let mut hash = keys.integrity.clone();
        S::encrypt(&keys.cipher, body, |plain| Mac::update(&mut hash, plain));
        Checksum::truncated(&Mac::finalize(hash).into_bytes(), S::TAG_LEN)
    }

    fn open(keys: &Self::Opening, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity> {
        if !S::fits(body.len()) {
            return Err(Integrity);
        }
        S::decrypt(&keys.cipher, body);
        let verdict = check(&tag_of(&keys.integrity, &[body], S::TAG_LEN), tag);
        if verdict.is_err() {
            wipe(body);
        }
        verdict
    }

    fn seal_parts(keys: &Self::Sealing, message: &mut Scattered<'_, '_>) -> Checksum {
        let tag = tag_of_parts(&keys.integrity, &[], message, S::TAG_LEN);
        message.transform(|stream| S::encrypt(&keys.cipher, stream, |_| {}));
        tag
    }

    fn open_parts(
        keys: &Self::Opening,
        message: &mut Scattered<'_, '_>,
        tag: &[u8],
    ) -> Result<(), Integrity> {
        if !S::fits(message.stream_len()) {
            return Err(Integrity);
        }
        message.transform(|stream| S::decrypt(&keys.cipher, stream));
        let verdict = check(&tag_of_parts(&keys.integrity, &[], message, S::TAG_LEN), tag);
        if verdict.is_err() {
            message.wipe();
        }
        verdict
    }

    fn checksum(keys: &Self::Checking, parts: &[&[u8]]) -> Checksum {
        tag_of(keys, parts, S::TAG_LEN)
    }

    fn prf(base: &[u8], input: &[u8]) -> SecretBytes {
        S::prf(base, input)
    }

    fn string_to_key(password: &[u8], salt: &[u8], count: u32) -> Option<SecretBytes> {
        Some(S::string_to_key(password, salt, count))
    }
}

#[cfg(test)]
mod tests {
    use orthros_wire::hex;

    use super::*;
    use crate::cbc_cts::{Aes128, Aes256};
    use crate::rfc3962::AesSha1;
    use crate::rfc6803::{CamelliaCmac128, CamelliaCmac256};
    use crate::triple_des::TripleDes;

    fn key<S: Simplified>(base: &[u8], usage: KeyUsage, purpose: u8) -> Vec<u8> {
        let mut derived = vec![0; S::KEY_LEN];
        S::derive(&keyed(base), usage, purpose, &mut derived);
        derived
    }

    #[test]
    fn derived_keys_are_the_published_ones() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
        let hashed = |row: &&serde_json::Value| row["algorithm"] != "DERIVE_SP800_108_HMAC";
        let rows: Vec<_> = vectors["derive"].as_array().unwrap().iter().filter(hashed).collect();
        assert_eq!(rows.len(), 15, "vectors are missing");
        for row in rows {
            let octets = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
            let (base, constant, output) = (octets("key"), octets("constant"), octets("output"));
            let [a, b, c, d, purpose] = *constant else { panic!("{row}") };
            let usage = KeyUsage(u32::from_be_bytes([a, b, c, d]));
            let key = match row["enctype"].as_u64() {
                Some(16) => key::<TripleDes>(&base, usage, purpose),
                Some(17) => key::<AesSha1<Aes128>>(&base, usage, purpose),
                Some(18) => key::<AesSha1<Aes256>>(&base, usage, purpose),
                Some(25) => key::<CamelliaCmac128>(&base, usage, purpose),
                Some(26) => key::<CamelliaCmac256>(&base, usage, purpose),
                _ => panic!("{row}"),
            };
            assert_eq!(key, output, "{row}");
        }
    }
}
