//! What [`Orthros`] does with credential caches.

use std::borrow::Cow;
use std::sync::Arc;

use orthros_gss::InitiatorCredential;
use orthros_krb5::{Credential, CredentialCache};

use super::{CacheName, CacheSnapshot, StoreError, StoreFault, Stores, directory, file, locked};
use crate::Orthros;

impl CacheName {
    pub(super) fn fails(&self, fault: StoreFault) -> StoreError {
        StoreError { store: self.to_string(), fault }
    }

    /// The one cache that is meant now: a folder's name means the one that is in use.
    fn settled(&self) -> Result<Cow<'_, Self>, StoreError> {
        match self {
            Self::Directory(folder) => directory::primary(folder).map(Self::DirectoryFile).map(Cow::Owned),
            Self::DirectoryFile(path) => directory::check(path).map(|_| Cow::Borrowed(self)),
            Self::File(_) | Self::Memory(_) => Ok(Cow::Borrowed(self)),
            Self::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| self.fails(fault))
    }
}

impl Stores {
    /// The content of a cache, and its tickets as a credential.
    pub(crate) fn cache(&self, name: &CacheName, timesync: bool) -> Result<Arc<CacheSnapshot>, StoreError> {
        let name = &*name.settled()?;
        match name {
            CacheName::File(path) | CacheName::DirectoryFile(path) => self.caches.read(path, |octets| {
                let cache = CredentialCache::parse(octets).map_err(StoreFault::Cache)?;
                Ok(snapshot(cache, name, timesync))
            }),
            CacheName::Memory(key) => {
                locked(&self.memory_caches).get(key).cloned().ok_or(StoreFault::Missing)
            }
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    fn write_cache(
        &self,
        name: &CacheName,
        cache: CredentialCache,
        timesync: bool,
    ) -> Result<(), StoreError> {
        let name = &*name.settled()?;
        match name {
            CacheName::DirectoryFile(path) => {
                self.caches.forget(path);
                directory::make_folder_of(path)
                    .and_then(|()| file::replace(path, cache.to_octets().expose_octets()))
            }
            CacheName::File(path) => {
                self.caches.forget(path);
                file::replace(path, cache.to_octets().expose_octets())
            }
            CacheName::Memory(key) => {
                let snapshot = Arc::new(snapshot(cache, name, timesync));
                locked(&self.memory_caches).insert(key.clone(), snapshot);
                Ok(())
            }
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    /// Adds a ticket to a cache that is there already.
    pub(crate) fn add_ticket(&self, name: &CacheName, ticket: &Credential) -> Result<(), StoreError> {
        let name = &*name.settled()?;
        match name {
            CacheName::File(path) | CacheName::DirectoryFile(path) => file::append(path, |beginning| {
                CredentialCache::credential_octets_for(beginning, ticket).map_err(StoreFault::Cache)
            }),
            // The credential that a memory cache handed out holds the ticket already.
            CacheName::Memory(_) => Ok(()),
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    fn destroy_cache(&self, name: &CacheName) -> Result<bool, StoreError> {
        let name = &*name.settled()?;
        match name {
            CacheName::File(path) | CacheName::DirectoryFile(path) => {
                self.caches.forget(path);
                file::destroy(path)
            }
            CacheName::Memory(key) => Ok(locked(&self.memory_caches).remove(key).is_some()),
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }
}

fn snapshot(cache: CredentialCache, name: &CacheName, timesync: bool) -> CacheSnapshot {
    let offset = cache.time_offset().filter(|_| timesync).map_or(0, |offset| offset.seconds.into());
    let tickets = cache.credentials().filter(|ticket| ticket.client == *cache.primary()).cloned().collect();
    let credential =
        InitiatorCredential::new(cache.primary().clone(), tickets, offset).with_origin(name.to_string());
    CacheSnapshot { cache, credential: Arc::new(credential) }
}

impl Orthros {
    /// The content of a credential cache. Tickets that contexts have fetched into a memory cache are in it.
    ///
    /// # Errors
    /// [`StoreError`] names the cache and what is wrong with it.
    pub fn read_cache(&self, name: &CacheName) -> Result<CredentialCache, StoreError> {
        let snapshot = self.stores().cache(name, self.config().kdc_timesync)?;
        let mut cache = snapshot.cache.clone();
        if matches!(name, CacheName::Memory(_)) {
            cache.remove(|_| true);
            snapshot.credential.tickets().into_iter().for_each(|ticket| cache.add(ticket));
        }
        Ok(cache)
    }

    /// Makes a credential cache with this content, in the place of what was there.
    ///
    /// # Errors
    /// [`StoreError`]; the old content is still there then.
    pub fn write_cache(&self, name: &CacheName, cache: CredentialCache) -> Result<(), StoreError> {
        self.stores().write_cache(name, cache, self.config().kdc_timesync)
    }

    /// Wipes a credential cache and takes it away; whether there was one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn destroy_cache(&self, name: &CacheName) -> Result<bool, StoreError> {
        self.stores().destroy_cache(name)
    }
}
