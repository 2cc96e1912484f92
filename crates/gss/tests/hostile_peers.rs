//! Peers that hold the keys and still do wrong: rules that were learnt from others' vulnerabilities, each with the
//! number it is known by where it has one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use crate::common::{NOW, Pair, State};
use orthros_crypto::{Enctype, Key, KeyUsage, Part};
use orthros_gss::context::AwaitToken;
use orthros_gss::error::{BadToken, Refusal};
use orthros_gss::{Context, Error, Flags, Major, Order, Piece, Step};
use orthros_krb5::ap::ApRefusal;
use orthros_krb5::wire::{
    ApOptions, ApReq, Authenticator, Checksum, EncKrbCredPart, Encode, EncryptedData, EncryptionKey,
    GeneralString, KerberosTime, KrbCred, KrbCredInfo, Raw, SecretOctets, Ticket, msg_type,
};
use orthros_krb5::{Credential, ErrorCode, Principal};
use orthros_wire::der::Decode;
use orthros_wire::testing::SeededRandom;

/// An acceptor and the key that its initiator uses, for tokens made by hand.
fn acceptor_and_key(pair: &Pair, enctype: Enctype) -> (Context, Key) {
    let key = Key::random(enctype, &SeededRandom::new(9));
    let state = State {
        acceptor: true,
        flags: Flags::REPLAY | Flags::SEQUENCE | Flags::CONFIDENTIALITY,
        end: orthros_wire::Timestamp::from_seconds(NOW + 3_600),
        send: 0,
        receive: 0,
        base_key: &key,
        acceptor_subkey: None,
    };
    (pair.context(&state), key)
}

fn header(flags: u8, extra_count: u16, sequence: u8) -> [u8; 16] {
    let [e0, e1] = extra_count.to_be_bytes();
    [5, 4, flags, 0xff, e0, e1, 0, 0, 0, 0, 0, 0, 0, 0, 0, sequence]
}

fn sealed(key: &Key, header: &[u8], plain: &[u8]) -> Vec<u8> {
    [header, &key.encrypt(KeyUsage::INITIATOR_SEAL, &SeededRandom::new(4), plain)].concat()
}

#[test]
fn cve_2024_37371_a_sealed_text_shorter_than_a_header_is_refused() {
    let pair = Pair::new();
    for enctype in Enctype::STRONG {
        let (acceptor, key) = acceptor_and_key(&pair, *enctype);
        for length in 0..16 {
            let token = sealed(&key, &header(2, 0, 0), &header(2, 0, 0)[16 - length..]);
            assert_eq!(acceptor.unwrap(&token), Err(Error::Token(BadToken::Integrity)), "{length} octets");
        }
        let empty = acceptor.unwrap(&sealed(&key, &header(2, 0, 0), &header(2, 0, 0))).unwrap();
        assert_eq!((empty.message, empty.order), (Vec::new(), Order::InOrder));
    }
}

#[test]
fn cve_2024_37370_the_filler_is_what_the_sealed_header_says() {
    let pair = Pair::new();
    let (acceptor, key) = acceptor_and_key(&pair, Enctype::Aes256CtsHmacSha384);
    let plain = [b"message", &[0; 5][..]].concat();
    for count in [0, 1, 4, 6, 12, 13, 16, 0xffff] {
        let inner = header(2, 5, 0);
        let token = sealed(&key, &header(2, count, 0), &[&plain[..], &inner].concat());
        assert_eq!(acceptor.unwrap(&token), Err(Error::Token(BadToken::Integrity)), "{count}");
    }
    for count in [13, 16, 0xffff] {
        let both = header(2, count, 0);
        let token = sealed(&key, &both, &[&plain[..], &both].concat());
        assert_eq!(acceptor.unwrap(&token), Err(Error::Token(BadToken::Integrity)), "{count} in both");
    }
    let both = header(2, 5, 0);
    let token = sealed(&key, &both, &[&plain[..], &both].concat());
    assert_eq!(acceptor.unwrap(&token).unwrap().message, b"message");
}

