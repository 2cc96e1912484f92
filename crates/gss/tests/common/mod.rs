//! Initiator, acceptor and KDC in memory, with one clock that is put by hand and seeded randomness.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use orthros_crypto::{Enctype, Key};
use orthros_gss::context::{Need, NeedSpend};
use orthros_gss::fuzzing;
use orthros_gss::transfer::{self, SealingKey, Spent};
use orthros_gss::{
    Accept, AcceptorCredential, Context, Error, Flags, Initiate, InitiatorCredential, Name, Settings, Step,
};
use orthros_kdc::{Impersonation, Realm};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, Progress, initial};
use orthros_krb5::{Config, Env, Keytab, Principal};
use orthros_wire::testing::{ManualClock, SeededRandom};
use orthros_wire::{Clock, Random, SecretBytes, Timestamp};

pub const NOW: i64 = 1_700_000_000;

/// Both ends of a context, and a KDC.
pub struct Pair {
    pub clock: Arc<ManualClock>,
    pub realm: Realm,
    pub settings: Settings,
    pub alice: Arc<InitiatorCredential>,
    pub acceptor: AcceptorCredential,
    /// Tags that the replay cache has seen.
    pub replay: Mutex<Vec<Vec<u8>>>,
    /// Ids of spent transfer tokens.
    pub ledger: Mutex<HashMap<[u8; 16], Spent>>,
    /// Every token that either end has sent, in order.
    pub sent: Mutex<Vec<Vec<u8>>>,
    /// What went to the KDC and came back, in order.
    pub kdc_messages: Mutex<Vec<Vec<u8>>>,
    kdc_random: Reseedable,
    random: Arc<Reseedable>,
}

/// Seeded randomness that can be put back to a seed.
pub struct Reseedable(Mutex<SeededRandom>);

impl Random for Reseedable {
    fn fill(&self, octets: &mut [u8]) {
        self.0.lock().unwrap().fill(octets);
    }
}

impl Reseedable {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(SeededRandom::new(seed)))
    }
}

/// What came of a handshake on one end.
pub type Outcome = Result<Context, Error>;

impl Pair {
    pub fn new() -> Self {
        Self::with_enctype(Enctype::Aes256CtsHmacSha384)
    }

