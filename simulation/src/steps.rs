//! Contexts on their way up: each transition is an event of its own, so that a kill fits between any two.

use std::collections::BTreeSet;

use orthros::ledger::SpendRefusal;
use orthros::replay::{ReplayRefusal, before_memory};
use orthros_gss::context::{NeedReplay, NeedSpend};
use orthros_gss::transfer::Spent;
use orthros_gss::{Accept, AcceptorCredential, Context, Error, Flags, Need, Step};
use orthros_wire::Timestamp;

use crate::Planted;
use crate::blame::Blame;
use crate::facts::Facts;
use crate::ids::{End, Handle, Side};
use crate::network::{Kind, Message};
use crate::plan::{SECOND, SKEW, Way};
use crate::world::{Arrival, Asking, Event, Job, State, World};

impl World {
    /// How an acceptor begins: it takes what there is a key of, now.
    pub(crate) fn acceptance(&mut self, process: usize) -> Accept {
        let host = self.processes[process].host;
        self.host_now(host);
        let keytab = self.stores.keytab().unwrap_or_default();
        let credential = AcceptorCredential::any(std::sync::Arc::new(keytab));
        Accept::new(&self.hosts[host].settings, credential).carry_to_kdcs()
    }

    /// One transition of one piece of work.
    pub(crate) fn advance(&mut self, handle: Handle) {
        let Some(work) = self.take(handle) else { return };
        let mut job = work.job;
        match work.state {
            State::Step(step) => self.step(handle, job, step),
            State::Await(wait) => match job.tokens.pop_front() {
                Some(token) => {
                    if job.end.side == Side::Initiator {
                        self.conversations[job.end.conversation].answered_by.insert(token.from);
                    }
                    let step = wait.token(&token.octets);
                    self.go_on(handle, job, State::Step(step));
                }
                None => self.wait(handle, job, wait),
            },
            State::ReplayAsked(need, verdict) => {
                let step = match verdict {
                    Ok(()) => need.fresh(),
                    Err(ReplayRefusal::Replayed) => {
                        self.observer.count("replays refused");
                        need.replayed()
                    }
                    Err(ReplayRefusal::Unavailable(report)) => need.unavailable(report),
                    Err(other) => need.unavailable(other.to_string()),
                };
                self.go_on(handle, job, State::Step(step));
            }
            State::SpendAsked(need, verdict) => {
                let step = match verdict {
                    Ok(()) => need.spent(),
                    Err(SpendRefusal::AlreadySpent { at, pid }) => need.spent_before(Spent { at, pid }),
                    Err(SpendRefusal::Gone) => need.gone(),
                    Err(SpendRefusal::Unavailable(report)) => need.unavailable(report),
                    Err(other) => need.unavailable(other.to_string()),
                };
                self.go_on(handle, job, State::Step(step));
            }
            State::Storing(need, tickets) => {
                self.commit_tickets(handle.process, &tickets);
                self.go_on(handle, job, State::Step(need.done()));
            }
            State::Live(context) => self.listen(handle, job, context),
            State::Cookie(cookie) => self.lay_down(job, cookie),
            State::Sealed { token, tries } => self.hand_out(handle, job, token, tries),
            State::Login(progress) => self.login_step(handle, job, progress),
            State::LoginStoring(obtained) => self.login_done(handle, &job, &obtained),
            asked @ State::Asked { .. } => self.keep(handle, job, asked),
        }
    }

    fn step(&mut self, handle: Handle, job: Job, step: Step) {
        match step {
            Step::Send(owed) => {
                self.send_token(job.end, owed.token());
                self.go_on(handle, job, State::Step(owed.sent()));
            }
            Step::Receive(wait) => self.receive(handle, job, wait),
            Step::Need(need) => self.need(handle, job, need),
            Step::Done(context) => self.up(handle, job, context),
            Step::Failed(error) => {
                self.observer.gone(job.end, handle);
                self.failed(&job, &error);
            }
        }
    }

    fn send_token(&mut self, end: End, token: &[u8]) {
        let conversation = &mut self.conversations[end.conversation];
        let first = end.side == Side::Initiator && !conversation.greeted;
        conversation.greeted |= first;
        let kind = if first { Kind::Hello } else { Kind::Token };
        self.send(Message::new(kind, end, end.peer(), token.to_vec()));
    }

