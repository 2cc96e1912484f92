//! The DNS client against name servers of the test: that answer, lie, cut, fall silent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "common/name_server.rs"]
mod name_server;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use name_server::{A, CNAME, NameServer, PTR, SRV, TXT, URI, Zone, srv, txt, uri, wire_name};
use orthros::dns::{Dns, DnsError, Kind, Record, Role};
use orthros_krb5::config::Transport;
use orthros_wire::testing::SeededRandom;

fn dns(server: &NameServer) -> Dns {
    Dns::servers([server.address]).patience(Duration::from_millis(200), 2)
}

fn random() -> SeededRandom {
    SeededRandom::new(7)
}

fn lookup(server: &NameServer, name: &str, kind: Kind) -> Result<Vec<Record>, DnsError> {
    dns(server).lookup(name, kind, &random()).map(|answer| answer.records)
}

#[test]
fn records_of_each_kind_are_read() {
    let server = NameServer::start(
        Zone::default()
            .address("www.test", "192.0.2.1")
            .address("www.test", "2001:db8::1")
            .pointer("1.2.0.192.in-addr.arpa", "web.test")
            .with("_x._udp.test", SRV, srv(1, 2, 88, "kdc.test"))
            .with("_kerberos.test", TXT, txt("TEST"))
            .with("_kerberos.test", URI, uri(3, 4, "krb5srv:m:udp:kdc.test")),
    );
    let (v4, v6) = ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
    assert_eq!(lookup(&server, "WWW.test.", Kind::A), Ok(vec![Record::Address(v4)]));
    assert_eq!(lookup(&server, "www.test", Kind::Aaaa), Ok(vec![Record::Address(v6)]));
    assert_eq!(dns(&server).addresses("www.test", &random()), Ok(vec![v4, v6]));
    let name = Record::Name("web.test".into());
    assert_eq!(lookup(&server, "1.2.0.192.in-addr.arpa", Kind::Ptr), Ok(vec![name]));
    let service = Record::Service { priority: 1, weight: 2, port: 88, target: "kdc.test".into() };
    assert_eq!(lookup(&server, "_x._udp.test", Kind::Srv), Ok(vec![service]));
    assert_eq!(lookup(&server, "_kerberos.test", Kind::Txt), Ok(vec![Record::Text("TEST".into())]));
    let place = Record::Uri { priority: 3, weight: 4, target: "krb5srv:m:udp:kdc.test".into() };
    assert_eq!(lookup(&server, "_kerberos.test", Kind::Uri), Ok(vec![place]));
    for (name, kind) in [("www.test", Kind::Srv), ("no.test", Kind::A)] {
        let error = lookup(&server, name, kind).unwrap_err();
        assert_eq!(error, DnsError::NotFound { name: name.into(), kind });
        assert_eq!(error.to_string(), format!("{name} has no {kind} record"));
    }
    for name in ["", ".", "a..b", "a b", "a/b", "\u{e4}.test", &"x".repeat(64), &"ab.".repeat(90)] {
        assert_eq!(lookup(&server, name, Kind::A), Err(DnsError::Name(name.into())));
    }
}

#[test]
fn an_answer_to_another_question_is_passed_over_and_the_true_one_is_taken() {
    let server = NameServer::with(|query| {
        let address = |last| query.answer(0, &[(query.name.clone(), A, 60, vec![192, 0, 2, last])]);
        let (mut id, mut name, mut question) = (address(1), address(2), address(3));
        id[0] ^= 1;
        name[13] ^= 3;
        question[2] = 1;
        vec![b"x".to_vec(), Vec::new(), id, name, question, address(9)]
    });
    let records = lookup(&server, "www.test", Kind::A).unwrap();
    assert_eq!(records, [Record::Address("192.0.2.9".parse().unwrap())]);
}

