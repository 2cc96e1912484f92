//! `kdc`: a realm of one's own on 127.0.0.1, for a command, a shell, or whoever reads the line of JSON.
//!
//! The folder holds `krb5.conf` and `keytab`, which MIT's programs read as well; with a command also `cc`, a
//! credential cache with a ticket for the user. A folder that nobody named is removed at the end.
//!
//! With a command, this process becomes the command, so that its signals, its terminal and its status are the
//! command's own; the KDC is in a process behind it that ends when the command has ended.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use orthros::{CacheName, Config, Keytab, Orthros};
use orthros_crypto::Enctype;
use orthros_kdc::{Impersonation, Listener, Realm, SystemRandom};
use orthros_krb5::Principal;
use orthros_krb5::keytab::KeytabEntry;
use orthros_wire::{Clock, Random, hex};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::arguments::Kdc;
use crate::failure::{Ending, Failure, While, complain};
use crate::output;
use crate::program::{temporary_folder, this_program};

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

/// What the process behind a command is told, on standard input.
#[derive(Deserialize, Serialize)]
struct Behind {
    wanted: Wanted,
    folder: PathBuf,
    /// Whether the folder goes at the end.
    temporary: bool,
    /// The process whose end is the realm's.
    command: u32,
}

/// What a realm shall hold.
#[derive(Deserialize, Serialize)]
struct Wanted {
    realm: String,
    principals: Vec<(String, String)>,
    services: Vec<String>,
    impersonates: Vec<String>,
    /// Each a service, and to whom it may be its clients.
    delegates_to: Vec<(String, String)>,
    /// By their names; none: the usual ones.
    enctypes: Vec<String>,
}

impl Wanted {
    fn start(&self) -> Result<Listener, Failure> {
        let mut builder = Realm::builder(&self.realm);
        if !self.enctypes.is_empty() {
            builder = builder
                .enctypes(&self.enctypes.iter().map(|name| name.parse()).collect::<Result<Vec<_>, _>>()?);
        }
        for (name, password) in &self.principals {
            builder = builder.principal(name.as_str(), password.as_str());
        }
        for service in &self.services {
            builder = builder.service(service.as_str());
        }
        for service in &self.impersonates {
            builder = builder.impersonates(service.as_str(), Impersonation::Forwardable);
        }
        for (service, target) in &self.delegates_to {
            builder = builder.delegates_to(service.as_str(), target.as_str());
        }
        Listener::start(builder.build(&SystemRandom)?).while_doing("cannot serve on 127.0.0.1")
    }
}

pub(crate) fn run(arguments: &Kdc) -> Result<Ending, Failure> {
    let folder = Folder::open(arguments.dir.as_deref())?;
    let wanted = Wanted {
        realm: arguments.realm.clone(),
        principals: arguments.principals.clone(),
        services: arguments.services.clone(),
        impersonates: arguments.impersonates.clone(),
        delegates_to: arguments.delegates_to.clone(),
        enctypes: arguments.enctypes.iter().map(|enctype| enctype.name().to_owned()).collect(),
    };
    match arguments.command.split_first() {
        Some((program, words)) => run_command(wanted, folder, program, words),
        None => {
            let kdc = wanted.start()?;
            output::json_line(&write_files(&kdc, folder.path(), &wanted.services)?)?;
            wait_for_end_of_input()
        }
    }
}

