//! Which principals a target may mean, and in which order they are tried.
//!
//! The rules are MIT krb5's (`krb5.conf(5)`: `dns_canonicalize_hostname`, `rdns`, `qualify_shortname`,
//! `dns_lookup_realm`; RFC 4120 §6.2.1 advises against asking an unprotected DNS, and leaves it open):
//!
//! | `dns_canonicalize_hostname` | tried, in order |
//! |---|---|
//! | `true` | the host's canonical name; where DNS knows none, the name as written |
//! | `fallback` | the name as written; where the KDC does not know it, the canonical name |
//! | `false` | the name as written |
//!
//! A name as written has its final dot off, its letters small, and, if it has no dot, the domain of
//! `qualify_shortname` behind it. What follows a single colon (`host:port`) is no part of the host and stays. The
//! realm is that of `[domain_realm]`, else the client's; a realm that DNS names is tried last.
//!
//! Not here: asking DNS, which is the driver's part ([`NeedResolve`](crate::context::NeedResolve)).

use std::collections::VecDeque;

use orthros_krb5::Principal;
use orthros_krb5::config::{CanonicalizeHost, Config};
use orthros_krb5::principal::NameType;

use crate::Name;
use crate::name::{BadName, plain_host, split_trailer};

/// What a name service is asked about a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// As written, without what follows a colon.
    pub(crate) host: String,
    /// Whether its canonical name is wanted.
    pub(crate) canonical: bool,
    /// Whether the name of its address takes precedence.
    pub(crate) reverse: bool,
    /// Whether its realm is wanted.
    pub(crate) realm: bool,
}

/// What a name service knows about a host. Nothing of it is believed: it chooses which ticket is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The canonical name, if one is known.
    pub canonical: Option<String>,
    /// The realm, if one is named.
    pub realm: Option<String>,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A ticket for this principal is to be tried.
    Principal(Principal),
    /// A name service must be asked first.
    Ask(Question),
}

/// The principals that a name may mean.
#[derive(Debug)]
pub(crate) struct Targets {
    ready: VecDeque<Principal>,
    /// Asked when no principal is ready.
    question: Option<Question>,
    /// Everything that ever was ready.
    known: Vec<Principal>,
    /// The service and what follows the host.
    service: String,
    trailer: String,
    client_realm: String,
}

impl Targets {
    /// Begins with a name as a program gave it.
    pub(crate) fn new(name: &Name, config: &Config, client_realm: &str) -> Result<Self, BadName> {
        let written = name.to_principal(config, Some(client_realm))?;
        let mut targets = Self {
            ready: VecDeque::new(),
            question: None,
            known: Vec::new(),
            service: String::new(),
            trailer: String::new(),
            client_realm: client_realm.to_owned(),
        };
        let Name::HostbasedService { service, host: Some(host) } = name else {
            targets.add(written);
            return Ok(targets);
        };
        let (host, trailer) = split_trailer(host);
        targets.service.clone_from(service);
        trailer.clone_into(&mut targets.trailer);
        let canonical = config.dns_canonicalize_hostname != CanonicalizeHost::No;
        let realm = config.dns_lookup_realm;
        if canonical || realm {
            let reverse = canonical && config.rdns;
            targets.question = Some(Question { host: host.to_owned(), canonical, reverse, realm });
        }
        if config.dns_canonicalize_hostname != CanonicalizeHost::Yes {
            targets.add(written);
        }
        Ok(targets)
    }

    /// What to try or to ask next; `None` if nothing is left.
    pub(crate) fn next(&mut self) -> Option<Next> {
        match self.ready.pop_front() {
            Some(principal) => Some(Next::Principal(principal)),
            None => self.question.take().map(Next::Ask),
        }
    }

    /// Takes what a name service knows; the default if it knows nothing or can't be asked.
    pub(crate) fn resolved(&mut self, question: &Question, resolved: Resolved, config: &Config) {
        let host = match resolved.canonical.filter(|name| question.canonical && is_host(name)) {
            // A canonical name is complete; the name as written may have to be completed.
            Some(canonical) => plain_host(&canonical, None),
            None => plain_host(&question.host, config.qualify_shortname.as_deref()),
        };
        let configured = config.realm_of_host(&host);
        let named = resolved.realm.filter(|name| question.realm && configured.is_none() && is_realm(name));
        let near = self.on(&host, configured.unwrap_or(&self.client_realm));
        let far = named.map(|realm| self.on(&host, &realm));
        self.add(near);
        if let Some(far) = far {
            self.add(far);
        }
    }

    /// The service on a host of a realm.
    fn on(&self, host: &str, realm: &str) -> Principal {
        let host = format!("{host}{}", self.trailer);
        Principal::new(NameType::SRV_HST, [self.service.as_str(), &host], realm)
    }

    /// Nothing is tried twice.
    fn add(&mut self, principal: Principal) {
        if !self.known.contains(&principal) {
            self.known.push(principal.clone());
            self.ready.push_back(principal);
        }
    }
}

/// Whether a canonical name can be a host's: what DNS says ends up in a principal, and an address is no name.
fn is_host(name: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    name.len() <= 255 && !name.trim_end_matches('.').is_empty() && name.bytes().all(plain)
}