#[test]
fn another_socket_cannot_answer_in_the_place_of_the_server() {
    // A server that makes a stranger answer: the same octets, from another port.
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listening = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = listening.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = listening.recv_from(&mut buffer) {
            let mut answer = buffer[..length].to_vec();
            answer[2..4].copy_from_slice(&[0x81, 0x83]);
            stranger.send_to(&answer, from).unwrap();
        }
    });
    let asked = Dns::servers([address]).patience(Duration::from_millis(100), 1);
    let error = asked.lookup("www.test", Kind::A, &random()).unwrap_err();
    assert!(matches!(&error, DnsError::Unanswered { tried, .. } if tried.contains("no answer")), "{error}");
}

#[test]
fn what_a_datagram_does_not_hold_comes_by_tcp_up_to_64_kib() {
    let server = NameServer::with(|query| {
        let many: Vec<_> =
            (0..2_000).map(|_| (query.name.clone(), A, 60, vec![192, 0, 2, 1])).take(65_000 / 24).collect();
        let mut answer = query.answer(0, if query.tcp { &many } else { &[] });
        if query.tcp {
            assert!(answer.len() > 40_000);
        } else {
            answer[2] |= 2;
        }
        vec![answer]
    });
    assert_eq!(lookup(&server, "www.test", Kind::A).unwrap().len(), 2_000);
}

#[test]
fn lies_about_lengths_and_endless_aliases_are_errors() {
    type Damage = fn(&name_server::Query) -> Vec<u8>;
    let cases: [(Kind, Damage); 9] = [
        // SRV data of three octets, of a name that runs out of the message, without a name.
        (Kind::Srv, |query| query.answer(0, &[(query.name.clone(), SRV, 60, vec![0, 1, 0])])),
        (Kind::Srv, |query| query.answer(0, &[(query.name.clone(), SRV, 60, vec![0, 1, 0, 1, 0, 88, 63])])),
        (Kind::Srv, |query| query.answer(0, &[(query.name.clone(), SRV, 60, vec![0, 1, 0, 1, 0, 88])])),
        // A TXT record whose string is longer than it, a URI record without its numbers.
        (Kind::Txt, |query| query.answer(0, &[(query.name.clone(), TXT, 60, vec![9, b'T'])])),
        (Kind::Uri, |query| query.answer(0, &[(query.name.clone(), URI, 60, vec![0, 1, 2])])),
        // A name that points to itself.
        (Kind::Ptr, |query| {
            let mut answer = query.answer(0, &[(query.name.clone(), PTR, 60, vec![0xc0, 0])]);
            let end = answer.len();
            answer[end - 1] = u8::try_from(end - 2).unwrap();
            answer
        }),
        // Two aliases that point at each other.
        (Kind::A, |query| {
            let other = "other.test".to_owned();
            let aliases = [
                (query.name.clone(), CNAME, 60, wire_name(&other)),
                (other, CNAME, 60, wire_name(&query.name)),
            ];
            query.answer(0, &aliases)
        }),
        // More records announced than there are.
        (Kind::A, |query| {
            let mut answer = query.answer(0, &[]);
            answer[6..8].copy_from_slice(&[0xff, 0xff]);
            answer
        }),
        // A host name with a line break in it.
        (Kind::Ptr, |query| query.answer(0, &[(query.name.clone(), PTR, 60, wire_name("a\nb.test"))])),
    ];
    for (number, (kind, damage)) in cases.into_iter().enumerate() {
        let server = NameServer::with(move |query| vec![damage(query)]);
        let error = lookup(&server, "www.test", kind).unwrap_err();
        assert!(error.to_string().contains("its answer can't be read"), "{number}: {error}");
    }
}

