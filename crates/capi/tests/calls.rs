//! The calls as C makes them: whole contexts against the embedded KDC, and arguments that are null, dead or wild.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::ptr;

use common::*;
use orthros::mechanism::{IAKERB_OID, KRB5_OID, SPNEGO_OID};
use orthros_capi::abi::{GssBuffer, Handle, IovBuffer};
use orthros_capi::calls::{
    attributes::*, buffers::*, contexts::*, credentials::*, elements::*, established::*, krb5::*, local::*,
    mechanisms::*, messages::*, names::*, oids::*, pieces::*, statuses::*, stores::*, transfer::*,
};
use orthros_capi::pieces::Iov;
use orthros_capi::pointers::{In, Out};
use orthros_capi::status::{CALL_INACCESSIBLE_READ, CALL_INACCESSIBLE_WRITE, COMPLETE};
use orthros_wire::Oid;

const TRANSFERABLE: u32 = 0x100;

#[test]
fn a_context_comes_up_by_default_by_kerberos_and_by_negotiation_and_protects() {
    for mechanism in [None, Some(&KRB5_OID), Some(&SPNEGO_OID)] {
        let ends = establish(mechanism, USUAL);
        for flags in [ends.flags.0, ends.flags.1] {
            assert_eq!(flags & (USUAL | TRANSFERABLE), USUAL | TRANSFERABLE, "{flags:x}");
        }
        speak(ends.here, ends.there, b"there");
        speak(ends.there, ends.here, b"back");
        let (mut minor, mut limit) = (0, 0);
        assert_eq!(gss_wrap_size_limit(out(&mut minor), ends.here, 1, 0, 1000, out(&mut limit)), COMPLETE);
        assert!((900..1000).contains(&limit));
        delete(ends.here);
        delete(ends.there);
    }
}

#[test]
fn an_exported_context_is_dead_here_and_lives_where_it_is_imported_once() {
    let mut ends = establish(None, USUAL);
    let copy = ends.there;
    let (mut minor, mut token) = (0, GssBuffer::EMPTY);
    let major = gss_export_sec_context(out(&mut minor), out(&mut ends.there), out(&mut token));
    assert_eq!((major, ends.there), (COMPLETE, Handle::NONE), "{}", story(minor));
    let token = taken(token);
    let (mut again, mut empty) = (copy, GssBuffer::EMPTY);
    assert_eq!(gss_export_sec_context(out(&mut minor), out(&mut again), out(&mut empty)), NO_CONTEXT);
    assert_eq!((again, empty.length), (copy, 0));
    let x = buffer(b"x");
    assert_eq!(gss_wrap(out(&mut minor), copy, 1, 0, lend(&x), nowhere(), out(&mut empty)), NO_CONTEXT);
    let mut moved = Handle::NONE;
    assert_eq!(gss_import_sec_context(out(&mut minor), lend(&buffer(&token)), out(&mut moved)), COMPLETE);
    speak(ends.here, moved, b"as if nothing had happened");
    let mut second = Handle::NONE;
    let major = gss_import_sec_context(out(&mut minor), lend(&buffer(&token)), out(&mut second));
    assert!(major != COMPLETE && second == Handle::NONE);
    assert!(story(minor).contains("spent"), "{}", story(minor));
    delete(ends.here);
    delete(moved);
}

