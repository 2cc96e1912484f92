//! IAKERB as C programs use it: credentials of their own, contexts through the acceptor, and half-built ones on every call.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::ptr;

use common::*;
use orthros::mechanism::{IAKERB_OID, KRB5_OID, SPNEGO_OID};
use orthros_capi::abi::{GssBuffer, Handle, INDEFINITE, OidSetDesc, OmUint32};
use orthros_capi::calls::{
    buffers::*, contexts::*, credentials::*, elements::*, established::*, messages::*, names::*, stores::*,
    transfer::*,
};
use orthros_capi::memory::OidSet;
use orthros_capi::oids::{StaticOid, interned};
use orthros_capi::status::{COMPLETE, CONTINUE_NEEDED};
use orthros_wire::Oid;

const BAD_MECHANISM: OmUint32 = 0x0001_0000;

fn same(told: StaticOid, mechanism: &Oid) -> bool {
    told == interned(mechanism)
}

/// What is in a set, which is released.
fn listed(mut set: OidSet) -> Vec<Oid> {
    let known = [IAKERB_OID, KRB5_OID, SPNEGO_OID];
    let there = |member: &Oid| {
        let mut present = 0;
        // SAFETY: a set that a call has made and nobody has released.
        let lent = unsafe { orthros_capi::pointers::In::new(set.cast_const()) };
        assert_eq!(gss_test_oid_set_member(out(&mut 0), oid(member), lent, out(&mut present)), COMPLETE);
        present == 1
    };
    let found = known.into_iter().filter(there).collect();
    assert_eq!(gss_release_oid_set(out(&mut 0), out(&mut set)), COMPLETE);
    found
}

/// A credential for these mechanisms: by alice's password, or what accepts.
fn acquired(mechanisms: &[&Oid], password: Option<&[u8]>) -> (OmUint32, Handle, Vec<Oid>, OmUint32) {
    world();
    let (mut set, mut handle, mut actual, mut time) = (ptr::null_mut(), Handle::NONE, ptr::null_mut(), 0);
    assert_eq!(gss_create_empty_oid_set(out(&mut 0), out(&mut set)), COMPLETE);
    for mechanism in mechanisms {
        assert_eq!(gss_add_oid_set_member(out(&mut 0), oid(mechanism), out(&mut set)), COMPLETE);
    }
    // SAFETY: a set that a call has made and nobody has released.
    let wanted = unsafe { orthros_capi::pointers::In::<OidSetDesc>::new(set.cast_const()) };
    let (made, told, left) = (out(&mut handle), out(&mut actual), out(&mut time));
    let major = match password {
        Some(password) => {
            let (mut alice, password) = (imported("alice", USER), buffer(password));
            let (password, minor) = (lend(&password), out(&mut 0));
            let major =
                gss_acquire_cred_with_password(minor, alice, password, 0, wanted, 1, made, told, left);
            assert_eq!(gss_release_name(out(&mut 0), out(&mut alice)), COMPLETE);
            major
        }
        None => gss_acquire_cred(out(&mut 0), Handle::NONE, 0, wanted, 2, made, told, left),
    };
    let actual = if actual.is_null() { Vec::new() } else { listed(actual) };
    assert_eq!(gss_release_oid_set(out(&mut 0), out(&mut set)), COMPLETE);
    (major, handle, actual, time)
}

fn initiate(credential: Handle, context: &mut Handle, token: &[u8]) -> (OmUint32, Vec<u8>) {
    let mut target = imported("host@localhost", HOST_BASED);
    let (mut minor, mut output, mut actual): (_, _, StaticOid) = (0, GssBuffer::EMPTY, ptr::null());
    let major = gss_init_sec_context(
        out(&mut minor),
        credential,
        out(context),
        target,
        oid(&IAKERB_OID),
        USUAL,
        0,
        nothing(),
        lend(&buffer(token)),
        out(&mut actual),
        out(&mut output),
        nowhere(),
        nowhere(),
    );
    if major & 0xffff_0000 == 0 {
        assert!(same(actual, &IAKERB_OID), "the mechanism is told at each step");
    }
    assert_eq!(gss_release_name(out(&mut minor), out(&mut target)), COMPLETE);
    (major, taken(output))
}

