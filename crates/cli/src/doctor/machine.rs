//! What the machine gives: clock, host name, and the files that acceptors and transfer need.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use orthros::Name;
use orthros::replay::{CacheName, File2};
use orthros::settings::{self, TransferKey};
use orthros::sys::process;
use rustix::fs::Access;

use super::{Finding, Patient};
use crate::output;

/// No clock can be right that shows a time before this: 2024-01-01.
const EARLIEST: i64 = 1_704_067_200;

/// The clock: whether it can be right, and how far the KDC's is from it.
pub(super) fn clock(patient: &Patient) -> Vec<Finding> {
    let now = patient.orthros.env().now();
    let shown = output::utc(now.seconds);
    let mut found = vec![if now.seconds < EARLIEST {
        Finding::problem(format!("it shows {shown} UTC, which is long past"), "let NTP set the clock")
    } else {
        Finding::ok(format!("it shows {shown} UTC"))
    }];
    let Some(cache) = patient.tickets() else { return found };
    let offset = cache.time_offset().map_or(0, |offset| i64::from(offset.seconds));
    let skew = patient.config.clockskew;
    if offset.abs() > skew {
        let kept = if patient.config.kdc_timesync {
            "reckoned with here"
        } else {
            "not reckoned with (kdc_timesync)"
        };
        found.push(Finding::warning(
            format!(
                "at the last login the KDC's clock differed by {offset} s, {kept}; others tolerate {skew} s"
            ),
            "let NTP set the clock",
        ));
    } else if offset != 0 {
        found.push(Finding::note(format!("at the last login the KDC's clock differed by {offset} s")));
    }
    let ahead = cache.credentials().map(|ticket| ticket.times.authtime.0.saturating_sub(now.seconds)).max();
    if let Some(ahead) = ahead.filter(|ahead| *ahead > skew.saturating_add(offset.abs())) {
        found.push(Finding::problem(
            format!("a ticket was made {ahead} s in the future: the clock was put back, or is wrong"),
            "let NTP set the clock, then orthros kinit",
        ));
    }
    found
}

/// This machine's name, and the principal that a service here would have.
pub(super) fn host_name(patient: &Patient) -> Vec<Finding> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut found = vec![if host.contains('.') {
        Finding::ok(format!("this machine is {host}"))
    } else {
        Finding::note(format!(
            "this machine is {host}, a short name: services have the full one, so name them SERVICE@FULL.NAME"
        ))
    }];
    match Name::hostbased_service("host", host.as_str()).to_principal(&patient.config, None) {
        Ok(principal) => found.push(Finding::note(format!("host@{host} becomes {principal}"))),
        Err(error) => found.push(Finding::note(format!("host@{host} becomes no principal: {error}"))),
    }
    found
}

/// Where acceptors note what they have seen, and whether they can.
pub(super) fn replay_cache(_: &Patient) -> Vec<Finding> {
    let named = settings::variable("KRB5RCACHENAME");
    let name = match named.as_deref().map_or(Ok(CacheName::Default), CacheName::parse) {
        Ok(name) => name,
        Err(error) => return vec![Finding::problem(error.to_string(), "correct KRB5RCACHENAME")],
    };
    vec![match name {
        CacheName::Default => replay_file(File2::default_cache(settings::variable).path(), true),
        CacheName::File2(path) => replay_file(&path, false),
        _ => Finding::warning(
            "there is none (KRB5RCACHENAME): services here don't notice a replayed request",
            "unset KRB5RCACHENAME",
        ),
    }]
}

