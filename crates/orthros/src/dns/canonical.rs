//! What a host is canonically called, and which realm DNS says it belongs to.

use std::net::IpAddr;

use orthros_wire::Random;

use super::{Asker, Dns, DnsError, Kind, Record, hosts};

/// How many domains above a host are asked for its realm.
const MOST_PARENTS: usize = 16;

impl Dns {
    /// The canonical name of `host`: the first name of its line in the table of hosts, or what its aliases end at;
    /// names with few dots are completed by the search domains. If `reverse` is set, the name of its first address
    /// takes precedence, and a numeric address has the name that its reverse entry gives. Blocks, at most for the
    /// whole limit.
    ///
    /// Addresses are tried in the order of the table of hosts, else IPv4 before IPv6.
    ///
    /// # Errors
    /// [`DnsError`] if nothing is known about the host; the last name that was asked for stands in it.
    pub fn canonical_name(&self, host: &str, reverse: bool, random: &dyn Random) -> Result<String, DnsError> {
        let mut asker = self.asker(random);
        if let Ok(address) = host.parse() {
            return if reverse { asker.name_of(address) } else { Ok(host.to_owned()) };
        }
        let (name, address) = asker.forward(host)?;
        // As in MIT krb5, an address without a name takes nothing from the name found.
        let reversed = address.filter(|_| reverse).and_then(|address| asker.name_of(address).ok());
        Ok(reversed.unwrap_or(name))
    }

    /// The realm that the TXT record `_kerberos` of the host, or of the nearest domain above it, names. Blocks, at
    /// most for the whole limit.
    ///
    /// # Errors
    /// [`DnsError`] about the last domain that was asked.
    pub fn realm_of_host(&self, host: &str, random: &dyn Random) -> Result<String, DnsError> {
        let mut asker = self.asker(random);
        let mut domain = host.strip_suffix('.').unwrap_or(host);
        let mut last = Err(DnsError::Name(host.to_owned()));
        if host.parse::<IpAddr>().is_ok() {
            return last;
        }
        for _ in 0..MOST_PARENTS {
            last = asker.realm_of(domain);
            match domain.split_once('.') {
                Some((_, parent)) if matches!(last, Err(DnsError::NotFound { .. })) => domain = parent,
                _ => break,
            }
        }
        last
    }
}

impl Asker<'_> {
    /// The canonical name of a host and its first address.
    fn forward(&mut self, host: &str) -> Result<(String, Option<IpAddr>), DnsError> {
        if let Some((name, addresses)) = hosts::by_name(&self.hosts, host) {
            return Ok((name, addresses.first().copied()));
        }
        let mut last = Err(DnsError::Name(host.to_owned()));
        for name in candidates(host, &self.servers.search, self.servers.dots) {
            for kind in [Kind::A, Kind::Aaaa] {
                last = match self.lookup(&name, kind) {
                    Ok(answer) => {
                        let address = answer.records.first().and_then(|record| match record {
                            Record::Address(address) => Some(*address),
                            _ => None,
                        });
                        return Ok((answer.name, address));
                    }
                    Err(error) => Err(error),
                };
            }
            // A server that does not answer will not answer about the next name.
            if matches!(last, Err(DnsError::Unanswered { .. })) {
                break;
            }
        }
        last
    }

    /// The name of an address.
    fn name_of(&mut self, address: IpAddr) -> Result<String, DnsError> {
        if let Some(name) = hosts::by_address(&self.hosts, address) {
            return Ok(name);
        }
        let name = reverse_name(address);
        let answer = self.lookup(&name, Kind::Ptr)?;
        let names = answer.records.into_iter().filter_map(|record| match record {
            Record::Name(name) if !name.is_empty() => Some(name),
            _ => None,
        });
        names.into_iter().next().ok_or(DnsError::NotFound { name, kind: Kind::Ptr })
    }

    fn realm_of(&mut self, domain: &str) -> Result<String, DnsError> {
        let name = format!("_kerberos.{domain}");
        let answer = self.lookup(&name, Kind::Txt)?;
        let realms = answer.records.into_iter().filter_map(|record| match record {
            Record::Text(text) => Some(text.strip_suffix('.').unwrap_or(&text).to_owned()),
            _ => None,
        });
        // An empty text names no realm.
        let mut realms = realms.filter(|realm| !realm.is_empty());
        realms.next().ok_or(DnsError::NotFound { name, kind: Kind::Txt })
    }
}

/// The names under which a host is asked for, in order (`resolv.conf(5)`, `search` and `ndots`).
fn candidates(host: &str, search: &[String], dots: usize) -> Vec<String> {
    if host.ends_with('.') {
        return vec![host.to_owned()];
    }
    let completed = search.iter().map(|domain| match domain.trim_matches('.') {
        "" => host.to_owned(),
        domain => format!("{host}.{domain}"),
    });
    if host.matches('.').count() >= dots {
        std::iter::once(host.to_owned()).chain(completed).collect()
    } else {
        completed.chain(std::iter::once(host.to_owned())).collect()
    }
}

/// Under which name the name of an address is kept (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for octet in address.octets().iter().rev() {
                name.push_str(&format!("{:x}.{:x}.", octet & 0xf, octet >> 4));
            }
            name + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_resolv_conf_says() {
        let search = ["a.test".to_owned(), "b.test.".to_owned()];
        assert_eq!(candidates("www", &search, 1), ["www.a.test", "www.b.test", "www"]);
        assert_eq!(candidates("www.x", &search, 1), ["www.x", "www.x.a.test", "www.x.b.test"]);
        assert_eq!(candidates("www.", &search, 1), ["www."]);
        assert_eq!(candidates("www", &[], 1), ["www"]);
    }

    #[test]
    fn an_address_is_asked_for_backwards() {
        assert_eq!(reverse_name("192.0.2.10".parse().unwrap()), "10.2.0.192.in-addr.arpa");
        assert_eq!(
            reverse_name("2001:db8::567:89ab".parse().unwrap()),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
