//! Credentials of plug-ins: elements of ours.

use std::sync::Arc;

use orthros::Major;
use orthros::mechanism::SPNEGO;
use orthros_wire::Oid;

use super::functions::{Done, Object};
use super::names::Lent;
use super::objects::{Element, What, keep_name};
use super::{Plugin, all, find, load};
use crate::abi::{GssBuffer, Handle, INDEFINITE, KeyValueSet, OidDesc, OidSetDesc, OmUint32, USAGE_BOTH};
use crate::calls::credentials::{Credential, credential};
use crate::memory::{BufferSet, OidSet};
use crate::pointers::{In, Out};
use crate::status::Failed;

/// Where credentials come from.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    /// Wherever the mechanism has them.
    Default,
    /// The places that a store names.
    Store(In<KeyValueSet>),
    Password(In<GssBuffer>),
}

/// What is to be got.
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) source: Source,
    pub(crate) name: Handle,
    pub(crate) time: OmUint32,
    pub(crate) usage: i32,
}

impl Wish {
    /// Gets it from a plug-in.
    pub(crate) fn acquire(&self, plugin: &'static Plugin) -> Result<Arc<Element>, Failed> {
        let name = Lent::of(plugin, self.name)?;
        let (name, time, usage, mut made) = (name.object(), self.time, self.usage, Object::NONE);
        let nowhere = Out::nowhere();
        let outcome = with_set(plugin, |set| match self.source {
            Source::Default if plugin.functions.gss_acquire_cred.is_some() => {
                plugin.gss_acquire_cred(name, time, set, usage, &mut made, nowhere, Out::nowhere())
            }
            Source::Default => plugin.gss_acquire_cred_from(
                name,
                time,
                set,
                usage,
                In::nothing(),
                &mut made,
                nowhere,
                Out::nowhere(),
            ),
            Source::Store(store) => plugin.gss_acquire_cred_from(
                name,
                time,
                set,
                usage,
                store,
                &mut made,
                nowhere,
                Out::nowhere(),
            ),
            Source::Password(password) => plugin.gssspi_acquire_cred_with_password(
                name,
                password,
                time,
                set,
                usage,
                &mut made,
                nowhere,
                Out::nowhere(),
            ),
        });
        let element = Element::new(plugin, What::Credential, made);
        let _ = outcome?;
        let none = || Failed::plain(Major::NoCredential, "the mechanism made no credential");
        element.map(Arc::new).ok_or_else(none)
    }
}

/// Lends a set of the plug-in's identifier alone.
fn with_set<R>(plugin: &Plugin, call: impl FnOnce(In<OidSetDesc>) -> R) -> R {
    In::ours(&OidSetDesc { count: 1, elements: plugin.oid.cast_mut() }, call)
}

/// The plug-ins whose elements a new credential may have: of those that are named, or of all. A negotiation may be about
/// each.
pub(crate) fn wanted(named: Option<&[Oid]>) -> Result<Vec<&'static Plugin>, Failed> {
    match named {
        _ if load::listed().is_empty() => Ok(Vec::new()),
        None => Ok(all().filter(|plugin| plugin.is_by_default()).collect()),
        Some(named) if named.contains(&SPNEGO.oid) => {
            let wanted = |plugin: &&Plugin| named.contains(plugin.oid()) || plugin.is_by_default();
            Ok(all().filter(wanted).collect())
        }
        Some([oid]) => Ok(find(oid)?.into_iter().collect()),
        Some(named) => Ok(named.iter().filter_map(|oid| find(oid).ok().flatten()).collect()),
    }
}

/// A credential's element of a plug-in; `None` for `GSS_C_NO_CREDENTIAL`.
///
/// # Errors
/// `GSS_S_NO_CRED` if it has none.
pub(super) fn element(plugin: &'static Plugin, handle: Handle) -> Result<Option<Arc<Element>>, Failed> {
    let Some(held) = credential(handle)? else { return Ok(None) };
    let none = || {
        let story = format!("the credential has no element of the mechanism {}", plugin.entry.name);
        Failed::told(Major::NoCredential, story)
    };
    held.element_of(plugin).map(Some).ok_or_else(none)
}

impl Credential {
    /// Its element of a plug-in.
    pub(crate) fn element_of(&self, plugin: &Plugin) -> Option<Arc<Element>> {
        self.foreign.iter().find(|element| std::ptr::eq(element.plugin(), plugin)).map(Arc::clone)
    }
}

pub(super) fn object(element: Option<&Arc<Element>>) -> Object {
    element.map_or(Object::NONE, |element| element.object())
}

/// What is known of an element.
pub(crate) struct Known {
    /// In seconds; `GSS_C_INDEFINITE` if the plug-in doesn't say.
    pub(crate) left: OmUint32,
    pub(crate) usage: i32,
}

impl Element {
    /// What is known of it. A plug-in that can't say has nothing against its use.
    pub(crate) fn known(&self) -> Known {
        let (left, (usage, _)) = Out::ours(INDEFINITE, |left| {
            Out::ours(USAGE_BOTH, |usage| {
                self.plugin().gss_inquire_cred(self.object(), None, left, usage, Out::nowhere())
            })
        });
        Known { left, usage }
    }

