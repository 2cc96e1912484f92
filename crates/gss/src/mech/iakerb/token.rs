//! The tokens that carry messages to and from a KDC, as octets (draft-ietf-kitten-iakerb §3).
//!
//! `05 01 | IAKERB-HEADER | message`; the initiator's first token is framed (RFC 2743 §3.1), others need not be.

use orthros_wire::der::{Decode, DerError, DerReader, DerWriter, Encode, Tag};
use orthros_wire::sequence;

use crate::error::{BadToken, Error, Refusal};
use crate::framing;
use crate::mechanism::IAKERB_OID;

/// What a token begins with that carries a message.
const PROXY: [u8; 2] = [5, 1];

const UTF8_STRING: Tag = Tag(0x0c);

/// The name of a realm: a UTF8String by the draft, and an OCTET STRING where MIT krb5 speaks, which takes nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TargetRealm<'a>(pub &'a str);

impl<'a> Decode<'a> for TargetRealm<'a> {
    fn decode(reader: &mut DerReader<'a>) -> Result<Self, DerError> {
        let (tag, content, _) = reader.any()?;
        if ![Tag::OCTET_STRING, UTF8_STRING].contains(&tag) {
            return Err(DerError::Tag { expected: UTF8_STRING, found: tag });
        }
        std::str::from_utf8(content).map(Self).map_err(|_| DerError::Value("realm"))
    }
}

impl Encode for TargetRealm<'_> {
    fn encode(&self, writer: &mut DerWriter) {
        self.0.as_bytes().encode(writer);
    }
}

sequence! {
    /// What stands before a message (§3.1).
    pub struct Header<'a> {
        /// The realm whose KDC is meant; empty: the initiator asks for the acceptor's.
        1 => target_realm: TargetRealm<'a>,
        /// What the acceptor wants to have repeated.
        2 => cookie: Option<&'a [u8]>,
        => later
    }
}

/// A token that carries a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Carried<'a> {
    pub(crate) realm: &'a str,
    pub(crate) cookie: Option<&'a [u8]>,
    /// A Kerberos message; empty where only a realm is asked for or told.
    pub(crate) message: &'a [u8],
}

/// Where in the conversation a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The initiator's first.
    First,
    Later,
}

impl<'a> Carried<'a> {
    /// Reads a token; `None` if it is one of the AP exchange.
    pub(crate) fn read(token: &'a [u8], place: Place) -> Result<Option<Self>, Error> {
        let inner = match (place, token) {
            (Place::First, _) | (Place::Later, [0x60, ..]) => {
                let (mechanism, inner) = framing::unframe(token)?;
                if mechanism != IAKERB_OID {
                    return Err(Refusal::Mechanism(mechanism).into());
                }
                inner
            }
            (Place::Later, bare) => bare,
        };
        let Some(body) = inner.strip_prefix(&PROXY) else { return Ok(None) };
        let mut reader = DerReader::new(body);
        let header = Header::decode(&mut reader).map_err(|_| BadToken::Malformed)?;
        let message = reader.rest();
        Ok(Some(Self { realm: header.target_realm.0, cookie: header.cookie, message }))
    }

    /// The token's octets.
    pub(crate) fn write(&self, place: Place) -> Vec<u8> {
        let header = Header { target_realm: TargetRealm(self.realm), cookie: self.cookie }.to_der();
        let parts = [&PROXY[..], &header, self.message];
        match place {
            Place::First => framing::frame(&IAKERB_OID, &parts),
            Place::Later => parts.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_is_as_mit_krb5_makes_it() {
        let token = Carried { realm: "EXAMPLE.COM", cookie: None, message: &[0x6a, 0] }.write(Place::First);
        let octets =
            b"\x60\x1d\x06\x06\x2b\x06\x01\x05\x02\x05\x05\x01\x30\x0f\xa1\x0d\x04\x0bEXAMPLE.COM\x6a\x00";
        assert_eq!(token, octets);
        let read = Carried::read(&token, Place::First).unwrap().unwrap();
        assert_eq!((read.realm, read.cookie, read.message), ("EXAMPLE.COM", None, &[0x6a, 0][..]));
    }

    #[test]
    fn a_realm_is_read_as_the_draft_has_it_too() {
        let token = b"\x05\x01\x30\x0c\xa1\x04\x0c\x02AB\xa2\x04\x04\x02cd\x01\x02";
        let read = Carried::read(token, Place::Later).unwrap().unwrap();
        assert_eq!((read.realm, read.cookie, read.message), ("AB", Some(&b"cd"[..]), &[1, 2][..]));
        assert_eq!(Carried::read(token, Place::First), Err(BadToken::Framing.into()), "the first is framed");
    }

    #[test]
    fn a_cut_token_is_never_taken_for_a_whole_one() {
        let token =
            Carried { realm: "EXAMPLE.COM", cookie: Some(b"cookie"), message: b"" }.write(Place::First);
        for cut in 0..token.len() {
            assert!(Carried::read(&token[..cut], Place::First).is_err(), "{cut}");
        }
        let realm_of_no_text = b"\x05\x01\x30\x05\xa1\x03\x0c\x01\xff";
        assert_eq!(Carried::read(realm_of_no_text, Place::Later), Err(BadToken::Malformed.into()));
    }

    #[test]
    fn tokens_of_the_ap_exchange_and_of_other_mechanisms_are_told_apart() {
        let request = framing::frame(&IAKERB_OID, &[&[1, 0], b"AP-REQ"]);
        assert_eq!(Carried::read(&request, Place::First), Ok(None));
        assert_eq!(Carried::read(&request, Place::Later), Ok(None));
        let krb5 = crate::mechanism::KRB5_OID;
        let foreign = framing::frame(&krb5, &[&PROXY, b"\x30\x00"]);
        assert_eq!(Carried::read(&foreign, Place::Later), Err(Refusal::Mechanism(krb5).into()));
    }
}
