//! Negotiation of a mechanism (RFC 4178): what travels, what proves the list of offered mechanisms, and what somebody in
//! between can't do.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use crate::common::{Outcome, Pair};
use orthros_gss::context::AwaitToken;
use orthros_gss::error::{BadToken, Refusal};
use orthros_gss::mechanism::{KRB5_OID, SPNEGO, SPNEGO_OID};
use orthros_gss::negotiation::{Acceptor, Elsewhere, Initiator, Say, Signs, Standing};
use orthros_gss::{Error, Flags, Initiate, Major, Need, Order, Step};
use orthros_krb5::ErrorCode;
use orthros_wire::Oid;
use orthros_wire::der::{DerReader, DerWriter, Encode, Tag};

const COMPLETED: u8 = 0;
const INCOMPLETE: u8 = 1;
const REJECT: u8 = 2;
const REQUEST_MIC: u8 = 3;

fn negotiated(pair: &Pair) -> Initiate {
    pair.initiate_full().mechanism(&SPNEGO)
}

fn talk(outcome: (Option<Outcome>, Option<Outcome>)) {
    let (here, there) = (outcome.0.unwrap().unwrap(), outcome.1.unwrap().unwrap());
    for context in [&here, &there] {
        assert_eq!(context.mechanism(), KRB5_OID);
        assert!(context.flags().contains(Flags::MUTUAL));
    }
    assert_eq!(there.unwrap(&here.wrap(b"there").unwrap()).unwrap().message, b"there");
    assert_eq!(here.unwrap(&there.wrap(b"back").unwrap()).unwrap().message, b"back");
}

/// The fields of a token after the offer, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Response {
    state: Option<u8>,
    chosen: Option<Oid>,
    token: Option<Vec<u8>>,
    mic: Option<Vec<u8>>,
}

impl Response {
    fn read(token: &[u8]) -> Self {
        let content = DerReader::new(token).expect(Tag::context(1)).unwrap();
        let mut fields = DerReader::new(DerReader::new(content).expect(Tag::SEQUENCE).unwrap());
        let mut response = Self::default();
        while let Ok((tag, content, _)) = fields.any() {
            let (_, value, _) = DerReader::new(content).any().unwrap();
            match tag {
                tag if tag == Tag::context(0) => response.state = Some(value[0]),
                tag if tag == Tag::context(1) => response.chosen = Some(Oid::from_content(value).unwrap()),
                tag if tag == Tag::context(2) => response.token = Some(value.to_vec()),
                tag if tag == Tag::context(3) => response.mic = Some(value.to_vec()),
                other => panic!("{other:?}"),
            }
        }
        response
    }

    fn write(&self) -> Vec<u8> {
        let mut writer = DerWriter::default();
        writer.value(Tag::context(1), |writer| {
            writer.value(Tag::SEQUENCE, |writer| {
                if let Some(state) = self.state {
                    writer.value(Tag::context(0), |writer| writer.octets(&[10, 1, state]));
                }
                if let Some(chosen) = &self.chosen {
                    writer.value(Tag::context(1), |writer| chosen.encode(writer));
                }
                for (number, field) in [(2, &self.token), (3, &self.mic)] {
                    if let Some(field) = field {
                        writer.value(Tag::context(number), |writer| field.as_slice().encode(writer));
                    }
                }
            });
        });
        writer.finish()
    }
}

