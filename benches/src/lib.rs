//! What the measuring programs share: a realm, its tickets and keys in files, and contexts between two ends.
//!
//! | program | measures |
//! |---|---|
//! | `contexts` | nothing itself: makes so many contexts, for `cargo xtask figures` to count instructions |
//! | `speed` | times of contexts, messages and small calls, also beside other GSS-API libraries |
//!
//! | `peers.c` | the same for a GSS-API library in C, opened by path; `speed` runs it |
//!
//! Deliberately not here: a KDC on the network. The tickets are made before anything is measured.
#![forbid(unsafe_code)]

pub mod measure;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use orthros::ledger::MemoryLedger;
use orthros::random::SystemRandom;
use orthros::replay::{File2, MemoryReplay};
use orthros::{
    AcceptorCredential, CacheName, Config, Context, Enctype, Keytab, KeytabName, Name, Orthros, Password,
    Principal, Step,
};
use orthros_gss::context::AwaitToken;
use orthros_gss::transfer::SealingKey;
use orthros_kdc::Realm;
use orthros_krb5::exchange::{self, ExchangePolicy, InitialSecret, Obtained, Progress};
use orthros_krb5::{Credential, CredentialCache};
use orthros_wire::{SecretBytes, Timestamp};

/// What can go wrong here: anything, and then the measurement ends.
pub type Failure = Box<dyn Error>;

/// The service that contexts are made with, on [`HOST`].
pub const SERVICE: &str = "host";
/// The service's host; nothing is ever sent there.
pub const HOST: &str = "www.bench.test";
const REALM: &str = "BENCH.TEST";

/// How an acceptor remembers requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replays {
    /// In the file that MIT krb5's acceptors share.
    File,
    /// In memory.
    Memory,
    /// Not at all.
    None,
}

/// A credential cache with a service ticket, the service's keytab and a configuration, all in files; and an
/// [`Orthros`] that uses them.
pub struct World {
    folder: tempfile::TempDir,
    /// Initiates and accepts.
    pub orthros: Orthros,
    /// The service.
    pub target: Name,
}

