//! Security contexts: how they come up, and what they can do.
//!
//! | file | what it holds |
//! |---|---|
//! | [`step`] | [`Step`], [`Need`] and their kin: state by value, effects as data |
//! | [`request`] | [`Initiate`] and [`Accept`]: what is asked of a new context |
//! | [`established`] | [`Context`] |
//! | `in_place` | messages where they lie, in pieces, with associated data |
//! | [`inquiry`] | what a context tells about itself, by name and by object identifier |

pub mod established;
mod in_place;
pub mod inquiry;
pub mod request;
pub mod step;

pub use crate::mech::krb5::target::Resolved;
pub use established::Context;
pub use request::{Accept, Initiate, Settings};
pub(crate) use step::{After, Within};
pub use step::{
    AwaitToken, Need, NeedKdc, NeedRelay, NeedReplay, NeedResolve, NeedSpend, NeedStore, Owed, Step,
};
