//! What outlives a process: ledgers and replay caches of each machine, credential caches, the keytab.
//!
//! The simulated ledger and replay cache keep exactly what the traits of `orthros` promise and forget the rest at the
//! first moment that they may; the real ones can stand in their places. A credential cache is written beside the old
//! one, which it then replaces at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orthros::ledger::{FileLedger, ID_LEN, Ledger, SpendRefusal};
use orthros::replay::{File2, ReplayCache, ReplayRefusal};
use orthros_krb5::Keytab;
use orthros_wire::Timestamp;
use tempfile::TempDir;

use crate::Planted;
use crate::plan::HOSTS;

/// The durable state of all machines.
pub(crate) struct Stores {
    planted: Option<Planted>,
    ledgers: [Arc<SimulatedLedger>; HOSTS],
    replays: [Arc<SimulatedReplay>; HOSTS],
    /// With real files instead.
    folder: Option<TempDir>,
    /// Credential caches, by who writes them.
    caches: BTreeMap<String, Vec<u8>>,
    keytab: Vec<u8>,
}

impl Stores {
    /// # Errors
    /// No folder can be made for the real files.
    pub(crate) fn new(real: bool, planted: Option<Planted>) -> std::io::Result<Self> {
        Ok(Self {
            planted,
            ledgers: Default::default(),
            replays: Default::default(),
            folder: real.then(TempDir::new).transpose()?,
            caches: BTreeMap::new(),
            keytab: Vec::new(),
        })
    }

    /// The machine's ledger, opened by a process that starts.
    pub(crate) fn ledger(&self, host: usize) -> Arc<dyn Ledger> {
        if let Some(folder) = &self.folder {
            return Arc::new(FileLedger::at(folder.path().join(format!("ledger{host}"))));
        }
        match self.ledgers.get(host) {
            Some(ledger) if self.planted != Some(Planted::LedgerPerProcess) => Arc::clone(ledger) as _,
            _ => Arc::new(SimulatedLedger::default()),
        }
    }

    /// The machine's replay cache, opened by a process that starts.
    pub(crate) fn replay(&self, host: usize) -> Arc<dyn ReplayCache> {
        if let Some(folder) = &self.folder {
            return Arc::new(File2::at(folder.path().join(format!("replay{host}"))));
        }
        self.replays.get(host).map_or_else(|| Arc::new(SimulatedReplay::default()), Arc::clone)
    }

    /// A process of this machine was killed.
    pub(crate) fn killed(&self, host: usize) {
        match self.planted {
            Some(Planted::LedgerForgets) => {
                self.ledgers.iter().skip(host).take(1).for_each(|ledger| lock(&ledger.0).clear())
            }
            Some(Planted::ReplayForgets) => {
                self.replays.iter().skip(host).take(1).for_each(|replay| lock(&replay.0).clear())
            }
            _ => {}
        }
    }

    pub(crate) fn cache(&self, name: &str) -> Option<&[u8]> {
        self.caches.get(name).map(Vec::as_slice)
    }

    /// The new cache is whole on the disk.
    pub(crate) fn replace_cache(&mut self, name: &str, octets: &[u8]) {
        self.caches.insert(name.to_owned(), octets.to_vec());
    }

    /// The process that writes a cache has begun, and is killed now.
    pub(crate) fn tear_cache(&mut self, name: &str, octets: &[u8]) {
        if self.planted == Some(Planted::CacheInPlace) {
            // So early that the first ticket is cut: one that is whole could be all that was there before.
            let beginning = octets.get(..octets.len() / 4).unwrap_or_default();
            self.replace_cache(name, beginning);
        }
    }

    pub(crate) fn remove_cache(&mut self, name: &str) {
        self.caches.remove(name);
    }

    /// The service's keytab as it is now.
    pub(crate) fn keytab(&self) -> Option<Keytab> {
        Keytab::parse(&self.keytab).ok()
    }

    pub(crate) fn put_keytab(&mut self, keytab: &Keytab) {
        self.keytab = keytab.to_octets().expose_octets().to_vec();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until when an id is spent, and when that was done.
type SpentIds = BTreeMap<[u8; ID_LEN], (Timestamp, Timestamp)>;

/// Keeps the ids of spent tokens, until the tokens have ended by every clock that may still be believed.
#[derive(Default)]
struct SimulatedLedger(Mutex<SpentIds>);

impl SimulatedLedger {
    /// Seconds past the end, as the real ledger has them: a clock may be put back.
    const MARGIN: i64 = 86_400;
}

impl Ledger for SimulatedLedger {
    fn spend(&self, id: &[u8; ID_LEN], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        let mut spent = lock(&self.0);
        spent.retain(|_, (until, _)| *until >= now.plus_seconds(-Self::MARGIN));
        if let Some((_, at)) = spent.get(id) {
            return Err(SpendRefusal::AlreadySpent { at: *at, pid: 1 });
        }
        spent.insert(*id, (until, now));
        Ok(())
    }
}

/// Keeps tags for as long as an authenticator can be fresh.
#[derive(Default)]
struct SimulatedReplay(Mutex<BTreeMap<Vec<u8>, i64>>);

impl ReplayCache for SimulatedReplay {
    fn check(&self, tag: &[u8], now: Timestamp, skew_seconds: u32) -> Result<(), ReplayRefusal> {
        let mut seen = lock(&self.0);
        // One that is dated a skew ahead of us is fresh for two.
        let until = now.seconds.saturating_add(2 * i64::from(skew_seconds));
        match seen.get(tag) {
            Some(until) if now.seconds <= *until => Err(ReplayRefusal::Replayed),
            _ => {
                seen.insert(tag.to_vec(), until);
                Ok(())
            }
        }
    }
}
