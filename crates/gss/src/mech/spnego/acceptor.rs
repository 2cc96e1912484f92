//! The acceptor's half: the first offered mechanism that is here is chosen, and its exchange goes on.

use orthros_krb5::watch::Fact;
use orthros_wire::Oid;

use super::token::{self, NegState, NegTokenInit, NegTokenResp, respond};
use super::{Heard, Negotiating, Proof, Say, Signs, Standing, initiator, negotiable, offered};
use crate::context::{Accept, After, AwaitToken, Need, Step};
use crate::error::{BadToken, Error, Refusal};
use crate::framing;
use crate::mech::krb5;
use crate::mechanism::SPNEGO_OID;
use crate::negotiation::{Elsewhere, NeedElsewhere};

/// A negotiation with whoever offered, whatever the mechanism is.
#[derive(Debug)]
pub struct Acceptor {
    pub(crate) proof: Proof,
    /// What was chosen, under the identifier by which it was offered, until the initiator was told.
    pub(crate) chosen: Option<Oid>,
}

/// What was chosen of an offer.
#[derive(Debug)]
pub struct Choice {
    /// The mechanism, by the identifier under which it was offered.
    pub mechanism: Oid,
    /// Its first token, which came along if it is the first of the list. If there is none the initiator is
    /// [asked](Acceptor::ask) for it.
    pub token: Option<Vec<u8>>,
    /// Whether it is the first of the list.
    pub first: bool,
    /// How it goes on.
    pub negotiation: Acceptor,
}

impl Acceptor {
    /// Takes an initiator's first token: the first mechanism of the list that is `here` is chosen.
    ///
    /// # Errors
    /// [`BadToken`]; [`Refusal::NoMechanism`] if none is here, of which the initiator is to be told.
    pub fn choose(token: &[u8], here: impl Fn(&Oid) -> bool) -> Result<Choice, (Option<Vec<u8>>, Error)> {
        match framing::unframe(token) {
            Ok((mechanism, offer)) if mechanism == SPNEGO_OID => Self::choose_of(offer, here),
            Ok(_) => Err((None, BadToken::WrongKind.into())),
            Err(error) => Err((None, error.into())),
        }
    }

    /// The same of what is in the token's frame.
    fn choose_of(offer: &[u8], here: impl Fn(&Oid) -> bool) -> Result<Choice, (Option<Vec<u8>>, Error)> {
        let offer = NegTokenInit::read(offer).map_err(|error| (None, error.into()))?;
        let chosen = offer.mech_types.iter().position(here);
        let Some((place, mechanism)) =
            chosen.and_then(|place| Some((place, offer.mech_types.get(place)?.clone())))
        else {
            let reject = respond(NegState::Reject, None, None, None);
            return Err((Some(reject), Refusal::NoMechanism(offer.mech_types.into_value()).into()));
        };
        let mut proof = Proof::of(offer.mech_types.octets().to_vec());
        // Another end than the initiator's first choice could be the work of somebody in between.
        proof.due = place != 0;
        let token = offer.mech_token.filter(|token| place == 0 && !token.is_empty());
        if token.is_some() {
            proof.keep(offer.mech_list_mic).map_err(|error| (None, error.into()))?;
        }
        let negotiation = Self { proof, chosen: Some(mechanism.clone()) };
        Ok(Choice { mechanism, token: token.map(<[u8]>::to_vec), first: place == 0, negotiation })
    }

    /// The mechanism needs the list to be proved, which is its affair (MS-SPNG §3.3.5.1).
    pub fn demand_proof(&mut self) {
        self.proof.due = true;
    }

