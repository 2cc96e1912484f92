//! The fuzz targets for this crate on their kept corpora.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

use orthros_krb5::exchange::fuzzing;
use orthros_krb5::fuzzing::{transited, user_element, vouched};
use replay::replay;

#[test]
fn replies_of_a_kdc() {
    replay("initial_reply", fuzzing::initial_reply);
    replay("service_reply", fuzzing::service_reply);
    replay("sealed_initial_reply", fuzzing::sealed_initial_reply);
}

#[test]
fn realms_on_the_way_of_a_ticket() {
    replay("transited", transited);
}

#[test]
fn users_named_by_services() {
    replay("user_element", user_element);
}

#[test]
fn elements_that_a_kdc_vouches_for() {
    replay("vouched", vouched);
}
