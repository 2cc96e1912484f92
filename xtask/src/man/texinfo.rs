//! The handbook for info(1): the pages about calls, and the documents of `docs`.
//!
//! Of Markdown it knows what those documents use: headings of two levels, paragraphs, lists, tables, code in fences and
//! in lines. A table becomes one of terms, with the names of the other columns before their cells.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::header::Headers;
use super::page::{Block, Page};
use super::roff::{BUGS, LICENCE, meaning};
use crate::Failure;
use crate::shell::{self, root, target};

const DOCUMENTS: &[&str] = &["docs/programs.md", "docs/coming-from.md", "docs/mistakes.md", "docs/faults.md"];

/// Writes the handbook's source, and makes it readable by info(1) where makeinfo(1) is installed.
pub(super) fn build(pages: &[Page], headers: &Headers) -> Result<(), Failure> {
    let folder = target().join("info");
    shell::remove(&folder)?;
    fs::create_dir_all(&folder)?;
    let source = folder.join("orthros.texi");
    fs::write(&source, handbook(pages, headers)?)?;
    if !shell::has("makeinfo") {
        println!("makeinfo (Debian's texinfo) is not installed: {} stays a source", source.display());
        return Ok(());
    }
    make(&source, &folder.join("orthros.info"))
}

/// What makeinfo warns of is a failure.
fn make(source: &Path, info: &Path) -> Result<(), Failure> {
    let made = Command::new("makeinfo").arg("--output").arg(info).arg(source).output()?;
    let said = String::from_utf8_lossy(&made.stderr);
    if made.status.success() && said.is_empty() { Ok(()) } else { Err(format!("makeinfo: {said}").into()) }
}

fn handbook(pages: &[Page], headers: &Headers) -> Result<String, Failure> {
    let mut chapters = Vec::new();
    for document in DOCUMENTS {
        chapters.push(markdown(&fs::read_to_string(root().join(document))?));
    }
    let calls = "Calls".to_owned();
    let mut text = format!(
        "\\input texinfo\n@setfilename orthros.info\n@documentencoding UTF-8\n@settitle Orthros {version}\n\
         @dircategory Libraries\n@direntry\n* Orthros: (orthros).        The GSS-API with Kerberos V5.\n@end direntry\n\
         @copying\n{licence}\n@end copying\n@node Top\n@top Orthros {version}\n\nThe GSS-API with Kerberos V5, for \
         programs in C and in Rust.\n{bugs}\n\n@insertcopying\n\n",
        version = env!("CARGO_PKG_VERSION"),
        licence = inline(LICENCE),
        bugs = inline(BUGS),
    );
    let titles = chapters.iter().map(|(title, _)| title).chain([&calls]);
    menu(&mut text, titles.map(String::as_str));
    for (_, chapter) in &chapters {
        text.push_str(chapter);
    }
    text.push_str("\n@node Calls\n@chapter Calls\n\n");
    menu(&mut text, pages.iter().filter_map(|page| page.names.first()).map(String::as_str));
    for page in pages {
        call(&mut text, page, headers);
    }
    text.push_str("\n@bye\n");
    Ok(text)
}

fn menu<'a>(text: &mut String, nodes: impl Iterator<Item = &'a str>) {
    text.push_str("@menu\n");
    nodes.for_each(|node| {
        let _ = writeln!(text, "* {node}::");
    });
    text.push_str("@end menu\n");
}

fn call(text: &mut String, page: &Page, headers: &Headers) {
    let Some(first) = page.names.first() else { return };
    let _ = write!(text, "\n@node {first}\n@section {first}: {}\n\n", inline(&page.summary));
    for name in &page.names {
        if let Some(prototype) = headers.prototype(name) {
            let parameters = prototype.parameters.join(",\n    ");
            example(text, &format!("{} {name}(\n    {parameters});", prototype.result));
        }
    }
    let parameters = page
        .parameters
        .iter()
        .map(|parameter| (format!("*{}* ({})", parameter.name, parameter.direction), parameter.text.clone()));
    table(text, parameters);
    let mut items = Vec::new();
    for block in &page.blocks {
        if let Block::Item(term, meaning) = block {
            items.push((term.clone(), meaning.clone()));
            continue;
        }
        table(text, items.drain(..));
        let _ = match block {
            Block::Heading(heading) => write!(text, "@subheading {}\n\n", inline(heading)),
            Block::Paragraph(paragraph) => write!(text, "{}\n\n", inline(paragraph)),
            Block::Item(..) => Ok(()),
        };
    }
    table(text, items.drain(..));
    let meant = page
        .statuses
        .iter()
        .filter_map(|(name, here)| Some((format!("`{name}`"), meaning(name, here)?.to_owned())));
    table(text, meant);
    let _ = writeln!(text, "{}.", inline(&page.source));
}

fn table(text: &mut String, rows: impl Iterator<Item = (String, String)>) {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    text.push_str("@table @asis\n");
    for (term, meaning) in rows {
        let _ = write!(text, "@item {}\n{}\n", inline(&term), inline(&meaning));
    }
    text.push_str("@end table\n\n");
}

