//! The initiator's half: an offer with the first token of the preferred mechanism, then that mechanism's exchange.

use orthros_krb5::Env;
use orthros_krb5::watch::Fact;
use orthros_wire::{Oid, Timestamp};

use super::token::{self, NegState, NegTokenInit, NegTokenResp, respond};
use super::{Heard, Negotiating, Proof, Say, Signs, Standing, offered};
use crate::context::{After, AwaitToken, Initiate, Need, Step};
use crate::error::{BadToken, Error, Refusal};
use crate::mech::krb5;
use crate::mechanism::KRB5;
use crate::negotiation::{Elsewhere, NeedElsewhere};

/// A negotiation of this end's, whatever the mechanism is.
#[derive(Debug)]
pub struct Initiator {
    proof: Proof,
    /// What is offered, the preferred one first.
    offer: Vec<Oid>,
    /// The one that is on its way; `None`: the preferred one.
    chosen: Option<Oid>,
    peer: Peer,
}

/// What the acceptor has said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// Nothing.
    Unasked,
    /// It has chosen, and waits for a token.
    Waits,
    /// It is done.
    Completed,
}

impl Initiator {
    /// Offers these mechanisms, the preferred one first. That one begins: what it sends is the first thing to
    /// [`say`](Self::say).
    pub fn offering(offer: Vec<Oid>) -> Self {
        Self { proof: Proof::of(token::list(&offer)), offer, chosen: None, peer: Peer::Unasked }
    }

    /// The mechanism needs the list to be proved, which is its affair (MS-SPNG §3.3.5.1).
    pub fn demand_proof(&mut self) {
        self.proof.due = true;
    }

    /// Takes the acceptor's token.
    ///
    /// # Errors
    /// [`BadToken`]; [`Refusal::Mechanism`] if the acceptor has chosen what was not offered.
    pub fn hear<'t>(&mut self, token: &'t [u8]) -> Result<Heard<'t>, Error> {
        let response = NegTokenResp::read(token)?;
        let state = NegState::of(&response)?;
        let chosen = response.supported_mech;
        if let Some(chosen) = chosen.as_ref().filter(|chosen| !self.offer.contains(chosen)) {
            return Err(Refusal::Mechanism(chosen.clone()).into());
        }
        let rejected = state == NegState::Reject;
        let (token, signed) = (response.response_token, response.mech_list_mic.is_some());
        let other = chosen.filter(|chosen| Some(chosen) != self.chosen.as_ref().or(self.offer.first()));
        if other.is_some() && !rejected {
            // Only the first answer chooses, and it has no token: the mechanism of that one has not begun.
            if self.peer != Peer::Unasked || token.is_some() {
                return Err(BadToken::WrongKind.into());
            }
            // Whoever has crossed out the preferred one is found out by the proof, asked for or not (RFC 4178 §5).
            self.proof.due = true;
            self.chosen.clone_from(&other);
        }
        self.peer = if state == NegState::Completed { Peer::Completed } else { Peer::Waits };
        self.proof.due |= state == NegState::RequestMic;
        if !rejected {
            self.proof.keep(response.mech_list_mic)?;
        }
        Ok(Heard { other, token, rejected, signed })
    }

    /// Goes on after a step of the mechanism: what it wants to send, and where it stands then.
    pub fn say<S: Signs>(&mut self, token: Option<&[u8]>, standing: Standing<'_, S>) -> Say<S::Error> {
        match (self.peer, token, standing) {
            (Peer::Unasked, Some(token), _) => match NegTokenInit::write(&self.proof.list, token) {
                Ok(offer) => Say::Wait(offer),
                Err(error) => Say::fail(error),
            },
            (Peer::Waits, Some(token), Standing::Waits) => {
                Say::Wait(respond(NegState::Incomplete, None, Some(token), None))
            }
            (Peer::Waits | Peer::Completed, token, Standing::Up(context)) => self.finish(token, context),
            // It is done and the mechanism is not, or neither end has anything to say.
            _ => Say::fail(BadToken::WrongKind),
        }
    }

    /// What the acceptor is told if the mechanism fails, and what that wants to send; nothing if it has sent nothing yet.
    pub fn give_up(&self, token: Option<&[u8]>) -> Option<Vec<u8>> {
        let asked = self.peer != Peer::Unasked;
        (asked || token.is_some()).then(|| respond(NegState::Reject, None, token, None))
    }

    /// The mechanism is done: so is the negotiation, once the list is proved and the acceptor says so.
    fn finish<S: Signs>(&mut self, token: Option<&[u8]>, context: &S) -> Say<S::Error> {
        if let Err(error) = self.proof.verify(context) {
            return Say::Failed(Some(respond(NegState::Reject, None, None, None)), error);
        }
        if self.peer == Peer::Completed {
            return match (self.proof.holds(), token) {
                (true, None) => Say::Up(None),
                (true, Some(_)) => Say::fail(BadToken::WrongKind),
                (false, _) => Say::fail(BadToken::Unproved),
            };
        }
        let mic = match self.proof.mic(context) {
            Ok(mic) => mic,
            Err(error) => return Say::Failed(None, error),
        };
        if token.is_none() && mic.is_none() {
            return Say::fail(BadToken::WrongKind);
        }
        let proved = self.proof.verified && token.is_none();
        let state = if proved { NegState::Completed } else { NegState::Incomplete };
        let response = respond(state, None, token, mic.as_deref());
        // With both MICs exchanged the acceptor has nothing more to say.
        if proved { Say::Up(Some(response)) } else { Say::Wait(response) }
    }
}

