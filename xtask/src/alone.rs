//! The command as a static program, alone in an empty folder that is made its root: no `/etc`, no `/proc`, no `/tmp`,
//! no libraries. The demo must hold there.

use std::fs;
use std::process::Command;

use crate::shell::{self, cargo, root, target};
use crate::tally::Tally;
use crate::{Failure, Options};

/// `cargo xtask alone`.
pub(crate) fn run(_options: &Options) -> Result<(), Failure> {
    let mut tally = Tally::default();
    match alone() {
        Ok(told) => {
            print!("{told}");
            tally.passed += 1;
        }
        Err(why) => tally.fail(format!("alone: {why}")),
    }
    println!("{}", tally.summary());
    if tally.failed == 0 { Ok(()) } else { Err("the command does not run alone".into()) }
}

/// Builds it, and runs its demo with nothing around it.
fn alone() -> Result<String, Failure> {
    // The platform is named, or the flag would also be meant for build scripts and macros, which can't be static.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let products = target().join("alone/target");
    let mut build = cargo(&root(), "build --release --quiet --package orthros-cli");
    build.args(["--target", &platform]).env("CARGO_TARGET_DIR", &products);
    shell::must(build.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
    let folder = target().join("alone/root");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(products.join(&platform).join("release/orthros"), folder.join("orthros"))?;
    let told =
        shell::output(Command::new("/usr/sbin/chroot").arg(&folder).args(["/orthros", "demo"]).env_clear())?;
    let left: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name())).collect::<Result<_, Failure>>()?;
    if left != ["orthros"] {
        return Err(format!("the demo left something behind: {left:?}").into());
    }
    Ok(told)
}
