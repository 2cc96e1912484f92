//! Messages in pieces and whole tokens with associated data, with and without the context's key.

use orthros_crypto::{KeyUsage, Part};

use super::protected::acceptor;
use super::{ENCTYPE, Still, key};
use crate::message::token::WrapHeader;
use crate::{Context, Flags, Piece};

/// What the first octet of an input chooses.
#[derive(Clone, Copy)]
struct Shape(u8);

impl Shape {
    const DCE_STYLE: u8 = 1;
    /// There is a trailer.
    const TRAILER: u8 = 2;
    /// The token comes whole.
    const STREAM: u8 = 4;
    /// The message is followed by the header's right copy.
    const COPY: u8 = 8;
    /// The message is followed by as much filler as the header says.
    const FILLER: u8 = 16;

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
}

/// A message under its seal: `header(16) | confounder | data | behind`.
struct Sealed {
    header: WrapHeader,
    confounder: Vec<u8>,
    data: Vec<u8>,
    behind: Vec<u8>,
}

/// `shape | length of the associated data | header | associated data | message`: the octets as they are, first; then
/// the message is sealed, or signed, under that header, and cut or rotated as the shape has it.
///
/// Returns whether it was taken.
pub fn pieces(data: &[u8]) -> bool {
    let Some((&[shape, length], rest)) = data.split_first_chunk() else { return false };
    let shape = Shape(shape);
    let context = acceptor(if shape.has(Shape::DCE_STYLE) { Flags::DCE_STYLE } else { Flags::default() });
    let mut whole = rest.to_vec();
    assert!(context.unwrap_stream(&mut whole, &[], &[]).is_err(), "a token made without the key");
    let Ok((header, rest)) = WrapHeader::parse(rest) else { return false };
    let Some((associated, message)) = rest.split_at_checked(length.into()) else { return false };
    let sealed = seal(shape, header, associated, message);
    let before = *context.0.protection.window();
    let taken = if shape.has(Shape::STREAM) {
        stream(&context, shape, sealed, associated, message)
    } else {
        cut(&context, shape, sealed, associated, message)
    };
    assert!(taken || before == *context.0.protection.window(), "a refused message moved the window");
    taken
}

fn seal(shape: Shape, header: WrapHeader, associated: &[u8], message: &[u8]) -> Sealed {
    let key = key();
    let mut data = message.to_vec();
    if !header.is_sealed() {
        let covered = WrapHeader { extra_count: 0, right_rotation: 0, ..header }.octets();
        let behind = key.checksum(KeyUsage::INITIATOR_SEAL, &[associated, message, &covered]).to_vec();
        return Sealed { header, confounder: Vec::new(), data, behind };
    }
    let mut behind = Vec::new();
    if shape.has(Shape::FILLER) {
        behind.resize(header.extra_count.into(), 0xff);
    }
    if shape.has(Shape::COPY) {
        behind.extend(WrapHeader { right_rotation: 0, ..header }.octets());
    }
    let (mut confounder, mut tag) = (vec![0; ENCTYPE.confounder_len()], vec![0; ENCTYPE.tag_len()]);
    let mut parts = [Part::Signed(associated), Part::Sealed(&mut data), Part::Sealed(&mut behind)];
    let done = key.seal_parts(KeyUsage::INITIATOR_SEAL, &Still, &mut confounder, &mut parts, &mut tag);
    assert!(done.is_ok(), "the lengths are the enctype's");
    behind.extend(tag);
    Sealed { header, confounder, data, behind }
}

