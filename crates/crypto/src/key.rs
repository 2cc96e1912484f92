//! Keys, and what they do to messages. RFC 3961 §3 and §4, RFC 6113 §5.1.
//!
//! A sealed message is `confounder | plain | padding | tag`, encrypted but for the tag, or with the tag first
//! for RC4: [`Enctype::header_len`] octets before the plain text, [`Enctype::padding_len`] (triple DES only) and
//! [`Enctype::trailer_len`] after it. [`Key::seal_in_place`] and [`Key::open_in_place`] work on
//! it where it lies, [`Key::seal_parts`] and [`Key::open_parts`] where its parts lie; [`Key::encrypt`] and
//! [`Key::decrypt`] allocate.
//!
//! Octets leave a key only through [`Key::expose_octets`] and [`Key::duplicate`].

use std::fmt;
use std::ops::Deref;

use orthros_wire::secret::{SecretBuffer, wipe};
use orthros_wire::{Random, SecretBytes, residue};
use subtle::ConstantTimeEq;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::checksum::Checksum;
use crate::enctype::{Enctype, TagPlace};
use crate::profile::{AnyKeys, Profile, check, with_keys};
use crate::rfc4757::ArcfourHmac;
use crate::triple_des;
use crate::usage::KeyUsage;

/// A protocol key (RFC 3961 §3) with all that has been derived from it.
///
/// Derived keys are made once per use and kept, so a key that serves many messages should be kept too. It may
/// be used from several threads at once. It is wiped when dropped.
///
/// ```
/// use orthros_crypto::{Enctype, Key, KeyUsage};
/// # struct Dice;
/// # impl orthros_wire::Random for Dice {
/// #     fn fill(&self, octets: &mut [u8]) { octets.fill(4) }
/// # }
/// # let random = &Dice;
/// let key = Key::random(Enctype::Aes256CtsHmacSha384, random);
/// let sealed = key.encrypt(KeyUsage::KRB_PRIV, random, b"attack at dawn");
/// assert_eq!(key.decrypt(KeyUsage::KRB_PRIV, &sealed).unwrap()[..], *b"attack at dawn");
/// assert!(key.decrypt(KeyUsage::TICKET, &sealed).is_err());
/// ```
pub struct Key(Box<Inner>);

/// What is behind a key: in one place, which is never moved, so that no stale copy is left behind.
struct Inner {
    enctype: Enctype,
    /// The first [`Enctype::key_len`] are the key's; the others are zeros.
    octets: [u8; Key::LONGEST],
    keys: AnyKeys,
}

impl Drop for Inner {
    fn drop(&mut self) {
        wipe(&mut self.octets);
    }
}

impl ZeroizeOnDrop for Inner {}

impl Key {
    /// The most iterations of string-to-key that are run for a peer: some seconds of work.
    pub const MOST_ITERATIONS: u32 = 10_000_000;

    /// Octets of the longest keys.
    const LONGEST: usize = 32;

    /// The key of `enctype` with these octets, as key tables and messages carry them.
    ///
    /// # Errors
    /// [`BadKey::Length`] if there are not [`Enctype::key_len`] octets.
    pub fn new(enctype: Enctype, octets: &[u8]) -> Result<Self, BadKey> {
        if octets.len() != enctype.key_len() {
            return Err(BadKey::Length { enctype, found: octets.len() });
        }
        Ok(Self::holding(enctype, octets))
    }

    /// Random-to-key (RFC 3961 §3): the key of `enctype` that these random octets make. The identity for every
    /// type but triple DES.
    ///
    /// # Errors
    /// [`BadKey::SeedLength`] if there are not [`Enctype::seed_len`] octets.
    pub fn from_seed(enctype: Enctype, seed: &[u8]) -> Result<Self, BadKey> {
        if seed.len() != enctype.seed_len() {
            return Err(BadKey::SeedLength { enctype, found: seed.len() });
        }
        Ok(Self::from_secret_seed(enctype, seed))
    }

