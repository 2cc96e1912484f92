//! Which KDC is asked next, by what transport, and when to give up: the rules of fail-over as a value, without
//! sockets, so that every driver goes by the same.
//!
//! Shape: a driver does what [`Plan::next`] says and tells what came of it ([`Plan::resolved`], [`Plan::took`]),
//! until there is an answer or nothing is left. Time is the monotonic clock's.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use orthros_krb5::config::{KdcAddress, Transport as Configured};

use crate::trace::{Event, Tracer};

use super::{Attempt, KdcLink, LinkReport, Outcome, Transport, allows};

/// What a driver is to do next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Ask an address, until the deadline at the latest; [`Plan::took`] goes on.
    Ask { address: SocketAddr, transport: Transport, deadline: Instant },
    /// No KDC answered.
    GiveUp(LinkReport),
    /// Find the addresses of a host within the limit; [`Plan::resolved`] goes on.
    Resolve { host: String, port: u16, limit: Duration },
}

/// A KDC to be asked at an address.
#[derive(Clone, Copy)]
struct Try {
    address: SocketAddr,
    transport: Transport,
    allowed: Configured,
}

/// One exchange under way.
pub(crate) struct Plan<'a> {
    link: &'a KdcLink,
    kdcs: &'a [KdcAddress],
    /// The addresses of each KDC, once known.
    known: Vec<Option<Vec<SocketAddr>>>,
    order: [Transport; 2],
    /// Which of `order`, and which of `kdcs`, is next when `queue` is empty.
    round: usize,
    at: usize,
    queue: VecDeque<Try>,
    /// What the driver is doing, and since when.
    current: Option<Try>,
    began: Instant,
    deadline: Instant,
    tried: Vec<Attempt>,
    tracer: &'a Tracer,
}

impl<'a> Plan<'a> {
    /// Begins now. A request of so many octets goes by UDP first if it is small.
    pub(crate) fn new(
        link: &'a KdcLink,
        kdcs: &'a [KdcAddress],
        request_len: usize,
        tracer: &'a Tracer,
    ) -> Self {
        let order = if request_len <= link.udp_preference_limit {
            [Transport::Udp, Transport::Tcp]
        } else {
            [Transport::Tcp, Transport::Udp]
        };
        let began = Instant::now();
        Self {
            link,
            kdcs,
            known: vec![None; kdcs.len()],
            order,
            round: 0,
            at: 0,
            queue: VecDeque::new(),
            current: None,
            began,
            deadline: began + link.total_limit,
            tried: Vec::new(),
            tracer,
        }
    }

    /// What to do now.
    pub(crate) fn next(&mut self) -> Next {
        loop {
            if self.time_is_up() && !self.tried.is_empty() {
                return self.give_up();
            }
            if let Some(next) = self.queue.pop_front() {
                let Try { address, transport, .. } = next;
                if self.is_tried(&address.to_string(), transport) {
                    continue;
                }
                self.begin(Some(next));
                self.tracer.tell(Event::Asking { kdc: address, transport });
                return Next::Ask { address, transport, deadline: self.deadline };
            }
            let Some(&transport) = self.order.get(self.round) else { return self.give_up() };
            let Some((kdc, known)) = self.kdcs.get(self.at).zip(self.known.get_mut(self.at)) else {
                tracing::debug!(round = self.round, %transport, "no KDC answered");
                (self.round, self.at) = (self.round + 1, 0);
                continue;
            };
            if !allows(kdc.transport, transport) {
                self.at += 1;
                continue;
            }
            let addresses = match (&known, kdc.host.parse::<IpAddr>()) {
                (Some(addresses), _) => addresses.clone(),
                (None, Ok(address)) => known.insert(vec![SocketAddr::new(address, kdc.port)]).clone(),
                (None, Err(_)) => {
                    let (host, port) = (kdc.host.clone(), kdc.port);
                    self.begin(None);
                    let limit = self.link.try_limit.min(self.deadline.saturating_duration_since(self.began));
                    return Next::Resolve { host, port, limit };
                }
            };
            let allowed = kdc.transport;
            self.queue.extend(addresses.into_iter().map(|address| Try { address, transport, allowed }));
            self.at += 1;
        }
    }

    /// Takes what came of looking for addresses. A host without any is done with.
    pub(crate) fn resolved(&mut self, found: Result<Vec<SocketAddr>, Outcome>) {
        let Some((kdc, known)) = self.kdcs.get(self.at).zip(self.known.get_mut(self.at)) else { return };
        let outcome = match found {
            Ok(addresses) if addresses.is_empty() => Outcome::NotFound("the name has no address".into()),
            Ok(addresses) => {
                self.tracer.tell(Event::Host { host: &kdc.host, found: Ok(addresses.len()) });
                *known = Some(addresses);
                return;
            }
            Err(outcome) => outcome,
        };
        *known = Some(Vec::new());
        let host = &kdc.host;
        let kdc = format!("{}:{}", kdc.host, kdc.port);
        let transport = self.order.get(self.round).copied().unwrap_or(Transport::Udp);
        let attempt = Attempt { kdc, transport, elapsed: self.began.elapsed(), outcome };
        self.tracer.tell(Event::Host { host, found: Err(&attempt) });
        self.tried.push(attempt);
    }

    /// Takes what came of asking; gives the answer if that was one. An answer by UDP that `wants_tcp` is followed
    /// by TCP to the same KDC.
    pub(crate) fn took(
        &mut self,
        outcome: Result<Vec<u8>, Outcome>,
        wants_tcp: impl Fn(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        let Try { address, transport, allowed } = self.current.take()?;
        if let Ok(answer) = &outcome {
            self.tracer.tell(Event::Answered { kdc: address, transport, answer });
        }
        let outcome = match outcome {
            Ok(answer) if transport == Transport::Udp && wants_tcp(&answer) => Outcome::AnswerTooBig,
            Ok(answer) => return Some(answer),
            Err(outcome) => outcome,
        };
        if outcome == Outcome::AnswerTooBig && allows(allowed, Transport::Tcp) {
            self.queue.push_front(Try { address, transport: Transport::Tcp, allowed });
        }
        let kdc = address.to_string();
        let attempt = Attempt { kdc, transport, elapsed: self.began.elapsed(), outcome };
        self.tracer.tell(Event::NoAnswer(&attempt));
        self.tried.push(attempt);
        None
    }

    fn begin(&mut self, current: Option<Try>) {
        (self.current, self.began) = (current, Instant::now());
    }

    fn is_tried(&self, kdc: &str, transport: Transport) -> bool {
        self.tried.iter().any(|attempt| attempt.kdc == kdc && attempt.transport == transport)
    }

    fn time_is_up(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn give_up(&mut self) -> Next {
        Next::GiveUp(LinkReport {
            out_of_time: self.time_is_up(),
            total_limit: self.link.total_limit,
            attempts: std::mem::take(&mut self.tried),
        })
    }
}
