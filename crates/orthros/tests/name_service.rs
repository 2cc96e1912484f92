//! What DNS is asked for, and what comes of it: KDCs by SRV records, services by canonical names. A name server
//! and a KDC of the test, on 127.0.0.1.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "common/name_server.rs"]
mod name_server;

use std::sync::Arc;
use std::time::Duration;

use name_server::{NameServer, SRV, TXT, Zone, srv, txt};
use orthros::dns::Dns;
use orthros::{Builder, Config, Error, InitiatorCredential, KeytabName, Name, Need, Orthros, Step};
use orthros_kdc::{Listener, Realm};

const HOSTS: [&str; 3] = ["www.example.test", "web1.example.test", "node7.hosting.test"];

fn kdc() -> Listener {
    let mut realm = Realm::builder("EXAMPLE.TEST").principal("alice", "open sesame");
    for host in &HOSTS[1..] {
        realm = realm.service(format!("HTTP/{host}"));
    }
    Listener::start(realm.build(&orthros::random::SystemRandom).unwrap()).unwrap()
}

fn zone(kdc: &Listener) -> Zone {
    Zone::default()
        .with("_kerberos._udp.EXAMPLE.TEST", SRV, srv(0, 0, kdc.address().port(), "kdc.example.test"))
        .address("kdc.example.test", "127.0.0.1")
        .alias(HOSTS[0], HOSTS[1])
        .alias("www.other.place", HOSTS[1])
        .address(HOSTS[1], "192.0.2.1")
        .pointer("1.2.0.192.in-addr.arpa", HOSTS[2])
}

/// Everything that `krb5.conf` leaves to DNS is left to it, but for these lines.
fn builder(lines: &str) -> Builder {
    let text = format!("[libdefaults]\ndefault_realm = EXAMPLE.TEST\n{lines}\n");
    Orthros::builder().config(Config::parse(&text).unwrap())
}

fn asking(server: &NameServer, lines: &str) -> Orthros {
    builder(lines).dns(Dns::servers([server.address]).patience(Duration::from_millis(200), 1)).build()
}

fn login(orthros: &Orthros) -> Result<Arc<InitiatorCredential>, Error> {
    orthros.acquire("alice").password("open sesame").blocking()
}

