//! What [`Orthros`] does with credentials: taken from stores, put into them, moved to other processes.
//!
//! | file | what it does |
//! |---|---|
//! | here | the calls of RFC 2743 §2.1, RFC 5588 and their extensions |
//! | `impersonation` | a service acts for a user |
//! | [`store`] | [`CredentialStore`]: where a credential is taken from |
//! | `client_keytab` | cache or client keytab, and refreshing what the keytab gave |
//!
//! All of it waits: for files, and for KDCs where a ticket is got. Deliberately not here: tickets got in other ways
//! ([`acquire`](crate::acquire)), and choosing among the caches of a collection.

mod client_keytab;
mod impersonation;
pub mod store;

use std::sync::Arc;

use orthros_gss::credential::{CredentialSet, Lifetime, Usage};
use orthros_gss::error::{Misuse, NoCredential};
use orthros_gss::mechanism::{self, Mechanism};
use orthros_gss::name::BadName;
use orthros_gss::{AcceptorCredential, Error, InitiatorCredential, Name};
use orthros_krb5::ccache::TimeOffset;
use orthros_krb5::{CredentialCache, Principal};

use crate::Orthros;
use crate::stores::{CacheName, CacheSnapshot, KeytabName, StoreError};
use crate::sys::users;
use crate::trace::Event;
use client_keytab::Initiating;
use store::{CredentialStore, Place};

/// When a password or a key gets its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    Deferred,
    Now,
}

impl Orthros {
    /// The default credential: the default cache's, or else the client keytab's first principal. A ticket that was
    /// got by the client keytab is in the default cache from then on, and is replaced when half of its life has
    /// gone by.
    ///
    /// # Errors
    /// [`NoCredential`] names each place tried and what is wrong with it.
    pub fn default_credential(&self) -> Result<Arc<InitiatorCredential>, Error> {
        self.initiating(&CredentialStore::new(), None, Login::Now)
    }

    /// The credential of one client: the default cache's if it is its, or else by its key in the client keytab.
    ///
    /// # Errors
    /// [`NoCredential`] names each place tried and what is wrong with it.
    pub fn credential_for(&self, client: &Name) -> Result<Arc<InitiatorCredential>, Error> {
        self.initiating(&CredentialStore::new(), Some(&self.client(client)?), Login::Now)
    }

    /// The credential of a cache, kept with all that was derived from its keys while the cache is the same.
    ///
    /// # Errors
    /// [`NoCredential`] names the cache and what is wrong with it.
    pub fn credential_from(&self, cache: &CacheName) -> Result<Arc<InitiatorCredential>, Error> {
        Ok(self.credential_from_store(cache)?)
    }

    fn credential_from_store(&self, cache: &CacheName) -> Result<Arc<InitiatorCredential>, StoreError> {
        Ok(Arc::clone(&self.snapshot_of(cache)?.credential))
    }

    fn snapshot_of(&self, cache: &CacheName) -> Result<Arc<CacheSnapshot>, StoreError> {
        let read = self.stores().cache(cache, self.config().kdc_timesync);
        let found = read.as_ref().map(|snapshot| snapshot.cache.primary());
        self.tell(Event::Cache { name: cache, found });
        read
    }

    /// A credential of what `store` names, else of the defaults (`gss_acquire_cred_from`,
    /// `gss_acquire_cred_with_password`). Without a name: of whoever the cache or the client keytab belongs to, and
    /// accepting for every key.
    ///
    /// ```
    /// use orthros::credential::Usage;
    /// use orthros::{CredentialStore, Name, Orthros};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let realm = orthros_kdc::Realm::builder("TEST").principal("alice", "open sesame");
    /// # let kdc = orthros_kdc::Listener::start(realm.build(&orthros::random::SystemRandom)?)?;
    /// # let config = orthros::Config::for_realm("TEST", &[&kdc.address().to_string()])?;
    /// # let orthros = Orthros::builder().config(config).build();
    /// let store = CredentialStore::new().password("open sesame");
    /// let alice = orthros.acquire_from(&store, Some(&Name::user("alice")), Usage::Initiate)?;
    /// let facts = alice.inquire(orthros.env().now());
    /// assert_eq!(facts.name.map(|name| name.to_string()).as_deref(), Some("alice@TEST"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NoCredential`] names each place tried; [`Error::Kdc`] tells what the KDC answered; [`Error::Name`].
    pub fn acquire_from(
        &self,
        store: &CredentialStore,
        name: Option<&Name>,
        usage: Usage,
    ) -> Result<CredentialSet, Error> {
        self.acquire_for(&mechanism::KRB5, store, name, usage)
    }

