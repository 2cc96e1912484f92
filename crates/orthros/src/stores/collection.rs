//! Caches of several clients side by side: which there are, whose they are, and which one is in use.

use std::path::PathBuf;

use orthros_krb5::Principal;

use super::{CacheName, StoreError, StoreFault, Stores, directory, locked};
use crate::Orthros;

impl Stores {
    /// The caches of the collection that `name` belongs to: of a folder all, the one in use first; of memory all,
    /// `name` first; a file stands for itself, if it is there.
    fn collection(&self, name: &CacheName) -> Result<Vec<CacheName>, StoreError> {
        match name {
            CacheName::Directory(folder) => directory::list(folder).map(in_folders),
            CacheName::DirectoryFile(path) => Ok(if path.exists() { vec![name.clone()] } else { Vec::new() }),
            CacheName::File(path) => Ok(if path.exists() { vec![name.clone()] } else { Vec::new() }),
            CacheName::Memory(first) => {
                let mut keys: Vec<String> = locked(&self.memory.caches).keys().cloned().collect();
                keys.sort_by_key(|key| (key != first, key.clone()));
                Ok(keys.into_iter().map(CacheName::Memory).collect())
            }
            CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }
}

fn in_folders(paths: Vec<PathBuf>) -> Vec<CacheName> {
    paths.into_iter().map(CacheName::DirectoryFile).collect()
}

impl Orthros {
    /// The credential caches that there are beside the default one, and that one first: of a `DIR` cache the files
    /// of its folder, of a `MEMORY` cache all that this object has. A `FILE` cache stands alone.
    ///
    /// ```
    /// use orthros::{CacheName, Orthros};
    /// use orthros_krb5::CredentialCache;
    /// let orthros = Orthros::builder().default_cache(CacheName::from("MEMORY:a")).build();
    /// for (name, client) in [("MEMORY:a", "alice@A"), ("MEMORY:b", "bob@B")] {
    ///     orthros.write_cache(&name.into(), CredentialCache::new(client.parse()?))?;
    /// }
    /// assert_eq!(orthros.caches()?, ["MEMORY:a".into(), "MEMORY:b".into()]);
    /// assert_eq!(orthros.cache_for(&"bob@B".parse()?)?, Some("MEMORY:b".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the folder can't be read.
    pub fn caches(&self) -> Result<Vec<CacheName>, StoreError> {
        self.caches_beside(self.default_cache())
    }

    /// As [`caches`](Self::caches), of another cache than the default one.
    ///
    /// # Errors
    /// As [`caches`](Self::caches).
    pub fn caches_beside(&self, name: &CacheName) -> Result<Vec<CacheName>, StoreError> {
        self.stores().collection(name)
    }

    /// The cache of this client, if there is one. What can't be read is passed over.
    ///
    /// # Errors
    /// As [`caches`](Self::caches).
    pub fn cache_for(&self, client: &Principal) -> Result<Option<CacheName>, StoreError> {
        self.cache_beside(self.default_cache(), client)
    }

    /// As [`cache_for`](Self::cache_for), beside another cache than the default one.
    pub(crate) fn cache_beside(
        &self,
        name: &CacheName,
        client: &Principal,
    ) -> Result<Option<CacheName>, StoreError> {
        let belongs = |name: &CacheName| self.read_cache(name).is_ok_and(|cache| cache.primary() == client);
        Ok(self.caches_beside(name)?.into_iter().find(belongs))
    }

    /// The cache into which new tickets of this client go: its own; the default one if that is not used yet or
    /// has no others beside it; else a new one.
    ///
    /// # Errors
    /// As [`caches`](Self::caches).
    pub fn cache_to_fill(&self, client: &Principal) -> Result<CacheName, StoreError> {
        let default = self.default_cache();
        let CacheName::Directory(folder) = default else { return Ok(default.clone()) };
        if let Some(own) = self.cache_for(client)? {
            return Ok(own);
        }
        match self.read_cache(default) {
            Err(StoreError { fault: StoreFault::Missing, .. }) => {
                let primary = directory::primary(folder).map_err(|fault| default.fails(fault))?;
                Ok(CacheName::DirectoryFile(primary))
            }
            _ => Ok(CacheName::DirectoryFile(directory::fresh(folder))),
        }
    }

    /// Makes a cache of a folder (`DIR::folder/tktNAME`) the one in use.
    ///
    /// # Errors
    /// [`StoreFault::Alone`] for caches of other types, which have none beside them to switch from;
    /// [`StoreFault::Missing`].
    pub fn switch_cache(&self, name: &CacheName) -> Result<(), StoreError> {
        match name {
            CacheName::DirectoryFile(path) if !path.exists() => Err(StoreFault::Missing),
            CacheName::DirectoryFile(path) => directory::set_primary(path),
            // It names the one in use.
            CacheName::Directory(_) => Ok(()),
            CacheName::File(_) | CacheName::Memory(_) => Err(StoreFault::Alone),
            CacheName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    /// Wipes and takes away all caches that [`caches`](Self::caches) names; how many those were.
    ///
    /// # Errors
    /// [`StoreError`] of the first that can't be taken away; the others are gone then.
    pub fn destroy_caches(&self) -> Result<usize, StoreError> {
        let mut count = 0;
        let mut failed = None;
        for name in self.caches()? {
            match self.destroy_cache(&name) {
                Ok(was_there) => count += usize::from(was_there),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(count), Err)
    }
}
