//! One part of a good AP-REQ each, under its seal (RFC 4120 §3.2, RFC 4121 §4.1.1). The context says what that part
//! said, or there is none.

use orthros_crypto::{Enctype, Key};
use orthros_krb5::Principal;
use orthros_krb5::credential::TypedOctets;
use orthros_krb5::wire::{
    Authenticator, AuthorizationElement, Decode, EncTicketPart, Encode, TicketFlags, ad_type,
};
use orthros_wire::fuzzing::plain;

use super::handshake::{
    accept, acceptor, authenticator, checksum_of, cred_part, ended, first, krb_cred, request, request_by,
    ticket_part,
};
use super::{NOW, key, settings};
use crate::mech::krb5::checksum::{GssChecksum, NUMBER};
use crate::mech::krb5::{Dress, TokenKind};
use crate::mechanism::KRB5;
use crate::{Context, Flags};

fn token(message: &[u8]) -> Vec<u8> {
    Dress::Framed(&KRB5).token(TokenKind::Request, message)
}

/// A checksum without a delegated ticket.
fn plain_checksum() -> Vec<u8> {
    GssChecksum::new(None, Flags::MUTUAL | Flags::REPLAY, None).to_octets().unwrap_or_default()
}

/// The acceptor's whole state machine under the ticket's plain text. The authenticator is sealed in the session key
/// that this plain text names, if it names one, so that every enctype is reached.
///
/// Returns whether a context came up.
pub fn sealed_ticket(data: &[u8]) -> bool {
    let plain = plain(data, &ticket_part());
    let part = EncTicketPart::from_der(&plain).ok();
    let session = part
        .as_ref()
        .and_then(|part| Key::new(Enctype::from_number(part.key.keytype)?, part.key.keyvalue.0).ok());
    let request = request_by(&session.unwrap_or_else(key), &plain, &authenticator(&plain_checksum()));
    let Some(context) = accept(&token(&request)) else { return false };
    assert!(part.is_some(), "a context came of a ticket that can't be read");
    let Some(part) = part else { return true };
    let skew = i64::from(settings().skew_seconds());
    let start = part.starttime.unwrap_or(part.authtime).0;
    assert!(!part.flags.contains(TicketFlags::INVALID), "a ticket that is not valid yet");
    assert!(start <= NOW + skew && part.endtime.0 >= NOW - skew, "a ticket out of its time");
    assert!(Principal::from_wire(&part.cname, part.crealm.0).as_ref() == Ok(context.initiator()));
    assert_eq!(context.end().seconds, part.endtime.0.saturating_add(skew), "another end than the ticket's");
    assert_eq!(context.authorization_data().len(), part.authorization_data.iter().flatten().count());
    true
}

/// The authenticator's plain text. The ticket names no client but alice@FUZZ, so neither does what is taken.
///
/// Returns whether a context came up.
pub fn sealed_authenticator(data: &[u8]) -> bool {
    let plain = plain(data, &authenticator(&plain_checksum()));
    let Some(context) = accept(&token(&request(&ticket_part(), &plain))) else { return false };
    let part = Authenticator::from_der(&plain);
    assert!(part.is_ok(), "a context came of an authenticator that can't be read");
    let Ok(part) = part else { return true };
    let skew = u64::from(settings().skew_seconds());
    assert!(part.ctime.0.abs_diff(NOW) <= skew, "an authenticator out of its time");
    assert!(Principal::from_wire(&part.cname, part.crealm.0).as_ref() == Ok(context.initiator()));
    assert!(part.cksum.is_some_and(|checksum| checksum.cksumtype == NUMBER), "flags that nobody sent");
    true
}

/// The checksum with bindings, flags, a delegated ticket and extensions. If the second octet is odd, it holds a
/// delegated ticket before it is altered.
///
/// Returns whether a context came up.
pub fn sealed_checksum(data: &[u8]) -> bool {
    let (kind, rest) = data.split_first().unwrap_or((&1, &[]));
    let (delegates, changes) = rest.split_first().unwrap_or((&0, &[]));
    let good = if delegates & 1 == 1 { checksum_of(&krb_cred(&cred_part())) } else { plain_checksum() };
    let plain = plain(&[&[*kind][..], changes].concat(), &good);
    let Some(context) = accept(&token(&request(&ticket_part(), &authenticator(&plain)))) else {
        return false;
    };
    let typed = TypedOctets { number: NUMBER, octets: plain.into() };
    let read = GssChecksum::parse(Some(&typed));
    assert!(read.is_ok(), "a context came of a checksum that can't be read");
    let Ok(read) = read else { return true };
    let asked = Flags::DELEGATION | Flags::MUTUAL | Flags::REPLAY | Flags::SEQUENCE;
    let (given, sent) = (context.flags().intersection(asked), read.flags.intersection(asked));
    assert!(sent.contains(given.with(Flags::MUTUAL, false)), "flags that were not asked for");
    assert_eq!(context.delegated_credential().is_some(), read.delegated.is_some());
    assert!(read.finished.is_none(), "a proof of messages that nobody carried");
    true
}