/// A sealed message in pieces, by its header and what follows the data: all in one piece before its tag.
fn sealed_pieces(key: &Key, data: &[u8], behind: &[u8]) -> [Vec<u8>; 3] {
    let (mut confounder, mut tag) =
        (vec![0; key.enctype().confounder_len()], vec![0; key.enctype().tag_len()]);
    let (mut data, mut behind) = (data.to_vec(), behind.to_vec());
    let mut parts = [Part::Sealed(&mut data), Part::Sealed(&mut behind)];
    let random = SeededRandom::new(4);
    key.seal_parts(KeyUsage::INITIATOR_SEAL, &random, &mut confounder, &mut parts, &mut tag).unwrap();
    [confounder, data, [behind, tag].concat()]
}

/// How an acceptor takes these pieces: as such, with and without a trailer, and as one token. All must agree.
fn verdict(acceptor: &Context, header: [u8; 16], sealed: &[Vec<u8>; 3]) -> Vec<Result<Vec<u8>, Error>> {
    let [confounder, data, trailer] = sealed;
    let with_trailer = {
        let (mut head, mut data, mut trailer) =
            ([&header[..], confounder].concat(), data.clone(), trailer.clone());
        let pieces = &mut [Piece::Header(&mut head), Piece::Data(&mut data), Piece::Trailer(&mut trailer)];
        acceptor.unwrap_pieces(pieces).map(|_| data)
    };
    let without = {
        let mut turned = header;
        turned[6..8].copy_from_slice(&u16::try_from(trailer.len()).unwrap().to_be_bytes());
        let (mut head, mut data) = ([&turned[..], trailer, confounder].concat(), data.clone());
        let pieces = &mut [Piece::Header(&mut head), Piece::Data(&mut data)];
        acceptor.unwrap_pieces(pieces).map(|_| data)
    };
    let mut token = [&header[..], confounder, data, trailer].concat();
    let stream = acceptor.unwrap_stream(&mut token, &[], &[]).map(|(range, _)| token[range].to_vec());
    vec![with_trailer, without, stream]
}

#[test]
fn cve_2024_37370_the_filler_of_pieces_is_what_the_sealed_header_says() {
    let pair = Pair::new();
    for enctype in Enctype::STRONG {
        let (acceptor, key) = acceptor_and_key(&pair, *enctype);
        for count in [0, 1, 4, 6, 12, 16, 28, 33, 0xffff] {
            let sealed = sealed_pieces(&key, b"message", &[&[0xff; 5][..], &header(2, 5, 0)].concat());
            for taken in verdict(&acceptor, header(2, count, 0), &sealed) {
                assert!(matches!(taken, Err(Error::Token(_))), "{enctype}, {count}: {taken:?}");
            }
            // The same number in both, and not so much filler.
            let sealed = sealed_pieces(&key, b"message", &header(2, count, 0));
            for taken in verdict(&acceptor, header(2, count, 0), &sealed).into_iter().filter(|_| count > 12) {
                assert!(matches!(taken, Err(Error::Token(_))), "{enctype}, {count} in both: {taken:?}");
            }
        }
        let sealed = sealed_pieces(&key, b"message", &[&[0xff; 5][..], &header(2, 5, 0)].concat());
        let [first, ..] = &verdict(&acceptor, header(2, 5, 0), &sealed)[..] else { panic!() };
        assert_eq!(first.as_deref(), Ok(&b"message"[..]));
    }
}

#[test]
fn cve_2024_37371_pieces_shorter_than_a_header_are_refused() {
    let pair = Pair::new();
    for enctype in Enctype::STRONG {
        let (acceptor, key) = acceptor_and_key(&pair, *enctype);
        for length in 0..16 {
            let sealed = sealed_pieces(&key, b"", &header(2, 0, 0)[16 - length..]);
            for taken in verdict(&acceptor, header(2, 0, 0), &sealed) {
                assert!(matches!(taken, Err(Error::Token(_))), "{enctype}, {length} octets: {taken:?}");
            }
        }
        let sealed = sealed_pieces(&key, b"", &header(2, 0, 0));
        for taken in verdict(&acceptor, header(2, 0, 0), &sealed) {
            assert_eq!(taken, Ok(Vec::new()), "{enctype}");
        }
    }
}

