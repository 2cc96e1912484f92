//! Hexadecimal text, for diagnostics and test vectors. Never used on secrets outside tests.

use std::fmt::Write;

/// `octets` as lower-case hexadecimal digits without separators.
///
/// ```
/// assert_eq!(orthros_wire::hex::encode(&[0x05, 0x04]), "0504");
/// ```
pub fn encode(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// The octets that `text` writes in hexadecimal; white space is passed over. `None` if anything else stands
/// in it or a digit is left over.
///
/// ```
/// assert_eq!(orthros_wire::hex::decode("05 04"), Some(vec![5, 4]));
/// assert_eq!(orthros_wire::hex::decode("054"), None);
/// ```
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<Vec<u8>>>()?;
    let (pairs, left_over) = digits.as_chunks::<2>();
    left_over.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
