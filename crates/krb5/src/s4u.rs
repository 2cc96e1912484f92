//! How a service names the user for whom it asks, and how a KDC proves that it was understood (MS-SFU §2.2).
//!
//! A request names the user twice, for different KDCs: in PA-FOR-USER, whose checksum is made by the session key of
//! the ticket shown ([`for_user`]), and in PA-S4U-X509-USER, whose checksum is made by the request's own subkey and
//! covers its nonce ([`UserId`]). The checksum in the authenticator covers neither. So PA-FOR-USER could be that of
//! an earlier request by the same ticket, and the name in a reply is in the clear: only the PA-S4U-X509-USER that the
//! KDC sends back proves whose ticket it made. Its key usage is another than the request's, or the request's own
//! element would do as a proof.
//!
//! Deliberately not here: users named by certificates, and the forms for RC4 and DES, where the proof is no proof.

use std::fmt;

use orthros_crypto::{ChecksumType, Key, KeyUsage};
use orthros_wire::der::{Decode, DerError, Encode, GeneralString, Raw};

use crate::Principal;
use crate::wire::{Checksum, PaForUser, PaS4uX509User, S4uOptions, S4uUserId};

/// The package that authenticates the user, as the message must name it.
const PACKAGE: &str = "Kerberos";

/// Why an element does not name a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadUser {
    /// The checksum is not of the kind that is due here, or does not hold.
    Checksum,
    /// It is not the DER that MS-SFU describes.
    Malformed(DerError),
    /// It names nobody, or by a certificate only.
    Nameless,
}

impl fmt::Display for BadUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum => f.write_str("the checksum over the user's name does not hold"),
            Self::Malformed(error) => write!(f, "the element that names the user is malformed: {error}"),
            Self::Nameless => f.write_str("no user is named"),
        }
    }
}

impl std::error::Error for BadUser {}

impl From<DerError> for BadUser {
    fn from(error: DerError) -> Self {
        Self::Malformed(error)
    }
}

/// What the checksum of PA-FOR-USER covers: the kind of name in four octets, the least significant first, and the
/// texts one after the other.
fn covered(user: &Principal, package: &str) -> Vec<u8> {
    let mut octets = user.name_type().0.to_le_bytes().to_vec();
    let texts = user.components().iter().map(String::as_str).chain([user.realm(), package]);
    texts.for_each(|text| octets.extend_from_slice(text.as_bytes()));
    octets
}

/// PA-FOR-USER for `user`, by the session key of the ticket that the request shows.
pub fn for_user(user: &Principal, session_key: &Key) -> Vec<u8> {
    let covered = covered(user, PACKAGE);
    let checksum = session_key.hmac_md5_checksum(KeyUsage::APPLICATION_CHECKSUM, &[&covered]);
    let element = PaForUser {
        user_name: user.to_wire(),
        user_realm: GeneralString(user.realm()),
        cksum: Checksum { cksumtype: ChecksumType::HMAC_MD5.0, checksum: &checksum },
        auth_package: GeneralString(PACKAGE),
    };
    element.to_der()
}

/// The user whom a PA-FOR-USER names.
///
/// # Errors
/// [`BadUser`].
pub fn open_for_user(octets: &[u8], session_key: &Key) -> Result<Principal, BadUser> {
    let element = PaForUser::from_der(octets)?;
    let user =
        Principal::from_wire(&element.user_name, element.user_realm.0).map_err(|_| BadUser::Nameless)?;
    if element.cksum.cksumtype != ChecksumType::HMAC_MD5.0 {
        return Err(BadUser::Checksum);
    }
    let covered = covered(&user, element.auth_package.0);
    session_key
        .verify_hmac_md5(KeyUsage::APPLICATION_CHECKSUM, &[&covered], element.cksum.checksum)
        .map_err(|_| BadUser::Checksum)?;
    Ok(user)
}

/// What a PA-S4U-X509-USER says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserId {
    /// The nonce of the request.
    pub nonce: u32,
    /// The user.
    pub user: Principal,
    /// Options.
    pub options: S4uOptions,
}

/// Which message a PA-S4U-X509-USER is in: its checksum is made for that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// The service's request.
    Request,
    /// The KDC's reply to a request with [`S4uOptions::REPLY_KEY_USAGE`].
    Reply,
}

impl Within {
    fn usage(self) -> KeyUsage {
        match self {
            Self::Request => KeyUsage::S4U_X509_USER_REQUEST,
            Self::Reply => KeyUsage::S4U_X509_USER_REPLY,
        }
    }
}

