//! One service: the principal that its name becomes, the ticket for it, and whether the keytab can open the ticket.

use orthros::{Name, Principal};
use orthros_krb5::Credential;
use orthros_krb5::keytab::KeytabEntry;

use super::cache::{described, enctype_name};
use super::{Finding, Patient, sealed};

/// Everything about the service that `--for` names; nothing without it.
pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let Some(target) = &patient.target else { return Vec::new() };
    let cure = "write SERVICE@HOST, such as HTTP@www.example.com";
    let name = match Name::parse_hostbased(target) {
        Ok(name) => name,
        Err(error) => return vec![Finding::problem(format!("{target}: {error}"), cure)],
    };
    let client_realm = patient.tickets().map(|tickets| tickets.primary().realm());
    let principal = match name.to_principal(&patient.config, client_realm) {
        Ok(principal) => principal,
        Err(error) => return vec![Finding::problem(error.to_string(), cure)],
    };
    let mut found =
        vec![Finding::ok(format!("{target} becomes {principal}")), realm(patient, &name, &principal)];
    if principal.components().first().is_some_and(|service| service == "http") {
        found.push(Finding::warning(
            "the service is written http; that of the web is HTTP, and case matters",
            format!("orthros doctor --for HTTP{}", target.get(4..).unwrap_or_default()),
        ));
    }
    let ticket = ticket(patient, target, &principal, &mut found);
    key(patient, &principal, ticket, &mut found);
    found
}

/// Where the realm comes from.
fn realm(patient: &Patient, name: &Name, principal: &Principal) -> Finding {
    let Name::HostbasedService { host: Some(host), .. } = name else {
        return Finding::note(format!("the realm is {}", principal.realm()));
    };
    let realm = principal.realm();
    if patient.config.realm_of_host(host).is_some() {
        return Finding::note(format!("{host} is in {realm} by [domain_realm]"));
    }
    let whose = match patient.tickets() {
        Some(tickets) => format!("that of {}", tickets.primary()),
        None => "the default one".into(),
    };
    Finding::note(format!("[domain_realm] says nothing of {host}: the realm is {whose}"))
}

/// The ticket for the service, or how one is to be had.
fn ticket<'p>(
    patient: &'p Patient,
    target: &str,
    principal: &Principal,
    found: &mut Vec<Finding>,
) -> Option<&'p Credential> {
    let tickets = patient.tickets()?;
    let now = patient.orthros.env().now();
    if let Some(ticket) = tickets.find(principal, None, now) {
        found.push(Finding::ok(format!("a ticket is at hand: {}", described(ticket))));
        return Some(ticket);
    }
    let granting = |realm: &str| Principal::ticket_granting(realm, tickets.primary().realm());
    let get = format!("orthros kvno --name {target}");
    let usable = |realm: &str| tickets.find(&granting(realm), None, now).is_some();
    if !usable(tickets.primary().realm()) {
        found.push(Finding::problem(
            "no ticket is at hand, and none can be got: log in first",
            "orthros kinit",
        ));
    } else if tickets.primary().realm() != principal.realm() && !usable(principal.realm()) {
        found.push(Finding::note(format!(
            "no ticket is at hand yet; the way leads to another realm, {}: {get}",
            principal.realm()
        )));
    } else {
        found.push(Finding::note(format!("no ticket is at hand yet: {get}")));
    }
    None
}

/// Whether the keytab can open the ticket: this matters where the service runs here.
fn key(patient: &Patient, principal: &Principal, ticket: Option<&Credential>, found: &mut Vec<Finding>) {
    let Some(keytab) = patient.keys() else {
        found.push(Finding::note("no keytab can be read here: look at the service's machine, as its user"));
        return;
    };
    let keys: Vec<_> = keytab.keys_for(principal).collect();
    let Some(newest) = keytab.highest_kvno(principal) else {
        found.push(Finding::warning(
            format!("the keytab has no key of {principal}{}", alike(patient, principal)),
            "if the service runs here, fetch its key, or let clients use the name that is there",
        ));
        return;
    };
    found.push(Finding::ok(format!(
        "the keytab has {} keys of {principal}, newest version {newest}",
        keys.len()
    )));
    let Some(sealed) = ticket.and_then(|ticket| sealed(&ticket.ticket)) else { return };
    let enctype = enctype_name(sealed.etype);
    let of_version = |entry: &KeytabEntry| sealed.kvno.is_none_or(|kvno| kvno == entry.kvno());
    let opens = |entry: &KeytabEntry| of_version(entry) && entry.key().enctype().number() == sealed.etype;
    let fetch = "fetch the keytab anew, or orthros kdestroy and kinit if the keytab is newer than the ticket";
    if keys.iter().any(|entry| opens(entry)) {
        found.push(Finding::ok(format!("it can open the ticket: {enctype}")));
    } else if keys.iter().any(|entry| of_version(entry)) {
        found.push(Finding::problem(
            format!("the ticket is sealed with {enctype}, and the keytab has no such key"),
            fetch,
        ));
    } else {
        let kvno = sealed.kvno.unwrap_or(0);
        found.push(Finding::problem(
            format!(
                "the ticket is sealed with version {kvno} of the key, and the keytab's newest is {newest}"
            ),
            fetch,
        ));
    }
}

/// Principals in the keytab that may be meant: of the same service or the same host.
fn alike(patient: &Patient, wanted: &Principal) -> String {
    let mut names: Vec<String> = Vec::new();
    for entry in patient.keys().into_iter().flat_map(|keytab| keytab.entries()) {
        let shares = |one: &String| wanted.components().iter().any(|other| one.eq_ignore_ascii_case(other));
        let name = entry.principal().to_string();
        if entry.principal().components().iter().any(shares) && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { String::new() } else { format!(", but of {}", names.join(", ")) }
}
