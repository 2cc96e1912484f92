//! Object identifiers that live as long as the process: what calls hand out and callers never free (RFC 2744 §3.3).

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{LazyLock, Mutex, PoisonError};

use orthros_wire::Oid;

use crate::abi::OidDesc;
use crate::data;

/// A pointer to an identifier that nobody frees.
pub type StaticOid = *const OidDesc;

struct Interned(StaticOid);

// SAFETY: the description and the octets that it points to are never changed and never freed.
unsafe impl Send for Interned {}

// SAFETY: as above.
unsafe impl Sync for Interned {}

/// An identifier that has a symbol, and where that points to.
type Row = (&'static [u8], Interned);

/// Those that have a symbol: a table in whose rows an identifier stands from [`row`] on.
static KNOWN: LazyLock<Vec<Option<Row>>> = LazyLock::new(|| {
    let known: Vec<_> = data::known().collect();
    let length = known.len().next_power_of_two() * 4;
    let mut rows: Vec<_> = (0..length).map(|_| None).collect();
    for (content, place) in known {
        let free = (0..length).map(|step| (row(content) + step) % length);
        if let Some(free) = free.into_iter().find(|row| rows.get(*row).is_some_and(Option::is_none))
            && let Some(row) = rows.get_mut(free)
        {
            *row = Some((content, Interned(place)));
        }
    }
    rows
});

/// Where to look first: identifiers begin alike.
fn row(content: &[u8]) -> usize {
    let last = content.iter().rev().take(3);
    last.fold(content.len(), |row, octet| row.wrapping_mul(31).wrapping_add(usize::from(*octet)))
}

fn find(content: &[u8]) -> Option<&'static Row> {
    let rows = KNOWN.iter().cycle().skip(row(content) % KNOWN.len());
    rows.map_while(Option::as_ref).find(|(known, _)| *known == content)
}

/// The identifier with these octets, if it has a symbol.
pub(crate) fn known(content: &[u8]) -> Option<Oid> {
    find(content).map(|(content, _)| Oid::from_static(content))
}

static OTHERS: Mutex<BTreeMap<Vec<u8>, Interned>> = Mutex::new(BTreeMap::new());

/// The identifier in static memory: where its symbol points to, if it has one. As many others are kept as there are
/// different ones: those of this library's own tables.
pub fn interned(oid: &Oid) -> StaticOid {
    let content = oid.content();
    if let Some((_, Interned(place))) = find(content) {
        return *place;
    }
    let mut others = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
    others.entry(content.to_vec()).or_insert_with(|| Interned(kept(content))).0
}

fn kept(content: &[u8]) -> StaticOid {
    let octets: &'static [u8] = Vec::leak(content.to_vec());
    let length = u32::try_from(octets.len()).unwrap_or(0);
    let elements = octets.as_ptr().cast_mut().cast::<c_void>();
    Box::leak(Box::new(OidDesc { length, elements }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identifier_that_has_a_symbol_is_found_where_its_symbol_points_to() {
        let mut count = 0;
        for (content, place) in data::known() {
            let oid = Oid::from_content(content).ok();
            if let Some(oid) = oid {
                assert_eq!(known(content), Some(oid.clone()));
                // Some symbols stand for the same octets.
                let same = data::known().any(|(other, at)| other == content && at == interned(&oid));
                assert!(same, "{oid} at {place:?}");
            }
            count += 1;
        }
        assert!(KNOWN.len() >= 4 * count, "few stand beside their place");
        assert_eq!(known(&[0x2a, 0x03]), None);
        let other = Oid::from_static(&[0x2a, 0x03]);
        assert_eq!(interned(&other), interned(&other));
    }
}
