//! DNS messages: a question out, an answer in (RFC 1035 §4; SRV: RFC 2782; URI: RFC 7553).
//!
//! Shape: [`Question`] makes the query's octets; [`Question::read`] takes what came back and says what it is.
//! Aliases (CNAME) are followed within one answer, as a stub resolver does (RFC 1034 §5.3.1): the recursive
//! server has collected them. Names come out as text in the form that hosts have; a name of other octets makes
//! the answer malformed.
//!
//! Not here: sockets, and which server is asked.

use std::net::IpAddr;

use domain::base::iana::{Class, Rcode, Rtype};
use domain::base::name::{FlattenInto, ParsedName};
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, MessageBuilder, Name, ParsedRecord, ToName};
use domain::dep::octseq::Array;
use domain::rdata::{A, Aaaa, Cname, Ptr, Srv, Txt};

/// How many aliases are followed.
const LONGEST_CHAIN: usize = 8;

/// How long an answer may be kept at most, in seconds, whatever it says: an hour.
const LONGEST_KEPT: u32 = 3_600;

/// The kinds of records that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// The name of an address.
    Ptr,
    /// Where a service runs (RFC 2782).
    Srv,
    /// Text.
    Txt,
    /// Where a service runs, by URI (RFC 7553).
    Uri,
}

impl Kind {
    const fn number(self) -> Rtype {
        match self {
            Self::A => Rtype::A,
            Self::Aaaa => Rtype::AAAA,
            Self::Ptr => Rtype::PTR,
            Self::Srv => Rtype::SRV,
            Self::Txt => Rtype::TXT,
            Self::Uri => Rtype::URI,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
            Self::Uri => "URI",
        })
    }
}

/// What a record says. Names are without the final dot; the root is the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Record {
    /// A or AAAA.
    Address(IpAddr),
    /// PTR.
    Name(String),
    /// SRV.
    Service {
        /// Lower is asked first.
        priority: u16,
        /// Among equals, how much of the load it takes.
        weight: u16,
        /// The port.
        port: u16,
        /// The host; empty: there is decidedly no such service.
        target: String,
    },
    /// TXT: the strings of one record, joined.
    Text(String),
    /// URI.
    Uri {
        /// Lower is asked first.
        priority: u16,
        /// Among equals, how much of the load it takes.
        weight: u16,
        /// The URI.
        target: String,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name at the end of the aliases: the question's own if it is none.
    pub name: String,
    /// What is said about it; may be empty.
    pub records: Vec<Record>,
    /// For how many seconds it holds: the least of what its records say, at most an hour.
    pub seconds: u32,
}

/// What some octets are to a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The answer.
    Answer(Answer),
    /// No answer to this question: another's, or an attempt to deceive.
    Foreign,
    /// An answer that can't be read.
    Malformed,
    /// The name does not exist.
    NoSuchName,
    /// The server can't or won't answer; its code.
    Refused(u8),
    /// The answer does not fit a datagram.
    Truncated,
}

/// A name in its longest form.
type FullName = Name<Array<255>>;

/// A query.
pub(super) struct Question {
    name: FullName,
    kind: Kind,
    /// Twelve of the header, at most 255 of the name, four of kind and class.
    octets: Array<271>,
}

impl Question {
    /// A query for the records of a kind that `name` has; `None` if no domain has such a name.
    pub(super) fn new(id: u16, name: &str, kind: Kind) -> Option<Self> {
        let name = name.strip_suffix('.').unwrap_or(name);
        if !name.split('.').all(|label| !label.is_empty() && label.bytes().all(is_plain)) {
            return None;
        }
        let name: FullName = format!("{name}.").parse().ok()?;
        let mut builder = MessageBuilder::from_target(Array::new()).ok()?;
        builder.header_mut().set_id(id);
        builder.header_mut().set_rd(true);
        let mut builder = builder.question();
        builder.push((&name, kind.number(), Class::IN)).ok()?;
        Some(Self { name, kind, octets: builder.finish() })
    }

