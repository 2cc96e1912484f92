//! A connection that keeps what passes over it: proof of what was on the wire.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use orthros_wire::hex;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::orders::{Connection, Traffic};
use crate::failure::{Failure, While};

/// The longest that anybody waits for anybody.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The longest message, in octets.
const LONGEST: u32 = 1 << 16;

/// A connection and its record. Messages follow their length in four octets, as context tokens do.
pub(super) struct Recorded {
    stream: TcpStream,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Recorded {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, sent: Vec::new(), received: Vec::new() })
    }

    /// What the kernel says about the connection.
    pub(super) fn connection(&self) -> io::Result<Connection> {
        let inode = rustix::fs::fstat(&self.stream)?.st_ino;
        Ok(Connection { local: self.stream.local_addr()?, peer: self.stream.peer_addr()?, inode })
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic { sent: hex::encode(&self.sent), received: hex::encode(&self.received) }
    }

    pub(super) fn send_message(&mut self, token: &[u8]) -> Result<(), Failure> {
        let length = u32::try_from(token.len())?.to_be_bytes();
        self.write_all(&[&length, token].concat()).while_doing("cannot send a message")
    }

    pub(super) fn receive_message(&mut self) -> Result<Vec<u8>, Failure> {
        let mut length = [0; 4];
        self.read_exact(&mut length).while_doing("no message came")?;
        let length = u32::from_be_bytes(length);
        if length > LONGEST {
            return Err(Failure::new(format!("a message of {length} octets is announced")));
        }
        let mut token = vec![0; usize::try_from(length)?];
        self.read_exact(&mut token).while_doing("the message was cut")?;
        Ok(token)
    }
}

impl Read for Recorded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Write for Recorded {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let count = self.stream.write(octets)?;
        self.sent.extend_from_slice(octets.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl AsFd for Recorded {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Waits until a listener has somebody to accept, but not for ever.
pub(super) fn wait_for_somebody(listener: impl AsFd) -> io::Result<()> {
    let limit = Timespec { tv_sec: i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX), tv_nsec: 0 };
    let mut waiting = [PollFd::new(&listener, PollFlags::IN)];
    match rustix::io::retry_on_intr(|| rustix::event::poll(&mut waiting, Some(&limit)))? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}
