//! Messages, and what befalls them on their way.

use orthros_krb5::exchange::KdcFailure;
use orthros_wire::Timestamp;

use crate::blame::Blame;
use crate::ids::{End, Handle, Side};
use crate::plan::{ELSEWHERE, KDCS, SECOND, Way};
use crate::trace::Brief;
use crate::world::{Arrival, Asking, Conversation, Event, Job, State, World};

/// Microseconds of every way. Messages that nothing befalls keep their order.
const WAY: u64 = 5_000;

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first token, which opens a connection.
    Hello,
    /// A later token of the handshake.
    Token,
    /// A wrapped message: the sender's how manieth, and whether it is sealed.
    Wrap { index: usize, sealed: bool },
    /// A message and its MIC.
    Mic { index: usize },
    /// An exported context, to a process of the same machine.
    Moved { source: Handle, target: usize },
    /// To the KDC of a realm.
    Ask { from: Handle, number: u64, realm: String },
    /// From it.
    Answer { to: Handle, number: u64 },
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) from: End,
    pub(crate) to: End,
    pub(crate) octets: Vec<u8>,
    /// The message that a MIC is of.
    pub(crate) beside: Vec<u8>,
    pub(crate) altered: bool,
    /// It comes where it was not sent to.
    pub(crate) stray: bool,
}

impl Message {
    pub(crate) fn new(kind: Kind, from: End, to: End, octets: Vec<u8>) -> Self {
        Self { kind, from, to, octets, beside: Vec::new(), altered: false, stray: false }
    }

    fn is_with_kdc(&self) -> bool {
        matches!(self.kind, Kind::Ask { .. } | Kind::Answer { .. })
    }

    /// What a conversation can complain of if this message is changed.
    fn altering(&self) -> Blame {
        if self.is_with_kdc() { Blame::KDC_ALTERED } else { Blame::ALTERED }
    }
}

impl World {
    /// Sends a message. The seed decides what befalls it.
    pub(crate) fn send(&mut self, mut message: Message) {
        self.trace.octets(&message.octets);
        let (from, to) = (message.from, message.to);
        let rates = self.plan.rates;
        self.say(|| format!("{from} sends {:?} to {to}: {}", message.kind, Brief(&message.octets)));
        if !message.is_with_kdc() {
            self.overheard.push(message.clone());
        }
        if self.dice.chance(rates.lose) {
            return self.lose(&message);
        }
        let copies = if self.dice.chance(rates.repeat) { self.dice.between(1, 2) } else { 0 };
        for _ in 0..copies {
            self.accuse(to.conversation, Blame::REPEATED);
            self.say(|| "  repeated on the way".into());
            self.observer.count("messages repeated");
            let late = self.dice.below(4 * SECOND);
            self.after(WAY + late, Event::Deliver(message.clone()));
        }
        if self.dice.chance(rates.alter) {
            self.alter(&mut message);
        }
        if self.dice.chance(rates.stray) {
            self.lead_astray(&mut message);
        }
        let late = if self.dice.chance(rates.delay) { self.dice.below(2 * SECOND) } else { 0 };
        if late > 0 {
            self.accuse(to.conversation, Blame::LATE);
            self.say(|| format!("  delayed by {late} us"));
            self.observer.count("messages delayed");
        }
        self.after(WAY + late, Event::Deliver(message));
    }

    pub(crate) fn lose(&mut self, message: &Message) {
        let blame = if message.is_with_kdc() { Blame::KDC_SILENT } else { Blame::LOST };
        self.accuse(message.to.conversation, blame);
        self.say(|| "  lost on the way".into());
        self.observer.count("messages lost");
    }

    fn alter(&mut self, message: &mut Message) {
        let target = match message.kind {
            Kind::Mic { .. } if !message.beside.is_empty() && self.dice.chance(300) => &mut message.beside,
            _ => &mut message.octets,
        };
        let before = target.clone();
        let place = self.dice.place(target.len());
        match self.dice.below(6) {
            0 => target.truncate(place),
            1 => target.push(self.dice.number().to_le_bytes()[0]),
            2 => target.rotate_left(place),
            3 => target.iter_mut().skip(place).take(4).for_each(|octet| *octet = 0),
            _ => {
                let bit = 1 << self.dice.below(8);
                target.iter_mut().skip(place).take(1).for_each(|octet| *octet ^= bit);
            }
        }
        if *target == before {
            return;
        }
        message.altered = true;
        let blame = message.altering();
        self.accuse(message.to.conversation, blame);
        let conversation = &self.conversations[message.to.conversation];
        let carries = conversation.style.is_some_and(|style| style.way == Way::Iakerb);
        let client = conversation.client;
        if message.is_with_kdc() || carries {
            // The tickets that come of it are for every later conversation too.
            if let Some(user) = self.users.get_mut(client) {
                user.blame = user.blame | blame;
            }
        }
        self.say(|| format!("  altered at octet {place}"));
        self.observer.count("messages altered");
    }

