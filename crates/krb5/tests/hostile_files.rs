//! Caches, keytabs, configurations and messages that were cut, changed or made up: no panic, no hang, no
//! allocation that a lying count asks for, and what can still be read can be written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use orthros_krb5::ccache::BadCache;
use orthros_krb5::{CredentialCache, Keytab, fuzzing};

/// Every file of a fuzz target's corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap())
        .map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} is gone");
    files
}

/// Runs `body` on every file of the corpus as it is, cut at every octet, and with each octet changed three ways.
fn replay(target: &str, body: fn(&[u8])) {
    for (_, file) in corpus(target) {
        body(&file);
        for at in 0..file.len() {
            body(&file[..at]);
            for mask in [0x01, 0x80, 0xff] {
                let mut changed = file.clone();
                changed[at] ^= mask;
                body(&changed);
            }
        }
    }
}

#[test]
fn changed_keytabs_are_refused_or_rewritten() {
    replay("keytab", fuzzing::keytab);
}

#[test]
fn changed_caches_are_refused_or_rewritten() {
    replay("ccache", fuzzing::ccache);
}

#[test]
fn changed_configurations_are_refused_or_understood() {
    replay("config", fuzzing::config);
}

#[test]
fn changed_rules_and_login_files_let_nobody_else_in() {
    replay("auth_to_local", fuzzing::auth_to_local);
    replay("k5login", fuzzing::k5login);
}

#[test]
fn changed_messages_are_refused_or_rewritten() {
    replay("client_options", fuzzing::client_options);
    replay("messages", fuzzing::messages);
}

#[test]
fn a_cut_keytab_keeps_whole_entries_only() {
    for (name, file) in corpus("keytab") {
        let whole = Keytab::parse(&file).unwrap().entries().count();
        let readable = (2..file.len()).filter_map(|end| Keytab::parse(&file[..end]).ok());
        let counts: Vec<_> = readable.map(|keytab| keytab.entries().count()).collect();
        assert!(counts.is_sorted() && counts.iter().all(|count| *count <= whole), "{name}: {counts:?}");
        // Behind a length of zero nothing counts, so only a file that ends with an entry loses it.
        assert!(name == "hole-and-end" || !counts.contains(&whole), "{name}: {counts:?}");
    }
}

#[test]
fn a_cut_cache_is_read_only_where_a_credential_ends() {
    for (name, file) in corpus("ccache") {
        let entries = |cache: &CredentialCache| cache.credentials().count() + cache.configuration().count();
        let whole = entries(&CredentialCache::parse(&file).unwrap());
        let readable = (0..file.len()).filter(|&end| CredentialCache::parse(&file[..end]).is_ok()).count();
        assert_eq!(readable, whole, "{name}");
        let cut = CredentialCache::parse(&file[..file.len() - 1]).unwrap_err();
        assert!(matches!(cut, BadCache::Credential { .. }), "{name}");
    }
}

#[test]
fn lying_counts_end_at_once() {
    let principal = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, b'R', 0, 0, 0, 1, b'a'];
    let before = Instant::now();
    for at in [0, 4, 8, 13] {
        let mut lying = principal;
        lying[at..at + 4].fill(0xff);
        let cache = [&[5, 4, 0, 0][..], &principal, &lying, &[0xff; 1_000]].concat();
        assert!(CredentialCache::parse(&cache).is_err());
        let cache = [&[5, 4, 0, 0][..], &lying, &[0; 1_000]].concat();
        let _ = CredentialCache::parse(&cache);
    }
    // Empty components as many as the count says cost nothing beyond what the file has.
    let empty = [&[5, 4, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff][..], &[0; 100_000]].concat();
    assert_eq!(CredentialCache::parse(&empty).unwrap_err(), BadCache::Header);
    let keytab = [&[5, 2, 0, 0, 4, 0, 0xff, 0xff][..], &[0; 1_022]].concat();
    assert!(Keytab::parse(&keytab).is_err());
    assert!(Keytab::parse(&[&[5, 2, 0x7f, 0xff, 0xff, 0xff][..], &[0; 1_024]].concat()).is_err());
    assert!(before.elapsed() < Duration::from_secs(1));
}
