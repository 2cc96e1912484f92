//! What Heimdal has and others have not, and what it means otherwise: identifiers and mechanisms by their names,
//! options of mechanisms, statuses, sizes. Of Kerberos: [`heimdal_krb5`](super::heimdal_krb5).
//!
//! A function whose name begins with `heimdal_` leaves Heimdal's face by the rest of its name, in place of the one that
//! other faces have by that name.

use std::ffi::{CStr, c_char};
use std::ptr;

use orthros::Major;
use orthros::mechanism::{self, KRB5_OID, Mechanism, SPNEGO_OID, attribute};
use orthros_wire::Oid;

use super::chosen;
use super::contexts::context;
use super::mechanisms::gss_display_mech_attr;
use super::oids::given;
use crate::abi::{GssBuffer, Handle, OidDesc, OidSetDesc, OmUint32, StreamSizes};
use crate::boundary::{boundary, without_minor};
use crate::memory::OidSet;
use crate::oids::{StaticOid, interned};
use crate::pointers::{In, Out, Text};
use crate::status::{BAD_STRUCTURE, COMPLETE, Failed, recall};

/// An identifier as text: `1 2 840 113554 1 2 2`.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_oid_to_str(
    minor_status: Out<OmUint32>,
    oid: In<OidDesc>,
    str: Out<GssBuffer>,
) -> OmUint32 {
    str.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        str.require()?;
        let none = || Failed::plain(Major::Failure, "there is no identifier");
        let oid = oid.identifier()?.ok_or_else(none)?;
        str.give(oid.to_string().replace('.', " ").as_bytes())?;
        Ok(COMPLETE)
    })
}

/// The same identifier in static memory; releasing it is allowed and does nothing. None for none.
#[unsafe(no_mangle)]
pub extern "C" fn gss_duplicate_oid(
    minor_status: Out<OmUint32>,
    src_oid: In<OidDesc>,
    dest_oid: Out<StaticOid>,
) -> OmUint32 {
    dest_oid.set(ptr::null());
    boundary(minor_status, || {
        dest_oid.require()?;
        if let Some(oid) = src_oid.identifier()? {
            dest_oid.set(interned(&oid));
        }
        Ok(COMPLETE)
    })
}

/// A copy of a set; none for none.
#[unsafe(no_mangle)]
pub extern "C" fn gss_duplicate_oid_set(
    minor_status: Out<OmUint32>,
    src: In<OidSetDesc>,
    dest: Out<OidSet>,
) -> OmUint32 {
    dest.set(ptr::null_mut());
    boundary(minor_status, || {
        dest.require()?;
        if let Some(members) = src.identifiers()? {
            dest.give(&members)?;
        }
        Ok(COMPLETE)
    })
}

/// The mechanisms that have names here: the identifier, the name of its constant, what people call it.
static NAMED: [(Oid, &CStr, &[&str]); 2] = [
    (KRB5_OID, c"GSS_KRB5_MECHANISM", &["Kerberos 5", "krb5"]),
    (SPNEGO_OID, c"GSS_SPNEGO_MECHANISM", &["SPNEGO"]),
];

/// The mechanism that people call so, whatever the case; a beginning will do, if it is that of one mechanism only. Null
/// if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn gss_name_to_oid(name: Text) -> StaticOid {
    named(&name.read().unwrap_or_default()).map_or(ptr::null(), interned)
}

fn named(name: &str) -> Option<&'static Oid> {
    let wanted = name.to_ascii_lowercase();
    let begins = |known: &&str| !wanted.is_empty() && known.to_ascii_lowercase().starts_with(&wanted);
    let mut found = NAMED.iter().filter(|(_, _, names)| names.iter().any(begins));
    match (found.next(), found.next()) {
        (Some((oid, _, _)), None) => Some(oid),
        _ => None,
    }
}

/// The name of the constant that stands for a mechanism; null for what is none.
#[unsafe(no_mangle)]
pub extern "C" fn gss_oid_to_name(oid: In<OidDesc>) -> *const c_char {
    let oid = oid.identifier().ok().flatten();
    let row = NAMED.iter().find(|(known, _, _)| Some(known) == oid.as_ref());
    row.map_or(ptr::null(), |(_, constant, _)| constant.as_ptr())
}

/// What Heimdal counts among a mechanism's attributes beside those of RFC 5587, and gives a value: its names.
struct Naming {
    oid: Oid,
    /// The name of its constant.
    constant: &'static str,
    /// As an attribute.
    short: &'static str,
    long: &'static str,
    /// As an option.
    option: &'static str,
    value: fn(&Mechanism) -> String,
}

