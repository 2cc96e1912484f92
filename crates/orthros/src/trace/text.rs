//! Events in words: one line each.

use std::fmt::{self, Display, Formatter};

use orthros_gss::mechanism;
use orthros_krb5::wire::{AsReq, Decode, KdcReqBody, KrbError, TgsReq};
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::Oid;

use super::{Event, Fact};

impl Display for Event<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { kdc, transport, answer } => {
                write!(f, "Received {} octets from {kdc} by {transport}: ", answer.len())?;
                answer_in_words(answer, f)
            }
            Self::Asking { kdc, transport } => write!(f, "Sending by {transport} to {kdc}"),
            Self::Cache { name, found: Ok(client) } => write!(f, "Credential cache {name}: of {client}"),
            Self::Cache { found: Err(error), .. } => write!(f, "Credential cache {error}"),
            Self::Canonical { host, found } => {
                write!(f, "Canonical name of {host}: ")?;
                either(found, f)
            }
            Self::Configured { files, realm, cache, keytab } => {
                let files: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
                write!(f, "Configuration read from {}: default realm ", files.join(", "))?;
                f.write_str(realm.unwrap_or("(none)"))?;
                write!(f, ", credential cache {cache}, keytab {keytab}")
            }
            Self::Fact(fact) => fact_in_words(fact, f),
            Self::Failed(error) => write!(f, "Failed: {error}"),
            Self::Host { host, found: Ok(count) } => write!(f, "Host {host} has {count} addresses"),
            Self::Host { found: Err(attempt), .. } => write!(f, "Host of KDC {attempt}"),
            Self::Initiating { client, target, cache } => {
                write!(f, "Initiating a context as {client} with {target}")?;
                cache.map_or(Ok(()), |cache| write!(f, ", by the tickets of {cache}"))
            }
            Self::Key { keytab, server, enctype, kvno, found } => {
                let version = kvno.map_or_else(|| "newest".to_owned(), |kvno| format!("kvno {kvno}"));
                write!(f, "Key of {server}, {version}, {enctype}: ")?;
                match found {
                    Ok(owner) if owner == server => write!(f, "found in keytab {keytab}"),
                    Ok(owner) => write!(f, "found in keytab {keytab}, as that of {owner}"),
                    Err(instead) => f.write_str(instead),
                }
            }
            Self::Keytab { name, found: Ok(count) } => write!(f, "Keytab {name}: {count} keys"),
            Self::Keytab { found: Err(error), .. } => write!(f, "Keytab {error}"),
            Self::NameServer { server, name, kind, said } => {
                write!(f, "Name server {server} asked for {kind} of {name}: {said}")
            }
            Self::NoAnswer(attempt) => write!(f, "KDC {attempt}"),
            Self::Plugin { name, file, outcome: Ok(()) } => {
                write!(f, "Mechanism {name}: loaded from {}", file.display())
            }
            Self::Plugin { name, file, outcome: Err(why) } => {
                write!(f, "Mechanism {name}: not loaded from {}: {why}", file.display())
            }
            Self::Places { realm, configured, found } => {
                let source = if *configured { "by the configuration" } else { "by DNS" };
                write!(f, "KDCs of {realm}, {source}: ")?;
                match found {
                    Ok(places) => list(places.iter(), f),
                    Err(none) => f.write_str(none),
                }
            }
            Self::RealmOfHost { host, found } => {
                write!(f, "Realm of {host}: ")?;
                either(found, f)
            }
            Self::Replay { cache, answer } => {
                write!(f, "Replay cache{}: ", cache.map_or_else(String::new, |cache| format!(" {cache}")))?;
                match answer {
                    Ok(()) => f.write_str("the request is new"),
                    Err(refusal) => refusal.fmt(f),
                }
            }
            Self::Request { realm, request } => {
                write!(f, "Request of {} octets to {realm}: ", request.len())?;
                request_in_words(request, f)
            }
            Self::Spent(Ok(())) => f.write_str("Transfer token: unspent, and spent now"),
            Self::Spent(Err(refusal)) => write!(f, "Transfer token: {refusal}"),
            Self::Stored { cache, server, outcome: Ok(()) } => {
                write!(f, "Ticket for {server} stored in {cache}")
            }
            Self::Stored { server, outcome: Err(error), .. } => {
                write!(f, "Ticket for {server} not stored: {error}")
            }
        }
    }
}

