//! A key for this process and what it forks afterwards: in memory only, with a ledger that the family inherits.
//!
//! Shape: 32 random octets, which every child of a fork has a copy of, and a memfd (a file without a name) that holds the
//! table of [`FileLedger`](crate::ledger::FileLedger). A lock on an inherited descriptor does not exclude those that
//! inherited it, so each use opens the memfd anew, by `/proc/self/fd`, and locks that. Nothing outlives the family, and
//! nothing can be read by another process of the user that may not trace this one.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use orthros_gss::transfer::SealingKey;
use orthros_wire::{Random, SecretBytes};
use zeroize::Zeroizing;

use crate::ledger::FamilyLedger;
use crate::random::SystemRandom;

/// A sealing key and its ledger, for the processes that this one forks from now on. Cheap to clone.
///
/// It is made before forking; who was forked before, or is no child, can import nothing. A program that a child
/// *executes* is no member either: the descriptor is closed on exec, and the memory is gone.
///
/// ```
/// use orthros::Orthros;
/// use orthros::transfer::FamilyKey;
/// let family = FamilyKey::new()?;
/// let orthros = Orthros::builder().transfer_family(&family).build();
/// // ... and now the workers are forked, each with `orthros`.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct FamilyKey(Arc<Family>);

struct Family {
    secret: SecretBytes,
    ledger: FamilyLedger,
}

impl FamilyKey {
    /// A new family: this process.
    ///
    /// # Errors
    /// That of making or opening a memfd: no descriptors left, or no `/proc`.
    pub fn new() -> io::Result<Self> {
        let mut secret = Zeroizing::new(vec![0; 32]);
        SystemRandom.fill(&mut secret);
        Ok(Self(Arc::new(Family { secret: secret.into(), ledger: FamilyLedger::new()? })))
    }

    /// The one family of this process that the configuration can ask for (`transfer_key = family`): made when it is first
    /// asked for.
    pub(crate) fn of_process() -> Result<Self, String> {
        static OF_PROCESS: OnceLock<FamilyKey> = OnceLock::new();
        if let Some(family) = OF_PROCESS.get() {
            return Ok(family.clone());
        }
        let fresh = Self::new().map_err(|error| format!("no key of a family: {error}"))?;
        Ok(OF_PROCESS.get_or_init(|| fresh).clone())
    }

    pub(crate) fn sealing_key(&self) -> SealingKey {
        SealingKey::new(SecretBytes::copy_of(self.0.secret.expose_octets()), b"orthros family")
    }

    pub(crate) fn ledger(&self) -> FamilyLedger {
        self.0.ledger.clone()
    }
}

impl fmt::Debug for FamilyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FamilyKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::tests::in_a_child;
    use crate::{Config, Context, Name, Orthros};

    /// Two ends of a context; the acceptor's is the family's.
    fn established(family: &FamilyKey) -> (Orthros, Context, Context) {
        let realm = orthros_kdc::Realm::builder("TEST").principal("alice", "pw").service("host/localhost");
        let kdc = orthros_kdc::Listener::start(realm.build(&SystemRandom).unwrap()).unwrap();
        let config = Config::for_realm("TEST", &[&kdc.address().to_string()]).unwrap();
        let orthros = Orthros::builder().config(config).transfer_family(family).build();
        let keytab = kdc.realm().keytab("host/localhost").unwrap();
        orthros.write_keytab(orthros.default_keytab(), keytab).unwrap();
        let (mut near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        let server = orthros.clone();
        let accepting = std::thread::spawn(move || {
            let request = server.accept(&server.acceptor().unwrap());
            server.establish(request.start(), &mut far).unwrap()
        });
        let alice = orthros.acquire("alice").password("pw").blocking().unwrap();
        let request = orthros.initiate_with(&alice, Name::hostbased_service("host", "localhost"));
        let initiator = orthros.establish(request.mutual().confidential().start(), &mut near).unwrap();
        (orthros, initiator, accepting.join().unwrap())
    }

    fn told(outcome: Result<Context, crate::Error>) -> Vec<u8> {
        outcome.map_or_else(|error| error.to_string(), |_| "imported".into()).into_bytes()
    }

    #[test]
    fn a_worker_exports_another_imports_and_nobody_else_of_the_family_does() {
        let family = FamilyKey::new().unwrap();
        let (orthros, initiator, acceptor) = established(&family);
        let mut acceptor = Some(acceptor);
        let token = in_a_child(|| orthros.export(acceptor.take().unwrap()).unwrap());
        // The parent's copy is what a fork leaves; a program exports in one of the two.
        drop(acceptor);
        let sent = initiator.wrap(b"to whoever has it").unwrap();
        let heard = in_a_child(|| orthros.import(&token).unwrap().unwrap(&sent).unwrap().message);
        assert_eq!(heard, b"to whoever has it");
        for refused in [in_a_child(|| told(orthros.import(&token))), told(orthros.import(&token))] {
            let refused = String::from_utf8(refused).unwrap();
            assert!(refused.contains("was spent at"), "{refused}");
        }
    }

    #[test]
    fn another_family_and_a_user_s_key_open_nothing() {
        let (orthros, _, acceptor) = established(&FamilyKey::new().unwrap());
        let token = orthros.export(acceptor).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let places = crate::seal_key::Places::new().within(folder.path());
        let strangers = [
            Orthros::builder().transfer_family(&FamilyKey::new().unwrap()).build(),
            Orthros::builder().transfer_places(places).build(),
        ];
        for stranger in strangers {
            let said = String::from_utf8(told(stranger.import(&token))).unwrap();
            assert!(said.starts_with("the token was sealed with another key"), "{said}");
        }
        assert!(orthros.import(&token).is_ok());
    }
}
