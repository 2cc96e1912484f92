//! What a context may be asked for beyond the usual: DCE style, negotiated enctypes, delegation by policy, bindings
//! that must not be missed, inquiry, late errors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use crate::common::Pair;
use orthros_crypto::Enctype;
use orthros_gss::context::inquiry::oid;
use orthros_gss::error::{BadToken, Misuse, Refusal};
use orthros_gss::mechanism::SPNEGO;
use orthros_gss::{ChannelBindings, Error, Flags, Initiate, Major, Order};
use orthros_krb5::ErrorCode;
use orthros_krb5::ap::refusal::make_error;
use orthros_krb5::wire::TicketFlags;

#[test]
fn dce_style_takes_three_bare_legs_and_is_mutual() {
    let pair = Pair::new();
    let (here, there) = pair.establish(pair.initiate().dce_style().confidential(), pair.accept());
    let sent = pair.sent.lock().unwrap();
    let first: Vec<u8> = sent.iter().map(|token| token[0]).collect();
    assert_eq!(first, [0x6e, 0x6f, 0x6f]);
    for context in [&here, &there] {
        assert!(context.flags().contains(Flags::MUTUAL | Flags::DCE_STYLE | Flags::CONFIDENTIALITY));
    }
    assert_eq!(there.unwrap(&here.wrap(b"there").unwrap()).unwrap().message, b"there");
    assert_eq!(here.unwrap(&there.wrap(b"back").unwrap()).unwrap().message, b"back");
}

#[test]
fn whatever_can_be_provided_is_provided_when_it_is_asked_for() {
    let pair = Pair::new();
    let asked = [
        (Flags::MUTUAL, Initiate::mutual as fn(Initiate) -> Initiate),
        (Flags::REPLAY, Initiate::replay_detection),
        (Flags::SEQUENCE, Initiate::sequencing),
        (Flags::CONFIDENTIALITY, Initiate::confidential),
        (Flags::DELEGATION, Initiate::delegate),
        (Flags::DCE_STYLE, Initiate::dce_style),
    ];
    for negotiated in [false, true] {
        for choice in 0..1_u32 << asked.len() {
            let mut wanted = Flags::INTEGRITY;
            let mut initiate = pair.initiate();
            if negotiated {
                initiate = initiate.mechanism(&SPNEGO);
            }
            for (place, (flag, ask)) in asked.iter().enumerate() {
                if choice & 1 << place != 0 {
                    (wanted, initiate) = (wanted | *flag, ask(initiate));
                }
            }
            let (here, there) = pair.establish(initiate, pair.accept());
            assert!(here.flags().contains(wanted), "{wanted:?}: {here:?}");
            assert!(there.flags().contains(wanted), "{wanted:?}: {there:?}");
            // What DCE style can't do without is enabled, although nobody asked for it.
            let mutual = wanted.contains(Flags::MUTUAL) || wanted.contains(Flags::DCE_STYLE);
            assert_eq!(here.flags().contains(Flags::MUTUAL), mutual, "{wanted:?}");
            assert_eq!(there.delegated_credential().is_some(), wanted.contains(Flags::DELEGATION));
        }
    }
}

#[test]
fn each_leg_in_dce_style_is_refused_when_an_octet_is_changed() {
    let pair = Pair::new();
    drop(pair.established());
    // Of the answers, for the request's clear fields are free (tampering.rs).
    for leg in [1, 2] {
        let length = {
            drop(pair.establish(pair.initiate().dce_style(), pair.accept()));
            pair.sent.lock().unwrap().split_off(0).split_off(2)[leg].len()
        };
        for at in 0..length {
            let mut count = 0;
            let (initiator, acceptor) = pair.run(pair.initiate().dce_style(), pair.accept(), |mut token| {
                if count == leg {
                    token[at] ^= 1;
                }
                count += 1;
                token
            });
            let refused = if leg == 1 { initiator } else { acceptor };
            assert!(refused.unwrap().is_err(), "leg {leg}, octet {at}");
            pair.sent.lock().unwrap().clear();
        }
        drop(pair.established());
        pair.sent.lock().unwrap().truncate(2);
    }
}

