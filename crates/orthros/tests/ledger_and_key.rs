//! The ledger of spent tokens and the user's key, in several threads and processes, on hostile ground.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

use common::{Player, limit, play, play_mounted, role, say, told, winners_of_eight};
use orthros::clock::SystemClock;
use orthros::ledger::{FileLedger, Ledger, SpendRefusal};
use orthros::seal_key::{NoPlace, Places, UserKey};
use orthros::sys::file::Locked;
use orthros_wire::{Clock, Timestamp, hex};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn unavailable(outcome: Result<(), SpendRefusal>) -> String {
    match outcome {
        Err(SpendRefusal::Unavailable(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

fn open(folder: &Path) -> Result<UserKey, NoPlace> {
    UserKey::open(&Places::new().within(folder))
}

fn refused(folder: &Path) -> String {
    open(folder).map(|key| format!("{key:?}")).unwrap_err().to_string()
}

#[test]
fn of_eight_threads_one_spends_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = FileLedger::at(folder.path().join("ledger"));
    ledger.spend(&[255; 16], at(2_000), at(1_000)).unwrap();
    for round in 0..5_u8 {
        let won =
            winners_of_eight(ledger.path(), || ledger.spend(&[round; 16], at(2_000), at(1_000)).is_ok());
        assert_eq!(won, 1, "round {round}");
    }
}

#[test]
fn of_eight_processes_one_spends_an_id_and_the_others_are_told_which() {
    const TEST: &str = "of_eight_processes_one_spends_an_id_and_the_others_are_told_which";
    if role().is_some() {
        return role_spend();
    }
    let folder = tempfile::tempdir().unwrap();
    let told = [("FOLDER", folder.path().to_str().unwrap())];
    let before = SystemClock.now();
    let ledger = open(folder.path()).unwrap().ledger();
    let file = fs::File::options().read(true).write(true).open(ledger.path().unwrap()).unwrap();
    let door = Locked::exclusive(&file).unwrap();
    let mut racers: Vec<_> = (0..8).map(|_| play(TEST, "spend", &told)).collect();
    thread::sleep(Duration::from_millis(150));
    assert!(racers.iter_mut().all(Player::is_running), "somebody did not wait");
    drop(door);
    let answers: Vec<_> = racers.into_iter().map(Player::said).collect();
    let winners: Vec<_> = answers.iter().filter(|(answer, _)| answer == "spent").collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for (answer, pid) in &answers {
        if *pid != winners[0].1 {
            assert!(answer.contains(&format!("by pid {}.", winners[0].1)), "{answer}");
        }
    }
    let key = open(folder.path()).unwrap();
    match key.ledger().spend(&[9; 16], at(i64::MAX), SystemClock.now()) {
        Err(SpendRefusal::AlreadySpent { at, pid }) => {
            assert_eq!(pid, winners[0].1);
            assert!(at >= Timestamp { microseconds: before.microseconds / 1_000 * 1_000, ..before });
            assert!(at <= SystemClock.now());
        }
        other => panic!("{other:?}"),
    }
}

fn role_spend() {
    let ledger = open(told("FOLDER").as_ref()).unwrap().ledger();
    let now = SystemClock.now();
    match ledger.spend(&[9; 16], now.plus_seconds(600), now) {
        Ok(()) => say("spent"),
        Err(refusal) => say(&refusal.to_string()),
    }
}

#[test]
fn a_refusal_says_when_and_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = FileLedger::at(folder.path().join("ledger"));
    let then = Timestamp { seconds: 1_795_269_731, microseconds: 482_999 };
    ledger.spend(&[1; 16], then.plus_seconds(60), then).unwrap();
    let refusal = ledger.spend(&[1; 16], then.plus_seconds(60), then.plus_seconds(9)).unwrap_err();
    let pid = std::process::id();
    assert_eq!(refusal, SpendRefusal::AlreadySpent { at: Timestamp { microseconds: 482_000, ..then }, pid });
    let text = refusal.to_string();
    assert!(text.contains(".482Z") && text.contains(&format!("pid {pid}.")), "{text}");
}

#[test]
fn a_record_stays_until_its_token_is_long_over_and_then_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = FileLedger::at(&path);
    let id = |number: i64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        id
    };
    for number in 0..20_000_i64 {
        let now = at(1_000_000 + number * 10);
        ledger.spend(&id(number), now.plus_seconds(600), now).unwrap();
        // Tokens live 600 s, and the ledger remembers 900 s more: 150 records.
        let old = (number - 100).max(0);
        assert!(ledger.spend(&id(old), now.plus_seconds(600), now).is_err(), "{number}");
    }
    let length = fs::metadata(&path).unwrap().len();
    assert!(length <= 24 + (1023 + 8192) * 32, "{length}");
}

