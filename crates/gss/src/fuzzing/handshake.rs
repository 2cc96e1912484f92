//! Tokens that establish a context (RFC 4121 §4.1), with and without the keys.

use std::sync::Arc;

use orthros_crypto::{Enctype, Key, KeyUsage, LongTermKey, SessionKey};
use orthros_krb5::ap::{self, AcceptorKeys};
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::wire::{
    ApOptions, ApRep, ApReq, Authenticator, Checksum, Decode, EncApRepPart, EncKrbCredPart, EncTicketPart,
    Encode, EncryptedData, EncryptionKey, GeneralString, KerberosTime, KrbCred, KrbCredInfo, PVNO, Raw,
    SecretOctets, Ticket, TicketFlags, TransitedEncoding, msg_type,
};
use orthros_krb5::{Credential, Principal, TicketTimes};
use orthros_wire::Timestamp;
use orthros_wire::fuzzing::{alter, altered};

use super::{ENCTYPE, NOW, Still, key, principal, settings};
use crate::context::Need;
use crate::mech::krb5::checksum::{GssChecksum, NUMBER};
use crate::mech::krb5::{Dress, TokenKind};
use crate::mech::spnego::token::{self, NegTokenInit};
use crate::mechanism::{KRB5, KRB5_OID, SPNEGO, SPNEGO_OID};
use crate::{Accept, AcceptorCredential, Context, Flags, Initiate, InitiatorCredential, Name, Step, framing};

const KINDS: [TokenKind; 3] = [TokenKind::Request, TokenKind::Reply, TokenKind::Error];

/// A keytab that has one key for everybody.
struct OneKey;

impl AcceptorKeys for OneKey {
    fn find(
        &self,
        server: &Principal,
        _: Enctype,
        _: Option<u32>,
    ) -> Result<(Arc<LongTermKey>, Principal), String> {
        Ok((Arc::new(key().into()), server.clone()))
    }
}

pub(super) fn accept(token: &[u8]) -> Option<Context> {
    ended(first(acceptor(), token))
}

pub(super) fn acceptor() -> Accept {
    Accept::new(&settings(), AcceptorCredential::any(Arc::new(OneKey)))
}

/// What an acceptor does with its first token.
pub(super) fn first(accept: Accept, token: &[u8]) -> Step {
    let mut step = accept.start();
    if let Step::Receive(wait) = step {
        step = wait.token(token);
    }
    if let Step::Need(Need::Replay(need)) = step {
        assert!(need.tag().len() >= 12, "too short a tag for the replay cache");
        step = need.fresh();
    }
    step
}

pub(super) fn ended(mut step: Step) -> Option<Context> {
    loop {
        step = match step {
            Step::Done(context) => return Some(context),
            Step::Send(owed) => owed.sent(),
            Step::Failed(error) => {
                let _ = (error.to_string(), error.major(), error.kerberos_code());
                return None;
            }
            Step::Need(_) | Step::Receive(_) => return None,
        };
    }
}

/// Arbitrary octets as the first token that an acceptor gets: bare, and as each kind of inner token.
pub fn acceptor_token(data: &[u8]) {
    assert!(accept(data).is_none(), "a request made without a key");
    for kind in KINDS {
        assert!(accept(&Dress::Framed(&KRB5).token(kind, data)).is_none(), "a request made without a key");
    }
}

/// Arbitrary octets as the acceptor's answer: bare, and as each kind of inner token.
pub fn initiator_token(data: &[u8]) {
    let tokens = KINDS.map(|kind| Dress::Framed(&KRB5).token(kind, data));
    for token in [data, &tokens[0], &tokens[1], &tokens[2]] {
        assert!(initiate(token).is_none(), "an answer made without the key");
    }
}

/// Arbitrary octets in a negotiation. The first one says where: as the offer, as the acceptor's answer to ours, or as
/// the proof that follows a good request.
pub fn negotiation(data: &[u8]) {
    let (place, octets) = data.split_first().unwrap_or((&0, &[]));
    let context = match place % 3 {
        0 => accept(&framing::frame(&SPNEGO_OID, &[octets])),
        1 => answered(initiator().mechanism(&SPNEGO).start(), octets),
        _ => {
            let request = Dress::Framed(&KRB5).token(TokenKind::Request, &request_of(&ticket_part()));
            let offer = NegTokenInit::write(&token::list(&[KRB5_OID]), &request).unwrap_or_default();
            answered(first(acceptor().offer_proved(), &offer), octets)
        }
    };
    assert!(context.is_none(), "a context without the key");
}

pub(super) fn initiator() -> Initiate {
    let credential = InitiatorCredential::new(principal("alice"), vec![service_ticket()], 0);
    Initiate::new(&settings(), Arc::new(credential), Name::Principal(principal("host/fuzz"))).mutual()
}

