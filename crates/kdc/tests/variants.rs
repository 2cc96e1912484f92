//! Tickets renewed, validated, forwarded and proxied; addresses; tickets verified by a keytab.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use common::NOW;
use common::forest::{Forest, name, tree};
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::exchange::{
    ExchangePolicy, KdcFailure, Lack, Progress, Verified, VerifyRule, forwarded, proxied, renewed, service,
    validated, verify_initial,
};
use orthros_krb5::wire::TicketFlags;
use orthros_krb5::{ErrorCode, Keytab};

fn plain() -> ExchangePolicy {
    ExchangePolicy::default()
}

fn forest() -> Forest {
    Forest::new([tree("A").principal("alice", "pw").service("host/x")])
}

fn lack<T: std::fmt::Debug>(progress: &Progress<T>) -> Lack {
    match progress {
        Progress::Failed(failure @ KdcFailure::Lacks { lack, .. }) => {
            assert!(failure.to_string().contains("alice@A"));
            *lack
        }
        other => panic!("{other:?}"),
    }
}

fn home() -> Vec<TypedOctets> {
    vec![
        TypedOctets { number: 2, octets: Box::new([127, 0, 0, 1]) },
        TypedOctets { number: 24, octets: Box::new([1; 16]) },
    ]
}

#[test]
fn a_renewed_ticket_has_a_fresh_life_within_its_bounds() {
    let mut forest = forest();
    let policy =
        ExchangePolicy { lifetime: 600, renewable_lifetime: Some(1_000), forwardable: true, ..plain() };
    let tgt = forest.tgt("alice@A", policy);
    forest.set_clock(NOW + 500);
    let progress = renewed(&tgt, &plain(), &forest.env);
    let fresh = forest.drive(progress).unwrap().credential;
    assert_eq!((fresh.times.starttime.0, fresh.times.endtime.0), (NOW + 500, NOW + 1_000));
    assert_eq!((fresh.times.authtime, fresh.times.renew_till), (tgt.times.authtime, tgt.times.renew_till));
    assert!(fresh.flags.contains(TicketFlags::RENEWABLE | TicketFlags::FORWARDABLE));
    assert!(!fresh.flags.contains(TicketFlags::INITIAL));
    let progress = service(&fresh, name("host/x@A"), plain(), forest.env.clone());
    forest.drive(progress).unwrap();
    forest.set_clock(NOW + 1_000);
    let spent = renewed(&tgt, &plain(), &forest.env);
    assert!(matches!(lack(&spent), Lack::RenewTime { .. }));
    forest.set_clock(NOW);
    let short = forest.tgt("alice@A", plain());
    assert_eq!(lack(&renewed(&short, &plain(), &forest.env)), Lack::Renewable);
}

#[test]
fn a_service_ticket_is_renewed_by_itself() {
    let mut forest = forest();
    let policy = ExchangePolicy { lifetime: 600, renewable_lifetime: Some(5_000), ..plain() };
    let tgt = forest.tgt("alice@A", policy);
    let progress = service(&tgt, name("host/x@A"), plain(), forest.env.clone());
    let ticket = forest.drive(progress).unwrap().credential;
    forest.set_clock(NOW + 300);
    let progress = renewed(&ticket, &plain(), &forest.env);
    let fresh = forest.drive(progress).unwrap().credential;
    assert_eq!((fresh.server, fresh.times.endtime.0), (name("host/x@A"), NOW + 900));
}

#[test]
fn a_postdated_ticket_serves_when_it_was_validated_in_its_time() {
    let mut forest = forest();
    let tgt = forest.tgt("alice@A", ExchangePolicy { start: Some(3_600), lifetime: 600, ..plain() });
    assert!(tgt.flags.contains(TicketFlags::POSTDATED | TicketFlags::INVALID | TicketFlags::MAY_POSTDATE));
    assert_eq!((tgt.times.starttime.0, tgt.times.endtime.0), (NOW + 3_600, NOW + 4_200));
    let early = validated(&tgt, &plain(), &forest.env);
    assert!(matches!(lack(&early), Lack::Begun { .. }));
    let unchecked = service(&tgt, name("host/x@A"), plain(), forest.env.clone());
    assert_eq!(lack(&unchecked), Lack::Validated);

    forest.set_clock(NOW + 3_600);
    let progress = validated(&tgt, &plain(), &forest.env);
    let valid = forest.drive(progress).unwrap().credential;
    assert_eq!(valid.times.endtime, tgt.times.endtime);
    assert!(!valid.flags.contains(TicketFlags::INVALID) && valid.flags.contains(TicketFlags::POSTDATED));
    let progress = service(&valid, name("host/x@A"), plain(), forest.env.clone());
    forest.drive(progress).unwrap();
    assert_eq!(lack(&validated(&valid, &plain(), &forest.env)), Lack::Postdated);
}

