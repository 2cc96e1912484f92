//! Caches, keytabs and the replay cache where files can't be read or written: by a full disk, by a limit, by their
//! owner, by others who read and write them at the same time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::world::{Host, World};
use common::{arguments, limit, play, play_mounted, role, say, start, told};
use orthros::replay::File2;
use orthros::stores::StoreFault;
use orthros::{CacheName, Context, Enctype, Error, Keytab, KeytabName, Name, Orthros, Principal, Step};
use orthros_crypto::Key;
use orthros_wire::Timestamp;
use orthros_wire::testing::SeededRandom;
use rustix::process::Resource;

fn keytab(name: &str, kvno: u32) -> Keytab {
    let key = Key::random(Enctype::Aes256CtsHmacSha384, &SeededRandom::new(kvno.into()));
    let mut keytab = Keytab::default();
    keytab.add(name.parse().unwrap(), kvno, key.into(), Timestamp::default()).unwrap();
    keytab
}

/// Everything is in `folder`, the replay cache too.
fn within(world: &World, folder: &Path) -> Orthros {
    let mut host = Host::new(folder);
    host.config = world.host.config.clone();
    let (cache, replay) = (CacheName::File(folder.join("cache")), File2::at(folder.join("replay")));
    host.builder().default_cache(cache).replay_cache(replay).build()
}

/// A request by the ticket in the default cache, which is fetched if it is not there.
fn request(orthros: &Orthros) -> Vec<u8> {
    let mut step = orthros.initiate(Name::hostbased_service("host", "localhost")).unwrap().start();
    loop {
        step = match step {
            Step::Need(need) => orthros.provide(need),
            Step::Send(owed) => return owed.token().to_vec(),
            other => panic!("{other:?}"),
        };
    }
}

fn accept(orthros: &Orthros, request: &[u8]) -> Result<Context, Error> {
    let credential = orthros.acceptor().unwrap();
    let Step::Receive(wait) = orthros.accept(&credential).start() else { panic!() };
    let mut step = wait.token(request);
    loop {
        step = match step {
            Step::Need(need) => orthros.provide(need),
            Step::Send(owed) => owed.sent(),
            Step::Done(context) => return Ok(context),
            Step::Failed(error) => return Err(error),
            other => panic!("{other:?}"),
        };
    }
}

/// Fills cache and keytab in `folder`, lets `full` take the room for more, and tries to write everywhere.
fn nothing_is_lost(folder: &Path, full: impl FnOnce()) {
    let world = World::new();
    let orthros = within(&world, folder);
    let (cache, keys) = (orthros.default_cache(), orthros.default_keytab());
    orthros.acquire("alice").password("open sesame").blocking_into(cache).unwrap();
    orthros.add_to_keytab(keys, &world.kdc.realm().keytab("host/localhost").unwrap()).unwrap();
    let CacheName::File(path) = cache else { panic!("{cache}") };
    let (of_cache, of_keytab) = (fs::read(path).unwrap(), fs::read(folder.join("keytab")).unwrap());
    full();

    // A ticket that finds no room in the cache serves all the same.
    let request = request(&orthros);
    let again = orthros.read_cache(cache).unwrap();
    assert!(orthros.write_cache(cache, again).is_err());
    let mut many = Keytab::default();
    (1..200).for_each(|kvno| drop(many.merge(&keytab("host/more@TEST", kvno))));
    let error = orthros.add_to_keytab(keys, &many).unwrap_err();
    assert!(error.to_string().contains("keytab"), "{error}");
    let error = orthros.add_to_keytab(&KeytabName::File(folder.join("another")), &many).unwrap_err();
    assert!(error.to_string().contains("another"), "{error}");
    // An authenticator that can't be recorded is refused.
    let error = accept(&orthros, &request).unwrap_err().to_string();
    assert!(error.contains("replay"), "{error}");

    // The ticket may have found room behind the others, in their last page; half of it stays nowhere.
    let now = fs::read(path).unwrap();
    assert!(now.starts_with(&of_cache));
    assert!([1, 2].contains(&orthros.read_cache(cache).unwrap().credentials().count()));
    let kept = Keytab::parse(&fs::read(folder.join("keytab")).unwrap()).unwrap();
    let old = Keytab::parse(&of_keytab).unwrap();
    let before = old.entries().count();
    assert!(kept.entries().take(before).zip(old.entries()).all(|(one, other)| one.kvno() == other.kvno()));
    let left: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".new")), "{left:?}");
}

