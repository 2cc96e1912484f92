//! What is checked in the reply of either exchange (RFC 4120 §3.1.5, §3.3.4).
//!
//! Names, times and the session key come from the sealed part alone. The names in the clear must agree with
//! it: they are what Orpheus' Lyre (CVE-2017-11103) altered.

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
    pub(super) server: &'a Principal,
    pub(super) nonce: u32,
    /// The end that was asked for.
    pub(super) till: KerberosTime,
    pub(super) policy: &'a ExchangePolicy,
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
    let server = names(reply, &part, asked)?;
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
        client: asked.client.clone(),
        server,
        key: Arc::new(SessionKey::from(key)),
        times,
        flags: part.flags,
        in_session_key: false,
        addresses: addresses
            .map(|address| TypedOctets { number: address.addr_type, octets: address.address.to_vec() })
            .collect(),
        authorization_data: Vec::new(),
        ticket: reply.ticket.octets().into(),
        second_ticket: Arc::new([]),
    };
    Ok((credential, offset))
}

/// The server that the reply is for, once all names agree.
fn names(reply: &KdcRep<'_>, part: &EncKdcRepPart<'_>, asked: &Asked<'_>) -> Result<Principal, KdcFailure> {
    let bad = |fault| KdcFailure::BadReply { realm: asked.realm.into(), fault };
    let nameless = |_| KdcFailure::Malformed {
        realm: asked.realm.into(),
        error: DerError::Value("PrincipalName without components"),
    };
    let client = Principal::from_wire(&reply.cname, reply.crealm.0).map_err(nameless)?;
    if client != *asked.client {
        return Err(bad(ReplyFault::Client(client.to_string())));
    }
    let server = Principal::from_wire(&part.sname, part.srealm.0).map_err(nameless)?;
    if server != *asked.server {
        return Err(match server.as_ticket_granting() {
            Some(served) if served != server.realm() => {
                KdcFailure::CrossRealm { server: asked.server.clone(), realm: asked.realm.into() }
            }
            _ => bad(ReplyFault::Server(server.to_string())),
        });
    }
    let clear = Principal::from_wire(&reply.ticket.sname, reply.ticket.realm.0).map_err(nameless)?;
    if clear != server || reply.ticket.tkt_vno != PVNO {
        return Err(bad(ReplyFault::TicketNames(clear.to_string())));
    }
    Ok(server)
}

/// The ticket's times, once they agree with each other, the request and the KDC's present.
fn times(part: &EncKdcRepPart<'_>, asked: &Asked<'_>, kdc_now: Timestamp) -> Result<TicketTimes, KdcFailure> {
    let starttime = part.starttime.unwrap_or(part.authtime);
    let endtime = part.endtime;
    let in_order = endtime > starttime && endtime.0 > kdc_now.seconds;
    let begun = starttime.0 <= kdc_now.seconds.saturating_add(asked.policy.clock_skew);
    let as_asked = asked.till.0 == 0 || endtime <= asked.till;
    if !(in_order && begun && as_asked) {
        let fault = ReplyFault::Times { start: starttime.into(), end: endtime.into() };
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