    /// As [`acquire_from`](Self::acquire_from), for another mechanism. For [`IAKERB`](mechanism::IAKERB) no KDC is asked:
    /// by a password or a client keytab the first context [gets the ticket](crate::acquire::Acquire::deferred).
    ///
    /// # Errors
    /// As [`acquire_from`](Self::acquire_from).
    pub fn acquire_for(
        &self,
        mechanism: &'static Mechanism,
        store: &CredentialStore,
        name: Option<&Name>,
        usage: Usage,
    ) -> Result<CredentialSet, Error> {
        let login = if *mechanism == mechanism::IAKERB { Login::Deferred } else { Login::Now };
        let name = name.map(|name| self.resolve_name(name)).transpose()?;
        let acceptor = usage.accepts().then(|| self.accepting(store, name.as_ref())).transpose()?;
        let initiator = match &name {
            _ if !usage.initiates() => None,
            Some(name) => Some(self.initiating(store, Some(&self.client(name)?), login)?),
            None => Some(self.initiating(store, None, login)?),
        };
        let set = match (initiator, acceptor) {
            (Some(initiator), Some(acceptor)) => CredentialSet::both(initiator, acceptor),
            (Some(initiator), None) => CredentialSet::initiating(initiator),
            (None, Some(acceptor)) => CredentialSet::accepting(acceptor),
            (None, None) => return Err(NoCredential::None("nothing was asked for".into()).into()),
        };
        set.for_mechanism(&mechanism.oid)
    }

    fn initiating(
        &self,
        store: &CredentialStore,
        client: Option<&Principal>,
        login: Login,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        if let Some(password) = &store.password {
            return self.by_password(store, client, password.expose_octets(), login);
        }
        let given = match &store.cache {
            Some(Place::Given(cache)) => return self.of_cache(cache, client),
            Some(Place::Named(name)) => Some(name),
            None => None,
        };
        let keytab = match &store.client_keytab {
            Some(keytab) => keytab.clone(),
            None => Place::Named(self.client_keytab().clone()),
        };
        let cache = given.unwrap_or_else(|| self.default_cache());
        // Of a folder of caches, the one in use may be another client's.
        let own = match (cache, client) {
            (CacheName::Directory(_), Some(client)) => self.cache_beside(cache, client)?,
            _ => None,
        };
        let cache = own.as_ref().unwrap_or(cache);
        Initiating { orthros: self, cache, keytab: &keytab, client, login }.credential()
    }

    fn by_password(
        &self,
        store: &CredentialStore,
        client: Option<&Principal>,
        password: &[u8],
        login: Login,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let client =
            client.ok_or_else(|| NoCredential::None("a password needs the name of its user".into()))?;
        let password = orthros_crypto::Password::copy_of(password);
        let acquire = self.acquire(&client.to_string()).password(password);
        let acquire = match store.lifetime_seconds {
            Some(seconds) => acquire.lifetime_seconds(seconds.into()),
            None => acquire,
        };
        let acquire = match &store.verify {
            None => acquire,
            Some(Place::Given(keytab)) => acquire.verify(keytab),
            Some(Place::Named(KeytabName::File(path))) if path.as_os_str().is_empty() => {
                acquire.verify(&*self.read_keytab(self.default_keytab())?)
            }
            Some(Place::Named(name)) => acquire.verify(&*self.read_keytab(name)?),
        };
        match &store.cache {
            _ if login == Login::Deferred => acquire.deferred(),
            Some(Place::Named(cache)) => acquire.blocking_into(cache),
            Some(Place::Given(_)) | None => acquire.blocking(),
        }
    }

