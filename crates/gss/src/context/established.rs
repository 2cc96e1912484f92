//! An established context: names, flags, time, and protection of messages.

use std::fmt;
use std::sync::{Arc, OnceLock};

use orthros_krb5::ap::RemoteError;
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::vouched::Vouched;
use orthros_krb5::wire::{KerberosTime, TicketFlags};
use orthros_krb5::{Env, Principal};
use orthros_wire::{Oid, SecretBytes, Timestamp};

use crate::error::Misuse;
use crate::message::protection::{Protection, Role};
use crate::status::Order;
use crate::{Error, Flags, InitiatorCredential, PrfKey, Unwrapped};

/// A security context. `Send` and `Sync`: several threads may wrap and unwrap on one.
///
/// Once its time is over it protects nothing more: [`wrap`](Self::wrap), [`mic`](Self::mic) and export
/// answer `GSS_S_CONTEXT_EXPIRED`. What the peer sent is still verified and unwrapped, for it may have been
/// under way.
pub struct Context(pub(crate) Established);

/// What an established context knows. Everything here is there again after a transfer.
pub(crate) struct Established {
    pub(crate) initiator: Principal,
    pub(crate) acceptor: Principal,
    /// When the context ends.
    pub(crate) end: KerberosTime,
    /// When the initiator proved itself to its KDC.
    pub(crate) authtime: KerberosTime,
    /// What the ticket is good for.
    pub(crate) ticket_flags: TicketFlags,
    pub(crate) protection: Protection,
    /// Acceptor only: what the initiator delegated.
    pub(crate) delegated: Option<Arc<InitiatorCredential>>,
    /// Acceptor only: the ticket's authorization data, if there are any; also the initiator's name has them.
    pub(crate) authorization_data: Option<Arc<[TypedOctets]>>,
    /// Acceptor only: what of it the acceptor's key vouches for.
    pub(crate) vouched: Vouched,
    /// What the peer said of the context after it came up; not authentic, and not moved.
    pub(crate) late_error: OnceLock<Box<RemoteError>>,
    pub(crate) env: Env,
}

impl Established {
    /// Authorization data as a context keeps them.
    pub(crate) fn shared(elements: Vec<TypedOctets>) -> Option<Arc<[TypedOctets]>> {
        (!elements.is_empty()).then(|| elements.into())
    }
}

impl Context {
    /// The initiator's name, authenticated.
    pub fn initiator(&self) -> &Principal {
        &self.0.initiator
    }

    /// The acceptor's name.
    pub fn acceptor(&self) -> &Principal {
        &self.0.acceptor
    }

    /// Whether this end initiated.
    pub fn is_initiator(&self) -> bool {
        self.0.protection.role == Role::Initiator
    }

    /// The identifier of the context's mechanism: [`KRB5`](crate::mechanism::KRB5)'s or
    /// [`IAKERB`](crate::mechanism::IAKERB)'s.
    pub fn mechanism(&self) -> Oid {
        self.0.protection.mechanism.oid.clone()
    }

    /// What the context can do, truthfully: also [`Flags::TRANSFERABLE`].
    pub fn flags(&self) -> Flags {
        self.0.protection.flags
    }

    /// When the context ends.
    pub fn end(&self) -> Timestamp {
        self.0.end.into()
    }

    /// How many seconds are left; 0 once it is over (`gss_context_time`).
    pub fn lifetime_seconds(&self) -> u64 {
        // By the exact clock, as its end was set: by one that is some milliseconds behind, it could seem to last a second
        // longer than was asked for.
        u64::try_from(self.0.end.0.saturating_sub(self.0.env.now().seconds)).unwrap_or(0)
    }

    /// Acceptor only: the credential that the initiator delegated.
    pub fn delegated_credential(&self) -> Option<&Arc<InitiatorCredential>> {
        self.0.delegated.as_ref()
    }

    /// Acceptor only: the ticket's authorization data, as the KDC put them in (RFC 4120 §5.2.6).
    pub fn authorization_data(&self) -> &[TypedOctets] {
        self.0.authorization_data.as_deref().unwrap_or_default()
    }

    /// Seals and signs a message.
    ///
    /// # Errors
    /// [`Misuse::NotConfidential`] if the context has no confidentiality: nothing is ever signed silently
    /// instead; [`Misuse::ContextExpired`], [`Misuse::SequenceEnd`], [`Misuse::TooLong`].
    pub fn wrap(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.check_wrap(true)?;
        self.0.protection.wrap(true, message, &*self.0.env.random)
    }

    /// Signs a message and carries it in the clear.
    ///
    /// # Errors
    /// [`Misuse::ContextExpired`], [`Misuse::SequenceEnd`], [`Misuse::TooLong`].
    pub fn wrap_integrity(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.check_wrap(false)?;
        self.0.protection.wrap(false, message, &*self.0.env.random)
    }

    /// Verifies and opens the peer's wrap token.
    ///
    /// # Errors
    /// [`Error::Token`]. A refused token changes nothing: the next good one is taken.
    pub fn unwrap(&self, token: &[u8]) -> Result<Unwrapped, Error> {
        self.0.protection.unwrap(token)
    }

    /// Signs a message, apart from it (`gss_get_mic`).
    ///
    /// # Errors
    /// [`Misuse::ContextExpired`], [`Misuse::SequenceEnd`].
    pub fn mic(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.check_time()?;
        self.0.protection.mic(&[message])
    }

    /// Verifies the peer's MIC of a message.
    ///
    /// # Errors
    /// [`Error::Token`]; nothing has changed then.
    pub fn verify_mic(&self, message: &[u8], token: &[u8]) -> Result<Order, Error> {
        self.0.protection.verify_mic(&[message], token)
    }

    /// How many octets a message may have so that its wrap token has at most `token_octets`
    /// (`gss_wrap_size_limit`).
    pub fn wrap_size_limit(&self, confidential: bool, token_octets: usize) -> usize {
        self.0.protection.size_limit(confidential, token_octets)
    }

    /// Key material for the application, the same at both ends for the same key, input and length
    /// (`gss_pseudo_random`, RFC 4401; for Kerberos RFC 4402). Prefixes of one input's output are equal, so give
    /// each use an input of its own.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] past 2^32 outputs of the enctype's function; memory ends before.
    pub fn pseudo_random(&self, key: PrfKey, input: &[u8], octets: usize) -> Result<SecretBytes, Error> {
        Ok(self.0.protection.pseudo_random(key, input, octets)?)
    }

    /// Whether the context could be exported now.
    ///
    /// # Errors
    /// What [`export`](Self::export) would answer: [`Misuse::ContextExpired`], or
    /// [`Unavailable`](crate::transfer::TransferRefusal::Unavailable) if transfer is switched off.
    pub fn check_exportable(&self) -> Result<(), Error> {
        self.check_time()?;
        if self.0.protection.flags.contains(Flags::TRANSFERABLE) {
            Ok(())
        } else {
            Err(crate::transfer::TransferRefusal::Unavailable.into())
        }
    }

    pub(crate) fn check_time(&self) -> Result<(), Misuse> {
        if self.0.env.clock.now() < self.end() {
            Ok(())
        } else {
            Err(Misuse::ContextExpired { ended: self.end() })
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({} -> {}, {})", self.0.initiator, self.0.acceptor, self.0.protection.flags)
    }
}
