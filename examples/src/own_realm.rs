//! A realm for one run of one program.

use std::fs;
use std::path::{Path, PathBuf};

use orthros::random::SystemRandom;
use orthros::{Config, KeytabName, Orthros};
use orthros_kdc::{Listener, Realm};
use tempfile::TempDir;

use crate::Outcome;

/// The realm `EXAMPLE.TEST` with its KDC, a service `host/localhost`, and a folder with `krb5.conf` and `keytab`.
/// Everything is gone when it is dropped.
pub struct OwnRealm {
    kdc: Listener,
    folder: TempDir,
}

impl OwnRealm {
    /// Starts it for these users, each with a password.
    ///
    /// # Errors
    /// Those of the system: no socket, or no temporary folder.
    pub fn start(users: &[(&str, &str)]) -> Outcome<Self> {
        let realm = Realm::builder("EXAMPLE.TEST").service("host/localhost");
        let realm = users.iter().fold(realm, |realm, (user, password)| realm.principal(*user, *password));
        let kdc = Listener::start(realm.build(&SystemRandom)?)?;
        let own = Self { kdc, folder: tempfile::tempdir()? };
        fs::write(own.folder().join("krb5.conf"), own.config_text())?;
        let keytab = own.kdc.realm().keytab("host/localhost")?;
        Orthros::builder().build().write_keytab(&KeytabName::File(own.keytab()), keytab)?;
        Ok(own)
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The keytab of `host/localhost`.
    pub fn keytab(&self) -> PathBuf {
        self.folder().join("keytab")
    }

    /// What a client needs to find the KDC.
    ///
    /// # Errors
    /// None in practice: the text is this file's own.
    pub fn config(&self) -> Outcome<Config> {
        Ok(Config::parse(&self.config_text())?)
    }

    /// What a client or server in this realm needs, with the keytab as the default one.
    ///
    /// # Errors
    /// As [`config`](Self::config).
    pub fn orthros(&self) -> Outcome<Orthros> {
        let keytab = KeytabName::File(self.keytab());
        Ok(Orthros::builder().config(self.config()?).default_keytab(keytab).build())
    }

    fn config_text(&self) -> String {
        let kdc = self.kdc.address();
        format!(
            "[libdefaults]\ndefault_realm = EXAMPLE.TEST\ndns_lookup_kdc = false\ndns_canonicalize_hostname = false\n\
             [realms]\nEXAMPLE.TEST = {{\n    kdc = {kdc}\n}}\n"
        )
    }
}
