//! A driver of the caller's own: every request to a KDC travels by plain HTTP, as it might through a gateway that
//! lets nothing else pass. The library opens no socket here; it says what it needs, and this program brings it.
//!
//! ```text
//! client  --POST /kdc, the request-->  gateway  -->  KDC
//!         <--200, the reply----------           <--
//! ```
//!
//! Run it: `cargo run -p examples --example kdc_over_http`.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use orthros::clock::{Clock, SystemClock};
use orthros::random::SystemRandom;
use orthros::{Config, Context, InitiatorCredential, Name, Need, Orthros, Step};
use orthros_kdc::Realm;
use orthros_krb5::exchange::{self, ExchangePolicy, InitialSecret, Progress};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Longer messages are not carried.
const LONGEST: u64 = 1 << 20;

/// Opens the gateway, logs in through it, and sends one sealed message.
pub fn main() -> Outcome<()> {
    let realm =
        Realm::builder("EXAMPLE.TEST").principal("alice", "open sesame").service("HTTP/www.example.test");
    let realm = Arc::new(realm.build(&SystemRandom)?);
    let gateway = start_gateway(Arc::clone(&realm))?;

    // No KDC is configured and DNS is not asked: the library could not reach one by itself.
    let config = Config::for_realm("EXAMPLE.TEST", &[])?;
    let orthros = Orthros::builder().config(config).build();
    orthros.write_keytab(orthros.default_keytab(), realm.keytab("HTTP/www.example.test")?)?;

    let alice = login(&orthros, gateway, "alice@EXAMPLE.TEST", "open sesame")?;
    let target = Name::hostbased_service("HTTP", "www.example.test");
    let client = orthros.initiate_with(&alice, target).mutual().confidential().start();
    let server = orthros.accept(&orthros.acceptor()?).start();
    let (client, server) = handshake(&orthros, gateway, client, server)?;

    let sealed = client.wrap(b"hello through the gateway")?;
    let opened = server.unwrap(&sealed)?;
    println!("{} says: {}", server.initiator(), String::from_utf8_lossy(&opened.message));
    Ok(())
}

/// The AS exchange: each request that it asks for goes through the gateway.
fn login(
    orthros: &Orthros,
    gateway: SocketAddr,
    client: &str,
    password: &str,
) -> Outcome<Arc<InitiatorCredential>> {
    let secret = InitialSecret::Password(password.into());
    let policy = ExchangePolicy::initial(orthros.config());
    let mut progress = exchange::initial(client.parse()?, secret, None, policy, orthros.env().clone());
    loop {
        progress = match progress {
            Progress::Ask(ask) => match post(gateway, ask.request()) {
                Ok(reply) => ask.reply(&reply, orthros.env().now()),
                Err(error) => ask.unavailable(format!("the gateway {gateway}: {error}")),
            },
            Progress::Done(obtained) => {
                let (ticket, offset) = (obtained.credential, obtained.kdc_offset.unwrap_or(0));
                return Ok(Arc::new(InitiatorCredential::new(ticket.client.clone(), vec![ticket], offset)));
            }
            Progress::Failed(failure) => return Err(failure.into()),
        };
    }
}

/// Both ends in one program, so that the tokens need no wire.
fn handshake(
    orthros: &Orthros,
    gateway: SocketAddr,
    mut client: Step,
    mut server: Step,
) -> Outcome<(Context, Context)> {
    let (mut for_server, mut for_client) = (None, None);
    loop {
        client = advance(orthros, gateway, client, &mut for_client, &mut for_server)?;
        server = advance(orthros, gateway, server, &mut for_server, &mut for_client)?;
        (client, server) = match (client, server) {
            (Step::Done(client), Step::Done(server)) => return Ok((client, server)),
            unfinished => unfinished,
        };
    }
}

/// One step of one end: the heart of every driver.
fn advance(
    orthros: &Orthros,
    gateway: SocketAddr,
    step: Step,
    inbox: &mut Option<Vec<u8>>,
    outbox: &mut Option<Vec<u8>>,
) -> Outcome<Step> {
    Ok(match step {
        Step::Send(owed) => {
            *outbox = Some(owed.token().to_vec());
            owed.sent()
        }
        Step::Receive(wait) => match inbox.take() {
            Some(token) => wait.token(&token),
            None => Step::Receive(wait),
        },
        // This is what the example is about: the caller carries the request.
        Step::Need(Need::Kdc(need)) => match post(gateway, need.request()) {
            Ok(reply) => need.reply(&reply),
            Err(error) => need.unavailable(format!("the gateway {gateway}: {error}")),
        },
        // The replay cache and the like are as the library has them.
        Step::Need(need) => orthros.provide(need),
        Step::Done(context) => Step::Done(context),
        Step::Failed(error) => return Err(error.into()),
    })
}

/// Sends a request to the gateway and gives what the KDC replied.
fn post(gateway: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(gateway)?;
    write!(stream, "POST /kdc HTTP/1.1\r\nHost: {gateway}\r\nContent-Length: {}\r\n", request.len())?;
    write!(stream, "Content-Type: application/octet-stream\r\nConnection: close\r\n\r\n")?;
    stream.write_all(request)?;
    let (first_line, body) = read_message(&mut stream)?;
    if !first_line.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(first_line));
    }
    Ok(body)
}

/// An HTTP server on a port that the system picks; it hands each request to the KDC.
fn start_gateway(realm: Arc<Realm>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Err(error) = relay(&realm, stream) {
                eprintln!("gateway: {error}");
            }
        }
    });
    Ok(address)
}

fn relay(realm: &Realm, mut stream: TcpStream) -> io::Result<()> {
    let (_, request) = read_message(&mut stream)?;
    match realm.answer(&request, SystemClock.now(), &SystemRandom) {
        Some(reply) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", reply.len())?;
            stream.write_all(&reply)
        }
        None => write!(stream, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    }
}

/// Reads a message with its head and as many octets of body as the head says.
fn read_message(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        head.extend(octet);
        if head.len() > 4_096 {
            return Err(malformed());
        }
    }
    let head = String::from_utf8(head).map_err(|_| malformed())?;
    let mut lines = head.lines();
    let first_line = lines.next().unwrap_or_default().to_owned();
    let length = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<u64>().ok()).flatten()
    });
    let length = length.filter(|length| *length <= LONGEST).ok_or_else(malformed)?;
    let mut body = Vec::new();
    stream.take(length).read_to_end(&mut body)?;
    Ok((first_line, body))
}
