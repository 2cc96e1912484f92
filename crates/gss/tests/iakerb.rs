//! Kerberos with the acceptor between initiator and KDC: what travels, what is carried and what not, and what somebody in
//! between can't do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use std::sync::Arc;

use crate::common::{Outcome, Pair, sealing_key};
use orthros_crypto::Enctype;
use orthros_gss::context::AwaitToken;
use orthros_gss::credential::Lifetime;
use orthros_gss::error::{BadToken, Refusal};
use orthros_gss::mechanism::{IAKERB, IAKERB_OID, KRB5_OID, SPNEGO};
use orthros_gss::{Accept, Error, Flags, Initiate, InitiatorCredential, Major, Name, Need, Step, framing};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret};
use orthros_krb5::principal::NameType;
use orthros_krb5::wire::{Decode, Encode, KrbError};
use orthros_krb5::{ErrorCode, Principal};

/// Alice, without a ticket.
fn by_password(pair: &Pair, realm: &str, password: &str) -> Arc<InitiatorCredential> {
    let client = Principal::new(NameType::PRINCIPAL, ["alice"], realm);
    let policy = ExchangePolicy::initial(&pair.settings.config);
    let secret = InitialSecret::Password(password.into());
    Arc::new(InitiatorCredential::deferred_login(client, secret, policy))
}

/// Alice, with a ticket-granting ticket.
fn by_ticket(pair: &Pair) -> Arc<InitiatorCredential> {
    let granting = pair.alice.tickets()[0].clone();
    assert!(granting.server.as_ticket_granting().is_some());
    Arc::new(InitiatorCredential::new(pair.alice.client().clone(), vec![granting], 0))
}

fn initiate(pair: &Pair, credential: Arc<InitiatorCredential>) -> Initiate {
    let target = Name::hostbased_service("host", "x.test");
    Initiate::new(&pair.settings, credential, target).mechanism(&IAKERB).mutual().confidential()
}

fn accept(pair: &Pair) -> Accept {
    pair.accept().carry_to_kdcs()
}

/// The first token, and what waits for the answer.
fn first(step: Step) -> (Vec<u8>, AwaitToken) {
    let Step::Send(owed) = step else { panic!("{step:?}") };
    let token = owed.token().to_vec();
    let Step::Receive(wait) = owed.sent() else { panic!("nothing is awaited") };
    (token, wait)
}

fn waiting(accept: Accept) -> AwaitToken {
    let Step::Receive(wait) = accept.start() else { panic!("an acceptor waits") };
    wait
}

/// What carries a message, behind the frame of the first one.
fn carrying(realm: &str, message: &[u8]) -> Vec<u8> {
    let (realm_length, length) = (u8::try_from(realm.len()).unwrap(), u8::try_from(realm.len() + 4).unwrap());
    let header = [&[0x30, length, 0xa1, realm_length + 2, 4, realm_length][..], realm.as_bytes()].concat();
    [&[5, 1][..], &header, message].concat()
}

fn error_of(outcome: Option<Outcome>) -> Error {
    outcome.expect("it is over").expect_err("it failed")
}

fn talk(outcome: (Option<Outcome>, Option<Outcome>)) -> (orthros_gss::Context, orthros_gss::Context) {
    let (here, there) = (outcome.0.unwrap().unwrap(), outcome.1.unwrap().unwrap());
    for context in [&here, &there] {
        assert_eq!(context.mechanism(), IAKERB_OID);
        assert_eq!(context.initiator().to_string(), "alice@TEST");
    }
    assert_eq!(there.unwrap(&here.wrap(b"there").unwrap()).unwrap().message, b"there");
    assert_eq!(here.unwrap(&there.wrap(b"back").unwrap()).unwrap().message, b"back");
    (here, there)
}

