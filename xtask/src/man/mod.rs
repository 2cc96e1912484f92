//! Manual pages, from one source: `crates/capi/doc` for section 3, the command's own table for section 1.
//!
//! | file | what it does |
//! |---|---|
//! | here | the task |
//! | `page` | reads a page's source |
//! | `header` | what the headers declare, and the comments that they get |
//! | `roff` | a page as man(1) takes it |
//! | `texinfo` | all of them as a chapter of the handbook, with the documents of `docs` |
//!
//! A page's prototype is the header's, and its parameters must be those of the prototype: neither can be right
//! alone. What every page says (the minor status, what statuses mean, where bugs go) stands once, in `roff`.

mod header;
mod page;
mod roff;
mod texinfo;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{self, cargo, root, target};
use crate::{Failure, Options};
use header::Headers;
use page::Page;

/// The calls of RFC 2744 (section 5, in its order), each of which must have a page.
const CALLS: &[&str] = &[
    "gss_accept_sec_context",
    "gss_acquire_cred",
    "gss_add_cred",
    "gss_add_oid_set_member",
    "gss_canonicalize_name",
    "gss_compare_name",
    "gss_context_time",
    "gss_create_empty_oid_set",
    "gss_delete_sec_context",
    "gss_display_name",
    "gss_display_status",
    "gss_duplicate_name",
    "gss_export_name",
    "gss_export_sec_context",
    "gss_get_mic",
    "gss_import_name",
    "gss_import_sec_context",
    "gss_indicate_mechs",
    "gss_init_sec_context",
    "gss_inquire_context",
    "gss_inquire_cred",
    "gss_inquire_cred_by_mech",
    "gss_inquire_mechs_for_name",
    "gss_inquire_names_for_mech",
    "gss_process_context_token",
    "gss_release_buffer",
    "gss_release_cred",
    "gss_release_name",
    "gss_release_oid_set",
    "gss_test_oid_set_member",
    "gss_unwrap",
    "gss_verify_mic",
    "gss_wrap",
    "gss_wrap_size_limit",
];

/// `cargo xtask man`.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let include = root().join("crates/capi/include");
    let pages = read(&root().join("crates/capi/doc"))?;
    let stale = header::comment(&include, &pages, options.has("--check"))?;
    if !stale.is_empty() {
        let files: Vec<_> = stale.iter().map(|file| file.display().to_string()).collect();
        return Err(
            format!("comments are not up to date in {}; run `cargo xtask man`", files.join(", ")).into()
        );
    }
    shell::must(&mut cargo(&root(), "build --quiet --package orthros-cli"))?;
    println!("{}", build(&target().join("debug/orthros"))?.display());
    Ok(())
}

/// Makes every page, those of section 1 by this command; returns their folder.
pub(crate) fn build(orthros: &Path) -> Result<PathBuf, Failure> {
    let folder = target().join("man");
    shell::remove(&folder)?;
    fs::create_dir_all(&folder)?;
    shell::must(Command::new(orthros).args(["man", "--dir"]).arg(&folder))?;
    let headers = Headers::read(&root().join("crates/capi/include"))?;
    let pages = read(&root().join("crates/capi/doc"))?;
    texinfo::build(&pages, &headers)?;
    for page in &pages {
        let text = roff::page(page, &headers).map_err(|why| format!("{}: {why}", page.file.display()))?;
        for name in &page.names {
            fs::write(folder.join(name).with_extension("3"), &text)?;
        }
    }
    Ok(folder)
}

/// Every page's source, by its file's name; there is one for each call of RFC 2744.
fn read(folder: &Path) -> Result<Vec<Page>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        files.push(entry?.path());
    }
    files.sort();
    let pages: Vec<Page> = files.iter().map(|file| Page::read(file)).collect::<Result<_, _>>()?;
    let lacking =
        CALLS.iter().find(|call| !pages.iter().any(|page| page.names.iter().any(|name| name == *call)));
    match lacking {
        Some(call) => Err(format!("{}: no page is about {call}", folder.display()).into()),
        None => Ok(pages),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Vec<Page> {
        read(&root().join("crates/capi/doc")).unwrap()
    }

    #[test]
    fn a_page_is_about_the_parameters_that_the_header_declares() {
        let headers = Headers::read(&root().join("crates/capi/include")).unwrap();
        for page in pages() {
            let text =
                roff::page(&page, &headers).unwrap_or_else(|why| panic!("{}: {why}", page.file.display()));
            for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "BUGS", "LICENCE", "SEE ALSO"] {
                assert!(text.contains(&format!("\n.SH {heading}\n")), "{}: {heading}", page.file.display());
            }
        }
    }

    #[test]
    fn a_page_that_another_points_to_is_there() {
        let pages = pages();
        let there = |name: &str| pages.iter().any(|page| page.names.iter().any(|known| known == name));
        for page in &pages {
            for other in page.see_also.iter().filter(|name| name.starts_with("gss")) {
                assert!(there(other), "{}: {other}", page.file.display());
            }
        }
    }

    #[test]
    fn the_comments_of_the_headers_are_those_of_the_pages() {
        let stale = header::comment(&root().join("crates/capi/include"), &pages(), true).unwrap();
        assert!(stale.is_empty(), "run `cargo xtask man`: {stale:?}");
    }
}
