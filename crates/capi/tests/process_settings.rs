//! What a program sets for all of its process: a process of its own, because the others would see it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use orthros::mechanism::KRB5_OID;
use orthros_capi::abi::{GssBuffer, Handle};
use orthros_capi::calls::{credentials::*, heimdal_krb5::*, names::*};
use orthros_capi::status::COMPLETE;

fn canonical(user: &str) -> Vec<u8> {
    let (mut minor, mut name, mut canonical) = (0, imported(user, USER), Handle::NONE);
    let major = gss_canonicalize_name(out(&mut minor), name, oid(&KRB5_OID), out(&mut canonical));
    assert_eq!(major, COMPLETE, "{}", story(minor));
    let mut shown = GssBuffer::EMPTY;
    assert_eq!(gss_display_name(out(&mut minor), canonical, out(&mut shown), nowhere()), COMPLETE);
    for handle in [&mut name, &mut canonical] {
        assert_eq!(gss_release_name(out(&mut minor), out(handle)), COMPLETE);
    }
    taken(shown)
}

/// How long the default credential is good for, in seconds.
fn lifetime() -> u32 {
    let (mut minor, mut seconds) = (0, 0);
    let (time, nothing_else) = (out(&mut seconds), nowhere());
    let major = gss_inquire_cred(out(&mut minor), Handle::NONE, nothing_else, time, nowhere(), nowhere());
    assert_eq!(major, COMPLETE, "{}", story(minor));
    seconds
}

#[test]
fn the_default_realm_and_the_clock_are_the_programs_until_it_takes_them_back() {
    world();
    assert_eq!(canonical("bob"), b"bob@TEST");
    assert_eq!(gsskrb5_set_default_realm(text(c"OTHER.TEST")), COMPLETE);
    assert_eq!(canonical("bob"), b"bob@OTHER.TEST");
    assert_ne!(gsskrb5_set_default_realm(text(c"")), COMPLETE);
    assert_eq!(gsskrb5_set_default_realm(no_text()), COMPLETE);
    assert_eq!(canonical("bob"), b"bob@TEST");

    let (mut offset, before) = (7, lifetime());
    assert_eq!((gsskrb5_get_time_offset(out(&mut offset)), offset), (COMPLETE, 0));
    assert_eq!(gsskrb5_set_time_offset(1_000), COMPLETE);
    assert_eq!((gsskrb5_get_time_offset(out(&mut offset)), offset), (COMPLETE, 1_000));
    let shifted = lifetime();
    assert!((900..1_100).contains(&(before - shifted)), "{before} {shifted}");
    assert_eq!(gsskrb5_set_time_offset(0), COMPLETE);
    assert!(lifetime() > shifted);
    assert_eq!(gsskrb5_set_dns_canonicalize(0), COMPLETE);
    assert_eq!(canonical("bob"), b"bob@TEST");
}
