//! The replay cache of type `file2`, against files that MIT krb5 made and against everything that can lie at
//! its path.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::thread;
use std::time::Duration;

use common::{play, role, say, told, winners_of_eight};
use orthros::replay::{CacheName, File2, ReplayCache, ReplayRefusal, UnknownType};
use orthros_wire::{Timestamp, hex};

const MADE_BY_MIT: &[u8] = include_bytes!("data/file2-mit-1.20.1.bin");
const TAGS: &str = include_str!("data/file2-mit-1.20.1.tags");
/// When the file was made.
const THEN: i64 = 1_795_227_160;

fn tags() -> Vec<Vec<u8>> {
    TAGS.lines().map(|line| hex::decode(line).unwrap()).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn unavailable(outcome: Result<(), ReplayRefusal>) -> String {
    match outcome {
        Err(ReplayRefusal::Unavailable(cause)) => cause,
        other => panic!("{other:?}"),
    }
}

fn default_in(folder: &Path) -> File2 {
    File2::default_cache(|name| (name == "KRB5RCACHEDIR").then(|| folder.as_os_str().to_owned()))
}

#[test]
fn every_authenticator_that_mit_recorded_is_a_replay_to_us() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    fs::write(&path, MADE_BY_MIT).unwrap();
    let cache = File2::at(&path);
    let tags = tags();
    assert_eq!(tags.len(), 400);
    for tag in &tags {
        assert_eq!(cache.check(tag, at(THEN), 300), Err(ReplayRefusal::Replayed), "{}", hex::encode(tag));
    }
    assert_eq!(fs::read(&path).unwrap(), MADE_BY_MIT, "looking up changes nothing");
    let fresh = cache.check(b"never seen..", at(THEN), 300);
    assert_eq!(fresh, Ok(()));
    assert_eq!(cache.check(b"never seen..", at(THEN), 300), Err(ReplayRefusal::Replayed));
}

#[test]
fn records_go_octet_for_octet_where_mit_put_them() {
    // The same seed and the same tags, each at the moment at which MIT recorded it, in the order of its
    // stamps: the whole file must come out alike, second table and all.
    let mut recorded: Vec<(u32, Vec<u8>)> = tags()
        .into_iter()
        .map(|tag| {
            let places: Vec<&[u8]> = MADE_BY_MIT[16..].chunks(16).filter(|r| r[..12] == tag[..]).collect();
            assert_eq!(places.len(), 1, "each tag once");
            (u32::from_be_bytes(places[0][12..].try_into().unwrap()), tag)
        })
        .collect();
    recorded.sort_by_key(|(stamp, _)| *stamp);
    assert!(MADE_BY_MIT.len() > 16 + 1023 * 16, "the second table is in use");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    fs::write(&path, &MADE_BY_MIT[..16]).unwrap();
    let cache = File2::at(&path);
    for (stamp, tag) in recorded {
        assert_eq!(cache.check(&tag, at(i64::from(stamp)), 300), Ok(()));
    }
    assert!(fs::read(&path).unwrap() == MADE_BY_MIT, "ours and MIT's files differ");
}

#[test]
fn the_default_file_is_named_and_guarded_as_mit_does() {
    let folder = tempfile::tempdir().unwrap();
    let user = fs::metadata(folder.path()).map(|m| std::os::unix::fs::MetadataExt::uid(&m)).unwrap();
    let cache = default_in(folder.path());
    assert_eq!(cache.path(), folder.path().join(format!("krb5_{user}.rcache2")));
    assert_eq!(cache.check(b"a", at(1_000), 300), Ok(()));
    assert_eq!(fs::metadata(cache.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(File2::default_cache(|_| None).path().starts_with("/var/tmp"));
    let root = File2::default_cache(|_| Some("".into()));
    assert_eq!(root.path().parent(), Some(Path::new("/")));
    let by_tmpdir = File2::default_cache(|name| (name == "TMPDIR").then(|| "/elsewhere".into()));
    assert!(by_tmpdir.path().starts_with("/elsewhere"));
}

#[test]
fn a_link_a_folder_a_fifo_and_a_file_that_others_write_are_refused_and_nothing_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let cache = default_in(folder.path());
    let path = cache.path().to_owned();

    let target = folder.path().join("target");
    symlink(&target, &path).unwrap();
    assert!(unavailable(cache.check(b"a", at(1_000), 300)).contains("symbolic link"));
    assert!(!target.exists(), "nothing is made behind the link");
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    assert!(unavailable(cache.check(b"a", at(1_000), 300)).contains("rcache2"));
    fs::remove_dir(&path).unwrap();

    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert!(unavailable(cache.check(b"a", at(1_000), 300)).contains("not a regular file"));
    fs::remove_file(&path).unwrap();

    fs::write(&path, b"").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(unavailable(cache.check(b"a", at(1_000), 300)).contains("0666"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(cache.check(b"a", at(1_000), 300), Ok(()));
}

#[test]
fn a_file_of_another_user_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = default_in(folder.path());
    fs::write(cache.path(), b"").unwrap();
    let given_away = std::os::unix::fs::chown(cache.path(), Some(4_242), None).is_ok();
    if given_away {
        assert!(unavailable(cache.check(b"a", at(1_000), 300)).contains("uid 4242"));
    } else {
        // Only root can give a file away; any other user meets foreign files everywhere.
        let foreign = File2::default_cache(|name| (name == "KRB5RCACHEDIR").then(|| "/".into()));
        assert!(unavailable(foreign.check(b"a", at(1_000), 300)).contains("rcache2"));
    }
}

#[test]
fn a_missing_folder_and_a_full_disk_close_the_door() {
    let missing = File2::at("/nonexistent/folder/cache");
    let cause = unavailable(missing.check(b"a", at(1_000), 300));
    assert!(cause.contains("/nonexistent/folder/cache") && cause.contains("No such file"), "{cause}");
    let full = File2::at("/dev/full");
    assert!(unavailable(full.check(b"a", at(1_000), 300)).contains("not a regular file"));
}

#[test]
fn a_record_is_kept_for_two_skews_and_then_its_place_serves_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = File2::at(folder.path().join("cache"));
    for number in 0..20_000_i64 {
        let tag = number.to_be_bytes();
        assert_eq!(cache.check(&tag, at(10_000 + number), 30), Ok(()));
        let recent = (number - 60).max(0).to_be_bytes();
        assert_eq!(cache.check(&recent, at(10_000 + number), 30), Err(ReplayRefusal::Replayed));
    }
    let length = fs::metadata(cache.path()).unwrap().len();
    assert!(length <= 16 + (1023 + 2048 + 4096) * 16, "{length}");
}

#[test]
fn a_clock_put_back_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let cache = File2::at(folder.path().join("cache"));
    assert_eq!(cache.check(b"one", at(100_000), 300), Ok(()));
    assert_eq!(cache.check(b"one", at(99_400), 300), Err(ReplayRefusal::Replayed));
    assert_eq!(cache.check(b"two", at(0), 300), Ok(()));
    assert_eq!(cache.check(b"two", at(0), 300), Err(ReplayRefusal::Replayed));
    assert_eq!(cache.check(b"three", at(-5), 300), Ok(()));
    assert_eq!(cache.check(b"three", at(-5), 300), Err(ReplayRefusal::Replayed));
}

