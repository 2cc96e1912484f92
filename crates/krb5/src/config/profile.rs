//! The tree of one configuration file, and lookup through several.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::BadConfig;
use super::parse::{Include, Parser, Resolver};

/// One configuration file, with what it includes: sections, subsections, relations. Sections of the same name are
/// one.
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
    tree: Tree,
    warnings: Vec<BadConfig>,
}

/// The nodes in the order in which they were read; the first is the root. A flat list, so that no depth of a file
/// can exhaust a stack.
#[derive(Clone, Debug)]
pub(super) struct Tree(Vec<Node>);

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
    /// Where its members are.
    Section(Vec<usize>),
    Value(String),
}

impl Tree {
    /// Where the node is that holds the sections.
    pub(super) const ROOT: usize = 0;

    pub(super) fn new() -> Self {
        let content = Content::Section(Vec::new());
        Self(vec![Node { name: String::new(), is_final: false, content, origin: "".into(), line: 0 }])
    }

    /// Puts `node` last within `parent`, and says where it is.
    pub(super) fn add(&mut self, parent: usize, node: Node) -> usize {
        let at = self.0.len();
        if let Some(Node { content: Content::Section(members), .. }) = self.0.get_mut(parent) {
            members.push(at);
        }
        self.0.push(node);
        at
    }

    pub(super) fn make_final(&mut self, at: usize) {
        if let Some(node) = self.0.get_mut(at) {
            node.is_final = true;
        }
    }

    fn members(&self, at: usize) -> impl Iterator<Item = (usize, &Node)> {
        let members = match self.0.get(at).map(|node| &node.content) {
            Some(Content::Section(members)) => members.as_slice(),
            _ => &[],
        };
        members.iter().filter_map(|&at| Some((at, self.0.get(at)?)))
    }

    /// The members of the section at `path`, and whether a section on the way is final.
    fn section(&self, path: &[&str]) -> (impl Iterator<Item = &Node>, bool) {
        let mut at = Some(Self::ROOT);
        let mut is_final = false;
        for name in path {
            let Some(parent) = at else { break };
            let found = self
                .members(parent)
                .find(|(_, node)| matches!(node.content, Content::Section(_)) && node.name == *name);
            is_final |= found.is_some_and(|(_, node)| node.is_final);
            at = found.map(|(at, _)| at);
        }
        (at.into_iter().flat_map(|at| self.members(at)).map(|(_, node)| node), is_final)
    }
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
        Self::parse_with(text.as_bytes(), origin, &mut |include| match include {
            Include::Directory(path) | Include::File(path) => {
                Err(format!("{path} cannot be included: this configuration has no files"))
            }
        })
    }

    /// Reads the content of a file; `resolver` finds what it includes.
    ///
    /// # Errors
    /// [`BadConfig`] names the line and what is wrong with it, also in an included file, and passes on what
    /// `resolver` says.
    pub fn parse_with<'r>(
        octets: &[u8],
        origin: &str,
        resolver: &'r mut Resolver<'r>,
    ) -> Result<Self, BadConfig> {
        let mut parser = Parser::new(resolver);
        parser.file(octets, &origin.into(), 0)?;
        let (tree, warnings) = parser.finish();
        Ok(Self { tree, warnings })
    }

    /// The values at `path` (section, subsections, name), in the order of the file.
    pub fn values<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = Value<'a>> + use<'a> {
        values(std::slice::from_ref(self), path).into_iter()
    }

    /// All relations of the section at `path`, in the order of the file.
    pub fn relations<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = Value<'a>> + use<'a> {
        relations(std::slice::from_ref(self), path).into_iter()
    }

    /// The names of the subsections of the section at `path`, each once.
    pub fn subsections<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = &'a str> + use<'a> {
        subsections(std::slice::from_ref(self), path).into_iter()
    }

    /// A file that is not there: nothing but a warning.
    pub fn missing(origin: &str, why: impl Into<String>) -> Self {
        let warning = BadConfig { origin: origin.to_owned(), line: 0, what: why.into() };
        Self { tree: Tree::new(), warnings: vec![warning] }
    }

    /// What was passed over, and probably not meant so; the first hundred.
    pub fn warnings(&self) -> &[BadConfig] {
        &self.warnings
    }
}

/// The values at `path` in `profiles`, earlier files first, up to a file that marks a section on the way final, or
/// one of the values.
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
    let mut seen = BTreeSet::new();
    walk(profiles, path, &mut |node| {
        if matches!(node.content, Content::Section(_)) && seen.insert(node.name.as_str()) {
            found.push(&node.name);
        }
        false
    });
    found
}

/// Shows `visit` every node of the sections at `path`, file by file; no further file once it says true, or a
/// section on the way is final.
pub(super) fn walk<'a>(profiles: &'a [Profile], path: &[&str], visit: &mut dyn FnMut(&'a Node) -> bool) {
    for profile in profiles {
        let (nodes, is_final) = profile.tree.section(path);
        if nodes.fold(is_final, |is_final, node| visit(node) | is_final) {
            return;
        }
    }
}
