//! The way from the tickets at hand to a ticket for a service, in whatever realm (RFC 4120 §3.3.1, RFC 6806 §8).
//!
//! Two moves, and each leads into another realm with a ticket-granting ticket for it:
//!
//! - The server's realm is known, and this is not it: the KDC here is asked for a ticket of that realm, or else of
//!   the nearest to it on the way ([`Capaths`](crate::config::Capaths)).
//! - The server's realm is this one, or unknown: the KDC is asked for the service itself. It may answer with the
//!   ticket-granting service of another realm, where the service is said to be (a referral).
//!
//! No realm is visited twice, and no more than ten are left; all that is believed was sealed by the KDC asked.
//! What each KDC on the way vouches for is its own next step, so a KDC may mislead to where it has keys for, and
//! each service checks the realms that its client came through.

use super::behalf::{Behalf, elsewhere, explained};
use super::failure::KdcFailure;
use super::granting::{Demand, Granted, ask, inherited, served};
use super::policy::ExchangePolicy;
use super::reply::Renaming;
use super::{MOST_HOPS, Obtained, Progress};
use crate::env::Env;
use crate::{Credential, ErrorCode, Principal};

/// How many requests are made at most on the way to one service.
const MOST_REQUESTS: u32 = 40;

/// Starts the search for a ticket for `server`: the client has a ticket-granting ticket, most often of its own
/// realm. The new ticket lives as long as that one, as far as the KDCs allow.
///
/// Where `server` has an empty realm, its realm is not known: the KDC of the client's realm is asked, which may
/// know, and then the realm that is named like the host's domain is tried.
///
/// ```no_run
/// # use orthros_krb5::{Credential, Env, exchange::{self, ExchangePolicy, Progress}};
/// # fn example(tgt: &Credential, env: Env) -> Result<(), Box<dyn std::error::Error>> {
/// let server = "host/www.example.com@EXAMPLE.COM".parse()?;
/// match exchange::service(tgt, server, ExchangePolicy::default(), env) {
///     Progress::Ask(ask) => { /* carry ask.request() to a KDC of ask.realm() */ }
///     Progress::Done(obtained) => println!("{}", obtained.credential.server),
///     Progress::Failed(failure) => return Err(failure.into()),
/// }
/// # Ok(())
/// # }
/// ```
pub fn service(tgt: &Credential, server: Principal, policy: ExchangePolicy, env: Env) -> Progress<Obtained> {
    service_from(tgt, Vec::new(), server, policy, env)
}

/// As [`service`], with other tickets of the client's at hand: a ticket-granting ticket of the server's realm, or
/// of one on the way to it, saves the requests up to there.
pub fn service_from(
    tgt: &Credential,
    others: Vec<Credential>,
    server: Principal,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    search(tgt, others, server, Errand::Own, policy, env)
}

/// What a search is for.
#[derive(Clone, Debug)]
pub(super) enum Errand {
    /// A ticket by another's ticket (S4U2Proxy).
    Constrained { evidence: Box<Credential> },
    /// A ticket of another client's to `service`, which searches (S4U2Self).
    Impersonate {
        user: Principal,
        service: Principal,
        /// The user's realm has been asked, and referred back.
        returns: bool,
    },
    /// A ticket of its own.
    Own,
}

impl Errand {
    fn behalf(&self) -> Behalf {
        match self {
            Self::Constrained { evidence } => Behalf::Evidence(evidence.clone()),
            Self::Impersonate { user, .. } => Behalf::User(user.clone()),
            Self::Own => Behalf::Own,
        }
    }
}

/// Begins a search for whatever errand.
pub(super) fn search(
    tgt: &Credential,
    others: Vec<Credential>,
    server: Principal,
    errand: Errand,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    let home = served(tgt).to_owned();
    let unknown = server.realm().is_empty();
    let target = match &errand {
        // Another realm knows the service by its whole name.
        Errand::Impersonate { user, .. } if user.realm() != home => {
            Principal::enterprise(&server.to_string(), user.realm())
        }
        _ if unknown => server.in_realm(&home),
        _ => server.clone(),
    };
    let fallback = if unknown { fallback_realm(&server).filter(|realm| *realm != home) } else { None };
    let now = env.now().plus_seconds(policy.kdc_offset);
    let others = others
        .into_iter()
        .filter(|ticket| ticket.server.as_ticket_granting().is_some() && !ticket.times.expired(now))
        .filter(|ticket| ticket.client == tgt.client)
        .collect();
    let search = Search {
        errand,
        asked: server,
        target,
        tgt: tgt.clone(),
        others,
        fallback,
        policy,
        env,
        got: Vec::new(),
        visited: Vec::new(),
        requests: 0,
    };
    search.start()
}

