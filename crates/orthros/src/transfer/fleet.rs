//! A key given by the operator, for several machines, and the ledger that they share.
//!
//! A key's file is text: one or two lines of 64 hexadecimal digits, 32 octets each; `#` begins a comment. The first key
//! seals, each opens: so a key is replaced without a refused token in three steps, each on all machines before the next.
//!
//! | step | first line | second line |
//! |---|---|---|
//! | before | old | |
//! | 1 | old | new |
//! | 2 | new | old |
//! | 3, once the last token of the old has expired | new | |
//!
//! The file is read again when it changes. It must be a regular file of root's or this user's that others can't read and
//! nobody else can write; that holds for the files of systemd's credentials.
//!
//! The tokens are not bound to a boot: the ledger outlives it. They are bound to the ledger's *identity* (its 16 random
//! octets) instead. Where the same key meets another ledger, because the folder is not shared after all, or because the
//! ledger was lost, a token is refused and not taken twice. A record is synchronised to disk before the token counts as
//! spent, and the folder's file system must have locks that hold between the machines (NFS version 4 has).
//!
//! Deliberately not here: ledgers on servers (Redis, etcd).

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use orthros_gss::transfer::{SealingKey, TransferRefusal};
use orthros_wire::{SecretBytes, hex};
use zeroize::Zeroizing;

use crate::ledger::FileLedger;
use crate::sys::process;

/// Octets of a key.
const KEY_LEN: usize = 32;
/// No key's file has more octets than this.
const LARGEST_FILE: u64 = 4096;
const LEDGER_FILE: &str = "ledger";

/// The key of a fleet: in memory, or in a file.
///
/// ```
/// use orthros::Orthros;
/// use orthros::transfer::FleetKey;
/// # let shared = tempfile::tempdir()?;
/// # let folder = shared.path();
/// # let secret = [7; 32];
/// let key = FleetKey::of(&secret); // or FleetKey::at("/etc/orthros/fleet.key")
/// let orthros = Orthros::builder().transfer_fleet(key, folder).build();
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct FleetKey(Source);

enum Source {
    /// The first seals, each opens.
    Given(Vec<SecretBytes>),
    File(PathBuf),
}

impl FleetKey {
    /// A key of 32 secret octets.
    pub fn of(secret: &[u8; KEY_LEN]) -> Self {
        Self(Source::Given(vec![SecretBytes::copy_of(secret)]))
    }

    /// The same, which also opens what this other key has sealed.
    #[must_use]
    pub fn also_opening(mut self, other: &[u8; KEY_LEN]) -> Self {
        if let Source::Given(keys) = &mut self.0 {
            keys.push(SecretBytes::copy_of(other));
        }
        self
    }

    /// The keys in this text, laid out as the file is.
    ///
    /// # Errors
    /// [`BadFleetKey`] says what is wrong, and shows nothing of the text.
    pub fn parse(text: &[u8]) -> Result<Self, BadFleetKey> {
        parse(text).map(|keys| Self(Source::Given(keys)))
    }

    /// The keys in this file, read at the first export or import, and again when it has changed.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// The keys in the credential that systemd gives the service by this name (`LoadCredential=`): the file of this name
    /// in the folder `$CREDENTIALS_DIRECTORY`, which `lookup` asks of the environment.
    ///
    /// # Errors
    /// [`BadFleetKey`] if there is no such folder.
    pub fn credential(name: &str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, BadFleetKey> {
        if name.is_empty() || name.contains('/') || name == ".." {
            return Err(BadFleetKey(format!("{name:?} is no name of a credential")));
        }
        let folder = lookup("CREDENTIALS_DIRECTORY").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = folder.ok_or_else(|| {
            BadFleetKey(format!(
                "there is no CREDENTIALS_DIRECTORY to have {name} in: the unit needs LoadCredential={name}:FILE"
            ))
        })?;
        Ok(Self::at(folder.join(name)))
    }
}

impl fmt::Debug for FleetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Given(keys) => write!(f, "FleetKey({} in memory)", keys.len()),
            Source::File(path) => write!(f, "FleetKey({})", path.display()),
        }
    }
}

