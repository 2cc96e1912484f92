//! `kinit`: a ticket-granting ticket by password or keytab, into a credential cache.

use std::io::{self, BufRead, IsTerminal};

use orthros::{CacheName, Keytab, KeytabName, Orthros, Password, Principal};
use zeroize::Zeroizing;

use crate::arguments::Kinit;
use crate::failure::{Ending, Failure, While};

/// The longest line that is taken for a password, in octets.
const LONGEST_PASSWORD: u64 = 4096;

pub(crate) fn run(wanted: &Kinit) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let by_keytab = wanted.use_keytab || wanted.keytab.is_some();
    let keytab = if by_keytab { Some(keytab(&orthros, wanted.keytab.as_ref())?) } else { None };
    let client = client(&orthros, wanted, keytab.as_deref())?;
    let mut acquire = orthros.acquire(&client.to_string());
    acquire = match &keytab {
        Some(keytab) => acquire.keytab(keytab),
        None => acquire.password(password(&format!("Password for {client}: "))?),
    };
    if wanted.forwardable || wanted.not_forwardable {
        acquire = acquire.forwardable(wanted.forwardable);
    }
    if let Some(seconds) = wanted.lifetime {
        acquire = acquire.lifetime_seconds(seconds);
    }
    if let Some(seconds) = wanted.renewable {
        acquire = acquire.renewable_seconds(seconds);
    }
    if let Some(service) = &wanted.service {
        acquire = acquire.service(Principal::parse(service, Some(client.realm()))?);
    }
    let cache = match &wanted.cache {
        Some(named) => named.clone(),
        None => orthros.cache_to_fill(&client)?,
    };
    acquire.blocking_into(&cache)?;
    if wanted.cache.is_none() && matches!(cache, CacheName::DirectoryFile(_)) {
        orthros.switch_cache(&cache)?;
    }
    Ok(Ending::Success)
}

fn keytab(orthros: &Orthros, named: Option<&KeytabName>) -> Result<std::sync::Arc<Keytab>, Failure> {
    // The default keytab, as with MIT's kinit; the client keytab serves programs that have no cache.
    Ok(orthros.read_keytab(named.unwrap_or_else(|| orthros.default_keytab()))?)
}

/// Whose ticket: as told, else the keytab's first principal, else of whom the cache is, else the user.
fn client(orthros: &Orthros, wanted: &Kinit, keytab: Option<&Keytab>) -> Result<Principal, Failure> {
    let realm = orthros.config().default_realm.as_deref();
    if let Some(named) = &wanted.principal {
        return Ok(Principal::parse(named, realm)?);
    }
    if let Some(keytab) = keytab {
        let first = keytab.entries().next().ok_or_else(|| Failure::new("the keytab is empty"))?;
        return Ok(first.principal().clone());
    }
    let cache = wanted.cache.as_ref().unwrap_or_else(|| orthros.default_cache());
    if let Ok(cache) = orthros.read_cache(cache) {
        return Ok(cache.primary().clone());
    }
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty()).ok_or_else(|| {
        Failure::new("nobody is named, no cache tells who you are, and USER is not set")
            .hint("orthros kinit NAME@REALM")
    })?;
    Ok(Principal::parse(&user, realm)?)
}

/// Reads a password from the terminal, without echo. Where standard input is no terminal, its first line is it.
pub(crate) fn password(prompt: &str) -> Result<Password, Failure> {
    if io::stdin().is_terminal() {
        let typed = rpassword::prompt_password(prompt).while_doing("cannot read the password")?;
        return Ok(Password::from(typed));
    }
    password_line(io::stdin().lock())
}

/// The first line without its end.
pub(crate) fn password_line(input: impl BufRead) -> Result<Password, Failure> {
    let mut line = Zeroizing::new(Vec::with_capacity(128));
    let mut limited = io::Read::take(input, LONGEST_PASSWORD);
    limited.read_until(b'\n', &mut line).while_doing("cannot read the password")?;
    let password = line.strip_suffix(b"\n").unwrap_or(&line);
    let password = password.strip_suffix(b"\r").unwrap_or(password);
    if password.is_empty() {
        return Err(Failure::new("there is no password on standard input").hint("it is the first line"));
    }
    Ok(Password::copy_of(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_end_is_no_part_of_the_password_and_blanks_are() {
        for (input, password) in
            [("pw\n", "pw"), ("pw\r\nnext\n", "pw"), (" p w ", " p w "), ("\tx\n", "\tx")]
        {
            assert_eq!(password_line(input.as_bytes()).unwrap().expose_octets(), password.as_bytes());
        }
        assert!(password_line("".as_bytes()).is_err() && password_line("\nx".as_bytes()).is_err());
    }
}