#[test]
fn a_ledger_that_is_a_link_foreign_open_to_others_or_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = FileLedger::at(&path);
    let spend = || unavailable(ledger.spend(&[1; 16], at(2), at(1)));
    symlink(folder.path().join("target"), &path).unwrap();
    assert!(spend().contains("symbolic link"));
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"something that is not a ledger at all").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(spend().contains("0640"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(spend().contains("foreign"));
    assert_eq!(fs::read(&path).unwrap(), b"something that is not a ledger at all");
    if chown(&path, Some(4_242), None).is_ok() {
        assert!(spend().contains("uid 4242"));
    }
    let missing = FileLedger::at("/nonexistent/ledger");
    assert!(unavailable(missing.spend(&[1; 16], at(2), at(1))).contains("/nonexistent/ledger"));
}

#[test]
fn a_lost_ledger_makes_no_spent_token_good_again() {
    let folder = tempfile::tempdir().unwrap();
    let key = open(folder.path()).unwrap();
    let ledger = key.ledger();
    ledger.spend(&[1; 16], at(2_000), at(1_000)).unwrap();
    assert!(key.is_current());
    fs::remove_file(ledger.path().unwrap()).unwrap();
    let again = ledger.spend(&[1; 16], at(2_000), at(1_000));
    assert!(matches!(again, Err(SpendRefusal::AlreadySpent { .. })), "it has the file open: {again:?}");
    let anew = || unavailable(key.ledger().spend(&[1; 16], at(2_000), at(1_000)));
    assert!(anew().contains("No such file"));
    assert!(!key.is_current());
    let next = open(folder.path()).unwrap();
    assert!(anew().contains("replaced"));
    assert!(next.is_current());
    assert_ne!(next.key_id(), key.key_id(), "what was sealed before can't be opened any more");
    assert!(!next.secret().ct_eq(key.secret()));
    next.ledger().spend(&[1; 16], at(2_000), at(1_000)).unwrap();
}

#[test]
fn limits_and_shortages_are_errors_that_name_the_file() {
    const TEST: &str = "limits_and_shortages_are_errors_that_name_the_file";
    match role().as_deref() {
        Some("without descriptors") => return role_without_descriptors(),
        Some(_) => return role_without_file_size(),
        None => {}
    }
    let folder = tempfile::tempdir().unwrap();
    let told = [("FOLDER", folder.path().to_str().unwrap())];
    let (answer, _) = play(TEST, "without descriptors", &told).said();
    assert!(answer.contains("ledger") && answer.contains("Too many open files"), "{answer}");
    let (answer, _) = play(TEST, "without file size", &told).said();
    assert!(answer.contains("ledger") && answer.contains("RLIMIT_FSIZE"), "{answer}");
}

fn role_without_descriptors() {
    let places = Places::new().within(told("FOLDER")).within("/dev/shm");
    let key = UserKey::open(&places).unwrap();
    limit(rustix::process::Resource::Nofile, 3);
    let refusal = key.ledger().spend(&[5; 16], at(2_000), at(1_000)).unwrap_err().to_string();
    let no_place = UserKey::open(&places).map(|_| ()).unwrap_err();
    limit(rustix::process::Resource::Nofile, 64);
    assert_eq!(no_place.tried.len(), 1, "the next place would mean another key: {no_place}");
    key.ledger().spend(&[5; 16], at(2_000), at(1_000)).unwrap();
    say(&refusal);
}

fn role_without_file_size() {
    let key = open(told("FOLDER").as_ref()).unwrap();
    let ledger = key.ledger();
    ledger.spend(&[6; 16], at(2_000), at(1_000)).unwrap();
    limit(rustix::process::Resource::Fsize, 0);
    let refusal = ledger.spend(&[7; 16], at(2_000), at(1_000)).unwrap_err().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    let no_place = refused(elsewhere.path());
    assert!(no_place.contains("RLIMIT_FSIZE"), "{no_place}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing was made");
    say(&refusal);
}

#[test]
fn eight_first_users_get_one_key() {
    const TEST: &str = "eight_first_users_get_one_key";
    if role().is_some() {
        return role_key();
    }
    let folder = tempfile::tempdir().unwrap();
    let told = [("FOLDER", folder.path().to_str().unwrap())];
    let racers: Vec<_> = (0..8).map(|_| play(TEST, "key", &told)).collect();
    let answers: Vec<_> = racers.into_iter().map(|racer| racer.said().0).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.len() == 16), "{answers:?}");
    let key = open(folder.path()).unwrap();
    assert_eq!(hex::encode(&key.key_id()), answers[0]);
    assert_eq!(key.secret().len(), 32);
    let mut names: Vec<_> =
        fs::read_dir(key.folder().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ledger", "seal.key"]);
    for name in names {
        let mode = fs::metadata(key.folder().unwrap().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o600);
    }
}

fn role_key() {
    say(&hex::encode(&open(told("FOLDER").as_ref()).unwrap().key_id()));
}

