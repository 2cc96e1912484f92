//! The reading half: tags, lengths, contents.

use std::fmt;

/// One identifier octet: class, constructed bit and a number below 31.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub u8);

impl Tag {
    /// BOOLEAN.
    pub const BOOLEAN: Self = Self(0x01);
    /// INTEGER.
    pub const INTEGER: Self = Self(0x02);
    /// BIT STRING, primitive.
    pub const BIT_STRING: Self = Self(0x03);
    /// OCTET STRING, primitive.
    pub const OCTET_STRING: Self = Self(0x04);
    /// OBJECT IDENTIFIER.
    pub const OBJECT_IDENTIFIER: Self = Self(0x06);
    /// ENUMERATED.
    pub const ENUMERATED: Self = Self(0x0a);
    /// GeneralizedTime.
    pub const GENERALIZED_TIME: Self = Self(0x18);
    /// GeneralString: every KerberosString.
    pub const GENERAL_STRING: Self = Self(0x1b);
    /// UTF8String.
    pub const UTF8_STRING: Self = Self(0x0c);
    /// SEQUENCE and SEQUENCE OF.
    pub const SEQUENCE: Self = Self(0x30);

    /// `[number]`, explicit; `number` is below 31.
    pub const fn context(number: u8) -> Self {
        Self(0xa0 | (number & 0x1f))
    }

