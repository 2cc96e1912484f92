//! Why an exchange gave no ticket: by whose fault, with what is needed to mend it.

use std::fmt;

use orthros_crypto::{BadKey, Enctype};
use orthros_wire::Timestamp;
use orthros_wire::der::DerError;

use crate::permitted::NotPermitted;
use crate::{ErrorCode, Principal};

/// What a client proves its identity with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// Keys, as a keytab holds them.
    Keys,
    /// A password.
    Password,
}

/// What is wrong with a reply that claims to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyFault {
    /// It is for another client.
    Client(String),
    /// The ticket is over already, by the clock here (put right by what is known of the KDC's).
    Ended {
        /// When it ended.
        end: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// The session key is of an enctype (numbered) that was not asked for, or has a wrong length.
    Enctype(i32),
    /// It is not the kind of message that was due; `None`: no Kerberos message at all.
    MessageType(Option<i32>),
    /// It does not repeat the request's nonce: it answers another request.
    Nonce,
    /// It does not prove that the request arrived unaltered, and says that it does (RFC 6806 §11).
    Request,
    /// It is for another server.
    Server(String),
    /// The KDC did not prove for which user it made the ticket (MS-SFU §2.2.2): there is no such proof, or it is one
    /// of another request.
    Unproved,
    /// The KDC proved for which user it made the ticket, and it is another.
    User(String),
    /// The ticket's clear names are not those of the sealed part.
    TicketNames(String),
    /// The times contradict each other or the request.
    Times {
        /// When validity begins.
        start: Timestamp,
        /// When validity ends.
        end: Timestamp,
    },
    /// The protocol version is not 5.
    Version(i32),
}

/// Why there is no ticket. What a KDC says in an error is unauthenticated; it explains, and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KdcFailure {
    /// The password can't be made a key in the way that the KDC asks for.
    BadKey {
        /// Whose password.
        client: Principal,
        /// Why not.
        reason: BadKey,
    },
    /// The reply was read and does not hold.
    BadReply {
        /// The realm whose KDC sent it.
        realm: String,
        /// What is wrong.
        fault: ReplyFault,
    },
    /// No way leads from a realm to the server's.
    CrossRealm {
        /// The server.
        server: Principal,
        /// The realm whose KDC gave no ticket for the next realm.
        realm: String,
    },
    /// The ticket-granting ticket has expired.
    Expired {
        /// Whose it is.
        client: Principal,
        /// When it ended.
        end: Timestamp,
    },
    /// The sealed part does not open: for an initial ticket, the key is another than the KDC's.
    Integrity {
        /// The client.
        client: Principal,
        /// What the client's key was made from; `None` in a TGS exchange.
        secret: Option<SecretKind>,
        /// The enctype of the reply.
        enctype: Enctype,
        /// The version of the key that the reply names.
        kvno: Option<u32>,
    },
    /// The reply, or a ticket that was to be used, is not the DER that RFC 4120 describes.
    Malformed {
        /// The realm whose KDC sent it.
        realm: String,
        /// Where reading ended.
        error: DerError,
    },
    /// The KDC and this side have no enctype in common, or the keytab lacks one.
    NoEnctype {
        /// Whose key it is about.
        principal: Principal,
        /// What this side permits, and has a key for.
        wanted: Vec<Enctype>,
        /// What the KDC offers, by number; empty if it did not say.
        offered: Vec<i32>,
    },
    /// The session key of the ticket-granting ticket is of an enctype that is not permitted.
    NotPermitted {
        /// Whose ticket it is.
        client: Principal,
        /// The enctype.
        refused: NotPermitted,
    },
    /// The ticket can't be used as it should be, so nothing was asked.
    Lacks {
        /// Whose it is.
        client: Principal,
        /// What it lacks.
        lack: Lack,
    },
    /// The KDC did not accept the proof of identity.
    PreauthFailed {
        /// The client.
        client: Principal,
        /// What it was made with.
        secret: SecretKind,
        /// What the KDC added.
        text: Option<String>,
    },
    /// The KDC wants a proof of identity that Orthros can't give.
    PreauthUnsupported {
        /// The client.
        client: Principal,
        /// The kinds of pre-authentication that it offers, by number (RFC 4120 §7.5.2).
        offered: Vec<i32>,
    },
    /// KDCs sent the client from realm to realm without an end.
    ReferralLoop {
        /// What was looked for: the server, or in an AS exchange the client.
        principal: Principal,
        /// The realms in the order in which they were visited.
        realms: Vec<String>,
    },
    /// The KDC does not let a service act for a user (MS-SFU).
    NotForUser(Box<NotForUser>),
    /// The KDC said no, by a KRB-ERROR.
    Refused {
        /// The realm whose KDC it was.
        realm: String,
        /// Its number.
        code: ErrorCode,
        /// What it added.
        text: Option<String>,
        /// Who asked.
        client: Box<Principal>,
        /// For which server.
        server: Box<Principal>,
    },
    /// The clocks differ too much.
    Skew {
        /// The realm whose KDC it was.
        realm: String,
        /// The KDC's time.
        kdc: Timestamp,
        /// The local time.
        here: Timestamp,
    },
    /// No KDC answered.
    Unavailable {
        /// The realm.
        realm: String,
        /// Which KDCs were tried, and what happened.
        report: String,
    },
    /// The ticket was not proved to come from the realm's true KDC.
    Unverified {
        /// Whose it is.
        client: Principal,
        /// What each key of the keytab came to.
        report: String,
    },
}