#[test]
fn the_key_is_not_what_lies_in_the_file_and_is_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let key = open(folder.path()).unwrap();
    let stored = fs::read(key.folder().unwrap().join("seal.key")).unwrap();
    assert_ne!(stored, key.secret().expose_octets());
    let printed = format!("{key:?}");
    assert!(!printed.contains(&hex::encode(key.secret().expose_octets())), "{printed}");
    assert_ne!(key.key_id()[..], key.secret().expose_octets()[..8]);
}

#[test]
fn a_folder_that_others_may_enter_or_that_is_a_link_or_foreign_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let own = base.path().join("orthros");
    fs::DirBuilder::new().mode(0o755).create(&own).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(refused(base.path()).contains("0755"));
    assert_eq!(fs::read_dir(&own).unwrap().count(), 0, "nothing was put there");
    fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
    open(base.path()).unwrap();

    if chown(&own, Some(4_242), None).is_ok() {
        assert!(refused(base.path()).contains("uid 4242"));
        chown(&own, Some(0), None).unwrap();
    }
    let moved = base.path().join("moved");
    fs::rename(&own, &moved).unwrap();
    symlink(&moved, &own).unwrap();
    assert!(refused(base.path()).contains("link"));
    fs::remove_file(&own).unwrap();
    fs::write(&own, b"").unwrap();
    assert!(refused(base.path()).contains("not a folder"));
}

#[test]
fn a_base_in_which_others_could_swap_our_folder_is_refused() {
    let base = tempfile::tempdir().unwrap();
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(base.path()).contains("sticky"));
    fs::set_permissions(base.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    open(base.path()).unwrap();
    if chown(base.path(), Some(4_242), None).is_ok() {
        assert!(refused(base.path()).contains("uid 4242"));
    }
}

#[test]
fn a_key_file_that_is_short_readable_by_others_or_a_link_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let key_file = open(base.path()).unwrap().folder().unwrap().join("seal.key");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(refused(base.path()).contains("0644"));
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&key_file, [1; 31]).unwrap();
    assert!(refused(base.path()).contains("31 octets"));
    fs::rename(&key_file, base.path().join("elsewhere")).unwrap();
    symlink(base.path().join("elsewhere"), &key_file).unwrap();
    assert!(refused(base.path()).contains("link"));
}

#[test]
fn the_first_usable_place_is_taken_and_a_failure_names_each() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let missing = one.path().join("missing");
    let places = Places::new().within(&missing).within(two.path());
    let key = UserKey::open(&places).unwrap();
    assert_eq!(key.folder(), Some(two.path().join("orthros").as_path()));
    fs::write(one.path().join("orthros"), b"a file").unwrap();
    let nowhere = Places::new().within(&missing).within(one.path());
    let error = UserKey::open(&nowhere).map(|_| ()).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.tried.len(), 2);
    assert!(text.contains(missing.to_str().unwrap()) && text.contains("No such file"), "{text}");
    assert!(text.contains(one.path().to_str().unwrap()) && text.contains("not a folder"), "{text}");
}

#[test]
fn places_come_in_their_order_and_only_absolute_ones() {
    let environment = |name: &str| match name {
        "RUNTIME_DIRECTORY" => Some("/run/one:/run/two".into()),
        "XDG_RUNTIME_DIR" => Some("relative".into()),
        _ => None,
    };
    let folders: Vec<_> =
        Places::from_environment(Some("/configured".into()), environment).folders().collect();
    let user = orthros::sys::process::effective_user();
    assert_eq!(
        folders,
        [
            "/configured/orthros".into(),
            "/run/one/orthros".into(),
            format!("/run/user/{user}/orthros").into(),
            std::path::PathBuf::from(format!("/dev/shm/orthros-{user}")),
        ]
    );
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    const TEST: &str = "a_full_disk_is_an_error_that_names_the_file";
    if role().is_some() {
        return role_on_a_full_disk();
    }
    // A file system of one page that is used up.
    let folder = tempfile::tempdir().unwrap();
    let mount = r#"
        mount -t tmpfs -o size=4k,mode=0700 none "$FOLDER"
        mkdir -m 700 "$FOLDER/orthros"
        head -c 8192 /dev/zero > "$FOLDER/filler" 2>/dev/null || true"#;
    match play_mounted(TEST, "on a full disk", folder.path(), mount) {
        Some(player) => {
            let (said, _) = player.said();
            assert!(said.contains("seal.key") && said.contains("No space left"), "{said}");
        }
        None => println!("skipped: no mount namespace can be had here"),
    }
}

fn role_on_a_full_disk() {
    let folder = told("FOLDER");
    let error = refused(folder.as_ref());
    let left = fs::read_dir(Path::new(&folder).join("orthros")).unwrap().count();
    assert_eq!(left, 0, "half a key was left behind");
    let ledger = FileLedger::at(Path::new(&folder).join("orthros/ledger"));
    let cause = unavailable(ledger.spend(&[1; 16], at(2), at(1)));
    assert!(cause.contains("ledger") && cause.contains("No space left"), "{cause}");
    say(&error);
}
