//! What a KDC says of a context's initiator beside its name (RFC 6680), as far as it vouches for it to this acceptor.
//!
//! | attribute | what it is | whose name for it |
//! |---|---|---|
//! | `auth-indicators` | how the initiator authenticated itself, a value for each indicator (RFC 8129) | MIT krb5 |
//! | `urn:mspac:` | the whole PAC (MS-PAC) | MIT krb5, Heimdal |
//! | `urn:mspac:KIND` | a buffer of it, by a name such as `logon-info` or by its number | MIT krb5, Heimdal |
//!
//! What the service's key does not vouch for is no attribute: a client may have asked its KDC to put it in. Attributes
//! that come with an exported composite name are there, and not authenticated: nothing protects the octets.
//!
//! Deliberately not here: setting attributes, which only a KDC can give; what the buffers mean, which is NDR.

use std::sync::Arc;

use orthros_krb5::Principal;
use orthros_krb5::authdata;
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::pac::{BufferKind, Pac};
use orthros_krb5::wire::ad_type;
use orthros_wire::{Reader, Truncated};

use super::{BadName, Name};
use crate::Context;

/// The name of the attribute that tells how the initiator authenticated itself.
pub const AUTH_INDICATORS: &str = "auth-indicators";
/// The name of the attribute that is the whole PAC, and the beginning of those that are a buffer of it.
pub const PAC: &str = "urn:mspac:";

/// The names of a PAC's buffers behind [`PAC`]; others have their number there.
const BUFFERS: [(BufferKind, &str); 7] = [
    (BufferKind::LOGON_INFO, "logon-info"),
    (BufferKind::CREDENTIALS_INFO, "credentials-info"),
    (BufferKind::SERVER_CHECKSUM, "server-checksum"),
    (BufferKind::PRIVSVR_CHECKSUM, "privsvr-checksum"),
    (BufferKind::CLIENT_INFO, "client-info"),
    (BufferKind::DELEGATION_INFO, "delegation-info"),
    (BufferKind::UPN_DNS_INFO, "upn-dns-info"),
];

/// The attributes of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    indicators: Vec<String>,
    pac: Option<KeptPac>,
    authenticated: bool,
}

/// Where a name has its PAC.
#[derive(Clone, Debug)]
enum KeptPac {
    Alone(Vec<u8>),
    /// The first one there. It is looked for when it is asked for: most names that contexts tell are only shown.
    Within(Arc<[TypedOctets]>),
}

impl KeptPac {
    fn octets(&self) -> Option<&[u8]> {
        let elements = match self {
            Self::Alone(octets) => return Some(octets),
            Self::Within(elements) => elements,
        };
        let mut found = None;
        for element in &**elements {
            let _ = authdata::walk(element.number, &element.octets, &mut |kind, octets| {
                if kind == ad_type::WIN2K_PAC && found.is_none() {
                    found = Some(octets);
                }
                Ok(())
            });
        }
        found
    }
}

impl PartialEq for KeptPac {
    fn eq(&self, other: &Self) -> bool {
        self.octets() == other.octets()
    }
}

impl Eq for KeptPac {}

/// An attribute of a name (RFC 6680 §7.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its values, at least one; each is complete.
    pub values: Vec<Vec<u8>>,
    /// Whether the KDC vouches for them. Nothing may be granted by attributes that are not authenticated.
    pub authenticated: bool,
}

