//! [`Orthros`]: configuration, stores, transport, replay cache and ledger, joined to the mechanisms.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use orthros_gss::context::{NeedSpend, Settings};
use orthros_gss::credential::Scope;
use orthros_gss::error::NoCredential;
use orthros_gss::transfer::{Header, Kept, SealingKey, Spent, TransferRefusal};
use orthros_gss::{Accept, AcceptorCredential, Context, Error, Initiate, InitiatorCredential, Name, Step};
use orthros_krb5::config::{BadConfig, CanonicalizeHost};
use orthros_krb5::{Config, Env, Principal};
use orthros_wire::{Clock, Random, SecretBytes, Timestamp};

use crate::acquire::Acquire;
use crate::clock::{ShiftedClock, SystemClock};
use crate::dns::{Dns, Located};
use crate::kdc_link::KdcLink;
use crate::ledger::{Ledger, MemoryLedger, SpendRefusal};
use crate::random::SystemRandom;
use crate::replay::{self, MemoryReplay, ReplayCache, ReplayRefusal};
use crate::seal_key::{Places, UserKey, UserLedger};
use crate::settings::{self, SetupError, TransferKey, TransferSource};
use crate::stores::foreign::ForeignStores;
use crate::stores::{CacheName, Keys, KeytabKeys, KeytabName, Stores};
use crate::sys::{gate, process};
use crate::trace::{Event, Trace, Tracer};
use crate::transfer::fleet::{self, Fleet};
use crate::transfer::{FamilyKey, FleetKey, Policy};

/// Everything that a program needs of the GSS-API, set up once. Cheap to clone, `Send` and `Sync`; several
/// with different configurations can live in one process.
///
/// ```
/// use orthros::{Config, Orthros};
/// let orthros = Orthros::builder().config(Config::for_realm("EXAMPLE.COM", &["127.0.0.1:88"])?).build();
/// assert_eq!(orthros.config().default_realm.as_deref(), Some("EXAMPLE.COM"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Orthros(Arc<Inner>);

/// What one thread has of it, or several that do not hinder each other much. It lies beside no count of who has it, which
/// every thread writes that clones one.
#[repr(align(128))]
struct Inner {
    settings: Settings,
    stores: Stores,
    common: Arc<Common>,
}

/// Threads that have copies of their own; more share some.
const COPIES: usize = 64;

/// What all copies have in common ([`Orthros::apart`]).
struct Common {
    copies: [Mutex<Weak<Inner>>; COPIES],
    default_cache: CacheName,
    default_keytab: KeytabName,
    client_keytab: KeytabName,
    link: KdcLink,
    dns: Option<Dns>,
    located: Located,
    replay: Box<dyn ReplayCache>,
    named_replays: Mutex<HashMap<String, Arc<dyn ReplayCache>>>,
    transfer: Transfer,
    /// What tokens demand, or what is wrong with what is configured.
    policy: Result<Policy, String>,
    tracer: Tracer,
}

/// What a program sets itself, over what the system is configured for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The default realm.
    pub default_realm: Option<String>,
    /// Whether names of hosts are asked of DNS before tickets for them are.
    pub canonicalize_host: Option<CanonicalizeHost>,
    /// How much later than the system's clock it is, in seconds.
    pub clock_offset_seconds: i64,
}

impl Overrides {
    /// Nothing.
    pub const NONE: Self = Self { default_realm: None, canonicalize_host: None, clock_offset_seconds: 0 };

    fn apply(&self, config: &mut Config) {
        if let Some(realm) = &self.default_realm {
            config.default_realm = Some(realm.clone());
        }
        if let Some(wanted) = self.canonicalize_host {
            config.dns_canonicalize_hostname = wanted;
        }
    }
}

/// Where the sealing key and the ledger come from.
enum Transfer {
    /// The user's key and the ledger beside it, opened when first needed.
    User {
        /// Whose key, or why there is none.
        key: Result<TransferKey, String>,
        opened: Mutex<Option<Arc<OpenedKey>>>,
        memory_ledger: Option<MemoryLedger>,
    },
    /// Both given by the caller.
    Given { key: SealingKey, ledger: Box<dyn Ledger> },
    /// The operator's key, and the ledger that several machines share.
    Fleet(Fleet),
}

