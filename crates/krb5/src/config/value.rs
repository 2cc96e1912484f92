//! What values mean: booleans, durations, KDC addresses, file names with tokens.

use std::fmt;

/// Reads a boolean as MIT krb5 does; `None` if it is neither.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let is = |word: &&str| word.eq_ignore_ascii_case(text);
    if ["y", "yes", "true", "t", "1", "on"].iter().any(is) {
        return Some(true);
    }
    ["n", "no", "false", "nil", "0", "off"].iter().any(is).then_some(false)
}

/// Reads an integer as MIT krb5 does, by C's `strtol`: blanks and a sign may precede it, nothing may follow.
pub(super) fn integer(text: &str) -> Option<i32> {
    text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']).parse().ok()
}

/// Reads a duration and gives it in seconds: `3600`, `10h`, `1d 2h3m4s`, `10:30`, `10:30:15`, `1-10:30:15`, as
/// MIT krb5 does: what follows the first letter that is none of `dhms`, a digit, a sign or a blank does not count.
/// `None` if it is none of those, negative, or exceeds 2^31 - 1 seconds.
///
/// ```
/// use orthros_krb5::config::parse_duration;
/// assert_eq!(parse_duration("1d 2h"), Some(93_600));
/// assert_eq!(parse_duration("10:30"), Some(37_800));
/// assert_eq!(parse_duration("soon"), None);
/// ```
pub fn parse_duration(text: &str) -> Option<i64> {
    let mut words = Words { rest: text };
    let first = words.signed()?;
    let seconds = match words.next() {
        Word::End => first,
        Word::Mark(':') => {
            let minutes = words.two_digits()?;
            let seconds = match words.next() {
                Word::End => 0,
                Word::Mark(':') => words.two_digits().filter(|_| words.next() == Word::End)?,
                _ => return None,
            };
            sum(sum(times(first, 3_600)?, times(minutes, 60)?)?, seconds)?
        }
        Word::Mark('-') => {
            let [hours, minutes, seconds] = words.clock()?;
            let hours = sum(times(first, 86_400)?, times(hours, 3_600)?)?;
            sum(sum(hours, times(minutes, 60)?)?, seconds)?
        }
        Word::Mark(unit) => {
            let rest = words.units_below(unit)?;
            sum(times(first, scale(unit)?)?, rest)?
        }
        Word::Blank | Word::Number { .. } | Word::TooLarge => return None,
    };
    (seconds >= 0).then_some(seconds)
}

fn number(digits: &str) -> Option<i64> {
    let digits = digits.trim();
    (!digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()))
        .then(|| digits.parse::<u32>().ok().map(i64::from))?
}

/// How many seconds a unit has.
fn scale(unit: char) -> Option<i64> {
    [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)].iter().find(|(name, _)| *name == unit).map(|(_, n)| *n)
}

/// A product of 32 bits.
fn times(count: i64, unit: i64) -> Option<i64> {
    i32::try_from(count * unit).ok().map(i64::from)
}

/// A sum of 32 bits.
fn sum(one: i64, other: i64) -> Option<i64> {
    i32::try_from(one + other).ok().map(i64::from)
}

/// A part of a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Blank,
    /// The end, or what does not count.
    End,
    /// One of `-:dhms`.
    Mark(char),
    Number {
        value: i64,
        digits: usize,
    },
    /// A number of more than 31 bits.
    TooLarge,
}

/// A duration, word by word.
#[derive(Clone, Copy)]
struct Words<'t> {
    rest: &'t str,
}

impl Words<'_> {
    fn next(&mut self) -> Word {
        let Some(letter) = self.rest.chars().next() else { return Word::End };
        let length = |is: &dyn Fn(u8) -> bool| self.rest.bytes().take_while(|&octet| is(octet)).count();
        let (word, length) = match letter {
            '-' | ':' | 'd' | 'h' | 'm' | 's' => (Word::Mark(letter), 1),
            '0'..='9' => {
                let digits = length(&|octet| octet.is_ascii_digit());
                let value = self.rest.get(..digits).and_then(|digits| digits.parse::<i32>().ok());
                let number = |value| Word::Number { value: i64::from(value), digits };
                (value.map_or(Word::TooLarge, number), digits)
            }
            ' ' | '\t' | '\n' => (Word::Blank, length(&|octet| matches!(octet, b' ' | 0x09..=0x0d))),
            _ => return Word::End,
        };
        self.rest = self.rest.get(length..).unwrap_or_default();
        word
    }

    /// A number, after a blank and a sign where there are any.
    fn signed(&mut self) -> Option<i64> {
        let mut word = self.next();
        if word == Word::Blank {
            word = self.next();
        }
        match word {
            Word::Number { value, .. } => Some(value),
            Word::Mark('-') => match self.next() {
                Word::Number { value, .. } => Some(-value),
                _ => None,
            },
            _ => None,
        }
    }

    fn two_digits(&mut self) -> Option<i64> {
        match self.next() {
            Word::Number { value, digits: 1 | 2 } => Some(value),
            _ => None,
        }
    }

    /// `hours:minutes:seconds`, and nothing after it.
    fn clock(&mut self) -> Option<[i64; 3]> {
        let hours = self.two_digits()?;
        let minutes = if self.next() == Word::Mark(':') { self.two_digits()? } else { return None };
        let seconds = if self.next() == Word::Mark(':') { self.two_digits()? } else { return None };
        (self.next() == Word::End).then_some([hours, minutes, seconds])
    }

    /// The smaller units that may follow `unit`, each once, up to the end; a blank may be last, but not after
    /// seconds.
    fn units_below(&mut self, unit: char) -> Option<i64> {
        if unit == 's' {
            return (self.next() == Word::End).then_some(0);
        }
        let mut ahead = *self;
        let first = ahead.next();
        if first == Word::End || first == Word::Blank && ahead.next() == Word::End {
            return Some(0);
        }
        let count = self.signed()?;
        let Word::Mark(below) = self.next() else { return None };
        let size = scale(below).filter(|&size| scale(unit).is_some_and(|unit| size < unit))?;
        sum(times(count, size)?, self.units_below(below)?)
    }
}

