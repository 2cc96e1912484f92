//! Every message of `orthros_krb5::wire` against rasn-kerberos: what one writes the other reads, octet for octet
//! and value for value, and on damaged messages both say the same but for the causes named in [`Cause`].
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "rasn_oracle/dice.rs"]
mod dice;
#[path = "rasn_oracle/tables.rs"]
mod tables;

use dice::{Dice, Roll, Same};
use orthros_krb5::wire::{self, Decode, DerError, Encode};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rasn_kerberos as rasn_wire;

/// Why only one of the two takes some octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// rasn does not look at the constructed bit of a tag; we do.
    ConstructedBit,
    /// rasn takes a second 60; RFC 4120 §5.2.3 knows no leap seconds, and neither do we.
    LeapSecond,
    /// rasn takes lengths that are longer than need be; we do not.
    LengthNotMinimal,
    /// We take negative kvnos, nonces and sequence numbers as peers have always sent them; rasn does not.
    NegativeUnsigned,
    /// rasn takes strings of any octets; we take UTF-8.
    NotUtf8,
    /// rasn takes integers that are longer than need be, and for `pvno` and the like of any size; we take
    /// minimal ones of 32 bits.
    NumberNotMinimalOrLarge,
}

/// Why we refuse `damaged`, which rasn takes and would write as `rewritten`.
fn why_we_refuse(error: DerError, damaged: &[u8], rewritten: &[u8]) -> Option<Cause> {
    let differences: Vec<u8> =
        damaged.iter().zip(rewritten).map(|(ours, theirs)| ours ^ theirs).filter(|bits| *bits != 0).collect();
    match error {
        _ if damaged.len() == rewritten.len() && differences == [0x20] => Some(Cause::ConstructedBit),
        DerError::Length if rewritten.len() < damaged.len() => Some(Cause::LengthNotMinimal),
        DerError::Value("KerberosString") if rewritten == damaged => Some(Cause::NotUtf8),
        DerError::Value("KerberosTime") if damaged.windows(3).any(|end| end == b"60Z") => {
            Some(Cause::LeapSecond)
        }
        DerError::Value("INTEGER" | "Int32") => Some(Cause::NumberNotMinimalOrLarge),
        _ => None,
    }
}

