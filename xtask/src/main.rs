//! The project's own tasks: `cargo xtask` lists them.
//!
//! | module | what it does |
//! |---|---|
//! | `test` | every test, counted, with the reason of each that was skipped |
//! | `peers` | finds out which peers are missing, and installs them without letting a daemon start |
//! | `tally` | reads what `cargo test` prints |
//! | `skips` | the committed reasons for tests that may be skipped |
//! | `faults` | plants known faults and wants to see a test fail |
//! | `fuzz` | builds and runs the fuzz targets |
//! | `simulate` | runs the simulation of a whole realm, on many seeds |
//! | `mutants` | changes the code and wants to see a test fail, or a reason |
//! | `must` | the demands of standards, each with what keeps and what shows it |
//! | `semver` | the public API, compared with a committed baseline |
//! | `faces` | the C library, linked for each library that it stands in for |
//! | `install` | puts one of them into a folder of its own |
//! | `deb` | a Debian package of the C library and the command |
//! | `man` | manual pages, and the comments of headers, from one source |
//! | `alone` | the command as a static program in an empty root |
//! | `figures` | instructions and system calls per context, against committed limits |
//! | `unsafety` | `unsafe` blocks, counted against committed numbers |
//! | `shell` | running commands |
//!
//! It uses nothing but the standard library, so that `cargo xtask` is there within seconds.
#![forbid(unsafe_code)]

mod alone;
mod answers;
mod copy;
mod deb;
mod faces;
mod faults;
mod figures;
mod fuzz;
mod install;
mod man;
mod must;
mod mutants;
mod peers;
mod semver;
mod shell;
mod simulate;
mod skips;
mod tally;
mod test;
mod unsafety;

use std::collections::VecDeque;
use std::process::ExitCode;

/// What went wrong, for a person.
type Failure = Box<dyn std::error::Error>;

/// One subcommand: this table is the parser and the help.
struct Task {
    name: &'static str,
    /// Each option with the name of its value, if it takes one, and what it does.
    options: &'static [(&'static str, Option<&'static str>, &'static str)],
    help: &'static str,
    run: fn(&Options) -> Result<(), Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "test",
        options: &[
            (
                "--install",
                None,
                "install the Debian packages of missing peers (as root; no daemon is started)",
            ),
            (
                "--require-peers",
                None,
                "a missing peer, or a skipped test without a committed reason, is a failure",
            ),
            ("--quick", None, "only unit and API tests: no examples of the documentation, no peers"),
        ],
        help: "unit, API, corpus and interop tests",
        run: test::run,
    },
    Task {
        name: "faults",
        options: &[("--only", Some("NAME"), "only the patch of this name")],
        help: "plant each fault of xtask/faults in a copy of the tree; its test must fail",
        run: faults::run,
    },
    Task {
        name: "fuzz",
        options: &[
            ("--seconds", Some("N"), "how long each target runs (60)"),
            ("--minutes", Some("N"), "how long all targets run together, in equal shares"),
            ("--target", Some("NAME"), "only this target"),
        ],
        help: "run the fuzz targets of fuzz/",
        run: fuzz::run,
    },
    Task {
        name: "simulate",
        options: &[
            ("--seeds", Some("N"), "how many seeds (1000)"),
            ("--from", Some("S"), "the first of them (0)"),
            ("--seed", Some("S"), "only this seed"),
            ("--trace", None, "with --seed: print all that happens"),
            ("--real-stores", None, "with the ledger and the replay cache in files, not simulated ones"),
        ],
        help: "a whole realm with faults, by seeds: what must never happen must not",
        run: simulate::run,
    },
    Task {
        name: "mutants",
        options: &[("--shard", Some("K/N"), "only the mutants of this shard, from 0/N on")],
        help: "change the code one operator at a time (cargo-mutants); a test must fail, or the survivor have a reason",
        run: mutants::run,
    },
    Task {
        name: "must",
        options: &[
            ("--list", None, "print every row"),
            ("--texts", Some("FOLDER"), "compare the rows with the RFCs' texts there"),
        ],
        help: "what RFCs and manual pages demand, with the line that keeps it and the test that shows it",
        run: must::run,
    },
    Task {
        name: "semver",
        options: &[],
        help: "compare the public API with that of the commit in xtask/semver-baseline.txt (cargo-semver-checks)",
        run: semver::run,
    },
    Task {
        name: "faces",
        options: &[],
        help: "build the C library in target/faces, for each library that it stands in for",
        run: faces::run,
    },
    Task {
        name: "install",
        options: &[
            ("--prefix", Some("FOLDER"), "where lib and include go; nothing there is displaced"),
            ("--face", Some("NAME"), "the library that ours stands in for: mit, heimdal or gnu (mit)"),
        ],
        help: "install the C library into a folder of its own",
        run: install::run,
    },
    Task {
        name: "deb",
        options: &[],
        help: "build a Debian package of the C library and the command in target/deb",
        run: deb::run,
    },
    Task {
        name: "man",
        options: &[(
            "--check",
            None,
            "change nothing; a header whose comments are not up to date is a failure",
        )],
        help: "build the manual pages and the handbook in target/man and target/info, and the comments of the headers",
        run: man::run,
    },
    Task {
        name: "alone",
        options: &[],
        help: "build the command as a static program and run its demo in an empty root (as root)",
        run: alone::run,
    },
    Task {
        name: "figures",
        options: &[
            ("--install", None, "install valgrind and strace if they are missing (as root)"),
            ("--report", None, "print the figures only; compare nothing"),
        ],
        help: "instructions and system calls per mutual context, against benches/limits.toml",
        run: figures::run,
    },
    Task {
        name: "unsafe",
        options: &[],
        help: "count unsafe blocks against xtask/unsafe.txt, which gives a reason for each file",
        run: unsafety::run,
    },
];

