//! The client's exchanges against the embedded KDC, in memory, with clocks that stand still.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{NOW, SeededRandom, World, principal, realm};
use orthros_crypto::{Enctype, Key, KeyUsage, LongTermKey};
use orthros_kdc::{Realm, RealmPolicy};
use orthros_krb5::exchange::{
    ExchangePolicy, InitialSecret, KdcFailure, Lack, Progress, ReplyFault, SecretKind, forwarded, initial,
    service,
};
use orthros_krb5::wire::{
    AsRep, AsReq, Decode, EncTicketPart, Encode, GeneralString, Raw, Ticket, TicketFlags,
};
use orthros_krb5::{Credential, ErrorCode, Principal};
use orthros_wire::Timestamp;

/// The fast one, for tests that are not about enctypes.
const FAST: &[Enctype] = &[Enctype::Aes128CtsHmacSha1];

fn plain() -> ExchangePolicy {
    ExchangePolicy::default()
}

fn forwardable() -> ExchangePolicy {
    ExchangePolicy { forwardable: true, renewable_lifetime: Some(86_400), ..plain() }
}

/// Opens a ticket as its server would.
fn opened<T>(realm: &Realm, credential: &Credential, look: impl FnOnce(&EncTicketPart<'_>) -> T) -> T {
    let ticket = Ticket::from_der(&credential.ticket).unwrap();
    let keys = realm.keytab_for(&credential.server);
    let key = keys.iter().find(|key| key.key.enctype().number() == ticket.enc_part.etype).unwrap();
    assert_eq!(ticket.enc_part.kvno, Some(key.kvno));
    let plain = key.key.decrypt(KeyUsage::TICKET, ticket.enc_part.cipher).unwrap();
    look(&EncTicketPart::from_der(&plain).unwrap())
}

#[test]
fn each_enctype_serves_from_password_to_forwarded_ticket() {
    for enctype in Enctype::STRONG {
        let mut world = World::new(&[*enctype]);
        let obtained = world.alice(forwardable()).unwrap();
        assert_eq!((obtained.requests, obtained.kdc_offset), (2, Some(0)));
        let tgt = obtained.credential;
        assert_eq!(tgt.key.enctype(), *enctype);
        assert_eq!(tgt.server, principal("krbtgt/TEST"));
        assert_eq!((tgt.times.starttime.0, tgt.times.endtime.0), (NOW, NOW + 36_000));
        assert_eq!(tgt.times.renew_till.0, NOW + 86_400);

        let progress = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
        let ticket = world.drive(progress).unwrap().credential;
        assert_eq!(ticket.server, principal("host/x.test"));
        opened(&world.realm, &ticket, |part| {
            assert_eq!(part.key.keyvalue.0, ticket.key.expose_octets());
            assert_eq!(Principal::from_wire(&part.cname, part.crealm.0).unwrap(), principal("alice"));
            assert!(part.flags.contains(TicketFlags::PRE_AUTHENT) && part.authorization_data.is_none());
            assert!(!part.flags.contains(TicketFlags::INITIAL));
            assert_eq!((part.flags, part.endtime), (ticket.flags, ticket.times.endtime));
        });

        let progress = forwarded(&tgt, plain(), world.env.clone());
        let given = world.drive(progress).unwrap().credential;
        assert!(given.flags.contains(TicketFlags::FORWARDED | TicketFlags::FORWARDABLE));
        assert_eq!(given.server, tgt.server);
        assert!(given.addresses.is_empty() && !given.key.ct_eq(&tgt.key));
        let progress = service(&given, principal("host/x.test"), plain(), world.env.clone());
        let ticket = world.drive(progress).unwrap().credential;
        assert!(ticket.flags.contains(TicketFlags::FORWARDED));
    }
}

#[test]
fn the_same_clock_and_seed_give_the_same_octets() {
    let run = || {
        let mut world = World::new(FAST);
        let tgt = world.tgt(forwardable());
        let progress = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
        world.drive(progress).unwrap();
        let progress = forwarded(&tgt, plain(), world.env.clone());
        world.drive(progress).unwrap();
        world.transcript
    };
    let first = run();
    assert_eq!(first.len(), 8);
    assert_eq!(first, run());
}

#[test]
fn a_keytab_gets_tickets_as_a_password_does() {
    for enctype in Enctype::STRONG {
        let mut world = World::new(Enctype::STRONG);
        let host = principal("host/x.test");
        let keys = world.realm.keytab_for(&host);
        // A key that is out of date stands behind the good one.
        let good = keys.iter().find(|entry| entry.key.enctype() == *enctype).unwrap().key.clone();
        let old = Arc::new(LongTermKey::from(Key::random(*enctype, &SeededRandom::new(9))));
        let secret = InitialSecret::Keys(vec![good, old]);
        let progress = initial(host.clone(), secret, None, plain(), world.env.clone());
        let tgt = world.drive(progress).unwrap().credential;
        assert_eq!((tgt.client, tgt.key.enctype()), (host, *enctype));
    }
}

#[test]
fn a_wrong_password_or_key_is_said_to_be_one() {
    let mut world = World::new(FAST);
    let progress = world.start("alice", "open barley", plain());
    let failure = world.drive(progress).unwrap_err();
    assert_eq!(failure.code(), Some(ErrorCode::PREAUTH_FAILED));
    assert!(failure.to_string().starts_with("the password is not the one that the KDC has for alice@TEST"));

    let stale = Arc::new(LongTermKey::from(Key::random(FAST[0], &SeededRandom::new(9))));
    let secret = InitialSecret::Keys(vec![stale]);
    let progress = initial(principal("host/x.test"), secret, None, plain(), world.env.clone());
    let failure = world.drive(progress).unwrap_err();
    assert!(matches!(&failure, KdcFailure::PreauthFailed { secret: SecretKind::Keys, .. }));
    assert!(failure.to_string().contains("host/x.test@TEST") && failure.to_string().contains("kvno"));
}

#[test]
fn without_preauthentication_a_wrong_password_shows_when_the_reply_does_not_open() {
    let policy = RealmPolicy { requires_preauth: false, enctypes: FAST.to_vec(), ..RealmPolicy::default() };
    let realm = Realm::builder("TEST").policy(policy).principal("alice", "open sesame");
    let mut world = World::with_realm(realm.build(&SeededRandom::new(1)).unwrap());
    let obtained = world.alice(plain()).unwrap();
    assert_eq!(obtained.requests, 1);
    assert!(!obtained.credential.flags.contains(TicketFlags::PRE_AUTHENT));
    let progress = world.start("alice", "open barley", plain());
    let failure = world.drive(progress).unwrap_err();
    assert!(matches!(&failure, KdcFailure::Integrity { secret: Some(SecretKind::Password), .. }));
    assert!(failure.to_string().contains("the password is wrong"));
}

#[test]
fn unknown_principals_are_named() {
    let mut world = World::new(FAST);
    let progress = world.start("nobody", "pw", plain());
    let failure = world.drive(progress).unwrap_err();
    assert_eq!(failure.code(), Some(ErrorCode::C_PRINCIPAL_UNKNOWN));
    assert!(failure.to_string().contains("nobody@TEST"));
    let tgt = world.tgt(plain());
    let progress = service(&tgt, principal("host/y.test"), plain(), world.env.clone());
    let failure = world.drive(progress).unwrap_err();
    assert_eq!(failure.code(), Some(ErrorCode::S_PRINCIPAL_UNKNOWN));
    assert!(failure.to_string().contains("host/y.test@TEST"));
}

#[test]
fn a_realm_without_a_way_to_it_is_named_and_useless_tickets_are_refused_before_anything_is_sent() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(plain());
    let server = "host/far@ELSEWHERE".parse().unwrap();
    let progress = service(&tgt, server, plain(), world.env.clone());
    let failure = world.drive(progress).unwrap_err();
    assert!(matches!(&failure, KdcFailure::CrossRealm { .. }) && failure.to_string().contains("ELSEWHERE"));
    let failure = match forwarded(&tgt, plain(), world.env.clone()) {
        Progress::Failed(failure) => failure,
        other => panic!("{other:?}"),
    };
    assert!(matches!(failure, KdcFailure::Lacks { lack: Lack::Forwardable, .. }));
    world.set_client_clock(NOW + 36_000);
    let expired = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
    assert!(matches!(expired, Progress::Failed(KdcFailure::Expired { .. })));
}

