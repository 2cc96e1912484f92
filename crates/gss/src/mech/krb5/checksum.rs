//! The authenticator's checksum, which is none: it carries channel bindings, flags and a delegated ticket
//! (RFC 4121 §4.1.1).
//!
//! `Lgth(4)=16 | Bnd(16) | Flags(4) [| DlgOpt(2)=1 | Dlgth(2) | Deleg] [| Exts]`, little-endian. An extension is
//! `type(4) | length(4) | octets`, big-endian; the one known here is that of IAKERB.

use orthros_krb5::credential::TypedOctets;

use crate::error::Refusal;
use crate::{ChannelBindings, Flags};

/// The number of this kind of checksum.
pub(crate) const NUMBER: i32 = 0x8003;

/// The extension with the proof that both ends saw the same relayed messages: MIT krb5's number (the draft's is 2, which
/// nobody sends).
const FINISHED: u32 = 1;

/// The flags that travel (§4.1.1.1): the low octets of RFC 2744's numbers, and three of Windows'.
const TRAVELLING: Flags = Flags(
    Flags::DELEGATION.0
        | Flags::MUTUAL.0
        | Flags::REPLAY.0
        | Flags::SEQUENCE.0
        | Flags::CONFIDENTIALITY.0
        | Flags::INTEGRITY.0
        | Flags::DCE_STYLE.0
        | Flags::IDENTIFY.0
        | Flags::EXTENDED_ERROR.0,
);

/// Only [`check_bindings`] makes one: channel bindings were compared, or there was nothing to compare.
#[derive(Debug)]
pub(crate) struct BindingsChecked {
    /// Both ends gave bindings, and they agree.
    pub(crate) bound: bool,
}

/// The content of an authenticator's checksum.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct GssChecksum<'a> {
    /// The digest of the initiator's bindings; zeros: it gave none.
    pub(crate) bindings: [u8; 16],
    pub(crate) flags: Flags,
    /// A KRB-CRED.
    pub(crate) delegated: Option<&'a [u8]>,
    /// The proof that both ends saw the same relayed messages.
    pub(crate) finished: Option<&'a [u8]>,
}

impl<'a> GssChecksum<'a> {
    /// What is sent for these bindings and flags.
    pub(crate) fn new(bindings: Option<&ChannelBindings>, flags: Flags, delegated: Option<&'a [u8]>) -> Self {
        let flags = flags.with(Flags::DELEGATION, delegated.is_some()).intersection(TRAVELLING);
        Self {
            bindings: bindings.map(ChannelBindings::digest).unwrap_or_default(),
            flags,
            delegated,
            finished: None,
        }
    }

    /// The same with the proof that both ends saw the same relayed messages.
    pub(crate) fn with_finished(self, finished: Option<&'a [u8]>) -> Self {
        Self { finished, ..self }
    }

    /// The checksum's octets; `None` if the delegated ticket has more than 65,535.
    pub(crate) fn to_octets(&self) -> Option<Vec<u8>> {
        let mut octets = Vec::with_capacity(28 + self.delegated.map_or(0, <[u8]>::len));
        octets.extend_from_slice(&16_u32.to_le_bytes());
        octets.extend_from_slice(&self.bindings);
        octets.extend_from_slice(&self.flags.0.to_le_bytes());
        if let Some(delegated) = self.delegated {
            octets.extend_from_slice(&1_u16.to_le_bytes());
            octets.extend_from_slice(&u16::try_from(delegated.len()).ok()?.to_le_bytes());
            octets.extend_from_slice(delegated);
        }
        if let Some(finished) = self.finished {
            octets.extend_from_slice(&FINISHED.to_be_bytes());
            octets.extend_from_slice(&u32::try_from(finished.len()).ok()?.to_be_bytes());
            octets.extend_from_slice(finished);
        }
        Some(octets)
    }