/// A KDC's refusal to let a service act for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotForUser {
    /// The realm whose KDC it was.
    pub realm: String,
    /// Its number.
    pub code: ErrorCode,
    /// What it added.
    pub text: Option<String>,
    /// The service.
    pub service: Principal,
    /// The user.
    pub user: Principal,
    /// To whom the service wants to be the user (S4U2Proxy); `None`: to itself (S4U2Self).
    pub target: Option<Principal>,
    /// What the KDC's database most likely lacks.
    pub missing: Missing,
}

/// What a KDC's database lacks for a service to act for users. KDCs do not tell; it follows from what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The target is not among those to whom the service may be others.
    DelegateTo,
    /// The service's own ticket-granting ticket is not forwardable, so no ticket of the user could be.
    Forwardable,
    /// The service may name users to itself at all.
    Impersonate,
    /// The service may get forwardable tickets of users who did not come themselves.
    OkToAuthAsDelegate,
    /// The user.
    User,
}

/// What a ticket lacks for a use that is asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// It may not be forwarded.
    Forwardable,
    /// It is not for the service that wants to act by it.
    Evidence,
    /// It is postdated and can't be validated before that.
    Begun {
        /// When validity begins.
        start: Timestamp,
    },
    /// It may not be proxied.
    Proxiable,
    /// It is not postdated, so there is nothing to validate.
    Postdated,
    /// It is no evidence for a server of another realm (S4U2Proxy).
    Reach,
    /// It may not be renewed.
    Renewable,
    /// It could be renewed, but only until a time that has gone.
    RenewTime {
        /// When that was.
        till: Timestamp,
    },
    /// Its session key is of an enctype by which a KDC can't prove for which user a ticket is.
    StrongKey,
    /// It is postdated and was not validated yet.
    Validated,
}

