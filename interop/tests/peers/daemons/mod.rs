//! Daemons of others run on our C library, unchanged, and so do their clients: with ours on the one side, on the other,
//! and on both.
//!
//! Every daemon has its files in the realm's folder, listens on 127.0.0.1, is started by hand and ended by its pid.
//! Where Debian gives it an account of its own, it runs as that if the tests run as root, and as whoever runs them
//! otherwise. Of each process that matters the scenario sees which library it mapped.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use interop::c_library::Maker;
use interop::peers::Peer;
use interop::process::{self, PATIENCE};
use interop::{Failure, Finished, Realm, RealmBuilder, Running, Scenario, Side};

use crate::c_programs::SIDES;

mod apache;
mod bind;
mod kadmin;
mod ldap;
mod postgres;
mod rpc;
mod ssh;

/// A scenario for each pair of libraries: its name, what it needs beside a realm, and what it does.
type Row = (
    &'static str,
    &'static [Peer],
    fn(&Stage) -> Result<(), Failure>,
    fn(RealmBuilder) -> Result<RealmBuilder, Failure>,
);

const TABLE: &[Row] = &[
    postgres::LOGINS,
    bind::UPDATES,
    bind::RESTARTS,
    rpc::CALLS,
    ssh::LOGINS,
    apache::REQUESTS,
    apache::BROWSES,
    ldap::BINDS,
    kadmin::CHANGES,
];

/// MIT's realm.
const REALM: &[Peer] =
    &[Peer::KRB5KDC, Peer::KDB5_UTIL, Peer::KADMIN_LOCAL, Peer::KINIT, Peer::KLIST, Peer::CC];

pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut list = Vec::new();
    for &(what, needs, body, fill) in TABLE {
        for (client, server) in SIDES {
            let name = format!("daemons::{what}_client_{client:?}_server_{server:?}").to_lowercase();
            list.push(Scenario::new(name, &[REALM, needs].concat(), move || {
                body(&Stage::set(client, server, fill)?)
            }));
        }
    }
    list
}

/// A realm with `alice`, who has a ticket, and `bob`, who has one too, elsewhere; and on whose library each side runs.
struct Stage {
    realm: Realm,
    client: Maker,
    server: Maker,
}

/// Who runs a daemon.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

/// Where the name of a realm has no meaning of its own.
const NAME: &str = "DAEMONS.TEST";

impl Stage {
    fn set(
        client: Maker,
        server: Maker,
        fill: fn(RealmBuilder) -> Result<RealmBuilder, Failure>,
    ) -> Result<Self, Failure> {
        let people = Realm::build(NAME).principal("alice", "wonderland").principal("bob", "builder");
        let realm = fill(people)?.start(Side::Mit)?;
        let bob = format!("FILE:{}", realm.folder().join("bob").display());
        realm.kinit(Side::Mit, "alice", &["-f"])?;
        realm.kinit(Side::Mit, "bob", &["-f", "-c", &bob])?;
        // Daemons of other accounts come to their own files in it.
        fs::set_permissions(realm.folder(), fs::Permissions::from_mode(0o755))?;
        Ok(Self { realm, client, server })
    }

    /// A file or folder in the realm's.
    fn at(&self, name: &str) -> PathBuf {
        self.realm.folder().join(name)
    }

