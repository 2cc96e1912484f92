//! Configuration files, realm, KDCs, encryption types, and the variables of the environment.

use std::collections::BTreeSet;
use std::env;

use orthros::sys::process;
use orthros::{Enctype, settings};

use super::{Finding, Patient};

/// Which files are read, and what in them does not count.
pub(super) fn files(patient: &Patient) -> Vec<Finding> {
    let mut found = Vec::new();
    let named = settings::variable("KRB5_CONFIG").is_some();
    let files = settings::configuration_files();
    if named && !files.iter().any(|path| path.exists()) {
        found.push(Finding::problem(
            "KRB5_CONFIG names no file that is there: all values are defaults",
            "correct KRB5_CONFIG",
        ));
    }
    // Those that are missing are among the warnings below.
    for path in files.iter().filter(|path| path.exists()) {
        found.push(Finding::ok(format!("{} is read", path.display())));
    }
    if files.is_empty() || (!named && found.is_empty()) {
        found.push(Finding::note("there is no configuration: defaults hold"));
    }
    if let Some(fault) = &patient.config_fault {
        found.push(Finding::problem(
            format!("the configuration can't be used: {fault}"),
            "correct it; what follows was looked at with the defaults",
        ));
    }
    let config = &patient.config;
    // A machine without /etc/krb5.conf is in order.
    let missing_is_well = !named && !files.iter().any(|path| path.exists());
    let warnings = config.warnings().filter(|_| !missing_is_well).map(ToString::to_string);
    let unknown = config.unknown_relations();
    let faults = warnings.chain(unknown.iter().map(ToString::to_string));
    found.extend(faults.map(|fault| Finding::warning(fault, "correct the line, or take it out")));
    found
}

/// The variables that are obeyed.
const OBEYED: &[&str] = &[
    "KRB5_CONFIG",
    "KRB5CCNAME",
    "KRB5_KTNAME",
    "KRB5_CLIENT_KTNAME",
    "KRB5RCACHENAME",
    "KRB5RCACHEDIR",
    "KRB5_TRACE",
    "ORTHROS_TRANSFER",
    "RUNTIME_DIRECTORY",
    "XDG_RUNTIME_DIR",
    "TMPDIR",
];

/// Variables of MIT krb5 that have no effect here.
const OF_MIT: &[&str] = &["KRB5_KDC_PROFILE", "KRB5RCACHETYPE"];

/// Which variables are set, and which look like a slip.
pub(super) fn environment(_: &Patient) -> Vec<Finding> {
    let mut found = Vec::new();
    if process::is_set_user_id() {
        found.push(Finding::warning(
            "this process has more rights than its caller: its environment does not count",
            "configure by krb5.conf",
        ));
    }
    for name in OBEYED {
        if let Some(value) = settings::variable(name) {
            found.push(Finding::note(format!("{name}={}", value.to_string_lossy())));
        }
    }
    let names: BTreeSet<String> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("KRB5"))
        .collect();
    for name in names.iter().filter(|name| !OBEYED.contains(&name.as_str())) {
        found.push(if OF_MIT.contains(&name.as_str()) {
            Finding::note(format!("{name} is for MIT krb5: it has no effect here"))
        } else {
            Finding::warning(
                format!("the variable {name} is not known"),
                format!("those that count: {}", OBEYED.join(", ")),
            )
        });
    }
    found
}

/// The default realm, and where it comes from.
pub(super) fn realm(patient: &Patient) -> Vec<Finding> {
    let named = patient.config.values(&["libdefaults", "default_realm"]).next();
    vec![match (&patient.config.default_realm, named) {
        (Some(realm), Some(value)) => {
            let text = format!("{realm} is the default realm ({}, line {})", value.origin, value.line);
            if realm.chars().any(|letter| letter.is_ascii_lowercase()) {
                Finding::warning(text, "realms are in capitals nearly everywhere: check the spelling")
            } else {
                Finding::ok(text)
            }
        }
        (Some(realm), None) => Finding::ok(format!("{realm} is the default realm")),
        (None, _) => Finding::warning(
            "there is no default realm",
            "set default_realm in [libdefaults] of krb5.conf, or write principals with their realm",
        ),
    }]
}

/// The KDCs of the realms that matter: the default one, and that of the tickets.
pub(super) fn kdcs(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let mut realms: Vec<&str> = config.default_realm.as_deref().into_iter().collect();
    realms.extend(patient.tickets().map(|tickets| tickets.primary().realm()));
    realms.dedup();
    let look = |realm: &str| {
        let kdcs: Vec<String> = config.kdcs(realm).iter().map(ToString::to_string).collect();
        match (kdcs.is_empty(), config.dns_lookup_kdc) {
            (false, _) => Finding::ok(format!("{realm}: {}", kdcs.join(", "))),
            (true, true) => {
                Finding::note(format!("{realm}: none is configured; it is left to DNS (dns_lookup_kdc)"))
            }
            (true, false) => Finding::problem(
                format!("{realm}: none is configured, and DNS may not be asked"),
                format!("add kdc = HOST to {realm} in [realms] of krb5.conf"),
            ),
        }
    };
    realms.into_iter().map(look).collect()
}

/// What is permitted, and whether keys and tickets fit it.
pub(super) fn enctypes(patient: &Patient) -> Vec<Finding> {
    let permitted = &patient.config.permitted_enctypes;
    let names = |list: &[Enctype]| list.iter().map(|enctype| enctype.name()).collect::<Vec<_>>().join(", ");
    let mut found = Vec::new();
    if permitted.is_empty() {
        return vec![Finding::problem(
            "no encryption type is permitted",
            "remove permitted_enctypes from krb5.conf, or correct it",
        )];
    }
    found.push(Finding::ok(format!("permitted: {}", names(permitted))));
    for weak in permitted {
        if let Some(why) = weak.deprecation() {
            found.push(Finding::warning(
                format!("{} is permitted: {why}", weak.name()),
                "permit AES types only",
            ));
        }
    }
    if let Some(keytab) = patient.keys().filter(|keytab| keytab.entries().next().is_some()) {
        let has = |enctype: &Enctype| keytab.entries().any(|entry| entry.key().enctype() == *enctype);
        let common: Vec<Enctype> = permitted.iter().copied().filter(has).collect();
        found.push(if common.is_empty() {
            Finding::problem(
                "the keytab has no key of a permitted type: no ticket can be accepted",
                "fetch a keytab with AES keys",
            )
        } else {
            Finding::ok(format!("permitted and in the keytab: {}", names(&common)))
        });
    }
    for ticket in patient.tickets().into_iter().flat_map(|cache| cache.credentials()) {
        let enctype = ticket.key.enctype();
        if !permitted.contains(&enctype) {
            found.push(Finding::warning(
                format!(
                    "the session key for {} is of a type that is not permitted: {}",
                    ticket.server,
                    enctype.name()
                ),
                "orthros kinit",
            ));
        }
    }
    found
}
