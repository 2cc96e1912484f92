//! Tickets of a user that a service asks for (MS-SFU), as errands of the TGS exchange.
//!
//! - S4U2Self ([`impersonated`]): a ticket of the user to the service itself, without the user being there. The KDC
//!   of the user's realm is asked first, if that is another, and refers back to the service's (MS-SFU §3.1.5.1.1.2).
//! - S4U2Proxy ([`constrained`]): a ticket of the user to somebody else, for the user's ticket to the service as
//!   evidence (MS-SFU §3.1.5.2.1).
//!
//! Whose ticket a KDC made is told in the clear. For S4U2Self it is believed if the KDC proves it
//! ([`s4u`](crate::s4u)); for S4U2Proxy it must be the evidence's client, and the evidence is part of the body,
//! which the authenticator's checksum covers.

use orthros_crypto::SessionKey;
use orthros_wire::der::{Decode, DerError, Encode, Raw};

use super::failure::{KdcFailure, Lack, Missing, NotForUser, ReplyFault};
use super::policy::ExchangePolicy;
use super::service::{Errand, search};
use super::{Obtained, Progress};
use crate::env::Env;
use crate::principal::NameType;
use crate::s4u::{self, BadUser, UserId, Within};
use crate::wire::{KdcOptions, PaData, PaPacOptions, PacOptions, S4uOptions, Ticket, TicketFlags, pa_type};
use crate::{Credential, ErrorCode, Principal};

/// Starts S4U2Self: a ticket of `user` to the service that `tgt` belongs to. `others` are tickets of that service at
/// hand, as in [`service_from`](super::service_from).
///
/// The ticket is forwardable, and so good for [`constrained`], only if `tgt` is and the KDC trusts the service that
/// far. A `user` with a name of the kind ENTERPRISE is looked for by the service's own KDC.
pub fn impersonated(
    tgt: &Credential,
    others: Vec<Credential>,
    user: Principal,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    let service = tgt.client.clone();
    let errand = Errand::Impersonate { user, service: service.clone(), returns: false };
    search(tgt, others, service, errand, policy, env)
}

/// Starts S4U2Proxy: a ticket to `server` of the client that `evidence` belongs to, asked for by the service that
/// `tgt` belongs to. `evidence` is a ticket to that service. `server` is looked for in the service's realm only.
pub fn constrained(
    tgt: &Credential,
    evidence: &Credential,
    server: Principal,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    let home = super::granting::served(tgt);
    let server = if server.realm().is_empty() { server.in_realm(home) } else { server };
    if server.realm() != home {
        return elsewhere(evidence);
    }
    search(tgt, Vec::new(), server, Errand::Constrained { evidence: Box::new(evidence.clone()) }, policy, env)
}

/// The target of [`constrained`] is in another realm, or is said to be.
pub(super) fn elsewhere(evidence: &Credential) -> Progress<Obtained> {
    Progress::Failed(KdcFailure::Lacks { client: evidence.client.clone(), lack: Lack::Reach })
}

/// Whose ticket is asked for.
#[derive(Clone, Debug)]
pub(super) enum Behalf {
    /// The client of this ticket's, which was issued to the one who asks.
    Evidence(Box<Credential>),
    /// The one's who asks.
    Own,
    /// This user's.
    User(Principal),
}

impl Behalf {
    /// Whether `ticket` is one to ask with.
    pub(super) fn check(&self, ticket: &Credential) -> Result<(), KdcFailure> {
        let lacks = |client: &Principal, lack| Err(KdcFailure::Lacks { client: client.clone(), lack });
        match self {
            Self::Evidence(evidence) if evidence.ticket_server() != ticket.client => {
                lacks(&evidence.client, Lack::Evidence)
            }
            Self::User(_) if ticket.key.enctype().is_weak() => lacks(&ticket.client, Lack::StrongKey),
            Self::Evidence(_) | Self::Own | Self::User(_) => Ok(()),
        }
    }

    pub(super) fn options(&self) -> KdcOptions {
        KdcOptions::default().with(KdcOptions::CNAME_IN_ADDL_TKT, matches!(self, Self::Evidence(_)))
    }

    pub(super) fn additional_tickets(&self) -> Result<Option<Vec<Raw<'_, Ticket<'_>>>>, DerError> {
        match self {
            Self::Evidence(evidence) => Ok(Some(vec![Raw::from_der(&evidence.ticket)?])),
            Self::Own | Self::User(_) => Ok(None),
        }
    }

