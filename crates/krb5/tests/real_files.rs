//! Files that MIT krb5 wrote: read, looked through, written again. See `testdata/README.md`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use orthros_crypto::Enctype;
use orthros_krb5::ccache::TimeOffset;
use orthros_krb5::wire::{Decode, Ticket, TicketFlags};
use orthros_krb5::{CredentialCache, Keytab, Principal};
use orthros_wire::{Timestamp, hex};

const KEYTAB: &[u8] = include_bytes!("../testdata/mit.keytab");
const KEYTAB_WITH_HOLES: &[u8] = include_bytes!("../testdata/mit-holes.keytab");
const CACHE: &[u8] = include_bytes!("../testdata/mit-v4.ccache");
const CACHE_3: &[u8] = include_bytes!("../testdata/mit-v3.ccache");

fn principal(text: &str) -> Principal {
    text.parse().unwrap()
}

#[test]
fn a_keytab_of_mit_is_read_and_written_octet_for_octet() {
    let keytab = Keytab::parse(KEYTAB).unwrap();
    assert_eq!(keytab.entries().count(), 12);
    assert_eq!(keytab.opaque_entries().count(), 0);
    assert_eq!(keytab.to_octets().expose_octets(), KEYTAB);
    let host = principal("host/localhost@EXAMPLE.TEST");
    assert_eq!(keytab.highest_kvno(&host), Some(3));
    // As `klist -K` shows them.
    for (enctype, kvno, key) in [
        (Enctype::Aes128CtsHmacSha1, None, "8e29561f6a3156d0bd027ddba3a98867"),
        (Enctype::Aes128CtsHmacSha1, Some(2), "f6b53c53b4182d9944ef679fcfe7f8bc"),
        (
            Enctype::Aes256CtsHmacSha384,
            Some(3),
            "61285698e19f37cad4e7d0e41c52bb469ebb36a87fb8f627627d32cb935047c3",
        ),
    ] {
        let entry = keytab.find(&host, enctype, kvno).unwrap();
        assert_eq!(hex::encode(entry.key().expose_octets()), key);
        assert_eq!(entry.timestamp().to_string().get(..13), Some("2026-11-21T02"));
    }
}

#[test]
fn appending_each_record_gives_the_file_that_mit_wrote() {
    let keytab = Keytab::parse(KEYTAB).unwrap();
    let mut file = Keytab::HEADER.to_vec();
    keytab.entries().for_each(|entry| file.extend_from_slice(&entry.append_record()));
    assert_eq!(file, KEYTAB);
}

#[test]
fn a_keytab_with_holes_loses_them_and_nothing_else() {
    let keytab = Keytab::parse(KEYTAB_WITH_HOLES).unwrap();
    assert_eq!(keytab.entries().count(), 8);
    let mut whole = Keytab::parse(KEYTAB).unwrap();
    let host = principal("host/localhost@EXAMPLE.TEST");
    assert_eq!(whole.remove(|entry| entry.kvno() == 2 && *entry.principal() == host), 4);
    assert!(whole.to_octets().ct_eq(&keytab.to_octets()));
}

#[test]
fn a_cache_of_mit_is_read_and_written_octet_for_octet() {
    let cache = CredentialCache::parse(CACHE).unwrap();
    assert_eq!(cache.primary(), &principal("user@EXAMPLE.TEST"));
    assert_eq!(cache.time_offset(), Some(TimeOffset::default()));
    assert_eq!((cache.credentials().count(), cache.opaque_credentials().count()), (3, 0));
    let granting = Principal::ticket_granting("EXAMPLE.TEST", "EXAMPLE.TEST");
    assert_eq!(cache.configuration_value("fast_avail", Some(&granting)), Some(&b"yes"[..]));
    assert_eq!(cache.to_octets().expose_octets(), CACHE);

    let now = cache.credentials().next().unwrap().times.starttime.into();
    let http = cache.find(&principal("HTTP/www.example.test@EXAMPLE.TEST"), None, now).unwrap();
    assert!(http.flags.contains(TicketFlags::FORWARDABLE | TicketFlags::OK_AS_DELEGATE));
    let ticket = Ticket::from_der(&http.ticket).unwrap();
    assert_eq!(ticket.sname, http.server.to_wire());
    let end = Timestamp::from_seconds(http.times.endtime.0);
    assert!(cache.find(&granting, None, end.plus_seconds(-1)).is_some());
    assert!(cache.find(&granting, None, end).is_none());
}

#[test]
fn a_cache_of_version_3_is_read_and_becomes_version_4() {
    let cache = CredentialCache::parse(CACHE_3).unwrap();
    assert_eq!((cache.credentials().count(), cache.configuration().count()), (2, 1));
    assert_eq!(cache.time_offset(), None);
    assert!(cache.credentials().all(|credential| Ticket::from_der(&credential.ticket).is_ok()));
    let rewritten = cache.to_octets();
    assert_eq!(rewritten.expose_octets()[..4], [5, 4, 0, 0]);
    // A header more; an enctype less in each of the three entries.
    assert_eq!(rewritten.len(), CACHE_3.len() + 2 - 3 * 2);
    assert!(CredentialCache::parse(rewritten.expose_octets()).unwrap().to_octets().ct_eq(&rewritten));
}