/// 1.2.752.43.13.100 to 102.
static NAMINGS: [Naming; 3] = [
    Naming {
        oid: Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x64]),
        constant: "GSS_C_MA_SASL_MECH_NAME",
        short: "SASL mechanism name",
        long: "The name by which SASL calls the mechanism",
        option: "SASL mech name",
        value: Mechanism::sasl_name,
    },
    Naming {
        oid: Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x65]),
        constant: "GSS_C_MA_MECH_NAME",
        short: "GSS mech name",
        long: "The mechanism's short name",
        option: "Mechanism name",
        value: |mechanism| mechanism.name.to_owned(),
    },
    Naming {
        oid: Oid::from_static(&[0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x66]),
        constant: "GSS_C_MA_MECH_DESCRIPTION",
        short: "Mech description",
        long: "One line on the mechanism, for people",
        option: "Mechanism description",
        value: |mechanism| mechanism.description.to_owned(),
    },
];

fn naming(oid: &Oid) -> Option<&'static Naming> {
    NAMINGS.iter().find(|row| row.oid == *oid)
}

/// What a mechanism offers, and what can be said of mechanisms at all (RFC 5587 §3.4.3), its names among both.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_inquire_attrs_for_mech(
    minor_status: Out<OmUint32>,
    mech: In<OidDesc>,
    mech_attrs: Out<OidSet>,
    known_mech_attrs: Out<OidSet>,
) -> OmUint32 {
    mech_attrs.set(ptr::null_mut());
    known_mech_attrs.set(ptr::null_mut());
    boundary(minor_status, || {
        let row = chosen(mech)?;
        let oid = mech.identifier()?.unwrap_or_else(|| row.oid.clone());
        let names = || NAMINGS.iter().map(|row| &row.oid);
        let offered = row.attributes_as(&oid);
        mech_attrs.give(names().chain(&offered))?;
        known_mech_attrs.give(names().chain(attribute::ATTRIBUTES.iter().map(|row| &row.oid)))?;
        Ok(COMPLETE)
    })
}

/// What an attribute means (RFC 5587 §3.4.4), a mechanism's names among them.
#[unsafe(no_mangle)]
pub extern "C" fn heimdal_gss_display_mech_attr(
    minor_status: Out<OmUint32>,
    mech_attr: In<OidDesc>,
    name: Out<GssBuffer>,
    short_desc: Out<GssBuffer>,
    long_desc: Out<GssBuffer>,
) -> OmUint32 {
    let Some(row) = mech_attr.identifier().ok().flatten().and_then(|oid| naming(&oid)) else {
        return gss_display_mech_attr(minor_status, mech_attr, name, short_desc, long_desc);
    };
    let places = [name, short_desc, long_desc];
    places.iter().for_each(|place| place.set(GssBuffer::EMPTY));
    boundary(minor_status, || {
        for (place, text) in places.into_iter().zip([row.constant, row.short, row.long]) {
            place.give(text.as_bytes())?;
        }
        Ok(COMPLETE)
    })
}

/// An option of a mechanism: its name, and its value if it has one. `None` if the mechanism has no such option.
fn option(mechanism: &Mechanism, option: &Oid) -> Option<(&'static str, Option<String>)> {
    if let Some(row) = naming(option) {
        return Some((row.option, Some((row.value)(mechanism))));
    }
    mechanism.attributes.contains(option).then_some((attribute::find(option)?.short, None))
}

/// A mechanism and an option of it, as a caller names both.
fn asked(
    mechanism: In<OidDesc>,
    wanted: In<OidDesc>,
) -> Result<Option<(&'static str, Option<String>)>, Failed> {
    let mechanism = mechanism::find(&given(mechanism)?)
        .ok_or_else(|| Failed::plain(Major::BadMechanism, "there is no such mechanism"))?;
    Ok(option(mechanism, &given(wanted)?))
}

fn no_option() -> Failed {
    Failed::plain(Major::Unavailable, "the mechanism has no such option, or it has no value")
}

fn as_int(status: OmUint32) -> i32 {
    status.cast_signed()
}

/// Sets an option of a mechanism. None can be set: what they tell is so.
#[unsafe(no_mangle)]
pub extern "C" fn gss_mo_set(
    mech: In<OidDesc>,
    wanted: In<OidDesc>,
    _enable: i32,
    _value: In<GssBuffer>,
) -> i32 {
    as_int(without_minor(|| {
        asked(mech, wanted)?;
        Err(no_option())
    }))
}

