//! The source of a page:
//!
//! ```text
//! gss_get_mic, gss_sign
//! sign a message, apart from it
//! RFC 2744 section 5.15
//!
//! A paragraph, with `literal` text and the name of a *parameter*.
//!
//! - term: what it means
//!
//! @context_handle in: what the parameter is for
//! !GSS_S_NO_CONTEXT when
//!
//! ## A HEADING
//!
//! > gss_verify_mic gss_wrap
//! ```
//!
//! Blocks are divided by empty lines, or by the sign that the next one begins with. A line that begins with blanks goes
//! on with the one before.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// A page about one call, or about one under several names.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) file: PathBuf,
    pub(super) names: Vec<String>,
    /// What it does, in one line without a full stop.
    pub(super) summary: String,
    /// Where it is specified.
    pub(super) source: String,
    pub(super) blocks: Vec<Block>,
    pub(super) parameters: Vec<Parameter>,
    /// Statuses, each with what it means here; empty: what it always means.
    pub(super) statuses: Vec<(String, String)>,
    pub(super) see_also: Vec<String>,
}

/// A piece of the description.
#[derive(Debug)]
pub(super) enum Block {
    Heading(String),
    /// A term and what it means.
    Item(String, String),
    Paragraph(String),
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// `in`, `out` or `in, out`.
    pub(super) direction: String,
    pub(super) text: String,
}

impl Page {
    /// Whether it is about a header and not about a call.
    pub(super) fn is_of_header(&self) -> bool {
        self.names.iter().any(|name| name.starts_with("gssapi_"))
    }

    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        Self::parse(file, &text).map_err(|why| format!("{}: {why}", file.display()).into())
    }

    fn parse(file: &Path, text: &str) -> Result<Self, String> {
        if let Some(sign) = text.chars().find(|sign| !sign.is_ascii()) {
            return Err(format!("{sign:?} is not ASCII"));
        }
        let mut lines = text.lines();
        let mut head = || {
            lines
                .next()
                .filter(|line| !line.is_empty())
                .ok_or("the first three lines are names, summary, source")
        };
        let (names, summary, source) = (head()?, head()?, head()?);
        let mut page = Self {
            file: file.to_owned(),
            names: names.split(", ").map(str::to_owned).collect(),
            summary: summary.to_owned(),
            source: source.to_owned(),
            blocks: Vec::new(),
            parameters: Vec::new(),
            statuses: Vec::new(),
            see_also: Vec::new(),
        };
        blocks(lines).iter().try_for_each(|block| page.take(block))?;
        Ok(page)
    }

    fn take(&mut self, block: &str) -> Result<(), String> {
        if let Some(heading) = block.strip_prefix("## ") {
            self.blocks.push(Block::Heading(heading.to_owned()));
        } else if let Some(item) = block.strip_prefix("- ") {
            let (term, text) = item.split_once(": ").ok_or_else(|| format!("`{block}` has no colon"))?;
            self.blocks.push(Block::Item(term.to_owned(), text.to_owned()));
        } else if let Some(parameter) = block.strip_prefix('@') {
            let parts =
                parameter.split_once(": ").and_then(|(head, text)| Some((head.split_once(' ')?, text)));
            let ((name, direction), text) =
                parts.ok_or_else(|| format!("`{block}`: write @NAME DIRECTION: TEXT"))?;
            let (name, direction, text) = (name.to_owned(), direction.to_owned(), text.to_owned());
            self.parameters.push(Parameter { name, direction, text });
        } else if let Some(status) = block.strip_prefix('!') {
            let (name, text) = status.split_once(' ').unwrap_or((status, ""));
            self.statuses.push((name.to_owned(), text.to_owned()));
        } else if let Some(others) = block.strip_prefix("> ") {
            self.see_also.extend(others.split_whitespace().map(str::to_owned));
        } else {
            self.blocks.push(Block::Paragraph(block.to_owned()));
        }
        Ok(())
    }
}

/// Blocks, each as one line.
fn blocks<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines {
        let begins = ["## ", "- ", "@", "!", "> "].iter().any(|sign| line.starts_with(sign));
        match blocks.last_mut() {
            Some(last) if open && !begins && !line.is_empty() => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ if !line.is_empty() => blocks.push(line.to_owned()),
            _ => {}
        }
        open = !line.is_empty();
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_read_block_by_block() {
        let text = "gss_a, gss_b\ndo it\nRFC 2744\n\nOne\ntwo.\n\n- term: it\n  means\n@context in: which\n!GSS_S_COMPLETE\n!GSS_S_FAILURE it\n  failed\n> gss_c\n";
        let page = Page::parse(Path::new("x"), text).unwrap();
        assert_eq!(page.names, ["gss_a", "gss_b"]);
        assert!(matches!(&page.blocks[0], Block::Paragraph(text) if text == "One two."));
        assert!(matches!(&page.blocks[1], Block::Item(term, text) if term == "term" && text == "it means"));
        assert_eq!(page.parameters[0].name, "context");
        assert_eq!(page.statuses[1], ("GSS_S_FAILURE".to_owned(), "it failed".to_owned()));
        assert_eq!(page.see_also, ["gss_c"]);
        assert!(Page::parse(Path::new("x"), "gss_a\n").is_err());
        assert!(Page::parse(Path::new("x"), "a\nb\nc\n\n@only\n").is_err());
    }
}