#[test]
fn what_is_null_dead_or_wild_is_answered_on_every_call() {
    world();
    let mut minor = 0;
    let stack = 7_u64;
    for handle in [0, 1, 2, 3, usize::MAX, (&raw const stack).addr()].map(Handle) {
        let (mut text, mut number, mut again) = (GssBuffer::EMPTY, 0, handle);
        let some = buffer(b"some octets");
        let no_context = [
            gss_wrap(out(&mut minor), handle, 1, 0, lend(&some), nowhere(), out(&mut text)),
            gss_unwrap(out(&mut minor), handle, lend(&some), out(&mut text), nowhere(), nowhere()),
            gss_get_mic(out(&mut minor), handle, 0, lend(&some), out(&mut text)),
            gss_verify_mic(out(&mut minor), handle, lend(&some), lend(&some), nowhere()),
            gss_context_time(out(&mut minor), handle, out(&mut number)),
            gss_wrap_size_limit(out(&mut minor), handle, 1, 0, 9, out(&mut number)),
            gss_process_context_token(out(&mut minor), handle, lend(&some)),
            gss_export_sec_context(out(&mut minor), out(&mut again), out(&mut text)),
        ];
        assert_eq!(no_context, [NO_CONTEXT; 8], "{handle:?}");
        assert_eq!(gss_display_name(out(&mut minor), handle, out(&mut text), nowhere()), BAD_NAME);
        if handle != Handle::NONE {
            let known = gss_inquire_cred(out(&mut minor), handle, nowhere(), nowhere(), nowhere(), nowhere());
            assert_eq!(known, NO_CREDENTIAL, "{handle:?}");
            assert_eq!(gss_delete_sec_context(out(&mut minor), out(&mut again), nowhere()), NO_CONTEXT);
        }
    }
    let mut name = Handle::NONE;
    assert_eq!(gss_import_name(nowhere(), nothing(), nothing(), out(&mut name)), CALL_INACCESSIBLE_WRITE);
    assert_eq!(
        gss_import_name(out(&mut minor), nothing(), nothing(), out(&mut name)),
        CALL_INACCESSIBLE_READ
    );
    let foreign: Oid = "1.2.3.4".parse().unwrap();
    let major = gss_import_name(out(&mut minor), lend(&buffer(b"x")), oid(&foreign), out(&mut name));
    assert_eq!((major, name), (0x0003_0000, Handle::NONE), "GSS_S_BAD_NAMETYPE");
    let mut dead = imported("alice\0", USER);
    let mut shown = GssBuffer::EMPTY;
    assert_eq!(gss_display_name(out(&mut minor), dead, out(&mut shown), nowhere()), COMPLETE);
    assert_eq!(taken(shown), b"alice", "the zero of a C string was counted in");
    let mut copy = dead;
    assert_eq!(gss_release_name(out(&mut minor), out(&mut dead)), COMPLETE);
    assert_eq!(gss_release_name(out(&mut minor), out(&mut copy)), BAD_NAME, "a second release of a copy");
    assert_eq!(gss_release_name(out(&mut minor), out(&mut dead)), COMPLETE, "nothing is no fault");
}

#[test]
fn a_failed_first_call_leaves_no_handle_and_a_failed_later_one_can_be_deleted() {
    world();
    let (mut minor, mut context, mut token) = (0, Handle::NONE, GssBuffer::EMPTY);
    let accept = |context: &mut Handle, token: &mut GssBuffer, octets: &[u8]| {
        gss_accept_sec_context(
            out(&mut 0),
            out(context),
            Handle::NONE,
            lend(&buffer(octets)),
            nothing(),
            nowhere(),
            nowhere(),
            out(token),
            nowhere(),
            nowhere(),
            nowhere(),
        )
    };
    assert_eq!(accept(&mut context, &mut token, b"no token at all"), 0x0009_0000);
    assert_eq!((context, token.length), (Handle::NONE, 0));
    let (major, request) = initiate(&mut context, b"");
    assert_eq!(major, 1);
    assert_eq!(accept(&mut context, &mut token, &request), NO_CONTEXT, "the other role's");
    let (major, _) = initiate(&mut context, b"no answer at all");
    assert_eq!(major, 0x0009_0000);
    assert_eq!(initiate(&mut context, b"again").0, NO_CONTEXT);
    assert_eq!(gss_delete_sec_context(out(&mut minor), out(&mut context), nowhere()), COMPLETE);
}

#[test]
fn credentials_tell_whose_they_are_and_foreign_ones_are_not_there() {
    world();
    let host = imported("host@localhost", HOST_BASED);
    // Whoever accepts for all of the keytab goes by its first key.
    let rows = [(1, Handle::NONE, "alice@TEST"), (2, host, "host/localhost@TEST")];
    for (usage, wanted, text) in rows.into_iter().chain([(2, Handle::NONE, "host/localhost@TEST")]) {
        let (mut minor, mut handle, mut name, mut time) = (0, Handle::NONE, Handle::NONE, 0);
        let (made, time_rec) = (out(&mut handle), out(&mut time));
        let major = gss_acquire_cred(out(&mut minor), wanted, 0, nothing(), usage, made, nowhere(), time_rec);
        assert_eq!(major, COMPLETE, "{}", story(minor));
        assert!(time > 3000);
        let mut told = 9;
        let major =
            gss_inquire_cred(out(&mut minor), handle, out(&mut name), nowhere(), out(&mut told), nowhere());
        assert_eq!((major, told), (COMPLETE, usage));
        let mut shown = GssBuffer::EMPTY;
        assert_eq!(gss_display_name(out(&mut minor), name, out(&mut shown), nowhere()), COMPLETE);
        assert_eq!(taken(shown), text.as_bytes());
        let mut copy = handle;
        assert_eq!(gss_release_cred(out(&mut minor), out(&mut handle)), COMPLETE);
        assert_eq!(gss_release_cred(out(&mut minor), out(&mut copy)), NO_CREDENTIAL);
    }
    let (mut minor, mut handle) = (0, Handle::NONE);
    let (bob, made) = (imported("bob@TEST", USER), out(&mut handle));
    let major = gss_acquire_cred(out(&mut minor), bob, 0, nothing(), 1, made, nowhere(), nowhere());
    assert_eq!((major, handle), (NO_CREDENTIAL, Handle::NONE));
    assert!(story(minor).contains("bob@TEST"), "{}", story(minor));
}