/// The value of a mechanism's option.
#[unsafe(no_mangle)]
pub extern "C" fn gss_mo_get(mech: In<OidDesc>, wanted: In<OidDesc>, value: Out<GssBuffer>) -> i32 {
    value.set(GssBuffer::EMPTY);
    as_int(without_minor(|| {
        value.require()?;
        let (_, text) = asked(mech, wanted)?.ok_or_else(no_option)?;
        value.give(text.ok_or_else(no_option)?.as_bytes())?;
        Ok(COMPLETE)
    }))
}

/// The options of a mechanism: its names, and what can be said of it (RFC 5587). Null if there is no such mechanism.
#[unsafe(no_mangle)]
pub extern "C" fn gss_mo_list(mech: In<OidDesc>, options: Out<OidSet>) {
    options.set(ptr::null_mut());
    let found = mech.identifier().ok().flatten().and_then(|oid| mechanism::find(&oid));
    if let Some(mechanism) = found {
        // Without memory null stays there.
        let _ = options.give(NAMINGS.iter().map(|row| &row.oid).chain(mechanism.attributes));
    }
}

/// The name of a mechanism's option.
#[unsafe(no_mangle)]
pub extern "C" fn gss_mo_name(mech: In<OidDesc>, wanted: In<OidDesc>, name: Out<GssBuffer>) -> OmUint32 {
    name.set(GssBuffer::EMPTY);
    without_minor(|| {
        name.require()?;
        let unknown = || Failed::plain(Major::BadName, "the mechanism has no such option");
        name.give(asked(mech, wanted)?.ok_or_else(unknown)?.0.as_bytes())?;
        Ok(COMPLETE)
    })
}

/// Makes what a minor status says the latest that this thread knows of it, so that it can be displayed after other calls.
#[unsafe(no_mangle)]
pub extern "C" fn gss_mg_collect_error(_mech: In<OidDesc>, _major: OmUint32, minor: OmUint32) {
    if minor != 0 {
        recall(minor);
    }
}

/// `GSS_C_ATTR_STREAM_SIZES`.
const STREAM_SIZES: Oid = Oid::from_static(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 1, 3]);

/// How much room a sealed message of a context needs beside its data (`GSS_C_ATTR_STREAM_SIZES`).
#[unsafe(no_mangle)]
pub extern "C" fn gss_context_query_attributes(
    minor_status: Out<OmUint32>,
    context_handle: Handle,
    wanted: In<OidDesc>,
    data: Out<StreamSizes>,
    len: usize,
) -> OmUint32 {
    boundary(minor_status, || {
        data.require()?;
        if given(wanted)? != STREAM_SIZES {
            return Err(Failed::plain(Major::Failure, "contexts have no such attribute"));
        }
        if len < size_of::<StreamSizes>() {
            return Err(Failed::call(BAD_STRUCTURE));
        }
        let lengths = context(context_handle)?.piece_lengths(true, true);
        data.set(StreamSizes {
            header: lengths.header,
            trailer: lengths.trailer,
            // Of a message in pieces: no length has a limit below that of the numbers that C programs give.
            max_msg_size: usize::try_from(i32::MAX).unwrap_or(usize::MAX),
            buffers: 0,
            blocksize: lengths.padding,
        });
        Ok(COMPLETE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mechanism_is_found_by_the_beginning_of_its_name_and_by_nothing_else() {
        for name in ["Kerberos 5", "kerberos", "k", "krb5"] {
            assert_eq!(named(name), Some(&KRB5_OID), "{name}");
        }
        assert_eq!(named("SPN"), Some(&SPNEGO_OID));
        for name in ["", "NTLM", "Kerberos 5 ", "1.2.840.113554.1.2.2"] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn every_mechanism_with_a_name_is_one_and_its_options_have_names() {
        for (oid, _, _) in &NAMED {
            let mechanism = mechanism::find(oid).unwrap();
            let [sasl, ..] = &NAMINGS;
            assert_eq!(option(mechanism, &sasl.oid).unwrap().1, Some(mechanism.sasl_name()));
            for attribute in mechanism.attributes {
                assert_eq!(option(mechanism, attribute).unwrap().1, None);
            }
            assert!(option(mechanism, &KRB5_OID).is_none());
        }
    }
}
