//! Whole conversations, octet for octet, with a fixed clock and seeded randomness: login, tickets, delegation,
//! handshake, messages. A change of any octet that we send is seen here first, and must be meant.
//!
//! The transcripts are `testdata/transcripts/ENCTYPE.txt`. After a change that is meant, make them anew:
//!
//! ```text
//! ORTHROS_WRITE_TRANSCRIPTS=1 cargo test -p orthros-gss --test api transcripts
//! ```
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write;
use std::path::Path;

use crate::common::Pair;
use orthros_crypto::Enctype;
use orthros_gss::ChannelBindings;
use orthros_wire::hex;

/// Holds the conversation and writes it down.
fn transcript(enctype: Enctype) -> String {
    let pair = Pair::with_enctype(enctype);
    let bindings = ChannelBindings::from_application_data(b"tls-exporter:0123456789");
    let (initiator, acceptor) = pair.establish(
        pair.initiate_full().delegate().bindings(bindings.clone()),
        pair.accept().bindings(bindings),
    );
    let mut text = format!("# {enctype}: login, handshake and messages; see tests/transcripts.rs\n");
    let mut line = |name: &str, octets: &[u8]| writeln!(text, "{name} {}", hex::encode(octets)).unwrap();
    let kdc_names = ["AS-REQ", "KRB-ERROR", "AS-REQ", "AS-REP", "TGS-REQ", "TGS-REP", "TGS-REQ", "TGS-REP"];
    let kdc_messages = pair.kdc_messages.lock().unwrap();
    assert_eq!(kdc_messages.len(), kdc_names.len());
    kdc_names.iter().zip(&*kdc_messages).for_each(|(name, message)| line(name, message));
    let sent = pair.sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    ["AP-REQ", "AP-REP"].iter().zip(&*sent).for_each(|(name, token)| line(name, token));
    for (name, end) in [("initiator", &initiator), ("acceptor", &acceptor)] {
        line(&format!("{name}-sealed"), &end.wrap(b"What is the answer?").unwrap());
        line(&format!("{name}-signed"), &end.wrap_integrity(b"What is the answer?").unwrap());
        line(&format!("{name}-mic"), &end.mic(b"What is the answer?").unwrap());
        line(&format!("{name}-empty"), &end.wrap(b"").unwrap());
    }
    text
}

#[test]
fn every_octet_that_is_sent_is_the_one_of_the_transcript() {
    for enctype in Enctype::STRONG {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("testdata/transcripts")
            .join(format!("{}.txt", enctype.name()));
        let now = transcript(*enctype);
        if std::env::var_os("ORTHROS_WRITE_TRANSCRIPTS").is_some() {
            std::fs::write(&file, &now).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap();
        for (kept, now) in kept.lines().zip(now.lines()) {
            let name = now.split(' ').next().unwrap();
            assert_eq!(kept, now, "{enctype}: the {name} has changed");
        }
        assert_eq!(kept.lines().count(), now.lines().count(), "{enctype}");
    }
}