/// How a KDC is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// UDP or TCP, as the request's size suggests.
    Any,
    /// HTTPS proxy (MS-KKDCP).
    Https,
    /// TCP only.
    Tcp,
    /// UDP only.
    Udp,
}

/// Where a KDC listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KdcAddress {
    /// How it is spoken to.
    pub transport: Transport,
    /// A host name or a numeric address, the latter without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The path of an HTTPS proxy, without the leading slash; empty for the other transports.
    pub path: String,
}

impl KdcAddress {
    /// Reads `host`, `host:port`, `address`, `[address]:port`, any of them after `tcp/` or `udp/`, or
    /// `https://host[:port][/path]`. `default_port` holds where no port is named (443 for HTTPS). `None` if the
    /// text is none of those.
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        let text = text.trim();
        let (transport, rest) = match text {
            _ if text.starts_with("tcp/") => (Transport::Tcp, text.get(4..)?),
            _ if text.starts_with("udp/") => (Transport::Udp, text.get(4..)?),
            _ if text.starts_with("https://") => (Transport::Https, text.get(8..)?),
            _ => (Transport::Any, text),
        };
        let (place, path, default_port) = match transport {
            Transport::Https => {
                let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
                (place, path, 443)
            }
            _ => (rest, "", default_port),
        };
        let (host, port) = split_port(place)?;
        let port = match port {
            None => default_port,
            Some(digits) => u16::try_from(number(digits)?).ok().filter(|&port| port != 0)?,
        };
        let plain =
            !host.is_empty() && !host.contains(|letter: char| letter.is_whitespace() || letter == '/');
        plain.then(|| Self { transport, host: host.to_owned(), port, path: path.to_owned() })
    }
}

fn split_port(place: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = place.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        return match after {
            "" => Some((host, None)),
            _ => after.strip_prefix(':').map(|port| (host, Some(port))),
        };
    }
    match place.split_once(':') {
        None => Some((place, None)),
        // An IPv6 address without brackets has no room for a port.
        Some((_, rest)) if rest.contains(':') => Some((place, None)),
        Some((host, port)) => Some((host, Some(port))),
    }
}

impl fmt::Display for KdcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, path) = match self.transport {
            Transport::Any => ("", None),
            Transport::Https => ("https://", Some(&self.path)),
            Transport::Tcp => ("tcp/", None),
            Transport::Udp => ("udp/", None),
        };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{before}{open}{}{close}:{}", self.host, self.port)?;
        path.map_or(Ok(()), |path| write!(f, "/{path}"))
    }
}

/// What the tokens in the names of caches and keytabs stand for; the caller knows the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathTokens {
    /// `%{uid}` and `%{USERID}`: the real user id.
    pub uid: u32,
    /// `%{euid}`: the effective user id.
    pub euid: u32,
    /// `%{username}`: the name of the effective user.
    pub username: String,
    /// `%{TEMP}`: the directory for temporary files.
    pub temp: String,
}

/// A name contains a token that means nothing here, or one without its closing brace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownToken(String);

impl fmt::Display for UnknownToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is no token: %{{uid}}, %{{euid}}, %{{USERID}}, %{{username}}, %{{TEMP}} and %{{null}} are",
            self.0
        )
    }
}

impl std::error::Error for UnknownToken {}

impl PathTokens {
    /// `template` with its tokens replaced.
    ///
    /// # Errors
    /// [`UnknownToken`] names the first that means nothing.
    pub fn expand(&self, template: &str) -> Result<String, UnknownToken> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, from_token)) = rest.split_once("%{") {
            text.push_str(before);
            let (token, after) =
                from_token.split_once('}').ok_or_else(|| UnknownToken(format!("%{{{from_token}")))?;
            match token {
                "uid" | "USERID" => text.push_str(&self.uid.to_string()),
                "euid" => text.push_str(&self.euid.to_string()),
                "username" => text.push_str(&self.username),
                "TEMP" => text.push_str(&self.temp),
                "null" => {}
                _ => return Err(UnknownToken(format!("%{{{token}}}"))),
            }
            rest = after;
        }
        text.push_str(rest);
        Ok(text)
    }
}
