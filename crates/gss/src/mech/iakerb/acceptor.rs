//! The acceptor's half: requests are carried to the KDCs of the realms that the configuration knows; then krb5's AP exchange.
//!
//! Whoever asks has proved nothing yet, so an acceptor that carries is a door from the peer's network to the KDC's. It is
//! opened on demand only ([`Accept::carry_to_kdcs`](crate::Accept::carry_to_kdcs)), and no further than needed:
//!
//! - to realms that stand in `[realms]`, and to the default realm: a peer that could name any realm could have any
//!   name looked up in DNS, and requests sent to whatever it leads to;
//! - nothing but an AS-REQ or a TGS-REQ, whole and well-formed: no other service of the KDC's host gets anything;
//! - nothing back but a KDC's reply or error;
//! - so many requests and so many octets for one context (see [`Conversation`]).

use orthros_krb5::wire::{AsRep, AsReq, Decode, KrbError, TgsRep, TgsReq};
use orthros_krb5::{Config, ErrorCode, Principal, ap};

use super::conversation::Conversation;
use super::token::Carried;
use crate::context::{Accept, After, AwaitToken, Need, NeedRelay, Step, Within};
use crate::error::{BadToken, Error};
use crate::mech::krb5::acceptor::Acceptor;

/// A context whose initiator is still with its KDCs.
pub(crate) struct Carrier {
    pub(crate) accept: Accept,
    pub(crate) conversation: Conversation,
}

impl Carrier {
    pub(crate) fn new(accept: Accept) -> Self {
        Self { accept, conversation: Conversation::default() }
    }

    /// One that was suspended after these tokens; `None` if there can't have been so many.
    pub(crate) fn resumed(accept: Accept, requests: u8, tokens: &[u8]) -> Option<Self> {
        Some(Self { accept, conversation: Conversation::resumed(requests, tokens)? })
    }

    /// Takes the initiator's token: a request for a KDC, or the first of the AP exchange.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        // A bare message is one of the AP exchange in DCE style.
        if matches!(token, [0x6e | 0x7e, ..]) {
            return Acceptor::after(self.accept, self.conversation).token(token);
        }
        match Carried::read(token, self.conversation.place()) {
            Err(error) => Step::Failed(error),
            Ok(None) => Acceptor::after(self.accept, self.conversation).token(token),
            Ok(Some(carried)) => self.request(token, &carried).unwrap_or_else(Step::Failed),
        }
    }

    fn request(mut self, token: &[u8], carried: &Carried<'_>) -> Result<Step, Error> {
        self.conversation.request(token)?;
        let config = &self.accept.settings.config;
        if let Carried { realm: "", message: [], .. } = carried {
            let realm = config.default_realm.clone().unwrap_or_default();
            return self.answer(&realm, &[]);
        }
        if !is_request(carried.message) {
            return Err(BadToken::Malformed.into());
        }
        if !knows(config, carried.realm) {
            return self.error(carried.realm, ErrorCode::IAKERB_KDC_NOT_FOUND);
        }
        Ok(Step::Need(Need::Relay(NeedRelay {
            realm: carried.realm.to_owned(),
            request: carried.message.to_vec(),
            then: Box::new(self),
            within: Within::default(),
        })))
    }

    /// The KDC's answer goes back, if it is one.
    pub(crate) fn reply(self, realm: &str, reply: &[u8]) -> Step {
        if !is_reply(reply) {
            return self.no_reply(realm);
        }
        self.answer(realm, reply).unwrap_or_else(Step::Failed)
    }

    /// No KDC answered.
    pub(crate) fn no_reply(self, realm: &str) -> Step {
        self.error(realm, ErrorCode::IAKERB_KDC_NO_RESPONSE).unwrap_or_else(Step::Failed)
    }

    /// Tells the initiator, who may have another realm to ask, why there is no answer.
    fn error(self, realm: &str, code: ErrorCode) -> Result<Step, Error> {
        let server = Principal::ticket_granting(realm, realm);
        let error = ap::refusal::make_error(code, &server, self.accept.settings.env.clock.now());
        self.answer(realm, &error)
    }

    fn answer(mut self, realm: &str, message: &[u8]) -> Result<Step, Error> {
        let token = Carried { realm, cookie: None, message }.write(self.conversation.place());
        self.conversation.reply(&token)?;
        Ok(Step::send(token, After::Receive(AwaitToken::carrier(self))))
    }
}

fn knows(config: &Config, realm: &str) -> bool {
    config.default_realm.as_deref() == Some(realm) || config.realm(realm).is_some()
}

fn is_request(message: &[u8]) -> bool {
    AsReq::from_der(message).is_ok() || TgsReq::from_der(message).is_ok()
}

fn is_reply(message: &[u8]) -> bool {
    AsRep::from_der(message).is_ok()
        || TgsRep::from_der(message).is_ok()
        || KrbError::from_der(message).is_ok()
}
