//! The acceptor's half: the first offered mechanism that is here is chosen, and its exchange goes on.

use orthros_krb5::watch::Fact;
use orthros_wire::Oid;

use super::token::{self, NegState, NegTokenInit, NegTokenResp, respond};
use super::{Negotiating, Proof, initiator, negotiable, offered};
use crate::Context;
use crate::context::{Accept, After, AwaitToken, Step};
use crate::error::{BadToken, Error, Refusal};
use crate::mech::krb5;

/// A negotiation with whoever offered.
pub(crate) struct Acceptor {
    pub(crate) proof: Proof,
    /// What was chosen, under the identifier by which it was offered, until the initiator was told.
    pub(crate) chosen: Option<Oid>,
}

/// The first token of an acceptor that speaks first: it has been handed an empty token.
pub(crate) fn speak_first(accept: Accept) -> Step {
    Step::send(
        token::hints(&offered(accept.negotiable.as_deref())),
        After::Receive(AwaitToken::accepting(accept)),
    )
}

/// Takes the offer: what is in the frame of the initiator's first token.
pub(crate) fn start(accept: Accept, offer: &[u8]) -> Step {
    let offer = match NegTokenInit::read(offer) {
        Ok(offer) => offer,
        Err(error) => return Step::fail(error),
    };
    let here = |oid: &Oid| {
        let mut rows = negotiable(accept.negotiable.as_deref());
        rows.any(|row| row.oid == *oid || row.negotiated_as.contains(oid))
    };
    let Some(place) = offer.mech_types.iter().position(here) else {
        let reject = respond(NegState::Reject, None, None, None);
        return Step::refuse(reject, Refusal::NoMechanism(offer.mech_types.into_value()).into());
    };
    if let Some(mechanism) = offer.mech_types.get(place) {
        accept.settings.env.tell(Fact::Chosen { mechanism, first: place == 0 });
    }
    let mut proof = Proof::of(offer.mech_types.octets().to_vec());
    // Another end than the initiator's first choice could be the work of somebody in between.
    proof.due = accept.offer_proved || place != 0;
    let acceptor = Acceptor { proof, chosen: offer.mech_types.get(place).cloned() };
    let wait = krb5::acceptor::Acceptor::new(accept);
    match offer.mech_token.filter(|token| place == 0 && !token.is_empty()) {
        Some(token) => acceptor.step(offer.mech_list_mic, wait.token(token)),
        None => acceptor.wait(None, None, After::Receive(AwaitToken::krb5(wait))),
    }
}

impl Acceptor {
    /// Goes on with a step of the mechanism, and the MIC that came with the token.
    fn step(mut self, mic: Option<&[u8]>, inner: Step) -> Step {
        match self.proof.keep(mic) {
            Ok(()) => Negotiating::Acceptor(self).take(inner),
            Err(error) => Step::fail(error),
        }
    }

    /// Goes on after a step of the mechanism: what it wants to send, and where it stands then.
    pub(super) fn advance(self, token: Option<Vec<u8>>, after: After) -> Step {
        match after {
            After::Failed(error) => self.refuse(token.as_deref(), error),
            After::Receive(_) if token.is_none() => Step::fail(BadToken::WrongKind),
            After::Receive(_) => self.wait(token.as_deref(), None, after),
            After::Done(context) => self.finish(token.as_deref(), context),
        }
    }

    /// The mechanism is done: so is the negotiation, once the list is proved.
    fn finish(mut self, token: Option<&[u8]>, context: Context) -> Step {
        if let Err(error) = self.proof.verify(&context) {
            return self.refuse(None, error);
        }
        let told = self.proof.sent;
        let mic = match self.proof.mic(&context) {
            Ok(mic) => mic,
            Err(error) => return self.refuse(None, error),
        };
        if !self.proof.holds() {
            return self.wait(token, mic.as_deref(), After::Done(context));
        }
        if told && token.is_none() {
            // The initiator has our MIC and knows that its own was the last thing to say.
            return Step::Done(context);
        }
        let last = respond(NegState::Completed, self.chosen.as_ref(), token, mic.as_deref());
        Step::send(last, After::Done(context))
    }

    /// Says how far it is, and waits.
    fn wait(mut self, token: Option<&[u8]>, mic: Option<&[u8]>, inner: After) -> Step {
        let chosen = self.chosen.take();
        // The proof is asked for where the choice is told.
        let asks = self.proof.due && chosen.is_some();
        let state = if asks { NegState::RequestMic } else { NegState::Incomplete };
        let response = respond(state, chosen.as_ref(), token, mic);
        Step::send(response, After::Receive(AwaitToken::chosen(Chosen { acceptor: self, inner })))
    }

    fn refuse(self, token: Option<&[u8]>, error: Error) -> Step {
        Step::refuse(respond(NegState::Reject, self.chosen.as_ref(), token, None), error)
    }
}

/// A negotiation that waits for the initiator.
pub(crate) struct Chosen {
    pub(crate) acceptor: Acceptor,
    /// Where the mechanism stands: it waits too, or is done.
    pub(crate) inner: After,
}

impl Chosen {
    /// Takes the initiator's token.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let Self { acceptor, inner } = self;
        let read = NegTokenResp::read(token).and_then(|response| Ok((NegState::of(&response)?, response)));
        let (state, response) = match read {
            Ok(read) => read,
            Err(error) => return Step::fail(error),
        };
        if state == NegState::Reject {
            return initiator::rejected(inner, response.response_token);
        }
        let inner = match (inner, response.response_token.filter(|token| !token.is_empty())) {
            (After::Receive(wait), Some(token)) => wait.token(token),
            (After::Done(context), None) if response.mech_list_mic.is_some() => Step::Done(context),
            _ => return Step::fail(BadToken::WrongKind),
        };
        acceptor.step(response.mech_list_mic, inner)
    }
}