/// The options that were given, each with its value if it takes one.
struct Options(Vec<(&'static str, String)>);

impl Options {
    fn parse(task: &Task, mut words: VecDeque<String>) -> Result<Self, Failure> {
        let mut given = Vec::new();
        while let Some(word) = words.pop_front() {
            let (name, value, _) = task
                .options
                .iter()
                .find(|(name, ..)| *name == word)
                .ok_or_else(|| format!("`{}` has no option `{word}`\n\n{}", task.name, help()))?;
            let value = match value {
                Some(value) => words.pop_front().ok_or_else(|| format!("`{name}` wants {value}"))?,
                None => String::new(),
            };
            given.push((*name, value));
        }
        Ok(Self(given))
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(given, value)| (*given == name).then_some(value.as_str()))
    }
}

fn help() -> String {
    let mut text = String::from("cargo xtask TASK\n");
    for task in TASKS {
        text.push_str(&format!("\n  {:<10} {}\n", task.name, task.help));
        for (name, value, what) in task.options {
            let option = value.map_or_else(|| (*name).to_owned(), |value| format!("{name} {value}"));
            text.push_str(&format!("      {option:<18} {what}\n"));
        }
    }
    text
}

fn main() -> ExitCode {
    let mut words: VecDeque<String> = std::env::args().skip(1).collect();
    let outcome = match words.pop_front().as_deref() {
        None | Some("help" | "--help" | "-h") => {
            print!("{}", help());
            return ExitCode::SUCCESS;
        }
        Some(name) => match TASKS.iter().find(|task| task.name == name) {
            Some(task) => Options::parse(task, words).and_then(|options| (task.run)(&options)),
            None => Err(format!("no task is called `{name}`\n\n{}", help()).into()),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Failure> {
        Options::parse(&TASKS[2], words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn a_mistyped_option_is_not_passed_over() {
        assert!(parse(&["--second", "5"]).is_err());
        assert!(parse(&["--seconds"]).is_err());
        assert_eq!(parse(&["--seconds", "5"]).unwrap().value("--seconds"), Some("5"));
    }
}