    fn need(&mut self, handle: Handle, job: Job, need: Need) {
        match need {
            Need::Elsewhere(need) => self.go_on(handle, job, State::Step(need.unavailable())),
            Need::Kdc(_) | Need::Relay(_) => self.ask(handle, job, Asking::Need(need)),
            Need::Replay(need) => {
                let verdict = self.ask_replay(handle, job.end, &need);
                self.go_on(handle, job, State::ReplayAsked(need, verdict));
            }
            Need::Resolve(need) => self.go_on(handle, job, State::Step(need.unavailable())),
            Need::Spend(need) => {
                let verdict = self.ask_ledger(handle, job.end, &need);
                self.go_on(handle, job, State::SpendAsked(need, verdict));
            }
            Need::Store(need) => {
                let tickets = need.tickets().to_vec();
                self.go_on(handle, job, State::Storing(need, tickets));
            }
        }
    }

    fn ask_replay(&mut self, handle: Handle, end: End, need: &NeedReplay) -> Result<(), ReplayRefusal> {
        self.check_time(handle, end, need);
        if self.planted == Some(Planted::ReplayUnchecked) {
            return Ok(());
        }
        if self.is_disk_full(handle, end) {
            return Err(ReplayRefusal::Unavailable("simulated cache: no space left on device".into()));
        }
        let cache = &self.processes[handle.process].replay;
        before_memory(&**cache, need.authenticator_time(), need.skew_seconds(), need.is_replay_harmless())?;
        cache.check(need.tag(), need.now(), need.skew_seconds())
    }

    /// The authenticator's time is the one at which it was made, by the client's clock, and fresh by this one.
    fn check_time(&mut self, handle: Handle, end: End, need: &NeedReplay) {
        let theirs = need.authenticator_time();
        let apart = theirs.seconds.abs_diff(need.now().seconds);
        if apart > SKEW {
            self.observer.violation(format!("{end} takes a request that is {apart} s away from its clock"));
        }
        let blame = self.blame(end.conversation);
        let conversation = &self.conversations[end.conversation];
        let origin = conversation.ghost_of.unwrap_or(end.conversation);
        let stamp = self.conversations[origin].stamp;
        let direct = conversation.style.is_some_and(|style| style.way != Way::Iakerb);
        if direct && stamp != Some(theirs) && !blame.has(Blame::STRAY) {
            let text = format!("{end}: the authenticator is of {theirs:?}, and was made at {stamp:?}");
            self.observer.violation(text);
        }
        self.host_now(self.host_of(handle));
    }

    fn ask_ledger(&mut self, handle: Handle, end: End, need: &NeedSpend) -> Result<(), SpendRefusal> {
        if self.planted == Some(Planted::ImportUnspent) {
            return Ok(());
        }
        if self.is_disk_full(handle, end) {
            return Err(SpendRefusal::Unavailable("simulated ledger: no space left on device".into()));
        }
        let verdict = self.processes[handle.process].ledger.spend(need.id(), need.until(), need.now());
        let id = *need.id();
        match &verdict {
            Ok(()) => {
                self.spent.insert(id);
            }
            Err(SpendRefusal::AlreadySpent { .. }) if !self.spent.contains(&id) => {
                self.observer.violation(format!("{end}: a token that nobody spent is called spent"));
            }
            Err(_) => self.observer.count("second imports refused"),
        }
        verdict
    }

    fn is_disk_full(&mut self, handle: Handle, end: End) -> bool {
        let full = self.now < self.hosts[self.host_of(handle)].disk_full_until;
        if full {
            self.accuse(end.conversation, Blame::DISK_FULL);
        }
        full
    }

    /// A context lives here.
    fn up(&mut self, handle: Handle, mut job: Job, context: Context) {
        let end = job.end;
        let facts = Facts::of(&context);
        self.say(|| format!("{end} is up: {context:?}"));
        self.observer.up(end, handle);
        match job.arrival {
            Arrival::Fresh | Arrival::Resumed { .. } => self.established(end, &context, facts),
            Arrival::Imported { source, stray, .. } => {
                self.imported(handle, &mut job, source, stray, &facts);
            }
        }
        if !job.data.is_empty() {
            self.after(10, Event::Advance(handle));
        }
        self.keep(handle, job, State::Live(context));
    }