    /// A fresh key.
    pub fn random(enctype: Enctype, random: &dyn Random) -> Self {
        let mut room = Zeroizing::new([0; Self::LONGEST]);
        let seed = room.get_mut(..enctype.seed_len()).unwrap_or_default();
        random.fill(seed);
        Self::from_secret_seed(enctype, seed)
    }

    /// String-to-key (RFC 3962 §4, RFC 6803 §4, RFC 8009 §4): the long-term key of a principal from its password,
    /// its salt, and the parameters that the KDC sent: four octets, the number of iterations, or nothing for the
    /// default. RC4 (RFC 4757 §2) and triple DES (RFC 3961 §6.3.1) take no parameters.
    ///
    /// ```
    /// use orthros_crypto::{Enctype, Key, Password};
    /// let password = Password::from("open sesame");
    /// let key = Key::from_password(Enctype::Aes256CtsHmacSha1, &password, b"EXAMPLE.ORGali", None)?;
    /// # Ok::<(), orthros_crypto::BadKey>(())
    /// ```
    ///
    /// # Errors
    /// [`BadKey::Parameters`] if they are not four octets, or are any for a type that takes none;
    /// [`BadKey::TooManyIterations`] above [`Key::MOST_ITERATIONS`], which would keep the caller busy for
    /// minutes; [`BadKey::TooFewIterations`] below the default of the type, by which a false KDC would make
    /// guessing cheap; [`BadKey::NotText`] for RC4 if the password is not UTF-8.
    pub fn from_password(
        enctype: Enctype,
        password: &Password,
        salt: &[u8],
        params: Option<&[u8]>,
    ) -> Result<Self, BadKey> {
        let iterations = Self::iterations(enctype, params)?;
        let (given, least) = (iterations, enctype.default_iterations().unwrap_or_default());
        if given < least {
            return Err(BadKey::TooFewIterations { enctype, given, least });
        }
        Self::iterated(enctype, password, salt, iterations)
    }

    /// [`Key::from_password`] for parameters from a trusted source, which may ask for fewer iterations than the
    /// default. Never for parameters that came over the network.
    ///
    /// # Errors
    /// As [`Key::from_password`], except [`BadKey::TooFewIterations`].
    pub fn from_password_however_few_iterations(
        enctype: Enctype,
        password: &Password,
        salt: &[u8],
        params: Option<&[u8]>,
    ) -> Result<Self, BadKey> {
        let iterations = Self::iterations(enctype, params)?;
        Self::iterated(enctype, password, salt, iterations)
    }

    /// The encryption type.
    pub fn enctype(&self) -> Enctype {
        self.0.enctype
    }

    /// The octets of the key: for tickets, key tables and caches, and nothing else.
    pub fn expose_octets(&self) -> &[u8] {
        self.0.octets.get(..self.enctype().key_len()).unwrap_or_default()
    }

