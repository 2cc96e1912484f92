//! Octets to entries and back.

use std::sync::Arc;

use orthros_crypto::{Enctype, Key, SessionKey};
use orthros_wire::der::KerberosTime;
use orthros_wire::{SecretBytes, Truncated};
use zeroize::Zeroizing;

use super::{BadCache, Configuration, CredentialCache, Entry, OpaqueCredential, TimeOffset};
use crate::credential::{CONFIGURATION_REALM, TypedOctets};
use crate::principal::NameType;
use crate::record_reader::{ByteOrder, RecordReader};
use crate::record_writer::{RecordWriter, stored_seconds};
use crate::wire::TicketFlags;
use crate::{Credential, Principal, TicketTimes};

/// The first component of the server of a note.
const CONFIGURATION_NAME: &str = "krb5_ccache_conf_data";
/// The header's field for the KDC's time.
const TIME_OFFSET: u16 = 1;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    One,
    Two,
    Three,
    Four,
}

impl Version {
    /// The version that a file's first two octets name.
    fn of(octets: &[u8]) -> Result<Self, BadCache> {
        match octets {
            [5, 1, ..] => Ok(Self::One),
            [5, 2, ..] => Ok(Self::Two),
            [5, 3, ..] => Ok(Self::Three),
            [5, 4, ..] => Ok(Self::Four),
            [5, other, ..] => Err(BadCache::Version(*other)),
            _ => Err(BadCache::NotACache),
        }
    }
}

/// Reads a file; `native` is the byte order of versions 1 and 2.
pub(super) fn parse(octets: &[u8], native: ByteOrder) -> Result<CredentialCache, BadCache> {
    let version = Version::of(octets)?;
    let order = if version < Version::Three { native } else { ByteOrder::Big };
    let content = octets.get(2..).unwrap_or_default();
    let mut reader = RecordReader::new(content, order);
    let time_offset = match version {
        Version::Four => parse_header(&mut reader).map_err(|Truncated| BadCache::Header)?,
        Version::One | Version::Two | Version::Three => None,
    };
    let primary = RawPrincipal::parse(&mut reader, version).map_err(|Truncated| BadCache::Header)?;
    let primary = primary.to_principal().ok_or(BadCache::Header)?;
    let mut entries = Vec::new();
    while !reader.is_empty() {
        let offset = octets.len() - reader.rest().len();
        let raw = RawCredential::parse(&mut reader, version)
            .map_err(|Truncated| BadCache::Credential { offset })?;
        if !raw.removed() {
            entries.push(raw.into_entry());
        }
    }
    Ok(CredentialCache { primary, time_offset, entries })
}

/// Fields with unknown tags are passed over: their length says how.
fn parse_header(reader: &mut RecordReader<'_>) -> Result<Option<TimeOffset>, Truncated> {
    let mut fields = RecordReader::new(reader.counted_u16()?, ByteOrder::Big);
    let mut time_offset = None;
    while !fields.is_empty() {
        let tag = fields.u16()?;
        let mut content = RecordReader::new(fields.counted_u16()?, ByteOrder::Big);
        if tag == TIME_OFFSET {
            time_offset = Some(TimeOffset { seconds: content.i32()?, microseconds: content.i32()? });
        }
    }
    Ok(time_offset)
}

/// A principal as it stands in the file: names need not be UTF-8.
struct RawPrincipal<'a> {
    name_type: i32,
    realm: &'a [u8],
    components: Vec<&'a [u8]>,
}

impl<'a> RawPrincipal<'a> {
    fn parse(reader: &mut RecordReader<'a>, version: Version) -> Result<Self, Truncated> {
        // Version 1 has no name type, and counts the realm as a component.
        let name_type = if version == Version::One { NameType::UNKNOWN.0 } else { reader.i32()? };
        let count = reader.u32()?;
        let count = if version == Version::One { count.checked_sub(1).ok_or(Truncated)? } else { count };
        let realm = reader.counted_u32()?;
        // A lying count ends at the first component that is not there.
        let components = (0..count).map(|_| reader.counted_u32()).collect::<Result<_, _>>()?;
        Ok(Self { name_type, realm, components })
    }

    fn to_principal(&self) -> Option<Principal> {
        let components =
            self.components.iter().map(|octets| std::str::from_utf8(octets)).collect::<Result<Vec<_>, _>>();
        let components = components.ok().filter(|components| !components.is_empty())?;
        Some(Principal::new(NameType(self.name_type), components, std::str::from_utf8(self.realm).ok()?))
    }