    pub fn with_enctype(enctype: Enctype) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let random = Arc::new(Reseedable::new(1));
        let env = Env::new(Arc::clone(&clock), Arc::clone(&random));
        let kdc_random = Reseedable::new(2);
        let realm = Realm::builder("TEST")
            .enctypes(&[enctype])
            .principal("alice", "open sesame")
            .service("host/x.test")
            .service("imap/x.test")
            .impersonates("host/x.test", Impersonation::Forwardable)
            .delegates_to("host/x.test", "imap/x.test")
            .build(&kdc_random)
            .unwrap();
        let mut config = Config::for_realm("TEST", &["127.0.0.1:88"]).unwrap();
        config.forwardable = true;
        if enctype.is_weak() {
            config.permitted_enctypes = Enctype::ALL.to_vec();
            config.default_tkt_enctypes = Enctype::ALL.to_vec();
            config.default_tgs_enctypes = Enctype::ALL.to_vec();
        }
        let settings = Settings { config: Arc::new(config), env, transfer: true };
        let mut keytab = Keytab::default();
        for name in ["host/x.test@TEST", "imap/x.test@TEST"] {
            for key in realm.keytab_for(&name.parse().unwrap()) {
                keytab.add(key.principal, key.kvno, key.key.duplicate(), clock.now()).unwrap();
            }
        }
        let acceptor = AcceptorCredential::any(Arc::new(keytab));
        let empty = || Mutex::new(Vec::new());
        let mut pair = Self {
            alice: Arc::new(InitiatorCredential::new("alice@TEST".parse().unwrap(), Vec::new(), 0)),
            clock,
            realm,
            settings,
            acceptor,
            replay: empty(),
            ledger: Mutex::default(),
            sent: empty(),
            kdc_messages: empty(),
            kdc_random,
            random,
        };
        pair.alice = pair.login();
        pair
    }

    /// A fresh credential of alice's, with a ticket-granting ticket only.
    pub fn login(&self) -> Arc<InitiatorCredential> {
        self.login_as("alice@TEST", InitialSecret::Password("open sesame".into()))
    }

    /// A credential of the service host/x.test's own.
    pub fn host(&self) -> Arc<InitiatorCredential> {
        let keys = self.realm.keytab_for(&"host/x.test@TEST".parse().unwrap());
        let keys = keys.into_iter().map(|key| key.key).collect();
        self.login_as("host/x.test@TEST", InitialSecret::Keys(keys))
    }

    fn login_as(&self, client: &str, secret: InitialSecret) -> Arc<InitiatorCredential> {
        let client: Principal = client.parse().unwrap();
        let policy = ExchangePolicy::initial(&self.settings.config);
        let mut progress = initial(client.clone(), secret, None, policy, self.settings.env.clone());
        loop {
            progress = match progress {
                Progress::Ask(ask) => {
                    let reply = self.kdc(ask.request());
                    ask.reply(&reply, self.clock.now())
                }
                Progress::Done(obtained) => {
                    return Arc::new(InitiatorCredential::new(client, vec![obtained.credential], 0));
                }
                Progress::Failed(failure) => panic!("{failure}"),
            }
        }
    }

    pub fn kdc(&self, request: &[u8]) -> Vec<u8> {
        let reply = self.realm.answer(request, self.clock.now(), &self.kdc_random).unwrap();
        self.kdc_messages.lock().unwrap().extend([request.to_vec(), reply.clone()]);
        reply
    }

    /// Puts the randomness of both ends back to a seed: what follows is chosen as it was after this seed before.
    pub fn reseed(&self, seed: u64) {
        *self.random.0.lock().unwrap() = SeededRandom::new(seed);
    }

    pub fn initiate(&self) -> Initiate {
        Initiate::new(&self.settings, Arc::clone(&self.alice), Name::hostbased_service("host", "x.test"))
    }

    /// Mutual, sealed, with replay and sequence detection: what most protocols ask for.
    pub fn initiate_full(&self) -> Initiate {
        self.initiate().mutual().confidential().replay_detection().sequencing()
    }

    pub fn accept(&self) -> Accept {
        Accept::new(&self.settings, self.acceptor.clone())
    }

    /// Answers a need as a driver would.
    pub fn provide(&self, need: Need) -> Step {
        match need {
            Need::Elsewhere(need) => need.unavailable(),
            Need::Kdc(need) => {
                let reply = self.kdc(need.request());
                need.reply(&reply)
            }
            Need::Relay(need) => {
                let reply = self.kdc(need.request());
                need.reply(&reply)
            }
            Need::Replay(need) => {
                let mut seen = self.replay.lock().unwrap();
                let tag = need.tag().to_vec();
                if seen.contains(&tag) {
                    return need.replayed();
                }
                seen.push(tag);
                need.fresh()
            }
            Need::Resolve(need) => need.unavailable(),
            Need::Spend(need) => self.spend(need),
            Need::Store(need) => need.done(),
        }
    }

    pub fn spend(&self, need: NeedSpend) -> Step {
        let mut ledger = self.ledger.lock().unwrap();
        if let Some(spent) = ledger.get(need.id()) {
            let spent = *spent;
            return need.spent_before(spent);
        }
        ledger.insert(*need.id(), Spent { at: need.now(), pid: 1 });
        need.spent()
    }

    /// Runs both ends until neither goes on; `change` may alter each token on its way.
    pub fn run(
        &self,
        initiate: Initiate,
        accept: Accept,
        mut change: impl FnMut(Vec<u8>) -> Vec<u8>,
    ) -> (Option<Outcome>, Option<Outcome>) {
        let mut ends = [Some(initiate.start()), Some(accept.start())];
        let mut mail: [Option<Vec<u8>>; 2] = [None, None];
        let mut outcomes = [None, None];
        loop {
            let mut moved = false;
            for end in [0, 1] {
                let Some(step) = ends[end].take() else { continue };
                ends[end] = match step {
                    Step::Send(owed) => {
                        let token = change(owed.token().to_vec());
                        self.sent.lock().unwrap().push(token.clone());
                        mail[1 - end] = Some(token);
                        moved = true;
                        Some(owed.sent())
                    }
                    Step::Receive(wait) => match mail[end].take() {
                        Some(token) => {
                            moved = true;
                            Some(wait.token(&token))
                        }
                        None => Some(Step::Receive(wait)),
                    },
                    Step::Need(need) => {
                        moved = true;
                        Some(self.provide(need))
                    }
                    Step::Done(context) => {
                        outcomes[end] = Some(Ok(context));
                        moved = true;
                        None
                    }
                    Step::Failed(error) => {
                        outcomes[end] = Some(Err(error));
                        moved = true;
                        None
                    }
                };
            }
            if !moved {
                let [initiator, acceptor] = outcomes;
                return (initiator, acceptor);
            }
        }
    }

    /// A context that must come up on both ends.
    pub fn establish(&self, initiate: Initiate, accept: Accept) -> (Context, Context) {
        match self.run(initiate, accept, |token| token) {
            (Some(Ok(initiator)), Some(Ok(acceptor))) => (initiator, acceptor),
            other => panic!("{other:?}"),
        }
    }

    pub fn established(&self) -> (Context, Context) {
        self.establish(self.initiate_full(), self.accept())
    }

    /// A context of a state that a test made up.
    pub fn context(&self, state: &State<'_>) -> Context {
        self.context_of(&state.octets()).unwrap()
    }

    /// What an import makes of a state under a good seal.
    pub fn context_of(&self, state: &[u8]) -> Result<Context, Error> {
        let key = sealing_key(1);
        let until = self.clock.now().plus_seconds(60);
        let token = fuzzing::seal_state(state, &key, until, &*self.settings.env.random).unwrap();
        self.import(&token, &key)
    }

    pub fn import(&self, token: &[u8], key: &SealingKey) -> Result<Context, Error> {
        let mut step = transfer::import(token, key, &self.settings);
        loop {
            step = match step {
                Step::Need(need) => self.provide(need),
                Step::Done(context) => return Ok(context),
                Step::Failed(error) => return Err(error),
                other => panic!("{other:?}"),
            };
        }
    }
}

