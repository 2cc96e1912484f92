//! Bodies of the fuzz targets for a KDC's answers, kept here so that a plain test can replay their corpora.

use std::sync::Arc;

use orthros_crypto::{Enctype, Key, KeyUsage, LongTermKey, SessionKey};
use orthros_wire::der::{AnyTlv, Decode, Encode, GeneralString, KerberosTime, Raw, Tag};
use orthros_wire::fuzzing::alter;
use orthros_wire::{Clock, Random, Timestamp};

use super::{ExchangePolicy, InitialSecret, Obtained, Progress, impersonated, initial, service};
use crate::env::Env;
use crate::wire::{
    AsRep, AsReq, EncKdcRepPart, EncryptedData, EncryptionKey, KdcRep, LastReq, PVNO, SecretOctets, Ticket,
    TicketFlags, msg_type,
};
use crate::{Credential, Principal, TicketTimes};

const NOW: i64 = 1_700_000_000;
const ENCTYPE: Enctype = Enctype::Aes128CtsHmacSha1;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }
}

impl Random for Still {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(0x5a);
    }
}

/// Arbitrary octets as the answers of an AS exchange: `data` is cut in two, one for each request.
pub fn initial_reply(data: &[u8]) {
    let (first, second) = data.split_at(data.len() / 2);
    for answers in [[data, data], [first, second]] {
        let mut progress = begin();
        for answer in answers {
            progress = match progress {
                Progress::Ask(ask) => ask.reply(answer, Still.now()),
                ended => ended,
            };
        }
    }
}

/// Arbitrary octets as the answer of a TGS exchange: for a service, and for a user whom a service impersonates.
pub fn service_reply(data: &[u8]) {
    let server = principal("host/fuzz");
    let tgt = Credential {
        client: principal("alice"),
        server: Principal::ticket_granting("FUZZ", "FUZZ"),
        key: Arc::new(SessionKey::from(key().into_key())),
        times: TicketTimes { endtime: KerberosTime(NOW + 3_600), ..TicketTimes::default() },
        flags: TicketFlags::default(),
        in_session_key: false,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: ticket().into(),
        second_ticket: Arc::new([]),
    };
    let plain = service(&tgt, server, ExchangePolicy::default(), env());
    let user = principal("bob");
    let impersonated = impersonated(&tgt, Vec::new(), user, ExchangePolicy::default(), env());
    for progress in [plain, impersonated] {
        if let Progress::Ask(ask) = progress {
            let _: Progress<Obtained> = ask.reply(data, Still.now());
        }
    }
}

/// The fuzzer owns the client's key: `data` alters the plain text of a good reply, which is then sealed.
///
/// Returns whether the reply was taken; without alteration it must be.
pub fn sealed_initial_reply(data: &[u8]) -> bool {
    let Progress::Ask(ask) = begin() else { return false };
    let Ok(AsReq(request)) = AsReq::from_der(ask.request()) else { return false };
    let mut plain = good_part(request.req_body.nonce, request.req_body.till);
    alter(&mut plain, data);
    let cipher = key().encrypt(KeyUsage::AS_REP_ENC_PART, &Still, &plain);
    let ticket = ticket();
    let Ok(ticket) = Raw::<Ticket<'_>>::from_der(&ticket) else { return false };
    let client = principal("alice");
    let reply = AsRep(KdcRep {
        pvno: PVNO,
        msg_type: msg_type::AS_REP,
        padata: None,
        crealm: GeneralString("FUZZ"),
        cname: client.to_wire(),
        ticket,
        enc_part: EncryptedData { etype: ENCTYPE.number(), kvno: Some(1), cipher: &cipher },
    });
    matches!(ask.reply(&reply.to_der(), Still.now()), Progress::Done(_))
}

/// The sealed part of a reply that is good in every respect.
fn good_part(nonce: u32, till: KerberosTime) -> Vec<u8> {
    let server = Principal::ticket_granting("FUZZ", "FUZZ");
    let part = EncKdcRepPart {
        key: EncryptionKey { keytype: ENCTYPE.number(), keyvalue: SecretOctets(&[9; 16]) },
        last_req: vec![LastReq { lr_type: 0, lr_value: KerberosTime(NOW) }],
        nonce,
        key_expiration: None,
        flags: TicketFlags::INITIAL,
        authtime: KerberosTime(NOW),
        starttime: Some(KerberosTime(NOW)),
        endtime: till,
        renew_till: None,
        srealm: GeneralString("FUZZ"),
        sname: server.to_wire(),
        caddr: None,
        encrypted_pa_data: None,
    };
    let mut writer = orthros_wire::der::DerWriter::default();
    writer.value(Tag::application(25), |writer| AnyTlv(&part.to_der()).encode(writer));
    writer.finish()
}

fn begin() -> Progress<Obtained> {
    let secret = InitialSecret::Keys(vec![Arc::new(key())]);
    initial(principal("alice"), secret, None, ExchangePolicy::default(), env())
}

fn principal(name: &str) -> Principal {
    Principal::new(crate::principal::NameType::PRINCIPAL, name.split('/'), "FUZZ")
}

fn key() -> LongTermKey {
    Key::random(ENCTYPE, &Still).into()
}

fn ticket() -> Vec<u8> {
    let server = Principal::ticket_granting("FUZZ", "FUZZ");
    let enc_part = EncryptedData { etype: ENCTYPE.number(), kvno: Some(1), cipher: &[0; 64] };
    Ticket { tkt_vno: PVNO, realm: GeneralString("FUZZ"), sname: server.to_wire(), enc_part }.to_der()
}

fn env() -> Env {
    Env::new(Still, Still)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unaltered_reply_is_taken_so_that_the_fuzzer_starts_past_the_seal() {
        assert!(sealed_initial_reply(&[]));
        initial_reply(&[0x6b, 0x02, 0x30, 0x00]);
        service_reply(&[0x7e, 0x80]);
    }

    /// Which octets of the sealed part are free: only values that the client merely reports.
    #[test]
    fn one_altered_octet_under_the_seal_never_panics() {
        let taken = (0..512_u16)
            .flat_map(|place| [1_u8, 0x80, 0xff].map(|more| (place, more)))
            .filter(|(place, more)| {
                let [high, low] = place.to_be_bytes();
                sealed_initial_reply(&[high, low, *more])
            })
            .count();
        assert!(taken > 0, "the session key's octets are free, for one");
    }
}