    /// Takes a later token of the initiator's.
    ///
    /// # Errors
    /// [`BadToken`].
    pub fn hear<'t>(&mut self, token: &'t [u8]) -> Result<Heard<'t>, Error> {
        let response = NegTokenResp::read(token)?;
        let rejected = NegState::of(&response)? == NegState::Reject;
        if !rejected {
            self.proof.keep(response.mech_list_mic)?;
        }
        let (token, signed) = (response.response_token, response.mech_list_mic.is_some());
        Ok(Heard { other: None, token, rejected, signed })
    }

    /// Says what was chosen, and that the mechanism's first token is awaited.
    pub fn ask(&mut self) -> Vec<u8> {
        self.wait(None, None)
    }

    /// Goes on after a step of the mechanism: what it wants to send, and where it stands then.
    pub fn say<S: Signs>(&mut self, token: Option<&[u8]>, standing: Standing<'_, S>) -> Say<S::Error> {
        match (token, standing) {
            (None, Standing::Waits) => Say::fail(BadToken::WrongKind),
            (token, Standing::Waits) => Say::Wait(self.wait(token, None)),
            (token, Standing::Up(context)) => self.finish(token, context),
        }
    }

    /// The mechanism is done: so is the negotiation, once the list is proved.
    fn finish<S: Signs>(&mut self, token: Option<&[u8]>, context: &S) -> Say<S::Error> {
        if let Err(error) = self.proof.verify(context) {
            return Say::Failed(Some(self.refuse(None)), error);
        }
        let told = self.proof.sent;
        let mic = match self.proof.mic(context) {
            Ok(mic) => mic,
            Err(error) => return Say::Failed(Some(self.refuse(None)), error),
        };
        if !self.proof.holds() {
            return Say::Wait(self.wait(token, mic.as_deref()));
        }
        if told && token.is_none() {
            // The initiator has our MIC and knows that its own was the last thing to say.
            return Say::Up(None);
        }
        Say::Up(Some(respond(NegState::Completed, self.chosen.as_ref(), token, mic.as_deref())))
    }

    /// Says how far it is.
    fn wait(&mut self, token: Option<&[u8]>, mic: Option<&[u8]>) -> Vec<u8> {
        let chosen = self.chosen.take();
        // The proof is asked for where the choice is told.
        let asks = self.proof.due && chosen.is_some();
        let state = if asks { NegState::RequestMic } else { NegState::Incomplete };
        respond(state, chosen.as_ref(), token, mic)
    }

    /// What the initiator is told if the mechanism fails, and what that wants to send.
    pub fn refuse(&self, token: Option<&[u8]>) -> Vec<u8> {
        respond(NegState::Reject, self.chosen.as_ref(), token, None)
    }

    /// Goes on after a step of Kerberos.
    pub(super) fn advance(mut self, token: Option<Vec<u8>>, after: After) -> Step {
        let standing = match after {
            After::Failed(error) => return Step::refuse(self.refuse(token.as_deref()), error),
            After::Receive(_) => Standing::Waits,
            After::Done(ref context) => Standing::Up(context),
        };
        let said = self.say(token.as_deref(), standing);
        said.step(after, |inner| AwaitToken::chosen(Chosen { acceptor: self, inner }))
    }
}

/// The first token of an acceptor that speaks first: it has been handed an empty token.
pub(crate) fn speak_first(accept: Accept) -> Step {
    let here = [offered(accept.negotiable.as_deref()), accept.beside.clone()].concat();
    Step::send(token::hints(&here), After::Receive(AwaitToken::accepting(accept)))
}

/// Takes the offer: what is in the frame of the initiator's first token.
pub(crate) fn start(accept: Accept, offer: &[u8]) -> Step {
    let own = |oid: &Oid| {
        let mut rows = negotiable(accept.negotiable.as_deref());
        rows.any(|row| row.oid == *oid || row.negotiated_as.contains(oid))
    };
    let choice = Acceptor::choose_of(offer, |oid| own(oid) || accept.beside.contains(oid));
    let Choice { mechanism, token, first, mut negotiation } = match choice {
        Ok(choice) => choice,
        Err((Some(token), error)) => return Step::refuse(token, error),
        Err((None, error)) => return Step::Failed(error),
    };
    accept.settings.env.tell(Fact::Chosen { mechanism: &mechanism, first });
    negotiation.proof.due |= accept.offer_proved;
    if !own(&mechanism) {
        let (end, failed) = (Elsewhere::Acceptor(negotiation), None);
        return Step::Need(Need::Elsewhere(NeedElsewhere { mechanism, token, end, failed }));
    }
    let wait = krb5::acceptor::Acceptor::new(accept);
    match token {
        Some(token) => Negotiating::Acceptor(negotiation).take(wait.token(&token)),
        None => {
            let (asked, inner) = (negotiation.ask(), After::Receive(AwaitToken::krb5(wait)));
            let wait = AwaitToken::chosen(Chosen { acceptor: negotiation, inner });
            Step::send(asked, After::Receive(wait))
        }
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
        let Self { mut acceptor, inner } = self;
        let heard = match acceptor.hear(token) {
            Ok(heard) => heard,
            Err(error) => return Step::Failed(error),
        };
        if heard.rejected {
            return initiator::rejected(inner, heard.reason());
        }
        let inner = match (heard.next(matches!(inner, After::Done(_))), inner) {
            (Ok(Some(token)), After::Receive(wait)) => wait.token(token),
            (Ok(None), After::Done(context)) if heard.signed => Step::Done(context),
            _ => return Step::fail(BadToken::WrongKind),
        };
        Negotiating::Acceptor(acceptor).take(inner)
    }
}