#[test]
fn the_next_server_is_asked_where_one_fails_or_is_silent() {
    let good = NameServer::start(Zone::default().address("www.test", "192.0.2.1"));
    let refuses = NameServer::with(|query| vec![query.answer(5, &[])]);
    let silent = NameServer::with(|_| Vec::new());
    let cut = NameServer::with(|query| vec![query.answer(0, &[]).split_at(11).0.to_vec()]);
    for bad in [&refuses, &silent, &cut] {
        let both = Dns::servers([bad.address, good.address]).patience(Duration::from_millis(100), 1);
        assert_eq!(both.lookup("www.test", Kind::A, &random()).unwrap().records.len(), 1);
    }
    let both = Dns::servers([refuses.address, silent.address]).patience(Duration::from_millis(100), 3);
    let error = both.lookup("www.test", Kind::A, &random()).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "the A records of www.test could not be asked for: {}: it can't say (code 5); {}: no answer",
            refuses.address, silent.address
        )
    );
}

#[test]
fn silent_servers_take_no_longer_than_the_whole_limit() {
    let silent: Vec<_> = (0..5).map(|_| NameServer::with(|_| Vec::new())).collect();
    let asked = Dns::servers(silent.iter().map(|server| server.address))
        .patience(Duration::from_millis(200), 9)
        .total_limit(Duration::from_millis(500));
    for call in [
        |dns: &Dns| dns.canonical_name("www.test", true, &random()).is_err(),
        |dns: &Dns| dns.locate("TEST", Role::Kdc, true, &random()).is_err(),
        |dns: &Dns| dns.realm_of_host("www.test", &random()).is_err(),
    ] {
        let began = Instant::now();
        assert!(call(&asked));
        assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    }
    let none = Dns::servers([]);
    let error = none.lookup("www.test", Kind::A, &random()).unwrap_err();
    assert!(error.to_string().contains("there is no name server"));
}

#[test]
fn a_host_is_called_what_its_aliases_end_at_or_what_its_address_is_named() {
    let server = NameServer::start(
        Zone::default()
            .alias("www.example.test", "balancer.example.test")
            .alias("balancer.example.test", "Web1.Example.test")
            .address("web1.example.test", "192.0.2.1")
            .pointer("1.2.0.192.in-addr.arpa", "node7.hosting.test")
            .address("nameless.example.test", "192.0.2.2")
            .address("six.example.test", "2001:db8::1")
            .alias("dangling.example.test", "gone.example.test"),
    );
    let dns = dns(&server).search(["other.test".into(), "example.test".into()]);
    let canonical = |host, reverse| dns.canonical_name(host, reverse, &random()).ok();
    assert_eq!(canonical("www.example.test", false).as_deref(), Some("Web1.Example.test"));
    assert_eq!(canonical("www.example.test", true).as_deref(), Some("node7.hosting.test"));
    assert_eq!(canonical("WWW.example.test.", true).as_deref(), Some("node7.hosting.test"));
    assert_eq!(canonical("www", false).as_deref(), Some("Web1.Example.test"), "the search list completes it");
    assert_eq!(canonical("nameless", true).as_deref(), Some("nameless.example.test"));
    assert_eq!(canonical("six.example.test", true).as_deref(), Some("six.example.test"));
    assert_eq!(canonical("192.0.2.1", true).as_deref(), Some("node7.hosting.test"));
    assert_eq!(canonical("192.0.2.1", false).as_deref(), Some("192.0.2.1"));
    for unknown in ["dangling.example.test", "unknown", "192.0.2.2", "not a host"] {
        assert_eq!(canonical(unknown, true), None, "{unknown}");
    }
}

