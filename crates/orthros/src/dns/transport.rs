//! A query by UDP, or by TCP if the answer does not fit a datagram (RFC 1035 §4.2, RFC 7766).

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::message::{Question, Reading};
use crate::kdc_link::udp::any_port;

/// The longest message, in octets: what two octets of length can say.
const LONGEST: usize = u16::MAX as usize;

/// Asks `server` until `ends`; gives what was an answer to the question.
pub(super) fn ask(server: SocketAddr, question: &Question, ends: Instant) -> io::Result<Reading> {
    match by_udp(server, question, ends)? {
        Reading::Truncated => by_tcp(server, question, ends),
        reading => Ok(reading),
    }
}

/// A socket of its own for each query, so that its port is one more thing for a deceiver to guess; connected, so
/// that only the server's datagrams are seen. What does not answer the question is passed over.
fn by_udp(server: SocketAddr, question: &Question, ends: Instant) -> io::Result<Reading> {
    let socket = UdpSocket::bind(any_port(server))?;
    socket.connect(server)?;
    socket.send(question.octets())?;
    let mut buffer = vec![0; LONGEST];
    loop {
        socket.set_read_timeout(Some(left(ends)?))?;
        let length = match socket.recv(&mut buffer) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match question.read(buffer.get(..length).unwrap_or(&[])) {
            Reading::Foreign => {}
            reading => return Ok(reading),
        }
    }
}

fn by_tcp(server: SocketAddr, question: &Question, ends: Instant) -> io::Result<Reading> {
    let mut stream = TcpStream::connect_timeout(&server, left(ends)?)?;
    let length = u16::try_from(question.octets().len()).map_err(io::Error::other)?;
    stream.set_write_timeout(Some(left(ends)?))?;
    stream.write_all(&[&length.to_be_bytes(), question.octets()].concat())?;
    let mut length = [0; 2];
    receive(&mut stream, &mut length, ends)?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    receive(&mut stream, &mut answer, ends)?;
    Ok(match question.read(&answer) {
        // One connection, one question: what comes here is meant as its answer, and by TCP nothing is cut.
        Reading::Foreign | Reading::Truncated => Reading::Malformed,
        reading => reading,
    })
}

/// Fills `octets`; slow octets may come until `ends`.
fn receive(stream: &mut TcpStream, octets: &mut [u8], ends: Instant) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = octets.get_mut(done..).filter(|rest| !rest.is_empty()) {
        stream.set_read_timeout(Some(left(ends)?))?;
        match stream.read(rest) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn left(ends: Instant) -> io::Result<Duration> {
    let left = ends.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
