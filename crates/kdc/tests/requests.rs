//! What a hostile client sends to the KDC (the list of CVEs in KDCs: absent fields, answers as requests,
//! options that must not be granted).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{NOW, SeededRandom, World, principal};
use orthros_crypto::{Enctype, Key, KeyUsage, SessionKey};
use orthros_krb5::exchange::{ExchangePolicy, Progress, service};
use orthros_krb5::wire::{
    ApOptions, ApReq, AsReq, Authenticator, AuthorizationElement, Checksum, Decode, EncTgsRepPart,
    EncTicketPart, Encode, EncryptedData, EncryptionKey, GeneralString, KdcOptions, KdcReq, KdcReqBody,
    KrbError, PaData, Raw, SecretOctets, TgsRep, TgsReq, TicketFlags, pa_type,
};
use orthros_krb5::{Credential, ErrorCode};
use orthros_wire::Timestamp;
use orthros_wire::der::KerberosTime;

const FAST: &[Enctype] = &[Enctype::Aes128CtsHmacSha1];

fn now() -> Timestamp {
    Timestamp::from_seconds(NOW)
}

/// The number of the error that comes back.
fn code(world: &World, request: &[u8]) -> Option<ErrorCode> {
    let answer = world.realm.answer(request, now(), &world.kdc_random).unwrap();
    KrbError::from_der(&answer).ok().map(|error| ErrorCode(error.error_code))
}

