//! KDC requests and replies (RFC 4120 §5.4).

use orthros_wire::der::{
    AnyTlv, Decode, DerError, DerReader, DerWriter, Encode, GeneralString, KerberosTime, Raw, Tag,
};
use orthros_wire::sequence;

use super::basic::{EncryptedData, EncryptionKey, HostAddress, KdcOptions, PrincipalName, TicketFlags};
use super::preauth::PaData;
use super::ticket::Ticket;

sequence! {
    /// What is asked of the KDC.
    pub struct KdcReqBody<'a> {
        /// Options.
        0 => kdc_options: KdcOptions,
        /// The client, in an AS-REQ.
        1 => cname: Option<PrincipalName<'a>>,
        /// The server's realm; in an AS-REQ also the client's.
        2 => realm: GeneralString<'a>,
        /// The server.
        3 => sname: Option<PrincipalName<'a>>,
        /// Wanted begin.
        4 => from: Option<KerberosTime>,
        /// Wanted end.
        5 => till: KerberosTime,
        /// Wanted end of renewal.
        6 => rtime: Option<KerberosTime>,
        /// A number that the reply must repeat.
        7 => nonce: u32,
        /// Enctypes, best first.
        8 => etype: Vec<i32>,
        /// Addresses for the ticket.
        9 => addresses: Option<Vec<HostAddress<'a>>>,
        /// AuthorizationData, encrypted; in a TGS-REQ.
        10 => enc_authorization_data: Option<EncryptedData<'a>>,
        /// Tickets for user-to-user and S4U.
        11 => additional_tickets: Option<Vec<Raw<'a, Ticket<'a>>>>,
    }
}

sequence! {
    /// The fields that AS-REQ and TGS-REQ share.
    pub struct KdcReq<'a> {
        /// 5.
        1 => pvno: i32,
        /// 10 or 12.
        2 => msg_type: i32,
        /// Pre-authentication data.
        3 => padata: Option<Vec<PaData<'a>>>,
        /// The body; its octets are kept, for a checksum covers them.
        4 => req_body: Raw<'a, KdcReqBody<'a>>,
    }
}

sequence! {
    /// The fields that AS-REP and TGS-REP share.
    pub struct KdcRep<'a> {
        /// 5.
        0 => pvno: i32,
        /// 11 or 13.
        1 => msg_type: i32,
        /// Pre-authentication data.
        2 => padata: Option<Vec<PaData<'a>>>,
        /// The client's realm, unauthenticated.
        3 => crealm: GeneralString<'a>,
        /// The client's name, unauthenticated.
        4 => cname: PrincipalName<'a>,
        /// The ticket, to be kept as it came.
        5 => ticket: Raw<'a, Ticket<'a>>,
        /// An [`EncKdcRepPart`] in the client's, the session's or the subsession key.
        6 => enc_part: EncryptedData<'a>,
    }
}

sequence! {
    /// When something was last requested (§5.4.2).
    pub struct LastReq {
        /// What; 0: nothing is known.
        0 => lr_type: i32,
        /// When.
        1 => lr_value: KerberosTime,
    }
}

sequence! {
    /// The fields that EncASRepPart and EncTGSRepPart share.
    pub struct EncKdcRepPart<'a> {
        /// The session key.
        0 => key: EncryptionKey<'a>,
        /// Last requests.
        1 => last_req: Vec<LastReq>,
        /// The request's nonce.
        2 => nonce: u32,
        /// When the client's key expires.
        3 => key_expiration: Option<KerberosTime>,
        /// The ticket's flags.
        4 => flags: TicketFlags,
        /// When the client authenticated itself.
        5 => authtime: KerberosTime,
        /// When validity begins; absent: at `authtime`.
        6 => starttime: Option<KerberosTime>,
        /// When validity ends.
        7 => endtime: KerberosTime,
        /// How long it may be renewed.
        8 => renew_till: Option<KerberosTime>,
        /// The server's realm, authentic.
        9 => srealm: GeneralString<'a>,
        /// The server's name, authentic.
        10 => sname: PrincipalName<'a>,
        /// Addresses in the ticket.
        11 => caddr: Option<Vec<HostAddress<'a>>>,
        /// Encrypted pre-authentication data (RFC 6806 §11).
        12 => encrypted_pa_data: Option<Vec<PaData<'a>>>,
    }
}

/// Declares messages that are a shared SEQUENCE under one of two application tags.
macro_rules! tagged {
    ($($(#[$meta:meta])* $name:ident($inner:ident) = $number:literal;)*) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub $inner<'a>);

        impl<'a> Decode<'a> for $name<'a> {
            fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
                $inner::from_der(reader.expect(Tag::application($number))?).map(Self)
            }
        }

        impl Encode for $name<'_> {
            fn encode(&self, writer: &mut DerWriter) {
                writer.value(Tag::application($number), |writer| self.0.encode(writer));
            }
        }
    )* };
}

tagged! {
    /// A request for an initial ticket.
    AsReq(KdcReq) = 10;
    /// The answer to an [`AsReq`].
    AsRep(KdcRep) = 11;
    /// A request for a ticket by means of a ticket.
    TgsReq(KdcReq) = 12;
    /// The answer to a [`TgsReq`].
    TgsRep(KdcRep) = 13;
    /// The encrypted part of an [`AsRep`].
    EncAsRepPart(EncKdcRepPart) = 25;
    /// The encrypted part of a [`TgsRep`].
    EncTgsRepPart(EncKdcRepPart) = 26;
}

/// Which message a request or reply is (§7.5.7); also the number of its application tag.
pub mod msg_type {
    /// AS-REQ.
    pub const AS_REQ: i32 = 10;
    /// AS-REP.
    pub const AS_REP: i32 = 11;
    /// TGS-REQ.
    pub const TGS_REQ: i32 = 12;
    /// TGS-REP.
    pub const TGS_REP: i32 = 13;
    /// AP-REQ.
    pub const AP_REQ: i32 = 14;
    /// AP-REP.
    pub const AP_REP: i32 = 15;
    /// KRB-SAFE.
    pub const KRB_SAFE: i32 = 20;
    /// KRB-PRIV.
    pub const KRB_PRIV: i32 = 21;
    /// KRB-CRED.
    pub const KRB_CRED: i32 = 22;
    /// KRB-ERROR.
    pub const KRB_ERROR: i32 = 30;
}

/// The application tag's number of a message, if it bears one.
pub fn application_number(message: &[u8]) -> Option<i32> {
    let tag = *message.first()?;
    (tag & 0xe0 == 0x60).then(|| i32::from(tag & 0x1f))
}

/// Reads the part of a KDC reply that was encrypted. Some KDCs write the tag of EncTGSRepPart in an AS-REP
/// (§5.4.2 asks clients to take either).
///
/// # Errors
/// [`DerError`] if it is neither.
pub fn decode_enc_kdc_rep_part(plain: &[u8]) -> Result<EncKdcRepPart<'_>, DerError> {
    // Block ciphers of old enctypes pad the plain text; only the first value counts.
    let AnyTlv(value) = AnyTlv::decode(&mut DerReader::new(plain))?;
    match EncAsRepPart::from_der(value) {
        Ok(part) => Ok(part.0),
        Err(_) => EncTgsRepPart::from_der(value).map(|part| part.0),
    }
}
