//! The key that seals transfer tokens for one user on one machine, and where it lives.
//!
//! Shape: a folder that only this user may enter, with two files: `seal.key`, 32 random octets, and `ledger`,
//! the ids of spent tokens ([`FileLedger`]). The sealing key is HKDF-SHA-256 (RFC 5869) of the first under the
//! identity of the second: if the ledger is lost, so is the key, and no spent token becomes good again.
//!
//! The folder is the first usable of the [`Places`]. Every process of the user that should share tokens must
//! come to the same one: a chroot, another uid or another `XDG_RUNTIME_DIR` means another key. It has to outlive
//! the user's last process; of systemd's `RUNTIME_DIRECTORY` that is true with `RuntimeDirectoryPreserve=`.
//!
//! Where no folder will do, the last place is the user's persistent keyring in the kernel ([`KeyringLedger`]): it needs no
//! file system, and lasts until the next boot, or until nobody has asked for it in three days.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hkdf::Hkdf;
use orthros_wire::{Random, SecretBytes, Timestamp};
use rustix::fs::{Mode, OFlags};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ledger::{FileLedger, KeyringLedger, Ledger, SpendRefusal};
use crate::random::SystemRandom;
use crate::sys::keyring::Serial;
use crate::sys::{file, process};

/// Octets of the key.
pub const KEY_LEN: usize = 32;
/// Octets of a key's id.
pub const KEY_ID_LEN: usize = 8;

const KEY_FILE: &str = "seal.key";
const LEDGER_FILE: &str = "ledger";
/// The sub-folder's name in folders that others use too.
const SUB_FOLDER: &str = "orthros";

/// Where the key may live, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(Vec<Place>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Folder(Folder),
    Keyring(KeyringLedger),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Folder {
    /// The folder that must exist already.
    base: PathBuf,
    /// The folder in it that is ours, made if need be.
    own: OsString,
}

impl Places {
    /// No place at all; add some with [`Places::within`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the folder `orthros` within `base`, which must exist.
    #[must_use]
    pub fn within(self, base: impl Into<PathBuf>) -> Self {
        self.folder(base.into(), SUB_FOLDER.into())
    }

    /// Adds the keyring `name` within the persistent keyring of the user with this id. The kernel takes no name that begins
    /// with a dot.
    #[must_use]
    pub fn keyring(self, user: u32, name: &str) -> Self {
        self.and(Place::Keyring(KeyringLedger::within(user, name)))
    }

    /// What is configured (if anything), then `$RUNTIME_DIRECTORY` (its first folder), `$XDG_RUNTIME_DIR`,
    /// `/run/user/EUID`, each with a sub-folder `orthros`, then `/dev/shm/orthros-EUID`, and at last the keyring `orthros`
    /// within the user's persistent keyring.
    ///
    /// `lookup` reads the environment; a set-user-id program gives one that knows nothing.
    ///
    /// ```
    /// use orthros::seal_key::Places;
    /// let places = Places::from_environment(None, |name| std::env::var_os(name));
    /// assert!(places.folders().any(|folder| folder.starts_with("/dev/shm")));
    /// ```
    pub fn from_environment(configured: Option<PathBuf>, lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        Self::of_user(process::effective_user(), configured, lookup)
    }

    /// The same for another user of this machine.
    pub fn of_user(
        user: u32,
        configured: Option<PathBuf>,
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let first_of_list = |list: OsString| {
            let first = list.as_bytes().split(|octet| *octet == b':').next().unwrap_or_default().to_vec();
            PathBuf::from(OsStr::from_bytes(&first))
        };
        let candidates = [
            configured,
            lookup("RUNTIME_DIRECTORY").map(first_of_list),
            lookup("XDG_RUNTIME_DIR").map(PathBuf::from),
            Some(format!("/run/user/{user}").into()),
        ];
        candidates
            .into_iter()
            .flatten()
            .filter(|base| base.is_absolute())
            .fold(Self::new(), Self::within)
            .folder("/dev/shm".into(), format!("orthros-{user}").into())
            .keyring(user, SUB_FOLDER)
    }

    /// The folders, in the order in which they are tried.
    pub fn folders(&self) -> impl Iterator<Item = PathBuf> {
        self.0.iter().filter_map(|place| match place {
            Place::Folder(folder) => Some(folder.path()),
            Place::Keyring(_) => None,
        })
    }

    /// The keyrings, which are tried after the folders that stand before them; named as in errors. Whether each can be had
    /// is found out by looking, which makes it, if it was not there.
    pub fn keyrings(&self) -> impl Iterator<Item = (String, Result<(), String>)> {
        self.0.iter().filter_map(|place| match place {
            Place::Folder(_) => None,
            Place::Keyring(keyring) => {
                let looked = keyring.open().map(drop).map_err(|error| refused(&error).to_string());
                Some((place.to_string(), looked))
            }
        })
    }