#[test]
fn a_status_is_told_in_sentences() {
    let (mut minor, mut place, mut text) = (0, 0, GssBuffer::EMPTY);
    for (sentence, next) in [("The integrity check failed", 1), ("The token was seen before", 0)] {
        let (context, string) = (out(&mut place), out(&mut text));
        assert_eq!(gss_display_status(out(&mut minor), 0x0006_0002, 1, nothing(), context, string), COMPLETE);
        assert_eq!((taken(text), place), (sentence.as_bytes().to_vec(), next));
    }
    let (context, string) = (out(&mut place), out(&mut text));
    assert_eq!(gss_display_status(out(&mut minor), 0x10, 1, nothing(), context, string), COMPLETE);
    assert_eq!(taken(text), b"An expected per-message token was not received");
    for (status, kind) in [(0x00ff_0000, 1), (0x0400_0000, 1), (0x20, 1), (0, 3)] {
        let (context, string) = (out(&mut place), out(&mut text));
        let major = gss_display_status(out(&mut minor), status, kind, nothing(), context, string);
        assert_eq!((major, text.length), (0x0005_0000, 0));
    }
}

#[test]
fn a_pointer_to_a_principal_needs_a_pointer_and_a_libkrb5() {
    let (mut minor, mut name) = (0, Handle::NONE);
    let by_pointer = "1.2.840.113554.1.2.2.2".parse().unwrap();
    // Text, a null pointer, and what would be a principal if this process had a libkrb5.
    for octets in [&b"alice"[..], &[0; size_of::<usize>()], &1_usize.to_ne_bytes()] {
        let major = gss_import_name(out(&mut minor), lend(&buffer(octets)), oid(&by_pointer), out(&mut name));
        assert_eq!((major, name), (0x000d_0000, Handle::NONE), "{octets:?}");
    }
}

#[test]
fn a_set_has_each_member_once() {
    let (mut minor, mut set, mut present) = (0, ptr::null_mut(), 0);
    assert_eq!(gss_create_empty_oid_set(out(&mut minor), out(&mut set)), COMPLETE);
    let first = set;
    for member in [&KRB5_OID, &SPNEGO_OID, &KRB5_OID] {
        assert_eq!(gss_add_oid_set_member(out(&mut minor), oid(member), out(&mut set)), COMPLETE);
    }
    // Programs keep the set itself, to release it by that.
    assert_eq!(set, first);
    // SAFETY: the set that the calls have made.
    assert_eq!(unsafe { (*set).count }, 2);
    for (member, there) in [(&KRB5_OID, 1), (&"1.2.3".parse().unwrap(), 0)] {
        // SAFETY: as above.
        let lent = unsafe { In::new(set.cast_const()) };
        assert_eq!(gss_test_oid_set_member(out(&mut minor), oid(member), lent, out(&mut present)), COMPLETE);
        assert_eq!(present, there);
    }
    assert_eq!(gss_release_oid_set(out(&mut minor), out(&mut set)), COMPLETE);
    assert!(set.is_null());
}

#[test]
fn an_identifier_is_text_and_back_and_a_frame_is_of_one_mechanism() {
    let (mut minor, mut text, mut again) = (0, GssBuffer::EMPTY, ptr::null());
    assert_eq!(gss_oid_to_str(out(&mut minor), oid(&KRB5_OID), out(&mut text)), COMPLETE);
    let text = taken(text);
    assert_eq!(text, b"{ 1 2 840 113554 1 2 2 }\0");
    for text in [&text[..], b"1.2.840.113554.1.2.2", b"{1 2 840 113554 1 2 2}"] {
        assert_eq!(gss_str_to_oid(out(&mut minor), lend(&buffer(text)), out(&mut again)), COMPLETE);
        // SAFETY: an identifier in static memory.
        let again = unsafe { In::new(again) };
        assert_eq!((gss_oid_equal(oid(&KRB5_OID), again), gss_oid_equal(oid(&SPNEGO_OID), again)), (1, 0));
    }
    assert_ne!(gss_str_to_oid(out(&mut minor), lend(&buffer(b"{ 1 x }")), out(&mut again)), COMPLETE);
    assert_eq!(gss_oid_equal(nothing(), nothing()), 0);
    let (mut framed, mut inner) = (GssBuffer::EMPTY, GssBuffer::EMPTY);
    assert_eq!(gss_encapsulate_token(lend(&buffer(b"inner")), oid(&KRB5_OID), out(&mut framed)), COMPLETE);
    let framed = taken(framed);
    assert_eq!(gss_decapsulate_token(lend(&buffer(&framed)), oid(&KRB5_OID), out(&mut inner)), COMPLETE);
    assert_eq!(taken(inner), b"inner");
    for (token, mechanism) in [(&framed[..], &SPNEGO_OID), (&framed[1..], &KRB5_OID)] {
        let major = gss_decapsulate_token(lend(&buffer(token)), oid(mechanism), out(&mut inner));
        assert_eq!((major, inner.length), (0x0009_0000, 0));
    }
}

