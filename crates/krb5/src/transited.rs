//! The realms that a ticket came through: DOMAIN-X500-COMPRESS (RFC 4120 §3.3.3.2) and the check of §2.7.
//!
//! The field is a list of realm names between commas, in no order that counts. A name may be written by its
//! difference to the one before it, and a missing name stands for all realms between its neighbours:
//!
//! ```text
//! EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS.    EDU, MIT.EDU, ATHENA.MIT.EDU, WASHINGTON.EDU, CS.WASHINGTON.EDU
//! /COM/HP,/APOLLO, COM/DEC               /COM/HP, /COM/HP/APOLLO, COM/DEC
//! ,EDU,                                  all between the client's realm and EDU, EDU, all from there to the server's
//! ```
//!
//! A backslash takes away the meaning of the letter behind it. Orthros writes names in full.

use std::fmt;

use crate::config::{Capaths, hierarchical};
use crate::wire::TransitedEncoding;

/// DOMAIN-X500-COMPRESS.
pub const DOMAIN_X500_COMPRESS: i32 = 1;

/// The most octets of an encoding that is read, and of one realm in it: differences can grow a lot.
const LONGEST: usize = 4_096;

/// The most realms that a ticket is taken from.
const MOST_REALMS: usize = 64;

/// Why a ticket from another realm is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransitedRefusal {
    /// The encoding is of another kind than DOMAIN-X500-COMPRESS, by number.
    Kind(i32),
    /// The encoding can't be read.
    Malformed,
    /// A realm that does not lie on the way between the two.
    Realm {
        /// The realm.
        realm: String,
        /// Where the client belongs.
        client: String,
        /// Where the server belongs.
        server: String,
    },
}

impl fmt::Display for TransitedRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(number) => write!(f, "the realms on its way are encoded by kind {number}, not 1"),
            Self::Malformed => f.write_str("the list of realms on its way can't be read"),
            Self::Realm { realm, client, server } => write!(
                f,
                "it came through realm {realm}, which is not trusted between {client} and {server}: if it should \
                 be, set {server} = {realm} for {client} in [capaths]"
            ),
        }
    }
}

/// Writes a list of realms.
///
/// ```
/// use orthros_krb5::transited::{decode, encode};
/// assert_eq!(encode(&["B.TEST", "C,D"]), "B.TEST,C\\,D");
/// assert_eq!(decode(b"EDU,MIT.,ATHENA.", "A", "B").unwrap(), ["EDU", "MIT.EDU", "ATHENA.MIT.EDU"]);
/// ```
pub fn encode<S: AsRef<str>>(realms: &[S]) -> String {
    let mut text = String::new();
    for (index, realm) in realms.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        // A blank says that what follows is no difference; one that begins a name would be taken for it.
        if realm.as_ref().starts_with(' ') || realm.as_ref().starts_with('/') && index > 0 {
            text.push(' ');
        }
        for letter in realm.as_ref().chars() {
            if matches!(letter, ',' | '\\') {
                text.push('\\');
            }
            text.push(letter);
        }
        if realm.as_ref().ends_with('.') {
            // A name that really ends in a dot.
            text.pop();
            text.push_str("\\.");
        }
    }
    text
}

/// Reads a list of realms on the way from realm `client` to realm `server`.
///
/// # Errors
/// [`TransitedRefusal::Malformed`]: it is no text, ends in an escape, begins with a difference, or is beyond all
/// measure.
pub fn decode(contents: &[u8], client: &str, server: &str) -> Result<Vec<String>, TransitedRefusal> {
    let text = std::str::from_utf8(contents).map_err(|_| TransitedRefusal::Malformed)?;
    if text.len() > LONGEST {
        return Err(TransitedRefusal::Malformed);
    }
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut realms: Vec<String> = Vec::new();
    // The realm from which a run of missing names leads on.
    let mut gap_from: Option<String> = None;
    for field in fields(text)? {
        if field.text.is_empty() {
            gap_from = Some(realms.last().cloned().unwrap_or_else(|| client.to_owned()));
            continue;
        }
        let realm = field.realm(realms.last().map(String::as_str))?;
        if let Some(from) = gap_from.take() {
            realms.extend(hierarchical(&from, &realm));
        }
        realms.push(realm);
        if realms.len() > MOST_REALMS {
            return Err(TransitedRefusal::Malformed);
        }
    }
    if let Some(from) = gap_from {
        realms.extend(hierarchical(&from, server));
    }
    // A gap at the end may have led on over many more.
    if realms.len() > MOST_REALMS { Err(TransitedRefusal::Malformed) } else { Ok(realms) }
}

/// A name between two commas, escapes resolved.
struct Field {
    text: String,
    /// Its last letter is a dot that was not escaped: what is meant lies below the realm before.
    below: bool,
}

