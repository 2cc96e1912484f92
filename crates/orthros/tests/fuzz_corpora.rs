//! The fuzz target for this crate on its kept corpus.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

#[test]
fn answers_of_name_servers() {
    replay::replay("dns_answer", orthros::dns::fuzzing::dns_answer);
}
