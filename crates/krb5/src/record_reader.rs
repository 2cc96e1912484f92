//! Reads the records of credential caches and keytabs. Their first versions have the byte order of the machine
//! that wrote them, all later ones are big-endian.

use orthros_wire::{Reader, Truncated};

/// Which octet of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    /// The most significant.
    Big,
    /// The least significant.
    Little,
}

impl ByteOrder {
    /// That of this machine.
    pub(crate) const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// A reader of numbers in one byte order.
pub(crate) struct RecordReader<'a> {
    octets: Reader<'a>,
    order: ByteOrder,
}

impl<'a> RecordReader<'a> {
    pub(crate) fn new(octets: &'a [u8], order: ByteOrder) -> Self {
        Self { octets: Reader::new(octets), order }
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let mut number = self.octets.array::<N>()?;
        if self.order == ByteOrder::Little {
            number.reverse();
        }
        Ok(number)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Truncated> {
        self.octets.u8()
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Truncated> {
        self.number().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Truncated> {
        self.number().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Truncated> {
        self.number().map(i32::from_be_bytes)
    }

    /// So many octets.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        self.octets.take(count)
    }

    /// The octets behind a length of two octets.
    pub(crate) fn counted_u16(&mut self) -> Result<&'a [u8], Truncated> {
        let count = self.u16()?;
        self.take(count.into())
    }

    /// The octets behind a length of four octets.
    pub(crate) fn counted_u32(&mut self) -> Result<&'a [u8], Truncated> {
        let count = usize::try_from(self.u32()?).map_err(|_| Truncated)?;
        self.take(count)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.octets.rest()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }
}
