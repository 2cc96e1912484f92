//! How a run begins and ends: the realm is set up, and at last everything is mended and must work.

use std::sync::Arc;

use orthros::replay::{MemoryReplay, ReplayCache};
use orthros_gss::Settings;
use orthros_gss::transfer::SealingKey;
use orthros_kdc::{Realm, RealmError};
use orthros_krb5::config::{BadConfig, Config};
use orthros_krb5::{Env, Principal};
use orthros_wire::testing::{ManualClock, SeededRandom};
use orthros_wire::{SecretBytes, Timestamp};

use crate::Options;
use crate::blame::Blame;
use crate::dice::Dice;
use crate::plan::{DESK, ELSEWHERE, HALL, HOSTS, KDCS, Plan, Rates, SECOND, Style};
use crate::stores::Stores;
use crate::trace::Trace;
use crate::world::{BEGIN, Conversation, Event, Host, Process, User, World};

const HOME: &str = "ONE.TEST";
const FAR: &str = "TWO.TEST";

/// The processes: who, and where. The last one must get nothing.
const PROCESSES: &[(&str, usize)] = &[
    ("alice", DESK),
    ("bob", DESK),
    ("acceptor 1", HALL),
    ("acceptor 2", HALL),
    ("worker 1", HALL),
    ("worker 2", HALL),
    ("helper of the clients", DESK),
    ("stranger", ELSEWHERE),
];

const CLIENTS: &[&str] = &["alice", "bob"];

impl World {
    /// The realm of a seed, before anything happens.
    ///
    /// # Errors
    /// What keeps it from being set up, in a sentence.
    pub(crate) fn of(seed: u64, options: Options) -> Result<Self, String> {
        let dice = Dice::new(seed);
        let plan = Plan::of(&dice);
        let stores = Stores::new(options.real_stores, options.planted).map_err(|error| error.to_string())?;
        let mut world = Self::with_parts(plan, dice, options.planted, stores, Trace::new(options.trace));
        world.kdc_random = SeededRandom::new(world.dice.number());
        world.set_up_realms().map_err(|error| error.to_string())?;
        world.set_up_hosts().map_err(|error| error.to_string())?;
        world.set_up_processes();
        world.update_keytab();
        world.compare_clocks();
        world.schedule();
        Ok(world)
    }

    fn set_up_realms(&mut self) -> Result<(), RealmError> {
        let enctypes = [self.plan.enctype];
        let builder =
            |name: &str| Realm::builder(name).enctypes(&enctypes).max_lifetime(self.plan.ticket_lifetime);
        let mut home = builder(HOME);
        for client in CLIENTS {
            home = match self.plan.password {
                true => home.principal(*client, "open sesame"),
                false => home.service(*client),
            };
        }
        let random = SeededRandom::new(self.dice.number());
        if self.plan.two_realms {
            let home = home.trust(FAR, "trust").refer_domain("x.test", FAR).build(&random)?;
            let far = builder(FAR).trust(HOME, "trust").service("host/x.test").build(&random)?;
            self.realms = vec![home, far];
        } else {
            self.realms = vec![home.service("host/x.test").build(&random)?];
        }
        let realm = self.realms.last().map_or(HOME, |realm| realm.name()).to_owned();
        self.service = Principal::parse("host/x.test", Some(&realm))?;
        Ok(())
    }

    fn set_up_hosts(&mut self) -> Result<(), BadConfig> {
        let names = ["desk", "hall", "kdcs", "elsewhere"];
        for (place, name) in names.into_iter().enumerate().take(HOSTS) {
            let default = if place == DESK { HOME } else { self.service.realm() };
            let mut config = Config::for_realm(default, &["127.0.0.1:88"])?;
            for realm in [HOME, FAR] {
                if let Some(known) = config.realm(default).cloned() {
                    config.set_realm(realm, known);
                }
            }
            config.forwardable = true;
            config.ticket_lifetime = self.plan.ticket_lifetime;
            let clock = Arc::new(ManualClock::new(BEGIN));
            let env = Env::new(Arc::clone(&clock), SeededRandom::new(self.dice.number()));
            let settings = Settings { config: Arc::new(config), env, transfer: true };
            let mut secret = vec![0; 32];
            secret.iter_mut().for_each(|octet| *octet = self.dice.number().to_le_bytes()[0]);
            let key = SealingKey::new(SecretBytes::from(secret), name.as_bytes());
            let ahead = self.plan.skews[place];
            self.hosts.push(Host { clock, ahead, settings, key, disk_full_until: 0 });
        }
        Ok(())
    }

