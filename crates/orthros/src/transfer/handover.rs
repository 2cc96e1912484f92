//! Handover over a Unix socket: the driver of [`orthros_gss::transfer::handover`].
//!
//! Each end asks the kernel first who is at the other (`SO_PEERCRED`), and says and reads nothing if that is none of its
//! [`Peers`]. What the kernel knows is who *connected* (or made the pair of sockets): a process that hands its end on to
//! another, by fork or by passing the descriptor, answers for that one.

use std::fmt;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use orthros_gss::transfer::handover::{FRAME, FrameType, Taking, frame, refusal};
use orthros_gss::transfer::{Kept, TransferRefusal};
use orthros_gss::{Context, Error};
use rustix::net::SendFlags;
use zeroize::Zeroizing;

use crate::Orthros;
use crate::sys::process;
use crate::sys::socket::{PeerCredentials, peer_credentials};

/// How long each wait for the other end lasts at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who may be at the other end: one of the users, or of the groups.
///
/// ```
/// use orthros::transfer::Peers;
/// let worker = Peers::user(33).or_group(4000);
/// # let _ = worker;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Peers {
    users: Vec<u32>,
    groups: Vec<u32>,
}

impl Peers {
    /// Processes of this process's effective user.
    pub fn same_user() -> Self {
        Self::user(process::effective_user())
    }

    /// Processes whose effective user has this id.
    pub fn user(id: u32) -> Self {
        Self { users: vec![id], groups: Vec::new() }
    }

    /// These words, with commas between them, each `uid=NUMBER` or `gid=NUMBER`; without any, [`same_user`](Self::same_user).
    ///
    /// # Errors
    /// The word that is none.
    pub fn parse(words: &str) -> Result<Self, String> {
        let nobody = Self { users: Vec::new(), groups: Vec::new() };
        let words = words.split(',').map(str::trim).filter(|word| !word.is_empty());
        let named = words.clone().try_fold(nobody, |peers, word| {
            let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is no number of 32 bits"));
            match word.split_once('=') {
                Some(("uid", id)) => Ok(peers.or_user(number(id)?)),
                Some(("gid", id)) => Ok(peers.or_group(number(id)?)),
                _ => Err(format!("{word:?} is neither uid=NUMBER nor gid=NUMBER")),
            }
        })?;
        Ok(if words.count() == 0 { Self::same_user() } else { named })
    }

    /// Processes whose effective group has this id; their other groups do not count.
    pub fn group(id: u32) -> Self {
        Self { users: Vec::new(), groups: vec![id] }
    }

    /// Those of this user too.
    pub fn or_user(mut self, id: u32) -> Self {
        self.users.push(id);
        self
    }

    /// Those of this group too.
    pub fn or_group(mut self, id: u32) -> Self {
        self.groups.push(id);
        self
    }

    fn check(&self, stream: &UnixStream) -> Result<(), TransferRefusal> {
        let peer = peer_credentials(stream)
            .map_err(|error| TransferRefusal::Peer(format!("the kernel does not say who it is: {error}")))?;
        if self.users.contains(&peer.user) || self.groups.contains(&peer.group) {
            return Ok(());
        }
        let PeerCredentials { process, user, group } = peer;
        Err(TransferRefusal::Peer(format!(
            "it is pid {process} of uid {user}, gid {group}, which is none of those that were named"
        )))
    }
}

/// A handover that came to nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotGiven {
    /// The context is still here, untouched.
    Kept(Box<Kept>),
    /// The other end acknowledged and vanished before it was told to go on: the context is nowhere.
    Lost(io::Error),
}

impl fmt::Display for NotGiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(kept) => kept.fmt(f),
            Self::Lost(error) => {
                write!(
                    f,
                    "the receiver has the context's state, was not told to go on, and it is gone here: {error}"
                )
            }
        }
    }
}

impl std::error::Error for NotGiven {}

