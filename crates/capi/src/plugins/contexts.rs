//! Contexts of plug-ins: they come up, are told about, move and end.

use std::sync::Arc;

use orthros::Major;
use orthros::credential::CredentialSet;

use super::functions::{Done, Object};
use super::names::Lent;
use super::negotiation::{self, Call};
use super::objects::{Element, FOREIGN, ForeignContext, What, keep_context, keep_name, stepped};
use super::{Plugin, credentials, find, load, named, of_token};
use crate::abi::{ChannelBindingsDesc, GssBuffer, Handle, OidDesc, OmUint32};
use crate::calls::credentials::{CREDENTIALS, Credential};
use crate::calls::insert;
use crate::library;
use crate::oids::StaticOid;
use crate::pointers::{In, Out};
use crate::status::Failed;

/// What leads to a plug-in: the context that goes on, or the mechanism of one that begins.
pub(crate) enum Way {
    On(Arc<ForeignContext>),
    First(&'static Plugin),
}

impl Way {
    fn plugin(&self) -> &'static Plugin {
        match self {
            Self::On(context) => context.plugin(),
            Self::First(plugin) => plugin,
        }
    }

    /// Makes a step of the context. A first one that fails leaves no handle.
    fn step(
        self,
        initiates: bool,
        handle: Out<Handle>,
        call: impl FnOnce(&mut Object) -> Result<Done, Failed>,
    ) -> Result<Done, Failed> {
        match self {
            Self::On(context) if context.initiates() != initiates => {
                Err(Failed::plain(Major::NoContext, "the context has the other role"))
            }
            Self::On(context) => context.step(call),
            Self::First(plugin) => {
                let mut object = Object::NONE;
                let outcome = call(&mut object);
                let element = Element::new(plugin, What::Context, object);
                let done = outcome?;
                let element =
                    element.ok_or_else(|| Failed::plain(Major::Failure, "the mechanism made no context"))?;
                handle.set(keep_context(plugin, initiates, element)?);
                Ok(done)
            }
        }
    }
}

/// What leads an initiator's call to a plug-in; `None` if nothing does.
pub(crate) fn initiating(handle: Handle, mechanism: In<OidDesc>) -> Result<Option<Way>, Failed> {
    if handle == Handle::NONE {
        Ok(named(mechanism)?.map(Way::First))
    } else {
        Ok(stepped(handle)?.map(Way::On))
    }
}

/// The same for an acceptor's.
pub(crate) fn accepting(handle: Handle, token: &[u8]) -> Result<Option<Way>, Failed> {
    if handle == Handle::NONE {
        Ok(of_token(token)?.map(Way::First))
    } else {
        Ok(stepped(handle)?.map(Way::On))
    }
}

/// What an initiator's call says.
pub(crate) struct Initiation {
    pub(crate) handle: Out<Handle>,
    pub(crate) credential: Handle,
    pub(crate) target: Handle,
    pub(crate) flags: OmUint32,
    pub(crate) time: OmUint32,
    pub(crate) bindings: In<ChannelBindingsDesc>,
    pub(crate) token: In<GssBuffer>,
    pub(crate) actual: Out<StaticOid>,
    pub(crate) output: Out<GssBuffer>,
    pub(crate) got: Out<OmUint32>,
    pub(crate) left: Out<OmUint32>,
}

/// Initiates a context of a plug-in's, or goes on with it.
pub(crate) fn initiate(way: Way, call: &Initiation) -> Result<Done, Failed> {
    if let Way::On(context) = &way
        && context.is_negotiated()
    {
        return negotiation::go_on(context, Call::Initiate(call)).map(Done::of);
    }
    let plugin = way.plugin();
    let credential = credentials::element(plugin, call.credential)?;
    let target = Lent::of(plugin, call.target)?;
    let done = way.step(true, call.handle, |context| {
        plugin.gss_init_sec_context(
            credentials::object(credential.as_ref()),
            context,
            target.object(),
            plugin.oid,
            call.flags,
            call.time,
            call.bindings,
            call.token,
            Out::nowhere(),
            call.output,
            call.got,
            call.left,
        )
    })?;
    call.actual.set(plugin.oid);
    Ok(done)
}

