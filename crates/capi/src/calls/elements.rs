//! Elements that are added to a credential (RFC 2744 §5.3, and the same from named places and by password).

use std::sync::Arc;

use orthros::credential::{CredentialSet, Usage};
use orthros::{Error, Orthros};
use orthros_gss::error::Misuse;

use super::credentials::{CREDENTIALS, Credential, credential, own_store, replace, seconds, usage};
use super::{chosen, insert, name};
use crate::abi::{
    GssBuffer, Handle, INDEFINITE, KeyValueSet, OidDesc, OmUint32, USAGE_ACCEPT, USAGE_INITIATE,
};
use crate::boundary::boundary;
use crate::library;
use crate::memory::OidSet;
use crate::plugins::credentials::{Source, Wish};
use crate::plugins::{self, Plugin};
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};

/// What is to be added, and where the caller wants to be told of it.
#[derive(Clone, Copy)]
pub(super) struct Element {
    pub(super) to: Handle,
    pub(super) name: Handle,
    pub(super) mechanism: In<OidDesc>,
    pub(super) usage: i32,
    pub(super) handle: Out<Handle>,
    pub(super) mechanisms: Out<OidSet>,
    pub(super) initiator_time: Out<OmUint32>,
    pub(super) acceptor_time: Out<OmUint32>,
}

impl Element {
    pub(super) fn clear(self) -> Self {
        self.handle.set(Handle::NONE);
        self.mechanisms.set(std::ptr::null_mut());
        self.initiator_time.set(0);
        self.acceptor_time.set(0);
        self
    }

    /// Gets it and adds it. With a place for a new handle the old credential stays as it is; without one it is changed.
    /// Added to nothing, the element is a credential of its own.
    fn add(self, source: Source, time: OmUint32) -> Result<OmUint32, Failed> {
        if let Some(plugin) = plugins::named(self.mechanism)? {
            return self.add_foreign(plugin, source);
        }
        let (row, store) = (chosen(self.mechanism)?, own_store(source, time)?);
        self.add_what(|orthros, usage| {
            let named = if self.name == Handle::NONE { None } else { Some(name(self.name)?) };
            let named = named.as_ref().map(|named| &***named);
            Ok(orthros.acquire_for(row, &library::with_defaults(store), named, usage)?)
        })
    }

    /// Adds what `get` gets.
    pub(super) fn add_what(
        self,
        get: impl FnOnce(&Orthros, Usage) -> Result<CredentialSet, Failed>,
    ) -> Result<OmUint32, Failed> {
        let mechanism = &chosen(self.mechanism)?.oid;
        let usage = usage(self.usage)?;
        let old = credential(self.to)?;
        if old.is_none() {
            self.handle.require()?;
        }
        let orthros = library::orthros()?;
        let element = get(&orthros, usage)?;
        let options = old.as_ref().map(|old| old.options.clone()).unwrap_or_default();
        let foreign = old.as_ref().map(|old| old.foreign.clone()).unwrap_or_default();
        let set = match old {
            None => element,
            Some(old) => {
                let mut set = CredentialSet::clone(&old.set);
                if usage.initiates() {
                    set.add_initiator(mechanism, Arc::clone(element.initiator(mechanism)?))?;
                }
                if usage.accepts() {
                    set.add_acceptor(mechanism, element.acceptor(mechanism)?.clone())?;
                }
                set
            }
        };
        let facts = set.inquire_for(mechanism, orthros.env().now())?;
        self.mechanisms.give([mechanism])?;
        self.initiator_time.set(facts.initiator_lifetime.map_or(0, seconds));
        self.acceptor_time.set(facts.acceptor_lifetime.map_or(0, seconds));
        self.put(Credential { options, foreign, ..Credential::new(set, orthros) })
    }