/// A first request, after `change`.
fn as_req(world: &World, change: impl FnOnce(&mut KdcReqBody<'_>)) -> Vec<u8> {
    let Progress::Ask(ask) = world.start("alice", "open sesame", ExchangePolicy::default()) else { panic!() };
    let AsReq(request) = AsReq::from_der(ask.request()).unwrap();
    let mut body = request.req_body.clone().into_value();
    change(&mut body);
    let body = body.to_der();
    AsReq(KdcReq { req_body: Raw::from_der(&body).unwrap(), ..request }).to_der()
}

#[test]
fn absent_and_strange_fields_of_an_initial_request_are_refused_in_order() {
    let world = World::new(FAST);
    type Change = fn(&mut KdcReqBody<'_>);
    let cases: [(Change, ErrorCode); 12] = [
        (|_| {}, ErrorCode::PREAUTH_REQUIRED),
        (|body| body.cname = None, ErrorCode::C_PRINCIPAL_UNKNOWN),
        (|body| body.sname = None, ErrorCode::S_PRINCIPAL_UNKNOWN),
        (|body| body.cname.as_mut().unwrap().components.clear(), ErrorCode::C_PRINCIPAL_UNKNOWN),
        (|body| body.sname.as_mut().unwrap().components.clear(), ErrorCode::S_PRINCIPAL_UNKNOWN),
        (|body| body.realm = GeneralString("EVIL"), ErrorCode::WRONG_REALM),
        (|body| body.etype.clear(), ErrorCode::ETYPE_NOSUPP),
        (|body| body.etype = vec![23, 1, -1], ErrorCode::ETYPE_NOSUPP),
        (|body| body.kdc_options = KdcOptions::REQUEST_ANONYMOUS, ErrorCode::BADOPTION),
        (|body| body.kdc_options = KdcOptions::PROXY, ErrorCode::BADOPTION),
        (|body| body.kdc_options = KdcOptions::ENC_TKT_IN_SKEY, ErrorCode::BADOPTION),
        (|body| body.kdc_options = KdcOptions::VALIDATE, ErrorCode::BADOPTION),
    ];
    for (number, (change, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(code(&world, &as_req(&world, change)), Some(wanted), "case {number}");
    }
}

#[test]
fn times_beyond_reason_are_refused_or_clamped() {
    use orthros_kdc::{Realm, RealmPolicy};
    let policy = RealmPolicy { requires_preauth: false, enctypes: FAST.to_vec(), ..RealmPolicy::default() };
    let realm = Realm::builder("TEST").policy(policy).principal("alice", "open sesame");
    let world = World::with_realm(realm.build(&SeededRandom::new(1)).unwrap());
    let till = |till| as_req(&world, |body| body.till = KerberosTime(till));
    assert_eq!(code(&world, &till(NOW - 1)), Some(ErrorCode::NEVER_VALID));
    assert_eq!(code(&world, &till(0)), None);
    assert_eq!(code(&world, &till(253_402_300_799)), None);
    let from = |from| as_req(&world, |body| body.from = Some(KerberosTime(from)));
    assert_eq!(code(&world, &from(NOW + 301)), Some(ErrorCode::CANNOT_POSTDATE));
    assert_eq!(code(&world, &from(NOW + 299)), None);
}

#[test]
fn what_is_no_request_is_not_answered() {
    let mut world = World::new(FAST);
    world.tgt(ExchangePolicy::default());
    let [_, error, _, reply] = [0, 1, 2, 3].map(|index| world.transcript[index].clone());
    for silent in [error, reply, Vec::new(), b"GET / HTTP/1.1".to_vec(), vec![0x6a; 70_000]] {
        assert_eq!(world.realm.answer(&silent, now(), &world.kdc_random), None);
    }
    assert_eq!(code(&world, &[0x6a, 0x02, 0x30, 0x00]), Some(ErrorCode::GENERIC));
    assert_eq!(code(&world, &[0x6c, 0x80]), Some(ErrorCode::GENERIC));
}

#[test]
fn every_cut_and_every_changed_octet_of_a_request_gets_one_answer() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(ExchangePolicy::default());
    let progress = service(&tgt, principal("host/x.test"), ExchangePolicy::default(), world.env.clone());
    world.drive(progress).unwrap();
    for index in [0, 2, 4] {
        let good = world.transcript[index].clone();
        for place in 0..good.len() {
            orthros_kdc::fuzzing::request(&good[..place]);
            for more in [1, 0x80, 0xff] {
                let mut altered = good.clone();
                altered[place] = altered[place].wrapping_add(more);
                orthros_kdc::fuzzing::request(&altered);
                let answer = world.realm.answer(&altered, now(), &world.kdc_random);
                if index == 4 {
                    // Everything but kinds of names and the unused version number is under seal or checksum.
                    let taken = answer.is_some_and(|answer| TgsRep::from_der(&answer).is_ok());
                    assert!(!taken || is_free(&good, place), "octet {place} of a TGS-REQ is not protected");
                }
            }
        }
    }
}

/// Whether an octet of a TGS-REQ stands for the kind of the ticket's clear name or for the AP options, whose
/// values decide nothing; for the rest, it is the octets under the body's checksum that count.
fn is_free(request: &[u8], place: usize) -> bool {
    let TgsReq(parsed) = TgsReq::from_der(request).unwrap();
    let mut kinds = request.to_vec();
    kinds[place] = kinds[place].wrapping_add(1);
    let Ok(TgsReq(altered)) = TgsReq::from_der(&kinds) else { return false };
    let ap_req = |request: &KdcReq<'_>| {
        let value = request.padata.as_ref().unwrap()[0].padata_value.to_vec();
        let ap_req = ApReq::from_der(&value).ok()?;
        let sealed = (ap_req.ticket.enc_part.cipher.to_vec(), ap_req.authenticator.cipher.to_vec());
        Some((
            sealed,
            ap_req.ticket.sname.components.iter().map(|text| text.0.to_owned()).collect::<Vec<_>>(),
        ))
    };
    altered.req_body.octets() == parsed.req_body.octets() && ap_req(&altered) == ap_req(&parsed)
}

/// A TGS-REQ that the test makes itself, to make it wrong.
struct Forged<'a> {
    tgt: &'a Credential,
    options: KdcOptions,
    sname: Option<&'a str>,
    subkey: Option<&'a Key>,
    checksum: Option<(i32, Vec<u8>)>,
    /// The number that the right checksum bears instead of its own.
    renumbered: Option<i32>,
    client: &'a str,
    ctime: i64,
    extra: Option<i32>,
    /// Authorization data that the client adds: sealed in which key, for which usage.
    added: Option<(&'a Key, KeyUsage)>,
}

/// An element of authorization data that nobody knows.
const ADDED: AuthorizationElement<'static> = AuthorizationElement { ad_type: 999, ad_data: b"added" };

impl<'a> Forged<'a> {
    fn new(tgt: &'a Credential) -> Self {
        Self {
            tgt,
            options: KdcOptions::default(),
            sname: Some("host/x.test"),
            subkey: None,
            checksum: None,
            renumbered: None,
            client: "alice",
            ctime: NOW,
            extra: None,
            added: None,
        }
    }

    fn make(&self, world: &World) -> Vec<u8> {
        let server = self.sname.map(principal);
        let added =
            self.added.map(|(key, usage)| key.encrypt(usage, &world.kdc_random, &vec![ADDED].to_der()));
        let body = KdcReqBody {
            kdc_options: self.options,
            cname: None,
            realm: GeneralString("TEST"),
            sname: server.as_ref().map(|server| server.to_wire()),
            from: None,
            till: KerberosTime(0),
            rtime: None,
            nonce: 7,
            etype: vec![self.tgt.key.enctype().number()],
            addresses: None,
            enc_authorization_data: self.added.zip(added.as_deref()).map(|((key, _), cipher)| {
                EncryptedData { etype: key.enctype().number(), kvno: None, cipher }
            }),
            additional_tickets: None,
        }
        .to_der();
        let key = &self.tgt.key;
        let (cksumtype, checksum) = self.checksum.clone().unwrap_or_else(|| {
            let made = key.checksum(KeyUsage::TGS_REQ_AUTHENTICATOR_CHECKSUM, &[&body]);
            (self.renumbered.unwrap_or(key.enctype().checksum_type().0), made.to_vec())
        });
        let client = principal(self.client);
        let authenticator = Authenticator {
            authenticator_vno: 5,
            crealm: GeneralString("TEST"),
            cname: client.to_wire(),
            cksum: (cksumtype != 0).then_some(Checksum { cksumtype, checksum: &checksum }),
            cusec: 0,
            ctime: KerberosTime(self.ctime),
            subkey: self.subkey.map(|key| EncryptionKey {
                keytype: key.enctype().number(),
                keyvalue: SecretOctets(key.expose_octets()),
            }),
            seq_number: None,
            authorization_data: None,
        };
        let cipher = key.encrypt(KeyUsage::TGS_REQ_AUTHENTICATOR, &world.kdc_random, &authenticator.to_der());
        let ap_req = ApReq {
            pvno: 5,
            msg_type: 14,
            ap_options: ApOptions::default(),
            ticket: Raw::from_der(&self.tgt.ticket).unwrap(),
            authenticator: EncryptedData { etype: key.enctype().number(), kvno: None, cipher: &cipher },
        }
        .to_der();
        let mut padata = vec![PaData { padata_type: pa_type::TGS_REQ, padata_value: &ap_req }];
        padata.extend(self.extra.map(|padata_type| PaData { padata_type, padata_value: &[0x30, 0] }));
        let req_body = Raw::from_der(&body).unwrap();
        TgsReq(KdcReq { pvno: 5, msg_type: 12, padata: Some(padata), req_body }).to_der()
    }
}

#[test]
fn a_request_for_a_ticket_must_be_bound_to_its_session_key() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(ExchangePolicy::default());
    let good = || Forged::new(&tgt);
    assert_eq!(code(&world, &good().make(&world)), None);
    let other = SessionKey::from(Key::random(FAST[0], &SeededRandom::new(77)));
    let foreign = other.checksum(KeyUsage::TGS_REQ_AUTHENTICATOR_CHECKSUM, &[b""]).to_vec();
    for (forged, wanted) in [
        (Forged { checksum: Some((0, Vec::new())), ..good() }, ErrorCode::INAPP_CKSUM),
        // MD5 (7) is not keyed; 16 belongs to another enctype.
        (Forged { checksum: Some((7, vec![0; 16])), ..good() }, ErrorCode::INAPP_CKSUM),
        (Forged { checksum: Some((16, vec![0; 12])), ..good() }, ErrorCode::INAPP_CKSUM),
        (Forged { checksum: Some((15, foreign)), ..good() }, ErrorCode::MODIFIED),
        (Forged { checksum: Some((15, Vec::new())), ..good() }, ErrorCode::MODIFIED),
        (Forged { client: "mallory", ..good() }, ErrorCode::BADMATCH),
        (Forged { ctime: NOW + 301, ..good() }, ErrorCode::SKEW),
        (Forged { ctime: i64::MAX, ..good() }, ErrorCode::SKEW),
        // CVE-2021-3671: no server.
        (Forged { sname: None, ..good() }, ErrorCode::S_PRINCIPAL_UNKNOWN),
        (Forged { sname: Some("krbtgt/ELSEWHERE"), ..good() }, ErrorCode::S_PRINCIPAL_UNKNOWN),
        // S4U2Self: the ticket would be the caller's own.
        (Forged { extra: Some(129), ..good() }, ErrorCode::PADATA_TYPE_NOSUPP),
        (Forged { extra: Some(130), ..good() }, ErrorCode::PADATA_TYPE_NOSUPP),
    ] {
        assert_eq!(code(&world, &forged.make(&world)), Some(wanted));
    }
    assert_eq!(code(&world, &Forged { ctime: NOW - 299, ..good() }.make(&world)), None);
    let stranger = Credential { key: std::sync::Arc::new(other), ..tgt.clone() };
    assert_eq!(code(&world, &Forged::new(&stranger).make(&world)), Some(ErrorCode::BAD_INTEGRITY));
}

