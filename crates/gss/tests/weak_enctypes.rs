//! RC4 and triple DES in the AP exchange: refused unless permitted, by name.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::cast_possible_truncation)]

use std::sync::Arc;

use crate::common::Pair;
use orthros_crypto::{Enctype, Key, SessionKey};
use orthros_gss::error::Refusal;
use orthros_gss::{Accept, Error, Initiate, Name, Settings, Step};
use orthros_krb5::ap::{self, ApRefusal, Request};
use orthros_krb5::exchange::{ExchangePolicy, Progress, service};
use orthros_krb5::permitted::NotPermitted;
use orthros_krb5::wire::ApOptions;
use orthros_krb5::{Config, Credential, ErrorCode, Keytab};
use orthros_wire::Clock;
use orthros_wire::testing::SeededRandom;

const WEAK: [Enctype; 2] = [Enctype::Des3CbcSha1, Enctype::ArcfourHmac];

/// A ticket of alice's for the host.
fn ticket(pair: &Pair) -> Credential {
    let tgt = pair.alice.granting_ticket(&"host/x.test@TEST".parse().unwrap(), pair.clock.now()).unwrap();
    let policy = ExchangePolicy::service(&pair.settings.config);
    let mut progress = service(&tgt, "host/x.test@TEST".parse().unwrap(), policy, pair.settings.env.clone());
    loop {
        progress = match progress {
            Progress::Ask(ask) => {
                let reply = pair.kdc(ask.request());
                ask.reply(&reply, pair.clock.now())
            }
            Progress::Done(obtained) => return obtained.credential,
            Progress::Failed(failure) => panic!("{failure}"),
        }
    }
}

/// An AP-REQ with this ticket.
fn request(pair: &Pair, ticket: &Credential, subkey: Option<&SessionKey>) -> Vec<u8> {
    let mut checksum = vec![16, 0, 0, 0];
    checksum.resize(24, 0);
    let request = Request {
        options: ApOptions::default(),
        checksum: (0x8003, &checksum),
        subkey,
        sequence: Some(1),
        authorization_data: None,
        now: pair.clock.now(),
    };
    request.make(ticket, &SeededRandom::new(4)).unwrap().message
}

/// The first token of the Kerberos mechanism around an AP-REQ.
fn framed(message: &[u8]) -> Vec<u8> {
    let identifier = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 1, 0];
    let length = (identifier.len() + message.len()) as u16;
    [&[0x60, 0x82][..], &length.to_be_bytes(), &identifier, message].concat()
}

/// The host's keys.
fn keytab(pair: &Pair) -> Keytab {
    let mut keytab = Keytab::default();
    for key in pair.realm.keytab_for(&"host/x.test@TEST".parse().unwrap()) {
        keytab.add(key.principal, key.kvno, key.key.duplicate(), pair.clock.now()).unwrap();
    }
    keytab
}

/// What an acceptor with these settings says to a request, and whether it tells the initiator.
fn accepted(pair: &Pair, settings: &Settings, message: &[u8]) -> (Error, bool) {
    let accept = Accept::new(settings, pair.acceptor.clone());
    let Step::Receive(waiting) = accept.start() else { panic!("an acceptor waits") };
    match waiting.token(&framed(message)) {
        Step::Failed(error) => (error, false),
        Step::Send(owed) => match owed.sent() {
            Step::Failed(error) => (error, true),
            _ => panic!("it goes on"),
        },
        _ => panic!("it goes on"),
    }
}

fn by_default(pair: &Pair) -> Settings {
    let config = Arc::new(Config::for_realm("TEST", &["127.0.0.1:88"]).unwrap());
    Settings { config, ..pair.settings.clone() }
}

#[test]
fn an_acceptor_refuses_a_weak_ticket_by_default_and_names_the_switch() {
    for enctype in WEAK {
        let pair = Pair::with_enctype(enctype);
        let message = request(&pair, &ticket(&pair), None);
        let (error, told) = accepted(&pair, &by_default(&pair), &message);
        let refused = NotPermitted { number: enctype.number() };
        let server = "host/x.test@TEST".parse().unwrap();
        assert_eq!(error, Error::Refused(Refusal::Ap(ApRefusal::TicketEnctype { server, refused })));
        assert_eq!(error.kerberos_code(), Some(ErrorCode::ETYPE_NOSUPP));
        assert!(error.to_string().contains(enctype.name()) && told);
        assert!(error.to_string().contains(enctype.switch().unwrap()), "{error}");
    }
}

#[test]
fn where_it_is_permitted_the_exchange_goes_through_up_to_the_reply() {
    for enctype in WEAK {
        let pair = Pair::with_enctype(enctype);
        let ticket = ticket(&pair);
        let now = pair.clock.now();
        let message = request(&pair, &ticket, Some(&ticket.key));
        let opened = ap::open_request(&message, &keytab(&pair), now, 300, Enctype::ALL).unwrap();
        assert_eq!(opened.client.to_string(), "alice@TEST");
        assert!(opened.subkey.unwrap().ct_eq(&ticket.key));
        let random = SeededRandom::new(6);
        let reply =
            ap::make_reply(&opened.session_key, opened.time, Some(&opened.session_key), None, &random);
        let told = ap::open_reply(&reply, &ticket.key, now, Enctype::ALL).unwrap();
        assert!(told.subkey.unwrap().ct_eq(&ticket.key));
    }
}

#[test]
fn a_weak_key_inside_a_strong_seal_is_refused_on_both_sides() {
    let pair = Pair::with_enctype(Enctype::Aes256CtsHmacSha1);
    let ticket = ticket(&pair);
    let now = pair.clock.now();
    for enctype in WEAK {
        let weak = SessionKey::from(Key::random(enctype, &SeededRandom::new(8)));
        let refused = ApRefusal::SessionEnctype(NotPermitted { number: enctype.number() });
        let message = request(&pair, &ticket, Some(&weak));
        let opened = |permitted| ap::open_request(&message, &keytab(&pair), now, 300, permitted);
        assert_eq!(opened(Enctype::STRONG).unwrap_err(), refused);
        assert_eq!(opened(Enctype::ALL).unwrap().subkey.unwrap().enctype(), enctype);
        let reply = ap::make_reply(&ticket.key, now, Some(&weak), None, &SeededRandom::new(9));
        assert_eq!(ap::open_reply(&reply, &ticket.key, now, Enctype::STRONG).unwrap_err(), refused);
    }
}

#[test]
fn an_initiator_refuses_a_weak_ticket_of_its_cache() {
    for enctype in WEAK {
        let pair = Pair::with_enctype(enctype);
        pair.alice.keep(ticket(&pair));
        let name = Name::hostbased_service("host", "x.test");
        let step = Initiate::new(&by_default(&pair), Arc::clone(&pair.alice), name).start();
        let Step::Failed(Error::Refused(Refusal::NotPermitted { refused, .. })) = step else { panic!() };
        assert_eq!(refused, NotPermitted { number: enctype.number() });
    }
}
