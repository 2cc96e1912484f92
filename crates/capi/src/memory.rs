//! Memory that the caller frees: by the matching release call, or by plain `free()`, as many programs do.
//!
//! All of it comes from the process's `malloc`, by whatever allocator the program has put in its place.

use std::ffi::c_void;
use std::ptr;

use orthros_crypto::{Enctype, Key, MessageTokens};
use orthros_gss::context::inquiry::Lucid;
use orthros_wire::Oid;
use zeroize::Zeroize;

use crate::abi::{
    BufferSetDesc, GssBuffer, Keyblock, LucidContext, LucidKey, LucidNew, LucidOld, OidDesc, OidSetDesc,
};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_WRITE, Failed};

/// A piece of memory for so many octets, with these at its beginning. At least one octet more is there, a zero, so that
/// who takes the buffer for a C string finds its end.
pub(crate) fn allocate(octets: &[u8]) -> Result<*mut c_void, Failed> {
    allocate_pieces(&[octets])
}

/// The same with the octets of all of these, one after another.
fn allocate_pieces(pieces: &[&[u8]]) -> Result<*mut c_void, Failed> {
    let add = |length: usize, piece: &&[u8]| length.checked_add(piece.len());
    let length = pieces.iter().try_fold(1, add).ok_or_else(Failed::no_memory)?;
    // SAFETY: `malloc` may be called with any number; it answers null or memory of that size.
    let place = unsafe { libc::malloc(length) };
    if place.is_null() {
        return Err(Failed::no_memory());
    }
    let mut end = place.cast::<u8>();
    for piece in pieces {
        // SAFETY: the memory is new, so nothing else points into it, and it is longer than all pieces by one.
        unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), end, piece.len()) };
        end = end.wrapping_add(piece.len());
    }
    // SAFETY: this is the one.
    unsafe { end.write(0) };
    Ok(place)
}

pub(crate) fn free(place: *mut c_void) {
    // SAFETY: RFC 2744 §5.26 and its kin: what the caller releases is null or came from a call of this library, which is
    // to say from `malloc`; each caller of this function forgets the pointer.
    unsafe { libc::free(place) };
}

impl Out<GssBuffer> {
    /// Puts octets there that the caller frees. Nothing is allocated where there is no place.
    ///
    /// # Errors
    /// No memory.
    pub fn give(self, octets: &[u8]) -> Result<(), Failed> {
        self.give_pieces(&[octets])
    }

    /// The same with the octets of all of these, one after another.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn give_pieces(self, pieces: &[&[u8]]) -> Result<(), Failed> {
        let length = pieces.iter().fold(0, |length: usize, piece| length.saturating_add(piece.len()));
        if self.is_present() && length > 0 {
            self.set(GssBuffer { length, value: allocate_pieces(pieces)? });
        }
        Ok(())
    }

    /// The octets that the buffer holds, which is freed and empty then.
    pub(crate) fn take(self) -> Vec<u8> {
        let octets = self.get().and_then(|buffer| buffer.octets().ok()).unwrap_or_default().to_vec();
        self.release();
        octets
    }

    /// The same as text, without the zero that some count in.
    pub(crate) fn take_text(self) -> String {
        String::from_utf8_lossy(&self.take()).trim_end_matches('\0').to_owned()
    }

    /// Frees what the buffer holds and leaves it empty.
    pub fn release(self) {
        if let Some(buffer) = self.get() {
            self.set(GssBuffer::EMPTY);
            free(buffer.value);
        }
    }
}

/// `gss_OID_set`: a pointer to a set, as calls hand it out.
pub type OidSet = *mut OidSetDesc;

impl Out<OidSet> {
    /// Puts a set there that the caller releases. Nothing is allocated where there is no place.
    ///
    /// # Errors
    /// No memory.
    pub fn give<'a>(self, identifiers: impl IntoIterator<Item = &'a Oid>) -> Result<(), Failed> {
        if self.is_present() {
            self.set(make_set(&identifiers.into_iter().collect::<Vec<_>>())?);
        }
        Ok(())
    }

    /// The identifiers of the set that stands there; `None` if there is none.
    ///
    /// # Errors
    /// As [`In::identifiers`].
    pub fn members(self) -> Result<Option<Vec<Oid>>, Failed> {
        // SAFETY: what stands there is null or a set (RFC 2744 §5.3), which lives for the call.
        let set = unsafe { In::new(self.get().unwrap_or(ptr::null_mut()).cast_const()) };
        set.identifiers()
    }

    /// Changes what the set holds that stands there; it stays where it is, as programs remember the set and not only its
    /// place (mod_auth_gssapi does). Makes one if there is none.
    ///
    /// # Errors
    /// No memory; the set is as it was then.
    pub fn replace(self, identifiers: &[Oid]) -> Result<(), Failed> {
        let fresh = make_set(&identifiers.iter().collect::<Vec<_>>())?;
        match self.get().filter(|set| !set.is_null()) {
            None => self.set(fresh),
            Some(set) => {
                // SAFETY: both are sets of `make_set` (RFC 2744 §5.28), and the new one is nobody else's.
                unsafe { set.swap(fresh) };
                free_set(fresh);
            }
        }
        Ok(())
    }

    /// Frees the set and leaves null.
    pub fn release(self) {
        if let Some(set) = self.get() {
            self.set(ptr::null_mut());
            free_set(set);
        }
    }
}