/// The service that a context with `HTTP@host` gets a ticket for, or why it gets none.
fn service(orthros: &Orthros, alice: &Arc<InitiatorCredential>, host: &str) -> Result<String, String> {
    let request = orthros.initiate_with(alice, Name::hostbased_service("HTTP", host));
    let mut step = request.start();
    let mut service = None;
    loop {
        step = match step {
            Step::Need(Need::Store(need)) => {
                service = need.tickets().last().map(|ticket| ticket.server.to_string());
                need.done()
            }
            Step::Need(need) => orthros.provide(need),
            Step::Failed(error) => return Err(error.to_string()),
            Step::Send(_) => return Ok(service.unwrap_or_else(|| "a ticket that was there".into())),
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn a_kdc_is_found_by_srv_records_once_and_its_host_by_the_same_servers() {
    let kdc = kdc();
    let server = NameServer::start(zone(&kdc));
    let orthros = asking(&server, "dns_canonicalize_hostname = false");
    let alice = login(&orthros).unwrap();
    assert_eq!(service(&orthros, &alice, HOSTS[1]).unwrap(), "HTTP/web1.example.test@EXAMPLE.TEST");
    let asked: Vec<_> = server.asked().into_iter().filter(|(_, kind)| *kind == SRV).collect();
    let names = ["_kerberos._udp.EXAMPLE.TEST", "_kerberos._tcp.EXAMPLE.TEST"];
    assert_eq!(asked, names.map(|name| (name.to_owned(), SRV)), "once for all requests");
}

#[test]
fn a_configured_kdc_comes_before_dns_and_without_either_the_error_names_both() {
    let kdc = kdc();
    let server = NameServer::start(zone(&kdc));
    let text = format!(
        "[libdefaults]\ndefault_realm = EXAMPLE.TEST\n[realms]\nEXAMPLE.TEST = {{\nkdc = {}\n}}\n",
        kdc.address()
    );
    let configured = Orthros::builder().config_text(&text).unwrap().dns(Dns::servers([server.address]));
    login(&configured.build()).unwrap();
    for orthros in [asking(&server, "dns_lookup_kdc = false"), builder("").build()] {
        let error = login(&orthros).unwrap_err().to_string();
        assert!(error.contains("add kdc = HOST") && !error.contains("DNS"), "{error}");
    }
    assert_eq!(server.asked(), [], "nobody was to ask");

    let empty = NameServer::start(Zone::default());
    let error = login(&asking(&empty, "")).unwrap_err().to_string();
    assert!(error.contains("_kerberos._udp.EXAMPLE.TEST has no SRV record"), "{error}");
}

#[test]
fn a_service_is_asked_for_by_its_canonical_name_as_configured() {
    let kdc = kdc();
    let server = NameServer::start(zone(&kdc));
    let unknown = "HTTP/www.example.test@EXAMPLE.TEST";
    for (lines, wanted) in [
        ("", Ok("HTTP/node7.hosting.test@EXAMPLE.TEST")),
        ("rdns = false", Ok("HTTP/web1.example.test@EXAMPLE.TEST")),
        ("dns_canonicalize_hostname = fallback\nrdns = false", Ok("HTTP/web1.example.test@EXAMPLE.TEST")),
        ("dns_canonicalize_hostname = false", Err(unknown)),
    ] {
        let orthros = asking(&server, lines);
        let alice = login(&orthros).unwrap();
        match (service(&orthros, &alice, "WWW.example.test"), wanted) {
            (Ok(service), Ok(wanted)) => assert_eq!(service, wanted, "{lines}"),
            (Err(error), Err(wanted)) => assert!(error.contains(wanted), "{lines}: {error}"),
            (got, wanted) => panic!("{lines}: {got:?} in the place of {wanted:?}"),
        }
    }
}

#[test]
fn with_fallback_dns_is_asked_only_about_services_that_the_kdc_does_not_know() {
    let kdc = kdc();
    let server = NameServer::start(zone(&kdc));
    let orthros = asking(&server, "dns_canonicalize_hostname = fallback");
    let alice = login(&orthros).unwrap();
    let before = server.asked().len();
    assert_eq!(service(&orthros, &alice, HOSTS[1]).unwrap(), "HTTP/web1.example.test@EXAMPLE.TEST");
    assert!(
        server.asked()[before..].iter().all(|(name, _)| name == "kdc.example.test"),
        "{:?}",
        server.asked()
    );
    let error = service(&orthros, &alice, "nowhere.test").unwrap_err();
    assert!(error.contains("HTTP/nowhere.test@"), "{error}");
    // A name whose domain suggests a realm that nobody knows the way to.
    assert_eq!(service(&orthros, &alice, "www.other.place").unwrap(), "HTTP/node7.hosting.test@EXAMPLE.TEST");
}

#[test]
fn where_dns_is_silent_or_absent_the_name_as_written_is_used() {
    let kdc = kdc();
    let at = format!("[realms]\nEXAMPLE.TEST = {{\nkdc = {}\n}}", kdc.address());
    let silent = NameServer::with(|_| Vec::new());
    for orthros in [asking(&silent, &at), builder(&at).build()] {
        let alice = login(&orthros).unwrap();
        assert_eq!(service(&orthros, &alice, HOSTS[1]).unwrap(), "HTTP/web1.example.test@EXAMPLE.TEST");
    }
}

#[test]
fn a_realm_from_dns_is_tried_after_the_clients_own() {
    let kdc = kdc();
    let server = NameServer::start(zone(&kdc).with("_kerberos.example.test", TXT, txt("EXAMPLE.TEST")));
    let orthros = asking(&server, "dns_lookup_realm = true\ndns_canonicalize_hostname = false");
    let alice = login(&orthros).unwrap();
    assert_eq!(service(&orthros, &alice, HOSTS[1]).unwrap(), "HTTP/web1.example.test@EXAMPLE.TEST");
    assert!(server.asked().iter().all(|(_, kind)| *kind != TXT), "the ticket was there without");
    service(&orthros, &alice, HOSTS[0]).unwrap_err();
    assert!(server.asked().contains(&("_kerberos.example.test".into(), TXT)));
}

#[test]
fn an_acceptor_is_named_as_its_initiators_name_it() {
    let kdc = kdc();
    let server = NameServer::start(zone(&kdc));
    let scope = |lines: &str, host: &str| {
        let orthros = asking(&server, lines);
        let keytab = kdc.realm().keytab("HTTP/web1.example.test").unwrap();
        orthros.write_keytab(orthros.default_keytab(), keytab).unwrap();
        let name = Name::hostbased_service("HTTP", host);
        let keytab: &KeytabName = orthros.default_keytab();
        orthros.acceptor_from(keytab, Some(&name)).map(|acceptor| acceptor.scope().to_string()).ok()
    };
    let web1 = Some("HTTP/web1.example.test@EXAMPLE.TEST".to_owned());
    assert_eq!(scope("rdns = false", HOSTS[0]), web1);
    assert_eq!(scope("rdns = true", HOSTS[0]), None, "its address has another name");
    assert_eq!(scope("dns_canonicalize_hostname = fallback", HOSTS[1]), web1, "the name as written has keys");
    assert_eq!(scope("dns_canonicalize_hostname = fallback\nrdns = false", HOSTS[0]), web1);
    assert_eq!(scope("dns_canonicalize_hostname = false", HOSTS[0]), None);
    assert!(scope("ignore_acceptor_hostname = true", "elsewhere.test").is_some());
}
