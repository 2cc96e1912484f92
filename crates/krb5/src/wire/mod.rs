//! The messages of RFC 4120 as their grammar has them: DER structs without opinions.
//!
//! Each struct is a table of the RFC's fields, made by [`orthros_wire::sequence!`]; all of them borrow from
//! the octets they were read from. Where octets must be kept because a checksum or another cipher covers
//! them, the field is a [`Raw`].
//!
//! | file | RFC 4120 |
//! |---|---|
//! | [`basic`] | §5.2: names, times, flags, encrypted data, keys, checksums |
//! | [`ticket`] | §5.3, §5.5.1: tickets and authenticators |
//! | [`kdc`] | §5.4: KDC requests and replies |
//! | [`preauth`] | §5.2.7: pre-authentication data |
//! | [`s4u`] | MS-SFU §2.2: services that act for users |
//! | [`ap`] | §5.5: AP-REQ, AP-REP |
//! | [`messages`] | §5.6 to §5.9: SAFE, PRIV, CRED, ERROR |
//!
//! Deliberately not here: what a message means, and whether it should be believed.

pub mod ap;
pub mod basic;
pub mod kdc;
pub mod messages;
pub mod preauth;
pub mod s4u;
pub mod ticket;

pub use ap::*;
pub use basic::*;
pub use kdc::*;
pub use messages::*;
pub use orthros_wire::der::{Decode, DerError, Encode, GeneralString, KerberosTime, Raw, Utf8String};
pub use preauth::*;
pub use s4u::*;
pub use ticket::*;

/// The protocol version number that every message carries (RFC 4120 §5.1).
pub const PVNO: i32 = 5;
