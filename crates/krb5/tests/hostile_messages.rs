//! DER that was made to exhaust, overrun or confuse a reader: each of our message types refuses it at once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use orthros_krb5::fuzzing;
use orthros_krb5::wire::{ApReq, AsRep, Decode, KrbCred, KrbError, TgsReq};
use orthros_wire::der::KerberosTime;

/// Whether a few types with different roots take it.
fn is_taken(octets: &[u8]) -> bool {
    fuzzing::messages(octets);
    ApReq::from_der(octets).is_ok()
        || AsRep::from_der(octets).is_ok()
        || KrbCred::from_der(octets).is_ok()
        || KrbError::from_der(octets).is_ok()
        || TgsReq::from_der(octets).is_ok()
}

#[test]
fn cve_2020_28196_lengths_that_are_nested_without_end_are_refused_at_once() {
    let before = Instant::now();
    // Indefinite lengths, and definite ones, one within the other; behind a tag that a message begins with.
    for unit in [&[0x30, 0x80][..], &[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff], &[0xa0, 0x80], &[0x24, 0x80]] {
        for tag in [0x6a, 0x6b, 0x6e, 0x76, 0x7e] {
            let nested = unit.repeat(100_000);
            assert!(!is_taken(&nested));
            let length = u32::try_from(nested.len()).unwrap().to_be_bytes();
            assert!(!is_taken(&[&[tag, 0x84][..], &length, &nested].concat()));
            assert!(!is_taken(&[&[tag, 0x80][..], &nested].concat()));
        }
    }
    assert!(before.elapsed() < Duration::from_secs(5));
}

#[test]
fn cve_2009_0847_a_part_longer_than_its_whole_is_refused() {
    // A KRB-ERROR whose inner lengths pass the outer one by so much.
    for over in [1_u8, 2, 100] {
        let time = [&[0x18, 15][..], b"20260101000000Z"].concat();
        let field = [&[0xa4, 17 + over][..], &time].concat();
        let sequence = [&[0x30, u8::try_from(field.len()).unwrap()][..], &field].concat();
        assert!(!is_taken(&[&[0x7e, u8::try_from(sequence.len()).unwrap()][..], &sequence].concat()));
    }
}

#[test]
fn cve_2009_0846_a_time_that_is_none_is_refused() {
    let times: [&[u8]; 8] = [
        b"",
        b"Z",
        b"20260101000000",
        b"20260101000000+0100",
        b"20260101000000.5Z",
        b"20261301000000Z",
        b"2026010100000\0Z",
        b"-0260101000000Z",
    ];
    for text in times {
        let der = [&[0x18, u8::try_from(text.len()).unwrap()][..], text].concat();
        assert!(KerberosTime::from_der(&der).is_err(), "{}", text.escape_ascii());
    }
}
