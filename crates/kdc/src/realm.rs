//! A realm: its principals, their keys, and its policy, all in memory.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use orthros_crypto::{BadKey, Enctype, Key, LongTermKey, Password};
use orthros_krb5::config::Capaths;
use orthros_krb5::principal::BadPrincipal;
use orthros_krb5::{Keytab, Principal};
use orthros_wire::{Random, Timestamp};

use crate::delegation::{Delegations, Impersonation};
use crate::neighbours::Neighbours;
use crate::policy::RealmPolicy;

/// A realm that answers requests ([`Realm::answer`]). Principals can be added and keys changed while it runs.
///
/// ```
/// # struct Dice;
/// # impl orthros_wire::Random for Dice { fn fill(&self, octets: &mut [u8]) { octets.fill(4) } }
/// use orthros_kdc::Realm;
/// let realm = Realm::builder("DEMO.TEST").principal("alice", "pw").service("host/demo.test").build(&Dice)?;
/// let host = "host/demo.test@DEMO.TEST".parse()?;
/// assert_eq!(realm.keytab_for(&host).len(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Realm {
    name: String,
    policy: RealmPolicy,
    principals: RwLock<HashMap<Principal, Arc<Entry>>>,
    neighbours: Neighbours,
    delegations: Delegations,
}

/// A principal of the database.
pub(crate) struct Entry {
    /// The newest key version first.
    pub(crate) versions: Vec<KeyVersion>,
}

/// All keys of one version.
#[derive(Clone)]
pub(crate) struct KeyVersion {
    pub(crate) kvno: u32,
    /// In the realm's order, so the strongest first.
    pub(crate) keys: Vec<StoredKey>,
}

/// A key, or what it is made of once it is needed: string-to-key is slow on purpose.
#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) enctype: Enctype,
    made: OnceLock<Arc<LongTermKey>>,
    password: Option<Arc<Password>>,
}

impl StoredKey {
    fn of_password(enctype: Enctype, password: &Arc<Password>) -> Self {
        Self { enctype, made: OnceLock::new(), password: Some(Arc::clone(password)) }
    }

    /// The key of `principal`.
    pub(crate) fn key(&self, principal: &Principal) -> Result<Arc<LongTermKey>, BadKey> {
        match (self.made.get(), &self.password) {
            (Some(key), _) => Ok(Arc::clone(key)),
            (None, None) => Err(BadKey::Length { enctype: self.enctype, found: 0 }),
            (None, Some(password)) => {
                let key = Key::from_password(self.enctype, password, &principal.default_salt(), None)?;
                Ok(Arc::clone(self.made.get_or_init(|| Arc::new(key.into()))))
            }
        }
    }
}

impl Entry {
    /// The keys of the newest version.
    pub(crate) fn newest(&self) -> Option<&KeyVersion> {
        self.versions.first()
    }
}

/// A key as a keytab holds it.
#[derive(Clone, Debug)]
pub struct KeytabKey {
    /// Whose key it is.
    pub principal: Principal,
    /// Its version.
    pub kvno: u32,
    /// The key.
    pub key: Arc<LongTermKey>,
}

/// A realm can't be made or changed as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RealmError {
    /// The principal is there already.
    Exists(Principal),
    /// The realm has no enctype, so it could not make a key.
    NoEnctype,
    /// The principal belongs to another realm.
    OtherRealm(Principal),
    /// The text names no principal.
    Principal(BadPrincipal),
    /// The principal is not in the database.
    Unknown(Principal),
}

impl fmt::Display for RealmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists(principal) => write!(f, "{principal} is in the database already"),
            Self::NoEnctype => f.write_str("a realm needs at least one enctype"),
            Self::OtherRealm(principal) => {
                write!(f, "{principal} belongs to another realm than this KDC's")
            }
            Self::Principal(error) => error.fmt(f),
            Self::Unknown(principal) => write!(f, "{principal} is not in the database"),
        }
    }
}

impl std::error::Error for RealmError {}

impl From<BadPrincipal> for RealmError {
    fn from(error: BadPrincipal) -> Self {
        Self::Principal(error)
    }
}

/// Collects what a realm starts with.
#[must_use = "a builder makes a realm only by build()"]
pub struct Builder {
    name: String,
    policy: RealmPolicy,
    /// Names, with a password or (for a service) none.
    principals: Vec<(String, Option<Password>)>,
    /// Other realms, and the password of the keys shared with each.
    trusts: Vec<(String, Password)>,
    /// Names, and what they stand for.
    aliases: Vec<(String, String)>,
    neighbours: Neighbours,
    /// Services that may name users to themselves, and how far.
    impersonations: Vec<(String, Impersonation)>,
    /// Services, and a target to which each may be its clients.
    delegations: Vec<(String, String)>,
}

impl Builder {
    /// A principal with a password, such as a person. `name` may do without its realm.
    pub fn principal(mut self, name: impl Into<String>, password: impl Into<Password>) -> Self {
        self.principals.push((name.into(), Some(password.into())));
        self
    }

