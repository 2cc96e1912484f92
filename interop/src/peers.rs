//! Where the peers' programs are, and which Debian package brings each.
//!
//! Heimdal's packages conflict with MIT's. Hence they are not installed: `cargo xtask test --install` unpacks them in
//! `peers/heimdal` of cargo's target folder, and the programs run from there with the libraries beside them.

use std::fmt;
use std::path::{Path, PathBuf};

/// A program, library or header that scenarios need, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// The name of the file, or the whole path of a file that is neither program nor library.
    pub program: &'static str,
    /// The Debian 12 package.
    pub package: &'static str,
    /// Where it is looked for.
    pub place: Place,
}

/// Where a peer's files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In `PATH`, `/usr/sbin`, `/sbin`, or at the path that the peer names.
    Installed,
    /// Where the machine's libraries are, `/usr/lib/TRIPLET`.
    Library,
    /// In a folder of this name in `target/peers`, which holds unpacked packages.
    Unpacked(&'static str),
}

macro_rules! peers {
    ($($(#[$doc:meta])* $name:ident = $program:literal from $package:literal in $place:expr;)+) => {
        impl Peer {
            $($(#[$doc])* pub const $name: Self = Self { program: $program, package: $package, place: $place };)+

            /// Every program that some scenario may need.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

/// Where Heimdal is.
const HEIMDAL: Place = Place::Unpacked("heimdal");

peers! {
    /// MIT's KDC.
    KRB5KDC = "krb5kdc" from "krb5-kdc" in Place::Installed;
    /// Makes MIT's database.
    KDB5_UTIL = "kdb5_util" from "krb5-kdc" in Place::Installed;
    /// Fills MIT's database.
    KADMIN_LOCAL = "kadmin.local" from "krb5-admin-server" in Place::Installed;
    /// Changes MIT's database for others.
    KADMIND = "kadmind" from "krb5-admin-server" in Place::Installed;
    /// Asks `kadmind`.
    KADMIN = "kadmin" from "krb5-user" in Place::Installed;
    /// MIT's way to a ticket.
    KINIT = "kinit" from "krb5-user" in Place::Installed;
    /// MIT's view of a cache or keytab.
    KLIST = "klist" from "krb5-user" in Place::Installed;
    /// MIT's way to a service ticket.
    KVNO = "kvno" from "krb5-user" in Place::Installed;
    /// MIT's choice among caches.
    KSWITCH = "kswitch" from "krb5-user" in Place::Installed;
    /// MIT's keytab editor.
    KTUTIL = "ktutil" from "krb5-user" in Place::Installed;
    /// MIT's sample initiator.
    GSS_CLIENT = "gss-client" from "krb5-gss-samples" in Place::Installed;
    /// MIT's sample acceptor.
    GSS_SERVER = "gss-server" from "krb5-gss-samples" in Place::Installed;
    /// Line buffering for `gss-server`.
    STDBUF = "stdbuf" from "coreutils" in Place::Installed;
    /// MIT's library, for `c/sample.c`.
    MIT_GSS = "libgssapi_krb5.so.2" from "libgssapi-krb5-2" in Place::Library;
    /// MIT's cryptography, for `c/k5crypto.c`.
    MIT_CRYPTO = "libk5crypto.so.3" from "libk5crypto3" in Place::Library;
    /// MIT's Kerberos library, for `c/profile.c`.
    MIT_KRB5 = "libkrb5.so.3" from "libkrb5-3" in Place::Library;
    /// Builds the programs in `c`.
    CC = "cc" from "gcc" in Place::Installed;
    /// The headers of C itself, for the programs in `c`.
    C_HEADERS = "/usr/include/stdio.h" from "libc6-dev" in Place::Installed;
    /// Builds programs in C++.
    CXX = "c++" from "g++" in Place::Installed;
    /// Makes a locale.
    LOCALEDEF = "localedef" from "libc-bin" in Place::Installed;
    /// Turkish, for it.
    TURKISH = "/usr/share/i18n/locales/tr_TR" from "locales" in Place::Installed;
    /// Watches a program's memory.
    VALGRIND = "valgrind" from "valgrind" in Place::Installed;
    /// Ends a program at a system call.
    STRACE = "strace" from "strace" in Place::Installed;
    /// Reads symbol tables.
    READELF = "readelf" from "binutils" in Place::Installed;
    /// MIT's GSS-API headers.
    MIT_HEADERS = "mit-krb5/gssapi/gssapi.h" from "krb5-multidev" in Place::Unpacked("mit-headers");
    /// A header that MIT's include.
    COM_ERR_HEADER = "et/com_err.h" from "comerr-dev" in Place::Unpacked("mit-headers");
    /// Shows manual pages.
    MAN = "man" from "man-db" in Place::Installed;
    /// Makes handbooks for info(1).
    MAKEINFO = "makeinfo" from "texinfo" in Place::Installed;
    /// Makes and unpacks Debian's packages.
    DPKG_DEB = "dpkg-deb" from "dpkg" in Place::Installed;
    /// Makes the dynamic linker's table.
    LDCONFIG = "/sbin/ldconfig" from "libc-bin" in Place::Installed;
    /// A program with more rights than its caller, unless that is root.
    SU = "/bin/su" from "util-linux" in Place::Installed;
    /// Python's binding of MIT's library.
    PYTHON_GSSAPI = "/usr/lib/python3/dist-packages/gssapi/__init__.py" from "python3-gssapi" in Place::Installed;
    /// The newest binding, with its own tests.
    PYTHON_GSSAPI_SUITE = "python" from "gssapi 1.12.0 of the Python package index" in Place::Unpacked("python-gssapi");
    /// Runs programs in Python: Debian's own, for which the binding is packaged.
    PYTHON = "/usr/bin/python3" from "python3" in Place::Installed;
    /// Asks web servers.
    CURL = "curl" from "curl" in Place::Installed;
    /// PostgreSQL's server.
    POSTGRES = "/usr/lib/postgresql/15/bin/postgres" from "postgresql-15" in Place::Installed;
    /// Makes a cluster of PostgreSQL's.
    INITDB = "/usr/lib/postgresql/15/bin/initdb" from "postgresql-15" in Place::Installed;
    /// PostgreSQL's client itself; what `PATH` finds under this name is a script that chooses a version.
    PSQL = "/usr/lib/postgresql/15/bin/psql" from "postgresql-client-15" in Place::Installed;
    /// BIND's name server.
    NAMED = "named" from "bind9" in Place::Installed;
    /// BIND's way to change a zone.
    NSUPDATE = "nsupdate" from "bind9-dnsutils" in Place::Installed;
    /// Asks name servers.
    DIG = "dig" from "bind9-dnsutils" in Place::Installed;
    /// DNS in Python.
    PYTHON_DNS = "/usr/lib/python3/dist-packages/dns/__init__.py" from "python3-dnspython" in Place::Installed;
    /// Remote procedure calls, for `c/rpc.c`.
    TIRPC_HEADERS = "/usr/include/tirpc/rpc/rpcsec_gss.h" from "libtirpc-dev" in Place::Installed;
    /// OpenSSH's server.
    SSHD = "sshd" from "openssh-server" in Place::Installed;
    /// OpenSSH's client.
    SSH = "ssh" from "openssh-client" in Place::Installed;
    /// Makes OpenSSH's keys.
    SSH_KEYGEN = "ssh-keygen" from "openssh-client" in Place::Installed;
    /// Apache's web server.
    APACHE = "apache2" from "apache2-bin" in Place::Installed;
    /// Apache's way to the GSS-API.
    MOD_AUTH_GSSAPI = "/usr/lib/apache2/modules/mod_auth_gssapi.so" from "libapache2-mod-auth-gssapi"
        in Place::Installed;
    /// A browser itself; what `PATH` finds under this name is a script that starts it.
    CHROMIUM = "/usr/lib/chromium/chromium" from "chromium" in Place::Installed;
    /// OpenLDAP's server.
    SLAPD = "slapd" from "slapd" in Place::Installed;
    /// OpenLDAP's way to ask who one is.
    LDAPWHOAMI = "ldapwhoami" from "ldap-utils" in Place::Installed;
    /// OpenLDAP's way to ask for entries.
    LDAPSEARCH = "ldapsearch" from "ldap-utils" in Place::Installed;
    /// SASL's GSSAPI and GSS-SPNEGO.
    SASL_GSSAPI = "sasl2/libgssapiv2.so" from "libsasl2-modules-gssapi-mit" in Place::Library;
    /// SASL's GS2-KRB5.
    SASL_GS2 = "sasl2/libgs2.so" from "libsasl2-modules-gssapi-mit" in Place::Library;
    /// Fills a directory.
    LDAPMODIFY = "ldapmodify" from "ldap-utils" in Place::Installed;
    /// Makes MIT's database in a directory, the only one of its kinds that can say to whom a service may delegate.
    KDB5_LDAP_UTIL = "kdb5_ldap_util" from "krb5-kdc-ldap" in Place::Unpacked("mit-ldap");
    /// Heimdal's KDC.
    HEIMDAL_KDC = "kdc" from "heimdal-kdc" in HEIMDAL;
    /// Makes and fills Heimdal's database.
    HEIMDAL_KADMIN = "kadmin.heimdal" from "heimdal-clients" in HEIMDAL;
    /// Heimdal's way to a ticket.
    HEIMDAL_KINIT = "kinit.heimdal" from "heimdal-clients" in HEIMDAL;
    /// Heimdal's view of a cache.
    HEIMTOOLS = "heimtools" from "heimdal-clients" in HEIMDAL;
    /// Heimdal's way to a service ticket.
    KGETCRED = "kgetcred" from "heimdal-clients" in HEIMDAL;
    /// Heimdal's keytab editor.
    HEIMDAL_KTUTIL = "ktutil.heimdal" from "heimdal-clients" in HEIMDAL;
    /// Heimdal's library, for `c/sample.c`.
    HEIMDAL_GSS = "libgssapi.so.3" from "libgssapi3-heimdal" in HEIMDAL;
    /// Heimdal's Kerberos library, for `c/lent.c`.
    HEIMDAL_KRB5 = "libkrb5.so.26" from "libkrb5-26-heimdal" in HEIMDAL;
    /// Heimdal's GSS-API headers.
    HEIMDAL_HEADERS = "heimdal/gssapi/gssapi.h" from "heimdal-multidev" in HEIMDAL;
    /// Heimdal's view of its GSS library.
    GSSTOOL = "gsstool" from "heimdal-clients" in HEIMDAL;
    /// Either end of a context, on GNU's library.
    GNU_TOOL = "gss" from "libgss-dev" in Place::Unpacked("gnu");
    /// GNU's library.
    GNU_GSS = "libgss.so.3" from "libgss3" in Place::Unpacked("gnu");
    /// GNU's headers.
    GNU_HEADERS = "gss.h" from "libgss-dev" in Place::Unpacked("gnu");
    /// NTLM, a plug-in of MIT's library.
    NTLMSSP = "gssntlmssp/gssntlmssp.so" from "gss-ntlmssp" in Place::Unpacked("ntlmssp");
    /// What it asks Samba by.
    WBCLIENT = "libwbclient.so.0" from "libwbclient0" in Place::Library;
    /// Compiles with nullability and modules.
    CLANG = "clang" from "clang" in Place::Installed;
    /// Answers what a library is compiled with.
    PKG_CONFIG = "pkg-config" from "pkgconf" in Place::Installed;
}

impl Peer {
    /// What an MIT realm needs.
    pub const MIT_REALM: &'static [Self] = &[Self::KRB5KDC, Self::KDB5_UTIL, Self::KADMIN_LOCAL];
    /// What MIT's tools and sample programs need.
    pub const MIT_TOOLS: &'static [Self] =
        &[Self::KINIT, Self::KLIST, Self::KVNO, Self::GSS_CLIENT, Self::GSS_SERVER, Self::STDBUF];
    /// An MIT realm, MIT's tools and MIT's sample programs.
    pub const MIT: &'static [Self] = &[
        Self::KRB5KDC,
        Self::KDB5_UTIL,
        Self::KADMIN_LOCAL,
        Self::KINIT,
        Self::KLIST,
        Self::KVNO,
        Self::GSS_CLIENT,
        Self::GSS_SERVER,
        Self::STDBUF,
    ];

    /// What an MIT realm needs whose database is in a directory.
    pub const MIT_LDAP: &'static [Self] = &[Self::SLAPD, Self::LDAPMODIFY, Self::KDB5_LDAP_UTIL];

    /// Heimdal: KDC, tools and library.
    pub const HEIMDAL: &'static [Self] = &[
        Self::HEIMDAL_KDC,
        Self::HEIMDAL_KADMIN,
        Self::HEIMDAL_KINIT,
        Self::HEIMTOOLS,
        Self::KGETCRED,
        Self::HEIMDAL_KTUTIL,
        Self::HEIMDAL_GSS,
        Self::CC,
        Self::C_HEADERS,
    ];

    /// Where it is: the first file of its name in the folders of its [`Place`]; a program is executable. (Servers
    /// are not in the `PATH` of an ordinary user, but that is no reason to miss them.)
    ///
    /// # Errors
    /// It is in none of them.
    pub fn find(self) -> Result<PathBuf, Missing> {
        let named = Path::new(self.program);
        let is_other = [".h", ".so"].iter().any(|end| self.program.ends_with(end));
        let is_program = self.place != Place::Library && !self.program.contains(".so.") && !is_other;
        self.folders()
            .into_iter()
            .map(|folder| folder.join(named))
            .find(
                |file| {
                    if is_program && !named.is_absolute() { is_executable(file) } else { file.is_file() }
                },
            )
            .ok_or(Missing(vec![self]))
    }

    /// The folder of the libraries that an unpacked peer needs beside the machine's own.
    pub fn libraries(self) -> Option<PathBuf> {
        let Place::Unpacked(name) = self.place else { return None };
        of_libraries(&unpacked(name).join("usr/lib")).into_iter().next()
    }

    fn folders(self) -> Vec<PathBuf> {
        match self.place {
            Place::Installed => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let servers = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
                std::env::split_paths(&path).chain(servers).collect()
            }
            Place::Library => of_libraries(Path::new("/usr/lib")),
            Place::Unpacked(name) => {
                let root = unpacked(name).join("usr");
                let servers = root.join("lib").join(format!("{name}-servers"));
                let mut folders = vec![root.join("bin"), root.join("sbin"), servers, root.join("include")];
                folders.extend(of_libraries(&root.join("lib")));
                folders
            }
        }
    }
}

/// Where cargo puts what it builds, and where peers are built and unpacked.
pub fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let given = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = root.join(given);
    folder.canonicalize().unwrap_or(folder)
}

/// Where the unpacked packages of one peer are.
fn unpacked(name: &str) -> PathBuf {
    target().join("peers").join(name)
}

/// The folders in `lib` that are named after a machine and a system, `x86_64-linux-gnu`.
fn of_libraries(lib: &Path) -> Vec<PathBuf> {
    let Ok(entries) = lib.read_dir() else { return Vec::new() };
    let folders = entries.flatten().map(|entry| entry.path());
    folders.filter(|folder| folder.to_string_lossy().ends_with("-linux-gnu")).collect()
}

/// The peers that a scenario needs and this machine lacks; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<Peer>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("missing peers: ")?;
        for (place, peer) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            let whence = if *peer == Peer::PYTHON_GSSAPI_SUITE { "" } else { "Debian package " };
            write!(f, "{comma}{} ({whence}{})", peer.program, peer.package)?;
        }
        Ok(())
    }
}

impl std::error::Error for Missing {}

impl From<Missing> for crate::Failure {
    fn from(missing: Missing) -> Self {
        Self::new(missing.to_string())
    }
}

/// Checks that every one of these programs is here.
///
/// # Errors
/// Those that are not, each with its package.
pub fn require(needs: &[Peer]) -> Result<(), Missing> {
    let missing: Vec<Peer> = needs.iter().copied().filter(|peer| peer.find().is_err()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Missing(missing)) }
}

/// Whether a missing peer is a failure rather than a skip: `ORTHROS_REQUIRE_PEERS` is `1`.
pub fn are_required() -> bool {
    std::env::var_os("ORTHROS_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Peer =
        Peer { program: "no-program-has-this-name", package: "no-package", place: Place::Installed };

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        let missing = require(&[ABSENT]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "missing peers: no-program-has-this-name (Debian package no-package)"
        );
    }

    #[test]
    fn a_program_of_every_machine_is_found() {
        let shell = Peer { program: "sh", package: "dash", place: Place::Installed };
        assert!(shell.find().unwrap().is_absolute());
        assert!(require(&[shell]).is_ok());
    }
}
