//! What is checked in the reply of either exchange (RFC 4120 §3.1.5, §3.3.4).
//!
//! Names, times and the session key come from the sealed part alone. The names in the clear must agree with
//! it: they are what Orpheus' Lyre (CVE-2017-11103) altered. The client's name stands nowhere but in the clear
//! (and in the ticket, which only its server opens); another than was asked for is taken where the request asked
//! for the canonical one, and can't help an impostor: the ticket's server goes by the name in the ticket.

use std::sync::Arc;

use orthros_crypto::{Key, SessionKey};
use orthros_wire::Timestamp;
use orthros_wire::der::{Decode, DerError, KerberosTime};

use super::failure::{KdcFailure, ReplyFault};
use super::policy::ExchangePolicy;
use crate::credential::TypedOctets;
use crate::wire::{
    EncKdcRepPart, KdcRep, KrbError, PVNO, TicketFlags, application_number, decode_enc_kdc_rep_part, msg_type,
};
use crate::{Credential, ErrorCode, Principal, TicketTimes};

/// What was asked, and of whom.
pub(super) struct Asked<'a> {
    pub(super) realm: &'a str,
    pub(super) client: &'a Principal,
    /// The ticket is to be that client's; otherwise whoever asks finds out whose it is.
    pub(super) own: bool,
    pub(super) server: &'a Principal,
    pub(super) nonce: u32,
    pub(super) renaming: Renaming,
    /// The begin that was asked for; `None`: now.
    pub(super) from: Option<KerberosTime>,
    /// The end that was asked for.
    pub(super) till: KerberosTime,
    pub(super) policy: &'a ExchangePolicy,
}

/// Which names in a reply may be others than those in the request (RFC 6806).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renaming {
    /// The client's may be canonical, and with it the realm; the server's too.
    Client,
    /// None may change.
    No,
    /// The server's: a canonical name, or the ticket-granting service of a realm that is nearer to it.
    Server,
}

/// Whose time the ticket's times are compared with.
#[derive(Clone, Copy)]
pub(super) enum TimeBase {
    /// The reply's own `authtime` is the KDC's present, and the local clock is compared with it.
    Authtime,
    /// The local clock, with the offset that is already known.
    Known,
}

/// A message that may be the answer to a request.
pub(super) enum Incoming<'a> {
    Error(Box<KrbError<'a>>),
    Reply(Box<KdcRep<'a>>),
}

/// Reads an answer that should be a message of type `due`, or an error.
pub(super) fn incoming<'a, T>(
    answer: &'a [u8],
    due: i32,
    realm: &str,
    open: impl FnOnce(T) -> KdcRep<'a>,
) -> Result<Incoming<'a>, KdcFailure>
where
    T: Decode<'a>,
{
    let bad = |fault| KdcFailure::BadReply { realm: realm.into(), fault };
    let malformed = |error| KdcFailure::Malformed { realm: realm.into(), error };
    match application_number(answer) {
        Some(msg_type::KRB_ERROR) => {
            let error = KrbError::from_der(answer).map_err(malformed)?;
            if (error.pvno, error.msg_type) != (PVNO, msg_type::KRB_ERROR) {
                return Err(bad(ReplyFault::MessageType(Some(error.msg_type))));
            }
            Ok(Incoming::Error(Box::new(error)))
        }
        Some(number) if number == due => {
            let reply = open(T::from_der(answer).map_err(malformed)?);
            if reply.pvno != PVNO {
                return Err(bad(ReplyFault::Version(reply.pvno)));
            }
            if reply.msg_type != due {
                return Err(bad(ReplyFault::MessageType(Some(reply.msg_type))));
            }
            Ok(Incoming::Reply(Box::new(reply)))
        }
        other => Err(bad(ReplyFault::MessageType(other))),
    }
}

/// The failure that an error stands for, where nothing more precise is known.
pub(super) fn refused(error: &KrbError<'_>, asked: &Asked<'_>) -> KdcFailure {
    KdcFailure::Refused {
        realm: asked.realm.into(),
        code: ErrorCode(error.error_code),
        text: text(error),
        client: Box::new(asked.client.clone()),
        server: Box::new(asked.server.clone()),
    }
}

/// What an error adds for people. Many KDCs only repeat the number's name.
pub(super) fn text(error: &KrbError<'_>) -> Option<String> {
    let name = ErrorCode(error.error_code).name().unwrap_or_default();
    error.e_text.map(|text| text.0).filter(|text| !text.is_empty() && *text != name).map(str::to_owned)
}

