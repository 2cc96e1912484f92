//! Acceptors' contexts on their way up go on from cookies: wherever they can wait, once, for two minutes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::common::{Pair, sealing_key};
use orthros_gss::context::{AwaitToken, Need};
use orthros_gss::mechanism::{IAKERB, SPNEGO};
use orthros_gss::transfer::{Claims, Header, SealingKey, TransferRefusal, import, suspend};
use orthros_gss::{Accept, Context, Error, Initiate, InitiatorCredential, Major, Name, Step};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret};

/// Goes on until a token is awaited or the end; what is sent meanwhile goes to `mail`.
fn onward(pair: &Pair, mut step: Step, mail: &mut Vec<Vec<u8>>) -> Step {
    loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => {
                mail.push(owed.token().to_vec());
                owed.sent()
            }
            other => return other,
        };
    }
}

fn waiting(step: Step) -> AwaitToken {
    match step {
        Step::Receive(wait) => wait,
        other => panic!("{other:?}"),
    }
}

fn resume(pair: &Pair, accept: Accept, cookie: &[u8], key: &SealingKey) -> Result<AwaitToken, Error> {
    match onward(pair, accept.resume(cookie, key), &mut Vec::new()) {
        Step::Receive(wait) => Ok(wait),
        Step::Failed(error) => Err(error),
        other => panic!("{other:?}"),
    }
}

/// Both ends, where the acceptor is suspended at every turn; and how often it was.
fn turn_by_turn(pair: &Pair, initiate: Initiate, accept: impl Fn() -> Accept) -> (Context, Context, usize) {
    let key = sealing_key(1);
    let (mut to_acceptor, mut to_initiator, mut cookies) = (Vec::new(), Vec::new(), 0);
    let mut initiating = onward(pair, initiate.start(), &mut to_acceptor);
    let mut accepting = accept().start();
    loop {
        if let Step::Receive(wait) = accepting {
            let cookie = wait.suspend(&key, &pair.settings).unwrap();
            cookies += 1;
            let wait = resume(pair, accept(), &cookie, &key).unwrap();
            accepting = onward(pair, wait.token(&to_acceptor.remove(0)), &mut to_initiator);
        }
        if let Step::Receive(wait) = initiating {
            initiating = onward(pair, wait.token(&to_initiator.remove(0)), &mut to_acceptor);
        }
        match (initiating, accepting) {
            (Step::Done(initiator), Step::Done(acceptor)) => return (initiator, acceptor, cookies),
            (Step::Failed(error), _) | (_, Step::Failed(error)) => panic!("{error}"),
            (one, other) => (initiating, accepting) = (one, other),
        }
    }
}

fn assert_joined(initiator: &Context, acceptor: &Context) {
    assert_eq!(acceptor.unwrap(&initiator.wrap(b"there").unwrap()).unwrap().message, b"there");
    assert_eq!(initiator.unwrap(&acceptor.wrap(b"back").unwrap()).unwrap().message, b"back");
}

/// A DCE-style acceptor that awaits the last token, and that token.
fn in_dce_style(pair: &Pair) -> (AwaitToken, Vec<u8>) {
    let (mut first, mut second, mut last) = (Vec::new(), Vec::new(), Vec::new());
    let initiating = onward(pair, pair.initiate_full().dce_style().start(), &mut first);
    let accepting = onward(pair, waiting(pair.accept().start()).token(&first[0]), &mut second);
    let initiated = onward(pair, waiting(initiating).token(&second[0]), &mut last);
    assert!(matches!(initiated, Step::Done(_)));
    (waiting(accepting), last.remove(0))
}

#[test]
fn a_context_comes_up_though_its_acceptor_is_another_at_every_turn() {
    let pair = Pair::new();
    let rows = [
        (pair.initiate_full(), 1),
        (pair.initiate_full().dce_style(), 2),
        (pair.initiate_full().mechanism(&SPNEGO), 1),
        (pair.initiate_full().mechanism(&SPNEGO).dce_style(), 2),
    ];
    for (initiate, expected) in rows {
        let (initiator, acceptor, cookies) = turn_by_turn(&pair, initiate, || pair.accept());
        assert_joined(&initiator, &acceptor);
        assert!(cookies >= expected, "{cookies} cookies");
        let key = sealing_key(1);
        let token = acceptor.export(&key).unwrap();
        assert_joined(&initiator, &pair.import(&token, &key).unwrap());
    }
}

#[test]
fn a_list_that_must_be_proved_is_proved_after_a_resumption_too() {
    let pair = Pair::new();
    let initiate = pair.initiate_full().mechanism(&SPNEGO);
    let (initiator, acceptor, cookies) = turn_by_turn(&pair, initiate, || pair.accept().offer_proved());
    assert_joined(&initiator, &acceptor);
    assert!(cookies >= 2, "the MIC came in a turn of its own: {cookies}");
}

