//! Scenarios that run Orthros against real peers: the harness they share.
//!
//! | module | what it holds |
//! |---|---|
//! | [`scenario`] | a named test that knows which peers it needs, and how the test binary counts it |
//! | [`peers`] | where the peers' programs are, and which Debian package brings each |
//! | [`process`] | child processes with captured output; every wait is bounded, every child ends by pid |
//! | [`profile`] | `c/profile.c`: what MIT krb5's library makes of configuration files |
//! | [`realm`] | a throw-away realm on 127.0.0.1 with its own files, served by MIT's KDC, Heimdal's or ours |
//! | [`gss`] | the two ends of `krb5-gss-samples`, MIT's, Heimdal's or ours |
//! | [`sample`] | `c/sample.c`: the same two ends on any GSS library, opened by its path |
//! | [`c_library`] | our C library in the place of MIT's: compiling for it, running programs on it |
//! | [`faces`] | the libraries that our C library stands in for: originals, headers, compiling for either |
//! | [`inquiry`] | `c/inquiry.c`: what a GSS library says about its mechanism and about names |
//! | [`k5crypto`] | `c/k5crypto.c`: MIT's cryptography, a question and an answer per line |
//! | [`relay`] | passes a connection on and remembers it, for sending it again |
//! | [`failure`] | what a scenario returns when it does not hold |
//!
//! Subject and peer speak through sockets, files and programs, never through each other's API. Nothing here
//! reaches beyond the machine, and no process outlives the value that stands for it.
#![forbid(unsafe_code)]

pub mod c_library;
pub mod faces;
pub mod failure;
pub mod gss;
pub mod inquiry;
pub mod k5crypto;
pub mod peers;
pub mod process;
pub mod profile;
pub mod realm;
pub mod relay;
pub mod sample;
pub mod scenario;

pub use failure::Failure;
pub use process::{Finished, Running};
pub use realm::{Enctype, Realm, RealmBuilder, Side};
pub use scenario::Scenario;
