//! The published vectors of RFC 3961, RFC 3962, RFC 4757, RFC 6113, RFC 6803 and RFC 8009, and those of MIT's test suite, as data.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use orthros_crypto::{BadKey, ChecksumType, Enctype, Integrity, Key, KeyUsage, Password};
use orthros_wire::hex;
use serde_json::Value;

fn rows(section: &str, expected: usize) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
    let rows = vectors[section].as_array().unwrap().clone();
    assert_eq!(rows.len(), expected, "vectors are missing from {section}");
    rows
}

fn octets(row: &Value, field: &str) -> Vec<u8> {
    hex::decode(row[field].as_str().unwrap()).unwrap()
}

fn enctype(row: &Value) -> Enctype {
    Enctype::from_number(row["enctype"].as_i64().unwrap().try_into().unwrap()).unwrap()
}

fn key(row: &Value) -> Key {
    Key::new(enctype(row), &octets(row, "key")).unwrap()
}

fn usage(row: &Value) -> KeyUsage {
    KeyUsage(row["usage"].as_u64().unwrap().try_into().unwrap())
}

#[test]
fn string_to_key_gives_the_published_keys() {
    for row in rows("string_to_key", 38) {
        let (password, salt) = (Password::copy_of(&octets(&row, "password")), octets(&row, "salt"));
        let params = octets(&row, "params");
        let careful = Key::from_password(enctype(&row), &password, &salt, Some(&params));
        if row["error"].is_string() {
            assert!(matches!(careful, Err(BadKey::TooFewIterations { .. })), "{row}");
            continue;
        }
        let key = Key::from_password_however_few_iterations(enctype(&row), &password, &salt, Some(&params))
            .unwrap();
        assert_eq!(hex::encode(key.expose_octets()), row["key"].as_str().unwrap(), "{row}");
        if !row["weak_iterations_allowed"].as_bool().unwrap() {
            assert!(careful.unwrap().ct_eq(&key));
            assert!(Key::from_password(enctype(&row), &password, &salt, None).unwrap().ct_eq(&key));
        }
    }
}

#[test]
fn published_cipher_texts_open_and_are_sealed_alike() {
    for row in rows("decrypt", 38) {
        let (key, cipher) = (key(&row), octets(&row, "ciphertext"));
        let plain = key.decrypt(usage(&row), &cipher).unwrap();
        let published = octets(&row, "plaintext");
        let (text, padding) = plain.split_at(published.len());
        assert_eq!(text, published, "{row}");
        assert_eq!(padding.len(), key.enctype().padding_len(text.len()), "{row}");
        let mut opened = cipher.clone();
        key.open_in_place(usage(&row), &mut opened).unwrap();
        let enctype = key.enctype();
        let confounder = &opened[enctype.header_len() - enctype.confounder_len()..enctype.header_len()];
        // Not every implementation pads with zeros, so what is sealed again is what was opened.
        assert_eq!(key.encrypt_with_confounder(usage(&row), confounder, &plain), cipher, "{row}");
        assert_eq!(key.decrypt(KeyUsage(99), &cipher).unwrap_err(), Integrity);
    }
}

#[test]
fn checksums_are_the_published_ones() {
    for row in rows("checksum", 10) {
        let (key, data, expected) = (key(&row), octets(&row, "data"), octets(&row, "checksum"));
        let number = row["cksumtype"].as_i64().unwrap().try_into().unwrap();
        assert_eq!(key.enctype().checksum_type(), ChecksumType(number));
        assert_eq!(&*key.checksum(usage(&row), &[&data]), expected, "{row}");
        let (front, back) = data.split_at(3);
        key.verify(usage(&row), &[front, &[], back], &expected).unwrap();
    }
}

#[test]
fn the_prf_gives_the_published_octets() {
    for row in rows("prf", 8) {
        let (key, output) = (key(&row), octets(&row, "output"));
        assert_eq!(key.prf(&octets(&row, "input")).expose_octets(), output, "{row}");
        assert_eq!(key.prf_len(), output.len());
    }
}

#[test]
fn combined_keys_are_the_published_ones() {
    for row in rows("fx_cf2", 6) {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        let key = |field: &str| {
            let password = Password::from(text(field));
            Key::from_password(enctype(&row), &password, text(field).as_bytes(), None).unwrap()
        };
        let (first, second) = (key("key1_password"), key("key2_password"));
        let combined = first.combine(text("pepper1").as_bytes(), &second, text("pepper2").as_bytes());
        assert_eq!(hex::encode(combined.expose_octets()), text("output"), "{row}");
        assert_eq!(combined.enctype(), first.enctype());
    }
}