    /// A second key with the same octets. It derives anew what it needs.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::holding(self.enctype(), self.expose_octets())
    }

    /// Whether both are the same key, in a time that does not depend on the octets.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.enctype() == other.enctype() && bool::from(self.0.octets.ct_eq(&other.0.octets))
    }

    /// Octets in a sealed message that holds `plain` octets.
    pub fn sealed_len(&self, plain: usize) -> usize {
        let padded = plain + self.enctype().padding_len(plain);
        self.enctype().header_len() + padded + self.enctype().trailer_len()
    }

    /// Seals `plain` in a new buffer of [`Key::sealed_len`] octets. Nothing of it is left on the stack.
    pub fn encrypt(&self, usage: KeyUsage, random: &dyn Random, plain: &[u8]) -> Vec<u8> {
        let mut room = Confounder::default();
        let confounder = room.get_mut(..self.enctype().confounder_len()).unwrap_or_default();
        random.fill(confounder);
        self.encrypt_with_confounder(usage, confounder, plain)
    }

    /// [`Key::encrypt`] with a given confounder, for test vectors. A confounder used twice, or one that can be
    /// foreseen, betrays which messages begin alike.
    #[doc(hidden)]
    pub fn encrypt_with_confounder(&self, usage: KeyUsage, confounder: &[u8], plain: &[u8]) -> Vec<u8> {
        let sealed_len = self.sealed_len(plain.len());
        let mut buffer = Vec::with_capacity(sealed_len);
        buffer.resize(self.enctype().header_len() - confounder.len(), 0);
        buffer.extend_from_slice(confounder);
        buffer.extend_from_slice(plain);
        buffer.resize(sealed_len, 0);
        if let Some((body, tag_room)) = self.split(&mut buffer) {
            let tag = residue::leaving_no_message(|| self.seal(usage, body));
            tag_room.copy_from_slice(&tag);
        }
        buffer
    }

    /// Seals where the plain text lies: `buffer` is [`Enctype::header_len`] octets of room, the plain text with
    /// its [padding](Enctype::padding_len) if the type takes any, and [`Enctype::trailer_len`] octets of room.
    ///
    /// # Errors
    /// [`BadLength`] if the buffer has no room for both or lacks padding; it is unchanged then.
    pub fn seal_in_place(
        &self,
        usage: KeyUsage,
        random: &dyn Random,
        buffer: &mut [u8],
    ) -> Result<(), BadLength> {
        let bad = BadLength { least: self.sealed_len(0), found: buffer.len() };
        let (body, tag_room) = self.split(buffer).ok_or(bad)?;
        let confounder = body.get_mut(..self.enctype().confounder_len()).ok_or(bad)?;
        random.fill(confounder);
        let tag = self.seal(usage, body);
        tag_room.copy_from_slice(&tag);
        Ok(())
    }

    /// Opens a sealed message into a new buffer that holds the plain text alone, with the padding that triple
    /// DES adds, and is wiped when dropped.
    ///
    /// # Errors
    /// [`Integrity`] if it was not sealed with this key for this use, or was altered or cut.
    pub fn decrypt(&self, usage: KeyUsage, cipher: &[u8]) -> Result<SecretBuffer, Integrity> {
        let (header, trailer) = (self.enctype().header_len(), self.enctype().trailer_len());
        let mut buffer = SecretBuffer::copy_of(cipher);
        let (body, tag) = self.split(&mut buffer).ok_or(Integrity)?;
        residue::leaving_no_message(|| self.open(usage, body, tag))?;
        let plain_len = cipher.len().saturating_sub(header + trailer);
        buffer.copy_within(header..header + plain_len, 0);
        buffer.truncate(plain_len);
        Ok(buffer)
    }

    /// Opens a sealed message where it lies and gives the part of `buffer` that is the plain text, with the
    /// padding that triple DES adds.
    ///
    /// # Errors
    /// [`Integrity`] if it was not sealed with this key for this use, or was altered or cut. The buffer then
    /// holds cipher text or zeros: never plain text that nothing vouches for.
    pub fn open_in_place<'b>(
        &self,
        usage: KeyUsage,
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], Integrity> {
        let (body, tag) = self.split(buffer).ok_or(Integrity)?;
        self.open(usage, body, tag)?;
        body.get_mut(self.enctype().confounder_len()..).ok_or(Integrity)
    }

    /// The keyed checksum over `parts` laid end to end: [`Enctype::checksum_len`] octets.
    pub fn checksum(&self, usage: KeyUsage, parts: &[&[u8]]) -> Checksum {
        with_keys!(&self.0.keys, keys => keys.checksum(self.expose_octets(), usage, parts))
    }

    /// The checksum hmac-md5 (RFC 4757 §4) with this key's octets, whatever its enctype. One message demands it of
    /// keys of all enctypes, PA-FOR-USER (MS-SFU §2.2.1); anything else takes [`checksum`](Self::checksum).
    pub fn hmac_md5_checksum(&self, usage: KeyUsage, parts: &[&[u8]]) -> Checksum {
        let keys = || ArcfourHmac::checking(self.expose_octets(), usage);
        residue::leaving_none(|| ArcfourHmac::checksum(&keys(), parts))
    }

    /// Checks the checksum that [`hmac_md5_checksum`](Self::hmac_md5_checksum) makes.
    ///
    /// # Errors
    /// [`Integrity`].
    pub fn verify_hmac_md5(
        &self,
        usage: KeyUsage,
        parts: &[&[u8]],
        checksum: &[u8],
    ) -> Result<(), Integrity> {
        check(&self.hmac_md5_checksum(usage, parts), checksum)
    }

    /// Checks a checksum over `parts` laid end to end, in constant time.
    ///
    /// # Errors
    /// [`Integrity`] if it does not agree, or has not exactly [`Enctype::checksum_len`] octets.
    pub fn verify(&self, usage: KeyUsage, parts: &[&[u8]], checksum: &[u8]) -> Result<(), Integrity> {
        check(&self.checksum(usage, parts), checksum)
    }

    /// The pseudo-random function (RFC 3961 §3, RFC 3962 §6, RFC 6803 §6, RFC 8009 §5): [`Key::prf_len`]
    /// octets.
    pub fn prf(&self, input: &[u8]) -> SecretBytes {
        with_keys!(&self.0.keys, keys => keys.prf(self.expose_octets(), input))
    }

    /// Octets that [`Key::prf`] gives: 16, 20 (RC4), 32 or 48.
    pub fn prf_len(&self) -> usize {
        with_keys!(&self.0.keys, keys => keys.prf_len())
    }

    /// PRF+ (RFC 6113 §5.1): the first `len` octets of `prf(1 | pepper) | prf(2 | pepper) | ...`.
    ///
    /// # Errors
    /// [`BadLength`] if `len` is more than the 255 blocks that the counter of one octet can number.
    pub fn prf_plus(&self, pepper: &[u8], len: usize) -> Result<SecretBytes, BadLength> {
        let most = self.prf_len() * usize::from(u8::MAX);
        if len > most {
            return Err(BadLength { least: most, found: len });
        }
        let mut output = Zeroizing::new(vec![0; len]);
        for (counter, block) in (1..=u8::MAX).zip(output.chunks_mut(self.prf_len())) {
            let given = self.prf(&[&[counter], pepper].concat());
            block.iter_mut().zip(given.expose_octets()).for_each(|(to, from)| *to = *from);
        }
        Ok(output.into())
    }

    /// KRB-FX-CF2 (RFC 6113 §5.1): a key of this key's type from both keys, each with its pepper.
    #[must_use]
    pub fn combine(&self, pepper: &[u8], other: &Self, other_pepper: &[u8]) -> Self {
        let len = self.enctype().seed_len();
        let whole = "a key is no longer than 255 blocks";
        let ours = self.prf_plus(pepper, len).expect(whole);
        let theirs = other.prf_plus(other_pepper, len).expect(whole);
        let octets = ours.expose_octets().iter().zip(theirs.expose_octets()).map(|(a, b)| a ^ b);
        Self::from_secret_seed(self.enctype(), &Zeroizing::new(octets.collect::<Vec<u8>>()))
    }

    /// What has been derived from this key.
    pub(crate) fn derived_keys(&self) -> &AnyKeys {
        &self.0.keys
    }

    /// Random-to-key, of [`Enctype::seed_len`] octets.
    fn from_secret_seed(enctype: Enctype, seed: &[u8]) -> Self {
        if enctype != Enctype::Des3CbcSha1 {
            return Self::holding(enctype, seed);
        }
        let mut octets = Zeroizing::new(vec![0; enctype.key_len()]);
        residue::leaving_none(|| triple_des::random_to_key(seed, &mut octets));
        Self::holding(enctype, &octets)
    }

    /// The key with these octets, which are as many as its type has.
    fn holding(enctype: Enctype, octets: &[u8]) -> Self {
        let mut inner = Box::new(Inner { enctype, octets: [0; Self::LONGEST], keys: AnyKeys::new(enctype) });
        // Only there, not on the way into the box.
        if let Some(place) = inner.octets.get_mut(..octets.len()) {
            place.copy_from_slice(octets);
        }
        Self(inner)
    }

    /// The iteration count that parameters stand for. A count of 0 means 2^32 (RFC 3962 §4).
    fn iterations(enctype: Enctype, params: Option<&[u8]>) -> Result<u32, BadKey> {
        let bad = |params: &[u8]| BadKey::Parameters { enctype, found: params.len() };
        let params = match (params, enctype.default_iterations()) {
            (None, default) => return Ok(default.unwrap_or_default()),
            (Some([]), None) => return Ok(0),
            (Some(params), None) => return Err(bad(params)),
            (Some(params), Some(_)) => params,
        };
        let octets = <[u8; 4]>::try_from(params).map_err(|_| bad(params))?;
        match u32::from_be_bytes(octets) {
            0 => Err(BadKey::TooManyIterations { given: 1 << 32 }),
            given if given > Self::MOST_ITERATIONS => Err(BadKey::TooManyIterations { given: given.into() }),
            given => Ok(given),
        }
    }

    fn iterated(enctype: Enctype, password: &Password, salt: &[u8], iterations: u32) -> Result<Self, BadKey> {
        let password = password.0.expose_octets();
        let octets =
            with_keys!(&AnyKeys::new(enctype), keys => keys.string_to_key(password, salt, iterations));
        octets.map(|octets| Self::holding(enctype, octets.expose_octets())).ok_or(BadKey::NotText { enctype })
    }

    fn seal(&self, usage: KeyUsage, body: &mut [u8]) -> Checksum {
        with_keys!(&self.0.keys, keys => keys.seal(self.expose_octets(), usage, body))
    }

    fn open(&self, usage: KeyUsage, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity> {
        with_keys!(&self.0.keys, keys => keys.open(self.expose_octets(), usage, body, tag))
    }

    /// The body of a sealed message, which begins with the confounder, and its tag; nothing if they can't be
    /// there, or the body is not of whole blocks.
    fn split<'b>(&self, sealed: &'b mut [u8]) -> Option<(&'b mut [u8], &'b mut [u8])> {
        let tag_len = self.enctype().tag_len();
        let (body, tag) = match self.enctype().tag_place() {
            TagPlace::AfterBody => {
                let body_len = sealed.len().checked_sub(tag_len)?;
                sealed.split_at_mut_checked(body_len)?
            }
            TagPlace::BeforeConfounder => {
                let (tag, body) = sealed.split_at_mut_checked(tag_len)?;
                (body, tag)
            }
        };
        let fits = body.len() >= self.enctype().confounder_len()
            && body.len().is_multiple_of(self.enctype().block_len());
        fits.then_some((body, tag))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.enctype())
    }
}

