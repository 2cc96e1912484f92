//! Every scenario against real peers, in one binary: `cargo test -p interop -- PART_OF_A_NAME` runs some of them.
//!
//! A module per pairing; each gives its scenarios as a list, so that tables can make a named test per cell.

use std::process::ExitCode;

mod attributes;
mod bindings;
mod c_arguments;
mod c_library;
mod c_manual;
mod c_odd;
mod c_programs;
mod c_switch;
mod client_keytab;
mod daemons;
mod dns;
mod errors;
mod heimdal;
mod iakerb;
mod inquiry;
mod k5crypto;
mod keyring;
mod killed;
mod kinit;
mod local_names;
mod manual;
mod matrix;
mod mit_alone;
mod moved;
#[path = "../../../crates/orthros/tests/common/name_server.rs"]
mod name_server;
mod negotiation;
mod package;
mod pieces;
mod plugins;
mod prf;
mod profile;
mod python_suite;
mod realms;
mod replay;
mod s4u;
mod shared;
mod stores;
mod styles;
mod tickets;
mod weak;

fn main() -> ExitCode {
    if let Some(played) = killed::play() {
        return played;
    }
    if let Some(played) = keyring::play() {
        return played;
    }
    let mut scenarios = Vec::new();
    scenarios.extend(keyring::scenarios());
    scenarios.extend(mit_alone::scenarios());
    scenarios.extend(matrix::scenarios());
    scenarios.extend(stores::scenarios());
    scenarios.extend(moved::scenarios());
    scenarios.extend(shared::scenarios());
    scenarios.extend(prf::scenarios());
    scenarios.extend(local_names::scenarios());
    scenarios.extend(profile::scenarios());
    scenarios.extend(realms::scenarios());
    scenarios.extend(tickets::scenarios());
    scenarios.extend(kinit::scenarios());
    scenarios.extend(pieces::scenarios());
    scenarios.extend(replay::scenarios());
    scenarios.extend(killed::scenarios());
    scenarios.extend(s4u::scenarios());
    scenarios.extend(styles::scenarios());
    scenarios.extend(bindings::scenarios());
    scenarios.extend(negotiation::scenarios());
    scenarios.extend(errors::scenarios());
    scenarios.extend(heimdal::scenarios());
    scenarios.extend(iakerb::scenarios());
    scenarios.extend(inquiry::scenarios());
    scenarios.extend(client_keytab::scenarios());
    scenarios.extend(k5crypto::scenarios());
    scenarios.extend(weak::scenarios());
    scenarios.extend(c_arguments::scenarios());
    scenarios.extend(c_library::scenarios());
    scenarios.extend(c_manual::scenarios());
    scenarios.extend(c_odd::scenarios());
    scenarios.extend(c_programs::scenarios());
    scenarios.extend(daemons::scenarios());
    scenarios.extend(c_switch::scenarios());
    scenarios.extend(manual::scenarios());
    scenarios.extend(package::scenarios());
    scenarios.extend(plugins::scenarios());
    scenarios.extend(dns::scenarios());
    scenarios.extend(attributes::scenarios());
    scenarios.extend(python_suite::scenarios());
    interop::scenario::run(scenarios)
}
