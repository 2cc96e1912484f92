//! The initiator's half: a ticket for the target, an AP-REQ, and the acceptor's answer (RFC 4121 §4.1).
//!
//! The way: [`start`] and [`Naming`] name the target; [`Initiating`] collects tickets, asking KDCs where it lacks one, and
//! makes the first token; [`Waiting`] takes the answer.

use std::sync::{Arc, OnceLock};

use orthros_crypto::{Enctype, Key, MessageTokens, SessionKey};
use orthros_krb5::ap::{self, ApRefusal, ClientOptions, ReplyOpened, Request, RequestSent};
use orthros_krb5::exchange::{self, ExchangePolicy, KdcFailure, Obtained, Progress};
use orthros_krb5::permitted::permit;
use orthros_krb5::vouched::Vouched;
use orthros_krb5::watch::Fact;
use orthros_krb5::wire::{ApOptions, AuthorizationElement, KerberosTime, TicketFlags, ad_type};
use orthros_krb5::{Credential, ErrorCode, Principal};
use orthros_wire::Timestamp;

use super::checksum::{self, GssChecksum};
use super::target::{Next, Question, Resolved, Targets};
use super::{Dress, TokenKind, acceptor_chooses, first_sequence};
use crate::context::established::Established;
use crate::context::{After, AwaitToken, Initiate, Need, NeedKdc, NeedResolve, NeedStore, Step, Within};
use crate::error::{BadToken, Error, NoCredential, Refusal};
use crate::mech::iakerb;
use crate::mech::iakerb::conversation::Conversation;
use crate::mechanism::{IAKERB, Mechanism};
use crate::message::protection::{Protection, Role};
use crate::message::window::Window;
use crate::name::{BadName, split_trailer};
use crate::{Context, Flags, InitiatorCredential, Name};

/// What the mechanism can do for an initiator; other flags that are asked for are ignored.
const SUPPORTED: Flags = Flags(
    Flags::DELEGATION.0
        | Flags::MUTUAL.0
        | Flags::REPLAY.0
        | Flags::SEQUENCE.0
        | Flags::CONFIDENTIALITY.0
        | Flags::INTEGRITY.0
        | Flags::IDENTIFY.0
        | Flags::CHANNEL_BOUND.0
        | Flags::DCE_STYLE.0
        | Flags::DELEGATION_POLICY.0
        | Flags::EXTENDED_ERROR.0,
);

/// The first step of a new context.
pub(crate) fn start(initiate: Initiate) -> Step {
    if *initiate.mechanism != IAKERB {
        return start_after(initiate, None);
    }
    if initiate.credential.client().realm().is_empty() {
        return iakerb::initiator::discover(initiate);
    }
    start_after(initiate, Some(Conversation::default()))
}

/// The first step by krb5 itself, after what was said to the acceptor if that carries requests to KDCs.
pub(crate) fn start_after(initiate: Initiate, conversation: Option<Conversation>) -> Step {
    let client_realm = initiate.credential.home_realm();
    match Targets::new(&initiate.target, &initiate.settings.config, client_realm) {
        Err(name) => Step::fail(name),
        Ok(targets) => Naming { initiate, targets, failure: None, conversation }.next(),
    }
}

/// A context whose target is being named.
pub(crate) struct Naming {
    initiate: Initiate,
    targets: Targets,
    /// What the KDC said of the principal tried last.
    failure: Option<KdcFailure>,
    /// What the acceptor has carried to KDCs; `None`: KDCs are asked without it.
    conversation: Option<Conversation>,
}

