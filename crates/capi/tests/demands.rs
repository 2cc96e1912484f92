//! What RFC 2743 and 2744 demand of single calls, and no other test shows (`docs/must`).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::ptr;

use common::*;
use orthros::mechanism::{KRB5_OID, SPNEGO_OID};
use orthros_capi::abi::{GssBuffer, Handle};
use orthros_capi::calls::{established::*, messages::*, names::*};
use orthros_capi::oids::{StaticOid, interned};
use orthros_capi::status::{COMPLETE, CONTINUE_NEEDED};

const PROTECTION_READY: u32 = 0x80;
const TRANSFERABLE: u32 = 0x100;
const BAD_QUALITY: u32 = 0x000e_0000;

/// What a context that is up says of itself: its flags, its mechanism, that it is up.
fn inquired(context: Handle) -> (u32, StaticOid, bool) {
    let (mut flags, mut open, mut mechanism): (_, _, StaticOid) = (0, 0, ptr::null());
    let major = gss_inquire_context(
        out(&mut 0),
        context,
        nowhere(),
        nowhere(),
        nowhere(),
        out(&mut mechanism),
        out(&mut flags),
        nowhere(),
        out(&mut open),
    );
    assert_eq!(major, COMPLETE);
    (flags, mechanism, open != 0)
}

#[test]
fn a_context_that_is_ready_to_protect_has_its_other_flags_and_its_mechanism() {
    world();
    let (mut half, mut flags) = (Handle::NONE, 0);
    let (major, _) = initiate_by(None, USUAL, &mut half, b"", &mut flags);
    assert_eq!((major, flags & PROTECTION_READY), (CONTINUE_NEEDED, 0), "nothing is confirmed yet");
    delete(half);
    let all = PROTECTION_READY | TRANSFERABLE | USUAL;
    for mechanism in [KRB5_OID, SPNEGO_OID] {
        let ends = establish(Some(&mechanism), USUAL);
        assert_eq!((ends.flags.0 & all, ends.flags.1 & all), (all, all));
        for context in [ends.here, ends.there] {
            let (flags, mechanism, open) = inquired(context);
            assert_eq!((flags & all, mechanism, open), (all, interned(&KRB5_OID), true));
            delete(context);
        }
    }
}

#[test]
fn a_quality_that_is_unknown_is_refused_and_harms_nothing() {
    let ends = establish(None, USUAL);
    let lent = buffer(b"x");
    for quality in [1, 7, u32::MAX] {
        let (mut minor, mut token) = (0, GssBuffer::EMPTY);
        let wrapped =
            gss_wrap(out(&mut minor), ends.here, 1, quality, lend(&lent), nowhere(), out(&mut token));
        assert_eq!((wrapped, token.length), (BAD_QUALITY, 0));
        let signed = gss_get_mic(out(&mut minor), ends.here, quality, lend(&lent), out(&mut token));
        assert_eq!((signed, token.length), (BAD_QUALITY, 0));
    }
    // With sequencing, a number that such a call had used up would show as a gap.
    speak(ends.here, ends.there, b"there");
    speak(ends.there, ends.here, b"back");
    delete(ends.here);
    delete(ends.there);
}

fn shown(name: Handle) -> Vec<u8> {
    let mut text = GssBuffer::EMPTY;
    assert_eq!(gss_display_name(out(&mut 0), name, out(&mut text), nowhere()), COMPLETE);
    taken(text)
}

fn release(mut name: Handle) {
    assert_eq!(gss_release_name(out(&mut 0), out(&mut name)), COMPLETE);
}

#[test]
fn of_a_name_and_its_duplicate_each_outlives_the_other() {
    world();
    for first in [true, false] {
        let (name, mut copy) = (imported("alice@TEST", USER), Handle::NONE);
        assert_eq!(gss_duplicate_name(out(&mut 0), name, out(&mut copy)), COMPLETE);
        assert_ne!(name, copy);
        let (gone, left) = if first { (name, copy) } else { (copy, name) };
        release(gone);
        assert_eq!(shown(left), b"alice@TEST");
        let mut nothing = GssBuffer::EMPTY;
        assert_eq!(gss_display_name(out(&mut 0), gone, out(&mut nothing), nowhere()), BAD_NAME);
        release(left);
    }
}

#[test]
fn a_name_becomes_one_of_the_mechanism_that_is_named_and_of_no_other() {
    world();
    let name = imported("alice", USER);
    let mut canonical = Handle::NONE;
    let major = gss_canonicalize_name(out(&mut 0), name, oid(&KRB5_OID), out(&mut canonical));
    assert_eq!(major, COMPLETE);
    assert_eq!(shown(canonical), b"alice@TEST");
    release(canonical);
    let foreign = "1.2.840.113556.1.4.1".parse().unwrap();
    let major = gss_canonicalize_name(out(&mut 0), name, oid(&foreign), out(&mut canonical));
    assert_eq!((major, canonical), (0x0001_0000, Handle::NONE));
    release(name);
}