/// What an acceptor's call says.
pub(crate) struct Acceptance {
    pub(crate) handle: Out<Handle>,
    pub(crate) credential: Handle,
    pub(crate) token: In<GssBuffer>,
    pub(crate) bindings: In<ChannelBindingsDesc>,
    pub(crate) source: Out<Handle>,
    pub(crate) actual: Out<StaticOid>,
    pub(crate) output: Out<GssBuffer>,
    pub(crate) got: Out<OmUint32>,
    pub(crate) left: Out<OmUint32>,
    pub(crate) delegated: Out<Handle>,
}

/// Accepts a context of a plug-in's, or goes on with it.
pub(crate) fn accept(way: Way, call: &Acceptance) -> Result<Done, Failed> {
    if let Way::On(context) = &way
        && context.is_negotiated()
    {
        return negotiation::go_on(context, Call::Accept(call)).map(Done::of);
    }
    let plugin = way.plugin();
    let credential = credentials::element(plugin, call.credential)?;
    let (mut source, mut delegated) = (Object::NONE, Object::NONE);
    let outcome = way.step(false, call.handle, |context| {
        plugin.gss_accept_sec_context(
            context,
            credentials::object(credential.as_ref()),
            call.token,
            call.bindings,
            call.source.is_present().then_some(&mut source),
            Out::nowhere(),
            call.output,
            call.got,
            call.left,
            call.delegated.is_present().then_some(&mut delegated),
        )
    });
    let source = Element::new(plugin, What::Name, source);
    let delegated = Element::new(plugin, What::Credential, delegated);
    let done = outcome?;
    call.actual.set(plugin.oid);
    tell_peer(call, source, delegated)?;
    Ok(done)
}

/// Tells an acceptor who the initiator is, and hands it what was delegated.
pub(super) fn tell_peer(
    call: &Acceptance,
    source: Option<Element>,
    delegated: Option<Element>,
) -> Result<(), Failed> {
    if let Some(source) = source.filter(|_| call.source.is_present()) {
        call.source.set(keep_name(source)?);
    }
    if let Some(delegated) = delegated {
        let set = CredentialSet::empty();
        let made =
            Credential { foreign: vec![Arc::new(delegated)], ..Credential::new(set, library::orthros()?) };
        call.delegated.set(insert(&CREDENTIALS, made)?);
    }
    Ok(())
}

/// Ends a plug-in's context. Whether the handle is one of a plug-in's that lives.
pub(crate) fn delete(handle: Handle) -> Result<bool, Failed> {
    Ok(stepped(handle)?.is_some() && FOREIGN.remove(handle))
}

/// Where a caller wants to be told of a context.
pub(crate) struct Inquiry {
    pub(crate) source: Out<Handle>,
    pub(crate) target: Out<Handle>,
    pub(crate) left: Out<OmUint32>,
    pub(crate) mechanism: Out<StaticOid>,
    pub(crate) flags: Out<OmUint32>,
    pub(crate) initiates: Out<i32>,
    pub(crate) open: Out<i32>,
}

/// What is known of a plug-in's context.
pub(crate) fn inquire(context: &Element, call: &Inquiry) -> Result<Done, Failed> {
    let plugin = context.plugin();
    let (mut source, mut target) = (Object::NONE, Object::NONE);
    let outcome = plugin.gss_inquire_context(
        context.object(),
        call.source.is_present().then_some(&mut source),
        call.target.is_present().then_some(&mut target),
        call.left,
        Out::nowhere(),
        call.flags,
        call.initiates,
        call.open,
    );
    let names = [(call.source, source), (call.target, target)]
        .map(|(place, object)| (place, Element::new(plugin, What::Name, object)));
    let done = outcome?;
    call.mechanism.set(plugin.oid);
    for (place, name) in names {
        if let Some(name) = name {
            place.set(keep_name(name)?);
        }
    }
    Ok(done)
}

