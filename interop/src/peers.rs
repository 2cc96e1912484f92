//! Where the peers' programs are, and which Debian package brings each.

use std::fmt;
use std::path::{Path, PathBuf};

/// A program that scenarios run, and the Debian package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer {
    /// The file name of the program, or the whole path of a file that is none.
    pub program: &'static str,
    /// The Debian 12 package.
    pub package: &'static str,
}

macro_rules! peers {
    ($($(#[$doc:meta])* $name:ident = $program:literal from $package:literal;)+) => {
        impl Peer {
            $($(#[$doc])* pub const $name: Self = Self { program: $program, package: $package };)+

            /// Every program that some scenario may need.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

peers! {
    /// MIT's KDC.
    KRB5KDC = "krb5kdc" from "krb5-kdc";
    /// Makes MIT's database.
    KDB5_UTIL = "kdb5_util" from "krb5-kdc";
    /// Fills MIT's database.
    KADMIN_LOCAL = "kadmin.local" from "krb5-admin-server";
    /// MIT's way to a ticket.
    KINIT = "kinit" from "krb5-user";
    /// MIT's view of a cache or keytab.
    KLIST = "klist" from "krb5-user";
    /// MIT's way to a service ticket.
    KVNO = "kvno" from "krb5-user";
    /// MIT's keytab editor.
    KTUTIL = "ktutil" from "krb5-user";
    /// MIT's sample initiator.
    GSS_CLIENT = "gss-client" from "krb5-gss-samples";
    /// MIT's sample acceptor.
    GSS_SERVER = "gss-server" from "krb5-gss-samples";
    /// Debian's own interpreter, for [`Self::PYTHON_GSSAPI`].
    PYTHON = "/usr/bin/python3" from "python3";
    /// MIT's library for Python programs.
    PYTHON_GSSAPI = "/usr/lib/python3/dist-packages/gssapi/__init__.py" from "python3-gssapi";
    /// Line buffering for `gss-server`.
    STDBUF = "stdbuf" from "coreutils";
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

    /// Where the program is: the first executable file of its name in `PATH`, `/usr/sbin` or `/sbin` (servers are
    /// not in the `PATH` of an ordinary user).
    ///
    /// # Errors
    /// It is in none of them.
    pub fn find(self) -> Result<PathBuf, Missing> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
            .map(|folder| folder.join(self.program))
            .find(|file| {
                is_executable(file)
                    || file.is_absolute() && *file == Path::new(self.program) && file.is_file()
            })
            .ok_or(Missing(vec![self]))
    }
}

/// The peers that a scenario needs and this machine lacks; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(Vec<Peer>);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("missing peers: ")?;
        for (place, peer) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{} (Debian package {})", peer.program, peer.package)?;
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

    const ABSENT: Peer = Peer { program: "no-program-has-this-name", package: "no-package" };

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
        let shell = Peer { program: "sh", package: "dash" };
        assert!(shell.find().unwrap().is_absolute());
        assert!(require(&[shell]).is_ok());
    }
}
