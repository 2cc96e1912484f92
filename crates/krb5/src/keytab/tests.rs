use orthros_crypto::Key;

use super::*;

const AES: Enctype = Enctype::Aes128CtsHmacSha256;

fn host() -> Principal {
    "host/www.example.com@EXAMPLE.COM".parse().unwrap()
}

fn key(octet: u8) -> LongTermKey {
    Key::new(AES, &[octet; 16]).unwrap().into()
}

fn keytab(versions: &[(u32, i64)]) -> Keytab {
    let mut keytab = Keytab::default();
    for &(kvno, seconds) in versions {
        let octet = u8::try_from(kvno & 0xff).unwrap();
        keytab.add(host(), kvno, key(octet), Timestamp::from_seconds(seconds)).unwrap();
    }
    keytab
}

fn found(keytab: &Keytab, kvno: Option<u32>) -> Option<u32> {
    keytab.find(&host(), AES, kvno).map(KeytabEntry::kvno)
}

#[test]
fn a_version_is_found_exactly_else_by_its_low_octet() {
    let keytab = keytab(&[(2, 10), (258, 20), (3, 15)]);
    assert_eq!(found(&keytab, Some(258)), Some(258));
    assert_eq!(found(&keytab, Some(2)), Some(2));
    assert_eq!(found(&keytab, Some(514)), Some(2));
    assert_eq!(found(&keytab, Some(4)), None);
    assert_eq!(found(&keytab, None), Some(258));
    assert_eq!(keytab.highest_kvno(&host()), Some(258));
    assert_eq!(keytab.highest_kvno(&"other@EXAMPLE.COM".parse().unwrap()), None);
    assert!(keytab.find(&host(), Enctype::Aes256CtsHmacSha1, None).is_none());
}

#[test]
fn a_small_version_after_a_large_one_is_the_newer_key() {
    assert_eq!(found(&keytab(&[(255, 10), (1, 20)]), None), Some(1));
    assert_eq!(found(&keytab(&[(1, 20), (255, 10)]), None), Some(1));
    assert_eq!(found(&keytab(&[(1, 10), (255, 20)]), None), Some(255));
    assert_eq!(found(&keytab(&[(255, 10), (200, 20)]), None), Some(255));
}

#[test]
fn an_entry_that_cannot_be_used_survives_a_rewrite() {
    let usable = keytab(&[(1, 1)]).to_octets();
    let (head, record) = usable.expose_octets().split_at(2);
    let mut foreign = record.to_vec();
    // The enctype stands before the key's length, the key and the second kvno.
    let enctype = foreign.len() - 4 - 16 - 2 - 1;
    foreign[enctype] = 24;
    let file = [head, &foreign, record].concat();
    let keytab = Keytab::parse(&file).unwrap();
    assert_eq!(keytab.entries().count(), 1);
    let opaque = keytab.opaque_entries().next().unwrap();
    assert_eq!((opaque.enctype_number(), opaque.kvno(), opaque.principal()), (24, 1, Some(&host())));
    assert!(!format!("{keytab:?}").contains("SecretBytes(["));
    assert_eq!(keytab.to_octets().expose_octets(), file);
}

#[test]
fn holes_are_passed_over_and_a_length_of_zero_ends_the_file() {
    let entry = keytab(&[(1, 1)]).entries().next().unwrap().append_record();
    let file = [&[5, 2, 0xff, 0xff, 0xff, 0xfd, 9, 9, 9], &entry[..], &[0, 0, 0, 0, 0x7f, 1]].concat();
    assert_eq!(Keytab::parse(&file).unwrap().entries().count(), 1);
}

#[test]
fn a_kvno_of_zero_behind_the_key_is_filling() {
    let mut file = keytab(&[(7, 1)]).to_octets().expose_octets().to_vec();
    let end = file.len();
    file[end - 4..].fill(0);
    assert_eq!(found(&Keytab::parse(&file).unwrap(), None), Some(7));
    file[end - 4..].copy_from_slice(&[0, 0, 1, 7]);
    assert_eq!(found(&Keytab::parse(&file).unwrap(), None), Some(0x107));
}

#[test]
fn a_lying_length_is_named_with_its_octet() {
    let mut file = keytab(&[(1, 1), (2, 1)]).to_octets().expose_octets().to_vec();
    let second = 2 + (file.len() - 2) / 2;
    let cut = file.len() - 1;
    assert!(matches!(Keytab::parse(&file[..cut]), Err(BadKeytab::Length { offset, .. }) if offset == second));
    file[second + 4..second + 6].fill(0xff);
    assert!(matches!(Keytab::parse(&file), Err(BadKeytab::Entry { offset, .. }) if offset == second));
    file[second..second + 4].copy_from_slice(&[0x80, 0, 0, 0]);
    assert_eq!(
        Keytab::parse(&file).unwrap_err(),
        BadKeytab::Length { offset: second, length: i64::from(i32::MIN) }
    );
    assert_eq!(Keytab::parse(&[5, 1]).unwrap_err(), BadKeytab::Version(1));
    assert_eq!(Keytab::parse(&[5]).unwrap_err(), BadKeytab::NotAKeytab);
    assert_eq!(Keytab::parse(b"[libdefaults]").unwrap_err(), BadKeytab::NotAKeytab);
}

#[test]
fn a_name_that_the_format_cannot_hold_is_refused() {
    let long = Principal::new(crate::principal::NameType::PRINCIPAL, ["x".repeat(65_536)], "R");
    assert!(matches!(
        Keytab::default().add(long, 1, key(1), Timestamp::default()),
        Err(BadKeytab::TooLong(_))
    ));
}

#[test]
fn what_was_derived_from_a_key_is_shared_by_clones() {
    let keytab = keytab(&[(1, 1)]);
    let copy = keytab.clone();
    let keys = [&keytab, &copy].map(|keytab| keytab.find(&host(), AES, None).unwrap().key().clone());
    assert!(std::sync::Arc::ptr_eq(&keys[0], &keys[1]));
}
