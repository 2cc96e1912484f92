//! The GSS-API for C programs (RFC 2744).
//!
//! | file | what it holds |
//! |---|---|
//! | [`abi`] | the types and numbers of the C interface |
//! | [`pointers`] | arguments: what a caller points at, read and written |
//! | [`pieces`] | messages in pieces, as C lends them |
//! | [`memory`] | what the caller frees: buffers, sets |
//! | [`handles`] | contexts, credentials and names behind numbers that are checked |
//! | `copies` | copies of what threads share, for those that come again |
//! | [`data`] | the object identifiers that the originals export as data |
//! | [`extensions`] | what only this library has |
//! | [`fuzzing`] | what the fuzz target runs |
//! | [`libkrb5`] | the libkrb5 that shares the process with us |
//! | [`oids`] | object identifiers that live as long as the process |
//! | [`library`] | the process's configuration, read again when it changes |
//! | [`plugins`] | mechanisms of others |
//! | [`status`] | minor numbers and the stories behind them |
//! | [`calls`] | the functions, a file for each family |
//!
//! Every call sets its outputs to their empty value, then checks its arguments, then works, then returns results. No
//! panic leaves the library: `boundary` answers `GSS_S_FAILURE` in its place.
//!
//! `unsafe` stands in `pointers`, `pieces`, `memory`, `handles`, `oids`, `data`, `libkrb5` and `plugins`. What a caller must
//! keep is RFC 2744's: each pointer is null or points to a place of its type that the caller lends for the call.

pub mod abi;
mod boundary;
pub mod calls;
mod copies;
pub mod data;
mod environment;
pub mod extensions;
pub mod fuzzing;
pub mod handles;
pub mod libkrb5;
pub mod library;
pub mod memory;
pub mod oids;
pub mod pieces;
pub mod plugins;
pub mod pointers;
pub mod status;
