//! Faults that other implementations had in their exchanges with a KDC, by name.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::NOW;
use common::forest::{Forest, name, tree};
use orthros_crypto::Enctype;
use orthros_krb5::exchange::{
    ExchangePolicy, InitialSecret, KdcFailure, Progress, ReplyFault, initial, service,
};
use orthros_krb5::wire::{Decode, Encode, GeneralString, KrbError, Raw, TgsRep, TicketFlags};
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::Timestamp;

fn plain() -> ExchangePolicy {
    ExchangePolicy::default()
}

fn two_realms() -> Forest {
    Forest::new([
        tree("A")
            .principal("alice", "pw")
            .service("host/x.test")
            .trust("B", "s")
            .refer_domain(".b.test", "B"),
        tree("B").trust("A", "s").service("host/y.b.test"),
    ])
}

fn altered(answer: &mut Vec<u8>, change: impl FnOnce(&mut TgsRep<'_>)) {
    let mut reply = TgsRep::from_der(answer).unwrap();
    change(&mut reply);
    let octets = reply.to_der();
    *answer = octets;
}

/// Orpheus' Lyre: the name in the clear part of a ticket was believed. A canonical name or a referral gives no way
/// around that.
#[test]
fn cve_2017_11103_a_name_in_the_clear_is_never_believed() {
    for (server, evil) in [("host/x.test@A", "host/evil@A"), ("host/y.b.test@A", "krbtgt/EVIL@A")] {
        let mut forest = two_realms();
        let tgt = forest.tgt("alice@A", plain());
        let progress = service(&tgt, name(server), plain(), forest.env.clone());
        let failure = forest.drive_altered(progress, |_, answer| {
            altered(answer, |reply| {
                let mut ticket = reply.0.ticket.clone().into_value();
                let evil = name(evil);
                let components = evil.components().to_vec();
                let leaked: Vec<GeneralString<'static>> = components
                    .into_iter()
                    .map(|component| GeneralString(Box::leak(component.into_boxed_str())))
                    .collect();
                ticket.sname.components = leaked;
                let octets: &'static [u8] = Box::leak(ticket.to_der().into_boxed_slice());
                reply.0.ticket = Raw::from_der(octets).unwrap();
            });
        });
        let Err(KdcFailure::BadReply { fault, .. }) = failure else { panic!("{failure:?}") };
        assert_eq!(fault, ReplyFault::TicketNames(evil.into()));
    }
}

#[test]
fn a_reply_for_a_client_of_another_realm_is_refused() {
    let mut forest = two_realms();
    let tgt = forest.tgt("alice@A", plain());
    let progress = service(&tgt, name("host/x.test@A"), plain(), forest.env.clone());
    let failure = forest
        .drive_altered(progress, |_, answer| altered(answer, |reply| reply.0.crealm = GeneralString("B")));
    let Err(KdcFailure::BadReply { fault, .. }) = failure else { panic!("{failure:?}") };
    assert_eq!(fault, ReplyFault::Client("alice@B".into()));
}

#[test]
fn an_initial_reply_whose_clients_realm_is_not_its_servers_is_refused_though_names_may_change() {
    let mut forest = two_realms();
    let secret = InitialSecret::Password("pw".into());
    let policy = ExchangePolicy { canonicalize: true, ..plain() };
    let progress = initial(name("alice@A"), secret, None, policy, forest.env.clone());
    let failure = forest.drive_altered(progress, |number, answer| {
        if number == 1 {
            let mut reply = orthros_krb5::wire::AsRep::from_der(answer).unwrap();
            reply.0.crealm = GeneralString("EVIL");
            let octets = reply.to_der();
            *answer = octets;
        }
    });
    let Err(KdcFailure::BadReply { fault, .. }) = failure else { panic!("{failure:?}") };
    assert_eq!(fault, ReplyFault::Client("alice@EVIL".into()));
}

/// A KDC that answers for another service than was asked for: the alias holds only within the KDC's own realm, and
/// its ticket-granting service is no alias of anything.
#[test]
fn a_ticket_granting_ticket_in_place_of_a_service_ticket_is_refused() {
    let mut forest = Forest::new([tree("A").principal("alice", "pw").alias("host/www", "krbtgt/A")]);
    let tgt = forest.tgt("alice@A", plain());
    let progress = service(&tgt, name("host/www@A"), plain(), forest.env.clone());
    let failure = forest.drive(progress);
    let Err(KdcFailure::BadReply { fault, .. }) = failure else { panic!("{failure:?}") };
    assert_eq!(fault, ReplyFault::Server("krbtgt/A@A".into()));
}

/// Nobody vouches for the time in an error. It may be tried for one encrypted timestamp, and is not kept.
#[test]
fn the_time_of_an_error_is_not_kept() {
    let far = |number: usize, answer: &mut Vec<u8>, only: usize| {
        if number == only
            && let Ok(mut error) = KrbError::from_der(answer)
        {
            error.stime.0 += 10 * 365 * 86_400;
            let octets = error.to_der();
            *answer = octets;
        }
    };
    let mut forest = two_realms();
    let secret = InitialSecret::Password("pw".into());
    let progress = initial(name("alice@A"), secret, None, plain(), forest.env.clone());
    let obtained = forest.drive_altered(progress, |number, answer| far(number, answer, 0)).unwrap();
    assert_eq!((obtained.kdc_offset, obtained.credential.times.authtime.0), (Some(0), NOW));

    // In a TGS exchange it serves for nothing but the report.
    forest.set_clock(NOW);
    let tgt = obtained.credential;
    let late = ExchangePolicy { kdc_offset: -3_600, ..plain() };
    let progress = service(&tgt, name("host/x.test@A"), late, forest.env.clone());
    forest.asked.clear();
    let failure = forest.drive_altered(progress, |number, answer| far(number, answer, 0)).unwrap_err();
    assert_eq!((failure.code(), forest.asked.len()), (Some(ErrorCode::SKEW), 1));
}

/// The list of enctypes lies in the clear of the first request: who shortens it gets no weaker key.
#[test]
fn a_weaker_enctype_than_was_asked_for_is_refused() {
    let (strong, weak) = (Enctype::Aes256CtsHmacSha1, Enctype::Aes128CtsHmacSha1);
    let forest =
        Forest::new([tree("A").enctypes(&[strong, weak]).principal("alice", "pw").service("host/x.test")]);
    let policy = ExchangePolicy { enctypes: vec![strong], ..plain() };
    let secret = InitialSecret::Password("pw".into());
    let mut progress = initial(name("alice@A"), secret, None, policy, forest.env.clone());
    let now = Timestamp::from_seconds(NOW);
    for _ in 0..2 {
        let Progress::Ask(ask) = progress else { break };
        let mut request = ask.request().to_vec();
        let listed = [0xa8, 0x05, 0x30, 0x03, 0x02, 0x01, 18];
        let place = request.windows(7).position(|window| window == listed).unwrap();
        request[place + 6] = 17;
        let answer = forest.realm("A").answer(&request, now, &common::SeededRandom::new(1)).unwrap();
        progress = ask.reply(&answer, now);
    }
    let Progress::Failed(failure) = progress else { panic!() };
    assert!(matches!(failure, KdcFailure::NoEnctype { .. }), "{failure}");
}

/// The hop before this one is added to the list of realms, whatever that realm wrote itself.
#[test]
fn cve_2017_6594_the_realm_before_is_written_into_the_ticket() {
    let mut capaths = orthros_krb5::config::Capaths::default();
    capaths.insert("A", "C", &["B"]);
    let mut forest = Forest::new([
        tree("A").principal("alice", "pw").trust("B", "1"),
        tree("B").trust("A", "1").trust("C", "2"),
        tree("C").trust("B", "2").capaths(capaths.clone()).service("host/c"),
    ]);
    let tgt = forest.tgt("alice@A", plain());
    let policy = ExchangePolicy { capaths: std::sync::Arc::new(capaths), ..plain() };
    let progress = service(&tgt, name("host/c@C"), policy, forest.env.clone());
    let obtained = forest.drive(progress).unwrap();
    let to_c = obtained.also.iter().find(|ticket| ticket.server == Principal::ticket_granting("C", "B"));
    let look = |part: &orthros_krb5::wire::EncTicketPart<'_>| part.transited.contents.to_vec();
    assert_eq!(forest.opened(to_c.unwrap(), look), b"");
    assert_eq!(forest.opened(&obtained.credential, look), b"B");
    let checked = TicketFlags::TRANSITED_POLICY_CHECKED;
    assert!(forest.opened(&obtained.credential, |part| part.flags.contains(checked)));
}
