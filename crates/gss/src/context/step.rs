//! The state machine that establishes a context: state by value, effects as data (RFC 2743 §2.2.1, §2.2.2).
//!
//! A step consumes the state and returns the next one, so that an illegal call does not compile and after an
//! error nothing is left to misuse. The loop is the same for every driver:
//!
//! ```no_run
//! # use orthros_gss::{Context, Error, Step, Need};
//! # fn send(_: &[u8]) {} fn recv() -> Vec<u8> { vec![] } fn provide(_: Need) -> Step { panic!() }
//! fn establish(mut step: Step) -> Result<Context, Error> {
//!     loop {
//!         step = match step {
//!             Step::Send(owed) => {
//!                 send(owed.token());
//!                 owed.sent()
//!             }
//!             Step::Receive(wait) => wait.token(&recv()),
//!             Step::Need(need) => provide(need),
//!             Step::Done(context) => return Ok(context),
//!             Step::Failed(error) => return Err(error),
//!         };
//!     }
//! }
//! ```

use std::fmt;

use orthros_krb5::Credential;
use orthros_krb5::exchange::{Ask, Obtained};
use orthros_wire::Timestamp;

use super::{Accept, Context};
use crate::Error;
use crate::mech::iakerb::acceptor::Carrier;
use crate::mech::iakerb::initiator::{Carrying, Discovering};
use crate::mech::krb5::acceptor::{Acceptor, Checked, Finishing};
use crate::mech::krb5::initiator::{Asked, Initiating, Naming, Waiting};
use crate::mech::krb5::target::{Question, Resolved};
use crate::mech::spnego::acceptor::Chosen;
use crate::mech::spnego::initiator::Offered;
use crate::mech::{self, spnego::Negotiating};
use crate::mechanism::{IAKERB, KRB5, Mechanism};
use crate::negotiation::NeedElsewhere;
use crate::transfer::import::Opened;
use crate::transfer::{Spent, TransferRefusal};

/// What a context on its way up wants next. Closed on purpose: a new effect must not compile unseen.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Send a token to the peer; [`Owed::sent`] says how it goes on, also when it is the last or an error
    /// token.
    Send(Owed),
    /// Hand the peer's token to [`AwaitToken::token`].
    Receive(AwaitToken),
    /// Something outside is needed. Answer it, or say that it can't be had.
    Need(Need),
    /// The context is up.
    Done(Context),
    /// It failed; whatever was owed to the peer has been handed out by `Send` before.
    Failed(Error),
}

impl Step {
    /// Sends an error token, then fails.
    pub(crate) fn refuse(token: Vec<u8>, error: Error) -> Self {
        Self::send(token, After::Failed(error))
    }

    /// Sends a token, then goes on.
    pub(crate) fn send(token: Vec<u8>, after: After) -> Self {
        Self::Send(Owed { token, after: Box::new(after) })
    }

    pub(crate) fn fail(error: impl Into<Error>) -> Self {
        Self::Failed(error.into())
    }
}

/// How it goes on once a token is on its way.
#[derive(Debug)]
pub(crate) enum After {
    Receive(AwaitToken),
    Done(Context),
    Failed(Error),
}

impl From<After> for Step {
    fn from(after: After) -> Self {
        match after {
            After::Receive(wait) => Self::Receive(wait),
            After::Done(context) => Self::Done(context),
            After::Failed(error) => Self::Failed(error),
        }
    }
}

/// A token that the peer must get, whatever comes after it.
#[must_use]
pub struct Owed {
    token: Vec<u8>,
    after: Box<After>,
}

impl Owed {
    /// The token's octets.
    pub fn token(&self) -> &[u8] {
        &self.token
    }

    /// The token is on its way: how it goes on.
    pub fn sent(self) -> Step {
        (*self.after).into()
    }

    /// The token, and how it goes on.
    pub(crate) fn into_parts(self) -> (Option<Vec<u8>>, After) {
        (Some(self.token), *self.after)
    }
}

impl fmt::Debug for Owed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owed({} octets)", self.token.len())
    }
}

/// The state between two tokens.
#[must_use]
pub struct AwaitToken(pub(crate) Awaiting);