#[test]
fn a_frame_that_was_stripped_or_put_on_does_not_choose_the_style() {
    let pair = Pair::new();
    drop(pair.established());
    let strip = |token: Vec<u8>| {
        let at = token.iter().position(|octet| *octet == 0x6e).unwrap();
        token[at..].to_vec()
    };
    let (_, acceptor) = pair.run(pair.initiate_full(), pair.accept(), strip);
    assert_eq!(acceptor.unwrap().unwrap_err(), Error::Token(BadToken::Framing));
}

#[test]
fn the_acceptors_key_is_of_the_best_enctype_that_both_permit() {
    let pair = Pair::with_enctype(Enctype::Aes128CtsHmacSha1);
    let permitting = |numbers: &[i32]| {
        let mut settings = pair.settings.clone();
        let config = Arc::make_mut(&mut settings.config);
        config.permitted_enctypes =
            numbers.iter().filter_map(|number| Enctype::from_number(*number)).collect();
        settings
    };
    // What the client permits, what the acceptor permits, what they meet in. The ticket's key is of 17.
    for (client, server, met) in [
        (&[20, 18, 17][..], &[17, 18, 20][..], 20),
        (&[20, 18, 17], &[17, 18], 18),
        (&[20, 18, 17], &[17], 17),
        (&[17, 20], &[20, 17], 17),
        (&[20, 17], &[19, 17], 17),
    ] {
        let mut initiate = pair.initiate_full();
        let mut accept = pair.accept();
        initiate = initiate.with_settings(&permitting(client));
        accept = accept.with_settings(&permitting(server));
        let (here, there) = pair.establish(initiate, accept);
        assert_eq!(here.enctype().number(), met, "{client:?} {server:?}");
        assert_eq!(there.enctype().number(), met);
        assert_eq!(there.unwrap(&here.wrap(b"hello").unwrap()).unwrap().message, b"hello");
        assert_eq!(here.unwrap(&there.wrap(b"hello").unwrap()).unwrap().message, b"hello");
    }
}

#[test]
fn bindings_that_must_not_be_missed_are_missed() {
    let pair = Pair::new();
    let bindings = || ChannelBindings::from_application_data(b"channel");
    let initiate = || pair.initiate_full().misses_bindings();
    let (here, there) = pair.establish(initiate().bindings(bindings()), pair.accept().bindings(bindings()));
    assert!(there.flags().contains(Flags::CHANNEL_BOUND));
    assert!(!here.flags().contains(Flags::CHANNEL_BOUND), "what the acceptor did is for it to tell");
    let other = ChannelBindings::from_application_data(b"another");
    let (_, refused) =
        pair.run(initiate().bindings(bindings()), pair.accept().bindings(other), |token| token);
    assert_eq!(refused.unwrap().unwrap_err(), Error::Refused(Refusal::Bindings { absent: false }));
    // The channel ends elsewhere: the initiator has none, and says that it would have bound.
    let mut settings = pair.settings.clone();
    Arc::make_mut(&mut settings.config).client_aware_channel_bindings = true;
    for aware in [initiate(), pair.initiate_full().with_settings(&settings)] {
        let (_, refused) = pair.run(aware, pair.accept().bindings(bindings()), |token| token);
        assert_eq!(refused.unwrap().unwrap_err(), Error::Refused(Refusal::Bindings { absent: true }));
    }
    let (_, there) = pair.establish(pair.initiate_full(), pair.accept().bindings(bindings()));
    assert!(!there.flags().contains(Flags::CHANNEL_BOUND));
    drop(pair.establish(initiate(), pair.accept()));
}

#[test]
fn delegation_by_policy_follows_the_ticket() {
    let pair = Pair::new();
    let (_, there) = pair.establish(pair.initiate_full().delegate_by_policy(), pair.accept());
    assert!(there.delegated_credential().is_none(), "the KDC did not say that it may");
    // The same ticket with the flag, as a KDC would have sent it.
    for mut ticket in pair.alice.tickets() {
        if ticket.server.components()[0] == "host" {
            ticket.flags = TicketFlags(ticket.flags.0 | TicketFlags::OK_AS_DELEGATE.0);
            pair.alice.keep(ticket);
        }
    }
    let (here, there) = pair.establish(pair.initiate_full().delegate_by_policy(), pair.accept());
    assert!(there.delegated_credential().is_some());
    assert!(here.flags().contains(Flags::DELEGATION | Flags::DELEGATION_POLICY));
    let (here, there) = pair.establish(pair.initiate_full(), pair.accept());
    assert!(there.delegated_credential().is_none());
    assert!(!here.flags().contains(Flags::DELEGATION_POLICY));
}

