//! Heimdal's own object identifiers, 1.2.752.43.13.N: what contexts and credentials answer by them, and which options they
//! set.
//!
//! One table tells for each what it does; functions of Heimdal's headers that do the same share its bodies. Keys are told
//! as its libkrb5 stores them: two octets of the enctype's number and four of the key's length, the highest first, and
//! the key. Numbers have four octets, the lowest first.
//!
//! Where Heimdal says of everything it does not know that the call failed, the answer here is `GSS_S_UNAVAILABLE`. What
//! can't be had is listed in [`private`](super::private). Initiators know their ticket's flags and time, which Heimdal's
//! do not.

use std::ffi::CString;

use orthros::mechanism::KRB5_OID;
use orthros::{Context, Enctype, Major, Principal};
use orthros_crypto::MessageTokens;
use orthros_gss::context::inquiry::oid::SESSION_KEY;
use orthros_wire::{Oid, Reader, SecretBytes};

use super::contexts::{body, context, no_context};
use super::credentials::{CREDENTIALS, credential};
use super::heimdal_krb5::{message_key, offset, set_canonicalize, set_offset, set_realm, ticket_flags};
use super::insert;
use super::krb5::{
    authorization_data, gss_inquire_sec_context_by_oid, gss_set_sec_context_option, name_cache, name_keytab,
};
use super::objects::import_named;
use super::options::{gss_inquire_cred_by_oid, gss_set_cred_option};
use crate::abi::{GssBuffer, Handle, OidDesc, OmUint32};
use crate::boundary::boundary;
use crate::library;
use crate::memory::BufferSet;
use crate::plugins::{self, by_context};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// What an identifier is good for.
enum Use {
    /// A context tells it.
    Told(fn(&Context) -> Result<SecretBytes, Failed>),
    /// A context tells it by a number, which is one more arc.
    ToldBy(fn(&Context, i32) -> Result<SecretBytes, Failed>),
    /// An option of any context, most of them for the whole process.
    Option(fn(Handle, In<GssBuffer>) -> Result<(), Failed>),
    /// It can't be had, for this reason.
    Not(&'static str),
}

/// The last arc, and what it is good for. Credentials' are not here: [`COPY_CCACHE`] and [`IMPORT_CRED`], and those of
/// [`options`](super::options).
static ROWS: [(u32, Use); 17] = [
    (2, Use::Told(|context| Ok(number(ticket_flags(context))))),
    (3, Use::ToldBy(authorization)),
    (4, Use::Option(old_mics)),
    (5, Use::Option(|_, value| text(value).map(|name| name_keytab(name.as_deref())))),
    (6, Use::Not("a context is not doubled: gss_krb5_export_lucid_sec_context gives it up and hands it out")),
    (7, Use::Option(|_, value| switch(value).map(set_canonicalize))),
    (8, Use::Told(|context| stored(&message_key(context)))),
    (9, Use::Told(|context| stored(&context.expose_initiator_key()))),
    (10, Use::Told(acceptor_key)),
    (11, Use::Not("a function that carries messages to KDCs takes structures of Heimdal's libkrb5")),
    (12, Use::Told(authtime)),
    (13, Use::Not("contexts keep no key of a keytab")),
    (15, Use::Option(default_realm)),
    (16, Use::Option(|_, value| text(value).map(|name| _ = name_cache(name, CString::default())))),
    (17, Use::Option(set_time_offset)),
    (18, Use::Option(|_, value| value.overwrite(&offset().to_ne_bytes()))),
    (19, Use::Not("plug-ins of Heimdal's libkrb5 have no place here")),
];

/// `GSS_KRB5_COPY_CCACHE_X`: a credential tells the name of the cache that its tickets lie in.
const COPY_CCACHE: Oid = Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 1]);
/// `GSS_KRB5_IMPORT_CRED_X`: makes a credential of three strings, which may be empty: the names of a cache, of a principal
/// of the keytab, and of a keytab. Each is four octets of length, the highest first, and the text.
const IMPORT_CRED: Oid = Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 30]);
/// `GSS_C_PEER_HAS_UPDATED_SPNEGO`, 1.3.6.1.4.1.5322.19.5.
const UPDATED_SPNEGO: Oid = Oid::from_static(&[0x2b, 6, 1, 4, 1, 0xa9, 0x4a, 0x13, 5]);

/// The row of an identifier, and one more arc if it has one.
fn row(oid: &Oid) -> Option<(&'static Use, Option<i32>)> {
    let oid = oid.to_string();
    let mut arcs = oid.strip_prefix("1.2.752.43.13.")?.split('.');
    let last: u32 = arcs.next()?.parse().ok()?;
    let more = arcs.next().map(|arc| arc.parse::<u32>().map(u32::cast_signed)).transpose().ok()?;
    let (_, row) = ROWS.iter().find(|(arc, _)| *arc == last)?;
    arcs.next().is_none().then_some((row, more))
}

fn unavailable(why: &str) -> Failed {
    Failed::plain(Major::Unavailable, why)
}

fn number(number: u32) -> SecretBytes {
    SecretBytes::copy_of(&number.to_le_bytes())
}

