//! What only the operating system can say or do. The one place of this crate where `unsafe` may stand.
//!
//! | module | what it does |
//! |---|---|
//! | [`clock`] | the present second, cheaply |
//! | [`fork`] | notices that this process is a copy of another |
//! | [`gate`] | what a fork waits for, so that its child finds no lock held |
//! | [`process`] | who we are: process id, effective user, boot, set-user-id, limits |
//! | [`interface`] | the addresses of this machine |
//! | [`file`](mod@file) | files that appear whole or not at all, and locks that MIT krb5 respects |
//! | [`draft`] | files that get their name when they are whole |
//! | [`keyring`] | keys that the kernel keeps for a user |
//! | [`users`] | the users of this machine |
//! | [`socket`] | descriptors and credentials over Unix sockets |
//!
//! Linux is what is served today; another family gets files of its own beside these.

pub mod clock;
pub mod draft;
pub mod file;
pub mod fork;
pub mod gate;
pub mod interface;
pub mod keyring;
pub mod process;
pub mod socket;
pub mod users;
