//! The syntax of `krb5.conf`, line by line, as MIT krb5 takes it.
//!
//! Lines are octets: what is not UTF-8 is replaced and told, since a comment in another character set is no reason
//! to be without a configuration. What MIT krb5 passes over in silence is passed over here too, and told as a
//! warning. On purpose otherwise than there: a line may have any length (there its 2048th octet begins a new one),
//! an included file must be named by its whole path, a byte order mark before the first section means nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::BadConfig;
use super::profile::{Content, Node, Tree};

/// How deep files may include each other.
const DEEPEST: usize = 32;
/// How many files one file may include, itself or through others.
const MOST_INCLUDES: usize = 1_000;
/// How many warnings are kept.
const MOST_WARNINGS: usize = 100;

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

/// Finds what a line includes: (name for messages, content) of each file, or why it can't be had.
pub type Resolver<'r> = dyn FnMut(Include<'_>) -> Result<Vec<(String, Vec<u8>)>, String> + 'r;

pub(super) struct Parser<'r> {
    resolver: &'r mut Resolver<'r>,
    includes_left: usize,
    tree: Tree,
    /// Where the section of this name within that node is: those of the same name are one.
    sections: BTreeMap<(usize, String), usize>,
    warnings: Vec<BadConfig>,
}

/// What the next line of a file must be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A relation, the beginning of a section, or the end of a subsection.
    Body,
    /// The `{` of a relation that had no value.
    Brace,
    /// Nothing counts before the first section.
    Preamble,
}

/// Where within one file the parser stands.
struct Place<'o> {
    origin: &'o Arc<str>,
    line: usize,
    /// The section, and the subsections within it, that are open.
    open: Vec<usize>,
    state: State,
}

impl Place<'_> {
    fn fault(&self, what: impl Into<String>) -> BadConfig {
        BadConfig { origin: self.origin.to_string(), line: self.line, what: what.into() }
    }

    fn node(&self, name: &str, is_final: bool, content: Content) -> Node {
        Node { name: name.to_owned(), is_final, content, origin: self.origin.clone(), line: self.line }
    }
}

/// White space as C's `isspace` has it, whatever the locale.
fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

impl<'r> Parser<'r> {
    pub(super) fn new(resolver: &'r mut Resolver<'r>) -> Self {
        Self {
            resolver,
            includes_left: MOST_INCLUDES,
            tree: Tree::new(),
            sections: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Tree, Vec<BadConfig>) {
        (self.tree, self.warnings)
    }

    pub(super) fn file(&mut self, octets: &[u8], origin: &Arc<str>, depth: usize) -> Result<(), BadConfig> {
        let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
        let mut place = Place { origin, line: 0, open: Vec::new(), state: State::Preamble };
        let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
        for line in octets.split(|&octet| octet == b'\n') {
            place.line += 1;
            let line = self.text(line, &place);
            self.line(line.trim_end_matches('\r'), &mut place, depth)?;
        }
        if place.open.len() > 1 || place.state == State::Brace {
            self.warn(&place, "the file ends within a subsection: a } is missing");
        }
        Ok(())
    }

    fn warn(&mut self, place: &Place<'_>, what: impl Into<String>) {
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(place.fault(what));
        }
    }

    /// A line as text, up to its first zero octet.
    fn text<'l>(&mut self, line: &'l [u8], place: &Place<'_>) -> Cow<'l, str> {
        let mut parts = line.splitn(2, |&octet| octet == 0);
        let counts = parts.next().unwrap_or_default();
        if parts.next().is_some() {
            self.warn(place, "the line has a zero octet: what follows it does not count");
        }
        let text = String::from_utf8_lossy(counts);
        if matches!(text, Cow::Owned(_)) && !text.trim_start_matches(is_blank).starts_with(['#', ';']) {
            self.warn(place, "the line is not UTF-8: other octets are replaced by U+FFFD");
        }
        text
    }

    fn line(&mut self, line: &str, place: &mut Place<'_>, depth: usize) -> Result<(), BadConfig> {
        if let Some(path) = directive(line, "include") {
            return self.include(Include::File(path), path, place, depth);
        }
        if let Some(path) = directive(line, "includedir") {
            return self.include(Include::Directory(path), path, place, depth);
        }
        match place.state {
            State::Body => self.body(line, place),
            State::Brace => {
                let after = line.trim_start_matches(is_blank).strip_prefix('{');
                let after = after.ok_or_else(|| place.fault("a { is missing"))?;
                place.state = State::Body;
                self.pass_over(after, place);
                Ok(())
            }
            State::Preamble if line.starts_with('[') => {
                place.state = State::Body;
                self.body(line, place)
            }
            State::Preamble if directive(line, "module").is_some() => {
                Err(place.fault("configuration modules cannot be loaded here"))
            }
            State::Preamble => {
                if !is_void(line) {
                    self.warn(
                        place,
                        "this stands before the first [section], which begins its line: it does not count",
                    );
                }
                Ok(())
            }
        }
    }

