//! A checked cursor over foreign octets.
//!
//! Every method either yields what it names and moves on, or says [`Truncated`] and leaves the cursor where
//! it was. No length is believed before it has been compared with what is really there.

use std::fmt;

/// Fewer octets are left than the format demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated;

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the data end too early")
    }
}

impl std::error::Error for Truncated {}

/// A cursor over borrowed octets; integers are big-endian unless the method says otherwise.
///
/// ```
/// use orthros_wire::Reader;
/// let mut reader = Reader::new(&[0x05, 0x04, 0, 0, 0, 1, b'x']);
/// assert_eq!(reader.u16()?, 0x0504);
/// assert_eq!(reader.counted_u32()?, b"x");
/// assert!(reader.is_empty());
/// # Ok::<(), orthros_wire::Truncated>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    octets: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A cursor at the first of `octets`.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// The next `count` octets.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let (taken, rest) = self.octets.split_at_checked(count).ok_or(Truncated)?;
        self.octets = rest;
        Ok(taken)
    }

    /// The next `N` octets by value.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let (taken, rest) = self.octets.split_first_chunk::<N>().ok_or(Truncated)?;
        self.octets = rest;
        Ok(*taken)
    }

    /// One octet.
    ///
    /// # Errors
    /// [`Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    /// Two octets.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four octets.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Truncated> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Four octets as a two's complement number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn i32(&mut self) -> Result<i32, Truncated> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// Eight octets.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn u64(&mut self) -> Result<u64, Truncated> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// Eight octets as a two's complement number.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left.
    pub fn i64(&mut self) -> Result<i64, Truncated> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// A length of two octets and as many octets as it says.
    ///
    /// # Errors
    /// [`Truncated`] if the length lies; the cursor has not moved then.
    pub fn counted_u16(&mut self) -> Result<&'a [u8], Truncated> {
        let mut ahead = *self;
        let length = ahead.u16()?;
        let taken = ahead.take(length.into())?;
        *self = ahead;
        Ok(taken)
    }

    /// A length of four octets and as many octets as it says.
    ///
    /// # Errors
    /// [`Truncated`] if the length lies; the cursor has not moved then.
    pub fn counted_u32(&mut self) -> Result<&'a [u8], Truncated> {
        let mut ahead = *self;
        let length = usize::try_from(ahead.u32()?).map_err(|_| Truncated)?;
        let taken = ahead.take(length)?;
        *self = ahead;
        Ok(taken)
    }

    /// What has not been read yet; the cursor stays.
    pub fn rest(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether everything has been read.
    pub fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lying_length_leaves_the_cursor_where_it_was() {
        let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 1]);
        assert_eq!(reader.counted_u32(), Err(Truncated));
        assert_eq!(reader.counted_u16(), Err(Truncated));
        assert_eq!(reader.rest().len(), 5);
    }
}
