//! Messages whose parts lie in different places: sealed there, or only covered by the tag. RFC 3961 §5.3,
//! RFC 8009 §5; the order of what is covered is MIT's for its calls with vectors of buffers.
//!
//! The confounder and all sealed parts are one stream for the cipher. The tag covers the confounder and every
//! part in its place: as plain text under RFC 3961, as cipher text (signed parts as they are) under RFC 8009.

use std::fmt;

use digest::Mac;
use orthros_wire::Random;
use orthros_wire::secret::wipe;
use zeroize::Zeroizing;

use crate::key::{BadLength, Integrity, Key};
use crate::profile::with_keys;
use crate::usage::KeyUsage;

/// A part of a message that is sealed where it lies.
pub enum Part<'a> {
    /// Encrypted or decrypted in its place, and covered by the tag.
    Sealed(&'a mut [u8]),
    /// Covered by the tag and left as it is.
    Signed(&'a [u8]),
}

impl fmt::Debug for Part<'_> {
    /// Tells lengths only: a sealed part may hold plain text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed(octets) => write!(f, "Sealed({} octets)", octets.len()),
            Self::Signed(octets) => write!(f, "Signed({} octets)", octets.len()),
        }
    }
}

impl Key {
    /// Encrypts a fresh confounder and all sealed parts as one stream, each where it lies, and fills `tag`,
    /// which covers the confounder and all parts in their order.
    ///
    /// With one sealed part this is [`Key::seal_in_place`] with its pieces apart.
    ///
    /// ```
    /// use orthros_crypto::{Enctype, Key, KeyUsage, Part};
    /// # struct Dice;
    /// # impl orthros_wire::Random for Dice {
    /// #     fn fill(&self, octets: &mut [u8]) { octets.fill(4) }
    /// # }
    /// # let random = &Dice;
    /// let key = Key::random(Enctype::Aes256CtsHmacSha384, random);
    /// let (mut confounder, mut tag, mut body) = ([0; 16], [0; 24], *b"body");
    /// let mut parts = [Part::Signed(b"head"), Part::Sealed(&mut body)];
    /// key.seal_parts(KeyUsage::INITIATOR_SEAL, random, &mut confounder, &mut parts, &mut tag)?;
    /// key.open_parts(KeyUsage::INITIATOR_SEAL, &mut confounder, &mut parts, &tag).unwrap();
    /// assert_eq!(body, *b"body");
    /// # Ok::<(), orthros_crypto::BadLength>(())
    /// ```
    ///
    /// # Errors
    /// [`BadLength`] if `confounder` has not [`crate::Enctype::confounder_len`] octets or `tag` not
    /// [`crate::Enctype::tag_len`], or if the sealed parts lack [padding](crate::Enctype::padding_len); nothing
    /// is changed then.
    pub fn seal_parts(
        &self,
        usage: KeyUsage,
        random: &dyn Random,
        confounder: &mut [u8],
        parts: &mut [Part<'_>],
        tag: &mut [u8],
    ) -> Result<(), BadLength> {
        BadLength::unless_exact(self.enctype().confounder_len(), confounder.len())?;
        BadLength::unless_exact(self.enctype().tag_len(), tag.len())?;
        let message = Scattered { confounder, parts };
        let body = message.stream_len();
        BadLength::unless_exact(body.next_multiple_of(self.enctype().block_len()), body)?;
        random.fill(message.confounder);
        let mut message = message;
        let made = with_keys!(self.derived_keys(), keys => keys.seal_parts(self.expose_octets(), usage, &mut message));
        tag.copy_from_slice(&made);
        Ok(())
    }

    /// Opens what [`Key::seal_parts`] sealed, each part where it lies.
    ///
    /// # Errors
    /// [`Integrity`] if the parts were not sealed with this key for this use in this order, or any was altered
    /// or cut. The sealed parts then hold cipher text or zeros: never plain text that nothing vouches for.
    pub fn open_parts(
        &self,
        usage: KeyUsage,
        confounder: &mut [u8],
        parts: &mut [Part<'_>],
        tag: &[u8],
    ) -> Result<(), Integrity> {
        if confounder.len() != self.enctype().confounder_len() {
            return Err(Integrity);
        }
        let mut message = Scattered { confounder, parts };
        with_keys!(self.derived_keys(), keys => keys.open_parts(self.expose_octets(), usage, &mut message, tag))
    }
}

/// A message in parts, on its way through a profile.
pub(crate) struct Scattered<'m, 'p> {
    confounder: &'m mut [u8],
    parts: &'m mut [Part<'p>],
}

impl Scattered<'_, '_> {
    /// Shows everything that the tag covers to `hash`, as it lies now.
    pub(crate) fn update(&self, hash: &mut impl Mac) {
        hash.update(self.confounder);
        for part in self.parts.iter() {
            match part {
                Part::Sealed(octets) => hash.update(octets),
                Part::Signed(octets) => hash.update(octets),
            }
        }
    }

    /// Octets that the cipher works on.
    pub(crate) fn stream_len(&self) -> usize {
        let lengths = self.parts.iter().map(|part| match part {
            Part::Sealed(octets) => octets.len(),
            Part::Signed(_) => 0,
        });
        lengths.fold(self.confounder.len(), usize::saturating_add)
    }

    /// Runs a cipher over the confounder and the sealed parts laid end to end, in a buffer that is wiped.
    pub(crate) fn transform(&mut self, cipher: impl FnOnce(&mut [u8])) {
        let mut stream = Zeroizing::new(Vec::with_capacity(self.stream_len()));
        self.pieces().for_each(|piece| stream.extend_from_slice(piece));
        cipher(&mut stream);
        let mut rest = stream.as_slice();
        for piece in self.pieces() {
            let (done, later) = rest.split_at(piece.len());
            piece.copy_from_slice(done);
            rest = later;
        }
    }

    /// Puts zeros where unverified plain text lies.
    pub(crate) fn wipe(&mut self) {
        self.pieces().for_each(wipe);
    }

    /// What the cipher works on, in its order.
    fn pieces(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let sealed = self.parts.iter_mut().filter_map(|part| match part {
            Part::Sealed(octets) => Some(&mut **octets),
            Part::Signed(_) => None,
        });
        std::iter::once(&mut *self.confounder).chain(sealed)
    }
}
