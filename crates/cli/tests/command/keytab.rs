//! keytab add and list.

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
