//! Pre-authentication data (RFC 4120 §5.2.7).

use orthros_wire::der::{GeneralString, KerberosTime};
use orthros_wire::sequence;

use super::basic::EncryptedData;

sequence! {
    /// One element of pre-authentication data. The list in an error's `e_data` (METHOD-DATA) is a `Vec` of
    /// these.
    pub struct PaData<'a> {
        /// What the value is; see [`pa_type`].
        1 => padata_type: i32,
        /// The value, most often DER.
        2 => padata_value: &'a [u8],
    }
}

sequence! {
    /// PA-ENC-TS-ENC: the client's time, encrypted in its key (§5.2.7.2).
    pub struct PaEncTsEnc {
        /// The time.
        0 => patimestamp: KerberosTime,
        /// Its microseconds, 0 to 999,999.
        1 => pausec: Option<i32>,
    }
}

sequence! {
    /// How a client's key is made from its password (§5.2.7.5); PA-ETYPE-INFO2 is a `Vec` of these.
    pub struct EtypeInfo2Entry<'a> {
        /// The enctype.
        0 => etype: i32,
        /// The salt; absent: the principal's default.
        1 => salt: Option<GeneralString<'a>>,
        /// Parameters of string-to-key.
        2 => s2kparams: Option<&'a [u8]>,
    }
}

sequence! {
    /// The older form (§5.2.7.4); PA-ETYPE-INFO is a `Vec` of these.
    pub struct EtypeInfoEntry<'a> {
        /// The enctype.
        0 => etype: i32,
        /// The salt.
        1 => salt: Option<&'a [u8]>,
    }
}

sequence! {
    /// KERB-PA-PAC-REQUEST: whether a PAC is wanted (MS-KILE §2.2.3).
    pub struct PaPacRequest {
        /// True: put one in.
        0 => include_pac: bool,
    }
}

/// PA-ENC-TIMESTAMP is plain encrypted data around a [`PaEncTsEnc`].
pub type PaEncTimestamp<'a> = EncryptedData<'a>;

/// Numbers of pre-authentication data (§7.5.2).
pub mod pa_type {
    /// The AP-REQ of a TGS-REQ.
    pub const TGS_REQ: i32 = 1;
    /// An encrypted timestamp.
    pub const ENC_TIMESTAMP: i32 = 2;
    /// A salt alone.
    pub const PW_SALT: i32 = 3;
    /// ETYPE-INFO.
    pub const ETYPE_INFO: i32 = 11;
    /// ETYPE-INFO2.
    pub const ETYPE_INFO2: i32 = 19;
    /// Whether a PAC is wanted.
    pub const PAC_REQUEST: i32 = 128;
    /// The user whom a service impersonates (MS-SFU §2.2.1).
    pub const FOR_USER: i32 = 129;
    /// The same, bound to the request (MS-SFU §2.2.2).
    pub const S4U_X509_USER: i32 = 130;
    /// An opaque cookie to be returned (RFC 6113 §5.2).
    pub const FX_COOKIE: i32 = 133;
    /// The client asks for encrypted pre-authentication data (RFC 6806 §11).
    pub const REQ_ENC_PA_REP: i32 = 149;
    /// What the client says about PACs in general (MS-KILE §2.2.10).
    pub const PAC_OPTIONS: i32 = 167;
}
