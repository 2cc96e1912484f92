//! Whom a name means to Kerberos (RFC 1964 §2.1): the canonical name of the mechanism.

use orthros_krb5::Principal;
use orthros_krb5::config::Config;
use orthros_krb5::principal::NameType;

use super::{BadName, Name};

impl Name {
    /// Whom the name means to Kerberos (`gss_canonicalize_name`). A service's realm is that of its host by
    /// `[domain_realm]`, else `fallback_realm`, else the default realm. Its host is taken as it is written, save
    /// that `qualify_shortname` completes a short one: DNS is not asked. A principal without a realm, which is a service
    /// whose host's realm nobody has told yet, gets it in the same order.
    ///
    /// # Errors
    /// [`BadName`] if no realm is known or the text is malformed; [`BadName::Uid`] for a user's number, whose
    /// name the system has to be asked for first.
    pub fn to_principal(&self, config: &Config, fallback_realm: Option<&str>) -> Result<Principal, BadName> {
        let default_realm = config.default_realm.as_deref();
        match self {
            Self::Anonymous => Ok(anonymous()),
            Self::Principal(principal) if principal.realm().is_empty() => {
                let realm =
                    fallback_realm.or(default_realm).ok_or_else(|| BadName::NoRealm(self.to_string()))?;
                Ok(principal.in_realm(realm))
            }
            Self::Principal(principal) => Ok(principal.clone()),
            Self::PrincipalText(text) | Self::User(text) => {
                Ok(Principal::parse(text, default_realm.or(fallback_realm))?)
            }
            Self::Enterprise(text) => enterprise(text, default_realm.or(fallback_realm)),
            Self::Uid(uid) => Err(BadName::Uid(*uid)),
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
                Ok(Principal::new(NameType::SRV_HST, [service.clone(), host + trailer], realm))
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
    let mut host = match domain {
        Some(domain) if !host.contains(['.', ':']) => format!("{host}.{domain}"),
        _ => complete.to_owned(),
    };
    host.make_ascii_lowercase();
    host
}

/// One component, `@` included; a realm stands behind the second `@` only.
fn enterprise(text: &str, default_realm: Option<&str>) -> Result<Principal, BadName> {
    let end = text.match_indices('@').nth(1).map_or(text.len(), |(place, _)| place);
    let (name, realm) = text.split_at_checked(end).unwrap_or((text, ""));
    let realm = realm.strip_prefix('@').filter(|realm| !realm.is_empty()).or(default_realm);
    let realm = realm.ok_or_else(|| BadName::NoRealm(text.to_owned()))?;
    Ok(Principal::enterprise(name, realm))
}

/// The anonymous principal that tells not even its realm (RFC 8062 §3).
pub(super) fn anonymous() -> Principal {
    Principal::new(NameType::WELLKNOWN, ["WELLKNOWN", "ANONYMOUS"], "WELLKNOWN:ANONYMOUS")
}

pub(super) fn is_anonymous(principal: &Principal) -> bool {
    matches!(principal.components(), [first, second] if first == "WELLKNOWN" && second == "ANONYMOUS")
}
