//! The system's clock in whole seconds.

use std::ptr;

/// The second since 1970 as of the system's last tick, some milliseconds behind the clock at the most. It costs no look
/// at the processor's counter.
#[allow(clippy::useless_conversion, reason = "where longs have 32 bits, so has time_t")]
pub fn seconds() -> i64 {
    // SAFETY: time(2) with no place to write to only answers.
    unsafe { libc::time(ptr::null_mut()) }.into()
}
