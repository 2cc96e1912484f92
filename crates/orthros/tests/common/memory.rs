//! Looks for octets in the memory of another process (proc(5): `/proc/PID/mem`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers")]

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

/// Octets that must not be there, under a name to report them by.
pub struct Wanted {
    pub name: String,
    pub octets: Vec<u8>,
}

impl Wanted {
    /// Each whole block of 16 octets of a key on its own: a prepared AES key holds the halves of a long one
    /// apart.
    pub fn blocks(name: &str, key: &[u8]) -> Vec<Self> {
        let block = |(number, octets): (usize, &[u8])| Self {
            name: format!("{name}, block {number}"),
            octets: octets.to_vec(),
        };
        key.chunks_exact(16).enumerate().map(block).collect()
    }
}

/// Where something was found.
#[derive(PartialEq, Eq)]
pub struct Found {
    pub name: String,
    place: String,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n  {} at {}", self.name, self.place)
    }
}

/// Every place in the writable memory of process `pid` that holds one of `wanted`.
pub fn search(pid: u32, wanted: &[Wanted]) -> Vec<Found> {
    let mut first = [false; 256];
    for one in wanted {
        first[usize::from(one.octets[0])] = true;
    }
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut found = Vec::new();
    let mut searched = 0;
    for line in fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut octets = vec![0; usize::try_from(end - start).unwrap()];
        memory.read_exact_at(&mut octets, start).unwrap();
        searched += octets.len();
        for (at, octet) in octets.iter().enumerate() {
            if first[usize::from(*octet)] {
                for one in wanted.iter().filter(|one| octets[at..].starts_with(&one.octets)) {
                    let address = start + u64::try_from(at).unwrap();
                    let mapping = rest.split_whitespace().nth(4).unwrap_or("anonymous");
                    let below_end = end - address;
                    found.push(Found {
                        name: one.name.clone(),
                        place: format!("{address:#x} ({mapping}, {below_end:#x} below its end)"),
                    });
                }
            }
        }
    }
    assert!(searched > 100_000, "hardly any memory was searched");
    found
}