    /// The credential of a cache that came as octets.
    fn of_cache(
        &self,
        cache: &CredentialCache,
        client: Option<&Principal>,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let owner = cache.primary();
        if let Some(client) = client.filter(|client| *client != owner) {
            let report = format!("the credential cache belongs to {owner}, not to {client}");
            return Err(NoCredential::None(report).into());
        }
        let offset = cache.time_offset().filter(|_| self.config().kdc_timesync);
        let offset = offset.map_or(0, |offset| offset.seconds.into());
        Ok(Arc::new(InitiatorCredential::of_cache(cache, offset)))
    }

    fn accepting(&self, store: &CredentialStore, name: Option<&Name>) -> Result<AcceptorCredential, Error> {
        let credential = match &store.keytab {
            None => self.acceptor_from(self.default_keytab(), name)?,
            Some(Place::Named(keytab)) => self.acceptor_from(keytab, name)?,
            Some(Place::Given(keytab)) => {
                let has_keys = |principal: &Principal| keytab.keys_for(principal).next().is_some();
                let scope = self.scope_of(name, has_keys)?;
                if !keytab.entries().any(|entry| scope.contains(entry.principal())) {
                    return Err(NoCredential::None(format!("the keytab has no key for {scope}")).into());
                }
                AcceptorCredential::within(Arc::<orthros_krb5::Keytab>::clone(keytab), scope)
            }
        };
        Ok(match &store.replay_cache {
            Some(replay_cache) => credential.with_replay_cache(replay_cache),
            None => credential,
        })
    }

    /// Puts a credential's tickets into a cache (`gss_store_cred_into`, RFC 5588 §3): the one that is named, or the
    /// default one if `as_default` says so.
    ///
    /// ```
    /// use orthros::credentials::Storing;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let realm = orthros_kdc::Realm::builder("TEST").principal("alice", "pw");
    /// # let kdc = orthros_kdc::Listener::start(realm.build(&orthros::random::SystemRandom)?)?;
    /// # let config = orthros::Config::for_realm("TEST", &[&kdc.address().to_string()])?;
    /// # let orthros = orthros::Orthros::builder().config(config).build();
    /// let alice = orthros.acquire("alice").password("pw").blocking()?;
    /// let stored = orthros.store_credential(&alice, &Storing { as_default: true, ..Storing::default() })?;
    /// assert_eq!(&stored, orthros.default_cache());
    /// assert_eq!(orthros.default_credential()?.client(), alice.client());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Misuse::NowhereToStore`]; [`Misuse::DuplicateElement`] if the cache holds a credential that has not ended
    /// and `overwrite` does not allow to replace it; [`NoCredential::Expired`] if the new one has; [`StoreError`].
    pub fn store_credential(
        &self,
        credential: &InitiatorCredential,
        storing: &Storing,
    ) -> Result<CacheName, Error> {
        let now = self.env().now();
        let cache = match &storing.cache {
            Some(cache) => cache,
            None if storing.as_default => self.default_cache(),
            None => return Err(Misuse::NowhereToStore.into()),
        };
        if credential.lifetime(now) == Lifetime::Expired || credential.end().is_none() {
            let client = credential.client().clone();
            return Err(match credential.end() {
                Some(ended) => NoCredential::Expired { client, ended },
                None => NoCredential::None(format!("the credential of {client} holds no ticket")),
            }
            .into());
        }
        let living = |there: &InitiatorCredential| there.lifetime(now) != Lifetime::Expired;
        if !storing.overwrite && self.credential_from_store(cache).is_ok_and(|there| living(&there)) {
            return Err(Misuse::DuplicateElement.into());
        }
        self.write_cache(cache, cache_of(credential))?;
        Ok(cache.clone())
    }

