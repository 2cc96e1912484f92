//! `kinit`: a ticket-granting ticket by password or keytab, or of an older one, into a credential cache.
//!
//! What MIT's kinit can do and is not here yet (FAST, PKINIT, anonymous tickets, requests about the PAC) is known
//! by its option, and refused in words.

use std::io::{self, BufRead, IsTerminal};
use std::net::IpAddr;
use std::sync::Arc;

use orthros::acquire::Acquire;
use orthros::sys::interface;
use orthros::{CacheName, InitiatorCredential, Keytab, Orthros, Password, Principal};
use orthros_krb5::ccache::TimeOffset;
use orthros_krb5::{Credential, CredentialCache};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::arguments::{Kinit, KinitMissing};
use crate::failure::{Ending, Failure, While, complain};
use crate::{klist, output};

/// The longest line that is taken for a password, in octets.
const LONGEST_PASSWORD: u64 = 4096;

/// What was got, as JSON has it.
#[derive(Serialize)]
struct Got {
    cache: String,
    principal: String,
    ticket: klist::Listed,
}

pub(crate) fn run(wanted: &Kinit) -> Result<Ending, Failure> {
    refuse_missing(&wanted.missing)?;
    let orthros = Orthros::from_system()?;
    let (cache, ticket) =
        if wanted.renew || wanted.validate { again(&orthros, wanted)? } else { fresh(&orthros, wanted)? };
    tell(wanted, || {
        let (from, until) =
            (output::rfc3339(klist::starts(&ticket)), output::rfc3339(ticket.times.endtime.0));
        let renewable = match ticket.times.renew_till.0 {
            0 => String::new(),
            end => format!(", renewable until {}", output::rfc3339(end)),
        };
        let flags = klist::flag_letters(ticket.flags);
        format!("ticket for {}, from {from} until {until}{renewable}, flags {flags}", ticket.server)
    });
    if !wanted.json {
        return Ok(Ending::Success);
    }
    let expired = ticket.times.expired(orthros.env().now());
    output::json(&Got {
        cache: cache.to_string(),
        principal: ticket.client.to_string(),
        ticket: klist::describe(&ticket, expired),
    })
}

/// Tells on standard error what is being done, if the user wants to know.
fn tell(wanted: &Kinit, what: impl FnOnce() -> String) {
    if wanted.verbose {
        complain(&what());
    }
}

fn refuse_missing(asked: &KinitMissing) -> Result<(), Failure> {
    let table = [
        (!asked.attributes.is_empty(), "-X: preauthentication attributes (certificates, PKINIT)"),
        (asked.armor.is_some(), "-T: requests armored by another ticket (FAST)"),
        (asked.anonymous, "-n: anonymous tickets"),
        (asked.input_cache.is_some(), "-I: preauthentication as an older cache notes it"),
        (asked.request_pac || asked.no_request_pac, "--request-pac, --no-request-pac: a wish about the PAC"),
    ];
    match table.iter().find(|row| row.0) {
        Some((_, what)) => Err(Failure::new(format!("{what}: this is not supported yet"))),
        None => Ok(()),
    }
}

/// A new ticket, by password or keytab.
fn fresh(orthros: &Orthros, wanted: &Kinit) -> Result<(CacheName, Credential), Failure> {
    let keytab = keytab(orthros, wanted)?;
    let (client, realm) = match (&wanted.principal, wanted.enterprise) {
        // As it stands: the `@` in it is no end of a name.
        (Some(name), true) => (name.clone(), orthros.config().default_realm.clone()),
        _ => {
            let client = client(orthros, wanted, keytab.as_deref())?;
            (client.to_string(), Some(client.realm().to_owned()))
        }
    };
    tell(wanted, || format!("principal {client}"));
    let mut acquire = asked(orthros.acquire(&client), orthros, wanted)?;
    if wanted.canonicalize {
        acquire = acquire.canonicalize(true);
    }
    if wanted.enterprise {
        acquire = acquire.enterprise();
    }
    if let Some(service) = &wanted.service {
        acquire = acquire.service(Principal::parse(service, realm.as_deref())?);
    }
    acquire = match &keytab {
        Some(keytab) => acquire.keytab(keytab),
        None => acquire.password(password(&format!("Password for {client}: "))?),
    };
    let credential = acquire.blocking()?;
    let ticket = credential.tickets().into_iter().next();
    let ticket = ticket.ok_or_else(|| Failure::new(format!("the KDC gave {client} no ticket")))?;
    let cache = match &wanted.cache {
        Some(named) => named.clone(),
        // Whose it is, is known only now: the KDC may have mapped the name.
        None => orthros.cache_to_fill(credential.client())?,
    };
    put(orthros, wanted, &cache, &credential, &ticket)?;
    if wanted.cache.is_none() && matches!(cache, CacheName::DirectoryFile(_)) {
        orthros.switch_cache(&cache)?;
    }
    Ok((cache, ticket))
}

/// Makes a cache of the ticket, in the place of what was there.
fn put(
    orthros: &Orthros,
    wanted: &Kinit,
    cache: &CacheName,
    credential: &InitiatorCredential,
    ticket: &Credential,
) -> Result<(), Failure> {
    tell(wanted, || format!("cache {cache}"));
    let mut content = CredentialCache::new(credential.client().clone());
    let seconds = i32::try_from(credential.offset_seconds()).unwrap_or(0);
    content.set_time_offset((seconds != 0).then_some(TimeOffset { seconds, microseconds: 0 }));
    content.add(ticket.clone());
    Ok(orthros.write_cache(cache, content)?)
}

