//! What a token says in the clear.

use orthros_wire::{Reader, Timestamp};

use super::seal::{GUARDED, Kind, TAG, VERSION};
use super::{SealingKey, TransferRefusal};

/// The clear part of a token. Nothing in it is to be believed before the token was opened; it is for people, and to find
/// the key.
///
/// ```
/// use orthros_gss::transfer::{Header, SealingKey, export_credential};
/// # use orthros_gss::{Error, InitiatorCredential, Settings};
/// fn expiry(
///     credential: &InitiatorCredential,
///     key: &SealingKey,
///     settings: &Settings,
/// ) -> Result<orthros_wire::Timestamp, Error> {
///     let token = export_credential(credential, key, settings)?;
///     let header = Header::parse(&token)?;
///     assert!(header.is_of(key));
///     Ok(header.expiry)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What lies under the seal.
    pub kind: Kind,
    /// Whether [`Claims`](super::Claims) lie under the seal.
    pub guarded: bool,
    /// The public name of the sealing key.
    pub key_id: [u8; 4],
    /// The public name of the boundary: of a boot, or of a ledger.
    pub boundary_id: [u8; 4],
    /// The token's own, random id: what the ledger spends.
    pub id: [u8; 16],
    /// Until when it can be imported.
    pub expiry: Timestamp,
    /// How many octets are sealed, without the tag.
    pub sealed_octets: usize,
}

impl Header {
    /// Reads the clear part.
    ///
    /// # Errors
    /// [`TransferRefusal::Version`] if it is of another version or type, [`TransferRefusal::Damaged`] if it is too
    /// short.
    pub fn parse(token: &[u8]) -> Result<Self, TransferRefusal> {
        let mut reader = Reader::new(token);
        if reader.u8()? != VERSION {
            return Err(TransferRefusal::Version);
        }
        let octet = reader.u8()?;
        let kind = Kind::from_octet(octet & !GUARDED).ok_or(TransferRefusal::Version)?;
        Ok(Self {
            kind,
            guarded: octet & GUARDED != 0,
            key_id: reader.array()?,
            boundary_id: reader.array()?,
            id: reader.array()?,
            expiry: Timestamp::from_seconds(reader.i64()?),
            sealed_octets: reader.rest().len().checked_sub(TAG).ok_or(TransferRefusal::Damaged)?,
        })
    }

    /// Whether it names this key and this boundary.
    pub fn is_of(&self, key: &SealingKey) -> bool {
        self.check_key(key).is_ok()
    }

    /// Whether it names this key and this boundary.
    ///
    /// # Errors
    /// What [`import`](super::import()) would answer: [`TransferRefusal::ForeignKey`], [`TransferRefusal::OtherBoot`],
    /// [`TransferRefusal::OtherLedger`].
    pub fn check_key(&self, key: &SealingKey) -> Result<(), TransferRefusal> {
        let id = key.id();
        if !id.starts_with(&self.key_id) {
            return Err(TransferRefusal::ForeignKey);
        }
        if id.ends_with(&self.boundary_id) { Ok(()) } else { Err(key.beyond.clone()) }
    }
}

#[cfg(test)]
mod tests {
    use orthros_wire::SecretBytes;
    use orthros_wire::testing::SeededRandom;

    use super::super::{Claims, Seal};
    use super::*;

    fn key(octet: u8, boundary: &[u8]) -> SealingKey {
        SealingKey::new(SecretBytes::from(vec![octet; 32]), boundary)
    }

    fn sealed(kind: Kind, seal: Seal<'_>) -> Vec<u8> {
        seal.seal(kind, b"state", Timestamp::from_seconds(77), &SeededRandom::new(1)).unwrap()
    }

    #[test]
    fn the_clear_part_is_told_as_it_was_sealed() {
        let key = key(1, b"boot");
        let audience = Claims { audience: Some("mail".into()), ..Claims::NONE };
        for (octet, kind) in [(1, Kind::Context), (2, Kind::Credential), (3, Kind::HalfOpen)] {
            for (claims, bit) in [(&Claims::NONE, 0), (&audience, 0x80)] {
                let token = sealed(kind, key.under(claims));
                assert_eq!(token[1], octet | bit);
                let header = Header::parse(&token).unwrap();
                assert_eq!((header.kind, header.guarded), (kind, bit != 0));
                assert_eq!([header.key_id, header.boundary_id].concat(), key.id());
                assert_eq!((&header.id[..], header.expiry), (&token[10..26], Timestamp::from_seconds(77)));
                assert_eq!(header.sealed_octets, claims.to_octets().unwrap().len() + b"state".len());
            }
        }
    }

    #[test]
    fn a_later_version_another_type_and_a_cut_token_are_no_header() {
        let token = sealed(Kind::Context, (&key(1, b"boot")).into());
        for (place, octet) in [(0, 0), (0, 2), (1, 0), (1, 4), (1, 0x84)] {
            let mut other = token.clone();
            other[place] = octet;
            assert_eq!(Header::parse(&other), Err(TransferRefusal::Version), "{octet} at {place}");
        }
        let shortest = token.len() - b"state".len();
        assert_eq!(Header::parse(&token[..shortest]).map(|header| header.sealed_octets), Ok(0));
        for length in 0..shortest {
            assert_eq!(Header::parse(&token[..length]), Err(TransferRefusal::Damaged), "{length} octets");
        }
    }

    #[test]
    fn a_token_of_another_key_is_told_from_one_of_another_boot_or_ledger() {
        let (here, rebooted, foreign) = (key(1, b"boot"), key(1, b"another boot"), key(2, b"boot"));
        let elsewhere = SealingKey::of_ledger(SecretBytes::from(vec![1; 32]), &[7; 16]);
        let token = sealed(Kind::Context, (&here).into());
        let header = Header::parse(&token).unwrap();
        for (key, named, expected) in [
            (&here, true, Ok(())),
            (&rebooted, true, Err(TransferRefusal::OtherBoot)),
            (&elsewhere, true, Err(TransferRefusal::OtherLedger)),
            (&foreign, false, Err(TransferRefusal::ForeignKey)),
        ] {
            assert_eq!((key.is_named_by(&token), key.is_named_by(&token[..9])), (named, false), "{key:?}");
            assert_eq!(header.is_of(key), expected.is_ok(), "{key:?}");
            assert_eq!(header.check_key(key), expected);
        }
    }
}
