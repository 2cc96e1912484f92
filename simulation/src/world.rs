//! The realm: machines, processes, conversations, and one queue of events in the order of one true time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use orthros::ledger::{Ledger, SpendRefusal};
use orthros::replay::{ReplayCache, ReplayRefusal};
use orthros_gss::context::{AwaitToken, Need, NeedReplay, NeedSpend, NeedStore};
use orthros_gss::transfer::SealingKey;
use orthros_gss::{Context, InitiatorCredential, Settings, Step};
use orthros_kdc::Realm;
use orthros_krb5::exchange::{Ask, Obtained, Progress};
use orthros_krb5::{Credential, ErrorCode, Principal};
use orthros_wire::Timestamp;
use orthros_wire::testing::{ManualClock, SeededRandom};

use crate::Planted;
use crate::blame::Blame;
use crate::clocks::Extremes;
use crate::dice::Dice;
use crate::facts::Facts;
use crate::ids::{End, Handle, Side};
use crate::network::Message;
use crate::observer::Observer;
use crate::plan::{Blow, Plan, Style};
use crate::stores::Stores;
use crate::trace::Trace;

/// The second at which every run begins, by a true clock.
pub(crate) const BEGIN: i64 = 1_700_000_000;

/// More events than any run has: one that has more goes on for ever.
const MOST_EVENTS: u32 = 20_000;

/// A machine.
pub(crate) struct Host {
    pub(crate) clock: Arc<ManualClock>,
    /// What the clock is ahead of the true time, in microseconds.
    pub(crate) ahead: i64,
    pub(crate) settings: Settings,
    pub(crate) key: SealingKey,
    pub(crate) disk_full_until: u64,
}

/// A process. What is in here dies with it, but for its name and place.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    pub(crate) host: usize,
    pub(crate) alive: bool,
    pub(crate) life: u32,
    pub(crate) works: BTreeMap<u64, Work>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) replay: Arc<dyn ReplayCache>,
    /// Clients only.
    pub(crate) credential: Option<Arc<InitiatorCredential>>,
    /// The conversation of the login that is under way.
    pub(crate) login: Option<usize>,
    /// Conversations that wait for it.
    pub(crate) waiting: Vec<usize>,
}

/// A person at a client process, with what makes a key.
pub(crate) struct User {
    pub(crate) principal: Principal,
    /// What befell the messages by which the tickets came.
    pub(crate) blame: Blame,
}

/// One piece of work of a process: a context on its way, in use or on the move; or a login.
pub(crate) struct Work {
    pub(crate) state: State,
    pub(crate) job: Job,
}

/// What stays the same while the state changes.
pub(crate) struct Job {
    pub(crate) end: End,
    pub(crate) arrival: Arrival,
    /// Tokens of the handshake that came and were not looked at.
    pub(crate) tokens: VecDeque<Message>,
    /// Protected messages, likewise.
    pub(crate) data: VecDeque<Message>,
}

impl Job {
    pub(crate) fn new(end: End, arrival: Arrival) -> Self {
        Self { end, arrival, tokens: VecDeque::new(), data: VecDeque::new() }
    }
}

/// How a context came to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Fresh,
    /// From `source`, by a token that is or is not what was exported there.
    Imported {
        source: Handle,
        altered: bool,
        stray: bool,
    },
    /// An acceptor's, by a cookie that is or is not what was suspended there.
    Resumed {
        altered: bool,
        stray: bool,
    },
}

/// Between two of these a process can be killed.
pub(crate) enum State {
    Step(Step),
    Await(AwaitToken),
    Asked {
        asking: Asking,
        number: u64,
        tries: u32,
    },
    /// The replay cache has answered, and nobody has read it.
    ReplayAsked(NeedReplay, Result<(), ReplayRefusal>),
    /// The ledger has answered, and nobody has read it.
    SpendAsked(NeedSpend, Result<(), SpendRefusal>),
    /// The cache's new octets lie beside the old ones.
    Storing(NeedStore, Vec<Credential>),
    Live(Context),
    /// Suspended; the cookie has not been laid down.
    Cookie(Vec<u8>),
    /// Exported; the importer has not said that it has it.
    Sealed {
        token: Vec<u8>,
        tries: u32,
    },
    Login(Progress<Obtained>),
    LoginStoring(Obtained),
}

/// Who waits for a KDC.
pub(crate) enum Asking {
    Need(Need),
    Login(Ask<Obtained>),
}

