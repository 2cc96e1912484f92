//! Tokens that carry messages between an initiator and KDCs, with and without the keys.

use std::sync::Arc;

use orthros_crypto::{Key, KeyUsage};
use orthros_krb5::exchange::{ExchangePolicy, InitialSecret};

use orthros_krb5::wire::{
    AsRep, AsReq, Decode, EncAsRepPart, EncKdcRepPart, EncTgsRepPart, Encode, EncryptedData, GeneralString,
    KdcRep, KdcReqBody, KerberosTime, LastReq, PVNO, Raw, TgsRep, TgsReq, Ticket, TicketFlags, msg_type,
};
use orthros_wire::fuzzing::altered;

use super::handshake::{acceptor, answered, ended, first, reply, wire_key};
use super::{ENCTYPE, NOW, Still, key, principal, settings};
use crate::context::{Initiate, Need, Step};
use crate::mech::iakerb::token::{Carried, Place};
use crate::mech::krb5::{Dress, TokenKind};
use crate::mechanism::IAKERB;
use crate::{InitiatorCredential, Name};

/// Arbitrary octets where an acceptor carries requests to KDCs. The first one says where: as the first token and then
/// everywhere else, as the acceptor's answer, or as what a KDC answered to a good request.
pub fn carried(data: &[u8]) {
    let (place, octets) = data.split_first().unwrap_or((&0, &[]));
    let context = match place % 3 {
        0 => {
            if let Ok(Some(read)) = Carried::read(octets, Place::Later) {
                let again = read.write(Place::First);
                assert_eq!(
                    Carried::read(&again, Place::First),
                    Ok(Some(read)),
                    "what is written is read as the same"
                );
            }
            relayed(octets, octets)
        }
        1 => answered(initiator(), octets),
        _ => match initiator() {
            Step::Send(owed) => relayed(owed.token(), octets),
            _ => None,
        },
    };
    assert!(context.is_none(), "a context without the key");
}

/// Gives an acceptor this first token, the KDC this answer to it, and the acceptor the same once more.
fn relayed(token: &[u8], then: &[u8]) -> Option<crate::Context> {
    match first(acceptor().carry_to_kdcs(), token) {
        Step::Need(Need::Relay(need)) => {
            assert_eq!(need.realm(), "FUZZ", "a realm that the configuration does not know");
            answered(need.reply(then), then)
        }
        step => ended(step),
    }
}

fn initiator() -> Step {
    let secret = InitialSecret::Keys(vec![Arc::new(key().into())]);
    let alice = InitiatorCredential::deferred_login(principal("alice"), secret, ExchangePolicy::default());
    let target = Name::Principal(principal("host/fuzz"));
    Initiate::new(&settings(), Arc::new(alice), target).mutual().mechanism(&IAKERB).start()
}

/// The fuzzer is the KDC and the acceptor of an initiator that has nothing but its key: the first octet chooses which
/// of the three answers the rest alters, that of the AS, of the TGS or of the acceptor.
///
/// Returns whether a context came up.
pub fn sealed_carried(data: &[u8]) -> bool {
    let (which, changes) = data.split_first().unwrap_or((&3, &[]));
    let changed = |place: u8| if which & 3 == place { changes } else { &[] };
    let (mut step, mut place) = (initiator(), Place::First);
    for _ in 0..4 {
        let Step::Send(owed) = step else { break };
        let token = owed.token().to_vec();
        let answer = match Carried::read(&token, place) {
            Ok(Some(carried)) => match kdc(carried.message, changed(0), changed(1)) {
                Some(message) => Carried { message: &message, ..carried }.write(Place::Later),
                None => return false,
            },
            _ => Dress::Framed(&IAKERB).token(TokenKind::Reply, &reply(changed(2))),
        };
        place = Place::Later;
        let Step::Receive(wait) = owed.sent() else { return false };
        step = wait.token(&answer);
        if let Step::Need(Need::Store(need)) = step {
            step = need.done();
        }
    }
    let Some(context) = ended(step) else { return false };
    assert!(*context.acceptor() == principal("host/fuzz"), "another acceptor than was asked for");
    true
}

/// A KDC's answer, whose sealed part is good but for these changes.
fn kdc(request: &[u8], initial: &[u8], granting: &[u8]) -> Option<Vec<u8>> {
    // The request's subkey comes from the same octets as every key here.
    let key = key();
    let seal = |usage, plain: &[u8], changes| key.encrypt(usage, &Still, &altered(plain, changes));
    if let Ok(AsReq(request)) = AsReq::from_der(request) {
        let plain = EncAsRepPart(part(&key, &request.req_body)?).to_der();
        let cipher = seal(KeyUsage::AS_REP_ENC_PART, &plain, initial);
        return answer(&request.req_body, &cipher, msg_type::AS_REP, |reply| AsRep(reply).to_der());
    }
    let TgsReq(request) = TgsReq::from_der(request).ok()?;
    let plain = EncTgsRepPart(part(&key, &request.req_body)?).to_der();
    let cipher = seal(KeyUsage::TGS_REP_ENC_PART_SUBKEY, &plain, granting);
    answer(&request.req_body, &cipher, msg_type::TGS_REP, |reply| TgsRep(reply).to_der())
}

/// What is sealed in a good answer.
fn part<'a>(key: &'a Key, body: &KdcReqBody<'a>) -> Option<EncKdcRepPart<'a>> {
    Some(EncKdcRepPart {
        key: wire_key(key),
        last_req: vec![LastReq { lr_type: 0, lr_value: KerberosTime(NOW) }],
        nonce: body.nonce,
        key_expiration: None,
        flags: TicketFlags::INITIAL,
        authtime: KerberosTime(NOW),
        starttime: Some(KerberosTime(NOW)),
        endtime: KerberosTime(NOW + 3_600),
        renew_till: None,
        srealm: body.realm,
        sname: body.sname.clone()?,
        caddr: None,
        encrypted_pa_data: None,
    })
}

fn answer(
    body: &KdcReqBody<'_>,
    cipher: &[u8],
    msg_type: i32,
    write: impl FnOnce(KdcRep<'_>) -> Vec<u8>,
) -> Option<Vec<u8>> {
    let enc_part = EncryptedData { etype: ENCTYPE.number(), kvno: Some(1), cipher };
    let (client, sname) = (principal("alice"), body.sname.clone()?);
    let ticket = Ticket { tkt_vno: PVNO, realm: body.realm, sname, enc_part: enc_part.clone() }.to_der();
    let ticket = Raw::from_der(&ticket).ok()?;
    let (crealm, cname) = (GeneralString("FUZZ"), client.to_wire());
    Some(write(KdcRep { pvno: PVNO, msg_type, padata: None, crealm, cname, ticket, enc_part }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_answers_lead_to_a_context_so_that_the_fuzzer_starts_past_the_seal() {
        for which in 0..4 {
            assert!(sealed_carried(&[which]), "{which}");
        }
        for which in 0..3 {
            let cut = [which, 0x40, 0, 9];
            assert!(!sealed_carried(&cut), "{which}");
        }
    }
}
