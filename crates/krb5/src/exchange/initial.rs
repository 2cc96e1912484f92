//! The AS exchange (RFC 4120 §3.1): from a password or a key to an initial ticket.
//!
//! The first request carries no proof; the KDC's PREAUTH_REQUIRED tells how the key is made; the second carries
//! the time sealed in that key (PA-ENC-TIMESTAMP, §5.2.7.2). If the KDC then complains of the clock, one more
//! follows with the KDC's own time.
//!
//! Where the canonical name is asked for ([`ExchangePolicy::canonicalize`], or an enterprise name), the KDC may
//! answer with the client's other name, or send the client to another realm (WRONG_REALM, RFC 6806 §7). Every
//! request asks the KDC to prove which request it received (PA-REQ-ENC-PA-REP, RFC 6806 §11); where a KDC knows
//! that, nobody can have altered what was asked for on the way.

use std::fmt;
use std::sync::Arc;

use orthros_crypto::{Enctype, Key, KeyUsage, LongTermKey, Password};
use orthros_wire::Timestamp;
use orthros_wire::der::{Decode, Encode, GeneralString, KerberosTime};
use orthros_wire::secret::SecretBuffer;

use super::failure::{KdcFailure, ReplyFault, SecretKind};
use super::key_hints::{KeyHint, KeyHints};
use super::policy::ExchangePolicy;
use super::reply::{Asked, Incoming, Renaming, TimeBase, accept, incoming, refused, text};
use super::{Answer, Ask, MOST_HOPS, Obtained, Progress, RequestKind, fresh_nonce};
use crate::credential::TypedOctets;
use crate::env::Env;
use crate::principal::NameType;
use crate::sealed::open_message;
use crate::wire::{
    AsRep, AsReq, Checksum, EncryptedData, KdcOptions, KdcRep, KdcReq, KdcReqBody, KrbError, PVNO, PaData,
    PaEncTsEnc, Raw, TicketFlags, decode_enc_kdc_rep_part, msg_type, pa_type,
};
use crate::{ErrorCode, Principal};

/// What a client proves its identity with.
pub enum InitialSecret {
    /// The long-term keys, the newest first, as a keytab has them. Several versions and enctypes may be given.
    Keys(Vec<Arc<LongTermKey>>),
    /// The password.
    Password(Password),
}

impl InitialSecret {
    /// A copy, wanted on purpose: where one secret is used more than once.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Keys(keys) => Self::Keys(keys.clone()),
            Self::Password(password) => Self::Password(Password::copy_of(password.expose_octets())),
        }
    }

    fn kind(&self) -> SecretKind {
        match self {
            Self::Keys(_) => SecretKind::Keys,
            Self::Password(_) => SecretKind::Password,
        }
    }
}

impl fmt::Debug for InitialSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys(keys) => f.debug_tuple("Keys").field(keys).finish(),
            Self::Password(_) => f.write_str("Password(..)"),
        }
    }
}

/// Starts an AS exchange: `client` wants a ticket for `target`, by default the ticket-granting service of its
/// own realm.
///
/// ```
/// use orthros_krb5::Env;
/// use orthros_krb5::exchange::{ExchangePolicy, InitialSecret, Progress, RequestKind, initial};
/// # use orthros_wire::{Clock, Random, Timestamp};
/// # struct Fixed;
/// # impl Clock for Fixed { fn now(&self) -> Timestamp { Timestamp::from_seconds(1_700_000_000) } }
/// # impl Random for Fixed { fn fill(&self, octets: &mut [u8]) { octets.fill(7) } }
/// # let env = Env::new(Fixed, Fixed);
/// let alice = "alice@EXAMPLE.COM".parse()?;
/// let secret = InitialSecret::Password("open sesame".into());
/// let Progress::Ask(ask) = initial(alice, secret, None, ExchangePolicy::default(), env) else { panic!() };
/// assert_eq!((ask.realm(), ask.kind()), ("EXAMPLE.COM", RequestKind::As));
/// // ask.request() goes to a KDC of that realm, and its answer to ask.reply(..).
/// # Ok::<(), orthros_krb5::principal::BadPrincipal>(())
/// ```
pub fn initial(
    client: Principal,
    secret: InitialSecret,
    target: Option<Principal>,
    policy: ExchangePolicy,
    env: Env,
) -> Progress<Obtained> {
    let server = target.unwrap_or_else(|| Principal::ticket_granting(client.realm(), client.realm()));
    let policy = own_keys_first(policy, &secret);
    let now = env.now();
    let hints = KeyHints::default();
    let visited = vec![client.realm().to_owned()];
    let exchange = Initial { client, server, secret, made: None, hints, policy, env, requests: 0, visited };
    if exchange.usable().is_empty() {
        return Progress::Failed(exchange.no_enctype(Vec::new()));
    }
    exchange.ask(Proof::None, Vec::new(), now)
}

