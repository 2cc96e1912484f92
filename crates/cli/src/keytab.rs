//! `keytab list`, `add`, `remove` and `merge`: the long-term keys of services.

use std::io;

use orthros::stores::StoreFault;
use orthros::{Keytab, KeytabName, Orthros, Principal};
use orthros_crypto::Key;
use orthros_krb5::keytab::BadKeytab;
use serde::Serialize;

use crate::arguments::{KeytabAdd, KeytabList, KeytabMerge, KeytabRemove};
use crate::failure::{Ending, Failure};
use crate::output::Times;
use crate::{kinit, output};

/// A keytab as JSON has it.
#[derive(Serialize)]
struct Listing {
    keytab: String,
    entries: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    kvno: u32,
    /// `None` if the name is no text.
    principal: Option<String>,
    enctype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<String>,
    #[serde(skip)]
    seconds: Option<i64>,
    /// Whether a key of this enctype can be used here.
    usable: bool,
}

pub(crate) fn list(wanted: &KeytabList) -> Result<Ending, Failure> {
    print(wanted.keytab.as_ref(), &Shown { enctypes: true, times: None, json: wanted.json })
}

/// How a keytab is listed.
pub(crate) struct Shown {
    pub(crate) enctypes: bool,
    pub(crate) times: Option<Times>,
    pub(crate) json: bool,
}

/// Lists a keytab; by default the default one.
pub(crate) fn print(named: Option<&KeytabName>, shown: &Shown) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let name = named.unwrap_or_else(|| orthros.default_keytab());
    let entries = entries(&*orthros.read_keytab(name)?);
    if shown.json {
        return output::json(&Listing { keytab: name.to_string(), entries });
    }
    let mut text = format!("Keytab name: {name}\nKVNO ");
    if let Some(times) = &shown.times {
        text.push_str(&format!("{:<20}", format!("Written {}", times.mark())));
    }
    text.push_str("Principal\n");
    for entry in entries {
        let principal = entry.principal.as_deref().unwrap_or("(a name that is no text)");
        text.push_str(&format!("{:>4} ", entry.kvno));
        if let Some(times) = &shown.times {
            let written = entry.seconds.map(|seconds| times.moment(seconds)).unwrap_or_default();
            text.push_str(&format!("{written:<20}"));
        }
        text.push_str(principal);
        if shown.enctypes {
            text.push_str(&format!(" ({})", entry.enctype));
        }
        text.push('\n');
    }
    output::octets(text.as_bytes())
}

fn entries(keytab: &Keytab) -> Vec<Listed> {
    let usable = keytab.entries().map(|entry| Listed {
        kvno: entry.kvno(),
        principal: Some(entry.principal().to_string()),
        enctype: entry.key().enctype().name().into(),
        written: Some(output::rfc3339(entry.timestamp().seconds)),
        seconds: Some(entry.timestamp().seconds),
        usable: true,
    });
    let opaque = keytab.opaque_entries().map(|entry| Listed {
        kvno: entry.kvno(),
        principal: entry.principal().map(Principal::to_string),
        enctype: entry.enctype_number().to_string(),
        written: None,
        seconds: None,
        usable: false,
    });
    usable.chain(opaque).collect()
}

pub(crate) fn add(wanted: &KeytabAdd) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let name = wanted.keytab.as_ref().unwrap_or_else(|| orthros.default_keytab());
    let principal = Principal::parse(&wanted.principal, orthros.config().default_realm.as_deref())?;
    let key = if wanted.random_key {
        Key::random(wanted.enctype, &*orthros.env().random)
    } else {
        let password = kinit::password_line(io::stdin().lock())?;
        let salt = wanted.salt.as_ref().map_or_else(|| principal.default_salt(), |salt| salt.clone().into());
        Key::from_password(wanted.enctype, &password, &salt, None)?
    };
    let mut added = Keytab::default();
    added.add(principal, wanted.kvno, key.into(), orthros.env().now())?;
    orthros.add_to_keytab(name, &added).map_err(|error| match error.fault {
        StoreFault::Keytab(BadKeytab::Conflict(_)) => {
            Failure::new(error).hint("a new key needs a new version (--kvno)")
        }
        _ => error.into(),
    })?;
    Ok(Ending::Success)
}

pub(crate) fn merge(wanted: &KeytabMerge) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let mut added = Keytab::default();
    for from in &wanted.from {
        let keytab = orthros.read_keytab(from)?;
        added.merge(&keytab).map_err(|error| Failure::new(error).while_doing(from))?;
    }
    let count = orthros.add_to_keytab(&wanted.into, &added)?;
    output::line(format!("{}: {count} {} added", wanted.into, keys(count)))
}

pub(crate) fn remove(wanted: &KeytabRemove) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let name = wanted.keytab.as_ref().unwrap_or_else(|| orthros.default_keytab());
    let realm = orthros.config().default_realm.as_deref();
    let principal = wanted.principal.as_ref().map(|named| Principal::parse(named, realm)).transpose()?;
    let count = orthros.remove_from_keytab(name, |keytab, entry| {
        principal.as_ref().is_none_or(|principal| entry.principal() == principal)
            && wanted.kvno.is_none_or(|kvno| entry.kvno() == kvno)
            && wanted.enctype.is_none_or(|enctype| entry.key().enctype() == enctype)
            && !(wanted.old && keytab.is_current(entry))
    })?;
    // Where all keys are current, that no old one was found is as it should be.
    if count == 0 && !wanted.old {
        return Err(Failure::new(format!("{name}: it has no such key")).hint("orthros keytab list"));
    }
    output::line(format!("{name}: {count} {} removed", keys(count)))
}

fn keys(count: usize) -> &'static str {
    if count == 1 { "key" } else { "keys" }
}
