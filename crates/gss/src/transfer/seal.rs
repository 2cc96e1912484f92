//! The token's layout, and its sealing.
//!
//! ```text
//! offset  octets
//!      0       1  version, 1
//!      1       1  type, 1: an established context, 2: a credential, 3: a half-open context; 128 more: with claims
//!      2       8  key id: 4 of the key, 4 of the boundary
//!     10      16  token id, random
//!     26       8  expiry, seconds since 1970, big-endian
//!     34       n  the state, sealed
//!   34+n      16  tag
//! ```
//!
//! Key per token = HKDF-SHA-256(sealing key, info = the 34 octets and the boundary), which is another one for each
//! token, by its id; without a salt (RFC 5869 §3.1: the sealing key is uniform), so that extraction is done once. The
//! AEAD is AES-256-GCM (RFC 5116) with a nonce of zeros, since no key seals twice; for tokens of this length it takes
//! a quarter of the time of ChaCha20-Poly1305. The boundary is what must be the same at import without travelling: the
//! boot id, or the ledger's identity. [`Claims`], if there are any, lie before the state.
//! `docs/transfer-token.md` tells the layout to others.

use std::fmt;
use std::ops::Range;

use aes_gcm::aead::consts::U12;
use aes_gcm::{AeadInOut, AesGcm, KeyInit, Tag};
use hkdf::Hkdf;
use orthros_crypto::wiped::Aes256Encrypting;
use orthros_wire::{Random, Reader, SecretBytes, Timestamp, hex, residue};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::claims::{Claims, Seal};
use super::{Header, TransferRefusal};

type Aes256Gcm = AesGcm<Aes256Encrypting, U12>;

pub(super) const VERSION: u8 = 1;
const HEADER: usize = 34;
/// Where the key's id stands.
const KEY_ID: Range<usize> = 2..10;
pub(super) const TAG: usize = 16;
/// In the type: claims lie under the seal.
pub(super) const GUARDED: u8 = 0x80;

/// What a token holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An established context.
    Context,
    /// A credential.
    Credential,
    /// An acceptor's context on its way up.
    HalfOpen,
}

impl Kind {
    const fn octet(self) -> u8 {
        match self {
            Self::Context => 1,
            Self::Credential => 2,
            Self::HalfOpen => 3,
        }
    }

    pub(super) fn from_octet(octet: u8) -> Option<Self> {
        [Self::Context, Self::Credential, Self::HalfOpen].into_iter().find(|kind| kind.octet() == octet)
    }

    fn expired(self, ended: Timestamp) -> TransferRefusal {
        match self {
            Self::Context | Self::HalfOpen => TransferRefusal::Expired { ended },
            Self::Credential => TransferRefusal::CredentialExpired { ended },
        }
    }
}

/// Who can import: whoever holds this key, within this boundary.
pub struct SealingKey {
    derive: Hkdf<Sha256>,
    boundary: Vec<u8>,
    id: [u8; 8],
    /// Why a token from beyond the boundary is refused.
    pub(super) beyond: TransferRefusal,
}

impl SealingKey {
    /// A key of 32 secret octets (fewer would do, and would be weaker). `boundary` must be the same where a
    /// token is sealed and where it is opened: the boot id for keys of one machine, nothing if the key says it all.
    pub fn new(secret: SecretBytes, boundary: &[u8]) -> Self {
        residue::leaving_none(|| {
            let derive = Hkdf::<Sha256>::new(None, secret.expose_octets());
            let part = |info: &[&[u8]]| {
                let mut id = [0; 4];
                expand(&derive, info, &mut id);
                id
            };
            let [k0, k1, k2, k3] = part(&[b"orthros transfer key id"]);
            let [b0, b1, b2, b3] = part(&[b"orthros transfer boundary", boundary]);
            let id = [k0, k1, k2, k3, b0, b1, b2, b3];
            Self { id, derive, boundary: boundary.to_vec(), beyond: TransferRefusal::OtherBoot }
        })
    }

    /// A key for the machines that share the ledger of this identity: where the same key meets another ledger, nothing is
    /// taken that could have been taken elsewhere.
    pub fn of_ledger(secret: SecretBytes, identity: &[u8; 16]) -> Self {
        let mut key = Self::new(secret, identity);
        key.beyond = TransferRefusal::OtherLedger;
        key
    }

    /// What stands in a token for the key (4 octets) and for the boundary (4 octets). Neither tells anything
    /// of the secret.
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// Whether a token says that this key, within this boundary, has sealed it.
    pub fn has_sealed(&self, token: &[u8]) -> bool {
        token.get(KEY_ID).is_some_and(|id| id.ct_eq(&self.id).into())
    }

    /// Whether a token names this key, within whatever boundary.
    pub fn is_named_by(&self, token: &[u8]) -> bool {
        let (key, _boundary) = self.id.split_at(KEY_ID.len() / 2);
        token.get(KEY_ID).is_some_and(|id| id.starts_with(key))
    }

