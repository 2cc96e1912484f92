//! The mechanisms: which one a new context is for.

pub(crate) mod iakerb;
pub(crate) mod krb5;
pub(crate) mod spnego;

use crate::context::{Accept, Initiate, Step};
use crate::framing;
use crate::mechanism::{IAKERB_OID, SPNEGO, SPNEGO_OID};

/// The first step of a context of this end's.
pub(crate) fn initiate(initiate: Initiate) -> Step {
    if *initiate.mechanism == SPNEGO {
        spnego::initiator::start(initiate)
    } else {
        krb5::initiator::start(initiate)
    }
}

/// Takes an initiator's first token, by the mechanism that it names. Kerberos also takes tokens that name none.
pub(crate) fn accept(accept: Accept, token: &[u8]) -> Step {
    match framing::unframe(token) {
        Ok((mechanism, offer)) if mechanism == SPNEGO_OID => spnego::acceptor::start(accept, offer),
        Ok((mechanism, _)) if mechanism == IAKERB_OID && accept.carries => {
            iakerb::acceptor::Carrier::new(accept).token(token)
        }
        _ => krb5::acceptor::Acceptor::new(accept).token(token),
    }
}
