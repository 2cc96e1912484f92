//! What a KDC must see proved: a client's time, and for whom a service asks (RFC 4120 §5.2.7.2, MS-SFU §2.2).

use orthros_crypto::{ChecksumType, Enctype, Key, KeyUsage};
use orthros_krb5::Principal;
use orthros_krb5::wire::{
    AsReq, Checksum, EncTicketPart, EncryptedData, GeneralString, KdcOptions, KdcRep, KdcReq, KdcReqBody,
    PVNO, PaData, PaEncTsEnc, PaForUser, PaS4uX509User, Raw, S4uUserId, TgsRep, Ticket, TicketFlags,
    application_number, msg_type, pa_type,
};
use orthros_wire::Timestamp;
use orthros_wire::der::{Decode, Encode, KerberosTime};
use orthros_wire::fuzzing::plain;

use super::{NOW, Still, authenticator_of, body, name, realm, sealed_ticket, tgs_req, ticket_part};

/// The nonce of the requests here.
const NONCE: u32 = 7;

fn session() -> Key {
    Key::random(Enctype::Aes128CtsHmacSha1, &Still)
}

fn answer(request: &[u8]) -> Option<Vec<u8>> {
    realm()?.answer(request, Timestamp::from_seconds(NOW), &Still)
}

/// An AS-REQ whose timestamp's plain text is the fuzzer's, sealed in the client's key.
///
/// Returns whether a ticket was issued.
pub fn sealed_timestamp(data: &[u8]) -> bool {
    let good = PaEncTsEnc { patimestamp: KerberosTime(NOW), pausec: Some(0) }.to_der();
    let stamp = plain(data, &good);
    let Some(request) = initial_request(&stamp) else { return false };
    if answer(&request).as_deref().and_then(application_number) != Some(msg_type::AS_REP) {
        return false;
    }
    let read = PaEncTsEnc::from_der(&stamp);
    let near = read.is_ok_and(|read| read.patimestamp.0.abs_diff(NOW) <= 300);
    assert!(near, "a ticket for a time that is not now");
    true
}

fn initial_request(stamp: &[u8]) -> Option<Vec<u8>> {
    let alice = name("alice");
    let keys = realm()?.keytab_for(&alice);
    let key = keys.iter().find(|key| key.key.enctype() == Enctype::Aes128CtsHmacSha1)?;
    let cipher = key.key.encrypt(KeyUsage::AS_REQ_PA_ENC_TIMESTAMP, &Still, stamp);
    let sealed = EncryptedData { etype: 17, kvno: None, cipher: &cipher }.to_der();
    let own = Principal::ticket_granting("TEST", "TEST");
    let octets = body(&own);
    let body = KdcReqBody::from_der(&octets).ok()?;
    let body = KdcReqBody { cname: Some(alice.to_wire()), ..body }.to_der();
    let padata = Some(vec![PaData { padata_type: pa_type::ENC_TIMESTAMP, padata_value: &sealed }]);
    let req_body = Raw::from_der(&body).ok()?;
    Some(AsReq(KdcReq { pvno: PVNO, msg_type: msg_type::AS_REQ, padata, req_body }).to_der())
}

/// The service alice asks by S4U2Self: the octets that the checksum of PA-S4U-X509-USER covers are the fuzzer's.
///
/// Returns whether a ticket was granted.
pub fn sealed_user_id(data: &[u8]) -> bool {
    let bob = name("bob");
    let good = S4uUserId {
        nonce: NONCE,
        cname: Some(bob.to_wire()),
        crealm: GeneralString("TEST"),
        subject_certificate: None,
        options: None,
    };
    let octets = plain(data, &good.to_der());
    let Ok(user_id) = Raw::<S4uUserId<'_>>::from_der(&octets) else { return false };
    let (nonce, named) = (user_id.nonce, user_id.cname.clone().map(|name| (name, user_id.crealm.0)));
    let checksum = session().checksum(KeyUsage::S4U_X509_USER_REQUEST, &[&octets]);
    let checksum = Checksum { cksumtype: session().enctype().checksum_type().0, checksum: &checksum };
    let element = PaS4uX509User { user_id, checksum }.to_der();
    let Some(client) = granted_to_self(pa_type::S4U_X509_USER, &element) else { return false };
    assert_eq!(nonce, NONCE, "the user of another request");
    let named = named.and_then(|(name, realm)| Principal::from_wire(&name, realm).ok());
    assert_eq!(named, Some(client), "a ticket of another user than was named");
    true
}

