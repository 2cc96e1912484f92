//! IAKERB over the blocking driver: the initiator's machine reaches no KDC, the acceptor's does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::net::{TcpListener, TcpStream};
use std::thread;

use orthros::blocking::EstablishError;
use orthros::credential::{Lifetime, Usage};
use orthros::mechanism::{IAKERB, IAKERB_OID};
use orthros::{CacheName, Config, Context, CredentialStore, InitiatorCredential, Name, Orthros};
use orthros_kdc::{Listener, Realm};
use orthros_krb5::ErrorCode;

fn kdc() -> Listener {
    let realm = Realm::builder("TEST").principal("alice", "open sesame").service("host/localhost");
    Listener::start(realm.build(&orthros::random::SystemRandom).unwrap()).unwrap()
}

/// An acceptor's machine, beside the KDC.
fn near(kdc: &str) -> Orthros {
    Orthros::builder().config(Config::for_realm("TEST", &[kdc]).unwrap()).build()
}

/// An initiator's machine: it knows no KDC.
fn far() -> Orthros {
    let text = "[libdefaults]\ndefault_realm = TEST\ndns_canonicalize_hostname = false";
    Orthros::builder().config_text(text).unwrap().build()
}

fn contexts(
    initiator: &Orthros,
    alice: &std::sync::Arc<InitiatorCredential>,
    acceptor: &Orthros,
) -> (Result<Context, EstablishError>, Result<Context, EstablishError>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = acceptor.clone();
    let accepting = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let credential = acceptor.acceptor().unwrap();
        acceptor.establish(acceptor.accept(&credential).carry_to_kdcs().start(), &mut stream)
    });
    let mut stream = TcpStream::connect(address).unwrap();
    let request = initiator.initiate_with(alice, Name::hostbased_service("host", "localhost"));
    let here = initiator.establish(request.mutual().mechanism(&IAKERB).start(), &mut stream);
    drop(stream);
    (here, accepting.join().unwrap())
}

#[test]
fn a_login_by_password_or_keytab_needs_no_kdc_within_reach() {
    let kdc = kdc();
    let (near, far) = (near(&kdc.address().to_string()), far());
    near.write_keytab(near.default_keytab(), kdc.realm().keytab("host/localhost").unwrap()).unwrap();
    far.write_keytab(far.client_keytab(), kdc.realm().keytab("alice").unwrap()).unwrap();
    let by_password = far.acquire("alice").password("open sesame").deferred().unwrap();
    let store = CredentialStore::new();
    let set = far.acquire_for(&IAKERB, &store, None, Usage::Initiate).unwrap();
    assert!(set.mechanisms().map(|mechanism| &mechanism.oid).eq([&IAKERB_OID]));
    for alice in [&by_password, set.initiator(&IAKERB_OID).unwrap()] {
        let (here, there) = contexts(&far, alice, &near);
        let (here, there) = (here.unwrap(), there.unwrap());
        assert_eq!((here.mechanism(), there.initiator().to_string()), (IAKERB_OID, "alice@TEST".into()));
        assert_eq!(there.unwrap(&here.wrap_integrity(b"far").unwrap()).unwrap().message, b"far");
    }
}

#[test]
fn a_deferred_login_is_stored_only_once_it_has_a_ticket_and_can_not_be_verified() {
    let far = far();
    let alice = far.acquire("alice").password("open sesame").deferred().unwrap();
    assert_eq!(alice.lifetime(far.env().now()), Lifetime::Indefinite);
    let storing = orthros::credentials::Storing {
        cache: Some(CacheName::Memory("stored".into())),
        ..Default::default()
    };
    let error = far.store_credential(&alice, &storing).unwrap_err();
    assert!(error.to_string().contains("holds no ticket"), "{error}");
    let keytab = orthros::Keytab::default();
    let error = far.acquire("alice").password("open sesame").verify(&keytab).deferred().unwrap_err();
    assert!(error.to_string().contains("can't be verified"), "{error}");
    let error = far.acquire("alice").deferred().unwrap_err();
    assert!(error.to_string().contains("neither a password nor a key"), "{error}");
}

#[test]
fn a_kdc_that_is_gone_is_told_to_the_initiator_by_its_number() {
    let kdc = kdc();
    let keytab = kdc.realm().keytab("host/localhost").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (near, far) = (near(&gone.to_string()), far());
    near.write_keytab(near.default_keytab(), keytab).unwrap();
    let alice = far.acquire("alice").password("open sesame").deferred().unwrap();
    let (here, _) = contexts(&far, &alice, &near);
    let Err(EstablishError::Context(error)) = here else { panic!("{here:?}") };
    assert_eq!(error.kerberos_code(), Some(ErrorCode::IAKERB_KDC_NO_RESPONSE));
    assert!(!error.to_string().contains(&gone.to_string()), "where KDCs are is not told: {error}");
}