    /// The pre-authentication data that say it.
    pub(super) fn elements(
        &self,
        nonce: u32,
        session_key: &SessionKey,
        subkey: &SessionKey,
    ) -> Result<Vec<(i32, Vec<u8>)>, DerError> {
        match self {
            Self::Own => Ok(Vec::new()),
            Self::Evidence(_) => {
                let options = PaPacOptions { flags: PacOptions::RESOURCE_BASED_DELEGATION };
                Ok(vec![(pa_type::PAC_OPTIONS, options.to_der())])
            }
            Self::User(user) => {
                let id = UserId { nonce, user: user.clone(), options: S4uOptions::REPLY_KEY_USAGE };
                let bound = id.to_element(Within::Request, subkey).map_err(|error| match error {
                    BadUser::Malformed(error) => error,
                    BadUser::Checksum | BadUser::Nameless => DerError::Value("PA-S4U-X509-USER"),
                })?;
                let unbound = s4u::for_user(user, session_key);
                Ok(vec![(pa_type::S4U_X509_USER, bound), (pa_type::FOR_USER, unbound)])
            }
        }
    }

    /// Checks whose ticket came.
    pub(super) fn accept(
        &self,
        ticket: &Credential,
        service: &Principal,
        padata: &[PaData<'_>],
        nonce: u32,
        subkey: &SessionKey,
    ) -> Result<(), ReplyFault> {
        let client = &ticket.client;
        let stranger = || Err(ReplyFault::Client(client.to_string()));
        match self {
            Self::Own => Ok(()),
            Self::Evidence(evidence) if *client == evidence.client => Ok(()),
            Self::Evidence(_) => stranger(),
            // On the way back from the user's realm; what counts is what the last KDC proves.
            Self::User(user) if ticket.server.as_ticket_granting().is_some() => {
                if client == service || client == user { Ok(()) } else { stranger() }
            }
            Self::User(user) => {
                let proof = padata.iter().find(|element| element.padata_type == pa_type::S4U_X509_USER);
                let proof = proof.ok_or(ReplyFault::Unproved)?;
                let proved = UserId::open(proof.padata_value, Within::Reply, subkey)
                    .ok()
                    .filter(|proved| proved.nonce == nonce)
                    .ok_or(ReplyFault::Unproved)?
                    .user;
                if !names(&proved, user) {
                    return Err(ReplyFault::User(proved.to_string()));
                }
                if *client == proved { Ok(()) } else { stranger() }
            }
        }
    }
}

/// Whether a KDC may take `asked` for `proved`: letters may differ in size, and an enterprise name is an alias.
fn names(proved: &Principal, asked: &Principal) -> bool {
    asked.name_type() == NameType::ENTERPRISE
        || (proved.realm() == asked.realm()
            && proved.components().len() == asked.components().len()
            && proved
                .components()
                .iter()
                .zip(asked.components())
                .all(|(left, right)| left.eq_ignore_ascii_case(right)))
}

/// The failure that a refusal is where a service acts for a user: what the KDC's database lacks.
pub(super) fn explained(failure: KdcFailure, errand: &Errand, tgt: &Credential) -> KdcFailure {
    let KdcFailure::Refused { realm, code, text, client, server } = failure else { return failure };
    let forwardable = |ticket: &Credential| ticket.flags.contains(TicketFlags::FORWARDABLE);
    let (user, target, missing) = match (errand, code) {
        (Errand::Constrained { evidence }, ErrorCode::BADOPTION | ErrorCode::POLICY) => {
            let missing = match (forwardable(evidence), forwardable(tgt)) {
                (true, _) => Missing::DelegateTo,
                (false, true) => Missing::OkToAuthAsDelegate,
                (false, false) => Missing::Forwardable,
            };
            (evidence.client.clone(), Some((*server).clone()), missing)
        }
        (Errand::Impersonate { user, .. }, ErrorCode::C_PRINCIPAL_UNKNOWN) => {
            (user.clone(), None, Missing::User)
        }
        (
            Errand::Impersonate { user, .. },
            ErrorCode::BADOPTION | ErrorCode::PADATA_TYPE_NOSUPP | ErrorCode::POLICY,
        ) => (user.clone(), None, Missing::Impersonate),
        _ => return KdcFailure::Refused { realm, code, text, client, server },
    };
    KdcFailure::NotForUser(Box::new(NotForUser {
        realm,
        code,
        text,
        service: *client,
        user,
        target,
        missing,
    }))
}
