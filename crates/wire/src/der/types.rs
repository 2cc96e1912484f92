//! Which Rust type stands for which ASN.1 type.
//!
//! | ASN.1 | Rust |
//! |---|---|
//! | INTEGER | `i32`, `i64`, `u32` |
//! | BOOLEAN | `bool` |
//! | OCTET STRING | `&[u8]` |
//! | GeneralString (KerberosString) | [`GeneralString`] |
//! | GeneralizedTime (KerberosTime) | [`KerberosTime`] |
//! | ENUMERATED | [`Enumerated`] |
//! | OBJECT IDENTIFIER | [`Oid`] |
//! | SEQUENCE OF | `Vec` |
//! | OPTIONAL | `Option` |
//! | a value whose octets must be kept | [`Raw`] |

use super::{Decode, DerError, DerReader, DerWriter, Encode, Tag};
use crate::Oid;
use crate::env::{Civil, Timestamp};

/// The two's complement number in `content`, which must be minimal and fit 64 bits.
fn integer(content: &[u8]) -> Result<i64, DerError> {
    // Most numbers of a message.
    if let [only] = *content {
        return Ok(i8::from_be_bytes([only]).into());
    }
    let (&first, rest) = content.split_first().ok_or(DerError::Value("INTEGER"))?;
    let redundant =
        rest.first().is_some_and(|second| matches!((first, second & 0x80), (0, 0) | (0xff, 0x80)));
    if redundant || content.len() > 8 {
        return Err(DerError::Value("INTEGER"));
    }
    let negative = first & 0x80 != 0;
    Ok(content.iter().fold(if negative { -1 } else { 0 }, |number, &octet| number << 8 | i64::from(octet)))
}

fn write_integer(writer: &mut DerWriter, tag: Tag, number: i64) {
    // Of the bits that only repeat the sign, one stays.
    let repeated = (number ^ (number >> 63)).leading_zeros() - 1;
    let octets = number.to_be_bytes();
    let (_, minimal) = octets.split_at(usize::try_from(repeated / 8).unwrap_or(0));
    writer.short_value(tag, minimal);
}

impl Decode<'_> for i64 {
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        integer(reader.expect(Tag::INTEGER)?)
    }
}

impl Encode for i64 {
    fn encode(&self, writer: &mut DerWriter) {
        write_integer(writer, Tag::INTEGER, *self);
    }
}

impl Decode<'_> for i32 {
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        Self::try_from(i64::decode(reader)?).map_err(|_| DerError::Value("Int32"))
    }
}

impl Encode for i32 {
    fn encode(&self, writer: &mut DerWriter) {
        i64::from(*self).encode(writer);
    }
}

impl Decode<'_> for u32 {
    /// Takes negative numbers of 32 bits too, as the unsigned number with the same bits: peers have always
    /// sent key versions and sequence numbers that way.
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        let number = i64::decode(reader)?;
        Self::try_from(number)
            .or_else(|_| i32::try_from(number).map(i32::cast_unsigned))
            .map_err(|_| DerError::Value("UInt32"))
    }
}

impl Encode for u32 {
    fn encode(&self, writer: &mut DerWriter) {
        i64::from(*self).encode(writer);
    }
}

impl Decode<'_> for bool {
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        match reader.expect(Tag::BOOLEAN)? {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerError::Value("BOOLEAN")),
        }
    }
}

impl Encode for bool {
    fn encode(&self, writer: &mut DerWriter) {
        writer.short_value(Tag::BOOLEAN, &[if *self { 0xff } else { 0 }]);
    }
}

impl<'a> Decode<'a> for &'a [u8] {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        reader.expect(Tag::OCTET_STRING)
    }
}

impl Encode for &[u8] {
    fn encode(&self, writer: &mut DerWriter) {
        writer.value(Tag::OCTET_STRING, |writer| writer.octets(self));
    }
}

/// A KerberosString (RFC 4120 §5.2.1): UTF-8 here, as every present implementation writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneralString<'a>(pub &'a str);

