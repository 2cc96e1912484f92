//! What a context can do: the flags of RFC 2744 §5.19 and its successors.

use std::fmt;

/// A set of context flags, by their numbers in the C bindings.
///
/// ```
/// use orthros_gss::Flags;
/// let flags = Flags::MUTUAL | Flags::CONFIDENTIALITY;
/// assert!(flags.contains(Flags::MUTUAL));
/// assert_eq!(flags.to_string(), "mutual, confidentiality");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u32);

macro_rules! flags {
    ($($(#[$meta:meta])* $flag:ident = $number:literal $text:literal;)*) => {
        impl Flags {
            $($(#[$meta])* pub const $flag: Self = Self($number);)*
        }

        const NAMES: &[(Flags, &str)] = &[$((Flags::$flag, $text),)*];
    };
}

flags! {
    /// `GSS_C_DELEG_FLAG`: credentials are delegated to the acceptor.
    DELEGATION = 1 "delegation";
    /// `GSS_C_MUTUAL_FLAG`: the acceptor proves itself too.
    MUTUAL = 2 "mutual";
    /// `GSS_C_REPLAY_FLAG`: replayed messages are told.
    REPLAY = 4 "replay";
    /// `GSS_C_SEQUENCE_FLAG`: messages out of order are told.
    SEQUENCE = 8 "sequence";
    /// `GSS_C_CONF_FLAG`: messages can be sealed.
    CONFIDENTIALITY = 16 "confidentiality";
    /// `GSS_C_INTEG_FLAG`: messages can be protected against change.
    INTEGRITY = 32 "integrity";
    /// `GSS_C_ANON_FLAG`: the initiator stays unnamed.
    ANONYMOUS = 64 "anonymous";
    /// `GSS_C_PROT_READY_FLAG`: per-message calls work already.
    PROTECTION_READY = 128 "protection ready";
    /// `GSS_C_TRANS_FLAG`: the context can be exported.
    TRANSFERABLE = 256 "transferable";
    /// `GSS_C_CHANNEL_BOUND_FLAG`: both ends gave the same channel bindings.
    CHANNEL_BOUND = 2048 "channel bound";
    /// `GSS_C_DCE_STYLE`: three legs, as DCE RPC has it.
    DCE_STYLE = 0x1000 "DCE style";
    /// `GSS_C_IDENTIFY_FLAG`: the acceptor may identify but not impersonate.
    IDENTIFY = 0x2000 "identify";
    /// `GSS_C_EXTENDED_ERROR_FLAG`: Windows' extended errors are wanted.
    EXTENDED_ERROR = 0x4000 "extended error";
    /// `GSS_C_DELEG_POLICY_FLAG`: delegate if the KDC holds that one may.
    DELEGATION_POLICY = 0x8000 "delegation policy";
}

impl Flags {
    /// Whether all of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags, and `flag` set or cleared as `on` says.
    #[must_use]
    pub const fn with(self, flag: Self, on: bool) -> Self {
        if on { Self(self.0 | flag.0) } else { Self(self.0 & !flag.0) }
    }

    /// Those flags that are also in `other`.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name);
        if let Some(first) = names.next() {
            f.write_str(first)?;
        }
        names.try_for_each(|name| write!(f, ", {name}"))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({self})")
    }
}
