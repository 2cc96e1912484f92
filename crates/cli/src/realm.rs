//! `kdc`: a realm of one's own on 127.0.0.1, for a command, a shell, or whoever reads the line of JSON.
//!
//! The folder holds `krb5.conf` and `keytab`, which MIT's programs read as well; with a command also `cc`, a
//! credential cache with a ticket for the user. A folder that nobody named is removed at the end; if this process
//! is killed it stays.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use orthros::{CacheName, Config, Keytab, Orthros};
use orthros_kdc::{Listener, Realm, SystemRandom};
use orthros_krb5::Principal;
use orthros_krb5::keytab::KeytabEntry;
use orthros_wire::{Clock, Random, hex};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::arguments::Kdc;
use crate::failure::{Ending, Failure, While};
use crate::output;

/// The service that a realm for a command has if none is named.
const USUAL_SERVICE: &str = "host/localhost";

/// What is printed when the KDC is ready.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Ready {
    pub(crate) realm: String,
    pub(crate) port: u16,
    pub(crate) pid: u32,
    pub(crate) config: PathBuf,
    pub(crate) keytab: PathBuf,
}

pub(crate) fn run(wanted: &Kdc) -> Result<Ending, Failure> {
    let folder = Folder::open(wanted.dir.as_deref())?;
    let mut builder = Realm::builder(&wanted.realm);
    if !wanted.enctypes.is_empty() {
        builder = builder.enctypes(&wanted.enctypes);
    }
    for (name, password) in &wanted.principals {
        builder = builder.principal(name.as_str(), password.as_str());
    }
    for service in &wanted.services {
        builder = builder.service(service.as_str());
    }
    let Some((program, words)) = wanted.command.split_first() else {
        let kdc = Listener::start(builder.build(&SystemRandom)?).while_doing("cannot serve on 127.0.0.1")?;
        output::json_line(&write_files(&kdc, folder.path(), &wanted.services)?)?;
        return wait_for_end_of_input();
    };
    let mut services = wanted.services.clone();
    if services.is_empty() {
        services.push(USUAL_SERVICE.into());
        builder = builder.service(USUAL_SERVICE);
    }
    let (client, password) = match wanted.principals.first() {
        Some((name, password)) => (name.clone(), password.clone()),
        None => {
            let (name, password) = (user_name(), random_password());
            builder = builder.principal(name.as_str(), password.as_str());
            (name, password)
        }
    };
    let kdc = Listener::start(builder.build(&SystemRandom)?).while_doing("cannot serve on 127.0.0.1")?;
    let ready = write_files(&kdc, folder.path(), &services)?;
    let cache = CacheName::File(folder.path().join("cc"));
    let orthros = Orthros::builder().config(Config::parse(&krb5_conf(&ready))?).build();
    orthros.acquire(&client).password(password.as_str()).forwardable(true).blocking_into(&cache)?;
    if wanted.principals.is_empty() {
        // To standard error: what the command prints is its own.
        eprintln!("orthros: realm {}, {client} with password {password}, a ticket at hand", ready.realm);
    }
    let environment = [
        ("KRB5_CONFIG", ready.config.clone().into_os_string()),
        ("KRB5CCNAME", OsString::from(cache.to_string())),
        ("KRB5_KTNAME", with_type("FILE:", &ready.keytab)),
        ("KRB5RCACHEDIR", folder.path().as_os_str().to_owned()),
    ];
    let status = Command::new(program)
        .args(words)
        .envs(environment)
        .status()
        .while_doing(format!("cannot run {}", program.display()))?;
    drop(kdc);
    folder.close()?;
    Ok(Ending::Status(exit_status(status)))
}

/// As shells have it: 128 and the signal, if one ended the command.
fn exit_status(status: std::process::ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::failure::FAILED)
}

/// Whoever started this process holds the other end of standard input, and lets go of it when it ends.
fn wait_for_end_of_input() -> Result<Ending, Failure> {
    io::copy(&mut io::stdin().lock(), &mut io::sink()).while_doing("cannot read standard input")?;
    Ok(Ending::Success)
}

/// Writes `krb5.conf` and `keytab`, which holds the keys of `services`.
pub(crate) fn write_files(kdc: &Listener, folder: &Path, services: &[String]) -> Result<Ready, Failure> {
    let realm = kdc.realm().name();
    let ready = Ready {
        realm: realm.into(),
        port: kdc.address().port(),
        pid: std::process::id(),
        config: folder.join("krb5.conf"),
        keytab: folder.join("keytab"),
    };
    let mut octets = zeroize::Zeroizing::new(Keytab::HEADER.to_vec());
    for service in services {
        let principal = Principal::parse(service, Some(realm))?;
        for key in kdc.realm().keytab_for(&principal) {
            let now = orthros_kdc::SystemClock.now();
            let entry = KeytabEntry::new(key.principal, key.kvno, key.key.duplicate(), now)?;
            octets.extend_from_slice(&entry.append_record());
        }
    }
    write_new(&ready.keytab, &octets)?;
    write_new(&ready.config, krb5_conf(&ready).as_bytes())?;
    Ok(ready)
}

/// A configuration for ours and for MIT's programs.
fn krb5_conf(ready: &Ready) -> String {
    let Ready { realm, port, .. } = ready;
    format!(
        "[libdefaults]\n\
         \tdefault_realm = {realm}\n\
         \tdns_lookup_kdc = false\n\
         \tdns_lookup_realm = false\n\
         \tdns_canonicalize_hostname = false\n\
         \trdns = false\n\
         \tforwardable = true\n\
         [realms]\n\
         \t{realm} = {{\n\
         \t\tkdc = 127.0.0.1:{port}\n\
         \t}}\n\
         [domain_realm]\n\
         \tlocalhost = {realm}\n"
    )
}

/// Makes a file that only this user can read, in the place of what was there.
fn write_new(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let doing = || format!("cannot write {}", path.display());
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).while_doing(doing()),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).while_doing(doing())?;
    file.write_all(content).while_doing(doing())
}

/// Where the realm's files are.
enum Folder {
    Named(PathBuf),
    Temporary(TempDir),
}

impl Folder {
    fn open(named: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = named else { return Ok(Self::Temporary(temporary()?)) };
        fs::create_dir_all(path).while_doing(format!("cannot make {}", path.display()))?;
        let path = path.canonicalize().while_doing(format!("cannot use {}", path.display()))?;
        Ok(Self::Named(path))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }

    fn close(self) -> Result<(), Failure> {
        match self {
            Self::Named(_) => Ok(()),
            Self::Temporary(folder) => folder.close().while_doing("cannot remove the realm's folder"),
        }
    }
}

/// A folder that only this user can enter, and that goes when it is dropped.
pub(crate) fn temporary() -> Result<TempDir, Failure> {
    tempfile::Builder::new()
        .prefix("orthros-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
        .while_doing("cannot make a temporary folder")
}

/// A password that nobody guesses: 80 random bits.
pub(crate) fn random_password() -> String {
    let mut octets = [0; 10];
    SystemRandom.fill(&mut octets);
    hex::encode(&octets)
}

fn user_name() -> String {
    std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "user".into())
}

fn with_type(kind: &str, path: &Path) -> OsString {
    let mut name = OsString::from(kind);
    name.push::<&OsStr>(path.as_ref());
    name
}
