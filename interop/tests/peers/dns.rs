//! Names and places: MIT's KDC found by our DNS client through a name server of the test; hosts called as MIT's
//! library calls them.
//!
//! MIT's library asks the system's resolver, which can't be pointed to a name server of the test. So the two are
//! compared where they both go by configuration or by the machine's table of hosts; aliases and reverse entries of
//! DNS are tried with MIT's KDC alone.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use interop::peers::Peer;
use interop::{Failure, Realm, Scenario, Side};
use orthros::dns::Dns;
use orthros::{Config, Name, Need, Orthros, Step};

use crate::name_server::{NameServer, SRV, URI, Zone, srv, uri};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let both = [Peer::MIT, &[Peer::KVNO]].concat();
    vec![
        Scenario::new("dns::mits_kdc_is_found_by_srv_records", Peer::MIT, || found(false)),
        Scenario::new("dns::mits_kdc_is_found_by_uri_records", Peer::MIT, || found(true)),
        Scenario::new("dns::hosts_are_called_as_mit_calls_them_by_configuration", &both, by_configuration),
        Scenario::new("dns::hosts_are_called_as_mit_calls_them_by_the_table_of_hosts", &both, by_table),
    ]
}

fn realm() -> Result<Realm, Failure> {
    let realm = Realm::build("DNS.TEST").principal("alice", "wonderland");
    realm.service("host/web1.dns.test").service("host/node7.dns.test").start(Side::Mit)
}

fn fault(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}

/// No KDC is configured; tickets for an alias and for a reversed name come from the KDC that DNS names.
fn found(by_uri: bool) -> Result<(), Failure> {
    let realm = realm()?;
    let mut zone = Zone::default()
        .address("kdc.dns.test", "127.0.0.1")
        .alias("www.dns.test", "web1.dns.test")
        .address("web1.dns.test", "192.0.2.1")
        .pointer("1.2.0.192.in-addr.arpa", "node7.dns.test");
    // In the other kind of record stands a place where nobody is.
    let (uri_port, srv_port) = if by_uri { (realm.port, 9) } else { (9, realm.port) };
    if by_uri {
        zone = zone.with(
            "_kerberos.DNS.TEST",
            URI,
            uri(0, 0, &format!("krb5srv:m:udp:kdc.dns.test:{uri_port}")),
        );
    }
    zone = zone.with("_kerberos._udp.DNS.TEST", SRV, srv(0, 0, srv_port, "kdc.dns.test"));
    let server = NameServer::start(zone);
    for (lines, wanted) in [
        ("rdns = false", "host/web1.dns.test@DNS.TEST"),
        ("rdns = true", "host/node7.dns.test@DNS.TEST"),
        ("dns_canonicalize_hostname = fallback\nrdns = false", "host/web1.dns.test@DNS.TEST"),
    ] {
        let text = format!("[libdefaults]\ndefault_realm = DNS.TEST\n{lines}\n");
        let dns = Dns::servers([server.address]).patience(Duration::from_secs(1), 2);
        let orthros = Orthros::builder().config_text(&text).map_err(fault)?.dns(dns).build();
        let called = called(&orthros, "WWW.dns.test.")?;
        assert_eq!(called, wanted, "{lines}");
    }
    Ok(())
}

/// The principal for which a ticket for `host@HOST` is got, or was wanted.
fn called(orthros: &Orthros, host: &str) -> Result<String, Failure> {
    let alice = orthros.acquire("alice").password("wonderland").blocking().map_err(fault)?;
    let mut step = orthros.initiate_with(&alice, Name::hostbased_service("host", host)).start();
    loop {
        step = match step {
            Step::Need(Need::Store(need)) => {
                let ticket = need.tickets().last().ok_or_else(|| Failure::new("no ticket"))?;
                return Ok(ticket.server.to_string());
            }
            Step::Need(need) => orthros.provide(need),
            Step::Failed(error) => {
                let text = error.to_string();
                let named = text.split_whitespace().find(|word| word.starts_with("host/"));
                let named = named.ok_or_else(|| Failure::new(text.clone()))?;
                return Ok(named.trim_end_matches([',', ':', ';', '.']).to_owned());
            }
            other => return Err(Failure::new(format!("{other:?}"))),
        };
    }
}

/// What MIT's library makes of the host, and what ours makes of it, with these lines in `krb5.conf`.
fn compare(realm: &Realm, lines: &str, host: &str) -> Result<(), Failure> {
    let plain = fs::read_to_string(&realm.config)?;
    let given: String = plain
        .lines()
        .filter(|line| !line.contains("dns_canonicalize_hostname") && !line.contains("rdns"))
        .map(|line| format!("{line}\n"))
        .collect();
    let text = given.replace("[libdefaults]", &format!("[libdefaults]\n{lines}"));
    fs::write(&realm.config, &text)?;
    let finished = realm.peer(Peer::KVNO, &["-S", "host", host], "");
    fs::write(&realm.config, plain)?;
    let finished = finished?;
    let said = finished.stdout.clone() + &finished.stderr;
    let theirs = said.split_whitespace().rfind(|word| word.starts_with("host/"));
    // Their library leaves the realm open where none is configured for the host.
    let name = |principal: &str| principal.rsplit_once('@').map_or(principal, |(name, _)| name).to_owned();
    let theirs = name(theirs.ok_or_else(|| finished.complaint("kvno names no principal"))?);
    // The search list of this machine plays no part: either kind has its own way to it.
    let config = Config::parse(&text).map_err(fault)?;
    let orthros = Orthros::builder().config(config).dns(Dns::servers([]).hosts_file("/etc/hosts")).build();
    let ours = name(&called(&orthros, host)?);
    if ours == theirs {
        return Ok(());
    }
    Err(Failure::new(format!("{host} with {lines:?}: MIT's library says {theirs}, ours {ours}")))
}

fn by_configuration() -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &[])?;
    let no = "dns_canonicalize_hostname = false";
    for (more, host) in [
        ("", "web1.dns.test"),
        ("", "WEB1.Dns.Test"),
        ("", "web1.dns.test."),
        ("", "unknown.dns.test"),
        ("", "192.0.2.1"),
        ("", "Db.dns.test:1433"),
        ("", "Db.dns.test:Instance"),
        ("qualify_shortname = dns.test", "web1"),
        ("qualify_shortname = dns.test", "WEB1"),
        ("qualify_shortname = dns.test", "other.place"),
        ("qualify_shortname = dns.test", "db:1433"),
        ("qualify_shortname = \"\"", "web1"),
    ] {
        compare(&realm, &format!("{no}\n{more}\n"), host)?;
    }
    Ok(())
}

fn by_table() -> Result<(), Failure> {
    let realm = realm()?;
    realm.kinit(Side::Own, "alice", &[])?;
    let table = fs::read_to_string("/etc/hosts")?;
    // Names of this machine that have one kind of address: of which is the first, the C library has its own idea.
    let mut hosts = vec!["127.0.0.1".to_owned()];
    for line in table.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(Ok(IpAddr::V4(address))) = words.next().map(str::parse) else { continue };
        if address.is_loopback() {
            hosts.extend(words.map(str::to_owned));
        }
    }
    let six = |host: &String| {
        table.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|address| address.contains(':')) && words.any(|word| word == host)
        })
    };
    hosts.retain(|host| !six(host));
    for host in hosts {
        for reverse in ["rdns = false", "rdns = true"] {
            let lines = format!("dns_canonicalize_hostname = true\nqualify_shortname = \"\"\n{reverse}\n");
            compare(&realm, &lines, &host)?;
        }
    }
    Ok(())
}