pub fn sealing_key(octet: u8) -> SealingKey {
    SealingKey::new(SecretBytes::from(vec![octet; 32]), b"boot")
}

/// What a context is made of that a test makes up.
pub struct State<'a> {
    pub acceptor: bool,
    pub flags: Flags,
    pub end: Timestamp,
    /// The next number to send.
    pub send: u64,
    /// The peer's first number.
    pub receive: u64,
    pub base_key: &'a Key,
    pub acceptor_subkey: Option<&'a Key>,
}

impl State<'_> {
    /// The state's octets, as `transfer/state.rs` lays them out.
    pub fn octets(&self) -> Vec<u8> {
        let key = |key: Option<&Key>| match key {
            None => vec![0],
            Some(key) => [&[key.enctype().number() as u8][..], key.expose_octets()].concat(),
        };
        let text = |text: &str| [&[0, text.len() as u8][..], text.as_bytes()].concat();
        let name = |components: &[&str]| {
            let count = [0, components.len() as u8];
            let components = components.iter().flat_map(|component| text(component)).collect();
            [vec![0, 0, 0, 1], text("TEST"), count.into(), components].concat()
        };
        [
            vec![u8::from(self.acceptor)],
            self.flags.0.to_be_bytes().to_vec(),
            self.end.seconds.to_be_bytes().to_vec(),
            // When the client proved itself, and the flags of its ticket.
            NOW.to_be_bytes().to_vec(),
            vec![0; 4],
            [self.send, self.receive, self.receive, 0].map(u64::to_be_bytes).concat(),
            key(Some(self.base_key)),
            key(self.acceptor_subkey),
            name(&["alice"]),
            name(&["host", "x.test"]),
            vec![0, 0, 0, 0, 0, 0],
        ]
        .concat()
    }
}

/// Everything that a context knows, as `transfer/state.rs` lays it out.
pub fn open_plain_state(context: Context) -> Vec<u8> {
    let key = sealing_key(1);
    fuzzing::open_state(&context.export(&key).unwrap(), &key).unwrap()
}
