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
    let fault = |error: io::Error| Outcome::of(&error);
    let message = framed(request)?;
    let limit = link.try_limit.min(left_until(deadline));
    let mut stream = TcpStream::connect_timeout(&address, limit).map_err(fault)?;
    let limit = link.try_limit.min(left_until(deadline));
    stream.set_write_timeout(Some(limit)).map_err(fault)?;
    stream.write_all(&message).map_err(fault)?;
    let mut inflow = Inflow::default();
    let mut chunk = vec![0; CHUNK];
    let mut ends = deadline.min(Instant::now() + link.try_limit);
    while Instant::now() < ends {
        stream.set_read_timeout(Some(left_until(ends))).map_err(fault)?;
        let (part, _) = chunk.split_at_mut(inflow.wanted());
        match stream.read(part) {
            Ok(count) => {
                if let Some(answer) = inflow.take(part.get(..count).unwrap_or(&[]))? {
                    return Ok(answer);
                }
                ends = deadline.min(Instant::now() + link.try_limit);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(inflow.ended_by(&error)),
        }
    }
    Err(inflow.silence())
}

/// The request behind its length: one segment, not two, for the length alone would wait for an acknowledgement.
pub(crate) fn framed(request: &[u8]) -> Result<Vec<u8>, Outcome> {
    let length = u32::try_from(request.len()).ok().filter(|length| length >> 31 == 0);
    let length = length.ok_or(Outcome::TooLong(request.len()))?;
    Ok([&length.to_be_bytes(), request].concat())
}

/// What has come of an answer so far.
#[derive(Default)]
pub(crate) struct Inflow {
    length: [u8; 4],
    answer: Vec<u8>,
    received: usize,
}

impl Inflow {
    /// How many octets to read at most: 1 to [`CHUNK`].
    pub(crate) fn wanted(&self) -> usize {
        match self.length.len().checked_sub(self.received) {
            Some(missing) if missing > 0 => missing,
            _ => self.announced().map_or(1, |length| CHUNK.min(length - self.answer.len())),
        }
    }

    /// Takes what came, no octet if the KDC closed; gives the answer if that is all of it.
    pub(crate) fn take(&mut self, octets: &[u8]) -> Result<Option<Vec<u8>>, Outcome> {
        if octets.is_empty() {
            return Err(Outcome::Closed(self.received));
        }
        match self.length.get_mut(self.received..).filter(|missing| !missing.is_empty()) {
            Some(missing) => missing.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet),
            None => self.answer.extend_from_slice(octets),
        }
        self.received += octets.len();
        if self.received < self.length.len() {
            return Ok(None);
        }
        let whole = self.answer.len() == self.announced()?;
        Ok(whole.then(|| std::mem::take(&mut self.answer)))
    }

    /// Nothing came for too long.
    pub(crate) fn silence(&self) -> Outcome {
        if self.received == 0 { Outcome::Silent } else { Outcome::Stalled(self.received) }
    }

    /// Reading failed.
    pub(crate) fn ended_by(&self, error: &io::Error) -> Outcome {
        match Outcome::of(error) {
            Outcome::Silent => self.silence(),
            Outcome::Closed(_) => Outcome::Closed(self.received),
            other => other,
        }
    }

    fn announced(&self) -> Result<usize, Outcome> {
        let announced = u32::from_be_bytes(self.length);
        let length = usize::try_from(announced).ok().filter(|length| (1..=MAX_ANSWER_LEN).contains(length));
        length.ok_or(Outcome::Length(announced))
    }
}