pub(crate) enum Awaiting {
    /// The token's own header says which mechanism it is for.
    First(Box<Accept>),
    Acceptor(Box<Acceptor>),
    Carrier(Box<Carrier>),
    Carrying(Box<Carrying>),
    Chosen(Box<Chosen>),
    Discovering(Box<Discovering>),
    Finishing(Box<Finishing>),
    Initiator(Box<Waiting>),
    Offered(Box<Offered>),
}

impl AwaitToken {
    pub(crate) fn accepting(accept: Accept) -> Self {
        Self(Awaiting::First(Box::new(accept)))
    }

    pub(crate) fn krb5(acceptor: Acceptor) -> Self {
        Self(Awaiting::Acceptor(Box::new(acceptor)))
    }

    pub(crate) fn carrier(carrier: Carrier) -> Self {
        Self(Awaiting::Carrier(Box::new(carrier)))
    }

    pub(crate) fn carrying(carrying: Carrying) -> Self {
        Self(Awaiting::Carrying(Box::new(carrying)))
    }

    pub(crate) fn discovering(discovering: Discovering) -> Self {
        Self(Awaiting::Discovering(Box::new(discovering)))
    }

    pub(crate) fn chosen(chosen: Chosen) -> Self {
        Self(Awaiting::Chosen(Box::new(chosen)))
    }

    pub(crate) fn offered(offered: Offered) -> Self {
        Self(Awaiting::Offered(Box::new(offered)))
    }

    pub(crate) fn finishing(finishing: Finishing) -> Self {
        Self(Awaiting::Finishing(Box::new(finishing)))
    }

    pub(crate) fn initiating(waiting: Waiting) -> Self {
        Self(Awaiting::Initiator(Box::new(waiting)))
    }

    /// Which mechanism's context is on its way, as far as that is decided: before the first token and within a
    /// negotiation Kerberos.
    pub fn mechanism(&self) -> &'static Mechanism {
        match &self.0 {
            Awaiting::First(_) | Awaiting::Chosen(_) | Awaiting::Offered(_) => &KRB5,
            Awaiting::Carrier(_) | Awaiting::Carrying(_) | Awaiting::Discovering(_) => &IAKERB,
            Awaiting::Acceptor(acceptor) => acceptor.mechanism(),
            Awaiting::Finishing(finishing) => finishing.mechanism(),
            Awaiting::Initiator(waiting) => waiting.mechanism(),
        }
    }

    /// When the context will end, where that is known before it is up: to an initiator that has its ticket.
    pub fn end(&self) -> Option<Timestamp> {
        match &self.0 {
            Awaiting::Initiator(waiting) => Some(waiting.end()),
            Awaiting::Offered(offered) => offered.end(),
            _ => None,
        }
    }

    /// Takes the peer's token. Infallible: an error is a state.
    pub fn token(self, token: &[u8]) -> Step {
        match self.0 {
            Awaiting::First(accept) => mech::accept(*accept, token),
            Awaiting::Acceptor(acceptor) => acceptor.token(token),
            Awaiting::Carrier(carrier) => carrier.token(token),
            Awaiting::Carrying(carrying) => carrying.token(token),
            Awaiting::Chosen(chosen) => chosen.token(token),
            Awaiting::Discovering(discovering) => discovering.token(token),
            Awaiting::Finishing(finishing) => finishing.token(token),
            Awaiting::Initiator(waiting) => waiting.token(token),
            Awaiting::Offered(offered) => offered.token(token),
        }
    }
}

impl fmt::Debug for AwaitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Awaiting::First(_)
            | Awaiting::Acceptor(_)
            | Awaiting::Carrier(_)
            | Awaiting::Chosen(_)
            | Awaiting::Finishing(_) => "AwaitToken(acceptor)",
            Awaiting::Carrying(_)
            | Awaiting::Discovering(_)
            | Awaiting::Initiator(_)
            | Awaiting::Offered(_) => "AwaitToken(initiator)",
        })
    }
}

/// Everything that lies outside. Closed on purpose.
#[derive(Debug)]
#[must_use]
pub enum Need {
    /// A mechanism that is not here was negotiated; only where [`Initiate::beside`](super::Initiate::beside) or
    /// [`Accept::beside`](super::Accept::beside) named one.
    Elsewhere(NeedElsewhere),
    /// A request must reach a KDC.
    Kdc(NeedKdc),
    /// A request of the initiator's must reach a KDC, through this acceptor.
    Relay(NeedRelay),
    /// The replay cache must be asked, and told.
    Replay(NeedReplay),
    /// A name service must be asked about a host.
    Resolve(NeedResolve),
    /// The ledger of spent transfer tokens must be asked, and told.
    Spend(NeedSpend),
    /// Fetched tickets may be stored.
    Store(NeedStore),
}