fn fact_in_words(fact: &Fact<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    match fact {
        Fact::Chosen { mechanism, first } => {
            write!(f, "SPNEGO: the acceptor chose {}", Named(mechanism))?;
            f.write_str(if *first {
                ", the initiator's first choice"
            } else {
                ", not the initiator's first choice"
            })
        }
        Fact::Lacking { client, server } => write!(f, "No ticket of {client} for {server} at hand"),
        Fact::Offers(mechanisms) => {
            f.write_str("SPNEGO: offering ")?;
            list(mechanisms.iter().map(Named), f)
        }
        Fact::Opened { client, server, enctype } => {
            write!(f, "Opened the request of {client} for {server}, session key {enctype}")
        }
        Fact::Presents { client, server, enctype, fresh } => {
            let from = if *fresh { "fetched just now" } else { "found in the cache" };
            write!(f, "Presenting the ticket of {client} for {server}, {from}, session key {enctype}")
        }
        // What later versions tell.
        other => write!(f, "{other:?}"),
    }
}

/// A mechanism by its name, where it has one here.
struct Named<'a>(&'a Oid);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if *self.0 == mechanism::KRB5.oid { f.write_str("krb5") } else { self.0.fmt(f) }
    }
}

fn either(found: &Result<impl Display, impl Display>, f: &mut Formatter<'_>) -> fmt::Result {
    match found {
        Ok(value) => value.fmt(f),
        Err(error) => error.fmt(f),
    }
}

fn list(items: impl Iterator<Item = impl Display>, f: &mut Formatter<'_>) -> fmt::Result {
    for (number, item) in items.enumerate() {
        write!(f, "{}{item}", if number == 0 { "" } else { ", " })?;
    }
    Ok(())
}

fn request_in_words(request: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    if let Ok(AsReq(request)) = AsReq::from_der(request) {
        f.write_str("initial ticket")?;
        let proofs = request.padata.iter().flatten().count();
        body_in_words(&request.req_body, f)?;
        write!(f, ", {proofs} elements of pre-authentication")
    } else if let Ok(TgsReq(request)) = TgsReq::from_der(request) {
        f.write_str("ticket")?;
        body_in_words(&request.req_body, f)
    } else {
        f.write_str("no request of the AS or the TGS")
    }
}

fn body_in_words(body: &KdcReqBody<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    let principal = |name| Principal::from_wire(name, body.realm.0).ok();
    if let Some(client) = body.cname.as_ref().and_then(principal) {
        write!(f, " of {client}")?;
    }
    if let Some(server) = body.sname.as_ref().and_then(principal) {
        write!(f, " for {server}")?;
    }
    f.write_str(", enctypes ")?;
    list(body.etype.iter(), f)
}

/// The application tags of replies (RFC 4120 §5.10).
const AS_REP: u8 = 0x6b;
const TGS_REP: u8 = 0x6d;

fn answer_in_words(answer: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    match (KrbError::from_der(answer), answer.first()) {
        (Ok(error), _) => {
            write!(f, "error: {}", ErrorCode(error.error_code))?;
            match error.e_text {
                Some(text) if !text.0.is_empty() => write!(f, ", it adds: {}", text.0),
                _ => Ok(()),
            }
        }
        (_, Some(&AS_REP)) => f.write_str("an initial ticket"),
        (_, Some(&TGS_REP)) => f.write_str("a ticket"),
        _ => f.write_str("no message of a KDC"),
    }
}
