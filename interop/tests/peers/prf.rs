//! Key material drawn from a context (RFC 4401, RFC 4402): ours, MIT's library and Heimdal's draw the same.

use interop::peers::Peer;
use interop::process::PATIENCE;
use interop::sample;
use interop::{Enctype, Failure, Realm, Scenario, Side};

const NEEDS: &[Peer] = &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::CC, Peer::C_HEADERS];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for theirs in [Side::Mit, Side::Heimdal] {
        for (initiator, acceptor) in [(theirs, Side::Own), (Side::Own, theirs)] {
            for enctype in Enctype::AES {
                list.push(Scenario::new(
                    format!("prf::initiator_{initiator}_acceptor_{acceptor}_{enctype}"),
                    &[NEEDS, &[sample::library(theirs)]].concat(),
                    move || material(initiator, acceptor, enctype),
                ));
            }
        }
    }
    list
}

fn material(initiator: Side, acceptor: Side, enctype: Enctype) -> Result<(), Failure> {
    let realm = Realm::build("PRF.TEST")
        .enctypes(&[enctype])
        .principal("alice", "wonderland")
        .service("host/localhost")
        .start(Side::Mit)?;
    realm.kinit(Side::Own, "alice", &[])?;
    // One-way contexts have no acceptor's subkey: both keys are the initiator's then (RFC 4402 §2). Heimdal 7.8
    // has no full key there, and says so.
    let heimdal = [initiator, acceptor].contains(&Side::Heimdal);
    let modes = [&[][..], &["-nomutual"]];
    for mode in modes.into_iter().take(if heimdal { 1 } else { 2 }) {
        let label = ["-prf", "a label"];
        let (mut server, port) = sample::serve(acceptor, &realm, &label)?;
        let options = match initiator {
            Side::Own => [&label[..], if mode.is_empty() { &[] } else { &["-no-mutual"] }].concat(),
            Side::Mit | Side::Heimdal => [&label[..], mode].concat(),
        };
        let said = sample::run(initiator, &realm, port, &options, "drawn")?.success()?.stdout;
        let drawn: Vec<&str> = said.lines().filter(|line| line.starts_with("PRF ")).collect();
        let [full, partial] = drawn.as_slice() else { return Err(said.into()) };
        assert_eq!((full.len(), partial.len()), ("PRF full: ".len() + 128, "PRF partial: ".len() + 128));
        assert_eq!(full.ends_with(partial.trim_start_matches("PRF partial: ")), !mode.is_empty());
        server.wait_for(full, PATIENCE)?;
        server.wait_for(partial, PATIENCE)?;
    }
    Ok(())
}
