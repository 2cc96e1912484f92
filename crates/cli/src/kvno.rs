//! `kvno`: tickets for services, and the versions of the keys that they are sealed with.

use orthros::credentials::Storing;
use orthros::{Name, Orthros, Principal};
use orthros_krb5::wire::{Decode, Ticket};
use serde::Serialize;

use crate::arguments::Kvno;
use crate::failure::{Ending, Failure};
use crate::output;

#[derive(Serialize)]
struct Version {
    service: String,
    kvno: u32,
    enctype: i32,
}

pub(crate) fn run(wanted: &Kvno) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let cache = wanted.cache.as_ref().unwrap_or_else(|| orthros.default_cache());
    let own = orthros.credential_from(cache)?;
    let named = user(wanted)?;
    let credential = match &named {
        None => own,
        Some(user) => orthros.impersonate(&own, user)?,
    };
    let mut versions = Vec::new();
    for service in &wanted.services {
        let realm = credential.impersonator().unwrap_or(credential.client()).realm();
        let principal = match &wanted.service {
            Some(kind) => {
                Name::hostbased_service(kind, service).to_principal(orthros.config(), Some(realm))?
            }
            None if wanted.name => {
                Name::parse_hostbased(service)?.to_principal(orthros.config(), Some(realm))?
            }
            None => Principal::parse(service, orthros.config().default_realm.as_deref().or(Some(realm)))?,
        };
        if let Some(own) = named.as_ref().and_then(|_| credential.impersonator())
            && !wanted.proxy
            && *own != principal
        {
            return Err(Failure::new(format!(
                "a ticket of {0} to {principal} is for {principal} to ask for; as {own} be {0} to it with --proxy",
                credential.client()
            )));
        }
        let fetched = orthros.service_ticket(&credential, &principal);
        let ticket = fetched.map_err(|error| Failure::new(error).while_doing(service))?;
        let sealed = Ticket::from_der(&ticket.ticket)
            .map_err(|error| Failure::new(format!("the KDC's ticket for {principal} is malformed: {error}")))?
            .enc_part;
        // Where versions are not kept, the KDC leaves it out (RFC 4120 §5.2.9).
        let kvno = sealed.kvno.unwrap_or(0);
        if !wanted.json && !wanted.quiet {
            output::line(format!("{}: kvno = {kvno}", ticket.server))?;
        }
        versions.push(Version { service: ticket.server.to_string(), kvno, enctype: sealed.etype });
    }
    if let Some(cache) = &wanted.out_cache {
        let storing = Storing { cache: Some(cache.clone()), overwrite: true, ..Storing::default() };
        orthros.store_credential(&credential, &storing)?;
    }
    if wanted.json { output::json(&versions) } else { Ok(Ending::Success) }
}

/// For whom a ticket is wanted, if not for the cache's client.
fn user(wanted: &Kvno) -> Result<Option<Name>, Failure> {
    if let Some(user) = &wanted.for_enterprise_user {
        return Ok(Some(Name::Enterprise(user.clone())));
    }
    if wanted.for_user.is_none() && wanted.proxy {
        return Err(Failure::new("--proxy is for the tickets of a user: name one by -U or -I"));
    }
    Ok(wanted.for_user.as_ref().map(Name::user))
}
