//! The fuzz targets for this crate on their kept corpora.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

use orthros_kdc::fuzzing;
use replay::replay;

#[test]
fn requests_to_a_kdc() {
    replay("kdc_request", fuzzing::request);
    replay("sealed_kdc_request", fuzzing::sealed_request);
}
