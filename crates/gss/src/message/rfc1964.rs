//! Tokens of the old form, for contexts whose keys are of RC4 or triple DES (RFC 1964 §1.2, RFC 4757 §7). Such keys
//! are there only where policy names them.
//!
//! ```text
//! MIC:  frame | 01 01 | SGN_ALG(2) | FF FF FF FF            | SND_SEQ(8) | checksum
//! wrap: frame | 02 01 | SGN_ALG(2) | SEAL_ALG(2) | FF FF    | SND_SEQ(8) | checksum | confounder(8) message filler
//! ```
//!
//! The sequence number has 32 bits, and no checksum covers it: with RC4 whoever changes its octets on the way
//! changes the number (RFC 4757 §8), so what such a context says of order is worth nothing against an attacker.
//! All that does not verify looks alike (CVE-2014-4341).

use orthros_crypto::{Enctype, Key, KeyUsage, OldTokens};
use orthros_wire::Random;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::protection::{Protection, Role, Unwrapped};
use crate::error::{BadToken, Error, Misuse};
use crate::framing;
use crate::mechanism::Mechanism;
use crate::status::Order;

/// Octets in a token's fixed part: what it is, and by which algorithms.
const HEAD: usize = 8;
/// Octets of the sequence number's field.
const FIELD: usize = 8;
/// Octets of random before the message.
const CONFOUNDER: usize = 8;
/// The greatest length that filler may have.
const MOST_FILLER: u8 = 8;
/// In place of a sealing algorithm: not sealed.
const NOT_SEALED: [u8; 2] = [0xff, 0xff];

/// What the two enctypes do not share.
struct Algorithms {
    sign: [u8; 2],
    seal: [u8; 2],
    checksum_len: usize,
    /// Messages are filled up to a multiple of this, by at least one octet.
    block: usize,
    mic_usage: KeyUsage,
    /// Whether the first octet of a sequence number is the greatest.
    big_endian: bool,
}

/// HMAC-SHA1-DES3-KD and DES3-KD, as MIT krb5 numbered them.
const TRIPLE_DES: Algorithms = Algorithms {
    sign: [4, 0],
    seal: [2, 0],
    checksum_len: 20,
    block: 8,
    mic_usage: WRAP_USAGE,
    big_endian: false,
};

/// RFC 4757 §7.2 and §7.3.
const RC4: Algorithms = Algorithms {
    sign: [0x11, 0],
    seal: [0x10, 0],
    checksum_len: 8,
    block: 1,
    mic_usage: KeyUsage(15),
    big_endian: true,
};

/// The usage of the checksum in a wrap token, and in every token of triple DES.
const WRAP_USAGE: KeyUsage = KeyUsage(23);

/// A context's key with its algorithms.
pub(super) struct Old<'k> {
    key: &'k Key,
    tokens: OldTokens<'k>,
    algorithms: &'static Algorithms,
    mechanism: &'static Mechanism,
}

impl<'k> Old<'k> {
    /// If messages under this key go in tokens of the old form.
    pub(super) fn of(key: &'k Key, mechanism: &'static Mechanism) -> Option<Self> {
        let tokens = key.old_tokens()?;
        let algorithms = if key.enctype() == Enctype::ArcfourHmac { &RC4 } else { &TRIPLE_DES };
        Some(Self { key, tokens, algorithms, mechanism })
    }

    /// Octets in the token of a message of so many.
    pub(super) fn token_len(&self, message: usize) -> usize {
        let filled = message + self.filler(message);
        let inner = HEAD + FIELD + self.algorithms.checksum_len + CONFOUNDER + filled;
        framing::frame(&self.mechanism.oid, &[&vec![0; inner]]).len()
    }

    fn filler(&self, message: usize) -> usize {
        self.algorithms.block - message % self.algorithms.block
    }

    fn head(&self, kind: [u8; 2], seal: [u8; 2]) -> [u8; HEAD] {
        let ([k0, k1], [a0, a1], [s0, s1]) = (kind, self.algorithms.sign, seal);
        [k0, k1, a0, a1, s0, s1, 0xff, 0xff]
    }

