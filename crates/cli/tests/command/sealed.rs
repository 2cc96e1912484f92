//! `token seal` and `token unseal`.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use orthros_wire::hex;

use crate::sandbox::{Running, Sandbox, finish};

/// A folder, its KDC, and alice's ticket in the default cache.
fn home() -> (Sandbox, Running) {
    let sandbox = Sandbox::new();
    let kdc = sandbox.realm();
    sandbox.good(&["kinit", "alice"], "wonderland\n");
    (sandbox, kdc)
}

/// A command whose output is octets.
fn octets(sandbox: &Sandbox, words: &[&str]) -> Output {
    sandbox.command(words).stdin(Stdio::null()).output().unwrap()
}

/// What a command with one variable of another value complains of.
fn bad_with(sandbox: &Sandbox, variable: (&str, &str), words: &[&str]) -> String {
    let mut command = sandbox.command(words);
    command.env(variable.0, variable.1);
    let ended = finish(command, "");
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""), "{words:?}: {ended:?}");
    ended.stderr
}

#[test]
fn tickets_go_through_a_token_into_another_cache_as_often_as_wanted() {
    let (sandbox, _kdc) = home();
    sandbox.good(&["kvno", "host/localhost"], "");
    let before = sandbox.json(&["klist", "--json"]);

    assert_eq!(sandbox.good(&["token", "seal", "-o", "token"], ""), "");
    let token = fs::metadata(sandbox.path().join("token")).unwrap();
    assert_eq!(token.permissions().mode() & 0o777, 0o600);
    assert_eq!(sandbox.json(&["token", "show", "--json", "token"])["type"], "credential");

    for cache in ["FILE:first", "FILE:second"] {
        assert_eq!(sandbox.good(&["token", "unseal", "token", "-c", cache], ""), "");
        assert_eq!(sandbox.json(&["klist", "--json", "-c", cache])["tickets"], before["tickets"]);
        let path = sandbox.path().join(cache.trim_start_matches("FILE:"));
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The default cache is where it came from, and where it goes.
    sandbox.good(&["kdestroy"], "");
    sandbox.good(&["token", "unseal", "token"], "");
    assert_eq!(sandbox.json(&["klist", "--json"]), before);
    // They are good for what they were good for.
    sandbox.good(&["kvno", "-c", "first", "host/localhost"], "");
}

#[test]
fn a_token_goes_through_pipes_binary_or_in_digits() {
    let (sandbox, _kdc) = home();
    let sealed = octets(&sandbox, &["token", "seal", "-c", "FILE:cc"]);
    assert!(sealed.status.success() && sealed.stderr.is_empty(), "{sealed:?}");
    let told = sealed.stdout.windows(8).any(|octets| octets == b"CLI.TEST");
    assert!(!told, "the realm, and so the keys beside it, can be read in the token");
    fs::write(sandbox.path().join("token"), &sealed.stdout).unwrap();
    let piped = sandbox
        .command(&["token", "unseal", "-c", "FILE:piped"])
        .stdin(File::open(sandbox.path().join("token")).unwrap())
        .output()
        .unwrap();
    assert!(piped.status.success() && piped.stdout.is_empty() && piped.stderr.is_empty(), "{piped:?}");
    assert_eq!(sandbox.json(&["klist", "--json", "-c", "piped"])["principal"], "alice@CLI.TEST");

    let digits = sandbox.good(&["token", "seal", "--hex", "-o", "-"], "");
    assert!(hex::decode(digits.trim_end()).is_some(), "{digits}");
    sandbox.good(&["token", "unseal", "-", "-c", "FILE:typed"], &digits);
    assert_eq!(sandbox.json(&["klist", "--json", "-c", "typed"])["principal"], "alice@CLI.TEST");
    assert!(!sandbox.path().join("-").exists());
}

#[test]
fn a_terminal_gets_digits_or_nothing() {
    let (sandbox, _kdc) = home();
    // The kernel takes this end of a new terminal for one too.
    let onto_terminal = |words: &[&str]| {
        let terminal = File::options().read(true).write(true).open("/dev/ptmx").unwrap();
        sandbox.command(words).stdin(Stdio::null()).stdout(terminal).output().unwrap()
    };
    let refused = onto_terminal(&["token", "seal"]);
    let story = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{story}");
    assert!(story.contains("standard output is a terminal") && story.contains("hint: -o FILE"), "{story}");
    assert!(onto_terminal(&["token", "seal", "--hex"]).status.success());
    assert!(onto_terminal(&["token", "seal", "-o", "token"]).status.success());
}

#[test]
fn a_token_replaces_an_older_file_and_nothing_else() {
    let (sandbox, _kdc) = home();
    let at = |name: &str| sandbox.path().join(name);
    fs::write(at("old"), "open to all").unwrap();
    fs::set_permissions(at("old"), fs::Permissions::from_mode(0o644)).unwrap();
    sandbox.good(&["token", "seal", "-o", "old"], "");
    assert_eq!(fs::metadata(at("old")).unwrap().permissions().mode() & 0o777, 0o600);
    sandbox.good(&["token", "unseal", "old", "-c", "FILE:other"], "");

    fs::create_dir(at("folder")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    symlink("elsewhere", at("link")).unwrap();
    for name in ["folder", "fifo", "link", "/dev/null"] {
        let inode = fs::symlink_metadata(at(name)).unwrap().ino();
        let story = sandbox.bad(&["token", "seal", "-o", name], "");
        assert!(story.contains(&format!("{name} is there, and no regular file")), "{story}");
        assert_eq!(fs::symlink_metadata(at(name)).unwrap().ino(), inode, "{name} was replaced");
    }
    assert!(!at("elsewhere").exists());
    let story = sandbox.bad(&["token", "seal", "-o", "missing/token"], "");
    assert!(story.contains("cannot write missing/token"), "{story}");
    let story = sandbox.bad(&["token", "unseal", "folder"], "");
    assert!(story.contains("cannot read folder"), "{story}");
}

#[test]
fn a_token_that_does_not_open_says_why_and_the_cache_stays_as_it_is() {
    let (sandbox, _kdc) = home();
    sandbox.good(&["token", "seal", "-o", "token"], "");
    let token = fs::read(sandbox.path().join("token")).unwrap();
    let cache = fs::read(sandbox.path().join("cc")).unwrap();

    let changed = |offset: usize| {
        let mut changed = token.clone();
        changed[offset] ^= 1;
        changed
    };
    let cases = [
        ("a bit of the state", changed(60), "the token is damaged"),
        ("a bit of the tag", changed(token.len() - 1), "the token is damaged"),
        ("a later end", changed(27), "the token is damaged"),
        ("half of it", token[..token.len() / 2].to_vec(), "the token is damaged"),
        ("another boundary", changed(7), "sealed on another machine or before the last boot"),
        ("another key", changed(3), "sealed with another key: by another user"),
        ("a context's", [&[1, 1], &token[2..]].concat(), "the token is a context's"),
        ("no token", b"hello".to_vec(), "no token of ours"),
        ("nothing", Vec::new(), "no token of ours"),
        ("a cache", cache.clone(), "no token of ours"),
    ];
    for (what, octets, why) in cases {
        fs::write(sandbox.path().join("other"), octets).unwrap();
        let ended = sandbox.run(&["token", "unseal", "other"], "");
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(1), ""), "{what}: {ended:?}");
        assert!(ended.stderr.contains(why), "{what}: {ended:?}");
        assert_eq!(fs::read(sandbox.path().join("cc")).unwrap(), cache, "{what}");
    }
    assert!(sandbox.bad(&["token", "unseal", "none"], "").contains("cannot read none"));

    // Another user has another key, and this one's is none of his.
    fs::create_dir(sandbox.path().join("another")).unwrap();
    fs::set_permissions(sandbox.path().join("another"), fs::Permissions::from_mode(0o700)).unwrap();
    let other = ("XDG_RUNTIME_DIR", sandbox.path().join("another"));
    let story = bad_with(&sandbox, (other.0, other.1.to_str().unwrap()), &["token", "unseal", "token"]);
    assert!(story.contains("sealed with another key: by another user"), "{story}");
    assert_eq!(fs::read(sandbox.path().join("cc")).unwrap(), cache);
    // Where the cache can't be written, there is none afterwards.
    let story = sandbox.bad(&["token", "unseal", "token", "-c", "FILE:missing/cache"], "");
    assert!(story.contains("FILE:missing/cache"), "{story}");
    let story = sandbox.bad(&["token", "unseal", "token", "-c", "MEMORY:x"], "");
    assert!(story.contains("MEMORY:x would end with this command"), "{story}");
}

