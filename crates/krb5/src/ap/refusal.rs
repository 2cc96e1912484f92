//! Why an AP-REQ or AP-REP is refused, and the KRB-ERROR that tells the peer (RFC 4120 §5.9.1).

use std::fmt;

use orthros_crypto::Enctype;
use orthros_wire::Timestamp;
use orthros_wire::der::{DerError, KerberosTime};

use super::microseconds;
use crate::permitted::NotPermitted;
use crate::transited::TransitedRefusal;
use crate::wire::{Decode, Encode, GeneralString, KrbError, PVNO, msg_type};
use crate::{ErrorCode, Principal};

/// Why a request or a reply of the AP exchange is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApRefusal {
    /// The authenticator can't be opened with the ticket's session key.
    AuthenticatorIntegrity,
    /// The ticket ended before now.
    Expired {
        /// Whose ticket it is.
        client: Principal,
        /// Whom it is for.
        server: Principal,
        /// When it ended.
        ended: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// A key inside the ticket or the authenticator has not as many octets as its enctype wants.
    KeyLength {
        /// The key's enctype.
        enctype: Enctype,
    },
    /// The octets are no such message.
    Malformed(DerError),
    /// Ticket and authenticator contradict each other, or a name is empty.
    Mismatch,
    /// The keytab lacks the key.
    NoKey {
        /// The server that the ticket names.
        server: Principal,
        /// The ticket's enctype.
        enctype: Enctype,
        /// The key's version.
        kvno: Option<u32>,
        /// What is there instead.
        found: String,
    },
    /// The ticket is not valid yet.
    NotYetValid {
        /// Whose ticket it is.
        client: Principal,
        /// Whom it is for.
        server: Principal,
        /// When validity begins.
        from: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// The AP-REP can't be opened, or is not the answer to our request.
    ReplyIntegrity,
    /// A key inside the ticket, the authenticator or the reply is of an enctype that is not permitted.
    SessionEnctype(NotPermitted),
    /// The client's clock differs too much from ours.
    Skew {
        /// The authenticator's time.
        theirs: Timestamp,
        /// The time here.
        ours: Timestamp,
        /// How many seconds are tolerated.
        limit_seconds: u32,
    },
    /// The acceptor chose a subkey of an enctype that it was not offered.
    SubkeyEnctype {
        /// The subkey's enctype.
        enctype: Enctype,
    },
    /// The ticket is sealed with an enctype that is not permitted.
    TicketEnctype {
        /// The server that the ticket names.
        server: Principal,
        /// The enctype.
        refused: NotPermitted,
    },
    /// The ticket can't be opened with the keytab's key.
    TicketIntegrity {
        /// Whose key was tried.
        server: Principal,
        /// Its enctype.
        enctype: Enctype,
        /// Its version, as the ticket has it.
        kvno: Option<u32>,
    },
    /// The ticket came through a realm that is not trusted on its way.
    Transited {
        /// Whose ticket it is.
        client: Principal,
        /// Whom it is for.
        server: Principal,
        /// Which realm, and why not.
        reason: TransitedRefusal,
    },
    /// The request asks for user-to-user authentication.
    UserToUser,
    /// The message is not of the expected type, or the protocol version is not 5.
    Version,
}

impl ApRefusal {
    /// The number for the KRB-ERROR (RFC 4120 §7.5.9).
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::AuthenticatorIntegrity | Self::ReplyIntegrity | Self::TicketIntegrity { .. } => {
                ErrorCode::BAD_INTEGRITY
            }
            Self::Expired { .. } => ErrorCode::TKT_EXPIRED,
            Self::Malformed(_) => ErrorCode::MSG_TYPE,
            Self::Mismatch => ErrorCode::BADMATCH,
            Self::NoKey { .. } => ErrorCode::NOKEY,
            Self::NotYetValid { .. } => ErrorCode::TKT_NYV,
            Self::KeyLength { .. }
            | Self::SessionEnctype(_)
            | Self::SubkeyEnctype { .. }
            | Self::TicketEnctype { .. } => ErrorCode::ETYPE_NOSUPP,
            Self::Skew { .. } => ErrorCode::SKEW,
            Self::Transited { .. } => ErrorCode::PATH_NOT_ACCEPTED,
            Self::UserToUser => ErrorCode::USER_TO_USER_REQUIRED,
            Self::Version => ErrorCode::BADVERSION,
        }
    }
}

impl From<DerError> for ApRefusal {
    fn from(error: DerError) -> Self {
        Self::Malformed(error)
    }
}

/// `kvno 3`, or nothing where none is known.
fn with_kvno(kvno: Option<u32>) -> String {
    kvno.map(|kvno| format!(", kvno {kvno}")).unwrap_or_default()
}

