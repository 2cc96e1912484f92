//! Caches and keytabs that another library of this process keeps.
//!
//! A C program may share its process with another Kerberos library, and hand over names that mean something there only:
//! a cache in that library's memory, a type that it alone knows. Who makes an [`Orthros`](crate::Orthros) for such a
//! process says here how those are read and written.

use std::sync::Arc;

use orthros_krb5::ap::AcceptorKeys;
use orthros_krb5::{Credential, CredentialCache, Keytab};
use orthros_wire::SecretBytes;

/// The stores of another library: those in its memory, and those of types that are not known here. Errors are
/// sentences for people.
pub trait ForeignStores: Send + Sync {
    /// Whether the library is in this process now.
    fn are_there(&self) -> bool;

    /// A cache as a file of version 4 would have it; `None` if there is none of this name.
    ///
    /// # Errors
    /// Why it can't be read.
    fn read_cache(&self, name: &str) -> Result<Option<SecretBytes>, String>;

    /// Makes a cache with this content, in the place of what was there.
    ///
    /// # Errors
    /// Why not.
    fn write_cache(&self, name: &str, content: &CredentialCache) -> Result<(), String>;

    /// Adds a ticket to a cache that is there.
    ///
    /// # Errors
    /// Why not.
    fn add_ticket(&self, name: &str, ticket: &Credential) -> Result<(), String>;

    /// Takes a cache away; whether there was one.
    ///
    /// # Errors
    /// Why not.
    fn destroy_cache(&self, name: &str) -> Result<bool, String>;

    /// A keytab.
    ///
    /// # Errors
    /// Why there is none.
    fn keytab(&self, name: &str) -> Result<ForeignKeytab, String>;
}

/// A keytab of another library.
pub enum ForeignKeytab {
    /// All that is in it.
    Listed(Keytab),
    /// It says what it has only when it is asked for one key.
    Asked(Arc<dyn AcceptorKeys + Send + Sync>),
}
