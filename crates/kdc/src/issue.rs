//! What both exchanges share: choosing keys and times, making the ticket and the reply.

use orthros_crypto::{Enctype, Key, KeyUsage, LongTermKey, SessionKey};
use orthros_krb5::transited::DOMAIN_X500_COMPRESS;
use orthros_krb5::wire::{
    AuthorizationElement, EncAsRepPart, EncKdcRepPart, EncTgsRepPart, EncTicketPart, EncryptedData,
    EncryptionKey, GeneralString, HostAddress, KdcOptions, KdcReqBody, KerberosTime, LastReq, PVNO, PaData,
    Raw, SecretOctets, Ticket, TicketFlags, TransitedEncoding,
};
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::SecretBytes;
use orthros_wire::der::{Decode, DerError, Encode};
use std::sync::Arc;

use crate::Realm;
use crate::answer::{Instant, Refusal};
use crate::realm::Entry;

/// A ticket to be, with what goes into the reply beside it.
pub(crate) struct Grant<'a> {
    pub(crate) client: &'a Principal,
    pub(crate) server: &'a Server,
    pub(crate) session: SessionKey,
    pub(crate) flags: TicketFlags,
    pub(crate) authtime: KerberosTime,
    pub(crate) times: Times,
    /// The realms on the client's way, as tickets carry them.
    pub(crate) transited: &'a str,
    pub(crate) addresses: Option<Vec<HostAddress<'a>>>,
    /// Elements for the sealed part of the reply.
    pub(crate) reply_padata: Option<Vec<PaData<'a>>>,
    pub(crate) nonce: u32,
    pub(crate) authorization_data: Option<Vec<AuthorizationElement<'a>>>,
}

/// When a ticket is valid.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) start: KerberosTime,
    pub(crate) end: KerberosTime,
    pub(crate) renew_till: Option<KerberosTime>,
    /// The begin lies so far ahead that the ticket must be validated then.
    pub(crate) postdated: bool,
}

/// A server and the key that its ticket is sealed in.
pub(crate) struct Server {
    /// The name in the ticket and the reply. Its kind is the one that was asked for.
    pub(crate) name: Principal,
    entry: Arc<Entry>,
    kvno: u32,
    key: Arc<LongTermKey>,
}

impl Server {
    /// Whether the server has a key of this enctype, and so understands it.
    fn supports(&self, enctype: Enctype) -> bool {
        self.entry.newest().is_some_and(|version| version.keys.iter().any(|key| key.enctype == enctype))
    }
}

impl Realm {
    /// The realm's own ticket-granting service.
    pub(crate) fn ticket_granting(&self) -> Principal {
        Principal::ticket_granting(self.name(), self.name())
    }

    /// The server that is asked for, with its strongest key. Where the client takes canonical names, this may be
    /// the ticket-granting service of the realm where the server is said to be (RFC 6806 §8).
    pub(crate) fn server(&self, body: &KdcReqBody<'_>) -> Result<Server, Refusal> {
        let unknown = || Refusal::new(ErrorCode::S_PRINCIPAL_UNKNOWN, "the server is not in the database");
        let name = body.sname.as_ref().ok_or_else(unknown)?;
        let asked = Principal::from_wire(name, body.realm.0).map_err(|_| unknown())?;
        if asked.realm() != self.name() {
            return Err(unknown());
        }
        let canonicalize = body.kdc_options.contains(KdcOptions::CANONICALIZE);
        if let Some(entry) = self.entry(&asked) {
            return sealing(asked.clone(), &asked, &entry);
        }
        if let Some(realm) = asked.as_ticket_granting() {
            // The next realm on the way will do: the client notices from the reply (RFC 4120 §3.3.3).
            let between = self.neighbours().capaths.between(self.name(), realm);
            let mut nearer = between.iter().rev().map(|realm| Principal::ticket_granting(realm, self.name()));
            let (name, entry) =
                nearer.find_map(|name| self.entry(&name).map(|entry| (name, entry))).ok_or_else(unknown)?;
            return sealing(name.clone(), &name, &entry);
        }
        if let Some(real) = self.neighbours().aliases.get(&asked) {
            let entry = self.entry(real).ok_or_else(unknown)?;
            // A client that does not ask for canonical names would refuse another than it asked for.
            let name = if canonicalize { real.clone() } else { asked };
            return sealing(name, real, &entry);
        }
        let elsewhere = self.neighbours().realm_of(&asked).filter(|_| canonicalize).ok_or_else(unknown)?;
        let name = Principal::ticket_granting(elsewhere, self.name());
        let entry = self.entry(&name).ok_or_else(unknown)?;
        sealing(name.clone(), &name, &entry)
    }

    /// A session key of the first enctype asked for that the server and the realm's policy know.
    pub(crate) fn session_key(
        &self,
        body: &KdcReqBody<'_>,
        server: &Server,
        instant: Instant<'_>,
    ) -> Result<SessionKey, Refusal> {
        let enctype = body
            .etype
            .iter()
            .filter_map(|number| Enctype::from_number(*number))
            .find(|enctype| self.policy().enctypes.contains(enctype) && server.supports(*enctype))
            .ok_or_else(|| {
                Refusal::new(ErrorCode::ETYPE_NOSUPP, "the server has no key of these enctypes")
            })?;
        Ok(Key::random(enctype, instant.random).into())
    }

