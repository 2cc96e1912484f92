//! The Tokio driver on a runtime of one thread: whatever blocks that thread stops both ends at once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "common/name_server.rs"]
mod name_server;

use std::future::Future;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use name_server::{NameServer, SRV, Zone, srv};
use orthros::blocking::EstablishError;
use orthros::dns::Dns;
use orthros::kdc_link::KdcLink;
use orthros::mechanism::IAKERB;
use orthros::{Builder, CacheName, Config, Context, Error, Name, Orthros};
use orthros_kdc::{Listener, Realm};

fn kdc() -> Listener {
    let realm = Realm::builder("TEST").principal("alice", "open sesame").service("host/localhost");
    Listener::start(realm.build(&orthros::random::SystemRandom).unwrap()).unwrap()
}

fn link() -> KdcLink {
    KdcLink {
        try_limit: Duration::from_millis(300),
        resend_after: Duration::from_millis(100),
        total_limit: Duration::from_secs(2),
        ..KdcLink::default()
    }
}

fn builder(kdcs: &[&str]) -> Builder {
    Orthros::builder().config(Config::for_realm("TEST", kdcs).unwrap()).kdc_link(link())
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn login(orthros: &Orthros) -> Result<Arc<orthros::InitiatorCredential>, Error> {
    orthros.acquire("alice").password("open sesame").fetch_async().await
}

/// A KDC that hears and says nothing, by either transport.
fn silent() -> (String, UdpSocket, TcpListener) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (socket.local_addr().unwrap().to_string(), socket, listener)
}

/// A port on which nobody listens.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

async fn contexts(orthros: &Orthros) -> (Context, Context) {
    let alice = login(orthros).await.unwrap();
    let (mut near, mut far) = tokio::io::duplex(64);
    let acceptor = orthros.off_runtime(|orthros| orthros.acceptor()).await.unwrap().unwrap();
    let request = orthros.initiate_with(&alice, Name::hostbased_service("host", "localhost"));
    let (initiator, acceptor) = tokio::join!(
        orthros.establish_async(request.mutual().confidential().start(), &mut near),
        orthros.establish_async(orthros.accept(&acceptor).start(), &mut far),
    );
    (initiator.unwrap(), acceptor.unwrap())
}

#[test]
fn both_ends_come_up_on_one_thread_and_talk() {
    let kdc = kdc();
    let address = kdc.address().to_string();
    // By UDP, and by TCP.
    for udp_preference_limit in [1_465, 0] {
        let orthros = builder(&[&address]).kdc_link(KdcLink { udp_preference_limit, ..link() }).build();
        let keytab = kdc.realm().keytab("host/localhost").unwrap();
        orthros.write_keytab(orthros.default_keytab(), keytab).unwrap();
        let (initiator, acceptor) = run(contexts(&orthros));
        assert_eq!(acceptor.unwrap(&initiator.wrap(b"sealed").unwrap()).unwrap().message, b"sealed");
    }
}

#[test]
fn an_acceptor_carries_requests_while_the_initiator_runs_on_the_same_thread() {
    let kdc = kdc();
    let (near, far) = (builder(&[&kdc.address().to_string()]).build(), builder(&[]).build());
    near.write_keytab(near.default_keytab(), kdc.realm().keytab("host/localhost").unwrap()).unwrap();
    let alice = far.acquire("alice").password("open sesame").deferred().unwrap();
    let (initiator, acceptor) = run(async {
        let (mut here, mut there) = tokio::io::duplex(64);
        let credential = near.off_runtime(|near| near.acceptor()).await.unwrap().unwrap();
        let request = far.initiate_with(&alice, Name::hostbased_service("host", "localhost"));
        tokio::join!(
            far.establish_async(request.mutual().confidential().mechanism(&IAKERB).start(), &mut here),
            near.establish_async(near.accept(&credential).carry_to_kdcs().start(), &mut there),
        )
    });
    let (initiator, acceptor) = (initiator.unwrap(), acceptor.unwrap());
    assert_eq!(acceptor.unwrap(&initiator.wrap(b"sealed").unwrap()).unwrap().message, b"sealed");
}

#[test]
fn the_ticket_goes_into_a_cache_as_with_the_blocking_driver() {
    let kdc = kdc();
    let orthros = builder(&[&kdc.address().to_string()]).build();
    let cache = CacheName::Memory("here".into());
    let alice = run(orthros.acquire("alice").password("open sesame").fetch_into_async(&cache)).unwrap();
    assert_eq!(alice.client().to_string(), "alice@TEST");
    assert_eq!(orthros.read_cache(&cache).unwrap().credentials().count(), 1);
    let wrong = run(orthros.acquire("alice").password("open barley").fetch_into_async(&cache));
    assert!(matches!(wrong, Err(Error::Kdc(_))));
    assert_eq!(orthros.read_cache(&cache).unwrap().credentials().count(), 1, "what was there is still there");
}

