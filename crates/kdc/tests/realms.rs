//! From realm to realm: ways, referrals, aliases, and what is refused on the way.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use common::forest::{Forest, name, tree};
use orthros_krb5::config::Capaths;
use orthros_krb5::exchange::{ExchangePolicy, KdcFailure, ReplyFault, service, service_from};
use orthros_krb5::wire::{GeneralString, TicketFlags};
use orthros_krb5::{ErrorCode, Principal};

fn plain() -> ExchangePolicy {
    ExchangePolicy::default()
}

fn with_way(client: &str, server: &str, between: &[&str]) -> ExchangePolicy {
    ExchangePolicy { capaths: Arc::new(way(client, server, between)), ..plain() }
}

fn way(client: &str, server: &str, between: &[&str]) -> Capaths {
    let mut capaths = Capaths::default();
    capaths.insert(client, server, between);
    capaths
}

/// A - B - C, each trusting its neighbours.
fn chain() -> Forest {
    Forest::new([
        tree("A").principal("alice", "pw").trust("B", "ab").refer_domain(".c.test", "B"),
        tree("B").trust("A", "ab").trust("C", "bc").refer_domain(".c.test", "C").principal("bob", "pw"),
        tree("C").trust("B", "bc").service("host/x.c.test").capaths(way("A", "C", &["B"])),
    ])
}

#[test]
fn two_realms_that_trust_each_other_are_crossed_in_both_directions() {
    let mut forest = Forest::new([
        tree("A").principal("alice", "pw").service("host/a").trust("B", "shared"),
        tree("B").principal("bob", "pw").service("host/b").trust("A", "shared"),
    ]);
    for (client, server, other) in [("alice@A", "host/b@B", "B"), ("bob@B", "host/a@A", "A")] {
        let tgt = forest.tgt(client, plain());
        let progress = service(&tgt, name(server), plain(), forest.env.clone());
        let obtained = forest.drive(progress).unwrap();
        assert_eq!((&obtained.credential.server, obtained.requests), (&name(server), 2));
        assert_eq!(forest.asked, [tgt.client.realm(), other]);
        let [between] = &obtained.also[..] else { panic!() };
        assert_eq!(between.server, Principal::ticket_granting(other, tgt.client.realm()));
        forest.opened(&obtained.credential, |part| {
            assert_eq!(Principal::from_wire(&part.cname, part.crealm.0).unwrap(), name(client));
            assert!(part.flags.contains(TicketFlags::TRANSITED_POLICY_CHECKED));
            assert!(part.transited.contents.is_empty());
        });
        // The ticket on the way is good for the next service.
        let others = obtained.also;
        let progress = service_from(&tgt, others, name(server), plain(), forest.env.clone());
        assert_eq!(forest.drive(progress).unwrap().requests, 1);
    }
}

#[test]
fn a_third_realm_is_reached_by_capaths_and_the_middle_one_is_written_down() {
    let mut forest = chain();
    let tgt = forest.tgt("alice@A", plain());
    let policy = with_way("A", "C", &["B"]);
    let progress = service(&tgt, name("host/x.c.test@C"), policy, forest.env.clone());
    let obtained = forest.drive(progress).unwrap();
    // A knows no key of C, so B is asked for; B knows one.
    assert_eq!(forest.asked, ["A", "A", "B", "C"]);
    assert_eq!(obtained.also.len(), 2);
    forest.opened(&obtained.credential, |part| {
        assert_eq!((part.transited.tr_type, part.transited.contents), (1, &b"B"[..]));
        assert!(part.flags.contains(TicketFlags::TRANSITED_POLICY_CHECKED));
    });
}

#[test]
fn a_third_realm_is_reached_by_referrals() {
    for server in ["host/x.c.test@A", "host/x.c.test@"] {
        let mut forest = chain();
        let tgt = forest.tgt("alice@A", plain());
        let asked = name("host/x.c.test@A").in_realm(server.split_once('@').unwrap().1);
        let progress = service(&tgt, asked.clone(), plain(), forest.env.clone());
        let obtained = forest.drive(progress).unwrap();
        assert_eq!(forest.asked, ["A", "B", "C"]);
        assert_eq!(obtained.credential.server, name("host/x.c.test@C"));
        // The cache finds it again under the name that was asked for.
        let filed = obtained.also.last().unwrap();
        assert_eq!((&filed.server, filed.ticket_server()), (&asked, name("host/x.c.test@C")));
    }
}

