//! A credential as RFC 2743 §2.1 has it: one handle with an element for each mechanism, each to initiate with, to
//! accept with, or both.
//!
//! Contexts take an element ([`InitiatorCredential`], [`AcceptorCredential`]); the set is for programs that
//! handle credentials without knowing mechanisms.

use std::sync::Arc;

use orthros_wire::{Oid, Timestamp};

use super::{AcceptorCredential, InitiatorCredential, Scope};
use crate::error::{Error, Misuse, NoCredential, Refusal};
use crate::mechanism::{self, Mechanism, SPNEGO_OID};
use crate::name::Name;

/// What a credential is for (RFC 2743 §1.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// To accept contexts.
    Accept,
    /// For both.
    Both,
    /// To initiate contexts.
    Initiate,
}

impl Usage {
    /// Whether contexts may be initiated.
    pub fn initiates(self) -> bool {
        matches!(self, Self::Both | Self::Initiate)
    }

    /// Whether contexts may be accepted.
    pub fn accepts(self) -> bool {
        matches!(self, Self::Accept | Self::Both)
    }
}

/// How long something lasts from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// It has ended, or never held anything.
    Expired,
    /// So many seconds, at least one.
    Seconds(i64),
    /// Without an end that is known.
    Indefinite,
}

impl Lifetime {
    fn until(end: Option<Timestamp>, now: Timestamp) -> Self {
        match end.map(|end| end.seconds.saturating_sub(now.seconds)) {
            Some(seconds) if seconds > 0 => Self::Seconds(seconds),
            Some(_) | None => Self::Expired,
        }
    }
}

/// Elements of a credential, one for each mechanism; never empty. Cheap to clone, so that an element can be added
/// to a copy as well as in place (RFC 2743 §2.1.4 has both).
///
/// ```
/// # use std::sync::Arc;
/// use orthros_gss::credential::{CredentialSet, InitiatorCredential, Lifetime, Usage};
/// use orthros_wire::Timestamp;
/// let nobody = InitiatorCredential::new("alice@EXAMPLE.COM".parse()?, Vec::new(), 0);
/// let facts = CredentialSet::initiating(Arc::new(nobody)).inquire(Timestamp::from_seconds(0));
/// assert_eq!((facts.usage, facts.lifetime()), (Usage::Initiate, Lifetime::Expired)); // it holds no ticket
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CredentialSet {
    elements: Vec<Element>,
}

#[derive(Clone, Debug)]
struct Element {
    mechanism: &'static Mechanism,
    parts: Parts,
}

#[derive(Clone, Debug)]
enum Parts {
    Accept(AcceptorCredential),
    Both(Arc<InitiatorCredential>, AcceptorCredential),
    Initiate(Arc<InitiatorCredential>),
}

/// What is known about a credential, or about one of its elements (RFC 2743 §2.1.3, §2.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whose it is: the client; for acceptors the service. `None`: whichever service there is a key of.
    pub name: Option<Name>,
    /// What it is for.
    pub usage: Usage,
    /// How long contexts can be initiated; `None` if it is not for that.
    pub initiator_lifetime: Option<Lifetime>,
    /// How long contexts can be accepted; `None` if it is not for that. A keytab has no end.
    pub acceptor_lifetime: Option<Lifetime>,
}

impl Facts {
    fn of_nothing() -> Self {
        Self { name: None, usage: Usage::Both, initiator_lifetime: None, acceptor_lifetime: None }
    }

    /// The shorter of the lifetimes.
    pub fn lifetime(&self) -> Lifetime {
        let lifetimes = self.initiator_lifetime.into_iter().chain(self.acceptor_lifetime);
        lifetimes.min().unwrap_or(Lifetime::Expired)
    }
}

impl CredentialSet {
    /// Tickets of a client, for krb5.
    pub fn initiating(credential: Arc<InitiatorCredential>) -> Self {
        Self::of(Parts::Initiate(credential))
    }

    /// Keys of services, for krb5.
    pub fn accepting(credential: AcceptorCredential) -> Self {
        Self::of(Parts::Accept(credential))
    }

    /// Both, for krb5.
    pub fn both(initiator: Arc<InitiatorCredential>, acceptor: AcceptorCredential) -> Self {
        Self::of(Parts::Both(initiator, acceptor))
    }

