//! Numbers of com_err: a table's name of up to four letters in the upper 24 bits, the entry in the lower 8.
//!
//! MIT krb5 and Heimdal number their errors so. A table's base is its name, six bits a letter, shifted by eight;
//! in 32 bits with a sign, which makes many of them negative.

use super::tables::{TABLES, Table};

/// Letters by the value that stands for them, from 1 on: 0 is no letter.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/// The number of a table's first entry; `None` if the name has a letter that com_err lacks.
pub(super) fn base(name: &str) -> Option<i32> {
    let mut bits = 0_u32;
    for letter in name.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        bits = (bits << 6) | u32::try_from(value + 1).ok()?;
    }
    Some((bits << 8).cast_signed())
}

/// A number taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// The table's name.
    pub(super) table: String,
    /// The entry in it.
    pub(super) offset: u8,
}

/// Takes a number apart; `None` if no name comes out.
pub(super) fn parts(number: i32) -> Option<Parts> {
    let [a, b, c, offset] = number.to_be_bytes();
    let bits = u32::from_be_bytes([0, a, b, c]);
    let letters = [18, 12, 6, 0].map(|shift| (bits >> shift) & 0x3f);
    let mut table = String::new();
    for value in letters.into_iter().skip_while(|value| *value == 0) {
        let index = usize::try_from(value.checked_sub(1)?).ok()?;
        table.push(char::from(*LETTERS.get(index)?));
    }
    (!table.is_empty()).then_some(Parts { table, offset })
}

/// The table of this name, where it is one of Kerberos.
pub(super) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_those_that_the_libraries_print() {
        for (name, number) in [
            ("krb5", -1_765_328_384),
            ("k5g", 39_756_032),
            ("ggss", -2_045_022_976),
            ("gk5", 35_224_064),
            ("kdb5", -1_780_008_448),
            ("ovk", 43_787_520),
            ("kv5m", -1_760_647_424),
            ("asn1", 1_859_794_432),
            ("k524", -1_750_206_208),
            ("prof", -1_429_577_728),
            ("heim", -1_980_176_640),
            ("hdb", 36_150_272),
        ] {
            assert_eq!(base(name), Some(number), "{name}");
            assert_eq!(parts(number + 5), Some(Parts { table: name.into(), offset: 5 }));
            assert!(table(name).is_some(), "{name}");
        }
        assert_eq!(base("k-b5"), None);
        assert_eq!(parts(37), None);
        assert_eq!(parts(0x000d_0000), None, "a GSS-API status has no letters");
    }

    #[test]
    fn entries_stand_in_order_and_no_symbol_twice() {
        let mut symbols = std::collections::HashSet::new();
        for table in TABLES {
            assert!(table.entries.is_sorted_by(|one, other| one.0 < other.0), "{}", table.name);
            for (_, symbol, meaning) in table.entries {
                assert!(symbols.insert(*symbol), "{symbol}");
                assert!(meaning.ends_with(['.', ')']), "{symbol}");
            }
        }
    }
}
