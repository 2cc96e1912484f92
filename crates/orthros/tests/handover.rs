//! A context is handed over between processes: to whom it is meant for, and to nobody else; at most once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

use common::world::{Host, NOW, World, assert_joined, unhex};
use common::{Player, arguments, heard, role, say, start, told};
use orthros::sys::process::effective_user;
use orthros::transfer::{NotGiven, Peers};
use orthros::{Context, Orthros};
use orthros_gss::transfer::handover::{FRAME, frame};
use orthros_wire::hex;

const TAKER: u32 = 65_534;
const THIRD: u32 = 65_533;

/// A process of this user; where root does not run the tests, of the one that does.
fn process_of(user: u32, test: &str, folder: &std::path::Path) -> Player {
    let exe = folder.join("test");
    let mut command = if effective_user() == 0 {
        if !exe.exists() {
            // By another process: a child that another test starts meanwhile would hold the copy open for writing.
            let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&exe).status().unwrap();
            assert!(copied.success());
            fs::set_permissions(&exe, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = Command::new(exe);
        command.uid(user).gid(user).current_dir("/");
        command
    } else {
        Command::new(std::env::current_exe().unwrap())
    };
    command.args(arguments(test));
    let (folder, from) = (folder.to_str().unwrap().to_owned(), effective_user().to_string());
    start(command, "taker", &[("FOLDER", &folder), ("FROM", &from)])
}

#[test]
fn a_context_goes_to_another_user_and_is_refused_to_a_third() {
    const TEST: &str = "a_context_goes_to_another_user_and_is_refused_to_a_third";
    if role().is_some() {
        let host = Host::new(told("FOLDER")).at(NOW);
        let from = Peers::user(told("FROM").parse().unwrap());
        let stream = UnixStream::connect(host.folder.join("socket")).unwrap();
        match host.orthros().take_over(&stream, &from) {
            Err(error) => say(&format!("refused: {error}")),
            Ok(context) => {
                say("taken");
                let message = context.unwrap(&unhex(&heard())).unwrap().message;
                say(&format!("{} by {}", String::from_utf8(message).unwrap(), effective_user()));
            }
        }
        return;
    }
    let world = World::new();
    let meeting = tempfile::tempdir().unwrap();
    fs::set_permissions(meeting.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let listener = UnixListener::bind(meeting.path().join("socket")).unwrap();
    fs::set_permissions(meeting.path().join("socket"), fs::Permissions::from_mode(0o777)).unwrap();
    let (initiator, mut acceptor) = world.established();
    let is_root = effective_user() == 0;
    let taker = if is_root { TAKER } else { effective_user() };
    // A third comes: nothing is told to it, and the context stays.
    let mut third = process_of(THIRD, TEST, meeting.path());
    let (stream, _) = listener.accept().unwrap();
    let meant = if is_root { Peers::user(taker) } else { Peers::user(taker + 1) };
    let Err(NotGiven::Kept(kept)) = world.orthros.hand_over(acceptor, &stream, &meant) else { panic!() };
    let said = kept.error.to_string();
    assert!(said.contains(&format!("it is pid {} of uid ", third.pid())), "{said}");
    assert_eq!(third.hear(), "refused: the other end of the handover: it hung up");
    third.end();
    acceptor = kept.context;
    assert_joined(&initiator, &acceptor);
    let mut player = process_of(TAKER, TEST, meeting.path());
    let (stream, _) = listener.accept().unwrap();
    world.orthros.hand_over(acceptor, &stream, &Peers::user(taker)).unwrap();
    assert_eq!(player.hear(), "taken");
    player.tell(&hex::encode(&initiator.wrap(b"taken over").unwrap()));
    assert_eq!(player.hear(), format!("taken over by {taker}"));
    player.end();
}

#[test]
fn a_giver_who_is_nobody_known_is_not_listened_to() {
    let world = World::new();
    let (near, far) = UnixStream::pair().unwrap();
    let (_, acceptor) = world.established();
    let stranger = Peers::user(effective_user() + 1);
    let giver = world.orthros.clone();
    let giving = thread::spawn(move || giver.hand_over(acceptor, &near, &Peers::same_user()));
    let refused = world.orthros.take_over(&far, &stranger).unwrap_err();
    assert!(refused.to_string().contains("none of those that were named"), "{refused}");
    assert!(matches!(giving.join().unwrap(), Err(NotGiven::Kept(_))));
    let group = UnixStream::pair().unwrap();
    let refused = world.orthros.take_over(&group.0, &Peers::group(u32::MAX)).unwrap_err();
    assert!(refused.to_string().contains("none of those that were named"), "{refused}");
}

/// Hands a context over to a taker who does what it likes; what came of it.
fn to(
    world: &World,
    context: Context,
    taker: impl FnOnce(UnixStream) + Send + 'static,
) -> Result<(), NotGiven> {
    let (near, far) = UnixStream::pair().unwrap();
    let taking = thread::spawn(move || taker(far));
    let outcome = world.orthros.hand_over(context, &near, &Peers::same_user());
    taking.join().unwrap();
    outcome
}

fn offer(stream: &mut UnixStream) -> Vec<u8> {
    let mut head = [0; FRAME];
    stream.read_exact(&mut head).unwrap();
    let mut body = vec![0; usize::try_from(frame(head).unwrap().1).unwrap()];
    stream.read_exact(&mut body).unwrap();
    body
}

#[test]
fn whatever_fails_before_the_acknowledgement_leaves_the_context_here() {
    let world = World::new();
    let (initiator, mut acceptor) = world.established();
    let acts: [fn(UnixStream); 6] = [
        drop,
        |mut stream| drop(offer(&mut stream)),
        |mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n").unwrap(),
        |mut stream| {
            // The beginning of an acknowledgement, and no more.
            let body = offer(&mut stream);
            stream.write_all(b"OH\x01\x02\0\0\0\x10").unwrap();
            stream.write_all(&body[..15]).unwrap();
        },
        |mut stream| {
            let _ = offer(&mut stream);
            stream.write_all(b"OH\x01\x02\0\0\0\x10an_other_offer_s").unwrap();
            // It keeps what it was sent, and is never told to go on.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, b"", "nothing more crosses");
        },
        |mut stream| {
            let _ = offer(&mut stream);
            stream.write_all(b"OH\x01\x03\0\0\0\x02no").unwrap();
        },
    ];
    for act in acts {
        let outcome = to(&world, acceptor, act);
        let Err(NotGiven::Kept(kept)) = outcome else { panic!("{outcome:?}") };
        acceptor = kept.context;
        assert_joined(&initiator, &acceptor);
    }
}

#[test]
fn after_the_acknowledgement_the_context_is_not_here_whatever_the_taker_does() {
    let world = World::new();
    let (_, acceptor) = world.established();
    let outcome = to(&world, acceptor, |mut stream| {
        let body = offer(&mut stream);
        stream.write_all(&[b"OH\x01\x02\0\0\0\x10", &body[..16]].concat()).unwrap();
    });
    // It was told to go on, or had hung up before: there is no context to have back.
    assert!(matches!(outcome, Ok(()) | Err(NotGiven::Lost(_))), "{outcome:?}");
}

#[test]
fn a_taker_without_the_last_octet_has_no_context() {
    let world = World::new();
    for last in [&b""[..], b"\0", b"c"] {
        let (mut near, far) = UnixStream::pair().unwrap();
        let (_, acceptor) = world.established();
        let giving = acceptor.hand_over().unwrap();
        near.write_all(giving.offer()).unwrap();
        let taker = world.orthros.clone();
        let taking = thread::spawn(move || taker.take_over(&far, &Peers::same_user()));
        assert_eq!(offer(&mut near), giving.body()[..16]);
        near.write_all(last).unwrap();
        drop(near);
        let refused = taking.join().unwrap().unwrap_err();
        assert!(refused.to_string().starts_with("the other end of the handover: "), "{refused}");
    }
}

#[test]
fn who_has_transfer_switched_off_neither_gives_nor_takes() {
    let world = World::new();
    let off = World::with(orthros::Enctype::Aes256CtsHmacSha384, |config| config.transfer.enabled = false);
    let (initiator, acceptor) = world.established();
    let taker: Orthros = off.orthros.clone();
    let outcome = to(&world, acceptor, move |stream| {
        let refused = taker.take_over(&stream, &Peers::same_user()).unwrap_err();
        assert_eq!(refused.major(), orthros::Major::Unavailable);
    });
    let Err(NotGiven::Kept(kept)) = outcome else { panic!("{outcome:?}") };
    assert!(
        kept.error.to_string().contains("it refuses: context transfer is switched off"),
        "{}",
        kept.error
    );
    assert_joined(&initiator, &kept.context);
    let (initiator, acceptor) = off.established();
    let outcome = to(&off, acceptor, drop);
    let Err(NotGiven::Kept(kept)) = outcome else { panic!("{outcome:?}") };
    assert_joined(&initiator, &kept.context);
}
