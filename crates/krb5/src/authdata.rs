//! Authorization data (RFC 4120 §5.2.6): elements, some of which hold others.

use orthros_wire::der::{Decode, DerError};

use crate::wire::{AuthorizationElement, ad_type};

/// How deep elements may lie within each other.
const DEEPEST: u32 = 4;

/// Shows an element to `visit`: by its number and octets, or, for `AD-IF-RELEVANT`, each element within.
///
/// # Errors
/// [`DerError`] if what holds others is malformed; those before it were shown. That of `visit` ends it too.
pub fn walk<'a>(
    number: i32,
    octets: &'a [u8],
    visit: &mut impl FnMut(i32, &'a [u8]) -> Result<(), DerError>,
) -> Result<(), DerError> {
    descend(number, octets, visit, DEEPEST)
}

fn descend<'a>(
    number: i32,
    octets: &'a [u8],
    visit: &mut impl FnMut(i32, &'a [u8]) -> Result<(), DerError>,
    deepest: u32,
) -> Result<(), DerError> {
    if number != ad_type::IF_RELEVANT {
        return visit(number, octets);
    }
    // Deeper ones may be passed over, as all that lies here.
    let Some(deepest) = deepest.checked_sub(1) else { return Ok(()) };
    let elements = Vec::<AuthorizationElement<'_>>::from_der(octets)?;
    elements.iter().try_for_each(|element| descend(element.ad_type, element.ad_data, visit, deepest))
}
