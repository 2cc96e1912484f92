//! Minor statuses of plug-ins, which know nothing of each other's numbers or of ours.
//!
//! A number that nobody else can mean stays what it is. Any other is given one that is free, as MIT krb5 does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Plugin;
use crate::abi::OmUint32;

/// As many numbers are kept: a plug-in that never uses one twice must not fill memory.
const MOST: usize = 4096;
/// The first number of those that are given.
const FIRST_GIVEN: OmUint32 = 0x4f50_0000;
/// Numbers below are errnos.
const ERRNOS: OmUint32 = 4096;
/// Where com_err's tables of Kerberos and its kin are: from the lowest to the highest.
const COM_ERR: std::ops::RangeInclusive<OmUint32> = 0x96c7_3a00..=0x96c7_5aff;

/// Whose numbers are which. A plug-in goes by its place in the configuration.
#[derive(Default)]
struct Numbers {
    ours: BTreeMap<(usize, OmUint32), OmUint32>,
    theirs: BTreeMap<OmUint32, (usize, OmUint32)>,
    given: OmUint32,
}

static NUMBERS: Mutex<Numbers> =
    Mutex::new(Numbers { ours: BTreeMap::new(), theirs: BTreeMap::new(), given: FIRST_GIVEN });

fn numbers() -> MutexGuard<'static, Numbers> {
    NUMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number that programs get for a plug-in's.
pub(super) fn ours(plugin: &Plugin, minor: OmUint32) -> OmUint32 {
    if minor == 0 { 0 } else { numbers().ours(plugin.index, minor) }
}

/// The plug-in's place in the configuration, and its number, that a program has by this number.
pub(super) fn theirs(minor: OmUint32) -> Option<(usize, OmUint32)> {
    numbers().theirs.get(&minor).copied()
}

impl Numbers {
    fn ours(&mut self, plugin: usize, minor: OmUint32) -> OmUint32 {
        if let Some(known) = self.ours.get(&(plugin, minor)) {
            return *known;
        }
        if self.theirs.len() >= MOST {
            return minor;
        }
        let mut ours = minor;
        while ours < ERRNOS || COM_ERR.contains(&ours) || self.theirs.contains_key(&ours) {
            ours = self.given;
            self.given += 1;
        }
        self.ours.insert((plugin, minor), ours);
        self.theirs.insert(ours, (plugin, minor));
        ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mechanisms_faults_have_one_number() {
        let mut numbers = Numbers { given: FIRST_GIVEN, ..Numbers::default() };
        let first = numbers.ours(0, 0x4e54_0001);
        assert_eq!(first, 0x4e54_0001, "free, so it stays");
        let second = numbers.ours(1, 0x4e54_0001);
        let (errno, krb5) = (numbers.ours(0, 22), numbers.ours(0, 0x96c7_3a06));
        let given = numbers.ours(1, FIRST_GIVEN);
        let all = std::collections::BTreeSet::from([first, second, errno, krb5, given, 22, 0x96c7_3a06]);
        assert_eq!(all.len(), 7, "all differ, also from ours");
        assert_eq!(numbers.ours(1, 0x4e54_0001), second, "the same the second time");
        assert_eq!(numbers.theirs.get(&second), Some(&(1, 0x4e54_0001)));
    }

    #[test]
    fn a_plug_in_that_never_repeats_itself_fills_memory() {
        let mut numbers = Numbers { given: FIRST_GIVEN, ..Numbers::default() };
        for minor in 1..10_000 {
            numbers.ours(0, minor);
        }
        assert_eq!((numbers.ours.len(), numbers.theirs.len()), (MOST, MOST));
    }
}
