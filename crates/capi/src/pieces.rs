//! Messages in pieces, as C lends them (`gss_iov_buffer_desc`).
//!
//! Pieces that are changed where they lie must not lie in each other: that is checked, for a caller's mistake would make
//! two places of one.

use std::slice;

use crate::abi::{GssBuffer, IovBuffer};
use crate::memory;
use crate::status::{BAD_STRUCTURE, CALL_INACCESSIBLE_READ, Failed};

/// `GSS_IOV_BUFFER_FLAG_ALLOCATE`: the library is to make room.
const ALLOCATE: u32 = 0x1_0000;
/// `GSS_IOV_BUFFER_FLAG_ALLOCATED`: the library has.
const ALLOCATED: u32 = 0x2_0000;

/// What a piece is: `GSS_IOV_BUFFER_TYPE_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Passed over.
    Empty,
    /// The message, or a part of it.
    Data,
    /// Room for what goes before it.
    Header,
    /// Room for what goes behind it.
    Trailer,
    /// Room for filler.
    Padding,
    /// A whole token.
    Stream,
    /// Signed, and no part of the token.
    SignOnly,
    /// Room for a MIC, or the MIC.
    Mic,
}

impl Kind {
    const ALL: [(u32, Self); 8] = [
        (0, Self::Empty),
        (1, Self::Data),
        (2, Self::Header),
        (7, Self::Trailer),
        (9, Self::Padding),
        (10, Self::Stream),
        (11, Self::SignOnly),
        (12, Self::Mic),
    ];
}

/// The pieces that a caller lends, or null.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Iov(*mut IovBuffer);

/// One piece.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: *mut IovBuffer,
    /// What it is.
    pub kind: Kind,
    flags: u32,
    buffer: GssBuffer,
}

impl Iov {
    /// Pieces.
    ///
    /// # Safety
    /// `at` is null or as many pieces lie there as the call that gets them is told, and nobody else uses them or what they
    /// point to while this is in use.
    pub unsafe fn new(at: *mut IovBuffer) -> Self {
        Self(at)
    }

    /// The pieces, in their order.
    ///
    /// # Errors
    /// `GSS_S_CALL_INACCESSIBLE_READ` for null, `GSS_S_CALL_BAD_STRUCTURE` for a piece of an unknown kind.
    pub fn places(self, count: i32) -> Result<Vec<Place>, Failed> {
        let count = usize::try_from(count).map_err(|_| Failed::call(BAD_STRUCTURE))?;
        if self.0.is_null() && count > 0 {
            return Err(Failed::call(CALL_INACCESSIBLE_READ));
        }
        let place = |number: usize| {
            let at = self.0.wrapping_add(number);
            // SAFETY: by the promise of `new` there are `count` pieces.
            let IovBuffer { kind: number, buffer } = unsafe { at.read() };
            let known = Kind::ALL.into_iter().find(|(known, _)| *known == number & 0xffff);
            let (_, kind) = known.ok_or_else(|| Failed::call(BAD_STRUCTURE))?;
            Ok(Place { at, kind, flags: number & !0xffff, buffer })
        };
        (0..count).map(place).collect()
    }
}

impl Place {
    /// Whether the library is to make room.
    pub fn allocates(&self) -> bool {
        self.flags & ALLOCATE != 0
    }

    /// How many octets it has.
    pub fn len(&self) -> usize {
        self.buffer.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.buffer.length == 0
    }

    /// Tells the caller how many octets it needs, or has.
    pub fn set_len(&mut self, length: usize) {
        self.buffer.length = length;
        self.write();
    }

    /// Gets room of so many octets: the library's if that is wanted, else the caller's, which must be enough.
    ///
    /// # Errors
    /// No memory; `GSS_S_FAILURE` if the caller's room is too small.
    pub fn room(&mut self, length: usize) -> Result<(), Failed> {
        if self.allocates() {
            self.buffer = GssBuffer { length, value: memory::allocate(&vec![0; length])? };
            self.flags = (self.flags | ALLOCATED) & !ALLOCATE;
        } else if self.buffer.length < length {
            let story = format!("the piece has room for {} octets and needs {length}", self.buffer.length);
            return Err(Failed::told(orthros::Major::Failure, story));
        }
        self.set_len(length);
        Ok(())
    }

    /// Lets it point to a part of a stream.
    pub fn point(&mut self, stream: &Self, range: std::ops::Range<usize>) {
        let value = stream.buffer.value.cast::<u8>().wrapping_add(range.start).cast();
        self.buffer = GssBuffer { length: range.len(), value };
        self.write();
    }

    /// Frees what the library has made for it.
    pub fn release(&mut self) {
        if self.flags & ALLOCATED != 0 {
            memory::free(self.buffer.value);
            self.buffer = GssBuffer::EMPTY;
            self.flags &= !ALLOCATED;
            self.write();
        }
    }

    fn write(&mut self) {
        let number =
            Kind::ALL.into_iter().find(|(_, kind)| *kind == self.kind).map_or(0, |(number, _)| number);
        // SAFETY: `at` is one of the caller's pieces, by the promise of `Iov::new`.
        unsafe { self.at.write(IovBuffer { kind: number | self.flags, buffer: self.buffer }) };
    }
}

/// The octets of these pieces, to be changed where they lie.
///
/// # Errors
/// `GSS_S_CALL_BAD_STRUCTURE` if two of them share an octet, or one has a length and no octets.
pub fn octets<'a>(places: &[Place]) -> Result<Vec<&'a mut [u8]>, Failed> {
    let wrong = || Failed::call(BAD_STRUCTURE);
    let mut spans = Vec::with_capacity(places.len());
    for place in places.iter().filter(|place| !place.is_empty()) {
        let begin = place.buffer.value.addr();
        let end = begin.checked_add(place.buffer.length).filter(|_| begin != 0).ok_or_else(wrong)?;
        spans.push((begin, end));
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| matches!(pair, [(_, end), (begin, _)] if end > begin)) {
        return Err(wrong());
    }
    let lend = |place: &Place| -> &'a mut [u8] {
        if place.is_empty() {
            return &mut [];
        }
        // SAFETY: not null, and by the promise of `Iov::new` so many octets of the caller's lie there that nobody else
        // uses; no two of the slices share one, as was just checked.
        unsafe { slice::from_raw_parts_mut(place.buffer.value.cast(), place.buffer.length) }
    };
    Ok(places.iter().map(lend).collect())
}