/// An offer of these mechanisms.
fn offer(mechanisms: &[Oid], token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
    let mut writer = DerWriter::default();
    writer.value(Tag::application(0), |writer| {
        SPNEGO_OID.encode(writer);
        writer.value(Tag::context(0), |writer| {
            writer.value(Tag::SEQUENCE, |writer| {
                writer.value(Tag::context(0), |writer| mechanisms.to_vec().encode(writer));
                for (number, field) in [(2, token), (3, mic)] {
                    if let Some(field) = field {
                        writer.value(Tag::context(number), |writer| field.encode(writer));
                    }
                }
            });
        });
    });
    writer.finish()
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

/// Runs a negotiation in which the token of this number is replaced.
fn altered(
    pair: &Pair,
    initiate: Initiate,
    number: usize,
    alter: impl Fn(Vec<u8>) -> Vec<u8>,
) -> (Option<Outcome>, Option<Outcome>) {
    let mut count = 0;
    pair.run(initiate, pair.accept(), |token| {
        count += 1;
        if count == number + 1 { alter(token) } else { token }
    })
}

#[test]
fn one_offer_and_one_answer_bring_up_the_preferred_mechanism_without_mics() {
    let pair = Pair::new();
    let outcome = pair.run(negotiated(&pair), pair.accept(), |token| token);
    talk(outcome);
    let sent = pair.sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    let answer = Response::read(&sent[1]);
    assert_eq!((answer.state, answer.chosen, answer.mic), (Some(COMPLETED), Some(KRB5_OID), None));
}

#[test]
fn one_way_dce_style_and_delegating_contexts_are_negotiated_too() {
    let pair = Pair::new();
    let one_way = pair.initiate().mechanism(&SPNEGO);
    let (here, there) = pair.establish(one_way, pair.accept());
    assert_eq!(there.unwrap(&here.wrap_integrity(b"one way").unwrap()).unwrap().message, b"one way");
    let outcome = pair.run(negotiated(&pair).dce_style(), pair.accept(), |token| token);
    talk(outcome);
    let (_, there) = pair.establish(negotiated(&pair).delegate(), pair.accept());
    assert!(there.delegated_credential().is_some());
}

#[test]
fn what_was_offered_is_proved_by_both_where_the_choice_is_not_the_first_offer() {
    // Whoever offers something else first can't use the optimistic token, and both lists are signed.
    let pair = Pair::new();
    let first = Response { state: Some(REQUEST_MIC), chosen: Some(KRB5_OID), token: None, mic: None };
    let foreign = oid("1.3.6.1.4.1.311.2.2.10");
    let list = [foreign.clone(), KRB5_OID];
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    let Step::Send(owed) = wait.token(&offer(&list, Some(b"of the other mechanism"), None)) else { panic!() };
    assert_eq!(Response::read(owed.token()), first);
    let Step::Receive(chosen) = owed.sent() else { panic!() };

    let (here, inner_reply) = {
        // The initiator's side of krb5, by hand.
        let mut step = pair.initiate_full().start();
        let request = loop {
            step = match step {
                Step::Need(need) => pair.provide(need),
                Step::Send(owed) => break owed,
                other => panic!("{other:?}"),
            };
        };
        let response = Response { token: Some(request.token().to_vec()), ..Response::default() };
        let Step::Receive(wait) = request.sent() else { panic!() };
        let mut step = chosen.token(&response.write());
        let owed = loop {
            step = match step {
                Step::Need(need) => pair.provide(need),
                Step::Send(owed) => break owed,
                other => panic!("{other:?}"),
            };
        };
        (wait, owed)
    };
    let reply = Response::read(inner_reply.token());
    assert_eq!((reply.state, &reply.chosen), (Some(INCOMPLETE), &None));
    let Step::Done(here) = here.token(reply.token.as_deref().unwrap()) else { panic!() };
    let signed = list.to_vec().to_der();
    assert!(here.verify_mic(&signed, reply.mic.as_deref().unwrap()).is_ok(), "the acceptor's proof");

    // Without ours the acceptor does not come up; with a wrong one it says so.
    let Step::Receive(wait) = inner_reply.sent() else { panic!() };
    let mic = here.mic(&signed).unwrap();
    let last = Response { state: Some(COMPLETED), mic: Some(mic), ..Response::default() };
    let Step::Done(there) = wait.token(&last.write()) else { panic!() };
    assert_eq!(there.unwrap(&here.wrap(b"proved").unwrap()).unwrap().message, b"proved");
}

#[test]
fn an_acceptor_that_demands_proof_of_a_first_choice_gets_it_and_gives_its_own() {
    let pair = Pair::new();
    for (initiate, tokens) in [(negotiated(&pair), 3), (pair.initiate().mechanism(&SPNEGO), 3)] {
        pair.sent.lock().unwrap().clear();
        let (here, there) = pair.establish(initiate, pair.accept().offer_proved());
        assert_eq!(there.verify_mic(b"next", &here.mic(b"next").unwrap()).unwrap(), Order::InOrder);
        let sent = pair.sent.lock().unwrap();
        assert_eq!(sent.len(), tokens);
        let (asked, proof) = (Response::read(&sent[1]), Response::read(&sent[2]));
        assert_eq!((asked.state, proof.state), (Some(REQUEST_MIC), Some(COMPLETED)));
        assert!(asked.mic.is_some() && proof.mic.is_some());
    }
    // The proof is of the list that the acceptor saw, and nothing goes on without it.
    let answers: [fn(Response) -> Response; 3] = [
        |proof| Response { mic: None, ..proof },
        |proof| Response { mic: Some(vec![0; 28]), ..proof },
        |proof| Response { token: Some(vec![1]), ..proof },
    ];
    for answer in answers {
        let mut count = 0;
        let (_, there) = pair.run(negotiated(&pair), pair.accept().offer_proved(), |token| {
            count += 1;
            if count == 3 { answer(Response::read(&token)).write() } else { token }
        });
        assert!(there.unwrap().is_err());
    }
    let mut count = 0;
    let (_, there) = pair.run(negotiated(&pair), pair.accept().offer_proved(), |token| {
        count += 1;
        let longer = [KRB5_OID, oid("1.3.6.1.4.1.311.2.2.10")];
        if count == 1 { offer(&longer, Some(&mech_token(&token)), None) } else { token }
    });
    assert!(there.is_none_or(|there| there.is_err()), "the list was altered on its way");
}

#[test]
fn the_choice_and_the_demand_are_told_once_and_the_proof_comes_with_the_mechanisms_last_token() {
    // Of the mechanism's three tokens the initiator sends the last.
    let pair = Pair::new();
    let (here, there) = pair.establish(negotiated(&pair).dce_style(), pair.accept().offer_proved());
    assert_eq!(there.unwrap(&here.wrap(b"proved").unwrap()).unwrap().message, b"proved");
    let sent = pair.sent.lock().unwrap();
    let [_, first, proof, last] = &sent[..] else { panic!("{} tokens", sent.len()) };
    let [first, proof, last] = [first, proof, last].map(|token| Response::read(token));
    assert_eq!((first.state, first.chosen, first.mic), (Some(REQUEST_MIC), Some(KRB5_OID), None));
    assert!(first.token.is_some() && proof.token.is_some() && proof.mic.is_some());
    assert_eq!((last.state, last.chosen, last.token), (Some(COMPLETED), None, None));
    let list = [KRB5_OID].to_vec().to_der();
    assert!(here.verify_mic(&list, last.mic.as_deref().unwrap()).is_ok());
}

#[test]
fn an_acceptor_that_claims_to_wait_for_proof_when_it_is_done_brings_up_nothing() {
    let pair = Pair::new();
    let asks = |token: Vec<u8>| Response { state: Some(REQUEST_MIC), ..Response::read(&token) }.write();
    let (here, there) = altered(&pair, negotiated(&pair), 1, asks);
    assert!(here.is_none() && there.unwrap().is_ok());
    let proof = Response::read(&pair.sent.lock().unwrap()[2]);
    assert_eq!((proof.state, proof.token), (Some(INCOMPLETE), None));
    assert!(proof.mic.is_some());
}

#[test]
fn an_offer_that_was_changed_in_between_brings_no_context_up() {
    // Somebody in between puts a mechanism before ours: the acceptor then demands a proof, over another list than ours.
    let pair = Pair::new();
    let mut step = negotiated(&pair).start();
    let sent = loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => break owed,
            other => panic!("{other:?}"),
        };
    };
    let Step::Receive(initiator) = sent.sent() else { panic!() };
    let Step::Receive(acceptor) = pair.accept().start() else { panic!() };
    let forged = offer(&[oid("1.3.6.1.4.1.311.2.2.10"), KRB5_OID], None, None);
    let Step::Send(owed) = acceptor.token(&forged) else { panic!() };
    // The initiator is told that its first offer was not taken, and it has made no other.
    let Step::Failed(error) = initiator.token(owed.token()) else { panic!() };
    assert_eq!(error.major(), Major::DefectiveToken);
}

