//! Where credentials are taken from: the key/value pairs of `gss_acquire_cred_from`, and octets from memory.

use std::ffi::OsStr;
use std::fmt;
use std::sync::Arc;

use orthros_crypto::Password;
use orthros_krb5::ccache::BadCache;
use orthros_krb5::keytab::BadKeytab;
use orthros_krb5::{CredentialCache, Keytab};

use crate::replay;
use crate::stores::{CacheName, KeytabName};

/// Names the places that a credential is made of; what is not named is the default of the
/// [`Orthros`](crate::Orthros) that is asked. Cheap to clone.
///
/// | key | what it names |
/// |---|---|
/// | `ccache` | the credential cache of an initiator; with a password, where the ticket is put |
/// | `client_keytab` | the keytab that initiates where the cache does not |
/// | `keytab` | the keytab of an acceptor |
/// | `rcache` | the replay cache of an acceptor, such as `file2:/run/replay` |
/// | `password` | the password of an initiator, who must be named |
/// | `verify` | the keytab by which a ticket got by password is verified |
///
/// ```
/// use orthros::CredentialStore;
/// let store = CredentialStore::from_pairs([("ccache", "FILE:/run/app/cc"), ("client_keytab", "/etc/app.keytab")])?;
/// assert_eq!(store, CredentialStore::new().cache("/run/app/cc").client_keytab("FILE:/etc/app.keytab"));
/// assert!(CredentialStore::from_pairs([("ccahe", "FILE:/run/app/cc")]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct CredentialStore {
    pub(super) cache: Option<Place<CacheName, CredentialCache>>,
    pub(super) client_keytab: Option<Place<KeytabName, Keytab>>,
    pub(super) keytab: Option<Place<KeytabName, Keytab>>,
    pub(super) password: Option<Arc<Password>>,
    pub(super) lifetime_seconds: Option<u32>,
    pub(super) replay_cache: Option<String>,
    pub(super) verify: Option<Place<KeytabName, Keytab>>,
}

/// Something by its name, or itself.
#[derive(Clone)]
pub(super) enum Place<N, T> {
    Named(N),
    Given(Arc<T>),
}

/// Why pairs do not name a store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadStore {
    /// The key is not known; a misspelt one must not mean the default.
    Key(String),
    /// The replay cache's type is not known.
    ReplayCache(String),
    /// The key is given twice.
    Twice(String),
}

impl fmt::Display for BadStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(
                f,
                "{key:?} is no key of a credential store: there are ccache, client_keytab, keytab, password, rcache and verify"
            ),
            Self::ReplayCache(name) => {
                write!(
                    f,
                    "the replay cache {name:?} is of no known type: there are dfl:, file2:PATH and none:"
                )
            }
            Self::Twice(key) => write!(f, "the key {key} of the credential store is given twice"),
        }
    }
}

impl std::error::Error for BadStore {}

impl CredentialStore {
    /// Names nothing: all defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes pairs of keys and values.
    ///
    /// # Errors
    /// [`BadStore`] names the key.
    pub fn from_pairs<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, BadStore> {
        let mut store = Self::new();
        for (key, value) in pairs {
            let (taken, next) = match key {
                "ccache" => (store.cache.is_some(), store.cache(value)),
                "client_keytab" => (store.client_keytab.is_some(), store.client_keytab(value)),
                "keytab" => (store.keytab.is_some(), store.keytab(value)),
                "password" => (store.password.is_some(), store.password(value)),
                "rcache" => (store.replay_cache.is_some(), store.replay_cache(value)?),
                "verify" => (store.verify.is_some(), store.verify(value)),
                _ => return Err(BadStore::Key(key.to_owned())),
            };
            if taken {
                return Err(BadStore::Twice(key.to_owned()));
            }
            store = next;
        }
        Ok(store)
    }

    /// The credential cache of an initiator.
    pub fn cache(self, name: impl Into<CacheName>) -> Self {
        Self { cache: Some(Place::Named(name.into())), ..self }
    }

    /// A credential cache as octets; what is fetched stays in memory.
    ///
    /// # Errors
    /// [`BadCache`] says what is wrong with them.
    pub fn cache_octets(self, octets: &[u8]) -> Result<Self, BadCache> {
        Ok(Self { cache: Some(Place::Given(Arc::new(CredentialCache::parse(octets)?))), ..self })
    }

