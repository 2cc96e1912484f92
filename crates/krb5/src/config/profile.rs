//! The tree of one configuration file, and lookup through several.

use std::sync::Arc;

use super::BadConfig;
use super::parse::{Include, Parser, Resolver};

/// One configuration file, with what it includes: sections, subsections, relations.
///
/// ```
/// use orthros_krb5::config::Profile;
/// let profile = Profile::parse("[libdefaults]\n default_realm = EXAMPLE.COM\n", "krb5.conf")?;
/// let value = profile.values(&["libdefaults", "default_realm"]).next().unwrap();
/// assert_eq!((value.text, value.line), ("EXAMPLE.COM", 2));
/// # Ok::<(), orthros_krb5::config::BadConfig>(())
/// ```
#[derive(Clone, Debug)]
pub struct Profile {
    sections: Vec<Node>,
}

/// A section, a subsection or a relation.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// Later files have no say in it.
    pub(super) is_final: bool,
    pub(super) content: Content,
    pub(super) origin: Arc<str>,
    pub(super) line: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Section(Vec<Node>),
    Value(String),
}

/// A relation's value, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The relation's name.
    pub name: &'a str,
    /// The value, without quotes and escapes.
    pub text: &'a str,
    /// The file that it stands in.
    pub origin: &'a str,
    /// The line, counted from 1.
    pub line: usize,
}

impl Value<'_> {
    /// An error about this value.
    pub fn fault(&self, what: impl Into<String>) -> BadConfig {
        BadConfig { origin: self.origin.to_owned(), line: self.line, what: what.into() }
    }
}

impl Profile {
    /// Reads a text that includes nothing; `origin` is how messages name it.
    ///
    /// # Errors
    /// [`BadConfig`] names the line and what is wrong with it.
    pub fn parse(text: &str, origin: &str) -> Result<Self, BadConfig> {
        Self::parse_with(text, origin, &mut |include| match include {
            Include::Directory(path) | Include::File(path) => {
                Err(format!("{path} cannot be included: this configuration has no files"))
            }
        })
    }

    /// Reads a text; `resolver` finds what it includes.
    ///
    /// # Errors
    /// [`BadConfig`] names the line and what is wrong with it, also in an included file, and passes on what
    /// `resolver` says.
    pub fn parse_with<'r>(
        text: &str,
        origin: &str,
        resolver: &'r mut Resolver<'r>,
    ) -> Result<Self, BadConfig> {
        let mut parser = Parser::new(resolver);
        parser.file(text, &origin.into(), 0)?;
        Ok(Self { sections: parser.finish() })
    }

    /// The values at `path` (section, subsections, name), in the order of the file.
    pub fn values<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = Value<'a>> + use<'a> {
        values(std::slice::from_ref(self), path).into_iter()
    }
}

/// The values at `path` in `profiles`, earlier files first, up to a file that marks one of them, or a section
/// on the way, final.
pub(super) fn values<'a>(profiles: &'a [Profile], path: &[&str]) -> Vec<Value<'a>> {
    let mut found = Vec::new();
    let Some((name, sections)) = path.split_last() else { return found };
    walk(profiles, sections, &mut |node| match &node.content {
        Content::Value(text) if node.name == *name => {
            found.push(Value { name: &node.name, text, origin: &node.origin, line: node.line });
            node.is_final
        }
        _ => false,
    });
    found
}

/// All relations of the section at `path`.
pub(super) fn relations<'a>(profiles: &'a [Profile], path: &[&str]) -> Vec<Value<'a>> {
    let mut found = Vec::new();
    walk(profiles, path, &mut |node| {
        if let Content::Value(text) = &node.content {
            found.push(Value { name: &node.name, text, origin: &node.origin, line: node.line });
        }
        false
    });
    found
}

/// The names of the subsections of the section at `path`, each once.
pub(super) fn subsections<'a>(profiles: &'a [Profile], path: &[&str]) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    walk(profiles, path, &mut |node| {
        if matches!(node.content, Content::Section(_)) && !found.contains(&node.name.as_str()) {
            found.push(&node.name);
        }
        false
    });
    found
}

/// Shows `visit` every node of the sections at `path`, file by file; no further file once it says true, or a
/// section on the way is final.
fn walk<'a>(profiles: &'a [Profile], path: &[&str], visit: &mut dyn FnMut(&'a Node) -> bool) {
    for profile in profiles {
        if walk_file(&profile.sections, path, visit) {
            return;
        }
    }
}

fn walk_file<'a>(nodes: &'a [Node], path: &[&str], visit: &mut dyn FnMut(&'a Node) -> bool) -> bool {
    let Some((name, rest)) = path.split_first() else {
        return nodes.iter().fold(false, |is_final, node| visit(node) | is_final);
    };
    nodes.iter().filter(|node| node.name == *name).fold(false, |is_final, node| match &node.content {
        Content::Section(children) => is_final | node.is_final | walk_file(children, rest, visit),
        Content::Value(_) => is_final,
    })
}
