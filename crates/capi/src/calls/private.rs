//! What the originals export for themselves and their plug-ins.
//!
//! Those that take a structure which only the original knows answer that they are not available; this is the table:
//!
//! | function | what it takes | answer |
//! |---|---|---|
//! | `gss_krb5_set_cred_rcache` | a `krb5_rcache` | `GSS_S_UNAVAILABLE`; name the replay cache in a credential store (`rcache`) |
//! | `gss_map_name_to_any` | nothing, but a PAC (`mspac`) becomes a `krb5_pac` of MIT krb5's libkrb5 | `GSS_S_UNAVAILABLE`; the attribute `urn:mspac:` has its octets |
//! | `gss_krb5int_make_seal_token_v3`, `gssint_g_seqstate_init` | the original's context, its sequence window | `EOPNOTSUPP`, which is what these return: an error number |
//! | `gss_krb5int_unseal_token_v3` | the original's context | `GSS_S_UNAVAILABLE` |
//! | `gsskrb5_extract_service_keyblock` | nothing, but no context keeps the key of a keytab | `GSS_S_UNAVAILABLE` |
//! | `gsskrb5_set_send_to_kdc` | a function that works on structures of Heimdal's libkrb5 | `GSS_S_UNAVAILABLE` |
//! | `_gssapi_wrap_size_cfx` | Heimdal's context | `GSS_S_UNAVAILABLE` |
//! | `_gsskrb5cfx_wrap_length_cfx` | Heimdal's cryptographic context | `EINVAL`; it returns an error number |
//! | `GSS_KRB5_SEND_TO_KDC_X`, `GSS_KRB5_PLUGIN_REGISTER_X` of Heimdal | functions that work on structures of its libkrb5 | `GSS_S_UNAVAILABLE` |
//! | `GSS_KRB5_GET_SERVICE_KEYBLOCK_X` of Heimdal | nothing, as for the function | `GSS_S_UNAVAILABLE` |
//! | `GSS_KRB5_EXPORT_LUCID_CONTEXT_X`, `GSS_KRB5_EXPORT_LUCID_CONTEXT_V1_X` of Heimdal | nothing, but a context would live twice | `GSS_S_UNAVAILABLE`; `gss_krb5_export_lucid_sec_context` gives the context up |
//! | `GSS_KRB5_COMPAT_DES3_MIC_X` of Heimdal | whether MICs of triple DES are as its 0.6 made them | `GSS_S_UNAVAILABLE` to switch it on for triple DES; others never had it |
//! | `gssspi_mech_invoke` | for each identifier another structure | `GSS_S_UNAVAILABLE`, unless the mechanism is a plug-in's; the calls of the public headers do the same |

use std::ffi::c_void;

use orthros::Major;

use super::contexts::CONTEXTS;
use super::credentials::CREDENTIALS;
use super::names::mechanism_name;
use super::{NAMES, Named, name};
use crate::abi::{GssBuffer, Handle, Keyblock, OidDesc, OmUint32};
use crate::boundary::{boundary, without_minor};
use crate::calls::contexts::context;
use crate::handles::Held;
use crate::plugins::{self, by_context, by_name};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// Tells a context of a token that the program has changed after it was made, as SSPI has it. Kerberos' tokens are whole
/// when they are handed out, so there is nothing to complete.
#[unsafe(no_mangle)]
pub extern "C" fn gss_complete_auth_token(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    input_message_buffer: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        by_context!(minor_status, context_handle => gss_complete_auth_token(input_message_buffer));
        input_message_buffer.octets_or_none()?;
        context(context_handle)?;
        Ok(COMPLETE)
    })
}

/// An attribute of a name as an object of another library. Here attributes are octets, which
/// [`gss_get_name_attribute`](super::attributes::gss_get_name_attribute) gives.
#[unsafe(no_mangle)]
pub extern "C" fn gss_map_name_to_any(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    authenticated: i32,
    type_id: In<GssBuffer>,
    output: Out<usize>,
) -> OmUint32 {
    output.set(0);
    boundary(minor_status, || {
        by_name!(minor_status, name_handle => gss_map_name_to_any(authenticated, type_id, output));
        let kind = String::from_utf8_lossy(type_id.octets()?).into_owned();
        name_that_is_given(name_handle)?;
        Err(Failed::told(Major::Unavailable, format!("the name has nothing of the kind {kind:?}")))
    })
}

