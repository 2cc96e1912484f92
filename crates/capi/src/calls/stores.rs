//! Credentials from places that the caller names, and put there (RFC 5588, and MIT krb5's credential stores).

use orthros::credential::{CredentialSet, Usage};
use orthros::credentials::Storing;
use orthros::mechanism::KRB5_OID;
use orthros::{CacheName, CredentialStore, Major};
use orthros_wire::Oid;

use super::credentials::{Acquired, CREDENTIALS, Credential, acquire, credential, held, usage};
use super::{chosen, insert};
use crate::abi::{GssBuffer, Handle, KeyValueSet, OidDesc, OidSetDesc, OmUint32};
use crate::boundary::boundary;
use crate::library;
use crate::memory::OidSet;
use crate::plugins;
use crate::plugins::credentials::{Source, Storage, Wish};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

pub(super) fn store_of(given: In<KeyValueSet>) -> Result<CredentialStore, Failed> {
    let pairs = given.pairs()?;
    let store = CredentialStore::from_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    store.map_err(|bad| Failed::told(Major::Failure, bad.to_string()))
}

/// Gets credentials from the places that a store names: `ccache`, `keytab`, `client_keytab`, `password`, `rcache`,
/// `verify`.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has nine")]
pub extern "C" fn gss_acquire_cred_from(
    minor_status: Out<OmUint32>,
    desired_name: Handle,
    time_req: OmUint32,
    desired_mechs: In<OidSetDesc>,
    cred_usage: i32,
    cred_store: In<KeyValueSet>,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    time_rec: Out<OmUint32>,
) -> OmUint32 {
    let acquired = Acquired { handle: output_cred_handle, mechanisms: actual_mechs, time: time_rec };
    acquired.clear();
    boundary(minor_status, || {
        let source = Source::Store(cred_store);
        acquire(
            Wish { source, name: desired_name, time: time_req, usage: cred_usage },
            desired_mechs,
            acquired,
        )
    })
}

/// Gets credentials by a password. It waits for KDCs.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has nine")]
pub extern "C" fn gss_acquire_cred_with_password(
    minor_status: Out<OmUint32>,
    desired_name: Handle,
    password: In<GssBuffer>,
    time_req: OmUint32,
    desired_mechs: In<OidSetDesc>,
    cred_usage: i32,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    time_rec: Out<OmUint32>,
) -> OmUint32 {
    let acquired = Acquired { handle: output_cred_handle, mechanisms: actual_mechs, time: time_rec };
    acquired.clear();
    boundary(minor_status, || {
        let source = Source::Password(password);
        acquire(
            Wish { source, name: desired_name, time: time_req, usage: cred_usage },
            desired_mechs,
            acquired,
        )
    })
}

/// A store that names a password. The zero of a C string is left out.
pub(super) fn by_password(password: In<GssBuffer>) -> Result<CredentialStore, Failed> {
    let password = password.octets()?;
    let password = password.strip_suffix(&[0]).unwrap_or(password);
    let text = std::str::from_utf8(password);
    let text = text.map_err(|_| Failed::plain(Major::Failure, "the password is no text"))?;
    Ok(CredentialStore::new().password(text))
}

/// Puts a credential's tickets into the default cache (RFC 5588 §3).
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eight")]
pub extern "C" fn gss_store_cred(
    minor_status: Out<OmUint32>,
    input_cred_handle: Handle,
    cred_usage: i32,
    desired_mech: In<OidDesc>,
    overwrite_cred: OmUint32,
    default_cred: OmUint32,
    elements_stored: Out<OidSet>,
    cred_usage_stored: Out<i32>,
) -> OmUint32 {
    let stored = Stored { elements: elements_stored, usage: cred_usage_stored };
    stored.clear();
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(desired_mech)? {
            let storage = Storage {
                usage: cred_usage,
                overwrite: overwrite_cred,
                default: default_cred,
                store: In::nothing(),
                elements: elements_stored,
                stored: cred_usage_stored,
            };
            let done = plugins::credentials::store(plugin, input_cred_handle, &storage)?;
            return Ok(done.tell(minor_status));
        }
        let storing = Storing { cache: None, overwrite: overwrite_cred != 0, as_default: default_cred != 0 };
        store(input_cred_handle, cred_usage, desired_mech, &storing, stored)
    })
}

