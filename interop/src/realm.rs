//! A throw-away realm on 127.0.0.1 with its own files, served by MIT's KDC, by Heimdal's or by ours.
//!
//! Everything lives in one temporary folder: configuration, database, keytab, caches, replay cache and the runtime
//! folder in which sealing keys are kept. Programs are started with an environment made from nothing, so that
//! neither the machine's configuration nor the caller's takes part. All kinds of KDC give the same face, and a
//! table of scenarios can take the side as a parameter.

mod directory;
mod heimdal;

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::failure::Failure;
use crate::peers::Peer;
use crate::process::{self, Finished, PATIENCE, Running};
use directory::Directory;

/// Whose program plays a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// MIT's, as Debian packages it.
    Mit,
    /// Heimdal's, as Debian packages it.
    Heimdal,
    /// Ours.
    Own,
}

impl Side {
    /// MIT and ours, for tables of scenarios that need MIT's peers alone.
    pub const ALL: [Self; 2] = [Self::Mit, Self::Own];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mit => "mit",
            Self::Heimdal => "heimdal",
            Self::Own => "own",
        })
    }
}

/// The encryption types that realms are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enctype {
    /// aes128-cts-hmac-sha1-96 (17), RFC 3962.
    Aes128Sha1,
    /// aes256-cts-hmac-sha1-96 (18), RFC 3962.
    Aes256Sha1,
    /// aes128-cts-hmac-sha256-128 (19), RFC 8009.
    Aes128Sha2,
    /// aes256-cts-hmac-sha384-192 (20), RFC 8009.
    Aes256Sha2,
    /// camellia128-cts-cmac (25), RFC 6803.
    Camellia128,
    /// camellia256-cts-cmac (26), RFC 6803.
    Camellia256,
    /// des3-cbc-sha1 (16), RFC 3961. Weak.
    Des3,
    /// arcfour-hmac (23), RFC 4757. Weak.
    Rc4,
}

impl Enctype {
    /// Those that Heimdal has too.
    pub const AES: [Self; 4] = [Self::Aes128Sha1, Self::Aes256Sha1, Self::Aes128Sha2, Self::Aes256Sha2];
    /// All that are used unless somebody asks for less.
    pub const STRONG: [Self; 6] = [
        Self::Aes128Sha1,
        Self::Aes256Sha1,
        Self::Aes128Sha2,
        Self::Aes256Sha2,
        Self::Camellia128,
        Self::Camellia256,
    ];
    /// Those that are used only where the configuration allows them.
    pub const WEAK: [Self; 2] = [Self::Des3, Self::Rc4];

    /// The name in configurations and listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha1 => "aes128-cts-hmac-sha1-96",
            Self::Aes256Sha1 => "aes256-cts-hmac-sha1-96",
            Self::Aes128Sha2 => "aes128-cts-hmac-sha256-128",
            Self::Aes256Sha2 => "aes256-cts-hmac-sha384-192",
            Self::Camellia128 => "camellia128-cts-cmac",
            Self::Camellia256 => "camellia256-cts-cmac",
            Self::Des3 => "des3-cbc-sha1",
            Self::Rc4 => "arcfour-hmac",
        }
    }
}

impl fmt::Display for Enctype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a realm shall hold; [`start`](Self::start) makes it.
#[derive(Clone, Debug)]
pub struct RealmBuilder {
    name: String,
    enctypes: Vec<Enctype>,
    principals: Vec<(String, String)>,
    services: Vec<String>,
    trusts: Vec<(String, String)>,
    /// Services that may name users to themselves.
    impersonating: Vec<String>,
    /// Services that may be their clients to others, and to whom.
    delegating: Vec<(String, Vec<String>)>,
    more: String,
}

/// A realm that is being served; its KDC ends and its folder goes when it is dropped.
#[derive(Debug)]
pub struct Realm {
    // Fields drop in order: the KDC ends before its folder goes.
    kdc: Running,
    /// Where the KDC has its database, if not in a file.
    _directory: Option<Directory>,
    /// The realm's name.
    pub name: String,
    /// Whose KDC serves it.
    pub side: Side,
    /// The port of 127.0.0.1 on which the KDC answers UDP and TCP.
    pub port: u16,
    /// `krb5.conf` for clients and acceptors.
    pub config: PathBuf,
    /// The keytab with a key of each service.
    pub keytab: PathBuf,
    /// The credential cache that programs use by default; not there before the first `kinit`.
    pub ccache: PathBuf,
    principals: Vec<(String, String)>,
    folder: TempDir,
}

