//! What tokens demand of who imports them.
//!
//! | word | demanded | what it is worth |
//! |---|---|---|
//! | `user` | the exporter's effective user id (or the receiver's, with `transfer_allow`) | with a user's key nothing that the key does not enforce; with a fleet's a guard |
//! | `process-group` | the exporter's process group | a guard against mistakes |
//! | `executable` | the path of the exporter's program | a guard against mistakes |
//! | `audience=TEXT` | that the importer names the same text, and an importer that names one takes nothing else | keeps apart what shares a key |
//! | `off` | nothing is exported and nothing imported | |
//!
//! Guards are checked by the importer's own library: a process that holds the key and wants to do harm goes around them.

use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use orthros_gss::transfer::{Claims, Header, TransferRefusal};

use crate::sys::process;

/// What tokens demand of who imports them, and for which audience tokens are taken. By default: nothing.
///
/// ```
/// use orthros::transfer::Policy;
/// let policy = Policy::new().same_executable().audience("mail");
/// assert_eq!(Policy::parse("executable, audience=mail"), Ok(policy));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    off: bool,
    user: User,
    process_group: bool,
    executable: bool,
    audience: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum User {
    #[default]
    Any,
    Named(u32),
    Same,
}

impl Policy {
    /// Nothing is demanded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing is exported, nothing imported.
    pub fn off() -> Self {
        Self { off: true, ..Self::new() }
    }

    /// Processes of the exporter's effective user only.
    pub fn same_user(self) -> Self {
        Self { user: User::Same, ..self }
    }

    /// Processes of this user only.
    pub fn user(self, id: u32) -> Self {
        Self { user: User::Named(id), ..self }
    }

    /// Processes of the exporter's process group only.
    pub fn same_process_group(self) -> Self {
        Self { process_group: true, ..self }
    }

    /// Processes that run the exporter's program only, by its path. A new version at the same path is the same.
    pub fn same_executable(self) -> Self {
        Self { executable: true, ..self }
    }

    /// Importers that name this audience only; and nothing is taken that was not sealed for it.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { audience: Some(audience.into()), ..self }
    }

    /// The words of the table above, with commas between them.
    ///
    /// # Errors
    /// The word that is none.
    pub fn parse(words: &str) -> Result<Self, String> {
        words.split(',').map(str::trim).filter(|word| !word.is_empty()).try_fold(
            Self::new(),
            |policy, word| {
                Ok(match word.split_once('=') {
                    None if word == "off" => Self { off: true, ..policy },
                    None if word == "user" => policy.same_user(),
                    None if word == "process-group" => policy.same_process_group(),
                    None if word == "executable" => policy.same_executable(),
                    Some(("audience", audience)) => policy.audience(audience),
                    _ => {
                        return Err(format!(
                            "{word:?} is none of user, process-group, executable, audience=TEXT and off"
                        ));
                    }
                })
            },
        )
    }

    /// Whether nothing moves.
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// What a token that is sealed now demands; where processes of another user import, `receiver` is that one.
    pub(crate) fn demands(&self, receiver: Option<u32>) -> Result<Claims, TransferRefusal> {
        if self.off {
            return Err(TransferRefusal::Unavailable);
        }
        let own = || receiver.unwrap_or_else(process::effective_user);
        Ok(Claims {
            user: match self.user {
                User::Any => None,
                User::Named(id) => Some(id),
                User::Same => Some(own()),
            },
            process_group: self.process_group.then(process_group),
            executable: if self.executable { Some(executable()?) } else { None },
            audience: self.audience.clone(),
        })
    }

    /// What this process shows to `token`.
    pub(crate) fn shown(&self, token: &[u8]) -> Result<Claims, TransferRefusal> {
        if self.off {
            return Err(TransferRefusal::Unavailable);
        }
        let audience = self.audience.clone();
        // Who nobody asks for needs not be found out.
        if !Header::parse(token).is_ok_and(|header| header.guarded) {
            return Ok(Claims { audience, ..Claims::NONE });
        }
        Ok(Claims {
            user: Some(process::effective_user()),
            process_group: Some(process_group()),
            executable: executable().ok(),
            audience,
        })
    }
}

fn process_group() -> u32 {
    rustix::process::getpgrp().as_raw_nonzero().get().cast_unsigned()
}

/// The path of the program, as the kernel has it. A program that was replaced since it was started is still called so.
fn executable() -> Result<Vec<u8>, TransferRefusal> {
    const REPLACED: &[u8] = b" (deleted)";
    let link = std::fs::read_link("/proc/self/exe").map(PathBuf::into_os_string);
    let mut path = link
        .map_err(|error| {
            TransferRefusal::Key(format!("which program this is can't be told: /proc/self/exe: {error}"))
        })?
        .into_vec();
    if path.ends_with(REPLACED) {
        path.truncate(path.len() - REPLACED.len());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_table_says_and_others_are_named() {
        let all = Policy::new().same_user().same_process_group().same_executable().audience("a=b");
        assert_eq!(Policy::parse(" user,process-group ,executable,audience=a=b,"), Ok(all));
        assert!(Policy::parse("off").unwrap().is_off());
        assert_eq!(Policy::parse(""), Ok(Policy::new()));
        assert!(Policy::parse("user, group").unwrap_err().contains("\"group\""));
    }

    #[test]
    fn what_is_demanded_is_what_this_process_shows() {
        let policy = Policy::new().same_user().same_process_group().same_executable().audience("mail");
        let demanded = policy.demands(None).unwrap();
        assert_eq!(demanded.user, Some(process::effective_user()));
        // A token of version 1 with claims.
        let token = [&[1, 0x81][..], &[0; 48]].concat();
        assert_eq!(policy.shown(&token).unwrap(), demanded);
        assert_eq!(policy.demands(Some(7)).unwrap().user, Some(7));
        assert_eq!(Policy::new().demands(None), Ok(Claims::NONE));
        assert_eq!(Policy::off().demands(None), Err(TransferRefusal::Unavailable));
        assert_eq!(Policy::off().shown(&token), Err(TransferRefusal::Unavailable));
    }
}