#[test]
fn an_enctype_outside_the_policy_is_neither_asked_for_nor_taken() {
    let mut world = World::new(FAST);
    let policy = ExchangePolicy { enctypes: vec![Enctype::Aes256CtsHmacSha1], ..plain() };
    let failure = world.alice(policy.clone()).unwrap_err();
    assert!(matches!(&failure, KdcFailure::NoEnctype { .. }));
    assert!(failure.to_string().contains("aes256-cts-hmac-sha1-96"));
    let none = world.alice(ExchangePolicy { enctypes: Vec::new(), ..plain() }).unwrap_err();
    assert!(matches!(none, KdcFailure::NoEnctype { .. }));

    // The KDC's answer to a client that takes anything, given to one that does not.
    let lenient = world.start("alice", "open sesame", plain());
    let strict = world.start("alice", "open sesame", policy);
    let (Progress::Ask(lenient), Progress::Ask(strict)) = (lenient, strict) else { panic!() };
    let now = Timestamp::from_seconds(NOW);
    let answer = world.realm.answer(lenient.request(), now, &world.kdc_random).unwrap();
    let Progress::Failed(KdcFailure::NoEnctype { offered, .. }) = strict.reply(&answer, now) else {
        panic!()
    };
    assert_eq!(offered, [17]);
}

