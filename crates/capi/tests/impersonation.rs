//! Services that act for users, as C programs ask for it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::ffi::CString;

use common::*;
use orthros_capi::abi::{GssBuffer, Handle, KeyValue, USAGE_ACCEPT, USAGE_BOTH, USAGE_INITIATE};
use orthros_capi::calls::{contexts::*, credentials::*, impersonation::*, names::*, options::*, stores::*};
use orthros_capi::status::{CALL_INACCESSIBLE_READ, COMPLETE};

const USER: &str = "1.2.840.113554.1.2.1.1";
const FAILURE: u32 = 13 << 16;

/// The credential of HTTP/localhost, got by its password.
fn web() -> Handle {
    world();
    let (mut minor, mut web) = (0, Handle::NONE);
    let major = gss_acquire_cred_with_password(
        out(&mut minor),
        imported("HTTP/localhost", USER),
        lend(&buffer(b"pw")),
        0,
        nothing(),
        USAGE_INITIATE,
        out(&mut web),
        nowhere(),
        nowhere(),
    );
    assert_eq!(major, COMPLETE, "{}", story(minor));
    web
}

fn impersonate(service: Handle, user: Handle, usage: i32) -> (u32, u32, Handle) {
    let (mut minor, mut made) = (0, Handle::NONE);
    let major = gss_acquire_cred_impersonate_name(
        out(&mut minor),
        service,
        user,
        0,
        nothing(),
        usage,
        out(&mut made),
        nowhere(),
        nowhere(),
    );
    (major, minor, made)
}

fn name_of(credential: Handle) -> Vec<u8> {
    let (mut minor, mut name, mut shown) = (0, Handle::NONE, GssBuffer::EMPTY);
    let major =
        gss_inquire_cred(out(&mut minor), credential, out(&mut name), nowhere(), nowhere(), nowhere());
    assert_eq!(major, COMPLETE, "{}", story(minor));
    assert_eq!(gss_display_name(out(&mut minor), name, out(&mut shown), nowhere()), COMPLETE);
    taken(shown)
}

/// What `GSS_KRB5_GET_CRED_IMPERSONATOR` is answered.
fn acting_for(credential: Handle) -> Vec<Vec<u8>> {
    let (mut minor, mut set) = (0, std::ptr::null_mut());
    let question: orthros_wire::Oid = "1.2.840.113554.1.2.2.5.14".parse().unwrap();
    let major = gss_inquire_cred_by_oid(out(&mut minor), credential, oid(&question), out(&mut set));
    assert_eq!(major, COMPLETE, "{}", story(minor));
    members(set)
}

/// The first token of a context that needs no answer.
fn token(credential: Handle, target: &str) -> (u32, u32, Vec<u8>) {
    let (mut minor, mut context, mut token) = (0, Handle::NONE, GssBuffer::EMPTY);
    let major = gss_init_sec_context(
        out(&mut minor),
        credential,
        out(&mut context),
        imported(target, HOST_BASED),
        nothing(),
        0,
        0,
        nothing(),
        nothing(),
        nowhere(),
        out(&mut token),
        nowhere(),
        nowhere(),
    );
    (major, minor, taken(token))
}

/// Who an acceptor says came, and what it was delegated.
fn accepted(credential: Handle, token: &[u8]) -> (Vec<u8>, Handle) {
    let (mut minor, mut context, mut answer, mut source) = (0, Handle::NONE, GssBuffer::EMPTY, Handle::NONE);
    let mut delegated = Handle::NONE;
    let major = gss_accept_sec_context(
        out(&mut minor),
        out(&mut context),
        credential,
        lend(&buffer(token)),
        nothing(),
        out(&mut source),
        nowhere(),
        out(&mut answer),
        nowhere(),
        nowhere(),
        out(&mut delegated),
    );
    assert_eq!(major, COMPLETE, "{}", story(minor));
    taken(answer);
    let mut shown = GssBuffer::EMPTY;
    assert_eq!(gss_display_name(out(&mut minor), source, out(&mut shown), nowhere()), COMPLETE);
    (taken(shown), delegated)
}

