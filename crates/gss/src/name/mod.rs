//! Names (RFC 2743 §1.1.5): who a context is for, in the form that a program has at hand.
//!
//! | file | what it does |
//! |---|---|
//! | here | [`Name`]: import, display, comparison |
//! | [`attributes`] | what a KDC says of a context's initiator beside its name (RFC 6680) |
//! | `exported` | the exported forms: 04 01 and 04 02 (RFC 2743 §3.2, RFC 6680 §8) |
//! | `principal` | whom a name means to Kerberos |
//! | [`name_type`] | the types, by their object identifiers |
//!
//! Names are counted strings: a NUL in an imported name is refused, since a peer that ends strings there would
//! see another name. Deliberately not here: the system's table of users ([`Name::Uid`] says who asks it) and DNS.

pub mod attributes;
mod exported;
pub mod name_type;
mod principal;

pub(crate) use principal::{plain_host, split_trailer};

use std::fmt;

use orthros_krb5::Principal;
use orthros_krb5::config::Config;
use orthros_krb5::principal::BadPrincipal;
use orthros_wire::{Oid, Truncated};

use crate::mechanism::{self, Mechanism};

/// A name. Two names are equal if they were given alike; to compare whom they mean there is
/// [`same_as`](Self::same_as).
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
    /// Nobody in particular: a peer that does not say who it is (RFC 2743 §1.2.5, RFC 8062 §3).
    Anonymous,
    /// A name such as `alice@mail.example.com` that its realm's KDC maps to a principal (RFC 6806 §5); a realm
    /// may follow behind a second `@`.
    Enterprise(String),
    /// A service on a host.
    HostbasedService {
        /// Such as `HTTP`, `host`, `ldap`.
        service: String,
        /// The host; `None` means this one, which only an acceptor may leave open.
        host: Option<String>,
    },
    /// A Kerberos principal: a mechanism name (RFC 2743 §1.1.5).
    Principal(Principal),
    /// A principal's text form whose realm may be missing.
    PrincipalText(String),
    /// The user with this number on this machine. It has to be turned into a [`User`](Self::User) by somebody
    /// who can ask the system; `orthros::Orthros::resolve_name` does.
    Uid(u32),
    /// A user: a principal's text form whose realm may be missing.
    User(String),
}

