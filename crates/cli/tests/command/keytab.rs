//! keytab add, list, merge and remove.

use crate::sandbox::Sandbox;

const STRONG: &str = "aes256-cts-hmac-sha384-192";

#[test]
fn keys_are_added_and_listed() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("krb5.conf"), "").unwrap();
    let add = ["keytab", "add", "my.keytab", "-p", "alice@CLI.TEST", "-k", "3", "-e", STRONG];
    sandbox.good(&[add.as_slice(), &["--random-key"]].concat(), "");
    let listed = sandbox.json(&["keytab", "list", "my.keytab", "--json"]);
    let entry = &listed["entries"][0];
    assert_eq!((&entry["kvno"], &entry["usable"]), (&3.into(), &true.into()));
    assert_eq!((&entry["principal"], &entry["enctype"]), (&"alice@CLI.TEST".into(), &STRONG.into()));
    assert_eq!(
        sandbox.good(&["klist", "-k", "my.keytab"], ""),
        "Keytab name: FILE:my.keytab\nKVNO Principal\n   3 alice@CLI.TEST\n"
    );
    assert!(sandbox.good(&["keytab", "list", "my.keytab"], "").contains(STRONG));
    let story = sandbox.bad(&[add.as_slice(), &["--random-key"]].concat(), "");
    assert!(story.contains("already") && story.contains("hint: "), "{story}");
}

#[test]
fn a_key_made_of_a_password_logs_in_and_one_with_another_salt_does_not() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    let add = ["keytab", "add", "-p", "alice", "-e", STRONG, "--password-stdin"];
    let add_to = |keytab: &str, more: &[&str]| {
        sandbox.good(&[&["keytab", "add", keytab], &add[2..], more].concat(), "wonderland\n");
    };
    add_to("good.keytab", &[]);
    sandbox.good(&["kinit", "-k", "-t", "good.keytab", "alice"], "");
    add_to("salted.keytab", &["--salt", "CLI.TESTbob"]);
    assert!(sandbox.bad(&["kinit", "-k", "-t", "salted.keytab", "alice"], "").contains("alice@CLI.TEST"));
}

#[test]
fn what_is_no_keytab_is_refused_and_kept() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("krb5.conf"), "").unwrap();
    std::fs::write(sandbox.path().join("letter"), "Dear Alice").unwrap();
    let add = ["keytab", "add", "letter", "-p", "a@B", "-e", STRONG, "--random-key"];
    assert!(sandbox.bad(&add, "").contains("no keytab"));
    assert_eq!(std::fs::read(sandbox.path().join("letter")).unwrap(), b"Dear Alice");
}

#[test]
fn keys_are_merged_and_removed_by_what_is_told_and_nothing_else() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("krb5.conf"), "").unwrap();
    let add = |keytab: &str, principal: &str, kvno: &str| {
        let words = ["keytab", "add", keytab, "-p", principal, "-k", kvno, "-e", STRONG, "--random-key"];
        sandbox.good(&words, "");
    };
    let keys = |keytab: &str| {
        let listed = sandbox.json(&["keytab", "list", keytab, "--json"]);
        let entries = listed["entries"].as_array().unwrap().iter();
        let keys =
            entries.map(|entry| (entry["principal"].as_str().unwrap(), entry["kvno"].as_u64().unwrap()));
        keys.map(|(principal, kvno)| format!("{principal} {kvno}")).collect::<Vec<_>>()
    };
    add("one", "a@T", "1");
    add("one", "a@T", "2");
    add("two", "b@T", "70000");
    let merged = sandbox.good(&["keytab", "merge", "one", "WRFILE:two", "all"], "");
    assert_eq!(merged, "FILE:all: 3 keys added\n");
    assert_eq!(sandbox.good(&["keytab", "merge", "two", "all"], ""), "FILE:all: 0 keys added\n");
    assert_eq!(keys("all"), ["a@T 1", "a@T 2", "b@T 70000"]);
    add("other", "a@T", "2");
    assert!(sandbox.bad(&["keytab", "merge", "other", "all"], "").contains("another key of a@T"));

    assert_eq!(sandbox.good(&["keytab", "remove", "all", "--old"], ""), "FILE:all: 1 key removed\n");
    assert_eq!(keys("all"), ["a@T 2", "b@T 70000"]);
    assert!(sandbox.bad(&["keytab", "remove", "all", "-p", "a@T", "-k", "1"], "").contains("no such key"));
    sandbox.good(&["keytab", "remove", "all", "-k", "70000", "-e", STRONG], "");
    assert_eq!(keys("all"), ["a@T 2"]);
    assert_eq!(sandbox.run(&["keytab", "remove", "all"], "").status, Some(2));
    assert!(sandbox.bad(&["keytab", "remove", "none", "-k", "1"], "").contains("FILE:none"));
    assert!(!sandbox.path().join("none").exists());
}

#[test]
fn times_are_shown_as_clocks_here_show_them_or_in_utc() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path().join("krb5.conf"), "").unwrap();
    let key = orthros_crypto::Key::new(orthros_crypto::Enctype::Aes128CtsHmacSha1, &[7; 16]).unwrap();
    let mut keytab = orthros_krb5::Keytab::default();
    let written = orthros_wire::Timestamp::from_seconds(1_700_000_000);
    keytab.add("a@T".parse().unwrap(), 1, key.into(), written).unwrap();
    std::fs::write(sandbox.path().join("k"), keytab.to_octets().expose_octets()).unwrap();
    let here = sandbox.good_with(("TZ", "HERE-3"), &["klist", "-k", "-t", "k"], "");
    assert!(here.contains("   1 2023-11-15 01:13:20 a@T\n"), "{here}");
    for (zone, words) in
        [("HERE-3", &["klist", "-k", "-t", "--utc", "k"][..]), ("UTC", &["klist", "-kt", "k"])]
    {
        let utc = sandbox.good_with(("TZ", zone), words, "");
        assert!(utc.contains("   1 2023-11-14 22:13:20 a@T\n"), "{utc}");
    }
}
