//! Transfer tokens, and what lies under their seal.

use orthros_wire::fuzzing::alter;
use orthros_wire::{Random, SecretBytes, Timestamp};

use super::{NOW, Still, principal, settings};
use crate::context::Need;
use crate::transfer::seal::Kind;
use crate::transfer::{self, Seal, SealingKey, TransferRefusal, credential, state};
use crate::{Context, Step};

/// The plain state in a token, laid out as `transfer/state.rs` says.
///
/// Tests compare it before and after a move, and change it: without this, all that they could show is that
/// octets under a seal can't be reached.
///
/// # Errors
/// As an import of the token.
pub fn open_state(token: &[u8], key: &SealingKey) -> Result<Vec<u8>, TransferRefusal> {
    let now = Timestamp::from_seconds(i64::MIN);
    Ok(Seal::from(key).open(Kind::Context, token, now)?.state().to_vec())
}

/// A token for a state that a test made up.
///
/// # Errors
/// [`TransferRefusal::TooLarge`].
pub fn seal_state(
    state: &[u8],
    key: &SealingKey,
    until: Timestamp,
    random: &dyn Random,
) -> Result<Vec<u8>, TransferRefusal> {
    Seal::from(key).seal(Kind::Context, state, until, random)
}

pub(super) fn sealing_key() -> SealingKey {
    SealingKey::new(SecretBytes::from(vec![0x5a; 32]), b"fuzz")
}

fn import(token: &[u8]) -> Option<Context> {
    match transfer::import(token, &sealing_key(), &settings()) {
        Step::Need(Need::Spend(need)) => match need.spent() {
            Step::Done(context) => Some(context),
            _ => None,
        },
        _ => None,
    }
}

/// Arbitrary octets as a transfer token.
pub fn transfer_token(data: &[u8]) {
    if let Ok(header) = transfer::Header::parse(data) {
        assert!(header.sealed_octets < data.len(), "{header:?}");
    }
    assert!(import(data).is_none(), "a token made without the key");
    let resumed = super::handshake::acceptor().resume(data, &sealing_key());
    assert!(matches!(resumed, Step::Failed(_)), "a cookie made without the key");
    let credential = transfer::import_credential(data, &sealing_key(), &settings());
    assert!(credential.is_err(), "a credential sealed without the key");
}

/// The fuzzer owns the sealing key. If the first octet is even, the rest is the state; if odd, the rest
/// alters a good state. A state that is taken makes a context that can be used and that goes on as it is.
///
/// Returns whether it was taken.
pub fn sealed_transfer_state(data: &[u8]) -> bool {
    let (kind, rest) = data.split_first().unwrap_or((&1, &[]));
    let mut plain = good_state();
    if kind & 1 == 0 {
        plain = rest.to_vec();
    } else {
        alter(&mut plain, rest);
    }
    let until = Timestamp::from_seconds(NOW + 60);
    let Ok(token) = seal_state(&plain, &sealing_key(), until, &Still) else { return false };
    let Some(context) = import(&token) else { return false };
    let wrapped = [context.wrap(b"message"), context.wrap_integrity(b"message"), context.mic(b"message")];
    for token in wrapped.iter().flatten() {
        assert!(context.unwrap(token).is_err(), "a token of this end's own");
    }
    if let Some(delegated) = context.delegated_credential() {
        let _ = (delegated.end(), format!("{delegated:?}"));
    }
    let _ = (format!("{context:?}"), context.lifetime_seconds(), context.end().to_string());
    let Ok(written) = state::write(&context.0) else { return true };
    let again = state::read(written.expose_octets(), settings().env);
    let again = again.and_then(|again| state::write(&again));
    assert!(again.is_ok_and(|again| again.ct_eq(&written)), "a state that was read changes when moved again");
    true
}

/// As [`sealed_transfer_state`], for a credential: one that is taken can be asked everything, and comes back the
/// same from another move.
pub fn sealed_credential(data: &[u8]) -> bool {
    let (kind, rest) = data.split_first().unwrap_or((&1, &[]));
    let mut plain = good_credential();
    if kind & 1 == 0 {
        plain = rest.to_vec();
    } else {
        alter(&mut plain, rest);
    }
    let until = Timestamp::from_seconds(NOW + 60);
    let Ok(token) = Seal::from(&sealing_key()).seal(Kind::Credential, &plain, until, &Still) else {
        return false;
    };
    let Ok(taken) = transfer::import_credential(&token, &sealing_key(), &settings()) else { return false };
    let now = Timestamp::from_seconds(NOW);
    let _ = (taken.lifetime(now), taken.granting_ticket(&principal("host/fuzz"), taken.kdc_time(now)));
    let _ = format!("{taken:?}");
    let Ok(again) = transfer::export_credential(&taken, &sealing_key(), &settings()) else { return true };
    let again = transfer::import_credential(&again, &sealing_key(), &settings());
    let same = again.is_ok_and(|again| credential::write(&again).ct_eq(&credential::write(&taken)));
    assert!(same, "a credential that was taken changes when moved again");
    true
}