/// Random octets before the plain text, so that equal messages differ when sealed.
type Confounder = [u8; 16];

/// The key that a principal shares with its KDC: from a password, a key table or the KDC's database.
#[derive(Debug)]
pub struct LongTermKey(Key);

/// A key that a KDC or a peer made for one session: ticket session keys, subkeys.
#[derive(Debug)]
pub struct SessionKey(Key);

macro_rules! key_role {
    ($role:ident) => {
        impl $role {
            /// The key without its role.
            pub fn into_key(self) -> Key {
                self.0
            }

            /// A second key with the same octets, in the same role.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }
        }

        impl From<Key> for $role {
            fn from(key: Key) -> Self {
                Self(key)
            }
        }

        impl Deref for $role {
            type Target = Key;

            fn deref(&self) -> &Key {
                &self.0
            }
        }
    };
}

key_role!(LongTermKey);
key_role!(SessionKey);

/// A password, in UTF-8 as it was typed (RFC 3962 §4); nothing is normalised.
///
/// ```
/// use orthros_crypto::Password;
/// assert_eq!(format!("{:?}", Password::from("xyzzy")), "Password(..)");
/// ```
pub struct Password(SecretBytes);

impl Password {
    /// A password of these octets; wiping the original is the caller's part.
    pub fn copy_of(octets: &[u8]) -> Self {
        Self(SecretBytes::copy_of(octets))
    }