impl Need {
    /// The same need of a mechanism within a negotiation.
    pub(crate) fn within(mut self, negotiating: Negotiating) -> Self {
        let within = match &mut self {
            Self::Elsewhere(_) => return self,
            Self::Kdc(need) => &mut need.within,
            Self::Relay(need) => &mut need.within,
            Self::Replay(need) => &mut need.within,
            Self::Resolve(need) => &mut need.within,
            Self::Spend(need) => &mut need.within,
            Self::Store(need) => &mut need.within,
        };
        *within = Within(Some(Box::new(negotiating)));
        self
    }
}

/// The negotiation, if any, that goes on with what follows a need.
#[derive(Default)]
pub(crate) struct Within(Option<Box<Negotiating>>);

impl Within {
    fn take(self, step: Step) -> Step {
        match self.0 {
            Some(negotiating) => negotiating.take(step),
            None => step,
        }
    }
}

/// A request that must reach a KDC.
#[must_use]
pub struct NeedKdc {
    pub(crate) ask: Ask<Obtained>,
    pub(crate) then: Box<Asked>,
    pub(crate) within: Within,
}

impl NeedKdc {
    /// The realm whose KDC is meant.
    pub fn realm(&self) -> &str {
        self.ask.realm()
    }

    /// The request's octets.
    pub fn request(&self) -> &[u8] {
        self.ask.request()
    }

    /// The KDC's answer.
    pub fn reply(self, reply: &[u8]) -> Step {
        let now = self.then.now();
        self.within.take(self.then.progress(self.ask.reply(reply, now)))
    }

    /// No KDC could be reached; `report` says what was tried, for people.
    pub fn unavailable(self, report: impl Into<String>) -> Step {
        self.within.take(self.then.progress(self.ask.unavailable(report.into())))
    }
}

impl fmt::Debug for NeedKdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeedKdc({}, {} octets)", self.realm(), self.request().len())
    }
}

/// A request that the initiator can't bring to a KDC itself (IAKERB). It is a whole AS-REQ or TGS-REQ, and the realm is one
/// that the configuration knows; who asks has proved nothing yet.
#[must_use]
pub struct NeedRelay {
    pub(crate) realm: String,
    pub(crate) request: Vec<u8>,
    pub(crate) then: Box<Carrier>,
    pub(crate) within: Within,
}

impl NeedRelay {
    /// The realm whose KDC is meant.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The request's octets.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// The KDC's answer.
    pub fn reply(self, reply: &[u8]) -> Step {
        self.within.take(self.then.reply(&self.realm, reply))
    }

    /// No KDC could be reached. The initiator is told so, and nothing of what was tried.
    pub fn unavailable(self) -> Step {
        self.within.take(self.then.no_reply(&self.realm))
    }
}

impl fmt::Debug for NeedRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeedRelay({}, {} octets)", self.realm, self.request.len())
    }
}

/// The question whether a request was seen before. The asking must also record it, so that the next time
/// the answer is yes (RFC 4120 §3.2.3).
#[must_use]
pub struct NeedReplay {
    pub(crate) checked: Box<Checked>,
    pub(crate) within: Within,
}

impl NeedReplay {
    /// What the request is filed under: the last octets of the authenticator's cipher text, 12 or more.
    pub fn tag(&self) -> &[u8] {
        self.checked.replay_tag()
    }

    /// The replay cache that the credential names; `None`: the driver's own.
    pub fn replay_cache(&self) -> Option<&str> {
        self.checked.replay_cache()
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.checked.now()
    }

    /// How many seconds clocks may differ: so long a record must be kept, in both directions.
    pub fn skew_seconds(&self) -> u32 {
        self.checked.skew_seconds()
    }

    /// The time of the authenticator, by the client's clock.
    pub fn authenticator_time(&self) -> Timestamp {
        self.checked.authenticator_time()
    }

    /// Whether a replay would gain nothing: the client asked for mutual authentication, so the context will
    /// use a key that only the first sender can read from the answer (RFC 4120 §3.2.3).
    pub fn is_replay_harmless(&self) -> bool {
        self.checked.is_mutual()
    }