#[test]
fn a_clock_within_five_minutes_serves_and_beyond_only_with_timesync() {
    let strict = || ExchangePolicy { kdc_timesync: false, ..plain() };
    for (skew, strict_works) in [(299, true), (-299, true), (301, false), (-301, false)] {
        let mut world = World::new(FAST);
        world.set_client_clock(NOW + skew);
        let outcome = world.alice(strict());
        assert_eq!(outcome.is_ok(), strict_works, "{skew}");
        if let Err(failure) = outcome {
            assert_eq!(failure.code(), Some(ErrorCode::SKEW));
            assert!(failure.to_string().contains("301 s"), "{failure}");
        }
        let obtained = world.alice(plain()).unwrap();
        assert_eq!(obtained.kdc_offset, Some(-skew));
        // The ticket-granting service looks at the clock as well; the offset helps.
        let tgt = obtained.credential;
        let host = || principal("host/x.test");
        let outcome = world.drive(service(&tgt, host(), plain(), world.env.clone()));
        assert_eq!(outcome.is_ok(), strict_works, "{skew}");
        let knowing = ExchangePolicy { kdc_offset: -skew, ..plain() };
        let progress = service(&tgt, host(), knowing, world.env.clone());
        world.drive(progress).unwrap();
    }
}

#[test]
fn the_time_of_an_error_serves_once_and_is_not_kept() {
    // An attacker's PREAUTH_REQUIRED tells a time two days ahead. The timestamp is made with it, the KDC
    // complains, one more is made with the KDC's time; the offset that is kept is the sealed reply's.
    let mut world = World::new(FAST);
    let progress = world.start("alice", "open sesame", plain());
    let obtained = world
        .drive_altered(progress, |number, answer| {
            if number == 0 {
                let mut error = orthros_krb5::wire::KrbError::from_der(answer).unwrap();
                error.stime.0 += 2 * 86_400;
                let altered = error.to_der();
                *answer = altered;
            }
        })
        .unwrap();
    assert_eq!((obtained.requests, obtained.kdc_offset), (3, Some(0)));
}

#[test]
fn each_request_has_a_nonce_of_its_own() {
    let mut world = World::new(FAST);
    for _ in 0..50 {
        let progress = world.start("alice", "open sesame", plain());
        world.drive(progress).unwrap();
    }
    let nonces: BTreeSet<u32> = world
        .transcript
        .iter()
        .step_by(2)
        .map(|request| AsReq::from_der(request).unwrap().0.req_body.nonce)
        .collect();
    assert_eq!(nonces.len(), 100, "two requests each, one without and one with preauthentication");
    // Chosen among all of 31 bits, the greatest and the least of a hundred lie far apart.
    let (least, most) = (nonces.first().unwrap(), nonces.last().unwrap());
    assert!(*least < 1 << 29 && *most > 3 << 29 && *most < 1 << 31, "{least} {most}");
}

