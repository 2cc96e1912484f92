//! Octets to records and back.

use std::sync::Arc;

use orthros_crypto::{Enctype, Key, LongTermKey};
use orthros_wire::{SecretBytes, Truncated};
use zeroize::Zeroizing;

use super::entry::{KeytabEntry, OpaqueEntry};
use super::{BadKeytab, Keytab, Record};
use crate::Principal;
use crate::principal::NameType;
use crate::record_reader::{ByteOrder, RecordReader};
use crate::record_writer::RecordWriter;

/// The most octets that the components of a name may have together, so that any record's length fits.
pub(super) const LONGEST_NAME: usize = 1 << 20;

/// A place in the file: a record, or a hole where one was.
pub(super) struct Slot {
    /// Where its length stands, in octets from the beginning of the file.
    pub(super) offset: usize,
    /// How many octets follow the length; negative: as a hole.
    pub(super) length: i64,
    pub(super) record: Option<Record>,
}

impl Slot {
    /// How many octets follow the length.
    pub(super) fn size(&self) -> usize {
        usize::try_from(self.length.unsigned_abs()).unwrap_or(usize::MAX)
    }

    /// Whether it is a hole that has room for so many octets.
    pub(super) fn holds(&self, count: usize) -> bool {
        self.length < 0 && self.size() >= count
    }
}

pub(super) fn parse(octets: &[u8], native: ByteOrder) -> Result<Vec<Record>, BadKeytab> {
    let (slots, _end) = slots(octets, native)?;
    Ok(slots.into_iter().filter_map(|slot| slot.record).collect())
}

/// Reads a file: its slots, and where the last one ends. `native` is the byte order of version 1.
pub(super) fn slots(octets: &[u8], native: ByteOrder) -> Result<(Vec<Slot>, usize), BadKeytab> {
    let (order, has_name_types) = match octets {
        [5, 2, ..] => (ByteOrder::Big, true),
        [5, 1, ..] => (native, false),
        [5, version, ..] => return Err(BadKeytab::Version(*version)),
        _ => return Err(BadKeytab::NotAKeytab),
    };
    let mut reader = RecordReader::new(octets.get(Keytab::HEADER.len()..).unwrap_or_default(), order);
    let mut slots = Vec::new();
    loop {
        let offset = octets.len() - reader.rest().len();
        if reader.is_empty() {
            return Ok((slots, offset));
        }
        let cut = BadKeytab::Entry { offset, what: "its length is cut short" };
        let length = i64::from(reader.i32().map_err(|Truncated| cut)?);
        if length == 0 {
            return Ok((slots, offset));
        }
        let content = usize::try_from(length.unsigned_abs())
            .map_err(|_| Truncated)
            .and_then(|count| reader.take(count))
            .map_err(|Truncated| BadKeytab::Length { offset, length })?;
        let cut = BadKeytab::Entry { offset, what: "a field reaches past its end" };
        let fields = RecordReader::new(content, order);
        let record = (length > 0).then(|| parse_entry(fields, content, has_name_types)).transpose();
        slots.push(Slot { offset, length, record: record.map_err(|Truncated| cut)? });
    }
}

/// An entry as it stands in the file: names need not be UTF-8, nor the key one that is known.
struct RawEntry<'a> {
    realm: &'a [u8],
    components: Vec<&'a [u8]>,
    name_type: i32,
    timestamp: u32,
    kvno: u32,
    enctype: i32,
    key: &'a [u8],
}

