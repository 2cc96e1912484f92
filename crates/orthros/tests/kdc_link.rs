//! The way to the KDC, with real sockets on 127.0.0.1: KDCs that are silent, refuse, close, lie, drip.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use orthros::kdc_link::{KdcLink, LinkReport, Outcome, Transport};
use orthros_krb5::config::{KdcAddress, Transport as Configured};

const REQUEST: &[u8] = b"a request";
const ANSWER: &[u8] = b"an answer";
const TOO_BIG: &[u8] = b"too big";

/// A tenth of the usual times.
fn link() -> KdcLink {
    KdcLink {
        try_limit: Duration::from_millis(300),
        resend_after: Duration::from_millis(100),
        total_limit: Duration::from_secs(2),
        ..KdcLink::default()
    }
}

fn kdc(port: u16, transport: Configured) -> KdcAddress {
    KdcAddress { host: "127.0.0.1".into(), port, transport, path: String::new() }
}

fn ask(kdcs: &[KdcAddress]) -> Result<Vec<u8>, LinkReport> {
    link().exchange(kdcs, REQUEST, |answer| answer == TOO_BIG)
}

/// A KDC that takes one TCP connection after the other and gives each to `serve` after reading the request.
fn tcp(serve: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 4];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut request).unwrap();
            serve(stream);
        }
    });
    port
}

fn framed(answer: &[u8]) -> Vec<u8> {
    [&u32::try_from(answer.len()).unwrap().to_be_bytes(), answer].concat()
}

/// A KDC that gives each datagram, with its number from 0, to `serve`, and sends what that returns.
fn udp(serve: impl Fn(usize, &[u8]) -> Option<Vec<u8>> + Send + 'static) -> (u16, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    thread::spawn(move || {
        let mut buffer = [0; 65_536];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let number = counter.fetch_add(1, Ordering::SeqCst);
            if let Some(answer) = serve(number, &buffer[..length]) {
                socket.send_to(&answer, from).unwrap();
            }
        }
    });
    (port, seen)
}

/// A port on which nobody listens.
fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn outcomes(report: &LinkReport) -> Vec<(Transport, &Outcome)> {
    report.attempts.iter().map(|attempt| (attempt.transport, &attempt.outcome)).collect()
}

#[test]
fn a_small_request_goes_by_udp_and_a_long_one_by_tcp() {
    let (port, seen) = udp(|_, request| Some([b"udp ", request].concat()));
    assert_eq!(ask(&[kdc(port, Configured::Any)]).unwrap(), b"udp a request");
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    let port = tcp(|mut stream| stream.write_all(&framed(ANSWER)).unwrap());
    let long = vec![7; 1_466];
    assert_eq!(link().exchange(&[kdc(port, Configured::Any)], &long, |_| false).unwrap(), ANSWER);
    let tcp_first = KdcLink { udp_preference_limit: 0, ..link() };
    assert_eq!(tcp_first.exchange(&[kdc(port, Configured::Any)], REQUEST, |_| false).unwrap(), ANSWER);
}

#[test]
fn a_lost_datagram_is_sent_again_as_it_was() {
    let (port, seen) = udp(|number, request| (number == 1).then(|| request.to_vec()));
    assert_eq!(ask(&[kdc(port, Configured::Udp)]).unwrap(), REQUEST);
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[test]
fn an_empty_datagram_is_no_answer() {
    let (port, _) = udp(|number, _| Some(if number == 0 { Vec::new() } else { ANSWER.to_vec() }));
    assert_eq!(ask(&[kdc(port, Configured::Udp)]).unwrap(), ANSWER);
}

#[test]
fn a_silent_kdc_is_given_up_in_time_and_named() {
    let (port, seen) = udp(|_, _| None);
    let began = Instant::now();
    let report = ask(&[kdc(port, Configured::Udp)]).unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
    assert_eq!(outcomes(&report), [(Transport::Udp, &Outcome::Silent)]);
    assert_eq!(seen.load(Ordering::SeqCst), 3, "once each tenth of a second");
    assert_eq!(report.to_string(), format!("no KDC answered: 127.0.0.1:{port} udp: no answer in 0.3 s"));
}

#[test]
fn a_refusal_is_seen_at_once_by_both_transports() {
    let began = Instant::now();
    let report = ask(&[kdc(nobody(), Configured::Any)]).unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(290), "{:?}", began.elapsed());
    assert_eq!(outcomes(&report), [(Transport::Udp, &Outcome::Refused), (Transport::Tcp, &Outcome::Refused)]);
    assert!(report.to_string().contains("nobody listens there"));
}