#[test]
fn a_checksum_of_another_type_than_its_keys_or_without_key_is_refused_for_every_enctype() {
    for enctype in Enctype::ALL.iter().copied() {
        let mut world = World::new(&[enctype]);
        let policy =
            ExchangePolicy { enctypes: vec![enctype], permitted: vec![enctype], ..ExchangePolicy::default() };
        let tgt = world.tgt(policy);
        let good = || Forged::new(&tgt);
        assert_eq!(code(&world, &good().make(&world)), None, "{enctype}");
        let own = enctype.checksum_type().0;
        // Unkeyed: CRC-32 (1), MD4 (2), MD5 (7), SHA-1 (10 and 14). Keyed by others: all the rest.
        for number in (-150..40).filter(|number| *number != own && *number != 0) {
            let forged = Forged { renumbered: Some(number), ..good() };
            assert_eq!(
                code(&world, &forged.make(&world)),
                Some(ErrorCode::INAPP_CKSUM),
                "{enctype} {number}"
            );
        }
        // Whatever anybody can compute does not pass under the right number either.
        for len in 0..=24 {
            let forged = Forged { checksum: Some((own, vec![0; len])), ..good() };
            assert_eq!(code(&world, &forged.make(&world)), Some(ErrorCode::MODIFIED), "{enctype} {len}");
        }
    }
}

