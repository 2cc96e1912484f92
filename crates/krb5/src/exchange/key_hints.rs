//! Which long-term key a KDC wants, and how it is made from a password (RFC 4120 §5.2.7).
//!
//! ETYPE-INFO2 says it; where it is missing, ETYPE-INFO does; PA-PW-SALT gives a salt alone; and where nothing
//! is said, the default salt holds. All of it is unauthenticated: a lie leads to a wrong key and so to a refusal,
//! and never to an enctype that the policy lacks.

use orthros_crypto::Enctype;
use orthros_wire::der::{Decode, DerError};

use crate::wire::{EtypeInfo2Entry, EtypeInfoEntry, PaData, pa_type};

/// How the key of one enctype is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyHint {
    pub(super) number: i32,
    /// `None`: the principal's default salt.
    pub(super) salt: Option<Vec<u8>>,
    /// Parameters of string-to-key.
    pub(super) params: Option<Vec<u8>>,
}

/// What a KDC said about the client's keys.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyHints {
    /// In the KDC's order; `None` if it listed nothing.
    listed: Option<Vec<KeyHint>>,
    /// PA-PW-SALT.
    salt: Option<Vec<u8>>,
}

impl KeyHints {
    /// Reads the elements that concern keys.
    pub(super) fn read(padata: &[PaData<'_>]) -> Result<Self, DerError> {
        let find = |number| {
            padata.iter().find(|element| element.padata_type == number).map(|element| element.padata_value)
        };
        let listed = match (find(pa_type::ETYPE_INFO2), find(pa_type::ETYPE_INFO)) {
            (Some(value), _) => {
                Some(Vec::<EtypeInfo2Entry<'_>>::from_der(value)?.iter().map(newer).collect())
            }
            (None, Some(value)) => {
                Some(Vec::<EtypeInfoEntry<'_>>::from_der(value)?.iter().map(older).collect())
            }
            (None, None) => None,
        };
        Ok(Self { listed, salt: find(pa_type::PW_SALT).map(<[u8]>::to_vec) })
    }

    /// Whether nothing was said.
    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_none() && self.salt.is_none()
    }

    /// The first of `wanted` that the KDC has, by our order and not by its own.
    pub(super) fn choose(&self, wanted: &[Enctype]) -> Option<Enctype> {
        wanted.iter().copied().find(|enctype| self.listed.is_none() || self.row(*enctype).is_some())
    }

    /// How to make the key of `enctype`.
    pub(super) fn hint(&self, enctype: Enctype) -> KeyHint {
        self.row(enctype).cloned().unwrap_or_else(|| KeyHint {
            number: enctype.number(),
            salt: self.salt.clone(),
            params: None,
        })
    }

    /// The enctypes listed, by number.
    pub(super) fn offered(&self) -> Vec<i32> {
        self.listed.iter().flatten().map(|hint| hint.number).collect()
    }

    fn row(&self, enctype: Enctype) -> Option<&KeyHint> {
        self.listed.iter().flatten().find(|hint| hint.number == enctype.number())
    }
}

fn newer(entry: &EtypeInfo2Entry<'_>) -> KeyHint {
    KeyHint {
        number: entry.etype,
        salt: entry.salt.map(|salt| salt.0.as_bytes().to_vec()),
        params: entry.s2kparams.map(<[u8]>::to_vec),
    }
}

fn older(entry: &EtypeInfoEntry<'_>) -> KeyHint {
    KeyHint { number: entry.etype, salt: entry.salt.map(<[u8]>::to_vec), params: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Encode, GeneralString};

    const AES: [Enctype; 2] = [Enctype::Aes256CtsHmacSha384, Enctype::Aes256CtsHmacSha1];

    #[test]
    fn etype_info2_goes_before_its_elders_and_our_order_before_the_kdcs() {
        let entry = |etype, salt| EtypeInfo2Entry { etype, salt, s2kparams: None };
        let info2 = vec![entry(23, None), entry(18, Some(GeneralString("new"))), entry(20, None)].to_der();
        let info = vec![EtypeInfoEntry { etype: 17, salt: Some(b"old") }].to_der();
        let element = |padata_type, padata_value| PaData { padata_type, padata_value };
        let both = [element(11, info.as_slice()), element(19, &info2), element(3, b"salt")];
        let hints = KeyHints::read(&both).unwrap();
        assert_eq!(hints.offered(), [23, 18, 20]);
        assert_eq!(hints.choose(&AES), Some(Enctype::Aes256CtsHmacSha384));
        assert_eq!(hints.hint(Enctype::Aes256CtsHmacSha1).salt.as_deref(), Some(&b"new"[..]));

        let [old, _, salt] = both;
        assert_eq!(KeyHints::read(&[old]).unwrap().choose(&AES), None);
        let only_salt = KeyHints::read(&[salt]).unwrap();
        assert_eq!(only_salt.choose(&AES), Some(Enctype::Aes256CtsHmacSha384));
        assert_eq!(only_salt.hint(Enctype::Aes256CtsHmacSha1).salt.as_deref(), Some(&b"salt"[..]));
        assert!(KeyHints::read(&[]).unwrap().is_empty());
    }
}
