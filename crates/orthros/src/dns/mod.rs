//! A small DNS client: where KDCs are, what a host is canonically called, which realm it belongs to.
//!
//! | file | what it does |
//! |---|---|
//! | `message` | questions out, answers in |
//! | `transport` | UDP, and TCP for what is longer |
//! | `system` | which servers: `resolv.conf` |
//! | `hosts` | the table of hosts, which is looked through before a server is asked |
//! | `locate` | KDCs by URI and SRV records |
//! | `canonical` | canonical names of hosts, and their realms |
//! | `asked` | what is asked by the configuration |
//!
//! Bounds: each server is asked so often and waited for so long as `resolv.conf` says, and all that one call asks
//! ends after [`Dns::total_limit`]; an answer has at most 65,535 octets; at most eight aliases are followed. An
//! answer counts if it comes from the server's address to the query's own port, repeats its random number and its
//! question. That keeps out those who can't read along, and no others: DNS without DNSSEC is not authenticated.
//! What it says therefore chooses whom to ask, and never proves anything: a KDC proves itself by its replies, and a
//! service by its ticket. (A false canonical name can still lead to another service *of the same realm*; who fears
//! that sets `dns_canonicalize_hostname = false`.)
//!
//! Why not the system's resolver: it knows addresses only, neither SRV nor TXT records, and the standard library
//! leaves out canonical names. The price: sources that `nsswitch.conf` may name beside files and DNS (mDNS,
//! LDAP, `myhostname`) are not asked here. Addresses of configured KDCs still come from the system's resolver.
//!
//! Deliberately not here: DNSSEC, EDNS, DNS over TLS, and answers kept beyond where KDCs are.

mod asked;
mod canonical;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod hosts;
mod locate;
mod message;
mod system;
mod transport;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use orthros_wire::Random;

pub use error::DnsError;
pub use locate::{NotLocated, Role};
pub use message::{Answer, Kind, Record};

pub(crate) use locate::Located;

use crate::trace::{Event, Tracer};
use message::{Question, Reading};
use system::Servers;

use crate::sys::gate;

/// How DNS is asked. Cheap to make; opens sockets only when it asks.
///
/// ```
/// use orthros::dns::Dns;
/// // The system's servers and table of hosts, read at each call.
/// let system = Dns::system();
/// // These servers only.
/// let own = Dns::servers(["127.0.0.1:5353".parse()?]);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Dns {
    source: Source,
    hosts: Option<PathBuf>,
    total_limit: Duration,
    tracer: Tracer,
}

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    Given(Servers),
}

impl Dns {
    /// As the system does it: servers and search domains from `/etc/resolv.conf`, and `/etc/hosts` before them;
    /// both are read anew at each call.
    pub fn system() -> Self {
        Self {
            source: Source::File("/etc/resolv.conf".into()),
            hosts: Some("/etc/hosts".into()),
            total_limit: Duration::from_secs(20),
            tracer: Tracer::default(),
        }
    }

    /// Asks these servers only, in their order, twice each, five seconds each time; no table of hosts, no search
    /// domains.
    pub fn servers(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        let servers = Servers::of(servers.into_iter().collect());
        let (total_limit, tracer) = (Duration::from_secs(20), Tracer::default());
        Self { source: Source::Given(servers), hosts: None, total_limit, tracer }
    }

    /// Looks through this table of hosts before a server is asked.
    pub fn hosts_file(self, path: impl Into<PathBuf>) -> Self {
        Self { hosts: Some(path.into()), ..self }
    }

    /// Completes names without a dot by these domains, in their order, as `search` in `resolv.conf` does.
    pub fn search(self, domains: impl IntoIterator<Item = String>) -> Self {
        let mut servers = self.current();
        servers.search = domains.into_iter().collect();
        Self { source: Source::Given(servers), ..self }
    }

    /// How long silence of a server may be, and how often each is asked.
    pub fn patience(self, try_limit: Duration, tries: u32) -> Self {
        let servers = Servers { try_limit, tries, ..self.current() };
        Self { source: Source::Given(servers), ..self }
    }

    /// Ends everything that one call asks; 20 s otherwise.
    pub fn total_limit(self, limit: Duration) -> Self {
        Self { total_limit: limit, ..self }
    }

    /// With whoever is told what is asked.
    pub(crate) fn traced(self, tracer: &Tracer) -> Self {
        Self { tracer: tracer.clone(), ..self }
    }

