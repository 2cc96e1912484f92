//! Tokens that carry messages between an initiator and KDCs.

use std::sync::Arc;

use orthros_krb5::exchange::{ExchangePolicy, InitialSecret};

use super::handshake::{acceptor, answered, ended, first};
use super::{key, principal, settings};
use crate::context::{Initiate, Need, Step};
use crate::mech::iakerb::token::{Carried, Place};
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