    /// `[APPLICATION number]`, constructed; `number` is below 31.
    pub const fn application(number: u8) -> Self {
        Self(0x60 | (number & 0x1f))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0 & 0x1f;
        match self.0 >> 6 {
            1 => write!(f, "[APPLICATION {number}]"),
            2 => write!(f, "[{number}]"),
            _ => write!(f, "tag 0x{:02x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why octets are not the DER that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerError {
    /// A length is indefinite, not minimal, or longer than four octets.
    Length,
    /// A field that must be there is not.
    Missing(&'static str),
    /// Another tag stands here.
    Tag {
        /// What the grammar asks for.
        expected: Tag,
        /// What was found.
        found: Tag,
    },
    /// Octets follow where the value should end.
    Trailing,
    /// The data end too early.
    Truncated,
    /// The content does not suit its type (named).
    Value(&'static str),
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("a DER length is malformed"),
            Self::Missing(field) => write!(f, "the field {field} is missing"),
            Self::Tag { expected, found } => write!(f, "{expected} expected, {found} found"),
            Self::Trailing => f.write_str("octets follow the end of the value"),
            Self::Truncated => f.write_str("the DER data end too early"),
            Self::Value(what) => write!(f, "the content is no valid {what}"),
        }
    }
}

impl std::error::Error for DerError {}

/// A value that can be read from DER without copying its strings.
pub trait Decode<'a>: Sized {
    /// Reads one value, tag included.
    ///
    /// # Errors
    /// [`DerError`] if the next octets are not this type.
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError>;

    /// What an absent field of this type means; `None` if it must be there.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads a value that fills `octets` wholly.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and [`DerError::Trailing`] if octets follow.
    fn from_der(octets: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = DerReader::new(octets);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// A cursor over DER values.
///
/// ```
/// use orthros_wire::der::{DerReader, Tag};
/// let mut reader = DerReader::new(&[0x30, 0x03, 0x02, 0x01, 0x05]);
/// let mut inner = DerReader::new(reader.expect(Tag::SEQUENCE)?);
/// assert_eq!(inner.expect(Tag::INTEGER)?, [5]);
/// # Ok::<(), orthros_wire::der::DerError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DerReader<'a> {
    octets: &'a [u8],
}

impl<'a> DerReader<'a> {
    /// A cursor at the first of `octets`.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// The next value: its tag, its content, and all its octets.
    ///
    /// # Errors
    /// [`DerError::Truncated`] or [`DerError::Length`].
    pub fn any(&mut self) -> Result<(Tag, &'a [u8], &'a [u8]), DerError> {
        let whole = self.octets;
        let (tag, content, after) = split(whole)?;
        let (octets, _) = whole.split_at_checked(whole.len() - after.len()).ok_or(DerError::Truncated)?;
        self.octets = after;
        Ok((tag, content, octets))
    }

    /// The content of the next value, which must bear this tag.
    ///
    /// # Errors
    /// [`DerError::Tag`] and as [`any`](Self::any); the cursor stays on error.
    pub fn expect(&mut self, expected: Tag) -> Result<&'a [u8], DerError> {
        let (found, content, after) = split(self.octets)?;
        if found != expected {
            return Err(DerError::Tag { expected, found });
        }
        self.octets = after;
        Ok(content)
    }

    /// The content of the next value if it bears this tag; `None`, and the cursor stays, if another or
    /// nothing follows.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub fn optional(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, DerError> {
        if self.octets.first() == Some(&tag.0) { self.expect(tag).map(Some) } else { Ok(None) }
    }

    /// What has not been read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Demands that everything has been read.
    ///
    /// # Errors
    /// [`DerError::Trailing`] otherwise.
    pub fn finish(self) -> Result<(), DerError> {
        if self.octets.is_empty() { Ok(()) } else { Err(DerError::Trailing) }
    }
}

/// The tag and the content of the first value in `octets`, and what follows it.
#[inline]
fn split(octets: &[u8]) -> Result<(Tag, &[u8], &[u8]), DerError> {
    let ([tag, first], rest) = octets.split_first_chunk().ok_or(DerError::Truncated)?;
    if tag & 0x1f == 0x1f {
        return Err(DerError::Value("tag"));
    }
    let (length, rest) = match *first {
        short @ 0..0x80 => (usize::from(short), rest),
        long => long_length(usize::from(long & 0x7f), rest)?,
    };
    let (content, after) = rest.split_at_checked(length).ok_or(DerError::Truncated)?;
    Ok((Tag(*tag), content, after))
}

/// A length of `count` octets (1 to 4), minimal as DER demands.
fn long_length(count: usize, rest: &[u8]) -> Result<(usize, &[u8]), DerError> {
    if !(1..=4).contains(&count) {
        return Err(DerError::Length);
    }
    let (octets, rest) = rest.split_at_checked(count).ok_or(DerError::Truncated)?;
    let length = octets.iter().fold(0_usize, |length, &octet| length << 8 | usize::from(octet));
    if length < 0x80 || octets.first() == Some(&0) {
        return Err(DerError::Length);
    }
    Ok((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_definite_minimal_lengths_are_taken() {
        for (octets, error) in [
            (&[0x30, 0x80, 0, 0][..], DerError::Length),
            (&[0x30, 0x81, 0x7f], DerError::Length),
            (&[0x30, 0x82, 0x00, 0x80], DerError::Length),
            (&[0x30, 0x85, 0, 0, 0, 0, 1], DerError::Length),
            (&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], DerError::Truncated),
            (&[0x30, 0x02, 0x00], DerError::Truncated),
            (&[0x30], DerError::Truncated),
            (&[], DerError::Truncated),
            (&[0x3f, 0x81, 0x00, 0x00], DerError::Value("tag")),
        ] {
            assert_eq!(DerReader::new(octets).any().unwrap_err(), error, "{octets:02x?}");
        }
    }

    #[test]
    #[allow(unreachable_pub, reason = "the macro makes public structs, and this one stays in its test")]
    fn octets_after_a_value_and_fields_after_the_last_are_refused() {
        crate::sequence! {
            /// Two numbers, the second optional.
            pub struct Pair {
                /// The first.
                0 => first: i32,
                /// The second.
                1 => second: Option<i32>,
            }
        }
        assert_eq!(i32::from_der(&[2, 1, 5, 0]), Err(DerError::Trailing));
        assert_eq!(Pair::from_der(&[0x30, 5, 0xa0, 3, 2, 1, 5]), Ok(Pair { first: 5, second: None }));
        // An unknown field, a field twice, fields in the wrong order, octets behind a field's value.
        for octets in [
            &[0x30, 10, 0xa0, 3, 2, 1, 5, 0xa2, 3, 2, 1, 5][..],
            &[0x30, 10, 0xa0, 3, 2, 1, 5, 0xa0, 3, 2, 1, 5],
            &[0x30, 7, 0xa0, 5, 2, 1, 5, 5, 0],
            &[0x30, 5, 0xa0, 3, 2, 1, 5, 0],
        ] {
            assert_eq!(Pair::from_der(octets), Err(DerError::Trailing), "{octets:02x?}");
        }
        let wrong_order = [0x30, 10, 0xa1, 3, 2, 1, 5, 0xa0, 3, 2, 1, 5];
        assert_eq!(Pair::from_der(&wrong_order), Err(DerError::Missing("first")));
    }
}
