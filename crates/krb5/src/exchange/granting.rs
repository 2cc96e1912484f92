//! One TGS request and its reply (RFC 4120 §3.3, §5.4).
//!
//! The request carries a ticket in an AP-REQ (PA-TGS-REQ, §5.2.7.1), whose authenticator holds a keyed checksum
//! of the request's body and a fresh subkey; the reply is sealed in that subkey (key usage 9).

use orthros_crypto::{Key, KeyUsage, SessionKey};
use orthros_wire::Timestamp;
use orthros_wire::der::{Decode, DerError, Encode, GeneralString, KerberosTime};

use super::behalf::Behalf;
use super::failure::{KdcFailure, Lack};
use super::policy::ExchangePolicy;
use super::reply::{Asked, Incoming, Renaming, TimeBase, accept, incoming, refused};
use super::{Answer, Ask, Progress, RequestKind, fresh_nonce};
use crate::credential::TypedOctets;
use crate::env::Env;
use crate::permitted::permit;
use crate::sealed::open_message;
use crate::wire::{
    ApOptions, ApReq, Authenticator, Checksum, EncryptedData, EncryptionKey, KdcOptions, KdcRep, KdcReq,
    KdcReqBody, KrbError, PVNO, PaData, Raw, SecretOctets, TgsRep, TgsReq, TicketFlags, msg_type, pa_type,
};
use crate::{Credential, ErrorCode, Principal};

/// What is asked of a ticket-granting service.
pub(super) struct Demand {
    pub(super) server: Principal,
    /// Whose KDC is asked.
    pub(super) realm: String,
    pub(super) options: KdcOptions,
    pub(super) renaming: Renaming,
    pub(super) till: KerberosTime,
    pub(super) addresses: Vec<TypedOctets>,
    /// Whose the new ticket is to be.
    pub(super) behalf: Behalf,
}

/// What came of a request: a ticket, or the KDC's refusal.
pub(super) type Granted = Result<Credential, KdcFailure>;

/// What a ticket-granting ticket is good for is asked for its tickets too.
pub(super) fn inherited(flags: TicketFlags) -> KdcOptions {
    KdcOptions::default()
        .with(KdcOptions::FORWARDABLE, flags.contains(TicketFlags::FORWARDABLE))
        .with(KdcOptions::PROXIABLE, flags.contains(TicketFlags::PROXIABLE))
        .with(KdcOptions::RENEWABLE, flags.contains(TicketFlags::RENEWABLE))
}

/// The realm whose KDC takes `ticket` as a proof.
pub(super) fn served(ticket: &Credential) -> &str {
    ticket.server.as_ticket_granting().unwrap_or_else(|| ticket.server.realm())
}

/// Asks once. A KRB-ERROR is an outcome that the caller may make something of; whatever else goes wrong ends
/// the exchange.
pub(super) fn ask(
    ticket: &Credential,
    demand: Demand,
    policy: &ExchangePolicy,
    env: &Env,
) -> Progress<Granted> {
    match Granting::new(ticket, demand, policy.clone(), env).and_then(|granting| {
        let request = granting.request(env)?;
        Ok((granting, request))
    }) {
        Ok((granting, request)) => {
            let realm = granting.demand.realm.clone();
            Ask::progress(&realm, request, RequestKind::Tgs, move |answer: Answer<'_>| {
                let outcome = match answer {
                    Ok((octets, now)) => granting.answered(octets, now),
                    Err(report) => Err(KdcFailure::Unavailable { realm: granting.demand.realm, report }),
                };
                outcome.map_or_else(Progress::Failed, Progress::Done)
            })
        }
        Err(failure) => Progress::Failed(failure),
    }
}

struct Granting {
    ticket: Credential,
    demand: Demand,
    policy: ExchangePolicy,
    nonce: u32,
    /// What the reply is sealed in.
    subkey: SessionKey,
}

impl Granting {
    fn new(
        ticket: &Credential,
        demand: Demand,
        policy: ExchangePolicy,
        env: &Env,
    ) -> Result<Self, KdcFailure> {
        if policy.enctypes.is_empty() {
            let principal = demand.server;
            return Err(KdcFailure::NoEnctype { principal, wanted: Vec::new(), offered: Vec::new() });
        }
        let client = || ticket.client.clone();
        permit(ticket.key.enctype().number(), &policy.permitted)
            .map_err(|refused| KdcFailure::NotPermitted { client: client(), refused })?;
        if ticket.times.expired(env.now().plus_seconds(policy.kdc_offset)) {
            return Err(KdcFailure::Expired { client: client(), end: ticket.times.endtime.into() });
        }
        let validates = demand.options.contains(KdcOptions::VALIDATE);
        if ticket.flags.contains(TicketFlags::INVALID) && !validates {
            return Err(KdcFailure::Lacks { client: client(), lack: Lack::Validated });
        }
        demand.behalf.check(ticket)?;
        let nonce = fresh_nonce(&*env.random);
        let subkey = SessionKey::from(Key::random(ticket.key.enctype(), &*env.random));
        Ok(Self { ticket: ticket.clone(), demand, policy, nonce, subkey })
    }