/// The realm that is named like the domain of the host that `server` is on.
fn fallback_realm(server: &Principal) -> Option<String> {
    let [_, host] = server.components() else { return None };
    let (_, domain) = host.split_once('.')?;
    Some(domain.to_ascii_uppercase()).filter(|domain| !domain.is_empty())
}

struct Search {
    errand: Errand,
    /// As the caller named it.
    asked: Principal,
    /// Whom a ticket is asked for, and where it is believed to be.
    target: Principal,
    /// Where the search begins.
    tgt: Credential,
    /// Other ticket-granting tickets at hand.
    others: Vec<Credential>,
    /// Where the server is looked for if the client's realm does not know it.
    fallback: Option<String>,
    policy: ExchangePolicy,
    env: Env,
    /// The ticket-granting tickets got on the way.
    got: Vec<Credential>,
    /// The realms in order, the present one last.
    visited: Vec<String>,
    requests: u32,
}

impl Search {
    /// Begins as near to the target as the tickets at hand allow.
    fn start(mut self) -> Progress<Obtained> {
        let home = served(&self.tgt).to_owned();
        let way = self.way(&home);
        let nearest = way.iter().find_map(|realm| {
            self.others.iter().find(|ticket| ticket.server.as_ticket_granting() == Some(realm))
        });
        let first = nearest.unwrap_or(&self.tgt).clone();
        self.visited = vec![served(&first).to_owned()];
        self.from(first)
    }

    /// The realms on the way from `here` to the target, the target's first. The way of the client's realm holds
    /// as long as the search is on it.
    fn way(&self, here: &str) -> Vec<String> {
        let (home, there) = (self.tgt.client.realm(), self.target.realm());
        if here == there {
            return Vec::new();
        }
        let between = self.policy.capaths.between(home, there);
        let rest = match between.iter().position(|realm| realm == here) {
            Some(index) => between.into_iter().skip(index.saturating_add(1)).collect(),
            None if here == home => between,
            None => self.policy.capaths.between(here, there),
        };
        std::iter::once(there.to_owned()).chain(rest.into_iter().rev()).collect()
    }

    /// Goes on with a ticket-granting ticket for the present realm.
    fn from(self, tgt: Credential) -> Progress<Obtained> {
        let mut way = self.way(served(&tgt));
        if way.is_empty() {
            return self.ask_service(tgt);
        }
        way.reverse();
        self.ask_realm(tgt, way)
    }

    /// Asks the present KDC for the service.
    fn ask_service(self, tgt: Credential) -> Progress<Obtained> {
        let (server, behalf) = (self.target.clone(), self.errand.behalf());
        self.ask(tgt, server, behalf, |search, tgt, granted| match granted {
            Ok(ticket) => match ticket.server.as_ticket_granting() {
                Some(realm) if ticket.server != search.target => {
                    let realm = realm.to_owned();
                    search.referred(&tgt, ticket, &realm)
                }
                _ => Progress::Done(search.done(ticket)),
            },
            Err(failure) => {
                let failure = explained(failure, &search.errand, &tgt);
                search.unknown_here(&tgt, failure)
            }
        })
    }

    /// Goes to the realm where the service is said to be.
    fn referred(mut self, tgt: &Credential, ticket: Credential, realm: &str) -> Progress<Obtained> {
        match &mut self.errand {
            Errand::Own => self.target = self.target.in_realm(realm),
            // The referral is a ticket of the user's, which is no proof of who asks.
            Errand::Constrained { evidence } => return elsewhere(evidence),
            Errand::Impersonate { service, returns, .. } => {
                // The way back leads through the same realms.
                if !std::mem::replace(returns, true) {
                    self.visited = vec![served(tgt).to_owned()];
                }
                self.target = match realm == service.realm() {
                    true => service.clone(),
                    false => self.target.in_realm(realm),
                };
            }
        }
        self.enter(ticket)
    }

