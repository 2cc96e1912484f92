//! One value of `auth_to_local`, applied to a principal.

use super::ere::Expression;
use crate::Principal;

/// Longer names are no names of users, and no rule is tried on them.
const LONGEST: usize = 1_024;

/// What a rule makes of a principal: a name, nothing (`None`), or what is wrong with the rule. A fault is found only
/// where the principal leads to it, as in MIT krb5.
pub(super) type Outcome = Result<Option<String>, &'static str>;

/// Applies a value: `RULE:...` or `DEFAULT`.
pub(super) fn apply(value: &str, principal: &Principal, default_realm: &str) -> Outcome {
    let (kind, rule) = value.split_once(':').map_or((value, None), |(kind, rule)| (kind, Some(rule)));
    match (kind, rule) {
        ("DEFAULT", _) => Ok(default(principal, default_realm)),
        ("RULE", Some(rule)) => translate(rule, principal),
        ("RULE", None) => Err("RULE needs a : and a rule"),
        _ => Err("it is neither RULE: nor DEFAULT"),
    }
}

/// The name of a user of the default realm.
pub(super) fn default(principal: &Principal, default_realm: &str) -> Option<String> {
    match principal.components() {
        [name] if principal.realm() == default_realm => Some(name.clone()),
        [name, realm] if principal.realm() == default_realm && realm == default_realm => Some(name.clone()),
        _ => None,
    }
}

/// Applies `[n:string](expression)s/expression/text/g...`; every part may be missing.
fn translate(rule: &str, principal: &Principal) -> Outcome {
    let (mut name, rest) = match rule.strip_prefix('[') {
        None => (super::without_realm(principal), rule),
        Some(selection) => match select(selection, principal)? {
            Some(selected) => selected,
            None => return Ok(None),
        },
    };
    let mut rest = rest;
    if let Some(condition) = rest.strip_prefix('(') {
        let (expression, after) = condition.split_once(')').ok_or("its ( has no )")?;
        let fits = |expression: Expression| name.len() <= LONGEST && expression.fits(&name);
        if !Expression::parse(expression).is_ok_and(fits) {
            return Ok(None);
        }
        rest = after;
    }
    while !rest.is_empty() {
        let replacement = rest.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
        let parts = replacement.strip_prefix("s/").and_then(|parts| {
            let (expression, parts) = parts.split_once('/')?;
            let (text, after) = parts.split_once('/')?;
            Some((expression, text, after))
        });
        let (expression, text, after) =
            parts.ok_or("a replacement is not s/expression/text/ or s/expression/text/g")?;
        let every = after.strip_prefix('g');
        rest = every.unwrap_or(after);
        let Ok(expression) = Expression::parse(expression) else { return Ok(None) };
        match replace(&expression, text, every.is_some(), &name) {
            Some(replaced) => name = replaced,
            None => return Ok(None),
        }
    }
    Ok((name.len() <= LONGEST).then_some(name))
}

/// Reads `n:string]` and gives the string with `$0` replaced by the realm, `$1` by the first component and so on,
/// and what follows; `None` if the principal has not `n` components.
fn select<'r>(selection: &'r str, principal: &Principal) -> Result<Option<(String, &'r str)>, &'static str> {
    const FORM: &str = "its selection is not [components:string]";
    let (count, rest) = number(selection).ok_or(FORM)?;
    let rest = rest.strip_prefix(':').filter(|_| count >= 0).ok_or(FORM)?;
    let components = principal.components();
    if usize::try_from(count) != Ok(components.len()) {
        return Ok(None);
    }
    let mut selected = String::new();
    let mut rest = rest;
    loop {
        let at = rest.find(['$', ']']).ok_or("its [ has no ]")?;
        let (literal, from_mark) = rest.split_at_checked(at).unwrap_or_default();
        selected.push_str(literal);
        if let Some(after) = from_mark.strip_prefix(']') {
            return Ok(Some((selected, after)));
        }
        let from_digits = from_mark.strip_prefix('$').unwrap_or_default();
        let (index, after) = number(from_digits).ok_or("the number after a $ is too large")?;
        // What is no number, or less than one, is the realm.
        selected.push_str(match usize::try_from(index).ok().and_then(|index| index.checked_sub(1)) {
            None => principal.realm(),
            Some(index) => components.get(index).ok_or("it selects a component that is not there")?,
        });
        rest = after;
    }
}

/// A number at the beginning as C's `strtol` reads it, 0 if there is none, and what follows; `None` if it is too
/// large.
fn number(text: &str) -> Option<(i64, &str)> {
    let after_blanks = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let (sign, unsigned) = match after_blanks.strip_prefix('-') {
        Some(unsigned) => (-1, unsigned),
        None => (1, after_blanks.strip_prefix('+').unwrap_or(after_blanks)),
    };
    let end = unsigned.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(unsigned.len());
    match unsigned.split_at_checked(end)? {
        ("", _) => Some((0, text)),
        (digits, after) => Some((sign * digits.parse::<i64>().ok()?, after)),
    }
}

/// `name` with the first match replaced, or every one; after each, what is left is a text of its own, so that `^`
/// fits again. `None` if the name is too long.
///
/// Where every match is to be replaced and one is empty, that is the last: MIT krb5 would not come to an end there.
fn replace(expression: &Expression, text: &str, every: bool, name: &str) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let letters: Vec<char> = name.chars().collect();
    let mut rest = letters.as_slice();
    let mut replaced = String::new();
    while let Some(found) = expression.find(rest) {
        replaced.extend(rest.get(..found.start)?);
        replaced.push_str(text);
        rest = rest.get(found.end..)?;
        if !every || found.is_empty() {
            break;
        }
    }
    replaced.extend(rest);
    Some(replaced)
}
