//! Services that act for users (MS-SFU): extensions of MIT krb5. Both calls wait for KDCs.

use orthros::credential::{CredentialSet, Usage};

use super::credentials::{Acquired, Credential, credential, wanted};
use super::elements::Element;
use super::{chosen, name};
use crate::abi::{Handle, OidDesc, OidSetDesc, OmUint32, USAGE_INITIATE};
use crate::boundary::boundary;
use crate::memory::OidSet;
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, Failed};

/// The user by the service's credential.
fn impersonated(impersonator: Handle, user: Handle, usage: i32) -> Result<Credential, Failed> {
    let service = credential(impersonator)?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
    let user = if user == Handle::NONE { Err(Failed::call(CALL_INACCESSIBLE_READ)) } else { name(user) }?;
    if usage != USAGE_INITIATE {
        return Err(Failed::plain(
            orthros::Major::Failure,
            "a service that acts for a user initiates: the usage must be GSS_C_INITIATE",
        ));
    }
    let orthros = service.orthros.clone();
    let own = service.set.initiator(&orthros::mechanism::KRB5_OID)?;
    let set = CredentialSet::initiating(orthros.impersonate(own, &user)?);
    Ok(Credential::new(set, orthros))
}

/// Gets a credential by which a service acts for the user `desired_name`, who need not be there (S4U2Self). Contexts to
/// the service itself are the user's; contexts to others as far as the KDC allows (S4U2Proxy).
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has nine")]
pub extern "C" fn gss_acquire_cred_impersonate_name(
    minor_status: Out<OmUint32>,
    impersonator_cred_handle: Handle,
    desired_name: Handle,
    _time_req: OmUint32,
    desired_mechs: In<OidSetDesc>,
    cred_usage: i32,
    output_cred_handle: Out<Handle>,
    actual_mechs: Out<OidSet>,
    time_rec: Out<OmUint32>,
) -> OmUint32 {
    let acquired = Acquired { handle: output_cred_handle, mechanisms: actual_mechs, time: time_rec };
    acquired.clear();
    boundary(minor_status, || {
        acquired.handle.require()?;
        // Whichever it is of those that are here, Kerberos gets it.
        wanted(desired_mechs)?;
        acquired.give(impersonated(impersonator_cred_handle, desired_name, cred_usage)?)
    })
}

/// Adds such an element to a credential, or makes a new credential with it.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has twelve")]
pub extern "C" fn gss_add_cred_impersonate_name(
    minor_status: Out<OmUint32>,
    input_cred_handle: Handle,
    impersonator_cred_handle: Handle,
    desired_name: Handle,
    desired_mech: In<OidDesc>,
    cred_usage: i32,
    _initiator_time_req: OmUint32,
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
    boundary(minor_status, || {
        chosen(desired_mech)?;
        element
            .add_what(|_, _: Usage| Ok(impersonated(impersonator_cred_handle, desired_name, cred_usage)?.set))
    })
}
