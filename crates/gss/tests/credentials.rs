//! Credentials: their elements, what can be asked of them, and how they move.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use crate::common::{Pair, sealing_key};
use orthros_gss::credential::{CredentialSet, Lifetime, Scope, Usage};
use orthros_gss::error::Misuse;
use orthros_gss::mechanism::KRB5_OID;
use orthros_gss::transfer::{SealingKey, TransferRefusal, export_credential, import_credential};
use orthros_gss::{AcceptorCredential, Error, Initiate, InitiatorCredential, Major, Name};
use orthros_wire::{Clock, Oid, SecretBytes};

fn sealed(pair: &Pair) -> Vec<u8> {
    export_credential(&pair.alice, &sealing_key(1), &pair.settings).unwrap()
}

fn open(pair: &Pair, token: &[u8]) -> Result<InitiatorCredential, Error> {
    import_credential(token, &sealing_key(1), &pair.settings)
}

fn refusal(opened: Result<InitiatorCredential, Error>) -> TransferRefusal {
    match opened {
        Err(Error::Transfer(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_sealed_credential_initiates_as_often_as_it_is_opened() {
    let pair = Pair::new();
    let token = sealed(&pair);
    for _ in 0..3 {
        let moved = Arc::new(open(&pair, &token).unwrap());
        assert_eq!((moved.client(), moved.end()), (pair.alice.client(), pair.alice.end()));
        assert_eq!(moved.origin(), None, "a copy stores nothing where the first one lies");
        let target = Name::hostbased_service("host", "x.test");
        let request = Initiate::new(&pair.settings, moved, target).mutual();
        let (initiator, acceptor) = pair.establish(request, pair.accept());
        assert_eq!(acceptor.unwrap(&initiator.wrap_integrity(b"x").unwrap()).unwrap().message, b"x");
    }
}

#[test]
fn a_copy_keeps_all_tickets_and_the_offset_of_the_clock() {
    let pair = Pair::new();
    let (initiator, _) = pair.established();
    drop(initiator);
    let ahead = InitiatorCredential::new(pair.alice.client().clone(), pair.alice.tickets(), 40);
    let token = export_credential(&ahead, &sealing_key(1), &pair.settings).unwrap();
    let moved = open(&pair, &token).unwrap();
    assert_eq!(moved.offset_seconds(), 40);
    let servers = |credential: &InitiatorCredential| -> Vec<_> {
        credential.tickets().iter().map(|ticket| (ticket.server.clone(), ticket.ticket.clone())).collect()
    };
    assert_eq!(servers(&moved).len(), 2);
    assert_eq!(servers(&moved), servers(&ahead));
    // The KDC's clock is ahead: by ours the ticket ends 40 seconds earlier.
    let end = moved.end().unwrap();
    pair.clock.set(end.plus_seconds(-41));
    assert!(open(&pair, &token).is_ok());
    assert_eq!(moved.lifetime(pair.clock.now()), Lifetime::Seconds(1));
    pair.clock.set(end.plus_seconds(-40));
    let ended = pair.clock.now();
    assert_eq!(refusal(open(&pair, &token)), TransferRefusal::CredentialExpired { ended });
    assert_eq!(open(&pair, &token).unwrap_err().major(), Major::CredentialsExpired);
    let error = export_credential(&ahead, &sealing_key(1), &pair.settings).unwrap_err();
    assert_eq!(error.major(), Major::CredentialsExpired);
}

#[test]
fn a_copy_for_another_thread_has_what_either_keeps_and_shares_no_ticket() {
    let pair = Pair::new();
    let own = pair.alice.apart();
    let request = |credential| {
        Initiate::new(&pair.settings.apart(), credential, Name::hostbased_service("host", "x.test")).mutual()
    };
    let (initiator, acceptor) = pair.establish(request(Arc::clone(&own)), pair.accept());
    assert_eq!(acceptor.unwrap(&initiator.wrap_integrity(b"x").unwrap()).unwrap().message, b"x");
    let asked = || pair.kdc_messages.lock().unwrap().len();
    let before = asked();
    let (initiator, _) = pair.establish(request(Arc::clone(&pair.alice)), pair.accept());
    let (third, _) = pair.establish(request(own.apart()), pair.accept());
    assert_eq!(asked(), before, "the ticket that the copy has fetched is everybody's");
    assert_eq!((initiator.initiator(), third.initiator()), (own.client(), own.client()));
    let now = pair.clock.now();
    let ticket = |credential: &InitiatorCredential| credential.ticket_for(acceptor.acceptor(), now).unwrap();
    let (first, second) = (ticket(&pair.alice), ticket(&own));
    assert!(Arc::ptr_eq(&second, &ticket(&own)), "copied once");
    assert!(!Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&first.key, &second.key));
    assert!(first.key.ct_eq(&second.key) && first.ticket == second.ticket);
    assert_eq!(own.end(), pair.alice.end());
}

#[test]
fn every_changed_octet_and_every_cut_of_a_sealed_credential_is_refused() {
    let pair = Pair::new();
    let token = sealed(&pair);
    for place in 0..token.len() {
        for change in [1, 0x80, 0xff] {
            let mut changed = token.clone();
            changed[place] ^= change;
            refusal(open(&pair, &changed));
        }
        refusal(open(&pair, &token[..place]));
    }
    refusal(open(&pair, &[&token[..], &[0]].concat()));
    assert!(open(&pair, &token).is_ok());
}

#[test]
fn neither_another_user_nor_another_boot_opens_a_credential() {
    let pair = Pair::new();
    let token = sealed(&pair);
    let with = |key: &SealingKey| refusal(import_credential(&token, key, &pair.settings));
    assert_eq!(with(&sealing_key(2)), TransferRefusal::ForeignKey);
    let rebooted = SealingKey::new(SecretBytes::from(vec![1; 32]), b"another boot");
    assert_eq!(with(&rebooted), TransferRefusal::OtherBoot);
}

#[test]
fn a_token_of_one_type_never_passes_for_the_other() {
    let pair = Pair::new();
    let (context, _) = pair.established();
    let of_context = context.export(&sealing_key(1)).unwrap();
    assert_eq!(refusal(open(&pair, &of_context)), TransferRefusal::Version);
    let of_credential = sealed(&pair);
    let Err(Error::Transfer(refused)) = pair.import(&of_credential, &sealing_key(1)) else { panic!() };
    assert_eq!(refused, TransferRefusal::Version);
    // The type is under the seal: writing the other one there makes it no better.
    let mut renamed = of_credential;
    renamed[1] = 1;
    let Err(Error::Transfer(refused)) = pair.import(&renamed, &sealing_key(1)) else { panic!() };
    assert_eq!(refused, TransferRefusal::Damaged);
}

#[test]
fn nothing_of_a_ticket_or_its_key_stands_in_the_clear() {
    let pair = Pair::new();
    let token = sealed(&pair);
    let ticket = &pair.alice.tickets()[0];
    for secret in [&ticket.ticket[..16], ticket.key.expose_octets(), b"alice"] {
        assert!(!token.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn switched_off_transfer_seals_and_opens_no_credential() {
    let mut pair = Pair::new();
    let token = sealed(&pair);
    pair.settings.transfer = false;
    assert_eq!(refusal(open(&pair, &token)), TransferRefusal::Unavailable);
    let error = export_credential(&pair.alice, &sealing_key(1), &pair.settings).unwrap_err();
    assert_eq!(error.major(), Major::Unavailable);
}

#[test]
fn an_empty_credential_is_not_sealed() {
    let pair = Pair::new();
    let empty = InitiatorCredential::new(pair.alice.client().clone(), Vec::new(), 0);
    let error = export_credential(&empty, &sealing_key(1), &pair.settings).unwrap_err();
    assert_eq!(error.major(), Major::NoCredential);
}

#[test]
fn a_second_element_for_the_same_use_is_refused_and_the_other_use_is_added() {
    let pair = Pair::new();
    let now = pair.clock.now();
    let mut set = CredentialSet::initiating(Arc::clone(&pair.alice));
    let before = set.clone();
    assert_eq!(set.initiator(&KRB5_OID).unwrap().client(), pair.alice.client());
    assert_eq!(set.acceptor(&KRB5_OID).unwrap_err().major(), Major::NoCredential);
    let error = set.add_initiator(&KRB5_OID, Arc::clone(&pair.alice)).unwrap_err();
    assert_eq!((error.major(), &error), (Major::DuplicateElement, &Misuse::DuplicateElement.into()));
    set.add_acceptor(&KRB5_OID, pair.acceptor.clone()).unwrap();
    assert_eq!(set.inquire(now).usage, Usage::Both);
    assert_eq!(before.inquire(now).usage, Usage::Initiate, "a copy stays what it was");
    for error in [
        set.add_acceptor(&KRB5_OID, pair.acceptor.clone()),
        set.add_initiator(&KRB5_OID, Arc::clone(&pair.alice)),
    ] {
        assert_eq!(error.unwrap_err().major(), Major::DuplicateElement);
    }
    let spnego: Oid = "1.3.6.1.5.5.99".parse().unwrap();
    assert_eq!(set.add_acceptor(&spnego, pair.acceptor.clone()).unwrap_err().major(), Major::BadMechanism);
    assert_eq!(set.inquire_for(&spnego, now).unwrap_err().major(), Major::BadMechanism);
}

#[test]
fn what_a_credential_says_of_itself_is_true_until_its_last_second() {
    let pair = Pair::new();
    let end = pair.alice.end().unwrap();
    let set = CredentialSet::both(Arc::clone(&pair.alice), pair.acceptor.clone());
    let facts = set.inquire(end.plus_seconds(-1));
    assert_eq!(facts.name, Some(Name::Principal(pair.alice.client().clone())));
    assert_eq!(facts.initiator_lifetime, Some(Lifetime::Seconds(1)));
    assert_eq!(facts.acceptor_lifetime, Some(Lifetime::Indefinite));
    assert_eq!(facts.lifetime(), Lifetime::Seconds(1));
    assert!(set.mechanisms().map(|mechanism| &mechanism.oid).eq([&KRB5_OID]));
    assert_eq!(set.inquire_for(&KRB5_OID, end.plus_seconds(-1)).unwrap(), facts);
    assert_eq!(set.inquire(end).lifetime(), Lifetime::Expired);
}

#[test]
fn an_acceptor_is_named_by_whom_it_accepts_for() {
    let pair = Pair::new();
    let keys = || -> AcceptorCredential { pair.acceptor.clone() };
    let name = |credential: AcceptorCredential| {
        CredentialSet::accepting(credential).inquire(pair.clock.now()).name.map(|name| name.to_string())
    };
    assert_eq!(name(keys()), None);
    let service = keys().scoped(Scope::Service("host".into()));
    assert_eq!(name(service).as_deref(), Some("host"));
    let principal = keys().scoped(Scope::Principal("host/x.test@TEST".parse().unwrap()));
    assert_eq!(name(principal).as_deref(), Some("host/x.test@TEST"));
}
