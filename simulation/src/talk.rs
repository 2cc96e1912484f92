//! Protected messages: what is sent, and what comes out.

use std::collections::BTreeSet;

use orthros_gss::error::BadToken;
use orthros_gss::{Context, Error, Flags, Order};

use crate::Planted;
use crate::ids::{End, Handle, Side};
use crate::network::{Kind, Message};
use crate::plan::SECOND;
use crate::world::{Event, Job, State, World};

impl World {
    /// An end says something, if it is up.
    pub(crate) fn talk(&mut self, end: End, tries: u32) {
        let conversation = &self.conversations[end.conversation];
        let left = conversation.talks[end.side as usize];
        let Some(handle) = conversation.holder[end.side as usize] else { return };
        if left == 0 || tries > 40 {
            return;
        }
        let work = self.take(handle);
        let Some(work) = work else {
            // Killed, or on its way to another process.
            return self.after(SECOND / 2, Event::Talk { end, tries: tries + 1 });
        };
        let State::Live(context) = work.state else {
            self.keep(handle, work.job, work.state);
            return self.after(SECOND / 2, Event::Talk { end, tries: tries + 1 });
        };
        match self.protect(end, &context) {
            Ok(message) => {
                self.conversations[end.conversation].talks[end.side as usize] = left - 1;
                if self.host_now(self.host_of(handle)) >= context.end() {
                    self.observer.violation(format!("{end} protects a message after its end"));
                }
                self.send(message);
                let next = self.dice.between(10_000, 2 * SECOND);
                self.after(next, Event::Talk { end, tries: 0 });
            }
            Err(error) => self.refused(&work.job, &error),
        }
        self.keep(handle, work.job, State::Live(context));
    }

    fn protect(&mut self, end: End, context: &Context) -> Result<Message, Error> {
        let length = self.dice.place(60);
        let mut plain = format!("{end} {} ", self.dice.number()).into_bytes();
        plain.extend(std::iter::repeat_n(b'.', length));
        if self.dice.chance(100) {
            plain.clear();
        }
        if self.dice.chance(250) {
            let token = context.mic(&plain)?;
            let index = self.observer.sent(end, &plain);
            let message = Message::new(Kind::Mic { index }, end, end.peer(), token);
            return Ok(Message { beside: plain, ..message });
        }
        let sealed = context.flags().contains(Flags::CONFIDENTIALITY) && self.dice.chance(700);
        let token = if sealed { context.wrap(&plain)? } else { context.wrap_integrity(&plain)? };
        let index = self.observer.sent(end, &plain);
        Ok(Message::new(Kind::Wrap { index, sealed }, end, end.peer(), token))
    }

    /// A live context takes what came.
    pub(crate) fn listen(&mut self, handle: Handle, mut job: Job, context: Context) {
        if let Some(late) = job.tokens.pop_front() {
            // RFC 2744 §5.13: a token after the last one. It changes nothing, whatever it is.
            if let Err(error) = context.process(&late.octets) {
                self.say(|| format!("{}: a late token: {error}", job.end));
            }
        } else if let Some(message) = job.data.pop_front() {
            self.hear(&job, &context, &message);
        } else {
            return self.keep(handle, job, State::Live(context));
        }
        self.go_on(handle, job, State::Live(context));
    }

    fn hear(&mut self, job: &Job, context: &Context, message: &Message) {
        let (index, outcome) = match message.kind {
            Kind::Wrap { index, sealed } => {
                let opened = context.unwrap(&message.octets);
                if let Ok(opened) = &opened
                    && opened.confidential != sealed
                {
                    let text =
                        format!("{}: message {index} was sealed or not, and is told otherwise", job.end);
                    self.observer.violation(text);
                }
                (index, opened.map(|opened| (opened.message, opened.order)))
            }
            Kind::Mic { index } => {
                let verified = context.verify_mic(&message.beside, &message.octets);
                (index, verified.map(|order| (message.beside.clone(), order)))
            }
            _ => return,
        };
        let outcome = match outcome {
            Err(_) if self.planted == Some(Planted::IntegrityUnchecked) => {
                Ok((message.octets.clone(), Order::InOrder))
            }
            Ok((plain, _)) if self.planted == Some(Planted::OrderUnchecked) => Ok((plain, Order::InOrder)),
            outcome => outcome,
        };
        match outcome {
            Ok((plain, order)) => self.heard(job, message, index, &plain, order),
            Err(error) => self.not_heard(job, message, &error),
        }
    }

    fn heard(&mut self, job: &Job, message: &Message, index: usize, plain: &[u8], order: Order) {
        self.say(|| format!("{} hears message {index}: {order:?}", job.end));
        self.observer.count("messages heard");
        if !self.senders_to(job.end).contains(&message.from) {
            let text = format!("{} hears what {} sent to somebody else", job.end, message.from);
            return self.observer.violation(text);
        }
        self.observer.received(message.from, index, plain, order);
    }

    /// Whose messages an end may hear: its peer's; but a request may have come to an acceptor by somebody who kept it
    /// back, and the answer to it, which proves a key of its own, may have come to the initiator or not. Who talks alone
    /// is heard by whoever took its request.
    pub(crate) fn senders_to(&self, end: End) -> BTreeSet<End> {
        let conversation = &self.conversations[end.conversation];
        let facts = conversation.facts[end.side as usize].as_ref();
        let proved = facts.is_none_or(|facts| facts.flags.contains(Flags::MUTUAL));
        match end.side {
            Side::Initiator if !proved => BTreeSet::from([end.peer()]),
            Side::Initiator => {
                conversation.answered_by.iter().copied().filter(|by| self.took_request(*by, end)).collect()
            }
            Side::Acceptor => {
                let origin = End::initiator(conversation.ghost_of.unwrap_or(end.conversation));
                let known = !proved || self.conversations[origin.conversation].answered_by.contains(&end);
                known.then_some(origin).into_iter().collect()
            }
        }
    }

    /// Whether an acceptor can have been shown the request of this initiator.
    fn took_request(&self, acceptor: End, initiator: End) -> bool {
        let conversation = &self.conversations[acceptor.conversation];
        acceptor.side == Side::Acceptor
            && conversation.ghost_of.unwrap_or(acceptor.conversation) == initiator.conversation
    }

    fn not_heard(&mut self, job: &Job, message: &Message, error: &Error) {
        self.say(|| format!("{} refuses a message: {error} [{}]", job.end, error.major()));
        self.observer.count("messages refused");
        let lawful = matches!(
            error,
            Error::Token(
                BadToken::Integrity
                    | BadToken::Truncated
                    | BadToken::WrongDirection
                    | BadToken::WrongKey
                    | BadToken::WrongKind
                    | BadToken::SequenceEnd
                    | BadToken::Framing
                    | BadToken::Malformed
            )
        );
        if !lawful || !(message.altered || message.stray) || error.to_string().is_empty() {
            let text = format!("{} refuses a message of {} without a cause: {error}", job.end, message.from);
            self.observer.violation(text);
        }
    }
}