#[test]
fn mechanisms_tell_what_they_are() {
    let (mut minor, mut set, mut name) = (0, ptr::null_mut(), GssBuffer::EMPTY);
    for (mechanism, sasl) in [(&KRB5_OID, "GS2-KRB5"), (&IAKERB_OID, "GS2-IAKERB"), (&SPNEGO_OID, "SPNEGO")] {
        let place = out(&mut name);
        let major =
            gss_inquire_saslname_for_mech(out(&mut minor), oid(mechanism), place, nowhere(), nowhere());
        assert_eq!((major, taken(name)), (COMPLETE, sasl.as_bytes().to_vec()));
        assert_eq!(gss_inquire_names_for_mech(out(&mut minor), oid(mechanism), out(&mut set)), COMPLETE);
        assert_eq!(gss_release_oid_set(out(&mut minor), out(&mut set)), COMPLETE);
    }
    let foreign: Oid = "1.2.3.4".parse().unwrap();
    assert_eq!(gss_inquire_names_for_mech(out(&mut minor), oid(&foreign), out(&mut set)), 0x0001_0000);
    let place = out(&mut name);
    let major = gss_display_mech_attr(out(&mut minor), oid(&foreign), place, nowhere(), nowhere());
    assert_eq!(major, 0x0013_0000, "GSS_S_BAD_MECH_ATTR");
    assert_eq!(gss_indicate_mechs(out(&mut minor), out(&mut set)), COMPLETE);
    // SAFETY: the set that the call has made.
    assert_eq!(unsafe { (*set).count }, 3);
    assert_eq!(gss_release_oid_set(out(&mut minor), out(&mut set)), COMPLETE);
}

#[test]
fn a_set_of_buffers_grows_and_is_released() {
    let (mut minor, mut set) = (0, ptr::null_mut());
    for octets in [&b"first"[..], b"", b"third"] {
        assert_eq!(
            gss_add_buffer_set_member(out(&mut minor), lend(&buffer(octets)), out(&mut set)),
            COMPLETE
        );
    }
    assert_eq!(members(set), [&b"first"[..], b"", b"third"]);
    assert_eq!(gss_release_buffer_set(out(&mut minor), out(&mut set)), COMPLETE);
    assert!(set.is_null());
    assert_eq!(gss_release_buffer_set(out(&mut minor), out(&mut set)), COMPLETE, "nothing is no fault");
    assert_eq!(gss_create_empty_buffer_set(out(&mut minor), out(&mut set)), COMPLETE);
    assert!(members(set).is_empty());
    assert_eq!(gss_release_buffer_set(out(&mut minor), out(&mut set)), COMPLETE);
}

