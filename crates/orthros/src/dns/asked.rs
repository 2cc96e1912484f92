//! What an [`Orthros`] asks DNS for, by its configuration. Everything here blocks.

use std::net::SocketAddr;
use std::time::Duration;

use orthros_gss::context::{NeedResolve, Resolved};
use orthros_gss::{Error, Name, Step};
use orthros_krb5::Principal;
use orthros_krb5::config::{CanonicalizeHost, KdcAddress};

use super::Role;
use crate::Orthros;
use crate::kdc_link::{self, Outcome};
use crate::trace::Event;

impl Orthros {
    /// The KDCs of a realm: those that are configured, else those that DNS names.
    pub(crate) fn kdcs_of(&self, realm: &str) -> Result<Vec<KdcAddress>, String> {
        let found = self.find_kdcs_of(realm);
        let told = found.as_deref().map_err(String::as_str);
        let configured = !self.config().kdcs(realm).is_empty();
        self.tell(Event::Places { realm, configured, found: told });
        found
    }

    fn find_kdcs_of(&self, realm: &str) -> Result<Vec<KdcAddress>, String> {
        let configured = self.config().kdcs(realm);
        if !configured.is_empty() {
            return Ok(configured.to_vec());
        }
        let nowhere =
            format!("no KDC of {realm} is configured: add kdc = HOST to {realm} in [realms] of krb5.conf");
        match self.dns().filter(|_| self.config().dns_lookup_kdc) {
            None => Err(nowhere),
            Some(dns) => {
                let uri = self.config().dns_uri_lookup;
                self.located()
                    .find(dns, realm, Role::Kdc, uri, &*self.env().random)
                    .map_err(|asked| format!("{nowhere}; {asked}"))
            }
        }
    }

    /// The addresses of a KDC's host. Names come from the system's resolver, which knows more than DNS; from DNS
    /// where servers were given.
    pub(crate) fn addresses_of(
        &self,
        host: &str,
        port: u16,
        limit: Duration,
    ) -> Result<Vec<SocketAddr>, Outcome> {
        match self.dns().filter(|dns| dns.is_own()) {
            None => kdc_link::resolve(host, port, limit),
            Some(dns) => {
                let found = dns.clone().total_limit(limit).addresses(host, &*self.env().random);
                let addresses = found.map_err(|error| Outcome::NotFound(error.to_string()))?;
                Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
            }
        }
    }

    /// Asks about the host of a target.
    pub(crate) fn resolve_target(&self, need: NeedResolve) -> Step {
        let Some(dns) = self.dns() else { return need.unavailable() };
        let random = &*self.env().random;
        let mut resolved = Resolved::default();
        if need.wants_canonical() {
            let (host, reverse) = (need.host(), need.wants_reverse());
            let found = dns.canonical_name(host, reverse, random);
            self.tell(Event::Canonical { host, found: found.as_deref() });
            resolved.canonical = found.ok();
        }
        if need.wants_realm() {
            let host = resolved.canonical.as_deref().unwrap_or(need.host());
            let found = dns.realm_of_host(host, random);
            self.tell(Event::RealmOfHost { host, found: found.as_deref() });
            resolved.realm = found.ok();
        }
        need.resolved(resolved)
    }

    /// The principal that an acceptor's `service@host` means, as an initiator would name it. With `fallback` the
    /// canonical name counts if there are keys for it and none for the name as written. Where the configuration does not
    /// know the host's realm, it is `realm`, else the default realm.
    pub(crate) fn acceptor_principal(
        &self,
        name: &Name,
        realm: Option<&str>,
        has_keys: impl Fn(&Principal) -> bool,
    ) -> Result<Principal, Error> {
        let policy = self.config().dns_canonicalize_hostname;
        let written = name.to_principal(self.config(), realm)?;
        let canonical = match (name, self.dns()) {
            (Name::HostbasedService { service, host: Some(host) }, Some(dns))
                if policy != CanonicalizeHost::No =>
            {
                let found = dns.canonical_name(host, self.config().rdns, &*self.env().random);
                self.tell(Event::Canonical { host, found: found.as_deref() });
                // The final dot: it is complete.
                found.ok().map(|host| Name::hostbased_service(service, host + "."))
            }
            _ => None,
        };
        let Some(canonical) = canonical else { return Ok(written) };
        let canonical = canonical.to_principal(self.config(), realm)?;
        let written_counts =
            policy == CanonicalizeHost::Fallback && (has_keys(&written) || !has_keys(&canonical));
        Ok(if written_counts { written } else { canonical })
    }
}
