//! RC4 with HMAC-MD5: arcfour-hmac. RFC 4757. Deprecated by RFC 8429; for peers that have nothing else.
//!
//! `HMAC(K1, confounder | plain) | RC4(HMAC(K1, tag), confounder | plain)`: the tag comes first and keys the
//! cipher, K1 is `HMAC(base, usage)`. The long-term key is the NT hash of the password, without salt.
//!
//! Not here: the variant for export with keys of 40 bits, 24.

use digest::Mac;
use hmac::Hmac;
use md4::Md4;
use md5::Md5;
use orthros_wire::SecretBytes;
use orthros_wire::secret::wipe;
use rc4::{Rc4, StreamCipher};
use sha1::{Digest, Sha1};
use zeroize::{Zeroize, Zeroizing};

use crate::checksum::Checksum;
use crate::key::Integrity;
use crate::parts::Scattered;
use crate::profile::{Profile, check, keyed, tag_of, tag_of_parts};
use crate::usage::KeyUsage;

/// Octets of a key and of the tag.
const LEN: usize = 16;

/// The key of the checksums is derived from this text and the zero octet that ends it, §4.
const SIGNATURE_KEY: &[u8] = b"signaturekey\0";

/// arcfour-hmac.
pub(crate) enum ArcfourHmac {}

/// The key that makes checksums, and the message type that goes in with the data.
pub(crate) struct Checking {
    key: Hmac<Md5>,
    message_type: [u8; 4],
}

/// The message type that stands for a key usage, §3, little-endian: the usage itself but for two.
fn message_type(usage: KeyUsage) -> [u8; 4] {
    let number = match usage {
        KeyUsage::AS_REP_ENC_PART => 8,
        KeyUsage::ACCEPTOR_SIGN => 13,
        KeyUsage(number) => number,
    };
    number.to_le_bytes()
}

/// Runs RC4 with the key that `tag` gives under K1.
fn apply(first: &Hmac<Md5>, tag: &[u8], stream: &mut [u8]) {
    let mut key = Mac::finalize(Mac::chain_update(first.clone(), tag)).into_bytes();
    keyed::<Rc4>(&key).apply_keystream(stream);
    key.as_mut_slice().zeroize();
}

/// K1 for `usage`.
fn first(base: &[u8], usage: KeyUsage) -> Hmac<Md5> {
    let mut key =
        Mac::finalize(Mac::chain_update(keyed::<Hmac<Md5>>(base), message_type(usage))).into_bytes();
    let first = keyed(&key);
    key.as_mut_slice().zeroize();
    first
}

impl Profile for ArcfourHmac {
    type Sealing = Hmac<Md5>;
    type Opening = Hmac<Md5>;
    type Checking = Checking;
    const PRF_LEN: usize = 20;

    fn sealing(base: &[u8], usage: KeyUsage) -> Self::Sealing {
        first(base, usage)
    }

    fn opening(base: &[u8], usage: KeyUsage) -> Self::Opening {
        first(base, usage)
    }

    fn checking(base: &[u8], usage: KeyUsage) -> Self::Checking {
        let mut key = Mac::finalize(Mac::chain_update(keyed::<Hmac<Md5>>(base), SIGNATURE_KEY)).into_bytes();
        let checking = Checking { key: keyed(&key), message_type: message_type(usage) };
        key.as_mut_slice().zeroize();
        checking
    }

    fn seal(keys: &Self::Sealing, body: &mut [u8]) -> Checksum {
        let tag = tag_of(keys, &[body], LEN);
        apply(keys, &tag, body);
        tag
    }

    fn open(keys: &Self::Opening, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity> {
        apply(keys, tag, body);
        let verdict = check(&tag_of(keys, &[body], LEN), tag);
        if verdict.is_err() {
            wipe(body);
        }
        verdict
    }

    fn seal_parts(keys: &Self::Sealing, message: &mut Scattered<'_, '_>) -> Checksum {
        let tag = tag_of_parts(keys, &[], message, LEN);
        message.transform(|stream| apply(keys, &tag, stream));
        tag
    }

    fn open_parts(
        keys: &Self::Opening,
        message: &mut Scattered<'_, '_>,
        tag: &[u8],
    ) -> Result<(), Integrity> {
        message.transform(|stream| apply(keys, tag, stream));
        let verdict = check(&tag_of_parts(keys, &[], message, LEN), tag);
        if verdict.is_err() {
            message.wipe();
        }
        verdict
    }

    /// §4: `HMAC(HMAC(base, "signaturekey" 0), MD5(type | data))`.
    fn checksum(keys: &Self::Checking, parts: &[&[u8]]) -> Checksum {
        let mut digest = Md5::new_with_prefix(keys.message_type);
        parts.iter().for_each(|part| Digest::update(&mut digest, part));
        tag_of(&keys.key, &[&digest.finalize()], LEN)
    }

    /// `HMAC-SHA1(base, input)`; no RFC defines it, every implementation has it.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes {
        let mut output = Mac::finalize(Mac::chain_update(keyed::<Hmac<Sha1>>(base), input)).into_bytes();
        let given = SecretBytes::copy_of(&output);
        output.as_mut_slice().zeroize();
        given
    }

    /// §2: the MD4 of the password in UTF-16, little-endian. There is no salt.
    fn string_to_key(password: &[u8], _salt: &[u8], _count: u32) -> Option<SecretBytes> {
        let text = std::str::from_utf8(password).ok()?;
        // No character takes more octets in UTF-16 than twice those that it takes in UTF-8.
        let mut wide = Zeroizing::new(Vec::with_capacity(2 * password.len()));
        text.encode_utf16().for_each(|unit| wide.extend_from_slice(&unit.to_le_bytes()));
        let mut hash = Md4::digest(&*wide);
        let key = SecretBytes::copy_of(&hash);
        hash.as_mut_slice().zeroize();
        Some(key)
    }
}
