//! A realm of one's own until the standard input ends:
//! `cargo run -p orthros-kdc --example serve -- DEMO.TEST alice=pw host/demo.test`.
//!
//! It prints the `krb5.conf` that makes other Kerberos programs use it.

use std::io::Read;

use orthros_kdc::{Listener, Realm, SystemRandom};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "DEMO.TEST".into());
    let mut builder = Realm::builder(&name);
    for argument in arguments {
        builder = match argument.split_once('=') {
            Some((principal, password)) => builder.principal(principal, password),
            None => builder.service(argument),
        };
    }
    let kdc = Listener::start(builder.build(&SystemRandom)?)?;
    println!(
        "[libdefaults]\n default_realm = {name}\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false"
    );
    println!("[realms]\n {name} = {{\n  kdc = {}\n }}", kdc.address());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
