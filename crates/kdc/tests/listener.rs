//! The listener on real sockets of this machine.
#![cfg(feature = "listen")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::time::Duration;

use orthros_crypto::Enctype;
use orthros_kdc::{Listener, Realm, SystemClock, SystemRandom};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, Progress, initial, service};
use orthros_krb5::wire::{Decode, KrbError};
use orthros_krb5::{Env, ErrorCode, Principal};
use orthros_wire::Clock;

type Carry<'a> = Box<dyn FnMut(&[u8]) -> Vec<u8> + 'a>;

fn listener() -> Listener {
    let realm = Realm::builder("TEST").enctypes(&[Enctype::Aes128CtsHmacSha1]).principal("alice", "pw");
    Listener::start(realm.service("host/x.test").build(&SystemRandom).unwrap()).unwrap()
}

fn over_tcp(stream: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    let length = u32::try_from(request.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes(), request].concat()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).unwrap();
    answer
}

fn over_udp(kdc: &Listener, request: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.send_to(request, kdc.address()).unwrap();
    let mut answer = vec![0; 65_536];
    let length = socket.recv(&mut answer).ok()?;
    answer.truncate(length);
    Some(answer)
}

#[test]
fn tickets_come_over_udp_and_over_one_tcp_connection() {
    let kdc = listener();
    let env = Env::new(SystemClock, SystemRandom);
    let client = Principal::parse("alice", Some("TEST")).unwrap();
    let start = || {
        initial(
            client.clone(),
            InitialSecret::Password("pw".into()),
            None,
            ExchangePolicy::default(),
            env.clone(),
        )
    };
    let mut stream = TcpStream::connect(kdc.address()).unwrap();
    let mut carry: [Carry<'_>; 2] = [
        Box::new(|request| over_udp(&kdc, request).unwrap()),
        Box::new(|request| over_tcp(&mut stream, request)),
    ];
    for carry in &mut carry {
        let env = env.clone();
        let mut progress = start().and_then(move |obtained| {
            let host = Principal::parse("host/x.test", Some("TEST")).unwrap();
            service(&obtained.credential, host, ExchangePolicy::default(), env)
        });
        let ticket = loop {
            progress = match progress {
                Progress::Ask(ask) => {
                    let answer = carry(ask.request());
                    ask.reply(&answer, SystemClock.now())
                }
                Progress::Done(obtained) => break obtained.credential,
                Progress::Failed(failure) => panic!("{failure}"),
            };
        };
        assert_eq!(ticket.server.to_string(), "host/x.test@TEST");
    }
}

#[test]
fn a_request_that_comes_again_over_one_connection_is_answered_again() {
    let kdc = listener();
    let client = Principal::parse("alice", Some("TEST")).unwrap();
    let env = Env::new(SystemClock, SystemRandom);
    let secret = InitialSecret::Password("pw".into());
    let mut progress = initial(client, secret, None, ExchangePolicy::default(), env);
    let mut stream = TcpStream::connect(kdc.address()).unwrap();
    let mut kinds = Vec::new();
    let obtained = loop {
        let ask = match progress {
            Progress::Ask(ask) => ask,
            Progress::Done(obtained) => break obtained,
            Progress::Failed(failure) => panic!("{failure}"),
        };
        // An error asks for preauthentication, then comes the ticket: each to the first request and to its copy.
        let [first, again] = [(); 2].map(|()| over_tcp(&mut stream, ask.request()));
        assert_eq!(first[0], again[0]);
        kinds.push(first[0]);
        progress = ask.reply(&again, SystemClock.now());
    };
    assert_eq!(kinds, [0x7e, 0x6b]);
    assert_eq!(obtained.credential.client.to_string(), "alice@TEST");
}

#[test]
fn hostile_lengths_and_strange_datagrams_do_not_stop_it() {
    let kdc = listener();
    for length in [0x7fff_ffff_u32, 0x8000_0000, 0xffff_ffff, 65_537, 0] {
        let mut stream = TcpStream::connect(kdc.address()).unwrap();
        stream.write_all(&length.to_be_bytes()).unwrap();
        let mut nothing = Vec::new();
        // Closed, with or without a reset; no answer in any case.
        let _reset = stream.read_to_end(&mut nothing);
        assert!(nothing.is_empty());
    }
    assert_eq!(over_udp(&kdc, b"\x7e\x02\x30\x00"), None);
    assert_eq!(over_udp(&kdc, &[]), None);
    let half = TcpStream::connect(kdc.address()).unwrap();
    let answer = over_udp(&kdc, &[0x6a, 2, 0x30, 0]).unwrap();
    assert_eq!(KrbError::from_der(&answer).unwrap().error_code, ErrorCode::GENERIC.0);
    // A client that says nothing does not hold up the end.
    let begun = std::time::Instant::now();
    drop(kdc);
    assert!(begun.elapsed() < Duration::from_secs(2));
    drop(half);
}

#[test]
fn a_reply_too_big_for_a_datagram_is_left_to_tcp() {
    let realm = Realm::builder("TEST").enctypes(&[Enctype::Aes128CtsHmacSha1]);
    let realm = realm.service("x".repeat(1_300)).build(&SystemRandom).unwrap();
    let kdc = Listener::start(realm).unwrap();
    let client = Principal::parse(&"x".repeat(1_300), Some("TEST")).unwrap();
    let keys = kdc.realm().keytab_for(&client).into_iter().map(|entry| entry.key).collect();
    let env = Env::new(SystemClock, SystemRandom);
    let progress = initial(client, InitialSecret::Keys(keys), None, ExchangePolicy::default(), env);
    let Progress::Ask(ask) = progress else { panic!() };
    let answer = over_udp(&kdc, ask.request()).unwrap();
    assert_eq!(KrbError::from_der(&answer).unwrap().error_code, ErrorCode::RESPONSE_TOO_BIG.0);
    let mut stream = TcpStream::connect(kdc.address()).unwrap();
    let answer = over_tcp(&mut stream, ask.request());
    assert_eq!(KrbError::from_der(&answer).unwrap().error_code, ErrorCode::PREAUTH_REQUIRED.0);
}
