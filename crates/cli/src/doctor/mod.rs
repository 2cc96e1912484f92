//! `doctor`: what Kerberos finds on this machine, and what is wrong with it. Nothing is changed, and the network is
//! left alone.
//!
//! | file | what it looks at |
//! |---|---|
//! | `configuration` | configuration files, realm, KDCs, encryption types, environment |
//! | `cache` | the credential cache |
//! | `keytab` | keytabs |
//! | `machine` | clock, host name, replay cache, places for transfer keys |
//! | `target` | one service: its principal, the ticket for it, the key for the ticket |
//!
//! A check is a function from the patient to findings; what it means for the exit status is in each finding.

mod cache;
mod configuration;
mod keytab;
mod machine;
mod target;

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use orthros::settings::{self, SetupError};
use orthros::stores::{StoreError, StoreFault};
use orthros::sys::process;
use orthros::{CacheName, Config, Keytab, KeytabName, Orthros};
use orthros_krb5::CredentialCache;
use orthros_krb5::wire::{Decode, EncryptedData, Ticket};
use serde::Serialize;

use crate::arguments::Doctor;
use crate::failure::{Ending, FAILED, Failure};
use crate::output;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// It may be the reason of a failure.
    Warning,
    /// Something can't work like this.
    Problem,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// What a check found.
#[derive(Debug, Serialize)]
struct Finding {
    severity: Severity,
    what: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self { severity: Severity::Ok, what: what.into(), next: None }
    }

    fn note(what: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::ok(what) }
    }

    fn warning(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, what: what.into(), next: Some(next.into()) }
    }

    fn problem(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { severity: Severity::Problem, ..Self::warning(what, next) }
    }
}

/// What the checks look at: read once.
struct Patient {
    /// The configuration, or the defaults where it can't be read.
    config: Config,
    config_fault: Option<SetupError>,
    orthros: Orthros,
    cache: Store<CacheName, CredentialCache>,
    keytab: Store<KeytabName, Arc<Keytab>>,
    client_keytab: Store<KeytabName, Arc<Keytab>>,
    target: Option<String>,
}

/// A cache or keytab: its name, or what is wrong with that, and its content.
type Store<N, C> = Result<(N, Result<C, StoreError>), SetupError>;

impl Patient {
    fn new(target: Option<String>) -> Self {
        let (config, config_fault) = match settings::system_config() {
            Ok(config) => (config, None),
            Err(fault) => (Config::default(), Some(fault)),
        };
        let orthros = Orthros::builder().config(config.clone()).build();
        let cache = settings::default_cache(&config).map(|name| {
            let content = orthros.read_cache(&name);
            (name, content)
        });
        let keytab = |name: Result<KeytabName, SetupError>| {
            name.map(|name| {
                let content = orthros.read_keytab(&name);
                (name, content)
            })
        };
        let client_keytab = keytab(settings::default_client_keytab(&config));
        let keytab = keytab(settings::default_keytab(&config));
        Self { config, config_fault, cache, keytab, client_keytab, target, orthros }
    }

    /// The tickets, where there is a cache that can be read.
    fn tickets(&self) -> Option<&CredentialCache> {
        self.cache.as_ref().ok()?.1.as_ref().ok()
    }

    /// The services' keys, where there is a keytab that can be read.
    fn keys(&self) -> Option<&Keytab> {
        self.keytab.as_ref().ok()?.1.as_deref().ok()
    }
}

/// A check: what it is called, and what it finds.
type Check = (&'static str, fn(&Patient) -> Vec<Finding>);

/// Every check, in the order in which they are told.
const CHECKS: &[Check] = &[
    ("configuration", configuration::files),
    ("environment", configuration::environment),
    ("realm", configuration::realm),
    ("KDCs", configuration::kdcs),
    ("encryption types", configuration::enctypes),
    ("credential cache", cache::check),
    ("keytab", keytab::acceptors),
    ("client keytab", keytab::initiators),
    ("clock", machine::clock),
    ("host name", machine::host_name),
    ("replay cache", machine::replay_cache),
    ("context transfer", machine::transfer),
    ("target", target::check),
];

/// What one check found, as JSON has it.
#[derive(Serialize)]
struct Checked {
    check: &'static str,
    findings: Vec<Finding>,
}

/// All that was found, as JSON has it.
#[derive(Serialize)]
struct Report {
    checks: Vec<Checked>,
    warnings: usize,
    problems: usize,
}

pub(crate) fn run(wanted: &Doctor) -> Result<Ending, Failure> {
    let patient = Patient::new(wanted.target.clone());
    let checks = CHECKS.iter().map(|(check, look)| Checked { check, findings: look(&patient) });
    let checks: Vec<Checked> = checks.filter(|checked| !checked.findings.is_empty()).collect();
    let count = |severity| {
        checks.iter().flat_map(|checked| &checked.findings).filter(|found| found.severity == severity).count()
    };
    let (warnings, problems) = (count(Severity::Warning), count(Severity::Problem));
    let report = Report { warnings, problems, checks };
    if wanted.json { output::json(&report) } else { output::octets(told(&report).as_bytes()) }?;
    Ok(if problems == 0 { Ending::Success } else { Ending::Status(FAILED) })
}

fn told(report: &Report) -> String {
    let mut text = String::new();
    for checked in &report.checks {
        text.push_str(&format!("{}\n", checked.check));
        for finding in &checked.findings {
            text.push_str(&format!("  {:<8} {}\n", finding.severity, finding.what));
            if let Some(next) = &finding.next {
                text.push_str(&format!("           -> {next}\n"));
            }
        }
    }
    text.push_str(&format!("\nproblems: {}, warnings: {}\n", report.problems, report.warnings));
    text
}

/// Owner and mode of a file, in words, as far as they can be seen.
fn owner_and_mode(path: &Path) -> Option<(u32, u32)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.uid(), metadata.mode() & 0o7777))
}

/// What is wrong with a file that holds secrets: who else can read it.
fn exposure(path: &Path) -> Option<Finding> {
    let (_, mode) = owner_and_mode(path)?;
    (mode & 0o077 != 0).then(|| {
        Finding::problem(
            format!("{} has mode {mode:04o}: others than its owner can get at it", path.display()),
            format!("chmod 600 {}; if others were on this machine, renew what is in it", path.display()),
        )
    })
}

/// Why a file can't be read, where its owner and mode are the reason.
fn unreadable(path: &Path, error: &StoreError) -> Option<String> {
    let StoreFault::Io(cause) = &error.fault else { return None };
    if cause.kind() != std::io::ErrorKind::PermissionDenied {
        return None;
    }
    let us = process::effective_user();
    Some(match owner_and_mode(path) {
        Some((owner, mode)) => {
            format!(
                "{}: user {us} may not read it; it belongs to user {owner}, mode {mode:04o}",
                path.display()
            )
        }
        None => format!("{}: user {us} may not enter its folder", path.display()),
    })
}

/// What a ticket is sealed with: in the clear, for whoever is curious.
fn sealed(ticket: &[u8]) -> Option<EncryptedData<'_>> {
    Ticket::from_der(ticket).ok().map(|ticket| ticket.enc_part)
}
