//! A directory in which MIT's KDC has its database: of those that Debian packages, the only kind that can say to whom
//! a service may delegate (`krbAllowedToDelegateTo`).
//!
//! OpenLDAP's server listens on a socket in the realm's folder. Schema and plug-in are those of the unpacked package.

use std::ffi::OsString;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{command_in, peer_in};
use crate::failure::Failure;
use crate::peers::Peer;
use crate::process::{self, PATIENCE, Running};

/// Who may do everything, in a directory that nobody else can reach.
const ADMINISTRATOR: &str = "cn=admin,dc=test";
const PASSWORD: &str = "secret";

/// The server; it ends when dropped.
#[derive(Debug)]
pub(super) struct Directory {
    _server: Running,
    url: String,
    /// The unpacked package's `usr`.
    package: PathBuf,
    /// Where the password of the administrator stands, as the KDC reads it.
    password_file: PathBuf,
}

impl Directory {
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let program = Peer::KDB5_LDAP_UTIL.find()?;
        let package = program.ancestors().nth(2).ok_or("the package has no root")?.to_owned();
        let compressed = package.join("share/doc/krb5-kdc-ldap/kerberos.schema.gz");
        let mut command = command_in(folder, Path::new("gzip"));
        command.args(["--decompress", "--stdout"]).arg(compressed);
        fs::write(folder.join("kerberos.schema"), process::run(command, b"")?.success()?.stdout)?;
        fs::create_dir(folder.join("directory"))?;
        let here = folder.display();
        fs::write(
            folder.join("slapd.conf"),
            format!(
                "include /etc/ldap/schema/core.schema\n\
                 include {here}/kerberos.schema\n\
                 modulepath /usr/lib/ldap\n\
                 moduleload back_mdb\n\
                 pidfile {here}/slapd.pid\n\
                 database mdb\n\
                 suffix dc=test\n\
                 rootdn {ADMINISTRATOR}\n\
                 rootpw {PASSWORD}\n\
                 directory {here}/directory\n"
            ),
        )?;
        let url = format!("ldapi://{}", folder.join("ldapi").display().to_string().replace('/', "%2F"));
        let mut command = peer_in(folder, Peer::SLAPD)?;
        // With a level of its own it stays in the foreground, and says when it is ready.
        command.args(["-f", "slapd.conf", "-h", &url, "-d", "stats"]);
        let mut server = Running::start(command)?;
        server.wait_for("slapd starting", PATIENCE)?;
        // It says so before it listens.
        let begun = Instant::now();
        while UnixStream::connect(folder.join("ldapi")).is_err() {
            if !server.is_alive() || begun.elapsed() > PATIENCE {
                return Err(Failure::new("slapd does not listen").while_doing(server.stderr()));
            }
            sleep(Duration::from_millis(5));
        }
        let password_file = folder.join("directory-password");
        let hex: String = PASSWORD.bytes().map(|octet| format!("{octet:02x}")).collect();
        fs::write(&password_file, format!("{ADMINISTRATOR}#{{HEX}}{hex}\n"))?;
        let directory = Self { _server: server, url, package, password_file };
        let root = "dn: dc=test\nobjectClass: dcObject\nobjectClass: organization\no: test\ndc: test\n";
        directory.change(folder, &["-a"], root)?;
        Ok(directory)
    }

    /// The words that make `kdb5_ldap_util` create a realm.
    pub(super) fn create_words<'a>(&'a self, realm: &'a str) -> [&'a str; 14] {
        let who = ["-D", ADMINISTRATOR, "-w", PASSWORD, "-H", &self.url];
        let [a, b, c, d, e, f] = who;
        [a, b, c, d, e, f, "create", "-subtrees", "dc=test", "-r", realm, "-s", "-P", "master"]
    }

    /// Where the KDC's plug-in finds its libraries.
    pub(super) fn libraries(&self) -> (&'static str, OsString) {
        ("LD_LIBRARY_PATH", self.plug_ins().into_os_string())
    }

    fn plug_ins(&self) -> PathBuf {
        let libraries = Peer::KDB5_LDAP_UTIL.libraries().unwrap_or_else(|| self.package.join("lib"));
        libraries.join("krb5")
    }

    /// The section of `kdc.conf` that names the directory.
    pub(super) fn module(&self) -> String {
        format!(
            "[dbmodules]\n\
             \tdb_module_dir = {}\n\
             \tdirectory = {{\n\
             \t\tdb_library = kldap\n\
             \t\tldap_kerberos_container_dn = cn=krb,dc=test\n\
             \t\tldap_kdc_dn = {ADMINISTRATOR}\n\
             \t\tldap_kadmind_dn = {ADMINISTRATOR}\n\
             \t\tldap_service_password_file = {}\n\
             \t\tldap_servers = {}\n\
             \t}}\n",
            self.plug_ins().join("plugins/kdb").display(),
            self.password_file.display(),
            self.url
        )
    }

    /// Lets a service be its clients to these targets.
    pub(super) fn allow(
        &self,
        folder: &Path,
        realm: &str,
        service: &str,
        targets: &[String],
    ) -> Result<(), Failure> {
        let mut entry = format!(
            "dn: krbPrincipalName={service}@{realm},cn={realm},cn=krb,dc=test\n\
             changetype: modify\nadd: krbAllowedToDelegateTo\n"
        );
        for target in targets {
            entry += &format!("krbAllowedToDelegateTo: {target}@{realm}\n");
        }
        self.change(folder, &[], &entry)
    }

    fn change(&self, folder: &Path, words: &[&str], entries: &str) -> Result<(), Failure> {
        let mut command = peer_in(folder, Peer::LDAPMODIFY)?;
        command.args(["-x", "-H", &self.url, "-D", ADMINISTRATOR, "-w", PASSWORD]).args(words);
        process::run(command, entries.as_bytes())?.success().map(drop)
    }
}
