//! A server: it accepts contexts by a keytab, checks who asks, opens each message and answers it, sealed. Its other
//! end is `client.rs`.
//!
//! ```text
//! cargo run -p examples --example server
//!     with a realm of its own; says how to call the client
//! cargo run -p examples --example server -- KEYTAB ADDRESS CLIENT [BINDINGS]
//!     in your realm: CLIENT (alice@EXAMPLE.COM) may ask; both ends must give the same BINDINGS
//! ```

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, thread};

use examples::{Outcome, OwnRealm, finish, frame};
use orthros::{AcceptorCredential, ChannelBindings, Flags, KeytabName, Order, Orthros, Principal};

/// The longest that a client may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// An echo service.
pub(crate) struct Server {
    orthros: Orthros,
    credential: AcceptorCredential,
    /// Who may ask.
    allowed: Vec<Principal>,
    /// What both ends must know of the channel beneath, if anything: with TLS the octets of RFC 9266.
    bindings: Option<ChannelBindings>,
}

impl Server {
    /// A server for every service of the keytab. Keys that come into it later are used at once.
    pub(crate) fn new(orthros: Orthros, keytab: PathBuf, allowed: Vec<Principal>) -> Outcome<Self> {
        let credential = orthros.acceptor_from(&KeytabName::File(keytab), None)?;
        Ok(Self { orthros, credential, allowed, bindings: None })
    }

    /// Refuses clients that do not give the same channel bindings.
    pub(crate) fn bind(self, application_data: &str) -> Self {
        let bindings = ChannelBindings::from_application_data(application_data.as_bytes());
        Self { bindings: Some(bindings), ..self }
    }

    /// Serves one connection until the client closes it.
    pub(crate) fn serve(&self, mut stream: TcpStream) -> Outcome<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut request = self.orthros.accept(&self.credential);
        if let Some(bindings) = &self.bindings {
            request = request.bindings_required(bindings.clone());
        }
        // If this fails, the client has been told why, as far as Kerberos lets it be told.
        let context = self.orthros.establish(request.start(), &mut stream)?;

        // Who it is has been proved. Whether they may is for the server to say, before the first message is read.
        let client = context.initiator();
        if !self.allowed.contains(client) {
            return Err(format!("{client} may not use this service").into());
        }
        // What the client did not ask for, the context can't do.
        if !context.flags().contains(Flags::CONFIDENTIALITY | Flags::SEQUENCE) {
            return Err(format!("{client} asked for {} only", context.flags()).into());
        }
        while let Some(token) = frame::receive(&mut stream)? {
            let opened = context.unwrap(&token)?;
            if !opened.confidential {
                return Err(format!("{client} sent a message that was not sealed").into());
            }
            // Genuine, but perhaps replayed or out of order: that is a result here, and no error.
            if opened.order != Order::InOrder {
                return Err(format!("a message of {client} came as {:?}", opened.order).into());
            }
            let answer = [format!("{client} says: ").as_bytes(), &opened.message].concat();
            frame::send(&mut stream, &context.wrap(&answer)?)?;
        }
        Ok(())
    }

    /// Serves each connection on a thread of its own; one that fails does not end the service of others.
    pub(crate) fn run(self, listener: &TcpListener) -> Outcome<()> {
        let server = Arc::new(self);
        for stream in listener.incoming() {
            let (server, stream) = (Arc::clone(&server), stream?);
            thread::spawn(move || {
                if let Err(error) = server.serve(stream) {
                    eprintln!("server: {error}");
                }
            });
        }
        Ok(())
    }
}

/// Reads the arguments.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    finish(
        "server",
        match arguments[..] {
            [] => in_own_realm(),
            [keytab, address, client] => in_your_realm(keytab, address, client, None),
            [keytab, address, client, bindings] => in_your_realm(keytab, address, client, Some(bindings)),
            _ => Err("usage: server [KEYTAB ADDRESS CLIENT [BINDINGS]]".into()),
        },
    )
}

fn in_your_realm(keytab: &str, address: &str, client: &str, bindings: Option<&str>) -> Outcome<()> {
    let mut server = Server::new(Orthros::from_system()?, keytab.into(), vec![client.parse()?])?;
    if let Some(bindings) = bindings {
        server = server.bind(bindings);
    }
    let listener =
        TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on {}", listener.local_addr()?);
    server.run(&listener)
}

// From here on it is scaffold: a realm, so that the example runs by itself.

fn in_own_realm() -> Outcome<()> {
    let realm = OwnRealm::start(&[("alice", "open sesame")])?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening; in another terminal:");
    println!(
        "  echo open sesame | KRB5_CONFIG={}/krb5.conf cargo run -p examples --example client -- {} host@localhost hello alice",
        realm.folder().display(),
        listener.local_addr()?
    );
    Server::new(realm.orthros()?, realm.keytab(), vec!["alice@EXAMPLE.TEST".parse()?])?.run(&listener)
}
