//! Names for plug-ins, and of plug-ins.
//!
//! A name that a program imports is ours, and is imported into a plug-in when one needs it, by its text and type. A name that
//! a plug-in has made, or that only a plug-in understands, is the plug-in's.

use std::sync::Arc;

use orthros::name::name_type;
use orthros::{Major, Name};
use orthros_wire::Oid;

use super::functions::{Done, Object};
use super::objects::{Element, What, foreign_name, keep_name};
use super::{Plugin, all, find, load};
use crate::abi::{GssBuffer, Handle, OidDesc};
use crate::calls::name;
use crate::memory::BufferSet;
use crate::oids::{StaticOid, interned};
use crate::pointers::{In, Out};
use crate::status::Failed;

/// A name as a plug-in knows it, for a call.
pub(super) enum Lent {
    /// `GSS_C_NO_NAME`.
    Nobody,
    /// It was imported for the call.
    Imported(Element),
    /// It is the plug-in's own.
    Own(Arc<Element>),
}

impl Lent {
    /// The name of a handle, which may be `GSS_C_NO_NAME`.
    pub(super) fn of(plugin: &'static Plugin, handle: Handle) -> Result<Self, Failed> {
        if handle == Handle::NONE {
            return Ok(Self::Nobody);
        }
        match foreign_name(handle) {
            Some(own) if std::ptr::eq(own.plugin(), plugin) => Ok(Self::Own(own)),
            Some(other) => {
                let (text, name_type) = shown(&other)?;
                imported(plugin, text.as_bytes(), name_type.as_ref()).map(Self::Imported)
            }
            None => {
                let given = name(handle)?;
                let shown = given.display();
                // It was given without a type, or with Kerberos', which other mechanisms don't know.
                let untyped = matches!(**given, Name::PrincipalText(_));
                let name_type = (!untyped).then_some(&shown.name_type);
                imported(plugin, shown.text.as_bytes(), name_type).map(Self::Imported)
            }
        }
    }

    pub(super) fn object(&self) -> Object {
        match self {
            Self::Nobody => Object::NONE,
            Self::Imported(name) => name.object(),
            Self::Own(name) => name.object(),
        }
    }
}

/// A name that a plug-in makes of octets.
fn imported(plugin: &'static Plugin, octets: &[u8], name_type: Option<&Oid>) -> Result<Element, Failed> {
    let mut object = Object::NONE;
    let mut described = |name_type: In<OidDesc>| {
        In::lend(octets, |octets| match plugin.functions.gssspi_import_name_by_mech {
            Some(_) => plugin.gssspi_import_name_by_mech(plugin.oid, octets, name_type, &mut object),
            None => plugin.gss_import_name(octets, name_type, &mut object),
        })
    };
    let outcome = match name_type {
        None => described(In::nothing()),
        Some(name_type) => In::kept(interned(name_type), described),
    };
    let element = Element::new(plugin, What::Name, object);
    let _ = outcome?;
    element.ok_or_else(|| Failed::plain(Major::BadName, "the mechanism made no name of it"))
}

/// How an exported name begins (RFC 2743 §3.2).
const EXPORTED: [u8; 2] = [4, 1];