impl KdcFailure {
    /// The number of the KRB-ERROR that ended the exchange, if one did; otherwise the number that says the
    /// same (RFC 4120 §7.5.9), where there is one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::BadReply { fault: ReplyFault::MessageType(_), .. } => Some(ErrorCode::MSG_TYPE),
            Self::BadReply { fault: ReplyFault::Ended { .. }, .. } => Some(ErrorCode::TKT_EXPIRED),
            Self::BadReply { fault: ReplyFault::Version(_), .. } => Some(ErrorCode::BAD_PVNO),
            Self::BadReply { .. } => Some(ErrorCode::MODIFIED),
            Self::BadKey { .. } | Self::NoEnctype { .. } | Self::NotPermitted { .. } => {
                Some(ErrorCode::ETYPE_NOSUPP)
            }
            Self::CrossRealm { .. } => Some(ErrorCode::AP_PATH_NOT_ACCEPTED),
            Self::Expired { .. } => Some(ErrorCode::TKT_EXPIRED),
            Self::Integrity { .. } => Some(ErrorCode::BAD_INTEGRITY),
            Self::Lacks { lack: Lack::Begun { .. } | Lack::Validated, .. } => Some(ErrorCode::TKT_NYV),
            Self::Lacks { lack: Lack::RenewTime { .. }, .. } => Some(ErrorCode::TKT_EXPIRED),
            Self::Lacks { .. } => Some(ErrorCode::BADOPTION),
            Self::ReferralLoop { .. } => Some(ErrorCode::AP_PATH_NOT_ACCEPTED),
            Self::Unverified { .. } => Some(ErrorCode::BAD_INTEGRITY),
            Self::PreauthFailed { .. } => Some(ErrorCode::PREAUTH_FAILED),
            Self::PreauthUnsupported { .. } => Some(ErrorCode::PREAUTH_REQUIRED),
            Self::NotForUser(refused) => Some(refused.code),
            Self::Refused { code, .. } => Some(*code),
            Self::Skew { .. } => Some(ErrorCode::SKEW),
            Self::Malformed { .. } | Self::Unavailable { .. } => None,
        }
    }
}

impl fmt::Display for KdcFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadKey { client, reason } => {
                write!(f, "the password of {client} can't be made a key: {reason}")
            }
            Self::BadReply { realm, fault } => {
                write!(f, "the reply of the KDC of {realm} is refused: {fault}")
            }
            Self::CrossRealm { server, realm } => write!(
                f,
                "no way leads from realm {realm} to {server}: the KDC of {realm} gives no ticket for realm {0}. \
                 Set the realms on the way in [capaths], or let the two realms' administrators share a key \
                 (krbtgt/{0}@{realm})",
                server.realm()
            ),
            Self::Expired { client, end } => write!(
                f,
                "the ticket-granting ticket of {client} expired at {end}: get a new one (orthros kinit {client})"
            ),
            Self::Integrity { client, secret, enctype, kvno } => {
                integrity(f, client, *secret, *enctype, *kvno)
            }
            Self::Malformed { realm, error } => {
                write!(f, "a message or ticket of realm {realm} is malformed: {error}")
            }
            Self::NoEnctype { principal, wanted, offered } => no_enctype(f, principal, wanted, offered),
            Self::Lacks { client, lack } => write!(f, "the ticket of {client} {lack}"),
            Self::ReferralLoop { principal, realms } => write!(
                f,
                "the KDCs lead in circles or on and on in search of {principal}: {}",
                realms.join(", ")
            ),
            Self::Unverified { client, report } => write!(
                f,
                "the ticket of {client} is not proved to come from the realm's KDC, so {client} must not be \
                 let in: {report}"
            ),
            Self::NotPermitted { client, refused } => {
                write!(f, "the ticket-granting ticket of {client} can't be used: {refused}")
            }
            Self::PreauthFailed { client, secret, text } => {
                preauth_failed(f, client, *secret, text.as_deref())
            }
            Self::PreauthUnsupported { client, offered } => write!(
                f,
                "the KDC wants a proof from {client} that Orthros can't give: it offers pre-authentication \
                 types {offered:?}, not the encrypted timestamp (2)"
            ),
            Self::NotForUser(refused) => refused.fmt(f),
            Self::Refused { realm, code, text, client, server } => {
                write!(f, "the KDC of {realm} refused {client} a ticket for {server}: {code}")?;
                said(f, text.as_deref())?;
                code.advice().map_or(Ok(()), |advice| write!(f, ". {}", advice.trim_end_matches('.')))
            }
            // The KDC complains of the request's time, which is long ago, and both clocks agree on that.
            Self::Skew { realm, kdc, here } if kdc.seconds.abs_diff(here.seconds) < 60 => write!(
                f,
                "the KDC of {realm} held the clocks to differ too much, and they do not now ({kdc} there, {here} here): \
                 the request was long on its way, or a clock was set; ask again"
            ),
            Self::Skew { realm, kdc, here } => {
                let ahead = here.seconds.saturating_sub(kdc.seconds);
                let (direction, seconds) = if ahead < 0 { ("behind", -ahead) } else { ("ahead of", ahead) };
                write!(
                    f,
                    "the clock here ({here}) is {seconds} s {direction} that of the KDC of {realm} ({kdc}): \
                     set the clocks"
                )
            }
            Self::Unavailable { realm, report } => write!(f, "no KDC of {realm} answered: {report}"),
        }
    }
}

