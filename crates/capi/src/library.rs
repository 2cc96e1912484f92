//! What the process is configured for.
//!
//! C programs set variables such as `KRB5_KTNAME` while they run and expect the next call to follow, as MIT krb5's library
//! does. So what was read is kept with the variables and the stamps of the files that it came from, and read again when
//! they are others. Caches and keytabs in memory stay. Those of a libkrb5 in the same process are there too.

use std::cell::RefCell;
use std::ffi::{CString, OsString, c_char};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, PoisonError, RwLock};

use orthros::sys::file::{Stamp, stamp};
use orthros::sys::process::{effective_user, is_set_user_id};
use orthros::{CacheName, CredentialStore, KeytabName, Orthros, Overrides, SetupError, settings};

use crate::copies::Copies;
use crate::{environment, libkrb5};

/// The variables that count, those that name the configuration's files first.
const VARIABLES: [&str; 12] = [
    "KRB5_CONFIG",
    "KRB5_KDC_PROFILE",
    "KRB5CCNAME",
    "KRB5_KTNAME",
    "KRB5_CLIENT_KTNAME",
    "KRB5RCACHENAME",
    "KRB5RCACHEDIR",
    "KRB5_TRACE",
    "ORTHROS_TRANSFER",
    "RUNTIME_DIRECTORY",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
];

#[derive(PartialEq, Eq)]
struct Origin {
    /// How often the program has set something for its process.
    overrides: u64,
    variables: [Option<OsString>; VARIABLES.len()],
    files: Vec<(PathBuf, Option<Stamp>)>,
    /// Servers give up root's rights while they run; names of caches and keys follow the user.
    user: u32,
}

impl Origin {
    /// A file that this process may not look at any more is as it was `before`: whoever confines itself goes on with what
    /// it has.
    fn now(before: Option<&Self>) -> Self {
        let trusted = !is_set_user_id();
        let variables =
            environment::values(&VARIABLES).map(|value| value.filter(|value| trusted && !value.is_empty()));
        let [config, kdc_profile, ..] = &variables;
        let mut files = if KDC.load(Ordering::Relaxed) {
            settings::kdc_files_named(kdc_profile.as_deref())
        } else {
            Vec::new()
        };
        files.extend(settings::files_named(config.as_deref()));
        let stamped = |file: PathBuf| {
            let known = || before?.files.iter().find(|(path, _)| *path == file)?.1;
            let stamp = stamp(&file).unwrap_or_else(|_| known());
            (file, stamp)
        };
        let overrides = SET.load(Ordering::Acquire);
        Self { overrides, files: files.into_iter().map(stamped).collect(), user: effective_user(), variables }
    }

    /// The configuration's files.
    fn paths(&self) -> Vec<PathBuf> {
        self.files.iter().map(|(path, _)| path.clone()).collect()
    }
}

struct Known {
    origin: Arc<Origin>,
    orthros: Orthros,
}

impl Known {
    /// A copy for another thread.
    fn apart(&self) -> Self {
        Self { origin: Arc::clone(&self.origin), orthros: self.orthros.apart() }
    }
}

static KNOWN: RwLock<Option<Arc<Known>>> = RwLock::new(None);
/// How often it was read.
static READ: AtomicUsize = AtomicUsize::new(0);
/// Those of threads.
static COPIES: Copies<Known, 1> = Copies::new();

/// The GSS-API as the process is configured now.
///
/// # Errors
/// [`SetupError`] names the file or the variable.
pub fn orthros() -> Result<Orthros, SetupError> {
    let read = || KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone();
    let own = COPIES.own(READ.load(Ordering::Acquire), || Some(read()?.apart()));
    let known = own.or_else(read);
    let origin = Origin::now(known.as_ref().map(|known| &*known.origin));
    let fresh = match known {
        Some(known) if *known.origin == origin => return Ok(known.orthros.clone()),
        Some(known) => known.orthros.reread(&origin.paths(), &overrides())?,
        None => Orthros::from_system_with(&origin.paths(), &overrides(), Arc::new(libkrb5::Stores))?,
    };
    let known = Arc::new(Known { origin: Arc::new(origin), orthros: fresh.clone() });
    let before = {
        let mut place = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
        *place = Some(known);
        READ.fetch_add(1, Ordering::Release)
    };
    fence(Ordering::SeqCst);
    COPIES.forget(before);
    Ok(fresh)
}

/// Whether the process is a KDC, or works on its database, and has its configuration (`krb5_gss_use_kdc_context`).
static KDC: AtomicBool = AtomicBool::new(false);

/// Takes a KDC's own configuration before the others from now on.
pub(crate) fn use_kdc_profile() {
    KDC.store(true, Ordering::Relaxed);
}

/// What the program has set for its process (Heimdal's `gsskrb5_set_...`), and how often.
static OVERRIDES: RwLock<Overrides> = RwLock::new(Overrides::NONE);
static SET: AtomicU64 = AtomicU64::new(0);

/// What the program has set for its process.
pub(crate) fn overrides() -> Overrides {
    OVERRIDES.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Sets something for the process: the next call follows.
pub(crate) fn set_overrides(set: impl FnOnce(&mut Overrides)) {
    set(&mut OVERRIDES.write().unwrap_or_else(PoisonError::into_inner));
    SET.fetch_add(1, Ordering::Release);
}

/// The keytab that the program has named for its acceptors (`krb5_gss_register_acceptor_identity`).
static ACCEPTOR_KEYTAB: RwLock<Option<KeytabName>> = RwLock::new(None);

thread_local! {
    /// The cache that a thread has named for its default credentials (`gss_krb5_ccache_name`).
    static CACHE: RefCell<ThreadCache> = const { RefCell::new(ThreadCache { name: None, text: None, before: None }) };
}

struct ThreadCache {
    name: Option<CacheName>,
    /// The name as text.
    text: Option<CString>,
    /// The name before, which the caller was given.
    before: Option<CString>,
}

/// Names the acceptors' keytab of this process.
pub(crate) fn set_acceptor_keytab(name: Option<KeytabName>) {
    *ACCEPTOR_KEYTAB.write().unwrap_or_else(PoisonError::into_inner) = name;
}

/// The cache that the process has by default, by the name that the variable gives it, if that is where it comes from.
pub(crate) fn default_cache_name() -> Result<CString, SetupError> {
    let name = match settings::variable("KRB5CCNAME") {
        Some(name) => name.into_encoded_bytes(),
        None => orthros()?.default_cache().to_string().into_bytes(),
    };
    Ok(CString::new(name).unwrap_or_default())
}

/// Names the cache of this thread: the name before, or else this default, as a C string that lives until the next call.
pub(crate) fn set_thread_cache(
    name: Option<CacheName>,
    text: Option<CString>,
    default: CString,
) -> *const c_char {
    let set = |cache: &RefCell<ThreadCache>| {
        let mut cache = cache.borrow_mut();
        cache.before = Some(cache.text.take().unwrap_or(default));
        cache.name = name;
        cache.text = text;
        cache.before.as_ref().map_or(std::ptr::null(), |before| before.as_ptr())
    };
    // A thread that is ending has no cache of its own any more.
    CACHE.try_with(set).unwrap_or(std::ptr::null())
}

/// A store that names what the process and the thread have set, where it names nothing itself.
pub(crate) fn with_defaults(store: CredentialStore) -> CredentialStore {
    let keytab = ACCEPTOR_KEYTAB.read().unwrap_or_else(PoisonError::into_inner).clone();
    let cache = CACHE.try_with(|cache| cache.borrow().name.clone()).ok().flatten();
    store.or_keytab(keytab).or_cache(cache)
}
