//! Names in more detail (RFC 6680). Kerberos names have no attributes here: what is asked of one is not available.

use orthros::Major;
use orthros_wire::Oid;

use super::name;
use super::names::exported;
use crate::abi::{GssBuffer, Handle, OidDesc, OmUint32};
use crate::boundary::boundary;
use crate::memory::BufferSet;
use crate::oids::{StaticOid, interned};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

fn no_attributes() -> Failed {
    Failed::plain(Major::Unavailable, "names of Kerberos have no attributes here")
}

/// Whether a name is one of a mechanism, and which attributes it has (§7.1): none, so the set is null.
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
        if let Some(mechanism) = name(name_handle)?.mechanism() {
            name_is_mn.set(1);
            mn_mech.set(interned(&mechanism.oid));
        }
        Ok(COMPLETE)
    })
}

/// The name for people, as a name of this type (§7.2): only its own type is available.
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
        let shown = name(name_handle)?.display();
        let wanted: Oid =
            display_as_name_type.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        if shown.name_type != wanted {
            return Err(Failed::plain(Major::Unavailable, "the name can't be shown as a name of that type"));
        }
        display_name.give(shown.text.as_bytes())?;
        Ok(COMPLETE)
    })
}

/// The value of a name's attribute (§7.3).
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eight")]
pub extern "C" fn gss_get_name_attribute(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    _attr: In<GssBuffer>,
    authenticated: Out<i32>,
    complete: Out<i32>,
    value: Out<GssBuffer>,
    display_value: Out<GssBuffer>,
    more: Out<i32>,
) -> OmUint32 {
    authenticated.set(0);
    complete.set(0);
    value.set(GssBuffer::EMPTY);
    display_value.set(GssBuffer::EMPTY);
    more.set(0);
    boundary(minor_status, || {
        name(name_handle)?;
        Err(no_attributes())
    })
}

/// Sets a name's attribute (§7.4).
#[unsafe(no_mangle)]
pub extern "C" fn gss_set_name_attribute(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    _complete: i32,
    _attr: In<GssBuffer>,
    _value: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        name(name_handle)?;
        Err(no_attributes())
    })
}

/// Takes a name's attribute away (§7.5).
#[unsafe(no_mangle)]
pub extern "C" fn gss_delete_name_attribute(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    _attr: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        name(name_handle)?;
        Err(no_attributes())
    })
}

/// A mechanism name with its attributes as octets (§7.6). Without any, they are those of `gss_export_name`.
#[unsafe(no_mangle)]
pub extern "C" fn gss_export_name_composite(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    exp_composite_name: Out<GssBuffer>,
) -> OmUint32 {
    exp_composite_name.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        exp_composite_name.require()?;
        exp_composite_name.give(&exported(name_handle)?)?;
        Ok(COMPLETE)
    })
}
