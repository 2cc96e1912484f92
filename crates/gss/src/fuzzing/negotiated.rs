//! Negotiations (RFC 4178) whose mechanism's tokens are good: the fuzzer owns the keys, and so can sign the list.

use orthros_crypto::KeyUsage;
use orthros_wire::Oid;
use orthros_wire::der::{Encode, Enumerated};
use orthros_wire::fuzzing::{altered, plain};

use super::handshake::{acceptor, answered, first, initiator, reply, request_of, ticket_part};
use super::key;
use crate::context::Step;
use crate::framing;
use crate::mech::krb5::{Dress, TokenKind};
use crate::mech::spnego::token::{self, NegTokenInit, NegTokenResp};
use crate::mechanism::{IAKERB_OID, KRB5, KRB5_OID, SPNEGO, SPNEGO_OID};
use crate::message::token::{MicHeader, TokenFlags};

/// What the first octets of an input choose.
#[derive(Clone, Copy)]
struct Said {
    /// This bit: the fuzzer is the acceptor.
    side: u8,
    state: u8,
    fields: u8,
    flags: u8,
    sequence: u8,
}

impl Said {
    const STATE: u8 = 1;
    const MECHANISM: u8 = 2;
    const TOKEN: u8 = 4;
    const MIC: u8 = 8;
    const OTHER_MECHANISM: u8 = 16;

    fn has(self, field: u8) -> bool {
        self.fields & field != 0
    }

    /// The MIC over this list.
    fn mic(self, usage: KeyUsage, list: &[u8]) -> Vec<u8> {
        let header = MicHeader { flags: TokenFlags(self.flags), sequence: self.sequence.into() }.octets();
        [&header[..], &key().checksum(usage, &[list, &header])].concat()
    }

    /// The message with these fields.
    fn response(self, token: &[u8], mic: &[u8]) -> Vec<u8> {
        let other = self.has(Self::OTHER_MECHANISM);
        let mechanism = if other { IAKERB_OID } else { KRB5_OID };
        NegTokenResp {
            neg_state: self.has(Self::STATE).then_some(Enumerated(self.state.into())),
            supported_mech: self.has(Self::MECHANISM).then_some(mechanism),
            response_token: self.has(Self::TOKEN).then_some(token),
            mech_list_mic: self.has(Self::MIC).then_some(mic),
        }
        .write()
    }
}

/// `side | state | fields | flags | sequence | changes`: the end that the fuzzer is signs the offered list with these
/// changes, by a header with these flags and that number, and says these fields of a NegTokenResp. No context comes
/// of another list than was offered.
///
/// Returns whether a context came up.
pub fn sealed_mech_list_mic(data: &[u8]) -> bool {
    let Some((&[side, state, fields, flags, sequence], changes)) = data.split_first_chunk() else {
        return false;
    };
    let said = Said { side, state, fields, flags, sequence };
    let (taken, same) =
        if said.side & 1 == 0 { to_acceptor(said, changes) } else { to_initiator(said, changes) };
    assert!(!taken || !said.has(Said::MIC) || same, "another list was signed than was offered");
    taken
}

/// To an acceptor that wants the proof; whether a context came up, and whether the list was the offered one.
fn to_acceptor(said: Said, changes: &[u8]) -> (bool, bool) {
    let list = token::list(&[KRB5_OID]);
    let signed = altered(&list, changes);
    let request = Dress::Framed(&KRB5).token(TokenKind::Request, &request_of(&ticket_part()));
    let offer = NegTokenInit::write(&list, &request).unwrap_or_default();
    let response = said.response(b"", &said.mic(KeyUsage::INITIATOR_SIGN, &signed));
    (answered(first(acceptor().offer_proved(), &offer), &response).is_some(), signed == list)
}

/// To an initiator that has offered.
fn to_initiator(said: Said, changes: &[u8]) -> (bool, bool) {
    let sending = initiator().mechanism(&SPNEGO).start();
    let Step::Send(owed) = &sending else { return (false, true) };
    let list = offered(owed.token());
    let signed = altered(&list, changes);
    let token = Dress::Framed(&KRB5).token(TokenKind::Reply, &reply(&[]));
    let response = said.response(&token, &said.mic(KeyUsage::ACCEPTOR_SIGN, &signed));
    (answered(sending, &response).is_some(), signed == list)
}

/// The list of mechanisms in an offer, as it was sent.
fn offered(token: &[u8]) -> Vec<u8> {
    let offer = framing::unframe(token).ok().and_then(|(_, inner)| NegTokenInit::read(inner).ok());
    offer.map(|offer| offer.mech_types.octets().to_vec()).unwrap_or_default()
}