impl fmt::Display for ApRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthenticatorIntegrity => {
                f.write_str("the authenticator is not sealed with the ticket's session key")
            }
            Self::Expired { client, server, ended, now } => write!(
                f,
                "the ticket of {client} for {server} ended at {ended}, and it is {now} here: the client needs a new ticket"
            ),
            Self::KeyLength { enctype } => {
                write!(f, "a key of type {enctype} has a length that no such key has")
            }
            Self::Malformed(error) => write!(f, "malformed message: {error}"),
            Self::Mismatch => f.write_str("the authenticator does not belong to the ticket"),
            Self::NoKey { server, enctype, kvno, found } => {
                write!(f, "no key for {server} ({enctype}{}): {found}", with_kvno(*kvno))
            }
            Self::NotYetValid { client, server, from, now } => write!(
                f,
                "the ticket of {client} for {server} is valid from {from} only, and it is {now} here: compare the clocks"
            ),
            Self::ReplyIntegrity => f.write_str(
                "the acceptor's answer is not sealed with the session key or answers another request",
            ),
            Self::SessionEnctype(refused) => write!(f, "the session key can't be used: {refused}"),
            Self::Skew { theirs, ours, limit_seconds } => write!(
                f,
                "the clocks differ by {} s ({theirs} there, {ours} here), more than the {limit_seconds} s of clockskew: set both clocks",
                theirs.seconds.abs_diff(ours.seconds)
            ),
            Self::SubkeyEnctype { enctype } => {
                write!(f, "the acceptor chose a key of {enctype}, which was not offered to it")
            }
            Self::TicketEnctype { server, refused } => {
                write!(f, "the ticket for {server} can't be opened: {refused}")
            }
            Self::TicketIntegrity { server, enctype, kvno } => write!(
                f,
                "the ticket does not open with the key of {server} ({enctype}{}): the keytab's key is not the KDC's; fetch the keytab anew",
                with_kvno(*kvno)
            ),
            Self::Transited { client, server, reason } => {
                write!(f, "the ticket of {client} for {server} is not taken: {reason}")
            }
            Self::UserToUser => {
                f.write_str("the client asks for user-to-user authentication, which is not offered here")
            }
            Self::Version => f.write_str("the message is not of the expected type of Kerberos version 5"),
        }
    }
}

impl std::error::Error for ApRefusal {}

/// What a peer's KRB-ERROR says. Nothing of it is authentic: it explains, and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteError {
    /// The number.
    pub code: ErrorCode,
    /// The peer's clock.
    pub time: Timestamp,
    /// The server that the peer names.
    pub server: String,
    /// The peer's text.
    pub text: Option<String>,
}

impl RemoteError {
    /// Reads a KRB-ERROR.
    ///
    /// # Errors
    /// [`DerError`] if it is none.
    pub fn from_der(message: &[u8]) -> Result<Self, DerError> {
        let error = KrbError::from_der(message)?;
        let server = Principal::from_wire(&error.sname, error.realm.0);
        Ok(Self {
            code: ErrorCode(error.error_code),
            time: error.stime.into(),
            server: server.map(|server| server.to_string()).unwrap_or_default(),
            text: error.e_text.map(|text| printable(text.0)),
        })
    }
}

/// A peer's text without control letters, and not longer than a line of a log.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(text) = &self.text {
            write!(f, ", {text:?}")?;
        }
        if let Some(advice) = self.code.advice() {
            write!(f, ". {advice}")?;
        }
        Ok(())
    }
}

/// The KRB-ERROR that tells a peer of `code`; `server` is who answers, as far as that is known.
pub fn make_error(code: ErrorCode, server: &Principal, now: Timestamp) -> Vec<u8> {
    KrbError {
        pvno: PVNO,
        msg_type: msg_type::KRB_ERROR,
        ctime: None,
        cusec: None,
        stime: KerberosTime::from(now),
        susec: microseconds(now),
        error_code: code.0,
        crealm: None,
        cname: None,
        realm: GeneralString(server.realm()),
        sname: server.to_wire(),
        e_text: None,
        e_data: None,
    }
    .to_der()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Principal {
        "host/x.test@TEST".parse().unwrap()
    }

    #[test]
    fn the_version_of_a_missing_key_is_told_where_it_is_known() {
        let refused = |kvno| {
            let (enctype, found) = (Enctype::Aes256CtsHmacSha1, "nothing".to_owned());
            ApRefusal::NoKey { server: server(), enctype, kvno, found }.to_string()
        };
        assert_eq!(
            refused(Some(3)),
            "no key for host/x.test@TEST (aes256-cts-hmac-sha1-96, kvno 3): nothing"
        );
        assert_eq!(refused(None), "no key for host/x.test@TEST (aes256-cts-hmac-sha1-96): nothing");
    }

    #[test]
    fn a_peers_text_brings_no_control_letters_into_a_log_and_no_more_than_a_line() {
        let message = make_error(ErrorCode::SKEW, &server(), Timestamp::from_seconds(7));
        let told = |text: &str| {
            let mut error = KrbError::from_der(&message).unwrap();
            error.e_text = Some(GeneralString(text));
            RemoteError::from_der(&error.to_der()).unwrap().text.unwrap()
        };
        assert_eq!(told("clock\n\u{1b}[31m skew"), "clock[31m skew");
        assert_eq!(told(&"x".repeat(1000)), "x".repeat(200));
        assert_eq!(RemoteError::from_der(&message).unwrap().text, None);
    }
}