#[test]
fn a_number_in_the_clear_header_other_than_the_sealed_one_is_refused() {
    let pair = Pair::new();
    let (acceptor, key) = acceptor_and_key(&pair, Enctype::Aes128CtsHmacSha256);
    let token = sealed(&key, &header(2, 0, 9), &header(2, 0, 0));
    assert_eq!(acceptor.unwrap(&token), Err(Error::Token(BadToken::Integrity)));
}

#[test]
fn a_sealed_token_is_not_taken_for_a_signed_one_nor_a_mic_for_a_wrap() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    for mut token in [initiator.wrap(b"x").unwrap(), initiator.wrap_integrity(b"x").unwrap()] {
        assert!(acceptor.verify_mic(b"x", &token).is_err());
        token[2] ^= 2;
        assert!(acceptor.unwrap(&token).is_err());
    }
    assert_eq!(acceptor.unwrap(&initiator.mic(b"x").unwrap()), Err(Error::Token(BadToken::WrongKind)));
}

#[test]
fn cve_2014_4342_a_token_of_rfc_1964_is_refused() {
    let pair = Pair::new();
    let (_, acceptor) = pair.established();
    // TOK_ID 02 01 is wrap, 01 01 is MIC; framed as RFC 1964 has them, and bare.
    for inner in
        [[&[2, 1, 0, 0, 0xff, 0xff, 0xff, 0xff][..], &[0; 24]].concat(), [&[1, 1][..], &[0; 20]].concat()]
    {
        let length = u8::try_from(inner.len() + 11).unwrap();
        let framed =
            [&[0x60, length][..], &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2], &inner].concat();
        for token in [inner, framed] {
            assert_eq!(acceptor.unwrap(&token).unwrap_err().major(), Major::DefectiveToken);
            assert_eq!(acceptor.verify_mic(b"x", &token).unwrap_err().major(), Major::DefectiveToken);
        }
    }
}

#[test]
fn cve_2022_3437_a_frame_without_content_or_with_a_lying_length_is_refused() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let mechanism = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
    let empty: [&[u8]; 7] = [
        &[],
        &[0x60],
        &[0x60, 0],
        &[0x60, 0x80],
        &[0x60, 0x84, 0xff, 0xff, 0xff, 0xff],
        &[0x60, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[5, 4],
    ];
    let framed = |length: u8| [&[0x60, length][..], &mechanism, &[1, 0]].concat();
    let lying = [0, 10, 12, 14, 0x7f].map(framed);
    for token in empty.into_iter().chain(lying.iter().map(Vec::as_slice)) {
        for context in [&initiator, &acceptor] {
            assert_eq!(context.unwrap(token).unwrap_err().major(), Major::DefectiveToken);
            assert_eq!(context.verify_mic(b"x", token).unwrap_err().major(), Major::DefectiveToken);
        }
        let Step::Receive(wait) = pair.accept().start() else { panic!() };
        let Step::Failed(error) = wait.token(token) else { panic!("{token:?} is answered") };
        assert_eq!(error.major(), Major::DefectiveToken, "{token:?}");
    }
}

#[test]
fn tokens_of_another_context_and_ones_own_are_refused() {
    let pair = Pair::new();
    let (initiator, acceptor) = pair.established();
    let (other, _) = pair.established();
    let (sealed, signed, mic) =
        (other.wrap(b"x").unwrap(), other.wrap_integrity(b"x").unwrap(), other.mic(b"x").unwrap());
    assert_eq!(acceptor.unwrap(&sealed), Err(Error::Token(BadToken::Integrity)));
    assert_eq!(acceptor.unwrap(&signed), Err(Error::Token(BadToken::Integrity)));
    assert_eq!(acceptor.verify_mic(b"x", &mic), Err(Error::Token(BadToken::Integrity)));
    for (own, flag) in [(&initiator, 1), (&acceptor, 1)] {
        let (mut wrapped, mut mic) = (own.wrap(b"x").unwrap(), own.mic(b"x").unwrap());
        assert_eq!(own.unwrap(&wrapped), Err(Error::Token(BadToken::WrongDirection)));
        assert_eq!(own.verify_mic(b"x", &mic), Err(Error::Token(BadToken::WrongDirection)));
        (wrapped[2], mic[2]) = (wrapped[2] ^ flag, mic[2] ^ flag);
        assert_eq!(own.unwrap(&wrapped), Err(Error::Token(BadToken::Integrity)));
        assert_eq!(own.verify_mic(b"x", &mic), Err(Error::Token(BadToken::Integrity)));
    }
}

