//! The functions of the C interface, a file for each family.
//!
//! | file | functions (RFC 2744 section) |
//! |---|---|
//! | [`attributes`] | names in more detail (RFC 6680) |
//! | [`buffers`] | release of buffers and sets; sets of identifiers (§5.3, §5.8, §5.25, §5.28, §5.30) |
//! | [`contexts`] | contexts come up and end (§5.1, §5.9, §5.19) |
//! | [`credentials`] | §5.2, §5.21, §5.22, §5.26 |
//! | [`elements`] | elements of credentials (§5.3) |
//! | [`established`] | contexts that are up tell of themselves (§5.7, §5.20, §5.23) |
//! | [`gnu`] | what GNU GSS has or means otherwise |
//! | [`heimdal`], [`heimdal_krb5`], [`heimdal_oids`] | what Heimdal has or means otherwise |
//! | [`impersonation`] | services that act for users |
//! | [`krb5`] | what is Kerberos' own |
//! | [`local`] | local users |
//! | [`mechanisms`] | which mechanisms there are, and what they are like (§5.17, §5.22, §5.24, RFC 5587, RFC 5801) |
//! | [`messages`] | protection of messages (§5.15, §5.31 to §5.34, appendix B) |
//! | [`names`] | names (§5.4 to §5.6, §5.10, §5.12, §5.13, §5.16, §5.27) |
//! | [`objects`] | objects of a libkrb5 in the same process |
//! | [`oids`] | object identifiers as text, and tokens in their frame |
//! | [`options`] | options of credentials, and what they answer by an identifier |
//! | [`pieces`] | messages in pieces, with associated data; key material (RFC 4401) |
//! | [`private`] | what the originals have for themselves |
//! | [`statuses`] | §5.11 |
//! | [`stores`] | credentials from places that are named, and put there (RFC 5588) |
//! | [`transfer`] | contexts move (§5.14, §5.18) |

pub mod attributes;
pub mod buffers;
pub mod contexts;
pub mod credentials;
pub mod elements;
pub mod established;
pub mod gnu;
pub mod heimdal;
pub mod heimdal_krb5;
pub mod heimdal_oids;
pub mod impersonation;
pub mod krb5;
pub mod local;
pub mod mechanisms;
pub mod messages;
pub mod names;
pub mod objects;
pub mod oids;
pub mod options;
pub mod pieces;
pub mod private;
pub mod statuses;
pub mod stores;
pub mod transfer;

use std::ops::Deref;
use std::sync::Arc;

use orthros::mechanism::{self, KRB5, Mechanism};
use orthros::name::attributes::Attributes;
use orthros::{Context, Error, Major, Name};
use orthros_gss::error::Refusal;
use orthros_wire::Oid;

use crate::abi::{Handle, OidDesc};
use crate::copies::Copies;
use crate::handles::{Held, Kind, Table};
use crate::pointers::In;
use crate::status::Failed;

/// The names of the process.
pub(crate) static NAMES: Table<Named> = Table::new(Kind::Name);
/// Those of threads that make contexts with them again and again.
static COPIES: Copies<Named, 7> = Copies::new();

/// A name behind a handle, and what is known beside it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    name: Name,
    /// The type of the name that this one was made of as a mechanism's.
    made_of: Option<Oid>,
    /// What a KDC says of its bearer.
    attributes: Option<Attributes>,
}

impl Named {
    /// A copy for another thread.
    fn apart(&self) -> Self {
        Self { name: self.name.apart(), ..self.clone() }
    }

    /// The initiator of an established context.
    fn initiator(context: &Context) -> Self {
        let attributes = Some(context.initiator_attributes()).filter(|attributes| !attributes.is_empty());
        let named = Self::from(Name::Principal(context.initiator().clone()));
        Self { attributes, ..named }
    }
}

impl From<Name> for Named {
    fn from(name: Name) -> Self {
        Self { name, made_of: None, attributes: None }
    }
}

impl Deref for Named {
    type Target = Name;

    fn deref(&self) -> &Name {
        &self.name
    }
}

/// The name of a handle.
pub(crate) fn name(handle: Handle) -> Result<Held<'static, Named>, Failed> {
    NAMES.hold(handle).ok_or_else(|| Failed::plain(Major::BadName, "the handle is no name, or was released"))
}

/// The name of a context's target.
enum Target {
    /// This thread's copy.
    Own(Arc<Named>),
    Held(Held<'static, Named>),
}

impl Target {
    fn of(handle: Handle) -> Result<Self, Failed> {
        let own = COPIES.own(handle.0, || Some(NAMES.hold(handle)?.apart()));
        own.map_or_else(|| name(handle).map(Self::Held), |own| Ok(Self::Own(own)))
    }
}

impl Deref for Target {
    type Target = Name;

    fn deref(&self) -> &Name {
        match self {
            Self::Own(own) => own,
            Self::Held(held) => held,
        }
    }
}

/// Ends a name. Whether it lived.
fn release(handle: Handle) -> bool {
    let is_there = NAMES.remove(handle);
    COPIES.forget(handle.0);
    is_there
}

pub(crate) fn insert<T>(table: &Table<T>, value: impl Into<T>) -> Result<Handle, Failed> {
    table.insert(value.into()).ok_or_else(Failed::no_memory)
}

/// The mechanism that a caller names; Kerberos where it names none (`GSS_C_NO_OID`).
fn chosen(mechanism: In<OidDesc>) -> Result<&'static Mechanism, Failed> {
    mechanism.identifier()?.map_or(Ok(&KRB5), |oid| known(&oid))
}

fn known(oid: &Oid) -> Result<&'static Mechanism, Failed> {
    mechanism::find(oid).ok_or_else(|| Error::Refused(Refusal::Mechanism(oid.clone())).into())
}
