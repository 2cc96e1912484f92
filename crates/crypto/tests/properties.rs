//! What must hold for every key and message: round trips at every length, refusal of every alteration.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::sync::atomic::{AtomicU8, Ordering};

use orthros_crypto::{BadKey, Enctype, Integrity, Key, KeyUsage, LongTermKey, Password, SessionKey};
use orthros_wire::Random;
use proptest::prelude::*;

/// Counts upwards, so that each confounder differs.
struct Counter(AtomicU8);

impl Random for Counter {
    fn fill(&self, octets: &mut [u8]) {
        octets.iter_mut().for_each(|octet| *octet = self.0.fetch_add(1, Ordering::Relaxed));
    }
}

static RANDOM: Counter = Counter(AtomicU8::new(0));
const USAGE: KeyUsage = KeyUsage::INITIATOR_SEAL;

fn keys() -> impl Iterator<Item = Key> {
    Enctype::ALL.iter().map(|enctype| Key::random(*enctype, &RANDOM))
}

fn message(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// A plain text as decrypting gives it back: with zeros up to whole blocks under triple DES.
fn padded(key: &Key, plain: &[u8]) -> Vec<u8> {
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + key.enctype().padding_len(plain.len()), 0);
    padded
}

#[test]
fn every_length_comes_back_whole() {
    for key in keys() {
        for len in (0..=200).chain([255, 256, 257, 1023, 4096, 16_384, 70_001]) {
            let plain = message(len);
            let sealed = key.encrypt(USAGE, &RANDOM, &plain);
            assert_eq!(sealed.len(), key.sealed_len(len));
            let padded = padded(&key, &plain);
            assert_eq!(*key.decrypt(USAGE, &sealed).unwrap(), padded, "{key:?} {len}");
            let mut in_place = sealed;
            assert_eq!(key.open_in_place(USAGE, &mut in_place).unwrap(), padded, "{key:?} {len}");
        }
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused_and_leaves_no_plain_text() {
    for key in keys() {
        let plain = b"thirty-seven octets of plain text !!!";
        let sealed = key.encrypt(USAGE, &RANDOM, plain);
        let refused = |altered: &[u8]| {
            assert_eq!(key.decrypt(USAGE, altered).unwrap_err(), Integrity);
            let mut buffer = altered.to_vec();
            assert_eq!(key.open_in_place(USAGE, &mut buffer).unwrap_err(), Integrity);
            for piece in plain.windows(4) {
                assert!(!buffer.windows(4).any(|found| found == piece), "unverified plain text was left");
            }
        };
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            refused(&altered);
        }
        for cut in 0..sealed.len() {
            refused(&sealed[..cut]);
            refused(&sealed[sealed.len() - cut..]);
        }
        refused(&[&sealed[..], &[0]].concat());
    }
}

#[test]
fn every_altered_checksum_and_another_length_is_refused() {
    for key in keys() {
        let data = message(50);
        let checksum = key.checksum(USAGE, &[&data]);
        assert_eq!(checksum.len(), key.enctype().checksum_len());
        key.verify(USAGE, &[&data], &checksum).unwrap();
        for bit in 0..checksum.len() * 8 {
            let mut altered = checksum.to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verify(USAGE, &[&data], &altered), Err(Integrity));
        }
        for len in 0..checksum.len() {
            assert_eq!(key.verify(USAGE, &[&data], &checksum[..len]), Err(Integrity));
        }
        assert_eq!(key.verify(USAGE, &[&data], &[&checksum[..], &[0]].concat()), Err(Integrity));
        assert_eq!(key.verify(USAGE, &[&data[1..]], &checksum), Err(Integrity));
        assert_eq!(key.verify(KeyUsage::ACCEPTOR_SIGN, &[&data], &checksum), Err(Integrity));
    }
}

#[test]
fn another_use_another_key_and_another_type_do_not_open() {
    let all: Vec<Key> = keys().chain(keys()).collect();
    for (at, key) in all.iter().enumerate() {
        let sealed = key.encrypt(USAGE, &RANDOM, &message(64));
        for number in (0..64).filter(|number| KeyUsage(*number) != USAGE) {
            assert_eq!(key.decrypt(KeyUsage(number), &sealed).unwrap_err(), Integrity);
        }
        for (_, other) in all.iter().enumerate().filter(|(other, _)| *other != at) {
            assert_eq!(other.decrypt(USAGE, &sealed).unwrap_err(), Integrity);
            assert!(!other.ct_eq(key));
        }
        assert_eq!(*key.duplicate().decrypt(USAGE, &sealed).unwrap(), message(64));
    }
}

