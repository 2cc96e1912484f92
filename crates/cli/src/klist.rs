//! `klist`: the tickets of a credential cache, or the keys of a keytab. Times are as clocks here show them.

use std::net::{Ipv4Addr, Ipv6Addr};

use orthros::{CacheName, Orthros};
use orthros_crypto::Enctype;
use orthros_krb5::wire::{Decode, Ticket, TicketFlags};
use orthros_krb5::{Credential, CredentialCache};
use orthros_wire::Timestamp;
use serde::Serialize;

use crate::arguments::Klist;
use crate::failure::{Ending, FAILED, Failure};
use crate::output::Times;
use crate::{keytab, output};

/// A credential cache as JSON has it.
#[derive(Serialize)]
struct Cache {
    cache: String,
    principal: String,
    /// What the KDC's clock is ahead of ours, in seconds.
    kdc_offset: i32,
    tickets: Vec<Listed>,
    configuration: Vec<Note>,
    /// Entries of enctypes that are not supported here.
    unusable: usize,
}

/// What a cache notes about itself or about a principal.
#[derive(Serialize)]
struct Note {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    value: String,
}

#[derive(Serialize)]
pub(crate) struct Listed {
    client: String,
    server: String,
    auth_time: String,
    start_time: String,
    end_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew_till: Option<String>,
    expired: bool,
    addresses: Vec<String>,
    flags: Vec<&'static str>,
    session_enctype: String,
    ticket_enctype: Option<String>,
}

/// A cache among others as JSON has it.
#[derive(Serialize)]
struct Among {
    cache: String,
    principal: String,
    expired: bool,
}

