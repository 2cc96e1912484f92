//! The GSS-API in safe Rust: Kerberos single sign-on, message protection, context transfer.
//!
//! ```no_run
//! use orthros::{Name, Orthros};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let orthros = Orthros::from_system()?;
//! let mut stream = std::net::TcpStream::connect("www.example.com:4444")?;
//! let request = orthros.initiate(Name::hostbased_service("host", "www.example.com"))?;
//! let context = orthros.establish(request.mutual().confidential().start(), &mut stream)?;
//! let token = context.wrap(b"hello")?;
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`face`] | [`Orthros`]: everything below, joined |
//! | [`settings`] | where configuration comes from: files and the environment |
//! | [`acquire`] | tickets by password or keytab |
//! | [`blocking`] | the driver that answers a step's needs, and waits |
//! | [`stores`] | credential caches and keytabs in files and memory |
//! | [`kdc_link`] | carries a request to a KDC |
//! | [`replay`], [`ledger`] | which requests and which transfer tokens have been seen |
//! | [`seal_key`] | the key that seals transfer tokens |
//! | [`clock`], [`random`], [`sys`] | the operating system |
//!
//! The protocol itself lies on the floors beneath (`orthros-gss` and below) and knows nothing of files,
//! sockets or clocks.

pub mod acquire;
pub mod blocking;
pub mod clock;
pub mod face;
pub mod kdc_link;
pub mod ledger;
pub mod random;
pub mod replay;
pub mod seal_key;
pub mod settings;
pub mod stores;
pub mod sys;
mod table;

pub use face::{Builder, Orthros};
pub use orthros_crypto::{Enctype, Password};
pub use orthros_gss::transfer::Kept;
pub use orthros_gss::{
    Accept, AcceptorCredential, ChannelBindings, Context, Error, Flags, Initiate, InitiatorCredential, Major,
    Name, Need, Order, Step, Unwrapped,
};
pub use orthros_krb5::{Config, Keytab, Principal};
pub use settings::SetupError;
pub use stores::{CacheName, KeytabName, StoreError};

/// The examples of README.md, tested.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
