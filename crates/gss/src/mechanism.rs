//! The mechanisms, each as one row that describes itself (RFC 5587, RFC 5801 §10).
//!
//! Who asks what a mechanism is, can do, or is called, asks this table; nothing about a mechanism is said in a
//! second place. [`attribute`] holds what can be said of mechanisms in general.

pub mod attribute;

use orthros_wire::Oid;
use orthros_wire::der::{DerWriter, Encode};
use sha1::{Digest, Sha1};

use crate::name::name_type;
pub use attribute::Attribute;

/// A mechanism.
#[derive(Debug)]
#[non_exhaustive]
pub struct Mechanism {
    /// Its identifier, which tokens bear.
    pub oid: Oid,
    /// Identifiers that callers may still use for it, and that no token bears.
    pub deprecated: &'static [Oid],
    /// Further identifiers under which peers offer it in a negotiation (RFC 4178), and nowhere else.
    pub negotiated_as: &'static [Oid],
    /// Its short name, as SASL programs show it.
    pub name: &'static str,
    /// One line on it, for people.
    pub description: &'static str,
    /// Its registered SASL name without channel binding; `None`: the name is [computed](computed_sasl_name).
    pub registered_sasl_name: Option<&'static str>,
    /// The types of names that it takes (`gss_inquire_names_for_mech`).
    pub name_types: &'static [Oid],
    /// What it offers (RFC 5587 §3.3).
    pub attributes: &'static [Oid],
}

/// 1.2.840.113554.1.2.2 (RFC 1964 §1).
pub const KRB5_OID: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2]);

/// 1.3.6.1.5.2.5 (draft-ietf-kitten-iakerb §1).
pub const IAKERB_OID: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 2, 5]);

/// 1.3.6.1.5.5.2 (RFC 4178 §1).
pub const SPNEGO_OID: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 5, 2]);

/// Every mechanism, the preferred one first.
pub static MECHANISMS: [&Mechanism; 3] = [&KRB5, &IAKERB, &SPNEGO];

/// Kerberos V5 (RFC 1964, RFC 4121).
pub static KRB5: Mechanism = Mechanism {
    oid: KRB5_OID,
    // 1.3.5.1.5.2, from drafts before RFC 1964.
    deprecated: &[Oid::from_static(&[0x2b, 5, 1, 5, 2])],
    // 1.2.840.48018.1.2.2: Windows 2000 lost a bit of one arc, and its successors still offer both.
    negotiated_as: &[Oid::from_static(&[0x2a, 0x86, 0x48, 0x82, 0xf7, 0x12, 1, 2, 2])],
    name: "krb5",
    description: "Kerberos V5",
    registered_sasl_name: Some("GS2-KRB5"),
    name_types: &[
        name_type::USER_NAME,
        name_type::MACHINE_UID,
        name_type::STRING_UID,
        name_type::HOSTBASED_SERVICE,
        name_type::HOSTBASED_SERVICE_X,
        name_type::EXPORTED,
        name_type::KRB5_PRINCIPAL,
        name_type::COMPOSITE_EXPORTED,
        name_type::ANONYMOUS,
        name_type::ENTERPRISE,
    ],
    attributes: &[
        attribute::MECH_CONCRETE,
        attribute::ITOK_FRAMED,
        attribute::AUTH_INIT,
        attribute::AUTH_TARG,
        attribute::DELEG_CRED,
        attribute::INTEG_PROT,
        attribute::CONF_PROT,
        attribute::MIC,
        attribute::WRAP,
        attribute::PROT_READY,
        attribute::REPLAY_DET,
        attribute::OOS_DET,
        attribute::CBINDINGS,
        attribute::CTX_TRANS,
    ],
};

/// Kerberos where the acceptor carries the initiator's messages to the KDC (draft-ietf-kitten-iakerb). The contexts that
/// it brings up are as Kerberos' own.
pub static IAKERB: Mechanism = Mechanism {
    oid: IAKERB_OID,
    deprecated: &[],
    negotiated_as: &[],
    name: "iakerb",
    description: "Kerberos V5, with the acceptor between initiator and KDC",
    registered_sasl_name: Some("GS2-IAKERB"),
    name_types: KRB5.name_types,
    attributes: &[
        attribute::MECH_CONCRETE,
        attribute::NOT_DFLT_MECH,
        attribute::ITOK_FRAMED,
        attribute::AUTH_INIT,
        attribute::AUTH_TARG,
        attribute::AUTH_INIT_INIT,
        attribute::DELEG_CRED,
        attribute::INTEG_PROT,
        attribute::CONF_PROT,
        attribute::MIC,
        attribute::WRAP,
        attribute::PROT_READY,
        attribute::REPLAY_DET,
        attribute::OOS_DET,
        attribute::CBINDINGS,
        attribute::CTX_TRANS,
    ],
};