#[test]
fn delegation_is_left_to_the_kdc_where_the_configuration_says_so() {
    let pair = Pair::new();
    let mut settings = pair.settings.clone();
    Arc::make_mut(&mut settings.config).enforce_ok_as_delegate = true;
    let initiate = || pair.initiate_full().delegate();
    let (here, there) = pair.establish(initiate().with_settings(&settings), pair.accept());
    assert!(there.delegated_credential().is_none());
    assert!(!here.flags().contains(Flags::DELEGATION));
    let (_, there) = pair.establish(initiate(), pair.accept());
    assert!(there.delegated_credential().is_some());
}

#[test]
fn both_ends_answer_inquiries_alike_also_after_a_move() {
    let pair = Pair::new();
    let (here, there) = pair.established();
    let token = there.export(&crate::common::sealing_key(1)).unwrap();
    let there = pair.import(&token, &crate::common::sealing_key(1)).unwrap();
    for question in [oid::TICKET_FLAGS, oid::SESSION_KEY, oid::AUTHTIME, oid::SASL_SSF] {
        let answers = [&here, &there].map(|context| context.inquire(&question).unwrap());
        let octets = answers
            .each_ref()
            .map(|set| set.iter().map(|member| member.expose_octets().to_vec()).collect::<Vec<_>>());
        assert_eq!(octets[0], octets[1], "{question}");
        assert!(!octets[0].is_empty());
    }
    assert_eq!(here.authtime().seconds, crate::common::NOW);
    assert_eq!(here.strength_bits(), 256);
    assert!(there.authorization_data_of(128).is_empty());
    assert_eq!(here.inquire(&"1.2.3".parse().unwrap()).unwrap_err(), Error::Misuse(Misuse::UnknownInquiry));
}

#[test]
fn a_lucid_context_has_what_both_ends_need_and_takes_the_context_with_it() {
    let pair = Pair::new();
    let (here, there) = pair.established();
    let _ = there.unwrap(&here.wrap(b"one").unwrap()).unwrap();
    let (here, there) = (here.into_lucid().unwrap(), there.into_lucid().unwrap());
    assert!(here.is_initiator && !there.is_initiator);
    assert!(here.key.ct_eq(&there.key));
    assert!(here.acceptor_subkey.unwrap().ct_eq(&there.acceptor_subkey.unwrap()));
    assert_eq!(here.send_sequence, there.receive_sequence);
    assert_eq!(here.receive_sequence, there.send_sequence);

    let (here, _) = pair.established();
    pair.clock.advance(1_000_000);
    let kept = here.into_lucid().unwrap_err();
    assert_eq!(kept.error.major(), Major::ContextExpired);
}

#[test]
fn a_late_error_explains_the_context_and_does_not_end_it() {
    let pair = Pair::new();
    let (here, there) = pair.established();
    assert!(here.late_error().is_none());
    let server = "host/x.test@TEST".parse().unwrap();
    for code in [ErrorCode::GENERIC, ErrorCode::SKEW] {
        let error = make_error(code, &server, pair.settings.env.now());
        let inner = [&[3, 0][..], &error].concat();
        let mechanism = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
        let length = u8::try_from(mechanism.len() + inner.len()).unwrap();
        here.process(&[&[0x60, length][..], &mechanism, &inner].concat()).unwrap();
        assert_eq!(here.late_error().unwrap().code, ErrorCode::GENERIC, "the first one counts");
    }
    let sent = pair.sent.lock().unwrap();
    for token in sent.iter().map(Vec::as_slice).chain([&b""[..], b"\x60\x00", b"junk"]) {
        assert_eq!(here.process(token).unwrap_err().major(), Major::DefectiveToken);
    }
    assert_eq!(there.unwrap(&here.wrap(b"still here").unwrap()).unwrap().order, Order::InOrder);
}