#[test]
fn a_reply_to_another_request_is_refused() {
    let mut world = World::new(FAST);
    let earlier = world.start("alice", "open sesame", plain());
    world.drive(earlier).unwrap();
    let old_reply = world.transcript[3].clone();
    let progress = world.start("alice", "open sesame", plain());
    let failure = world.drive_altered(progress, |number, answer| {
        if number == 1 {
            answer.clone_from(&old_reply);
        }
    });
    assert!(matches!(failure, Err(KdcFailure::BadReply { fault: ReplyFault::Nonce, .. })));
}

#[test]
fn altered_clear_names_are_refused() {
    type Alter = fn(&mut AsRep<'_>);
    let alter: [(Alter, ReplyFault); 2] = [
        (|reply| reply.0.crealm = GeneralString("EVIL"), ReplyFault::Client("alice@EVIL".into())),
        (
            |reply| reply.0.cname.components[0] = GeneralString("mallory"),
            ReplyFault::Client("mallory@TEST".into()),
        ),
    ];
    for (change, wanted) in alter {
        let mut world = World::new(FAST);
        let progress = world.start("alice", "open sesame", plain());
        let failure = world.drive_altered(progress, |number, answer| {
            if number == 1 {
                let mut reply = AsRep::from_der(answer).unwrap();
                change(&mut reply);
                let altered = reply.to_der();
                *answer = altered;
            }
        });
        let Err(KdcFailure::BadReply { fault, .. }) = failure else { panic!("{failure:?}") };
        assert_eq!(fault, wanted);
    }
    // Orpheus' Lyre: the clear name of the ticket.
    let mut world = World::new(FAST);
    let tgt = world.tgt(plain());
    let progress = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
    let failure = world.drive_altered(progress, |_, answer| {
        let orthros_krb5::wire::TgsRep(mut reply) = Decode::from_der(answer).unwrap();
        let mut ticket = reply.ticket.clone().into_value();
        ticket.sname.components[1] = GeneralString("evil.test");
        let octets = ticket.to_der();
        reply.ticket = Raw::from_der(&octets).unwrap();
        let altered = orthros_krb5::wire::TgsRep(reply).to_der();
        *answer = altered;
    });
    let Err(KdcFailure::BadReply { fault, .. }) = failure else { panic!("{failure:?}") };
    assert_eq!(fault, ReplyFault::TicketNames("host/evil.test@TEST".into()));
}

/// A flipped bit is refused, or it lies where the client reports nothing: in the ticket's sealed part, which
/// only the server can judge, in kinds of names, in key version numbers, and in unneeded pre-authentication
/// data. Whatever is taken is the credential that the KDC meant.
#[test]
fn no_flipped_bit_of_a_reply_changes_what_is_believed() {
    let host = || principal("host/x.test");
    let start = |world: &World| {
        let keys = world.realm.keytab_for(&host()).into_iter().map(|entry| entry.key).collect();
        initial(host(), InitialSecret::Keys(keys), None, plain(), world.env.clone())
    };
    let mut world = World::new(FAST);
    let progress = start(&world);
    let meant = world.drive(progress).unwrap().credential;
    let good = world.transcript[3].clone();
    let mut taken = 0;
    for bit in 0..good.len() * 8 {
        let mut world = World::new(FAST);
        let progress = start(&world);
        let outcome = world.drive_altered(progress, |number, answer| {
            if number == 1 {
                assert_eq!(*answer, good);
                answer[bit / 8] ^= 0x80 >> (bit % 8);
            }
        });
        if let Ok(obtained) = outcome {
            taken += 1;
            let (got, meant) = (obtained.credential, &meant);
            assert!(got.key.ct_eq(&meant.key));
            assert_eq!(
                (got.client, got.server, got.times, got.flags, got.addresses),
                (meant.client.clone(), meant.server.clone(), meant.times, meant.flags, Vec::new())
            );
        }
    }
    let free = {
        let AsRep(reply) = AsRep::from_der(&good).unwrap();
        let padata: usize = reply.padata.iter().flatten().map(|element| element.padata_value.len()).sum();
        (reply.ticket.enc_part.cipher.len() + padata + 16) * 8
    };
    assert!(taken <= free, "{taken} of {} bits were free, {free} at most should be", good.len() * 8);
}

#[test]
fn no_flipped_bit_of_a_service_reply_changes_what_is_believed() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(plain());
    let progress = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
    let Progress::Ask(ask) = progress else { panic!() };
    let now = Timestamp::from_seconds(NOW);
    let length = world.realm.answer(ask.request(), now, &world.kdc_random).unwrap().len();
    for bit in 0..length * 8 {
        let progress = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
        let outcome = world.drive_altered(progress, |_, answer| answer[bit / 8] ^= 0x80 >> (bit % 8));
        if let Ok(obtained) = outcome {
            let got = obtained.credential;
            assert_eq!((got.client, got.server), (principal("alice"), principal("host/x.test")));
            assert_eq!(got.times.endtime, tgt.times.endtime);
        }
    }
}

