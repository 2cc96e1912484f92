//! Names, addresses, flags, encrypted data, keys and checksums (RFC 4120 §5.2).

use std::fmt;

use orthros_wire::der::{AnyTlv, Decode, DerError, DerReader, DerWriter, Encode, GeneralString, Raw, Tag};
use orthros_wire::sequence;

sequence! {
    /// The components of a name, and what kind of name they are (§5.2.2).
    pub struct PrincipalName<'a> {
        /// The kind; advice only.
        0 => name_type: i32,
        /// The components.
        1 => components: Vec<GeneralString<'a>>,
    }
}

sequence! {
    /// A host's address (§5.2.5).
    pub struct HostAddress<'a> {
        /// 2: IPv4, 24: IPv6, 20: NetBIOS.
        0 => addr_type: i32,
        /// The address in network order.
        1 => address: &'a [u8],
    }
}

sequence! {
    /// One element of authorization data (§5.2.6).
    pub struct AuthorizationElement<'a> {
        /// What the data are.
        0 => ad_type: i32,
        /// The data, most often DER.
        1 => ad_data: &'a [u8],
    }
}

sequence! {
    /// AD-KDCIssued: elements that the KDC vouches for by a checksum in the session key (§5.2.6.2).
    pub struct AdKdcIssued<'a> {
        /// Over the elements; key usage 19.
        0 => ad_checksum: Checksum<'a>,
        /// Who issued them, if not the KDC itself: the realm.
        1 => i_realm: Option<GeneralString<'a>>,
        /// The issuer's name.
        2 => i_sname: Option<PrincipalName<'a>>,
        /// The elements; their octets are kept, for the checksum covers them.
        3 => elements: Raw<'a, Vec<AuthorizationElement<'a>>>,
    }
}

sequence! {
    /// AD-CAMMAC: elements that the KDC vouches for by several keys (RFC 7751 §3).
    pub struct AdCammac<'a> {
        /// The elements; their octets are kept, for the checksums cover them.
        0 => elements: Raw<'a, Vec<AuthorizationElement<'a>>>,
        /// For the KDC itself.
        1 => kdc_verifier: Option<VerifierMac<'a>>,
        /// For the service; key usage 64.
        2 => svc_verifier: Option<VerifierMac<'a>>,
        /// For others.
        3 => other_verifiers: Option<AnyTlv<'a>>,
    }
}

sequence! {
    /// A checksum of an [`AdCammac`], and whose key made it.
    pub struct VerifierMac<'a> {
        /// Whose key, if the place does not tell.
        0 => identifier: Option<PrincipalName<'a>>,
        /// The key's version.
        1 => kvno: Option<u32>,
        /// The key's enctype.
        2 => enctype: Option<i32>,
        /// The checksum.
        3 => mac: Checksum<'a>,
    }
}

sequence! {
    /// AD-AND-OR: so many of the elements must hold (§5.2.6.3).
    pub struct AdAndOr<'a> {
        /// How many.
        0 => condition_count: i32,
        /// The elements.
        1 => elements: Vec<AuthorizationElement<'a>>,
    }
}

sequence! {
    /// Octets encrypted in a key that is known from elsewhere (§5.2.9).
    pub struct EncryptedData<'a> {
        /// Which enctype.
        0 => etype: i32,
        /// The version of the long-term key; absent for session keys.
        1 => kvno: Option<u32>,
        /// Confounder, content and integrity tag, sealed.
        2 => cipher: &'a [u8],
    }
}

sequence! {
    /// A key on its way inside an encrypted part (§5.2.9).
    pub struct EncryptionKey<'a> {
        /// The enctype that the key is for.
        0 => keytype: i32,
        /// The key's octets.
        1 => keyvalue: SecretOctets<'a>,
    }
}

sequence! {
    /// A checksum and its kind (§5.2.9).
    pub struct Checksum<'a> {
        /// The kind of checksum.
        0 => cksumtype: i32,
        /// The checksum's octets.
        1 => checksum: &'a [u8],
    }
}

/// An OCTET STRING that is secret: not printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretOctets<'a>(pub &'a [u8]);

impl fmt::Debug for SecretOctets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretOctets(..)")
    }
}

impl<'a> Decode<'a> for SecretOctets<'a> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        <&[u8]>::decode(reader).map(Self)
    }
}

