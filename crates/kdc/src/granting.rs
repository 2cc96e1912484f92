//! The ticket-granting service (RFC 4120 §3.3.2, §3.3.3).

use orthros_crypto::{Enctype, Key, KeyUsage, SessionKey};
use orthros_krb5::sealed::open_message;
use orthros_krb5::wire::{
    ApReq, Authenticator, AuthorizationElement, EncTicketPart, EncryptedData, EncryptionKey, GeneralString,
    KdcOptions, KdcRep, KdcReq, KdcReqBody, KerberosTime, PVNO, PaData, TgsRep, Ticket, TicketFlags,
    TransitedEncoding, msg_type, pa_type,
};
use orthros_krb5::{ErrorCode, Principal, transited};
use orthros_wire::der::{Decode, Encode};
use orthros_wire::secret::SecretBuffer;

use crate::Realm;
use crate::answer::{Instant, Refusal};
use crate::delegation::Named;
use crate::issue::{Grant, Times, raw_ticket};

/// Options that are granted here; any other is refused.
const OFFERED: KdcOptions = KdcOptions(
    KdcOptions::FORWARDABLE.0
        | KdcOptions::FORWARDED.0
        | KdcOptions::PROXIABLE.0
        | KdcOptions::PROXY.0
        | KdcOptions::ALLOW_POSTDATE.0
        | KdcOptions::POSTDATED.0
        | KdcOptions::RENEWABLE.0
        | KdcOptions::CANONICALIZE.0
        | KdcOptions::DISABLE_TRANSITED_CHECK.0
        | KdcOptions::RENEWABLE_OK.0
        | KdcOptions::RENEW.0
        | KdcOptions::VALIDATE.0,
);

/// Options for which the ticket that is shown comes once more.
const AGAIN: KdcOptions = KdcOptions(KdcOptions::RENEW.0 | KdcOptions::VALIDATE.0);

/// A ticket-granting ticket, opened, with the client's proof checked.
pub(crate) struct Proved<'a> {
    pub(crate) ticket: EncTicketPart<'a>,
    /// Whom the ticket is for: this ticket-granting service, by a key of this realm or of another; or, if it is
    /// to be renewed or validated, some service.
    pub(crate) server: Principal,
    pub(crate) client: Principal,
    pub(crate) session: SessionKey,
    pub(crate) subkey: Option<SessionKey>,
}

impl Realm {
    /// Answers a TGS-REQ.
    pub(crate) fn granting(&self, request: &KdcReq<'_>, instant: Instant<'_>) -> Result<Vec<u8>, Refusal> {
        let elements = request.padata.as_deref().unwrap_or_default();
        let ap_req = elements
            .iter()
            .find(|element| element.padata_type == pa_type::TGS_REQ)
            .ok_or_else(|| Refusal::new(ErrorCode::PADATA_TYPE_NOSUPP, "the request holds no ticket"))?;
        let ap_req = ApReq::from_der(ap_req.padata_value)?;
        let options = request.req_body.kdc_options;
        let (server, ticket_plain) = self.open_ticket(&ap_req.ticket, options)?;
        let ticket = EncTicketPart::from_der(&ticket_plain)?;
        let session = session_key(&ticket.key, &self.policy().enctypes)?;
        let authenticator_plain = self.open_authenticator(&ap_req, &ticket, &session, options, instant)?;
        let authenticator = Authenticator::from_der(&authenticator_plain)?;
        let proved = self.prove(request, (server, ticket), session, &authenticator, instant)?;
        self.grant_to(&request.req_body, elements, proved, instant)
    }

