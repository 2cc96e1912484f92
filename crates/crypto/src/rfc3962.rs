//! AES with HMAC-SHA1-96: aes128-cts-hmac-sha1-96 and aes256-cts-hmac-sha1-96. RFC 3962, RFC 3961 §5.3.
//!
//! `AES-CBC-CTS(Ke, confounder | plain) | HMAC-SHA1(Ki, confounder | plain)[0..12]`: the tag covers the plain
//! text, so a message must be decrypted before it can be believed.

use std::marker::PhantomData;

use hmac::{Hmac, Mac};
use orthros_wire::SecretBytes;
use sha1::{Digest, Sha1};
use zeroize::{Zeroize, Zeroizing};

use crate::cbc_cts::{self, BLOCK, Cipher, Pieces};
use crate::checksum::Checksum;
use crate::key::Integrity;
use crate::parts::Scattered;
use crate::profile::{OpeningKeys, Profile, SealingKeys, check, keyed, stretch, tag_of, tag_of_parts};
use crate::rfc3961::{derive, derive_label, fold_usage};
use crate::usage::{CHECKSUM, ENCRYPT, INTEGRITY, KeyUsage};

/// The profile, at the key size of the cipher.
pub(crate) struct HmacSha1<C>(PhantomData<C>);

/// Room for a key of either size.
type KeyRoom = Zeroizing<[u8; 32]>;

impl<C: Cipher> HmacSha1<C> {
    /// Runs `make` with the key for `usage` and `purpose`.
    fn derived<T>(base: &C::Encrypting, usage: KeyUsage, purpose: u8, make: impl FnOnce(&[u8]) -> T) -> T {
        let mut room = KeyRoom::default();
        let derived = room.get_mut(..C::KEY_LEN).unwrap_or_default();
        derive(base, fold_usage(usage, purpose), derived);
        make(derived)
    }
}

impl<C: Cipher> Profile for HmacSha1<C> {
    type Cipher = C;
    type Hash = Hmac<Sha1>;
    const TAG_LEN: usize = 12;
    const PRF_LEN: usize = BLOCK;

    fn sealing(base: &[u8], usage: KeyUsage) -> SealingKeys<Self> {
        let base = keyed(base);
        SealingKeys {
            cipher: Self::derived(&base, usage, ENCRYPT, keyed),
            integrity: Self::derived(&base, usage, INTEGRITY, keyed),
        }
    }

    fn opening(base: &[u8], usage: KeyUsage) -> OpeningKeys<Self> {
        let base = keyed(base);
        OpeningKeys {
            cipher: Self::derived(&base, usage, ENCRYPT, keyed),
            integrity: Self::derived(&base, usage, INTEGRITY, keyed),
        }
    }

    fn checking(base: &[u8], usage: KeyUsage) -> Self::Hash {
        Self::derived(&keyed(base), usage, CHECKSUM, keyed)
    }

    fn seal(keys: &SealingKeys<Self>, body: &mut [u8]) -> Checksum {
        let mut hash = keys.integrity.clone();
        let pieces = Pieces { first: 64, each: 64 };
        cbc_cts::encrypt_beside(&keys.cipher, body, pieces, |plain| Mac::update(&mut hash, plain), |_| {});
        Checksum::truncated(&Mac::finalize(hash).into_bytes(), Self::TAG_LEN)
    }

    fn open(keys: &OpeningKeys<Self>, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity> {
        cbc_cts::decrypt(&keys.cipher, body);
        let verdict = check(&tag_of(&keys.integrity, &[body], Self::TAG_LEN), tag);
        if verdict.is_err() {
            body.zeroize();
        }
        verdict
    }

    fn seal_parts(keys: &SealingKeys<Self>, message: &mut Scattered<'_, '_>) -> Checksum {
        let tag = tag_of_parts(&keys.integrity, &[], message, Self::TAG_LEN);
        message.transform(|stream| cbc_cts::encrypt(&keys.cipher, stream));
        tag
    }

    fn open_parts(
        keys: &OpeningKeys<Self>,
        message: &mut Scattered<'_, '_>,
        tag: &[u8],
    ) -> Result<(), Integrity> {
        message.transform(|stream| cbc_cts::decrypt(&keys.cipher, stream));
        let verdict = check(&tag_of_parts(&keys.integrity, &[], message, Self::TAG_LEN), tag);
        if verdict.is_err() {
            message.wipe();
        }
        verdict
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

#[cfg(test)]
mod tests {
    use orthros_wire::hex;

    use super::*;

    #[test]
    fn derived_keys_are_the_published_ones() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
        let ours = |row: &&serde_json::Value| row["algorithm"] == "DERIVE_RFC3961";
        let rows: Vec<_> = vectors["derive"].as_array().unwrap().iter().filter(ours).collect();
        assert_eq!(rows.len(), 6, "vectors are missing");
        for row in rows {
            let octets = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
            let (base, constant, output) = (octets("key"), octets("constant"), octets("output"));
            let [a, b, c, d, purpose] = *constant else { panic!("{row}") };
            let usage = KeyUsage(u32::from_be_bytes([a, b, c, d]));
            let key = match row["enctype"].as_u64() {
                Some(17) => {
                    HmacSha1::<cbc_cts::Aes128>::derived(&keyed(&base), usage, purpose, <[u8]>::to_vec)
                }
                Some(18) => {
                    HmacSha1::<cbc_cts::Aes256>::derived(&keyed(&base), usage, purpose, <[u8]>::to_vec)
                }
                _ => panic!("{row}"),
            };
            assert_eq!(key, output, "{row}");
        }
    }
}