/// The key that seals or opens, as long as it is needed.
pub(crate) enum HeldKey<'a> {
    User(Arc<OpenedKey>),
    Given(&'a SealingKey),
    Fleet(Arc<fleet::Opened>, &'a [u8]),
}

impl HeldKey<'_> {
    pub(crate) fn key(&self) -> Result<&SealingKey, TransferRefusal> {
        match self {
            Self::User(opened) => Ok(&opened.key),
            Self::Given(key) => Ok(key),
            Self::Fleet(opened, token) => {
                opened.opening(token).ok_or_else(|| TransferRefusal::Key("the fleet has no key".into()))
            }
        }
    }
}

pub(crate) struct OpenedKey {
    user: UserKey,
    key: SealingKey,
    ledger: UserLedger,
}

/// Collects what an [`Orthros`] is made of. Stores and the replay cache are in memory by default. What is taken
/// from the system unless it is named here: clock, randomness, and (at the first export or import) a runtime
/// folder of the user's for the key of transfer tokens and its ledger.
#[must_use]
pub struct Builder {
    config: Config,
    env: Env,
    default_cache: CacheName,
    default_keytab: KeytabName,
    client_keytab: KeytabName,
    link: Option<KdcLink>,
    dns: Option<Dns>,
    replay: Option<Box<dyn ReplayCache>>,
    places: Option<Places>,
    given: Option<(SealingKey, Box<dyn Ledger>)>,
    fleet: Option<Fleet>,
    policy: Option<Policy>,
    stores: Stores,
    tracer: Tracer,
}

impl Builder {
    /// The configuration.
    pub fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// The configuration, as the text of a `krb5.conf` that includes nothing.
    ///
    /// # Errors
    /// [`BadConfig`] names the line.
    pub fn config_text(self, text: &str) -> Result<Self, BadConfig> {
        Ok(self.config(Config::parse(text)?))
    }

