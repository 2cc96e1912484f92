//! Where a realm's servers are: URI records, else SRV records (RFC 4120 §7.2.3.2, RFC 2782; the URIs are MIT
//! krb5's, `krb5srv:FLAGS:TRANSPORT:PLACE`).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use orthros_krb5::config::{KdcAddress, Transport};
use orthros_wire::Random;

use super::{Asker, Dns, DnsError, Kind, Record};

/// No more places are taken than this: nobody waits for more.
const MOST_PLACES: usize = 16;

/// So many realms' places are kept.
const MOST_REALMS: usize = 64;

/// What a server of a realm does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Any KDC.
    Kdc,
    /// Where passwords are changed.
    PasswordChange,
    /// A KDC that knows new passwords first.
    PrimaryKdc,
}

/// Under which names a role is asked for.
struct Names {
    /// The URI records' name.
    uri: &'static str,
    /// Whether only URIs marked as primary count.
    only_primary: bool,
    /// The SRV records' names, in order, and how the server is spoken to.
    srv: [(&'static str, Transport); 2],
}

impl Role {
    const fn names(self) -> Names {
        match self {
            Self::Kdc => Names {
                uri: "_kerberos",
                only_primary: false,
                srv: [("_kerberos._udp", Transport::Udp), ("_kerberos._tcp", Transport::Tcp)],
            },
            Self::PasswordChange => Names {
                uri: "_kpasswd",
                only_primary: false,
                srv: [("_kpasswd._udp", Transport::Udp), ("_kpasswd._tcp", Transport::Tcp)],
            },
            Self::PrimaryKdc => Names {
                uri: "_kerberos",
                only_primary: true,
                srv: [("_kerberos-master._udp", Transport::Udp), ("_kerberos-master._tcp", Transport::Tcp)],
            },
        }
    }
}

/// DNS knows no place: everything that was asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLocated(pub Vec<DnsError>);

impl fmt::Display for NotLocated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DNS names none: ")?;
        for (number, error) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for NotLocated {}

impl Dns {
    /// The servers of a realm that have a role, in the order in which they are to be asked, and for how many
    /// seconds that holds. URI records, unless `uri` is false, take the place of SRV records. Blocks, at most for
    /// the whole limit.
    ///
    /// # Errors
    /// [`NotLocated`] names everything that was asked.
    pub fn locate(
        &self,
        realm: &str,
        role: Role,
        uri: bool,
        random: &dyn Random,
    ) -> Result<(Vec<KdcAddress>, u32), NotLocated> {
        let mut asker = self.asker(random);
        let names = role.names();
        let mut errors = Vec::new();
        if uri {
            match asker.by_uri(&format!("{}.{realm}", names.uri), names.only_primary) {
                Ok(found) => return Ok(found),
                Err(error) => errors.push(error),
            }
        }
        let (mut places, mut seconds) = (Vec::new(), u32::MAX);
        for (service, transport) in names.srv {
            match asker.by_srv(&format!("{service}.{realm}"), transport) {
                Ok((found, holds)) => {
                    places.extend(found);
                    seconds = seconds.min(holds);
                }
                Err(error) => errors.push(error),
            }
        }
        if places.is_empty() { Err(NotLocated(errors)) } else { Ok((places, seconds)) }
    }
}

impl Asker<'_> {
    fn by_uri(&mut self, name: &str, only_primary: bool) -> Result<(Vec<KdcAddress>, u32), DnsError> {
        let answer = self.lookup(name, Kind::Uri)?;
        let weighted = answer.records.iter().filter_map(|record| match record {
            Record::Uri { priority, weight, target } => parse_uri(target, only_primary)
                .map(|place| Weighted { priority: *priority, weight: *weight, place }),
            _ => None,
        });
        let places = in_order(weighted.collect(), self.random);
        if places.is_empty() {
            return Err(DnsError::NotFound { name: name.to_owned(), kind: Kind::Uri });
        }
        Ok((places, answer.seconds))
    }

    fn by_srv(&mut self, name: &str, transport: Transport) -> Result<(Vec<KdcAddress>, u32), DnsError> {
        let answer = self.lookup(name, Kind::Srv)?;
        let weighted = answer.records.iter().filter_map(|record| match record {
            // An empty target: there is decidedly no such service (RFC 2782).
            Record::Service { priority, weight, port, target } if !target.is_empty() && *port != 0 => {
                let (host, path) = (target.clone(), String::new());
                let place = KdcAddress { transport, host, port: *port, path };
                Some(Weighted { priority: *priority, weight: *weight, place })
            }
            _ => None,
        });
        let places = in_order(weighted.collect(), self.random);
        if places.is_empty() {
            return Err(DnsError::NotFound { name: name.to_owned(), kind: Kind::Srv });
        }
        Ok((places, answer.seconds))
    }
}

/// Reads `krb5srv:FLAGS:TRANSPORT:PLACE`; `None` if it is none, or its transport is unknown.
fn parse_uri(uri: &str, only_primary: bool) -> Option<KdcAddress> {
    let mut parts = uri.splitn(4, ':');
    let (scheme, flags, transport, place) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if !scheme.eq_ignore_ascii_case("krb5srv") || only_primary && !flags.contains(['m', 'M']) {
        return None;
    }
    let place = match transport.to_ascii_lowercase().as_str() {
        "udp" => format!("udp/{place}"),
        "tcp" => format!("tcp/{place}"),
        "kkdcp" if place.starts_with("https://") => place.to_owned(),
        _ => return None,
    };
    KdcAddress::parse(&place, 88)
}

struct Weighted {
    priority: u16,
    weight: u16,
    place: KdcAddress,
}

/// By priority; among equals by chance, as often first as the weight says (RFC 2782).
fn in_order(mut left: Vec<Weighted>, random: &dyn Random) -> Vec<KdcAddress> {
    // Those without weight come first in the running sum, so that they have a small chance.
    left.sort_by_key(|entry| (entry.priority, entry.weight));
    let mut places = Vec::new();
    while let Some(first) = left.first().filter(|_| places.len() < MOST_PLACES) {
        let equals = left.iter().take_while(|entry| entry.priority == first.priority);
        let sums: Vec<u64> = equals
            .scan(0, |sum, entry| {
                *sum += u64::from(entry.weight);
                Some(*sum)
            })
            .collect();
        let total = sums.last().copied().unwrap_or(0);
        let mut octets = [0; 8];
        random.fill(&mut octets);
        let drawn = u64::from_be_bytes(octets) % (total + 1);
        let chosen = sums.iter().position(|sum| *sum >= drawn).unwrap_or(0);
        places.push(left.remove(chosen).place);
    }
    places
}

/// What was found, for as long as it holds.
#[derive(Debug, Default)]
pub(crate) struct Located(Mutex<BTreeMap<(String, Role), Kept>>);

/// Places, and until when they hold.
type Kept = (Instant, Vec<KdcAddress>);

impl Located {
    /// The servers of a realm that have a role: as found before, or asked for now. Blocks.
    pub(crate) fn find(
        &self,
        dns: &Dns,
        realm: &str,
        role: Role,
        uri: bool,
        random: &dyn Random,
    ) -> Result<Vec<KdcAddress>, NotLocated> {
        let key = (realm.to_owned(), role);
        let now = Instant::now();
        if let Some((until, places)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key)
            && *until > now
        {
            return Ok(places.clone());
        }
        // Nobody waits for a lock while servers are asked.
        let (places, seconds) = dns.locate(realm, role, uri, random)?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (until, _)| *until > now);
        if kept.len() < MOST_REALMS {
            kept.insert(key, (now + Duration::from_secs(seconds.into()), places.clone()));
        }
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use orthros_wire::testing::SeededRandom;

