//! The border to C: no panic crosses it, and no fork happens amid a call.

use std::panic::{AssertUnwindSafe, catch_unwind};

use orthros::sys::gate;

use crate::abi::OmUint32;
use crate::pointers::Out;
use crate::status::{self, Failed, MINOR_PANIC};

/// Runs the body of a call: the major status that it returns, or what its failure says.
pub(crate) fn boundary(minor: Out<OmUint32>, body: impl FnOnce() -> Result<OmUint32, Failed>) -> OmUint32 {
    if !minor.is_present() {
        return status::CALL_INACCESSIBLE_WRITE;
    }
    minor.set(0);
    let _inside = gate::enter();
    // State behind handles is changed by single assignments, so that what a panic leaves is whole.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(major)) => major,
        Ok(Err(failed)) => {
            minor.set(failed.minor());
            failed.tell()
        }
        Err(_) => {
            minor.set(MINOR_PANIC);
            status::FAILURE
        }
    }
}

/// The border of a call that has no place for a minor status.
pub(crate) fn without_minor(body: impl FnOnce() -> Result<OmUint32, Failed>) -> OmUint32 {
    let mut minor = 0;
    // SAFETY: the place is of this function and outlives the call.
    let place = unsafe { Out::new(&raw mut minor) };
    boundary(place, body)
}
