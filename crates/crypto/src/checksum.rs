//! Checksum types and values. RFC 3961 §4, RFC 3962 §7, RFC 4757 §4, RFC 6803 §8,
//! RFC 8009 §6.
//!
//! Only keyed checksums are here, each bound to its encryption type; [`crate::Key::checksum`] makes them and
//! [`crate::Key::verify`] checks them.

use std::fmt;
use std::ops::Deref;

/// The assigned number of a checksum algorithm. Numbers of peers that are not known here are kept as they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ChecksumType(pub i32);

impl ChecksumType {
    /// hmac-sha1-des3-kd (RFC 3961 §6.3).
    pub const HMAC_SHA1_DES3_KD: Self = Self(12);
    /// hmac-sha1-96-aes128 (RFC 3962 §7).
    pub const HMAC_SHA1_96_AES128: Self = Self(15);
    /// hmac-sha1-96-aes256 (RFC 3962 §7).
    pub const HMAC_SHA1_96_AES256: Self = Self(16);
    /// cmac-camellia128 (RFC 6803 §8).
    pub const CMAC_CAMELLIA128: Self = Self(17);
    /// cmac-camellia256 (RFC 6803 §8).
    pub const CMAC_CAMELLIA256: Self = Self(18);
    /// hmac-sha256-128-aes128 (RFC 8009 §6).
    pub const HMAC_SHA256_128_AES128: Self = Self(19);
    /// hmac-sha384-192-aes256 (RFC 8009 §6).
    pub const HMAC_SHA384_192_AES256: Self = Self(20);
    /// hmac-md5 of RC4 keys (RFC 4757 §4).
    pub const HMAC_MD5: Self = Self(-138);
}

impl fmt::Display for ChecksumType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CMAC_CAMELLIA128 => f.write_str("cmac-camellia128"),
            Self::CMAC_CAMELLIA256 => f.write_str("cmac-camellia256"),
            Self::HMAC_MD5 => f.write_str("hmac-md5"),
            Self::HMAC_SHA1_DES3_KD => f.write_str("hmac-sha1-des3-kd"),
            Self::HMAC_SHA1_96_AES128 => f.write_str("hmac-sha1-96-aes128"),
            Self::HMAC_SHA1_96_AES256 => f.write_str("hmac-sha1-96-aes256"),
            Self::HMAC_SHA256_128_AES128 => f.write_str("hmac-sha256-128-aes128"),
            Self::HMAC_SHA384_192_AES256 => f.write_str("hmac-sha384-192-aes256"),
            Self(number) => write!(f, "checksum type {number}"),
        }
    }
}

/// The longest tag of any encryption type here, in octets.
const LONGEST: usize = 24;

/// The value of a checksum, 12 to 24 octets, held without an allocation.
///
/// To check a peer's, use [`crate::Key::verify`], which compares in constant time; there is no `PartialEq`.
#[derive(Clone, Copy)]
pub struct Checksum {
    octets: [u8; LONGEST],
    len: usize,
}

impl Checksum {
    /// The first `len` octets of `output`, at most as many as there are and as fit.
    pub(crate) fn truncated(output: &[u8], len: usize) -> Self {
        let len = len.min(LONGEST).min(output.len());
        let mut octets = [0; LONGEST];
        octets.iter_mut().take(len).zip(output).for_each(|(to, from)| *to = *from);
        Self { octets, len }
    }
}

impl Deref for Checksum {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Checksum {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({} octets)", self.len)
    }
}
