//! The 16 octets that begin every per-message token, as they travel (RFC 4121 §4.2.2, §4.2.6).
//!
//! MIC: `04 04 | flags | FF FF FF FF FF | SND_SEQ(8)`. Wrap: `05 04 | flags | FF | EC(2) | RRC(2) | SND_SEQ(8)`.
//! All numbers big-endian.

use crate::error::BadToken;

/// The flags of a token (§4.2.2). Bits past the third have no meaning and must be clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenFlags(pub(crate) u8);

impl TokenFlags {
    /// The sender is the acceptor.
    pub(crate) const SENT_BY_ACCEPTOR: u8 = 0x01;
    /// The message is sealed. Wrap tokens only.
    pub(crate) const SEALED: u8 = 0x02;
    /// The acceptor's subkey protects the message.
    pub(crate) const ACCEPTOR_SUBKEY: u8 = 0x04;

    pub(crate) fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// The header of a MIC token (§4.2.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MicHeader {
    pub(crate) flags: TokenFlags,
    pub(crate) sequence: u64,
}

impl MicHeader {
    pub(crate) const LEN: usize = 16;

    /// The header and the checksum behind it.
    pub(crate) fn parse(token: &[u8]) -> Result<(Self, &[u8]), BadToken> {
        let (head, checksum) = token.split_first_chunk::<{ Self::LEN }>().ok_or(BadToken::Truncated)?;
        let [0x04, 0x04, flags, 0xff, 0xff, 0xff, 0xff, 0xff, sequence @ ..] = *head else {
            return Err(BadToken::WrongKind);
        };
        Ok((Self { flags: TokenFlags(flags), sequence: u64::from_be_bytes(sequence) }, checksum))
    }

    pub(crate) fn octets(&self) -> [u8; Self::LEN] {
        let [s0, s1, s2, s3, s4, s5, s6, s7] = self.sequence.to_be_bytes();
        [4, 4, self.flags.0, 0xff, 0xff, 0xff, 0xff, 0xff, s0, s1, s2, s3, s4, s5, s6, s7]
    }
}

/// The header of a wrap token (§4.2.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrapHeader {
    pub(crate) flags: TokenFlags,
    /// Octets of filler if sealed, of checksum if only signed (§4.2.3).
    pub(crate) extra_count: u16,
    /// How many octets the tail was rotated right by (§4.2.5).
    pub(crate) right_rotation: u16,
    pub(crate) sequence: u64,
}

impl WrapHeader {
    pub(crate) const LEN: usize = 16;

    /// The header and what is behind it.
    pub(crate) fn parse(token: &[u8]) -> Result<(Self, &[u8]), BadToken> {
        let (head, body) = token.split_first_chunk::<{ Self::LEN }>().ok_or(BadToken::Truncated)?;
        let [0x05, 0x04, flags, 0xff, e0, e1, r0, r1, sequence @ ..] = *head else {
            return Err(BadToken::WrongKind);
        };
        let header = Self {
            flags: TokenFlags(flags),
            extra_count: u16::from_be_bytes([e0, e1]),
            right_rotation: u16::from_be_bytes([r0, r1]),
            sequence: u64::from_be_bytes(sequence),
        };
        Ok((header, body))
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.flags.has(TokenFlags::SEALED)
    }

    /// Whether this header, read in the clear, agrees with its sealed copy, which is the one to believe: in all but
    /// the rotation.
    pub(crate) fn agrees_with(&self, copy: &[u8; Self::LEN]) -> bool {
        *copy == Self { right_rotation: 0, ..*self }.octets()
    }

    pub(crate) fn octets(&self) -> [u8; Self::LEN] {
        let [e0, e1] = self.extra_count.to_be_bytes();
        let [r0, r1] = self.right_rotation.to_be_bytes();
        let [s0, s1, s2, s3, s4, s5, s6, s7] = self.sequence.to_be_bytes();
        [5, 4, self.flags.0, 0xff, e0, e1, r0, r1, s0, s1, s2, s3, s4, s5, s6, s7]
    }
}
