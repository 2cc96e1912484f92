//! Floor 3: Kerberos V5 (RFC 4120) without IO.
//!
//! | module | what it holds |
//! |---|---|
//! | [`ap`] | the AP exchange: requests, replies, delegation, refusals |
//! | [`authdata`] | authorization data: elements within elements |
//! | [`ccache`] | [`CredentialCache`]: the file format of credential caches |
//! | [`config`] | [`Config`]: `krb5.conf` |
//! | [`credential`] | [`Credential`]: a ticket with its session key |
//! | [`mod@env`] | [`Env`]: the clock and randomness, together, and who watches |
//! | [`error_code`] | [`ErrorCode`]: the numbers of KRB-ERROR, what they mean and what to do |
//! | [`exchange`] | AS and TGS exchanges: what to ask a KDC, and what to believe of its answer |
//! | [`keytab`] | [`Keytab`]: the file format of keytabs |
//! | [`localname`] | which local user a principal is, and as whom it may log in |
//! | [`pac`] | the PAC of Windows' KDCs: its buffers and its signature |
//! | [`permitted`] | which enctypes may be used |
//! | [`principal`] | [`Principal`]: components and realm, text form |
//! | [`s4u`] | how a service names the user for whom it asks |
//! | [`sealed`] | opening sealed messages, without an enctype's padding |
//! | [`transited`] | the realms that a ticket came through, and which are allowed |
//! | [`vouched`] | what in a ticket carries a signature of its service's key |
//! | [`watch`] | what an exchange learns on its way, for a trace |
//! | [`wire`] | the messages as their grammar has them: DER structs, nothing more |
//!
//! Whatever lies outside (a KDC, a file, the clock) comes in as a value or goes out as one.
#![forbid(unsafe_code)]

pub mod ap;
pub mod authdata;
pub mod ccache;
pub mod config;
pub mod credential;
pub mod env;
pub mod error_code;
pub mod exchange;
#[doc(hidden)]
pub mod fuzzing;
pub mod keytab;
pub mod localname;
pub mod pac;
pub mod permitted;
pub mod principal;
mod record_reader;
mod record_writer;
pub mod s4u;
pub mod sealed;
pub mod transited;
pub mod vouched;
pub mod watch;
pub mod wire;

pub use ccache::CredentialCache;
pub use config::Config;
pub use credential::{Credential, TicketTimes};
pub use env::Env;
pub use error_code::ErrorCode;
pub use keytab::Keytab;
pub use localname::local_name;
pub use principal::Principal;
