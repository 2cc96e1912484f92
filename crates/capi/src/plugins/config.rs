//! Which plug-ins there are: the lines of `/etc/gss/mech` and its kin.
//!
//! A line is `NAME OID FILE [KERNEL-MODULE] [OPTIONS-IN-BRACKETS] [<TYPE>]`, divided by blanks, as MIT krb5's
//! documentation has it ("GSSAPI mechanism modules"). The kernel module and the options are Solaris' and mean nothing
//! here. One that begins with `#` is a comment.

use std::path::PathBuf;

use orthros_wire::Oid;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What people call the mechanism.
    pub name: String,
    /// Its identifier.
    pub oid: Oid,
    /// The shared object; a relative path begins in a folder of the library's choice.
    pub file: PathBuf,
    /// Whether it wants to stand between programs and a mechanism that is there already.
    pub interposes: bool,
}

/// A line that says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Reads a file's lines. A bad one stands for itself: the others count.
///
/// ```
/// use orthros_capi::plugins::config;
/// let (entries, bad) = config::parse(b"# NTLM\nntlm 1.3.6.1.4.1.311.2.2.10 /usr/lib/ntlm.so\nnonsense\n");
/// assert_eq!((entries.len(), bad.len()), (1, 1));
/// assert_eq!(entries[0].oid.to_string(), "1.3.6.1.4.1.311.2.2.10");
/// ```
pub fn parse(octets: &[u8]) -> (Vec<Entry>, Vec<BadLine>) {
    let (mut entries, mut bad) = (Vec::new(), Vec::new());
    for (line, number) in octets.split(|octet| *octet == b'\n').zip(1..) {
        match self::line(line) {
            Ok(found) => entries.extend(found),
            Err(why) => bad.push(BadLine { number, why }),
        }
    }
    (entries, bad)
}

/// What a line says; `None` for a comment and for blanks.
fn line(octets: &[u8]) -> Result<Option<Entry>, &'static str> {
    let text = std::str::from_utf8(octets).map_err(|_| "it is no text")?;
    if text.trim_start().starts_with('#') {
        return Ok(None);
    }
    let Some((name, rest)) = field(text) else { return Ok(None) };
    let (oid, rest) = field(rest).ok_or("the object identifier is missing")?;
    let oid = oid.parse().map_err(|_| "what follows the name is no object identifier")?;
    let (file, rest) = field(rest).ok_or("the shared object is missing")?;
    if file.contains('\0') {
        return Err("the shared object's path has a zero in it");
    }
    let interposes = kind(rest)?.is_some();
    Ok(Some(Entry { name: name.to_owned(), oid, file: file.into(), interposes }))
}

/// The next field, and what is behind it.
fn field(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (field, rest) = text.split_at_checked(end)?;
    (!field.is_empty()).then_some((field, rest))
}

/// The type of a plug-in, which is an interposer or has none.
fn kind(rest: &str) -> Result<Option<()>, &'static str> {
    let mut rest = rest.trim();
    // The kernel module.
    if !rest.starts_with(['[', '<']) {
        rest = field(rest).map_or("", |(_, behind)| behind.trim());
    }
    if let Some(options) = rest.strip_prefix('[') {
        let (_, behind) = options.split_once(']').ok_or("the options have no closing bracket")?;
        rest = behind.trim();
    }
    match rest {
        "" => Ok(None),
        "<interposer>" => Ok(Some(())),
        _ => Err("the type is none: <interposer> is the only one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, oid: &str, file: &str, interposes: bool) -> Entry {
        Entry { name: name.into(), oid: oid.parse().unwrap(), file: file.into(), interposes }
    }

    #[test]
    fn a_line_is_read_otherwise_than_the_documentation_has_it() {
        let rows: [(&str, Entry); 7] = [
            ("ntlm 1.2.3 /lib/ntlm.so", entry("ntlm", "1.2.3", "/lib/ntlm.so", false)),
            ("ntlm\t\t1.2.3\t /lib/ntlm.so \r", entry("ntlm", "1.2.3", "/lib/ntlm.so", false)),
            ("ntlm 1.2.3 ntlm.so kernel", entry("ntlm", "1.2.3", "ntlm.so", false)),
            ("ntlm 1.2.3 ntlm.so [ a b ]", entry("ntlm", "1.2.3", "ntlm.so", false)),
            ("ntlm 1.2.3 ntlm.so kernel [a] <interposer>", entry("ntlm", "1.2.3", "ntlm.so", true)),
            ("proxy 1.2.3 /lib/proxy.so <interposer>", entry("proxy", "1.2.3", "/lib/proxy.so", true)),
            ("proxy 1.2.3 /lib/proxy.so [] <interposer>", entry("proxy", "1.2.3", "/lib/proxy.so", true)),
        ];
        for (line, expected) in rows {
            assert_eq!(parse(line.as_bytes()), (vec![expected], vec![]), "{line:?}");
        }
    }

    #[test]
    fn a_bad_line_hides_the_others_or_is_taken_for_a_good_one() {
        let text = b"ntlm\nntlm 1.2\nntlm one /x\nntlm 1.2.3 /x [a\nntlm 1.2.3 /x <other>\n\xff 1.2.3 /x\nntlm 1.2.3 /\0\n\
            # ntlm 1.2.3 /x\n  #ntlm 1.2.3 /x\n   \n\ngood 1.2.3 /x";
        let (entries, bad) = parse(text);
        assert_eq!(entries, [entry("good", "1.2.3", "/x", false)]);
        assert_eq!(bad.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    }
}
