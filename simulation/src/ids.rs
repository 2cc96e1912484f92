//! Who is who: ends of conversations, and the works of processes.

use std::fmt;

/// Which side of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Initiator,
    Acceptor,
}

/// One end of a conversation, wherever it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    pub(crate) conversation: usize,
    pub(crate) side: Side,
}

impl End {
    pub(crate) fn initiator(conversation: usize) -> Self {
        Self { conversation, side: Side::Initiator }
    }

    pub(crate) fn peer(self) -> Self {
        let side = match self.side {
            Side::Initiator => Side::Acceptor,
            Side::Acceptor => Side::Initiator,
        };
        Self { side, ..self }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Initiator => "initiator",
            Side::Acceptor => "acceptor",
        };
        write!(f, "{side} {}", self.conversation)
    }
}

/// A piece of work of one life of a process: it is gone when the process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Handle {
    pub(crate) process: usize,
    pub(crate) life: u32,
    pub(crate) work: u64,
}
