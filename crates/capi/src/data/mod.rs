//! The object identifiers that the originals export as data, a file for each original.
//!
//! MIT krb5's and most of GNU's are pointers to descriptions, Heimdal's are the descriptions themselves. All are right
//! before any code has run: programs that are no position-independent code copy them into memory of their own before a
//! constructor could set them. Nothing in this library reads them, so that two copies are no matter.
//!
//! Deliberately without docs of their own: a symbol's name says what it is, and RFC 2744, RFC 5587 and the headers of the
//! originals what for.

pub mod gnu;
pub mod heimdal;
pub mod mit;

use std::ffi::c_void;

pub(crate) use mit::known;

use crate::abi::OidDesc;

/// Data that nothing changes.
#[repr(transparent)]
#[derive(Debug)]
pub struct Constant<T>(T);

// SAFETY: what is in a `Constant`, and what it points to, is constant data of the library, which nobody may write to.
unsafe impl<T> Sync for Constant<T> {}

const fn describe(octets: &'static [u8]) -> OidDesc {
    // An identifier of these files has a few octets.
    #[allow(clippy::cast_possible_truncation, reason = "checked by a test: all are shorter than 256")]
    let length = octets.len() as u32;
    OidDesc { length, elements: octets.as_ptr().cast_mut().cast::<c_void>() }
}

macro_rules! descriptions {
    ($($name:ident $octets:expr;)+) => {
        $(
            #[unsafe(no_mangle)]
            pub static $name: Constant<OidDesc> = Constant(describe($octets));
        )+

        /// Every description by its symbol's name, with its octets.
        pub const DESCRIPTIONS: &[(&str, &[u8])] = &[$((stringify!($name), $octets)),+];
    };
}

use descriptions;
