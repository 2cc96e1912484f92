//! The initiator's half: what would go to a KDC goes to the acceptor, and its answers are the KDC's.
//!
//! They are no more authentic than a network's: what counts of a KDC's reply is sealed with a key that the acceptor has
//! not.

use std::sync::Arc;

use orthros_krb5::exchange::{Ask, Obtained};

use super::conversation::Conversation;
use super::token::Carried;
use crate::context::{After, AwaitToken, Initiate, Step};
use crate::error::{BadToken, Error};
use crate::mech::krb5;
use crate::mech::krb5::TokenKind;
use crate::mech::krb5::initiator::Asked;
use crate::mechanism::IAKERB;
use crate::name::BadName;

/// A context that waits for a KDC's answer from the acceptor.
pub(crate) struct Carrying {
    ask: Ask<Obtained>,
    then: Asked,
    conversation: Conversation,
}

/// Sends a request to the acceptor; with the cookie that came with its last token, if one did.
pub(crate) fn carry(ask: Ask<Obtained>, then: Asked, mut conversation: Conversation) -> Step {
    let cookie = conversation.take_cookie();
    let carried = Carried { realm: ask.realm(), cookie: cookie.as_deref(), message: ask.request() };
    let token = carried.write(conversation.place());
    match conversation.request(&token) {
        Err(error) => Step::Failed(error),
        Ok(()) => {
            Step::send(token, After::Receive(AwaitToken::carrying(Carrying { ask, then, conversation })))
        }
    }
}

/// The acceptor's answer.
fn answer<'a>(token: &'a [u8], conversation: &mut Conversation) -> Result<Carried<'a>, Error> {
    let Some(carried) = Carried::read(token, conversation.place())? else {
        let opened = krb5::open(token, &IAKERB)?;
        return Err(match opened.kind {
            TokenKind::Error => krb5::remote(opened.message),
            TokenKind::Reply | TokenKind::Request => BadToken::WrongKind.into(),
        });
    };
    conversation.reply(token)?;
    conversation.set_cookie(carried.cookie);
    Ok(carried)
}

impl Carrying {
    /// Takes the acceptor's answer.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let Self { ask, then, mut conversation } = self;
        match answer(token, &mut conversation) {
            Err(error) => Step::Failed(error),
            Ok(carried) => {
                let now = then.now();
                then.with_conversation(conversation).progress(ask.reply(carried.message, now))
            }
        }
    }
}

/// A context whose client does not know its realm, and asks for the acceptor's.
pub(crate) struct Discovering {
    initiate: Initiate,
    conversation: Conversation,
}

/// Asks the acceptor for its realm (§3.1: neither a realm nor a message).
pub(crate) fn discover(initiate: Initiate) -> Step {
    let mut conversation = Conversation::default();
    let token = Carried { realm: "", cookie: None, message: &[] }.write(conversation.place());
    match conversation.request(&token) {
        Err(error) => Step::Failed(error),
        Ok(()) => {
            Step::send(token, After::Receive(AwaitToken::discovering(Discovering { initiate, conversation })))
        }
    }
}

impl Discovering {
    /// Takes the acceptor's answer. Whoever names a realm of his own gets a request from there, and can answer it only
    /// if he has the client's key.
    pub(crate) fn token(self, token: &[u8]) -> Step {
        let Self { mut initiate, mut conversation } = self;
        match answer(token, &mut conversation) {
            Err(error) => Step::Failed(error),
            Ok(Carried { realm: "", .. }) => {
                Step::fail(BadName::NoRealm(initiate.credential.client().to_string()))
            }
            Ok(Carried { realm, .. }) => {
                initiate.credential = Arc::new(initiate.credential.in_realm(realm));
                krb5::initiator::start_after(initiate, Some(conversation))
            }
        }
    }
}