impl Encode for SecretOctets<'_> {
    fn encode(&self, writer: &mut DerWriter) {
        self.0.encode(writer);
    }
}

/// Declares a set of KerberosFlags (§5.2.8): bit 0 is the most significant of 32.
macro_rules! flags {
    ($(#[$meta:meta])* $name:ident { $($(#[$flag_meta:meta])* $flag:ident = $bit:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $($(#[$flag_meta])* pub const $flag: Self = Self(1 << (31 - $bit));)*

            const NAMES: &'static [(Self, &'static str)] = &[$((Self::$flag, stringify!($flag)),)*];

            /// Whether all flags of `other` are set here.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// These flags, and `flag` set or cleared as `on` says.
            #[must_use]
            pub const fn with(self, flag: Self, on: bool) -> Self {
                if on { Self(self.0 | flag.0) } else { Self(self.0 & !flag.0) }
            }

            /// The names of the flags that are set, in the RFC's order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMES.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_set().entries(self.names()).finish()
            }
        }

        impl Decode<'_> for $name {
            fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
                decode_flags(reader).map(Self)
            }
        }

        impl Encode for $name {
            fn encode(&self, writer: &mut DerWriter) {
                encode_flags(self.0, writer);
            }
        }
    };
}

/// Takes a BIT STRING of any length, as old peers send short ones; bits past the 32nd have no meaning yet.
fn decode_flags(reader: &mut DerReader<'_>) -> Result<u32, DerError> {
    let (&unused, bits) =
        reader.expect(Tag::BIT_STRING)?.split_first().ok_or(DerError::Value("KerberosFlags"))?;
    if unused > 7 || (bits.is_empty() && unused > 0) {
        return Err(DerError::Value("KerberosFlags"));
    }
    let mut first = [0_u8; 4];
    first.iter_mut().zip(bits).for_each(|(place, octet)| *place = *octet);
    // The unused bits of the last octet are no flags, whatever a peer leaves in them.
    let used = (bits.len() * 8).saturating_sub(usize::from(unused)).min(32);
    let mask = u64::from(u32::MAX) << (32 - used);
    Ok(u32::from_be_bytes(first) & u32::try_from(mask & u64::from(u32::MAX)).unwrap_or(u32::MAX))
}

fn encode_flags(flags: u32, writer: &mut DerWriter) {
    writer.value(Tag::BIT_STRING, |writer| {
        writer.octets(&[0]);
        writer.octets(&flags.to_be_bytes());
    });
}

flags! {
    /// What a ticket is good for (§5.3).
    TicketFlags {
        /// The ticket-granting ticket may be exchanged for one with other addresses.
        FORWARDABLE = 1,
        /// This ticket was forwarded, or comes from one that was.
        FORWARDED = 2,
        /// Tickets with other addresses may be had, except ticket-granting ones.
        PROXIABLE = 3,
        /// This ticket is a proxy.
        PROXY = 4,
        /// May be postdated.
        MAY_POSTDATE = 5,
        /// Was postdated.
        POSTDATED = 6,
        /// Must be validated by the KDC before use.
        INVALID = 7,
        /// May be renewed until renew-till.
        RENEWABLE = 8,
        /// Was issued by the AS exchange.
        INITIAL = 9,
        /// The client proved knowledge of its key.
        PRE_AUTHENT = 10,
        /// The client used hardware.
        HW_AUTHENT = 11,
        /// The KDC has checked the transited realms.
        TRANSITED_POLICY_CHECKED = 12,
        /// The KDC holds that credentials may be delegated to this server.
        OK_AS_DELEGATE = 13,
        /// The reply carries encrypted pre-authentication data (RFC 6806 §11).
        ENC_PA_REP = 15,
        /// The client is anonymous (RFC 8062).
        ANONYMOUS = 16,
    }
}

