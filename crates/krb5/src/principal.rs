//! Principals: who a ticket is for.
//!
//! A principal is a list of components and a realm, `alice@EXAMPLE.COM` or
//! `host/www.example.com@EXAMPLE.COM`. In text `\` takes away the meaning of `/`, `@` and itself, and
//! `\n`, `\t`, `\b`, `\0` stand for control octets, as every implementation has it (RFC 1964 §2.1.1).
//! Names are counted strings: a NUL inside is an ordinary octet and ends nothing.

use std::fmt;
use std::sync::Arc;

use crate::wire::PrincipalName;

/// What kind of name a principal's components are (RFC 4120 §6.2). Advice only: two principals that differ
/// in nothing else are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameType(pub i32);

impl NameType {
    /// The kind is not known.
    pub const UNKNOWN: Self = Self(0);
    /// A person's or a service's plain name.
    pub const PRINCIPAL: Self = Self(1);
    /// A service with an instance, such as `krbtgt/REALM`.
    pub const SRV_INST: Self = Self(2);
    /// A service on a host.
    pub const SRV_HST: Self = Self(3);
    /// A well-known name (RFC 6111).
    pub const WELLKNOWN: Self = Self(11);
    /// An enterprise name, to be mapped by the KDC (RFC 6806 §5).
    pub const ENTERPRISE: Self = Self(10);
}

/// A principal with its realm. Cheap to clone: the text is shared.
///
/// ```
/// use orthros_krb5::Principal;
/// let host: Principal = "host/www.example.com@EXAMPLE.COM".parse()?;
/// assert_eq!(host.components(), ["host", "www.example.com"]);
/// assert_eq!(host.realm(), "EXAMPLE.COM");
/// assert_eq!(host.to_string(), "host/www.example.com@EXAMPLE.COM");
/// # Ok::<(), orthros_krb5::principal::BadPrincipal>(())
/// ```
#[derive(Clone, Debug)]
pub struct Principal {
    name_type: NameType,
    parts: Arc<Parts>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Parts {
    components: Box<[String]>,
    /// Shared, for most principals that are kept together are of one realm.
    realm: Arc<str>,
}

/// The text or the message holds no principal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadPrincipal {
    /// There is no component at all, or the only one is empty.
    Empty,
    /// The text ends after a `\`.
    Escape(String),
    /// The text names no realm, and no default was given.
    NoRealm(String),
    /// A second unescaped `@`.
    TwoRealms(String),
}

impl fmt::Display for BadPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a principal needs at least one component"),
            Self::Escape(text) => write!(f, "{text:?} ends within an escape: write \\\\ for a backslash"),
            Self::NoRealm(text) => {
                write!(f, "{text:?} names no realm: write {text}@REALM or set default_realm")
            }
            Self::TwoRealms(text) => write!(f, "{text:?} has two realms: write \\@ for an @ within a name"),
        }
    }
}

impl std::error::Error for BadPrincipal {}

impl Principal {
    /// A principal from its parts.
    pub fn new<S: Into<String>>(
        name_type: NameType,
        components: impl IntoIterator<Item = S>,
        realm: impl Into<Arc<str>>,
    ) -> Self {
        let components = components.into_iter().map(Into::into).collect();
        Self { name_type, parts: Arc::new(Parts { components, realm: realm.into() }) }
    }

    /// The ticket-granting service `krbtgt/SERVED@REALM`: of `realm`, for tickets of `served`.
    pub fn ticket_granting(served: &str, realm: &str) -> Self {
        Self::new(NameType::SRV_INST, ["krbtgt", served], realm)
    }

