//! Clients: they log in, ask for contexts, try again, and keep their tickets in a cache.

use std::collections::BTreeSet;
use std::sync::Arc;

use orthros_gss::{Initiate, InitiatorCredential, Name, Step, mechanism};
use orthros_krb5::Credential;
use orthros_krb5::ccache::{CredentialCache, TimeOffset};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, Obtained, Progress, initial};

use crate::blame::Blame;
use crate::ids::{End, Handle};
use crate::network::as_error;
use crate::plan::{DESK, SECOND, Style, Way};
use crate::world::{Arrival, Asking, Conversation, Event, Job, State, World};

/// How often a client asks for the same once more.
const ATTEMPTS: u32 = 2;

/// Microseconds after which a client no longer waits for its peer.
const PATIENCE: u64 = 45 * SECOND;

impl Conversation {
    pub(crate) fn new(style: Option<Style>, client: usize, server: usize) -> Self {
        let (talks, moves) = style.map_or((0, 0), |style| (style.talks, style.moves));
        Self {
            style,
            client,
            server,
            ghost_of: None,
            attempt: 0,
            blame: Blame::NONE,
            codes: Default::default(),
            failed: [false; 2],
            up: [false; 2],
            holder: [None; 2],
            opened: false,
            cookies: Vec::new(),
            limbo: Default::default(),
            talks: [talks; 2],
            moves: [moves / 2, moves - moves / 2],
            facts: [None, None],
            greeted: false,
            answered_by: BTreeSet::new(),
            stamp: None,
            offset: 0,
        }
    }
}

impl World {
    /// A client begins a conversation, once it has a ticket to do so.
    pub(crate) fn start(&mut self, conversation: usize) {
        let (client, style) =
            (self.conversations[conversation].client, self.conversations[conversation].style);
        let Some(style) = style else { return };
        if !self.processes[client].alive {
            return self.after(SECOND, Event::Start(conversation));
        }
        self.host_now(DESK);
        let Some(credential) = self.processes[client].credential.clone() else {
            self.processes[client].waiting.push(conversation);
            return self.log_in(client);
        };
        self.say(|| format!("{} begins conversation {conversation}: {style:?}", credential.client()));
        self.conversations[conversation].offset = credential.offset_seconds();
        let step = self.initiate(credential, style);
        let end = End::initiator(conversation);
        let handle = self.begin(client, Job::new(end, Arrival::Fresh), State::Step(step));
        self.conversations[conversation].holder[end.side as usize] = Some(handle);
        self.after(PATIENCE, Event::GiveUp(conversation));
    }

    fn initiate(&self, credential: Arc<InitiatorCredential>, style: Style) -> Step {
        let target = Name::hostbased_service("host", "x.test");
        let mut initiate = Initiate::new(&self.hosts[DESK].settings, credential, target);
        initiate = match style.way {
            Way::Krb5 => initiate,
            Way::Spnego => initiate.mechanism(&mechanism::SPNEGO),
            Way::Iakerb => initiate.mechanism(&mechanism::IAKERB),
        };
        if style.mutual {
            initiate = initiate.mutual();
        }
        if style.dce {
            initiate = initiate.dce_style();
        }
        if style.confidential {
            initiate = initiate.confidential();
        }
        if style.replay {
            initiate = initiate.replay_detection();
        }
        if style.sequence {
            initiate = initiate.sequencing();
        }
        if style.delegate {
            initiate = initiate.delegate();
        }
        if let Some(seconds) = style.lifetime {
            initiate = initiate.lifetime_seconds(seconds);
        }
        initiate.start()
    }

    fn log_in(&mut self, client: usize) {
        if self.processes[client].login.is_some() {
            return;
        }
        let login = Conversation::new(None, client, client);
        self.conversations.push(login);
        let conversation = self.conversations.len() - 1;
        self.processes[client].login = Some(conversation);
        let user = self.users[client].principal.clone();
        let keys = self.realms.first().map(|realm| realm.keytab_for(&user)).unwrap_or_default();
        let secret = match self.plan.password {
            true => InitialSecret::Password("open sesame".into()),
            false => InitialSecret::Keys(keys.into_iter().map(|key| key.key).collect()),
        };
        let settings = &self.hosts[DESK].settings;
        let policy = ExchangePolicy::initial(&settings.config);
        let progress = initial(user.clone(), secret, None, policy, settings.env.clone());
        self.say(|| format!("{user} logs in, as conversation {conversation}"));
        let job = Job::new(End::initiator(conversation), Arrival::Fresh);
        self.begin(client, job, State::Login(progress));
    }

    pub(crate) fn login_step(&mut self, handle: Handle, job: Job, progress: Progress<Obtained>) {
        match progress {
            Progress::Ask(ask) => self.ask(handle, job, Asking::Login(ask)),
            Progress::Done(obtained) => self.go_on(handle, job, State::LoginStoring(obtained)),
            Progress::Failed(failure) => {
                self.processes[handle.process].login = None;
                self.failed(&job, &as_error(failure));
                let waiting = std::mem::take(&mut self.processes[handle.process].waiting);
                for conversation in waiting {
                    self.try_again(conversation);
                }
            }
        }
    }