#[test]
fn a_context_answers_by_identifier_and_has_no_options() {
    let ends = establish(None, USUAL);
    let (mut minor, mut set, mut flags, mut authtime) = (0, ptr::null_mut(), 0, 0);
    let strength: Oid = "1.2.840.113554.1.2.2.5.15".parse().unwrap();
    let ask = gss_inquire_sec_context_by_oid(out(&mut minor), ends.here, oid(&strength), out(&mut set));
    assert_eq!((ask, members(set)), (COMPLETE, vec![256_u32.to_be_bytes().to_vec()]));
    assert_eq!(gss_release_buffer_set(out(&mut minor), out(&mut set)), COMPLETE);
    let foreign: Oid = "1.2.3.4".parse().unwrap();
    let ask = gss_inquire_sec_context_by_oid(out(&mut minor), ends.here, oid(&foreign), out(&mut set));
    assert!(ask == 0x0010_0000 && set.is_null(), "GSS_S_UNAVAILABLE");
    let mut context = ends.here;
    let answer = gss_set_sec_context_option(out(&mut minor), out(&mut context), oid(&foreign), nothing());
    assert_eq!((answer, context), (0x0010_0000, ends.here));
    assert_eq!(gss_krb5_get_tkt_flags(out(&mut minor), ends.there, out(&mut flags)), COMPLETE);
    assert_ne!(flags, 0);
    let asked = gsskrb5_extract_authtime_from_sec_context(out(&mut minor), ends.there, out(&mut authtime));
    assert!(asked == COMPLETE && authtime > 1_700_000_000);
    let mut data = GssBuffer::EMPTY;
    let asked = gsskrb5_extract_authz_data_from_sec_context(out(&mut minor), ends.there, 77, out(&mut data));
    assert_eq!((asked, data.length), (0x000d_0000, 0));
    let (mut source, mut mine, mut open) = (Handle::NONE, 9, 0);
    let asked = gss_inquire_context(
        out(&mut minor),
        ends.here,
        out(&mut source),
        nowhere(),
        nowhere(),
        nowhere(),
        nowhere(),
        out(&mut mine),
        out(&mut open),
    );
    assert_eq!((asked, mine, open), (COMPLETE, 1, 1));
    let (mut is_mn, mut mechanism, mut attributes) = (0, ptr::null(), ptr::null_mut());
    let place = out(&mut attributes);
    let asked = gss_inquire_name(out(&mut minor), source, out(&mut is_mn), out(&mut mechanism), place);
    assert!(asked == COMPLETE && is_mn == 1 && !mechanism.is_null() && attributes.is_null());
    assert_eq!(gss_delete_name_attribute(out(&mut minor), source, nothing()), 0x0100_0000);
    let (mut plain, mut composite) = (GssBuffer::EMPTY, GssBuffer::EMPTY);
    assert_eq!(gss_export_name(out(&mut minor), source, out(&mut plain)), COMPLETE);
    assert_eq!(gss_export_name_composite(out(&mut minor), source, out(&mut composite)), COMPLETE);
    // The other form, and no attributes.
    let mut whole = taken(plain);
    whole[1] = 2;
    whole.extend([0; 4]);
    assert_eq!(taken(composite), whole);
    let mut local = GssBuffer::EMPTY;
    assert_eq!(
        gss_localname(out(&mut minor), source, nothing(), out(&mut local)),
        COMPLETE,
        "{}",
        story(minor)
    );
    assert_eq!(taken(local), b"alice");
    assert_eq!(gss_userok(source, text(c"nobody-of-this-name")), 0);
    delete(ends.here);
    delete(ends.there);
}

#[test]
fn a_password_brings_a_credential_that_is_stored_exported_and_used_from_where_it_lies() {
    world();
    let (mut minor, mut alice, mut again) = (0, Handle::NONE, Handle::NONE);
    let name = imported("alice", USER);
    let with = |password: &[u8], made: &mut Handle| {
        let (lent, made) = (buffer(password), out(made));
        gss_acquire_cred_with_password(
            out(&mut 0),
            name,
            lend(&lent),
            0,
            nothing(),
            1,
            made,
            nowhere(),
            nowhere(),
        )
    };
    assert_ne!(with(b"wrong", &mut alice), COMPLETE);
    assert_eq!(alice, Handle::NONE);
    let (short, mut left, lent) = (out(&mut again), 0, buffer(b"pw"));
    let major = gss_acquire_cred_with_password(
        out(&mut 0),
        name,
        lend(&lent),
        600,
        nothing(),
        1,
        short,
        nowhere(),
        out(&mut left),
    );
    assert!(major == COMPLETE && (590..=600).contains(&left), "{major:x} {left}");
    assert_eq!(gss_release_cred(out(&mut 0), short), COMPLETE);
    assert_eq!(with(b"pw", &mut alice), COMPLETE);
    let pair = pair(c"ccache", c"MEMORY:stored");
    let store = store(&pair);
    let put = || {
        let usage = nowhere();
        gss_store_cred_into(out(&mut 0), alice, 1, nothing(), 0, 0, lend(&store), nowhere(), usage)
    };
    assert_eq!(put(), COMPLETE);
    assert_eq!(put(), 0x0011_0000, "GSS_S_DUPLICATE_ELEMENT");
    let made = out(&mut again);
    let major = gss_acquire_cred_from(
        out(&mut minor),
        Handle::NONE,
        0,
        nothing(),
        1,
        lend(&store),
        made,
        nowhere(),
        nowhere(),
    );
    assert_eq!(major, COMPLETE, "{}", story(minor));
    assert_eq!(gss_release_cred(out(&mut minor), out(&mut again)), COMPLETE);
    let mut token = GssBuffer::EMPTY;
    assert_eq!(gss_export_cred(out(&mut minor), alice, out(&mut token)), COMPLETE, "{}", story(minor));
    let token = taken(token);
    assert_eq!(gss_import_cred(out(&mut minor), lend(&buffer(&token)), out(&mut again)), COMPLETE);
    assert_eq!(gss_release_cred(out(&mut minor), out(&mut again)), COMPLETE);
    assert_ne!(gss_import_cred(out(&mut minor), lend(&buffer(&token[1..])), out(&mut again)), COMPLETE);
    // A thread's cache and back.
    let mut before = ptr::null();
    assert_eq!(gss_krb5_ccache_name(out(&mut minor), text(c"MEMORY:none"), out(&mut before)), COMPLETE);
    // SAFETY: the call says that it lives until the next one.
    let default = unsafe { std::ffi::CStr::from_ptr(before) };
    assert_eq!(default.to_bytes(), std::env::var("KRB5CCNAME").unwrap().as_bytes());
    let inquired =
        gss_inquire_cred(out(&mut minor), Handle::NONE, nowhere(), nowhere(), nowhere(), nowhere());
    assert!(inquired == COMPLETE, "what accepts is still there");
    let mut context = Handle::NONE;
    assert_eq!(initiate(&mut context, b"").0, NO_CREDENTIAL, "there is no ticket in that cache");
    assert_eq!(gss_krb5_ccache_name(out(&mut minor), no_text(), out(&mut before)), COMPLETE);
    // SAFETY: the call says that it lives until the next one.
    assert_eq!(unsafe { std::ffi::CStr::from_ptr(before) }, c"MEMORY:none");
    assert_eq!(initiate(&mut context, b"").0, 1);
    delete(context);
}

