//! A user of another realm (MS-SFU §3.1.5.1.1.2): the user's KDC is asked first, and refers back. The test plays both
//! KDCs, for the embedded one knows no such users.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use common::NOW;
use common::forest::name;
use orthros_crypto::{Enctype, Key, KeyUsage, SessionKey};
use orthros_krb5::exchange::{
    ExchangePolicy, KdcFailure, Lack, Obtained, Progress, ReplyFault, constrained, impersonated,
};
use orthros_krb5::s4u::{UserId, Within, open_for_user};
use orthros_krb5::sealed::open_message;
use orthros_krb5::wire::{
    ApReq, Authenticator, Decode, EncKdcRepPart, EncTgsRepPart, Encode, EncryptedData, EncryptionKey,
    GeneralString, KdcRep, KerberosTime, LastReq, PVNO, PaData, Raw, S4uOptions, SecretOctets, TgsRep,
    TgsReq, Ticket, TicketFlags, msg_type, pa_type,
};
use orthros_krb5::{Credential, Env, Principal, TicketTimes};
use orthros_wire::Timestamp;
use orthros_wire::testing::{ManualClock, SeededRandom};

const ENCTYPE: Enctype = Enctype::Aes128CtsHmacSha1;

fn key(number: u8) -> SessionKey {
    Key::new(ENCTYPE, &[number; 16]).unwrap().into()
}

fn ticket(server: &Principal) -> Vec<u8> {
    let enc_part = EncryptedData { etype: ENCTYPE.number(), kvno: Some(1), cipher: &[0; 64] };
    Ticket { tkt_vno: PVNO, realm: GeneralString(server.realm()), sname: server.to_wire(), enc_part }.to_der()
}

fn web() -> Credential {
    let server = name("krbtgt/A@A");
    Credential {
        client: name("HTTP/web@A"),
        key: Arc::new(key(0)),
        times: TicketTimes { endtime: KerberosTime(NOW + 3_600), ..TicketTimes::default() },
        flags: TicketFlags::FORWARDABLE,
        in_session_key: false,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: ticket(&server).into(),
        second_ticket: Arc::new([]),
        server,
    }
}

/// What a request says, and how its answer is sealed.
struct Request {
    /// The user whom it names.
    user: Option<Principal>,
    server: Principal,
    nonce: u32,
    subkey: SessionKey,
}

impl Request {
    fn read(octets: &[u8], session_key: &SessionKey) -> Self {
        let TgsReq(request) = TgsReq::from_der(octets).unwrap();
        let padata = request.padata.unwrap();
        let element = |number| padata.iter().find(|element| element.padata_type == number);
        let ap_req = ApReq::from_der(element(pa_type::TGS_REQ).unwrap().padata_value).unwrap();
        let sealed = ap_req.authenticator.cipher;
        let plain = open_message(session_key, KeyUsage::TGS_REQ_AUTHENTICATOR, sealed).unwrap();
        let subkey = Authenticator::from_der(&plain).unwrap().subkey.unwrap();
        let subkey = SessionKey::from(Key::new(ENCTYPE, subkey.keyvalue.0).unwrap());
        let body = &*request.req_body;
        let user = element(pa_type::FOR_USER)
            .map(|element| open_for_user(element.padata_value, session_key).unwrap());
        let bound = element(pa_type::S4U_X509_USER).map(|element| {
            let id = UserId::open(element.padata_value, Within::Request, &subkey).unwrap();
            assert_eq!(id.nonce, body.nonce);
            id.user
        });
        assert_eq!(user, bound);
        let server = Principal::from_wire(body.sname.as_ref().unwrap(), body.realm.0).unwrap();
        Self { user, server, nonce: body.nonce, subkey }
    }

    /// A ticket for `server` of `client`, with this session key; `proved` is the user whom the KDC says that it is for.
    fn answer(&self, client: &str, server: &str, number: u8, proved: Option<&str>) -> Vec<u8> {
        let (client, server, fresh) = (name(client), name(server), key(number));
        let part = EncKdcRepPart {
            key: EncryptionKey { keytype: ENCTYPE.number(), keyvalue: SecretOctets(fresh.expose_octets()) },
            last_req: vec![LastReq { lr_type: 0, lr_value: KerberosTime(NOW) }],
            nonce: self.nonce,
            key_expiration: None,
            flags: TicketFlags::FORWARDABLE,
            authtime: KerberosTime(NOW),
            starttime: Some(KerberosTime(NOW)),
            endtime: KerberosTime(NOW + 3_600),
            renew_till: None,
            srealm: GeneralString(server.realm()),
            sname: server.to_wire(),
            caddr: None,
            encrypted_pa_data: None,
        };
        let plain = EncTgsRepPart(part).to_der();
        let random = SeededRandom::new(5);
        let cipher = self.subkey.encrypt(KeyUsage::TGS_REP_ENC_PART_SUBKEY, &random, &plain);
        let proof = proved.map(|user| {
            let id = UserId { nonce: self.nonce, user: name(user), options: S4uOptions::REPLY_KEY_USAGE };
            id.to_element(Within::Reply, &self.subkey).unwrap()
        });
        let padata = proof
            .as_ref()
            .map(|proof| vec![PaData { padata_type: pa_type::S4U_X509_USER, padata_value: proof }]);
        let ticket = ticket(&server);
        let reply = TgsRep(KdcRep {
            pvno: PVNO,
            msg_type: msg_type::TGS_REP,
            padata,
            crealm: GeneralString(client.realm()),
            cname: client.to_wire(),
            ticket: Raw::from_der(&ticket).unwrap(),
            enc_part: EncryptedData { etype: ENCTYPE.number(), kvno: None, cipher: &cipher },
        });
        reply.to_der()
    }
}