#[test]
fn truncated_replies_and_other_messages_are_refused() {
    let mut world = World::new(FAST);
    world.tgt(plain());
    let (request, good) = (world.transcript[2].clone(), world.transcript[3].clone());
    let answers = (0..good.len()).map(|length| good[..length].to_vec()).chain([request]);
    for answer in answers {
        let Progress::Ask(ask) = world.start("alice", "open sesame", plain()) else { panic!() };
        let outcome = ask.reply(&answer, Timestamp::from_seconds(NOW));
        assert!(matches!(
            outcome,
            Progress::Failed(KdcFailure::Malformed { .. } | KdcFailure::BadReply { .. })
        ));
    }
    let Progress::Ask(ask) = world.start("alice", "open sesame", plain()) else { panic!() };
    let Progress::Failed(failure) = ask.unavailable("127.0.0.1:88: connection refused".into()) else {
        panic!()
    };
    assert_eq!(failure.to_string(), "no KDC of TEST answered: 127.0.0.1:88: connection refused");
}

#[test]
fn a_kdc_that_never_has_enough_is_given_up() {
    let world = World::new(FAST);
    let Progress::Ask(first) = world.start("alice", "open sesame", plain()) else { panic!() };
    let now = Timestamp::from_seconds(NOW);
    let more = world.realm.answer(first.request(), now, &world.kdc_random).unwrap();
    let Progress::Ask(second) = first.reply(&more, now) else { panic!() };
    let Progress::Failed(failure) = second.reply(&more, now) else { panic!() };
    assert_eq!(failure.code(), Some(ErrorCode::PREAUTH_REQUIRED));

    // Or one that finds fault with every clock.
    let mut world = World::new(FAST);
    let progress = world.start("alice", "open sesame", plain());
    let failure = world.drive_altered(progress, |number, answer| {
        let mut error = orthros_krb5::wire::KrbError::from_der(answer).unwrap_or_else(|_| skew());
        if number > 0 {
            error.error_code = ErrorCode::SKEW.0;
            let altered = error.to_der();
            *answer = altered;
        }
    });
    let failure = failure.unwrap_err();
    assert!(matches!(failure, KdcFailure::Skew { .. }));
    // Both clocks show the same, so nobody is told to set them.
    assert!(failure.to_string().contains("they do not now"), "{failure}");
    assert_eq!(world.transcript.len(), 6);
}

#[test]
fn a_ticket_that_comes_when_it_is_over_is_said_to_be_over() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(plain());
    let progress = service(&tgt, principal("host/x.test"), plain(), world.env.clone());
    let Progress::Ask(ask) = progress else { panic!() };
    let now = Timestamp::from_seconds(NOW);
    let reply = world.realm.answer(ask.request(), now, &world.kdc_random).unwrap();
    let end = Timestamp::from(tgt.times.endtime);
    let Progress::Failed(failure) = ask.reply(&reply, end) else { panic!() };
    assert_eq!(failure.code(), Some(ErrorCode::TKT_EXPIRED));
    assert!(failure.to_string().contains(&format!("ended at {end}")), "{failure}");
}

