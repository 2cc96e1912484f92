//! KRB-SAFE, KRB-PRIV, KRB-CRED and KRB-ERROR (RFC 4120 §5.6 to §5.9).

use orthros_wire::der::{GeneralString, KerberosTime, Raw};
use orthros_wire::sequence;

use super::basic::{Checksum, EncryptedData, EncryptionKey, HostAddress, PrincipalName, TicketFlags};
use super::ticket::Ticket;

sequence! {
    /// Data to be protected by a checksum.
    pub struct KrbSafeBody<'a> {
        /// The data.
        0 => user_data: &'a [u8],
        /// The sender's time.
        1 => timestamp: Option<KerberosTime>,
        /// Its microseconds.
        2 => usec: Option<i32>,
        /// The sequence number.
        3 => seq_number: Option<u32>,
        /// The sender's address.
        4 => s_address: HostAddress<'a>,
        /// The recipient's address.
        5 => r_address: Option<HostAddress<'a>>,
    }
}

sequence! {
    /// Data and their checksum.
    pub struct KrbSafe<'a> [APPLICATION 20] {
        /// 5.
        0 => pvno: i32,
        /// 20.
        1 => msg_type: i32,
        /// The body; the checksum covers these very octets.
        2 => safe_body: Raw<'a, KrbSafeBody<'a>>,
        /// The checksum.
        3 => cksum: Checksum<'a>,
    }
}

sequence! {
    /// Sealed data.
    pub struct KrbPriv<'a> [APPLICATION 21] {
        /// 5.
        0 => pvno: i32,
        /// 21.
        1 => msg_type: i32,
        /// An [`EncKrbPrivPart`] in the session key.
        3 => enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// The sealed part of a [`KrbPriv`].
    pub struct EncKrbPrivPart<'a> [APPLICATION 28] {
        /// The data.
        0 => user_data: &'a [u8],
        /// The sender's time.
        1 => timestamp: Option<KerberosTime>,
        /// Its microseconds.
        2 => usec: Option<i32>,
        /// The sequence number.
        3 => seq_number: Option<u32>,
        /// The sender's address.
        4 => s_address: HostAddress<'a>,
        /// The recipient's address.
        5 => r_address: Option<HostAddress<'a>>,
    }
}

sequence! {
    /// Tickets and their session keys on the way to another host (delegation).
    pub struct KrbCred<'a> [APPLICATION 22] {
        /// 5.
        0 => pvno: i32,
        /// 22.
        1 => msg_type: i32,
        /// The tickets.
        2 => tickets: Vec<Raw<'a, Ticket<'a>>>,
        /// An [`EncKrbCredPart`].
        3 => enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// What belongs to one ticket of a [`KrbCred`].
    pub struct KrbCredInfo<'a> {
        /// The session key.
        0 => key: EncryptionKey<'a>,
        /// The client's realm.
        1 => prealm: Option<GeneralString<'a>>,
        /// The client's name.
        2 => pname: Option<PrincipalName<'a>>,
        /// The ticket's flags.
        3 => flags: Option<TicketFlags>,
        /// When the client authenticated itself.
        4 => authtime: Option<KerberosTime>,
        /// When validity begins.
        5 => starttime: Option<KerberosTime>,
        /// When validity ends.
        6 => endtime: Option<KerberosTime>,
        /// How long it may be renewed.
        7 => renew_till: Option<KerberosTime>,
        /// The server's realm.
        8 => srealm: Option<GeneralString<'a>>,
        /// The server's name.
        9 => sname: Option<PrincipalName<'a>>,
        /// Addresses in the ticket.
        10 => caddr: Option<Vec<HostAddress<'a>>>,
    }
}

sequence! {
    /// The sealed part of a [`KrbCred`].
    pub struct EncKrbCredPart<'a> [APPLICATION 29] {
        /// One for each ticket, in the same order.
        0 => ticket_info: Vec<KrbCredInfo<'a>>,
        /// The nonce, where one was asked for.
        1 => nonce: Option<u32>,
        /// The sender's time.
        2 => timestamp: Option<KerberosTime>,
        /// Its microseconds.
        3 => usec: Option<i32>,
        /// The sender's address.
        4 => s_address: Option<HostAddress<'a>>,
        /// The recipient's address.
        5 => r_address: Option<HostAddress<'a>>,
    }
}

sequence! {
    /// A refusal. Nothing in it is authentic.
    pub struct KrbError<'a> [APPLICATION 30] {
        /// 5.
        0 => pvno: i32,
        /// 30.
        1 => msg_type: i32,
        /// The client's time, where known.
        2 => ctime: Option<KerberosTime>,
        /// Its microseconds.
        3 => cusec: Option<i32>,
        /// The server's time.
        4 => stime: KerberosTime,
        /// Its microseconds.
        5 => susec: i32,
        /// What went wrong; see [`error_code`](crate::error_code).
        6 => error_code: i32,
        /// The client's realm.
        7 => crealm: Option<GeneralString<'a>>,
        /// The client's name.
        8 => cname: Option<PrincipalName<'a>>,
        /// The server's realm.
        9 => realm: GeneralString<'a>,
        /// The server's name.
        10 => sname: PrincipalName<'a>,
        /// Text for people.
        11 => e_text: Option<GeneralString<'a>>,
        /// Data whose kind the code determines.
        12 => e_data: Option<&'a [u8]>,
    }
}

sequence! {
    /// One element of TYPED-DATA (§5.9.1), which some errors carry in `e_data` as a `Vec` of these.
    pub struct TypedData<'a> {
        /// What the value is; numbers as of pre-authentication data.
        0 => data_type: i32,
        /// The value.
        1 => data_value: Option<&'a [u8]>,
    }
}