impl Naming {
    /// Tries the next principal, or asks what that may be.
    fn next(mut self) -> Step {
        match self.targets.next() {
            Some(Next::Ask(question)) => Step::Need(Need::Resolve(NeedResolve {
                question,
                then: Box::new(self),
                within: Within::default(),
            })),
            Some(Next::Principal(target)) => {
                let Self { initiate, targets, conversation, .. } = self;
                let flags = initiate.flags.intersection(SUPPORTED);
                // Three legs are mutual.
                let mutual =
                    Dress::of(flags, initiate.mechanism) == Dress::Bare || flags.contains(Flags::MUTUAL);
                let flags = flags.with(Flags::MUTUAL, mutual);
                let host_realm_known = host_realm_known(&initiate, &target);
                Initiating {
                    initiate,
                    target,
                    targets,
                    host_realm_known,
                    flags,
                    fetched: false,
                    forwarded: None,
                    forward_tried: false,
                    initial_tried: false,
                    conversation,
                }
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

/// Whether the target's realm is more than a guess: the configuration knows it for the target's host, which may
/// have become another by its canonical name, or DNS named one. Otherwise it is asked for.
fn host_realm_known(initiate: &Initiate, target: &Principal) -> bool {
    match (&initiate.target, target.components()) {
        (Name::HostbasedService { .. }, [_, host]) => {
            let (host, _) = split_trailer(host);
            target.realm() != initiate.credential.home_realm()
                || initiate.settings.config.realm_of_host(host).is_some()
        }
        // It was made canonical before the realm was known.
        (Name::Principal(given), _) => !given.realm().is_empty(),
        _ => true,
    }
}

impl Initiate {
    /// Whether the ticket's session key is of an enctype that was asked for.
    fn takes(&self, ticket: &Credential) -> bool {
        self.enctypes.as_ref().is_none_or(|only| only.contains(&ticket.key.enctype()))
    }
}

/// A context that collects its tickets.
pub(crate) struct Initiating {
    initiate: Initiate,
    target: Principal,
    /// What else the target's name may mean.
    targets: Targets,
    /// Whether the target's realm is more than a guess.
    host_realm_known: bool,
    /// What the context will be able to do.
    flags: Flags,
    /// Whether the ticket was asked for, and not at hand.
    fetched: bool,
    /// The ticket to delegate.
    forwarded: Option<Credential>,
    /// Whether a ticket to delegate was asked for.
    forward_tried: bool,
    /// Whether a ticket-granting ticket was asked for.
    initial_tried: bool,
    /// What the acceptor has carried to KDCs; `None`: KDCs are asked without it.
    conversation: Option<Conversation>,
}

/// A context that waits for a KDC, and what it asked for.
pub(crate) enum Asked {
    Forwarded(Initiating),
    Initial(Initiating),
    Service(Initiating),
}

impl Asked {
    fn initiating(&self) -> &Initiating {
        match self {
            Self::Forwarded(initiating) | Self::Initial(initiating) | Self::Service(initiating) => initiating,
        }
    }

    fn initiating_mut(&mut self) -> &mut Initiating {
        match self {
            Self::Forwarded(initiating) | Self::Initial(initiating) | Self::Service(initiating) => initiating,
        }
    }

    /// The same after more was carried.
    pub(crate) fn with_conversation(mut self, conversation: Conversation) -> Self {
        self.initiating_mut().conversation = Some(conversation);
        self
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.initiating().local_time()
    }

    /// Goes on with the exchange.
    pub(crate) fn progress(self, progress: Progress<Obtained>) -> Step {
        match (progress, self) {
            (Progress::Ask(ask), mut asked) => match asked.initiating_mut().conversation.take() {
                Some(conversation) => iakerb::initiator::carry(ask, asked, conversation),
                None => {
                    Step::Need(Need::Kdc(NeedKdc { ask, then: Box::new(asked), within: Within::default() }))
                }
            },
            (Progress::Done(obtained), Self::Initial(initiating)) => initiating.logged_in(&obtained),
            (Progress::Done(obtained), Self::Service(initiating)) => initiating.fetched(&obtained),
            (Progress::Done(obtained), Self::Forwarded(mut initiating)) => {
                initiating.forwarded = Some(obtained.credential);
                initiating.proceed()
            }
            // A KDC that forwards nothing takes away delegation, not the context (RFC 2743 §2.2.1: the flag
            // returned tells).
            (Progress::Failed(_), Self::Forwarded(initiating)) => initiating.proceed(),
            (Progress::Failed(failure), Self::Initial(_)) => Step::fail(failure),
            (Progress::Failed(failure), Self::Service(initiating)) => initiating.refused(failure),
        }
    }
}

impl Initiating {
    /// Asks for the next ticket that is lacking; if none is, makes the first token.
    pub(crate) fn proceed(mut self) -> Step {
        let credential = Arc::clone(&self.initiate.credential);
        let now = self.kdc_time();
        // Under which name a ticket is filed whose realm was found by asking.
        let asked = if self.host_realm_known { self.target.clone() } else { self.target.in_realm("") };
        let lasts = self.lasting(&credential, now);
        let kept = |server| {
            let kept = credential.ticket_for(server, now);
            kept.filter(|ticket| self.initiate.takes(ticket) && ticket.times.endtime >= lasts)
        };
        let ticket = kept(&self.target).or_else(|| kept(&asked));
        let Some(ticket) = ticket else {
            return match credential.fetch(asked, self.policy(), &self.initiate.settings.env) {
                Err(reason) => self.log_in(reason),
                Ok(progress) => Asked::Service(self).progress(progress),
            };
        };
        if self.delegates_to(&ticket) && !self.forward_tried {
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

    /// No ticket-granting ticket: one is got by the client's secret, if the credential holds it.
    fn log_in(mut self, lack: NoCredential) -> Step {
        let credential = &self.initiate.credential;
        let Some(deferred) = credential.deferred().filter(|_| !self.initial_tried) else {
            return Step::fail(lack);
        };
        let (client, env) = (credential.client().clone(), self.initiate.settings.env.clone());
        let progress =
            exchange::initial(client, deferred.secret.duplicate(), None, deferred.policy.clone(), env);
        self.initial_tried = true;
        Asked::Initial(self).progress(progress)
    }

    /// The ticket-granting ticket is there. The KDC may call the client by another name, or know the time better.
    fn logged_in(mut self, obtained: &Obtained) -> Step {
        let credential = &self.initiate.credential;
        let offset = obtained.kdc_offset.unwrap_or(0);
        if obtained.credential.client != *credential.client() {
            let client = obtained.credential.client.clone();
            self.initiate.credential =
                Arc::new(InitiatorCredential::new(client, vec![obtained.credential.clone()], offset));
        } else {
            credential.keep(obtained.credential.clone());
            credential.set_offset_seconds(offset);
        }
        self.proceed()
    }

    /// No ticket for the target: the next principal is tried if no KDC knows this one, or none knows the way to the
    /// realm that it was guessed to be in.
    fn refused(self, failure: KdcFailure) -> Step {
        if !matches!(failure.code(), Some(ErrorCode::S_PRINCIPAL_UNKNOWN | ErrorCode::AP_PATH_NOT_ACCEPTED)) {
            return Step::fail(failure);
        }
        let Self { initiate, targets, conversation, .. } = self;
        Naming { initiate, targets, failure: Some(failure), conversation }.next()
    }

    /// The service ticket is there: kept for the next context, and offered to the credential cache.
    fn fetched(mut self, obtained: &Obtained) -> Step {
        self.fetched = true;
        let tickets: Vec<Credential> = obtained.tickets().cloned().collect();
        tickets.iter().for_each(|ticket| self.initiate.credential.keep(ticket.clone()));
        Step::Need(Need::Store(NeedStore { tickets, then: Box::new(self), within: Within::default() }))
    }

    /// Whether the holder of this ticket's key may act as the client: because the caller says so, or (RFC 5896) the
    /// caller or the configuration leaves it to the KDC, and the KDC says so.
    fn delegates_to(&self, ticket: &Credential) -> bool {
        // The ticket-granting ticket is then the service's, and not to be given away as the client's.
        if self.initiate.credential.impersonator().is_some() {
            return false;
        }
        let outright = self.flags.contains(Flags::DELEGATION);
        if outright && !self.initiate.settings.config.enforce_ok_as_delegate {
            return true;
        }
        (outright || self.flags.contains(Flags::DELEGATION_POLICY))
            && ticket.flags.contains(TicketFlags::OK_AS_DELEGATE)
    }

    /// What goes beside the authenticator: the enctypes that are better than the ticket's (RFC 4537), and whether to
    /// miss channel bindings. The latter also without any: then the acceptor's channel is not the initiator's.
    fn client_options(&self, ticket: &Credential) -> ClientOptions {
        let config = &self.initiate.settings.config;
        let permitted = &config.permitted_enctypes;
        let own = ticket.key.enctype();
        let better = permitted.iter().copied().take_while(|enctype| *enctype != own);
        let wanted =
            |enctype: &Enctype| self.initiate.enctypes.as_ref().is_none_or(|only| only.contains(enctype));
        let better = better.filter(wanted);
        let mut enctypes: Vec<_> =
            better.filter(|enctype| enctype.message_tokens() == MessageTokens::Rfc4121).collect();
        if !enctypes.is_empty() {
            enctypes.push(own);
        }
        ClientOptions {
            enctypes: enctypes.into_iter().map(Enctype::number).collect(),
            sends_bindings: self.flags.contains(Flags::CHANNEL_BOUND) || config.client_aware_channel_bindings,
        }
    }

    /// Makes the first token.
    fn request(mut self, ticket: &Arc<Credential>) -> Result<Step, Error> {
        let permitted = &self.initiate.settings.config.permitted_enctypes;
        permit(ticket.key.enctype().number(), permitted)
            .map_err(|refused| Refusal::NotPermitted { server: ticket.server.clone(), refused })?;
        self.initiate.settings.env.tell(Fact::Presents {
            client: &ticket.client,
            server: &ticket.server,
            enctype: ticket.key.enctype(),
            fresh: self.fetched,
        });
        let env = self.initiate.settings.env.clone();
        let random = &*env.random;
        let now = self.kdc_time();
        let forwarded = self.forwarded.take();
        let by_policy = ticket.flags.contains(TicketFlags::OK_AS_DELEGATE) && forwarded.is_some();
        let client_options = self.client_options(ticket);
        // What the acceptor does with the bindings is for it to tell.
        self.flags = self
            .flags
            .with(Flags::DELEGATION, forwarded.is_some())
            .with(Flags::DELEGATION_POLICY, by_policy && self.flags.contains(Flags::DELEGATION_POLICY))
            .with(Flags::CHANNEL_BOUND, false);
        let delegated = match &forwarded {
            None => None,
            Some(forwarded) => Some(
                ap::make_credential_message(forwarded, &ticket.key, now, random)
                    .map_err(|_| Refusal::Delegation)?,
            ),
        };
        let subkey = SessionKey::from(Key::random(ticket.key.enctype(), random));
        let finished = self.conversation.as_ref().and_then(|conversation| conversation.finished(&subkey));
        let checksum = GssChecksum::new(self.initiate.bindings.as_ref(), self.flags, delegated.as_deref())
            .with_finished(finished.as_deref())
            .to_octets()
            .ok_or(Refusal::Delegation)?;
        let sequence = first_sequence(random);
        let mutual = self.flags.contains(Flags::MUTUAL);
        let said = client_options.to_octets();
        let element = |said| AuthorizationElement { ad_type: ad_type::IF_RELEVANT, ad_data: said };
        let request = Request {
            options: ApOptions::default().with(ApOptions::MUTUAL_REQUIRED, mutual),
            checksum: (checksum::NUMBER, &checksum),
            subkey: Some(&subkey),
            sequence: Some(sequence),
            authorization_data: said.as_deref().map(|said| vec![element(said)]),
            now,
        };
        let RequestSent { message, time, server } =
            request.make(ticket, random).map_err(|_| BadToken::Malformed)?;
        let first = Dress::of(self.flags, self.initiate.mechanism).token(TokenKind::Request, &message);
        let offered = client_options.enctypes;
        let waiting =
            Waiting { initiating: self, ticket: Arc::clone(ticket), server, subkey, offered, sequence, time };
        let after = if mutual {
            After::Receive(AwaitToken::initiating(waiting))
        } else {
            // Without an answer the acceptor's numbers begin where ours do (RFC 4121 §4.1 is silent; all
            // implementations agree).
            After::Done(waiting.established(None, sequence))
        };
        Ok(Step::send(first, after))
    }

    pub(crate) fn origin(&self) -> Option<&str> {
        self.initiate.credential.origin()
    }

    fn policy(&self) -> ExchangePolicy {
        let mut policy = ExchangePolicy::service(&self.initiate.settings.config);
        if let Some(only) = &self.initiate.enctypes {
            policy.enctypes.retain(|enctype| only.contains(enctype));
        }
        ExchangePolicy {
            kdc_offset: self.initiate.credential.offset_seconds(),
            service_end: self.asked_end(self.kdc_time()),
            ..policy
        }
    }

    /// When the context is to end, if that was asked for: in whole seconds, as tickets have them, so that a context's
    /// end is the same after a transfer.
    fn asked_end(&self, now: Timestamp) -> Option<Timestamp> {
        let seconds = self.initiate.lifetime_seconds?;
        Some(Timestamp::from_seconds(now.seconds).plus_seconds(seconds.into()))
    }

    /// When a ticket that is kept must not have ended: it may be one that was asked for a shorter time. Nothing outlasts
    /// the ticket-granting ticket.
    fn lasting(&self, credential: &InitiatorCredential, now: Timestamp) -> KerberosTime {
        let asked = if self.fetched { None } else { self.asked_end(now) };
        let granting = asked.and_then(|_| credential.granting_ticket(&self.target, now).ok());
        match (asked, granting) {
            (Some(asked), Some(granting)) => granting.times.endtime.min(asked.into()),
            _ => KerberosTime::default(),
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
        self.asked_end(self.local_time()).map_or(by_ticket, |end| by_ticket.min(end))
    }
}

/// A context that has sent its first token and waits for the acceptor's answer.
pub(crate) struct Waiting {
    initiating: Initiating,
    ticket: Arc<Credential>,
    /// Whom the ticket names.
    server: Principal,
    subkey: SessionKey,
    /// The enctypes that the acceptor was told that it may choose from.
    offered: Vec<i32>,
    sequence: u32,
    /// The authenticator's time, which the answer must repeat.
    time: Timestamp,
}

impl Waiting {
    /// Takes the acceptor's answer.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let opened = match super::open(token, self.mechanism()) {
            Err(error) => return Step::Failed(error),
            Ok(opened) => opened,
        };
        match opened.kind {
            TokenKind::Error => Step::Failed(super::remote(opened.message)),
            TokenKind::Request => Step::fail(BadToken::WrongKind),
            TokenKind::Reply if opened.dress != self.dress() => Step::fail(BadToken::Framing),
            TokenKind::Reply => self.reply(opened.message),
        }
    }

    fn dress(&self) -> Dress {
        Dress::of(self.initiating.flags, self.mechanism())
    }

    pub(crate) fn mechanism(&self) -> &'static Mechanism {
        self.initiating.initiate.mechanism
    }

    /// When the context will end.
    pub(crate) fn end(&self) -> Timestamp {
        self.initiating.end(&self.ticket)
    }

    fn reply(self, message: &[u8]) -> Step {
        let permitted = &self.initiating.initiate.settings.config.permitted_enctypes;
        let opened = ap::open_reply(message, &self.ticket.key, self.time, permitted)
            .and_then(|reply| self.check_subkey(reply.subkey.as_ref()).map(|()| reply));
        let dress = self.dress();
        let opened = opened.map(|ReplyOpened { subkey, sequence }| ReplyOpened {
            subkey: subkey.filter(|subkey| acceptor_chooses(subkey.enctype(), dress)),
            sequence,
        });
        match opened {
            Ok(ReplyOpened { subkey, sequence }) if dress == Dress::Bare => {
                let now = self.initiating.kdc_time();
                let random = &*self.initiating.initiate.settings.env.random;
                let echo = ap::make_reply(&self.ticket.key, now, None, Some(sequence), random);
                let context = self.established(subkey, sequence);
                Step::send(dress.token(TokenKind::Reply, &echo), After::Done(context))
            }
            Ok(reply) => Step::Done(self.established(reply.subkey, reply.sequence)),
            Err(refusal) => {
                let now = self.initiating.local_time();
                let error = ap::refusal::make_error(refusal.code(), &self.initiating.target, now);
                Step::refuse(dress.token(TokenKind::Error, &error), refusal.into())
            }
        }
    }

    /// The acceptor may choose the enctype that we chose, or one that it was offered.
    fn check_subkey(&self, subkey: Option<&SessionKey>) -> Result<(), ApRefusal> {
        match subkey.map(|subkey| subkey.enctype()) {
            Some(enctype)
                if enctype != self.subkey.enctype() && !self.offered.contains(&enctype.number()) =>
            {
                Err(ApRefusal::SubkeyEnctype { enctype })
            }
            _ => Ok(()),
        }
    }

    fn established(self, acceptor_subkey: Option<SessionKey>, receive: u32) -> Context {
        let end = self.initiating.end(&self.ticket);
        let mechanism = self.mechanism();
        let settings = self.initiating.initiate.settings;
        let flags =
            (self.initiating.flags | Flags::PROTECTION_READY).with(Flags::TRANSFERABLE, settings.transfer);
        Context(Established {
            initiator: self.ticket.client.clone(),
            acceptor: self.server,
            end: end.into(),
            authtime: self.ticket.times.authtime,
            ticket_flags: self.ticket.flags,
            protection: Protection::new(
                Role::Initiator,
                flags,
                self.subkey,
                acceptor_subkey,
                self.sequence.into(),
                Window::new(receive.into()),
            )
            .of(mechanism),
            delegated: None,
            authorization_data: None,
            vouched: Vouched::default(),
            late_error: OnceLock::new(),
            env: settings.env,
        })
    }
}