    /// The octets of the password.
    pub fn expose_octets(&self) -> &[u8] {
        self.0.expose_octets()
    }
}

impl From<&str> for Password {
    /// Copies; wiping the original is the caller's part.
    fn from(text: &str) -> Self {
        Self::copy_of(text.as_bytes())
    }
}

impl From<String> for Password {
    /// Takes the text over; no copy of it is left.
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<SecretBytes> for Password {
    fn from(octets: SecretBytes) -> Self {
        Self(octets)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// A message or checksum was not made with this key for this use, or was altered. There is deliberately no
/// telling which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Integrity;

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the integrity check failed")
    }
}

impl std::error::Error for Integrity {}

/// A key can't be made from what was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BadKey {
    /// The octets are too few or too many.
    Length {
        /// The type that the key should be of.
        enctype: Enctype,
        /// Octets given.
        found: usize,
    },
    /// The password is no UTF-8, which string-to-key of this type needs.
    NotText {
        /// The type that the key should be of.
        enctype: Enctype,
    },
    /// The parameters of string-to-key are not four octets, or none where the type takes none.
    Parameters {
        /// The type that the key should be of.
        enctype: Enctype,
        /// Octets given.
        found: usize,
    },
    /// The random octets are too few or too many.
    SeedLength {
        /// The type that the key should be of.
        enctype: Enctype,
        /// Octets given.
        found: usize,
    },
    /// String-to-key should iterate less often than the type's default.
    TooFewIterations {
        /// The type that the key should be of.
        enctype: Enctype,
        /// Iterations asked for.
        given: u32,
        /// The default, and the least that is accepted.
        least: u32,
    },
    /// String-to-key should iterate more often than [`Key::MOST_ITERATIONS`].
    TooManyIterations {
        /// Iterations asked for.
        given: u64,
    },
}

