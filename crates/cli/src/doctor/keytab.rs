//! Keytabs: whose keys are in them, and who can read them.

use std::collections::BTreeMap;
use std::sync::Arc;

use orthros::stores::{StoreError, StoreFault};
use orthros::{Keytab, KeytabName};
use orthros_wire::Timestamp;

use super::{Finding, Patient, Store, exposure, unreadable};
use crate::output;

/// The keytab of services.
pub(super) fn acceptors(patient: &Patient) -> Vec<Finding> {
    let now = patient.orthros.env().now();
    let absent = "there is none; only services need it";
    check(&patient.keytab, now, absent, "run the service as the keytab's owner, or set KRB5_KTNAME")
}

/// The keytab by which programs log in by themselves.
pub(super) fn initiators(patient: &Patient) -> Vec<Finding> {
    let now = patient.orthros.env().now();
    let absent = "there is none; programs that log in by themselves need it";
    check(&patient.client_keytab, now, absent, "run as the keytab's owner, or set KRB5_CLIENT_KTNAME")
}

fn check(store: &Store<KeytabName, Arc<Keytab>>, now: Timestamp, absent: &str, next: &str) -> Vec<Finding> {
    let (name, content) = match store {
        Ok(store) => (&store.0, &store.1),
        Err(fault) => return vec![Finding::problem(fault.to_string(), "correct the name")],
    };
    let mut found = match content {
        Ok(keytab) => keys(name, keytab, now),
        Err(error) => vec![refused(name, error, absent, next)],
    };
    if let KeytabName::File(path) = name {
        found.extend(exposure(path));
    }
    found
}

fn refused(name: &KeytabName, error: &StoreError, absent: &str, next: &str) -> Finding {
    if let KeytabName::File(path) = name
        && let Some(why) = unreadable(path, error)
    {
        return Finding::warning(why, next);
    }
    match error.fault {
        StoreFault::Missing => Finding::note(format!("{name}: {absent}")),
        _ => Finding::problem(error.to_string(), "fetch it anew from the realm's administrator"),
    }
}

/// A line for each principal and version.
fn keys(name: &KeytabName, keytab: &Keytab, now: Timestamp) -> Vec<Finding> {
    let mut lines: BTreeMap<(String, u32), (Vec<&str>, Timestamp)> = BTreeMap::new();
    for entry in keytab.entries() {
        let line = lines.entry((entry.principal().to_string(), entry.kvno()));
        let (enctypes, written) = line.or_insert_with(|| (Vec::new(), entry.timestamp()));
        enctypes.push(entry.key().enctype().name());
        *written = (*written).max(entry.timestamp());
    }
    if lines.is_empty() {
        return vec![Finding::warning(
            format!("{name} has no key that can be used here"),
            "add one, or fetch it anew",
        )];
    }
    let mut found = vec![Finding::ok(format!("{name} can be read"))];
    for ((principal, kvno), (enctypes, written)) in lines {
        let when = match written.seconds {
            0 => String::new(),
            seconds => format!(", written {} UTC", output::utc(seconds)),
        };
        found.push(Finding::note(format!("{principal}, version {kvno}: {}{when}", enctypes.join(", "))));
        if written > now {
            found.push(Finding::warning(
                format!("the keys of {principal} were written in the future"),
                "compare the clocks of this machine and of the one that made the keytab",
            ));
        }
    }
    let weak = keytab.entries().find_map(|entry| Some((entry, entry.key().enctype().deprecation()?)));
    if let Some((entry, why)) = weak {
        found.push(Finding::warning(
            format!(
                "{} has a key of an old type, {}: {why}",
                entry.principal(),
                entry.key().enctype().name()
            ),
            "change the service's key, with AES types only",
        ));
    }
    match keytab.opaque_entries().count() {
        0 => {}
        count => found.push(Finding::note(format!("{count} more keys are of types that can't be used here"))),
    }
    found
}
