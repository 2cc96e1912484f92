//! The command line itself.

use crate::sandbox::Sandbox;

#[test]
fn a_wrong_usage_ends_with_status_2_and_says_what_is_wrong() {
    let sandbox = Sandbox::new();
    for (words, said) in [
        (&[][..], "Usage: orthros"),
        (&["kinit", "--no-such-option"], "--no-such-option"),
        (&["kinit", "-l", "soon", "alice"], "8h"),
        (&["keytab", "add", "-p", "a@B", "-e", "aes256-cts-hmac-sha384-192"], "--random-key"),
        (&["keytab", "add", "-p", "a@B", "-e", "rot13", "--random-key"], "rot13"),
        (&["kdc", "--principal", "alice"], "NAME=PASSWORD"),
        (&["kvno"], "SERVICE"),
    ] {
        let ended = sandbox.run(words, "");
        assert_eq!(ended.status, Some(2), "{words:?}: {ended:?}");
        assert!(ended.stderr.contains(said) && ended.stdout.is_empty(), "{words:?}: {ended:?}");
    }
}

#[test]
fn help_manual_and_completions_come_from_one_table() {
    let sandbox = Sandbox::new();
    let help = sandbox.good(&["--help"], "");
    assert!(
        help.contains("Exit status: 0") && help.contains("kinit") && !help.contains("demo-role"),
        "{help}"
    );
    assert!(sandbox.good(&["man"], "").contains(".TH orthros 1"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(sandbox.good(&["completions", shell], "").contains("kdestroy"), "{shell}");
    }
    assert!(!sandbox.good(&["demo", "--help"], "").contains("without-ledger"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    for words in [&["man"][..], &["completions", "bash"]] {
        let mut command = sandbox.command(words);
        // A pipe whose reading end is closed before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = command.stdout(writer).spawn().unwrap().wait_with_output().unwrap();
        assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
    }
}