impl std::error::Error for KdcFailure {}

impl fmt::Display for NotForUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { realm, code, text, service, user, target, missing } = self;
        write!(f, "the KDC of {realm} does not let {service} act for {user}")?;
        match target {
            Some(target) => write!(f, " to {target} (S4U2Proxy): {code}")?,
            None => write!(f, " to itself (S4U2Self): {code}")?,
        }
        said(f, text.as_deref())?;
        match missing {
            Missing::DelegateTo => {
                let target = target.as_ref().unwrap_or(service);
                write!(
                    f,
                    ". {target} must be among those to whom {service} may delegate: krbAllowedToDelegateTo (MIT, \
                     LDAP), kadmin modify --constrained-delegation={target} {service} (Heimdal), \
                     msDS-AllowedToDelegateTo (Active Directory)"
                )
            }
            Missing::Forwardable => {
                write!(f, ". The ticket-granting ticket of {service} must be forwardable: kinit -f")
            }
            Missing::Impersonate => write!(
                f,
                ". The KDC does not offer this, or {service} lacks the flag for it: +trusted-for-delegation \
                 (Heimdal)"
            ),
            Missing::OkToAuthAsDelegate => write!(
                f,
                ". The ticket of {user} for {service} is not forwardable: {service} needs the flag \
                 ok_to_auth_as_delegate (MIT), trusted-for-delegation (Heimdal), \
                 TRUSTED_TO_AUTH_FOR_DELEGATION (Active Directory), and {user} must be allowed forwardable tickets"
            ),
            Missing::User => {
                write!(f, ". The KDC of {realm} does not know {user}: check the name and the realm")
            }
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forwardable => f.write_str("is not forwardable: get one that is (kinit -f)"),
            Self::Evidence => f.write_str(
                "is for another service than the one that wants to act by it: a service acts by tickets to itself",
            ),
            Self::Begun { start } => write!(f, "is postdated: it can be validated from {start} on"),
            Self::Proxiable => f.write_str("is not proxiable: get one that is (kinit -p)"),
            Self::Postdated => f.write_str("is not postdated: there is nothing to validate"),
            Self::Reach => f.write_str(
                "can't be shown to the KDC of another realm: Orthros acts for users to services of its own realm only",
            ),
            Self::Renewable => f.write_str("is not renewable: get one that is (kinit -r LIFETIME)"),
            Self::RenewTime { till } => {
                write!(f, "could be renewed until {till} only: get a new one (kinit)")
            }
            Self::StrongKey => f.write_str(
                "has a session key by which no KDC can prove for which user it makes a ticket: AES or Camellia must \
                 be among the enctypes of the realm's krbtgt and of default_tgs_enctypes",
            ),
            Self::Validated => f.write_str("is postdated and not valid yet: validate it first (kinit -v)"),
        }
    }
}

