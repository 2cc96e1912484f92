//! What plug-ins say of their mechanisms.

use orthros::mechanism::attribute;
use orthros_wire::Oid;

use super::functions::Done;
use super::names::Lent;
use super::{Plugin, all};
use crate::abi::{GssBuffer, Handle, OidDesc};
use crate::memory::OidSet;
use crate::oids::StaticOid;
use crate::pointers::{In, Out};
use crate::status::Failed;

impl Plugin {
    /// The types of names that it takes.
    pub(crate) fn names(&self, name_types: Out<OidSet>) -> Result<Done, Failed> {
        self.gss_inquire_names_for_mech(self.oid, name_types)
    }

    /// What it offers (RFC 5587); nothing if it doesn't say.
    pub(crate) fn attributes(&self) -> Vec<Oid> {
        let (_, attributes) = Out::ours(std::ptr::null_mut(), |place: Out<OidSet>| {
            let (_, outcome) = Out::ours(std::ptr::null_mut(), |known: Out<OidSet>| {
                let outcome = self.gss_inquire_attrs_for_mech(self.oid, place, known);
                known.release();
                outcome
            });
            let found = outcome.and_then(|_| place.members());
            place.release();
            found.ok().flatten()
        });
        attributes.unwrap_or_default()
    }

    /// Whether programs that name no mechanism get this one too.
    pub(crate) fn is_by_default(&self) -> bool {
        let attributes = self.attributes();
        ![attribute::NOT_DFLT_MECH, attribute::DEPRECATED].iter().any(|not| attributes.contains(not))
    }

    /// What SASL calls it, and what people do.
    pub(crate) fn sasl_name(
        &self,
        sasl: Out<GssBuffer>,
        name: Out<GssBuffer>,
        description: Out<GssBuffer>,
    ) -> Result<Done, Failed> {
        self.gss_inquire_saslname_for_mech(self.oid, sasl, name, description)
    }

    /// A call that only the mechanism knows.
    pub(crate) fn invoke(&self, object: In<OidDesc>, value: In<GssBuffer>) -> Result<Done, Failed> {
        self.gssspi_mech_invoke(self.oid, object, value)
    }
}

/// The plug-ins that take a name.
pub(crate) fn taking(name: Handle) -> impl Iterator<Item = &'static Oid> {
    all().filter(move |plugin| Lent::of(plugin, name).is_ok()).map(Plugin::oid)
}

/// The plug-in that SASL calls so.
pub(crate) fn for_sasl_name(name: In<GssBuffer>) -> Option<StaticOid> {
    let named = |plugin: &&Plugin| {
        let (found, outcome) =
            Out::ours(std::ptr::null(), |place| plugin.gss_inquire_mech_for_saslname(name, place));
        outcome.is_ok() && !found.is_null()
    };
    all().find(named).map(|plugin| plugin.oid)
}