    /// Asks for the records of a kind that `name` has. The name is taken as it is: no search domain is put behind
    /// it, and the table of hosts is not looked at. Blocks, at most for the whole limit.
    ///
    /// # Errors
    /// [`DnsError`]; that there are no such records is an error too.
    pub fn lookup(&self, name: &str, kind: Kind, random: &dyn Random) -> Result<Answer, DnsError> {
        self.asker(random).lookup(name, kind)
    }

    /// The addresses of a host: from the table of hosts, else IPv4 addresses, then IPv6 addresses. A numeric
    /// address is its own. Blocks, at most for the whole limit.
    ///
    /// # Errors
    /// [`DnsError`] if it has none.
    pub fn addresses(&self, host: &str, random: &dyn Random) -> Result<Vec<IpAddr>, DnsError> {
        let mut asker = self.asker(random);
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if let Some((_, addresses)) = hosts::by_name(&asker.hosts, host) {
            return Ok(addresses);
        }
        let (v4, v6) = (asker.lookup(host, Kind::A), asker.lookup(host, Kind::Aaaa));
        let both = [&v4, &v6].into_iter().flatten().flat_map(|answer| &answer.records);
        let addresses: Vec<IpAddr> = both
            .filter_map(|record| match record {
                Record::Address(address) => Some(*address),
                _ => None,
            })
            .collect();
        if addresses.is_empty() { v4.and(v6).map(|_| addresses) } else { Ok(addresses) }
    }

    /// Whether names are to be asked from these servers and no others: then also those of KDCs.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.source, Source::Given(_))
    }

    /// The domain that short host names lie in: the first search domain.
    pub(crate) fn first_search_domain(&self) -> Option<String> {
        self.current().search.into_iter().next().filter(|domain| domain != ".")
    }

    fn current(&self) -> Servers {
        match &self.source {
            Source::File(path) => Servers::from_file(path),
            Source::Given(servers) => servers.clone(),
        }
    }

    fn asker<'r>(&'r self, random: &'r dyn Random) -> Asker<'r> {
        let hosts = self.hosts.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        Asker {
            servers: self.current(),
            hosts: hosts.unwrap_or_default(),
            random,
            tracer: &self.tracer,
            deadline: Instant::now() + self.total_limit,
        }
    }
}

/// What one call asks, within one limit.
struct Asker<'r> {
    servers: Servers,
    /// The table of hosts.
    hosts: String,
    random: &'r dyn Random,
    tracer: &'r Tracer,
    deadline: Instant,
}

impl Asker<'_> {
    /// Asks one server after the other until one knows.
    fn lookup(&mut self, name: &str, kind: Kind) -> Result<Answer, DnsError> {
        let not_found = || DnsError::NotFound { name: name.to_owned(), kind };
        let mut tried = Vec::new();
        for _ in 0..self.servers.tries {
            for server in &self.servers.addresses {
                let ends = self.deadline.min(Instant::now() + self.servers.try_limit);
                let mut id = [0; 2];
                self.random.fill(&mut id);
                let question = Question::new(u16::from_be_bytes(id), name, kind)
                    .ok_or_else(|| DnsError::Name(name.to_owned()))?;
                let tracer = self.tracer;
                let told = |said: &str| tracer.tell(Event::NameServer { server: *server, name, kind, said });
                let what = match gate::outside(|| transport::ask(*server, &question, ends)) {
                    Ok(Reading::Answer(answer)) if !answer.records.is_empty() => {
                        told(&format!("{} records", answer.records.len()));
                        return Ok(answer);
                    }
                    Ok(Reading::Answer(_) | Reading::NoSuchName) => {
                        told("there is none");
                        return Err(not_found());
                    }
                    Ok(Reading::Refused(code)) => format!("it can't say (code {code})"),
                    Ok(Reading::Foreign | Reading::Malformed | Reading::Truncated) => {
                        "its answer can't be read".to_owned()
                    }
                    Err(error) if is_silence(&error) => "no answer".to_owned(),
                    Err(error) => error.to_string(),
                };
                told(&what);
                let what = format!("{server}: {what}");
                if !tried.contains(&what) {
                    tried.push(what);
                }
                if Instant::now() >= self.deadline {
                    tried.push("the limit in all was reached".to_owned());
                    return Err(unanswered(name, kind, &tried));
                }
            }
        }
        Err(unanswered(name, kind, &tried))
    }
}

fn unanswered(name: &str, kind: Kind, tried: &[String]) -> DnsError {
    let tried = if tried.is_empty() { "there is no name server".to_owned() } else { tried.join("; ") };
    DnsError::Unanswered { name: name.to_owned(), kind, tried }
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
