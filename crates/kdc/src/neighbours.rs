//! What a realm knows beyond its own principals: aliases, and where other realms are (RFC 6806, RFC 4120 §1.2).

use std::collections::{BTreeMap, HashMap};

use orthros_krb5::Principal;
use orthros_krb5::config::Capaths;

/// Aliases, the realms of hosts, and the ways between realms.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// What each alias stands for.
    pub(crate) aliases: HashMap<Principal, Principal>,
    /// Realms by host, or by domain with a leading dot; in small letters.
    domains: BTreeMap<String, String>,
    pub(crate) capaths: Capaths,
}

impl Neighbours {
    pub(crate) fn refer(&mut self, domain: String, realm: String) {
        self.domains.insert(domain.to_ascii_lowercase(), realm);
    }

    /// The realm that is known for the host that a service is on.
    pub(crate) fn realm_of(&self, server: &Principal) -> Option<&str> {
        let [_, host] = server.components() else { return None };
        let host = host.to_ascii_lowercase();
        let above = host.match_indices('.').filter_map(|(dot, _)| host.get(dot..));
        std::iter::once(host.as_str())
            .chain(above)
            .find_map(|name| self.domains.get(name))
            .map(String::as_str)
    }
}