#[test]
fn equal_messages_are_sealed_differently() {
    for key in keys() {
        assert_ne!(key.encrypt(USAGE, &RANDOM, b"yes"), key.encrypt(USAGE, &RANDOM, b"yes"));
    }
}

#[test]
fn a_buffer_without_room_is_refused_unchanged() {
    for key in keys() {
        let header = key.enctype().header_len();
        let unpadded = (1..8).filter(|plain| key.enctype().padding_len(*plain) > 0);
        let unpadded = unpadded.map(|plain| header + plain + key.enctype().trailer_len());
        for len in (0..key.sealed_len(0)).chain(unpadded) {
            let mut buffer = message(len);
            let error = key.seal_in_place(USAGE, &RANDOM, &mut buffer).unwrap_err();
            assert!(error.to_string().contains(&len.to_string()));
            assert_eq!(buffer, message(len));
        }
    }
}

#[test]
fn a_key_of_the_wrong_length_is_refused_by_name() {
    for enctype in Enctype::ALL.iter().copied() {
        for len in (0..80).filter(|len| *len != enctype.key_len()) {
            let error = Key::new(enctype, &message(len)).unwrap_err();
            assert_eq!(error, BadKey::Length { enctype, found: len });
            assert!(error.to_string().contains(enctype.name()));
        }
    }
}

#[test]
fn absurd_string_to_key_parameters_are_refused_at_once() {
    let password = Password::from("guess");
    for enctype in Enctype::ALL.iter().copied() {
        let Some(least) = enctype.default_iterations() else {
            let made = |params| Key::from_password(enctype, &password, b"salt", params);
            let error = made(Some(&[0, 0, 0, 1])).unwrap_err();
            assert_eq!(error, BadKey::Parameters { enctype, found: 4 });
            assert!(error.to_string().contains("takes no parameters"));
            assert!(made(Some(&[])).unwrap().ct_eq(&made(None).unwrap()));
            continue;
        };
        let made = |params: &[u8]| Key::from_password(enctype, &password, b"salt", Some(params)).map(drop);
        assert_eq!(made(&[0; 4]), Err(BadKey::TooManyIterations { given: 1 << 32 }));
        assert_eq!(made(&[0xff; 4]), Err(BadKey::TooManyIterations { given: u32::MAX.into() }));
        assert_eq!(made(&10_000_001_u32.to_be_bytes()), Err(BadKey::TooManyIterations { given: 10_000_001 }));
        for len in [0, 1, 3, 5, 8] {
            assert_eq!(made(&vec![1; len]), Err(BadKey::Parameters { enctype, found: len }));
        }
        assert_eq!(
            made(&(least - 1).to_be_bytes()),
            Err(BadKey::TooFewIterations { enctype, given: least - 1, least })
        );
        assert!(made(&[0, 0, 0, 1]).unwrap_err().to_string().contains("asks for 1 iterations"));
        made(&least.to_be_bytes()).unwrap();
    }
}

#[test]
fn prf_plus_is_the_prf_of_counted_peppers_and_ends_where_the_counter_does() {
    for key in keys() {
        let len = key.prf_len();
        let long = key.prf_plus(b"pepper", len * 2 + 5).unwrap();
        let blocks = [b"\x01pepper", b"\x02pepper", b"\x03pepper"].map(|input| key.prf(input));
        let whole: Vec<u8> = blocks.iter().flat_map(|block| block.expose_octets().to_vec()).collect();
        assert_eq!(long.expose_octets(), &whole[..len * 2 + 5]);
        assert!(key.prf_plus(b"pepper", len * 255).is_ok());
        assert!(key.prf_plus(b"pepper", len * 255 + 1).is_err());
    }
}

#[test]
fn keys_of_two_types_combine_to_the_type_of_the_first() {
    for first in keys() {
        for second in keys() {
            let combined = first.combine(b"a", &second, b"b");
            assert_eq!(combined.enctype(), first.enctype());
            assert!(!combined.ct_eq(&first));
            assert!(!combined.ct_eq(&first.combine(b"b", &second, b"a")));
        }
    }
}

#[test]
fn a_password_that_is_no_text_makes_no_rc4_key() {
    let made = |enctype| Key::from_password(enctype, &Password::copy_of(&[0xff, 0xfe]), b"salt", None);
    let enctype = Enctype::ArcfourHmac;
    assert_eq!(made(enctype).unwrap_err(), BadKey::NotText { enctype });
    made(Enctype::Des3CbcSha1).unwrap();
}

