//! Exported names (RFC 2743 §3.2, RFC 1964 §2.1.3): flat octets for access control lists.
//!
//! ```text
//! 04 01  length(2) mechanism's DER  length(4) principal's text
//! 04 02  the same, then length(4) attributes                      (RFC 6680 §8, as MIT krb5 lays it out)
//! ```
//!
//! What comes back from [`Name::export`] is the plain form. The [attributes](super::attributes) of a composite name are
//! read apart from it: nothing in them is protected.

use orthros_krb5::Principal;
use orthros_wire::Reader;
use orthros_wire::der::{Decode, DerReader};

use super::{BadName, Name};
use crate::mechanism;

const PLAIN: u16 = 0x0401;
const COMPOSITE: u16 = 0x0402;

impl Name {
    /// Reads an exported name, plain or composite; [`attributes_of_exported`](Self::attributes_of_exported) reads the
    /// attributes of the latter.
    ///
    /// # Errors
    /// [`BadName::NotExported`] if a length lies, octets follow, or the text contains a NUL;
    /// [`BadName::NoRealm`] if the principal has none, not even an empty one; [`BadName::ForeignMechanism`].
    pub fn from_exported(octets: &[u8]) -> Result<Self, BadName> {
        Ok(Self::split_exported(octets)?.0)
    }

    /// The name and the octets of its attributes; none if it is plain.
    pub(super) fn split_exported(octets: &[u8]) -> Result<(Self, &[u8]), BadName> {
        let mut reader = Reader::new(octets);
        let form = reader.u16()?;
        if form != PLAIN && form != COMPOSITE {
            return Err(BadName::NotExported);
        }
        let mut der = DerReader::new(reader.counted_u16()?);
        let mechanism = orthros_wire::Oid::decode(&mut der).map_err(|_| BadName::NotExported)?;
        let name = reader.counted_u32()?;
        let attributes = if form == COMPOSITE { reader.counted_u32()? } else { &[] };
        if !der.is_empty() || !reader.is_empty() {
            return Err(BadName::NotExported);
        }
        if mechanism != mechanism::KRB5.oid {
            return Err(BadName::ForeignMechanism(mechanism));
        }
        let text = std::str::from_utf8(name).map_err(|_| BadName::NotExported)?;
        // Who exports writes a NUL as `\0` (RFC 1964 §2.1.1).
        if text.contains('\0') {
            return Err(BadName::NotExported);
        }
        let principal = Principal::parse(text, Some(""))?;
        // A service may be exported before its realm is known; then an empty realm is written, and not left out.
        if principal.realm().is_empty() && principal.to_string() != text {
            return Err(BadName::NoRealm(text.to_owned()));
        }
        Ok((Self::Principal(principal), attributes))
    }

    /// The plain exported form of a principal: for access control lists, compared octet by octet.
    ///
    /// ```
    /// use orthros_gss::Name;
    /// let exported = Name::export(&"alice@EXAMPLE.COM".parse()?);
    /// assert_eq!(Name::from_exported(&exported)?.to_string(), "alice@EXAMPLE.COM");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export(principal: &Principal) -> Vec<u8> {
        let text = principal.to_string();
        let content = mechanism::KRB5.oid.content();
        // The identifier has nine octets, and a principal's text fits four octets of length.
        let short = u8::try_from(content.len()).unwrap_or(0);
        let mut exported = vec![4, 1, 0, short + 2, 6, short];
        exported.extend_from_slice(content);
        exported.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
        exported.extend_from_slice(text.as_bytes());
        exported
    }
}