    /// Seals a credential for other processes of this user, until it ends, on this boot of this machine (see
    /// [`orthros_gss::transfer::export_credential`]). The credential goes on here; the token can be imported any number of times,
    /// and whoever has it has the tickets.
    ///
    /// # Errors
    /// As [`orthros_gss::transfer::export_credential`], and [`Error::Transfer`] if there is no place for a key.
    pub fn export_credential(&self, credential: &InitiatorCredential) -> Result<Vec<u8>, Error> {
        self.export_credential_under(credential, self.transfer_policy()?)
    }

    /// Opens a sealed credential. What contexts fetch with it stays in memory.
    ///
    /// # Errors
    /// [`Error::Transfer`] says why not.
    pub fn import_credential(&self, token: &[u8]) -> Result<Arc<InitiatorCredential>, Error> {
        self.import_credential_under(token, self.transfer_policy()?)
    }

    /// The name, and for a user's number the name of that user, which the system is asked for.
    ///
    /// # Errors
    /// [`BadName::Uid`] if there is no such user, [`BadName::Malformed`] if the system cannot say.
    pub fn resolve_name(&self, name: &Name) -> Result<Name, Error> {
        let Name::Uid(uid) = *name else { return Ok(name.clone()) };
        match users::by_id(uid).map(|user| user.map(|user| user.name)) {
            Ok(Some(name)) => Ok(Name::user(name)),
            Ok(None) => Err(BadName::Uid(uid).into()),
            Err(error) => Err(BadName::Malformed(format!("the user {uid}: {error}")).into()),
        }
    }

    /// The same for the name of a service to be talked to or told: one without a host is the one on this machine.
    ///
    /// ```
    /// use orthros::{Name, Orthros};
    /// let service = Name::HostbasedService { service: "host".into(), host: None };
    /// let named = Orthros::builder().build().resolve_service(&service)?;
    /// assert!(matches!(named, Name::HostbasedService { host: Some(_), .. }));
    /// # Ok::<(), orthros::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`resolve_name`](Self::resolve_name).
    pub fn resolve_service(&self, name: &Name) -> Result<Name, Error> {
        match name {
            Name::HostbasedService { service, host: None } => {
                let here = rustix::system::uname();
                Ok(Name::hostbased_service(service, here.nodename().to_string_lossy()))
            }
            other => self.resolve_name(other),
        }
    }

    /// The principal of a service, its host's name made canonical as the configuration says, by DNS also (which waits
    /// for name servers).
    ///
    /// # Errors
    /// [`BadName`].
    pub fn canonical_service(&self, name: &Name) -> Result<Principal, Error> {
        self.acceptor_principal(&self.resolve_service(name)?, None, |_| false)
    }

    /// The name as Kerberos has it (`gss_canonicalize_name`). As [`canonical_service`](Self::canonical_service), but a
    /// service whose host's realm the configuration does not know has an empty realm: which one it is in, its KDC tells
    /// when a ticket is asked for (RFC 6806 §8). Whatever takes the name fills in the client's realm or the default realm
    /// first.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn mechanism_name(&self, name: &Name) -> Result<Principal, Error> {
        match name {
            Name::Principal(principal) => Ok(principal.clone()),
            Name::HostbasedService { .. } => {
                self.acceptor_principal(&self.resolve_service(name)?, Some(""), |_| false)
            }
            other => self.canonical_service(other),
        }
    }

    /// The principal that initiates under a name.
    fn client(&self, name: &Name) -> Result<Principal, Error> {
        Ok(self.resolve_name(name)?.to_principal(self.config(), None)?)
    }
}

/// Where and how a credential is stored (RFC 5588 §3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storing {
    /// The credential cache.
    pub cache: Option<CacheName>,
    /// Replaces a credential that has not ended.
    pub overwrite: bool,
    /// Where no cache is named: stores into the default one.
    pub as_default: bool,
}

/// A cache of a credential's tickets.
pub fn cache_of(credential: &InitiatorCredential) -> CredentialCache {
    let mut cache = credential.to_cache();
    let offset = i32::try_from(credential.offset_seconds()).ok().filter(|seconds| *seconds != 0);
    cache.set_time_offset(offset.map(|seconds| TimeOffset { seconds, microseconds: 0 }));
    cache
}
