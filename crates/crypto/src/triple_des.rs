//! Triple DES with HMAC-SHA1: des3-cbc-sha1. RFC 3961 §6.3. Deprecated by RFC 8429; for peers that have nothing
//! else.
//!
//! `3DES-CBC(Ke, confounder | plain | zeros) | HMAC-SHA1(Ki, ...)`: see [`crate::simplified`]. The plain text is
//! padded to whole blocks, and nothing in a message tells how much of it is padding.

use cbc::{Decryptor, Encryptor};
use cipher::array::Array;
use cipher::consts::U8;
use cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit};
use des::TdesEde3;
use hmac::Hmac;
use orthros_wire::SecretBytes;
use sha1::{Digest, Sha1};
use zeroize::{Zeroize, Zeroizing};

use crate::profile::keyed;
use crate::rfc3961::{derive, n_fold};
use crate::simplified::Simplified;
use crate::usage::KeyUsage;

/// Octets in a block, and in a confounder.
pub(crate) const BLOCK: usize = 8;
/// Octets in a protocol key.
const KEY_LEN: usize = 24;
/// Octets of random that make a key: no parity bits.
pub(crate) const SEED_LEN: usize = 21;

/// des3-cbc-sha1.
pub(crate) enum TripleDes {}

/// DES3random-to-key, §6.3.1: each seven octets of `seed` give eight with odd parity, a weak key corrected.
pub(crate) fn random_to_key(seed: &[u8], key: &mut [u8]) {
    for (seven, eight) in seed.chunks(BLOCK - 1).zip(key.chunks_mut(BLOCK)) {
        // The lowest bits of the seven, the last octet's first, make the eighth octet.
        let mut lowest = 0_u8;
        for octet in seven.iter().rev() {
            lowest = (lowest << 1) | (octet & 1);
        }
        let spread = seven.iter().copied().chain([lowest << 1]);
        eight.iter_mut().zip(spread).for_each(|(to, octet)| *to = with_odd_parity(octet));
        lowest.zeroize();
        correct_weak(eight);
    }
}

/// The upper seven bits, and a lowest bit that makes the number of ones odd.
fn with_odd_parity(octet: u8) -> u8 {
    let data = octet & 0xfe;
    data | u8::from(data.count_ones().is_multiple_of(2))
}

/// A weak or semi-weak DES key is changed in its last octet, §6.2.
fn correct_weak(key: &mut [u8]) {
    if des::weak_key_test(key).is_err()
        && let Some(last) = key.last_mut()
    {
        *last ^= 0xf0;
    }
}

/// DK with a constant of any length.
fn derive_key(base: &TdesEde3, constant: &[u8], key: &mut [u8]) {
    let mut folded = [0; BLOCK];
    n_fold(constant, &mut folded);
    let mut seed = Zeroizing::new([0; SEED_LEN]);
    derive(base, folded.into(), seed.as_mut_slice());
    random_to_key(seed.as_slice(), key);
}

impl Simplified for TripleDes {
    type Base = TdesEde3;
    type Encrypting = TdesEde3;
    type Decrypting = TdesEde3;
    type Hash = Hmac<Sha1>;
    const KEY_LEN: usize = KEY_LEN;
    const TAG_LEN: usize = 20;
    const PRF_LEN: usize = 2 * BLOCK;

    fn derive(base: &Self::Base, usage: KeyUsage, purpose: u8, derived: &mut [u8]) {
        derive_key(base, &usage.constant(purpose), derived);
    }

    fn encrypt(cipher: &Self::Encrypting, body: &mut [u8], mut before: impl FnMut(&[u8])) {
        before(body);
        let (blocks, _) = Array::<u8, U8>::slice_as_chunks_mut(body);
        Encryptor::inner_iv_init(cipher, &Array::default()).encrypt_blocks(blocks);
    }

    fn decrypt(cipher: &Self::Decrypting, body: &mut [u8]) {
        let (blocks, _) = Array::<u8, U8>::slice_as_chunks_mut(body);
        Decryptor::inner_iv_init(cipher, &Array::default()).decrypt_blocks(blocks);
    }

    fn fits(len: usize) -> bool {
        len >= BLOCK && len.is_multiple_of(BLOCK)
    }

    /// §5.3: `E(DK(base, "prf"), SHA1(input))`, of whole blocks.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes {
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        derive_key(&keyed(base), b"prf", derived.as_mut_slice());
        let mut digest = Sha1::digest(input);
        let mut output = Zeroizing::new(vec![0; Self::PRF_LEN]);
        output.iter_mut().zip(&digest).for_each(|(to, from)| *to = *from);
        digest.zeroize();
        Self::encrypt(&keyed(derived.as_slice()), &mut output, |_| {});
        output.into()
    }

    /// §6.3.1: `DK(random-to-key(168-fold(password | salt)), "kerberos")`; it does not iterate.
    fn string_to_key(password: &[u8], salt: &[u8], _count: u32) -> SecretBytes {
        let text = Zeroizing::new([password, salt].concat());
        let mut folded = Zeroizing::new([0; SEED_LEN]);
        n_fold(&text, folded.as_mut_slice());
        let mut between = Zeroizing::new([0; KEY_LEN]);
        random_to_key(folded.as_slice(), between.as_mut_slice());
        let mut key = Zeroizing::new(vec![0; KEY_LEN]);
        derive_key(&keyed(between.as_slice()), b"kerberos", &mut key);
        key.into()
    }
}

#[cfg(test)]
mod tests {
    use orthros_wire::hex;

    use super::*;

    #[test]
    fn random_to_key_and_derivation_give_the_values_of_rfc_3961_a_3() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
        let rows = vectors["des3_dr_dk"].as_array().unwrap();
        assert_eq!(rows.len(), 9, "vectors are missing");
        for row in rows {
            let octets = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
            let mut key = [0; KEY_LEN];
            random_to_key(&octets("dr"), &mut key);
            assert_eq!(key[..], octets("dk"), "{row}");
            derive_key(&keyed(&octets("key")), &octets("constant"), &mut key);
            assert_eq!(key[..], octets("dk"), "{row}");
        }
    }

    #[test]
    fn a_weak_key_is_corrected() {
        let mut key = [0; KEY_LEN];
        random_to_key(&[0; SEED_LEN], &mut key);
        assert_eq!(key, *b"\x01\x01\x01\x01\x01\x01\x01\xf1\x01\x01\x01\x01\x01\x01\x01\xf1\x01\x01\x01\x01\x01\x01\x01\xf1");
    }
}
