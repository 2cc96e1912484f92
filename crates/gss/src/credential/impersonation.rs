//! Credentials by which a service acts for a user (MS-SFU).
//!
//! Such a credential holds the user's tickets, at first the one to the service itself, which is the evidence for more,
//! and the service's own credential, which asks for them. It comes from the service's request ([`impersonate`],
//! S4U2Self) or from a context that was accepted ([`AcceptorCredential::delegating`]). A context to the service itself takes
//! the evidence; one to somebody else asks the KDC (S4U2Proxy).
//!
//! In a credential cache it is as MIT krb5 has it: the cache is the user's, the service's ticket-granting tickets lie
//! in it too, and the note `proxy_impersonator` names the service.
//!
//! [`impersonate`]: InitiatorCredential::impersonate
//! [`AcceptorCredential::delegating`]: super::AcceptorCredential::delegating

use std::sync::Arc;

use orthros_krb5::exchange::{self, ExchangePolicy, Progress};
use orthros_krb5::{Credential, CredentialCache, Env, Principal};
use orthros_wire::Timestamp;

use super::InitiatorCredential;
use crate::error::NoCredential;

/// The note in a cache that names the service.
const NOTE: &str = "proxy_impersonator";

impl InitiatorCredential {
    /// The credential by which `service` acts for the client of `evidence`, a ticket to that service.
    pub fn impersonating(service: &Arc<Self>, evidence: Credential) -> Self {
        let (client, offset) = (evidence.client.clone(), service.offset_seconds());
        Self::new(client, vec![evidence], offset).held_by(Arc::clone(service))
    }

    /// The same tickets in the hands of a service that acts for their client.
    pub(crate) fn held_by(self, service: Arc<Self>) -> Self {
        Self { service: Some(service), ..self }
    }

    /// The own credential of the service that acts for the client.
    pub(crate) fn service(&self) -> Option<&Arc<Self>> {
        self.service.as_ref()
    }

    /// The ticket-granting tickets.
    pub(crate) fn granting_tickets(&self) -> Vec<Credential> {
        let tickets = self.read();
        let granting = tickets.iter().filter(|ticket| ticket.server.as_ticket_granting().is_some());
        granting.map(|ticket| Credential::clone(ticket)).collect()
    }

    /// Starts S4U2Self: the service that this credential is of becomes `user` to itself, without `user` being there.
    ///
    /// ```no_run
    /// # use std::sync::Arc;
    /// use orthros_gss::InitiatorCredential;
    /// use orthros_krb5::exchange::{ExchangePolicy, Progress};
    /// # fn example(web: Arc<InitiatorCredential>, env: orthros_krb5::Env) -> Result<(), Box<dyn std::error::Error>> {
    /// let begun = web.impersonate("alice@EXAMPLE.COM".parse()?, ExchangePolicy::default(), &env);
    /// match begun.map_err(orthros_gss::Error::from)? {
    ///     Progress::Ask(ask) => { /* carry ask.request() to a KDC of ask.realm() */ }
    ///     Progress::Done(alice) => assert_eq!(alice.impersonator(), Some(web.client())),
    ///     Progress::Failed(failure) => return Err(failure.into()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoCredential`]: there is no ticket-granting ticket, or this credential is itself one of a service that acts
    /// for somebody.
    pub fn impersonate(
        self: &Arc<Self>,
        user: Principal,
        policy: ExchangePolicy,
        env: &Env,
    ) -> Result<Progress<Arc<Self>>, NoCredential> {
        if let Some(service) = self.impersonator() {
            let client = &self.client;
            let report = format!(
                "by this credential {service} acts for {client}, who can't act for others in turn: take the credential of {service}"
            );
            return Err(NoCredential::None(report));
        }
        let granting = self.granting_ticket(&self.client, self.kdc_time(env.now()))?;
        let service = Arc::clone(self);
        let progress = exchange::impersonated(&granting, self.tickets(), user, policy, env.clone());
        Ok(progress.map(move |obtained| {
            let tickets = obtained.also.into_iter().filter(|ticket| ticket.client == service.client);
            tickets.for_each(|ticket| service.keep(ticket));
            Arc::new(Self::impersonating(&service, obtained.credential))
        }))
    }

    /// The service that acts for the client by this credential; `None`: the credential is the client's own.
    pub fn impersonator(&self) -> Option<&Principal> {
        self.service.as_ref().map(|service| &service.client)
    }

    /// The client's ticket to the service that acts for it; `None` if none does.
    pub(super) fn evidence(&self, now: Timestamp) -> Option<Result<Arc<Credential>, NoCredential>> {
        let service = self.impersonator()?;
        Some(self.ticket_for(service, now).ok_or_else(|| {
            let client = self.client.clone();
            match self.evidence_end() {
                Some(ended) => NoCredential::Expired { client, ended },
                None => NoCredential::NoTicket { client, server: service.clone() },
            }
        }))
    }

    fn evidence_end(&self) -> Option<Timestamp> {
        let service = self.impersonator()?;
        let tickets = self.read();
        let evidence = tickets.iter().filter(|ticket| ticket.server == *service);
        evidence.map(|ticket| ticket.times.endtime).max().map(Timestamp::from)
    }

    /// How long a service can act for the client.
    pub(super) fn impersonation_end(&self) -> Option<Timestamp> {
        let evidence = self.evidence_end()?;
        let own = self.service.as_ref().and_then(|service| service.end());
        Some(own.map_or(evidence, |own| own.min(evidence)))
    }

    /// The credential of a cache. Tickets of others than the cache's client are passed over, but for those of a
    /// service that acts for it. `offset_seconds` is what the KDC's clock is ahead of the local one.
    pub fn of_cache(cache: &CredentialCache, offset_seconds: i64) -> Self {
        let client = cache.primary();
        let of = |whose: &Principal| {
            let tickets = cache.credentials().filter(|ticket| ticket.client == *whose).cloned().collect();
            Self::new(whose.clone(), tickets, offset_seconds)
        };
        let service = cache
            .configuration_value(NOTE, None)
            .and_then(|note| std::str::from_utf8(note).ok())
            .and_then(|note| Principal::parse(note, None).ok())
            .filter(|service| service != client)
            .map(|service| Arc::new(of(&service)));
        Self { service, ..of(client) }
    }

    /// A cache with the credential's tickets.
    pub fn to_cache(&self) -> CredentialCache {
        let mut cache = CredentialCache::new(self.client.clone());
        if let Some(service) = &self.service {
            cache.set_configuration(NOTE, None, Some(service.client.to_string().as_bytes()));
            service.granting_tickets().into_iter().for_each(|ticket| cache.add(ticket));
        }
        self.tickets().into_iter().for_each(|ticket| cache.add(ticket));
        cache
    }
}