    /// It was not seen before, and is recorded now.
    pub fn fresh(self) -> Step {
        self.within.take(self.checked.fresh())
    }

    /// It was seen before.
    pub fn replayed(self) -> Step {
        self.within.take(self.checked.replayed())
    }

    /// The cache can't be asked or can't record: the request is refused (it fails closed).
    pub fn unavailable(self, report: impl Into<String>) -> Step {
        self.within.take(self.checked.cache_unavailable(report.into()))
    }
}

impl fmt::Debug for NeedReplay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NeedReplay")
    }
}

/// What a host is canonically called, and perhaps which realm it belongs to, must be asked from a name service:
/// the configuration wants it so (`dns_canonicalize_hostname`, `dns_lookup_realm`).
#[must_use]
pub struct NeedResolve {
    pub(crate) question: Question,
    pub(crate) then: Box<Naming>,
    pub(crate) within: Within,
}

impl NeedResolve {
    /// The host, as the program wrote it: a short name, an address, or a name whose final dot says that it is
    /// complete.
    pub fn host(&self) -> &str {
        &self.question.host
    }

    /// Whether the canonical name is wanted.
    pub fn wants_canonical(&self) -> bool {
        self.question.canonical
    }

    /// Whether the name of the host's address takes precedence over what its aliases end at (`rdns`).
    pub fn wants_reverse(&self) -> bool {
        self.question.reverse
    }

    /// Whether the realm is wanted that DNS names for the host.
    pub fn wants_realm(&self) -> bool {
        self.question.realm
    }

    /// What the name service knows. It is not believed: it chooses which ticket is asked for.
    pub fn resolved(self, resolved: Resolved) -> Step {
        self.within.take(self.then.resolved(&self.question, resolved))
    }

    /// It knows nothing, or can't be asked: the name as written is used.
    pub fn unavailable(self) -> Step {
        self.resolved(Resolved::default())
    }
}

impl fmt::Debug for NeedResolve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeedResolve({})", self.question.host)
    }
}

/// The question whether a transfer token was spent before. The asking must also record it, in one step that
/// no other process can come between.
#[must_use]
pub struct NeedSpend {
    pub(crate) opened: Box<Opened>,
    pub(crate) within: Within,
}

impl NeedSpend {
    /// The token's id.
    pub fn id(&self) -> &[u8; 16] {
        self.opened.id()
    }

    /// When the token expires: the record must be kept until then.
    pub fn until(&self) -> Timestamp {
        self.opened.until()
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.opened.now()
    }

    /// It was unspent, and is recorded as spent now.
    pub fn spent(self) -> Step {
        self.within.take(self.opened.spend())
    }

    /// It was spent before.
    pub fn spent_before(self, spent: Spent) -> Step {
        self.within.take(Step::fail(TransferRefusal::SpentBefore(spent)))
    }

    /// It does not wait to be spent, and when and by whom it was is not known.
    pub fn gone(self) -> Step {
        self.within.take(Step::fail(TransferRefusal::Gone))
    }

    /// The ledger can't be asked or can't record: the token is refused, and not spent.
    pub fn unavailable(self, report: impl Into<String>) -> Step {
        self.within.take(Step::fail(TransferRefusal::Ledger(report.into())))
    }
}

impl fmt::Debug for NeedSpend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NeedSpend")
    }
}

/// Tickets that were fetched, and that a credential cache may want.
#[must_use]
pub struct NeedStore {
    pub(crate) tickets: Vec<Credential>,
    pub(crate) then: Box<Initiating>,
    pub(crate) within: Within,
}

impl NeedStore {
    /// The tickets: the service's, and before it those of the realms on the way.
    pub fn tickets(&self) -> &[Credential] {
        &self.tickets
    }

    /// Where the credential's tickets lie, if anybody said so.
    pub fn origin(&self) -> Option<&str> {
        self.then.origin()
    }

    /// Stored, or not wanted: the context comes up either way.
    pub fn done(self) -> Step {
        self.within.take(self.then.proceed())
    }
}

impl fmt::Debug for NeedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.tickets.iter().map(|ticket| &ticket.server);
        f.write_str("NeedStore")?;
        f.debug_list().entries(servers.map(ToString::to_string)).finish()
    }
}
