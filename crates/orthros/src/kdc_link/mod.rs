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
//! The rules lie in `plan`, which knows no sockets: other drivers go by them too.
//!
//! Not here: where KDCs are found ([`crate::dns`], `krb5.conf`), the HTTPS proxy (MS-KKDCP), and the meaning of
//! any message.

pub(crate) mod plan;
mod report;
pub(crate) mod tcp;
pub(crate) mod udp;

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use orthros_krb5::config::{KdcAddress, Transport as Configured};

pub use report::{Attempt, LinkReport, Outcome, Transport};

use crate::trace::Tracer;
use plan::{Next, Plan};

use crate::sys::gate;

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
        self.exchange_with(kdcs, request, wants_tcp, resolve, &Tracer::default())
    }

    /// As [`exchange`](Self::exchange), with another way from a host, a port and a limit to addresses, and with whoever is told.
    pub(crate) fn exchange_with(
        &self,
        kdcs: &[KdcAddress],
        request: &[u8],
        wants_tcp: impl Fn(&[u8]) -> bool,
        resolve: impl Fn(&str, u16, Duration) -> Result<Vec<SocketAddr>, Outcome>,
        tracer: &Tracer,
    ) -> Result<Vec<u8>, LinkReport> {
        let mut plan = Plan::new(self, kdcs, request.len(), tracer);
        loop {
            match plan.next() {
                Next::Ask { address, transport, deadline } => {
                    let outcome = match transport {
                        Transport::Udp => gate::outside(|| udp::ask(address, request, self, deadline)),
                        Transport::Tcp => gate::outside(|| tcp::ask(address, request, self, deadline)),
                    };
                    if let Some(answer) = plan.took(outcome, &wants_tcp) {
                        return Ok(answer);
                    }
                }
                Next::GiveUp(report) => return Err(report),
                Next::Resolve { host, port, limit } => plan.resolved(resolve(&host, port, limit)),
            }
        }
    }
}

/// Asks the system's resolver. It knows no deadline, so it runs on a thread of its own, which is left to itself
/// when time is up.
pub(crate) fn resolve(host: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, Outcome> {
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    let spawned = std::thread::Builder::new().name("orthros-resolve".into()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Nobody listens any more if this came too late.
        let _ = sender.send(found);
    });
    match spawned.map(|_| gate::outside(|| receiver.recv_timeout(limit))) {
        Ok(Ok(Ok(addresses))) => Ok(addresses),
        Ok(Ok(Err(error))) => Err(Outcome::NotFound(error.to_string())),
        Ok(Err(_)) => Err(Outcome::no_name_server(limit)),
        Err(error) => Err(Outcome::Failed(error.to_string())),
    }
}

/// What is left until `deadline`; a socket takes no timeout of zero.
fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}
