//! Regular expressions: POSIX extended, as the C library of GNU takes them where `auth_to_local` rules are read.
//!
//! An expression becomes a list of steps, and a text is tried in all ways at once: the time taken is the product of
//! the lengths of both, whatever the expression. The leftmost match wins, and of those the longest (POSIX.1-2017,
//! base definitions §9.1).
//!
//! Letters are Unicode characters; in a C program they are what its locale says. Deliberately not here:
//! back-references (`\1`), which are no regular language: an expression with one is refused.

use std::ops::Range;

/// How many steps an expression may have.
const MOST_STEPS: usize = 2_000;
/// How deep groups may lie in each other.
const DEEPEST: usize = 50;

/// An expression ready to be tried.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    steps: Vec<Step>,
}

/// The text is no expression, or one that is not supported here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadExpression;

#[derive(Clone, Debug)]
enum Step {
    Anchor(Anchor),
    Both(usize, usize),
    Done,
    Go(usize),
    Letter(Set),
}

#[derive(Clone, Copy, Debug)]
enum Anchor {
    Beginning,
    End,
    NoWordEdge,
    WordBeginning,
    WordEdge,
    WordEnd,
}

/// Which letters fit.
#[derive(Clone, Debug)]
struct Set {
    negated: bool,
    ranges: Vec<(char, char)>,
    classes: Vec<fn(&char) -> bool>,
}

impl Set {
    fn range(from: char, to: char) -> Self {
        Self { negated: false, ranges: vec![(from, to)], classes: Vec::new() }
    }

    fn class(negated: bool, class: fn(&char) -> bool) -> Self {
        Self { negated, ranges: Vec::new(), classes: vec![class] }
    }

    fn fits(&self, letter: char) -> bool {
        let named = self.ranges.iter().any(|&(from, to)| (from..=to).contains(&letter))
            || self.classes.iter().any(|class| class(&letter));
        named != self.negated
    }
}

/// An expression as it is written.
enum Tree {
    Alternatives(Vec<Tree>),
    Anchor(Anchor),
    Letter(Set),
    Repeated { what: Box<Tree>, least: usize, most: Option<usize> },
    Sequence(Vec<Tree>),
}

impl Expression {
    pub(super) fn parse(text: &str) -> Result<Self, BadExpression> {
        let mut reader = Reader { rest: text };
        let tree = reader.alternatives(0)?;
        if !reader.rest.is_empty() {
            return Err(BadExpression);
        }
        let mut steps = Vec::new();
        compile(&tree, &mut steps)?;
        push(&mut steps, Step::Done)?;
        Ok(Self { steps })
    }

    /// Whether the whole of `text` fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        let letters: Vec<char> = text.chars().collect();
        self.longest(&letters, 0) == Some(letters.len())
    }

    /// The leftmost and longest part of `letters` that fits.
    pub(super) fn find(&self, letters: &[char]) -> Option<Range<usize>> {
        (0..=letters.len()).find_map(|from| Some(from..self.longest(letters, from)?))
    }

    /// Where the longest match ends that begins at `from`.
    fn longest(&self, letters: &[char], from: usize) -> Option<usize> {
        let mut ways = Ways::new(self.steps.len());
        let mut found = None;
        self.follow(0, letters, from, &mut ways);
        for at in from..=letters.len() {
            if ways.done {
                found = Some(at);
            }
            let Some(&letter) = letters.get(at).filter(|_| !ways.list.is_empty()) else { break };
            let mut next = Ways::new(self.steps.len());
            for &step in &ways.list {
                if matches!(self.steps.get(step), Some(Step::Letter(set)) if set.fits(letter)) {
                    self.follow(step + 1, letters, at + 1, &mut next);
                }
            }
            ways = next;
        }
        found
    }

    /// Adds every step that `step` leads to without taking a letter.
    fn follow(&self, step: usize, letters: &[char], at: usize, ways: &mut Ways) {
        let mut open = vec![step];
        while let Some(step) = open.pop() {
            match ways.seen.get_mut(step) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            match self.steps.get(step) {
                Some(Step::Anchor(anchor)) if anchor.holds(letters, at) => open.push(step + 1),
                Some(Step::Both(one, other)) => open.extend([*one, *other]),
                Some(Step::Done) => ways.done = true,
                Some(Step::Go(to)) => open.push(*to),
                Some(Step::Letter(_)) => ways.list.push(step),
                Some(Step::Anchor(_)) | None => {}
            }
        }
    }
}

/// The steps at which the ways through an expression stand.
struct Ways {
    list: Vec<usize>,
    seen: Vec<bool>,
    done: bool,
}

impl Ways {
    fn new(steps: usize) -> Self {
        Self { list: Vec::new(), seen: vec![false; steps], done: false }
    }
}