#[test]
fn the_table_of_hosts_comes_before_any_server() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n192.0.2.1 web1.example.test www\n").unwrap();
    let server = NameServer::start(Zone::default());
    let dns = dns(&server).hosts_file(&hosts);
    assert_eq!(dns.canonical_name("www", true, &random()).unwrap(), "web1.example.test");
    assert_eq!(dns.canonical_name("192.0.2.1", true, &random()).unwrap(), "web1.example.test");
    assert_eq!(dns.addresses("www", &random()).unwrap(), ["192.0.2.1".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(server.asked(), []);
}

#[test]
fn the_realm_of_a_host_is_that_of_the_nearest_domain_and_an_empty_text_is_none() {
    let server = NameServer::start(
        Zone::default()
            .with("_kerberos.www.example.test", TXT, txt(""))
            .with("_kerberos.www.example.test", TXT, Vec::new())
            .with("_kerberos.example.test", TXT, txt("EXAMPLE.TEST"))
            .with("_kerberos.test", TXT, txt("TEST")),
    );
    let dns = dns(&server);
    assert_eq!(dns.realm_of_host("www.example.test.", &random()).unwrap(), "EXAMPLE.TEST");
    let asked: Vec<_> = server.asked().into_iter().map(|(name, _)| name).collect();
    assert_eq!(asked, ["_kerberos.www.example.test", "_kerberos.example.test"]);
    assert_eq!(dns.realm_of_host("other.test", &random()).unwrap(), "TEST");
    assert!(dns.realm_of_host("other.place", &random()).is_err());
    assert!(dns.realm_of_host("192.0.2.1", &random()).is_err());
}

#[test]
fn kdcs_are_found_by_uri_else_by_srv_and_by_their_roles() {
    let server = NameServer::start(
        Zone::default()
            .with("_kerberos._udp.SRV.TEST", SRV, srv(2, 0, 88, "second.test"))
            .with("_kerberos._udp.SRV.TEST", SRV, srv(1, 0, 750, "first.test"))
            .with("_kerberos._tcp.SRV.TEST", SRV, srv(1, 0, 88, "first.test"))
            .with("_kerberos-master._udp.SRV.TEST", SRV, srv(1, 0, 88, "primary.test"))
            .with("_kpasswd._udp.SRV.TEST", SRV, srv(1, 0, 464, "password.test"))
            .with("_kerberos._udp.NONE.TEST", SRV, srv(0, 0, 0, "."))
            .with("_kerberos.URI.TEST", URI, uri(1, 0, "krb5srv::tcp:first.test"))
            .with("_kerberos.URI.TEST", URI, uri(2, 0, "krb5srv:m:udp:primary.test:750"))
            .with("_kerberos.URI.TEST", URI, uri(3, 0, "https://elsewhere.test"))
            .with("_kerberos._udp.URI.TEST", SRV, srv(1, 0, 88, "unasked.test")),
    );
    let find = |realm, role, uri| {
        let found = dns(&server).locate(realm, role, uri, &random());
        found.map(|(places, _)| places.into_iter().map(|p| (p.transport, p.host, p.port)).collect::<Vec<_>>())
    };
    let (udp, tcp) = (Transport::Udp, Transport::Tcp);
    let first =
        [(udp, "first.test".into(), 750), (udp, "second.test".into(), 88), (tcp, "first.test".into(), 88)];
    assert_eq!(find("SRV.TEST", Role::Kdc, true).unwrap(), first);
    assert_eq!(find("SRV.TEST", Role::PrimaryKdc, true).unwrap(), [(udp, "primary.test".into(), 88)]);
    assert_eq!(find("SRV.TEST", Role::PasswordChange, true).unwrap(), [(udp, "password.test".into(), 464)]);
    let by_uri = [(tcp, "first.test".into(), 88), (udp, "primary.test".into(), 750)];
    assert_eq!(find("URI.TEST", Role::Kdc, true).unwrap(), by_uri);
    assert_eq!(find("URI.TEST", Role::PrimaryKdc, true).unwrap(), [(udp, "primary.test".into(), 750)]);
    assert_eq!(find("URI.TEST", Role::Kdc, false).unwrap(), [(udp, "unasked.test".into(), 88)]);
    assert_eq!(
        find("NONE.TEST", Role::Kdc, true).unwrap_err().to_string(),
        "DNS names none: _kerberos.NONE.TEST has no URI record; _kerberos._udp.NONE.TEST has no SRV record; \
         _kerberos._tcp.NONE.TEST has no SRV record"
    );
}
