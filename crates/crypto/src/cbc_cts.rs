//! A cipher of 16-octet blocks in CBC mode with ciphertext stealing, in place. RFC 3962 §5, RFC 6803 §3; NIST SP 800-38A addendum, CBC-CS3.
//!
//! The last two blocks are always swapped, also where the length is a whole number of blocks; one block alone
//! is plain CBC, which is why the crate `cts` is a test oracle only: it encrypts such a block twice. The
//! initial vector is zero throughout: Kerberos messages begin with a random confounder.

use aes::{Aes128Dec, Aes128Enc, Aes256Dec, Aes256Enc};
use cbc::{Decryptor, Encryptor};
use cipher::array::Array;
use cipher::consts::U16;
use cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit,
};
use zeroize::Zeroize;

use crate::wiped::Wiped;

/// Octets in a block, and in a confounder.
pub(crate) const BLOCK: usize = 16;

/// A block cipher at one key size, its two directions apart so that a key keeps one schedule only.
pub(crate) trait Cipher: 'static {
    /// Octets in a key.
    const KEY_LEN: usize;
    /// The schedule that encrypts.
    type Encrypting: BlockCipherEncrypt<BlockSize = U16> + KeyInit + Send + Sync;
    /// The schedule that decrypts.
    type Decrypting: BlockCipherDecrypt<BlockSize = U16> + KeyInit + Send + Sync;
}

/// AES with keys of 16 octets.
pub(crate) enum Aes128 {}

impl Cipher for Aes128 {
    const KEY_LEN: usize = 16;
    type Encrypting = Wiped<Aes128Enc>;
    type Decrypting = Wiped<Aes128Dec>;
}

/// AES with keys of 32 octets.
pub(crate) enum Aes256 {}

impl Cipher for Aes256 {
    const KEY_LEN: usize = 32;
    type Encrypting = Wiped<Aes256Enc>;
    type Decrypting = Wiped<Aes256Dec>;
}

type Block = Array<u8, U16>;

/// Below so many octets, taking turns costs more than it gains.
const SHORT: usize = 256;

/// In which pieces [`encrypt_beside`] works: multiples of [`BLOCK`], in octets.
#[derive(Clone, Copy)]
pub(crate) struct Pieces {
    /// The first piece, which fills the hash's first block where something has gone into that already.
    pub(crate) first: usize,
    /// All others: a block of the hash.
    pub(crate) each: usize,
}

/// Encrypts `buffer`, which holds a block at least (a confounder); anything shorter is left as it is.
pub(crate) fn encrypt<C: BlockCipherEncrypt<BlockSize = U16>>(cipher: &C, buffer: &mut [u8]) {
    encrypt_end(cipher, Encryptor::inner_iv_init(cipher, &Block::default()), buffer);
}

/// As [`encrypt`], and shows `before` each piece just before it is encrypted and `after` just after.
///
/// Encryption and hashing are chains in which each step waits for the one before, and leave the processor idle
/// most of the time. In pieces this short it works on both at once: with SHA-1, a long message takes little
/// longer than its encryption alone.
pub(crate) fn encrypt_beside<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    buffer: &mut [u8],
    pieces: Pieces,
    mut before: impl FnMut(&[u8]),
    mut after: impl FnMut(&[u8]),
) {
    let mut cbc = Encryptor::inner_iv_init(cipher, &Block::default());
    let mut length = if buffer.len() < SHORT { buffer.len() } else { pieces.first };
    let mut rest = buffer;
    // The last two blocks are swapped, so they stay together.
    while rest.len() >= length.saturating_add(2 * BLOCK) {
        let (piece, later) = rest.split_at_mut(length);
        before(piece);
        cbc.encrypt_blocks(Array::slice_as_chunks_mut(piece).0);
        after(piece);
        (rest, length) = (later, pieces.each);
    }
    before(rest);
    encrypt_end(cipher, cbc, rest);
    after(rest);
}

/// The last blocks of whatever is encrypted, at least two where there are so many; or all of them.
fn encrypt_end<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    mut cbc: Encryptor<&C>,
    buffer: &mut [u8],
) {
    let (blocks, tail) = Array::slice_as_chunks_mut(buffer);
    cbc.encrypt_blocks(blocks);
    match (blocks, tail) {
        ([.., before, last], []) => std::mem::swap(before, last),
        (_, []) | ([], _) => {}
        ([.., last], tail) => {
            // The last whole block gives its head to the tail and goes, under the padded tail, into the block
            // that takes its place.
            let stolen = *last;
            last.iter_mut().zip(&*tail).for_each(|(to, plain)| *to ^= plain);
            tail.iter_mut().zip(&stolen).for_each(|(to, head)| *to = *head);
            cipher.encrypt_block(last);
        }
    }
}