    /// A principal with random keys, such as a service: [`Realm::keytab_for`] gives them.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.principals.push((name.into(), None));
        self
    }

    /// Shares keys with another realm, in both directions: those of `krbtgt/OTHER@HERE` and of `krbtgt/HERE@OTHER`
    /// are made from this password, as with the other KDC's `addprinc -pw`.
    pub fn trust(mut self, realm: impl Into<String>, password: impl Into<Password>) -> Self {
        self.trusts.push((realm.into(), password.into()));
        self
    }

    /// Another name for a principal (RFC 6806 §6): clients that ask for canonical names get the real one. An
    /// enterprise name such as `alice@corp.example` is written as it is. If the real principal is one of another
    /// realm (`alice@OTHER`), clients are sent there.
    pub fn alias(mut self, name: impl Into<String>, real: impl Into<String>) -> Self {
        self.aliases.push((name.into(), real.into()));
        self
    }

    /// Services on this host, or with a leading dot on the hosts of this domain, are to be found in another realm:
    /// clients that ask for them are referred to it (RFC 6806 §8).
    pub fn refer_domain(mut self, domain: impl Into<String>, realm: impl Into<String>) -> Self {
        self.neighbours.refer(domain.into(), realm.into());
        self
    }

    /// The ways between realms that tickets may have come; otherwise the components of the realms' names tell.
    pub fn capaths(mut self, capaths: Capaths) -> Self {
        self.neighbours.capaths = capaths;
        self
    }

    /// Lets a service have tickets of users to itself, without the users being there (S4U2Self, MS-SFU). Without this
    /// none does. `service` may do without its realm.
    pub fn impersonates(mut self, service: impl Into<String>, how_far: Impersonation) -> Self {
        self.impersonations.push((service.into(), how_far));
        self
    }

    /// Lets a service have tickets of its clients to `target`, for forwardable tickets that it has of them
    /// (S4U2Proxy, MS-SFU). Without this none does. Both names may do without their realm.
    pub fn delegates_to(mut self, service: impl Into<String>, target: impl Into<String>) -> Self {
        self.delegations.push((service.into(), target.into()));
        self
    }

    /// The enctypes of the realm, the strongest first.
    pub fn enctypes(mut self, enctypes: &[Enctype]) -> Self {
        self.policy.enctypes = enctypes.to_vec();
        self
    }

    /// The longest life of a ticket, in seconds.
    pub fn max_lifetime(mut self, seconds: i64) -> Self {
        self.policy.max_lifetime = seconds;
        self
    }

    /// The whole policy, in place of the default or of what was set before.
    pub fn policy(mut self, policy: RealmPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Makes the realm, with fresh keys for its services and its ticket-granting service.
    ///
    /// # Errors
    /// [`RealmError`] if a name is no principal of this realm or stands twice, or there is no enctype.
    pub fn build(self, random: &dyn Random) -> Result<Realm, RealmError> {
        if self.policy.enctypes.is_empty() {
            return Err(RealmError::NoEnctype);
        }
        let mut neighbours = self.neighbours;
        for (name, real) in self.aliases {
            let real = Principal::parse(&real, Some(&self.name))?;
            neighbours.aliases.insert(alias(&name, &self.name)?, real);
        }
        let mut delegations = Delegations::default();
        for (service, how_far) in self.impersonations {
            delegations.impersonates.insert(Principal::parse(&service, Some(&self.name))?, how_far);
        }
        for (service, target) in self.delegations {
            let [service, target] = [&service, &target].map(|name| Principal::parse(name, Some(&self.name)));
            delegations.targets.entry(service?).or_default().push(target?);
        }
        let (name, policy) = (self.name, self.policy);
        let realm = Realm { name, policy, principals: RwLock::default(), neighbours, delegations };
        let name = Principal::ticket_granting(&realm.name, &realm.name).name_text();
        realm.add_service(&name, random)?;
        for (other, password) in self.trusts {
            let password = Arc::new(password);
            for shared in [
                Principal::ticket_granting(&other, &realm.name),
                Principal::ticket_granting(&realm.name, &other),
            ] {
                realm.insert(shared, |enctype| StoredKey::of_password(enctype, &password))?;
            }
        }
        for (name, password) in self.principals {
            match password {
                Some(password) => realm.add_principal(&name, password)?,
                None => realm.add_service(&name, random)?,
            }
        }
        Ok(realm)
    }
}

