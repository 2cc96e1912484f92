//! Messages in pieces, protected where they lie: the calls with vectors of buffers (`gss_wrap_iov` and its kin) and
//! with associated data (`gss_wrap_aead`), on the tokens of RFC 4121 §4.2.
//!
//! A token in pieces is `header | data and signed pieces, as given | trailer`. Sealed, the header ends with the
//! confounder, and the trailer is `filler | copy of the header | tag`; signed only, the trailer is the checksum.
//! Without a trailer the header has both, and says so as a rotation: `header | trailer | confounder`.
//!
//! Tokens of RFC 1964 have no such form here: their messages are whole.
//!
//! In DCE style (MS-KILE §3.4.5.4) a sealed token has a block of filler, which the rotation does not count.

use std::ops::Range;

use orthros_crypto::{Part, SessionKey};
use orthros_wire::Random;
use zeroize::Zeroize;

use super::protection::Protection;
use super::token::{TokenFlags, WrapHeader};
use crate::error::{BadToken, Error, Misuse};
use crate::status::Order;

/// Octets of filler in DCE style: a block of the cipher.
const DCE_FILLER: usize = 16;

/// A piece of a message. A message has one header, at most one trailer, and any number of the others.
#[derive(Debug)]
pub enum Piece<'a> {
    /// Sealed (or signed and left in the clear) in its place.
    Data(&'a mut [u8]),
    /// Room for the token's header.
    Header(&'a mut [u8]),
    /// Room for padding: [`PieceLengths::padding`] octets.
    Padding(&'a mut [u8]),
    /// Signed, and no part of the token.
    SignOnly(&'a [u8]),
    /// Room for what follows the data.
    Trailer(&'a mut [u8]),
}

/// The lengths of the pieces that a token needs beside its data, in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PieceLengths {
    /// Of the header.
    pub header: usize,
    /// Of the padding; 0 with the enctypes of RFC 4121, which need none.
    pub padding: usize,
    /// Of the trailer; 0 if there is none.
    pub trailer: usize,
}

/// What is known of a message that was verified where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verified {
    /// Whether it was sealed.
    pub confidential: bool,
    /// How it stands in the stream.
    pub order: Order,
}

/// The pieces by what they are for.
struct Laid<'p> {
    header: &'p mut [u8],
    trailer: Option<&'p mut [u8]>,
    /// Data and signed pieces, in their order.
    parts: Vec<Part<'p>>,
}

impl<'p> Laid<'p> {
    fn new(pieces: &'p mut [Piece<'_>]) -> Result<Self, Misuse> {
        let (mut header, mut trailer, mut parts) = (None, None, Vec::with_capacity(pieces.len() + 1));
        for piece in pieces {
            let twice = match piece {
                Piece::Data(octets) => {
                    parts.push(Part::Sealed(octets));
                    false
                }
                Piece::Header(octets) => header.replace(&mut **octets).is_some(),
                Piece::Padding(octets) => !octets.is_empty(),
                Piece::SignOnly(octets) => {
                    parts.push(Part::Signed(octets));
                    false
                }
                Piece::Trailer(octets) => trailer.replace(&mut **octets).is_some(),
            };
            if twice {
                return Err(Misuse::Pieces);
            }
        }
        Ok(Self { header: header.ok_or(Misuse::Pieces)?, trailer, parts })
    }

    /// Where the 16 octets of the header go, the confounder, and what follows the data (of `behind` octets).
    #[allow(clippy::type_complexity, reason = "three rooms and the parts, used at once by each caller")]
    fn rooms(
        self,
        behind: usize,
    ) -> Option<(&'p mut [u8; WrapHeader::LEN], &'p mut [u8], &'p mut [u8], Vec<Part<'p>>)> {
        let (head, rest) = self.header.split_first_chunk_mut()?;
        let (behind, confounder) = match self.trailer {
            Some(trailer) => (trailer, rest),
            None => rest.split_at_mut_checked(behind)?,
        };
        Some((head, confounder, behind, self.parts))
    }
}