#[test]
fn what_a_token_demands_is_demanded() {
    let (sandbox, _kdc) = home();
    let seal = |words: &str| sandbox.good(&["token", "seal", "-o", "token", "--for", words], "");
    let unseal = ["token", "unseal", "token", "-c", "FILE:other"];
    let unseal_for = |words| [&unseal[..], &["--for", words]].concat();

    seal("user, executable,audience=mail");
    let shown = sandbox.json(&["token", "show", "--json", "token"]);
    assert_eq!(shown["claims"], true);
    assert!(sandbox.bad(&unseal, "").contains("mail"));
    assert!(sandbox.bad(&unseal_for("audience=news"), "").contains("mail"));
    assert!(!sandbox.path().join("other").exists());
    sandbox.good(&unseal_for("audience=mail"), "");
    // As the configuration says, where nothing else is said.
    sandbox.good_with(("ORTHROS_TRANSFER", "audience=mail"), &unseal, "");
    sandbox.good_with(("ORTHROS_TRANSFER", "audience=mail"), &["token", "seal", "-o", "token"], "");
    assert!(sandbox.bad(&unseal, "").contains("mail"));
    // What is switched off stays so.
    for words in [&["token", "seal", "-o", "token", "--for", "user"][..], &unseal_for("audience=mail")] {
        let story = bad_with(&sandbox, ("ORTHROS_TRANSFER", "off"), words);
        assert!(story.contains("switched off"), "{story}");
    }
    for (words, why) in [("group", "none of user, process-group"), ("off", "would move nothing")] {
        let ended = sandbox.run(&["token", "seal", "--for", words], "");
        assert!(ended.status == Some(2) && ended.stderr.contains(why), "{ended:?}");
    }
}

