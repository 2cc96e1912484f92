//! A realm, a clock that stands where it is put, seeded randomness, and the loop that joins client and KDC.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub)]

pub(crate) mod forest;

use std::sync::Arc;

use orthros_crypto::Enctype;
use orthros_kdc::Realm;
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, KdcFailure, Obtained, Progress, initial};
use orthros_krb5::{Credential, Env, Principal};
use orthros_wire::Timestamp;
use orthros_wire::testing::ManualClock;
pub use orthros_wire::testing::SeededRandom;

pub(crate) const NOW: i64 = 1_700_000_000;

/// A client and a KDC with clocks of their own.
pub(crate) struct World {
    pub(crate) realm: Realm,
    pub(crate) client_clock: Arc<ManualClock>,
    pub(crate) kdc_now: i64,
    pub(crate) kdc_random: SeededRandom,
    pub(crate) env: Env,
    /// Every message, in order.
    pub(crate) transcript: Vec<Vec<u8>>,
}

pub(crate) fn principal(text: &str) -> Principal {
    Principal::parse(text, Some("TEST")).unwrap()
}

pub(crate) fn realm(enctypes: &[Enctype]) -> Realm {
    Realm::builder("TEST")
        .enctypes(enctypes)
        .principal("alice", "open sesame")
        .service("host/x.test")
        .build(&SeededRandom::new(1))
        .unwrap()
}

impl World {
    pub(crate) fn new(enctypes: &[Enctype]) -> Self {
        Self::with_realm(realm(enctypes))
    }

    pub(crate) fn with_realm(realm: Realm) -> Self {
        let client_clock = Arc::new(ManualClock::new(NOW));
        let env = Env::new(Arc::clone(&client_clock), SeededRandom::new(2));
        Self {
            realm,
            client_clock,
            kdc_now: NOW,
            kdc_random: SeededRandom::new(3),
            env,
            transcript: Vec::new(),
        }
    }

    pub(crate) fn set_client_clock(&self, seconds: i64) {
        self.client_clock.set(Timestamp::from_seconds(seconds));
    }

    /// Drives an exchange to its end.
    pub(crate) fn drive(&mut self, progress: Progress<Obtained>) -> Result<Obtained, KdcFailure> {
        self.drive_altered(progress, |_, _| {})
    }

    /// Drives an exchange to its end; `alter` may change each answer, which it is given with its number.
    pub(crate) fn drive_altered(
        &mut self,
        mut progress: Progress<Obtained>,
        alter: impl Fn(usize, &mut Vec<u8>),
    ) -> Result<Obtained, KdcFailure> {
        for number in 0.. {
            progress = match progress {
                Progress::Ask(ask) => {
                    assert_eq!(ask.realm(), "TEST");
                    let now = Timestamp::from_seconds(self.kdc_now);
                    let mut answer = self.realm.answer(ask.request(), now, &self.kdc_random).unwrap();
                    self.transcript.extend([ask.request().to_vec(), answer.clone()]);
                    alter(number, &mut answer);
                    ask.reply(&answer, self.env.now())
                }
                Progress::Done(obtained) => return Ok(obtained),
                Progress::Failed(failure) => return Err(failure),
            };
        }
        unreachable!()
    }

    pub(crate) fn start(&self, client: &str, password: &str, policy: ExchangePolicy) -> Progress<Obtained> {
        let secret = InitialSecret::Password(password.into());
        initial(principal(client), secret, None, policy, self.env.clone())
    }

    pub(crate) fn alice(&mut self, policy: ExchangePolicy) -> Result<Obtained, KdcFailure> {
        let progress = self.start("alice", "open sesame", policy);
        self.drive(progress)
    }

    pub(crate) fn tgt(&mut self, policy: ExchangePolicy) -> Credential {
        self.alice(policy).unwrap().credential
    }
}
