//! What a realm allows.

use orthros_crypto::Enctype;

/// The limits of a realm.
///
/// ```
/// use orthros_kdc::RealmPolicy;
/// assert_eq!(RealmPolicy::default().max_lifetime, 36_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmPolicy {
    /// The enctypes of new keys, the strongest first; also what session keys are made of. Weak ones
    /// ([`Enctype::is_weak`]) are used only if they are named here.
    pub enctypes: Vec<Enctype>,
    /// The longest life of a ticket, in seconds.
    pub max_lifetime: i64,
    /// For how many seconds at most a ticket can be renewed; 0: not at all.
    pub max_renewable_lifetime: i64,
    /// How many seconds a client's clock may differ.
    pub clock_skew: i64,
    /// Whether a client must prove who it is before it gets an initial ticket. Without this, whoever asks gets
    /// something to try passwords on.
    pub requires_preauth: bool,
    /// Whether tickets may be forwardable and proxiable.
    pub forwardable: bool,
    /// Whether tickets may be postdated.
    pub postdate: bool,
}

impl Default for RealmPolicy {
    /// All AES enctypes, ten hours, renewable for a week, 300 s of skew, pre-authentication, forwardable,
    /// postdatable.
    fn default() -> Self {
        Self {
            enctypes: vec![
                Enctype::Aes256CtsHmacSha384,
                Enctype::Aes256CtsHmacSha1,
                Enctype::Aes128CtsHmacSha256,
                Enctype::Aes128CtsHmacSha1,
            ],
            max_lifetime: 36_000,
            max_renewable_lifetime: 7 * 86_400,
            clock_skew: 300,
            requires_preauth: true,
            forwardable: true,
            postdate: true,
        }
    }
}
