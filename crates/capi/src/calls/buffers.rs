//! Buffers, sets of them, and sets of object identifiers (RFC 2744 §5.3, §5.8, §5.25, §5.28, §5.30).

use orthros_wire::Oid;

use crate::abi::{GssBuffer, OidDesc, OidSetDesc, OmUint32};
use crate::boundary::boundary;
use crate::memory::{BufferSet, OidSet};
use crate::pointers::{In, Out};
use crate::status::{CALL_INACCESSIBLE_READ, CALL_INACCESSIBLE_WRITE, COMPLETE, Failed};

/// Frees a buffer's octets and leaves it empty (§5.25).
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_buffer(minor_status: Out<OmUint32>, buffer: Out<GssBuffer>) -> OmUint32 {
    boundary(minor_status, || {
        buffer.release();
        Ok(COMPLETE)
    })
}

/// Frees a set and leaves null (§5.28).
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_oid_set(minor_status: Out<OmUint32>, set: Out<OidSet>) -> OmUint32 {
    boundary(minor_status, || {
        set.release();
        Ok(COMPLETE)
    })
}

/// Makes an empty set (§5.8).
#[unsafe(no_mangle)]
pub extern "C" fn gss_create_empty_oid_set(minor_status: Out<OmUint32>, oid_set: Out<OidSet>) -> OmUint32 {
    boundary(minor_status, || {
        oid_set.require()?;
        oid_set.set(std::ptr::null_mut());
        oid_set.give(&[])?;
        Ok(COMPLETE)
    })
}

/// Adds an identifier to a set, unless it is there (§5.3).
#[unsafe(no_mangle)]
pub extern "C" fn gss_add_oid_set_member(
    minor_status: Out<OmUint32>,
    member_oid: In<OidDesc>,
    oid_set: Out<OidSet>,
) -> OmUint32 {
    boundary(minor_status, || {
        let member = member_oid.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        let Some(old) = oid_set.get() else { return Err(Failed::call(CALL_INACCESSIBLE_WRITE)) };
        let mut members: Vec<Oid> = oid_set.members()?.unwrap_or_default();
        if old.is_null() || !members.contains(&member) {
            members.push(member);
            oid_set.replace(&members)?;
        }
        Ok(COMPLETE)
    })
}

/// Tells whether an identifier is in a set (§5.30).
#[unsafe(no_mangle)]
pub extern "C" fn gss_test_oid_set_member(
    minor_status: Out<OmUint32>,
    member: In<OidDesc>,
    set: In<OidSetDesc>,
    present: Out<i32>,
) -> OmUint32 {
    boundary(minor_status, || {
        present.set(0);
        present.require()?;
        let member = member.identifier()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        let members = set.identifiers()?.ok_or_else(|| Failed::call(CALL_INACCESSIBLE_READ))?;
        present.set(i32::from(members.contains(&member)));
        Ok(COMPLETE)
    })
}

/// Makes an empty set of buffers.
#[unsafe(no_mangle)]
pub extern "C" fn gss_create_empty_buffer_set(
    minor_status: Out<OmUint32>,
    buffer_set: Out<BufferSet>,
) -> OmUint32 {
    buffer_set.set(std::ptr::null_mut());
    boundary(minor_status, || {
        buffer_set.require()?;
        buffer_set.give([])?;
        Ok(COMPLETE)
    })
}

/// Adds a copy of a buffer to a set, which is made if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn gss_add_buffer_set_member(
    minor_status: Out<OmUint32>,
    member_buffer: In<GssBuffer>,
    buffer_set: Out<BufferSet>,
) -> OmUint32 {
    boundary(minor_status, || {
        buffer_set.require()?;
        let octets = member_buffer.octets()?;
        if buffer_set.get().is_none_or(|set| set.is_null()) {
            buffer_set.give([])?;
        }
        buffer_set.append(octets)?;
        Ok(COMPLETE)
    })
}

/// Frees a set of buffers and leaves null.
#[unsafe(no_mangle)]
pub extern "C" fn gss_release_buffer_set(
    minor_status: Out<OmUint32>,
    buffer_set: Out<BufferSet>,
) -> OmUint32 {
    boundary(minor_status, || {
        buffer_set.release();
        Ok(COMPLETE)
    })
}