/// Pieces as C lends them.
fn iov(pieces: &mut [IovBuffer]) -> (Iov, i32) {
    // SAFETY: the pieces outlive the call that they are lent for.
    (unsafe { Iov::new(pieces.as_mut_ptr()) }, i32::try_from(pieces.len()).unwrap())
}

fn piece(kind: u32, octets: &mut [u8]) -> IovBuffer {
    IovBuffer { kind, buffer: GssBuffer { length: octets.len(), value: octets.as_mut_ptr().cast() } }
}

const DATA: u32 = 1;
const STREAM: u32 = 10;
const SIGN_ONLY: u32 = 11;
const ALLOCATE: u32 = 0x1_0000;

fn made(kind: u32) -> IovBuffer {
    IovBuffer { kind: kind | ALLOCATE, buffer: GssBuffer::EMPTY }
}

#[test]
fn a_message_in_pieces_is_opened_in_pieces_and_as_a_stream() {
    let ends = establish(None, USUAL);
    let (mut minor, mut sealed) = (0, 0);
    for stream in [false, true] {
        let (mut text, mut associated) = (b"in pieces".to_vec(), b"signed only".to_vec());
        let mut pieces =
            [made(2), piece(SIGN_ONLY, &mut associated), piece(DATA, &mut text), made(9), made(7)];
        let (lent, count) = iov(&mut pieces);
        let major = gss_wrap_iov(out(&mut minor), ends.here, 1, 0, out(&mut sealed), lent, count);
        assert_eq!((major, sealed), (COMPLETE, 1), "{}", story(minor));
        assert_ne!(text, b"in pieces");
        if stream {
            let part = |place: usize| content(pieces[place].buffer);
            let mut token = [part(0), part(2), part(3), part(4)].concat();
            let mut whole = [
                piece(STREAM, &mut token),
                piece(SIGN_ONLY, &mut associated),
                IovBuffer { kind: DATA, buffer: GssBuffer::EMPTY },
            ];
            let (lent, count) = iov(&mut whole);
            let major = gss_unwrap_iov(out(&mut minor), ends.there, out(&mut sealed), nowhere(), lent, count);
            assert_eq!(
                (major, content(whole[2].buffer)),
                (COMPLETE, b"in pieces".to_vec()),
                "{}",
                story(minor)
            );
        } else {
            let (lent, count) = iov(&mut pieces);
            let major = gss_unwrap_iov(out(&mut minor), ends.there, out(&mut sealed), nowhere(), lent, count);
            assert_eq!((major, &text[..]), (COMPLETE, &b"in pieces"[..]), "{}", story(minor));
        }
        let (lent, count) = iov(&mut pieces);
        assert_eq!(gss_release_iov_buffer(out(&mut minor), lent, count), COMPLETE);
        assert!(pieces[0].buffer.value.is_null());
    }
    // Pieces that lie in each other, unknown kinds, null, room that is too small.
    let mut text = b"octets".to_vec();
    for mut wrong in [
        [made(2), piece(DATA, &mut text), piece(DATA, &mut text)],
        [made(2), piece(5, &mut text), made(7)],
        [made(2), IovBuffer { kind: DATA, buffer: GssBuffer { length: 3, value: ptr::null_mut() } }, made(7)],
        [piece(2, &mut text), made(7), made(9)],
    ] {
        let (lent, count) = iov(&mut wrong);
        assert_ne!(gss_wrap_iov(out(&mut minor), ends.here, 1, 0, nowhere(), lent, count), COMPLETE);
        assert_eq!(text, b"octets");
    }
    delete(ends.here);
    delete(ends.there);
}

