//! Bodies of the fuzz targets in which a KDC takes part, kept here so that a plain test can replay their corpora.
//!
//! | file | what it attacks |
//! |---|---|
//! | here | the KDC, by requests with and without the keys |
//! | `proofs` | the KDC, by what clients and services prove: timestamps, users, evidence |
//! | `replies` | a client, by replies of this KDC under whose seal something changed |

mod proofs;
mod replies;

pub use proofs::{sealed_evidence, sealed_for_user, sealed_timestamp, sealed_user_id};
pub use replies::{sealed_granted_reply, sealed_impersonated_reply};

use std::sync::OnceLock;

use orthros_crypto::{Enctype, Key, KeyUsage, LongTermKey};
use orthros_krb5::Principal;
use orthros_krb5::wire::{
    ApOptions, ApReq, Authenticator, Checksum, EncTicketPart, EncryptedData, EncryptionKey, GeneralString,
    KdcOptions, KdcReq, KdcReqBody, PVNO, PaData, PrincipalName, Raw, SecretOctets, TgsReq, Ticket,
    TicketFlags, TransitedEncoding, application_number, msg_type, pa_type,
};
use orthros_wire::der::{Decode, DerError, Encode, KerberosTime};
use orthros_wire::fuzzing::alter;
use orthros_wire::{Random, Timestamp};

use crate::{Impersonation, Realm};

const NOW: i64 = 1_700_000_000;
const ENCTYPES: [Enctype; 2] = [Enctype::Aes128CtsHmacSha1, Enctype::Aes256CtsHmacSha1];

struct Still;

impl Random for Still {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(0x5a);
    }
}

fn realm() -> Option<&'static Realm> {
    static REALM: OnceLock<Option<Realm>> = OnceLock::new();
    let make = || {
        let builder =
            Realm::builder("TEST").enctypes(&ENCTYPES).principal("alice", "pw").principal("bob", "pw");
        let builder = builder.service("host/x.test");
        let builder =
            builder.impersonates("alice", Impersonation::Forwardable).delegates_to("alice", "host/x.test");
        builder.build(&Still).ok()
    };
    REALM.get_or_init(make).as_ref()
}

/// Arbitrary octets as a request: whatever comes back is a reply, never a request.
pub fn request(data: &[u8]) {
    answered(data);
}

/// The type of the message that answers `request`.
fn answered(request: &[u8]) -> Option<i32> {
    let answer = realm()?.answer_datagram(request, Timestamp::from_seconds(NOW), &Still);
    let kind = answer.as_deref().and_then(application_number);
    assert!(
        matches!(kind, None | Some(msg_type::AS_REP | msg_type::TGS_REP | msg_type::KRB_ERROR)),
        "a KDC answers with replies only"
    );
    kind
}

/// The fuzzer owns every key: `data` alters one part of a good TGS-REQ, which is then sealed and signed. The
/// first octet says which part (the ticket, the authenticator, the body).
///
/// Returns whether a ticket was granted; without alteration one must be.
pub fn sealed_request(data: &[u8]) -> bool {
    let (part, changes) = data.split_first().unwrap_or((&0, &[]));
    altered_request(part % 3, changes).and_then(|request| answered(&request)) == Some(msg_type::TGS_REP)
}

fn altered_request(part: u8, changes: &[u8]) -> Option<Vec<u8>> {
    let own = Principal::ticket_granting("TEST", "TEST");
    let ticket_key = realm()?.keytab_for(&own).into_iter().next()?;
    let session = Key::random(Enctype::Aes128CtsHmacSha1, &Still);
    let (alice, host) = (name("alice"), name("host/x.test"));
    let mut parts = [ticket_part(&session, &alice), Vec::new(), body(&host)];
    let [ticket, authenticator, body] = &mut parts;
    if part == 2 {
        alter(body, changes);
    }
    *authenticator = authenticator_of(&session, &alice, body);
    match part {
        0 => alter(ticket, changes),
        1 => alter(authenticator, changes),
        _ => {}
    }
    let ticket = sealed_ticket(&ticket_key.key, ticket_key.kvno, &own, ticket);
    tgs_req(&session, &ticket, authenticator, body, None).ok()
}