    /// The query's octets.
    pub(super) fn octets(&self) -> &[u8] {
        self.octets.as_ref()
    }

    /// Reads what a server sent.
    pub(super) fn read(&self, octets: &[u8]) -> Reading {
        let Ok(message) = Message::from_slice(octets) else { return Reading::Foreign };
        let Ok(query) = Message::from_slice(self.octets()) else { return Reading::Foreign };
        let header = message.header();
        if !message.is_answer(query) {
            return Reading::Foreign;
        }
        if header.tc() {
            return Reading::Truncated;
        }
        match header.rcode() {
            Rcode::NOERROR => self.answer(message).map_or(Reading::Malformed, Reading::Answer),
            Rcode::NXDOMAIN => Reading::NoSuchName,
            other => Reading::Refused(other.to_int()),
        }
    }

    fn answer(&self, message: &Message<[u8]>) -> Option<Answer> {
        let all: Vec<_> = message.answer().ok()?.collect::<Result<_, _>>().ok()?;
        let mut name = self.name.clone();
        let mut seconds = LONGEST_KEPT;
        for link in 0.. {
            let alias = all.iter().find(|record| record.rtype() == Rtype::CNAME && record.owner() == name);
            let Some(alias) = alias else { break };
            if link == LONGEST_CHAIN {
                return None;
            }
            seconds = seconds.min(alias.ttl().as_secs());
            let target = alias.to_record::<Cname<_>>().ok()??.into_data().into_cname();
            name = target.try_flatten_into().ok()?;
        }
        let mut records = Vec::new();
        for record in &all {
            if record.owner() == name && record.rtype() == self.kind.number() && record.class() == Class::IN {
                seconds = seconds.min(record.ttl().as_secs());
                records.push(self.record(record)?);
            }
        }
        Some(Answer { name: text(&name)?, records, seconds })
    }

    fn record(&self, record: &ParsedRecord<'_, [u8]>) -> Option<Record> {
        Some(match self.kind {
            Kind::A => Record::Address(record.to_record::<A>().ok()??.into_data().addr().into()),
            Kind::Aaaa => Record::Address(record.to_record::<Aaaa>().ok()??.into_data().addr().into()),
            Kind::Ptr => {
                Record::Name(text(record.to_record::<Ptr<ParsedName<_>>>().ok()??.data().ptrdname())?)
            }
            Kind::Srv => {
                let record = record.to_record::<Srv<ParsedName<_>>>().ok()??;
                let data = record.data();
                Record::Service {
                    priority: data.priority(),
                    weight: data.weight(),
                    port: data.port(),
                    target: text(data.target())?,
                }
            }
            Kind::Txt => {
                let record = record.to_record::<Txt<_>>().ok()??;
                Record::Text(String::from_utf8(record.data().iter().collect::<Vec<_>>().concat()).ok()?)
            }
            Kind::Uri => {
                let record = record.to_record::<UnknownRecordData<_>>().ok()??;
                let (head, target) = record.data().data().split_first_chunk::<4>()?;
                let [p0, p1, w0, w1] = *head;
                Record::Uri {
                    priority: u16::from_be_bytes([p0, p1]),
                    weight: u16::from_be_bytes([w0, w1]),
                    target: std::str::from_utf8(target).ok()?.to_owned(),
                }
            }
        })
    }
}

/// Whether a label of a host or a service may have this octet.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

/// A name in plain text, without the final dot; `None` if a label has other octets than hosts and services have.
fn text(name: &impl ToName) -> Option<String> {
    let mut text = String::new();
    for label in name.iter_labels().filter(|label| !label.is_root()) {
        let label = label.as_slice();
        if !label.iter().copied().all(is_plain) {
            return None;
        }
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(std::str::from_utf8(label).ok()?);
    }
    Some(text)
}
