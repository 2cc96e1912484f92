//! The fuzz target of the reader of DER, and what targets share that own a key: an input says what lies under the seal.
//! Not part of the API.
//!
//! An input is the plain text itself, or a list of changes to a good one. A change is three octets: what is done
//! (two bits), where (14 bits), and an octet more:
//!
//! | bits | what is done |
//! |---|---|
//! | 00 | the octet is added to the one there |
//! | 01 | so many octets are taken out |
//! | 10 | so many octets are there twice |
//! | 11 | the element of DER of that number is dropped, doubled, emptied or gets another tag; the lengths around it follow |
//!
//! The last row is what makes a fuzzer of octets one of structures: without it nearly all changes end at the first
//! length that is wrong.

use crate::der::DerReader;

/// The reader of DER: whatever comes, every value found lies inside the input, and reading ends.
pub fn der(data: &[u8]) {
    walk(data, DEEPEST);
}

/// Reads values in a row, and looks into the constructed ones, as nested types do.
fn walk(data: &[u8], deepest: u8) {
    let mut reader = DerReader::new(data);
    let mut left = data.len();
    while let Ok((tag, content, whole)) = reader.any() {
        assert!(content.len() < whole.len() && whole.len() <= left, "a value outside of the input");
        left -= whole.len();
        assert_eq!(reader.rest().len(), left, "what is left is not what was not read");
        if let Some(deepest) = deepest.checked_sub(1).filter(|_| tag.0 & 0x20 != 0) {
            walk(content, deepest);
        }
    }
}

/// Longer plain texts are not made longer.
const LONGEST: usize = 1 << 15;

/// How deep elements are looked into.
const DEEPEST: u8 = 16;

/// What `data` puts under the seal: if its first octet is even, the rest; otherwise `good` with the changes that the
/// rest is.
pub fn plain(data: &[u8], good: &[u8]) -> Vec<u8> {
    match data.split_first() {
        Some((kind, rest)) if kind & 1 == 0 => rest.to_vec(),
        Some((_, changes)) => altered(good, changes),
        None => good.to_vec(),
    }
}

/// `good` with these changes.
pub fn altered(good: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut octets = good.to_vec();
    alter(&mut octets, changes);
    octets
}

/// Makes these changes.
pub fn alter(octets: &mut Vec<u8>, changes: &[u8]) {
    for change in changes.chunks_exact(3) {
        let [high, low, more] = *change else { continue };
        if octets.len() > LONGEST {
            return;
        }
        let place = usize::from(u16::from_be_bytes([high & 0x3f, low]));
        if high >> 6 == 3 {
            change_element(octets, place, more);
        } else {
            change_octets(octets, high >> 6, place, more);
        }
    }
}

fn change_octets(octets: &mut Vec<u8>, what: u8, place: usize, more: u8) {
    let start = place.checked_rem(octets.len()).unwrap_or(0);
    let end = octets.len().min(start + usize::from(more));
    match what {
        0 => {
            if let Some(octet) = octets.get_mut(start) {
                *octet = octet.wrapping_add(more);
            }
        }
        1 => drop(octets.drain(start..end)),
        _ => {
            let twice = octets.get(start..end).unwrap_or_default().to_vec();
            octets.splice(start..start, twice);
        }
    }
}

fn change_element(octets: &mut Vec<u8>, number: usize, how: u8) {
    let mut count = Walk { seen: 0, wanted: usize::MAX, how };
    if count.series(octets, DEEPEST).is_none() || count.seen == 0 {
        return;
    }
    let mut change = Walk { seen: 0, wanted: number % count.seen, how };
    if let Some(changed) = change.series(octets, DEEPEST) {
        *octets = changed;
    }
}

/// A walk through elements and those within them, in the order in which they begin.
struct Walk {
    seen: usize,
    wanted: usize,
    how: u8,
}