    /// Reads the text form; where it names no realm, `default_realm` is taken.
    ///
    /// # Errors
    /// [`BadPrincipal`] says what is wrong with the text.
    pub fn parse(text: &str, default_realm: Option<&str>) -> Result<Self, BadPrincipal> {
        let mut components = vec![String::new()];
        let mut realm: Option<String> = None;
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let plain = match (letter, realm.is_some()) {
                ('\\', _) => match letters.next().ok_or_else(|| BadPrincipal::Escape(text.into()))? {
                    'n' => '\n',
                    't' => '\t',
                    'b' => '\u{8}',
                    '0' => '\0',
                    other => other,
                },
                ('/', false) => {
                    components.push(String::new());
                    continue;
                }
                ('@', false) => {
                    realm = Some(String::new());
                    continue;
                }
                ('@', true) => return Err(BadPrincipal::TwoRealms(text.into())),
                _ => letter,
            };
            match (&mut realm, components.last_mut()) {
                (Some(realm), _) => realm.push(plain),
                (None, Some(component)) => component.push(plain),
                (None, None) => {}
            }
        }
        if components.iter().all(String::is_empty) && components.len() == 1 {
            return Err(BadPrincipal::Empty);
        }
        let realm = realm
            .filter(|realm| !realm.is_empty())
            .or_else(|| default_realm.map(str::to_owned))
            .ok_or_else(|| BadPrincipal::NoRealm(text.into()))?;
        let name_type = match components.as_slice() {
            [first, _] if first == "krbtgt" => NameType::SRV_INST,
            _ => NameType::PRINCIPAL,
        };
        Ok(Self { name_type, parts: Arc::new(Parts { components: components.into(), realm: realm.into() }) })
    }

    /// The principal of a wire name and its realm.
    ///
    /// # Errors
    /// [`BadPrincipal::Empty`] if the name has no component.
    pub fn from_wire(name: &PrincipalName<'_>, realm: &str) -> Result<Self, BadPrincipal> {
        Self::from_wire_in(name, realm)
    }

    /// As [`Self::from_wire`]; if it is of another principal's realm, that is kept once.
    pub(crate) fn from_wire_beside(
        other: &Self,
        name: &PrincipalName<'_>,
        realm: &str,
    ) -> Result<Self, BadPrincipal> {
        if other.realm() == realm {
            Self::from_wire_in(name, Arc::clone(&other.parts.realm))
        } else {
            Self::from_wire_in(name, realm)
        }
    }

    fn from_wire_in(name: &PrincipalName<'_>, realm: impl Into<Arc<str>>) -> Result<Self, BadPrincipal> {
        if name.components.is_empty() {
            return Err(BadPrincipal::Empty);
        }
        let components = name.components.iter().map(|component| component.0);
        Ok(Self::new(NameType(name.name_type), components, realm))
    }

    /// Whether a wire name and its realm mean this principal.
    pub(crate) fn is_named(&self, name: &PrincipalName<'_>, realm: &str) -> bool {
        self.realm() == realm && name.components.iter().map(|component| component.0).eq(self.components())
    }

    /// The name as messages carry it, without the realm.
    pub fn to_wire(&self) -> PrincipalName<'_> {
        PrincipalName {
            name_type: self.name_type.0,
            components: self.parts.components.iter().map(|text| crate::wire::GeneralString(text)).collect(),
        }
    }

    /// An enterprise name: an address such as `alice@corp.example`, which a KDC of `realm` maps to a principal
    /// (RFC 6806 §5). It is one component, whatever letters are in it.
    ///
    /// ```
    /// use orthros_krb5::Principal;
    /// let alice = Principal::enterprise("alice@corp.example", "CORP.EXAMPLE");
    /// assert_eq!(alice.to_string(), "alice\\@corp.example@CORP.EXAMPLE");
    /// ```
    pub fn enterprise(name: &str, realm: &str) -> Self {
        Self::new(NameType::ENTERPRISE, [name], realm)
    }

    /// The same principal, which shares no text with this one: what two threads clone at the same time should not be one
    /// text, for they would count its users in one place.
    #[must_use]
    pub fn apart(&self) -> Self {
        let Parts { components, realm } = &*self.parts;
        let parts = Parts { components: components.clone(), realm: Arc::from(&**realm) };
        Self { name_type: self.name_type, parts: Arc::new(parts) }
    }

    /// The principal with the same components in another realm.
    #[must_use]
    pub fn in_realm(&self, realm: &str) -> Self {
        Self::new(self.name_type, self.components().iter().map(String::as_str), realm)
    }

    /// The same principal with another kind of name.
    #[must_use]
    pub fn with_name_type(self, name_type: NameType) -> Self {
        Self { name_type, ..self }
    }

    /// What kind of name this is.
    pub fn name_type(&self) -> NameType {
        self.name_type
    }

    /// The components; at least one.
    pub fn components(&self) -> &[String] {
        &self.parts.components
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.parts.realm
    }

    /// If this is a ticket-granting service, the realm that it serves.
    pub fn as_ticket_granting(&self) -> Option<&str> {
        match &*self.parts.components {
            [krbtgt, served] if krbtgt == "krbtgt" => Some(served),
            _ => None,
        }
    }

    /// The salt that string-to-key takes by default: realm and components joined (RFC 4120 §4).
    pub fn default_salt(&self) -> Vec<u8> {
        let mut salt = self.parts.realm.as_bytes().to_vec();
        self.parts.components.iter().for_each(|component| salt.extend_from_slice(component.as_bytes()));
        salt
    }

    /// The text form without the realm.
    pub fn name_text(&self) -> String {
        let mut text = String::new();
        for (index, component) in self.parts.components.iter().enumerate() {
            if index > 0 {
                text.push('/');
            }
            escape(component, &mut text);
        }
        text
    }
}