    /// Another clock than the system's.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.env = self.env.with_clock(clock);
        self
    }

    /// Other randomness than the system's.
    pub fn random(mut self, random: impl Random + 'static) -> Self {
        self.env = self.env.with_random(random);
        self
    }

    /// The credential cache that is used where none is named.
    pub fn default_cache(self, name: CacheName) -> Self {
        Self { default_cache: name, ..self }
    }

    /// The keytab that acceptors use where none is named.
    pub fn default_keytab(self, name: KeytabName) -> Self {
        Self { default_keytab: name, ..self }
    }

    /// The keytab that initiators use where there is no credential cache.
    pub fn client_keytab(self, name: KeytabName) -> Self {
        Self { client_keytab: name, ..self }
    }

    /// How KDCs are reached; otherwise as the configuration says.
    pub fn kdc_link(self, link: KdcLink) -> Self {
        Self { link: Some(link), ..self }
    }

    /// Asks DNS where the configuration wants it: for KDCs (`dns_lookup_kdc`), canonical names of hosts
    /// (`dns_canonicalize_hostname`, `rdns`) and their realms (`dns_lookup_realm`). Otherwise DNS is asked for
    /// nothing, whatever the configuration says.
    pub fn dns(self, dns: Dns) -> Self {
        Self { dns: Some(dns), ..self }
    }

    /// Where requests that were seen are remembered.
    pub fn replay_cache(self, cache: impl ReplayCache + 'static) -> Self {
        Self { replay: Some(Box::new(cache)), ..self }
    }

    /// Where the key for transfer tokens and its ledger may live; otherwise where `[orthros]` of the
    /// configuration and the environment say.
    pub fn transfer_places(self, places: Places) -> Self {
        Self { places: Some(places), ..self }
    }

    /// The key of a family, with its ledger: what this process exports, it and those that it forks can import.
    pub fn transfer_family(self, family: &FamilyKey) -> Self {
        self.transfer(family.sealing_key(), family.ledger())
    }

    /// The key of a fleet, with a ledger in this folder, which all its machines must share.
    pub fn transfer_fleet(self, key: FleetKey, folder: impl Into<PathBuf>) -> Self {
        Self { fleet: Some(Fleet::new(key, folder.into())), ..self }
    }

    /// What tokens demand of their importer; otherwise what `[orthros]` says.
    pub fn transfer_policy(self, policy: Policy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// A sealing key and a ledger of the caller's.
    pub fn transfer(self, key: SealingKey, ledger: impl Ledger + 'static) -> Self {
        Self { given: Some((key, Box::new(ledger))), ..self }
    }

    /// Who is told what happens.
    pub fn trace(self, trace: impl Trace + 'static) -> Self {
        Self { tracer: Tracer::new(trace), ..self }
    }

    /// Joins everything.
    pub fn build(self) -> Orthros {
        let mut config = self.config;
        let mut fault = None;
        if self.places.is_none() {
            match settings::transfer(&config) {
                Ok(transfer) => config.transfer = transfer,
                Err(error) => fault = Some(error.to_string()),
            }
        }
        let transfer = match (self.given, self.fleet) {
            (Some((key, ledger)), _) => Transfer::Given { key, ledger },
            (None, Some(fleet)) => Transfer::Fleet(fleet),
            (None, None) => Transfer::configured(&config, self.places, fault),
        };
        let configured = || config.transfer.policy.as_deref().map_or(Ok(Policy::new()), Policy::parse);
        let policy = self.policy.map_or_else(configured, Ok);
        let enabled = config.transfer.enabled && !policy.as_ref().is_ok_and(Policy::is_off);
        let link = self.link.unwrap_or_else(|| KdcLink {
            udp_preference_limit: config.udp_preference_limit,
            ..KdcLink::default()
        });
        let replay = self.replay.unwrap_or_else(|| Box::new(MemoryReplay::made_at(self.env.now())));
        let env = self.env.with_watch(self.tracer.watch());
        let settings = Settings { transfer: enabled, config: Arc::new(config), env };
        let common = Common {
            copies: [const { Mutex::new(Weak::new()) }; COPIES],
            default_cache: self.default_cache,
            default_keytab: self.default_keytab,
            client_keytab: self.client_keytab,
            link,
            dns: self.dns.map(|dns| dns.traced(&self.tracer)),
            located: Located::default(),
            replay,
            named_replays: Mutex::default(),
            transfer,
            policy,
            tracer: self.tracer,
        };
        Orthros(Arc::new(Inner { settings, stores: self.stores, common: Arc::new(common) }))
    }
}

impl Orthros {
    /// What the system is configured for: `krb5.conf`, the environment's variables (unless set-user-id), MIT
    /// krb5's replay cache, and DNS as `/etc/resolv.conf` says, where `krb5.conf` wants it asked.
    ///
    /// # Errors
    /// [`SetupError`] names the file or the variable.
    pub fn from_system() -> Result<Self, SetupError> {
        Self::from_files(&settings::configuration_files(), &Overrides::NONE, Stores::default())
    }

    /// The same, where these files are the configuration's, but for what the program sets itself, and names of caches and
    /// keytabs may be another library's.
    ///
    /// # Errors
    /// As [`from_system`](Self::from_system).
    pub fn from_system_with(
        configuration: &[PathBuf],
        overrides: &Overrides,
        foreign: Arc<dyn ForeignStores>,
    ) -> Result<Self, SetupError> {
        Self::from_files(configuration, overrides, Stores::beside(Some(foreign)))
    }

    /// What the system is configured for now, in these files, but for what the program sets itself. Caches and keytabs in memory are those of this object.
    ///
    /// # Errors
    /// As [`from_system`](Self::from_system).
    pub fn reread(&self, configuration: &[PathBuf], overrides: &Overrides) -> Result<Self, SetupError> {
        Self::from_files(configuration, overrides, self.0.stores.apart())
    }

