//! kdc -- COMMAND: a realm for one command.

use crate::sandbox::Sandbox;

#[test]
fn the_command_finds_a_realm_a_ticket_and_a_keytab() {
    let sandbox = Sandbox::new();
    let own = env!("CARGO_BIN_EXE_orthros");
    let script = format!("{own} klist && {own} kvno host/localhost && {own} keytab list && exit 7");
    let ended = sandbox.run(&["kdc", "--", "/bin/sh", "-c", &script], "");
    assert_eq!(ended.status, Some(7), "the command's status is ours: {ended:?}");
    assert!(ended.stdout.contains("Default principal: user@ORTHROS.TEST"), "{ended:?}");
    assert!(ended.stdout.contains("host/localhost@ORTHROS.TEST: kvno = 1"), "{ended:?}");
    assert!(ended.stdout.contains("   1 host/localhost@ORTHROS.TEST ("), "{ended:?}");
    assert!(ended.stderr.contains("with password"), "{ended:?}");
    let left: Vec<_> =
        std::fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn named_principals_and_enctypes_are_used() {
    let sandbox = Sandbox::new();
    let own = env!("CARGO_BIN_EXE_orthros");
    let script = format!("{own} klist --json && {own} keytab list --json >&2");
    let words = ["kdc", "--realm", "MY.TEST", "--principal", "carol=pw", "--service", "http/here"];
    let words =
        [&words[..], &["--enctype", "aes128-cts-hmac-sha256-128", "--", "/bin/sh", "-c", &script]].concat();
    let ended = sandbox.run(&words, "");
    let listed: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(listed["principal"], "carol@MY.TEST");
    assert_eq!(listed["tickets"][0]["ticket_enctype"], "aes128-cts-hmac-sha256-128");
    let keytab: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(keytab["entries"].as_array().unwrap().len(), 1);
    assert_eq!(keytab["entries"][0]["principal"], "http/here@MY.TEST");
}

#[test]
fn an_interrupt_meant_for_the_command_leaves_the_realm_alone() {
    let sandbox = Sandbox::new();
    let own = env!("CARGO_BIN_EXE_orthros");
    // As a terminal does it: to the whole process group, which the shell survives here.
    let script = format!("trap : INT; kill -INT 0; {own} kvno host/localhost");
    let mut command = sandbox.command(&["kdc", "--", "/bin/sh", "-c", &script]);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let ended = crate::sandbox::finish(command, "");
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("kvno = 1"), "{ended:?}");
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

#[test]
fn a_command_that_is_not_there_is_named() {
    let sandbox = Sandbox::new();
    assert!(
        sandbox
            .bad(&["kdc", "--principal", "a=b", "--", "./no-such-program"], "")
            .contains("./no-such-program")
    );
    assert!(sandbox.bad(&["kdc", "--principal", "a@OTHER=x"], "").contains("another realm"));
}

#[test]
fn the_kdc_ends_with_its_standard_input_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let mut kdc = sandbox.realm();
    for file in ["krb5.conf", "keytab"] {
        let mode = sandbox.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    drop(kdc.stdin.take());
    assert!(kdc.child.wait().unwrap().success());
}

#[test]
fn a_service_gets_tickets_of_a_user_as_far_as_the_realm_lets_it() {
    let own = env!("CARGO_BIN_EXE_orthros");
    let script = format!(
        "{own} kvno -U alice HTTP/web && {own} kvno -I alice -P db/x --out-cache alice && {own} klist -c alice; \
         {own} kvno -U alice db/x; {own} kvno -I alice -P host/x; {own} kvno -P db/x; {own} kvno -I carol HTTP/web"
    );
    let words = [
        "kdc",
        "--principal",
        "HTTP/web=secret",
        "--principal",
        "alice=pw",
        "--service",
        "db/x",
        "--service",
        "host/x",
        "--impersonates",
        "HTTP/web",
        "--delegates-to",
        "HTTP/web=db/x",
        "--",
        "/bin/sh",
        "-c",
        &script,
    ];
    let ended = Sandbox::new().run(&words, "");
    for line in [
        "HTTP/web@ORTHROS.TEST: kvno = 1",
        "db/x@ORTHROS.TEST: kvno = 1",
        "Default principal: alice@ORTHROS.TEST",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {ended:?}");
    }
    for told in ["with --proxy", "krbAllowedToDelegateTo", "name one by -U or -I", "carol@ORTHROS.TEST"] {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
    }
}
