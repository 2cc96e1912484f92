//! Key material for the application from a context's keys (RFC 4401, for Kerberos RFC 4402).

use orthros_wire::SecretBytes;
use zeroize::Zeroizing;

use super::protection::Protection;
use crate::error::Misuse;

/// Which key of the context the material comes from (RFC 4401 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrfKey {
    /// `GSS_C_PRF_KEY_FULL`: the key that both ends had a part in, where there is one: what protects messages.
    Full,
    /// `GSS_C_PRF_KEY_PARTIAL`: the key that the initiator chose, there from its first token on.
    Partial,
}

impl Protection {
    /// PRF+ of RFC 4402 §2: `prf(0 | input) | prf(1 | input) | ...`, cut to `octets`; the numbers have four
    /// octets.
    pub(crate) fn pseudo_random(
        &self,
        key: PrfKey,
        input: &[u8],
        octets: usize,
    ) -> Result<SecretBytes, Misuse> {
        let key = match key {
            PrfKey::Full => self.key(),
            PrfKey::Partial => &self.base_key,
        };
        let mut output = Zeroizing::new(vec![0; octets]);
        for (number, block) in output.chunks_mut(key.prf_len()).enumerate() {
            let number = u32::try_from(number).map_err(|_| Misuse::TooLong)?;
            let given = key.prf(&[&number.to_be_bytes(), input].concat());
            block.iter_mut().zip(given.expose_octets()).for_each(|(to, from)| *to = *from);
        }
        Ok(output.into())
    }
}