    /// The keytab that initiates where the cache does not.
    pub fn client_keytab(self, name: impl Into<KeytabName>) -> Self {
        Self { client_keytab: Some(Place::Named(name.into())), ..self }
    }

    /// That keytab as octets.
    ///
    /// # Errors
    /// [`BadKeytab`] says what is wrong with them.
    pub fn client_keytab_octets(self, octets: &[u8]) -> Result<Self, BadKeytab> {
        Ok(Self { client_keytab: Some(Place::Given(Arc::new(Keytab::parse(octets)?))), ..self })
    }

    /// The keytab of an acceptor.
    pub fn keytab(self, name: impl Into<KeytabName>) -> Self {
        Self { keytab: Some(Place::Named(name.into())), ..self }
    }

    /// That keytab as octets.
    ///
    /// # Errors
    /// [`BadKeytab`] says what is wrong with them.
    pub fn keytab_octets(self, octets: &[u8]) -> Result<Self, BadKeytab> {
        Ok(Self { keytab: Some(Place::Given(Arc::new(Keytab::parse(octets)?))), ..self })
    }

    /// The cache where the store names none.
    pub fn or_cache(self, name: Option<CacheName>) -> Self {
        match name {
            Some(name) if self.cache.is_none() => self.cache(name),
            _ => self,
        }
    }

    /// The acceptor's keytab where the store names none.
    pub fn or_keytab(self, name: Option<KeytabName>) -> Self {
        match name {
            Some(name) if self.keytab.is_none() => self.keytab(name),
            _ => self,
        }
    }

    /// The password of an initiator.
    pub fn password(self, password: impl Into<Password>) -> Self {
        Self { password: Some(Arc::new(password.into())), ..self }
    }

    /// For how many seconds a ticket is asked for that is got by password, in place of what is configured. What lies in
    /// a cache, or is got by a keytab for everybody, is as it is.
    pub fn lifetime_seconds(self, seconds: u32) -> Self {
        Self { lifetime_seconds: Some(seconds), ..self }
    }

    /// The keytab by whose keys a ticket got by password is [verified](crate::acquire::Acquire::verify); an empty
    /// name means the acceptors' default one.
    pub fn verify(self, name: impl Into<KeytabName>) -> Self {
        Self { verify: Some(Place::Named(name.into())), ..self }
    }

    /// The replay cache of an acceptor: `dfl:`, `file2:PATH` or `none:`.
    ///
    /// # Errors
    /// [`BadStore::ReplayCache`].
    pub fn replay_cache(self, name: &str) -> Result<Self, BadStore> {
        replay::CacheName::parse(OsStr::new(name)).map_err(|_| BadStore::ReplayCache(name.to_owned()))?;
        Ok(Self { replay_cache: Some(name.to_owned()), ..self })
    }
}

impl<N: PartialEq, T> PartialEq for Place<N, T> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(left), Self::Named(right)) => left == right,
            (Self::Given(left), Self::Given(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }
}

impl PartialEq for CredentialStore {
    /// Whether both name the same places. Contents and passwords are the same only if one is a clone of the
    /// other.
    fn eq(&self, other: &Self) -> bool {
        let passwords = match (&self.password, &other.password) {
            (None, None) => true,
            (Some(left), Some(right)) => Arc::ptr_eq(left, right),
            _ => false,
        };
        passwords
            && self.cache == other.cache
            && self.client_keytab == other.client_keytab
            && self.keytab == other.keytab
            && self.lifetime_seconds == other.lifetime_seconds
            && self.replay_cache == other.replay_cache
            && self.verify == other.verify
    }
}

impl<N: fmt::Display, T> fmt::Debug for Place<N, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => name.fmt(f),
            Self::Given(_) => f.write_str("(octets)"),
        }
    }
}

impl fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialStore")
            .field("cache", &self.cache)
            .field("client_keytab", &self.client_keytab)
            .field("keytab", &self.keytab)
            .field("password", &self.password.as_ref().map(|_| ".."))
            .field("lifetime_seconds", &self.lifetime_seconds)
            .field("replay_cache", &self.replay_cache)
            .field("verify", &self.verify)
            .finish()
    }
}
