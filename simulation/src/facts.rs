//! What both ends of a context must say alike, before and after every move.

use orthros_gss::{Context, Flags};

/// What a context says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) initiator: String,
    pub(crate) acceptor: String,
    pub(crate) flags: Flags,
    /// Whose credential was delegated; acceptors only.
    pub(crate) delegated: Option<String>,
    /// Seconds since 1970.
    pub(crate) end: i64,
}

impl Facts {
    pub(crate) fn of(context: &Context) -> Self {
        Self {
            initiator: context.initiator().to_string(),
            acceptor: context.acceptor().to_string(),
            flags: context.flags(),
            delegated: context.delegated_credential().map(|credential| credential.client().to_string()),
            end: context.end().seconds,
        }
    }

    /// Whether the other end says the same, as far as both can know.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let told = [
            Flags::MUTUAL,
            Flags::REPLAY,
            Flags::SEQUENCE,
            Flags::CONFIDENTIALITY,
            Flags::DELEGATION,
            Flags::DCE_STYLE,
        ];
        self.initiator == other.initiator
            && self.acceptor == other.acceptor
            && told.iter().all(|flag| self.flags.contains(*flag) == other.flags.contains(*flag))
    }
}