    /// Finds out whose ticket is asked for, and grants it.
    fn grant_to(
        &self,
        body: &KdcReqBody<'_>,
        elements: &[PaData<'_>],
        proved: Proved<'_>,
        instant: Instant<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let named = Named::read(elements, body, &proved, self.how_far(&proved.client))?;
        let by_evidence = body.kdc_options.contains(KdcOptions::CNAME_IN_ADDL_TKT);
        if (named.is_some() || by_evidence) && proved.server != self.ticket_granting() {
            return Err(bad_option("services of other realms can't act for users here"));
        }
        let options = |proved: &Proved<'_>| {
            // What a ticket of the user can't be, it just is not.
            let forwardable = proved.ticket.flags.contains(TicketFlags::FORWARDABLE);
            let asked = body.kdc_options.with(KdcOptions::CNAME_IN_ADDL_TKT, false);
            let asked = asked.with(KdcOptions::PROXIABLE, false);
            asked.with(KdcOptions::FORWARDABLE, forwardable && asked.contains(KdcOptions::FORWARDABLE))
        };
        match (named, by_evidence) {
            (None, false) => self.grant(body, &proved, None, instant),
            (Some(_), true) => Err(bad_option("a user is named, and there is evidence of another")),
            (Some(named), false) => {
                let proof = named.proof(&proved)?;
                let proved = self.impersonated(&named, body, proved)?;
                let body = KdcReqBody { kdc_options: options(&proved), ..body.clone() };
                self.grant(&body, &proved, proof.as_deref(), instant)
            }
            (None, true) => {
                let plain = self.open_evidence(body, &proved)?;
                let proved = self.constrained(EncTicketPart::from_der(&plain)?, proved, instant)?;
                let body = KdcReqBody { kdc_options: options(&proved), ..body.clone() };
                self.grant(&body, &proved, None, instant)
            }
        }
    }

    /// Opens the ticket with the key of the version that it names. It must be for the ticket-granting service
    /// here, and may come from a realm that shares a key with this one; what is renewed or validated may be any
    /// ticket of this realm's.
    fn open_ticket(
        &self,
        ticket: &Ticket<'_>,
        options: KdcOptions,
    ) -> Result<(Principal, SecretBuffer), Refusal> {
        let not_us = || Refusal::new(ErrorCode::NOT_US, "the ticket is not for this ticket-granting service");
        let own = Principal::from_wire(&ticket.sname, ticket.realm.0).map_err(|_| not_us())?;
        let again = own.realm() == self.name() && options.0 & AGAIN.0 != 0;
        if own.as_ticket_granting() != Some(self.name()) && !again {
            return Err(not_us());
        }
        self.opened(ticket)
    }

    /// Opens a ticket of one of this realm's services.
    pub(crate) fn opened(&self, ticket: &Ticket<'_>) -> Result<(Principal, SecretBuffer), Refusal> {
        let not_us = || Refusal::new(ErrorCode::NOT_US, "the ticket is for no service of this realm");
        let own = Principal::from_wire(&ticket.sname, ticket.realm.0).map_err(|_| not_us())?;
        let sealed = &ticket.enc_part;
        let entry = self.entry(&own).ok_or_else(not_us)?;
        let version = match sealed.kvno {
            Some(kvno) => entry.versions.iter().find(|version| version.kvno == kvno),
            None => entry.newest(),
        };
        let key = version
            .and_then(|version| version.keys.iter().find(|key| key.enctype.number() == sealed.etype))
            .and_then(|stored| stored.key(&own).ok())
            .ok_or_else(|| Refusal::new(ErrorCode::BADKEYVER, "no key of this version and enctype"))?;
        let plain = open_message(&key, KeyUsage::TICKET, sealed.cipher).map_err(|_| integrity())?;
        Ok((own, plain))
    }

    /// Checks the ticket's times and opens the authenticator.
    fn open_authenticator(
        &self,
        ap_req: &ApReq<'_>,
        ticket: &EncTicketPart<'_>,
        session: &SessionKey,
        options: KdcOptions,
        instant: Instant<'_>,
    ) -> Result<SecretBuffer, Refusal> {
        if (ap_req.pvno, ap_req.msg_type) != (PVNO, msg_type::AP_REQ) {
            return Err(Refusal::new(ErrorCode::MSG_TYPE, "the ticket's message is no AP-REQ"));
        }
        let now = instant.now.seconds;
        let start = ticket.starttime.unwrap_or(ticket.authtime).0;
        let begun = start <= now.saturating_add(self.policy().clock_skew);
        let validates = options.contains(KdcOptions::VALIDATE);
        if !begun || (ticket.flags.contains(TicketFlags::INVALID) && !validates) {
            return Err(Refusal::new(ErrorCode::TKT_NYV, "the ticket is not valid yet"));
        }
        if ticket.endtime.0 <= now {
            return Err(Refusal::new(ErrorCode::TKT_EXPIRED, "the ticket-granting ticket has expired"));
        }
        if ap_req.authenticator.etype != session.enctype().number() {
            return Err(integrity());
        }
        open_message(session, KeyUsage::TGS_REQ_AUTHENTICATOR, ap_req.authenticator.cipher)
            .map_err(|_| integrity())
    }

