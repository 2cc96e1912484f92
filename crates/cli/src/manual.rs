//! The manual pages: one for the command, and one for each of its commands.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::arguments::{self, Arguments};
use crate::failure::{Ending, Failure, While};
use crate::output;

/// What each page ends with.
const END: &str = "\
.SH BUGS
Report bugs to the issue tracker of the repository that this software comes from; vulnerabilities in private, as the file
SECURITY.md there says.
.SH LICENCE
Orthros is free software: you may use it under the MIT licence or the Apache licence, version 2.0, at your choice. There is
no warranty, as far as the law permits.
.SH SEE ALSO
";

pub(crate) fn run(wanted: &arguments::Man) -> Result<Ending, Failure> {
    let mut command = Arguments::command();
    command.build();
    match &wanted.dir {
        None => output::octets(&page(&command, "orthros")?),
        Some(folder) => {
            write(&command, "orthros", folder)?;
            Ok(Ending::Success)
        }
    }
}

/// The page of a command and those of the commands below it.
fn write(command: &clap::Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let file = folder.join(format!("{name}.1"));
    fs::write(&file, page(command, name)?).while_doing(format!("cannot write {}", file.display()))?;
    let shown = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
    for below in shown {
        write(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(())
}

fn page(command: &clap::Command, name: &str) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let version = env!("CARGO_PKG_VERSION");
    Man::new(command.clone()).source(format!("Orthros {version}")).render(&mut page)?;
    page.extend(END.as_bytes());
    let others: &[&str] = if name == "orthros" {
        &["kinit (1)", "krb5.conf (5)", "gss_init_sec_context (3)"]
    } else {
        &["orthros (1)", "krb5.conf (5)"]
    };
    let others: Vec<String> = others.iter().map(|other| format!(".BR {other}")).collect();
    page.extend(others.join(",\n").as_bytes());
    page.push(b'\n');
    Ok(page)
}
