//! Which enctypes may be used: the list `permitted_enctypes`, asked wherever a key or a sealed message comes in
//! from a peer, a KDC, a cache or a keytab.
//!
//! RC4 and triple DES are known ([`Enctype::is_weak`]) and still stand in no list unless the configuration
//! allows them.

use std::fmt;

use orthros_crypto::Enctype;

/// The enctype with this number, if it stands in `permitted`.
///
/// ```
/// use orthros_crypto::Enctype;
/// use orthros_krb5::permitted::permit;
/// assert_eq!(permit(18, Enctype::STRONG), Ok(Enctype::Aes256CtsHmacSha1));
/// assert!(permit(23, Enctype::STRONG).unwrap_err().to_string().contains("allow_rc4 = true"));
/// ```
///
/// # Errors
/// [`NotPermitted`] names the enctype, and the switch that would permit it.
pub fn permit(number: i32, permitted: &[Enctype]) -> Result<Enctype, NotPermitted> {
    Enctype::from_number(number).filter(|enctype| permitted.contains(enctype)).ok_or(NotPermitted { number })
}

/// An enctype that is not permitted here, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPermitted {
    /// The enctype's number.
    pub number: i32,
}

impl fmt::Display for NotPermitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(enctype) = Enctype::from_number(self.number) else {
            return write!(f, "enctype {} is unknown here", self.number);
        };
        match (enctype.deprecation(), enctype.switch()) {
            (Some(reason), Some(switch)) => write!(
                f,
                "{enctype} is not permitted here ({reason}); to use it all the same set {switch} = true in \
                 [libdefaults], and name it in permitted_enctypes if that is set"
            ),
            _ => write!(f, "{enctype} is not permitted here: permitted_enctypes does not name it"),
        }
    }
}

impl std::error::Error for NotPermitted {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_enctype_and_what_would_permit_it() {
        let refused = |number, permitted: &[Enctype]| permit(number, permitted).unwrap_err().to_string();
        assert_eq!(refused(3, Enctype::ALL), "enctype 3 is unknown here");
        let weak = refused(16, Enctype::STRONG);
        assert!(weak.starts_with("des3-cbc-sha1 is not permitted here (RFC 8429 "), "{weak}");
        assert!(weak.contains("set allow_des3 = true in [libdefaults]"), "{weak}");
        assert_eq!(
            refused(17, &[Enctype::Aes256CtsHmacSha1]),
            "aes128-cts-hmac-sha1-96 is not permitted here: permitted_enctypes does not name it"
        );
        for enctype in Enctype::ALL.iter().copied() {
            assert_eq!(permit(enctype.number(), &[enctype]), Ok(enctype));
            assert_eq!(permit(enctype.number(), Enctype::STRONG).is_err(), enctype.is_weak());
        }
    }
}