/// A client's ticket for the service.
fn service_ticket(pair: &Pair) -> Arc<Credential> {
    pair.established();
    pair.alice
        .ticket_for(&"host/x.test@TEST".parse().unwrap(), orthros_wire::Timestamp::from_seconds(NOW))
        .unwrap()
}

fn framed(kind: [u8; 2], message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(11 + 2 + message.len()).unwrap().to_be_bytes();
    let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
    let head = match length {
        [0, short] if short < 0x80 => vec![0x60, short],
        [0, short] => vec![0x60, 0x81, short],
        [high, low] => vec![0x60, 0x82, high, low],
    };
    [&head[..], &oid, &kind, message].concat()
}

/// A request whose authenticator has this checksum and this client.
fn request(ticket: &Credential, client: &Principal, checksum: Option<(i32, &[u8])>) -> Vec<u8> {
    let authenticator = Authenticator {
        authenticator_vno: 5,
        crealm: GeneralString(client.realm()),
        cname: client.to_wire(),
        cksum: checksum.map(|(cksumtype, checksum)| Checksum { cksumtype, checksum }),
        cusec: 0,
        ctime: KerberosTime(NOW),
        subkey: None,
        seq_number: Some(1),
        authorization_data: None,
    };
    let plain = authenticator.to_der();
    let cipher = ticket.key.encrypt(KeyUsage::AP_REQ_AUTHENTICATOR, &SeededRandom::new(3), &plain);
    let enc_part = EncryptedData { etype: ticket.key.enctype().number(), kvno: None, cipher: &cipher };
    let request = ApReq {
        pvno: 5,
        msg_type: msg_type::AP_REQ,
        ap_options: ApOptions::default(),
        ticket: Raw::<Ticket<'_>>::from_der(&ticket.ticket).unwrap(),
        authenticator: enc_part,
    };
    framed([1, 0], &request.to_der())
}

/// The checksum of RFC 4121 §4.1.1 with these flags, and a delegated KRB-CRED if there is one.
fn checksum(flags: u32, delegated: Option<&[u8]>) -> Vec<u8> {
    let mut octets = [&[16, 0, 0, 0][..], &[0; 16], &flags.to_le_bytes()].concat();
    if let Some(delegated) = delegated {
        octets.extend_from_slice(&[1, 0]);
        octets.extend_from_slice(&u16::try_from(delegated.len()).unwrap().to_le_bytes());
        octets.extend_from_slice(delegated);
    }
    octets
}

fn waiting(pair: &Pair) -> AwaitToken {
    match pair.accept().start() {
        Step::Receive(wait) => wait,
        other => panic!("{other:?}"),
    }
}

/// How it ends for the acceptor, and whether the peer was told by an error token.
fn accepted(pair: &Pair, token: &[u8]) -> (Result<Context, Error>, bool) {
    pair.replay.lock().unwrap().clear();
    ended(pair, waiting(pair).token(token))
}

fn ended(pair: &Pair, mut step: Step) -> (Result<Context, Error>, bool) {
    let mut told = false;
    loop {
        step = match step {
            Step::Need(need) => pair.provide(need),
            Step::Send(owed) => {
                told |= owed.token().windows(2).any(|octets| octets == [3, 0]);
                owed.sent()
            }
            Step::Done(context) => return (Ok(context), told),
            Step::Failed(error) => return (Err(error), told),
            Step::Receive(_) => panic!("one token should do"),
        };
    }
}