#[test]
fn every_wrong_mic_fails_both_when_it_is_due_and_when_nobody_asked() {
    let pair = Pair::new();
    for (number, field) in [(1, b"not a MIC".to_vec()), (1, vec![0; 28])] {
        let forge = |token: Vec<u8>| Response { mic: Some(field.clone()), ..Response::read(&token) }.write();
        let (here, _) = altered(&pair, negotiated(&pair), number, forge);
        assert!(here.unwrap().is_err(), "a wrong MIC is taken");
    }
    let forged = |token: Vec<u8>| {
        let inner = mech_token(&token);
        offer(&[KRB5_OID], Some(&inner), Some(b"not a MIC"))
    };
    let (_, there) = altered(&pair, negotiated(&pair), 0, forged);
    assert!(there.unwrap().is_err(), "a wrong MIC is taken by the acceptor");
}

/// The mechanism's token in an offer of ours.
fn mech_token(token: &[u8]) -> Vec<u8> {
    let content = DerReader::new(token).expect(Tag::application(0)).unwrap();
    let mut reader = DerReader::new(content);
    let _ = reader.any().unwrap();
    let init = reader.expect(Tag::context(0)).unwrap();
    let mut fields = DerReader::new(DerReader::new(init).expect(Tag::SEQUENCE).unwrap());
    let _ = fields.expect(Tag::context(0)).unwrap();
    let (_, value, _) = DerReader::new(fields.expect(Tag::context(2)).unwrap()).any().unwrap();
    value.to_vec()
}