    fn from_files(
        configuration: &[PathBuf],
        overrides: &Overrides,
        stores: Stores,
    ) -> Result<Self, SetupError> {
        let mut config = settings::config_of(configuration)?;
        overrides.apply(&mut config);
        config.transfer = settings::transfer(&config)?;
        let dns = Dns::system();
        if config.qualify_shortname.is_none() {
            config.qualify_shortname = dns.first_search_domain();
        }
        let builder = Self::builder()
            .clock(ShiftedClock(overrides.clock_offset_seconds))
            .default_cache(settings::default_cache(&config)?)
            .default_keytab(settings::default_keytab(&config)?)
            .client_keytab(settings::default_client_keytab(&config)?)
            .dns(dns);
        let tracer = settings::trace().map(Tracer::new).unwrap_or_default();
        let replay = Some(settings::replay_cache()?);
        let orthros = Builder { replay, stores, tracer, ..builder.config(config) }.build();
        orthros.tell(Event::Configured {
            files: configuration,
            realm: orthros.config().default_realm.as_deref(),
            cache: orthros.default_cache(),
            keytab: orthros.default_keytab(),
        });
        Ok(orthros)
    }

    /// Everything from the caller or from memory; see [`Builder`] for what still comes from the system.
    pub fn builder() -> Builder {
        let memory = "default".to_owned();
        Builder {
            config: Config::default(),
            env: Env::new(SystemClock, SystemRandom),
            default_cache: CacheName::Memory(memory.clone()),
            default_keytab: KeytabName::Memory(memory),
            client_keytab: KeytabName::Memory("client".to_owned()),
            link: None,
            dns: None,
            replay: None,
            places: None,
            given: None,
            fleet: None,
            policy: None,
            stores: Stores::default(),
            tracer: Tracer::default(),
        }
    }

    /// The same for the thread that calls, with whatever lies in memory and is remembered in common. Threads that make many
    /// contexts at the same time scale better so: none waits for another to count the users of configuration and keys.
    /// Each such copy has the configuration once more, and reads caches and keytabs by itself. A thread that asks again
    /// while a copy of its own lives has that one.
    ///
    /// ```
    /// # use orthros::Orthros;
    /// let orthros = Orthros::builder().build();
    /// std::thread::scope(|scope| {
    ///     for _ in 0..2 {
    ///         scope.spawn(|| {
    ///             let orthros = orthros.apart();
    ///             // ... contexts are made here
    ///             # assert!(orthros.config().default_realm.is_none());
    ///         });
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn apart(&self) -> Self {
        let common = &self.0.common;
        let Some(place) = common.copies.get(gate::thread_number() % COPIES) else { return self.clone() };
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(copy) = place.upgrade() {
            return Self(copy);
        }
        let (settings, stores) = (self.0.settings.apart(), self.0.stores.apart());
        let copy = Arc::new(Inner { settings, stores, common: Arc::clone(common) });
        *place = Arc::downgrade(&copy);
        Self(copy)
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.0.settings.config
    }

    /// What contexts are given: configuration, clock and randomness.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Clock and randomness.
    pub fn env(&self) -> &Env {
        &self.0.settings.env
    }

    /// The credential cache that is used where none is named.
    pub fn default_cache(&self) -> &CacheName {
        &self.0.common.default_cache
    }

    /// The keytab that acceptors use where none is named.
    pub fn default_keytab(&self) -> &KeytabName {
        &self.0.common.default_keytab
    }

    /// The keytab that initiators use where there is no credential cache.
    pub fn client_keytab(&self) -> &KeytabName {
        &self.0.common.client_keytab
    }

    /// Tells whoever is told what happens. Drivers of a caller's own tell of what they do themselves.
    pub fn tell(&self, event: Event<'_>) {
        self.0.common.tracer.tell(event);
    }

    pub(crate) fn tracer(&self) -> &Tracer {
        &self.0.common.tracer
    }

    pub(crate) fn stores(&self) -> &Stores {
        &self.0.stores
    }

    pub(crate) fn link(&self) -> &KdcLink {
        &self.0.common.link
    }

    pub(crate) fn dns(&self) -> Option<&Dns> {
        self.0.common.dns.as_ref()
    }

    /// Where KDCs were found.
    pub(crate) fn located(&self) -> &Located {
        &self.0.common.located
    }

    /// The replay cache: the one that an acceptor's credential names, or else this object's. A cache that is named
    /// is opened once.
    pub(crate) fn ask_replay(
        &self,
        named: Option<&str>,
        ask: impl FnOnce(&dyn ReplayCache) -> Result<(), ReplayRefusal>,
    ) -> Result<(), ReplayRefusal> {
        match named {
            None => ask(&*self.0.common.replay),
            Some(named) => ask(&*self.named_replay(named)?),
        }
    }