#[test]
fn cve_2010_1321_an_authenticator_without_the_gss_checksum_is_refused() {
    let pair = Pair::new();
    let ticket = service_ticket(&pair);
    let alice = "alice@TEST".parse().unwrap();
    let good = checksum(0, None);
    assert!(accepted(&pair, &request(&ticket, &alice, Some((0x8003, &good)))).0.is_ok());
    let keyed = ticket.key.checksum(KeyUsage::AP_REQ_AUTHENTICATOR, &[b""]);
    // None; CRC-32, MD5, SHA-1, which have no key; one with a key, that is not this mechanism's.
    let others: [Option<(i32, &[u8])>; 7] = [
        None,
        Some((1, &[0; 4])),
        Some((7, &[0; 16])),
        Some((14, &[0; 20])),
        Some((20, &keyed)),
        Some((0x8003, &[])),
        Some((0x8003, &good[..23])),
    ];
    for other in others {
        let (outcome, told) = accepted(&pair, &request(&ticket, &alice, other));
        assert_eq!(outcome.unwrap_err(), Error::Refused(Refusal::Checksum));
        assert!(told);
    }
}

#[test]
fn a_client_who_holds_anothers_ticket_is_refused() {
    let pair = Pair::new();
    let ticket = service_ticket(&pair);
    let good = checksum(0, None);
    for name in ["mallory@TEST", "alice@OTHER", "alice/admin@TEST"] {
        let (outcome, told) =
            accepted(&pair, &request(&ticket, &name.parse().unwrap(), Some((0x8003, &good))));
        assert_eq!(outcome.unwrap_err(), Error::Refused(Refusal::Ap(ApRefusal::Mismatch)), "{name}");
        assert!(told);
    }
}

/// A KRB-CRED of so many tickets and so many descriptions, whose client is `client`.
fn krb_cred(pair: &Pair, key: &Key, tickets: usize, infos: usize, client: Option<&Principal>) -> Vec<u8> {
    let granting = pair.alice.tickets().swap_remove(0);
    let info = || KrbCredInfo {
        key: EncryptionKey {
            keytype: granting.key.enctype().number(),
            keyvalue: SecretOctets(granting.key.expose_octets()),
        },
        prealm: client.map(|client| GeneralString(client.realm())),
        pname: client.map(Principal::to_wire),
        flags: Some(granting.flags),
        authtime: Some(KerberosTime(NOW)),
        starttime: None,
        endtime: Some(granting.times.endtime),
        renew_till: None,
        srealm: Some(GeneralString("TEST")),
        sname: Some(granting.server.to_wire()),
        caddr: None,
    };
    let part = EncKrbCredPart {
        ticket_info: (0..infos).map(|_| info()).collect(),
        nonce: None,
        timestamp: Some(KerberosTime(NOW)),
        usec: Some(0),
        s_address: None,
        r_address: None,
    };
    let cipher = key.encrypt(KeyUsage::KRB_CRED, &SeededRandom::new(5), &part.to_der());
    let ticket = || Raw::<Ticket<'_>>::from_der(&granting.ticket).unwrap();
    let cred = KrbCred {
        pvno: 5,
        msg_type: msg_type::KRB_CRED,
        tickets: (0..tickets).map(|_| ticket()).collect(),
        enc_part: EncryptedData { etype: key.enctype().number(), kvno: None, cipher: &cipher },
    };
    cred.to_der()
}