#[test]
fn a_removed_file_is_noticed_within_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    let cache = File2::at(&path);
    assert_eq!(cache.check(b"one", at(1_000), 300), Ok(()));
    fs::remove_file(&path).unwrap();
    thread::sleep(Duration::from_millis(1_050));
    assert_eq!(cache.check(b"two", at(1_000), 300), Ok(()));
    assert!(path.exists(), "the cache went on with a file that no other acceptor sees");
    assert_eq!(File2::at(&path).check(b"two", at(1_000), 300), Err(ReplayRefusal::Replayed));
}

#[test]
fn of_eight_threads_one_is_let_in_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let cache = File2::at(folder.path().join("cache"));
    cache.check(b"first", at(1_000), 300).unwrap();
    for round in 0..5_u32 {
        let let_in =
            winners_of_eight(cache.path(), || cache.check(&round.to_be_bytes(), at(1_000), 300).is_ok());
        assert_eq!(let_in, 1, "round {round}");
    }
}

#[test]
fn what_one_process_accepted_another_refuses() {
    const TEST: &str = "what_one_process_accepted_another_refuses";
    if role().is_some() {
        return role_check();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    let cache = File2::at(&path);
    let told = [("CACHE", path.to_str().unwrap()), ("TAG", "00112233445566778899aabb")];
    assert_eq!(play(TEST, "check", &told).said().0, "Ok(())");
    let tag = hex::decode(told[1].1).unwrap();
    let now = orthros_wire::Clock::now(&orthros::clock::SystemClock);
    assert_eq!(cache.check(&tag, now, 300), Err(ReplayRefusal::Replayed));
    assert_eq!(play(TEST, "check", &told).said().0, "Err(Replayed)");
}

fn role_check() {
    let tag = hex::decode(&told("TAG")).unwrap();
    let now = orthros_wire::Clock::now(&orthros::clock::SystemClock);
    say(&format!("{:?}", File2::at(told("CACHE")).check(&tag, now, 300)));
}

#[test]
fn a_file_size_limit_is_an_error_and_not_a_signal() {
    const TEST: &str = "a_file_size_limit_is_an_error_and_not_a_signal";
    if role().is_some() {
        return role_limited();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    let told = [("CACHE", path.to_str().unwrap())];
    let (cause, _) = play(TEST, "limited", &told).said();
    assert!(cause.contains("RLIMIT_FSIZE") && cause.contains("cache"), "{cause}");
}

fn role_limited() {
    let path = told("CACHE");
    let cache = File2::at(&path);
    assert_eq!(cache.check(b"before", at(1_000), 300), Ok(()));
    let limit = rustix::process::Rlimit { current: Some(0), maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
    let warm = unavailable(cache.check(b"after", at(1_000), 300));
    let cold = unavailable(File2::at(format!("{path}2")).check(b"after", at(1_000), 300));
    assert!(cold.contains("RLIMIT_FSIZE"), "{cold}");
    say(&warm);
}

#[test]
fn names_of_caches_are_read_as_mit_reads_them() {
    let parse = |text: &str| CacheName::parse(text.as_ref());
    assert_eq!(parse("dfl:"), Ok(CacheName::Default));
    assert_eq!(parse("dfl"), Ok(CacheName::Default));
    assert_eq!(parse("none:"), Ok(CacheName::None));
    assert_eq!(parse("file2:/var/tmp/x:y"), Ok(CacheName::File2("/var/tmp/x:y".into())));
    for wrong in ["", "file2:", "file2", "FILE:/tmp/x", "/tmp/x"] {
        assert_eq!(parse(wrong), Err(UnknownType(wrong.into())));
    }
    let cache = CacheName::None.open(|_| None);
    assert_eq!(cache.check(b"a", at(1), 300), Ok(()));
    assert_eq!(cache.check(b"a", at(1), 300), Ok(()));
}
