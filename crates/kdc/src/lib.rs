//! An embedded Kerberos KDC (RFC 4120 §3.1, §3.3) for development and tests: its database lives in memory.
//!
//! | module | what it holds |
//! |---|---|
//! | [`realm`] | [`Realm`]: principals and their keys; [`Builder`] |
//! | [`policy`] | [`RealmPolicy`]: lifetimes, clock skew, enctypes |
//! | [`answer`] | [`Realm::answer`]: from request to reply, no more |
//! | `initial` | what is particular to an AS-REQ |
//! | `granting` | what is particular to a TGS-REQ |
//! | [`delegation`] | services that act for users (S4U2Self, S4U2Proxy) |
//! | `neighbours` | aliases, hosts of other realms, ways between realms |
//! | `issue` | what both share: times, tickets, replies |
//! | `listen` | [`Listener`]: UDP and TCP on 127.0.0.1 (feature `listen`, on by default) |
//!
//! A realm of one's own takes three lines:
//!
//! ```
//! # #[cfg(feature = "listen")] {
//! use orthros_kdc::{Listener, Realm, SystemRandom};
//!
//! let realm = Realm::builder("DEMO.TEST").principal("alice", "pw").service("host/demo.test").build(&SystemRandom)?;
//! let kdc = Listener::start(realm)?;
//! println!("kdc = {}", kdc.address());
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Deliberately not here: user-to-user, PACs, FAST, password change, a comparison of the sender's address
//! with the ticket's, and a database that outlives the process. It is no KDC for production.
#![forbid(unsafe_code)]

pub mod answer;
pub mod delegation;
#[doc(hidden)]
pub mod fuzzing;
mod granting;
mod initial;
mod issue;
#[cfg(feature = "listen")]
mod listen;
mod neighbours;
pub mod policy;
pub mod realm;

pub use delegation::Impersonation;
#[cfg(feature = "listen")]
pub use listen::{Listener, SystemClock, SystemRandom};
pub use policy::RealmPolicy;
pub use realm::{Builder, KeytabKey, Realm, RealmError};
