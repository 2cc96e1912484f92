//! Carries a request to a KDC by Tokio's sockets. Which KDC, by what transport and for how long is the plan's
//! business ([`crate::kdc_link`]); here is only the waiting.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
use ::tokio::net::{TcpStream, UdpSocket};
use ::tokio::time::timeout_at;

use crate::Orthros;
use crate::blocking::is_too_big;
use crate::kdc_link::plan::{Next, Plan};
use crate::kdc_link::tcp::{Inflow, framed};
use crate::kdc_link::udp::{MAX_DATAGRAM, any_port};
use crate::kdc_link::{KdcLink, Outcome, Transport};
use crate::trace::Event;

impl Orthros {
    /// Carries a request to a KDC of `realm`; if none answers, says which were tried.
    pub(super) async fn carry_async(&self, realm: &str, request: &[u8]) -> Result<Vec<u8>, String> {
        self.tell(Event::Request { realm, request });
        let named = realm.to_owned();
        let found = self.off_runtime(move |orthros| orthros.kdcs_of(&named)).await;
        let kdcs = found.map_err(|error| error.to_string())??;
        let mut plan = Plan::new(self.link(), &kdcs, request.len(), self.tracer());
        loop {
            match plan.next() {
                Next::Ask { address, transport, deadline } => {
                    let outcome = match transport {
                        Transport::Udp => by_udp(address, request, self.link(), deadline).await,
                        Transport::Tcp => by_tcp(address, request, self.link(), deadline).await,
                    };
                    if let Some(answer) = plan.took(outcome, is_too_big) {
                        return Ok(answer);
                    }
                }
                Next::GiveUp(report) => return Err(report.to_string()),
                Next::Resolve { host, port, limit } => {
                    let found =
                        self.off_runtime(move |orthros| orthros.addresses_of(&host, port, limit)).await;
                    plan.resolved(found.unwrap_or_else(|error| Err(Outcome::of(&error))));
                }
            }
        }
    }
}

/// Sends the very same octets again while nobody answers. The socket is connected: others are not heard.
async fn by_udp(
    address: SocketAddr,
    request: &[u8],
    link: &KdcLink,
    deadline: Instant,
) -> Result<Vec<u8>, Outcome> {
    if request.len() > MAX_DATAGRAM {
        return Err(Outcome::TooLong(request.len()));
    }
    let fault = |error: io::Error| Outcome::of(&error);
    let socket = UdpSocket::bind(any_port(address)).await.map_err(fault)?;
    socket.connect(address).await.map_err(fault)?;
    let ends = deadline.min(Instant::now() + link.try_limit);
    let mut buffer = vec![0; MAX_DATAGRAM + 1];
    while Instant::now() < ends {
        socket.send(request).await.map_err(fault)?;
        let resend_at = ends.min(Instant::now() + link.resend_after);
        // An empty datagram says nothing: go on waiting.
        while let Some(came) = until(resend_at, socket.recv(&mut buffer)).await {
            let length = came.map_err(fault)?;
            if length > 0 {
                buffer.truncate(length);
                return Ok(buffer);
            }
        }
    }
    Err(Outcome::Silent)
}

async fn by_tcp(
    address: SocketAddr,
    request: &[u8],
    link: &KdcLink,
    deadline: Instant,
) -> Result<Vec<u8>, Outcome> {
    let fault = |error: io::Error| Outcome::of(&error);
    let soon = || deadline.min(Instant::now() + link.try_limit);
    let message = framed(request)?;
    let connected = until(soon(), TcpStream::connect(address)).await.ok_or(Outcome::Silent)?;
    let mut stream = connected.map_err(fault)?;
    until(soon(), stream.write_all(&message)).await.ok_or(Outcome::Silent)?.map_err(fault)?;
    let mut inflow = Inflow::default();
    let mut chunk = vec![0; inflow.wanted()];
    loop {
        chunk.resize(inflow.wanted(), 0);
        let came = until(soon(), stream.read(&mut chunk)).await.ok_or_else(|| inflow.silence())?;
        let count = came.map_err(|error| inflow.ended_by(&error))?;
        if let Some(answer) = inflow.take(chunk.get(..count).unwrap_or(&[]))? {
            return Ok(answer);
        }
    }
}

/// What comes of `work`, or nothing if that takes until `ends`.
async fn until<T>(ends: Instant, work: impl Future<Output = T>) -> Option<T> {
    timeout_at(ends.into(), work).await.ok()
}
