//! What befell a conversation: the causes that its failures may have.

use std::fmt;
use std::ops::BitOr;

/// A set of causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blame(u16);

impl Blame {
    pub(crate) const NONE: Self = Self(0);
    /// A token was altered on its way.
    pub(crate) const ALTERED: Self = Self(1);
    /// A token never came, or went to the wrong end.
    pub(crate) const LOST: Self = Self(2);
    /// A token came more than once.
    pub(crate) const REPEATED: Self = Self(4);
    /// A token came that is another conversation's, or this end's own.
    pub(crate) const STRAY: Self = Self(8);
    /// A KDC, or the way there, was silent.
    pub(crate) const KDC_SILENT: Self = Self(16);
    /// A message to or from a KDC was altered, or came to another request.
    pub(crate) const KDC_ALTERED: Self = Self(32);
    /// A process was killed.
    pub(crate) const KILLED: Self = Self(64);
    /// A store could not be written.
    pub(crate) const DISK_FULL: Self = Self(128);
    /// A message came later than others that were sent after it.
    pub(crate) const LATE: Self = Self(256);

    pub(crate) fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }
}

impl BitOr for Blame {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Self::ALTERED, "altered"),
            (Self::LOST, "lost"),
            (Self::REPEATED, "repeated"),
            (Self::STRAY, "stray"),
            (Self::KDC_SILENT, "KDC silent"),
            (Self::KDC_ALTERED, "KDC altered"),
            (Self::KILLED, "killed"),
            (Self::DISK_FULL, "disk full"),
            (Self::LATE, "late"),
        ];
        let names: Vec<&str> =
            names.iter().filter(|(blame, _)| self.has(*blame)).map(|(_, name)| *name).collect();
        f.write_str(if names.is_empty() { "nothing" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}