    fn checksum(&self, usage: KeyUsage, parts: &[&[u8]]) -> Vec<u8> {
        let mut checksum = self.key.checksum(usage, parts).to_vec();
        checksum.truncate(self.algorithms.checksum_len);
        checksum
    }

    /// `head | SND_SEQ | checksum | body`, framed.
    fn token(&self, role: Role, sequence: u32, head: &[u8], checksum: &[u8], body: &[u8]) -> Vec<u8> {
        let number = if self.algorithms.big_endian { sequence.to_be_bytes() } else { sequence.to_le_bytes() };
        let ([n0, n1, n2, n3], d) = (number, direction(role));
        let mut field = [n0, n1, n2, n3, d, d, d, d];
        self.tokens.seal_sequence(first_octets(checksum), &mut field);
        framing::frame(&self.mechanism.oid, &[head, &field, checksum, body])
    }

    /// The parts of a token of this kind, with its sequence number opened.
    fn parse<'t>(&self, token: &'t [u8], kind: [u8; 2]) -> Result<Parsed<'t>, BadToken> {
        let (mechanism, inner) = framing::unframe(token)?;
        if mechanism != self.mechanism.oid {
            return Err(BadToken::WrongKind);
        }
        let (head, rest) = inner.split_first_chunk::<HEAD>().ok_or(BadToken::Truncated)?;
        let (field, rest) = rest.split_first_chunk::<FIELD>().ok_or(BadToken::Truncated)?;
        let (checksum, body) =
            rest.split_at_checked(self.algorithms.checksum_len).ok_or(BadToken::Truncated)?;
        let [_, _, _, _, s0, s1, _, _] = *head;
        if *head != self.head(kind, [s0, s1]) {
            return Err(BadToken::WrongKind);
        }
        let mut field = *field;
        self.tokens.open_sequence(first_octets(checksum), &mut field);
        let [n0, n1, n2, n3, direction @ ..] = field;
        let number = [n0, n1, n2, n3];
        let sequence =
            if self.algorithms.big_endian { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) };
        Ok(Parsed { head: *head, seal: [s0, s1], sequence, direction, checksum, body })
    }

    fn verify(&self, usage: KeyUsage, parts: &[&[u8]], checksum: &[u8]) -> Result<(), BadToken> {
        let good = self.checksum(usage, parts).ct_eq(checksum);
        if bool::from(good) { Ok(()) } else { Err(BadToken::Integrity) }
    }
}

struct Parsed<'t> {
    head: [u8; HEAD],
    seal: [u8; 2],
    sequence: u32,
    direction: [u8; 4],
    checksum: &'t [u8],
    body: &'t [u8],
}

impl Parsed<'_> {
    fn check_direction(&self, sender: Role) -> Result<(), BadToken> {
        if self.direction == [direction(sender); 4] { Ok(()) } else { Err(BadToken::WrongDirection) }
    }
}

fn direction(sender: Role) -> u8 {
    match sender {
        Role::Initiator => 0,
        Role::Acceptor => 0xff,
    }
}

/// What seals the sequence number; checksums have eight octets at least.
fn first_octets(checksum: &[u8]) -> &[u8; FIELD] {
    checksum.first_chunk().unwrap_or(&[0; FIELD])
}

