//! doctor.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::sandbox::{Sandbox, finish};

/// What doctor found with these words: its status, and every finding as `check: severity: what`.
fn findings(sandbox: &Sandbox, words: &[&str]) -> (Option<i32>, Vec<String>) {
    let ended = sandbox.run(&[&["doctor", "--json"], words].concat(), "");
    assert!(ended.stderr.is_empty(), "{ended:?}");
    (ended.status, flat(&ended.stdout))
}

fn flat(json: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(json).unwrap();
    let mut found = Vec::new();
    for checked in report["checks"].as_array().unwrap() {
        for finding in checked["findings"].as_array().unwrap() {
            let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
            let (check, severity, what) =
                (text(&checked["check"]), text(&finding["severity"]), text(&finding["what"]));
            let bad = matches!(severity.as_str(), "warning" | "problem");
            assert_eq!(
                finding["next"].is_string(),
                bad,
                "{check}: {what}: it says what to do where that is needed"
            );
            found.push(format!("{check}: {severity}: {what}"));
        }
    }
    found
}

#[track_caller]
fn has(found: &[String], start: &str, part: &str) {
    assert!(
        found.iter().any(|finding| finding.starts_with(start) && finding.contains(part)),
        "{start} .. {part}: {found:#?}"
    );
}

fn change(sandbox: &Sandbox, from: &str, to: &str) {
    let path = sandbox.path().join("krb5.conf");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

#[test]
fn where_all_is_well_nothing_is_complained_of() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    sandbox.good(&["kvno", "host/localhost"], "");
    let (status, found) = findings(&sandbox, &["--for", "host@localhost"]);
    assert_eq!(status, Some(0), "{found:#?}");
    assert!(!found.iter().any(|finding| finding.contains(": problem:")), "{found:#?}");
    has(&found, "configuration: ok", "krb5.conf is read");
    has(&found, "realm: ok", "CLI.TEST is the default realm");
    has(&found, "KDCs: ok", "127.0.0.1");
    has(&found, "credential cache: ok", "belongs to alice@CLI.TEST");
    has(&found, "keytab: note", "host/localhost@CLI.TEST, version 1: aes");
    has(&found, "encryption types: ok", "permitted and in the keytab: aes");
    has(&found, "client keytab: note", "there is none");
    has(&found, "replay cache: ok", "rcache2");
    has(&found, "context transfer: ok", "orthros");
    has(&found, "target: ok", "host@localhost becomes host/localhost@CLI.TEST");
    has(&found, "target: ok", "a ticket is at hand");
    has(&found, "target: ok", "it can open the ticket");
    let said = sandbox.good(&["doctor"], "");
    assert!(said.contains("problems: 0") && !said.contains("target"), "{said}");
}

#[test]
fn nothing_is_made_by_looking() {
    let sandbox = Sandbox::new();
    let kdc = sandbox.realm();
    let files = || {
        let mut names: Vec<_> =
            fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    let (_, found) = findings(&sandbox, &["--for", "host@localhost"]);
    assert_eq!(files(), before);
    has(&found, "credential cache: warning", "there is none");
    has(&found, "replay cache: ok", "will be made");
    has(&found, "context transfer: ok", "will be made");
    drop(kdc);
}

#[test]
fn a_broken_configuration_is_named_with_its_line_and_the_rest_is_still_looked_at() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    change(&sandbox, "[libdefaults]", "[libdefaults]\nthis is no relation");
    let (status, found) = findings(&sandbox, &[]);
    assert_eq!(status, Some(1));
    has(&found, "configuration: problem", "line 2");
    has(&found, "keytab: note", "host/localhost@CLI.TEST");
    fs::remove_file(sandbox.path().join("krb5.conf")).unwrap();
    let (status, found) = findings(&sandbox, &[]);
    assert_eq!(status, Some(1));
    has(&found, "configuration: problem", "KRB5_CONFIG names no file that is there");
    has(&found, "configuration: warning", "krb5.conf");
    has(&found, "realm: warning", "no default realm");
}

#[test]
fn a_misspelt_relation_is_told_with_the_one_that_was_meant() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    change(&sandbox, "[libdefaults]", "[libdefaults]\nforwardabel = true");
    let (status, found) = findings(&sandbox, &[]);
    assert_eq!(status, Some(0));
    has(&found, "configuration: warning", "forwardabel");
    has(&found, "configuration: warning", "forwardable");
}

#[test]
fn secrets_that_others_can_read_are_a_problem() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    for (name, check) in [("keytab", "keytab: problem"), ("cc", "credential cache: problem")] {
        let path = sandbox.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let (status, found) = findings(&sandbox, &[]);
        assert_eq!(status, Some(1));
        has(&found, check, "0644");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::write(sandbox.path().join("cc"), "no cache").unwrap();
    has(&findings(&sandbox, &[]).1, "credential cache: problem", "cc");
}

