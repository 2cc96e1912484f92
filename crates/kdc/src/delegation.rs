//! Services that act for users: S4U2Self and S4U2Proxy (MS-SFU §3.2.5). Refused unless the realm says otherwise.
//!
//! Both end in an ordinary grant by another ticket than the one that was shown: for S4U2Self the service's own with
//! the user's name in it, for S4U2Proxy the evidence. What is checked:
//!
//! | S4U2Self | S4U2Proxy |
//! |---|---|
//! | the service asks for itself | the evidence is for the service that asks, sealed in its key, and in its time |
//! | the user is of this realm | the evidence is forwardable |
//! | the service may ([`Builder::impersonates`](crate::Builder::impersonates)) | the service may, to this target ([`Builder::delegates_to`](crate::Builder::delegates_to)) |
//!
//! Deliberately not here: PACs and their signatures. So a service could make itself forwardable evidence, as it knows
//! its own key (CVE-2020-17049): this KDC is for tests, and a service that it lets delegate can be any user to the
//! targets named for it. Users of other realms, and delegation that the target's side allows.

use std::collections::HashMap;

use orthros_krb5::s4u::{self, UserId, Within};
use orthros_krb5::wire::{
    EncTicketPart, KdcOptions, KdcReqBody, PaData, Raw, S4uOptions, Ticket, TicketFlags, TransitedEncoding,
    pa_type,
};
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::secret::SecretBuffer;

use crate::Realm;
use crate::answer::{Instant, Refusal};
use crate::granting::{Proved, bad_option};

/// How far a service may have tickets of users who did not come themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Impersonation {
    /// Tickets that can be forwarded, so that by them the service may be the user to others
    /// ([`Builder::delegates_to`](crate::Builder::delegates_to)); MIT krb5's `ok_to_auth_as_delegate`.
    Forwardable,
    /// Tickets to itself, good for nothing else.
    Itself,
}

/// Who may act for others.
#[derive(Debug, Default)]
pub(crate) struct Delegations {
    pub(crate) impersonates: HashMap<Principal, Impersonation>,
    pub(crate) targets: HashMap<Principal, Vec<Principal>>,
}

/// Options that make no sense for another's ticket.
const OWN_ONLY: KdcOptions = KdcOptions(
    KdcOptions::FORWARDED.0
        | KdcOptions::PROXY.0
        | KdcOptions::POSTDATED.0
        | KdcOptions::RENEW.0
        | KdcOptions::VALIDATE.0
        | KdcOptions::ENC_TKT_IN_SKEY.0,
);

/// Which user a service names, and what it is told in reply.
pub(crate) struct Named {
    user: Principal,
    /// The request bound to it, if it was.
    bound: Option<UserId>,
}