fn escape(part: &str, text: &mut String) {
    for piece in part.split_inclusive(ESCAPED) {
        let mut letters = piece.chars();
        match letters.next_back().filter(|last| ESCAPED.contains(last)) {
            None => text.push_str(piece),
            Some(last) => {
                text.push_str(letters.as_str());
                text.extend([
                    '\\',
                    match last {
                        '\n' => 'n',
                        '\t' => 't',
                        '\u{8}' => 'b',
                        '\0' => '0',
                        other => other,
                    },
                ]);
            }
        }
    }
}

/// What does not stand for itself in a component's text.
const ESCAPED: [char; 7] = ['/', '@', '\\', '\n', '\t', '\u{8}', '\0'];

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.name_text();
        text.push('@');
        // A slash needs no escape in a realm, but taking one away there does no harm either.
        escape(&self.parts.realm, &mut text);
        f.write_str(&text)
    }
}

impl std::str::FromStr for Principal {
    type Err = BadPrincipal;

    fn from_str(text: &str) -> Result<Self, BadPrincipal> {
        Self::parse(text, None)
    }
}

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.parts, &other.parts) || self.parts == other.parts
    }
}

impl Eq for Principal {}

impl std::hash::Hash for Principal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_there_and_back() {
        for text in ["alice@A", "host/h.example@A", "a\\/b@A", "a\\@b\\\\@A.B", "a\\0\\n\\t\\b@X", "a//b@X"] {
            let principal: Principal = text.parse().unwrap();
            assert_eq!(principal.to_string(), text);
            assert_eq!(principal.to_string().parse::<Principal>().unwrap(), principal);
        }
        assert_eq!(Principal::parse("alice", Some("D")).unwrap().to_string(), "alice@D");
        assert_eq!("a\0b@X".parse::<Principal>().unwrap().components(), ["a\0b"]);
    }

    #[test]
    fn what_is_no_principal_is_refused_with_its_reason() {
        for (text, error) in [
            ("", BadPrincipal::Empty),
            ("@A", BadPrincipal::Empty),
            ("alice", BadPrincipal::NoRealm("alice".into())),
            ("a@b@c", BadPrincipal::TwoRealms("a@b@c".into())),
            ("a\\", BadPrincipal::Escape("a\\".into())),
        ] {
            assert_eq!(text.parse::<Principal>(), Err(error));
        }
    }

    #[test]
    fn the_kind_of_name_does_not_tell_principals_apart() {
        let plain: Principal = "host/h@A".parse().unwrap();
        assert_eq!(plain.clone().with_name_type(NameType::SRV_HST), plain);
    }
}