impl<'a> RawEntry<'a> {
    fn parse(mut reader: RecordReader<'a>, has_name_type: bool) -> Result<Self, Truncated> {
        let count = reader.u16()?;
        // Version 1 has no name type, and counts the realm as a component.
        let count = if has_name_type { count } else { count.checked_sub(1).ok_or(Truncated)? };
        let realm = reader.counted_u16()?;
        let components = (0..count).map(|_| reader.counted_u16()).collect::<Result<_, _>>()?;
        let name_type = if has_name_type { reader.i32()? } else { NameType::UNKNOWN.0 };
        let timestamp = reader.u32()?;
        let low_kvno = reader.u8()?;
        let enctype = i32::from(reader.u16()?.cast_signed());
        let key = reader.counted_u16()?;
        // Octets that do not suffice for another number are what a larger, earlier entry left behind.
        let kvno = reader.u32().ok().filter(|&kvno| kvno != 0).unwrap_or(low_kvno.into());
        Ok(Self { realm, components, name_type, timestamp, kvno, enctype, key })
    }

    fn principal(&self) -> Option<Principal> {
        let realm = std::str::from_utf8(self.realm).ok()?;
        let components: Vec<_> = self
            .components
            .iter()
            .map(|octets| std::str::from_utf8(octets))
            .collect::<Result<_, _>>()
            .ok()?;
        (!components.is_empty()).then(|| Principal::new(NameType(self.name_type), components, realm))
    }

    fn usable_key(&self) -> Option<LongTermKey> {
        Some(Key::new(Enctype::from_number(self.enctype)?, self.key).ok()?.into())
    }

    /// Writes the content of a record of version 2.
    fn write(&self, writer: &mut RecordWriter) {
        writer.u16(u16::try_from(self.components.len()).unwrap_or(u16::MAX));
        writer.counted_u16(self.realm);
        self.components.iter().for_each(|component| writer.counted_u16(component));
        writer.i32(self.name_type);
        writer.u32(self.timestamp);
        let [.., low_kvno] = self.kvno.to_be_bytes();
        writer.u8(low_kvno);
        writer.low_half(self.enctype);
        writer.counted_u16(self.key);
        writer.u32(self.kvno);
    }
}

fn parse_entry(reader: RecordReader<'_>, record: &[u8], has_name_type: bool) -> Result<Record, Truncated> {
    let raw = RawEntry::parse(reader, has_name_type)?;
    Ok(match (raw.principal(), raw.usable_key()) {
        (Some(principal), Some(key)) => Record::Usable(KeytabEntry {
            principal,
            timestamp: raw.timestamp,
            kvno: raw.kvno,
            key: Arc::new(key),
        }),
        (principal, _) => {
            let record = if has_name_type {
                SecretBytes::copy_of(record)
            } else {
                let mut writer = RecordWriter::default();
                raw.write(&mut writer);
                writer.finish().into()
            };
            let record = Arc::new(record);
            Record::Opaque(OpaqueEntry { principal, enctype: raw.enctype, kvno: raw.kvno, record })
        }
    })
}

pub(super) fn write(records: &[Record]) -> Zeroizing<Vec<u8>> {
    let mut writer = RecordWriter::default();
    writer.octets(&Keytab::HEADER);
    records.iter().for_each(|record| writer.octets(&framed(record)));
    writer.finish()
}

/// A record, its length before it.
pub(super) fn framed(record: &Record) -> Zeroizing<Vec<u8>> {
    match record {
        Record::Usable(entry) => self::record(entry),
        Record::Opaque(entry) => {
            let mut writer = RecordWriter::default();
            writer.counted_u32(entry.record.expose_octets());
            writer.finish()
        }
    }
}

/// An entry's record, its length before it.
pub(super) fn record(entry: &KeytabEntry) -> Zeroizing<Vec<u8>> {
    let mut writer = RecordWriter::default();
    let raw = RawEntry {
        realm: entry.principal.realm().as_bytes(),
        components: entry.principal.components().iter().map(String::as_bytes).collect(),
        name_type: entry.principal.name_type().0,
        timestamp: entry.timestamp,
        kvno: entry.kvno,
        enctype: entry.key.enctype().number(),
        key: entry.key.expose_octets(),
    };
    raw.write(&mut writer);
    let mut framed = RecordWriter::default();
    framed.counted_u32(writer.written());
    framed.finish()
}