impl Anchor {
    fn holds(self, letters: &[char], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).is_some_and(is_word);
        let after = letters.get(at).is_some_and(is_word);
        match self {
            Self::Beginning => at == 0,
            Self::End => at == letters.len(),
            Self::NoWordEdge => before == after,
            Self::WordBeginning => !before && after,
            Self::WordEdge => before != after,
            Self::WordEnd => before && !after,
        }
    }
}

fn is_word(letter: &char) -> bool {
    letter.is_alphanumeric() || *letter == '_'
}

fn is_space(letter: &char) -> bool {
    matches!(letter, ' ' | '\t'..='\r')
}

fn push(steps: &mut Vec<Step>, step: Step) -> Result<usize, BadExpression> {
    if steps.len() >= MOST_STEPS {
        return Err(BadExpression);
    }
    steps.push(step);
    Ok(steps.len() - 1)
}

fn set(steps: &mut [Step], at: usize, step: Step) {
    if let Some(place) = steps.get_mut(at) {
        *place = step;
    }
}

fn compile(tree: &Tree, steps: &mut Vec<Step>) -> Result<(), BadExpression> {
    match tree {
        Tree::Alternatives(branches) => {
            let mut ends = Vec::new();
            let last = branches.len().saturating_sub(1);
            for (place, branch) in branches.iter().enumerate() {
                if place == last {
                    compile(branch, steps)?;
                    continue;
                }
                let fork = push(steps, Step::Done)?;
                compile(branch, steps)?;
                ends.push(push(steps, Step::Done)?);
                let other = steps.len();
                set(steps, fork, Step::Both(fork + 1, other));
            }
            let end = steps.len();
            ends.into_iter().for_each(|at| set(steps, at, Step::Go(end)));
        }
        Tree::Anchor(anchor) => drop(push(steps, Step::Anchor(*anchor))?),
        Tree::Letter(letters) => drop(push(steps, Step::Letter(letters.clone()))?),
        Tree::Repeated { what, least, most } => {
            for _ in 0..*least {
                compile(what, steps)?;
            }
            let forks = match most {
                None => {
                    let fork = push(steps, Step::Done)?;
                    compile(what, steps)?;
                    push(steps, Step::Go(fork))?;
                    vec![fork]
                }
                Some(most) => {
                    let mut forks = Vec::new();
                    for _ in *least..*most {
                        forks.push(push(steps, Step::Done)?);
                        compile(what, steps)?;
                    }
                    forks
                }
            };
            let end = steps.len();
            forks.into_iter().for_each(|fork| set(steps, fork, Step::Both(fork + 1, end)));
        }
        Tree::Sequence(parts) => parts.iter().try_for_each(|part| compile(part, steps))?,
    }
    Ok(())
}