#[test]
fn a_keytab_that_cannot_open_the_ticket_is_found() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    has(&findings(&sandbox, &["--for", "host@localhost"]).1, "target: note", "no ticket is at hand yet");
    sandbox.good(&["kvno", "host/localhost"], "");
    let keytab = sandbox.path().join("keytab");
    let add = |kvno: &str, principal: &str, enctype: &str| {
        let words = ["keytab", "add", "-p", principal, "-k", kvno, "-e", enctype, "--random-key"];
        sandbox.good(&words, "");
    };
    let every = [
        "aes128-cts-hmac-sha1-96",
        "aes256-cts-hmac-sha1-96",
        "aes128-cts-hmac-sha256-128",
        "aes256-cts-hmac-sha384-192",
    ];
    // Of another version only.
    fs::remove_file(&keytab).unwrap();
    every.iter().for_each(|enctype| add("2", "host/localhost", enctype));
    let (status, found) = findings(&sandbox, &["--for", "host@localhost"]);
    assert_eq!(status, Some(1));
    has(&found, "target: problem", "sealed with version 1 of the key, and the keytab's newest is 2");
    // Of the version, and of every type but the ticket's.
    let listed = sandbox.json(&["klist", "--json"]);
    let sealed = listed["tickets"][1]["ticket_enctype"].as_str().unwrap();
    fs::remove_file(&keytab).unwrap();
    every
        .iter()
        .filter(|enctype| **enctype != sealed)
        .for_each(|enctype| add("1", "host/localhost", enctype));
    has(&findings(&sandbox, &["--for", "host@localhost"]).1, "target: problem", "the keytab has no such key");
    // Of another name.
    fs::remove_file(&keytab).unwrap();
    add("1", "HTTP/localhost", every[0]);
    let (status, found) = findings(&sandbox, &["--for", "host@localhost"]);
    assert_eq!(status, Some(0), "the service may run elsewhere");
    has(&found, "target: warning", "no key of host/localhost@CLI.TEST, but of HTTP/localhost@CLI.TEST");
    has(&findings(&sandbox, &["--for", "http@localhost"]).1, "target: warning", "case matters");
    assert_eq!(findings(&sandbox, &["--for", "localhost@"]).0, Some(1));
}

#[test]
fn slips_in_the_environment_and_places_that_cannot_be_used_are_found() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    let mut command = sandbox.command(&["doctor", "--json"]);
    command
        .env("KRB5_CCNAME", "FILE:elsewhere")
        .env("KRB5_TRACE", "/dev/stderr")
        .env("KRB5_KDC_PROFILE", "/etc/krb5kdc/kdc.conf")
        .env("KRB5RCACHENAME", "dir:nowhere")
        .env("XDG_RUNTIME_DIR", sandbox.path().join("keytab"));
    let ended = finish(command, "");
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let found = flat(&ended.stdout);
    has(&found, "environment: warning", "KRB5_CCNAME is not known");
    has(&found, "environment: note", "KRB5_KDC_PROFILE is for MIT krb5");
    has(&found, "replay cache: problem", "dir:nowhere");
    has(&found, "context transfer: note", "keytab");
    let mut command = sandbox.command(&["doctor", "--json"]);
    command.env("KRB5CCNAME", "KEYRING:persistent").env("KRB5RCACHENAME", "none:");
    let found = flat(&finish(command, "").stdout);
    has(&found, "credential cache: problem", "KEYRING");
    has(&found, "replay cache: warning", "replayed");
}

#[test]
fn a_realm_without_a_kdc_is_a_problem_where_dns_may_not_be_asked() {
    let sandbox = Sandbox::new();
    let text = "[libdefaults]\ndefault_realm = NOWHERE.TEST\ndns_lookup_kdc = no\n";
    fs::write(sandbox.path().join("krb5.conf"), text).unwrap();
    let (status, found) = findings(&sandbox, &[]);
    assert_eq!(status, Some(1));
    has(&found, "KDCs: problem", "NOWHERE.TEST: none is configured");
    has(&found, "realm: ok", "line 2");
}

#[test]
fn a_ticket_that_ends_soon_is_a_warning_and_one_that_has_ended_a_problem() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "-l", "5m", "alice"], "wonderland\n");
    let (status, found) = findings(&sandbox, &[]);
    assert_eq!(status, Some(0), "{found:#?}");
    has(&found, "credential cache: warning", "krbtgt/CLI.TEST@CLI.TEST until");
    sandbox.good(&["kinit", "-l", "4s", "alice"], "wonderland\n");
    while sandbox.run(&["klist", "-s"], "").status == Some(0) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (status, found) = findings(&sandbox, &["--for", "host@localhost"]);
    assert_eq!(status, Some(1), "{found:#?}");
    has(&found, "credential cache: problem", "has ended");
    has(&found, "target: problem", "log in first");
}

#[test]
fn a_replay_cache_that_others_can_write_is_a_problem() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    let (_, found) = findings(&sandbox, &[]);
    let line = found.iter().find_map(|finding| finding.strip_prefix("replay cache: ok: ")).unwrap();
    let path = line.trim_end_matches(" will be made when a service needs it");
    fs::write(path, "").unwrap();
    for (mode, status, severity) in [(0o600, 0, "ok"), (0o622, 1, "problem")] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let (ended, found) = findings(&sandbox, &[]);
        assert_eq!(ended, Some(status), "{found:#?}");
        has(&found, &format!("replay cache: {severity}"), &format!("{mode:04o}"));
    }
}

#[test]
fn encryption_types_that_do_not_meet_are_found() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    let keytab = sandbox.path().join("keytab");
    fs::remove_file(&keytab).unwrap();
    let words = ["keytab", "add", "-p", "host/localhost", "-e", "aes128-cts-hmac-sha1-96", "--random-key"];
    sandbox.good(&words, "");
    let permitted = "[libdefaults]\npermitted_enctypes = aes256-cts-hmac-sha384-192";
    change(&sandbox, "[libdefaults]", permitted);
    let (status, found) = findings(&sandbox, &[]);
    assert_eq!(status, Some(1), "{found:#?}");
    has(&found, "encryption types: ok", "permitted: aes256-cts-hmac-sha384-192");
    has(&found, "encryption types: problem", "no ticket can be accepted");
    has(&found, "encryption types: warning", "the session key for krbtgt/CLI.TEST@CLI.TEST");
}
