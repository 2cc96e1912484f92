//! The real binary, in a fresh folder, with an environment made from nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod demo;
mod doctor;
mod explain;
mod gss;
mod keytab;
mod kinit;
mod realm;
mod sandbox;
mod sealed;
mod tickets;
mod token;
mod usage;
