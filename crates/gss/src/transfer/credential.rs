//! Sealed credentials: tickets move to another process of the same user, as often as wanted.
//!
//! The seal is that of contexts ([`super::seal`]), of another type, so that neither token passes for the other. It
//! is good until the credential ends, and binds to the same key and boot. Unlike a context's it may be imported
//! *any number of times*: a credential is no channel, and two holders do not disturb each other. Whoever should
//! not have the tickets must not have the token, even after it was used.
//!
//! ```text
//! offset of the KDC's clock, seconds(8)  credential cache (version 4: client, tickets, their keys)
//! ```
//!
//! Deliberately not in it: where the tickets lie (an import is a copy in memory, and what it fetches stays there),
//! passwords and long-term keys (an [`InitiatorCredential`] holds none), and credentials of acceptors, whose keys
//! belong into keytabs.

use orthros_krb5::CredentialCache;
use orthros_wire::{Reader, SecretBytes};
use zeroize::Zeroizing;

use super::seal::Kind;
use super::{Seal, TransferRefusal};
use crate::context::Settings;
use crate::credential::Lifetime;
use crate::error::NoCredential;
use crate::{Error, InitiatorCredential};

/// Seals a credential (`gss_export_cred`). The credential itself goes on.
///
/// ```
/// # use orthros_gss::{transfer, Error, InitiatorCredential, Settings};
/// fn copy(
///     credential: &InitiatorCredential,
///     key: &transfer::SealingKey,
///     settings: &Settings,
/// ) -> Result<InitiatorCredential, Error> {
///     let token = transfer::export_credential(credential, key, settings)?;
///     let copied = transfer::import_credential(&token, key, settings)?;
///     assert_eq!(copied.client(), credential.client());
///     transfer::import_credential(&token, key, settings) // as often as wanted
/// }
/// ```
///
/// # Errors
/// [`NoCredential::Expired`] if it has ended, [`NoCredential::None`] if it holds no ticket,
/// [`TransferRefusal::Unavailable`] if transfer is switched off.
pub fn export_credential<'s>(
    credential: &InitiatorCredential,
    seal: impl Into<Seal<'s>>,
    settings: &Settings,
) -> Result<Vec<u8>, Error> {
    if !settings.transfer {
        return Err(TransferRefusal::Unavailable.into());
    }
    let client = credential.client();
    let end = credential
        .end()
        .ok_or_else(|| NoCredential::None(format!("the credential of {client} holds no ticket")))?;
    if credential.lifetime(settings.env.now()) == Lifetime::Expired {
        return Err(NoCredential::Expired { client: client.clone(), ended: end }.into());
    }
    // Tickets end by the KDC's clock, tokens by ours.
    let until = end.plus_seconds(credential.offset_seconds().saturating_neg());
    let state = write(credential);
    Ok(seal.into().seal(Kind::Credential, state.expose_octets(), until, &*settings.env.random)?)
}

/// Opens a sealed credential (`gss_import_cred`), the first time or a later one.
///
/// # Errors
/// [`TransferRefusal`] says why not: changed, cut, of another user or boot, expired, for somebody else, or a context's
/// token.
pub fn import_credential<'s>(
    token: &[u8],
    seal: impl Into<Seal<'s>>,
    settings: &Settings,
) -> Result<InitiatorCredential, Error> {
    if !settings.transfer {
        return Err(TransferRefusal::Unavailable.into());
    }
    let unsealed = seal.into().open(Kind::Credential, token, settings.env.now())?;
    Ok(read(unsealed.state())?)
}

pub(crate) fn write(credential: &InitiatorCredential) -> SecretBytes {
    let cache = credential.to_cache().to_octets();
    let mut state = Zeroizing::new(Vec::with_capacity(cache.expose_octets().len() + 8));
    state.extend_from_slice(&credential.offset_seconds().to_be_bytes());
    state.extend_from_slice(cache.expose_octets());
    debug_assert_eq!(state.capacity(), state.len(), "a buffer that grows leaves copies");
    state.into()
}

fn read(state: &[u8]) -> Result<InitiatorCredential, TransferRefusal> {
    let mut reader = Reader::new(state);
    let offset = reader.i64()?;
    let cache = CredentialCache::parse(reader.rest()).map_err(|_| TransferRefusal::Damaged)?;
    // Whoever sealed the tickets could use them. If not all can be used here, the two differ in what they know.
    if cache.opaque_credentials().next().is_some() {
        return Err(TransferRefusal::Version);
    }
    Ok(InitiatorCredential::of_cache(&cache, offset))
}