    /// Checks who the client is, that it asked just now, and that it asked for this (§3.3.2).
    fn prove<'a>(
        &self,
        request: &KdcReq<'_>,
        (server, ticket): (Principal, EncTicketPart<'a>),
        session: SessionKey,
        authenticator: &Authenticator<'_>,
        instant: Instant<'_>,
    ) -> Result<Proved<'a>, Refusal> {
        let nobody = |_| Refusal::new(ErrorCode::BADMATCH, "the ticket names nobody");
        let client = Principal::from_wire(&ticket.cname, ticket.crealm.0).map_err(nobody)?;
        let sender = Principal::from_wire(&authenticator.cname, authenticator.crealm.0).map_err(nobody)?;
        if client != sender || authenticator.authenticator_vno != PVNO {
            return Err(Refusal::new(ErrorCode::BADMATCH, "ticket and authenticator name different clients"));
        }
        // Another realm speaks for its clients and for those it was told of, and never for ours.
        if server.realm() != self.name() && client.realm() == self.name() {
            return Err(Refusal::new(ErrorCode::POLICY, "another realm names a client of this one"));
        }
        self.near(authenticator.ctime.0, instant)?;
        // The kind of checksum is bound to the key: an unkeyed one, or another key's, binds nothing.
        let checksum = authenticator
            .cksum
            .as_ref()
            .filter(|checksum| checksum.cksumtype == session.enctype().checksum_type().0)
            .ok_or_else(|| {
                Refusal::new(
                    ErrorCode::INAPP_CKSUM,
                    "the request needs the keyed checksum of its session key",
                )
            })?;
        session
            .verify(KeyUsage::TGS_REQ_AUTHENTICATOR_CHECKSUM, &[request.req_body.octets()], checksum.checksum)
            .map_err(|_| Refusal::new(ErrorCode::MODIFIED, "the request was altered"))?;
        let subkey =
            authenticator.subkey.as_ref().map(|key| session_key(key, &self.policy().enctypes)).transpose()?;
        Ok(Proved { ticket, server, client, session, subkey })
    }

    fn grant(
        &self,
        body: &KdcReqBody<'_>,
        proved: &Proved<'_>,
        proof: Option<&[u8]>,
        instant: Instant<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let options = body.kdc_options;
        let server = self.server(body)?;
        if options.0 & AGAIN.0 != 0 && server.name != proved.server {
            return Err(bad_option("only the ticket that is shown can be renewed or validated"));
        }
        if options.contains(KdcOptions::PROXY) && server.name.as_ticket_granting().is_some() {
            return Err(bad_option("a ticket-granting ticket is forwarded, not proxied"));
        }
        let transited = self.transited(proved)?;
        let checked = self.transited_checked(&transited, proved, options)?;
        let times = self.granted_times(body, proved, instant)?;
        let flags = granted_flags(options, proved.ticket.flags, times)?
            .with(TicketFlags::TRANSITED_POLICY_CHECKED, checked);
        // Other addresses are for forwarded and proxied tickets; any other has those of its parent.
        let moved = options.0 & (KdcOptions::FORWARDED.0 | KdcOptions::PROXY.0) != 0;
        let addresses = if moved { body.addresses.clone() } else { proved.ticket.caddr.clone() };
        let session = self.session_key(body, &server, instant)?;
        let added = added_authorization_data(body, proved)?;
        let mut authorization_data = proved.ticket.authorization_data.clone().unwrap_or_default();
        if let Some(added) = &added {
            authorization_data.extend(Vec::<AuthorizationElement<'_>>::from_der(added)?);
        }
        let grant = Grant {
            client: &proved.client,
            server: &server,
            session,
            flags,
            authtime: proved.ticket.authtime,
            times,
            transited: &transited,
            addresses,
            reply_padata: None,
            nonce: body.nonce,
            authorization_data: Some(authorization_data).filter(|elements| !elements.is_empty()),
        };
        reply(&grant, proved, proof, instant)
    }

    /// The realms on the client's way, with the one that the ticket shown comes from: a realm does not name itself
    /// (§3.3.3.2).
    fn transited(&self, proved: &Proved<'_>) -> Result<String, Refusal> {
        let field = &proved.ticket.transited;
        if !field.contents.is_empty() && field.tr_type != transited::DOMAIN_X500_COMPRESS {
            return Err(Refusal::new(
                ErrorCode::TRTYPE_NOSUPP,
                "the transited realms are of another encoding",
            ));
        }
        let client = proved.client.realm();
        let mut realms = transited::decode(field.contents, client, self.name())
            .map_err(|_| Refusal::new(ErrorCode::PATH_NOT_ACCEPTED, "the transited realms can't be read"))?;
        let last = proved.server.realm();
        if last != self.name() && last != client && !realms.iter().any(|realm| realm == last) {
            realms.push(last.to_owned());
        }
        Ok(transited::encode(&realms))
    }

    /// Whether the way was checked here; an error if it leads through realms that are not trusted on it.
    fn transited_checked(
        &self,
        realms: &str,
        proved: &Proved<'_>,
        options: KdcOptions,
    ) -> Result<bool, Refusal> {
        if options.contains(KdcOptions::DISABLE_TRANSITED_CHECK) {
            return Ok(false);
        }
        let tr_type = transited::DOMAIN_X500_COMPRESS;
        let field = TransitedEncoding { tr_type, contents: realms.as_bytes() };
        transited::check(&field, proved.client.realm(), self.name(), &self.neighbours().capaths)
            .map(|()| true)
            .map_err(|_| {
                Refusal::new(ErrorCode::PATH_NOT_ACCEPTED, "a realm on the way is not trusted on it")
            })
    }

    /// The new ticket's times (§3.3.3).
    fn granted_times(
        &self,
        body: &KdcReqBody<'_>,
        proved: &Proved<'_>,
        instant: Instant<'_>,
    ) -> Result<Times, Refusal> {
        let (options, old) = (body.kdc_options, &proved.ticket);
        if options.contains(KdcOptions::RENEW) {
            return self.renewed(old, instant);
        }
        let renew_till = old.renew_till.filter(|_| old.flags.contains(TicketFlags::RENEWABLE));
        if options.contains(KdcOptions::VALIDATE) {
            let start = old.starttime.unwrap_or(old.authtime);
            return Ok(Times { start, end: old.endtime, renew_till, postdated: false });
        }
        self.times(body, instant, Some((old.endtime, renew_till.unwrap_or_default())))
    }

    /// The times of a renewed ticket: the same length, from now (§3.3.3).
    fn renewed(&self, ticket: &EncTicketPart<'_>, instant: Instant<'_>) -> Result<Times, Refusal> {
        let renew_till = ticket
            .renew_till
            .filter(|_| ticket.flags.contains(TicketFlags::RENEWABLE))
            .ok_or_else(|| bad_option("the ticket is not renewable"))?;
        let now = instant.now.seconds;
        if renew_till.0 <= now {
            return Err(Refusal::new(ErrorCode::TKT_EXPIRED, "the ticket can no longer be renewed"));
        }
        let start = ticket.starttime.unwrap_or(ticket.authtime);
        let length = ticket.endtime.0.saturating_sub(start.0).min(self.policy().max_lifetime);
        let end = KerberosTime(now.saturating_add(length).min(renew_till.0));
        let start = KerberosTime(now);
        Ok(Times { start, end, renew_till: Some(renew_till), postdated: false })
    }
}

