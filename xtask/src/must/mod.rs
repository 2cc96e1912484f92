//! What standards and manual pages demand, with the line that keeps it and the test that shows it.
//!
//! | file | what it holds |
//! |---|---|
//! | `docs/must/rfcN.txt` | each sentence of an RFC with MUST, SHALL or REQUIRED, a row each |
//! | `interop/c/manual/sentences.txt` | each sentence of the manual pages |
//!
//! A row that names a file, a line or a test that is not there is an error, and so is a sentence of a page that nothing
//! keeps or shows. For the RFCs the rest is counted: what nobody has traced yet stands there as such.
//!
//! The RFCs' texts are not part of the project. Where they are at hand (`--texts FOLDER`, with files `rfcN.txt`), the
//! rows are compared with the sentences that the texts have in each section.

mod pages;
mod table;
mod texts;

use std::fs;
use std::path::Path;

use crate::shell::root;
use crate::{Failure, Options};
use table::Table;

/// The RFCs whose demands are listed, the sections of which, and whether they write "must" in small letters.
const RFCS: [Rfc; 5] = [
    Rfc { number: 2743, within: None, small: true },
    Rfc { number: 2744, within: None, small: true },
    Rfc { number: 4120, within: Some("3"), small: false },
    Rfc { number: 4121, within: None, small: false },
    Rfc { number: 4178, within: None, small: false },
];

struct Rfc {
    number: u32,
    /// Only this section.
    within: Option<&'static str>,
    small: bool,
}

/// `cargo xtask must`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let mut faults = Vec::new();
    println!(
        "{:<9} {:>5} {:>6} {:>9} {:>6} {:>8} {:>5}",
        "", "all", "shown", "not shown", "others", "not here", "open"
    );
    for rfc in &RFCS {
        let path = root().join(format!("docs/must/rfc{}.txt", rfc.number));
        let table = Table::read(&path)?;
        table.check(&root(), &mut faults);
        println!("{:<9} {}", format!("RFC {}", rfc.number), table.figures());
        if let Some(folder) = options.value("--texts") {
            let text = fs::read(Path::new(folder).join(format!("rfc{}.txt", rfc.number)))?;
            texts::compare(&String::from_utf8_lossy(&text), rfc, &table, &mut faults);
        }
        if options.has("--list") {
            table.list();
        }
    }
    match pages::check(&root(), &mut faults) {
        Ok(sentences) => println!("{:<9} {sentences:>5} sentences of manual pages", "pages"),
        Err(why) => faults.push(why.to_string()),
    }
    if faults.is_empty() {
        return Ok(());
    }
    for fault in &faults {
        println!("  {fault}");
    }
    Err(format!("{} rows do not hold", faults.len()).into())
}