impl RealmBuilder {
    /// Only these encryption types, for keys, tickets and sessions; the default is [`Enctype::AES`]. Weak
    /// ones are allowed by the configuration too.
    #[must_use]
    pub fn enctypes(mut self, enctypes: &[Enctype]) -> Self {
        self.enctypes = enctypes.to_vec();
        self
    }

    /// A principal (without realm) with a password.
    #[must_use]
    pub fn principal(mut self, name: &str, password: &str) -> Self {
        self.principals.push((name.to_owned(), password.to_owned()));
        self
    }

    /// A service principal (`host/localhost`) with random keys, which the keytab holds too.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        self.services.push(name.to_owned());
        self
    }

    /// Shares a key with another realm in both directions, made from this password. MIT's KDC only.
    #[must_use]
    pub fn trust(mut self, realm: &str, password: &str) -> Self {
        self.trusts.push((realm.to_owned(), password.to_owned()));
        self
    }

    /// Lets a service of this realm have forwardable tickets of users to itself (S4U2Self).
    #[must_use]
    pub fn impersonates(mut self, service: &str) -> Self {
        self.impersonating.push(service.to_owned());
        self
    }

    /// Lets a service of this realm be its clients to these targets (S4U2Proxy). MIT's KDC has its database in a
    /// directory then.
    #[must_use]
    pub fn delegates_to(mut self, service: &str, targets: &[&str]) -> Self {
        self.delegating.push((service.to_owned(), targets.iter().map(|&target| target.to_owned()).collect()));
        self
    }

    /// More text for `krb5.conf`: whole sections.
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.more.push_str(text);
        self
    }

    /// Makes the realm and waits until its KDC answers.
    ///
    /// # Errors
    /// A program is missing, failed or did not become ready; the text holds what it printed.
    pub fn start(self, side: Side) -> Result<Realm, Failure> {
        let folder = tempfile::Builder::new().prefix("orthros-realm-").tempdir()?;
        let runtime = folder.path().join("runtime");
        fs::create_dir(&runtime)?;
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700))?;
        let needed = side == Side::Mit && !self.delegating.is_empty();
        let directory = needed.then(|| Directory::start(folder.path())).transpose()?;
        let started = match side {
            Side::Mit => self.start_mit(folder.path(), directory.as_ref()),
            Side::Heimdal => self.start_heimdal(folder.path()),
            Side::Own => self.start_own(folder.path()),
        };
        let (kdc, port) = started.map_err(|why| why.while_doing(format!("realm {} ({side})", self.name)))?;
        Ok(Realm {
            kdc,
            _directory: directory,
            name: self.name,
            side,
            port,
            config: folder.path().join("krb5.conf"),
            keytab: folder.path().join("keytab"),
            ccache: folder.path().join("ccache"),
            principals: self.principals,
            folder,
        })
    }

    fn start_mit(&self, folder: &Path, directory: Option<&Directory>) -> Result<(Running, u16), Failure> {
        self.write_mit_configuration(folder, 0, directory)?;
        let tool = |peer: Peer, words: &[&str]| -> Result<(), Failure> {
            let mut command = peer_in(folder, peer)?;
            command.envs(directory.map(Directory::libraries)).args(words);
            process::run(command, b"")?.success().map(drop)
        };
        match directory {
            None => tool(Peer::KDB5_UTIL, &["-r", &self.name, "create", "-s", "-W", "-P", "master"])?,
            Some(directory) => tool(Peer::KDB5_LDAP_UTIL, &directory.create_words(&self.name))?,
        }
        let admin = |words: &[&str]| {
            let mut all = vec!["-r", self.name.as_str()];
            all.extend(words);
            tool(Peer::KADMIN_LOCAL, &all)
        };
        for (name, password) in &self.principals {
            admin(&["addprinc", "-pw", password, name])?;
        }
        for (other, password) in &self.trusts {
            admin(&["addprinc", "-pw", password, &format!("krbtgt/{other}@{}", self.name)])?;
            admin(&["addprinc", "-pw", password, &format!("krbtgt/{}@{other}", self.name)])?;
        }
        let keytab = folder.join("keytab").display().to_string();
        for service in &self.services {
            admin(&["addprinc", "-randkey", service])?;
            admin(&["ktadd", "-k", &keytab, service])?;
        }
        for service in &self.impersonating {
            admin(&["modprinc", "+ok_to_auth_as_delegate", service])?;
        }
        for (service, targets) in &self.delegating {
            let directory = directory.ok_or("only a directory can say to whom a service delegates")?;
            directory.allow(folder, &self.name, service, targets)?;
        }
        on_free_port(|port| {
            self.write_mit_configuration(folder, port, directory)?;
            // Truncated: what an attempt on another port logged must not look like success.
            fs::write(folder.join("kdc.log"), b"")?;
            // A copy of its own: it notices when the file that clients read changes.
            let own = folder.join("kdc-krb5.conf");
            fs::copy(folder.join("krb5.conf"), &own)?;
            let mut command = command_in(folder, &Peer::KRB5KDC.find()?);
            command.env("KRB5_CONFIG", own).envs(directory.map(Directory::libraries));
            // It runs in the foreground and also logs to standard error, which tells when it is ready. A successful
            // connection would not: it could be another realm's KDC.
            command.args(["-n", "-r", &self.name]);
            let mut kdc = Running::start(command)?;
            kdc.wait_for("commencing operation", PATIENCE)?;
            Ok(kdc)
        })
    }

    fn start_own(&self, folder: &Path) -> Result<(Running, u16), Failure> {
        let mut command = command_in(folder, orthros()?);
        command.args(["kdc", "--realm", &self.name, "--dir"]).arg(folder);
        for (name, password) in &self.principals {
            command.args(["--principal", &format!("{name}={password}")]);
        }
        for service in &self.services {
            command.args(["--service", service]);
        }
        for service in &self.impersonating {
            command.args(["--impersonates", service]);
        }
        for (service, targets) in &self.delegating {
            let pairs = targets.iter().map(|target| format!("{service}={target}"));
            pairs.for_each(|pair| {
                command.args(["--delegates-to", &pair]);
            });
        }
        for enctype in &self.enctypes {
            command.args(["--enctype", enctype.name()]);
        }
        let mut kdc = Running::start(command)?;
        let ready: Value = serde_json::from_str(&kdc.first_line(PATIENCE)?)?;
        let port = ready.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
        Ok((kdc, port.ok_or_else(|| Failure::new(format!("the KDC names no port: {ready}")))?))
    }

    /// Writes `krb5.conf`, which serves MIT's programs, Heimdal's and ours.
    fn write_configuration(&self, folder: &Path, port: u16) -> Result<(), Failure> {
        let name = &self.name;
        let more = &self.more;
        let enctypes = self.enctype_names().join(" ");
        let weak = Enctype::WEAK.iter().any(|weak| self.enctypes.contains(weak));
        fs::write(
            folder.join("krb5.conf"),
            format!(
                "[libdefaults]\n\
                 \tdefault_realm = {name}\n\
                 \tdns_lookup_kdc = false\n\
                 \tdns_lookup_realm = false\n\
                 \tdns_canonicalize_hostname = false\n\
                 \trdns = false\n\
                 \tforwardable = true\n\
                 \tpermitted_enctypes = {enctypes}\n\
                 \tdefault_tkt_enctypes = {enctypes}\n\
                 \tdefault_tgs_enctypes = {enctypes}\n\
                 \tdefault_etypes = {enctypes}\n\
                 \tallow_rc4 = {weak}\n\
                 \tallow_des3 = {weak}\n\
                 [realms]\n\
                 \t{name} = {{\n\
                 \t\tkdc = 127.0.0.1:{port}\n\
                 \t}}\n\
                 [domain_realm]\n\
                 \tlocalhost = {name}\n\
                 {more}"
            ),
        )?;
        Ok(())
    }

    fn enctype_names(&self) -> Vec<&'static str> {
        self.enctypes.iter().map(|enctype| enctype.name()).collect()
    }

    fn write_mit_configuration(
        &self,
        folder: &Path,
        port: u16,
        directory: Option<&Directory>,
    ) -> Result<(), Failure> {
        self.write_configuration(folder, port)?;
        let name = &self.name;
        let here = folder.display();
        let names = self.enctype_names();
        let with_salt: Vec<String> = names.iter().map(|enctype| format!("{enctype}:normal")).collect();
        let supported = with_salt.join(" ");
        let database = match directory {
            None => format!("database_name = {here}/principal"),
            Some(_) => "database_module = directory".to_owned(),
        };
        let module = directory.map(Directory::module).unwrap_or_default();
        let master = names.first().ok_or("a realm needs an encryption type")?;
        fs::write(
            folder.join("kdc.conf"),
            format!(
                "[kdcdefaults]\n\
                 \tkdc_listen = 127.0.0.1:{port}\n\
                 \tkdc_tcp_listen = 127.0.0.1:{port}\n\
                 [realms]\n\
                 \t{name} = {{\n\
                 \t\t{database}\n\
                 \t\tkey_stash_file = {here}/stash\n\
                 \t\tacl_file = {here}/kadm5.acl\n\
                 \t\tmaster_key_type = {master}\n\
                 \t\tsupported_enctypes = {supported}\n\
                 \t\tmax_renewable_life = 7d\n\
                 \t\thost_based_services = *\n\
                 \t}}\n\
                 [logging]\n\
                 \tkdc = FILE:{here}/kdc.log\n\
                 \tkdc = STDERR\n\
                 \tadmin_server = FILE:{here}/admin.log\n\
                 {module}"
            ),
        )?;
        Ok(())
    }
}