    /// No elements: what a credential has whose elements are all of mechanisms that are not here.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// A copy for another thread ([`InitiatorCredential::apart`], [`AcceptorCredential::apart`]).
    #[must_use]
    pub fn apart(&self) -> Self {
        let parts = |parts: &Parts| match parts {
            Parts::Accept(acceptor) => Parts::Accept(acceptor.apart()),
            Parts::Both(initiator, acceptor) => Parts::Both(initiator.apart(), acceptor.apart()),
            Parts::Initiate(initiator) => Parts::Initiate(initiator.apart()),
        };
        let element = |element: &Element| Element { parts: parts(&element.parts), ..*element };
        Self { elements: self.elements.iter().map(element).collect() }
    }

    /// The same for another mechanism: its first element's, instead of krb5.
    ///
    /// # Errors
    /// [`Refusal::Mechanism`] if the mechanism is not here.
    pub fn for_mechanism(mut self, mechanism: &Oid) -> Result<Self, Error> {
        let mechanism = known(mechanism)?;
        if let Some(first) = self.elements.first_mut() {
            first.mechanism = mechanism;
        }
        Ok(self)
    }

    fn of(parts: Parts) -> Self {
        Self { elements: vec![Element { mechanism: &mechanism::KRB5, parts }] }
    }

    /// Adds to the element of `mechanism`, or a new element, what initiates (`gss_add_cred`).
    ///
    /// # Errors
    /// [`Misuse::DuplicateElement`] if there is such a part already, [`Refusal::Mechanism`] if the mechanism is
    /// not here. The set is then as it was.
    pub fn add_initiator(
        &mut self,
        mechanism: &Oid,
        credential: Arc<InitiatorCredential>,
    ) -> Result<(), Error> {
        self.add(mechanism, Parts::Initiate(credential))
    }

    /// Adds to the element of `mechanism`, or a new element, what accepts.
    ///
    /// # Errors
    /// As [`add_initiator`](Self::add_initiator).
    pub fn add_acceptor(&mut self, mechanism: &Oid, credential: AcceptorCredential) -> Result<(), Error> {
        self.add(mechanism, Parts::Accept(credential))
    }

    fn add(&mut self, mechanism: &Oid, new: Parts) -> Result<(), Error> {
        let mechanism = known(mechanism)?;
        let mut elements = self.elements.iter_mut();
        let Some(element) = elements.find(|element| std::ptr::eq(element.mechanism, mechanism)) else {
            self.elements.push(Element { mechanism, parts: new });
            return Ok(());
        };
        element.parts = match (&element.parts, new) {
            (Parts::Accept(acceptor), Parts::Initiate(initiator)) => Parts::Both(initiator, acceptor.clone()),
            (Parts::Initiate(initiator), Parts::Accept(acceptor)) => {
                Parts::Both(Arc::clone(initiator), acceptor)
            }
            _ => return Err(Misuse::DuplicateElement.into()),
        };
        Ok(())
    }

    /// What initiates contexts of a mechanism.
    ///
    /// # Errors
    /// [`NoCredential`] if nothing does, [`Refusal::Mechanism`].
    pub fn initiator(&self, mechanism: &Oid) -> Result<&Arc<InitiatorCredential>, Error> {
        match &self.element(mechanism)?.parts {
            Parts::Both(initiator, _) | Parts::Initiate(initiator) => Ok(initiator),
            Parts::Accept(_) => Err(lacks("no context can be initiated with it, only accepted")),
        }
    }

    /// Whether contexts of a mechanism can be accepted.
    pub fn accepts(&self, mechanism: &Oid) -> bool {
        let element = known(mechanism).ok().and_then(|mechanism| self.element_of(mechanism));
        element.is_some_and(|element| !matches!(element.parts, Parts::Initiate(_)))
    }

    /// What accepts contexts of a mechanism.
    ///
    /// # Errors
    /// [`NoCredential`] if nothing does, [`Refusal::Mechanism`].
    pub fn acceptor(&self, mechanism: &Oid) -> Result<&AcceptorCredential, Error> {
        match &self.element(mechanism)?.parts {
            Parts::Accept(acceptor) | Parts::Both(_, acceptor) => Ok(acceptor),
            Parts::Initiate(_) => Err(lacks("no context can be accepted with it, only initiated")),
        }
    }

