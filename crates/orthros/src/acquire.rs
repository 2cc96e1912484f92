//! Tickets by password or keytab: the AS exchange, tickets for services, and tickets made of a ticket.

use std::net::IpAddr;
use std::sync::Arc;

use orthros_crypto::Password;
use orthros_gss::error::NoCredential;
use orthros_gss::name::BadName;
use orthros_gss::{Error, InitiatorCredential};
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::exchange::{
    self, ExchangePolicy, InitialSecret, KdcFailure, Obtained, Progress, Verified, VerifyRule, initial,
};
use orthros_krb5::{Credential, CredentialCache, Keytab, Principal};

use crate::trace::Event;
use crate::{CacheName, Orthros};

/// A ticket to be got from a KDC.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let orthros = orthros::Orthros::from_system()?;
/// let alice = orthros.acquire("alice@EXAMPLE.COM").password("open sesame").forwardable(true).blocking()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Acquire {
    orthros: Orthros,
    client: String,
    secret: Option<InitialSecret>,
    target: Option<Principal>,
    enterprise: bool,
    verify: Option<(Keytab, VerifyRule)>,
    policy: ExchangePolicy,
}

impl Acquire {
    pub(crate) fn new(orthros: &Orthros, client: &str) -> Self {
        Self {
            policy: ExchangePolicy::initial(orthros.config()),
            orthros: orthros.clone(),
            client: client.to_owned(),
            secret: None,
            target: None,
            enterprise: false,
            verify: None,
        }
    }

    /// Proves the client by its password.
    pub fn password(self, password: impl Into<Password>) -> Self {
        Self { secret: Some(InitialSecret::Password(password.into())), ..self }
    }

