//! Several realms with one clock, and the loop that carries each request to the KDC of the realm that it names.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub)]

use std::sync::Arc;

use orthros_crypto::{Enctype, KeyUsage};
use orthros_kdc::{Builder, Realm};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, KdcFailure, Obtained, Progress, initial};
use orthros_krb5::wire::{Decode, EncTicketPart, Encode, EncryptedData, Ticket};
use orthros_krb5::{Credential, Env, Principal};
use orthros_wire::testing::{ManualClock, SeededRandom};
use orthros_wire::{Clock, Timestamp};

use super::NOW;

pub(crate) struct Forest {
    pub(crate) realms: Vec<Realm>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) env: Env,
    random: SeededRandom,
    /// The realms whose KDC was asked, in order.
    pub(crate) asked: Vec<String>,
}

/// A realm with one fast enctype.
pub(crate) fn tree(name: &str) -> Builder {
    Realm::builder(name).enctypes(&[Enctype::Aes128CtsHmacSha1])
}

pub(crate) fn name(text: &str) -> Principal {
    text.parse().unwrap()
}

impl Forest {
    pub(crate) fn new(realms: impl IntoIterator<Item = Builder>) -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let built = realms.into_iter().enumerate();
        let realms =
            built.map(|(seed, realm)| realm.build(&SeededRandom::new(seed as u64)).unwrap()).collect();
        let env = Env::new(Arc::clone(&clock), SeededRandom::new(77));
        Self { realms, clock, env, random: SeededRandom::new(78), asked: Vec::new() }
    }

    pub(crate) fn realm(&self, name: &str) -> &Realm {
        self.realms.iter().find(|realm| realm.name() == name).unwrap()
    }

    pub(crate) fn drive<T: 'static>(&mut self, progress: Progress<T>) -> Result<T, KdcFailure> {
        self.drive_altered(progress, |_, _| {})
    }

    /// As `drive`; `alter` may change each answer, which it is given with its number.
    pub(crate) fn drive_altered<T: 'static>(
        &mut self,
        mut progress: Progress<T>,
        alter: impl Fn(usize, &mut Vec<u8>),
    ) -> Result<T, KdcFailure> {
        for number in 0.. {
            progress = match progress {
                Progress::Ask(ask) => {
                    self.asked.push(ask.realm().to_owned());
                    let now = self.clock.now();
                    match self.realms.iter().find(|realm| realm.name() == ask.realm()) {
                        None => ask.unavailable("there is none".into()),
                        Some(realm) => {
                            let mut answer = realm.answer(ask.request(), now, &self.random).unwrap();
                            alter(number, &mut answer);
                            ask.reply(&answer, now)
                        }
                    }
                }
                Progress::Done(outcome) => return Ok(outcome),
                Progress::Failed(failure) => return Err(failure),
            };
        }
        unreachable!()
    }

    pub(crate) fn login(
        &mut self,
        client: Principal,
        policy: ExchangePolicy,
    ) -> Result<Obtained, KdcFailure> {
        let secret = InitialSecret::Password("pw".into());
        let progress = initial(client, secret, None, policy, self.env.clone());
        self.drive(progress)
    }

    /// A ticket-granting ticket of a client whose password is "pw".
    pub(crate) fn tgt(&mut self, client: &str, policy: ExchangePolicy) -> Credential {
        let obtained = self.login(name(client), policy).unwrap();
        self.asked.clear();
        obtained.credential
    }

    /// Opens a ticket as its server would.
    pub(crate) fn opened<T>(&self, credential: &Credential, look: impl FnOnce(&EncTicketPart<'_>) -> T) -> T {
        let ticket = Ticket::from_der(&credential.ticket).unwrap();
        let server = Principal::from_wire(&ticket.sname, ticket.realm.0).unwrap();
        let keys = self.realm(server.realm()).keytab_for(&server);
        let key = keys.iter().find(|key| key.key.enctype().number() == ticket.enc_part.etype).unwrap();
        let plain = key.key.decrypt(KeyUsage::TICKET, ticket.enc_part.cipher).unwrap();
        look(&EncTicketPart::from_der(&plain).unwrap())
    }

    /// The ticket with changes, sealed anew in its server's key.
    pub(crate) fn resealed(
        &self,
        credential: &Credential,
        change: impl FnOnce(&mut EncTicketPart<'_>),
    ) -> Credential {
        let wire = Ticket::from_der(&credential.ticket).unwrap();
        let server = Principal::from_wire(&wire.sname, wire.realm.0).unwrap();
        // Who shares a realm's key can write what they like into its tickets.
        let keys = self.realms.iter().flat_map(|realm| realm.keytab_for(&server)).collect::<Vec<_>>();
        let key = keys.iter().find(|key| key.key.enctype().number() == wire.enc_part.etype).unwrap();
        let plain = key.key.decrypt(KeyUsage::TICKET, wire.enc_part.cipher).unwrap();
        let mut part = EncTicketPart::from_der(&plain).unwrap();
        change(&mut part);
        let client = Principal::from_wire(&part.cname, part.crealm.0).unwrap();
        let cipher = key.key.encrypt(KeyUsage::TICKET, &self.random, &part.to_der());
        let sealed = Ticket { enc_part: EncryptedData { cipher: &cipher, ..wire.enc_part.clone() }, ..wire };
        Credential { client, ticket: sealed.to_der().into(), ..credential.clone() }
    }

    pub(crate) fn set_clock(&self, seconds: i64) {
        self.clock.set(Timestamp::from_seconds(seconds));
    }
}