#[test]
fn a_full_disk_loses_neither_tickets_nor_keys_and_lets_nobody_in() {
    const TEST: &str = "a_full_disk_loses_neither_tickets_nor_keys_and_lets_nobody_in";
    if role().is_some() {
        let folder = told("FOLDER");
        let folder = Path::new(&folder);
        nothing_is_lost(folder, || {
            // To the last octet of the last page that a file has.
            let filler = fs::File::create(folder.join("filler")).unwrap();
            let mut at = 0;
            while std::os::unix::fs::FileExt::write_all_at(&filler, &[7; 512], at).is_ok() {
                at += 512;
            }
            for name in ["cache", "keytab"] {
                let path = folder.join(name);
                assert!(fs::metadata(&path).unwrap().len() < 4_096, "{name} fits a page");
            }
        });
        return say("done");
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = r#"mount -t tmpfs -o size=16k,mode=0700 none "$FOLDER""#;
    match play_mounted(TEST, "full", folder.path(), mount) {
        Some(player) => assert_eq!(player.said().0, "done"),
        None => println!("skipped: no mount namespace can be had here"),
    }
}

#[test]
fn a_limit_for_files_is_an_error_that_loses_nothing_and_ends_nobody() {
    const TEST: &str = "a_limit_for_files_is_an_error_that_loses_nothing_and_ends_nobody";
    if role().is_some() {
        let folder = tempfile::tempdir().unwrap();
        nothing_is_lost(folder.path(), || limit(Resource::Fsize, 0));
        return say("done");
    }
    assert_eq!(play(TEST, "limited", &[]).said().0, "done");
}

#[test]
fn files_of_another_user_are_refused_by_name_and_stay() {
    const TEST: &str = "files_of_another_user_are_refused_by_name_and_stay";
    const NOBODY: u32 = 65_534;
    if role().is_some() {
        let folder = told("FOLDER");
        let orthros = Host::new(&folder).orthros();
        let (cache, keys) = (format!("{folder}/cache"), format!("{folder}/keytab"));
        let (cache, keys) = (CacheName::from(cache.as_str()), KeytabName::from(keys.as_str()));
        for error in [
            orthros.read_cache(&cache).unwrap_err(),
            orthros.destroy_cache(&cache).unwrap_err(),
            orthros.read_keytab(&keys).unwrap_err(),
            orthros.add_to_keytab(&keys, &keytab("a@TEST", 1)).unwrap_err(),
        ] {
            assert!(matches!(&error.fault, StoreFault::Io(why) if why.raw_os_error() == Some(13)), "{error}");
            assert!(error.to_string().contains(&folder), "{error}");
        }
        return say("refused");
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["cache", "keytab"] {
        fs::write(folder.path().join(name), b"another's").unwrap();
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    // Root is refused nothing: somebody else plays then, from a place of his own.
    let own = tempfile::tempdir().unwrap();
    let mut command = if orthros::sys::process::effective_user() == 0 {
        let exe = own.path().join("test");
        let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&exe).status().unwrap();
        assert!(copied.success());
        chown(own.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(exe);
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
        command
    } else {
        Command::new(std::env::current_exe().unwrap())
    };
    command.args(arguments(TEST));
    let player = start(command, "nobody", &[("FOLDER", folder.path().to_str().unwrap())]);
    assert_eq!(player.said().0, "refused");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn ten_readers_of_a_cache_see_no_half_of_what_two_writers_write() {
    const FOR: Duration = Duration::from_millis(1_500);
    let world = World::new();
    let orthros = within(&world, world.folder.path());
    let cache = orthros.default_cache().clone();
    orthros.acquire("alice").password("open sesame").blocking_into(&cache).unwrap();
    request(&orthros);
    let whole = orthros.read_cache(&cache).unwrap();
    let (tgt, ticket) = {
        let mut all = whole.credentials().cloned();
        (all.next().unwrap(), all.next().unwrap())
    };
    let mut small = whole.clone();
    small.remove(|one| one.server == ticket.server);
    let (over, read) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let (world, cache, over, read) = (&world, &cache, &over, &read);
        // Each an object of its own, as other processes have; one makes the file anew, one adds to it.
        let (small, tgt) = (&small, &tgt);
        scope.spawn(move || {
            let orthros = within(world, world.folder.path());
            while !over.load(Ordering::Relaxed) {
                orthros.write_cache(cache, small.clone()).unwrap();
                thread::sleep(Duration::from_micros(300));
            }
        });
        scope.spawn(move || {
            let orthros = within(world, world.folder.path());
            while !over.load(Ordering::Relaxed) {
                request(&orthros);
            }
        });
        for _ in 0..10 {
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let orthros = within(world, world.folder.path());
                    let seen = orthros.read_cache(cache).unwrap();
                    assert_eq!(seen.primary(), &"alice@TEST".parse::<Principal>().unwrap());
                    assert!(seen.credentials().any(|one| one.server == tgt.server));
                    read.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let end = Instant::now() + FOR;
        while Instant::now() < end && !over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(read.load(Ordering::Relaxed) > 100, "hardly anybody read");
}
