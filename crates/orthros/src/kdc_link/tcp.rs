//! A request by TCP: four octets of length, the message (RFC 4120 §7.2.2).
//!
//! The standard library writes to sockets with `MSG_NOSIGNAL`: a KDC that closes is an error, not a signal.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::{KdcLink, MAX_ANSWER_LEN, Outcome, left_until};

/// At most this much is read at a time, so that memory follows what came and not what was announced.
const CHUNK: usize = 16 * 1024;

/// Sends `request` and reads the answer. Silence of `try_limit` ends it; slow octets may go on until
/// `deadline`. What follows the answer is never read.
pub(super) fn ask(
    address: SocketAddr,
    request: &[u8],
    link: &KdcLink,
    deadline: Instant,
) -> Result<Vec<u8>, Outcome> {
    let length = u32::try_from(request.len())
        .ok()
        .filter(|length| length >> 31 == 0)
        .ok_or(Outcome::TooLong(request.len()))?;
    let limit = link.try_limit.min(left_until(deadline));
    let stream = TcpStream::connect_timeout(&address, limit).map_err(|error| Outcome::of(&error))?;
    let mut wire = Wire { stream, link, deadline, received: 0 };
    // One segment, not two: the length alone would wait for an acknowledgement.
    wire.send(&[&length.to_be_bytes(), request].concat())?;
    let mut announced = [0; 4];
    wire.receive(&mut announced)?;
    let announced = u32::from_be_bytes(announced);
    let length = usize::try_from(announced)
        .ok()
        .filter(|length| (1..=MAX_ANSWER_LEN).contains(length))
        .ok_or(Outcome::Length(announced))?;
    let mut answer = Vec::new();
    let mut chunk = vec![0; CHUNK.min(length)];
    while answer.len() < length {
        let wanted = CHUNK.min(length - answer.len());
        let (part, _) = chunk.split_at_mut(wanted);
        let count = wire.receive_some(part)?;
        answer.extend(part.iter().take(count));
    }
    Ok(answer)
}

struct Wire<'a> {
    stream: TcpStream,
    link: &'a KdcLink,
    deadline: Instant,
    /// Octets that have come so far.
    received: usize,
}

impl Wire<'_> {
    fn send(&mut self, octets: &[u8]) -> Result<(), Outcome> {
        let fault = |error: io::Error| Outcome::of(&error);
        let limit = self.link.try_limit.min(left_until(self.deadline));
        self.stream.set_write_timeout(Some(limit)).map_err(fault)?;
        self.stream.write_all(octets).map_err(fault)
    }

    fn receive(&mut self, octets: &mut [u8]) -> Result<(), Outcome> {
        let mut done = 0;
        while let Some(rest) = octets.get_mut(done..).filter(|rest| !rest.is_empty()) {
            done += self.receive_some(rest)?;
        }
        Ok(())
    }

    /// At least one octet, or why not.
    fn receive_some(&mut self, octets: &mut [u8]) -> Result<usize, Outcome> {
        let silent = if self.received == 0 { Outcome::Silent } else { Outcome::Stalled(self.received) };
        let ends = self.deadline.min(Instant::now() + self.link.try_limit);
        while Instant::now() < ends {
            self.stream.set_read_timeout(Some(left_until(ends))).map_err(|error| Outcome::of(&error))?;
            match self.stream.read(octets) {
                Ok(0) => return Err(Outcome::Closed(self.received)),
                Ok(count) => {
                    self.received += count;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(match Outcome::of(&error) {
                        Outcome::Silent => silent,
                        Outcome::Closed(_) => Outcome::Closed(self.received),
                        other => other,
                    });
                }
            }
        }
        Err(silent)
    }
}