/// The negotiation of a mechanism (RFC 4178). The contexts that it brings up are of the mechanism agreed on.
pub static SPNEGO: Mechanism = Mechanism {
    oid: SPNEGO_OID,
    deprecated: &[],
    negotiated_as: &[],
    name: "spnego",
    description: "Simple and Protected GSS-API Negotiation Mechanism",
    registered_sasl_name: Some("SPNEGO"),
    name_types: KRB5.name_types,
    attributes: &[attribute::MECH_NEGO, attribute::ITOK_FRAMED],
};

/// Rows are told apart by their identifiers.
impl PartialEq for Mechanism {
    fn eq(&self, other: &Self) -> bool {
        self.oid == other.oid
    }
}

impl Eq for Mechanism {}

impl Mechanism {
    /// Its SASL name without channel binding (`gss_inquire_saslname_for_mech`, RFC 5801 §10.1).
    pub fn sasl_name(&self) -> String {
        self.registered_sasl_name.map_or_else(|| computed_sasl_name(&self.oid), str::to_owned)
    }

    /// Its SASL name with channel binding, if it binds channels (RFC 5801 §3.1).
    pub fn sasl_name_plus(&self) -> Option<String> {
        self.attributes.contains(&attribute::CBINDINGS).then(|| self.sasl_name() + PLUS)
    }

    /// What it offers under this identifier (`gss_inquire_attrs_for_mech`): a deprecated one says so.
    pub fn attributes_as(&self, oid: &Oid) -> Vec<Oid> {
        let deprecated = self.deprecated.contains(oid).then_some(attribute::DEPRECATED);
        self.attributes.iter().cloned().chain(deprecated).collect()
    }
}

/// The alphabet of RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the name of a SASL mechanism that binds the channel ends in.
const PLUS: &str = "-PLUS";

/// The mechanism of this identifier, deprecated ones included.
///
/// ```
/// use orthros_gss::mechanism;
/// let krb5 = mechanism::find(&"1.2.840.113554.1.2.2".parse()?).ok_or("no krb5")?;
/// assert_eq!((krb5.name, krb5.sasl_name().as_str()), ("krb5", "GS2-KRB5"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn find(oid: &Oid) -> Option<&'static Mechanism> {
    MECHANISMS.into_iter().find(|row| row.oid == *oid || row.deprecated.contains(oid))
}

/// The mechanism of a SASL name, and whether the name asks for channel binding
/// (`gss_inquire_mech_for_saslname`, RFC 5801 §10.2). Registered and computed names are both understood.
pub fn for_sasl_name(name: &str) -> Option<(&'static Mechanism, bool)> {
    let (plain, binds) = match name.strip_suffix(PLUS) {
        Some(plain) => (plain, true),
        None => (name, false),
    };
    let row = MECHANISMS
        .into_iter()
        .find(|row| row.registered_sasl_name == Some(plain) || computed_sasl_name(&row.oid) == plain)?;
    (!binds || row.sasl_name_plus().is_some()).then_some((row, binds))
}

/// The SASL name that belongs to a mechanism without a registered one: `GS2-` and the first 55 bits of the
/// SHA-1 of the identifier's DER in base 32 (RFC 5801 §3.1).
///
/// ```
/// let spkm1 = "1.3.6.1.5.5.1.1".parse()?;
/// assert_eq!(orthros_gss::mechanism::computed_sasl_name(&spkm1), "GS2-DT4PIK22T6A");
/// # Ok::<(), orthros_wire::oid::BadOid>(())
/// ```
pub fn computed_sasl_name(oid: &Oid) -> String {
    let mut der = DerWriter::default();
    oid.encode(&mut der);
    let hash: [u8; 20] = Sha1::digest(der.finish()).into();
    let [h0, h1, h2, h3, h4, h5, h6, ..] = hash;
    let bits = u64::from_be_bytes([0, h0, h1, h2, h3, h4, h5, h6]) >> 1;
    // 55 bits are eleven letters of five bits each (RFC 4648 §6).
    let letters = (0..11).rev().filter_map(|place| {
        let group = usize::try_from((bits >> (5 * place)) & 0x1f).ok()?;
        BASE32.get(group).copied().map(char::from)
    });
    ["GS2-".to_owned(), letters.collect()].concat()
}

