//! Credential caches and keytabs: by name, in files and in memory.
//!
//! | file | what it does |
//! |---|---|
//! | [`name`] | `FILE:/path`, `DIR:/folder`, `MEMORY:name` |
//! | `file` | reading and writing files safely, beside other programs that do |
//! | `directory` | the folder of a `DIR` cache |
//! | `snapshot` | parsed contents, kept while their file stays the same |
//! | `cache` | what [`Orthros`](crate::Orthros) does with credential caches |
//! | `collection` | caches of several clients side by side |
//! | `keytab` | what it does with keytabs |
//! | [`foreign`] | caches and keytabs of another library in this process |
//!
//! Deliberately not here yet: `KEYRING` and `KCM` caches. Their names are understood, and using them
//! says so, unless another library of the process has them.

mod cache;
mod collection;
mod directory;
pub(crate) mod file;
pub mod foreign;
mod keytab;
pub mod name;
pub(crate) mod snapshot;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orthros_gss::InitiatorCredential;
use orthros_gss::error::NoCredential;
use orthros_krb5::ccache::BadCache;
use orthros_krb5::keytab::BadKeytab;
use orthros_krb5::{CredentialCache, Keytab};

use foreign::ForeignStores;
pub(crate) use keytab::{Keys, KeytabKeys};
pub use name::{CacheName, KeytabName};
use snapshot::Snapshots;

/// What went wrong with a cache or keytab, and with which.
#[derive(Debug)]
pub struct StoreError {
    /// The store's name.
    pub store: String,
    /// What went wrong.
    pub fault: StoreFault,
}

/// What went wrong with a cache or keytab.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreFault {
    /// A cache of its type has none beside it.
    Alone,
    /// The content is no credential cache.
    Cache(BadCache),
    /// The name of a file in the folder of a `DIR` cache does not begin with `tkt`.
    DirName,
    /// The other library that keeps it says so.
    Foreign(String),
    /// The operating system says so.
    Io(io::Error),
    /// The content is no keytab.
    Keytab(BadKeytab),
    /// There is none of this name.
    Missing,
    /// It is not a regular file.
    NotAFile,
    /// The file `primary` in the folder of a `DIR` cache names no cache.
    Primary,
    /// Others change its file so often that it can't be changed here.
    Restless,
    /// It is larger than any that is read.
    TooLarge,
    /// Stores of this type are not supported.
    Type,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.store)?;
        match &self.fault {
            StoreFault::Alone => f.write_str("only a DIR cache has others beside it to switch to"),
            StoreFault::Cache(error) => error.fmt(f),
            StoreFault::DirName => {
                f.write_str("the name of a cache file in the folder of a DIR cache begins with tkt")
            }
            StoreFault::Foreign(report) => f.write_str(report),
            StoreFault::Io(error) => error.fmt(f),
            StoreFault::Keytab(error) => error.fmt(f),
            StoreFault::Missing => f.write_str("there is no such cache or keytab"),
            StoreFault::NotAFile => f.write_str("not a regular file"),
            StoreFault::Primary => f.write_str(
                "the file primary in this folder names no cache: switch to one that is there with kswitch",
            ),
            StoreFault::Restless => f.write_str("the file is being replaced again and again: try later"),
            StoreFault::TooLarge => write!(f, "larger than {} octets", file::LARGEST),
            StoreFault::Type => f.write_str("this type is not supported here: use FILE, DIR or MEMORY"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for orthros_gss::Error {
    fn from(error: StoreError) -> Self {
        NoCredential::None(error.to_string()).into()
    }
}

/// A credential cache as it was read, and its tickets as a credential, with whatever has been derived from
/// their keys.
pub(crate) struct CacheSnapshot {
    pub(crate) cache: CredentialCache,
    pub(crate) credential: Arc<InitiatorCredential>,
}

/// All stores of one [`Orthros`](crate::Orthros).
#[derive(Default)]
pub(crate) struct Stores {
    caches: Snapshots<CacheSnapshot>,
    keytabs: Snapshots<Keytab>,
    memory: Arc<Memory>,
}

/// What lies in memory only.
#[derive(Default)]
struct Memory {
    caches: Mutex<HashMap<String, Arc<CacheSnapshot>>>,
    keytabs: Mutex<HashMap<String, Arc<Keytab>>>,
    foreign: Option<Arc<dyn ForeignStores>>,
}

impl Stores {
    /// No stores in memory yet, beside those of another library.
    pub(crate) fn beside(foreign: Option<Arc<dyn ForeignStores>>) -> Self {
        Self { memory: Arc::new(Memory { foreign, ..Memory::default() }), ..Self::default() }
    }

    /// The same stores for another thread, which reads files by itself.
    pub(crate) fn apart(&self) -> Self {
        Self { memory: Arc::clone(&self.memory), ..Self::default() }
    }

    /// The stores of the other library, if it is there.
    fn foreign(&self) -> Option<&dyn ForeignStores> {
        self.memory.foreign.as_deref().filter(|foreign| foreign.are_there())
    }
}

fn locked<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    // Tables are changed by single calls: they are whole even after a panic.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
