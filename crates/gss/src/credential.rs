//! Credentials (RFC 2743 §1.1.1): what an initiator or an acceptor proves itself with.
//!
//! They are made from parsed caches and keytabs, or from an exchange with a KDC; where those come from is
//! the business of floor 5. [`CredentialSet`] joins them to what RFC 2743 calls a credential.

mod impersonation;
mod set;

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use orthros_krb5::ap::AcceptorKeys;
use orthros_krb5::exchange::{self, ExchangePolicy, InitialSecret, Obtained, Progress};
use orthros_krb5::watch::Fact;
use orthros_krb5::{Credential, Env, Principal};
use orthros_wire::Timestamp;

use crate::error::NoCredential;
pub use set::{CredentialSet, Facts, Lifetime, Usage};

/// Tickets of one client. Cheap to share by `Arc`: tickets that a context fetches are there for the next
/// one, with everything that has been derived from their session keys.
pub struct InitiatorCredential {
    client: Principal,
    tickets: RwLock<Vec<Arc<Credential>>>,
    /// Seconds to add to the local clock to have the KDC's.
    offset_seconds: AtomicI64,
    /// Where the tickets lie, for whoever stores fetched ones there.
    origin: Option<String>,
    /// The service that acts for the client, if it is not the client's own credential.
    service: Option<Arc<InitiatorCredential>>,
    /// What a ticket-granting ticket is got by, once one is needed.
    deferred: Option<Arc<Deferred>>,
    /// How often something was kept; of a copy, up to which of its original's changes it has followed.
    changes: AtomicU64,
    /// Whose copy this is, for one thread.
    original: Option<Arc<InitiatorCredential>>,
}

/// How a ticket-granting ticket is got.
pub(crate) struct Deferred {
    pub(crate) secret: InitialSecret,
    pub(crate) policy: ExchangePolicy,
}

impl InitiatorCredential {
    /// A credential of `client` with these tickets. `offset_seconds` is what the KDC's clock is ahead of
    /// the local one.
    pub fn new(client: Principal, tickets: Vec<Credential>, offset_seconds: i64) -> Self {
        let tickets = RwLock::new(tickets.into_iter().map(Arc::new).collect());
        Self {
            client,
            tickets,
            offset_seconds: AtomicI64::new(offset_seconds),
            origin: None,
            service: None,
            deferred: None,
            changes: AtomicU64::new(0),
            original: None,
        }
    }

    /// A copy for another thread: the same tickets, also those that come later to either, but each thread counts the
    /// users of what it takes out by itself and derives from keys by itself.
    #[must_use]
    pub fn apart(self: &Arc<Self>) -> Arc<Self> {
        let original = self.original.as_ref().unwrap_or(self);
        Arc::new(Self {
            origin: original.origin.clone(),
            service: original.service.as_ref().map(Self::apart),
            deferred: original.deferred.clone(),
            changes: AtomicU64::new(u64::MAX),
            original: Some(Arc::clone(original)),
            ..Self::new(original.client.apart(), Vec::new(), 0)
        })
    }

    /// A credential that has no ticket yet, but the client's password or keys. The first context gets a ticket-granting
    /// ticket by them: with [`IAKERB`](crate::mechanism::IAKERB) through the acceptor, elsewise from a KDC. A client whose
    /// realm is empty takes the acceptor's, with IAKERB.
    pub fn deferred_login(client: Principal, secret: InitialSecret, policy: ExchangePolicy) -> Self {
        let deferred = Some(Arc::new(Deferred { secret, policy }));
        Self { deferred, ..Self::new(client, Vec::new(), 0) }
    }

    pub(crate) fn deferred(&self) -> Option<&Deferred> {
        self.deferred.as_deref()
    }

    /// The same without its tickets, for the client of this name in another realm.
    pub(crate) fn in_realm(&self, realm: &str) -> Self {
        Self { deferred: self.deferred.clone(), ..Self::new(self.client.in_realm(realm), Vec::new(), 0) }
    }

