//! What [`Orthros`] does with keytabs.

use std::sync::Arc;

use orthros_crypto::{Enctype, LongTermKey};
use orthros_krb5::ap::AcceptorKeys;
use orthros_krb5::{Keytab, Principal};

use super::{KeytabName, StoreError, StoreFault, Stores, file, locked};
use crate::Orthros;

impl KeytabName {
    fn fails(&self, fault: StoreFault) -> StoreError {
        StoreError { store: self.to_string(), fault }
    }
}

impl Stores {
    pub(crate) fn keytab(&self, name: &KeytabName) -> Result<Arc<Keytab>, StoreError> {
        match name {
            KeytabName::File(path) => {
                self.keytabs.read(path, |octets| Keytab::parse(octets).map_err(StoreFault::Keytab))
            }
            KeytabName::Memory(key) => {
                locked(&self.memory_keytabs).get(key).cloned().ok_or(StoreFault::Missing)
            }
            KeytabName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }
}

impl Orthros {
    /// The content of a keytab, parsed once for each content.
    ///
    /// # Errors
    /// [`StoreError`] names the keytab and what is wrong with it.
    pub fn read_keytab(&self, name: &KeytabName) -> Result<Arc<Keytab>, StoreError> {
        self.stores().keytab(name)
    }

    /// Makes a keytab with this content, in the place of what was there.
    ///
    /// # Errors
    /// [`StoreError`]; the old content is still there then.
    pub fn write_keytab(&self, name: &KeytabName, keytab: Keytab) -> Result<(), StoreError> {
        let stores = self.stores();
        match name {
            KeytabName::File(path) => {
                stores.keytabs.forget(path);
                file::replace(path, keytab.to_octets().expose_octets())
            }
            KeytabName::Memory(key) => {
                locked(&stores.memory_keytabs).insert(key.clone(), Arc::new(keytab));
                Ok(())
            }
            KeytabName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }
}

/// The keys of a keytab by name: each look takes the content that the keytab has then, so that a new key is
/// there without a restart.
pub(crate) struct KeytabKeys {
    pub(crate) orthros: Orthros,
    pub(crate) name: KeytabName,
}

impl AcceptorKeys for KeytabKeys {
    fn find(
        &self,
        server: &Principal,
        enctype: Enctype,
        kvno: Option<u32>,
    ) -> Result<(Arc<LongTermKey>, Principal), String> {
        let keytab = self.orthros.stores().keytab(&self.name).map_err(|error| error.to_string())?;
        AcceptorKeys::find(&*keytab, server, enctype, kvno).map_err(|found| format!("{}: {found}", self.name))
    }
}
