//! The configuration: `krb5.conf` as MIT krb5 reads it, in two layers.
//!
//! - [`Profile`]: the tree of one file, with the files that it includes. Several profiles are looked through
//!   in order; for a single value the first wins, and `*` after a name or a section keeps later files out.
//! - [`Config`]: what the rest of Orthros goes by, read from profiles once and shared by [`Arc`].
//!
//! The format is defined by the manual page `krb5.conf(5)`, not by an RFC:
//!
//! ```text
//! # a comment                       [realms]
//! [libdefaults]                         EXAMPLE.COM = {
//!     default_realm = EXAMPLE.COM           kdc = kdc.example.com
//! includedir /etc/krb5.conf.d           }
//! ```
//!
//! Deliberately not here: reading files (a [`Resolver`] is asked for what a file includes), and which files
//! there are.

mod capaths;
mod parse;
mod profile;
mod relations;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use orthros_crypto::Enctype;

pub use capaths::Capaths;
pub(crate) use capaths::hierarchical;
pub use parse::{Include, Resolver};
pub use profile::{Profile, Value};
pub use value::{KdcAddress, PathTokens, Transport, UnknownToken, parse_duration};

/// A configuration that cannot be understood: where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadConfig {
    /// The file.
    pub origin: String,
    /// The line, counted from 1; 0 if no line can be named.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.origin, self.what),
            line => write!(f, "{}, line {line}: {}", self.origin, self.what),
        }
    }
}

impl std::error::Error for BadConfig {}

/// Whether host names are asked from DNS before a principal is made from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CanonicalizeHost {
    /// Only if the name as given is not known to the KDC.
    Fallback,
    /// Never.
    No,
    /// Always.
    Yes,
}

/// What is configured about one realm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Realm {
    /// `kdc`: in the order in which they are asked.
    pub kdcs: Vec<KdcAddress>,
    /// `primary_kdc` or `master_kdc`: asked again if another KDC holds the password to be wrong.
    pub primary_kdcs: Vec<KdcAddress>,
    /// `kpasswd_server`: where passwords are changed.
    pub kpasswd_servers: Vec<KdcAddress>,
    /// `admin_server`.
    pub admin_servers: Vec<KdcAddress>,
}

/// The section `[orthros]`: what only Orthros has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// `transfer`: whether contexts may be exported.
    pub enabled: bool,
    /// `transfer_key`: which sealing key.
    pub key: Option<String>,
    /// `transfer_ledger`: which ledger.
    pub ledger: Option<String>,
    /// `transfer_allow`: who may import.
    pub allow: Option<String>,
    /// `transfer_policy`: what tokens demand of their importer.
    pub policy: Option<String>,
    /// `transfer_suspend`: whether acceptors' contexts on their way up may be exported as cookies (in C; in Rust the program
    /// says so by what it calls).
    pub suspend: bool,
}

impl Default for Transfer {
    fn default() -> Self {
        Self { enabled: true, key: None, ledger: None, allow: None, policy: None, suspend: false }
    }
}

