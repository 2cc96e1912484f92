//! Second processes: a test binary runs itself and plays one of its ignored tests, a *role*.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test helpers")]

use std::process::{Child, Command, Stdio};

/// Starts the ignored test `role` in a new process, with `variables` in its environment.
pub(crate) fn play(role: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "--test-threads=1", role])
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the role said by [`say`], and its process id. The role must end well.
pub(crate) fn said(child: Child) -> (String, u32) {
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {text}{errors}", output.status);
    let answer = text.split_once("<<").and_then(|(_, rest)| rest.split_once(">>"));
    (answer.expect("the role said nothing").0.to_owned(), pid)
}

/// For roles: hands `text` to the process that plays us.
pub(crate) fn say(text: &str) {
    println!("<<{text}>>");
}

/// For roles: a variable of the environment.
pub(crate) fn told(name: &str) -> String {
    std::env::var(name).expect("a role is played by another test, never alone")
}