#[test]
fn a_seed_of_the_wrong_length_is_refused_and_keys_of_triple_des_have_odd_parity() {
    for enctype in Enctype::ALL.iter().copied() {
        for len in (0..40).filter(|len| *len != enctype.seed_len()) {
            let error = Key::from_seed(enctype, &message(len)).unwrap_err();
            assert_eq!(error, BadKey::SeedLength { enctype, found: len });
        }
        let key = Key::from_seed(enctype, &message(enctype.seed_len())).unwrap();
        if enctype == Enctype::Des3CbcSha1 {
            assert!(key.expose_octets().iter().all(|octet| octet.count_ones() % 2 == 1));
        } else {
            assert_eq!(key.expose_octets(), message(enctype.seed_len()));
        }
    }
}

#[test]
fn nothing_secret_is_printed() {
    let key = Key::new(Enctype::Aes128CtsHmacSha1, b"ABCDEFGHIJKLMNOP").unwrap();
    assert_eq!(format!("{key:?}"), "Key(aes128-cts-hmac-sha1-96)");
    assert_eq!(
        format!("{:?}", LongTermKey::from(key.duplicate())),
        "LongTermKey(Key(aes128-cts-hmac-sha1-96))"
    );
    let session = SessionKey::from(key.duplicate());
    assert!(session.into_key().ct_eq(&key));
    assert_eq!(format!("{:?}", Password::from(String::from("hunter2"))), "Password(..)");
}

#[test]
fn threads_that_race_to_derive_agree() {
    for key in keys() {
        let sealed: Vec<_> =
            (0..12).map(|number| key.encrypt(KeyUsage(number), &RANDOM, b"the race")).collect();
        let fresh = key.duplicate();
        std::thread::scope(|scope| {
            for start in 0..4 {
                let (fresh, sealed) = (&fresh, &sealed);
                scope.spawn(move || {
                    for step in 0..12 {
                        let number = (start * 3 + step) % 12;
                        let opened = fresh.decrypt(KeyUsage(u32::try_from(number).unwrap()), &sealed[number]);
                        assert_eq!(*opened.unwrap(), *b"the race");
                    }
                });
            }
        });
    }
}

proptest! {
    #[test]
    fn sealing_in_place_is_sealing_with_the_same_confounder(
        which in 0..Enctype::ALL.len(),
        usage in any::<u32>(),
        octets in any::<[u8; 32]>(),
        confounder in any::<[u8; 16]>(),
        plain in proptest::collection::vec(any::<u8>(), 0..600),
    ) {
        struct Given(Vec<u8>);
        impl Random for Given {
            fn fill(&self, octets: &mut [u8]) {
                octets.copy_from_slice(&self.0);
            }
        }
        let enctype = Enctype::ALL[which];
        let key = Key::new(enctype, &octets[..enctype.key_len()]).unwrap();
        let given = Given(confounder[..enctype.confounder_len()].to_vec());
        let padded = padded(&key, &plain);
        let header = enctype.header_len();
        let sealed = key.encrypt_with_confounder(KeyUsage(usage), &given.0, &plain);
        let mut buffer = vec![0xee; key.sealed_len(plain.len())];
        buffer[header..header + padded.len()].copy_from_slice(&padded);
        key.seal_in_place(KeyUsage(usage), &given, &mut buffer).unwrap();
        prop_assert_eq!(&buffer, &sealed);
        prop_assert_eq!(&key.encrypt(KeyUsage(usage), &given, &plain), &sealed);
        prop_assert_eq!(&*key.duplicate().decrypt(KeyUsage(usage), &sealed).unwrap(), &padded);
        prop_assert_eq!(key.open_in_place(KeyUsage(usage), &mut buffer).unwrap(), &padded[..]);
    }

    #[test]
    fn random_octets_never_open(which in 0..Enctype::ALL.len(), octets in proptest::collection::vec(any::<u8>(), 0..120)) {
        let key = Key::random(Enctype::ALL[which], &RANDOM);
        prop_assert!(key.decrypt(USAGE, &octets).is_err());
        prop_assert!(key.verify(USAGE, &[b"data"], &octets).is_err());
    }

    #[test]
    fn lists_of_any_text_do_not_panic(list in ".{0,60}") {
        Enctype::parse_list(&list);
        Enctype::unknown_names(&list);
    }
}
