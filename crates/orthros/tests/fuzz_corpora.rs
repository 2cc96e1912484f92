//! The fuzz targets for this crate on their kept corpora.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

#[test]
fn answers_of_name_servers() {
    replay::replay("dns_answer", orthros::dns::fuzzing::dns_answer);
}

#[test]
fn files_of_a_fleet_s_keys() {
    replay::replay("fleet_key", orthros::transfer::fleet::fuzz);
}
