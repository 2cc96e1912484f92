//! The initiator's half: a ticket for the target, an AP-REQ, and the acceptor's answer (RFC 4121 §4.1).
//!
//! The way: [`start`] and [`Naming`] name the target; [`Initiating`] collects tickets, asking KDCs where it lacks one, and
//! makes the first token; [`Waiting`] takes the answer.

use std::sync::Arc;

use orthros_crypto::{Key, SessionKey};
use orthros_krb5::ap::{self, RemoteError, Request, RequestSent};
use orthros_krb5::exchange::{self, ExchangePolicy, KdcFailure, Obtained, Progress};
use orthros_krb5::wire::{ApOptions, TicketFlags};
use orthros_krb5::{Credential, ErrorCode, Principal};
use orthros_wire::Timestamp;

use super::checksum::{self, GssChecksum};
use super::target::{Next, Question, Resolved, Targets};
use super::{TokenKind, first_sequence, token};
use crate::context::established::Established;
use crate::context::{AwaitToken, Initiate, Need, NeedKdc, NeedResolve, NeedStore, Step};
use crate::error::{BadToken, Error, Refusal};
use crate::message::protection::{Protection, Role};
use crate::message::window::Window;
use crate::name::BadName;
use crate::{Context, Flags};

/// What the mechanism can do for an initiator; other flags that are asked for are ignored.
const SUPPORTED: Flags = Flags(
    Flags::DELEGATION.0
        | Flags::MUTUAL.0
        | Flags::REPLAY.0
        | Flags::SEQUENCE.0
        | Flags::CONFIDENTIALITY.0
        | Flags::INTEGRITY.0
        | Flags::IDENTIFY.0
        | Flags::EXTENDED_ERROR.0,
);

/// The first step of a new context.
pub(crate) fn start(initiate: Initiate) -> Step {
    let client_realm = initiate.credential.client().realm();
    match Targets::new(&initiate.target, &initiate.settings.config, client_realm) {
        Err(name) => Step::fail(name),
        Ok(targets) => Naming { initiate, targets, failure: None }.next(),
    }
}

/// A context whose target is being named.
pub(crate) struct Naming {
    initiate: Initiate,
    targets: Targets,
    /// What the KDC said of the principal tried last.
    failure: Option<KdcFailure>,
}

impl Naming {
    /// Tries the next principal, or asks what that may be.
    fn next(mut self) -> Step {
        match self.targets.next() {
            Some(Next::Ask(question)) => {
                Step::Need(Need::Resolve(NeedResolve { question, then: Box::new(self) }))
            }
            Some(Next::Principal(target)) => {
                let Self { initiate, targets, .. } = self;
                let flags = initiate.flags.intersection(SUPPORTED) | Flags::INTEGRITY;
                Initiating { initiate, target, targets, flags, forwarded: None, forward_tried: false }
                    .proceed()
            }
            None => match self.failure {
                Some(failure) => Step::fail(failure),
                None => Step::fail(BadName::NoRealm(self.initiate.target.to_string())),
            },
        }
    }

    pub(crate) fn resolved(mut self, question: &Question, resolved: Resolved) -> Step {
        self.targets.resolved(question, resolved, &self.initiate.settings.config);
        self.next()
    }
}

/// A context that collects its tickets.
pub(crate) struct Initiating {
    initiate: Initiate,
    target: Principal,
    /// What else the target's name may mean.
    targets: Targets,
    /// What the context will be able to do.
    flags: Flags,
    /// The ticket to delegate.
    forwarded: Option<Credential>,
    /// Whether a ticket to delegate was asked for.
    forward_tried: bool,
}

/// A context that waits for a KDC, and what it asked for.
pub(crate) enum Asked {
    Forwarded(Initiating),
    Service(Initiating),
}

