//! Exchanges with a KDC, without IO: the AS exchange (RFC 4120 §3.1) and the TGS exchange (§3.3).
//!
//! An exchange is a value. It says what it wants next ([`Progress`]): a request carried to a KDC of some realm
//! ([`Ask`]), or nothing more, because there is a ticket ([`Obtained`]) or a reason why there is none
//! ([`KdcFailure`]). How a request travels is the caller's business, and so are retries, other KDCs of the same
//! realm and KRB_ERR_RESPONSE_TOO_BIG.
//!
//! | file | what it holds |
//! |---|---|
//! | `initial` | the AS exchange, by password or by key, with an encrypted timestamp |
//! | `service` | the way to a service ticket, through other realms where need be |
//! | `behalf` | tickets of a user that a service asks for (S4U2Self, S4U2Proxy) |
//! | `variants` | tickets renewed, validated, forwarded and proxied |
//! | `granting` | one TGS request and its reply, for both of these |
//! | `verify` | whether a fresh ticket comes from the realm's true KDC |
//! | `key_hints` | which key the KDC wants: ETYPE-INFO2 and its elders |
//! | `reply` | what is checked in every reply |
//! | `policy` | [`ExchangePolicy`] |
//! | `failure` | [`KdcFailure`] |
//!
//! What is believed: only what was sealed in a key that this side knows. Names and times in the clear are
//! compared or ignored, never used; the one exception is the KDC's time in an error, which may serve for one
//! encrypted timestamp ([`ExchangePolicy::kdc_timesync`]).
//!
//! No exchange goes on without end, whatever KDCs answer: within a realm an AS exchange makes at most three
//! requests, at most ten realms are visited, none of them twice, and a search for a service makes at most forty
//! requests.
//!
//! Deliberately not here: FAST, user-to-user, S4U2Proxy into other realms, anonymous tickets.

mod behalf;
mod failure;
#[doc(hidden)]
pub mod fuzzing;
mod granting;
mod initial;
mod key_hints;
mod policy;
mod reply;
mod service;
mod variants;
mod verify;

use std::fmt;

use orthros_wire::{Random, Timestamp};

pub use behalf::{constrained, impersonated};
pub use failure::{KdcFailure, Lack, Missing, NotForUser, ReplyFault, SecretKind};
pub use initial::{InitialSecret, initial};
pub use policy::ExchangePolicy;
pub use service::{service, service_from};
pub use variants::{forwarded, proxied, renewed, validated};
pub use verify::{Verified, VerifyRule, verify_initial};

use crate::Credential;

/// What an exchange wants next. Closed on purpose: a new effect must not compile unseen.
///
/// ```
/// use orthros_krb5::exchange::{Ask, KdcFailure, Obtained, Progress};
/// # use orthros_wire::Timestamp;
/// fn drive(
///     mut progress: Progress<Obtained>,
///     carry: impl Fn(&str, &[u8]) -> Result<Vec<u8>, String>,
///     now: impl Fn() -> Timestamp,
/// ) -> Result<Obtained, KdcFailure> {
///     loop {
///         progress = match progress {
///             Progress::Ask(ask) => match carry(ask.realm(), ask.request()) {
///                 Ok(answer) => ask.reply(&answer, now()),
///                 Err(report) => ask.unavailable(report),
///             },
///             Progress::Done(obtained) => return Ok(obtained),
///             Progress::Failed(failure) => return Err(failure),
///         }
///     }
/// }
/// ```
#[derive(Debug)]
#[must_use = "an exchange goes on only if what it asks for is done"]
pub enum Progress<T> {
    /// A request must reach a KDC.
    Ask(Ask<T>),
    /// It is done.
    Done(T),
    /// It failed.
    Failed(KdcFailure),
}

impl<T: 'static> Progress<T> {
    /// The same exchange with its outcome turned into another value.
    pub fn map<U: 'static>(self, change: impl FnOnce(T) -> U + Send + Sync + 'static) -> Progress<U> {
        self.and_then(move |outcome| Progress::Done(change(outcome)))
    }

    /// This exchange, then the one that `next` makes of its outcome.
    pub fn and_then<U: 'static>(
        self,
        next: impl FnOnce(T) -> Progress<U> + Send + Sync + 'static,
    ) -> Progress<U> {
        match self {
            Self::Ask(ask) => ask.then(|progress| progress.and_then(next)),
            Self::Done(outcome) => next(outcome),
            Self::Failed(failure) => Progress::Failed(failure),
        }
    }
}

