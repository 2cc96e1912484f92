//! `klist`: the tickets of a credential cache, or the keys of a keytab. Times are in UTC.

use orthros::{CacheName, Orthros};
use orthros_crypto::Enctype;
use orthros_krb5::wire::{Decode, Ticket, TicketFlags};
use orthros_krb5::{Credential, CredentialCache};
use serde::Serialize;

use crate::arguments::Klist;
use crate::failure::{Ending, FAILED, Failure};
use crate::{keytab, output};

/// A credential cache as JSON has it.
#[derive(Serialize)]
struct Cache {
    cache: String,
    principal: String,
    /// What the KDC's clock is ahead of ours, in seconds.
    kdc_offset: i32,
    tickets: Vec<Listed>,
    /// Entries of enctypes that are not supported here.
    unusable: usize,
}

#[derive(Serialize)]
struct Listed {
    client: String,
    server: String,
    auth_time: String,
    start_time: String,
    end_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_till: Option<String>,
    expired: bool,
    flags: Vec<&'static str>,
    session_enctype: String,
    ticket_enctype: Option<String>,
}

pub(crate) fn run(wanted: &Klist) -> Result<Ending, Failure> {
    if wanted.keytab {
        let name = wanted.name.as_deref().map(orthros::KeytabName::from);
        return keytab::print(name.as_ref(), wanted.enctypes, wanted.json);
    }
    let listed = list(wanted);
    match listed {
        Err(Failure::Story(_)) if wanted.silent => Ok(Ending::Status(FAILED)),
        other => other,
    }
}

fn list(wanted: &Klist) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let named = wanted.cache.as_deref().or(wanted.name.as_deref()).map(CacheName::from);
    let name = named.as_ref().unwrap_or_else(|| orthros.default_cache());
    let cache = orthros.read_cache(name).map_err(|error| Failure::new(error).hint("orthros kinit"))?;
    let now = orthros.env().now();
    if wanted.silent {
        let granting = cache.credentials().filter(|ticket| {
            ticket.server.as_ticket_granting() == Some(cache.primary().realm()) && !ticket.times.expired(now)
        });
        return Ok(if granting.count() > 0 { Ending::Success } else { Ending::Status(FAILED) });
    }
    if wanted.json {
        let tickets = cache.credentials().map(|ticket| describe(ticket, ticket.times.expired(now)));
        return output::json(&Cache {
            cache: name.to_string(),
            principal: cache.primary().to_string(),
            kdc_offset: cache.time_offset().map_or(0, |offset| offset.seconds),
            tickets: tickets.collect(),
            unusable: cache.opaque_credentials().count(),
        });
    }
    output::octets(table(name, &cache, wanted).as_bytes())
}

fn table(name: &CacheName, cache: &CredentialCache, wanted: &Klist) -> String {
    let mut text = format!("Ticket cache: {name}\nDefault principal: {}\n\n", cache.primary());
    text.push_str("Valid starting (UTC)  Expires (UTC)        Service principal\n");
    for ticket in cache.credentials() {
        let (start, end) = (ticket.times.starttime.0, ticket.times.endtime.0);
        let server = &ticket.server;
        text.push_str(&format!("{}   {}  {server}\n", output::moment(start), output::moment(end)));
        if ticket.client != *cache.primary() {
            text.push_str(&format!("\tfor client {}\n", ticket.client));
        }
        if ticket.times.renew_till.0 > 0 {
            text.push_str(&format!("\trenew until {}\n", output::moment(ticket.times.renew_till.0)));
        }
        if wanted.flags {
            text.push_str(&format!("\tFlags: {}\n", flag_letters(ticket.flags)));
        }
        if wanted.enctypes {
            let sealed = ticket_enctype(ticket).unwrap_or_else(|| "unknown".into());
            let session = ticket.key.enctype().name();
            text.push_str(&format!("\tEtype (skey, tkt): {session}, {sealed}\n"));
        }
    }
    match cache.opaque_credentials().count() {
        0 => {}
        count => text.push_str(&format!("({count} more that can't be used here)\n")),
    }
    text
}

fn describe(ticket: &Credential, expired: bool) -> Listed {
    let renew_till = ticket.times.renew_till.0;
    let start = match ticket.times.starttime.0 {
        0 => ticket.times.authtime.0,
        start => start,
    };
    Listed {
        client: ticket.client.to_string(),
        server: ticket.server.to_string(),
        auth_time: output::rfc3339(ticket.times.authtime.0),
        start_time: output::rfc3339(start),
        end_time: output::rfc3339(ticket.times.endtime.0),
        renew_till: (renew_till > 0).then(|| output::rfc3339(renew_till)),
        expired,
        flags: FLAGS.iter().filter(|row| ticket.flags.contains(row.0)).map(|row| row.2).collect(),
        session_enctype: ticket.key.enctype().name().into(),
        ticket_enctype: ticket_enctype(ticket),
    }
}

/// What the ticket itself is sealed with: in the clear, for whoever is curious.
fn ticket_enctype(ticket: &Credential) -> Option<String> {
    let number = Ticket::from_der(&ticket.ticket).ok()?.enc_part.etype;
    Some(Enctype::from_number(number).map_or_else(|| number.to_string(), |known| known.name().into()))
}

fn flag_letters(flags: TicketFlags) -> String {
    FLAGS.iter().filter(|row| flags.contains(row.0)).map(|row| row.1).collect()
}

/// The flags of tickets, their letters in MIT's listings, and their names in RFC 4120.
const FLAGS: &[(TicketFlags, char, &str)] = &[
    (TicketFlags::FORWARDABLE, 'F', "forwardable"),
    (TicketFlags::FORWARDED, 'f', "forwarded"),
    (TicketFlags::PROXIABLE, 'P', "proxiable"),
    (TicketFlags::PROXY, 'p', "proxy"),
    (TicketFlags::MAY_POSTDATE, 'D', "may-postdate"),
    (TicketFlags::POSTDATED, 'd', "postdated"),
    (TicketFlags::INVALID, 'i', "invalid"),
    (TicketFlags::RENEWABLE, 'R', "renewable"),
    (TicketFlags::INITIAL, 'I', "initial"),
    (TicketFlags::HW_AUTHENT, 'H', "hw-authent"),
    (TicketFlags::PRE_AUTHENT, 'A', "pre-authent"),
    (TicketFlags::TRANSITED_POLICY_CHECKED, 'T', "transited-policy-checked"),
    (TicketFlags::OK_AS_DELEGATE, 'O', "ok-as-delegate"),
    (TicketFlags::ANONYMOUS, 'a', "anonymous"),
];