fn accept(credential: Handle, context: &mut Handle, token: &[u8]) -> (OmUint32, Vec<u8>) {
    let (mut minor, mut output, mut actual): (_, _, StaticOid) = (0, GssBuffer::EMPTY, ptr::null());
    let major = gss_accept_sec_context(
        out(&mut minor),
        out(context),
        credential,
        lend(&buffer(token)),
        nothing(),
        nowhere(),
        out(&mut actual),
        out(&mut output),
        nowhere(),
        nowhere(),
        nowhere(),
    );
    if major & 0xffff_0000 == 0 {
        assert!(same(actual, &IAKERB_OID), "the mechanism is told at each step");
    }
    (major, taken(output))
}

fn release(mut credential: Handle) {
    assert_eq!(gss_release_cred(out(&mut 0), out(&mut credential)), COMPLETE);
}

/// Runs both ends until they are up; says how many tokens the initiator has sent.
fn establish(initiator: Handle, acceptor: Handle) -> (Handle, Handle, u32) {
    let (mut here, mut there) = (Handle::NONE, Handle::NONE);
    let (mut major, mut mail) = (CONTINUE_NEEDED, Vec::new());
    for round in 0..9 {
        let sent;
        (major, sent) = if major == COMPLETE { (major, mail) } else { initiate(initiator, &mut here, &mail) };
        if sent.is_empty() {
            return (here, there, round);
        }
        let accepted;
        (accepted, mail) = accept(acceptor, &mut there, &sent);
        assert!(accepted & 0xffff_0000 == 0, "{accepted:x}");
    }
    panic!("it does not come up: {major:x}");
}

#[test]
fn a_password_for_iakerb_asks_no_kdc_before_the_first_context() {
    let (major, alice, mechanisms, time) = acquired(&[&IAKERB_OID], Some(b"pw"));
    assert_eq!((major, mechanisms, time), (COMPLETE, vec![IAKERB_OID], INDEFINITE));
    let (_, server, mechanisms, _) = acquired(&[&IAKERB_OID], None);
    assert_eq!(mechanisms, [IAKERB_OID]);
    let (here, there, rounds) = establish(alice, server);
    assert_eq!(rounds, 4, "two requests to the AS, one to the TGS, one to the acceptor");
    speak(here, there, b"there");
    speak(there, here, b"back");
    let mut told: StaticOid = ptr::null();
    let none = nowhere();
    let major = gss_inquire_context(
        out(&mut 0),
        there,
        nowhere(),
        nowhere(),
        nowhere(),
        out(&mut told),
        nowhere(),
        none,
        nowhere(),
    );
    assert!(major == COMPLETE && same(told, &IAKERB_OID));
    // What it has got by now serves the next one.
    let (again, peer, rounds) = establish(alice, server);
    assert_eq!(rounds, 1);
    [here, there, again, peer].into_iter().for_each(delete);
    // A wrong password is noticed by then.
    let (major, mallory, _, _) = acquired(&[&IAKERB_OID], Some(b"guess"));
    assert_eq!(major, COMPLETE);
    let (mut here, mut there, mut mail) = (Handle::NONE, Handle::NONE, Vec::new());
    let failed = (0..3).any(|_| {
        let (major, sent) = initiate(mallory, &mut here, &mail);
        mail = if sent.is_empty() { sent } else { accept(server, &mut there, &sent).1 };
        major & 0xffff_0000 != 0
    });
    assert!(failed);
    [here, there].into_iter().for_each(delete);
    [alice, server, mallory].into_iter().for_each(release);
}

