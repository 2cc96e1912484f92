//! A page as man(1) takes it (groff_man(7)).

use std::fmt::Write as _;

use super::header::Headers;
use super::page::{Block, Page};

/// What statuses mean wherever nothing else is said.
const STATUSES: &[(&str, &str)] = &[
    ("GSS_S_BAD_BINDINGS", "The channel bindings of both ends differ."),
    ("GSS_S_BAD_MECH", "The mechanism is not here: it is neither Kerberos V5 nor SPNEGO."),
    ("GSS_S_BAD_MIC", "The token does not verify: it was altered, or is of another context."),
    ("GSS_S_BAD_NAME", "The handle is no name: it was released, or never one."),
    ("GSS_S_BAD_NAMETYPE", "Names of this type can't be used here."),
    ("GSS_S_BAD_QOP", "A quality of protection other than the default (0) was asked for."),
    ("GSS_S_BAD_SIG", "The same as `GSS_S_BAD_MIC`."),
    ("GSS_S_BAD_STATUS", "The type of the status is neither of the two."),
    ("GSS_S_CALL_BAD_STRUCTURE", "A structure that was given contradicts itself."),
    ("GSS_S_CALL_INACCESSIBLE_READ", "A parameter that must be read is null."),
    ("GSS_S_CALL_INACCESSIBLE_WRITE", "A parameter that must be written is null."),
    ("GSS_S_COMPLETE", "Successful completion."),
    ("GSS_S_CONTEXT_EXPIRED", "The time of the context is over."),
    ("GSS_S_CONTINUE_NEEDED", "A token of the peer is needed."),
    ("GSS_S_CREDENTIALS_EXPIRED", "The time of the credential is over."),
    ("GSS_S_DEFECTIVE_CREDENTIAL", "What the credential was to be made of can't be read."),
    ("GSS_S_DEFECTIVE_TOKEN", "The token can't be read."),
    ("GSS_S_DUPLICATE_ELEMENT", "The credential has such an element already."),
    ("GSS_S_DUPLICATE_TOKEN", "The token is good, and came before."),
    ("GSS_S_FAILURE", "Something else failed; the minor status tells what."),
    ("GSS_S_GAP_TOKEN", "The token is good, and one that was sent before it has not come."),
    ("GSS_S_NAME_NOT_MN", "The name is not one of a mechanism."),
    ("GSS_S_NO_CONTEXT", "The handle is no context: it was deleted, exported, or never one."),
    ("GSS_S_NO_CRED", "There is no such credential; the minor status names each place that was looked at."),
    ("GSS_S_OLD_TOKEN", "The token is too old to be checked for being a copy of an earlier one."),
    ("GSS_S_UNAUTHORIZED", "The local policy does not allow it."),
    ("GSS_S_UNAVAILABLE", "The mechanism or the context does not offer this."),
    ("GSS_S_UNSEQ_TOKEN", "The token is good, and comes after one that was sent later."),
];

/// What every call does with the place for its minor status.
const MINOR_STATUS: &str = "The minor status: a number of MIT krb5's tables, 0 where nothing is to be told. \
    gss_display_status(3) gives its text: what failed, for whom, and what to do about it.";

pub(super) const BUGS: &str = "Report bugs to the issue tracker of the repository that this software comes from; vulnerabilities in \
    private, as the file SECURITY.md there says. A report helps most with the program, what it printed, and what \
    `KRB5_TRACE=/dev/stderr` shows.";

pub(super) const LICENCE: &str = "Orthros is free software: you may use it under the MIT licence or the Apache licence, version 2.0, at \
    your choice. There is no warranty, as far as the law permits.";

/// The page of a call whose prototype is in the headers.
pub(super) fn page(page: &Page, headers: &Headers) -> Result<String, String> {
    let first = page.names.first().ok_or("a page without a name")?;
    let mut text = format!(".TH {} 3 \"\" \"Orthros {}\" \"GSS-API\"\n", first, env!("CARGO_PKG_VERSION"));
    // Neither hyphens nor spread lines in names and numbers.
    text.push_str(".nh\n.ad l\n");
    let names: Vec<_> = page.names.iter().map(|name| escaped(name)).collect();
    section(&mut text, "NAME");
    line(&mut text, &format!("{} \\- {}", names.join(", "), escaped(&page.summary)));
    section(&mut text, "SYNOPSIS");
    synopsis(&mut text, page, headers)?;
    section(&mut text, "DESCRIPTION");
    description(&mut text, page);
    if !page.statuses.is_empty() {
        section(&mut text, "RETURN VALUE");
    }
    for (name, here) in &page.statuses {
        let meaning = meaning(name, here).ok_or_else(|| format!("{name} is no status"))?;
        item(&mut text, &format!("`{name}`"), meaning);
    }
    section(&mut text, "STANDARDS");
    line(&mut text, &inline(&format!("{}.", page.source)));
    section(&mut text, "BUGS");
    line(&mut text, &inline(BUGS));
    section(&mut text, "LICENCE");
    line(&mut text, &inline(LICENCE));
    section(&mut text, "SEE ALSO");
    see_also(&mut text, page);
    Ok(text)
}