    fn folder(self, base: PathBuf, own: OsString) -> Self {
        self.and(Place::Folder(Folder { base, own }))
    }

    fn and(mut self, place: Place) -> Self {
        if !self.0.contains(&place) {
            self.0.push(place);
        }
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.path().display().fmt(f),
            Self::Keyring(keyring) => keyring.fmt(f),
        }
    }
}

/// A key from which the keys of transfer tokens are derived: whoever reads it can import, nobody else.
pub struct UserKey {
    secret: SecretBytes,
    key_id: [u8; KEY_ID_LEN],
    home: Home,
}

/// Where a key was found.
enum Home {
    Folder { path: PathBuf, ledger_identity: [u8; 16], seen: Option<Seen> },
    Keyring { ledger: KeyringLedger, serial: Serial },
}

/// The ledger beside a user's key.
#[derive(Debug)]
#[non_exhaustive]
pub enum UserLedger {
    /// Of spent tokens, in the same folder.
    File(FileLedger),
    /// Of unspent tokens, in the same keyring.
    Keyring(KeyringLedger),
}

impl UserLedger {
    /// Where its file is, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(ledger) => Some(ledger.path()),
            Self::Keyring(_) => None,
        }
    }
}

impl Ledger for UserLedger {
    fn issue(&self, id: &[u8; 16], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        match self {
            Self::File(ledger) => ledger.issue(id, until, now),
            Self::Keyring(ledger) => ledger.issue(id, until, now),
        }
    }

    fn spend(&self, id: &[u8; 16], until: Timestamp, now: Timestamp) -> Result<(), SpendRefusal> {
        match self {
            Self::File(ledger) => ledger.spend(id, until, now),
            Self::Keyring(ledger) => ledger.spend(id, until, now),
        }
    }
}

/// What tells key and ledger from others that came in their place; looking costs no opening. Within another folder they
/// are others.
#[derive(PartialEq, Eq)]
struct Seen {
    key: Object,
    /// The ledger's content changes all the time.
    ledger: Object,
    changed: (i64, i64, u64),
}

/// Device, inode, owner, mode, and when it was made: a number of an inode can come again.
type Object = (u64, u64, u32, u32, SystemTime);

impl Seen {
    /// What is there now; `None` where one is missing, or the file system does not say when it was made.
    fn in_folder(folder: &Path) -> Option<Self> {
        let look = |name| folder.join(name).symlink_metadata().ok();
        let object =
            |data: &Metadata| Some((data.dev(), data.ino(), data.uid(), data.mode(), data.created().ok()?));
        let (key, ledger) = (look(KEY_FILE)?, look(LEDGER_FILE)?);
        let changed = (key.ctime(), key.ctime_nsec(), key.size());
        Some(Self { key: object(&key)?, ledger: object(&ledger)?, changed })
    }
}

