//! The sentences of an RFC that demand something, found in its text.

use std::collections::BTreeMap;

use super::Rfc;
use super::table::Table;

/// Adds each section whose rows are not as many as its sentences.
pub(super) fn compare(text: &str, rfc: &Rfc, table: &Table, faults: &mut Vec<String>) {
    let mut there: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (section, sentence) in sentences(text, rfc.small) {
        if rfc.within.is_none_or(|within| section == within || section.starts_with(&format!("{within}."))) {
            there.entry(section).or_default().push(sentence);
        }
    }
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &table.rows {
        *rows.entry(&row.section).or_default() += 1;
    }
    for (section, sentences) in &there {
        let listed = rows.remove(section.as_str()).unwrap_or(0);
        if listed != sentences.len() {
            let (rfc, count) = (rfc.number, sentences.len());
            faults.push(format!("RFC {rfc} §{section}: {listed} rows for {count} sentences: {sentences:#?}"));
        }
    }
    for section in rows.keys() {
        faults.push(format!("RFC {} §{section}: rows for no sentence", rfc.number));
    }
}

/// Each sentence that demands something, with its section.
pub(super) fn sentences(text: &str, small: bool) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut section: Option<String> = None;
    for paragraph in paragraphs(text) {
        if let Some(number) = heading(&paragraph) {
            section = Some(number);
        }
        let Some(section) = &section else { continue };
        let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let demands = split(&words).into_iter().filter(|sentence| demands(sentence, small));
        found.extend(demands.map(|sentence| (section.clone(), sentence)));
    }
    found
}

/// What lies between blank lines. The foot and head of pages are left out; a sentence that they cut is joined.
fn paragraphs(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut blank, mut cut) = (true, false);
    for line in text.lines().map(|line| line.trim_matches('\u{c}').trim_end()) {
        if line.ends_with(']') && line.contains("[Page ") {
            cut = true;
        } else if line.is_empty() || (cut && line.starts_with("RFC ")) {
            blank = true;
        } else {
            let goes_on =
                |last: &String| !last.trim_end().ends_with(['.', ':', ';']) && line.starts_with(' ');
            let joined = !blank || (cut && found.last().is_some_and(goes_on));
            match found.last_mut().filter(|_| joined) {
                Some(last) => last.push_str(&format!("{line}\n")),
                None => found.push(format!("{line}\n")),
            }
            (blank, cut) = (false, false);
        }
    }
    found
}

/// The number of the section that a paragraph begins, as `4.1.1`. A line of the table of contents is none.
fn heading(paragraph: &str) -> Option<String> {
    let (number, rest) = paragraph.split_once(' ')?;
    let digits = number.trim_end_matches('.').trim_end_matches(':');
    let is_number =
        digits.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    let is_title = rest.trim_start().chars().next().is_some_and(char::is_alphabetic);
    (is_number && is_title && !paragraph.contains("....")).then(|| digits.to_owned())
}

/// Sentences end with a full stop, colon or semicolon before a capital or a parenthesis.
fn split(words: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for word in words.split(' ') {
        let begins = word.starts_with(|c: char| c.is_ascii_uppercase() || c == '(');
        if let Some(last) = found.last_mut() {
            if begins && last.ends_with(['.', ':', ';']) {
                found.push(word.to_owned());
                continue;
            }
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    found
}

fn demands(sentence: &str, small: bool) -> bool {
    let mut words = sentence.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| match word {
        "MUST" | "SHALL" | "REQUIRED" => true,
        "must" | "shall" => small,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_found_across_pages_and_told_by_section() {
        let text = "1. Contents ....... 2\n\n   MUST stand in no section.\n\n2.1. Title\n\n   It MUST be\n\n\
                    Someone      Standards Track      [Page 1]\n\u{c}\nRFC 1        Title        July 2005\n\n\
                    \n   so. It MAY not. (It SHALL\n   stop: It must.)\n";
        let found = sentences(text, false);
        let sections: Vec<&str> = found.iter().map(|(section, _)| section.as_str()).collect();
        assert_eq!(sections, ["2.1", "2.1"]);
        assert_eq!(sentences(text, true).len(), 3);
    }
}
