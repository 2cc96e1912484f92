//! Tickets made of a ticket: renewed, validated, forwarded, proxied (RFC 4120 §2.3 to §2.6, §3.3.3).

use orthros_wire::der::KerberosTime;

use super::behalf::Behalf;
use super::failure::{KdcFailure, Lack};
use super::granting::{Demand, ask, inherited, served};
use super::policy::ExchangePolicy;
use super::reply::Renaming;
use super::{Obtained, Progress, service};
use crate::credential::TypedOctets;
use crate::env::Env;
use crate::wire::{KdcOptions, TicketFlags};
use crate::{Credential, ErrorCode, Principal};

/// Starts the renewal of `ticket`: the same ticket with a fresh life, as long as its last one. It must be
/// renewable, and neither ended nor past its renew-till time (RFC 4120 §2.3).
pub fn renewed(ticket: &Credential, policy: &ExchangePolicy, env: &Env) -> Progress<Obtained> {
    let till = ticket.times.renew_till;
    let now = env.now().plus_seconds(policy.kdc_offset);
    if !ticket.flags.contains(TicketFlags::RENEWABLE) {
        return lacks(ticket, Lack::Renewable);
    }
    if till.0 <= now.seconds {
        return lacks(ticket, Lack::RenewTime { till: till.into() });
    }
    start(ticket, again(ticket, KdcOptions::RENEW, till), policy, env)
}

/// Starts the validation of the postdated `ticket`, whose time has come (RFC 4120 §2.4).
pub fn validated(ticket: &Credential, policy: &ExchangePolicy, env: &Env) -> Progress<Obtained> {
    let now = env.now().plus_seconds(policy.kdc_offset);
    if !ticket.flags.contains(TicketFlags::INVALID) {
        return lacks(ticket, Lack::Postdated);
    }
    let start_time = ticket.times.starttime;
    if start_time.0 > now.seconds.saturating_add(policy.clock_skew) {
        return lacks(ticket, Lack::Begun { start: start_time.into() });
    }
    start(ticket, again(ticket, KdcOptions::VALIDATE, ticket.times.endtime), policy, env)
}

/// Starts a TGS exchange for a ticket-granting ticket that a server can be given (delegation): forwarded,
/// forwardable, and good from [`ExchangePolicy::addresses`]; without any, from everywhere, so that it is good on
/// the server's host.
pub fn forwarded(tgt: &Credential, policy: ExchangePolicy, env: Env) -> Progress<Obtained> {
    if !tgt.flags.contains(TicketFlags::FORWARDABLE) {
        return lacks(tgt, Lack::Forwardable);
    }
    let demand = Demand {
        server: tgt.server.clone(),
        realm: served(tgt).to_owned(),
        options: inherited(tgt.flags) | KdcOptions::FORWARDED | KdcOptions::FORWARDABLE,
        renaming: Renaming::No,
        till: tgt.times.endtime,
        addresses: policy.addresses.clone(),
        behalf: Behalf::Own,
    };
    start(tgt, demand, &policy, &env)
}

/// Starts a TGS exchange for a proxy: a ticket for `server`, which lies in the realm that `tgt` is for, good from
/// other addresses than `tgt` (RFC 4120 §2.5); without any, from everywhere.
pub fn proxied(
    tgt: &Credential,
    server: Principal,
    addresses: Vec<TypedOctets>,
    policy: &ExchangePolicy,
    env: &Env,
) -> Progress<Obtained> {
    if !tgt.flags.contains(TicketFlags::PROXIABLE) {
        return lacks(tgt, Lack::Proxiable);
    }
    if server.realm() != served(tgt) {
        let realm = served(tgt).to_owned();
        return Progress::Failed(KdcFailure::CrossRealm { server, realm });
    }
    let (tgt, policy, env) = (tgt.clone(), policy.clone(), env.clone());
    ask(&tgt, proxy(&tgt, server.clone(), addresses.clone()), &policy, &env).and_then(move |granted| {
        match granted {
            Ok(credential) => Progress::Done(alone(credential, 1)),
            // MIT's KDC makes a proxy only of a ticket for the same server.
            Err(failure) if failure.code() == Some(ErrorCode::SERVER_NOMATCH) => {
                by_service_ticket(&tgt, server, addresses, policy, env)
            }
            Err(failure) => Progress::Failed(failure),
        }
    })
}

/// A proxy by way of an ordinary ticket for the server.
fn by_service_ticket(
    tgt: &Credential,
    server: Principal,
    addresses: Vec<TypedOctets>,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    service(tgt, server.clone(), policy.clone(), env.clone()).and_then(move |obtained| {
        let ticket = obtained.credential;
        let demand = proxy(&ticket, server, addresses);
        ask(&ticket, demand, &policy, &env).and_then(|granted| match granted {
            Ok(credential) => Progress::Done(alone(credential, 3)),
            Err(failure) => Progress::Failed(failure),
        })
    })
}

fn proxy(ticket: &Credential, server: Principal, addresses: Vec<TypedOctets>) -> Demand {
    Demand {
        server,
        realm: served(ticket).to_owned(),
        options: inherited(ticket.flags) | KdcOptions::PROXY,
        renaming: Renaming::No,
        till: ticket.times.endtime,
        addresses,
        behalf: Behalf::Own,
    }
}

/// The demand for the same ticket once more, to the KDC that issued it.
fn again(ticket: &Credential, option: KdcOptions, till: KerberosTime) -> Demand {
    Demand {
        server: ticket.server.clone(),
        realm: ticket.server.realm().to_owned(),
        options: inherited(ticket.flags) | option,
        renaming: Renaming::No,
        till,
        addresses: Vec::new(),
        behalf: Behalf::Own,
    }
}

fn lacks(ticket: &Credential, lack: Lack) -> Progress<Obtained> {
    Progress::Failed(KdcFailure::Lacks { client: ticket.client.clone(), lack })
}

fn start(ticket: &Credential, demand: Demand, policy: &ExchangePolicy, env: &Env) -> Progress<Obtained> {
    ask(ticket, demand, policy, env).and_then(|granted| match granted {
        Ok(credential) => Progress::Done(alone(credential, 1)),
        Err(failure) => Progress::Failed(failure),
    })
}

fn alone(credential: Credential, requests: u32) -> Obtained {
    Obtained { credential, also: Vec::new(), kdc_offset: None, requests }
}
