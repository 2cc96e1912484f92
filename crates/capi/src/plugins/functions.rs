//! The functions of a plug-in: a table of what it may have, and how each is called.
//!
//! A plug-in exports the calls of RFC 2744 and of MIT krb5's extensions by their names, those that it has; where it has
//! one by a name that begins with `gssi` it is that one. The table below is all that this library knows about them: a
//! row makes a field for the function's address and a method that calls it. What a plug-in lacks is not available.

use std::ffi::{CString, c_void};

use orthros::Major;
use orthros::sys::gate;

use super::load::Library;
use super::{Plugin, minors};
use crate::abi::{ChannelBindingsDesc, GssBuffer, KeyValueSet, OidDesc, OidSetDesc, OmUint32, STATUS_MINOR};
use crate::memory::{BufferSet, OidSet};
use crate::oids::StaticOid;
use crate::pieces::Iov;
use crate::pointers::{In, Out};
use crate::status::{self, COMPLETE, CONTINUE_NEEDED, Failed};

/// A context, a credential or a name of a plug-in's. Programs never see it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object(pub(super) *mut c_void);

// SAFETY: a mechanism's objects belong to no thread: RFC 2744 knows none, and MIT krb5's library, which plug-ins are made
// for, hands them to whichever thread calls.
unsafe impl Send for Object {}

impl Object {
    /// `GSS_C_NO_CONTEXT` and its kin.
    pub(super) const NONE: Self = Self(std::ptr::null_mut());
}

/// Where a plug-in puts an object, or takes it from; `None` for null.
pub(super) type Place<'a> = Option<&'a mut Object>;

/// How a call of a plug-in ended that did not fail.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Done {
    major: OmUint32,
    minor: OmUint32,
}

impl Done {
    /// The caller is told nothing of it.
    pub(super) fn quietly(self) {}

    /// How a call of ours ended that stands for one of a plug-in's.
    pub(super) fn of(major: OmUint32) -> Self {
        Self { major, minor: 0 }
    }

    /// Whether nothing more is to be exchanged.
    pub(super) fn is_complete(self) -> bool {
        self.major & CONTINUE_NEEDED == 0
    }

    /// Whether there is nothing to tell beside success.
    pub(super) fn is_plain(self) -> bool {
        self.major == COMPLETE
    }

    /// Tells the caller.
    pub(crate) fn tell(self, minor: Out<OmUint32>) -> OmUint32 {
        minor.set(self.minor);
        self.major
    }
}

macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        /// The addresses of a plug-in's functions.
        pub(super) struct Functions {
            $(pub(super) $name: Option<unsafe extern "C" fn(*mut OmUint32, $($type),*) -> OmUint32>,)*
        }

        impl Functions {
            /// What a library has.
            pub(super) fn of(library: &Library) -> Self {
                Self { $($name: library.function(stringify!($name)).map(|found| {
                    // SAFETY: RFC 2744, RFC 5587, RFC 6680 and MIT krb5's documentation have a function of this type by
                    // this name, and who configured the library as a plug-in says that it keeps to them.
                    unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut OmUint32, $($type),*) -> OmUint32>(found) }
                }),)* }
            }

            /// Whether there is none at all.
            pub(super) fn are_none(&self) -> bool {
                [$(self.$name.is_none()),*].iter().all(|lacks| *lacks)
            }
        }

        #[allow(clippy::too_many_arguments, reason = "the C interface has as many")]
        #[allow(dead_code, reason = "what tells of a failure, gss_display_status, must not tell of its own")]
        impl Plugin {
            $(pub(super) fn $name(&self, $($argument: $type),*) -> Result<Done, Failed> {
                let function = self.functions.$name.ok_or_else(|| self.lacks(stringify!($name)))?;
                // SAFETY: as where the address was found; the arguments keep what the type of each promises, and objects
                // are this plug-in's: whoever calls has them from an `Element` that names it.
                self.ask(|minor| unsafe { function(minor, $($argument),*) })
            })*
        }
    };
}

