//! Local users: which user of this machine a principal is (`gss_localname`), and whether it may log in as one
//! (`gss_userok`, known elsewhere as `krb5_kuserok`).
//!
//! Not in an RFC: the manual pages `krb5.conf(5)` and `k5login(5)` of MIT krb5. What is looked at, all of the default
//! realm's part of `[realms]`:
//!
//! | relation | what it does |
//! |---|---|
//! | `auth_to_local_names` | names principals and their users one by one; asked first |
//! | `auth_to_local` | `RULE:[2:$1;$2](^.*;admin$)s/;admin$//` or `DEFAULT`, tried in order; without any, `DEFAULT` |
//!
//! Deliberately not here: reading `.k5login` (its content comes in as a value) and plug-ins.

mod ere;
mod rule;

use crate::Principal;
use crate::config::{BadConfig, Config};

/// The user that `principal` is on this machine; `None` if it is none of its users.
///
/// ```
/// use orthros_krb5::{Config, local_name};
/// let config = Config::parse(
///     "[libdefaults]
///          default_realm = EXAMPLE.COM
///      [realms]
///          EXAMPLE.COM = {
///              auth_to_local = RULE:[2:$1](^.*$)s/^/adm-/
///              auth_to_local = DEFAULT
///          }",
/// )?;
/// assert_eq!(local_name(&config, &"alice@EXAMPLE.COM".parse()?)?.as_deref(), Some("alice"));
/// assert_eq!(local_name(&config, &"alice/admin@EXAMPLE.COM".parse()?)?.as_deref(), Some("adm-alice"));
/// assert_eq!(local_name(&config, &"alice@ELSEWHERE.COM".parse()?)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`BadConfig`] names a malformed rule that was reached, and where it stands: later rules are not tried.
pub fn local_name(config: &Config, principal: &Principal) -> Result<Option<String>, BadConfig> {
    let Some(realm) = config.default_realm.as_deref() else { return Ok(None) };
    let named = ["realms", realm, "auth_to_local_names", &without_realm(principal)];
    if let Some(user) = config.values(&named).last() {
        return Ok(Some(user.text.to_owned()));
    }
    let mut rules = config.values(&["realms", realm, "auth_to_local"]).peekable();
    if rules.peek().is_none() {
        return Ok(rule::default(principal, realm));
    }
    for value in rules {
        let outcome = rule::apply(value.text, principal, realm);
        let told = |what| value.fault(format!("auth_to_local = {}: {what}", value.text));
        if let Some(user) = outcome.map_err(told)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// The name in text; without a realm after it, an `@` needs no `\`.
fn without_realm(principal: &Principal) -> String {
    principal.name_text().replace("\\@", "@")
}

/// What there is of a user's `.k5login`: the principals that may log in as the user, one in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginFile<'a> {
    /// The user has none.
    Absent,
    /// Its content.
    Content(&'a [u8]),
    /// There is one that can't be read or is not to be trusted, or there is no such user.
    Refused,
}

impl LoginFile<'_> {
    /// Whether a line names `principal`, and nothing else: neither blanks nor comments.
    pub fn names(&self, principal: &Principal) -> bool {
        let Self::Content(content) = self else { return false };
        let text = principal.to_string();
        content.split(|&octet| octet == b'\n').any(|line| line == text.as_bytes())
    }
}

/// Whether `principal` may log in as `user`: as `.k5login` says, if there is one; otherwise, and if
/// `k5login_authoritative` is off and it says no, if that is the principal's [`local_name`].
pub fn may_log_in(config: &Config, principal: &Principal, user: &str, login_file: LoginFile<'_>) -> bool {
    if login_file.names(principal) {
        return true;
    }
    if login_file != LoginFile::Absent && config.k5login_authoritative {
        return false;
    }
    local_name(config, principal).is_ok_and(|name| name.as_deref() == Some(user))
}

#[cfg(test)]
mod tests;
