//! The syntax of `krb5.conf`, line by line.

use std::sync::Arc;

use super::BadConfig;
use super::profile::{Content, Node};

/// How deep subsections may lie in each other, and files include each other.
const DEEPEST: usize = 32;
/// How many files one file may include, itself or through others.
const MOST_INCLUDES: usize = 1_000;

/// What an `include` or `includedir` line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include<'a> {
    /// Every suitable file of this directory, sorted by name; see [`Include::takes_name`].
    Directory(&'a str),
    /// This file.
    File(&'a str),
}

impl Include<'_> {
    /// Whether `includedir` takes a file of this name: letters, digits, `-` and `_` only, or an end in `.conf`
    /// without a dot at the beginning.
    pub fn takes_name(name: &str) -> bool {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        !name.is_empty()
            && !name.starts_with('.')
            && (name.chars().all(plain) || name.len() > 5 && name.ends_with(".conf"))
    }
}

/// Finds what a line includes: (name for messages, text) of each file, or why it can't be had.
pub type Resolver<'r> = dyn FnMut(Include<'_>) -> Result<Vec<(String, String)>, String> + 'r;

pub(super) struct Parser<'r> {
    resolver: &'r mut Resolver<'r>,
    includes_left: usize,
    sections: Vec<Node>,
}

/// Where within one file the parser stands.
struct Place<'o> {
    origin: &'o Arc<str>,
    line: usize,
    /// The section, and the subsections within it, that are open.
    open: Vec<Node>,
    /// A relation had no value: the next line must open its subsection.
    awaits_brace: bool,
}

impl Place<'_> {
    fn fault(&self, what: impl Into<String>) -> BadConfig {
        BadConfig { origin: self.origin.to_string(), line: self.line, what: what.into() }
    }

    /// What the open sections hold so far, as one tree; they go on empty. Values stand in the order in which they
    /// were read, so what precedes an inclusion must be put away before what is included.
    fn so_far(&mut self) -> Option<Node> {
        let empty = |node: &Node| Node {
            name: node.name.clone(),
            is_final: node.is_final,
            content: Content::Section(Vec::new()),
            origin: node.origin.clone(),
            line: node.line,
        };
        let fresh = self.open.iter().map(empty).collect();
        std::mem::replace(&mut self.open, fresh).into_iter().rev().reduce(|inner, mut outer| {
            if let Content::Section(children) = &mut outer.content {
                children.push(inner);
            }
            outer
        })
    }

    fn node(&self, name: &str, is_final: bool, content: Content) -> Node {
        Node { name: name.to_owned(), is_final, content, origin: self.origin.clone(), line: self.line }
    }
}

impl<'r> Parser<'r> {
    pub(super) fn new(resolver: &'r mut Resolver<'r>) -> Self {
        Self { resolver, includes_left: MOST_INCLUDES, sections: Vec::new() }
    }

    pub(super) fn finish(self) -> Vec<Node> {
        self.sections
    }

    pub(super) fn file(&mut self, text: &str, origin: &Arc<str>, depth: usize) -> Result<(), BadConfig> {
        let mut place = Place { origin, line: 0, open: Vec::new(), awaits_brace: false };
        for line in text.trim_start_matches('\u{feff}').split('\n') {
            place.line += 1;
            self.line(line.trim(), &mut place, depth)?;
        }
        if place.open.len() > 1 || place.awaits_brace {
            return Err(place.fault("the file ends within a subsection: a } is missing"));
        }
        self.sections.extend(place.open.pop());
        Ok(())
    }

