//! The fuzz target for this crate on its kept corpus.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

#[test]
fn lists_of_plug_ins() {
    replay::replay("plugin_list", orthros_capi::fuzzing::plugin_list);
}
