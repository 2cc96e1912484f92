//! What is Kerberos' own: extensions of MIT krb5 and Heimdal.

use std::ffi::{CString, c_char};

use orthros::{CacheName, Context, KeytabName, Major, Orthros};

use super::contexts::{bring_kdc_reply, context, kdc_request};
use super::transfer::{self, spend};
use crate::abi::{GssBuffer, Handle, LucidContext, OidDesc, OmUint32};
use crate::boundary::{boundary, without_minor};
use crate::extensions::KDC_MESSAGE;
use crate::library;
use crate::memory::{BufferSet, free_lucid};
use crate::plugins::{self, by_context};
use crate::pointers::{In, Out, Text};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// The credential cache that this thread's default credentials come from; null: the default one again. `out_name` is the
/// one before, which lives until this thread's next call.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_ccache_name(
    minor_status: Out<OmUint32>,
    name: Text,
    out_name: Out<*const c_char>,
) -> OmUint32 {
    out_name.set(std::ptr::null());
    boundary(minor_status, || {
        let default = if out_name.is_present() { library::default_cache_name()? } else { CString::default() };
        out_name.set(name_cache(name.read_or_none()?, default));
        Ok(COMPLETE)
    })
}

/// Names this thread's cache, or none; the name before, or else this default.
pub(super) fn name_cache(name: Option<String>, default: CString) -> *const c_char {
    let cache = name.as_deref().map(CacheName::from);
    let kept = name.map(|name| CString::new(name).unwrap_or_default());
    library::set_thread_cache(cache, kept, default)
}

/// The keytab that acceptors of this process use by default; null: the default one again.
#[unsafe(no_mangle)]
pub extern "C" fn krb5_gss_register_acceptor_identity(keytab: Text) -> OmUint32 {
    without_minor(|| {
        name_keytab(keytab.read_or_none()?.as_deref());
        Ok(COMPLETE)
    })
}

/// Names the acceptors' keytab of this process, or none.
pub(super) fn name_keytab(name: Option<&str>) {
    library::set_acceptor_keytab(name.map(KeytabName::from));
}

/// What a context answers by an object identifier: buffers, as many as the question has answers.
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_sec_context_by_oid(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    desired_object: In<OidDesc>,
    data_set: Out<BufferSet>,
) -> OmUint32 {
    data_set.set(std::ptr::null_mut());
    boundary(minor_status, || {
        data_set.require()?;
        by_context!(minor_status, context_handle => gss_inquire_sec_context_by_oid(desired_object, data_set));
        let question = desired_object.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        if question == KDC_MESSAGE {
            data_set.give(kdc_request(context_handle)?.iter().map(Vec::as_slice))?;
            return Ok(COMPLETE);
        }
        let context = context(context_handle)?;
        let answers = context.inquire(&question)?;
        data_set.give(answers.iter().map(|answer| answer.expose_octets()))?;
        Ok(COMPLETE)
    })
}

/// Sets an option of a context: the reply of a KDC that the program has asked for it ([`KDC_MESSAGE`]), or how it
/// [moves](super::transfer). Kerberos has none of its own, so that no other identifier is available, as with MIT krb5.
#[unsafe(no_mangle)]
pub extern "C" fn gss_set_sec_context_option(
    minor_status: Out<OmUint32>,
    context_handle: Out<Handle>,
    desired_object: In<OidDesc>,
    value: In<GssBuffer>,
) -> OmUint32 {
    boundary(minor_status, || {
        let handle = context_handle.get().unwrap_or(Handle::NONE);
        if let Some(done) = plugins::contexts::set_option(handle, desired_object, value)? {
            return Ok(done.tell(minor_status));
        }
        let option = desired_object.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        let value = value.octets_or_none()?;
        if option == KDC_MESSAGE {
            bring_kdc_reply(handle, value)?;
        } else if !transfer::set_option(context_handle, &option, value)? {
            return Err(Failed::told(Major::Unavailable, format!("contexts have no option {option}")));
        }
        Ok(COMPLETE)
    })
}

/// The flags of the ticket that a context came up by (RFC 4120 §2), the first flag in the highest bit.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_get_tkt_flags(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    ticket_flags: Out<OmUint32>,
) -> OmUint32 {
    ticket_flags.set(0);
    boundary(minor_status, || {
        ticket_flags.require()?;
        ticket_flags.set(context(context_handle)?.ticket_flags().0);
        Ok(COMPLETE)
    })
}

/// When the initiator proved itself to its KDC, in seconds since 1970.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_extract_authtime_from_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    authtime: Out<i32>,
) -> OmUint32 {
    authtime.set(0);
    boundary(minor_status, || {
        authtime.require()?;
        // 32 bits that MIT krb5 takes for a number without a sign.
        let seconds = u32::try_from(context(context_handle)?.authtime().seconds).unwrap_or(0);
        authtime.set(seconds.cast_signed());
        Ok(COMPLETE)
    })
}

/// The ticket's authorization data of a type, in its container or not (RFC 4120 §5.2.6): the first of them.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_extract_authz_data_from_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    ad_type: i32,
    ad_data: Out<GssBuffer>,
) -> OmUint32 {
    ad_data.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        ad_data.require()?;
        ad_data.give(&authorization_data(&*context(context_handle)?, ad_type)?)?;
        Ok(COMPLETE)
    })
}

/// The ticket's authorization data of a type: the first of them.
pub(super) fn authorization_data(context: &Context, kind: i32) -> Result<Vec<u8>, Failed> {
    let none =
        || Failed::told(Major::Failure, format!("the ticket has no authorization data of type {kind}"));
    context.authorization_data_of(kind).into_iter().next().ok_or_else(none)
}

/// Gives up a context and hands out what protects its messages, in the clear, for who does that elsewhere, such as the
/// Linux kernel. On success `GSS_C_NO_CONTEXT` stands in the handle's place; on failure the context goes on.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_export_lucid_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Out<Handle>,
    version: OmUint32,
    kctx: Out<*mut LucidContext>,
) -> OmUint32 {
    kctx.set(std::ptr::null_mut());
    boundary(minor_status, || {
        context_handle.require()?;
        kctx.require()?;
        if version != 1 {
            return Err(Failed::plain(Major::Failure, "lucid contexts have version 1 only"));
        }
        let lucid = |orthros: &Orthros, context: Context| {
            let mut lucid = context.into_lucid()?;
            if !lucid.is_initiator {
                // An acceptor's context lasts for the skew longer than its ticket; here the ticket's end is told.
                lucid.end = lucid.end.plus_seconds(orthros.config().clockskew.saturating_neg());
            }
            Ok(lucid)
        };
        spend(context_handle, lucid, |lucid| kctx.give(lucid), |_, _| None)?;
        Ok(COMPLETE)
    })
}

/// Wipes and frees a lucid context.
#[unsafe(no_mangle)]
pub extern "C" fn gss_krb5_free_lucid_sec_context(
    minor_status: Out<OmUint32>,
    kctx: *mut LucidContext,
) -> OmUint32 {
    boundary(minor_status, || {
        free_lucid(kctx);
        Ok(COMPLETE)
    })
}
