//! Names (RFC 2743 §1.1.5): who a context is for, in the form that a program has at hand.

use std::fmt;

use orthros_krb5::Principal;
use orthros_krb5::config::Config;
use orthros_krb5::principal::{BadPrincipal, NameType};
use orthros_wire::der::{Decode, DerReader};
use orthros_wire::{Oid, Reader, Truncated};

use crate::mech::krb5::MECHANISM;

/// The name types that can be imported, by their object identifiers (RFC 2744 §4, RFC 1964 §2.1).
pub mod name_type {
    use orthros_wire::Oid;

    /// `GSS_C_NT_HOSTBASED_SERVICE`: `service@host`.
    pub const HOSTBASED_SERVICE: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 4]);
    /// `GSS_C_NT_USER_NAME`: a user of this machine or of the default realm.
    pub const USER_NAME: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 1]);
    /// `GSS_KRB5_NT_PRINCIPAL_NAME`: a principal's text form.
    pub const KRB5_PRINCIPAL: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 1]);
    /// `GSS_C_NT_EXPORT_NAME`: a mechanism name in the form of RFC 2743 §3.2.
    pub const EXPORTED: Oid = Oid::from_static(&[0x2b, 6, 1, 5, 6, 4]);
}

/// A name. Two names are equal if they were given alike; to compare whom they mean, make them
/// [principals](Self::to_principal).
///
/// ```
/// use orthros_gss::Name;
/// use orthros_krb5::config::Config;
/// let config = Config::parse("[libdefaults]\ndefault_realm = EXAMPLE.COM\n")?;
/// let name = Name::hostbased_service("HTTP", "www.Example.com");
/// assert_eq!(name.to_principal(&config, None)?.to_string(), "HTTP/www.example.com@EXAMPLE.COM");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Name {
    /// A service on a host.
    HostbasedService {
        /// Such as `HTTP`, `host`, `ldap`.
        service: String,
        /// The host; `None` means this one, which only an acceptor may leave open.
        host: Option<String>,
    },
    /// A Kerberos principal.
    Principal(Principal),
    /// A user: a principal's text form whose realm may be missing.
    User(String),
}

/// Why something is no name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadName {
    /// A mechanism name of another mechanism.
    ForeignMechanism(Oid),
    /// The text is malformed.
    Malformed(String),
    /// The octets are no exported name (RFC 2743 §3.2).
    NotExported,
    /// No realm is known for it.
    NoRealm(String),
    /// No type of this identifier is supported.
    Type(Oid),
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignMechanism(oid) => {
                write!(f, "the exported name belongs to the mechanism {oid}, which is not here")
            }
            Self::Malformed(text) => f.write_str(text),
            Self::NotExported => f.write_str("the octets are no exported name"),
            Self::NoRealm(name) => {
                write!(f, "no realm is known for {name}: set default_realm or domain_realm in krb5.conf")
            }
            Self::Type(oid) => write!(f, "names of type {oid} are not supported"),
        }
    }
}

impl std::error::Error for BadName {}