    /// Gets an element of a plug-in's and adds it.
    fn add_foreign(self, plugin: &'static Plugin, source: Source) -> Result<OmUint32, Failed> {
        let old = credential(self.to)?;
        if old.is_none() {
            self.handle.require()?;
        }
        if old.as_ref().is_some_and(|old| old.element_of(plugin).is_some()) {
            return Err(Error::from(Misuse::DuplicateElement).into());
        }
        let wish = Wish { source, name: self.name, time: INDEFINITE, usage: self.usage };
        let element = wish.acquire(plugin)?;
        let left = element.known().left;
        self.initiator_time.set(if self.usage == USAGE_ACCEPT { 0 } else { left });
        self.acceptor_time.set(if self.usage == USAGE_INITIATE { 0 } else { left });
        self.mechanisms.give([plugin.oid()])?;
        let mut made = match old {
            Some(old) => (*old).clone(),
            None => Credential::new(CredentialSet::empty(), library::orthros()?),
        };
        made.foreign.push(element);
        self.put(made)
    }

    fn put(self, made: Credential) -> Result<OmUint32, Failed> {
        if self.handle.is_present() {
            self.handle.set(insert(&CREDENTIALS, made)?);
        } else {
            replace(self.to, made)?;
        }
        Ok(COMPLETE)
    }
}

/// Adds an element of the default places (§5.3).
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eleven")]
pub extern "C" fn gss_add_cred(
    minor_status: Out<OmUint32>,
    input_cred_handle: Handle,
    desired_name: Handle,
    desired_mech: In<OidDesc>,
    cred_usage: i32,
    initiator_time_req: OmUint32,
    _acceptor_time_req: OmUint32,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    initiator_time_rec: Out<OmUint32>,
    acceptor_time_rec: Out<OmUint32>,
) -> OmUint32 {
    let element = Element {
        to: input_cred_handle,
        name: desired_name,
        mechanism: desired_mech,
        usage: cred_usage,
        handle: output_cred_handle,
        mechanisms: actual_mechs,
        initiator_time: initiator_time_rec,
        acceptor_time: acceptor_time_rec,
    }
    .clear();
    boundary(minor_status, || element.add(Source::Default, initiator_time_req))
}

/// Adds an element of the places that a store names.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has twelve")]
pub extern "C" fn gss_add_cred_from(
    minor_status: Out<OmUint32>,
    input_cred_handle: Handle,
    desired_name: Handle,
    desired_mech: In<OidDesc>,
    cred_usage: i32,
    initiator_time_req: OmUint32,
    _acceptor_time_req: OmUint32,
    cred_store: In<KeyValueSet>,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    initiator_time_rec: Out<OmUint32>,
    acceptor_time_rec: Out<OmUint32>,
) -> OmUint32 {
    let element = Element {
        to: input_cred_handle,
        name: desired_name,
        mechanism: desired_mech,
        usage: cred_usage,
        handle: output_cred_handle,
        mechanisms: actual_mechs,
        initiator_time: initiator_time_rec,
        acceptor_time: acceptor_time_rec,
    }
    .clear();
    boundary(minor_status, || element.add(Source::Store(cred_store), initiator_time_req))
}

/// Adds an element got by a password. It waits for KDCs.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has twelve")]
pub extern "C" fn gss_add_cred_with_password(
    minor_status: Out<OmUint32>,
    input_cred_handle: Handle,
    desired_name: Handle,
    desired_mech: In<OidDesc>,
    password: In<GssBuffer>,
    cred_usage: i32,
    initiator_time_req: OmUint32,
    _acceptor_time_req: OmUint32,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    initiator_time_rec: Out<OmUint32>,
    acceptor_time_rec: Out<OmUint32>,
) -> OmUint32 {
    let element = Element {
        to: input_cred_handle,
        name: desired_name,
        mechanism: desired_mech,
        usage: cred_usage,
        handle: output_cred_handle,
        mechanisms: actual_mechs,
        initiator_time: initiator_time_rec,
        acceptor_time: acceptor_time_rec,
    }
    .clear();
    boundary(minor_status, || element.add(Source::Password(password), initiator_time_req))
}
