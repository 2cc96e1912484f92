//! The headers: prototypes out, comments in.
//!
//! A comment that came from a page is one line, `/* NAME(3): SUMMARY. */`, right before the declaration. Everything else
//! in a header is left as it is.

use std::fs;
use std::path::{Path, PathBuf};

use super::page::Page;
use crate::Failure;

/// Words in declarations that say nothing to a reader of a page.
const NOISE: &[&str] =
    &["GSS_NONNULL", "GSS_NULLABLE", "KRB5_CALLCONV", "GSSAPI_CALLCONV", "GSSAPI_LIB_FUNCTION", "extern"];

/// The headers' text.
pub(super) struct Headers(Vec<String>);

/// A call as it is declared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Prototype {
    pub(super) result: String,
    /// Each with its type, as C has it.
    pub(super) parameters: Vec<String>,
}

impl Headers {
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        files(folder)?.iter().map(|file| Ok(fs::read_to_string(file)?)).collect::<Result<_, _>>().map(Self)
    }

    /// The first declaration of a call.
    pub(super) fn prototype(&self, name: &str) -> Option<Prototype> {
        self.0.iter().find_map(|text| prototype(text, name))
    }
}

fn prototype(text: &str, name: &str) -> Option<Prototype> {
    let lines: Vec<&str> = text.lines().collect();
    let at = declaration(&lines, name)?;
    let declared: Vec<&str> = lines.iter().skip(at).copied().collect();
    let declared = declared.join(" ");
    let (declared, _) = declared.split_once(';')?;
    let (result, rest) = declared.split_once(name)?;
    let (inner, _) = rest.trim().strip_prefix('(')?.rsplit_once(')')?;
    let parameters = inner.split(',').map(plain).collect();
    Some(Prototype { result: plain(result), parameters })
}

/// The line with which the declaration of a call begins.
fn declaration(lines: &[&str], name: &str) -> Option<usize> {
    let call = format!("{name}(");
    let named = lines.iter().position(|line| {
        let before = line.split_once(&*call).map(|(before, _)| before);
        let declares = |before: &str| {
            !before.contains(['(', '*', '#'])
                && !before.ends_with(|sign: char| sign.is_alphanumeric() || sign == '_')
        };
        before.is_some_and(declares)
    })?;
    let goes_on = |line: &&&str| {
        let line = line.trim();
        !(line.is_empty() || line.ends_with([';', '{', '}']) || line.ends_with("*/") || line.starts_with('#'))
    };
    Some(named - lines.iter().take(named).rev().take_while(goes_on).count())
}

/// C text without what is no part of a type or a name, in the usual spacing.
fn plain(text: &str) -> String {
    let mut plain = text.replace('*', " * ");
    for word in NOISE {
        plain = plain.replace(word, " ");
    }
    let joined = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.replace("* ", "*")
}

/// Puts the pages' comments into the headers, and returns which were not up to date and are not changed either: with
/// `check` all of those.
pub(super) fn comment(folder: &Path, pages: &[Page], check: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut stale = Vec::new();
    for file in files(folder)? {
        let text = fs::read_to_string(&file)?;
        let fresh = commented(&text, pages);
        if fresh == text {
            continue;
        }
        if check {
            stale.push(file);
        } else {
            fs::write(&file, fresh)?;
        }
    }
    Ok(stale)
}

fn commented(text: &str, pages: &[Page]) -> String {
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_ours(line)).collect();
    let comments: Vec<(&str, String)> = pages
        .iter()
        .flat_map(|page| {
            page.names.iter().map(|name| (name.as_str(), format!("/* {name}(3): {}. */", page.summary)))
        })
        .collect();
    let mut places: Vec<(usize, &str)> = comments
        .iter()
        .filter_map(|(name, comment)| Some((declaration(&lines, name)?, comment.as_str())))
        .collect();
    // From the end, so that places before stay where they are.
    places.sort_unstable();
    for (at, comment) in places.into_iter().rev() {
        lines.insert(at, comment);
    }
    lines.join("\n") + "\n"
}

fn is_ours(line: &str) -> bool {
    let name = line.strip_prefix("/* gss_").and_then(|rest| rest.split_once("(3): "));
    name.is_some_and(|(name, _)| name.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_'))
        && line.ends_with(". */")
}

/// Every header below a folder, in order; links to one are left out.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let (kind, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let kind = kind?;
        if kind.is_dir() {
            found.extend(files(&path)?);
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "h") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "/* Contexts. */\n\nOM_uint32 KRB5_CALLCONV\ngss_wrap(OM_uint32 *GSS_NONNULL minor_status, gss_ctx_id_t context_handle,\n         int conf_req_flag);\n\n/* By hand. */\nOM_uint32 gss_wrap_iov(OM_uint32 *minor_status);\n";

    #[test]
    fn a_prototype_is_found_by_its_whole_name() {
        let wrap = prototype(HEADER, "gss_wrap").unwrap();
        assert_eq!(wrap.result, "OM_uint32");
        assert_eq!(
            wrap.parameters,
            ["OM_uint32 *minor_status", "gss_ctx_id_t context_handle", "int conf_req_flag"]
        );
        assert_eq!(prototype(HEADER, "gss_wrap_iov").unwrap().parameters, ["OM_uint32 *minor_status"]);
        assert_eq!(prototype(HEADER, "gss_seal"), None);
    }

    #[test]
    fn a_comment_is_replaced_and_nothing_else_changes() {
        let page = |summary: &str| Page {
            file: PathBuf::new(),
            names: vec!["gss_wrap".into()],
            summary: summary.into(),
            source: String::new(),
            blocks: Vec::new(),
            parameters: Vec::new(),
            statuses: Vec::new(),
            see_also: Vec::new(),
        };
        let once = commented(HEADER, &[page("protect a message")]);
        assert!(
            once.contains("\n\n/* gss_wrap(3): protect a message. */\nOM_uint32 KRB5_CALLCONV\ngss_wrap("),
            "{once}"
        );
        assert_eq!(commented(&once, &[page("protect a message")]), once);
        assert_eq!(commented(&commented(&once, &[page("seal it")]), &[]), HEADER);
    }
}
