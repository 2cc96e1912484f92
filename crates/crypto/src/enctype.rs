//! The encryption types, a row each. RFC 3961 §8, RFC 3962 §7, RFC 4757, RFC 6803 §8, RFC 8009 §6; the names and
//! aliases are those that `krb5.conf` takes.
//!
//! RC4 and triple DES are here for peers that have nothing else: [`Enctype::is_weak`]. To know a type is not to
//! use it: whoever takes a type from a peer, a cache or a keytab holds it against a list of permitted ones.
//!
//! Single DES and the RC4 of 40 bits for export are not here.

use std::fmt;
use std::str::FromStr;

use crate::checksum::ChecksumType;
use crate::{cbc_cts, triple_des};

/// An encryption type that Orthros knows.
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
    /// arcfour-hmac, 23 (RFC 4757). Weak.
    ArcfourHmac,
    /// camellia128-cts-cmac, 25 (RFC 6803).
    Camellia128CtsCmac,
    /// camellia256-cts-cmac, 26 (RFC 6803).
    Camellia256CtsCmac,
    /// des3-cbc-sha1, 16 (RFC 3961 §6.3). Weak.
    Des3CbcSha1,
}

/// Which of the two forms of per-message tokens goes with keys of a type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageTokens {
    /// The old form with its own sealing and sequence numbers (RFC 1964 §1.2, RFC 4757 §7): RC4, triple DES.
    Rfc1964,
    /// The form for all other types (RFC 4121 §4.2).
    Rfc4121,
}

/// A row of the table.
struct Row {
    number: i32,
    name: &'static str,
    aliases: &'static [&'static str],
    key_len: usize,
    /// Octets of random that make a key; as many as the key has but for triple DES.
    seed_len: usize,
    confounder_len: usize,
    tag_len: usize,
    /// Octets of which confounder and plain text together must be a multiple.
    block_len: usize,
    /// Where the tag stands in a sealed message.
    tag_place: TagPlace,
    checksum_type: ChecksumType,
    /// Bits of work that the best known attack on the key takes.
    strength: u32,
    /// What the string-to-key function iterates if no parameters say otherwise; none if it takes none.
    default_iterations: Option<u32>,
    message_tokens: MessageTokens,
    weakness: Option<Weakness>,
}

/// Where the tag stands in a sealed message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagPlace {
    BeforeConfounder,
    AfterBody,
}

/// Why not to use a type, and the switch of `krb5.conf` that lets it be used all the same.
struct Weakness {
    reason: &'static str,
    switch: &'static str,
}

/// What the types with ciphertext stealing have in common.
const STEALING: Row = Row {
    number: 0,
    name: "",
    aliases: &[],
    key_len: 16,
    seed_len: 16,
    confounder_len: cbc_cts::BLOCK,
    tag_len: 16,
    block_len: 1,
    tag_place: TagPlace::AfterBody,
    checksum_type: ChecksumType(0),
    strength: 128,
    default_iterations: Some(32768),
    message_tokens: MessageTokens::Rfc4121,
    weakness: None,
};

const AES128_SHA1: Row = Row {
    number: 17,
    name: "aes128-cts-hmac-sha1-96",
    aliases: &["aes128-cts", "aes128-sha1"],
    tag_len: 12,
    checksum_type: ChecksumType::HMAC_SHA1_96_AES128,
    default_iterations: Some(4096),
    ..STEALING
};

const AES256_SHA1: Row = Row {
    number: 18,
    name: "aes256-cts-hmac-sha1-96",
    aliases: &["aes256-cts", "aes256-sha1"],
    key_len: 32,
    seed_len: 32,
    tag_len: 12,
    checksum_type: ChecksumType::HMAC_SHA1_96_AES256,
    strength: 256,
    default_iterations: Some(4096),
    ..STEALING
};

const AES128_SHA256: Row = Row {
    number: 19,
    name: "aes128-cts-hmac-sha256-128",
    aliases: &["aes128-sha2"],
    checksum_type: ChecksumType::HMAC_SHA256_128_AES128,
    ..STEALING
};

