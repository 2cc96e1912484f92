//! gss client against gss server.

use crate::sandbox::{Running, Sandbox};

fn server(sandbox: &Sandbox, more: &[&str]) -> (Running, String) {
    let words = [&["gss", "server", "--port", "0", "--verbose"], more, &["host@localhost"]].concat();
    let server = sandbox.start(&words);
    let listening = server.line();
    server.says("starting...");
    let port = listening.rsplit(':').next().unwrap().to_owned();
    (server, port)
}

fn logged_in() -> (Sandbox, Running) {
    let sandbox = Sandbox::new();
    let kdc = sandbox.realm();
    sandbox.good(&["kinit", "-f", "alice"], "wonderland\n");
    (sandbox, kdc)
}

/// Words of a client to this port, and these options.
fn client<'a>(port: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    [&["gss", "client", "--port", port], options, &["localhost", "host@localhost", "a message"]].concat()
}

#[test]
fn each_option_does_what_it_says() {
    let (sandbox, _kdc) = logged_in();
    for (options, context, message) in [
        (&[][..], &["GSS_C_MUTUAL_FLAG", "GSS_C_REPLAY_FLAG", "GSS_C_TRANS_FLAG"][..], "flags=228"),
        (&["--delegate"], &["GSS_C_DELEG_FLAG", "Delegated credential of alice@CLI.TEST"], "flags=228"),
        (&["--krb5", "--sequence"], &["GSS_C_SEQUENCE_FLAG"], "flags=228"),
        (&["--no-encrypt"], &["GSS_C_MUTUAL_FLAG"], "flags=164"),
        (&["--no-wrap"], &["GSS_C_MUTUAL_FLAG"], "flags=196"),
        (&["--no-mutual", "--no-replay"], &["GSS_C_CONF_FLAG"], "flags=228"),
    ] {
        let (server, port) = server(&sandbox, &["--once", "--export"]);
        let said = sandbox.good(&client(&port, options), "");
        assert!(said.ends_with("Signature verified.\n"), "{options:?}: {said}");
        for expected in context {
            server.says(expected);
        }
        if options.is_empty() {
            server.says("Accepted connection: \"alice@CLI.TEST\"");
        }
        server.says("Exported context");
        server.says("Imported context");
        server.says(&format!("Message token ({message})"));
        server.says("Received message: \"a message\"");
        server.says("NOOP token");
    }
}

#[test]
fn many_messages_and_contexts_go_over_one_server() {
    let (sandbox, _kdc) = logged_in();
    let (server, port) = server(&sandbox, &[]);
    let said = sandbox.good(&client(&port, &["--messages", "3", "--contexts", "2"]), "");
    assert_eq!(said.matches("Signature verified.").count(), 6, "{said}");
    let said = sandbox.good(&client(&port, &["--no-mic"]), "");
    assert!(said.ends_with("Response received.\n"), "{said}");
    for _ in 0..7 {
        server.says("Received message: \"a message\"");
    }
}

#[test]
fn other_channel_bindings_are_refused_and_the_client_is_told() {
    let (sandbox, _kdc) = logged_in();
    let (server, port) = server(&sandbox, &["--bindings", "channel one"]);
    sandbox.good(&client(&port, &["--bindings", "channel one"]), "");
    server.says("GSS_C_CHANNEL_BOUND_FLAG");
    let story = sandbox.bad(&client(&port, &["--bindings", "channel two"]), "");
    assert!(story.contains("the peer says"), "an error token reached the client: {story}");
    sandbox.bad(&client(&port, &[]), "");
    // And it goes on serving others.
    sandbox.good(&client(&port, &["--bindings", "channel one"]), "");
}

#[test]
fn a_server_without_a_key_and_a_client_without_a_ticket_say_so() {
    let sandbox = Sandbox::new();
    let _kdc = sandbox.realm();
    assert!(sandbox.bad(&["gss", "server", "--port", "0", "http@localhost"], "").contains("http/localhost"));
    let (_server, port) = server(&sandbox, &[]);
    assert!(sandbox.bad(&client(&port, &[]), "").contains("kinit"));
}

#[test]
fn a_context_moves_between_two_shells_and_the_server_notices_nothing() {
    let (sandbox, _kdc) = logged_in();
    let (server, port) = server(&sandbox, &["--once"]);
    let words = ["gss", "export", "--door", "door", "--port", &port, "--sequence"];
    let words = [&words[..], &["localhost", "host@localhost", "the first"]].concat();
    let holder = sandbox.start(&words);
    server.says("Received message: \"the first\"");
    holder.says("Waiting at door");
    let said = sandbox.good(&["gss", "import", "--door", "door", "the second", "the third"], "");
    assert!(said.contains("Imported context with host/localhost@CLI.TEST"), "{said}");
    assert_eq!(said.matches("Signature verified.").count(), 2, "{said}");
    holder.says("Exported context: ");
    for message in ["the second", "the third"] {
        server.says(&format!("Received message: \"{message}\""));
    }
    server.says("NOOP token");
    assert!(sandbox.bad(&["gss", "import", "--door", "door", "x"], "").contains("nobody waits at the door"));
}

#[test]
fn a_server_hands_its_context_on_and_the_client_notices_nothing() {
    let (sandbox, _kdc) = logged_in();
    let (server, port) = server(&sandbox, &["--once", "--door", "door"]);
    let client = sandbox.start(&client(&port, &["--messages", "2"]));
    server.says("Accepted connection: \"alice@CLI.TEST\"");
    let said = sandbox.good(&["gss", "import", "--door", "door"], "");
    assert!(said.contains("Imported context with alice@CLI.TEST"), "{said}");
    assert_eq!(said.matches("Received message: \"a message\"").count(), 2, "{said}");
    server.says("Exported context");
    client.says("Signature verified.");
    client.says("Signature verified.");
}

#[test]
fn a_door_that_is_taken_is_left_alone() {
    let (sandbox, _kdc) = logged_in();
    std::fs::write(sandbox.path().join("door"), "mine").unwrap();
    let words = ["gss", "export", "--door", "door", "--port", "1", "localhost", "host@localhost"];
    let story = sandbox.bad(&words, "");
    assert!(story.contains("cannot make the door door"), "{story}");
    assert_eq!(std::fs::read(sandbox.path().join("door")).unwrap(), b"mine");
}
