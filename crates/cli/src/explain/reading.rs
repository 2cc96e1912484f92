//! What a number or a name can mean, the likeliest first.

use orthros_krb5::ErrorCode;
use serde::{Serialize, Serializer};

use super::stories::{self, Cause};
use super::tables::{TABLES, Table};
use super::{com_err, errno, status};
use crate::failure::Failure;

/// Numbers from here on are made up by MIT's GSS-API where two mechanisms use the same one: valid in one process
/// only.
const MADE_UP: std::ops::Range<i64> = 100_001..101_000;

/// One way to read a code.
#[derive(Debug, Serialize)]
pub(super) struct Reading {
    /// Whose number it is.
    pub(super) kind: &'static str,
    /// What it says: one error, or the parts of a GSS-API status.
    pub(super) errors: Vec<Meaning>,
}

/// One error.
#[derive(Debug, Serialize)]
pub(super) struct Meaning {
    pub(super) symbol: String,
    /// Its number among its kind.
    pub(super) number: i64,
    /// The same as C programs of MIT krb5 and Heimdal have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) com_err: Option<i32>,
    pub(super) meaning: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) advice: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) causes: &'static [Cause],
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) example: &'static str,
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut fields = serializer.serialize_struct("Cause", 3)?;
        fields.serialize_field("cause", self.what)?;
        fields.serialize_field("how_to_tell", self.tell)?;
        fields.serialize_field("what_to_do", self.cure)?;
        fields.end()
    }
}

impl Meaning {
    fn new(symbol: &str, number: i64, meaning: &str) -> Self {
        let story = stories::of(symbol);
        Self {
            symbol: symbol.into(),
            number,
            com_err: None,
            meaning: meaning.into(),
            advice: None,
            causes: story.map_or(&[], |story| story.causes),
            example: story.map_or("", |story| story.example),
        }
    }
}

const PROTOCOL: &str = "the Kerberos protocol (RFC 4120)";
const GSS_API: &str = "the GSS-API (RFC 2744)";
const SYSTEM: &str = "the operating system";

/// Everything that a code can mean.
///
/// # Errors
/// None of it is known: the failure says how far it could be read.
pub(super) fn of(code: &str) -> Result<Vec<Reading>, Failure> {
    let code = code.trim();
    let readings = match number(code) {
        Some(number) => numbered(number),
        None => named(code).into_iter().collect(),
    };
    if readings.is_empty() { Err(unknown(code)) } else { Ok(readings) }
}

/// Every error with a name, by kind.
pub(super) fn all() -> Vec<Reading> {
    let mut all = vec![
        Reading { kind: PROTOCOL, errors: ErrorCode::all().filter_map(protocol).collect() },
        Reading { kind: GSS_API, errors: status::all().map(major).collect() },
    ];
    all.extend(TABLES.iter().map(|table| Reading {
        kind: table.whose,
        errors: table.entries.iter().filter_map(|entry| library(table, entry)).collect(),
    }));
    all
}

/// Decimal or hexadecimal, with a sign or without.
fn number(code: &str) -> Option<i64> {
    let (sign, digits) = code.strip_prefix('-').map_or((1, code), |digits| (-1, digits));
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => i64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    number.ok()?.checked_mul(sign)
}

fn numbered(number: i64) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut read = |kind, errors: Vec<Meaning>| {
        if !errors.is_empty() {
            readings.push(Reading { kind, errors });
        }
    };
    let small = i32::try_from(number).ok();
    if let Some(code) = small.filter(|code| (0..128).contains(code)) {
        read(PROTOCOL, protocol(ErrorCode(code)).into_iter().collect());
    }
    if let Some(parts) = u32::try_from(number).ok().and_then(status::parts) {
        read(GSS_API, parts.into_iter().map(major).collect());
    }
    if let Some((table, offset)) = in_table(number) {
        let protocol = (table.name == "krb5" && offset < 128).then(|| protocol(ErrorCode(offset.into())));
        match protocol.flatten() {
            Some(meaning) => read(PROTOCOL, vec![meaning]),
            None => {
                let entry = table.entries.iter().find(|entry| entry.0 == offset);
                read(table.whose, entry.and_then(|entry| library(table, entry)).into_iter().collect());
            }
        }
    }
    if let Some((name, sentence)) = small.and_then(errno::of) {
        read(SYSTEM, vec![Meaning::new(name, number, &sentence)]);
    }
    readings
}

fn named(name: &str) -> Option<Reading> {
    if let Some(meaning) = ErrorCode::from_name(name).and_then(protocol) {
        return Some(Reading { kind: PROTOCOL, errors: vec![meaning] });
    }
    if let Some(part) = status::named(name) {
        return Some(Reading { kind: GSS_API, errors: vec![major(part)] });
    }
    for table in TABLES {
        if let Some(entry) = table.entries.iter().find(|entry| entry.1.eq_ignore_ascii_case(name)) {
            return Some(Reading { kind: table.whose, errors: library(table, entry).into_iter().collect() });
        }
    }
    let number = errno::named(name)?;
    let (name, sentence) = errno::of(number)?;
    Some(Reading { kind: SYSTEM, errors: vec![Meaning::new(name, number.into(), &sentence)] })
}