    pub(crate) fn login_done(&mut self, handle: Handle, job: &Job, obtained: &Obtained) {
        let client = handle.process;
        let user = self.users[client].principal.clone();
        // What the tickets came by is what later failures may be blamed on.
        self.users[client].blame = self.conversations[job.end.conversation].blame;
        let offset = obtained.kdc_offset.unwrap_or(0);
        let mut cache = CredentialCache::new(user.clone());
        cache.add(obtained.credential.clone());
        let seconds = i32::try_from(offset).unwrap_or(0);
        cache.set_time_offset(Some(TimeOffset { seconds, microseconds: 0 }));
        self.commit_cache(client, &cache);
        // Where it lies, so that tickets fetched with it are stored there too.
        let credential = InitiatorCredential::new(user, vec![obtained.credential.clone()], offset)
            .with_origin(Self::cache_name(client));
        let process = &mut self.processes[client];
        process.credential = Some(Arc::new(credential));
        process.login = None;
        for conversation in std::mem::take(&mut process.waiting) {
            self.after(100, Event::Start(conversation));
        }
        self.observer.count("logins");
    }

    fn cache_name(client: usize) -> String {
        format!("cache of client {client}")
    }

    fn commit_cache(&mut self, client: usize, cache: &CredentialCache) {
        let name = Self::cache_name(client);
        self.trace.octets(cache.to_octets().expose_octets());
        self.stores.replace_cache(&name, cache.to_octets().expose_octets());
        self.observer.kept(&name, servers(cache));
    }

    fn with_tickets(&self, client: usize, tickets: &[Credential]) -> Option<CredentialCache> {
        let mut cache = CredentialCache::parse(self.stores.cache(&Self::cache_name(client))?).ok()?;
        for ticket in tickets {
            cache.remove(|old| old.server == ticket.server);
            cache.add(ticket.clone());
        }
        Some(cache)
    }

    /// The new cache takes the place of the old one.
    pub(crate) fn commit_tickets(&mut self, client: usize, tickets: &[Credential]) {
        if let Some(cache) = self.with_tickets(client, tickets) {
            self.commit_cache(client, &cache);
        }
    }

    /// The process that writes the cache is killed while it does.
    pub(crate) fn tear_tickets(&mut self, client: usize, tickets: &[Credential]) {
        if let Some(cache) = self.with_tickets(client, tickets) {
            self.stores.tear_cache(&Self::cache_name(client), cache.to_octets().expose_octets());
        }
    }

    /// A client that starts reads its cache.
    pub(crate) fn load_cache(&mut self, client: usize) {
        let name = Self::cache_name(client);
        let cache = self.stores.cache(&name).and_then(|octets| CredentialCache::parse(octets).ok());
        self.observer.found(&name, cache.as_ref().map(servers));
        self.processes[client].credential = cache.map(|cache| {
            let offset = cache.time_offset().map_or(0, |offset| i64::from(offset.seconds));
            let tickets = cache.credentials().cloned().collect();
            Arc::new(InitiatorCredential::new(cache.primary().clone(), tickets, offset).with_origin(name))
        });
    }

    /// The user runs kinit: what came by the old tickets keeps its own blame.
    pub(crate) fn forget_tickets(&mut self, client: usize) {
        let blame = self.users[client].blame;
        for conversation in self.conversations.iter_mut().filter(|one| one.client == client) {
            conversation.blame = conversation.blame | blame;
        }
        let name = Self::cache_name(client);
        self.stores.remove_cache(&name);
        self.observer.removed(&name);
        self.processes[client].credential = None;
    }

    /// A client whose conversation did not come about asks once more, often with new tickets.
    pub(crate) fn try_again(&mut self, conversation: usize) {
        let old = &self.conversations[conversation];
        let (client, attempt, style) = (old.client, old.attempt, old.style);
        if style.is_none() || attempt >= ATTEMPTS {
            return;
        }
        if self.dice.chance(600) && self.processes[client].alive {
            self.forget_tickets(client);
        }
        let server = self.a_server();
        self.conversations
            .push(Conversation { attempt: attempt + 1, ..Conversation::new(style, client, server) });
        let again = self.conversations.len() - 1;
        self.after(SECOND, Event::Start(again));
    }

    /// A client no longer waits.
    pub(crate) fn give_up(&mut self, conversation: usize) {
        let end = End::initiator(conversation);
        let known = &self.conversations[conversation];
        if known.up[end.side as usize] || known.failed[end.side as usize] {
            return;
        }
        let blame = self.blame(conversation);
        // A peer that refuses without a word (a token that is none) or waits for what never came is also a cause.
        if blame == Blame::NONE {
            self.observer.violation(format!("{end} waits for ever, and nothing was done to it"));
        }
        self.say(|| format!("{end} gives up waiting; blamed: {blame}"));
        self.observer.count("conversations given up");
        if let Some(handle) = self.conversations[conversation].holder[end.side as usize] {
            let _dropped = self.take(handle);
        }
        self.conversations[conversation].failed[end.side as usize] = true;
        self.try_again(conversation);
    }
}

fn servers(cache: &CredentialCache) -> BTreeSet<String> {
    cache.credentials().map(|ticket| format!("{} {:?}", ticket.server, ticket.times.endtime)).collect()
}
