//! What an encryption type must be able to do, and the keeping of what it derives. RFC 3961 §3.
//!
//! A [`Profile`] is a type without values; [`Keys`] holds what was derived under it, a list per purpose, and
//! [`AnyKeys`] joins the profiles behind one `match` per message. A further encryption type is a row in
//! [`crate::enctype`], a profile, and a variant here.

use std::sync::OnceLock;

use cipher::KeyInit;
use digest::{FixedOutput, Mac, Update};
use orthros_wire::{SecretBytes, residue};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::cbc_cts::{Aes128, Aes256};
use crate::checksum::Checksum;
use crate::enctype::Enctype;
use crate::key::Integrity;
use crate::parts::Scattered;
use crate::rfc3962::AesSha1;
use crate::rfc4757::ArcfourHmac;
use crate::rfc6803::{CamelliaCmac128, CamelliaCmac256};
use crate::rfc8009::{Aes128Sha256, Aes256Sha384, HmacSha2};
use crate::simplified::OverPlain;
use crate::triple_des::TripleDes;
use crate::usage::KeyUsage;

/// An encryption type's operations. `base` is a protocol key of the right length, checked when it was made.
pub(crate) trait Profile: 'static {
    /// What is derived for sealing under one use.
    type Sealing: Send + Sync + 'static;
    /// What is derived for opening under one use.
    type Opening: Send + Sync + 'static;
    /// What is derived for checksums under one use.
    type Checking: Send + Sync + 'static;
    /// Octets that [`Profile::prf`] gives.
    const PRF_LEN: usize;

    /// Ke and Ki for sealing.
    fn sealing(base: &[u8], usage: KeyUsage) -> Self::Sealing;
    /// Ke and Ki for opening.
    fn opening(base: &[u8], usage: KeyUsage) -> Self::Opening;
    /// Kc.
    fn checking(base: &[u8], usage: KeyUsage) -> Self::Checking;
    /// Encrypts `body`, which begins with a confounder and is padded, and gives its tag.
    fn seal(keys: &Self::Sealing, body: &mut [u8]) -> Checksum;
    /// Decrypts `body`. After an error it holds no plain text.
    fn open(keys: &Self::Opening, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity>;
    /// [`Profile::seal`] for a message in parts.
    fn seal_parts(keys: &Self::Sealing, message: &mut Scattered<'_, '_>) -> Checksum;
    /// [`Profile::open`] for a message in parts.
    fn open_parts(keys: &Self::Opening, message: &mut Scattered<'_, '_>, tag: &[u8])
    -> Result<(), Integrity>;
    /// The keyed checksum over `parts` laid end to end.
    fn checksum(keys: &Self::Checking, parts: &[&[u8]]) -> Checksum;
    /// The pseudo-random function, RFC 3961 §3.
    fn prf(base: &[u8], input: &[u8]) -> SecretBytes;
    /// String-to-key, RFC 3961 §3; nothing if the type wants text and `password` is not UTF-8.
    fn string_to_key(password: &[u8], salt: &[u8], count: u32) -> Option<SecretBytes>;
}

/// A cipher and the hash beside it, as derived for one use.
pub(crate) struct SealKeys<C, H> {
    pub(crate) cipher: C,
    pub(crate) integrity: H,
}

/// A keyed hash whose prepared state can be kept and copied per message.
pub(crate) trait KeyedHash:
    Mac + KeyInit + Update + FixedOutput + Clone + Send + Sync + 'static
{
}

impl<T: Mac + KeyInit + Update + FixedOutput + Clone + Send + Sync + 'static> KeyedHash for T {}

/// A cipher or hash from octets whose length the profile fixes.
pub(crate) fn keyed<T: KeyInit>(octets: &[u8]) -> T {
    T::new_from_slice(octets).expect("the profile derives keys of the cipher's length")
}

/// The tag of `parts`, laid end to end, under a prepared hash.
pub(crate) fn tag_of<H: KeyedHash>(prepared: &H, parts: &[&[u8]], len: usize) -> Checksum {
    let mut hash = prepared.clone();
    for part in parts {
        Mac::update(&mut hash, part);
    }
    Checksum::truncated(&Mac::finalize(hash).into_bytes(), len)
}

