//! The acceptor's half: an AP-REQ in, an AP-REP or a KRB-ERROR out (RFC 4121 §4.1).
//!
//! The way: [`Acceptor`] opens the token; [`Checked`] waits for the replay cache's word; then bindings,
//! delegation and the answer.

use std::sync::{Arc, OnceLock};

use orthros_crypto::{Enctype, Key, MessageTokens, SessionKey};
use orthros_krb5::ap::{self, ApRefusal, Opened, TransitedChecked};
use orthros_krb5::principal::NameType;
use orthros_krb5::watch::Fact;
use orthros_krb5::{Credential, ErrorCode, Principal};
use orthros_wire::Timestamp;

use super::checksum::{BindingsChecked, GssChecksum, check_bindings};
use super::{Dress, TokenKind, acceptor_chooses, first_sequence};
use crate::context::established::Established;
use crate::context::{Accept, After, AwaitToken, Need, NeedReplay, Step, Within};
use crate::credential::Scope;
use crate::error::{BadToken, Error, Refusal};
use crate::mech::iakerb::conversation::Conversation;
use crate::mechanism::{IAKERB, KRB5, Mechanism};
use crate::message::protection::{Protection, Role};
use crate::message::window::Window;
use crate::{Context, Flags, InitiatorCredential};

/// A context that waits for the initiator's token.
pub(crate) struct Acceptor {
    pub(crate) accept: Accept,
    mechanism: &'static Mechanism,
    /// What was carried to KDCs for the initiator.
    conversation: Conversation,
}

/// A request that was opened and is fresh by the clock. Whether it is a replay is being asked.
pub(crate) struct Checked {
    accept: Accept,
    mechanism: &'static Mechanism,
    conversation: Conversation,
    dress: Dress,
    opened: Opened,
    _transited: TransitedChecked,
    now: Timestamp,
}

/// Only [`Checked::fresh`] makes one: the replay cache has not seen the request before.
struct ReplayChecked(());

impl Acceptor {
    pub(crate) fn new(accept: Accept) -> Self {
        Self { accept, mechanism: &KRB5, conversation: Conversation::default() }
    }

    /// The same after this was carried to KDCs.
    pub(crate) fn after(accept: Accept, conversation: Conversation) -> Self {
        Self { accept, mechanism: &IAKERB, conversation }
    }

    pub(crate) fn mechanism(&self) -> &'static Mechanism {
        self.mechanism
    }

    /// Takes the initiator's token.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let (message, dress) = match super::open(token, self.mechanism) {
            Err(error) => return Step::Failed(error),
            Ok(opened) => match opened.kind {
                TokenKind::Request => (opened.message, opened.dress),
                TokenKind::Error => return Step::Failed(super::remote(opened.message)),
                TokenKind::Reply => return Step::fail(BadToken::WrongKind),
            },
        };
        let now = self.accept.settings.env.clock.now();
        let skew_seconds = self.accept.settings.skew_seconds();
        let permitted = &self.accept.settings.config.permitted_enctypes;
        match ap::open_request(message, self.accept.credential.keys(), now, skew_seconds, permitted) {
            // What is no AP-REQ at all gets no answer.
            Err(refusal @ ApRefusal::Malformed(_)) => Step::fail(refusal),
            Err(refusal) => refuse(&self.accept, dress, None, now, refusal.into()),
            Ok(opened) => self.check(opened, dress, now),
        }
    }

    fn check(self, opened: Opened, dress: Dress, now: Timestamp) -> Step {
        self.accept.settings.env.tell(Fact::Opened {
            client: &opened.client,
            server: &opened.server,
            enctype: opened.session_key.enctype(),
        });
        let scope = self.accept.credential.scope();
        if !scope.contains(&opened.server) {
            let (asked, offered) = (opened.server, scope.to_string());
            let error = Refusal::WrongService { asked: asked.clone(), offered };
            return refuse(&self.accept, dress, Some(&asked), now, error.into());
        }
        let transited = match opened.check_transited(self.accept.settings.config.capaths()) {
            Ok(transited) => transited,
            Err(refusal) => return refuse(&self.accept, dress, Some(&opened.server), now, refusal.into()),
        };
        Step::Need(Need::Replay(NeedReplay {
            checked: Box::new(Checked {
                _transited: transited,
                accept: self.accept,
                mechanism: self.mechanism,
                conversation: self.conversation,
                dress,
                opened,
                now,
            }),
            within: Within::default(),
        }))
    }
}

