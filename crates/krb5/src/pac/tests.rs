use orthros_crypto::{Enctype, Key, KeyUsage};
use orthros_wire::Timestamp;

use super::*;

const AUTHTIME: Timestamp = Timestamp { seconds: 1_700_000_000, microseconds: 0 };

fn key(octet: u8) -> Key {
    Key::new(Enctype::Aes256CtsHmacSha1, &[octet; 32]).unwrap()
}

fn alice() -> Principal {
    "alice@TEST".parse().unwrap()
}

fn client_info(name: &str, authtime: Timestamp) -> Vec<u8> {
    let mut buffer = ((authtime.seconds + WINDOWS_EPOCH) * TICKS).to_le_bytes().to_vec();
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    buffer.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
    buffer.extend(name);
    buffer
}

fn blank(key: &Key) -> Vec<u8> {
    let mut buffer = key.enctype().checksum_type().0.to_le_bytes().to_vec();
    buffer.resize(4 + key.enctype().checksum_len(), 0);
    buffer
}

/// A PAC of these buffers.
fn build(buffers: &[(BufferKind, Vec<u8>)]) -> Vec<u8> {
    let mut octets = u32::try_from(buffers.len()).unwrap().to_le_bytes().to_vec();
    octets.extend([0; 4]);
    let mut offset = 8 + 16 * buffers.len();
    let mut body = Vec::new();
    for (kind, buffer) in buffers {
        octets.extend(kind.0.to_le_bytes());
        octets.extend(u32::try_from(buffer.len()).unwrap().to_le_bytes());
        octets.extend(u64::try_from(offset).unwrap().to_le_bytes());
        body.extend(buffer);
        body.resize(body.len().next_multiple_of(8), 0);
        offset = 8 + 16 * buffers.len() + body.len();
    }
    octets.extend(body);
    octets
}

/// A PAC that this service's key has signed.
fn signed(server: &Key, name: &str, authtime: Timestamp) -> Vec<u8> {
    let mut octets = build(&[
        (BufferKind::LOGON_INFO, b"who".to_vec()),
        (BufferKind::CLIENT_INFO, client_info(name, authtime)),
        (BufferKind::SERVER_CHECKSUM, blank(server)),
        (BufferKind::PRIVSVR_CHECKSUM, blank(&key(9))),
    ]);
    let made = server.checksum(KeyUsage::APPLICATION_CHECKSUM, &[&octets]);
    let place = Pac::parse(&octets).unwrap().signature(BufferKind::SERVER_CHECKSUM).unwrap().start;
    octets[place..place + made.len()].copy_from_slice(&made);
    // What the KDC signs with its own key does not enter the service's signature.
    let place = Pac::parse(&octets).unwrap().signature(BufferKind::PRIVSVR_CHECKSUM).unwrap().start;
    octets[place] = 0xaa;
    octets
}

#[test]
fn a_pac_counts_for_its_own_service_client_and_authentication_only() {
    let octets = signed(&key(1), "alice", AUTHTIME);
    let pac = Pac::parse(&octets).unwrap();
    assert_eq!(pac.verify(&key(1), &alice(), AUTHTIME), Ok(()));
    assert_eq!(pac.buffer(BufferKind::LOGON_INFO), Ok(&b"who"[..]));
    assert_eq!(pac.verify(&key(2), &alice(), AUTHTIME), Err(BadPac::Integrity));
    let bob = "bob@TEST".parse().unwrap();
    assert_eq!(pac.verify(&key(1), &bob, AUTHTIME), Err(BadPac::Client));
    let later = AUTHTIME.plus_seconds(1);
    assert_eq!(pac.verify(&key(1), &alice(), later), Err(BadPac::Client));
    let endless = Timestamp::from_seconds(i64::MAX);
    assert_eq!(pac.verify(&key(1), &alice(), endless), Err(BadPac::Client));
}

#[test]
fn the_name_in_a_pac_is_a_principals_without_its_realm() {
    let client =
        |components: &[&str]| Principal::new(NameType::PRINCIPAL, components.iter().copied(), "TEST");
    for (components, name, is_called) in [
        (&["alice"][..], "alice", true),
        (&["alice"], "alice@TEST", true),
        (&["alice"], "alice@OTHER", false),
        (&["alice"], "Alice", false),
        (&["alice"], "", false),
        (&["alice"], "alice/", false),
        (&["alice"], "/alice", false),
        (&["\u{e4}lice"], "\u{e4}lice", true),
        (&["host", "www.test"], "host/www.test", true),
        (&["host", "www.test"], "host\\/www.test", false),
        (&["host/www.test"], "host\\/www.test", true),
        (&["host/www.test"], "host/www.test", false),
        (&["a@b"], "a\\@b", true),
        (&["a@b"], "a@b", false),
        (&["a\\b"], "a\\\\b", true),
        (&["a\\b"], "a\\b", false),
        (&[""], "", false),
        (&["a", ""], "a/", true),
    ] {
        let octets = signed(&key(1), name, AUTHTIME);
        let verified = Pac::parse(&octets).unwrap().verify(&key(1), &client(components), AUTHTIME);
        assert_eq!(verified, if is_called { Ok(()) } else { Err(BadPac::Client) }, "{components:?} {name}");
    }
    // Half a letter.
    let mut octets = signed(&key(1), "alice", AUTHTIME);
    let (start, _) = Pac::parse(&octets).unwrap().around(BufferKind::CLIENT_INFO).unwrap();
    octets[start + 11] = 0xd8;
    let lacking = Err(BadPac::Lacking(BufferKind::CLIENT_INFO));
    assert_eq!(Pac::parse(&octets).unwrap().verify(&key(1), &alice(), AUTHTIME), lacking);
}

