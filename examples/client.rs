//! A client: a ticket from the credential cache or by password, a context with a service, sealed messages. Its other
//! end is `server.rs`.
//!
//! ```text
//! cargo run -p examples --example client
//!     with a realm and a server of its own
//! cargo run -p examples --example client -- ADDRESS SERVICE@HOST MESSAGE [USER [BINDINGS]]
//!     with a ticket of the credential cache, or with USER's password from standard input (USER "": the cache)
//! ```

use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, io};

use examples::{Outcome, OwnRealm, finish, frame};
use orthros::{ChannelBindings, Context, InitiatorCredential, Name, Order, Orthros};

/// The longest that the server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A context and the connection that it protects.
pub(crate) struct Client {
    context: Context,
    stream: TcpStream,
}

impl Client {
    /// Connects to `address` and establishes a context with `service` there. A server elsewhere that holds no key of
    /// `service` cannot take part.
    pub(crate) fn connect(
        orthros: &Orthros,
        credential: &Arc<InitiatorCredential>,
        address: &str,
        service: Name,
        bindings: Option<&str>,
    ) -> Outcome<Self> {
        let connection = TcpStream::connect(address);
        let mut stream = connection.map_err(|error| format!("cannot connect to {address}: {error}"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let who = credential.client();
        let mut request = orthros
            .initiate_with(credential, service)
            .mutual()
            .confidential()
            .replay_detection()
            .sequencing();
        if let Some(bindings) = bindings {
            request = request.bindings(ChannelBindings::from_application_data(bindings.as_bytes()));
        }
        let context = orthros.establish(request.start(), &mut stream);
        let context = context.map_err(|error| format!("no context between {who} and {address}: {error}"))?;
        Ok(Self { context, stream })
    }

    /// Sends a message, sealed, and gives the answer.
    pub(crate) fn ask(&mut self, message: &str) -> Outcome<String> {
        frame::send(&mut self.stream, &self.context.wrap(message.as_bytes())?)?;
        let token =
            frame::receive(&mut self.stream)?.ok_or("the server closed the connection without an answer")?;
        let answer = self.context.unwrap(&token)?;
        if !answer.confidential || answer.order != Order::InOrder {
            return Err(format!("the answer is genuine, but came as {:?} or unsealed", answer.order).into());
        }
        Ok(String::from_utf8(answer.message)?)
    }

    /// With whom the context is: proved, since it is mutual.
    pub(crate) fn server(&self) -> String {
        self.context.acceptor().to_string()
    }
}

/// The default credential, or one got by password.
pub(crate) fn login(orthros: &Orthros, user: Option<&str>) -> Outcome<Arc<InitiatorCredential>> {
    let Some(user) = user else {
        // The error names each place that was looked into.
        return Ok(orthros.default_credential()?);
    };
    let mut password = String::new();
    io::stdin().read_line(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']);
    Ok(orthros.acquire(user).password(password).blocking()?)
}

/// Reads the arguments.
pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    finish(
        "client",
        match arguments[..] {
            [] => in_own_realm(),
            [address, service, message] => in_your_realm(address, service, message, "", None),
            [address, service, message, user] => in_your_realm(address, service, message, user, None),
            [address, service, message, user, bindings] => {
                in_your_realm(address, service, message, user, Some(bindings))
            }
            _ => Err("usage: client [ADDRESS SERVICE@HOST MESSAGE [USER [BINDINGS]]]".into()),
        },
    )
}

fn in_your_realm(
    address: &str,
    service: &str,
    message: &str,
    user: &str,
    bindings: Option<&str>,
) -> Outcome<()> {
    let orthros = Orthros::from_system()?;
    let credential = login(&orthros, Some(user).filter(|user| !user.is_empty()))?;
    let service = Name::parse_hostbased(service)?;
    let mut client = Client::connect(&orthros, &credential, address, service, bindings)?;
    println!("connected to {}", client.server());
    println!("{}", client.ask(message)?);
    Ok(())
}

// From here on it is scaffold: a realm and a server, so that the example runs by itself.

#[path = "server.rs"]
#[allow(dead_code, reason = "as a program it reads arguments, which nobody does here")]
mod server;

/// Asks a server in a realm that both have to themselves.
pub(crate) fn in_own_realm() -> Outcome<()> {
    let realm = OwnRealm::start(&[("alice", "open sesame")])?;
    let orthros = realm.orthros()?;
    let server = server::Server::new(orthros.clone(), realm.keytab(), vec!["alice@EXAMPLE.TEST".parse()?])?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || server.run(&listener));
    let alice = orthros.acquire("alice").password("open sesame").blocking()?;
    let service = Name::hostbased_service("host", "localhost");
    let mut client = Client::connect(&orthros, &alice, &address, service, None)?;
    println!("{}", client.ask("hello")?);
    Ok(())
}
