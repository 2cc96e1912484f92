//! Floor 2: the cryptography of Kerberos V5, as RFC 3961 frames it.
//!
//! A key belongs to one encryption type ([`Enctype`]); from it, one key per purpose and use ([`KeyUsage`]) is
//! derived, and only those touch messages. [`Key`] does all of it: seal, open, checksum, PRF, string-to-key,
//! KRB-FX-CF2. What it derives it keeps, with the expanded AES schedules and the prepared HMAC states.
//!
//! | module | what it holds |
//! |---|---|
//! | [`enctype`] | the table: a row per encryption type |
//! | [`checksum`] | checksum types and values |
//! | [`usage`] | the key usage numbers of RFC 4120 §7.5.1 and RFC 4121 §2 |
//! | [`key`] | [`Key`], [`LongTermKey`], [`SessionKey`], [`Password`] and their errors |
//! | [`parts`] | messages whose parts lie in different places |
//! | `profile` | what an encryption type must be able to do, and the keeping of derived keys |
//! | `simplified` | sealing with a MAC over the plain text, RFC 3961 §5.3 |
//! | `cbc_cts` | a block cipher in CBC mode with ciphertext stealing, RFC 3962 §5 |
//! | [`wiped`] | schedules of AES that are wiped when dropped |
//! | [`rfc1964`] | the bare ciphers of the old per-message tokens |
//! | `rfc3961` | n-fold, DR and DK |
//! | `rfc3962` | AES with HMAC-SHA1 |
//! | `rfc4757` | RC4 with HMAC-MD5 |
//! | `rfc6803` | Camellia with CMAC |
//! | `triple_des` | triple DES with HMAC-SHA1, RFC 3961 §6.3 |
//! | `rfc8009` | AES with HMAC-SHA2: the MAC covers the cipher text |
//!
//! Nothing here reads a file, a socket, the clock or the environment; randomness comes through
//! [`orthros_wire::Random`].
#![forbid(unsafe_code)]

mod cbc_cts;
pub mod checksum;
pub mod enctype;
pub mod key;
pub mod parts;
mod profile;
pub mod rfc1964;
mod rfc3961;
mod rfc3962;
mod rfc4757;
mod rfc6803;
mod rfc8009;
mod simplified;
mod triple_des;
pub mod usage;
pub mod wiped;

pub use checksum::{Checksum, ChecksumType};
pub use enctype::{Enctype, MessageTokens, UnknownEnctype};
pub use key::{BadKey, BadLength, Integrity, Key, LongTermKey, Password, SessionKey};
pub use parts::Part;
pub use rfc1964::OldTokens;
pub use usage::KeyUsage;