#[test]
fn what_was_carried_to_kdcs_is_proved_after_a_resumption_too() {
    let pair = Pair::new();
    let initiate = by_password(&pair).confidential();
    let (initiator, acceptor, cookies) = turn_by_turn(&pair, initiate, || pair.accept().carry_to_kdcs());
    assert_joined(&initiator, &acceptor);
    assert!(cookies >= 4, "requests were carried: {cookies}");
}

/// A context of alice's, who can reach no KDC.
fn by_password(pair: &Pair) -> Initiate {
    let secret = InitialSecret::Password("open sesame".into());
    let policy = ExchangePolicy::initial(&pair.settings.config);
    let alice = InitiatorCredential::deferred_login("alice@TEST".parse().unwrap(), secret, policy);
    let target = Name::hostbased_service("host", "x.test");
    Initiate::new(&pair.settings, alice.into(), target).mechanism(&IAKERB).mutual()
}

#[test]
fn a_cookie_is_spent_and_a_second_resumption_refused() {
    let pair = Pair::new();
    let key = sealing_key(1);
    let (wait, last) = in_dce_style(&pair);
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    let wait = resume(&pair, pair.accept(), &cookie, &key).unwrap();
    assert!(matches!(wait.token(&last), Step::Done(_)));
    let again = resume(&pair, pair.accept(), &cookie, &key).unwrap_err();
    assert!(matches!(again, Error::Transfer(TransferRefusal::SpentBefore(_))), "{again}");
}

#[test]
fn a_cookie_that_is_looked_at_is_not_spent_and_a_changed_one_is_seen() {
    let pair = Pair::new();
    let key = sealing_key(1);
    let (wait, _) = in_dce_style(&pair);
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    for _ in 0..2 {
        assert_eq!(suspend::check(&cookie, &key, &pair.settings), Ok(()));
    }
    for index in 0..cookie.len() {
        let mut changed = cookie.clone();
        changed[index] ^= 1;
        assert!(suspend::check(&changed, &key, &pair.settings).is_err(), "octet {index}");
    }
    let mail = Claims { audience: Some("mail".into()), ..Claims::NONE };
    assert!(suspend::check(&cookie, key.under(&mail), &pair.settings).is_err(), "for no audience");
    assert!(resume(&pair, pair.accept(), &cookie, &key).is_ok());
    let (_, acceptor) = pair.established();
    let mut token = acceptor.export(&key).unwrap();
    token[1] = 3;
    assert_eq!(suspend::check(&token, &key, &pair.settings), Err(TransferRefusal::Damaged));
}

#[test]
fn a_cookie_lives_two_minutes_and_no_longer_than_its_context() {
    let pair = Pair::new();
    let key = sealing_key(1);
    let (wait, _) = in_dce_style(&pair);
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    pair.clock.advance(suspend::LONGEST);
    let late = resume(&pair, pair.accept(), &cookie, &key).unwrap_err();
    assert!(matches!(late, Error::Transfer(TransferRefusal::Expired { .. })), "{late}");
    pair.clock.advance(-1);
    assert!(resume(&pair, pair.accept(), &cookie, &key).is_ok());
    // A context lives on for the five minutes of clock skew after its ticket.
    pair.clock.set(pair.alice.end().unwrap().plus_seconds(-60));
    let (wait, last) = in_dce_style(&pair);
    pair.clock.advance(300);
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    let wait = resume(&pair, pair.accept(), &cookie, &key).unwrap();
    let Step::Done(context) = wait.token(&last) else { panic!() };
    assert_eq!(Header::parse(&cookie).unwrap().expiry, context.end());
}

#[test]
fn cookies_contexts_and_credentials_do_not_pass_for_each_other() {
    let pair = Pair::new();
    let key = sealing_key(1);
    let (wait, _) = in_dce_style(&pair);
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    let version = Error::Transfer(TransferRefusal::Version);
    assert_eq!(pair.import(&cookie, &key).unwrap_err(), version);
    assert!(matches!(import(&cookie, &key, &pair.settings), Step::Failed(error) if error == version));
    let (_, acceptor) = pair.established();
    let token = acceptor.export(&key).unwrap();
    assert_eq!(resume(&pair, pair.accept(), &token, &key).unwrap_err(), version);
}