impl Attributes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indicators.is_empty() && self.pac.is_none()
    }

    /// Whether the KDC vouches for them.
    pub fn is_authenticated(&self) -> bool {
        self.authenticated && !self.is_empty()
    }

    /// How the initiator authenticated itself, in the words of its realm's administrators (RFC 8129).
    pub fn indicators(&self) -> &[String] {
        &self.indicators
    }

    /// The PAC.
    pub fn pac(&self) -> Option<Pac<'_>> {
        Pac::parse(self.pac.as_ref()?.octets()?).ok()
    }

    /// The names of all attributes (`gss_inquire_name`).
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(pac) = self.pac() {
            names.push(PAC.to_owned());
            names.extend(pac.kinds().map(|kind| format!("{PAC}{}", name_of(kind))));
        }
        if !self.indicators.is_empty() {
            names.push(AUTH_INDICATORS.to_owned());
        }
        names
    }

    /// An attribute by its name (`gss_get_name_attribute`). A buffer of the PAC is also found by its number.
    pub fn find(&self, name: &str) -> Option<Attribute> {
        let values: Vec<Vec<u8>> = match name.strip_prefix(PAC) {
            Some("") => vec![self.pac()?.octets().to_vec()],
            Some(kind) => vec![self.pac()?.buffer(kind_of(kind)?).ok()?.to_vec()],
            None if name == AUTH_INDICATORS && !self.indicators.is_empty() => {
                self.indicators.iter().map(|indicator| indicator.as_bytes().to_vec()).collect()
            }
            None => return None,
        };
        Some(Attribute { values, authenticated: self.authenticated })
    }

    /// As they stand in an exported composite name.
    fn to_octets(&self) -> Vec<u8> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut modules = Vec::new();
        if let Some(pac) = self.pac.as_ref().and_then(KeptPac::octets) {
            modules
                .push([counted(PAC_MODULE), counted(pac), number(usize::from(self.authenticated))].concat());
        }
        // MIT's module is there even where it has nothing to say.
        let texts: Vec<u8> = self.indicators.iter().flat_map(|text| counted(text.as_bytes())).collect();
        modules.push([counted(INDICATORS_MODULE), number(self.indicators.len()), texts].concat());
        [number(modules.len()), modules.concat()].concat()
    }

    /// Reads what stands in an exported composite name. What comes behind a module that is not known here is left out,
    /// for only that module knows where it ends.
    fn from_octets(octets: &[u8]) -> Result<Self, Truncated> {
        let mut reader = Reader::new(octets);
        let mut attributes = Self::default();
        if reader.is_empty() {
            return Ok(attributes);
        }
        for _ in 0..reader.u32()? {
            match reader.counted_u32()? {
                PAC_MODULE => {
                    attributes.pac = Some(KeptPac::Alone(reader.counted_u32()?.to_vec()));
                    // Whether it was verified, as whoever wrote the octets says.
                    let _ = reader.u32()?;
                }
                INDICATORS_MODULE => {
                    for _ in 0..reader.u32()? {
                        let text = reader.counted_u32()?;
                        attributes.indicators.push(String::from_utf8_lossy(text).into_owned());
                    }
                }
                _ => break,
            }
        }
        // What can't be shown is not there.
        attributes.pac = attributes.pac.filter(|pac| pac.octets().is_some_and(|pac| Pac::parse(pac).is_ok()));
        Ok(attributes)
    }
}

/// As MIT krb5 calls its modules in composite names.
const PAC_MODULE: &[u8] = b"mspac";
const INDICATORS_MODULE: &[u8] = b"authentication-indicators";

fn number(count: usize) -> Vec<u8> {
    u32::try_from(count).unwrap_or(0).to_be_bytes().to_vec()
}

fn counted(octets: &[u8]) -> Vec<u8> {
    [&number(octets.len()), octets].concat()
}

fn name_of(kind: BufferKind) -> String {
    let row = BUFFERS.iter().find(|(known, _)| *known == kind);
    row.map_or_else(|| kind.0.to_string(), |(_, name)| (*name).to_owned())
}

fn kind_of(name: &str) -> Option<BufferKind> {
    let row = BUFFERS.iter().find(|(_, known)| *known == name);
    row.map(|(kind, _)| *kind).or_else(|| name.parse().ok().map(BufferKind))
}

impl Name {
    /// A principal with its attributes as octets (`gss_export_name_composite`, RFC 6680 §7.8), in the layout of MIT krb5.
    /// For access control lists there is [`export`](Self::export).
    pub fn export_composite(principal: &Principal, attributes: &Attributes) -> Vec<u8> {
        let mut exported = Self::export(principal);
        if let Some(form) = exported.get_mut(1) {
            *form = 2;
        }
        exported.extend(counted(&attributes.to_octets()));
        exported
    }

