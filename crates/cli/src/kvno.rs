//! `kvno`: tickets for services, and the versions of the keys that they are sealed with.

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
    let credential = orthros.credential_from(cache)?;
    let mut versions = Vec::new();
    for service in &wanted.services {
        let realm = credential.client().realm();
        let principal = match &wanted.service {
            Some(kind) => {
                Name::hostbased_service(kind, service).to_principal(orthros.config(), Some(realm))?
            }
            None if wanted.name => {
                Name::parse_hostbased(service)?.to_principal(orthros.config(), Some(realm))?
            }
            None => Principal::parse(service, orthros.config().default_realm.as_deref().or(Some(realm)))?,
        };
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
    if wanted.json { output::json(&versions) } else { Ok(Ending::Success) }
}
