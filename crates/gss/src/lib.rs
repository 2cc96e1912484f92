//! Floor 4: the GSS-API (RFC 2743) without IO.
//!
//! | module | what it holds |
//! |---|---|
//! | [`name`] | [`Name`]: host-based services, users, principals, exported names and the rest |
//! | [`credential`] | [`InitiatorCredential`], [`AcceptorCredential`], [`CredentialSet`] |
//! | [`bindings`] | [`ChannelBindings`] |
//! | [`flags`], [`status`], [`error`] | [`Flags`]; [`Major`], [`Order`]; [`Error`], by fault |
//! | [`context`] | [`Step`] and [`Need`]: establishing; [`Context`]: using |
//! | [`message`] | wrap, unwrap, MIC, verify |
//! | [`mechanism`] | what mechanisms there are, can do and are called |
//! | [`mech`] | how they work: krb5 (RFC 4121), IAKERB, the negotiation (RFC 4178) |
//! | [`negotiation`] | mechanisms of others beside Kerberos |
//! | [`transfer`] | a context moves to another process: sealed, once; so do credentials, more than once |
//!
//! A context is established by a loop over [`Step`]s. What lies outside (the peer, a KDC, the replay cache,
//! the ledger of spent tokens) is a value that a step yields, so that blocking, asynchronous, C and test
//! drivers all run the same code. The crate `orthros` has ready drivers.
#![forbid(unsafe_code)]

pub mod bindings;
pub mod context;
pub mod credential;
pub mod error;
pub mod flags;
pub mod framing;
#[doc(hidden)]
pub mod fuzzing;
pub mod mech;
pub mod mechanism;
pub mod message;
pub mod name;
pub mod negotiation;
pub mod status;
pub mod transfer;

pub use bindings::ChannelBindings;
pub use context::{Accept, Context, Initiate, Need, Settings, Step};
pub use credential::{AcceptorCredential, CredentialSet, InitiatorCredential};
pub use error::Error;
pub use flags::Flags;
pub use message::{Piece, PieceLengths, PrfKey, Unwrapped, Verified};
pub use name::Name;
pub use status::{Major, Order};
