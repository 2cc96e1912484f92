//! The command orthros: tickets, contexts, an embedded KDC, and why authentication fails.
//!
//! | module | commands |
//! |---|---|
//! | `arguments` | the table of all commands: it gives the parser, the help, the man page and the completions |
//! | `kinit`, `klist`, `kdestroy`, `kswitch`, `kvno`, `keytab` | tickets and keys in the user's files |
//! | `token` | `token seal`, `token unseal`: tickets move under a seal; `token show`: the clear part of any token |
//! | `start_time` | from when on a ticket shall be valid, as users write it |
//! | `realm` | `kdc`: a realm of one's own |
//! | `gss` | `gss client`, `gss server`, `gss export`, `gss import`: the ends of a context, in the framing of krb5-gss-samples |
//! | `library` | `run`, `switch`: programs on our C library, one or all |
//! | `doctor` | what is configured and at hand, and what is wrong with it |
//! | `door` | where a context and its connection pass to another process |
//! | `demo` | one context, three processes |
//! | `explain` | what an error means, and what usually lies behind it |
//! | `failure`, `output` | how a command ends, and how it speaks
//! | `manual` | the manual pages |
//! | `program` | where this program lies, and its temporary folders |
#![forbid(unsafe_code)]

mod arguments;
mod demo;
mod doctor;
mod door;
mod explain;
mod failure;
mod gss;
mod kdestroy;
mod keytab;
mod kinit;
mod klist;
mod kswitch;
mod kvno;
mod library;
mod manual;
mod output;
mod program;
mod realm;
mod start_time;
mod token;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command, GssCommand, KeytabCommand, SwitchCommand};
use failure::{Ending, Failure};
use token::arguments::TokenCommand;

fn main() -> ExitCode {
    let ended = run(Arguments::parse().command);
    match ended {
        Ok(Ending::Success) => ExitCode::SUCCESS,
        Ok(Ending::Status(status)) => ExitCode::from(status),
        // Whoever reads has read enough: no fault of anyone.
        Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Err(Failure::Story(story)) => {
            failure::complain(&story);
            ExitCode::from(failure::FAILED)
        }
    }
}

fn run(command: Command) -> Result<Ending, Failure> {
    match command {
        Command::Completions { shell } => {
            let mut page = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "orthros", &mut page);
            output::octets(&page)
        }
        Command::Demo(wanted) => demo::run(&wanted),
        Command::DemoRole { role } => demo::play(role),
        Command::Doctor(wanted) => doctor::run(&wanted),
        Command::Explain(wanted) => explain::run(&wanted),
        Command::Gss(GssCommand::Client(wanted)) => gss::client::run(&wanted),
        Command::Gss(GssCommand::Export(wanted)) => gss::moved::export(&wanted),
        Command::Gss(GssCommand::Import(wanted)) => gss::moved::import(&wanted),
        Command::Gss(GssCommand::Server(wanted)) => gss::server::run(&wanted),
        Command::Kdc(wanted) => realm::run(&wanted),
        Command::KdcBehind => realm::serve_behind(),
        Command::Kdestroy(wanted) => kdestroy::run(&wanted),
        Command::Keytab(KeytabCommand::Add(wanted)) => keytab::add(&wanted),
        Command::Keytab(KeytabCommand::List(wanted)) => keytab::list(&wanted),
        Command::Keytab(KeytabCommand::Merge(wanted)) => keytab::merge(&wanted),
        Command::Keytab(KeytabCommand::Remove(wanted)) => keytab::remove(&wanted),
        Command::Kinit(wanted) => kinit::run(&wanted),
        Command::Klist(wanted) => klist::run(&wanted),
        Command::Kswitch(wanted) => kswitch::run(&wanted),
        Command::Kvno(wanted) => kvno::run(&wanted),
        Command::Man(wanted) => manual::run(&wanted),
        Command::Run(wanted) => library::run::run(&wanted),
        Command::Switch(SwitchCommand::On(wanted)) => library::switch::on(&wanted),
        Command::Switch(SwitchCommand::Off(wanted)) => library::switch::off(&wanted),
        Command::Switch(SwitchCommand::Status(wanted)) => library::switch::status(&wanted),
        Command::Token(TokenCommand::Seal(wanted)) => token::sealed::seal(&wanted),
        Command::Token(TokenCommand::Show(wanted)) => token::show(&wanted),
        Command::Token(TokenCommand::Unseal(wanted)) => token::sealed::unseal(&wanted),
    }
}