impl Realm {
    /// Begins a realm with this name, which is written in capitals by custom.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder {
            name: name.into(),
            policy: RealmPolicy::default(),
            principals: Vec::new(),
            trusts: Vec::new(),
            aliases: Vec::new(),
            neighbours: Neighbours::default(),
            impersonations: Vec::new(),
            delegations: Vec::new(),
        }
    }

    /// Adds a principal with a password. `name` may do without its realm.
    ///
    /// # Errors
    /// [`RealmError`] if it is no principal of this realm, or is there already.
    pub fn add_principal(&self, name: &str, password: impl Into<Password>) -> Result<(), RealmError> {
        let password = Arc::new(password.into());
        self.add(name, |enctype| StoredKey::of_password(enctype, &password))
    }

    /// Adds a principal with random keys. `name` may do without its realm.
    ///
    /// # Errors
    /// As [`add_principal`](Self::add_principal).
    pub fn add_service(&self, name: &str, random: &dyn Random) -> Result<(), RealmError> {
        self.add(name, |enctype| random_key(enctype, random))
    }

    /// Gives a principal new random keys under the next version number. Tickets for the old ones stay good as
    /// long as the service keeps the old keys; the ticket-granting service does.
    ///
    /// # Errors
    /// [`RealmError::Unknown`].
    pub fn roll_over(&self, principal: &Principal, random: &dyn Random) -> Result<u32, RealmError> {
        self.new_version(principal, |enctype| random_key(enctype, random))
    }

    /// Gives a principal a new password under the next version number.
    ///
    /// # Errors
    /// [`RealmError::Unknown`].
    pub fn change_password(
        &self,
        principal: &Principal,
        password: impl Into<Password>,
    ) -> Result<u32, RealmError> {
        let password = Arc::new(password.into());
        self.new_version(principal, |enctype| StoredKey::of_password(enctype, &password))
    }

    /// The newest keys of a principal, the strongest first, for its keytab; none if it is not known.
    pub fn keytab_for(&self, principal: &Principal) -> Vec<KeytabKey> {
        let entry = self.entry(principal);
        let Some(version) = entry.as_ref().and_then(|entry| entry.newest()) else { return Vec::new() };
        let made = version.keys.iter().filter_map(|stored| stored.key(principal).ok());
        made.map(|key| KeytabKey { principal: principal.clone(), kvno: version.kvno, key }).collect()
    }

    /// A keytab with the newest keys of a principal, for its acceptor. `name` may do without its realm.
    ///
    /// # Errors
    /// [`RealmError`] if it is no principal of this realm, or is not known.
    pub fn keytab(&self, name: &str) -> Result<Keytab, RealmError> {
        let principal = Principal::parse(name, Some(&self.name))?;
        let mut keytab = Keytab::default();
        for key in self.keytab_for(&principal) {
            let added = keytab.add(key.principal, key.kvno, key.key.duplicate(), Timestamp::default());
            debug_assert!(added.is_ok(), "a name that parses fits a keytab");
        }
        if keytab.entries().next().is_none() {
            return Err(RealmError::Unknown(principal));
        }
        Ok(keytab)
    }

    /// The realm's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The realm's limits.
    pub fn policy(&self) -> &RealmPolicy {
        &self.policy
    }

    pub(crate) fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    pub(crate) fn delegations(&self) -> &Delegations {
        &self.delegations
    }

    /// The database's entry of a principal.
    pub(crate) fn entry(&self, principal: &Principal) -> Option<Arc<Entry>> {
        self.principals.read().unwrap_or_else(PoisonError::into_inner).get(principal).cloned()
    }

    fn add(&self, name: &str, stored: impl Fn(Enctype) -> StoredKey) -> Result<(), RealmError> {
        let principal = Principal::parse(name, Some(&self.name))?;
        if principal.realm() != self.name {
            return Err(RealmError::OtherRealm(principal));
        }
        self.insert(principal, stored)
    }

    fn insert(&self, principal: Principal, stored: impl Fn(Enctype) -> StoredKey) -> Result<(), RealmError> {
        let keys = self.policy.enctypes.iter().copied().map(stored).collect();
        let mut principals = self.principals.write().unwrap_or_else(PoisonError::into_inner);
        if principals.contains_key(&principal) {
            return Err(RealmError::Exists(principal));
        }
        principals.insert(principal, Arc::new(Entry { versions: vec![KeyVersion { kvno: 1, keys }] }));
        Ok(())
    }

    fn new_version(
        &self,
        principal: &Principal,
        stored: impl Fn(Enctype) -> StoredKey,
    ) -> Result<u32, RealmError> {
        let keys = self.policy.enctypes.iter().copied().map(stored).collect();
        let mut principals = self.principals.write().unwrap_or_else(PoisonError::into_inner);
        let place = principals.get_mut(principal).ok_or_else(|| RealmError::Unknown(principal.clone()))?;
        let kvno = place.newest().map_or(1, |version| version.kvno.saturating_add(1));
        let versions = std::iter::once(KeyVersion { kvno, keys }).chain(place.versions.iter().cloned());
        *place = Arc::new(Entry { versions: versions.collect() });
        Ok(kvno)
    }
}

/// An alias as requests carry it. What looks like an address is an enterprise name: one component.
fn alias(name: &str, realm: &str) -> Result<Principal, RealmError> {
    match Principal::parse(name, Some(realm)) {
        Ok(principal) if principal.realm() == realm => Ok(principal),
        Ok(_) => Ok(Principal::enterprise(name, realm)),
        Err(error) => Err(error.into()),
    }
}

fn random_key(enctype: Enctype, random: &dyn Random) -> StoredKey {
    let key = Arc::new(LongTermKey::from(Key::random(enctype, random)));
    StoredKey { enctype, made: OnceLock::from(key), password: None }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realm")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.principals.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .field("principals", &names)
            .finish()
    }
}