#[test]
fn a_delegated_credential_that_lacks_tickets_descriptions_or_its_client_is_refused() {
    let pair = Pair::new();
    let ticket = service_ticket(&pair);
    let alice: Principal = "alice@TEST".parse().unwrap();
    let mallory: Principal = "mallory@TEST".parse().unwrap();
    let outcome =
        |cred: &[u8]| accepted(&pair, &request(&ticket, &alice, Some((0x8003, &checksum(1, Some(cred)))))).0;
    let good = outcome(&krb_cred(&pair, &ticket.key, 1, 1, Some(&alice))).unwrap();
    assert_eq!(good.delegated_credential().unwrap().tickets().len(), 1);
    for (tickets, infos, client) in [
        (0, 0, Some(&alice)),
        (0, 1, Some(&alice)),
        (1, 0, Some(&alice)),
        (2, 1, Some(&alice)),
        (1, 2, Some(&alice)),
        (1, 1, Some(&mallory)),
        (1, 1, None),
    ] {
        let refused = outcome(&krb_cred(&pair, &ticket.key, tickets, infos, client)).unwrap_err();
        assert_eq!(refused, Error::Refused(Refusal::Delegation), "{tickets} tickets, {infos} descriptions");
    }
    let foreign = Key::random(ticket.key.enctype(), &SeededRandom::new(6));
    let refused = outcome(&krb_cred(&pair, &foreign, 1, 1, Some(&alice))).unwrap_err();
    assert_eq!(refused, Error::Refused(Refusal::Delegation));
}

#[test]
fn each_end_refuses_the_tokens_that_only_the_other_gets() {
    let pair = Pair::new();
    pair.established();
    let (request, reply) = {
        let sent = pair.sent.lock().unwrap();
        (sent[0].clone(), sent[1].clone())
    };
    let (outcome, told) = accepted(&pair, &reply);
    assert_eq!((outcome.unwrap_err(), told), (Error::Token(BadToken::WrongKind), false));
    let Step::Send(owed) = pair.initiate_full().start() else { panic!() };
    let Step::Receive(wait) = owed.sent() else { panic!() };
    let (outcome, told) = ended(&pair, wait.token(&request));
    assert_eq!((outcome.unwrap_err(), told), (Error::Token(BadToken::WrongKind), false));
}

#[test]
fn an_error_token_ends_either_side_and_is_not_answered() {
    let pair = Pair::new();
    pair.established();
    // The acceptor's own error token, for a request it can't read.
    let request = pair.sent.lock().unwrap()[0].clone();
    let Step::Need(need) = waiting(&pair).token(&request) else { panic!() };
    let Step::Send(owed) = pair.provide(need) else { panic!() };
    let error = owed.token().to_vec();
    let remote = |outcome: Result<Context, Error>| match outcome {
        Err(Error::Refused(Refusal::Remote(remote))) => remote.code,
        other => panic!("{other:?}"),
    };
    let (outcome, told) = accepted(&pair, &error);
    assert_eq!((remote(outcome), told), (ErrorCode::REPEAT, false));
    let Step::Send(owed) = pair.initiate_full().start() else { panic!() };
    let Step::Receive(wait) = owed.sent() else { panic!() };
    let (outcome, told) = ended(&pair, wait.token(&error));
    assert_eq!((remote(outcome), told), (ErrorCode::REPEAT, false));
    for cut in 0..error.len() {
        let (outcome, told) = accepted(&pair, &error[..cut]);
        assert_eq!((outcome.unwrap_err().major(), told), (Major::DefectiveToken, false));
    }
}

#[test]
fn another_mechanisms_token_is_called_that() {
    let pair = Pair::new();
    let ntlm = [0x60, 14, 6, 10, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 2, 10, 0x4e, 0x54];
    let (outcome, told) = accepted(&pair, &ntlm);
    assert_eq!((outcome.unwrap_err().major(), told), (Major::BadMechanism, false));
}

#[test]
fn a_clock_that_differs_by_the_skew_is_accepted_and_by_a_second_more_refused() {
    let pair = Pair::new();
    let ticket = service_ticket(&pair);
    let token = request(&ticket, &"alice@TEST".parse().unwrap(), Some((0x8003, &checksum(0, None))));
    for (offset, fits) in [(300, true), (301, false), (-300, true), (-301, false)] {
        pair.clock.set(orthros_wire::Timestamp::from_seconds(NOW + offset));
        let (outcome, _) = accepted(&pair, &token);
        match outcome {
            Ok(_) => assert!(fits, "{offset} s"),
            Err(error) => {
                assert!(!fits, "{offset} s");
                assert_eq!(error.kerberos_code(), Some(ErrorCode::SKEW));
            }
        }
    }
}