/// A negotiation around the steps of Kerberos.
pub(crate) struct Offering {
    talk: Initiator,
    env: Env,
}

/// The first step of a negotiated context.
pub(crate) fn start(initiate: Initiate) -> Step {
    let own = offered(initiate.negotiable.as_deref());
    let offer = [own.as_slice(), &initiate.beside].concat();
    if offer.is_empty() {
        return Step::fail(Refusal::NoMechanism(initiate.negotiable.unwrap_or_default()));
    }
    let env = initiate.settings.env.clone();
    env.tell(Fact::Offers(&offer));
    let talk = Initiator::offering(offer);
    if own.is_empty() {
        return elsewhere(talk, None);
    }
    Negotiating::Initiator(Offering { talk, env }).take(krb5::initiator::start(initiate.mechanism(&KRB5)))
}

/// The mechanism that goes on is not here.
fn elsewhere(talk: Initiator, failed: Option<Error>) -> Step {
    let Some(mechanism) = talk.chosen.as_ref().or(talk.offer.first()).cloned() else {
        return Step::fail(Refusal::NoMechanism(Vec::new()));
    };
    let token = None;
    Step::Need(Need::Elsewhere(NeedElsewhere { mechanism, token, end: Elsewhere::Initiator(talk), failed }))
}

impl Offering {
    /// Goes on after a step of the mechanism.
    pub(super) fn advance(mut self, token: Option<Vec<u8>>, after: After) -> Step {
        let standing = match &after {
            After::Failed(_) => return self.failed(token.as_deref(), after),
            After::Receive(_) => Standing::Waits,
            After::Done(context) => Standing::Up(context),
        };
        let said = self.talk.say(token.as_deref(), standing);
        said.step(after, |inner| AwaitToken::offered(Offered { offering: self, inner }))
    }

    /// Kerberos failed. Before its first token the next mechanism of the list may do better.
    fn failed(self, token: Option<&[u8]>, after: After) -> Step {
        let After::Failed(error) = after else { return after.into() };
        let Initiator { mut offer, peer, .. } = self.talk;
        if let (Peer::Unasked, None, 2..) = (peer, token, offer.len()) {
            offer.remove(0);
            self.env.tell(Fact::Offers(&offer));
            return elsewhere(Initiator::offering(offer), Some(error));
        }
        match token {
            Some(token) => Step::refuse(respond(NegState::Reject, None, Some(token), None), error),
            None => Step::Failed(error),
        }
    }
}

/// A negotiation that waits for the acceptor.
pub(crate) struct Offered {
    offering: Offering,
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
        let Self { mut offering, inner } = self;
        let first = offering.talk.peer == Peer::Unasked;
        let heard = match offering.talk.hear(token) {
            Ok(heard) => heard,
            Err(error) => return Step::Failed(error),
        };
        if first && let Some(mechanism) = heard.other.as_ref().or(offering.talk.offer.first()) {
            offering.env.tell(Fact::Chosen { mechanism, first: heard.other.is_none() });
        }
        if heard.rejected {
            return rejected(inner, heard.reason());
        }
        if heard.other.is_some() {
            return elsewhere(offering.talk, None);
        }
        let inner = match (heard.next(matches!(inner, After::Done(_))), inner) {
            (Ok(Some(token)), After::Receive(wait)) => wait.token(token),
            (Ok(_), inner) => inner.into(),
            (Err(error), _) => return Step::fail(error),
        };
        Negotiating::Initiator(offering).take(inner)
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
