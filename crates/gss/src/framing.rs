//! The mechanism-independent token header of RFC 2743 §3.1: `[APPLICATION 0]`, length, OID, inner token.

use orthros_wire::Oid;
use orthros_wire::der::{DerReader, DerWriter, Encode, Tag};

use crate::error::BadToken;
use crate::mechanism::MECHANISMS;

const HEADER: Tag = Tag::application(0);

/// Puts `inner` behind the header of `mechanism`.
pub fn frame(mechanism: &Oid, inner: &[&[u8]]) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.value(HEADER, |writer| {
        mechanism.encode(writer);
        inner.iter().for_each(|octets| writer.octets(octets));
    });
    writer.finish()
}

/// The mechanism and the inner token.
///
/// # Errors
/// [`BadToken::Framing`] if the header is malformed or its length is not that of the token.
pub fn unframe(token: &[u8]) -> Result<(Oid, &[u8]), BadToken> {
    let mut outer = DerReader::new(token);
    let content = outer.expect(HEADER).map_err(|_| BadToken::Framing)?;
    outer.finish().map_err(|_| BadToken::Framing)?;
    let mut inner = DerReader::new(content);
    let octets = inner.expect(Tag::OBJECT_IDENTIFIER).map_err(|_| BadToken::Framing)?;
    let here = MECHANISMS.iter().map(|mechanism| &mechanism.oid).find(|oid| oid.content() == octets);
    let mechanism = match here {
        Some(oid) => oid.clone(),
        None => Oid::from_content(octets).map_err(|_| BadToken::Framing)?,
    };
    Ok((mechanism, inner.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanism::KRB5_OID;

    #[test]
    fn lying_lengths_are_refused() {
        let token = frame(&KRB5_OID, &[&[1, 0], b"inner"]);
        assert_eq!(unframe(&token), Ok((KRB5_OID, &b"\x01\x00inner"[..])));
        for cut in 0..token.len() {
            assert_eq!(unframe(&token[..cut]), Err(BadToken::Framing));
        }
        assert_eq!(unframe(&[&token[..], &[0]].concat()), Err(BadToken::Framing));
        assert_eq!(unframe(&[0x60, 0x84, 0xff, 0xff, 0xff, 0xff]), Err(BadToken::Framing));
    }
}
