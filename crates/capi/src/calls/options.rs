//! Options of credentials: what the contexts that are made with one will do, and what a credential answers by an object
//! identifier.

use orthros::mechanism::KRB5_OID;
use orthros::{Enctype, Major};
use orthros_wire::Oid;

use super::credentials::{Options, credential, replace};
use crate::abi::{GssBuffer, Handle, OidDesc, OidSetDesc, OmUint32};
use crate::boundary::boundary;
use crate::extensions::{CARRY, TRANSFER};
use crate::memory::BufferSet;
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// `GSS_KRB5_CRED_NO_CI_FLAGS_X`, 1.2.752.43.13.29.
const NO_CI_FLAGS: Oid = Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x1d]);
/// `GSS_KRB5_SET_ALLOWABLE_ENCTYPES_X` of Heimdal, 1.2.752.43.13.14: the numbers one after another, each an `int32_t`.
const ALLOWABLE_ENCTYPES: Oid = Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x0e]);
/// `GSS_KRB5_GET_CRED_IMPERSONATOR`, 1.2.840.113554.1.2.2.5.14.
const IMPERSONATOR: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 5, 14]);

/// Changes the options behind a handle.
fn change(handle: Handle, change: impl FnOnce(&mut Options)) -> Result<OmUint32, Failed> {
    let held = credential(handle)?.ok_or_else(|| {
        Failed::plain(Major::NoCredential, "options are set on a credential, and none is named")
    })?;
    let mut changed = (*held).clone();
    change(&mut changed.options);
    replace(handle, changed)?;
    Ok(COMPLETE)
}

/// The enctypes of these numbers.
fn enctypes(numbers: &[i32]) -> Result<Vec<Enctype>, Failed> {
    let known = |number: &i32| {
        let unknown = || Failed::told(Major::Failure, format!("nothing is known of an enctype {number}"));
        Enctype::from_number(*number).ok_or_else(unknown)
    };
    numbers.iter().map(known).collect()
}

fn set(handle: Handle, option: In<OidDesc>, value: In<GssBuffer>) -> Result<OmUint32, Failed> {
    let described = option;
    let option = option.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
    if option == NO_CI_FLAGS {
        return change(handle, |options| options.only_asked_protection = true);
    }
    if option == ALLOWABLE_ENCTYPES {
        let (numbers, []) = value.octets_or_none()?.as_chunks() else {
            return Err(Failed::plain(Major::Failure, "numbers of enctypes take four octets each"));
        };
        let numbers: Vec<_> = numbers.iter().map(|number| i32::from_ne_bytes(*number)).collect();
        let enctypes = enctypes(&numbers)?;
        return change(handle, |options| options.enctypes = Some(enctypes));
    }
    if option == TRANSFER {
        let stays = match value.octets_or_none()? {
            b"on" => false,
            b"off" => true,
            _ => return Err(Failed::plain(Major::Failure, "whether contexts may move is either on or off")),
        };
        return change(handle, |options| options.stays = stays);
    }
    if option == CARRY {
        return change(handle, |options| options.carries = true);
    }
    let foreign = credential(handle)?.map(|held| held.foreign.clone()).unwrap_or_default();
    let unknown = Failed::told(Major::Unavailable, format!("credentials have no option {option}"));
    // One of the elements is to know it; if none does, what the first one says counts.
    let set = foreign.iter().map(|element| element.set_credential_option(described, value));
    let (done, failed): (Vec<_>, Vec<_>) = set.partition(Result::is_ok);
    match (done.is_empty(), failed.into_iter().find_map(Result::err)) {
        (false, _) => Ok(COMPLETE),
        (true, failed) => Err(failed.unwrap_or(unknown)),
    }
}

/// Sets an option of a credential: `GSS_KRB5_CRED_NO_CI_FLAGS_X`, Heimdal's `GSS_KRB5_SET_ALLOWABLE_ENCTYPES_X`, and ours
/// ([`extensions`](crate::extensions)).
#[unsafe(no_mangle)]
pub extern "C" fn gss_set_cred_option(
    minor_status: Out<OmUint32>,
    cred_handle: Out<Handle>,
    desired_object: In<OidDesc>,
    value: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        cred_handle.require()?;
        set(cred_handle.get().unwrap_or(Handle::NONE), desired_object, value)
    })
}

/// [`gss_set_cred_option`] as it was before a credential could be made by it.
#[unsafe(no_mangle)]
pub extern "C" fn gssspi_set_cred_option(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    desired_object: In<OidDesc>,
    value: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || set(cred_handle, desired_object, value))
}

/// The enctypes of session keys, as far as they are configured, for who hands the key to something that knows few; null:
/// all again.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_set_allowable_enctypes(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    num_ktypes: OmUint32,
    ktypes: In<i32>,
) -> OmUint32 {
    boundary(minor_status, || {
        let numbers = ktypes.numbers(num_ktypes);
        let enctypes = if numbers.is_empty() { None } else { Some(enctypes(&numbers)?) };
        change(cred_handle, |options| options.enctypes = enctypes)
    })
}

/// What may be negotiated with a credential (RFC 4178 appendix C).
#[unsafe(no_mangle)]
pub extern "C" fn gss_set_neg_mechs(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    mech_set: In<OidSetDesc>,
) -> OmUint32 {
    boundary(minor_status, || {
        let mechanisms = mech_set.identifiers()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        change(cred_handle, |options| options.negotiable = Some(mechanisms))
    })
}

/// What a credential answers by an object identifier: for `GSS_KRB5_GET_CRED_IMPERSONATOR` the name of the service that
/// acts for the credential's user, or nothing for a user's own.
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_cred_by_oid(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    desired_object: In<OidDesc>,
    data_set: Out<BufferSet>,
) -> OmUint32 {
    data_set.set(std::ptr::null_mut());
    boundary(minor_status, || {
        data_set.require()?;
        let question = desired_object.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        let held = credential(cred_handle)?
            .ok_or_else(|| Failed::plain(Major::NoCredential, "no credential is named"))?;
        if question != IMPERSONATOR {
            if let Some(element) = held.foreign.first() {
                return Ok(element.answer(desired_object, data_set)?.tell(minor_status));
            }
            return Err(Failed::told(Major::Unavailable, format!("credentials don't answer {question}")));
        }
        let initiator = held.set.initiator(&KRB5_OID).ok();
        let name = initiator.and_then(|initiator| initiator.impersonator()).map(ToString::to_string);
        data_set.give(name.as_ref().map(String::as_bytes))?;
        Ok(COMPLETE)
    })
}
