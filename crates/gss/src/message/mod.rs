//! Per-message protection (RFC 2743 §2.3) by the tokens of RFC 4121 §4.2, or of RFC 1964 where the key is of an old
//! enctype.
//!
//! | file | what it holds |
//! |---|---|
//! | `token` | the 16 octets that begin every token |
//! | `protection` | keys and counters of an established context: wrap, unwrap, MIC, verify |
//! | `pieces` | messages in pieces, protected where they lie |
//! | `rfc1964` | tokens of the old form |
//! | `prf` | key material for the application |
//! | `window` | which sequence numbers have been seen |
//!
//! A token changes nothing before it has been verified: keys first, then the window.

mod pieces;
mod prf;
pub(crate) mod protection;
mod rfc1964;
pub(crate) mod token;
pub(crate) mod window;

pub use pieces::{Piece, PieceLengths, Verified};
pub use prf::PrfKey;
pub use protection::Unwrapped;
