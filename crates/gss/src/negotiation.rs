//! Negotiating (RFC 4178) mechanisms that are not here: a program's own, or plug-ins of others.
//!
//! [`Initiate::beside`](crate::Initiate::beside) and [`Accept::beside`](crate::Accept::beside) put their identifiers behind
//! Kerberos in the list. Where one is agreed on, the step is [`Need::Elsewhere`](crate::Need::Elsewhere), and whoever has
//! the mechanism takes the negotiation over. Where there is no credential for Kerberos at all it begins there:
//! [`Initiator::offering`] or [`Acceptor::choose`].
//!
//! Either half knows of the mechanism only whether it waits for a token or is up and [`Signs`]. The loop is this, with a
//! mechanism that makes `token`s of tokens:
//!
//! ```
//! # use orthros_gss::negotiation::{Initiator, Say, Signs, Standing};
//! # use orthros_gss::Error;
//! # struct Mine;
//! # impl Signs for Mine {
//! #     type Error = Error;
//! #     fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Error> { Ok(message.to_vec()) }
//! #     fn verify_mic(&self, message: &[u8], mic: &[u8]) -> Result<(), Error> { Ok(()) }
//! # }
//! let mut negotiation = Initiator::offering(vec!["1.3.6.1.4.1.311.2.2.10".parse()?]);
//! let token = b"the mechanism's first token";
//! let Say::Wait(offer) = negotiation.say(Some(token), Standing::<Mine>::Waits) else { panic!() };
//! // The offer is sent. What the peer answers goes to `negotiation.hear`, the token in that to the mechanism, and so on,
//! // until the negotiation says that it is up.
//! # assert!(offer.ends_with(token));
//! # Ok::<(), orthros_wire::oid::BadOid>(())
//! ```

use std::fmt;

use orthros_wire::Oid;

use crate::Error;
use crate::context::{After, Step};
use crate::error::Refusal;
pub use crate::mech::spnego::acceptor::{Acceptor, Choice};
pub use crate::mech::spnego::initiator::Initiator;
pub use crate::mech::spnego::{Heard, Say, Signs, Standing};

/// A mechanism that is not here was agreed on, or goes first because Kerberos can't.
#[must_use]
pub struct NeedElsewhere {
    pub(crate) mechanism: Oid,
    pub(crate) token: Option<Vec<u8>>,
    pub(crate) end: Elsewhere,
    /// Why Kerberos can't.
    pub(crate) failed: Option<Error>,
}

/// The half of a negotiation that goes on.
#[derive(Debug)]
pub enum Elsewhere {
    /// The initiator's: the mechanism begins.
    Initiator(Initiator),
    /// The acceptor's: the mechanism takes its first token, or that is [asked](Acceptor::ask) for.
    Acceptor(Acceptor),
}

impl NeedElsewhere {
    /// The mechanism.
    pub fn mechanism(&self) -> &Oid {
        &self.mechanism
    }

    /// Its first token, if the initiator has sent it along.
    pub fn token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }

    /// Why Kerberos, which was preferred, has failed before it sent anything; `None` if the acceptor has chosen.
    pub fn failed(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// Takes the negotiation over.
    pub fn into_end(self) -> Elsewhere {
        self.end
    }

    /// Nobody has the mechanism.
    pub fn unavailable(self) -> Step {
        let error = self.failed.unwrap_or_else(|| Refusal::Mechanism(self.mechanism).into());
        match self.end {
            Elsewhere::Initiator(_) => Step::Failed(error),
            Elsewhere::Acceptor(negotiation) => Step::send(negotiation.refuse(None), After::Failed(error)),
        }
    }
}

impl fmt::Debug for NeedElsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeedElsewhere({})", self.mechanism)
    }
}