/// The mechanisms that take names of this type (`gss_inquire_mechs_for_name`).
pub fn for_name_type(name_type: &Oid) -> Vec<&'static Mechanism> {
    MECHANISMS.into_iter().filter(|row| row.name_types.contains(name_type)).collect()
}

/// The mechanisms that offer all of `desired` and none of `except`, and know all of `critical`
/// (`gss_indicate_mechs_by_attrs`, RFC 5587 §3.4.2). With empty sets: all mechanisms.
pub fn by_attributes(desired: &[Oid], except: &[Oid], critical: &[Oid]) -> Vec<&'static Mechanism> {
    if !critical.iter().all(|oid| attribute::find(oid).is_some()) {
        return Vec::new();
    }
    let offers = |row: &Mechanism, oid: &Oid| row.attributes.contains(oid);
    MECHANISMS
        .into_iter()
        .filter(|row| desired.iter().all(|oid| offers(row, oid)))
        .filter(|row| !except.iter().any(|oid| offers(row, oid)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(text: &str) -> Oid {
        text.parse().unwrap()
    }

    #[test]
    fn a_computed_name_follows_the_examples_of_the_drafts_of_gs2() {
        assert_eq!(computed_sasl_name(&oid("1.3.6.1.5.5.1.1")), "GS2-DT4PIK22T6A");
        assert_eq!(computed_sasl_name(&KRB5_OID), "GS2-QLJHGJLWNPL");
    }

    #[test]
    fn a_sasl_name_finds_its_mechanism_and_nothing_else_does() {
        let found = |name| for_sasl_name(name).map(|(row, binds)| (row.name, binds));
        assert_eq!(found("GS2-KRB5"), Some(("krb5", false)));
        assert_eq!(found("GS2-KRB5-PLUS"), Some(("krb5", true)));
        assert_eq!(found("GS2-QLJHGJLWNPL"), Some(("krb5", false)));
        assert_eq!(KRB5.sasl_name_plus().as_deref(), Some("GS2-KRB5-PLUS"));
        assert_eq!(found("GS2-IAKERB"), Some(("iakerb", false)));
        for name in ["", "-PLUS", "GS2-", "gs2-krb5", "GS2-KRB5-PLUS-PLUS", "GSSAPI", "GS2-DT4PIK22T6A"] {
            assert_eq!(found(name), None, "{name}");
        }
    }

    #[test]
    fn a_deprecated_identifier_finds_the_mechanism_and_says_what_it_is() {
        let old = oid("1.3.5.1.5.2");
        assert_eq!(find(&old).map(|row| row.name), Some("krb5"));
        assert!(KRB5.attributes_as(&old).contains(&attribute::DEPRECATED));
        assert!(!KRB5.attributes_as(&KRB5_OID).contains(&attribute::DEPRECATED));
        assert!(find(&oid("1.2.840.48018.1.2.2")).is_none(), "for negotiations only");
        assert_eq!(KRB5.negotiated_as, [oid("1.2.840.48018.1.2.2")]);
    }

    #[test]
    fn mechanisms_are_told_by_what_they_offer_lack_and_know() {
        let names = |desired: &[Oid], except: &[Oid], critical: &[Oid]| {
            by_attributes(desired, except, critical).iter().map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&[], &[], &[]), ["krb5", "iakerb", "spnego"]);
        assert_eq!(
            names(&[attribute::MIC, attribute::CBINDINGS], &[attribute::PFS], &[]),
            ["krb5", "iakerb"]
        );
        assert!(names(&[attribute::MIC, attribute::PFS], &[], &[]).is_empty());
        assert_eq!(names(&[], &[attribute::CONF_PROT], &[]), ["spnego"]);
        assert_eq!(names(&[], &[], &[attribute::PFS]), ["krb5", "iakerb", "spnego"], "known, if not offered");
        assert!(names(&[], &[], &[oid("1.3.6.1.5.5.13.99")]).is_empty());
    }

    #[test]
    fn every_attribute_stands_at_its_number() {
        for (row, number) in attribute::ATTRIBUTES.iter().zip(1..) {
            assert_eq!(row.oid, oid(&format!("1.3.6.1.5.5.13.{number}")), "{}", row.name);
        }
        assert!(MECHANISMS.iter().flat_map(|row| row.attributes).all(|oid| attribute::find(oid).is_some()));
    }
}
