//! The privilege attribute certificate (PAC) that Windows' KDCs, and MIT krb5's since 1.20, put into tickets (MS-PAC).
//!
//! ```text
//! count(4) version(4)=0  count x { kind(4) length(4) offset(8) }  buffers, each at a multiple of 8 octets
//! ```
//!
//! All numbers are little-endian; offsets are from the beginning. Two of the buffers are signatures, of the service's
//! key and of the KDC's (§2.8); for making either, both are zeros. [`Pac::verify`] checks the one of the service's key.
//!
//! Not here: what the buffers say of a Windows user (§2.5 and on is NDR), and the signatures that only a KDC can check.

use std::fmt;

use orthros_crypto::{ChecksumType, Enctype, Key, KeyUsage};
use orthros_wire::Timestamp;

use crate::Principal;
use crate::principal::NameType;

/// What a buffer of a PAC is (MS-PAC §2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferKind(pub u32);

impl BufferKind {
    /// Who the user is to Windows, and in which groups.
    pub const LOGON_INFO: Self = Self(1);
    /// Credentials for other mechanisms.
    pub const CREDENTIALS_INFO: Self = Self(2);
    /// The signature of the service's key.
    pub const SERVER_CHECKSUM: Self = Self(6);
    /// The signature of the KDC's key.
    pub const PRIVSVR_CHECKSUM: Self = Self(7);
    /// Name and time of the client's authentication.
    pub const CLIENT_INFO: Self = Self(10);
    /// Which services acted for the client.
    pub const DELEGATION_INFO: Self = Self(11);
    /// The client's principal name and DNS domain.
    pub const UPN_DNS_INFO: Self = Self(12);
    /// The signature of the KDC's key over the ticket.
    pub const TICKET_CHECKSUM: Self = Self(16);
}

/// Why octets are no PAC, or none that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadPac {
    /// It was made for another client, or for another authentication of the client.
    Client,
    /// A buffer lies outside the PAC or in its table, or not at a multiple of 8 octets.
    Extent,
    /// The signature of the service's key is of another kind than the key makes.
    Foreign,
    /// The signature of the service's key does not agree.
    Integrity,
    /// A buffer that has to be there is missing, twice there, or malformed.
    Lacking(BufferKind),
    /// The table is cut, or claims more than the octets can hold, or the version is not 0.
    Table,
}

impl fmt::Display for BadPac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("the PAC was made for another client or another authentication"),
            Self::Extent => f.write_str("a buffer of the PAC lies where none can"),
            Self::Foreign => f.write_str("the PAC is signed by another kind of key than the service's"),
            Self::Integrity => f.write_str("the PAC's signature does not agree with the service's key"),
            Self::Lacking(kind) => write!(f, "the PAC lacks a good buffer of kind {}", kind.0),
            Self::Table => f.write_str("the octets are no PAC"),
        }
    }
}

impl std::error::Error for BadPac {}

/// Octets of the head, of a row of the table, and what offsets are multiples of.
const HEAD: u64 = 8;
const ROW: u64 = 16;
const ALIGNMENT: u64 = 8;
/// More buffers than any KDC puts in; MIT krb5 has the same limit.
const MOST_BUFFERS: u32 = 4_096;
/// Between 1601, where Windows' clock begins, and 1970, in seconds.
const WINDOWS_EPOCH: i64 = 11_644_473_600;
/// Windows' clock counts 100 ns.
const TICKS: i64 = 10_000_000;

/// A PAC whose table was checked. What it says counts once it is [verified](Self::verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pac<'a> {
    octets: &'a [u8],
    count: u32,
}

/// A row of the table.
struct Row {
    kind: BufferKind,
    length: u64,
    offset: u64,
}

impl<'a> Pac<'a> {
    /// Checks the table: every buffer lies within the octets and behind the table. Buffers may be empty.
    ///
    /// # Errors
    /// [`BadPac::Table`], [`BadPac::Extent`].
    pub fn parse(octets: &'a [u8]) -> Result<Self, BadPac> {
        let ([count @ .., 0, 0, 0, 0], _) = octets.split_first_chunk::<8>().ok_or(BadPac::Table)? else {
            return Err(BadPac::Table);
        };
        let count = count.first_chunk::<4>().map(|count| u32::from_le_bytes(*count)).ok_or(BadPac::Table)?;
        let size = u64::try_from(octets.len()).map_err(|_| BadPac::Table)?;
        let table = HEAD + ROW * u64::from(count);
        if count == 0 || count > MOST_BUFFERS || table > size {
            return Err(BadPac::Table);
        }
        let pac = Self { octets, count };
        let fits = |row: Row| {
            let end = row.offset.checked_add(row.length);
            row.offset.is_multiple_of(ALIGNMENT) && row.offset >= table && end.is_some_and(|end| end <= size)
        };
        if pac.rows().all(fits) { Ok(pac) } else { Err(BadPac::Extent) }
    }