    /// Back to who sent it, to another conversation, or (exported contexts) to another machine.
    fn lead_astray(&mut self, message: &mut Message) {
        let other = self.dice.place(self.conversations.len());
        let reflect = self.dice.chance(400);
        let to = match &mut message.kind {
            Kind::Token | Kind::Wrap { .. } | Kind::Mic { .. } if reflect => message.from,
            Kind::Token | Kind::Wrap { .. } | Kind::Mic { .. } | Kind::Hello
                if other != message.to.conversation =>
            {
                message.kind = if message.kind == Kind::Hello { Kind::Token } else { message.kind.clone() };
                End { conversation: other, side: message.to.side }
            }
            Kind::Moved { target, .. } => {
                *target = self.processes.len() - 1;
                message.to
            }
            _ => return,
        };
        let blame = if matches!(message.kind, Kind::Moved { .. }) { Blame::LOST } else { Blame::STRAY };
        self.accuse(message.to.conversation, Blame::LOST);
        self.accuse(to.conversation, blame);
        message.to = to;
        message.stray = true;
        self.say(|| format!("  led astray to {to}"));
        self.observer.count("messages led astray");
    }

    /// A message is there.
    pub(crate) fn deliver(&mut self, message: Message) {
        match message.kind.clone() {
            Kind::Ask { from, number, realm } => self.answer(message, from, number, &realm),
            Kind::Answer { to, number } => self.answered(to, number, &message),
            Kind::Moved { source, target } => self.import(source, target, &message),
            Kind::Hello => self.greet(message),
            Kind::Token | Kind::Wrap { .. } | Kind::Mic { .. } => self.hand_over(message),
        }
    }

    /// A connection is opened: the first is the conversation's own, each further one somebody else's.
    fn greet(&mut self, message: Message) {
        let mut end = message.to;
        if end.side != Side::Acceptor {
            return;
        }
        let original = &self.conversations[end.conversation];
        let (client, server, style) = (original.client, original.server, original.style);
        if !self.processes[server].alive {
            self.say(|| format!("{end}: connection refused"));
            return self.accuse(end.conversation, Blame::KILLED);
        }
        if original.opened {
            let ghost =
                Conversation { ghost_of: Some(end.conversation), ..Conversation::new(style, client, server) };
            self.accuse(end.conversation, Blame::REPEATED);
            self.conversations.push(ghost);
            end.conversation = self.conversations.len() - 1;
            self.accuse(end.conversation, Blame::REPEATED);
            self.observer.count("requests replayed");
            self.say(|| format!("{end} is a replay of {}", message.to));
        }
        let step = self.acceptance(server).start();
        let mut job = Job::new(end, Arrival::Fresh);
        job.tokens.push_back(message);
        let limbo = std::mem::take(&mut self.conversations[end.conversation].limbo[end.side as usize]);
        job.data.extend(limbo);
        let handle = self.begin(server, job, State::Step(step));
        self.observer.up(end, handle);
        let conversation = &mut self.conversations[end.conversation];
        conversation.holder[end.side as usize] = Some(handle);
        conversation.opened = true;
    }

    /// To whoever holds the end.
    fn hand_over(&mut self, message: Message) {
        let end = message.to;
        let conversation = &mut self.conversations[end.conversation];
        let Some(handle) = conversation.holder[end.side as usize] else {
            if message.kind == Kind::Token {
                return self.resume(message);
            }
            // Ahead of the connection, which is delayed: it waits there as in a socket.
            if conversation.ghost_of.is_none() {
                conversation.limbo[end.side as usize].push(message);
            }
            return;
        };
        let Some(mut work) = self.take(handle) else {
            self.say(|| format!("{end}: nobody is there any more"));
            if message.kind == Kind::Token {
                self.resume(message);
            }
            return;
        };
        if let State::Sealed { .. } = work.state {
            self.conversations[end.conversation].limbo[end.side as usize].push(message);
            return self.keep(handle, work.job, work.state);
        }
        match message.kind {
            Kind::Token => work.job.tokens.push_back(message),
            _ => work.job.data.push_back(message),
        }
        self.keep(handle, work.job, work.state);
        self.after(1, Event::Advance(handle));
    }