    fn of(principal: &'a Principal) -> Self {
        Self {
            name_type: principal.name_type().0,
            realm: principal.realm().as_bytes(),
            components: principal.components().iter().map(String::as_bytes).collect(),
        }
    }

    fn write(&self, writer: &mut RecordWriter) {
        writer.i32(self.name_type);
        writer.count(self.components.len());
        writer.counted_u32(self.realm);
        self.components.iter().for_each(|component| writer.counted_u32(component));
    }
}

/// A credential as it stands in the file, of whatever version.
struct RawCredential<'a> {
    client: RawPrincipal<'a>,
    server: RawPrincipal<'a>,
    enctype: i32,
    key: &'a [u8],
    /// authtime, starttime, endtime, renew-till.
    times: [u32; 4],
    in_session_key: u8,
    flags: u32,
    addresses: Vec<(i32, &'a [u8])>,
    authorization_data: Vec<(i32, &'a [u8])>,
    ticket: &'a [u8],
    second_ticket: &'a [u8],
}

impl<'a> RawCredential<'a> {
    fn parse(reader: &mut RecordReader<'a>, version: Version) -> Result<Self, Truncated> {
        let client = RawPrincipal::parse(reader, version)?;
        let server = RawPrincipal::parse(reader, version)?;
        let enctype = i32::from(reader.u16()?.cast_signed());
        if version == Version::Three {
            reader.u16()?;
        }
        Ok(Self {
            client,
            server,
            enctype,
            key: reader.counted_u32()?,
            times: [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?],
            in_session_key: reader.u8()?,
            flags: reader.u32()?,
            addresses: parse_typed(reader)?,
            authorization_data: parse_typed(reader)?,
            ticket: reader.counted_u32()?,
            second_ticket: reader.counted_u32()?,
        })
    }

    /// Whether the entry was removed in place.
    fn removed(&self) -> bool {
        let [authtime, _, endtime, _] = self.times;
        endtime == 0 && authtime != 0
    }

    fn times(&self) -> TicketTimes {
        let [authtime, starttime, endtime, renew_till] = self.times.map(|time| KerberosTime(time.into()));
        TicketTimes { authtime, starttime, endtime, renew_till }
    }

    fn into_entry(self) -> Entry {
        let note = self.configuration().map(Entry::Configuration);
        note.or_else(|| self.credential().map(Entry::Credential)).unwrap_or_else(|| {
            let mut writer = RecordWriter::default();
            self.write(&mut writer, Version::Four);
            Entry::Opaque(OpaqueCredential {
                server: self.server.to_principal(),
                enctype: self.enctype,
                times: self.times(),
                record: Arc::new(SecretBytes::from(writer.finish())),
            })
        })
    }

    fn configuration(&self) -> Option<Configuration> {
        let server = self.server.to_principal().filter(|server| server.realm() == CONFIGURATION_REALM)?;
        let (key, principal) = match server.components() {
            [name, key] if name == CONFIGURATION_NAME => (key, None),
            [name, key, about] if name == CONFIGURATION_NAME => (key, Some(about.parse().ok()?)),
            _ => return None,
        };
        Some(Configuration { key: key.clone(), principal, value: self.ticket.to_vec() })
    }

    fn credential(&self) -> Option<Credential> {
        let key = Key::new(Enctype::from_number(self.enctype)?, self.key).ok()?;
        let server = self.server.to_principal().filter(|server| server.realm() != CONFIGURATION_REALM)?;
        Some(Credential {
            client: self.client.to_principal()?,
            server,
            key: Arc::new(SessionKey::from(key)),
            times: self.times(),
            flags: TicketFlags(self.flags),
            in_session_key: self.in_session_key != 0,
            addresses: own_typed(&self.addresses),
            authorization_data: own_typed(&self.authorization_data),
            ticket: self.ticket.into(),
            second_ticket: self.second_ticket.into(),
        })
    }

    /// Writes the record of version 3 or 4.
    fn write(&self, writer: &mut RecordWriter, version: Version) {
        self.client.write(writer);
        self.server.write(writer);
        writer.low_half(self.enctype);
        if version == Version::Three {
            writer.low_half(self.enctype);
        }
        writer.counted_u32(self.key);
        self.times.iter().for_each(|&time| writer.u32(time));
        writer.u8(self.in_session_key);
        writer.u32(self.flags);
        for list in [&self.addresses, &self.authorization_data] {
            writer.count(list.len());
            for (number, octets) in list {
                writer.low_half(*number);
                writer.counted_u32(octets);
            }
        }
        writer.counted_u32(self.ticket);
        writer.counted_u32(self.second_ticket);
    }
}

fn parse_typed<'a>(reader: &mut RecordReader<'a>) -> Result<Vec<(i32, &'a [u8])>, Truncated> {
    let count = reader.u32()?;
    (0..count).map(|_| Ok((i32::from(reader.u16()?.cast_signed()), reader.counted_u32()?))).collect()
}

