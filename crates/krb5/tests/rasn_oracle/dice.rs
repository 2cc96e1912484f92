//! Random values of rasn's types, and ours turned into theirs.

use orthros_krb5::wire;
use orthros_wire::Timestamp;
use rasn::types::{BitString, GeneralString, GeneralizedTime, Integer, OctetString};
use rasn_kerberos::{ApOptions, KdcOptions, KerberosTime, TicketFlags};

/// Octets that decide; all zero once they run out, which makes the smallest value.
pub(crate) struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    fn octet(&mut self) -> u8 {
        let Some((&octet, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        octet
    }

    fn word(&mut self) -> u32 {
        // Short numbers are as frequent as long ones: their encodings differ.
        let length = self.octet() % 5;
        (0..length).fold(0, |word, _| word << 8 | u32::from(self.octet()))
    }

    fn octets(&mut self) -> Vec<u8> {
        // Now and then long enough for a length of two octets.
        let length = match self.octet() {
            long @ 250.. => usize::from(long) - 100,
            short => usize::from(short % 20),
        };
        (0..length).map(|_| self.octet()).collect()
    }
}

/// A random value.
pub(crate) trait Roll: Sized {
    fn roll(dice: &mut Dice<'_>) -> Self;
}

/// The same value in rasn's type `R`.
pub(crate) trait Same<R> {
    fn same(&self) -> R;
}

macro_rules! leaves {
    ($($ours:ty => $theirs:ty: |$dice:ident| $roll:expr, |$value:ident| $same:expr;)*) => { $(
        impl Roll for $theirs {
            fn roll($dice: &mut Dice<'_>) -> Self {
                $roll
            }
        }

        impl Same<$theirs> for $ours {
            fn same(&self) -> $theirs {
                let $value = self;
                $same
            }
        }
    )* };
}

leaves! {
    i32 => i32: |dice| dice.word().cast_signed(), |value| *value;
    u32 => u32: |dice| dice.word(), |value| *value;
    i32 => Integer: |dice| Integer::from(dice.word().cast_signed()), |value| Integer::from(*value);
    &[u8] => OctetString: |dice| OctetString::from(dice.octets()), |value| OctetString::from(*value);
    wire::GeneralString<'_> => GeneralString:
        |dice| GeneralString::from_bytes(&dice.octets().iter().map(|octet| octet % 95 + 32).collect::<Vec<_>>()).unwrap(),
        |value| GeneralString::from_bytes(value.0.as_bytes()).unwrap();
    wire::KerberosTime => KerberosTime: |dice| time(dice.word().into()), |value| time(value.0);
    wire::TicketFlags => TicketFlags: |dice| TicketFlags(bits(dice.word())), |value| TicketFlags(bits(value.0));
    wire::KdcOptions => KdcOptions: |dice| KdcOptions(bits(dice.word())), |value| KdcOptions(bits(value.0));
    wire::ApOptions => ApOptions: |dice| ApOptions(bits(dice.word())), |value| ApOptions(bits(value.0));
}

fn time(seconds: i64) -> KerberosTime {
    let text = Timestamp::from_seconds(seconds).to_string();
    KerberosTime(text.parse::<GeneralizedTime>().unwrap())
}

fn bits(flags: u32) -> BitString {
    BitString::from_slice(&flags.to_be_bytes())
}

impl Same<OctetString> for wire::SecretOctets<'_> {
    fn same(&self) -> OctetString {
        OctetString::from(self.0)
    }
}

impl<R: Roll> Roll for Option<R> {
    fn roll(dice: &mut Dice<'_>) -> Self {
        (dice.octet() & 1 == 1).then(|| R::roll(dice))
    }
}

impl<R, T: Same<R>> Same<Option<R>> for Option<T> {
    fn same(&self) -> Option<R> {
        self.as_ref().map(Same::same)
    }
}

impl<R: Roll> Roll for Vec<R> {
    fn roll(dice: &mut Dice<'_>) -> Self {
        (0..dice.octet() % 4).map(|_| R::roll(dice)).collect()
    }
}

impl<R, T: Same<R>> Same<Vec<R>> for Vec<T> {
    fn same(&self) -> Vec<R> {
        self.iter().map(Same::same).collect()
    }
}

impl<R, T: Same<R>> Same<R> for wire::Raw<'_, T> {
    fn same(&self) -> R {
        (**self).same()
    }
}