fn ticket_part(session: &Key, client: &Principal) -> Vec<u8> {
    let part = EncTicketPart {
        flags: TicketFlags::INITIAL
            | TicketFlags::FORWARDABLE
            | TicketFlags::PROXIABLE
            | TicketFlags::RENEWABLE,
        key: key(session),
        crealm: GeneralString("TEST"),
        cname: client.to_wire(),
        transited: TransitedEncoding { tr_type: 0, contents: &[] },
        authtime: KerberosTime(NOW),
        starttime: None,
        endtime: KerberosTime(NOW + 3_600),
        renew_till: Some(KerberosTime(NOW + 86_400)),
        caddr: None,
        authorization_data: None,
    };
    part.to_der()
}

fn body(server: &Principal) -> Vec<u8> {
    let body = KdcReqBody {
        kdc_options: KdcOptions::FORWARDABLE | KdcOptions::RENEWABLE,
        cname: None,
        realm: GeneralString("TEST"),
        sname: Some(server.to_wire()),
        from: None,
        till: KerberosTime(0),
        rtime: Some(KerberosTime(NOW + 7_200)),
        nonce: 7,
        etype: vec![17, 18],
        addresses: None,
        enc_authorization_data: None,
        additional_tickets: None,
    };
    body.to_der()
}

fn authenticator_of(session: &Key, client: &Principal, body: &[u8]) -> Vec<u8> {
    let checksum = session.checksum(KeyUsage::TGS_REQ_AUTHENTICATOR_CHECKSUM, &[body]);
    let authenticator = Authenticator {
        authenticator_vno: PVNO,
        crealm: GeneralString("TEST"),
        cname: client.to_wire(),
        cksum: Some(Checksum { cksumtype: session.enctype().checksum_type().0, checksum: &checksum }),
        cusec: 0,
        ctime: KerberosTime(NOW),
        subkey: Some(key(session)),
        seq_number: None,
        authorization_data: None,
    };
    authenticator.to_der()
}

fn sealed_ticket(key: &LongTermKey, kvno: u32, own: &Principal, plain: &[u8]) -> Vec<u8> {
    let cipher = key.encrypt(KeyUsage::TICKET, &Still, plain);
    let sname: PrincipalName<'_> = own.to_wire();
    let enc_part = EncryptedData { etype: key.enctype().number(), kvno: Some(kvno), cipher: &cipher };
    Ticket { tkt_vno: PVNO, realm: GeneralString("TEST"), sname, enc_part }.to_der()
}

/// A TGS-REQ, with an element more if there is one.
fn tgs_req(
    session: &Key,
    ticket: &[u8],
    authenticator: &[u8],
    body: &[u8],
    more: Option<PaData<'_>>,
) -> Result<Vec<u8>, DerError> {
    let cipher = session.encrypt(KeyUsage::TGS_REQ_AUTHENTICATOR, &Still, authenticator);
    let ap_req = ApReq {
        pvno: PVNO,
        msg_type: msg_type::AP_REQ,
        ap_options: ApOptions::default(),
        ticket: Raw::from_der(ticket)?,
        authenticator: EncryptedData { etype: session.enctype().number(), kvno: None, cipher: &cipher },
    }
    .to_der();
    let own = PaData { padata_type: pa_type::TGS_REQ, padata_value: &ap_req };
    let padata = Some([own].into_iter().chain(more).collect());
    let req_body = Raw::from_der(body)?;
    Ok(TgsReq(KdcReq { pvno: PVNO, msg_type: msg_type::TGS_REQ, padata, req_body }).to_der())
}

fn key(key: &Key) -> EncryptionKey<'_> {
    EncryptionKey { keytype: key.enctype().number(), keyvalue: SecretOctets(key.expose_octets()) }
}

fn name(text: &str) -> Principal {
    Principal::new(orthros_krb5::principal::NameType::PRINCIPAL, text.split('/'), "TEST")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unaltered_request_is_granted_so_that_the_fuzzer_starts_past_the_seal() {
        for part in 0..3 {
            assert!(sealed_request(&[part]));
        }
        request(b"GET / HTTP/1.1");
    }

    #[test]
    fn one_altered_octet_under_the_seal_never_panics() {
        let granted = (0..3_u8)
            .flat_map(|part| (0..300_u16).map(move |place| (part, place)))
            .flat_map(|place| [1_u8, 0x80, 0xff].map(|more| (place, more)))
            .filter(|((part, place), more)| {
                let [high, low] = place.to_be_bytes();
                sealed_request(&[*part, high, low, *more])
            })
            .count();
        assert!(granted > 0, "the nonce's octets are free, for one");
    }
}