    /// Proves the client by its keys in a keytab, newest first.
    pub fn keytab(self, keytab: &Keytab) -> Self {
        let mut entries: Vec<_> = match self.principal() {
            Ok(client) => keytab.keys_for(&client).collect(),
            Err(_) => Vec::new(),
        };
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.timestamp(), entry.kvno())));
        let keys = entries.into_iter().map(|entry| Arc::clone(entry.key())).collect();
        Self { secret: Some(InitialSecret::Keys(keys)), ..self }
    }

    /// Asks for a ticket that can be forwarded, or for one that can't.
    pub fn forwardable(mut self, forwardable: bool) -> Self {
        self.policy.forwardable = forwardable;
        self
    }

    /// Asks for a ticket from which proxies can be made, or for one that allows none.
    pub fn proxiable(mut self, proxiable: bool) -> Self {
        self.policy.proxiable = proxiable;
        self
    }

    /// Asks for a postdated ticket, which begins to be valid in so many seconds and must then be
    /// [validated](Orthros::validate).
    pub fn start_in_seconds(mut self, seconds: i64) -> Self {
        self.policy.start = Some(seconds);
        self
    }

    /// Asks for a ticket that is good from these addresses; none: from everywhere, which is the default.
    pub fn addresses(mut self, addresses: &[IpAddr]) -> Self {
        self.policy.addresses = host_addresses(addresses);
        self
    }

    /// Takes the client's canonical name from the KDC, and goes to another realm if the KDC says that the client
    /// belongs there (RFC 6806).
    pub fn canonicalize(mut self, canonicalize: bool) -> Self {
        self.policy.canonicalize = canonicalize;
        self
    }

    /// Takes the client's name for an enterprise name, such as `alice@corp.example`, which the KDC maps to a
    /// principal. The realm that is asked first is the default one.
    pub fn enterprise(self) -> Self {
        Self { enterprise: true, ..self }
    }

    /// Verifies the ticket by the keys of a keytab before it is given out: that it comes from the realm's true KDC,
    /// and not from somebody who made up both the KDC and the password. Whoever lets users in because of their
    /// password must do this. Where the keytab has no key at all, `verify_ap_req_nofail` of the configuration
    /// decides, and is taken for true if it is not set.
    pub fn verify(self, keytab: &Keytab) -> Self {
        let demand = self.orthros.config().verify_ap_req_nofail;
        let rule = if demand { VerifyRule::Demand } else { VerifyRule::IfKeys };
        Self { verify: Some((keytab.clone(), rule)), ..self }
    }

    /// Asks for a ticket that lives so many seconds.
    pub fn lifetime_seconds(mut self, seconds: i64) -> Self {
        self.policy.lifetime = seconds;
        self
    }

    /// Asks for a ticket that can be renewed for so many seconds.
    pub fn renewable_seconds(mut self, seconds: i64) -> Self {
        self.policy.renewable_lifetime = Some(seconds);
        self
    }

    /// Asks for a ticket for this service in place of a ticket-granting one.
    pub fn service(self, service: Principal) -> Self {
        Self { target: Some(service), ..self }
    }

    fn principal(&self) -> Result<Principal, Error> {
        let realm = self.orthros.config().default_realm.as_deref();
        if self.enterprise {
            let realm = realm.ok_or_else(|| BadName::NoRealm(self.client.clone()))?;
            return Ok(Principal::enterprise(&self.client, realm));
        }
        Ok(Principal::parse(&self.client, realm).map_err(BadName::from)?)
    }

    /// Asks the KDC, and waits for it: never call this where blocking hurts. The ticket is in no cache; see
    /// [`blocking_into`](Self::blocking_into).
    ///
    /// # Errors
    /// [`Error::Kdc`] tells what the KDC answered, or which KDCs were tried; [`NoCredential`] if neither a
    /// password nor a key was given.
    pub fn blocking(self) -> Result<Arc<InitiatorCredential>, Error> {
        let (pending, progress) = self.begin()?;
        let obtained = pending.orthros.exchange(progress)?;
        pending.credential(obtained)
    }

    /// As [`blocking`](Self::blocking), and makes a credential cache of it, in the place of what was there.
    ///
    /// # Errors
    /// As [`blocking`](Self::blocking), and if the cache can't be written; its old content is still there then.
    pub fn blocking_into(self, cache: &CacheName) -> Result<Arc<InitiatorCredential>, Error> {
        let (pending, progress) = self.begin()?;
        let obtained = pending.orthros.exchange(progress)?;
        pending.put_into(obtained, cache)
    }

    /// Asks no KDC: the first context gets the ticket, with [`IAKERB`](crate::mechanism::IAKERB) through its acceptor, so
    /// that no KDC needs to be within reach. Where neither the name nor the configuration tells the client's realm, the
    /// acceptor's is taken, with IAKERB.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = "[libdefaults]\ndns_canonicalize_hostname = false";
    /// # let orthros = orthros::Orthros::builder().config_text(text)?.build();
    /// use orthros::Name;
    /// use orthros::mechanism::IAKERB;
    /// let alice = orthros.acquire("alice@EXAMPLE.COM").password("open sesame").deferred()?;
    /// let request = orthros.initiate_with(&alice, Name::hostbased_service("imap", "mail.example.com"));
    /// let step = request.mutual().mechanism(&IAKERB).start();
    /// assert!(matches!(step, orthros::Step::Send(_))); // to the acceptor, a request for its KDC
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoCredential`] if neither a password nor a key was given, or if a ticket for a service or its verification is
    /// asked for, which must not wait; [`Error::Name`].
    pub fn deferred(self) -> Result<Arc<InitiatorCredential>, Error> {
        let client = match self.principal() {
            Err(_) if self.orthros.config().default_realm.is_none() && !self.enterprise => {
                Principal::parse(&self.client, Some("")).map_err(BadName::from)?
            }
            client => client?,
        };
        if self.target.is_some() || self.verify.is_some() {
            let report =
                format!("the ticket of {client} is got later, and can't be verified or for a service");
            return Err(NoCredential::None(report).into());
        }
        let secret = given(self.secret, &client)?;
        Ok(Arc::new(InitiatorCredential::deferred_login(client, secret, self.policy)))
    }

    /// The exchange, not yet begun, and what is left to do after it.
    pub(crate) fn begin(self) -> Result<(Pending, Progress<Obtained>), Error> {
        let client = self.principal()?;
        let secret = given(self.secret, &client)?;
        let env = self.orthros.env().clone();
        let progress = initial(client, secret, self.target, self.policy, env);
        Ok((Pending { orthros: self.orthros, verify: self.verify }, progress))
    }
}

fn given(secret: Option<InitialSecret>, client: &Principal) -> Result<InitialSecret, NoCredential> {
    match secret {
        Some(InitialSecret::Keys(keys)) if keys.is_empty() => {
            Err(NoCredential::None(format!("the keytab has no key of {client}")))
        }
        Some(secret) => Ok(secret),
        None => Err(NoCredential::None(format!("neither a password nor a key of {client}"))),
    }
}

/// What is done with an initial ticket once it is there: by every driver the same.
pub(crate) struct Pending {
    pub(crate) orthros: Orthros,
    verify: Option<(Keytab, VerifyRule)>,
}

impl Pending {
    /// A credential that is in no cache.
    pub(crate) fn credential(self, obtained: Obtained) -> Result<Arc<InitiatorCredential>, Error> {
        let (_, obtained) = self.verified(obtained)?;
        let offset = obtained.kdc_offset.unwrap_or(0);
        let client = obtained.credential.client.clone();
        Ok(Arc::new(InitiatorCredential::new(client, vec![obtained.credential], offset)))
    }

    /// Makes a cache of the ticket.
    pub(crate) fn put_into(
        self,
        obtained: Obtained,
        cache: &CacheName,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let (orthros, obtained) = self.verified(obtained)?;
        let mut content = CredentialCache::new(obtained.credential.client.clone());
        let offset = obtained.kdc_offset.and_then(|offset| i32::try_from(offset).ok());
        content.set_time_offset(
            offset.map(|seconds| orthros_krb5::ccache::TimeOffset { seconds, microseconds: 0 }),
        );
        content.add(obtained.credential);
        orthros.write_cache(cache, content)?;
        orthros.credential_from(cache)
    }

    fn verified(self, obtained: Obtained) -> Result<(Orthros, Obtained), Error> {
        let Self { orthros, verify } = self;
        if let Some((keytab, rule)) = verify {
            orthros.verify(&obtained.credential, keytab, rule, obtained.kdc_offset.unwrap_or(0))?;
        }
        Ok((orthros, obtained))
    }
}

impl Orthros {
    /// A ticket for `server`: the credential's own, or one from the KDCs, which is then kept in the credential
    /// and its cache. Waits for KDCs. The server may be in another realm, or in an unknown one (an empty realm).
    ///
    /// # Errors
    /// [`NoCredential`] if there is no ticket-granting ticket, [`Error::Kdc`].
    pub fn service_ticket(
        &self,
        credential: &InitiatorCredential,
        server: &Principal,
    ) -> Result<Credential, Error> {
        let now = credential.kdc_time(self.env().now());
        if let Some(ticket) = credential.ticket_for(server, now) {
            return Ok(Credential::clone(&ticket));
        }
        let progress = credential.fetch(server.clone(), self.ticket_policy(credential), self.env())?;
        let obtained = self.exchange(progress)?;
        obtained.tickets().for_each(|ticket| credential.keep(ticket.clone()));
        self.store_tickets(credential.origin(), obtained.tickets());
        Ok(obtained.credential)
    }

    /// The credential's ticket-granting ticket, renewed: with a fresh life. It is not kept; what is done with it
    /// (a new cache, as `kinit -R` makes it) is the caller's business. Waits for the KDC.
    ///
    /// # Errors
    /// [`NoCredential`], and [`Error::Kdc`]: the ticket is not renewable, or its time has gone.
    pub fn renew(&self, credential: &InitiatorCredential) -> Result<Credential, Error> {
        let ticket = self.granting(credential)?;
        let policy = self.ticket_policy(credential);
        Ok(self.exchange(exchange::renewed(&ticket, &policy, self.env()))?.credential)
    }

    /// The credential's postdated ticket-granting ticket, validated: its time has come. It is not kept, as with
    /// [`renew`](Self::renew). Waits for the KDC.
    ///
    /// # Errors
    /// [`NoCredential`], and [`Error::Kdc`]: the ticket is not postdated, or its time has not come.
    pub fn validate(&self, credential: &InitiatorCredential) -> Result<Credential, Error> {
        let ticket = self.granting(credential)?;
        let policy = self.ticket_policy(credential);
        Ok(self.exchange(exchange::validated(&ticket, &policy, self.env()))?.credential)
    }

    /// A proxy: a ticket for `server`, in the client's realm, that is good from `addresses`; without any, from
    /// everywhere. Waits for the KDC.
    ///
    /// # Errors
    /// [`NoCredential`], and [`Error::Kdc`]: the ticket-granting ticket is not proxiable.
    pub fn proxy(
        &self,
        credential: &InitiatorCredential,
        server: &Principal,
        addresses: &[IpAddr],
    ) -> Result<Credential, Error> {
        let ticket = self.granting(credential)?;
        let policy = self.ticket_policy(credential);
        let addresses = host_addresses(addresses);
        let progress = exchange::proxied(&ticket, server.clone(), addresses, &policy, self.env());
        Ok(self.exchange(progress)?.credential)
    }

    /// A forwarded ticket-granting ticket, good from `addresses`; without any, from everywhere. Waits for the KDC.
    ///
    /// # Errors
    /// [`NoCredential`], and [`Error::Kdc`]: the ticket-granting ticket is not forwardable.
    pub fn forward(
        &self,
        credential: &InitiatorCredential,
        addresses: &[IpAddr],
    ) -> Result<Credential, Error> {
        let ticket = self.granting(credential)?;
        let policy =
            ExchangePolicy { addresses: host_addresses(addresses), ..self.ticket_policy(credential) };
        Ok(self.exchange(exchange::forwarded(&ticket, policy, self.env().clone()))?.credential)
    }

    /// Proves by the keys of a keytab that `ticket` comes from the true KDC.
    fn verify(
        &self,
        ticket: &Credential,
        keytab: Keytab,
        rule: VerifyRule,
        kdc_offset: i64,
    ) -> Result<Verified, Error> {
        let mut servers: Vec<Principal> = Vec::new();
        for principal in keytab.entries().map(|entry| entry.principal()) {
            if !servers.contains(principal) {
                servers.push(principal.clone());
            }
        }
        let policy = ExchangePolicy { kdc_offset, ..ExchangePolicy::service(self.config()) };
        let keys = Arc::new(keytab);
        self.exchange(exchange::verify_initial(ticket, keys, servers, rule, policy, self.env()))
    }

    fn granting(&self, credential: &InitiatorCredential) -> Result<Credential, Error> {
        let realm = credential.client().realm();
        let now = credential.kdc_time(self.env().now());
        let server = Principal::ticket_granting(realm, realm);
        // That of a service which acts for the client is not the client's.
        if credential.impersonator().is_some() {
            return Err(NoCredential::NoTicket { client: credential.client().clone(), server }.into());
        }
        Ok(Credential::clone(&*credential.granting_ticket(&server, now)?))
    }

    pub(crate) fn ticket_policy(&self, credential: &InitiatorCredential) -> ExchangePolicy {
        ExchangePolicy { kdc_offset: credential.offset_seconds(), ..ExchangePolicy::service(self.config()) }
    }

    /// Runs an exchange with KDCs to its end.
    pub(crate) fn exchange<T: 'static>(&self, mut progress: Progress<T>) -> Result<T, Error> {
        loop {
            progress = match progress {
                Progress::Ask(ask) => match self.carry(ask.realm(), ask.request()) {
                    Ok(answer) => {
                        let now = self.env().now();
                        ask.reply(&answer, now)
                    }
                    Err(report) => ask.unavailable(report),
                },
                Progress::Done(outcome) => return Ok(outcome),
                Progress::Failed(failure) => return Err(self.failed(failure)),
            };
        }
    }

    /// An exchange failed: told, and turned into an error.
    pub(crate) fn failed(&self, failure: KdcFailure) -> Error {
        let error = failure.into();
        self.tell(Event::Failed(&error));
        error
    }
}

/// Addresses as tickets hold them (RFC 4120 §7.5.3).
fn host_addresses(addresses: &[IpAddr]) -> Vec<TypedOctets> {
    let host = |address: &IpAddr| match address {
        IpAddr::V4(address) => TypedOctets { number: 2, octets: address.octets().into() },
        IpAddr::V6(address) => TypedOctets { number: 24, octets: address.octets().into() },
    };
    addresses.iter().map(host).collect()
}
