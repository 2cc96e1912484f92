//! KRB-CRED: tickets on the way to an acceptor that shall act for the client (RFC 4120 §3.6, §5.8).

use std::sync::Arc;

use orthros_crypto::{Enctype, KeyUsage, SessionKey};
use orthros_wire::der::KerberosTime;
use orthros_wire::{Random, Timestamp};

use super::{ApRefusal, key_from_wire, key_to_wire, microseconds};
use crate::sealed::open_message;
use crate::wire::{
    Decode, DerError, EncKrbCredPart, Encode, EncryptedData, GeneralString, KrbCred, KrbCredInfo, PVNO, Raw,
    Ticket, msg_type,
};
use crate::{Credential, Principal, TicketTimes};

/// The number of an [`EncryptedData`] that is not encrypted: RFC 3961 §8 reserves 0.
const NO_ENCTYPE: i32 = 0;

/// Seals `credential` for whoever shares `session_key`: the acceptor that the AP-REQ around it is for.
///
/// # Errors
/// [`DerError`] if the ticket in `credential` is no ticket.
pub fn make_credential_message(
    credential: &Credential,
    session_key: &SessionKey,
    now: Timestamp,
    random: &dyn Random,
) -> Result<Vec<u8>, DerError> {
    let time = |time: KerberosTime| (time.0 != 0).then_some(time);
    let info = KrbCredInfo {
        key: key_to_wire(&credential.key),
        prealm: Some(GeneralString(credential.client.realm())),
        pname: Some(credential.client.to_wire()),
        flags: Some(credential.flags),
        authtime: time(credential.times.authtime),
        starttime: time(credential.times.starttime),
        endtime: time(credential.times.endtime),
        renew_till: time(credential.times.renew_till),
        srealm: Some(GeneralString(credential.server.realm())),
        sname: Some(credential.server.to_wire()),
        caddr: None,
    };
    let part = EncKrbCredPart {
        ticket_info: vec![info],
        nonce: None,
        timestamp: Some(now.into()),
        usec: Some(microseconds(now)),
        s_address: None,
        r_address: None,
    };
    let plain = part.to_secret_der();
    let cipher = session_key.encrypt(KeyUsage::KRB_CRED, random, plain.expose_octets());
    Ok(KrbCred {
        pvno: PVNO,
        msg_type: msg_type::KRB_CRED,
        tickets: vec![Raw::<Ticket<'_>>::from_der(&credential.ticket)?],
        enc_part: EncryptedData { etype: session_key.enctype().number(), kvno: None, cipher: &cipher },
    }
    .to_der())
}

/// Opens a KRB-CRED that came in the checksum of an authenticator, with the first of `keys` that fits: RFC 4121
/// §4.1.1 demands the session key, and peers are known that take the client's subkey.
///
/// Heimdal takes no key (enctype 0): the authenticator around the message is sealed in the session key already, and
/// MIT reads that too. Hence `message` must come from nowhere else than an opened authenticator.
///
/// The session keys of the tickets must be of `permitted` enctypes.
///
/// # Errors
/// [`ApRefusal`] if no key opens it, or if it holds other than as many complete descriptions as tickets, at
/// least one.
pub fn open_credential_message(
    message: &[u8],
    keys: &[&SessionKey],
    permitted: &[Enctype],
) -> Result<Vec<Credential>, ApRefusal> {
    let cred = KrbCred::from_der(message)?;
    if cred.pvno != PVNO || cred.msg_type != msg_type::KRB_CRED {
        return Err(ApRefusal::Version);
    }
    let EncryptedData { etype, cipher, .. } = cred.enc_part;
    let opened = keys
        .iter()
        .filter(|key| key.enctype().number() == etype)
        .find_map(|key| open_message(key, KeyUsage::KRB_CRED, cipher).ok());
    let plain = match &opened {
        Some(plain) => plain.as_ref(),
        None if etype == NO_ENCTYPE => cipher,
        None => return Err(ApRefusal::AuthenticatorIntegrity),
    };
    let part = EncKrbCredPart::from_der(plain)?;
    if part.ticket_info.is_empty() || part.ticket_info.len() != cred.tickets.len() {
        return Err(ApRefusal::Mismatch);
    }
    let described = part.ticket_info.iter().zip(&cred.tickets);
    described.map(|(info, ticket)| credential(info, ticket, permitted)).collect()
}

fn credential(
    info: &KrbCredInfo<'_>,
    ticket: &Raw<'_, Ticket<'_>>,
    permitted: &[Enctype],
) -> Result<Credential, ApRefusal> {
    let principal = |name: Option<&_>, realm: Option<GeneralString<'_>>| match (name, realm) {
        (Some(name), Some(realm)) => Principal::from_wire(name, realm.0).map_err(|_| ApRefusal::Mismatch),
        _ => Err(ApRefusal::Mismatch),
    };
    let key = key_from_wire(&info.key, permitted)?;
    let authtime = info.authtime.unwrap_or_default();
    Ok(Credential {
        client: principal(info.pname.as_ref(), info.prealm)?,
        server: principal(info.sname.as_ref(), info.srealm)?,
        key: Arc::new(SessionKey::from(key)),
        times: TicketTimes {
            authtime,
            starttime: info.starttime.unwrap_or(authtime),
            endtime: info.endtime.unwrap_or_default(),
            renew_till: info.renew_till.unwrap_or_default(),
        },
        flags: info.flags.unwrap_or_default(),
        in_session_key: false,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: ticket.octets().into(),
        second_ticket: Arc::new([]),
    })
}

