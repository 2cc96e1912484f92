//! Where configuration comes from: files, and environment variables as defaults.
//!
//! | variable | what it names | otherwise |
//! |---|---|---|
//! | `KRB5_CONFIG` | configuration files or directories of them, separated by colons; missing ones do not count | `/etc/krb5.conf` |
//! | `KRB5CCNAME` | the credential cache | `default_ccache_name`, `FILE:/tmp/krb5cc_UID` |
//! | `KRB5_KTNAME` | the acceptors' keytab | `default_keytab_name`, `FILE:/etc/krb5.keytab` |
//! | `KRB5_CLIENT_KTNAME` | the initiators' keytab | `default_client_keytab_name`, `FILE:/etc/krb5/user/EUID/client.keytab` |
//! | `KRB5RCACHENAME`, `KRB5RCACHEDIR` | the replay cache | `dfl:` |
//! | `KRB5_TRACE` | a file to which is written what happens ([`FileTrace`]) | none |
//!
//! In a set-user-id process none of them counts.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use orthros_krb5::Config;
use orthros_krb5::config::{BadConfig, Include, PathTokens, Profile, Transfer};

use crate::replay::{self, ReplayCache};
use crate::seal_key::Places;
use crate::stores::{CacheName, KeytabName};
use crate::sys::process;
use crate::sys::users::{self, User};
use crate::trace::FileTrace;
use crate::transfer::fleet::Fleet;
use crate::transfer::{FamilyKey, FleetKey, Policy};

/// Why the system's configuration can't be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum SetupError {
    /// A file of the configuration is malformed.
    Config(BadConfig),
    /// A file of the configuration is there and can't be read.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A name of a cache, keytab or replay cache can't be understood.
    Name(String),
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::File { path, error } => write!(f, "{} can't be read: {error}", path.display()),
            Self::Name(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for SetupError {}

impl From<BadConfig> for SetupError {
    fn from(error: BadConfig) -> Self {
        Self::Config(error)
    }
}

/// A variable of the environment, unless the process is set-user-id: its caller is not to be trusted then.
pub fn variable(name: &str) -> Option<OsString> {
    if process::is_set_user_id() { None } else { env::var_os(name).filter(|value| !value.is_empty()) }
}

/// The files of the configuration, whether they are there or not: those that `KRB5_CONFIG` names, up to an empty
/// name, else `/etc/krb5.conf`.
pub fn configuration_files() -> Vec<PathBuf> {
    files_named(variable("KRB5_CONFIG").as_deref())
}

/// The same for this value of `KRB5_CONFIG`.
pub fn files_named(list: Option<&OsStr>) -> Vec<PathBuf> {
    match list {
        Some(list) => env::split_paths(list).take_while(|path| !path.as_os_str().is_empty()).collect(),
        None => vec!["/etc/krb5.conf".into()],
    }
}

/// Reads the system's configuration: the [`configuration_files`]. Where none of them is there, everything has a
/// default; [`Config::warnings`] tells which are not.
///
/// # Errors
/// [`SetupError`]: a malformed file, or one that is there and can't be read for another reason than missing
/// permission.
pub fn system_config() -> Result<Config, SetupError> {
    config_of(&configuration_files())
}

/// The same of these files.
///
/// # Errors
/// As [`system_config`].
pub fn config_of(files: &[PathBuf]) -> Result<Config, SetupError> {
    Ok(Config::from_profiles(profiles(files)?)?)
}

/// The file of a KDC's own configuration, for this value of `KRB5_KDC_PROFILE`: what stands there goes before
/// [`configuration_files`] in a KDC and in programs that work on its database.
pub fn kdc_files_named(list: Option<&OsStr>) -> Vec<PathBuf> {
    match list {
        Some(list) => env::split_paths(list).take_while(|path| !path.as_os_str().is_empty()).collect(),
        None => vec!["/etc/krb5kdc/kdc.conf".into()],
    }
}

/// The profiles of these files, in their order. A directory stands for its files whose names `includedir` takes. In
/// place of a file that is not there, or that this process may not read, there is an empty profile with a warning.
///
/// # Errors
/// [`SetupError`]: a malformed file, or one that can't be read for another reason.
pub fn profiles(paths: &[PathBuf]) -> Result<Vec<Profile>, SetupError> {
    let mut profiles = Vec::new();
    for path in paths {
        let name = path.to_string_lossy();
        let content = match fs::read(path) {
            // What is in a directory is read as if one file included it.
            Err(error) if error.kind() == ErrorKind::IsADirectory => path.canonicalize().map(|path| {
                let mut line = b"includedir ".to_vec();
                line.extend(path.as_os_str().as_encoded_bytes());
                line
            }),
            content => content,
        };
        profiles.push(match content {
            Ok(octets) => Profile::parse_with(&octets, &name, &mut included)?,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
                Profile::missing(&name, format!("the file does not count: {error}"))
            }
            Err(error) => return Err(SetupError::File { path: path.clone(), error }),
        });
    }
    Ok(profiles)
}