/// One piece of memory for the set, one for its rows, one for each identifier, as callers that free a set by hand expect.
fn make_set(identifiers: &[&Oid]) -> Result<OidSet, Failed> {
    let set: OidSet = allocate(&[0; size_of::<OidSetDesc>()])?.cast();
    let fill = || -> Result<(), Failed> {
        if identifiers.is_empty() {
            return Ok(());
        }
        let rows: *mut OidDesc = allocate(&vec![0; size_of::<OidDesc>() * identifiers.len()])?.cast();
        // SAFETY: `set` is memory of that size, new and ours.
        unsafe { set.write(OidSetDesc { count: identifiers.len(), elements: rows }) };
        for (number, identifier) in identifiers.iter().enumerate() {
            let elements = allocate(identifier.content())?;
            let length = u32::try_from(identifier.content().len()).map_err(|_| Failed::no_memory())?;
            // SAFETY: `rows` has room for as many as there are identifiers, and is ours.
            unsafe { rows.wrapping_add(number).write(OidDesc { length, elements }) };
        }
        Ok(())
    };
    match fill() {
        Ok(()) => Ok(set),
        Err(failed) => {
            free_set(set);
            Err(failed)
        }
    }
}

impl Out<*mut LucidContext> {
    /// Puts a lucid context there that the caller frees.
    ///
    /// # Errors
    /// No memory.
    pub fn give(self, lucid: &Lucid) -> Result<(), Failed> {
        let old = lucid.key.enctype().message_tokens() != MessageTokens::Rfc4121;
        let (sign_alg, seal_alg) = match (old, lucid.key.enctype()) {
            (true, Enctype::ArcfourHmac) => (0x11, 0x10),
            (true, _) => (4, 2),
            (false, _) => (0, 0),
        };
        let none = LucidKey::NONE;
        let mut made = LucidContext {
            version: 1,
            initiate: lucid.is_initiator.into(),
            endtime: u32::try_from(lucid.end.seconds).unwrap_or(u32::MAX),
            send_seq: lucid.send_sequence,
            recv_seq: lucid.receive_sequence,
            protocol: u32::from(!old),
            rfc1964_kd: LucidOld { sign_alg, seal_alg, ctx_key: none },
            cfx_kd: LucidNew { have_acceptor_subkey: 0, ctx_key: none, acceptor_subkey: none },
        };
        let key = lucid_key(&lucid.key)?;
        if old {
            made.rfc1964_kd.ctx_key = key;
        } else {
            made.cfx_kd.ctx_key = key;
            if let Some(subkey) = &lucid.acceptor_subkey {
                made.cfx_kd.have_acceptor_subkey = 1;
                made.cfx_kd.acceptor_subkey = lucid_key(subkey)?;
            }
        }
        let place: *mut LucidContext = allocate(&[0; size_of::<LucidContext>()])?.cast();
        // SAFETY: `place` is memory of that size, new and ours; `malloc` aligns it for every type.
        unsafe { place.write(made) };
        self.set(place);
        Ok(())
    }
}

fn lucid_key(key: &Key) -> Result<LucidKey, Failed> {
    let octets = key.expose_octets();
    let length = u32::try_from(octets.len()).map_err(|_| Failed::no_memory())?;
    Ok(LucidKey { kind: key.enctype().number().unsigned_abs(), length, data: allocate(octets)? })
}

impl Out<*mut Keyblock> {
    /// Puts a key there that the caller frees: the block, and its octets.
    ///
    /// # Errors
    /// No memory.
    pub fn give(self, enctype: Enctype, octets: &[u8]) -> Result<(), Failed> {
        let block: *mut Keyblock = allocate(&[0; size_of::<Keyblock>()])?.cast();
        let data = allocate(octets).inspect_err(|_| free(block.cast()))?;
        // SAFETY: `block` is memory of that size, new and ours; `malloc` aligns it for every type.
        unsafe { block.write(Keyblock { kind: enctype.number(), length: octets.len(), data }) };
        self.set(block);
        Ok(())
    }
}

