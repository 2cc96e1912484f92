use orthros_crypto::{Key, SessionKey};
use orthros_wire::der::KerberosTime;

use super::*;
use crate::TicketTimes;
use crate::credential::TypedOctets;
use crate::wire::TicketFlags;

fn alice() -> Principal {
    "alice@EXAMPLE.COM".parse().unwrap()
}

fn http() -> Principal {
    "HTTP/www.example.com@EXAMPLE.COM".parse().unwrap()
}

fn credential(enctype: Enctype, endtime: i64) -> Credential {
    Credential {
        client: alice(),
        server: http(),
        key: Arc::new(SessionKey::from(Key::new(enctype, &vec![3; enctype.key_len()]).unwrap())),
        times: TicketTimes {
            authtime: KerberosTime(1),
            starttime: KerberosTime(2),
            endtime: KerberosTime(endtime),
            renew_till: KerberosTime(4),
        },
        flags: TicketFlags::FORWARDABLE,
        in_session_key: false,
        addresses: vec![TypedOctets { number: 2, octets: Box::new([127, 0, 0, 1]) }],
        authorization_data: vec![TypedOctets { number: -5, octets: Box::new([9]) }],
        ticket: b"ticket".as_slice().into(),
        second_ticket: b"second".as_slice().into(),
    }
}

fn parse(cache: &CredentialCache) -> CredentialCache {
    CredentialCache::parse(cache.to_octets().expose_octets()).unwrap()
}

#[test]
fn every_field_comes_back() {
    let mut cache = CredentialCache::new(alice());
    cache.set_time_offset(Some(TimeOffset { seconds: -7, microseconds: 12 }));
    let written = credential(Enctype::Aes256CtsHmacSha384, 3);
    cache.add(written.clone());
    let again = parse(&cache);
    assert_eq!(again.time_offset(), cache.time_offset());
    let read = again.credentials().next().unwrap();
    assert_eq!(format!("{read:?}"), format!("{written:?}"));
    assert_eq!(read.key.expose_octets(), written.key.expose_octets());
}

#[test]
fn appending_a_record_is_the_same_as_writing_it_whole() {
    let mut cache = CredentialCache::new(alice());
    let mut file = cache.to_octets().expose_octets().to_vec();
    let first = credential(Enctype::Aes128CtsHmacSha1, 3);
    file.extend_from_slice(&CredentialCache::append_credential_octets(&first));
    cache.add(first);
    cache.set_configuration("pa_type", Some(&http()), Some(b"2"));
    let note = cache.configuration().next().unwrap().clone();
    file.extend_from_slice(&CredentialCache::append_configuration_octets(&alice(), &note));
    assert_eq!(cache.to_octets().expose_octets(), file);
}

#[test]
fn a_ticket_is_found_by_server_enctype_and_time() {
    let mut cache = CredentialCache::new(alice());
    cache.add(credential(Enctype::Aes128CtsHmacSha1, 100));
    cache.add(credential(Enctype::Aes256CtsHmacSha1, 50));
    cache.add(credential(Enctype::Aes128CtsHmacSha1, 200));
    cache.add(Credential { in_session_key: true, ..credential(Enctype::Aes128CtsHmacSha1, 900) });
    cache.add(Credential { client: http(), ..credential(Enctype::Aes128CtsHmacSha1, 900) });
    let found = |enctypes: Option<&[Enctype]>, now| {
        cache.find(&http(), enctypes, Timestamp::from_seconds(now)).map(|found| found.times.endtime.0)
    };
    assert_eq!(found(None, 0), Some(200));
    let both = [Enctype::Aes256CtsHmacSha1, Enctype::Aes128CtsHmacSha1];
    assert_eq!(found(Some(&both), 0), Some(50));
    assert_eq!(found(Some(&both), 50), Some(200));
    assert_eq!(found(Some(&both), 200), None);
    assert_eq!(found(Some(&[Enctype::Aes128CtsHmacSha256]), 0), None);
    assert!(cache.find(&alice(), None, Timestamp::default()).is_none());
}

