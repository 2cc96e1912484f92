//! The AP exchange (RFC 4120 §3.2): a client proves to a server who it is, and the server answers.
//!
//! | file | what it does |
//! |---|---|
//! | [`request`] | the client makes an AP-REQ |
//! | [`opened`] | the server opens one and learns who asks |
//! | [`reply`] | both ends of the AP-REP |
//! | [`options`] | what the client says beside: enctypes, channel bindings |
//! | [`delegation`] | KRB-CRED: a forwarded ticket inside the request |
//! | [`refusal`] | why a request is refused, and the KRB-ERROR that says so |
//!
//! Deliberately not here: the GSS-API's framing and checksum (floor 4), and the replay cache, which lies
//! outside: an [`Opened`] carries the tag to ask it about.

pub mod delegation;
pub mod opened;
pub mod options;
pub mod refusal;
pub mod reply;
pub mod request;

pub use delegation::{make_credential_message, open_credential_message};
pub use opened::{AcceptorKeys, Opened, TransitedChecked, open_request};
pub use options::ClientOptions;
pub use refusal::{ApRefusal, RemoteError};
pub use reply::{ReplyOpened, make_reply, open_echo, open_reply};
pub use request::{Request, RequestSent};

use orthros_crypto::{Enctype, Key};
use orthros_wire::Timestamp;

use crate::permitted::permit;
use crate::wire::{EncryptionKey, SecretOctets};

/// The key that a message carries, if its enctype is permitted and its length is right.
pub(crate) fn key_from_wire(key: &EncryptionKey<'_>, permitted: &[Enctype]) -> Result<Key, ApRefusal> {
    let enctype = permit(key.keytype, permitted).map_err(ApRefusal::SessionEnctype)?;
    Key::new(enctype, key.keyvalue.0).map_err(|_| ApRefusal::KeyLength { enctype })
}

/// A key as messages carry it.
pub(crate) fn key_to_wire(key: &Key) -> EncryptionKey<'_> {
    EncryptionKey { keytype: key.enctype().number(), keyvalue: SecretOctets(key.expose_octets()) }
}

/// A moment's microseconds as the wire has them.
pub(crate) fn microseconds(moment: Timestamp) -> i32 {
    i32::try_from(moment.microseconds).unwrap_or(0)
}
