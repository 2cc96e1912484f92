//! Names in more detail (RFC 6680): what a KDC says of a context's initiator beside its name. Which attributes there are,
//! [`orthros::name::attributes`] tells.

use orthros::name::attributes::Attributes;
use orthros::{Major, Name};
use orthros_wire::Oid;

use super::names::mechanism_name;
use super::{Named, name};
use crate::abi::{GssBuffer, Handle, OidDesc, OmUint32};
use crate::boundary::boundary;
use crate::memory::BufferSet;
use crate::oids::{StaticOid, interned};
use crate::plugins::{self, by_name};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// Only KDCs give attributes.
fn not_ours_to_change(named: &Named, attr: In<GssBuffer>) -> Result<Failed, Failed> {
    let asked = text(attr)?;
    Ok(match named.attributes.as_ref().and_then(|attributes| attributes.find(&asked)) {
        Some(_) => {
            Failed::told(Major::Unavailable, format!("only a KDC gives {asked}, and nobody takes it away"))
        }
        None => unknown(&asked),
    })
}

fn unknown(asked: &str) -> Failed {
    Failed::told(Major::Unavailable, format!("the name has no attribute {asked:?}"))
}

fn text(attr: In<GssBuffer>) -> Result<String, Failed> {
    Ok(String::from_utf8_lossy(attr.octets()?).into_owned())
}

/// Whether a name is one of a mechanism, and which attributes it has (§7.4); the set is null if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_name(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    name_is_mn: Out<i32>,
    mn_mech: Out<StaticOid>,
    attrs: Out<BufferSet>,
) -> OmUint32 {
    name_is_mn.set(0);
    mn_mech.set(std::ptr::null());
    attrs.set(std::ptr::null_mut());
    boundary(minor_status, || {
        if let Some(name) = plugins::foreign_name(name_handle) {
            return Ok(name.inquire(name_is_mn, mn_mech, attrs)?.tell(minor_status));
        }
        let named = name(name_handle)?;
        if let Some(mechanism) = named.mechanism() {
            name_is_mn.set(1);
            mn_mech.set(interned(&mechanism.oid));
        }
        if let Some(attributes) = &named.attributes {
            attrs.give(attributes.names().iter().map(String::as_bytes))?;
        }
        Ok(COMPLETE)
    })
}

/// The name for people, as a name of this type (§7.3): of its own type, or that of the name it was made of.
#[unsafe(no_mangle)]
pub extern "C" fn gss_display_name_ext(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    display_as_name_type: In<OidDesc>,
    display_name: Out<GssBuffer>,
) -> OmUint32 {
    display_name.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        display_name.require()?;
        by_name!(minor_status, name_handle => gss_display_name_ext(display_as_name_type, display_name));
        let named = name(name_handle)?;
        let shown = named.display();
        let wanted: Oid =
            display_as_name_type.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        if shown.name_type != wanted && named.made_of.as_ref() != Some(&wanted) {
            return Err(Failed::plain(Major::Unavailable, "the name can't be shown as a name of that type"));
        }
        display_name.give(shown.text.as_bytes())?;
        Ok(COMPLETE)
    })
}

/// A value of a name's attribute (§7.5). `more` is -1 before the first; then it tells which one is next, and 0 after the
/// last.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eight")]
pub extern "C" fn gss_get_name_attribute(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    attr: In<GssBuffer>,
    authenticated: Out<i32>,
    complete: Out<i32>,
    value: Out<GssBuffer>,
    display_value: Out<GssBuffer>,
    more: Out<i32>,
) -> OmUint32 {
    let asked_for = more.get().unwrap_or(-1);
    authenticated.set(0);
    complete.set(0);
    value.set(GssBuffer::EMPTY);
    display_value.set(GssBuffer::EMPTY);
    more.set(0);
    boundary(minor_status, || {
        by_name!(minor_status, name_handle => gss_get_name_attribute(attr, authenticated, complete, value, display_value, more));
        let (named, asked) = (name(name_handle)?, text(attr)?);
        let found = named.attributes.as_ref().and_then(|attributes| attributes.find(&asked));
        let found = found.ok_or_else(|| unknown(&asked))?;
        let place = usize::try_from(asked_for).unwrap_or(0);
        let octets = found.values.get(place).ok_or_else(|| unknown(&asked))?;
        if value.is_present() {
            value.give(octets)?;
        }
        authenticated.set(i32::from(found.authenticated));
        complete.set(1);
        let next = place.saturating_add(1);
        if next < found.values.len() {
            more.set(i32::try_from(next).unwrap_or(0));
        }
        Ok(COMPLETE)
    })
}

/// Sets a name's attribute (§7.6): none can be set.
#[unsafe(no_mangle)]
pub extern "C" fn gss_set_name_attribute(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    complete: i32,
    attr: In<GssBuffer>,
    value: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        by_name!(minor_status, name_handle => gss_set_name_attribute(complete, attr, value));
        Err(not_ours_to_change(&*name(name_handle)?, attr)?)
    })
}

/// Takes a name's attribute away (§7.7): none can be taken away.
#[unsafe(no_mangle)]
pub extern "C" fn gss_delete_name_attribute(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    attr: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        by_name!(minor_status, name_handle => gss_delete_name_attribute(attr));
        Err(not_ours_to_change(&*name(name_handle)?, attr)?)
    })
}

/// A mechanism name with its attributes as octets (§7.8). Whoever imports them can tell nobody that a KDC vouches for
/// them: nothing protects the octets.
#[unsafe(no_mangle)]
pub extern "C" fn gss_export_name_composite(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    exp_composite_name: Out<GssBuffer>,
) -> OmUint32 {
    exp_composite_name.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        exp_composite_name.require()?;
        by_name!(minor_status, name_handle => gss_export_name_composite(exp_composite_name));
        let named = name(name_handle)?;
        let principal = mechanism_name(&named)?;
        let octets = match &named.attributes {
            Some(attributes) => Name::export_composite(principal, attributes),
            None => Name::export_composite(principal, &Attributes::default()),
        };
        exp_composite_name.give(&octets)?;
        Ok(COMPLETE)
    })
}
