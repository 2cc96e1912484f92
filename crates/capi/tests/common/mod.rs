//! A realm that the environment names, and the calls as C makes them.
#![allow(dead_code, unreachable_pub)]

use std::ffi::{CStr, c_void};
use std::fs;
use std::ptr;
use std::sync::OnceLock;

use orthros::random::SystemRandom;
use orthros::{CacheName, KeytabName, Orthros};
use orthros_capi::abi::{GssBuffer, Handle, KeyValue, KeyValueSet, OidDesc, OmUint32};
use orthros_capi::calls::{buffers::*, contexts::*, messages::*, names::*, statuses::*};
use orthros_capi::memory::BufferSet;
use orthros_capi::oids::{StaticOid, interned};
use orthros_capi::pointers::{In, Out, Text};
use orthros_capi::status::{COMPLETE, CONTINUE_NEEDED};
use orthros_kdc::{Impersonation, Listener, Realm};
use orthros_wire::Oid;

pub const HOST_BASED: &str = "1.2.840.113554.1.2.1.4";
pub const USER: &str = "1.2.840.113554.1.2.1.1";

pub const BAD_NAME: OmUint32 = 0x0002_0000;
pub const NO_CREDENTIAL: OmUint32 = 0x0007_0000;
pub const NO_CONTEXT: OmUint32 = 0x0008_0000;

/// Mutual, replay, sequence, confidentiality, integrity.
pub const USUAL: OmUint32 = 2 | 4 | 8 | 16 | 32;

/// A KDC, a ticket and a keytab: once for the process, before anything is called.
pub fn world() {
    static WORLD: OnceLock<(tempfile::TempDir, Listener)> = OnceLock::new();
    WORLD.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let realm = Realm::builder("TEST").principal("alice", "pw").service("host/localhost");
        let realm = realm
            .principal("HTTP/localhost", "pw")
            .impersonates("HTTP/localhost", Impersonation::Forwardable)
            .delegates_to("HTTP/localhost", "host/localhost")
            .delegates_to("host/localhost", "HTTP/localhost");
        let kdc = Listener::start(realm.build(&SystemRandom).unwrap()).unwrap();
        let config = orthros::Config::for_realm("TEST", &[&kdc.address().to_string()]).unwrap();
        let orthros = Orthros::builder().config(config).build();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let text = format!(
            "[libdefaults]\n default_realm = TEST\n forwardable = true\n dns_canonicalize_hostname = false\n\
             [realms]\n TEST = {{\n kdc = {}\n }}\n",
            kdc.address()
        );
        fs::write(path("krb5.conf"), text).unwrap();
        let keytab = kdc.realm().keytab("host/localhost").unwrap();
        orthros.write_keytab(&KeytabName::from(path("keytab").as_str()), keytab).unwrap();
        let cache = CacheName::from(path("cache").as_str());
        orthros.acquire("alice").password("pw").forwardable(true).blocking_into(&cache).unwrap();
        let host = kdc.realm().keytab("host/localhost").unwrap();
        let own = CacheName::from(path("host-cache").as_str());
        orthros.acquire("host/localhost").keytab(&host).forwardable(true).blocking_into(&own).unwrap();
        for (name, value) in [
            ("KRB5_CONFIG", path("krb5.conf")),
            ("KRB5CCNAME", path("cache")),
            ("KRB5_KTNAME", path("keytab")),
            ("KRB5RCACHEDIR", folder.path().display().to_string()),
            ("RUNTIME_DIRECTORY", folder.path().display().to_string()),
        ] {
            // SAFETY: every test that reads the environment begins here and waits for this.
            unsafe { std::env::set_var(name, value) };
        }
        (folder, kdc)
    });
}

pub fn out<T: Copy>(place: &mut T) -> Out<T> {
    // SAFETY: the place outlives the call that it is lent for; no test keeps the result of this.
    unsafe { Out::new(place) }
}

pub fn nowhere<T: Copy>() -> Out<T> {
    // SAFETY: null is allowed.
    unsafe { Out::new(ptr::null_mut()) }
}

