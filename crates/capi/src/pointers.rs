//! Arguments of calls: what a caller points at.
//!
//! The types here have the layout of the pointer that C passes, and stand in the signatures of the calls themselves, so
//! that a call's body reads like safe code. They can be made by C only, or by [`unsafe`](Out::new) Rust: whoever does
//! promises what RFC 2744 demands, that a pointer is null or lends a place of its type for the call.

use std::ffi::{CStr, c_char};
use std::{ptr, slice};

use orthros::Major;
use orthros_wire::Oid;

use crate::abi::{ChannelBindingsDesc, GssBuffer, KeyValue, KeyValueSet, OidDesc, OidSetDesc, OmUint32};
use crate::libkrb5::LentPrincipal;
use crate::oids;
use crate::status::{BAD_STRUCTURE, CALL_INACCESSIBLE_READ, CALL_INACCESSIBLE_WRITE, Failed};

/// A place for a result, or null.
#[repr(transparent)]
#[derive(Debug)]
pub struct Out<T>(*mut T);

impl<T> Clone for Out<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<T> {}

impl<T> Out<T> {
    /// No place.
    pub(crate) const fn nowhere() -> Self {
        Self(std::ptr::null_mut())
    }
}

impl<T: Copy> Out<T> {
    /// A place of ours that holds `empty` first: what a call puts there, and what the call answers.
    pub(crate) fn ours<R>(empty: T, call: impl FnOnce(Self) -> R) -> (T, R) {
        let mut place = empty;
        let answer = call(Self(&raw mut place));
        (place, answer)
    }

    /// A place for a result.
    ///
    /// # Safety
    /// `place` is null, or nobody else uses it while this is in use.
    pub unsafe fn new(place: *mut T) -> Self {
        Self(place)
    }

    /// Whether there is a place.
    pub fn is_present(self) -> bool {
        !self.0.is_null()
    }

    /// Demands a place.
    ///
    /// # Errors
    /// `GSS_S_CALL_INACCESSIBLE_WRITE` for null.
    pub fn require(self) -> Result<(), Failed> {
        if self.is_present() { Ok(()) } else { Err(Failed::call(CALL_INACCESSIBLE_WRITE)) }
    }

    /// Puts a result there, if there is a place.
    pub fn set(self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not null, so by the promise of `new` (RFC 2744 §3: the caller's storage) a place of this type
            // that is ours for the call. It need not be aligned.
            unsafe { self.0.write_unaligned(value) };
        }
    }

    /// What stands there; `None` if there is no place.
    pub fn get(self) -> Option<T> {
        // SAFETY: as in `set`; every place that is read is an argument which the caller has initialised (RFC 2744:
        // "modify"), or one that `set` has.
        (!self.0.is_null()).then(|| unsafe { self.0.read_unaligned() })
    }
}

/// A structure that the caller lends for reading, or null.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct In<T>(*const T);

impl<T> In<T> {
    /// Nothing.
    pub(crate) const fn nothing() -> Self {
        Self(std::ptr::null())
    }

    /// Lends a structure of ours to a call.
    pub(crate) fn ours<R>(structure: &T, call: impl FnOnce(Self) -> R) -> R {
        call(Self(structure))
    }
}

impl In<GssBuffer> {
    /// Lends octets of ours to a call, which only reads them.
    pub(crate) fn lend<R>(octets: &[u8], call: impl FnOnce(Self) -> R) -> R {
        Self::ours(&GssBuffer { length: octets.len(), value: octets.as_ptr().cast_mut().cast() }, call)
    }
}

impl<T: Copy> In<T> {
    /// A structure to be read.
    ///
    /// # Safety
    /// `place` is null, or holds a value for as long as this is in use; so does whatever the value points to.
    pub unsafe fn new(place: *const T) -> Self {
        Self(place)
    }

    fn read(self) -> Option<T> {
        // SAFETY: not null, so by the promise of `new` a value of this type. It need not be aligned.
        (!self.0.is_null()).then(|| unsafe { self.0.read_unaligned() })
    }
}