impl Realm {
    /// A realm of this name, with [`Enctype::AES`] and nobody in it yet.
    pub fn build(name: &str) -> RealmBuilder {
        RealmBuilder {
            name: name.to_owned(),
            enctypes: Enctype::AES.to_vec(),
            principals: Vec::new(),
            services: Vec::new(),
            trusts: Vec::new(),
            impersonating: Vec::new(),
            delegating: Vec::new(),
            more: String::new(),
        }
    }

    /// The realm's folder: a place for whatever a scenario needs, gone afterwards.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a `krb5.conf` for this realm's programs that knows the KDCs of other realms too, by name and port.
    /// `host` is mapped to a realm if that is given, and to nothing otherwise; `more` is added as it is. The KDC
    /// has its own file.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn configure_clients(
        &self,
        others: &[(&str, u16)],
        host: Option<(&str, &str)>,
        more: &str,
    ) -> Result<(), Failure> {
        let kdcs: String = std::iter::once((self.name.as_str(), self.port))
            .chain(others.iter().copied())
            .map(|(name, port)| format!("\t{name} = {{\n\t\tkdc = 127.0.0.1:{port}\n\t}}\n"))
            .collect();
        let mapping = host.map(|(host, realm)| format!("[domain_realm]\n\t{host} = {realm}\n"));
        let text = format!(
            "[libdefaults]\n\
             \tdefault_realm = {}\n\
             \tdns_lookup_kdc = false\n\
             \tdns_lookup_realm = false\n\
             \tdns_canonicalize_hostname = false\n\
             \trdns = false\n\
             [realms]\n{kdcs}{}{more}",
            self.name,
            mapping.unwrap_or_default()
        );
        fs::write(&self.config, text)?;
        Ok(())
    }

    /// The pid of its KDC.
    pub fn kdc_pid(&self) -> u32 {
        self.kdc.pid()
    }

    /// What the KDC printed so far; MIT's logs each request.
    pub fn kdc_log(&self) -> String {
        self.kdc.stdout() + &self.kdc.stderr()
    }

    /// The whole environment of programs in this realm.
    pub fn env(&self) -> Vec<(&'static str, OsString)> {
        environment_in(self.folder())
    }

    /// A command that runs `program` in this realm.
    pub fn command(&self, program: &Path) -> Command {
        command_in(self.folder(), program)
    }

    /// Runs a peer's program in this realm until it ends.
    ///
    /// # Errors
    /// It is missing or did not end in time; a bad exit status is not an error here.
    pub fn peer(&self, peer: Peer, words: &[&str], input: &str) -> Result<Finished, Failure> {
        let mut command = peer_in(self.folder(), peer)?;
        command.args(words);
        process::run(command, input.as_bytes())
    }

    /// Runs our command in this realm until it ends.
    ///
    /// # Errors
    /// As [`peer`](Self::peer).
    pub fn orthros(&self, words: &[&str], input: &str) -> Result<Finished, Failure> {
        let mut command = self.command(orthros()?);
        command.args(words);
        process::run(command, input.as_bytes())
    }

    /// Gets a ticket-granting ticket for a principal of this realm, with its password on standard input.
    ///
    /// # Errors
    /// The principal was not given to the builder, or the program failed.
    pub fn kinit(&self, side: Side, name: &str, flags: &[&str]) -> Result<Finished, Failure> {
        let password = self
            .principals
            .iter()
            .find_map(|(known, password)| (known == name).then_some(password))
            .ok_or_else(|| Failure::new(format!("the realm was built without principal {name}")))?;
        let mut words = flags.to_vec();
        words.push(name);
        let input = format!("{password}\n");
        match side {
            Side::Mit => self.peer(Peer::KINIT, &words, &input),
            Side::Heimdal => {
                words.insert(0, "--password-file=STDIN");
                self.peer(Peer::HEIMDAL_KINIT, &words, &input)
            }
            Side::Own => {
                words.insert(0, "kinit");
                self.orthros(&words, &input)
            }
        }?
        .success()
    }

    /// Lists the default cache; for MIT and Heimdal with flags, encryption types and addresses.
    ///
    /// # Errors
    /// The program failed, for example because there is no cache.
    pub fn klist(&self, side: Side) -> Result<String, Failure> {
        let finished = match side {
            Side::Mit => self.peer(Peer::KLIST, &["-e", "-f", "-a", "-n"], ""),
            Side::Heimdal => self.peer(Peer::HEIMTOOLS, &["klist", "-v"], ""),
            Side::Own => self.orthros(&["klist"], ""),
        }?;
        Ok(finished.success()?.stdout)
    }
}

