//! Major and minor statuses, and the stories behind minor numbers.
//!
//! A minor number is the one that MIT krb5 has for the same fault: an error of Kerberos' protocol, or one of its library's,
//! by com_err's tables; else an errno. `gss_display_status` tells for a number the last story that this thread knows of it,
//! else the last of the process, else what the number means in general.

use std::cell::RefCell;
use std::io;
use std::sync::{Mutex, PoisonError};

use orthros::{Error, Major, SetupError};
use orthros_gss::error::{Misuse, NoCredential, Refusal};
use orthros_gss::name::BadName;
use orthros_krb5::ErrorCode;
use orthros_wire::Oid;

use crate::abi::OmUint32;
use crate::plugins;

/// `GSS_S_COMPLETE`.
pub const COMPLETE: OmUint32 = 0;
/// `GSS_S_CONTINUE_NEEDED`.
pub const CONTINUE_NEEDED: OmUint32 = 1;
/// `GSS_S_FAILURE`.
pub const FAILURE: OmUint32 = Major::Failure.number();
/// `GSS_S_CALL_INACCESSIBLE_READ`.
pub const CALL_INACCESSIBLE_READ: OmUint32 = 1 << 24;
/// `GSS_S_CALL_INACCESSIBLE_WRITE`.
pub const CALL_INACCESSIBLE_WRITE: OmUint32 = 2 << 24;
/// `GSS_S_CALL_BAD_STRUCTURE`.
pub const BAD_STRUCTURE: OmUint32 = 3 << 24;

/// Where com_err's table of Kerberos begins: the number of a protocol error is added.
const KRB5_TABLE: OmUint32 = (-1_765_328_384_i32).cast_unsigned();
/// `KRB5_KDC_UNREACH`: no KDC of the realm could be reached.
const KDC_UNREACHABLE: OmUint32 = KRB5_TABLE + 156;
/// `KRB5_CC_NOTFOUND`: the cache has no such ticket.
const NO_TICKET: OmUint32 = KRB5_TABLE + 141;
/// `KRB5_FCC_NOFILE`: there is no credential cache.
const NO_CACHE: OmUint32 = KRB5_TABLE + 195;
/// `KRB5_PARSE_MALFORMED`: the name is malformed.
const MALFORMED_NAME: OmUint32 = KRB5_TABLE + 134;
/// `KRB5_REALM_UNKNOWN`: no realm is known.
const NO_REALM: OmUint32 = KRB5_TABLE + 154;
/// `KRB5_CONFIG_BADFORMAT`: the configuration is malformed.
const BAD_CONFIGURATION: OmUint32 = KRB5_TABLE + 136;
/// What a bug of this library answers.
pub const MINOR_PANIC: OmUint32 = KRB5_TABLE + 60;

/// What a failed call answers.
#[derive(Clone, Debug)]
pub struct Failed {
    major: OmUint32,
    minor: OmUint32,
    story: String,
}

impl Failed {
    /// A fault of the call itself: one of the calling errors of RFC 2744 §3.9.1.
    pub fn call(major: OmUint32) -> Self {
        let story = match major {
            CALL_INACCESSIBLE_READ => "an argument that must be there is null",
            CALL_INACCESSIBLE_WRITE => "there is no place for a result",
            _ => "an argument is malformed",
        };
        Self { major, minor: libc::EINVAL.unsigned_abs(), story: story.into() }
    }

    /// A fault with nothing more to tell than its major status and a sentence.
    pub fn plain(major: Major, story: &str) -> Self {
        Self { major: major.number(), minor: libc::EINVAL.unsigned_abs(), story: story.into() }
    }

    /// The same with a sentence that was made.
    pub fn told(major: Major, story: String) -> Self {
        Self { major: major.number(), minor: libc::EINVAL.unsigned_abs(), story }
    }

    /// `GSS_S_BAD_MECH_ATTR` (RFC 5587 §3.4.1).
    pub fn unknown_attribute(attribute: &Oid) -> Self {
        let story = format!("nothing is known of the attribute {attribute}");
        Self { major: 19 << 16, minor: libc::EINVAL.unsigned_abs(), story }
    }

    /// No memory.
    pub fn no_memory() -> Self {
        Self { major: FAILURE, minor: libc::ENOMEM.unsigned_abs(), story: "no memory".into() }
    }

    /// What a plug-in answered: its major status, its minor one as programs get it, and what it says of both.
    pub(crate) fn of_plugin(major: OmUint32, minor: OmUint32, story: String) -> Self {
        Self { major, minor, story }
    }

    pub(crate) fn major(&self) -> OmUint32 {
        self.major
    }

    pub(crate) fn minor(&self) -> OmUint32 {
        self.minor
    }

    /// Keeps the story for `gss_display_status`: the major status.
    pub(crate) fn tell(self) -> OmUint32 {
        remember(self.minor, self.story);
        self.major
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { major: error.major().number(), minor: minor(&error), story: error.to_string() }
    }
}

impl From<BadName> for Failed {
    fn from(error: BadName) -> Self {
        Error::from(error).into()
    }
}

impl From<SetupError> for Failed {
    fn from(error: SetupError) -> Self {
        Self { major: FAILURE, minor: BAD_CONFIGURATION, story: error.to_string() }
    }
}

