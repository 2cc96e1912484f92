//! Replies of the ticket-granting service under whose seal something changed, and the client that reads them
//! (RFC 4120 §3.3.4, MS-SFU §2.2.2).

use std::sync::Arc;

use orthros_crypto::{Key, KeyUsage, SessionKey};
use orthros_krb5::exchange::{Ask, ExchangePolicy, Obtained, Progress, constrained, forwarded};
use orthros_krb5::exchange::{impersonated, proxied, renewed, service};
use orthros_krb5::sealed::open_message;
use orthros_krb5::wire::{
    Checksum, EncryptedData, KdcRep, KdcReqBody, PaS4uX509User, Raw, TgsRep, TgsReq, TicketFlags,
    decode_enc_kdc_rep_part, pa_type,
};
use orthros_krb5::{Credential, Env, Principal, TicketTimes};
use orthros_wire::der::{Decode, Encode, KerberosTime};
use orthros_wire::fuzzing::plain;
use orthros_wire::{Clock, Timestamp};

use super::{ENCTYPES, NOW, Still, name, realm, sealed_ticket, ticket_part};

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }
}

/// The fuzzer owns the subkey of a TGS exchange: `kind | which | rest`, where `kind` and `rest` say what lies under
/// the reply's seal, and `which` chooses the exchange: for a service, renewal, forwarding, a proxy, S4U2Proxy,
/// S4U2Self.
///
/// Returns whether a ticket came of it.
pub fn sealed_granted_reply(data: &[u8]) -> bool {
    let (&[kind, which], rest) = data.split_first_chunk().unwrap_or((&[1, 0], &[]));
    let input = [&[kind][..], rest].concat();
    let Some(Progress::Ask(ask)) = exchange(which) else { return false };
    let Some((nonce, due)) = asked(&ask) else { return false };
    let changed = answer(&ask).and_then(|answer| with_part(&answer, &input));
    let Some((answer, sealed)) = changed else { return false };
    let Progress::Done(obtained) = ask.reply(&answer, Still.now()) else { return false };
    let part = decode_enc_kdc_rep_part(&sealed);
    assert!(part.is_ok(), "a ticket came of a part that can't be read");
    let Ok(part) = part else { return true };
    let got = &obtained.credential;
    assert_eq!(part.nonce, nonce, "a reply to another request");
    assert_eq!(got.times.endtime, part.endtime, "another end than was sealed");
    assert_eq!(got.key.expose_octets(), part.key.keyvalue.0, "another key than was sealed");
    let server = Principal::from_wire(&part.sname, part.srealm.0);
    assert!(server.is_ok_and(|server| server == got.server || got.server == due), "another server");
    true
}

/// The fuzzer owns the subkey with which a KDC proves for which user a service's ticket is (S4U2Self): `data` is, or
/// alters, what that proof's checksum covers. The ticket is bob's, as asked, or there is none.
///
/// Returns whether a ticket came of it.
pub fn sealed_impersonated_reply(data: &[u8]) -> bool {
    let Some(Progress::Ask(ask)) = exchange(5) else { return false };
    let changed = answer(&ask).and_then(|answer| with_user(&answer, data));
    let Some(answer) = changed else { return false };
    let Progress::Done(obtained) = ask.reply(&answer, Still.now()) else { return false };
    assert_eq!(obtained.credential.client, name("bob"), "another user than was asked for");
    true
}

/// The proof over these octets, by the request's subkey.
fn proved(user_id: &[u8]) -> Option<Vec<u8>> {
    let key = session();
    let checksum = key.checksum(KeyUsage::S4U_X509_USER_REPLY, &[user_id]);
    let checksum = Checksum { cksumtype: key.enctype().checksum_type().0, checksum: &checksum };
    Some(PaS4uX509User { user_id: Raw::from_der(user_id).ok()?, checksum }.to_der())
}