    fn named_replay(&self, named: &str) -> Result<Arc<dyn ReplayCache>, ReplayRefusal> {
        let mut opened = self.0.common.named_replays.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = opened.get(named) {
            return Ok(Arc::clone(cache));
        }
        let name = replay::CacheName::parse(OsStr::new(named));
        let name = name.map_err(|error| ReplayRefusal::Unavailable(error.to_string()))?;
        let cache: Arc<dyn ReplayCache> = Arc::from(name.open(settings::variable));
        opened.insert(named.to_owned(), Arc::clone(&cache));
        Ok(cache)
    }

    /// A ticket for `client` to be got from its KDC, by password or keytab.
    pub fn acquire(&self, client: &str) -> Acquire {
        Acquire::new(self, client)
    }

    /// Accepts by the default keytab, for every principal in it.
    ///
    /// # Errors
    /// [`NoCredential`] names the keytab and what is wrong with it.
    pub fn acceptor(&self) -> Result<AcceptorCredential, Error> {
        self.acceptor_from(&self.0.common.default_keytab, None)
    }

    /// Accepts by a keytab; if a name is given, for that one only (a service without a host: on every host).
    /// Keys that come into the keytab later are used at once. The host's name is made canonical as the configuration
    /// says, by DNS also (which waits for name servers); with `ignore_acceptor_hostname` it does not matter.
    ///
    /// # Errors
    /// [`NoCredential`] names the keytab and what is wrong with it: also that it has no key of that name.
    pub fn acceptor_from(
        &self,
        name: &KeytabName,
        service: Option<&Name>,
    ) -> Result<AcceptorCredential, Error> {
        let keytab = match self.stores().keys(name)? {
            Keys::Listed(keytab) => keytab,
            Keys::Asked(keys) => {
                // Whether there is a key of that name is seen when it is needed.
                return Ok(AcceptorCredential::within(keys, self.scope_of(service, |_| true)?));
            }
        };
        let scope = self.scope_of(service, |principal| keytab.keys_for(principal).next().is_some())?;
        if !keytab.entries().any(|entry| scope.contains(entry.principal())) {
            return Err(NoCredential::None(format!("{name}: it has no key for {scope}")).into());
        }
        let keys = Arc::new(KeytabKeys { orthros: self.clone(), name: name.clone() });
        Ok(AcceptorCredential::within(keys, scope))
    }

    /// For whom an acceptor of this name accepts, if `has_keys` says which principals it may be.
    pub(crate) fn scope_of(
        &self,
        service: Option<&Name>,
        has_keys: impl Fn(&Principal) -> bool,
    ) -> Result<Scope, Error> {
        Ok(match service {
            None => Scope::Any,
            Some(Name::HostbasedService { service, host: None }) => Scope::Service(service.clone()),
            Some(Name::HostbasedService { service, .. }) if self.config().ignore_acceptor_hostname => {
                Scope::Service(service.clone())
            }
            Some(service) => Scope::Principal(self.acceptor_principal(service, None, has_keys)?),
        })
    }

    /// A context with `target`, by the default credential.
    ///
    /// # Errors
    /// As [`default_credential`](Self::default_credential).
    pub fn initiate(&self, target: Name) -> Result<Initiate, Error> {
        Ok(self.initiate_with(&self.default_credential()?, target))
    }

    /// A context with `target`, by a credential at hand.
    pub fn initiate_with(&self, credential: &Arc<InitiatorCredential>, target: Name) -> Initiate {
        let (client, cache) = (credential.client(), credential.origin());
        self.tell(Event::Initiating { client, target: &target, cache });
        Initiate::new(&self.0.settings, Arc::clone(credential), target)
    }

    /// A context with whoever proves to have a ticket for `credential`.
    pub fn accept(&self, credential: &AcceptorCredential) -> Accept {
        Accept::new(&self.0.settings, credential.clone())
    }