    /// The same credential with a note of where its tickets lie, such as the name of a credential cache.
    /// [`NeedStore::origin`](crate::context::NeedStore::origin) tells it to whoever stores fetched tickets.
    #[must_use]
    pub fn with_origin(self, origin: impl Into<String>) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }

    /// Where the tickets lie, if anybody said so.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Whose tickets they are.
    pub fn client(&self) -> &Principal {
        &self.client
    }

    /// All tickets.
    pub fn tickets(&self) -> Vec<Credential> {
        self.read().iter().map(|ticket| Credential::clone(ticket)).collect()
    }

    /// The realm whose KDC is asked for tickets.
    pub(crate) fn home_realm(&self) -> &str {
        self.impersonator().unwrap_or(&self.client).realm()
    }

    /// When the ticket-granting ticket ends, or else the last of the tickets; `None` without tickets. A service that
    /// acts for the client can do so no longer than its own tickets and the client's ticket to it allow.
    pub fn end(&self) -> Option<Timestamp> {
        if let Some(end) = self.impersonation_end() {
            return Some(end);
        }
        let tickets = self.read();
        let granting = tickets.iter().filter(|ticket| ticket.server.as_ticket_granting().is_some());
        let end = granting.map(|ticket| ticket.times.endtime).max();
        end.or_else(|| tickets.iter().map(|ticket| ticket.times.endtime).max()).map(Timestamp::from)
    }

    /// The ticket for `server` that lasts longest after `now`.
    pub fn ticket_for(&self, server: &Principal, now: Timestamp) -> Option<Arc<Credential>> {
        let tickets = self.read();
        let usable = tickets.iter().filter(|ticket| ticket.server == *server && !ticket.times.expired(now));
        usable.max_by_key(|ticket| ticket.times.endtime).cloned()
    }

    /// The ticket-granting ticket for the client's own realm; of a service that acts for the client, its own.
    ///
    /// # Errors
    /// [`NoCredential`]: there is none, or it has ended; `server` is what it is needed for.
    pub fn granting_ticket(
        &self,
        server: &Principal,
        now: Timestamp,
    ) -> Result<Arc<Credential>, NoCredential> {
        if let Some(service) = &self.service {
            return service.granting_ticket(server, now);
        }
        let realm = self.client.realm();
        let granting = Principal::ticket_granting(realm, realm);
        if let Some(ticket) = self.ticket_for(&granting, now) {
            return Ok(ticket);
        }
        let client = self.client.clone();
        let ended = self
            .read()
            .iter()
            .filter(|ticket| ticket.server == granting)
            .map(|ticket| ticket.times.endtime)
            .max();
        Err(match ended {
            Some(ended) => NoCredential::Expired { client, ended: ended.into() },
            None => NoCredential::NoTicket { client, server: server.clone() },
        })
    }

    /// Starts the exchange for a ticket for `server`: by the ticket-granting ticket; where a service acts for the
    /// client, by the client's ticket to it (S4U2Proxy).
    ///
    /// # Errors
    /// [`NoCredential`]: what is needed to ask is not there, or has ended.
    pub fn fetch(
        &self,
        server: Principal,
        policy: ExchangePolicy,
        env: &Env,
    ) -> Result<Progress<Obtained>, NoCredential> {
        env.tell(Fact::Lacking { client: &self.client, server: &server });
        let now = self.kdc_time(env.now());
        let granting = self.granting_ticket(&server, now)?;
        match self.evidence(now).transpose()? {
            None => Ok(exchange::service_from(&granting, self.tickets(), server, policy, env.clone())),
            Some(evidence) => Ok(exchange::constrained(&granting, &evidence, server, policy, env.clone())),
        }
    }

    /// Keeps a fetched ticket for the next context.
    pub fn keep(&self, ticket: Credential) {
        let kept_by = self.original();
        {
            let mut tickets = kept_by.tickets.write().unwrap_or_else(PoisonError::into_inner);
            tickets.retain(|kept| kept.server != ticket.server);
            tickets.push(Arc::new(ticket));
        }
        kept_by.changes.fetch_add(1, Ordering::Release);
    }

    /// The time of the KDC's clock when the local one says `now`.
    pub fn kdc_time(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(self.offset_seconds())
    }

    /// What the KDC's clock is ahead of the local one, in seconds.
    pub fn offset_seconds(&self) -> i64 {
        self.original().offset_seconds.load(Ordering::Relaxed)
    }

    pub(crate) fn set_offset_seconds(&self, seconds: i64) {
        self.original().offset_seconds.store(seconds, Ordering::Relaxed);
    }

    fn original(&self) -> &Self {
        self.original.as_deref().unwrap_or(self)
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Arc<Credential>>> {
        if let Some(original) = &self.original {
            self.follow(original);
        }
        self.tickets.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what its original has kept since the last look.
    fn follow(&self, original: &Self) {
        // Before the tickets: what is kept meanwhile is seen at the next look.
        let changes = original.changes.load(Ordering::Acquire);
        if self.changes.load(Ordering::Acquire) != changes {
            let fresh = original.read().iter().map(|ticket| Arc::new(ticket.apart())).collect();
            *self.tickets.write().unwrap_or_else(PoisonError::into_inner) = fresh;
            self.changes.store(changes, Ordering::Release);
        }
    }
}

impl fmt::Debug for InitiatorCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InitiatorCredential({}, {} tickets", self.client, self.read().len())?;
        match self.impersonator() {
            Some(service) => write!(f, ", held by {service})"),
            None => f.write_str(")"),
        }
    }
}

