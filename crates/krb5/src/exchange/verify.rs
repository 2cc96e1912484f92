//! Whether a fresh ticket-granting ticket comes from the realm's true KDC.
//!
//! A password that "works" proves nothing: whoever answers in the KDC's place can choose it. A ticket for a
//! service whose key lies in a keytab here is sealed in that key, which an impostor does not have. Whoever lets
//! somebody in because of a password must ask this first.

use std::sync::Arc;

use super::failure::KdcFailure;
use super::policy::ExchangePolicy;
use super::{Obtained, Progress, service};
use crate::ap::{AcceptorKeys, Request, open_request};
use crate::env::Env;
use crate::wire::ApOptions;
use crate::{Credential, Principal};

/// What holds if there is no key to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyRule {
    /// It is a failure: what a program should ask for that lets users in.
    Demand,
    /// Nothing is proved, and that is no failure: [`Verified::NoKey`]. As MIT krb5 without
    /// `verify_ap_req_nofail`.
    IfKeys,
}

/// What a verification came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// The KDC knows the key of this principal.
    By(Principal),
    /// There was no key to verify with, so nothing is proved.
    NoKey,
}

/// Starts the verification of `tgt`: a ticket for each of `servers` in turn is got and opened with its key of
/// `keys`, until one opens. `servers` are principals that the keytab has keys of.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use orthros_krb5::exchange::{self, ExchangePolicy, VerifyRule};
/// # use orthros_krb5::{Credential, Env, Keytab};
/// # fn example(tgt: &Credential, keytab: Keytab, env: &Env) {
/// let mut servers: Vec<_> = keytab.entries().map(|entry| entry.principal().clone()).collect();
/// servers.dedup();
/// let policy = ExchangePolicy::default();
/// let progress = exchange::verify_initial(tgt, Arc::new(keytab), servers, VerifyRule::Demand, policy, env);
/// # }
/// ```
pub fn verify_initial(
    tgt: &Credential,
    keys: Arc<dyn AcceptorKeys + Send + Sync>,
    servers: Vec<Principal>,
    rule: VerifyRule,
    policy: ExchangePolicy,
    env: &Env,
) -> Progress<Verified> {
    let verification = Verification {
        tgt: tgt.clone(),
        keys,
        servers: servers.into_iter().rev().collect(),
        policy,
        env: env.clone(),
        report: Vec::new(),
    };
    match (verification.servers.is_empty(), rule) {
        (true, VerifyRule::IfKeys) => Progress::Done(Verified::NoKey),
        (true, VerifyRule::Demand) | (false, _) => verification.next(),
    }
}

struct Verification {
    tgt: Credential,
    keys: Arc<dyn AcceptorKeys + Send + Sync>,
    /// Still to be tried, the next one last.
    servers: Vec<Principal>,
    policy: ExchangePolicy,
    env: Env,
    /// What became of those that were tried.
    report: Vec<String>,
}

impl Verification {
    fn next(mut self) -> Progress<Verified> {
        let Some(server) = self.servers.pop() else {
            let report = match self.report.as_slice() {
                [] => "the keytab has no key to verify it with".to_owned(),
                report => report.join("; "),
            };
            return Progress::Failed(KdcFailure::Unverified { client: self.tgt.client, report });
        };
        let asked = service(&self.tgt, server.clone(), self.policy.clone(), self.env.clone());
        self.settle(asked, server)
    }

    /// Follows one search to its end; its failure is not the end of the verification.
    fn settle(mut self, search: Progress<Obtained>, server: Principal) -> Progress<Verified> {
        match search {
            Progress::Ask(ask) => ask.then(move |progress| self.settle(progress, server)),
            Progress::Done(obtained) => match self.open(&obtained.credential) {
                Ok(()) => Progress::Done(Verified::By(server)),
                Err(reason) => {
                    self.report.push(reason);
                    self.next()
                }
            },
            Progress::Failed(failure) => {
                self.report.push(failure.to_string());
                self.next()
            }
        }
    }

    /// Opens a ticket as its server would.
    fn open(&self, ticket: &Credential) -> Result<(), String> {
        let now = self.env.now().plus_seconds(self.policy.kdc_offset);
        let request = Request {
            options: ApOptions::default(),
            checksum: (0, &[]),
            subkey: None,
            sequence: None,
            authorization_data: None,
            now,
        };
        let sent = request.make(ticket, &*self.env.random).map_err(|error| error.to_string())?;
        let skew = u32::try_from(self.policy.clock_skew).unwrap_or(u32::MAX);
        let opened = open_request(&sent.message, &*self.keys, now, skew, &self.policy.permitted)
            .map_err(|refusal| refusal.to_string())?;
        if opened.client == self.tgt.client {
            Ok(())
        } else {
            Err(format!("the ticket for {} is of {}", ticket.server, opened.client))
        }
    }
}