    fn request(&self, env: &Env) -> Result<Vec<u8>, KdcFailure> {
        let demand = &self.demand;
        let renewable = demand.options.contains(KdcOptions::RENEWABLE);
        let canonicalize = demand.renaming == Renaming::Server;
        let addresses: Vec<_> = demand.addresses.iter().map(TypedOctets::to_address).collect();
        let body = KdcReqBody {
            kdc_options: demand.options.with(KdcOptions::CANONICALIZE, canonicalize)
                | demand.behalf.options(),
            cname: None,
            realm: GeneralString(&demand.realm),
            sname: Some(demand.server.to_wire()),
            from: None,
            till: demand.till,
            rtime: Some(self.ticket.times.renew_till).filter(|_| renewable),
            nonce: self.nonce,
            etype: self.policy.enctype_numbers(),
            addresses: Some(addresses).filter(|addresses| !addresses.is_empty()),
            enc_authorization_data: None,
            additional_tickets: demand.behalf.additional_tickets().map_err(|error| self.malformed(error))?,
        }
        .to_der();
        let ap_req = self.ap_req(&body, env).map_err(|error| self.malformed(error))?;
        let named = demand
            .behalf
            .elements(self.nonce, &self.ticket.key, &self.subkey)
            .map_err(|error| self.malformed(error))?;
        let own = PaData { padata_type: pa_type::TGS_REQ, padata_value: &ap_req };
        let named = named.iter().map(|(number, value)| PaData { padata_type: *number, padata_value: value });
        let request = TgsReq(KdcReq {
            pvno: PVNO,
            msg_type: msg_type::TGS_REQ,
            padata: Some(std::iter::once(own).chain(named).collect()),
            req_body: Raw::from_der(&body).map_err(|error| self.malformed(error))?,
        });
        Ok(request.to_der())
    }

    /// The proof that the ticket's session key is known here, bound to the body.
    fn ap_req(&self, body: &[u8], env: &Env) -> Result<Vec<u8>, DerError> {
        let key = &self.ticket.key;
        let now = env.now().plus_seconds(self.policy.kdc_offset);
        let checksum = key.checksum(KeyUsage::TGS_REQ_AUTHENTICATOR_CHECKSUM, &[body]);
        let authenticator = Authenticator {
            authenticator_vno: PVNO,
            crealm: GeneralString(self.ticket.client.realm()),
            cname: self.ticket.client.to_wire(),
            cksum: Some(Checksum { cksumtype: key.enctype().checksum_type().0, checksum: &checksum }),
            cusec: i32::try_from(now.microseconds).unwrap_or_default(),
            ctime: now.into(),
            subkey: Some(EncryptionKey {
                keytype: self.subkey.enctype().number(),
                keyvalue: SecretOctets(self.subkey.expose_octets()),
            }),
            seq_number: None,
            authorization_data: None,
        };
        let plain = authenticator.to_secret_der();
        let cipher = key.encrypt(KeyUsage::TGS_REQ_AUTHENTICATOR, &*env.random, plain.expose_octets());
        let ap_req = ApReq {
            pvno: PVNO,
            msg_type: msg_type::AP_REQ,
            ap_options: ApOptions::default(),
            ticket: Raw::from_der(&self.ticket.ticket)?,
            authenticator: EncryptedData { etype: key.enctype().number(), kvno: None, cipher: &cipher },
        };
        Ok(ap_req.to_der())
    }

    fn answered(&self, octets: &[u8], now: Timestamp) -> Result<Granted, KdcFailure> {
        match incoming(octets, msg_type::TGS_REP, &self.demand.realm, |TgsRep(reply)| reply)? {
            Incoming::Error(error) => Ok(Err(self.refused(&error, now))),
            Incoming::Reply(reply) => self.accept(&reply, now).map(Ok),
        }
    }

    fn refused(&self, error: &KrbError<'_>, now: Timestamp) -> KdcFailure {
        match ErrorCode(error.error_code) {
            ErrorCode::SKEW => {
                KdcFailure::Skew { realm: self.demand.realm.clone(), kdc: error.stime.into(), here: now }
            }
            ErrorCode::ETYPE_NOSUPP => KdcFailure::NoEnctype {
                principal: self.demand.server.clone(),
                wanted: self.policy.enctypes.clone(),
                offered: Vec::new(),
            },
            _ => refused(error, &self.asked()),
        }
    }

    fn accept(&self, reply: &KdcRep<'_>, now: Timestamp) -> Result<Credential, KdcFailure> {
        let integrity = || KdcFailure::Integrity {
            client: self.ticket.client.clone(),
            secret: None,
            enctype: self.subkey.enctype(),
            kvno: None,
        };
        if reply.enc_part.etype != self.subkey.enctype().number() {
            return Err(integrity());
        }
        let plain = open_message(&self.subkey, KeyUsage::TGS_REP_ENC_PART_SUBKEY, reply.enc_part.cipher)
            .map_err(|_| integrity())?;
        let (credential, _) = accept(reply, &plain, &self.asked(), TimeBase::Known, now)?;
        let padata = reply.padata.as_deref().unwrap_or_default();
        self.demand
            .behalf
            .accept(&credential, &self.ticket.client, padata, self.nonce, &self.subkey)
            .map_err(|fault| KdcFailure::BadReply { realm: self.demand.realm.clone(), fault })?;
        Ok(credential)
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            realm: &self.demand.realm,
            client: &self.ticket.client,
            own: matches!(self.demand.behalf, Behalf::Own),
            server: &self.demand.server,
            nonce: self.nonce,
            renaming: self.demand.renaming,
            // MIT's KDC lets a validated ticket begin at present, others when it was to begin.
            from: None,
            till: self.demand.till,
            policy: &self.policy,
        }
    }

    fn malformed(&self, error: DerError) -> KdcFailure {
        KdcFailure::Malformed { realm: self.demand.realm.clone(), error }
    }
}
