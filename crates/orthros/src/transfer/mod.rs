//! Who can import, and how else a context moves.
//!
//! | file | what it holds |
//! |---|---|
//! | [`family`] | [`FamilyKey`]: a process and what it forks |
//! | [`fleet`] | [`FleetKey`]: several machines, with a ledger that they share |
//! | [`policy`] | [`Policy`]: what tokens demand of their importer |
//! | [`handover`] | [`Peers`], [`Orthros::hand_over`], [`Orthros::take_over`]: over a Unix socket |
//! | here | exports and imports under a policy, [`Orthros::suspend`] and [`Orthros::resume`] |
//!
//! The default, a key of the user's on this machine, is in [`seal_key`](crate::seal_key); ledgers are in
//! [`ledger`](crate::ledger). Whether a folder is at hand or not, nothing falls back from one key to another by itself.

pub mod family;
pub mod fleet;
pub mod handover;
pub mod policy;

pub use family::FamilyKey;
pub use fleet::{BadFleetKey, FleetKey};
pub use handover::{NotGiven, Peers};
pub use orthros_gss::transfer::suspend::KeptWaiting;
pub use orthros_gss::transfer::{Claim, Header, Kind, Mismatch, TransferRefusal};
pub use policy::Policy;

use std::sync::Arc;

use orthros_gss::context::AwaitToken;
use orthros_gss::transfer::{self, Kept};
use orthros_gss::{Accept, Context, Error, InitiatorCredential, Step};

use crate::Orthros;

impl Orthros {
    /// As [`export`](Self::export), under another policy than the configured one.
    ///
    /// # Errors
    /// [`Kept`] gives the context back, untouched.
    pub fn export_under(&self, context: Context, policy: &Policy) -> Result<Vec<u8>, Kept> {
        if let Err(error) = context.check_exportable() {
            return Err(Kept { context, error });
        }
        let claims = match policy.demands(self.receiver()) {
            Ok(claims) => claims,
            Err(refusal) => return Err(Kept { context, error: refusal.into() }),
        };
        match self.sealing_key() {
            Ok(held) => match held.key() {
                Ok(key) => context.export(key.under(&claims).issued_by(&|header| self.issue(&held, header))),
                Err(refusal) => Err(Kept { context, error: refusal.into() }),
            },
            Err(refusal) => Err(Kept { context, error: refusal.into() }),
        }
    }

    /// As [`import`](Self::import), under another policy than the configured one.
    ///
    /// # Errors
    /// [`Error::Transfer`] says why not; a refused token is not spent.
    pub fn import_under(&self, token: &[u8], policy: &Policy) -> Result<Context, Error> {
        let shown = policy.shown(token)?;
        let held = self.opening_key(token)?;
        self.run(transfer::import(token, held.key()?.under(&shown), self.settings()))
    }

    /// As [`export_credential`](Self::export_credential), under another policy than the configured one.
    ///
    /// ```
    /// use orthros::transfer::{FamilyKey, Policy};
    /// use orthros::{InitiatorCredential, Orthros};
    ///
    /// fn for_mail(orthros: &Orthros, alice: &InitiatorCredential) -> Result<(), orthros::Error> {
    ///     let mail = Policy::new().audience("mail");
    ///     let token = orthros.export_credential_under(alice, &mail)?;
    ///     assert!(orthros.import_credential(&token).is_err(), "it is for mail");
    ///     assert_eq!(orthros.import_credential_under(&token, &mail)?.client(), alice.client());
    ///     Ok(())
    /// }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let realm = orthros_kdc::Realm::builder("TEST").principal("alice", "pw");
    /// # let kdc = orthros_kdc::Listener::start(realm.build(&orthros::random::SystemRandom)?)?;
    /// # let config = orthros::Config::for_realm("TEST", &[&kdc.address().to_string()])?;
    /// # let orthros = Orthros::builder().config(config).transfer_family(&FamilyKey::new()?).build();
    /// # for_mail(&orthros, &*orthros.acquire("alice").password("pw").blocking()?)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`export_credential`](Self::export_credential).
    pub fn export_credential_under(
        &self,
        credential: &InitiatorCredential,
        policy: &Policy,
    ) -> Result<Vec<u8>, Error> {
        let held = self.sealing_key()?;
        let demanded = policy.demands(self.receiver())?;
        transfer::export_credential(credential, held.key()?.under(&demanded), self.settings())
    }

