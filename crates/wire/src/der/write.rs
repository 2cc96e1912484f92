//! The writing half: values are appended, and a length is put in place once its content is known.

use super::Tag;
use crate::SecretBytes;
use crate::secret::wipe;

/// A value that can be written as DER.
pub trait Encode {
    /// Appends the value, tag included.
    fn encode(&self, writer: &mut DerWriter);

    /// Whether a field of this value is left out.
    fn is_absent(&self) -> bool {
        false
    }

    /// The value's DER encoding. For values that hold keys see
    /// [`to_secret_der`](Self::to_secret_der).
    fn to_der(&self) -> Vec<u8> {
        let mut writer = DerWriter::default();
        self.encode(&mut writer);
        writer.finish()
    }

    /// The value's DER encoding, for values that hold keys.
    fn to_secret_der(&self) -> SecretBytes {
        let mut writer = DerWriter::default();
        self.encode(&mut writer);
        // The writer wipes its own octets when it is dropped.
        SecretBytes::copy_of(&writer.octets)
    }
}

/// Collects DER values. A buffer that it outgrows is wiped, because some messages carry keys.
#[derive(Default)]
pub struct DerWriter {
    octets: Vec<u8>,
}

impl DerWriter {
    const FIRST_CAPACITY: usize = 1024;

    /// Appends octets as they are.
    pub fn octets(&mut self, octets: &[u8]) {
        self.reserve(octets.len());
        self.octets.extend_from_slice(octets);
    }

    /// Appends a value of fewer than 128 octets: tag, length and content at once.
    pub(super) fn short_value(&mut self, tag: Tag, content: &[u8]) {
        self.reserve(content.len() + 2);
        self.octets.push(tag.0);
        self.octets.push(u8::try_from(content.len()).unwrap_or(0x7f));
        self.octets.extend_from_slice(content);
    }

    /// Appends a value with this tag, whose content `content` writes.
    pub fn value(&mut self, tag: Tag, content: impl FnOnce(&mut Self)) {
        self.reserve(2);
        self.octets.push(tag.0);
        self.octets.push(0);
        let start = self.octets.len();
        content(self);
        let length = self.octets.len() - start;
        if let Ok(short @ 0..0x80) = u8::try_from(length) {
            self.patch(start, short);
            return;
        }
        let big = length.to_be_bytes();
        let significant = big.iter().position(|&octet| octet != 0).unwrap_or(0);
        let (_, digits) = big.split_at(significant);
        // The content makes room for the digits of its length.
        self.octets(digits);
        self.octets.copy_within(start..start + length, start + digits.len());
        if let Some(room) = self.octets.get_mut(start..start + digits.len()) {
            room.copy_from_slice(digits);
        }
        self.patch(start, 0x80 | u8::try_from(digits.len()).unwrap_or(0));
    }

    /// Everything written so far.
    pub fn finish(self) -> Vec<u8> {
        let mut this = self;
        std::mem::take(&mut this.octets)
    }

    /// Sets the octet before `start`.
    fn patch(&mut self, start: usize, length: u8) {
        if let Some(place) = self.octets.get_mut(start - 1) {
            *place = length;
        }
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if more > self.octets.capacity() - self.octets.len() {
            self.grow(more);
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let needed = self.octets.len() + more;
        let mut larger = Vec::with_capacity((needed * 2).max(Self::FIRST_CAPACITY));
        larger.extend_from_slice(&self.octets);
        wipe(&mut self.octets);
        self.octets = larger;
    }
}

impl Drop for DerWriter {
    fn drop(&mut self) {
        // Nothing was ever written beyond the length: it only grows.
        wipe(&mut self.octets);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::DerReader;

    #[test]
    fn lengths_of_every_size_come_back() {
        for size in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000] {
            let content: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let mut writer = DerWriter::default();
            writer.value(Tag::SEQUENCE, |writer| {
                writer.value(Tag::OCTET_STRING, |writer| writer.octets(&content));
            });
            let written = writer.finish();
            let mut outer = DerReader::new(&written);
            let mut inner = DerReader::new(outer.expect(Tag::SEQUENCE).unwrap());
            assert_eq!(inner.expect(Tag::OCTET_STRING).unwrap(), content);
            assert!(inner.is_empty() && outer.is_empty());
        }
    }
}