impl World {
    /// Makes the files. Tickets and session keys are of `enctype`.
    ///
    /// # Errors
    /// Whatever is in the way.
    pub fn new(enctype: Enctype, replays: Replays) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let service = format!("{SERVICE}/{HOST}");
        let realm = Realm::builder(REALM)
            .enctypes(&[enctype])
            .principal("alice", "open sesame")
            .service(service.as_str())
            .build(&SystemRandom)?;
        let text = format!(
            "[libdefaults]\n default_realm = {REALM}\n permitted_enctypes = {enctype}\n \
             default_tkt_enctypes = {enctype}\n default_tgs_enctypes = {enctype}\n \
             dns_lookup_kdc = false\n dns_lookup_realm = false\n dns_canonicalize_hostname = false\n rdns = false\n\
             [realms]\n {REALM} = {{\n  kdc = 127.0.0.1:9\n }}\n[domain_realm]\n {HOST} = {REALM}\n"
        );
        fs::write(folder.path().join("krb5.conf"), &text)?;
        let builder = Orthros::builder()
            .config(Config::parse(&text)?)
            .default_cache(CacheName::File(folder.path().join("ccache")))
            .default_keytab(KeytabName::File(folder.path().join("keytab")))
            .transfer(SealingKey::new(SecretBytes::from(vec![7; 32]), b""), MemoryLedger::new());
        let builder = match replays {
            Replays::File => builder.replay_cache(File2::at(folder.path().join("rcache2"))),
            // An acceptor that has run for a while: a new one refuses what was made before it.
            Replays::Memory => builder.replay_cache(MemoryReplay::made_at(Timestamp::from_seconds(0))),
            Replays::None => builder.replay_cache(orthros::replay::NoReplay),
        };
        let world = Self { folder, orthros: builder.build(), target: Name::hostbased_service(SERVICE, HOST) };
        world.fill(&realm, &format!("{service}@{REALM}").parse()?)?;
        // What changed a moment ago is read anew each time; nobody's files are that young.
        thread::sleep(Duration::from_millis(50));
        Ok(world)
    }

    fn fill(&self, realm: &Realm, service: &Principal) -> Result<(), Failure> {
        let orthros = &self.orthros;
        let env = orthros.env();
        let mut keytab = Keytab::default();
        for key in realm.keytab_for(service) {
            keytab.add(key.principal, key.kvno, key.key.duplicate(), env.now())?;
        }
        orthros.write_keytab(orthros.default_keytab(), keytab)?;
        let alice: Principal = format!("alice@{REALM}").parse()?;
        let policy = ExchangePolicy::initial(orthros.config());
        let secret = InitialSecret::Password(Password::from("open sesame"));
        let granting =
            self.fetch(realm, exchange::initial(alice.clone(), secret, None, policy, env.clone()))?;
        let policy = ExchangePolicy::service(orthros.config());
        let ticket = self.fetch(realm, exchange::service(&granting, service.clone(), policy, env.clone()))?;
        let mut cache = CredentialCache::new(alice);
        cache.add(granting);
        cache.add(ticket);
        Ok(orthros.write_cache(orthros.default_cache(), cache)?)
    }

    /// Takes an exchange to its end with the KDC in this process.
    fn fetch(&self, realm: &Realm, exchange: Progress<Obtained>) -> Result<Credential, Failure> {
        let mut progress = exchange;
        loop {
            progress = match progress {
                Progress::Ask(ask) => {
                    let now = self.orthros.env().now();
                    let reply = realm.answer(ask.request(), now, &SystemRandom).ok_or("no reply")?;
                    ask.reply(&reply, now)
                }
                Progress::Done(obtained) => return Ok(obtained.credential),
                Progress::Failed(failure) => return Err(failure.into()),
            }
        }
    }

    /// Where the files are: `ccache`, `keytab`, `krb5.conf`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The initiator's first token, by the default credential; mutual, with replay detection, sequencing,
    /// confidentiality and integrity.
    ///
    /// # Errors
    /// Those of the context.
    pub fn initiate(&self) -> Result<(Vec<u8>, AwaitToken), Failure> {
        let initiate = self.orthros.initiate(self.target.clone())?;
        let step = initiate.mutual().replay_detection().sequencing().confidential().start();
        let Step::Send(owed) = step else { return Err(unexpected(step)) };
        let token = owed.token().to_vec();
        match owed.sent() {
            Step::Receive(wait) => Ok((token, wait)),
            other => Err(unexpected(other)),
        }
    }

    /// The acceptor's whole part.
    ///
    /// # Errors
    /// Those of the context.
    pub fn accept(
        &self,
        credential: &AcceptorCredential,
        token: &[u8],
    ) -> Result<(Vec<u8>, Context), Failure> {
        let mut answer = Vec::new();
        let mut step = self.orthros.accept(credential).start();
        loop {
            step = match step {
                Step::Receive(wait) => wait.token(token),
                Step::Need(need) => self.orthros.provide(need),
                Step::Send(owed) => {
                    answer = owed.token().to_vec();
                    owed.sent()
                }
                Step::Done(context) => return Ok((answer, context)),
                other @ Step::Failed(_) => return Err(unexpected(other)),
            };
        }
    }

    /// Both ends of a context.
    ///
    /// # Errors
    /// Those of the context.
    pub fn pair(&self, credential: &AcceptorCredential) -> Result<(Context, Context), Failure> {
        let (token, wait) = self.initiate()?;
        let (answer, acceptor) = self.accept(credential, &token)?;
        Ok((finish(wait, &answer)?, acceptor))
    }
}

/// The initiator takes the acceptor's answer.
///
/// # Errors
/// Those of the context.
pub fn finish(wait: AwaitToken, answer: &[u8]) -> Result<Context, Failure> {
    match wait.token(answer) {
        Step::Done(context) => Ok(context),
        other => Err(unexpected(other)),
    }
}

fn unexpected(step: Step) -> Failure {
    match step {
        Step::Failed(error) => error.into(),
        other => format!("the context took another way: {other:?}").into(),
    }
}
