//! Key usage numbers: what a derived key is for. RFC 4120 §7.5.1, RFC 4121 §2.
//!
//! A message sealed for one use does not open under another, so a ticket can't pass for an authenticator.

use std::fmt;

/// What a key is derived for. The number enters the derivation (RFC 3961 §5.3, RFC 8009 §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct KeyUsage(pub u32);

impl KeyUsage {
    /// PA-ENC-TIMESTAMP of an AS-REQ, with the client's long-term key.
    pub const AS_REQ_PA_ENC_TIMESTAMP: Self = Self(1);
    /// The encrypted part of a ticket, with the service's long-term key.
    pub const TICKET: Self = Self(2);
    /// The encrypted part of an AS-REP, with the client's long-term key.
    pub const AS_REP_ENC_PART: Self = Self(3);
    /// Authorization data in the body of a TGS-REQ, with the session key.
    pub const TGS_REQ_AUTHORIZATION_DATA_SESSION_KEY: Self = Self(4);
    /// Authorization data in the body of a TGS-REQ, with the authenticator's subkey.
    pub const TGS_REQ_AUTHORIZATION_DATA_SUBKEY: Self = Self(5);
    /// Checksum of the body of a TGS-REQ, in the authenticator, with the session key.
    pub const TGS_REQ_AUTHENTICATOR_CHECKSUM: Self = Self(6);
    /// Authenticator of a TGS-REQ, with the session key.
    pub const TGS_REQ_AUTHENTICATOR: Self = Self(7);
    /// The encrypted part of a TGS-REP, with the session key.
    pub const TGS_REP_ENC_PART_SESSION_KEY: Self = Self(8);
    /// The encrypted part of a TGS-REP, with the authenticator's subkey.
    pub const TGS_REP_ENC_PART_SUBKEY: Self = Self(9);
    /// Checksum in the authenticator of an AP-REQ, with the session key.
    pub const AP_REQ_AUTHENTICATOR_CHECKSUM: Self = Self(10);
    /// Authenticator of an AP-REQ, with the session key.
    pub const AP_REQ_AUTHENTICATOR: Self = Self(11);
    /// The encrypted part of an AP-REP, with the session key.
    pub const AP_REP_ENC_PART: Self = Self(12);
    /// The encrypted part of a KRB-PRIV.
    pub const KRB_PRIV: Self = Self(13);
    /// The encrypted part of a KRB-CRED.
    pub const KRB_CRED: Self = Self(14);
    /// Checksum of a KRB-SAFE.
    pub const KRB_SAFE: Self = Self(15);
    /// Checksums that applications make; also that of PA-FOR-USER (MS-SFU §2.2.1).
    pub const APPLICATION_CHECKSUM: Self = Self(17);
    /// Checksum of AD-KDC-ISSUED.
    pub const AD_KDC_ISSUED_CHECKSUM: Self = Self(19);
    /// Sealed per-message tokens of the acceptor (RFC 4121 §2).
    pub const ACCEPTOR_SEAL: Self = Self(22);
    /// Signed per-message tokens of the acceptor (RFC 4121 §2).
    pub const ACCEPTOR_SIGN: Self = Self(23);
    /// Sealed per-message tokens of the initiator (RFC 4121 §2).
    pub const INITIATOR_SEAL: Self = Self(24);
    /// Signed per-message tokens of the initiator (RFC 4121 §2).
    pub const INITIATOR_SIGN: Self = Self(25);
    /// Checksum of PA-S4U-X509-USER in a TGS-REQ, with the authenticator's subkey (MS-SFU §2.2.2).
    pub const S4U_X509_USER_REQUEST: Self = Self(26);
    /// Checksum of PA-S4U-X509-USER in a TGS-REP, with the authenticator's subkey (MS-SFU §2.2.2).
    pub const S4U_X509_USER_REPLY: Self = Self(27);
    /// The checksum of an AS-REQ that its reply repeats (RFC 6806 §11).
    pub const AS_REQ: Self = Self(56);
    /// Checksums of AD-CAMMAC (RFC 7751 §4).
    pub const CAMMAC: Self = Self(64);
    /// `usage | purpose`, the constant from which keys are derived.
    pub(crate) const fn constant(self, purpose: u8) -> [u8; 5] {
        let [a, b, c, d] = self.0.to_be_bytes();
        [a, b, c, d, purpose]
    }
}

impl fmt::Display for KeyUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key usage {}", self.0)
    }
}

/// Last octet of the derivation constant for keys that encrypt (RFC 3961 §5.3).
pub(crate) const ENCRYPT: u8 = 0xaa;
/// Last octet of the derivation constant for keys that protect the integrity of encrypted messages.
pub(crate) const INTEGRITY: u8 = 0x55;
/// Last octet of the derivation constant for keys that make checksums.
pub(crate) const CHECKSUM: u8 = 0x99;
