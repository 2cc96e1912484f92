//! What a client says in the authorization data of its authenticator: the enctypes that it takes (RFC 4537) and
//! whether it always sends its channel bindings (MS-KILE §2.2.8, `KERB_AP_OPTIONS_CBT`).
//!
//! Shape: `AD-IF-RELEVANT { AuthorizationData { 129: SEQUENCE OF Int32, 143: flags(4), little-endian } }`. An
//! acceptor that knows none of it goes on without. Other elements are passed over.

use orthros_wire::der::{Decode, DerError, Encode};

use crate::authdata;
use crate::wire::{AuthorizationElement, ad_type};

/// `KERB_AP_OPTIONS_CBT`.
const CHANNEL_BINDINGS_SENT: u32 = 0x4000;

/// What stands in the authenticator's authorization data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientOptions {
    /// The numbers of the enctypes that the client takes for the acceptor's subkey, best first.
    pub enctypes: Vec<i32>,
    /// The client sends channel bindings where it has any: if it sends none, there are none.
    pub sends_bindings: bool,
}

impl ClientOptions {
    /// The element that says it; `None` if there is nothing to say.
    ///
    /// ```
    /// use orthros_krb5::ap::ClientOptions;
    /// use orthros_krb5::wire::AuthorizationElement;
    /// let options = ClientOptions { enctypes: vec![20, 18], sends_bindings: true };
    /// let octets = options.to_octets().unwrap();
    /// assert_eq!(ClientOptions::read(&[AuthorizationElement { ad_type: 1, ad_data: &octets }]), Ok(options));
    /// assert_eq!(ClientOptions::default().to_octets(), None);
    /// ```
    pub fn to_octets(&self) -> Option<Vec<u8>> {
        let enctypes = self.enctypes.to_der();
        let flags = CHANNEL_BINDINGS_SENT.to_le_bytes();
        let mut elements = Vec::new();
        if !self.enctypes.is_empty() {
            elements.push(AuthorizationElement { ad_type: ad_type::ETYPE_NEGOTIATION, ad_data: &enctypes });
        }
        if self.sends_bindings {
            elements.push(AuthorizationElement { ad_type: ad_type::AP_OPTIONS, ad_data: &flags });
        }
        (!elements.is_empty()).then(|| elements.to_der())
    }

    /// Reads what is known among an authenticator's elements. What lies in `AD-IF-RELEVANT` counts too.
    ///
    /// # Errors
    /// [`DerError`] if an element that is known is malformed.
    pub fn read(elements: &[AuthorizationElement<'_>]) -> Result<Self, DerError> {
        let mut options = Self::default();
        for element in elements {
            authdata::walk(element.ad_type, element.ad_data, &mut |number, octets| {
                options.take(number, octets)
            })?;
        }
        Ok(options)
    }

    fn take(&mut self, number: i32, octets: &[u8]) -> Result<(), DerError> {
        match number {
            ad_type::ETYPE_NEGOTIATION => self.enctypes = Vec::from_der(octets)?,
            ad_type::AP_OPTIONS => {
                let flags = octets.first_chunk().map_or(0, |flags| u32::from_le_bytes(*flags));
                self.sends_bindings = flags & CHANNEL_BINDINGS_SENT != 0;
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ad_type: i32, ad_data: &[u8]) -> Result<ClientOptions, DerError> {
        ClientOptions::read(&[AuthorizationElement { ad_type, ad_data }])
    }

    #[test]
    fn elements_nested_deeply_or_malformed_do_no_harm() {
        let inner = ClientOptions { enctypes: vec![17], sends_bindings: false }.to_octets().unwrap();
        let mut nested = inner.clone();
        for _ in 0..100 {
            nested = vec![AuthorizationElement { ad_type: ad_type::IF_RELEVANT, ad_data: &nested }].to_der();
        }
        assert_eq!(read(1, &nested), Ok(ClientOptions::default()));
        for cut in 0..inner.len() {
            assert!(read(1, &inner[..cut]).is_err());
        }
        assert_eq!(read(143, b"\0\x40"), Ok(ClientOptions::default()));
        assert_eq!(read(128, b"not for us"), Ok(ClientOptions::default()));
    }
}