#[test]
fn a_password_gets_its_tickets_through_the_acceptor_and_from_no_kdc() {
    let pair = Pair::new();
    pair.kdc_messages.lock().unwrap().clear();
    let alice = by_password(&pair, "TEST", "open sesame");
    assert_eq!(alice.lifetime(pair.settings.env.now()), Lifetime::Indefinite);
    talk(pair.run(initiate(&pair, Arc::clone(&alice)), accept(&pair), |token| token));
    // Two requests of the AS exchange, one of the TGS exchange, one for the service: each with its answer.
    let sent = pair.sent.lock().unwrap().clone();
    assert_eq!(sent.len(), 8);
    let asked = pair.kdc_messages.lock().unwrap().clone();
    assert_eq!(asked.len(), 6);
    for (message, token) in asked.iter().zip(&sent) {
        assert!(
            token.ends_with(message),
            "what reached the KDC is what was carried, and so is what came back"
        );
    }
    // The tickets serve the next context, which needs nothing carried.
    assert!(matches!(alice.lifetime(pair.settings.env.now()), Lifetime::Seconds(_)));
    talk(pair.run(initiate(&pair, alice), accept(&pair), |token| token));
    assert_eq!(pair.sent.lock().unwrap().len(), 10);
    assert_eq!(pair.kdc_messages.lock().unwrap().len(), 6);
}

#[test]
fn with_a_ticket_granting_ticket_only_the_service_is_asked_for() {
    let pair = Pair::new();
    talk(pair.run(initiate(&pair, by_ticket(&pair)), accept(&pair), |token| token));
    assert_eq!(pair.sent.lock().unwrap().len(), 4);
}

#[test]
fn a_deferred_login_serves_kerberos_itself_too() {
    let pair = Pair::new();
    let alice = by_password(&pair, "TEST", "open sesame");
    let target = Name::hostbased_service("host", "x.test");
    let (context, _) = pair.establish(Initiate::new(&pair.settings, alice, target).mutual(), pair.accept());
    assert_eq!((context.mechanism(), pair.sent.lock().unwrap().len()), (KRB5_OID, 2));
}

#[test]
fn contexts_come_up_in_every_style() {
    let pair = Pair::new();
    for flags in [Flags::DCE_STYLE, Flags::DELEGATION, Flags::SEQUENCE | Flags::REPLAY] {
        let initiate = initiate(&pair, by_ticket(&pair)).flag(flags);
        let (here, there) = talk(pair.run(initiate, accept(&pair), |token| token));
        assert!(here.flags().contains(flags) && there.flags().contains(flags), "{flags}");
        assert_eq!(there.delegated_credential().is_some(), flags == Flags::DELEGATION);
    }
    let target = Name::hostbased_service("host", "x.test");
    let one_way = Initiate::new(&pair.settings, by_ticket(&pair), target).mechanism(&IAKERB).confidential();
    let (here, _) = talk(pair.run(one_way, accept(&pair), |token| token));
    assert!(!here.flags().contains(Flags::MUTUAL));
}

#[test]
fn a_client_without_a_realm_takes_the_acceptors() {
    let pair = Pair::new();
    let alice = by_password(&pair, "", "open sesame");
    talk(pair.run(initiate(&pair, alice), accept(&pair), |token| token));
    let sent = pair.sent.lock().unwrap().clone();
    assert_eq!(sent[0], framing::frame(&IAKERB_OID, &[&carrying("", b"")]));
    assert_eq!(sent[1], carrying("TEST", b""));
}

#[test]
fn a_wrong_password_is_told_as_the_kdc_tells_it() {
    let pair = Pair::new();
    let alice = by_password(&pair, "TEST", "let me in");
    let (here, _) = pair.run(initiate(&pair, alice), accept(&pair), |token| token);
    assert_eq!(error_of(here).kerberos_code(), Some(ErrorCode::PREAUTH_FAILED));
}

#[test]
fn a_changed_octet_in_any_token_brings_no_context_up_that_both_believe_in() {
    let pair = Pair::new();
    let mut place = 0;
    for index in 0..4 {
        loop {
            let (mut number, mut length) = (0, 0);
            let (here, there) = pair.run(initiate(&pair, by_ticket(&pair)), accept(&pair), |mut token| {
                if number == index {
                    length = token.len();
                    token[place] ^= 1;
                }
                number += 1;
                token
            });
            let believer = if index == 3 { here } else { there };
            assert!(!matches!(believer, Some(Ok(_))), "octet {place} of token {index}");
            place += 11;
            if place >= length {
                place = 0;
                break;
            }
        }
    }
}

#[test]
fn a_changed_login_is_noticed_in_each_of_its_tokens() {
    let pair = Pair::new();
    for index in 0..8 {
        let mut number = 0;
        let alice = by_password(&pair, "TEST", "open sesame");
        let (here, there) = pair.run(initiate(&pair, alice), accept(&pair), |mut token| {
            if number == index {
                let place = token.len() / 2;
                token[place] ^= 0x10;
            }
            number += 1;
            token
        });
        let believer = if index == 7 { here } else { there };
        assert!(!matches!(believer, Some(Ok(_))), "token {index}");
    }
}

