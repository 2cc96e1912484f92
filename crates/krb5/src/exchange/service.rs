//! The TGS exchange (RFC 4120 §3.3): from a ticket-granting ticket to any other ticket.
//!
//! The request carries the ticket-granting ticket in an AP-REQ (PA-TGS-REQ, §5.2.7.1), whose authenticator
//! holds a keyed checksum of the request's body and a fresh subkey; the reply is sealed in that subkey (key
//! usage 9).

use orthros_crypto::{Key, KeyUsage, SessionKey};
use orthros_wire::Timestamp;
use orthros_wire::der::{Decode, DerError, Encode, GeneralString, KerberosTime};

use super::failure::KdcFailure;
use super::policy::ExchangePolicy;
use super::reply::{Asked, Incoming, TimeBase, accept, incoming, refused};
use super::{Answer, Ask, Obtained, Progress, RequestKind, fresh_nonce};
use crate::env::Env;
use crate::permitted::permit;
use crate::sealed::open_message;
use crate::wire::{
    ApOptions, ApReq, Authenticator, Checksum, EncryptedData, EncryptionKey, KdcOptions, KdcRep, KdcReq,
    KdcReqBody, KrbError, PVNO, PaData, Raw, SecretOctets, TgsRep, TgsReq, TicketFlags, msg_type, pa_type,
};
use crate::{Credential, ErrorCode, Principal};

/// Starts a TGS exchange: the client of `tgt` wants a ticket for `server`, which lies in the realm that `tgt`
/// is for. The ticket lives as long as `tgt`, as far as the KDC allows.
///
/// ```no_run
/// # use orthros_krb5::{Credential, Env, exchange::{self, ExchangePolicy, Progress}};
/// # fn example(tgt: &Credential, env: Env) -> Result<(), Box<dyn std::error::Error>> {
/// let server = "host/www.example.com@EXAMPLE.COM".parse()?;
/// match exchange::service(tgt, server, ExchangePolicy::default(), env) {
///     Progress::Ask(ask) => { /* carry ask.request() to a KDC of ask.realm() */ }
///     Progress::Done(obtained) => println!("{}", obtained.credential.server),
///     Progress::Failed(failure) => return Err(failure.into()),
/// }
/// # Ok(())
/// # }
/// ```
pub fn service(tgt: &Credential, server: Principal, policy: ExchangePolicy, env: Env) -> Progress<Obtained> {
    let options = inherited(tgt.flags);
    start(tgt, server, options, policy, env)
}

/// Starts a TGS exchange for a ticket-granting ticket that a server can be given (delegation): forwarded,
/// forwardable, and without addresses, so that it is good on the server's host.
pub fn forwarded(tgt: &Credential, policy: ExchangePolicy, env: Env) -> Progress<Obtained> {
    if !tgt.flags.contains(TicketFlags::FORWARDABLE) {
        return Progress::Failed(KdcFailure::NotForwardable { client: tgt.client.clone() });
    }
    let options = inherited(tgt.flags) | KdcOptions::FORWARDED | KdcOptions::FORWARDABLE;
    start(tgt, tgt.server.clone(), options, policy, env)
}

/// What a ticket-granting ticket is good for is asked for its tickets too.
fn inherited(flags: TicketFlags) -> KdcOptions {
    KdcOptions::default()
        .with(KdcOptions::FORWARDABLE, flags.contains(TicketFlags::FORWARDABLE))
        .with(KdcOptions::PROXIABLE, flags.contains(TicketFlags::PROXIABLE))
        .with(KdcOptions::RENEWABLE, flags.contains(TicketFlags::RENEWABLE))
}

fn start(
    tgt: &Credential,
    server: Principal,
    options: KdcOptions,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    match Service::new(tgt, server, policy, &env).and_then(|exchange| {
        let request = exchange.request(options, &env)?;
        Ok((exchange, request))
    }) {
        Ok((exchange, request)) => {
            let realm = exchange.realm.clone();
            Ask::progress(&realm, request, RequestKind::Tgs, move |answer: Answer<'_>| {
                let outcome = match answer {
                    Ok((octets, now)) => exchange.answered(octets, now),
                    Err(report) => Err(KdcFailure::Unavailable { realm: exchange.realm, report }),
                };
                outcome.map_or_else(Progress::Failed, Progress::Done)
            })
        }
        Err(failure) => Progress::Failed(failure),
    }
}

struct Service {
    tgt: Credential,
    server: Principal,
    /// The realm that `tgt` is for.
    realm: String,
    policy: ExchangePolicy,
    nonce: u32,
    /// What the reply is sealed in.
    subkey: SessionKey,
}

