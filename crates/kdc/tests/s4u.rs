//! Services that act for users: S4U2Self and S4U2Proxy, and what clients and the KDC refuse.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::NOW;
use common::forest::{Forest, name, tree};
use orthros_kdc::{Builder, Impersonation};
use orthros_krb5::exchange::{
    ExchangePolicy, KdcFailure, Lack, Missing, ReplyFault, constrained, impersonated, service,
};
use orthros_krb5::wire::{Decode, Encode, TgsRep, TicketFlags, pa_type};
use orthros_krb5::{Credential, ErrorCode};

fn plain() -> ExchangePolicy {
    ExchangePolicy::default()
}

fn base() -> Builder {
    tree("A")
        .principal("alice", "pw")
        .principal("bob", "pw")
        .principal("http/web", "pw")
        .service("db/x")
        .service("host/x")
}

fn forest() -> Forest {
    Forest::new([base()
        .impersonates("http/web", Impersonation::Forwardable)
        .delegates_to("http/web", "db/x")])
}

fn web(forest: &mut Forest) -> Credential {
    forest.tgt("http/web@A", ExchangePolicy { forwardable: true, ..plain() })
}

fn as_alice(forest: &mut Forest, tgt: &Credential) -> Result<Credential, KdcFailure> {
    let progress = impersonated(tgt, Vec::new(), name("alice@A"), plain(), forest.env.clone());
    forest.drive(progress).map(|obtained| obtained.credential)
}

fn missing(failure: &KdcFailure) -> Missing {
    match failure {
        KdcFailure::NotForUser(refused) => refused.missing,
        other => panic!("{other:?}"),
    }
}