/// Errors of every code, with data of 60,000 octets, at the end of time: the client says what it was told, asks no
/// more than three times, and neither its clock nor what it takes is changed.
#[test]
fn errors_of_every_code_with_long_data_and_any_time_are_told_and_believed_in_nothing() {
    let data = vec![0x30; 60_000];
    for code in (0..=127).chain([-1, i32::MIN, i32::MAX]) {
        for stime in [i64::from(i32::MAX), 0] {
            let mut world = World::new(FAST);
            let progress = world.start("alice", "open sesame", plain());
            let outcome = world.drive_altered(progress, |_, answer| {
                let mut error = orthros_krb5::wire::KrbError { error_code: code, ..skew() };
                error.stime.0 = stime;
                error.e_data = Some(&data);
                *answer = error.to_der();
            });
            let failure = outcome.map(drop).expect_err("an error is no ticket");
            assert!(
                !failure.to_string().is_empty() && failure.to_string().len() < 1_000,
                "{code}: {failure}"
            );
            assert!(world.transcript.len() <= 6, "{code}: asked {} times", world.transcript.len() / 2);
        }
    }
}

fn skew() -> orthros_krb5::wire::KrbError<'static> {
    orthros_krb5::wire::KrbError {
        pvno: 5,
        msg_type: 30,
        ctime: None,
        cusec: None,
        stime: orthros_krb5::wire::KerberosTime(NOW + 86_400),
        susec: 0,
        error_code: ErrorCode::SKEW.0,
        crealm: None,
        cname: None,
        realm: GeneralString("TEST"),
        sname: orthros_krb5::wire::PrincipalName { name_type: 2, components: vec![GeneralString("krbtgt")] },
        e_text: None,
        e_data: None,
    }
}

#[test]
fn tickets_outlive_a_roll_over_of_the_ticket_granting_key() {
    let mut world = World::new(FAST);
    let old = world.tgt(plain());
    let krbtgt = principal("krbtgt/TEST");
    assert_eq!(world.realm.roll_over(&krbtgt, &SeededRandom::new(7)), Ok(2));
    let host = principal("host/x.test");
    assert_eq!(world.realm.roll_over(&host, &SeededRandom::new(8)), Ok(2));
    for tgt in [old, world.tgt(plain())] {
        let progress = service(&tgt, host.clone(), plain(), world.env.clone());
        let ticket = world.drive(progress).unwrap().credential;
        assert_eq!(Ticket::from_der(&ticket.ticket).unwrap().enc_part.kvno, Some(2));
        opened(&world.realm, &ticket, |_| ());
    }
    world.realm.change_password(&principal("alice"), "shut sesame").unwrap();
    assert_eq!(world.alice(plain()).unwrap_err().code(), Some(ErrorCode::PREAUTH_FAILED));
    let progress = world.start("alice", "shut sesame", plain());
    world.drive(progress).unwrap();
}

#[test]
fn exchanges_follow_each_other() {
    let mut world = World::new(FAST);
    let env = world.env.clone();
    let progress = world.start("alice", "open sesame", plain()).and_then(move |obtained| {
        service(&obtained.credential, principal("host/x.test"), ExchangePolicy::default(), env)
    });
    let both = world.drive(progress.map(|obtained| obtained)).unwrap();
    assert_eq!(both.credential.server, principal("host/x.test"));
}

#[test]
fn a_realm_refuses_what_it_cannot_hold() {
    use orthros_kdc::RealmError;
    let random = SeededRandom::new(1);
    let twice = Realm::builder("TEST").service("a").service("a").build(&random).unwrap_err();
    assert_eq!(twice, RealmError::Exists(principal("a")));
    let far = Realm::builder("TEST").service("a@ELSEWHERE").build(&random).unwrap_err();
    assert_eq!(far.to_string(), "a@ELSEWHERE belongs to another realm than this KDC's");
    assert_eq!(Realm::builder("TEST").enctypes(&[]).build(&random).unwrap_err(), RealmError::NoEnctype);
    assert!(realm(FAST).roll_over(&principal("nobody"), &random).is_err());
}
