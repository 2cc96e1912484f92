//! What Heimdal's face has or means otherwise, as C calls it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::ffi::CStr;
use std::ptr;

use common::*;
use orthros::mechanism::{KRB5_OID, SPNEGO_OID};
use orthros_capi::abi::{GssBuffer, Handle, Keyblock, OidSetDesc, StreamSizes};
use orthros_capi::calls::{
    buffers::*, heimdal::*, heimdal_krb5::*, krb5::*, oids::*, private::*, statuses::*,
};
use orthros_capi::memory::OidSet;
use orthros_capi::oids::StaticOid;
use orthros_capi::status::{BAD_STRUCTURE, COMPLETE};
use orthros_wire::Oid;

const FAILURE: u32 = 0x000d_0000;
const UNAVAILABLE: i32 = 0x0010_0000;

/// What is in a keyblock, which is freed as `krb5_free_keyblock` does it.
fn key(block: *mut Keyblock) -> (i32, Vec<u8>) {
    // SAFETY: a block that a call has made.
    let made = unsafe { block.read() };
    let octets = content(GssBuffer { length: made.length, value: made.data });
    // SAFETY: both came from the process's allocator and are freed once.
    unsafe { libc::free(made.data) };
    // SAFETY: as above.
    unsafe { libc::free(block.cast()) };
    (made.kind, octets)
}

#[test]
fn both_ends_tell_the_same_keys_flags_and_times() {
    let ends = establish(None, USUAL);
    let mut told = Vec::new();
    for end in [ends.here, ends.there] {
        let (mut minor, mut subkey, mut first) = (0, ptr::null_mut(), ptr::null_mut());
        assert_eq!(gsskrb5_get_subkey(out(&mut minor), end, out(&mut subkey)), COMPLETE);
        assert_eq!(gsskrb5_get_initiator_subkey(out(&mut minor), end, out(&mut first)), COMPLETE);
        let (subkey, first) = (key(subkey), key(first));
        assert_eq!((subkey.0, subkey.1.len()), (first.0, first.1.len()));
        assert_ne!(subkey, first, "the acceptor has chosen a key of its own");
        let (mut ours, mut mits, mut time, mut short) = (0, 0, 0, 0);
        assert_eq!(heimdal_gss_krb5_get_tkt_flags(out(&mut minor), end, out(&mut ours)), COMPLETE);
        assert_eq!(gss_krb5_get_tkt_flags(out(&mut minor), end, out(&mut mits)), COMPLETE);
        assert_eq!(
            ours,
            mits.reverse_bits(),
            "Heimdal counts from the lowest bit, MIT krb5 from the highest"
        );
        let major = heimdal_gsskrb5_extract_authtime_from_sec_context(out(&mut minor), end, out(&mut time));
        assert_eq!(major, COMPLETE);
        gsskrb5_extract_authtime_from_sec_context(out(&mut minor), end, out(&mut short));
        assert_eq!(time, i64::from(short.cast_unsigned()));
        told.push((subkey, first, ours, time));
        delete(end);
        let mut none = ptr::dangling_mut();
        assert_eq!(gsskrb5_get_subkey(out(&mut minor), end, out(&mut none)), NO_CONTEXT);
        assert!(none.is_null());
    }
    assert_eq!(told[0], told[1]);
}

#[test]
fn the_sizes_of_a_stream_are_those_of_its_messages() {
    let sizes_asked: Oid = "1.2.840.113554.1.2.1.3".parse().unwrap();
    let ends = establish(None, USUAL);
    let (mut minor, mut sizes) = (0, StreamSizes::default());
    let ask = |minor: &mut u32, asked: &Oid, sizes: &mut StreamSizes, length| {
        gss_context_query_attributes(out(minor), ends.here, oid(asked), out(sizes), length)
    };
    assert_eq!(ask(&mut minor, &sizes_asked, &mut sizes, size_of::<StreamSizes>() - 1), BAD_STRUCTURE);
    assert_eq!(ask(&mut minor, &KRB5_OID, &mut sizes, size_of::<StreamSizes>()), FAILURE);
    assert_eq!(sizes.header, 0);
    assert_eq!(ask(&mut minor, &sizes_asked, &mut sizes, size_of::<StreamSizes>()), COMPLETE);
    assert!(sizes.header > 16 && sizes.trailer > 16 && sizes.max_msg_size > 1 << 20, "{sizes:?}");
    delete(ends.here);
    delete(ends.there);
}

