//! `token seal` and `token unseal`: the tickets of a cache go into a token, and out of it into another cache.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;

use orthros::credentials::Storing;
use orthros::sys::draft;
use orthros::transfer::{Header, Kind};
use orthros::{CacheName, Orthros};
use orthros_wire::hex;

use super::arguments::{TokenSeal, TokenUnseal};
use super::read;
use crate::failure::{Ending, Failure, While};
use crate::output;

pub(crate) fn seal(wanted: &TokenSeal) -> Result<Ending, Failure> {
    let file = wanted.output.as_deref().filter(|file| file.as_os_str() != "-");
    match file {
        Some(file) => check_replaceable(file)?,
        None if !wanted.hex && io::stdout().is_terminal() => {
            return Err(Failure::new("a token is binary, and standard output is a terminal")
                .hint("-o FILE writes it into a file; --hex prints digits, which token unseal takes too"));
        }
        None => {}
    }
    let orthros = Orthros::from_system()?;
    let cache = wanted.cache.as_ref().unwrap_or_else(|| orthros.default_cache());
    let credential = orthros.credential_from(cache)?;
    let token = match &wanted.policy {
        Some(policy) => orthros.export_credential_under(&credential, policy)?,
        None => orthros.export_credential(&credential)?,
    };
    let token = if wanted.hex { format!("{}\n", hex::encode(&token)).into_bytes() } else { token };
    match file {
        Some(file) => {
            draft::replace(file, &token).while_doing(format!("cannot write {}", file.display()))?;
            Ok(Ending::Success)
        }
        None => output::octets(&token),
    }
}

/// A token takes the place of an older file, and of nothing else: a device that was replaced would be missed.
fn check_replaceable(file: &Path) -> Result<(), Failure> {
    match fs::symlink_metadata(file) {
        Ok(there) if there.is_file() => Ok(()),
        Ok(_) => Err(Failure::new(format!("{} is there, and no regular file", file.display()))
            .hint("without -o the token goes to standard output, which may be anything but a terminal")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).while_doing(format!("cannot write {}", file.display())),
    }
}

pub(crate) fn unseal(wanted: &TokenUnseal) -> Result<Ending, Failure> {
    let token = read(&wanted.file)?;
    let header =
        Header::parse(&token).map_err(|refusal| Failure::new(format!("no token of ours: {refusal}")))?;
    if header.kind != Kind::Credential {
        return Err(Failure::new("the token is a context's: it holds no tickets"));
    }
    let orthros = Orthros::from_system()?;
    let credential = match &wanted.policy {
        Some(policy) => orthros.import_credential_under(&token, policy)?,
        None => orthros.import_credential(&token)?,
    };
    let cache = match &wanted.cache {
        Some(named) => named.clone(),
        // Whose it is, is known only now.
        None => orthros.cache_to_fill(credential.client())?,
    };
    if let CacheName::Memory(_) = cache {
        return Err(Failure::new(format!("{cache} would end with this command"))
            .hint("-c FILE:PATH names a cache that stays"));
    }
    let cache = orthros
        .store_credential(&credential, &Storing { cache: Some(cache), overwrite: true, as_default: false })?;
    if wanted.cache.is_none() && matches!(cache, CacheName::DirectoryFile(_)) {
        orthros.switch_cache(&cache)?;
    }
    Ok(Ending::Success)
}