/// The tag of a message in parts, as it lies now, after `before`.
pub(crate) fn tag_of_parts<H: KeyedHash>(
    prepared: &H,
    before: &[u8],
    message: &Scattered<'_, '_>,
    len: usize,
) -> Checksum {
    let mut hash = prepared.clone();
    Mac::update(&mut hash, before);
    message.update(&mut hash);
    Checksum::truncated(&Mac::finalize(hash).into_bytes(), len)
}

/// Whether two tags are equal, in a time that depends on their lengths only.
pub(crate) fn check(expected: &[u8], found: &[u8]) -> Result<(), Integrity> {
    if bool::from(expected.ct_eq(found)) { Ok(()) } else { Err(Integrity) }
}

/// PBKDF2 (RFC 8018 §5.2) over the profile's keyed hash.
pub(crate) fn stretch<H: KeyedHash>(
    password: &[u8],
    salt: &[u8],
    count: u32,
    len: usize,
) -> Zeroizing<Vec<u8>> {
    let mut stretched = Zeroizing::new(vec![0; len]);
    pbkdf2::pbkdf2::<H>(password, salt, count, &mut stretched).expect("HMAC takes keys of any length");
    stretched
}

/// What has been derived from one protocol key. A key that nothing was derived from yet costs two words.
pub(crate) struct Keys<P: Profile>(OnceLock<Box<Derived<P>>>);

/// What was derived, in the order of first use.
struct Derived<P: Profile> {
    sealing: Kept<P::Sealing>,
    opening: Kept<P::Opening>,
    checking: Kept<P::Checking>,
}

impl<P: Profile> Keys<P> {
    const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn derived(&self) -> &Derived<P> {
        self.0.get_or_init(|| {
            Box::new(Derived { sealing: Kept::new(), opening: Kept::new(), checking: Kept::new() })
        })
    }

    pub(crate) fn seal(&self, base: &[u8], usage: KeyUsage, body: &mut [u8]) -> Checksum {
        self.derived().sealing.with(usage, || P::sealing(base, usage), |keys| P::seal(keys, body))
    }

    pub(crate) fn open(
        &self,
        base: &[u8],
        usage: KeyUsage,
        body: &mut [u8],
        tag: &[u8],
    ) -> Result<(), Integrity> {
        self.derived().opening.with(usage, || P::opening(base, usage), |keys| P::open(keys, body, tag))
    }

    pub(crate) fn seal_parts(
        &self,
        base: &[u8],
        usage: KeyUsage,
        message: &mut Scattered<'_, '_>,
    ) -> Checksum {
        self.derived().sealing.with(usage, || P::sealing(base, usage), |keys| P::seal_parts(keys, message))
    }

    pub(crate) fn open_parts(
        &self,
        base: &[u8],
        usage: KeyUsage,
        message: &mut Scattered<'_, '_>,
        tag: &[u8],
    ) -> Result<(), Integrity> {
        self.derived().opening.with(
            usage,
            || P::opening(base, usage),
            |keys| P::open_parts(keys, message, tag),
        )
    }

    pub(crate) fn checksum(&self, base: &[u8], usage: KeyUsage, parts: &[&[u8]]) -> Checksum {
        self.derived().checking.with(usage, || P::checking(base, usage), |keys| P::checksum(keys, parts))
    }

    pub(crate) fn prf(&self, base: &[u8], input: &[u8]) -> SecretBytes {
        residue::leaving_none(|| P::prf(base, input))
    }

    pub(crate) fn prf_len(&self) -> usize {
        P::PRF_LEN
    }

    pub(crate) fn string_to_key(&self, password: &[u8], salt: &[u8], count: u32) -> Option<SecretBytes> {
        residue::leaving_none(|| P::string_to_key(password, salt, count))
    }
}