/// Frees what [`gss_map_name_to_any`] gave; it gives nothing.
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_any_name_mapping(
    minor_status: Out<OmUint32>,
    name_handle: Handle,
    type_id: In<GssBuffer>,
    input: Out<usize>,
) -> OmUint32 {
    boundary(minor_status, || {
        by_name!(minor_status, name_handle => gss_release_any_name_mapping(type_id, input));
        let name = name_that_is_given(name_handle)?;
        // MIT krb5 knows the kind, and frees nothing gladly.
        let is_nothing = type_id.octets()? == b"mspac" && input.get() == Some(0);
        if is_nothing && mechanism_name(&name).is_ok() {
            return Ok(COMPLETE);
        }
        Err(Failed::plain(Major::Unavailable, "nothing was mapped from this name"))
    })
}

/// A name, where one must be; MIT krb5 tells `GSS_C_NO_NAME` from what is no name.
fn name_that_is_given(handle: Handle) -> Result<Held<'static, Named>, Failed> {
    if handle == Handle::NONE {
        return Err(Failed::call(CALL_INACCESSIBLE_READ | Major::BadName.number()));
    }
    name(handle)
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_set_cred_rcache(
    minor_status: Out<OmUint32>,
    _cred_handle: Handle,
    _rcache: Out<u8>,
) -> OmUint32 {
    boundary(minor_status, || {
        Err(Failed::plain(
            Major::Unavailable,
            "replay caches of libkrb5 can't be used; name one in a credential store (rcache)",
        ))
    })
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gssspi_mech_invoke(
    minor_status: Out<OmUint32>,
    desired_mech: In<OidDesc>,
    desired_object: In<OidDesc>,
    value: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(desired_mech)? {
            return Ok(plugin.invoke(desired_object, value)?.tell(minor_status));
        }
        let asked = desired_object.identifier()?.map_or_else(|| "nothing".into(), |oid| oid.to_string());
        Err(Failed::told(Major::Unavailable, format!("mechanisms have no inner call {asked} here")))
    })
}

/// How many contexts, credentials and names live. It leaves only the library that tests are run on.
#[unsafe(no_mangle)]
pub extern "C" fn orthros_live_handles() -> usize {
    CONTEXTS.live() + CREDENTIALS.live() + NAMES.live() + plugins::FOREIGN.live()
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5int_make_seal_token_v3() -> i32 {
    libc::EOPNOTSUPP
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5int_unseal_token_v3() -> OmUint32 {
    Major::Unavailable.number()
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gssint_g_seqstate_init() -> i32 {
    libc::EOPNOTSUPP
}

fn private() -> Failed {
    Failed::plain(Major::Unavailable, "the function takes structures of another library")
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn _gssapi_wrap_size_cfx(
    minor_status: Out<OmUint32>,
    _ctx: *const c_void,
    _context: *const c_void,
    _conf_req_flag: i32,
    _qop_req: OmUint32,
    _req_output_size: OmUint32,
    max_input_size: Out<OmUint32>,
) -> OmUint32 {
    max_input_size.set(0);
    boundary(minor_status, || Err(private()))
}

/// See the table above.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "the C interface has eight")]
pub extern "C" fn _gsskrb5cfx_wrap_length_cfx(
    _context: *const c_void,
    _crypto: *const c_void,
    _conf_req_flag: i32,
    _dce_style: i32,
    _input_length: usize,
    output_length: Out<usize>,
    cksumsize: Out<usize>,
    padlength: Out<u16>,
) -> i32 {
    output_length.set(0);
    cksumsize.set(0);
    padlength.set(0);
    libc::EINVAL
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_extract_service_keyblock(
    minor_status: Out<OmUint32>,
    _context_handle: Handle,
    out: Out<*mut Keyblock>,
) -> OmUint32 {
    out.set(std::ptr::null_mut());
    boundary(minor_status, || Err(Failed::plain(Major::Unavailable, "contexts keep no key of a keytab")))
}

/// See the table above.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_set_send_to_kdc(_carrier: *const c_void) -> OmUint32 {
    without_minor(|| Err(private()))
}