/// The offer itself, around a good request: the acceptor's state machine from its first token. If it then waits for
/// the proof, it gets one over the list that was offered.
///
/// Returns whether a context came up.
pub fn sealed_offer(data: &[u8]) -> bool {
    let offer = framing::frame(&SPNEGO_OID, &[&plain(data, &good_offer())]);
    let list = offered(&offer);
    let said = Said { side: 0, state: 1, fields: Said::STATE | Said::MIC, flags: 4, sequence: 1 };
    let step = first(acceptor(), &offer);
    let waits = matches!(&step, Step::Send(owed) if waits_for_proof(owed.token()));
    let context = if waits {
        answered(step, &said.response(b"", &said.mic(KeyUsage::INITIATOR_SIGN, &list)))
    } else {
        super::handshake::ended(step)
    };
    let Some(context) = context else { return false };
    assert_eq!(context.mechanism(), KRB5_OID, "a mechanism that is not here");
    true
}

/// Whether the answer says that more is wanted.
fn waits_for_proof(answer: &[u8]) -> bool {
    NegTokenResp::read(answer).is_ok_and(|read| read.neg_state.is_some_and(|state| state.0 != 0))
}

/// An offer of a mechanism that is not here after the one that is, without its frame.
pub(super) fn good_offer() -> Vec<u8> {
    let unknown: Result<Oid, _> = "1.3.6.1.4.1.311.2.2.10".parse();
    let list: Vec<Oid> = [KRB5_OID].into_iter().chain(unknown).collect();
    let request = Dress::Framed(&KRB5).token(TokenKind::Request, &request_of(&ticket_part()));
    let offer = NegTokenInit::write(&list.to_der(), &request).unwrap_or_default();
    framing::unframe(&offer).map(|(_, inner)| inner.to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use orthros_wire::der::{DerReader, DerWriter, Tag};

    use super::*;

    #[test]
    fn good_proofs_are_taken_so_that_the_fuzzer_starts_past_the_seal() {
        let all = Said::STATE | Said::MECHANISM | Said::TOKEN | Said::MIC;
        // The acceptor wants its proof, and has the token already.
        assert!(sealed_mech_list_mic(&[0, 1, Said::STATE | Said::MIC, 4, 1]));
        assert!(sealed_mech_list_mic(&[1, 0, all, 5, 1]));
        assert!(sealed_mech_list_mic(&[1, 0, all & !Said::MIC, 5, 1]));
        assert!(sealed_offer(&[]));
        assert!(sealed_offer(&[&[0][..], &good_offer()].concat()));
    }

    #[test]
    fn another_list_is_not_proved() {
        let all = Said::STATE | Said::MECHANISM | Said::TOKEN | Said::MIC;
        assert!(!sealed_mech_list_mic(&[0, 1, Said::STATE | Said::MIC, 4, 1, 0, 5, 1]));
        assert!(!sealed_mech_list_mic(&[1, 0, all, 5, 1, 0, 5, 1]));
        assert!(!sealed_mech_list_mic(&[1, 0, all, 4, 1]), "not of the initiator's direction");
    }

    /// RFC 4178 §5.
    #[test]
    fn a_proof_that_is_required_and_missing_is_the_end() {
        assert!(!sealed_mech_list_mic(&[0, 1, Said::STATE, 4, 1]));
        assert!(!sealed_mech_list_mic(&[1, 3, Said::STATE | Said::MECHANISM | Said::TOKEN, 5, 1]));
    }

    /// RFC 4178 §4.2.2.
    #[test]
    fn a_mechanism_that_was_not_offered_is_not_chosen() {
        let all = Said::STATE | Said::MECHANISM | Said::TOKEN | Said::MIC;
        assert!(!sealed_mech_list_mic(&[1, 0, all | Said::OTHER_MECHANISM, 5, 1]));
    }

    /// The good offer with its fields, as octets each, changed.
    fn offer_with(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
        let offer = good_offer();
        let (_, sequence, _) = DerReader::new(&offer).any().unwrap();
        let (_, fields, _) = DerReader::new(sequence).any().unwrap();
        let (mut reader, mut parts) = (DerReader::new(fields), Vec::new());
        while let Ok((_, _, whole)) = reader.any() {
            parts.push(whole.to_vec());
        }
        change(&mut parts);
        let element = |tag, content: &[u8]| {
            let mut writer = DerWriter::default();
            writer.value(tag, |writer| writer.octets(content));
            writer.finish()
        };
        [vec![0], element(Tag::context(0), &element(Tag::SEQUENCE, &parts.concat()))].concat()
    }

    /// RFC 4178 §4.2.1.
    #[test]
    fn flags_of_an_offer_are_ignored() {
        let flags = vec![0xa1, 4, 3, 2, 0, 0xff];
        assert!(sealed_offer(&offer_with(|fields| fields.insert(1, flags))));
    }

    /// RFC 4178 §6.
    #[test]
    fn a_field_of_a_later_version_is_ignored() {
        let later = vec![0xa9, 2, 4, 0];
        assert!(sealed_offer(&offer_with(|fields| fields.push(later.clone()))));
        assert!(!sealed_offer(&offer_with(|fields| fields.insert(0, later.clone()))), "not in its place");
        assert!(!sealed_offer(&offer_with(|fields| fields.push(vec![0xa9, 2, 4]))), "cut");
    }
}
