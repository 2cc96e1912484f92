//! IAKERB: Kerberos where the initiator reaches no KDC, and the acceptor carries its messages there
//! (draft-ietf-kitten-iakerb; where it and MIT krb5 differ, as MIT krb5 1.12 and later have it).
//!
//! | file | what it does |
//! |---|---|
//! | `token` | the tokens that carry messages, as octets |
//! | `conversation` | what was carried, and the proof that both ends saw the same |
//! | `initiator` | requests to a KDC go to the acceptor instead |
//! | `acceptor` | carries them, and says to which realms it does |
//!
//! The mechanism is krb5's with another way to the KDC. What the krb5 initiator would ask of a KDC becomes a token, and the
//! acceptor's answer to it a reply; then the AP exchange follows in tokens with this mechanism's identifier. Its
//! authenticator carries a checksum over all tokens before, so that nobody in between has added or taken any (§4).
//!
//! ```text
//!   initiator                          acceptor                       KDC
//!   Ask(AS-REQ)  ── 05 01 header AS-REQ ──>  Need::Relay  ── AS-REQ ──>
//!                <── 05 01 header AS-REP ──              <── AS-REP ──
//!   Ask(TGS-REQ) ── the same once more ──
//!   AP-REQ with the checksum  ──────────>  krb5's acceptor
//! ```
//!
//! The acceptor sees what a KDC's network sees, no more: a password that can be guessed from an AS-REP can be guessed by
//! the acceptor too. Deliberately not here: contexts of this mechanism within a negotiation.

pub(crate) mod acceptor;
pub(crate) mod conversation;
pub(crate) mod initiator;
pub(crate) mod token;