    /// As [`import_credential`](Self::import_credential), under another policy than the configured one.
    ///
    /// # Errors
    /// [`Error::Transfer`] says why not.
    pub fn import_credential_under(
        &self,
        token: &[u8],
        policy: &Policy,
    ) -> Result<Arc<InitiatorCredential>, Error> {
        let (held, shown) = (self.opening_key(token)?, policy.shown(token)?);
        let opened = transfer::import_credential(token, held.key()?.under(&shown), self.settings())?;
        Ok(Arc::new(opened))
    }

    /// Whether the key at hand is the one that a token (or a cookie) names. The token is neither opened nor spent. A key
    /// of the user's is made, if there is none.
    ///
    /// # Errors
    /// [`Error::Transfer`] says which other key it is, or why none can be had.
    pub fn check_transfer_key(&self, token: &[u8]) -> Result<(), Error> {
        let header = Header::parse(token)?;
        let held = self.opening_key(token)?;
        Ok(header.check_key(held.key()?)?)
    }

    /// Gives up an acceptor's context on its way up, and returns a cookie with which it [goes on](Self::resume), here or
    /// at another process that has the same key: see [`AwaitToken::suspend`].
    ///
    /// # Errors
    /// [`KeptWaiting`] gives the context back, untouched.
    pub fn suspend(&self, waiting: AwaitToken) -> Result<Vec<u8>, KeptWaiting> {
        match self.transfer_policy() {
            Ok(policy) => self.suspend_under(waiting, policy),
            Err(refusal) => Err(KeptWaiting { waiting, error: refusal.into() }),
        }
    }

    /// As [`suspend`](Self::suspend), under another policy than the configured one.
    ///
    /// # Errors
    /// [`KeptWaiting`] gives the context back, untouched.
    pub fn suspend_under(&self, waiting: AwaitToken, policy: &Policy) -> Result<Vec<u8>, KeptWaiting> {
        let held = self.sealing_key();
        let claims = policy.demands(self.receiver());
        let seal = held.as_ref().map_err(Clone::clone).and_then(|held| Ok((held, held.key()?, claims?)));
        match seal {
            Ok((held, key, claims)) => {
                let seal = key.under(&claims);
                waiting.suspend(seal.issued_by(&|header| self.issue(held, header)), self.settings())
            }
            Err(refusal) => Err(KeptWaiting { waiting, error: refusal.into() }),
        }
    }

    /// Goes on with a context from its cookie, which is spent by that. Whom it accepts for, and what it demands of the
    /// initiator, says `accept`.
    ///
    /// ```no_run
    /// # use orthros::{Orthros, Step};
    /// # fn next_turn(orthros: &Orthros, cookie: &[u8], token: &[u8]) -> Result<Step, orthros::Error> {
    /// let accept = orthros.accept(&orthros.acceptor()?);
    /// let step = orthros.resume(cookie, accept)?.token(token);
    /// # Ok(step) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Transfer`] says why not; a refused cookie is not spent.
    pub fn resume(&self, cookie: &[u8], accept: Accept) -> Result<AwaitToken, Error> {
        self.resume_under(cookie, accept, self.transfer_policy()?)
    }

    /// Whether a cookie could [go on](Self::resume) here, by `policy` or the configured one, if it was not spent: what can be
    /// said before there is a credential to accept with. It is not spent by that.
    ///
    /// # Errors
    /// [`Error::Transfer`] says why not.
    pub fn check_cookie(&self, cookie: &[u8], policy: Option<&Policy>) -> Result<(), Error> {
        let shown = policy.map_or_else(|| self.transfer_policy(), Ok)?.shown(cookie)?;
        let held = self.opening_key(cookie)?;
        Ok(transfer::suspend::check(cookie, held.key()?.under(&shown), self.settings())?)
    }

    /// As [`resume`](Self::resume), under another policy than the configured one.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn resume_under(&self, cookie: &[u8], accept: Accept, policy: &Policy) -> Result<AwaitToken, Error> {
        let shown = policy.shown(cookie)?;
        let held = self.opening_key(cookie)?;
        let mut step = accept.resume(cookie, held.key()?.under(&shown));
        loop {
            step = match step {
                Step::Receive(waiting) => return Ok(waiting),
                Step::Failed(error) => return Err(error),
                Step::Need(need) => self.provide(need),
                Step::Send(owed) => owed.sent(),
                Step::Done(_) => return Err(TransferRefusal::Version.into()),
            };
        }
    }
}
