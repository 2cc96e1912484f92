//! Tickets and authenticators (RFC 4120 §5.3, §5.5.1).

use orthros_wire::der::{GeneralString, KerberosTime};
use orthros_wire::sequence;

use super::basic::{
    AuthorizationElement, Checksum, EncryptedData, EncryptionKey, HostAddress, PrincipalName, TicketFlags,
};

sequence! {
    /// A ticket as it travels. Only `enc_part` is authentic; the names in the clear choose a key, nothing
    /// else.
    pub struct Ticket<'a> [APPLICATION 1] {
        /// 5.
        0 => tkt_vno: i32,
        /// The server's realm, unauthenticated.
        1 => realm: GeneralString<'a>,
        /// The server's name, unauthenticated.
        2 => sname: PrincipalName<'a>,
        /// An [`EncTicketPart`] in the server's key.
        3 => enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// Which realms a ticket came through (§5.3).
    pub struct TransitedEncoding<'a> {
        /// 1: DOMAIN-X500-COMPRESS; 0 where nothing was transited.
        0 => tr_type: i32,
        /// The realms.
        1 => contents: &'a [u8],
    }
}

sequence! {
    /// What the KDC tells the server.
    pub struct EncTicketPart<'a> [APPLICATION 3] {
        /// What the ticket is good for.
        0 => flags: TicketFlags,
        /// The session key.
        1 => key: EncryptionKey<'a>,
        /// The client's realm.
        2 => crealm: GeneralString<'a>,
        /// The client's name.
        3 => cname: PrincipalName<'a>,
        /// Realms transited.
        4 => transited: TransitedEncoding<'a>,
        /// When the client authenticated itself.
        5 => authtime: KerberosTime,
        /// When validity begins; absent: at `authtime`.
        6 => starttime: Option<KerberosTime>,
        /// When validity ends.
        7 => endtime: KerberosTime,
        /// How long it may be renewed; only if RENEWABLE.
        8 => renew_till: Option<KerberosTime>,
        /// Addresses that may use it; absent: all.
        9 => caddr: Option<Vec<HostAddress<'a>>>,
        /// Restrictions and facts from the KDC.
        10 => authorization_data: Option<Vec<AuthorizationElement<'a>>>,
    }
}

sequence! {
    /// The client's fresh proof that it knows the session key.
    pub struct Authenticator<'a> [APPLICATION 2] {
        /// 5.
        0 => authenticator_vno: i32,
        /// The client's realm; must be the ticket's.
        1 => crealm: GeneralString<'a>,
        /// The client's name; must be the ticket's.
        2 => cname: PrincipalName<'a>,
        /// A checksum of application data; for the GSS-API that of RFC 4121 §4.1.1.
        3 => cksum: Option<Checksum<'a>>,
        /// Microseconds of `ctime`, 0 to 999,999.
        4 => cusec: i32,
        /// The client's time.
        5 => ctime: KerberosTime,
        /// A key of the client's choice.
        6 => subkey: Option<EncryptionKey<'a>>,
        /// The initiator's first sequence number.
        7 => seq_number: Option<u32>,
        /// Restrictions and facts from the client.
        8 => authorization_data: Option<Vec<AuthorizationElement<'a>>>,
    }
}