/// Seconds since 1970, good until 2106.
fn authtime(context: &Context) -> Result<SecretBytes, Failed> {
    let seconds = u32::try_from(context.authtime().seconds);
    Ok(number(seconds.map_err(|_| unavailable("the time has more than 32 bits"))?))
}

fn authorization(context: &Context, kind: i32) -> Result<SecretBytes, Failed> {
    if context.is_initiator() {
        return Err(no_context("only an acceptor reads the ticket, and what it says of the initiator"));
    }
    authorization_data(context, kind).map(SecretBytes::from)
}

fn acceptor_key(context: &Context) -> Result<SecretBytes, Failed> {
    let none = || Failed::plain(Major::Failure, "the acceptor chose no key");
    stored(&context.expose_acceptor_key().ok_or_else(none)?)
}

/// A key as Heimdal's libkrb5 stores it.
fn stored((enctype, octets): &(Enctype, SecretBytes)) -> Result<SecretBytes, Failed> {
    let octets = octets.expose_octets();
    let kind =
        i16::try_from(enctype.number()).map_err(|_| unavailable("the enctype's number is too large"))?;
    let length = u32::try_from(octets.len()).map_err(|_| Failed::no_memory())?;
    let head = [&kind.to_be_bytes()[..], &length.to_be_bytes()].concat();
    // With room for all from the start: what grows leaves its octets behind.
    let mut stored = Vec::with_capacity(head.len().saturating_add(octets.len()));
    stored.extend_from_slice(&head);
    stored.extend_from_slice(octets);
    Ok(SecretBytes::from(stored))
}

/// The text of an option; none for an empty one.
fn text(value: In<GssBuffer>) -> Result<Option<String>, Failed> {
    let octets = value.octets_or_none()?;
    let text = std::str::from_utf8(octets).ok().filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| Failed::plain(Major::Failure, "the option's value is no text"))?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// On or off: one octet.
fn switch(value: In<GssBuffer>) -> Result<bool, Failed> {
    match value.octets_or_none()? {
        [octet] => Ok(*octet != 0),
        _ => Err(Failed::plain(Major::Failure, "the option is on or off: one octet")),
    }
}

/// Only triple DES ever had MICs of another kind.
fn old_mics(handle: Handle, value: In<GssBuffer>) -> Result<(), Failed> {
    if switch(value)? && context(handle)?.enctype() == Enctype::Des3CbcSha1 {
        return Err(unavailable(
            "MICs of triple DES are made as RFC 1964 has them, and not as Heimdal 0.6 did",
        ));
    }
    Ok(())
}

fn default_realm(_: Handle, value: In<GssBuffer>) -> Result<(), Failed> {
    let realm = text(value)?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
    set_realm(Some(realm))
}

fn set_time_offset(_: Handle, value: In<GssBuffer>) -> Result<(), Failed> {
    let octets = value.octets_or_none()?.try_into();
    set_offset(i32::from_ne_bytes(octets.map_err(|_| unavailable("an offset has four octets"))?));
    Ok(())
}

/// As [`gss_inquire_sec_context_by_oid`], and by Heimdal's identifiers. The session key comes without the name of its
/// enctype.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_inquire_sec_context_by_oid(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    desired_object: In<OidDesc>,
    data_set: Out<BufferSet>,
) -> OmUint32 {
    let Ok(Some(question)) = desired_object.identifier() else {
        return gss_inquire_sec_context_by_oid(minor_status, context_handle, desired_object, data_set);
    };
    let found = row(&question);
    if found.is_none() && question != UPDATED_SPNEGO && question != SESSION_KEY {
        return gss_inquire_sec_context_by_oid(minor_status, context_handle, desired_object, data_set);
    }
    data_set.set(std::ptr::null_mut());
    boundary(minor_status, || {
        data_set.require()?;
        by_context!(minor_status, context_handle => gss_inquire_sec_context_by_oid(desired_object, data_set));
        let context = context(context_handle)?;
        let answer = match found {
            Some((Use::Told(tell), None)) => tell(&context)?,
            Some((Use::ToldBy(tell), Some(kind))) => tell(&context, kind)?,
            Some((Use::Not(why), _)) => return Err(unavailable(why)),
            Some(_) => {
                return Err(Failed::told(Major::Unavailable, format!("contexts don't answer {question}")));
            }
            None if question == SESSION_KEY => context.expose_session_key(),
            // It says so by succeeding: whoever has messages of RFC 4121 negotiates by RFC 4178.
            None if context.enctype().message_tokens() == MessageTokens::Rfc4121 => return Ok(COMPLETE),
            None => return Err(Failed::plain(Major::Failure, "the peer may negotiate as RFC 2478 has it")),
        };
        data_set.give([answer.expose_octets()])?;
        Ok(COMPLETE)
    })
}

