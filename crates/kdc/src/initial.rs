//! The authentication service (RFC 4120 §3.1.2, §3.1.3).

use std::sync::Arc;

use orthros_crypto::{Enctype, KeyUsage, LongTermKey};
use orthros_krb5::principal::NameType;
use orthros_krb5::sealed::open_message;
use orthros_krb5::wire::{
    AsRep, Checksum, EncryptedData, EtypeInfo2Entry, GeneralString, KdcOptions, KdcRep, KdcReq, KdcReqBody,
    PVNO, PaData, PaEncTimestamp, PaEncTsEnc, TicketFlags, msg_type, pa_type,
};
use orthros_krb5::{ErrorCode, Principal};
use orthros_wire::der::{Decode, Encode};

use crate::Realm;
use crate::answer::{Instant, Refusal};
use crate::issue::{Grant, raw_ticket};
use crate::realm::Entry;

/// Options that only a ticket can ask for, or that are not offered here.
const NOT_INITIAL: KdcOptions = KdcOptions(
    KdcOptions::FORWARDED.0
        | KdcOptions::PROXY.0
        | KdcOptions::REQUEST_ANONYMOUS.0
        | KdcOptions::ENC_TKT_IN_SKEY.0
        | KdcOptions::RENEW.0
        | KdcOptions::VALIDATE.0,
);

/// The client, and the key that the reply is sealed in.
struct Client {
    principal: Principal,
    entry: Arc<Entry>,
    kvno: u32,
    /// Enctypes that the client asked for and has a key of, in its order; at least one.
    enctypes: Vec<Enctype>,
    key: Arc<LongTermKey>,
}

impl Realm {
    /// Answers an AS-REQ.
    pub(crate) fn initial(
        &self,
        request: &KdcReq<'_>,
        octets: &[u8],
        instant: Instant<'_>,
    ) -> Result<Vec<u8>, Refusal> {
        let body = &*request.req_body;
        if body.realm.0 != self.name() {
            return Err(Refusal::new(ErrorCode::WRONG_REALM, "this KDC serves another realm"));
        }
        let client = self.client(body)?;
        let server = self.server(body)?;
        if body.kdc_options.0 & NOT_INITIAL.0 != 0 {
            return Err(Refusal::new(ErrorCode::BADOPTION, "an option is not for initial tickets"));
        }
        let proved = self.proof(request, &client, instant)?;
        let session = self.session_key(body, &server, instant)?;
        let times = self.times(body, instant, None)?;
        let policy = self.policy();
        let wants = |option| body.kdc_options.contains(option);
        if times.postdated && !policy.postdate {
            return Err(Refusal::new(ErrorCode::CANNOT_POSTDATE, "tickets are not postdated here"));
        }
        let request_checksum = request_checksum(request, octets, &client);
        let reply_padata = request_checksum
            .as_deref()
            .map(|value| vec![PaData { padata_type: pa_type::REQ_ENC_PA_REP, padata_value: value }]);
        let flags = TicketFlags::INITIAL
            .with(TicketFlags::PRE_AUTHENT, proved)
            .with(TicketFlags::FORWARDABLE, policy.forwardable && wants(KdcOptions::FORWARDABLE))
            .with(TicketFlags::PROXIABLE, policy.forwardable && wants(KdcOptions::PROXIABLE))
            .with(TicketFlags::MAY_POSTDATE, policy.postdate && wants(KdcOptions::ALLOW_POSTDATE))
            .with(TicketFlags::POSTDATED, times.postdated)
            .with(TicketFlags::INVALID, times.postdated)
            .with(TicketFlags::ENC_PA_REP, reply_padata.is_some())
            .with(TicketFlags::RENEWABLE, times.renew_till.is_some());
        let grant = Grant {
            client: &client.principal,
            server: &server,
            session,
            flags,
            authtime: instant.now.into(),
            times,
            transited: "",
            addresses: body.addresses.clone(),
            reply_padata,
            nonce: body.nonce,
            authorization_data: None,
        };
        reply(&grant, &client, instant)
    }

    fn client(&self, body: &KdcReqBody<'_>) -> Result<Client, Refusal> {
        let name = body.cname.as_ref().ok_or_else(unknown_client)?;
        let asked = Principal::from_wire(name, body.realm.0).map_err(|_| unknown_client())?;
        let principal = self.canonical_client(body, asked)?;
        let entry = self.entry(&principal).ok_or_else(unknown_client)?;
        let version = entry.newest().ok_or_else(unknown_client)?;
        let mut enctypes: Vec<Enctype> = Vec::new();
        for enctype in body.etype.iter().filter_map(|number| Enctype::from_number(*number)) {
            if version.keys.iter().any(|key| key.enctype == enctype) && !enctypes.contains(&enctype) {
                enctypes.push(enctype);
            }
        }
        let key = enctypes.first().and_then(|first| version.keys.iter().find(|key| key.enctype == *first));
        let key = key.and_then(|stored| stored.key(&principal).ok()).ok_or_else(|| {
            Refusal::new(ErrorCode::ETYPE_NOSUPP, "the client has no key of these enctypes")
        })?;
        Ok(Client { kvno: version.kvno, enctypes, key, entry: Arc::clone(&entry), principal })
    }