pub(crate) fn run(wanted: &Klist) -> Result<Ending, Failure> {
    if wanted.keytab {
        let name = wanted.name.as_deref().map(orthros::KeytabName::from);
        let times = wanted.times.then(|| Times::new(wanted.utc));
        let shown = keytab::Shown { enctypes: wanted.enctypes, times, json: wanted.json };
        return keytab::print(name.as_ref(), &shown);
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
    let now = orthros.env().now();
    let caches = if wanted.all || wanted.list { all(&orthros, name)? } else { vec![one(&orthros, name)?] };
    if wanted.list {
        return overview(&caches, now, wanted.json);
    }
    if wanted.silent {
        let good = caches.iter().any(|(_, cache)| has_ticket(cache, now));
        return Ok(if good { Ending::Success } else { Ending::Status(FAILED) });
    }
    if wanted.json {
        let contents = caches.iter().map(|(name, cache)| content(name, cache, now));
        return match (wanted.all, contents.collect::<Vec<_>>().as_slice()) {
            (false, [one]) => output::json(one),
            (_, all) => output::json(&all),
        };
    }
    let times = Times::new(wanted.utc);
    let tables: Vec<String> = caches.iter().map(|(name, cache)| table(name, cache, wanted, &times)).collect();
    output::octets(tables.join("\n").as_bytes())
}

fn one(orthros: &Orthros, name: &CacheName) -> Result<(CacheName, CredentialCache), Failure> {
    let cache = orthros.read_cache(name).map_err(|error| Failure::new(error).hint("orthros kinit"))?;
    // A folder's name stands for one of its files: say which.
    let exact = match name {
        CacheName::Directory(_) => orthros.caches_beside(name)?.into_iter().next(),
        _ => None,
    };
    Ok((exact.unwrap_or_else(|| name.clone()), cache))
}

/// All caches beside `name` that can be read.
fn all(orthros: &Orthros, name: &CacheName) -> Result<Vec<(CacheName, CredentialCache)>, Failure> {
    let names = orthros.caches_beside(name)?;
    let caches: Vec<_> =
        names.into_iter().filter_map(|name| Some((name.clone(), orthros.read_cache(&name).ok()?))).collect();
    if caches.is_empty() {
        return Err(Failure::new(format!("{name}: there is no credential cache")).hint("orthros kinit"));
    }
    Ok(caches)
}

/// As MIT's klist sees it: a ticket-granting ticket that has not ended; where there is none at all, any ticket.
fn has_ticket(cache: &CredentialCache, now: Timestamp) -> bool {
    let realm = Some(cache.primary().realm());
    let (granting, others): (Vec<_>, Vec<_>) =
        cache.credentials().partition(|ticket| ticket.server.as_ticket_granting() == realm);
    let which = if granting.is_empty() { others } else { granting };
    which.iter().any(|ticket| !ticket.times.expired(now))
}

fn overview(caches: &[(CacheName, CredentialCache)], now: Timestamp, json: bool) -> Result<Ending, Failure> {
    let rows = caches.iter().map(|(name, cache)| Among {
        cache: name.to_string(),
        principal: cache.primary().to_string(),
        expired: !has_ticket(cache, now),
    });
    if json {
        return output::json(&rows.collect::<Vec<_>>());
    }
    let mut text = String::from("Principal name                 Cache name\n");
    for row in rows {
        let expired = if row.expired { " (Expired)" } else { "" };
        text.push_str(&format!("{:<30} {}{expired}\n", row.principal, row.cache));
    }
    output::octets(text.as_bytes())
}

fn content(name: &CacheName, cache: &CredentialCache, now: Timestamp) -> Cache {
    let tickets = cache.credentials().map(|ticket| describe(ticket, ticket.times.expired(now)));
    let notes = cache.configuration().map(|note| Note {
        key: note.key.clone(),
        principal: note.principal.as_ref().map(ToString::to_string),
        value: String::from_utf8_lossy(&note.value).into_owned(),
    });
    Cache {
        cache: name.to_string(),
        principal: cache.primary().to_string(),
        kdc_offset: cache.time_offset().map_or(0, |offset| offset.seconds),
        tickets: tickets.collect(),
        configuration: notes.collect(),
        unusable: cache.opaque_credentials().count(),
    }
}

fn table(name: &CacheName, cache: &CredentialCache, wanted: &Klist, times: &Times) -> String {
    let mut text = format!("Ticket cache: {name}\nDefault principal: {}\n\n", cache.primary());
    let mark = times.mark();
    let (start, end) = (format!("Valid starting {mark}"), format!("Expires {mark}"));
    text.push_str(&format!("{start:<20}  {end:<20} Service principal\n"));
    cache.credentials().for_each(|ticket| text.push_str(&row(ticket, cache, wanted, times)));
    match cache.opaque_credentials().count() {
        0 => {}
        count => text.push_str(&format!("({count} more that can't be used here)\n")),
    }
    if wanted.configuration {
        for note in cache.configuration() {
            let about = note.principal.as_ref().map(|about| format!(" about {about}")).unwrap_or_default();
            text.push_str(&format!("config: {}{about} = {}\n", note.key, note.value.escape_ascii()));
        }
    }
    text
}

fn row(ticket: &Credential, cache: &CredentialCache, wanted: &Klist, times: &Times) -> String {
    let moments = [starts(ticket), ticket.times.endtime.0].map(|seconds| times.moment(seconds));
    let [start, end] = moments;
    let mut text = format!("{start:<20}  {end:<20} {}\n", ticket.server);
    if ticket.client != *cache.primary() {
        text.push_str(&format!("\tfor client {}\n", ticket.client));
    }
    if ticket.times.renew_till.0 > 0 {
        text.push_str(&format!("\trenew until {}\n", times.moment(ticket.times.renew_till.0)));
    }
    if wanted.flags {
        text.push_str(&format!("\tFlags: {}\n", flag_letters(ticket.flags)));
    }
    if wanted.enctypes {
        let sealed = ticket_enctype(ticket).unwrap_or_else(|| "unknown".into());
        let session = ticket.key.enctype().name();
        text.push_str(&format!("\tEtype (skey, tkt): {session}, {sealed}\n"));
    }
    if wanted.addresses {
        let addresses = addresses(ticket);
        let list = if addresses.is_empty() { "(none)".into() } else { addresses.join(", ") };
        text.push_str(&format!("\tAddresses: {list}\n"));
    }
    text
}

/// When the ticket begins to be valid: tickets of old KDCs leave it out.
pub(crate) fn starts(ticket: &Credential) -> i64 {
    match ticket.times.starttime.0 {
        0 => ticket.times.authtime.0,
        start => start,
    }
}

/// The addresses that the ticket is bound to, by RFC 4120 §7.5.3.
fn addresses(ticket: &Credential) -> Vec<String> {
    let text = |kind: i32, octets: &[u8]| match kind {
        2 => <[u8; 4]>::try_from(octets).map(|address| Ipv4Addr::from(address).to_string()).ok(),
        24 => <[u8; 16]>::try_from(octets).map(|address| Ipv6Addr::from(address).to_string()).ok(),
        _ => None,
    };
    let all = ticket.addresses.iter();
    all.map(|one| text(one.number, &one.octets).unwrap_or_else(|| format!("unknown type {}", one.number)))
        .collect()
}

pub(crate) fn describe(ticket: &Credential, expired: bool) -> Listed {
    let renew_till = ticket.times.renew_till.0;
    Listed {
        client: ticket.client.to_string(),
        server: ticket.server.to_string(),
        auth_time: output::rfc3339(ticket.times.authtime.0),
        start_time: output::rfc3339(starts(ticket)),
        end_time: output::rfc3339(ticket.times.endtime.0),
        renew_till: (renew_till > 0).then(|| output::rfc3339(renew_till)),
        expired,
        addresses: addresses(ticket),
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

pub(crate) fn flag_letters(flags: TicketFlags) -> String {
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
