//! The initiator's half: an offer with the first token of the preferred mechanism, then that mechanism's exchange.

use orthros_krb5::Env;
use orthros_krb5::watch::Fact;
use orthros_wire::Timestamp;

use super::token::{self, NegState, NegTokenInit, NegTokenResp, respond};
use super::{Negotiating, Proof, offered};
use crate::Context;
use crate::context::{After, AwaitToken, Initiate, Step};
use crate::error::{BadToken, Error, Refusal};
use crate::mech::krb5;
use crate::mechanism::KRB5;

/// A negotiation of this end's.
pub(crate) struct Initiator {
    proof: Proof,
    peer: Peer,
    env: Env,
}

/// What the acceptor has said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// Nothing: the offer is not sent yet.
    Unasked,
    /// It has chosen, and waits for a token.
    Waits,
    /// It is done.
    Completed,
}

/// The first step of a negotiated context.
pub(crate) fn start(initiate: Initiate) -> Step {
    let offer = offered(initiate.negotiable.as_deref());
    if offer.is_empty() {
        return Step::fail(Refusal::NoMechanism(initiate.negotiable.unwrap_or_default()));
    }
    let env = initiate.settings.env.clone();
    env.tell(Fact::Offers(&offer));
    let initiator = Initiator { proof: Proof::of(token::list(&offer)), peer: Peer::Unasked, env };
    Negotiating::Initiator(initiator).take(krb5::initiator::start(initiate.mechanism(&KRB5)))
}

impl Initiator {
    /// Goes on after a step of the mechanism: what it wants to send, and where it stands then.
    pub(super) fn advance(self, token: Option<Vec<u8>>, after: After) -> Step {
        match (self.peer, token, after) {
            (_, None, After::Failed(error)) => Step::Failed(error),
            (_, Some(token), After::Failed(error)) => {
                Step::refuse(respond(NegState::Reject, None, Some(&token), None), error)
            }
            (Peer::Unasked, Some(token), after) => self.offer(&token, after),
            (Peer::Waits, Some(token), After::Receive(wait)) => {
                let response = respond(NegState::Incomplete, None, Some(&token), None);
                self.send(response, After::Receive(wait))
            }
            (Peer::Waits | Peer::Completed, token, After::Done(context)) => self.finish(token, context),
            // It is done and the mechanism is not, or neither end has anything to say.
            _ => Step::fail(BadToken::WrongKind),
        }
    }

    fn offer(self, mech_token: &[u8], after: After) -> Step {
        match NegTokenInit::write(&self.proof.list, mech_token) {
            Ok(offer) => self.send(offer, after),
            Err(error) => Step::fail(error),
        }
    }

    /// The mechanism is done: so is the negotiation, once the list is proved and the acceptor says so.
    fn finish(mut self, token: Option<Vec<u8>>, context: Context) -> Step {
        if let Err(error) = self.proof.verify(&context) {
            return Step::refuse(respond(NegState::Reject, None, None, None), error);
        }
        if self.peer == Peer::Completed {
            return match (self.proof.holds(), token) {
                (true, None) => Step::Done(context),
                (true, Some(_)) => Step::fail(BadToken::WrongKind),
                (false, _) => Step::fail(BadToken::Unproved),
            };
        }
        let mic = match self.proof.mic(&context) {
            Ok(mic) => mic,
            Err(error) => return Step::Failed(error),
        };
        if token.is_none() && mic.is_none() {
            return Step::fail(BadToken::WrongKind);
        }
        let proved = self.proof.verified && token.is_none();
        let state = if proved { NegState::Completed } else { NegState::Incomplete };
        let response = respond(state, None, token.as_deref(), mic.as_deref());
        // With both MICs exchanged the acceptor has nothing more to say.
        if proved {
            Step::send(response, After::Done(context))
        } else {
            self.send(response, After::Done(context))
        }
    }

    fn send(self, token: Vec<u8>, inner: After) -> Step {
        Step::send(token, After::Receive(AwaitToken::offered(Offered { initiator: self, inner })))
    }
}

/// A negotiation that waits for the acceptor.
pub(crate) struct Offered {
    initiator: Initiator,
    /// Where the mechanism stands: it waits too, or is done.
    inner: After,
}

impl Offered {
    /// When the mechanism's context will end.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        match &self.inner {
            After::Receive(wait) => wait.end(),
            After::Done(_) | After::Failed(_) => None,
        }
    }

    /// Takes the acceptor's token.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let Self { mut initiator, inner } = self;
        let read = || -> Result<_, Error> {
            let response = NegTokenResp::read(token)?;
            let state = NegState::of(&response)?;
            if let Some(chosen) =
                response.supported_mech.as_ref().filter(|chosen| !offered(None).contains(chosen))
            {
                return Err(Refusal::Mechanism(chosen.clone()).into());
            }
            Ok((response, state))
        };
        let (response, state) = match read() {
            Ok(read) => read,
            Err(error) => return Step::Failed(error),
        };
        if let Some(mechanism) = &response.supported_mech {
            let first = offered(None).first() == Some(mechanism);
            initiator.env.tell(Fact::Chosen { mechanism, first });
        }
        if state == NegState::Reject {
            return rejected(inner, response.response_token);
        }
        initiator.peer = if state == NegState::Completed { Peer::Completed } else { Peer::Waits };
        initiator.proof.due |= state == NegState::RequestMic;
        if let Err(error) = initiator.proof.keep(response.mech_list_mic) {
            return Step::fail(error);
        }
        let inner = match (inner, response.response_token.filter(|token| !token.is_empty())) {
            (After::Receive(wait), Some(token)) => wait.token(token),
            (inner, None) => inner.into(),
            (_, Some(_)) => return Step::fail(BadToken::WrongKind),
        };
        Negotiating::Initiator(initiator).take(inner)
    }
}

/// The peer gives up: its mechanism's token tells why, if there is one.
pub(super) fn rejected(inner: After, token: Option<&[u8]>) -> Step {
    match (inner, token) {
        (After::Receive(wait), Some(token)) => match wait.token(token) {
            Step::Failed(error) => Step::Failed(error),
            _ => Step::fail(Refusal::NegotiationRejected),
        },
        _ => Step::fail(Refusal::NegotiationRejected),
    }
}