    /// Gives up a context and returns the token that brings it to life in another process (see
    /// [`Context::export`]).
    ///
    /// # Errors
    /// [`Kept`] gives the context back, untouched.
    pub fn export(&self, context: Context) -> Result<Vec<u8>, Kept> {
        match self.transfer_policy() {
            Ok(policy) => self.export_under(context, policy),
            Err(refusal) => Err(Kept { context, error: refusal.into() }),
        }
    }

    /// What tokens demand where nothing else is said.
    pub(crate) fn transfer_policy(&self) -> Result<&Policy, TransferRefusal> {
        self.0
            .common
            .policy
            .as_ref()
            .map_err(|report| TransferRefusal::Key(format!("transfer_policy: {report}")))
    }

    /// The user whose processes import, if it is not this process's own.
    pub(crate) fn receiver(&self) -> Option<u32> {
        match &self.0.common.transfer {
            Transfer::User { key: Ok(key), .. } => key.receiver(),
            _ => None,
        }
    }

    /// The key that seals what moves to other processes.
    pub(crate) fn sealing_key(&self) -> Result<HeldKey<'_>, TransferRefusal> {
        match &self.0.common.transfer {
            Transfer::Given { key, .. } => Ok(HeldKey::Given(key)),
            Transfer::User { key, opened, .. } => Ok(HeldKey::User(user_key(key, opened)?)),
            Transfer::Fleet(fleet) => Ok(HeldKey::Fleet(fleet.opened()?, &[])),
        }
    }

    /// The key that opens `token`. Most often it is the one at hand, which then needs no look at its place: its ledger
    /// is the one that its tokens are spent in, wherever it lies.
    pub(crate) fn opening_key<'a>(&'a self, token: &'a [u8]) -> Result<HeldKey<'a>, TransferRefusal> {
        match &self.0.common.transfer {
            Transfer::Fleet(fleet) => return Ok(HeldKey::Fleet(fleet.opened()?, token)),
            Transfer::User { opened, .. } => {
                let kept = opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(kept) = kept.filter(|kept| kept.key.has_sealed(token)) {
                    return Ok(HeldKey::User(kept));
                }
            }
            Transfer::Given { .. } => {}
        }
        self.sealing_key()
    }

    /// Takes a token: the context in it lives here from now on, and nowhere else.
    ///
    /// # Errors
    /// [`Error::Transfer`] says why not; a refused token is not spent.
    pub fn import(&self, token: &[u8]) -> Result<Context, Error> {
        self.import_under(token, self.transfer_policy()?)
    }

    /// Tells the ledger of a token that is about to leave, sealed with this key.
    pub(crate) fn issue(&self, held: &HeldKey<'_>, header: &Header) -> Result<(), TransferRefusal> {
        let (id, until, now) = (&header.id, header.expiry, self.env().now());
        let answer = match (&self.0.common.transfer, held) {
            (Transfer::Given { ledger, .. }, _) => ledger.issue(id, until, now),
            (Transfer::User { key: Ok(key), memory_ledger: None, .. }, HeldKey::User(opened)) => key
                .at_files(|| opened.ledger.issue(id, until, now))
                .map_err(|refused| TransferRefusal::Key(refused.to_string()))?,
            _ => Ok(()),
        };
        answer.map_err(|refusal| match refusal {
            SpendRefusal::Unavailable(report) => TransferRefusal::Ledger(report),
            other => TransferRefusal::Ledger(other.to_string()),
        })
    }

    /// Asks the ledger, and tells it.
    pub(crate) fn spend(&self, need: NeedSpend) -> Step {
        let (id, until, now) = (*need.id(), need.until(), need.now());
        let answer = match &self.0.common.transfer {
            Transfer::Given { ledger, .. } => ledger.spend(&id, until, now),
            Transfer::Fleet(fleet) => match fleet.kept() {
                Ok(opened) => opened.ledger.spend(&id, until, now),
                Err(refusal) => return need.unavailable(refusal.to_string()),
            },
            Transfer::User { memory_ledger: Some(ledger), .. } => ledger.spend(&id, until, now),
            Transfer::User { key, opened, .. } => match spend_beside(key, opened, &id, until, now) {
                Ok(answer) => answer,
                Err(refusal) => return need.unavailable(refusal.to_string()),
            },
        };
        self.tell(Event::Spent(answer.as_ref().copied()));
        match answer {
            Ok(()) => need.spent(),
            Err(SpendRefusal::AlreadySpent { at, pid }) => need.spent_before(Spent { at, pid }),
            Err(SpendRefusal::Gone) => need.gone(),
            Err(SpendRefusal::Unavailable(report)) => need.unavailable(report),
        }
    }
}