    fn set_up_processes(&mut self) {
        for (name, host) in PROCESSES {
            let now = self.host_now(*host);
            let process = Process {
                name,
                host: *host,
                alive: true,
                life: 0,
                works: Default::default(),
                ledger: self.stores.ledger(*host),
                // No acceptor ran before this one.
                replay: self.new_replay(*host, now.plus_seconds(-10_000)),
                credential: None,
                login: None,
                waiting: Vec::new(),
            };
            self.processes.push(process);
        }
        for client in CLIENTS {
            if let Ok(principal) = Principal::parse(client, Some(HOME)) {
                self.users.push(User { principal, blame: Blame::NONE });
            }
        }
    }

    /// The replay cache of a process that starts.
    pub(crate) fn new_replay(&self, host: usize, now: Timestamp) -> Arc<dyn ReplayCache> {
        if self.plan.replay_in_memory {
            return Arc::new(MemoryReplay::made_at(now));
        }
        self.stores.replay(host)
    }

    /// The acceptor that a new conversation goes to.
    pub(crate) fn a_server(&self) -> usize {
        // A cache in memory is shared with nobody, so there must be one acceptor only.
        if self.plan.replay_in_memory || self.dice.chance(500) { 2 } else { 3 }
    }

    fn schedule(&mut self) {
        let begin = self.host_now(KDCS);
        self.say(|| format!("begin at {begin}"));
        for (at, client, style) in self.plan.conversations.clone() {
            let server = self.a_server();
            self.conversations.push(Conversation::new(Some(style), client, server));
            let conversation = self.conversations.len() - 1;
            self.after(SECOND + at, Event::Start(conversation));
        }
        for (at, blow) in self.plan.blows.clone() {
            self.after(at, Event::Blow(blow));
        }
    }

    /// All faults end, everything starts and is set right; then a last conversation must come about, with moves, and
    /// say all that it has to say.
    pub(crate) fn mend(&mut self) {
        self.say(|| "everything is mended".into());
        self.plan.rates = Rates::default();
        self.silent_until = 0;
        for host in &mut self.hosts {
            (host.ahead, host.disk_full_until) = (0, 0);
        }
        for place in 0..self.processes.len() {
            if !self.processes[place].alive {
                self.restart(place);
            }
        }
        self.update_keytab();
        for client in 0..self.users.len() {
            self.check_cache(client);
            self.forget_tickets(client);
            self.users[client].blame = Blame::NONE;
        }
        let server = self.a_server();
        self.conversations.push(Conversation::new(Some(Style::LAST), 0, server));
        let last = self.conversations.len() - 1;
        self.after(SECOND, Event::Start(last));
        self.run();
        let last = &self.conversations[last];
        if last.up != [true; 2] || last.talks != [0; 2] || last.moves != [0; 2] || last.blame != Blame::NONE {
            let text = format!(
                "after everything was mended: up {:?}, {:?} messages and {:?} moves left; blamed: {}",
                last.up, last.talks, last.moves, last.blame
            );
            self.observer.violation(text);
        }
    }

    /// What the cache was told to keep is there.
    fn check_cache(&mut self, client: usize) {
        let credential = self.processes[client].credential.take();
        self.load_cache(client);
        self.processes[client].credential = credential;
    }

    /// Without any fault, everything that was wanted has come about.
    pub(crate) fn check_calm(&mut self) {
        if !self.plan.calm {
            return;
        }
        for place in 0..self.conversations.len() {
            let conversation = &self.conversations[place];
            let complete = conversation.style.is_none()
                || conversation.up == [true; 2]
                    && conversation.talks == [0; 2]
                    && conversation.moves == [0; 2];
            if !complete && conversation.style.is_some_and(|style| style.lifetime.is_none()) {
                let text = format!(
                    "conversation {place} is incomplete, and nothing was done to it: up {:?}, left {:?} and {:?}",
                    conversation.up, conversation.talks, conversation.moves
                );
                self.observer.violation(text);
            }
        }
    }
}