fn example(text: &mut String, code: &str) {
    let _ = write!(text, "@example\n{}\n@end example\n\n", escaped(code));
}

/// A document as a chapter, and its title.
fn markdown(document: &str) -> (String, String) {
    let (mut title, mut text, mut sections) = (String::new(), String::new(), Vec::new());
    let mut lines = document.lines().peekable();
    // What stands before the first section comes before the menu.
    let mut body = String::new();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("# ") {
            title = node(heading);
        } else if let Some(heading) = line.strip_prefix("## ") {
            let heading = node(heading);
            let _ = write!(body, "\n@node {heading}\n@section {heading}\n\n");
            sections.push(heading);
        } else if line.starts_with("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            example(&mut body, &code.join("\n"));
        } else if line.starts_with('|') {
            let mut rows = vec![cells(line)];
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                rows.push(cells(row));
            }
            rows_of(&mut body, &rows);
        } else if line.starts_with("- ") {
            let mut items = vec![line.strip_prefix("- ").unwrap_or(line).to_owned()];
            while let Some(line) = lines.next_if(|line| line.starts_with("- ") || line.starts_with("  ")) {
                match (line.strip_prefix("- "), items.last_mut()) {
                    (Some(item), _) => items.push(item.to_owned()),
                    (None, Some(last)) => *last = format!("{last} {}", line.trim()),
                    (None, None) => {}
                }
            }
            body.push_str("@itemize @bullet\n");
            items.iter().for_each(|item| body.push_str(&format!("@item\n{}\n", inline(&linkless(item)))));
            body.push_str("@end itemize\n\n");
        } else {
            let mut paragraph = line.to_owned();
            let goes_on = |line: &&str| !line.is_empty() && !line.starts_with(['#', '|', '`', '-']);
            while let Some(line) = lines.next_if(goes_on) {
                paragraph = format!("{paragraph} {line}");
            }
            let _ = write!(body, "{}\n\n", inline(&linkless(&paragraph)));
        }
    }
    let (before, after) = body.split_at(body.find("\n@node ").unwrap_or(body.len()));
    let _ = write!(text, "\n@node {title}\n@chapter {title}\n\n{before}");
    menu(&mut text, sections.iter().map(String::as_str));
    text.push_str(after);
    (title, text)
}

/// A heading as the name of a node, which takes no punctuation.
fn node(heading: &str) -> String {
    heading.chars().filter(|sign| !['(', ')', ',', ':', '.', '`'].contains(sign)).collect()
}

fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// A table: the first column is the term; where there are more than two, the others say their names.
fn rows_of(text: &mut String, rows: &[Vec<String>]) {
    let [names, _line, rows @ ..] = rows else { return };
    let told = rows.iter().map(|cells| {
        let mut pairs = cells.iter().zip(names);
        let term = pairs.next().map(|(cell, _)| linkless(cell)).unwrap_or_default();
        let named = |(cell, name): (&String, &String)| match names.len() {
            0..=2 => linkless(cell),
            _ => format!("{name}: {}.", linkless(cell)),
        };
        (term, pairs.map(named).collect::<Vec<_>>().join(" "))
    });
    table(text, told);
}

/// Links by their text.
fn linkless(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(name, place)| Some((name, place.split_once(')')?.1)));
        match link {
            Some((name, behind)) if !name.contains('`') => {
                plain.push_str(before);
                plain.push_str(name);
                rest = behind;
            }
            _ => {
                plain.push_str(before);
                plain.push('[');
                rest = after;
            }
        }
    }
    plain + rest
}

/// Text with `literal`, *parameter* and **strong** words.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (number, piece) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let _ = write!(out, "@code{{{}}}", escaped(piece));
            continue;
        }
        let piece = piece.replace("**", "*").replace("(3)", "");
        let starred = piece.matches('*').count() % 2 == 0;
        for (number, piece) in piece.split('*').enumerate() {
            if number % 2 == 1 && starred {
                let _ = write!(out, "@code{{{}}}", escaped(piece));
            } else {
                out.push_str(&escaped(piece));
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('@', "@@").replace('{', "@{").replace('}', "@}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_chapter_with_its_sections() {
        let (title, text) = markdown(
            "# A (b)\n\nFirst\nline, [name](place).\n\n## C, d\n\n| x | y | z |\n|---|---|---|\n| `@1` | 2 | 3 |\n\n```c\nint f(void) { }\n```\n\n- one\n  more\n- two\n",
        );
        assert_eq!(title, "A b");
        assert!(text.starts_with("\n@node A b\n@chapter A b\n\n"), "{text}");
        assert!(
            text.contains("First line, name.\n") && text.contains("@menu\n* C d::\n@end menu\n"),
            "{text}"
        );
        assert!(text.contains("@item @code{@@1}\ny: 2. z: 3.\n"), "{text}");
        assert!(text.contains("@example\nint f(void) @{ @}\n@end example"), "{text}");
        assert!(text.contains("@item\none more\n@item\ntwo\n"), "{text}");
    }
}