/// Starts one of the exchanges for alice, who is a service too.
fn exchange(which: u8) -> Option<Progress<Obtained>> {
    let env = || Env::new(Still, Still);
    let policy = ExchangePolicy { enctypes: ENCTYPES.to_vec(), ..ExchangePolicy::default() };
    let own = Principal::ticket_granting("TEST", "TEST");
    let (alice, host) = (name("alice"), name("host/x.test"));
    let tgt = credential(alice.clone(), own)?;
    Some(match which % 6 {
        0 => service(&tgt, host, policy, env()),
        1 => renewed(&tgt, &policy, &env()),
        2 => forwarded(&tgt, policy, env()),
        3 => proxied(&tgt, host, Vec::new(), &policy, &env()),
        4 => constrained(&tgt, &credential(name("bob"), alice)?, host, policy, env()),
        _ => impersonated(&tgt, Vec::new(), name("bob"), policy, env()),
    })
}

/// A ticket of `client` to `server`.
fn credential(client: Principal, server: Principal) -> Option<Credential> {
    let sealing = realm()?.keytab_for(&server).into_iter().next()?;
    let plain = ticket_part(&session(), &client);
    let ticket = sealed_ticket(&sealing.key, sealing.kvno, &server, &plain);
    let (endtime, renew_till) = (KerberosTime(NOW + 3_600), KerberosTime(NOW + 86_400));
    Some(Credential {
        client,
        server,
        key: Arc::new(SessionKey::from(session())),
        times: TicketTimes { authtime: KerberosTime(NOW), starttime: KerberosTime(NOW), endtime, renew_till },
        flags: TicketFlags::FORWARDABLE | TicketFlags::PROXIABLE | TicketFlags::RENEWABLE,
        in_session_key: false,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: ticket.into(),
        second_ticket: Arc::new([]),
    })
}

/// Every session key and every subkey here.
fn session() -> Key {
    Key::random(orthros_crypto::Enctype::Aes128CtsHmacSha1, &Still)
}

/// The nonce of a request, and the server that it is for.
fn asked(ask: &Ask<Obtained>) -> Option<(u32, Principal)> {
    let TgsReq(request) = TgsReq::from_der(ask.request()).ok()?;
    let body: &KdcReqBody<'_> = &request.req_body;
    let server = Principal::from_wire(body.sname.as_ref()?, body.realm.0).ok()?;
    Some((body.nonce, server))
}

fn answer(ask: &Ask<Obtained>) -> Option<Vec<u8>> {
    realm()?.answer(ask.request(), Still.now(), &Still)
}

/// A good TGS-REP with another plain text under its seal; that text too.
fn with_part(answer: &[u8], input: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let TgsRep(reply) = TgsRep::from_der(answer).ok()?;
    let (key, usage) = (session(), KeyUsage::TGS_REP_ENC_PART_SUBKEY);
    let good = open_message(&key, usage, reply.enc_part.cipher).ok()?;
    let sealed = plain(input, &good);
    let cipher = key.encrypt(usage, &Still, &sealed);
    let enc_part = EncryptedData { cipher: &cipher, ..reply.enc_part };
    Some((TgsRep(KdcRep { enc_part, ..reply }).to_der(), sealed))
}

/// A good TGS-REP with another user in its proof.
fn with_user(answer: &[u8], input: &[u8]) -> Option<Vec<u8>> {
    let TgsRep(reply) = TgsRep::from_der(answer).ok()?;
    let mut padata = reply.padata.clone()?;
    let element = padata.iter_mut().find(|element| element.padata_type == pa_type::S4U_X509_USER)?;
    let good = PaS4uX509User::from_der(element.padata_value).ok()?;
    let proof = proved(&plain(input, good.user_id.octets()))?;
    element.padata_value = &proof;
    Some(TgsRep(KdcRep { padata: Some(padata), ..reply }).to_der())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_replies_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        for which in 0..6 {
            assert!(sealed_granted_reply(&[1, which]), "{which}");
            assert!(!sealed_granted_reply(&[1, which, 0x40, 0, 9]), "{which}");
        }
        assert!(sealed_impersonated_reply(&[]));
        assert!(!sealed_impersonated_reply(&[1, 0x40, 0, 9]));
    }

    #[test]
    fn a_ticket_of_another_user_is_not_taken() {
        let alice = name("alice");
        let user = orthros_krb5::wire::S4uUserId {
            nonce: 0x5a5a_5a5a,
            cname: Some(alice.to_wire()),
            crealm: orthros_krb5::wire::GeneralString("TEST"),
            subject_certificate: None,
            options: None,
        };
        assert!(!sealed_impersonated_reply(&[&[0][..], &user.to_der()].concat()));
    }
}