    /// Asks the present KDC for a ticket-granting ticket of the last of `realms`, and if it has none, of those
    /// before it.
    fn ask_realm(self, tgt: Credential, mut realms: Vec<String>) -> Progress<Obtained> {
        let here = served(&tgt).to_owned();
        let Some(next) = realms.pop() else {
            return Progress::Failed(KdcFailure::CrossRealm { server: self.target, realm: here });
        };
        let server = Principal::ticket_granting(&next, &here);
        self.ask(tgt, server, Behalf::Own, move |search, tgt, granted| match granted {
            Ok(ticket) if ticket.server.as_ticket_granting().is_some() => search.enter(ticket),
            Ok(ticket) => {
                let fault = super::ReplyFault::Server(ticket.server.to_string());
                Progress::Failed(KdcFailure::BadReply { realm: here, fault })
            }
            // Where nothing is left to try, a reason other than an unknown realm is worth telling.
            Err(failure @ KdcFailure::Refused { .. })
                if failure.code() == Some(ErrorCode::S_PRINCIPAL_UNKNOWN) || !realms.is_empty() =>
            {
                search.ask_realm(tgt, realms)
            }
            Err(failure) => Progress::Failed(failure),
        })
    }

    /// Enters the realm that a new ticket-granting ticket is for.
    fn enter(mut self, ticket: Credential) -> Progress<Obtained> {
        let realm = served(&ticket).to_owned();
        let known = self.visited.contains(&realm);
        self.visited.push(realm);
        // The first realm was not got to by a hop.
        if known || self.visited.len() > MOST_HOPS.saturating_add(1) {
            return self.endless();
        }
        // What leads back from a user's realm speaks of that user: nobody else may have it.
        if !matches!(self.errand, Errand::Impersonate { returns: true, .. }) {
            self.got.push(ticket.clone());
        }
        self.from(ticket)
    }

    /// The KDC here refuses the service: if nobody knows where it is, there is one more place to look.
    fn unknown_here(mut self, tgt: &Credential, failure: KdcFailure) -> Progress<Obtained> {
        let unknown = failure.code() == Some(ErrorCode::S_PRINCIPAL_UNKNOWN);
        match self.fallback.take() {
            Some(realm) if unknown && !self.visited.contains(&realm) => {
                self.target = self.target.in_realm(&realm);
                self.from(tgt.clone())
            }
            _ => Progress::Failed(failure),
        }
    }

    fn ask(
        mut self,
        tgt: Credential,
        server: Principal,
        behalf: Behalf,
        then: impl FnOnce(Self, Credential, Granted) -> Progress<Obtained> + Send + Sync + 'static,
    ) -> Progress<Obtained> {
        if self.requests >= MOST_REQUESTS {
            return self.endless();
        }
        self.requests += 1;
        // Only the service's own ticket is to be short: those on the way serve for other services too.
        let wanted = self.policy.service_end.filter(|_| server.as_ticket_granting().is_none());
        let till = wanted.map_or(tgt.times.endtime, |end| tgt.times.endtime.min(end.into()));
        let demand = Demand {
            server,
            realm: served(&tgt).to_owned(),
            options: inherited(tgt.flags),
            renaming: Renaming::Server,
            till,
            addresses: Vec::new(),
            behalf,
        };
        let progress = ask(&tgt, demand, &self.policy, &self.env);
        progress.and_then(move |granted| then(self, tgt, granted))
    }

    fn endless(self) -> Progress<Obtained> {
        Progress::Failed(KdcFailure::ReferralLoop { principal: self.asked, realms: self.visited })
    }

    fn done(self, credential: Credential) -> Obtained {
        let mut also = self.got;
        // A name without a realm is filed as MIT krb5 does, but not where the first guess was right.
        let guessed =
            self.asked.realm().is_empty() && credential.server == self.asked.in_realm(served(&self.tgt));
        if credential.server != self.asked && !guessed {
            also.push(credential.filed_under(self.asked));
        }
        Obtained { credential, also, kdc_offset: None, requests: self.requests }
    }
}