#[test]
fn the_next_kdc_is_asked_where_one_is_dead_or_silent() {
    let kdc = kdc();
    let good = kdc.address().to_string();
    let (mute, _socket, _listener) = silent();
    // By TCP, one closes and one stops amid its answer.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let half = format!("tcp/{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            if number > 0 {
                let _ = stream.write_all(&[0, 0, 0, 9, 1]);
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    });
    for bad in [nobody(), mute, half] {
        let orthros = builder(&[&bad, &good]).build();
        run(login(&orthros)).unwrap();
    }
}

#[test]
fn a_silent_kdc_is_given_up_in_time_and_holds_nobody_up() {
    let (mute, _socket, _listener) = silent();
    let udp_only = format!("udp/{mute}");
    let orthros = builder(&[&udp_only]).build();
    let ticks = AtomicUsize::new(0);
    let began = Instant::now();
    let outcome = run(async {
        let ticking = async {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                ticks.fetch_add(1, Ordering::Relaxed);
            }
        };
        tokio::select! { outcome = login(&orthros) => outcome, () = ticking => panic!() }
    });
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains(&format!("no KDC answered: {mute} udp: no answer in 0.3 s")), "{error}");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(ticks.load(Ordering::Relaxed) >= 10, "the runtime's thread was blocked");
}

#[test]
fn both_drivers_report_the_same_tries() {
    let (mute, _socket, _listener) = silent();
    let kdcs = [nobody(), mute, "tcp/unknown.test:88".to_owned()];
    let kdcs: Vec<&str> = kdcs.iter().map(String::as_str).collect();
    let orthros = builder(&kdcs).dns(Dns::servers([])).build();
    // But for ports and times.
    let words = |error: Error| error.to_string().replace(|letter: char| letter.is_ascii_digit(), "");
    let blocking = words(orthros.acquire("alice").password("open sesame").blocking().unwrap_err());
    assert_eq!(words(run(login(&orthros)).unwrap_err()), blocking);
    assert!(blocking.contains("nobody listens there") && blocking.contains("was not found"), "{blocking}");
}

#[test]
fn a_future_that_is_dropped_halfway_leaves_everything_usable() {
    let kdc = kdc();
    let (mute, _socket, _listener) = silent();
    let orthros = builder(&[&mute, &kdc.address().to_string()]).build();
    run(async {
        for millis in [0, 1, 50, 150] {
            let cut = tokio::time::timeout(Duration::from_millis(millis), login(&orthros)).await;
            assert!(cut.is_err(), "the silent KDC comes first");
        }
        login(&orthros).await.unwrap();
    });
}

#[test]
fn a_peer_that_lies_about_a_length_or_leaves_ends_the_handshake() {
    let kdc = kdc();
    let orthros = builder(&[]).build();
    orthros.write_keytab(orthros.default_keytab(), kdc.realm().keytab("host/localhost").unwrap()).unwrap();
    for (sent, kind) in [
        (&[0xff, 0xff, 0xff, 0xff][..], std::io::ErrorKind::InvalidData),
        (&[0, 0, 0, 9, 1][..], std::io::ErrorKind::UnexpectedEof),
        (&[0][..], std::io::ErrorKind::UnexpectedEof),
    ] {
        let (mut near, mut far) = tokio::io::duplex(64);
        let acceptor = orthros.acceptor().unwrap();
        let outcome = run(async {
            tokio::io::AsyncWriteExt::write_all(&mut near, sent).await.unwrap();
            drop(near);
            orthros.establish_async(orthros.accept(&acceptor).start(), &mut far).await
        });
        assert!(matches!(outcome, Err(EstablishError::Stream(error)) if error.kind() == kind));
    }
}

#[test]
fn name_servers_are_asked_off_the_runtimes_thread() {
    let kdc = kdc();
    let zone = Zone::default()
        .with("_kerberos._udp.TEST", SRV, srv(0, 0, kdc.address().port(), "kdc.test"))
        .address("kdc.test", "127.0.0.1");
    let slow = NameServer::with(move |query| {
        std::thread::sleep(Duration::from_millis(50));
        vec![zone.answer(query)]
    });
    let config = Config::parse("[libdefaults]\ndefault_realm = TEST\n").unwrap();
    let orthros = Orthros::builder().config(config).dns(Dns::servers([slow.address])).build();
    let ticks = AtomicUsize::new(0);
    run(async {
        let ticking = async {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                ticks.fetch_add(1, Ordering::Relaxed);
            }
        };
        tokio::select! { outcome = login(&orthros) => { outcome.unwrap(); }, () = ticking => panic!() }
    });
    assert!(ticks.load(Ordering::Relaxed) >= 10, "the runtime's thread was blocked");
}