/// The minor number of an error.
fn minor(error: &Error) -> OmUint32 {
    if let Some(code) = error.kerberos_code() {
        return KRB5_TABLE.wrapping_add(u32::try_from(code.0).unwrap_or(60));
    }
    match error {
        Error::Kdc(_) => KDC_UNREACHABLE,
        Error::Credential(NoCredential::NoTicket { .. }) => NO_TICKET,
        Error::Credential(_) => NO_CACHE,
        Error::Name(BadName::NoRealm(_)) => NO_REALM,
        Error::Name(_) => MALFORMED_NAME,
        Error::Misuse(Misuse::ContextExpired { .. }) => KRB5_TABLE + 32,
        Error::Refused(Refusal::NegotiationRejected) => libc::EACCES.unsigned_abs(),
        Error::Transfer(_) => libc::EPERM.unsigned_abs(),
        _ => libc::EINVAL.unsigned_abs(),
    }
}

/// How many stories a thread, and the process, keep.
const STORIES: usize = 16;

type Stories = Vec<(OmUint32, String)>;

thread_local! {
    static OWN: RefCell<Stories> = const { RefCell::new(Vec::new()) };
}

static SHARED: Mutex<Stories> = Mutex::new(Vec::new());

fn remember(minor: OmUint32, story: String) {
    let keep = |stories: &mut Stories, story: String| {
        stories.retain(|(kept, _)| *kept != minor);
        if stories.len() == STORIES {
            stories.remove(0);
        }
        stories.push((minor, story));
    };
    // A thread that is ending has no stories of its own any more.
    let _ = OWN.try_with(|own| keep(&mut own.borrow_mut(), story.clone()));
    keep(&mut SHARED.lock().unwrap_or_else(PoisonError::into_inner), story);
}

/// What is known behind a minor number.
pub(crate) struct Story {
    pub(crate) text: String,
    /// The error of Kerberos' protocol that the number stands for.
    pub(crate) kerberos: Option<ErrorCode>,
}

/// The story behind a minor number.
pub(crate) fn story(minor: OmUint32) -> Story {
    let code = minor.checked_sub(KRB5_TABLE).and_then(|code| i32::try_from(code).ok());
    Story { text: tell_minor(minor), kerberos: code.filter(|code| *code < 128).map(ErrorCode) }
}

/// Tells this thread once more what it knows of a minor number.
pub(crate) fn recall(minor: OmUint32) {
    remember(minor, tell_minor(minor));
}

/// What a minor number means.
pub fn tell_minor(minor: OmUint32) -> String {
    let find =
        |stories: &Stories| stories.iter().find(|(kept, _)| *kept == minor).map(|(_, story)| story.clone());
    if minor == 0 {
        return "no error".into();
    }
    let own = OWN.try_with(|own| find(&own.borrow())).ok().flatten();
    let story = own.or_else(|| find(&SHARED.lock().unwrap_or_else(PoisonError::into_inner)));
    story.or_else(|| plugins::tell_minor(minor)).unwrap_or_else(|| {
        match minor.checked_sub(KRB5_TABLE).and_then(|code| i32::try_from(code).ok()) {
            Some(code @ 0..=127) => ErrorCode(code).to_string(),
            _ => i32::try_from(minor).map_or_else(
                |_| format!("error number {minor}"),
                |errno| io::Error::from_raw_os_error(errno).to_string(),
            ),
        }
    })
}

/// What a major status means: a sentence for each thing that it says, the error first. `None` if a number within it is
/// none of RFC 2744's.
pub fn tell_major(major: OmUint32) -> Option<Vec<&'static str>> {
    let mut told = Vec::new();
    match major >> 24 {
        0 => {}
        1 => told.push("An argument that must be there is missing"),
        2 => told.push("There is no place for a result"),
        3 => told.push("An argument is malformed"),
        _ => return None,
    }
    let routine = major >> 16 & 0xff;
    if routine != 0 {
        told.push(ROUTINE.get(usize::try_from(routine).ok()?.checked_sub(1)?)?);
    }
    let supplementary = major & 0xffff;
    if supplementary >> SUPPLEMENTARY.len() != 0 {
        return None;
    }
    let bits = SUPPLEMENTARY.iter().enumerate().filter(|(bit, _)| supplementary >> bit & 1 == 1);
    told.extend(bits.map(|(_, text)| text));
    if told.is_empty() {
        told.push("The call was completed");
    }
    Some(told)
}

/// By their numbers, from 1.
const ROUTINE: [&str; 19] = [
    "The mechanism is not supported",
    "The name is malformed",
    "The kind of name is not supported",
    "The channel bindings of both ends do not agree",
    "The status code is unknown",
    "The integrity check failed",
    "There are no credentials, or they can't be used",
    "There is no established context",
    "The token is malformed",
    "The credential is malformed",
    "The credentials have expired",
    "The context has expired",
    "The call failed for a reason that the minor status tells",
    "The quality of protection is unknown",
    "Local policy forbids it",
    "The operation is not available",
    "The credential element exists already",
    "The name is not one of a mechanism",
    "The attribute of a mechanism is unknown",
];

/// By their bits, from the lowest.
const SUPPLEMENTARY: [&str; 5] = [
    "The call must go on with a token of the peer's",
    "The token was seen before",
    "The token is too old to be told from one that was seen before",
    "A later token was processed already",
    // In RFC 2744's words: tests of programs look for them.
    "An expected per-message token was not received",
];