/// The plug-in that an exported name is of, and the name's octets behind what says so.
fn exported_by(octets: &[u8]) -> Result<Option<(&'static Plugin, &[u8])>, Failed> {
    let split = || {
        let (length, rest) = octets.strip_prefix(&EXPORTED)?.split_first_chunk()?;
        let (tagged, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (length, inner) = rest.split_first_chunk()?;
        let [6, _, oid @ ..] = tagged else { return None };
        let whole = usize::try_from(u32::from_be_bytes(*length)).ok() == Some(inner.len());
        whole.then_some((Oid::from_content(oid).ok()?, inner))
    };
    let Some((oid, inner)) = split() else { return Ok(None) };
    Ok(find(&oid)?.map(|plugin| (plugin, inner)))
}

/// Makes a name of octets that only a plug-in understands; `None` if none does.
pub(crate) fn import(
    octets: &[u8],
    name_type: Option<&Oid>,
    place: Out<Handle>,
) -> Result<Option<()>, Failed> {
    if load::listed().is_empty() {
        return Ok(None);
    }
    let element = if name_type == Some(&name_type::EXPORTED) {
        match exported_by(octets)? {
            None => return Ok(None),
            // As MIT krb5 does: whose names can't be exported, their text was.
            Some((plugin, inner)) if plugin.functions.gss_export_name.is_none() => {
                imported(plugin, inner, None)?
            }
            Some((plugin, _)) => imported(plugin, octets, name_type)?,
        }
    } else {
        match all().find_map(|plugin| imported(plugin, octets, name_type).ok()) {
            None => return Ok(None),
            Some(element) => element,
        }
    };
    place.set(keep_name(element)?);
    Ok(Some(()))
}

/// A plug-in's name as text, and the text's type.
fn shown(name: &Element) -> Result<(String, Option<Oid>), Failed> {
    let (_, outcome) = Out::ours(GssBuffer::EMPTY, |text| {
        let (name_type, outcome) =
            Out::ours(std::ptr::null(), |place| name.plugin().gss_display_name(name.object(), text, place));
        let text = text.take_text();
        outcome.and_then(|_| Ok((text, In::kept(name_type, In::identifier)?)))
    });
    outcome
}

impl Element {
    /// The name for people, and its type.
    pub(crate) fn display(&self, text: Out<GssBuffer>, name_type: Out<StaticOid>) -> Result<Done, Failed> {
        let (found, outcome) =
            Out::ours(std::ptr::null(), |place| self.plugin().gss_display_name(self.object(), text, place));
        let done = outcome?;
        if let Some(found) = In::kept(found, In::identifier)? {
            name_type.set(interned(&found));
        }
        Ok(done)
    }

    /// A copy of a name behind a handle of its own.
    pub(crate) fn duplicate(&self, copy: Out<Handle>) -> Result<Done, Failed> {
        let mut object = Object::NONE;
        let outcome = self.plugin().gss_duplicate_name(self.object(), &mut object);
        keep_new(self.plugin(), object, outcome, copy)
    }

    /// A mechanism name as octets. For a plug-in that can't export names the text is framed, as MIT krb5 does.
    pub(crate) fn export(&self, octets: Out<GssBuffer>) -> Result<Option<Done>, Failed> {
        let plugin = self.plugin();
        if plugin.functions.gss_export_name.is_some() {
            return plugin.gss_export_name(self.object(), octets).map(Some);
        }
        let oid = plugin.oid().content();
        let (text, _) = shown(self)?;
        let short = u8::try_from(oid.len()).map_err(|_| Failed::no_memory())?;
        let long = u32::try_from(text.len()).map_err(|_| Failed::no_memory())?;
        let tagged = u16::from(short) + 2;
        octets.give(
            &[&EXPORTED[..], &tagged.to_be_bytes(), &[6, short], oid, &long.to_be_bytes(), text.as_bytes()]
                .concat(),
        )?;
        Ok(None)
    }

    /// Whether it is a mechanism name, of which mechanism, and its attributes.
    pub(crate) fn inquire(
        &self,
        is_mechanism_name: Out<i32>,
        mechanism: Out<StaticOid>,
        attributes: Out<BufferSet>,
    ) -> Result<Done, Failed> {
        let plugin = self.plugin();
        let done = plugin.gss_inquire_name(self.object(), is_mechanism_name, Out::nowhere(), attributes)?;
        mechanism.set(plugin.oid);
        Ok(done)
    }

    /// The local user that a name is.
    pub(crate) fn local(&self) -> Result<String, Failed> {
        local_name(self.plugin(), self.object())
    }
}

fn local_name(plugin: &Plugin, name: Object) -> Result<String, Failed> {
    let (_, outcome) = Out::ours(GssBuffer::EMPTY, |place| {
        let outcome = plugin.gss_localname(name, plugin.oid, place);
        let text = place.take_text();
        outcome.map(|_| text)
    });
    outcome
}

/// The local user that a name of any mechanism is for a plug-in's.
pub(crate) fn local(plugin: &'static Plugin, handle: Handle) -> Result<String, Failed> {
    local_name(plugin, Lent::of(plugin, handle)?.object())
}

fn keep_new(
    plugin: &'static Plugin,
    object: Object,
    outcome: Result<Done, Failed>,
    place: Out<Handle>,
) -> Result<Done, Failed> {
    let element = Element::new(plugin, What::Name, object);
    let done = outcome?;
    if let Some(element) = element {
        place.set(keep_name(element)?);
    }
    Ok(done)
}

/// A name as a plug-in has it, behind a handle of its own.
pub(crate) fn canonicalize(
    plugin: &'static Plugin,
    handle: Handle,
    place: Out<Handle>,
) -> Result<(), Failed> {
    let lent = Lent::of(plugin, handle)?;
    let element = match lent {
        _ if plugin.functions.gss_canonicalize_name.is_some() => {
            let mut object = Object::NONE;
            let outcome = plugin.gss_canonicalize_name(lent.object(), plugin.oid, &mut object);
            let element = Element::new(plugin, What::Name, object);
            outcome.map(|_| element)?
        }
        Lent::Nobody => None,
        Lent::Imported(element) => Some(element),
        Lent::Own(own) => {
            own.duplicate(place)?.quietly();
            return Ok(());
        }
    };
    let element = element.ok_or_else(|| Failed::plain(Major::BadName, "the handle is no name"))?;
    if place.is_present() {
        place.set(keep_name(element)?);
    }
    Ok(())
}

/// Whether two names mean the same, one of which is a plug-in's; `None` if none is.
pub(crate) fn compare(left: Handle, right: Handle, equal: Out<i32>) -> Result<Option<Done>, Failed> {
    let Some(own) = foreign_name(left).or_else(|| foreign_name(right)) else { return Ok(None) };
    let plugin = own.plugin();
    let (left, right) = (Lent::of(plugin, left)?, Lent::of(plugin, right)?);
    plugin.gss_compare_name(left.object(), right.object(), equal).map(Some)
}