/// Whether a realm that DNS names can be one: printable, and nothing that text forms give a meaning to.
fn is_realm(name: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_graphic() && !b"/@\\".contains(&octet);
    (1..=255).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All principals, with the question where it stands among them.
    fn tried(text: &str, host: &str, canonical: &str, realm: &str) -> Vec<String> {
        let text = format!("[libdefaults]\n{text}\n[domain_realm]\n.known.test = KNOWN.TEST\n");
        let config = Config::parse(&text).unwrap();
        let name = Name::hostbased_service("HTTP", host);
        let mut targets = Targets::new(&name, &config, "CLIENT.TEST").unwrap();
        let mut seen = Vec::new();
        while let Some(next) = targets.next() {
            match next {
                Next::Principal(principal) => seen.push(principal.to_string()),
                Next::Ask(question) => {
                    seen.push(format!("ask {}", question.host));
                    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
                    let resolved = Resolved { canonical: some(canonical), realm: some(realm) };
                    targets.resolved(&question, resolved, &config);
                }
            }
        }
        seen
    }

    const YES: &str = "";
    const NO: &str = "dns_canonicalize_hostname = false";
    const FALLBACK: &str = "dns_canonicalize_hostname = fallback";

    #[test]
    fn each_policy_tries_its_names_in_its_order() {
        let (written, canonical) = ("HTTP/www.a.test@CLIENT.TEST", "HTTP/web1.known.test@KNOWN.TEST");
        for (policy, wanted) in [
            (YES, vec!["ask WWW.a.test.", canonical]),
            (NO, vec![written]),
            (FALLBACK, vec![written, "ask WWW.a.test.", canonical]),
        ] {
            assert_eq!(tried(policy, "WWW.a.test.", "Web1.Known.test.", "IGNORED"), wanted, "{policy}");
        }
        // What DNS does not know, or says as it was, is tried once.
        for said in ["", "www.A.test"] {
            assert_eq!(tried(YES, "www.a.test", said, ""), ["ask www.a.test", written]);
            assert_eq!(tried(FALLBACK, "www.a.test", said, ""), [written, "ask www.a.test"]);
        }
    }

    #[test]
    fn what_no_host_can_be_called_never_gets_into_a_principal() {
        for said in ["a/b", "a@EVIL", "a b", "a\nb", "a\0b", ".", "\u{e4}", &"x".repeat(256), "2001:db8::1"] {
            assert_eq!(tried(YES, "www.a.test", said, ""), ["ask www.a.test", "HTTP/www.a.test@CLIENT.TEST"]);
        }
    }

    #[test]
    fn a_short_name_is_completed_unless_dns_has_done_it() {
        let completed = "qualify_shortname = a.test\n";
        let with = |policy: &str| format!("{completed}{policy}");
        assert_eq!(tried(&with(NO), "www", "", ""), ["HTTP/www.a.test@CLIENT.TEST"]);
        assert_eq!(tried(&with(YES), "www", "", ""), ["ask www", "HTTP/www.a.test@CLIENT.TEST"]);
        assert_eq!(tried(&with(YES), "www", "www", ""), ["ask www", "HTTP/www@CLIENT.TEST"]);
        assert_eq!(
            tried("qualify_shortname =\"\"\ndns_canonicalize_hostname = false", "www", "", ""),
            ["HTTP/www@CLIENT.TEST"]
        );
    }

    #[test]
    fn addresses_and_ports_are_left_as_they_are() {
        let no = "qualify_shortname = a.test\ndns_canonicalize_hostname = false";
        assert_eq!(tried(no, "192.0.2.1", "", ""), ["HTTP/192.0.2.1@CLIENT.TEST"]);
        assert_eq!(tried(no, "2001:DB8::1", "", ""), ["HTTP/2001:db8::1@CLIENT.TEST"]);
        assert_eq!(tried(no, "Db.Known.test:1433", "", ""), ["HTTP/db.known.test:1433@KNOWN.TEST"]);
        let asked = tried(YES, "db.a.test:Instance", "node.known.test", "");
        assert_eq!(asked, ["ask db.a.test", "HTTP/node.known.test:Instance@KNOWN.TEST"]);
    }

    #[test]
    fn a_realm_from_dns_is_tried_last_and_only_where_none_is_configured() {
        let on = "dns_lookup_realm = true\n";
        let with = |policy: &str| format!("{on}{policy}");
        let (here, there) = ("HTTP/www.a.test@CLIENT.TEST", "HTTP/www.a.test@DNS.TEST");
        assert_eq!(tried(&with(YES), "www.a.test", "", "DNS.TEST"), ["ask www.a.test", here, there]);
        assert_eq!(
            tried(&with(NO), "www.a.test", "ignored.test", "DNS.TEST"),
            [here, "ask www.a.test", there]
        );
        let known = "HTTP/www.known.test@KNOWN.TEST";
        assert_eq!(tried(&with(YES), "www.known.test", "", "DNS.TEST"), ["ask www.known.test", known]);
        for realm in ["A@B", "A/B", "A\\B", "A B", &"x".repeat(256)] {
            assert_eq!(tried(&with(YES), "www.a.test", "", realm), ["ask www.a.test", here]);
        }
    }

    #[test]
    fn a_principal_is_taken_as_it_is() {
        let config = Config::default();
        let name = Name::Principal("HTTP/Host@OTHER".parse().unwrap());
        let mut targets = Targets::new(&name, &config, "CLIENT.TEST").unwrap();
        assert_eq!(targets.next(), Some(Next::Principal("HTTP/Host@OTHER".parse().unwrap())));
        assert_eq!(targets.next(), None);
    }
}