#[test]
fn no_answer_completes_a_context_that_is_not_up() {
    let pair = Pair::new();
    let cases: [fn(Response) -> Response; 4] = [
        |answer| Response { token: None, ..answer },
        |answer| Response { token: None, state: Some(INCOMPLETE), ..answer },
        |answer| Response { chosen: Some("1.3.6.1.4.1.311.2.2.10".parse().unwrap()), ..answer },
        |answer| Response { state: Some(9), ..answer },
    ];
    for (place, case) in cases.into_iter().enumerate() {
        let alter = |token: Vec<u8>| case(Response::read(&token)).write();
        let (here, _) = altered(&pair, negotiated(&pair), 1, alter);
        assert!(here.unwrap().is_err(), "case {place}");
    }
}

#[test]
fn a_windows_2000_answer_repeats_its_token_where_the_mic_belongs() {
    let pair = Pair::new();
    let repeat = |token: Vec<u8>| {
        let answer = Response::read(&token);
        Response { mic: answer.token.clone(), ..answer }.write()
    };
    let outcome = altered(&pair, negotiated(&pair), 1, repeat);
    talk(outcome);
}

#[test]
fn the_identifier_of_windows_is_answered_as_it_was_offered() {
    let pair = Pair::new();
    let windows = oid("1.2.840.48018.1.2.2");
    let rename = |token: Vec<u8>| offer(std::slice::from_ref(&windows), Some(&mech_token(&token)), None);
    let (here, there) = altered(&pair, negotiated(&pair), 0, rename);
    assert!(there.unwrap().is_ok());
    assert_eq!(Response::read(&pair.sent.lock().unwrap()[1]).chosen, Some(windows.clone()));
    assert_eq!(here.unwrap().unwrap_err(), Error::Refused(Refusal::Mechanism(windows)), "it was not offered");
}

#[test]
fn a_refusal_within_tells_its_reason_through_the_negotiation() {
    let pair = Pair::new();
    let initiate = negotiated(&pair);
    pair.clock.advance(3600);
    let late = pair.run(initiate, pair.accept(), |token| {
        pair.clock.set(orthros_wire::Timestamp::from_seconds(crate::common::NOW));
        token
    });
    let (here, there) = (late.0.unwrap().unwrap_err(), late.1.unwrap().unwrap_err());
    assert_eq!(there.kerberos_code(), Some(ErrorCode::SKEW), "{there}");
    assert_eq!(here.kerberos_code(), Some(ErrorCode::SKEW), "{here}");
    let sent = pair.sent.lock().unwrap();
    assert_eq!(Response::read(sent.last().unwrap()).state, Some(REJECT));
}

#[test]
fn an_acceptor_without_a_common_mechanism_says_so_to_both() {
    let pair = Pair::new();
    let foreign = oid("1.3.6.1.4.1.311.2.2.10");
    let replace = |_| offer(std::slice::from_ref(&foreign), Some(b"NTLMSSP\0"), None);
    let (here, there) = altered(&pair, negotiated(&pair), 0, replace);
    let there = there.unwrap().unwrap_err();
    assert_eq!(
        (there.major(), there),
        (Major::BadMechanism, Error::Refused(Refusal::NoMechanism(vec![foreign])))
    );
    assert_eq!(here.unwrap().unwrap_err(), Error::Refused(Refusal::NegotiationRejected));
}

#[test]
fn an_acceptor_may_speak_first() {
    let pair = Pair::new();
    let Step::Send(owed) = pair.accept().speak_first() else { panic!() };
    assert!(owed.token().windows(13).any(|octets| octets == b"please_ignore"));
    let Step::Receive(wait) = owed.sent() else { panic!() };
    let Step::Send(owed) = wait.token(&offer(&[], None, None)) else { panic!() };
    assert_eq!(Response::read(owed.token()).state, Some(REJECT));
    let Step::Failed(error) = owed.sent() else { panic!() };
    assert_eq!(error, Error::Refused(Refusal::NoMechanism(Vec::new())));
}