#[test]
fn a_service_is_the_user_to_others() {
    let web = web();
    let (major, minor, alice) = impersonate(web, imported("alice", USER), USAGE_INITIATE);
    assert_eq!(major, COMPLETE, "{}", story(minor));
    assert_eq!(name_of(alice), b"alice@TEST");
    assert_eq!((acting_for(alice), acting_for(web)), (vec![b"HTTP/localhost@TEST".to_vec()], vec![]));
    let (major, minor, token) = token(alice, "host@localhost");
    assert_eq!(major, COMPLETE, "{}", story(minor));
    let (source, delegated) = accepted(Handle::NONE, &token);
    assert_eq!((source, delegated), (b"alice@TEST".to_vec(), Handle::NONE));
}

#[test]
fn an_element_of_a_user_is_added_to_nothing_and_not_twice() {
    let (mut minor, mut made) = (0, Handle::NONE);
    let mut add = |to: Handle, place| {
        let major = gss_add_cred_impersonate_name(
            out(&mut minor),
            to,
            web(),
            imported("alice", USER),
            nothing(),
            USAGE_INITIATE,
            0,
            0,
            place,
            nowhere(),
            nowhere(),
            nowhere(),
        );
        (major, story(minor))
    };
    let (major, text) = add(Handle::NONE, out(&mut made));
    assert_eq!(major, COMPLETE, "{text}");
    assert_eq!(name_of(made), b"alice@TEST");
    let duplicate = 17 << 16;
    assert_eq!(add(made, nowhere()).0, duplicate);
}

#[test]
fn what_is_missing_or_makes_no_sense_is_refused() {
    let alice = imported("alice", USER);
    let web = web();
    for (service, user) in [(Handle::NONE, alice), (web, Handle::NONE)] {
        let (major, _, made) = impersonate(service, user, USAGE_INITIATE);
        assert_eq!((major, made), (CALL_INACCESSIBLE_READ, Handle::NONE));
    }
    for usage in [USAGE_ACCEPT, USAGE_BOTH] {
        let (major, minor, made) = impersonate(web, alice, usage);
        assert_eq!((major, made), (FAILURE, Handle::NONE));
        assert!(story(minor).contains("GSS_C_INITIATE"), "{}", story(minor));
    }
    let (major, minor, made) = impersonate(web, imported("nobody", USER), USAGE_INITIATE);
    assert_eq!((major, made), (FAILURE, Handle::NONE));
    assert!(story(minor).contains("nobody@TEST"), "{}", story(minor));
}

/// As with MIT krb5: whoever acquires for both uses and wants a delegated credential gets one.
#[test]
fn clients_delegate_by_their_tickets_to_a_credential_of_both_uses() {
    world();
    let folder = std::env::var("KRB5RCACHEDIR").unwrap();
    let cache = CString::new(format!("{folder}/host-cache")).unwrap();
    let pair = KeyValue { key: c"ccache".as_ptr(), value: cache.as_ptr() };
    let (mut minor, mut both) = (0, Handle::NONE);
    let major = gss_acquire_cred_from(
        out(&mut minor),
        Handle::NONE,
        0,
        nothing(),
        USAGE_BOTH,
        lend(&store(&pair)),
        out(&mut both),
        nowhere(),
        nowhere(),
    );
    assert_eq!(major, COMPLETE, "{}", story(minor));
    let (major, minor, first) = token(Handle::NONE, "host@localhost");
    assert_eq!(major, COMPLETE, "{}", story(minor));
    let (source, delegated) = accepted(both, &first);
    assert_eq!(source, b"alice@TEST");
    assert_eq!(name_of(delegated), b"alice@TEST");
    let (major, minor, onward) = token(delegated, "HTTP@localhost");
    assert_eq!(major, COMPLETE, "{}", story(minor));
    assert!(!onward.is_empty());
}