/// The files that an `include` or `includedir` line means.
fn included(include: Include<'_>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let read = |path: PathBuf| {
        let name = path.to_string_lossy().into_owned();
        fs::read(&path).map(|text| (name.clone(), text)).map_err(|error| format!("{name}: {error}"))
    };
    match include {
        Include::File(path) => read(path.into()).map(|file| vec![file]),
        Include::Directory(path) => {
            let fault = |error: std::io::Error| format!("{path}: {error}");
            let mut files = Vec::new();
            for entry in fs::read_dir(path).map_err(fault)? {
                let entry = entry.map_err(fault)?;
                if entry.file_name().to_str().is_some_and(Include::takes_name) {
                    files.push(entry.path());
                }
            }
            files.sort();
            files.into_iter().map(read).collect()
        }
    }
}

/// The values of the tokens in configured paths.
fn path_tokens() -> PathTokens {
    let user = process::effective_user();
    PathTokens {
        uid: rustix::process::getuid().as_raw(),
        euid: user,
        username: variable("USER")
            .and_then(|name| name.into_string().ok())
            .unwrap_or_else(|| user.to_string()),
        temp: variable("TMPDIR").and_then(|path| path.into_string().ok()).unwrap_or_else(|| "/tmp".into()),
    }
}

/// The name that a variable or the configuration gives, else the default; tokens expanded.
fn named(name: &str, configured: Option<&str>, default: &str) -> Result<String, SetupError> {
    if let Some(value) = variable(name) {
        let text = value.into_string();
        return text.map_err(|_| SetupError::Name(format!("the variable {name} is no valid text")));
    }
    path_tokens()
        .expand(configured.unwrap_or(default))
        .map_err(|token| SetupError::Name(format!("{name}'s default: {token}")))
}

/// The default credential cache.
///
/// # Errors
/// [`SetupError::Name`] if a path has an unknown token.
pub fn default_cache(config: &Config) -> Result<CacheName, SetupError> {
    let name = named("KRB5CCNAME", config.default_ccache_name.as_deref(), "FILE:/tmp/krb5cc_%{uid}")?;
    Ok(CacheName::from(name.as_str()))
}

/// The default keytab of acceptors.
///
/// # Errors
/// [`SetupError::Name`] if a path has an unknown token.
pub fn default_keytab(config: &Config) -> Result<KeytabName, SetupError> {
    let name = named("KRB5_KTNAME", config.default_keytab_name.as_deref(), "FILE:/etc/krb5.keytab")?;
    Ok(KeytabName::from(name.as_str()))
}

/// The default keytab of initiators.
///
/// # Errors
/// [`SetupError::Name`] if a path has an unknown token.
pub fn default_client_keytab(config: &Config) -> Result<KeytabName, SetupError> {
    let configured = config.default_client_keytab_name.as_deref();
    let name = named("KRB5_CLIENT_KTNAME", configured, "FILE:/etc/krb5/user/%{euid}/client.keytab")?;
    Ok(KeytabName::from(name.as_str()))
}

/// The replay cache that the environment names, else the file that MIT krb5 uses by default.
///
/// # Errors
/// [`SetupError::Name`] if no such kind of cache exists: to go on without one would be to accept replays.
pub fn replay_cache() -> Result<Box<dyn ReplayCache>, SetupError> {
    let name = match variable("KRB5RCACHENAME") {
        Some(name) => replay::CacheName::parse(&name).map_err(|error| SetupError::Name(error.to_string()))?,
        None => replay::CacheName::Default,
    };
    Ok(name.open(variable))
}

/// The trace that the environment asks for.
pub fn trace() -> Option<FileTrace> {
    variable("KRB5_TRACE").map(FileTrace::at)
}

/// Whose key seals what this process exports, and where it lies.
#[derive(Clone, Debug)]
pub struct TransferKey {
    places: Places,
    /// The account that contexts are handed to; `None`: this process's own user.
    receiver: Option<Receiver>,
}

#[derive(Clone, Copy, Debug)]
struct Receiver {
    user: u32,
    group: u32,
}

impl TransferKey {
    /// A key of this process's user, in these places.
    pub fn own(places: Places) -> Self {
        Self { places, receiver: None }
    }

