//! Import: a token becomes a context, once.

use orthros_wire::Timestamp;

use super::seal::Kind;
use super::{Seal, TransferRefusal, state};
use crate::context::{AwaitToken, Need, NeedSpend, Settings, Step, Within};
use crate::{Context, Flags};

/// Takes a token (RFC 2743 §2.2.9). If it is whole and good, the step is a [`Need::Spend`], then
/// [`Step::Done`]; a token that is refused is not spent.
///
/// ```
/// # use orthros_gss::{transfer, Settings, Step, Need, Context, Error};
/// fn receive(
///     token: &[u8],
///     key: &transfer::SealingKey,
///     settings: &Settings,
///     first_time: impl FnOnce(&[u8; 16]) -> bool,
/// ) -> Option<Context> {
///     let Step::Need(Need::Spend(need)) = transfer::import(token, key, settings) else { return None };
///     if !first_time(need.id()) {
///         return None;
///     }
///     let Step::Done(context) = need.spent() else { return None };
///     Some(context)
/// }
/// ```
pub fn import<'s>(token: &[u8], seal: impl Into<Seal<'s>>, settings: &Settings) -> Step {
    match open(token, seal.into(), settings) {
        Ok(opened) => {
            Step::Need(Need::Spend(NeedSpend { opened: Box::new(opened), within: Within::default() }))
        }
        Err(refusal) => Step::fail(refusal),
    }
}

fn open(token: &[u8], seal: Seal<'_>, settings: &Settings) -> Result<Opened, TransferRefusal> {
    if !settings.transfer {
        return Err(TransferRefusal::Unavailable);
    }
    let now = settings.env.clock.now();
    let unsealed = seal.open(Kind::Context, token, now)?;
    let mut established = state::read(unsealed.state(), settings.env.clone())?;
    established.protection.flags = established.protection.flags | Flags::TRANSFERABLE;
    Ok(Opened { id: unsealed.id, until: unsealed.until, now, moved: Moved::Context(Context(established)) })
}

/// A token that was opened and is not spent yet. The context in it can't be used.
pub(crate) struct Opened {
    pub(super) id: [u8; 16],
    pub(super) until: Timestamp,
    pub(super) now: Timestamp,
    pub(super) moved: Moved,
}

/// What moved.
pub(super) enum Moved {
    Context(Context),
    HalfOpen(AwaitToken),
}

impl Opened {
    pub(crate) fn id(&self) -> &[u8; 16] {
        &self.id
    }

    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The ledger has recorded the token: what was in it lives here now.
    pub(crate) fn spend(self) -> Step {
        match self.moved {
            Moved::Context(context) => Step::Done(context),
            Moved::HalfOpen(waiting) => Step::Receive(waiting),
        }
    }
}
