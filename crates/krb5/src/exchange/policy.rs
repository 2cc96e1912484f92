//! What a client asks for and what it accepts.

use std::sync::Arc;

use orthros_crypto::Enctype;
use orthros_wire::Timestamp;

use crate::Config;
use crate::config::Capaths;
use crate::credential::TypedOctets;
use crate::permitted::permit;

/// The wishes and limits of an exchange: `[libdefaults]` as far as it concerns a KDC.
///
/// ```
/// use orthros_krb5::exchange::ExchangePolicy;
/// let policy = ExchangePolicy { forwardable: true, lifetime: 3_600, ..ExchangePolicy::default() };
/// assert_eq!(policy.clock_skew, 300);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangePolicy {
    /// The enctypes that are asked for, best first. Nothing else is accepted from a KDC.
    pub enctypes: Vec<Enctype>,
    /// The enctypes that a ticket's session key from elsewhere (a cache, a delegation) may be of.
    pub permitted: Vec<Enctype>,
    /// How many seconds two clocks may differ.
    pub clock_skew: i64,
    /// Ask for tickets that can be forwarded.
    pub forwardable: bool,
    /// Ask for tickets that can be proxied.
    pub proxiable: bool,
    /// How many seconds an initial ticket should live.
    pub lifetime: i64,
    /// When the ticket of a service should end at the latest, by the KDC's clock; `None`: when the ticket-granting
    /// ticket does.
    pub service_end: Option<Timestamp>,
    /// For how many seconds an initial ticket should be renewable; `None`: not at all.
    pub renewable_lifetime: Option<i64>,
    /// In how many seconds an initial ticket should begin to be valid; `None`: now. Such a postdated ticket must
    /// be [validated](super::validated) when its time has come.
    pub start: Option<i64>,
    /// Addresses that an initial, forwarded or proxy ticket should be good from (RFC 4120 §7.5.3: 2 for IPv4, 24
    /// for IPv6); none: from everywhere.
    pub addresses: Vec<TypedOctets>,
    /// Take the canonical name of the client that an initial ticket is for from the KDC, and go to another realm
    /// if the KDC says that the client belongs there (RFC 6806 §6, §7). Enterprise names ask for that anyway.
    pub canonicalize: bool,
    /// The ways between realms.
    pub capaths: Arc<Capaths>,
    /// Adjust to the KDC's clock if it differs by more than `clock_skew`. An error's time, which nobody vouches
    /// for, serves for one encrypted timestamp; what [`Obtained::kdc_offset`](super::Obtained::kdc_offset)
    /// tells comes from a sealed reply. Without this, a difference is a failure.
    pub kdc_timesync: bool,
    /// How many seconds the KDC's clock is known to be ahead (negative: behind), from an earlier exchange.
    pub kdc_offset: i64,
}

impl Default for ExchangePolicy {
    /// What MIT krb5 does without a configuration: every strong enctype, 300 s of skew, tickets for a day.
    fn default() -> Self {
        Self {
            enctypes: Enctype::STRONG.to_vec(),
            permitted: Enctype::STRONG.to_vec(),
            clock_skew: 300,
            forwardable: false,
            proxiable: false,
            lifetime: 86_400,
            service_end: None,
            renewable_lifetime: None,
            start: None,
            addresses: Vec::new(),
            canonicalize: false,
            capaths: Arc::default(),
            kdc_timesync: true,
            kdc_offset: 0,
        }
    }
}

impl ExchangePolicy {
    /// What `krb5.conf` asks for, with `default_tkt_enctypes` for an AS exchange.
    pub fn initial(config: &Config) -> Self {
        Self::with_enctypes(config, &config.default_tkt_enctypes)
    }

    /// What `krb5.conf` asks for, with `default_tgs_enctypes` for a TGS exchange.
    pub fn service(config: &Config) -> Self {
        Self::with_enctypes(config, &config.default_tgs_enctypes)
    }

    fn with_enctypes(config: &Config, wanted: &[Enctype]) -> Self {
        let permitted = &config.permitted_enctypes;
        Self {
            enctypes: wanted.iter().copied().filter(|enctype| permitted.contains(enctype)).collect(),
            permitted: permitted.clone(),
            clock_skew: config.clockskew,
            forwardable: config.forwardable,
            proxiable: config.proxiable,
            lifetime: config.ticket_lifetime,
            service_end: None,
            renewable_lifetime: config.renew_lifetime,
            start: None,
            addresses: Vec::new(),
            canonicalize: config.canonicalize,
            capaths: Arc::clone(config.capaths()),
            kdc_timesync: config.kdc_timesync,
            kdc_offset: 0,
        }
    }

    /// The numbers that a request carries.
    pub(super) fn enctype_numbers(&self) -> Vec<i32> {
        self.enctypes.iter().map(|enctype| enctype.number()).collect()
    }

    /// The enctype with this number, if it was asked for.
    pub(super) fn asked_for(&self, number: i32) -> Option<Enctype> {
        permit(number, &self.enctypes).ok()
    }
}
