//! SPNEGO: two ends agree on a mechanism, and that one brings the context up (RFC 4178, MS-SPNG).
//!
//! | file | what it does |
//! |---|---|
//! | `token` | the tokens, as octets |
//! | `initiator` | offers, and goes on with what was chosen |
//! | `acceptor` | chooses |
//!
//! A negotiation stands around the steps of the mechanism within. What that needs from outside is needed as it is;
//! what it sends travels in tokens of the negotiation; and when it is done, so is the negotiation, unless the list of
//! offered mechanisms must be proved first: both ends then sign the list by the new context (§5). Nobody in between
//! can have changed what was offered without being noticed.
//!
//! ```text
//!   Step of krb5 ──> Negotiating::take ──> Step of the negotiation
//!   Need(..)         the same need, with the negotiation around what follows
//!   Send(token)      Send(NegToken { token, state, MIC })
//!   Done(context)    Done(context), once the peer says so and the MICs that are due were verified
//! ```
//!
//! The context that comes up is the inner mechanism's. Deliberately not here: NegoEx, and a second mechanism to fall
//! back to; the list that is offered has one row, for IAKERB is used only where it is named.

pub(crate) mod acceptor;
pub(crate) mod initiator;
pub(crate) mod token;

use crate::Context;
use crate::context::{After, Step};
use crate::error::{BadToken, Error};
use crate::mechanism::{KRB5, Mechanism};
use crate::status::Order;
use orthros_wire::Oid;

/// The mechanisms that are negotiated, the preferred one first.
pub(crate) const MECHANISMS: [&Mechanism; 1] = [&KRB5];

/// A negotiation around the steps of a mechanism.
pub(crate) enum Negotiating {
    Acceptor(acceptor::Acceptor),
    Initiator(initiator::Initiator),
}

impl Negotiating {
    /// What a step of the mechanism means for the negotiation.
    pub(crate) fn take(self, inner: Step) -> Step {
        let (token, after) = match inner {
            Step::Need(need) => return Step::Need(need.within(self)),
            Step::Send(owed) => owed.into_parts(),
            Step::Receive(wait) => (None, After::Receive(wait)),
            Step::Done(context) => (None, After::Done(context)),
            Step::Failed(error) => (None, After::Failed(error)),
        };
        match self {
            Self::Acceptor(acceptor) => acceptor.advance(token, after),
            Self::Initiator(initiator) => initiator.advance(token, after),
        }
    }
}

/// What is known of the list's proof: which MICs have been exchanged (§5).
#[derive(Debug)]
pub(crate) struct Proof {
    /// What the MICs cover: the list as the initiator sent it.
    pub(crate) list: Vec<u8>,
    /// Whether the context must not come up without.
    pub(crate) due: bool,
    /// Whether ours was sent.
    pub(crate) sent: bool,
    /// Whether the peer's was verified.
    pub(crate) verified: bool,
    /// The peer's, not verified yet.
    pub(crate) received: Option<Vec<u8>>,
}

impl Proof {
    fn of(list: Vec<u8>) -> Self {
        Self { list, due: false, sent: false, verified: false, received: None }
    }

    /// Keeps the peer's MIC for the moment when there is a context. Whoever sends one wants ours.
    fn keep(&mut self, mic: Option<&[u8]>) -> Result<(), BadToken> {
        let Some(mic) = mic else { return Ok(()) };
        if self.verified || self.received.is_some() {
            return Err(BadToken::WrongKind);
        }
        self.received = Some(mic.to_vec());
        self.due = true;
        Ok(())
    }

    /// Verifies the peer's MIC, if it has come.
    fn verify(&mut self, context: &Context) -> Result<(), Error> {
        let Some(mic) = self.received.take() else { return Ok(()) };
        match context.verify_mic(&self.list, &mic)? {
            Order::InOrder => {
                self.verified = true;
                Ok(())
            }
            _ => Err(BadToken::Integrity.into()),
        }
    }

    /// Our MIC, if it is due and was not sent.
    fn mic(&mut self, context: &Context) -> Result<Option<Vec<u8>>, Error> {
        if !self.due || self.sent {
            return Ok(None);
        }
        self.sent = true;
        context.mic(&self.list).map(Some)
    }

    /// Whether nothing is missing any more.
    fn holds(&self) -> bool {
        !self.due || self.verified
    }
}

/// What is negotiated; where a list says so, only what stands in it.
fn negotiable(only: Option<&[Oid]>) -> impl Iterator<Item = &'static Mechanism> {
    let wanted = move |row: &&Mechanism| only.is_none_or(|only| only.contains(&row.oid));
    MECHANISMS.into_iter().filter(wanted)
}

/// Its identifiers.
fn offered(only: Option<&[Oid]>) -> Vec<Oid> {
    negotiable(only).map(|row| row.oid.clone()).collect()
}