const AES256_SHA384: Row = Row {
    number: 20,
    name: "aes256-cts-hmac-sha384-192",
    aliases: &["aes256-sha2"],
    key_len: 32,
    seed_len: 32,
    tag_len: 24,
    checksum_type: ChecksumType::HMAC_SHA384_192_AES256,
    strength: 256,
    ..STEALING
};

const ARCFOUR: Row = Row {
    number: 23,
    name: "arcfour-hmac",
    aliases: &["rc4-hmac", "arcfour-hmac-md5"],
    confounder_len: 8,
    tag_place: TagPlace::BeforeConfounder,
    checksum_type: ChecksumType::HMAC_MD5,
    default_iterations: None,
    message_tokens: MessageTokens::Rfc1964,
    weakness: Some(Weakness {
        reason: "RFC 8429 deprecates RC4: its keys are unsalted MD4 hashes of passwords, and its stream is biased",
        switch: "allow_rc4",
    }),
    ..STEALING
};

const CAMELLIA128: Row = Row {
    number: 25,
    name: "camellia128-cts-cmac",
    aliases: &["camellia128-cts"],
    checksum_type: ChecksumType::CMAC_CAMELLIA128,
    ..STEALING
};

const CAMELLIA256: Row = Row {
    number: 26,
    name: "camellia256-cts-cmac",
    aliases: &["camellia256-cts"],
    key_len: 32,
    seed_len: 32,
    checksum_type: ChecksumType::CMAC_CAMELLIA256,
    strength: 256,
    ..STEALING
};

const DES3: Row = Row {
    number: 16,
    name: "des3-cbc-sha1",
    aliases: &["des3-hmac-sha1", "des3-cbc-sha1-kd"],
    key_len: 24,
    seed_len: triple_des::SEED_LEN,
    confounder_len: triple_des::BLOCK,
    tag_len: 20,
    block_len: triple_des::BLOCK,
    checksum_type: ChecksumType::HMAC_SHA1_DES3_KD,
    strength: 112,
    default_iterations: None,
    message_tokens: MessageTokens::Rfc1964,
    weakness: Some(Weakness {
        reason: "RFC 8429 deprecates triple DES: its blocks are too short, and its string-to-key does not iterate",
        switch: "allow_des3",
    }),
    ..STEALING
};

/// Names that stand for several types in a list.
const FAMILIES: [(&str, &[Enctype]); 7] = [
    ("DEFAULT", Enctype::ALL),
    (
        "aes",
        &[
            Enctype::Aes256CtsHmacSha1,
            Enctype::Aes128CtsHmacSha1,
            Enctype::Aes256CtsHmacSha384,
            Enctype::Aes128CtsHmacSha256,
        ],
    ),
    ("aes-sha1", &[Enctype::Aes256CtsHmacSha1, Enctype::Aes128CtsHmacSha1]),
    ("aes-sha2", &[Enctype::Aes256CtsHmacSha384, Enctype::Aes128CtsHmacSha256]),
    ("camellia", &[Enctype::Camellia256CtsCmac, Enctype::Camellia128CtsCmac]),
    ("des3", &[Enctype::Des3CbcSha1]),
    ("rc4", &[Enctype::ArcfourHmac]),
];