    fn body(&mut self, line: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
        if is_void(line) {
            return Ok(());
        }
        let line = line.trim_start_matches(is_blank);
        if let Some(rest) = line.strip_prefix('[') {
            return self.section(rest, place);
        }
        match line.strip_prefix('}') {
            Some(rest) => self.close(rest, place),
            None => self.relation(line, place),
        }
    }

    /// Tells that what follows the end of something does not count.
    fn pass_over(&mut self, after: &str, place: &Place<'_>) {
        let after = after.trim_matches(is_blank);
        if !after.is_empty() {
            self.warn(place, format!("{after:?} at the end of the line does not count"));
        }
    }

    fn include(
        &mut self,
        what: Include<'_>,
        path: &str,
        place: &mut Place<'_>,
        depth: usize,
    ) -> Result<(), BadConfig> {
        if !path.starts_with('/') {
            return Err(
                place.fault(format!("{path:?} is no whole path: what is included is named from / on"))
            );
        }
        if depth >= DEEPEST {
            return Err(place.fault("files include each other too deeply"));
        }
        for (origin, octets) in (self.resolver)(what).map_err(|reason| place.fault(reason))? {
            self.includes_left = self
                .includes_left
                .checked_sub(1)
                .ok_or_else(|| place.fault("too many files are included"))?;
            self.file(&octets, &origin.into(), depth + 1)?;
        }
        Ok(())
    }

    fn section(&mut self, rest: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
        if place.open.len() > 1 {
            return Err(place.fault("a section begins within a subsection: a } is missing before it"));
        }
        let (name, after) = rest.split_once(']').ok_or_else(|| place.fault("a ] is missing"))?;
        let (is_final, after) = match after.strip_prefix('*') {
            Some(after) => (true, after),
            None => (false, after),
        };
        if !after.trim_start_matches(is_blank).is_empty() {
            return Err(place.fault("something follows the ]"));
        }
        let section = self.enter(Tree::ROOT, name, is_final, place);
        place.open = vec![section];
        Ok(())
    }

    /// The section of this name within `parent`, which may be there already.
    fn enter(&mut self, parent: usize, name: &str, is_final: bool, place: &Place<'_>) -> usize {
        let node = || place.node(name, is_final, Content::Section(Vec::new()));
        let known = self.sections.entry((parent, name.to_owned()));
        let section = *known.or_insert_with(|| self.tree.add(parent, node()));
        if is_final {
            self.tree.make_final(section);
        }
        section
    }

    /// Ends the innermost subsection.
    fn close(&mut self, rest: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
        let inner = place.open.pop().filter(|_| !place.open.is_empty());
        let inner = inner.ok_or_else(|| place.fault("this } closes nothing"))?;
        let after = match rest.strip_prefix('*') {
            Some(after) => {
                self.tree.make_final(inner);
                after
            }
            None => rest,
        };
        self.pass_over(after, place);
        Ok(())
    }

    /// Reads `name = value`, `name = "value"` and the beginning of `name = { ... }`.
    fn relation(&mut self, line: &str, place: &mut Place<'_>) -> Result<(), BadConfig> {
        let (tag, value) = line.split_once('=').ok_or_else(|| place.fault("a relation needs a ="))?;
        if tag.is_empty() {
            return Err(place.fault("a relation needs a name"));
        }
        let tag = tag.trim_end_matches(is_blank);
        if tag.contains(is_blank) {
            return Err(place.fault("the name of a relation has a space in it"));
        }
        let (name, is_final) = match tag.split_once('*') {
            Some((name, _)) => (name, true),
            None => (tag, false),
        };
        let Some(&parent) = place.open.last() else { return Err(place.fault("no section is open")) };
        let value = value.trim_start_matches(is_blank);
        let opens =
            value.strip_prefix('{').is_some_and(|after| after.trim_start_matches(is_blank).is_empty());
        if value.is_empty() || opens {
            place.state = if opens { State::Body } else { State::Brace };
            let section = self.enter(parent, name, is_final, place);
            place.open.push(section);
            return Ok(());
        }
        let text = match value.strip_prefix('"') {
            Some(quoted) => {
                let (text, after) = unquote(quoted);
                self.pass_over(after, place);
                text
            }
            None => value.trim_end_matches(is_blank).to_owned(),
        };
        self.tree.add(parent, place.node(name, is_final, Content::Value(text)));
        Ok(())
    }
}

/// Whether a line is empty or a comment.
fn is_void(line: &str) -> bool {
    let line = line.trim_start_matches(is_blank);
    line.is_empty() || line.starts_with(['#', ';'])
}

/// What follows `name`, which begins the line, and white space.
fn directive<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with(is_blank)).then(|| rest.trim_start_matches(is_blank))
}

/// The text up to the closing quote, and what follows that.
fn unquote(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => text.push(match letters.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                other => other.unwrap_or('\\'),
            }),
            _ => text.push(letter),
        }
    }
    (text, letters.as_str())
}
