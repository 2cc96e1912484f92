//! What must never happen. The observer sees what a being above the realm would see, and believes no end.
//!
//! | invariant | how it is seen |
//! |---|---|
//! | one live instance of a context, up or on its way | who holds each end is told at each export, import, suspension, resumption and death |
//! | no replay is accepted | contexts that came up at acceptors are counted per request of an initiator |
//! | only what was sent comes out | each plain text is compared with the one that its sender protected |
//! | never twice, never out of order unseen | a model of RFC 2743 §1.2.3 of its own says how each message stands |
//! | no lost credential | what a cache was told to keep is there, whenever it is read |
//! | every failure is explained | see [`explain`](crate::explain) |

use std::collections::{BTreeMap, BTreeSet};

use orthros_gss::Order;

use crate::ids::{End, Handle};

/// What is known of one direction of a conversation.
#[derive(Debug, Default)]
struct Stream {
    /// What was protected, in order.
    sent: Vec<Vec<u8>>,
    /// Which of them came out.
    seen: BTreeSet<usize>,
    /// One more than the greatest that came out.
    next: usize,
    replay: bool,
    sequence: bool,
}

/// Sees all, and complains.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    live: BTreeMap<End, BTreeSet<Handle>>,
    /// By sender.
    streams: BTreeMap<End, Stream>,
    /// How many contexts came up at acceptors, by the conversation whose request they took.
    accepted: BTreeMap<usize, u32>,
    /// Servers whose tickets a cache holds for certain, and how many octets of tickets.
    kept: BTreeMap<String, BTreeSet<String>>,
    pub(crate) violations: Vec<String>,
    /// How often what happened.
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl Observer {
    pub(crate) fn violation(&mut self, what: String) {
        self.violations.push(what);
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A context lives there from now on.
    pub(crate) fn up(&mut self, end: End, handle: Handle) {
        let live = self.live.entry(end).or_default();
        live.insert(handle);
        if live.len() > 1 {
            let text = format!("two live instances of {end}: {live:?}");
            self.violation(text);
        }
    }

    /// It lives there no more.
    pub(crate) fn gone(&mut self, end: End, handle: Handle) {
        if let Some(live) = self.live.get_mut(&end) {
            live.remove(&handle);
        }
    }

    /// An acceptor's context came up by the request of this conversation's initiator.
    pub(crate) fn accepted(&mut self, conversation: usize, harmless: bool) {
        let times = self.accepted.entry(conversation).or_default();
        *times += 1;
        if *times > 1 && !harmless {
            let text =
                format!("the request of conversation {conversation} was accepted {times} times: a replay");
            self.violation(text);
        }
    }

    /// The receiver of what `sender` sends was promised these.
    pub(crate) fn promised(&mut self, sender: End, replay: bool, sequence: bool) {
        let stream = self.streams.entry(sender).or_default();
        (stream.replay, stream.sequence) = (replay, sequence);
    }

    /// `sender` has protected a message. Which one it was.
    pub(crate) fn sent(&mut self, sender: End, plain: &[u8]) -> usize {
        let stream = self.streams.entry(sender).or_default();
        stream.sent.push(plain.to_vec());
        stream.sent.len() - 1
    }

    /// What was made of message number `index` of `sender` came out as `plain`, and stands like `order`.
    pub(crate) fn received(&mut self, sender: End, index: usize, plain: &[u8], order: Order) {
        let Some(stream) = self.streams.get_mut(&sender) else {
            return self.violation(format!("a message of {sender} came out, which sent none"));
        };
        if stream.sent.get(index).is_none_or(|sent| sent != plain) {
            return self.violation(format!("{sender} never sent what came out as its message {index}"));
        }
        let expected = stream.expected(index);
        if order != expected {
            self.violation(format!("message {index} of {sender} is told as {order:?} and is {expected:?}"));
        }
    }

    /// Exactly these tickets are in the cache from now on.
    pub(crate) fn kept(&mut self, cache: &str, servers: impl IntoIterator<Item = String>) {
        self.kept.insert(cache.to_owned(), servers.into_iter().collect());
    }

    /// The cache was removed on purpose.
    pub(crate) fn removed(&mut self, cache: &str) {
        self.kept.remove(cache);
    }

    /// The cache was read; `None`: it is not there, or can't be.
    pub(crate) fn found(&mut self, cache: &str, servers: Option<BTreeSet<String>>) {
        let kept = self.kept.get(cache);
        if kept.is_some() && kept != servers.as_ref() {
            let text = format!("lost credentials of {cache}: kept {kept:?}, found {servers:?}");
            self.violation(text);
        }
    }
}

impl Stream {
    /// How a message stands in the stream (RFC 2743 §1.2.3). No run sends so many that one could be too old.
    fn expected(&mut self, index: usize) -> Order {
        let known = !self.seen.insert(index);
        let ahead = index > self.next;
        let late = index < self.next;
        self.next = self.next.max(index + 1);
        match (self.replay || self.sequence, self.sequence) {
            (false, _) => Order::InOrder,
            _ if known => Order::Duplicate,
            (_, true) if ahead => Order::Gap,
            (_, true) if late => Order::Unsequenced,
            _ => Order::InOrder,
        }
    }
}
