//! Runs each example as its `main` does, so that none of them stops working unseen.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, missing_docs, dead_code, reason = "tests")]
#![allow(clippy::duplicate_mod, reason = "examples that play with each other hold each other's files")]

#[path = "../client.rs"]
mod client;
#[path = "../kdc_over_http.rs"]
mod kdc_over_http;
#[path = "../server.rs"]
mod server;
#[path = "../testing.rs"]
mod testing;
#[path = "../worker_pool.rs"]
mod worker_pool;

use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use client::Client;
use examples::{Outcome, OwnRealm};
use orthros::Name;
use server::Server;

#[test]
fn kdc_over_http() {
    kdc_over_http::main().unwrap();
}

/// Workers are this program, told to run this test, which then is one.
#[test]
fn worker_pool() {
    worker_pool::run(&["--exact", "worker_pool", "--nocapture"]).unwrap();
}

#[test]
fn client_and_server_without_arguments() {
    client::in_own_realm().unwrap();
    testing::run().unwrap();
}

/// A server that takes one connection, and what it ended with.
fn serve_one(realm: &OwnRealm, bindings: Option<&str>) -> (String, mpsc::Receiver<Outcome<()>>) {
    let orthros = realm.orthros().unwrap();
    let allowed = vec!["alice@EXAMPLE.TEST".parse().unwrap()];
    let mut server = Server::new(orthros, realm.keytab(), allowed).unwrap();
    if let Some(bindings) = bindings {
        server = server.bind(bindings);
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, outcome) = mpsc::channel();
    thread::spawn(move || tell.send(server.serve(listener.accept().unwrap().0)));
    (address, outcome)
}

/// What a client hears that asks once, and what the server ended with.
fn ask(user: &str, theirs: Option<&str>, ours: Option<&str>) -> (Result<String, String>, Result<(), String>) {
    let realm = OwnRealm::start(&[("alice", "open sesame"), ("bob", "open sesame")]).unwrap();
    let (address, outcome) = serve_one(&realm, theirs);
    let orthros = realm.orthros().unwrap();
    let credential = orthros.acquire(user).password("open sesame").blocking().unwrap();
    let service = Name::hostbased_service("host", "localhost");
    let heard = Client::connect(&orthros, &credential, &address, service, ours)
        .and_then(|mut client| client.ask("hello"))
        .map_err(|error| error.to_string());
    (heard, outcome.recv().unwrap().map_err(|error| error.to_string()))
}

#[test]
fn the_server_answers_whom_it_allows_and_nobody_else() {
    assert_eq!(ask("alice", None, None), (Ok("alice@EXAMPLE.TEST says: hello".into()), Ok(())));
    let (heard, told) = ask("bob", None, None);
    assert!(heard.is_err());
    assert_eq!(told.unwrap_err(), "bob@EXAMPLE.TEST may not use this service");
}

#[test]
fn bindings_that_differ_or_are_missing_give_no_context() {
    assert!(ask("alice", Some("channel"), Some("channel")).0.is_ok());
    for (ours, reason) in [(Some("another"), "differ"), (None, "required here")] {
        let (heard, told) = ask("alice", Some("channel"), ours);
        let (heard, told) = (heard.unwrap_err(), told.unwrap_err());
        assert!(told.contains(reason) && heard.contains("alice@EXAMPLE.TEST"), "{told}; {heard}");
    }
}

#[test]
fn no_example_is_left_out() {
    let folder = std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let files = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (here, manifest) = (include_str!("run.rs"), include_str!("../Cargo.toml"));
    for file in files.filter(|file| file.ends_with(".rs")) {
        assert!(here.contains(&format!("#[path = \"../{file}\"]")), "{file} is not run");
        assert!(manifest.contains(&format!("path = \"{file}\"")), "{file} is no example of the package");
    }
}