/// Becomes the command, with the realm in a process behind it. That one is in a process group of its own: what is
/// typed at the command to interrupt it must not end the realm.
fn run_command(
    mut wanted: Wanted,
    folder: Folder,
    program: &OsStr,
    words: &[OsString],
) -> Result<Ending, Failure> {
    if wanted.services.is_empty() {
        wanted.services.push(USUAL_SERVICE.into());
    }
    let generated = wanted.principals.is_empty();
    if generated {
        wanted.principals.push((user_name(), random_password()));
    }
    let first = wanted.principals.first().cloned();
    let (client, password) = first.ok_or_else(|| Failure::new("the realm has no principal"))?;
    let temporary = matches!(folder, Folder::Temporary(_));
    let path = folder.path().to_owned();
    let ready =
        start_behind(&Behind { wanted, folder: path.clone(), temporary, command: std::process::id() })?;
    // From here on the process behind removes it.
    folder.keep();
    let cache = CacheName::File(path.join("cc"));
    let written = fs::read_to_string(&ready.config).while_doing("cannot read the realm's configuration")?;
    let orthros = Orthros::builder().config(Config::parse(&written)?).build();
    orthros.acquire(&client).password(password.as_str()).forwardable(true).blocking_into(&cache)?;
    if generated {
        // To standard error: what the command prints is its own.
        complain(&format!("realm {}, {client} with password {password}, a ticket at hand", ready.realm));
    }
    let environment = [
        ("KRB5_CONFIG", ready.config.clone().into_os_string()),
        ("KRB5CCNAME", OsString::from(cache.to_string())),
        ("KRB5_KTNAME", with_type("FILE:", &ready.keytab)),
        ("KRB5RCACHEDIR", path.into_os_string()),
    ];
    let error = Command::new(program).args(words).envs(environment).exec();
    Err(Failure::new(error).while_doing(format!("cannot run {}", program.display())))
}

/// Starts the process behind, and waits until it serves.
fn start_behind(behind: &Behind) -> Result<Ready, Failure> {
    let doing = "cannot start the KDC";
    let mut child = Command::new(this_program()?)
        .arg("kdc-behind")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .while_doing(doing)?;
    let told = serde_json::to_vec(behind)?;
    // The password goes this way and not by the arguments, which every user can see.
    let stdin = child.stdin.take().map(|mut stdin| stdin.write_all(&told));
    stdin.transpose().while_doing(doing)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).while_doing(doing)?;
    }
    if line.is_empty() {
        // It has told the reason already.
        return Err(Failure::new("the KDC did not start"));
    }
    Ok(serde_json::from_str(&line)?)
}

/// The process behind a command: serves until that process ends.
pub(crate) fn serve_behind() -> Result<Ending, Failure> {
    let behind: Behind = serde_json::from_reader(io::stdin().lock())?;
    let folder = RemovedAtEnd(behind.temporary.then_some(&behind.folder));
    let command = i32::try_from(behind.command).ok().and_then(Pid::from_raw);
    let command = command.ok_or_else(|| Failure::new("there is no command to serve"))?;
    let command = pidfd_open(command, PidfdFlags::empty())
        .map_err(io::Error::from)
        .while_doing("cannot watch the command")?;
    let kdc = behind.wanted.start()?;
    output::json_line(&write_files(&kdc, &behind.folder, &behind.wanted.services)?)?;
    let mut waiting = [PollFd::new(&command, PollFlags::IN)];
    let ended = rustix::io::retry_on_intr(|| rustix::event::poll(&mut waiting, None));
    drop(folder);
    ended.map_err(io::Error::from).while_doing("cannot watch the command")?;
    Ok(Ending::Success)
}

/// A folder that goes when this is dropped.
struct RemovedAtEnd<'a>(Option<&'a PathBuf>);

impl Drop for RemovedAtEnd<'_> {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.map(fs::remove_dir_all) {
            complain(&format!("cannot remove the realm's folder: {error}"));
        }
    }
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
    write_new(&ready.config, krb5_conf(&ready, &kdc.realm().policy().enctypes).as_bytes())?;
    Ok(ready)
}

/// A configuration for ours and for MIT's programs, with the switches of weak types that the realm was told to use.
fn krb5_conf(ready: &Ready, enctypes: &[Enctype]) -> String {
    let Ready { realm, port, .. } = ready;
    let switches: String = enctypes
        .iter()
        .filter_map(|enctype| enctype.switch())
        .map(|switch| format!("\t{switch} = true\n"))
        .collect();
    format!(
        "[libdefaults]\n\
         \tdefault_realm = {realm}\n\
         \tdns_lookup_kdc = false\n\
         \tdns_lookup_realm = false\n\
         \tdns_canonicalize_hostname = false\n\
         \trdns = false\n\
         \tforwardable = true\n\
         {switches}\
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
        let Some(path) = named else { return Ok(Self::Temporary(temporary_folder()?)) };
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

    /// Leaves the folder where it is.
    fn keep(self) {
        if let Self::Temporary(folder) = self {
            let _kept_at = folder.keep();
        }
    }
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
