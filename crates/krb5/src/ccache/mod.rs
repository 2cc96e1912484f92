//! Credential caches: a client's tickets, in the file format of MIT krb5. Versions 1 to 4 are read; 4 is written,
//! and a ticket can be added to a file of version 3.
//!
//! The format is defined by implementations, not by an RFC. All numbers are big-endian:
//!
//! ```text
//! file       = 05 04 header-length(2) field* principal credential*
//! field      = tag(2) length(2) octets         tag 1: the KDC's time minus ours, seconds(4) microseconds(4)
//! principal  = name-type(4) count(4) realm component*
//! credential = client server enctype(2) key authtime(4) starttime(4) endtime(4) renew-till(4)
//!              in-session-key(1) flags(4) addresses authorization-data ticket second-ticket
//! addresses, authorization-data = count(4), for each: type(2) octets
//! realm, component, key, octets, ticket = length(4) octets
//! ```
//!
//! Version 3 has no header and writes the enctype twice. Versions 1 and 2 have no header either, and the byte order
//! of the machine that wrote them; version 1 has no name types, and counts the realm among the components. Among the credentials stand notes of the cache's own
//! ([`Configuration`]), whose server lies in the realm `X-CACHECONF:`, and entries that were removed in
//! place: they end at 0 but have an authtime, and are passed over.
//!
//! A credential that cannot be used here (an enctype that Orthros lacks, a name that is no UTF-8) is kept and
//! written again, so that rewriting a cache loses no ticket.
//!
//! Deliberately not here: files and their locks, and other kinds of cache.

mod format;

use std::fmt;
use std::sync::Arc;

use orthros_crypto::Enctype;
use orthros_wire::{SecretBytes, Timestamp};
use zeroize::Zeroizing;

use crate::record_reader::ByteOrder;
use crate::{Credential, Principal, TicketTimes};

/// Why octets are no credential cache.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadCache {
    /// The credential that begins here does not add up.
    Credential {
        /// Where it begins, in octets from the beginning of the file.
        offset: usize,
    },
    /// The header or the cache's principal does not add up.
    Header,
    /// The first octet is not 0x05: something else than a credential cache, or nothing at all.
    NotACache,
    /// A version of the format to which nothing is added here.
    OldVersion(u8),
    /// A version of the format that is not read here.
    Version(u8),
}

impl fmt::Display for BadCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential { offset } => write!(
                f,
                "the credential at octet {offset} of the cache is damaged or cut short: get new tickets with kinit"
            ),
            Self::Header => f.write_str(
                "the credential cache's header is damaged or cut short: get new tickets with kinit",
            ),
            Self::NotACache => {
                f.write_str("this is no credential cache: it does not begin with the octet 05")
            }
            Self::OldVersion(version) => {
                write!(
                    f,
                    "nothing is added to a credential cache of version {version}: make a new one with kinit"
                )
            }
            Self::Version(version) => {
                write!(f, "credential cache version {version} is not known: versions 1 to 4 are")
            }
        }
    }
}

impl std::error::Error for BadCache {}

/// What has to be added to this machine's time to get the KDC's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeOffset {
    /// Whole seconds.
    pub seconds: i32,
    /// Microseconds.
    pub microseconds: i32,
}

/// A note that the cache keeps about itself or about one principal, such as `fast_avail` or `pa_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// What is noted.
    pub key: String,
    /// About whom; `None`: about the whole cache.
    pub principal: Option<Principal>,
    /// The note; most often text, but for instance `refresh_time` is a decimal number and others may be DER.
    pub value: Vec<u8>,
}

/// The content of a credential cache: whose it is, and what is in it.
///
/// ```
/// use orthros_krb5::CredentialCache;
/// let mut cache = CredentialCache::new("alice@EXAMPLE.COM".parse()?);
/// cache.set_configuration("fast_avail", None, Some(b"yes"));
/// let again = CredentialCache::parse(cache.to_octets().expose_octets())?;
/// assert_eq!(again.primary().to_string(), "alice@EXAMPLE.COM");
/// assert_eq!(again.configuration_value("fast_avail", None), Some(&b"yes"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CredentialCache {
    primary: Principal,
    time_offset: Option<TimeOffset>,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    Configuration(Configuration),
    Credential(Credential),
    Opaque(OpaqueCredential),
}

/// A credential that cannot be used here, kept as it came.
#[derive(Clone)]
pub struct OpaqueCredential {
    server: Option<Principal>,
    enctype: i32,
    times: TicketTimes,
    /// The record, as version 4 has it.
    record: Arc<SecretBytes>,
}

impl OpaqueCredential {
    /// Whom it is for; `None` if the name is no UTF-8 or has no component.
    pub fn server(&self) -> Option<&Principal> {
        self.server.as_ref()
    }

    /// The number of the session key's enctype.
    pub fn enctype_number(&self) -> i32 {
        self.enctype
    }

    /// When it is valid.
    pub fn times(&self) -> TicketTimes {
        self.times
    }
}

impl fmt::Debug for OpaqueCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpaqueCredential")
            .field("server", &self.server)
            .field("enctype", &self.enctype)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

impl CredentialCache {
    /// An empty cache of this client.
    pub fn new(primary: Principal) -> Self {
        Self { primary, time_offset: None, entries: Vec::new() }
    }