impl Orthros {
    /// Hands a context over to the process at the other end of `stream`, which [takes it](Self::take_over): at most once.
    /// The state crosses in the clear, without a key and without a ledger, so it reaches other users and other folders.
    ///
    /// The stream must be blocking. If it comes to nothing it is shut down, for nothing may cross afterwards; otherwise it
    /// can be used on. Each wait is 10 s at most.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> { Ok(()) }
    /// use orthros::transfer::{NotGiven, Peers};
    /// use orthros::{Context, Orthros};
    /// use std::os::unix::net::UnixStream;
    ///
    /// fn give(orthros: &Orthros, context: Context, worker: &UnixStream) -> Option<Context> {
    ///     match orthros.hand_over(context, worker, &Peers::user(33)) {
    ///         Ok(()) => None,
    ///         Err(NotGiven::Kept(kept)) => Some(kept.context),
    ///         Err(_) => None,
    ///     }
    /// }
    ///
    /// fn take(orthros: &Orthros, master: &UnixStream) -> Result<Context, orthros::Error> {
    ///     orthros.take_over(master, &Peers::user(0))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`NotGiven::Kept`] gives the context back for whatever goes wrong before the receiver's acknowledgement: also
    /// another peer than `to` names, transfer that is switched off, an ended context. [`NotGiven::Lost`] if the receiver
    /// vanished after it.
    pub fn hand_over(&self, context: Context, stream: &UnixStream, to: &Peers) -> Result<(), NotGiven> {
        if let Err(refusal) = to.check(stream) {
            let _ = stream.shutdown(Shutdown::Both);
            return Err(NotGiven::Kept(Box::new(Kept { context, error: refusal.into() })));
        }
        let giving = match context.hand_over() {
            Ok(giving) => giving,
            Err(kept) => {
                let _ = send(stream, &refusal("the context can't be exported"));
                let _ = stream.shutdown(Shutdown::Both);
                return Err(NotGiven::Kept(Box::new(kept)));
            }
        };
        let _patience = Patience::on(stream);
        let answer =
            send(stream, giving.offer()).map_err(|error| broken(&error)).and_then(|()| receive(stream));
        let given = match answer {
            Ok((FrameType::Acknowledgement, body)) => giving.confirmed(&body),
            Ok((FrameType::Refusal, body)) => Err(giving.refused(&body)),
            Ok((FrameType::Offer, _)) => Err(giving.kept(unexpected().into())),
            Err(refusal) => Err(giving.kept(refusal.into())),
        };
        match given {
            Ok(given) => send(stream, &[given.commit()]).map_err(|error| {
                let _ = stream.shutdown(Shutdown::Both);
                NotGiven::Lost(error)
            }),
            Err(kept) => {
                let _ = stream.shutdown(Shutdown::Both);
                Err(NotGiven::Kept(Box::new(kept)))
            }
        }
    }

    /// Takes the context that the process at the other end of `stream` [hands over](Self::hand_over). Whoever may do that
    /// can give what context he likes, so it should be someone whose word counts.
    ///
    /// # Errors
    /// [`TransferRefusal`] says why there is none; the other end still has it then, unless it vanished at the last octet.
    pub fn take_over(&self, stream: &UnixStream, from: &Peers) -> Result<Context, Error> {
        let taken = from.check(stream).and_then(|()| self.take(stream));
        if taken.is_err() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        Ok(taken?)
    }

    fn take(&self, stream: &UnixStream) -> Result<Context, TransferRefusal> {
        let _patience = Patience::on(stream);
        let body = match receive(stream)? {
            (FrameType::Offer, body) => body,
            (FrameType::Refusal, body) => {
                let text = String::from_utf8_lossy(&body);
                let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
                return Err(TransferRefusal::Peer(text));
            }
            (FrameType::Acknowledgement, _) => return Err(unexpected()),
        };
        let taking = Taking::read(&body, self.settings()).inspect_err(|fault| {
            let _ = send(stream, &refusal(&fault.to_string()));
        })?;
        send(stream, &taking.acknowledgement()).map_err(|error| broken(&error))?;
        let mut octet = [0];
        let mut reader = stream;
        reader.read_exact(&mut octet).map_err(|error| broken(&error))?;
        let [octet] = octet;
        taking.committed(octet)
    }
}

fn unexpected() -> TransferRefusal {
    TransferRefusal::Peer("it is out of step".into())
}

fn broken(error: &io::Error) -> TransferRefusal {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            TransferRefusal::Peer(format!("it kept silent for {} s", PATIENCE.as_secs()))
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => {
            TransferRefusal::Peer("it hung up".into())
        }
        _ => TransferRefusal::Peer(format!("the connection failed: {error}")),
    }
}

/// Sends all octets. A vanished peer is an error, never a signal.
fn send(stream: &UnixStream, mut octets: &[u8]) -> io::Result<()> {
    while !octets.is_empty() {
        let sent =
            rustix::io::retry_on_intr(|| rustix::net::send(stream.as_fd(), octets, SendFlags::NOSIGNAL))?;
        octets = octets.get(sent..).unwrap_or_default();
    }
    Ok(())
}

/// A frame's type and body. So much is made room for as its type allows, before a body comes.
fn receive(mut stream: &UnixStream) -> Result<(FrameType, Zeroizing<Vec<u8>>), TransferRefusal> {
    let mut head = [0; FRAME];
    stream.read_exact(&mut head).map_err(|error| broken(&error))?;
    let (kind, length) = frame(head)?;
    let length = usize::try_from(length).map_err(|_| TransferRefusal::TooLarge)?;
    let mut body = Zeroizing::new(vec![0; length]);
    stream.read_exact(&mut body).map_err(|error| broken(&error))?;
    Ok((kind, body))
}

/// Limits how long the stream waits, until this is dropped.
struct Patience<'a> {
    stream: &'a UnixStream,
    before: [Option<Duration>; 2],
}

impl<'a> Patience<'a> {
    fn on(stream: &'a UnixStream) -> Self {
        let before = [stream.read_timeout(), stream.write_timeout()].map(|timeout| timeout.ok().flatten());
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.set_write_timeout(Some(PATIENCE));
        Self { stream, before }
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        let [read, write] = self.before;
        let _ = self.stream.set_read_timeout(read);
        let _ = self.stream.set_write_timeout(write);
    }
}
