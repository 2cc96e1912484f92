//! Object identifiers that live as long as the process: what calls hand out and callers never free (RFC 2744 §3.3).

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use orthros_wire::Oid;

use crate::abi::OidDesc;
use crate::data;

/// A pointer to an identifier that nobody frees.
pub type StaticOid = *const OidDesc;

struct Interned(StaticOid);

// SAFETY: the description and the octets that it points to are never changed and never freed.
unsafe impl Send for Interned {}

static INTERNED: Mutex<BTreeMap<Vec<u8>, Interned>> = Mutex::new(BTreeMap::new());

/// The identifier in static memory: where its symbol points to, if it has one. As many others are kept as there are
/// different ones: those of this library's own tables.
pub fn interned(oid: &Oid) -> StaticOid {
    let mut table = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
    let content = oid.content();
    if let Some(Interned(place)) = table.get(content) {
        return *place;
    }
    let place = data::known(content).unwrap_or_else(|| kept(content));
    table.insert(content.to_vec(), Interned(place));
    place
}

fn kept(content: &[u8]) -> StaticOid {
    let octets: &'static [u8] = Vec::leak(content.to_vec());
    let length = u32::try_from(octets.len()).unwrap_or(0);
    let elements = octets.as_ptr().cast_mut().cast::<c_void>();
    Box::leak(Box::new(OidDesc { length, elements }))
}