/// Reads an expression from left to right.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn take(&mut self, prefix: &str) -> bool {
        let after = self.rest.strip_prefix(prefix);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn letter(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next();
        self.rest = letters.as_str();
        letter
    }

    fn alternatives(&mut self, depth: usize) -> Result<Tree, BadExpression> {
        if depth > DEEPEST {
            return Err(BadExpression);
        }
        let mut branches = vec![self.sequence(depth)?];
        while self.take("|") {
            branches.push(self.sequence(depth)?);
        }
        Ok(Tree::Alternatives(branches))
    }

    fn sequence(&mut self, depth: usize) -> Result<Tree, BadExpression> {
        let mut parts = Vec::new();
        // Outside of groups a ) is an ordinary letter.
        let ends: &[char] = if depth > 0 { &['|', ')'] } else { &['|'] };
        while !self.rest.is_empty() && !self.rest.starts_with(ends) {
            let part = self.part(depth)?;
            parts.push(match part {
                // Nothing repeats an anchor: what follows it is at a beginning, where * is an error.
                Tree::Anchor(_) => part,
                _ => self.repeated(part)?,
            });
        }
        Ok(Tree::Sequence(parts))
    }

    fn part(&mut self, depth: usize) -> Result<Tree, BadExpression> {
        let literal = |letter| Ok(Tree::Letter(Set::range(letter, letter)));
        match self.letter().ok_or(BadExpression)? {
            '*' | '+' | '?' | '{' => Err(BadExpression),
            '(' => {
                let inner = self.alternatives(depth + 1)?;
                if self.take(")") { Ok(inner) } else { Err(BadExpression) }
            }
            '[' => Ok(Tree::Letter(self.bracket()?)),
            '.' => Ok(Tree::Letter(Set::range('\u{1}', char::MAX))),
            '^' => Ok(Tree::Anchor(Anchor::Beginning)),
            '$' => Ok(Tree::Anchor(Anchor::End)),
            '\\' => match self.letter().ok_or(BadExpression)? {
                '1'..='9' => Err(BadExpression),
                'w' => Ok(Tree::Letter(Set::class(false, is_word))),
                'W' => Ok(Tree::Letter(Set::class(true, is_word))),
                's' => Ok(Tree::Letter(Set::class(false, is_space))),
                'S' => Ok(Tree::Letter(Set::class(true, is_space))),
                'b' => Ok(Tree::Anchor(Anchor::WordEdge)),
                'B' => Ok(Tree::Anchor(Anchor::NoWordEdge)),
                '<' => Ok(Tree::Anchor(Anchor::WordBeginning)),
                '>' => Ok(Tree::Anchor(Anchor::WordEnd)),
                '`' => Ok(Tree::Anchor(Anchor::Beginning)),
                '\'' => Ok(Tree::Anchor(Anchor::End)),
                letter => literal(letter),
            },
            letter => literal(letter),
        }
    }

    fn repeated(&mut self, mut what: Tree) -> Result<Tree, BadExpression> {
        let mut times = 0;
        loop {
            let (least, most) = match self.rest.chars().next() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => (0, None),
                _ => return Ok(what),
            };
            times += 1;
            if times > DEEPEST {
                return Err(BadExpression);
            }
            let (least, most) = if self.letter() == Some('{') { self.interval()? } else { (least, most) };
            what = Tree::Repeated { what: Box::new(what), least, most };
        }
    }

    /// `n}`, `n,}`, `,m}` or `n,m}`.
    fn interval(&mut self) -> Result<(usize, Option<usize>), BadExpression> {
        let (inner, after) = self.rest.split_once('}').ok_or(BadExpression)?;
        self.rest = after;
        let number = |digits: &str| match digits.bytes().all(|octet| octet.is_ascii_digit()) {
            true => digits.parse().ok().filter(|&count: &usize| count <= 0x7fff).ok_or(BadExpression),
            false => Err(BadExpression),
        };
        let (least, most) = match inner.split_once(',') {
            None => (number(inner)?, Some(number(inner)?)),
            Some((least, most)) => {
                let least = if least.is_empty() { 0 } else { number(least)? };
                (least, if most.is_empty() { None } else { Some(number(most)?) })
            }
        };
        if most.is_some_and(|most| most < least) {
            return Err(BadExpression);
        }
        Ok((least, most))
    }

    /// What stands between `[` and `]`; a backslash is a letter there.
    fn bracket(&mut self) -> Result<Set, BadExpression> {
        let mut set = Set { negated: self.take("^"), ranges: Vec::new(), classes: Vec::new() };
        let mut is_first = true;
        loop {
            if !is_first && self.take("]") {
                return Ok(set);
            }
            if self.take("[:") {
                let (name, after) = self.rest.split_once(":]").ok_or(BadExpression)?;
                set.classes.push(class(name)?);
                self.rest = after;
                if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                    return Err(BadExpression);
                }
            } else {
                if !is_first && self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                    return Err(BadExpression);
                }
                let from = self.element()?;
                let to = if self.rest.starts_with('-') && !self.rest.starts_with("-]") {
                    self.letter();
                    self.element()?
                } else {
                    from
                };
                if from > to {
                    return Err(BadExpression);
                }
                set.ranges.push((from, to));
            }
            is_first = false;
        }
    }

    /// A letter, `[.x.]` or `[=x=]`.
    fn element(&mut self) -> Result<char, BadExpression> {
        for mark in [".", "="] {
            if self.take(&format!("[{mark}")) {
                let letter = self.letter().ok_or(BadExpression)?;
                return if self.take(&format!("{mark}]")) { Ok(letter) } else { Err(BadExpression) };
            }
        }
        if self.rest.starts_with("[:") {
            return Err(BadExpression);
        }
        self.letter().ok_or(BadExpression)
    }
}

fn class(name: &str) -> Result<fn(&char) -> bool, BadExpression> {
    Ok(match name {
        "alnum" => |letter| letter.is_alphanumeric(),
        "alpha" => |letter| letter.is_alphabetic(),
        "blank" => |letter| matches!(letter, ' ' | '\t'),
        "cntrl" => |letter| letter.is_control(),
        "digit" => |letter| letter.is_ascii_digit(),
        "graph" => |letter| !letter.is_control() && !letter.is_whitespace(),
        "lower" => |letter| letter.is_lowercase(),
        "print" => |letter| !letter.is_control(),
        "punct" => |letter| letter.is_ascii_punctuation(),
        "space" => is_space,
        "upper" => |letter| letter.is_uppercase(),
        "xdigit" => |letter| letter.is_ascii_hexdigit(),
        _ => return Err(BadExpression),
    })
}