/// One attempt to have a context, or (without a style) to log in.
pub(crate) struct Conversation {
    pub(crate) style: Option<Style>,
    pub(crate) client: usize,
    pub(crate) server: usize,
    /// The conversation whose request somebody sent again here.
    pub(crate) ghost_of: Option<usize>,
    pub(crate) attempt: u32,
    pub(crate) blame: Blame,
    /// What each end failed with.
    pub(crate) codes: [Vec<Option<ErrorCode>>; 2],
    pub(crate) failed: [bool; 2],
    pub(crate) up: [bool; 2],
    pub(crate) holder: [Option<Handle>; 2],
    /// Whether the acceptor's end was ever opened.
    pub(crate) opened: bool,
    /// What the acceptor was suspended into, each time; the balancer keeps them.
    pub(crate) cookies: Vec<Cookie>,
    /// What came while no process held the end.
    pub(crate) limbo: [Vec<Message>; 2],
    pub(crate) talks: [u32; 2],
    pub(crate) moves: [u32; 2],
    pub(crate) facts: [Option<Facts>; 2],
    /// Whether the first token is on its way.
    pub(crate) greeted: bool,
    /// Whose tokens the initiator was given.
    pub(crate) answered_by: BTreeSet<End>,
    /// The time in the authenticator.
    pub(crate) stamp: Option<Timestamp>,
    /// What the client's credential adds to its clock.
    pub(crate) offset: i64,
}

/// An acceptor's context on its way up, as it lies between two tokens.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    pub(crate) octets: Vec<u8>,
    pub(crate) altered: bool,
}

/// What happens at a moment.
pub(crate) enum Event {
    Acknowledge(Handle),
    Advance(Handle),
    Blow(Blow),
    Deliver(Message),
    GiveUp(usize),
    Keytab,
    KdcTimeout { handle: Handle, number: u64, request: Message },
    Move { end: End, tries: u32 },
    MoveTimeout { source: Handle },
    Restart(usize),
    Start(usize),
    Talk { end: End, tries: u32 },
}

/// All of it.
pub(crate) struct World {
    /// Microseconds since the run began, by a true clock.
    pub(crate) now: u64,
    pub(crate) dice: Dice,
    pub(crate) plan: Plan,
    pub(crate) planted: Option<Planted>,
    queue: BTreeMap<(u64, u64), Event>,
    serial: u64,
    pub(crate) events: u32,
    pub(crate) hosts: Vec<Host>,
    pub(crate) processes: Vec<Process>,
    pub(crate) users: Vec<User>,
    pub(crate) conversations: Vec<Conversation>,
    pub(crate) realms: Vec<Realm>,
    pub(crate) service: Principal,
    pub(crate) kdc_random: SeededRandom,
    pub(crate) silent_until: u64,
    pub(crate) clocks: Extremes,
    pub(crate) rotated: bool,
    /// Microseconds in which nobody did anything.
    pub(crate) slept: u64,
    /// Tokens whose spending a ledger has confirmed.
    pub(crate) spent: BTreeSet<[u8; 16]>,
    pub(crate) stores: Stores,
    pub(crate) observer: Observer,
    pub(crate) trace: Trace,
    /// What an eavesdropper has.
    pub(crate) overheard: Vec<Message>,
}

impl World {
    pub(crate) fn with_parts(
        plan: Plan,
        dice: Dice,
        planted: Option<Planted>,
        stores: Stores,
        trace: Trace,
    ) -> Self {
        Self {
            now: 0,
            dice,
            plan,
            planted,
            queue: BTreeMap::new(),
            serial: 0,
            events: 0,
            hosts: Vec::new(),
            processes: Vec::new(),
            users: Vec::new(),
            conversations: Vec::new(),
            realms: Vec::new(),
            service: Principal::ticket_granting("", ""),
            kdc_random: SeededRandom::new(0),
            silent_until: 0,
            clocks: Extremes::default(),
            rotated: false,
            slept: 0,
            spent: BTreeSet::new(),
            stores,
            observer: Observer::default(),
            trace,
            overheard: Vec::new(),
        }
    }

    /// Puts an event into the queue, so many microseconds from now.
    pub(crate) fn after(&mut self, delay: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((self.now + delay, self.serial), event);
    }

