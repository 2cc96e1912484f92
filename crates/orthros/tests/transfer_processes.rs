//! A context moves between real processes: once, only as it was sealed, only in its time, only to its user.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::world::{Host, NOW, World, assert_joined, kept, refusal, told_of, unhex};
use common::{Player, arguments, heard, play, role, say, start, told};
use orthros::ledger::FileLedger;
use orthros::seal_key::{Places, UserKey};
use orthros::sys::file::Locked;
use orthros::{Major, Order};
use orthros_gss::transfer::{SealingKey, TransferRefusal};
use orthros_wire::{SecretBytes, Timestamp, hex};

/// Role: imports each token that it is told of, says what came of it, and goes on with the context.
///
/// Lines: `import TOKEN`, `unwrap MESSAGE`, `wrap TEXT`, `export`.
fn importer(host: &Host) {
    let orthros = host.orthros();
    let mut context = None;
    say("ready");
    loop {
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line).unwrap() == 0 {
            return;
        }
        let (verb, rest) = line.trim_end().split_once(' ').unwrap();
        match verb {
            "import" => {
                let outcome = orthros.import(&unhex(rest));
                say(&told_of(&outcome));
                context = outcome.ok().or(context);
            }
            "unwrap" => {
                let unwrapped = context.as_ref().unwrap().unwrap(&unhex(rest)).unwrap();
                say(&format!("{:?} {}", unwrapped.order, String::from_utf8(unwrapped.message).unwrap()));
            }
            "wrap" => say(&hex::encode(&context.as_ref().unwrap().wrap(rest.as_bytes()).unwrap())),
            "export" => say(&hex::encode(&orthros.export(context.take().unwrap()).unwrap())),
            other => panic!("{other}"),
        }
    }
}

/// A process that plays [`importer`] and is ready.
fn an_importer(test: &str, world: &World, clock: i64) -> Player {
    let told = [("FOLDER", world.path()), ("CLOCK", &clock.to_string())];
    let mut player = play(test, "importer", &told);
    assert_eq!(player.hear(), "ready");
    player
}

fn told_host() -> Host {
    Host::new(told("FOLDER")).at(told("CLOCK").parse().unwrap())
}

fn import(player: &mut Player, token: &[u8]) -> String {
    player.tell(&format!("import {}", hex::encode(token)));
    player.hear()
}

fn unwrap(player: &mut Player, token: &[u8]) -> String {
    player.tell(&format!("unwrap {}", hex::encode(token)));
    player.hear()
}

