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
//! What is heard and said is decided by [`Initiator`](initiator::Initiator) and [`Acceptor`](acceptor::Acceptor), which
//! know of the mechanism only that it waits or is up and [`Signs`]. So whoever has a mechanism that is not here negotiates
//! by the same two ([`crate::negotiation`]): beside Kerberos it is one more identifier in the list, and where it is the one
//! agreed on the step is [`Need::Elsewhere`](crate::Need::Elsewhere).
//!
//! The context that comes up is the inner mechanism's. Deliberately not here: NegoEx; IAKERB, which is used only where it
//! is named.

pub(crate) mod acceptor;
pub(crate) mod initiator;
pub(crate) mod token;

use crate::Context;
use crate::context::{After, AwaitToken, Step};
use crate::error::{BadToken, Error};
use crate::mechanism::{KRB5, Mechanism};
use crate::status::Order;
use orthros_wire::Oid;

/// The mechanisms that are negotiated, the preferred one first.
pub(crate) const MECHANISMS: [&Mechanism; 1] = [&KRB5];

/// A negotiation around the steps of a mechanism.
pub(crate) enum Negotiating {
    Acceptor(acceptor::Acceptor),
    Initiator(initiator::Offering),
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

/// What a mechanism can do whose context is up: sign the list that was offered.
pub trait Signs {
    /// What goes wrong, of the negotiation or of the mechanism.
    type Error: From<Error>;

    /// A MIC over the message.
    ///
    /// # Errors
    /// Those of the mechanism.
    fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Self::Error>;

    /// Checks the peer's MIC.
    ///
    /// # Errors
    /// Unless it is over this message, and the next one in order.
    fn verify_mic(&self, message: &[u8], mic: &[u8]) -> Result<(), Self::Error>;
}

impl Signs for Context {
    type Error = Error;

    fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Self::mic(self, message)
    }

    fn verify_mic(&self, message: &[u8], mic: &[u8]) -> Result<(), Error> {
        match Self::verify_mic(self, message, mic)? {
            Order::InOrder => Ok(()),
            _ => Err(BadToken::Integrity.into()),
        }
    }
}

/// Where the mechanism stands that is negotiated.
#[derive(Debug)]
pub enum Standing<'a, S> {
    /// It awaits a token of the peer's.
    Waits,
    /// Its context is up.
    Up(&'a S),
}

/// What a negotiation makes of a step of the mechanism.
#[derive(Debug)]
#[must_use]
pub enum Say<E> {
    /// Send the token, and await the peer's.
    Wait(Vec<u8>),
    /// The negotiation is over and the context can be used. The token, if there is one, is to be sent first.
    Up(Option<Vec<u8>>),
    /// It failed. The token, if there is one, is to be sent first.
    Failed(Option<Vec<u8>>, E),
}

impl<E: From<Error>> Say<E> {
    fn fail(error: impl Into<Error>) -> Self {
        Self::Failed(None, error.into().into())
    }
}

impl Say<Error> {
    /// The step that it is, where the mechanism stands there.
    fn step(self, after: After, wait: impl FnOnce(After) -> AwaitToken) -> Step {
        match self {
            Self::Wait(token) => Step::send(token, After::Receive(wait(after))),
            Self::Up(Some(token)) => Step::send(token, after),
            Self::Up(None) => after.into(),
            Self::Failed(Some(token), error) => Step::refuse(token, error),
            Self::Failed(None, error) => Step::Failed(error),
        }
    }
}

/// What the peer's token says.
#[derive(Debug)]
pub struct Heard<'t> {
    /// The mechanism that the acceptor chose in place of the one whose token it was offered: that one begins.
    pub other: Option<Oid>,
    /// The mechanism's token.
    token: Option<&'t [u8]>,
    /// Whether the peer has given up; what its mechanism says of that is in the token.
    pub rejected: bool,
    /// Whether the peer has signed the list. An acceptor whose mechanism is done awaits nothing else.
    pub signed: bool,
}

impl<'t> Heard<'t> {
    /// What a peer that has given up says by its mechanism.
    pub fn reason(&self) -> Option<&'t [u8]> {
        self.token
    }

    /// What the mechanism is to be handed, whose context is up or not; `None`: nothing.
    ///
    /// # Errors
    /// [`BadToken::WrongKind`] if it is to be handed a token and there is none, or the other way round.
    pub fn next(&self, up: bool) -> Result<Option<&'t [u8]>, BadToken> {
        match self.token.filter(|token| !token.is_empty()) {
            token if token.is_some() != up => Ok(token),
            _ => Err(BadToken::WrongKind),
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
    fn verify<S: Signs>(&mut self, context: &S) -> Result<(), S::Error> {
        let Some(mic) = self.received.take() else { return Ok(()) };
        context.verify_mic(&self.list, &mic)?;
        self.verified = true;
        Ok(())
    }

    /// Our MIC, if it is due and was not sent.
    fn mic<S: Signs>(&mut self, context: &S) -> Result<Option<Vec<u8>>, S::Error> {
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
