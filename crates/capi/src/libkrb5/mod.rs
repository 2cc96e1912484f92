//! The libkrb5 that shares the process with us, where a program has one: MIT krb5's, or Heimdal's.
//!
//! Some programs hand over objects of libkrb5, or names that mean something in its memory only: sshd a cache to be
//! filled, kadmin a cache in memory, kadmind a type of keytab that reads its database. Nothing here links to libkrb5: it
//! is looked up where it is mapped already, and programs without it never meet it.
//!
//! | file | what it holds |
//! |---|---|
//! | `symbols` | its functions, and its objects behind types that keep its rules |
//! | here | its stores, for [`Orthros`](orthros::Orthros); what is asked of objects that programs lend |

mod symbols;

use std::sync::Arc;

use orthros::stores::foreign::{ForeignKeytab, ForeignStores};
use orthros_crypto::{Enctype, LongTermKey};
use orthros_krb5::ap::AcceptorKeys;
use orthros_krb5::{Credential, CredentialCache, Keytab, Principal};
use orthros_wire::{SecretBytes, Timestamp};

pub(crate) use symbols::Maker;
use symbols::{Cache, FoundKey, Session};
pub use symbols::{LentCache, LentKeytab, LentPrincipal};

/// The stores of the libkrb5 in this process.
pub(crate) struct Stores;

impl ForeignStores for Stores {
    fn are_there(&self) -> bool {
        symbols::mapped().is_some()
    }

    fn read_cache(&self, name: &str) -> Result<Option<SecretBytes>, String> {
        let session = Session::begin()?;
        content(&session.cache(name)?)
    }

    fn write_cache(&self, name: &str, content: &CredentialCache) -> Result<(), String> {
        let session = Session::begin()?;
        let cache = session.cache(name)?;
        cache.initialize(content.primary())?;
        content.records().try_for_each(|record| cache.store(&record))
    }

    fn add_ticket(&self, name: &str, ticket: &Credential) -> Result<(), String> {
        let session = Session::begin()?;
        session.cache(name)?.store(&CredentialCache::append_credential_octets(ticket))
    }

    fn destroy_cache(&self, name: &str) -> Result<bool, String> {
        let session = Session::begin()?;
        let cache = session.cache(name)?;
        let was_there = cache.principal()?.is_some();
        cache.destroy()?;
        Ok(was_there)
    }

    fn keytab(&self, name: &str) -> Result<ForeignKeytab, String> {
        // libkrb5 ends the process if a type is to be listed that can't be; those of its own can.
        if !name.starts_with("MEMORY:") {
            return Ok(ForeignKeytab::Asked(Arc::new(Asked { keytab: name.to_owned() })));
        }
        let session = Session::begin()?;
        let mut keytab = Keytab::default();
        for FoundKey { principal, version, timestamp, key } in session.keytab(name)?.keys()? {
            if let Some(key) = key {
                let added = keytab.add(principal, version, key, Timestamp::from_seconds(timestamp.into()));
                added.map_err(|error| error.to_string())?;
            }
        }
        Ok(ForeignKeytab::Listed(keytab))
    }
}

/// A cache's content as a file of version 4; `None` if there is no such cache.
fn content(cache: &Cache<'_>) -> Result<Option<SecretBytes>, String> {
    let Some(principal) = cache.principal()? else { return Ok(None) };
    let mut octets = CredentialCache::new(principal).to_octets().expose_octets().to_vec();
    for record in cache.records()? {
        octets.extend_from_slice(record.expose_octets());
    }
    Ok(Some(SecretBytes::from(octets)))
}

/// A keytab that is asked for one key at a time.
struct Asked {
    keytab: String,
}

impl AcceptorKeys for Asked {
    fn find(
        &self,
        server: &Principal,
        enctype: Enctype,
        kvno: Option<u32>,
    ) -> Result<(Arc<LongTermKey>, Principal), String> {
        let session = Session::begin()?;
        let found = session.keytab(&self.keytab)?.key(server, kvno.unwrap_or(0), enctype);
        let found = found.map_err(|report| format!("{}: {report}", self.keytab))?;
        let key = found.key.filter(|key| key.enctype() == enctype);
        let key = key.ok_or_else(|| format!("{}: the key of {server} is not of {enctype}", self.keytab))?;
        Ok((Arc::new(key), found.principal))
    }
}

/// The name of a cache that a program lends.
pub(crate) fn name_of_cache(maker: Maker, cache: LentCache) -> Result<String, String> {
    Session::of(maker)?.lent_cache(cache).name()
}

/// The name of a keytab that a program lends.
pub(crate) fn name_of_keytab(maker: Maker, keytab: LentKeytab) -> Result<String, String> {
    Session::of(maker)?.name_of(keytab)
}

/// A principal that a program lends.
pub(crate) fn principal(maker: Maker, principal: LentPrincipal) -> Result<Principal, String> {
    Session::of(maker)?.principal(principal)
}

/// Adds what a cache holds to a cache that a program lends.
pub(crate) fn fill(maker: Maker, cache: LentCache, content: &CredentialCache) -> Result<(), String> {
    let session = Session::of(maker)?;
    let cache = session.lent_cache(cache);
    content.records().try_for_each(|record| cache.store(&record))
}
