//! Makes a given number of contexts, or messages, and nothing else that depends on the number: the difference
//! of two runs under callgrind or strace is what one costs. `cargo xtask figures` does this.
#![forbid(unsafe_code)]

use std::hint::black_box;

use benches::{Failure, Replays, World};
use orthros::Enctype;

const USAGE: &str = "contexts --fixed N [--replay-file] [--acquire] [--wrap OCTETS]

  --fixed N       make N mutual contexts (aes256-cts-hmac-sha1-96, tickets and keys in files)
  --replay-file   remember requests in a file, as MIT krb5's acceptors do, instead of in memory
  --acquire       acquire the acceptor's credential for every context, instead of once
  --wrap OCTETS   instead, wrap and unwrap N messages of so many octets on one context";

struct Options {
    fixed: usize,
    replays: Replays,
    acquire: bool,
    wrap: Option<usize>,
}

fn options() -> Result<Options, Failure> {
    let mut options = Options { fixed: 0, replays: Replays::Memory, acquire: false, wrap: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok()).ok_or(USAGE);
        match word.as_str() {
            "--fixed" => options.fixed = number()?,
            "--wrap" => options.wrap = Some(number()?),
            "--replay-file" => options.replays = Replays::File,
            "--acquire" => options.acquire = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(options)
}

fn main() -> Result<(), Failure> {
    let options = options()?;
    let world = World::new(Enctype::Aes256CtsHmacSha1, options.replays)?;
    let acceptor = world.orthros.acceptor()?;
    // What is done once only is done by the first context, whatever N.
    let (sender, receiver) = world.pair(&acceptor)?;
    if let Some(octets) = options.wrap {
        let message = vec![0x5a; octets];
        for _ in 0..options.fixed {
            let _ = black_box(receiver.unwrap(&sender.wrap(&message)?)?);
        }
        return Ok(());
    }
    for _ in 0..options.fixed {
        if options.acquire {
            black_box(world.pair(&world.orthros.acceptor()?)?);
        } else {
            black_box(world.pair(&acceptor)?);
        }
    }
    Ok(())
}
