//! Floor 3: Kerberos V5 (RFC 4120) without IO.
//!
//! | module | what it holds |
//! |---|---|
//! | [`ccache`] | [`CredentialCache`]: the file format of credential caches |
//! | [`config`] | [`Config`]: `krb5.conf` |
//! | [`credential`] | [`Credential`]: a ticket with its session key |
//! | [`error_code`] | [`ErrorCode`]: the numbers of KRB-ERROR, what they mean and what to do |
//! | [`keytab`] | [`Keytab`]: the file format of keytabs |
//! | [`principal`] | [`Principal`]: components and realm, text form |
//! | [`wire`] | the messages as their grammar has them: DER structs, nothing more |
//!
//! Whatever lies outside (a KDC, a file, the clock) comes in as a value or goes out as one.
#![forbid(unsafe_code)]

pub mod ccache;
pub mod config;
pub mod credential;
pub mod error_code;
#[doc(hidden)]
pub mod fuzzing;
pub mod keytab;
pub mod principal;
mod record_writer;
pub mod wire;

pub use ccache::CredentialCache;
pub use config::Config;
pub use credential::{Credential, TicketTimes};
pub use error_code::ErrorCode;
pub use keytab::Keytab;
pub use principal::Principal;