/// The flags of the new ticket, save that the way was checked; an error if the old ticket does not allow what is
/// asked.
fn granted_flags(options: KdcOptions, old: TicketFlags, times: Times) -> Result<TicketFlags, Refusal> {
    if options.0 & !OFFERED.0 != 0 {
        return Err(bad_option("an option is not offered here"));
    }
    let rules = [
        (KdcOptions::FORWARDABLE, TicketFlags::FORWARDABLE),
        (KdcOptions::FORWARDED, TicketFlags::FORWARDABLE),
        (KdcOptions::PROXIABLE, TicketFlags::PROXIABLE),
        (KdcOptions::PROXY, TicketFlags::PROXIABLE),
        (KdcOptions::ALLOW_POSTDATE, TicketFlags::MAY_POSTDATE),
        (KdcOptions::POSTDATED, TicketFlags::MAY_POSTDATE),
        (KdcOptions::RENEWABLE, TicketFlags::RENEWABLE),
        (KdcOptions::RENEW, TicketFlags::RENEWABLE),
        (KdcOptions::VALIDATE, TicketFlags::INVALID),
    ];
    if rules.iter().any(|(option, needed)| options.contains(*option) && !old.contains(*needed)) {
        return Err(bad_option("the ticket-granting ticket does not allow an option"));
    }
    let wants = |option| options.contains(option);
    // A ticket that comes once more is good for what it was good for.
    let again = options.0 & AGAIN.0 != 0;
    let kept = |flag| old.contains(flag);
    let asked_or_again = |option, flag| wants(option) || again && kept(flag);
    let stays = [TicketFlags::PRE_AUTHENT, TicketFlags::HW_AUTHENT, TicketFlags::FORWARDED]
        .into_iter()
        .fold(TicketFlags::default(), |flags, flag| flags.with(flag, kept(flag)));
    let stays =
        stays.with(TicketFlags::FORWARDED, kept(TicketFlags::FORWARDED) || wants(KdcOptions::FORWARDED));
    Ok(stays
        .with(TicketFlags::FORWARDABLE, asked_or_again(KdcOptions::FORWARDABLE, TicketFlags::FORWARDABLE))
        .with(TicketFlags::PROXIABLE, asked_or_again(KdcOptions::PROXIABLE, TicketFlags::PROXIABLE))
        .with(
            TicketFlags::MAY_POSTDATE,
            asked_or_again(KdcOptions::ALLOW_POSTDATE, TicketFlags::MAY_POSTDATE),
        )
        .with(TicketFlags::PROXY, asked_or_again(KdcOptions::PROXY, TicketFlags::PROXY))
        .with(TicketFlags::POSTDATED, times.postdated || again && kept(TicketFlags::POSTDATED))
        .with(TicketFlags::INVALID, times.postdated)
        .with(TicketFlags::RENEWABLE, times.renew_till.is_some()))
}