#[test]
fn the_preferred_mechanism_may_come_without_its_first_token() {
    let pair = Pair::new();
    let Step::Receive(wait) = pair.accept().start() else { panic!() };
    let Step::Send(owed) = wait.token(&offer(&[KRB5_OID], None, None)) else { panic!() };
    let answer = Response::read(owed.token());
    assert_eq!((answer.state, answer.chosen), (Some(INCOMPLETE), Some(KRB5_OID)));
}

#[test]
fn every_cut_token_is_refused() {
    let pair = Pair::new();
    drop(pair.run(negotiated(&pair), pair.accept(), |token| token));
    let sent = pair.sent.lock().unwrap().clone();
    for cut in 0..sent[0].len() {
        let Step::Receive(wait) = pair.accept().start() else { panic!() };
        match wait.token(&sent[0][..cut]) {
            Step::Failed(Error::Token(BadToken::Framing | BadToken::Malformed)) => {}
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
    for cut in 0..sent[1].len() {
        let outcome =
            altered(&pair, negotiated(&pair), 1, |token| token[..cut.min(token.len() - 1)].to_vec());
        assert_eq!(outcome.0.unwrap().unwrap_err(), Error::Token(BadToken::Malformed), "cut at {cut}");
    }
}

#[test]
fn what_may_not_be_negotiated_is_neither_offered_nor_taken() {
    let pair = Pair::new();
    let other = [oid("1.3.6.1.4.1.311.2.2.10")];
    let none = |outcome: Option<Outcome>| {
        let error = outcome.unwrap().unwrap_err();
        assert!(matches!(error, Error::Refused(Refusal::NoMechanism(_))), "{error}");
    };
    let (here, there) = pair.run(negotiated(&pair).negotiable(&other), pair.accept(), |token| token);
    none(here);
    assert!(there.is_none(), "nothing was sent");
    let (here, there) = pair.run(negotiated(&pair), pair.accept().negotiable(&other), |token| token);
    let told = here.unwrap().unwrap_err();
    assert!(matches!(told, Error::Refused(Refusal::NegotiationRejected)), "{told}");
    none(there);
    talk(pair.run(
        negotiated(&pair).negotiable(&[KRB5_OID]),
        pair.accept().negotiable(&[KRB5_OID]),
        |token| token,
    ));
}

/// A mechanism that is not here. Whatever it signs is the message itself.
struct Other;

impl Signs for Other {
    type Error = Error;

    fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(message.to_vec())
    }

    fn verify_mic(&self, message: &[u8], mic: &[u8]) -> Result<(), Error> {
        if message == mic { Ok(()) } else { Err(BadToken::Integrity.into()) }
    }
}

const OTHER: Oid = Oid::from_static(&[0x2a, 3, 4, 5]);

fn wait<E: std::fmt::Debug>(said: Say<E>) -> Vec<u8> {
    let Say::Wait(token) = said else { panic!("{said:?}") };
    token
}

/// The mechanism's part of a negotiation in which its second token is the last one: both prove the list.
fn proved(mut here: Initiator, mut there: Acceptor) {
    let first = wait(here.say(Some(b"first"), Standing::<Other>::Waits));
    assert_eq!(there.hear(&first).unwrap().next(false), Ok(Some(&b"first"[..])));
    let answer = wait(there.say(Some(b"answer"), Standing::<Other>::Waits));
    assert_eq!(here.hear(&answer).unwrap().next(false), Ok(Some(&b"answer"[..])));
    let last = wait(here.say(Some(b"last"), Standing::Up(&Other)));
    assert_eq!(there.hear(&last).unwrap().next(false), Ok(Some(&b"last"[..])));
    let Say::Up(Some(token)) = there.say(None, Standing::Up(&Other)) else { panic!() };
    assert!(Response::read(&token).mic.is_some());
    let heard = here.hear(&token).unwrap();
    assert_eq!(heard.next(true), Ok(None));
    assert!(matches!(here.say(None, Standing::Up(&Other)), Say::Up(None)));
}

#[test]
fn another_mechanism_that_the_acceptor_chose_begins_and_the_list_is_proved() {
    let pair = Pair::new();
    let (offer, wait_here) = offered_beside(&pair);
    let Step::Receive(wait) = pair.accept().negotiable(&[OTHER]).beside(&[OTHER]).start() else { panic!() };
    let Step::Need(Need::Elsewhere(need)) = wait.token(&offer) else { panic!() };
    assert_eq!((need.mechanism(), need.token()), (&OTHER, None), "the token that came along is Kerberos'");
    let Elsewhere::Acceptor(mut there) = need.into_end() else { panic!() };
    let asked = there.ask();
    let answer = Response::read(&asked);
    assert_eq!((answer.state, answer.chosen), (Some(REQUEST_MIC), Some(OTHER)));
    let Step::Need(Need::Elsewhere(need)) = wait_here.token(&asked) else { panic!() };
    assert_eq!((need.mechanism(), need.failed()), (&OTHER, None));
    let Elsewhere::Initiator(here) = need.into_end() else { panic!() };
    proved(here, there);
}

/// The offer of Kerberos and another one, and what waits for its answer.
fn offered_beside(pair: &Pair) -> (Vec<u8>, AwaitToken) {
    let mut step = negotiated(pair).beside(&[OTHER]).start();
    loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => {
                let offer = owed.token().to_vec();
                let Step::Receive(wait) = owed.sent() else { panic!() };
                return (offer, wait);
            }
            other => panic!("{other:?}"),
        };
    }
}

