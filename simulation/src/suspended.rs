//! Acceptors' contexts that move before they are up: suspended into a cookie, which a balancer keeps with the session,
//! and resumed by whichever process the next token comes to; with a kill possible between every two steps.
//!
//! Nothing tells the balancer that a cookie is spent: it gives the latest one with every token that no process waits
//! for, to two processes if it grows impatient, and sometimes one of before. Only the ledger keeps them apart.

use orthros_gss::context::AwaitToken;
use orthros_gss::{Step, transfer};

use crate::blame::Blame;
use crate::ids::{End, Handle, Side};
use crate::network::Message;
use crate::world::{Arrival, Cookie, Event, Job, State, World};

/// Of a thousand waits of an acceptor that is suspended at all, so many are suspensions.
const MOSTLY: u64 = 800;

impl World {
    /// A context on its way up waits for a token; one that came by a cookie lives here now.
    pub(crate) fn receive(&mut self, handle: Handle, mut job: Job, wait: AwaitToken) {
        let end = job.end;
        if let Arrival::Resumed { stray, altered } = job.arrival
            && self.conversations[end.conversation].holder[end.side as usize] != Some(handle)
        {
            self.say(|| format!("{end} is resumed"));
            self.observer.count("contexts resumed");
            if stray || altered {
                self.observer.violation(format!("{end} is resumed by a cookie that it is not to go on from"));
            }
            self.observer.up(end, handle);
            let conversation = &mut self.conversations[end.conversation];
            conversation.holder[end.side as usize] = Some(handle);
            job.data.extend(std::mem::take(&mut conversation.limbo[end.side as usize]));
        }
        self.go_on(handle, job, State::Await(wait));
    }

    /// No token has come yet.
    pub(crate) fn wait(&mut self, handle: Handle, job: Job, wait: AwaitToken) {
        let end = job.end;
        let suspends = self.conversations[end.conversation].style.is_some_and(|style| style.suspend);
        if end.side == Side::Initiator || !suspends || !self.dice.chance(MOSTLY) {
            return self.keep(handle, job, State::Await(wait));
        }
        let host = &self.hosts[self.host_of(handle)];
        match wait.suspend(&host.key, &host.settings) {
            Ok(cookie) => {
                self.say(|| format!("{end} is suspended"));
                self.observer.gone(end, handle);
                self.observer.count("contexts suspended");
                self.go_on(handle, job, State::Cookie(cookie));
            }
            Err(kept) => {
                self.refused(&job, &kept.error);
                self.keep(handle, job, State::Await(kept.waiting));
            }
        }
    }

    /// The balancer has the cookie, and brings it what came meanwhile.
    pub(crate) fn lay_down(&mut self, job: Job, mut octets: Vec<u8>) {
        let end = job.end;
        self.trace.octets(&octets);
        let altered = self.dice.chance(self.plan.rates.alter);
        if altered {
            let (place, bit) = (self.dice.place(octets.len()), 1 << self.dice.below(8));
            octets.iter_mut().skip(place).take(1).for_each(|octet| *octet ^= bit);
            self.accuse(end.conversation, Blame::ALTERED);
            self.say(|| format!("  its cookie is altered at octet {place}"));
        }
        let conversation = &mut self.conversations[end.conversation];
        conversation.cookies.push(Cookie { octets, altered });
        conversation.holder[end.side as usize] = None;
        for message in job.tokens.into_iter().chain(job.data) {
            self.after(1, Event::Deliver(message));
        }
    }

    /// A token comes for a context that no process holds: whoever takes it gets the cookie too.
    pub(crate) fn resume(&mut self, message: Message) {
        let end = message.to;
        if end.side == Side::Initiator {
            return;
        }
        let cookies = &self.conversations[end.conversation].cookies;
        let old = self.dice.chance(self.plan.rates.stray);
        let place = if old { self.dice.place(cookies.len()) } else { cookies.len().saturating_sub(1) };
        let Some(cookie) = cookies.get(place).cloned() else { return };
        let impatient = self.dice.chance(self.plan.rates.repeat);
        for _ in 0..=usize::from(impatient) {
            self.resume_somewhere(end, &cookie, message.clone());
        }
    }

    fn resume_somewhere(&mut self, end: End, cookie: &Cookie, token: Message) {
        let server = self.conversations[end.conversation].server;
        let home = self.processes[server].host;
        let stray = self.dice.chance(self.plan.rates.stray);
        let places: Vec<usize> = (0..self.processes.len())
            .filter(|place| match (stray, self.plan.replay_in_memory) {
                (true, _) => self.is_elsewhere(*place),
                // What one acceptor remembers, no other knows.
                (false, true) => *place == server,
                (false, false) => self.processes[*place].host == home,
            })
            .collect();
        let target = self.dice.pick(&places).unwrap_or(server);
        if !self.processes[target].alive {
            self.say(|| format!("{end}: connection refused"));
            return self.accuse(end.conversation, Blame::KILLED);
        }
        let name = self.processes[target].name;
        self.say(|| format!("{end} shall go on in {name}"));
        let accept = self.acceptance(target);
        let host = &self.hosts[self.processes[target].host];
        if !matches!(transfer::import(&cookie.octets, &host.key, &host.settings), Step::Failed(_)) {
            self.observer.violation(format!("the cookie of {end} is imported"));
        }
        let host = &self.hosts[self.processes[target].host];
        let step = accept.resume(&cookie.octets, &host.key);
        let mut job = Job::new(end, Arrival::Resumed { altered: cookie.altered, stray });
        job.tokens.push_back(token);
        self.begin(target, job, State::Step(step));
    }
}