impl fmt::Display for ReplyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(name) => write!(f, "it is for the client {name}, who did not ask"),
            Self::Enctype(number) => {
                write!(
                    f,
                    "its session key is of {}, which was not asked for, or is no such key",
                    enctype_name(*number)
                )
            }
            Self::MessageType(Some(number)) => write!(f, "it is a message of type {number}"),
            Self::MessageType(None) => f.write_str("it is no Kerberos message"),
            Self::Nonce => f.write_str("it repeats another nonce, so it answers another request"),
            Self::Request => {
                f.write_str("the KDC received another request than was sent, or its checksum is missing")
            }
            Self::Server(name) => write!(f, "it is for the server {name}, which was not asked for"),
            Self::Unproved => f.write_str(
                "it does not prove for which user the ticket is (PA-S4U-X509-USER), so it may be anybody's; \
                 Heimdal's KDCs give no such proof",
            ),
            Self::User(name) => write!(f, "it is for the user {name}, who was not asked for"),
            Self::TicketNames(name) => {
                write!(f, "the ticket names {name} in the clear, and another server under seal")
            }
            Self::Ended { end, now } => write!(
                f,
                "the ticket ended at {end}, and it is {now} here: compare the clocks, or get a new ticket-granting ticket"
            ),
            Self::Times { start, end } => {
                write!(f, "the ticket would be valid from {start} to {end}, which was not asked for")
            }
            Self::Version(number) => write!(f, "it is of protocol version {number}, not 5"),
        }
    }
}

fn said(f: &mut fmt::Formatter<'_>, text: Option<&str>) -> fmt::Result {
    // The text comes from the network: control characters could steer a terminal.
    text.map_or(Ok(()), |text| write!(f, "; it said \"{}\"", text.escape_debug()))
}

fn integrity(
    f: &mut fmt::Formatter<'_>,
    client: &Principal,
    secret: Option<SecretKind>,
    enctype: Enctype,
    kvno: Option<u32>,
) -> fmt::Result {
    match secret {
        Some(SecretKind::Password) => {
            write!(
                f,
                "the KDC's reply to {client} does not open: the password is wrong, or the reply was altered"
            )
        }
        Some(SecretKind::Keys) => {
            write!(f, "the KDC's reply to {client} does not open with the keys given for {enctype}")?;
            if let Some(kvno) = kvno {
                write!(f, "; it is sealed with kvno {kvno}")?;
            }
            f.write_str(": the keytab is out of date, or the reply was altered")
        }
        None => {
            write!(f, "the KDC's reply to {client} does not open: it was altered, or answers another request")
        }
    }
}

fn no_enctype(
    f: &mut fmt::Formatter<'_>,
    principal: &Principal,
    wanted: &[Enctype],
    offered: &[i32],
) -> fmt::Result {
    let names = |list: &mut dyn Iterator<Item = String>| list.collect::<Vec<_>>().join(", ");
    let wanted = match wanted {
        [] => "none".to_owned(),
        wanted => names(&mut wanted.iter().map(ToString::to_string)),
    };
    write!(f, "no common enctype for {principal}: here {wanted}")?;
    if !offered.is_empty() {
        write!(f, "; the KDC has {}", names(&mut offered.iter().map(|number| enctype_name(*number))))?;
    }
    f.write_str(". Compare permitted_enctypes (and the keytab, if one is used) with the principal's keys")?;
    let weak = offered.iter().copied().filter_map(Enctype::from_number).find_map(Enctype::switch);
    // Best is to give the principal better keys; the switch is for those who can't.
    weak.map_or(Ok(()), |switch| write!(f, "; weak ones are used only with {switch} = true in [libdefaults]"))
}

fn enctype_name(number: i32) -> String {
    Enctype::from_number(number).map_or_else(|| format!("enctype {number}"), |enctype| enctype.to_string())
}

fn preauth_failed(
    f: &mut fmt::Formatter<'_>,
    client: &Principal,
    secret: SecretKind,
    text: Option<&str>,
) -> fmt::Result {
    match secret {
        SecretKind::Password => write!(f, "the password is not the one that the KDC has for {client}")?,
        SecretKind::Keys => write!(
            f,
            "the keytab's key for {client} is not the one that the KDC has; if its kvno is old, fetch the keytab anew"
        )?,
    }
    write!(f, " ({})", ErrorCode::PREAUTH_FAILED)?;
    said(f, text)
}