impl Service {
    fn new(
        tgt: &Credential,
        server: Principal,
        policy: ExchangePolicy,
        env: &Env,
    ) -> Result<Self, KdcFailure> {
        let served = tgt.server.as_ticket_granting().unwrap_or_else(|| tgt.server.realm());
        if server.realm() != served {
            return Err(KdcFailure::CrossRealm { server, realm: served.into() });
        }
        if policy.enctypes.is_empty() {
            return Err(KdcFailure::NoEnctype { principal: server, wanted: Vec::new(), offered: Vec::new() });
        }
        permit(tgt.key.enctype().number(), &policy.permitted)
            .map_err(|refused| KdcFailure::NotPermitted { client: tgt.client.clone(), refused })?;
        if tgt.times.expired(env.now().plus_seconds(policy.kdc_offset)) {
            let end = tgt.times.endtime.into();
            return Err(KdcFailure::Expired { client: tgt.client.clone(), end });
        }
        let nonce = fresh_nonce(&*env.random);
        let subkey = SessionKey::from(Key::random(tgt.key.enctype(), &*env.random));
        Ok(Self { tgt: tgt.clone(), server, realm: served.into(), policy, nonce, subkey })
    }

    fn request(&self, kdc_options: KdcOptions, env: &Env) -> Result<Vec<u8>, KdcFailure> {
        let renewable = kdc_options.contains(KdcOptions::RENEWABLE);
        let body = KdcReqBody {
            kdc_options,
            cname: None,
            realm: GeneralString(&self.realm),
            sname: Some(self.server.to_wire()),
            from: None,
            till: self.tgt.times.endtime,
            rtime: Some(self.tgt.times.renew_till).filter(|_| renewable),
            nonce: self.nonce,
            etype: self.policy.enctype_numbers(),
            addresses: None,
            enc_authorization_data: None,
            additional_tickets: None,
        }
        .to_der();
        let ap_req = self.ap_req(&body, env).map_err(|error| self.malformed(error))?;
        let padata = PaData { padata_type: pa_type::TGS_REQ, padata_value: &ap_req };
        let request = TgsReq(KdcReq {
            pvno: PVNO,
            msg_type: msg_type::TGS_REQ,
            padata: Some(vec![padata]),
            req_body: Raw::from_der(&body).map_err(|error| self.malformed(error))?,
        });
        Ok(request.to_der())
    }

    /// The proof that the ticket's session key is known here, bound to the body.
    fn ap_req(&self, body: &[u8], env: &Env) -> Result<Vec<u8>, DerError> {
        let key = &self.tgt.key;
        let now = env.now().plus_seconds(self.policy.kdc_offset);
        let checksum = key.checksum(KeyUsage::TGS_REQ_AUTHENTICATOR_CHECKSUM, &[body]);
        let authenticator = Authenticator {
            authenticator_vno: PVNO,
            crealm: GeneralString(self.tgt.client.realm()),
            cname: self.tgt.client.to_wire(),
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
            ticket: Raw::from_der(&self.tgt.ticket)?,
            authenticator: EncryptedData { etype: key.enctype().number(), kvno: None, cipher: &cipher },
        };
        Ok(ap_req.to_der())
    }

    fn answered(&self, octets: &[u8], now: Timestamp) -> Result<Obtained, KdcFailure> {
        match incoming(octets, msg_type::TGS_REP, &self.realm, |TgsRep(reply)| reply)? {
            Incoming::Error(error) => Err(self.refused(&error, now)),
            Incoming::Reply(reply) => self.accept(&reply, now),
        }
    }

    fn refused(&self, error: &KrbError<'_>, now: Timestamp) -> KdcFailure {
        match ErrorCode(error.error_code) {
            ErrorCode::SKEW => {
                KdcFailure::Skew { realm: self.realm.clone(), kdc: error.stime.into(), here: now }
            }
            ErrorCode::ETYPE_NOSUPP => KdcFailure::NoEnctype {
                principal: self.server.clone(),
                wanted: self.policy.enctypes.clone(),
                offered: Vec::new(),
            },
            _ => refused(error, &self.asked()),
        }
    }

    fn accept(&self, reply: &KdcRep<'_>, now: Timestamp) -> Result<Obtained, KdcFailure> {
        let integrity = || KdcFailure::Integrity {
            client: self.tgt.client.clone(),
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
        Ok(Obtained { credential, kdc_offset: None, requests: 1 })
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            realm: &self.realm,
            client: &self.tgt.client,
            server: &self.server,
            nonce: self.nonce,
            till: KerberosTime(self.tgt.times.endtime.0),
            policy: &self.policy,
        }
    }

    fn malformed(&self, error: DerError) -> KdcFailure {
        KdcFailure::Malformed { realm: self.realm.clone(), error }
    }
}