impl Protection {
    /// The lengths of the pieces of a token.
    pub(crate) fn piece_lengths(&self, sealed: bool, with_trailer: bool) -> PieceLengths {
        self.lengths(sealed, with_trailer, self.filler(sealed))
    }

    fn lengths(&self, sealed: bool, with_trailer: bool, filler: usize) -> PieceLengths {
        let enctype = self.key().enctype();
        let (before, behind) = if sealed {
            (enctype.confounder_len(), filler + WrapHeader::LEN + enctype.tag_len())
        } else {
            (0, enctype.tag_len())
        };
        let header = WrapHeader::LEN + before;
        if with_trailer {
            PieceLengths { header, padding: 0, trailer: behind }
        } else {
            PieceLengths { header: header + behind, padding: 0, trailer: 0 }
        }
    }

    fn filler(&self, sealed: bool) -> usize {
        if sealed && self.is_dce_style() { DCE_FILLER } else { 0 }
    }

    /// What a header without a trailer says as its rotation.
    fn rotation_of_pieces(&self, sealed: bool, filler: usize) -> usize {
        let tag = self.key().enctype().tag_len();
        let counted = if self.is_dce_style() { 0 } else { filler };
        if sealed { WrapHeader::LEN + tag + counted } else { tag }
    }

    pub(crate) fn wrap_pieces(
        &self,
        sealed: bool,
        pieces: &mut [Piece<'_>],
        random: &dyn Random,
    ) -> Result<(), Error> {
        self.check_pieces()?;
        let laid = Laid::new(pieces)?;
        let with_trailer = laid.trailer.is_some();
        let filler = self.filler(sealed);
        let lengths = self.piece_lengths(sealed, with_trailer);
        let behind_len = self.piece_lengths(sealed, true).trailer;
        if (laid.header.len(), laid.trailer.as_ref().map_or(0, |trailer| trailer.len()))
            != (lengths.header, lengths.trailer)
        {
            return Err(Misuse::Pieces.into());
        }
        let (head, confounder, behind, mut parts) = laid.rooms(behind_len).ok_or(Misuse::Pieces)?;
        let short = |length: usize| u16::try_from(length).map_err(|_| Misuse::TooLong);
        let key = self.key();
        let right_rotation = if with_trailer { 0 } else { short(self.rotation_of_pieces(sealed, filler))? };
        let usage = self.role.seal_usage();
        if sealed {
            let bare = WrapHeader { extra_count: short(filler)?, ..self.wrap_header(TokenFlags::SEALED)? };
            let (copy, tag) = behind.split_at_mut_checked(filler + WrapHeader::LEN).ok_or(Misuse::Pieces)?;
            let (filling, room) = copy.split_at_mut_checked(filler).ok_or(Misuse::Pieces)?;
            filling.fill(0xff);
            room.copy_from_slice(&bare.octets());
            parts.push(Part::Sealed(copy));
            key.seal_parts(usage, random, confounder, &mut parts, tag).map_err(|_| Misuse::Pieces)?;
            *head = WrapHeader { right_rotation, ..bare }.octets();
        } else {
            let bare = self.wrap_header(0)?;
            let octets = bare.octets();
            let checksum = key.checksum(usage, &signed(&parts, &octets));
            behind.copy_from_slice(&checksum);
            *head = WrapHeader { extra_count: short(checksum.len())?, right_rotation, ..bare }.octets();
        }
        Ok(())
    }

    pub(crate) fn unwrap_pieces(&self, pieces: &mut [Piece<'_>]) -> Result<Verified, Error> {
        self.check_pieces()?;
        let laid = Laid::new(pieces)?;
        let (header, _) = WrapHeader::parse(laid.header)?;
        let key = self.receiving_key(header.flags)?;
        let sealed = header.is_sealed();
        let filler = if sealed { usize::from(header.extra_count) } else { 0 };
        let (with_trailer, rotation) = match &laid.trailer {
            Some(_) => (true, 0),
            None => (false, self.rotation_of_pieces(sealed, filler)),
        };
        let lengths = self.lengths(sealed, with_trailer, filler);
        let found = (laid.header.len(), laid.trailer.as_ref().map_or(0, |trailer| trailer.len()));
        if found != (lengths.header, lengths.trailer) || usize::from(header.right_rotation) != rotation {
            return Err(BadToken::Truncated.into());
        }
        let behind_len = self.lengths(sealed, true, filler).trailer;
        let (_, confounder, behind, parts) = laid.rooms(behind_len).ok_or(BadToken::Truncated)?;
        self.verify_parts(key, &header, confounder, parts, behind)
    }

    /// A token that is whole, with pieces that were signed with it before and after its data: where in it the
    /// data are.
    pub(crate) fn unwrap_stream(
        &self,
        token: &mut [u8],
        before: &[&[u8]],
        after: &[&[u8]],
    ) -> Result<(Range<usize>, Verified), Error> {
        self.check_pieces()?;
        let (header, body) = WrapHeader::parse(token)?;
        let key = self.receiving_key(header.flags)?;
        let sealed = header.is_sealed();
        let rotation = self.rotation(&header, body.len())?;
        let filler = if sealed { usize::from(header.extra_count) } else { 0 };
        let lengths = self.lengths(sealed, true, filler);
        let data_len = token
            .len()
            .checked_sub(lengths.header)
            .and_then(|rest| rest.checked_sub(lengths.trailer))
            .ok_or(BadToken::Truncated)?;
        let (_, tail) = token.split_at_mut(WrapHeader::LEN);
        tail.rotate_left(rotation);
        let split = |octets, at| <[u8]>::split_at_mut_checked(octets, at).ok_or(BadToken::Truncated);
        let (confounder, rest) = split(tail, lengths.header - WrapHeader::LEN)?;
        let (data, behind) = split(rest, data_len)?;
        let mut parts: Vec<_> = before.iter().map(|octets| Part::Signed(octets)).collect();
        parts.push(Part::Sealed(data));
        parts.extend(after.iter().map(|octets| Part::Signed(octets)));
        let verified = self.verify_parts(key, &header, confounder, parts, behind)?;
        Ok((lengths.header..lengths.header + data_len, verified))
    }

    /// Verifies a message in parts and opens it where it lies. After an error no plain text is left.
    fn verify_parts<'p>(
        &self,
        key: &SessionKey,
        header: &WrapHeader,
        confounder: &mut [u8],
        mut parts: Vec<Part<'p>>,
        behind: &'p mut [u8],
    ) -> Result<Verified, Error> {
        let usage = self.role.peer().seal_usage();
        if header.is_sealed() {
            let filler = usize::from(header.extra_count);
            let (copy, tag) =
                behind.split_at_mut_checked(filler + WrapHeader::LEN).ok_or(BadToken::Truncated)?;
            parts.push(Part::Sealed(copy));
            key.open_parts(usage, confounder, &mut parts, tag).map_err(|_| BadToken::Integrity)?;
            let agrees = match parts.last() {
                Some(Part::Sealed(copy)) => copy.last_chunk().is_some_and(|copy| header.agrees_with(copy)),
                _ => false,
            };
            if !agrees {
                parts.iter_mut().for_each(wipe);
                return Err(BadToken::Integrity.into());
            }
        } else {
            if usize::from(header.extra_count) != key.enctype().tag_len() {
                return Err(BadToken::Integrity.into());
            }
            let covered = WrapHeader { extra_count: 0, right_rotation: 0, ..*header }.octets();
            key.verify(usage, &signed(&parts, &covered), behind).map_err(|_| BadToken::Integrity)?;
        }
        let order = self.take(header.sequence).inspect_err(|_| parts.iter_mut().for_each(wipe))?;
        Ok(Verified { confidential: header.is_sealed(), order })
    }
}

/// What a checksum covers: the parts in their order, then the header.
fn signed<'a>(parts: &'a [Part<'_>], header: &'a [u8]) -> Vec<&'a [u8]> {
    let octets = parts.iter().map(|part| match part {
        Part::Sealed(octets) => &**octets,
        Part::Signed(octets) => octets,
    });
    octets.chain([header]).collect()
}

fn wipe(part: &mut Part<'_>) {
    if let Part::Sealed(octets) = part {
        octets.zeroize();
    }
}
