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
    assert_eq!(Keytab::parse(&[5, 3]).unwrap_err(), BadKeytab::Version(3));
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

/// The keytab of version 1 with one key of host's, as a machine with this byte order wrote it.
fn version_1(order: ByteOrder, enctype: u16) -> Vec<u8> {
    fn number<const N: usize>(octets: &mut Vec<u8>, order: ByteOrder, mut number: [u8; N]) {
        if order == ByteOrder::Little {
            number.reverse();
        }
        octets.extend_from_slice(&number);
    }
    let mut record = Vec::new();
    number(&mut record, order, 3_u16.to_be_bytes());
    for text in ["EXAMPLE.COM", "host", "www.example.com"] {
        number(&mut record, order, u16::try_from(text.len()).unwrap().to_be_bytes());
        record.extend_from_slice(text.as_bytes());
    }
    number(&mut record, order, 1_700_000_000_u32.to_be_bytes());
    record.push(3);
    number(&mut record, order, enctype.to_be_bytes());
    number(&mut record, order, 16_u16.to_be_bytes());
    record.extend_from_slice(&[7; 16]);
    let mut file = vec![5, 1];
    number(&mut file, order, u32::try_from(record.len()).unwrap().to_be_bytes());
    [file, record].concat()
}

#[test]
fn version_1_is_read_in_the_byte_order_of_its_machine_and_never_changed() {
    for order in [ByteOrder::Big, ByteOrder::Little] {
        let keytab = Keytab { records: format::parse(&version_1(order, 19), order).unwrap() };
        let entry = keytab.entries().next().unwrap();
        assert_eq!(
            (entry.principal(), entry.kvno(), entry.key().expose_octets()),
            (&host(), 3, &[7; 16][..])
        );
        // What can't be used is rewritten as version 2 too.
        let foreign = Keytab { records: format::parse(&version_1(order, 24), order).unwrap() };
        let again = Keytab::parse(foreign.to_octets().expose_octets()).unwrap();
        let opaque = again.opaque_entries().next().unwrap();
        assert_eq!((opaque.enctype_number(), opaque.kvno(), opaque.principal()), (24, 3, Some(&host())));
        let file = version_1(order, 19);
        assert_eq!(Keytab::patches_to_add(&file, &keytab).unwrap_err(), BadKeytab::OldVersion);
        assert_eq!(Keytab::patches_to_remove(&file, |_, _| true).unwrap_err(), BadKeytab::OldVersion);
    }
}

/// Writes patches one by one; after each, the file must be a keytab.
fn patched(mut file: Vec<u8>, patches: &[Patch]) -> Vec<u8> {
    for patch in patches {
        assert!(patch.offset <= file.len(), "a patch behind the end");
        let end = (patch.offset + patch.octets.len()).min(file.len());
        file.splice(patch.offset..end, patch.octets.iter().copied());
        Keytab::parse(&file).unwrap();
    }
    file
}

fn versions(file: &[u8]) -> Vec<u32> {
    Keytab::parse(file).unwrap().entries().map(KeytabEntry::kvno).collect()
}

#[test]
fn a_file_is_a_keytab_after_every_single_write() {
    let (count, patches) = Keytab::patches_to_add(&[], &keytab(&[(1, 1), (2, 1)])).unwrap();
    assert_eq!(count, 2);
    let file = patched(Vec::new(), &patches);
    assert_eq!(file, keytab(&[(1, 1), (2, 1)]).to_octets().expose_octets());

    let (count, patches) = Keytab::patches_to_remove(&file, |_, entry| entry.kvno() == 1).unwrap();
    assert_eq!(count, 1);
    let holed = patched(file.clone(), &patches);
    assert_eq!((versions(&holed), holed.len()), (vec![2], file.len()));
    assert!(!holed.windows(16).any(|window| window == [1; 16]), "the key was not wiped");

    // The hole is filled first, and what does not fit goes to the end.
    let (_, patches) = Keytab::patches_to_add(&holed, &keytab(&[(3, 1), (4, 1)])).unwrap();
    let filled = patched(holed, &patches);
    assert_eq!(versions(&filled), [3, 2, 4]);
}

#[test]
fn octets_behind_the_end_do_not_become_records() {
    let entry = keytab(&[(1, 1)]).entries().next().unwrap().append_record();
    let tail = [&[0, 0, 0, 0][..], &[0x11; 300]].concat();
    let file = [&[5, 2], &entry[..], &tail].concat();
    let (_, patches) = Keytab::patches_to_add(&file, &keytab(&[(2, 1)])).unwrap();
    let file = patched(file, &patches);
    assert_eq!(versions(&file), [1, 2]);
    let (_, patches) = Keytab::patches_to_add(&file, &keytab(&[(3, 1), (4, 1), (5, 1)])).unwrap();
    assert_eq!(versions(&patched(file, &patches)), [1, 2, 3, 4, 5]);
}

#[test]
fn a_key_that_is_there_is_not_added_again_and_another_under_its_version_is_refused() {
    let mut there = keytab(&[(1, 1), (2, 1)]);
    let file = there.to_octets().expose_octets().to_vec();
    assert_eq!(Keytab::patches_to_add(&file, &keytab(&[(2, 9), (1, 9)])).unwrap().0, 0);
    let mut other = keytab(&[(3, 1)]);
    other.add(host(), 2, key(99), Timestamp::default()).unwrap();
    let conflict = BadKeytab::Conflict(Box::new((host(), 2, AES)));
    assert_eq!(Keytab::patches_to_add(&file, &other).unwrap_err(), conflict);
    assert_eq!(there.merge(&other).unwrap_err(), conflict);
    assert_eq!(there.entries().count(), 2, "a refused merge changes nothing");
    assert_eq!(there.merge(&keytab(&[(2, 1), (3, 1), (3, 1)])).unwrap(), 1);
    assert!(!format!("{:?}", Keytab::patches_to_add(&[], &there).unwrap()).contains("octets"));
}

#[test]
fn the_current_version_is_the_one_that_old_ones_are_older_than() {
    let keytab = keytab(&[(255, 10), (1, 20)]);
    let current: Vec<_> = keytab.entries().map(|entry| keytab.is_current(entry)).collect();
    assert_eq!(current, [false, true]);
}