/// Wipes and frees a lucid context.
pub(crate) fn free_lucid(lucid: *mut LucidContext) {
    if lucid.is_null() {
        return;
    }
    // SAFETY: what the caller frees is a lucid context of this library, which wrote it whole.
    let made = unsafe { lucid.read() };
    for key in [made.rfc1964_kd.ctx_key, made.cfx_kd.ctx_key, made.cfx_kd.acceptor_subkey] {
        let length = usize::try_from(key.length).unwrap_or(0);
        wipe(GssBuffer { length, value: key.data });
        free(key.data);
    }
    free(lucid.cast());
}

/// Overwrites octets that were allocated here, about to be freed.
fn wipe(octets: GssBuffer) {
    if !octets.value.is_null() {
        // SAFETY: memory of `allocate`, of at least that length.
        let slice = unsafe { std::slice::from_raw_parts_mut(octets.value.cast::<u8>(), octets.length) };
        slice.zeroize();
    }
}

/// `gss_buffer_set_t`: a pointer to a set, as calls hand it out.
pub type BufferSet = *mut BufferSetDesc;

impl Out<BufferSet> {
    /// Puts a set of buffers there that the caller releases. Nothing is allocated where there is no place.
    ///
    /// # Errors
    /// No memory.
    pub fn give<'a>(self, buffers: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Failed> {
        if !self.is_present() {
            return Ok(());
        }
        let set: BufferSet = allocate(&[0; size_of::<BufferSetDesc>()])?.cast();
        self.set(set);
        buffers.into_iter().try_for_each(|buffer| self.append(buffer))
    }

    /// Adds a copy of these octets to the set that stands there.
    ///
    /// # Errors
    /// No memory, or there is no set; the set is as it was then.
    pub fn append(self, octets: &[u8]) -> Result<(), Failed> {
        let set =
            self.get().filter(|set| !set.is_null()).ok_or_else(|| Failed::call(CALL_INACCESSIBLE_WRITE))?;
        // SAFETY: a set of this library (the caller got it from `gss_create_empty_buffer_set` or an inquiry).
        let desc = unsafe { set.read() };
        let buffer = GssBuffer { length: octets.len(), value: allocate(octets)? };
        let length = desc.count.checked_add(1).and_then(|count| count.checked_mul(size_of::<GssBuffer>()));
        // SAFETY: the rows are null or memory of `malloc`, which nobody else frees.
        let rows = unsafe { libc::realloc(desc.elements.cast(), length.unwrap_or(usize::MAX)) };
        if rows.is_null() {
            free(buffer.value);
            return Err(Failed::no_memory());
        }
        let rows: *mut GssBuffer = rows.cast();
        // SAFETY: the rows have room for one more than the set counts.
        unsafe { rows.wrapping_add(desc.count).write(buffer) };
        // SAFETY: as for the reading of the set.
        unsafe { set.write(BufferSetDesc { count: desc.count + 1, elements: rows }) };
        Ok(())
    }

    /// A copy of the only buffer of the set that stands there; `None` if it has none or more, or there is no set.
    pub(crate) fn only_buffer(self) -> Option<Vec<u8>> {
        let set = self.get().filter(|set| !set.is_null())?;
        // SAFETY: a set of this library.
        let desc = unsafe { set.read() };
        if desc.count != 1 {
            return None;
        }
        // SAFETY: the set has as many rows as it counts.
        let row = unsafe { desc.elements.read() };
        row.octets().ok().map(<[u8]>::to_vec)
    }

    /// Frees the set and leaves null. What the buffers held is wiped: keys may be among it.
    pub fn release(self) {
        let Some(set) = self.get().filter(|set| !set.is_null()) else { return };
        self.set(ptr::null_mut());
        // SAFETY: a set of this library, which the caller releases.
        let desc = unsafe { set.read() };
        for number in 0..desc.count {
            // SAFETY: the set has as many rows as it counts.
            let row = unsafe { desc.elements.wrapping_add(number).read() };
            wipe(row);
            free(row.value);
        }
        free(desc.elements.cast());
        free(set.cast());
    }
}

fn free_set(set: OidSet) {
    if set.is_null() {
        return;
    }
    // SAFETY: a set of `make_set` (RFC 2744 §5.28: the caller releases what the library made), which wrote it whole.
    let desc = unsafe { set.read() };
    if !desc.elements.is_null() {
        for number in 0..desc.count {
            // SAFETY: `make_set` has zeroed and then written as many rows as the set counts.
            let row = unsafe { desc.elements.wrapping_add(number).read() };
            free(row.elements);
        }
    }
    free(desc.elements.cast());
    free(set.cast());
}