    /// A folder that belongs to an account.
    fn folder_of(&self, account: Account, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.at(name);
        fs::create_dir(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        account.owns(&folder)?;
        Ok(folder)
    }

    /// A program on the server's side. It knows the realm and its keytab, and puts its replay cache into the folder.
    fn daemon(&self, program: &Path, folder: &Path) -> Result<Command, Failure> {
        let mut command = self.realm.command(program);
        command.env_remove("XDG_RUNTIME_DIR").env_remove("KRB5CCNAME").envs(self.server.environment()?);
        command.env("HOME", folder).env("TMPDIR", folder).env("KRB5RCACHEDIR", folder);
        // As systemd's `RuntimeDirectory=` gives it.
        command.env("RUNTIME_DIRECTORY", folder).current_dir(folder);
        Ok(command)
    }

    /// A program on the client's side, with the ticket of `alice`.
    fn client(&self, program: &Path) -> Result<Command, Failure> {
        let mut command = self.realm.command(program);
        command.envs(self.client.environment()?);
        Ok(command)
    }

    /// The environment in which a client is `alice`.
    fn alice(&self) -> (&'static str, String) {
        ("KRB5CCNAME", format!("FILE:{}", self.realm.ccache.display()))
    }

    /// The environment in which a client is `bob`.
    fn bob(&self) -> (&'static str, String) {
        ("KRB5CCNAME", format!("FILE:{}", self.at("bob").display()))
    }

    /// The environment in which a client is nobody.
    fn nobody(&self) -> (&'static str, String) {
        ("KRB5CCNAME", format!("FILE:{}", self.at("no-cache").display()))
    }

    /// Runs a client until it ends, and sees that it ran on the library that it was meant to run on.
    fn run(&self, mut command: Command) -> Result<Finished, Failure> {
        let told = tempfile::tempdir_in(self.realm.folder())?;
        // The dynamic linker adds the pid of each process to the name.
        command.env("LD_DEBUG", "files").env("LD_DEBUG_OUTPUT", told.path().join("linker"));
        let finished = process::run(command, b"")?;
        let mut files = String::new();
        for entry in fs::read_dir(told.path())? {
            files.push_str(&fs::read_to_string(entry?.path())?);
        }
        let started: String = files.lines().filter(|line| line.contains("calling init")).collect();
        must_be_mapped(self.client, &started).map_err(|why| finished.complaint(&why.to_string()))?;
        Ok(finished)
    }
}

/// Sees that a process runs on this library.
fn must_run_on(library: Maker, process: &Running) -> Result<(), Failure> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", process.pid()))?;
    must_be_mapped(library, &maps).map_err(|why| why.while_doing(format!("{process:?}")))
}

/// Sees that a list of the files that a process mapped names this library, and no other of its kind.
fn must_be_mapped(library: Maker, files: &str) -> Result<(), Failure> {
    let ours = Maker::Own.library()?.with_file_name("").display().to_string();
    let found: Vec<&str> =
        files.split_whitespace().filter(|word| word.contains("libgssapi_krb5.so.2")).collect();
    if !found.is_empty() && found.iter().all(|file| file.starts_with(&ours) == (library == Maker::Own)) {
        return Ok(());
    }
    Err(Failure::new(format!("it should run on the library of {library:?}, and mapped {found:?}")))
}

/// Waits until something listens on a port: for a server that says so too early.
fn listens(port: u16) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
        if Instant::now() > deadline {
            return Err(Failure::from(error).while_doing(format!("port {port}")));
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Lets everybody run a file.
fn executable(file: &Path) -> Result<(), Failure> {
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

impl Account {
    /// The account of this name if the tests run as root; whoever runs them otherwise.
    fn of(name: &str) -> Result<Self, Failure> {
        let own = fs::metadata("/proc/self")?;
        if own.uid() != 0 {
            return Ok(Self { uid: own.uid(), gid: own.gid() });
        }
        let list = fs::read_to_string("/etc/passwd")?;
        let line = list.lines().find(|line| line.split(':').next() == Some(name));
        let fields: Vec<&str> = line.ok_or_else(|| format!("no account {name}"))?.split(':').collect();
        let number = |place: usize| fields.get(place).and_then(|field| field.parse().ok());
        match (number(2), number(3)) {
            (Some(uid), Some(gid)) => Ok(Self { uid, gid }),
            _ => Err(Failure::new(format!("/etc/passwd: {name} has no numbers"))),
        }
    }

    /// The command runs as this account, in no group but its own.
    fn runs(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or folder to it.
    fn owns(self, path: &Path) -> Result<(), Failure> {
        Ok(chown(path, Some(self.uid), Some(self.gid))?)
    }
}