/// Gives an initiator this answer.
pub(super) fn initiate(token: &[u8]) -> Option<Context> {
    answered(initiator().start(), token)
}

/// Gives whoever has sent a token this answer.
pub(super) fn answered(sending: Step, token: &[u8]) -> Option<Context> {
    let Step::Send(owed) = sending else { return None };
    match owed.sent() {
        Step::Receive(wait) => ended(wait.token(token)),
        _ => None,
    }
}

fn service_ticket() -> Credential {
    Credential {
        client: principal("alice"),
        server: principal("host/fuzz"),
        key: Arc::new(SessionKey::from(key())),
        times: TicketTimes { endtime: KerberosTime(NOW + 3_600), ..TicketTimes::default() },
        flags: TicketFlags::default(),
        in_session_key: false,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: sealed_ticket(&ticket_part()).into(),
        second_ticket: Arc::new([]),
    }
}

/// The fuzzer owns all keys: `data` alters one part of a good request, which is then sealed. The first octet
/// says which: the ticket, the authenticator, or the checksum with its delegated ticket.
///
/// Returns whether a context came up.
pub fn sealed_acceptor_token(data: &[u8]) -> bool {
    let (part, changes) = data.split_first().unwrap_or((&0, &[]));
    let (mut ticket, mut delegated) = (ticket_part(), krb_cred(&cred_part()));
    let mut checksum = checksum_of(&delegated);
    match part % 4 {
        0 => alter(&mut ticket, changes),
        1 => alter(&mut checksum, changes),
        2 => {
            alter(&mut delegated, changes);
            checksum = checksum_of(&delegated);
        }
        _ => {}
    }
    let mut authenticator = authenticator(&checksum);
    if part % 4 == 3 {
        alter(&mut authenticator, changes);
    }
    accept(&Dress::Framed(&KRB5).token(TokenKind::Request, &request(&ticket, &authenticator))).is_some()
}

/// The fuzzer owns the session key: `data` alters the plain text of a good answer.
///
/// Returns whether the context came up.
pub fn sealed_ap_rep(data: &[u8]) -> bool {
    initiate(&Dress::Framed(&KRB5).token(TokenKind::Reply, &reply(data))).is_some()
}

/// An answer that is good but for these changes.
pub(super) fn reply(changes: &[u8]) -> Vec<u8> {
    let key = key();
    let part = EncApRepPart {
        ctime: KerberosTime(NOW),
        cusec: 0,
        subkey: Some(wire_key(&key)),
        seq_number: Some(1),
    };
    let cipher = key.encrypt(KeyUsage::AP_REP_ENC_PART, &Still, &altered(&part.to_der(), changes));
    let enc_part = EncryptedData { etype: ENCTYPE.number(), kvno: None, cipher: &cipher };
    ApRep { pvno: PVNO, msg_type: msg_type::AP_REP, enc_part }.to_der()
}

/// The fuzzer owns the session key: `data` alters the plain text of a good KRB-CRED.
///
/// Returns whether it was taken.
pub fn sealed_krb_cred(data: &[u8]) -> bool {
    let mut plain = cred_part();
    alter(&mut plain, data);
    let message = krb_cred(&plain);
    match ap::open_credential_message(&message, &[&SessionKey::from(key())], Enctype::STRONG) {
        Ok(tickets) => {
            assert_eq!(tickets.len(), 1, "as many as there are tickets");
            true
        }
        Err(refusal) => {
            let _ = refusal.to_string();
            false
        }
    }
}

pub(super) fn wire_key(key: &Key) -> EncryptionKey<'_> {
    EncryptionKey { keytype: key.enctype().number(), keyvalue: SecretOctets(key.expose_octets()) }
}

pub(super) fn ticket_part() -> Vec<u8> {
    let (key, client) = (key(), principal("alice"));
    let part = EncTicketPart {
        flags: TicketFlags::INITIAL,
        key: wire_key(&key),
        crealm: GeneralString("FUZZ"),
        cname: client.to_wire(),
        transited: TransitedEncoding { tr_type: 0, contents: &[] },
        authtime: KerberosTime(NOW),
        starttime: Some(KerberosTime(NOW)),
        endtime: KerberosTime(NOW + 3_600),
        renew_till: Some(KerberosTime(NOW + 7_200)),
        caddr: None,
        authorization_data: None,
    };
    part.to_der()
}

pub(super) fn sealed_ticket(plain: &[u8]) -> Vec<u8> {
    let cipher = key().encrypt(KeyUsage::TICKET, &Still, plain);
    let server = principal("host/fuzz");
    let enc_part = EncryptedData { etype: ENCTYPE.number(), kvno: Some(1), cipher: &cipher };
    Ticket { tkt_vno: PVNO, realm: GeneralString("FUZZ"), sname: server.to_wire(), enc_part }.to_der()
}

