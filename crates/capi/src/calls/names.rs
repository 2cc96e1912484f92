//! Names (RFC 2744 §5.4 to §5.6, §5.10, §5.12, §5.13, §5.16, §5.27).

use orthros::name::name_type;
use orthros::{Error, Major, Name, Orthros, Principal};
use orthros_wire::Oid;

use super::{NAMES, Named, chosen, insert, name, release};
use crate::abi::{GssBuffer, Handle, OidDesc, OmUint32};
use crate::boundary::boundary;
use crate::oids::{StaticOid, interned};
use crate::pointers::{In, Out};
use crate::status::{COMPLETE, Failed};
use crate::{libkrb5, library, plugins};

/// Makes a name of octets (§5.16). Without a type: a Kerberos principal's text form. Of the type `gss_nt_krb5_principal`:
/// from a `krb5_principal` that the octets point to.
#[unsafe(no_mangle)]
pub extern "C" fn gss_import_name(
    minor_status: Out<OmUint32>,
    input_name_buffer: In<GssBuffer>,
    input_name_type: In<OidDesc>,
    output_name: Out<Handle>,
) -> OmUint32 {
    output_name.set(Handle::NONE);
    boundary(minor_status, || {
        output_name.require()?;
        let octets = input_name_buffer.octets()?;
        let name_type = input_name_type.identifier()?;
        let mut attributes = None;
        let name = if name_type.as_ref().map(Oid::content) == Some(OF_LIBKRB5) {
            let lent = input_name_buffer.lent_principal()?;
            Name::Principal(
                libkrb5::principal(libkrb5::Maker::Mit, lent)
                    .map_err(|report| Failed::told(Major::Failure, report))?,
            )
        } else {
            let text = octets.strip_suffix(&[0]).filter(|_| is_text(name_type.as_ref())).unwrap_or(octets);
            match Name::import(text, name_type.as_ref()) {
                Ok(name) => {
                    if matches!(name, Name::Principal(_)) {
                        attributes = Name::attributes_of_exported(octets).ok();
                    }
                    name
                }
                Err(bad) => {
                    let foreign = plugins::names::import(octets, name_type.as_ref(), output_name)?;
                    return foreign.map(|()| COMPLETE).ok_or_else(|| bad.into());
                }
            }
        };
        let attributes = attributes.filter(|attributes| !attributes.is_empty());
        output_name.set(insert(&NAMES, Named { attributes, ..Named::from(name) })?);
        Ok(COMPLETE)
    })
}

/// 1.2.840.113554.1.2.2.2, `gss_nt_krb5_principal`.
const OF_LIBKRB5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x02];

/// Whether names of this type are text. Programs, MIT krb5's own samples among them, count the zero at the end of a C
/// string in; in text it is left out.
fn is_text(name_type: Option<&Oid>) -> bool {
    let binary = [&name_type::EXPORTED, &name_type::COMPOSITE_EXPORTED, &name_type::MACHINE_UID];
    name_type.is_none_or(|name_type| !binary.contains(&name_type))
}

/// The name for people, and its type (§5.10).
#[unsafe(no_mangle)]
pub extern "C" fn gss_display_name(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    output_name_buffer: Out<GssBuffer>,
    output_name_type: Out<StaticOid>,
) -> OmUint32 {
    output_name_buffer.set(GssBuffer::EMPTY);
    output_name_type.set(std::ptr::null());
    boundary(minor_status, || {
        output_name_buffer.require()?;
        if let Some(name) = plugins::foreign_name(input_name) {
            return Ok(name.display(output_name_buffer, output_name_type)?.tell(minor_status));
        }
        let name = name(input_name)?;
        match &**name {
            // The commonest, at once.
            Name::HostbasedService { service, host: Some(host) } => {
                output_name_buffer.give_pieces(&[service.as_bytes(), b"@", host.as_bytes()])?;
            }
            other => output_name_buffer.give(other.to_string().as_bytes())?,
        }
        if output_name_type.is_present() {
            output_name_type.set(interned(&name.name_type()));
        }
        Ok(COMPLETE)
    })
}

/// Whether two names mean the same (§5.6). Names of nobody are never the same.
#[unsafe(no_mangle)]
pub extern "C" fn gss_compare_name(
    minor_status: Out<OmUint32>,
    name1: Handle,
    name2: Handle,
    name_equal: Out<i32>,
) -> OmUint32 {
    name_equal.set(0);
    boundary(minor_status, || {
        name_equal.require()?;
        if let Some(done) = plugins::names::compare(name1, name2, name_equal)? {
            return Ok(done.tell(minor_status));
        }
        let (left, right) = (name(name1)?, name(name2)?);
        let orthros = library::orthros()?;
        // A context's ends have canonical names, so a service that is held against one gets its own.
        let mixed = matches!(**left, Name::Principal(_)) != matches!(**right, Name::Principal(_));
        let resolve = |name: &Name| match name {
            Name::HostbasedService { .. } if mixed => orthros.canonical_service(name).map(Name::Principal),
            Name::HostbasedService { .. } => orthros.resolve_service(name),
            other => orthros.resolve_name(other),
        };
        let (left, right) = (resolve(&left)?, resolve(&right)?);
        name_equal.set(i32::from(left.same_as(&right, orthros.config())?));
        Ok(COMPLETE)
    })
}