#[test]
fn the_next_kdc_is_asked_after_each_kind_of_failure() {
    let (good, _) = udp(|_, _| Some(ANSWER.to_vec()));
    let (silent, _) = udp(|_, _| None);
    let good_tcp = tcp(|mut stream| stream.write_all(&framed(ANSWER)).unwrap());
    let closes = tcp(drop);
    let half = tcp(|mut stream| stream.write_all(&framed(ANSWER)[..7]).unwrap());
    let lies = tcp(|mut stream| stream.write_all(&[0x7f, 0xff, 0xff, 0xff, 1]).unwrap());
    for bad in [nobody(), silent] {
        assert_eq!(ask(&[kdc(bad, Configured::Udp), kdc(good, Configured::Any)]).unwrap(), ANSWER);
    }
    for bad in [nobody(), closes, half, lies] {
        let kdcs = [kdc(bad, Configured::Tcp), kdc(good_tcp, Configured::Tcp)];
        assert_eq!(ask(&kdcs).unwrap(), ANSWER);
    }
}

#[test]
fn closing_resetting_and_stopping_half_way_are_told_apart() {
    let closes = tcp(drop);
    let half = tcp(|mut stream| stream.write_all(&framed(ANSWER)[..7]).unwrap());
    let stalls = tcp(|mut stream| {
        stream.write_all(&framed(ANSWER)[..6]).unwrap();
        thread::sleep(Duration::from_secs(1));
    });
    // Closing with octets unread makes the kernel send RST.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let resets = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::sleep(Duration::from_millis(50));
            drop(stream);
        }
    });
    for (port, wanted) in [
        (closes, Outcome::Closed(0)),
        (half, Outcome::Closed(7)),
        (stalls, Outcome::Stalled(6)),
        (resets, Outcome::Closed(0)),
    ] {
        let report = ask(&[kdc(port, Configured::Tcp)]).unwrap_err();
        assert_eq!(outcomes(&report), [(Transport::Tcp, &wanted)], "{report}");
    }
}

#[test]
fn a_length_that_cannot_be_is_refused_before_anything_is_read() {
    for length in [0, 0x0010_0001, 0x7fff_ffff, 0x8000_0000, 0x8000_0009, 0xffff_ffff_u32] {
        let port = tcp(move |mut stream| {
            stream.write_all(&length.to_be_bytes()).unwrap();
            // A flood behind it: it must not be read. The writing ends when the reader has closed.
            while stream.write_all(&[0; 65_536]).is_ok() {}
        });
        let began = Instant::now();
        let report = ask(&[kdc(port, Configured::Tcp)]).unwrap_err();
        assert_eq!(outcomes(&report), [(Transport::Tcp, &Outcome::Length(length))]);
        assert!(began.elapsed() < Duration::from_millis(290));
    }
}

#[test]
fn what_follows_an_answer_is_not_part_of_it() {
    let port = tcp(|mut stream| {
        let _ = stream.write_all(&[&framed(ANSWER)[..], b"and more"].concat());
    });
    assert_eq!(ask(&[kdc(port, Configured::Tcp)]).unwrap(), ANSWER);
}