    /// As [`acceptor`](Self::acceptor); where the element initiates too, clients that forward no ticket delegate by the
    /// one that they come with ([`AcceptorCredential::delegating`]).
    ///
    /// # Errors
    /// As [`acceptor`](Self::acceptor).
    pub fn acceptor_delegating(&self, mechanism: &Oid) -> Result<AcceptorCredential, Error> {
        let acceptor = self.acceptor(mechanism)?.clone();
        Ok(match &self.element(mechanism)?.parts {
            Parts::Both(initiator, _) => acceptor.delegating(Arc::clone(initiator)),
            Parts::Accept(_) | Parts::Initiate(_) => acceptor,
        })
    }

    /// The mechanisms of its elements.
    pub fn mechanisms(&self) -> impl Iterator<Item = &'static Mechanism> {
        self.elements.iter().map(|element| element.mechanism)
    }

    /// What is known about all of it (`gss_inquire_cred`): the name of the first element, the shortest
    /// lifetimes, and what any element is for.
    pub fn inquire(&self, now: Timestamp) -> Facts {
        let Some((first, rest)) = self.elements.split_first() else { return Facts::of_nothing() };
        let mut facts = first.facts(now);
        for element in rest {
            let more = element.facts(now);
            facts.usage = if facts.usage == more.usage { facts.usage } else { Usage::Both };
            facts.initiator_lifetime = shorter(facts.initiator_lifetime, more.initiator_lifetime);
            facts.acceptor_lifetime = shorter(facts.acceptor_lifetime, more.acceptor_lifetime);
        }
        facts
    }

    /// What is known about the element of a mechanism (`gss_inquire_cred_by_mech`).
    ///
    /// # Errors
    /// [`NoCredential`] if there is no such element, [`Refusal::Mechanism`].
    pub fn inquire_for(&self, mechanism: &Oid, now: Timestamp) -> Result<Facts, Error> {
        Ok(self.element(mechanism)?.facts(now))
    }

    fn element(&self, mechanism: &Oid) -> Result<&Element, Error> {
        let mechanism = known(mechanism)?;
        let element = self.element_of(mechanism);
        element.ok_or_else(|| lacks(&format!("it has no element of the mechanism {}", mechanism.name)))
    }

    fn element_of(&self, mechanism: &'static Mechanism) -> Option<&Element> {
        self.elements.iter().find(|element| std::ptr::eq(element.mechanism, mechanism))
    }
}

impl Element {
    fn facts(&self, now: Timestamp) -> Facts {
        let (initiator, acceptor, usage) = match &self.parts {
            Parts::Accept(acceptor) => (None, Some(acceptor), Usage::Accept),
            Parts::Both(initiator, acceptor) => (Some(initiator), Some(acceptor), Usage::Both),
            Parts::Initiate(initiator) => (Some(initiator), None, Usage::Initiate),
        };
        let client = initiator.map(|initiator| Name::Principal(initiator.client().clone()));
        Facts {
            name: client.or_else(|| acceptor.and_then(|acceptor| served(acceptor.scope()))),
            usage,
            initiator_lifetime: initiator.map(|initiator| initiator.lifetime(now)),
            acceptor_lifetime: acceptor.map(|_| Lifetime::Indefinite),
        }
    }
}

impl InitiatorCredential {
    /// How long it lasts, by the KDC's clock as far as that is known. Without tickets it lasts not at all; but by a
    /// password or keys some can be got.
    pub fn lifetime(&self, now: Timestamp) -> Lifetime {
        if self.deferred().is_some() && self.end().is_none() {
            return Lifetime::Indefinite;
        }
        Lifetime::until(self.end(), self.kdc_time(now))
    }
}

/// The mechanism whose element is meant. A negotiation has none of its own: what it agrees on is krb5.
fn known(mechanism: &Oid) -> Result<&'static Mechanism, Error> {
    let known = mechanism::find(mechanism).ok_or_else(|| Refusal::Mechanism(mechanism.clone()))?;
    Ok(if known.oid == SPNEGO_OID { &mechanism::KRB5 } else { known })
}

fn lacks(what: &str) -> Error {
    NoCredential::None(format!("the credential does not fit: {what}")).into()
}

fn shorter(left: Option<Lifetime>, right: Option<Lifetime>) -> Option<Lifetime> {
    left.into_iter().chain(right).min()
}

/// The name of what an acceptor accepts for.
fn served(scope: &Scope) -> Option<Name> {
    match scope {
        Scope::Any => None,
        Scope::Principal(principal) => Some(Name::Principal(principal.clone())),
        Scope::Service(service) => Some(Name::HostbasedService { service: service.clone(), host: None }),
    }
}
