//! Tickets by password or keytab: the AS exchange, and tickets for services.

use std::sync::Arc;

use orthros_crypto::Password;
use orthros_gss::error::NoCredential;
use orthros_gss::name::BadName;
use orthros_gss::{Error, InitiatorCredential};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, Obtained, Progress, initial, service};
use orthros_krb5::{Credential, CredentialCache, Keytab, Principal};

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
        Ok(Principal::parse(&self.client, realm).map_err(BadName::from)?)
    }

    /// Asks the KDC, and waits for it: never call this where blocking hurts. The ticket is in no cache; see
    /// [`blocking_into`](Self::blocking_into).
    ///
    /// # Errors
    /// [`Error::Kdc`] tells what the KDC answered, or which KDCs were tried; [`NoCredential`] if neither a
    /// password nor a key was given.
    pub fn blocking(self) -> Result<Arc<InitiatorCredential>, Error> {
        let (orthros, progress) = self.begin()?;
        Ok(Self::credential(orthros.exchange(progress)?))
    }

    /// As [`blocking`](Self::blocking), and makes a credential cache of it, in the place of what was there.
    ///
    /// # Errors
    /// As [`blocking`](Self::blocking), and if the cache can't be written; its old content is still there then.
    pub fn blocking_into(self, cache: &CacheName) -> Result<Arc<InitiatorCredential>, Error> {
        let (orthros, progress) = self.begin()?;
        let obtained = orthros.exchange(progress)?;
        Self::put_into(&orthros, obtained, cache)
    }

    /// A credential that is in no cache.
    pub(crate) fn credential(obtained: Obtained) -> Arc<InitiatorCredential> {
        let offset = obtained.kdc_offset.unwrap_or(0);
        let client = obtained.credential.client.clone();
        Arc::new(InitiatorCredential::new(client, vec![obtained.credential], offset))
    }

    /// Makes a cache of a ticket.
    pub(crate) fn put_into(
        orthros: &Orthros,
        obtained: Obtained,
        cache: &CacheName,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let mut content = CredentialCache::new(obtained.credential.client.clone());
        let offset = obtained.kdc_offset.and_then(|offset| i32::try_from(offset).ok());
        content.set_time_offset(
            offset.map(|seconds| orthros_krb5::ccache::TimeOffset { seconds, microseconds: 0 }),
        );
        content.add(obtained.credential);
        orthros.write_cache(cache, content)?;
        orthros.credential_from(cache)
    }

    /// The exchange, not yet begun.
    pub(crate) fn begin(self) -> Result<(Orthros, Progress<Obtained>), Error> {
        let client = self.principal()?;
        let secret = match self.secret {
            Some(InitialSecret::Keys(keys)) if keys.is_empty() => {
                return Err(NoCredential::None(format!("the keytab has no key of {client}")).into());
            }
            Some(secret) => secret,
            None => {
                return Err(NoCredential::None(format!("neither a password nor a key of {client}")).into());
            }
        };
        let env = self.orthros.env().clone();
        Ok((self.orthros, initial(client, secret, self.target, self.policy, env)))
    }
}

impl Orthros {
    /// A ticket for `server`: the credential's own, or one from the KDC, which is then kept in the credential
    /// and its cache. Waits for the KDC.
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
            return Ok(ticket);
        }
        let granting = credential.granting_ticket(server, now)?;
        let policy = ExchangePolicy {
            kdc_offset: credential.offset_seconds(),
            ..ExchangePolicy::service(self.config())
        };
        let obtained = self.exchange(service(&granting, server.clone(), policy, self.env().clone()))?;
        credential.keep(obtained.credential.clone());
        self.store_ticket(credential.origin(), &obtained.credential);
        Ok(obtained.credential)
    }

    /// Runs an exchange with a KDC to its end.
    fn exchange(&self, mut progress: Progress<Obtained>) -> Result<Obtained, Error> {
        loop {
            progress = match progress {
                Progress::Ask(ask) => match self.carry(ask.realm(), ask.request()) {
                    Ok(answer) => {
                        let now = self.env().now();
                        ask.reply(&answer, now)
                    }
                    Err(report) => ask.unavailable(report),
                },
                Progress::Done(obtained) => return Ok(obtained),
                Progress::Failed(failure) => return Err(failure.into()),
            };
        }
    }
}