/// As [`sealed_user_id`], by PA-FOR-USER: the element is the fuzzer's, but for its checksum.
///
/// Returns whether a ticket was granted.
pub fn sealed_for_user(data: &[u8]) -> bool {
    let (bob, none) = (name("bob"), Checksum { cksumtype: ChecksumType::HMAC_MD5.0, checksum: &[] });
    let good = PaForUser {
        user_name: bob.to_wire(),
        user_realm: GeneralString("TEST"),
        cksum: none,
        auth_package: GeneralString("Kerberos"),
    };
    let octets = plain(data, &good.to_der());
    let Ok(mut element) = PaForUser::from_der(&octets) else { return false };
    let texts = element.user_name.components.iter().map(|component| component.0);
    let texts = texts.chain([element.user_realm.0, element.auth_package.0]);
    let kind = element.user_name.name_type.to_le_bytes();
    let covered = texts.fold(kind.to_vec(), |covered, text| [&covered, text.as_bytes()].concat());
    let checksum = session().hmac_md5_checksum(KeyUsage::APPLICATION_CHECKSUM, &[&covered]);
    element.cksum.checksum = &checksum;
    let Some(client) = granted_to_self(pa_type::FOR_USER, &element.to_der()) else { return false };
    let named = Principal::from_wire(&element.user_name, element.user_realm.0);
    assert_eq!(named.ok(), Some(client), "a ticket of another user than was named");
    true
}

/// Whose ticket alice gets to herself by this element.
fn granted_to_self(padata_type: i32, padata_value: &[u8]) -> Option<Principal> {
    granted(&body(&name("alice")), Some(PaData { padata_type, padata_value }))
}

/// Whose ticket the service alice gets by this body.
fn granted(body: &[u8], more: Option<PaData<'_>>) -> Option<Principal> {
    let (alice, own, session) = (name("alice"), Principal::ticket_granting("TEST", "TEST"), session());
    let sealing = realm()?.keytab_for(&own).into_iter().next()?;
    let ticket = sealed_ticket(&sealing.key, sealing.kvno, &own, &ticket_part(&session, &alice));
    let authenticator = authenticator_of(&session, &alice, body);
    let answer = answer(&tgs_req(&session, &ticket, &authenticator, body, more).ok()?)?;
    let TgsRep(KdcRep { cname, crealm, .. }) = TgsRep::from_der(&answer).ok()?;
    Principal::from_wire(&cname, crealm.0).ok()
}

/// The service alice asks by S4U2Proxy: the plain text of the evidence is the fuzzer's, sealed in the service's key.
///
/// Returns whether a ticket was granted.
pub fn sealed_evidence(data: &[u8]) -> bool {
    let plain = plain(data, &ticket_part(&session(), &name("bob")));
    let Some(client) = granted_by(&plain) else { return false };
    let part = EncTicketPart::from_der(&plain);
    assert!(part.is_ok(), "evidence that can't be read");
    let Ok(part) = part else { return true };
    let (forwardable, invalid) = (TicketFlags::FORWARDABLE, TicketFlags::INVALID);
    assert!(part.flags.contains(forwardable) && !part.flags.contains(invalid), "evidence that is none");
    assert!(part.endtime.0 > NOW, "evidence that has ended");
    assert_eq!(Principal::from_wire(&part.cname, part.crealm.0).ok(), Some(client), "another's ticket");
    true
}

fn granted_by(evidence: &[u8]) -> Option<Principal> {
    let alice = name("alice");
    let key = realm()?.keytab_for(&alice).into_iter().next()?;
    let ticket = sealed_ticket(&key.key, key.kvno, &alice, evidence);
    let octets = body(&name("host/x.test"));
    let good = KdcReqBody::from_der(&octets).ok()?;
    let body = KdcReqBody {
        kdc_options: good.kdc_options | KdcOptions::CNAME_IN_ADDL_TKT,
        additional_tickets: Some(vec![Raw::<Ticket<'_>>::from_der(&ticket).ok()?]),
        ..good
    };
    granted(&body.to_der(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_proofs_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        assert!(sealed_timestamp(&[]) && sealed_user_id(&[]));
        assert!(sealed_for_user(&[]) && sealed_evidence(&[]));
    }

    #[test]
    fn other_proofs_are_refused() {
        let late = PaEncTsEnc { patimestamp: KerberosTime(NOW + 301), pausec: None }.to_der();
        assert!(!sealed_timestamp(&[&[0][..], &late].concat()));
        for target in [sealed_timestamp, sealed_user_id, sealed_for_user, sealed_evidence] {
            assert!(!target(&[1, 0x40, 0, 9]) && !target(&[0]));
        }
        // bob becomes coc, whom nobody knows.
        assert!(!sealed_user_id(&[1, 0xc0, 0, 0]));
    }
}