    /// Asks a KDC; it is asked again if it says nothing.
    pub(crate) fn ask(&mut self, handle: Handle, job: Job, asking: Asking) {
        let (realm, request) = match &asking {
            Asking::Login(ask) => (ask.realm().to_owned(), ask.request().to_vec()),
            Asking::Need(orthros_gss::Need::Kdc(need)) => (need.realm().to_owned(), need.request().to_vec()),
            Asking::Need(orthros_gss::Need::Relay(need)) => {
                (need.realm().to_owned(), need.request().to_vec())
            }
            Asking::Need(_) => return,
        };
        let number = self.fresh_number();
        let kind = Kind::Ask { from: handle, number, realm };
        let request = Message::new(kind, job.end, job.end, request);
        self.keep(handle, job, State::Asked { asking, number, tries: 1 });
        self.send(request.clone());
        self.after(3 * SECOND, Event::KdcTimeout { handle, number, request });
    }

    fn answer(&mut self, message: Message, from: Handle, number: u64, realm: &str) {
        let end = message.to;
        if self.now < self.silent_until {
            return self.accuse(end.conversation, Blame::KDC_SILENT);
        }
        let now = self.host_now(KDCS);
        let Some(realm) = self.realms.iter().find(|known| known.name() == realm) else { return };
        let Some(answer) = realm.answer(&message.octets, now, &self.kdc_random) else {
            if !message.altered {
                self.observer.violation(format!("the KDC does not answer a request of {end}"));
            }
            return self.accuse(end.conversation, Blame::KDC_SILENT);
        };
        self.send(Message::new(Kind::Answer { to: from, number }, end, end, answer));
    }

    fn answered(&mut self, handle: Handle, number: u64, message: &Message) {
        let Some(work) = self.take(handle) else { return };
        match work.state {
            State::Asked { asking, number: asked, .. } if asked == number => {
                let now = self.host_now(self.host_of(handle));
                let state = reply(asking, &message.octets, now);
                self.go_on(handle, work.job, state);
            }
            // An answer to a request that was answered: nobody listens there any more.
            state => self.keep(handle, work.job, state),
        }
    }

    pub(crate) fn kdc_timeout(&mut self, handle: Handle, number: u64, request: Message) {
        let Some(work) = self.take(handle) else { return };
        match work.state {
            State::Asked { asking, number: asked, tries } if asked == number => {
                if tries < 3 {
                    self.keep(handle, work.job, State::Asked { asking, number, tries: tries + 1 });
                    self.send(request.clone());
                    return self.after(3 * SECOND, Event::KdcTimeout { handle, number, request });
                }
                self.say(|| format!("{}: no KDC answers", work.job.end));
                self.go_on(handle, work.job, unanswered(asking));
            }
            state => self.keep(handle, work.job, state),
        }
    }

    /// An eavesdropper sends something again, as it was, at any time.
    pub(crate) fn send_again(&mut self) {
        let place = self.dice.place(self.overheard.len());
        let Some(mut message) = self.overheard.get(place).cloned() else { return };
        self.say(|| format!("somebody sends again: {:?} to {}", message.kind, message.to));
        self.observer.count("messages sent again");
        self.accuse(message.to.conversation, Blame::REPEATED);
        if let Kind::Moved { target, .. } = &mut message.kind {
            let host = self.processes[*target].host;
            let places: Vec<usize> =
                (0..self.processes.len()).filter(|place| self.processes[*place].host == host).collect();
            *target = self.dice.pick(&places).unwrap_or(*target);
        } else if self.dice.chance(500) {
            // To who took the request again, if anybody did.
            let original = Some(message.to.conversation);
            let ghost = self.conversations.iter().position(|other| other.ghost_of == original);
            if let (Some(ghost), false) = (ghost, message.kind == Kind::Hello) {
                message.to.conversation = ghost;
                message.stray = true;
            }
        }
        self.after(WAY, Event::Deliver(message));
    }

    /// The machine to which exported contexts must not go.
    pub(crate) fn is_elsewhere(&self, process: usize) -> bool {
        self.processes[process].host == ELSEWHERE
    }
}

fn reply(asking: Asking, answer: &[u8], now: Timestamp) -> State {
    match asking {
        Asking::Login(ask) => State::Login(ask.reply(answer, now)),
        Asking::Need(orthros_gss::Need::Kdc(need)) => State::Step(need.reply(answer)),
        Asking::Need(orthros_gss::Need::Relay(need)) => State::Step(need.reply(answer)),
        Asking::Need(need) => State::Step(orthros_gss::Step::Need(need)),
    }
}

fn unanswered(asking: Asking) -> State {
    let report = "simulated KDC: no answer in 9 s";
    match asking {
        Asking::Login(ask) => State::Login(ask.unavailable(report.into())),
        Asking::Need(orthros_gss::Need::Kdc(need)) => State::Step(need.unavailable(report)),
        Asking::Need(orthros_gss::Need::Relay(need)) => State::Step(need.unavailable()),
        Asking::Need(need) => State::Step(orthros_gss::Step::Need(need)),
    }
}

/// What a failed login is as an error of the GSS-API.
pub(crate) fn as_error(failure: KdcFailure) -> orthros_gss::Error {
    failure.into()
}
