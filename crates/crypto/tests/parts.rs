//! Messages in parts: equal to messages in one piece, and refused when anything covered was altered.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use orthros_crypto::{Enctype, Integrity, Key, KeyUsage, Part};
use orthros_wire::testing::SeededRandom;

const USAGE: KeyUsage = KeyUsage::INITIATOR_SEAL;

fn keys() -> impl Iterator<Item = Key> {
    Enctype::ALL.iter().map(|enctype| Key::random(*enctype, &SeededRandom::new(7)))
}

fn message(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// Room for the confounder and for the tag of `key`.
fn rooms(key: &Key) -> (Vec<u8>, Vec<u8>) {
    (vec![0; key.enctype().confounder_len()], vec![0; key.enctype().tag_len()])
}

/// Whether `key` seals `len` octets as they are, without padding.
fn unpadded(key: &Key, len: usize) -> bool {
    key.enctype().padding_len(len) == 0
}

/// The pieces of a message as they travel when they lie together.
fn joined(key: &Key, confounder: &[u8], body: &[u8], tag: &[u8]) -> Vec<u8> {
    if key.enctype().trailer_len() == 0 { [tag, confounder, body] } else { [confounder, body, tag] }.concat()
}

#[test]
fn one_sealed_part_is_sealed_as_in_one_piece() {
    for key in keys() {
        for len in (0..=130).chain([1024, 5000]).filter(|len| unpadded(&key, *len)) {
            let mut whole = vec![0; key.sealed_len(len)];
            let (mut confounder, mut tag) = rooms(&key);
            let mut body = message(len);
            let header = key.enctype().header_len();
            whole[header..header + len].copy_from_slice(&body);
            key.seal_in_place(USAGE, &SeededRandom::new(1), &mut whole).unwrap();
            key.seal_parts(
                USAGE,
                &SeededRandom::new(1),
                &mut confounder,
                &mut [Part::Sealed(&mut body)],
                &mut tag,
            )
            .unwrap();
            assert_eq!(joined(&key, &confounder, &body, &tag), whole, "{key:?} {len}");
            key.open_parts(USAGE, &mut confounder, &mut [Part::Sealed(&mut body)], &tag).unwrap();
            assert_eq!(body, message(len));
        }
    }
}

#[test]
fn where_the_sealed_parts_are_cut_makes_no_difference() {
    for key in keys() {
        for len in [0, 1, 15, 16, 17, 31, 32, 33, 64, 100] {
            if !unpadded(&key, len) {
                continue;
            }
            let sealed = |cuts: [usize; 2]| {
                let (mut confounder, mut tag) = rooms(&key);
                let mut body = message(len);
                let (front, rest) = body.split_at_mut(cuts[0]);
                let (middle, back) = rest.split_at_mut(cuts[1] - cuts[0]);
                let mut parts = [Part::Sealed(front), Part::Sealed(middle), Part::Sealed(back)];
                key.seal_parts(USAGE, &SeededRandom::new(1), &mut confounder, &mut parts, &mut tag).unwrap();
                joined(&key, &confounder, &body, &tag)
            };
            let whole = sealed([len, len]);
            for first in 0..=len {
                for second in first..=len {
                    assert_eq!(sealed([first, second]), whole, "{key:?} {len} {first} {second}");
                }
            }
            assert_eq!(*key.decrypt(USAGE, &whole).unwrap(), message(len));
        }
    }
}

/// A message of head (signed), body (sealed), middle (signed), end (sealed), as it travels.
#[derive(Clone)]
struct Sent {
    head: Vec<u8>,
    confounder: Vec<u8>,
    body: Vec<u8>,
    middle: Vec<u8>,
    end: Vec<u8>,
    tag: Vec<u8>,
}

impl Sent {
    fn new(key: &Key) -> Self {
        let (confounder, tag) = rooms(key);
        let text = |text: &str| text.as_bytes().to_vec();
        let (body, end) = (text("confidential th"), text("and another thing"));
        let mut sent = Self { head: text("head"), confounder, body, middle: text("mid"), end, tag };
        let mut parts = [
            Part::Signed(&sent.head),
            Part::Sealed(&mut sent.body),
            Part::Signed(&sent.middle),
            Part::Sealed(&mut sent.end),
        ];
        key.seal_parts(USAGE, &SeededRandom::new(3), &mut sent.confounder, &mut parts, &mut sent.tag)
            .unwrap();
        sent
    }

    fn open(&mut self, key: &Key) -> Result<(), Integrity> {
        let mut parts = [
            Part::Signed(&self.head),
            Part::Sealed(&mut self.body),
            Part::Signed(&self.middle),
            Part::Sealed(&mut self.end),
        ];
        key.open_parts(USAGE, &mut self.confounder, &mut parts, &self.tag)
    }

    fn fields(&mut self) -> [&mut Vec<u8>; 6] {
        [&mut self.head, &mut self.confounder, &mut self.body, &mut self.middle, &mut self.end, &mut self.tag]
    }
}

#[test]
fn signed_parts_stay_as_they_are_and_sealed_ones_come_back() {
    for key in keys() {
        let mut sent = Sent::new(&key);
        assert_eq!((&sent.head[..], &sent.middle[..]), (&b"head"[..], &b"mid"[..]));
        assert_ne!(sent.body, b"confidential th");
        sent.open(&key).unwrap();
        assert_eq!((&sent.body[..], &sent.end[..]), (&b"confidential th"[..], &b"and another thing"[..]));
    }
}

#[test]
fn an_alteration_of_any_part_is_refused_and_leaves_no_plain_text() {
    for key in keys() {
        let sent = Sent::new(&key);
        for field in 0..6 {
            let len = sent.clone().fields()[field].len();
            for bit in 0..len * 8 {
                let mut altered = sent.clone();
                altered.fields()[field][bit / 8] ^= 1 << (bit % 8);
                assert_eq!(altered.open(&key), Err(Integrity), "{key:?} field {field} bit {bit}");
                for (found, plain) in
                    [(&altered.body, &b"confidential th"[..]), (&altered.end, b"and another thing")]
                {
                    for piece in plain.windows(4) {
                        assert!(!found.windows(4).any(|found| found == piece), "plain text was left");
                    }
                }
            }
            let mut cut = sent.clone();
            cut.fields()[field].pop();
            assert_eq!(cut.open(&key), Err(Integrity), "{key:?} field {field}");
        }
    }
}

#[test]
fn a_signed_part_that_moves_across_a_sealed_one_is_refused() {
    for key in keys() {
        let (mut confounder, mut tag) = rooms(&key);
        let mut body = message(48);
        let mut parts = [Part::Signed(b"signed"), Part::Sealed(&mut body)];
        key.seal_parts(USAGE, &SeededRandom::new(1), &mut confounder, &mut parts, &mut tag).unwrap();
        let mut moved = [Part::Sealed(&mut body), Part::Signed(b"signed")];
        assert_eq!(key.open_parts(USAGE, &mut confounder, &mut moved, &tag), Err(Integrity));
    }
}

#[test]
fn rooms_of_the_wrong_size_are_refused_unchanged() {
    for key in keys() {
        let (confounder, tag) = rooms(&key);
        let rooms = [(confounder.len() + 1, tag.len()), (0, tag.len()), (confounder.len(), tag.len() - 1)];
        for (confounder_len, tag_len) in rooms {
            let (mut confounder, mut tag, mut body) =
                (vec![1; confounder_len], vec![2; tag_len], message(32));
            let mut parts = [Part::Sealed(&mut body)];
            key.seal_parts(USAGE, &SeededRandom::new(1), &mut confounder, &mut parts, &mut tag).unwrap_err();
            assert_eq!(
                (&confounder, &tag, &body),
                (&vec![1; confounder_len], &vec![2; tag_len], &message(32))
            );
            let opened = key.open_parts(USAGE, &mut confounder, &mut [Part::Sealed(&mut body)], &tag);
            assert_eq!(opened, Err(Integrity));
        }
    }
}
