//! The tests of the API: one program, so that it is linked once.

mod clocks;
mod common;
mod credentials;
mod cross_realm;
mod fuzz_corpora;
mod handed_over;
mod handshake;
mod hostile_peers;
mod iakerb;
mod impersonation;
mod mit_conversations;
mod moved_state;
mod negotiation;
mod old_tokens;
mod pieces;
mod styles;
mod suspended;
mod tampering;
mod transcripts;
mod transfer;
mod weak_enctypes;

#[test]
fn no_file_of_tests_is_left_out() {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    for name in names.filter(|name| name != "main.rs") {
        let module = format!("mod {};", name.trim_end_matches(".rs"));
        assert!(include_str!("main.rs").lines().any(|line| line == module), "main.rs lacks `{module}`");
    }
}