    /// The client that a name stands for, if the request allows another (RFC 6806 §6); an error if that one
    /// belongs to another realm.
    fn canonical_client(&self, body: &KdcReqBody<'_>, asked: Principal) -> Result<Principal, Refusal> {
        let canonicalize =
            body.kdc_options.contains(KdcOptions::CANONICALIZE) || asked.name_type() == NameType::ENTERPRISE;
        match self.neighbours().aliases.get(&asked) {
            Some(real) if canonicalize && real.realm() == self.name() => Ok(real.clone()),
            Some(real) if canonicalize => Err(Refusal {
                client_realm: Some(real.realm().to_owned()),
                ..Refusal::new(ErrorCode::WRONG_REALM, "the client belongs to another realm")
            }),
            _ => Ok(asked),
        }
    }

    /// Whether the client proved that it knows its key; an error if it must and did not (§5.2.7.2).
    fn proof(&self, request: &KdcReq<'_>, client: &Client, instant: Instant<'_>) -> Result<bool, Refusal> {
        let elements = request.padata.as_deref().unwrap_or_default();
        let stamp = elements.iter().find(|element| element.padata_type == pa_type::ENC_TIMESTAMP);
        let Some(stamp) = stamp else {
            if !self.policy().requires_preauth {
                return Ok(false);
            }
            let text = "an encrypted timestamp is required";
            let data = Some(methods(client));
            return Err(Refusal { data, ..Refusal::new(ErrorCode::PREAUTH_REQUIRED, text) });
        };
        let failed = || Refusal {
            data: Some(methods(client)),
            ..Refusal::new(ErrorCode::PREAUTH_FAILED, "the timestamp is not encrypted in the client's key")
        };
        let sealed = PaEncTimestamp::from_der(stamp.padata_value)?;
        let key = client
            .enctypes
            .iter()
            .find(|enctype| enctype.number() == sealed.etype)
            .and_then(|enctype| client.entry.newest()?.keys.iter().find(|key| key.enctype == *enctype))
            .and_then(|stored| stored.key(&client.principal).ok())
            .ok_or_else(|| Refusal::new(ErrorCode::ETYPE_NOSUPP, "the client has no key of this enctype"))?;
        let plain =
            open_message(&key, KeyUsage::AS_REQ_PA_ENC_TIMESTAMP, sealed.cipher).map_err(|_| failed())?;
        let stamp = PaEncTsEnc::from_der(&plain).map_err(|_| failed())?;
        self.near(stamp.patimestamp.0, instant)?;
        Ok(true)
    }

    /// Demands that a client's time is near ours.
    pub(crate) fn near(&self, seconds: i64, instant: Instant<'_>) -> Result<(), Refusal> {
        if seconds.saturating_sub(instant.now.seconds).saturating_abs() > self.policy().clock_skew {
            return Err(Refusal::new(ErrorCode::SKEW, "the clocks differ too much"));
        }
        Ok(())
    }
}

fn unknown_client() -> Refusal {
    Refusal::new(ErrorCode::C_PRINCIPAL_UNKNOWN, "the client is not in the database")
}

/// METHOD-DATA: how the client can prove itself, and how its keys are made.
fn methods(client: &Client) -> Vec<u8> {
    let info = key_info(client, &client.enctypes);
    let element = |padata_type, padata_value| PaData { padata_type, padata_value };
    vec![element(pa_type::ETYPE_INFO2, info.as_slice()), element(pa_type::ENC_TIMESTAMP, &[])].to_der()
}

/// ETYPE-INFO2 (§5.2.7.5). The parameters of string-to-key are the defaults and so left out.
fn key_info(client: &Client, enctypes: &[Enctype]) -> Vec<u8> {
    let salt = client.principal.default_salt();
    let salt = std::str::from_utf8(&salt).ok().map(GeneralString);
    let entry = |enctype: &Enctype| EtypeInfo2Entry { etype: enctype.number(), salt, s2kparams: None };
    enctypes.iter().map(entry).collect::<Vec<_>>().to_der()
}

/// The proof of which request arrived, if the client asks for it (RFC 6806 §11).
fn request_checksum(request: &KdcReq<'_>, octets: &[u8], client: &Client) -> Option<Vec<u8>> {
    let mut elements = request.padata.iter().flatten();
    elements.find(|element| element.padata_type == pa_type::REQ_ENC_PA_REP)?;
    let checksum = client.key.checksum(KeyUsage::AS_REQ, &[octets]);
    let cksumtype = client.key.enctype().checksum_type().0;
    Some(Checksum { cksumtype, checksum: &checksum }.to_der())
}

fn reply(grant: &Grant<'_>, client: &Client, instant: Instant<'_>) -> Result<Vec<u8>, Refusal> {
    let ticket = grant.ticket(instant);
    let plain = grant.initial_part(instant);
    let cipher = client.key.encrypt(KeyUsage::AS_REP_ENC_PART, instant.random, plain.expose_octets());
    let info = key_info(client, &[client.key.enctype()]);
    let reply = AsRep(KdcRep {
        pvno: PVNO,
        msg_type: msg_type::AS_REP,
        padata: Some(vec![PaData { padata_type: pa_type::ETYPE_INFO2, padata_value: &info }]),
        crealm: GeneralString(client.principal.realm()),
        cname: client.principal.to_wire(),
        ticket: raw_ticket(&ticket)?,
        enc_part: EncryptedData {
            etype: client.key.enctype().number(),
            kvno: Some(client.kvno),
            cipher: &cipher,
        },
    });
    Ok(reply.to_der())
}