/// A fleet's key can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFleetKey(String);

impl fmt::Display for BadFleetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadFleetKey {}

fn parse(text: &[u8]) -> Result<Vec<SecretBytes>, BadFleetKey> {
    let bad = |number: usize| {
        BadFleetKey(format!(
            "line {number}: a key is 64 hexadecimal digits (32 octets), as `openssl rand -hex 32` gives"
        ))
    };
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.split(|octet| *octet == b'\n')) {
        let line = line.split(|octet| *octet == b'#').next().unwrap_or_default().trim_ascii();
        if line.is_empty() {
            continue;
        }
        let octets = std::str::from_utf8(line).ok().and_then(hex::decode).map(Zeroizing::new);
        let octets = octets.filter(|octets| octets.len() == KEY_LEN).ok_or_else(|| bad(number))?;
        keys.push(SecretBytes::copy_of(&octets));
    }
    match keys.len() {
        1 | 2 => Ok(keys),
        0 => Err(BadFleetKey("there is no key in it".into())),
        count => Err(BadFleetKey(format!("there are {count} keys in it: two at most, the first seals"))),
    }
}

/// Reads the keys of the open file, after a look at whose it is: at the file itself, so that nobody can put another in its
/// place.
fn read(path: &Path) -> Result<(Vec<SecretBytes>, Stamp), BadFleetKey> {
    let bad = |what: &dyn fmt::Display| BadFleetKey(format!("the fleet's key {}: {what}", path.display()));
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file: File = opened.map_err(|error| bad(&error))?;
    let data = file.metadata().map_err(|error| bad(&error))?;
    let (owner, mode, us) = (data.uid(), data.mode() & 0o7777, process::file_user());
    if !data.is_file() || (owner != 0 && owner != us) || mode & 0o027 != 0 {
        return Err(bad(&format!(
            "it must be a regular file of root's or of uid {us} that others can't read and the group can't write \
             (mode 0400 or 0440); it is of uid {owner}, mode {mode:04o}"
        )));
    }
    // As long as it can be, so that it does not grow and leave copies.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(LARGEST_FILE).unwrap_or(0) + 64));
    file.take(LARGEST_FILE + 1).read_to_end(&mut text).map_err(|error| bad(&error))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > LARGEST_FILE {
        return Err(bad(&"it is too long"));
    }
    Ok((parse(&text).map_err(|fault| bad(&fault))?, stamp(&data)))
}

/// What tells a file from what it was: device, inode, length, time of its last change.
type Stamp = (u64, u64, u64, i64, i64);

fn stamp(data: &Metadata) -> Stamp {
    (data.dev(), data.ino(), data.size(), data.ctime(), data.ctime_nsec())
}

/// A fleet's key with its ledger, opened when first needed.
pub(crate) struct Fleet {
    key: FleetKey,
    /// The folder of the ledger that all machines share.
    folder: PathBuf,
    opened: Mutex<Option<Arc<Opened>>>,
}

pub(crate) struct Opened {
    keys: Vec<SealingKey>,
    pub(crate) ledger: FileLedger,
    stamp: Option<Stamp>,
    /// Device and inode of the ledger; its content changes all the time.
    ledger_at: Option<(u64, u64)>,
}

impl Fleet {
    pub(crate) fn new(key: FleetKey, folder: PathBuf) -> Self {
        Self { key, folder, opened: Mutex::default() }
    }

    /// Keys and ledger as they are now.
    pub(crate) fn opened(&self) -> Result<Arc<Opened>, TransferRefusal> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = &*opened
            && kept.stamp == self.stamp()
            && kept.ledger_at.is_some()
            && kept.ledger_at == self.ledger_at()
        {
            return Ok(Arc::clone(kept));
        }
        let fresh = Arc::new(self.open()?);
        *opened = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Keys and ledger as they were opened last: what spends asks the ledger by which it was opened.
    pub(crate) fn kept(&self) -> Result<Arc<Opened>, TransferRefusal> {
        let kept = self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        kept.map_or_else(|| self.opened(), Ok)
    }