/// CVE-2010-1324 and its like: a checksum that others can make.
#[test]
fn a_signature_of_another_kind_than_the_keys_is_foreign() {
    let mut octets = signed(&key(1), "alice", AUTHTIME);
    let other = Key::new(Enctype::Aes128CtsHmacSha1, &[1; 16]).unwrap();
    assert_eq!(Pac::parse(&octets).unwrap().verify(&other, &alice(), AUTHTIME), Err(BadPac::Foreign));
    let place = Pac::parse(&octets).unwrap().signature(BufferKind::SERVER_CHECKSUM).unwrap().start - 4;
    // CRC-32, MD5, SHA-1: unkeyed, so not known here at all.
    for unkeyed in [1_i32, 7, 14, -131] {
        octets[place..place + 4].copy_from_slice(&unkeyed.to_le_bytes());
        let refused = Pac::parse(&octets).unwrap().verify(&key(1), &alice(), AUTHTIME);
        assert_eq!(refused, Err(BadPac::Lacking(BufferKind::SERVER_CHECKSUM)), "{unkeyed}");
    }
}

#[test]
fn every_octet_outside_the_signatures_is_signed() {
    let octets = signed(&key(1), "alice", AUTHTIME);
    let kdc = Pac::parse(&octets).unwrap().signature(BufferKind::PRIVSVR_CHECKSUM).unwrap();
    let unsigned = kdc.start..kdc.end;
    for place in (0..octets.len()).filter(|place| !unsigned.contains(place)) {
        let mut changed = octets.clone();
        changed[place] ^= 1;
        let verified = Pac::parse(&changed).and_then(|pac| pac.verify(&key(1), &alice(), AUTHTIME));
        assert!(verified.is_err(), "octet {place} can be changed");
    }
}

/// CVE-2022-42898: counts, offsets and lengths whose sums overflow 32 bits.
#[test]
fn sums_that_overflow_make_no_pac() {
    let row = |kind: u32, length: u32, offset: u64| {
        [&kind.to_le_bytes()[..], &length.to_le_bytes(), &offset.to_le_bytes()].concat()
    };
    let one = |row: Vec<u8>, size: usize| {
        let mut octets = [&1_u32.to_le_bytes()[..], &[0; 4], &row].concat();
        octets.resize(size, 0);
        octets
    };
    for (length, offset) in [
        (u32::MAX, 24),
        (32, u64::MAX - 7),
        (u32::MAX - 23, 24),
        (8, 0x1_0000_0018),
        (8, 0xffff_fff8),
        (8, 16),
        (8, 28),
        (9, 24),
    ] {
        let octets = one(row(1, length, offset), 32);
        assert_eq!(Pac::parse(&octets), Err(BadPac::Extent), "{length} octets at {offset}");
    }
    assert!(Pac::parse(&one(row(1, 8, 24), 32)).is_ok());
    for count in [0, 2, 0x1000_0000, 0x1000_0001, u32::MAX] {
        let mut octets = one(row(1, 8, 24), 32);
        octets[..4].copy_from_slice(&count.to_le_bytes());
        assert_eq!(Pac::parse(&octets), Err(BadPac::Table), "{count} buffers");
    }
}

/// MIT krb5 has ended the process over this one.
#[test]
fn an_empty_buffer_at_the_very_end_is_a_buffer() {
    let mut octets = build(&[(BufferKind::LOGON_INFO, b"whoever.".to_vec()), (BufferKind(99), Vec::new())]);
    let pac = Pac::parse(&octets).unwrap();
    assert_eq!(pac.buffer(BufferKind(99)), Ok(&[][..]));
    octets.pop();
    assert_eq!(Pac::parse(&octets), Err(BadPac::Extent));
}

#[test]
fn a_buffer_that_is_there_twice_is_not_there() {
    let pac = build(&[(BufferKind(5), b"one".to_vec()), (BufferKind(5), b"two".to_vec())]);
    let refused = Pac::parse(&pac).unwrap().buffer(BufferKind(5));
    assert_eq!(refused, Err(BadPac::Lacking(BufferKind(5))));
}