impl Protection {
    pub(super) fn wrap_old(
        &self,
        old: &Old<'_>,
        sealed: bool,
        message: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, Error> {
        let sequence = self.next_old_sequence()?;
        let filler = old.filler(message.len());
        let mut body = Zeroizing::new(Vec::with_capacity(CONFOUNDER + message.len() + filler));
        body.resize(CONFOUNDER, 0);
        random.fill(&mut body);
        body.extend_from_slice(message);
        let fill = u8::try_from(filler).unwrap_or(MOST_FILLER);
        body.extend(std::iter::repeat_n(fill, filler));
        let head = old.head([2, 1], if sealed { old.algorithms.seal } else { NOT_SEALED });
        let checksum = old.checksum(WRAP_USAGE, &[&head, &body]);
        if sealed {
            old.tokens.seal_body(sequence, &mut body);
        }
        Ok(old.token(self.role, sequence, &head, &checksum, &body))
    }

    pub(super) fn unwrap_old(&self, old: &Old<'_>, token: &[u8]) -> Result<Unwrapped, Error> {
        let parsed = old.parse(token, [2, 1])?;
        let confidential = parsed.seal == old.algorithms.seal;
        if !confidential && parsed.seal != NOT_SEALED {
            return Err(BadToken::WrongKind.into());
        }
        if !parsed.body.len().is_multiple_of(old.algorithms.block) {
            return Err(BadToken::Integrity.into());
        }
        let mut body = Zeroizing::new(parsed.body.to_vec());
        if confidential {
            old.tokens.open_body(parsed.sequence, &mut body);
        }
        old.verify(WRAP_USAGE, &[&parsed.head, &body], parsed.checksum)?;
        let filler = body.last().copied().filter(|filler| (1..=MOST_FILLER).contains(filler));
        let end = filler.and_then(|filler| body.len().checked_sub(usize::from(filler)));
        let message = end.and_then(|end| body.get(CONFOUNDER..end)).ok_or(BadToken::Integrity)?.to_vec();
        parsed.check_direction(self.role.peer())?;
        let order = self.take_old(parsed.sequence)?;
        Ok(Unwrapped { message, confidential, order })
    }

    pub(super) fn mic_old(&self, old: &Old<'_>, parts: &[&[u8]]) -> Result<Vec<u8>, Error> {
        let sequence = self.next_old_sequence()?;
        let head = old.head([1, 1], NOT_SEALED);
        let covered: Vec<&[u8]> = [&head[..]].into_iter().chain(parts.iter().copied()).collect();
        let checksum = old.checksum(old.algorithms.mic_usage, &covered);
        Ok(old.token(self.role, sequence, &head, &checksum, &[]))
    }

    pub(super) fn verify_mic_old(
        &self,
        old: &Old<'_>,
        parts: &[&[u8]],
        token: &[u8],
    ) -> Result<Order, Error> {
        let parsed = old.parse(token, [1, 1])?;
        if parsed.seal != NOT_SEALED {
            return Err(BadToken::WrongKind.into());
        }
        if !parsed.body.is_empty() {
            return Err(BadToken::Integrity.into());
        }
        let covered: Vec<&[u8]> = [&parsed.head[..]].into_iter().chain(parts.iter().copied()).collect();
        old.verify(old.algorithms.mic_usage, &covered, parsed.checksum)?;
        parsed.check_direction(self.role.peer())?;
        self.take_old(parsed.sequence)
    }

    /// Numbers of 32 bits end where they would come twice.
    fn next_old_sequence(&self) -> Result<u32, Misuse> {
        u32::try_from(self.next_sequence()?).map_err(|_| Misuse::SequenceEnd)
    }

    /// The window counts with 64 bits: the number that lies nearest to what is expected.
    fn take_old(&self, sequence: u32) -> Result<Order, Error> {
        let mut window = self.window();
        let low = u32::try_from(window.next & u64::from(u32::MAX)).unwrap_or(0);
        let ahead = i64::from(sequence.wrapping_sub(low).cast_signed());
        let number = window.next.checked_add_signed(ahead).unwrap_or(u64::from(sequence));
        Ok(window.take(number, self.flags).ok_or(BadToken::SequenceEnd)?)
    }
}

/// Puts a message that was opened elsewhere at the beginning of its token, and wipes what it was copied from: how long
/// it is.
pub(super) fn put(token: &mut [u8], message: &mut Vec<u8>) -> usize {
    token.zeroize();
    token.iter_mut().zip(message.iter()).for_each(|(to, from)| *to = *from);
    let length = message.len();
    message.zeroize();
    length
}
