//! Floor 1: octets, DER, object identifiers, secrets in memory, and the two traits through which time and
//! randomness enter ([`Clock`], [`Random`]).
//!
//! | module | what it holds |
//! |---|---|
//! | [`reader`] | a checked cursor over foreign octets (caches, keytabs, tokens) |
//! | [`der`] | strict, borrowing reader and backwards writer for the distinguished encoding rules (X.690) |
//! | [`oid`] | object identifiers as every GSS-API call names mechanisms |
//! | [`secret`] | octets that are wiped when dropped and never printed |
//! | [`mod@env`] | [`Clock`], [`Random`], [`Timestamp`] |
//! | [`residue`] | the stack wiped of what computing with them left |
//! | [`hex`] | hexadecimal text, for diagnostics and test vectors |
//! | [`testing`] | a manual clock and seeded randomness |
//!
//! Nothing here reads a file, a socket, the clock or the environment.
#![forbid(unsafe_code)]

pub mod der;
pub mod env;
#[doc(hidden)]
pub mod fuzzing;
pub mod hex;
pub mod oid;
pub mod reader;
pub mod residue;
pub mod secret;
pub mod testing;

pub use env::{Clock, Random, Timestamp};
pub use oid::Oid;
pub use reader::{Reader, Truncated};
pub use secret::SecretBytes;