impl Asked {
    fn initiating(&self) -> &Initiating {
        match self {
            Self::Forwarded(initiating) | Self::Service(initiating) => initiating,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.initiating().local_time()
    }

    /// Goes on with the exchange.
    pub(crate) fn progress(self, progress: Progress<Obtained>) -> Step {
        match (progress, self) {
            (Progress::Ask(ask), asked) => Step::Need(Need::Kdc(NeedKdc { ask, then: Box::new(asked) })),
            (Progress::Done(obtained), Self::Service(initiating)) => initiating.fetched(obtained.credential),
            (Progress::Done(obtained), Self::Forwarded(mut initiating)) => {
                initiating.forwarded = Some(obtained.credential);
                initiating.proceed()
            }
            // A KDC that forwards nothing takes away delegation, not the context (RFC 2743 §2.2.1: the flag
            // returned tells).
            (Progress::Failed(_), Self::Forwarded(initiating)) => initiating.proceed(),
            (Progress::Failed(failure), Self::Service(initiating)) => initiating.refused(failure),
        }
    }
}

impl Initiating {
    /// Asks for the next ticket that is lacking; if none is, makes the first token.
    pub(crate) fn proceed(mut self) -> Step {
        let credential = Arc::clone(&self.initiate.credential);
        let now = self.kdc_time();
        let Some(ticket) = credential.ticket_for(&self.target, now) else {
            return match credential.granting_ticket(&self.target, now) {
                Err(reason) => Step::fail(reason),
                Ok(granting) => {
                    let env = &self.initiate.settings.env;
                    let progress =
                        exchange::service(&granting, self.target.clone(), self.policy(), env.clone());
                    Asked::Service(self).progress(progress)
                }
            };
        };
        if self.flags.contains(Flags::DELEGATION) && !self.forward_tried {
            self.forward_tried = true;
            let granting = credential.granting_ticket(&self.target, now).ok();
            let forwardable = granting.filter(|granting| granting.flags.contains(TicketFlags::FORWARDABLE));
            if let Some(granting) = forwardable {
                let policy = ExchangePolicy { forwardable: true, ..self.policy() };
                let env = self.initiate.settings.env.clone();
                return Asked::Forwarded(self).progress(exchange::forwarded(&granting, policy, env));
            }
        }
        self.request(&ticket).unwrap_or_else(Step::Failed)
    }

    /// No ticket for the target: the next principal is tried if the KDC does not know this one.
    fn refused(self, failure: KdcFailure) -> Step {
        if failure.code() != Some(ErrorCode::S_PRINCIPAL_UNKNOWN) {
            return Step::fail(failure);
        }
        let Self { initiate, targets, .. } = self;
        Naming { initiate, targets, failure: Some(failure) }.next()
    }

    /// The service ticket is there: kept for the next context, and offered to the credential cache.
    fn fetched(self, ticket: Credential) -> Step {
        if ticket.server != self.target {
            let (asked, offered) = (self.target, ticket.server.to_string());
            return Step::fail(Refusal::WrongService { asked, offered });
        }
        self.initiate.credential.keep(ticket.clone());
        Step::Need(Need::Store(NeedStore { ticket, then: Box::new(self) }))
    }

    /// Makes the first token.
    fn request(mut self, ticket: &Credential) -> Result<Step, Error> {
        let random = Arc::clone(&self.initiate.settings.env.random);
        let now = self.kdc_time();
        let forwarded = self.forwarded.take();
        self.flags = self.flags.with(Flags::DELEGATION, forwarded.is_some());
        let delegated = match &forwarded {
            None => None,
            Some(forwarded) => Some(
                ap::make_credential_message(forwarded, &ticket.key, now, &*random)
                    .map_err(|_| Refusal::Delegation)?,
            ),
        };
        let checksum = GssChecksum::new(self.initiate.bindings.as_ref(), self.flags, delegated.as_deref())
            .to_octets()
            .ok_or(Refusal::Delegation)?;
        let subkey = SessionKey::from(Key::random(ticket.key.enctype(), &*random));
        let sequence = first_sequence(&*random);
        let mutual = self.flags.contains(Flags::MUTUAL);
        let request = Request {
            options: ApOptions::default().with(ApOptions::MUTUAL_REQUIRED, mutual),
            checksum: (checksum::NUMBER, &checksum),
            subkey: Some(&subkey),
            sequence: Some(sequence),
            authorization_data: None,
            now,
        };
        let RequestSent { message, time } =
            request.make(ticket, &*random).map_err(|_| BadToken::Malformed)?;
        let waiting = Waiting { initiating: self, ticket: ticket.clone(), subkey, sequence, time };
        let first = token(TokenKind::Request, &message);
        let then = if mutual {
            Step::Receive(AwaitToken::initiating(waiting))
        } else {
            // Without an answer the acceptor's numbers begin where ours do (RFC 4121 §4.1 is silent; all
            // implementations agree).
            Step::Done(waiting.established(None, sequence))
        };
        Ok(Step::send(first, then))
    }