#[test]
fn a_kdc_that_postdates_nothing_says_so() {
    let policy = orthros_kdc::RealmPolicy { postdate: false, ..orthros_kdc::RealmPolicy::default() };
    let mut forest = Forest::new([tree("A").policy(policy).principal("alice", "pw")]);
    let wish = ExchangePolicy { start: Some(3_600), ..plain() };
    let failure = forest.login(name("alice@A"), wish).unwrap_err();
    assert_eq!(failure.code(), Some(ErrorCode::CANNOT_POSTDATE));
}

#[test]
fn addresses_are_those_asked_for_and_stay_until_a_ticket_moves() {
    let mut forest = forest();
    let policy = ExchangePolicy { addresses: home(), forwardable: true, proxiable: true, ..plain() };
    let tgt = forest.tgt("alice@A", policy);
    assert_eq!(tgt.addresses, home());
    let addresses =
        |forest: &Forest, ticket| forest.opened(ticket, |part| part.caddr.as_ref().map_or(0, Vec::len));
    let progress = service(&tgt, name("host/x@A"), plain(), forest.env.clone());
    let ticket = forest.drive(progress).unwrap().credential;
    assert_eq!((addresses(&forest, &ticket), &ticket.addresses), (2, &home()));

    let there = vec![TypedOctets { number: 2, octets: Box::new([10, 0, 0, 1]) }];
    let progress = proxied(&tgt, name("host/x@A"), there.clone(), &plain(), &forest.env);
    let proxy = forest.drive(progress).unwrap().credential;
    assert_eq!((addresses(&forest, &proxy), &proxy.addresses), (1, &there));
    assert!(proxy.flags.contains(TicketFlags::PROXY));

    let progress = forwarded(&tgt, plain(), forest.env.clone());
    let moved = forest.drive(progress).unwrap().credential;
    assert_eq!(addresses(&forest, &moved), 0);
    let progress =
        forwarded(&tgt, ExchangePolicy { addresses: there.clone(), ..plain() }, forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap().credential.addresses, there);
}

#[test]
fn a_proxy_needs_a_proxiable_ticket_and_a_service() {
    let mut forest = forest();
    let tgt = forest.tgt("alice@A", plain());
    let progress = proxied(&tgt, name("host/x@A"), Vec::new(), &plain(), &forest.env);
    assert_eq!(lack(&progress), Lack::Proxiable);
    let tgt = forest.tgt("alice@A", ExchangePolicy { proxiable: true, ..plain() });
    let progress = proxied(&tgt, name("krbtgt/A@A"), Vec::new(), &plain(), &forest.env);
    assert_eq!(forest.drive(progress).unwrap_err().code(), Some(ErrorCode::BADOPTION));
    let progress = proxied(&tgt, name("host/x@B"), Vec::new(), &plain(), &forest.env);
    assert!(matches!(progress, Progress::Failed(KdcFailure::CrossRealm { .. })));
}

#[test]
fn a_true_kdc_is_verified_by_a_keytab_and_a_spoofed_one_is_not() {
    let mut forest = forest();
    let keytab = Arc::new(forest.realm("A").keytab("host/x").unwrap());
    let servers = vec![name("host/unknown@A"), name("host/x@A")];
    let verify = |forest: &mut Forest, keytab: &Arc<Keytab>, servers: &[_], rule| {
        let tgt = forest.tgt("alice@A", plain());
        let keys = Arc::<Keytab>::clone(keytab);
        let progress = verify_initial(&tgt, keys, servers.to_vec(), rule, plain(), &forest.env);
        forest.drive(progress)
    };
    let outcome = verify(&mut forest, &keytab, &servers, VerifyRule::Demand).unwrap();
    assert_eq!(outcome, Verified::By(name("host/x@A")));
    assert_eq!(verify(&mut forest, &keytab, &[], VerifyRule::IfKeys), Ok(Verified::NoKey));
    let failure = verify(&mut forest, &keytab, &[], VerifyRule::Demand).unwrap_err();
    assert!(failure.to_string().contains("no key to verify it with"), "{failure}");

    // Whoever answers in the KDC's place knows the password that is typed, and not the host's key.
    let mut spoofed = Forest::new([tree("OTHER-SEED"), tree("A").principal("alice", "pw").service("host/x")]);
    for rule in [VerifyRule::Demand, VerifyRule::IfKeys] {
        let failure = verify(&mut spoofed, &keytab, &servers, rule).unwrap_err();
        assert!(matches!(failure, KdcFailure::Unverified { .. }), "{failure}");
    }
}