/// What came of an [`Ask`]: the answer and when it came, or why there is none.
type Answer<'a> = Result<(&'a [u8], Timestamp), String>;

type Resume<T> = Box<dyn for<'a> FnOnce(Answer<'a>) -> Progress<T> + Send + Sync>;

/// A request that must reach a KDC of [`realm`](Self::realm). The answer, or the reason why none came, brings
/// the next [`Progress`].
#[must_use = "an exchange goes on only if its request is carried"]
pub struct Ask<T> {
    realm: String,
    request: Vec<u8>,
    kind: RequestKind,
    resume: Resume<T>,
}

impl<T: 'static> Ask<T> {
    /// The same request in another exchange: `next` gets what the answer leads to, also a failure.
    fn then<U: 'static>(
        self,
        next: impl FnOnce(Progress<T>) -> Progress<U> + Send + Sync + 'static,
    ) -> Progress<U> {
        let Self { realm, request, kind, resume } = self;
        Progress::Ask(Ask { realm, request, kind, resume: Box::new(move |answer| next(resume(answer))) })
    }
}

impl<T> Ask<T> {
    fn progress(
        realm: &str,
        request: Vec<u8>,
        kind: RequestKind,
        resume: impl for<'a> FnOnce(Answer<'a>) -> Progress<T> + Send + Sync + 'static,
    ) -> Progress<T> {
        Progress::Ask(Self { realm: realm.into(), request, kind, resume: Box::new(resume) })
    }

    /// The realm whose KDC is to answer.
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The request's octets, without the length that TCP puts before them.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Which exchange the request belongs to.
    pub fn kind(&self) -> RequestKind {
        self.kind
    }

    /// The KDC's answer, and the local time at which it came.
    pub fn reply(self, answer: &[u8], now: Timestamp) -> Progress<T> {
        (self.resume)(Ok((answer, now)))
    }

    /// No KDC answered; `report` says which were tried and what happened.
    pub fn unavailable(self, report: String) -> Progress<T> {
        (self.resume)(Err(report))
    }
}

impl<T> fmt::Debug for Ask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("realm", &self.realm)
            .field("kind", &self.kind)
            .field("request_octets", &self.request.len())
            .finish_non_exhaustive()
    }
}

/// Which exchange a request belongs to (RFC 4120 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// The authentication service: a ticket for a password or a key.
    As,
    /// The ticket-granting service: a ticket for a ticket.
    Tgs,
}

/// A ticket, and what else was learnt.
#[derive(Clone, Debug)]
pub struct Obtained {
    /// The ticket with its session key.
    pub credential: Credential,
    /// Other tickets that came with it, which a cache should keep: ticket-granting tickets of the realms on the
    /// way, and `credential` under the name that was asked for, if the KDC gave it another.
    pub also: Vec<Credential>,
    /// How many seconds the KDC's clock is ahead of the local one (negative: behind), from the sealed part of
    /// an AS reply; `None` after a TGS exchange, which tells nothing of the present.
    pub kdc_offset: Option<i64>,
    /// How many requests it took.
    pub requests: u32,
}

impl Obtained {
    /// Every ticket, those on the way first.
    pub fn tickets(&self) -> impl Iterator<Item = &Credential> {
        self.also.iter().chain([&self.credential])
    }
}

/// How many realms an exchange visits at most, and a TGS exchange leaves.
const MOST_HOPS: usize = 10;

/// A number for the KDC to repeat. 31 bits, for there are KDCs that take it for a signed number.
fn fresh_nonce(random: &dyn Random) -> u32 {
    let mut octets = [0; 4];
    random.fill(&mut octets);
    u32::from_be_bytes(octets) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_may_wait_on_any_thread() {
        fn movable<T: Send + Sync>() {}
        movable::<Progress<Obtained>>();
        movable::<Ask<Credential>>();
        movable::<KdcFailure>();
    }
}
