//! Object identifiers as every GSS-API call names mechanisms, name types and inquiries.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// An object identifier, kept as the content octets of its DER encoding (X.690 §8.19), which is also how
/// `gss_OID_desc` holds it.
///
/// ```
/// use orthros_wire::Oid;
/// const KRB5: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02]);
/// assert_eq!(KRB5.to_string(), "1.2.840.113554.1.2.2");
/// assert_eq!("1.2.840.113554.1.2.2".parse(), Ok(KRB5));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Cow<'static, [u8]>);

/// The text or the octets are no object identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOid;

impl fmt::Display for BadOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an object identifier")
    }
}

impl std::error::Error for BadOid {}

impl Oid {
    /// The identifier with these content octets, which the caller has checked at the time of writing.
    pub const fn from_static(content: &'static [u8]) -> Self {
        Self(Cow::Borrowed(content))
    }

    /// The identifier with these content octets.
    ///
    /// # Errors
    /// [`BadOid`] if they are empty, end within an arc, write an arc with a leading zero, or hold an arc of
    /// more than 128 bits, which no UUID has (ITU-T X.667).
    pub fn from_content(content: &[u8]) -> Result<Self, BadOid> {
        if content.is_empty() || !arcs(content).all(is_arc) {
            return Err(BadOid);
        }
        Ok(Self(Cow::Owned(content.to_vec())))
    }

    /// The content octets, without tag and length.
    pub fn content(&self) -> &[u8] {
        &self.0
    }
}

/// The arcs in `content`, each in its octets; the first two arcs are joined.
fn arcs(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    content.split_inclusive(|octet| octet & 0x80 == 0)
}

/// Whether octets are an arc: to its end, without a leading zero, and of no more than 128 bits, for which eighteen octets
/// and two bits more are enough.
fn is_arc(octets: &[u8]) -> bool {
    match octets {
        [0x80, ..] | [.., 0x80..=0xff] => false,
        [first, rest @ ..] => rest.len() < 18 || rest.len() == 18 && *first < 0x84,
        [] => false,
    }
}

/// The number that an arc stands for.
fn number(arc: &[u8]) -> u128 {
    arc.iter().fold(0, |number, octet| number << 7 | u128::from(octet & 0x7f))
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut arcs = arcs(&self.0).map(number);
        let Some(joined) = arcs.next() else { return f.write_str("?") };
        let first = (joined / 40).min(2);
        write!(f, "{first}.{}", joined - first * 40)?;
        arcs.try_for_each(|arc| write!(f, ".{arc}"))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl FromStr for Oid {
    type Err = BadOid;

    /// Reads the dotted form.
    fn from_str(text: &str) -> Result<Self, BadOid> {
        let arcs = text
            .split('.')
            .map(|arc| arc.parse::<u128>().map_err(|_| BadOid))
            .collect::<Result<Vec<_>, _>>()?;
        let [first, second, rest @ ..] = arcs.as_slice() else { return Err(BadOid) };
        if *first > 2 || (*first < 2 && *second > 39) {
            return Err(BadOid);
        }
        let joined = second.checked_add(first * 40).ok_or(BadOid)?;
        let mut content = Vec::new();
        for arc in std::iter::once(&joined).chain(rest) {
            let groups = (u128::BITS - arc.leading_zeros()).div_ceil(7).max(1);
            for group in (0..groups).rev() {
                let more = if group > 0 { 0x80 } else { 0 };
                content.push(((arc >> (7 * group)) & 0x7f) as u8 | more);
            }
        }
        Ok(Self(Cow::Owned(content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_identifiers_are_refused() {
        for content in [&[][..], &[0x80, 0x01], &[0x2a, 0x86], &[0xff; 12]] {
            assert_eq!(Oid::from_content(content), Err(BadOid), "{content:02x?}");
        }
        for text in ["", "1", "3.1", "1.40", "1..2", "1.2.x", "1.2.-1"] {
            assert_eq!(text.parse::<Oid>(), Err(BadOid), "{text}");
        }
        assert_eq!("2.999.3".parse::<Oid>().unwrap().content(), [0x88, 0x37, 0x03]);
        assert_eq!("2.999.3".parse::<Oid>().unwrap().to_string(), "2.999.3");
        // The greatest UUID is an arc, one more is none.
        let greatest = format!("2.25.{}.1", u128::MAX);
        assert_eq!(greatest.parse::<Oid>().unwrap().to_string(), greatest);
        assert_eq!(Oid::from_content(&[&[0x69][..], &[0xff; 19], &[0x7f]].concat()), Err(BadOid));
    }
}
