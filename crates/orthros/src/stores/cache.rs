//! What [`Orthros`] does with credential caches.

use std::borrow::Cow;
use std::sync::Arc;

use orthros_gss::InitiatorCredential;
use orthros_krb5::{Credential, CredentialCache};

use super::foreign::ForeignStores;
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
            Self::File(_) | Self::Memory(_) | Self::Unsupported(_) => Ok(Cow::Borrowed(self)),
        }
        .map_err(|fault| self.fails(fault))
    }
}

impl Stores {
    /// The content of a cache, and its tickets as a credential.
    pub(crate) fn cache(&self, name: &CacheName, timesync: bool) -> Result<Arc<CacheSnapshot>, StoreError> {
        let name = &*name.settled()?;
        if let Some(foreign) = self.foreign_for(name) {
            return foreign_cache(foreign, name, timesync).map_err(|fault| name.fails(fault));
        }
        match name {
            CacheName::File(path) | CacheName::DirectoryFile(path) => self.caches.read(path, |octets| {
                let cache = CredentialCache::parse(octets).map_err(StoreFault::Cache)?;
                Ok(snapshot(cache, name, timesync))
            }),
            CacheName::Memory(key) => {
                locked(&self.memory.caches).get(key).cloned().ok_or(StoreFault::Missing)
            }
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    /// The other library, if it is the one that has caches of this name. What is in the memory of this object stays
    /// there.
    fn foreign_for(&self, name: &CacheName) -> Option<&dyn ForeignStores> {
        match name {
            CacheName::Memory(key) if locked(&self.memory.caches).contains_key(key) => None,
            CacheName::Memory(_) | CacheName::Unsupported(_) => self.foreign(),
            CacheName::Directory(_) | CacheName::DirectoryFile(_) | CacheName::File(_) => None,
        }
    }

    /// Makes a cache in the memory of this object.
    pub(crate) fn keep_in_memory(
        &self,
        key: &str,
        cache: CredentialCache,
        timesync: bool,
    ) -> Arc<CacheSnapshot> {
        let snapshot = Arc::new(snapshot(cache, &CacheName::Memory(key.to_owned()), timesync));
        locked(&self.memory.caches).insert(key.to_owned(), Arc::clone(&snapshot));
        snapshot
    }

    fn write_cache(
        &self,
        name: &CacheName,
        cache: CredentialCache,
        timesync: bool,
    ) -> Result<(), StoreError> {
        let name = &*name.settled()?;
        if let Some(foreign) = self.foreign_for(name) {
            let written = foreign.write_cache(&name.to_string(), &cache);
            return written.map_err(|report| name.fails(StoreFault::Foreign(report)));
        }
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
                self.keep_in_memory(key, cache, timesync);
                Ok(())
            }
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    /// Adds a ticket to a cache that is there already.
    pub(crate) fn add_ticket(&self, name: &CacheName, ticket: &Credential) -> Result<(), StoreError> {
        let name = &*name.settled()?;
        if let Some(foreign) = self.foreign_for(name) {
            let added = foreign.add_ticket(&name.to_string(), ticket);
            return added.map_err(|report| name.fails(StoreFault::Foreign(report)));
        }
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
        if let Some(foreign) = self.foreign_for(name) {
            let destroyed = foreign.destroy_cache(&name.to_string());
            return destroyed.map_err(|report| name.fails(StoreFault::Foreign(report)));
        }
        match name {
            CacheName::File(path) | CacheName::DirectoryFile(path) => {
                self.caches.forget(path);
                file::destroy(path)
            }
            CacheName::Memory(key) => Ok(locked(&self.memory.caches).remove(key).is_some()),
            CacheName::Directory(_) | CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }
}

fn foreign_cache(
    foreign: &dyn ForeignStores,
    name: &CacheName,
    timesync: bool,
) -> Result<Arc<CacheSnapshot>, StoreFault> {
    let octets = foreign.read_cache(&name.to_string()).map_err(StoreFault::Foreign)?;
    let octets = octets.ok_or(StoreFault::Missing)?;
    let cache = CredentialCache::parse(octets.expose_octets()).map_err(StoreFault::Cache)?;
    Ok(Arc::new(snapshot(cache, name, timesync)))
}

fn snapshot(cache: CredentialCache, name: &CacheName, timesync: bool) -> CacheSnapshot {
    let offset = cache.time_offset().filter(|_| timesync).map_or(0, |offset| offset.seconds.into());
    let credential = InitiatorCredential::of_cache(&cache, offset).with_origin(name.to_string());
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
            snapshot.credential.to_cache().credentials().cloned().for_each(|ticket| cache.add(ticket));
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