#[test]
fn what_has_ended_is_neither_sealed_nor_opened() {
    let (sandbox, _kdc) = home();
    let kept = fs::read(sandbox.path().join("cc")).unwrap();
    sandbox.good(&["kinit", "-l", "2s", "-c", "FILE:short", "alice"], "wonderland\n");
    sandbox.good(&["token", "seal", "-c", "FILE:short", "-o", "token"], "");
    let begin = Instant::now();
    while sandbox.json(&["token", "show", "--json", "token"])["expired"] == false {
        assert!(begin.elapsed() < Duration::from_secs(30), "it does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    let story = sandbox.bad(&["token", "unseal", "token"], "");
    assert!(story.contains("the sealed credential ended at"), "{story}");
    assert_eq!(fs::read(sandbox.path().join("cc")).unwrap(), kept);
    let story = sandbox.bad(&["token", "seal", "-c", "FILE:short", "-o", "late"], "");
    assert!(story.contains("of alice@CLI.TEST ended at"), "{story}");
    assert!(!sandbox.path().join("late").exists());
    let story = sandbox.bad(&["token", "seal", "-c", "FILE:none", "-o", "late"], "");
    assert!(story.contains("FILE:none"), "{story}");
}

#[test]
fn in_a_folder_of_caches_each_client_keeps_its_own() {
    let (sandbox, _kdc) = home();
    sandbox.good(&["token", "seal", "-o", "token"], "");
    let good = |words: &[&str]| sandbox.good_with(("KRB5CCNAME", "DIR:caches"), words, "");
    good(&["kinit", "-k", "-t", "keytab", "host/localhost"]);
    good(&["token", "unseal", "token"]);
    let listed: serde_json::Value = serde_json::from_str(&good(&["klist", "-l", "--json"])).unwrap();
    let names: Vec<_> =
        listed.as_array().unwrap().iter().map(|one| one["principal"].as_str().unwrap()).collect();
    assert_eq!(names, ["alice@CLI.TEST", "host/localhost@CLI.TEST"], "the one that came is in use");
}
