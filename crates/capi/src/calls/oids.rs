//! Object identifiers as text, and tokens in their frame: extensions that MIT krb5, Heimdal and GNU share.

use orthros::Major;
use orthros_gss::framing;
use orthros_wire::Oid;

use crate::abi::{GssBuffer, OidDesc, OmUint32};
use crate::boundary::{boundary, without_minor};
use crate::oids::{StaticOid, interned};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// The identifier that must be there.
pub(super) fn given(oid: In<OidDesc>) -> Result<Oid, Failed> {
    oid.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))
}

/// Whether two identifiers are the same; nothing is the same as nothing only.
#[unsafe(no_mangle)]
pub extern "C" fn gss_oid_equal(first: In<OidDesc>, second: In<OidDesc>) -> i32 {
    match (first.identifier(), second.identifier()) {
        (Ok(first), Ok(second)) => i32::from(first.is_some() && first == second),
        _ => 0,
    }
}

/// An identifier as text: `{ 1 2 840 113554 1 2 2 }` and a zero octet, which is counted, as MIT krb5 does it.
#[unsafe(no_mangle)]
pub extern "C" fn gss_oid_to_str(
    minor_status: Out<OmUint32>,
    oid: In<OidDesc>,
    oid_str: Out<GssBuffer>,
) -> OmUint32 {
    oid_str.set(GssBuffer::EMPTY);
    boundary(minor_status, || {
        oid_str.require()?;
        let arcs = given(oid)?.to_string().replace('.', " ");
        oid_str.give(format!("{{ {arcs} }}\0").as_bytes())?;
        Ok(COMPLETE)
    })
}

/// An identifier of text: arcs between braces or without them, divided by blanks or dots. It is in static memory;
/// releasing it is allowed and does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn gss_str_to_oid(
    minor_status: Out<OmUint32>,
    oid_str: In<GssBuffer>,
    oid: Out<StaticOid>,
) -> OmUint32 {
    oid.set(std::ptr::null());
    boundary(minor_status, || {
        oid.require()?;
        let text = String::from_utf8_lossy(oid_str.octets()?).into_owned();
        let text = text.trim_end_matches('\0').trim();
        let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let arcs: Vec<&str> = bare
            .split(|sign: char| sign == '.' || sign.is_whitespace())
            .filter(|arc| !arc.is_empty())
            .collect();
        let parsed: Oid = arcs
            .join(".")
            .parse()
            .map_err(|_| Failed::plain(Major::Failure, "the text is no object identifier"))?;
        oid.set(interned(&parsed));
        Ok(COMPLETE)
    })
}

/// Forgets an identifier. None is freed: all that calls hand out are in static memory.
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_oid(minor_status: Out<OmUint32>, oid: Out<StaticOid>) -> OmUint32 {
    boundary(minor_status, || {
        oid.set(std::ptr::null());
        Ok(COMPLETE)
    })
}

/// Puts a mechanism's token into the frame of RFC 2743 §3.1.
#[unsafe(no_mangle)]
pub extern "C" fn gss_encapsulate_token(
    input_token: In<GssBuffer>,
    token_oid: In<OidDesc>,
    output_token: Out<GssBuffer>,
) -> OmUint32 {
    // Before the output is emptied: one buffer may be used for both.
    let inner = input_token.octets();
    output_token.set(GssBuffer::EMPTY);
    without_minor(|| {
        output_token.require()?;
        let framed = framing::frame(&given(token_oid)?, &[inner?]);
        output_token.give(&framed)?;
        Ok(COMPLETE)
    })
}

/// Takes a mechanism's token out of the frame of RFC 2743 §3.1, which must be of this mechanism.
#[unsafe(no_mangle)]
pub extern "C" fn gss_decapsulate_token(
    input_token: In<GssBuffer>,
    token_oid: In<OidDesc>,
    output_token: Out<GssBuffer>,
) -> OmUint32 {
    let token = input_token.octets();
    output_token.set(GssBuffer::EMPTY);
    without_minor(|| {
        output_token.require()?;
        let wanted = given(token_oid)?;
        let (mechanism, inner) = framing::unframe(token?).map_err(orthros::Error::from)?;
        if mechanism != wanted {
            return Err(Failed::plain(Major::DefectiveToken, "the token is of another mechanism"));
        }
        output_token.give(inner)?;
        Ok(COMPLETE)
    })
}
