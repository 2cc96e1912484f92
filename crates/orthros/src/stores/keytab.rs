//! What [`Orthros`] does with keytabs.

use std::sync::Arc;

use orthros_crypto::{Enctype, LongTermKey};
use orthros_krb5::ap::AcceptorKeys;
use orthros_krb5::keytab::KeytabEntry;
use orthros_krb5::{Keytab, Principal};

use super::foreign::ForeignKeytab;
use super::{KeytabName, StoreError, StoreFault, Stores, file, locked};
use crate::Orthros;
use crate::trace::Event;

impl KeytabName {
    fn fails(&self, fault: StoreFault) -> StoreError {
        StoreError { store: self.to_string(), fault }
    }
}

/// The keys that a name stands for.
pub(crate) enum Keys {
    /// All of them.
    Listed(Arc<Keytab>),
    /// They are told one by one, when they are asked for.
    Asked(Arc<dyn AcceptorKeys + Send + Sync>),
}

impl Stores {
    /// The content of a keytab that can be listed.
    pub(crate) fn keytab(&self, name: &KeytabName) -> Result<Arc<Keytab>, StoreError> {
        match self.keys(name)? {
            Keys::Listed(keytab) => Ok(keytab),
            Keys::Asked(_) => {
                Err(name
                    .fails(StoreFault::Foreign("this keytab can't be listed, only asked for a key".into())))
            }
        }
    }

    pub(crate) fn keys(&self, name: &KeytabName) -> Result<Keys, StoreError> {
        let foreign = match name {
            KeytabName::Memory(key) if locked(&self.memory.keytabs).contains_key(key) => None,
            KeytabName::Memory(_) | KeytabName::Unsupported(_) => self.foreign(),
            KeytabName::File(_) => None,
        };
        if let Some(foreign) = foreign {
            return match foreign.keytab(&name.to_string()) {
                Ok(ForeignKeytab::Listed(keytab)) => Ok(Keys::Listed(Arc::new(keytab))),
                Ok(ForeignKeytab::Asked(keys)) => Ok(Keys::Asked(keys)),
                Err(report) => Err(name.fails(StoreFault::Foreign(report))),
            };
        }
        match name {
            KeytabName::File(path) => {
                self.keytabs.read(path, |octets| Keytab::parse(octets).map_err(StoreFault::Keytab))
            }
            KeytabName::Memory(key) => {
                locked(&self.memory.keytabs).get(key).cloned().ok_or(StoreFault::Missing)
            }
            KeytabName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map(Keys::Listed)
        .map_err(|fault| name.fails(fault))
    }
}

impl Orthros {
    /// The content of a keytab, parsed once for each content.
    ///
    /// # Errors
    /// [`StoreError`] names the keytab and what is wrong with it.
    pub fn read_keytab(&self, name: &KeytabName) -> Result<Arc<Keytab>, StoreError> {
        let read = self.stores().keytab(name);
        let found = read.as_ref().map(|keytab| keytab.entries().count());
        self.tell(Event::Keytab { name, found });
        read
    }

    /// Adds keys to a keytab, those that it has not yet; how many those were. A keytab that is not there is made.
    ///
    /// The file is changed in place, under a lock, as MIT krb5 and Heimdal do it: whatever other programs add
    /// at the same time stays, and no reader that locks sees half a key.
    ///
    /// # Errors
    /// [`StoreError`]; on a full disk, some of the keys may have been added. [`BadKeytab::Conflict`](orthros_krb5::keytab::BadKeytab::Conflict)
    /// if it has another key of the same principal, version and enctype.
    pub fn add_to_keytab(&self, name: &KeytabName, added: &Keytab) -> Result<usize, StoreError> {
        let stores = self.stores();
        match name {
            KeytabName::File(path) => {
                let patches = |file: &[u8]| Keytab::patches_to_add(file, added).map_err(StoreFault::Keytab);
                let count = file::make(path, &Keytab::HEADER).and_then(|()| file::patch(path, patches));
                stores.keytabs.forget(path);
                count
            }
            KeytabName::Memory(key) => {
                let mut table = locked(&stores.memory.keytabs);
                let keytab = table.entry(key.clone()).or_default();
                Arc::make_mut(keytab).merge(added).map_err(StoreFault::Keytab)
            }
            KeytabName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
    }

    /// Takes keys out of a keytab and wipes them: those for which `unwanted` says so, which is told the whole
    /// keytab too. How many those were. The file is changed in place, under a lock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn remove_from_keytab(
        &self,
        name: &KeytabName,
        mut unwanted: impl FnMut(&Keytab, &KeytabEntry) -> bool,
    ) -> Result<usize, StoreError> {
        let stores = self.stores();
        match name {
            KeytabName::File(path) => {
                let patches =
                    |file: &[u8]| Keytab::patches_to_remove(file, unwanted).map_err(StoreFault::Keytab);
                let count = file::patch(path, patches);
                stores.keytabs.forget(path);
                count
            }
            KeytabName::Memory(key) => {
                let mut table = locked(&stores.memory.keytabs);
                let keytab = table.get_mut(key).ok_or(StoreFault::Missing);
                keytab.map(|keytab| {
                    let before = Arc::clone(keytab);
                    Arc::make_mut(keytab).remove(|entry| unwanted(&before, entry))
                })
            }
            KeytabName::Unsupported(_) => Err(StoreFault::Type),
        }
        .map_err(|fault| name.fails(fault))
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
                locked(&stores.memory.keytabs).insert(key.clone(), Arc::new(keytab));
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
        let found = AcceptorKeys::find(&*keytab, server, enctype, kvno)
            .map_err(|instead| format!("{}: {instead}", self.name));
        let told = found.as_ref().map(|(_, owner)| owner).map_err(String::as_str);
        self.orthros.tell(Event::Key { keytab: &self.name, server, enctype, kvno, found: told });
        found
    }

    fn first(&self) -> Option<Principal> {
        self.orthros.stores().keytab(&self.name).ok()?.first()
    }

    fn apart(&self) -> Option<Arc<dyn AcceptorKeys + Send + Sync>> {
        Some(Arc::new(Self { orthros: self.orthros.apart(), name: self.name.clone() }))
    }
}
