//! Bodies of the fuzz targets for requests, kept here so that a plain test can replay their corpora.

use std::sync::OnceLock;

use orthros_crypto::Enctype;
use orthros_krb5::wire::{application_number, msg_type};
use orthros_wire::{Random, Timestamp};

use crate::Realm;

struct Still;

impl Random for Still {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(0x5a);
    }
}

/// Arbitrary octets as a request: whatever comes back is a reply, never a request.
pub fn request(data: &[u8]) {
    static REALM: OnceLock<Option<Realm>> = OnceLock::new();
    let realm = REALM.get_or_init(|| {
        let enctypes = [Enctype::Aes256CtsHmacSha1, Enctype::Aes128CtsHmacSha1];
        Realm::builder("TEST")
            .enctypes(&enctypes)
            .principal("alice", "pw")
            .service("host/x.test")
            .build(&Still)
            .ok()
    });
    let Some(realm) = realm else { return };
    let answer = realm.answer_datagram(data, Timestamp::from_seconds(1_700_000_000), &Still);
    let kind = answer.as_deref().and_then(application_number);
    assert!(
        matches!(kind, None | Some(msg_type::AS_REP | msg_type::TGS_REP | msg_type::KRB_ERROR)),
        "a KDC answers with replies only"
    );
}
