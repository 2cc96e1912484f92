//! Keys, and what they do to messages. RFC 3961 §3 and §4, RFC 6113 §5.1.
//!
//! A sealed message is `confounder | plain | tag`, encrypted but for the tag: [`Enctype::confounder_len`] and
//! [`Enctype::tag_len`] octets around the plain text. [`Key::seal_in_place`] and [`Key::open_in_place`] work on
//! it where it lies, [`Key::seal_parts`] and [`Key::open_parts`] where its parts lie; [`Key::encrypt`] and
//! [`Key::decrypt`] allocate.
//!
//! Octets leave a key only through [`Key::expose_octets`] and [`Key::duplicate`].

use std::fmt;
use std::ops::Deref;

use orthros_wire::{Random, SecretBytes, residue};
use zeroize::{Zeroize, Zeroizing};

use crate::checksum::Checksum;
use crate::enctype::Enctype;
use crate::profile::{AnyKeys, check, with_keys};
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
/// assert_eq!(key.decrypt(KeyUsage::KRB_PRIV, &sealed).unwrap().as_slice(), b"attack at dawn");
/// assert!(key.decrypt(KeyUsage::TICKET, &sealed).is_err());
/// ```
pub struct Key {
    enctype: Enctype,
    octets: SecretBytes,
    keys: AnyKeys,
}

impl Key {
    /// The most iterations of string-to-key that are run for a peer: some seconds of work.
    pub const MOST_ITERATIONS: u32 = 10_000_000;

    /// The key of `enctype` with these octets. (Random-to-key is the identity for every type here.)
    ///
    /// # Errors
    /// [`BadKey::Length`] if there are not [`Enctype::key_len`] octets.
    pub fn new(enctype: Enctype, octets: &[u8]) -> Result<Self, BadKey> {
        if octets.len() != enctype.key_len() {
            return Err(BadKey::Length { enctype, found: octets.len() });
        }
        Ok(Self::from_secret(enctype, SecretBytes::copy_of(octets)))
    }

    /// A fresh key.
    pub fn random(enctype: Enctype, random: &dyn Random) -> Self {
        // Exactly full, so it is taken over where it lies.
        let mut octets = vec![0; enctype.key_len()];
        random.fill(&mut octets);
        Self::from_secret(enctype, octets.into())
    }

    /// String-to-key (RFC 3962 §4, RFC 8009 §4): the long-term key of a principal from its password, its salt,
    /// and the parameters that the KDC sent: four octets, the number of iterations, or nothing for the default.
    ///
    /// ```
    /// use orthros_crypto::{Enctype, Key, Password};
    /// let password = Password::from("open sesame");
    /// let key = Key::from_password(Enctype::Aes256CtsHmacSha1, &password, b"EXAMPLE.ORGali", None)?;
    /// # Ok::<(), orthros_crypto::BadKey>(())
    /// ```
    ///
    /// # Errors
    /// [`BadKey::Parameters`] if they are not four octets; [`BadKey::TooManyIterations`] above
    /// [`Key::MOST_ITERATIONS`], which would keep the caller busy for minutes; [`BadKey::TooFewIterations`]
    /// below the default of the type, by which a false KDC would make guessing cheap.
    pub fn from_password(
        enctype: Enctype,
        password: &Password,
        salt: &[u8],
        params: Option<&[u8]>,
    ) -> Result<Self, BadKey> {
        let iterations = Self::iterations(enctype, params)?;
        let (given, least) = (iterations, enctype.default_iterations());
        if given < least {
            return Err(BadKey::TooFewIterations { enctype, given, least });
        }
        Ok(Self::iterated(enctype, password, salt, iterations))
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
        Ok(Self::iterated(enctype, password, salt, iterations))
    }

    /// The encryption type.
    pub fn enctype(&self) -> Enctype {
        self.enctype
    }

    /// The octets of the key: for tickets, key tables and caches, and nothing else.
    pub fn expose_octets(&self) -> &[u8] {
        self.octets.expose_octets()
    }