#[test]
fn an_answer_chooses_another_mechanism_late_with_a_token_or_without_a_proof() {
    let pair = Pair::new();
    let answer = |state: u8, token: Option<&[u8]>| {
        let token = token.map(<[u8]>::to_vec);
        Response { state: Some(state), chosen: Some(OTHER), token, mic: None }.write()
    };
    let (_, wait_here) = offered_beside(&pair);
    let with_token = wait_here.token(&answer(REQUEST_MIC, Some(b"token")));
    assert!(matches!(with_token, Step::Failed(Error::Token(BadToken::WrongKind))), "{with_token:?}");
    // Whoever crosses Kerberos out does not ask for the proof either: it is due all the same.
    let (_, wait_here) = offered_beside(&pair);
    let Step::Need(Need::Elsewhere(need)) = wait_here.token(&answer(INCOMPLETE, None)) else { panic!() };
    let Elsewhere::Initiator(mut here) = need.into_end() else { panic!() };
    assert_eq!(here.hear(&answer(INCOMPLETE, None)).unwrap().other, None, "the same once more");
    wait(here.say(Some(b"first"), Standing::<Other>::Waits));
    let token = Some(b"last".to_vec());
    let done = Response { state: Some(COMPLETED), token, ..Response::default() }.write();
    here.hear(&done).unwrap();
    let said = here.say(None, Standing::Up(&Other));
    assert!(matches!(said, Say::Failed(None, Error::Token(BadToken::Unproved))), "{said:?}");
    let back = Response { chosen: Some(KRB5_OID), ..Response::default() }.write();
    assert_eq!(here.hear(&back).unwrap_err(), BadToken::WrongKind.into(), "it has begun");
}

#[test]
fn another_mechanism_goes_first_where_kerberos_fails_before_it_has_sent_anything() {
    let pair = Pair::new();
    let step = negotiated(&pair).beside(&[OTHER]).start();
    let failing = |mut step| loop {
        step = match step {
            Step::Need(Need::Kdc(need)) => need.unavailable("none is there"),
            Step::Need(Need::Resolve(need)) => need.unavailable(),
            other => return other,
        };
    };
    let Step::Need(Need::Elsewhere(need)) = failing(step) else { panic!() };
    assert_eq!(need.mechanism(), &OTHER);
    let why = need.failed().unwrap().clone();
    assert!(matches!(why, Error::Kdc(_)), "{why}");
    let Elsewhere::Initiator(mut here) = need.into_end() else { panic!() };
    let offer = wait(here.say(Some(b"first"), Standing::<Other>::Waits));
    let Ok(choice) = Acceptor::choose(&offer, |oid| *oid == OTHER) else { panic!() };
    assert_eq!(
        (choice.first, choice.token.as_deref()),
        (true, Some(&b"first"[..])),
        "it is alone in the list"
    );
    // Where nobody has it, it is Kerberos' failure that is told.
    let Step::Need(Need::Elsewhere(need)) = failing(negotiated(&pair).beside(&[OTHER]).start()) else {
        panic!()
    };
    let Step::Failed(told) = need.unavailable() else { panic!() };
    assert_eq!(told, why);
}
