//! Key derivation of the simplified profile: n-fold, DR and DK. RFC 3961 §5.1 and §5.3.
//!
//! DK is DR where random-to-key is the identity: for every cipher but triple DES.

use cipher::{Block, BlockCipherEncrypt};
use zeroize::{Zeroize, Zeroizing};

use crate::cbc_cts::BLOCK;
use crate::usage::KeyUsage;

/// Folds or stretches `input` to the length of `output`. RFC 3961 §5.1.
///
/// Copies of the input, each rotated right by 13 bits more than the one before, are laid end to end until
/// their length is a multiple of both; the pieces of the output's length are then added in ones' complement.
pub(crate) fn n_fold(input: &[u8], output: &mut [u8]) {
    output.fill(0);
    if input.is_empty() || output.is_empty() {
        return;
    }
    let total = input.len() / greatest_common_divisor(input.len(), output.len()) * output.len();
    // A password may be what is folded.
    let mut stream = Zeroizing::new(Vec::with_capacity(total));
    for copy in 0..total / input.len() {
        rotate_right_onto(&mut stream, input, 13 * copy);
    }
    for piece in stream.chunks_exact(output.len()) {
        add_ones_complement(output, piece);
    }
}

/// Appends `input` to `stream`, rotated right by `bits`.
fn rotate_right_onto(stream: &mut Vec<u8>, input: &[u8], bits: usize) {
    let octets = bits / 8 % input.len();
    let shift = u32::try_from(bits % 8).unwrap_or_default();
    let (head, tail) = input.split_at(input.len() - octets);
    let rotated = || tail.iter().chain(head).copied();
    let before = rotated().last().into_iter().chain(rotated());
    stream.extend(before.zip(rotated()).map(|(before, octet)| {
        let [_, low] = (u16::from_be_bytes([before, octet]) >> shift).to_be_bytes();
        low
    }));
}

/// `sum += piece`, the carry of the top running round to the bottom.
fn add_ones_complement(sum: &mut [u8], piece: &[u8]) {
    let mut carry = false;
    for (to, from) in sum.iter_mut().zip(piece).rev() {
        let (octet, over) = to.overflowing_add(*from);
        let (octet, again) = octet.overflowing_add(u8::from(carry));
        (*to, carry) = (octet, over | again);
    }
    for to in sum.iter_mut().rev() {
        (*to, carry) = to.overflowing_add(u8::from(carry));
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// [`n_fold`] of a usage constant to one block, in words: four of these are made for every new context.
pub(crate) fn fold_usage(usage: KeyUsage, purpose: u8) -> [u8; BLOCK] {
    const BITS: u32 = 40;
    let [a, b, c, d, e] = usage.constant(purpose);
    let constant = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
    let mut stream = [0; 5 * BLOCK];
    let mut bits = 0;
    for copy in stream.chunks_exact_mut(5) {
        let [_, _, _, rotated @ ..] = ((constant >> bits) | (constant << (BITS - bits))).to_be_bytes();
        copy.copy_from_slice(&rotated);
        bits = (bits + 13) % BITS;
    }
    let (blocks, _) = stream.as_chunks::<BLOCK>();
    let sum = blocks.iter().fold(0_u128, |sum, block| {
        let (sum, carry) = sum.overflowing_add(u128::from_be_bytes(*block));
        sum + u128::from(carry)
    });
    sum.to_be_bytes()
}

/// DR: fills `derived` with the key that `base` gives for a constant already folded to one block.
/// RFC 3961 §5.1: each block is the encryption of the one before.
pub(crate) fn derive<C: BlockCipherEncrypt>(base: &C, folded: Block<C>, derived: &mut [u8]) {
    let mut block = folded;
    for piece in derived.chunks_mut(C::block_size()) {
        base.encrypt_block(&mut block);
        piece.iter_mut().zip(&block).for_each(|(to, from)| *to = *from);
    }
    block.zeroize();
}

/// [`derive`] for a constant that is a text.
pub(crate) fn derive_label<C: BlockCipherEncrypt>(base: &C, label: &[u8], derived: &mut [u8]) {
    let mut folded = Block::<C>::default();
    n_fold(label, &mut folded);
    derive(base, folded, derived);
}

#[cfg(test)]
mod tests;
