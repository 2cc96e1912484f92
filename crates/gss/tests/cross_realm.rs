//! Contexts between realms: the initiator finds the way, and the acceptor asks which way was taken.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../kdc/tests/common/forest.rs"]
mod forest;

use std::sync::Arc;

use forest::{Forest, name, tree};
use orthros_gss::context::Need;
use orthros_gss::{
    Accept, AcceptorCredential, Context, Error, Initiate, InitiatorCredential, Name, Settings, Step,
};
use orthros_krb5::config::Capaths;
use orthros_krb5::exchange::ExchangePolicy;
use orthros_krb5::{Config, ErrorCode};

const NOW: i64 = 1_700_000_000;

/// A way from A to C by B that only those know who are asked to.
fn way() -> Capaths {
    let mut capaths = Capaths::default();
    capaths.insert("A", "C", &["B"]);
    capaths
}

fn forest() -> Forest {
    Forest::new([
        tree("A").principal("alice", "pw").trust("B", "1").refer_domain("x.test", "B"),
        tree("B").trust("A", "1").trust("C", "2").refer_domain("x.test", "C"),
        tree("C").trust("B", "2").capaths(way()).service("host/x.test").alias("host/www.test", "host/x.test"),
    ])
}

fn settings(forest: &Forest, realm: &str, capaths: Option<Capaths>, host: Option<&str>) -> Settings {
    let mut config = Config::for_realm(realm, &["127.0.0.1:88"]).unwrap();
    config.set_capaths(capaths.unwrap_or_default());
    host.into_iter().for_each(|realm| config.set_realm_of_host("x.test", realm));
    Settings { config: Arc::new(config), env: forest.env.clone(), transfer: true }
}

/// Runs steps until a token is sent or it ends.
fn run(forest: &Forest, mut step: Step) -> Result<(Vec<u8>, Step), Result<Context, Error>> {
    loop {
        step = match step {
            Step::Send(owed) => {
                let token = owed.token().to_vec();
                return Ok((token, owed.sent()));
            }
            Step::Need(Need::Kdc(need)) => {
                let now = forest.env.now();
                let realm = forest.realm(need.realm());
                let answer = realm.answer(need.request(), now, &*forest.env.random).unwrap();
                need.reply(&answer)
            }
            Step::Need(Need::Replay(need)) => need.fresh(),
            Step::Need(Need::Store(need)) => need.done(),
            Step::Done(context) => return Err(Ok(context)),
            Step::Failed(error) => return Err(Err(error)),
            other => panic!("{other:?}"),
        };
    }
}

fn meet(
    forest: &Forest,
    initiate: Initiate,
    accept: Accept,
) -> (Result<Context, Error>, Result<Context, Error>) {
    let (token, initiator) = match run(forest, initiate.start()) {
        Ok(sent) => sent,
        Err(outcome) => panic!("{outcome:?}"),
    };
    let Step::Receive(waiting) = accept.start() else { panic!() };
    let (answer, acceptor) = match run(forest, waiting.token(&token)) {
        Ok(sent) => sent,
        Err(outcome) => panic!("{outcome:?}"),
    };
    let Step::Receive(waiting) = initiator else { panic!() };
    let Err(initiator) = run(forest, waiting.token(&answer)) else { panic!() };
    let Err(acceptor) = run(forest, acceptor) else { panic!() };
    (initiator, acceptor)
}

fn acceptor(forest: &Forest, capaths: Option<Capaths>) -> Accept {
    let keytab = forest.realm("C").keytab("host/x.test").unwrap();
    Accept::new(&settings(forest, "C", capaths, None), AcceptorCredential::any(Arc::new(keytab)))
}

fn alice(forest: &mut Forest) -> Arc<InitiatorCredential> {
    let tgt = forest.tgt("alice@A", ExchangePolicy::default());
    Arc::new(InitiatorCredential::new(name("alice@A"), vec![tgt], 0))
}

#[test]
fn a_context_comes_up_across_two_realms_by_capaths_and_by_referral() {
    for (capaths, host) in [(Some(way()), Some("C")), (None, None)] {
        let mut forest = forest();
        let alice = alice(&mut forest);
        let settings = settings(&forest, "A", capaths, host);
        let service = || Name::hostbased_service("host", "x.test");
        for _ in 0..2 {
            let initiate = Initiate::new(&settings, Arc::clone(&alice), service()).mutual();
            let (initiator, acceptor) = meet(&forest, initiate, acceptor(&forest, None));
            let (initiator, acceptor) = (initiator.unwrap(), acceptor.unwrap());
            assert_eq!(acceptor.initiator(), &name("alice@A"));
            assert_eq!(
                (initiator.acceptor(), acceptor.acceptor()),
                (&name("host/x.test@C"), &name("host/x.test@C"))
            );
        }
        // The tickets on the way are kept too.
        let granting = |ticket: &&orthros_krb5::Credential| ticket.server.as_ticket_granting().is_some();
        assert_eq!(alice.tickets().iter().filter(granting).count(), 3);
    }
}

/// A KDC that does not check the way (or is asked not to) leaves that to the acceptor, which must not forget it.
#[test]
fn cve_2017_6594_an_unchecked_way_is_refused_by_the_acceptor_unless_its_own_capaths_allow_it() {
    use orthros_krb5::wire::{TicketFlags, TransitedEncoding};
    for (transited, capaths, taken) in [
        (&b"B"[..], Some(way()), true),
        (b"B", None, false),
        (b"EVIL", Some(way()), false),
        (b"B,EVIL", Some(way()), false),
        (b"\\", Some(way()), false),
        (b"", None, true),
    ] {
        let mut forest = forest();
        let alice = alice(&mut forest);
        let settings = settings(&forest, "A", Some(way()), Some("C"));
        let target = Name::hostbased_service("host", "x.test");
        let initiate = Initiate::new(&settings, Arc::clone(&alice), target.clone()).mutual();
        meet(&forest, initiate, acceptor(&forest, None)).1.unwrap();
        // The same ticket, as a KDC that checks nothing would have made it.
        let ticket = alice.ticket_for(&name("host/x.test@C"), forest.env.now()).unwrap();
        let unchecked = forest.resealed(&ticket, |part| {
            part.flags = part.flags.with(TicketFlags::TRANSITED_POLICY_CHECKED, false);
            part.transited = TransitedEncoding { tr_type: 1, contents: transited };
        });
        alice.keep(unchecked);
        let initiate = Initiate::new(&settings, alice, target).mutual();
        let (initiator, acceptor) = meet(&forest, initiate, acceptor(&forest, capaths));
        assert_eq!(acceptor.is_ok(), taken, "{transited:?}: {acceptor:?}");
        if let Err(error) = acceptor {
            assert_eq!(error.kerberos_code(), Some(ErrorCode::PATH_NOT_ACCEPTED));
            // The initiator is told.
            assert_eq!(initiator.unwrap_err().kerberos_code(), Some(ErrorCode::PATH_NOT_ACCEPTED));
        }
    }
}