/// The configuration as values. Fields are named as in `krb5.conf`, section `[libdefaults]`.
///
/// ```
/// use orthros_krb5::Config;
/// let config = Config::parse(
///     "[libdefaults]
///          default_realm = EXAMPLE.COM
///      [realms]
///          EXAMPLE.COM = {
///              kdc = kdc.example.com
///              kdc = tcp/[2001:db8::1]:750
///          }
///      [domain_realm]
///          .example.com = EXAMPLE.COM",
/// )?;
/// assert_eq!(config.kdcs("EXAMPLE.COM")[1].port, 750);
/// assert_eq!(config.realm_of_host("www.example.com"), Some("EXAMPLE.COM"));
/// # Ok::<(), orthros_krb5::config::BadConfig>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The realm of principals that name none.
    pub default_realm: Option<String>,
    /// Whether triple DES may be used, where a list of enctypes names it (`DEFAULT` does). RFC 8429 deprecates
    /// it.
    pub allow_des3: bool,
    /// Whether RC4 may be used, where a list of enctypes names it (`DEFAULT` does). RFC 8429 deprecates it.
    pub allow_rc4: bool,
    /// As `allow_des3` and `allow_rc4` together. MIT krb5 means by it single DES, which is not here in any case;
    /// Heimdal means all that is weak.
    pub allow_weak_crypto: bool,
    /// Whether initial requests ask the KDC for the client's canonical name.
    pub canonicalize: bool,
    /// Whether acceptors are told that this client always sends its channel bindings (MS-KILE): they refuse it then
    /// where they have bindings and it has none.
    pub client_aware_channel_bindings: bool,
    /// By how many seconds clocks may differ.
    pub clockskew: i64,
    /// The cache used where none is named; may contain tokens, see [`PathTokens`].
    pub default_ccache_name: Option<String>,
    /// The keytab with initiators' keys; may contain tokens.
    pub default_client_keytab_name: Option<String>,
    /// The keytab with acceptors' keys; may contain tokens.
    pub default_keytab_name: Option<String>,
    /// Enctypes asked for in TGS requests, best first.
    pub default_tgs_enctypes: Vec<Enctype>,
    /// Enctypes asked for in AS requests, best first.
    pub default_tkt_enctypes: Vec<Enctype>,
    /// Whether host names are made canonical by DNS.
    pub dns_canonicalize_hostname: CanonicalizeHost,
    /// Whether KDCs are looked for in DNS where none is configured.
    pub dns_lookup_kdc: bool,
    /// Whether the realm of a host is looked for in DNS.
    pub dns_lookup_realm: bool,
    /// Whether URI records are asked for before SRV records.
    pub dns_uri_lookup: bool,
    /// Whether credentials are delegated only to services whose tickets the KDC has marked `ok-as-delegate`.
    pub enforce_ok_as_delegate: bool,
    /// Addresses that tickets with addresses shall name besides the machine's own (behind NAT).
    pub extra_addresses: Vec<String>,
    /// Whether initial tickets are forwardable if nobody says otherwise.
    pub forwardable: bool,
    /// Whether an acceptor named `service@host` takes any key of that service.
    pub ignore_acceptor_hostname: bool,
    /// Whether a user's `.k5login`, where there is one, alone decides who may log in as the user.
    pub k5login_authoritative: bool,
    /// The directory with a login file per user, named as the user; `None`: `.k5login` in each home directory.
    pub k5login_directory: Option<String>,
    /// Whether the KDC's clock is used to correct ours.
    pub kdc_timesync: bool,
    /// Whether tickets are asked for without addresses.
    pub noaddresses: bool,
    /// Enctypes that may be used at all, best first.
    pub permitted_enctypes: Vec<Enctype>,
    /// Whether initial tickets are proxiable if nobody says otherwise.
    pub proxiable: bool,
    /// The domain that completes a host name without a dot where DNS did not make it canonical; `None`: the
    /// first search domain of the system's resolver, empty: none.
    pub qualify_shortname: Option<String>,
    /// Whether an address is looked up for its name when host names are made canonical.
    pub rdns: bool,
    /// For how many seconds initial tickets shall be renewable; `None`: not at all.
    pub renew_lifetime: Option<i64>,
    /// For how many seconds initial tickets shall be valid.
    pub ticket_lifetime: i64,
    /// Requests of more octets than this are sent by TCP first.
    pub udp_preference_limit: usize,
    /// Whether checking new tickets against the keytab fails where there is no key to check with. MIT krb5 takes it for
    /// false if it is not set, and then checks nothing there.
    pub verify_ap_req_nofail: bool,
    /// The section `[orthros]`.
    pub transfer: Transfer,
    realms: BTreeMap<String, Realm>,
    domain_realm: BTreeMap<String, String>,
    capaths: Arc<Capaths>,
    profiles: Vec<Profile>,
    warnings: Vec<BadConfig>,
}

