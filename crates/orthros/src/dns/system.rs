//! Which servers are asked: `resolv.conf(5)`.

use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use resolv_conf::{Config, ScopedIp};

/// The servers' port.
const PORT: u16 = 53;

/// No more servers are asked than the C library asks.
const MOST_SERVERS: usize = 3;

/// Servers, and how they are asked.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    pub(super) addresses: Vec<SocketAddr>,
    /// Silence that ends a try.
    pub(super) try_limit: Duration,
    /// How often each server is asked.
    pub(super) tries: u32,
    /// Domains that names with few dots are completed by.
    pub(super) search: Vec<String>,
    /// A name with so many dots is first asked for as it is.
    pub(super) dots: usize,
}

impl Servers {
    /// What the C library takes if nothing is configured, with these servers.
    pub(super) fn of(addresses: Vec<SocketAddr>) -> Self {
        Self { addresses, try_limit: Duration::from_secs(5), tries: 2, search: Vec::new(), dots: 1 }
    }

    /// Reads `resolv.conf`. Lines that can't be understood are passed over; without a server, or without the file,
    /// this machine's own is asked; without search domains, this machine's own is one: all as the C library does.
    /// The variables `LOCALDOMAIN` and `RES_OPTIONS` count for nothing here.
    pub(super) fn from_file(path: &Path) -> Self {
        let mut servers = Self::from_octets(&fs::read(path).unwrap_or_default());
        if servers.search.is_empty() {
            let node = rustix::system::uname();
            let domain = node.nodename().to_str().ok().and_then(|name| name.split_once('.'));
            servers.search.extend(domain.map(|(_, domain)| domain.to_owned()));
        }
        servers
    }

    fn from_octets(octets: &[u8]) -> Self {
        let (mut config, faults) = Config::parse_with_errors(octets);
        for fault in faults {
            tracing::debug!(%fault, "a line of resolv.conf is passed over");
        }
        config.glibc_normalize();
        let addresses = config.get_nameservers_or_local();
        let addresses = addresses.iter().filter_map(address).take(MOST_SERVERS).collect();
        Self {
            // The C library's own bounds.
            try_limit: Duration::from_secs(config.timeout.clamp(1, 30).into()),
            tries: config.attempts.clamp(1, 5),
            search: config.get_last_search_or_domain().cloned().collect(),
            dots: usize::try_from(config.ndots.min(15)).unwrap_or(1),
            ..Self::of(addresses)
        }
    }
}

/// A numeric address, perhaps with the interface that it is reached by: no name is looked up.
fn address(server: &ScopedIp) -> Option<SocketAddr> {
    match server {
        ScopedIp::V4(address) => Some((*address, PORT).into()),
        ScopedIp::V6(address, None) => Some((*address, PORT).into()),
        ScopedIp::V6(address, Some(scope)) => {
            format!("[{address}%{scope}]:{PORT}").to_socket_addrs().ok()?.next()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_faults_still_names_its_servers_and_an_empty_one_means_this_machine() {
        let servers = Servers::from_octets(
            b"# made by hand\nnameserver 192.0.2.1\nnameserver nowhere\nnameserver 2001:db8::1\n\
              search one.test two.test\noptions ndots:2 timeout:0 attempts:9\n",
        );
        let wanted: Vec<SocketAddr> =
            ["192.0.2.1:53", "[2001:db8::1]:53"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(servers.addresses, wanted);
        assert_eq!(servers.search, ["one.test", "two.test"]);
        assert_eq!((servers.dots, servers.try_limit, servers.tries), (2, Duration::from_secs(1), 5));
        assert_eq!(
            Servers::from_octets(b"").addresses,
            ["127.0.0.1:53".parse().unwrap(), "[::1]:53".parse().unwrap()]
        );
    }
}