/// Puts a credential's tickets into the cache that a store names, else into the default one.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has nine")]
pub extern "C" fn gss_store_cred_into(
    minor_status: Out<OmUint32>,
    input_cred_handle: Handle,
    cred_usage: i32,
    desired_mech: In<OidDesc>,
    overwrite_cred: OmUint32,
    default_cred: OmUint32,
    cred_store: In<KeyValueSet>,
    elements_stored: Out<OidSet>,
    cred_usage_stored: Out<i32>,
) -> OmUint32 {
    let stored = Stored { elements: elements_stored, usage: cred_usage_stored };
    stored.clear();
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(desired_mech)? {
            let storage = Storage {
                usage: cred_usage,
                overwrite: overwrite_cred,
                default: default_cred,
                store: cred_store,
                elements: elements_stored,
                stored: cred_usage_stored,
            };
            let done = plugins::credentials::store(plugin, input_cred_handle, &storage)?;
            return Ok(done.tell(minor_status));
        }
        let pairs = cred_store.pairs()?;
        let cache =
            pairs.iter().find(|(key, _)| key == "ccache").map(|(_, name)| CacheName::from(name.as_str()));
        let storing = Storing { cache, overwrite: overwrite_cred != 0, as_default: default_cred != 0 };
        store(input_cred_handle, cred_usage, desired_mech, &storing, stored)
    })
}

/// Where the caller wants to be told of what was stored.
#[derive(Clone, Copy)]
struct Stored {
    elements: Out<OidSet>,
    usage: Out<i32>,
}

impl Stored {
    fn clear(self) {
        self.elements.set(std::ptr::null_mut());
        self.usage.set(0);
    }
}

fn store(
    handle: Handle,
    cred_usage: i32,
    mechanism: In<OidDesc>,
    storing: &Storing,
    stored: Stored,
) -> Result<OmUint32, Failed> {
    let mechanism = chosen(mechanism)?;
    if !usage(cred_usage)?.initiates() {
        return Err(Failed::plain(
            Major::Failure,
            "only what initiates can be stored: keys are in keytabs already",
        ));
    }
    let held = credential(handle)?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
    let initiator = held.set.initiator(&mechanism.oid)?;
    library::orthros()?.store_credential(initiator, storing)?;
    let kept: Vec<Oid> = vec![KRB5_OID];
    stored.elements.give(&kept)?;
    stored.usage.set(crate::abi::USAGE_INITIATE);
    Ok(COMPLETE)
}

/// A credential's tickets as a sealed token, which processes of this user can open until they end.
#[unsafe(no_mangle)]
pub extern "C" fn gss_export_cred(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    token: Out<GssBuffer>,
) -> OmUint32 {
    token.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        token.require()?;
        let held = held(cred_handle, Usage::Initiate)?;
        let own = || -> Result<Vec<u8>, Failed> {
            let initiator = held.set.initiator(&KRB5_OID)?;
            Ok(held.orthros.export_credential(initiator)?.to_vec())
        };
        if held.foreign.is_empty() {
            token.give(&own()?)?;
            return Ok(COMPLETE);
        }
        let own = if held.set.is_empty() { None } else { Some((KRB5_OID, own()?)) };
        let foreign = held.foreign.iter();
        let foreign = foreign.map(|one| Ok((one.plugin().oid().clone(), one.export_credential()?)));
        let elements: Result<Vec<_>, Failed> = own.map(Ok).into_iter().chain(foreign).collect();
        token.give(&plugins::credentials::join(&elements?)?)?;
        Ok(COMPLETE)
    })
}

/// Opens a sealed credential.
#[unsafe(no_mangle)]
pub extern "C" fn gss_import_cred(
    minor_status: Out<OmUint32>,
    token: In<GssBuffer>,
    cred_handle: Out<Handle>,
) -> OmUint32 {
    cred_handle.set(Handle::NONE);
    boundary(minor_status, || {
        cred_handle.require()?;
        let orthros = library::orthros()?;
        let token = token.octets()?;
        let mut made = Credential::new(CredentialSet::empty(), orthros);
        match plugins::credentials::split(token) {
            None => made.set = CredentialSet::initiating(made.orthros.import_credential(token)?),
            Some(elements) => {
                for (oid, octets) in elements {
                    if oid == KRB5_OID {
                        made.set = CredentialSet::initiating(made.orthros.import_credential(octets)?);
                    } else {
                        made.foreign.push(plugins::credentials::import(&oid, octets)?);
                    }
                }
            }
        }
        cred_handle.set(insert(&CREDENTIALS, made)?);
        Ok(COMPLETE)
    })
}