/// Decrypts `buffer`, which holds a block at least; anything shorter is left as it is.
pub(crate) fn decrypt<C: BlockCipherDecrypt<BlockSize = U16>>(cipher: &C, buffer: &mut [u8]) {
    let whole = buffer.len().div_ceil(BLOCK).saturating_sub(2) * BLOCK;
    let Some((front, end)) = buffer.split_at_mut_checked(whole) else { return };
    let (front, _) = Array::<u8, U16>::slice_as_chunks_mut(front);
    let mut cbc = Decryptor::inner_iv_init(cipher, &Block::default());
    cbc.decrypt_blocks(front);
    let Some((swapped, tail)) = end.split_first_chunk_mut::<BLOCK>() else { return };
    let swapped: &mut Block = swapped.into();
    if !tail.is_empty() {
        // Decrypting the swapped block gives the padded tail under the block that was cut, and so the part of
        // that block which was cut off.
        let mut last = *swapped;
        cipher.decrypt_block(&mut last);
        *swapped = last;
        swapped.iter_mut().zip(&*tail).for_each(|(to, head)| *to = *head);
        tail.iter_mut().zip(&last).for_each(|(to, under)| *to ^= under);
        last.zeroize();
    }
    cbc.decrypt_block(swapped);
}

#[cfg(test)]
mod tests {
    use cts::{CbcCs3, Encrypt};
    use orthros_wire::hex;

    use super::*;

    /// RFC 3962 appendix B gives cipher texts without confounder or tag.
    #[test]
    fn the_cipher_texts_of_rfc_3962_appendix_b_come_out() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../testdata/vectors.json")).unwrap();
        let rows = vectors["aes_cbc_cts"].as_array().unwrap();
        assert_eq!(rows.len(), 6, "vectors are missing");
        for row in rows {
            let octets = |field: &str| hex::decode(row[field].as_str().unwrap()).unwrap();
            assert_eq!(octets("iv"), [0; BLOCK]);
            let mut buffer = octets("input");
            encrypt(&Aes128Enc::new_from_slice(&octets("key")).unwrap(), &mut buffer);
            assert_eq!(buffer, octets("output"), "{row}");
            decrypt(&Aes128Dec::new_from_slice(&octets("key")).unwrap(), &mut buffer);
            assert_eq!(buffer, octets("input"), "{row}");
        }
    }

    /// The definition of RFC 3962 §5 step by step: pad with zeros, CBC, swap the last two blocks, cut.
    fn by_the_book<C: BlockCipherEncrypt<BlockSize = U16>>(cipher: &C, plain: &[u8]) -> Vec<u8> {
        let mut blocks: Vec<Array<u8, U16>> = plain
            .chunks(BLOCK)
            .map(|piece| {
                let mut block = Array::default();
                block[..piece.len()].copy_from_slice(piece);
                block
            })
            .collect();
        Encryptor::inner_iv_init(cipher, &Array::default()).encrypt_blocks(&mut blocks);
        let count = blocks.len();
        if count > 1 {
            blocks.swap(count - 2, count - 1);
        }
        let mut cipher_text = blocks.concat();
        cipher_text.truncate(plain.len());
        cipher_text
    }

    #[test]
    fn every_length_agrees_with_the_definition() {
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap());
        let (encrypting, decrypting) =
            (Aes256Enc::new_from_slice(&key).unwrap(), Aes256Dec::new_from_slice(&key).unwrap());
        for len in BLOCK..=600 {
            let plain: Vec<u8> = (0..len).map(|at| u8::try_from(at % 256).unwrap()).collect();
            let mut buffer = plain.clone();
            let (mut before, mut after) = (Vec::new(), Vec::new());
            encrypt_beside(
                &encrypting,
                &mut buffer,
                Pieces { first: 48, each: 64 },
                |piece| before.extend_from_slice(piece),
                |piece| after.extend_from_slice(piece),
            );
            assert_eq!((&before, &after), (&plain, &buffer), "{len}");
            let mut at_once = plain.clone();
            encrypt(&encrypting, &mut at_once);
            assert_eq!(at_once, buffer, "{len}");
            assert_eq!(buffer, by_the_book(&encrypting, &plain), "{len}");
            // The crate `cts` encrypts a block that stands alone twice over, so it is no oracle for that one.
            if len > BLOCK {
                let mut theirs = plain.clone();
                CbcCs3::inner_iv_init(&encrypting, &Array::default()).encrypt(&mut theirs).unwrap();
                assert_eq!(buffer, theirs, "{len}");
            }
            decrypt(&decrypting, &mut buffer);
            assert_eq!(buffer, plain, "{len}");
        }
    }
}