#[test]
fn notes_are_replaced_and_taken_out_and_are_no_tickets() {
    let mut cache = CredentialCache::new(alice());
    let about: Principal = "krbtgt/A@B\\@C".parse().unwrap();
    cache.set_configuration("fast_avail", Some(&about), Some(b"no"));
    cache.set_configuration("fast_avail", Some(&about), Some(b"yes"));
    cache.set_configuration("fast_avail", None, Some(b"\xff\0"));
    let mut again = parse(&cache);
    assert_eq!(again.credentials().count(), 0);
    assert_eq!(again.configuration().count(), 2);
    assert_eq!(again.configuration_value("fast_avail", Some(&about)), Some(&b"yes"[..]));
    assert_eq!(again.configuration_value("fast_avail", None), Some(&b"\xff\0"[..]));
    again.set_configuration("fast_avail", None, None);
    assert_eq!(again.configuration_value("fast_avail", None), None);
}

/// Where the enctype of the first credential of a cache stands: behind the header and three principals.
fn enctype_offset(cache: &CredentialCache) -> usize {
    let octets = cache.to_octets();
    octets.expose_octets().windows(8).position(|window| window == [0, 17, 0, 0, 0, 16, 3, 3]).unwrap()
}

#[test]
fn a_ticket_whose_enctype_is_unknown_survives_a_rewrite() {
    let mut cache = CredentialCache::new(alice());
    cache.add(credential(Enctype::Aes128CtsHmacSha1, 100));
    let mut file = cache.to_octets().expose_octets().to_vec();
    file[enctype_offset(&cache) + 1] = 24;
    let foreign = CredentialCache::parse(&file).unwrap();
    assert_eq!(foreign.credentials().count(), 0);
    let opaque = foreign.opaque_credentials().next().unwrap();
    assert_eq!((opaque.server(), opaque.enctype_number()), (Some(&http()), 24));
    assert_eq!(opaque.times().endtime, KerberosTime(100));
    assert_eq!(foreign.to_octets().expose_octets(), file);
}

#[test]
fn entries_that_were_removed_in_place_do_not_come_back() {
    let mut cache = CredentialCache::new(alice());
    cache.add(credential(Enctype::Aes128CtsHmacSha1, 0));
    cache.add(credential(Enctype::Aes128CtsHmacSha1, 100));
    assert_eq!(parse(&cache).credentials().count(), 1);
}

#[test]
fn unknown_header_fields_are_passed_over_and_lying_ones_refused() {
    let file = CredentialCache::new(alice()).to_octets().expose_octets().to_vec();
    let with_header = |header: &[u8]| {
        let length = u16::try_from(header.len()).unwrap().to_be_bytes();
        CredentialCache::parse(&[&[5, 4], &length[..], header, &file[4..]].concat())
    };
    assert_eq!(with_header(&[0, 9, 0, 1, 0xaa]).unwrap().time_offset(), None);
    let offset = [0, 9, 0, 0, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2];
    assert_eq!(with_header(&offset).unwrap().time_offset(), Some(TimeOffset { seconds: 1, microseconds: 2 }));
    for lying in [&[0, 9, 0, 2, 0xaa][..], &[0, 1, 0, 4, 0, 0, 0, 0], &[0]] {
        assert_eq!(with_header(lying).unwrap_err(), BadCache::Header);
    }
}

#[test]
fn what_is_no_cache_is_named() {
    assert_eq!(CredentialCache::parse(b"").unwrap_err(), BadCache::NotACache);
    assert_eq!(CredentialCache::parse(b"\x04\x05").unwrap_err(), BadCache::NotACache);
    assert_eq!(CredentialCache::parse(&[5, 1, 0]).unwrap_err(), BadCache::Header);
    assert_eq!(CredentialCache::parse(&[5, 5, 0]).unwrap_err(), BadCache::Version(5));
    assert_eq!(CredentialCache::parse(&[5, 4]).unwrap_err(), BadCache::Header);
    let mut cache = CredentialCache::new(alice());
    let offset = cache.to_octets().len();
    cache.add(credential(Enctype::Aes128CtsHmacSha1, 100));
    let whole = cache.to_octets();
    let (cut, _) = whole.expose_octets().split_at(whole.len() - 1);
    assert_eq!(CredentialCache::parse(cut).unwrap_err(), BadCache::Credential { offset });
}