    fn rows(&self) -> impl Iterator<Item = Row> + use<'a> {
        let (_, table) = self.octets.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let (rows, _) = table.as_chunks::<16>();
        rows.iter().take(usize::try_from(self.count).unwrap_or(0)).map(|row| {
            let [k0, k1, k2, k3, l0, l1, l2, l3, offset @ ..] = *row;
            Row {
                kind: BufferKind(u32::from_le_bytes([k0, k1, k2, k3])),
                length: u32::from_le_bytes([l0, l1, l2, l3]).into(),
                offset: u64::from_le_bytes(offset),
            }
        })
    }

    /// All octets.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The kinds of its buffers, in the table's order.
    pub fn kinds(&self) -> impl Iterator<Item = BufferKind> + use<'a> {
        self.rows().map(|row| row.kind)
    }

    /// The buffer of a kind.
    ///
    /// # Errors
    /// [`BadPac::Lacking`] if there is none, or more than one: nobody could tell which counts.
    pub fn buffer(&self, kind: BufferKind) -> Result<&'a [u8], BadPac> {
        Ok(self.around(kind)?.1)
    }

    /// Where the buffer of a kind begins, and what it holds.
    fn around(&self, kind: BufferKind) -> Result<(usize, &'a [u8]), BadPac> {
        let lacking = BadPac::Lacking(kind);
        let mut rows = self.rows().filter(|row| row.kind == kind);
        let (Some(row), None) = (rows.next(), rows.next()) else { return Err(lacking) };
        let start = usize::try_from(row.offset).map_err(|_| lacking)?;
        let end =
            usize::try_from(row.length).ok().and_then(|length| start.checked_add(length)).ok_or(lacking)?;
        Ok((start, self.octets.get(start..end).ok_or(lacking)?))
    }

    /// Whether the KDC vouches for the PAC to this service: its signature agrees with the service's key, and is of the
    /// kind that the key makes, and the PAC is that of `client` and of its authentication at `authtime`.
    ///
    /// # Errors
    /// [`BadPac`] says what does not agree.
    pub fn verify(&self, key: &Key, client: &Principal, authtime: Timestamp) -> Result<(), BadPac> {
        self.check_client(client, authtime)?;
        let server = self.signature(BufferKind::SERVER_CHECKSUM)?;
        let kdc = self.signature(BufferKind::PRIVSVR_CHECKSUM)?;
        // An unkeyed checksum, or one of a key with another enctype, is one that somebody else could make.
        if server.kind != key.enctype().checksum_type() {
            return Err(BadPac::Foreign);
        }
        let (first, second) = if server.start < kdc.start { (&server, &kdc) } else { (&kdc, &server) };
        let outside = |from: usize, to: usize| self.octets.get(from..to).ok_or(BadPac::Extent);
        let before = outside(0, first.start)?;
        let between = outside(first.end, second.start)?;
        let after = outside(second.end, self.octets.len())?;
        let blank = |signature: &Signature<'_>| ZEROS.get(..signature.octets.len()).ok_or(BadPac::Extent);
        let parts = [before, blank(first)?, between, blank(second)?, after];
        key.verify(KeyUsage::APPLICATION_CHECKSUM, &parts, server.octets).map_err(|_| BadPac::Integrity)
    }

    /// A signature: its kind(4), its octets, and perhaps two that name a KDC that can't write (§2.8).
    fn signature(&self, kind: BufferKind) -> Result<Signature<'a>, BadPac> {
        let (start, buffer) = self.around(kind)?;
        let lacking = BadPac::Lacking(kind);
        let (number, rest) = buffer.split_first_chunk::<4>().ok_or(lacking)?;
        let number = ChecksumType(i32::from_le_bytes(*number));
        let enctype = Enctype::ALL.iter().find(|enctype| enctype.checksum_type() == number);
        let length = enctype.map(|enctype| enctype.checksum_len()).ok_or(lacking)?;
        let octets = rest.get(..length).ok_or(lacking)?;
        let start = start.checked_add(4).ok_or(lacking)?;
        let end = start.checked_add(length).ok_or(lacking)?;
        Ok(Signature { kind: number, octets, start, end })
    }

    /// The client's authentication that it was made for (§2.7): time(8) length(2) name in UTF-16.
    fn check_client(&self, client: &Principal, authtime: Timestamp) -> Result<(), BadPac> {
        let lacking = BadPac::Lacking(BufferKind::CLIENT_INFO);
        let buffer = self.buffer(BufferKind::CLIENT_INFO)?;
        let (time, rest) = buffer.split_first_chunk::<8>().ok_or(lacking)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(lacking)?;
        let name = rest.get(..usize::from(u16::from_le_bytes(*length))).ok_or(lacking)?;
        let (units, []) = name.as_chunks::<2>() else { return Err(lacking) };
        let mut name = String::with_capacity(units.len());
        for letter in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
            name.push(letter.map_err(|_| lacking)?);
        }
        let seconds = authtime.seconds.checked_add(WINDOWS_EPOCH);
        let ticks = seconds.and_then(|seconds| seconds.checked_mul(TICKS));
        let same_time = ticks == Some(i64::from_le_bytes(*time));
        if same_time && is_called(client, &name) { Ok(()) } else { Err(BadPac::Client) }
    }
}

/// A signature and where its octets lie.
struct Signature<'a> {
    kind: ChecksumType,
    octets: &'a [u8],
    start: usize,
    end: usize,
}

/// What stands in the place of a signature while either is made; as long as the longest.
const ZEROS: [u8; 24] = [0; 24];

/// Whether a PAC's name, in which no realm stands, is that of a principal.
fn is_called(client: &Principal, name: &str) -> bool {
    if client.name_type() == NameType::ENTERPRISE {
        return matches!(client.components(), [only] if only == name);
    }
    if !name.is_empty() && !name.contains(['\\', '@']) {
        // Nothing stands for something else, as in most names: no need to take it apart.
        return name.split('/').eq(client.components());
    }
    Principal::parse(name, Some(client.realm()))
        .is_ok_and(|named| named.components() == client.components() && named.realm() == client.realm())
}

#[cfg(test)]
mod tests;
