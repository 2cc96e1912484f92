//! What the processes are told, and what they answer: one line of JSON each.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What a process is told to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) enum Order {
    /// Holder: accept the initiator's connection and context. [`Established`]
    Accept,
    /// Holder: take a message and answer it with a text that names the process. [`Heard`]
    Answer { text: String },
    /// Initiator: connect, and establish a context. [`Established`]
    Connect { address: SocketAddr },
    /// Acceptor: give up the context, and try what must be refused. [`Exported`]
    Export,
    /// Acceptor: give the token and the socket to whoever comes to the door. [`HandedOver`]
    HandOver,
    /// Acceptor: import the token again. [`Again`]
    ImportAgain,
    /// Acceptor: listen for the initiator, and open the door for the heir. [`Listening`]
    Listen { without_ledger: bool },
    /// Initiator: get tickets. [`Tickets`]
    LogIn { password: String },
    /// Initiator: send a message and take the answer. [`Said`]
    Say { text: String },
    /// Initiator: send the octets of the first message once more. [`SentAgain`]
    SayAgain,
    /// KDC: serve the realm. [`Ready`](crate::realm::Ready)
    Serve { password: String },
    /// Heir: take a token and a socket at the door, and import. [`Taken`]
    Take { without_ledger: bool },
    /// Anyone: what passed over the connection. [`Traffic`]
    Traffic,
}

/// A connection, as one of its ends sees it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Connection {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
    /// The kernel's number of this end's socket: the same in two processes if they hold the same socket.
    pub(super) inode: u64,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) keys: usize,
    pub(super) enctype: String,
    pub(super) principal: String,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Tickets {
    pub(super) client: String,
    /// For how many seconds the ticket-granting ticket is good.
    pub(super) lifetime_seconds: i64,
    /// The exchange with the authentication service, in microseconds; making the key of the password is part.
    pub(super) as_microseconds: u128,
    /// The exchange with the ticket-granting service, in microseconds.
    pub(super) tgs_microseconds: u128,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Established {
    pub(super) initiator: String,
    pub(super) acceptor: String,
    /// By their numbers in the C bindings.
    pub(super) flags: u32,
    pub(super) tokens: usize,
    pub(super) microseconds: u128,
    pub(super) connection: Connection,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Said {
    /// The message's token, in hexadecimal.
    pub(super) token: String,
    pub(super) answer: Message,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Heard {
    /// The message's token, in hexadecimal.
    pub(super) token: String,
    pub(super) message: Message,
    /// The answer in the clear; `None` if the message was refused and there was none.
    pub(super) answer: Option<String>,
}

/// A message that was verified.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) sealed: bool,
    pub(super) order: Standing,
}

/// How a message stands in its stream.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    InOrder,
    Duplicate,
    Old,
    Unsequenced,
    Gap,
}

impl From<orthros::Order> for Standing {
    fn from(order: orthros::Order) -> Self {
        match order {
            orthros::Order::InOrder => Self::InOrder,
            orthros::Order::Duplicate => Self::Duplicate,
            orthros::Order::Old => Self::Old,
            orthros::Order::Unsequenced => Self::Unsequenced,
            orthros::Order::Gap => Self::Gap,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Exported {
    pub(super) token_octets: usize,
    /// SHA-256.
    pub(super) token_digest: String,
    pub(super) user: u32,
    /// The status of wrapping another message; `None` if it worked.
    pub(super) going_on: Option<String>,
    /// How many changed tokens were tried: one for each octet.
    pub(super) changed: usize,
    /// How many of those were refused.
    pub(super) refused: usize,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct HandedOver {
    /// Who came to the door, by the kernel's word.
    pub(super) process: u32,
    pub(super) user: u32,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Taken {
    pub(super) token_digest: String,
    pub(super) initiator: String,
    pub(super) acceptor: String,
    pub(super) flags: u32,
    pub(super) connection: Connection,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Again {
    /// The major status; `None` if the token was taken.
    pub(super) status: Option<String>,
    /// If it had been spent, when: seconds and microseconds since 1970.
    pub(super) spent_at: Option<(i64, u32)>,
    /// By which process.
    pub(super) spent_by: Option<u32>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SentAgain {
    /// The octets that were sent, in hexadecimal.
    pub(super) token: String,
}

/// All octets that passed over the connection at one end, in hexadecimal.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Traffic {
    pub(super) sent: String,
    pub(super) received: String,
}