/// What the ticket shall be like.
fn asked(mut acquire: Acquire, orthros: &Orthros, wanted: &Kinit) -> Result<Acquire, Failure> {
    if wanted.forwardable || wanted.not_forwardable {
        acquire = acquire.forwardable(wanted.forwardable);
    }
    if wanted.proxiable || wanted.not_proxiable {
        acquire = acquire.proxiable(wanted.proxiable);
    }
    if wanted.addresses || !(wanted.no_addresses || orthros.config().noaddresses) {
        acquire = acquire.addresses(&addresses(orthros)?);
    }
    if let Some(start) = wanted.start_time {
        let seconds = start.seconds_from(orthros.env().now().seconds);
        acquire = acquire.start_in_seconds(seconds.ok_or_else(|| {
            Failure::new("the start time has gone").hint("without -s the ticket begins now")
        })?);
    }
    if let Some(seconds) = wanted.lifetime {
        acquire = acquire.lifetime_seconds(seconds);
    }
    if let Some(seconds) = wanted.renewable {
        acquire = acquire.renewable_seconds(seconds);
    }
    Ok(acquire)
}

/// This machine's addresses, and those that the configuration adds (behind NAT).
fn addresses(orthros: &Orthros) -> Result<Vec<IpAddr>, Failure> {
    let mut addresses = interface::addresses().while_doing("cannot ask for this machine's addresses")?;
    for text in &orthros.config().extra_addresses {
        let extra = text.parse();
        addresses.push(extra.map_err(|_| {
            Failure::new(format!("extra_addresses in krb5.conf: {text} is no address")).hint("write numbers")
        })?);
    }
    if addresses.is_empty() {
        // Without any, the KDC would give a ticket that is good from everywhere: the contrary of what was asked.
        return Err(Failure::new(
            "this machine has no address but the loopback's, for a ticket with addresses",
        )
        .hint("-A asks for a ticket that is good from everywhere"));
    }
    Ok(addresses)
}

/// The ticket of the cache, renewed or validated; the cache then holds it, and nothing else.
fn again(orthros: &Orthros, wanted: &Kinit) -> Result<(CacheName, Credential), Failure> {
    let realm = orthros.config().default_realm.as_deref();
    let named = wanted.principal.as_ref().map(|named| Principal::parse(named, realm)).transpose()?;
    let own = match (&wanted.cache, &named) {
        (None, Some(named)) => orthros.cache_for(named)?,
        _ => None,
    };
    let cache = own.or_else(|| wanted.cache.clone()).unwrap_or_else(|| orthros.default_cache().clone());
    let credential = orthros.credential_from(&cache)?;
    let client = credential.client();
    if let Some(named) = named.filter(|named| named != client) {
        return Err(Failure::new(format!("{cache} belongs to {client}, not to {named}")));
    }
    tell(wanted, || format!("principal {client}"));
    let ticket = if wanted.renew { orthros.renew(&credential)? } else { orthros.validate(&credential)? };
    put(orthros, wanted, &cache, &credential, &ticket)?;
    Ok((cache, ticket))
}

/// The keytab that is used in place of a password. The default one is that of MIT's kinit; the client keytab
/// serves programs that have no cache, and who asks for it.
fn keytab(orthros: &Orthros, wanted: &Kinit) -> Result<Option<Arc<Keytab>>, Failure> {
    let name = match &wanted.keytab {
        Some(named) => named,
        None if wanted.client_keytab => orthros.client_keytab(),
        None if wanted.use_keytab => orthros.default_keytab(),
        None => return Ok(None),
    };
    Ok(Some(orthros.read_keytab(name)?))
}

/// Whose ticket: as told, else the keytab's first principal, else of whom the cache is, else the user.
fn client(orthros: &Orthros, wanted: &Kinit, keytab: Option<&Keytab>) -> Result<Principal, Failure> {
    let realm = orthros.config().default_realm.as_deref();
    if let Some(named) = &wanted.principal {
        return Ok(Principal::parse(named, realm)?);
    }
    if let Some(keytab) = keytab {
        let first = keytab.entries().next().ok_or_else(|| Failure::new("the keytab is empty"))?;
        return Ok(first.principal().clone());
    }
    let cache = wanted.cache.as_ref().unwrap_or_else(|| orthros.default_cache());
    if let Ok(cache) = orthros.read_cache(cache) {
        return Ok(cache.primary().clone());
    }
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty()).ok_or_else(|| {
        Failure::new("nobody is named, no cache tells who you are, and USER is not set")
            .hint("orthros kinit NAME@REALM")
    })?;
    Ok(Principal::parse(&user, realm)?)
}

/// Reads a password from the terminal, without echo. Where standard input is no terminal, its first line is it.
pub(crate) fn password(prompt: &str) -> Result<Password, Failure> {
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password(prompt).while_doing("cannot read the password")?;
        return Ok(Password::from(typed));
    }
    password_line(io::stdin().lock())
}

/// The first line without its end.
pub(crate) fn password_line(input: impl BufRead) -> Result<Password, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(128));
    let mut limited = io::Read::take(input, LONGEST_PASSWORD);
    limited.read_until(b'\n', &mut line).while_doing("cannot read the password")?;
    let password = line.strip_suffix(b"\n").unwrap_or(&line);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::new("there is no password on standard input").hint("it is the first line"));
    }
    Ok(Password::copy_of(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_is_no_part_of_the_password_and_blanks_are() {
        for (input, password) in
            [("pw\n", "pw"), ("pw\r\nnext\n", "pw"), (" p w ", " p w "), ("\tx\n", "\tx")]
        {
            assert_eq!(password_line(input.as_bytes()).unwrap().expose_octets(), password.as_bytes());
        }
        assert!(password_line("".as_bytes()).is_err() && password_line("\nx".as_bytes()).is_err());
    }
}
