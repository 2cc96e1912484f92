//! What lies under the seal of cookies, claims under any seal, and what two ends of a handover tell each other.

use orthros_wire::fuzzing::plain;
use orthros_wire::{Reader, Timestamp};

use super::handshake::acceptor;
use super::moved::{good_state, sealing_key};
use super::{NOW, Still, settings};
use crate::Step;
use crate::context::Need;
use crate::transfer::handover::{COMMIT, FRAME, FrameType, LONGEST_BODY, Taking, frame, refusal};
use crate::transfer::seal::Kind;
use crate::transfer::{Claims, Seal};

/// The fuzzer owns the sealing key. If the first octet is even, the rest is the state of a context on its way up; if
/// odd, the rest alters a good one: of a negotiation around DCE style, which has everything in it. A state that is
/// taken waits, takes a token, and can be suspended again as it was.
///
/// Returns whether it was taken.
pub fn sealed_half_open(data: &[u8]) -> bool {
    let rest = data.get(1..).unwrap_or_default();
    let plain = plain(data, &good_half_open());
    let (key, until) = (sealing_key(), Timestamp::from_seconds(NOW + 60));
    let Ok(cookie) = Seal::from(&key).seal(Kind::HalfOpen, &plain, until, &Still) else { return false };
    let resume = || match acceptor().carry_to_kdcs().resume(&cookie, &key) {
        Step::Need(Need::Spend(need)) => match need.spent() {
            Step::Receive(wait) => Some(wait),
            _ => None,
        },
        _ => None,
    };
    let (Some(one), Some(other)) = (resume(), resume()) else { return false };
    for token in [rest, &[0x6f, 0]] {
        let _ = resume().map(|wait| matches!(wait.token(token), Step::Failed(_)));
    }
    let (Ok(one), Ok(other)) = (one.suspend(&key, &settings()), other.suspend(&key, &settings())) else {
        return true;
    };
    assert_eq!(one, other, "one state, one cookie where nothing is random");
    true
}

/// The fuzzer owns the sealing key: the input is claims and what follows them. Claims that are read come back the same.
pub fn sealed_claims(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(claims) = Claims::read(&mut reader) else { return };
    let _ = claims.check(&Claims::NONE).map_err(|mismatch| mismatch.to_string());
    assert_eq!(claims.check(&claims), Ok(()));
    let octets = claims.to_octets().unwrap_or_default();
    if !claims.is_empty() {
        assert_eq!(Claims::read(&mut Reader::new(&octets)), Ok(claims));
    }
}

/// What a stranger sends at either end of a handover: a frame and its body, the body alone, and the last octet.
pub fn handed_over(data: &[u8]) {
    if let Some((head, body)) = data.split_first_chunk::<FRAME>()
        && let Ok((kind, length)) = frame(*head)
    {
        assert!(length <= LONGEST_BODY, "more than a driver may read");
        if kind == FrameType::Offer {
            take(body);
        }
    }
    take(data);
    let told = refusal(&String::from_utf8_lossy(data));
    let (head, body) = told.split_first_chunk::<FRAME>().unwrap_or((&[0; FRAME], &[]));
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    assert_eq!(frame(*head), Ok((FrameType::Refusal, length)));
}

fn take(body: &[u8]) {
    let Ok(taking) = Taking::read(body, &settings()) else { return };
    assert_eq!(taking.acknowledgement_body(), *body.first_chunk().unwrap_or(&[0; 16]));
    if let Ok(context) = taking.committed(COMMIT) {
        let _ = (context.wrap(b"message").is_ok(), format!("{context:?}"));
    }
}

fn good_half_open() -> Vec<u8> {
    let state = good_state();
    let length = u32::try_from(state.len()).unwrap_or(0).to_be_bytes();
    [
        &[2, 1][..],
        &[0, 0, 0, 3, 1, 2, 3],
        &[1, 0, 2, 4, 4],
        &[1, 0, 3, 0x2a, 3, 4],
        &[1, 0, 0, 0, 9, 17],
        &[0x33; 16],
        &length,
        &state,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_cookie_is_taken_and_one_altered_octet_of_it_never_panics() {
        assert!(sealed_half_open(&[]));
        assert!(sealed_half_open(&[&[0][..], &good_half_open()].concat()));
        assert!(!sealed_half_open(&[0]) && sealed_half_open(&[0, 0]) && sealed_half_open(&[0, 3]));
        assert!(sealed_half_open(&[0, 5, 2, 0, 0, 0, 1, 7]) && !sealed_half_open(&[0, 5, 27, 0, 0, 0, 0]));
        let length = u16::try_from(good_half_open().len()).unwrap();
        let alterations = (0..length).flat_map(|place| [1_u8, 0x7f, 0x80, 0xff].map(|more| (place, more)));
        let taken = alterations.filter(|(place, more)| {
            let [high, low] = place.to_be_bytes();
            sealed_half_open(&[1, high, low, *more])
        });
        assert!(taken.count() > 0, "keys and numbers are free, for some");
    }

    #[test]
    fn a_good_offer_is_taken() {
        let body = [&[7; 16][..], &good_state()].concat();
        assert!(Taking::read(&body, &settings()).is_ok());
        handed_over(&body);
    }
}