impl Walk {
    /// The series with the wanted element changed; `None` if it is no series of elements.
    fn series(&mut self, octets: &[u8], deepest: u8) -> Option<Vec<u8>> {
        let mut reader = DerReader::new(octets);
        let mut written = Vec::with_capacity(octets.len());
        while !reader.rest().is_empty() {
            let (tag, content, _) = reader.any().ok()?;
            let number = self.seen;
            self.seen += 1;
            if number == self.wanted {
                self.change(&mut written, tag.0, content);
                continue;
            }
            // Elements lie in constructed ones, and often in strings of octets.
            let holds = tag.0 & 0x20 != 0 || (tag.0 == 0x04 && content.first() == Some(&0x30));
            let inner = deepest.checked_sub(1).filter(|_| holds);
            let changed = inner.and_then(|deepest| self.series(content, deepest));
            element(&mut written, tag.0, changed.as_deref().unwrap_or(content));
        }
        Some(written)
    }

    fn change(&self, written: &mut Vec<u8>, tag: u8, content: &[u8]) {
        match self.how & 3 {
            0 => {}
            1 => {
                element(written, tag, content);
                element(written, tag, content);
            }
            2 => element(written, tag, &[]),
            _ => element(written, tag ^ (self.how >> 2), content),
        }
    }
}

/// Writes an element with its length in the shortest form.
fn element(written: &mut Vec<u8>, tag: u8, content: &[u8]) {
    written.push(tag);
    let length = content.len().to_be_bytes();
    let used = length.iter().position(|octet| *octet != 0).unwrap_or(length.len());
    let (_, length) = length.split_at(used);
    match length {
        [] => written.push(0),
        [short] if *short < 0x80 => written.push(*short),
        long => {
            written.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
            written.extend_from_slice(long);
        }
    }
    written.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = &[0x30, 8, 0x02, 1, 7, 0x04, 3, 0x30, 1, 9];

    #[test]
    fn an_input_is_the_plain_text_or_changes_to_a_good_one() {
        assert_eq!(plain(&[], GOOD), GOOD);
        assert_eq!(plain(&[1], GOOD), GOOD);
        assert_eq!(plain(&[0, 1, 2], GOOD), [1, 2]);
        assert_eq!(altered(b"abc", &[0, 1, 1]), b"acc");
        assert_eq!(altered(b"abc", &[0x40, 1, 1]), b"ac");
        assert_eq!(altered(b"abc", &[0x80, 1, 9]), b"abcbc");
        assert_eq!(altered(b"", &[0, 1, 1, 0x40, 1, 1, 0x80, 1, 1, 0xc0, 0, 0]), b"");
    }

    #[test]
    fn lengths_follow_when_an_element_within_changes() {
        assert_eq!(altered(GOOD, &[0xc0, 1, 0]), [0x30, 5, 0x04, 3, 0x30, 1, 9]);
        assert_eq!(altered(GOOD, &[0xc0, 1, 1]), [0x30, 11, 2, 1, 7, 2, 1, 7, 0x04, 3, 0x30, 1, 9]);
        assert_eq!(altered(GOOD, &[0xc0, 2, 2]), [0x30, 5, 0x02, 1, 7, 0x04, 0]);
        assert_eq!(altered(GOOD, &[0xc0, 0, 7]), [0x31, 8, 0x02, 1, 7, 0x04, 3, 0x30, 1, 9]);
        assert_eq!(altered(&[4, 3, 1], &[0xc0, 0, 0]), [4, 3, 1], "what is no series of elements stays");
        let long = [&[0x04, 0x81, 0xc8][..], &[5; 200]].concat();
        assert_eq!(altered(&long, &[0xc0, 0, 1]), [&long[..], &long].concat());
    }

    #[test]
    fn doubling_ends() {
        let changes = [0xc0, 0, 1].repeat(100);
        assert!(altered(GOOD, &changes).len() <= 2 * LONGEST);
    }
}
