//! The ticket-granting service (RFC 4120 §3.3.2, §3.3.3).

use orthros_crypto::{Enctype, Key, KeyUsage, SessionKey};
use orthros_krb5::sealed::open_message;
use orthros_krb5::wire::{
    ApReq, Authenticator, AuthorizationElement, EncTicketPart, EncryptedData, EncryptionKey, GeneralString,
    KdcOptions, KdcRep, KdcReq, KdcReqBody, KerberosTime, PVNO, TgsRep, Ticket, TicketFlags, msg_type,
    pa_type,
};
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::der::{Decode, Encode};
use zeroize::Zeroizing;

use crate::Realm;
use crate::answer::{Instant, Refusal};
use crate::issue::{Grant, Times, raw_ticket};

/// Options that are granted here; any other is refused.
const OFFERED: KdcOptions = KdcOptions(
    KdcOptions::FORWARDABLE.0
        | KdcOptions::FORWARDED.0
        | KdcOptions::PROXIABLE.0
        | KdcOptions::RENEWABLE.0
        | KdcOptions::CANONICALIZE.0
        | KdcOptions::DISABLE_TRANSITED_CHECK.0
        | KdcOptions::RENEWABLE_OK.0
        | KdcOptions::RENEW.0,
);

/// S4U2Self in its two forms (MS-SFU §2.2.1, §2.2.2): asks for a ticket of another client, so it must not be
/// answered as if it stood for nothing.
const IMPERSONATION: [i32; 2] = [129, 130];