#[test]
fn associated_data_are_signed_mics_lie_in_pieces_and_both_ends_draw_the_same() {
    let ends = establish(None, USUAL);
    let (mut minor, mut token, mut plain) = (0, GssBuffer::EMPTY, GssBuffer::EMPTY);
    let (associated, message) = (buffer(b"associated"), buffer(b"message"));
    let (lent, made_token) = (lend(&message), out(&mut token));
    let major =
        gss_wrap_aead(out(&mut minor), ends.here, 1, 0, lend(&associated), lent, nowhere(), made_token);
    assert_eq!(major, COMPLETE);
    let token = taken(token);
    for (associated, answer) in [(&b"other"[..], 0x0006_0000), (b"associated", COMPLETE)] {
        let (token, associated) = (buffer(&token), buffer(associated));
        let place = out(&mut plain);
        let major = gss_unwrap_aead(
            out(&mut minor),
            ends.there,
            lend(&token),
            lend(&associated),
            place,
            nowhere(),
            nowhere(),
        );
        assert_eq!(major, answer);
    }
    assert_eq!(taken(plain), b"message");

    let mut text = b"signed".to_vec();
    let mut pieces = [piece(DATA, &mut text), made(12)];
    let (lent, count) = iov(&mut pieces);
    assert_eq!(gss_get_mic_iov_length(out(&mut minor), ends.here, 0, lent, count), COMPLETE);
    let promised = pieces[1].buffer.length;
    assert_eq!(gss_get_mic_iov(out(&mut minor), ends.here, 0, lent, count), COMPLETE);
    assert_eq!(pieces[1].buffer.length, promised);
    assert_eq!(gss_verify_mic_iov(out(&mut minor), ends.there, nowhere(), lent, count), COMPLETE);
    assert_eq!(gss_release_iov_buffer(out(&mut minor), lent, count), COMPLETE);

    let draw = |context: Handle, key: i32| {
        let mut drawn = GssBuffer::EMPTY;
        let input = buffer(b"label");
        assert_eq!(gss_pseudo_random(out(&mut 0), context, key, lend(&input), 40, out(&mut drawn)), COMPLETE);
        taken(drawn)
    };
    assert_eq!(draw(ends.here, 0), draw(ends.there, 0));
    assert_ne!(draw(ends.here, 0), draw(ends.here, 1));
    assert_ne!(
        gss_pseudo_random(out(&mut minor), ends.here, 7, lend(&message), 40, out(&mut plain)),
        COMPLETE
    );
    assert_ne!(
        gss_pseudo_random(out(&mut minor), ends.here, 0, lend(&message), -1, out(&mut plain)),
        COMPLETE
    );
    delete(ends.here);
    delete(ends.there);
}

#[test]
fn an_element_is_added_to_a_copy_in_place_or_to_nothing_and_never_twice() {
    world();
    let (mut minor, mut both, mut time) = (0, Handle::NONE, 0);
    let add = |to: Handle, usage: i32, made: Out<Handle>, time: Out<u32>| {
        let (mechanism, none) = (oid(&KRB5_OID), Handle::NONE);
        gss_add_cred(out(&mut 0), to, none, mechanism, usage, 0, 0, made, nowhere(), nowhere(), time)
    };
    let usage_of = |handle: Handle| {
        let mut usage = 9;
        let major = gss_inquire_cred(out(&mut 0), handle, nowhere(), nowhere(), out(&mut usage), nowhere());
        (major, usage)
    };
    let mut alone = Handle::NONE;
    assert_eq!(add(Handle::NONE, 1, nowhere(), nowhere()), CALL_INACCESSIBLE_WRITE);
    assert_eq!(add(Handle::NONE, 1, out(&mut alone), nowhere()), COMPLETE);
    assert_eq!(usage_of(alone), (COMPLETE, 1));
    assert_eq!(add(alone, 2, out(&mut both), out(&mut time)), COMPLETE);
    assert_eq!((usage_of(alone), usage_of(both), time), ((COMPLETE, 1), (COMPLETE, 0), u32::MAX));
    assert_eq!(add(alone, 2, nowhere(), nowhere()), COMPLETE, "in its place");
    assert_eq!(usage_of(alone), (COMPLETE, 0));
    assert_eq!(add(alone, 2, nowhere(), nowhere()), 0x0011_0000, "GSS_S_DUPLICATE_ELEMENT");
    for mut handle in [alone, both] {
        assert_eq!(gss_release_cred(out(&mut minor), out(&mut handle)), COMPLETE);
    }
    assert_eq!(add(alone, 1, nowhere(), nowhere()), NO_CREDENTIAL);
}

