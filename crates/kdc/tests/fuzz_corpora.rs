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
    replay("sealed_granted_reply", fuzzing::sealed_granted_reply);
    replay("sealed_impersonated_reply", fuzzing::sealed_impersonated_reply);
    replay("sealed_timestamp", fuzzing::sealed_timestamp);
    replay("sealed_user_id", fuzzing::sealed_user_id);
    replay("sealed_for_user", fuzzing::sealed_for_user);
    replay("sealed_evidence", fuzzing::sealed_evidence);
}