    /// So much time passes in which nobody does anything: what was to happen happens later.
    pub(crate) fn sleep(&mut self, lasts: u64) {
        self.now += lasts;
        self.slept += lasts;
        let queue = std::mem::take(&mut self.queue);
        self.queue = queue.into_iter().map(|((at, serial), event)| ((at + lasts, serial), event)).collect();
    }

    /// A number that was not given before.
    pub(crate) fn fresh_number(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn say(&mut self, line: impl FnOnce() -> String) {
        self.trace.say(self.now, line);
    }

    /// Lets everything happen that is to happen.
    pub(crate) fn run(&mut self) {
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            self.events += 1;
            if self.events > MOST_EVENTS {
                return self.observer.violation("the run goes on without end".into());
            }
            if !self.observer.violations.is_empty() {
                return;
            }
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Acknowledge(handle) => self.acknowledged(handle),
            Event::Advance(handle) => self.advance(handle),
            Event::Blow(blow) => self.blow(blow),
            Event::Deliver(message) => self.deliver(message),
            Event::GiveUp(conversation) => self.give_up(conversation),
            Event::Keytab => self.update_keytab(),
            Event::KdcTimeout { handle, number, request } => self.kdc_timeout(handle, number, request),
            Event::Move { end, tries } => self.move_away(end, tries),
            Event::MoveTimeout { source } => self.move_timeout(source),
            Event::Restart(process) => self.restart(process),
            Event::Start(conversation) => self.start(conversation),
            Event::Talk { end, tries } => self.talk(end, tries),
        }
    }

    /// Puts a machine's clock to what it shows now, and reads it.
    pub(crate) fn host_now(&self, host: usize) -> Timestamp {
        let host = &self.hosts[host];
        let micros = i64::try_from(self.now).unwrap_or(0) + host.ahead;
        let moment = Timestamp {
            seconds: BEGIN + micros.div_euclid(1_000_000),
            microseconds: u32::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0),
        };
        host.clock.set(moment);
        moment
    }

    pub(crate) fn host_of(&self, handle: Handle) -> usize {
        self.processes[handle.process].host
    }

    /// A new piece of work.
    pub(crate) fn begin(&mut self, process: usize, job: Job, state: State) -> Handle {
        let handle = Handle { process, life: self.processes[process].life, work: self.fresh_number() };
        self.go_on(handle, job, state);
        handle
    }

    /// Takes a piece of work out, if its process still lives; the machine's clock is right then.
    pub(crate) fn take(&mut self, handle: Handle) -> Option<Work> {
        let process = self.processes.get_mut(handle.process)?;
        if !process.alive || process.life != handle.life {
            return None;
        }
        let work = process.works.remove(&handle.work)?;
        self.host_now(self.host_of(handle));
        Some(work)
    }

    /// Puts it back; nothing happens with it by itself.
    pub(crate) fn keep(&mut self, handle: Handle, job: Job, state: State) {
        self.processes[handle.process].works.insert(handle.work, Work { state, job });
    }

    /// Puts it back, and it goes on by itself.
    pub(crate) fn go_on(&mut self, handle: Handle, job: Job, state: State) {
        // The time in an authenticator is that of the transition that made the token.
        if let (State::Step(Step::Send(_)), Side::Initiator) = (&state, job.end.side) {
            let now = self.host_now(self.host_of(handle));
            let conversation = &mut self.conversations[job.end.conversation];
            if !conversation.greeted {
                conversation.stamp = Some(now.plus_seconds(conversation.offset));
            }
        }
        // Disks take their time, so that kills find processes at their writing.
        let writes = matches!(state, State::Storing(..) | State::LoginStoring(_));
        self.keep(handle, job, state);
        let delay =
            if writes { self.dice.between(1_000, crate::plan::SECOND) } else { self.dice.between(20, 200) };
        self.after(delay, Event::Advance(handle));
    }

    /// All that may be blamed for what happens in a conversation.
    pub(crate) fn blame(&self, conversation: usize) -> Blame {
        let here = &self.conversations[conversation];
        let before = here.ghost_of.map_or(Blame::NONE, |ghost| self.blame(ghost));
        let user = self.users.get(here.client).map_or(Blame::NONE, |user| user.blame);
        here.blame | before | user
    }

    pub(crate) fn accuse(&mut self, conversation: usize, blame: Blame) {
        if let Some(conversation) = self.conversations.get_mut(conversation) {
            conversation.blame = conversation.blame | blame;
        }
    }
}