/// [`Keys`] of whichever encryption type.
pub(crate) enum AnyKeys {
    Aes128Sha1(Keys<OverPlain<AesSha1<Aes128>>>),
    Aes256Sha1(Keys<OverPlain<AesSha1<Aes256>>>),
    Aes128Sha256(Keys<HmacSha2<Aes128Sha256>>),
    Aes256Sha384(Keys<HmacSha2<Aes256Sha384>>),
    Arcfour(Keys<ArcfourHmac>),
    Camellia128(Keys<OverPlain<CamelliaCmac128>>),
    Camellia256(Keys<OverPlain<CamelliaCmac256>>),
    TripleDes(Keys<OverPlain<TripleDes>>),
}

impl AnyKeys {
    pub(crate) fn new(enctype: Enctype) -> Self {
        match enctype {
            Enctype::Aes128CtsHmacSha1 => Self::Aes128Sha1(Keys::new()),
            Enctype::Aes256CtsHmacSha1 => Self::Aes256Sha1(Keys::new()),
            Enctype::Aes128CtsHmacSha256 => Self::Aes128Sha256(Keys::new()),
            Enctype::Aes256CtsHmacSha384 => Self::Aes256Sha384(Keys::new()),
            Enctype::ArcfourHmac => Self::Arcfour(Keys::new()),
            Enctype::Camellia128CtsCmac => Self::Camellia128(Keys::new()),
            Enctype::Camellia256CtsCmac => Self::Camellia256(Keys::new()),
            Enctype::Des3CbcSha1 => Self::TripleDes(Keys::new()),
        }
    }
}

/// Runs an expression with the [`Keys`] of whichever encryption type.
macro_rules! with_keys {
    ($any:expr, $keys:ident => $run:expr) => {
        match $any {
            $crate::profile::AnyKeys::Aes128Sha1($keys) => $run,
            $crate::profile::AnyKeys::Aes256Sha1($keys) => $run,
            $crate::profile::AnyKeys::Aes128Sha256($keys) => $run,
            $crate::profile::AnyKeys::Aes256Sha384($keys) => $run,
            $crate::profile::AnyKeys::Arcfour($keys) => $run,
            $crate::profile::AnyKeys::Camellia128($keys) => $run,
            $crate::profile::AnyKeys::Camellia256($keys) => $run,
            $crate::profile::AnyKeys::TripleDes($keys) => $run,
        }
    };
}
pub(crate) use with_keys;

/// A short list of derived keys, each made at its first use and found by its usage number after that.
///
/// Keys have few uses, so a list of boxes that is walked beats a map, and an idle key costs one word pair. The
/// list ends at [`Kept::MOST`]: a caller with ever new usage numbers gets slower, not bigger.
struct Kept<T>(OnceLock<Box<Node<T>>>);

struct Node<T> {
    usage: KeyUsage,
    value: T,
    next: Kept<T>,
}

impl<T> Kept<T> {
    const MOST: usize = 8;

    const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn with<R>(&self, usage: KeyUsage, derive: impl Fn() -> T, run: impl FnOnce(&T) -> R) -> R {
        let mut place = self;
        for _ in 0..Self::MOST {
            // Two threads may race to fill the place for different uses; the loser goes on to the next.
            let node = place.0.get_or_init(|| {
                residue::leaving_none(|| Box::new(Node { usage, value: derive(), next: Self::new() }))
            });
            if node.usage == usage {
                return run(&node.value);
            }
            place = &node.next;
        }
        residue::leaving_none(|| run(&derive()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_derived_once_until_the_list_is_full() {
        let kept = Kept::new();
        let made = std::cell::Cell::new(0);
        let value = |number: u32| {
            let derive = || {
                made.set(made.get() + 1);
                number
            };
            kept.with(KeyUsage(number), derive, |value| *value)
        };
        for number in 0..8 {
            assert_eq!((value(number), value(number)), (number, number));
        }
        assert_eq!(made.get(), 8);
        assert_eq!((value(8), value(8), value(7)), (8, 8, 7));
        assert_eq!(made.get(), 10);
    }
}