/// The 32 bits of a number, whether its program took them for signed or not.
fn signed(number: i64) -> Option<i32> {
    i32::try_from(number).ok().or_else(|| Some(u32::try_from(number).ok()?.cast_signed()))
}

fn in_table(number: i64) -> Option<(&'static Table, u8)> {
    let parts = com_err::parts(signed(number)?)?;
    Some((com_err::table(&parts.table)?, parts.offset))
}

fn protocol(code: ErrorCode) -> Option<Meaning> {
    let mut meaning = Meaning::new(&code.rfc_name()?, code.0.into(), code.meaning()?);
    meaning.com_err = com_err::base("krb5").and_then(|base| base.checked_add(code.0));
    meaning.advice = code.advice().map(str::to_owned);
    Some(meaning)
}

fn major(part: &status::Part) -> Meaning {
    Meaning::new(part.1, part.0.into(), part.2)
}

fn library(table: &Table, entry: &(u8, &str, &str)) -> Option<Meaning> {
    let number = com_err::base(table.name)?.checked_add(entry.0.into())?;
    Some(Meaning { com_err: Some(number), ..Meaning::new(entry.1, entry.0.into(), entry.2) })
}

/// How far a code could be read that nobody knows.
fn unknown(code: &str) -> Failure {
    let hint = "orthros explain --list prints all that are known";
    let Some(number) = number(code) else {
        return Failure::new(format!("no error is named {code}")).hint(hint);
    };
    if MADE_UP.contains(&number) {
        return Failure::new(format!(
            "{number} is a number that MIT's GSS-API made up in one process, where two mechanisms use the same one: \
             it means nothing elsewhere"
        ))
        .hint("let the program print the text of gss_display_status");
    }
    let text = match (signed(number), signed(number).and_then(com_err::parts)) {
        (None, _) => format!("{number} does not fit 32 bits, as all these numbers do"),
        (Some(_), Some(parts)) => {
            let base = com_err::base(&parts.table).unwrap_or_default();
            let known = match com_err::table(&parts.table) {
                Some(table) => format!("those are errors of {}, and this one has no entry", table.whose),
                None => "no table of Kerberos has that name".into(),
            };
            format!(
                "{number} is entry {} of the error table \"{}\" (com_err, from {base} on): {known}",
                parts.offset, parts.table
            )
        }
        (Some(_), None) if (0..128).contains(&number) => {
            format!("{number} has no name in the Kerberos protocol, nor as an error of the system")
        }
        (Some(_), None) => {
            format!("{number} is no error of Kerberos, no GSS-API status and no number of com_err")
        }
    };
    Failure::new(text).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(code: &str) -> Vec<String> {
        of(code).unwrap().into_iter().flat_map(|reading| reading.errors).map(|error| error.symbol).collect()
    }

    #[test]
    fn a_number_means_the_same_however_it_is_written() {
        for skew in [
            "37",
            "0x25",
            "-1765328347",
            "2529638949",
            "0x96c73a25",
            "KRB_AP_ERR_SKEW",
            "KRB5KRB_AP_ERR_SKEW",
        ] {
            assert_eq!(symbols(skew).first().map(String::as_str), Some("KRB_AP_ERR_SKEW"), "{skew}");
        }
        assert_eq!(symbols("-1765328189"), ["KRB5_FCC_NOFILE"]);
        assert_eq!(symbols("-1765328243"), ["KRB5_CC_NOTFOUND"]);
        assert_eq!(symbols("39756033"), ["KG_KEYTAB_NOMATCH"]);
        assert_eq!(symbols("458752"), ["GSS_S_NO_CRED"]);
        assert_eq!(symbols("0x00070001"), ["GSS_S_NO_CRED", "GSS_S_CONTINUE_NEEDED"]);
    }

    #[test]
    fn the_protocol_comes_first_where_a_number_has_several_meanings() {
        assert_eq!(symbols("2"), ["KDC_ERR_SERVICE_EXP", "GSS_S_DUPLICATE_TOKEN", "ENOENT"]);
        assert_eq!(symbols("111"), ["ECONNREFUSED"]);
    }

    #[test]
    fn every_number_of_the_list_is_explained_by_itself_and_by_name() {
        for reading in all() {
            for error in reading.errors {
                assert!(symbols(&error.symbol).contains(&error.symbol), "{}", error.symbol);
                let number = error.com_err.map_or(error.number, i64::from);
                assert!(symbols(&number.to_string()).contains(&error.symbol), "{}", error.symbol);
            }
        }
    }

    #[test]
    fn every_story_is_of_an_error_that_exists() {
        let known: Vec<_> = all().into_iter().flat_map(|reading| reading.errors).collect();
        let mut told = 0;
        for symbol in stories::STORIES.iter().flat_map(|story| story.symbols) {
            let errors = known.iter().filter(|error| error.symbol == *symbol);
            assert_eq!(errors.filter(|error| !error.causes.is_empty()).count(), 1, "{symbol}");
            told += 1;
        }
        assert!(told >= 35, "{told}");
    }
}