/// The credential that an opened reply holds, and how many seconds the KDC's clock is ahead of `now`.
pub(super) fn accept(
    reply: &KdcRep<'_>,
    plain: &[u8],
    asked: &Asked<'_>,
    base: TimeBase,
    now: Timestamp,
) -> Result<(Credential, i64), KdcFailure> {
    let malformed = |error| KdcFailure::Malformed { realm: asked.realm.into(), error };
    let bad = |fault| KdcFailure::BadReply { realm: asked.realm.into(), fault };
    let part = decode_enc_kdc_rep_part(plain).map_err(malformed)?;
    if part.nonce != asked.nonce {
        return Err(bad(ReplyFault::Nonce));
    }
    let (client, server) = names(reply, &part, asked)?;
    let key = asked
        .policy
        .asked_for(part.key.keytype)
        .and_then(|enctype| Key::new(enctype, part.key.keyvalue.0).ok())
        .ok_or_else(|| bad(ReplyFault::Enctype(part.key.keytype)))?;
    let offset = match base {
        TimeBase::Authtime => part.authtime.0.saturating_sub(now.seconds),
        TimeBase::Known => asked.policy.kdc_offset,
    };
    let times = times(&part, asked, now.plus_seconds(offset))?;
    if matches!(base, TimeBase::Authtime)
        && !asked.policy.kdc_timesync
        && offset.saturating_abs() > asked.policy.clock_skew
    {
        return Err(KdcFailure::Skew { realm: asked.realm.into(), kdc: part.authtime.into(), here: now });
    }
    let addresses = part.caddr.iter().flatten();
    let credential = Credential {
        client,
        server,
        key: Arc::new(SessionKey::from(key)),
        times,
        flags: part.flags,
        in_session_key: false,
        addresses: addresses
            .map(|address| TypedOctets { number: address.addr_type, octets: address.address.into() })
            .collect(),
        authorization_data: Vec::new(),
        ticket: reply.ticket.octets().into(),
        second_ticket: Arc::new([]),
    };
    Ok((credential, offset))
}

/// The client and the server that the reply is for, once all names agree.
fn names(
    reply: &KdcRep<'_>,
    part: &EncKdcRepPart<'_>,
    asked: &Asked<'_>,
) -> Result<(Principal, Principal), KdcFailure> {
    let bad = |fault| KdcFailure::BadReply { realm: asked.realm.into(), fault };
    let nameless = |_| KdcFailure::Malformed {
        realm: asked.realm.into(),
        error: DerError::Value("PrincipalName without components"),
    };
    let client = Principal::from_wire(&reply.cname, reply.crealm.0).map_err(nameless)?;
    let foreign = asked.own && client != *asked.client;
    if foreign && asked.renaming != Renaming::Client {
        return Err(bad(ReplyFault::Client(client.to_string())));
    }
    let server = Principal::from_wire(&part.sname, part.srealm.0).map_err(nameless)?;
    if foreign && client.realm() != server.realm() {
        return Err(bad(ReplyFault::Client(client.to_string())));
    }
    if server != *asked.server && !renamed(&client, &server, asked) {
        return Err(bad(ReplyFault::Server(server.to_string())));
    }
    let clear = Principal::from_wire(&reply.ticket.sname, reply.ticket.realm.0).map_err(nameless)?;
    if clear != server || reply.ticket.tkt_vno != PVNO {
        return Err(bad(ReplyFault::TicketNames(clear.to_string())));
    }
    Ok((client, server))
}

/// Whether a KDC may have put `server` in the place of the one that was asked for.
fn renamed(client: &Principal, server: &Principal, asked: &Asked<'_>) -> bool {
    let own = |realm: &str| server.as_ticket_granting() == Some(realm) && server.realm() == realm;
    match asked.renaming {
        Renaming::No => false,
        // A realm with two names: its ticket-granting service has the canonical one, as the client does.
        Renaming::Client if asked.server.as_ticket_granting().is_some() => own(client.realm()),
        Renaming::Client => server.realm() == client.realm() && server.as_ticket_granting().is_none(),
        // A KDC speaks for its own realm; its own ticket-granting service is no canonical name of anything.
        Renaming::Server => server.realm() == asked.realm && !own(asked.realm),
    }
}

/// The ticket's times, once they agree with each other, the request and the KDC's present.
fn times(part: &EncKdcRepPart<'_>, asked: &Asked<'_>, kdc_now: Timestamp) -> Result<TicketTimes, KdcFailure> {
    let starttime = part.starttime.unwrap_or(part.authtime);
    let endtime = part.endtime;
    let in_order = endtime > starttime;
    let begun = match asked.from {
        Some(from) => starttime == from,
        None => starttime.0 <= kdc_now.seconds.saturating_add(asked.policy.clock_skew),
    };
    let as_asked = asked.till.0 == 0 || endtime <= asked.till;
    if !(in_order && begun && as_asked) {
        let fault = ReplyFault::Times { start: starttime.into(), end: endtime.into() };
        return Err(KdcFailure::BadReply { realm: asked.realm.into(), fault });
    }
    // In order, but over: the clocks differ, or a ticket-granting ticket was used in its last seconds.
    if endtime.0 <= kdc_now.seconds {
        let fault = ReplyFault::Ended { end: endtime.into(), now: kdc_now };
        return Err(KdcFailure::BadReply { realm: asked.realm.into(), fault });
    }
    let renewable = part.flags.contains(TicketFlags::RENEWABLE);
    Ok(TicketTimes {
        authtime: part.authtime,
        starttime,
        endtime,
        renew_till: part.renew_till.filter(|_| renewable).unwrap_or_default(),
    })
}