#[test]
fn realms_are_crossed_by_the_components_of_their_names() {
    let mut forest = Forest::new([
        tree("X.A.TEST").principal("alice", "pw").trust("A.TEST", "1"),
        tree("A.TEST").trust("X.A.TEST", "1").trust("TEST", "2"),
        tree("TEST").trust("A.TEST", "2").trust("B.TEST", "3"),
        tree("B.TEST").trust("TEST", "3").service("host/b"),
    ]);
    let tgt = forest.tgt("alice@X.A.TEST", plain());
    let progress = service(&tgt, name("host/b@B.TEST"), plain(), forest.env.clone());
    let obtained = forest.drive(progress).unwrap();
    // Each KDC gives the nearest ticket that it has, without being asked for each realm in turn.
    assert_eq!(forest.asked, ["X.A.TEST", "A.TEST", "TEST", "B.TEST"]);
    forest.opened(&obtained.credential, |part| {
        assert_eq!(part.transited.contents, b"A.TEST,TEST");
        assert!(part.flags.contains(TicketFlags::TRANSITED_POLICY_CHECKED));
    });
}

#[test]
fn a_realm_that_is_not_on_the_way_is_refused_by_the_kdc() {
    let mut forest = Forest::new([
        tree("A").principal("alice", "pw").trust("EVIL", "ae"),
        tree("EVIL").trust("A", "ae").trust("C", "ec"),
        tree("C").trust("EVIL", "ec").service("host/c"),
    ]);
    let tgt = forest.tgt("alice@A", plain());
    let policy = with_way("A", "C", &["EVIL"]);
    let progress = service(&tgt, name("host/c@C"), policy, forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap_err().code(), Some(ErrorCode::PATH_NOT_ACCEPTED));
}

#[test]
fn another_realm_can_not_speak_for_our_own_clients() {
    // B's KDC, run by somebody else, calls a client of its own "alice@A": the realm's name is all it takes.
    let mut forest = Forest::new([
        tree("A").principal("alice", "pw").service("host/a").trust("B", "shared"),
        tree("B").trust("A", "shared").principal("mallory", "pw"),
    ]);
    let tgt = forest.tgt("mallory@B", plain());
    let progress = service(&tgt, name("krbtgt/A@B"), plain(), forest.env.clone());
    let to_a = forest.drive(progress).unwrap().credential;
    let alice = name("alice@A");
    let forged = forest.resealed(&to_a, |part| {
        part.cname.components = vec![GeneralString("alice")];
        part.crealm = GeneralString("A");
    });
    assert_eq!(forged.client, alice);
    let progress = service(&forged, name("host/a@A"), plain(), forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap_err().code(), Some(ErrorCode::POLICY));
}

#[test]
fn an_alias_is_answered_with_the_real_name_and_only_if_that_is_wanted() {
    let mut forest = Forest::new([tree("A")
        .principal("alice", "pw")
        .service("host/real.test")
        .alias("host/www.test", "host/real.test")]);
    let tgt = forest.tgt("alice@A", plain());
    let progress = service(&tgt, name("host/www.test@A"), plain(), forest.env.clone());
    let obtained = forest.drive(progress).unwrap();
    assert_eq!(obtained.credential.server, name("host/real.test@A"));
    let [filed] = &obtained.also[..] else { panic!() };
    assert_eq!((&filed.server, filed.ticket_server()), (&name("host/www.test@A"), name("host/real.test@A")));
    forest.opened(&obtained.credential, |_| {});
}

#[test]
fn an_enterprise_name_becomes_a_principal_here_or_in_another_realm() {
    let mut forest = Forest::new([
        tree("A")
            .principal("alice", "pw")
            .alias("alice@corp.example", "alice")
            .alias("bob@corp.example", "bob@B"),
        tree("B").principal("bob", "pw").alias("bob@corp.example", "bob"),
    ]);
    for (enterprise, real, asked) in
        [("alice@corp.example", "alice@A", &["A", "A"][..]), ("bob@corp.example", "bob@B", &["A", "B", "B"])]
    {
        forest.asked.clear();
        let tgt = forest.login(Principal::enterprise(enterprise, "A"), plain()).unwrap().credential;
        assert_eq!(tgt.client, name(real));
        let realm = tgt.client.realm();
        assert_eq!(tgt.server, Principal::ticket_granting(realm, realm));
        assert_eq!(forest.asked, asked);
    }
}

#[test]
fn another_client_than_asked_for_is_taken_only_if_the_canonical_name_is_wanted() {
    let builder = || tree("A").principal("alice", "pw").alias("al", "alice");
    let mut forest = Forest::new([builder()]);
    let failure = forest.login(name("al@A"), plain()).unwrap_err();
    assert_eq!(failure.code(), Some(ErrorCode::C_PRINCIPAL_UNKNOWN));
    let policy = ExchangePolicy { canonicalize: true, ..plain() };
    assert_eq!(forest.login(name("al@A"), policy).unwrap().credential.client, name("alice@A"));
}

