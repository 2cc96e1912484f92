//! `keytab list` and `keytab add`: the long-term keys of services.

use std::io;

use orthros::stores::StoreFault;
use orthros::{Keytab, KeytabName, Orthros, Principal};
use orthros_crypto::{Enctype, Key};
use serde::Serialize;

use crate::arguments::{KeytabAdd, KeytabList};
use crate::failure::{Ending, Failure};
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
    /// Whether a key of this enctype can be used here.
    usable: bool,
}

pub(crate) fn list(wanted: &KeytabList) -> Result<Ending, Failure> {
    print(wanted.keytab.as_ref(), true, wanted.json)
}

/// Lists a keytab; by default the default one.
pub(crate) fn print(named: Option<&KeytabName>, enctypes: bool, json: bool) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let name = named.unwrap_or_else(|| orthros.default_keytab());
    let entries = entries(&*orthros.read_keytab(name)?);
    if json {
        return output::json(&Listing { keytab: name.to_string(), entries });
    }
    let mut text = format!("Keytab name: {name}\nKVNO Principal\n");
    for entry in entries {
        let principal = entry.principal.as_deref().unwrap_or("(a name that is no text)");
        text.push_str(&format!("{:>4} {principal}", entry.kvno));
        if enctypes {
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
        usable: true,
    });
    let opaque = keytab.opaque_entries().map(|entry| Listed {
        kvno: entry.kvno(),
        principal: entry.principal().map(Principal::to_string),
        enctype: entry.enctype_number().to_string(),
        written: None,
        usable: false,
    });
    usable.chain(opaque).collect()
}

pub(crate) fn add(wanted: &KeytabAdd) -> Result<Ending, Failure> {
    let orthros = Orthros::from_system()?;
    let name = wanted.keytab.as_ref().unwrap_or_else(|| orthros.default_keytab());
    let principal = Principal::parse(&wanted.principal, orthros.config().default_realm.as_deref())?;
    let mut keytab = match orthros.read_keytab(name) {
        Ok(keytab) => Keytab::clone(&keytab),
        Err(error) if matches!(error.fault, StoreFault::Missing) => Keytab::default(),
        Err(error) => return Err(error.into()),
    };
    if keytab.keys_for(&principal).any(|entry| same(entry.kvno(), entry.key().enctype(), wanted)) {
        return Err(Failure::new(format!(
            "{name} has a key of {principal} already: version {}, {}",
            wanted.kvno, wanted.enctype
        ))
        .hint("a new key needs a new version (--kvno)"));
    }
    let key = if wanted.random_key {
        Key::random(wanted.enctype, &*orthros.env().random)
    } else {
        let password = kinit::password_line(io::stdin().lock())?;
        let salt = wanted.salt.as_ref().map_or_else(|| principal.default_salt(), |salt| salt.clone().into());
        Key::from_password(wanted.enctype, &password, &salt, None)?
    };
    keytab.add(principal, wanted.kvno, key.into(), orthros.env().now())?;
    orthros.write_keytab(name, keytab)?;
    Ok(Ending::Success)
}

fn same(kvno: u32, enctype: Enctype, wanted: &KeytabAdd) -> bool {
    kvno == wanted.kvno && enctype == wanted.enctype
}