fn own_typed(list: &[(i32, &[u8])]) -> Vec<TypedOctets> {
    list.iter().map(|&(number, octets)| TypedOctets { number, octets: octets.into() }).collect()
}

fn borrow_typed(list: &[TypedOctets]) -> Vec<(i32, &[u8])> {
    list.iter().map(|element| (element.number, &*element.octets)).collect()
}

pub(super) fn write(cache: &CredentialCache) -> Zeroizing<Vec<u8>> {
    let mut writer = RecordWriter::default();
    writer.octets(&[5, 4]);
    match cache.time_offset {
        None => writer.u16(0),
        Some(TimeOffset { seconds, microseconds }) => {
            writer.u16(12);
            writer.u16(TIME_OFFSET);
            writer.u16(8);
            writer.i32(seconds);
            writer.i32(microseconds);
        }
    }
    RawPrincipal::of(&cache.primary).write(&mut writer);
    cache.records().for_each(|record| writer.octets(&record));
    writer.finish()
}

/// The record of an entry, as version 4 has it.
pub(super) fn record(primary: &Principal, entry: &Entry) -> Zeroizing<Vec<u8>> {
    match entry {
        Entry::Configuration(note) => configuration_record(primary, note),
        Entry::Credential(credential) => credential_record(credential),
        Entry::Opaque(credential) => Zeroizing::new(credential.record.expose_octets().to_vec()),
    }
}

pub(super) fn credential_record(credential: &Credential) -> Zeroizing<Vec<u8>> {
    record_of_version(credential, Version::Four)
}

/// The record for a file that begins with these octets.
pub(super) fn record_for_file(
    beginning: &[u8],
    credential: &Credential,
) -> Result<Zeroizing<Vec<u8>>, BadCache> {
    match Version::of(beginning)? {
        Version::One => Err(BadCache::OldVersion(1)),
        Version::Two => Err(BadCache::OldVersion(2)),
        version @ (Version::Three | Version::Four) => Ok(record_of_version(credential, version)),
    }
}

fn record_of_version(credential: &Credential, version: Version) -> Zeroizing<Vec<u8>> {
    let TicketTimes { authtime, starttime, endtime, renew_till } = credential.times;
    let raw = RawCredential {
        client: RawPrincipal::of(&credential.client),
        server: RawPrincipal::of(&credential.server),
        enctype: credential.key.enctype().number(),
        key: credential.key.expose_octets(),
        times: [authtime, starttime, endtime, renew_till].map(|time| stored_seconds(time.0)),
        in_session_key: credential.in_session_key.into(),
        flags: credential.flags.0,
        addresses: borrow_typed(&credential.addresses),
        authorization_data: borrow_typed(&credential.authorization_data),
        ticket: &credential.ticket,
        second_ticket: &credential.second_ticket,
    };
    let mut writer = RecordWriter::default();
    raw.write(&mut writer, version);
    writer.finish()
}

pub(super) fn configuration_record(primary: &Principal, note: &Configuration) -> Zeroizing<Vec<u8>> {
    let about = note.principal.as_ref().map(ToString::to_string);
    let mut components = vec![CONFIGURATION_NAME.as_bytes(), note.key.as_bytes()];
    components.extend(about.as_ref().map(String::as_bytes));
    let raw = RawCredential {
        client: RawPrincipal::of(primary),
        server: RawPrincipal {
            name_type: NameType::PRINCIPAL.0,
            realm: CONFIGURATION_REALM.as_bytes(),
            components,
        },
        enctype: 0,
        key: &[],
        times: [0; 4],
        in_session_key: 0,
        flags: 0,
        addresses: Vec::new(),
        authorization_data: Vec::new(),
        ticket: &note.value,
        second_ticket: &[],
    };
    let mut writer = RecordWriter::default();
    raw.write(&mut writer, Version::Four);
    writer.finish()
}