/// Changes an option of a plug-in's context; `None` if the handle is of no plug-in's.
pub(crate) fn set_option(
    handle: Handle,
    option: In<OidDesc>,
    value: In<GssBuffer>,
) -> Result<Option<Done>, Failed> {
    let Some(context) = stepped(handle)? else { return Ok(None) };
    let plugin = context.plugin();
    context.step(|object| plugin.gss_set_sec_context_option(object, option, value)).map(Some)
}

/// Moves a plug-in's context out of the process; `None` if the handle is of no plug-in's. Its token is told from ours by
/// a frame, which is MIT krb5's: the mechanism's identifier, and what the plug-in made. What that protects, and whether
/// it can be used twice, is the plug-in's affair.
pub(crate) fn export(place: Out<Handle>, token: Out<GssBuffer>) -> Result<Option<Done>, Failed> {
    let handle = place.get().unwrap_or(Handle::NONE);
    let Some(context) = stepped(handle)? else { return Ok(None) };
    let plugin = context.plugin();
    let (_, outcome) = Out::ours(GssBuffer::EMPTY, |inner| {
        let outcome = context.step(|object| plugin.gss_export_sec_context(object, inner));
        outcome.map(|done| (done, inner.take()))
    });
    let (done, inner) = outcome?;
    token.give(&framed(plugin, &inner)?)?;
    FOREIGN.remove(handle);
    place.set(Handle::NONE);
    Ok(Some(done))
}

/// How long an identifier is, in four octets; the identifier; the rest.
pub(super) fn framed(plugin: &Plugin, inner: &[u8]) -> Result<Vec<u8>, Failed> {
    let oid = plugin.oid().content();
    let length = u32::try_from(oid.len()).map_err(|_| Failed::no_memory())?;
    Ok([&length.to_be_bytes()[..], oid, inner].concat())
}

/// What is framed so, and the plug-in of its identifier; `None` if it is framed otherwise, or is none of a plug-in's.
pub(super) fn unframed(token: &[u8]) -> Result<Option<(&'static Plugin, &[u8])>, Failed> {
    if load::listed().is_empty() {
        return Ok(None);
    }
    let split = || {
        let (length, rest) = token.split_first_chunk()?;
        let (oid, inner) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some((orthros_wire::Oid::from_content(oid).ok()?, inner))
    };
    let Some((oid, inner)) = split() else { return Ok(None) };
    Ok(find(&oid)?.map(|plugin| (plugin, inner)))
}

/// Brings a plug-in's context to life again; `None` if the token is of no plug-in's.
pub(crate) fn import(token: &[u8], place: Out<Handle>) -> Result<Option<Done>, Failed> {
    let Some((plugin, inner)) = unframed(token)? else { return Ok(None) };
    let mut object = Object::NONE;
    let outcome = In::lend(inner, |inner| match plugin.functions.gssspi_import_sec_context_by_mech {
        Some(_) => plugin.gssspi_import_sec_context_by_mech(plugin.oid, inner, &mut object),
        None => plugin.gss_import_sec_context(inner, &mut object),
    });
    let element = Element::new(plugin, What::Context, object);
    let done = outcome?;
    let element =
        element.ok_or_else(|| Failed::plain(Major::DefectiveToken, "the mechanism made no context"))?;
    let initiates = initiates(&element);
    place.set(keep_context(plugin, initiates, element)?);
    Ok(Some(done))
}

fn initiates(context: &Element) -> bool {
    let (initiates, _) = Out::ours(0, |place| {
        context.plugin().gss_inquire_context(
            context.object(),
            None,
            None,
            Out::nowhere(),
            Out::nowhere(),
            Out::nowhere(),
            place,
            Out::nowhere(),
        )
    });
    initiates != 0
}