    /// Whose it is, behind a handle; nothing if the plug-in can't say.
    pub(crate) fn tell_name(&self, place: Out<Handle>) -> Result<(), Failed> {
        if !place.is_present() {
            return Ok(());
        }
        let (plugin, mut object) = (self.plugin(), Object::NONE);
        let nowhere = Out::nowhere;
        let outcome = plugin.gss_inquire_cred(
            self.object(),
            Some(&mut object),
            nowhere(),
            Out::nowhere(),
            Out::nowhere(),
        );
        let name = Element::new(plugin, What::Name, object);
        if let (Ok(_), Some(name)) = (outcome, name) {
            place.set(keep_name(name)?);
        }
        Ok(())
    }

    /// Changes an option of a credential.
    pub(crate) fn set_credential_option(
        &self,
        option: In<OidDesc>,
        value: In<GssBuffer>,
    ) -> Result<Done, Failed> {
        self.change(|object| self.plugin().gssspi_set_cred_option(object, option, value))
    }

    /// What a credential answers by an identifier.
    pub(crate) fn answer(&self, question: In<OidDesc>, answers: Out<BufferSet>) -> Result<Done, Failed> {
        self.plugin().gss_inquire_cred_by_oid(self.object(), question, answers)
    }

    /// A credential as octets.
    pub(crate) fn export_credential(&self) -> Result<Vec<u8>, Failed> {
        let (_, outcome) = Out::ours(GssBuffer::EMPTY, |place| {
            let outcome = self.plugin().gss_export_cred(self.object(), place);
            let octets = place.take();
            outcome.map(|_| octets)
        });
        outcome
    }
}

/// Where a caller wants to be told of a credential for one mechanism.
pub(crate) struct ByMechanism {
    pub(crate) name: Out<Handle>,
    pub(crate) initiator_left: Out<OmUint32>,
    pub(crate) acceptor_left: Out<OmUint32>,
    pub(crate) usage: Out<i32>,
}

/// What is known of a credential, or of the default one, for a plug-in's mechanism.
pub(crate) fn inquire_by_mechanism(
    plugin: &'static Plugin,
    handle: Handle,
    told: &ByMechanism,
) -> Result<Done, Failed> {
    let element = element(plugin, handle)?;
    let mut name = Object::NONE;
    let outcome = plugin.gss_inquire_cred_by_mech(
        object(element.as_ref()),
        plugin.oid,
        told.name.is_present().then_some(&mut name),
        told.initiator_left,
        told.acceptor_left,
        told.usage,
    );
    let name = Element::new(plugin, What::Name, name);
    let done = outcome?;
    if let Some(name) = name {
        told.name.set(keep_name(name)?);
    }
    Ok(done)
}

/// How a credential is to be stored, and where the caller wants to be told of it.
pub(crate) struct Storage {
    pub(crate) usage: i32,
    pub(crate) overwrite: OmUint32,
    pub(crate) default: OmUint32,
    pub(crate) store: In<KeyValueSet>,
    pub(crate) elements: Out<OidSet>,
    pub(crate) stored: Out<i32>,
}

/// Stores a credential's element of a plug-in.
pub(crate) fn store(plugin: &'static Plugin, handle: Handle, storage: &Storage) -> Result<Done, Failed> {
    let element = element(plugin, handle)?;
    let (object, oid) = (object(element.as_ref()), plugin.oid);
    let Storage { usage, overwrite, default, store, elements, stored } = *storage;
    if plugin.functions.gss_store_cred_into.is_some() {
        plugin.gss_store_cred_into(object, usage, oid, overwrite, default, store, elements, stored)
    } else {
        plugin.gss_store_cred(object, usage, oid, overwrite, default, elements, stored)
    }
}

/// How each element of an exported credential stands there, as MIT krb5 has it: how long its mechanism's identifier is, the
/// identifier, how long the element is, the element.
pub(crate) fn join(elements: &[(Oid, Vec<u8>)]) -> Result<Vec<u8>, Failed> {
    let mut octets = Vec::new();
    for (oid, element) in elements {
        for part in [oid.content(), element] {
            let length = u32::try_from(part.len()).map_err(|_| Failed::no_memory())?;
            octets.extend_from_slice(&length.to_be_bytes());
            octets.extend_from_slice(part);
        }
    }
    Ok(octets)
}

/// The elements of an exported credential; `None` if there is no plug-in, or it is of our form.
pub(crate) fn split(mut octets: &[u8]) -> Option<Vec<(Oid, &[u8])>> {
    if load::listed().is_empty() {
        return None;
    }
    let mut part = || {
        let (length, rest) = octets.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        octets = rest;
        Some((part, rest.is_empty()))
    };
    let mut elements = Vec::new();
    loop {
        let (oid, _) = part()?;
        let (element, last) = part()?;
        elements.push((Oid::from_content(oid).ok()?, element));
        if last {
            return Some(elements);
        }
    }
}

/// Brings a plug-in's element of an exported credential to life again.
pub(crate) fn import(oid: &Oid, octets: &[u8]) -> Result<Arc<Element>, Failed> {
    let unknown = || Failed::told(Major::BadMechanism, format!("no mechanism {oid} is here"));
    let plugin = find(oid)?.ok_or_else(unknown)?;
    let mut object = Object::NONE;
    let outcome = In::lend(octets, |octets| match plugin.functions.gssspi_import_cred_by_mech {
        Some(_) => plugin.gssspi_import_cred_by_mech(plugin.oid, octets, &mut object),
        None => plugin.gss_import_cred(octets, &mut object),
    });
    let element = Element::new(plugin, What::Credential, object);
    let _ = outcome?;
    let none = || Failed::plain(Major::DefectiveToken, "the mechanism made no credential of it");
    element.map(Arc::new).ok_or_else(none)
}