/// Our command: what `ORTHROS_BIN` names, else built once from this workspace.
///
/// # Errors
/// `ORTHROS_BIN` names no file, or the build failed.
pub fn orthros() -> Result<&'static Path, Failure> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY
        .get_or_init(|| match std::env::var_os("ORTHROS_BIN") {
            Some(named) if Path::new(&named).is_file() => Ok(PathBuf::from(named)),
            Some(named) => Err(format!("ORTHROS_BIN names no file: {}", named.display())),
            None => build_orthros().map_err(|why| why.to_string()),
        })
        .as_deref()
        .map_err(|why| Failure::new(why.clone()))
}

fn build_orthros() -> Result<PathBuf, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--package=orthros-cli",
        "--message-format=json-render-diagnostics",
    ]);
    let built = Running::start(command)?.finish(PATIENCE * 20)?.success()?;
    built
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message.get("executable").and_then(Value::as_str).map(PathBuf::from))
        .ok_or_else(|| built.complaint("named no executable"))
}

/// Tries `start` with ports of 127.0.0.1 that were free a moment ago, until one holds.
///
/// # Errors
/// That of the fifth attempt.
pub fn on_free_port(
    mut start: impl FnMut(u16) -> Result<Running, Failure>,
) -> Result<(Running, u16), Failure> {
    let mut attempts = 0;
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        attempts += 1;
        match start(port) {
            Ok(running) => return Ok((running, port)),
            Err(why) if attempts == 5 => return Err(why),
            Err(_) => {}
        }
    }
}

/// A command that runs a peer's program in the realm of `folder`, with its own libraries if it has some.
fn peer_in(folder: &Path, peer: Peer) -> Result<Command, Failure> {
    let mut command = command_in(folder, &peer.find()?);
    command.envs(peer.libraries().map(|libraries| ("LD_LIBRARY_PATH", libraries)));
    Ok(command)
}

fn command_in(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment_in(folder)).current_dir(folder);
    command
}

fn environment_in(folder: &Path) -> Vec<(&'static str, OsString)> {
    let at = |name: &str| folder.join(name).into_os_string();
    let file = |name: &str| {
        let mut value = OsString::from("FILE:");
        value.push(at(name));
        value
    };
    vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("HOME", folder.as_os_str().to_owned()),
        ("TMPDIR", folder.as_os_str().to_owned()),
        ("XDG_RUNTIME_DIR", at("runtime")),
        ("LC_ALL", "C".into()),
        ("KRB5_CONFIG", at("krb5.conf")),
        ("KRB5_KDC_PROFILE", at("kdc.conf")),
        ("KRB5CCNAME", file("ccache")),
        ("KRB5_KTNAME", file("keytab")),
        ("KRB5RCACHEDIR", folder.as_os_str().to_owned()),
    ]
}
