//! Bodies of the fuzz targets of this crate, and the seam by which tests reach under a transfer token's seal.
//! Not part of the API.
//!
//! | file | what it attacks |
//! |---|---|
//! | here | framing and exported names |
//! | `carried` | the tokens that carry messages to KDCs and back |
//! | `conversation` | what established ends say to each other, out of order and across moves |
//! | `handshake` | the tokens that establish a context |
//! | `sealed` | the parts of an AP-REQ, each under its seal |
//! | `negotiated` | negotiations whose lists are signed |
//! | `old` | wrap and MIC tokens of the old form |
//! | `protected` | wrap and MIC tokens |
//! | `pieces` | messages in pieces |
//! | `half_open` | cookies of contexts on their way up, claims, handovers |
//! | `moved` | transfer tokens and sealed credentials, and [`open_state`] and [`seal_state`] |
//!
//! Targets called `sealed` own the key: the input alters a good plain text, which is then sealed, so that the
//! fuzzer reaches what an integrity check otherwise hides. Plain tests run all bodies on the kept corpus.

mod carried;
mod conversation;
mod half_open;
mod handshake;
mod moved;
mod negotiated;
mod old;
mod pieces;
mod protected;
mod sealed;

pub use carried::{carried, sealed_carried};
pub use conversation::{message_numbers, moved_conversation};
pub use half_open::{handed_over, sealed_claims, sealed_half_open};
pub use handshake::{
    acceptor_token, initiator_token, negotiation, sealed_acceptor_token, sealed_ap_rep, sealed_krb_cred,
};
pub use moved::{open_state, seal_state, sealed_credential, sealed_transfer_state, transfer_token};
pub use negotiated::{sealed_mech_list_mic, sealed_offer};
pub use old::{old_mic_token, old_wrap_token};
pub use pieces::pieces;
pub use protected::{mic_token, wrap_token};
pub use sealed::{sealed_authenticator, sealed_authorization_data, sealed_checksum, sealed_ticket};

use std::sync::Arc;

use orthros_crypto::{Enctype, Key};
use orthros_krb5::{Config, Env, Principal};
use orthros_wire::{Clock, Random, Timestamp};

use crate::Settings;

const NOW: i64 = 1_700_000_000;
const ENCTYPE: Enctype = Enctype::Aes128CtsHmacSha1;

/// The header of RFC 2743 §3.1: what is taken must come back the same.
pub fn framing(data: &[u8]) {
    if let Ok((mechanism, inner)) = crate::framing::unframe(data) {
        assert_eq!(crate::framing::frame(&mechanism, &[inner]), data);
    }
}

/// A name of each type. The first octet chooses the type.
pub fn imported_name(data: &[u8]) {
    let Some((kind, octets)) = data.split_first() else { return };
    let types = crate::mechanism::KRB5.name_types;
    let name_type = types.get(usize::from(*kind) % (types.len() + 1));
    let Ok(name) = crate::Name::import(octets, name_type) else { return };
    let shown = name.display();
    let again = crate::Name::import(shown.text.as_bytes(), Some(&shown.name_type));
    assert_eq!(again.map(|again| again.display()), Ok(shown), "what is displayed is imported as the same");
    if let Ok(principal) = name.to_principal(&settings().config, None) {
        let exported = crate::Name::from_exported(&crate::Name::export(&principal));
        assert_eq!(exported, Ok(crate::Name::Principal(principal)));
    }
}

/// An exported name.
pub fn exported_name(data: &[u8]) {
    if let Ok(crate::Name::Principal(principal)) = crate::Name::from_exported(data) {
        let exported = crate::Name::export(&principal);
        assert_eq!(crate::Name::from_exported(&exported), Ok(crate::Name::Principal(principal)));
    }
}

/// A clock that stands still, and octets that are all the same.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }
}

impl Random for Still {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(0x5a);
    }
}

fn key() -> Key {
    Key::random(ENCTYPE, &Still)
}

fn principal(name: &str) -> Principal {
    Principal::new(orthros_krb5::principal::NameType::PRINCIPAL, name.split('/'), "FUZZ")
}

fn settings() -> Settings {
    let config = Config::for_realm("FUZZ", &["127.0.0.1:88"]).unwrap_or_default();
    Settings { config: Arc::new(config), env: Env::new(Still, Still), transfer: true }
}
