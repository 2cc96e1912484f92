//! Mechanisms of others: shared objects that `/etc/gss/mech` lists, as MIT krb5's library loads them (gss-ntlmssp is one).
//!
//! | file | what it holds |
//! |---|---|
//! | [`config`] | which there are |
//! | `load` | how they come into the process |
//! | `functions` | what they have: a table, and how it is called |
//! | `minors` | their minor statuses, told from each other's |
//! | `objects` | their contexts, credentials and names, behind handles of ours |
//! | `passed` | the calls that are passed on as they are |
//! | `negotiation` | their mechanisms beneath SPNEGO |
//! | `contexts`, `credentials`, `names`, `mechanisms` | the calls whose arguments are more than passed on |
//!
//! A call whose context or name is a plug-in's is the plug-in's: `by_context!` and `by_name!` stand at its beginning. A call
//! that names a mechanism, and a token that does, leads to the plug-in by `named` and `of_token`.
//!
//! Only the library that stands in for MIT krb5's has plug-ins. Heimdal's have other entries: `gss_mo_init` fills a table
//! whose layout is that of one version, 29 functions have to be there, and for those that a plug-in lacks Heimdal 7 takes
//! the ones of the libraries that it is linked with, its own among them, which it then calls with the plug-in's objects.
//! Mechanisms for MIT krb5's library end the processes of Heimdal's (`plugins::` in `interop` shows it).
//! Deliberately not here: interposers (`load` says why).

pub mod config;
pub(crate) mod contexts;
pub(crate) mod credentials;
mod functions;
mod load;
pub(crate) mod mechanisms;
mod minors;
pub(crate) mod names;
pub(crate) mod negotiation;
mod objects;
mod passed;

use orthros::Major;
use orthros_gss::framing;
use orthros_wire::Oid;

pub(crate) use load::Plugin;
pub(crate) use objects::{Element, FOREIGN, context, foreign_name, release_name};

use crate::abi::{OidDesc, OmUint32};
use crate::pointers::In;
use crate::status::Failed;

/// If a context is a plug-in's, the call is: it ends here.
macro_rules! by_context {
    ($minor:expr, $handle:expr => $function:ident($($argument:expr),* $(,)?)) => {
        if let Some(context) = $crate::plugins::context($handle)? {
            return Ok(context.$function($($argument),*)?.tell($minor));
        }
    };
}

/// The same for names.
macro_rules! by_name {
    ($minor:expr, $handle:expr => $function:ident($($argument:expr),* $(,)?)) => {
        if let Some(name) = $crate::plugins::foreign_name($handle) {
            return Ok(name.$function($($argument),*)?.tell($minor));
        }
    };
}

pub(crate) use {by_context, by_name};

/// NTLMSSP, whose tokens are in no frame: MS-NLMP §1.9.
const NTLMSSP: Oid = Oid::from_static(&[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10]);
/// How they begin (MS-NLMP §2.2.1).
const NTLMSSP_SIGNATURE: &[u8] = b"NTLMSSP\0";

/// The plug-in of a mechanism; `None` if none is configured.
///
/// # Errors
/// `GSS_S_BAD_MECH`: one is, and can't be loaded. The file and what is wrong with it are told.
pub(crate) fn find(oid: &Oid) -> Result<Option<&'static Plugin>, Failed> {
    let Some(row) = load::listed().iter().find(|row| row.oid() == oid) else { return Ok(None) };
    row.plugin().map(Some).map_err(|why| row.refused(why))
}

/// The plug-in of the mechanism that a caller names, if it is not one of ours.
pub(crate) fn named(mechanism: In<OidDesc>) -> Result<Option<&'static Plugin>, Failed> {
    if load::listed().is_empty() {
        return Ok(None);
    }
    mechanism.identifier()?.map_or(Ok(None), |oid| find(&oid))
}

/// The plug-in of the mechanism that an initiator's first token names.
pub(crate) fn of_token(token: &[u8]) -> Result<Option<&'static Plugin>, Failed> {
    if load::listed().is_empty() {
        return Ok(None);
    }
    match framing::unframe(token) {
        _ if token.starts_with(NTLMSSP_SIGNATURE) => find(&NTLMSSP),
        Ok((mechanism, _)) => find(&mechanism),
        Err(_) => Ok(None),
    }
}

/// Every plug-in that can be loaded.
pub(crate) fn all() -> impl Iterator<Item = &'static Plugin> {
    load::listed().iter().filter_map(|row| row.plugin().ok())
}

/// What a plug-in says of the minor status that programs have by this number.
pub(crate) fn tell_minor(minor: OmUint32) -> Option<String> {
    let (index, theirs) = minors::theirs(minor)?;
    load::at(index)?.tell_minor(theirs)
}

impl Plugin {
    /// The mechanism.
    pub(crate) fn oid(&self) -> &Oid {
        &self.entry.oid
    }
}

impl load::Listed {
    fn refused(&self, why: &str) -> Failed {
        Failed::told(Major::BadMechanism, self.story(why))
    }
}
