//! A relay between two ends on 127.0.0.1 that remembers what the initiator sent: for sending it again.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;
use crate::process::PATIENCE;

/// Passes one connection on, both ways.
#[derive(Debug)]
pub struct Relay {
    /// The port to connect to in place of the real one.
    pub port: u16,
    sent: Receiver<Vec<u8>>,
}

impl Relay {
    /// A relay to `port` of 127.0.0.1.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start(port: u16) -> Result<Self, Failure> {
        Self::start_late(port, Duration::ZERO)
    }

    /// A relay to `port` of 127.0.0.1 that sits on what the initiator sends for `delay`, once.
    ///
    /// # Errors
    /// No port can be had.
    pub fn start_late(port: u16, delay: Duration) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let own = listener.local_addr()?.port();
        let (sender, sent) = channel();
        thread::spawn(move || {
            if let Ok(octets) = relay(&listener, port, delay) {
                let _ = sender.send(octets);
            }
        });
        Ok(Self { port: own, sent })
    }

    /// What the initiator had sent when it closed the connection.
    ///
    /// # Errors
    /// It did not close in time, or the relay failed.
    pub fn sent(self) -> Result<Vec<u8>, Failure> {
        self.sent.recv_timeout(PATIENCE).map_err(|why| Failure::new(format!("the relay: {why}")))
    }
}

fn relay(listener: &TcpListener, port: u16, delay: Duration) -> io::Result<Vec<u8>> {
    let (mut initiator, _) = listener.accept()?;
    let mut acceptor = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let (mut back_from, mut back_to) = (acceptor.try_clone()?, initiator.try_clone()?);
    let back = thread::spawn(move || io::copy(&mut back_from, &mut back_to));
    let mut sent = Vec::new();
    let mut buffer = [0; 4096];
    // Once is enough: the initiator waits for an answer to its first token.
    thread::sleep(delay);
    loop {
        let count = initiator.read(&mut buffer)?;
        let Some(octets) = buffer.get(..count).filter(|octets| !octets.is_empty()) else { break };
        sent.extend_from_slice(octets);
        acceptor.write_all(octets)?;
    }
    acceptor.shutdown(Shutdown::Write)?;
    let _ = back.join();
    Ok(sent)
}

/// Sends octets to `port` of 127.0.0.1, and returns what came back until the other end closed or was silent.
///
/// # Errors
/// The connection can't be made.
pub fn send_again(port: u16, octets: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(octets)?;
    // An end that refused may have closed by now; its answer waits to be read all the same.
    match stream.shutdown(Shutdown::Write) {
        Err(error) if error.kind() != io::ErrorKind::NotConnected => return Err(error.into()),
        _ => {}
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
    Ok(answer)
}