/// What a status means on a page that says `here` of it, or nothing.
pub(super) fn meaning<'a>(name: &str, here: &'a str) -> Option<&'a str> {
    let known = STATUSES.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning)?;
    Some(if here.is_empty() { known } else { here })
}

/// The declarations, and the parameters as the page tells of them.
fn synopsis(text: &mut String, page: &Page, headers: &Headers) -> Result<(), String> {
    if page.is_of_header() {
        let _ =
            page.names.iter().try_for_each(|name| writeln!(text, ".B #include <gssapi/{}.h>", escaped(name)));
        return Ok(());
    }
    text.push_str(".nf\n.B #include <gssapi/gssapi.h>\n");
    let (mut declared, first) = (Vec::new(), page.names.first());
    for name in &page.names {
        let prototype = headers.prototype(name).ok_or_else(|| format!("no header declares {name}"))?;
        let _ = write!(text, ".PP\n\\fB{} {}(\\fP\n", escaped(&prototype.result), escaped(name));
        let last = prototype.parameters.len();
        for (number, parameter) in prototype.parameters.iter().enumerate() {
            let end = if number + 1 == last { ");" } else { "," };
            let _ = writeln!(text, "\\fB    {}{end}\\fP", escaped(parameter));
        }
        if Some(name) == first {
            declared = prototype.parameters;
        }
    }
    text.push_str(".fi\n.PP\nLink with the library that\n.B pkg\\-config krb5\\-gssapi\nnames.\n");
    section(text, "PARAMETERS");
    let named = |parameter: &str| parameter.rsplit([' ', '*']).next().unwrap_or_default().to_owned();
    let declared: Vec<String> = declared.iter().map(|parameter| named(parameter)).collect();
    let mut told: Vec<&str> = page.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    if declared.first().is_some_and(|name| name == "minor_status") {
        item(text, "*minor_status* (out)", MINOR_STATUS);
        told.insert(0, "minor_status");
    }
    if declared != told {
        return Err(format!("the page tells of {told:?}, and the header declares {declared:?}"));
    }
    for parameter in &page.parameters {
        item(text, &format!("*{}* ({})", parameter.name, parameter.direction), &parameter.text);
    }
    Ok(())
}

fn description(text: &mut String, page: &Page) {
    let mut first = true;
    for block in &page.blocks {
        match block {
            Block::Heading(heading) => {
                section(text, heading);
                first = true;
                continue;
            }
            Block::Item(term, meaning) => item(text, term, meaning),
            Block::Paragraph(paragraph) => {
                if !first {
                    text.push_str(".PP\n");
                }
                line(text, &inline(paragraph));
            }
        }
        first = false;
    }
}

fn see_also(text: &mut String, page: &Page) {
    let mut others: Vec<(&str, u8)> = page.see_also.iter().map(|name| (name.as_str(), 3)).collect();
    others.sort_unstable();
    others.push(("orthros", 1));
    let last = others.len() - 1;
    for (number, (name, section)) in others.into_iter().enumerate() {
        let _ = writeln!(text, ".BR {} ({section}){}", escaped(name), if number == last { "" } else { "," });
    }
    text.push_str(".PP\nRFC 2743, RFC 2744, RFC 4121, RFC 4178\n");
}

fn section(text: &mut String, heading: &str) {
    let _ = writeln!(text, ".SH {heading}");
}

fn item(text: &mut String, term: &str, meaning: &str) {
    let _ = writeln!(text, ".TP\n{}", inline(term));
    line(text, &inline(meaning));
}

/// A line of text, none of whose signs begins a request.
fn line(text: &mut String, content: &str) {
    let guard = if content.starts_with(['.', '\'']) { "\\&" } else { "" };
    let _ = writeln!(text, "{guard}{content}");
}

/// Text with `literal` and *parameter* and other pages(3) in their fonts.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (number, piece) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(out, "\\fB{}\\fP", escaped(piece));
            continue;
        }
        for (number, piece) in piece.split('*').enumerate() {
            if number % 2 == 1 {
                let _ = write!(out, "\\fI{}\\fP", escaped(piece));
            } else {
                out.push_str(&references(piece));
            }
        }
    }
    out
}

/// `gss_wrap(3)` as manual pages write it.
fn references(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.split_once("(3)") {
        Some((name, rest)) => format!("\\fB{}\\fP(3){}", escaped(name), escaped(rest)),
        None => escaped(word),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('^', "\\(ha").replace('~', "\\(ti")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_request_or_an_escape() {
        let mut text = String::new();
        line(&mut text, &inline(".so /etc/passwd \\n `a-b` *c* gss_wrap(3)."));
        assert_eq!(text, "\\&.so /etc/passwd \\en \\fBa\\-b\\fP \\fIc\\fP \\fBgss_wrap\\fP(3).\n");
    }

    #[test]
    fn the_statuses_are_in_order() {
        assert!(STATUSES.is_sorted());
    }
}
