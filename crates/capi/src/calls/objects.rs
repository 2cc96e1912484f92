//! Objects of the libkrb5 that a program shares its process with: caches, keytabs and principals that it lends.

use orthros::credential::{CredentialSet, Usage};
use orthros::credentials::cache_of;
use orthros::{CacheName, CredentialStore, KeytabName, Major, Name, Principal};

use super::credentials::{CREDENTIALS, Credential, held};
use super::insert;
use crate::abi::{Handle, OmUint32};
use crate::boundary::boundary;
use crate::libkrb5::{self, LentCache, LentKeytab, LentPrincipal, Maker};
use crate::library;
use crate::pointers::Out;
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

fn of_libkrb5(report: String) -> Failed {
    Failed::told(Major::Failure, report)
}

/// Adds a credential's tickets to a cache of the program's, which it has made for a client already. sshd keeps what was
/// delegated so.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_copy_ccache(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    out_ccache: LentCache,
) -> OmUint32 {
    boundary(minor_status, || copy(Maker::Mit, cred_handle, out_ccache))
}

/// The same with a cache of Heimdal's.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_krb5_copy_ccache(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    out_ccache: LentCache,
) -> OmUint32 {
    boundary(minor_status, || copy(Maker::Heimdal, cred_handle, out_ccache))
}

fn copy(maker: Maker, cred_handle: Handle, out_ccache: LentCache) -> Result<OmUint32, Failed> {
    if !out_ccache.is_present() {
        return Err(Failed::call(CALL_INACCESSIBLE_READ));
    }
    let held = held(cred_handle, Usage::Initiate)?;
    let tickets = cache_of(held.set.initiator(&orthros::mechanism::KRB5_OID)?);
    libkrb5::fill(maker, out_ccache, &tickets).map_err(of_libkrb5)?;
    Ok(COMPLETE)
}

/// A credential of a cache to initiate with, of a keytab to accept with, or of both; for one principal of the keytab, or
/// for all.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_import_cred(
    minor_status: Out<OmUint32>,
    id: LentCache,
    keytab_principal: LentPrincipal,
    keytab: LentKeytab,
    cred: Out<Handle>,
) -> OmUint32 {
    cred.set(Handle::NONE);
    let lent = Lent { maker: Maker::Mit, cache: id, principal: keytab_principal, keytab };
    boundary(minor_status, || import(lent, cred))
}

/// The same with objects of Heimdal's.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_krb5_import_cred(
    minor_status: Out<OmUint32>,
    id: LentCache,
    keytab_principal: LentPrincipal,
    keytab: LentKeytab,
    cred: Out<Handle>,
) -> OmUint32 {
    cred.set(Handle::NONE);
    let lent = Lent { maker: Maker::Heimdal, cache: id, principal: keytab_principal, keytab };
    boundary(minor_status, || import(lent, cred))
}

/// What a program lends of its libkrb5.
struct Lent {
    maker: Maker,
    cache: LentCache,
    principal: LentPrincipal,
    keytab: LentKeytab,
}

fn import(lent: Lent, cred: Out<Handle>) -> Result<OmUint32, Failed> {
    cred.require()?;
    let Lent { maker, cache, principal, keytab } = lent;
    let cache = cache.is_present().then(|| libkrb5::name_of_cache(maker, cache).map_err(of_libkrb5));
    let keytab = keytab.is_present().then(|| libkrb5::name_of_keytab(maker, keytab).map_err(of_libkrb5));
    let (cache, keytab) = (cache.transpose()?, keytab.transpose()?);
    let service = (keytab.is_some() && principal.is_present())
        .then(|| libkrb5::principal(maker, principal).map_err(of_libkrb5));
    let made = import_named(cache.as_deref(), service.transpose()?, keytab.as_deref())?;
    cred.set(insert(&CREDENTIALS, made)?);
    Ok(COMPLETE)
}

/// A credential of the cache, of the keytab, or of both that have these names.
pub(super) fn import_named(
    cache: Option<&str>,
    service: Option<Principal>,
    keytab: Option<&str>,
) -> Result<Credential, Failed> {
    let orthros = library::orthros()?;
    let initiator = cache.map(|name| orthros.credential_from(&CacheName::from(name))).transpose()?;
    let acceptor = keytab.map(|name| {
        let store = CredentialStore::new().keytab(KeytabName::from(name));
        orthros.acquire_from(&store, service.map(Name::Principal).as_ref(), Usage::Accept)
    });
    let set = match (initiator, acceptor.transpose()?) {
        (Some(initiator), Some(acceptor)) => {
            let acceptor = acceptor.acceptor(&orthros::mechanism::KRB5_OID)?.clone();
            CredentialSet::both(initiator, acceptor)
        }
        (Some(initiator), None) => CredentialSet::initiating(initiator),
        (None, Some(acceptor)) => acceptor,
        (None, None) => return Err(Failed::call(CALL_INACCESSIBLE_READ)),
    };
    Ok(Credential::new(set, orthros))
}

/// Takes the configuration of a KDC, `kdc.conf` before `krb5.conf`, from now on in this process. kadmind calls it when it
/// starts.
#[unsafe(no_mangle)]
pub extern "C" fn krb5_gss_use_kdc_context() -> OmUint32 {
    library::use_kdc_profile();
    COMPLETE
}
