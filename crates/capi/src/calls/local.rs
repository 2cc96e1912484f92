//! Which local user a name is, and as whom it may log in: extensions that began with Solaris.

use orthros::{Major, Name, Orthros, Principal};

use super::{chosen, name};
use crate::abi::{GssBuffer, Handle, OidDesc, OmUint32};
use crate::boundary::{boundary, without_minor};
use crate::library;
use crate::plugins;
use crate::pointers::{In, Out, Text};
use crate::status::{COMPLETE, Failed};

fn principal(orthros: &Orthros, name: &Name) -> Result<Principal, Failed> {
    Ok(orthros.resolve_name(name)?.to_principal(orthros.config(), None)?)
}

/// The local user that a name is, by `auth_to_local`.
fn local_name(orthros: &Orthros, name: &Name) -> Result<String, Failed> {
    let principal = principal(orthros, name)?;
    let local = orthros.local_name(&principal).map_err(orthros::SetupError::from)?;
    local.ok_or_else(|| {
        Failed::told(Major::Failure, format!("{principal} is no user of this machine: see auth_to_local"))
    })
}

/// The local user that a name is for a plug-in; `None` if neither the name nor the mechanism is a plug-in's.
fn foreign_local(handle: Handle, mechanism: In<OidDesc>) -> Result<Option<String>, Failed> {
    match (plugins::named(mechanism)?, plugins::foreign_name(handle)) {
        (Some(plugin), _) => plugins::names::local(plugin, handle).map(Some),
        (None, Some(name)) => name.local().map(Some),
        (None, None) => Ok(None),
    }
}

/// A plug-in's name may log in as the local user that it is.
fn foreign_may_log_in(name: &plugins::Element, user: &str) -> Result<OmUint32, Failed> {
    let local = name.local()?;
    if local == user {
        return Ok(COMPLETE);
    }
    Err(Failed::told(Major::Unauthorized, format!("the name is the local user {local}, not {user}")))
}

/// The local user's name.
#[unsafe(no_mangle)]
pub extern "C" fn gss_localname(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    mech_type: In<OidDesc>,
    localname: Out<GssBuffer>,
) -> OmUint32 {
    localname.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        localname.require()?;
        if let Some(local) = foreign_local(name_handle, mech_type)? {
            localname.give(local.as_bytes())?;
            return Ok(COMPLETE);
        }
        chosen(mech_type)?;
        localname.give(local_name(&library::orthros()?, &**name(name_handle)?)?.as_bytes())?;
        Ok(COMPLETE)
    })
}

/// The local user's number.
#[unsafe(no_mangle)]
pub extern "C" fn gss_pname_to_uid(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    mech_type: In<OidDesc>,
    uid: Out<OmUint32>,
) -> OmUint32 {
    boundary(minor_status, || {
        uid.require()?;
        let local = match foreign_local(name_handle, mech_type)? {
            Some(local) => local,
            None => {
                chosen(mech_type)?;
                local_name(&library::orthros()?, &**name(name_handle)?)?
            }
        };
        let user = orthros::sys::users::by_name(&local)
            .map_err(|error| Failed::told(Major::Failure, format!("{local}: {error}")))?;
        uid.set(
            user.ok_or_else(|| Failed::told(Major::Failure, format!("this machine has no user {local}")))?.id,
        );
        Ok(COMPLETE)
    })
}

/// Whether a name may log in as a user: `GSS_S_COMPLETE`, or `GSS_S_UNAUTHORIZED`.
#[unsafe(no_mangle)]
pub extern "C" fn gss_authorize_localname(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    user: Handle,
) -> OmUint32 {
    boundary(minor_status, || {
        if let Some(foreign) = plugins::foreign_name(name_handle) {
            return foreign_may_log_in(&foreign, &name_of_user(user)?);
        }
        let (name, user) = (name(name_handle)?, name_of_user(user)?);
        let orthros = library::orthros()?;
        let principal = principal(&orthros, &name)?;
        if orthros.may_log_in(&principal, &user) {
            return Ok(COMPLETE);
        }
        Err(Failed::told(Major::Unauthorized, format!("{principal} may not log in as {user}")))
    })
}

fn name_of_user(handle: Handle) -> Result<String, Failed> {
    match &**name(handle)? {
        Name::User(user) => Ok(user.clone()),
        _ => Err(Failed::plain(Major::BadNameType, "the user must be a name of type GSS_C_NT_USER_NAME")),
    }
}

/// Whether a name may log in as a user: 1, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn gss_userok(name_handle: Handle, username: Text) -> i32 {
    let answer = without_minor(|| {
        let user = username.read()?;
        if let Some(foreign) = plugins::foreign_name(name_handle) {
            return foreign_may_log_in(&foreign, &user);
        }
        let name = name(name_handle)?;
        let orthros = library::orthros()?;
        let may = orthros.may_log_in(&principal(&orthros, &name)?, &user);
        if may {
            Ok(COMPLETE)
        } else {
            Err(Failed::plain(Major::Unauthorized, "the name may not log in as that user"))
        }
    });
    i32::from(answer == COMPLETE)
}