/// A name for people, and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displayed {
    /// The text.
    pub text: String,
    /// What [`Name::import`] has to be told to read the text again.
    pub name_type: Oid,
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
    /// The number of a user whose name has to be asked of the system first, or whom the system does not know.
    Uid(u32),
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
            Self::Uid(uid) => write!(f, "no user's name is known for the uid {uid} here"),
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
    /// The same name, which shares no text with this one ([`Principal::apart`]).
    #[must_use]
    pub fn apart(&self) -> Self {
        match self {
            Self::Principal(principal) => Self::Principal(principal.apart()),
            other => other.clone(),
        }
    }

    /// A service on a host; the host's letters are made small, as principals have them.
    pub fn hostbased_service(service: impl Into<String>, host: impl Into<String>) -> Self {
        Self::HostbasedService { service: service.into(), host: Some(host.into()) }
    }

    /// A user.
    pub fn user(name: impl Into<String>) -> Self {
        Self::User(name.into())
    }

    /// Takes a name of a type as `gss_import_name` does (RFC 2744 §5.16). Without a type it is a principal's
    /// text form, with or without a realm.
    ///
    /// ```
    /// use orthros_gss::Name;
    /// use orthros_gss::name::name_type;
    /// let name = Name::import(b"imap@mail.example.com", Some(&name_type::HOSTBASED_SERVICE))?;
    /// assert_eq!(name, Name::hostbased_service("imap", "mail.example.com"));
    /// # Ok::<(), orthros_gss::name::BadName>(())
    /// ```
    ///
    /// # Errors
    /// [`BadName`] if the type is unknown or the octets do not suit it. A NUL suits no type but that of the
    /// machine's user numbers.
    pub fn import(octets: &[u8], name_type: Option<&Oid>) -> Result<Self, BadName> {
        let import = match name_type {
            None => Self::import_principal,
            Some(oid) => {
                let row = IMPORTS.iter().find(|(known, _)| known == oid);
                row.ok_or_else(|| BadName::Type(oid.clone()))?.1
            }
        };
        import(octets)
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

    /// Whether both mean the same (RFC 2743 §2.4.3): as given, or made principals. Anonymous names are never
    /// the same: nobody knows who is behind them.
    ///
    /// ```
    /// use orthros_gss::Name;
    /// use orthros_krb5::config::Config;
    /// let config = Config::parse("[libdefaults]\ndefault_realm = EXAMPLE.COM\n")?;
    /// let alice = Name::Principal("alice@EXAMPLE.COM".parse()?);
    /// assert!(Name::user("alice").same_as(&alice, &config)?);
    /// assert!(!Name::Anonymous.same_as(&Name::Anonymous, &config)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`BadName`] if one of them cannot be made a principal.
    pub fn same_as(&self, other: &Self, config: &Config) -> Result<bool, BadName> {
        if self.is_anonymous() || other.is_anonymous() {
            return Ok(false);
        }
        match (self.to_principal(config, None), other.to_principal(config, None)) {
            (Ok(left), Ok(right)) => Ok(left == right && !principal::is_anonymous(&left)),
            // A service on this host, or a user's number: nothing more is known, and nothing more is needed.
            _ if self == other => Ok(true),
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// The name for people, and its type (RFC 2743 §2.4.4). A user's number is shown in digits, which is
    /// another type than the machine's four octets.
    pub fn display(&self) -> Displayed {
        let text = match self {
            // The commonest, at once.
            Self::HostbasedService { service, host: Some(host) } => [service.as_str(), "@", host].concat(),
            other => other.to_string(),
        };
        Displayed { text, name_type: self.name_type() }
    }

    /// The type of the displayed name.
    pub fn name_type(&self) -> Oid {
        match self {
            name if name.is_anonymous() => name_type::ANONYMOUS,
            Self::Anonymous => name_type::ANONYMOUS,
            Self::Enterprise(_) => name_type::ENTERPRISE,
            Self::HostbasedService { .. } => name_type::HOSTBASED_SERVICE,
            Self::Principal(_) | Self::PrincipalText(_) => name_type::KRB5_PRINCIPAL,
            Self::Uid(_) => name_type::STRING_UID,
            Self::User(_) => name_type::USER_NAME,
        }
    }

    /// Whether the name says that its bearer is unknown: also the principal `WELLKNOWN/ANONYMOUS`, in any realm
    /// (RFC 8062 §3).
    pub fn is_anonymous(&self) -> bool {
        match self {
            Self::Anonymous => true,
            Self::Principal(principal) => principal::is_anonymous(principal),
            _ => false,
        }
    }

    /// The mechanism whose name it is, if it is a mechanism name (`gss_inquire_name`, RFC 6680 §7.1).
    pub fn mechanism(&self) -> Option<&'static Mechanism> {
        matches!(self, Self::Principal(_)).then_some(&mechanism::KRB5)
    }

    /// The mechanisms that can use the name (`gss_inquire_mechs_for_name`, RFC 2743 §2.4.12).
    pub fn mechanisms(&self) -> Vec<&'static Mechanism> {
        match self.mechanism() {
            Some(own) => vec![own],
            None => mechanism::for_name_type(&self.name_type()),
        }
    }

    fn import_anonymous(_: &[u8]) -> Result<Self, BadName> {
        // What stands there is for people, and tells nobody apart (RFC 2743 §4.5).
        Ok(Self::Anonymous)
    }

    fn import_enterprise(octets: &[u8]) -> Result<Self, BadName> {
        let text = text(octets)?;
        if text.is_empty() {
            return Err(BadName::Malformed("the enterprise name is empty".into()));
        }
        Ok(Self::Enterprise(text.to_owned()))
    }

    fn import_hostbased(octets: &[u8]) -> Result<Self, BadName> {
        Self::parse_hostbased(text(octets)?)
    }

    fn import_principal(octets: &[u8]) -> Result<Self, BadName> {
        let text = text(octets)?;
        Principal::parse(text, Some(""))?;
        Ok(Self::PrincipalText(text.to_owned()))
    }

    fn import_uid(octets: &[u8]) -> Result<Self, BadName> {
        let uid = octets.try_into().map(u32::from_ne_bytes);
        uid.map(Self::Uid).map_err(|_| {
            BadName::Malformed(format!("a user's number has four octets, these are {}", octets.len()))
        })
    }

    fn import_uid_digits(octets: &[u8]) -> Result<Self, BadName> {
        let digits = text(octets)?;
        match digits.parse() {
            Ok(uid) if digits.bytes().all(|letter| letter.is_ascii_digit()) => Ok(Self::Uid(uid)),
            _ => Err(BadName::Malformed(format!("{digits:?} is no user's number"))),
        }
    }

    fn import_user(octets: &[u8]) -> Result<Self, BadName> {
        let text = text(octets)?;
        Principal::parse(text, Some(""))?;
        Ok(Self::User(text.to_owned()))
    }
}

/// How names of each type are read.
type Import = fn(&[u8]) -> Result<Name, BadName>;

static IMPORTS: [(Oid, Import); 10] = [
    (name_type::ANONYMOUS, Name::import_anonymous),
    (name_type::COMPOSITE_EXPORTED, Name::from_exported),
    (name_type::ENTERPRISE, Name::import_enterprise),
    (name_type::EXPORTED, Name::from_exported),
    (name_type::HOSTBASED_SERVICE, Name::import_hostbased),
    (name_type::HOSTBASED_SERVICE_X, Name::import_hostbased),
    (name_type::KRB5_PRINCIPAL, Name::import_principal),
    (name_type::MACHINE_UID, Name::import_uid),
    (name_type::STRING_UID, Name::import_uid_digits),
    (name_type::USER_NAME, Name::import_user),
];

/// The text of a name.
fn text(octets: &[u8]) -> Result<&str, BadName> {
    let text = std::str::from_utf8(octets).map_err(|_| BadName::Malformed("the name is not UTF-8".into()))?;
    if octets.contains(&0) {
        return Err(BadName::Malformed(format!("the name {text:?} contains a NUL")));
    }
    Ok(text)
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => principal::anonymous().fmt(f),
            Self::HostbasedService { service, host: Some(host) } => write!(f, "{service}@{host}"),
            Self::HostbasedService { service, host: None } => f.write_str(service),
            Self::Principal(principal) => principal.fmt(f),
            Self::Uid(uid) => uid.fmt(f),
            Self::Enterprise(text) | Self::PrincipalText(text) | Self::User(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests;