/// The KDC's clock two seconds ahead, and a cache with a ticket-granting ticket.
fn good_credential() -> Vec<u8> {
    let text =
        |text: &str| [&u32::try_from(text.len()).unwrap_or(0).to_be_bytes()[..], text.as_bytes()].concat();
    let alice = [&[0, 0, 0, 1, 0, 0, 0, 1][..], &text("FUZZ"), &text("alice")].concat();
    let granting = [&[0, 0, 0, 2, 0, 0, 0, 2][..], &text("FUZZ"), &text("krbtgt"), &text("FUZZ")].concat();
    let times =
        [NOW, NOW, NOW + 3_600, 0].map(|time| u32::try_from(time).unwrap_or(0).to_be_bytes()).concat();
    [
        &2_i64.to_be_bytes()[..],
        &[5, 4, 0, 0],
        &alice,
        &alice,
        &granting,
        &[0, 17, 0, 0, 0, 16],
        &[0x33; 16],
        &times,
        &[0, 0x40, 0, 0, 0],
        &[0; 8],
        &[0, 0, 0, 2, 0x61, 0],
        &[0; 4],
    ]
    .concat()
}

/// An acceptor's state with an element of authorization data and a delegated ticket.
pub(super) fn good_state() -> Vec<u8> {
    let text =
        |text: &str| [&u16::try_from(text.len()).unwrap_or(0).to_be_bytes()[..], text.as_bytes()].concat();
    let one = |name: &str| [&[0, 0, 0, 1][..], &text("FUZZ"), &[0, 1], &text(name)].concat();
    let two = |first: &str, second: &str| {
        [&[0, 0, 0, 2][..], &text("FUZZ"), &[0, 2], &text(first), &text(second)].concat()
    };
    let key = [&[17][..], &[0x33; 16]].concat();
    let times = [NOW, NOW, NOW + 3_600, 0].map(i64::to_be_bytes).concat();
    [
        &[1][..],
        &0x0000_01be_u32.to_be_bytes(),
        &(NOW + 3_600).to_be_bytes(),
        &NOW.to_be_bytes(),
        &[0x40, 0x80, 0, 0],
        &[7_u64, 100, 103, 5].map(u64::to_be_bytes).concat(),
        &key,
        &key,
        &one("alice"),
        &two("host", "fuzz"),
        &[0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3],
        &[0, 0, 0],
        &[1],
        &0_i64.to_be_bytes(),
        &one("alice"),
        &[0, 1],
        &one("alice"),
        &two("krbtgt", "FUZZ"),
        &key,
        &times,
        &[0x40, 0, 0, 0, 0, 0, 0, 2, 0x61, 0],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_state_is_taken_so_that_the_fuzzer_starts_past_the_seal() {
        assert!(sealed_transfer_state(&[]));
        assert!(sealed_transfer_state(&[&[0][..], &good_state()].concat()));
        assert!(!sealed_transfer_state(&[0]));
    }

    #[test]
    fn a_good_credential_is_taken_and_one_altered_octet_of_it_never_panics() {
        assert!(sealed_credential(&[]));
        assert!(!sealed_credential(&[0]));
        let length = u16::try_from(good_credential().len()).unwrap();
        let alterations = (0..length).flat_map(|place| [1_u8, 0x7f, 0x80, 0xff].map(|more| (place, more)));
        let taken = alterations.filter(|(place, more)| {
            let [high, low] = place.to_be_bytes();
            sealed_credential(&[1, high, low, *more])
        });
        assert!(taken.count() > 0, "keys and times are free, for some");
    }

    #[test]
    fn one_altered_octet_under_the_seal_never_panics() {
        let length = u16::try_from(good_state().len()).unwrap();
        let alterations = (0..length).flat_map(|place| [1_u8, 0x7f, 0x80, 0xff].map(|more| (place, more)));
        let taken = alterations.filter(|(place, more)| {
            let [high, low] = place.to_be_bytes();
            sealed_transfer_state(&[1, high, low, *more])
        });
        assert!(taken.count() > 0, "keys and numbers are free, for some");
    }
}