/// As [`gss_set_sec_context_option`], and Heimdal's options, most of which are the process's and need a context
/// nevertheless.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_set_sec_context_option(
    minor_status: Out<OmUint32>,
    context_handle: Out<Handle>,
    desired_object: In<OidDesc>,
    value: In<GssBuffer>,
) -> OmUint32 {
    let Some((found, more)) = desired_object.identifier().ok().flatten().and_then(|oid| row(&oid)) else {
        return gss_set_sec_context_option(minor_status, context_handle, desired_object, value);
    };
    boundary(minor_status, || {
        let handle = context_handle.get().unwrap_or(Handle::NONE);
        if let Some(done) = plugins::contexts::set_option(handle, desired_object, value)? {
            return Ok(done.tell(minor_status));
        }
        body(handle)?;
        match (found, more) {
            (Use::Option(set), None) => set(handle, value)?,
            (Use::Not(why), _) => return Err(unavailable(why)),
            _ => return Err(unavailable("contexts tell this, and it can't be set")),
        }
        Ok(COMPLETE)
    })
}

/// As [`gss_inquire_cred_by_oid`], and the name of the cache that a credential's tickets lie in.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_inquire_cred_by_oid(
    minor_status: Out<OmUint32>,
    cred_handle: Handle,
    desired_object: In<OidDesc>,
    data_set: Out<BufferSet>,
) -> OmUint32 {
    if desired_object.identifier().ok().flatten() != Some(COPY_CCACHE) {
        return gss_inquire_cred_by_oid(minor_status, cred_handle, desired_object, data_set);
    }
    data_set.set(std::ptr::null_mut());
    boundary(minor_status, || {
        data_set.require()?;
        let held = credential(cred_handle)?
            .ok_or_else(|| Failed::plain(Major::NoCredential, "no credential is named"))?;
        let none = |_| Failed::plain(Major::Failure, "the credential holds no tickets");
        let origin = held.set.initiator(&KRB5_OID).map_err(none)?.origin();
        let nameless =
            || unavailable("the tickets lie in no cache that has a name; gss_store_cred puts them in one");
        data_set.give([origin.ok_or_else(nameless)?.as_bytes()])?;
        Ok(COMPLETE)
    })
}

/// As [`gss_set_cred_option`], and a credential of a cache and a keytab that are named.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_set_cred_option(
    minor_status: Out<OmUint32>,
    cred_handle: Out<Handle>,
    desired_object: In<OidDesc>,
    value: In<GssBuffer>,
) -> OmUint32 {
    if desired_object.identifier().ok().flatten() != Some(IMPORT_CRED) {
        return gss_set_cred_option(minor_status, cred_handle, desired_object, value);
    }
    boundary(minor_status, || {
        cred_handle.require()?;
        if cred_handle.get() != Some(Handle::NONE) {
            return Err(Failed::plain(
                Major::Failure,
                "there is a credential already where one is to be made",
            ));
        }
        let bad = || Failed::plain(Major::Failure, "a credential is imported by three strings");
        let [cache, principal, keytab] = strings(value.octets_or_none()?).ok_or_else(bad)?;
        let orthros = library::orthros()?;
        let realm = orthros.config().default_realm.as_deref();
        let service = principal.map(|text| Principal::parse(text, realm)).transpose();
        let service = service.map_err(|error| Failed::told(Major::Failure, error.to_string()))?;
        cred_handle.set(insert(&CREDENTIALS, import_named(cache, service, keytab)?)?);
        Ok(COMPLETE)
    })
}

/// Three strings as Heimdal's libkrb5 stores them; none for an empty one.
fn strings(octets: &[u8]) -> Option<[Option<&str>; 3]> {
    let mut reader = Reader::new(octets);
    let mut found = [None; 3];
    for place in &mut found {
        *place = Some(std::str::from_utf8(reader.counted_u32().ok()?).ok()?).filter(|text| !text.is_empty());
    }
    reader.is_empty().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_leads_to_another_row_or_to_one_that_is_not_its_own() {
        let arcs = |text: &str| row(&text.parse().unwrap()).map(|(_, more)| more);
        assert_eq!(arcs("1.2.752.43.13.8"), Some(None));
        assert_eq!(arcs("1.2.752.43.13.3.128"), Some(Some(128)));
        // A type may be negative (RFC 4120 §7.5.4), which an arc can't be.
        assert_eq!(arcs("1.2.752.43.13.3.4294967295"), Some(Some(-1)));
        for other in [
            "1.2.752.43.13",
            "1.2.752.43.13.1",
            "1.2.752.43.13.3.1.1",
            "1.2.752.43.13.29",
            "1.2.752.43.130.8",
        ] {
            assert_eq!(arcs(other), None, "{other}");
        }
        assert!(ROWS.is_sorted_by(|(one, _), (next, _)| one < next));
    }

    #[test]
    fn strings_that_are_cut_or_too_many_make_a_credential() {
        let whole = b"\0\0\0\x01a\0\0\0\0\0\0\0\x02bc";
        assert_eq!(strings(whole), Some([Some("a"), None, Some("bc")]));
        for length in 0..whole.len() {
            assert_eq!(strings(&whole[..length]), None, "{length}");
        }
        assert_eq!(strings(&[&whole[..], b"\0"].concat()), None);
        assert_eq!(strings(b"\xff\xff\xff\xff"), None);
        assert_eq!(strings(b"\0\0\0\x01\xff\0\0\0\0\0\0\0\0"), None);
    }
}
