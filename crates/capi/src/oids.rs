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

/// Those that have a symbol, in the order of [`key`].
static KNOWN: LazyLock<Vec<(&[u8], Interned)>> = LazyLock::new(|| {
    let mut known: Vec<_> = data::known().map(|(content, place)| (content, Interned(place))).collect();
    known.sort_by_key(|(content, _)| key(content));
    known
});

/// Identifiers begin alike, and lengths are compared at once.
fn key(content: &[u8]) -> (usize, &[u8]) {
    (content.len(), content)
}

static OTHERS: Mutex<BTreeMap<Vec<u8>, Interned>> = Mutex::new(BTreeMap::new());

/// The identifier in static memory: where its symbol points to, if it has one. As many others are kept as there are
/// different ones: those of this library's own tables.
pub fn interned(oid: &Oid) -> StaticOid {
    let content = oid.content();
    let row = KNOWN.binary_search_by_key(&key(content), |(known, _)| key(known)).ok();
    if let Some((_, Interned(place))) = row.and_then(|row| KNOWN.get(row)) {
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