flags! {
    /// What a client asks of a KDC (§5.4.1).
    KdcOptions {
        /// Set FORWARDABLE.
        FORWARDABLE = 1,
        /// Issue a forwarded ticket.
        FORWARDED = 2,
        /// Set PROXIABLE.
        PROXIABLE = 3,
        /// Issue a proxy.
        PROXY = 4,
        /// Set MAY_POSTDATE.
        ALLOW_POSTDATE = 5,
        /// Issue a postdated ticket.
        POSTDATED = 6,
        /// Set RENEWABLE.
        RENEWABLE = 8,
        /// The client is the additional ticket's (S4U2Proxy, MS-SFU §2.2.3).
        CNAME_IN_ADDL_TKT = 14,
        /// The name may be an alias or of another realm (RFC 6806).
        CANONICALIZE = 15,
        /// Issue an anonymous ticket (RFC 8062).
        REQUEST_ANONYMOUS = 16,
        /// Do not check the transited realms.
        DISABLE_TRANSITED_CHECK = 26,
        /// A renewable ticket will do if the life asked for can't be had.
        RENEWABLE_OK = 27,
        /// Encrypt the ticket in the session key of the additional ticket.
        ENC_TKT_IN_SKEY = 28,
        /// Renew the ticket.
        RENEW = 30,
        /// Validate the postdated ticket.
        VALIDATE = 31,
    }
}

flags! {
    /// What a service asks about the user whom it impersonates (MS-SFU §2.2.2).
    S4uOptions {
        /// Check whether the user may log on at this hour.
        CHECK_LOGON_HOURS = 1,
        /// The reply's checksum is made with a key usage of its own.
        REPLY_KEY_USAGE = 2,
    }
}

flags! {
    /// What a client says about PACs in general (MS-KILE §2.2.10).
    PacOptions {
        /// Claims are wanted.
        CLAIMS = 0,
        /// The client knows branches of a domain.
        BRANCH_AWARE = 1,
        /// Only a full domain controller will do.
        FORWARD_TO_FULL_DC = 2,
        /// Delegation that the target's side allows will do (MS-SFU §2.2.5).
        RESOURCE_BASED_DELEGATION = 3,
    }
}

flags! {
    /// How an AP-REQ is to be treated (§5.5.1).
    ApOptions {
        /// The ticket is encrypted in the server's session key.
        USE_SESSION_KEY = 1,
        /// The client wants an AP-REP.
        MUTUAL_REQUIRED = 2,
    }
}

/// Numbers of authorization data (§5.2.6, §7.5.4).
pub mod ad_type {
    /// Elements that a server may ignore if it does not know them.
    pub const IF_RELEVANT: i32 = 1;
    /// Elements that the KDC vouches for by several keys (RFC 7751).
    pub const CAMMAC: i32 = 96;
    /// How the client authenticated itself (RFC 8129).
    pub const AUTHENTICATION_INDICATOR: i32 = 97;
    /// Enctypes that the client takes, in the authenticator (RFC 4537).
    pub const ETYPE_NEGOTIATION: i32 = 129;
    /// A Windows privilege attribute certificate.
    pub const WIN2K_PAC: i32 = 128;
    /// A set of flags about channel bindings (MS-KILE).
    pub const AP_OPTIONS: i32 = 143;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_any_length_are_taken() {
        assert_eq!(TicketFlags::from_der(&[3, 2, 7, 0x00]), Ok(TicketFlags(0)));
        assert_eq!(TicketFlags::from_der(&[3, 2, 6, 0x40]), Ok(TicketFlags::FORWARDABLE));
        assert_eq!(TicketFlags::from_der(&[3, 6, 0, 0x40, 0, 0, 0, 9]), Ok(TicketFlags::FORWARDABLE));
        assert_eq!(TicketFlags::from_der(&[3, 1, 0]), Ok(TicketFlags(0)));
        assert_eq!(TicketFlags::from_der(&[3, 2, 6, 0x7f]), Ok(TicketFlags::FORWARDABLE));
        assert_eq!(TicketFlags::from_der(&[3, 5, 1, 0, 0, 0, 3]), Ok(TicketFlags(2)));
        assert!(TicketFlags::from_der(&[3, 0]).is_err());
        assert!(TicketFlags::from_der(&[3, 2, 8, 0]).is_err());
        let both = TicketFlags::FORWARDABLE | TicketFlags::INITIAL;
        assert_eq!(TicketFlags::from_der(&both.to_der()), Ok(both));
        assert_eq!(format!("{both:?}"), r#"{"FORWARDABLE", "INITIAL"}"#);
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = EncryptionKey { keytype: 18, keyvalue: SecretOctets(&[0xAB; 4]) };
        assert!(!format!("{key:?}").contains("171"));
    }
}