impl UserKey {
    /// The key in the first usable of `places`; made there if it is the first use. Of several processes that
    /// come first together, all get the same key.
    ///
    /// # Errors
    /// [`NoPlace`], which names each place tried and what is wrong with it. A shortage that will pass (no
    /// descriptors left, no memory) and a file size limit that would bite end the search at once: the next
    /// place would mean another key.
    ///
    /// ```
    /// use orthros::seal_key::{Places, UserKey};
    /// let folder = tempfile::tempdir()?;
    /// let places = Places::new().within(folder.path());
    /// let (one, same) = (UserKey::open(&places)?, UserKey::open(&places)?);
    /// assert_eq!(one.key_id(), same.key_id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open(places: &Places) -> Result<Self, NoPlace> {
        let mut tried = Vec::new();
        for place in &places.0 {
            match Self::open_at(place) {
                Ok(key) => return Ok(key),
                Err(fault) => {
                    let ends = matches!(fault, Fault::Passing(_));
                    tried.push((place.to_string(), fault.to_string()));
                    if ends {
                        break;
                    }
                }
            }
        }
        Err(NoPlace { tried })
    }

    /// The key's octets, 32 of them.
    pub fn secret(&self) -> &SecretBytes {
        &self.secret
    }

    /// A public name of the key, derived from it.
    pub fn key_id(&self) -> [u8; KEY_ID_LEN] {
        self.key_id
    }

    /// Whether the key and its ledger still lie where they were opened, as far as the directory (or the kernel) tells. If
    /// not, nobody could import what this key seals: open another before exporting.
    pub fn is_current(&self) -> bool {
        match &self.home {
            Home::Folder { path, seen, .. } => seen.is_some() && Seen::in_folder(path) == *seen,
            Home::Keyring { ledger, serial } => ledger.serial() == Some(*serial),
        }
    }

    /// The folder that holds the key and the ledger; `None` if they are in the kernel.
    pub fn folder(&self) -> Option<&Path> {
        match &self.home {
            Home::Folder { path, .. } => Some(path),
            Home::Keyring { .. } => None,
        }
    }

    /// The ledger beside the key. A file's refuses as soon as the file is another one than at [`UserKey::open`].
    pub fn ledger(&self) -> UserLedger {
        match &self.home {
            Home::Folder { path, ledger_identity, .. } => {
                UserLedger::File(FileLedger::bound(path.join(LEDGER_FILE), *ledger_identity))
            }
            Home::Keyring { ledger, .. } => UserLedger::Keyring(ledger.clone()),
        }
    }

    fn open_at(place: &Place) -> Result<Self, Fault> {
        let folder = match place {
            Place::Folder(folder) => folder,
            Place::Keyring(ledger) => return Self::open_keyring(ledger),
        };
        let opened = Self::open_once(folder)?;
        // Whoever has made key or ledger looks again, at what is there now.
        if opened.is_current() { Ok(opened) } else { Self::open_once(folder) }
    }

    fn open_keyring(ledger: &KeyringLedger) -> Result<Self, Fault> {
        let (serial, stored) = ledger.open().map_err(|error| refused(&error))?;
        Self::derived(b"orthros keyring", stored.as_ref(), Home::Keyring { ledger: ledger.clone(), serial })
    }

    fn open_once(place: &Folder) -> Result<Self, Fault> {
        process::check_file_size_limit(FileLedger::usual_len())
            .map_err(|limit| Fault::Passing(limit.to_string()))?;
        // Looked at first: what changes while it is opened is seen to have changed.
        let path = place.path();
        let seen = Seen::in_folder(&path);
        let folder = place.open_folder()?;
        let stored = read_or_make_key(&folder)?;
        let ledger_identity =
            FileLedger::at(path.join(LEDGER_FILE)).identity().map_err(|error| Fault::io("ledger", &error))?;
        Self::derived(&ledger_identity, stored.as_ref(), Home::Folder { path, ledger_identity, seen })
    }

    fn derived(salt: &[u8], stored: &[u8], home: Home) -> Result<Self, Fault> {
        let derive = Hkdf::<Sha256>::new(Some(salt), stored);
        let mut secret = Zeroizing::new(vec![0; KEY_LEN]);
        let mut key_id = [0; KEY_ID_LEN];
        derive
            .expand(b"orthros user key", &mut secret)
            .and_then(|()| derive.expand(b"orthros user key id", &mut key_id))
            .map_err(|_| Fault::Place("HKDF refused the length of a key".into()))?;
        Ok(Self { secret: secret.into(), key_id, home })
    }
}

/// Why a keyring can't be had.
fn refused(error: &io::Error) -> Fault {
    let why = match error.raw_os_error() {
        Some(libc::ENOSYS | libc::EPERM | libc::EACCES) => {
            ": the kernel has no keys, or a sandbox or container allows none (keyctl(2))"
        }
        Some(libc::EOPNOTSUPP | libc::EINVAL) => ": it needs Linux 5.3 with persistent keyrings",
        Some(libc::EDQUOT) => {
            ": the user has as many keys as allowed (/proc/sys/kernel/keys/maxkeys, maxbytes)"
        }
        _ => "",
    };
    match Fault::io("it can't be had", error) {
        Fault::Passing(text) => Fault::Passing(text),
        Fault::Place(text) => Fault::Place(format!("{text}{why}")),
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = orthros_wire::hex::encode(&self.key_id);
        let place: &dyn fmt::Debug = match &self.home {
            Home::Folder { path, .. } => path,
            Home::Keyring { ledger, .. } => ledger,
        };
        write!(f, "UserKey {{ key_id: {id}, place: {place:?}, .. }}")
    }
}

/// No place is fit to hold the key: transfer is not possible until one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPlace {
    /// Each place tried, a folder or a keyring, and why it can't be used.
    pub tried: Vec<(String, String)>,
}

impl fmt::Display for NoPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no place can hold the key for transfer tokens:")?;
        for (place, cause) in &self.tried {
            write!(f, " {place}: {cause};")?;
        }
        f.write_str(
            " a folder of mode 0700 that belongs to this user is needed, for example by XDG_RUNTIME_DIR",
        )
    }
}

impl std::error::Error for NoPlace {}

/// Why a place can't be used.
enum Fault {
    /// Something that passes, and that the next place would only hide.
    Passing(String),
    /// The place itself.
    Place(String),
}

impl Fault {
    fn io(what: &str, error: &io::Error) -> Self {
        let text = format!("{what}: {error}");
        match error.raw_os_error() {
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::EINTR) => Self::Passing(text),
            _ => Self::Place(text),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Passing(text) | Self::Place(text)) = self;
        f.write_str(text)
    }
}

