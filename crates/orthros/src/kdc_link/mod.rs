//! Carries a request to a key distribution centre and its answer back (RFC 4120 §7.2).
//!
//! Shape: a request goes to the KDCs in their order, by UDP if it is small and by TCP otherwise; then, to those
//! that allow it, by the other transport. UDP carries the bare message and is sent again after a second; TCP
//! puts four octets of length before it. An answer that calls for TCP is followed by TCP to the same KDC.
//! The first answer wins, whatever it says: what it means is for the caller to find out.
//!
//! Bounds: three seconds of silence end a try, ten seconds end the whole exchange (both measured by the
//! monotonic clock); no answer may be longer than 1 MiB, and memory grows only with what has come.
//!
//! Not here: where KDCs are found (DNS SRV records, `krb5.conf`), the HTTPS proxy (MS-KKDCP), and the meaning of
//! any message.

mod report;
mod tcp;
mod udp;

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use orthros_krb5::config::{KdcAddress, Transport as Configured};

pub use report::{Attempt, LinkReport, Outcome, Transport};

/// The longest answer that is taken, in octets: 1 MiB.
pub const MAX_ANSWER_LEN: usize = 1 << 20;

/// Whether the configuration of a KDC allows a transport.
fn allows(configured: Configured, transport: Transport) -> bool {
    match configured {
        Configured::Any => true,
        Configured::Tcp => transport == Transport::Tcp,
        Configured::Udp => transport == Transport::Udp,
        // An HTTPS proxy, or what later versions know: not carried here.
        _ => false,
    }
}

/// How requests are carried. Cheap to clone; holds no socket.
#[derive(Clone, Debug)]
pub struct KdcLink {
    /// Silence that ends a try.
    pub try_limit: Duration,
    /// After this much silence a datagram is sent again.
    pub resend_after: Duration,
    /// Ends the whole exchange.
    pub total_limit: Duration,
    /// Requests of up to this many octets go by UDP first (`udp_preference_limit`; 0: TCP first).
    pub udp_preference_limit: usize,
}

impl Default for KdcLink {
    /// 3 s a try, a datagram again each second, 10 s in all, UDP up to 1465 octets.
    fn default() -> Self {
        Self {
            try_limit: Duration::from_secs(3),
            resend_after: Duration::from_secs(1),
            total_limit: Duration::from_secs(10),
            udp_preference_limit: 1465,
        }
    }
}

impl KdcLink {
    /// Carries `request` to the first of `kdcs` that answers, and gives its answer. Blocks, at most for
    /// `total_limit`.
    ///
    /// `wants_tcp` says whether an answer by UDP is KRB_ERR_RESPONSE_TOO_BIG. By TCP that is an answer as any.
    ///
    /// # Errors
    /// [`LinkReport`] if none answered: each KDC tried, by what transport, for how long, and what happened.
    pub fn exchange(
        &self,
        kdcs: &[KdcAddress],
        request: &[u8],
        wants_tcp: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<u8>, LinkReport> {
        let mut run =
            Run { link: self, request, deadline: Instant::now() + self.total_limit, tried: Vec::new() };
        let order = if request.len() <= self.udp_preference_limit {
            [Transport::Udp, Transport::Tcp]
        } else {
            [Transport::Tcp, Transport::Udp]
        };
        let mut known: Vec<Option<Vec<SocketAddr>>> = vec![None; kdcs.len()];
        // Those whose name is unknown, or that were asked by TCP after UDP, are done with after the first round.
        for (round, transport) in order.into_iter().enumerate() {
            for (kdc, known) in kdcs.iter().zip(&mut known) {
                if !allows(kdc.transport, transport) {
                    continue;
                }
                let addresses = match known {
                    Some(addresses) => addresses,
                    None => known.insert(run.resolve(kdc, transport)),
                };
                for address in addresses.clone() {
                    if let Some(answer) = run.ask(address, transport, kdc.transport, &wants_tcp) {
                        return Ok(answer);
                    }
                    if run.time_is_up() {
                        return Err(run.report());
                    }
                }
            }
            tracing::debug!(round, %transport, "no KDC answered");
        }
        Err(run.report())
    }
}

/// One exchange under way.
struct Run<'a> {
    link: &'a KdcLink,
    request: &'a [u8],
    deadline: Instant,
    tried: Vec<Attempt>,
}

impl Run<'_> {
    /// Asks one address; notes what happened if nothing came of it.
    fn ask(
        &mut self,
        address: SocketAddr,
        transport: Transport,
        allowed: Configured,
        wants_tcp: &impl Fn(&[u8]) -> bool,
    ) -> Option<Vec<u8>> {
        let kdc = address.to_string();
        if self.tried.iter().any(|attempt| attempt.kdc == kdc && attempt.transport == transport) {
            return None;
        }
        let began = Instant::now();
        let outcome = match transport {
            Transport::Udp => udp::ask(address, self.request, self.link, self.deadline),
            Transport::Tcp => tcp::ask(address, self.request, self.link, self.deadline),
        };
        let outcome = match outcome {
            Ok(answer) if transport == Transport::Udp && wants_tcp(&answer) => Outcome::AnswerTooBig,
            Ok(answer) => return Some(answer),
            Err(outcome) => outcome,
        };
        let follow = outcome == Outcome::AnswerTooBig && allows(allowed, Transport::Tcp);
        self.tried.push(Attempt { kdc, transport, elapsed: began.elapsed(), outcome });
        if follow { self.ask(address, Transport::Tcp, allowed, wants_tcp) } else { None }
    }

    /// The addresses of `kdc`. The system's resolver knows no deadline, so it runs on a thread of its own,
    /// which is left to itself when time is up.
    fn resolve(&mut self, kdc: &KdcAddress, transport: Transport) -> Vec<SocketAddr> {
        if let Ok(address) = kdc.host.parse::<IpAddr>() {
            return vec![SocketAddr::new(address, kdc.port)];
        }
        let began = Instant::now();
        let (sender, receiver) = mpsc::channel();
        let (host, port) = (kdc.host.clone(), kdc.port);
        let spawned = std::thread::Builder::new().name("orthros-resolve".into()).spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
            // Nobody listens any more if this came too late.
            let _ = sender.send(found);
        });
        let limit = self.link.try_limit.min(self.deadline.saturating_duration_since(began));
        let outcome = match spawned.map(|_| receiver.recv_timeout(limit)) {
            Ok(Ok(Ok(addresses))) if !addresses.is_empty() => return addresses,
            Ok(Ok(Ok(_))) => Outcome::NotFound("the name has no address".into()),
            Ok(Ok(Err(error))) => Outcome::NotFound(error.to_string()),
            Ok(Err(_)) => {
                Outcome::NotFound(format!("no name server answered in {:.1} s", limit.as_secs_f64()))
            }
            Err(error) => Outcome::Failed(error.to_string()),
        };
        let kdc = format!("{}:{}", kdc.host, kdc.port);
        self.tried.push(Attempt { kdc, transport, elapsed: began.elapsed(), outcome });
        Vec::new()
    }

    fn time_is_up(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn report(self) -> LinkReport {
        LinkReport {
            out_of_time: self.time_is_up(),
            total_limit: self.link.total_limit,
            attempts: self.tried,
        }
    }
}

/// What is left until `deadline`; a socket takes no timeout of zero.
fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}
