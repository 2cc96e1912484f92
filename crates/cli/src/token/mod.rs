//! The commands of transfer tokens.
//!
//! | module | commands |
//! |---|---|
//! | `arguments` | what they are told |
//! | `sealed` | `token seal`, `token unseal` |
//! | here | `token show`: what a token says in the clear, and whether this process could open it |

pub(crate) mod arguments;
pub(crate) mod sealed;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use orthros::Orthros;
use orthros::transfer::{Header, Kind};
use orthros_wire::hex;
use serde::Serialize;

use crate::failure::{Ending, Failure, While};
use crate::output;
use arguments::TokenShow;

/// No token is longer than this many octets: what is longer is something else.
const LONGEST: u64 = 16 << 20;

#[derive(Serialize)]
struct Shown {
    version: u8,
    r#type: &'static str,
    claims: bool,
    key_id: String,
    boundary_id: String,
    id: String,
    expires: String,
    expired: bool,
    sealed_octets: usize,
    /// Why the key at hand does not open it; nothing if it does.
    refusal: Option<String>,
}

pub(crate) fn show(wanted: &TokenShow) -> Result<Ending, Failure> {
    let token = read(&wanted.file)?;
    let header =
        Header::parse(&token).map_err(|refusal| Failure::new(format!("no token of ours: {refusal}")))?;
    let orthros = Orthros::from_system()?;
    let refusal = orthros.check_transfer_key(&token).err().map(|error| error.to_string());
    let shown = Shown {
        version: 1,
        r#type: match header.kind {
            Kind::Context => "context",
            Kind::Credential => "credential",
            Kind::HalfOpen => "half-open context",
            _ => "of a kind that this command does not know",
        },
        claims: header.guarded,
        key_id: hex::encode(&header.key_id),
        boundary_id: hex::encode(&header.boundary_id),
        id: hex::encode(&header.id),
        expires: output::rfc3339(header.expiry.seconds),
        expired: header.expiry <= orthros.env().now(),
        sealed_octets: header.sealed_octets,
        refusal,
    };
    if wanted.json { output::json(&shown) } else { text(&shown) }
}

fn text(shown: &Shown) -> Result<Ending, Failure> {
    let claims = if shown.claims { ", demands something of its importer" } else { "" };
    let over = if shown.expired { " (it is over)" } else { "" };
    let opens = match &shown.refusal {
        None => "yes; whether it is whole or spent shows an import only".to_owned(),
        Some(refusal) => format!("no: {refusal}"),
    };
    output::line(format!(
        "Version:  {}\nType:     {}{claims}\nKey:      {}\nBoundary: {}\nToken id: {}\nExpires:  {}{over}\n\
         Sealed:   {} octets\nOpens:    {opens}",
        shown.version,
        shown.r#type,
        shown.key_id,
        shown.boundary_id,
        shown.id,
        shown.expires,
        shown.sealed_octets
    ))
}

/// The token's octets. Tokens are binary; one that came as hexadecimal digits is taken too.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let name = file.display();
    let mut octets = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(LONGEST).read_to_end(&mut octets)
    } else {
        File::open(file).and_then(|file| file.take(LONGEST).read_to_end(&mut octets))
    };
    read.while_doing(format!("cannot read {name}"))?;
    let digits = std::str::from_utf8(&octets).ok().map(|text| text.split_whitespace().collect::<String>());
    Ok(digits.and_then(|digits| hex::decode(&digits)).unwrap_or(octets))
}
