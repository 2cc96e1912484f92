//! The fuzz target for this crate on its kept corpus.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

#[test]
fn values_in_der() {
    replay::replay("der", orthros_wire::fuzzing::der);
}