#[test]
fn every_changed_bit_and_every_cut_is_refused_and_spends_nothing() {
    let pair = Pair::new();
    let key = sealing_key(1);
    let (wait, _) = in_dce_style(&pair);
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    for bit in 0..cookie.len() * 8 {
        let mut changed = cookie.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(resume(&pair, pair.accept(), &changed, &key).is_err(), "bit {bit}");
    }
    for length in 0..cookie.len() {
        assert!(resume(&pair, pair.accept(), &cookie[..length], &key).is_err(), "{length} octets");
    }
    assert!(pair.ledger.lock().unwrap().is_empty());
    assert!(resume(&pair, pair.accept(), &cookie, &key).is_ok());
}

#[test]
fn an_initiator_is_not_suspended_and_goes_on() {
    let pair = Pair::new();
    let (mut to_acceptor, mut to_initiator) = (Vec::new(), Vec::new());
    let wait = waiting(onward(&pair, pair.initiate_full().start(), &mut to_acceptor));
    let kept = wait.suspend(&sealing_key(1), &pair.settings).unwrap_err();
    assert_eq!(kept.error, Error::Transfer(TransferRefusal::Initiator));
    assert_eq!(kept.error.major(), Major::Unavailable);
    let accepting = waiting(pair.accept().start()).token(&to_acceptor[0]);
    assert!(matches!(onward(&pair, accepting, &mut to_initiator), Step::Done(_)));
    assert!(matches!(onward(&pair, kept.waiting.token(&to_initiator[0]), &mut to_acceptor), Step::Done(_)));
}

#[test]
fn who_stays_is_not_suspended_and_goes_on() {
    let pair = Pair::new();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let _ = onward(&pair, pair.initiate_full().dce_style().start(), &mut first);
    let wait = waiting(pair.accept().stays().start());
    let kept = wait.suspend(&sealing_key(1), &pair.settings).unwrap_err();
    assert_eq!(kept.error, Error::Transfer(TransferRefusal::Unavailable));
    let wait = waiting(onward(&pair, kept.waiting.token(&first[0]), &mut second));
    let kept = wait.suspend(&sealing_key(1), &pair.settings).unwrap_err();
    assert_eq!(kept.error, Error::Transfer(TransferRefusal::Unavailable));
    // Nor does an acceptor take a cookie that lets nothing move.
    let (wait, _) = in_dce_style(&pair);
    let cookie = wait.suspend(&sealing_key(1), &pair.settings).unwrap();
    let refused = resume(&pair, pair.accept().stays(), &cookie, &sealing_key(1)).unwrap_err();
    assert_eq!(refused, Error::Transfer(TransferRefusal::Unavailable));
}

#[test]
fn an_acceptor_that_carries_nothing_does_not_go_on_for_one_that_does() {
    let pair = Pair::new();
    let mut first = Vec::new();
    let key = sealing_key(1);
    let _ = onward(&pair, by_password(&pair).start(), &mut first);
    let wait = waiting(pair.accept().carry_to_kdcs().start());
    let wait = waiting(onward(&pair, wait.token(&first[0]), &mut Vec::new()));
    let cookie = wait.suspend(&key, &pair.settings).unwrap();
    let refused = resume(&pair, pair.accept(), &cookie, &key).unwrap_err();
    assert_eq!(refused, Error::Transfer(TransferRefusal::Unavailable));
    assert!(resume(&pair, pair.accept().carry_to_kdcs(), &cookie, &key).is_ok());
}

#[test]
fn a_token_for_somebody_else_is_refused_with_the_reason_and_not_spent() {
    let pair = Pair::new();
    let key = sealing_key(1);
    let mail = Claims { audience: Some("mail".into()), user: Some(8), ..Claims::NONE };
    let (initiator, acceptor) = pair.established();
    let token = acceptor.export(key.under(&mail)).unwrap();
    let others = [
        Claims::NONE,
        Claims { audience: Some("www".into()), ..mail.clone() },
        Claims { user: Some(9), ..mail.clone() },
        Claims { user: None, ..mail.clone() },
    ];
    for other in others {
        let Step::Failed(error) = import(&token, key.under(&other), &pair.settings) else { panic!() };
        assert_eq!(error.major(), Major::Unauthorized);
        assert!(error.to_string().contains("the token was sealed for "), "{error}");
    }
    let more = Claims { process_group: Some(5), executable: Some(b"/x".to_vec()), ..mail.clone() };
    let Step::Need(Need::Spend(need)) = import(&token, key.under(&more), &pair.settings) else { panic!() };
    let Step::Done(moved) = need.spent() else { panic!() };
    assert_joined(&initiator, &moved);
    // An importer that names an audience takes nothing that was for nobody in particular.
    let token = moved.export(&key).unwrap();
    let step = import(&token, key.under(&mail), &pair.settings);
    assert!(matches!(step, Step::Failed(error) if error.major() == Major::Unauthorized));
}