    fn line(&mut self, line: &str, place: &mut Place<'_>, depth: usize) -> Result<(), BadConfig> {
        if line.is_empty() || line.starts_with(['#', ';']) {
            return Ok(());
        }
        if let Some(path) = directive(line, "include") {
            return self.include(Include::File(path), place, depth);
        }
        if let Some(path) = directive(line, "includedir") {
            return self.include(Include::Directory(path), place, depth);
        }
        if place.awaits_brace {
            place.awaits_brace = false;
            return if line.starts_with('{') { Ok(()) } else { Err(place.fault("a { is missing")) };
        }
        if let Some(rest) = line.strip_prefix('[') {
            return self.section(rest, place);
        }
        if place.open.is_empty() {
            return match directive(line, "module") {
                Some(_) => Err(place.fault("configuration modules cannot be loaded here")),
                // What stands before the first section means nothing.
                None => Ok(()),
            };
        }
        match line.strip_prefix('}') {
            Some(rest) => close(rest, place),
            None => relation(line, place),
        }
    }

    fn include(&mut self, what: Include<'_>, place: &mut Place<'_>, depth: usize) -> Result<(), BadConfig> {
        let files = (self.resolver)(what).map_err(|reason| place.fault(reason))?;
        if depth >= DEEPEST {
            return Err(place.fault("files include each other too deeply"));
        }
        if !files.is_empty() {
            self.sections.extend(place.so_far());
        }
        for (origin, text) in files {
            self.includes_left = self
                .includes_left
                .checked_sub(1)
                .ok_or_else(|| place.fault("too many files are included"))?;
            self.file(&text, &origin.into(), depth + 1)?;
        }
        Ok(())
    }

    fn section(&mut self, rest: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
        if place.open.len() > 1 {
            return Err(place.fault("a section begins within a subsection: a } is missing before it"));
        }
        let (name, after) = rest.split_once(']').ok_or_else(|| place.fault("a ] is missing"))?;
        let is_final = match after {
            "" => false,
            "*" => true,
            _ => return Err(place.fault("something follows the ]")),
        };
        self.sections.extend(place.open.pop());
        place.open.push(place.node(name.trim(), is_final, Content::Section(Vec::new())));
        Ok(())
    }
}

/// What follows `name` and white space.
fn directive<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    line.strip_prefix(name).filter(|rest| rest.starts_with(char::is_whitespace)).map(str::trim)
}

/// Ends the innermost subsection.
fn close(rest: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
    let mut inner = place.open.pop().filter(|_| !place.open.is_empty());
    if let Some(inner) = &mut inner {
        inner.is_final |= rest.starts_with('*');
    }
    match (inner, place.open.last_mut()) {
        (Some(inner), Some(Node { content: Content::Section(children), .. })) => {
            children.push(inner);
            Ok(())
        }
        _ => Err(place.fault("this } closes nothing")),
    }
}

/// Reads `name = value`, `name = "value"` and the beginning of `name = { ... }`.
fn relation(line: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
    let (tag, value) = line.split_once('=').ok_or_else(|| place.fault("a relation needs a ="))?;
    let tag = tag.trim_end();
    if tag.contains(char::is_whitespace) {
        return Err(place.fault("the name of a relation has a space in it"));
    }
    let (name, is_final) = match tag.split_once('*') {
        Some((name, _)) => (name, true),
        None => (tag, false),
    };
    if name.is_empty() {
        return Err(place.fault("a relation needs a name"));
    }
    let value = value.trim_start();
    let after_brace = value.strip_prefix('{').map(str::trim);
    if value.is_empty() || after_brace == Some("") {
        if place.open.len() > DEEPEST {
            return Err(place.fault("subsections lie too deep in each other"));
        }
        place.awaits_brace = value.is_empty();
        place.open.push(place.node(name, is_final, Content::Section(Vec::new())));
        return Ok(());
    }
    let text = value.strip_prefix('"').map_or_else(|| value.to_owned(), unquote);
    let node = place.node(name, is_final, Content::Value(text));
    if let Some(Node { content: Content::Section(children), .. }) = place.open.last_mut() {
        children.push(node);
    }
    Ok(())
}

/// The text up to the closing quote; what follows it means nothing.
fn unquote(quoted: &str) -> String {
    let mut text = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('b') => text.push('\u{8}'),
                other => text.extend(other),
            },
            _ => text.push(letter),
        }
    }
    text
}
