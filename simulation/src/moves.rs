//! Contexts that move: exported here, carried, imported there; with a kill possible between every two steps.

use orthros_gss::transfer;
use orthros_gss::{Error, Need, Step};

use crate::blame::Blame;
use crate::facts::Facts;
use crate::ids::{End, Handle};
use crate::network::{Kind, Message};
use crate::plan::SECOND;
use crate::world::{Arrival, Event, Job, State, World};

/// How often an exporter hands the same token out before it gives the context up.
const TRIES: u32 = 3;

impl World {
    /// The process that holds an end exports it, if it has it up.
    pub(crate) fn move_away(&mut self, end: End, tries: u32) {
        let Some(handle) = self.conversations[end.conversation].holder[end.side as usize] else { return };
        let Some(work) = self.take(handle) else { return };
        let State::Live(context) = work.state else {
            self.keep(handle, work.job, work.state);
            if tries < 20 {
                self.after(SECOND / 2, Event::Move { end, tries: tries + 1 });
            }
            return;
        };
        let exported = context.export(&self.hosts[self.host_of(handle)].key);
        match exported {
            Ok(token) => {
                self.observer.gone(end, handle);
                self.observer.count("contexts exported");
                self.say(|| format!("{end} is exported"));
                let moves = &mut self.conversations[end.conversation].moves[end.side as usize];
                *moves = moves.saturating_sub(1);
                self.go_on(handle, work.job, State::Sealed { token, tries: 0 });
            }
            Err(kept) => {
                self.refused(&work.job, &kept.error);
                self.keep(handle, work.job, State::Live(kept.context));
            }
        }
    }

    /// A call on a live context failed: that must have a cause too.
    pub(crate) fn refused(&mut self, job: &Job, error: &Error) {
        let here = self.clock_of(job.end);
        self.say(|| format!("{}: {error} [{}]", job.end, error.major()));
        if let Err(why) = self.explain(job, error, here) {
            self.observer.violation(format!("unexplained refusal by {}: {why}: {error}", job.end));
        }
    }

    /// The exporter hands the token to some process of its machine, once more if it hears nothing.
    pub(crate) fn hand_out(&mut self, handle: Handle, job: Job, token: Vec<u8>, tries: u32) {
        if tries > 0 {
            return self.keep(handle, job, State::Sealed { token, tries });
        }
        self.hand_out_now(handle, job, token, tries);
    }

    fn hand_out_now(&mut self, handle: Handle, job: Job, token: Vec<u8>, tries: u32) {
        let host = self.host_of(handle);
        let places: Vec<usize> =
            (0..self.processes.len()).filter(|place| self.processes[*place].host == host).collect();
        let target = self.dice.pick(&places).unwrap_or(handle.process);
        let kind = Kind::Moved { source: handle, target };
        let message = Message::new(kind, job.end, job.end, token.clone());
        self.keep(handle, job, State::Sealed { token, tries: tries + 1 });
        self.send(message);
        self.after(SECOND, Event::MoveTimeout { source: handle });
    }

    pub(crate) fn move_timeout(&mut self, source: Handle) {
        let Some(work) = self.take(source) else { return };
        match work.state {
            State::Sealed { token, tries } if tries < TRIES => {
                self.hand_out_now(source, work.job, token, tries);
            }
            State::Sealed { .. } => {
                self.say(|| format!("{}: nobody takes it over; it is lost", work.job.end));
                self.observer.count("contexts lost on a move");
                self.accuse(work.job.end.conversation, Blame::LOST);
            }
            state => self.keep(source, work.job, state),
        }
    }

    /// The importer has said that it has the context.
    pub(crate) fn acknowledged(&mut self, source: Handle) {
        let Some(work) = self.take(source) else { return };
        if !matches!(work.state, State::Sealed { .. }) {
            self.keep(source, work.job, work.state);
        }
    }

    /// A token comes to a process.
    pub(crate) fn import(&mut self, source: Handle, target: usize, message: &Message) {
        if !self.processes[target].alive {
            return self.say(|| format!("{}: the importer is dead", message.to));
        }
        let host = self.processes[target].host;
        self.host_now(host);
        let step = transfer::import(&message.octets, &self.hosts[host].key, &self.hosts[host].settings);
        if self.is_elsewhere(target) && !matches!(step, Step::Failed(_)) {
            self.observer.violation(format!("{} is opened on another machine", message.to));
        }
        if let Step::Receive(_) | Step::Need(Need::Spend(_)) =
            self.acceptance(target).resume(&message.octets, &self.hosts[host].key)
        {
            self.observer.violation(format!("what {} was exported as is resumed", message.to));
        }
        let arrival = Arrival::Imported { source, altered: message.altered, stray: message.stray };
        self.begin(target, Job::new(message.to, arrival), State::Step(step));
    }

    /// An import came about.
    pub(crate) fn imported(
        &mut self,
        handle: Handle,
        job: &mut Job,
        source: Handle,
        stray: bool,
        facts: &Facts,
    ) {
        let end = job.end;
        self.observer.count("contexts imported");
        let conversation = &mut self.conversations[end.conversation];
        if stray || conversation.facts[end.side as usize].as_ref() != Some(facts) {
            let before = &conversation.facts[end.side as usize];
            self.observer.violation(format!("{end} was {before:?} and is {facts:?} after its move"));
            return;
        }
        conversation.holder[end.side as usize] = Some(handle);
        job.data.extend(std::mem::take(&mut conversation.limbo[end.side as usize]));
        let again = conversation.moves[end.side as usize] > 0;
        if self.dice.chance(self.plan.rates.lose) {
            self.accuse(end.conversation, Blame::LOST);
        } else {
            self.after(500, Event::Acknowledge(source));
        }
        if again {
            let next = self.dice.between(10_000, 2 * SECOND);
            self.after(next, Event::Move { end, tries: 0 });
        }
    }
}
