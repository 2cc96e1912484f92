//! Services that act for users: where their credentials come from, what they are good for, and how they move.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use crate::common::{Pair, sealing_key};
use orthros_gss::credential::{CredentialSet, Lifetime};
use orthros_gss::error::NoCredential;
use orthros_gss::mechanism::KRB5_OID;
use orthros_gss::transfer::{export_credential, import_credential};
use orthros_gss::{Accept, Context, Error, Flags, Initiate, InitiatorCredential, Name};
use orthros_krb5::exchange::{ExchangePolicy, KdcFailure, Missing, Progress};
use orthros_krb5::{CredentialCache, Principal};
use orthros_wire::Clock;

fn service(name: &str) -> Name {
    Name::hostbased_service(name, "x.test")
}

fn drive<T: 'static>(pair: &Pair, mut progress: Progress<T>) -> Result<T, KdcFailure> {
    loop {
        progress = match progress {
            Progress::Ask(ask) => {
                let reply = pair.kdc(ask.request());
                ask.reply(&reply, pair.clock.now())
            }
            Progress::Done(outcome) => return Ok(outcome),
            Progress::Failed(failure) => return Err(failure),
        }
    }
}

/// Alice by host/x.test, who never came.
fn alice_by_host(pair: &Pair) -> Arc<InitiatorCredential> {
    let policy = ExchangePolicy::service(&pair.settings.config);
    let progress =
        pair.host().impersonate("alice@TEST".parse().unwrap(), policy, &pair.settings.env).unwrap();
    drive(pair, progress).unwrap()
}

fn context(pair: &Pair, credential: &Arc<InitiatorCredential>, name: &str) -> (Context, Context) {
    pair.establish(
        Initiate::new(&pair.settings, Arc::clone(credential), service(name)).mutual(),
        pair.accept(),
    )
}

/// What an acceptor that may act for its clients is given of alice.
fn delegated(pair: &Pair) -> Context {
    let acceptor = pair.acceptor.clone().delegating(pair.host());
    pair.establish(pair.initiate_full(), Accept::new(&pair.settings, acceptor)).1
}

#[test]
fn a_service_is_the_user_to_itself_and_to_whom_the_kdc_allows_it() {
    let pair = Pair::new();
    let alice = alice_by_host(&pair);
    let host: Principal = "host/x.test@TEST".parse().unwrap();
    assert_eq!((alice.client().to_string(), alice.impersonator()), ("alice@TEST".into(), Some(&host)));
    for name in ["host", "imap"] {
        let (initiator, acceptor) = context(&pair, &alice, name);
        assert_eq!(acceptor.initiator().to_string(), "alice@TEST");
        assert_eq!(initiator.initiator(), acceptor.initiator());
    }
    let before = pair.kdc_messages.lock().unwrap().len();
    context(&pair, &alice, "imap");
    assert_eq!(pair.kdc_messages.lock().unwrap().len(), before, "the ticket is asked for again");
}

