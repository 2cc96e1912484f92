//! What a KDC vouches for to the service of a ticket, beside the ticket itself: elements of authorization data that
//! carry a signature of the service's own key.
//!
//! A client may ask its KDC for authorization data of its own choice (RFC 4120 §5.2.6), so an element in a ticket proves
//! nothing. Two kinds prove themselves: a [PAC](crate::pac) and AD-CAMMAC (RFC 7751), in which authentication indicators
//! stand (RFC 8129). What does not agree with the key is passed over: a KDC may have put it in for somebody else.

use orthros_crypto::{Key, KeyUsage};
use orthros_wire::Timestamp;

use crate::Principal;
use crate::authdata;
use crate::pac::Pac;
use crate::wire::{AdCammac, AuthorizationElement, Decode, Utf8String, ad_type};

/// Elements of a ticket that its service could verify.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vouched {
    /// How the client authenticated itself, in the words of its realm's administrators (RFC 8129).
    pub indicators: Box<[String]>,
    /// Whether the first PAC was made by the KDC for this client and this service.
    pub pac: bool,
}

impl Vouched {
    /// Looks through a ticket's authorization data with the key that the ticket was sealed with.
    pub fn of(
        elements: &[AuthorizationElement<'_>],
        key: &Key,
        client: &Principal,
        authtime: Timestamp,
    ) -> Self {
        let (mut pac, mut found) = (false, Vec::new());
        let mut pac_seen = false;
        for element in elements {
            // What is malformed within AD-IF-RELEVANT may be passed over, by its name.
            let _ = authdata::walk(element.ad_type, element.ad_data, &mut |number, octets| {
                match number {
                    // Only the first is ever shown.
                    ad_type::WIN2K_PAC if !pac_seen => {
                        pac_seen = true;
                        let verified = |pac: Pac<'_>| pac.verify(key, client, authtime);
                        pac = Pac::parse(octets).and_then(verified).is_ok();
                    }
                    ad_type::CAMMAC => found.extend(indicators(octets, key)),
                    _ => {}
                }
                Ok(())
            });
        }
        Self { indicators: found.into(), pac }
    }
}

/// The authentication indicators of an AD-CAMMAC whose signature for the service agrees; else none.
pub fn indicators(cammac: &[u8], key: &Key) -> Vec<String> {
    let Ok(cammac) = AdCammac::from_der(cammac) else { return Vec::new() };
    let mac = cammac.svc_verifier.as_ref().map(|verifier| &verifier.mac);
    let Some(mac) = mac.filter(|mac| mac.cksumtype == key.enctype().checksum_type().0) else {
        return Vec::new();
    };
    if key.verify(KeyUsage::CAMMAC, &[cammac.elements.octets()], mac.checksum).is_err() {
        return Vec::new();
    }
    let of_indicators =
        |element: &&AuthorizationElement<'_>| element.ad_type == ad_type::AUTHENTICATION_INDICATOR;
    let texts = cammac
        .elements
        .iter()
        .filter(of_indicators)
        .flat_map(|element| Vec::<Utf8String<'_>>::from_der(element.ad_data).unwrap_or_default());
    texts.map(|text| text.0.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use orthros_crypto::{Enctype, Key};

    use super::*;
    use crate::wire::{Checksum, Encode, Raw, VerifierMac};

    fn key(octet: u8) -> Key {
        Key::new(Enctype::Aes128CtsHmacSha1, &[octet; 16]).unwrap()
    }

    /// Indicators that `maker` says it vouches for by a checksum of this kind.
    fn cammac(maker: &Key, kind: i32, usage: KeyUsage) -> Vec<u8> {
        let texts = vec![Utf8String("otp"), Utf8String("by smart card")].to_der();
        let element = AuthorizationElement { ad_type: ad_type::AUTHENTICATION_INDICATOR, ad_data: &texts };
        let elements = vec![element].to_der();
        let checksum = maker.checksum(usage, &[&elements]);
        let mac = Checksum { cksumtype: kind, checksum: &checksum };
        let svc_verifier = Some(VerifierMac { identifier: None, kvno: None, enctype: None, mac });
        let elements = Raw::from_der(&elements).unwrap();
        AdCammac { elements, kdc_verifier: None, svc_verifier, other_verifiers: None }.to_der()
    }

    #[test]
    fn indicators_count_only_by_the_services_key() {
        let kind = key(1).enctype().checksum_type().0;
        let good = cammac(&key(1), kind, KeyUsage::CAMMAC);
        assert_eq!(indicators(&good, &key(1)), ["otp", "by smart card"]);
        assert!(indicators(&good, &key(2)).is_empty());
        assert!(indicators(&cammac(&key(1), kind, KeyUsage::APPLICATION_CHECKSUM), &key(1)).is_empty());
        // Another kind of checksum, and one without a key.
        for other in [16, 7] {
            assert!(indicators(&cammac(&key(1), other, KeyUsage::CAMMAC), &key(1)).is_empty());
        }
        for place in 0..good.len() {
            let mut changed = good.clone();
            changed[place] ^= 1;
            assert!(indicators(&changed, &key(1)).is_empty(), "octet {place} can be changed");
        }
    }

    #[test]
    fn indicators_that_the_client_put_into_the_ticket_do_not_count() {
        let texts = vec![Utf8String("otp")].to_der();
        let bare = AuthorizationElement { ad_type: ad_type::AUTHENTICATION_INDICATOR, ad_data: &texts };
        let within = vec![bare.clone()].to_der();
        let relevant = AuthorizationElement { ad_type: ad_type::IF_RELEVANT, ad_data: &within };
        let client = "alice@TEST".parse().unwrap();
        let vouched = Vouched::of(&[bare, relevant], &key(1), &client, Timestamp::default());
        assert_eq!(vouched, Vouched::default());
    }
}