impl UserId {
    /// The element, by the subkey of the request's authenticator.
    ///
    /// # Errors
    /// [`BadUser::Malformed`] never in practice: what was just written is read again.
    pub fn to_element(&self, within: Within, subkey: &Key) -> Result<Vec<u8>, BadUser> {
        let id = S4uUserId {
            nonce: self.nonce,
            cname: Some(self.user.to_wire()),
            crealm: GeneralString(self.user.realm()),
            subject_certificate: None,
            options: Some(self.options),
        }
        .to_der();
        let checksum = subkey.checksum(within.usage(), &[&id]);
        let cksumtype = subkey.enctype().checksum_type().0;
        let checksum = Checksum { cksumtype, checksum: &checksum };
        Ok(PaS4uX509User { user_id: Raw::from_der(&id)?, checksum }.to_der())
    }

    /// Reads an element and checks its checksum, which must be of the kind of `subkey`. Whether the nonce is that of
    /// the request is for the caller to check.
    ///
    /// # Errors
    /// [`BadUser`].
    pub fn open(octets: &[u8], within: Within, subkey: &Key) -> Result<Self, BadUser> {
        let PaS4uX509User { user_id, checksum } = PaS4uX509User::from_der(octets)?;
        if subkey.enctype().is_weak() || checksum.cksumtype != subkey.enctype().checksum_type().0 {
            return Err(BadUser::Checksum);
        }
        subkey
            .verify(within.usage(), &[user_id.octets()], checksum.checksum)
            .map_err(|_| BadUser::Checksum)?;
        let name = user_id.cname.as_ref().ok_or(BadUser::Nameless)?;
        let user = Principal::from_wire(name, user_id.crealm.0).map_err(|_| BadUser::Nameless)?;
        Ok(Self { nonce: user_id.nonce, user, options: user_id.options.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use orthros_crypto::Enctype;

    use super::*;

    fn key(seed: u8) -> Key {
        Key::new(Enctype::Aes128CtsHmacSha1, &[seed; 16]).unwrap()
    }

    fn alice() -> Principal {
        "alice@EXAMPLE.COM".parse().unwrap()
    }

    #[test]
    fn a_user_is_named_by_who_has_the_key_only() {
        let element = for_user(&alice(), &key(1));
        assert_eq!(open_for_user(&element, &key(1)), Ok(alice()));
        assert_eq!(open_for_user(&element, &key(2)), Err(BadUser::Checksum));
        let place = element.windows(5).position(|octets| octets == b"alice").unwrap();
        let mut other = element;
        other[place] = b'A';
        assert_eq!(open_for_user(&other, &key(1)), Err(BadUser::Checksum));
    }

    #[test]
    fn cve_2018_16860_a_user_who_is_named_under_another_checksum_is_refused() {
        let element = for_user(&alice(), &key(1));
        let own = ChecksumType::HMAC_MD5.0;
        for number in (-150..40).filter(|number| *number != own) {
            let mut renumbered = PaForUser::from_der(&element).unwrap();
            renumbered.cksum.cksumtype = number;
            assert_eq!(open_for_user(&renumbered.to_der(), &key(1)), Err(BadUser::Checksum), "{number}");
        }
    }

    #[test]
    fn the_requests_own_element_is_no_proof_of_the_kdcs() {
        let id = UserId { nonce: 7, user: alice(), options: S4uOptions::REPLY_KEY_USAGE };
        let request = id.to_element(Within::Request, &key(1)).unwrap();
        assert_eq!(UserId::open(&request, Within::Request, &key(1)), Ok(id.clone()));
        assert_eq!(UserId::open(&request, Within::Reply, &key(1)), Err(BadUser::Checksum));
        let reply = id.to_element(Within::Reply, &key(1)).unwrap();
        assert_eq!(UserId::open(&reply, Within::Reply, &key(1)), Ok(id));
        assert_eq!(UserId::open(&reply, Within::Reply, &key(2)), Err(BadUser::Checksum));
    }

    #[test]
    fn cut_elements_are_refused() {
        let element = for_user(&alice(), &key(1));
        let id = UserId { nonce: 7, user: alice(), options: S4uOptions::default() };
        let bound = id.to_element(Within::Reply, &key(1)).unwrap();
        for cut in 0..element.len() {
            assert!(matches!(open_for_user(&element[..cut], &key(1)), Err(BadUser::Malformed(_))));
        }
        for cut in 0..bound.len() {
            let opened = UserId::open(&bound[..cut], Within::Reply, &key(1));
            assert!(matches!(opened, Err(BadUser::Malformed(_))));
        }
    }
}