/// The authorization data that the client adds, opened (§5.4.1).
fn added_authorization_data(
    body: &KdcReqBody<'_>,
    proved: &Proved<'_>,
) -> Result<Option<SecretBuffer>, Refusal> {
    let Some(sealed) = &body.enc_authorization_data else { return Ok(None) };
    let (key, usage) = match &proved.subkey {
        Some(subkey) => (subkey, KeyUsage::TGS_REQ_AUTHORIZATION_DATA_SUBKEY),
        None => (&proved.session, KeyUsage::TGS_REQ_AUTHORIZATION_DATA_SESSION_KEY),
    };
    if sealed.etype != key.enctype().number() {
        return Err(integrity());
    }
    open_message(key, usage, sealed.cipher).map(Some).map_err(|_| integrity())
}

/// `proof` tells a service whose ticket it gets.
fn reply(
    grant: &Grant<'_>,
    proved: &Proved<'_>,
    proof: Option<&[u8]>,
    instant: Instant<'_>,
) -> Result<Vec<u8>, Refusal> {
    let ticket = grant.ticket(instant);
    let plain = grant.granting_part(instant);
    let (key, usage) = match &proved.subkey {
        Some(subkey) => (subkey, KeyUsage::TGS_REP_ENC_PART_SUBKEY),
        None => (&proved.session, KeyUsage::TGS_REP_ENC_PART_SESSION_KEY),
    };
    let cipher = key.encrypt(usage, instant.random, plain.expose_octets());
    let reply = TgsRep(KdcRep {
        pvno: PVNO,
        msg_type: msg_type::TGS_REP,
        padata: proof.map(|proof| vec![PaData { padata_type: pa_type::S4U_X509_USER, padata_value: proof }]),
        crealm: GeneralString(proved.client.realm()),
        cname: proved.client.to_wire(),
        ticket: raw_ticket(&ticket)?,
        enc_part: EncryptedData { etype: key.enctype().number(), kvno: None, cipher: &cipher },
    });
    Ok(reply.to_der())
}

/// A key that came in a request. A weak one is none unless the realm names its enctype.
fn session_key(key: &EncryptionKey<'_>, realm: &[Enctype]) -> Result<SessionKey, Refusal> {
    Enctype::from_number(key.keytype)
        .filter(|enctype| !enctype.is_weak() || realm.contains(enctype))
        .and_then(|enctype| Key::new(enctype, key.keyvalue.0).ok())
        .map(SessionKey::from)
        .ok_or_else(|| {
            Refusal::new(ErrorCode::ETYPE_NOSUPP, "a key of the request is of no enctype used here")
        })
}

fn integrity() -> Refusal {
    Refusal::new(ErrorCode::BAD_INTEGRITY, "an integrity check failed")
}

pub(crate) fn bad_option(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::BADOPTION, text)
}
