//! A name server on 127.0.0.1, on a port that the system picks: it answers from a table, or as a closure tells it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test helpers"
)]
#![allow(dead_code, unreachable_pub, reason = "not every test that includes this file uses all of it")]

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

pub const A: u16 = 1;
pub const CNAME: u16 = 5;
pub const PTR: u16 = 12;
pub const TXT: u16 = 16;
pub const SRV: u16 = 33;
pub const URI: u16 = 256;

/// A query as it came.
pub struct Query {
    pub octets: Vec<u8>,
    pub name: String,
    pub kind: u16,
    pub tcp: bool,
}

impl Query {
    fn read(octets: &[u8], tcp: bool) -> Option<Self> {
        let mut name = Vec::new();
        let mut at = 12;
        while *octets.get(at)? != 0 {
            let length = usize::from(octets[at]);
            name.push(String::from_utf8(octets.get(at + 1..=at + length)?.to_vec()).ok()?);
            at += 1 + length;
        }
        let kind = u16::from_be_bytes(octets.get(at + 1..at + 3)?.try_into().ok()?);
        Some(Self { octets: octets.get(..at + 5)?.to_vec(), name: name.join("."), kind, tcp })
    }

    /// An answer with this code and these records (owner, kind, seconds, data).
    pub fn answer(&self, code: u8, records: &[(String, u16, u32, Vec<u8>)]) -> Vec<u8> {
        let mut octets = self.octets.clone();
        octets[2..4].copy_from_slice(&[0x81, 0x80 | code]);
        octets[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
        for (owner, kind, seconds, data) in records {
            octets.extend(wire_name(owner));
            octets.extend(kind.to_be_bytes());
            octets.extend([0, 1]);
            octets.extend(seconds.to_be_bytes());
            octets.extend((data.len() as u16).to_be_bytes());
            octets.extend(data);
        }
        octets
    }
}

/// A name as it travels.
pub fn wire_name(name: &str) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect()
}

pub fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Vec<u8> {
    let numbers = [priority, weight, port].map(u16::to_be_bytes);
    [numbers.concat(), wire_name(target)].concat()
}

pub fn uri(priority: u16, weight: u16, target: &str) -> Vec<u8> {
    [[priority, weight].map(u16::to_be_bytes).concat(), target.as_bytes().to_vec()].concat()
}

pub fn txt(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// What a server knows: names and their records.
#[derive(Clone, Default)]
pub struct Zone(Vec<(String, u16, u32, Vec<u8>)>);

impl Zone {
    pub fn with(mut self, name: &str, kind: u16, data: Vec<u8>) -> Self {
        self.0.push((name.to_owned(), kind, 300, data));
        self
    }

    pub fn address(self, name: &str, address: &str) -> Self {
        match address.parse().unwrap() {
            IpAddr::V4(address) => self.with(name, A, address.octets().to_vec()),
            IpAddr::V6(address) => self.with(name, 28, address.octets().to_vec()),
        }
    }

    pub fn alias(self, name: &str, target: &str) -> Self {
        self.with(name, CNAME, wire_name(target))
    }

    pub fn pointer(self, name: &str, target: &str) -> Self {
        self.with(name, PTR, wire_name(target))
    }

    /// As a recursive server: with all aliases on the way.
    pub fn answer(&self, query: &Query) -> Vec<u8> {
        let mut name = query.name.clone();
        let mut records = Vec::new();
        for _ in 0..20 {
            let is = |record: &&(String, u16, u32, Vec<u8>)| record.0.eq_ignore_ascii_case(&name);
            records.extend(self.0.iter().filter(is).filter(|record| record.1 == query.kind).cloned());
            let Some(alias) = self.0.iter().filter(is).find(|record| record.1 == CNAME).cloned() else {
                break;
            };
            name = Query::read(&[&[0; 12], &alias.3[..], &[0; 4]].concat(), false).unwrap().name;
            records.push(alias);
        }
        let known = !records.is_empty() || self.0.iter().any(|record| record.0.eq_ignore_ascii_case(&name));
        query.answer(if known { 0 } else { 3 }, &records)
    }
}

pub struct NameServer {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
}

impl NameServer {
    pub fn start(zone: Zone) -> Self {
        Self::with(move |query| vec![zone.answer(query)])
    }

    /// Each query is answered by what `answers` makes of it: none, one, or several messages.
    pub fn with(answers: impl Fn(&Query) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        // One port for both transports; should another process hold the second half, try again.
        let (listener, socket) = (0..20)
            .find_map(|_| {
                let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
                Some((TcpListener::bind(socket.local_addr().ok()?).ok()?, socket))
            })
            .unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answers, noted) = (Arc::new(answers), Arc::clone(&asked));
        let by_tcp = Arc::clone(&answers);
        thread::spawn(move || {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let Some(query) = Query::read(&buffer[..length], false) else { continue };
                noted.lock().unwrap().push((query.name.clone(), query.kind));
                for answer in answers(&query) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut octets = vec![0; usize::from(u16::from_be_bytes(length))];
                if stream.read_exact(&mut octets).is_err() {
                    continue;
                }
                let Some(query) = Query::read(&octets, true) else { continue };
                for answer in by_tcp(&query) {
                    let _ = stream.write_all(&[&(answer.len() as u16).to_be_bytes(), &answer[..]].concat());
                }
            }
        });
        Self { address, asked }
    }

    /// What was asked by UDP, in order.
    pub fn asked(&self) -> Vec<(String, u16)> {
        self.asked.lock().unwrap().clone()
    }
}
