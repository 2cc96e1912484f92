//! RC4 and triple DES: used where both ends ask for them by name, and nowhere else.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{World, principal};
use orthros_crypto::Enctype;
use orthros_krb5::Config;
use orthros_krb5::exchange::{ExchangePolicy, KdcFailure, forwarded, service};
use orthros_krb5::permitted::NotPermitted;

const WEAK: [Enctype; 2] = [Enctype::Des3CbcSha1, Enctype::ArcfourHmac];

/// What a client does whose configuration has this line.
fn policy(line: &str) -> ExchangePolicy {
    let config = Config::parse(&format!("[libdefaults]\n forwardable = yes\n {line}")).unwrap();
    assert_eq!(ExchangePolicy::initial(&config), ExchangePolicy::service(&config));
    ExchangePolicy::initial(&config)
}

fn allowing(enctype: Enctype) -> ExchangePolicy {
    policy(&format!("{} = true", enctype.switch().unwrap()))
}

#[test]
fn where_both_ends_allow_it_a_weak_type_serves_from_password_to_forwarded_ticket() {
    for enctype in WEAK {
        let mut world = World::new(&[enctype]);
        let tgt = world.tgt(allowing(enctype));
        assert_eq!(tgt.key.enctype(), enctype);
        for asked in [
            service(&tgt, principal("host/x.test"), allowing(enctype), world.env.clone()),
            forwarded(&tgt, allowing(enctype), world.env.clone()),
        ] {
            let ticket = world.drive(asked).unwrap().credential;
            assert_eq!(ticket.key.enctype(), enctype);
        }
    }
}

#[test]
fn a_client_that_does_not_allow_weak_types_gets_none_and_learns_the_switch() {
    for enctype in WEAK {
        let mut world = World::new(&[enctype]);
        let failure = world.alice(policy("")).unwrap_err();
        assert!(matches!(failure, KdcFailure::NoEnctype { .. }), "{failure}");
        let other = WEAK.into_iter().find(|other| *other != enctype).unwrap();
        assert!(world.alice(allowing(other)).is_err(), "{other} allows {enctype}");
        // Nothing weak was asked for, so nothing weak stood in the request.
        for message in world.transcript.iter().step_by(2) {
            assert!(
                !message.windows(3).any(|three| three == [2, 1, u8::try_from(enctype.number()).unwrap()])
            );
        }
    }
}

#[test]
fn a_realm_issues_weak_keys_only_where_its_builder_names_them() {
    let weak = ExchangePolicy { enctypes: WEAK.to_vec(), permitted: WEAK.to_vec(), ..policy("") };
    let failure = World::new(Enctype::STRONG).alice(weak.clone()).unwrap_err();
    assert!(matches!(failure, KdcFailure::NoEnctype { .. } | KdcFailure::Refused { .. }), "{failure}");
    // A realm that has both prefers what the client prefers, and a default client asks for strong ones only.
    let mut world = World::new(&[Enctype::ArcfourHmac, Enctype::Aes256CtsHmacSha1]);
    assert_eq!(world.tgt(policy("")).key.enctype(), Enctype::Aes256CtsHmacSha1);
}

#[test]
fn a_cached_ticket_with_a_weak_session_key_is_refused_by_name() {
    for enctype in WEAK {
        let mut world = World::new(&[enctype]);
        let tgt = world.tgt(allowing(enctype));
        let sent = world.transcript.len();
        let asked = service(&tgt, principal("host/x.test"), policy(""), world.env.clone());
        let failure = world.drive(asked).unwrap_err();
        let refused = NotPermitted { number: enctype.number() };
        assert_eq!(failure, KdcFailure::NotPermitted { client: tgt.client.clone(), refused });
        let text = failure.to_string();
        assert!(text.contains(enctype.name()) && text.contains(enctype.switch().unwrap()), "{text}");
        assert_eq!(world.transcript.len(), sent, "nothing is sent in a key that is not permitted");
    }
}
