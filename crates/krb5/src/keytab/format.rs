//! Octets to records and back.

use std::sync::Arc;

use orthros_crypto::{Enctype, Key, LongTermKey};
use orthros_wire::{Reader, SecretBytes, Truncated};
use zeroize::Zeroizing;

use super::entry::{KeytabEntry, OpaqueEntry};
use super::{BadKeytab, Keytab, Record};
use crate::Principal;
use crate::principal::NameType;
use crate::record_writer::RecordWriter;

/// The most octets that the components of a name may have together, so that any record's length fits.
pub(super) const LONGEST_NAME: usize = 1 << 20;

pub(super) fn parse(octets: &[u8]) -> Result<Vec<Record>, BadKeytab> {
    let mut reader = Reader::new(octets);
    match reader.array::<2>() {
        Ok(Keytab::HEADER) => {}
        Ok([5, version]) => return Err(BadKeytab::Version(version)),
        Ok(_) | Err(Truncated) => return Err(BadKeytab::NotAKeytab),
    }
    let mut records = Vec::new();
    while !reader.is_empty() {
        let offset = octets.len() - reader.rest().len();
        let cut = BadKeytab::Entry { offset, what: "its length is cut short" };
        let length = i64::from(reader.i32().map_err(|Truncated| cut)?);
        if length == 0 {
            break;
        }
        let record = usize::try_from(length.unsigned_abs())
            .map_err(|_| Truncated)
            .and_then(|count| reader.take(count))
            .map_err(|Truncated| BadKeytab::Length { offset, length })?;
        if length > 0 {
            let cut = BadKeytab::Entry { offset, what: "a field reaches past its end" };
            records.push(parse_entry(record).map_err(|Truncated| cut)?);
        }
    }
    Ok(records)
}

fn parse_entry(record: &[u8]) -> Result<Record, Truncated> {
    let mut reader = Reader::new(record);
    let components = reader.u16()?;
    let realm = std::str::from_utf8(reader.counted_u16()?);
    let components = (0..components)
        .map(|_| reader.counted_u16().map(std::str::from_utf8))
        .collect::<Result<Vec<_>, _>>()?;
    let name_type = NameType(reader.i32()?);
    let timestamp = reader.u32()?;
    let low_kvno = reader.u8()?;
    let enctype = i32::from(reader.u16()?.cast_signed());
    let key = reader.counted_u16()?;
    // Octets that do not suffice for another number are what a larger, earlier entry left behind.
    let kvno = reader.u32().ok().filter(|&kvno| kvno != 0).unwrap_or(low_kvno.into());
    let principal = components
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .ok()
        .zip(realm.ok())
        .filter(|(components, _)| !components.is_empty())
        .map(|(components, realm)| Principal::new(name_type, components, realm));
    let key = Enctype::from_number(enctype).and_then(|enctype| Key::new(enctype, key).ok());
    Ok(match (principal, key) {
        (Some(principal), Some(key)) => {
            Record::Usable(KeytabEntry { principal, timestamp, kvno, key: Arc::new(LongTermKey::from(key)) })
        }
        (principal, _) => Record::Opaque(OpaqueEntry {
            principal,
            enctype,
            kvno,
            record: Arc::new(SecretBytes::copy_of(record)),
        }),
    })
}

pub(super) fn write(records: &[Record]) -> Zeroizing<Vec<u8>> {
    let mut writer = RecordWriter::default();
    writer.octets(&Keytab::HEADER);
    for record in records {
        match record {
            Record::Usable(entry) => writer.octets(&self::record(entry)),
            Record::Opaque(entry) => writer.counted_u32(entry.record.expose_octets()),
        }
    }
    writer.finish()
}

/// An entry's record, its length before it.
pub(super) fn record(entry: &KeytabEntry) -> Zeroizing<Vec<u8>> {
    let mut writer = RecordWriter::default();
    let components = entry.principal.components();
    writer.u16(u16::try_from(components.len()).unwrap_or(u16::MAX));
    writer.counted_u16(entry.principal.realm().as_bytes());
    components.iter().for_each(|component| writer.counted_u16(component.as_bytes()));
    writer.i32(entry.principal.name_type().0);
    writer.u32(entry.timestamp);
    let [.., low_kvno] = entry.kvno.to_be_bytes();
    writer.u8(low_kvno);
    writer.low_half(entry.key.enctype().number());
    writer.counted_u16(entry.key.expose_octets());
    writer.u32(entry.kvno);
    let mut framed = RecordWriter::default();
    framed.counted_u32(writer.written());
    framed.finish()
}
