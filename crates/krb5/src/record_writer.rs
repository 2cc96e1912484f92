//! A buffer for records that hold keys: what it outgrows is wiped, and so is the rest when it is dropped.
//!
//! Credential caches and keytabs are written with it. All numbers are big-endian.

use zeroize::Zeroizing;

/// Collects octets; never leaves a stale copy of them behind.
#[derive(Default)]
pub(crate) struct RecordWriter {
    octets: Zeroizing<Vec<u8>>,
}

impl RecordWriter {
    const FIRST_CAPACITY: usize = 1024;

    /// Appends octets as they are.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        let needed = self.octets.len() + octets.len();
        if needed > self.octets.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity((needed * 2).max(Self::FIRST_CAPACITY)));
            larger.extend_from_slice(&self.octets);
            self.octets = larger;
        }
        self.octets.extend_from_slice(octets);
    }

    /// Appends one octet.
    pub(crate) fn u8(&mut self, number: u8) {
        self.octets(&[number]);
    }

    /// Appends two octets.
    pub(crate) fn u16(&mut self, number: u16) {
        self.octets(&number.to_be_bytes());
    }

    /// Appends four octets.
    pub(crate) fn u32(&mut self, number: u32) {
        self.octets(&number.to_be_bytes());
    }

    /// Appends four octets, two's complement.
    pub(crate) fn i32(&mut self, number: i32) {
        self.octets(&number.to_be_bytes());
    }

    /// Appends the low half of a number whose place in the format has only two octets: enctypes, address
    /// types, kinds of authorization data.
    pub(crate) fn low_half(&mut self, number: i32) {
        let [_, _, low @ ..] = number.to_be_bytes();
        self.octets(&low);
    }

    /// Appends a length of two octets and as many of `octets` as it can name; whoever builds the value sees to
    /// it that those are all.
    pub(crate) fn counted_u16(&mut self, octets: &[u8]) {
        let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
        self.u16(length);
        self.octets(octets.get(..usize::from(length)).unwrap_or(octets));
    }

    /// Appends a length of four octets and the octets, which memory keeps below 4 GiB.
    pub(crate) fn counted_u32(&mut self, octets: &[u8]) {
        self.count(octets.len());
        self.octets(octets);
    }

    /// Appends a count of four octets.
    pub(crate) fn count(&mut self, count: usize) {
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// What has been written.
    pub(crate) fn written(&self) -> &[u8] {
        &self.octets
    }

    /// Everything written.
    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.octets
    }
}

/// Seconds since 1970 as the formats store them: 32 bits without sign, the nearest that there is.
pub(crate) fn stored_seconds(seconds: i64) -> u32 {
    u32::try_from(seconds).unwrap_or(if seconds < 0 { 0 } else { u32::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_survive_the_growth_of_the_buffer() {
        let mut writer = RecordWriter::default();
        for number in 0..5_000_u32 {
            writer.u32(number);
        }
        assert_eq!(writer.written().len(), 20_000);
        assert_eq!(writer.written()[19_996..], 4_999_u32.to_be_bytes());
    }

    #[test]
    fn a_time_outside_the_format_becomes_the_nearest_inside() {
        assert_eq!(stored_seconds(-1), 0);
        assert_eq!(stored_seconds(0xffff_ffff), u32::MAX);
        assert_eq!(stored_seconds(1 << 40), u32::MAX);
    }
}