    fn established(&mut self, end: End, context: &Context, facts: Facts) {
        self.observer.count("contexts established");
        let here = &self.conversations[end.conversation];
        let origin = here.ghost_of.unwrap_or(end.conversation);
        let wanted = here.style;
        if end.side == Side::Acceptor {
            let harmless = self.plan.replay_in_memory && context.flags().contains(Flags::MUTUAL);
            self.observer.accepted(origin, harmless);
        }
        if context.flags().contains(Flags::DELEGATION) && end.side == Side::Acceptor {
            self.observer.count("credentials delegated");
            if facts.delegated.as_ref() != Some(&facts.initiator) {
                self.observer.violation(format!("{end}: the delegated credential is lost: {facts:?}"));
            }
        }
        let asked = wanted.is_none_or(|style| {
            let flags = context.flags();
            (flags.contains(Flags::MUTUAL) || !style.mutual)
                && (flags.contains(Flags::CONFIDENTIALITY) || !style.confidential)
                && (flags.contains(Flags::REPLAY) || !style.replay)
                && (flags.contains(Flags::SEQUENCE) || !style.sequence)
        });
        let peer = &self.conversations[end.conversation].facts[end.peer().side as usize];
        if !asked || peer.as_ref().is_some_and(|peer| !peer.agrees_with(&facts)) {
            self.observer.violation(format!("{end} is not what was asked for: {facts:?}, the peer {peer:?}"));
        }
        let flags = context.flags();
        let conversation = &mut self.conversations[end.conversation];
        conversation.facts[end.side as usize] = Some(facts);
        conversation.up[end.side as usize] = true;
        // The answer that the initiator has not had yet is what makes it the acceptor's peer.
        let senders = match end.side {
            Side::Acceptor => BTreeSet::from([End::initiator(origin)]),
            Side::Initiator => self.senders_to(end),
        };
        for sender in senders {
            self.observer.promised(sender, flags.contains(Flags::REPLAY), flags.contains(Flags::SEQUENCE));
        }
        let conversation = &self.conversations[end.conversation];
        if conversation.ghost_of.is_some() {
            return;
        }
        let first = self.dice.between(10_000, SECOND);
        self.after(first, Event::Talk { end, tries: 0 });
        if self.conversations[end.conversation].moves[end.side as usize] > 0 {
            let first = self.dice.between(10_000, 2 * SECOND);
            self.after(first, Event::Move { end, tries: 0 });
        }
    }

    /// A context, an import or a login did not come about.
    pub(crate) fn failed(&mut self, job: &Job, error: &Error) {
        let end = job.end;
        self.say(|| format!("{end} fails: {error} [{}]", error.major()));
        self.observer.count("failures explained");
        let here = self.clock_of(end);
        let explained = self.explain(job, error, here);
        if let Err(why) = explained {
            let blame = self.blame(end.conversation);
            let text =
                format!("unexplained failure of {end}: {why}: {error} [{}]; blamed: {blame}", error.major());
            self.observer.violation(text);
        }
        match (job.arrival, error) {
            (Arrival::Imported { .. }, _) => return,
            // The context waits where it did, if it still does; the token that came is lost.
            (Arrival::Resumed { .. }, Error::Transfer(_)) => {
                return self.accuse(end.conversation, Blame::LOST);
            }
            _ => {}
        }
        let conversation = &mut self.conversations[end.conversation];
        conversation.codes[end.side as usize].push(error.kerberos_code());
        conversation.failed[end.side as usize] = true;
        if end.side == Side::Initiator {
            self.try_again(end.conversation);
        }
    }

    /// The clock by which an end goes.
    pub(crate) fn clock_of(&self, end: End) -> Timestamp {
        let conversation = &self.conversations[end.conversation];
        let process = if end.side == Side::Initiator { conversation.client } else { conversation.server };
        self.host_now(self.processes[process].host)
    }
}
