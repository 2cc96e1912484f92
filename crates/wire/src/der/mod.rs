//! Strict, borrowing DER (X.690): what Kerberos (RFC 4120 §5.1) and SPNEGO (RFC 4178) need of it.
//!
//! - [`DerReader`] takes definite, minimal lengths and low tag numbers only, copies nothing, and never
//!   recurses: how deep it goes is fixed by the Rust types that it fills.
//! - [`DerWriter`] appends; a length is put in place once its content is known.
//! - [`sequence!`](crate::sequence) turns a table of fields into a struct, its decoder and its encoder, so
//!   that a message stands in the source as it stands in the RFC.
//!
//! Deliberately not here: BER (indefinite lengths, constructed strings), REAL, high tag numbers.

mod read;
mod sequence;
mod types;
mod write;

pub use read::{Decode, DerError, DerReader, Tag};
pub use types::{AnyTlv, Enumerated, GeneralString, KerberosTime, Raw, Utf8String};
pub use write::{DerWriter, Encode};
