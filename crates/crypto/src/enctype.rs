//! The encryption types, a row each. RFC 3961 §8, RFC 3962 §7, RFC 8009 §6; the names and aliases are those that
//! `krb5.conf` takes.
//!
//! Weak types (single DES, RC4, triple DES) are not here.

use std::fmt;
use std::str::FromStr;

use crate::cbc_cts::BLOCK;
use crate::checksum::ChecksumType;

/// An encryption type that Orthros can use.
///
/// ```
/// use orthros_crypto::Enctype;
/// assert_eq!("aes256-cts".parse(), Ok(Enctype::Aes256CtsHmacSha1));
/// assert_eq!(Enctype::from_number(20), Some(Enctype::Aes256CtsHmacSha384));
/// assert_eq!(Enctype::Aes256CtsHmacSha384.to_string(), "aes256-cts-hmac-sha384-192");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Enctype {
    /// aes128-cts-hmac-sha1-96, 17 (RFC 3962).
    Aes128CtsHmacSha1,
    /// aes256-cts-hmac-sha1-96, 18 (RFC 3962).
    Aes256CtsHmacSha1,
    /// aes128-cts-hmac-sha256-128, 19 (RFC 8009).
    Aes128CtsHmacSha256,
    /// aes256-cts-hmac-sha384-192, 20 (RFC 8009).
    Aes256CtsHmacSha384,
}

/// A row of the table.
struct Row {
    number: i32,
    name: &'static str,
    aliases: &'static [&'static str],
    key_len: usize,
    tag_len: usize,
    checksum_type: ChecksumType,
    /// Bits of work that the best known attack on the key takes.
    strength: u32,
    /// What the string-to-key function iterates if no parameters say otherwise.
    default_iterations: u32,
    /// Why not to use it, if so.
    deprecated: Option<&'static str>,
}

const AES128_SHA1: Row = Row {
    number: 17,
    name: "aes128-cts-hmac-sha1-96",
    aliases: &["aes128-cts", "aes128-sha1"],
    key_len: 16,
    tag_len: 12,
    checksum_type: ChecksumType::HMAC_SHA1_96_AES128,
    strength: 128,
    default_iterations: 4096,
    deprecated: None,
};

const AES256_SHA1: Row = Row {
    number: 18,
    name: "aes256-cts-hmac-sha1-96",
    aliases: &["aes256-cts", "aes256-sha1"],
    key_len: 32,
    tag_len: 12,
    checksum_type: ChecksumType::HMAC_SHA1_96_AES256,
    strength: 256,
    default_iterations: 4096,
    deprecated: None,
};

const AES128_SHA256: Row = Row {
    number: 19,
    name: "aes128-cts-hmac-sha256-128",
    aliases: &["aes128-sha2"],
    key_len: 16,
    tag_len: 16,
    checksum_type: ChecksumType::HMAC_SHA256_128_AES128,
    strength: 128,
    default_iterations: 32768,
    deprecated: None,
};

const AES256_SHA384: Row = Row {
    number: 20,
    name: "aes256-cts-hmac-sha384-192",
    aliases: &["aes256-sha2"],
    key_len: 32,
    tag_len: 24,
    checksum_type: ChecksumType::HMAC_SHA384_192_AES256,
    strength: 256,
    default_iterations: 32768,
    deprecated: None,
};

/// Names that stand for several types in a list.
const FAMILIES: [(&str, &[Enctype]); 4] = [
    ("DEFAULT", Enctype::ALL),
    ("aes", Enctype::ALL),
    ("aes-sha1", &[Enctype::Aes256CtsHmacSha1, Enctype::Aes128CtsHmacSha1]),
    ("aes-sha2", &[Enctype::Aes256CtsHmacSha384, Enctype::Aes128CtsHmacSha256]),
];