impl Transfer {
    /// As section `[orthros]` says, save for the places of a user's key.
    fn configured(config: &Config, places: Option<Places>, fault: Option<String>) -> Self {
        let user = |key| Self::User {
            key,
            opened: Mutex::default(),
            memory_ledger: (config.transfer.ledger.as_deref() == Some("memory")).then(MemoryLedger::new),
        };
        if let Some(places) = places {
            return user(Ok(TransferKey::own(places)));
        }
        match fault.map_or_else(|| settings::transfer_source(&config.transfer), Err) {
            Ok(TransferSource::User(key)) => user(Ok(key)),
            Ok(TransferSource::Family(family)) => {
                Self::Given { key: family.sealing_key(), ledger: Box::new(family.ledger()) }
            }
            Ok(TransferSource::Fleet(fleet)) => Self::Fleet(fleet),
            Err(report) => user(Err(report)),
        }
    }
}

/// The user's key: the one that was opened before, if it is still the one that others would find.
fn user_key(
    key: &Result<TransferKey, String>,
    opened: &Mutex<Option<Arc<OpenedKey>>>,
) -> Result<Arc<OpenedKey>, TransferRefusal> {
    let key = key.as_ref().map_err(|report| TransferRefusal::Key(report.clone()))?;
    let at_files = key.at_files(|| open_key(key.places(), opened));
    at_files.map_err(|refused| TransferRefusal::Key(refused.to_string()))?
}

/// Asks the ledger beside that key.
fn spend_beside(
    key: &Result<TransferKey, String>,
    opened: &Mutex<Option<Arc<OpenedKey>>>,
    id: &[u8; 16],
    until: Timestamp,
    now: Timestamp,
) -> Result<Result<(), SpendRefusal>, TransferRefusal> {
    let key = key.as_ref().map_err(|report| TransferRefusal::Key(report.clone()))?;
    let at_files = key.at_files(|| {
        // The ledger beside the key that opened the token, which looks itself whether it is still in its place.
        let kept = opened.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let key = kept.map_or_else(|| open_key(key.places(), opened), Ok)?;
        Ok(key.ledger.spend(id, until, now))
    });
    at_files.map_err(|refused| TransferRefusal::Key(refused.to_string()))?
}

fn open_key(
    places: &Places,
    opened: &Mutex<Option<Arc<OpenedKey>>>,
) -> Result<Arc<OpenedKey>, TransferRefusal> {
    let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = &*opened
        && kept.user.is_current()
    {
        return Ok(Arc::clone(kept));
    }
    let user = UserKey::open(places).map_err(|places| TransferRefusal::Key(places.to_string()))?;
    let boot = process::boot_id().map_err(|error| {
        let path = process::BOOT_ID;
        TransferRefusal::Key(format!("{path}: {error}; without a boot id no key of this boot can be made"))
    })?;
    let key = SealingKey::new(SecretBytes::copy_of(user.secret().expose_octets()), &boot);
    let fresh = Arc::new(OpenedKey { ledger: user.ledger(), key, user });
    *opened = Some(Arc::clone(&fresh));
    Ok(fresh)
}

impl Orthros {
    /// The folder in which the key for transfer tokens lies, opened or made now; `None` if it lies in none: in the kernel,
    /// or at the program.
    ///
    /// # Errors
    /// [`TransferRefusal::Key`] names each place tried.
    pub fn transfer_folder(&self) -> Result<Option<PathBuf>, Error> {
        match &self.0.common.transfer {
            Transfer::Given { .. } | Transfer::Fleet(_) => Ok(None),
            Transfer::User { key, opened, .. } => Ok(user_key(key, opened)?.user.folder().map(Into::into)),
        }
    }
}

impl fmt::Debug for Orthros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orthros")
            .field("default_cache", &self.0.common.default_cache)
            .field("default_keytab", &self.0.common.default_keytab)
            .finish_non_exhaustive()
    }
}