fn inaccessible() -> Failed {
    Failed::call(CALL_INACCESSIBLE_READ)
}

impl GssBuffer {
    /// The octets that the buffer lends.
    pub(crate) fn octets<'a>(self) -> Result<&'a [u8], Failed> {
        match (self.length, self.value.is_null()) {
            (0, _) => Ok(&[]),
            (_, true) => Err(inaccessible()),
            (length, _) if isize::try_from(length).is_err() => Err(Failed::call(BAD_STRUCTURE)),
            // SAFETY: the caller's buffer (RFC 2744 §3.2) holds `length` octets at `value` for the call, at most what
            // one object may have. What is made of them does not outlive the call: every body copies what it keeps.
            (length, _) => Ok(unsafe { slice::from_raw_parts(self.value.cast(), length) }),
        }
    }
}

impl In<GssBuffer> {
    /// Writes over what a buffer holds, which must be as long: where an answer goes into the caller's own octets.
    ///
    /// # Errors
    /// `GSS_S_UNAVAILABLE` for another length, and for null.
    pub(crate) fn overwrite(self, octets: &[u8]) -> Result<(), Failed> {
        let place = self.read().filter(|place| place.length == octets.len() && !place.value.is_null());
        let place = place.ok_or_else(|| {
            Failed::told(
                Major::Unavailable,
                format!("the buffer for the answer needs {} octets", octets.len()),
            )
        })?;
        // SAFETY: the caller's buffer (RFC 2744 §3.2) holds as many octets, and whoever asks for an answer in it lets it be
        // written; `ptr::copy` takes places that overlap.
        unsafe { ptr::copy(octets.as_ptr(), place.value.cast(), octets.len()) };
        Ok(())
    }

    /// The octets of a buffer.
    ///
    /// # Errors
    /// `GSS_S_CALL_INACCESSIBLE_READ` for null.
    pub fn octets<'a>(self) -> Result<&'a [u8], Failed> {
        self.read().ok_or_else(inaccessible)?.octets()
    }

    /// The octets of a buffer that may be null (`GSS_C_NO_BUFFER`), which is empty.
    ///
    /// # Errors
    /// `GSS_S_CALL_INACCESSIBLE_READ` for a length without octets.
    pub fn octets_or_none<'a>(self) -> Result<&'a [u8], Failed> {
        self.read().unwrap_or(GssBuffer::EMPTY).octets()
    }

    /// The principal of libkrb5 that the octets of a buffer point to.
    ///
    /// # Errors
    /// `GSS_S_FAILURE` for octets that are no pointer or a null one; `GSS_S_CALL_INACCESSIBLE_READ` for null.
    pub fn lent_principal(self) -> Result<LentPrincipal, Failed> {
        let address = <[u8; size_of::<usize>()]>::try_from(self.octets()?).map_or(0, usize::from_ne_bytes);
        // SAFETY: whoever says that the name is of this type lends a `krb5_principal` there for the call.
        let principal = unsafe { LentPrincipal::new(std::ptr::with_exposed_provenance_mut(address)) };
        if principal.is_present() {
            Ok(principal)
        } else {
            Err(Failed::plain(Major::Failure, "a name of this type is a pointer to a principal of libkrb5"))
        }
    }
}

impl OidDesc {
    fn identifier(self) -> Result<Oid, Failed> {
        let buffer = GssBuffer { length: usize::try_from(self.length).unwrap_or(0), value: self.elements };
        let octets = buffer.octets()?;
        // Most are some that are known here.
        match oids::known(octets) {
            Some(oid) => Ok(oid),
            None => Oid::from_content(octets).map_err(|_| Failed::call(BAD_STRUCTURE)),
        }
    }
}

impl In<OidDesc> {
    /// Lends an identifier that a library keeps in static memory, or null.
    pub(crate) fn kept<R>(oid: crate::oids::StaticOid, call: impl FnOnce(Self) -> R) -> R {
        call(Self(oid))
    }

