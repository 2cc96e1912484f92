//! The driver that answers what a step needs, and waits for it.

use std::fmt;
use std::io::{self, Read, Write};

use orthros_gss::context::NeedRelay;
use orthros_gss::{Context, Error, Need, Step};
use orthros_krb5::wire::{Decode, KrbError};
use orthros_krb5::{Credential, ErrorCode};

use crate::replay::{ReplayRefusal, before_memory};
use crate::trace::Event;
use crate::{CacheName, Orthros};

/// The longest token that [`Orthros::establish`] takes, in octets: 1 MiB.
pub const LONGEST_TOKEN: u32 = 1 << 20;

/// Why a context did not come up over a stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum EstablishError {
    /// The context failed; the peer has been told if there was something to tell.
    Context(Error),
    /// The stream failed.
    Stream(io::Error),
}

impl fmt::Display for EstablishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(error) => error.fmt(f),
            Self::Stream(error) => write!(f, "the connection failed: {error}"),
        }
    }
}

impl std::error::Error for EstablishError {}

impl From<io::Error> for EstablishError {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

impl Orthros {
    /// Answers a need from what this object has: KDCs over the network, DNS, the replay cache, the ledger, the
    /// credential cache. Waits for KDCs, at most 10 s for each request, and for name servers, at most 20 s for each
    /// question: never call this where blocking hurts.
    pub fn provide(&self, need: Need) -> Step {
        match need {
            Need::Elsewhere(need) => need.unavailable(),
            Need::Kdc(need) => match self.carry(need.realm(), need.request()) {
                Ok(answer) => need.reply(&answer),
                Err(report) => need.unavailable(report),
            },
            Need::Relay(need) => match self.carry(need.realm(), need.request()) {
                Ok(answer) => need.reply(&answer),
                Err(report) => unrelayed(need, &report),
            },
            Need::Replay(need) => {
                let answer = self.ask_replay(need.replay_cache(), |cache| {
                    let (dated, harmless) = (need.authenticator_time(), need.is_replay_harmless());
                    before_memory(cache, dated, need.skew_seconds(), harmless)?;
                    cache.check(need.tag(), need.now(), need.skew_seconds())
                });
                self.tell(Event::Replay { cache: need.replay_cache(), answer: answer.as_ref().copied() });
                match answer {
                    Ok(()) => need.fresh(),
                    Err(ReplayRefusal::Replayed) => need.replayed(),
                    Err(ReplayRefusal::Unavailable(report)) => need.unavailable(report),
                }
            }
            Need::Resolve(need) => self.resolve_target(need),
            Need::Spend(need) => self.spend(need),
            Need::Store(need) => {
                self.store_tickets(need.origin(), need.tickets());
                need.done()
            }
        }
    }

    /// Establishes a context over a stream: each token follows its length in four octets, big-endian.
    ///
    /// # Errors
    /// [`EstablishError`]. What was owed to the peer has been sent then, also the reason.
    pub fn establish(&self, step: Step, stream: &mut (impl Read + Write)) -> Result<Context, EstablishError> {
        let mut step = step;
        loop {
            step = match step {
                Step::Send(owed) => {
                    let length = u32::try_from(owed.token().len()).map_err(io::Error::other)?;
                    stream.write_all(&[&length.to_be_bytes(), owed.token()].concat())?;
                    stream.flush()?;
                    owed.sent()
                }
                Step::Receive(wait) => wait.token(&receive(stream)?),
                Step::Need(need) => self.provide(need),
                Step::Done(context) => return Ok(context),
                Step::Failed(error) => {
                    self.tell(Event::Failed(&error));
                    return Err(EstablishError::Context(error));
                }
            };
        }
    }

    /// Runs steps that need no peer.
    pub(crate) fn run(&self, mut step: Step) -> Result<Context, Error> {
        loop {
            step = match step {
                Step::Need(need) => self.provide(need),
                Step::Done(context) => return Ok(context),
                Step::Failed(error) => return Err(error),
                Step::Send(owed) => owed.sent(),
                Step::Receive(wait) => wait.token(&[]),
            };
        }
    }

    /// Carries a request to a KDC of `realm`; if none answers, says which were tried.
    pub(crate) fn carry(&self, realm: &str, request: &[u8]) -> Result<Vec<u8>, String> {
        self.tell(Event::Request { realm, request });
        let kdcs = self.kdcs_of(realm)?;
        let resolve = |host: &str, port, limit| self.addresses_of(host, port, limit);
        let answer = self.link().exchange_with(&kdcs, request, is_too_big, resolve, self.tracer());
        answer.map_err(|report| report.to_string())
    }

    /// Puts fetched tickets into the cache that their credential came from. That they can't be stored takes
    /// nothing from the context: the next one will fetch them again.
    pub(crate) fn store_tickets<'a>(
        &self,
        origin: Option<&str>,
        tickets: impl IntoIterator<Item = &'a Credential>,
    ) {
        let Some(origin) = origin else { return };
        for ticket in tickets {
            let stored = self.stores().add_ticket(&CacheName::from(origin), ticket);
            let outcome = stored.as_ref().copied();
            self.tell(Event::Stored { cache: origin, server: &ticket.server, outcome });
            if let Err(error) = stored {
                tracing::warn!(%error, "a ticket could not be stored");
            }
        }
    }
}

/// The initiator is told only that there was no answer; what was tried is for the log here.
pub(crate) fn unrelayed(need: NeedRelay, report: &str) -> Step {
    tracing::warn!(realm = need.realm(), report, "an initiator's request could not be carried to a KDC");
    need.unavailable()
}

fn receive(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = announced_length(length)?;
    // Grows with what really comes, not with what is announced.
    let mut token = Vec::new();
    stream.take(length).read_to_end(&mut token)?;
    if u64::try_from(token.len()).is_ok_and(|came| came < length) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(token)
}

/// The length before a token, if a token may be so long.
pub(crate) fn announced_length(length: [u8; 4]) -> io::Result<u64> {
    let length = u32::from_be_bytes(length);
    if length > LONGEST_TOKEN {
        let report = format!("the peer announces a token of {length} octets");
        return Err(io::Error::new(io::ErrorKind::InvalidData, report));
    }
    Ok(length.into())
}

/// Whether an answer asks for TCP.
pub(crate) fn is_too_big(answer: &[u8]) -> bool {
    KrbError::from_der(answer).is_ok_and(|error| error.error_code == ErrorCode::RESPONSE_TOO_BIG.0)
}
