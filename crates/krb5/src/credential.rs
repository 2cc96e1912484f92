//! A ticket with what its client needs to use it: what credential caches hold.

use std::sync::Arc;

use orthros_crypto::SessionKey;
use orthros_wire::Timestamp;
use orthros_wire::der::KerberosTime;

use crate::Principal;
use crate::wire::{Decode, HostAddress, Ticket, TicketFlags};

/// When a ticket is valid, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicketTimes {
    /// When the client authenticated itself to the KDC.
    pub authtime: KerberosTime,
    /// When validity begins.
    pub starttime: KerberosTime,
    /// When validity ends.
    pub endtime: KerberosTime,
    /// Until when the ticket may be renewed; 0 if it may not.
    pub renew_till: KerberosTime,
}

impl TicketTimes {
    /// Whether the ticket has ended at `now`.
    pub fn expired(&self, now: Timestamp) -> bool {
        self.endtime.0 <= now.seconds
    }
}

/// An address or an element of authorization data, as caches hold them: a number and octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedOctets {
    /// What the octets are.
    pub number: i32,
    /// The octets.
    pub octets: Box<[u8]>,
}

impl TypedOctets {
    /// As an address in a message.
    pub fn to_address(&self) -> HostAddress<'_> {
        HostAddress { addr_type: self.number, address: &self.octets }
    }
}

/// A ticket and its session key. Cheap to clone: the key and the ticket are shared.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Whose ticket it is.
    pub client: Principal,
    /// Whom it is for, from the encrypted part of the KDC's reply.
    pub server: Principal,
    /// The session key, with whatever has been derived from it so far.
    pub key: Arc<SessionKey>,
    /// When it is valid.
    pub times: TicketTimes,
    /// What it is good for.
    pub flags: TicketFlags,
    /// The session key is that of `second_ticket` (user-to-user).
    pub in_session_key: bool,
    /// Addresses that may use it; none: all.
    pub addresses: Vec<TypedOctets>,
    /// Authorization data that the client asked for.
    pub authorization_data: Vec<TypedOctets>,
    /// The ticket's DER, as the KDC gave it.
    pub ticket: Arc<[u8]>,
    /// The second ticket of a user-to-user request; empty otherwise.
    pub second_ticket: Arc<[u8]>,
}

/// The realm under which MIT krb5 keeps its notes in a credential cache (`krb5_ccache_conf_data`): such
/// entries are no tickets.
pub const CONFIGURATION_REALM: &str = "X-CACHECONF:";

impl Credential {
    /// Whom the ticket itself names. It differs from [`server`](Self::server) where that is an alias, or named no
    /// realm, and the KDC gave the canonical name (RFC 6806); caches keep such a ticket under the name that was
    /// asked for. The name was checked against the sealed part of the KDC's reply when the ticket was obtained.
    pub fn ticket_server(&self) -> Principal {
        Ticket::from_der(&self.ticket).map_or_else(|_| self.server.clone(), |ticket| self.server_of(&ticket))
    }

    /// The same, where the ticket has been read.
    pub(crate) fn server_of(&self, ticket: &Ticket<'_>) -> Principal {
        if self.server.is_named(&ticket.sname, ticket.realm.0) {
            return self.server.clone();
        }
        Principal::from_wire(&ticket.sname, ticket.realm.0).unwrap_or_else(|_| self.server.clone())
    }

    /// The same ticket for another thread, which counts its users by itself and derives from the key by itself.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            client: self.client.apart(),
            server: self.server.apart(),
            key: Arc::new(self.key.duplicate()),
            ..self.clone()
        }
    }

    /// The same ticket under another name of its server.
    #[must_use]
    pub fn filed_under(&self, server: Principal) -> Self {
        Self { server, ..self.clone() }
    }

    /// Whether this is a note of the cache's, no ticket.
    pub fn is_configuration(&self) -> bool {
        self.server.realm() == CONFIGURATION_REALM
    }
}