/// Tells the peer by a KRB-ERROR, then fails.
fn refuse(accept: &Accept, dress: Dress, server: Option<&Principal>, now: Timestamp, error: Error) -> Step {
    let nobody = Principal::new(NameType::UNKNOWN, [""], "");
    let server = match (server, accept.credential.scope()) {
        (Some(server), _) | (None, Scope::Principal(server)) => server,
        (None, Scope::Any | Scope::Service(_)) => &nobody,
    };
    let code = error.kerberos_code().unwrap_or(ErrorCode::GENERIC);
    Step::refuse(dress.token(TokenKind::Error, &ap::refusal::make_error(code, server, now)), error)
}

impl Checked {
    pub(crate) fn replay_cache(&self) -> Option<&str> {
        self.accept.credential.replay_cache()
    }

    pub(crate) fn replay_tag(&self) -> &[u8] {
        &self.opened.replay_tag
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn authenticator_time(&self) -> Timestamp {
        self.opened.time
    }

    /// Whether an answer is due. The request says it twice: in its options, which lie in the clear, so that
    /// anybody could take the answer away or make a replay look harmless; and in the flags of the checksum,
    /// which are sealed. These count.
    pub(crate) fn is_mutual(&self) -> bool {
        GssChecksum::parse(self.opened.checksum.as_ref()).is_ok_and(|checksum| is_mutual(checksum.flags))
    }

    pub(crate) fn skew_seconds(&self) -> u32 {
        self.accept.settings.skew_seconds()
    }

    pub(crate) fn replayed(self) -> Step {
        let client = self.opened.client.clone();
        self.refuse(Refusal::Replay { client })
    }

    pub(crate) fn cache_unavailable(self, report: String) -> Step {
        self.refuse(Refusal::ReplayCache(report))
    }

    pub(crate) fn fresh(self) -> Step {
        let proof = ReplayChecked(());
        let read = GssChecksum::parse(self.opened.checksum.as_ref()).and_then(|checksum| {
            self.conversation.verify(self.opened.subkey.as_deref(), checksum.finished)?;
            let bindings = check_bindings(
                &checksum.bindings,
                self.accept.bindings.as_ref(),
                self.accept.bindings_required || self.opened.client_options.sends_bindings,
            )?;
            let delegated = checksum.delegated.map(|message| self.delegated(message)).transpose()?;
            Ok(match delegated.or_else(|| self.constrained()) {
                Some(delegated) => (checksum.flags | Flags::DELEGATION, bindings, Some(delegated)),
                None => (checksum.flags, bindings, None),
            })
        });
        match read {
            Err(refusal) => self.refuse(refusal),
            // Whoever strips the frame or puts one on does not choose the style: the sealed flags do.
            Ok((flags, ..)) if Dress::of(flags, self.mechanism) != self.dress => {
                Step::fail(BadToken::Framing)
            }
            Ok((flags, bindings, delegated)) => self.answer(flags, &bindings, &proof, delegated),
        }
    }

    fn refuse(self, refusal: Refusal) -> Step {
        refuse(&self.accept, self.dress, Some(&self.opened.server), self.now, refusal.into())
    }

    /// The delegated ticket, which must be the client's own.
    fn delegated(&self, message: &[u8]) -> Result<Arc<InitiatorCredential>, Refusal> {
        let mut keys = vec![&self.opened.session_key];
        keys.extend(self.opened.subkey.as_ref());
        let tickets: Vec<Credential> =
            ap::open_credential_message(message, &keys, &self.accept.settings.config.permitted_enctypes)
                .map_err(|_| Refusal::Delegation)?;
        if tickets.iter().any(|ticket| ticket.client != self.opened.client) {
            return Err(Refusal::Delegation);
        }
        Ok(Arc::new(InitiatorCredential::new(self.opened.client.clone(), tickets, 0)))
    }

    /// The credential by which the service acts for the client, as far as the KDC allows it to: the client's ticket is
    /// the evidence that it came.
    fn constrained(&self) -> Option<Arc<InitiatorCredential>> {
        let service = self.accept.credential.delegation()?;
        let opened = &self.opened;
        if *service.client() != opened.server || service.impersonator().is_some() {
            return None;
        }
        let evidence = Credential {
            client: opened.client.clone(),
            server: opened.server.clone(),
            key: Arc::new(opened.session_key.duplicate()),
            times: opened.times,
            flags: opened.flags,
            in_session_key: false,
            addresses: Vec::new(),
            authorization_data: Vec::new(),
            ticket: opened.ticket.as_slice().into(),
            second_ticket: Arc::new([]),
        };
        Some(Arc::new(InitiatorCredential::impersonating(service, evidence)))
    }

    fn answer(
        self,
        flags: Flags,
        bindings: &BindingsChecked,
        _replay: &ReplayChecked,
        delegated: Option<Arc<InitiatorCredential>>,
    ) -> Step {
        let random = &*self.accept.settings.env.random;
        let flags = flags.with(Flags::CHANNEL_BOUND, bindings.bound).with(Flags::MUTUAL, is_mutual(flags));
        if !is_mutual(flags) {
            let send = self.opened.sequence;
            return Step::Done(self.established(flags, None, send, delegated));
        }
        let enctype = self.negotiated();
        let subkey =
            acceptor_chooses(enctype, self.dress).then(|| SessionKey::from(Key::random(enctype, random)));
        let sequence = first_sequence(random);
        let opened = &self.opened;
        let reply = ap::make_reply(&opened.session_key, opened.time, subkey.as_ref(), Some(sequence), random);
        let dress = self.dress;
        let after = match dress {
            Dress::Framed(_) => After::Done(self.established(flags, subkey, sequence, delegated)),
            Dress::Bare => {
                let session_key = self.opened.session_key.duplicate();
                let context = self.established(flags, subkey, sequence, delegated);
                After::Receive(AwaitToken::finishing(Finishing { context, session_key, sequence }))
            }
        };
        Step::send(dress.token(TokenKind::Reply, &reply), after)
    }

    /// The enctype of the acceptor's subkey: the first of the client's list that is permitted here (RFC 4537), else
    /// that of the client's own key.
    fn negotiated(&self) -> Enctype {
        let permitted = &self.accept.settings.config.permitted_enctypes;
        let offered = self.opened.client_options.enctypes.iter();
        offered
            .filter_map(|number| Enctype::from_number(*number))
            .find(|enctype| permitted.contains(enctype) && enctype.message_tokens() == MessageTokens::Rfc4121)
            .unwrap_or_else(|| self.opened.subkey.as_ref().unwrap_or(&self.opened.session_key).enctype())
    }

    fn established(
        self,
        flags: Flags,
        acceptor_subkey: Option<SessionKey>,
        send: u32,
        delegated: Option<Arc<InitiatorCredential>>,
    ) -> Context {
        let (mechanism, opened, settings) = (self.mechanism, self.opened, self.accept.settings);
        // As the ticket was taken within the skew after its end, so is the context.
        let skew = settings.skew_seconds();
        let end = Timestamp::from(opened.times.endtime).plus_seconds(skew.into());
        let flags = (flags | Flags::PROTECTION_READY).with(Flags::TRANSFERABLE, settings.transfer);
        Context(Established {
            initiator: opened.client,
            acceptor: opened.server,
            end: end.into(),
            authtime: opened.times.authtime,
            ticket_flags: opened.flags,
            protection: Protection::new(
                Role::Acceptor,
                flags,
                opened.subkey.unwrap_or(opened.session_key),
                acceptor_subkey,
                send.into(),
                Window::new(opened.sequence.into()),
            )
            .of(mechanism),
            delegated,
            authorization_data: Established::shared(opened.authorization_data),
            vouched: opened.vouched,
            late_error: OnceLock::new(),
            env: settings.env,
        })
    }
}

/// Whether an answer is due. DCE style is mutual always.
fn is_mutual(flags: Flags) -> bool {
    flags.contains(Flags::MUTUAL) || flags.contains(Flags::DCE_STYLE)
}

/// A context in DCE style that has sent its answer and waits for the initiator's, which repeats its number.
pub(crate) struct Finishing {
    pub(crate) context: Context,
    pub(crate) session_key: SessionKey,
    pub(crate) sequence: u32,
}

impl Finishing {
    pub(crate) fn mechanism(&self) -> &'static Mechanism {
        self.context.0.protection.mechanism
    }

    /// Takes the initiator's last token.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let opened = match super::open(token, self.mechanism()) {
            Err(error) => return Step::Failed(error),
            Ok(opened) => opened,
        };
        match (opened.kind, opened.dress) {
            (TokenKind::Error, _) => Step::Failed(super::remote(opened.message)),
            (TokenKind::Reply, Dress::Bare) => {
                match ap::open_echo(opened.message, &self.session_key, self.sequence) {
                    Ok(()) => Step::Done(self.context),
                    Err(refusal) => Step::fail(refusal),
                }
            }
            _ => Step::fail(BadToken::WrongKind),
        }
    }
}