impl Field {
    fn realm(self, before: Option<&str>) -> Result<String, TransitedRefusal> {
        let before = || before.ok_or(TransitedRefusal::Malformed);
        let realm = if let Some(name) = self.text.strip_prefix(' ') {
            name.to_owned()
        } else if self.below {
            format!("{}{}", self.text, before()?)
        } else if self.text.starts_with('/') {
            // The first name is complete: there is nothing that it could differ from.
            format!("{}{}", before().unwrap_or_default(), self.text)
        } else {
            self.text
        };
        if realm.is_empty() || realm.len() > LONGEST { Err(TransitedRefusal::Malformed) } else { Ok(realm) }
    }
}

fn fields(text: &str) -> Result<Vec<Field>, TransitedRefusal> {
    let empty = || Field { text: String::new(), below: false };
    let mut fields = vec![empty()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let Some(field) = fields.last_mut() else { break };
        match letter {
            ',' => fields.push(empty()),
            '\\' => {
                field.text.push(letters.next().ok_or(TransitedRefusal::Malformed)?);
                field.below = false;
            }
            _ => {
                field.text.push(letter);
                field.below = letter == '.';
            }
        }
    }
    Ok(fields)
}

/// Demands that all realms that a ticket came through lie on the way from its client's realm to its server's
/// (RFC 4120 §2.7).
///
/// # Errors
/// [`TransitedRefusal`] names the first that does not.
pub fn check(
    transited: &TransitedEncoding<'_>,
    client: &str,
    server: &str,
    capaths: &Capaths,
) -> Result<(), TransitedRefusal> {
    if transited.contents.is_empty() {
        return Ok(());
    }
    if transited.tr_type != DOMAIN_X500_COMPRESS {
        return Err(TransitedRefusal::Kind(transited.tr_type));
    }
    let allowed = capaths.between(client, server);
    let fits = |realm: &String| realm == client || realm == server || allowed.contains(realm);
    match decode(transited.contents, client, server)?.into_iter().find(|realm| !fits(realm)) {
        None => Ok(()),
        Some(realm) => {
            Err(TransitedRefusal::Realm { realm, client: client.to_owned(), server: server.to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        decode(text.as_bytes(), "A.X.TEST", "B.Y.TEST").unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let edu = ["EDU", "MIT.EDU", "ATHENA.MIT.EDU", "WASHINGTON.EDU", "CS.WASHINGTON.EDU"];
        assert_eq!(read("EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS."), edu);
        assert_eq!(read("/COM/HP,/APOLLO, /COM/DEC"), ["/COM/HP", "/COM/HP/APOLLO", "/COM/DEC"]);
        assert_eq!(read("/COM,/HP"), ["/COM", "/COM/HP"]);
    }

    #[test]
    fn a_missing_name_stands_for_all_between() {
        assert_eq!(read(",TEST"), ["X.TEST", "TEST"]);
        assert_eq!(read("TEST,"), ["TEST", "Y.TEST"]);
        assert_eq!(read(","), ["X.TEST", "TEST", "Y.TEST"]);
        assert_eq!(read(",TEST,"), ["X.TEST", "TEST", "Y.TEST"]);
        assert!(read("").is_empty());
    }

    #[test]
    fn what_is_written_is_read_again() {
        for realms in
            [&["A.B"][..], &["A", "B,C", "D\\E"], &["X", "/COM"], &["X", "DOT."], &["  X", " "], &[]]
        {
            assert_eq!(read(&encode(realms)), realms);
        }
    }

    #[test]
    fn encodings_beyond_measure_are_refused() {
        let below = format!("{}TEST", "A".repeat(100)) + &",aaaaaaaaaaaaaaaaaaaaaaaa.".repeat(150);
        for text in ["A\\", "A.", &"A,".repeat(100), &"A".repeat(LONGEST + 1), &below] {
            assert_eq!(decode(text.as_bytes(), "C", "S"), Err(TransitedRefusal::Malformed), "{text}");
        }
        assert_eq!(decode(&[0xff], "C", "S"), Err(TransitedRefusal::Malformed));
    }

    #[test]
    fn only_realms_on_the_way_are_taken() {
        let mut capaths = Capaths::default();
        capaths.insert("A", "C", &["B"]);
        let transited = |contents| TransitedEncoding { tr_type: 1, contents };
        assert_eq!(check(&transited(b""), "A", "Z", &capaths), Ok(()));
        assert_eq!(check(&transited(b"B"), "A", "C", &capaths), Ok(()));
        assert_eq!(check(&transited(b"TEST,X."), "A.X.TEST", "B.TEST", &capaths), Ok(()));
        for (text, client) in [(&b"B,EVIL"[..], "A"), (b"EVIL", "A"), (b"B", "Z")] {
            assert!(matches!(
                check(&transited(text), client, "C", &capaths),
                Err(TransitedRefusal::Realm { .. })
            ));
        }
        let other = TransitedEncoding { tr_type: 7, contents: b"B" };
        assert_eq!(check(&other, "A", "C", &capaths), Err(TransitedRefusal::Kind(7)));
    }
}
