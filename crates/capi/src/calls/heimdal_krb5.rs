//! What is Kerberos' own in Heimdal: keys of contexts, and what a program sets for all of its process.

use std::ptr;

use orthros::Context;
use orthros::{CanonicalizeHost, Major};
use orthros_crypto::Enctype;
use orthros_wire::SecretBytes;

use super::contexts::context;
use super::krb5::krb5_gss_register_acceptor_identity;
use crate::abi::{Handle, Keyblock, OmUint32};
use crate::boundary::{boundary, without_minor};
use crate::library;
use crate::pointers::{Out, Text};
use crate::status::{COMPLETE, Failed};

/// The keytab that acceptors of this process use by default; null: the default one again.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_register_acceptor_identity(identity: Text) -> OmUint32 {
    krb5_gss_register_acceptor_identity(identity)
}

/// The flags of the ticket that a context came up by (RFC 4120 §2), the first flag in the lowest bit.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_krb5_get_tkt_flags(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    tkt_flags: Out<OmUint32>,
) -> OmUint32 {
    tkt_flags.set(0);
    boundary(minor_status, || {
        tkt_flags.require()?;
        tkt_flags.set(ticket_flags(&*context(context_handle)?));
        Ok(COMPLETE)
    })
}

/// The ticket's flags, the first in the lowest bit.
pub(super) fn ticket_flags(context: &Context) -> u32 {
    context.ticket_flags().0.reverse_bits()
}

/// When the initiator proved itself to its KDC, in seconds since 1970: a `time_t`.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gsskrb5_extract_authtime_from_sec_context(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    authtime: Out<libc::time_t>,
) -> OmUint32 {
    authtime.set(0);
    boundary(minor_status, || {
        authtime.require()?;
        authtime.set(context(context_handle)?.authtime().seconds);
        Ok(COMPLETE)
    })
}

fn give_key(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    out: Out<*mut Keyblock>,
    key: impl FnOnce(&Context) -> (Enctype, SecretBytes),
) -> OmUint32 {
    out.set(ptr::null_mut());
    boundary(minor_status, || {
        out.require()?;
        let (enctype, octets) = key(&*context(context_handle)?);
        out.give(enctype, octets.expose_octets())?;
        Ok(COMPLETE)
    })
}

/// The key that protects a context's messages, as a keyblock that `krb5_free_keyblock` frees.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_get_subkey(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    out: Out<*mut Keyblock>,
) -> OmUint32 {
    give_key(minor_status, context_handle, out, message_key)
}

/// The key that protects a context's messages.
pub(super) fn message_key(context: &Context) -> (Enctype, SecretBytes) {
    (context.enctype(), context.expose_session_key())
}

/// The initiator's subkey, else the ticket's session key, as a keyblock that `krb5_free_keyblock` frees.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_get_initiator_subkey(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    out: Out<*mut Keyblock>,
) -> OmUint32 {
    give_key(minor_status, context_handle, out, Context::expose_initiator_key)
}

/// The default realm of this process; null: the configured one again.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_set_default_realm(realm: Text) -> OmUint32 {
    without_minor(|| {
        set_realm(realm.read_or_none()?)?;
        Ok(COMPLETE)
    })
}

/// Sets the default realm of this process.
pub(super) fn set_realm(realm: Option<String>) -> Result<(), Failed> {
    if realm.as_ref().is_some_and(String::is_empty) {
        return Err(Failed::plain(Major::Failure, "a realm's name has at least one character"));
    }
    library::set_overrides(|overrides| overrides.default_realm = realm);
    Ok(())
}

/// Whether names of hosts are asked of DNS before tickets for them are (`dns_canonicalize_hostname`), in this process.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_set_dns_canonicalize(flag: i32) -> OmUint32 {
    without_minor(|| {
        set_canonicalize(flag != 0);
        Ok(COMPLETE)
    })
}

/// Sets whether names of hosts are asked of DNS in this process.
pub(super) fn set_canonicalize(wanted: bool) {
    let wanted = if wanted { CanonicalizeHost::Yes } else { CanonicalizeHost::No };
    library::set_overrides(|overrides| overrides.canonicalize_host = Some(wanted));
}

/// How many seconds this process takes to be later than the machine's clock says; with a minus: earlier.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_set_time_offset(offset: i32) -> OmUint32 {
    without_minor(|| {
        set_offset(offset);
        Ok(COMPLETE)
    })
}

/// Sets how many seconds this process takes to be later.
pub(super) fn set_offset(seconds: i32) {
    library::set_overrides(|overrides| overrides.clock_offset_seconds = seconds.into());
}

/// What [`gsskrb5_set_time_offset`] has set last; 0 at first.
#[unsafe(no_mangle)]
pub extern "C" fn gsskrb5_get_time_offset(offset: Out<i32>) -> OmUint32 {
    offset.set(0);
    without_minor(|| {
        offset.require()?;
        offset.set(self::offset());
        Ok(COMPLETE)
    })
}

/// What was set last.
pub(super) fn offset() -> i32 {
    i32::try_from(library::overrides().clock_offset_seconds).unwrap_or(0)
}