pub fn lend<T: Copy>(place: &T) -> In<T> {
    // SAFETY: the place outlives the call that it is lent for.
    unsafe { In::new(place) }
}

pub fn nothing<T: Copy>() -> In<T> {
    // SAFETY: null is allowed.
    unsafe { In::new(ptr::null()) }
}

pub fn oid(oid: &Oid) -> In<OidDesc> {
    // SAFETY: interned identifiers live as long as the process.
    unsafe { In::new(interned(oid)) }
}

pub fn buffer(octets: &[u8]) -> GssBuffer {
    GssBuffer { length: octets.len(), value: octets.as_ptr().cast_mut().cast::<c_void>() }
}

/// What is in a buffer.
pub fn content(given: GssBuffer) -> Vec<u8> {
    match given.length {
        0 => Vec::new(),
        // SAFETY: a buffer that a call has filled, or that the test lends.
        length => unsafe { std::slice::from_raw_parts(given.value.cast(), length).to_vec() },
    }
}

/// What a call put into a buffer, which is released.
pub fn taken(mut given: GssBuffer) -> Vec<u8> {
    let octets = content(given);
    assert_eq!(gss_release_buffer(out(&mut 0), out(&mut given)), COMPLETE);
    assert!(given.length == 0 && given.value.is_null());
    octets
}

pub fn text(text: &'static CStr) -> Text {
    // SAFETY: the text lives as long as the process.
    unsafe { Text::new(text.as_ptr()) }
}

pub fn no_text() -> Text {
    // SAFETY: null is allowed.
    unsafe { Text::new(ptr::null()) }
}

pub fn pair(key: &'static CStr, value: &'static CStr) -> KeyValue {
    KeyValue { key: key.as_ptr(), value: value.as_ptr() }
}

/// A credential store of one pair, which must outlive it.
pub fn store(pair: &KeyValue) -> KeyValueSet {
    KeyValueSet { count: 1, elements: pair }
}

/// What is in a set of buffers.
pub fn members(set: BufferSet) -> Vec<Vec<u8>> {
    // SAFETY: a set that a call has made and nobody has released.
    let set = unsafe { set.read() };
    let member = |number: usize| {
        // SAFETY: the set has as many rows as it counts, each with memory of its length.
        let row = unsafe { set.elements.wrapping_add(number).read() };
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(row.value.cast::<u8>(), row.length).to_vec() }
    };
    (0..set.count).map(member).collect()
}

pub fn story(minor: OmUint32) -> String {
    let mut text = GssBuffer::EMPTY;
    let major = gss_display_status(out(&mut 0), minor, 2, nothing(), out(&mut 0), out(&mut text));
    assert_eq!(major, COMPLETE);
    String::from_utf8(taken(text)).unwrap()
}

pub fn imported(text: &str, name_type: &str) -> Handle {
    let (mut minor, mut name) = (0, Handle::NONE);
    let kind: Oid = name_type.parse().unwrap();
    let major = gss_import_name(out(&mut minor), lend(&buffer(text.as_bytes())), oid(&kind), out(&mut name));
    assert_eq!(major, COMPLETE, "{}", story(minor));
    name
}

/// One step of an initiator by Kerberos: the status, and the token.
pub fn initiate(context: &mut Handle, token: &[u8]) -> (OmUint32, Vec<u8>) {
    let mut flags = 0;
    initiate_by(None, USUAL, context, token, &mut flags)
}

pub fn initiate_by(
    mechanism: Option<&Oid>,
    asked: OmUint32,
    context: &mut Handle,
    token: &[u8],
    flags: &mut OmUint32,
) -> (OmUint32, Vec<u8>) {
    let mut target = imported("host@localhost", HOST_BASED);
    let (mut minor, mut output, mut actual): (_, _, StaticOid) = (0, GssBuffer::EMPTY, ptr::null());
    let major = gss_init_sec_context(
        out(&mut minor),
        Handle::NONE,
        out(context),
        target,
        mechanism.map_or_else(nothing, oid),
        asked,
        0,
        nothing(),
        lend(&buffer(token)),
        out(&mut actual),
        out(&mut output),
        out(flags),
        nowhere(),
    );
    assert_eq!(actual.is_null(), major & 0xffff_0000 != 0, "{}", story(minor));
    assert_eq!(gss_release_name(out(&mut minor), out(&mut target)), COMPLETE);
    (major, taken(output))
}