    /// The attributes of an exported name, composite or plain; not authenticated.
    ///
    /// # Errors
    /// As [`from_exported`](Self::from_exported).
    pub fn attributes_of_exported(octets: &[u8]) -> Result<Attributes, BadName> {
        let (_, attributes) = Self::split_exported(octets)?;
        Ok(Attributes::from_octets(attributes)?)
    }
}

impl Context {
    /// Acceptor only: what the initiator's KDC says of it beside its name.
    ///
    /// An acceptor that demands a second factor asks for its realm's indicator:
    ///
    /// ```
    /// # fn check(context: &orthros_gss::Context) -> bool {
    /// context.initiator_attributes().indicators().iter().any(|indicator| indicator == "otp")
    /// # }
    /// ```
    pub fn initiator_attributes(&self) -> Attributes {
        let vouched = &self.0.vouched;
        Attributes {
            indicators: vouched.indicators.to_vec(),
            pac: self.0.authorization_data.as_ref().filter(|_| vouched.pac).cloned().map(KeptPac::Within),
            authenticated: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PAC of one buffer of this kind.
    fn pac(kind: u32, buffer: &[u8; 8]) -> Vec<u8> {
        let words = [1, 0, kind, 8, 24, 0];
        let mut octets: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        octets.extend(buffer);
        octets
    }

    fn attributes(kind: u32) -> Attributes {
        let indicators = vec!["otp".to_owned(), "pkinit".to_owned()];
        Attributes { indicators, pac: Some(KeptPac::Alone(pac(kind, b"contents"))), authenticated: true }
    }

    #[test]
    fn buffers_are_found_by_name_and_by_number() {
        let named = attributes(1);
        assert_eq!(named.names(), ["urn:mspac:", "urn:mspac:logon-info", "auth-indicators"]);
        for name in ["urn:mspac:logon-info", "urn:mspac:1"] {
            assert_eq!(named.find(name).unwrap().values, [b"contents"]);
        }
        assert_eq!(attributes(77).names()[1], "urn:mspac:77");
        for name in ["", "urn:mspac", "urn:mspac:2", "urn:mspac:-1", "urn:mspac:4294967296", "otp"] {
            assert_eq!(named.find(name), None, "{name}");
        }
        assert_eq!(named.find("auth-indicators").unwrap().values, [&b"otp"[..], b"pkinit"]);
        assert!(Attributes::default().names().is_empty());
    }

    #[test]
    fn attributes_that_come_with_a_name_are_not_authenticated() {
        let alice = "alice@TEST".parse().unwrap();
        let exported = Name::export_composite(&alice, &attributes(10));
        assert_eq!(exported[..2], [4, 2]);
        assert_eq!(Name::from_exported(&exported), Ok(Name::Principal(alice.clone())));
        let read = Name::attributes_of_exported(&exported).unwrap();
        assert_eq!(read.names(), attributes(10).names());
        assert!(!read.is_authenticated() && !read.find(PAC).unwrap().authenticated);
        for without in [Name::export_composite(&alice, &Attributes::default()), Name::export(&alice)] {
            assert!(Name::attributes_of_exported(&without).unwrap().is_empty());
        }
    }

    #[test]
    fn modules_that_are_not_known_hide_only_what_follows() {
        let alice = "alice@TEST".parse().unwrap();
        let pac = [counted(b"mspac"), counted(&pac(1, b"contents")), number(1)].concat();
        let foreign = counted(b"greet");
        for (modules, found) in [
            (vec![pac.clone(), foreign.clone()], true),
            (vec![foreign, pac], false),
            (vec![[counted(b"mspac"), counted(b"none"), number(1)].concat()], false),
        ] {
            let octets = [number(modules.len()), modules.concat()].concat();
            let mut exported = Name::export(&alice);
            exported[1] = 2;
            exported.extend(counted(&octets));
            let read = Name::attributes_of_exported(&exported).unwrap();
            assert_eq!(read.find(PAC).is_some(), found);
            // A count or length that lies.
            exported.pop();
            assert!(Name::attributes_of_exported(&exported).is_err());
        }
    }
}