/// A cache as old versions have it, made by hand: alice's, with one ticket for HTTP/www.example.com.
fn old_cache(version: u8, order: ByteOrder) -> Vec<u8> {
    let mut file = vec![5, version];
    let number = |octets: &mut Vec<u8>, mut number: Vec<u8>| {
        if order == ByteOrder::Little && version < 3 {
            number.reverse();
        }
        octets.extend_from_slice(&number);
    };
    let u32 = |octets: &mut Vec<u8>, value: u32| number(octets, value.to_be_bytes().to_vec());
    let u16 = |octets: &mut Vec<u8>, value: u16| number(octets, value.to_be_bytes().to_vec());
    let counted = |octets: &mut Vec<u8>, content: &[u8]| {
        u32(octets, u32::try_from(content.len()).unwrap());
        octets.extend_from_slice(content);
    };
    let principal = |octets: &mut Vec<u8>, components: &[&str]| {
        let count = u32::try_from(components.len()).unwrap();
        if version > 1 {
            u32(octets, 1);
        }
        u32(octets, if version > 1 { count } else { count + 1 });
        counted(octets, b"EXAMPLE.COM");
        components.iter().for_each(|component| counted(octets, component.as_bytes()));
    };
    principal(&mut file, &["alice"]);
    principal(&mut file, &["alice"]);
    principal(&mut file, &["HTTP", "www.example.com"]);
    u16(&mut file, 17);
    if version == 3 {
        u16(&mut file, 17);
    }
    counted(&mut file, &[3; 16]);
    [1, 2, 3, 4].into_iter().for_each(|time| u32(&mut file, time));
    file.push(0);
    u32(&mut file, TicketFlags::FORWARDABLE.0);
    u32(&mut file, 1);
    u16(&mut file, 2);
    counted(&mut file, &[127, 0, 0, 1]);
    u32(&mut file, 0);
    counted(&mut file, b"ticket");
    counted(&mut file, b"");
    file
}

#[test]
fn old_versions_are_read_in_the_byte_order_of_their_machine() {
    for version in [1, 2, 3] {
        for order in [ByteOrder::Big, ByteOrder::Little] {
            let file = old_cache(version, order);
            let cache = format::parse(&file, order).unwrap();
            assert_eq!(cache.primary().to_string(), "alice@EXAMPLE.COM");
            let ticket = cache.credentials().next().unwrap();
            assert_eq!((ticket.server.to_string(), &*ticket.ticket), (http().to_string(), &b"ticket"[..]));
            assert_eq!(ticket.times.endtime, KerberosTime(3));
            assert_eq!(ticket.flags, TicketFlags::FORWARDABLE);
            assert_eq!(ticket.addresses, [TypedOctets { number: 2, octets: Box::new([127, 0, 0, 1]) }]);
            for end in 0..file.len() {
                // Only the end of the cache's principal is also the end of a whole, empty cache.
                let cut = format::parse(&file[..end], order);
                assert!(cut.is_err() || cut.is_ok_and(|cache| cache.credentials().count() == 0), "{end}");
            }
        }
    }
}

#[test]
fn a_ticket_is_added_in_the_version_that_the_file_has() {
    let added = credential(Enctype::Aes256CtsHmacSha1, 100);
    let mut file = old_cache(3, ByteOrder::Big);
    file.extend_from_slice(&CredentialCache::credential_octets_for(&file, &added).unwrap());
    let cache = CredentialCache::parse(&file).unwrap();
    let enctypes: Vec<_> = cache.credentials().map(|ticket| ticket.key.enctype()).collect();
    assert_eq!(enctypes, [Enctype::Aes128CtsHmacSha1, Enctype::Aes256CtsHmacSha1]);
    let four = CredentialCache::credential_octets_for(&[5, 4], &added).unwrap();
    assert_eq!(four, CredentialCache::append_credential_octets(&added));
    for (beginning, why) in [([5, 1], BadCache::OldVersion(1)), ([5, 2], BadCache::OldVersion(2))] {
        assert_eq!(CredentialCache::credential_octets_for(&beginning, &added).unwrap_err(), why);
    }
    assert_eq!(CredentialCache::credential_octets_for(&[], &added).unwrap_err(), BadCache::NotACache);
}
