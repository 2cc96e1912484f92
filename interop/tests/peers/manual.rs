//! The manual pages as man(1) shows them.

use std::fs;
use std::process::Command;

use interop::faces::xtask;
use interop::peers::{Peer, target};
use interop::{Failure, Scenario, process};

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new("manual::a_page_is_malformed_or_lacks_a_section", &[Peer::MAN, Peer::MAKEINFO], pages)]
}

fn pages() -> Result<(), Failure> {
    xtask(&["man", "--check"])?;
    let mut shown = 0;
    for entry in fs::read_dir(target().join("man"))? {
        let page = entry?.path();
        let mut command = Command::new(Peer::MAN.find()?);
        command.args(["--warnings", "--encoding=UTF-8", "--local-file"]).arg(&page);
        command.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "100");
        let finished = process::run(command, b"")?.success()?;
        assert!(finished.stderr.is_empty(), "{}: {}", page.display(), finished.stderr);
        let plain: String = overstruck(&finished.stdout);
        for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "BUGS", "LICENCE", "SEE ALSO"] {
            assert!(plain.lines().any(|line| line == heading), "{}: {heading}\n{plain}", page.display());
        }
        shown += 1;
    }
    assert!(shown > 34, "{shown}");
    let handbook = fs::read_to_string(target().join("info/orthros.info"))?;
    for node in ["Programs on Orthros", "Calls", "gss_export_sec_context", "Mistakes that others made"] {
        assert!(handbook.contains(&format!("Node: {node},  ")), "the handbook lacks {node}");
    }
    Ok(())
}

/// Without what makes letters bold on old terminals: a letter, a backspace, the letter.
fn overstruck(text: &str) -> String {
    let mut plain = String::new();
    for sign in text.chars() {
        if sign == '\u{8}' {
            let _bold = plain.pop();
        } else {
            plain.push(sign);
        }
    }
    plain
}