#[test]
fn kdcs_that_send_each_other_the_client_are_not_asked_twice() {
    let mut forest = Forest::new([
        tree("A").principal("alice", "pw").trust("B", "s").refer_domain(".x.test", "B").alias("al@c", "al@B"),
        tree("B").trust("A", "s").refer_domain(".x.test", "A").alias("al@c", "al@A"),
    ]);
    let tgt = forest.tgt("alice@A", plain());
    let progress = service(&tgt, name("host/h.x.test@A"), plain(), forest.env.clone());
    let failure = forest.drive(progress).unwrap_err();
    let KdcFailure::ReferralLoop { realms, .. } = &failure else { panic!("{failure}") };
    assert_eq!(realms, &["A", "B", "A"]);
    assert!(failure.to_string().contains("host/h.x.test@A"), "{failure}");
    let failure = forest.login(Principal::enterprise("al@c", "A"), plain()).unwrap_err();
    assert!(matches!(failure, KdcFailure::ReferralLoop { .. }), "{failure}");
}

#[test]
fn referrals_without_end_stop_at_ten_hops() {
    let realms = (0..14).map(|number| {
        let realm = tree(&format!("R{number}")).refer_domain(".x.test", format!("R{}", number + 1));
        let realm = realm.trust(format!("R{}", number + 1), format!("s{number}"));
        let realm = realm.alias("al@c", format!("al@R{}", number + 1));
        let all: Vec<String> = (0..14).map(|number| format!("R{number}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let realm = realm.capaths(way("R0", &format!("R{number}"), &all));
        match number {
            0 => realm.principal("alice", "pw"),
            _ => realm.trust(format!("R{}", number - 1), format!("s{}", number - 1)),
        }
    });
    let mut forest = Forest::new(realms);
    let tgt = forest.tgt("alice@R0", plain());
    let progress = service(&tgt, name("host/h.x.test@R0"), plain(), forest.env.clone());
    let failure = forest.drive(progress).unwrap_err();
    assert!(matches!(failure, KdcFailure::ReferralLoop { .. }), "{failure}");
    assert_eq!(forest.asked.len(), 11);
    forest.asked.clear();
    let failure = forest.login(Principal::enterprise("al@c", "R0"), plain()).unwrap_err();
    assert!(matches!(failure, KdcFailure::ReferralLoop { .. }), "{failure}");
    assert_eq!(forest.asked.len(), 10);
}

#[test]
fn a_realm_without_a_way_is_told_with_what_to_do() {
    let mut forest = chain();
    let tgt = forest.tgt("alice@A", plain());
    let progress = service(&tgt, name("host/x@NOWHERE"), plain(), forest.env.clone());
    let failure = forest.drive(progress).unwrap_err();
    assert_eq!(failure.code(), Some(ErrorCode::AP_PATH_NOT_ACCEPTED));
    let told = failure.to_string();
    assert!(told.contains("capaths") && told.contains("krbtgt/NOWHERE@A"), "{told}");
}

#[test]
fn a_host_that_nobody_knows_is_looked_for_in_the_realm_of_its_domain() {
    let mut forest = Forest::new([
        tree("A").principal("alice", "pw").trust("C.TEST", "s"),
        tree("C.TEST").trust("A", "s").service("host/x.c.test"),
    ]);
    let tgt = forest.tgt("alice@A", plain());
    let asked = name("host/x.c.test@A").in_realm("");
    let progress = service(&tgt, asked, plain(), forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap().credential.server, name("host/x.c.test@C.TEST"));
    assert_eq!(forest.asked, ["A", "A", "C.TEST"]);
    // Where the realm was named, no other is tried.
    let progress = service(&tgt, name("host/x.c.test@A"), plain(), forest.env.clone());
    assert_eq!(forest.drive(progress).unwrap_err().code(), Some(ErrorCode::S_PRINCIPAL_UNKNOWN));
}

#[test]
fn an_altered_initial_request_is_noticed_by_its_checksum() {
    use orthros_krb5::exchange::{InitialSecret, Progress, initial};
    let mut forest = Forest::new([tree("A").principal("alice", "pw")]);
    let secret = InitialSecret::Password("pw".into());
    let policy = ExchangePolicy { forwardable: true, ..plain() };
    let mut progress = initial(name("alice@A"), secret, None, policy, forest.env.clone());
    for _ in 0..2 {
        let Progress::Ask(ask) = progress else { panic!() };
        // Somebody on the way takes FORWARDABLE out of the request.
        let mut request = ask.request().to_vec();
        let options = [0x03, 0x05, 0x00, 0x40];
        let place = request.windows(4).position(|window| window == options).unwrap();
        request[place + 3] = 0;
        let now = orthros_wire::Timestamp::from_seconds(common::NOW);
        let answer = forest.realm("A").answer(&request, now, &common::SeededRandom::new(5)).unwrap();
        progress = ask.reply(&answer, now);
    }
    let Progress::Failed(failure) = progress else { panic!() };
    assert!(matches!(failure, KdcFailure::BadReply { fault: ReplyFault::Request, .. }), "{failure}");
    assert!(
        forest.login(name("alice@A"), plain()).unwrap().credential.flags.contains(TicketFlags::ENC_PA_REP)
    );
}
