//! Clocks that differ, tickets that are not valid yet or no more (RFC 4120 §3.2.3).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use crate::common::{NOW, Pair};
use orthros_gss::error::{BadToken, Refusal};
use orthros_gss::{Error, Step};
use orthros_krb5::ErrorCode;
use orthros_krb5::ap::ApRefusal;
use orthros_wire::testing::ManualClock;
use orthros_wire::{Clock, Timestamp};

/// What an acceptor whose clock shows `seconds` says to a token made at [`NOW`].
fn accepted_at(pair: &Pair, token: &[u8], seconds: i64) -> Result<(), Error> {
    pair.clock.set(Timestamp::from_seconds(seconds));
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    match wait.token(token) {
        Step::Need(_) => Ok(()),
        Step::Send(owed) => match owed.sent() {
            Step::Failed(error) => Err(error),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn request(pair: &Pair) -> Vec<u8> {
    let mut step = pair.initiate_full().start();
    loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => return owed.token().to_vec(),
            other => panic!("{other:?}"),
        };
    }
}

/// A clock whose cheap answer is that of the second before, as the system's may be where a second begins.
struct Behind(Arc<ManualClock>);

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn seconds(&self) -> i64 {
        self.now().seconds - 1
    }
}

#[test]
fn a_context_never_lasts_a_second_longer_than_was_asked_for() {
    let mut pair = Pair::new();
    pair.settings.env = pair.settings.env.with_clock(Behind(Arc::clone(&pair.clock)));
    let (initiator, _) = pair.establish(pair.initiate_full().lifetime_seconds(300), pair.accept());
    assert_eq!(initiator.lifetime_seconds(), 300);
    pair.clock.set(Timestamp::from_seconds(NOW + 299));
    assert_eq!(initiator.lifetime_seconds(), 1);
}

#[test]
fn five_minutes_of_difference_are_taken_and_one_second_more_is_not() {
    let pair = Pair::new();
    let token = request(&pair);
    for seconds in [-300, -299, 299, 300] {
        assert!(accepted_at(&pair, &token, NOW + seconds).is_ok(), "{seconds}");
    }
    for seconds in [-301, 301, -100_000, 100_000] {
        let error = accepted_at(&pair, &token, NOW + seconds).unwrap_err();
        assert_eq!(error.kerberos_code(), Some(ErrorCode::SKEW), "{seconds}");
        assert!(error.to_string().contains(&seconds.unsigned_abs().to_string()), "{error}");
    }
}

#[test]
fn a_ticket_is_taken_until_the_skew_after_its_end() {
    let pair = Pair::new();
    let end = pair.alice.end().unwrap().seconds;
    pair.clock.set(Timestamp::from_seconds(end - 1));
    let token = request(&pair);
    assert!(accepted_at(&pair, &token, end + 299).is_ok());
    // The initiator's own clock decides first: an ended ticket is not used at all.
    pair.clock.set(Timestamp::from_seconds(end));
    let Step::Failed(error) = pair.initiate_full().start() else { panic!() };
    assert!(error.to_string().contains("run kinit"), "{error}");
}

#[test]
fn a_lifetime_that_was_asked_for_is_kept_and_never_prolongs_the_ticket() {
    let pair = Pair::new();
    let ticket_end = pair.alice.end().unwrap();
    let (short, there) = pair.establish(pair.initiate_full().lifetime_seconds(60), pair.accept());
    assert_eq!((short.end().seconds, short.lifetime_seconds()), (NOW + 60, 60));
    // So was the ticket; what an acceptor allows clocks to differ by comes on top.
    assert_eq!(there.end().seconds, NOW + 60 + 300);
    pair.clock.advance(59);
    assert!(short.wrap(b"x").is_ok());
    pair.clock.advance(1);
    assert!(short.wrap(b"x").is_err());
    let (long, _) = pair.establish(pair.initiate_full().lifetime_seconds(u32::MAX), pair.accept());
    assert_eq!(long.end(), ticket_end);
}

#[test]
fn tokens_out_of_place_are_refused_by_both_ends() {
    let pair = Pair::new();
    let request = request(&pair);
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    let Step::Need(need) = wait.token(&request) else { panic!() };
    let Step::Send(owed) = pair.provide(need) else { panic!() };
    let reply = owed.token().to_vec();
    // An acceptor is given an AP-REP; an initiator an AP-REQ.
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    assert!(matches!(wait.token(&reply), Step::Failed(Error::Token(BadToken::WrongKind))));
    let mut step = pair.initiate_full().start();
    let waiting = loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => owed.sent(),
            Step::Receive(wait) => break wait,
            other => panic!("{other:?}"),
        };
    };
    assert!(matches!(waiting.token(&request), Step::Failed(Error::Token(BadToken::WrongKind))));
}

#[test]
fn an_answer_to_another_request_is_refused_and_the_acceptor_is_told() {
    let pair = Pair::new();
    let first = request(&pair);
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    let Step::Need(need) = wait.token(&first) else { panic!() };
    let Step::Send(owed) = pair.provide(need) else { panic!() };
    let answer_to_first = owed.token().to_vec();
    pair.clock.advance(1);
    let mut step = pair.initiate_full().start();
    loop {
        step = match step {
            Step::Send(owed) => owed.sent(),
            Step::Receive(wait) => wait.token(&answer_to_first),
            Step::Need(need) => pair.provide(need),
            Step::Failed(error) => {
                assert_eq!(error, Error::Refused(Refusal::Ap(ApRefusal::ReplyIntegrity)));
                break;
            }
            Step::Done(context) => panic!("{context:?}"),
        };
    }
}
