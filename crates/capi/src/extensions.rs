//! What only this library has. It takes no new function: object identifiers are handed to calls that every library has,
//! and `gssapi_orthros.h` names them. Another library answers that it does not know them.
//!
//! The identifiers lie under a UUID (ITU-T X.667), `2.25.147598747915324812746466831423844628115`, which nobody assigns.

use orthros_wire::Oid;

use crate::status::{self, Story};

macro_rules! identifier {
    ($last:literal) => {
        Oid::from_static(&[
            0x69, 0x81, 0xde, 0x8a, 0xbe, 0x87, 0xc7, 0xd5, 0x92, 0xae, 0x9f, 0x9a, 0xa0, 0xc3, 0x8b, 0xe8,
            0xe9, 0x9e, 0xed, 0x13, $last,
        ])
    };
}

/// `GSS_ORTHROS_TRANSFER`, an option of credentials: whether contexts that are made with one may be exported, `on` or
/// `off`.
pub const TRANSFER: Oid = identifier!(1);

/// `GSS_ORTHROS_CARRY`, an option of credentials: contexts that are initiated with one never wait for the network; the
/// program carries their messages to KDCs.
pub const CARRY: Oid = identifier!(2);

/// `GSS_ORTHROS_KDC_MESSAGE`, of a context that asks a KDC: an inquiry gives the realm and the request, the option takes
/// the reply (empty: no KDC could be reached).
pub const KDC_MESSAGE: Oid = identifier!(3);

/// `GSS_ORTHROS_TRANSFER_POLICY`, an option of contexts, set once before the export: what the token demands of its importer,
/// in the words of `transfer_policy` in section `[orthros]`.
pub const TRANSFER_POLICY: Oid = identifier!(5);

/// `GSS_ORTHROS_SUSPEND`, an option of acceptors' contexts on their way up: `gss_export_sec_context` makes a cookie of it.
pub const SUSPEND: Oid = identifier!(6);

/// `GSS_ORTHROS_TOKEN`, an option of no context yet: brings the token's to life, for the audience that was said before.
pub const TOKEN: Oid = identifier!(7);

/// `GSS_ORTHROS_HANDOVER`, an option of contexts: it goes over a Unix socket; of no context yet: the other end's comes.
pub const HANDOVER: Oid = identifier!(8);

/// `GSS_C_ORTHROS_JSON`, a type of status: a minor status with its story as JSON.
pub const STATUS_JSON: i32 = 0x4f52;

/// A minor status as JSON: its number, the story, and for errors of Kerberos their code and name.
pub(crate) fn json(minor: u32) -> String {
    let Story { text, kerberos } = status::story(minor);
    let mut told = serde_json::json!({ "minor": minor, "story": text });
    if let (Some(code), Some(members)) = (kerberos, told.as_object_mut()) {
        members.insert("kerberos_error".into(), code.0.into());
        members.insert("kerberos_error_name".into(), code.rfc_name().into());
    }
    told.to_string()
}
