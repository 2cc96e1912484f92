//! What a process may meet: signals, closed streams, hardly any descriptors, little memory, no `/etc`, odd locales. In
//! each a login, a context and a move work, or say what is missing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::world::{Host, World, assert_joined};
use common::{arguments, limit, play, play_mounted, role, say, start, told};
use orthros::kdc_link::KdcLink;
use orthros::{CacheName, KeytabName, Orthros};
use orthros_krb5::config::{KdcAddress, Transport};
use rustix::process::{Pid, Resource, Signal, kill_process};

/// A login, both ends of a context, and a move to another object.
fn everything_works() {
    everything_works_in(&World::new());
}

fn everything_works_in(world: &World) {
    let (initiator, acceptor) = world.established();
    assert_joined(&initiator, &acceptor);
    let token = world.orthros.export(acceptor).unwrap();
    assert_joined(&world.host.orthros().import(&token).unwrap(), &initiator);
}

#[test]
fn with_standard_streams_closed_their_numbers_are_sockets_and_files_like_others() {
    const TEST: &str = "with_standard_streams_closed_their_numbers_are_sockets_and_files_like_others";
    if role().is_some() {
        // Descriptor 0 and 2 are free: the next sockets have these numbers.
        everything_works();
        return say("done");
    }
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$@\" <&- 2>&-", "sh"]).arg(std::env::current_exe().unwrap());
    command.args(arguments(TEST));
    assert_eq!(start(command, "closed", &[]).said().0, "done");
}

#[test]
fn sixteen_descriptors_are_enough() {
    const TEST: &str = "sixteen_descriptors_are_enough";
    if role().is_some() {
        limit(Resource::Nofile, 16);
        everything_works();
        return say("done");
    }
    assert_eq!(play(TEST, "poor", &[]).said().0, "done");
}

#[test]
fn a_process_that_is_stopped_and_goes_on_waits_for_its_answer_as_before() {
    const TEST: &str = "a_process_that_is_stopped_and_goes_on_waits_for_its_answer_as_before";
    if role().is_some() {
        let link = KdcLink {
            try_limit: Duration::from_secs(20),
            total_limit: Duration::from_secs(40),
            ..KdcLink::default()
        };
        let port = told("PORT").parse().unwrap();
        say("asking");
        for transport in [Transport::Udp, Transport::Tcp] {
            let kdc = KdcAddress { host: "127.0.0.1".into(), port, transport, path: String::new() };
            assert_eq!(link.exchange(&[kdc], b"request", |_| false).unwrap(), b"answer");
        }
        return say("answered");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let mut player = play(TEST, "asks", &[("PORT", &port.to_string())]);
    assert_eq!(player.hear(), "asking");
    // Socket calls with a timeout end with EINTR after SIGCONT even where nothing handles a signal (signal(7)).
    let pid = Pid::from_raw(player.pid().try_into().unwrap()).unwrap();
    let disturb = || {
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(20));
            kill_process(pid, Signal::STOP).unwrap();
            thread::sleep(Duration::from_millis(5));
            kill_process(pid, Signal::CONT).unwrap();
        }
    };
    let mut request = [0; 11];
    let (_, from) = socket.recv_from(&mut request).unwrap();
    disturb();
    socket.send_to(b"answer", from).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stream.read_exact(&mut request).unwrap();
    disturb();
    stream.write_all(b"\0\0\0\x06ans").unwrap();
    disturb();
    stream.write_all(b"wer").unwrap();
    assert_eq!(player.said().0, "answered");
}

#[test]
fn lengths_that_lie_buy_no_memory() {
    const TEST: &str = "lengths_that_lie_buy_no_memory";
    if role().is_some() {
        let world = World::new();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
        let kibibytes: u64 = size.trim().trim_end_matches(" kB").parse().unwrap();
        // Whoever asks for more than this is ended: there is nothing like an error for it in Rust.
        limit(Resource::As, kibibytes * 1024 + (256 << 20));
        hostile_lengths(&world);
        everything_works_in(&world);
        return say("done");
    }
    assert_eq!(play(TEST, "little memory", &[]).said().0, "done");
}

fn hostile_lengths(world: &World) {
    let path = world.folder.path().join("lies");
    let (cache, keys) = (CacheName::File(path.clone()), KeytabName::File(path.clone()));
    let CacheName::File(good) = CacheName::File(world.folder.path().join("good")) else { panic!() };
    let content = world.alice.to_cache();
    world.orthros.write_cache(&CacheName::File(good.clone()), content).unwrap();
    for source in [good, world.folder.path().join("keytab")] {
        let good = fs::read(source).unwrap();
        // Every field of 32 bits, wherever it begins, and whatever it is.
        for at in 0..good.len() - 4 {
            for lie in [0x7fff_ffff_u32, 0xffff_ffff, 0x8000_0000, 0x4000_0000] {
                let mut changed = good.clone();
                changed[at..at + 4].copy_from_slice(&lie.to_be_bytes());
                fs::write(&path, changed).unwrap();
                let _ = (world.orthros.read_cache(&cache), world.orthros.read_keytab(&keys));
            }
        }
    }
    // Tokens: the frame's length, and every length within.
    let (initiator, acceptor) = world.established();
    let sealed = initiator.wrap(b"message").unwrap();
    let exported = world.orthros.export(acceptor).unwrap();
    let (request, _) = common::world::token_of(&world.orthros, world.initiate_full().start());
    for token in [sealed, exported, request.unwrap()] {
        for at in 0..token.len().min(200) {
            let lie = [&token[..at], &[0x84, 0x7f, 0xff, 0xff, 0xff], &token[at + 1..]].concat();
            let _ = (world.orthros.import(&lie).is_err(), initiator.unwrap(&lie).is_err());
            let step = common::world::answer(&world.orthros, world.accept().start(), &lie);
            drop(step);
        }
    }
}

#[test]
fn without_etc_without_a_home_and_in_any_locale_everything_works_that_was_configured() {
    const TEST: &str = "without_etc_without_a_home_and_in_any_locale_everything_works_that_was_configured";
    if role().is_some() {
        assert!(!Path::new("/etc/krb5.conf").exists() && !Path::new("/etc/resolv.conf").exists());
        // What the system would configure is not there: that is no error before it is needed.
        match Orthros::from_system() {
            Ok(orthros) => {
                let error = orthros.acquire("alice").password("a").blocking().map(drop).unwrap_err();
                assert!(error.to_string().contains("realm"), "{error}");
            }
            Err(error) => assert!(error.to_string().contains("krb5.conf"), "{error}"),
        }
        everything_works();
        let folder = told("FOLDER");
        assert!(Host::new(&folder).orthros().transfer_folder().is_ok());
        return say("done");
    }
    let folder = tempfile::tempdir().unwrap();
    for locale in ["tr_TR.ISO-8859-9", "ja_JP.SJIS", "C"] {
        // Other words than in the fields of a process that has nothing: an empty home, no host name.
        let mount = format!(
            "mount -t tmpfs none /etc; export LC_ALL={locale} LANG={locale} HOME= LANGUAGE=tr; unset KRB5_CONFIG USER \
             KRB5CCNAME"
        );
        match play_mounted(TEST, "bare", folder.path(), &mount) {
            Some(player) => assert_eq!(player.said().0, "done", "{locale}"),
            None => println!("skipped: no mount namespace can be had here"),
        }
    }
}