/// The keys of an acceptor, and for whom it accepts.
#[derive(Clone)]
pub struct AcceptorCredential {
    keys: Arc<dyn AcceptorKeys + Send + Sync>,
    scope: Scope,
    replay_cache: Option<String>,
    /// The service's own tickets, by which it may act for whoever comes.
    delegating: Option<Arc<InitiatorCredential>>,
}

/// For whom an acceptor accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For every principal that there is a key of.
    Any,
    /// For one principal.
    Principal(Principal),
    /// For this service (the first component), on whatever host.
    Service(String),
}

impl Scope {
    fn apart(&self) -> Self {
        match self {
            Self::Any => Self::Any,
            Self::Principal(principal) => Self::Principal(principal.apart()),
            Self::Service(service) => Self::Service(service.clone()),
        }
    }

    /// Whether a ticket for `server` is accepted.
    pub fn contains(&self, server: &Principal) -> bool {
        match self {
            Self::Any => true,
            Self::Principal(principal) => principal == server,
            Self::Service(service) => server.components().first() == Some(service),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any principal of the keytab"),
            Self::Principal(principal) => principal.fmt(f),
            Self::Service(service) => write!(f, "the service {service} on any host"),
        }
    }
}

impl AcceptorCredential {
    /// Accepts for every principal that `keys` has a key of: what servers want by default.
    pub fn any(keys: Arc<dyn AcceptorKeys + Send + Sync>) -> Self {
        Self::within(keys, Scope::Any)
    }

    /// Accepts for one principal only.
    pub fn only(keys: Arc<dyn AcceptorKeys + Send + Sync>, service: Principal) -> Self {
        Self::within(keys, Scope::Principal(service))
    }

    /// Accepts for whom `scope` says.
    pub fn within(keys: Arc<dyn AcceptorKeys + Send + Sync>, scope: Scope) -> Self {
        Self { keys, scope, replay_cache: None, delegating: None }
    }

    /// The same keys, for another scope.
    #[must_use]
    pub fn scoped(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The same with a replay cache of its own, by a name that the driver understands.
    /// [`NeedReplay::replay_cache`](crate::context::NeedReplay::replay_cache) tells it to whoever asks the cache.
    #[must_use]
    pub fn with_replay_cache(self, name: impl Into<String>) -> Self {
        Self { replay_cache: Some(name.into()), ..self }
    }

    /// The same, where each client's ticket serves as its delegation, if the client forwards none: the context's
    /// delegated credential is then one by which the service acts for the client, to whom the KDC allows it to (S4U2Proxy,
    /// MS-SFU). `service` holds the service's own tickets; clients that come to another principal delegate nothing.
    ///
    /// Off by default: whoever gets the delegated credential can act for the client.
    #[must_use]
    pub fn delegating(self, service: Arc<InitiatorCredential>) -> Self {
        Self { delegating: Some(service), ..self }
    }

    /// A copy for another thread, which counts the users of what it takes out by itself.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            keys: self.keys.apart().unwrap_or_else(|| Arc::clone(&self.keys)),
            scope: self.scope.apart(),
            replay_cache: self.replay_cache.clone(),
            delegating: self.delegating.as_ref().map(InitiatorCredential::apart),
        }
    }

    /// By whose tickets it acts for clients, if it does.
    pub(crate) fn delegation(&self) -> Option<&Arc<InitiatorCredential>> {
        self.delegating.as_ref()
    }

    /// The replay cache of its own, if it has one.
    pub fn replay_cache(&self) -> Option<&str> {
        self.replay_cache.as_deref()
    }

    /// For whom it accepts.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whose its first key is, where keys can be listed: a name for an acceptor that accepts for whichever service there
    /// is a key of.
    pub fn first_principal(&self) -> Option<Principal> {
        self.keys.first()
    }

    pub(crate) fn keys(&self) -> &dyn AcceptorKeys {
        &*self.keys
    }
}

impl fmt::Debug for AcceptorCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AcceptorCredential({})", self.scope)
    }
}
