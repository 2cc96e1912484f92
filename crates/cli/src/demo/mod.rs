//! `demo`: one security context, three processes, no realm needed.
//!
//! The parent starts this program four times more: a KDC, an acceptor, an initiator, and later an heir that takes
//! the acceptor's context and its socket. It gives them orders by their standard input, one line of JSON each, and
//! reads one line of JSON for each from their standard output. What is printed was reported by them and checked
//! here; a claim that does not hold makes the demo fail.
//!
//! | file | what it holds |
//! |---|---|
//! | `orders` | what the processes are told, and what they answer |
//! | `troupe` | the processes: started, told, waited for (never long), ended by their ids |
//! | `wire` | a connection that keeps what passes over it |
//! | `roles`, `holder`, `initiator` | what the processes do |
//! | `steps` | the eight steps, and what has to be true of each |
//! | `report` | claims, and how they are printed |
//!
//! All files are in one temporary folder that is gone afterwards: nothing of the machine's Kerberos is used.

mod holder;
mod initiator;
mod orders;
mod report;
mod roles;
mod steps;
mod troupe;
mod wire;

use std::io;

use crate::arguments::{Demo, Role};
use crate::failure::{Ending, FAILED, Failure, While};
use crate::output;
use crate::program::temporary_folder;

/// Shows the demo.
pub(crate) fn run(wanted: &Demo) -> Result<Ending, Failure> {
    let folder = temporary_folder()?;
    let mut stage = steps::Stage::new(folder.path(), wanted)?;
    let report = stage.play()?;
    if wanted.json {
        // On one line where somebody waits for it.
        if wanted.hold {
            output::json_line(&report)?
        } else {
            output::json(&report)?
        };
    }
    if wanted.hold {
        io::copy(&mut io::stdin().lock(), &mut io::sink()).while_doing("cannot read standard input")?;
    }
    stage.finish()?;
    folder.close().while_doing("cannot remove the demo's folder")?;
    if report.held { Ok(Ending::Success) } else { Ok(Ending::Status(FAILED)) }
}

/// Plays a role in somebody else's demo.
pub(crate) fn play(role: Role) -> Result<Ending, Failure> {
    match role {
        Role::Acceptor | Role::Heir => roles::serve(&mut holder::Holder::new()?),
        Role::Initiator => roles::serve(&mut initiator::Initiator::default()),
        Role::Kdc => roles::serve(&mut roles::Kdc::default()),
    }
}
