//! The client-server exchange (RFC 4120 §5.5).

use orthros_wire::der::{KerberosTime, Raw};
use orthros_wire::sequence;

use super::basic::{ApOptions, EncryptedData, EncryptionKey};
use super::ticket::Ticket;

sequence! {
    /// The client's request.
    pub struct ApReq<'a> [APPLICATION 14] {
        /// 5.
        0 => pvno: i32,
        /// 14.
        1 => msg_type: i32,
        /// How it is to be treated.
        2 => ap_options: ApOptions,
        /// The ticket, as it came.
        3 => ticket: Raw<'a, Ticket<'a>>,
        /// An `Authenticator` in the session key.
        4 => authenticator: EncryptedData<'a>,
    }
}

sequence! {
    /// The server's proof that it could read the ticket.
    pub struct ApRep<'a> [APPLICATION 15] {
        /// 5.
        0 => pvno: i32,
        /// 15.
        1 => msg_type: i32,
        /// An [`EncApRepPart`] in the session key.
        2 => enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// What the server tells the client.
    pub struct EncApRepPart<'a> [APPLICATION 27] {
        /// The authenticator's time.
        0 => ctime: KerberosTime,
        /// The authenticator's microseconds.
        1 => cusec: i32,
        /// A key of the server's choice.
        2 => subkey: Option<EncryptionKey<'a>>,
        /// The acceptor's first sequence number.
        3 => seq_number: Option<u32>,
    }
}