#[test]
fn a_weak_subkey_is_refused_by_a_realm_that_does_not_name_its_enctype() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(ExchangePolicy::default());
    for enctype in Enctype::ALL.iter().copied() {
        let subkey = Key::random(enctype, &SeededRandom::new(5));
        let forged = Forged { subkey: Some(&subkey), ..Forged::new(&tgt) };
        let wanted = enctype.is_weak().then_some(ErrorCode::ETYPE_NOSUPP);
        assert_eq!(code(&world, &forged.make(&world)), wanted, "{enctype}");
    }
}

#[test]
fn options_that_the_ticket_does_not_allow_are_refused() {
    let mut world = World::new(FAST);
    let plain = world.tgt(ExchangePolicy::default());
    // Bit 14 is S4U2Proxy's.
    for options in [
        KdcOptions::FORWARDED,
        KdcOptions::FORWARDABLE,
        KdcOptions::PROXIABLE,
        KdcOptions::RENEWABLE,
        KdcOptions::RENEW,
        KdcOptions::VALIDATE,
        KdcOptions::POSTDATED,
        KdcOptions::PROXY,
        KdcOptions::ENC_TKT_IN_SKEY,
        KdcOptions(1 << (31 - 14)),
    ] {
        let request = Forged { options, ..Forged::new(&plain) }.make(&world);
        assert_eq!(code(&world, &request), Some(ErrorCode::BADOPTION), "{options:?}");
    }
    let able =
        ExchangePolicy { forwardable: true, renewable_lifetime: Some(86_400), ..ExchangePolicy::default() };
    let able = world.tgt(able);
    for options in [KdcOptions::FORWARDED, KdcOptions::FORWARDABLE, KdcOptions::RENEWABLE] {
        let request = Forged { options, ..Forged::new(&able) }.make(&world);
        assert_eq!(code(&world, &request), None, "{options:?}");
    }
    let renew = Forged { options: KdcOptions::RENEW, ..Forged::new(&able) };
    assert_eq!(code(&world, &renew.make(&world)), Some(ErrorCode::BADOPTION));
    let renew = Forged { sname: Some("krbtgt/TEST"), ..renew }.make(&world);
    let later = Timestamp::from_seconds(NOW + 200);
    let answer = world.realm.answer(&renew, later, &world.kdc_random).unwrap();
    let part = sealed_part(&answer, &able.key, KeyUsage::TGS_REP_ENC_PART_SESSION_KEY, |part| {
        assert!(part.0.flags.contains(TicketFlags::RENEWABLE | TicketFlags::FORWARDABLE));
        (part.0.endtime.0, part.0.renew_till.unwrap().0)
    });
    assert_eq!(part, (NOW + 200 + 36_000, NOW + 86_400));
}