impl Folder {
    fn path(&self) -> PathBuf {
        self.base.join(&self.own)
    }

    /// Opens our folder, making it if need be, and makes sure that it is nobody else's.
    fn open_folder(&self) -> Result<File, Fault> {
        let base = open_directory(rustix::fs::CWD, self.base.as_os_str(), OFlags::empty())
            .map_err(|error| Fault::io(&self.base.display().to_string(), &error))?;
        self.check_base(&base)?;
        match rustix::fs::mkdirat(&base, &self.own, Mode::RWXU) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(Fault::io("it can't be made", &error.into())),
        }
        let folder =
            open_directory(base.as_fd(), &self.own, OFlags::NOFOLLOW).map_err(|error| {
                match error.raw_os_error() {
                    Some(libc::ELOOP | libc::ENOTDIR) => {
                        Fault::Place("it is a link or a file, not a folder".into())
                    }
                    _ => Fault::io("it can't be opened", &error),
                }
            })?;
        let metadata = folder.metadata().map_err(|error| Fault::io("it can't be looked at", &error))?;
        let us = process::file_user();
        if metadata.uid() != us {
            return Err(Fault::Place(format!("it belongs to uid {}, not to us (uid {us})", metadata.uid())));
        }
        if metadata.mode() & 0o7777 != 0o700 {
            return Err(Fault::Place(format!(
                "its mode is {:04o}, not 0700: others could enter; run chmod 700 on it if nobody else did",
                metadata.mode() & 0o7777
            )));
        }
        Ok(folder)
    }

    /// The folder around ours may be anybody's only if he can't move ours away (the sticky bit).
    fn check_base(&self, base: &File) -> Result<(), Fault> {
        let metadata = base.metadata().map_err(|error| Fault::io("it can't be looked at", &error))?;
        let (owner, mode) = (metadata.uid(), metadata.mode());
        if owner != 0 && owner != process::file_user() {
            return Err(Fault::Place(format!("{} belongs to uid {owner}", self.base.display())));
        }
        if mode & 0o022 != 0 && mode & 0o1000 == 0 {
            return Err(Fault::Place(format!(
                "{} may be written by others (mode {:04o}) and has no sticky bit",
                self.base.display(),
                mode & 0o7777
            )));
        }
        Ok(())
    }
}

fn open_directory(within: impl AsFd, name: &OsStr, more: OFlags) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | more;
    let opened: OwnedFd = rustix::fs::openat(within, name, flags, Mode::empty())?;
    Ok(opened.into())
}

/// The stored octets. A first user draws them; if another was faster, his are read.
fn read_or_make_key(folder: &File) -> Result<Zeroizing<[u8; KEY_LEN]>, Fault> {
    let fault = |error: io::Error| Fault::io(KEY_FILE, &error);
    if let Some(key) = read_key(folder)? {
        return Ok(key);
    }
    let mut fresh = Zeroizing::new([0; KEY_LEN]);
    SystemRandom.fill(fresh.as_mut());
    file::make_once(folder.as_fd(), KEY_FILE.as_ref(), fresh.as_ref()).map_err(fault)?;
    match read_key(folder)? {
        Some(key) => Ok(key),
        None => Err(Fault::Place(format!("{KEY_FILE}: it vanished as soon as it was made"))),
    }
}

fn read_key(folder: &File) -> Result<Option<Zeroizing<[u8; KEY_LEN]>>, Fault> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = match rustix::fs::openat(folder, KEY_FILE, flags, Mode::empty()) {
        Ok(opened) => File::from(opened),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => {
            return Err(Fault::Place(format!("{KEY_FILE}: it is a link, and links are not followed here")));
        }
        Err(error) => return Err(Fault::io(KEY_FILE, &error.into())),
    };
    let fault = |error: io::Error| Fault::io(KEY_FILE, &error);
    let metadata = file.metadata().map_err(fault)?;
    let us = process::file_user();
    if !metadata.is_file() || metadata.uid() != us || metadata.mode() & 0o077 != 0 {
        return Err(Fault::Place(format!(
            "{KEY_FILE}: it must be a regular file of uid {us} that nobody else may read (mode 0600); \
             it is of uid {}, mode {:04o}",
            metadata.uid(),
            metadata.mode() & 0o7777
        )));
    }
    if metadata.len() != KEY_LEN as u64 {
        return Err(Fault::Place(format!(
            "{KEY_FILE}: it has {} octets instead of {KEY_LEN}; remove it, and a new key is made",
            metadata.len()
        )));
    }
    let mut key = Zeroizing::new([0; KEY_LEN]);
    file.read_exact(key.as_mut()).map_err(fault)?;
    Ok(Some(key))
}
