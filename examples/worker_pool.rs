//! A pool of worker processes. One process holds the keytab and accepts contexts; it gives each context, with its
//! connection, to a worker, which goes on as if it had been the acceptor all the time. The client notices nothing.
//!
//! ```text
//! client --tokens--> acceptor --exported context, connection--> worker
//!        <----------------------sealed messages---------------->
//! ```
//!
//! A worker needs neither keytab nor tickets nor `krb5.conf`: only the user's transfer key. When one dies
//!
//! - before it took a context: the token was not spent, and the next worker is given it;
//! - after it took one: the connection is closed with it, and the client comes again with the ticket it has;
//! - between the two, nobody knows which. The next worker is given the token, and its import tells: a context that
//!   was taken is refused a second time, so that no two processes ever go on with the same one.
//!
//! Run it: `cargo run -p examples --example worker_pool`. It plays all parts, and kills a worker.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use std::{env, process, thread};

use examples::{Outcome, OwnRealm, finish, frame};
use orthros::seal_key::Places;
use orthros::sys::socket::{receive_descriptor, send_descriptor};
use orthros::{Context, KeytabName, Name, Order, Orthros};

/// What a worker answers to a token.
const TAKEN: u8 = b'+';
const REFUSED: u8 = b'-';

/// The longest that a client may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that serves contexts which others accepted.
struct Worker {
    process: Child,
    channel: UnixStream,
}

impl Worker {
    /// Starts one; its standard input is the channel.
    fn start(mut command: Command) -> io::Result<Self> {
        let (channel, theirs) = UnixStream::pair()?;
        let process = command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn()?;
        // `command` holds the other end too, and ends here: if the worker dies, the channel is closed.
        Ok(Self { process, channel })
    }

    /// Gives it a context and its connection; an error means that it is dead.
    fn give(&mut self, token: &[u8], connection: &TcpStream) -> io::Result<bool> {
        let length = u32::try_from(token.len()).map_err(io::Error::other)?.to_be_bytes();
        send_descriptor(&self.channel, &[&length, token].concat(), connection.as_fd())?;
        let mut answer = [REFUSED];
        self.channel.read_exact(&mut answer)?;
        Ok(answer == [TAKEN])
    }

    fn end(self) -> io::Result<()> {
        let Self { mut process, channel } = self;
        drop(channel);
        process.wait().map(drop)
    }
}

/// The workers, each given a context in its turn.
pub(crate) struct Pool {
    workers: Vec<Worker>,
    command: Box<dyn FnMut() -> Command>,
}

impl Pool {
    /// Starts so many workers.
    pub(crate) fn start(count: usize, mut command: impl FnMut() -> Command + 'static) -> io::Result<Self> {
        let workers = (0..count).map(|_| Worker::start(command())).collect::<Result<_, _>>()?;
        Ok(Self { workers, command: Box::new(command) })
    }

    /// Establishes a context with whoever connected, and gives it away. Whoever is silent holds up all others, for as
    /// long as the timeout: a program with many clients does this on several threads.
    pub(crate) fn accept(&mut self, orthros: &Orthros, mut connection: TcpStream) -> Outcome<()> {
        connection.set_read_timeout(Some(PATIENCE))?;
        let context = orthros.establish(orthros.accept(&orthros.acceptor()?).start(), &mut connection)?;
        // The place for an access check. From here on this process can neither read nor write messages.
        let token = orthros.export(context)?;
        self.workers.rotate_left(1);
        for _ in 0..=self.workers.len() {
            let Some(worker) = self.workers.last_mut() else { break };
            match worker.give(&token, &connection) {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    return Err("the worker did not take the context: its client must come again".into());
                }
                Err(error) => {
                    eprintln!("worker {} is dead ({error}); another takes its place", worker.process.id());
                    let ended = std::mem::replace(worker, Worker::start((self.command)())?);
                    ended.end()?;
                }
            }
        }
        Err("no worker stays alive".into())
    }
}

