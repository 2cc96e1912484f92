//! Floor 3: Kerberos V5 (RFC 4120) without IO.
//!
//! | module | what it holds |
//! |---|---|
//! | [`credential`] | [`Credential`]: a ticket with its session key |
//! | [`error_code`] | [`ErrorCode`]: the numbers of KRB-ERROR, what they mean and what to do |
//! | [`principal`] | [`Principal`]: components and realm, text form |
//! | [`wire`] | the messages as their grammar has them: DER structs, nothing more |
//!
//! Whatever lies outside (a KDC, a file, the clock) comes in as a value or goes out as one.
#![forbid(unsafe_code)]

pub mod credential;
pub mod error_code;
pub mod principal;
pub mod wire;

pub use credential::{Credential, TicketTimes};
pub use error_code::ErrorCode;
pub use principal::Principal;