#[test]
fn identifiers_are_copied_shown_and_named() {
    let (mut minor, mut shown, mut copy): (_, _, StaticOid) = (0, GssBuffer::EMPTY, ptr::null());
    assert_eq!(heimdal_gss_oid_to_str(out(&mut minor), oid(&KRB5_OID), out(&mut shown)), COMPLETE);
    assert_eq!(taken(shown), b"1 2 840 113554 1 2 2");
    assert_eq!(heimdal_gss_oid_to_str(out(&mut minor), nothing(), out(&mut shown)), FAILURE);
    assert_eq!(gss_duplicate_oid(out(&mut minor), oid(&SPNEGO_OID), out(&mut copy)), COMPLETE);
    // SAFETY: what the call hands out lives as long as the process.
    assert_eq!(gss_oid_equal(unsafe { orthros_capi::pointers::In::new(copy) }, oid(&SPNEGO_OID)), 1);
    assert_eq!(gss_release_oid(out(&mut minor), out(&mut copy)), COMPLETE);
    assert_eq!(gss_duplicate_oid(out(&mut minor), nothing(), out(&mut copy)), COMPLETE);
    assert!(copy.is_null());
    assert_eq!(gss_name_to_oid(no_text()), ptr::null());
    let found = gss_name_to_oid(text(c"kerberos"));
    // SAFETY: as above.
    let constant = gss_oid_to_name(unsafe { orthros_capi::pointers::In::new(found) });
    // SAFETY: a C string of the library's.
    assert_eq!(unsafe { CStr::from_ptr(constant) }, c"GSS_KRB5_MECHANISM");
}

#[test]
fn a_set_is_copied_and_the_options_of_a_mechanism_are_told() {
    let (mut minor, mut set, mut copy): (u32, OidSet, OidSet) = (0, ptr::null_mut(), ptr::null_mut());
    gss_mo_list(oid(&KRB5_OID), out(&mut set));
    // SAFETY: a set that the call has made.
    let given = unsafe { set.read() };
    assert_eq!(gss_duplicate_oid_set(out(&mut minor), lend::<OidSetDesc>(&given), out(&mut copy)), COMPLETE);
    // SAFETY: as above.
    assert_eq!(unsafe { copy.read() }.count, given.count);
    for mut made in [set, copy] {
        assert_eq!(gss_release_oid_set(out(&mut minor), out(&mut made)), COMPLETE);
    }
    let sasl: Oid = "1.2.752.43.13.100".parse().unwrap();
    let (mut name, mut value) = (GssBuffer::EMPTY, GssBuffer::EMPTY);
    assert_eq!(gss_mo_name(oid(&KRB5_OID), oid(&sasl), out(&mut name)), COMPLETE);
    assert_eq!(gss_mo_get(oid(&KRB5_OID), oid(&sasl), out(&mut value)), 0);
    assert_eq!((taken(name), taken(value)), (b"SASL mech name".to_vec(), b"GS2-KRB5".to_vec()));
    assert_eq!(gss_mo_set(oid(&KRB5_OID), oid(&sasl), 1, nothing()), UNAVAILABLE);
    assert_eq!(gss_mo_get(oid(&KRB5_OID), oid(&KRB5_OID), out(&mut value)), UNAVAILABLE);
    let (mut set, mut known): (OidSet, OidSet) = (ptr::null_mut(), ptr::null_mut());
    heimdal_gss_inquire_attrs_for_mech(out(&mut minor), oid(&KRB5_OID), out(&mut set), out(&mut known));
    for (mut made, least) in [(set, 14), (known, 30)] {
        // SAFETY: as above.
        assert!(unsafe { made.read() }.count >= least);
        assert_eq!(gss_release_oid_set(out(&mut minor), out(&mut made)), COMPLETE);
    }
    for (asked, constant) in
        [("1.2.752.43.13.100", "GSS_C_MA_SASL_MECH_NAME"), ("1.3.6.1.5.5.13.19", "GSS_C_MA_MIC")]
    {
        let asked: Oid = asked.parse().unwrap();
        let (mut minor, mut name) = (0, GssBuffer::EMPTY);
        let major =
            heimdal_gss_display_mech_attr(out(&mut minor), oid(&asked), out(&mut name), nowhere(), nowhere());
        assert_eq!((major, taken(name)), (COMPLETE, constant.as_bytes().to_vec()));
    }
    let unknown: Oid = "1.2.3".parse().unwrap();
    assert_eq!(gss_mo_get(oid(&unknown), oid(&sasl), out(&mut value)), 0x0001_0000);
}

#[test]
fn a_collected_error_is_told_after_others() {
    let mut text = GssBuffer::EMPTY;
    gss_mg_collect_error(nothing(), FAILURE, 2);
    assert_eq!(gss_display_status(out(&mut 0), 2, 2, nothing(), out(&mut 0), out(&mut text)), COMPLETE);
    assert!(String::from_utf8(taken(text)).unwrap().contains("No such file"));
}

#[test]
fn no_function_without_its_meaning_answers_success() {
    let (mut minor, mut size, mut length, mut pad) = (0, 7, 7_usize, 7_u16);
    let (none, mut key) = (ptr::null(), ptr::dangling_mut());
    let unavailable = UNAVAILABLE.cast_unsigned();
    assert_eq!(_gssapi_wrap_size_cfx(out(&mut minor), none, none, 1, 0, 100, out(&mut size)), unavailable);
    assert_eq!((minor, size), (libc::EINVAL.unsigned_abs(), 0));
    assert_eq!(gsskrb5_extract_service_keyblock(out(&mut minor), Handle::NONE, out(&mut key)), unavailable);
    assert!(key.is_null());
    assert_eq!(gsskrb5_set_send_to_kdc(none), unavailable);
    let (long, padded) = (out(&mut length), out(&mut pad));
    assert_eq!(_gsskrb5cfx_wrap_length_cfx(none, none, 1, 0, 100, long, nowhere(), padded), libc::EINVAL);
    assert_eq!((length, pad), (0, 0));
}