impl Enctype {
    /// Every type that is known, weak ones too, in the order that `DEFAULT` means in `krb5.conf`: 18, 17, 20, 19,
    /// 16, 23, 26, 25, as MIT's libraries have it.
    pub const ALL: &'static [Self] = &[
        Self::Aes256CtsHmacSha1,
        Self::Aes128CtsHmacSha1,
        Self::Aes256CtsHmacSha384,
        Self::Aes128CtsHmacSha256,
        Self::Des3CbcSha1,
        Self::ArcfourHmac,
        Self::Camellia256CtsCmac,
        Self::Camellia128CtsCmac,
    ];

    /// [`Enctype::ALL`] without the weak ones: what a configuration without a list of its own permits, most
    /// preferred first.
    pub const STRONG: &'static [Self] = &[
        Self::Aes256CtsHmacSha1,
        Self::Aes128CtsHmacSha1,
        Self::Aes256CtsHmacSha384,
        Self::Aes128CtsHmacSha256,
        Self::Camellia256CtsCmac,
        Self::Camellia128CtsCmac,
    ];

    /// The type with the assigned number `number`, if it is known here. It may be weak: hold it against a list
    /// of permitted types before using it.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|enctype| enctype.number() == number)
    }

    /// The types that a list of `krb5.conf` names, each once, in its order.
    ///
    /// Names are separated by white space or commas and written in either case. `aes` stands for all of its
    /// family, `aes-sha1` and `aes-sha2` for a half each, `camellia`, `des3` and `rc4` for theirs, `DEFAULT` for
    /// [`Enctype::ALL`]; `-` before a name takes it out again. Names of other types are passed over:
    /// [`Enctype::unknown_names`] tells them. Weak types are named like others; a configuration takes them out
    /// unless it allows them.
    ///
    /// ```
    /// use orthros_crypto::Enctype;
    /// let list = Enctype::parse_list("aes256-sha2, aes -aes128-cts, rc4");
    /// assert_eq!(list, [20, 18, 19, 23].map(|number| Enctype::from_number(number).unwrap()));
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

    /// Octets of random that [`crate::Key::from_seed`] makes a key of: as many as the key has, fewer for triple
    /// DES.
    pub fn seed_len(self) -> usize {
        self.row().seed_len
    }

    /// Octets of random that go before the plain text when a message is sealed.
    pub fn confounder_len(self) -> usize {
        self.row().confounder_len
    }

    /// Octets of keyed hash in a sealed message: at its end, or at its beginning for RC4.
    pub fn tag_len(self) -> usize {
        self.row().tag_len
    }

    /// Octets of a sealed message that stand before the plain text.
    pub fn header_len(self) -> usize {
        match self.tag_place() {
            TagPlace::AfterBody => self.confounder_len(),
            TagPlace::BeforeConfounder => self.tag_len() + self.confounder_len(),
        }
    }

    /// Octets of a sealed message that stand after the plain text and its padding.
    pub fn trailer_len(self) -> usize {
        match self.tag_place() {
            TagPlace::AfterBody => self.tag_len(),
            TagPlace::BeforeConfounder => 0,
        }
    }

    /// Octets of which the length of a padded plain text must be a multiple: 8 for triple DES, otherwise 1.
    pub fn block_len(self) -> usize {
        self.row().block_len
    }

    /// Octets of padding that a plain text of `plain` octets takes: none for any type but triple DES, where
    /// what is decrypted has up to 7 octets more than was encrypted.
    pub fn padding_len(self, plain: usize) -> usize {
        let block = self.block_len();
        (block - plain % block) % block
    }

    /// Octets in a [keyed checksum](crate::Key::checksum).
    pub fn checksum_len(self) -> usize {
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

    /// How often string-to-key iterates where no parameters say otherwise (RFC 3962 §4, RFC 6803 §4, RFC 8009
    /// §4); nothing for RC4 and triple DES, which don't iterate and take no parameters.
    pub fn default_iterations(self) -> Option<u32> {
        self.row().default_iterations
    }

    /// Which form of per-message tokens a context with keys of this type uses.
    pub fn message_tokens(self) -> MessageTokens {
        self.row().message_tokens
    }

    /// Whether this type is too weak to be used where nobody has asked for it.
    pub fn is_weak(self) -> bool {
        self.row().weakness.is_some()
    }

    /// Why this type should no longer be used, with the RFC that says so, if it should not.
    pub fn deprecation(self) -> Option<&'static str> {
        self.row().weakness.as_ref().map(|weakness| weakness.reason)
    }

    /// The switch in `[libdefaults]` of `krb5.conf` that lets this type be used although it is weak.
    pub fn switch(self) -> Option<&'static str> {
        self.row().weakness.as_ref().map(|weakness| weakness.switch)
    }

    /// Where the tag stands in a sealed message.
    pub(crate) fn tag_place(self) -> TagPlace {
        self.row().tag_place
    }

    fn row(self) -> &'static Row {
        match self {
            Self::Aes128CtsHmacSha1 => &AES128_SHA1,
            Self::Aes256CtsHmacSha1 => &AES256_SHA1,
            Self::Aes128CtsHmacSha256 => &AES128_SHA256,
            Self::Aes256CtsHmacSha384 => &AES256_SHA384,
            Self::ArcfourHmac => &ARCFOUR,
            Self::Camellia128CtsCmac => &CAMELLIA128,
            Self::Camellia256CtsCmac => &CAMELLIA256,
            Self::Des3CbcSha1 => &DES3,
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
        for number in (-200..16).chain([21, 22, 24]).chain(27..200) {
            assert_eq!(Enctype::from_number(number), None);
        }
    }

    #[test]
    fn lists_keep_order_drop_repeats_and_obey_signs() {
        let numbers = |list| Enctype::parse_list(list).into_iter().map(Enctype::number).collect::<Vec<_>>();
        assert_eq!(numbers("aes"), [18, 17, 20, 19]);
        assert_eq!(numbers("default"), [18, 17, 20, 19, 16, 23, 26, 25]);
        assert_eq!(numbers("camellia rc4 des3"), [26, 25, 23, 16]);
        assert_eq!(numbers("DEFAULT -rc4,-des3"), [18, 17, 20, 19, 26, 25]);
        assert_eq!(numbers("aes-sha2\taes"), [20, 19, 18, 17]);
        assert_eq!(numbers("AES128-CTS,aes128-sha1 +aes256-sha2"), [17, 20]);
        assert_eq!(numbers("aes -aes-sha1"), [20, 19]);
        assert_eq!(numbers("-aes aes256-cts"), [18]);
        assert_eq!(numbers(""), [0_i32; 0]);
        assert_eq!(numbers("des3-cbc-md5 rc4-hmac-exp aes128-sha2"), [19]);
        assert_eq!(Enctype::unknown_names("des-cbc-crc aes, -nonsense"), ["des-cbc-crc", "nonsense"]);
    }

    #[test]
    fn mit_aliases_name_their_type() {
        for (name, number) in [
            ("arcfour-hmac-md5", 23),
            ("rc4-hmac", 23),
            ("des3-hmac-sha1", 16),
            ("des3-cbc-sha1-kd", 16),
            ("camellia128-cts", 25),
            ("camellia256-cts", 26),
        ] {
            assert_eq!(name.parse::<Enctype>().unwrap().number(), number);
        }
    }

    #[test]
    fn only_weak_types_have_a_reason_and_a_switch_and_no_list_without_them_has_one() {
        let weak: Vec<_> = Enctype::ALL.iter().copied().filter(|enctype| enctype.is_weak()).collect();
        assert_eq!(weak, [Enctype::Des3CbcSha1, Enctype::ArcfourHmac]);
        for enctype in Enctype::ALL.iter().copied() {
            assert_eq!(enctype.deprecation().is_some(), enctype.is_weak());
            assert_eq!(enctype.switch().is_some(), enctype.is_weak());
            assert_eq!(enctype.message_tokens() == MessageTokens::Rfc1964, enctype.is_weak());
        }
        let strong = Enctype::ALL.iter().copied().filter(|enctype| !enctype.is_weak());
        assert!(strong.eq(Enctype::STRONG.iter().copied()), "STRONG is ALL without the weak");
    }

    #[test]
    fn an_unknown_name_is_told_with_what_would_be_known() {
        let error = "aes512".parse::<Enctype>().unwrap_err().to_string();
        assert!(
            error.starts_with("\"aes512\" is no known encryption type; known are aes256-cts-hmac-sha1-96,")
        );
    }
}