#[test]
fn the_error_of_a_context_names_the_flag_that_the_kdc_lacks() {
    let pair = Pair::new();
    pair.realm.add_service("ldap/x.test", &orthros_wire::testing::SeededRandom::new(9)).unwrap();
    let alice = alice_by_host(&pair);
    let initiate = Initiate::new(&pair.settings, alice, service("ldap"));
    let error = pair.run(initiate, pair.accept(), |token| token).0.unwrap().unwrap_err();
    match &error {
        Error::Kdc(failure) => match &**failure {
            KdcFailure::NotForUser(refused) => assert_eq!(refused.missing, Missing::DelegateTo),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    let text = error.to_string();
    for part in ["alice@TEST", "host/x.test@TEST", "ldap/x.test@TEST", "krbAllowedToDelegateTo"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn clients_delegate_by_the_ticket_they_come_with_only_where_the_acceptor_asks_for_it() {
    let pair = Pair::new();
    let (_, plain) = pair.established();
    assert!(plain.delegated_credential().is_none());
    let context = delegated(&pair);
    assert!(context.flags().contains(Flags::DELEGATION));
    let alice = context.delegated_credential().unwrap();
    assert_eq!(alice.impersonator().unwrap().to_string(), "host/x.test@TEST");
    let (_, onward) = self::context(&pair, alice, "imap");
    assert_eq!(onward.initiator().to_string(), "alice@TEST");
}

#[test]
fn a_ticket_that_was_forwarded_comes_before_one_that_was_shown() {
    let pair = Pair::new();
    let acceptor = pair.acceptor.clone().delegating(pair.host());
    let (_, context) = pair.establish(pair.initiate_full().delegate(), Accept::new(&pair.settings, acceptor));
    assert_eq!(context.delegated_credential().unwrap().impersonator(), None);
}

#[test]
fn who_comes_to_another_principal_delegates_nothing() {
    let pair = Pair::new();
    let acceptor = pair.acceptor.clone().delegating(pair.host());
    let initiate = Initiate::new(&pair.settings, Arc::clone(&pair.alice), service("imap")).mutual();
    let (_, context) = pair.establish(initiate, Accept::new(&pair.settings, acceptor));
    assert!(context.delegated_credential().is_none());
}

/// The only ticket-granting ticket at hand is the service's own.
#[test]
fn the_services_own_ticket_is_never_given_away_as_the_users() {
    let pair = Pair::new();
    let alice = alice_by_host(&pair);
    for name in ["host", "imap"] {
        let request = Initiate::new(&pair.settings, Arc::clone(&alice), service(name)).mutual().delegate();
        let (initiator, acceptor) = pair.establish(request, pair.accept());
        assert!(!initiator.flags().contains(Flags::DELEGATION));
        assert!(acceptor.delegated_credential().is_none());
    }
}

#[test]
fn nobody_is_impersonated_by_somebody_who_is_impersonated() {
    let pair = Pair::new();
    let alice = alice_by_host(&pair);
    let policy = ExchangePolicy::service(&pair.settings.config);
    let refused = alice.impersonate("bob@TEST".parse().unwrap(), policy, &pair.settings.env);
    assert!(matches!(refused, Err(NoCredential::None(text)) if text.contains("host/x.test@TEST")));
    let acceptor = pair.acceptor.clone().delegating(alice);
    let (_, context) = pair.establish(pair.initiate_full(), Accept::new(&pair.settings, acceptor));
    assert!(context.delegated_credential().is_none());
}

#[test]
fn a_credential_of_both_uses_accepts_with_delegation_only_if_asked() {
    let pair = Pair::new();
    let both = CredentialSet::both(pair.host(), pair.acceptor.clone());
    let accept = |acceptor| Accept::new(&pair.settings, acceptor);
    let (_, plain) = pair.establish(pair.initiate_full(), accept(both.acceptor(&KRB5_OID).unwrap().clone()));
    assert!(plain.delegated_credential().is_none());
    let (_, asked) =
        pair.establish(pair.initiate_full(), accept(both.acceptor_delegating(&KRB5_OID).unwrap()));
    assert!(asked.delegated_credential().is_some());
    let accepting = CredentialSet::accepting(pair.acceptor.clone());
    let (_, without) =
        pair.establish(pair.initiate_full(), accept(accepting.acceptor_delegating(&KRB5_OID).unwrap()));
    assert!(without.delegated_credential().is_none());
}

#[test]
fn the_credential_survives_its_seal_and_its_contexts_transfer() {
    let pair = Pair::new();
    let token = export_credential(&alice_by_host(&pair), &sealing_key(1), &pair.settings).unwrap();
    let moved = Arc::new(import_credential(&token, &sealing_key(1), &pair.settings).unwrap());
    assert_eq!(moved.impersonator().unwrap().to_string(), "host/x.test@TEST");
    assert_eq!(context(&pair, &moved, "imap").1.initiator().to_string(), "alice@TEST");
    let token = delegated(&pair).export(&sealing_key(1)).unwrap();
    let there = pair.import(&token, &sealing_key(1)).unwrap();
    let alice = there.delegated_credential().unwrap();
    assert_eq!(alice.impersonator().unwrap().to_string(), "host/x.test@TEST");
    assert_eq!(context(&pair, alice, "imap").1.initiator().to_string(), "alice@TEST");
}

/// As MIT krb5 lays it out: the cache is the user's, with the service's ticket-granting ticket and a note.
#[test]
fn a_cache_tells_the_users_tickets_from_the_services() {
    let pair = Pair::new();
    let octets = alice_by_host(&pair).to_cache().to_octets();
    let cache = CredentialCache::parse(octets.expose_octets()).unwrap();
    assert_eq!(cache.primary().to_string(), "alice@TEST");
    let note = cache.configuration_value("proxy_impersonator", None);
    assert_eq!(note, Some(&b"host/x.test@TEST"[..]));
    let mut tickets: Vec<_> =
        cache.credentials().map(|ticket| format!("{} to {}", ticket.client, ticket.server)).collect();
    tickets.sort();
    assert_eq!(tickets, ["alice@TEST to host/x.test@TEST", "host/x.test@TEST to krbtgt/TEST@TEST"]);
    let again = Arc::new(InitiatorCredential::of_cache(&cache, 0));
    assert_eq!(context(&pair, &again, "imap").1.initiator().to_string(), "alice@TEST");
    // Without the note the service's ticket is of no use, and nobody's.
    let mut plain = cache.clone();
    plain.set_configuration("proxy_impersonator", None, None);
    assert_eq!(InitiatorCredential::of_cache(&plain, 0).tickets().len(), 1);
}

#[test]
fn it_lasts_as_long_as_both_tickets() {
    let pair = Pair::new();
    let host = pair.host();
    let short = InitiatorCredential::impersonating(&host, {
        let mut evidence = alice_by_host(&pair).tickets().remove(0);
        evidence.times.endtime.0 = crate::common::NOW + 60;
        evidence
    });
    assert_eq!(short.lifetime(pair.clock.now()), Lifetime::Seconds(60));
    pair.clock.advance(60);
    let initiate = Initiate::new(&pair.settings, Arc::new(short), service("imap"));
    let error = pair.run(initiate, pair.accept(), |token| token).0.unwrap().unwrap_err();
    assert!(matches!(error, Error::Credential(NoCredential::Expired { .. })), "{error:?}");
}
