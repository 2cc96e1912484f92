//! Which mechanisms there are, and what they are like (RFC 2744 §5.17, §5.22, §5.24; RFC 5587 §3.4; RFC 5801 §10).

use orthros::Major;
use orthros::mechanism::{self, MECHANISMS, attribute};

use super::{chosen, name};
use crate::abi::{GssBuffer, Handle, OidDesc, OidSetDesc, OmUint32};
use crate::boundary::boundary;
use crate::memory::OidSet;
use crate::oids::{StaticOid, interned};
use crate::plugins::{self, Plugin};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, COMPLETE, Failed};

/// Every mechanism (RFC 2744 §5.17).
#[unsafe(no_mangle)]
pub extern "C" fn gss_indicate_mechs(minor_status: Out<OmUint32>, mech_set: Out<OidSet>) -> OmUint32 {
    mech_set.set(std::ptr::null_mut());
    boundary(minor_status, || {
        mech_set.require()?;
        mech_set.give(MECHANISMS.iter().map(|row| &row.oid).chain(plugins::all().map(Plugin::oid)))?;
        Ok(COMPLETE)
    })
}

/// The types of names that a mechanism takes (§5.24).
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_names_for_mech(
    minor_status: Out<OmUint32>,
    mechanism: In<OidDesc>,
    name_types: Out<OidSet>,
) -> OmUint32 {
    name_types.set(std::ptr::null_mut());
    boundary(minor_status, || {
        name_types.require()?;
        if let Some(plugin) = plugins::named(mechanism)? {
            return Ok(plugin.names(name_types)?.tell(minor_status));
        }
        name_types.give(chosen(mechanism)?.name_types)?;
        Ok(COMPLETE)
    })
}

/// The mechanisms that take a name (§5.23).
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_mechs_for_name(
    minor_status: Out<OmUint32>,
    input_name: Handle,
    mech_types: Out<OidSet>,
) -> OmUint32 {
    mech_types.set(std::ptr::null_mut());
    boundary(minor_status, || {
        mech_types.require()?;
        let own = match plugins::foreign_name(input_name) {
            Some(_) => Vec::new(),
            None => name(input_name)?.mechanisms(),
        };
        let foreign = plugins::mechanisms::taking(input_name);
        mech_types.give(own.into_iter().map(|row| &row.oid).chain(foreign))?;
        Ok(COMPLETE)
    })
}

/// The mechanisms that offer and lack what is asked (RFC 5587 §3.4.2).
#[unsafe(no_mangle)]
pub extern "C" fn gss_indicate_mechs_by_attrs(
    minor_status: Out<OmUint32>,
    desired_mech_attrs: In<OidSetDesc>,
    except_mech_attrs: In<OidSetDesc>,
    critical_mech_attrs: In<OidSetDesc>,
    mechs: Out<OidSet>,
) -> OmUint32 {
    mechs.set(std::ptr::null_mut());
    boundary(minor_status, || {
        mechs.require()?;
        let asked = |set: In<OidSetDesc>| set.identifiers().map(Option::unwrap_or_default);
        let (desired, except) = (asked(desired_mech_attrs)?, asked(except_mech_attrs)?);
        let critical = asked(critical_mech_attrs)?;
        let found = mechanism::by_attributes(&desired, &except, &critical);
        // A plug-in tells which attributes it has, not which it knows: ours are those.
        let fits = |plugin: &&'static Plugin| {
            let has = plugin.attributes();
            let has_all = desired.iter().all(|wanted| has.contains(wanted));
            let known = critical.iter().all(|attribute| attribute::find(attribute).is_some());
            has_all && known && !except.iter().any(|not| has.contains(not))
        };
        let foreign = plugins::all().filter(fits).map(Plugin::oid);
        mechs.give(found.into_iter().map(|row| &row.oid).chain(foreign))?;
        Ok(COMPLETE)
    })
}

/// What a mechanism offers, and what can be said of mechanisms at all (RFC 5587 §3.4.3).
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_attrs_for_mech(
    minor_status: Out<OmUint32>,
    mech: In<OidDesc>,
    mech_attrs: Out<OidSet>,
    known_mech_attrs: Out<OidSet>,
) -> OmUint32 {
    mech_attrs.set(std::ptr::null_mut());
    known_mech_attrs.set(std::ptr::null_mut());
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(mech)? {
            mech_attrs.give(&plugin.attributes())?;
            known_mech_attrs.give(attribute::ATTRIBUTES.iter().map(|row| &row.oid))?;
            return Ok(COMPLETE);
        }
        let row = chosen(mech)?;
        let oid = mech.identifier()?.unwrap_or_else(|| row.oid.clone());
        mech_attrs.give(&row.attributes_as(&oid))?;
        known_mech_attrs.give(attribute::ATTRIBUTES.iter().map(|row| &row.oid))?;
        Ok(COMPLETE)
    })
}

/// What an attribute means (RFC 5587 §3.4.4).
#[unsafe(no_mangle)]
pub extern "C" fn gss_display_mech_attr(
    minor_status: Out<OmUint32>,
    mech_attr: In<OidDesc>,
    name: Out<GssBuffer>,
    short_desc: Out<GssBuffer>,
    long_desc: Out<GssBuffer>,
) -> OmUint32 {
    let places = [name, short_desc, long_desc];
    places.iter().for_each(|place| place.set(GssBuffer::EMPTY));
    boundary(minor_status, || {
        let asked = mech_attr.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        let row = attribute::find(&asked).ok_or_else(|| Failed::unknown_attribute(&asked))?;
        for (place, text) in places.into_iter().zip([row.name, row.short, row.long]) {
            place.give(text.as_bytes())?;
        }
        Ok(COMPLETE)
    })
}

/// What SASL calls a mechanism, and what people do (RFC 5801 §10.1).
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_saslname_for_mech(
    minor_status: Out<OmUint32>,
    desired_mech: In<OidDesc>,
    sasl_mech_name: Out<GssBuffer>,
    mech_name: Out<GssBuffer>,
    mech_description: Out<GssBuffer>,
) -> OmUint32 {
    let places = [sasl_mech_name, mech_name, mech_description];
    places.iter().for_each(|place| place.set(GssBuffer::EMPTY));
    boundary(minor_status, || {
        if let Some(plugin) = plugins::named(desired_mech)? {
            return Ok(plugin.sasl_name(sasl_mech_name, mech_name, mech_description)?.tell(minor_status));
        }
        let row = chosen(desired_mech)?;
        let sasl = row.sasl_name();
        for (place, text) in places.into_iter().zip([&*sasl, row.name, row.description]) {
            place.give(text.as_bytes())?;
        }
        Ok(COMPLETE)
    })
}

/// The mechanism that SASL calls so (RFC 5801 §10.2).
#[unsafe(no_mangle)]
pub extern "C" fn gss_inquire_mech_for_saslname(
    minor_status: Out<OmUint32>,
    sasl_mech_name: In<GssBuffer>,
    mech_type: Out<StaticOid>,
) -> OmUint32 {
    mech_type.set(std::ptr::null());
    boundary(minor_status, || {
        let text = std::str::from_utf8(sasl_mech_name.octets()?).unwrap_or_default();
        let found = mechanism::for_sasl_name(text);
        let unknown = || Failed::plain(Major::BadMechanism, "SASL calls none of the mechanisms here so");
        let oid = match found {
            Some((row, _)) => interned(&row.oid),
            None => plugins::mechanisms::for_sasl_name(sasl_mech_name).ok_or_else(unknown)?,
        };
        mech_type.set(oid);
        Ok(COMPLETE)
    })
}