#[test]
fn a_lucid_context_has_the_keys_of_both_ends_and_the_handle_is_dead() {
    let mut keys = Vec::new();
    let ends = establish(None, USUAL);
    for end in [ends.here, ends.there] {
        let (mut minor, mut handle, mut lucid) = (0, end, ptr::null_mut());
        let refused =
            gss_krb5_export_lucid_sec_context(out(&mut minor), out(&mut handle), 2, out(&mut lucid));
        assert!(refused == 0x000d_0000 && handle == end && lucid.is_null());
        let major = gss_krb5_export_lucid_sec_context(out(&mut minor), out(&mut handle), 1, out(&mut lucid));
        assert_eq!((major, handle), (COMPLETE, Handle::NONE), "{}", story(minor));
        // SAFETY: a lucid context that the call has made.
        let made = unsafe { lucid.read() };
        assert_eq!((made.version, made.protocol, made.cfx_kd.have_acceptor_subkey), (1, 1, 1));
        assert_eq!(made.initiate, u32::from(end == ends.here));
        let key = made.cfx_kd.acceptor_subkey;
        let octets = GssBuffer { length: usize::try_from(key.length).unwrap(), value: key.data };
        keys.push((key.kind, content(octets), made.send_seq, made.recv_seq));
        assert_eq!(gss_krb5_free_lucid_sec_context(out(&mut minor), lucid), COMPLETE);
        assert_eq!(gss_context_time(out(&mut minor), end, nowhere()), CALL_INACCESSIBLE_WRITE);
        assert_eq!(gss_krb5_get_tkt_flags(out(&mut minor), end, out(&mut 0)), NO_CONTEXT);
    }
    let (here, there) = (&keys[0], &keys[1]);
    assert_eq!((here.0, &here.1, here.2, here.3), (there.0, &there.1, there.3, there.2));
    assert_eq!(gss_krb5_free_lucid_sec_context(out(&mut 0), ptr::null_mut()), COMPLETE);
}

#[test]
fn a_service_without_a_host_is_this_machines_and_a_half_open_context_tells_its_time() {
    world();
    let mut minor = 0;
    let mut here = imported("host", HOST_BASED);
    let (mut canonical, mut shown, mut equal) = (Handle::NONE, GssBuffer::EMPTY, 0);
    let major = gss_canonicalize_name(out(&mut minor), here, nothing(), out(&mut canonical));
    assert_eq!(major, COMPLETE, "{}", story(minor));
    assert_eq!(gss_display_name(out(&mut minor), canonical, out(&mut shown), nowhere()), COMPLETE);
    let shown = String::from_utf8(taken(shown)).unwrap();
    let (host, realm) = shown.strip_prefix("host/").unwrap().split_once('@').unwrap();
    // As with MIT krb5: the KDC is to say which realm it is.
    assert!(!host.is_empty() && realm.is_empty(), "{shown}");
    assert_eq!(gss_compare_name(out(&mut minor), here, canonical, out(&mut equal)), COMPLETE);
    assert_eq!(equal, 1, "{shown}");
    for name in [&mut here, &mut canonical] {
        assert_eq!(gss_release_name(out(&mut minor), out(name)), COMPLETE);
    }
    let mut target = imported("host@localhost", HOST_BASED);
    let (mut context, mut token, mut time) = (Handle::NONE, GssBuffer::EMPTY, 0);
    let major = gss_init_sec_context(
        out(&mut minor),
        Handle::NONE,
        out(&mut context),
        target,
        nothing(),
        2,
        600,
        nothing(),
        nothing(),
        nowhere(),
        out(&mut token),
        nowhere(),
        out(&mut time),
    );
    assert_eq!(major, 1, "{}", story(minor));
    assert!((1..=600).contains(&time), "{time}");
    taken(token);
    delete(context);
    assert_eq!(gss_release_name(out(&mut minor), out(&mut target)), COMPLETE);
}
