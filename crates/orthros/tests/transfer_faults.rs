//! When the key or the ledger can't be had: no token, and the context goes on; no import, and the token stays
//! good. Each fault is a real one, in a process of its own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use common::world::{Host, World, assert_joined, kept, refusal};
use common::{heard, limit, play, play_mounted, role, say, told};
use orthros::{Context, Major, Orthros};
use orthros_gss::transfer::TransferRefusal;
use orthros_wire::hex;
use rustix::process::Resource;

/// An export that must fail; what it says, and the context, which still works.
fn no_token(orthros: &Orthros, context: Context, peer: &Context) -> (String, Context) {
    let kept = kept(orthros.export(context));
    assert_eq!(kept.error.major(), Major::Failure);
    assert!(kept.context.flags().contains(orthros::Flags::TRANSFERABLE), "it may work later");
    assert_joined(&kept.context, peer);
    (kept.error.to_string(), kept.context)
}

#[test]
fn without_descriptors_there_is_no_token_and_the_context_still_wraps() {
    const TEST: &str = "without_descriptors_there_is_no_token_and_the_context_still_wraps";
    fails_under_a_limit(TEST, Resource::Nofile, 3, "Too many open files");
}

#[test]
fn under_a_file_size_limit_of_0_there_is_no_token_and_the_context_still_wraps() {
    const TEST: &str = "under_a_file_size_limit_of_0_there_is_no_token_and_the_context_still_wraps";
    fails_under_a_limit(TEST, Resource::Fsize, 0, "RLIMIT_FSIZE");
}