    use super::*;

    fn entry(priority: u16, weight: u16, host: &str) -> Weighted {
        let place =
            KdcAddress { transport: Transport::Udp, host: host.into(), port: 88, path: String::new() };
        Weighted { priority, weight, place }
    }

    #[test]
    fn priority_decides_and_weight_only_among_equals() {
        let random = SeededRandom::new(1);
        let mut first = BTreeMap::new();
        for _ in 0..400 {
            let entries =
                vec![entry(9, 9, "last"), entry(0, 1, "light"), entry(0, 3, "heavy"), entry(0, 0, "none")];
            let order: Vec<_> = in_order(entries, &random).into_iter().map(|place| place.host).collect();
            assert_eq!(order.len(), 4);
            assert_eq!(order[3], "last");
            *first.entry(order[0].clone()).or_insert(0) += 1;
        }
        // Of five numbers drawn, none has one, light one, heavy three.
        assert!((50..110).contains(&first["none"]) && (50..110).contains(&first["light"]), "{first:?}");
        assert!((200..280).contains(&first["heavy"]), "{first:?}");
    }

    #[test]
    fn uris_of_other_schemes_and_transports_name_no_place() {
        let host =
            |uri, primary| parse_uri(uri, primary).map(|place| (place.transport, place.host, place.port));
        assert_eq!(host("krb5srv:m:udp:kdc.test", true), Some((Transport::Udp, "kdc.test".into(), 88)));
        assert_eq!(host("KRB5SRV::TCP:[::1]:750", false), Some((Transport::Tcp, "::1".into(), 750)));
        assert_eq!(
            parse_uri("krb5srv:m:kkdcp:https://kdc.test/way", false).map(|place| (place.port, place.path)),
            Some((443, "way".into()))
        );
        for uri in ["", "krb5srv", "krb5srv:::", "krb5srv:m:udp:", "http:m:udp:kdc", "krb5srv:m:quic:kdc"] {
            assert_eq!(parse_uri(uri, false), None, "{uri}");
        }
        assert_eq!(parse_uri("krb5srv::udp:kdc.test", true), None);
    }

    #[test]
    fn a_flood_of_records_is_cut() {
        let entries = (0..200).map(|_| entry(1, 1, "kdc")).collect();
        assert_eq!(in_order(entries, &SeededRandom::new(1)).len(), MOST_PLACES);
    }
}
