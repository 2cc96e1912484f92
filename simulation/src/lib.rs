//! A whole realm as one deterministic program: KDCs, clients, acceptors, workers, their caches, ledgers and clocks. A
//! seed decides what happens, and which faults: messages are lost, repeated, delayed, altered and led astray; clocks
//! are put; processes are killed at any step and start again; disks are full; keys change.
//!
//! | module | what it holds |
//! |---|---|
//! | `plan` | what a seed decides before the run: conversations, rates of faults, blows |
//! | `world` | machines, processes, works, and the queue of events |
//! | `realm` | how a run begins; how it ends: everything is mended and must work |
//! | `network` | messages, and what befalls them; the KDCs' answers |
//! | `client`, `steps`, `talk` | logins and caches; contexts on their way up; protected messages |
//! | `moves`, `suspended` | contexts that move when they are up, and before |
//! | `blows` | what befalls machines and processes |
//! | `stores` | what outlives a process |
//! | `observer`, `explain`, `blame`, `clocks`, `facts` | what must never happen, and what a failure may come from |
//! | `dice`, `trace`, `ids` | choices of a seed; the log of a run; who is who |
//! | [`runner`] | one seed, and many |
//!
//! The product is used as it is: the steps of `orthros-gss`, the KDC's function from request to reply, the parsers of
//! caches and keytabs. Only what carries octets and keeps them is simulated here; with [`Options::real_stores`] the
//! ledger and the replay cache are the real ones too.
//!
//! Deliberately not here: threads within a process (a simulated process does one thing after the other), and files but
//! for those two.
#![forbid(unsafe_code)]
#![allow(
    clippy::indexing_slicing,
    reason = "places in the world's tables are handed out by the world; a wrong one is a fault of the simulator and must end it"
)]

mod blame;
mod blows;
mod client;
mod clocks;
mod dice;
mod explain;
mod facts;
mod ids;
mod moves;
mod network;
mod observer;
mod plan;
mod realm;
pub mod runner;
mod steps;
mod stores;
mod suspended;
mod talk;
mod trace;
mod world;

pub use runner::{Outcome, Summary, run, run_many};

/// How a seed is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the log, for people.
    pub trace: bool,
    /// Use the ledger and the replay cache in files, in a folder of the run's own.
    pub real_stores: bool,
    /// Do something wrong on purpose, which the invariants must notice.
    pub planted: Option<Planted>,
}

/// Wrongs that a driver or a store could do. They show that the invariants can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Planted {
    /// A credential cache is overwritten in place.
    CacheInPlace,
    /// The driver takes every import for unspent.
    ImportUnspent,
    /// What can't be verified is delivered as it came.
    IntegrityUnchecked,
    /// The ledger forgets everything when a process is killed.
    LedgerForgets,
    /// Each process has a ledger of its own.
    LedgerPerProcess,
    /// The driver does not tell how messages stand in the stream.
    OrderUnchecked,
    /// The replay cache forgets everything when a process is killed.
    ReplayForgets,
    /// The driver takes every request for fresh.
    ReplayUnchecked,
}

impl Planted {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::CacheInPlace,
        Self::ImportUnspent,
        Self::IntegrityUnchecked,
        Self::LedgerForgets,
        Self::LedgerPerProcess,
        Self::OrderUnchecked,
        Self::ReplayForgets,
        Self::ReplayUnchecked,
    ];
}
