//! A realm, both ends of a context and the folder where tokens are sealed and spent, with a clock that is put
//! by hand. Other processes come to the same folder by its path.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test helpers")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orthros::replay::MemoryReplay;
use orthros::seal_key::Places;
use orthros::{
    Accept, CacheName, Config, Context, Enctype, Error, Initiate, InitiatorCredential, Kept, Keytab,
    KeytabName, Name, Orthros, Step,
};
use orthros_gss::transfer::TransferRefusal;
use orthros_kdc::{Listener, Realm};
use orthros_wire::testing::{ManualClock, SeededRandom};
use orthros_wire::{Clock, Timestamp, hex};

/// When it is, unless the clock is put.
pub const NOW: i64 = 1_800_000_000;

/// A folder, and what every process makes of it.
pub struct Host {
    pub folder: PathBuf,
    pub clock: Arc<ManualClock>,
    pub config: Config,
}

impl Host {
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let mut config = Config::for_realm("TEST", &["127.0.0.1:1"]).unwrap();
        config.forwardable = true;
        Self { folder: folder.as_ref().to_owned(), clock: Arc::new(ManualClock::new(NOW)), config }
    }

    pub fn at(self, seconds: i64) -> Self {
        self.clock.set(Timestamp::from_seconds(seconds));
        self
    }

    pub fn builder(&self) -> orthros::Builder {
        Orthros::builder()
            .config(self.config.clone())
            .clock(Arc::clone(&self.clock))
            // No acceptor ran before, so that one-way requests are taken too.
            .replay_cache(MemoryReplay::made_at(Timestamp::from_seconds(0)))
            .default_cache(CacheName::Memory("c".into()))
            .default_keytab(KeytabName::File(self.folder.join("keytab")))
            .transfer_places(Places::new().within(&self.folder))
    }

    pub fn orthros(&self) -> Orthros {
        self.builder().build()
    }
}

/// What a program meets that has no file of its own.
pub struct World {
    pub folder: tempfile::TempDir,
    pub host: Host,
    pub kdc: Listener,
    pub alice: Arc<InitiatorCredential>,
    pub orthros: Orthros,
}

impl World {
    pub fn new() -> Self {
        Self::with_enctype(Enctype::Aes256CtsHmacSha384)
    }

    pub fn with_enctype(enctype: Enctype) -> Self {
        Self::with(enctype, |_| {})
    }

    pub fn with(enctype: Enctype, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut host = Host::new(folder.path());
        let realm = Realm::builder("TEST")
            .enctypes(&[enctype])
            .principal("alice", "open sesame")
            .service("host/localhost")
            .build(&SeededRandom::new(1))
            .unwrap();
        let clock = Arc::clone(&host.clock);
        let kdc = Listener::start_with(realm, clock, Arc::new(SeededRandom::new(2))).unwrap();
        host.config = Config::for_realm("TEST", &[&kdc.address().to_string()]).unwrap();
        host.config.forwardable = true;
        change(&mut host.config);
        let orthros = host.orthros();
        let mut keytab = Keytab::default();
        for key in kdc.realm().keytab_for(&"host/localhost@TEST".parse().unwrap()) {
            keytab.add(key.principal, key.kvno, key.key.duplicate(), host.clock.now()).unwrap();
        }
        orthros.write_keytab(orthros.default_keytab(), keytab).unwrap();
        let alice = orthros.acquire("alice").password("open sesame").blocking().unwrap();
        Self { folder, host, kdc, alice, orthros }
    }

    pub fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub fn initiate(&self) -> Initiate {
        self.orthros.initiate_with(&self.alice, Name::hostbased_service("host", "localhost"))
    }

    /// Mutual, sealed, with replay and sequence detection: what most protocols ask for.
    pub fn initiate_full(&self) -> Initiate {
        self.initiate().mutual().confidential().replay_detection().sequencing()
    }

    pub fn accept(&self) -> Accept {
        self.orthros.accept(&self.orthros.acceptor().unwrap())
    }

    pub fn established(&self) -> (Context, Context) {
        self.establish(self.initiate_full(), self.accept())
    }

    pub fn establish(&self, initiate: Initiate, accept: Accept) -> (Context, Context) {
        let (first, initiating) = token_of(&self.orthros, initiate.start());
        let accepting = answer(&self.orthros, accept.start(), &first.unwrap());
        let (answer_token, accepting) = token_of(&self.orthros, accepting);
        let initiating = match answer_token {
            Some(token) => answer(&self.orthros, initiating, &token),
            None => initiating,
        };
        (done(&self.orthros, initiating), done(&self.orthros, accepting))
    }
}

/// The token that a step owes, after its needs; and the step that follows.
pub fn token_of(orthros: &Orthros, mut step: Step) -> (Option<Vec<u8>>, Step) {
    loop {
        step = match step {
            Step::Need(need) => orthros.provide(need),
            Step::Send(owed) => break (Some(owed.token().to_vec()), owed.sent()),
            Step::Failed(error) => panic!("{error}"),
            other => break (None, other),
        };
    }
}

pub fn answer(orthros: &Orthros, step: Step, token: &[u8]) -> Step {
    match step {
        Step::Receive(wait) => wait.token(token),
        Step::Need(need) => answer(orthros, orthros.provide(need), token),
        other => panic!("{other:?}"),
    }
}

pub fn done(orthros: &Orthros, mut step: Step) -> Context {
    loop {
        step = match step {
            Step::Need(need) => orthros.provide(need),
            Step::Done(context) => break context,
            other => panic!("{other:?}"),
        };
    }
}

/// Why an import was refused.
pub fn refusal(outcome: Result<Context, Error>) -> TransferRefusal {
    match outcome {
        Err(Error::Transfer(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// What an import came to, in a line for another process.
pub fn told_of(outcome: &Result<Context, Error>) -> String {
    match outcome {
        Ok(_) => "imported".to_owned(),
        Err(error) => format!("{:?}: {error}", error.major()),
    }
}

/// Two ends agree: each takes what the other sends now, in order.
pub fn assert_joined(one: &Context, other: &Context) {
    for (from, to) in [(one, other), (other, one)] {
        let unwrapped = to.unwrap(&from.wrap(b"on and on").unwrap()).unwrap();
        assert_eq!((&*unwrapped.message, unwrapped.order), (&b"on and on"[..], orthros::Order::InOrder));
    }
}

/// The export failed and gave the context back.
pub fn kept(outcome: Result<Vec<u8>, Kept>) -> Kept {
    match outcome {
        Err(kept) => kept,
        Ok(token) => panic!("a token of {} octets", token.len()),
    }
}

pub fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}