    /// Reads a checksum of an authenticator. One that is missing or of another kind is refused: it could
    /// not tell of bindings or flags (compare CVE-2010-1321).
    pub(crate) fn parse(checksum: Option<&'a TypedOctets>) -> Result<Self, Refusal> {
        let checksum = checksum.filter(|checksum| checksum.number == NUMBER).ok_or(Refusal::Checksum)?;
        let (head, rest) = checksum.octets.split_first_chunk::<24>().ok_or(Refusal::Checksum)?;
        let [16, 0, 0, 0, bindings @ .., f0, f1, f2, f3] = *head else { return Err(Refusal::Checksum) };
        let flags = Flags(u32::from_le_bytes([f0, f1, f2, f3])).intersection(TRAVELLING);
        let (delegated, rest) = if flags.contains(Flags::DELEGATION) {
            let (option, rest) = rest.split_first_chunk::<4>().ok_or(Refusal::Delegation)?;
            let [1, 0, l0, l1] = *option else { return Err(Refusal::Delegation) };
            let length = usize::from(u16::from_le_bytes([l0, l1]));
            let (delegated, rest) = rest.split_at_checked(length).ok_or(Refusal::Delegation)?;
            (Some(delegated), rest)
        } else {
            (None, rest)
        };
        Ok(Self { bindings, flags, delegated, finished: extension(rest, FINISHED) })
    }
}

/// The extension of this type, if there is one. Others are ignored (§4.1.1), and so is what is no extension.
fn extension(mut rest: &[u8], wanted: u32) -> Option<&[u8]> {
    loop {
        let (head, behind) = rest.split_first_chunk::<8>()?;
        let [t0, t1, t2, t3, l0, l1, l2, l3] = *head;
        let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok()?;
        let (octets, behind) = behind.split_at_checked(length)?;
        if u32::from_be_bytes([t0, t1, t2, t3]) == wanted {
            return Some(octets);
        }
        rest = behind;
    }
}

/// Compares the initiator's bindings with the acceptor's, in constant time. Where one end gives none there is
/// nothing to compare, unless the acceptor requires them.
pub(crate) fn check_bindings(
    theirs: &[u8; 16],
    ours: Option<&ChannelBindings>,
    required: bool,
) -> Result<BindingsChecked, Refusal> {
    use subtle::ConstantTimeEq;
    let Some(ours) = ours else { return Ok(BindingsChecked { bound: false }) };
    if *theirs == [0; 16] {
        return if required {
            Err(Refusal::Bindings { absent: true })
        } else {
            Ok(BindingsChecked { bound: false })
        };
    }
    if bool::from(theirs.ct_eq(&ours.digest())) {
        Ok(BindingsChecked { bound: true })
    } else {
        Err(Refusal::Bindings { absent: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(octets: Vec<u8>) -> TypedOctets {
        TypedOctets { number: NUMBER, octets: octets.into() }
    }

    #[test]
    fn flags_bindings_and_delegation_come_back() {
        let bindings = ChannelBindings::from_application_data(b"channel");
        let sent = GssChecksum::new(Some(&bindings), Flags::MUTUAL | Flags::TRANSFERABLE, Some(b"cred"));
        let octets = typed([&sent.to_octets().unwrap()[..], b"extension"].concat());
        let read = GssChecksum::parse(Some(&octets)).unwrap();
        assert_eq!(read, sent);
        assert_eq!(read.flags, Flags::MUTUAL | Flags::DELEGATION);
        assert!(check_bindings(&read.bindings, Some(&bindings), true).unwrap().bound);
    }

    #[test]
    fn a_checksum_that_is_missing_short_or_lies_about_its_length_is_refused() {
        assert_eq!(GssChecksum::parse(None), Err(Refusal::Checksum));
        let other = TypedOctets { number: 7, octets: Box::new([0; 24]) };
        assert_eq!(GssChecksum::parse(Some(&other)), Err(Refusal::Checksum));
        let octets = GssChecksum::new(None, Flags::default(), Some(b"cred")).to_octets().unwrap();
        for cut in 0..octets.len() {
            assert!(GssChecksum::parse(Some(&typed(octets[..cut].to_vec()))).is_err(), "{cut}");
        }
    }

    #[test]
    fn absent_and_empty_bindings_are_two_things() {
        let empty = ChannelBindings::default();
        assert_ne!(empty.digest(), [0; 16]);
        assert!(!check_bindings(&[0; 16], Some(&empty), false).unwrap().bound);
        assert_eq!(
            check_bindings(&[0; 16], Some(&empty), true).unwrap_err(),
            Refusal::Bindings { absent: true }
        );
        assert!(!check_bindings(&empty.digest(), None, false).unwrap().bound);
        let other = ChannelBindings::from_application_data(b"x");
        assert_eq!(
            check_bindings(&empty.digest(), Some(&other), false).unwrap_err(),
            Refusal::Bindings { absent: false }
        );
    }
}