impl<'a> Decode<'a> for GeneralString<'a> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        let content = reader.expect(Tag::GENERAL_STRING)?;
        std::str::from_utf8(content).map(Self).map_err(|_| DerError::Value("KerberosString"))
    }
}

impl Encode for GeneralString<'_> {
    fn encode(&self, writer: &mut DerWriter) {
        writer.value(Tag::GENERAL_STRING, |writer| writer.octets(self.0.as_bytes()));
    }
}

/// A UTF8String.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Utf8String<'a>(pub &'a str);

impl<'a> Decode<'a> for Utf8String<'a> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        let content = reader.expect(Tag::UTF8_STRING)?;
        std::str::from_utf8(content).map(Self).map_err(|_| DerError::Value("UTF8String"))
    }
}

impl Encode for Utf8String<'_> {
    fn encode(&self, writer: &mut DerWriter) {
        writer.value(Tag::UTF8_STRING, |writer| writer.octets(self.0.as_bytes()));
    }
}

/// A KerberosTime (RFC 4120 §5.2.3): whole seconds since 1970, UTC; on the wire `YYYYMMDDHHMMSSZ`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KerberosTime(pub i64);

impl From<Timestamp> for KerberosTime {
    /// Drops the microseconds.
    fn from(moment: Timestamp) -> Self {
        Self(moment.seconds)
    }
}

impl From<KerberosTime> for Timestamp {
    fn from(time: KerberosTime) -> Self {
        Self::from_seconds(time.0)
    }
}

impl Decode<'_> for KerberosTime {
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        parse_time(reader.expect(Tag::GENERALIZED_TIME)?).map(Self).ok_or(DerError::Value("KerberosTime"))
    }
}

fn parse_time(content: &[u8]) -> Option<i64> {
    let (digits, [b'Z']) = content.split_last_chunk::<1>()? else { return None };
    let digits: &[u8; 14] = digits.try_into().ok()?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let [y0, y1, y2, y3, month @ .., h0, h1, m0, m1, s0, s1] = digits.map(|digit| digit - b'0');
    let [o0, o1, d0, d1] = month;
    let civil = Civil {
        year: i64::from(y0) * 1000 + i64::from(y1) * 100 + i64::from(y2) * 10 + i64::from(y3),
        month: o0 * 10 + o1,
        day: d0 * 10 + d1,
        hour: h0 * 10 + h1,
        minute: m0 * 10 + m1,
        second: s0 * 10 + s1,
    };
    civil.to_seconds()
}

impl Encode for KerberosTime {
    /// A year outside 0 to 9999 is written as the nearest that the format has.
    fn encode(&self, writer: &mut DerWriter) {
        let civil = Civil::from_seconds(self.0.clamp(-62_167_219_200, 253_402_300_799));
        let century = u8::try_from(civil.year / 100).unwrap_or(99);
        let year = u8::try_from(civil.year % 100).unwrap_or(99);
        let parts = [century, year, civil.month, civil.day, civil.hour, civil.minute, civil.second];
        let mut text = [b'Z'; 15];
        let (pairs, _) = text.as_chunks_mut::<2>();
        for (pair, part) in pairs.iter_mut().zip(parts) {
            *pair = [b'0' + part / 10, b'0' + part % 10];
        }
        writer.short_value(Tag::GENERALIZED_TIME, &text);
    }
}

/// An ENUMERATED number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumerated(pub i32);

impl Decode<'_> for Enumerated {
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        let number = integer(reader.expect(Tag::ENUMERATED)?)?;
        i32::try_from(number).map(Self).map_err(|_| DerError::Value("ENUMERATED"))
    }
}

impl Encode for Enumerated {
    fn encode(&self, writer: &mut DerWriter) {
        write_integer(writer, Tag::ENUMERATED, self.0.into());
    }
}

