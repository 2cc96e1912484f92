//! A request by UDP: the bare message in one datagram (RFC 4120 §7.2.1).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use super::{KdcLink, Outcome, left_until};

/// The longest datagram that IPv4 carries, in octets.
pub(crate) const MAX_DATAGRAM: usize = 65_507;

/// Sends `request` and waits; sends the very same octets again while nobody answers. Only datagrams from
/// `address` are seen, because the socket is connected.
pub(super) fn ask(
    address: SocketAddr,
    request: &[u8],
    link: &KdcLink,
    deadline: Instant,
) -> Result<Vec<u8>, Outcome> {
    if request.len() > MAX_DATAGRAM {
        return Err(Outcome::TooLong(request.len()));
    }
    exchange(address, request, link, deadline).map_err(|error| Outcome::of(&error))
}

fn exchange(address: SocketAddr, request: &[u8], link: &KdcLink, deadline: Instant) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind(any_port(address))?;
    socket.connect(address)?;
    let ends = deadline.min(Instant::now() + link.try_limit);
    let mut buffer = vec![0; MAX_DATAGRAM + 1];
    while Instant::now() < ends {
        socket.send(request)?;
        let resend_at = ends.min(Instant::now() + link.resend_after);
        while Instant::now() < resend_at {
            socket.set_read_timeout(Some(left_until(resend_at)))?;
            match socket.recv(&mut buffer) {
                // An empty datagram says nothing: go on waiting.
                Ok(0) => {}
                Ok(length) => {
                    buffer.truncate(length);
                    return Ok(buffer);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Any address and port of this machine from which `address` can be reached.
pub(crate) fn any_port(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