#[test]
fn credentials_are_of_iakerb_only_where_it_is_named() {
    for (wanted, got) in [
        (&[&KRB5_OID][..], &[KRB5_OID, SPNEGO_OID][..]),
        (&[&IAKERB_OID], &[IAKERB_OID]),
        (&[&KRB5_OID, &IAKERB_OID], &[IAKERB_OID, KRB5_OID, SPNEGO_OID]),
        (&[], &[KRB5_OID, SPNEGO_OID]),
    ] {
        for password in [None, Some(&b"pw"[..])] {
            let (major, handle, mechanisms, _) = acquired(wanted, password);
            assert_eq!((major, mechanisms), (COMPLETE, got.to_vec()), "{wanted:?}");
            release(handle);
        }
    }
    // An element is added as others are.
    let (_, mut handle, _, _) = acquired(&[&KRB5_OID], None);
    let mut both = Handle::NONE;
    let (mechanism, made) = (oid(&IAKERB_OID), out(&mut both));
    let (minor, none) = (out(&mut 0), Handle::NONE);
    let major = gss_add_cred(minor, handle, none, mechanism, 2, 0, 0, made, nowhere(), nowhere(), nowhere());
    assert_eq!(major, COMPLETE);
    let mut set = ptr::null_mut();
    let told = gss_inquire_cred(out(&mut 0), both, nowhere(), nowhere(), nowhere(), out(&mut set));
    assert_eq!((told, listed(set)), (COMPLETE, vec![IAKERB_OID, KRB5_OID, SPNEGO_OID]));
    release(both);
    assert_eq!(gss_release_cred(out(&mut 0), out(&mut handle)), COMPLETE);
}

#[test]
fn an_acceptor_that_named_no_mechanism_carries_nothing() {
    let (_, server, _, _) = acquired(&[&KRB5_OID], None);
    for credential in [Handle::NONE, server] {
        let (mut here, mut there) = (Handle::NONE, Handle::NONE);
        let (major, request) = initiate(Handle::NONE, &mut here, b"");
        assert_eq!(major, CONTINUE_NEEDED, "the default credential initiates");
        assert_eq!(accept(credential, &mut there, &request), (BAD_MECHANISM, Vec::new()));
        assert_eq!(there, Handle::NONE);
        delete(here);
    }
    release(server);
}

#[test]
fn a_half_built_context_of_iakerb_answers_safely() {
    let (_, alice, _, _) = acquired(&[&IAKERB_OID], Some(b"pw"));
    let (_, server, _, _) = acquired(&[&IAKERB_OID], None);
    let (mut here, mut there) = (Handle::NONE, Handle::NONE);
    let (_, request) = initiate(alice, &mut here, b"");
    let (major, answer) = accept(server, &mut there, &request);
    assert_eq!(major, CONTINUE_NEEDED);
    for half in [here, there] {
        let (mut minor, mut again, mut token, mut number) = (0, half, GssBuffer::EMPTY, 0);
        let some = buffer(b"some octets");
        let (none, no_text) = (nowhere(), nowhere());
        let answers = [
            gss_inquire_context(
                out(&mut minor),
                half,
                none,
                none,
                no_text,
                nowhere(),
                no_text,
                nowhere(),
                nowhere(),
            ),
            gss_export_sec_context(out(&mut minor), out(&mut again), out(&mut token)),
            gss_wrap(out(&mut minor), half, 1, 0, lend(&some), nowhere(), out(&mut token)),
            gss_unwrap(out(&mut minor), half, lend(&some), out(&mut token), nowhere(), nowhere()),
            gss_context_time(out(&mut minor), half, out(&mut number)),
            gss_process_context_token(out(&mut minor), half, lend(&some)),
        ];
        assert_eq!(answers, [NO_CONTEXT; 6]);
        assert_eq!((again, token.length), (half, 0), "it is still there");
    }
    // And goes on.
    let (major, next) = initiate(alice, &mut here, &answer);
    assert_eq!(major, CONTINUE_NEEDED);
    assert_eq!(accept(server, &mut there, &next).0, CONTINUE_NEEDED);
    [here, there].into_iter().for_each(delete);
    [alice, server].into_iter().for_each(release);
}