fn stream(context: &Context, shape: Shape, sealed: Sealed, associated: &[u8], message: &[u8]) -> bool {
    let Sealed { header, confounder, data, behind } = sealed;
    let mut tail = [confounder, data, behind].concat();
    let by_filler = shape.has(Shape::DCE_STYLE) && header.is_sealed() && header.right_rotation != 0;
    let rotation =
        usize::from(header.right_rotation) + usize::from(if by_filler { header.extra_count } else { 0 });
    let rotation = rotation.checked_rem(tail.len()).unwrap_or(0);
    tail.rotate_right(rotation);
    let mut token = [&header.octets()[..], &tail].concat();
    match context.unwrap_stream(&mut token, &[associated], &[]) {
        Ok((range, verified)) => {
            assert_eq!(verified.confidential, header.is_sealed());
            let opened = token.get(range).unwrap_or_default();
            assert!(message.starts_with(opened), "another message than was protected");
            true
        }
        Err(_) => {
            let plain = token.get(WrapHeader::LEN..).unwrap_or_default();
            assert!(!header.is_sealed() || !shows(plain, message), "plain text after a refusal");
            false
        }
    }
}

fn cut(context: &Context, shape: Shape, sealed: Sealed, associated: &[u8], message: &[u8]) -> bool {
    let Sealed { header, confounder, mut data, mut behind } = sealed;
    let trailer = shape.has(Shape::TRAILER);
    let head = header.octets();
    let mut first =
        if trailer { [&head[..], &confounder].concat() } else { [&head[..], &behind, &confounder].concat() };
    let mut pieces = vec![Piece::Header(&mut first), Piece::SignOnly(associated), Piece::Data(&mut data)];
    pieces.extend(trailer.then_some(Piece::Trailer(&mut behind)));
    match context.unwrap_pieces(&mut pieces) {
        Ok(verified) => {
            assert_eq!(verified.confidential, header.is_sealed());
            assert_eq!(data, message, "another message than was protected");
            true
        }
        Err(_) => {
            assert!(!header.is_sealed() || !shows(&data, message), "plain text after a refusal");
            false
        }
    }
}

/// Whether the message's beginning is there, if it can be told from wiped octets, filler and [`Still`]'s octets.
fn shows(octets: &[u8], message: &[u8]) -> bool {
    let Some(beginning) = message.first_chunk::<8>() else { return false };
    let telling = !beginning.iter().any(|octet| [0, 0x5a, 0xff].contains(octet));
    telling && octets.windows(8).any(|window| window == beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input whose header has these flags, filler and rotation.
    fn input(shape: u8, flags: u8, filler: u8, rotation: u8) -> Vec<u8> {
        let header = [5, 4, flags, 0xff, 0, filler, 0, rotation, 0, 0, 0, 0, 0, 0, 0, 7];
        [&[shape, 5][..], &header, b"associated message"].concat()
    }

    #[test]
    fn good_messages_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        let sealed = Shape::COPY | Shape::FILLER;
        let dce = sealed | Shape::DCE_STYLE;
        for (shape, flags, filler, rotation) in [
            (sealed | Shape::TRAILER, 2, 0, 0),
            (sealed, 2, 0, 28),
            (sealed | Shape::STREAM, 2, 0, 3),
            (dce | Shape::TRAILER, 2, 16, 0),
            (dce, 2, 16, 28),
            (dce | Shape::STREAM, 2, 16, 28),
            (dce | Shape::STREAM, 2, 16, 0),
            (Shape::TRAILER, 0, 12, 0),
            (0, 0, 12, 12),
            (Shape::STREAM, 0, 12, 5),
        ] {
            assert!(pieces(&input(shape, flags, filler, rotation)), "{shape} {flags} {filler} {rotation}");
        }
    }

    #[test]
    fn lengths_and_rotations_that_do_not_fit_are_refused() {
        let sealed = Shape::COPY | Shape::FILLER;
        for (shape, flags, filler, rotation) in [
            (Shape::TRAILER, 2, 0, 0),
            (sealed | Shape::TRAILER, 2, 0, 1),
            (sealed, 2, 0, 27),
            (sealed, 2, 16, 28),
            (sealed | Shape::DCE_STYLE, 2, 16, 44),
            (Shape::COPY | Shape::STREAM, 2, 200, 0),
            (Shape::TRAILER, 0, 11, 0),
            (Shape::STREAM, 0, 13, 0),
        ] {
            assert!(!pieces(&input(shape, flags, filler, rotation)), "{shape} {flags} {filler} {rotation}");
        }
    }
}