impl Named {
    /// Reads both elements that may name a user. Where both are there they must agree.
    pub(crate) fn read(
        elements: &[PaData<'_>],
        body: &KdcReqBody<'_>,
        proved: &Proved<'_>,
        how_far: Option<Impersonation>,
    ) -> Result<Option<Self>, Refusal> {
        let asks =
            |element: &PaData<'_>| matches!(element.padata_type, pa_type::FOR_USER | pa_type::S4U_X509_USER);
        // It must not be answered as if it stood for nothing.
        if how_far.is_none() && elements.iter().any(asks) {
            let text = "this service may not name users (S4U2Self)";
            return Err(Refusal::new(ErrorCode::PADATA_TYPE_NOSUPP, text));
        }
        let modified = |_| Refusal::new(ErrorCode::MODIFIED, "the element that names the user was altered");
        let element = |number| elements.iter().find(|element| element.padata_type == number);
        let unbound = element(pa_type::FOR_USER)
            .map(|element| s4u::open_for_user(element.padata_value, &proved.session))
            .transpose()
            .map_err(modified)?;
        let subkey = proved.subkey.as_ref().unwrap_or(&proved.session);
        let bound = element(pa_type::S4U_X509_USER)
            .map(|element| UserId::open(element.padata_value, Within::Request, subkey))
            .transpose()
            .map_err(modified)?;
        let user = match (&unbound, &bound) {
            (None, None) => return Ok(None),
            (Some(user), None) => user.clone(),
            (unbound, Some(bound)) => {
                let agree = unbound.as_ref().is_none_or(|user| *user == bound.user);
                if !agree || bound.nonce != body.nonce {
                    return Err(Refusal::new(ErrorCode::MODIFIED, "the request names two users"));
                }
                bound.user.clone()
            }
        };
        Ok(Some(Self { user, bound }))
    }

    /// The element that proves to the service whose ticket it gets.
    pub(crate) fn proof(&self, proved: &Proved<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(bound) = &self.bound else { return Ok(None) };
        let options = S4uOptions(bound.options.0 & S4uOptions::REPLY_KEY_USAGE.0);
        let within = match options {
            S4uOptions::REPLY_KEY_USAGE => Within::Reply,
            _ => Within::Request,
        };
        let reply = UserId { options, ..bound.clone() };
        let subkey = proved.subkey.as_ref().unwrap_or(&proved.session);
        let element = reply.to_element(within, subkey);
        element.map(Some).map_err(|_| Refusal::new(ErrorCode::GENERIC, "the user can't be named"))
    }
}

impl Realm {
    /// What the service `proved` may have instead of a ticket of its own: one of `named`'s to itself.
    pub(crate) fn impersonated<'a>(
        &self,
        named: &Named,
        body: &KdcReqBody<'_>,
        proved: Proved<'a>,
    ) -> Result<Proved<'a>, Refusal> {
        if self.asked(body).as_ref() != Some(&proved.client) || body.kdc_options.0 & OWN_ONLY.0 != 0 {
            return Err(bad_option("a service may have tickets of users to itself only"));
        }
        if self.entry(&named.user).is_none() {
            return Err(Refusal::new(ErrorCode::C_PRINCIPAL_UNKNOWN, "the user is not in the database"));
        }
        let forwardable = self.how_far(&proved.client) == Some(Impersonation::Forwardable);
        let flags = proved.ticket.flags;
        let flags =
            flags.with(TicketFlags::FORWARDABLE, forwardable && flags.contains(TicketFlags::FORWARDABLE));
        // What the realm says about the service is not said about the user.
        let ticket = EncTicketPart {
            flags: flags.with(TicketFlags::PROXIABLE, false),
            authorization_data: None,
            transited: TransitedEncoding { tr_type: 0, contents: &[] },
            ..proved.ticket
        };
        Ok(Proved { ticket, client: named.user.clone(), ..proved })
    }

    /// Opens the ticket by which the service `proved` wants to be another client to somebody.
    pub(crate) fn open_evidence(
        &self,
        body: &KdcReqBody<'_>,
        proved: &Proved<'_>,
    ) -> Result<SecretBuffer, Refusal> {
        // A ticket-granting ticket would be good for everything.
        let target = self.asked(body).filter(|target| target.as_ticket_granting().is_none());
        let allowed = self.delegations().targets.get(&proved.client);
        if !target.is_some_and(|target| allowed.is_some_and(|allowed| allowed.contains(&target))) {
            return Err(bad_option("this service may not be its clients to that one (S4U2Proxy)"));
        }
        if body.kdc_options.0 & OWN_ONLY.0 != 0 {
            return Err(bad_option("an option makes no sense for a ticket of another client"));
        }
        let evidence = match body.additional_tickets.as_deref() {
            Some([evidence]) => evidence,
            _ => return Err(bad_option("one additional ticket is needed as evidence")),
        };
        self.open_own(evidence, proved)
    }

    fn open_own(&self, evidence: &Raw<'_, Ticket<'_>>, proved: &Proved<'_>) -> Result<SecretBuffer, Refusal> {
        let (server, plain) = self.opened(evidence)?;
        if server != proved.client {
            return Err(Refusal::new(ErrorCode::SERVER_NOMATCH, "the evidence is for another service"));
        }
        Ok(plain)
    }

    /// What the service `proved` may have: a ticket by the evidence, within the limits of its own.
    pub(crate) fn constrained<'a>(
        &self,
        evidence: EncTicketPart<'a>,
        proved: Proved<'a>,
        instant: Instant<'_>,
    ) -> Result<Proved<'a>, Refusal> {
        let now = instant.now.seconds;
        let start = evidence.starttime.unwrap_or(evidence.authtime).0;
        let begun = start <= now.saturating_add(self.policy().clock_skew);
        if !begun || evidence.endtime.0 <= now || evidence.flags.contains(TicketFlags::INVALID) {
            return Err(Refusal::new(ErrorCode::TKT_EXPIRED, "the evidence is not in its time"));
        }
        if !evidence.flags.contains(TicketFlags::FORWARDABLE) {
            return Err(bad_option("the evidence is not forwardable"));
        }
        let nobody = |_| Refusal::new(ErrorCode::BADMATCH, "the evidence names nobody");
        let client = Principal::from_wire(&evidence.cname, evidence.crealm.0).map_err(nobody)?;
        let own = &proved.ticket;
        let ticket = EncTicketPart {
            endtime: evidence.endtime.min(own.endtime),
            renew_till: evidence.renew_till.min(own.renew_till),
            caddr: own.caddr.clone(),
            ..evidence
        };
        Ok(Proved { ticket, client, ..proved })
    }

    /// How far a service may have tickets of users.
    pub(crate) fn how_far(&self, service: &Principal) -> Option<Impersonation> {
        self.delegations().impersonates.get(service).copied()
    }

    /// The principal that a ticket is asked for.
    fn asked(&self, body: &KdcReqBody<'_>) -> Option<Principal> {
        let name = body.sname.as_ref()?;
        Principal::from_wire(name, body.realm.0).ok().filter(|asked| asked.realm() == self.name())
    }
}