#[cfg(test)]
mod tests {
    use orthros_crypto::Key;
    use orthros_wire::testing::SeededRandom;

    use super::*;

    fn key(octet: u8) -> SessionKey {
        let enctype = Enctype::Aes256CtsHmacSha384;
        SessionKey::from(Key::new(enctype, &vec![octet; enctype.key_len()]).unwrap())
    }

    fn delegated() -> Credential {
        let server: Principal = "krbtgt/EXAMPLE.COM@EXAMPLE.COM".parse().unwrap();
        let enc_part = EncryptedData { etype: 20, kvno: None, cipher: b"sealed" };
        let realm = GeneralString(server.realm());
        let ticket = Ticket { tkt_vno: PVNO, realm, sname: server.to_wire(), enc_part }.to_der();
        Credential {
            client: "alice@EXAMPLE.COM".parse().unwrap(),
            key: Arc::new(key(3)),
            times: TicketTimes::default(),
            flags: crate::wire::TicketFlags::FORWARDED,
            in_session_key: false,
            addresses: Vec::new(),
            authorization_data: Vec::new(),
            ticket: ticket.into(),
            second_ticket: Arc::new([]),
            server,
        }
    }

    fn sealed() -> Vec<u8> {
        let now = Timestamp { seconds: 5, microseconds: 0 };
        make_credential_message(&delegated(), &key(1), now, &SeededRandom::new(1)).unwrap()
    }

    #[test]
    fn a_message_sealed_in_another_key_is_refused() {
        assert!(open_credential_message(&sealed(), &[&key(2), &key(1)], Enctype::STRONG).is_ok());
        let refused = open_credential_message(&sealed(), &[&key(2)], Enctype::STRONG);
        assert!(matches!(refused, Err(ApRefusal::AuthenticatorIntegrity)), "{refused:?}");
    }

    #[test]
    fn a_message_without_encryption_holds_the_ticket() {
        let octets = sealed();
        let mut message = KrbCred::from_der(&octets).unwrap();
        let plain = key(1).decrypt(KeyUsage::KRB_CRED, message.enc_part.cipher).unwrap();
        message.enc_part = EncryptedData { etype: NO_ENCTYPE, kvno: None, cipher: &plain };
        let opened = open_credential_message(&message.to_der(), &[&key(1)], Enctype::STRONG).unwrap();
        assert_eq!(opened[0].ticket, delegated().ticket);
        assert_eq!(opened[0].client, delegated().client);
    }

    #[test]
    fn a_delegated_ticket_with_a_session_key_that_is_not_permitted_is_refused() {
        let refused =
            open_credential_message(&sealed(), &[&key(1)], &[Enctype::Aes128CtsHmacSha1]).unwrap_err();
        assert_eq!(refused, ApRefusal::SessionEnctype(crate::permitted::NotPermitted { number: 20 }));
    }

    #[test]
    fn a_sealed_message_that_claims_to_have_no_encryption_is_refused() {
        let octets = sealed();
        let mut message = KrbCred::from_der(&octets).unwrap();
        message.enc_part.etype = NO_ENCTYPE;
        assert!(open_credential_message(&message.to_der(), &[&key(1)], Enctype::STRONG).is_err());
    }
    #[test]
    fn a_message_of_another_version_or_type_is_refused() {
        let octets = sealed();
        for (pvno, msg_type) in [(4, msg_type::KRB_CRED), (PVNO, msg_type::AP_REQ)] {
            let message = KrbCred { pvno, msg_type, ..KrbCred::from_der(&octets).unwrap() };
            let refused = open_credential_message(&message.to_der(), &[&key(1)], Enctype::STRONG);
            assert_eq!(refused.unwrap_err(), ApRefusal::Version);
        }
    }

    #[test]
    fn tickets_and_descriptions_of_different_numbers_are_refused() {
        let octets = sealed();
        let message = KrbCred::from_der(&octets).unwrap();
        let plain = key(1).decrypt(KeyUsage::KRB_CRED, message.enc_part.cipher).unwrap();
        for (descriptions, tickets) in [(1, 1), (2, 2), (0, 0), (0, 1), (1, 0), (1, 2), (2, 1)] {
            let mut part = EncKrbCredPart::from_der(&plain).unwrap();
            part.ticket_info = (0..descriptions)
                .flat_map(|_| EncKrbCredPart::from_der(&plain).unwrap().ticket_info)
                .collect();
            let plain = part.to_secret_der();
            let mut message = KrbCred::from_der(&octets).unwrap();
            message.tickets =
                (0..tickets).flat_map(|_| KrbCred::from_der(&octets).unwrap().tickets).collect();
            message.enc_part = EncryptedData { etype: NO_ENCTYPE, kvno: None, cipher: plain.expose_octets() };
            let opened = open_credential_message(&message.to_der(), &[&key(1)], Enctype::STRONG);
            if descriptions == tickets && tickets > 0 {
                assert_eq!(opened.unwrap().len(), tickets);
            } else {
                assert_eq!(opened.unwrap_err(), ApRefusal::Mismatch, "{descriptions} of {tickets}");
            }
        }
    }
}