fn replay_file(path: &Path, ours: bool) -> Finding {
    let (shown, us) = (path.display(), process::effective_user());
    let cure = "remove it, or set KRB5RCACHENAME or KRB5RCACHEDIR";
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return to_be_made(path),
        Err(error) => return Finding::problem(format!("{shown}: {error}"), "set KRB5RCACHEDIR"),
    };
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if ours && !metadata.is_file() {
        return Finding::problem(format!("{shown} is no regular file"), cure);
    }
    if ours && owner != us {
        return Finding::problem(format!("{shown} belongs to user {owner}, not to user {us}"), cure);
    }
    if ours && mode & 0o022 != 0 {
        return Finding::problem(format!("{shown} can be written by others (mode {mode:04o})"), cure);
    }
    match rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK) {
        Ok(()) => Finding::ok(format!("{shown} is there (user {owner}, mode {mode:04o})")),
        Err(error) => Finding::problem(format!("{shown}: {error}"), cure),
    }
}

fn to_be_made(path: &Path) -> Finding {
    let folder = path.parent().unwrap_or(Path::new("/"));
    match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(format!("{} will be made when a service needs it", path.display())),
        Err(error) => Finding::warning(
            format!("{} can't be made: {}: {error}", path.display(), folder.display()),
            "set KRB5RCACHEDIR to a folder that this user can write",
        ),
    }
}

/// Where the key of transfer tokens lies or could lie.
pub(super) fn transfer(patient: &Patient) -> Vec<Finding> {
    let transfer = match settings::transfer(&patient.config) {
        Ok(transfer) if !transfer.enabled => {
            return vec![Finding::note(
                "contexts can't be exported: transfer is switched off ([orthros], ORTHROS_TRANSFER)",
            )];
        }
        Ok(transfer) => transfer,
        Err(error) => return vec![Finding::warning(error.to_string(), "correct the variable")],
    };
    if let Some(named) = transfer.key.as_deref().filter(|named| !named.starts_with('/')) {
        return vec![Finding::note(format!(
            "the key of transfer tokens is {named}, by [orthros] or ORTHROS_TRANSFER; no folder of this user's holds it"
        ))];
    }
    let key = match TransferKey::configured(&transfer) {
        Ok(key) => key,
        Err(report) => return vec![Finding::warning(report, "name a user of this machine, or none")],
    };
    let mut found = Vec::new();
    for folder in key.places().folders() {
        let looked = key.at_files(|| place(&folder)).unwrap_or_else(|error| Err(error.to_string()));
        match looked {
            Ok(text) => {
                found.push(Finding::ok(text));
                break;
            }
            Err(text) => found.push(Finding::note(text)),
        }
    }
    if !found.iter().any(|finding| finding.severity == super::Severity::Ok) {
        for (shown, looked) in key.places().keyrings() {
            found.push(match looked {
                Ok(()) => Finding::ok(format!(
                    "{shown} holds the key of transfer tokens, until nobody has asked for it in three days"
                )),
                Err(text) => Finding::note(format!("{shown}: {text}")),
            });
        }
    }
    if !found.iter().any(|finding| finding.severity == super::Severity::Ok) {
        found.push(Finding::warning(
            "nothing can hold the key of transfer tokens: contexts can't be exported",
            "set XDG_RUNTIME_DIR or ORTHROS_TRANSFER to a folder of this user's, mode 0700",
        ));
    }
    found
}

/// Whether a folder is fit: it is there and ours alone, or it can be made.
fn place(folder: &Path) -> Result<String, String> {
    let (shown, us) = (folder.display(), process::file_user());
    match fs::symlink_metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => Err(format!("{shown} is no folder")),
        Ok(metadata) if metadata.uid() != us => Err(format!("{shown} belongs to user {}", metadata.uid())),
        Ok(metadata) if metadata.mode() & 0o7777 != 0o700 => {
            Err(format!("{shown} has mode {:04o}, not 0700", metadata.mode() & 0o7777))
        }
        Ok(_) => Ok(format!("{shown} holds the key of transfer tokens")),
        Err(_) => {
            let base = folder.parent().unwrap_or(Path::new("/"));
            match rustix::fs::access(base, Access::WRITE_OK | Access::EXEC_OK) {
                Ok(()) => Ok(format!("{shown} will be made at the first export")),
                Err(error) => Err(format!("{}: {error}", base.display())),
            }
        }
    }
}