impl From<BadPrincipal> for BadName {
    fn from(error: BadPrincipal) -> Self {
        match error {
            BadPrincipal::NoRealm(name) => Self::NoRealm(name),
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl From<Truncated> for BadName {
    fn from(_: Truncated) -> Self {
        Self::NotExported
    }
}

impl From<Principal> for Name {
    fn from(principal: Principal) -> Self {
        Self::Principal(principal)
    }
}

impl Name {
    /// A service on a host; the host's letters are made small, as principals have them.
    pub fn hostbased_service(service: impl Into<String>, host: impl Into<String>) -> Self {
        Self::HostbasedService { service: service.into(), host: Some(host.into()) }
    }

    /// A user.
    pub fn user(name: impl Into<String>) -> Self {
        Self::User(name.into())
    }

    /// Takes a name of a type as `gss_import_name` does (RFC 2744 §5.16).
    ///
    /// # Errors
    /// [`BadName`] if the type is unknown or the octets do not suit it.
    pub fn import(octets: &[u8], name_type: &Oid) -> Result<Self, BadName> {
        if *name_type == name_type::EXPORTED {
            return Self::from_exported(octets);
        }
        let text =
            std::str::from_utf8(octets).map_err(|_| BadName::Malformed("the name is not UTF-8".into()))?;
        if *name_type == name_type::HOSTBASED_SERVICE {
            return Self::parse_hostbased(text);
        }
        if *name_type == name_type::USER_NAME || *name_type == name_type::KRB5_PRINCIPAL {
            Principal::parse(text, Some(""))?;
            return Ok(Self::User(text.to_owned()));
        }
        Err(BadName::Type(name_type.clone()))
    }

    /// Reads `service@host`, or `service` alone (RFC 2743 §4.1).
    ///
    /// # Errors
    /// [`BadName::Malformed`] if the service is empty.
    pub fn parse_hostbased(text: &str) -> Result<Self, BadName> {
        let (service, host) = match text.split_once('@') {
            Some((service, host)) => (service, Some(host).filter(|host| !host.is_empty())),
            None => (text, None),
        };
        if service.is_empty() {
            return Err(BadName::Malformed(format!("{text:?} names no service: write service@host")));
        }
        Ok(Self::HostbasedService { service: service.to_owned(), host: host.map(str::to_owned) })
    }

    /// Reads the form of RFC 2743 §3.2, which [`export`](Self::export) writes.
    ///
    /// # Errors
    /// [`BadName::NotExported`] if a length lies or octets follow, [`BadName::ForeignMechanism`].
    pub fn from_exported(octets: &[u8]) -> Result<Self, BadName> {
        let mut reader = Reader::new(octets);
        if reader.u16()? != 0x0401 {
            return Err(BadName::NotExported);
        }
        let mut der = DerReader::new(reader.counted_u16()?);
        let mechanism = Oid::decode(&mut der).map_err(|_| BadName::NotExported)?;
        let name = reader.counted_u32()?;
        if !der.is_empty() || !reader.is_empty() {
            return Err(BadName::NotExported);
        }
        if mechanism != MECHANISM {
            return Err(BadName::ForeignMechanism(mechanism));
        }
        let text = std::str::from_utf8(name).map_err(|_| BadName::NotExported)?;
        Ok(Self::Principal(Principal::parse(text, None)?))
    }

    /// The form of RFC 2743 §3.2 of a principal: for access control lists, compared octet by octet.
    pub fn export(principal: &Principal) -> Vec<u8> {
        let text = principal.to_string();
        let mechanism = MECHANISM;
        let content = mechanism.content();
        // The identifier has nine octets, and a principal's text fits four octets of length.
        let short = u8::try_from(content.len()).unwrap_or(0);
        let mut exported = vec![4, 1, 0, short + 2, 6, short];
        exported.extend_from_slice(content);
        exported.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
        exported.extend_from_slice(text.as_bytes());
        exported
    }

    /// Whom the name means to Kerberos (`gss_canonicalize_name`). A service's realm is that of its host by
    /// `[domain_realm]`, else `fallback_realm`, else the default realm. Its host is taken as it is written, save
    /// that `qualify_shortname` completes a short one: DNS is not asked.
    ///
    /// # Errors
    /// [`BadName`] if no realm is known or the text is malformed.
    pub fn to_principal(&self, config: &Config, fallback_realm: Option<&str>) -> Result<Principal, BadName> {
        let default_realm = config.default_realm.as_deref();
        match self {
            Self::Principal(principal) => Ok(principal.clone()),
            Self::User(text) => Ok(Principal::parse(text, default_realm.or(fallback_realm))?),
            Self::HostbasedService { service, host } => {
                let host = host.as_deref().ok_or_else(|| {
                    BadName::Malformed(format!("{service:?} names no host: write {service}@HOST"))
                })?;
                let (host, trailer) = split_trailer(host);
                let host = plain_host(host, config.qualify_shortname.as_deref());
                let realm = config
                    .realm_of_host(&host)
                    .or(fallback_realm)
                    .or(default_realm)
                    .ok_or_else(|| BadName::NoRealm(self.to_string()))?;
                let host = format!("{host}{trailer}");
                Ok(Principal::new(NameType::SRV_HST, [service.as_str(), &host], realm))
            }
        }
    }
}

/// A host, and what follows it behind a single colon, colon included: a port, or the name of an instance. An IPv6
/// address has more colons, and nothing behind it.
pub(crate) fn split_trailer(host: &str) -> (&str, &str) {
    let trailer = host.split_once(':').filter(|(name, rest)| {
        let both = !name.is_empty() && !rest.is_empty();
        both && !rest.contains(':')
    });
    trailer.and_then(|(name, _)| host.split_at_checked(name.len())).unwrap_or((host, ""))
}

/// A host as principals have it: letters small, without the final dot (which says that the name is complete), and
/// with `domain` behind it if it is a short name.
pub(crate) fn plain_host(host: &str, domain: Option<&str>) -> String {
    let complete = host.trim_end_matches('.');
    let domain = domain.map(|domain| domain.trim_matches('.')).filter(|domain| !domain.is_empty());
    let host = match domain {
        Some(domain) if !host.contains(['.', ':']) => format!("{host}.{domain}"),
        _ => complete.to_owned(),
    };
    host.to_ascii_lowercase()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostbasedService { service, host: Some(host) } => write!(f, "{service}@{host}"),
            Self::HostbasedService { service, host: None } => f.write_str(service),
            Self::Principal(principal) => principal.fmt(f),
            Self::User(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exported_name_with_a_changed_length_or_trailing_octets_is_refused() {
        let principal: Principal = "HTTP/www.example.com@EXAMPLE.COM".parse().unwrap();
        let exported = Name::export(&principal);
        assert_eq!(Name::from_exported(&exported), Ok(Name::Principal(principal)));
        for cut in 0..exported.len() {
            assert!(Name::from_exported(&exported[..cut]).is_err());
        }
        assert_eq!(Name::from_exported(&[&exported[..], b"x"].concat()), Err(BadName::NotExported));
    }

    #[test]
    fn an_unknown_type_is_named() {
        let oid: Oid = "1.2.3.4".parse().unwrap();
        assert_eq!(Name::import(b"x", &oid), Err(BadName::Type(oid)));
    }
}
