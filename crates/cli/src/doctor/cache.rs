//! The credential cache.

use orthros::CacheName;
use orthros::stores::{StoreError, StoreFault};
use orthros::sys::process;
use orthros_crypto::Enctype;
use orthros_krb5::{Credential, CredentialCache};
use orthros_wire::Timestamp;

use super::{Finding, Patient, exposure, owner_and_mode, sealed, unreadable};
use crate::output;

/// A ticket that ends within this time, in seconds, is worth a warning: ten minutes.
const SOON: i64 = 600;

/// The cache: whose it is, its tickets, and who can read it.
pub(super) fn check(patient: &Patient) -> Vec<Finding> {
    let (name, content) = match &patient.cache {
        Ok(store) => (&store.0, &store.1),
        Err(fault) => return vec![Finding::problem(fault.to_string(), "correct the name")],
    };
    let mut found = match content {
        Ok(cache) => tickets(name, cache, patient.orthros.env().now()),
        Err(error) => vec![refused(name, error)],
    };
    if let CacheName::File(path) = name {
        found.extend(exposure(path));
        if let Some((owner, _)) =
            owner_and_mode(path).filter(|(owner, _)| *owner != process::effective_user())
        {
            found.push(Finding::warning(
                format!("{} belongs to user {owner}: this user can't renew or remove it", path.display()),
                "log in as yourself, into a cache of your own (KRB5CCNAME)",
            ));
        }
    }
    found
}

fn refused(name: &CacheName, error: &StoreError) -> Finding {
    if let CacheName::File(path) = name
        && let Some(why) = unreadable(path, error)
    {
        return Finding::problem(why, "log in as yourself, or set KRB5CCNAME to a cache of your own");
    }
    match error.fault {
        StoreFault::Missing => Finding::warning(
            format!("{name}: there is none; it is needed to speak with services, not to be one"),
            "orthros kinit",
        ),
        StoreFault::Type => {
            Finding::problem(error.to_string(), "set KRB5CCNAME, or default_ccache_name in krb5.conf")
        }
        _ => Finding::problem(error.to_string(), "orthros kdestroy, then orthros kinit"),
    }
}

fn tickets(name: &CacheName, cache: &CredentialCache, now: Timestamp) -> Vec<Finding> {
    let mut found = vec![Finding::ok(format!("{name} belongs to {}", cache.primary()))];
    let own = cache.primary().realm();
    let granting = cache.credentials().filter(|ticket| ticket.server.as_ticket_granting() == Some(own));
    match granting.max_by_key(|ticket| ticket.times.endtime) {
        None => found.push(Finding::warning(
            format!("there is no ticket-granting ticket of {own}: only the tickets at hand can be used"),
            "orthros kinit",
        )),
        Some(ticket) => found.push(lasts(ticket, now)),
    }
    for ticket in cache.credentials().filter(|ticket| ticket.server.as_ticket_granting() != Some(own)) {
        let ended = if ticket.times.expired(now) { ", has ended" } else { "" };
        found.push(Finding::note(format!("{}{ended}", described(ticket))));
    }
    match cache.opaque_credentials().count() {
        0 => {}
        count => found.push(Finding::note(format!("{count} tickets are of types that can't be used here"))),
    }
    found
}

/// The ticket-granting ticket: how long it lasts.
fn lasts(ticket: &Credential, now: Timestamp) -> Finding {
    let left = ticket.times.endtime.0.saturating_sub(now.seconds);
    let text = described(ticket);
    if ticket.times.expired(now) {
        Finding::problem(format!("{text}, has ended"), "orthros kinit")
    } else if left < SOON {
        Finding::warning(format!("{text}, in {left} s"), "orthros kinit")
    } else {
        Finding::ok(text)
    }
}

/// A ticket in one line: for whom, until when, its encryption types.
pub(super) fn described(ticket: &Credential) -> String {
    let end = output::utc(ticket.times.endtime.0);
    let session = ticket.key.enctype().name();
    let seal = sealed(&ticket.ticket).map_or_else(
        || "unreadable".into(),
        |sealed| {
            let enctype = enctype_name(sealed.etype);
            sealed.kvno.map_or(enctype.clone(), |kvno| format!("{enctype}, version {kvno}"))
        },
    );
    format!("{} until {end} UTC (session key {session}; sealed with {seal})", ticket.server)
}

/// The name of an encryption type, known or not.
pub(super) fn enctype_name(number: i32) -> String {
    Enctype::from_number(number).map_or_else(|| format!("type {number}"), |known| known.name().into())
}