pub struct Ends {
    pub here: Handle,
    pub there: Handle,
    pub flags: (OmUint32, OmUint32),
}

/// Both ends of a context by this mechanism, with these flags.
pub fn establish(mechanism: Option<&Oid>, flags: OmUint32) -> Ends {
    world();
    let mut ends = Ends { here: Handle::NONE, there: Handle::NONE, flags: (0, 0) };
    let (mut here, mut there, mut mail) = (CONTINUE_NEEDED, CONTINUE_NEEDED, Vec::new());
    for _ in 0..4 {
        if here == CONTINUE_NEEDED {
            (here, mail) = initiate_by(mechanism, flags, &mut ends.here, &mail, &mut ends.flags.0);
        }
        if there == CONTINUE_NEEDED {
            let (mut minor, mut token, mut source) = (0, GssBuffer::EMPTY, Handle::NONE);
            there = gss_accept_sec_context(
                out(&mut minor),
                out(&mut ends.there),
                Handle::NONE,
                lend(&buffer(&mail)),
                nothing(),
                out(&mut source),
                nowhere(),
                out(&mut token),
                out(&mut ends.flags.1),
                nowhere(),
                nowhere(),
            );
            assert!(there & 0xffff_0000 == 0, "{}", story(minor));
            mail = taken(token);
            if there == COMPLETE {
                let mut shown = GssBuffer::EMPTY;
                assert_eq!(gss_display_name(out(&mut minor), source, out(&mut shown), nowhere()), COMPLETE);
                assert_eq!(taken(shown), b"alice@TEST");
                assert_eq!(gss_release_name(out(&mut minor), out(&mut source)), COMPLETE);
            }
        }
        if (here, there) == (COMPLETE, COMPLETE) {
            return ends;
        }
    }
    panic!("it does not come up: {here:x} {there:x}");
}

pub fn delete(mut context: Handle) {
    for _ in 0..2 {
        // The second time there is nothing to delete, which is no fault.
        assert_eq!(gss_delete_sec_context(out(&mut 0), out(&mut context), nowhere()), COMPLETE);
        assert_eq!(context, Handle::NONE);
    }
}

/// A sealed message and a signed one from one end to the other.
pub fn speak(from: Handle, to: Handle, message: &[u8]) {
    let (mut minor, mut sealed, mut token, mut plain) = (0, 0, GssBuffer::EMPTY, GssBuffer::EMPTY);
    let lent = buffer(message);
    let major = gss_wrap(out(&mut minor), from, 1, 0, lend(&lent), out(&mut sealed), out(&mut token));
    assert_eq!((major, sealed), (COMPLETE, 1), "{}", story(minor));
    let token = taken(token);
    let (opened, state) = (out(&mut plain), out(&mut sealed));
    let major = gss_unwrap(out(&mut minor), to, lend(&buffer(&token)), opened, state, nowhere());
    assert_eq!((major, sealed, taken(plain)), (COMPLETE, 1, message.to_vec()), "{}", story(minor));
    let mut mic = GssBuffer::EMPTY;
    assert_eq!(gss_get_mic(out(&mut minor), from, 0, lend(&lent), out(&mut mic)), COMPLETE);
    let mic = taken(mic);
    let mut wrong = mic.clone();
    *wrong.last_mut().unwrap() ^= 1;
    for (mic, answer) in [(wrong, 0x0006_0000), (mic, COMPLETE)] {
        let major = gss_verify_mic(out(&mut minor), to, lend(&lent), lend(&buffer(&mic)), nowhere());
        assert_eq!(major, answer);
    }
}