    /// As section `[orthros]` says, and `ORTHROS_TRANSFER` before it: the folder that `transfer_key` names, else the
    /// runtime folders; for processes of root, the account that `transfer_allow` names. Processes of other users hand
    /// nothing to anybody else, whatever is configured for root.
    ///
    /// # Errors
    /// Which account is not there.
    pub fn configured(transfer: &Transfer) -> Result<Self, String> {
        let folder = transfer.key.as_deref().map(PathBuf::from);
        let root = process::effective_user() == 0;
        let Some(name) = transfer.allow.as_deref().filter(|_| root) else {
            return Ok(Self::own(Places::from_environment(folder, variable)));
        };
        let found = match name.parse() {
            Ok(number) => users::by_id(number),
            Err(_) => users::by_name(name),
        };
        match found {
            Ok(Some(User { id: user, group, .. })) => {
                let places = Places::of_user(user, folder, variable);
                Ok(Self { places, receiver: Some(Receiver { user, group }) })
            }
            Ok(None) => {
                Err(format!("transfer_allow in [orthros] names {name}, who is no user of this machine"))
            }
            Err(error) => Err(format!("transfer_allow in [orthros] names {name}: {error}")),
        }
    }

    /// The user whose processes import, if it is not this process's own.
    pub(crate) fn receiver(&self) -> Option<u32> {
        self.receiver.map(|receiver| receiver.user)
    }

    /// Where the key may lie.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Works at its files as their owner does.
    ///
    /// # Errors
    /// This process may not.
    pub fn at_files<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        match self.receiver {
            None => Ok(work()),
            Some(Receiver { user, group }) => process::opening_files_as(user, group, work),
        }
    }
}

/// Which key seals.
pub(crate) enum TransferSource {
    Family(FamilyKey),
    Fleet(Fleet),
    User(TransferKey),
}

/// What `transfer_key` names: a folder for the user's key, `family`, `fleet:FILE` or `fleet:NAME` (a credential that
/// systemd gives the service). A fleet needs a `transfer_ledger`: the folder that its machines share.
pub(crate) fn transfer_source(transfer: &Transfer) -> Result<TransferSource, String> {
    match transfer.key.as_deref() {
        Some("family") => FamilyKey::of_process().map(TransferSource::Family),
        Some(text) if text.starts_with("fleet:") => {
            let named = text.trim_start_matches("fleet:");
            let key = if named.starts_with('/') {
                FleetKey::at(named)
            } else {
                FleetKey::credential(named, variable).map_err(|fault| fault.to_string())?
            };
            let folder = transfer.ledger.as_deref().filter(|folder| folder.starts_with('/'));
            let folder =
                folder.ok_or("a fleet's key needs transfer_ledger: a folder that all its machines share")?;
            Ok(TransferSource::Fleet(Fleet::new(key, folder.into())))
        }
        None | Some("") => TransferKey::configured(transfer).map(TransferSource::User),
        Some(text) if text.starts_with('/') => TransferKey::configured(transfer).map(TransferSource::User),
        Some(text) => {
            Err(format!("transfer_key is {text}, which is none of family, fleet:KEY and a folder's path"))
        }
    }
}

/// Section `[orthros]` with what `ORTHROS_TRANSFER` says instead: words with commas between them, each `off`, `suspend`
/// (`transfer_suspend`), `memory`
/// or `ledger=FOLDER` (`transfer_ledger`), `allow=USER`, a folder or `family` or `fleet:KEY` (`transfer_key`), or one of
/// those of [`Policy`], which then replace `transfer_policy`.
///
/// # Errors
/// [`SetupError::Name`] with the word that is none of these.
pub fn transfer(config: &Config) -> Result<Transfer, SetupError> {
    let mut transfer = config.transfer.clone();
    let words = variable("ORTHROS_TRANSFER").unwrap_or_default();
    let words = words.to_str().ok_or_else(|| SetupError::Name("ORTHROS_TRANSFER is no text".into()))?;
    let mut policy = Vec::new();
    for word in words.split(',').filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            None if word == "off" => transfer.enabled = false,
            None if word == "suspend" => transfer.suspend = true,
            None if word == "memory" => transfer.ledger = Some(word.to_owned()),
            None if word.starts_with('/') || word == "family" || word.starts_with("fleet:") => {
                transfer.key = Some(word.to_owned());
            }
            Some(("ledger", folder)) => transfer.ledger = Some(folder.to_owned()),
            Some(("allow", user)) => transfer.allow = Some(user.to_owned()),
            _ if Policy::parse(word).is_ok() => policy.push(word),
            _ => {
                return Err(SetupError::Name(format!(
                    "ORTHROS_TRANSFER: {word:?} is none of off, suspend, memory, ledger=FOLDER, allow=USER, family, fleet:KEY, \
                     user, process-group, executable, audience=TEXT and a folder's path"
                )));
            }
        }
    }
    if !policy.is_empty() {
        transfer.policy = Some(policy.join(","));
    }
    Ok(transfer)
}
