//! The fuzz targets for this crate on their kept corpora.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../../fuzz/replay.rs"]
mod replay;

use orthros_gss::fuzzing;
use replay::replay;

#[test]
fn tokens_without_a_key() {
    replay("carried", fuzzing::carried);
    replay("framing", fuzzing::framing);
    replay("exported_name", fuzzing::exported_name);
    replay("imported_name", fuzzing::imported_name);
    replay("acceptor_token", fuzzing::acceptor_token);
    replay("initiator_token", fuzzing::initiator_token);
    replay("negotiation", fuzzing::negotiation);
    replay("transfer_token", fuzzing::transfer_token);
    replay("handed_over", fuzzing::handed_over);
}

#[test]
fn tokens_under_a_good_seal() {
    replay("wrap_token", fuzzing::wrap_token);
    replay("mic_token", fuzzing::mic_token);
    replay("pieces", fuzzing::pieces);
    replay("sealed_acceptor_token", fuzzing::sealed_acceptor_token);
    replay("sealed_ap_rep", fuzzing::sealed_ap_rep);
    replay("sealed_krb_cred", fuzzing::sealed_krb_cred);
    replay("sealed_transfer_state", fuzzing::sealed_transfer_state);
    replay("sealed_credential", fuzzing::sealed_credential);
    replay("sealed_half_open", fuzzing::sealed_half_open);
    replay("sealed_claims", fuzzing::sealed_claims);
    replay("sealed_ticket", fuzzing::sealed_ticket);
    replay("sealed_authenticator", fuzzing::sealed_authenticator);
    replay("sealed_checksum", fuzzing::sealed_checksum);
    replay("sealed_authorization_data", fuzzing::sealed_authorization_data);
    replay("sealed_mech_list_mic", fuzzing::sealed_mech_list_mic);
    replay("sealed_offer", fuzzing::sealed_offer);
    replay("old_wrap_token", fuzzing::old_wrap_token);
    replay("old_mic_token", fuzzing::old_mic_token);
    replay("sealed_carried", fuzzing::sealed_carried);
}

#[test]
fn messages_in_any_order_and_across_moves() {
    replay("message_numbers", fuzzing::message_numbers);
    replay("moved_conversation", fuzzing::moved_conversation);
}