/// Why rasn refuses what we take.
fn why_they_refuse(error: &rasn::error::DecodeError) -> Option<Cause> {
    format!("{error:?}").contains("Failed to create unsigned integer").then_some(Cause::NegativeUnsigned)
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

macro_rules! oracle {
    ($($test:ident: $ours:ty => $theirs:ty;)*) => { $(
        #[test]
        fn $test() {
            written_and_read_alike(|octets, expected: &$theirs| {
                let ours = <$ours>::from_der(octets).unwrap();
                assert_eq!(ours.to_der(), octets);
                assert_eq!(&Same::<$theirs>::same(&ours), expected);
            });
            damaged_alike::<$theirs>(|octets| <$ours>::from_der(octets).map(|ours| ours.same()));
        }
    )* };
}

fn written_and_read_alike<R>(check: impl Fn(&[u8], &R))
where
    R: Roll + rasn::Encode + rasn::Decode + PartialEq + std::fmt::Debug,
{
    runner(150)
        .run(&vec(any::<u8>(), 0..500), |octets| {
            let value = R::roll(&mut Dice::new(&octets));
            let encoded = rasn::der::encode(&value).unwrap();
            assert_eq!(rasn::der::decode::<R>(&encoded).unwrap(), value);
            check(&encoded, &value);
            Ok(())
        })
        .unwrap();
}

fn damaged_alike<R>(ours: impl Fn(&[u8]) -> Result<R, DerError>)
where
    R: Roll + rasn::Encode + rasn::Decode + PartialEq + std::fmt::Debug,
{
    let seeds = (vec(any::<u8>(), 0..200), any::<u16>(), any::<u8>(), 0..6_u8);
    runner(1_500)
        .run(&seeds, |(octets, place, octet, way)| {
            let mut damaged = rasn::der::encode(&R::roll(&mut Dice::new(&octets))).unwrap();
            damage(&mut damaged, place.into(), octet, way);
            match (ours(&damaged), rasn::der::decode::<R>(&damaged)) {
                (Err(_), Err(_)) => {}
                (Ok(value), Ok(theirs)) if value == theirs => {}
                // rasn keeps bit strings of other lengths than 32 as they are; its own writing of them
                // must mean the same to us.
                (Ok(value), Ok(theirs)) => assert_eq!(ours(&rasn::der::encode(&theirs).unwrap()), Ok(value)),
                (Ok(_), Err(error)) => {
                    let cause = why_they_refuse(&error);
                    assert!(cause.is_some(), "only we take {damaged:02x?}: {error:?}");
                }
                (Err(error), Ok(theirs)) => {
                    let rewritten = rasn::der::encode(&theirs).unwrap();
                    let cause = why_we_refuse(error, &damaged, &rewritten);
                    assert!(cause.is_some(), "only rasn takes {damaged:02x?} as {rewritten:02x?}: {error:?}");
                }
            }
            Ok(())
        })
        .unwrap();
}

fn damage(octets: &mut Vec<u8>, place: usize, octet: u8, way: u8) {
    let at = place % octets.len();
    match way {
        0 => octets[at] ^= 1 << (octet & 7),
        1 => octets[at] = octet,
        2 => octets.truncate(at),
        3 => octets.insert(at, octet),
        4 => drop(octets.remove(at)),
        _ => octets.push(octet),
    }
}

oracle! {
    principal_name: wire::PrincipalName<'_> => rasn_wire::PrincipalName;
    host_address: wire::HostAddress<'_> => rasn_wire::HostAddress;
    authorization_element: wire::AuthorizationElement<'_> => rasn_wire::AuthorizationDataValue;
    ad_kdc_issued: wire::AdKdcIssued<'_> => rasn_wire::AdKdcIssued;
    ad_and_or: wire::AdAndOr<'_> => rasn_wire::AdAndOr;
    typed_data: Vec<wire::TypedData<'_>> => rasn_wire::TypedData;
    encrypted_data: wire::EncryptedData<'_> => rasn_wire::EncryptedData;
    encryption_key: wire::EncryptionKey<'_> => rasn_wire::EncryptionKey;
    checksum: wire::Checksum<'_> => rasn_wire::Checksum;
    ticket: wire::Ticket<'_> => rasn_wire::Ticket;
    transited_encoding: wire::TransitedEncoding<'_> => rasn_wire::TransitedEncoding;
    enc_ticket_part: wire::EncTicketPart<'_> => rasn_wire::EncTicketPart;
    authenticator: wire::Authenticator<'_> => rasn_wire::Authenticator;
    ap_req: wire::ApReq<'_> => rasn_wire::ApReq;
    ap_rep: wire::ApRep<'_> => rasn_wire::ApRep;
    enc_ap_rep_part: wire::EncApRepPart<'_> => rasn_wire::EncApRepPart;
    kdc_req_body: wire::KdcReqBody<'_> => rasn_wire::KdcReqBody;
    as_req: wire::AsReq<'_> => rasn_wire::AsReq;
    tgs_req: wire::TgsReq<'_> => rasn_wire::TgsReq;
    as_rep: wire::AsRep<'_> => rasn_wire::AsRep;
    tgs_rep: wire::TgsRep<'_> => rasn_wire::TgsRep;
    enc_as_rep_part: wire::EncAsRepPart<'_> => rasn_wire::EncAsRepPart;
    enc_tgs_rep_part: wire::EncTgsRepPart<'_> => rasn_wire::EncTgsRepPart;
    krb_safe: wire::KrbSafe<'_> => rasn_wire::KrbSafe;
    krb_safe_body: wire::KrbSafeBody<'_> => rasn_wire::KrbSafeBody;
    krb_priv: wire::KrbPriv<'_> => rasn_wire::KrbPriv;
    enc_krb_priv_part: wire::EncKrbPrivPart<'_> => rasn_wire::EncKrbPrivPart;
    krb_cred: wire::KrbCred<'_> => rasn_wire::KrbCred;
    enc_krb_cred_part: wire::EncKrbCredPart<'_> => rasn_wire::EncKrbCredPart;
    krb_error: wire::KrbError<'_> => rasn_wire::KrbError;
    method_data: Vec<wire::PaData<'_>> => rasn_wire::MethodData;
    pa_enc_ts_enc: wire::PaEncTsEnc => rasn_wire::PaEncTsEnc;
    etype_info: Vec<wire::EtypeInfoEntry<'_>> => rasn_wire::EtypeInfo;
    etype_info2: Vec<wire::EtypeInfo2Entry<'_>> => rasn_wire::EtypeInfo2;
}
