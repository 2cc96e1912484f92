//! What an exchange learns on its way that nobody outside can see, for those who trace it.
//!
//! Shape: facts as values, told to whoever [watches](crate::env::Sources::watch). Nothing depends on whether anybody does.
//! Deliberately not here: words, files, and whatever the driver sees by itself, such as KDCs and caches.

use orthros_crypto::Enctype;
use orthros_wire::Oid;

use crate::Principal;

/// Is told what an exchange learns.
pub trait Watch: Send + Sync {
    /// Takes note of a fact. It is told in the middle of the work: neither wait nor panic.
    fn saw(&self, fact: &Fact<'_>);
}

/// What an exchange learnt or decided. No fact holds a secret.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Fact<'a> {
    /// The acceptor of a negotiation has chosen; both ends tell it.
    Chosen {
        /// The mechanism.
        mechanism: &'a Oid,
        /// Whether it is the initiator's first choice, whose token came along.
        first: bool,
    },
    /// The initiator has no ticket that it can use, and asks for one.
    Lacking {
        /// Whose ticket.
        client: &'a Principal,
        /// For which server; an empty realm is unknown.
        server: &'a Principal,
    },
    /// The initiator offers mechanisms.
    Offers(&'a [Oid]),
    /// The acceptor has opened a ticket and its authenticator; whether it is a replay is not known yet.
    Opened {
        /// Whose ticket.
        client: &'a Principal,
        /// Whose key opened it.
        server: &'a Principal,
        /// The session key's enctype.
        enctype: Enctype,
    },
    /// The initiator presents a ticket.
    Presents {
        /// Whose it is.
        client: &'a Principal,
        /// For which server.
        server: &'a Principal,
        /// The session key's enctype.
        enctype: Enctype,
        /// Whether it was asked for just now; otherwise it was at hand.
        fresh: bool,
    },
}