    fn open(&self) -> Result<Opened, TransferRefusal> {
        let (secrets, stamp) = match &self.key.0 {
            Source::Given(keys) => {
                (keys.iter().map(|key| SecretBytes::copy_of(key.expose_octets())).collect(), None)
            }
            Source::File(path) => {
                let (keys, stamp) = read(path).map_err(|fault| TransferRefusal::Key(fault.to_string()))?;
                (keys, Some(stamp))
            }
        };
        let path = self.folder.join(LEDGER_FILE);
        let ledger = FileLedger::at(&path);
        let identity = ledger.identity().map_err(|error| {
            TransferRefusal::Key(format!(
                "the ledger that the fleet's machines share, {}: {error}; transfer_ledger must name a folder of this \
                 user's",
                path.display()
            ))
        })?;
        let seals = |secrets: Vec<SecretBytes>| {
            secrets.into_iter().map(|secret| SealingKey::of_ledger(secret, &identity)).collect()
        };
        let ledger = FileLedger::durable(path, identity);
        Ok(Opened { keys: seals(secrets), ledger, stamp, ledger_at: self.ledger_at() })
    }

    fn stamp(&self) -> Option<Stamp> {
        match &self.key.0 {
            Source::Given(_) => None,
            Source::File(path) => path.metadata().ok().as_ref().map(stamp),
        }
    }

    fn ledger_at(&self) -> Option<(u64, u64)> {
        let data = self.folder.join(LEDGER_FILE).symlink_metadata().ok()?;
        Some((data.dev(), data.ino()))
    }
}

impl Opened {
    /// The key that seals.
    pub(crate) fn sealing(&self) -> Option<&SealingKey> {
        self.keys.first()
    }

    /// The key that opens `token`; one that refuses it with the reason if none does.
    pub(crate) fn opening(&self, token: &[u8]) -> Option<&SealingKey> {
        self.keys.iter().find(|key| key.is_named_by(token)).or_else(|| self.sealing())
    }
}

/// Body of the fuzz target `fleet_key`: arbitrary octets as a key's file.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    match parse(data) {
        Ok(keys) => assert!(matches!(keys.len(), 1 | 2)),
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ONE: &str = "0101010101010101010101010101010101010101010101010101010101010101";
    const TWO: &str = "0202020202020202020202020202020202020202020202020202020202020202";

    #[test]
    fn one_or_two_keys_are_read_and_nothing_else() {
        for good in [ONE.to_owned(), format!("# fleet\n{ONE} # old\r\n\n{TWO}\n")] {
            assert!(parse(good.as_bytes()).is_ok(), "{good}");
        }
        let wrong = ["", "#", &ONE[1..], "zz", &format!("{ONE}{TWO}"), &[ONE; 3].join("\n"), "\u{e4}"];
        for wrong in wrong {
            let said = parse(wrong.as_bytes()).unwrap_err().to_string();
            assert!(!said.contains("0101"), "no key in an error: {said}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, ONE).unwrap();
        for (mode, good) in [(0o600, true), (0o440, true), (0o400, true), (0o644, false), (0o660, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path).is_ok(), good, "{mode:o}");
        }
        assert!(read(folder.path()).is_err(), "a folder");
    }

    #[test]
    fn a_credential_of_systemd_is_found_in_its_folder_only() {
        let there = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| "/run/credentials/x".into());
        assert!(FleetKey::credential("fleet", there).is_ok());
        for wrong in ["", "..", "../fleet", "/etc/passwd"] {
            assert!(FleetKey::credential(wrong, there).is_err(), "{wrong}");
        }
        let said = FleetKey::credential("fleet", |_| None).unwrap_err().to_string();
        assert!(said.contains("LoadCredential=fleet:"), "{said}");
    }
}