    /// The times of a ticket: what is asked, as far as policy and `limit` (the end of the ticket that asks, and
    /// until when it can be renewed) allow. Whether a ticket may be postdated at all is asked by whoever calls.
    pub(crate) fn times(
        &self,
        body: &KdcReqBody<'_>,
        instant: Instant<'_>,
        limit: Option<(KerberosTime, KerberosTime)>,
    ) -> Result<Times, Refusal> {
        let now = instant.now.seconds;
        let postdated = body.from.filter(|from| from.0 > now.saturating_add(self.policy().clock_skew));
        if postdated.is_some() && !body.kdc_options.contains(KdcOptions::POSTDATED) {
            return Err(Refusal::new(ErrorCode::CANNOT_POSTDATE, "a later begin needs the option POSTDATED"));
        }
        let start = postdated.map_or(now, |from| from.0);
        let after = |seconds: i64| start.saturating_add(seconds);
        // 1970 means: as long as possible (§3.1.3).
        let wish = |time: KerberosTime| if time.0 == 0 { i64::MAX } else { time.0 };
        let (limit_end, limit_renew) = limit.map_or((i64::MAX, i64::MAX), |(end, renew)| (end.0, renew.0));
        let end = wish(body.till).min(after(self.policy().max_lifetime)).min(limit_end);
        if end <= start {
            return Err(Refusal::new(ErrorCode::NEVER_VALID, "the ticket would end before it begins"));
        }
        let asked = body.kdc_options.contains(KdcOptions::RENEWABLE);
        let instead = body.kdc_options.contains(KdcOptions::RENEWABLE_OK) && wish(body.till) > end;
        let wanted = match (asked, instead) {
            (true, _) => Some(body.rtime.map_or(i64::MAX, wish)),
            (false, true) => Some(wish(body.till)),
            (false, false) => None,
        };
        let most = after(self.policy().max_renewable_lifetime).min(limit_renew);
        let renew_till =
            wanted.map(|wanted| wanted.min(most)).filter(|renew| *renew > start).map(KerberosTime);
        let (start, end) = (KerberosTime(start), KerberosTime(end));
        Ok(Times { start, end, renew_till, postdated: postdated.is_some() })
    }
}

/// The server `real` under this name, with the strongest key of its newest version.
fn sealing(name: Principal, real: &Principal, entry: &Arc<Entry>) -> Result<Server, Refusal> {
    let no_key = || Refusal::new(ErrorCode::NULL_KEY, "the server has no key");
    let version = entry.newest().ok_or_else(no_key)?;
    let stored = version.keys.first().ok_or_else(no_key)?;
    let key = stored.key(real).map_err(|_| no_key())?;
    Ok(Server { kvno: version.kvno, key, name, entry: Arc::clone(entry) })
}

impl Grant<'_> {
    /// The ticket, sealed in the server's key.
    pub(crate) fn ticket(&self, instant: Instant<'_>) -> Vec<u8> {
        let part = EncTicketPart {
            flags: self.flags,
            key: self.key(),
            crealm: GeneralString(self.client.realm()),
            cname: self.client.to_wire(),
            transited: TransitedEncoding {
                tr_type: if self.transited.is_empty() { 0 } else { DOMAIN_X500_COMPRESS },
                contents: self.transited.as_bytes(),
            },
            authtime: self.authtime,
            starttime: Some(self.times.start),
            endtime: self.times.end,
            renew_till: self.times.renew_till,
            caddr: self.addresses.clone(),
            authorization_data: self.authorization_data.clone(),
        };
        let plain = part.to_secret_der();
        let key = &self.server.key;
        let cipher = key.encrypt(KeyUsage::TICKET, instant.random, plain.expose_octets());
        let ticket = Ticket {
            tkt_vno: PVNO,
            realm: GeneralString(self.server.name.realm()),
            sname: self.server.name.to_wire(),
            enc_part: EncryptedData {
                etype: key.enctype().number(),
                kvno: Some(self.server.kvno),
                cipher: &cipher,
            },
        };
        ticket.to_der()
    }

    /// The part of an AS-REP that is to be sealed.
    pub(crate) fn initial_part(&self, instant: Instant<'_>) -> SecretBytes {
        EncAsRepPart(self.part(instant)).to_der().into()
    }

    /// The part of a TGS-REP that is to be sealed.
    pub(crate) fn granting_part(&self, instant: Instant<'_>) -> SecretBytes {
        EncTgsRepPart(self.part(instant)).to_der().into()
    }

    fn part(&self, instant: Instant<'_>) -> EncKdcRepPart<'_> {
        EncKdcRepPart {
            key: self.key(),
            last_req: vec![LastReq { lr_type: 0, lr_value: instant.now.into() }],
            nonce: self.nonce,
            key_expiration: None,
            flags: self.flags,
            authtime: self.authtime,
            starttime: Some(self.times.start),
            endtime: self.times.end,
            renew_till: self.times.renew_till,
            srealm: GeneralString(self.server.name.realm()),
            sname: self.server.name.to_wire(),
            caddr: self.addresses.clone(),
            encrypted_pa_data: self.reply_padata.clone(),
        }
    }

    fn key(&self) -> EncryptionKey<'_> {
        EncryptionKey {
            keytype: self.session.enctype().number(),
            keyvalue: SecretOctets(self.session.expose_octets()),
        }
    }
}

/// A ticket as replies carry it.
pub(crate) fn raw_ticket(ticket: &[u8]) -> Result<Raw<'_, Ticket<'_>>, DerError> {
    Raw::from_der(ticket)
}