functions! {
    gss_init_sec_context(credential: Object, context: &mut Object, target: Object, mechanism: StaticOid, flags: OmUint32, time: OmUint32, bindings: In<ChannelBindingsDesc>, token: In<GssBuffer>, actual: Out<StaticOid>, output: Out<GssBuffer>, got: Out<OmUint32>, left: Out<OmUint32>);
    gss_accept_sec_context(context: &mut Object, credential: Object, token: In<GssBuffer>, bindings: In<ChannelBindingsDesc>, source: Place<'_>, actual: Out<StaticOid>, output: Out<GssBuffer>, got: Out<OmUint32>, left: Out<OmUint32>, delegated: Place<'_>);
    gss_delete_sec_context(context: &mut Object, output: Out<GssBuffer>);
    gss_process_context_token(context: Object, token: In<GssBuffer>);
    gss_context_time(context: Object, left: Out<OmUint32>);
    gss_inquire_context(context: Object, source: Place<'_>, target: Place<'_>, left: Out<OmUint32>, mechanism: Out<StaticOid>, flags: Out<OmUint32>, initiates: Out<i32>, open: Out<i32>);
    gss_export_sec_context(context: &mut Object, token: Out<GssBuffer>);
    gss_import_sec_context(token: In<GssBuffer>, context: &mut Object);
    gssspi_import_sec_context_by_mech(mechanism: StaticOid, token: In<GssBuffer>, context: &mut Object);
    gss_complete_auth_token(context: Object, token: In<GssBuffer>);
    gss_inquire_sec_context_by_oid(context: Object, question: In<OidDesc>, answers: Out<BufferSet>);
    gss_set_sec_context_option(context: &mut Object, option: In<OidDesc>, value: In<GssBuffer>);

    gss_get_mic(context: Object, qop: OmUint32, message: In<GssBuffer>, token: Out<GssBuffer>);
    gss_verify_mic(context: Object, message: In<GssBuffer>, token: In<GssBuffer>, qop: Out<OmUint32>);
    gss_wrap(context: Object, seal: i32, qop: OmUint32, message: In<GssBuffer>, sealed: Out<i32>, token: Out<GssBuffer>);
    gss_unwrap(context: Object, token: In<GssBuffer>, message: Out<GssBuffer>, sealed: Out<i32>, qop: Out<OmUint32>);
    gss_wrap_size_limit(context: Object, seal: i32, qop: OmUint32, size: OmUint32, limit: Out<OmUint32>);
    gss_wrap_iov(context: Object, seal: i32, qop: OmUint32, sealed: Out<i32>, iov: Iov, count: i32);
    gss_wrap_iov_length(context: Object, seal: i32, qop: OmUint32, sealed: Out<i32>, iov: Iov, count: i32);
    gss_unwrap_iov(context: Object, sealed: Out<i32>, qop: Out<OmUint32>, iov: Iov, count: i32);
    gss_get_mic_iov(context: Object, qop: OmUint32, iov: Iov, count: i32);
    gss_get_mic_iov_length(context: Object, qop: OmUint32, iov: Iov, count: i32);
    gss_verify_mic_iov(context: Object, qop: Out<OmUint32>, iov: Iov, count: i32);
    gss_wrap_aead(context: Object, seal: i32, qop: OmUint32, associated: In<GssBuffer>, message: In<GssBuffer>, sealed: Out<i32>, token: Out<GssBuffer>);
    gss_unwrap_aead(context: Object, token: In<GssBuffer>, associated: In<GssBuffer>, message: Out<GssBuffer>, sealed: Out<i32>, qop: Out<OmUint32>);
    gss_pseudo_random(context: Object, key: i32, input: In<GssBuffer>, length: isize, output: Out<GssBuffer>);

    gss_acquire_cred(name: Object, time: OmUint32, mechanisms: In<OidSetDesc>, usage: i32, credential: &mut Object, actual: Out<OidSet>, left: Out<OmUint32>);
    gss_acquire_cred_from(name: Object, time: OmUint32, mechanisms: In<OidSetDesc>, usage: i32, store: In<KeyValueSet>, credential: &mut Object, actual: Out<OidSet>, left: Out<OmUint32>);
    gssspi_acquire_cred_with_password(name: Object, password: In<GssBuffer>, time: OmUint32, mechanisms: In<OidSetDesc>, usage: i32, credential: &mut Object, actual: Out<OidSet>, left: Out<OmUint32>);
    gss_release_cred(credential: &mut Object);
    gss_inquire_cred(credential: Object, name: Place<'_>, left: Out<OmUint32>, usage: Out<i32>, mechanisms: Out<OidSet>);
    gss_inquire_cred_by_mech(credential: Object, mechanism: StaticOid, name: Place<'_>, initiator_left: Out<OmUint32>, acceptor_left: Out<OmUint32>, usage: Out<i32>);
    gss_inquire_cred_by_oid(credential: Object, question: In<OidDesc>, answers: Out<BufferSet>);
    gssspi_set_cred_option(credential: &mut Object, option: In<OidDesc>, value: In<GssBuffer>);
    gss_store_cred(credential: Object, usage: i32, mechanism: StaticOid, overwrite: OmUint32, default: OmUint32, elements: Out<OidSet>, stored: Out<i32>);
    gss_store_cred_into(credential: Object, usage: i32, mechanism: StaticOid, overwrite: OmUint32, default: OmUint32, store: In<KeyValueSet>, elements: Out<OidSet>, stored: Out<i32>);
    gss_export_cred(credential: Object, token: Out<GssBuffer>);
    gss_import_cred(token: In<GssBuffer>, credential: &mut Object);
    gssspi_import_cred_by_mech(mechanism: StaticOid, token: In<GssBuffer>, credential: &mut Object);

    gss_import_name(octets: In<GssBuffer>, name_type: In<OidDesc>, name: &mut Object);
    gssspi_import_name_by_mech(mechanism: StaticOid, octets: In<GssBuffer>, name_type: In<OidDesc>, name: &mut Object);
    gss_release_name(name: &mut Object);
    gss_display_name(name: Object, text: Out<GssBuffer>, name_type: Out<StaticOid>);
    gss_display_name_ext(name: Object, wanted: In<OidDesc>, text: Out<GssBuffer>);
    gss_compare_name(left: Object, right: Object, equal: Out<i32>);
    gss_canonicalize_name(name: Object, mechanism: StaticOid, canonical: &mut Object);
    gss_duplicate_name(name: Object, copy: &mut Object);
    gss_export_name(name: Object, octets: Out<GssBuffer>);
    gss_export_name_composite(name: Object, octets: Out<GssBuffer>);
    gss_inquire_name(name: Object, is_mechanism_name: Out<i32>, mechanism: Out<StaticOid>, attributes: Out<BufferSet>);
    gss_get_name_attribute(name: Object, attribute: In<GssBuffer>, authenticated: Out<i32>, complete: Out<i32>, value: Out<GssBuffer>, shown: Out<GssBuffer>, more: Out<i32>);
    gss_set_name_attribute(name: Object, complete: i32, attribute: In<GssBuffer>, value: In<GssBuffer>);
    gss_delete_name_attribute(name: Object, attribute: In<GssBuffer>);
    gss_map_name_to_any(name: Object, authenticated: i32, kind: In<GssBuffer>, output: Out<usize>);
    gss_release_any_name_mapping(name: Object, kind: In<GssBuffer>, input: Out<usize>);
    gss_localname(name: Object, mechanism: StaticOid, local: Out<GssBuffer>);

    gss_display_status(value: OmUint32, kind: i32, mechanism: StaticOid, more: Out<OmUint32>, text: Out<GssBuffer>);
    gss_inquire_names_for_mech(mechanism: StaticOid, name_types: Out<OidSet>);
    gss_inquire_attrs_for_mech(mechanism: StaticOid, attributes: Out<OidSet>, known: Out<OidSet>);
    gss_inquire_saslname_for_mech(mechanism: StaticOid, sasl: Out<GssBuffer>, name: Out<GssBuffer>, description: Out<GssBuffer>);
    gss_inquire_mech_for_saslname(sasl: In<GssBuffer>, mechanism: Out<StaticOid>);
    gssspi_mech_invoke(mechanism: StaticOid, object: In<OidDesc>, value: In<GssBuffer>);
}

/// The bits of a major status that say that the call failed.
const FAULTS: OmUint32 = 0xffff_0000;
/// As many sentences of a plug-in's are asked for.
const SENTENCES: usize = 8;

impl Plugin {
    /// Calls a function. No lock is held, and `fork` does not wait for it: it may talk to a daemon of its own.
    fn ask(&self, call: impl FnOnce(*mut OmUint32) -> OmUint32) -> Result<Done, Failed> {
        let mut minor = 0;
        let major = gate::outside(|| call(&raw mut minor));
        if major & FAULTS == 0 {
            return Ok(Done { major, minor: minors::ours(self, minor) });
        }
        Err(Failed::of_plugin(major, minors::ours(self, minor), self.tell(major, minor)))
    }

    /// What the plug-in says of its statuses.
    fn tell(&self, major: OmUint32, minor: OmUint32) -> String {
        let said = self.tell_minor(minor).unwrap_or_else(|| {
            let general = status::tell_major(major & FAULTS).unwrap_or_default();
            format!("{} (status {major:#010x}, {minor})", general.join("; "))
        });
        format!("{}: {said}", self.entry.name)
    }

    /// What the plug-in says of a minor status of its own; `None` if it has nothing to say.
    pub(super) fn tell_minor(&self, minor: OmUint32) -> Option<String> {
        let function = self.functions.gss_display_status.filter(|_| minor != 0)?;
        let (mut sentences, mut more, mut ignored) = (Vec::new(), 0, 0);
        while sentences.len() < SENTENCES {
            let (_, (after, sentence)) = Out::ours(GssBuffer::EMPTY, |text| {
                let (after, major) = Out::ours(more, |place| {
                    // SAFETY: as where the address was found. The places are of this function and of `ours`, and outlive
                    // the call.
                    gate::outside(|| unsafe {
                        function(&raw mut ignored, minor, STATUS_MINOR, self.oid, place, text)
                    })
                });
                (after, (major & FAULTS == 0).then(|| text.take_text()))
            });
            let Some(sentence) = sentence else { break };
            sentences.push(sentence);
            more = after;
            if more == 0 {
                break;
            }
        }
        sentences.retain(|sentence| !sentence.is_empty());
        (!sentences.is_empty()).then(|| sentences.join("; "))
    }

    fn lacks(&self, function: &str) -> Failed {
        Failed::told(Major::Unavailable, format!("the mechanism {} has no {function}", self.entry.name))
    }
}

impl Library {
    /// The function that a plug-in has by this name, or by the one that MIT krb5 prefers.
    fn function(&self, name: &str) -> Option<*mut c_void> {
        let rest = name.strip_prefix("gssspi").or_else(|| name.strip_prefix("gss"))?;
        // `gss_acquire_cred_with_password` once had the other prefix; both are in use.
        [format!("gssi{rest}"), name.to_owned(), format!("gss{rest}")]
            .into_iter()
            .find_map(|name| self.symbol(&CString::new(name).ok()?))
    }
}