/// A ticket-granting ticket, opened, with the client's proof checked.
struct Proved<'a> {
    ticket: EncTicketPart<'a>,
    client: Principal,
    session: SessionKey,
    subkey: Option<SessionKey>,
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
        let ticket_plain = self.open_ticket(&ap_req.ticket)?;
        let ticket = EncTicketPart::from_der(&ticket_plain)?;
        let session = session_key(&ticket.key, &self.policy().enctypes)?;
        let authenticator_plain = self.open_authenticator(&ap_req, &ticket, &session, instant)?;
        let authenticator = Authenticator::from_der(&authenticator_plain)?;
        let proved = self.prove(request, ticket, session, &authenticator, instant)?;
        if elements.iter().any(|element| IMPERSONATION.contains(&element.padata_type)) {
            return Err(Refusal::new(ErrorCode::PADATA_TYPE_NOSUPP, "S4U is not offered here"));
        }
        self.grant(&request.req_body, &proved, instant)
    }

    /// Opens the ticket with the key of the version that it names; only ours is taken.
    fn open_ticket(&self, ticket: &Ticket<'_>) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let own = self.ticket_granting();
        let named = Principal::from_wire(&ticket.sname, ticket.realm.0);
        if named.as_ref() != Ok(&own) {
            return Err(Refusal::new(
                ErrorCode::NOT_US,
                "the ticket is not for this ticket-granting service",
            ));
        }
        let sealed = &ticket.enc_part;
        let entry = self.entry(&own).ok_or_else(|| Refusal::new(ErrorCode::NOKEY, ""))?;
        let version = match sealed.kvno {
            Some(kvno) => entry.versions.iter().find(|version| version.kvno == kvno),
            None => entry.newest(),
        };
        let key = version
            .and_then(|version| version.keys.iter().find(|key| key.enctype.number() == sealed.etype))
            .and_then(|stored| stored.key(&own).ok())
            .ok_or_else(|| Refusal::new(ErrorCode::BADKEYVER, "no key of this version and enctype"))?;
        open_message(&key, KeyUsage::TICKET, sealed.cipher).map_err(|_| integrity())
    }

    /// Checks the ticket's times and opens the authenticator.
    fn open_authenticator(
        &self,
        ap_req: &ApReq<'_>,
        ticket: &EncTicketPart<'_>,
        session: &SessionKey,
        instant: Instant<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        if (ap_req.pvno, ap_req.msg_type) != (PVNO, msg_type::AP_REQ) {
            return Err(Refusal::new(ErrorCode::MSG_TYPE, "the ticket's message is no AP-REQ"));
        }
        let now = instant.now.seconds;
        let start = ticket.starttime.unwrap_or(ticket.authtime).0;
        let begun = start <= now.saturating_add(self.policy().clock_skew);
        if !begun || ticket.flags.contains(TicketFlags::INVALID) {
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
        ticket: EncTicketPart<'a>,
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
        Ok(Proved { ticket, client, session, subkey })
    }

    fn grant(
        &self,
        body: &KdcReqBody<'_>,
        proved: &Proved<'_>,
        instant: Instant<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let server = self.server(body)?;
        let no_name = || Refusal::new(ErrorCode::S_PRINCIPAL_UNKNOWN, "the request names no server");
        let sname = body.sname.as_ref().ok_or_else(no_name)?;
        let flags = granted_flags(body.kdc_options, proved.ticket.flags)?;
        let renews = body.kdc_options.contains(KdcOptions::RENEW);
        if renews && server.principal != self.ticket_granting() {
            return Err(bad_option("only the ticket that is shown can be renewed"));
        }
        let times = if renews {
            self.renewed(&proved.ticket, instant)?
        } else {
            let renew_limit = proved.ticket.renew_till.unwrap_or_default();
            self.times(body, instant, Some((proved.ticket.endtime, renew_limit)))?
        };
        let session = self.session_key(body, &server, instant)?;
        let added = added_authorization_data(body, proved)?;
        let mut authorization_data = proved.ticket.authorization_data.clone().unwrap_or_default();
        if let Some(added) = &added {
            authorization_data.extend(Vec::<AuthorizationElement<'_>>::from_der(added)?);
        }
        let grant = Grant {
            client: &proved.client,
            server: &server,
            sname,
            session,
            flags: flags.with(TicketFlags::RENEWABLE, times.renew_till.is_some()),
            authtime: proved.ticket.authtime,
            times,
            nonce: body.nonce,
            authorization_data: Some(authorization_data).filter(|elements| !elements.is_empty()),
        };
        reply(&grant, proved, instant)
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
        Ok(Times { start: KerberosTime(now), end, renew_till: Some(renew_till) })
    }
}

/// The flags of the new ticket, save RENEWABLE; an error if the old one does not allow what is asked.
fn granted_flags(options: KdcOptions, old: TicketFlags) -> Result<TicketFlags, Refusal> {
    if options.0 & !OFFERED.0 != 0 {
        return Err(bad_option("an option is not offered here"));
    }
    let rules = [
        (KdcOptions::FORWARDABLE, TicketFlags::FORWARDABLE),
        (KdcOptions::FORWARDED, TicketFlags::FORWARDABLE),
        (KdcOptions::PROXIABLE, TicketFlags::PROXIABLE),
        (KdcOptions::RENEWABLE, TicketFlags::RENEWABLE),
        (KdcOptions::RENEW, TicketFlags::RENEWABLE),
    ];
    if rules.iter().any(|(option, needed)| options.contains(*option) && !old.contains(*needed)) {
        return Err(bad_option("the ticket-granting ticket does not allow an option"));
    }
    let wants = |option| options.contains(option);
    let renews = wants(KdcOptions::RENEW);
    let kept = |flag| old.contains(flag);
    Ok(TicketFlags::TRANSITED_POLICY_CHECKED
        .with(TicketFlags::PRE_AUTHENT, kept(TicketFlags::PRE_AUTHENT))
        .with(TicketFlags::HW_AUTHENT, kept(TicketFlags::HW_AUTHENT))
        .with(TicketFlags::FORWARDED, kept(TicketFlags::FORWARDED) || wants(KdcOptions::FORWARDED))
        .with(
            TicketFlags::FORWARDABLE,
            wants(KdcOptions::FORWARDABLE) || renews && kept(TicketFlags::FORWARDABLE),
        )
        .with(TicketFlags::PROXIABLE, wants(KdcOptions::PROXIABLE) || renews && kept(TicketFlags::PROXIABLE)))
}

/// The authorization data that the client adds, opened (§5.4.1).
fn added_authorization_data(
    body: &KdcReqBody<'_>,
    proved: &Proved<'_>,
) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
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

fn reply(grant: &Grant<'_>, proved: &Proved<'_>, instant: Instant<'_>) -> Result<Vec<u8>, Refusal> {
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
        padata: None,
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

fn bad_option(text: &'static str) -> Refusal {
    Refusal::new(ErrorCode::BADOPTION, text)
}