    /// A second key with the same octets. It derives anew what it needs.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::from_secret(self.enctype, SecretBytes::copy_of(self.expose_octets()))
    }

    /// Whether both are the same key, in a time that does not depend on the octets.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.enctype == other.enctype && self.octets.ct_eq(&other.octets)
    }

    /// Octets in a sealed message that holds `plain` octets.
    pub fn sealed_len(&self, plain: usize) -> usize {
        self.enctype.confounder_len() + plain + self.enctype.tag_len()
    }

    /// Seals `plain` in a new buffer of [`Key::sealed_len`] octets. Nothing of it is left on the stack.
    pub fn encrypt(&self, usage: KeyUsage, random: &dyn Random, plain: &[u8]) -> Vec<u8> {
        let mut confounder = Confounder::default();
        random.fill(&mut confounder);
        self.encrypt_with_confounder(usage, &confounder, plain)
    }

    /// [`Key::encrypt`] with a given confounder, for test vectors. A confounder used twice, or one that can be
    /// foreseen, betrays which messages begin alike.
    #[doc(hidden)]
    pub fn encrypt_with_confounder(&self, usage: KeyUsage, confounder: &[u8; 16], plain: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::with_capacity(self.sealed_len(plain.len()));
        buffer.extend_from_slice(confounder);
        buffer.extend_from_slice(plain);
        let tag = residue::leaving_none(|| self.seal(usage, &mut buffer));
        buffer.extend_from_slice(&tag);
        buffer
    }

    /// Seals where the plain text lies: `buffer` is room for the confounder, the plain text, room for the tag.
    ///
    /// # Errors
    /// [`BadLength`] if the buffer has no room for both; it is unchanged then.
    pub fn seal_in_place(
        &self,
        usage: KeyUsage,
        random: &dyn Random,
        buffer: &mut [u8],
    ) -> Result<(), BadLength> {
        let least = self.sealed_len(0);
        let bad = BadLength { least, found: buffer.len() };
        let body_len = buffer.len().checked_sub(self.enctype.tag_len()).ok_or(bad)?;
        let (body, tag_room) = buffer.split_at_mut_checked(body_len).ok_or(bad)?;
        let confounder = body.get_mut(..self.enctype.confounder_len()).ok_or(bad)?;
        random.fill(confounder);
        let tag = self.seal(usage, body);
        tag_room.copy_from_slice(&tag);
        Ok(())
    }

    /// Opens a sealed message into a new buffer that holds the plain text alone and is wiped when dropped.
    ///
    /// # Errors
    /// [`Integrity`] if it was not sealed with this key for this use, or was altered or cut.
    pub fn decrypt(&self, usage: KeyUsage, cipher: &[u8]) -> Result<Zeroizing<Vec<u8>>, Integrity> {
        let body_len = self.body_len(cipher.len())?;
        let (body, tag) = cipher.split_at_checked(body_len).ok_or(Integrity)?;
        let mut buffer = Zeroizing::new(body.to_vec());
        residue::leaving_none(|| self.open(usage, &mut buffer, tag))?;
        let plain_len = body_len - self.enctype.confounder_len();
        buffer.copy_within(self.enctype.confounder_len().., 0);
        if let Some(rest) = buffer.get_mut(plain_len..) {
            rest.zeroize();
        }
        buffer.truncate(plain_len);
        Ok(buffer)
    }

    /// Opens a sealed message where it lies and gives the part of `buffer` that is the plain text.
    ///
    /// # Errors
    /// [`Integrity`] if it was not sealed with this key for this use, or was altered or cut. The buffer then
    /// holds cipher text or zeros: never plain text that nothing vouches for.
    pub fn open_in_place<'b>(
        &self,
        usage: KeyUsage,
        buffer: &'b mut [u8],
    ) -> Result<&'b mut [u8], Integrity> {
        let body_len = self.body_len(buffer.len())?;
        let (body, tag) = buffer.split_at_mut_checked(body_len).ok_or(Integrity)?;
        self.open(usage, body, tag)?;
        body.get_mut(self.enctype.confounder_len()..).ok_or(Integrity)
    }

    /// The keyed checksum over `parts` laid end to end: [`Enctype::tag_len`] octets.
    pub fn checksum(&self, usage: KeyUsage, parts: &[&[u8]]) -> Checksum {
        with_keys!(&self.keys, keys => keys.checksum(self.expose_octets(), usage, parts))
    }

    /// Checks a checksum over `parts` laid end to end, in constant time.
    ///
    /// # Errors
    /// [`Integrity`] if it does not agree, or has not exactly [`Enctype::tag_len`] octets.
    pub fn verify(&self, usage: KeyUsage, parts: &[&[u8]], checksum: &[u8]) -> Result<(), Integrity> {
        check(&self.checksum(usage, parts), checksum)
    }

    /// The pseudo-random function (RFC 3961 §3, RFC 3962 §6, RFC 8009 §5): [`Key::prf_len`] octets.
    pub fn prf(&self, input: &[u8]) -> SecretBytes {
        with_keys!(&self.keys, keys => keys.prf(self.expose_octets(), input))
    }

    /// Octets that [`Key::prf`] gives: 16, 32 or 48.
    pub fn prf_len(&self) -> usize {
        with_keys!(&self.keys, keys => keys.prf_len())
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
        let len = self.enctype.key_len();
        let whole = "a key is no longer than 255 blocks";
        let ours = self.prf_plus(pepper, len).expect(whole);
        let theirs = other.prf_plus(other_pepper, len).expect(whole);
        let octets = ours.expose_octets().iter().zip(theirs.expose_octets()).map(|(a, b)| a ^ b);
        Self::from_secret(self.enctype, Zeroizing::new(octets.collect::<Vec<u8>>()).into())
    }

    /// What has been derived from this key.
    pub(crate) fn derived_keys(&self) -> &AnyKeys {
        &self.keys
    }

    fn from_secret(enctype: Enctype, octets: SecretBytes) -> Self {
        Self { enctype, octets, keys: AnyKeys::new(enctype) }
    }

    /// The iteration count that parameters stand for. A count of 0 means 2^32 (RFC 3962 §4).
    fn iterations(enctype: Enctype, params: Option<&[u8]>) -> Result<u32, BadKey> {
        let Some(params) = params else { return Ok(enctype.default_iterations()) };
        let octets = <[u8; 4]>::try_from(params).map_err(|_| BadKey::Parameters { found: params.len() })?;
        match u32::from_be_bytes(octets) {
            0 => Err(BadKey::TooManyIterations { given: 1 << 32 }),
            given if given > Self::MOST_ITERATIONS => Err(BadKey::TooManyIterations { given: given.into() }),
            given => Ok(given),
        }
    }

    fn iterated(enctype: Enctype, password: &Password, salt: &[u8], iterations: u32) -> Self {
        let password = password.0.expose_octets();
        let octets =
            with_keys!(&AnyKeys::new(enctype), keys => keys.string_to_key(password, salt, iterations));
        Self::from_secret(enctype, octets)
    }

    fn seal(&self, usage: KeyUsage, body: &mut [u8]) -> Checksum {
        with_keys!(&self.keys, keys => keys.seal(self.expose_octets(), usage, body))
    }

    fn open(&self, usage: KeyUsage, body: &mut [u8], tag: &[u8]) -> Result<(), Integrity> {
        with_keys!(&self.keys, keys => keys.open(self.expose_octets(), usage, body, tag))
    }

    /// Octets before the tag in a sealed message of `sealed` octets, if they can hold a confounder.
    fn body_len(&self, sealed: usize) -> Result<usize, Integrity> {
        let body = sealed.checked_sub(self.enctype.tag_len()).ok_or(Integrity)?;
        if body < self.enctype.confounder_len() { Err(Integrity) } else { Ok(body) }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.enctype)
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
    /// The parameters of string-to-key are not four octets.
    Parameters {
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
            Self::Parameters { found } => {
                write!(
                    f,
                    "the string-to-key parameters must be an iteration count of 4 octets, not {found} octets"
                )
            }
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