#[test]
fn a_cut_token_is_refused_by_both_ends() {
    let pair = Pair::new();
    let (request, _) = first(initiate(&pair, by_ticket(&pair)).start());
    for cut in 0..request.len() {
        let step = waiting(accept(&pair)).token(&request[..cut]);
        assert!(matches!(step, Step::Failed(_)), "{cut}: {step:?}");
    }
    let Step::Need(Need::Relay(need)) = waiting(accept(&pair)).token(&request) else { panic!("no need") };
    let reply = pair.kdc(need.request());
    let (reply, _) = first(need.reply(&reply));
    for cut in 0..reply.len() {
        let (_, wait) = first(initiate(&pair, by_ticket(&pair)).start());
        let step = wait.token(&reply[..cut]);
        assert!(matches!(step, Step::Failed(_)), "{cut}: {step:?}");
    }
}

/// A request of the AP exchange that proves a conversation, and the conversation.
fn proving(pair: &Pair) -> Vec<u8> {
    pair.sent.lock().unwrap().clear();
    let alice = by_ticket(pair);
    talk(pair.run(initiate(pair, alice), accept(pair), |token| token));
    pair.replay.lock().unwrap().clear();
    pair.sent.lock().unwrap()[2].clone()
}

fn refusal_of(pair: &Pair, mut step: Step) -> Error {
    loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => owed.sent(),
            Step::Failed(error) => return error,
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn a_proof_without_its_conversation_is_refused_under_either_mechanism() {
    let pair = Pair::new();
    let request = proving(&pair);
    let error = refusal_of(&pair, waiting(accept(&pair)).token(&request));
    assert_eq!(error, Refusal::Carried.into());
    assert_eq!((error.major(), error.kerberos_code()), (Major::Failure, Some(ErrorCode::BAD_INTEGRITY)));
    // Nobody protects the frame: by another identifier the proof would not be asked for.
    let (_, inner) = framing::unframe(&request).unwrap();
    let as_krb5 = framing::frame(&KRB5_OID, &[inner]);
    pair.replay.lock().unwrap().clear();
    assert_eq!(refusal_of(&pair, waiting(pair.accept()).token(&as_krb5)), Refusal::Carried.into());
}

#[test]
fn a_conversation_without_its_proof_is_refused() {
    let pair = Pair::new();
    // Somebody in between asks the KDC in the initiator's name, and then lets it go on with a ticket of its own.
    let (carried, _) = first(initiate(&pair, by_ticket(&pair)).start());
    let Step::Need(need) = waiting(accept(&pair)).token(&carried) else { panic!("no need") };
    let (_, wait) = first(pair.provide(need));
    pair.establish(pair.initiate(), pair.accept());
    let (request, _) = first(initiate(&pair, Arc::clone(&pair.alice)).start());
    assert!(framing::unframe(&request).unwrap().1.starts_with(&[1, 0]), "the ticket is there already");
    assert_eq!(refusal_of(&pair, wait.token(&request)), Refusal::Carried.into());
}

#[test]
fn an_acceptor_carries_nothing_unless_it_was_told_to() {
    let pair = Pair::new();
    let (request, _) = first(initiate(&pair, by_ticket(&pair)).start());
    let Step::Failed(error) = waiting(pair.accept()).token(&request) else { panic!("it was carried") };
    assert_eq!(error, Refusal::Mechanism(IAKERB_OID).into());
    assert_eq!(error.major(), Major::BadMechanism);
}

#[test]
fn requests_for_realms_that_the_configuration_does_not_know_go_nowhere() {
    let pair = Pair::new();
    let alice = by_password(&pair, "ATTACKER.EXAMPLE", "open sesame");
    let (request, initiator) = first(initiate(&pair, alice).start());
    let (answer, _) = first(waiting(accept(&pair)).token(&request));
    let Step::Failed(error) = initiator.token(&answer) else { panic!("it goes on") };
    assert_eq!(error.kerberos_code(), Some(ErrorCode::IAKERB_KDC_NOT_FOUND));
}

#[test]
fn an_initiator_is_told_that_no_kdc_answered_and_not_which() {
    let pair = Pair::new();
    let (request, initiator) = first(initiate(&pair, by_ticket(&pair)).start());
    for answer_of_the_kdc in [None, Some(&b"HTTP/1.1 400 Bad Request"[..]), Some(b"")] {
        let Step::Need(Need::Relay(need)) = waiting(accept(&pair)).token(&request) else { panic!("no need") };
        assert_eq!(need.realm(), "TEST");
        let (answer, _) = first(match answer_of_the_kdc {
            None => need.unavailable(),
            Some(octets) => need.reply(octets),
        });
        let error = answer.strip_prefix(&carrying("TEST", b"")[..]).expect("an error in a token");
        assert_eq!(KrbError::from_der(error).unwrap().error_code, ErrorCode::IAKERB_KDC_NO_RESPONSE.0);
    }
    let Step::Need(Need::Relay(need)) = waiting(accept(&pair)).token(&request) else { panic!("no need") };
    let (answer, _) = first(need.unavailable());
    let Step::Failed(error) = initiator.token(&answer) else { panic!("it goes on") };
    assert_eq!(error.kerberos_code(), Some(ErrorCode::IAKERB_KDC_NO_RESPONSE));
}

#[test]
fn nothing_but_a_whole_request_of_the_as_or_tgs_exchange_is_carried() {
    let pair = Pair::new();
    let (request, _) = first(initiate(&pair, by_ticket(&pair)).start());
    let message =
        framing::unframe(&request).unwrap().1.strip_prefix(&carrying("TEST", b"")[..]).unwrap().to_vec();
    let (plain, _) = first(
        initiate(&pair, {
            pair.establish(pair.initiate(), pair.accept());
            Arc::clone(&pair.alice)
        })
        .start(),
    );
    let ap_request = &framing::unframe(&plain).unwrap().1[2..];
    for other in [
        b"GET / HTTP/1.1\r\n\r\n",
        &b""[..],
        ap_request,
        &message[..message.len() - 1],
        &[&message[..], b"x"].concat(),
    ] {
        let token = framing::frame(&IAKERB_OID, &[&carrying("TEST", other)]);
        let step = waiting(accept(&pair)).token(&token);
        let Step::Failed(error) = step else { panic!("{other:02x?}: {step:?}") };
        assert_eq!(error, BadToken::Malformed.into(), "{other:02x?}");
    }
}

#[test]
fn nobody_has_requests_carried_without_end() {
    let pair = Pair::new();
    let alice = by_password(&pair, "TEST", "open sesame");
    let (request, _) = first(initiate(&pair, alice).start());
    let inner = framing::unframe(&request).unwrap().1.to_vec();
    let (mut wait, mut carried) = (waiting(accept(&pair)), 0);
    let error = loop {
        let token = if carried == 0 { &request } else { &inner };
        match wait.token(token) {
            Step::Failed(error) => break error,
            Step::Need(need) => {
                carried += 1;
                (_, wait) = first(pair.provide(need));
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((error, carried), (Refusal::TooMuchCarried.into(), 26));
}

#[test]
fn an_initiator_does_not_ask_without_end_either() {
    let pair = Pair::new();
    let alice = by_password(&pair, "TEST", "open sesame");
    let (request, mut wait) = first(initiate(&pair, alice).start());
    let Step::Need(need) = waiting(accept(&pair)).token(&request) else { panic!("no need") };
    let (answer, _) = first(pair.provide(need));
    // The same answer for ever: more pre-authentication is wanted.
    for round in 0.. {
        assert!(round < 26, "it asks without end");
        match wait.token(&answer) {
            Step::Failed(_) => break,
            step => wait = first(step).1,
        }
    }
}

#[test]
fn a_cookie_of_the_acceptors_is_repeated_once() {
    let pair = Pair::new();
    let alice = by_password(&pair, "TEST", "open sesame");
    let (request, initiator) = first(initiate(&pair, alice).start());
    let Step::Need(Need::Relay(need)) = waiting(accept(&pair)).token(&request) else { panic!("no need") };
    let reply = pair.kdc(need.request());
    let header = b"\x05\x01\x30\x10\xa1\x06\x0c\x04TEST\xa2\x06\x04\x04oats";
    let (next, _) = first(initiator.token(&[&header[..], &reply].concat()));
    assert!(next.starts_with(b"\x05\x01\x30\x10\xa1\x06\x04\x04TEST\xa2\x06\x04\x04oats\x6a"), "{next:02x?}");
}

#[test]
fn an_error_token_ends_the_initiator_and_tokens_out_of_place_do_too() {
    let pair = Pair::new();
    let ap_error = orthros_krb5::ap::refusal::make_error(
        ErrorCode::GENERIC,
        &"host/x.test@TEST".parse().unwrap(),
        pair.settings.env.now(),
    );
    let (request, wait) = first(initiate(&pair, by_ticket(&pair)).start());
    let Step::Failed(error) = wait.token(&framing::frame(&IAKERB_OID, &[&[3, 0], &ap_error])) else {
        panic!("it goes on")
    };
    assert!(matches!(error, Error::Refused(Refusal::Remote(_))), "{error:?}");
    for (kind, mechanism) in [([1, 0], IAKERB_OID), ([2, 0], IAKERB_OID), ([5, 1], KRB5_OID)] {
        let (_, wait) = first(initiate(&pair, by_ticket(&pair)).start());
        assert!(matches!(wait.token(&framing::frame(&mechanism, &[&kind, &ap_error])), Step::Failed(_)));
    }
    // A request comes back: it is no answer.
    let (_, wait) = first(initiate(&pair, by_ticket(&pair)).start());
    assert!(matches!(wait.token(&request), Step::Failed(_)));
    // An acceptor that waits for more gets an answer of an acceptor's, or an error.
    for kind in [[2, 0], [3, 0], [4, 4]] {
        let token = framing::frame(&IAKERB_OID, &[&kind, &ap_error]);
        assert!(matches!(waiting(accept(&pair)).token(&token), Step::Failed(_)), "{kind:?}");
    }
}

#[test]
fn the_half_built_context_says_what_it_is_of() {
    let pair = Pair::new();
    let (request, initiator) = first(initiate(&pair, by_ticket(&pair)).start());
    assert_eq!(initiator.mechanism().oid, IAKERB_OID);
    let acceptor = waiting(accept(&pair));
    assert_eq!(acceptor.mechanism().oid, KRB5_OID, "nothing came yet");
    let Step::Need(need) = acceptor.token(&request) else { panic!("no need") };
    assert_eq!(first(pair.provide(need)).1.mechanism().oid, IAKERB_OID);
}

#[test]
fn a_moved_context_is_still_of_its_mechanism() {
    let pair = Pair::new();
    let (here, there) = talk(pair.run(initiate(&pair, by_ticket(&pair)), accept(&pair), |token| token));
    let key = sealing_key(1);
    let move_over =
        |context: orthros_gss::Context| pair.import(&context.export(&key).unwrap(), &key).unwrap();
    talk((Some(Ok(move_over(here))), Some(Ok(move_over(there)))));
}

#[test]
fn tokens_of_the_old_form_bear_the_mechanism_and_no_other() {
    let mut pair = Pair::with_enctype(Enctype::ArcfourHmac);
    // Nothing better is negotiated.
    let mut config = (*pair.settings.config).clone();
    config.permitted_enctypes = vec![Enctype::ArcfourHmac];
    pair.settings.config = Arc::new(config);
    let (here, there) = talk(pair.run(initiate(&pair, by_ticket(&pair)), accept(&pair), |token| token));
    let token = here.wrap(b"a message").unwrap();
    let (mechanism, inner) = framing::unframe(&token).unwrap();
    assert_eq!(mechanism, IAKERB_OID);
    let foreign = framing::frame(&KRB5_OID, &[inner]);
    assert_eq!(there.unwrap(&foreign).unwrap_err(), BadToken::WrongKind.into());
    assert_eq!(there.unwrap(&token).unwrap().message, b"a message");
}

#[test]
fn a_negotiation_does_not_offer_it_nor_take_it_within() {
    let pair = Pair::new();
    pair.establish(pair.initiate(), pair.accept());
    let (offer, _) = first(pair.initiate_full().mechanism(&SPNEGO).start());
    let identifier = IAKERB_OID.to_der();
    assert!(!offer.windows(identifier.len()).any(|octets| octets == identifier));
    // A list of one, which is it: mechTypes within NegTokenInit.
    let list = [&[0xa0, 14, 0x30, 12, 0xa0, 10, 0x30, 8][..], &identifier].concat();
    let step = waiting(accept(&pair)).token(&framing::frame(&SPNEGO.oid, &[&list]));
    let Step::Send(owed) = step else { panic!("{step:?}") };
    assert!(matches!(owed.sent(), Step::Failed(Error::Refused(Refusal::NoMechanism(_)))));
}