impl Enctype {
    /// Every type, in the order of preference that a configuration without a list of its own means: 18, 17,
    /// 20, 19, as MIT's libraries have it.
    pub const ALL: &'static [Self] = &[
        Self::Aes256CtsHmacSha1,
        Self::Aes128CtsHmacSha1,
        Self::Aes256CtsHmacSha384,
        Self::Aes128CtsHmacSha256,
    ];

    /// The type with the assigned number `number`, if it can be used here.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|enctype| enctype.number() == number)
    }

    /// The types that a list of `krb5.conf` names, each once, in its order.
    ///
    /// Names are separated by white space or commas and written in either case. `aes` stands for all of its
    /// family, `aes-sha1` and `aes-sha2` for a half each, `DEFAULT` for [`Enctype::ALL`]; `-` before a name
    /// takes it out again. Names of other types are passed over: [`Enctype::unknown_names`] tells them.
    ///
    /// ```
    /// use orthros_crypto::Enctype;
    /// let list = Enctype::parse_list("aes256-sha2, DEFAULT -aes128-cts");
    /// assert_eq!(list, [20, 18, 19].map(|number| Enctype::from_number(number).unwrap()));
    /// ```
    pub fn parse_list(list: &str) -> Vec<Self> {
        let mut chosen = Vec::new();
        for (takes_out, name) in names(list) {
            for enctype in named(name) {
                match chosen.iter().position(|present| *present == enctype) {
                    Some(at) if takes_out => drop(chosen.remove(at)),
                    None if !takes_out => chosen.push(enctype),
                    _ => {}
                }
            }
        }
        chosen
    }

    /// The names in a list of `krb5.conf` that mean nothing here: misspelt, or types that Orthros lacks.
    pub fn unknown_names(list: &str) -> Vec<&str> {
        names(list).map(|(_, name)| name).filter(|name| named(name).is_empty()).collect()
    }

    /// The number that IANA assigned.
    pub fn number(self) -> i32 {
        self.row().number
    }

    /// The name that IANA registered.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Other names, as `krb5.conf` takes them.
    pub fn aliases(self) -> &'static [&'static str] {
        self.row().aliases
    }

    /// Octets in a key.
    pub fn key_len(self) -> usize {
        self.row().key_len
    }

    /// Octets of random that precede the plain text in a sealed message.
    pub fn confounder_len(self) -> usize {
        BLOCK
    }

    /// Octets of keyed hash at the end of a sealed message, and in a checksum.
    pub fn tag_len(self) -> usize {
        self.row().tag_len
    }

    /// The keyed checksum that belongs to this type; a peer's checksum of another type is refused.
    pub fn checksum_type(self) -> ChecksumType {
        self.row().checksum_type
    }

    /// Bits of work that finding a key takes, by the best attack known.
    pub fn strength_bits(self) -> u32 {
        self.row().strength
    }

    /// How often string-to-key iterates where no parameters say otherwise (RFC 3962 §4, RFC 8009 §4).
    pub fn default_iterations(self) -> u32 {
        self.row().default_iterations
    }

    /// Why this type should no longer be used, if so.
    pub fn deprecation(self) -> Option<&'static str> {
        self.row().deprecated
    }

    fn row(self) -> &'static Row {
        match self {
            Self::Aes128CtsHmacSha1 => &AES128_SHA1,
            Self::Aes256CtsHmacSha1 => &AES256_SHA1,
            Self::Aes128CtsHmacSha256 => &AES128_SHA256,
            Self::Aes256CtsHmacSha384 => &AES256_SHA384,
        }
    }
}

/// The words of a list, with whether a `-` stands before each.
fn names(list: &str) -> impl Iterator<Item = (bool, &str)> {
    list.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|word| !word.is_empty()).map(|word| {
        match word.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, word.strip_prefix('+').unwrap_or(word)),
        }
    })
}

/// What a word of a list stands for; nothing if it is not known.
fn named(name: &str) -> Vec<Enctype> {
    let family = FAMILIES.iter().find(|(family, _)| family.eq_ignore_ascii_case(name));
    family.map_or_else(|| name.parse().into_iter().collect(), |(_, members)| members.to_vec())
}

impl FromStr for Enctype {
    type Err = UnknownEnctype;

    /// Reads a name or an alias, in either case; not a family.
    fn from_str(name: &str) -> Result<Self, UnknownEnctype> {
        let known = |enctype: &Self| {
            let row = enctype.row();
            row.name.eq_ignore_ascii_case(name)
                || row.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
        };
        Self::ALL.iter().copied().find(known).ok_or_else(|| UnknownEnctype(name.to_owned()))
    }
}

impl fmt::Display for Enctype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no encryption type known here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownEnctype(String);

impl fmt::Display for UnknownEnctype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no known encryption type; known are", self.0)?;
        let mut before = ' ';
        for enctype in Enctype::ALL {
            write!(f, "{before}{enctype}")?;
            before = ',';
        }
        Ok(())
    }
}

impl std::error::Error for UnknownEnctype {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_back_to_their_type() {
        for enctype in Enctype::ALL.iter().copied() {
            assert_eq!(Enctype::from_number(enctype.number()), Some(enctype));
            for name in enctype.aliases().iter().chain([&enctype.name()]) {
                assert_eq!(name.parse(), Ok(enctype));
                assert_eq!(name.to_uppercase().parse(), Ok(enctype));
            }
        }
        for number in (-200..17).chain(21..200) {
            assert_eq!(Enctype::from_number(number), None);
        }
    }

    #[test]
    fn lists_keep_order_drop_repeats_and_obey_signs() {
        let numbers = |list| Enctype::parse_list(list).into_iter().map(Enctype::number).collect::<Vec<_>>();
        assert_eq!(numbers("aes"), [18, 17, 20, 19]);
        assert_eq!(numbers("default"), [18, 17, 20, 19]);
        assert_eq!(numbers("aes-sha2\taes"), [20, 19, 18, 17]);
        assert_eq!(numbers("AES128-CTS,aes128-sha1 +aes256-sha2"), [17, 20]);
        assert_eq!(numbers("aes -aes-sha1"), [20, 19]);
        assert_eq!(numbers("-aes aes256-cts"), [18]);
        assert_eq!(numbers(""), [0_i32; 0]);
        assert_eq!(numbers("des3-cbc-sha1 rc4-hmac aes128-sha2"), [19]);
        assert_eq!(Enctype::unknown_names("des3-cbc-sha1 aes, -nonsense"), ["des3-cbc-sha1", "nonsense"]);
    }

    #[test]
    fn an_unknown_name_is_told_with_what_would_be_known() {
        let error = "aes512".parse::<Enctype>().unwrap_err().to_string();
        assert!(
            error.starts_with("\"aes512\" is no known encryption type; known are aes256-cts-hmac-sha1-96,")
        );
    }
}