/// With keys, the KDC should choose an enctype that there is a key for: those go first.
fn own_keys_first(mut policy: ExchangePolicy, secret: &InitialSecret) -> ExchangePolicy {
    if let InitialSecret::Keys(keys) = secret {
        policy.enctypes.sort_by_key(|enctype| !keys.iter().any(|key| key.enctype() == *enctype));
    }
    policy
}

struct Initial {
    client: Principal,
    server: Principal,
    secret: InitialSecret,
    /// The key that was made from the password, and how: making one is slow on purpose.
    made: Option<(KeyHint, Arc<LongTermKey>)>,
    /// What the KDC said last about the client's keys.
    hints: KeyHints,
    policy: ExchangePolicy,
    env: Env,
    requests: u32,
    /// The realms that were asked, the present one last.
    visited: Vec<String>,
}

/// Which proof a request carried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    None,
    /// The local time, or the KDC's if they differ too much.
    Timestamp,
    /// The KDC's time, after it complained.
    KdcTimestamp,
}

/// What must be remembered of a request.
#[derive(Clone, Copy)]
struct Sent {
    nonce: u32,
    from: Option<KerberosTime>,
    till: KerberosTime,
    proof: Proof,
}

impl Initial {
    /// Makes the next request.
    fn ask(mut self, proof: Proof, padata: Vec<(i32, Vec<u8>)>, now: Timestamp) -> Progress<Obtained> {
        let realm = self.client.realm().to_owned();
        self.requests += 1;
        let kdc_now = now.plus_seconds(self.policy.kdc_offset);
        let start = kdc_now.seconds.saturating_add(self.policy.start.unwrap_or(0));
        let from = self.policy.start.map(|_| KerberosTime(start));
        let till = KerberosTime(start.saturating_add(self.policy.lifetime));
        let sent = Sent { nonce: fresh_nonce(&*self.env.random), from, till, proof };
        let body = self.body(sent, start);
        let request = match request(&body, &padata) {
            Ok(request) => request,
            Err(error) => return Progress::Failed(KdcFailure::Malformed { realm, error }),
        };
        let octets = request.clone();
        Ask::progress(&realm, request, RequestKind::As, move |answer: Answer<'_>| match answer {
            Ok((answer, now)) => self.answered(answer, now, sent, &octets),
            Err(report) => {
                let realm = self.client.realm().to_owned();
                Progress::Failed(KdcFailure::Unavailable { realm, report })
            }
        })
    }

    fn body(&self, sent: Sent, start: i64) -> Vec<u8> {
        let renewable = self.policy.renewable_lifetime;
        let kdc_options = KdcOptions::default()
            .with(KdcOptions::FORWARDABLE, self.policy.forwardable)
            .with(KdcOptions::PROXIABLE, self.policy.proxiable)
            .with(KdcOptions::RENEWABLE, renewable.is_some())
            .with(KdcOptions::ALLOW_POSTDATE, sent.from.is_some())
            .with(KdcOptions::POSTDATED, sent.from.is_some())
            .with(KdcOptions::CANONICALIZE, self.canonicalizes());
        let addresses: Vec<_> = self.policy.addresses.iter().map(TypedOctets::to_address).collect();
        let body = KdcReqBody {
            kdc_options,
            cname: Some(self.client.to_wire()),
            realm: GeneralString(self.client.realm()),
            sname: Some(self.server.to_wire()),
            from: sent.from,
            till: sent.till,
            rtime: renewable.map(|lifetime| KerberosTime(start.saturating_add(lifetime))),
            nonce: sent.nonce,
            etype: self.policy.enctype_numbers(),
            addresses: Some(addresses).filter(|addresses| !addresses.is_empty()),
            enc_authorization_data: None,
            additional_tickets: None,
        };
        body.to_der()
    }

    fn canonicalizes(&self) -> bool {
        self.policy.canonicalize || self.client.name_type() == NameType::ENTERPRISE
    }

    fn answered(mut self, octets: &[u8], now: Timestamp, sent: Sent, request: &[u8]) -> Progress<Obtained> {
        let realm = self.client.realm();
        match incoming(octets, msg_type::AS_REP, realm, |AsRep(reply)| reply) {
            Ok(Incoming::Error(error)) => self.refused(&error, now, sent),
            Ok(Incoming::Reply(reply)) => match self.accept(&reply, now, sent, request) {
                Ok(obtained) => Progress::Done(obtained),
                Err(failure) => Progress::Failed(failure),
            },
            Err(failure) => Progress::Failed(failure),
        }
    }

    /// An error: more is wanted, or it is the end.
    fn refused(self, error: &KrbError<'_>, now: Timestamp, sent: Sent) -> Progress<Obtained> {
        let kdc_time = Timestamp::from(error.stime);
        match ErrorCode(error.error_code) {
            ErrorCode::PREAUTH_REQUIRED if sent.proof == Proof::None => self.prove(error, now),
            ErrorCode::PREAUTH_FAILED if sent.proof != Proof::None => {
                Progress::Failed(KdcFailure::PreauthFailed {
                    client: self.client,
                    secret: self.secret.kind(),
                    text: text(error),
                })
            }
            ErrorCode::SKEW if sent.proof == Proof::Timestamp && self.policy.kdc_timesync => {
                self.send_timestamp(Proof::KdcTimestamp, None, kdc_time, now)
            }
            ErrorCode::SKEW => {
                let realm = self.client.realm().to_owned();
                Progress::Failed(KdcFailure::Skew { realm, kdc: kdc_time, here: now })
            }
            ErrorCode::ETYPE_NOSUPP => Progress::Failed(self.no_enctype(Vec::new())),
            ErrorCode::WRONG_REALM if self.canonicalizes() => match error.crealm {
                Some(realm) if !realm.0.is_empty() => self.elsewhere(realm.0, now),
                _ => Progress::Failed(refused(error, &self.asked(sent))),
            },
            _ => Progress::Failed(refused(error, &self.asked(sent))),
        }
    }

    /// The client belongs to another realm, says the KDC: everything begins anew there (RFC 6806 §7). Nobody
    /// vouches for that, but the secret goes to no realm: only what it sealed does.
    fn elsewhere(mut self, realm: &str, now: Timestamp) -> Progress<Obtained> {
        let known = self.visited.iter().any(|visited| visited == realm);
        self.visited.push(realm.to_owned());
        if known || self.visited.len() > MOST_HOPS {
            let (principal, realms) = (self.client, self.visited);
            return Progress::Failed(KdcFailure::ReferralLoop { principal, realms });
        }
        self.server = match self.server.as_ticket_granting() {
            Some(_) => Principal::ticket_granting(realm, realm),
            None => self.server.in_realm(realm),
        };
        self.client = self.client.in_realm(realm);
        self.hints = KeyHints::default();
        self.ask(Proof::None, Vec::new(), now)
    }

    /// The KDC wants a proof of identity, and says of which kinds.
    fn prove(mut self, error: &KrbError<'_>, now: Timestamp) -> Progress<Obtained> {
        let malformed = |error| KdcFailure::Malformed { realm: self.client.realm().into(), error };
        let methods = match error.e_data.map(Vec::<PaData<'_>>::from_der).transpose() {
            Ok(methods) => methods,
            Err(error) => return Progress::Failed(malformed(error)),
        };
        let mut cookie = None;
        if let Some(methods) = methods {
            if !methods.iter().any(|method| method.padata_type == pa_type::ENC_TIMESTAMP) {
                let offered = methods.iter().map(|method| method.padata_type).collect();
                return Progress::Failed(KdcFailure::PreauthUnsupported { client: self.client, offered });
            }
            self.hints = match KeyHints::read(&methods) {
                Ok(hints) => hints,
                Err(error) => return Progress::Failed(malformed(error)),
            };
            // RFC 6113 §5.2: a cookie is returned as it came.
            cookie = methods
                .iter()
                .find(|method| method.padata_type == pa_type::FX_COOKIE)
                .map(|method| (pa_type::FX_COOKIE, method.padata_value.to_vec()));
        }
        let known = now.plus_seconds(self.policy.kdc_offset);
        let apart = error.stime.0.saturating_sub(known.seconds).saturating_abs();
        let time = if self.policy.kdc_timesync && apart > self.policy.clock_skew {
            Timestamp { microseconds: now.microseconds, ..error.stime.into() }
        } else {
            known
        };
        self.send_timestamp(Proof::Timestamp, cookie, time, now)
    }

    /// Asks again, with `time` sealed in the client's key.
    fn send_timestamp(
        mut self,
        proof: Proof,
        cookie: Option<(i32, Vec<u8>)>,
        time: Timestamp,
        now: Timestamp,
    ) -> Progress<Obtained> {
        let Some(enctype) = self.hints.choose(&self.usable()) else {
            return Progress::Failed(self.no_enctype(self.hints.offered()));
        };
        let hints = self.hints.clone();
        let key = match self.keys(enctype, &hints) {
            Ok(keys) => keys.into_iter().next(),
            Err(failure) => return Progress::Failed(failure),
        };
        let Some(key) = key else { return Progress::Failed(self.no_enctype(hints.offered())) };
        let microseconds = i32::try_from(time.microseconds).unwrap_or_default();
        let stamp = PaEncTsEnc { patimestamp: time.into(), pausec: Some(microseconds) }.to_der();
        let cipher = key.encrypt(KeyUsage::AS_REQ_PA_ENC_TIMESTAMP, &*self.env.random, &stamp);
        let sealed = EncryptedData { etype: enctype.number(), kvno: None, cipher: &cipher }.to_der();
        let padata = cookie.into_iter().chain([(pa_type::ENC_TIMESTAMP, sealed)]).collect();
        self.ask(proof, padata, now)
    }

    /// Opens and checks a reply.
    fn accept(
        &mut self,
        reply: &KdcRep<'_>,
        now: Timestamp,
        sent: Sent,
        request: &[u8],
    ) -> Result<Obtained, KdcFailure> {
        let sealed = &reply.enc_part;
        let Some(enctype) = self.policy.asked_for(sealed.etype) else {
            return Err(self.no_enctype(vec![sealed.etype]));
        };
        let hints = KeyHints::read(reply.padata.as_deref().unwrap_or_default())
            .map_err(|error| KdcFailure::Malformed { realm: self.client.realm().into(), error })?;
        let hints = if hints.is_empty() { self.hints.clone() } else { hints };
        let keys = self.keys(enctype, &hints)?;
        if keys.is_empty() {
            return Err(self.no_enctype(vec![sealed.etype]));
        }
        let open = |key: Arc<LongTermKey>| -> Option<(SecretBuffer, _)> {
            Some((open_message(&key, KeyUsage::AS_REP_ENC_PART, sealed.cipher).ok()?, key))
        };
        let (plain, key) = keys.into_iter().find_map(open).ok_or_else(|| KdcFailure::Integrity {
            client: self.client.clone(),
            secret: Some(self.secret.kind()),
            enctype,
            kvno: sealed.kvno,
        })?;
        let (credential, offset) = accept(reply, &plain, &self.asked(sent), TimeBase::Authtime, now)?;
        self.check_request(&plain, &key, request)?;
        Ok(Obtained { credential, also: Vec::new(), kdc_offset: Some(offset), requests: self.requests })
    }

    /// Demands the checksum of the request that was received, if the KDC says that it gives one (RFC 6806 §11).
    fn check_request(&self, plain: &[u8], key: &LongTermKey, request: &[u8]) -> Result<(), KdcFailure> {
        let realm = || self.client.realm().to_owned();
        let malformed = |error| KdcFailure::Malformed { realm: realm(), error };
        let part = decode_enc_kdc_rep_part(plain).map_err(malformed)?;
        if !part.flags.contains(TicketFlags::ENC_PA_REP) {
            return Ok(());
        }
        let proved = part
            .encrypted_pa_data
            .iter()
            .flatten()
            .find(|element| element.padata_type == pa_type::REQ_ENC_PA_REP)
            .and_then(|element| Checksum::from_der(element.padata_value).ok())
            .filter(|checksum| checksum.cksumtype == key.enctype().checksum_type().0)
            .is_some_and(|checksum| key.verify(KeyUsage::AS_REQ, &[request], checksum.checksum).is_ok());
        let fault = ReplyFault::Request;
        if proved { Ok(()) } else { Err(KdcFailure::BadReply { realm: realm(), fault }) }
    }

    /// The keys of `enctype`: all that were given, or the one made from the password.
    fn keys(&mut self, enctype: Enctype, hints: &KeyHints) -> Result<Vec<Arc<LongTermKey>>, KdcFailure> {
        let password = match &self.secret {
            InitialSecret::Keys(keys) => {
                return Ok(keys.iter().filter(|key| key.enctype() == enctype).cloned().collect());
            }
            InitialSecret::Password(password) => password,
        };
        let mut hint = hints.hint(enctype);
        let salt = hint.salt.get_or_insert_with(|| self.client.default_salt()).clone();
        if let Some((_, key)) = self.made.as_ref().filter(|(made, _)| *made == hint) {
            return Ok(vec![Arc::clone(key)]);
        }
        let key = Key::from_password(enctype, password, &salt, hint.params.as_deref())
            .map_err(|reason| KdcFailure::BadKey { client: self.client.clone(), reason })?;
        let key = Arc::new(LongTermKey::from(key));
        self.made = Some((hint, Arc::clone(&key)));
        Ok(vec![key])
    }

    /// The enctypes that are permitted and that there is a key for.
    fn usable(&self) -> Vec<Enctype> {
        let has = |enctype: &Enctype| match &self.secret {
            InitialSecret::Keys(keys) => keys.iter().any(|key| key.enctype() == *enctype),
            InitialSecret::Password(_) => true,
        };
        self.policy.enctypes.iter().copied().filter(has).collect()
    }

    fn no_enctype(&self, offered: Vec<i32>) -> KdcFailure {
        KdcFailure::NoEnctype { principal: self.client.clone(), wanted: self.usable(), offered }
    }

    fn asked(&self, sent: Sent) -> Asked<'_> {
        Asked {
            realm: self.client.realm(),
            own: true,
            client: &self.client,
            server: &self.server,
            nonce: sent.nonce,
            renaming: if self.canonicalizes() { Renaming::Client } else { Renaming::No },
            from: sent.from,
            till: sent.till,
            policy: &self.policy,
        }
    }
}

/// The AS-REQ with this body and these elements, and the wish for [`Initial::check_request`].
fn request(body: &[u8], padata: &[(i32, Vec<u8>)]) -> Result<Vec<u8>, crate::wire::DerError> {
    let element = |(padata_type, value)| PaData { padata_type, padata_value: value };
    let given = padata.iter().map(|(number, value)| (*number, value.as_slice()));
    let padata = given.chain([(pa_type::REQ_ENC_PA_REP, &[][..])]).map(element).collect();
    let request = AsReq(KdcReq {
        pvno: PVNO,
        msg_type: msg_type::AS_REQ,
        padata: Some(padata),
        req_body: Raw::from_der(body)?,
    });
    Ok(request.to_der())
}