    /// Reads a whole cache.
    ///
    /// # Errors
    /// [`BadCache`] names the octet where a damaged credential begins.
    pub fn parse(octets: &[u8]) -> Result<Self, BadCache> {
        format::parse(octets, ByteOrder::NATIVE)
    }

    /// The cache as a file has it, in version 4, without removed entries.
    pub fn to_octets(&self) -> SecretBytes {
        format::write(self).into()
    }

    /// The records of all entries, tickets and notes, as a file of version 4 has them one after another.
    pub fn records(&self) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
        self.entries.iter().map(|entry| format::record(&self.primary, entry))
    }

    /// Whose cache it is.
    pub fn primary(&self) -> &Principal {
        &self.primary
    }

    /// What the cache knows about the KDC's clock.
    pub fn time_offset(&self) -> Option<TimeOffset> {
        self.time_offset
    }

    /// Notes what is known about the KDC's clock.
    pub fn set_time_offset(&mut self, offset: Option<TimeOffset>) {
        self.time_offset = offset;
    }

    /// The tickets that can be used here, in the order of the file.
    pub fn credentials(&self) -> impl Iterator<Item = &Credential> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Credential(credential) => Some(credential),
            Entry::Configuration(_) | Entry::Opaque(_) => None,
        })
    }

    /// The entries that are kept but cannot be used here, in the order of the file.
    pub fn opaque_credentials(&self) -> impl Iterator<Item = &OpaqueCredential> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Opaque(credential) => Some(credential),
            Entry::Configuration(_) | Entry::Credential(_) => None,
        })
    }

    /// Adds a ticket at the end.
    pub fn add(&mut self, credential: Credential) {
        self.entries.push(Entry::Credential(credential));
    }

    /// Takes out the tickets for which `unwanted` says so; how many those were.
    pub fn remove(&mut self, mut unwanted: impl FnMut(&Credential) -> bool) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| !matches!(entry, Entry::Credential(credential) if unwanted(credential)));
        before - self.entries.len()
    }

    /// A ticket of the cache's own client for `server` that has not ended at `now` and whose session key is of
    /// one of `enctypes` (`None`: of any). Of several, the enctype named first wins, then the latest end.
    ///
    /// Tickets of other clients (S4U) and user-to-user tickets are never found this way: go through
    /// [`credentials`](Self::credentials) for those.
    pub fn find(
        &self,
        server: &Principal,
        enctypes: Option<&[Enctype]>,
        now: Timestamp,
    ) -> Option<&Credential> {
        let rank = |credential: &Credential| match enctypes {
            None => Some(0),
            Some(wanted) => wanted.iter().position(|&enctype| enctype == credential.key.enctype()),
        };
        self.credentials()
            .filter(|credential| credential.server == *server && credential.client == self.primary)
            .filter(|credential| !credential.in_session_key && !credential.times.expired(now))
            .filter_map(|credential| rank(credential).map(|rank| (rank, credential)))
            .min_by_key(|(rank, credential)| (*rank, std::cmp::Reverse(credential.times.endtime)))
            .map(|(_, credential)| credential)
    }

    /// The cache's notes, in the order of the file.
    pub fn configuration(&self) -> impl Iterator<Item = &Configuration> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Configuration(configuration) => Some(configuration),
            Entry::Credential(_) | Entry::Opaque(_) => None,
        })
    }

    /// The note `key` about `principal` (`None`: about the whole cache).
    pub fn configuration_value(&self, key: &str, principal: Option<&Principal>) -> Option<&[u8]> {
        self.configuration()
            .find(|note| note.key == key && note.principal.as_ref() == principal)
            .map(|note| note.value.as_slice())
    }

    /// Makes `value` the note `key` about `principal`, in the place of an earlier one; `None` takes it out.
    pub fn set_configuration(&mut self, key: &str, principal: Option<&Principal>, value: Option<&[u8]>) {
        self.entries.retain(|entry| {
            !matches!(entry, Entry::Configuration(note)
                if note.key == key && note.principal.as_ref() == principal)
        });
        if let Some(value) = value {
            self.entries.push(Entry::Configuration(Configuration {
                key: key.to_owned(),
                principal: principal.cloned(),
                value: value.to_owned(),
            }));
        }
    }

    /// The record of a ticket, to be appended to a file of version 4.
    pub fn append_credential_octets(credential: &Credential) -> Zeroizing<Vec<u8>> {
        format::credential_record(credential)
    }

    /// The record of a ticket, to be appended to a file that begins with the octets `beginning`.
    ///
    /// # Errors
    /// [`BadCache::OldVersion`] for versions 1 and 2; [`BadCache`] if it is no cache.
    pub fn credential_octets_for(
        beginning: &[u8],
        credential: &Credential,
    ) -> Result<Zeroizing<Vec<u8>>, BadCache> {
        format::record_for_file(beginning, credential)
    }

    /// The record of a note, to be appended to a file of version 4 whose cache is `primary`'s.
    pub fn append_configuration_octets(primary: &Principal, note: &Configuration) -> Zeroizing<Vec<u8>> {
        format::configuration_record(primary, note)
    }
}

#[cfg(test)]
mod tests;