impl Decode<'_> for Oid {
    fn decode(reader: &mut DerReader<'_>) -> Result<Self, DerError> {
        let content = reader.expect(Tag::OBJECT_IDENTIFIER)?;
        Self::from_content(content).map_err(|_| DerError::Value("OBJECT IDENTIFIER"))
    }
}

impl Encode for Oid {
    fn encode(&self, writer: &mut DerWriter) {
        writer.value(Tag::OBJECT_IDENTIFIER, |writer| writer.octets(self.content()));
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Vec<T> {
    /// Grows as elements are read: a lying count cannot make it allocate.
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        let mut elements = DerReader::new(reader.expect(Tag::SEQUENCE)?);
        let mut list = Self::new();
        while !elements.is_empty() {
            list.push(T::decode(&mut elements)?);
        }
        Ok(list)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, writer: &mut DerWriter) {
        writer.value(Tag::SEQUENCE, |writer| self.iter().for_each(|element| element.encode(writer)));
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Option<T> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        T::decode(reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, writer: &mut DerWriter) {
        if let Some(value) = self {
            value.encode(writer);
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// A value together with the octets that it was read from, which are what a checksum covers and what is
/// passed on: encoding it writes those octets again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw<'a, T> {
    value: T,
    octets: &'a [u8],
}

impl<'a, T> Raw<'a, T> {
    /// The octets as they came, tag included.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The value alone.
    pub fn into_value(self) -> T {
        self.value
    }
}

impl<T> std::ops::Deref for Raw<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'a, T: Decode<'a>> Decode<'a> for Raw<'a, T> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        let before = reader.rest();
        let value = T::decode(reader)?;
        let (octets, _) = before.split_at(before.len() - reader.rest().len());
        Ok(Self { value, octets })
    }
}

impl<T> Encode for Raw<'_, T> {
    fn encode(&self, writer: &mut DerWriter) {
        writer.octets(self.octets);
    }
}

/// Any one value, undecoded: all its octets, tag included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyTlv<'a>(pub &'a [u8]);

impl<'a> Decode<'a> for AnyTlv<'a> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        reader.any().map(|(_, _, octets)| Self(octets))
    }
}

impl Encode for AnyTlv<'_> {
    fn encode(&self, writer: &mut DerWriter) {
        writer.octets(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_both_ways() {
        for (number, octets) in [
            (0_i64, &[2, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (-128, &[2, 1, 128]),
            (-129, &[2, 2, 0xff, 0x7f]),
            (i64::MAX, &[2, 8, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            (i64::MIN, &[2, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert_eq!(number.to_der(), octets);
            assert_eq!(i64::from_der(octets), Ok(number));
        }
        for octets in [&[2, 0][..], &[2, 2, 0, 1], &[2, 2, 0xff, 0xff], &[2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(i64::from_der(octets).is_err(), "{octets:02x?}");
        }
    }

    #[test]
    fn a_negative_number_is_taken_as_the_unsigned_one_with_its_bits() {
        assert_eq!(u32::from_der(&[2, 1, 0xff]), Ok(u32::MAX));
        assert_eq!(u32::from_der(&[2, 5, 0, 0xff, 0xff, 0xff, 0xff]), Ok(u32::MAX));
        assert!(u32::from_der(&[2, 5, 1, 0, 0, 0, 0]).is_err());
        assert!(u32::from_der(&[2, 5, 0xff, 0x7f, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn times_are_exact() {
        let time = KerberosTime(951_782_399);
        assert_eq!(&time.to_der()[2..], b"20000228235959Z");
        assert_eq!(KerberosTime::from_der(&time.to_der()), Ok(time));
        for bad in
            ["20000230235959Z", "20000228235959", "2000022823595Z", "20000228235960Z", "2000022823595xZ", ""]
        {
            let octets = [&[0x18, u8::try_from(bad.len()).unwrap()], bad.as_bytes()].concat();
            assert!(KerberosTime::from_der(&octets).is_err(), "{bad}");
        }
    }
}