/// Authorization data: the ticket's if the first octet's second bit is 0, the authenticator's (what a client says of
/// itself, RFC 4537 and MS-KILE) if it is 1.
///
/// Returns whether a context came up.
pub fn sealed_authorization_data(data: &[u8]) -> bool {
    let plain = plain(data, &good_authorization_data());
    let Ok(elements) = Vec::<AuthorizationElement<'_>>::from_der(&plain) else { return false };
    let (mut ticket, mut proof) = (ticket_part(), authenticator(&plain_checksum()));
    if data.first().is_some_and(|kind| kind & 2 != 0) {
        proof = with_options(&proof, elements);
        return established(&ticket, &proof).is_some();
    }
    let count = elements.len();
    ticket = with_restrictions(&ticket, elements);
    let Some(context) = established(&ticket, &proof) else { return false };
    assert_eq!(context.authorization_data().len(), count, "elements were lost");
    for kind in [ad_type::IF_RELEVANT, 1_000] {
        let _ = context.authorization_data_of(kind);
    }
    true
}

fn established(ticket: &[u8], authenticator: &[u8]) -> Option<Context> {
    ended(first(acceptor(), &token(&request(ticket, authenticator))))
}

fn with_restrictions(ticket: &[u8], elements: Vec<AuthorizationElement<'_>>) -> Vec<u8> {
    let Ok(part) = EncTicketPart::from_der(ticket) else { return Vec::new() };
    EncTicketPart { authorization_data: Some(elements), ..part }.to_der()
}

fn with_options(authenticator: &[u8], elements: Vec<AuthorizationElement<'_>>) -> Vec<u8> {
    let Ok(part) = Authenticator::from_der(authenticator) else { return Vec::new() };
    Authenticator { authorization_data: Some(elements), ..part }.to_der()
}

/// An element within others that may be passed over, and the enctypes that a client knows.
pub(super) fn good_authorization_data() -> Vec<u8> {
    let inner = vec![AuthorizationElement { ad_type: 1_000, ad_data: b"fact" }].to_der();
    let enctypes = vec![18, 17].to_der();
    let known =
        vec![AuthorizationElement { ad_type: ad_type::ETYPE_NEGOTIATION, ad_data: &enctypes }].to_der();
    let element = |ad_data| AuthorizationElement { ad_type: ad_type::IF_RELEVANT, ad_data };
    vec![element(&inner), element(&known)].to_der()
}

#[cfg(test)]
mod tests {
    use orthros_wire::fuzzing::altered;

    use super::*;

    #[test]
    fn good_parts_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        assert!(sealed_ticket(&[]));
        assert!(sealed_ticket(&[&[0][..], &ticket_part()].concat()));
        assert!(sealed_authenticator(&[1]));
        for delegates in [0, 1] {
            assert!(sealed_checksum(&[1, delegates]));
        }
        assert!(sealed_authorization_data(&[1]) && sealed_authorization_data(&[3]));
    }

    #[test]
    fn what_is_no_part_at_all_is_refused() {
        assert!(!sealed_ticket(&[0]) && !sealed_authenticator(&[0, 0x62, 0]) && !sealed_checksum(&[0]));
        assert!(!sealed_authorization_data(&[0, 5, 0]));
    }

    /// RFC 4121 §4.1.1 and §4.1.1.1: flags that no standard gives a meaning to, and octets behind that are no extension.
    #[test]
    fn unknown_flags_and_octets_of_a_request_are_ignored() {
        let (low, high) = ([0, 21, 0x80], [0, 23, 0xf0]);
        assert!(sealed_checksum(&[&[1, 0][..], &low, &high].concat()));
        assert!(sealed_checksum(&[&[0, 0][..], &plain_checksum(), b"more"].concat()));
        let flags = established(&ticket_part(), &authenticator(&altered(&plain_checksum(), &high)));
        assert!(flags.is_some_and(|context| context.flags().0 < 1 << 28));
    }
}
