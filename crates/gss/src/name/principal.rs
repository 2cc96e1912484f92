//! Whom a name means to Kerberos (RFC 1964 §2.1): the canonical name of the mechanism.

use orthros_krb5::Principal;
use orthros_krb5::config::Config;
use orthros_krb5::principal::NameType;

use super::{BadName, Name};

impl Name {
    /// Whom the name means to Kerberos (`gss_canonicalize_name`). A service's realm is that of its host by
    /// `[domain_realm]`, else `fallback_realm`, else the default realm.
    ///
    /// # Errors
    /// [`BadName`] if no realm is known or the text is malformed; [`BadName::Uid`] for a user's number, whose
    /// name the system has to be asked for first.
    pub fn to_principal(&self, config: &Config, fallback_realm: Option<&str>) -> Result<Principal, BadName> {
        let default_realm = config.default_realm.as_deref();
        match self {
            Self::Anonymous => Ok(anonymous()),
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
                // A final dot says that the name is complete; principals are written without it.
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let realm = config
                    .realm_of_host(&host)
                    .or(fallback_realm)
                    .or(default_realm)
                    .ok_or_else(|| BadName::NoRealm(self.to_string()))?;
                Ok(Principal::new(NameType::SRV_HST, [service.as_str(), &host], realm))
            }
        }
    }
}

/// One component, `@` included; a realm stands behind the second `@` only.
fn enterprise(text: &str, default_realm: Option<&str>) -> Result<Principal, BadName> {
    let end = text.match_indices('@').nth(1).map_or(text.len(), |(place, _)| place);
    let (name, realm) = text.split_at_checked(end).unwrap_or((text, ""));
    let realm = realm.strip_prefix('@').filter(|realm| !realm.is_empty()).or(default_realm);
    let realm = realm.ok_or_else(|| BadName::NoRealm(text.to_owned()))?;
    Ok(Principal::new(NameType::ENTERPRISE, [name], realm))
}

/// The anonymous principal that tells not even its realm (RFC 8062 §3).
pub(super) fn anonymous() -> Principal {
    Principal::new(NameType::WELLKNOWN, ["WELLKNOWN", "ANONYMOUS"], "WELLKNOWN:ANONYMOUS")
}

pub(super) fn is_anonymous(principal: &Principal) -> bool {
    matches!(principal.components(), [first, second] if first == "WELLKNOWN" && second == "ANONYMOUS")
}
