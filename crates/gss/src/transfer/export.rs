//! Export: the context becomes a token, or stays what it was.

use std::fmt;

use super::seal::Kind;
use super::{Seal, state};
use crate::{Context, Error};

/// An export that failed: the context is untouched and goes on.
pub struct Kept {
    /// The context, as it was.
    pub context: Context,
    /// Why it could not be exported.
    pub error: Error,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kept({:?}, {})", self.context, self.error)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the context stays here: {}", self.error)
    }
}

impl std::error::Error for Kept {}

impl Context {
    /// Gives up the context and returns the token that brings it to life in another process (RFC 2743
    /// §2.2.8). The token is good until the context ends, for one import: by whoever holds the key, and
    /// [is](super::SealingKey::under) what it demands.
    ///
    /// The context is moved in, so that nothing can be done with it any more:
    ///
    /// ```compile_fail,E0382
    /// # use orthros_gss::{Context, transfer::SealingKey};
    /// fn go_on(context: Context, key: &SealingKey) {
    ///     let token = context.export(key);
    ///     let _ = context.wrap(b"after the export"); // use of moved value
    /// }
    /// ```
    ///
    /// Only an export that failed gives it back:
    ///
    /// ```
    /// # use orthros_gss::{Context, Error, transfer::SealingKey};
    /// fn hand_over(context: Context, key: &SealingKey, send: impl Fn(&[u8])) -> Option<Context> {
    ///     match context.export(key) {
    ///         Ok(token) => send(&token),
    ///         Err(kept) => return Some(kept.context),
    ///     }
    ///     None
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Kept`] gives the context back, untouched: [`ContextExpired`](crate::error::Misuse::ContextExpired),
    /// [`Unavailable`](super::TransferRefusal::Unavailable) if transfer is switched off,
    /// [`TooLarge`](super::TransferRefusal::TooLarge).
    pub fn export<'s>(self, seal: impl Into<Seal<'s>>) -> Result<Vec<u8>, Kept> {
        match self.sealed(seal.into()) {
            // Dropping the context wipes its keys.
            Ok(token) => Ok(token),
            Err(error) => Err(Kept { context: self, error }),
        }
    }

    fn sealed(&self, seal: Seal<'_>) -> Result<Vec<u8>, Error> {
        self.check_exportable()?;
        let state = state::write(&self.0)?;
        Ok(seal.seal(Kind::Context, state.expose_octets(), self.end(), &*self.0.env.random)?)
    }
}