    /// Seals `state` into a token that is good until `until`, behind the octets of claims.
    fn seal(
        &self,
        kind: Kind,
        claims: &[u8],
        state: &[u8],
        until: Timestamp,
        random: &dyn Random,
    ) -> Result<Vec<u8>, TransferRefusal> {
        let mut token_id = [0; 16];
        random.fill(&mut token_id);
        let mut token = Vec::with_capacity(HEADER + claims.len() + state.len() + TAG);
        let guarded = if claims.is_empty() { 0 } else { GUARDED };
        token.extend_from_slice(&[VERSION, kind.octet() | guarded]);
        token.extend_from_slice(&self.id);
        token.extend_from_slice(&token_id);
        token.extend_from_slice(&until.seconds.to_be_bytes());
        token.extend_from_slice(claims);
        token.extend_from_slice(state);
        let (header, body) = token.split_at_mut(HEADER);
        let tag = residue::leaving_none(|| {
            self.cipher(header).encrypt_inout_detached(&Default::default(), &[], body.into())
        })
        .map_err(|_| TransferRefusal::TooLarge)?;
        token.extend_from_slice(&tag);
        Ok(token)
    }

    /// Opens a token. What is in the clear is checked for its reason only; the tag decides.
    fn open(&self, expected: Kind, token: &[u8], now: Timestamp) -> Result<Unsealed, TransferRefusal> {
        let (header, sealed) = token.split_first_chunk::<HEADER>().ok_or(TransferRefusal::Damaged)?;
        let [version, kind, k0, k1, k2, k3, b0, b1, b2, b3, rest @ ..] = *header;
        if (version, kind & !GUARDED) != (VERSION, expected.octet()) {
            return Err(TransferRefusal::Version);
        }
        let [o0, o1, o2, o3, p0, p1, p2, p3] = self.id;
        if !bool::from([k0, k1, k2, k3].ct_eq(&[o0, o1, o2, o3])) {
            return Err(TransferRefusal::ForeignKey);
        }
        if !bool::from([b0, b1, b2, b3].ct_eq(&[p0, p1, p2, p3])) {
            return Err(self.beyond.clone());
        }
        let (id, until) = rest.split_first_chunk::<16>().ok_or(TransferRefusal::Damaged)?;
        let until = until.try_into().map(i64::from_be_bytes).map_err(|_| TransferRefusal::Damaged)?;
        let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(TransferRefusal::Damaged)?;
        let mut state = Zeroizing::new(body.to_vec());
        residue::leaving_none(|| {
            let (room, tag) = (state.as_mut_slice().into(), &Tag::from(*tag));
            self.cipher(header).decrypt_inout_detached(&Default::default(), &[], room, tag)
        })
        .map_err(|_| TransferRefusal::Damaged)?;
        let until = Timestamp::from_seconds(until);
        if until <= now {
            return Err(expected.expired(until));
        }
        Ok(Unsealed { id: *id, until, octets: state.into(), claims: 0, guarded: kind & GUARDED != 0 })
    }

    fn cipher(&self, header: &[u8]) -> Aes256Gcm {
        let mut key = Zeroizing::new([0; 32]);
        expand(&self.derive, &[header, &self.boundary], &mut *key);
        Aes256Gcm::new((&*key).into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey {{ id: {}, .. }}", hex::encode(&self.id))
    }
}

/// Its only error is an output of more than 255 hashes, and none here has more than one.
fn expand(derive: &Hkdf<Sha256>, info: &[&[u8]], output: &mut [u8]) {
    let expanded = derive.expand_multi_info(info, output);
    debug_assert!(expanded.is_ok(), "one hash of output");
}

/// A token's content after its tag was checked.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) id: [u8; 16],
    pub(crate) until: Timestamp,
    guarded: bool,
    octets: SecretBytes,
    /// How many octets of claims lie before the state.
    claims: usize,
}

impl Unsealed {
    pub(crate) fn state(&self) -> &[u8] {
        self.octets.expose_octets().get(self.claims..).unwrap_or_default()
    }

    fn checked(mut self, shown: &Claims) -> Result<Self, TransferRefusal> {
        let octets = self.octets.expose_octets();
        let mut reader = Reader::new(octets);
        let demanded = if self.guarded { Claims::read(&mut reader)? } else { Claims::NONE };
        let claims = octets.len() - reader.rest().len();
        demanded.check(shown)?;
        self.claims = claims;
        Ok(self)
    }
}

impl Seal<'_> {
    /// Seals `state` into a token that is good until `until`.
    pub(crate) fn seal(
        &self,
        kind: Kind,
        state: &[u8],
        until: Timestamp,
        random: &dyn Random,
    ) -> Result<Vec<u8>, TransferRefusal> {
        let token = self.key.seal(kind, &self.claims.to_octets()?, state, until, random)?;
        match self.issue {
            // A credential is not spent.
            Some(issue) if kind != Kind::Credential => issue(&Header::parse(&token)?)?,
            _ => {}
        }
        Ok(token)
    }

    /// Opens a token, and checks what it demands.
    pub(crate) fn open(
        &self,
        expected: Kind,
        token: &[u8],
        now: Timestamp,
    ) -> Result<Unsealed, TransferRefusal> {
        self.key.open(expected, token, now)?.checked(self.claims)
    }
}