fn sealed_part<T>(answer: &[u8], key: &Key, usage: KeyUsage, look: impl FnOnce(EncTgsRepPart<'_>) -> T) -> T {
    let TgsRep(reply) = TgsRep::from_der(answer).unwrap();
    let plain = key.decrypt(usage, reply.enc_part.cipher).unwrap();
    look(EncTgsRepPart::from_der(&plain).unwrap())
}

#[test]
fn the_reply_is_sealed_in_the_subkey_where_there_is_one() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(ExchangePolicy::default());
    let subkey = Key::random(Enctype::Aes256CtsHmacSha384, &SeededRandom::new(5));
    let request = Forged { subkey: Some(&subkey), ..Forged::new(&tgt) }.make(&world);
    let answer = world.realm.answer(&request, now(), &world.kdc_random).unwrap();
    sealed_part(&answer, &subkey, KeyUsage::TGS_REP_ENC_PART_SUBKEY, |part| assert_eq!(part.0.nonce, 7));
    let answer = world.realm.answer(&Forged::new(&tgt).make(&world), now(), &world.kdc_random).unwrap();
    sealed_part(&answer, &tgt.key, KeyUsage::TGS_REP_ENC_PART_SESSION_KEY, |part| {
        assert_eq!(part.0.nonce, 7)
    });
}

#[test]
fn added_authorization_data_are_sealed_in_the_subkey_or_without_one_in_the_session_key() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(ExchangePolicy::default());
    let subkey = Key::random(Enctype::Aes128CtsHmacSha1, &SeededRandom::new(5));
    let (by_session, by_subkey) =
        (KeyUsage::TGS_REQ_AUTHORIZATION_DATA_SESSION_KEY, KeyUsage::TGS_REQ_AUTHORIZATION_DATA_SUBKEY);
    let session: &Key = &tgt.key;
    let refused = Some(ErrorCode::BAD_INTEGRITY);
    for (with, key, usage, wanted) in [
        (None, session, by_session, None),
        (Some(&subkey), &subkey, by_subkey, None),
        (Some(&subkey), session, by_session, refused),
        (Some(&subkey), session, by_subkey, refused),
        (None, session, by_subkey, refused),
        (None, &subkey, by_subkey, refused),
    ] {
        let request = Forged { subkey: with, added: Some((key, usage)), ..Forged::new(&tgt) }.make(&world);
        assert_eq!(code(&world, &request), wanted);
        if wanted.is_none() {
            let answer = world.realm.answer(&request, now(), &world.kdc_random).unwrap();
            let TgsRep(reply) = TgsRep::from_der(&answer).unwrap();
            let service = world.realm.keytab_for(&principal("host/x.test")).remove(0).key;
            let plain = service.decrypt(KeyUsage::TICKET, reply.ticket.enc_part.cipher).unwrap();
            let ticket = EncTicketPart::from_der(&plain).unwrap();
            assert_eq!(ticket.authorization_data, Some(vec![ADDED]), "they are in the ticket");
        }
    }
}

#[test]
fn an_expired_ticket_and_a_ticket_from_the_future_are_refused() {
    let mut world = World::new(FAST);
    let tgt = world.tgt(ExchangePolicy::default());
    for (moment, wanted) in [
        (NOW + 36_000, Some(ErrorCode::TKT_EXPIRED)),
        (NOW - 301, Some(ErrorCode::TKT_NYV)),
        (NOW + 35_999, None),
    ] {
        let request = Forged { ctime: moment, ..Forged::new(&tgt) }.make(&world);
        let answer =
            world.realm.answer(&request, Timestamp::from_seconds(moment), &world.kdc_random).unwrap();
        let code = KrbError::from_der(&answer).ok().map(|error| ErrorCode(error.error_code));
        assert_eq!(code, wanted);
    }
    // A service's ticket is no ticket-granting ticket.
    let progress = service(&tgt, principal("host/x.test"), ExchangePolicy::default(), world.env.clone());
    let ticket = world.drive(progress).unwrap().credential;
    assert_eq!(code(&world, &Forged::new(&ticket).make(&world)), Some(ErrorCode::NOT_US));
}