    /// The identifier; `None` for null (`GSS_C_NO_OID`).
    ///
    /// # Errors
    /// `GSS_S_CALL_BAD_STRUCTURE` for octets that are no identifier.
    pub fn identifier(self) -> Result<Option<Oid>, Failed> {
        self.read().map(OidDesc::identifier).transpose()
    }
}

impl In<OidSetDesc> {
    /// The identifiers; `None` for null (`GSS_C_NO_OID_SET`).
    ///
    /// # Errors
    /// As [`In::identifier`].
    pub fn identifiers(self) -> Result<Option<Vec<Oid>>, Failed> {
        let Some(set) = self.read() else { return Ok(None) };
        if set.count > 0 && set.elements.is_null() {
            return Err(inaccessible());
        }
        let place = |number: usize| In(set.elements.wrapping_add(number).cast_const());
        let found: Result<Vec<Oid>, Failed> =
            (0..set.count).map(|number| place(number).identifier()?.ok_or_else(inaccessible)).collect();
        found.map(Some)
    }
}

/// A C string, or null.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Text(*const c_char);

impl Text {
    /// A C string.
    ///
    /// # Safety
    /// `place` is null, or octets up to a zero lie there for as long as this is in use.
    pub unsafe fn new(place: *const c_char) -> Self {
        Self(place)
    }

    /// The text.
    ///
    /// # Errors
    /// `GSS_S_CALL_INACCESSIBLE_READ` for null, `GSS_S_CALL_BAD_STRUCTURE` for what is no UTF-8.
    pub fn read(self) -> Result<String, Failed> {
        self.read_or_none()?.ok_or_else(inaccessible)
    }

    /// The text; `None` for null.
    ///
    /// # Errors
    /// `GSS_S_CALL_BAD_STRUCTURE` for what is no UTF-8.
    pub fn read_or_none(self) -> Result<Option<String>, Failed> {
        if self.0.is_null() {
            return Ok(None);
        }
        // SAFETY: not null, so by the promise of `new` a C string that lives for the call; it is copied here.
        let text = unsafe { CStr::from_ptr(self.0) };
        text.to_str().map(|text| Some(text.to_owned())).map_err(|_| Failed::call(BAD_STRUCTURE))
    }
}

impl In<KeyValueSet> {
    /// The pairs of a credential store; none for null.
    ///
    /// # Errors
    /// As [`Text::read`].
    pub fn pairs(self) -> Result<Vec<(String, String)>, Failed> {
        let Some(set) = self.read().filter(|set| set.count > 0) else { return Ok(Vec::new()) };
        let count = usize::try_from(set.count).unwrap_or(0);
        if set.elements.is_null() {
            return Err(inaccessible());
        }
        let pair = |number: usize| {
            let pair: KeyValue = In(set.elements.wrapping_add(number)).read().ok_or_else(inaccessible)?;
            Ok((Text(pair.key).read()?, Text(pair.value).read()?))
        };
        (0..count).map(pair).collect()
    }
}

impl In<i32> {
    /// So many numbers; none for null.
    pub fn numbers(self, count: OmUint32) -> Vec<i32> {
        let count = usize::try_from(count).unwrap_or(0);
        // Null is read as nothing, so the list ends at once.
        (0..count)
            .map_while(|number| In(self.0.wrapping_add(number)).read().filter(|_| !self.0.is_null()))
            .collect()
    }
}

impl In<ChannelBindingsDesc> {
    /// The bindings; `None` for null (`GSS_C_NO_CHANNEL_BINDINGS`).
    ///
    /// # Errors
    /// `GSS_S_CALL_INACCESSIBLE_READ` for a length without octets.
    pub fn bindings(self) -> Result<Option<orthros::ChannelBindings>, Failed> {
        let Some(given) = self.read() else { return Ok(None) };
        Ok(Some(orthros::ChannelBindings {
            initiator_address_type: given.initiator_addrtype,
            initiator_address: given.initiator_address.octets()?.to_vec(),
            acceptor_address_type: given.acceptor_addrtype,
            acceptor_address: given.acceptor_address.octets()?.to_vec(),
            application_data: given.application_data.octets()?.to_vec(),
        }))
    }
}