#[test]
fn a_slow_kdc_that_drips_its_answer_is_waited_for_within_the_whole_limit() {
    let port = tcp(|mut stream| {
        thread::sleep(Duration::from_millis(200));
        for octet in framed(&[7; 100]) {
            thread::sleep(Duration::from_millis(5));
            if stream.write_all(&[octet]).is_err() {
                return;
            }
        }
    });
    // Longer than the silence that ends a try, shorter than the whole.
    let patient = KdcLink { total_limit: Duration::from_secs(20), ..link() };
    let answer = patient.exchange(&[kdc(port, Configured::Tcp)], REQUEST, |_| false);
    assert_eq!(answer.unwrap(), [7; 100]);
    let hurried = KdcLink { total_limit: Duration::from_millis(400), ..link() };
    let began = Instant::now();
    let report = hurried.exchange(&[kdc(port, Configured::Tcp)], REQUEST, |_| false).unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
    assert!(report.out_of_time && report.to_string().contains("limit of 0.4 s"), "{report}");
}

#[test]
fn an_answer_of_a_mebibyte_arrives_whole() {
    let long: Vec<u8> = (0..1_usize << 20).map(|number| u8::try_from(number % 251).unwrap()).collect();
    let sent = framed(&long);
    let port = tcp(move |mut stream| stream.write_all(&sent).unwrap());
    assert_eq!(ask(&[kdc(port, Configured::Tcp)]).unwrap(), long);
}

#[test]
fn an_answer_too_big_for_a_datagram_is_fetched_by_tcp_from_the_same_kdc() {
    // One port for both transports; should another process hold the second half, try again.
    let (listener, socket) = (0..20)
        .find_map(|_| {
            let listener = TcpListener::bind("127.0.0.1:0").ok()?;
            let socket = UdpSocket::bind(listener.local_addr().ok()?).ok()?;
            Some((listener, socket))
        })
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(TOO_BIG, from).unwrap();
        }
    });
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let answer = if number == 0 { ANSWER } else { TOO_BIG };
            stream.unwrap().write_all(&framed(answer)).unwrap();
        }
    });
    assert_eq!(ask(&[kdc(port, Configured::Any)]).unwrap(), ANSWER);
    assert_eq!(ask(&[kdc(port, Configured::Any)]).unwrap(), TOO_BIG, "by tcp it is an answer: no loop");
    let report = ask(&[kdc(port, Configured::Udp)]).unwrap_err();
    assert_eq!(outcomes(&report), [(Transport::Udp, &Outcome::AnswerTooBig)]);
    let (next, _) = udp(|_, _| Some(ANSWER.to_vec()));
    let kdcs = [kdc(port, Configured::Udp), kdc(next, Configured::Any)];
    assert_eq!(ask(&kdcs).unwrap(), ANSWER);
}

#[test]
fn many_dead_kdcs_together_take_no_longer_than_the_whole_limit() {
    let (silent, _) = udp(|_, _| None);
    let kdcs: Vec<_> = (0..1)
        .map(|_| kdc(silent, Configured::Udp))
        .chain((0..20).map(|_| kdc(udp(|_, _| None).0, Configured::Udp)))
        .collect();
    let hurried = KdcLink { total_limit: Duration::from_millis(700), ..link() };
    let began = Instant::now();
    let report = hurried.exchange(&kdcs, REQUEST, |_| false).unwrap_err();
    assert!(began.elapsed() < Duration::from_millis(1_000), "{:?}", began.elapsed());
    assert!(report.out_of_time && report.attempts.len() == 3, "{report}");
}

#[test]
fn without_a_kdc_or_with_an_unknown_name_the_report_says_so() {
    assert!(ask(&[]).unwrap_err().to_string().contains("none is configured"));
    let unknown = KdcAddress {
        host: "not a host name".into(),
        port: 88,
        transport: Configured::Any,
        path: String::new(),
    };
    let report = ask(&[unknown]).unwrap_err();
    assert_eq!(report.attempts.len(), 1, "{report}");
    assert!(report.to_string().contains("not a host name:88"), "{report}");
}

#[test]
fn a_request_that_no_datagram_holds_is_not_tried_by_udp() {
    let (port, seen) = udp(|_, _| Some(ANSWER.to_vec()));
    let report = link().exchange(&[kdc(port, Configured::Udp)], &[0; 70_000], |_| false).unwrap_err();
    assert_eq!(outcomes(&report), [(Transport::Udp, &Outcome::TooLong(70_000))]);
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}