/// The name as a mechanism has it (§5.4). A service whose host's realm is not configured has an empty realm, as with MIT
/// krb5: its KDC tells the realm when a ticket is asked for.
#[unsafe(no_mangle)]
pub extern "C" fn gss_canonicalize_name(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    mech_type: In<OidDesc>,
    output_name: Out<Handle>,
) -> OmUint32 {
    canonicalize(minor_status, input_name, mech_type, output_name, Orthros::mechanism_name)
}

/// The same; a service whose host's realm is not configured is in the default realm.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_canonicalize_name(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    mech_type: In<OidDesc>,
    output_name: Out<Handle>,
) -> OmUint32 {
    canonicalize(minor_status, input_name, mech_type, output_name, Orthros::canonical_service)
}

/// The same; a service whose host's realm is not configured is in the default realm.
#[unsafe(no_mangle)]
pub extern "C" fn gnu_gss_canonicalize_name(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    mech_type: In<OidDesc>,
    output_name: Out<Handle>,
) -> OmUint32 {
    canonicalize(minor_status, input_name, mech_type, output_name, Orthros::canonical_service)
}

fn canonicalize(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    mech_type: In<OidDesc>,
    output_name: Out<Handle>,
    principal: fn(&Orthros, &Name) -> Result<Principal, Error>,
) -> OmUint32 {
    output_name.set(Handle::NONE);
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(mech_type)? {
            plugins::names::canonicalize(plugin, input_name, output_name)?;
            return Ok(COMPLETE);
        }
        let given = name(input_name)?;
        chosen(mech_type)?;
        let principal = principal(&library::orthros()?, &given)?;
        if output_name.is_present() {
            let made_of = given.made_of.clone().or_else(|| Some(given.name_type()));
            let attributes = given.attributes.clone();
            let name = Name::Principal(principal);
            output_name.set(insert(&NAMES, Named { name, made_of, attributes })?);
        }
        Ok(COMPLETE)
    })
}

/// A mechanism name as octets that can be compared and imported again (§5.13, RFC 2743 §3.2).
#[unsafe(no_mangle)]
pub extern "C" fn gss_export_name(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    exported_name: Out<GssBuffer>,
) -> OmUint32 {
    exported_name.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        exported_name.require()?;
        if let Some(name) = plugins::foreign_name(input_name) {
            return Ok(name.export(exported_name)?.map_or(COMPLETE, |done| done.tell(minor_status)));
        }
        exported_name.give(&Name::export(mechanism_name(&**name(input_name)?)?))?;
        Ok(COMPLETE)
    })
}

/// The principal that a mechanism name is.
pub(super) fn mechanism_name(name: &Name) -> Result<&Principal, Failed> {
    match name {
        Name::Principal(principal) => Ok(principal),
        _ => Err(Failed::plain(Major::NameNotMechanismName, "canonicalize the name before it is exported")),
    }
}

/// A copy (§5.12).
#[unsafe(no_mangle)]
pub extern "C" fn gss_duplicate_name(
    minor_status: Out<OmUint32>,
    src_name: Handle,
    dest_name: Out<Handle>,
) -> OmUint32 {
    dest_name.set(Handle::NONE);
    boundary(minor_status, || {
        dest_name.require()?;
        if let Some(name) = plugins::foreign_name(src_name) {
            return Ok(name.duplicate(dest_name)?.tell(minor_status));
        }
        let copy = Named::clone(&*name(src_name)?);
        dest_name.set(insert(&NAMES, copy)?);
        Ok(COMPLETE)
    })
}

/// Ends a name and leaves `GSS_C_NO_NAME` (§5.27).
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_name(minor_status: Out<OmUint32>, input_name: Out<Handle>) -> OmUint32 {
    boundary(minor_status, || {
        let handle = input_name.get().unwrap_or(Handle::NONE);
        input_name.set(Handle::NONE);
        if handle != Handle::NONE && !plugins::release_name(handle) && !release(handle) {
            return Err(Failed::plain(Major::BadName, "the handle is no name, or was released before"));
        }
        Ok(COMPLETE)
    })
}