impl fmt::Display for BadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { enctype, found } => {
                write!(f, "a key of type {enctype} has {} octets, not {found}", enctype.key_len())
            }
            Self::NotText { enctype } => {
                write!(f, "the password is not UTF-8, and keys of type {enctype} are made from text")
            }
            Self::Parameters { enctype, found } if enctype.default_iterations().is_none() => {
                write!(f, "string-to-key of {enctype} takes no parameters, and {found} octets were given")
            }
            Self::Parameters { enctype, found } => write!(
                f,
                "the string-to-key parameters of {enctype} must be an iteration count of 4 octets, not {found} \
                 octets"
            ),
            Self::SeedLength { enctype, found } => write!(
                f,
                "a key of type {enctype} is made of {} random octets, not {found}",
                enctype.seed_len()
            ),
            Self::TooFewIterations { enctype, given, least } => write!(
                f,
                "the KDC asks for {given} iterations of string-to-key; {enctype} takes {least} at least, \
                 since fewer make passwords easy to guess"
            ),
            Self::TooManyIterations { given } => write!(
                f,
                "the KDC asks for {given} iterations of string-to-key; more than {} are not run",
                Key::MOST_ITERATIONS
            ),
        }
    }
}

impl std::error::Error for BadKey {}

/// A buffer or output has a length that the operation can't work with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadLength {
    least: usize,
    found: usize,
}

impl BadLength {
    /// Refuses any length but `exact`.
    pub(crate) fn unless_exact(exact: usize, found: usize) -> Result<(), Self> {
        if exact == found { Ok(()) } else { Err(Self { least: exact, found }) }
    }
}

impl fmt::Display for BadLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets given where the bound is {}", self.found, self.least)
    }
}

impl std::error::Error for BadLength {}