impl Default for Config {
    /// What holds where nothing is configured.
    fn default() -> Self {
        Self {
            default_realm: None,
            allow_des3: false,
            allow_rc4: false,
            allow_weak_crypto: false,
            canonicalize: false,
            client_aware_channel_bindings: false,
            clockskew: 300,
            default_ccache_name: None,
            default_client_keytab_name: None,
            default_keytab_name: None,
            default_tgs_enctypes: Enctype::STRONG.to_vec(),
            default_tkt_enctypes: Enctype::STRONG.to_vec(),
            dns_canonicalize_hostname: CanonicalizeHost::Yes,
            dns_lookup_kdc: true,
            dns_lookup_realm: false,
            dns_uri_lookup: true,
            enforce_ok_as_delegate: false,
            extra_addresses: Vec::new(),
            forwardable: false,
            ignore_acceptor_hostname: false,
            k5login_authoritative: true,
            k5login_directory: None,
            kdc_timesync: true,
            noaddresses: true,
            permitted_enctypes: Enctype::STRONG.to_vec(),
            proxiable: false,
            qualify_shortname: None,
            rdns: true,
            renew_lifetime: None,
            ticket_lifetime: 86_400,
            udp_preference_limit: 1_465,
            verify_ap_req_nofail: true,
            transfer: Transfer::default(),
            realms: BTreeMap::new(),
            domain_realm: BTreeMap::new(),
            capaths: Arc::default(),
            profiles: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a text that includes nothing.
    ///
    /// # Errors
    /// [`BadConfig`] names the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadConfig> {
        Self::from_profiles(vec![Profile::parse(text, "configuration text")?])
    }

    /// The configuration of several files; where they differ, the earlier ones win.
    ///
    /// # Errors
    /// [`BadConfig`] names a value that cannot be understood, and where it stands.
    pub fn from_profiles(profiles: Vec<Profile>) -> Result<Self, BadConfig> {
        let mut config = Self::default();
        config.read_libdefaults(&Section { profiles: &profiles, path: "libdefaults" })?;
        config.read_realms(&profiles);
        let transfer = Section { profiles: &profiles, path: "orthros" };
        transfer.boolean("transfer", &mut config.transfer.enabled)?;
        transfer.text("transfer_key", &mut config.transfer.key);
        transfer.text("transfer_ledger", &mut config.transfer.ledger);
        transfer.text("transfer_allow", &mut config.transfer.allow);
        transfer.text("transfer_policy", &mut config.transfer.policy);
        transfer.boolean("transfer_suspend", &mut config.transfer.suspend)?;
        config.capaths = Arc::new(Capaths::read(&profiles));
        config.profiles = profiles;
        Ok(config)
    }

    /// A configuration that knows one realm, which is the default one, by its KDCs (see [`KdcAddress::parse`]),
    /// and asks DNS for nothing.
    ///
    /// # Errors
    /// [`BadConfig`] names the first that is no address.
    pub fn for_realm(realm: &str, kdcs: &[&str]) -> Result<Self, BadConfig> {
        let kdcs = kdcs.iter().map(|text| {
            KdcAddress::parse(text, KDC_PORT).ok_or_else(|| BadConfig {
                origin: format!("configuration of {realm}"),
                line: 0,
                what: format!("{text:?} is no address of a KDC: write host:port"),
            })
        });
        let mut config = Self {
            default_realm: Some(realm.to_owned()),
            dns_canonicalize_hostname: CanonicalizeHost::No,
            dns_lookup_kdc: false,
            dns_lookup_realm: false,
            dns_uri_lookup: false,
            rdns: false,
            ..Self::default()
        };
        let kdcs = kdcs.collect::<Result<Vec<_>, _>>()?;
        config.set_realm(realm, Realm { kdcs, ..Realm::default() });
        Ok(config)
    }

    /// What is configured about `realm`.
    pub fn realm(&self, realm: &str) -> Option<&Realm> {
        self.realms.get(realm)
    }

    /// Every realm that something is configured about.
    pub fn realms(&self) -> impl Iterator<Item = (&str, &Realm)> {
        self.realms.iter().map(|(name, realm)| (name.as_str(), realm))
    }

    /// Replaces what is configured about `name`.
    pub fn set_realm(&mut self, name: &str, realm: Realm) {
        self.realms.insert(name.to_owned(), realm);
    }

    /// The configured KDCs of `realm`, in the order in which they are asked.
    pub fn kdcs(&self, realm: &str) -> &[KdcAddress] {
        self.realms.get(realm).map_or(&[], |realm| &realm.kdcs)
    }

    /// The realm of a host by `[domain_realm]`: an entry for the host itself, else for the nearest domain above
    /// it, with or without a leading dot. `None` if there is none, and for numeric addresses: the client's own
    /// KDC may know more (a referral, RFC 6806).
    pub fn realm_of_host(&self, host: &str) -> Option<&str> {
        if self.domain_realm.is_empty() {
            return None;
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let numeric = host.contains(':') || host.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
        let lower = host.bytes().any(|octet| octet.is_ascii_uppercase()).then(|| host.to_ascii_lowercase());
        let mut rest = Some(lower.as_deref().unwrap_or(host)).filter(|_| !numeric);
        while let Some(name) = rest.filter(|name| !name.is_empty()) {
            if let Some(realm) = self.domain_realm.get(name) {
                return Some(realm);
            }
            rest = name.strip_prefix('.').or_else(|| name.find('.').and_then(|dot| name.get(dot..)));
        }
        None
    }

    /// Maps a host, or with a leading dot a domain, to a realm.
    pub fn set_realm_of_host(&mut self, host: &str, realm: &str) {
        self.domain_realm.insert(host.to_ascii_lowercase(), realm.to_owned());
    }

    /// The realms between two realms, both left out: by `[capaths]`, or else by the components of their names.
    pub fn capath(&self, client_realm: &str, server_realm: &str) -> Vec<String> {
        self.capaths.between(client_realm, server_realm)
    }

    /// The section `[capaths]`.
    pub fn capaths(&self) -> &Arc<Capaths> {
        &self.capaths
    }

    /// Replaces the section `[capaths]`.
    pub fn set_capaths(&mut self, capaths: Capaths) {
        self.capaths = Arc::new(capaths);
    }

    /// The values at `path` (section, subsections, name) in the files that this was read from, for what has no
    /// field here. Earlier files come first.
    pub fn values<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = Value<'a>> + use<'a> {
        profile::values(&self.profiles, path).into_iter()
    }

    /// The names of the subsections of the section at `path`, each once; earlier files come first.
    pub fn subsections<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = &'a str> + use<'a> {
        profile::subsections(&self.profiles, path).into_iter()
    }

    /// All relations of the section at `path`; earlier files come first.
    pub fn relations<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = Value<'a>> + use<'a> {
        profile::relations(&self.profiles, path).into_iter()
    }

    /// What was passed over in the files, and probably not meant so: text after a quoted value, a missing `}`, an
    /// address of a KDC that is none.
    pub fn warnings(&self) -> impl Iterator<Item = &BadConfig> {
        self.profiles.iter().flat_map(Profile::warnings).chain(&self.warnings)
    }

    fn read_libdefaults(&mut self, section: &Section<'_>) -> Result<(), BadConfig> {
        section.text("default_realm", &mut self.default_realm);
        // Heimdal's name first: where both are, MIT's wins.
        section.text("default_cc_name", &mut self.default_ccache_name);
        section.text("default_ccache_name", &mut self.default_ccache_name);
        section.text("default_client_keytab_name", &mut self.default_client_keytab_name);
        section.text("default_keytab_name", &mut self.default_keytab_name);
        section.text("k5login_directory", &mut self.k5login_directory);
        section.text("qualify_shortname", &mut self.qualify_shortname);
        for (name, place) in [
            ("allow_des3", &mut self.allow_des3),
            ("allow_rc4", &mut self.allow_rc4),
            ("allow_weak_crypto", &mut self.allow_weak_crypto),
            ("canonicalize", &mut self.canonicalize),
            ("client_aware_channel_bindings", &mut self.client_aware_channel_bindings),
            ("dns_lookup_kdc", &mut self.dns_lookup_kdc),
            ("dns_lookup_realm", &mut self.dns_lookup_realm),
            ("dns_uri_lookup", &mut self.dns_uri_lookup),
            ("enforce_ok_as_delegate", &mut self.enforce_ok_as_delegate),
            ("forwardable", &mut self.forwardable),
            ("ignore_acceptor_hostname", &mut self.ignore_acceptor_hostname),
            ("k5login_authoritative", &mut self.k5login_authoritative),
            ("kdc_timesync", &mut self.kdc_timesync),
            ("noaddresses", &mut self.noaddresses),
            ("proxiable", &mut self.proxiable),
            ("rdns", &mut self.rdns),
            ("verify_ap_req_nofail", &mut self.verify_ap_req_nofail),
        ] {
            section.boolean(name, place)?;
        }
        section.duration("clockskew", &mut self.clockskew)?;
        section.duration("ticket_lifetime", &mut self.ticket_lifetime)?;
        let mut renew_lifetime = 0;
        section.duration("renew_lifetime", &mut renew_lifetime)?;
        self.renew_lifetime = Some(renew_lifetime).filter(|&seconds| seconds > 0);
        if let Some(value) = section.first("extra_addresses") {
            let words = value.text.split([' ', '\t', ',']).filter(|word| !word.is_empty());
            self.extra_addresses = words.map(str::to_owned).collect();
        }
        if let Some(limit) = section.integer("udp_preference_limit")? {
            // A negative number means the default; UDP has room for no more than this in any case.
            self.udp_preference_limit =
                usize::try_from(limit).map_or(self.udp_preference_limit, |limit| limit.min(32_700));
        }
        if let Some(value) = section.first("dns_canonicalize_hostname") {
            self.dns_canonicalize_hostname = match value::boolean(value.text) {
                Some(true) => CanonicalizeHost::Yes,
                Some(false) => CanonicalizeHost::No,
                None if value.text.eq_ignore_ascii_case("fallback") => CanonicalizeHost::Fallback,
                None => return Err(value.fault(not_a(&value, "boolean or fallback"))),
            };
        }
        let allowed = self.allowed_enctypes();
        self.permitted_enctypes = section.enctypes("permitted_enctypes", &allowed, &allowed)?;
        // By MIT's name, or by Heimdal's, or by Heimdal's for both exchanges.
        let both = section.enctypes("default_etypes", &allowed, &self.permitted_enctypes)?;
        let initial = section.enctypes("default_as_etypes", &allowed, &both)?;
        let service = section.enctypes("default_tgs_etypes", &allowed, &both)?;
        self.default_tkt_enctypes = section.enctypes("default_tkt_enctypes", &allowed, &initial)?;
        self.default_tgs_enctypes = section.enctypes("default_tgs_enctypes", &allowed, &service)?;
        Ok(())
    }

    /// Every enctype that a list may name: the strong ones, and the weak ones whose switch is on.
    fn allowed_enctypes(&self) -> Vec<Enctype> {
        let switched_on = |enctype: &Enctype| match enctype {
            Enctype::ArcfourHmac => self.allow_rc4 || self.allow_weak_crypto,
            Enctype::Des3CbcSha1 => self.allow_des3 || self.allow_weak_crypto,
            enctype => !enctype.is_weak(),
        };
        Enctype::ALL.iter().copied().filter(switched_on).collect()
    }

    fn read_realms(&mut self, profiles: &[Profile]) {
        let warnings = &mut self.warnings;
        for name in profile::subsections(profiles, &["realms"]) {
            let mut addresses = |keys: &[&str], port| {
                let values = keys.iter().map(|key| profile::values(profiles, &["realms", name, key]));
                let values = values.into_iter().find(|values| !values.is_empty()).unwrap_or_default();
                let parse = |value: Value<'_>| {
                    let address = KdcAddress::parse(value.text, port);
                    if address.is_none() {
                        let what = not_a(&value, "host, host:port or [address]:port: it does not count");
                        warnings.push(value.fault(what));
                    }
                    address
                };
                values.into_iter().filter_map(parse).collect()
            };
            let realm = Realm {
                kdcs: addresses(&["kdc"], KDC_PORT),
                primary_kdcs: addresses(&["primary_kdc", "master_kdc"], KDC_PORT),
                kpasswd_servers: addresses(&["kpasswd_server"], 464),
                admin_servers: addresses(&["admin_server"], 749),
            };
            self.realms.insert(name.to_owned(), realm);
        }
        for value in profile::relations(profiles, &["domain_realm"]) {
            self.domain_realm.entry(value.name.to_ascii_lowercase()).or_insert_with(|| value.text.to_owned());
        }
    }
}

const KDC_PORT: u16 = 88;

fn not_a(value: &Value<'_>, what: &str) -> String {
    format!("{} = {:?} is no {what}", value.name, value.text)
}

/// A section whose values are wanted one by one.
struct Section<'p> {
    profiles: &'p [Profile],
    path: &'static str,
}