/// Goes to B and back; `last` answers the last request.
fn from_b(last: impl Fn(&Request) -> Vec<u8>) -> Result<Obtained, KdcFailure> {
    let env = Env::new(Arc::new(ManualClock::new(NOW)), SeededRandom::new(3));
    let now = Timestamp::from_seconds(NOW);
    let policy = ExchangePolicy { enctypes: vec![ENCTYPE], ..ExchangePolicy::default() };
    let ask = |progress, realm: &str| match progress {
        Progress::Ask(ask) => {
            assert_eq!(ask.realm(), realm);
            ask
        }
        other => panic!("{other:?}"),
    };
    let first = ask(impersonated(&web(), Vec::new(), name("bob@B"), policy, env), "A");
    let request = Request::read(first.request(), &key(0));
    assert_eq!((request.user.clone(), request.server.clone()), (None, name("krbtgt/B@A")));
    let second = ask(first.reply(&request.answer("HTTP/web@A", "krbtgt/B@A", 1, None), now), "B");
    let request = Request::read(second.request(), &key(1));
    assert_eq!(request.user, Some(name("bob@B")));
    assert_eq!(
        request.server,
        Principal::enterprise("HTTP/web@A", "B"),
        "its whole name, in the user's realm"
    );
    let back = request.answer("HTTP/web@A", "krbtgt/A@B", 2, Some("bob@B"));
    let third = ask(second.reply(&back, now), "A");
    let request = Request::read(third.request(), &key(2));
    assert_eq!((request.user.clone(), request.server.clone()), (Some(name("bob@B")), name("HTTP/web@A")));
    match third.reply(&last(&request), now) {
        Progress::Done(obtained) => Ok(obtained),
        Progress::Failed(failure) => Err(failure),
        other @ Progress::Ask(_) => panic!("{other:?}"),
    }
}

#[test]
fn a_user_of_another_realm_is_found_there_and_the_way_back_is_not_kept() {
    let obtained = from_b(|request| request.answer("bob@B", "HTTP/web@A", 3, Some("bob@B"))).unwrap();
    let ticket = &obtained.credential;
    assert_eq!((ticket.client.clone(), ticket.server.clone()), (name("bob@B"), name("HTTP/web@A")));
    let also: Vec<_> = obtained.also.iter().map(|ticket| ticket.server.to_string()).collect();
    assert_eq!(also, ["krbtgt/B@A"], "the ticket that speaks of bob is nobody else's");
}

#[test]
fn what_counts_is_what_the_last_kdc_proves() {
    let fault = |failure| match failure {
        KdcFailure::BadReply { fault, .. } => fault,
        other => panic!("{other:?}"),
    };
    let none = from_b(|request| request.answer("bob@B", "HTTP/web@A", 3, None)).unwrap_err();
    assert_eq!(fault(none), ReplyFault::Unproved);
    let other = from_b(|request| request.answer("bob@B", "HTTP/web@A", 3, Some("eve@B"))).unwrap_err();
    assert_eq!(fault(other), ReplyFault::User("eve@B".into()));
    let clear = from_b(|request| request.answer("eve@B", "HTTP/web@A", 3, Some("bob@B"))).unwrap_err();
    assert_eq!(fault(clear), ReplyFault::Client("eve@B".into()));
}

#[test]
fn a_referral_to_where_it_came_from_ends_the_search() {
    let circle = from_b(|request| request.answer("HTTP/web@A", "krbtgt/B@A", 4, Some("bob@B"))).unwrap_err();
    assert!(matches!(circle, KdcFailure::ReferralLoop { .. }), "{circle:?}");
}

/// What another realm is told by the service's own ticket is nothing that bob said, and its answers are not bob's.
#[test]
fn a_target_in_another_realm_is_neither_asked_for_nor_followed_to() {
    let evidence =
        from_b(|request| request.answer("bob@B", "HTTP/web@A", 3, Some("bob@B"))).unwrap().credential;
    let env = Env::new(Arc::new(ManualClock::new(NOW)), SeededRandom::new(4));
    let policy = || ExchangePolicy { enctypes: vec![ENCTYPE], ..ExchangePolicy::default() };
    let far = |progress: Progress<Obtained>| match progress {
        Progress::Failed(KdcFailure::Lacks { client, lack: Lack::Reach }) => {
            assert_eq!(client, name("bob@B"))
        }
        other => panic!("{other:?}"),
    };
    far(constrained(&web(), &evidence, name("db/x@B"), policy(), env.clone()));
    let Progress::Ask(ask) = constrained(&web(), &evidence, name("db/x@A"), policy(), env) else { panic!() };
    let answer = Request::read(ask.request(), &key(0)).answer("bob@B", "krbtgt/B@A", 5, None);
    far(ask.reply(&answer, Timestamp::from_seconds(NOW)));
}