pub(super) fn checksum_of(delegated: &[u8]) -> Vec<u8> {
    let flags = Flags::MUTUAL | Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY;
    GssChecksum::new(None, flags, Some(delegated)).to_octets().unwrap_or_default()
}

pub(super) fn authenticator(checksum: &[u8]) -> Vec<u8> {
    let (key, client) = (key(), principal("alice"));
    let checksum = TypedOctets { number: NUMBER, octets: checksum.into() };
    let authenticator = Authenticator {
        authenticator_vno: PVNO,
        crealm: GeneralString("FUZZ"),
        cname: client.to_wire(),
        cksum: Some(Checksum { cksumtype: checksum.number, checksum: &checksum.octets }),
        cusec: 0,
        ctime: KerberosTime(NOW),
        subkey: Some(wire_key(&key)),
        seq_number: Some(1),
        authorization_data: None,
    };
    authenticator.to_der()
}

pub(super) fn request(ticket: &[u8], authenticator: &[u8]) -> Vec<u8> {
    request_by(&key(), ticket, authenticator)
}

/// A request whose authenticator is sealed in this session key.
pub(super) fn request_by(session: &Key, ticket: &[u8], authenticator: &[u8]) -> Vec<u8> {
    let ticket = sealed_ticket(ticket);
    let cipher = session.encrypt(KeyUsage::AP_REQ_AUTHENTICATOR, &Still, authenticator);
    let Ok(ticket) = Raw::from_der(&ticket) else { return Vec::new() };
    let authenticator = EncryptedData { etype: session.enctype().number(), kvno: None, cipher: &cipher };
    let ap_options = ApOptions::MUTUAL_REQUIRED;
    ApReq { pvno: PVNO, msg_type: msg_type::AP_REQ, ap_options, ticket, authenticator }.to_der()
}

/// A good request by this ticket.
pub(super) fn request_of(ticket: &[u8]) -> Vec<u8> {
    request(ticket, &authenticator(&checksum_of(&krb_cred(&cred_part()))))
}

pub(super) fn cred_part() -> Vec<u8> {
    let (key, client) = (key(), principal("alice"));
    let server = Principal::ticket_granting("FUZZ", "FUZZ");
    let info = KrbCredInfo {
        key: wire_key(&key),
        prealm: Some(GeneralString("FUZZ")),
        pname: Some(client.to_wire()),
        flags: Some(TicketFlags::FORWARDABLE),
        authtime: Some(KerberosTime(NOW)),
        starttime: Some(KerberosTime(NOW)),
        endtime: Some(KerberosTime(NOW + 3_600)),
        renew_till: None,
        srealm: Some(GeneralString("FUZZ")),
        sname: Some(server.to_wire()),
        caddr: None,
    };
    let part = EncKrbCredPart {
        ticket_info: vec![info],
        nonce: None,
        timestamp: Some(Timestamp::from_seconds(NOW).into()),
        usec: Some(0),
        s_address: None,
        r_address: None,
    };
    part.to_der()
}

pub(super) fn krb_cred(plain: &[u8]) -> Vec<u8> {
    let cipher = key().encrypt(KeyUsage::KRB_CRED, &Still, plain);
    let ticket = sealed_ticket(&ticket_part());
    let Ok(ticket) = Raw::<Ticket<'_>>::from_der(&ticket) else { return Vec::new() };
    let enc_part = EncryptedData { etype: ENCTYPE.number(), kvno: None, cipher: &cipher };
    KrbCred { pvno: PVNO, msg_type: msg_type::KRB_CRED, tickets: vec![ticket], enc_part }.to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unaltered_tokens_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        for part in 0..4 {
            assert!(sealed_acceptor_token(&[part]));
        }
        assert!(sealed_ap_rep(&[]));
        assert!(sealed_krb_cred(&[]));
    }

    #[test]
    fn one_altered_octet_under_the_seal_never_panics() {
        let alterations = |length: u16| {
            (0..length).flat_map(|place| [1_u8, 0x80, 0xff].map(|more| (place.to_be_bytes(), more)))
        };
        for part in 0..4 {
            let taken = alterations(400)
                .filter(|([high, low], more)| sealed_acceptor_token(&[part, *high, *low, *more]))
                .count();
            assert!(part == 2 || taken > 0, "part {part} has free octets");
        }
        assert!(alterations(80).any(|([high, low], more)| sealed_ap_rep(&[high, low, more])));
        assert!(alterations(200).any(|([high, low], more)| sealed_krb_cred(&[high, low, more])));
    }
}