impl<'p> Section<'p> {
    fn first(&self, name: &str) -> Option<Value<'p>> {
        profile::values(self.profiles, &[self.path, name]).into_iter().next()
    }

    fn text(&self, name: &str, place: &mut Option<String>) {
        if let Some(value) = self.first(name) {
            *place = Some(value.text.to_owned());
        }
    }

    fn boolean(&self, name: &str, place: &mut bool) -> Result<(), BadConfig> {
        if let Some(value) = self.first(name) {
            *place = value::boolean(value.text)
                .ok_or_else(|| value.fault(not_a(&value, "boolean: write yes or no")))?;
        }
        Ok(())
    }

    fn integer(&self, name: &str) -> Result<Option<i32>, BadConfig> {
        let read =
            |value: Value<'_>| value::integer(value.text).ok_or_else(|| value.fault(not_a(&value, "number")));
        self.first(name).map(read).transpose()
    }

    fn duration(&self, name: &str, place: &mut i64) -> Result<(), BadConfig> {
        if let Some(value) = self.first(name) {
            *place = parse_duration(value.text)
                .ok_or_else(|| value.fault(not_a(&value, "duration: write 36000, 10h or 10:00:00")))?;
        }
        Ok(())
    }

    /// What a list names, as far as it is `allowed`; `default` where there is no list. Other names are passed
    /// over; a list of nothing else would leave no enctype at all.
    fn enctypes(
        &self,
        name: &str,
        allowed: &[Enctype],
        default: &[Enctype],
    ) -> Result<Vec<Enctype>, BadConfig> {
        let Some(value) = self.first(name) else { return Ok(default.to_vec()) };
        let mut named = Enctype::parse_list(value.text);
        let weak = named.iter().copied().find_map(Enctype::switch);
        named.retain(|enctype| allowed.contains(enctype));
        match (named.is_empty(), weak) {
            (false, _) => Ok(named),
            (true, None) => {
                Err(value.fault(not_a(&value, "list that names an enctype which can be used here")))
            }
            (true, Some(switch)) => {
                let what = format!("list of enctypes that are strong enough: {switch} = true would allow it");
                Err(value.fault(not_a(&value, &what)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
