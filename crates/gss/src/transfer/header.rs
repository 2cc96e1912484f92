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