/// The first export under a limit fails, and works again without it. Later ones open and write nothing, and go on.
fn fails_under_a_limit(test: &str, resource: Resource, to: u64, reason: &str) {
    if role().is_none() {
        // A process of its own, for the limit holds for all that it does.
        assert_eq!(play(test, "limited", &[]).said().0, "done");
        return;
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let before = rustix::process::getrlimit(resource).current.unwrap_or(u64::MAX);
    limit(resource, to);
    let (cold, acceptor) = no_token(&world.orthros, acceptor, &initiator);
    assert!(cold.contains(reason) && cold.contains(world.path()), "{cold}");
    raise(resource, before);
    assert!(!world.folder.path().join("orthros/seal.key").exists(), "half a key was left behind");

    let token = world.orthros.export(acceptor).unwrap();
    let acceptor = world.host.orthros().import(&token).unwrap();
    limit(resource, to);
    let token = world.orthros.export(acceptor).unwrap();
    raise(resource, before);
    assert_joined(&world.host.orthros().import(&token).unwrap(), &initiator);
    say("done");
}

fn raise(resource: Resource, to: u64) {
    let maximum = rustix::process::getrlimit(resource).maximum;
    let current = maximum.map_or(to, |maximum| to.min(maximum));
    limit(resource, current);
}

#[test]
fn an_importer_under_a_limit_refuses_and_spends_nothing() {
    const TEST: &str = "an_importer_under_a_limit_refuses_and_spends_nothing";
    if let Some(role) = role() {
        let (resource, to) = if role == "descriptors" { (Resource::Nofile, 3) } else { (Resource::Fsize, 0) };
        let orthros = Host::new(told("FOLDER")).orthros();
        let token = hex::decode(&heard()).unwrap();
        if told("WARM") == "yes" {
            orthros.transfer_folder().unwrap();
        }
        limit(resource, to);
        let refusal = refusal(orthros.import(&token));
        assert!(matches!(refusal, TransferRefusal::Key(_) | TransferRefusal::Ledger(_)), "{refusal:?}");
        return say(&refusal.to_string());
    }
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    for (role, reason) in [("descriptors", "Too many open files"), ("file size", "RLIMIT_FSIZE")] {
        for warm in ["yes", "no"] {
            let mut player = play(TEST, role, &[("FOLDER", world.path()), ("WARM", warm)]);
            player.tell(&hex::encode(&token));
            let (answer, _) = player.said();
            assert!(answer.contains(reason), "{role}, {warm}: {answer}");
        }
    }
    assert_joined(&world.orthros.import(&token).unwrap(), &initiator);
}

#[test]
fn on_a_full_disk_there_is_no_token_and_the_context_still_wraps() {
    const TEST: &str = "on_a_full_disk_there_is_no_token_and_the_context_still_wraps";
    let mount = r#"
        mount -t tmpfs -o size=4k,mode=0700 none "$FOLDER"
        mkdir -m 700 "$FOLDER/orthros"
        head -c 8192 /dev/zero > "$FOLDER/filler" 2>/dev/null || true"#;
    fails_on_a_mount(TEST, mount, "No space left");
}

#[test]
fn on_a_read_only_disk_there_is_no_token_and_the_context_still_wraps() {
    const TEST: &str = "on_a_read_only_disk_there_is_no_token_and_the_context_still_wraps";
    fails_on_a_mount(TEST, r#"mount -t tmpfs -o ro,mode=0700 none "$FOLDER""#, "Read-only file system");
}

fn fails_on_a_mount(test: &str, mount: &str, reason: &str) {
    if role().is_some() {
        let (text, _) = exports_to(told("FOLDER").as_ref());
        return say(&text);
    }
    let folder = tempfile::tempdir().unwrap();
    match play_mounted(test, "exporter", folder.path(), mount) {
        Some(player) => {
            let (answer, _) = player.said();
            assert!(answer.contains(reason) && answer.contains(folder.path().to_str().unwrap()), "{answer}");
        }
        None => println!("skipped: no mount namespace can be had here"),
    }
}

/// Tries to export with the key in `folder`, which must fail, and then elsewhere, which must not.
fn exports_to(folder: &Path) -> (String, World) {
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let mut there = Host::new(folder);
    there.config = world.host.config.clone();
    let (text, acceptor) = no_token(&there.orthros(), acceptor, &initiator);
    assert!(!folder.join("orthros/seal.key").exists(), "half a key was left behind");
    let token = world.orthros.export(acceptor).unwrap();
    assert_joined(&world.host.orthros().import(&token).unwrap(), &initiator);
    (text, world)
}

#[test]
fn a_key_folder_that_cannot_be_made_or_is_not_ours_gives_no_token_and_the_context_still_wraps() {
    let base = tempfile::tempdir().unwrap();
    let (missing, _) = exports_to(&base.path().join("missing"));
    assert!(missing.contains("No such file"), "{missing}");
    // Nobody, not even root, makes a folder here.
    let (unwritable, _) = exports_to("/proc".as_ref());
    assert!(unwritable.contains("/proc/orthros"), "{unwritable}");
    let open = base.path().join("orthros");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let (open_to_all, _) = exports_to(base.path());
    assert!(open_to_all.contains("0755"), "{open_to_all}");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o700)).unwrap();
    // Only root can give a folder away.
    if orthros::sys::process::effective_user() == 0 {
        chown(&open, Some(4_242), None).unwrap();
        let (foreign, _) = exports_to(base.path());
        assert!(foreign.contains("uid 4242"), "{foreign}");
    }
}

#[test]
fn a_ledger_that_was_removed_takes_all_tokens_with_it_and_no_token_twice() {
    let world = World::new();
    let (initiator, acceptor) = world.established();
    let token = world.orthros.export(acceptor).unwrap();
    let moved = world.host.orthros().import(&token).unwrap();
    fs::remove_file(world.folder.path().join("orthros/ledger")).unwrap();
    // Without the ledger nobody knows that the token was spent: whoever has its key can't use it, and nobody can find it.
    let TransferRefusal::Ledger(cause) = refusal(world.orthros.import(&token)) else {
        panic!("another refusal")
    };
    assert!(cause.contains("orthros/ledger: No such file"), "{cause}");
    assert_eq!(refusal(world.host.orthros().import(&token)), TransferRefusal::ForeignKey);
    // The exporter notices and seals with a key that others find.
    let token = world.orthros.export(moved).unwrap();
    assert_joined(&world.host.orthros().import(&token).unwrap(), &initiator);
}