/// A worker's whole life: it ends when the channel does. `taken` is called for each context that it took, before it
/// says so.
pub(crate) fn work(taken: impl Fn()) -> Outcome<()> {
    let mut channel = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let orthros = Orthros::builder().build();
    loop {
        let mut length = [0; 4];
        let (received, connection) = receive_descriptor(&channel, &mut length)?;
        let connection = match (received, connection) {
            (0, _) => return Ok(()),
            (4, Some(connection)) => TcpStream::from(connection),
            _ => return Err("what came over the channel is no context".into()),
        };
        let mut token = vec![0; usize::try_from(u32::from_be_bytes(length))?];
        channel.read_exact(&mut token)?;
        match orthros.import(&token) {
            Ok(context) => {
                taken();
                channel.write_all(&[TAKEN])?;
                thread::spawn(move || serve(&context, connection));
            }
            Err(error) => {
                eprintln!("worker {}: {error}", process::id());
                channel.write_all(&[REFUSED])?;
            }
        }
    }
}

fn serve(context: &Context, mut connection: TcpStream) -> Outcome<()> {
    while let Some(token) = frame::receive(&mut connection)? {
        let opened = context.unwrap(&token)?;
        match (opened.order, &opened.message[..]) {
            (Order::InOrder, b"die") => process::exit(1),
            (Order::InOrder, _) => {
                let answer = format!("worker {} for {}", process::id(), context.initiator());
                frame::send(&mut connection, &context.wrap(answer.as_bytes())?)?;
            }
            (order, _) => return Err(format!("a message came as {order:?}").into()),
        }
    }
    Ok(())
}

// From here on it is scaffold: a realm, a client, and this program started again as the workers.

#[path = "client.rs"]
#[allow(dead_code, reason = "as a program it reads arguments, which nobody does here")]
mod client;

const ROLE: &str = "EXAMPLE_ROLE";

/// Plays the acceptor and its client, or a worker.
pub(crate) fn main() -> ExitCode {
    finish("worker_pool", run(&[]))
}

/// As `main`; workers are started with these arguments.
pub(crate) fn run(arguments: &'static [&str]) -> Outcome<()> {
    match env::var(ROLE).as_deref() {
        Ok("worker") => return work(|| {}),
        Ok("clumsy worker") => return work(|| process::exit(1)),
        _ => {}
    }
    let realm = OwnRealm::start(&[("alice", "open sesame")])?;
    let builder = Orthros::builder().config(realm.config()?).default_keytab(KeytabName::File(realm.keytab()));
    let orthros = builder.transfer_places(Places::new().within(realm.folder())).build();
    let (program, folder) = (env::current_exe()?, realm.folder().to_owned());
    let mut roles = ["worker", "worker", "clumsy worker"].into_iter();
    let mut pool = Pool::start(2, move || {
        let mut command = Command::new(&program);
        // Processes of one user find the same key by themselves; here it lies in the temporary folder.
        command.args(arguments).env("ORTHROS_TRANSFER", &folder).env(ROLE, roles.next().unwrap_or("worker"));
        command
    })?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let alice = orthros.acquire("alice").password("open sesame").blocking()?;
    let here = orthros.clone();
    let playing = thread::spawn(move || -> Outcome<Vec<String>> {
        let ask = |message| {
            let service = Name::hostbased_service("host", "localhost");
            let mut client = client::Client::connect(&here, &alice, &address, service, None)?;
            Ok(client.ask(message).unwrap_or_else(|error| error.to_string()))
        };
        ["hello", "die", "hello", "clumsy", "hello", "hello"].into_iter().map(ask).collect()
    });
    for stream in listener.incoming().take(6) {
        if let Err(error) = pool.accept(&orthros, stream?) {
            eprintln!("acceptor: {error}");
        }
    }
    let answers = playing.join().map_err(|_| "the client panicked")??;
    answers.iter().for_each(|answer| println!("{answer}"));
    pool.workers.into_iter().try_for_each(Worker::end)?;
    let [first, _, third, _, fifth, sixth] = &answers[..] else { return Err("answers are missing".into()) };
    let served: Vec<_> = answers.iter().map(|answer| answer.starts_with("worker")).collect();
    if served == [true, false, true, false, true, true] && first == third && third == fifth && fifth != sixth
    {
        Ok(())
    } else {
        Err("the workers did not take turns as they should".into())
    }
}
