//! Opening sealed messages, without what the enctype adds. RFC 4120 §5.2.9, RFC 3961 §6.3.
//!
//! Triple DES pads plain texts to whole blocks and does not say how far, so a message ends where its outermost
//! DER value does. Under every other enctype, octets after that value are a fault and stay for the reader to
//! find.

use orthros_crypto::{Integrity, Key, KeyUsage};
use orthros_wire::der::DerReader;
use orthros_wire::secret::SecretBuffer;

/// Decrypts a message whose plain text is one DER value, and takes off the padding of the key's enctype.
///
/// # Errors
/// [`Integrity`] as [`Key::decrypt`].
pub fn open_message(key: &Key, usage: KeyUsage, cipher: &[u8]) -> Result<SecretBuffer, Integrity> {
    let mut plain = key.decrypt(usage, cipher)?;
    let message = unpadded_len(&plain, key.enctype().block_len());
    plain.truncate(message);
    Ok(plain)
}

/// Octets of the first value in `plain` if what follows is shorter than a block, otherwise all.
fn unpadded_len(plain: &[u8], block: usize) -> usize {
    let value = DerReader::new(plain).any().map_or(plain.len(), |(_, _, octets)| octets.len());
    if plain.len() - value < block { value } else { plain.len() }
}

#[cfg(test)]
mod tests {
    use orthros_crypto::Enctype;
    use orthros_wire::testing::SeededRandom;

    use super::*;

    #[test]
    fn only_triple_des_may_add_octets_and_fewer_than_a_block() {
        let random = SeededRandom::new(1);
        let value = [0x04, 3, 1, 2, 3];
        for enctype in Enctype::ALL.iter().copied() {
            let key = Key::random(enctype, &random);
            let opened = |plain: &[u8]| {
                let sealed = key.encrypt(KeyUsage::KRB_PRIV, &random, plain);
                open_message(&key, KeyUsage::KRB_PRIV, &sealed).unwrap().to_vec()
            };
            assert_eq!(opened(&value), value, "{enctype}");
            for more in 1..=8 {
                let plain = [&value[..], &vec![0; more]].concat();
                let found = opened(&plain);
                if enctype == Enctype::Des3CbcSha1
                    && (value.len() + more).next_multiple_of(8) - value.len() < 8
                {
                    assert_eq!(found, value, "{more}");
                } else {
                    assert_eq!(found[..plain.len()], plain, "{enctype} {more}");
                }
            }
            // What is no DER value stays whole.
            assert_eq!(opened(&[0x30, 0x7f, 1, 2, 3, 4, 5, 6]), [0x30, 0x7f, 1, 2, 3, 4, 5, 6]);
        }
    }
}