fn altered(
    forest: &mut Forest,
    tgt: &Credential,
    alter: impl Fn(&mut TgsRep<'_>),
) -> Result<Credential, KdcFailure> {
    let progress = impersonated(tgt, Vec::new(), name("alice@A"), plain(), forest.env.clone());
    let altered = forest.drive_altered(progress, |_, answer| {
        let octets = answer.clone();
        let mut reply = TgsRep::from_der(&octets).unwrap();
        alter(&mut reply);
        *answer = reply.to_der();
    });
    altered.map(|obtained| obtained.credential)
}

#[test]
fn a_service_is_a_user_to_itself_and_then_to_whom_it_may() {
    let mut forest = forest();
    let tgt = web(&mut forest);
    let evidence = as_alice(&mut forest, &tgt).unwrap();
    assert_eq!(
        (evidence.client.to_string(), evidence.server.to_string()),
        ("alice@A".into(), "http/web@A".into())
    );
    assert!(evidence.flags.contains(TicketFlags::FORWARDABLE));
    let progress = constrained(&tgt, &evidence, name("db/x@A"), plain(), forest.env.clone());
    let ticket = forest.drive(progress).unwrap().credential;
    assert_eq!((ticket.client.to_string(), ticket.server.to_string()), ("alice@A".into(), "db/x@A".into()));
}

#[test]
fn a_clients_own_ticket_is_evidence_too() {
    let mut forest = forest();
    let bob = forest.tgt("bob@A", ExchangePolicy { forwardable: true, ..plain() });
    let progress = service(&bob, name("http/web@A"), plain(), forest.env.clone());
    let evidence = forest.drive(progress).unwrap().credential;
    let tgt = web(&mut forest);
    let progress = constrained(&tgt, &evidence, name("db/x@A"), plain(), forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap().credential.client, name("bob@A"));
}

#[test]
fn nothing_of_it_is_allowed_unless_the_realm_says_so() {
    let mut forest = Forest::new([base()]);
    let tgt = web(&mut forest);
    let failure = as_alice(&mut forest, &tgt).unwrap_err();
    assert_eq!(
        (missing(&failure), failure.code()),
        (Missing::Impersonate, Some(ErrorCode::PADATA_TYPE_NOSUPP))
    );
    let bob = forest.tgt("bob@A", ExchangePolicy { forwardable: true, ..plain() });
    let progress = service(&bob, name("http/web@A"), plain(), forest.env.clone());
    let evidence = forest.drive(progress).unwrap().credential;
    let progress = constrained(&tgt, &evidence, name("db/x@A"), plain(), forest.env.clone());
    let failure = forest.drive(progress).unwrap_err();
    assert_eq!(missing(&failure), Missing::DelegateTo);
    let text = failure.to_string();
    assert!(
        text.contains("krbAllowedToDelegateTo") && text.contains("http/web@A") && text.contains("bob@A"),
        "{text}"
    );
}

#[test]
fn the_error_names_the_flag_that_the_kdc_lacks() {
    let mut forest = Forest::new([base()
        .impersonates("http/web", Impersonation::Itself)
        .delegates_to("http/web", "db/x")]);
    let tgt = web(&mut forest);
    let evidence = as_alice(&mut forest, &tgt).unwrap();
    assert!(!evidence.flags.contains(TicketFlags::FORWARDABLE));
    let progress = constrained(&tgt, &evidence, name("db/x@A"), plain(), forest.env.clone());
    let failure = forest.drive(progress).unwrap_err();
    assert_eq!(missing(&failure), Missing::OkToAuthAsDelegate);
    assert!(failure.to_string().contains("ok_to_auth_as_delegate"), "{failure}");
    let short = forest.tgt("http/web@A", plain());
    let progress = constrained(&short, &evidence, name("db/x@A"), plain(), forest.env.clone());
    assert_eq!(missing(&forest.drive(progress).unwrap_err()), Missing::Forwardable);
    let progress = impersonated(&tgt, Vec::new(), name("carol@A"), plain(), forest.env.clone());
    let failure = forest.drive(progress).unwrap_err();
    assert_eq!(missing(&failure), Missing::User);
    assert!(failure.to_string().contains("carol@A"), "{failure}");
}

#[test]
fn only_the_named_targets_are_reached() {
    let mut forest = forest();
    let tgt = web(&mut forest);
    let evidence = as_alice(&mut forest, &tgt).unwrap();
    for target in ["host/x@A", "krbtgt/A@A"] {
        let progress = constrained(&tgt, &evidence, name(target), plain(), forest.env.clone());
        assert_eq!(missing(&forest.drive(progress).unwrap_err()), Missing::DelegateTo, "{target}");
    }
}

/// The name in the clear is anybody's to write; without the KDC's proof it would be believed.
#[test]
fn a_reply_that_proves_nothing_or_something_else_is_refused() {
    let mut forest = forest();
    let tgt = web(&mut forest);
    let fault = |result: Result<Credential, KdcFailure>| match result.unwrap_err() {
        KdcFailure::BadReply { fault, .. } => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(altered(&mut forest, &tgt, |reply| reply.0.padata = None)), ReplyFault::Unproved);
    let other = name("bob@A");
    let renamed = altered(&mut forest, &tgt, |reply| {
        // The name borrows from what outlives the reply.
        reply.0.cname.components.iter_mut().for_each(|component| component.0 = "bob");
    });
    assert_eq!(fault(renamed), ReplyFault::Client(other.to_string()));
    let cut = altered(&mut forest, &tgt, |reply| {
        for element in reply.0.padata.iter_mut().flatten() {
            assert_eq!(element.padata_type, pa_type::S4U_X509_USER);
            element.padata_value = &element.padata_value[..element.padata_value.len() - 1];
        }
    });
    assert_eq!(fault(cut), ReplyFault::Unproved);
}

#[test]
fn a_reply_for_another_client_than_the_evidences_is_refused() {
    let mut forest = forest();
    let tgt = web(&mut forest);
    let evidence = as_alice(&mut forest, &tgt).unwrap();
    let progress = constrained(&tgt, &evidence, name("db/x@A"), plain(), forest.env.clone());
    let renamed = forest.drive_altered(progress, |_, answer| {
        let octets = answer.clone();
        let mut reply = TgsRep::from_der(&octets).unwrap();
        reply.0.cname.components.iter_mut().for_each(|component| component.0 = "bob");
        *answer = reply.to_der();
    });
    match renamed.unwrap_err() {
        KdcFailure::BadReply { fault, .. } => assert_eq!(fault, ReplyFault::Client("bob@A".into())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_ticket_to_another_service_is_no_evidence() {
    let mut forest = forest();
    let bob = forest.tgt("bob@A", ExchangePolicy { forwardable: true, ..plain() });
    let progress = service(&bob, name("host/x@A"), plain(), forest.env.clone());
    let foreign = forest.drive(progress).unwrap().credential;
    let tgt = web(&mut forest);
    let progress = constrained(&tgt, &foreign, name("db/x@A"), plain(), forest.env.clone());
    match forest.drive(progress).unwrap_err() {
        KdcFailure::Lacks { client, lack: Lack::Evidence } => assert_eq!(client, name("bob@A")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn evidence_that_has_ended_is_refused_by_the_kdc() {
    let mut forest = forest();
    let tgt = web(&mut forest);
    let short = ExchangePolicy { forwardable: true, lifetime: 60, ..plain() };
    let bob = forest.tgt("bob@A", short);
    let progress = service(&bob, name("http/web@A"), plain(), forest.env.clone());
    let evidence = forest.drive(progress).unwrap().credential;
    forest.set_clock(NOW + 61);
    let progress = constrained(&tgt, &evidence, name("db/x@A"), plain(), forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap_err().code(), Some(ErrorCode::TKT_EXPIRED));
}
