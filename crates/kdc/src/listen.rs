//! A listener on 127.0.0.1, UDP and TCP on the same port, which the system picks (RFC 4120 §7.2).
//!
//! Over TCP each message follows its length in four octets. What a client can hold up is bounded: the size of
//! a request, the number of connections, and how long each may last.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use orthros_wire::{Clock, Random, Timestamp};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::Realm;
use crate::answer::LARGEST_REQUEST;

/// How long a connection may be silent.
const SILENCE: Duration = Duration::from_secs(5);
/// How many requests one connection may carry.
const MOST_REQUESTS: usize = 64;
/// How many connections may be open at once; one more is closed at once.
const MOST_CONNECTIONS: usize = 64;
/// How often another port is tried when the one that TCP got is taken for UDP.
const MOST_PORTS: usize = 32;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Timestamp { seconds, microseconds: since.subsec_micros() }
    }
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, octets: &mut [u8]) {
        let mut left = octets;
        while !left.is_empty() {
            let drawn = match getrandom(&mut *left, GetRandomFlags::empty()) {
                Err(Errno::INTR) => continue,
                drawn => drawn.expect("without the system's randomness no key is safe to make"),
            };
            left = left.get_mut(drawn..).unwrap_or_default();
        }
    }
}

/// A running KDC. It stops when dropped.
pub struct Listener {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    realm: Arc<Realm>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    stopping: AtomicBool,
    connections: Mutex<HashMap<u64, TcpStream>>,
}

impl Listener {
    /// Serves `realm` on 127.0.0.1, on a port that the system picks.
    ///
    /// # Errors
    /// Those of the system, if no socket can be had.
    pub fn start(realm: impl Into<Arc<Realm>>) -> io::Result<Self> {
        Self::start_with(realm, Arc::new(SystemClock), Arc::new(SystemRandom))
    }

    /// As [`start`](Self::start), with another clock and another source of randomness.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with(
        realm: impl Into<Arc<Realm>>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> io::Result<Self> {
        let (tcp, udp) = bind()?;
        let address = tcp.local_addr()?;
        let shared = Arc::new(Shared {
            realm: realm.into(),
            clock,
            random,
            stopping: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let (for_udp, for_tcp) = (Arc::clone(&shared), Arc::clone(&shared));
        let mut listener = Self { shared, address, threads: Vec::new() };
        let named = |name: &str| thread::Builder::new().name(name.into());
        listener.threads.push(named("kdc-udp").spawn(move || for_udp.datagrams(&udp))?);
        listener.threads.push(named("kdc-tcp").spawn(move || for_tcp.accept(&tcp))?);
        Ok(listener)
    }

    /// Where it listens, for UDP and for TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The realm that it serves; principals can be added to it.
    pub fn realm(&self) -> &Realm {
        &self.shared.realm
    }
}

/// A port that is free for both.
fn bind() -> io::Result<(TcpListener, UdpSocket)> {
    let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..MOST_PORTS {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        match UdpSocket::bind(tcp.local_addr()?) {
            Ok(udp) => return Ok((tcp, udp)),
            Err(error) => taken = error,
        }
    }
    Err(taken)
}

impl Shared {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, TcpStream>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn datagrams(&self, socket: &UdpSocket) {
        let mut buffer = vec![0; LARGEST_REQUEST];
        while !self.stopping() {
            // An error here is one datagram's: the system reports that a former answer did not arrive.
            let Ok((length, sender)) = socket.recv_from(&mut buffer) else { continue };
            let request = buffer.get(..length).unwrap_or_default();
            if let Some(answer) = self.realm.answer_datagram(request, self.clock.now(), &*self.random) {
                // A client that went away asks again, or not.
                let _gone = socket.send_to(&answer, sender);
            }
        }
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for (id, stream) in (0..).zip(listener.incoming()) {
            if self.stopping() {
                return;
            }
            let Ok(stream) = stream else {
                // No descriptor is left, for instance: give others time to close theirs.
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            let Ok(handle) = stream.try_clone() else { continue };
            {
                let mut connections = self.connections();
                if connections.len() >= MOST_CONNECTIONS {
                    continue;
                }
                connections.insert(id, handle);
            }
            let shared = Arc::clone(&self);
            let serve = move || {
                // An error ends this connection and nothing else.
                let _ended = shared.connection(stream);
                shared.connections().remove(&id);
            };
            if thread::Builder::new().name("kdc-connection".into()).spawn(serve).is_err() {
                self.connections().remove(&id);
            }
        }
    }

    fn connection(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        stream.set_nodelay(true)?;
        for _ in 0..MOST_REQUESTS {
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
            if length > LARGEST_REQUEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut request = vec![0; length];
            stream.read_exact(&mut request)?;
            let Some(answer) = self.realm.answer(&request, self.clock.now(), &*self.random) else {
                return Ok(());
            };
            let length = u32::try_from(answer.len()).map_err(|_| io::ErrorKind::InvalidData)?;
            stream.write_all(&[&length.to_be_bytes(), answer.as_slice()].concat())?;
        }
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for stream in self.shared.connections().values() {
            let _closed = stream.shutdown(Shutdown::Both);
        }
        // Both threads wait for a client; this is the last one.
        let woken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.send_to(&[], self.address))
            .and(TcpStream::connect_timeout(&self.address, SILENCE));
        if woken.is_ok() {
            for thread in self.threads.drain(..) {
                let _ended = thread.join();
            }
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("realm", &self.shared.realm.name())
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