#[test]
fn a_second_import_is_refused_in_the_same_process_in_another_and_in_the_exporter() {
    const TEST: &str = "a_second_import_is_refused_in_the_same_process_in_another_and_in_the_exporter";
    if role().is_some() {
        return importer(&told_host());
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let (mut first, mut second) = (an_importer(TEST, &world, NOW), an_importer(TEST, &world, NOW + 5));
    assert_eq!(import(&mut first, &token), "imported");
    // Whoever comes later, the exporter too, is told who has the context.
    let reason = format!("was spent at 2027-01-15T08:00:00Z by pid {}.", first.pid());
    for answer in [import(&mut second, &token), import(&mut first, &token)] {
        assert!(answer.starts_with("NoContext: ") && answer.contains(&reason), "{answer}");
    }
    let own = refusal(world.orthros.import(&token));
    let TransferRefusal::SpentBefore(spent) = own else { panic!("{own:?}") };
    assert_eq!((spent.pid, spent.at), (first.pid(), Timestamp::from_seconds(NOW)));
    // The refusals did the context no harm.
    assert_eq!(unwrap(&mut first, &initiator.wrap(b"one").unwrap()), "InOrder one");
    first.tell("wrap two");
    assert_eq!(initiator.unwrap(&unhex(&first.hear())).unwrap().message, b"two");
    first.end();
    second.end();
}

#[test]
fn of_eight_racing_processes_one_imports() {
    const TEST: &str = "of_eight_racing_processes_one_imports";
    if role().is_some() {
        return importer(&told_host());
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let mut racers: Vec<Player> = (0..8).map(|_| an_importer(TEST, &world, NOW)).collect();
    // All are at the door before it opens.
    let ledger = world.orthros.transfer_folder().unwrap().unwrap().join("ledger");
    let file = fs::File::options().read(true).write(true).open(ledger).unwrap();
    let door = Locked::exclusive(&file).unwrap();
    for racer in &mut racers {
        racer.tell(&format!("import {}", hex::encode(&token)));
    }
    thread::sleep(Duration::from_millis(100));
    drop(door);
    let mut answers: Vec<String> = racers.iter_mut().map(Player::hear).collect();
    let winner = answers.iter().position(|answer| answer == "imported").expect("nobody imported");
    assert_eq!(unwrap(&mut racers[winner], &initiator.wrap(b"you").unwrap()), "InOrder you");
    answers.remove(winner);
    let by = format!("by pid {}.", racers[winner].pid());
    assert!(
        answers.iter().all(|answer| answer.starts_with("NoContext") && answer.contains(&by)),
        "{answers:?}"
    );
    racers.into_iter().for_each(Player::end);
}

#[test]
fn every_flipped_bit_is_refused_and_spends_nothing() {
    const TEST: &str = "every_flipped_bit_is_refused_and_spends_nothing";
    refused_without_spending(TEST, |token| {
        let flipped = |bit: usize| {
            let mut changed = token.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            changed
        };
        let inverted = |at: usize| {
            let mut changed = token.to_vec();
            changed[at] ^= 0xff;
            changed
        };
        (0..token.len() * 8).map(flipped).chain((0..token.len()).map(inverted)).collect()
    });
}

#[test]
fn every_truncation_and_every_addition_is_refused_and_spends_nothing() {
    const TEST: &str = "every_truncation_and_every_addition_is_refused_and_spends_nothing";
    refused_without_spending(TEST, |token| {
        let beheaded = (1..token.len()).map(|from| token[from..].to_vec());
        let longer = [[token, &[0]].concat(), [&[0], token].concat(), [token, token].concat()];
        (0..token.len()).map(|to| token[..to].to_vec()).chain(beheaded).chain(longer).collect()
    });
}

/// Another process refuses all that `changed` makes of a token, and then takes the token itself.
fn refused_without_spending(test: &str, changed: impl Fn(&[u8]) -> Vec<Vec<u8>>) {
    if role().is_some() {
        let (orthros, token) = (told_host().orthros(), unhex(&heard()));
        for wrong in changed(&token) {
            let error = orthros.import(&wrong).map(|_| hex::encode(&wrong)).unwrap_err();
            assert!(
                matches!(error.major(), Major::DefectiveToken | Major::Unauthorized | Major::ContextExpired),
                "{error}"
            );
        }
        return say(&told_of(&orthros.import(&token)));
    }
    let world = World::new();
    let (_, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let ledger = world.orthros.transfer_folder().unwrap().unwrap().join("ledger");
    let before = fs::read(&ledger).unwrap();
    let told = [("FOLDER", world.path()), ("CLOCK", &NOW.to_string())];
    let mut player = play(test, "importer", &told);
    player.tell(&hex::encode(&token));
    assert_eq!(player.said().0, "imported");
    // The ledger grows by tables of zeros.
    let then = before.iter().chain(std::iter::repeat(&0));
    let spent = fs::read(&ledger).unwrap().iter().zip(then).filter(|(now, then)| now != then).count();
    assert!((1..=32).contains(&spent), "one record of 32 octets, not {spent} octets");
}

#[test]
fn a_token_is_taken_one_second_before_its_expiry_and_not_after() {
    const TEST: &str = "a_token_is_taken_one_second_before_its_expiry_and_not_after";
    if role().is_some() {
        return importer(&told_host());
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let end = acceptor.end();
    let token = world.orthros.export(acceptor).unwrap();
    for late in [end.seconds + 1, end.seconds] {
        let mut late = an_importer(TEST, &world, late);
        let answer = import(&mut late, &token);
        assert!(answer.starts_with(&format!("ContextExpired: the token expired at {end}")), "{answer}");
        late.end();
    }
    let mut early = an_importer(TEST, &world, end.seconds - 1);
    assert_eq!(import(&mut early, &token), "imported");
    assert_eq!(unwrap(&mut early, &initiator.wrap(b"just so").unwrap()), "InOrder just so");
    early.end();
}

#[test]
fn another_user_is_refused_with_the_reason_and_spends_nothing() {
    const TEST: &str = "another_user_is_refused_with_the_reason_and_spends_nothing";
    const NOBODY: u32 = 65_534;
    if role().is_some() {
        // The exporter's folder first, as every process is configured; then one of this user's own.
        let host = told_host();
        let places = Places::new().within(&host.folder).within(told("OWN"));
        let orthros = host.builder().transfer_places(places).build();
        let user = orthros::sys::process::effective_user();
        return say(&format!("{user} {}", told_of(&orthros.import(&unhex(&heard())))));
    }
    let world = World::new();
    let (_, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let own = tempfile::tempdir().unwrap();
    // Root can become somebody else. Any other user can't, and meets here what another user would meet: a
    // folder that lets nobody in.
    let is_root = orthros::sys::process::effective_user() == 0;
    let mut command = if is_root {
        let exe = own.path().join("test");
        // By another process: a child that another test starts meanwhile would hold the copy open for writing.
        let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&exe).status().unwrap();
        assert!(copied.success());
        fs::set_permissions(&exe, fs::Permissions::from_mode(0o755)).unwrap();
        chown(own.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let mut command = Command::new(exe);
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
        command
    } else {
        fs::set_permissions(world.folder.path(), fs::Permissions::from_mode(0o000)).unwrap();
        Command::new(std::env::current_exe().unwrap())
    };
    command.args(arguments(TEST));
    let clock = NOW.to_string();
    let told = [("FOLDER", world.path()), ("CLOCK", clock.as_str()), ("OWN", own.path().to_str().unwrap())];
    let mut stranger = start(command, "stranger", &told);
    stranger.tell(&hex::encode(&token));
    let (answer, _) = stranger.said();
    let (user, answer) = answer.split_once(' ').unwrap();
    assert_eq!(user == NOBODY.to_string(), is_root);
    assert!(
        answer.starts_with("Unauthorized: the token was sealed with another key: by another user"),
        "{answer}"
    );
    assert!(answer.contains("transfer_key"), "what to do: {answer}");
    fs::set_permissions(world.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(world.orthros.import(&token).is_ok());
}

#[test]
fn another_boot_is_refused_with_the_reason_and_spends_nothing() {
    const TEST: &str = "another_boot_is_refused_with_the_reason_and_spends_nothing";
    if role().is_some() {
        let host = told_host();
        let user = UserKey::open(&Places::new().within(&host.folder)).unwrap();
        let secret = || SecretBytes::copy_of(user.secret().expose_octets());
        let token = unhex(&heard());
        let boot = orthros::sys::process::boot_id().unwrap();
        let mut other = boot.to_vec();
        other[0] ^= 1;
        for wrong in [&other[..], &[]] {
            let rebooted = host.builder().transfer(SealingKey::new(secret(), wrong), user.ledger()).build();
            assert_eq!(refusal(rebooted.import(&token)), TransferRefusal::OtherBoot);
        }
        let rebooted = host.builder().transfer(SealingKey::new(secret(), &other), user.ledger()).build();
        let told = told_of(&rebooted.import(&token));
        // The same key and the true boot: it was the boot alone that was refused.
        let here = host.builder().transfer(SealingKey::new(secret(), &boot), user.ledger()).build();
        assert!(here.import(&token).is_ok());
        return say(&told);
    }
    let world = World::new();
    let (_, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let told = [("FOLDER", world.path()), ("CLOCK", &NOW.to_string())];
    let mut player = play(TEST, "rebooted", &told);
    player.tell(&hex::encode(&token));
    let (answer, _) = player.said();
    assert_eq!(answer, "Unauthorized: the token was sealed on another machine or before the last boot");
}

#[test]
fn a_process_without_the_ledger_or_with_transfer_switched_off_takes_nothing_and_spends_nothing() {
    const TEST: &str =
        "a_process_without_the_ledger_or_with_transfer_switched_off_takes_nothing_and_spends_nothing";
    if role().is_some() {
        let mut host = told_host();
        let token = unhex(&heard());
        let user = UserKey::open(&Places::new().within(&host.folder)).unwrap();
        let secret = SecretBytes::copy_of(user.secret().expose_octets());
        let key = SealingKey::new(secret, &orthros::sys::process::boot_id().unwrap());
        let nowhere = FileLedger::at(host.folder.join("missing/ledger"));
        let without = told_of(&host.builder().transfer(key, nowhere).build().import(&token));
        assert!(without.starts_with("Failure: the ledger of spent tokens can't be used"), "{without}");
        assert!(without.contains("missing/ledger"), "{without}");
        host.config.transfer.enabled = false;
        return say(&told_of(&host.orthros().import(&token)));
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let told = [("FOLDER", world.path()), ("CLOCK", &NOW.to_string())];
    let mut player = play(TEST, "without", &told);
    player.tell(&hex::encode(&token));
    let (answer, _) = player.said();
    assert!(answer.starts_with("Unavailable: context transfer is switched off"), "{answer}");
    assert_joined(&world.orthros.import(&token).unwrap(), &initiator);
}

#[test]
fn an_ended_context_is_not_exported_and_is_still_there() {
    const TEST: &str = "an_ended_context_is_not_exported_and_is_still_there";
    if role().is_some() {
        return importer(&told_host());
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let under_way = initiator.wrap(b"under way").unwrap();
    let end = acceptor.end();
    world.host.clock.set(end);
    let kept = kept(world.orthros.export(acceptor));
    assert_eq!(kept.error.major(), Major::ContextExpired);
    assert!(kept.error.to_string().contains(&end.to_string()), "{}", kept.error);
    assert_eq!(kept.context.unwrap(&under_way).unwrap().message, b"under way");
    assert_eq!(kept.context.wrap(b"x").unwrap_err().major(), Major::ContextExpired);
    // By a clock that was wrong and is put right, the context is whole.
    world.host.clock.set(Timestamp::from_seconds(NOW));
    assert_joined(&kept.context, &initiator);
    let token = world.orthros.export(kept.context).unwrap();
    let mut player = an_importer(TEST, &world, NOW);
    assert_eq!(import(&mut player, &token), "imported");
    assert_eq!(unwrap(&mut player, &initiator.wrap(b"whole").unwrap()), "InOrder whole");
    player.end();
}

#[test]
fn switched_off_transfer_clears_the_flag_and_keeps_the_context() {
    let world = World::with(orthros::Enctype::Aes256CtsHmacSha384, |config| config.transfer.enabled = false);
    let (initiator, acceptor) = world.established();
    for (context, peer) in [(&acceptor, &initiator), (&initiator, &acceptor)] {
        assert!(!context.flags().contains(orthros::Flags::TRANSFERABLE));
        assert_joined(context, peer);
    }
    let kept = kept(world.orthros.export(acceptor));
    assert_eq!(kept.error.major(), Major::Unavailable);
    assert!(kept.error.to_string().contains("[orthros]"), "{}", kept.error);
    assert_joined(&kept.context, &initiator);
    let folder = world.folder.path().join("orthros");
    assert!(!folder.exists(), "a refused export made a key");
}

#[test]
fn a_context_wanders_through_five_processes_and_the_peer_notices_nothing() {
    const TEST: &str = "a_context_wanders_through_five_processes_and_the_peer_notices_nothing";
    if role().is_some() {
        return importer(&told_host());
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let mut token = world.orthros.export(acceptor).unwrap();
    for number in 0..5 {
        let mut host = an_importer(TEST, &world, NOW);
        assert_eq!(import(&mut host, &token), "imported");
        let message = format!("{number}");
        let sent = initiator.wrap(message.as_bytes()).unwrap();
        assert_eq!(unwrap(&mut host, &sent), format!("InOrder {number}"));
        assert_eq!(unwrap(&mut host, &sent), format!("Duplicate {number}"));
        host.tell(&format!("wrap back from {number}"));
        let unwrapped = initiator.unwrap(&unhex(&host.hear())).unwrap();
        assert_eq!(
            (unwrapped.message, unwrapped.order),
            (format!("back from {number}").into(), Order::InOrder)
        );
        host.tell("export now");
        token = unhex(&host.hear());
        host.end();
    }
    assert_joined(&world.orthros.import(&token).unwrap(), &initiator);
}