    pub(crate) fn origin(&self) -> Option<&str> {
        self.initiate.credential.origin()
    }

    fn policy(&self) -> ExchangePolicy {
        ExchangePolicy {
            kdc_offset: self.initiate.credential.offset_seconds(),
            ..ExchangePolicy::service(&self.initiate.settings.config)
        }
    }

    fn local_time(&self) -> Timestamp {
        self.initiate.settings.env.clock.now()
    }

    fn kdc_time(&self) -> Timestamp {
        self.initiate.credential.kdc_time(self.local_time())
    }

    /// When the context ends, by the local clock: with its ticket, or earlier if that was asked for.
    fn end(&self, ticket: &Credential) -> Timestamp {
        let by_ticket = Timestamp::from(ticket.times.endtime)
            .plus_seconds(self.initiate.credential.offset_seconds().saturating_neg());
        match self.initiate.lifetime_seconds {
            // Whole seconds, as tickets have them: a context's end is the same after a transfer.
            Some(seconds) => {
                let now = Timestamp::from_seconds(self.local_time().seconds);
                by_ticket.min(now.plus_seconds(seconds.into()))
            }
            None => by_ticket,
        }
    }
}

/// A context that has sent its first token and waits for the acceptor's answer.
pub(crate) struct Waiting {
    initiating: Initiating,
    ticket: Credential,
    subkey: SessionKey,
    sequence: u32,
    /// The authenticator's time, which the answer must repeat.
    time: Timestamp,
}

impl Waiting {
    /// Takes the acceptor's answer.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        match super::open(token) {
            Err(error) => Step::Failed(error),
            Ok((TokenKind::Error, message)) => match RemoteError::from_der(message) {
                Ok(remote) => Step::fail(Refusal::Remote(remote)),
                Err(_) => Step::fail(BadToken::Malformed),
            },
            Ok((TokenKind::Request, _)) => Step::fail(BadToken::WrongKind),
            Ok((TokenKind::Reply, message)) => self.reply(message),
        }
    }

    fn reply(self, message: &[u8]) -> Step {
        match ap::open_reply(message, &self.ticket.key, self.time) {
            Ok(reply) => Step::Done(self.established(reply.subkey, reply.sequence)),
            Err(refusal) => {
                let now = self.initiating.local_time();
                let error = ap::refusal::make_error(refusal.code(), &self.initiating.target, now);
                Step::refuse(super::token(TokenKind::Error, &error), refusal.into())
            }
        }
    }

    fn established(self, acceptor_subkey: Option<SessionKey>, receive: u32) -> Context {
        let flags = self.initiating.flags;
        let window =
            Window::new(receive.into(), flags.contains(Flags::REPLAY), flags.contains(Flags::SEQUENCE));
        let end = self.initiating.end(&self.ticket);
        let settings = self.initiating.initiate.settings;
        Context(Box::new(Established {
            initiator: self.ticket.client,
            acceptor: self.ticket.server,
            flags: (flags | Flags::PROTECTION_READY).with(Flags::TRANSFERABLE, settings.transfer),
            end,
            protection: Protection::new(
                Role::Initiator,
                self.subkey,
                acceptor_subkey,
                self.sequence.into(),
                window,
            ),
            delegated: None,
            authorization_data: Vec::new(),
            env: settings.env,
        }))
    }
}
