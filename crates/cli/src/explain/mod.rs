//! `explain`: what an error number or name means, what usually lies behind it, and how to tell.
//!
//! | file | what it holds |
//! |---|---|
//! | `reading` | what a number or a name can mean |
//! | `com_err` | the arithmetic of error tables |
//! | `tables` | the error tables of MIT krb5 and Heimdal |
//! | `status` | the major status of the GSS-API |
//! | `errno` | errors of the operating system |
//! | `stories` | causes, most likely first |

mod com_err;
mod errno;
mod reading;
mod status;
mod stories;
mod tables;

use serde::Serialize;

use crate::arguments::Explain;
use crate::failure::{Ending, Failure};
use crate::output;
use reading::{Meaning, Reading};

/// An explanation as JSON has it.
#[derive(Serialize)]
struct Explanation<'a> {
    code: &'a str,
    /// What it can mean, most likely first.
    readings: Vec<Reading>,
}

pub(crate) fn run(wanted: &Explain) -> Result<Ending, Failure> {
    let Some(code) = &wanted.code else {
        return list(wanted.json);
    };
    let readings = reading::of(code)?;
    if wanted.json {
        return output::json(&Explanation { code, readings });
    }
    output::octets(told(code, &readings).as_bytes())
}

fn list(json: bool) -> Result<Ending, Failure> {
    let all = reading::all();
    if json {
        return output::json(&all);
    }
    let mut text = String::new();
    for reading in all {
        for error in reading.errors {
            text.push_str(&format!("{:>11}  {}: {}\n", error.number, error.symbol, error.meaning));
        }
    }
    output::octets(text.as_bytes())
}

/// The first reading in full, the others in a line each.
fn told(code: &str, readings: &[Reading]) -> String {
    let mut text = String::new();
    let mut readings = readings.iter();
    if let Some(first) = readings.next() {
        for error in &first.errors {
            if !text.is_empty() {
                text.push('\n');
            }
            tell(&mut text, first.kind, error);
        }
    }
    for other in readings {
        for error in &other.errors {
            let line = format!("{code} can also be {} of {}: {}", error.symbol, other.kind, error.meaning);
            text.push_str(&format!("\n{}", paragraph(&line, "", "  ")));
        }
    }
    text
}

fn tell(text: &mut String, kind: &str, error: &Meaning) {
    text.push_str(&format!("{}: number {} of {kind}\n", error.symbol, error.number));
    if let Some(number) = error.com_err {
        text.push_str(&format!("(C programs print {number} or {})\n", number.cast_unsigned()));
    }
    text.push_str(&format!("\n{}", paragraph(&error.meaning, "", "")));
    if let Some(advice) = &error.advice {
        text.push_str(&paragraph(advice, "", ""));
    }
    if !error.causes.is_empty() {
        text.push_str("\nUsual causes, most likely first:\n");
    }
    for (index, cause) in error.causes.iter().enumerate() {
        text.push_str(&format!("\n{}", paragraph(cause.what, &format!("{:>2}. ", index + 1), "    ")));
        text.push_str(&paragraph(cause.tell, "    How to tell: ", "      "));
        text.push_str(&paragraph(cause.cure, "    What to do: ", "      "));
    }
    if !error.example.is_empty() {
        text.push_str("\nFor example:\n");
        for line in error.example.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
}

/// How many columns a paragraph may take.
const COLUMNS: usize = 78;

/// A text in lines of moderate length; `first` stands before the first line, `further` before the others.
fn paragraph(text: &str, first: &str, further: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push_str(&line);
            lines.push('\n');
            line = further.to_owned();
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_an_explanation_is_too_long_for_a_terminal() {
        for reading in reading::all() {
            for error in &reading.errors {
                let text = told(&error.symbol, &reading::of(&error.symbol).unwrap());
                for line in text.lines() {
                    let longest =
                        if line.starts_with("    $") { 100 } else { COLUMNS.max(error.symbol.len() + 78) };
                    assert!(line.chars().count() <= longest, "{line}");
                }
            }
        }
        assert_eq!(paragraph("a b", "1. ", "   "), "1. a b\n");
        assert_eq!(
            paragraph(&"word ".repeat(20), "", "> ").lines().nth(1).map(|line| &line[..6]),
            Some("> word")
        );
    }
}
