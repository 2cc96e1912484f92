//! Major status codes (RFC 2743 §1.2.1.1, RFC 2744 §3.9.1).

use std::fmt;

/// A routine error, by its number in bits 16 to 23 of a C major status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Major {
    /// `GSS_S_BAD_MECH`: the mechanism is not supported.
    BadMechanism = 1,
    /// `GSS_S_BAD_NAME`: the name is malformed.
    BadName = 2,
    /// `GSS_S_BAD_NAMETYPE`: the kind of name is not supported.
    BadNameType = 3,
    /// `GSS_S_BAD_BINDINGS`: the channel bindings do not agree.
    BadBindings = 4,
    /// `GSS_S_BAD_STATUS`: the status code is unknown.
    BadStatus = 5,
    /// `GSS_S_BAD_SIG`, also `GSS_S_BAD_MIC`: the integrity check failed.
    BadMic = 6,
    /// `GSS_S_NO_CRED`: there are no credentials.
    NoCredential = 7,
    /// `GSS_S_NO_CONTEXT`: there is no established context.
    NoContext = 8,
    /// `GSS_S_DEFECTIVE_TOKEN`: the token is malformed.
    DefectiveToken = 9,
    /// `GSS_S_DEFECTIVE_CREDENTIAL`: the credential is malformed.
    DefectiveCredential = 10,
    /// `GSS_S_CREDENTIALS_EXPIRED`: the credentials have ended.
    CredentialsExpired = 11,
    /// `GSS_S_CONTEXT_EXPIRED`: the context has ended.
    ContextExpired = 12,
    /// `GSS_S_FAILURE`: see the error itself.
    Failure = 13,
    /// `GSS_S_BAD_QOP`: the quality of protection is unknown.
    BadQop = 14,
    /// `GSS_S_UNAUTHORIZED`: local policy forbids it.
    Unauthorized = 15,
    /// `GSS_S_UNAVAILABLE`: the operation is not available.
    Unavailable = 16,
    /// `GSS_S_DUPLICATE_ELEMENT`: the credential element exists already.
    DuplicateElement = 17,
    /// `GSS_S_NAME_NOT_MN`: the name is not one of a mechanism.
    NameNotMechanismName = 18,
}

impl Major {
    /// The C major status: the routine error in its place.
    ///
    /// ```
    /// assert_eq!(orthros_gss::Major::NoContext.number(), 0x0008_0000);
    /// ```
    pub const fn number(self) -> u32 {
        (self as u32) << 16
    }

    /// The constant's name in the C bindings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadMechanism => "GSS_S_BAD_MECH",
            Self::BadName => "GSS_S_BAD_NAME",
            Self::BadNameType => "GSS_S_BAD_NAMETYPE",
            Self::BadBindings => "GSS_S_BAD_BINDINGS",
            Self::BadStatus => "GSS_S_BAD_STATUS",
            Self::BadMic => "GSS_S_BAD_SIG",
            Self::NoCredential => "GSS_S_NO_CRED",
            Self::NoContext => "GSS_S_NO_CONTEXT",
            Self::DefectiveToken => "GSS_S_DEFECTIVE_TOKEN",
            Self::DefectiveCredential => "GSS_S_DEFECTIVE_CREDENTIAL",
            Self::CredentialsExpired => "GSS_S_CREDENTIALS_EXPIRED",
            Self::ContextExpired => "GSS_S_CONTEXT_EXPIRED",
            Self::Failure => "GSS_S_FAILURE",
            Self::BadQop => "GSS_S_BAD_QOP",
            Self::Unauthorized => "GSS_S_UNAUTHORIZED",
            Self::Unavailable => "GSS_S_UNAVAILABLE",
            Self::DuplicateElement => "GSS_S_DUPLICATE_ELEMENT",
            Self::NameNotMechanismName => "GSS_S_NAME_NOT_MN",
        }
    }
}

impl fmt::Display for Major {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a verified message stands in the stream: the supplementary status of RFC 2743 §1.2.3. A result that
/// comes with the message, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// It is the next one, or nobody asked.
    InOrder,
    /// `GSS_S_DUPLICATE_TOKEN`: it has been seen before.
    Duplicate,
    /// `GSS_S_OLD_TOKEN`: it is too old to tell.
    Old,
    /// `GSS_S_UNSEQ_TOKEN`: later ones have been seen.
    Unsequenced,
    /// `GSS_S_GAP_TOKEN`: earlier ones are missing.
    Gap,
}

impl Order {
    /// The supplementary bit in a C major status; 0 for a message in order.
    pub const fn number(self) -> u32 {
        match self {
            Self::InOrder => 0,
            Self::Duplicate => 1 << 1,
            Self::Old => 1 << 2,
            Self::Unsequenced => 1 << 3,
            Self::Gap => 1 << 4,
        }
    }
}
